/**
 * Surfaces in Plotly: the camera of one is the camera of all and stays across updates. Nothing is drawn anew while one
 * drags. Where WebGL is missing the same panels are drawn as contours.
 */
import { plotlyLoaded } from "../views/plotly.js";
import { CAMERA, boxesOf, layout, panelOf, sceneName, traces } from "./figure.js";
import { Sketch } from "./sketch.js";
import { Turning } from "./turning.js";
import { onTheme } from "../views/theme.js";
import { webgl, withoutSmoothing } from "../views/webgl.js";

const SETTLE = 300;
const NARROW = 480; // px; a narrower scene is looked at from so many times as far, to hold the whole surface
const FARTHER = 1.38;

export class SurfacePlot {
  /**
   * @param {{onHover: (panel: number, x: number, y: number) => void, onFlat: (why: string) => void}} options `onFlat` is
   * called when contours must be drawn in place of surfaces
   */
  constructor(element, { onHover, onFlat }) {
    Object.assign(this, { element, onHover, onFlat });
    this.gl = webgl();
    this.mode = this.gl ? "surface" : "contour";
    this.log = true;
    this.shared = true;
    this.losses = 0; // how often the browser took the WebGL contexts away
    this.at = 0;
    this.camera = CAMERA;
    this.narrow = false; // whether the camera stands farther away for it
    this.updates = 0;
    this.empty = element.firstElementChild;
    this.turning = new Turning(element, { begin: () => this.#turnable(), rest: (camera) => this.#turnedTo(camera), mouse: this.gl === "software" });
    element.addEventListener("webglcontextlost", () => this.#lost(), true);
    onTheme(() => this.#schedule());
    new ResizeObserver(() => this.#resized()).observe(element);
  }

  /** New panels, a finer level of the same, or another way of drawing them. */
  set(changes) {
    Object.assign(this, changes);
    this.#schedule();
  }

  /** Nothing is drawn any more, until there are other panels. */
  clear() {
    this.panels = null;
    if (this.drawn) Plotly.purge(this.element);
    this.drawn = false;
    this.#unsketch();
    this.element.replaceChildren(this.empty);
    for (const said of ["points", "sketched"]) delete this.element.dataset[said];
  }

  /** The browser took the contexts away: surfaces are drawn anew once, then given up for contours. */
  #lost() {
    if (!this.drawn || this.restoring) return;
    this.restoring = true;
    this.losses += 1;
    if (this.losses > 1) {
      this.mode = "contour";
      this.gl = null;
      this.onFlat("The browser took WebGL away twice, which surfaces are drawn with; contours show the same losses.");
    }
    Plotly.purge(this.element);
    this.drawn = false;
    setTimeout(() => {
      this.restoring = false;
      this.#schedule();
    }, SETTLE);
  }

  /** Move the markers to point `at` of the paths; nothing else is drawn again. */
  mark(at) {
    this.at = at;
    this.markers ??= requestAnimationFrame(() => {
      this.markers = null;
      if (this.drawn && !this.#held) this.#restyleMarkers();
    });
  }

  #schedule() {
    if (!this.panels || this.pending) return;
    this.pending = true;
    requestAnimationFrame(async () => {
      if (!this.drawn) await this.#prepare();
      await plotlyLoaded();
      if (!this.panels) {
        this.pending = false;
        return;
      }
      if (this.busy || this.#held || this.restoring) {
        setTimeout(() => {
          this.pending = false;
          this.#schedule();
        }, 100);
        return;
      }
      this.pending = false;
      await this.#draw();
    });
  }

  /** Room for Plotly. Where a processor draws WebGL it takes seconds for its first picture; a sketch is seen until then. */
  async #prepare() {
    this.element.replaceChildren();
    this.#fit();
    if (this.gl !== "software" || this.mode !== "surface") return;
    const look = this.#look();
    const made = layout(this.panels, look);
    this.element.style.height = `${made.height}px`;
    this.sketch = new Sketch(this.element, { panels: this.panels, ...look }, made, boxesOf(made, this.panels, look.width));
    this.sketch.draw(this.camera);
    this.element.dataset.sketched = this.#points();
    await painted();
  }

  async #draw() {
    this.busy = true;
    this.#fit();
    const look = this.#look();
    const config = { responsive: false, displayModeBar: false, displaylogo: false, scrollZoom: false, plotGlPixelRatio: this.gl === "software" ? 1 : 2 };
    this.width = look.width;
    const react = () => Plotly.react(this.element, traces(this.panels, look), layout(this.panels, look), config);
    this.element.dataset.mode = this.mode;
    await (this.gl === "software" ? withoutSmoothing(react) : react());
    this.element.dataset.updates = ++this.updates;
    this.element.dataset.points = this.#points();
    if (!this.drawn) this.#listen();
    for (const name of this.panels?.map((_, i) => sceneName(i)) ?? []) {
      const scene = this.element._fullLayout[name]?._scene;
      if (scene) scene.recoverContext = () => {}; // Plotly's own way stumbles over what `#lost` clears away
    }
    this.drawn = true;
    this.busy = false;
    if (!this.panels) this.clear(); // meanwhile
    const { sketch } = this;
    if (!sketch) return;
    await painted();
    if (this.sketch === sketch) this.#unsketch(); // else it is of what is drawn next
  }

  /** The camera at the distance that the width asks for, from wherever it was turned to. */
  #fit() {
    const narrow = this.element.clientWidth < NARROW;
    if (narrow === this.narrow || !this.element.clientWidth) return; // out of sight it has none
    const by = narrow ? FARTHER : 1 / FARTHER;
    const eye = Object.fromEntries(Object.entries(this.camera.eye).map(([axis, value]) => [axis, by * value]));
    Object.assign(this, { narrow, camera: { ...this.camera, eye } });
  }

  #unsketch() {
    this.sketch?.remove();
    this.sketch = null;
    this.element.style.height = "";
  }

  #points() {
    return this.panels?.map((panel) => panel.points_a_side).join();
  }

  #state() {
    const { mode, log, shared, range, at } = this;
    return { mode, log, shared, range, at };
  }

  /** The state, and how the page looks. */
  #look() {
    const style = getComputedStyle(this.element);
    const page = { colour: (name) => style.getPropertyValue(name).trim(), width: this.element.clientWidth, font: style.fontFamily };
    return { ...this.#state(), camera: this.camera, ...page };
  }

  #listen() {
    this.element.on("plotly_relayouting", (change) => this.#turned(change, false));
    this.element.on("plotly_relayout", (change) => this.#turned(change, true));
    this.element.on("plotly_hover", ({ points: [point] }) => {
      if (!this.#held && !["scatter", "scatter3d"].includes(point.data.type)) this.onHover(panelOf(this.panels, point.curveNumber), point.x, point.y);
    });
  }

  get #held() {
    return this.dragging || this.turning.busy;
  }

  /** What a drag on plain canvases needs; none while Plotly is drawing or shows contours. */
  #turnable() {
    if (!this.drawn || this.busy || this.mode !== "surface") return null;
    return { panels: this.panels, camera: this.camera, ...this.#state() };
  }

  async #turnedTo(camera) {
    this.camera = camera;
    await this.#rest();
    await painted();
  }

  /** One scene is being turned: the others follow, once per frame; `done` when the pointer was let go. */
  #turned(change, done) {
    const moved = Object.keys(change).find((key) => /^scene\d*\.camera$/.test(key));
    if (!moved || this.following) return;
    this.moved = moved.split(".")[0];
    this.camera = structuredClone(change[moved] ?? this.element.layout[this.moved].camera);
    this.dragging = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.#rest(), done ? 0 : SETTLE);
    this.follow ??= requestAnimationFrame(() => this.#others());
  }

  /** Not by relayout, which would put the scene under the pointer back to where it last rested. */
  #others() {
    this.follow = null;
    const full = this.element._fullLayout;
    for (const name of this.panels.map((_, i) => sceneName(i))) {
      if (name !== this.moved) full[name]?._scene?.setViewport({ ...full[name], camera: structuredClone(this.camera) });
    }
  }

  /** Let go: the camera becomes part of every scene's layout. */
  async #rest() {
    this.dragging = false;
    this.following = true;
    await Plotly.relayout(this.element, Object.fromEntries(this.panels.map((_, i) => [`${sceneName(i)}.camera`, structuredClone(this.camera)])));
    this.following = false;
    this.element.dataset.turned = Number(this.element.dataset.turned ?? 0) + 1;
    this.#restyleMarkers();
  }

  #restyleMarkers() {
    const all = traces(this.panels, this.#state());
    const indices = all.map((trace, i) => (trace.mode === "markers" ? i : -1)).filter((i) => i >= 0);
    const update = {};
    for (const axis of this.mode === "contour" ? ["x", "y"] : ["x", "y", "z"]) update[axis] = indices.map((i) => all[i][axis]);
    Plotly.restyle(this.element, update, indices);
  }

  #resized() {
    if (this.drawn && Math.abs(this.element.clientWidth - this.width) > 4) this.#schedule();
  }
}

/** Resolves when what was drawn is on the screen. */
function painted() {
  return new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
}

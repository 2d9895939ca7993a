/**
 * Surfaces in Plotly: the camera of one is the camera of all and stays across updates. Nothing is drawn anew while one
 * drags. Where WebGL is missing the same panels are drawn as contours.
 */
import { plotlyLoaded } from "../views/plotly.js";
import { CAMERA, layout, sceneName, traces } from "./figure.js";
import { Turning } from "./turning.js";
import { webgl, withoutSmoothing } from "../views/webgl.js";

const SETTLE = 300;
const NARROW = 480;

export class SurfacePlot {
  /** @param {{onHover: (panel: number, x: number, y: number) => void, onLeave: () => void}} options */
  constructor(element, { onHover, onLeave }) {
    this.element = element;
    this.onHover = onHover;
    this.onLeave = onLeave;
    this.gl = webgl();
    this.mode = this.gl ? "surface" : "contour";
    this.log = true;
    this.at = 0;
    this.camera = CAMERA;
    this.updates = 0;
    if (this.gl === "software") this.turning = new Turning(element, { begin: () => this.#turnable(), rest: (camera) => this.#turnedTo(camera) });
    new MutationObserver(() => this.#schedule()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new ResizeObserver(() => this.#resized()).observe(element);
  }

  /** New panels, a finer level of the same, or another way of drawing them. */
  set(changes) {
    Object.assign(this, changes);
    this.#schedule();
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
      await plotlyLoaded();
      if (this.busy || this.#held) {
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

  async #draw() {
    this.busy = true;
    if (!this.drawn) this.element.replaceChildren();
    if (!this.drawn && this.element.clientWidth < NARROW) this.camera = farther(CAMERA);
    const style = getComputedStyle(this.element);
    const state = { mode: this.mode, log: this.log, range: this.range, at: this.at };
    const look = { ...state, camera: this.camera, colour: (name) => style.getPropertyValue(name).trim(), width: this.element.clientWidth, font: style.fontFamily };
    const config = { responsive: false, displayModeBar: false, displaylogo: false, scrollZoom: false, plotGlPixelRatio: this.gl === "software" ? 1 : 2 };
    this.width = this.element.clientWidth;
    const react = () => Plotly.react(this.element, traces(this.panels, state), layout(this.panels, look), config);
    await (this.gl === "software" ? withoutSmoothing(react) : react());
    this.element.dataset.updates = ++this.updates;
    this.element.dataset.points = this.panels.map((panel) => panel.points_a_side).join();
    if (!this.drawn) this.#listen();
    this.drawn = true;
    this.busy = false;
  }

  #listen() {
    this.element.on("plotly_relayouting", (change) => this.#turned(change, false));
    this.element.on("plotly_relayout", (change) => this.#turned(change, true));
    this.element.on("plotly_hover", ({ points: [point] }) => {
      if (!this.#held && !["scatter", "scatter3d"].includes(point.data.type)) this.onHover(this.#panelOf(point.curveNumber), point.x, point.y);
    });
    this.element.on("plotly_unhover", () => this.onLeave());
  }

  get #held() {
    return this.dragging || this.turning?.busy;
  }

  /** What a drag on plain canvases needs; none while Plotly is drawing or shows contours. */
  #turnable() {
    if (!this.drawn || this.busy || this.mode !== "surface") return null;
    const { panels, log, range, at, camera } = this;
    return { panels, log, range, at, camera };
  }

  async #turnedTo(camera) {
    this.camera = camera;
    await this.#rest();
    await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
  }

  #panelOf(curve) {
    return this.#starts().findLastIndex((start) => start <= curve);
  }

  /** The number of each panel's first trace. */
  #starts() {
    let next = 0;
    return this.panels.map((panel) => {
      const start = next;
      next += 1 + 2 * Object.keys(panel.paths).length;
      return start;
    });
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
    const state = { mode: this.mode, log: this.log, range: this.range, at: this.at };
    const all = traces(this.panels, state);
    const indices = all.map((trace, i) => (trace.mode === "markers" ? i : -1)).filter((i) => i >= 0);
    const update = {};
    for (const axis of this.mode === "contour" ? ["x", "y"] : ["x", "y", "z"]) update[axis] = indices.map((i) => all[i][axis]);
    Plotly.restyle(this.element, update, indices);
  }

  #resized() {
    if (this.drawn && Math.abs(this.element.clientWidth - this.width) > 4) this.#schedule();
  }
}

/** From a little farther away, so that a narrow scene holds the whole surface. */
function farther(camera) {
  const eye = Object.fromEntries(Object.entries(camera.eye).map(([axis, value]) => [axis, 1.35 * value]));
  return { ...camera, eye };
}

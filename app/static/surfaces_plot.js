/**
 * Surfaces in Plotly: the camera of one is the camera of all and stays across updates; a coarse mesh while one drags.
 * Where WebGL is missing the same panels are drawn as contours.
 */
import { CAMERA, layout, mesh, sceneName, traces } from "./surfaces_figure.js";
import { plotlyLoaded, webgl } from "./surfaces_support.js";

const COARSE = 21; // points a side while the surface is being turned
const SETTLE = 300;

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
      if (this.drawn && !this.dragging) this.#restyleMarkers();
    });
  }

  #schedule() {
    if (!this.panels || this.pending) return;
    this.pending = true;
    requestAnimationFrame(async () => {
      await plotlyLoaded();
      if (this.busy || this.dragging) {
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
    const style = getComputedStyle(this.element);
    const state = { mode: this.mode, log: this.log, range: this.range, at: this.at };
    const look = { ...state, camera: this.camera, colour: (name) => style.getPropertyValue(name).trim(), width: this.element.clientWidth, font: style.fontFamily };
    const config = { responsive: false, displayModeBar: false, displaylogo: false, scrollZoom: false, plotGlPixelRatio: this.gl === "software" ? 1 : 2 };
    this.width = this.element.clientWidth;
    await Plotly.react(this.element, traces(this.panels, state), layout(this.panels, look), config);
    this.element.dataset.updates = ++this.updates;
    this.element.dataset.points = this.panels.map((panel) => panel.points_a_side).join();
    if (!this.drawn) this.#listen();
    this.drawn = true;
    this.busy = false;
  }

  #listen() {
    this.element.on("plotly_relayouting", (change) => this.#turned(change));
    this.element.on("plotly_relayout", (change) => this.#turned(change));
    this.element.on("plotly_hover", ({ points: [point] }) => {
      if (!this.dragging && !["scatter", "scatter3d"].includes(point.data.type)) this.onHover(this.#panelOf(point.curveNumber), point.x, point.y);
    });
    this.element.on("plotly_unhover", () => this.onLeave());
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

  /** One scene was turned: the others follow, once per frame. */
  #turned(change) {
    const moved = Object.keys(change).find((key) => /^scene\d*\.camera/.test(key));
    if (!moved || this.following) return;
    const scene = moved.split(".")[0];
    this.camera = change[`${scene}.camera`] ?? this.element.layout[scene].camera;
    this.#coarse();
    this.follow ??= requestAnimationFrame(async () => {
      this.follow = null;
      await this.#others(scene);
    });
  }

  async #others(scene) {
    const update = {};
    this.panels.forEach((_, i) => {
      if (sceneName(i) !== scene) update[`${sceneName(i)}.camera`] = structuredClone(this.camera);
    });
    if (!Object.keys(update).length) return;
    this.following = true;
    await Plotly.relayout(this.element, update);
    this.following = false;
  }

  /** Fewer points while the surface is being turned, all of them once it rests. */
  async #coarse() {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.#mesh(Infinity), SETTLE);
    if (this.dragging) return;
    this.dragging = true;
    await this.#mesh(COARSE);
  }

  async #mesh(most) {
    if (most === Infinity) this.dragging = false;
    if (this.panels.every((panel) => panel.points_a_side <= COARSE)) return;
    const meshes = this.panels.map((panel) => mesh(panel, most));
    const grounds = traces(this.panels, { mode: this.mode, log: this.log, range: this.range, at: this.at, most }).filter((trace) => trace.type === "surface");
    const update = { x: meshes.map((m) => m.x), y: meshes.map((m) => m.y), z: meshes.map((m) => m.z), surfacecolor: grounds.map((trace) => trace.surfacecolor) };
    await Plotly.restyle(this.element, update, this.#starts());
    this.element.dataset.mesh = meshes.map((m) => m.x.length).join();
  }

  #restyleMarkers() {
    const state = { mode: this.mode, log: this.log, range: this.range, at: this.at };
    const all = traces(this.panels, { ...state, most: 3 });
    const indices = all.map((trace, i) => (trace.mode === "markers" ? i : -1)).filter((i) => i >= 0);
    const update = {};
    for (const axis of this.mode === "contour" ? ["x", "y"] : ["x", "y", "z"]) update[axis] = indices.map((i) => all[i][axis]);
    Plotly.restyle(this.element, update, indices);
  }

  #resized() {
    if (this.drawn && Math.abs(this.element.clientWidth - this.width) > 4) this.#schedule();
  }
}

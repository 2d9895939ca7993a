/**
 * Surfaces while one turns them: drawn coarse on plain canvases over the scenes, with the camera that Plotly gets when one lets
 * go. By mouse where a processor draws WebGL, for there Plotly takes most of a second for a picture; by finger and by key always.
 */
import { sceneName } from "./figure.js";
import { Sketch } from "./sketch.js";

const STEEPEST = 1.5; // radians above the plane
const SLOP = 6; // px a finger moves sideways before it turns anything: it may be about to scroll
const BY_KEY = { ArrowLeft: [-0.06, 0], ArrowRight: [0.06, 0], ArrowUp: [0, -0.06], ArrowDown: [0, 0.06] }; // shares of a scene
const NEARER = { "+": 0.9, "=": 0.9, "-": 1 / 0.9 };
const KEYS_REST = 350; // ms after the last key

export class Turning {
  /**
   * @param {HTMLElement} element Plotly's
   * @param {{begin: () => object | null, rest: (camera: object) => Promise<void>, mouse: boolean}} options `begin` gives
   * {panels, log, shared, range, at, camera} when turning may begin; `rest` is called with the camera that was reached and
   * resolves when it is drawn; `mouse` tells whether the mouse turns here too, or Plotly's own scenes
   */
  constructor(element, { begin, rest, mouse }) {
    Object.assign(this, { element, begin, rest, mouse });
    this.sketch = null;
    this.held = null;
    element.addEventListener("pointerdown", (event) => this.#down(event), true);
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const up of ["pointerup", "pointercancel"]) element.addEventListener(up, (event) => this.#up(event));
    for (const touch of ["touchstart", "touchmove", "touchend"]) element.addEventListener(touch, (event) => event.stopPropagation(), true);
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  get busy() {
    return this.held !== null || this.sketch !== null;
  }

  #down(event) {
    const finger = event.pointerType === "touch";
    if (event.button !== 0 || this.held !== null || !(finger || this.mouse)) return;
    const given = this.begin();
    if (!given || !boxes(this.element, given.panels).some((box) => inside(box, event))) return;
    if (!finger) event.preventDefault(); // nor do mouse events reach Plotly
    event.stopPropagation();
    this.held = { id: event.pointerId, x: event.clientX, y: event.clientY, given };
    if (!finger) this.#take();
  }

  /** From now on every move turns. */
  #take() {
    const { given, id } = this.held;
    this.element.setPointerCapture(id);
    this.camera = structuredClone(given.camera);
    this.held.turning = true;
    this.#cover(given);
    this.#schedule();
  }

  #move(event) {
    if (event.pointerId !== this.held?.id) return;
    const [dx, dy] = [event.clientX - this.held.x, event.clientY - this.held.y];
    if (!this.held.turning) {
      if (Math.abs(dx) < Math.max(SLOP, Math.abs(dy))) return;
      this.#take();
    }
    const { height } = this.sketch;
    this.camera = orbited(this.camera, dx / height, dy / height);
    Object.assign(this.held, { x: event.clientX, y: event.clientY });
    this.#schedule();
  }

  async #up(event) {
    if (event.pointerId !== this.held?.id) return;
    const { turning } = this.held;
    this.held = null;
    if (turning) await this.#let();
  }

  async #let() {
    await this.rest(this.camera);
    if (this.held === null) this.#uncover();
  }

  /** Arrows turn, + and - bring nearer; Plotly draws once the keys rest. */
  #key(event) {
    const [dx, dy] = BY_KEY[event.key] ?? [0, 0];
    const nearer = NEARER[event.key] ?? 1;
    if ((!dx && !dy && nearer === 1) || event.ctrlKey || event.metaKey || event.altKey || this.held !== null) return;
    if (!this.sketch) {
      const given = this.begin();
      if (!given) return;
      this.camera = structuredClone(given.camera);
      this.#cover(given);
    }
    event.preventDefault();
    event.stopPropagation(); // the arrows step through the run everywhere else
    this.camera = orbited(this.camera, dx, dy, nearer);
    this.#schedule();
    clearTimeout(this.keys);
    this.keys = setTimeout(() => this.#let(), KEYS_REST);
  }

  #cover(given) {
    this.#uncover();
    const home = this.element.getBoundingClientRect();
    const places = boxes(this.element, given.panels).map(({ left, top, width, height }) => ({ left: left - home.left, top: top - home.top, width, height }));
    this.sketch = new Sketch(this.element, given, this.element._fullLayout, places);
  }

  #uncover() {
    this.sketch?.remove();
    this.sketch = null;
  }

  #schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.sketch?.draw(this.camera);
      this.element.dataset.frames = Number(this.element.dataset.frames ?? 0) + 1;
    });
  }
}

function boxes(element, panels) {
  return panels.map((_, i) => element._fullLayout[sceneName(i)]._scene.container.getBoundingClientRect());
}

function inside(box, { clientX, clientY }) {
  return clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
}

/** The camera after a drag by shares of the scene's height, `nearer` times as far away; what is up stays up. */
function orbited(camera, dx, dy, nearer = 1) {
  const { eye, center } = camera;
  const [x, y, z] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
  const from = Math.hypot(x, y, z);
  const far = Math.max(0.8, Math.min(5, nearer * from));
  const azimuth = Math.atan2(y, x) - Math.PI * dx;
  const height = Math.max(-STEEPEST, Math.min(STEEPEST, Math.asin(z / from) + Math.PI * dy));
  const flat = far * Math.cos(height);
  return { ...camera, up: { x: 0, y: 0, z: 1 }, eye: { x: center.x + flat * Math.cos(azimuth), y: center.y + flat * Math.sin(azimuth), z: center.z + far * Math.sin(height) } };
}

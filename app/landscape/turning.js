/**
 * Surfaces while one turns them: drawn coarse on plain canvases over the scenes, with the camera that Plotly gets when one lets
 * go. By mouse where a processor draws WebGL, for there Plotly takes most of a second for a picture; by finger and by key always.
 */
import { pointOf } from "./drape.js";
import { PATHS, SCALE, limitsOf, log10, onSurface, rangesOf, sceneName } from "./figure.js";

const MOST = 21; // points a side
const ZOOM = 1 / Math.tan(Math.PI / 8); // of Plotly's camera, which sees 45 degrees
const STEEPEST = 1.5; // radians above the plane
const SHADES = 48;
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
    this.scenes = [];
    this.held = null;
    element.addEventListener("pointerdown", (event) => this.#down(event), true);
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const up of ["pointerup", "pointercancel"]) element.addEventListener(up, (event) => this.#up(event));
    for (const touch of ["touchstart", "touchmove", "touchend"]) element.addEventListener(touch, (event) => event.stopPropagation(), true);
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  get busy() {
    return this.held !== null || this.scenes.length > 0;
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
    const { height } = this.scenes[0].canvas;
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
    if (!this.scenes.length) {
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
    const style = getComputedStyle(this.element);
    const colours = { ground: style.getPropertyValue("--panel").trim(), rule: style.getPropertyValue("--rule").trim() };
    const home = this.element.getBoundingClientRect();
    const ranges = rangesOf(given.panels, given);
    this.scenes = boxes(this.element, given.panels).map((box, i) => {
      const canvas = Object.assign(document.createElement("canvas"), { className: "turning", width: Math.round(box.width), height: Math.round(box.height) });
      canvas.style.cssText = `left:${box.left - home.left}px;top:${box.top - home.top}px;width:${box.width}px;height:${box.height}px`;
      this.element.append(canvas);
      return { canvas, colours, ...meshOf({ ...given, range: ranges[i] }, i, this.element._fullLayout[sceneName(i)]) };
    });
  }

  #uncover() {
    for (const { canvas } of this.scenes) canvas.remove();
    this.scenes = [];
  }

  #schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const scene of this.scenes) draw(scene, this.camera);
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

/** Vertices in Plotly's cube (-½ to ½ along every axis), cells with their colours, and the paths. */
function meshOf({ panels, log, range, at }, i, layout) {
  const panel = panels[i];
  const stride = Math.max(1, Math.ceil((panel.ticks[0].length - 1) / (MOST - 1)));
  const [u, v] = panel.ticks.map((ticks) => ticks.filter((_, k) => k % stride === 0));
  const scale = (value) => (log ? log10(value) : value);
  const unit = (value, axis) => (value - layout[axis].range[0]) / (layout[axis].range[1] - layout[axis].range[0]) - 0.5;
  const place = (x, y, loss) => (loss === null ? null : [unit(x, "xaxis"), unit(y, "yaxis"), unit(scale(loss), "zaxis")]);
  const points = u.flatMap((x, row) => v.map((y, column) => place(x, y, panel.losses[row * stride][column * stride])));
  const limits = limitsOf(range, log);
  const heights = u.flatMap((_, row) => v.map((__, column) => (scale(panel.losses[row * stride][column * stride]) - limits[0]) / (limits[1] - limits[0])));
  const cells = cellsOf(points, heights, v.length);
  const paths = Object.entries(panel.paths).flatMap(([name, path]) => [
    {
      colour: PATHS[name],
      at: pointOf(Math.min(at, path.coordinates.length - 1)),
      points: onSurface(panel, path, { log, range }).map((point) => place(...point)),
    },
    { colour: PATHS[name], dotted: true, points: path.coordinates.map(([x, y], k) => place(x, y, path.true_loss[k])) },
  ]);
  return { points, cells, paths };
}

function cellsOf(points, heights, n) {
  const cells = [];
  for (let first = 0; first + n < points.length; first += 1) {
    const corners = [first, first + 1, first + n + 1, first + n];
    if ((first + 1) % n === 0 || corners.some((corner) => points[corner] === null)) continue;
    const height = corners.reduce((sum, corner) => sum + heights[corner], 0) / 4;
    cells.push({ corners, colour: shade(height, steepnessOf(corners.map((corner) => points[corner]))) });
  }
  return cells;
}

/** How much of a cell faces up, 0 to 1. */
function steepnessOf([a, b, c, d]) {
  const p = c.map((value, k) => value - a[k]);
  const q = d.map((value, k) => value - b[k]);
  const normal = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  return Math.abs(normal[2]) / Math.hypot(...normal);
}

/** A colour of the scale at 0 to 1, darker where a cell is steep; of few kinds, for a canvas is slow to change colours. */
function shade(height, up) {
  const at = Math.round(Math.max(0, Math.min(1, height)) * SHADES) / SHADES;
  const above = Math.max(1, SCALE.findIndex(([stop]) => stop >= at));
  const [[low, from], [high, to]] = [SCALE[above - 1], SCALE[above]];
  const light = 0.8 + 0.2 * Math.round(4 * up) / 4;
  const mixed = channels(from).map((value, k) => Math.round(light * (value + (channels(to)[k] - value) * (at - low) / (high - low))));
  return `rgb(${mixed.join()})`;
}

function channels(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

const CORNERS = Array.from({ length: 8 }, (_, k) => [(k & 1) - 0.5, ((k >> 1) & 1) - 0.5, (k >> 2) - 0.5]);
const EDGES = CORNERS.flatMap((_, k) => [1, 2, 4].filter((bit) => !(k & bit)).map((bit) => [k, k | bit]));

function draw({ canvas, colours, points, cells, paths }, camera) {
  const context = canvas.getContext("2d", { alpha: false });
  const see = projection(camera, canvas);
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const box = CORNERS.map(see);
  const nearest = box.reduce((best, corner, k) => (corner[2] < box[best][2] ? k : best), 0);
  context.strokeStyle = colours.rule;
  context.lineWidth = 1;
  for (const [a, b] of EDGES) if (a !== nearest && b !== nearest) line(context, [box[a], box[b]]);
  const seen = points.map((point) => point && see(point));
  for (const cell of cells) cell.depth = cell.corners.reduce((sum, corner) => sum + seen[corner][2], 0);
  cells.sort((a, b) => b.depth - a.depth);
  for (const { corners, colour } of cells) {
    context.fillStyle = context.strokeStyle = colour;
    context.beginPath();
    for (const corner of corners) context.lineTo(seen[corner][0], seen[corner][1]);
    context.closePath();
    context.fill();
    context.stroke(); // or the ground shows between cells
  }
  for (const path of paths) drawPath(context, path, see);
}

function drawPath(context, { colour, points, at, dotted }, see) {
  const seen = points.filter(Boolean).map(see);
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = dotted ? 2 : 3;
  context.setLineDash(dotted ? [2, 4] : []);
  line(context, seen);
  context.setLineDash([]);
  if (dotted || !points[at]) return;
  const [x, y] = see(points[at]);
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke();
}

function line(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/** A function from the cube to [x, y, depth] on the canvas, as Plotly's camera sees it. */
function projection({ eye, center, up }, { width, height }) {
  const from = [eye.x, eye.y, eye.z];
  const ahead = unit([center.x - eye.x, center.y - eye.y, center.z - eye.z]);
  const right = unit(cross(ahead, [up.x, up.y, up.z]));
  const above = cross(right, ahead);
  return (point) => {
    const [dx, dy, dz] = [point[0] - from[0], point[1] - from[1], point[2] - from[2]];
    const along = (axis) => axis[0] * dx + axis[1] * dy + axis[2] * dz;
    const depth = along(ahead);
    const scale = (ZOOM * height) / 2 / depth;
    return [width / 2 + scale * along(right), height / 2 - scale * along(above), depth];
  };
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(vector) {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

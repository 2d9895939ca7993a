/**
 * Surfaces drawn coarse on plain canvases, as Plotly's camera sees them: while one turns them, and until Plotly has drawn them
 * for the first time.
 */
import { pointOf } from "./drape.js";
import { PATHS, SCALE, limitsOf, log10, onSurface, rangesOf, sceneName } from "./figure.js";

const MOST = 21; // points a side
const ZOOM = 1 / Math.tan(Math.PI / 8); // of Plotly's camera, which sees 45 degrees
const SHADES = 48;

export class Sketch {
  /**
   * @param {HTMLElement} element where it is put, over what is there
   * @param {{panels: object[], log: boolean, shared: boolean, range: number[], at: number}} given what is drawn
   * @param {object} layout Plotly's, with the range of every axis
   * @param {{left: number, top: number, width: number, height: number, title?: string}[]} boxes of every scene, from the
   * element's corner, and what is to stand above it
   */
  constructor(element, given, layout, boxes) {
    const style = getComputedStyle(element);
    const colours = { ground: style.getPropertyValue("--panel").trim(), rule: style.getPropertyValue("--rule").trim() };
    const ranges = rangesOf(given.panels, given);
    this.parts = [];
    this.scenes = boxes.map(({ left, top, width, height, title }, i) => {
      const canvas = this.#put(element, "canvas", `left:${left}px;top:${top}px;width:${width}px;height:${height}px`);
      Object.assign(canvas, { width: Math.round(width), height: Math.round(height) });
      if (title) this.#put(element, "b", `left:${left}px;bottom:calc(100% - ${top}px)`).textContent = title;
      return { canvas, colours, ...meshOf({ ...given, range: ranges[i] }, i, layout[sceneName(i)]) };
    });
  }

  #put(element, kind, place) {
    const part = Object.assign(document.createElement(kind), { className: "sketch" });
    part.style.cssText = place;
    this.parts.push(part);
    element.append(part);
    return part;
  }

  get height() {
    return this.scenes[0].canvas.height;
  }

  draw(camera) {
    for (const scene of this.scenes) draw(scene, camera);
  }

  remove() {
    for (const part of this.parts) part.remove();
  }
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

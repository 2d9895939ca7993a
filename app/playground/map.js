import { onTheme } from "../views/theme.js";
import { bytes, colour, decades } from "./packed.js";

/**
 * A part of a plane on a canvas: the loss in colours with contour lines, and whatever is drawn over it.
 * `new PlaneMap(canvas, onPick)`, then `show({low, high, field, scale, over})`; `over(pen)` draws with a `Pen`.
 */
const PIXELS = 176; // a side of the coloured picture; the canvas smooths it to its own size
const BANDS = 16;

export class PlaneMap {
  constructor(canvas, onPick) {
    this.canvas = canvas;
    this.picture = Object.assign(document.createElement("canvas"), { width: PIXELS, height: PIXELS });
    canvas.addEventListener("click", (event) => {
      if (!this.shown) return;
      const box = canvas.getBoundingClientRect();
      const share = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
      onPick(share.map((part, i) => this.shown.low[i] + part * (this.shown.high[i] - this.shown.low[i])));
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    onTheme(() => this.draw());
  }

  /** @param {{low: number[], high: number[], field?: object, scale?: number[], over: (pen: Pen) => void}} shown */
  show(shown) {
    if (shown.field !== this.shown?.field || String(shown.scale) !== String(this.shown?.scale)) this.#paint(shown);
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { canvas, shown } = this;
    const side = canvas.clientWidth;
    if (!side || !shown) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    context.imageSmoothingEnabled = true;
    if (shown.field) context.drawImage(this.picture, 0, 0, side, side);
    shown.over(new Pen(context, side, shown.low, shown.high, getComputedStyle(canvas)));
  }

  #paint({ field, scale }) {
    if (!field) return;
    const context = this.picture.getContext("2d");
    const image = context.createImageData(PIXELS, PIXELS);
    const shares = resampled(field, scale);
    for (let row = 0; row < PIXELS; row += 1) {
      for (let column = 0; column < PIXELS; column += 1) {
        const at = row * PIXELS + column;
        const share = shares[at];
        if (Number.isNaN(share)) continue; // transparent: no finite loss there
        const band = Math.floor(share * BANDS);
        const edge = band !== Math.floor((shares[at + 1] ?? share) * BANDS) || band !== Math.floor((shares[at + PIXELS] ?? share) * BANDS);
        const tone = colour(share).map((value) => (edge ? value * 0.72 : value));
        image.data.set([...tone, 255], at * 4);
      }
    }
    context.putImageData(image, 0, 0);
  }
}

/** The field between its points, as shares of the scale, row 0 on top. */
function resampled({ side, values }, [low, high]) {
  const shares = new Float32Array(PIXELS * PIXELS);
  for (let row = 0; row < PIXELS; row += 1) {
    const v = (1 - row / (PIXELS - 1)) * (side - 1);
    const j = Math.min(Math.floor(v), side - 2);
    for (let column = 0; column < PIXELS; column += 1) {
      const u = (column / (PIXELS - 1)) * (side - 1);
      const i = Math.min(Math.floor(u), side - 2);
      const at = (a, b) => values[(i + a) * side + j + b];
      const left = at(0, 0) + (at(0, 1) - at(0, 0)) * (v - j);
      const right = at(1, 0) + (at(1, 1) - at(1, 0)) * (v - j);
      shares[row * PIXELS + column] = Math.max(0, Math.min(0.9999, (left + (right - left) * (u - i) - low) / (high - low)));
    }
  }
  return shares;
}

/** A field of losses as the server sends it. */
export function fieldOf({ side, losses }) {
  return { side, values: decades(losses) };
}

/** The decades that colours span: from half a decade below the tolerance, or the least that there is, to the most. */
export function scaleOf({ values }, tolerance) {
  const known = values.filter((decade) => !Number.isNaN(decade));
  const floor = Math.log10(tolerance) - 0.5;
  const low = known.reduce((least, decade) => Math.min(least, decade), Infinity);
  return [Math.max(floor, low), known.reduce((most, decade) => Math.max(most, decade), floor + 1)];
}

/** Draws in the coordinates of the plane. */
export class Pen {
  constructor(context, side, low, high, style) {
    Object.assign(this, { context, side, low, high, style });
  }

  #at([x, y]) {
    return [((x - this.low[0]) / (this.high[0] - this.low[0])) * this.side, (1 - (y - this.low[1]) / (this.high[1] - this.low[1])) * this.side];
  }

  #colour(name) {
    return name.startsWith("--") ? this.style.getPropertyValue(name).trim() : name;
  }

  /** A line through points; where one is missing it is broken. */
  line(points, colour, { width = 1.5, dash = [], halo = false, alpha = 1 } = {}) {
    const { context } = this;
    const trace = () => {
      context.beginPath();
      let pen = false;
      for (const point of points) {
        const known = point && point[0] !== null && point[1] !== null;
        if (known) context[pen ? "lineTo" : "moveTo"](...this.#at(point));
        pen = known;
      }
      context.stroke();
    };
    context.save();
    context.lineJoin = "round";
    context.globalAlpha = alpha;
    context.setLineDash(dash);
    if (halo) {
      Object.assign(context, { strokeStyle: "rgba(255,255,255,.85)", lineWidth: width + 2.5 });
      trace();
    }
    Object.assign(context, { strokeStyle: this.#colour(colour), lineWidth: width });
    trace();
    context.restore();
  }

  /** Filled dots with a light rim. */
  dots(points, colour, { radius = 3, alpha = 1, rim = true } = {}) {
    const { context } = this;
    context.save();
    context.globalAlpha = alpha;
    context.fillStyle = this.#colour(colour);
    Object.assign(context, { strokeStyle: "rgba(255,255,255,.9)", lineWidth: 1.2 });
    for (const point of points) {
      if (!point || point[0] === null || point[1] === null) continue;
      context.beginPath();
      context.arc(...this.#at(point), radius, 0, 7);
      context.fill();
      if (rim) context.stroke();
    }
    context.restore();
  }

  /** Crosses, for solutions. */
  crosses(points, colour = "#fff") {
    for (const [x, y] of points) {
      const [u, v] = this.#at([x, y]);
      const { context } = this;
      context.save();
      for (const [stroke, width] of [["#000", 4.5], [this.#colour(colour), 2]]) {
        Object.assign(context, { strokeStyle: stroke, lineWidth: width, lineCap: "round" });
        context.beginPath();
        for (const sign of [1, -1]) {
          context.moveTo(u - 5, v - 5 * sign);
          context.lineTo(u + 5, v + 5 * sign);
        }
        context.stroke();
      }
      context.restore();
    }
  }

  /** Cells of a grid of starts coloured by the minimum they reach; label 0 is none. */
  cells({ side, labels }) {
    const tones = ["rgba(20,20,20,.55)", "rgba(242,154,99,.62)", "rgba(121,184,240,.62)", "rgba(190,227,140,.62)", "rgba(222,160,224,.62)", "rgba(250,220,120,.62)"];
    const known = bytes(labels);
    const cell = this.side / (side - 1);
    for (let i = 0; i < side; i += 1) {
      for (let j = 0; j < side; j += 1) {
        const label = known[i * side + j];
        this.context.fillStyle = label === 0 ? tones[0] : tones[1 + ((label - 1) % (tones.length - 1))];
        this.context.fillRect((i - 0.5) * cell, this.side - (j + 0.5) * cell, cell + 0.5, cell + 0.5);
      }
    }
  }
}

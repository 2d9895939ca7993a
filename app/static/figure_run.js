/** One pose run as the browser keeps it: curves, errors, and the joints of every hypothesis at every step. */
import { points } from "./figure_body.js";
import { clock, number } from "./words.js";

const COLUMNS = ["loss", "seconds", "error", "spread", "joints"];

export class PoseRecord {
  constructor(begin) {
    this.id = begin.run;
    this.limit = begin.limit;
    this.k = begin.k;
    this.nodes = begin.names.length;
    this.steps = [];
    this.lanes = Object.fromEntries(begin.lanes.map((name) => [name, Object.fromEntries(COLUMNS.map((key) => [key, []]))]));
    this.end = null;
  }

  add(frames) {
    this.end = null;
    this.steps.push(...frames.steps);
    for (const [name, columns] of Object.entries(frames.lanes)) {
      for (const key of COLUMNS) this.lanes[name][key].push(...columns[key]);
    }
  }

  /** What the scrubber runs over: steps, or every moment (in seconds) at which a lane took one. */
  ticks(axis) {
    if (axis === "steps") return this.steps;
    return [...new Set(Object.values(this.lanes).flatMap((lane) => lane.seconds))].sort((a, b) => a - b);
  }

  /** Where a lane stands at a tick: an index into its columns, -1 before its first evaluation. */
  place(name, axis, tick) {
    const keys = axis === "steps" ? this.steps : this.lanes[name].seconds;
    const after = keys.findIndex((key) => key > tick);
    return (after < 0 ? keys.length : after) - 1;
  }

  /** Dots for the chart's cursor. */
  at(axis, tick) {
    return Object.entries(this.lanes).map(([name, lane]) => ({
      y: lane.loss[this.place(name, axis, tick)], colour: `--${name.toLowerCase()}`,
    }));
  }

  curves(axis) {
    return Object.entries(this.lanes).map(([name, lane]) => ({
      x: axis === "steps" ? this.steps : lane.seconds, y: lane.loss, name, colour: `--${name.toLowerCase()}`, dash: "solid", faint: false,
    }));
  }

  describe(axis, index) {
    const ticks = this.ticks(axis);
    if (!ticks.length) return "";
    if (axis === "seconds") return `${clock(ticks[index])} of ${clock(ticks.at(-1))}`;
    return `step ${ticks[index]} of ${this.end ? ticks.at(-1) : Math.max(this.limit, ticks.at(-1))}`;
  }

  /** Joint positions in cm of every hypothesis of a lane at an index. */
  bodies(name, index) {
    const flat = this.lanes[name].joints[index];
    return Array.from({ length: this.k }, (_, i) => points(flat, i * this.nodes, this.nodes));
  }
}

/** What a lane measures at an index, as elements. */
export function readings(run, name, at) {
  if (at < 0) return ["not begun"];
  const lane = run.lanes[name];
  const error = document.createElement("b");
  error.textContent = lane.error[at] === null ? "not finite" : `${lane.error[at].toFixed(lane.error[at] < 10 ? 2 : 1)} cm off`;
  const parts = [`loss ${number(lane.loss[at])}`, `step ${run.steps[at]}`, clock(lane.seconds[at])];
  if (lane.spread[at] !== null) parts.push(`hidden joints ${lane.spread[at].toFixed(1)} cm apart`);
  const rest = document.createElement("span");
  rest.textContent = parts.join(" · ");
  return [error, rest];
}

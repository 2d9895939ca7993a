/** One pose run as the browser keeps it: curves, errors, and the joints of every hypothesis at every step. */
import { Columns } from "../views/columns.js";
import { points } from "./body.js";
import { clock, number } from "../views/words.js";

export class PoseRecord extends Columns {
  constructor(begin) {
    super(begin, ["loss", "seconds", "error", "spread", "joints"]);
    this.k = begin.k;
    this.start = begin.start;
    this.nodes = begin.names.length;
    this.target = { ...begin, points: points(begin.joints) };
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

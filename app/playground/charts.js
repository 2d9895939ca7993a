/** The charts of the playground and what they come to in words: losses by step and by buffer, arrivals, the sweep of step sizes. */
import { LossCurves } from "../views/curves.js";
import { number } from "../views/words.js";

const RAN_AWAY = 1e3; // a mean loss in which single descents diverged: left out of the chart, which it would flatten
const COLOURS = { X: "--x", Z: "--z" };
const NAMES = { start: "begin", end: "end", theta: "θ" };

export class Charts {
  /**
   * @param {(selector: string) => Element} find what of the page they stand in
   * @param {(buffer: number) => void} onBuffer a buffer was picked
   */
  constructor(find, onBuffer) {
    this.find = find;
    const chart = (name, options) => new LossCurves(find(`[data-chart=${name}]`), { onPick: () => {}, ...options });
    this.steps = chart("steps", {});
    this.buffers = chart("buffers", { onPick: (buffer) => onBuffer(Math.round(buffer)) });
    this.arrivals = chart("arrivals", { what: "share arrived", linear: true });
    this.sweep = chart("sweep", { what: "mean steps", linear: true });
  }

  /** Nothing was measured of this forward model yet. */
  clear() {
    for (const chart of [this.arrivals, this.sweep]) chart.draw([], "");
    this.find("[data-measured]").textContent = "200 targets that were never trained on, each space at its best step size.";
  }

  /**
   * @param {Training} training its descents, and its history beside that of an earlier one
   * @param {object} shown the frame at which the timeline stands
   */
  draw({ scene, paths, history, earlier }, shown) {
    const lanes = Object.entries({ X: paths.X, Z: shown.paths.Z }).filter(([, lane]) => lane);
    const losses = lanes.map(([name, lane]) => ({ x: lane.steps, y: lane.loss, name, colour: COLOURS[name] }));
    this.steps.draw(losses, "step", { y: scene.tolerance, name: "tolerance" });
    const arrived = ([name, lane]) => `${name} ${lane.arrived === null ? "not" : `after ${lane.arrived}`}`;
    this.find("[data-arrived]").textContent = `Arrived (loss at most ${scene.tolerance}): ${lanes.map(arrived).join(", ")}.`;
    const known = (key) => history.some((entry) => entry?.[key] < RAN_AWAY);
    const now = [["start", "--soft"], ["end", "--z"], ["theta", "--x"]].filter(([key]) => known(key)).map(([key, colour]) => byBuffer(key, colour, history));
    const before = earlier.length ? [byBuffer("end", "--z", earlier, true)] : [];
    this.buffers.draw([...before, ...now], "buffer");
    this.buffers.cursor(shown.buffer, []);
  }

  swept({ lanes, limit }) {
    const curves = Object.entries(lanes).map(([name, { rates, means }]) => ({
      x: rates.map(Math.log10), y: means, name, colour: COLOURS[name],
    }));
    this.sweep.draw(curves, "log₁₀ step size");
    const best = Object.entries(lanes).map(([name, lane]) => `${name} ${number(lane.best)}`).join(", ");
    this.find("[data-swept]").textContent = `Best step sizes: ${best}. A descent that never arrives counts as ${limit + 1}.`;
  }

  /** @returns {string} what every space came to */
  measured({ n, limit, lanes }) {
    const curves = Object.entries(lanes).map(([name, { share }]) => ({
      x: share.map((_, step) => step), y: share, name, colour: COLOURS[name],
    }));
    this.arrivals.draw(curves, "step");
    const words = Object.entries(lanes).map(([name, lane]) => {
      const median = lane.median > limit ? `more than ${limit}` : `${number(lane.median)} [${lane.median_interval.map(number).join("–")}]`;
      return `${name}: ${percent(lane.reached)} [${lane.reached_interval.map(percent).join("–")}] arrive, median ${median} steps`;
    });
    this.find("[data-measured]").textContent = `${words.join("; ")} (${n} targets, 95 % intervals).`;
    return words.join(". ") + ".";
  }
}

function byBuffer(key, colour, entries, faint) {
  return {
    x: entries.map((_, i) => i + 1), y: entries.map((entry) => (entry?.[key] < RAN_AWAY ? entry[key] : null)), name: faint ? "" : NAMES[key], colour, faint, dash: key === "start" ? "dot" : undefined,
  };
}

/** "42 %" of a share. */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

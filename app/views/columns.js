/** A run as columns: for every lane one list per measure, an entry a step. What charts and scrubbers ask of it. */
import { clock } from "./words.js";

export class Columns {
  /**
   * @param {{run: string, limit: number, lanes: string[]}} begin the run's first message
   * @param {string[]} keys the measures that every batch of steps brings
   */
  constructor(begin, keys) {
    this.id = begin.run;
    this.number = begin.number;
    this.label = begin.label;
    this.limit = begin.limit;
    this.keys = keys;
    this.steps = [];
    this.lanes = Object.fromEntries(begin.lanes.map((name) => [name, Object.fromEntries(keys.map((key) => [key, []]))]));
    this.table = begin.table ?? {};
    this.columns = begin.columns ?? [["X", "Z"]];
    this.settings = begin.settings ?? [];
    this.targetKey = begin.target ?? JSON.stringify(begin.joints ?? begin.clean?.png);
    this.card = begin.card ?? null; // repeats the run, also when the server has forgotten it
    this.origin = begin.origin ?? {};
    this.visible = true; // in the chart of another run
    this.end = null;
  }

  /** Take the end. */
  finish(end) {
    this.end = end;
    this.card = end.card ?? this.card;
  }

  /** Take the pictures of a batch of steps; those of a run that is read from the browser's memory come later than the rest. */
  picture() {}

  /** Settings in which this run differs from another, in words. */
  differences(other) {
    const theirs = new Map(other.settings);
    const changes = this.settings.filter(([what, value]) => theirs.get(what) !== value).map(([what, value]) => `${what} ${value}`);
    return this.targetKey === other.targetKey ? changes : ["another target", ...changes];
  }

  /** By lane the lowest loss; of a batch, the lowest mean. */
  bests() {
    return Object.entries(this.lanes).map(([name, lane]) => {
      const losses = (lane.mean ?? lane.loss).filter((loss) => loss !== null);
      return [name, losses.reduce((low, loss) => Math.min(low, loss), Infinity), this.cell(name)];
    });
  }

  /** Which place of the view a lane has. */
  cell(name) {
    return this.table[name]?.cell ?? name;
  }

  /** Take a batch of steps; resolves when its pictures can be drawn. */
  add(frames) {
    this.end = null;
    this.limit = frames.limit ?? this.limit; // Continue takes it further
    this.steps.push(...frames.steps);
    for (const [name, columns] of Object.entries(frames.lanes)) {
      for (const key of this.keys) this.lanes[name][key].push(...columns[key]);
    }
    return this.picture(frames);
  }

  /** What the scrubber runs over: steps, or every moment (in seconds) at which a lane took one. */
  ticks(axis) {
    if (axis === "steps") return this.steps;
    return [...new Set(Object.values(this.lanes).flatMap((lane) => lane.seconds))].sort((a, b) => a - b);
  }

  /** Where a lane stands at a tick: an index into its columns, -1 before its first evaluation. */
  place(name, axis, tick) {
    const keys = axis === "steps" ? this.steps : this.lanes[name].seconds;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle] <= tick) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Dots for a chart's cursor. */
  at(axis, tick, key = "loss") {
    return Object.entries(this.lanes).map(([name, lane]) => ({ y: lane[key][this.place(name, axis, tick)], colour: laneColour(this.cell(name)) }));
  }

  /** Curves of a measure, as charts take them; those of a run that is not the one looked at are faint. */
  curves(axis, key = "loss", faint = false) {
    return Object.entries(this.lanes).map(([name, lane]) => ({
      x: axis === "steps" ? this.steps : lane.seconds,
      y: lane[key],
      name: faint ? `${name}, run ${this.number}` : name,
      colour: laneColour(this.cell(name)),
      dash: faint ? "dot" : this.cell(name).endsWith("2") ? "dash" : "solid",
      faint,
    }));
  }

  describe(axis, index) {
    const ticks = this.ticks(axis);
    if (!ticks.length) return "";
    if (axis === "seconds") return `${clock(ticks[index])} of ${clock(ticks.at(-1))}`;
    return `step ${ticks[index]} of ${this.end ? ticks.at(-1) : Math.max(this.limit, ticks.at(-1))}`;
  }
}

/** A table's lanes, {cell, optimiser, settings} each, by the place of the view that they have. */
export function byCell(table) {
  return Object.fromEntries(Object.values(table).map((lane) => [lane.cell, lane]));
}

/** The CSS variable of the colour of a lane's cell: "X", "Z", or with a column, "X2". */
export function laneColour(cell) {
  return `--${cell.toLowerCase().replace("1", "")}`;
}

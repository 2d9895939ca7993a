/** One set of completions as the browser keeps it: losses of every step, and sheets of K pictures for those shown. */
import { Columns } from "../views/columns.js";

export class CompletionRun extends Columns {
  constructor(begin) {
    super(begin, ["loss", "seconds"]);
    Object.assign(this, { k: begin.k, side: begin.side, target: begin.target, mask: begin.mask, start: begin.start, begin });
    for (const lane of Object.values(this.lanes)) Object.assign(lane, { mean: [], sheets: new Map() });
    this.discarded = new Set();
  }

  add(frames) {
    for (const [name, columns] of Object.entries(frames.lanes)) this.lanes[name].mean.push(...columns.loss.map(mean));
    return super.add(frames);
  }

  picture(frames) {
    for (const [name, columns] of Object.entries(frames.lanes)) {
      const { sheets } = this.lanes[name];
      columns.sheet?.forEach((sheet, i) => {
        if (sheet && !sheets.has(frames.steps[i])) sheets.set(frames.steps[i], blob(sheet, "webp"));
      });
    }
  }

  finish(end) {
    super.finish(end);
    for (const [name, lane] of Object.entries(end.lanes)) this.lanes[name].sheets.set(end.step, blob(lane.sheet, "png"));
  }

  /** The latest sheet at or before a step. */
  sheet(name, step) {
    let found = -1;
    for (const at of this.lanes[name].sheets.keys()) if (at <= step && at > found) found = at;
    return this.lanes[name].sheets.get(found);
  }

  /** Indices of a lane's completions: by the last loss known, or as they were started; without those discarded. */
  order(name, closest) {
    const losses = this.lanes[name].loss.at(-1) ?? [];
    const all = [...Array(this.k).keys()].filter((i) => !this.discarded.has(`${name}${i}`));
    return closest ? all.sort((a, b) => (losses[a] ?? Infinity) - (losses[b] ?? Infinity)) : all;
  }
}

function mean(losses) {
  const finite = losses.filter((loss) => loss !== null);
  return finite.length ? finite.reduce((sum, loss) => sum + loss, 0) / finite.length : null;
}

function blob(text, kind) {
  return new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: `image/${kind}` });
}

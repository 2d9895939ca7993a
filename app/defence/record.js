/** One defence as the browser keeps it: the attack, then curves, answers and pictures of both lanes by step. */
import { Columns } from "../views/columns.js";
import { Pictures, decode } from "../views/frames.js";

const KEYS = ["loss", "seconds", "margin", "probabilities", "factor", "l2", "linf"];

export class DefenceRecord extends Columns {
  constructor(begin) {
    super(begin, KEYS);
    Object.assign(this, { classes: begin.classes, truth: begin.truth, label: begin.label, clean: begin.clean, begin });
    this.attacked = null;
    this.pictures = {};
    this.added = {};
    for (const name of begin.lanes) {
      this.pictures[name] = new Pictures();
      this.added[name] = new Pictures();
    }
    this.ready = decode(begin.clean.png).then((bitmap) => { this.cleanBitmap = bitmap; });
  }

  /** Take the attack's result. */
  async meet(message) {
    const [bitmap, added] = await Promise.all([decode(message.png), decode(message.added.png)]);
    this.attacked = { ...message, bitmap, added: { ...message.added, bitmap: added } };
  }

  async picture(frames) {
    const decoding = Object.entries(frames.lanes).flatMap(([name, columns]) => (columns.png ?? []).flatMap((png, i) => [
      this.pictures[name].add(frames.steps[i], png), this.added[name].add(frames.steps[i], columns.added[i]),
    ]));
    await Promise.all(decoding);
  }

  /** A lane where it stands at a step: {bitmap, answer, added}, or null before its first evaluation. */
  look(name, step) {
    const at = this.place(name, "steps", step);
    if (at < 0) return null;
    const lane = this.lanes[name];
    return {
      at,
      bitmap: this.pictures[name].at(step)?.bitmap,
      answer: { probabilities: lane.probabilities[at], margin: lane.margin[at] },
      added: { bitmap: this.added[name].at(step)?.bitmap, factor: lane.factor[at], l2: lane.l2[at], linf: lane.linf[at], words: "defence" },
    };
  }
}

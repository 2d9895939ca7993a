/** One run as the browser keeps it: curves, pictures, and how it ended. */
import { Pictures, decode } from "./frames.js";

export class RunRecord {
  constructor(begin) {
    this.id = begin.run;
    this.number = begin.number;
    this.label = begin.label;
    this.settings = begin.settings;
    this.limit = begin.limit;
    this.every = begin.every;
    this.encoder = begin.encoder ?? null;
    this.targetKey = begin.target;
    this.steps = [];
    this.lanes = {};
    this.pictures = {};
    for (const name of begin.lanes) {
      this.lanes[name] = { loss: [], seconds: [], psnr: [] };
      this.pictures[name] = new Pictures();
    }
    this.end = null;
    this.visible = true;
    this.ready = this.#decodeStills(begin);
  }

  async #decodeStills(begin) {
    this.target = await decode(begin.target);
    this.guess = begin.encoder ? await decode(begin.encoder.png) : null;
  }

  get last() {
    return this.steps.length - 1;
  }

  get pictureCount() {
    return Object.values(this.pictures).reduce((sum, pictures) => sum + pictures.size, 0);
  }

  /** Take a batch of steps; resolves when its pictures can be drawn. */
  async add(frames) {
    this.end = null;
    this.steps.push(...frames.steps);
    const decoding = [];
    for (const [name, columns] of Object.entries(frames.lanes)) {
      for (const key of ["loss", "seconds", "psnr"]) this.lanes[name][key].push(...columns[key]);
      columns.png.forEach((png, i) => {
        if (png) decoding.push(this.pictures[name].add(frames.steps[i], png));
      });
    }
    await Promise.all(decoding);
  }

  /** Take the end: the best and last pictures are kept also where their steps were thinned out. */
  async finish(end) {
    this.end = end;
    const stills = Object.entries(end.lanes).flatMap(([name, { best, last }]) =>
      [best, last].map((still) => this.pictures[name].add(still.step, still.png)));
    await Promise.all(stills);
  }

  /** What the scrubber runs over: steps, or every moment (in seconds) at which a lane took one. */
  ticks(axis) {
    if (axis === "steps") return this.steps;
    const moments = Object.values(this.lanes).flatMap((lane) => lane.seconds);
    return [...new Set(moments)].sort((a, b) => a - b);
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

  /** Settings in which this run differs from another, in words. */
  differences(other) {
    const theirs = new Map(other.settings);
    const changes = this.settings.filter(([what, value]) => theirs.get(what) !== value).map(([what, value]) => `${what} ${value}`);
    return this.targetKey === other.targetKey ? changes : ["another target", ...changes];
  }

  /** Let the pictures go; the curves stay. */
  forgetPictures() {
    for (const pictures of Object.values(this.pictures)) pictures.clear();
  }
}

/** One run on a picture as the browser keeps it: curves, pictures, and how it ended. */
import { Columns } from "./columns.js";
import { Pictures, decode } from "./frames.js";

export class RunRecord extends Columns {
  constructor(begin) {
    super(begin, ["loss", "seconds", "psnr"]);
    this.settings = begin.settings;
    this.every = begin.every;
    this.start = begin.start ?? "";
    this.credit = begin.credit ?? "";
    this.encoder = begin.encoder ?? null;
    this.targetKey = begin.target;
    this.pictures = Object.fromEntries(begin.lanes.map((name) => [name, new Pictures()]));
    this.visible = true;
    this.ready = this.#decodeStills(begin);
  }

  async #decodeStills(begin) {
    this.target = await decode(begin.target);
    this.guess = begin.encoder ? await decode(begin.encoder.png) : null;
  }

  get pictureCount() {
    return Object.values(this.pictures).reduce((sum, pictures) => sum + pictures.size, 0);
  }

  /** Take a batch of steps; resolves when its pictures can be drawn. */
  async add(frames) {
    super.add(frames);
    const decoding = Object.entries(frames.lanes).flatMap(([name, columns]) =>
      columns.png.map((png, i) => (png ? this.pictures[name].add(frames.steps[i], png) : null)));
    await Promise.all(decoding);
  }

  /** Take the end: the best and last pictures are kept also where their steps were thinned out. */
  async finish(end) {
    this.end = end;
    const stills = Object.entries(end.lanes).flatMap(([name, { best, last }]) =>
      [best, last].map((still) => this.pictures[name].add(still.step, still.png)));
    await Promise.all(stills);
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

/** One run on a picture as the browser keeps it: curves, pictures, and how it ended. */
import { Columns } from "./columns.js";
import { Pictures, decode } from "./frames.js";

export class RunRecord extends Columns {
  constructor(begin) {
    super(begin, ["loss", "seconds", "psnr"]);
    this.every = begin.every;
    this.start = begin.start ?? "";
    this.credit = begin.credit ?? "";
    this.encoder = begin.encoder ?? null;
    this.pictures = Object.fromEntries(begin.lanes.map((name) => [name, new Pictures()]));
    this.ready = this.#decodeStills(begin);
  }

  async #decodeStills(begin) {
    this.target = await decode(begin.target);
    this.guess = begin.encoder ? await decode(begin.encoder.png) : null;
  }

  get pictureCount() {
    return Object.values(this.pictures).reduce((sum, pictures) => sum + pictures.size, 0);
  }

  async picture(frames) {
    const decoding = Object.entries(frames.lanes).flatMap(([name, columns]) =>
      (columns.png ?? []).map((png, i) => (png ? this.pictures[name].add(frames.steps[i], png) : null)));
    await Promise.all(decoding);
  }

  /** Take the end: the best and last pictures are kept also where their steps were thinned out. */
  async finish(end) {
    super.finish(end);
    const stills = Object.entries(end.lanes).flatMap(([name, { best, last }]) =>
      [best, last].map((still) => this.pictures[name].add(still.step, still.png)));
    await Promise.all(stills);
  }

  /** Let the pictures go; the curves stay. */
  forgetPictures() {
    for (const pictures of Object.values(this.pictures)) pictures.clear();
  }
}

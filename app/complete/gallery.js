/** The gallery: K completions in X beside K in Z, streaming in together, scrubbed together, picked one by one. */
import { ran } from "../views/address.js";
import { Looks, paintBeside } from "../views/compare.js";
import { decode, paint } from "../views/frames.js";
import { FullScreen } from "../views/full.js";
import { showJudges } from "../views/judges.js";
import { CompletionRun } from "./record.js";
import { Tiles, visiblePart } from "./tiles.js";
import { RunView } from "../views/run_view.js";
import { number } from "../views/words.js";

const FIDELITY = "Mean loss of what is seen over all K, without the prior's term; lower is closer.";
const DIVERSITY = "Mean perceptual distance between two completions over all pairs of the K, behind a mask in the hidden part alone; higher is more varied.";
const BEGIN_HERE = "Choose what is observed, then press Run: as many random starts in X and in Z, by each of two optimisers, descend together on it.";

class Gallery extends RunView {
  constructor(view) {
    super(view, {
      status: "complete-status",
      kinds: {
        begin: (message) => this.#begin(message),
        frames: (message) => this.#frames(message),
        end: (message) => this.#end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.run = null;
    this.show = "whole";
    this.order = "closest";
    this.chosen = null;
    this.places = [...this.element.querySelectorAll("[data-cell]")].map((lane) => new Tiles(lane, (name, index) => this.#choose(name, index)));
    this.reference = null; // what the chosen completion is compared with: the whole picture where it is known, else what is seen
    const panel = this.find(".picked");
    this.looks = new Looks(panel.querySelector(".looks"), () => this.#drawPicked(this.timeline.index));
    this.looks.listen(panel.querySelector("[data-chosen]"), () => {});
    new FullScreen(panel, panel.querySelector("[data-full]"));
    this.controls.ready(); // disabled until now, so that no click is lost
    this.listen();
  }

  /** The places that the run has lanes in. */
  get tiles() {
    return this.places.filter((tiles) => tiles.name);
  }

  get count() {
    return this.run?.number ?? 0;
  }

  async #begin(message) {
    this.run = new CompletionRun(message);
    ran("complete", message.run);
    this.chosen = null;
    this.visible = null;
    this.timeline.setTicks([]);
    for (const tiles of this.places) tiles.take(this.run);
    this.find(".lanes").classList.toggle("one", new Set(this.tiles.map((tiles) => tiles.cell[1])).size === 1);
    showJudges(this.find(".judges"), null);
    this.become("running");
    const { run } = this;
    this.find("[data-show=pasted]").disabled = !message.mask;
    if (!message.mask && this.show === "pasted") this.#set("show", "whole");
    const part = message.mask ? await visiblePart(await decode(message.target), message.mask) : null;
    if (run === this.run) this.visible = part;
    this.#seen(message);
    this.#lay();
  }

  /** What the search was told, and the whole picture where it is known. */
  async #seen({ observed, truth, loss, side }) {
    this.find(".seen").hidden = false;
    this.find(".seen [data-loss]").textContent = loss;
    for (const [name, picture] of Object.entries({ observed, truth })) {
      const canvas = this.find(`[data-seen=${name}]`);
      canvas.closest("figure").hidden = !picture;
      if (!picture) continue;
      Object.assign(canvas, { width: side, height: side });
      const bitmap = await decode(picture);
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      this.reference = { bitmap, words: name === "truth" ? "The whole picture" : "What is seen" };
    }
  }

  #frames(message) {
    if (message.run !== this.run?.id) return;
    this.run.add(message);
    if (this.controls.state === "stopping") return; // what is left of it is shown at the end, at once
    this.goesOn(this.run);
    this.#say();
    this.timeline.setTicks(this.run.steps);
    this.#curves();
  }

  #end(message) {
    if (message.run !== this.run?.id) return;
    this.run.finish(message);
    this.controls.offer(message.more);
    this.become("rest");
    this.#tell();
    this.#lay();
  }

  /** How the run that stands came out. */
  #tell() {
    const { end } = this.run;
    this.say(end.verdict, [end.disagreement, this.run.start, end.reason, end.replay].filter(Boolean).join(" "));
    showJudges(this.find(".judges"), end.judges);
  }

  cancelled() {
    this.rest();
    if (this.run?.end) this.#tell();
    else this.say(BEGIN_HERE);
  }

  #click({ show, order, pick, back, save }) {
    if (save !== undefined) this.#save();
    if (show || order) this.#set(show ? "show" : "order", show ?? order);
    if (pick) this.#picked(pick);
    if (back !== undefined) {
      this.run.discarded.clear();
      this.#lay();
    }
  }

  #set(key, to) {
    this[key] = to;
    this.press(key, to);
    this.#lay();
  }

  #choose(name, index) {
    const same = this.chosen?.name === name && this.chosen.index === index;
    this.chosen = same ? null : { name, index };
    if (this.chosen) this.trigger("pick", { index });
    this.#lay();
    if (this.chosen) this.#drawPicked(this.timeline.index).scrollIntoView({ block: "nearest" });
  }

  #picked(act) {
    const { name, index } = this.chosen;
    const step = this.timeline.ticks[this.timeline.index];
    if (act === "send") this.trigger("send", { lane: name, index, step, pasted: this.show === "pasted" });
    if (act === "landscape") this.trigger("landscape", { index });
    if (act === "discard") this.run.discarded.add(`${name}${index}`);
    if (act === "discard" || act === "close") this.chosen = null;
    this.#lay();
  }

  /** Lay the tiles out anew and draw them. While a run is going they stay as started, so that none jumps about. */
  #lay() {
    const { run } = this;
    if (!run) return;
    for (const tiles of this.tiles) {
      tiles.lay(run.order(tiles.name, this.order === "closest" && run.end), this.chosen?.name === tiles.name ? this.chosen.index : null, run.side);
    }
    const back = this.find("[data-back]");
    back.hidden = !run.discarded.size;
    back.textContent = `Bring back ${run.discarded.size} discarded`;
    this.#say();
    this.timeline.setTicks(run.steps, this.timeline.atEnd ? undefined : this.timeline.index);
    this.#curves();
  }

  #say() {
    const { run } = this;
    for (const tiles of this.tiles) {
      const end = run.end?.lanes[tiles.name];
      tiles.say([["Loss of what is seen", run.steps.length ? number(end ? end.fidelity : run.lanes[tiles.name].mean.at(-1)) : "–", FIDELITY], ["Diversity", end ? number(end.diversity) : "–", DIVERSITY]]);
    }
  }

  /** Draw all tiles at the step the timeline stands on; a newer call overtakes one still decoding. */
  async #look() {
    const { run } = this;
    if (!run?.steps.length) return;
    const at = this.timeline.index;
    const step = run.steps[at];
    this.looking = (this.looking ?? 0) + 1;
    const { looking } = this;
    this.curves.cursor(step, run.at("steps", step, "mean"));
    const sheets = await Promise.all(this.tiles.map(({ name }) => createImageBitmap(run.sheet(name, step))));
    if (looking !== this.looking) return;
    this.tiles.forEach((tiles, i) => tiles.draw(sheets[i], run.lanes[tiles.name].loss[at], this.show === "pasted" ? this.visible : null));
    this.element.dataset.step = step;
    this.#drawPicked(at);
  }

  #drawPicked(at) {
    const panel = this.find(".picked");
    panel.hidden = !this.chosen;
    if (!this.chosen) return panel;
    const { name, index } = this.chosen;
    const [reference, chosen] = ["reference", "chosen"].map((which) => panel.querySelector(`[data-${which}]`));
    const picture = this.tiles.find((tiles) => tiles.name === name).picture(index, this.run.side);
    paint(reference, this.reference?.bitmap, this.looks.smooth);
    paintBeside(chosen, picture, this.reference?.bitmap, this.looks);
    reference.nextElementSibling.textContent = this.reference?.words ?? "";
    const loss = number(this.run.lanes[name].loss[at][index]);
    chosen.nextElementSibling.textContent = `Completion ${index + 1} in ${name} at step ${this.run.steps[at]}: loss ${loss}.`;
    panel.querySelector("[data-pick=send]").disabled = this.controls.busy;
    return panel;
  }

  #curves() {
    this.curves.draw(this.run.curves("steps", "mean"), "step");
  }

  /** All completions as they are shown, X above Z, as one PNG. */
  #save() {
    const rows = this.tiles.map((tiles) => [...tiles.list.querySelectorAll("canvas")]);
    const { side } = this.run;
    const sheet = new OffscreenCanvas(side * Math.max(1, ...rows.map((row) => row.length)), side * rows.length);
    const context = sheet.getContext("2d");
    rows.forEach((row, y) => row.forEach((canvas, x) => context.drawImage(canvas, side * x, side * y)));
    sheet.convertToBlob().then((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `completions-${this.run.number}.png` });
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
}

export function mount(view) {
  return new Gallery(view);
}

/** The gallery: K completions in X beside K in Z, streaming in together, scrubbed together, picked one by one. */
import { byCell } from "../views/columns.js";
import { Looks, paintBeside } from "../views/compare.js";
import { decode, paint } from "../views/frames.js";
import { FullScreen } from "../views/full.js";
import { CompletionRun } from "./record.js";
import { Tiles, visiblePart } from "./tiles.js";
import { RunsView } from "../views/runs_view.js";
import { number } from "../views/words.js";

const FIDELITY = "Mean loss of what is seen over all K, without the prior's term; lower is closer.";
const DIVERSITY = "Mean perceptual distance between two completions over all pairs of the K, behind a mask in the hidden part alone; higher is more varied.";
const BEGIN_HERE = "Choose what is observed, then press Run: from several random starts, in X and in Z, whole pictures are searched for that fit it.";

class Gallery extends RunsView {
  constructor(view) {
    super(view, {
      tab: "complete",
      beginHere: BEGIN_HERE,
      status: "complete-status",
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.run = null;
    this.how = { show: "whole", order: "closest" };
    this.chosen = null;
    this.places = [...this.element.querySelectorAll("[data-cell]")].map((lane) => new Tiles(lane, (name, index) => this.#choose(name, index)));
    this.reference = null; // what the chosen completion is compared with: the whole picture where it is known, else what is seen
    const panel = this.find(".picked");
    this.looks = new Looks(panel.querySelector(".looks"), () => this.#drawPicked(this.timeline.index));
    this.looks.listen(panel.querySelector("[data-chosen]"), () => {});
    new FullScreen(panel, panel.querySelector("[data-full]"));
    this.sayEnd();
    this.controls.ready(); // disabled until now, so that no click is lost
    this.listen();
  }

  /** The places that the run has lanes in. */
  get tiles() {
    return this.places.filter((tiles) => tiles.name);
  }

  record(begin) {
    return new CompletionRun(begin);
  }

  planned() {
    const lanes = byCell(this.plan);
    for (const tiles of this.places) tiles.head(lanes[tiles.cell]);
    this.#columns(this.places.filter((tiles) => tiles.cell in lanes));
  }

  /** One column takes the whole width where there are lanes in no other. */
  #columns(places) {
    this.find(".lanes").classList.toggle("one", new Set(places.map((tiles) => tiles.cell[1])).size === 1);
  }

  async show(run, index) {
    const { begin } = run;
    if (run !== this.run) Object.assign(this, { run, chosen: null, visible: null });
    this.timeline.setTicks([]);
    for (const tiles of this.places) tiles.take(run);
    this.#columns(this.tiles);
    this.sayEnd();
    this.find("[data-show=pasted]").disabled = !run.mask;
    if (!run.mask && this.how.show === "pasted") this.#set("show", "whole");
    const part = run.mask ? await visiblePart(await decode(run.target), run.mask) : null;
    if (run !== this.run) return;
    this.visible = part;
    this.#seen(begin);
    this.#lay();
    this.timeline.moveTo(index ?? run.steps.length - 1);
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

  draw() {
    if (this.run) this.#say();
    this.timeline.setTicks(this.run?.steps ?? []);
    this.#curves();
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
    this.how[key] = to;
    this.press(key, to);
    this.#lay();
  }

  #choose(name, index) {
    if (!this.run.steps.length) return; // nothing is drawn yet
    const same = this.chosen?.name === name && this.chosen.index === index;
    this.chosen = same ? null : { name, index };
    if (this.chosen) this.trigger("pick", { index });
    this.#lay();
    if (this.chosen) this.#drawPicked(this.timeline.index).scrollIntoView({ block: "nearest" });
  }

  #picked(act) {
    const { name, index } = this.chosen;
    const step = this.timeline.ticks[this.timeline.index];
    if (act === "send") this.trigger("send", { lane: name, index, step, pasted: this.how.show === "pasted" });
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
      tiles.lay(run.order(tiles.name, this.how.order === "closest" && run.end), this.chosen?.name === tiles.name ? this.chosen.index : null, run.side);
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
    const known = this.tiles.map(({ name }) => run.sheet(name, step)); // none while they are read from the browser's memory
    const sheets = await Promise.all(known.map((sheet) => sheet && createImageBitmap(sheet)));
    if (looking !== this.looking) return;
    this.tiles.forEach((tiles, i) => tiles.draw(sheets[i], run.lanes[tiles.name].loss[at], this.how.show === "pasted" ? this.visible : null));
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
    const past = this.run !== this.standing; // the server has the run that stands alone
    panel.querySelector("[data-pick=send]").disabled = this.controls.busy || past;
    panel.querySelector("[data-pick=landscape]").disabled = past;
    return panel;
  }

  #curves() {
    this.listed();
    this.curves.draw(this.compared("steps", "mean"), "step");
  }

  /** All completions as they are shown, each lane under its name and each tile with its number and loss, as one PNG. */
  #save() {
    const { side } = this.run;
    const [line, margin] = [18, 8];
    const rows = this.tiles.map((tiles) => [tiles.name, [...tiles.list.querySelectorAll("button")]]);
    const [cell, height] = [side + margin, side + 2 * line + margin];
    const sheet = new OffscreenCanvas(cell * Math.max(1, ...rows.map(([, row]) => row.length)) + margin, height * rows.length + margin);
    const context = sheet.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.font = "13px system-ui, sans-serif";
    rows.forEach(([name, row], y) => {
      const top = y * height + margin;
      context.fillStyle = "#111";
      context.fillText(`${name}, step ${this.element.dataset.step}`, margin, top + line - 5);
      row.forEach((button, x) => {
        const left = x * cell + margin;
        context.fillStyle = "#555";
        context.fillText(`${Number(button.dataset.index) + 1}: ${button.querySelector("span").textContent}`, left, top + 2 * line - 5);
        context.drawImage(button.querySelector("canvas"), left, top + 2 * line);
      });
    });
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

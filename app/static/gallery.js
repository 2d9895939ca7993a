/** The gallery: K completions in X beside K in Z, streaming in together, scrubbed together, picked one by one. */
import { Controls } from "./controls.js";
import { LossCurves } from "./curves.js";
import { decode } from "./frames.js";
import { CompletionRun } from "./gallery_run.js";
import { Tiles, visiblePart } from "./gallery_tiles.js";
import { Inbox } from "./stream.js";
import { Timeline } from "./timeline.js";
import { number } from "./words.js";

const FIDELITY = "Mean loss in the visible part over all K; lower is closer.";
const DIVERSITY = "Mean perceptual distance between two completions in the hidden part, over all pairs of the K; higher is more varied.";

class Gallery {
  constructor({ element, trigger, server, watch, value }) {
    this.element = element;
    this.trigger = trigger;
    this.run = null;
    this.show = "whole";
    this.order = "closest";
    this.chosen = null;
    this.controls = new Controls(element, (act) => this.#act(act));
    this.tiles = [...element.querySelectorAll("[data-lane]")].map((lane) => new Tiles(lane, (name, index) => this.#choose(name, index)));
    this.timeline = new Timeline(this.find("[data-timeline]"), { onMove: () => this.#look(), describe: (index) => this.#describe(index) });
    this.curves = new LossCurves(this.find("[data-chart]"), { onPick: (x) => this.timeline.moveToValue(x) });
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#deliver(message));
    element.addEventListener("click", (event) => this.#click(event));
    this.timeline.setTicks([]);
    watch("value", () => this.inbox.receive(value()));
    this.inbox.receive(value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  #deliver(message) {
    const kinds = { begin: () => this.#begin(message), frames: () => this.#frames(message), end: () => this.#end(message), error: () => this.#error(message.text) };
    return kinds[message.kind]?.();
  }

  async #begin(message) {
    this.run = new CompletionRun(message);
    this.chosen = null;
    this.visible = null;
    this.timeline.setTicks([]);
    this.#become("running");
    const { run } = this;
    const part = await visiblePart(await decode(message.target), message.mask);
    if (run === this.run) this.visible = part;
    this.#lay();
  }

  #frames(message) {
    if (message.run !== this.run?.id) return;
    this.run.add(message);
    if (this.controls.state !== "stopping") this.#become("running");
    this.#say();
    this.timeline.setTicks(this.run.steps);
    this.#curves();
  }

  #end(message) {
    if (message.run !== this.run?.id) return;
    this.run.finish(message);
    this.#become("rest");
    this.#words([message.reason, message.verdict].filter(Boolean).join(" "));
    this.#lay();
  }

  #error(text) {
    this.#become(this.run ? "rest" : "idle");
    this.controls.notice(text);
    this.#words("");
  }

  #become(state) {
    if (state === this.controls.state) return;
    this.controls.become(state, this.run ? 1 : 0);
    this.find("[data-act=export]").textContent = "Save sheet";
    if (state === "waiting") this.#words("Waiting for a free processor…");
    if (state === "running") this.#words("Running…");
  }

  #words(text) {
    this.find(".summary").textContent = text;
  }

  #act(act) {
    if (act === "export") {
      this.#save();
      return;
    }
    this.trigger(act);
    if (act === "run") this.#become("waiting");
    if (act === "stop") this.#become("stopping");
    if (act === "cancel") this.#become(this.run ? "rest" : "idle");
  }

  #click(event) {
    const { show, order, pick, back } = event.target.closest("button")?.dataset ?? {};
    if (show || order) this.#set(show ? "show" : "order", show ?? order);
    if (pick) this.#picked(pick);
    if (back !== undefined) {
      this.run.discarded.clear();
      this.#lay();
    }
  }

  #set(key, to) {
    this[key] = to;
    for (const button of this.element.querySelectorAll(`[data-${key}]`)) {
      button.setAttribute("aria-pressed", String(button.dataset[key] === to));
    }
    this.#lay();
  }

  #choose(name, index) {
    const same = this.chosen?.name === name && this.chosen.index === index;
    this.chosen = same ? null : { name, index };
    this.#lay();
  }

  #picked(act) {
    const { name, index } = this.chosen;
    const step = this.timeline.ticks[this.timeline.index];
    if (act === "send") this.trigger("send", { lane: name, index, step, pasted: this.show === "pasted" });
    if (act === "discard") this.run.discarded.add(`${name}${index}`);
    if (act !== "send") this.chosen = null;
    this.#lay();
  }

  /** Lay the tiles out anew and draw them. While a run is going they stay as started, so that none jumps about. */
  #lay() {
    const { run } = this;
    if (!run) return;
    for (const tiles of this.tiles) {
      tiles.lay(run.order(tiles.name, this.order === "closest" && run.end), this.chosen?.name === tiles.name ? this.chosen.index : null);
    }
    const back = this.find("[data-back]");
    back.hidden = !run.discarded.size;
    back.textContent = `Bring back ${run.discarded.size} discarded`;
    this.#say();
    this.timeline.setTicks(run.steps, this.timeline.index);
    this.#curves();
  }

  #say() {
    const { run } = this;
    for (const tiles of this.tiles) {
      const end = run.end?.lanes[tiles.name];
      tiles.say([["Visible loss", run.steps.length ? number(end ? end.fidelity : run.lanes[tiles.name].mean.at(-1)) : "–", FIDELITY], ["Diversity", end ? number(end.diversity) : "–", DIVERSITY]]);
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
    this.curves.cursor(step, this.tiles.map(({ name }) => ({ y: run.lanes[name].mean[at], colour: `--${name.toLowerCase()}` })));
    const sheets = await Promise.all(this.tiles.map(({ name }) => createImageBitmap(run.sheet(name, step))));
    if (looking !== this.looking) return;
    this.tiles.forEach((tiles, i) => tiles.draw(sheets[i], run.lanes[tiles.name].loss[at], this.show === "pasted" ? this.visible : null));
    this.element.dataset.step = step;
    this.#drawPicked(at);
  }

  #drawPicked(at) {
    const panel = this.find(".picked");
    panel.hidden = !this.chosen;
    if (!this.chosen) return;
    const { name, index } = this.chosen;
    this.tiles.find((tiles) => tiles.name === name).paint(panel.querySelector("canvas"), index);
    const loss = number(this.run.lanes[name].loss[at][index]);
    panel.querySelector("p").textContent = `Completion ${index + 1} in ${name} at step ${this.run.steps[at]}: visible loss ${loss}.`;
    panel.querySelector("[data-pick=send]").disabled = this.controls.busy;
  }

  #describe(index) {
    return this.run ? `step ${this.run.steps[index]} of ${this.run.end ? this.run.steps.at(-1) : this.run.limit}` : "";
  }

  #curves() {
    const { run } = this;
    const curves = Object.entries(run.lanes).map(([name, lane]) => ({ x: run.steps, y: lane.mean, name, colour: `--${name.toLowerCase()}`, dash: "solid" }));
    this.curves.draw(curves, "step");
  }

  /** All completions as they are shown, X above Z, as one PNG. */
  #save() {
    const rows = this.tiles.map((tiles) => [...tiles.list.querySelectorAll("canvas")]);
    const sheet = new OffscreenCanvas(64 * Math.max(1, ...rows.map((row) => row.length)), 64 * rows.length);
    const context = sheet.getContext("2d");
    rows.forEach((row, y) => row.forEach((canvas, x) => context.drawImage(canvas, 64 * x, 64 * y)));
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

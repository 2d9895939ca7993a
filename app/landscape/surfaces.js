/** The landscape view: a race, then its loss surfaces as they are refined, one step slider for all of it. */
import { Controls } from "../views/controls.js";
import { LossCurves } from "../views/curves.js";
import { decode } from "../views/frames.js";
import { RunRecord } from "../views/race_record.js";
import { Stage } from "../views/stage.js";
import { Inbox } from "../views/inbox.js";
import { fillAverages } from "./averages.js";
import { fillTable } from "./numbers.js";
import { SurfacePlot } from "./plot.js";
import { Timeline } from "../views/timeline.js";
import { number } from "../views/words.js";

class Surfaces {
  constructor({ element, trigger, server, watch, value }) {
    this.element = element;
    this.trigger = trigger;
    this.stage = new Stage(this.find(".stage"));
    this.controls = new Controls(element, (act) => this.#act(act));
    this.plot = new SurfacePlot(this.find("[data-plot]"), { onHover: (panel, x, y) => this.#hover(panel, x, y), onLeave: () => {} });
    this.timeline = new Timeline(this.find("[data-timeline]"), { onMove: (index) => this.#look(index), describe: (index) => this.#describe(index) });
    this.curves = new LossCurves(this.find("[data-chart]"), { onPick: (x) => this.timeline.moveToValue(x) });
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#deliver(message));
    element.addEventListener("click", (event) => this.#click(event));
    this.timeline.setTicks([]);
    this.#pressed("mode", this.plot.mode);
    if (!this.plot.gl) this.#without();
    watch("value", () => this.inbox.receive(value()));
    this.inbox.receive(value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  #deliver(message) {
    this.controls.ready(); // the first one tells that the form is filled in; until then a click would be lost
    const kinds = {
      target: () => this.#target(message),
      begin: () => this.#begin(message),
      frames: () => this.#frames(message),
      end: () => this.#raced(message),
      wait: () => this.#wait(message),
      surfaces: () => this.#surfaces(message),
      averages: () => this.#averages(message),
      measuring: () => this.#measuring(message),
      progress: () => this.#progress(message),
      drawn: () => this.#drawn(message),
      exported: () => this.#become("rest"),
      error: () => this.#error(message.text),
    };
    return kinds[message.kind]?.();
  }

  async #target(message) {
    if (this.controls.busy || this.run) return;
    this.stage.showTarget(await decode(message.target), message.label);
  }

  async #begin(message) {
    this.run = new RunRecord(message);
    await this.run.ready;
    this.panels = null;
    this.stage.clear();
    this.stage.name(this.run);
    this.stage.showTarget(this.run.target, this.run.label, this.run.encoder, this.run.guess);
    this.timeline.setTicks([]);
    this.#become("running");
    this.#words("Taking steps…");
  }

  async #frames(message) {
    if (message.run !== this.run?.id) return;
    await this.run.add(message);
    this.timeline.setTicks(this.run.steps);
  }

  async #raced(message) {
    if (message.run !== this.run?.id) return;
    await this.run.finish(message);
    this.#words("Drawing the loss around both paths…", message.summary);
    this.timeline.setTicks(this.run.steps, this.timeline.index);
  }

  #wait({ text }) {
    this.#going();
    this.#words(text);
  }

  /** The server has begun: from now on Stop stops it. */
  #going() {
    if (this.controls.state === "waiting") this.#become("running");
  }

  #averages({ entries }) {
    this.known = entries;
    fillAverages(this.find("[data-averages]"), entries, null);
  }

  #measuring({ done, total, entry }) {
    this.#going();
    this.#bar(done / total);
    fillAverages(this.find("[data-averages]"), this.known, entry);
    if (this.controls.state === "running") this.#words(`Measuring random samples: ${done} of ${total}…`, null);
  }

  #surfaces({ panels, range, steps, note }) {
    this.panels = panels;
    this.steps = steps;
    this.thumbnails = panels.map((panel) => panel.thumbnails && createImageBitmap(webp(panel.thumbnails.sheet)));
    this.plot.set({ panels, range, at: this.#point() });
    fillTable(this.find(".numbers table"), panels);
    this.find(".numbers .insight").textContent = note;
    this.find(".told").hidden = false;
    this.find(".hover").hidden = false;
    this.#drawCurves();
  }

  #progress({ done, total }) {
    this.#bar(done / total);
    if (this.controls.state === "running") this.#words(`Drawing the loss around both paths: ${done} of ${total} points…`, null);
  }

  #bar(share) {
    const bar = this.find("progress");
    bar.hidden = false;
    bar.value = share;
  }

  #drawn(message) {
    this.find("progress").hidden = true;
    this.#become("rest");
    this.#words(this.run.end?.summary ?? "", message.reason);
  }

  #error(text) {
    this.find("progress").hidden = true;
    this.#become(this.run ? "rest" : "idle");
    this.controls.notice(text);
    this.#words("");
  }

  #become(state) {
    if (state !== this.controls.state) this.controls.become(state, this.run ? this.run.number : 0);
    this.find(".exports").hidden = state !== "rest" || !this.panels;
    if (state === "waiting") this.#words("Waiting for a free processor…");
  }

  /** `aside` stays as it is where it is null. */
  #words(text, aside = "") {
    this.find(".summary").textContent = text;
    if (aside !== null) this.find(".aside").textContent = aside;
  }

  #act(act) {
    if (act === "measure") this.trigger("measure", { n: Number(this.find("[data-samples]").value) });
    else if (act !== "export") this.trigger(act);
    if (["run", "measure"].includes(act)) this.#become("waiting");
    if (act === "stop") this.#become("stopping");
    if (act === "cancel") this.#become(this.run ? "rest" : "idle");
  }

  #click(event) {
    const { mode, scale, save, best } = event.target.closest("button")?.dataset ?? {};
    if (mode) this.#set("mode", mode, { mode });
    if (scale) this.#set("scale", scale, { log: scale === "log" });
    if (save) this.trigger("export", { what: save, log: this.plot.log });
    if (best) this.timeline.moveToValue(this.run.end.lanes[best].best.step);
  }

  #set(key, to, changes) {
    this.#pressed(key, to);
    this.plot.set(changes);
    this.#drawCurves();
  }

  #pressed(key, to) {
    for (const button of this.element.querySelectorAll(`[data-${key}]`)) button.setAttribute("aria-pressed", String(button.dataset[key] === to));
  }

  #without() {
    const button = this.find("[data-mode=surface]");
    button.disabled = true;
    button.title = "This browser has no WebGL, which surfaces are drawn with; contours show the same losses.";
  }

  /** The point of the paths nearest to the step shown: long runs are thinned out. */
  #point() {
    const step = this.run?.steps[this.timeline.index] ?? 0;
    const after = this.steps.findIndex((each) => each >= step);
    return after < 0 ? this.steps.length - 1 : after;
  }

  #look(index) {
    const { run } = this;
    if (!run?.steps.length) return;
    this.stage.look(run, "steps", run.steps[index]);
    if (!this.panels) return;
    this.plot.mark(this.#point());
    this.#cursor();
  }

  #cursor() {
    const at = this.#point();
    const points = this.#paths().map(([name, path]) => ({ y: path.true_loss[at], colour: `--${name.toLowerCase()}` }));
    this.curves.cursor(this.steps[at], points);
  }

  #paths() {
    return this.panels.flatMap((panel) => Object.entries(panel.paths));
  }

  #drawCurves() {
    if (!this.panels) return;
    const curves = this.#paths().flatMap(([name, path]) => [
      { x: this.steps, y: path.plane_loss, name: `${name}, on the plane`, colour: `--${name.toLowerCase()}`, dash: "dot", faint: true },
      { x: this.steps, y: path.true_loss, name, colour: `--${name.toLowerCase()}`, dash: "solid" },
    ]);
    this.curves.draw(curves, "step");
    this.#cursor();
  }

  #describe(index) {
    return this.run ? `step ${this.run.steps[index]} of ${this.run.end ? this.run.steps.at(-1) : this.run.limit}` : "";
  }

  async #hover(index, x, y) {
    const panel = this.panels[index];
    const [i, j] = [nearest(panel.ticks[0], x), nearest(panel.ticks[1], y)];
    const hover = this.find(".hover");
    hover.querySelector("span").textContent = `${panel.title.split(" ")[0].replace(",", "")} at (${number(panel.ticks[0][i])}, ${number(panel.ticks[1][j])}): loss ${number(panel.losses[i][j])}, and how it looks there.`;
    const sheet = await this.thumbnails[index];
    if (!sheet) return;
    const { side } = panel.thumbnails;
    hover.querySelector("canvas").getContext("2d").drawImage(sheet, j * side, i * side, side, side, 0, 0, 24, 24);
  }
}

function nearest(ticks, value) {
  return ticks.reduce((best, tick, i) => (Math.abs(tick - value) < Math.abs(ticks[best] - value) ? i : best), 0);
}

function webp(text) {
  return new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/webp" });
}

export function mount(view) {
  return new Surfaces(view);
}

/**
 * The landscape view: a race, then its loss surfaces as they are refined, one step slider for all of it. What is shown is of one
 * run alone: where another is asked for, it goes, and a run that stands is drawn at once.
 */
import { fillAverages } from "./averages.js";
import { CutPlot } from "./cut.js";
import { Hover } from "./hover.js";
import { fillTable } from "./numbers.js";
import { PathCurves } from "./paths.js";
import { SurfacePlot } from "./plot.js";
import { decode } from "../views/frames.js";
import { RunRecord } from "../views/race_record.js";
import { RunView } from "../views/run_view.js";
import { Stage } from "../views/stage.js";

const EARLIER = "What is drawn is of earlier settings; Run draws it with those of the form.";
const BEGIN_HERE = "Press Run: both searches take their steps, then the loss around them is drawn.";
const DRAWING = "Drawing the loss around both paths…";
const SETTLED = 120; // ms: the form takes what came with the same message

class Surfaces extends RunView {
  constructor(view) {
    super(view, {
      status: "landscape-status",
      kinds: {
        target: (message) => this.#target(message),
        nothing: ({ text }) => this.#nothing(text),
        asked: (message) => this.#asked(message),
        cut: (message) => this.#cut(message),
        begin: (message) => this.#begin(message),
        frames: (message) => this.#frames(message),
        end: (message) => this.#raced(message),
        wait: (message) => this.#wait(message),
        surfaces: (message) => this.#surfaces(message),
        averages: (message) => this.#averages(message),
        measuring: (message) => this.#measuring(message),
        progress: (message) => this.#progress(message),
        drawn: (message) => this.#drawn(message),
        exported: () => this.rest(),
        error: (message) => this.failed(message.text),
      },
      onMove: (index) => this.#look(index),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.run = null;
    this.key = null; // of the run that is drawn, or about to be
    this.plan = null; // what is drawn of it and how, or about to be
    this.again = false; // whether to draw anew once what goes on is over
    this.wanted = null; // the message of another one, while something still goes on
    this.stage = new Stage(this.find(".viewer"));
    this.plot = new SurfacePlot(this.find("[data-plot]"), { onHover: (panel, x, y) => this.hover.show(panel, x, y), onFlat: (why) => this.#flat(why) });
    this.line = new CutPlot(this.find("[data-cut]"));
    this.paths = new PathCurves(this.curves);
    this.hover = new Hover(this.find(".hover"));
    this.press("mode", this.plot.mode);
    this.#words(BEGIN_HERE);
    if (!this.plot.gl) this.#flat("This browser has no WebGL, which surfaces are drawn with; contours show the same losses.");
    this.listen();
  }

  get count() {
    return this.run?.number ?? 0;
  }

  async #target(message) {
    this.controls.ready(); // this tells that the form is filled in; until then a click would be lost
    if (message.of === this.key) return;
    if (this.controls.busy) {
      this.wanted = message;
      this.act(this.controls.state === "waiting" ? "cancel" : "stop");
      return;
    }
    this.#clear();
    this.stage.showTarget(await decode(message.target), message.label);
    if (!message.draw) return;
    this.key = message.of;
    setTimeout(() => {
      if (this.key === message.of && !this.controls.busy) this.act("run");
    }, SETTLED);
  }

  /** The form asks for something else than is drawn: a choice is drawn at once; of all else it is said. */
  #asked({ plan, redraw, text }) {
    if (text) this.controls.notice(text);
    if (text || !this.run) return;
    const other = plan !== this.plan;
    if (!other || !redraw) {
      this.controls.notice(other && !this.controls.busy ? EARLIER : null);
      return;
    }
    this.plan = plan; // a choice may be told of twice
    this.again = this.controls.busy;
    if (!this.again) this.act("run");
    else if (this.controls.state !== "stopping") this.act(this.controls.state === "waiting" ? "cancel" : "stop");
  }

  #nothing(text) {
    this.controls.ready();
    this.#clear();
    this.controls.notice(text);
  }

  rest() {
    super.rest();
    const { wanted, again } = this;
    Object.assign(this, { wanted: null, again: false });
    if (wanted) this.#target(wanted);
    else if (again) this.act("run");
  }

  /** Nothing of a run is shown any more: neither its surfaces nor its numbers. */
  #clear() {
    Object.assign(this, { key: null, plan: null, run: null, panels: null });
    this.plot.clear();
    this.line.set({ cut: null });
    this.stage.clear();
    this.timeline.setTicks([]);
    this.curves.draw([], "step");
    this.controls.notice(null);
    this.#say("", []);
    for (const part of [".told", ".hover", ".code"]) this.find(part).hidden = true;
    this.become("idle");
    this.find(".exports").hidden = true;
    this.find("[data-plot]").hidden = false;
    this.#words(BEGIN_HERE);
  }

  /** The verdict, and where the plane misleads. */
  #say(verdict, warnings) {
    this.find(".verdict").textContent = verdict;
    this.find(".warnings").replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  async #begin(message) {
    this.run = new RunRecord(message);
    await this.run.ready;
    Object.assign(this, { key: message.of, plan: message.plan, panels: null });
    this.plot.clear();
    this.line.set({ cut: null });
    this.#say("", []);
    this.find("[data-plot]").hidden = false;
    for (const part of [".told", ".hover", ".code"]) this.find(part).hidden = true;
    this.stage.clear();
    this.stage.name(this.run.table);
    this.stage.showTarget(this.run.target, this.run.label);
    this.timeline.setTicks([]);
    this.become("running");
    this.#words(DRAWING);
  }

  async #frames(message) {
    if (message.run !== this.run?.id) return;
    await this.run.add(message);
    this.timeline.setTicks(this.run.steps);
  }

  async #raced(message) {
    if (message.run !== this.run?.id) return;
    await this.run.finish(message);
    this.#words(DRAWING, message.summary);
    this.timeline.setTicks(this.run.steps, this.timeline.index);
  }

  #wait({ text, share }) {
    this.#going();
    if (share !== undefined) this.bar(share);
    this.#words(text, null);
  }

  /** The server has begun: from now on Stop stops it. */
  #going() {
    if (this.controls.state === "waiting") this.become("running");
  }

  #averages({ entries }) {
    this.known = entries;
    fillAverages(this.find("[data-averages]"), entries, null);
  }

  #measuring({ done, total, entry }) {
    this.#going();
    this.bar(done / total);
    fillAverages(this.find("[data-averages]"), this.known, entry);
    if (this.controls.state === "running") this.#words(`Measuring random samples: ${done} of ${total}…`, null);
  }

  #cut(message) {
    this.find("[data-plot]").hidden = true;
    this.line.set({ cut: message, log: this.plot.log });
    this.#say(message.verdict, []);
    this.#offer();
  }

  #surfaces({ panels, range, steps, note, verdict, warnings }) {
    this.panels = panels;
    this.paths.set(panels, steps);
    this.hover.set(panels);
    this.plot.set({ panels, range, at: this.#point() });
    fillTable(this.find(".numbers table"), panels);
    this.find(".numbers .insight").textContent = note;
    for (const part of [".told", ".hover", ".code"]) this.find(part).hidden = false;
    this.#say(verdict, warnings);
    this.#drawCurves();
    this.#offer();
  }

  #progress({ done, total }) {
    this.bar(done / total);
    if (this.controls.state === "running") this.#words(`Drawing the loss around both paths: ${done} of ${total} points…`, null);
  }

  #drawn(message) {
    this.bar(null);
    this.rest();
    this.#words(this.run.end?.summary ?? "", message.reason);
  }

  failed(text) {
    this.controls.ready();
    this.bar(null);
    super.failed(text);
    this.#words("");
  }

  become(state) {
    super.become(state);
    this.#offer();
  }

  /** What there is to choose and to save of what is drawn. */
  #offer() {
    const drawn = this.panels || this.line?.cut;
    this.find(".exports").hidden = this.controls.state !== "rest" || !drawn;
    this.find("[data-two]").hidden = this.panels?.length === 1 || Boolean(this.line?.cut);
    this.find("[data-drawn-as]").hidden = Boolean(this.line?.cut);
  }

  /** `aside` stays as it is where it is null. */
  #words(text, aside = "") {
    this.find(".summary").textContent = text;
    if (aside !== null) this.find(".aside").textContent = aside;
  }

  act(act) {
    if (act === "measure") this.trigger("measure", { n: Number(this.find("[data-samples]").value) });
    else this.trigger(act);
    this.acted(act === "measure" ? "run" : act);
  }

  #click({ mode, scale, range, save, best }) {
    if (mode) this.#set("mode", mode, { mode });
    if (scale) this.#set("scale", scale, { log: scale === "log" });
    if (range) this.#set("range", range, { shared: range === "shared" });
    if (save) this.trigger("export", { what: save, log: this.plot.log, shared: this.plot.shared });
    if (best) this.timeline.moveToValue(this.run.end.lanes[best].best.step);
  }

  #set(key, to, changes) {
    this.press(key, to);
    this.plot.set(changes);
    this.line.set({ log: this.plot.log });
    this.#drawCurves();
  }

  /** No surfaces from now on, and why. */
  #flat(why) {
    const button = this.find("[data-mode=surface]");
    button.disabled = true;
    button.title = why;
    this.press("mode", "contour");
    if (this.panels) this.controls.notice(why);
  }

  /** The point of the paths that is shown. */
  #point() {
    return this.paths.at(this.run?.steps[this.timeline.index] ?? 0);
  }

  #look(index) {
    const { run } = this;
    if (!run?.steps.length) return;
    this.stage.look(run, "steps", run.steps[index]);
    if (!this.panels) return;
    this.plot.mark(this.#point());
    this.paths.mark(this.#point());
  }

  #drawCurves() {
    if (!this.panels) return;
    this.paths.draw();
    this.paths.mark(this.#point());
  }
}

export function mount(view) {
  return new Surfaces(view);
}

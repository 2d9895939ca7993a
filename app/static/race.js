/** The race view: takes the server's messages, keeps the runs, and lets one look at any step of any of them. */
import { Controls } from "./controls.js";
import { LossCurves } from "./curves.js";
import { decode } from "./frames.js";
import { tellPlace } from "./queue.js";
import { RunRecord } from "./run.js";
import { RunList } from "./runlist.js";
import { Stage } from "./stage.js";
import { Inbox } from "./stream.js";
import { Timeline } from "./timeline.js";
import { clock, number } from "./words.js";

const MOST_PICTURES = 1800; // 16 KB each when decoded: about 29 MB
const BEGIN_HERE = "Press Run: both searches start from the same place and take their steps together.";

class Race {
  constructor({ element, trigger, server, watch, value }) {
    this.element = element;
    this.trigger = trigger;
    this.runs = [];
    this.shown = null;
    this.idle = null;
    this.axis = "steps";
    this.stage = new Stage(this.find(".stage"));
    this.controls = new Controls(element, (act, steps) => this.#act(act, steps));
    this.timeline = new Timeline(this.find("[data-timeline]"), {
      onMove: (index) => this.#look(index),
      describe: (index) => this.#describe(index),
    });
    this.curves = new LossCurves(this.find("[data-chart]"), { onPick: (x) => this.timeline.moveToValue(x) });
    this.list = new RunList(this.find(".runs"), {
      onShow: (run) => this.#show(run),
      onToggle: () => this.#draw(),
      onRestore: (run) => trigger("restore", { run: run.id }),
    });
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#deliver(message));
    element.addEventListener("click", (event) => this.#click(event));
    this.timeline.setTicks([]);
    watch("value", () => this.inbox.receive(value()));
    this.inbox.receive(value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  get standing() {
    return this.runs.at(-1);
  }

  #deliver(message) {
    const kinds = {
      target: () => this.#target(message),
      begin: () => this.#begin(message),
      frames: () => this.#frames(message),
      end: () => this.#end(message),
      error: () => this.#error(message.text),
      exported: () => this.#rest(),
    };
    return kinds[message.kind]?.();
  }

  async #target(message) {
    this.idle = { bitmap: await decode(message.target), label: message.label };
    this.controls.ready();
    if (!this.controls.busy) this.#showIdle();
  }

  async #begin(message) {
    const run = new RunRecord(message);
    await run.ready;
    this.runs.push(run);
    this.#forgetOldPictures();
    this.#become("running");
    this.#show(run);
  }

  async #frames(message) {
    const run = this.runs.find((r) => r.id === message.run);
    if (!run) return;
    await run.add(message);
    if (run === this.standing && this.controls.state !== "stopping") this.#become("running");
    if (run !== this.shown) return;
    this.timeline.setTicks(run.ticks(this.axis));
    this.#draw();
  }

  async #end(message) {
    const run = this.runs.find((r) => r.id === message.run);
    if (!run) return;
    await run.finish(message);
    if (run === this.standing) {
      this.controls.offer(message.more);
      this.#rest();
    }
    if (run === this.shown) this.#show(run, this.timeline.index);
  }

  #error(text) {
    this.#rest();
    this.controls.notice(text);
  }

  #rest() {
    this.#become(this.runs.length ? "rest" : "idle");
  }

  #become(state) {
    if (state === this.controls.state) return;
    this.controls.become(state, this.runs.length);
    if (state === "waiting") tellPlace("queue-status", () => this.controls.state === "waiting", (text) => this.#say(text));
    if (state === "running") this.#say("Running…");
  }

  #say(text, aside = "") {
    this.find(".summary").textContent = text;
    this.find(".aside").textContent = aside;
  }

  #act(act, steps) {
    if (act === "more") {
      this.#show(this.standing);
      this.trigger("more", { steps });
    } else this.trigger(act);
    if (act === "stop") this.#become("stopping");
    else if (act === "cancel") this.#cancelled();
    else if (act !== "export") this.#become("waiting");
  }

  #cancelled() {
    this.#rest();
    if (this.shown) this.#show(this.shown, this.timeline.index);
    else this.#say(BEGIN_HERE);
  }

  #click(event) {
    const { best, axis, smooth } = event.target.closest("button")?.dataset ?? {};
    if (best) this.#toBest(best);
    if (axis) this.#setAxis(axis);
    if (smooth) {
      press(this.element, "smooth", smooth);
      this.stage.setSmooth(smooth === "yes");
    }
  }

  #showIdle() {
    this.shown = null;
    this.stage.clear();
    this.stage.showTarget(this.idle.bitmap, this.idle.label);
    this.timeline.setTicks([]);
    this.find(".insight").textContent = "";
    this.#say(BEGIN_HERE);
    this.#draw();
  }

  #show(run, index) {
    this.shown = run;
    this.stage.showTarget(run.target, run.label, run.encoder, run.guess);
    this.stage.name(run);
    const ticks = run.ticks(this.axis);
    this.timeline.setTicks(ticks, index ?? ticks.length - 1);
    if (run.end) this.#say(run.end.summary, [run.end.reason, run.end.replay, run.end.hint].filter(Boolean).join(" "));
    this.#draw();
  }

  #toBest(name) {
    const { step } = this.shown.end.lanes[name].best;
    const seconds = this.shown.lanes[name].seconds[this.shown.steps.indexOf(step)];
    this.timeline.moveToValue(this.axis === "steps" ? step : seconds);
  }

  #look(index) {
    const run = this.shown;
    if (!run || !run.steps.length) return;
    const tick = this.timeline.ticks[index];
    this.stage.look(run, this.axis, tick);
    const points = Object.entries(run.lanes).map(([name, lane]) => ({
      y: lane.loss[run.place(name, this.axis, tick)],
      colour: `--${name.toLowerCase()}`,
    }));
    this.curves.cursor(tick, points);
    this.find(".insight").textContent = insight(run, run.place("X", this.axis, tick));
  }

  #describe(index) {
    const run = this.shown;
    if (!run) return "";
    const tick = this.timeline.ticks[index];
    if (this.axis === "seconds") return `${clock(tick)} of ${clock(this.timeline.ticks.at(-1))}`;
    const last = run.steps[run.last];
    return `step ${tick} of ${run.end ? last : Math.max(run.limit, last)}`;
  }

  #setAxis(axis) {
    this.axis = axis;
    press(this.element, "axis", axis);
    if (this.shown) this.#show(this.shown);
  }

  #draw() {
    this.list.draw(this.runs, this.shown);
    const others = this.runs.filter((run) => run !== this.shown && run.visible);
    const curves = [...others, this.shown].filter(Boolean).flatMap((run) => curvesOf(run, this.axis, run !== this.shown));
    const encoder = this.shown?.encoder;
    const title = this.axis === "steps" ? "step" : "seconds of computing in each lane";
    this.curves.draw(curves, title, encoder ? { y: encoder.loss, name: "encoder, one pass" } : null);
  }

  #forgetOldPictures() {
    let left = MOST_PICTURES;
    for (const run of [...this.runs].reverse()) {
      left -= run.pictureCount;
      if (left < 0) run.forgetPictures();
    }
  }
}

function curvesOf(run, axis, faint) {
  return Object.entries(run.lanes).map(([name, lane]) => ({
    x: axis === "steps" ? run.steps : lane.seconds,
    y: lane.loss,
    name: faint ? `${name}, run ${run.number}` : name,
    colour: `--${name.toLowerCase()}`,
    dash: faint ? "dot" : "solid",
    faint,
  }));
}

/** Where Z stood as low as X does after `at` steps. */
function insight(run, at) {
  const reached = run.end?.reached[at];
  if (at < 1 || reached === undefined) return "";
  const best = Math.min(...run.lanes.X.loss.slice(0, at + 1).filter((loss) => loss !== null));
  const here = `X's best up to step ${run.steps[at]} is ${number(best)}`;
  return reached === null ? `${here}; Z was never as low in this run.` : `${here}; Z was as low at step ${reached}.`;
}

function press(element, key, value) {
  for (const button of element.querySelectorAll(`[data-${key}]`)) {
    button.setAttribute("aria-pressed", String(button.dataset[key] === value));
  }
}

export function mount(view) {
  return new Race(view);
}

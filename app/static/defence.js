/** The defence view: a picture is attacked, then restored in X and in Z; every step of both can be looked at. */
import { Controls } from "./controls.js";
import { LossCurves } from "./curves.js";
import { DefenceRecord } from "./defence_run.js";
import { DefenceStage, cost } from "./defence_stage.js";
import { decode } from "./frames.js";
import { tellPlace } from "./queue.js";
import { Inbox } from "./stream.js";
import { Timeline } from "./timeline.js";

const BEGIN_HERE = "Press Run: the picture is attacked, then both defences restore it in lock-step.";

class Defence {
  constructor({ element, trigger, server, watch, value }) {
    this.element = element;
    this.trigger = trigger;
    this.run = null;
    this.count = 0;
    this.idle = null;
    this.stage = new DefenceStage(this.find(".stage"));
    this.controls = new Controls(element, (act, steps) => this.#act(act, steps));
    this.timeline = new Timeline(this.find("[data-timeline]"), {
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe("steps", index) ?? "",
    });
    const onPick = (x) => this.timeline.moveToValue(x);
    this.charts = {
      loss: new LossCurves(this.find("[data-chart=loss]"), { onPick, linear: true }),
      margin: new LossCurves(this.find("[data-chart=margin]"), { onPick, linear: true, what: "margin" }),
    };
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#deliver(message));
    this.timeline.setTicks([]);
    watch("value", () => this.inbox.receive(value()));
    this.inbox.receive(value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  #deliver(message) {
    const kinds = {
      picture: () => this.#picture(message),
      begin: () => this.#begin(message),
      attack: () => this.#attack(message),
      attacked: () => this.#attacked(message),
      frames: () => this.#frames(message),
      end: () => this.#end(message),
      error: () => this.#error(message.text),
      exported: () => this.#become("rest"),
    };
    return kinds[message.kind]?.();
  }

  async #picture(message) {
    this.idle = { ...message, bitmap: await decode(message.clean.png) };
    this.controls.ready();
    if (!this.controls.busy) this.#showIdle();
  }

  async #begin(message) {
    const run = new DefenceRecord(message);
    await run.ready;
    this.run = run;
    this.count = message.number;
    this.#become("running");
    this.timeline.setTicks([]);
    this.stage.clear();
    this.stage.name("attacked", message.attack, message.about);
    this.#clean(run.cleanBitmap, message);
    this.#draw();
  }

  #attack(message) {
    if (message.run === this.run?.id) this.#say(`Attacking: step ${message.done} of ${message.total}…`);
  }

  async #attacked(message) {
    if (message.run !== this.run?.id) return;
    await this.run.meet(message);
    this.#say("Restoring…");
    this.#look();
  }

  async #frames(message) {
    if (message.run !== this.run?.id) return;
    await this.run.add(message);
    if (this.controls.state !== "stopping") this.#become("running");
    this.#draw();
  }

  #end(message) {
    if (message.run !== this.run?.id) return;
    this.run.end = message;
    this.controls.offer(message.more);
    this.#become("rest");
    this.#say(message.summary, message.reason);
    this.#draw();
  }

  #error(text) {
    this.#become(this.run ? "rest" : "idle");
    this.#say(this.run?.end?.summary ?? BEGIN_HERE, this.run?.end?.reason);
    this.controls.notice(text);
  }

  #become(state) {
    if (state === this.controls.state) return;
    this.controls.become(state, this.count);
    if (state === "waiting") tellPlace("defence-status", () => this.controls.state === "waiting", (text) => this.#say(text));
    if (state === "running") this.#say("Running…");
  }

  #say(text, aside = "") {
    this.find(".summary").textContent = text;
    this.find(".aside").textContent = aside;
  }

  #act(act, steps) {
    this.trigger(act, act === "more" ? { steps } : undefined);
    if (act === "stop") this.#become("stopping");
    else if (act === "cancel") this.#cancelled();
    else if (act === "run" || act === "more") this.#become("waiting");
  }

  #cancelled() {
    this.#become(this.run ? "rest" : "idle");
    this.#say(this.run?.end?.summary ?? BEGIN_HERE, this.run?.end?.reason);
  }

  /** A picture that was chosen and not run yet. */
  #showIdle() {
    this.run = null;
    this.stage.clear();
    this.stage.name("attacked", "");
    this.#clean(this.idle.bitmap, this.idle);
    this.timeline.setTicks([]);
    this.#say(BEGIN_HERE);
  }

  #clean(bitmap, message) {
    this.stage.name("clean", message.label);
    this.stage.show("clean", bitmap, message.clean, message);
  }

  #draw() {
    this.timeline.setTicks(this.run.steps);
    for (const [key, chart] of Object.entries(this.charts)) {
      const wrong = key === "margin" ? { y: 0, name: "below: wrong" } : null;
      chart.draw(this.run.curves("steps", key), "step", wrong);
    }
  }

  #look() {
    const run = this.run;
    if (!run?.attacked) return;
    this.stage.show("attacked", run.attacked.bitmap, run.attacked, run);
    this.stage.added("attacked", { ...run.attacked.added, words: "attack" });
    const step = this.timeline.ticks[this.timeline.index];
    if (step === undefined) return;
    for (const name of Object.keys(run.lanes)) {
      const seen = run.look(name, step);
      this.stage.show(name.toLowerCase(), seen?.bitmap, seen?.answer, run, seen ? cost(run, name, seen.at) : []);
      this.stage.added(name.toLowerCase(), seen?.added);
    }
    for (const [key, chart] of Object.entries(this.charts)) chart.cursor(step, run.at("steps", step, key));
  }
}

export function mount(view) {
  return new Defence(view);
}

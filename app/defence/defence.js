/** The defence view: a picture is attacked, then restored in X and in Z; every step of both can be looked at. */
import { LossCurves } from "../views/curves.js";
import { DefenceRecord } from "./record.js";
import { DefenceStage, cost } from "./stage.js";
import { decode } from "../views/frames.js";
import { RunsView } from "../views/runs_view.js";

const BEGIN_HERE = "Press Run: the picture is attacked, then both defences restore it in lock-step.";

class Defence extends RunsView {
  constructor(view) {
    super(view, {
      tab: "defence",
      beginHere: BEGIN_HERE,
      status: "defence-status",
      kinds: {
        picture: (message) => this.#picture(message),
        missing: ({ text }) => {
          this.controls.ready();
          this.controls.notice(text);
        },
        attack: (message) => this.#attack(message),
        attacked: (message) => this.#attacked(message),
      },
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      chart: { linear: true },
    });
    this.run = null;
    this.idle = null;
    this.stage = new DefenceStage(this.find(".stage"));
    const onPick = (x) => this.timeline.moveToValue(x);
    this.charts = { loss: this.curves, margin: new LossCurves(this.find("[data-chart=margin]"), { onPick, linear: true, what: "margin" }) };
    this.listen();
  }

  record(begin) {
    return new DefenceRecord(begin);
  }

  async #picture(message) {
    this.idle = { ...message, bitmap: await decode(message.clean.png) };
    this.controls.ready();
    if (this.controls.busy) return;
    this.controls.notice(null);
    this.#showIdle();
  }

  async show(run, index) {
    this.run = run;
    await run.ready; // at once, but for a run that was just read from the browser's memory
    if (run !== this.run) return;
    const { begin } = run;
    this.timeline.setTicks([]);
    this.stage.clear();
    this.stage.name("attacked", begin.attack, begin.about);
    this.stage.name("x", `input space · ${begin.optimizer}`);
    this.stage.name("z", `learned space · ${begin.optimizer}`);
    this.#clean(run.cleanBitmap, begin);
    this.sayEnd();
    this.draw();
    this.timeline.moveTo(index ?? run.steps.length - 1);
    this.#look();
  }

  #attack(message) {
    if (message.run === this.run?.id) this.say(`Attacking: step ${message.done} of ${message.total}…`);
  }

  async #attacked(message) {
    const run = this.known(message.run);
    await run?.meet(message);
    if (!run || run !== this.run) return;
    this.say("Restoring…");
    this.#look();
  }

  /** A picture that was chosen and not run yet. */
  #showIdle() {
    this.run = null;
    this.stage.clear();
    this.stage.name("attacked", "");
    this.#clean(this.idle.bitmap, this.idle);
    for (const chart of Object.values(this.charts)) chart.cursor(null);
    this.draw();
    this.sayEnd();
  }

  #clean(bitmap, message) {
    this.stage.name("clean", message.label);
    this.stage.show("clean", bitmap, message.clean, message);
  }

  draw() {
    this.listed();
    this.timeline.setTicks(this.run?.steps ?? []);
    for (const [key, chart] of Object.entries(this.charts)) {
      const level = this.run && key === "margin" ? { y: 0, name: "below: wrong" } : null;
      chart.draw(this.compared("steps", key), "step", level);
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

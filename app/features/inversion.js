/** The inversion view: a picture, what the decoder gives back of its features, and descent to the same features in X and Z. */
import { decode } from "../views/frames.js";
import { RunRecord } from "../views/race_record.js";
import { RunsView } from "../views/runs_view.js";
import { Stage } from "../views/stage.js";

const BEGIN_HERE = "Press Run: X and Z look for a picture with these features; the decoder answers in one pass.";

class Inversion extends RunsView {
  constructor(view) {
    super(view, {
      tab: "features",
      beginHere: BEGIN_HERE,
      status: "features-status",
      kinds: {
        target: (message) => this.#target(message),
      },
      onMove: (index) => this.#look(index),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      onClick: ({ best }) => best && this.timeline.moveToValue(this.run.end.lanes[best].best.step),
    });
    this.run = null; // the one shown, null where a picture is that was not run yet
    this.stage = new Stage(this.find(".viewer"));
    this.listen();
  }

  record(begin) {
    return new RunRecord(begin);
  }

  planned() {
    this.stage.name(this.plan);
  }

  async #target(message) {
    const bitmap = await decode(message.target);
    this.controls.ready();
    this.trigger("chosen");
    const same = this.run?.targetKey === message.target; // the settings of an earlier run were taken up
    if (this.controls.busy || same) return;
    this.run = null;
    this.stage.clear();
    this.planned();
    this.stage.showTarget(bitmap, message.label, { credit: message.credit });
    this.timeline.setTicks([]);
    this.curves.cursor(null);
    this.sayEnd();
    this.draw();
  }

  async show(run, index) {
    this.run = run;
    await run.ready; // at once, but for a run that was just read from the browser's memory
    if (run !== this.run) return;
    this.stage.showTarget(run.target, run.label, run);
    this.stage.name(run.table);
    this.timeline.setTicks(run.steps, index ?? run.steps.length - 1);
    this.sayEnd();
    this.draw();
  }

  draw() {
    this.listed();
    this.timeline.setTicks(this.run?.steps ?? []);
    const decoder = this.run?.encoder;
    this.curves.draw(this.compared("steps", "loss"), "step", decoder ? { y: decoder.loss, name: "decoder, one pass" } : null);
  }

  #look(index) {
    const step = this.timeline.ticks[index];
    if (!this.run || step === undefined) return;
    this.stage.look(this.run, "steps", step);
    this.curves.cursor(step, this.run.at("steps", step));
  }
}

export function mount(view) {
  return new Inversion(view);
}

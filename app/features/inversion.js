/** The inversion view: a picture, what the decoder gives back of its features, and descent to the same features in X and Z. */
import { decode } from "../views/frames.js";
import { showJudges } from "../views/judges.js";
import { RunRecord } from "../views/race_record.js";
import { RunView } from "../views/run_view.js";
import { Stage } from "../views/stage.js";

const BEGIN_HERE = "Press Run: X and Z look for a picture with these features; the decoder answers in one pass.";

class Inversion extends RunView {
  constructor(view) {
    super(view, {
      status: "features-status",
      kinds: {
        target: (message) => this.#target(message),
        begin: (message) => this.#begin(message),
        frames: (message) => this.frames(message),
        end: (message) => this.#end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: (index) => this.#look(index),
      describe: (index) => this.run?.describe("steps", index) ?? "",
      onClick: ({ best }) => best && this.timeline.moveToValue(this.run.end.lanes[best].best.step),
    });
    this.count = 0;
    this.run = null; // the one shown, null where a picture is that was not run yet
    this.standing = null; // the last one, which Continue goes on with
    this.stage = new Stage(this.find(".viewer"));
    this.listen();
  }

  async #target(message) {
    const bitmap = await decode(message.target);
    this.controls.ready();
    this.trigger("chosen");
    if (this.controls.busy) return;
    this.run = null;
    this.stage.clear();
    this.stage.showTarget(bitmap, message.label, { credit: message.credit });
    this.draw();
    this.sayEnd();
  }

  async #begin(message) {
    const run = new RunRecord(message);
    await run.ready;
    this.count = message.number;
    this.become("running");
    this.#show(run);
  }

  async #end(message) {
    if (message.run !== this.run?.id) return;
    await this.run.finish(message);
    this.end(message);
  }

  #show(run) {
    this.run = this.standing = run;
    this.stage.showTarget(run.target, run.label, run);
    this.stage.name(run);
    showJudges(this.find(".judges"), run.end?.judges);
    this.draw();
  }

  act(act, steps) {
    if (act === "more") this.#show(this.standing); // another picture may have been looked at since
    super.act(act, steps);
  }

  cancelled() {
    this.rest();
    this.sayEnd();
  }

  sayEnd() {
    const end = this.run?.end;
    this.say(end?.summary ?? BEGIN_HERE, [end?.disagreement, this.run?.start, end?.reason, end?.replay].filter(Boolean).join(" "));
    showJudges(this.find(".judges"), end?.judges);
  }

  draw() {
    this.timeline.setTicks(this.run?.steps ?? []);
    const decoder = this.run?.encoder;
    this.curves.draw(this.run?.curves("steps") ?? [], "step", decoder ? { y: decoder.loss, name: "decoder, one pass" } : null);
    if (!this.run) this.curves.cursor(null);
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

/** The race view: takes the server's messages, keeps the runs, and lets one look at any step of any of them. */
import { decode } from "../views/frames.js";
import { RunRecord } from "../views/race_record.js";
import { RunsView } from "../views/runs_view.js";
import { Stage } from "../views/stage.js";
import { number } from "../views/words.js";

const MOST_PICTURES = 1800; // 16 KB each when decoded: about 29 MB
const BEGIN_HERE = "Press Run: X and the learned Z search for this picture by each of two optimisers, all in step.";

class Race extends RunsView {
  constructor(view) {
    super(view, {
      tab: "invert",
      beginHere: BEGIN_HERE,
      status: "queue-status",
      kinds: {
        target: (message) => this.#target(message),
        missing: (message) => this.#missing(message.text),
      },
      onMove: (index) => this.#look(index),
      describe: (index) => this.run?.describe(this.axis, index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.run = null;
    this.idle = null;
    this.axis = "steps";
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
    this.idle = { bitmap: await decode(message.target), label: message.label, credit: message.credit };
    this.controls.ready();
    if (!this.controls.busy) this.controls.notice(null);
    const same = this.run?.targetKey === message.target; // the settings of an earlier run were taken up
    if (!this.controls.busy && !same) this.#showIdle();
  }

  /** The address asks for a picture that is not here. */
  #missing(text) {
    this.idle = { bitmap: null, label: "missing", credit: "" };
    this.controls.ready();
    if (!this.controls.busy) this.#showIdle();
    this.controls.notice(text);
  }

  begun(run) {
    super.begun(run);
    this.#forgetOldPictures();
  }

  #click({ best, axis }) {
    if (best) this.#toBest(best);
    if (axis) this.#setAxis(axis);
  }

  #showIdle() {
    this.run = null;
    this.stage.clear();
    this.planned();
    this.stage.showTarget(this.idle.bitmap, this.idle.label, { credit: this.idle.credit });
    this.timeline.setTicks([]);
    this.find(".insight").textContent = "";
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
    const ticks = run.ticks(this.axis);
    this.timeline.setTicks(ticks, index ?? ticks.length - 1);
    this.sayEnd();
    this.draw();
  }

  #toBest(name) {
    const { step } = this.run.end.lanes[name].best;
    const seconds = this.run.lanes[name].seconds[this.run.steps.indexOf(step)];
    this.timeline.moveToValue(this.axis === "steps" ? step : seconds);
  }

  #look(index) {
    const run = this.run;
    if (!run || !run.steps.length) return;
    const tick = this.timeline.ticks[index];
    this.stage.look(run, this.axis, tick);
    this.curves.cursor(tick, run.at(this.axis, tick));
    this.find(".insight").textContent = insight(run, this.axis, tick);
  }

  #setAxis(axis) {
    this.axis = axis;
    this.press("axis", axis);
    if (this.run) this.show(this.run);
  }

  draw() {
    this.listed();
    if (this.run) this.timeline.setTicks(this.run.ticks(this.axis));
    const encoder = this.run?.encoder;
    const title = this.axis === "steps" ? "step" : "seconds of computing in each lane";
    this.curves.draw(this.compared(this.axis, "loss"), title, encoder ? { y: encoder.loss, name: "encoder, one pass" } : null);
  }

  #forgetOldPictures() {
    let left = MOST_PICTURES;
    for (const run of [...this.runs].reverse()) {
      left -= run.pictureCount;
      if (left >= 0) continue;
      run.forgetPictures();
      run.pictured = false;
    }
  }
}

/** For every column: where Z stood as low as X does at a tick. */
function insight(run, axis, tick) {
  return run.columns.map(([x, z]) => {
    const at = run.place(x, axis, tick);
    const reached = run.end?.reached[x]?.[at];
    if (at < 1 || reached === undefined) return "";
    const best = Math.min(...run.lanes[x].loss.slice(0, at + 1).filter((loss) => loss !== null));
    const here = `${x}'s best up to step ${run.steps[at]} is ${number(best)}`;
    return reached === null ? `${here}; ${z} was never as low in this run.` : `${here}; ${z} was as low at step ${reached}.`;
  }).filter(Boolean).join(" ");
}

export function mount(view) {
  return new Race(view);
}

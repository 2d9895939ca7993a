/** The race view: takes the server's messages, keeps the runs, and lets one look at any step of any of them. */
import { onShow, ran } from "../views/address.js";
import { decode } from "../views/frames.js";
import { showJudges } from "../views/judges.js";
import { RunRecord } from "../views/race_record.js";
import { RunView } from "../views/run_view.js";
import { RunList } from "./runlist.js";
import { Stage } from "../views/stage.js";
import { number } from "../views/words.js";

const MOST_PICTURES = 1800; // 16 KB each when decoded: about 29 MB
const BEGIN_HERE = "Press Run: X and the learned Z search for this picture by each of two optimisers, all in step.";

class Race extends RunView {
  constructor(view) {
    super(view, {
      status: "queue-status",
      kinds: {
        target: (message) => this.#target(message),
        missing: (message) => this.#missing(message.text),
        begin: (message) => this.#begin(message),
        frames: (message) => this.#frames(message),
        end: (message) => this.#end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: (index) => this.#look(index),
      describe: (index) => this.shown?.describe(this.axis, index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.runs = [];
    this.shown = null;
    this.idle = null;
    this.axis = "steps";
    this.stage = new Stage(this.find(".viewer"));
    this.list = new RunList(this.find(".runs"), {
      onShow: (run) => this.#show(run),
      onToggle: () => this.#draw(),
      onRestore: (run) => this.trigger("restore", { run: run.id }),
    });
    onShow("invert", (id) => this.#back(id));
    this.listen();
  }

  /** The history went to a run. */
  #back(id) {
    const run = this.runs.find((each) => each.id === id);
    if (run) this.#show(run);
  }

  get count() {
    return this.runs.length;
  }

  get standing() {
    return this.runs.at(-1);
  }

  async #target(message) {
    this.idle = { bitmap: await decode(message.target), label: message.label, credit: message.credit };
    this.controls.ready();
    if (!this.controls.busy) this.controls.notice(null);
    const same = this.shown?.targetKey === message.target; // the settings of an earlier run were taken up
    if (!this.controls.busy && !same) this.#showIdle();
  }

  /** The address asks for a picture that is not here. */
  #missing(text) {
    this.idle = { bitmap: null, label: "missing", credit: "" };
    this.controls.ready();
    if (!this.controls.busy) this.#showIdle();
    this.controls.notice(text);
  }

  async #begin(message) {
    const run = new RunRecord(message);
    ran("invert", run.id);
    await run.ready;
    this.runs.push(run);
    this.#forgetOldPictures();
    this.become("running");
    this.#show(run);
  }

  async #frames(message) {
    const run = this.runs.find((r) => r.id === message.run);
    if (!run) return;
    const added = run.add(message);
    if (run === this.standing && this.controls.state === "stopping") return; // what is left of it is shown at the end, at once
    await added;
    if (run === this.standing) this.goesOn(run);
    if (run !== this.shown || this.inbox.waiting) return; // or one would watch the past
    this.timeline.setTicks(run.ticks(this.axis));
    this.#draw();
  }

  async #end(message) {
    const run = this.runs.find((r) => r.id === message.run);
    if (!run) return;
    await run.finish(message);
    if (run === this.standing) {
      this.controls.offer(message.more);
      this.rest();
    }
    if (run === this.shown) this.#show(run, this.timeline.atEnd ? undefined : this.timeline.index);
  }

  act(act, steps) {
    if (act === "more") this.#show(this.standing);
    super.act(act, steps);
  }

  cancelled() {
    this.rest();
    if (this.shown) this.#show(this.shown, this.timeline.index);
    else this.say(BEGIN_HERE);
  }

  #click({ best, axis }) {
    if (best) this.#toBest(best);
    if (axis) this.#setAxis(axis);
  }

  #showIdle() {
    this.shown = null;
    this.stage.clear();
    this.stage.showTarget(this.idle.bitmap, this.idle.label, { credit: this.idle.credit });
    this.timeline.setTicks([]);
    this.find(".insight").textContent = "";
    this.curves.cursor(null);
    showJudges(this.find(".judges"), null);
    this.say(BEGIN_HERE);
    this.#draw();
  }

  #show(run, index) {
    this.shown = run;
    this.stage.showTarget(run.target, run.label, run);
    this.stage.name(run);
    const ticks = run.ticks(this.axis);
    this.timeline.setTicks(ticks, index ?? ticks.length - 1);
    if (run.end) this.say(run.end.summary, [run.end.disagreement, run.start, run.end.reason, run.end.replay, run.end.hint].filter(Boolean).join(" "));
    showJudges(this.find(".judges"), run.end?.judges);
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
    this.curves.cursor(tick, run.at(this.axis, tick));
    this.find(".insight").textContent = insight(run, this.axis, tick);
  }

  #setAxis(axis) {
    this.axis = axis;
    this.press("axis", axis);
    if (this.shown) this.#show(this.shown);
  }

  #draw() {
    this.list.draw(this.runs, this.shown);
    const others = this.runs.filter((run) => run !== this.shown && run.visible);
    const curves = [...others, this.shown].filter(Boolean).flatMap((run) => run.curves(this.axis, "loss", run !== this.shown));
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

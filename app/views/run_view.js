/** What views of a run do alike: they take messages in order, have one toolbar, one scrubber and one chart, and say one line. */
import { Controls } from "./controls.js";
import { LossCurves } from "./curves.js";
import { explain } from "./glossary.js";
import { Inbox } from "./inbox.js";
import { Pace } from "./pace.js";
import { tellPlace } from "./queue.js";
import { Timeline } from "./timeline.js";

const WAITS = ["run", "more"];

/** A toolbar and messages. Subclasses define `count`, the number of runs so far, and call `listen` once they are ready. */
export class JobView {
  /**
   * @param {object} view what `mount` gets
   * @param {{status: string, kinds?: Object<string, (message: object) => void>, onClick?: (data: DOMStringMap) => void}}
   *   options `status` is the id of the component whose queue line is told; `kinds` takes messages by their kind, `onClick`
   *   the data of a pressed button
   */
  constructor(view, { status, kinds = {}, onClick = () => {} }) {
    this.view = view;
    this.element = view.element;
    this.trigger = view.trigger;
    this.status = status;
    this.controls = new Controls(this.element, (act, steps) => this.act(act, steps));
    this.inbox = new Inbox((run, since) => view.server.missed([run, since]), (message) => this.take(message));
    this.kinds = kinds;
    this.element.addEventListener("click", (event) => onClick(event.target.closest("button")?.dataset ?? {}));
  }

  listen() {
    this.view.watch("value", () => this.inbox.receive(this.view.value()));
    this.inbox.receive(this.view.value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  /** Mark the one button of a group `data-<key>` that is chosen. */
  press(key, chosen) {
    for (const button of this.element.querySelectorAll(`[data-${key}]`)) {
      button.setAttribute("aria-pressed", String(button.dataset[key] === chosen));
    }
  }

  say(text, aside = "") {
    for (const [place, words] of [[".summary", text], [".aside", aside]]) {
      this.find(place).textContent = words;
      explain(this.find(place));
    }
  }

  /** A message in its turn. */
  take(message) {
    return this.kinds[message.kind]?.(message);
  }

  act(act, steps) {
    this.trigger(act, act === "more" ? { steps } : act === "run" ? this.asked() : undefined);
    this.acted(act);
  }

  /** What goes with Run. */
  asked() {
    return undefined;
  }

  /** What a press makes of the buttons. */
  acted(act) {
    if (act === "stop") this.become("stopping");
    if (act === "cancel") this.cancelled();
    if (WAITS.includes(act)) this.become("waiting");
  }

  become(state) {
    if (state === this.controls.state) return;
    if (state === "running" && this.controls.state === "stopping") return; // told by what was on its way when Stop was pressed
    this.controls.become(state, this.count);
    if (state === "waiting") tellPlace(this.status, () => this.controls.state === "waiting", (text) => this.say(text));
    if (state === "running") this.say("Running…");
  }

  rest() {
    this.become(this.count ? "rest" : "idle");
  }

  cancelled() {
    this.rest();
  }

  /** A progress bar at a share from 0 to 1, or none. */
  bar(share) {
    const bar = this.find("progress");
    bar.hidden = share === null;
    bar.value = share ?? 0;
  }

  /** Say what went wrong, above everything else. */
  failed(text) {
    this.cancelled();
    this.controls.notice(text);
  }
}

/** The same with a scrubber and a chart. Those that take messages with `frames` and `end` also define `run`, the run that is
 * shown, `draw` and `sayEnd`. */
export class RunView extends JobView {
  /**
   * @param {object} view what `mount` gets
   * @param {object} options those of `JobView`, and {onMove: (index: number) => void, describe: (index: number) => string,
   *   chart?: object}: `chart` is what the first chart shows otherwise than a loss, as `LossCurves` takes it
   */
  constructor(view, { onMove, describe, chart = {}, ...options }) {
    super(view, options);
    this.timeline = new Timeline(this.find("[data-timeline]"), { onMove, describe });
    this.curves = new LossCurves(this.find("[data-chart]"), { onPick: (x) => this.timeline.moveToValue(x), ...chart });
    this.pace = new Pace();
  }

  acted(act) {
    if (WAITS.includes(act)) this.pace = new Pace(); // what passed between two runs is nobody's pace
    super.acted(act);
  }

  /** More steps of the run that is shown. */
  async frames(message) {
    if (message.run !== this.run?.id) return;
    const added = this.run.add(message);
    if (this.controls.state === "stopping") return; // what is left of it is shown at the end, at once
    await added;
    this.goesOn(this.run);
    if (!this.inbox.waiting) this.draw(); // or one would watch the past
  }

  /** A run took further steps: say how fast it goes, where it is the one that is looked at. */
  goesOn(run) {
    this.become("running");
    const pace = this.pace.tell(run.steps.at(-1), run.limit);
    if (run === this.run) this.find(".aside").textContent = pace;
  }

  /** The run that is shown is over. */
  end(message) {
    if (message.run !== this.run?.id) return;
    this.run.end = message;
    this.controls.offer(message.more);
    this.rest();
    this.sayEnd();
    this.draw();
  }
}

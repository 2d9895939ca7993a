/**
 * A view of runs: every run of the tab is listed under the chart, those of earlier visits too, which the browser remembers. Any of
 * them can be looked at, compared, forgotten, and its settings taken up again.
 */
import { onShow, ran } from "./address.js";
import { showJudges } from "./judges.js";
import { LIMIT, Memory } from "./memory.js";
import { onPlan } from "./plan.js";
import { RunNumbers } from "./run_numbers.js";
import { RunView } from "./run_view.js";
import { RunList } from "./runlist.js";
import { UNFINISHED } from "./words.js";

const MB = 1e6;

/**
 * Subclasses define `run`, the one that is shown, `record(begin)`, which makes a run of its first message, `show(run, index)`,
 * which shows it at an index of its steps or at its end, `draw()` and `planned()`, which names the lanes of `plan`, those of the
 * next run, while none is shown. Messages of runs are taken here; `kinds` are a tab's others.
 */
export class RunsView extends RunView {
  /** @param {object} options those of `RunView`, and {tab: string, beginHere: string}, what is said while no run is shown */
  constructor(view, { tab, beginHere, ...options }) {
    super(view, options);
    Object.assign(this, { tab, beginHere });
    this.runs = [];
    this.plan = {};
    this.memory = new Memory(tab);
    this.numbers = new RunNumbers(tab);
    this.list = new RunList(this.find(".runs"), {
      onShow: (run) => this.look(run),
      onToggle: () => this.draw(),
      onRestore: (run) => this.#restore(run),
      onExport: (run) => (run === this.standing ? this.act("export") : this.#again([run])),
    });
    this.find("[data-forget]").addEventListener("click", () => this.#forget());
    this.find("[data-all]").addEventListener("click", () => this.#again(this.runs));
    Object.assign(this.kinds, {
      begin: (message) => this.#begin(message),
      frames: (message) => this.frames(message),
      end: (message) => this.end(message),
      error: (message) => this.failed(message.text),
      again: ({ text }) => {
        this.become("running");
        this.say(text);
      },
      exported: () => this.cancelled(), // the line that told of it gives way to the run's
    });
  }

  listen() {
    this.#recall();
    onShow(this.tab, (id) => {
      const run = this.known(id);
      if (run) this.look(run);
      else this.awaited = id; // it may be among those that are being recalled
    });
    onPlan(this.tab, (table) => {
      this.plan = table;
      if (!this.run) this.planned();
    });
    super.listen();
  }

  /** The run that the server goes on with: the last one, where it was begun on this page. */
  get standing() {
    const last = this.runs.at(-1);
    return last && !last.kept ? last : null;
  }

  get count() {
    return this.standing?.number ?? 0;
  }

  known(id) {
    return this.runs.find((run) => run.id === id);
  }

  take(message) {
    this.memory.keep(message);
    return super.take(message);
  }

  /** The run is numbered by the page: other windows of it have other sessions on the server. */
  asked() {
    return { number: this.numbers.next(this.runs) };
  }

  async #begin(message) {
    const run = this.record(message);
    await run.ready;
    this.begun(run);
    this.become("running");
    this.show(run);
  }

  begun(run) {
    this.runs.push(run);
    this.numbers.taken(run.number);
    run.pictured = true;
    ran(this.tab, run.id);
  }

  /** More steps of a run. */
  async frames(message) {
    const run = this.known(message.run);
    if (!run) return;
    const added = run.add(message);
    if (run === this.standing && this.controls.state === "stopping") return; // what is left of it is shown at the end, at once
    await added;
    if (run === this.standing) this.goesOn(run);
    if (run === this.run && !this.inbox.waiting) this.draw(); // or one would watch the past
  }

  /** A run is over. */
  async end(message) {
    const run = this.known(message.run);
    if (!run) return;
    await run.finish(message);
    if (run === this.standing) {
      this.controls.offer(message.more);
      this.rest();
    }
    if (run === this.run) this.show(run, this.timeline.atEnd ? undefined : this.timeline.index);
    else this.listed();
  }

  failed(text) {
    this.numbers.back();
    super.failed(text);
  }

  cancelled() {
    this.rest();
    this.sayEnd();
  }

  /** How the run that is shown ended, that it goes on or has no end, or how to begin one. */
  sayEnd() {
    const { run } = this;
    const { end, start } = run ?? {};
    const going = run === this.standing && this.controls.busy ? "Running…" : UNFINISHED;
    this.say(run ? end?.summary ?? end?.verdict ?? going : this.beginHere, [end?.disagreement, start, end?.reason, end?.replay, end?.hint].filter(Boolean).join(" "));
    const judges = this.find(".judges");
    if (judges) showJudges(judges, end?.judges);
  }

  act(act, steps) {
    if (act === "more" && this.run !== this.standing) this.show(this.standing);
    super.act(act, steps);
  }

  /** Look at a run; its pictures may have to be read from the browser's memory. */
  async look(run) {
    this.show(run);
    if (run.pictured) return;
    run.pictured = true;
    for (const message of await this.memory.pictures(run.id)) await run.picture(message);
    if (run === this.run) this.show(run, this.timeline.index);
  }

  /** The list, and what the browser keeps. */
  async listed() {
    this.list.draw(this.runs, this.run);
    const held = await this.memory.held();
    const most = `${Math.round(LIMIT / MB)} MB`;
    this.find(".remembered").hidden = !this.runs.length && !held?.own; // a panel below may have one
    this.find("[data-remembered]").textContent = held
      ? `Runs stay in this browser, and nowhere else: ${(held.bytes / MB).toFixed(1)} of ${most} are taken by all tabs, the oldest go first.`
      : "This browser keeps no runs: they go with the page.";
    this.find("[data-all]").hidden = !this.runs.length;
  }

  /** Curves of the other runs that are to be compared, faint, and of the one that is shown. */
  compared(axis, key) {
    const others = this.runs.filter((run) => run !== this.run && run.visible);
    return [...others, this.run].filter(Boolean).flatMap((run) => run.curves(axis, key, run !== this.run));
  }

  async #recall() {
    const found = [];
    for (const [begin, ...rest] of await this.memory.runs()) {
      if (this.known(begin.run)) continue;
      const run = Object.assign(this.record(begin), { kept: true, pictured: false });
      for (const message of rest) await revive(run, message);
      found.push(run);
    }
    this.runs.unshift(...found);
    const awaited = this.awaited && this.known(this.awaited);
    if (awaited) this.look(awaited);
    else this.draw();
  }

  /** The server has forgotten them: they are taken again by their cards, and exported. */
  #again(runs) {
    if (this.controls.busy) {
      this.controls.notice("Wait for the end of the run that goes on, or stop it; then others can be exported.");
      return;
    }
    const asked = runs.filter((run) => run.card).map(({ card, number, origin }) => ({ card, number, origin }));
    this.trigger("again", { runs: asked });
    this.become("waiting");
  }

  /** The settings are taken up by the run's card; what it searched for is seen with it. */
  #restore(run) {
    this.look(run);
    this.trigger("restore", { card: run.card, number: run.number, origin: run.origin });
  }

  async #forget() {
    await this.memory.keepOnly(this.controls.busy ? this.standing?.id : null);
    this.runs = this.runs.filter((run) => run === this.standing); // it stands on the server, and in view
    if (this.standing && this.run !== this.standing) this.show(this.standing);
    this.draw();
  }
}

/** A message of a run that is read from the browser's memory. */
function revive(run, message) {
  if (message.kind === "frames") return run.add(message);
  if (message.kind === "attacked") return run.meet(message);
  return run.finish(message);
}

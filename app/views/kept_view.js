/** A panel below a tab's race. Its last run stays in this browser: a reload shows it again, where a run of the tab would be listed. */
import { Memory } from "./memory.js";
import { RunView } from "./run_view.js";
import { UNFINISHED } from "./words.js";

/** Subclasses make `run` of a message "begin". One that was brought back is `kept`: the server has it no longer, so there is nothing to export. */
export class KeptView extends RunView {
  /** @param {object} options those of `RunView`, and {place: string}: "tab/panel", where its run is kept */
  constructor(view, { place, ...options }) {
    super(view, options);
    this.memory = new Memory(place);
    this.run = null;
  }

  get count() {
    return this.run && !this.run.kept ? this.run.number : 0;
  }

  listen() {
    super.listen();
    this.#recall();
  }

  take(message) {
    this.memory.keep(message);
    if (message.kind === "begin") this.memory.keepOnly(message.run);
    return super.take(message);
  }

  async #recall() {
    const last = (await this.memory.runs()).at(-1) ?? [];
    if (!last.length || this.run || this.controls.busy) return;
    for (const message of last) await super.take(message);
    this.run.kept = true;
    this.cancelled();
    if (!this.run.end) this.say(UNFINISHED);
  }
}

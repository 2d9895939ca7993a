/** What panels that follow clips do alike: they ask for a range, play target, X and Z, and chart what every frame measures. */
import { Columns, laneColour } from "../views/columns.js";
import { KeptView } from "../views/kept_view.js";
import { PanelSettings } from "../views/panel_settings.js";
import { onTheme } from "../views/theme.js";

const ROWS = ["X", "Z"];

/** Subclasses define `showTarget(index)`, `showLane(row, lane, index)` and `reading(value)`, and may define `more()`, what they
 * ask beside the range. */
export class FollowView extends KeptView {
  /**
   * @param {object} view what `mount` gets
   * @param {{id: string, tab: string, shown: string, what: string}} options `id` is the view's, `tab` where it stands, `shown` is the column of what a lane shows of a frame, `what` the chart's axis
   */
  constructor(view, { id, tab, shown, what }) {
    super(view, {
      status: `${id}-status`,
      place: `${tab}/clip`,
      kinds: {
        ready: () => this.#ready(),
        begin: (message) => this.#begin(message),
        progress: ({ share }) => this.#progress(share),
        frames: (message) => this.frames(message),
        end: (message) => this.end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: () => this.look(),
      describe: (index) => this.#describe(index),
      onClick: ({ order, column }) => {
        if (order) this.#choose(order);
        if (column) this.#turn(column);
      },
      chart: { what, linear: true },
    });
    this.shown = shown;
    this.order = "warm";
    this.column = "1";
    this.canvases = Object.fromEntries([...this.element.querySelectorAll("[data-frame]")].map((each) => [each.dataset.frame, each]));
    this.settings = new PanelSettings({
      tab,
      panel: "clip",
      values: () => this.#values(),
      fill: (values) => this.#fill(values),
      tell: (text) => this.#asked(text),
      opened: (query) => view.server.opened(query),
    });
    this.element.addEventListener("change", () => this.settings.changed());
    onTheme(() => this.look());
    new ResizeObserver(() => this.look()).observe(this.find(".stage"));
  }

  get count() {
    return this.run?.steps.length ? super.count : 0; // one that was stopped before its first frame leaves nothing
  }

  #ready() {
    this.controls.ready();
    this.settings.ready();
  }

  #choose(order) {
    this.#begins(order);
    this.settings.changed();
  }

  /** Where frames begin; only those that know the last one can be kept near to it. */
  #begins(order) {
    this.order = order;
    this.press("order", order);
    this.find("[data-ask=smoothness]").disabled = order === "cold";
  }

  more() {
    return {};
  }

  asked() {
    return { ...this.#values(), ...this.more() };
  }

  #values() {
    const number = (name) => {
      const { value } = this.find(`[data-ask=${name}]`);
      return value === "" ? null : Number(value);
    };
    const range = Object.fromEntries(["first", "last", "every", "steps"].map((name) => [name, number(name)]));
    return { ...range, order: this.order, smoothness: this.order === "cold" ? 0 : number("smoothness") };
  }

  #fill({ order, ...numbers }) {
    for (const [name, value] of Object.entries(numbers)) this.find(`[data-ask=${name}]`).value = value ?? "";
    this.#begins(order);
  }

  /** The page was opened with settings of this panel. */
  #asked(text) {
    this.find("details").open = true;
    this.controls.notice(text);
  }

  #begin(message) {
    this.run = new Columns(message, [this.shown, "error"]);
    this.run.begin = message;
    this.find("[data-target-label]").textContent = message.label;
    this.find(".results").hidden = false;
    this.#columns();
    this.bar(0);
    this.become("running");
    this.say("Running…", message.notices.join(" "));
    this.draw();
  }

  /** Frames come when their pass is over; that it goes on is seen before. */
  #progress(share) {
    if (this.controls.state === "running") this.bar(share);
  }

  /** Buttons for the table's optimisers, where there are two: the chart has all lanes, the stage those of one column. */
  #columns() {
    const optimisers = Object.fromEntries(Object.values(this.run.table).map(({ cell, optimiser }) => [cell[1], optimiser]));
    const columns = Object.keys(optimisers).sort();
    const group = this.find("[data-columns]");
    group.hidden = columns.length < 2;
    group.replaceChildren(...columns.map((column) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: optimisers[column] });
      button.dataset.column = column;
      return button;
    }));
    this.#turn(columns.includes(this.column) ? this.column : columns[0]);
  }

  #turn(column) {
    this.column = column;
    this.press("column", column);
    for (const row of ROWS) this.canvases[row].closest("figure").classList.toggle("column2", column === "2");
    this.look();
  }

  async frames(message) {
    await super.frames(message);
    if (message.run === this.run?.id) this.bar(this.run.steps.length / this.run.limit);
  }

  sayEnd() {
    const { summary, reason } = this.run?.end ?? {};
    this.bar(null);
    this.say(summary ?? "", reason);
  }

  cancelled() {
    this.rest();
    this.sayEnd();
  }

  draw() {
    this.timeline.setTicks(this.run.steps);
    const { numbers } = this.run.begin; // of the whole clip; a curve ends where its frames do
    this.curves.draw(this.run.curves("steps", "error").map((curve) => ({ ...curve, x: numbers.slice(0, curve.y.length) })), "frame");
  }

  #describe(index) {
    const at = this.run?.begin.numbers[index];
    return at === undefined ? "" : `frame ${at}, ${(index / this.run.begin.fps).toFixed(1)} s`;
  }

  /** Draw the frame that the scrubber stands on. */
  look() {
    if (!this.run) return;
    const index = Math.max(0, this.timeline?.index ?? 0);
    this.showTarget(index);
    for (const row of ROWS) {
      const lane = this.run.lanes[Object.keys(this.run.lanes).find((name) => this.run.cell(name) === row + this.column)];
      const there = lane && index < lane.error.length;
      this.showLane(row, there ? lane[this.shown][index] : null, index);
      const reading = document.createElement("b");
      reading.textContent = there ? this.reading(lane.error[index]) : "";
      this.canvases[row].closest("figure").querySelector(".reading").replaceChildren(reading);
    }
    if (this.run.steps.length) this.curves.cursor(this.run.begin.numbers[index], this.run.at("steps", index, "error"));
  }

  /** The colour of the lane shown of a row, or of another of the view's variables. */
  colour(name) {
    return getComputedStyle(this.element).getPropertyValue(ROWS.includes(name) ? laneColour(name + this.column) : name).trim();
  }
}

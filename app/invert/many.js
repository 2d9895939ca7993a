/** The same race on many pictures: medians and quartiles by step, what each column says over all of them, and a table. */
import { Folders } from "../target/folder.js";
import { Columns } from "../views/columns.js";
import { KeptView } from "../views/kept_view.js";
import { PanelSettings } from "../views/panel_settings.js";
import { number } from "../views/words.js";

const BEGIN_HERE = "One picture proves nothing: the race above, with its settings, on many pictures in one batch: your own, or the embedded examples where you give none.";

class Many extends KeptView {
  constructor(view) {
    super(view, {
      status: "many-status",
      place: "invert/many",
      kinds: {
        ready: (message) => this.#ready(message),
        begin: (message) => this.#begin(message),
        frames: (message) => this.frames(message),
        end: (message) => this.end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe("steps", index) ?? "",
    });
    this.folders = new Folders(document.querySelector("#many-files"), this.find("[data-folder]"), (text) => this.controls.notice(text));
    this.settings = new PanelSettings({
      tab: "invert",
      panel: "many",
      values: () => this.asked(),
      fill: ({ restarts }) => { this.find("[data-ask=restarts]").value = restarts; },
      tell: (text) => this.controls.notice(text),
      opened: (query) => view.server.opened(query),
    });
    this.element.addEventListener("change", () => this.settings.changed());
    this.say(BEGIN_HERE);
    this.listen();
  }

  #ready({ most, suffixes }) {
    Object.assign(this.folders, { most, suffixes });
    this.controls.ready();
    this.settings.ready();
  }

  asked() {
    return { restarts: Number(this.find("[data-ask=restarts]").value) };
  }

  cancelled() {
    this.rest();
    this.sayEnd();
  }

  sayEnd() {
    this.say(this.run?.end?.summary || BEGIN_HERE, this.run?.end?.reason);
    if (this.run?.end) this.#table(this.run.end.rows);
  }

  #begin(message) {
    this.run = new Columns(message, ["loss", "low", "high"]);
    this.find(".results").hidden = false;
    this.find("tbody").replaceChildren();
    this.become("running");
    this.say(`${message.n} pictures, ${Object.keys(this.run.lanes).length} lanes…`);
  }

  draw() {
    this.timeline.setTicks(this.run.steps);
    const bounds = ["low", "high"].flatMap((key) => this.run.curves("steps", key).map((curve) => ({ ...curve, dash: "dot", faint: true })));
    this.curves.draw([...bounds, ...this.run.curves("steps")], "step");
  }

  #look() {
    const step = this.timeline?.ticks[this.timeline.index];
    if (this.run && step !== undefined) this.curves.cursor(step, this.run.at("steps", step));
  }

  #table(rows) {
    const lanes = Object.keys(this.run.lanes);
    this.find("thead").replaceChildren(row("th", ["picture", "restart", ...lanes]));
    this.find("tbody").replaceChildren(...rows.map(([label, restart, ...losses]) => {
      const best = Math.min(...losses.filter((loss) => loss !== null));
      const made = row("td", [label, restart, ...losses.map(number)]);
      losses.forEach((loss, i) => { if (loss === best) made.cells[i + 2].className = "best"; });
      return made;
    }));
  }
}

function row(kind, texts) {
  const made = document.createElement("tr");
  made.append(...texts.map((text) => Object.assign(document.createElement(kind), { textContent: text })));
  return made;
}

export function mount(view) {
  return new Many(view);
}

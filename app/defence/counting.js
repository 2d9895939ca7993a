/** The batch view: right answers over many test pictures, undefended and in both lanes, under both attacks side by side. */
import { JobView } from "../views/run_view.js";
import { span } from "../views/words.js";

const BEGIN_HERE = "Uses the classifier, attack and steps chosen beside it; every picture meets both attacks.";

class Counting extends JobView {
  constructor(view) {
    super(view, {
      status: "count-status",
      kinds: {
        ready: (message) => this.#ready(message.measured),
        absent: (message) => this.#absent(message),
        measured: (message) => this.#measured(message),
        begin: (message) => this.#begin(message),
        progress: (message) => this.#progress(message.text),
        tally: (message) => this.#tally(message),
        end: (message) => this.#end(message),
        error: (message) => this.failed(message.text),
      },
    });
    this.count = 0;
    this.begin = BEGIN_HERE;
    this.last = BEGIN_HERE; // what is said while nothing goes on
    this.say(BEGIN_HERE);
    this.listen();
  }

  say(text) {
    this.find(".aside").textContent = text;
  }

  asked() {
    return { n: Number(this.find("[data-many]").value) };
  }

  cancelled() {
    this.rest();
    this.bar(null);
  }

  become(state) {
    super.become(state);
    this.find("[data-many]").disabled = this.controls.busy;
    if (!this.controls.busy) this.say(this.last);
  }

  #ready(measured) {
    this.controls.ready();
    this.#measured(measured);
  }

  #absent({ text, measured }) {
    this.find("[data-many]").disabled = true;
    this.begin = text;
    this.#measured(measured);
  }

  /** The table as results/ has it, until somebody counts; what was counted stays. */
  #measured({ rows, text, command, clean }) {
    if (this.count) return;
    this.#empty();
    this.#fill(rows);
    this.find(".origin").hidden = !rows.length;
    this.last = [text && (command ? `From results: ${text} ${command}.` : text), clean && `Without attack, undefended: ${interval(clean)}.`, this.begin].filter(Boolean).join(" ");
    this.say(this.last);
  }

  #empty() {
    this.find(".origin").hidden = true;
    for (const cell of this.element.querySelectorAll("td")) cell.textContent = "–";
  }

  #fill(rows) {
    for (const row of rows) {
      for (const column of ["static", "aware"]) {
        this.find(`[data-row="${row.name}"] [data-column=${column}]`).replaceChildren(...cell(row[column], row.name));
      }
    }
  }

  #begin({ run, number, n, settings }) {
    Object.assign(this, { run, n, settings, count: number, clean: "" });
    this.become("running");
    this.#empty();
    this.bar(0);
  }

  #progress(text) {
    if (this.controls.state === "running") this.say(text);
  }

  #tally({ done, n, clean, rows, left }) {
    this.clean = `Without attack, undefended: ${interval(clean)}.`;
    this.last = `${done} of ${n} pictures. ${this.clean} ${this.settings}.`;
    this.#fill(rows);
    this.bar(done / n);
    if (done < n && this.controls.state === "running") this.say(`${this.last} About ${span(left)} left.`);
  }

  #end({ run, reason }) {
    if (run !== this.run) return;
    this.rest();
    this.bar(null);
    this.say([reason, this.last].filter(Boolean).join(" "));
  }
}

/** "62 % [48, 74]" of [share, low, high]. */
function interval([share, low, high]) {
  return `${percent(share)} % [${percent(low)}, ${percent(high)}]`;
}

/** A share as a number, and as a mark on its interval between 0 and 100 %. */
function cell([share, low, high], name) {
  const number = Object.assign(document.createElement("b"), { textContent: `${percent(share)} %` });
  const bounds = Object.assign(document.createElement("span"), { textContent: ` ${percent(low)}–${percent(high)}` });
  const track = Object.assign(document.createElement("div"), { className: `range ${name.toLowerCase()}` });
  const bar = document.createElement("i");
  bar.style.cssText = `left:${100 * low}%;width:${100 * (high - low)}%`;
  const mark = document.createElement("u");
  mark.style.left = `${100 * share}%`;
  track.append(bar, mark);
  return [number, bounds, track];
}

function percent(share) {
  return (100 * share).toFixed(1).replace(/\.0$/, "");
}

export function mount(view) {
  return new Counting(view);
}

/** The batch view: right answers over many test pictures, undefended and in both lanes, under both attacks side by side. */
import { Controls } from "../views/controls.js";
import { tellPlace } from "../views/queue.js";
import { Inbox } from "../views/inbox.js";

const BEGIN_HERE = "Uses the classifier, attack and steps chosen beside it; every picture meets both attacks.";

class Counting {
  constructor({ element, trigger, server, watch, value }) {
    this.element = element;
    this.trigger = trigger;
    this.runs = 0;
    this.told = BEGIN_HERE;
    this.controls = new Controls(element, (act) => this.#act(act));
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#deliver(message));
    this.#say(BEGIN_HERE);
    watch("value", () => this.inbox.receive(value()));
    this.inbox.receive(value());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  #deliver(message) {
    const kinds = {
      ready: () => this.controls.ready(),
      absent: () => this.#absent(message.text),
      begin: () => this.#begin(message),
      progress: () => this.#progress(message.text),
      tally: () => this.#tally(message),
      end: () => this.#end(message),
      error: () => this.#error(message.text),
    };
    return kinds[message.kind]?.();
  }

  #absent(text) {
    this.find("[data-act=run]").disabled = true;
    this.find("[data-many]").disabled = true;
    this.#say(text);
  }

  #begin({ run, n, settings }) {
    Object.assign(this, { run, n, settings, runs: this.runs + 1, clean: "" });
    this.#become("running");
    for (const cell of this.element.querySelectorAll("td")) cell.textContent = "–";
    this.#bar(0);
  }

  #progress(text) {
    if (this.controls.state === "running") this.#say(text);
  }

  #tally({ done, n, clean, rows, left }) {
    this.clean = `Without attack, undefended: ${interval(clean)}.`;
    this.told = `${done} of ${n} pictures. ${this.clean} ${this.settings}.`;
    for (const row of rows) {
      for (const column of ["static", "aware"]) {
        this.find(`[data-row="${row.name}"] [data-column=${column}]`).replaceChildren(...cell(row[column], row.name));
      }
    }
    this.#bar(done / n);
    if (done < n && this.controls.state === "running") this.#say(`${this.told} ${remaining(left)}`);
  }

  #end({ run, reason }) {
    if (run !== this.run) return;
    this.#become("rest");
    this.find("progress").hidden = true;
    this.#say([reason, this.told].filter(Boolean).join(" "));
  }

  #error(text) {
    this.#become(this.runs ? "rest" : "idle");
    this.#say(this.told);
    this.controls.notice(text);
  }

  #act(act) {
    this.trigger(act, act === "run" ? { n: Number(this.find("[data-many]").value) } : undefined);
    if (act === "stop") this.#become("stopping");
    else if (act === "cancel") this.#become(this.runs ? "rest" : "idle");
    else this.#become("waiting");
  }

  #become(state) {
    if (state === this.controls.state) return;
    this.controls.become(state, this.runs);
    this.find("[data-many]").disabled = this.controls.busy;
    if (state === "waiting") tellPlace("count-status", () => this.controls.state === "waiting", (text) => this.#say(text));
    if (state === "idle" || state === "rest") this.#say(this.told);
  }

  #bar(share) {
    const bar = this.find("progress");
    bar.hidden = false;
    bar.value = share;
  }

  #say(text) {
    this.find(".aside").textContent = text;
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

function remaining(seconds) {
  if (seconds === null) return "";
  return seconds < 90 ? `About ${Math.ceil(seconds)} s left.` : `About ${Math.round(seconds / 60)} min left.`;
}

export function mount(view) {
  return new Counting(view);
}

/** The trainings of the server: asked for again and again while they are in sight, so that every page sees the same. */
import { Folders } from "../target/folder.js";
import { keepFocus } from "../views/controls.js";
import { LossCurves } from "../views/curves.js";
import { Timeline } from "../views/timeline.js";
import { number, span } from "../views/words.js";

const EVERY = 1000; // ms between two looks at the server
const RAN_AWAY = 1e3; // times the first loss: a mean in which single descents diverged is left out of the chart, which it would flatten
const BEGIN_HERE = "Learn a Θ for one of the models: by Algorithm 1, in the background. Choose its settings, and press Train Θ.";
const ACTS = {
  running: ["pause", "finish", "remove"], queued: ["pause", "remove"], paused: ["resume", "finish", "remove"],
  failed: ["resume", "finish", "remove"], done: ["download", "remove"],
};
const TABS = { invert: "Invert", pose: "Pose" };
const WORDS = { running: "in training", queued: "waiting", paused: "paused", failed: "stopped by a fault", done: "ready" };

export function mount({ element, trigger, server, watch, value }) {
  new Train(element, trigger, server, watch, value);
}

class Train {
  constructor(element, trigger, server, watch, value) {
    Object.assign(this, { element, trigger, server, id: null, looks: [], sheets: new Map(), all: [], drawn: "" });
    this.find = (selector) => element.querySelector(selector);
    this.timeline = new Timeline(this.find("[data-timeline]"), {
      onMove: (index) => this.#look(index),
      describe: (index) => (this.looks[index] ? `buffer ${this.looks[index].buffer}` : ""),
    });
    const chart = (name, onPick = () => {}) => new LossCurves(this.find(`[data-chart=${name}]`), { onPick });
    const toBuffer = (buffer) => this.timeline.moveToValue(Math.round(buffer));
    this.charts = { held: chart("held", toBuffer), steps: chart("steps"), losses: chart("losses", toBuffer) };
    this.folders = new Folders(document.querySelector("#train-files"), document.querySelector("#train-folder [data-folder]"), (text) => this.#notice(text));
    element.addEventListener("click", (event) => this.#pressed(event.target));
    watch("value", () => this.#take(value()));
    this.#take(value());
    this.#ask();
  }

  // --- what a visitor does

  #pressed(target) {
    const act = target.closest("[data-act]")?.dataset.act;
    const other = target.closest("[data-training]")?.dataset.training;
    if (other) this.#show(other);
    if (act) this.#notice("");
    if (act === "train") {
      this.find("[data-act=train]").disabled = true;
      this.#say("The data are read and checked…");
      this.trigger("train");
    } else if (act === "download") this.trigger("download", { id: this.id });
    else if (act && (act !== "remove" || window.confirm("Remove this training, its data and its Θ?"))) this.trigger("act", { id: this.id, act });
  }

  #show(id) {
    if (id === this.id) return;
    Object.assign(this, { id, looks: [], sheets: new Map(), drawn: "" });
    this.timeline.setTicks([], 0);
    this.#ask();
  }

  // --- what the server says

  #take(message) {
    if (message?.kind === "ready") Object.assign(this.folders, { most: message.most, suffixes: message.suffixes });
    if (message) this.find("[data-act=train]").disabled = false;
    if (message?.kind === "error") this.#notice(message.text);
    if (message?.kind === "begun") this.#show(message.id);
    else if (message) this.#ask();
  }

  /** Ask how everything stands, now and again as long as this view is in sight; one question at a time. */
  async #ask() {
    clearTimeout(this.timer);
    if (this.asking) return void (this.again = true);
    this.asking = true;
    const [id, since] = [this.id, this.looks.length];
    try {
      if (this.element.checkVisibility() && !document.hidden) {
        const told = await this.server.state([id ?? "", since]);
        if (told && id === this.id && since === this.looks.length) this.#told(told);
      }
    } catch (error) {
      console.warn("The trainings could not be asked for:", error);
    }
    this.asking = false;
    this.timer = setTimeout(() => this.#ask(), this.again ? 0 : EVERY);
    this.again = false;
  }

  #told({ trainings, looks }) {
    this.all = trainings;
    if (!trainings.some((each) => each.id === this.id)) {
      const first = trainings.find((each) => each.state === "running") ?? trainings[0];
      Object.assign(this, { id: first?.id ?? null, looks: [], sheets: new Map(), drawn: "" });
      if (first) this.again = true;
    } else if (looks.length) {
      this.looks.push(...looks);
      this.timeline.setTicks(this.looks.map((look) => look.buffer));
    }
    this.#draw();
  }

  get training() {
    return this.all.find((each) => each.id === this.id);
  }

  #draw() {
    const { training } = this;
    const held = document.activeElement;
    const acts = ACTS[training?.state] ?? [];
    for (const button of this.element.querySelectorAll(".toolbar [data-act]:not([data-act=train])")) button.hidden = !acts.includes(button.dataset.act);
    if (training) this.find("[data-act=pause]").disabled = training.stopping;
    if (this.element.contains(held)) keepFocus(held, this.find("[data-act=train]"));
    const bar = this.find("progress");
    bar.hidden = training?.state !== "running";
    bar.value = training?.of ? (training.buffer + training.share) / training.of : 0;
    this.#say(training ? summary(training) : BEGIN_HERE);
    this.#aside(training);
    this.find(".learned").hidden = !this.looks.length;
    this.#list();
    if (this.looks.length) this.#look(this.timeline.index);
  }

  #aside(training) {
    const aside = this.find(".aside");
    if (training?.state === "done") {
      const link = Object.assign(document.createElement("a"), { textContent: `Search with it in ${TABS[training.tab]}`, href: `?tab=${training.tab}&model=${encodeURIComponent(training.task)}&space=${encodeURIComponent(training.name)}` });
      if (aside.querySelector("a")?.href !== link.href) aside.replaceChildren(link, ` by choosing ${training.name} as Space Z.`);
      return;
    }
    const words = training ? cost(training) : "";
    if (aside.textContent !== words) aside.textContent = words;
  }

  #list() {
    const list = this.find(".trainings");
    const words = JSON.stringify(this.all.map((each) => [each.id, state(each), each.id === this.id]));
    this.find("[data-others]").hidden = this.all.length < 2;
    if (words === this.listed) return;
    this.listed = words;
    const held = document.activeElement?.dataset.training;
    list.replaceChildren(...(this.all.length < 2 ? [] : this.all.map((each) => row(each, each.id === this.id))));
    if (held) list.querySelector(`[data-training="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  /** The looks up to the last, with the cursor at the one that is chosen. */
  #look(index) {
    const look = this.looks[index];
    if (!look) return;
    const drawn = `${this.id} ${this.looks.length} ${index}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const buffers = this.looks.map(({ buffer }) => buffer);
    const z = this.looks.map((each) => each.z.at(-1));
    this.charts.held.draw([{ x: buffers, y: z, name: "Z", colour: "--z" }], "buffer", { y: look.x.at(-1), name: `X after ${look.x.length - 1} steps` });
    this.charts.held.cursor(look.buffer, [{ y: look.z.at(-1), colour: "--z" }]);
    const steps = look.x.map((_, step) => step);
    this.charts.steps.draw([{ x: steps, y: look.x, name: "X", colour: "--x" }, { x: steps, y: look.z, name: "Z", colour: "--z" }], "step");
    this.#losses(buffers);
    this.find("[data-compared]").textContent = compared(look);
    this.find("[data-steps]").textContent = `Lowest loss so far, ${look.optimizer} in both, each at its own best settings; buffer ${look.buffer}.`;
    this.#sheet(index);
  }

  #losses(buffers) {
    const names = [["start", "descents begin", "--soft"], ["end", "they end", "--z"], ["theta", "while θ descends", "--x"]];
    const most = RAN_AWAY * (this.looks.find((each) => each.losses.start)?.losses.start ?? 1);
    this.charts.losses.draw(names.map(([key, name, colour]) => {
      const known = this.looks.map((each, i) => [buffers[i], each.losses[key]]).filter(([, loss]) => loss > 0 && loss < most);
      return { x: known.map(([buffer]) => buffer), y: known.map(([, loss]) => loss), name, colour };
    }).filter((curve) => curve.x.length), "buffer");
  }

  async #sheet(index) {
    const { id } = this;
    if (!this.sheets.has(index)) this.sheets.set(index, this.server.pictures([id, index]));
    const webp = await this.sheets.get(index);
    if (webp && id === this.id && index === this.timeline.index) this.find("[data-sheet]").src = `data:image/webp;base64,${webp}`;
  }

  #say(text) {
    const summary = this.find(".summary");
    if (summary.textContent !== text) summary.textContent = text;
  }

  #notice(text) {
    this.find(".notice").textContent = text;
    this.find(".notice").hidden = !text;
  }
}

function state(training) {
  if (training.state === "queued") return `waiting, number ${training.place} in the queue`;
  if (training.state === "running" && training.of) return `buffer ${training.buffer} of ${training.of}`;
  return WORDS[training.state];
}

function summary(training) {
  const what = `${training.name} for ${training.task}`;
  if (training.state === "failed") return `${what} stopped: ${training.reason}`;
  if (training.state === "queued") return `${what} is number ${training.place} in the queue; one Θ is trained at a time.`;
  if (training.state === "paused") return `${what} is paused after buffer ${training.buffer}; all finished buffers are kept.`;
  if (training.state === "done") return `${what} is ready: it was learned in ${training.buffer} buffers and ${span(training.seconds)}.`;
  if (training.stopping) return `${what} stops after this update…`;
  if (training.measuring) return `${what}: the mean curvature of the loss is measured, ${training.measuring.join(" of ")} inputs.`;
  return training.of ? `${what}: buffer ${training.buffer + 1} of ${training.of}.` : `${what}: the model is loaded…${training.busy}`;
}

function cost(training) {
  const parts = [training.preset, `targets ${training.data === "drawn by the model" ? training.data : `from ${training.data}`}`];
  if (training.plan) parts.push(`${training.plan.buffers} buffers of ${training.plan.targets} targets fit into ${number(training.minutes)} min`);
  if (training.seconds) parts.push(`${span(training.seconds)} of one core so far`);
  if (training.state === "running" && training.left !== null) parts.push(`about ${span(training.left)} left`);
  return `${parts.join(" · ")}.`;
}

function compared(look) {
  const share = (ratio) => (ratio > 3 ? `×${number(ratio)}` : `${ratio < 1 ? "−" : "+"}${Math.abs(100 * (ratio - 1)).toFixed(0)} %`);
  const [low, high] = look.interval;
  const interval = low === null ? "" : ` [${share(low)}, ${share(high)}]`;
  const clear = low !== null && (high < 1 || low > 1) ? "" : "; no clear difference";
  return `Z against X after ${look.x.length - 1} steps at buffer ${look.buffer}: ${share(look.ratio)}${interval} loss on ${look.n} targets that no buffer held${clear}.`;
}

function row(training, current) {
  const made = Object.assign(document.createElement("li"), { className: current ? "current" : "" });
  const name = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: training.name });
  name.dataset.training = training.id;
  const detail = Object.assign(document.createElement("span"), { className: "detail", textContent: `for ${training.task}, ${training.preset}` });
  made.append(name, detail, Object.assign(document.createElement("span"), { className: "state", textContent: state(training) }));
  return made;
}

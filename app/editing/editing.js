/** Sliders that move what every lane found, alike; pictures follow while a slider is dragged. */
import { asked, settle } from "../views/address.js";
import { decode } from "../views/frames.js";

const FARTHEST = 3; // deviations that a slider reaches
const PARAMETER = "edit"; // of the page's address
const FRAME = 80; // ms between two pictures of Play

class Editing {
  constructor({ element, trigger, watch, value }) {
    this.root = element.querySelector(".editing");
    this.trigger = trigger;
    this.tab = element.closest("#complete-edit") ? "complete" : "invert";
    this.opened = null;
    this.end = "A";
    this.past = [];
    this.future = [];
    this.number = 0;
    this.edit = blank();
    this.address = asked(this.tab)[PARAMETER];
    this.#write(this.address); // it stays in the address until there is a result to edit so
    this.root.addEventListener("click", (event) => this.#click(event.target.closest("button")?.dataset ?? {}));
    this.root.addEventListener("input", (event) => this.#input(event.target));
    this.root.addEventListener("change", (event) => this.#change(event.target));
    watch("value", () => this.#take(value()));
    this.#take(value());
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  #take(message) {
    if (!message) return;
    this.#notice(message.kind === "error" ? message.text : null);
    if (message.kind === "error") this.#rest();
    if (message.kind === "opened") this.#open(message);
    if (message.kind === "drawn") this.#drawn(message);
  }

  #notice(text) {
    Object.assign(this.find(".editing-notice"), { textContent: text ?? "", hidden: !text });
  }

  /** Results and directions to edit along. */
  #open(message) {
    const first = !this.opened || this.opened.model !== message.model;
    this.opened = message;
    if (first) this.#begin(message);
    const two = "B" in message.ends;
    if (!two) this.end = "A";
    for (const shown of [".editing-body", ".after", "[data-do=take-b]"]) this.find(shown).hidden = false;
    this.find(".blend").hidden = !two;
    this.find("[data-labels]").textContent = Object.entries(message.ends).map(([end, label]) => (two ? `${end}: ${label}` : label)).join(" · ");
    this.find(".results").replaceChildren(...message.lanes.map((lane) => figure(lane, message.side)));
    this.#lay();
    this.#draw();
  }

  /** Another model's results: nothing is edited yet, unless the page's address asks for it. */
  #begin(message) {
    const wanted = read(this.address, message);
    if (this.address && !wanted) this.#notice(`The address asked for the edit “${this.address.slice(0, 40)}”, which is not accepted; it was ignored.`);
    this.address = undefined;
    Object.assign(this, { edit: wanted ?? blank(), past: [], future: [] });
    this.#settle();
  }

  get names() {
    const principal = [...Array(this.opened.principal).keys()].map((i) => `Direction ${i + 1}`);
    return [...principal, ...this.opened.own];
  }

  /** The sliders of the end that is chosen. */
  #lay() {
    const of = this.edit.ends[this.end];
    const rows = [slider("Truncation", "truncation", of.truncation, 0, 1.5), ...this.names.map((name, i) => slider(name, i, of.amounts[i] ?? 0, -FARTHEST, FARTHEST))];
    this.find(".sliders").replaceChildren(...rows);
    this.find("[data-share]").value = this.edit.share;
    for (const button of this.root.querySelectorAll("[data-end]")) button.setAttribute("aria-pressed", String(button.dataset.end === this.end));
    this.find("[data-do=undo]").disabled = !this.past.length;
    this.find("[data-do=redo]").disabled = !this.future.length;
  }

  #input(input) {
    if (input.type !== "range") return;
    if (!this.before) this.before = structuredClone(this.edit); // what Undo goes back to, once per drag
    const to = Number(input.value);
    if ("share" in input.dataset) this.edit.share = to;
    else if (input.dataset.slider === "truncation") this.edit.ends[this.end].truncation = to;
    else this.#amount(Number(input.dataset.slider), to);
    const said = input.closest("label").querySelector("output");
    if (said) said.textContent = to.toFixed(2);
    this.#draw();
  }

  #amount(index, to) {
    const { amounts } = this.edit.ends[this.end];
    while (amounts.length <= index) amounts.push(0);
    amounts[index] = to;
  }

  #change(input) {
    if (input.tagName === "SELECT" && input.value) {
      this.trigger("export", { what: input.value, ...this.edit });
      input.value = "";
    }
    if (input.type === "range" && this.before) this.#remember(this.before);
  }

  #remember(before) {
    this.past.push(before);
    this.future = [];
    this.before = null;
    this.#settle();
  }

  #settle() {
    this.find("[data-do=undo]").disabled = !this.past.length;
    this.find("[data-do=redo]").disabled = !this.future.length;
    this.#write(written(this.edit));
  }

  #write(text) {
    settle(this.tab, text ? { [PARAMETER]: text } : {}, PARAMETER);
  }

  #click({ do: act, end }) {
    if (end) {
      this.end = end;
      this.#lay();
    }
    const step = this.find(".step input").value;
    if (act?.startsWith("take")) this.trigger("take", { end: act === "take-a" ? "A" : "B", step: step === "" ? null : Number(step) });
    if (act === "drop") this.trigger("drop");
    if (act === "undo") this.#swap(this.past, this.future);
    if (act === "redo") this.#swap(this.future, this.past);
    if (act === "play") this.#play();
    if (act === "reset") {
      const before = this.edit;
      this.edit = blank();
      this.#remember(before);
      this.#lay();
      this.#draw();
    }
  }

  #swap(from, to) {
    if (!from.length) return;
    to.push(this.edit);
    this.edit = from.pop();
    this.#lay();
    this.#settle();
    this.#draw();
  }

  /** From A to B once. */
  async #play() {
    const button = this.find("[data-do=play]");
    button.disabled = true;
    const before = structuredClone(this.edit);
    for (let share = 0; share <= 1.0001; share += 0.04) {
      this.edit.share = Math.min(share, 1);
      this.find("[data-share]").value = this.edit.share;
      this.#draw();
      await new Promise((done) => setTimeout(done, FRAME));
    }
    button.disabled = false;
    this.#remember(before);
  }

  /** Ask for the pictures of the edit as it stands; of those asked for meanwhile only the last. */
  #draw() {
    if (!this.opened) return;
    this.root.dataset.busy = "";
    this.again = this.waiting;
    if (this.waiting) return;
    this.waiting = true;
    this.trigger("draw", { ...structuredClone(this.edit), number: ++this.number });
  }

  async #drawn({ number, pictures }) {
    if (number !== this.number) return;
    for (const [lane, picture] of Object.entries(pictures)) {
      const canvas = [...this.root.querySelectorAll(".results canvas")].find((each) => each.dataset.lane === lane);
      canvas?.getContext("2d").drawImage(await decode(picture, "webp"), 0, 0);
    }
    this.#rest();
    if (this.again) this.#draw();
  }

  /** Nothing is asked for any more. */
  #rest() {
    this.waiting = false;
    delete this.root.dataset.busy;
  }
}

function blank() {
  return { ends: { A: { amounts: [], truncation: 1 }, B: { amounts: [], truncation: 1 } }, share: 0 };
}

/** An edit as the address has it: each end as truncation and amounts, then the share; nothing where nothing is changed. */
function written({ ends, share }) {
  if (JSON.stringify({ ends, share }) === JSON.stringify(blank())) return "";
  return [...Object.values(ends).map(({ amounts, truncation }) => [truncation, ...amounts].map(short).join(",")), short(share)].join(";");
}

function read(text, { principal, own }) {
  const parts = text?.split(";");
  if (parts?.length !== 3) return null;
  const [a, b] = parts.slice(0, 2).map((part) => part.split(",").map(Number));
  const numbers = [...a, ...b, Number(parts[2])];
  if (numbers.some((number) => !Number.isFinite(number)) || Math.max(a.length, b.length) > principal + own.length + 1) return null;
  const end = ([truncation, ...amounts]) => ({ truncation, amounts });
  return { ends: { A: end(a), B: end(b) }, share: Number(parts[2]) };
}

function short(number) {
  return String(Number(number.toFixed(2)));
}

function figure(lane, side) {
  const made = document.createElement("figure");
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  canvas.dataset.lane = lane;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${lane}, edited`);
  made.append(canvas, Object.assign(document.createElement("figcaption"), { textContent: lane }));
  return made;
}

function slider(name, key, value, min, max) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "range", min, max, step: 0.05, value });
  input.dataset.slider = key;
  const said = Object.assign(document.createElement("output"), { textContent: Number(value).toFixed(2) });
  label.append(Object.assign(document.createElement("span"), { textContent: name }), input, said);
  return label;
}

export function mount(view) {
  return new Editing(view);
}

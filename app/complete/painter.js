/** Painting what is hidden on a picture: one byte per pixel, brush and eraser, undo, presets; by pointer or keys. */
import { decode } from "../views/frames.js";

const MOST_UNDO = 40;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Painter {
  constructor({ element, trigger, watch, value }) {
    this.root = element.querySelector(".painter");
    this.canvas = this.root.querySelector(".paper");
    this.trigger = trigger;
    this.visible = null; // Uint8Array, 1 visible
    this.past = [];
    this.hiding = true;
    this.brush = null; // where the ring is, in pixels of the mask
    this.veil = document.createElement("canvas");
    this.root.addEventListener("click", (event) => this.#click(event));
    this.#listen();
    watch("value", () => this.show(value()));
    this.show(value());
  }

  async show(message) {
    if (!message) return;
    this.told = message;
    this.root.querySelector("[data-label]").textContent = message.label;
    this.root.querySelector("[data-loss]").textContent = message.loss;
    this.painting = message.painting;
    this.root.classList.toggle("looking", !message.painting);
    this.canvas.tabIndex = message.painting ? 0 : -1;
    const picture = message.picture ? await decode(message.picture) : null;
    if (message !== this.told) return; // another one came meanwhile
    this.picture = picture;
    if (message.side !== this.side) this.#resized(message);
    if (!this.visible) {
      this.visible = bits(message.mask ?? this.presets.get(message.first).mask);
      this.#changed();
    } else if (message.mask && message.mask !== this.#text) {
      this.#remember();
      this.visible = bits(message.mask);
      this.#changed();
    }
    this.#draw();
  }

  /** Pictures of another model may have another side: its presets, and a mask that the server brings along. */
  #resized({ side, presets }) {
    this.side = side;
    Object.assign(this.veil, { width: side, height: side });
    this.presets = new Map(presets.map((preset) => [preset.name, preset]));
    this.root.querySelector(".presets").replaceChildren(...presets.map(presetButton));
    Object.assign(this, { visible: null, brush: null, past: [] });
    Object.assign(this.root.querySelector(".size input"), { max: Math.round(0.375 * side), value: Math.round(0.11 * side) });
  }

  get #text() {
    return Array.from(this.visible).join("");
  }

  get size() {
    return Number(this.root.querySelector(".size input").value);
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#stroke(event));
    canvas.addEventListener("pointermove", (event) => this.#hover(this.#place(event)));
    canvas.addEventListener("pointerleave", () => this.#hover(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.#hover(this.brush ?? [this.side / 2, this.side / 2]));
    canvas.addEventListener("blur", () => this.#hover(null));
    this.root.querySelector(".size input").addEventListener("input", () => this.#draw());
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.side, ((event.clientY - box.top) / box.height) * this.side];
  }

  #hover(place) {
    this.brush = this.painting ? place : null;
    this.#draw();
  }

  #stroke(event) {
    if (!this.visible || !this.painting || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#remember();
    let from = this.#place(event);
    this.#line(from, from);
    const move = (now) => {
      for (const each of now.getCoalescedEvents?.() ?? [now]) {
        const to = this.#place(each);
        this.#line(from, to);
        from = to;
      }
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("lostpointercapture", () => {
      this.canvas.removeEventListener("pointermove", move);
      this.#changed();
    }, { once: true });
  }

  /** Stamp the brush along a line, half a pixel at a time. */
  #line([x0, y0], [x1, y1]) {
    const stamps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
    for (let i = 0; i <= stamps; i++) this.#stamp(x0 + ((x1 - x0) * i) / stamps, y0 + ((y1 - y0) * i) / stamps);
    this.#draw();
  }

  /** Every pixel whose centre lies under the brush; the one under its middle always does. */
  #stamp(x, y) {
    const radius = this.size / 2;
    const to = this.hiding ? 0 : 1;
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(this.side - 1, y + radius); row++) {
      for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(this.side - 1, x + radius); column++) {
        const within = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius;
        if (within || (column === Math.floor(x) && row === Math.floor(y))) this.visible[row * this.side + column] = to;
      }
    }
  }

  #remember() {
    this.past.push(this.visible.slice());
    if (this.past.length > MOST_UNDO) this.past.shift();
  }

  #click(event) {
    const { tool, do: act, preset } = event.target.closest("button")?.dataset ?? {};
    if (tool) this.#take(tool === "hide");
    if (act || preset) this.#whole(act ?? "preset", preset);
  }

  #take(hiding) {
    this.hiding = hiding;
    for (const button of this.root.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String((button.dataset.tool === "hide") === hiding));
    }
    this.#draw();
  }

  #whole(act, preset) {
    if (!this.visible || (act === "undo" && !this.past.length)) return;
    if (act === "undo") this.visible = this.past.pop();
    else {
      this.#remember();
      if (act === "invert") this.visible = this.visible.map((value) => 1 - value);
      if (act === "clear") this.visible.fill(1);
      if (act === "preset") this.visible = bits(this.presets.get(preset).mask);
    }
    this.#changed();
    this.#draw();
  }

  #key(event) {
    if (event.altKey || !this.visible || !this.painting) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const plain = !event.ctrlKey && !event.metaKey;
    const acts = { e: () => this.#take(!this.hiding), i: () => this.#whole("invert"), "[": () => this.#resize(-1), "]": () => this.#resize(1) };
    if (key === "z") this.#whole("undo");
    else if (plain && MOVES[key]) this.#walk(MOVES[key], event.shiftKey ? 5 : 1);
    else if (plain && (key === " " || key === "Enter")) this.#dab();
    else if (plain && acts[key]) acts[key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #walk([dx, dy], by) {
    const [x, y] = this.brush ?? [this.side / 2, this.side / 2];
    const within = (value) => Math.min(Math.max(value, 0.5), this.side - 0.5);
    this.#hover([within(x + dx * by), within(y + dy * by)]);
  }

  #dab() {
    if (!this.brush) return;
    this.#remember();
    this.#line(this.brush, this.brush);
    this.#changed();
  }

  #resize(by) {
    this.root.querySelector(".size input").value = this.size + by;
    this.#draw();
  }

  /** The mask came to rest: say what it hides, and tell the server. */
  #changed() {
    const hidden = this.visible.reduce((sum, value) => sum + 1 - value, 0);
    const share = (100 * hidden) / this.visible.length;
    const words = hidden && share < 1 ? "less than 1" : String(Math.round(share));
    this.root.querySelector("[data-share]").textContent = `${words} % hidden`;
    this.root.querySelector("[data-do=undo]").disabled = !this.past.length;
    this.canvas.dataset.hidden = hidden;
    this.trigger("paint", { mask: this.#text });
  }

  #draw() {
    if (!this.visible || this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      const context = this.canvas.getContext("2d");
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      if (this.picture) context.drawImage(this.picture, 0, 0, this.canvas.width, this.canvas.height);
      if (this.painting) this.#drawVeil(context);
      if (this.brush) this.#drawRing(context);
    });
  }

  /** Hidden pixels are nearly covered, so that one sees what the search does not. */
  #drawVeil(context) {
    const image = new ImageData(this.side, this.side);
    this.visible.forEach((visible, i) => {
      if (visible) return;
      const light = ((i % this.side) + Math.floor(i / this.side)) % 4 < 2 ? 112 : 128;
      image.data.set([light, light, light, 225], 4 * i);
    });
    this.veil.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.veil, 0, 0, this.canvas.width, this.canvas.height);
  }

  #drawRing(context) {
    const scale = this.canvas.width / this.side;
    const [x, y] = this.brush.map((value) => value * scale);
    context.setLineDash(this.hiding ? [] : [6, 5]);
    for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.beginPath();
      context.arc(x, y, Math.max(2, (this.size / 2) * scale), 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
  }
}

function bits(text) {
  return Uint8Array.from(text, Number);
}

function presetButton({ name, label }) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  button.dataset.preset = name;
  return button;
}

export function mount(view) {
  return new Painter(view);
}

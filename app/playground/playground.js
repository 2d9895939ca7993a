import { asked, onOpen } from "../views/address.js";
import { keepFocus } from "../views/controls.js";
import { Inbox } from "../views/inbox.js";
import { Timeline } from "../views/timeline.js";
import { Charts, percent } from "./charts.js";
import { drawMaps } from "./drawing.js";
import { buildFields, fillFields, fromAddress, SEARCH, toAddress } from "./fields.js";
import { buildLessons } from "./lessons.js";
import { fieldOf, PlaneMap, scaleOf } from "./map.js";
import { Surfaces } from "./surfaces.js";
import { MODELS, outcome, progress } from "./words.js";

const BEFORE_REWIND = 350; // ms that the slider must rest before the server goes back
const ENDED = 300; // ms after a refusal, when its event is over: Gradio takes no second one until then
const NO_PATHS = { X: null, Z: null };

/** The playground: draws what the server tells of a training, and asks it for what a visitor presses. */
export function mount({ element, trigger, server, watch, value }) {
  new Playground(element, trigger, server, watch, value);
}

class Playground {
  constructor(element, trigger, server, watch, value) {
    Object.assign(this, { element, trigger, frames: new Map(), busy: false, earlier: [], paths: NO_PATHS });
    this.find = (selector) => element.querySelector(selector);
    const map = (name, onPick) => new PlaneMap(this.find(`[data-map=${name}]`), onPick);
    this.maps = {
      y: map("y", (place) => this.#aim(place)),
      x: map("x", (place) => this.ask("start", { place })),
      z: map("z", () => {}),
    };
    this.charts = new Charts(this.find, (buffer) => this.timeline.moveToValue(buffer));
    this.surfaces = new Surfaces(this.find("[data-plot]"));
    this.timeline = new Timeline(this.find("[data-timeline]"), {
      onMove: (index) => this.#look(index),
      describe: (index) => `buffer ${index} of ${this.settings?.buffers ?? 0}`,
    });
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#take(message));
    buildFields(this.find("[data-fields]"), (name, changed) => this.#change(name, changed));
    buildLessons(this.find("[data-lessons]"), (act) => this.#show(act));
    this.#listen();
    watch("value", () => value()?.messages.forEach((message) => this.inbox.receive(message)));
    this.ask("open", fromAddress(asked("playground")));
    onOpen("playground", (query) => this.ask("open", fromAddress(query)));
  }

  ask(event, data = {}) {
    this.trigger(event, data);
  }

  // --- what a visitor does

  #listen() {
    this.element.addEventListener("click", (event) => {
      const model = event.target.closest("[data-model]")?.dataset.model;
      if (model) this.open(model === "own" ? { model, first: this.#text("first"), second: this.#text("second") } : { model });
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act) this.#act(act);
    });
    this.find("[data-own]").addEventListener("submit", (event) => {
      event.preventDefault();
      this.open({ ...this.settings, model: "own", first: this.#text("first"), second: this.#text("second") });
    });
    this.element.addEventListener("change", (event) => {
      if (event.target.matches("[data-y]")) this.#aim([...this.element.querySelectorAll("[data-y]")].map((input) => Number(input.value)));
      if (event.target.matches("[data-layer]")) this.#layer(event.target);
      if (event.target.matches("[data-card]")) this.#load(event.target);
    });
  }

  /** The y that a visitor chose, if any. */
  get aim() {
    return this.chosen ? this.y.slice(0, 2) : null;
  }

  #text(name) {
    return this.find(`[data-own] [data-set=${name}]`).value;
  }

  #act(act) {
    const acts = {
      train: () => this.#train({}),
      phase: () => this.#train({ phase: true }),
      stop: () => this.ask("stop"),
      restart: () => this.open(this.settings, this.aim),
      defaults: () => this.open({ model: this.settings.model }),
      many: () => this.ask("aim", { place: "many" }),
      basins: () => this.#work("basins", "Descending from 961 starts in each space…"),
      origin: () => this.ask("start", { place: null }),
      measure: () => this.#work("measure", "Sweeping step sizes…"),
      export: () => this.#work("export", "Writing the files…"),
      surfaces: () => this.#drawSurfaces(),
    };
    acts[act]?.();
  }

  #train(how) {
    this.#work("train", "Waiting for a free processor…", { slow: this.find("[data-slow]").checked, ...how });
  }

  #work(event, words, data = {}) {
    if (this.busy) return;
    this.#become(event);
    this.#say(words);
    this.#notice(null);
    this.ask(event, data);
  }

  #aim(place) {
    this.basins = null;
    this.ask("aim", { place });
  }

  #layer(input) {
    if (input.dataset.layer === "basins" && input.checked && !this.basins) this.#act("basins");
    this.#draw();
  }

  async #load(input) {
    const [file] = input.files;
    if (file) this.#work("replay", "Training again what the card says…", { card: (await file.text()).slice(0, 100_000) });
    input.value = "";
  }

  #change(name, changed) {
    if (SEARCH.includes(name)) this.ask("search", { [name]: changed });
    else this.open({ ...this.settings, [name]: changed, ...(name === "z_dim" && changed !== 2 ? { begin: "random" } : {}) }, this.aim);
  }

  /** Begin with these settings; what happens `then` is pressed once they are there. */
  open(settings, y = null, then = null) {
    this.#notice(null);
    this.following = then;
    this.earlier = this.history?.length > 1 && settings.model === this.settings.model ? this.history : [];
    this.ask("open", { settings, y });
  }

  #show({ open, y, then }) {
    if (open) this.open(open, y ?? null, then);
    else if (y) this.#aim(y);
    else if (then) this.#act(then);
    this.element.scrollIntoView({ behavior: "smooth", block: "start" });
  }

  // --- what the server tells

  #take(message) {
    if (message.kind !== "scene" && message.run && message.run !== this.scene?.run) return; // of what stood here before
    const told = {
      scene: () => this.#scene(message),
      target: () => this.#target(message),
      frame: () => this.#frame(message),
      rest: () => this.#rest(message),
      swept: () => this.#swept(message),
      measured: () => this.#measured(message),
      basins: () => this.#basinsFound(message),
      said: () => this.#say(message.text),
      exported: () => this.#finished("The files were written."),
      error: () => this.#wrong(message.text),
    };
    told[message.kind]?.();
  }

  #scene(message) {
    Object.assign(this, {
      settings: message.settings, defaults: message.defaults, scene: message, history: [...message.history], frames: new Map(),
      paths: NO_PATHS, basins: null, furthest: message.buffer, at: message.buffer, then: this.following,
    });
    this.following = null;
    for (const button of this.element.querySelectorAll("[data-model]")) button.setAttribute("aria-pressed", button.dataset.model === this.settings.model);
    this.find("[data-own]").hidden = this.settings.model !== "own";
    this.find("[data-layer=basins]").checked = false;
    this.charts.clear();
    this.timeline.setTicks([0], 0);
    this.#become(false);
    this.#target(message);
    this.#say(MODELS[this.settings.model]);
  }

  #target(message) {
    Object.assign(this, { y: message.y, solutions: message.solutions, others: message.others, chosen: message.chosen, fieldX: fieldOf(message.x), basins: null });
    this.scale = scaleOf(this.fieldX, this.scene.tolerance);
    message.y.slice(0, 2).forEach((part, i) => { this.find(`[data-y="${i}"]`).value = Number(part.toFixed(3)); });
    this.#address();
  }

  #frame(message) {
    const buffer = message.buffer;
    const frame = { ...message, field: fieldOf(message.z) };
    if (message.settings) {
      Object.assign(this.settings, message.settings);
      this.#address();
    }
    this.frames.set(buffer, frame);
    message.history.forEach((entry, i) => { this.history[buffer - message.history.length + i] = entry; });
    this.furthest = Math.max(this.furthest, buffer);
    if (message.paths.X) this.paths = { ...message.paths };
    this.at = buffer;
    this.telling = true; // moving the slider here asks the server for nothing
    this.timeline.setTicks([...Array(this.furthest + 1).keys()], buffer);
    this.telling = false;
    if (this.busy === "train") this.#say(progress(frame, this.settings.buffers));
    if (message.whole && !this.busy) this.#next();
  }

  #rest({ buffer, done }) {
    const words = done ? `Θ was trained on all ${buffer} buffers.` : `Paused at buffer ${buffer}.`;
    this.#finished(`${words} ${outcome(this.paths, this.settings.limit)}`);
  }

  #swept(message) {
    this.charts.swept(message);
    this.#say("Counting steps on targets never trained on…");
  }

  #measured(message) {
    this.#finished(this.charts.measured(message));
  }

  #basinsFound({ lanes }) {
    this.basins = lanes;
    this.find("[data-layer=basins]").checked = true;
    this.#finished(`From ${percent(lanes.X.share)} of the starts in X and ${percent(lanes.Z.share)} of those in Z the descent arrives; dark ones do not. A colour is a solution.`);
    this.#draw();
  }

  // --- what is shown

  #look(buffer) {
    this.shown = this.frames.get(buffer) ?? this.#nearest(buffer);
    this.#draw();
    if (this.telling || this.busy || buffer === this.at) return;
    clearTimeout(this.rewinding);
    this.rewinding = setTimeout(() => { if (!this.timeline.timer && !this.busy) this.ask("rewind", { buffer }); }, BEFORE_REWIND);
  }

  #nearest(buffer) {
    const before = [...this.frames.keys()].filter((known) => known <= buffer);
    return this.frames.get(Math.max(...before));
  }

  #draw() {
    if (!this.shown || !this.scene) return;
    drawMaps(this);
    this.find("[data-phase]").textContent = this.shown.z.dim > 2 ? `Z has ${this.shown.z.dim} dimensions: a cut through two of them is drawn, at the end of the path.` : "";
    this.find("[data-act=origin]").hidden = !this.settings.start;
    this.charts.draw(this);
  }

  async #drawSurfaces() {
    this.find("[data-plot]").hidden = false;
    await this.surfaces.draw(this.scene, this.fieldX, this.shown, this.scale);
  }

  #address() {
    fillFields(this.element, this.settings);
    toAddress(this.settings, this.scene.defaults, this.aim);
  }

  // --- words and buttons

  #become(busy) {
    const held = document.activeElement;
    this.busy = busy;
    const ready = !busy && this.scene;
    this.find("[data-act=train]").hidden = Boolean(busy);
    this.find("[data-act=stop]").hidden = !busy;
    for (const act of ["train", "phase", "restart", "measure", "export"]) this.find(`[data-act=${act}]`).disabled = !ready;
    this.element.dataset.state = busy ? "running" : "rest";
    if (this.element.contains(held)) keepFocus(held, this.find(`[data-act=${busy ? "stop" : "train"}]`));
  }

  #finished(words) {
    this.#become(false);
    this.#say(words);
  }

  /** What was to follow once a forward model is there. */
  #next() {
    const { then } = this;
    this.then = null;
    if (then) this.#act(then);
  }

  #wrong(text) {
    this.#become(false);
    this.then = null;
    this.#notice(this.scene || this.refused ? text : `${text} The usual settings stand instead.`);
    if (this.scene || this.refused) return;
    this.refused = true; // the address: there must be something to look at all the same
    setTimeout(() => this.ask("open", { settings: {}, y: null }), ENDED);
  }

  #say(text) {
    this.find(".summary").textContent = text;
  }

  #notice(text) {
    const notice = this.find(".notice");
    notice.textContent = text ?? "";
    notice.hidden = !text;
  }
}

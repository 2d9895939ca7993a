import { asked, onOpen } from "../views/address.js";
import { keepFocus } from "../views/controls.js";
import { Inbox } from "../views/inbox.js";
import { Timeline } from "../views/timeline.js";
import { Charts, percent } from "./charts.js";
import { drawMaps } from "./drawing.js";
import { buildFields, fillFields, fromAddress, SEARCH, toAddress } from "./fields.js";
import { buildLessons } from "./lessons.js";
import { PlaneMap } from "./map.js";
import { Surfaces } from "./surfaces.js";
import { Training } from "./training.js";
import { MODELS, outcome, progress } from "./words.js";

const QUEUED = "Waiting for a free processor…";
const STOPS = { train: "Pause", measure: "Stop", basins: "Stop" }; // what can be stopped once it has begun
const GOES_ON = { replay: "Training again…", export: "Exporting…" }; // and what cannot
const DONE = "All buffers were taken: go back with the slider, press Restart, or ask for more below.";
const BEFORE_REWIND = 350; // ms that the slider must rest before the server goes back

/** The playground: draws what the server tells of a training, and asks it for what a visitor presses. */
export function mount({ element, trigger, server, watch, value }) {
  new Playground(element, trigger, server, watch, value);
}

class Playground {
  constructor(element, trigger, server, watch, value) {
    Object.assign(this, { element, ask: trigger, training: null, busy: false });
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
      describe: (index) => `buffer ${index} of ${this.training?.settings.buffers ?? 0}`,
    });
    this.inbox = new Inbox((run, since) => server.missed([run, since]), (message) => this.#take(message));
    buildFields(this.find("[data-fields]"), (name, changed) => this.#change(name, changed));
    buildLessons(this.find("[data-lessons]"), (act) => this.#show(act));
    this.#listen();
    watch("value", () => value()?.messages.forEach((message) => this.inbox.receive(message)));
    this.ask("open", { ...fromAddress(asked("playground")), first: true });
    onOpen("playground", (query) => this.ask("open", fromAddress(query)));
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
      this.open({ ...this.training?.settings, model: "own", first: this.#text("first"), second: this.#text("second") });
    });
    this.element.addEventListener("change", (event) => {
      if (event.target.matches("[data-y]")) this.#aim([...this.element.querySelectorAll("[data-y]")].map((input) => Number(input.value)));
      if (event.target.matches("[data-layer]")) this.#layer(event.target);
      if (event.target.matches("[data-card]")) this.#load(event.target);
    });
  }

  #text(name) {
    return this.find(`[data-own] [data-set=${name}]`).value;
  }

  #act(act) {
    if (!this.training) return;
    const acts = {
      train: () => this.#train({}),
      phase: () => this.#train({ phase: true }),
      stop: () => this.#stop(),
      restart: () => this.open(this.training.settings, this.training.aim),
      defaults: () => this.open({ model: this.training.settings.model }),
      many: () => this.ask("aim", { place: "many" }),
      basins: () => this.#work("basins", QUEUED),
      origin: () => this.ask("start", { place: null }),
      measure: () => this.#work("measure", QUEUED),
      export: () => this.#work("export", "Writing the files…"),
      surfaces: () => this.#drawSurfaces(),
    };
    acts[act]?.();
  }

  #train(how) {
    this.#work("train", QUEUED, { slow: this.find("[data-slow]").checked, ...how });
  }

  /** What waits for a processor is taken from the queue: a stop would be forgotten when it is begun. */
  #stop() {
    this.ask(this.waiting ? "cancel" : "stop", {});
    if (this.waiting) this.#finished("It was taken from the queue.");
  }

  #work(event, words, data = {}) {
    if (this.busy) return;
    this.#become(event, event !== "export"); // exports wait for nobody
    this.#say(words);
    this.#notice(null);
    this.ask(event, data);
  }

  #aim(place) {
    if (!this.training) return;
    this.training.basins = null;
    this.ask("aim", { place });
  }

  #layer(input) {
    if (input.dataset.layer === "basins" && input.checked && !this.training.basins) this.#act("basins");
    this.#draw();
  }

  async #load(input) {
    const [file] = input.files;
    if (file) this.#work("replay", QUEUED, { card: (await file.text()).slice(0, 100_000) });
    input.value = "";
  }

  #change(name, changed) {
    if (SEARCH.includes(name)) this.ask("search", { [name]: changed });
    else this.open({ ...this.training?.settings, [name]: changed, ...(name === "z_dim" && changed !== 2 ? { begin: "random" } : {}) }, this.training?.aim);
  }

  /** Begin with these settings; what happens `then` is pressed once they are there. */
  open(settings, y = null, then = null) {
    this.#notice(null);
    this.following = then;
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
    if (message.kind !== "scene" && message.run && message.run !== this.training?.scene.run) return; // of what stood here before
    const told = {
      scene: () => this.#scene(message),
      target: () => this.#target(message),
      frame: () => this.#frame(message),
      rest: () => this.#rest(message),
      swept: () => this.#swept(message),
      measured: () => this.#measured(message),
      basins: () => this.#basinsFound(message),
      begun: () => this.#begun(message.text),
      stopped: () => this.#finished(message.text),
      said: () => this.#say(message.text),
      exported: () => this.#finished("The files were written."),
      error: () => this.#wrong(message.text),
    };
    told[message.kind]?.();
  }

  #scene(message) {
    this.training = new Training(message, this.training);
    Object.assign(this, { at: message.buffer, then: this.following, following: null, shown: null });
    const { model } = message.settings;
    for (const button of this.element.querySelectorAll("[data-model]")) button.setAttribute("aria-pressed", button.dataset.model === model);
    this.find("[data-own]").hidden = model !== "own";
    this.find("[data-layer=basins]").checked = false;
    this.charts.clear();
    this.timeline.setTicks([0], 0);
    this.#become(false);
    this.#aimed();
    this.#say(MODELS[model]);
  }

  #target(message) {
    this.training.aimed(message);
    this.#aimed();
  }

  #aimed() {
    this.training.y.slice(0, 2).forEach((part, i) => { this.find(`[data-y="${i}"]`).value = Number(part.toFixed(3)); });
    this.#address();
  }

  #frame(message) {
    const { training } = this;
    const frame = training.take(message);
    if (message.settings) this.#address();
    if (!message.whole && this.waiting) this.#become(this.busy);
    this.at = frame.buffer;
    this.telling = true; // moving the slider here asks the server for nothing
    this.timeline.setTicks([...Array(training.furthest + 1).keys()], frame.buffer);
    this.telling = false;
    if (this.busy === "train") this.#say(progress(frame, training.settings.buffers));
    if (message.whole && !this.busy) this.#next();
  }

  #begun(text) {
    this.#become(this.busy);
    this.#say(text);
  }

  #rest({ buffer, done }) {
    const words = done ? `Θ was trained on all ${buffer} buffers.` : `Paused at buffer ${buffer}.`;
    this.#finished(`${words} ${outcome(this.training.paths, this.training.settings.limit)}`);
  }

  #swept(message) {
    this.charts.swept(message);
    this.#say("Counting steps on targets never trained on…");
  }

  #measured(message) {
    this.#finished(this.charts.measured(message));
  }

  #basinsFound({ lanes }) {
    this.training.basins = lanes;
    this.find("[data-layer=basins]").checked = true;
    this.#finished(`From ${percent(lanes.X.share)} of the starts in X and ${percent(lanes.Z.share)} of those in Z the descent arrives; dark ones do not. A colour is a solution.`);
    this.#draw();
  }

  // --- what is shown

  #look(buffer) {
    this.shown = this.training?.at(buffer);
    this.#draw();
    if (this.telling || this.busy || buffer === this.at) return;
    clearTimeout(this.rewinding);
    this.rewinding = setTimeout(() => { if (!this.timeline.timer && !this.busy) this.ask("rewind", { buffer }); }, BEFORE_REWIND);
  }

  #draw() {
    const { training, shown } = this;
    if (!shown || !training) return;
    drawMaps(training, shown, this.maps, (name) => this.find(`[data-layer=${name}]`).checked);
    this.find("[data-phase]").textContent = shown.z.dim > 2 ? `Z has ${shown.z.dim} dimensions: a cut through two of them is drawn, at the end of the path.` : "";
    this.find("[data-act=origin]").hidden = !training.settings.start;
    this.charts.draw(training, shown);
  }

  async #drawSurfaces() {
    this.find("[data-plot]").hidden = false;
    await this.surfaces.draw(this.training, this.shown);
  }

  #address() {
    const { settings, defaults, aim } = this.training;
    fillFields(this.element, settings);
    toAddress(settings, defaults, aim);
  }

  // --- words and buttons

  /** At rest, or busy with what was asked for, which waits for a processor until the server tells that it has begun. */
  #become(busy, waiting = false) {
    const held = document.activeElement;
    Object.assign(this, { busy, waiting });
    const ready = !busy && this.training;
    const stop = this.find("[data-act=stop]");
    this.find("[data-act=train]").hidden = Boolean(busy);
    stop.hidden = !busy;
    stop.textContent = waiting ? "Cancel" : STOPS[busy] ?? GOES_ON[busy] ?? "";
    stop.disabled = !waiting && !STOPS[busy];
    for (const act of ["restart", "measure", "export"]) this.find(`[data-act=${act}]`).disabled = !ready;
    const done = ready && this.at === this.training.settings.buffers;
    for (const act of ["train", "phase"]) this.find(`[data-act=${act}]`).disabled = !ready || done;
    this.find("[data-act=train]").title = done ? DONE : "";
    this.element.dataset.state = busy ? "running" : "rest";
    if (this.element.contains(held)) keepFocus(held, busy ? stop : this.find("[data-act=train]"));
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
    this.#notice(text);
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

/**
 * A scrubber with playback and keys, over any rising list of ticks (steps or seconds).
 * Reusable: `new Timeline(element, {onMove, describe})`, then `setTicks(ticks)` whenever they grow.
 * While it stands on the last tick it follows the end, so a live run plays itself.
 */
const MARKUP = `
  <div class="buttons" role="group" aria-label="Playback">
    <button type="button" disabled data-go="first" aria-label="First step" title="First step (Home)"><svg viewBox="0 0 16 16"><path d="M3 3v10M13 3 6 8l7 5z"/></svg></button>
    <button type="button" disabled data-go="back" aria-label="One step back" title="One step back (←)"><svg viewBox="0 0 16 16"><path d="M11 3 4 8l7 5z"/></svg></button>
    <button type="button" disabled data-go="play" aria-label="Play" title="Play or pause (space)"><svg viewBox="0 0 16 16"><path class="when-paused" d="M4 2.5 13 8l-9 5.5z"/><path class="when-playing" d="M4 3h3v10H4zM9 3h3v10H9z"/></svg></button>
    <button type="button" disabled data-go="forth" aria-label="One step forward" title="One step forward (→)"><svg viewBox="0 0 16 16"><path d="M5 3l7 5-7 5z"/></svg></button>
    <button type="button" disabled data-go="last" aria-label="Last step" title="Last step (End)"><svg viewBox="0 0 16 16"><path d="M13 3v10M3 3l7 5-7 5z"/></svg></button>
  </div>
  <input type="range" min="0" max="0" value="0" step="1" aria-label="Step shown" disabled />
  <output></output>
  <label class="speed"><span class="hidden-label">Playback speed</span><select><option value="0.25">¼×</option><option value="1" selected>1×</option><option value="4">4×</option></select></label>`;
const KEYS = { ArrowLeft: "back", ArrowRight: "forth", Home: "first", End: "last", " ": "play" };
const TICKS_PER_SECOND = 12;
const LONGEST_SECONDS = 15;
const timelines = new WeakMap(); // by their elements
let held = null; // the one that was moved by hand last

export class Timeline {
  /**
   * @param {HTMLElement} element filled with the controls
   * @param {{onMove: (index: number) => void, describe: (index: number) => string}} options
   */
  constructor(element, { onMove, describe }) {
    element.innerHTML = MARKUP;
    this.element = element;
    this.range = element.querySelector("input");
    this.output = element.querySelector("output");
    this.speed = element.querySelector("select");
    this.onMove = onMove;
    this.describe = describe;
    this.ticks = [];
    this.index = 0;
    this.timer = null;
    this.range.addEventListener("input", () => this.#byHand(Number(this.range.value)));
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-go]");
      if (button) this.go(button.dataset.go);
    });
    timelines.set(element, this);
  }

  /** Whether it can be moved: it is in sight, and there is something to move over. */
  get movable() {
    return this.ticks.length > 1 && this.element.checkVisibility();
  }

  /** Whether it stands on the last tick, and so follows the end. */
  get atEnd() {
    return this.index >= this.ticks.length - 1 && !this.timer;
  }

  /** New ticks, more or others; `index` moves there, otherwise the end is followed or the place is kept. */
  setTicks(ticks, index) {
    const following = this.atEnd;
    this.ticks = [...ticks]; // the caller's array may go on growing
    this.range.max = Math.max(0, ticks.length - 1);
    this.range.disabled = ticks.length < 2;
    for (const button of this.element.querySelectorAll("button")) button.disabled = ticks.length < 2;
    this.moveTo(index ?? (following ? ticks.length - 1 : this.index));
  }

  /** Show the tick at an index, brought into range. */
  moveTo(index) {
    this.index = Math.max(0, Math.min(index, this.ticks.length - 1));
    this.range.value = this.index;
    const text = this.ticks.length ? this.describe(this.index) : "";
    this.output.textContent = text;
    this.range.setAttribute("aria-valuetext", text);
    this.onMove(this.index);
  }

  /** Show the tick nearest to a value. */
  moveToValue(value) {
    let best = 0;
    this.ticks.forEach((tick, i) => {
      if (Math.abs(tick - value) < Math.abs(this.ticks[best] - value)) best = i;
    });
    this.#byHand(best);
  }

  /** "first", "back", "play", "forth" or "last"; `stride` ticks for back and forth. */
  go(where, stride = 1) {
    if (this.ticks.length < 2) return;
    if (where === "play") {
      held = this;
      if (this.timer) this.pause();
      else this.play();
      return;
    }
    const to = { first: 0, back: this.index - stride, forth: this.index + stride, last: this.ticks.length - 1 }[where];
    this.#byHand(to);
  }

  play() {
    if (this.index >= this.ticks.length - 1) this.moveTo(0);
    this.#playing(true);
    let before = performance.now();
    let owed = 0;
    const advance = (now) => {
      const pace = Math.max(TICKS_PER_SECOND, this.ticks.length / LONGEST_SECONDS) * Number(this.speed.value);
      owed += ((now - before) / 1000) * pace;
      before = now;
      if (owed >= 1) {
        this.moveTo(this.index + Math.floor(owed));
        owed %= 1;
      }
      if (this.index >= this.ticks.length - 1) this.pause();
      else this.timer = requestAnimationFrame(advance);
    };
    this.timer = requestAnimationFrame(advance);
  }

  pause() {
    cancelAnimationFrame(this.timer);
    this.#playing(false);
  }

  #byHand(index) {
    held = this;
    this.pause();
    this.moveTo(index);
  }

  #playing(yes) {
    if (!yes) this.timer = null;
    this.element.classList.toggle("playing", yes);
    this.element.querySelector("[data-go=play]").setAttribute("aria-label", yes ? "Pause" : "Play");
  }
}

/** Of several scrubbers in sight the keys move one: that in whose view the focus is, else the one last moved, else the first. */
function keyed(target) {
  const movable = [...document.querySelectorAll("[data-timeline]")].map((element) => timelines.get(element)).filter((each) => each?.movable);
  const beside = movable.find((each) => each.element.closest(".race").contains(target));
  return beside ?? (movable.includes(held) ? held : movable[0]);
}

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog")) return;
  const timeline = keyed(event.target);
  const control = event.target.closest("input, textarea, select, button, summary, [contenteditable], [role=listbox], [role=tab]");
  if (!timeline || (control && control !== timeline.range && !(control.matches("button:not([role=tab]), summary") && event.key !== " "))) return;
  event.preventDefault();
  timeline.go(action, event.shiftKey ? 10 : 1);
});

/** Run, Stop, Continue and what there is to do after a run (`data-after-run`): which of them there are, by the state. */

const BUSY = ["waiting", "running", "stopping"];
const DOUBLE_CLICK = 500; // ms
const STOP_WORDS = { waiting: "Cancel", running: "Stop", stopping: "Stopping…" };

export class Controls {
  /**
   * @param {HTMLElement} element holds the buttons and the notice of toolbar.jinja; Continue and Export may be missing
   * @param {(act: string, steps: number) => void} onAct called with run, stop, cancel, more, export or whatever `data-act` a button has
   */
  constructor(element, onAct) {
    this.element = element;
    this.state = "idle";
    this.pressed = 0; // when Run was: Stop then comes under the pointer, and the second click of two is not meant for it
    element.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act === "stop" && (event.detail > 1 || event.timeStamp - this.pressed < DOUBLE_CLICK)) return;
      if (act === "run") this.pressed = event.timeStamp; // when it was pressed, however late a busy page hears of it
      if (act) onAct(act === "stop" && this.state === "waiting" ? "cancel" : act, Number(this.#more?.value));
    });
  }

  get busy() {
    return BUSY.includes(this.state);
  }

  get #more() {
    return this.element.querySelector("[data-more]");
  }

  /** idle (nothing run yet), waiting (asked for), running, stopping or rest; `runs` is how many there are. */
  become(state, runs) {
    const held = document.activeElement;
    this.state = state;
    this.element.dataset.state = state;
    const button = (act) => this.element.querySelector(`[data-act=${act}]`);
    if (this.busy) this.notice(null);
    button("run").hidden = this.busy;
    button("run").textContent = runs ? "Run again" : "Run";
    button("stop").hidden = !this.busy;
    button("stop").textContent = STOP_WORDS[state] ?? "Stop";
    for (const each of this.element.querySelectorAll("[data-act=export], [data-after-run]")) each.hidden = this.busy || !runs;
    if (button("export")) button("export").textContent = `Export run ${runs}`;
    if (this.#more) this.element.querySelector(".further").hidden = state !== "rest" || this.#more.value < 1;
    if (this.element.contains(held)) keepFocus(held, button(this.busy ? "stop" : "run"));
  }

  /** The page has its settings and a target: Run can be pressed. */
  ready() {
    this.element.querySelector("[data-act=run]").disabled = false;
  }

  /** How many further steps to offer; none hides the offer. */
  offer(steps) {
    if (this.#more) this.#more.value = steps;
  }

  /** A sentence above the pictures, or none. */
  notice(text) {
    const notice = this.element.querySelector(".notice");
    notice.textContent = text ?? "";
    notice.hidden = !text;
  }
}

/** A button that is hidden while it has the focus hands it on, so that keys go on from there. */
export function keepFocus(held, next) {
  if (!held.checkVisibility()) next.focus({ preventScroll: true });
}

/**
 * Run, Stop, Continue and what there is to do after a run (`data-after-run`): which of them there are, by the state.
 * The buttons are written here, into the places that a template's toolbar has for them: `data-place` run, more (with
 * `data-most`, the most steps, and `data-usual`, how many are offered first), landscape and export.
 */

const BUSY = ["waiting", "running", "stopping"];
const STOP_WORDS = { waiting: "Cancel", running: "Stop", stopping: "Stopping…" };
const PLACES = {
  run: () => `<button type="button" class="primary" data-act="run" disabled>Run</button>
    <button type="button" class="primary stop" data-act="stop" hidden>Stop</button>`,
  more: ({ most, usual }) => `<span class="further" hidden><button type="button" data-act="more">Continue</button>
    <label><input type="number" min="1" max="${most}" value="${usual}" data-more aria-label="Further steps" /> steps</label></span>`,
  landscape: () => `<button type="button" data-act="landscape" data-after-run title="The loss around this run's paths" hidden>Landscape</button>`,
  export: () => `<button type="button" data-act="export" hidden>Export</button>`,
};

export class Controls {
  /**
   * @param {HTMLElement} element holds a `.toolbar` with places for buttons
   * @param {(act: string, steps: number) => void} onAct called with run, stop, cancel, more, export or whatever `data-act` a button has
   */
  constructor(element, onAct) {
    this.element = element;
    this.state = "idle";
    for (const place of element.querySelectorAll("[data-place]")) place.outerHTML = PLACES[place.dataset.place](place.dataset);
    element.querySelector(".toolbar").insertAdjacentHTML("afterend", `<p class="notice" role="alert" hidden></p>`);
    element.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
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

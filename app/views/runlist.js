/** The runs of a tab under the chart: show, hide, compare, and take up a run's settings again. */
import { number } from "./words.js";

export class RunList {
  /**
   * @param {HTMLUListElement} element
   * @param {{onShow, onToggle, onRestore: (run: object) => void}} options
   */
  constructor(element, options) {
    this.element = element;
    this.options = options;
    this.signature = "";
  }

  /** Draw the runs, latest first; nothing is touched when nothing changed, so that focus stays where it is. */
  draw(runs, shown) {
    const last = runs.at(-1);
    const rows = [...runs].reverse().map((run) => {
      const goesOn = run === last && !run.kept;
      return { run, ...describe(run, shown ?? last, { current: shown === run, goesOn }) };
    });
    const signature = JSON.stringify(rows.map(({ run, ...rest }) => rest));
    if (signature === this.signature) return;
    this.signature = signature;
    this.element.replaceChildren(...rows.map((row) => this.#row(row)));
  }

  #row({ run, title, detail, losses, current, visible, card }) {
    const item = document.createElement("li");
    item.className = current ? "current" : "";
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", checked: visible, disabled: current, title: "In the chart" });
    box.setAttribute("aria-label", `${title} in the chart`);
    box.addEventListener("change", () => {
      run.visible = box.checked;
      this.options.onToggle(run);
    });
    const show = button(title, "link", () => this.options.onShow(run));
    show.title = "Look at this run";
    const words = Object.assign(document.createElement("span"), { className: "detail", textContent: detail });
    const ends = Object.assign(document.createElement("span"), { className: "losses" });
    for (const [name, loss, cell] of losses) {
      ends.append(Object.assign(document.createElement("span"), { className: cell.toLowerCase().replace("1", ""), textContent: `${name} ${loss}` }));
    }
    const restore = button("Use its settings", "link", () => this.options.onRestore(run));
    const save = button("Export", "link", () => this.options.onExport(run));
    save.setAttribute("aria-label", `Export ${title}`);
    save.title = "A run that the server has no longer is taken again for it";
    restore.disabled = save.disabled = !card;
    item.append(box, show, words, ends, restore, save);
    return item;
  }
}

function describe(run, reference, { current, goesOn }) {
  const changes = run === reference ? [] : run.differences(reference);
  const same = run === reference ? run.label : "same settings";
  const steps = run.steps.at(-1) ?? 0;
  const taken = `${steps} ${steps === 1 ? "step" : "steps"}${run.end || goesOn ? "" : ", unfinished"}`;
  const losses = run.bests().map(([name, best, cell]) => [name, best === Infinity ? "–" : number(best), cell]);
  const detail = [taken, changes.length ? changes.join(", ") : same].join(" · ");
  return { title: `Run ${run.number}`, detail, losses: run.end ? losses : [], current, visible: run.visible, card: Boolean(run.card) };
}

function button(text, className, onClick) {
  const made = Object.assign(document.createElement("button"), { type: "button", className, textContent: text });
  made.addEventListener("click", onClick);
  return made;
}

/** The runs of a tab under the chart: show, hide, compare, and take up a run's settings again. */
import { number } from "./words.js";

export class RunList {
  /**
   * @param {HTMLUListElement} element
   * @param {{onShow, onToggle, onRestore, onExport: (run: object) => void}} options
   */
  constructor(element, options) {
    Object.assign(this, { element, options, rows: new WeakMap() }); // by their runs
  }

  /** Draw the runs, latest first. Rows stay and are only told anew, many times a second: a click takes longer, and so does focus. */
  draw(runs, shown) {
    const last = runs.at(-1);
    const items = [...runs].reverse().map((run) => {
      if (!this.rows.has(run)) this.rows.set(run, this.#row(run));
      const { item, fill } = this.rows.get(run);
      fill(describe(run, shown ?? last, { current: shown === run, goesOn: run === last && !run.kept }));
      return item;
    });
    const { children } = this.element;
    for (const gone of [...children].filter((item) => !items.includes(item))) gone.remove();
    items.forEach((item, i) => { if (children[i] !== item) this.element.insertBefore(item, children[i] ?? null); });
  }

  /** A run's row, and what fills in all that changes of it. */
  #row(run) {
    const title = `Run ${run.number}`;
    const item = document.createElement("li");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", title: "In the chart" });
    box.setAttribute("aria-label", `${title} in the chart`);
    box.addEventListener("change", () => {
      run.visible = box.checked;
      this.options.onToggle(run);
    });
    const show = button(title, "link", () => this.options.onShow(run));
    show.title = "Look at this run";
    const words = Object.assign(document.createElement("span"), { className: "detail" });
    const ends = Object.assign(document.createElement("span"), { className: "losses" });
    const restore = button("Use its settings", "link", () => this.options.onRestore(run));
    const save = button("Export", "link", () => this.options.onExport(run));
    save.setAttribute("aria-label", `Export ${title}`);
    save.title = "A run that the server has no longer is taken again for it";
    item.append(box, show, words, ends, restore, save);
    const fill = ({ detail, losses, current }) => {
      item.className = current ? "current" : "";
      Object.assign(box, { checked: run.visible, disabled: current });
      words.textContent = detail;
      ends.replaceChildren(...losses.map(([name, loss, cell]) =>
        Object.assign(document.createElement("span"), { className: cell.toLowerCase().replace("1", ""), textContent: `${name} ${loss}` })));
      restore.disabled = save.disabled = !run.card;
    };
    return { item, fill };
  }
}

function describe(run, reference, { current, goesOn }) {
  const changes = run === reference ? [] : run.differences(reference);
  const same = run === reference ? run.label : "same settings";
  const steps = run.steps.at(-1) ?? 0;
  const taken = `${steps} ${steps === 1 ? "step" : "steps"}${run.end || goesOn ? "" : ", unfinished"}`;
  const losses = run.bests().map(([name, best, cell]) => [name, best === Infinity ? "–" : number(best), cell]);
  const detail = [taken, changes.length ? changes.join(", ") : same].join(" · ");
  return { detail, losses: run.end ? losses : [], current };
}

function button(text, className, onClick) {
  const made = Object.assign(document.createElement("button"), { type: "button", className, textContent: text });
  made.addEventListener("click", onClick);
  return made;
}

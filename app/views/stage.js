/** The pictures of a race: the target, the encoder's guess, and every lane with what it measures at the step shown. */
import { byCell } from "./columns.js";
import { Looks, paintBeside } from "./compare.js";
import { paint } from "./frames.js";
import { FullScreen } from "./full.js";
import { explain } from "./glossary.js";
import { clock, number } from "./words.js";

export class Stage {
  /** @param {HTMLElement} element holds `.lane` figures, those of lanes with a `data-cell` (the guess may be missing), and looks */
  constructor(element) {
    this.element = element;
    this.looks = new Looks(element.querySelector(".looks"), () => this.#paintAll());
    new FullScreen(element, element.querySelector("[data-full]"));
    this.target = null;
    this.guess = null;
    this.drawn = new Map();
    this.cells = [...element.querySelectorAll("[data-cell]")];
    for (const cell of this.cells) this.#listen(canvasOf(cell));
  }

  #paintAll() {
    for (const [canvas, bitmap] of this.drawn) this.#paint(canvas, bitmap);
  }

  /** Show a target with its label and credit; `encoder` is {loss, psnr} with its picture `guess`, null where there is none, and
   * left out before a run. */
  showTarget(target, label, { encoder, guess = null, credit = "" } = {}) {
    this.target = target;
    this.#paint(canvasOf(this.element.querySelector(".target")), target);
    this.#say("[data-target-label]", label);
    this.#say("[data-target-credit]", credit);
    const place = this.element.querySelector(".guess");
    if (!place) return;
    place.classList.toggle("off", encoder === null);
    this.#paint(canvasOf(place), guess);
    place.querySelector(".reading").replaceChildren(...(encoder ? measured(encoder.loss, encoder.psnr === null ? [] : [`${encoder.psnr.toFixed(1)} dB`]) : []));
  }

  /** Say by what each lane of a table descends; lanes that it does not have are switched off, unless nothing is known of any. */
  name(table) {
    const lanes = byCell(table);
    for (const cell of this.cells) {
      const lane = lanes[cell.dataset.cell];
      const how = cell.querySelector("[data-how]");
      const off = !lane && Object.keys(lanes).length > 0;
      if (off) this.#empty(cell);
      cell.classList.toggle("off", off);
      how.textContent = lane?.optimiser ?? how.dataset.how;
      explain(cell.querySelector("figcaption"));
      cell.querySelector("figcaption").title = lane ? `${how.dataset.how}, ${lane.optimiser}, ${lane.settings}` : "";
    }
  }

  /** Empty all reconstructions. */
  clear() {
    for (const cell of this.cells) {
      cell.classList.remove("off");
      this.#empty(cell);
    }
  }

  #empty(cell) {
    this.#paint(canvasOf(cell), null);
    cell.querySelector(".reading").replaceChildren();
    cell.querySelector("[data-best]").hidden = true;
  }

  /** Show every lane of a run where it stands at a tick of the axis. */
  look(run, axis, tick) {
    for (const name of Object.keys(run.lanes)) {
      const cell = this.element.querySelector(`[data-cell="${run.cell(name)}"]`);
      const at = run.place(name, axis, tick);
      const picture = at < 0 ? null : run.pictures[name].at(run.steps[at]);
      this.#paint(canvasOf(cell), picture?.bitmap);
      cell.querySelector(".reading").replaceChildren(...readings(run, name, at, picture));
      const best = run.end?.lanes[name].best;
      const link = cell.querySelector("[data-best]");
      link.hidden = !best;
      link.dataset.best = name;
      if (best) link.textContent = `Best: ${number(best.loss)} at step ${best.step}`;
    }
  }

  #say(selector, text) {
    const place = this.element.querySelector(selector);
    if (place) place.textContent = text ?? "";
  }

  #paint(canvas, bitmap) {
    this.drawn.set(canvas, bitmap);
    paintBeside(canvas, bitmap, bitmap === this.target ? null : this.target, this.looks);
    canvas.parentElement.classList.toggle("blank", !bitmap);
  }

  /** Pressing on a reconstruction shows the target in its place, or moves the line that divides them. */
  #listen(canvas) {
    canvas.title = "Hold to see the target here";
    const held = () => {
      if (this.target && this.drawn.get(canvas)) paint(canvas, this.target, this.looks.smooth);
    };
    this.looks.listen(canvas, held);
  }
}

function canvasOf(figure) {
  return figure.querySelector(".frame canvas");
}

function readings(run, name, at, picture) {
  if (at < 0) return ["not begun"];
  const lane = run.lanes[name];
  const parts = [`step ${run.steps[at]}`, clock(lane.seconds[at])];
  if (lane.psnr[at] !== null) parts.unshift(`${lane.psnr[at].toFixed(1)} dB`);
  if (!picture) parts.push("picture let go to save memory");
  else if (picture.step !== run.steps[at]) parts.push(`picture of step ${picture.step}`);
  return measured(lane.loss[at], parts);
}

/** A loss, called so, over what else is known. */
function measured(loss, parts) {
  const value = Object.assign(document.createElement("b"), { textContent: number(loss) });
  value.prepend(Object.assign(document.createElement("small"), { textContent: "loss " }));
  const rest = Object.assign(document.createElement("span"), { textContent: parts.join(" · ") });
  return [value, rest];
}

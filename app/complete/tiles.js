/** The tiles of one lane: K pictures cut from a sheet, each with its loss; whole, or with the visible part put back. */
import { number } from "../views/words.js";

export class Tiles {
  /** @param {HTMLElement} element holds `h2`, `dl` and `ol.tiles` as in gallery.html */
  constructor(element, onPick) {
    this.element = element;
    this.cell = element.dataset.cell;
    this.name = null; // the lane of the run that stands here
    this.list = element.querySelector(".tiles");
    this.figures = element.querySelector("dl");
    this.how = element.querySelector("h2 span");
    this.list.addEventListener("click", (event) => {
      const index = event.target.closest("button")?.dataset.index;
      if (index !== undefined) onPick(this.name, Number(index));
    });
  }

  /** Lay out tiles of `side` pixels for these completions, in this order; kept where nothing changed. */
  lay(order, chosen, side) {
    const wanted = `${side}: ${order.join()}`;
    if (wanted !== this.laid) {
      this.laid = wanted;
      this.list.replaceChildren(...order.map((index) => tile(this.name, index, side)));
    }
    for (const button of this.list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(chosen === Number(button.dataset.index)));
    }
  }

  /** Draw the pictures of a decoded sheet and their losses. `visible` is the part to put back, or null. */
  draw(sheet, losses, visible) {
    this.sheet = sheet;
    this.visible = visible;
    for (const button of this.list.querySelectorAll("button")) {
      const index = Number(button.dataset.index);
      this.paint(button.querySelector("canvas"), index);
      button.querySelector("span").textContent = losses ? number(losses[index]) : "";
    }
  }

  /** One completion as it is shown. */
  picture(index, side) {
    const canvas = new OffscreenCanvas(side, side);
    this.paint(canvas, index);
    return canvas;
  }

  paint(canvas, index) {
    const context = canvas.getContext("2d");
    const side = canvas.width;
    context.clearRect(0, 0, side, side);
    if (!this.sheet) return;
    context.drawImage(this.sheet, index * side, 0, side, side, 0, 0, side, side);
    if (this.visible) context.drawImage(this.visible, 0, 0);
  }

  /** Take the lane that a run has in this place, if any. */
  take(run) {
    this.name = Object.keys(run.lanes).find((name) => run.cell(name) === this.cell) ?? null;
    this.head(run.table[this.name]);
    this.laid = null;
    if (!this.name) this.list.replaceChildren();
  }

  /** Say in the heading by what a lane descends, {optimiser, settings}; there may be none. */
  head(lane) {
    this.element.classList.toggle("off", !lane);
    this.how.textContent = lane?.optimiser ?? "off";
    this.how.parentElement.title = lane ? `${this.how.dataset.how}, ${lane.optimiser}, ${lane.settings}` : "";
  }

  /** Fidelity and diversity: [words, value, explanation]. */
  say(rows) {
    this.figures.replaceChildren(...rows.map(([words, value, title]) => {
      const row = document.createElement("div");
      row.title = title;
      row.append(Object.assign(document.createElement("dt"), { textContent: words }), Object.assign(document.createElement("dd"), { textContent: value }));
      return row;
    }));
  }
}

function tile(name, index, side) {
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.index = index;
  button.setAttribute("aria-label", `Completion ${index + 1} in ${name}`);
  button.append(Object.assign(document.createElement("canvas"), { width: side, height: side }), document.createElement("span"));
  item.append(button);
  return item;
}

/** The part of a picture that was visible: a bitmap, transparent where hidden. */
export async function visiblePart(bitmap, mask) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  for (let i = 0; i < mask.length; i++) if (mask[i] === "0") image.data[4 * i + 3] = 0;
  return createImageBitmap(image);
}

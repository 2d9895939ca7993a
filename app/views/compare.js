/** A reconstruction seen beside its target: as it is, divided from it by a line that one moves, or as the difference of both. */
import { paint } from "./frames.js";

const WORST = 0.5; // of the range of a channel: a difference that large or larger has the last colour
const COLOURS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]; // dark to bright, also in grey
const LEGEND = {
  picture: "",
  divided: "Left of the line the target, right of it what was found; drag the line.",
  difference: `Mean difference of the channels from the target: dark is none, bright ${100 * WORST} % of the range or more.`,
};

/** Draw a picture as `look` says: {how: "picture" | "divided" | "difference", at: 0 to 1, smooth}. */
export function paintBeside(canvas, bitmap, target, { how, at, smooth }) {
  if (!bitmap || !target || how === "picture") return paint(canvas, bitmap, smooth);
  if (how === "difference") return paint(canvas, difference(bitmap, target), smooth);
  paint(canvas, bitmap, smooth);
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.drawImage(target, 0, 0, at * target.width, target.height, 0, 0, at * width, height);
  context.fillStyle = "#fff";
  context.fillRect(at * width - 2, 0, 4, height);
  context.fillStyle = "#000";
  context.fillRect(at * width - 0.5, 0, 1, height);
}

function difference(bitmap, target) {
  const { width, height } = bitmap;
  const [ours, theirs] = [bitmap, target].map((picture) => pixels(picture, width, height));
  for (let i = 0; i < ours.data.length; i += 4) {
    let sum = 0;
    for (let channel = i; channel < i + 3; channel += 1) sum += Math.abs(ours.data[channel] - theirs.data[channel]);
    ours.data.set(colour(sum / 3 / 255 / WORST), i);
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(ours, 0, 0);
  return canvas;
}

function pixels(picture, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** A colour of the scale at a share from 0 to 1. */
function colour(share) {
  const place = Math.min(share, 1) * (COLOURS.length - 1);
  const below = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[below].map((from, k) => Math.round(from + (COLOURS[below + 1][k] - from) * (place - below)));
}

/** The choice of how pictures are looked at, as in looks.jinja. */
export class Looks {
  /**
   * @param {HTMLElement} element holds the buttons, the slider and the legend
   * @param {() => void} onChange called when the pictures are to be drawn anew
   */
  constructor(element, onChange) {
    Object.assign(this, { element, onChange, how: "picture", at: 0.5, smooth: true });
    this.slider = element.querySelector("input");
    this.slider.addEventListener("input", () => this.set({ at: Number(this.slider.value) / 100 }));
    element.addEventListener("click", (event) => {
      const { look, smooth } = event.target.closest("button")?.dataset ?? {};
      if (look) this.set({ how: look });
      if (smooth) this.set({ smooth: smooth === "yes" });
    });
  }

  set(changes) {
    Object.assign(this, changes);
    this.slider.value = 100 * this.at;
    this.slider.hidden = this.how !== "divided";
    this.element.querySelector("p").textContent = LEGEND[this.how];
    for (const button of this.element.querySelectorAll("[data-look], [data-smooth]")) {
      const chosen = button.dataset.look ? button.dataset.look === this.how : (button.dataset.smooth === "yes") === this.smooth;
      button.setAttribute("aria-pressed", String(chosen));
    }
    this.onChange();
  }

  /** A line that is dragged over a canvas moves in all of them; otherwise pressing shows what `held` draws, until it is let go. */
  listen(canvas, held) {
    let down = false;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      this.set({ at: Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) });
    };
    canvas.addEventListener("pointerdown", (event) => {
      down = true;
      if (this.how !== "divided") return held();
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (down && this.how === "divided") move(event); });
    for (const up of ["pointerup", "pointerleave", "pointercancel"]) {
      canvas.addEventListener(up, () => {
        if (down) this.onChange();
        down = false;
      });
    }
  }
}

/** The pictures of a race: X, target, Z, the encoder's guess, and what each lane measures at the step shown. */
import { paint } from "./frames.js";
import { clock, laneWords, number } from "./words.js";

export class Stage {
  /** @param {HTMLElement} element holds `.lane` figures as in invert/race.html */
  constructor(element) {
    this.element = element;
    this.smooth = true;
    this.target = null;
    this.guess = null;
    this.drawn = new Map();
    for (const name of ["X", "Z"]) this.#holdToCompare(this.#canvas(name));
  }

  /** Enlarge smoothly or pixel by pixel. */
  setSmooth(smooth) {
    this.smooth = smooth;
    for (const [canvas, bitmap] of this.drawn) paint(canvas, bitmap, smooth);
  }

  /** Show a target with its label; `encoder` is {loss, psnr} with its picture `guess`, or null. */
  showTarget(target, label, encoder = null, guess = null) {
    this.target = target;
    this.#paint(this.#canvas("target"), target);
    this.element.querySelector("[data-target-label]").textContent = label;
    const place = this.element.querySelector("[data-encoder]");
    place.hidden = !encoder;
    if (!encoder) return;
    this.#paint(place.querySelector("canvas"), guess);
    place.querySelector("span").textContent = `Encoder, one pass: ${number(encoder.loss)} · ${encoder.psnr.toFixed(1)} dB`;
  }

  /** Say where and by what each lane of a run descends, for the two need not use the same optimiser. */
  name(run) {
    for (const name of Object.keys(run.lanes)) {
      const how = this.#lane(name).querySelector("[data-how]");
      how.textContent = laneWords(run.settings, name, how.dataset.how);
    }
  }

  /** Empty both reconstructions. */
  clear() {
    for (const name of ["X", "Z"]) {
      const how = this.#lane(name).querySelector("[data-how]");
      how.textContent = how.dataset.how;
      this.#paint(this.#canvas(name), null);
      this.#reading(name).replaceChildren();
      this.#best(name).hidden = true;
    }
  }

  /** Show every lane of a run where it stands at a tick of the axis. */
  look(run, axis, tick) {
    for (const name of Object.keys(run.lanes)) {
      const at = run.place(name, axis, tick);
      const picture = at < 0 ? null : run.pictures[name].at(run.steps[at]);
      this.#paint(this.#canvas(name), picture?.bitmap);
      this.#reading(name).replaceChildren(...readings(run, name, at, picture));
      const best = run.end?.lanes[name].best;
      this.#best(name).hidden = !best;
      if (best) this.#best(name).textContent = `Best so far: ${number(best.loss)} at step ${best.step}`;
    }
  }

  #lane(name) {
    return this.element.querySelector(`.lane.${name.toLowerCase()}`);
  }

  #canvas(name) {
    return this.#lane(name).querySelector(".frame canvas");
  }

  #reading(name) {
    return this.#lane(name).querySelector(".reading");
  }

  #best(name) {
    return this.#lane(name).querySelector("[data-best]");
  }

  #paint(canvas, bitmap) {
    this.drawn.set(canvas, bitmap);
    paint(canvas, bitmap, this.smooth);
    canvas.parentElement.classList.toggle("blank", !bitmap);
  }

  /** Pressing on a reconstruction shows the target in its place. */
  #holdToCompare(canvas) {
    canvas.title = "Hold to see the target here";
    canvas.addEventListener("pointerdown", () => {
      if (this.target && this.drawn.get(canvas)) paint(canvas, this.target, this.smooth);
    });
    for (const up of ["pointerup", "pointerleave", "pointercancel"]) {
      canvas.addEventListener(up, () => paint(canvas, this.drawn.get(canvas), this.smooth));
    }
  }
}

function readings(run, name, at, picture) {
  if (at < 0) return ["not begun"];
  const lane = run.lanes[name];
  const loss = document.createElement("b");
  loss.textContent = number(lane.loss[at]);
  const parts = [`step ${run.steps[at]}`, clock(lane.seconds[at])];
  if (lane.psnr[at] !== null) parts.unshift(`${lane.psnr[at].toFixed(1)} dB`);
  if (!picture) parts.push("picture let go to save memory");
  else if (picture.step !== run.steps[at]) parts.push(`picture of step ${picture.step}`);
  const rest = document.createElement("span");
  rest.textContent = parts.join(" · ");
  return [loss, rest];
}

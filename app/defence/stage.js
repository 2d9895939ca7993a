/** The four pictures of a defence (clean, attacked, restored in X and in Z): each with the classifier's answer. */
import { paint } from "../views/frames.js";
import { clock, number } from "../views/words.js";

export class DefenceStage {
  /** @param {HTMLElement} element holds the `.lane` figures of defence.html */
  constructor(element) {
    this.element = element;
  }

  /**
   * Show one figure; `answer` is {probabilities, margin}, or null where the classifier was not asked yet.
   * @param {string} name clean, attacked, x or z
   */
  show(name, bitmap, answer, run, parts = []) {
    const lane = this.#lane(name);
    paint(lane.querySelector(".frame canvas"), bitmap, false);
    lane.querySelector(".reading").replaceChildren(...(answer ? reading(answer, run, parts) : []));
    bars(lane.querySelector(".bars"), answer?.probabilities ?? run?.classes.map(() => 0) ?? [], run);
  }

  /** Show what was added to a picture: {bitmap, factor, norm}, or nothing. */
  added(name, what) {
    const place = this.#lane(name).querySelector(".added");
    place.classList.toggle("blank", !what);
    paint(place.querySelector("canvas"), what?.bitmap, false);
    place.querySelector("span").replaceChildren(...(what ? [`${what.words} × ${what.factor}`, line(`L2 ${number(what.l2)}/255`), line(`L∞ ${number(what.linf)}/255`)] : []));
  }

  name(which, text, title = "") {
    Object.assign(this.#lane(which).querySelector("[data-name]"), { textContent: text, title });
  }

  /** Empty everything but the clean picture. */
  clear() {
    for (const name of ["attacked", "x", "z"]) {
      this.show(name, null, null, null);
      this.added(name, null);
    }
  }

  #lane(name) {
    return this.element.querySelector(`.lane.${name}`);
  }
}

/** What a lane had cost at an index of its columns. */
export function cost(run, lane, at) {
  return [clock(run.lanes[lane].seconds[at])];
}

function reading({ probabilities, margin }, run, parts) {
  const first = probabilities.indexOf(Math.max(...probabilities));
  const right = first === run.truth;
  const word = Object.assign(document.createElement("b"), { textContent: `${run.classes[first]} ${right ? "✓" : "✗"}`, className: right ? "right" : "wrong" });
  word.setAttribute("aria-label", `${run.classes[first]}, ${right ? "right" : "wrong"}`);
  return [word, line([`margin ${signed(margin)}`, ...parts].join(" · "))];
}

/** One row per class, made once and then only changed, so that the bars move. */
function bars(list, probabilities, run) {
  if (list.children.length !== probabilities.length) list.replaceChildren(...probabilities.map(row));
  const most = Math.max(...probabilities);
  probabilities.forEach((p, i) => {
    const item = list.children[i];
    const percent = Math.round(100 * p);
    item.className = [i === run.truth ? "truth" : "", p > 0 && p === most ? "most" : ""].join(" ");
    item.querySelector("span").textContent = run.classes[i];
    item.querySelector("i").style.width = `${100 * p}%`;
    item.querySelector("output").textContent = p > 0 ? `${percent} %` : "";
  });
}

function row() {
  const item = document.createElement("li");
  const track = document.createElement("div");
  track.append(document.createElement("i"));
  item.append(document.createElement("span"), track, document.createElement("output"));
  return item;
}

function line(text) {
  return Object.assign(document.createElement("span"), { textContent: text });
}

function signed(value) {
  return value > 0 ? `+${number(value)}` : number(value).replace("-", "−");
}

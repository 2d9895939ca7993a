/** Pictures in groups, each with what it is and how near it is to the one that was chosen; and its place among known ones. */
import { decode, paint } from "../views/frames.js";

const SIDE = 128;
const SVG = "http://www.w3.org/2000/svg";

export function mount({ element, watch, value }) {
  let latest = null;
  const draw = async () => {
    const message = latest = value();
    const drawn = await Promise.all((message?.groups ?? []).map(group));
    if (message && message === latest) show(element, drawn, message); // else another one came meanwhile
  };
  watch("value", draw);
  draw();
}

function show(element, drawn, { text, place }) {
  element.querySelector("[data-groups]").replaceChildren(...drawn);
  element.querySelector("[data-place]").replaceChildren(...(place ? [rug(place)] : []));
  element.querySelector(".summary").textContent = text;
}

async function group({ title, tiles }) {
  const section = document.createElement("section");
  const row = Object.assign(document.createElement("div"), { className: "tiles" });
  row.append(...(await Promise.all(tiles.map(tile))));
  section.append(Object.assign(document.createElement("h3"), { textContent: title }), row);
  return section;
}

async function tile({ title, png, reading }) {
  const figure = document.createElement("figure");
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", title);
  paint(canvas, await decode(png), false);
  const words = Object.assign(document.createElement("figcaption"), { textContent: title });
  figure.append(words, canvas, Object.assign(document.createElement("p"), { textContent: reading }));
  return figure;
}

/** A thin line for every percentile of known pictures' errors, and a strong one for this picture's, from none to the largest. */
function rug({ error, known }) {
  const most = Math.max(error, ...known) * 1.02;
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 100 10");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.append(...known.map((value) => line(value / most, "known")), line(error / most, "here"));
  drawing.setAttribute("aria-hidden", "true"); // the sentence says the same
  return drawing;
}

function line(share, className) {
  const made = document.createElementNS(SVG, "line");
  const x = String(100 * share);
  for (const [name, value] of Object.entries({ x1: x, x2: x, y1: className === "here" ? "0" : "3", y2: "10", class: className })) made.setAttribute(name, value);
  return made;
}

/** Pictures in groups, each with what it is and how near it is to the one that was chosen; and a sentence. */
import { decode, paint } from "../views/frames.js";

const SIDE = 128;

export function mount({ element, watch, value }) {
  const draw = () => value() && show(element, value());
  watch("value", draw);
  draw();
}

async function show(element, { groups, text }) {
  const drawn = await Promise.all(groups.map(group));
  element.querySelector("[data-groups]").replaceChildren(...drawn);
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

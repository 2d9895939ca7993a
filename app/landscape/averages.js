/** Tables of averages over examples: those that experiments found, and the one that is being measured. */
import { number } from "../views/words.js";

const FIGURES = {
  convex_share: ["Convex, %", "Share of inner points where the surface is convex.", 100],
  minima: ["Local minima", "Inner points lower than all their eight neighbours.", 1],
  barrier: ["Barriers, %", "How high a descent would have to climb out of a valley into a deeper one, on average, as a share of the surface's depth.", 100],
  roughness: ["Roughness", "Share of the surface's variance that no quadratic explains, 0 to 1.", 1],
  steepness: ["Steepness", "Mean length of the gradient, loss per half-width of the grid.", 1],
  "last loss": ["Loss at the end", "Where the run's last step stood.", 1],
};

/** Show entries {source, n, steps, optimizers, rows}; `live` (one more, or null) is the one being measured. */
export function fillAverages(element, entries, live) {
  const all = live ? [...entries, live] : entries;
  element.replaceChildren(...all.map(table));
  if (!all.length) element.textContent = "No experiment was run on these models yet; measure some samples here.";
}

function table(entry) {
  const made = document.createElement("table");
  const caption = made.createCaption();
  const source = document.createElement("code");
  source.textContent = entry.source;
  caption.append(`${entry.n} examples, each after ${entry.steps} steps · `, source);
  const head = made.createTHead().insertRow();
  for (const words of ["Measure", ...Object.entries(entry.optimizers).map(([lane, name]) => `${lane}, ${name}`)]) {
    const cell = document.createElement("th");
    cell.textContent = words;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const [name, [words, title, unit]] of Object.entries(FIGURES)) {
    const row = body.insertRow();
    const first = document.createElement("th");
    Object.assign(first, { textContent: words, title });
    row.append(first);
    for (const [mean, deviation, low, high] of Object.values(entry.rows[name])) {
      const cell = row.insertCell();
      const told = (value) => number(value === null ? null : unit * value);
      cell.textContent = mean === null ? told(mean) : `${told(mean)} ± ${Number((unit * deviation).toPrecision(2))}`;
      cell.title = `The mean lies between ${told(low)} and ${told(high)} (95 %).`;
    }
  }
  return made;
}

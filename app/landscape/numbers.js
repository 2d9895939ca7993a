/** The table beside the surfaces: what the plane holds, how far the paths leave it, and the shape in numbers. */
import { number } from "../views/words.js";

const percent = (value) => `${Math.round(100 * value)} %`;
const most = (values) => Math.max(...values.filter((value) => value !== null));
const apart = (path) => path.true_loss.map((loss, i) => (loss === null || path.plane_loss[i] === null ? null : Math.abs(loss - path.plane_loss[i])));
const perPath = (panel, figure) => Object.entries(panel.paths).map(([name, path]) => {
  const mark = Object.assign(document.createElement("span"), { className: `${name.toLowerCase()}-path`, textContent: number(figure(path)) });
  return Object.keys(panel.paths).length > 1 ? [mark, " "] : [number(figure(path))];
}).flat();
const measured = (key, show) => (panel) => [panel.measures ? show(panel.measures[key]) : "–"];

const ROWS = [
  ["Points a side", "Of the finest level that is complete.", (panel) => [String(panel.points_a_side)]],
  ["Variance in the plane", "Share of the variance of the points the plane was fitted to; none for planes that were not.", (panel) => [panel.explained_variance ? percent(panel.explained_variance.reduce((a, b) => a + b)) : "–"]],
  ["Path leaves the plane by", "The largest distance of a point of the path from the plane, in units of the variable.", (panel) => perPath(panel, (path) => most(path.distance_from_plane))],
  ["True and plane loss differ by", "The most by which the loss the run met differs from the loss at its projection.", (panel) => perPath(panel, (path) => most(apart(path)))],
  ["Convex", "Share of inner points where the surface is convex.", measured("convex_share", percent)],
  ["Local minima", "Inner points lower than all their eight neighbours.", measured("minima", String)],
  ["Barriers", "How high a descent would have to climb out of a valley into a deeper one, on average, as a share of the surface's depth; none where there is one valley.", measured("barrier", (share) => `${number(100 * share)} %`)],
  ["Roughness", "Share of the surface's variance that no quadratic explains, 0 to 1.", measured("roughness", number)],
  ["Steepness", "Mean length of the gradient, loss per half-width of the grid.", measured("steepness", number)],
];

export function fillTable(table, panels) {
  const head = row("th", [["Measure"], ...panels.map((panel) => [panel.title])]);
  const body = ROWS.map(([words, title, cells]) => {
    const made = row("td", [[words], ...panels.map(cells)]);
    made.firstChild.title = title;
    return made;
  });
  const part = (tag, rows) => {
    const made = document.createElement(tag);
    made.append(...rows);
    return made;
  };
  table.replaceChildren(part("thead", [head]), part("tbody", body));
}

function row(tag, cells) {
  const made = document.createElement("tr");
  cells.forEach((content, i) => {
    const cell = document.createElement(i ? tag : "th");
    cell.append(...content);
    made.append(cell);
  });
  return made;
}

/**
 * Panels as a Plotly figure with one camera. Solid lines lie on the surface, at the loss of the path's projection; dotted ones
 * stand at the true loss: the same code as in pages and pictures that are saved.
 */
import { number } from "../views/words.js";
import { draped, pointOf } from "./drape.js";

const COLOURS = ["#fbf6dc", "#d3e6b5", "#8fc9a2", "#4a9f93", "#256f78"];
export const SCALE = COLOURS.map((colour, i) => [i / (COLOURS.length - 1), colour]);
export const PATHS = { X: "#b4480f", Z: "#1f4fa3" }; // on these colours both themes need the darker ones
const LIFT = 0.004; // of the height, so that a line does not flicker in the surface it lies on
export const CAMERA = { eye: { x: 1.66, y: -1.82, z: 1.4 }, center: { x: 0, y: 0, z: -0.08 }, up: { x: 0, y: 0, z: 1 } };
const TRACES_PER_PATH = 3;
const NARROW = 480; // px; an axis says less there
const TITLE = 30; // px above a panel

/** "scene", "scene2", … of panel i. */
export function sceneName(i) {
  return i ? `scene${i + 1}` : "scene";
}

/** Of every panel the range of losses it is drawn over: that of all, or its own. */
export function rangesOf(panels, { shared, range }) {
  return panels.map((panel) => (shared ? range : panel.range));
}

/** The panel that a trace belongs to. */
export function panelOf(panels, curve) {
  let next = 0;
  return panels.findIndex((panel) => {
    next += 1 + TRACES_PER_PATH * Object.keys(panel.paths).length;
    return curve < next;
  });
}

/** Traces of all panels: the surface or contour, then per path two lines and a marker at point `at`. */
export function traces(panels, state) {
  const ranges = rangesOf(panels, state);
  return panels.flatMap((panel, i) => {
    const own = { ...state, range: ranges[i] };
    const drawn = state.mode === "contour" ? contour(panel, i, own) : surface(panel, i, own);
    const lines = state.mode === "contour" ? flatPath : solidPath;
    return [drawn, ...Object.entries(panel.paths).flatMap(([name, path]) => lines(name, path, panel, i, own))];
  });
}

function colourAxis(i, shared) {
  return i && !shared ? `coloraxis${i + 1}` : "coloraxis";
}

function contour(panel, i, { log, shared }) {
  const [x, y] = panel.ticks;
  // Plotly's z has its first index along y.
  const z = y.map((_, j) => panel.losses.map((row) => (log ? log10(row[j]) : row[j])));
  const lines = { contours: { coloring: "heatmap" }, line: { width: 0.6, color: "rgba(0,0,0,0.35)" }, ncontours: 24 };
  return { type: "contour", x, y, z, coloraxis: colourAxis(i, shared), hoverinfo: "none", ...axesOf(i), ...lines };
}

/** A triangle mesh, not Plotly's own surface: that one is resampled to 128 points a side, several times the work. */
function surface(panel, i, { log, shared }) {
  const [u, v] = panel.ticks;
  const z = panel.losses.flat();
  const place = { x: u.flatMap((each) => v.map(() => each)), y: u.flatMap(() => v), z, ...triangles(z, u.length) };
  const light = { ambient: 0.8, diffuse: 0.5, specular: 0.06, roughness: 0.9, fresnel: 0.05 };
  return { type: "mesh3d", scene: sceneName(i), opacity: 0.74, ...place, intensity: log ? z.map(log10) : z, coloraxis: colourAxis(i, shared), hoverinfo: "none", lighting: light };
}

/** Two triangles per cell of an n × n grid, without those that touch a loss that is not finite. */
function triangles(z, n) {
  const corners = { i: [], j: [], k: [] };
  const add = (...triangle) => {
    if (triangle.some((vertex) => z[vertex] === null)) return;
    ["i", "j", "k"].forEach((name, at) => corners[name].push(triangle[at]));
  };
  for (let row = 0; row < n - 1; row++) {
    for (let column = 0; column < n - 1; column++) {
      const first = row * n + column;
      add(first, first + 1, first + n);
      add(first + 1, first + n + 1, first + n);
    }
  }
  return corners;
}

/** A path as points [x, y, loss] on the drawn surface, lifted by a hair; every eighth one is a step. */
export function onSurface(panel, path, { log, range: [low, high] }) {
  const heights = panel.losses.map((row) => row.map((loss) => (log ? log10(loss) : loss)));
  const lift = LIFT * (log ? log10(high) - log10(low) : high - low);
  return draped(panel.ticks, heights, path.coordinates).map(([x, y, height]) => {
    const at = height === null ? null : height + lift;
    return [x, y, log && at !== null ? 10 ** at : at];
  });
}

function solidPath(name, path, panel, i, state) {
  const base = { type: "scatter3d", scene: sceneName(i), hoverinfo: "none", showlegend: false };
  const colour = PATHS[name];
  const points = onSurface(panel, path, state);
  const [x, y, z] = [0, 1, 2].map((axis) => points.map((point) => point[axis]));
  const [u, v] = [0, 1].map((axis) => path.coordinates.map((point) => point[axis]));
  const at = pointOf(Math.min(state.at, path.coordinates.length - 1));
  return [
    { ...base, x, y, z, mode: "lines", name: `${name}, on the surface`, line: { color: colour, width: 6 } },
    { ...base, x: u, y: v, z: path.true_loss, mode: "lines", name: `${name}, true loss`, line: { color: colour, width: 4, dash: "dot" } },
    { ...base, x: [x[at]], y: [y[at]], z: [z[at]], mode: "markers", name, marker: { size: 6, color: colour, line: { color: "#fff", width: 2 } } },
  ];
}

function flatPath(name, path, panel, i, state) {
  const base = { type: "scatter", ...axesOf(i), hoverinfo: "none", showlegend: false };
  const [x, y] = [0, 1].map((axis) => path.coordinates.map((point) => point[axis]));
  const now = Math.min(state.at, x.length - 1);
  return [
    { ...base, x, y, mode: "lines", line: { color: "#fff", width: 5 }, opacity: 0.7 },
    { ...base, x, y, mode: "lines", name: `${name}, on the surface`, line: { color: PATHS[name], width: 2.5 } },
    { ...base, x: [x[now]], y: [y[now]], mode: "markers", name, marker: { size: 11, color: PATHS[name], line: { color: "#fff", width: 2 } } },
  ];
}

export function log10(value) {
  return value === null || value <= 0 ? null : Math.log10(value);
}

function axesOf(i) {
  return { xaxis: `x${i ? i + 1 : ""}`, yaxis: `y${i ? i + 1 : ""}` };
}

/** The layout for so many panels; on a narrow element they stand one below the other. */
export function layout(panels, { mode, log, shared, range, camera, colour, width, font }) {
  const stacked = width < 640 && panels.length > 1;
  const room = { mode, log, camera, colour, stacked, n: panels.length, width };
  const made = {
    width, height: stacked ? 760 : Math.max(380, Math.min(560, width * 0.48)),
    margin: { l: mode === "contour" ? 60 : 0, r: 0, t: TITLE, b: mode === "contour" ? 46 : 0 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: font, size: 12, color: colour("--soft") },
    showlegend: false, uirevision: "one", annotations: [],
  };
  rangesOf(panels, { shared, range }).forEach((own, i) => {
    place(made, panels[i], i, { ...room, limits: limitsOf(own, log) });
    if (!i || !shared) made[colourAxis(i, shared)] = colours(i, limitsOf(own, log), { ...room, shared });
  });
  return made;
}

/** Where every scene of a layout stands, in px from the element's corner, and what stands above it. */
export function boxesOf(made, panels, width) {
  const tall = made.height - TITLE;
  return panels.map((panel, i) => {
    const { x, y } = made[sceneName(i)].domain;
    return { title: panel.title, left: x[0] * width, top: TITLE + (1 - y[1]) * tall, width: (x[1] - x[0]) * width, height: (y[1] - y[0]) * tall };
  });
}

function domainOf(i, n, stacked, mode) {
  if (stacked) return { x: [0, mode === "contour" ? 0.82 : 0.86], y: i ? [0, mode === "contour" ? 0.42 : 0.47] : [0.53, 1] };
  if (n === 1) return { x: [0, 0.9], y: [0, 1] };
  return { x: i ? [0.5, 0.92] : [0, 0.42], y: [0, 1] };
}

/** A colour axis with its bar beside the panel; beside all of them where they share it. */
function colours(i, limits, { log, shared, stacked, colour, n, mode }) {
  const domain = domainOf(shared && !stacked ? n - 1 : i, n, stacked, mode);
  const middle = shared && stacked ? 0.5 : (domain.y[0] + domain.y[1]) / 2;
  const soft = { color: colour("--soft"), size: 11 };
  const bar = {
    thickness: 10, len: stacked ? (shared ? 0.5 : 0.38) : 0.7, x: domain.x[1] + 0.005, xanchor: "left", y: middle,
    outlinewidth: 0, tickfont: soft, title: { text: "loss", font: { ...soft, size: 12 } }, ...(log ? decades(limits) : { nticks: 5, tickformat: ".3~g" }),
  };
  return { colorscale: SCALE, cmin: limits[0], cmax: limits[1], colorbar: bar };
}

/** Ticks of a logarithm, written as the losses they are: at 1, 2 and 5 of few decades, at 1 of many. */
function decades([low, high]) {
  const within = high - low > 3 ? [1] : [1, 2, 5];
  const values = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    values.push(...within.map((digit) => Math.log10(digit) + power));
  }
  const round = values.filter((value) => value >= low - 1e-9 && value <= high + 1e-9);
  const tickvals = round.length > 1 ? round : [0, 1, 2, 3].map((third) => low + (third * (high - low)) / 3);
  return { tickvals, ticktext: tickvals.map((value) => number(10 ** value)) };
}

function place(made, panel, i, { mode, log, limits, camera, colour, stacked, n, width }) {
  const domain = domainOf(i, n, stacked, mode);
  made.annotations.push({ text: `<b>${panel.title}</b>`, xref: "paper", yref: "paper", x: domain.x[0], y: domain.y[1], xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 14, color: colour("--ink") } });
  const narrow = mode === "surface" && width < NARROW;
  const titles = panel.axes.map((words) => (narrow ? words.replace(/^\w+ direction/, "direction") : words)).map((text) => ({ text, font: { size: 12, color: colour("--soft") } }));
  if (mode === "surface") {
    const axis = { gridcolor: colour("--rule"), zerolinecolor: colour("--rule"), color: colour("--soft"), showbackground: false, showspikes: false, nticks: 5, tickfont: { size: 11 } };
    const { tickvals, ticktext } = log ? decades(limits) : {};
    const heights = log ? { type: "log", tickvals: tickvals.map((value) => 10 ** value), ticktext } : { type: "linear", tickformat: ".3~g" };
    const loss = { ...axis, ...heights, range: padded(limits), title: { text: narrow ? "" : "loss", font: titles[0].font } }; // on a phone it would be cut; the scale of colours says it
    made[sceneName(i)] = { domain, aspectmode: "cube", camera, uirevision: "one", dragmode: "turntable", hovermode: "closest", xaxis: { ...axis, range: spanOf(panel, 0), title: titles[0] }, yaxis: { ...axis, range: spanOf(panel, 1), title: titles[1] }, zaxis: loss };
    return;
  }
  const suffix = i ? String(i + 1) : "";
  const flat = { color: colour("--soft"), zeroline: false, fixedrange: true, nticks: 6 };
  made[`xaxis${suffix}`] = { ...flat, domain: domain.x, anchor: `y${suffix}`, title: { ...titles[0], standoff: 4 } };
  made[`yaxis${suffix}`] = { ...flat, domain: domain.y, anchor: `x${suffix}`, title: { ...titles[1], standoff: 4 } };
}

/** What the colour scale runs over. */
export function limitsOf(range, log) {
  return log ? range.map(log10) : range;
}

/** What an axis runs over: surface and paths, with a little room. */
function spanOf(panel, axis) {
  const values = [...panel.ticks[axis], ...Object.values(panel.paths).flatMap((path) => path.coordinates.map((point) => point[axis]))];
  return padded([Math.min(...values), Math.max(...values)]);
}

function padded([low, high]) {
  const room = 0.03 * (high - low) || 1e-9;
  return [low - room, high + room];
}

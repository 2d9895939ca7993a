/** Panels as a Plotly figure: one camera, one colour scale and one loss axis for all, paths lifted a little over the surface. */
export const SAND = [[0, "#f7f3e6"], [0.3, "#ddd2ae"], [0.65, "#a9a590"], [1, "#5b6064"]];
export const PATHS = { X: "#b4480f", Z: "#1f6199" }; // on the sand both themes need the darker ones
const LIFT = 0.015; // with a translucent surface no path is hidden altogether
export const CAMERA = { eye: { x: 1.2, y: -1.35, z: 1.3 }, center: { x: 0, y: 0, z: -0.15 }, up: { x: 0, y: 0, z: 1 } };

/** "scene", "scene2", … of panel i. */
export function sceneName(i) {
  return i ? `scene${i + 1}` : "scene";
}

/** Traces of all panels: the surface or contour, then per path a line and a marker at point `at`. */
export function traces(panels, state) {
  return panels.flatMap((panel, i) => {
    const paths = Object.entries(panel.paths).flatMap(([name, path]) => pathTraces(name, path, i, state));
    return [state.mode === "contour" ? contour(panel, i, state.log) : surface(panel, i, state.log), ...paths];
  });
}

function contour(panel, i, log) {
  const [x, y] = panel.ticks;
  // Plotly's z has its first index along y.
  const z = y.map((_, j) => panel.losses.map((row) => (log ? log10(row[j]) : row[j])));
  const lines = { contours: { coloring: "heatmap" }, line: { width: 0.6, color: "rgba(0,0,0,0.35)" }, ncontours: 24 };
  return { type: "contour", x, y, z, coloraxis: "coloraxis", hoverinfo: "none", ...axesOf(i), ...lines };
}

/** A triangle mesh, not Plotly's own surface: that one is resampled to 128 points a side, several times the work. */
function surface(panel, i, log) {
  const [u, v] = panel.ticks;
  const z = panel.losses.flat();
  const place = { x: u.flatMap((each) => v.map(() => each)), y: u.flatMap(() => v), z, ...triangles(z, u.length) };
  const light = { ambient: 0.72, diffuse: 0.6, specular: 0.06, roughness: 0.9, fresnel: 0.05 };
  return { type: "mesh3d", scene: sceneName(i), opacity: 0.85, ...place, intensity: log ? z.map(log10) : z, coloraxis: "coloraxis", hoverinfo: "none", lighting: light };
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

function pathTraces(name, path, i, state) {
  const colour = PATHS[name];
  const x = path.coordinates.map((point) => point[0]);
  const y = path.coordinates.map((point) => point[1]);
  const z = path.plane_loss.map((loss) => lifted(loss, state));
  const solid = { type: "scatter3d", scene: sceneName(i), hoverinfo: "none", showlegend: false };
  const flat = { type: "scatter", ...axesOf(i), hoverinfo: "none", showlegend: false };
  const base = state.mode === "contour" ? flat : solid;
  const line = { ...base, x, y, z, mode: "lines", line: { color: colour, width: state.mode === "contour" ? 2.5 : 6 } };
  const now = Math.min(state.at, x.length - 1);
  const marker = { size: state.mode === "contour" ? 11 : 6, color: colour, line: { color: "#fff", width: 2 } };
  return [line, { ...base, x: [x[now]], y: [y[now]], z: [z[now]], mode: "markers", marker, name }];
}

function lifted(loss, { log, range: [low, high] }) {
  if (loss === null) return null;
  return log ? loss * (high / low) ** LIFT : loss + LIFT * (high - low);
}

export function log10(value) {
  return value === null || value <= 0 ? null : Math.log10(value);
}

function axesOf(i) {
  return { xaxis: `x${i ? i + 1 : ""}`, yaxis: `y${i ? i + 1 : ""}` };
}

/** The layout for so many panels; on a narrow element they stand one below the other. */
export function layout(panels, { mode, log, range, camera, colour, width, font }) {
  const stacked = width < 640 && panels.length > 1;
  const limits = limitsOf(range, log);
  const bar = { thickness: 10, len: stacked ? 0.5 : 0.8, outlinewidth: 0, tickfont: { color: colour("--soft") }, title: { text: log ? "log₁₀ loss" : "loss", font: { color: colour("--soft"), size: 12 } } };
  const made = {
    height: stacked ? 720 : Math.max(380, Math.min(540, width * 0.46)),
    margin: { l: mode === "contour" ? 34 : 0, r: 0, t: 30, b: mode === "contour" ? 30 : 0 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: font, size: 12, color: colour("--soft") },
    coloraxis: { colorscale: SAND, cmin: limits[0], cmax: limits[1], colorbar: bar }, showlegend: false, uirevision: "one", annotations: [],
  };
  panels.forEach((panel, i) => place(made, panel, i, { mode, log, limits, camera, colour, stacked, n: panels.length }));
  return made;
}

function place(made, panel, i, { mode, log, limits, camera, colour, stacked, n }) {
  const domain = stacked
    ? { x: [0, 1], y: i ? [0, 0.47] : [0.53, 1] }
    : { x: n === 1 ? [0, 1] : i ? [0.52, 1] : [0, 0.48], y: [0, 1] };
  made.annotations.push({ text: `<b>${titleOf(panel)}</b>`, xref: "paper", yref: "paper", x: domain.x[0], y: domain.y[1], xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 14, color: colour("--ink") } });
  const axis = { gridcolor: colour("--rule"), zerolinecolor: colour("--rule"), color: colour("--soft"), showbackground: false, showspikes: false, nticks: 5, title: { text: "" } };
  if (mode === "surface") {
    made[sceneName(i)] = { domain, aspectmode: "cube", camera, uirevision: "one", dragmode: "turntable", hovermode: "closest", xaxis: axis, yaxis: axis, zaxis: { ...axis, type: log ? "log" : "linear", range: padded(limits), exponentformat: "power" } };
    return;
  }
  const suffix = i ? String(i + 1) : "";
  made[`xaxis${suffix}`] = { domain: domain.x, anchor: `y${suffix}`, color: colour("--soft"), zeroline: false, fixedrange: true };
  made[`yaxis${suffix}`] = { domain: domain.y, anchor: `x${suffix}`, color: colour("--soft"), zeroline: false, fixedrange: true };
}

/** What the colour scale runs over. */
export function limitsOf(range, log) {
  return log ? range.map(log10) : range;
}

function padded([low, high]) {
  const room = 0.03 * (high - low) || 1e-9;
  return [low - room, high + room];
}

export function titleOf(panel) {
  return panel.title.replace(/^X, (ends|shared)$/, (_, kind) => (kind === "ends" ? "X, through start and ends" : "X, shared plane"));
}

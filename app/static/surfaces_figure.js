/** Panels as a Plotly figure: one camera, one colour scale and one loss axis for all, paths lifted a little over the surface. */
const SAND = [[0, "#f7f3e6"], [0.3, "#ddd2ae"], [0.65, "#a9a590"], [1, "#5b6064"]];
const PATHS = { X: "#b4480f", Z: "#1f6199" }; // on the sand both themes need the darker ones
const LIFT = 0.015;
export const CAMERA = { eye: { x: 1.35, y: -1.55, z: 0.85 }, center: { x: 0, y: 0, z: -0.15 }, up: { x: 0, y: 0, z: 1 } };

/** "scene", "scene2", … of panel i. */
export function sceneName(i) {
  return i ? `scene${i + 1}` : "scene";
}

/** Traces of all panels: the surface or contour, then per path a line and a marker at `at`. `most` caps the points a side. */
export function traces(panels, { mode, log, range, at, most = Infinity }) {
  return panels.flatMap((panel, i) => {
    const paths = Object.entries(panel.paths).flatMap(([name, path]) => pathTraces(name, path, i, { mode, log, range, at }));
    return [ground(panel, i, { mode, log, most }), ...paths];
  });
}

function ground(panel, i, { mode, log, most }) {
  const { x, y, z } = mesh(panel, most);
  const colour = log ? z.map((row) => row.map(log10)) : z;
  const common = { x, y, coloraxis: "coloraxis", hoverinfo: "none", name: panel.title };
  if (mode === "contour") return { ...common, ...axesOf(i), type: "contour", z: colour, contours: { coloring: "heatmap" }, line: { width: 0.6, color: "rgba(0,0,0,0.35)" }, ncontours: 24 };
  return { ...common, type: "surface", scene: sceneName(i), z, surfacecolor: colour, contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } }, lighting: { ambient: 0.72, diffuse: 0.6, specular: 0.06, roughness: 0.9 } };
}

/** Ticks and losses with at most `most` points a side; z has its first index along y, as Plotly has it. */
export function mesh(panel, most) {
  const [u, v] = panel.ticks;
  let stride = 1;
  while ((u.length - 1) / stride + 1 > most && ((u.length - 1) / stride) % 2 === 0) stride *= 2;
  const thin = (values) => values.filter((_, k) => k % stride === 0);
  const rows = thin(panel.losses).map(thin);
  return { x: thin(u), y: thin(v), z: thin(v).map((_, j) => rows.map((row) => row[j])) };
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
  const limits = log ? range.map(log10) : range;
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
    made[sceneName(i)] = { domain, aspectmode: "cube", camera, uirevision: "one", dragmode: "orbit", hovermode: "closest", xaxis: axis, yaxis: axis, zaxis: { ...axis, title: { text: "loss" }, type: log ? "log" : "linear", range: padded(limits), exponentformat: "power" } };
    return;
  }
  const suffix = i ? String(i + 1) : "";
  made[`xaxis${suffix}`] = { domain: domain.x, anchor: `y${suffix}`, color: colour("--soft"), zeroline: false, fixedrange: true };
  made[`yaxis${suffix}`] = { domain: domain.y, anchor: `x${suffix}`, color: colour("--soft"), zeroline: false, fixedrange: true };
}

function padded([low, high]) {
  const room = 0.03 * (high - low) || 1e-9;
  return [low - room, high + room];
}

export function titleOf(panel) {
  return panel.title.replace(/^X, (ends|shared)$/, (_, kind) => (kind === "ends" ? "X, through start and ends" : "X, shared plane"));
}

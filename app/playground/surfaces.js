import { plotlyLoaded } from "../views/plotly.js";
import { onTheme } from "../views/theme.js";
import { webgl, withoutSmoothing } from "../views/webgl.js";

const FLOOR = -6;

/** Both exact landscapes as Plotly surfaces with one scale and one camera, drawn when asked for. */
export class Surfaces {
  constructor(element) {
    this.element = element;
    onTheme(() => this.drawn && this.draw(...this.drawn));
  }

  async draw(training, shown) {
    this.drawn = [training, shown];
    const { scene, fieldX, scale } = training;
    if (!webgl()) {
      this.element.textContent = "This browser has no WebGL, which surfaces need; the maps above show the same.";
      return;
    }
    await plotlyLoaded();
    const style = getComputedStyle(this.element);
    const ink = style.getPropertyValue("--soft").trim();
    const [u, v] = shown.z.half;
    const traces = [
      surface(fieldX, scene.box, scale, "scene", "X"),
      surface(shown.field, [[-u, -v], [u, v]], scale, "scene2", "Z"),
    ];
    const axis = (title) => ({ title: { text: title }, color: ink, gridcolor: ink });
    const room = (first, second, domain) => ({
      domain: { x: domain, y: [0, 1] }, aspectmode: "cube", camera: this.camera ?? { eye: { x: 1.4, y: -1.5, z: 1.0 } },
      xaxis: axis(first), yaxis: axis(second), zaxis: { ...axis("log₁₀ loss"), range: scale },
    });
    const layout = {
      height: this.element.clientWidth < 520 ? 300 : 420, margin: { l: 0, r: 0, t: 24, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: style.fontFamily, size: 11 }, scene: room("x1", "x2", [0, 0.49]), scene2: room("z1", "z2", [0.51, 1]),
    };
    await withoutSmoothing(() => Plotly.react(this.element, traces, layout, { displayModeBar: false, responsive: true }));
    this.element.dataset.drawn = String(shown.buffer);
    if (!this.camera) this.#link();
  }

  /** Turning one turns the other. */
  #link() {
    this.camera = { eye: { x: 1.4, y: -1.5, z: 1.0 } };
    this.element.on("plotly_relayout", (change) => {
      const name = Object.keys(change).find((key) => key.endsWith(".camera"));
      if (!name || this.linking) return;
      this.camera = change[name];
      this.linking = true;
      const other = name.startsWith("scene2") ? "scene.camera" : "scene2.camera";
      Plotly.relayout(this.element, { [other]: this.camera }).then(() => { this.linking = false; });
    });
  }
}

function surface({ side, values }, [low, high], scale, scene, name) {
  const ticks = (i) => Array.from({ length: side }, (_, k) => low[i] + ((high[i] - low[i]) * k) / (side - 1));
  // Plotly's z has its first index along y.
  const z = Array.from({ length: side }, (_, j) => Array.from({ length: side }, (_, i) => clipped(values[i * side + j], scale)));
  return {
    type: "surface", x: ticks(0), y: ticks(1), z, scene, name, showscale: false, colorscale: "Viridis", cmin: scale[0], cmax: scale[1],
    hovertemplate: `${name} (%{x:.3g}, %{y:.3g})<br>log₁₀ loss %{z:.2f}<extra></extra>`,
  };
}

function clipped(decade, [low, high]) {
  return Number.isNaN(decade) ? null : Math.min(high, Math.max(low, decade, FLOOR));
}

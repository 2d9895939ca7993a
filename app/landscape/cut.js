/** The loss along the straight line between both ends, with the ends marked (Plotly, no WebGL). */
import { plotlyLoaded } from "../views/plotly.js";
import { onTheme } from "../views/theme.js";
import { PATHS } from "./figure.js";

export class CutPlot {
  constructor(element) {
    this.element = element;
    this.log = true;
    onTheme(() => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(element);
  }

  /** A whole cut {places, losses, ends, axis}, or null for none, or another axis. */
  set(changes) {
    Object.assign(this, changes);
    this.#draw();
  }

  async #draw() {
    this.element.hidden = !this.cut;
    if (!this.cut) return;
    await plotlyLoaded();
    if (!this.cut || !this.element.clientWidth) return;
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { places, losses, ends, axis: title } = this.cut;
    const line = { x: places, y: losses, mode: "lines", line: { color: colour("--ink"), width: 2 }, hovertemplate: "%{x:.2f}: loss %{y:.4g}<extra></extra>" };
    const marks = Object.entries(ends).map(([name, loss], at) => ({
      x: [at], y: [loss], mode: "markers+text", text: [`<b>${name}'s end</b>`], textposition: "top center", name: `${name}'s end`, cliponaxis: false,
      textfont: { color: colour(`--${name.toLowerCase()}`), size: 13 }, marker: { size: 13, color: PATHS[name], line: { color: "#fff", width: 2 } }, hoverinfo: "none",
    }));
    const axis = { color: colour("--soft"), gridcolor: colour("--rule"), zeroline: false, fixedrange: true };
    const layout = {
      height: 400, margin: { l: 64, r: 16, t: 24, b: 52 }, showlegend: false, dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: style.fontFamily, size: 12, color: colour("--soft") },
      xaxis: { ...axis, title: { text: title } }, yaxis: { ...axis, title: { text: "loss" }, type: this.log ? "log" : "linear", nticks: 6, tickformat: ".3~g" },
    };
    await Plotly.react(this.element, [line, ...marks], layout, { displayModeBar: false });
    this.element.dataset.points = places.length;
  }
}

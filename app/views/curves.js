import { plotlyLoaded } from "./plotly.js";
import { onTheme } from "./theme.js";
import { number } from "./words.js";

/**
 * Loss curves on a logarithmic axis, or others on a linear one (Plotly), with a cursor that costs nothing to move.
 * Reusable: `new LossCurves(element, {onPick, what, linear})`, `draw(curves, axisTitle, flat)`, `cursor(x, points)`.
 * A curve is {x, y, name, colour: CSS variable, faint, dash}.
 */
const CONFIG = { responsive: true, displayModeBar: false, displaylogo: false };
const NAMED = 0.75; // of the chart's height lie between the lowest and the highest loss, about
const DECADES = 8; // that are named on an axis, at most
const LINE = 15; // px that a curve's name takes in height
const LETTER = 7.6; // and a letter of it in width, about
const BESIDE = 14; // px at the right of a chart, beside names
const EARLY = 2000; // ms in which a page that opens has better to do than to read a chart's library
const REDRAW_EVERY = 200; // ms; a redraw costs 10-40 ms, the cursor none

export class LossCurves {
  /**
   * @param {HTMLElement} element holds the chart
   * @param {{onPick: (x: number) => void, what?: string, linear?: boolean}} options `onPick` is called with the x under
   *   the pointer on press and drag; `what` the vertical axis shows, on a logarithmic axis unless `linear`
   */
  constructor(element, { onPick, what = "loss", linear = false }) {
    Object.assign(this, { element, onPick, what, linear });
    this.curves = [];
    this.drawn = false;
    this.pending = false;
    this.plotting = Promise.resolve();
    this.line = document.createElement("div");
    this.line.className = "cursor";
    this.dots = [];
    setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => plotlyLoaded()), EARLY);
    onTheme(() => this.#schedule());
    new ResizeObserver(() => {
      if (this.drawn && this.element._fullLayout?.height !== this.height) this.#schedule(); // a narrow page has a lower chart
      this.#place();
    }).observe(element);
  }

  /** Replace all curves; redrawn a few times a second at most. Without any the chart is emptied. */
  draw(curves, axisTitle, flat = null) {
    if (!curves.length) this.at = null;
    this.curves = curves;
    this.axisTitle = axisTitle;
    this.flat = flat;
    this.#schedule();
  }

  /** Put the cursor at x, with a dot per point {y, colour}; nowhere where x is null. */
  cursor(x, points) {
    this.at = x === null ? null : { x, points };
    this.#place();
  }

  #schedule() {
    if (this.pending || !(this.curves.length || this.drawn)) return;
    this.pending = true;
    setTimeout(async () => {
      await plotlyLoaded().finally(() => { this.pending = false; });
      this.latest = performance.now();
      const plot = () => this.#plot();
      this.plotting = this.plotting.then(plot, plot); // one after the other: Plotly's first drawing takes a while
      await this.plotting;
    }, Math.max(0, (this.latest ?? 0) + REDRAW_EVERY - performance.now()));
  }

  async #plot() {
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const traces = this.curves.map((curve) => ({
      x: curve.x,
      y: curve.y,
      name: curve.name,
      mode: "lines",
      type: "scatter",
      opacity: curve.faint ? 0.38 : 1,
      line: { color: colour(curve.colour), width: curve.faint ? 1.4 : 2.2, dash: curve.dash },
      hovertemplate: `%{y:.4g}<extra>${curve.name}</extra>`,
    }));
    if (this.flat) traces.push(this.#flatTrace(colour));
    if (!this.drawn) {
      this.element.replaceChildren();
      this.drawn = true;
      await Plotly.newPlot(this.element, traces, this.#layout(colour), CONFIG);
      this.element.append(this.line);
      this.element.on("plotly_afterplot", () => this.#place());
      this.#listen();
    } else {
      await Plotly.react(this.element, traces, this.#layout(colour), CONFIG);
    }
    this.#place();
  }

  #layout(colour) {
    const axis = { color: colour("--soft"), gridcolor: colour("--rule"), zeroline: false, linecolor: colour("--rule"), fixedrange: true };
    const longest = Math.max(0, ...this.curves.filter((curve) => !curve.faint).map((curve) => curve.name.length));
    const layout = {
      margin: { l: 58, r: BESIDE + LETTER * longest, t: 8, b: 40 },
      height: this.height,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(this.element).fontFamily, size: 12, color: colour("--soft") },
      showlegend: false,
      hovermode: "x unified",
      hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--rule"), font: { color: colour("--ink") } },
      dragmode: false,
      uirevision: "one",
      datarevision: (this.revision = (this.revision ?? 0) + 1), // the arrays grow in place
      xaxis: { ...axis, title: { text: this.axisTitle, standoff: 6 }, range: this.#width() },
      yaxis: { ...axis, automargin: true, title: { text: this.what, standoff: 4 }, ...this.#scale() }, // long numbers push the name aside
      shapes: [],
      annotations: [],
    };
    if (this.flat) layout.annotations.push(this.#flatName(colour));
    layout.annotations.push(...this.#names(colour));
    return layout;
  }

  /** From the first place, or 0, to the last; names of curves stand beside it, for no step was taken there. */
  #width() {
    const xs = this.curves.flatMap((curve) => [curve.x[0] ?? 0, curve.x.at(-1) ?? 0]);
    const [low, high] = [Math.min(0, ...xs), Math.max(0, ...xs)];
    return [low, high > low ? high : low + 1];
  }

  get height() {
    return this.element.clientWidth < 520 ? 240 : 300;
  }

  #scale() {
    return this.linear ? { type: "linear", nticks: 6 } : { type: "log", ...logTicks([...this.curves.flatMap((curve) => curve.y), this.flat?.y]) };
  }

  /** Where a value stands on the axis, as Plotly counts; null where it has no place there. */
  #on(y) {
    if (this.linear) return y ?? null;
    return y > 0 ? Math.log10(y) : null;
  }

  /** The name of each curve at its end, lower ones pushed down so that all can be read. */
  #names(colour) {
    const ends = this.curves.filter((curve) => !curve.faint && this.#on(curve.y.at(-1)) !== null)
      .map((curve) => ({ ...curve, end: curve.y.at(-1) })).sort((a, b) => b.end - a.end);
    const all = this.curves.flatMap((curve) => curve.y).concat(this.flat?.y ?? []).map((y) => this.#on(y)).filter((y) => y !== null);
    const [low, high] = [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
    const pixels = (NAMED * this.height) / (high - low || 1);
    let below = Infinity;
    return ends.map((curve) => {
      const at = this.#on(curve.end) * pixels;
      below = Math.min(at, below - LINE);
      return {
        x: curve.x.at(-1), y: this.#on(curve.end), xanchor: "left", xshift: 6, yshift: below - at,
        text: `<b>${curve.name}</b>`, showarrow: false, font: { size: 13, color: colour(curve.colour) },
      };
    });
  }

  /** A level to compare with, dashed over the whole width; a trace, so that the axis makes room for it. */
  #flatTrace(colour) {
    return {
      x: this.#width(), y: [this.flat.y, this.flat.y], mode: "lines", type: "scatter",
      line: { color: colour("--soft"), width: 1.4, dash: "dash" }, hoverinfo: "skip",
    };
  }

  #flatName(colour) {
    return {
      xref: "paper", x: 1, xanchor: "right", y: this.#on(this.flat.y), yanchor: "bottom", // curves cross the level early: there it hides none
      text: this.flat.name, showarrow: false, bgcolor: `${colour("--panel")}80`, font: { size: 12, color: colour("--soft") },
    };
  }

  /** Move the overlay by the chart's own scales; no redraw. */
  #place() {
    const layout = this.element._fullLayout;
    if (!this.at) this.line.style.display = "none";
    if (!this.drawn || !layout?.xaxis || !this.at) return;
    const { xaxis, yaxis } = layout;
    const left = xaxis._offset + xaxis.l2p(this.at.x);
    const inside = left >= xaxis._offset - 1 && left <= xaxis._offset + xaxis._length + 1;
    this.line.style.cssText = `left:${left}px;top:${yaxis._offset}px;height:${yaxis._length}px;display:${inside ? "block" : "none"}`;
    this.line.replaceChildren(...this.at.points.filter((p) => this.#on(p.y) !== null).map((point) => {
      const dot = document.createElement("i");
      dot.style.cssText = `top:${yaxis.l2p(this.#on(point.y))}px;background:var(${point.colour})`;
      return dot;
    }));
  }

  #listen() {
    let held = false;
    const pick = (event) => {
      const { xaxis } = this.element._fullLayout;
      const x = event.clientX - this.element.getBoundingClientRect().left - xaxis._offset;
      if (held) this.onPick(xaxis.p2l(Math.max(0, Math.min(xaxis._length, x))));
    };
    this.element.addEventListener("pointerdown", (event) => {
      held = event.button === 0;
      pick(event);
    }, true);
    window.addEventListener("pointermove", pick);
    window.addEventListener("pointerup", () => { held = false; });
  }
}

/** Ticks at 1, 2 and 5 of every decade (1 alone over many decades), written out: 0.02, 0.05, 0.1. */
function logTicks(values) {
  const known = values.filter((value) => value > 0);
  if (!known.length) return {};
  const low = Math.floor(Math.log10(known.reduce((a, b) => Math.min(a, b))));
  const high = Math.ceil(Math.log10(known.reduce((a, b) => Math.max(a, b))));
  const within = high - low > 3 ? [1] : high - low > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 7];
  const tickvals = [];
  const every = Math.ceil((high - low + 1) / DECADES);
  for (let power = low; power <= high; power += every) tickvals.push(...within.map((digit) => digit * 10 ** power));
  return { tickvals, ticktext: tickvals.map((value) => number(value)) };
}

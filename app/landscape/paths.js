/** The losses along both paths of a race, step by step: as they are, and on the surface beneath them. */
import { laneColour } from "../views/columns.js";

export class PathCurves {
  /** @param {import("../views/curves.js").LossCurves} chart */
  constructor(chart) {
    this.chart = chart;
  }

  /** @param {number[]} steps of the points that the panels' paths have: long runs are thinned out */
  set(panels, steps) {
    this.steps = steps;
    this.paths = panels.flatMap((panel) => Object.entries(panel.paths));
  }

  /** The point nearest to a step. */
  at(step) {
    const after = this.steps.findIndex((each) => each >= step);
    return after < 0 ? this.steps.length - 1 : after;
  }

  draw() {
    const curves = this.paths.flatMap(([name, path]) => [
      { x: this.steps, y: path.plane_loss, name: `${name}, on the surface`, colour: laneColour(name), dash: "solid", faint: true },
      { x: this.steps, y: path.true_loss, name, colour: laneColour(name), dash: "dot" },
    ]);
    this.chart.draw(curves, "step");
  }

  /** Mark a point. */
  mark(at) {
    this.chart.cursor(this.steps[at], this.paths.map(([name, path]) => ({ y: path.true_loss[at], colour: laneColour(name) })));
  }
}

/** A clip that is followed: target, X and Z as bodies that play, and how far the joints are off in every frame. */
import { Camera, drawScene, points } from "./body.js";
import { Columns, laneColour } from "../views/columns.js";
import { RunView } from "../views/run_view.js";

const ROWS = ["X", "Z"];

class Follow extends RunView {
  constructor(view) {
    super(view, {
      status: "follow-status",
      kinds: {
        ready: () => this.controls.ready(),
        begin: (message) => this.#begin(message),
        frames: (message) => this.frames(message),
        end: (message) => this.end(message),
        error: (message) => this.failed(message.text),
        exported: () => this.rest(),
      },
      onMove: () => this.#look(),
      describe: (index) => this.#describe(index),
      onClick: ({ order }) => order && this.#begins(order),
      chart: { what: "joints off (cm)", linear: true },
    });
    this.run = null;
    this.order = "warm";
    this.camera = new Camera();
    this.canvases = Object.fromEntries([...this.element.querySelectorAll("[data-body]")].map((each) => [each.dataset.body, each]));
    for (const canvas of Object.values(this.canvases)) this.#turns(canvas);
    new MutationObserver(() => this.#look()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new ResizeObserver(() => this.#look()).observe(this.find(".stage"));
    this.listen();
  }

  get count() {
    return this.run?.number ?? 0;
  }

  /** Where frames begin; only those that know the last one can be kept near to it. */
  #begins(order) {
    this.order = order;
    this.press("order", order);
    this.find("[data-ask=smoothness]").disabled = order === "cold";
  }

  asked() {
    const number = (name) => {
      const { value } = this.find(`[data-ask=${name}]`);
      return value === "" ? null : Number(value);
    };
    const joints = [...document.querySelectorAll("#figures [data-joint]")].filter((box) => box.checked);
    return {
      first: number("first"), last: number("last"), every: number("every"), steps: number("steps"),
      order: this.order, smoothness: this.order === "cold" ? 0 : number("smoothness"),
      visible: joints.map((box) => box.dataset.joint),
    };
  }

  #begin(message) {
    this.run = new Columns(message, ["joints", "error"]);
    Object.assign(this.run, { names: message.names, parents: message.parents, numbers: message.numbers, motion: message.motion, fps: message.fps });
    this.find("[data-target-label]").textContent = message.label;
    this.find(".results").hidden = false;
    this.bar(0);
    this.become("running");
    this.say("Running…", message.notices.join(" "));
    this.draw();
  }

  async frames(message) {
    await super.frames(message);
    if (message.run === this.run?.id) this.bar(this.run.steps.length / this.run.limit);
  }

  sayEnd() {
    const { summary, reason } = this.run?.end ?? {};
    this.bar(null);
    this.say(summary ?? "", reason);
  }

  cancelled() {
    this.rest();
    this.sayEnd();
  }

  draw() {
    this.timeline.setTicks(this.run.steps);
    const byNumber = this.run.curves("steps", "error").map((curve) => ({ ...curve, x: this.run.numbers }));
    this.curves.draw(byNumber, "frame");
  }

  #describe(index) {
    const at = this.run?.numbers[index];
    return at === undefined ? "" : `frame ${at}, ${(index / this.run.fps).toFixed(1)} s`;
  }

  /** Draw the frame that the scrubber stands on. */
  #look() {
    if (!this.run) return;
    const index = Math.max(0, this.timeline?.index ?? 0);
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const body = { names: this.run.names, parents: this.run.parents };
    const target = points(this.run.motion[index]);
    const scene = { floor: Math.min(...target.map(([, y]) => y)) - 4, rule: colour("--rule") };
    drawScene(this.canvases.target, this.camera, [{ ...body, points: target, colour: colour("--soft") }], scene);
    for (const row of ROWS) this.#lane(row, index, body, colour(laneColour(row)), scene);
    const at = this.run.numbers[index];
    if (this.run.steps.length) this.curves.cursor(at, this.run.at("steps", index, "error"));
  }

  #lane(row, index, body, colour, scene) {
    const lane = this.run.lanes[Object.keys(this.run.lanes).find((name) => name[0] === row)];
    const joints = lane?.joints[index];
    const figures = joints ? [{ ...body, points: points(joints), colour }] : [];
    drawScene(this.canvases[row], this.camera, figures, scene);
    const reading = document.createElement("b");
    reading.textContent = joints ? `${lane.error[index]?.toFixed(2) ?? "not finite,"} cm off` : "";
    this.canvases[row].closest("figure").querySelector(".reading").replaceChildren(reading);
  }

  #turns(canvas) {
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = event;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.camera.turn((event.clientX - from.clientX) * 0.012, (event.clientY - from.clientY) * 0.008);
      from = event;
      this.#look();
    });
    for (const over of ["pointerup", "pointercancel"]) canvas.addEventListener(over, () => { from = null; });
  }
}

export function mount(view) {
  return new Follow(view);
}

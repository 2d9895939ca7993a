/** The figure view: a target pose and its reconstructions in X and Z as turnable bodies, with one camera and one scrubber. */
import { Camera, drawScene, jointAt, points } from "./body.js";
import { PoseRecord, readings } from "./record.js";
import { byCell, laneColour } from "../views/columns.js";
import { settle } from "../views/address.js";
import { RunsView } from "../views/runs_view.js";
import { onTheme } from "../views/theme.js";

const LOWER = /Leg|Hip|Knee|Ankle|Foot|Toes/;
const BEGIN_HERE = "Click joints of the target to hide them, drag to turn, then press Run.";
const MEASURES = { loss: "loss", error: "seen joints off (cm)" };
const CLICK = 5; // px a pointer may move and still mean a click

class Figures extends RunsView {
  constructor(view) {
    super(view, {
      tab: "pose",
      beginHere: BEGIN_HERE,
      status: "pose-status",
      kinds: {
        target: (message) => this.#target(message),
        missing: ({ text }) => {
          this.controls.ready();
          this.controls.notice(text);
        },
      },
      onMove: () => this.#look(),
      describe: (index) => this.run?.describe(this.axis, index) ?? "",
      onClick: (data) => this.#click(data),
    });
    this.camera = new Camera();
    this.hidden = new Set();
    this.target = null;
    this.next = null; // a target that was chosen while a run goes on with another
    this.run = null; // the one shown, null where a target is that was not run yet
    this.axis = "steps";
    this.measure = "loss";
    this.cells = [...this.element.querySelectorAll("[data-cell]")];
    this.canvases = { target: this.find(".lane.target canvas") };
    for (const cell of this.cells) this.canvases[cell.dataset.cell] = cell.querySelector("canvas");
    this.element.addEventListener("change", (event) => this.#tick(event));
    for (const canvas of Object.values(this.canvases)) this.#listen(canvas);
    onTheme(() => this.#look());
    new ResizeObserver(() => this.#look()).observe(this.find(".stage"));
    this.listen();
  }

  /** Another target; while a run goes on with its own, that of the next. */
  #target(message) {
    this.controls.ready();
    this.next = this.controls.busy ? message : null;
    if (this.next) return;
    const another = !this.#isBody(message);
    this.target = { ...message, points: points(message.joints) };
    this.controls.notice(null);
    this.run = null;
    this.timeline.setTicks([]);
    this.curves.cursor(null);
    this.sayEnd();
    if (message.visible) this.#hide(message.names.slice(1).filter((name) => !message.visible.includes(name)));
    else if (another) this.#hide([]);
    this.#joints();
    this.#look();
  }

  record(begin) {
    return new PoseRecord(begin);
  }

  planned() {
    this.#look();
  }

  /** A run with its target and the joints it saw: another target may have been looked at since. */
  show(run, index) {
    this.run = run;
    this.target = run.target;
    this.#hide(run.target.names.slice(1).filter((name) => !run.target.visible.includes(name)));
    this.sayEnd();
    this.draw(index === undefined);
    if (index !== undefined) this.timeline.moveTo(index);
  }

  begun(run) {
    super.begun(run);
    this.next = null;
  }

  /** Of another target than the one in view the joints that came with it are seen; of another body, else all of them. */
  asked() {
    const { next } = this;
    const visible = next?.visible ?? (next && !this.#isBody(next) ? next.names.slice(1) : this.visible);
    return { ...super.asked(), visible };
  }

  /** Whether a target's body is that of the one in view. */
  #isBody({ names }) {
    return this.target?.names.join() === names.join();
  }

  /** Names of the joints; the hips are none. Before there is a target there are none. */
  get names() {
    return this.target?.names.slice(1) ?? [];
  }

  /** Names of the joints that are not hidden. */
  get visible() {
    return this.names.filter((name) => !this.hidden.has(name));
  }

  #click({ seen, turn, axis, measure }) {
    if (seen) this.#choose(this.names.filter((name) => seen !== "all" && LOWER.test(name) === (seen === "upper")));
    if (turn) this.#turn(turn);
    if (axis) {
      this.axis = axis;
      this.press("axis", axis);
      this.draw(true);
    }
    if (measure) {
      this.measure = measure;
      this.press("measure", measure);
      this.curves.what = MEASURES[measure];
      this.draw();
      this.#look();
    }
  }

  #tick(event) {
    const name = event.target.dataset.joint;
    if (name) this.#toggle(name);
  }

  #toggle(name) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    this.#choose([...hidden]);
  }

  /** What a visitor hides goes before what came with a target. */
  #choose(names) {
    if (this.next) this.next = { ...this.next, visible: undefined };
    this.#hide(names);
  }

  #hide(names) {
    this.hidden = new Set(names);
    const lower = this.names.filter((name) => LOWER.test(name));
    const upper = this.names.filter((name) => !LOWER.test(name));
    const same = (list) => list.length === this.hidden.size && list.every((name) => this.hidden.has(name));
    settle("pose", this.hidden.size ? { hidden: [...this.hidden].join() } : {}, "hidden");
    this.press("seen", same([]) ? "all" : same(lower) ? "upper" : same(upper) ? "lower" : "some");
    this.#joints();
    this.#look();
  }

  /** A box for every joint, made once for a body: a box that is replaced when it is ticked would lose the keyboard's focus. */
  #joints() {
    const boxes = [...this.element.querySelectorAll("[data-joint]")];
    for (const box of boxes) box.checked = !this.hidden.has(box.dataset.joint);
    if (boxes.map((box) => box.dataset.joint).join() === this.names.join()) return;
    this.find("[data-joints]").replaceChildren(...this.names.map((name) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", checked: !this.hidden.has(name) });
      box.dataset.joint = name;
      label.append(box, name.replace(/^L_(.*)|(.*)_L$/, "$1$2, left").replace(/^R_(.*)|(.*)_R$/, "$1$2, right"));
      return label;
    }));
  }

  #turn(how) {
    if (how === "left" || how === "right") this.camera.turn(how === "left" ? -0.4 : 0.4, 0);
    else [this.camera.azimuth, this.camera.elevation] = [how === "front" ? 0 : Math.PI / 2, 0.05];
    this.#look();
  }

  #listen(canvas) {
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY, moved: 0 };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      from = { x: event.clientX, y: event.clientY, moved: from.moved + Math.abs(dx) + Math.abs(dy) };
      this.camera.turn(dx * 0.012, dy * 0.008);
      this.#look();
    });
    canvas.addEventListener("pointerup", (event) => {
      const clicked = from && from.moved < CLICK && canvas === this.canvases.target && this.target;
      from = null;
      const name = clicked ? jointAt(canvas, this.camera, this.target, event) : null;
      if (name) this.#toggle(name);
    });
    canvas.addEventListener("pointercancel", () => { from = null; });
    canvas.addEventListener("dblclick", () => {
      this.camera.reset();
      this.#look();
    });
  }

  draw(toEnd = false) {
    const ticks = this.run?.ticks(this.axis) ?? [];
    this.timeline.setTicks(ticks, toEnd ? ticks.length - 1 : undefined);
    this.listed();
    this.curves.draw(this.compared(this.axis, this.measure), this.axis === "steps" ? "step" : "seconds of computing in each lane");
  }

  /** Draw all three canvases for the step that the scrubber stands on. */
  #look() {
    if (!this.target) return;
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const floor = Math.min(...this.target.points.map(([, y]) => y)) - 4;
    const scene = { floor, rule: colour("--rule") };
    const { names, parents } = this.target;
    const hidden = this.hidden;
    const body = { names, parents };
    const own = { ...body, points: this.target.points, colour: colour("--soft"), hidden, marks: true, ink: colour("--ink"), paper: colour("--panel") };
    drawScene(this.canvases.target, this.camera, [own], scene);
    this.find("[data-target-label]").textContent = this.target.label;
    this.find(".lane.target .reading").textContent = hidden.size
      ? `${this.visible.length} of ${names.length - 1} joints seen` : "all joints seen";
    const tick = this.timeline?.ticks[this.timeline.index];
    const lanes = Object.fromEntries(Object.keys(this.run?.lanes ?? {}).map((name) => [this.run.cell(name), name]));
    this.#name(byCell(this.run?.table ?? this.plan));
    for (const cell of this.cells) this.#lane(cell, lanes[cell.dataset.cell], tick, body, colour(laneColour(cell.dataset.cell)), scene);
    if (this.run && tick !== undefined) this.curves.cursor(tick, this.run.at(this.axis, tick, this.measure));
  }

  /** Say by what each lane descends; those that there are none of are switched off. */
  #name(lanes) {
    for (const cell of this.cells) {
      const lane = lanes[cell.dataset.cell];
      const how = cell.querySelector("[data-how]");
      how.textContent = lane?.optimiser ?? how.dataset.how;
      cell.querySelector("figcaption").title = lane ? `${how.dataset.how}, ${lane.optimiser}, ${lane.settings}` : "";
      cell.classList.toggle("off", !lane && Object.keys(lanes).length > 0);
    }
  }

  #lane(cell, lane, tick, body, colour, scene) {
    const at = lane && tick !== undefined ? this.run.place(lane, this.axis, tick) : -1;
    const bodies = at < 0 ? [] : this.run.bodies(lane, at);
    const alpha = bodies.length > 1 ? 0.25 + 0.5 / bodies.length : 1;
    drawScene(this.canvases[cell.dataset.cell], this.camera, bodies.map((place) => ({ ...body, points: place, colour, alpha })), scene);
    cell.querySelector(".reading").replaceChildren(...(lane ? readings(this.run, lane, at) : []));
  }
}

export function mount(view) {
  return new Figures(view);
}

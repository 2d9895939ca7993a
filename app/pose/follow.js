/** A motion that is followed: target, X and Z as bodies under one camera. */
import { Camera, drawScene, points } from "./body.js";
import { FollowView } from "../following/follow.js";

class FollowMotion extends FollowView {
  constructor(view) {
    super(view, { id: "follow", tab: "pose", shown: "joints", what: "joints off (cm)" });
    this.camera = new Camera();
    for (const canvas of Object.values(this.canvases)) this.#turns(canvas);
    this.listen();
  }

  more() {
    const joints = [...document.querySelectorAll("#figures [data-joint]")].filter((box) => box.checked);
    return { visible: joints.map((box) => box.dataset.joint) };
  }

  showTarget(index) {
    const target = points(this.run.begin.motion[index]);
    this.scene = { floor: Math.min(...target.map(([, y]) => y)) - 4, rule: this.colour("--rule") };
    this.#draw("target", target, "--soft");
  }

  showLane(row, joints) {
    this.#draw(row, joints && points(joints), row);
  }

  #draw(frame, places, colour) {
    const { names, parents } = this.run.begin;
    const bodies = places ? [{ names, parents, points: places, colour: this.colour(colour) }] : [];
    drawScene(this.canvases[frame], this.camera, bodies, this.scene);
  }

  reading(error) {
    return error === null ? "not finite" : `${error.toFixed(2)} cm off`;
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
      this.look();
    });
    for (const over of ["pointerup", "pointercancel"]) canvas.addEventListener(over, () => { from = null; });
  }
}

export function mount(view) {
  return new FollowMotion(view);
}

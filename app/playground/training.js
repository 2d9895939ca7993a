/** What the server told of one training: its settings, the y that is searched, every frame that came, the descents shown last. */
import { fieldOf, scaleOf } from "./map.js";

export class Training {
  /**
   * @param {object} scene the message it begins with
   * @param {Training|null} before what stood here until now: its history is drawn beside where the forward model is the same
   */
  constructor(scene, before) {
    const again = before?.settings.model === scene.settings.model && before.history.length > 1;
    Object.assign(this, {
      scene, settings: scene.settings, defaults: scene.defaults, history: [...scene.history], earlier: again ? before.history : [],
      frames: new Map(), paths: { X: null, Z: null }, furthest: scene.buffer,
    });
    this.aimed(scene);
  }

  /** Another y. */
  aimed({ y, solutions, others, chosen, x }) {
    Object.assign(this, { y, solutions, others, chosen, fieldX: fieldOf(x), basins: null });
    this.scale = scaleOf(this.fieldX, this.scene.tolerance);
  }

  /** The y that a visitor chose, if any. */
  get aim() {
    return this.chosen ? this.y.slice(0, 2) : null;
  }

  /** A frame came; its history is that of the buffers before it. */
  take(message) {
    const frame = { ...message, field: fieldOf(message.z) };
    Object.assign(this.settings, message.settings);
    this.frames.set(frame.buffer, frame);
    message.history.forEach((entry, i) => { this.history[frame.buffer - message.history.length + i] = entry; });
    this.furthest = Math.max(this.furthest, frame.buffer);
    if (frame.paths.X) this.paths = { ...frame.paths };
    return frame;
  }

  /** The frame of a buffer, or the last one that came before it. */
  at(buffer) {
    const known = [...this.frames.keys()].filter((each) => each <= buffer);
    return this.frames.get(Math.max(...known));
  }
}

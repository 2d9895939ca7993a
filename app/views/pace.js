/** How fast a run goes and how long it will still take, from its last few seconds. */
import { number, span } from "./words.js";

const WINDOW = 5000; // ms

export class Pace {
  constructor() {
    this.seen = [];
  }

  /** Take note of a step reached, and say what that means: "12 steps a second, 9 s left"; nothing before it is known. */
  tell(step, limit, now = performance.now()) {
    this.seen.push({ step, now });
    while (this.seen.length > 2 && now - this.seen[0].now > WINDOW) this.seen.shift();
    const steps = step - this.seen[0].step;
    if (!steps) return "";
    const rate = (1000 * steps) / (now - this.seen[0].now);
    return `${number(Number(rate.toPrecision(2)))} steps a second, ${span((limit - step) / rate)} left`;
  }
}

/** Numbers of a tab's runs, given once each, whichever of the browser's windows asks, also where the run is forgotten again. */
import { remember, remembered } from "./remembered.js";

export class RunNumbers {
  /** @param {string} tab */
  constructor(tab) {
    this.key = `run-number-${tab}`;
    this.asked = null; // the last one given, until its run has begun
  }

  /** The next number, greater than that of each of these runs; it is given to nobody else. */
  next(runs) {
    this.asked = 1 + Math.max(this.#last, ...runs.map((run) => run.number));
    remember(this.key, this.asked);
    return this.asked;
  }

  /** A run has begun under a number. */
  taken(number) {
    this.asked = null;
    if (number > this.#last) remember(this.key, number);
  }

  /** The run that was asked for was refused: the next has its number, unless another window was given one since. */
  back() {
    if (this.asked !== null && this.asked === this.#last) remember(this.key, this.asked - 1);
    this.asked = null;
  }

  get #last() {
    return Number(remembered(this.key));
  }
}

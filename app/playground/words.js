/** What the playground says of a forward model, of a training that goes on, and of the y that is shown. */
export const MODELS = {
  arm: "A robot arm of two links: x are its joint angles, y is where the hand is. Click where it should be.",
  valley: "A narrow valley along a parabola: y = (0.3 x1, 3 (x2 − x1²)).",
  ripples: "A bowl with spikes: y = (x1, x2, 0.4 sin 5 x1, 0.4 sin 5 x2).",
  network: "A small random network from two inputs to three outputs, of which two are drawn.",
  own: "Your own F, from two expressions in x1 and x2.",
};

/** Where a training of so many buffers is. */
export function progress({ phase, buffer }, buffers) {
  const where = `Buffer ${buffer + (phase ? 1 : 0)} of ${buffers}`;
  if (!phase) return `${where}.`;
  const [name, done, total] = phase;
  return name === "collect" ? `${where}: collecting, step ${done} of ${total}.` : `${where}: descending on θ, update ${done} of ${total}.`;
}

/** Who arrives when, within that many steps. */
export function outcome({ X, Z }, limit) {
  if (!X || !Z) return "";
  const words = (lane, { arrived }) => (arrived === null ? `${lane} does not arrive in ${limit}` : `${lane} arrives after ${arrived}`);
  return `On this y ${words("X", X)}, ${words("Z", Z)} steps.`;
}

/** Numbers as people read them: three figures, and times in ms below a second. */
export function number(value) {
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  return size === 0 || (size >= 1e-4 && size < 1e4) ? String(Number(value.toPrecision(3))) : value.toExponential(2).replace(/\.?0+e/, "e");
}

export function clock(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** A while as people say it: "9 s", "2 min". */
export function span(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** What a run without an end says. It may be going on: a browser keeps the runs of all its windows in one place. */
export const UNFINISHED = "This run has no end here: it was interrupted, or goes on in another window. What it had reached is shown.";

/** The lanes that a tab's next run would have: the note beside the form tells them, and the view names its lanes by them. */
const plans = new Map(); // by tab
const takers = new Map();

/** The lanes that a tab's form asks for: by name {cell, optimiser, settings}. */
export function plan(tab, table) {
  plans.set(tab, table);
  takers.get(tab)?.(table);
}

/** `take(table)` is called with those lanes now, where they are known, and whenever they are told again. */
export function onPlan(tab, take) {
  takers.set(tab, take);
  if (plans.has(tab)) take(plans.get(tab));
}

/**
 * The page's address (the open tab with its settings) and the browser's history of tabs, settings and runs.
 *
 * A tab tells its settings with `settle`, a view its runs with `ran`. An entry of the history is a tab's settings, and the run
 * that was made with them, if any: what changes after a run begins a new entry, what changes before one only mends it. Going
 * back asks the server to open that tab with those settings, and the view to show that run.
 */
const FIRST = "invert";
const parts = new Map(); // by tab, what its parts said of its settings
const shows = new Map(); // by tab, who shows one of its runs
const opens = new Map(); // by tab, who take settings from an address by themselves
const first = new URLSearchParams(location.search); // what the page was opened with
let open = first.get("tab") ?? FIRST;
let opening = open !== FIRST; // the page shows the first tab until the server has opened the address's
let travelling = true; // an entry of the history was gone to, or the page loaded: its settings are on their way into the form
let due = []; // tabs that the server was asked to open and has not opened yet, the earliest first
let ask = () => {};
if (!entry()) history.replaceState({ ...history.state, lab: { tab: open, query: asked(open), run: null } }, "");

/** The address view: going back makes it emit the name of a tab, with the settings that are to be opened in it. */
export function mount({ trigger, value }) {
  ask = trigger;
  if (value().includes(open)) return;
  [open, opening] = [FIRST, false]; // there is no such tab
  write({ tab: FIRST, query: settings(FIRST), run: null }, true);
}

/** A tab's settings by name; of a `part` of them, where several views have some. */
export function settle(tab, query, part = "settings") {
  parts.set(tab, { ...parts.get(tab), [part]: query });
  if (tab !== open) return;
  const back = travelling;
  if (part === "settings") travelling = false;
  else if (back) return; // the entry is not written before the form has come to its settings
  const [now, whole] = [entry(), settings(tab)];
  if (now?.tab === tab && same(now.query, whole)) return;
  const mends = !now || back || now.tab !== tab || !now.run;
  write({ tab, query: whole, run: back ? now.run : null }, mends);
}

/** A run was begun in a tab, with the settings told last. */
export function ran(tab, run) {
  if (tab === open) write({ tab, query: settings(tab), run }, !entry()?.run);
}

/** `show(run)` is called when the history goes to one of a tab's runs. */
export function onShow(tab, show) {
  shows.set(tab, show);
  const now = entry();
  if (now?.tab === tab && now.run) show(now.run); // the page was loaded again
}

/** `take(query)` is called when the history goes to a tab, for settings that are not in its form. */
export function onOpen(tab, take) {
  opens.set(tab, [...(opens.get(tab) ?? []), take]);
}

/** The settings that the page was opened with, where they are a tab's. */
export function asked(tab) {
  const { tab: named = FIRST, ...query } = Object.fromEntries([...first].filter(([name]) => !name.startsWith("__")));
  return named === tab ? query : {};
}

window.addEventListener("lab-tab", ({ detail: tab }) => {
  const early = opening && tab === FIRST; // it is shown on the way only
  opening &&= early;
  const answered = due.indexOf(tab);
  due = answered < 0 ? [] : due.slice(answered + 1);
  if (answered >= 0 && tab !== open) return; // the history has gone on from there
  if (tab === open || early) return;
  open = tab;
  travelling = false;
  if (entry()?.tab !== tab) write({ tab, query: settings(tab), run: null }, false);
});

window.addEventListener("popstate", () => {
  const now = entry();
  if (!now) return;
  if (due.length || shown() !== now.tab) due.push(now.tab);
  open = now.tab;
  travelling = true;
  ask(now.tab, { query: now.query });
  for (const take of opens.get(now.tab) ?? []) take(now.query);
  if (now.run) shows.get(now.tab)?.(now.run);
});

function settings(tab) {
  return Object.assign({}, ...Object.values(parts.get(tab) ?? {}));
}

/** The tab that the page shows. */
function shown() {
  return document.querySelector("[role=tab][aria-selected=true]")?.dataset.tabId;
}

function entry() {
  return history.state?.lab;
}

/** Make it the history's entry, in place of the present one or after it. What belongs to all tabs (the theme) stays. */
function write(lab, mends) {
  const url = new URL(location.href);
  for (const name of [...url.searchParams.keys()]) if (!name.startsWith("__")) url.searchParams.delete(name);
  if (lab.tab !== FIRST) url.searchParams.set("tab", lab.tab);
  for (const [name, value] of Object.entries(lab.query)) url.searchParams.set(name, value);
  if (mends) history.replaceState({ ...history.state, lab }, "", url);
  else history.pushState({ ...history.state, lab }, "", url);
}

function same(a, b) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** What terms mean: a dotted line under a term, and on hover, focus or tap the sentence that the word list has of it. */
const PLACES = "figcaption, h2, .summary, .aside, .hint, .about, .caveat, .lessons li, caption, .judges thead th";
const NOT_IN = "button, a, label, summary, input, select, textarea, [data-how]:empty";
const TAIL = /^[^\s\p{L}\p{N}]\S*/u; // a comma or 's after a term, which no line is to begin with
const GAP = 6; // px between a term and its sentence

const list = () => document.querySelectorAll("#words [data-word]");
let pattern = null;
let entries = null;

/** Terms by the words for them, longest first, so that "L-BFGS" is not taken for less. */
function known() {
  if (entries?.size) return entries;
  const forms = [...list()].flatMap((entry) => entry.dataset.forms.split("|").map((form) => [form, entry.dataset.word]));
  entries = new Map(forms.map(([form, term]) => [key(form), term]));
  const either = forms.map(([form]) => form).sort((a, b) => b.length - a.length).map(written);
  pattern = new RegExp(`(?<![\\p{L}\\p{N}·-])(?:${either.join("|")})(?![\\p{L}\\p{N}])`, "u");
  return entries;
}

/** A symbol stands for itself; an ordinary word may begin a sentence and stand in the plural. */
function written(form) {
  const safe = form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (!isWord(form)) return safe;
  return `[${safe[0].toLowerCase()}${safe[0].toUpperCase()}]${safe.slice(1)}s?`;
}

function isWord(form) {
  return /^\p{L}\p{Ll}{2,}/u.test(form);
}

function key(form) {
  return isWord(form) ? form.toLowerCase() : form;
}

function termOf(found) {
  const entry = known();
  return entry.get(found) ?? entry.get(found.toLowerCase()) ?? entry.get(found.toLowerCase().replace(/s$/, ""));
}

/** Mark each term where an element says it first. */
export function explain(root) {
  if (!known().size) return;
  const seen = new Set([...root.querySelectorAll(".term")].map((term) => term.dataset.term));
  const places = [...(root.matches(PLACES) ? [root] : []), ...root.querySelectorAll(PLACES)];
  for (const place of places) for (const text of texts(place)) mark(text, seen);
}

function texts(place) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT, (node) => (
    node.parentElement.closest(NOT_IN) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
}

function mark(text, seen) {
  let rest = text;
  for (let match = pattern.exec(rest.data); match; match = pattern.exec(rest.data)) {
    const found = rest.splitText(match.index);
    rest = found.splitText(match[0].length);
    const term = termOf(match[0]);
    if (!term || seen.has(term)) continue;
    seen.add(term);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "term", textContent: match[0] });
    button.dataset.term = term;
    const after = TAIL.exec(rest.data)?.[0].length;
    if (!after) {
      found.replaceWith(button);
      continue;
    }
    const tail = rest;
    rest = tail.splitText(after);
    const together = Object.assign(document.createElement("span"), { className: "together" });
    found.replaceWith(together);
    together.append(button, tail);
  }
}

/** Show the sentence of a term beside it. */
function show(term) {
  const box = document.querySelector("#word");
  const meaning = document.querySelector(`#words [data-word="${CSS.escape(term.dataset.term)}"] dd`);
  if (!box || !meaning) return;
  box.textContent = meaning.textContent;
  term.setAttribute("aria-describedby", box.id);
  box.showPopover();
  const at = term.getBoundingClientRect();
  const [width, height] = [box.offsetWidth, box.offsetHeight];
  const below = at.bottom + GAP + height <= innerHeight;
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  box.style.top = `${below ? at.bottom + GAP : at.top - GAP - height}px`;
}

function hide() {
  const box = document.querySelector("#word:popover-open");
  box?.hidePopover();
  document.querySelector(".term[aria-describedby=word]")?.removeAttribute("aria-describedby");
}

/** Listen on the whole page, for terms come and go. */
export function listen() {
  const over = (event) => event.target.closest?.(".term");
  document.addEventListener("pointerover", (event) => { if (over(event)) show(over(event)); });
  document.addEventListener("pointerout", (event) => { if (over(event) && over(event) !== document.activeElement) hide(); });
  document.addEventListener("focusin", (event) => { hide(); if (over(event)) show(over(event)); });
  document.addEventListener("focusout", (event) => { if (over(event)) hide(); });
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("click", (event) => {
    const dialog = document.querySelector("#words");
    if (over(event)) show(over(event));
    if (event.target.closest("[data-words]")) dialog.showModal();
    if (event.target.closest("#words [data-close]") || event.target === dialog) dialog.close();
  });
}

import { settle } from "./address.js";
import { plan } from "./plan.js";

/** A line about the settings, with which the page's address and the view's lanes are kept in step. */
export function mount({ element, watch, value }) {
  const line = element.querySelector(".note");
  const show = () => {
    const note = value();
    line.textContent = note?.text ?? "";
    line.classList.toggle("error", note?.level === "error");
    if (note?.query) settle(note.tab, note.query);
    if (note?.table) plan(note.tab, note.table);
  };
  watch("value", show);
  show();
}

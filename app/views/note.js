import { settle } from "./address.js";

/** A line about the settings, and the page's address kept in step with them. */
export function mount({ element, watch, value }) {
  const line = element.querySelector(".note");
  const show = () => {
    const note = value();
    line.textContent = note?.text ?? "";
    line.classList.toggle("error", note?.level === "error");
    if (note?.query) settle(note.tab, note.query);
  };
  watch("value", show);
  show();
}

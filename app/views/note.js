/** A line about the settings, and the page's address kept in step with them. */
export function mount({ element, watch, value }) {
  const line = element.querySelector(".note");
  const show = () => {
    const note = value();
    line.textContent = note?.text ?? "";
    line.classList.toggle("error", note?.level === "error");
    if (note?.query) address(note.query, note.own);
  };
  watch("value", show);
  show();
}

/** Replace a tab's own parameters of the address; others (the theme, another tab's) stay. */
function address(query, own) {
  const url = new URL(location.href);
  for (const name of own) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
}

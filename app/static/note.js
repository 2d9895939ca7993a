/** A line about the settings, and the page's address kept in step with them. */
const OWN = ["model", "space", "start", "steps", "seed", "x", "x_lr", "z", "z_lr", "perceptual", "target"];

export function mount({ element, watch, value }) {
  const line = element.querySelector(".note");
  const show = () => {
    const note = value();
    line.textContent = note?.text ?? "";
    line.classList.toggle("error", note?.level === "error");
    if (note?.query) address(note.query);
  };
  watch("value", show);
  show();
}

/** Replace our own parameters of the address; others (the theme) stay. */
function address(query) {
  const url = new URL(location.href);
  for (const name of OWN) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
}

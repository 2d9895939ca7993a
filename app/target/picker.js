/** Pictures to choose one from. */
export function mount({ element, trigger, watch, value }) {
  const row = element.querySelector(".picker");
  row.addEventListener("click", (event) => {
    const name = event.target.closest("button")?.dataset.name;
    if (name) trigger("pick", { name });
  });
  const show = () => {
    const { items = [], chosen } = value() ?? {};
    if (row.children.length !== items.length) row.replaceChildren(...items.map(choice));
    for (const button of row.children) button.setAttribute("aria-pressed", String(button.dataset.name === chosen));
  };
  watch("value", show);
  show();
}

function choice({ name, label, src }) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.name = name;
  button.append(Object.assign(document.createElement("img"), { src, alt: "" }), label);
  return button;
}

/** Links from an answer to its table: the table is opened, shown, and takes the focus. */
export function mount(element) {
  element.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-table]");
    const table = link && element.querySelector(`#${CSS.escape(link.hash.slice(1))}`);
    if (!table) return;
    event.preventDefault();
    table.open = true;
    table.scrollIntoView({ block: "start" });
    table.querySelector("summary").focus({ preventScroll: true });
  });
}

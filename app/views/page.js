/** What belongs to the whole page: the choice of light or dark. */
const KEY = "theme";

function apply(dark) {
  document.body.classList.toggle("dark", dark);
}

const chosen = localStorage.getItem(KEY);
const asked = new URLSearchParams(location.search).get("__theme");
if (chosen && !asked) apply(chosen === "dark");

document.addEventListener("click", (event) => {
  if (!event.target.closest(".masthead .theme")) return;
  const dark = !document.body.classList.contains("dark");
  apply(dark);
  localStorage.setItem(KEY, dark ? "dark" : "light");
});

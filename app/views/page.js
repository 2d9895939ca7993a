/** What belongs to the whole page: light or dark, what is said above the tabs, the words behind terms, the tour, and its keys. */
import { listen as explainTerms } from "./glossary.js";
import { remember, remembered } from "./remembered.js";
import { listen as shrinkPictures } from "./shrink.js";
import { listen as offerTour } from "./tour.js";

const KEY = "theme";
const INTRO = "intro";
const TURNS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function apply(dark) {
  document.body.classList.toggle("dark", dark);
}

const chosen = remembered(KEY);
const asked = new URLSearchParams(location.search).get("__theme");
if (chosen && !asked) apply(chosen === "dark");

document.addEventListener("click", (event) => {
  if (event.target.closest(".masthead .theme")) {
    const dark = !document.body.classList.contains("dark");
    apply(dark);
    remember(KEY, dark ? "dark" : "light");
  }
  if (event.target.closest("[data-skip]")) {
    event.preventDefault();
    skip();
  }
});

/** To Run (or Stop, or whatever comes first in a tab without it). */
function skip() {
  const places = [...document.querySelectorAll(".tabitem :is([data-act=run], [data-act=train], [data-act=stop]), .tabitem :is(a, button, summary)")];
  const inSight = places.filter((place) => place.checkVisibility() && !place.disabled);
  (inSight.find((place) => place.dataset.act) ?? inSight[0])?.focus();
}

/** Arrow keys go from tab to tab. */
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  const by = TURNS[event.key];
  if (!tab || by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]:not(:disabled)")];
  const place = tabs.indexOf(tab) + by;
  const to = tabs.at(Number.isFinite(place) ? place % tabs.length : place > 0 ? -1 : 0);
  event.preventDefault();
  to.focus();
  to.click();
});

/** What is said above the tabs of the one that is open. */
const about = (tab) => document.querySelectorAll(".intro [data-about]").forEach((each) => { each.hidden = each.dataset.about !== tab; });
addEventListener("lab-tab", ({ detail }) => about(detail));

/** What is said above the tabs stays folded where it was folded. */
document.addEventListener("toggle", (event) => {
  if (event.target.matches(".intro")) remember(INTRO, event.target.open ? "open" : "folded");
}, true);
const fold = () => {
  const intro = document.querySelector(".intro");
  if (!intro) {
    requestAnimationFrame(fold);
    return;
  }
  intro.open = remembered(INTRO) !== "folded";
  about(new URLSearchParams(location.search).get("tab") ?? "invert");
};
fold();

explainTerms();
shrinkPictures();
offerTour();

/**
 * Six stops that show what there is, by the controls that a visitor has: each opens a tab, presses what is to be pressed and
 * says what to look at. It can be left at any time, by its button or Escape; what it began goes on.
 */
const STEPS = 40;
const LOOK = 100; // ms between two looks at the page
const LANES = ["X1", "Z1", "X2", "Z2"]; // as the boxes of the form stand

const STOPS = [
  {
    title: "Adam in X", at: "#race .stage",
    text: "The target is known, the input that gives it is not. Adam, the usual optimiser, changes the network's input a little at each step. Watch how slowly the picture and its loss get there.",
    act: (tour) => race(tour, ["X1"]),
  },
  {
    title: "A better optimiser: L-BFGS", at: "#race .stage",
    text: "L-BFGS learns from its own steps how the loss curves. Here it runs beside Adam, in the same space and from the same start.",
    act: (tour) => race(tour, ["X1", "X2"]),
  },
  {
    title: "A better space: Z", at: "#race .stage", from: "#race [data-cell=X1]", // on a phone both rows, not the target above them
    text: "The lower row searches in Z, a space that was learned so that the same steps go further. Compare within a column: only the space differs there. The sentence under the pictures says which was better, and by how much.",
    act: (tour) => race(tour, LANES),
  },
  {
    title: "The landscape there", at: "#surfaces .plot",
    text: "The loss as a height, around the two paths that were just taken: X's on one surface, Z's on the other. Where the way down is rounder, the same steps get further. Drag to turn, or use the arrow keys. The first drawing takes a while; go on when you like.",
    act: drawLandscape,
  },
  {
    title: "Your own picture", at: ".target-card",
    text: "Drop a photograph here, or choose one; a face is framed for you, and the square can be moved. Then press Run: everything you saw is done with your picture.",
    act: (tour) => upload(tour),
  },
  {
    title: "Where to learn more", at: "#playground .maps",
    text: "In the Playground an input has two numbers only, so both landscapes are seen whole: press Train Θ and watch one being learned. Results holds every claim with its interval, and “All words” above the tabs every term.",
    act: (tour) => open(tour, "Playground", "#playground [data-act=restart]"),
  },
];

class Left extends Error {}

class Tour {
  constructor(panel) {
    this.panel = panel;
    this.stop = null;
  }

  find(selector) {
    return this.panel.querySelector(selector);
  }

  /** Go to a stop; what is still under way for another is given up. */
  async go(index) {
    if (index >= STOPS.length) return this.leave();
    const stop = STOPS[Math.max(0, index)];
    this.stop = stop;
    this.panel.hidden = false;
    this.find(".count").textContent = `Stop ${STOPS.indexOf(stop) + 1} of ${STOPS.length}`;
    this.find("h2").textContent = stop.title;
    this.find("#tour-text").textContent = stop.text;
    this.find(".outcome").textContent = "";
    this.find("[data-tour=back]").hidden = stop === STOPS[0];
    this.find("[data-tour=next]").textContent = stop === STOPS.at(-1) ? "Finish" : "Next";
    this.find("h2").focus({ preventScroll: true });
    try {
      const said = await stop.act({ until: (found) => this.#until(stop, found), look: () => this.#look(stop) });
      this.#look(stop);
      this.find(".outcome").textContent = said ?? "";
    } catch (error) {
      if (!(error instanceof Left)) throw error;
    }
  }

  next(by = 1) {
    return this.go(STOPS.indexOf(this.stop) + by);
  }

  leave() {
    Object.assign(this, { stop: null, looked: null });
    this.panel.hidden = true;
    unmark();
    document.querySelector("[data-tour=begin]").focus();
  }

  /** What `found` finds, as soon as it does. */
  async #until(stop, found) {
    for (;;) {
      if (this.stop !== stop) throw new Left();
      const what = found();
      if (what) return what;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  #look(stop) {
    if (this.stop !== stop) throw new Left();
    if (this.looked === stop) return;
    unmark();
    const place = document.querySelector(stop.at);
    if (!place) return;
    this.looked = stop;
    place.classList.add("tour-here");
    document.querySelector(stop.from ?? stop.at).scrollIntoView({ block: "start", behavior: "smooth" });
  }
}

function unmark() {
  document.querySelector(".tour-here")?.classList.remove("tour-here");
}

/** An element that is there to be pressed, or null. */
function ready(selector) {
  const found = document.querySelector(selector);
  return found?.checkVisibility() && !found.disabled ? found : null;
}

/** Open a tab; a run that is going in it is stopped. */
async function open({ until }, name, begin) {
  [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.trim() === name).click();
  const stop = begin.replace(/\w+\]$/, "stop]");
  await until(() => ready(begin) ?? (ready(stop)?.click(), null));
}

/** Run these lanes by the usual settings, and say how they ended. */
async function race(tour, cells) {
  const run = "#race [data-act=run]";
  await open(tour, "Invert", run);
  const usual = () => document.querySelector("#optimiser1 input").value === "Adam" && document.querySelector("#optimiser2 input").value === "L-BFGS";
  if (!usual()) {
    [...document.querySelectorAll(".settings-card button")].find((button) => button.textContent.trim() === "Reset settings").click();
    await tour.until(usual);
  }
  type("#steps input[type=number]", STEPS);
  const boxes = [...document.querySelectorAll("#lanes input[type=checkbox]")];
  for (const on of [true, false]) {
    boxes.forEach((box, i) => { if (box.checked !== on && cells.includes(LANES[i]) === on) box.click(); });
  }
  await tour.until(() => boxes.every((box, i) => box.checked === cells.includes(LANES[i])));
  document.querySelector(run).click();
  tour.look();
  await tour.until(() => ready(run));
  return `The losses after ${STEPS} steps: ${cells.map(reading).join(", ")}.`;
}

function reading(cell) {
  const place = document.querySelector(`#race [data-cell=${cell}]`);
  return `${cell[0]} · ${place.querySelector("[data-how]").textContent} ${place.querySelector(".reading b")?.lastChild.textContent ?? "–"}`;
}

/** Put a number into a field as its visitor would. */
function type(selector, value) {
  const field = document.querySelector(selector);
  field.value = value;
  for (const event of ["input", "change", "blur"]) field.dispatchEvent(new Event(event, { bubbles: true }));
}

async function drawLandscape(tour) {
  await open(tour, "Invert", "#race [data-act=run]");
  const press = ready("#race [data-act=landscape]");
  if (!press) return "There is no run to draw the landscape of: go back one stop first.";
  press.click();
  await tour.until(() => ready("#surfaces .plot"));
  tour.look();
  const said = () => ready("#surfaces .verdict")?.textContent || ready("#surfaces .notice")?.textContent;
  return tour.until(() => ready("#surfaces [data-act=run]") && said());
}

async function upload(tour) {
  await open(tour, "Invert", "#race [data-act=run]");
  document.querySelector(".target-card input[value=photo]").click();
  await tour.until(() => document.querySelector("#upload")?.checkVisibility());
}

/** Listen on the whole page. */
export function listen() {
  let tour = null;
  document.addEventListener("click", (event) => {
    const act = event.target.closest("[data-tour]")?.dataset.tour;
    if (act === "begin") tour ??= new Tour(document.querySelector("#tour"));
    if (act === "begin") tour.go(0);
    if (act === "next") tour.next();
    if (act === "back") tour.next(-1);
    if (act === "leave") tour.leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && tour?.stop && !document.querySelector("dialog[open]")) tour.leave();
  });
}

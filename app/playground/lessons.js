/** What to look at: a sentence each, with a button that shows it. An act is {open, y, then}: settings, a target, what is pressed. */
export const LESSONS = [
  ["What is descended: the loss L between F(x) and the y that was observed. Each step of x goes downhill on the left map; each step of z on the right one, and x = Θ(z).", "Show both descents", { open: { model: "arm" } }],
  ["Why X is slow: in a narrow, bent valley every step that is safe across it is tiny along it.", "Show the valley", { open: { model: "valley" }, y: [0.25, -1.5] }],
  ["What Θ should be: the map that straightens the valley. With the exact one the loss is a round bowl, and one step arrives.", "Use the exact Θ", { open: { model: "valley", learned: false, z_rate: 1 }, y: [0.25, -1.5] }],
  ["What Θ learns: descents are collected, then θ is changed so that every z on their way makes a smaller loss. Buffer by buffer the gorge widens.", "Train it for the valley", { open: { model: "valley" }, then: "train" }],
  ["Collect, then use: watch one buffer slowly. Blue threads are the descents that fill it.", "One buffer, slowly", { open: { model: "arm" }, then: "phase" }],
  ["Two solutions: the arm reaches a point with its elbow up or down. Which one it finds depends on the start.", "Show the basins", { open: { model: "arm" }, then: "basins" }],
  ["Local minima: between ripples a descent is caught, in Z as in X, for a Θ that maps Z onto X one to one has X’s stationary points. It arrives sooner, and from about as many starts.", "Train it for the ripples", { open: { model: "ripples" }, then: "train" }],
  ["What goes wrong: with plain means the large first losses count for everything, and the valley’s last, small ones never fall.", "Train it with plain means", { open: { model: "valley", weighting: null }, then: "train" }],
  ["What Θ cannot: it was trained on y’s that the arm reaches. Far outside of them nothing was learned.", "Ask for a far y", { y: [3.2, 2.4] }],
  ["Fair or worthless: the same optimiser in both, each at its best step size, on targets never trained on. With Adam or L-BFGS Θ gains less, or loses.", "Compare fairly", { then: "measure" }],
];

/** Fill a list with the lessons; `onAct(act)` is called with what a button shows. */
export function buildLessons(list, onAct) {
  for (const [text, button, act] of LESSONS) {
    const item = document.createElement("li");
    item.append(text, " ");
    const press = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: button });
    press.addEventListener("click", () => onAct(act));
    item.append(press);
    list.append(item);
  }
}

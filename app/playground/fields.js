/** The settings as a form, and as part of the page's address. */
import { settle } from "../views/address.js";

const ACTIVATIONS = ["silu", "tanh", "relu", "leaky-relu", "softplus"];
const DESCENTS = [["gd", "Gradient descent"], ["momentum", "Momentum"], ["adam", "Adam"], ["lbfgs", "L-BFGS"]];
export const SEARCH = ["optimizer", "x_rate", "z_rate", "limit"];

const GROUPS = [
  ["Search, in X and in Z", [
    ["optimizer", "Optimiser", { options: DESCENTS }],
    ["x_rate", "Step size in X", { min: 0.0001, max: 100, step: "any" }],
    ["z_rate", "Step size in Z", { min: 0.0001, max: 100, step: "any" }],
    ["limit", "Steps at most", { min: 1, max: 500 }],
  ]],
  ["Θ", [
    ["learned", "Which Θ", { options: [[true, "Trained"], [false, "Exact (the valley's)"]] }],
    ["begin", "Begins as", { options: [["curvature", "X without its mean curvature"], ["zero", "X itself"], ["random", "Random weights"]] }],
    ["damping", "Damping of the curvature", { min: 0, max: 10, step: "any" }],
    ["z_dim", "Dimensions of Z", { min: 1, max: 8, help: "Other than 2 needs random weights; more than 2 is drawn as a cut." }],
    ["width", "Hidden width", { min: 4, max: 128 }],
    ["depth", "Hidden layers", { min: 1, max: 4 }],
    ["activation", "Activation", { options: ACTIVATIONS.map((name) => [name, name]) }],
  ]],
  ["Training (Algorithm 1)", [
    ["buffers", "Buffers B", { min: 1, max: 500 }],
    ["targets", "Targets N a buffer", { min: 8, max: 512 }],
    ["steps", "Steps T of a descent", { min: 1, max: 40 }],
    ["collect", "Collected by", { options: DESCENTS }],
    ["collect_rate", "Step size of z", { min: 0.0001, max: 10, step: "any" }],
    ["batch", "Draws an update", { min: 8, max: 1024 }],
    ["theta_rate", "Step size of θ (AdamW)", { min: 0.000001, max: 0.1, step: "any" }],
    ["weighting", "Draws weigh 1/(L + ε), ε =", { min: 0.000001, max: 1, step: "any", empty: "plain mean", help: "Empty: plain means, as the paper prints." }],
    ["mode", "Variant", { options: [["alternating", "Alternating, with buffer"], ["online", "Online, no buffer"]] }],
    ["seed", "Seed", { min: 0, max: 2147483647 }],
    ["network_seed", "Seed of the network F", { min: 0, max: 9999 }],
  ]],
];

/** Fill `element` with the form; `onChange(name, value)` is called for every change. */
export function buildFields(element, onChange) {
  for (const [title, fields] of GROUPS) {
    const group = document.createElement("details");
    group.open = title.startsWith("Search");
    group.append(Object.assign(document.createElement("summary"), { textContent: title }));
    for (const [name, label, how] of fields) group.append(field(name, label, how));
    element.append(group);
  }
  element.addEventListener("change", (event) => {
    const input = event.target.closest("[data-set]");
    if (input) onChange(input.dataset.set, read(input));
  });
}

function field(name, label, { options, empty, help, ...limits }) {
  const line = document.createElement("label");
  line.className = "field";
  line.append(Object.assign(document.createElement("span"), { textContent: label, title: help ?? "" }));
  const input = document.createElement(options ? "select" : "input");
  input.dataset.set = name;
  if (options) for (const [value, text] of options) input.add(new Option(text, JSON.stringify(value)));
  else Object.assign(input, { type: "number", placeholder: empty ?? "", step: "1", ...limits });
  line.append(input);
  return line;
}

function read(input) {
  if (input.tagName === "SELECT") return JSON.parse(input.value);
  return input.value === "" ? null : Number(input.value);
}

/** Show settings in the form. */
export function fillFields(element, settings) {
  for (const input of element.querySelectorAll("[data-set]")) {
    const value = settings[input.dataset.set];
    if (document.activeElement === input && input.type === "text") continue;
    if (input.tagName === "SELECT") input.value = JSON.stringify(value);
    else input.value = typeof value === "number" ? Number(value.toPrecision(4)) : (value ?? "");
  }
}

/** Settings and y that the parameters of an address ask for. */
export function fromAddress(query) {
  const settings = {};
  let y = null;
  for (const [name, text] of Object.entries(query)) {
    const value = plain(text);
    if (name === "y") y = Array.isArray(value) ? value : null;
    else settings[name] = value;
  }
  return { settings, y };
}

function plain(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Put what differs from a model's own settings, and y, into the address. */
export function toAddress(settings, defaults, y) {
  const query = {};
  const set = (name, value) => { query[name] = typeof value === "string" ? value : JSON.stringify(value); };
  for (const [name, value] of Object.entries(settings)) {
    const own = settings.model === "own" || !["first", "second"].includes(name);
    if (name === "model" || (own && JSON.stringify(value) !== JSON.stringify(defaults[name]))) set(name, value);
  }
  if (y) set("y", y);
  settle("playground", query);
}

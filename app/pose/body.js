/**
 * A body of capsules on a 2D canvas: bones with thickness, drawn from back to front, on a floor.
 * Reusable: `drawScene(canvas, camera, figures, style)`; a figure is {joints: millimetres or tenths, flat, parents, ...}.
 */
const RADII = [
  [/Spine|Hips/, 11], [/Chest/, 11.5], [/Neck/, 6], [/Head/, 5.5], [/^[LR]_Shoulder/, 5], [/Shoulder/, 6.5], [/UpperArm/, 5], [/LowerArm/, 4.2],
  [/Hand/, 3.2], [/UpperLeg/, 8.5], [/LowerLeg/, 7], [/Foot/, 4.8], [/Toes/, 3.4],
  [/Pelvis/, 11], [/_Hip/, 8.5], [/Knee/, 7], [/Ankle/, 4.8], [/Collar/, 6.5], [/Elbow/, 4.2], [/Wrist/, 3.2], // SMPL's
];
const EYE = 520; // cm from the hips
const SPAN = 205; // cm across the canvas

/** Thickness in cm at a joint. */
export function radiusOf(name) {
  return RADII.find(([pattern]) => pattern.test(name))?.[1] ?? 4;
}

/** An orbit around the hips: turned by azimuth, looked down on by elevation (radians). */
export class Camera {
  constructor(azimuth = 0.5, elevation = 0.12) {
    this.home = [azimuth, elevation];
    this.reset();
  }

  reset() {
    [this.azimuth, this.elevation] = this.home;
  }

  turn(byAzimuth, byElevation) {
    this.azimuth += byAzimuth;
    this.elevation = Math.max(-1.2, Math.min(1.4, this.elevation + byElevation));
  }

  /** (x, y, z) in cm -> {x, y, scale, depth} on a canvas of a size; larger depth is further away. */
  project([x, y, z], width, height) {
    const [ca, sa, ce, se] = [Math.cos(this.azimuth), Math.sin(this.azimuth), Math.cos(this.elevation), Math.sin(this.elevation)];
    const right = x * ca + z * sa;
    const away = x * sa - z * ca;
    const up = (y + 4) * ce + away * se;
    const depth = away * ce - (y + 4) * se + EYE;
    const scale = (Math.min(width, height) / SPAN) * (EYE / depth);
    return { x: width / 2 + right * scale, y: height / 2 - up * scale, scale, depth };
  }
}

/** A flat list in millimetres -> [[x, y, z] in cm]. */
export function points(flat, from = 0, nodes = flat.length / 3) {
  return Array.from({ length: nodes }, (_, i) => [0, 1, 2].map((axis) => flat[(from + i) * 3 + axis] / 10));
}

/**
 * Draw a floor and figures. A figure is {points, names, parents, colour, alpha, hidden: Set of names, marks: boolean}.
 * Each figure is put together on a canvas of its own first, so that its parts do not shine through each other.
 */
export function drawScene(canvas, camera, figures, { floor, rule }) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const size = Math.round((canvas.clientWidth || 320) * ratio);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, size, size);
  drawFloor(context, camera, size, floor, rule);
  for (const figure of figures) {
    const layer = new OffscreenCanvas(size, size);
    drawFigure(layer.getContext("2d"), camera, size, figure);
    context.globalAlpha = figure.alpha ?? 1;
    context.drawImage(layer, 0, 0);
    context.globalAlpha = 1;
  }
}

function drawFloor(context, camera, size, height, colour) {
  context.strokeStyle = colour;
  context.lineWidth = size / 500;
  for (let at = -80; at <= 80; at += 40) {
    for (const [from, to] of [[[at, height, -80], [at, height, 80]], [[-80, height, at], [80, height, at]]]) {
      const [a, b] = [camera.project(from, size, size), camera.project(to, size, size)];
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
    }
  }
}

function drawFigure(context, camera, size, figure) {
  const { names, parents } = figure;
  const places = figure.points.map((point) => camera.project(point, size, size));
  const parts = [];
  names.forEach((name, node) => {
    const parent = parents[node];
    if (parent < 0) return;
    const faded = figure.hidden?.has(name);
    const thin = radiusOf(name) * (/^Shoulder|Collar/.test(name) ? 0.8 : 1);
    const wide = parent === 0 && /Leg|_Hip/.test(name) ? radiusOf(name) : Math.min(radiusOf(names[parent]), thin * 1.35);
    parts.push({ a: places[parent], b: places[node], from: wide, to: thin, faded });
    if (/^Head/.test(name)) parts.push(headOf(camera, size, figure, node, parent, faded));
  });
  parts.sort((one, other) => other.a.depth + other.b.depth - one.a.depth - one.b.depth);
  for (const part of parts) drawCapsule(context, part, figure.colour);
  if (figure.marks) drawMarks(context, places, figure, size);
}

/** The skull continues the neck by its own length: recorded skeletons end where it begins. */
function headOf(camera, size, figure, node, parent, faded) {
  const [p, q] = [figure.points[parent], figure.points[node]];
  const length = Math.hypot(...q.map((value, i) => value - p[i])) || 1;
  const at = (cm) => camera.project(q.map((value, i) => value + ((value - p[i]) / length) * cm), size, size);
  return { a: at(6), b: at(13), from: 8.2, to: 9, faded };
}

function drawCapsule(context, { a, b, from, to, faded }, colour) {
  const [ra, rb] = [from * a.scale, to * b.scale];
  const angle = Math.atan2(b.y - a.y, b.x - a.x);
  const across = [Math.sin(angle), -Math.cos(angle)];
  const wide = Math.max(ra, rb);
  const light = across[1] < 0 || (across[1] === 0 && across[0] < 0) ? 1 : -1; // light falls from above
  const middle = [(a.x + b.x) / 2, (a.y + b.y) / 2];
  const shade = context.createLinearGradient(
    middle[0] + light * across[0] * wide, middle[1] + light * across[1] * wide,
    middle[0] - light * across[0] * wide, middle[1] - light * across[1] * wide,
  );
  const tone = (part, other) => `color-mix(in srgb, ${colour} ${part}%, ${other})`;
  shade.addColorStop(0, tone(58, "white"));
  shade.addColorStop(0.45, colour);
  shade.addColorStop(1, tone(62, "black"));
  context.globalAlpha = faded ? 0.22 : 1;
  context.beginPath();
  context.arc(a.x, a.y, ra, angle + Math.PI / 2, angle - Math.PI / 2);
  context.arc(b.x, b.y, rb, angle - Math.PI / 2, angle + Math.PI / 2);
  context.closePath();
  context.fillStyle = shade;
  context.fill();
  context.globalAlpha = 1;
}

/** A ring at every joint that can be clicked; a crossed one where it is hidden. */
function drawMarks(context, places, { names, hidden, ink, paper }, size) {
  const radius = size / 90;
  context.lineWidth = size / 300;
  places.forEach((place, node) => {
    if (!node) return;
    const out = hidden?.has(names[node]);
    context.beginPath();
    context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
    context.fillStyle = out ? paper : ink;
    context.fill();
    context.strokeStyle = out ? ink : paper;
    context.stroke();
  });
}

/** The joint nearest to a pointer on a canvas, within reach, or null. */
export function jointAt(canvas, camera, figure, event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  let best = null;
  figure.points.forEach((point, node) => {
    const place = camera.project(point, box.width, box.height);
    const away = Math.hypot(place.x - x, place.y - y);
    if (node && away < 14 && (!best || away < best.away)) best = { node, away };
  });
  return best && figure.names[best.node];
}

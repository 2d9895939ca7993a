/** A square over a photo: moved, resized and turned with pointer or keys, or placed by two eyes that one clicks on; told to the
 * server when it comes to rest. */
const SMALLEST = 16;
const SETTLE = 250;
const MOST_TURN = 90;
const EYES = [[0.35, 0.44], [0.65, 0.44]]; // where the keys' cross begins: about where eyes lie in a framed face
const HINT = "Drag the square to move it, its corner to resize it. Keys: arrows, + and −, [ and ].";
const ASK = ["Click the eye on the left, or move the cross there with the arrow keys and press Enter.", "And the eye on the right."];

class Crop {
  constructor({ element, trigger, watch, value }) {
    this.root = element.querySelector(".crop");
    this.trigger = trigger;
    this.marking = null;
    const find = (selector) => this.root.querySelector(selector);
    [this.image, this.square, this.eye, this.turn, this.degrees, this.button, this.hint] = [
      "img", ".square", ".eye", ".turn", "output", ".eyes", ".hint",
    ].map(find);
    this.square.addEventListener("pointerdown", (event) => this.#grab(event));
    this.square.addEventListener("keydown", (event) => this.#key(event));
    this.turn.addEventListener("input", () => this.#change({ angle: Number(this.turn.value) }, SETTLE));
    this.button.addEventListener("click", () => this.#mark(this.marking ? null : []));
    this.eye.addEventListener("keydown", (event) => this.#eyeKey(event));
    find(".photo").addEventListener("pointerdown", (event) => this.#click(event), true);
    watch("value", () => this.show(value()));
    this.show(value());
  }

  show(photo) {
    this.root.hidden = !photo;
    if (!photo) return;
    this.photo = photo;
    this.image.src = photo.photo;
    const [left, top, side, angle] = photo.box;
    this.box = { left, top, side, angle };
    this.button.hidden = !photo.eyes;
    const notices = photo.notices.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
    this.root.querySelector(".notices").replaceChildren(...notices);
    this.#mark(null);
    this.#place();
  }

  /** Percentages of the photo, so that the square follows any size the photo is shown at. */
  #place() {
    const { left, top, side, angle } = this.box;
    const { width, height } = this.photo;
    this.square.style.left = `${(100 * left) / width}%`;
    this.square.style.top = `${(100 * top) / height}%`;
    this.square.style.width = `${(100 * side) / width}%`;
    this.square.style.height = `${(100 * side) / height}%`;
    this.square.style.transform = `rotate(${angle}deg)`;
    this.turn.value = angle;
    this.degrees.textContent = `${angle.toFixed(1)}°`;
  }

  #change(changes, wait) {
    const { left, top, side, angle } = { ...this.box, ...changes };
    const { width, height } = this.photo;
    const size = Math.min(Math.max(side, SMALLEST), Math.max(width, height));
    // The square may reach over an edge (a face close to it), but its centre stays on the photo.
    const within = (value, length) => Math.min(Math.max(value, -size / 2), length - size / 2);
    const turn = Math.min(Math.max(angle, -MOST_TURN), MOST_TURN);
    this.box = { left: within(left, width), top: within(top, height), side: size, angle: turn };
    this.#place();
    if (wait !== undefined) this.#tell(wait);
  }

  #grab(event) {
    event.preventDefault();
    this.square.focus();
    this.square.setPointerCapture(event.pointerId);
    const scale = this.photo.width / this.image.getBoundingClientRect().width;
    const resize = event.target.dataset.corner !== undefined;
    const start = { ...this.box, x: event.clientX, y: event.clientY };
    const move = (now) => {
      const dx = (now.clientX - start.x) * scale;
      const dy = (now.clientY - start.y) * scale;
      this.#change(resize ? resized(start, dx, dy) : { left: start.left + dx, top: start.top + dy });
    };
    const end = () => {
      this.square.removeEventListener("pointermove", move);
      this.#tell(0);
    };
    this.square.addEventListener("pointermove", move);
    this.square.addEventListener("lostpointercapture", end, { once: true });
  }

  #key(event) {
    const by = Math.max(1, this.box.side * (event.shiftKey ? 0.1 : 0.02));
    const turn = event.shiftKey ? 5 : 0.5;
    const { left, top, side, angle } = this.box;
    const larger = (d) => ({ left: left - d / 2, top: top - d / 2, side: side + d });
    const moves = {
      ArrowLeft: { left: left - by }, ArrowRight: { left: left + by }, ArrowUp: { top: top - by }, ArrowDown: { top: top + by },
      "+": larger(by), "=": larger(by), "-": larger(-by),
      "[": { angle: angle - turn }, "{": { angle: angle - turn }, "]": { angle: angle + turn }, "}": { angle: angle + turn },
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    this.#change(moves[event.key], SETTLE);
  }

  #tell(wait) {
    clearTimeout(this.timer);
    const { left, top, side, angle } = this.box;
    this.timer = setTimeout(() => this.trigger("crop", { box: [left, top, side, angle] }), wait);
  }

  /** The eyes that were clicked so far, [] to begin, null to leave off. */
  #mark(points) {
    this.marking = points;
    const asking = points !== null && points.length < 2;
    this.button.setAttribute("aria-pressed", String(asking));
    this.root.classList.toggle("marking", asking);
    this.eye.hidden = !asking;
    this.hint.textContent = asking ? ASK[points.length] : HINT;
    if (asking) {
      this.cross = onPhoto(this.box, EYES[points.length]);
      this.#placeEye();
      this.eye.focus({ preventScroll: true });
    } else if (points !== null) {
      this.marking = null;
      this.trigger("eyes", { points });
    }
  }

  #placeEye() {
    this.eye.style.left = `${(100 * this.cross[0]) / this.photo.width}%`;
    this.eye.style.top = `${(100 * this.cross[1]) / this.photo.height}%`;
  }

  #click(event) {
    if (this.marking === null) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = this.image.getBoundingClientRect();
    const scale = this.photo.width / shown.width;
    this.#mark([...this.marking, [(event.clientX - shown.left) * scale, (event.clientY - shown.top) * scale]]);
  }

  #eyeKey(event) {
    const by = Math.max(1, this.box.side * (event.shiftKey ? 0.05 : 0.01));
    const [x, y] = this.cross;
    const moves = { ArrowLeft: [x - by, y], ArrowRight: [x + by, y], ArrowUp: [x, y - by], ArrowDown: [x, y + by] };
    if (moves[event.key]) {
      this.cross = moves[event.key];
      this.#placeEye();
    } else if (event.key === "Enter" || event.key === " ") this.#mark([...this.marking, this.cross]);
    else if (event.key === "Escape") {
      this.#mark(null);
      this.button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** (right, down) along the turned square's own sides -> (x, y) on the photo. */
function turned(angle, [right, down]) {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return [right * cos - down * sin, right * sin + down * cos];
}

/** A place in the square, as fractions of its side, on the photo. */
function onPhoto({ left, top, side, angle }, [across, along]) {
  const [dx, dy] = turned(angle, [(across - 0.5) * side, (along - 0.5) * side]);
  return [left + side / 2 + dx, top + side / 2 + dy];
}

/** The square whose lower right corner was pulled by (dx, dy); the opposite corner stays. */
function resized({ left, top, side, angle }, dx, dy) {
  const by = Math.max(...turned(-angle, [dx, dy]));
  const [x, y] = turned(angle, [by / 2, by / 2]);
  return { left: left + x - by / 2, top: top + y - by / 2, side: side + by };
}

export function mount(view) {
  return new Crop(view);
}

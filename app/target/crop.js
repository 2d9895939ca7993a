/** A square over a photo, moved and resized with pointer or keys; told to the server when it comes to rest. */
const SMALLEST = 16;
const SETTLE = 250;

class Crop {
  constructor({ element, trigger, watch, value }) {
    this.root = element.querySelector(".crop");
    this.image = this.root.querySelector("img");
    this.square = this.root.querySelector(".square");
    this.trigger = trigger;
    this.square.addEventListener("pointerdown", (event) => this.#grab(event));
    this.square.addEventListener("keydown", (event) => this.#key(event));
    watch("value", () => this.show(value()));
    this.show(value());
  }

  show(photo) {
    this.root.hidden = !photo;
    if (!photo) return;
    this.photo = photo;
    this.image.src = photo.photo;
    const [left, top, side] = photo.box;
    this.box = { left, top, side };
    const notices = photo.notices.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
    this.root.querySelector(".notices").replaceChildren(...notices);
    this.#place();
  }

  /** Percentages of the photo, so that the square follows any size the photo is shown at. */
  #place() {
    const { left, top, side } = this.box;
    const { width, height } = this.photo;
    this.square.style.left = `${(100 * left) / width}%`;
    this.square.style.top = `${(100 * top) / height}%`;
    this.square.style.width = `${(100 * side) / width}%`;
    this.square.style.height = `${(100 * side) / height}%`;
  }

  #set(left, top, side) {
    const { width, height } = this.photo;
    const most = Math.max(width, height);
    const size = Math.min(Math.max(side, SMALLEST), most);
    // The square may reach over an edge (a face close to it), but never leave the photo by more than half.
    const within = (value, length) => Math.min(Math.max(value, -size / 2), length - size / 2);
    this.box = { left: within(left, width), top: within(top, height), side: size };
    this.#place();
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
      if (resize) this.#set(start.left, start.top, start.side + Math.max(dx, dy));
      else this.#set(start.left + dx, start.top + dy, start.side);
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
    const { left, top, side } = this.box;
    const moves = {
      ArrowLeft: [left - by, top, side],
      ArrowRight: [left + by, top, side],
      ArrowUp: [left, top - by, side],
      ArrowDown: [left, top + by, side],
      "+": [left - by / 2, top - by / 2, side + by],
      "-": [left + by / 2, top + by / 2, side - by],
    };
    const to = moves[event.key === "=" ? "+" : event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    this.#set(...to);
    this.#tell(SETTLE);
  }

  #tell(wait) {
    clearTimeout(this.timer);
    const { left, top, side } = this.box;
    this.timer = setTimeout(() => this.trigger("crop", { box: [left, top, side] }), wait);
  }
}

export function mount(view) {
  return new Crop(view);
}

/** Pictures of one lane by step, kept decoded so that scrubbing draws at once. */
export class Pictures {
  constructor() {
    this.steps = [];
    this.bitmaps = new Map();
  }

  get size() {
    return this.bitmaps.size;
  }

  /** Decode a PNG (base64) and keep it for a step. */
  async add(step, png) {
    const bitmap = await decode(png);
    if (!this.bitmaps.has(step)) {
      const at = this.#after(step);
      this.steps.splice(at, 0, step);
    }
    this.bitmaps.set(step, bitmap);
  }

  /** The latest picture at or before a step: {step, bitmap}, or null. */
  at(step) {
    const index = this.#after(step) - 1;
    if (index < 0) return null;
    return { step: this.steps[index], bitmap: this.bitmaps.get(this.steps[index]) };
  }

  clear() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
    this.steps = [];
  }

  /** How many kept steps are at or before `step`. */
  #after(step) {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** PNG in base64 -> ImageBitmap. */
export async function decode(picture, kind = "png") {
  const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: `image/${kind}` }));
}

/** Draw a bitmap over the whole canvas, smoothly or in its own pixels; without one the canvas is emptied. */
export function paint(canvas, bitmap, smooth) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!bitmap) return;
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

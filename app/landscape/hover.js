/** What a point of a surface says under the pointer: its loss, and how F's output looks there. */
import { number } from "../views/words.js";

export class Hover {
  /** @param {HTMLElement} place words and a small canvas */
  constructor(place) {
    this.place = place;
  }

  set(panels) {
    this.panels = panels;
    this.sheets = panels.map((panel) => panel.thumbnails && createImageBitmap(webp(panel.thumbnails.sheet)));
  }

  async show(index, x, y) {
    const panel = this.panels[index];
    const [i, j] = [nearest(panel.ticks[0], x), nearest(panel.ticks[1], y)];
    this.place.querySelector("span").textContent = `${panel.title.split(" ")[0].replace(",", "")} at (${number(panel.ticks[0][i])}, ${number(panel.ticks[1][j])}): loss ${number(panel.losses[i][j])}, and how it looks there.`;
    const sheet = await this.sheets[index];
    if (!sheet) return;
    const { side } = panel.thumbnails;
    this.place.querySelector("canvas").getContext("2d").drawImage(sheet, j * side, i * side, side, side, 0, 0, 24, 24);
  }
}

function nearest(ticks, value) {
  return ticks.reduce((best, tick, i) => (Math.abs(tick - value) < Math.abs(ticks[best] - value) ? i : best), 0);
}

function webp(text) {
  return new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/webp" });
}

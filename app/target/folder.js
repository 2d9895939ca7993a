/** Whole folders for one of Gradio's file fields, which takes files alone: dropped on the field, or chosen by a button. */
import { smaller } from "../views/shrink.js";

const LARGE = 1.5e6; // bytes; a picture beyond is made smaller here, for fifty of them are sent at once

export class Folders {
  /**
   * @param {HTMLElement} field holds Gradio's `input[type=file]`, which is another one whenever it was used
   * @param {HTMLElement} button opens the browser's choice of a folder
   * @param {(sentence: string) => void} say is told what was taken of a folder
   */
  constructor(field, button, say) {
    Object.assign(this, { field, say, most: 0, suffixes: [] });
    const chosen = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true, hidden: true });
    button.after(chosen);
    button.addEventListener("click", () => chosen.click());
    chosen.addEventListener("change", async () => {
      await this.#take([...chosen.files]);
      chosen.value = "";
    });
    field.addEventListener("drop", (event) => this.#drop(event), true); // before Gradio, which cannot read a folder
  }

  async #drop(event) {
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return;
    event.preventDefault();
    event.stopPropagation();
    await this.#take((await Promise.all(entries.map(filesOf))).flat());
  }

  /** Hand the files that may be taken to the field, the first by name where there are more than it takes. */
  async #take(files) {
    const taken = files.filter(({ name }) => !name.startsWith(".") && this.suffixes.some((suffix) => name.toLowerCase().endsWith(suffix)));
    taken.sort((a, b) => a.name.localeCompare(b.name));
    if (!taken.length) return this.say(`There is nothing in that folder to take; looked for: ${this.suffixes.join(", ")}.`);
    this.say(taken.length > this.most ? `That folder has ${taken.length} files; the first ${this.most} by name are taken.` : "");
    const transfer = new DataTransfer();
    for (const file of taken.slice(0, this.most)) transfer.items.add(file.size > LARGE ? await smaller(file) : file);
    const input = this.field.querySelector("input[type=file]");
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** Every file in a dropped file or folder, and in the folders in that. */
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const files = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a hundred at a time
    if (!some.length) return files;
    files.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}

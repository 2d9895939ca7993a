/** Pictures too large to be sent are made smaller before, as the server would make them after. */
const LARGEST = 10_000_000; // bytes that are sent as they are
const SIDE = 1600; // px; the server keeps no more of a picture
const MOVING = ".moving"; // fields of clips, of which but one frame would be left
const DONE = new WeakSet();

/** Listen on the whole page, before Gradio's own fields do: to files that are chosen, and to those that are dropped. */
export function listen() {
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type !== "file" || field.closest(MOVING) || !tooLarge(field.files)) return;
    event.stopImmediatePropagation();
    hand(field, field.files);
  }, true);
  document.addEventListener("drop", (event) => {
    const field = event.target.closest("button, .block")?.parentElement.querySelector("input[type=file]");
    const { files } = event.dataTransfer;
    if (!field || field.closest(MOVING) || !tooLarge(files)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    hand(field, files);
  }, true);
}

function tooLarge(files) {
  return [...files].some((file) => file.size > LARGEST && file.type.startsWith("image/") && !DONE.has(file));
}

/** Give a field the files, large pictures among them made smaller; what the browser cannot read goes as it is. */
async function hand(field, files) {
  const given = new DataTransfer();
  for (const file of files) given.items.add(tooLarge([file]) ? await smaller(file) : file);
  field.files = given.files;
  for (const file of field.files) DONE.add(file);
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

/** A picture of the size that the server keeps; what this browser cannot read stays as it is. */
export async function smaller(file) {
  const whole = await createImageBitmap(file).catch(() => null);
  if (!whole) return file;
  const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
  const sheet = new OffscreenCanvas(Math.round(scale * whole.width), Math.round(scale * whole.height));
  const context = sheet.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, sheet.width, sheet.height);
  const blob = await sheet.convertToBlob({ type: "image/webp", quality: 0.95 });
  return new File([blob], file.name.replace(/\.\w+$/, ".webp"), { type: blob.type });
}

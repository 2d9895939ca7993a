/** plotly.js is large: fetched once, when a page has nothing better to do or a chart is there to be drawn. */
const SCRIPT = new URL("../plotly.min.js", import.meta.url).href;
let loading = null;

/** Resolves when `Plotly` is there. */
export function plotlyLoaded() {
  loading ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: SCRIPT });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      loading = null; // the next chart asks again
      reject(new Error("plotly.js could not be loaded"));
    });
    document.head.append(script);
  });
  return loading;
}

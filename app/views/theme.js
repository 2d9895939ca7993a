/** `draw()` is called whenever the page turns light or dark: what is drawn in its colours is drawn anew. */
export function onTheme(draw) {
  new MutationObserver(() => draw()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

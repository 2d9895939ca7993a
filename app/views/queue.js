/**
 * The place in the queue in words, taken from Gradio's own status line, the only one who is told it: an (unseen)
 * component with `show_progress="full"` that the event names in `show_progress_on`.
 */
const EVERY = 300;

/**
 * Calls `say` with a sentence now and whenever the place changes, as long as `waiting()` is true.
 * @param {string} id element id of the component that shows the progress
 */
export function tellPlace(id, waiting, say) {
  let told = null;
  const look = () => {
    if (!waiting()) return;
    const place = document.querySelector(`#${id} .progress-text`)?.textContent.match(/queue: (\d+)\/(\d+)/);
    const sentence = place ? `Number ${place[1]} of ${place[2]} waiting for a free processor…` : "Waiting for a free processor…";
    if (sentence !== told) say(sentence);
    told = sentence;
    setTimeout(look, EVERY);
  };
  look();
}

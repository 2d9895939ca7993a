/** Something shown over the whole screen: by the browser where it can, else over the whole page. Escape leaves it. */
export class FullScreen {
  /** @param {HTMLElement} element what fills the screen; the button is pressed to fill it, and again to leave */
  constructor(element, button) {
    Object.assign(this, { element, button });
    button.addEventListener("click", () => this.#toggle());
    document.addEventListener("fullscreenchange", () => this.#show(document.fullscreenElement === element));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && element.classList.contains("full")) this.#toggle(); // where the browser leaves that to the page
    });
  }

  async #toggle() {
    const full = this.element.classList.contains("full");
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (!full && this.element.requestFullscreen) await this.element.requestFullscreen().catch(() => this.#show(true));
    else this.#show(!full);
  }

  #show(full) {
    this.element.classList.toggle("full", full);
    this.button.textContent = full ? "Leave full screen" : "Full screen";
  }
}

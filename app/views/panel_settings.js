/**
 * The settings that a panel below a tab's race has of its own, in the tab's address: each by the panel's name and its own, where
 * it is not what the panel begins with.
 */
import { asked, onOpen, settle } from "./address.js";

export class PanelSettings {
  /**
   * @param {{tab: string, panel: string, values: () => object, fill: (values: object) => void, tell: (text: string) => void,
   *   opened: (query: object) => Promise<{values: object, text: string}>}} view `values` are those of the panel's fields,
   *   `opened` asks the server what an address means, and `tell` is called with what that says
   */
  constructor(view) {
    this.view = view;
    this.usual = view.values();
    this.wanted = this.#take(asked(view.tab));
    onOpen(view.tab, (query) => this.#open(this.#take(query)));
  }

  /** The server knows the page, and can be asked. */
  ready() {
    if (Object.keys(this.wanted).length) this.#open(this.wanted);
  }

  /** A field was changed. */
  changed() {
    const changed = Object.entries(this.view.values()).filter(([name, value]) => value !== this.usual[name]);
    this.#settle(Object.fromEntries(changed.map(([name, value]) => [this.#parameter(name), String(value)])));
  }

  /** An address's parameters for the panel; they stay in it until it is known what they mean. */
  #take(query) {
    const names = Object.keys(this.usual).map((name) => this.#parameter(name)).filter((name) => name in query);
    const own = Object.fromEntries(names.map((name) => [name, query[name]]));
    this.#settle(own);
    return own;
  }

  async #open(query) {
    this.view.fill(this.usual);
    if (!Object.keys(query).length) return;
    const { values, text } = await this.view.opened(query);
    this.view.fill(values);
    this.view.tell(text);
    this.changed();
  }

  #settle(query) {
    settle(this.view.tab, query, this.view.panel);
  }

  #parameter(name) {
    return `${this.view.panel}_${name}`;
  }
}

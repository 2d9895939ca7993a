/**
 * The runs of one tab, kept in this browser (IndexedDB) and nowhere else. Of every message of a run there is what is read when
 * the page opens, and apart from it its pictures, which are read when the run is looked at.
 */
const NAME = "landscape-runs";
const VERSION = 1;
export const LIMIT = 200e6; // bytes of all tabs' runs together; the oldest go first
const PICTURES = ["png", "sheet", "added"]; // columns of a batch of steps
const KINDS = ["begin", "attacked", "frames", "end"];

export class Memory {
  /** @param {string} tab whose runs these are, or "tab/panel" */
  constructor(tab) {
    this.tab = tab;
    this.database = opened().catch(() => null); // a browser that keeps nothing: the runs go with the page
    this.busy = Promise.resolve();
  }

  /** Keep a run's message. */
  keep(message) {
    if (message.run === undefined || message.seq === undefined || !KINDS.includes(message.kind)) return;
    this.busy = this.busy.then(() => this.#write(message)).catch((error) => console.warn("A run is not kept:", error));
  }

  /** The messages of every run, without pictures, the oldest run first; runs whose beginning is lost are left out. */
  async runs() {
    const found = (await this.#about()).filter((run) => run.tab === this.tab).sort((a, b) => a.begun - b.begun);
    const messages = await Promise.all(found.map((run) => this.#messages("light", run.id)));
    return messages.filter(([first]) => first?.kind === "begin");
  }

  /** A run's messages with their pictures. */
  async pictures(run) {
    await this.busy;
    return this.#messages("heavy", run);
  }

  /** How many bytes all tabs' runs take, and whether any are this one's; null where nothing can be kept. */
  async held() {
    if (!(await this.database)) return null;
    const found = await this.#about();
    return { bytes: found.reduce((sum, run) => sum + run.bytes, 0), own: found.some((run) => this.#isOurs(run)) };
  }

  /** Forget the runs of this tab and of the panels below it, or of this panel, but one. */
  async keepOnly(run) {
    await this.busy;
    for (const each of await this.#about()) if (this.#isOurs(each) && each.id !== run) await this.forget(each.id);
  }

  #isOurs({ tab }) {
    return tab === this.tab || tab.startsWith(`${this.tab}/`);
  }

  /** Forget a run. */
  async forget(run) {
    const database = await this.database;
    if (!database) return;
    const work = database.transaction(["runs", "light", "heavy"], "readwrite");
    work.objectStore("runs").delete(run);
    for (const store of ["light", "heavy"]) work.objectStore(store).delete(all(run));
    await done(work);
  }

  async #about() {
    const database = await this.database;
    return database ? answer(database.transaction("runs").objectStore("runs").getAll()) : [];
  }

  async #messages(store, run) {
    const database = await this.database;
    return database ? answer(database.transaction(store).objectStore(store).getAll(all(run))) : [];
  }

  async #write(message) {
    const database = await this.database;
    if (!database) return;
    const light = withoutPictures(message);
    const work = database.transaction(["runs", "light", "heavy"], "readwrite");
    const runs = work.objectStore("runs");
    const run = (await answer(runs.get(message.run))) ?? { id: message.run, tab: this.tab, begun: Date.now(), bytes: 0 };
    if (!run.bytes && message.kind !== "begin") return; // it was forgotten meanwhile
    run.bytes += JSON.stringify(message).length;
    runs.put(run);
    work.objectStore("light").put(light, [message.run, message.seq]);
    if (light !== message) work.objectStore("heavy").put(message, [message.run, message.seq]);
    await done(work);
    await this.#makeRoom(message.run);
  }

  /** The oldest runs go until all fit below the limit; the one being written stays. */
  async #makeRoom(writing) {
    const found = (await this.#about()).sort((a, b) => a.begun - b.begun);
    let over = found.reduce((sum, run) => sum + run.bytes, 0) - LIMIT;
    for (const run of found) {
      if (over <= 0 || run.id === writing) continue;
      await this.forget(run.id);
      over -= run.bytes;
    }
  }
}

/** The same message without the pictures of its steps; itself where it has none. */
function withoutPictures(message) {
  if (message.kind !== "frames") return message;
  const lanes = Object.fromEntries(Object.entries(message.lanes).map(([name, columns]) =>
    [name, Object.fromEntries(Object.entries(columns).filter(([key]) => !PICTURES.includes(key)))]));
  return { ...message, lanes };
}

async function opened() {
  const asked = indexedDB.open(NAME, VERSION);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("runs", { keyPath: "id" });
    asked.result.createObjectStore("light");
    asked.result.createObjectStore("heavy");
  };
  return answer(asked);
}

function all(run) {
  return IDBKeyRange.bound([run, -1], [run, Infinity]);
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(work) {
  return new Promise((resolve, reject) => {
    work.oncomplete = () => resolve();
    work.onerror = () => reject(work.error);
    work.onabort = () => reject(work.error);
  });
}

/** Messages in order: numbered ones are held back until those before them are there, and gaps are asked for again. */
export class Inbox {
  /**
   * @param {(run: string, since: number) => Promise<object[]>} refetch messages of a run from a number on
   * @param {(message: object) => void | Promise<void>} deliver called once per message, one after the other
   */
  constructor(refetch, deliver) {
    this.refetch = refetch;
    this.deliver = deliver;
    this.expected = new Map();
    this.busy = Promise.resolve();
    this.waiting = 0; // messages that have come and are not looked at yet
  }

  receive(message) {
    if (!message) return;
    this.waiting += 1;
    this.busy = this.busy.then(() => {
      this.waiting -= 1;
      return this.#take(message);
    }).catch((error) => console.error(error));
  }

  async #take(message) {
    if (message.seq === undefined) {
      await this.deliver(message);
      return;
    }
    const next = this.expected.get(message.run) ?? 0;
    if (message.seq < next) return;
    const missed = message.seq > next ? await this.refetch(message.run, next) : [message];
    for (const one of missed) await this.#pass(one);
    await this.#pass(message);
  }

  async #pass(message) {
    if (message.seq < (this.expected.get(message.run) ?? 0)) return;
    this.expected.set(message.run, message.seq + 1);
    await this.deliver(message);
  }
}

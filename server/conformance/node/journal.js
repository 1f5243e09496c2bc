'use strict';

const { EventEmitter, once } = require('node:events');

/** What a push consumer's listener was called with. */
class Journal extends EventEmitter {
  #heard = [];

  enter(told) {
    this.#heard.push(told);
    this.emit('entry');
  }

  /** Waits until there are so many entries, or time is up, and gives all. */
  async atLeast(count, patienceMillis) {
    const patience = AbortSignal.timeout(patienceMillis);
    while (this.#heard.length < count && !patience.aborted) {
      await once(this, 'entry', { signal: patience }).catch(() => {}); // out of patience
    }
    return this.#heard;
  }
}

module.exports = { Journal };

'use strict';

const { Producer } = require('rocketmq-client-nodejs');
const { TransactionResolution } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');
const { Series } = require('./content');

const resolutions = {
  commit: TransactionResolution.COMMIT,
  rollback: TransactionResolution.ROLLBACK,
  unknown: TransactionResolution.TRANSACTION_RESOLUTION_UNSPECIFIED,
};

/** The operations that send. */
class Producing {
  #options;
  #producers = new Map(); // promises, by topic
  #asked = new Map(); // ids of half messages that checkers were asked about, by topic

  constructor(options) {
    this.#options = options;
  }

  async start(args) {
    await this.#producer(args.get('topic'), args.get('check'));
  }

  /** The producer of a topic, started at the first use. One attempt a send, so that its deadline is a request's. */
  #producer(topic, check) {
    let started = this.#producers.get(topic);
    if (!started) {
      const checker = check ? this.#checker(topic, check.split(',')) : undefined;
      const producer = new Producer({ ...this.#options, topics: [ topic ], maxAttempts: 1, checker });
      started = producer.startup().then(() => producer);
      this.#producers.set(topic, started);
    }
    return started;
  }

  /** What a checker says, one after the other; the last for ever. */
  #checker(topic, checks) {
    const ids = [];
    const times = new Map();
    this.#asked.set(topic, ids);
    return {
      async check(view) {
        const before = times.get(view.messageId) ?? 0;
        times.set(view.messageId, before + 1);
        ids.push(view.messageId);
        return resolutions[checks[Math.min(before, checks.length - 1)]];
      },
    };
  }

  asked(args) {
    const ids = this.#asked.get(args.get('topic')) ?? [];
    return [[ 'count', ids.length ], ...ids.map(id => [ 'id', id ])];
  }

  async send(args) {
    const producer = await this.#producer(args.get('topic'));
    const receipt = await producer.send(message(args, Series.of(args), Number(args.get('index'))));
    return [[ 'id', receipt.messageId ], [ 'recall', receipt.recallHandle ]];
  }

  /** Sends without waiting for the answers, inflight at a time. */
  async sendSeries(args) {
    const producer = await this.#producer(args.get('topic'));
    const series = Series.of(args);
    const count = Number(args.get('count'));
    let sent = 0;
    let failure;
    let failed = 0;
    let next = 0;
    const begin = performance.now();
    const one = async () => {
      for (let i = next++; i < count; i = next++) {
        await producer.send(message(args, series, i)).then(() => sent++, e => {
          failed++;
          failure = e;
        });
      }
    };
    await Promise.all(Array.from({ length: Number(args.get('inflight')) }, one));
    return [[ 'sent', sent ], [ 'failed', failed ], [ 'failure', failure ?? '' ], [ 'millis', Math.round(performance.now() - begin) ]];
  }

  /** Sends a half message, and decides about it when there is a verdict. */
  async transact(args) {
    const producer = await this.#producer(args.get('topic'), args.get('check'));
    const transaction = producer.beginTransaction();
    const receipt = await producer.send(message(args, Series.of(args), Number(args.get('index'))), transaction);
    if (args.get('verdict') === 'commit') await transaction.commit();
    if (args.get('verdict') === 'rollback') await transaction.rollback();
    return [[ 'id', receipt.messageId ]];
  }

  async recall(args) {
    const producer = await this.#producer(args.get('topic'));
    const receipt = await producer.recallMessage(args.get('topic'), args.get('recall'));
    return [[ 'id', receipt.messageId ]];
  }

  async close() {
    await Promise.allSettled([ ...this.#producers.values() ].map(async p => (await p).shutdown()));
  }
}

/** A message of a series with what a call adds. */
function message(args, series, index) {
  const content = series.at(index);
  for (const [ name, value ] of args) {
    if (name.startsWith('p.')) content.properties.set(name.slice(2), value);
  }
  const options = { topic: args.get('topic'), ...content };
  if (args.get('messagegroup')) options.messageGroup = args.get('messagegroup');
  if (args.get('due')) options.deliveryTimestamp = new Date(Number(args.get('due')));
  if (args.get('lite')) options.liteTopic = args.get('lite');
  if (args.get('priority')) options.priority = Number(args.get('priority'));
  return options;
}

module.exports = { Producing };

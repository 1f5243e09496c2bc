'use strict';

const { ConsumeResult, FilterExpression, LitePushConsumerBuilder, PushConsumer, SimpleConsumer } = require('rocketmq-client-nodejs');
const { FilterType } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');
const { Content } = require('./content');
const { Journal } = require('./journal');

/** The operations that receive. */
class Consuming {
  #options;
  #simple = new Map(); // a consumer and the messages it holds by id, by group
  #journals = new Map(); // by group
  #lite = new Map(); // lite push consumers, by group

  constructor(options) {
    this.#options = options;
  }

  async startSimple(args) {
    const consumer = new SimpleConsumer({
      ...this.#options, consumerGroup: args.get('group'), subscriptions: filters(args), awaitDuration: Number(args.get('await')),
    });
    await consumer.startup();
    this.#simple.set(args.get('group'), { consumer, held: new Map() });
  }

  async receive(args) {
    const { consumer, held } = this.#simple.get(args.get('group'));
    const views = await consumer.receive(Number(args.get('max')), Number(args.get('invisible')));
    for (const view of views) held.set(view.messageId, view);
    return views.map(view => [ 'message', told(view) ]);
  }

  async ack(args) {
    const { consumer, held } = this.#simple.get(args.get('group'));
    await consumer.ack(held.get(args.get('id')));
  }

  async change(args) {
    const { consumer, held } = this.#simple.get(args.get('group'));
    await consumer.changeInvisibleDuration(held.get(args.get('id')), Number(args.get('invisible')));
  }

  /** Starts a push consumer whose listener fails the first attempts of each message. */
  async listen(args) {
    const consumer = new PushConsumer({
      ...this.#options, consumerGroup: args.get('group'), subscriptions: filters(args), messageListener: this.#listener(args),
    });
    await consumer.startup();
  }

  async lite(args) {
    const consumer = await new LitePushConsumerBuilder()
      .setClientConfiguration(this.#options).setConsumerGroup(args.get('group')).bindTopic(args.get('topic'))
      .setMessageListener(this.#listener(args)).build();
    this.#lite.set(args.get('group'), consumer);
  }

  #listener(args) {
    const journal = new Journal();
    this.#journals.set(args.get('group'), journal);
    const fails = Number(args.get('fail'));
    return {
      consume(view) {
        journal.enter(told(view));
        return view.deliveryAttempt <= fails ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
      },
    };
  }

  async subscribe(args) {
    await this.#lite.get(args.get('group')).subscribeLite(args.get('lite'));
  }

  async unsubscribe(args) {
    await this.#lite.get(args.get('group')).unsubscribeLite(args.get('lite'));
  }

  async heard(args) {
    const heard = await this.#journals.get(args.get('group')).atLeast(Number(args.get('count')), Number(args.get('for')));
    return heard.map(m => [ 'message', m ]);
  }

  /** A push consumer's shutdown waits for its long polls, so nobody waits for it: the process ends when told. */
  async close() {
    await Promise.allSettled([ ...this.#simple.values() ].map(s => s.consumer.shutdown()));
  }
}

function filters(args) {
  const type = args.get('sql') === 'true' ? FilterType.SQL : FilterType.TAG;
  return new Map([[ args.get('topic'), new FilterExpression(args.get('filter'), type) ]]);
}

/** A message as an answer has it. */
function told(view) {
  const content = new Content(view.body, view.tag, view.keys, view.properties);
  const pairs = {
    id: view.messageId, topic: view.topic, tag: view.tag, index: view.properties.get('index'),
    attempt: view.deliveryAttempt, fingerprint: content.fingerprint(), at: Date.now(),
  };
  if (view.messageGroup) pairs.group = view.messageGroup;
  if (view.deliveryTimestamp) pairs.due = view.deliveryTimestamp.getTime();
  if (view.liteTopic) pairs.lite = view.liteTopic;
  if (view.priority) pairs.priority = view.priority;
  return String(new URLSearchParams(pairs));
}

module.exports = { Consuming };

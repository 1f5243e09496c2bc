'use strict';

// The program around the official Node.js client. It speaks the line protocol of ../client on its standard input and output.

// The client's loggers print to the standard output, which belongs to the answers.
const toStdout = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const readline = require('node:readline');
const { ClientException } = require('rocketmq-client-nodejs');
const { Series } = require('./content');
const { Producing } = require('./producing');
const { Consuming } = require('./consuming');

const logger = { debug() {}, info() {}, warn: console.error, error: console.error, close() {} };
const options = {
  endpoints: process.env.CLIENT_ENDPOINT,
  namespace: '',
  sslEnabled: process.env.CLIENT_TLS === 'true',
  requestTimeout: Number(process.env.CLIENT_REQUEST_TIMEOUT),
  logger,
};
const producing = new Producing(options);
const consuming = new Consuming(options);

// Each takes the arguments and gives pairs of a name and a value, or nothing.
const operations = {
  fingerprint: args => [[ 'fingerprint', Series.of(args).at(Number(args.get('index'))).fingerprint() ]],
  producer: args => producing.start(args),
  send: args => producing.send(args),
  'send-series': args => producing.sendSeries(args),
  transact: args => producing.transact(args),
  asked: args => producing.asked(args),
  recall: args => producing.recall(args),
  simple: args => consuming.startSimple(args),
  receive: args => consuming.receive(args),
  ack: args => consuming.ack(args),
  change: args => consuming.change(args),
  listen: args => consuming.listen(args),
  lite: args => consuming.lite(args),
  subscribe: args => consuming.subscribe(args),
  unsubscribe: args => consuming.unsubscribe(args),
  heard: args => consuming.heard(args),
  stop: async () => { await Promise.allSettled([ producing.close(), consuming.close() ]); },
};

// The proxy's Status code in an error of the client, or 0.
function code(error) {
  for (let e = error; e; e = e.cause) {
    if (e instanceof ClientException) return e.code;
  }
  return 0;
}

async function answer(args) {
  let pairs;
  try {
    const operation = operations[args.get('op')];
    if (!operation) throw new Error(`no such operation: ${args.get('op')}`);
    pairs = await operation(args) ?? [];
  } catch (e) {
    pairs = [[ 'error', e.stack ?? String(e) ], [ 'code', code(e) ]];
  }
  toStdout(`${new URLSearchParams([ ...pairs, [ 'call', args.get('call') ]])}\n`);
}

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', line => answer(new URLSearchParams(line)));
lines.on('close', () => process.exit(0));

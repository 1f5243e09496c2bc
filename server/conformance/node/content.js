'use strict';

const { createHash } = require('node:crypto');

// Messages made from a seed and an index: the twin of content.go, which has the reasons.

const BODY_BYTES_MAX = 4 << 20;
const WORD = (1n << 64n) - 1n;

class SplitMix {
  #state;

  constructor(state) {
    this.#state = state;
  }

  next() {
    this.#state = (this.#state + 0x9E3779B97F4A7C15n) & WORD;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n) & WORD;
    z = ((z ^ (z >> 27n)) * 0x94D049BB133111EBn) & WORD;
    return z ^ (z >> 31n);
  }
}

/** A row of messages, numbered from 0, none longer than bytesMost. */
class Series {
  #seed;
  #bytesMost;

  constructor(seed, bytesMost) {
    this.#seed = seed;
    this.#bytesMost = bytesMost;
  }

  /** The series that the arguments of a call name. */
  static of(args) {
    return new Series(BigInt(args.get('seed')), Number(args.get('most')));
  }

  size(index) {
    const between = (low, high) => low + Number(this.#random(index).next() % BigInt(high - low + 1));
    const r = index * 389 % 1000;
    let size;
    if (r === 0) size = 1;
    else if (r === 389) size = BODY_BYTES_MAX;
    else if (r < 10) size = between(64 << 10, 1 << 20);
    else if (r < 100) size = between(4 << 10, 64 << 10);
    else size = between(1, 4 << 10);
    return Math.min(size, this.#bytesMost);
  }

  at(index) {
    const random = this.#random(index);
    random.next(); // size had this one
    const size = this.size(index);
    const words = Buffer.alloc((size + 7) & ~7);
    for (let at = 0; at < words.length; at += 8) words.writeBigUInt64LE(random.next(), at);
    return new Content(words.subarray(0, size), `tag-${index % 7}`, [ `key-${index}`, `row-${index % 13}` ],
      new Map([[ 'seed', String(this.#seed) ], [ 'index', String(index) ], [ 'note', `ø 世界 =&; ${index}` ]]));
  }

  #random(index) {
    return new SplitMix(new SplitMix(this.#seed).next() ^ BigInt(index));
  }
}

class Content {
  constructor(body, tag, keys, properties) {
    this.body = body;
    this.tag = tag;
    this.keys = keys;
    this.properties = properties;
  }

  fingerprint() {
    const rest = [ '', this.tag, this.keys.join(' ') ];
    for (const key of [ ...this.properties.keys() ].sort()) rest.push(`${key}=${this.properties.get(key)}`);
    return createHash('sha256').update(this.body).update(rest.join('\0')).digest('hex');
  }
}

module.exports = { Content, Series };

/** Section 8: who wrote what. */
import { isCount, members } from './canonical.mjs';
import { holds } from './ed25519.mjs';
import { rootOf } from './merkle.mjs';
import { ED25519, mustBeSigned, parseNote, vkey } from './note.mjs';
import { must, Refused } from './refused.mjs';

const MOST_ENTRIES = 60000;
const NOTHING = Buffer.alloc(64);
export const SEAM = 'ledger.continued';
const ANNOUNCED = 'ledger.continuation_announced';

/** The key and number that a certificate of the log gives to a node. */
export function readCertificate(text, origin, logKey, node) {
  const note = parseNote(text);
  mustBeSigned(note, logKey);
  const [first, second, third, ...more] = note.text.slice(0, -1).split('\n');
  const number = /^onepam-node\/1 ([1-9][0-9]*)$/.exec(second ?? '')?.[1];
  must(first === origin && number !== undefined && third !== undefined && more.length === 0, '', 'no certificate of the log');
  const key = vkey(third);
  must(key.algorithm === ED25519 && key.name === node, '', `no certificate of ${node}`);
  must(isCount(Number(number)), '', 'the number of a certificate is too large');
  return { key, number: Number(number) };
}

/** What is signed of a batch. */
export function signedText(node, first, last, root, previous) {
  return `onepam-batch/1\n${node}\n${first} ${last}\n${root.toString('base64')}\n${previous.toString('base64')}\n`;
}

/**
 * Judges the batches of a log, in order. `keys` is the log's keys that were given, by origin; `entry(index)` gives kind,
 * body and leaf; `last` is the log to which the last seam leads. `findings` has what does not hold, `unjudged` how many batches are of an origin whose key is not given.
 */
export class Authors {
  constructor(origin, last, keys, entry) {
    this.origin = origin;
    this.last = last;
    this.keys = keys;
    this.entry = entry;
    this.nodes = new Map();
    this.previous = NOTHING;
    this.next = null;
    this.findings = [];
    this.unjudged = 0;
    this.checked = 0;
  }

  /** One batch: `first` and `last` both included. */
  judge(number, { first, last, node, signature }) {
    const entries = [];
    for (let index = first; index <= last; index += 1) entries.push(this.entry(index));
    const known = this.keys.has(this.origin);
    const why = known ? this.wrong(entries, { first, last, node, signature }) : null;
    if (!known) this.unjudged += 1;
    const passed = why !== null && this.passes(entries);
    if (why && !passed) this.findings.push({ number, first, why });
    if (!why || passed) this.heed(entries);
    this.previous = signature;
    this.next = last + 1;
  }

  /** What of a batch lies in the range, where its beginning does not: it is heeded, and not judged. */
  pass(first, last, signature) {
    const entries = [];
    for (let index = first; index <= last; index += 1) entries.push(this.entry(index));
    if (this.keys.has(this.origin)) {
      for (const why of entries.map((entry) => this.certified(entry))) if (why) this.findings.push({ number: -1, first, why });
    }
    this.heed(entries);
    this.previous = signature;
    this.next = last + 1;
  }

  /** Why the batch does not hold, or null. Brings the keys of its certificates into force. */
  wrong(entries, { first, last, node, signature }) {
    if (entries.length < 1 || entries.length > MOST_ENTRIES) return 'so many entries are no batch';
    if (this.next !== null && first !== this.next) return 'it does not begin where the one before ends';
    const why = entries.map((entry) => this.certified(entry)).find((each) => each !== null);
    if (why) return why;
    const key = this.nodes.get(node)?.key;
    if (!key) return `${node} has no key in force`;
    const text = signedText(node, first, last, rootOf(entries.map((entry) => entry.leaf)), this.previous);
    this.checked += 1;
    return holds(key.key, Buffer.from(text), signature) ? null : `the signature is not of ${node}`;
  }

  certified({ kind, body }) {
    if (kind !== 'node.certified') return null;
    try {
      const { key, number } = readCertificate(body.certificate, this.origin, this.keys.get(this.origin), body.node);
      must(key.text === body.key && number === body.number, '', 'a certificate of something else than its entry says');
      must(number > (this.nodes.get(body.node)?.number ?? 0), '', 'a certificate whose number was given before');
      this.nodes.set(body.node, { key, number });
      return null;
    } catch (error) {
      if (error instanceof Refused) return `a certificate does not hold: ${error.why}`;
      throw error;
    }
  }

  /** Whether nobody needs to have signed them: seams and announcements of one, in a log that a seam ends. */
  passes(entries) {
    return this.origin !== this.last && entries.every(({ kind }) => kind === SEAM || kind === ANNOUNCED);
  }

  heed(entries) {
    for (const { kind, body } of entries) {
      if (kind === 'node.revoked' && this.nodes.has(body.node)) this.nodes.get(body.node).key = null;
      if (kind !== SEAM) continue;
      this.origin = body.origin;
      this.nodes = new Map();
    }
  }
}

/** The members of a seam that the format reads. */
export function checkSeam(body, index, where) {
  const { origin, before, size, root, kept } = body;
  must(typeof origin === 'string' && typeof before === 'string', where, 'a seam between no logs');
  must(isCount(size) && isCount(kept) && kept <= size && kept <= index, where, 'a seam that keeps what was not there');
  must(typeof root === 'string' && /^[0-9a-f]{64}$/.test(root), where, 'a seam without a root');
}

/** The first line of `batches.bin`, which names nodes and certificates. */
export function checkNodes(value, where) {
  members(value, ['format', 'nodes'], where);
  must(value.format === 'onepam-batches/1', where, 'batches of a format that is not known');
  must(Array.isArray(value.nodes), where, 'nodes is no list');
  for (const node of value.nodes) {
    members(node, ['certificate', 'name'], where);
    must(typeof node.name === 'string', where, 'a node without a name');
    must(node.certificate === null || typeof node.certificate === 'string', where, 'a certificate is text');
  }
  const names = new Set(value.nodes.map((node) => node.name));
  must(names.size === value.nodes.length, where, 'a node twice');
  return value.nodes;
}

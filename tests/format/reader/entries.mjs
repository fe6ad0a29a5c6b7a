/** Section 4: headers, bodies and payloads. */
import { decode, hash, isCount, isHash, lines, members, sha256, utf8 } from './canonical.mjs';
import { leafOf } from './merkle.mjs';
import { at, must } from './refused.mjs';

const NAME = /^[a-z][a-z0-9_.]{0,99}$/;
const HEADER = ['class', 'class_seq', 'index', 'kind', 'time', 'v'];
const MOST_BODY = 65535;
const MOST_PAYLOAD = 2 ** 20;

/** A header from its value. */
export function checkHeader(value, where = '') {
  members(value, HEADER, where);
  must(NAME.test(value.class) && NAME.test(value.kind), where, 'class or kind is no name');
  must(['class_seq', 'index', 'time'].every((name) => isCount(value[name])), where, 'a number that is none');
  must(isCount(value.v) && value.v >= 1 && value.v <= 999999999, where, 'no version');
  return value;
}

export function parseHeader(bytes) {
  return checkHeader(decode(bytes));
}

/** Headers of JSON lines with their bytes and leaves; `bodies` is the hashes of the bodies, one behind the other. */
export function entriesOf(headers, bodies, first) {
  const values = lines(headers, 'headers.jsonl');
  must(bodies.length === 32 * values.length, 'bodies.sha256', `not ${values.length} hashes`);
  const texts = values.length ? utf8(headers).slice(0, -1).split('\n') : [];
  const state = { time: -1, counts: new Map(), classes: new Map() };
  return values.map((value, i) => {
    const where = `headers.jsonl entry ${first + i}`;
    checkHeader(value, where);
    inItsPlace(value, first + i, first === 0, state, where);
    const bodyHash = bodies.subarray(32 * i, 32 * i + 32);
    return { header: value, bodyHash, leaf: leafOf(texts[i], bodyHash) };
  });
}

function inItsPlace(header, index, fromZero, state, where) {
  must(header.index === index, where, `it says it is entry ${header.index}`);
  must(header.time > state.time, where, 'its time is not later than that of the entry before');
  const expected = state.counts.get(header.class) ?? (fromZero ? 0 : header.class_seq);
  must(header.class_seq === expected, where, `number ${header.class_seq} of its class, where ${expected} is next`);
  const known = state.classes.get(header.kind) ?? header.class;
  must(known === header.class, where, `${header.kind} is of class ${known}`);
  state.time = header.time;
  state.counts.set(header.class, expected + 1);
  state.classes.set(header.kind, header.class);
}

/** The body of an entry; `text` is what was disclosed. */
export function parseBody(text, bodyHash, where) {
  const bytes = Buffer.from(text, 'utf8');
  must(bytes.length <= MOST_BODY, where, 'a body that is too long');
  must(sha256(bytes).equals(bodyHash), where, 'the body is not the one whose hash is in the log');
  const body = at(where, () => decode(bytes));
  must(body !== null && typeof body === 'object' && !Array.isArray(body), where, 'the body is no object');
  must(body.payload === undefined || isHash(body.payload), where, 'a payload of a format that is not known');
  return body;
}

/** Refuses unless salt and payload are those of the body. */
export function checkPayload(body, salt, payload, where) {
  must(isHash(salt), where, 'a salt is 64 hex digits');
  must(payload.length <= MOST_PAYLOAD, where, 'a payload that is too long');
  must(sha256(hash(salt), payload).toString('hex') === body.payload, where, 'the payload is not the one in the log');
}

/** Section 10: disclosed bodies and payloads. */
import { base64, decode, isCount, lines, members, textOfBytes } from './canonical.mjs';
import { checkPayload, parseBody } from './entries.mjs';
import { at, must, refuse } from './refused.mjs';

const KNOWN_VERSION = 1;
/** Kinds that have later versions, and the last of them that is known. */
const LATER = {
  'grant.started': 3, 'request.made': 3, 'resource.set': 3, 'review.opened': 2, 'role.set': 3, 'session.opened': 2,
};
const ALWAYS = ['system.started', 'node.certified', 'node.revoked', 'ledger.continued'];

/** Sets `body` of the entries that entries.jsonl discloses. */
export function readBodies(pack) {
  let last = -1;
  for (const [i, line] of lines(pack.files.get('entries.jsonl'), 'entries.jsonl').entries()) {
    const where = `entries.jsonl line ${i + 1}`;
    members(line, ['body', 'index'], where);
    must(isCount(line.index) && typeof line.body === 'string', where, 'no index, or no body');
    const entry = pack.entry(line.index);
    must(line.index > last && entry !== undefined, where, 'an index out of order, or of the range');
    const place = `entries.jsonl entry ${line.index}`;
    entry.body = parseBody(line.body, entry.bodyHash, place);
    const { kind, v } = entry.header;
    must(v <= (LATER[kind] ?? KNOWN_VERSION), place, `${kind} of version ${v}, which is not known`);
    last = line.index;
  }
  mustBeDisclosed(pack, ({ kind }) => ALWAYS.includes(kind));
}

/** Refuses unless all entries of the range whose header fits are disclosed. */
export function mustBeDisclosed(pack, fits) {
  pack.entries.forEach(({ header, body }) => {
    if (fits(header)) must(body !== undefined, `entries.jsonl entry ${header.index}`, `${header.kind} is not disclosed`);
  });
}

/** Sets `payload` of the entries: `{erased: true}`, or `{value}`, undefined where the payload is no JSON. */
export function readPayloads(pack) {
  for (const [i, line] of lines(pack.files.get('payloads.jsonl'), 'payloads.jsonl').entries()) {
    const where = `payloads.jsonl line ${i + 1}`;
    must(isCount(line?.index), where, 'no index');
    const place = `payloads.jsonl entry ${line.index}`;
    const entry = pack.entry(line.index);
    must(entry?.body?.payload !== undefined, place, 'no disclosed entry with a payload');
    must(entry.payload === undefined, place, 'a payload twice');
    entry.payload = 'erased' in line ? erased(pack, line, place) : shown(entry.body, line, place);
  }
}

function erased(pack, line, where) {
  members(line, ['erased', 'index'], where);
  const by = isCount(line.erased) ? pack.entry(line.erased) : undefined;
  must(line.erased > line.index && by?.header.kind === 'payload.erased', where, 'no later entry erased it');
  must(by.body !== undefined, `entries.jsonl entry ${line.erased}`, 'payload.erased is not disclosed');
  must(Array.isArray(by.body.indexes) && by.body.indexes.includes(line.index), where, 'the entry erased something else');
  return { erased: true };
}

function shown(body, line, where) {
  if ('payload' in line) {
    members(line, ['index', 'payload', 'salt'], where);
    must(typeof line.payload === 'string', where, 'a payload is text');
    checkPayload(body, line.salt, Buffer.from(line.payload, 'utf8'), where);
    return { value: object(line.payload, where) };
  }
  members(line, ['index', 'payload_base64', 'salt'], where);
  must(typeof line.payload_base64 === 'string', where, 'a payload is text');
  const bytes = at(where, () => base64(line.payload_base64));
  must(textOfBytes(bytes).startsWith('base64:') && !bytes.toString('utf8').startsWith('base64:'), where, 'base64 of what is text');
  checkPayload(body, line.salt, bytes, where);
  return { value: undefined };
}

function object(text, where) {
  const value = at(where, () => decode(text));
  if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse(where, 'a payload that is no object');
  return value;
}

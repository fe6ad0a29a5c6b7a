/** Section 7: verifier keys, notes, checkpoints. */
import { base64, sha256, utf8, WHITE } from './canonical.mjs';
import { holds } from './ed25519.mjs';
import { must } from './refused.mjs';

const NAME = new RegExp(`^[^+\\u0000-\\u0020${WHITE}]{1,255}$`, 'u');
const LINE = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/u;
const MOST_BYTES = 131072;
export const ED25519 = 1;
export const COSIGNATURE = 4;

/** A verifier key. Refuses one that is not spelt as the page says, or of an algorithm that is not known. */
export function vkey(text) {
  const [, name, id, rest] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/su.exec(text) ?? [];
  must(name !== undefined && NAME.test(name), '', 'no verifier key');
  const bytes = base64(rest);
  must(bytes.length === 33, '', 'a verifier key of another length');
  must(bytes[0] === ED25519 || bytes[0] === COSIGNATURE, '', `a key of algorithm ${bytes[0]}, which is not known`);
  must(keyId(name, bytes) === id, '', 'the id of a verifier key is not its own');
  return { text, name, id, algorithm: bytes[0], key: bytes.subarray(1) };
}

function keyId(name, bytes) {
  return sha256(name, '\n', bytes).subarray(0, 4).toString('hex');
}

/** Text and signature lines of a note, of which none was checked. */
export function parseNote(source) {
  const bytes = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
  must(bytes.length <= MOST_BYTES, '', 'a note that is too long');
  const whole = utf8(bytes);
  must(!/[\u0000-\u0009\u000b-\u001f]/.test(whole), '', 'a control character in a note');
  const split = whole.lastIndexOf('\n\n');
  must(split > 0 && whole.endsWith('\n') && split + 2 < whole.length, '', 'a note without text, empty line and signatures');
  const signatures = whole.slice(split + 2, -1).split('\n').map((line) => {
    const [, name, encoded] = LINE.exec(line) ?? [];
    must(name !== undefined && NAME.test(name), '', 'a signature line that is none');
    const signature = base64(encoded);
    must(signature.length > 4, '', 'a signature line without signature');
    return { name, id: signature.subarray(0, 4).toString('hex'), signature: signature.subarray(4) };
  });
  must(signatures.length <= 32, '', 'more than 32 signature lines');
  return { text: whole.slice(0, split + 1), signatures };
}

/** Whether one signature is of the key, and for a cosignature the second at which it was given. */
function signed(text, key, signature) {
  if (key.algorithm === ED25519) return { holds: holds(key.key, Buffer.from(text), signature) };
  if (signature.length !== 72) return { holds: false };
  const seconds = signature.readBigUInt64BE();
  const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
  return { holds: seconds < 2n ** 63n && holds(key.key, message, signature.subarray(8)), seconds };
}

/** Refuses unless the note has a line under this key, and every such line holds. Gives the seconds of a cosignature. */
export function mustBeSigned(note, key) {
  const own = note.signatures.filter((each) => each.name === key.name && each.id === key.id);
  must(own.length > 0, '', `no signature of ${key.name}+${key.id}`);
  const found = own.map((each) => signed(note.text, key, each.signature));
  must(found.every((each) => each.holds), '', `a signature of ${key.name}+${key.id} does not hold`);
  return found[0].seconds;
}

/** What a checkpoint says; signatures are not checked. */
export function parseCheckpoint(source) {
  const note = parseNote(source);
  const [origin, size, root, ...more] = note.text.slice(0, -1).split('\n');
  must(NAME.test(origin), '', 'a checkpoint without a name of its log');
  must(/^(0|[1-9][0-9]*)$/.test(size ?? '') && Number.isSafeInteger(Number(size)), '', 'a checkpoint without a size');
  must(root !== undefined && base64(root).length === 32, '', 'a checkpoint without a root');
  must(more.length <= 16 && more.every((line) => line !== ''), '', 'a checkpoint with lines that may not be');
  return { note, origin, size: Number(size), root: base64(root) };
}

/** The name of a checkpoint, as manifests and envelopes have it. */
export function nameOf(checkpoint) {
  return `${checkpoint.origin}@${checkpoint.size} ${checkpoint.root.toString('hex')}`;
}

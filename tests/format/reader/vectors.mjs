/**
 * Judges files of tests/golden/vectors as they say: `node vectors.mjs FILE…` prints for each case its name, and `right`
 * or what came out instead; the exit code is 1 where something did.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as batches from './batches.mjs';
import * as canonical from './canonical.mjs';
import { holds } from './ed25519.mjs';
import { checkPayload, parseBody, parseHeader } from './entries.mjs';
import * as merkle from './merkle.mjs';
import * as note from './note.mjs';
import { field } from './reports.mjs';
import { Refused } from './refused.mjs';
import { recordingCases } from './vectors_recording.mjs';
import * as tiles from './tiles.mjs';

const bytes = (hex) => Buffer.from(hex, 'hex');
const hashes = (list) => list.map(bytes);
const same = (a, b) => canonical.encode(a) === canonical.encode(b);

/** Whether `act` refuses. */
export function refuses(act) {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

function* canonicalCases(vector) {
  for (const { bytes: hex, value } of vector.encodings) {
    yield [`encodes ${hex}`, Buffer.from(canonical.encode(value)).toString('hex') === hex];
    yield [`decodes ${hex}`, same(canonical.decode(bytes(hex)), value)];
  }
  for (const hex of vector.also) yield [`decodes ${hex}`, canonical.encode(canonical.decode(bytes(hex))) === bytes(hex).toString()];
  for (const { bytes: hex, text } of vector.bytes) {
    yield [`bytes ${hex}`, canonical.textOfBytes(bytes(hex)) === text && canonical.bytesOfText(text).equals(bytes(hex))];
  }
  for (const { bytes: hex, why } of vector.refused) yield [why, refuses(() => canonical.decode(bytes(hex)))];
}

function* timeCases(vector) {
  yield ['no end', canonical.NO_END === vector.no_end];
  for (const { microseconds, text } of vector.times) {
    yield [text, canonical.timeText(microseconds) === text && canonical.timeOf(text) === microseconds];
  }
  for (const text of vector.refused) yield [text, refuses(() => canonical.timeOf(text))];
}

function* ed25519Cases(vector) {
  for (const each of vector.signatures) {
    yield [each.what, holds(bytes(each.public), bytes(each.message), bytes(each.signature)) === each.holds];
  }
}

function* entryCases(vector) {
  for (const { header, body, body_sha256: bodyHash, leaf, payload, salt } of vector.entries) {
    const name = `entry ${parseHeader(Buffer.from(header)).index}`;
    const fields = parseBody(body, bytes(bodyHash), name);
    yield [name, merkle.leafOf(header, bytes(bodyHash)).toString('hex') === leaf];
    if (payload !== undefined) yield [`payload of ${name}`, !refuses(() => checkPayload(fields, salt, Buffer.from(payload), name))];
  }
  for (const { header, why } of vector.refused_headers) yield [why, refuses(() => parseHeader(Buffer.from(header)))];
}

function* treeCases(vector) {
  const leaves = hashes(vector.leaves);
  const roots = hashes(vector.roots);
  for (const [n, root] of roots.entries()) yield [`root of ${n}`, merkle.rootOf(leaves.slice(0, n)).equals(root)];
  for (const { index, size, proof } of vector.inclusion) {
    yield [`inclusion of ${index}`, merkle.inclusionRoot(index, size, leaves[index], hashes(proof))?.equals(roots[size]) ?? false];
  }
  for (const { old, new: size, proof } of vector.consistency) {
    yield [`consistency of ${old} and ${size}`, merkle.consistent(old, roots[old], size, roots[size], hashes(proof))];
    const longer = [...hashes(proof), roots[0]];
    yield [`a proof of ${old} and ${size} too long`, !merkle.consistent(old, roots[old], size, roots[size], longer)];
  }
  for (const { begin, end, sizes } of vector.spans) yield [`spans of ${begin} to ${end}`, same(merkle.spans(begin, end).map((k) => 2 ** k), sizes)];
  for (const { first, end, left, right, tree_size: n } of vector.ranges) {
    const tree = merkle.rangeTree(first, leaves.slice(first, end), n, hashes(left), hashes(right));
    yield [`range ${first} to ${end}`, tree.root().equals(roots[n])];
  }
}

function* tileCases(vector, folder) {
  const { entries } = JSON.parse(readFileSync(`${folder}/entry.json`));
  for (const { level, index, width, name } of vector.names) yield [name, tiles.tileName(level, index, width) === name];
  const leaves = entries.map((entry) => bytes(entry.leaf));
  for (const { name, bytes: hex } of vector.files) {
    if (name.startsWith('tile/entries')) yield [name, same(tiles.bundle(bytes(hex)).map((each) => each.leaf.toString('hex')), entries.map((each) => each.leaf))];
    else yield [name, tiles.tilesOf(leaves).get(name)?.equals(bytes(hex)) ?? false];
  }
}

function* noteCases(vector) {
  for (const { vkey, name, id, algorithm, public: key } of vector.keys) {
    const found = note.vkey(vkey);
    yield [vkey, found.name === name && found.id === id && found.algorithm === algorithm && found.key.toString('hex') === key];
  }
  for (const { note: text, signed_by: key } of vector.notes) {
    yield [`note of ${key}`, !refuses(() => note.mustBeSigned(note.parseCheckpoint(text).note, note.vkey(key)))];
  }
  const { note: cosigned, by, at } = vector.cosigned;
  yield ['cosigned', note.mustBeSigned(note.parseNote(cosigned), note.vkey(by)) === BigInt(at)];
  for (const { note: text, log_key: key, why } of vector.refused) {
    yield [why, refuses(() => note.mustBeSigned(note.parseCheckpoint(text).note, note.vkey(key)))];
  }
}

/** The number of the first batch that does not hold, or null. */
function firstBad(vector, list, entries) {
  const keys = new Map(vector.log_keys.map((text) => [note.vkey(text).name, note.vkey(text)]));
  const authors = new batches.Authors(vector.origin, note.vkey(vector.log_keys.at(-1)).name, keys, (index) => entries[index]);
  for (const [number, each] of list.entries()) authors.judge(number, { ...each, signature: canonical.base64(each.signature) });
  return authors.findings[0]?.number ?? null;
}

function* batchCases(vector, folder) {
  const entries = JSON.parse(readFileSync(`${folder}/entry.json`)).entries.map((each) => ({
    kind: JSON.parse(each.header).kind, body: canonical.decode(each.body), leaf: bytes(each.leaf),
  }));
  let previous = Buffer.alloc(64);
  for (const { first, last, node, signature, text } of vector.batches) {
    const root = merkle.rootOf(entries.slice(first, last + 1).map((entry) => entry.leaf));
    yield [`text of batch ${first}`, batches.signedText(node, first, last, root, previous) === text];
    previous = canonical.base64(signature);
  }
  yield ['all batches', firstBad(vector, vector.batches, entries) === null];
  for (const { why, batches: list, first_bad: bad } of vector.refused) yield [why, firstBad(vector, list, entries) === bad];
}

function* packCases(vector, folder) {
  for (const { cell, field: text } of vector.csv) yield [`field ${text}`, field(cell) === text];
  const { entries } = JSON.parse(readFileSync(`${folder}/entry.json`));
  const { first, end, left, right } = canonical.decode(vector.range);
  const tree = merkle.rangeTree(first, entries.slice(first, end).map((each) => bytes(each.leaf)), end, hashes(left), hashes(right));
  yield ['checkpoint', note.nameOf({ origin: 'vectors.example/log/2', size: end, root: tree.root() }) === vector.checkpoint];
  const { query, parameters } = canonical.decode(vector.envelope);
  yield ['query', canonical.sha256(query, '\0', canonical.encode(parameters)).toString('hex') === vector.query_sha256];
  for (const line of vector.payloads) {
    const { index, salt, payload } = canonical.decode(line);
    const body = canonical.decode(entries[index].body);
    if (payload !== undefined) yield [`payload of ${index}`, !refuses(() => checkPayload(body, salt, Buffer.from(payload), ''))];
  }
}

const CASES = {
  batch: batchCases, canonical: canonicalCases, ed25519: ed25519Cases, entry: entryCases, note: noteCases,
  pack: packCases, recording: recordingCases, tiles: tileCases, time: timeCases, tree: treeCases,
};

let wrong = 0;
for (const path of process.argv.slice(2)) {
  const name = basename(path, '.json');
  const vector = JSON.parse(readFileSync(path, 'utf8'));
  for (const [what, right] of CASES[name](vector, path.slice(0, -basename(path).length))) {
    wrong += right ? 0 : 1;
    console.log(`${right ? 'right' : 'wrong'} ${name} ${JSON.stringify(what)}`);
  }
}
process.exitCode = wrong ? 1 : 0;

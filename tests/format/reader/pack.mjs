/** Section 10: a pack as a whole. */
import { hash, isCount, isHash, decode, members, sha256, timeOf } from './canonical.mjs';
import { anchor } from './anchors.mjs';
import { judgeBatches } from './pack_batches.mjs';
import { readBodies, readPayloads } from './disclosed.mjs';
import { entriesOf } from './entries.mjs';
import { rangeTree } from './merkle.mjs';
import { COSIGNATURE, ED25519, mustBeSigned, nameOf, parseCheckpoint, vkey } from './note.mjs';
import { at, must } from './refused.mjs';
import { judgeReports } from './reports.mjs';
import { judgeSeams, judgeSystem } from './seams.mjs';
import { unzip } from './zip.mjs';

const ALWAYS = [
  'checkpoint', 'headers.jsonl', 'bodies.sha256', 'range.json', 'entries.jsonl', 'payloads.jsonl', 'batches.bin',
  'README.txt', 'verify.py',
];
const REPORT = /^[a-z][a-z0-9_]{0,40}$/;
const MANIFEST = ['checkpoint', 'files', 'format', 'log_key', 'origin', 'period', 'reports', 'system', 'tree_size', 'witnesses'];

function isText(value) {
  return typeof value === 'string';
}

function readManifest(files) {
  const where = 'manifest.json';
  must(files.has(where), where, 'is not there');
  const manifest = members(at(where, () => decode(files.get(where))), MANIFEST, where);
  must(manifest.format === 'onepam-evidence-pack/1', where, `${manifest.format} is a format that is not known`);
  members(manifest.system, ['environment', 'id', 'version'], where);
  must(Object.values(manifest.system).every(isText), where, 'a system of something else than texts');
  members(manifest.period, ['from', 'to'], where);
  const period = at(where, () => ({ from: timeOf(manifest.period.from), to: timeOf(manifest.period.to) }));
  must(period.from < period.to, where, 'a period that ends before it begins');
  const { reports } = manifest;
  must(Array.isArray(reports) && reports.every((name) => isText(name) && REPORT.test(name)), where, 'reports are names');
  must(reports.every((name, i) => i === 0 || reports[i - 1] < name), where, 'reports are sorted, each once');
  must(Array.isArray(manifest.witnesses), where, 'witnesses are a list');
  must(at(where, () => vkey(manifest.log_key)).algorithm === ED25519, where, 'the key of the log is of another algorithm');
  const witnesses = at(where, () => manifest.witnesses.map((text) => vkey(text)));
  must(witnesses.every((key) => key.algorithm === COSIGNATURE), where, 'the key of a witness is of another algorithm');
  return { ...manifest, period, witnesses };
}

/** Every file is listed, with its size and hash, and none is there that may not be. */
function checkFiles(files, manifest) {
  const due = [...ALWAYS];
  for (const name of manifest.reports) due.push(...['csv', 'envelope.json', 'jsonl'].map((end) => `reports/${name}.${end}`));
  const listed = new Map();
  must(Array.isArray(manifest.files), 'manifest.json', 'files are a list');
  for (const each of manifest.files) {
    members(each, ['name', 'sha256', 'size'], 'manifest.json');
    must(isText(each.name) && isHash(each.sha256) && isCount(each.size), 'manifest.json', 'a file that is none');
    must(!listed.has(each.name), each.name, 'is listed twice');
    listed.set(each.name, each);
  }
  for (const name of due) must(files.has(name) && listed.has(name), name, files.has(name) ? 'is not listed' : 'is not there');
  for (const name of [...files.keys(), ...listed.keys()]) {
    must(due.includes(name) || name === 'manifest.json', name, 'is no file of a pack');
    if (name === 'manifest.json') must(!listed.has(name), name, 'is listed');
  }
  for (const [name, { size, sha256: digest }] of listed) {
    must(files.get(name).length === size, name, `has ${files.get(name).length} bytes, where the manifest says ${size}`);
    must(sha256(files.get(name)).toString('hex') === digest, name, 'has another hash than the manifest says');
  }
}

function readCheckpoint(files, manifest, keys) {
  const where = 'checkpoint';
  const checkpoint = at(where, () => parseCheckpoint(files.get(where)));
  must(checkpoint.origin === manifest.origin && checkpoint.size === manifest.tree_size, where, 'is not that of the manifest');
  must(nameOf(checkpoint) === manifest.checkpoint, where, 'has another name than the manifest says');
  const logs = keys.filter((key) => key.algorithm === ED25519);
  const own = logs.filter((key) => key.name === checkpoint.origin);
  must(logs.length === 0 || own.length > 0, where, `it is not of the log of the key ${logs[0]?.name}+${logs[0]?.id}`);
  const witnesses = [...manifest.witnesses, ...keys.filter((key) => key.algorithm === COSIGNATURE)];
  for (const key of [...own, ...witnesses]) at(where, () => mustBeSigned(checkpoint.note, key));
  return checkpoint;
}

/** The entries of the range, and the root of the tree at every size from its first to its end. */
function readRange(files, checkpoint) {
  const where = 'range.json';
  const range = members(at(where, () => decode(files.get(where))), ['end', 'first', 'left', 'right'], where);
  const { first, end, left, right } = range;
  must(isCount(first) && isCount(end) && first < end && end <= checkpoint.size, where, 'no range of the tree');
  must([left, right].every((side) => Array.isArray(side) && side.every(isHash)), where, 'left and right are hashes');
  const entries = entriesOf(files.get('headers.jsonl'), files.get('bodies.sha256'), first);
  must(entries.length === end - first, 'headers.jsonl', `${entries.length} entries, not ${end - first}`);
  const roots = new Map();
  const leaves = entries.map((entry) => entry.leaf);
  const tree = at(where, () =>
    rangeTree(first, leaves, checkpoint.size, left.map(hash), right.map(hash), (size, part) => roots.set(size, part.root())));
  must(tree.root().equals(checkpoint.root), 'headers.jsonl', 'with bodies.sha256 and range.json it does not give the root of the checkpoint');
  return { first, end, entries, roots };
}

function coversPeriod({ first, end, entries }, { period, tree_size: size }) {
  const [oldest, newest] = [entries[0].header.time, entries[entries.length - 1].header.time];
  must(first === 0 || oldest < period.from, 'range.json', 'it begins after the period does');
  must(end === size || newest >= period.to, 'range.json', 'it ends before the period does');
}

/**
 * Judges the bytes of a pack. `keys` is verifier keys from outside, of logs and witnesses, `heads` tree heads `{size, root,
 * origin}` that were kept elsewhere. Refuses it, or gives what is to be said with its acceptance.
 */
export function judgePack(bytes, keys, heads) {
  const files = at('the zip', () => unzip(bytes));
  const manifest = readManifest(files);
  checkFiles(files, manifest);
  const checkpoint = readCheckpoint(files, manifest, keys);
  const range = readRange(files, checkpoint);
  coversPeriod(range, manifest);
  const pack = { files, manifest, checkpoint, notes: [], ...range };
  if (range.end < checkpoint.size) pack.notes.push(`hides ${checkpoint.size - range.end} entries before its checkpoint`);
  pack.entry = (index) => pack.entries[index - pack.first];
  readBodies(pack);
  readPayloads(pack);
  pack.seams = judgeSeams(pack);
  judgeSystem(pack);
  judgeBatches(pack, keys);
  judgeReports(pack);
  anchor(pack, keys, heads);
  return pack.notes;
}

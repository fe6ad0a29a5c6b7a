/** Section 10, `batches.bin`: the batches of the range, and their nodes. */
import { Authors, checkNodes, readCertificate, SEAM } from './batches.mjs';
import { decode } from './canonical.mjs';
import { ED25519 } from './note.mjs';
import { at, must } from './refused.mjs';

const WHERE = 'batches.bin';
const RECORD = 78;
const MOST_ENTRIES = 60000;

function readRecords(bytes) {
  const newline = bytes.indexOf(10);
  must(newline >= 0, WHERE, 'no first line');
  const nodes = checkNodes(at(WHERE, () => decode(bytes.subarray(0, newline))), WHERE);
  const rest = bytes.subarray(newline + 1);
  must(rest.length > 0 && rest.length % RECORD === 0, WHERE, 'no whole number of records');
  const records = [];
  for (let place = 0; place < rest.length; place += RECORD) {
    const first = Number(rest.readBigUInt64BE(place));
    const count = rest.readUInt32BE(place + 8);
    const node = nodes[rest.readUInt16BE(place + 12)];
    const where = `${WHERE} batch of entry ${first}`;
    must(Number.isSafeInteger(first) && count >= 1 && count <= MOST_ENTRIES, where, 'so many entries are no batch');
    must(node !== undefined, where, 'a node that is not there');
    records.push({ first, last: first + count - 1, node: node.name, signature: rest.subarray(place + 14, place + RECORD), where });
  }
  return { nodes, records };
}

/** Refuses unless the records tile the range, with the batch of the entry before it as the first. */
function mustTile(records, { first, end, checkpoint }) {
  const [begin, last] = [records[0], records[records.length - 1]];
  if (first === 0) must(begin.first === 0, begin.where, 'the first batch does not begin at 0');
  else must(begin.first < first && begin.last >= first - 1, begin.where, 'the first batch is not that of the entry before the range');
  records.forEach((record, i) => {
    if (i > 0) must(record.first === records[i - 1].last + 1, record.where, 'it does not begin where the one before ends');
    if (i > 0) must(record.first < end, record.where, 'it begins after the range');
  });
  must(last.last >= end - 1 && last.last < checkpoint.size, last.where, 'the last batch does not end where the range does');
}

/** The keys of nodes that were in force before the range. */
function bringCertificates(authors, nodes, pack) {
  for (const { name, certificate } of nodes) {
    if (certificate === null) continue;
    must(pack.first > 0, WHERE, `a certificate of ${name}, before which there is no entry`);
    const logKey = authors.keys.get(authors.origin);
    if (logKey === undefined) continue;
    authors.nodes.set(name, at(WHERE, () => readCertificate(certificate, authors.origin, logKey, name)));
  }
}

/** Judges who wrote the range. */
export function judgeBatches(pack, keys) {
  const { nodes, records } = readRecords(pack.files.get(WHERE));
  mustTile(records, pack);
  const judged = pack.first === 0 ? records : records.slice(1);
  const seam = pack.entries.find(({ header }) => header.kind === SEAM);
  const origin = seam ? seam.body.before : pack.checkpoint.origin;
  const given = new Map(keys.filter((key) => key.algorithm === ED25519).map((key) => [key.name, key]));
  const entry = (index) => {
    const { header, body, leaf } = pack.entry(index);
    return { kind: header.kind, body, leaf };
  };
  const authors = new Authors(origin, pack.checkpoint.origin, given, entry);
  bringCertificates(authors, nodes, pack);
  if (pack.first > 0) authors.pass(pack.first, Math.min(records[0].last, pack.end - 1), records[0].signature);
  const whole = judged.filter((record) => record.last < pack.end);
  whole.forEach((record, i) => authors.judge(i, record));
  for (const { number, why } of authors.findings) must(false, (whole[number] ?? records[0]).where, why);
  if (pack.first > 0) pack.notes.push('the first batch is nobody\'s to judge');
  if (whole.length < judged.length) pack.notes.push('the last batch ends after the range: it was not judged');
  if (authors.unjudged) pack.notes.push(`${authors.unjudged} batches were not judged: the key of their log is not given`);
  pack.notes.push(`${authors.checked} of ${records.length} batch signatures checked`);
}

/**
 * Judges evidence packs, published logs and recordings from docs/format.md alone. One line for each: `accepted` or
 * `refused`, its name, and what is to be said; exit code 0 where all are accepted, 1 where one is refused, 2 where the
 * arguments are wrong.
 *
 *   node main.mjs PACK… [--key VKEY]… [--head SIZE,ROOT]…
 *   node main.mjs --list FILE           lines of JSON: {"pack": PATH, "keys": [VKEY…], "heads": ["SIZE,ROOT"…]}
 *   node main.mjs --log FOLDER… [--key VKEY]…
 *   node main.mjs --recording FILE… [--secret HEX] [--sealed CHUNK,HEAD]… [--closed CHUNKS,HEAD]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mustBeSigned, vkey } from './note.mjs';
import { judgePack } from './pack.mjs';
import { judgeRecording, readFrames, readRecording } from './recording.mjs';
import { at, must, Refused } from './refused.mjs';
import { judgeLog } from './tiles.mjs';

const OPTIONS = {
  key: { type: 'string', multiple: true, default: [] },
  head: { type: 'string', multiple: true, default: [] },
  list: { type: 'string' },
  log: { type: 'boolean', default: false },
  recording: { type: 'boolean', default: false },
  secret: { type: 'string' },
  sealed: { type: 'string', multiple: true, default: [] },
  closed: { type: 'string' },
};

function treeHead(text) {
  const [, size, root] = /^([0-9]+),([0-9a-f]{64})$/.exec(text) ?? [];
  must(size !== undefined, '', `${text} is no SIZE,ROOT`);
  return { size: Number(size), root: Buffer.from(root, 'hex') };
}

function chunkHead(text) {
  const { size, root } = treeHead(text);
  return { chunk: size, chunks: size, head: root.toString('hex') };
}

function pack(path, keys, heads) {
  const known = at('the keys', () => keys.map(vkey));
  return judgePack(readFileSync(path), known, at('the heads', () => heads.map(treeHead)));
}

function log(path, keys) {
  const checkpoint = judgeLog(path);
  for (const key of keys) at('checkpoint', () => mustBeSigned(checkpoint.note, vkey(key)));
  return [`${checkpoint.size} entries of ${checkpoint.origin}`];
}

function recording(path, { secret, sealed, closed }) {
  const found = readRecording(readFileSync(path));
  const rest = judgeRecording(found, sealed.map(chunkHead), closed === undefined ? null : chunkHead(closed));
  const notes = [`${found.chunks.length} chunks of ${found.id}`, `its end is ${rest}`];
  if (secret !== undefined) notes.push(`${readFrames(found, Buffer.from(secret, 'hex')).list.length} frames`);
  return notes;
}

/** Says what came of one; whether it was accepted. */
function judged(path, act) {
  try {
    console.log(`accepted ${path}: ${act().join('; ')}`);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(`refused ${path}: ${error.message}`);
    return false;
  }
}

function* results({ values, positionals }) {
  if (values.list !== undefined) {
    for (const line of readFileSync(values.list, 'utf8').split('\n').filter((each) => each !== '')) {
      const each = JSON.parse(line);
      yield judged(each.pack, () => pack(each.pack, each.keys ?? [], each.heads ?? []));
    }
  }
  for (const path of positionals) {
    if (values.log) yield judged(path, () => log(path, values.key));
    else if (values.recording) yield judged(path, () => recording(path, values));
    else yield judged(path, () => pack(path, values.key, values.head));
  }
}

function main() {
  let parsed;
  try {
    parsed = parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  if (parsed.positionals.length === 0 && parsed.values.list === undefined) {
    console.error('nothing to judge');
    return 2;
  }
  return [...results(parsed)].every(Boolean) ? 0 : 1;
}

process.exitCode = main();

/** Section 6: tiles, and a published log of them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHeader } from './entries.mjs';
import { dataLeaf, nodeOf, rootOf } from './merkle.mjs';
import { parseCheckpoint } from './note.mjs';
import { at, must } from './refused.mjs';

const FULL = 256;

/** The name of a tile below the folder of the log; level -1 is the bundles of entries. */
export function tileName(level, index, width) {
  const groups = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(rest % 1000);
  const path = groups.map((group, i) => `${i < groups.length - 1 ? 'x' : ''}${String(group).padStart(3, '0')}`).join('/');
  return `tile/${level < 0 ? 'entries' : level}/${path}${width < FULL ? `.p/${width}` : ''}`;
}

/** The entries of a bundle: header as it stands, and the leaf. */
export function bundle(bytes) {
  const found = [];
  for (let place = 0; place < bytes.length; ) {
    must(place + 2 <= bytes.length, '', 'a bundle that is cut');
    const length = bytes.readUInt16BE(place);
    const data = bytes.subarray(place + 2, place + 2 + length);
    must(data.length === length && length > 32, '', 'a bundle that is cut');
    found.push({ header: data.subarray(0, length - 32), leaf: dataLeaf(data) });
    place += 2 + length;
  }
  return found;
}

/** The hashes of the tiles over these leaves, by name; only those of a log of so many entries. */
export function tilesOf(leaves) {
  const files = new Map();
  for (let level = 0, row = leaves; row.length > 0; level += 1) {
    for (let i = 0; i * FULL < row.length; i += 1) {
      const part = row.slice(i * FULL, (i + 1) * FULL);
      files.set(tileName(level, i, part.length), Buffer.concat(part));
    }
    row = above(row);
  }
  return files;
}

/** The roots of the full subtrees of 256. */
function above(row) {
  const roots = [];
  for (let i = 0; (i + 1) * FULL <= row.length; i += 1) {
    let level = row.slice(i * FULL, (i + 1) * FULL);
    while (level.length > 1) level = level.flatMap((left, at) => (at % 2 ? [] : [nodeOf(left, level[at + 1])]));
    roots.push(level[0]);
  }
  return roots;
}

/** Judges a published log: the bundles give the tiles, and the checkpoint's root. */
export function judgeLog(folder) {
  const read = (name) => {
    must(existsSync(join(folder, name)), name, 'is not there');
    return readFileSync(join(folder, name));
  };
  const checkpoint = at('checkpoint', () => parseCheckpoint(read('checkpoint')));
  const leaves = [];
  const state = { time: -1, counts: new Map() };
  for (let i = 0; i * FULL < checkpoint.size; i += 1) {
    const width = Math.min(FULL, checkpoint.size - i * FULL);
    const name = tileName(-1, i, width);
    const entries = at(name, () => bundle(read(name)));
    must(entries.length === width, name, `${entries.length} entries, not ${width}`);
    for (const entry of entries) {
      published(entry.header, leaves.length, state, `${name} entry ${leaves.length}`);
      leaves.push(entry.leaf);
    }
  }
  for (const [name, bytes] of tilesOf(leaves)) must(read(name).equals(bytes), name, 'it is not the tile over the entries');
  must(rootOf(leaves).equals(checkpoint.root), 'checkpoint', 'the root of the entries is another');
  return checkpoint;
}

function published(bytes, index, state, where) {
  const header = at(where, () => parseHeader(bytes));
  must(header.index === index, where, `it says it is entry ${header.index}`);
  must(header.time > state.time, where, 'its time is not later than that of the entry before');
  must(header.class_seq === (state.counts.get(header.class) ?? 0), where, 'its class is not counted without a gap');
  state.time = header.time;
  state.counts.set(header.class, header.class_seq + 1);
}

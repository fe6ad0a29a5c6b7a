/** RFC 8878 section 3.1.1.3.1 and 4.2: literals, as they are or in Huffman's code. */
import { must } from './refused.mjs';
import { BitsBackwards, fseTable, readDistribution } from './zstd_fse.mjs';

const MOST_BITS = 11;
const MOST_LITERALS = 128 * 1024;

/** Reads the literals of block after block; a block may use the tree of the one before. */
export class Literals {
  constructor() {
    this.tree = null;
  }

  /** The literals of a block, and the place behind them. */
  read(bytes) {
    must(bytes.length >= 1, '', 'a zstd block that is cut');
    const type = bytes[0] & 3;
    const format = (bytes[0] >> 2) & 3;
    return type < 2 ? this.plain(bytes, type, format) : this.coded(bytes, type, format);
  }

  plain(bytes, type, format) {
    const head = [1, 2, 1, 3][format];
    must(bytes.length >= head, '', 'a zstd block that is cut');
    const size = bytes.readUIntLE(0, head) >> (head === 1 ? 3 : 4);
    const end = head + (type === 1 ? 1 : size);
    must(end <= bytes.length && size <= MOST_LITERALS, '', 'a zstd block that is cut');
    return { literals: type === 1 ? Buffer.alloc(size, bytes[head]) : bytes.subarray(head, end), end };
  }

  coded(bytes, type, format) {
    const head = [3, 3, 4, 5][format];
    const width = [10, 10, 14, 18][format];
    must(bytes.length >= head, '', 'a zstd block that is cut');
    const word = Math.floor(bytes.readUIntLE(0, head) / 16);
    const size = word % 2 ** width;
    const end = head + Math.floor(word / 2 ** width);
    must(end <= bytes.length && size <= MOST_LITERALS, '', 'a zstd block that is cut');
    let place = head;
    if (type === 2) [this.tree, place] = readTree(bytes.subarray(0, end), head);
    must(this.tree !== null, '', 'a tree that was not there before');
    const streams = bytes.subarray(place, end);
    return { literals: format === 0 ? stream(this.tree, streams, size) : fourStreams(this.tree, streams, size), end };
  }
}

function fourStreams(tree, bytes, size) {
  must(bytes.length >= 6, '', 'streams that are cut');
  const each = Math.floor((size + 3) / 4);
  must(size >= 3 * each, '', 'streams of fewer literals than there are streams');
  const parts = [];
  let place = 6;
  for (let i = 0; i < 4; i += 1) {
    const end = i < 3 ? place + bytes.readUInt16LE(2 * i) : bytes.length;
    must(end <= bytes.length, '', 'streams that are cut');
    parts.push(stream(tree, bytes.subarray(place, end), i < 3 ? each : size - 3 * each));
    place = end;
  }
  return Buffer.concat(parts);
}

function stream(tree, bytes, size) {
  const bits = new BitsBackwards(bytes);
  const found = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) {
    const code = bits.peek(tree.bits);
    found[i] = tree.symbol[code];
    bits.left -= tree.length[code];
  }
  must(bits.left === 0, '', 'a stream that does not end where its literals do');
  return found;
}

/** The tree that is described at `place`, and the place behind it. */
function readTree(bytes, place) {
  must(place < bytes.length, '', 'a tree that is cut');
  const head = bytes[place];
  const end = place + 1 + (head < 128 ? head : (head - 126) >> 1);
  must(end <= bytes.length, '', 'a tree that is cut');
  const part = bytes.subarray(place + 1, end);
  return [treeOf(head < 128 ? codedWeights(part) : plainWeights(part, head - 127)), end];
}

function plainWeights(bytes, count) {
  return Array.from({ length: count }, (_, i) => (i % 2 ? bytes[i >> 1] & 15 : bytes[i >> 1] >> 4));
}

/** Two states in turn, until the stream is at its end. */
function codedWeights(bytes) {
  const { log, counts, end } = readDistribution(bytes, 0, 6);
  const table = fseTable(log, counts);
  const bits = new BitsBackwards(bytes.subarray(end));
  const states = [bits.read(log), bits.read(log)];
  const weights = [];
  for (let turn = 0; ; turn = 1 - turn) {
    must(weights.length < 255, '', 'a tree of too many symbols');
    weights.push(table.symbol[states[turn]]);
    const count = table.bits[states[turn]];
    if (count > bits.left) {
      weights.push(table.symbol[states[1 - turn]]);
      return weights;
    }
    states[turn] = table.base[states[turn]] + bits.read(count);
  }
}

/** The weight of the last symbol is what is missing to a power of two. */
function treeOf(weights) {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  must(sum > 0, '', 'a tree of nothing');
  const most = Math.floor(Math.log2(sum)) + 1;
  const rest = Math.log2(2 ** most - sum);
  must(most <= MOST_BITS && Number.isInteger(rest) && weights.length <= 255, '', 'a tree that does not add up');
  const all = [...weights, rest + 1];
  const symbol = [];
  const length = [];
  for (let weight = 1; weight <= most; weight += 1) {
    all.forEach((each, i) => {
      for (let n = 0; each === weight && n < 2 ** (weight - 1); n += 1) {
        symbol.push(i);
        length.push(most + 1 - weight);
      }
    });
  }
  return { bits: most, symbol, length };
}

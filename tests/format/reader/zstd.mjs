/** RFC 8878: one zstd frame without a dictionary. Node 20 brings no decoder. */
import { must } from './refused.mjs';
import { BitsBackwards, fseTable, readDistribution, tableOf } from './zstd_fse.mjs';
import { Literals } from './zstd_literals.mjs';
import { xxh64 } from './zstd_xxh64.mjs';

const MAGIC = 0xfd2fb528;
const MOST_BLOCK = 128 * 1024;
const KINDS = {
  lengths: {
    most: 9, codes: 36,
    preset: [6, [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1]],
  },
  offsets: {
    most: 8, codes: 32,
    preset: [5, [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]],
  },
  matches: {
    most: 9, codes: 53,
    preset: [6, [1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array(37).fill(1), -1, -1, -1, -1, -1, -1, -1]],
  },
};
const LENGTH_BITS = [...Array(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS = [...Array(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LENGTH_BASE = bases(LENGTH_BITS, 0);
const MATCH_BASE = bases(MATCH_BITS, 3);

/** Each code begins where the one before ends. */
function bases(bits, first) {
  let next = first;
  return bits.map((count) => {
    const base = next;
    next += 2 ** count;
    return base;
  });
}

function frameHeader(bytes) {
  must(bytes.length >= 6 && bytes.readUInt32LE(0) === MAGIC, '', 'no zstd frame');
  const flags = bytes[4];
  const single = (flags & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6];
  must((flags & 0x0b) === 0, '', 'a zstd frame with a dictionary, or a reserved bit');
  const end = 5 + (single ? 0 : 1) + sizeBytes;
  must(bytes.length >= end, '', 'a zstd frame that is cut');
  let size = null;
  if (sizeBytes === 8) size = Number(bytes.readBigUInt64LE(end - 8));
  else if (sizeBytes > 0) size = bytes.readUIntLE(end - sizeBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const base = 2 ** (10 + (bytes[5] >> 3));
  return { end, size, window: single ? size : base + (base / 8) * (bytes[5] & 7), checksum: (flags & 4) !== 0 };
}

/**
 * Decompresses one frame, which must be all of `bytes`. Refuses a window above `window` and output above `most` bytes.
 * `ends` is the places in `bytes` where a block ends, the last with what follows it.
 */
export function unzstd(bytes, { most, window }) {
  const header = frameHeader(bytes);
  must(header.window <= window, '', 'a zstd frame with a larger window');
  must(header.size === null || header.size <= most, '', 'a zstd frame that holds more');
  const frame = new Frame(most, Math.min(MOST_BLOCK, header.window));
  const ends = [];
  let place = header.end;
  for (let last = false; !last; ) {
    must(place + 3 <= bytes.length, '', 'a zstd block that is cut');
    const word = bytes.readUIntLE(place, 3);
    last = (word & 1) === 1;
    place = frame.block(bytes, place + 3, (word >> 1) & 3, word >> 3);
    ends.push(place);
  }
  const output = frame.output.subarray(0, frame.size);
  if (header.checksum) {
    must(place + 4 <= bytes.length, '', 'a zstd frame that is cut');
    must(bytes.readUInt32LE(place) === Number(xxh64(output) & 0xffffffffn), '', 'a zstd frame with another checksum');
    place += 4;
    ends[ends.length - 1] = place;
  }
  must(place === bytes.length, '', 'something behind the zstd frame');
  must(header.size === null || header.size === output.length, '', 'a zstd frame of another size');
  return { output, ends };
}

class Frame {
  constructor(most, mostBlock) {
    this.output = Buffer.alloc(most);
    this.size = 0;
    this.mostBlock = mostBlock;
    this.literals = new Literals();
    this.tables = { lengths: null, offsets: null, matches: null };
    this.recent = [1, 4, 8];
  }

  /** One block; gives the place behind it. */
  block(bytes, place, type, size) {
    must(type !== 3 && size <= this.mostBlock, '', 'a zstd block that may not be');
    const end = place + (type === 1 ? 1 : size);
    must(end <= bytes.length, '', 'a zstd block that is cut');
    const begin = this.size;
    if (type === 0) this.add(bytes.subarray(place, end));
    else if (type === 1) this.add(Buffer.alloc(size, bytes[place]));
    else this.compressed(bytes.subarray(place, end));
    must(this.size - begin <= this.mostBlock, '', 'a zstd block that holds more');
    return end;
  }

  add(bytes) {
    must(this.size + bytes.length <= this.output.length, '', 'a zstd frame that holds more');
    this.output.set(bytes, this.size);
    this.size += bytes.length;
  }

  copy(offset, length) {
    must(offset >= 1 && offset <= this.size, '', 'a match before the beginning');
    must(this.size + length <= this.output.length, '', 'a zstd frame that holds more');
    for (let i = 0; i < length; i += 1, this.size += 1) this.output[this.size] = this.output[this.size - offset];
  }

  compressed(bytes) {
    const { literals, end } = this.literals.read(bytes);
    let used = 0;
    for (const { length, match, offset } of this.sequences(bytes.subarray(end))) {
      must(used + length <= literals.length, '', 'a sequence of more literals than there are');
      this.add(literals.subarray(used, used + length));
      used += length;
      this.copy(offset, match);
    }
    this.add(literals.subarray(used));
  }

  *sequences(bytes) {
    must(bytes.length >= 1, '', 'a zstd block that is cut');
    let [count, place] = [bytes[0], 1];
    if (count === 0) {
      must(bytes.length === 1, '', 'something behind the literals');
      return;
    }
    must(bytes.length >= 4, '', 'a zstd block that is cut');
    if (count === 255) [count, place] = [bytes.readUInt16LE(1) + 0x7f00, 3];
    else if (count >= 128) [count, place] = [((count - 128) << 8) + bytes[1], 2];
    const modes = bytes[place];
    must((modes & 3) === 0, '', 'a reserved bit');
    place += 1;
    for (const [name, shift] of [['lengths', 6], ['offsets', 4], ['matches', 2]]) {
      place = this.table(name, (modes >> shift) & 3, bytes, place);
    }
    yield* this.decoded(count, new BitsBackwards(bytes.subarray(place)));
  }

  /** Sets the table of one kind; gives the place behind its description. */
  table(name, mode, bytes, place) {
    const { most, codes, preset } = KINDS[name];
    if (mode === 0) this.tables[name] = fseTable(...preset);
    if (mode === 1) {
      must(place < bytes.length && bytes[place] < codes, '', 'a code that may not be');
      this.tables[name] = tableOf(bytes[place]);
      return place + 1;
    }
    if (mode === 2) {
      const { log, counts, end } = readDistribution(bytes, place, most);
      must(counts.length <= codes, '', 'a code that may not be');
      this.tables[name] = fseTable(log, counts);
      return end;
    }
    must(this.tables[name] !== null, '', 'a table that was not there before');
    return place;
  }

  *decoded(count, bits) {
    const { lengths, offsets, matches } = this.tables;
    let length = bits.read(lengths.log);
    let offset = bits.read(offsets.log);
    let match = bits.read(matches.log);
    for (let i = 0; i < count; i += 1) {
      const code = offsets.symbol[offset];
      const value = 2 ** code + bits.read(code);
      const [m, l] = [matches.symbol[match], lengths.symbol[length]];
      const matched = MATCH_BASE[m] + bits.read(MATCH_BITS[m]);
      const copied = LENGTH_BASE[l] + bits.read(LENGTH_BITS[l]);
      yield { length: copied, match: matched, offset: this.offset(value, copied) };
      if (i === count - 1) break;
      length = lengths.base[length] + bits.read(lengths.bits[length]);
      match = matches.base[match] + bits.read(matches.bits[match]);
      offset = offsets.base[offset] + bits.read(offsets.bits[offset]);
    }
    must(bits.left === 0, '', 'a stream that does not end where its sequences do');
  }

  /** The offset, of the last three or a new one; which becomes the first of them. */
  offset(value, literals) {
    const place = value > 3 ? 3 : value - 1 + (literals === 0 ? 1 : 0);
    let offset = value > 3 ? value - 3 : this.recent[place];
    if (value <= 3 && place === 3) offset = this.recent[0] - 1;
    this.recent.splice(Math.min(place, 2), 1);
    this.recent.unshift(offset);
    return offset;
  }
}

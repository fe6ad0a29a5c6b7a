/** RFC 8878 section 4.1: finite state entropy, and the streams that are read from their end. */
import { must } from './refused.mjs';

/** A stream that is read from its last set bit backwards. Before its beginning are zeros. */
export class BitsBackwards {
  constructor(bytes) {
    must(bytes.length > 0 && bytes[bytes.length - 1] !== 0, '', 'a stream without its end');
    this.bytes = bytes;
    this.left = bytes.length * 8 - Math.clz32(bytes[bytes.length - 1]) + 23;
  }

  /** The next bits, which stay. */
  peek(count) {
    let value = 0;
    for (let bit = this.left - 1; bit >= this.left - count; ) {
      if (bit < 0) {
        value *= 2;
        bit -= 1;
        continue;
      }
      const within = Math.min((bit & 7) + 1, bit - (this.left - count) + 1);
      value = value * 2 ** within + ((this.bytes[bit >> 3] >> ((bit & 7) + 1 - within)) & (2 ** within - 1));
      bit -= within;
    }
    return value;
  }

  read(count) {
    const value = this.peek(count);
    this.left -= count;
    return value;
  }
}

function highBit(value) {
  return 31 - Math.clz32(value);
}

/** The distribution that is described at `place`: how often each symbol stands in a table of 2^log states. */
export function readDistribution(bytes, place, mostLog) {
  let bit = place * 8;
  const read = (count) => {
    let value = 0;
    for (let i = 0; i < count; i += 1, bit += 1) value |= ((bytes[bit >> 3] >> (bit & 7)) & 1) << i;
    must(bit <= bytes.length * 8 + 16, '', 'a table that is cut');
    return value;
  };
  const log = read(4) + 5;
  must(log <= mostLog, '', 'a table that is too large');
  const counts = [];
  for (let left = 2 ** log; left > 0; ) {
    const width = highBit(left + 1) + 1;
    const low = 2 ** (width - 1) - 1;
    const spare = 2 ** width - 1 - (left + 1);
    let value = read(width);
    if ((value & low) < spare) {
      bit -= 1;
      value &= low;
    } else if (value > low) {
      value -= spare;
    }
    counts.push(value - 1);
    left -= Math.abs(value - 1);
    must(left >= 0 && counts.length <= 256, '', 'a table that does not add up');
    for (let more = value === 1 ? 3 : 0; more === 3; ) {
      more = read(2);
      for (let i = 0; i < more; i += 1) counts.push(0);
    }
  }
  const end = Math.ceil(bit / 8);
  must(end <= bytes.length, '', 'a table that is cut');
  return { log, counts, end };
}

/** The table of one symbol alone. */
export function tableOf(symbol) {
  return { log: 0, symbol: [symbol], bits: [0], base: [0] };
}

/** The states: which symbol each gives, how many bits it reads, and to what they are added. */
export function fseTable(log, counts) {
  const size = 2 ** log;
  const symbol = new Array(size);
  let high = size;
  counts.forEach((count, i) => {
    if (count === -1) symbol[(high -= 1)] = i;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  counts.forEach((count, i) => {
    for (let n = 0; n < count; n += 1) {
      symbol[place] = i;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  });
  must(place === 0, '', 'a table that does not add up');
  const next = counts.map((count) => Math.abs(count));
  const bits = [];
  const base = [];
  for (let state = 0; state < size; state += 1) {
    const value = next[symbol[state]]++;
    bits.push(log - highBit(value));
    base.push(value * 2 ** bits[state] - size);
  }
  return { log, symbol, bits, base };
}

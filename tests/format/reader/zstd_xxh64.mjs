/** XXH64 with seed 0, of which the checksum of a zstd frame is the lower half. */
const MASK = 2n ** 64n - 1n;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n,
];
const left = (value, bits) => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (lane, word) => (left((lane + word * P2) & MASK, 31n) * P1) & MASK;

export function xxh64(bytes) {
  let place = 0;
  let hash = P5;
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; place + 32 <= bytes.length; place += 32) {
      for (let i = 0; i < 4; i += 1) lanes[i] = round(lanes[i], bytes.readBigUInt64LE(place + 8 * i));
    }
    hash = left(lanes[0], 1n) + left(lanes[1], 7n) + left(lanes[2], 12n) + left(lanes[3], 18n);
    for (const lane of lanes) hash = (((hash ^ round(0n, lane)) & MASK) * P1 + P4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; place + 8 <= bytes.length; place += 8) {
    hash = (left(hash ^ round(0n, bytes.readBigUInt64LE(place)), 27n) * P1 + P4) & MASK;
  }
  if (place + 4 <= bytes.length) {
    hash = (left(hash ^ ((BigInt(bytes.readUInt32LE(place)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    place += 4;
  }
  for (; place < bytes.length; place += 1) hash = (left(hash ^ ((BigInt(bytes[place]) * P5) & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

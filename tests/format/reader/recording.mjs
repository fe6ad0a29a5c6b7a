/** Section 9: the file of a recording, its heads, and what the log says of it. */
import { createDecipheriv } from 'node:crypto';
import { isHash, sha256 } from './canonical.mjs';
import { Frames } from './frames.mjs';
import { at, must } from './refused.mjs';
import { unzstd } from './zstd.mjs';

const MAGIC = Buffer.from('onepam recording 1\n');
const LEAST_RECORD = 16;
const MOST_RECORD = 1118221;
const MOST_RECORDS = 65536;
const MOST_ZEROS = 64 * 2 ** 20;
const MOST_CHUNK = 1114125;
const WINDOW = 2 ** 20;

/** The header of a file, as it stands, and the session it says. */
function readHeader(bytes) {
  must(bytes.subarray(0, MAGIC.length).equals(MAGIC), '', 'no recording of a version that is known');
  const [codec, cipher, hashed, length] = bytes.subarray(MAGIC.length, MAGIC.length + 4);
  must(codec === 1 && cipher === 1 && hashed === 1, '', `codec ${codec}, cipher ${cipher} and hash ${hashed} are not all known`);
  const header = bytes.subarray(0, MAGIC.length + 4 + length);
  const id = header.subarray(MAGIC.length + 4).toString('latin1');
  must(length > 0 && id.length === length && /^[\x00-\x7f]+$/.test(id), '', 'no id of a session');
  return { header, id };
}

/**
 * Chunks and heads of a file, without any key. `rest` is how the file ends: `whole`, `torn` within a record or a chunk,
 * `zeros`, or `broken` by something that no crash leaves; `chunks` has those before it.
 */
export function readRecording(bytes) {
  const { header, id } = readHeader(bytes);
  const heads = [sha256(header)];
  const chunks = [];
  let records = [];
  let [place, begin, rest] = [header.length, header.length, 'whole'];
  while (place < bytes.length) {
    const record = readRecord(bytes, place, records.length);
    if (typeof record === 'string') {
      rest = record;
      break;
    }
    records.push(record);
    place = record.end;
    if (!record.final) continue;
    chunks.push(records);
    heads.push(sha256(heads[heads.length - 1], bytes.subarray(begin, place)));
    [records, begin] = [[], place];
  }
  if (rest === 'whole' && records.length > 0) rest = 'torn';
  return { header, id, heads, chunks, rest };
}

/** The record at this place, or how the file ends there. */
function readRecord(bytes, place, before) {
  const tail = bytes.subarray(place);
  if (tail.length <= MOST_ZEROS && tail.every((byte) => byte === 0)) return 'zeros';
  if (tail.length < 5) return tail[0] > 1 ? 'broken' : 'torn';
  const length = tail.readUInt32BE(1);
  if (tail[0] > 1 || length < LEAST_RECORD || length > MOST_RECORD || before >= MOST_RECORDS) return 'broken';
  if (tail.length < 5 + length) return 'torn';
  return { final: tail[0] === 1, cipher: tail.subarray(5, 5 + length), end: place + 5 + length };
}

/**
 * What a recording is beside the log: `sealed` is the heads `{chunk, head}` that the log has of it, `closed` its closing
 * entry's `{chunks, head}` or null. Refuses one that is cut, foreign or altered, and says at which chunk.
 */
export function judgeRecording(recording, sealed, closed) {
  const all = closed === null ? sealed : [...sealed, { chunk: closed.chunks, head: closed.head }];
  const { heads, rest } = recording;
  for (const { chunk, head } of all) {
    must(isHash(head), '', 'a head that is no hash');
    must(chunk < heads.length, `chunk ${chunk}`, `cut: the file ends at chunk ${heads.length - 1}`);
    must(heads[chunk].toString('hex') === head, `chunk ${chunk}`, 'foreign: its head is another');
  }
  if (closed === null) {
    must(rest !== 'broken', `chunk ${heads.length}`, 'altered: no record');
    return rest;
  }
  must(heads.length - 1 === closed.chunks && rest === 'whole', `chunk ${closed.chunks + 1}`, 'altered: it goes on after its end');
  return rest;
}

/** The key of a recording out of its wrapping. */
export function unwrap(wrapped, masterKey, session) {
  const idLength = wrapped[2];
  must(wrapped[0] === 1, '', `a wrapped key of version ${wrapped[0]}, which is not known`);
  must(wrapped[1] === 2, '', 'a wrapped key of another kind');
  const beforeNonce = 3 + idLength + 32;
  must(wrapped.length === beforeNonce + 12 + 32 + 16, '', 'a wrapped key of another length');
  const data = wrapped.subarray(0, beforeNonce);
  must(data.subarray(3 + idLength).equals(sha256(`recording/${session}`)), '', 'a key of something else');
  const nonce = wrapped.subarray(beforeNonce, beforeNonce + 12);
  return opened(masterKey, nonce, data, wrapped.subarray(beforeNonce + 12));
}

function opened(key, nonce, data, cipher) {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(data);
  decipher.setAuthTag(cipher.subarray(cipher.length - 16));
  try {
    return Buffer.concat([decipher.update(cipher.subarray(0, cipher.length - 16)), decipher.final()]);
  } catch {
    return must(false, '', 'it cannot be opened with this key');
  }
}

/** Nonce and associated data of a record. */
export function recordSeal(header, number, chunk, inChunk, final) {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 4);
  const rest = Buffer.alloc(13);
  rest.writeBigUInt64BE(BigInt(chunk), 0);
  rest.writeUInt32BE(inChunk, 8);
  rest.writeUInt8(final ? 1 : 0, 12);
  return { nonce, data: Buffer.concat([header, rest]) };
}

/** The decompressed chunks, one after the other. */
export function* openChunks({ header, chunks }, key) {
  let number = 0;
  for (const [i, records] of chunks.entries()) {
    const parts = records.map((record, inChunk) => {
      const { nonce, data } = recordSeal(header, number, i + 1, inChunk, record.final);
      number += 1;
      return at(`chunk ${i + 1} record ${inChunk}`, () => opened(key, nonce, data, record.cipher));
    });
    yield at(`chunk ${i + 1}`, () => {
      const { output, ends } = unzstd(Buffer.concat(parts), { most: MOST_CHUNK, window: WINDOW });
      mustEndWithBlocks(parts, ends);
      return output;
    });
  }
}

function mustEndWithBlocks(parts, ends) {
  let place = 0;
  for (const part of parts) {
    place += part.length;
    must(ends.includes(place), '', 'a record that does not end where a block ends');
  }
}

/** Reads all frames with the key; gives what they are, and whether the last is `closed`. */
export function readFrames(recording, key) {
  const frames = new Frames(recording.id);
  let number = 0;
  for (const chunk of openChunks(recording, key)) {
    number += 1;
    at(`chunk ${number}`, () => frames.chunk(chunk));
  }
  return frames;
}

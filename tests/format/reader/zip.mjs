/** Section 10, the zip: a profile in which every reader sees the same files. */
import { crc32, inflateRawSync } from 'node:zlib';
import { at, must, refuse, Refused } from './refused.mjs';
import { utf8 } from './canonical.mjs';

const END = 22;
const RECORD = 46;
const LOCAL = 30;
const MOST = 2 ** 31;
const MOST_GROWTH = 200;

/** The files of the archive, by name. */
export function unzip(bytes) {
  must(bytes.length <= MOST, '', 'the archive is larger than 2 GiB');
  must(bytes.length >= END && bytes.readUInt32LE(bytes.length - END) === 0x06054b50, '', 'no zip that ends with its end record');
  const end = bytes.subarray(bytes.length - END);
  const [count, size, start] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  must(end.readUInt32LE(4) === 0 && end.readUInt16LE(8) === count && end.readUInt16LE(20) === 0, '', 'more than one disk, or a comment');
  must(count < 65535 && start + size === bytes.length - END, '', 'the directory is not directly before the end record');
  const files = new Map();
  let [place, local, total] = [start, 0, 0];
  for (let i = 0; i < count; i += 1) {
    const member = directoryRecord(bytes.subarray(place, bytes.length - END));
    must(!files.has(member.name), member.name, 'a name twice');
    must(member.offset === local, member.name, 'it does not lie where the member before ends');
    total += member.size;
    must(total <= MOST, member.name, 'the files are larger than 2 GiB');
    local = memberEnd(bytes, member, start);
    files.set(member.name, content(bytes.subarray(local - member.packed, local), member));
    place += member.length;
  }
  must(place === bytes.length - END && local === start, '', 'bytes between the members, or behind the directory');
  return files;
}

function directoryRecord(record) {
  must(record.length >= RECORD && record.readUInt32LE(0) === 0x02014b50, '', 'a directory that is cut');
  const length = RECORD + record.readUInt16LE(28);
  must(record.length >= length, '', 'a directory that is cut');
  const name = at('a name in the zip', () => utf8(record.subarray(RECORD, length)));
  const method = record.readUInt16LE(10);
  must(record.readUInt16LE(4) === 0x0314 && record.readUInt16LE(6) <= 20, name, 'made by, or for, something else');
  must(record.readUInt16LE(8) === 0 && (method === 0 || method === 8), name, 'flags, or a method that may not be');
  must(record.readUInt16LE(30) === 0 && record.readUInt16LE(32) === 0, name, 'an extra field, or a comment');
  must(record.readUInt32LE(34) === 0 && record.readUInt32LE(38) === 0x81a40000, name, 'no plain file');
  return {
    name, method, length,
    head: record.subarray(6, 32),
    crc: record.readUInt32LE(16),
    packed: record.readUInt32LE(20),
    size: record.readUInt32LE(24),
    offset: record.readUInt32LE(42),
    nameBytes: record.subarray(RECORD, length),
  };
}

/** Where the member ends. Refuses a local header that says something else than the directory. */
function memberEnd(bytes, member, start) {
  const begin = member.offset + LOCAL + member.nameBytes.length;
  must(begin + member.packed <= start, member.name, 'it is cut');
  const header = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), member.head, member.nameBytes]);
  must(bytes.subarray(member.offset, begin).equals(header), member.name, 'its header is not what the directory says');
  return begin + member.packed;
}

function content(packed, member) {
  const bytes = member.method === 0 ? packed : inflated(packed, member);
  must(bytes.length === member.size, member.name, 'it has another size');
  must(crc32(bytes) === member.crc, member.name, 'it has another CRC-32');
  return bytes;
}

function inflated(packed, member) {
  must(member.size <= MOST_GROWTH * member.packed, member.name, 'it expands more than 200 times');
  try {
    const { buffer, engine } = inflateRawSync(packed, { info: true, maxOutputLength: Math.max(member.size, 1) });
    must(engine.bytesWritten === packed.length, member.name, 'it does not end where it says');
    return buffer;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return refuse(member.name, 'it does not inflate to what it says');
  }
}

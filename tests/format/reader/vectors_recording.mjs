/** The cases of recording.json. */
import { encode } from './canonical.mjs';
import { dataLeaf, rootOf } from './merkle.mjs';
import { judgeRecording, openChunks, readFrames, readRecording, recordSeal, unwrap } from './recording.mjs';

const bytes = (hex) => Buffer.from(hex, 'hex');

export function* recordingCases(vector) {
  const file = bytes(vector.file);
  const key = bytes(vector.key);
  const recording = readRecording(file);
  yield ['header', recording.header.toString('hex') === vector.header];
  yield ['heads', recording.heads.map((head) => head.toString('hex')).join() === vector.heads.join()];
  const chunks = [...openChunks(recording, key)].map((chunk) => chunk.toString('hex'));
  yield ['chunks', chunks.join() === vector.chunks.join()];
  yield ['frames', readFrames(recording, key).closed];
  const inChunk = new Map();
  for (const [number, each] of vector.records.entries()) {
    const place = inChunk.get(each.chunk) ?? 0;
    inChunk.set(each.chunk, place + 1);
    const { nonce, data } = recordSeal(recording.header, number, each.chunk, place, each.record.startsWith('01'));
    yield [`record ${number}`, nonce.toString('hex') === each.nonce && data.toString('hex') === each.associated_data];
  }
  const head = { chunks: 2, head: vector.heads[2] };
  yield ['beside the log', judgeRecording(recording, [{ chunk: 1, head: vector.heads[1] }], head) === 'whole'];
  for (const { name, list, root } of [
    { name: 'root of sealed heads', list: vector.sealed.heads, root: vector.sealed.root },
    { name: 'root of a check', list: vector.checked.results, root: vector.checked.root },
  ]) {
    yield [name, rootOf(list.map((each) => dataLeaf(encode(each)))).toString('hex') === root];
  }
  const { wrapped, master_key: master, key: inner } = vector.wrapped;
  yield ['wrapped key', unwrap(bytes(wrapped), bytes(master), recording.id).toString('hex') === inner];
}

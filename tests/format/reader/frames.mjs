/** Section 9: the frames of a recording. */
import { bytesOfText, decode, encode, members } from './canonical.mjs';
import { must } from './refused.mjs';

const HEAD = 13;
const MOST_JSON = 2 ** 20;
const MOST_OUTPUT = 256 * 1024;
const OPENED = 1;
const CLOSED = 9;
/** What each kind is called in `counts`, and its body: members of JSON, or least and most bytes. */
const KINDS = {
  1: { counted: 'opened', json: ['login', 'person', 'protocol', 'resource', 'session', 'started'] },
  2: { counted: 'channels', json: ['channel', 'columns', 'command', 'kind', 'rows', 'terminal'] },
  3: { counted: 'outputs', size: [5, 5 + MOST_OUTPUT] },
  4: { counted: 'resizes', size: [12, 12] },
  5: { counted: 'inputs', size: [12, 12] },
  6: { counted: 'markers', json: ['text'] },
  7: {
    counted: 'files',
    json: ['channel', 'detail', 'number', 'operation', 'outcome', 'path', 'sha256', 'size', 'sparse', 'target'],
  },
  8: {
    counted: 'channel_ends',
    json: [
      'channel', 'error_bytes', 'error_sha256', 'input_bytes', 'input_sha256', 'output_bytes', 'output_sha256', 'signal',
      'status',
    ],
  },
  9: { counted: null, json: ['counts', 'reason'] },
  10: { counted: 'stdin', size: [4, 4 + MOST_OUTPUT] },
  11: { counted: 'omissions', size: [13, 13] },
  12: { counted: 'signals', json: ['channel', 'milliseconds', 'name'] },
};

/** Reads frame after frame, and counts. */
export class Frames {
  constructor(session) {
    this.session = session;
    this.list = [];
    this.counts = { bytes: 0 };
    this.time = 0n;
    this.closed = false;
  }

  /** The frames of one chunk: it holds whole ones. */
  chunk(bytes) {
    for (let place = 0; place < bytes.length; ) {
      must(place + HEAD <= bytes.length, '', 'a frame that is cut');
      const end = place + HEAD + bytes.readUInt32BE(place + 9);
      must(end <= bytes.length, '', 'a frame that is cut');
      this.frame(bytes[place], bytes.readBigUInt64BE(place + 1), bytes.subarray(place + HEAD, end));
      place = end;
    }
  }

  frame(kind, time, body) {
    const known = KINDS[kind];
    must(known !== undefined, '', `a frame of kind ${kind}, which is not known`);
    must(!this.closed, '', 'a frame after the last');
    must((this.list.length === 0) === (kind === OPENED), '', 'the first frame, and only the first, is opened');
    must(time >= this.time, '', 'a time that goes back');
    const value = known.json ? this.json(known.json, body) : sized(known.size, kind, body);
    if (kind === OPENED) must(value.session === this.session, '', 'a recording of another session');
    if (kind === 2) bytesOfText(value.command);
    if (kind === CLOSED) this.end(value);
    else this.count(known.counted, kind, body);
    this.time = time;
    this.list.push({ kind, time, body, value });
  }

  json(names, body) {
    must(body.length <= MOST_JSON, '', 'a frame of more JSON than may be');
    return members(decode(body), names, 'frame');
  }

  count(name, kind, body) {
    const add = (what, n) => {
      this.counts[what] = (this.counts[what] ?? 0) + n;
    };
    add(name, 1);
    add('frames', 1);
    if (kind === 3) add('bytes', body.length - 5);
    if (kind === 11) add('omitted_bytes', Number(body.readBigUInt64BE(5)));
  }

  end({ counts }) {
    this.closed = true;
    must(encode(counts) === encode(this.counts), '', `it counts ${encode(counts)}, not ${encode(this.counts)}`);
  }
}

function sized([least, most], kind, body) {
  must(body.length >= least && body.length <= most, '', `a frame of kind ${kind} with ${body.length} bytes`);
  if (kind === 3) must(body[4] === 1 || body[4] === 2, '', 'output of no stream');
  if (kind === 11) must(body[4] >= 1 && body[4] <= 3, '', 'something left out of no stream');
  return null;
}

/** Section 9: the frames of a recording. */
import { isUtf8 } from 'node:buffer';
import { bytesOfText, decode, encode, members } from './canonical.mjs';
import { must } from './refused.mjs';

const HEAD = 13;
const MOST_JSON = 2 ** 20;
const MOST_OUTPUT = 256 * 1024;
const MOST_WORDS = 8 * 1024;
const MOST_SUM = 2n ** 53n - 1n;
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
  13: { counted: 'statements', size: [9, 9 + MOST_OUTPUT] },
  14: { counted: 'executions', size: [19, MOST_JSON] },
  15: { counted: 'finishes', size: [26, 26 + MOST_WORDS] },
};

/** Reads frame after frame, and counts. */
export class Frames {
  constructor(session) {
    this.session = session;
    this.list = [];
    this.counts = { bytes: 0 };
    this.sums = { rows: 0n, row_bytes: 0n };
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
    if (kind !== 13 || body[8] === 0) add(name, 1);
    add('frames', 1);
    if (kind === 15) this.sum({ rows: body.readBigUInt64BE(10), row_bytes: body.readBigUInt64BE(18) });
    if (kind === 3) add('bytes', body.length - 5);
    if (kind === 11) add('omitted_bytes', Number(body.readBigUInt64BE(5)));
  }

  /** Sums may be beyond what a number holds. */
  sum(more) {
    for (const [name, value] of Object.entries(more)) {
      this.sums[name] += value;
      const stated = this.sums[name] < MOST_SUM ? this.sums[name] : MOST_SUM;
      if (stated > 0n) this.counts[name] = Number(stated);
    }
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
  if (kind === 13) must(body[8] <= 1, '', 'a text that neither goes on nor ends');
  if (kind === 14) executed(body);
  if (kind === 15) finished(body);
  return null;
}

function executed(body) {
  must(body[16] >= 1 && body[16] <= 4, '', 'a statement executed in no form');
  let place = 19;
  for (let left = body.readUInt16BE(17); left > 0; left -= 1) {
    must(place + 2 <= body.length, '', 'a parameter that is cut');
    const [format, kept] = body.subarray(place, place + 2);
    must(format <= 1 && kept <= 2, '', 'a parameter of no format');
    place += 2;
    if (kept === 0) continue;
    must(place + 4 <= body.length, '', 'a parameter that is cut');
    place += 4 + (kept === 1 ? body.readUInt32BE(place) : 0);
  }
  must(place === body.length, '', 'parameters of another length');
}

function finished(body) {
  must(body[8] >= 1 && body[8] <= 5, '', 'an execution without an outcome');
  must('ITE'.includes(String.fromCharCode(body[9])), '', 'a transaction in no state');
  must(isUtf8(body.subarray(26)), '', 'words that are no UTF-8');
}

/** Sections 1 to 3: bytes, JSON that has one encoding, and time. */
import { createHash } from 'node:crypto';
import { at, must, refuse, Refused } from './refused.mjs';

const LARGEST = Number.MAX_SAFE_INTEGER;
export const NO_END = LARGEST;
const DEPTH = 32;
/** White space, as it stands between the brackets of a pattern. */
export const WHITE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const ESCAPES = { '"': '"', '\\': '\\', b: '\b', t: '\t', n: '\n', f: '\f', r: '\r' };

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The text of these bytes. Refuses what is no UTF-8; a byte order mark is a character of the text. */
export function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) refuse('', 'no UTF-8');
    throw error;
  }
}

/** The bytes of strict base64, with padding. */
export function base64(text) {
  const bytes = Buffer.from(text, 'base64');
  must(bytes.toString('base64') === text, '', 'no base64 in its one encoding');
  return bytes;
}

export function isHash(value) {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

export function hash(text) {
  must(isHash(text), '', 'a hash is 64 hex digits');
  return Buffer.from(text, 'hex');
}

/** Reads one value, and nothing that is not its one encoding. */
class Reader {
  constructor(text) {
    this.text = text;
    this.place = 0;
  }

  eat(expected) {
    must(this.text.startsWith(expected, this.place), '', `JSON that is not canonical, at character ${this.place}`);
    this.place += expected.length;
  }

  next(expected) {
    if (this.text[this.place] !== expected) return false;
    this.place += 1;
    return true;
  }

  value(level) {
    const first = this.text[this.place];
    if (first === '{') return this.object(level + 1);
    if (first === '[') return this.array(level + 1);
    if (first === '"') return this.string();
    for (const [word, value] of [['null', null], ['true', true], ['false', false]]) {
      if (first === word[0]) {
        this.eat(word);
        return value;
      }
    }
    return this.integer();
  }

  integer() {
    const pattern = /-?(?:0|[1-9][0-9]{0,15})/y;
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text)?.[0];
    must(found && found !== '-0', '', `JSON that is not canonical, at character ${this.place}`);
    this.place += found.length;
    const value = Number(found);
    must(Math.abs(value) <= LARGEST, '', 'an integer beyond 2^53 - 1');
    return value;
  }

  string() {
    this.eat('"');
    let value = '';
    for (;;) {
      const pattern = /[^"\\\u0000-\u001f]*/y;
      pattern.lastIndex = this.place;
      const plain = pattern.exec(this.text)[0];
      value += plain;
      this.place += plain.length;
      if (this.next('"')) return value;
      this.eat('\\');
      value += this.escaped();
    }
  }

  escaped() {
    const letter = this.text[this.place];
    if (letter !== 'u') {
      must(letter in ESCAPES, '', 'an escape that is not needed');
      this.place += 1;
      return ESCAPES[letter];
    }
    const digits = this.text.slice(this.place + 1, this.place + 5);
    must(/^00[01][0-9a-f]$/.test(digits), '', 'an escape that is not needed');
    const character = String.fromCharCode(parseInt(digits, 16));
    must(!'\b\t\n\f\r'.includes(character), '', 'an escape that is not the short one');
    this.place += 5;
    return character;
  }

  array(level) {
    must(level <= DEPTH, '', `more than ${DEPTH} levels`);
    this.eat('[');
    const values = [];
    if (this.next(']')) return values;
    do values.push(this.value(level));
    while (this.next(','));
    this.eat(']');
    return values;
  }

  object(level) {
    must(level <= DEPTH, '', `more than ${DEPTH} levels`);
    this.eat('{');
    const members = Object.create(null);
    if (this.next('}')) return members;
    let last = null;
    do {
      const key = this.string();
      must(/^[\u0000-\u007f]*$/.test(key), '', 'a key that is not ASCII');
      must(last === null || last < key, '', 'keys out of order, or twice');
      this.eat(':');
      members[key] = this.value(level);
      last = key;
    } while (this.next(','));
    this.eat('}');
    return members;
  }
}

/** The value of canonical JSON in these bytes, or in this text. */
export function decode(source) {
  const reader = new Reader(typeof source === 'string' ? source : utf8(source));
  const value = reader.value(0);
  must(reader.place === reader.text.length, '', 'something behind the JSON value');
  return value;
}

/** The one encoding of a value, as text. */
export function encode(value, level = 1) {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'number') {
    must(Number.isSafeInteger(value) && !Object.is(value, -0), '', 'no integer within 2^53 - 1');
    return String(value);
  }
  if (typeof value === 'string') {
    must(value.isWellFormed(), '', 'a lone surrogate');
    return JSON.stringify(value);
  }
  must(level <= DEPTH, '', `more than ${DEPTH} levels`);
  if (Array.isArray(value)) return `[${value.map((each) => encode(each, level + 1)).join(',')}]`;
  const keys = Object.keys(value).sort();
  must(keys.every((key) => /^[\u0000-\u007f]*$/.test(key)), '', 'a key that is not ASCII');
  return `{${keys.map((key) => `${JSON.stringify(key)}:${encode(value[key], level + 1)}`).join(',')}}`;
}

/** The texts of JSON lines, and their values. */
export function lines(bytes, where) {
  if (bytes.length === 0) return [];
  const text = at(where, () => utf8(bytes));
  must(text.endsWith('\n'), where, 'the last line has no newline');
  return text.slice(0, -1).split('\n').map((line, i) => at(`${where} line ${i + 1}`, () => decode(line)));
}

/** Refuses what is no object with exactly these members. */
export function members(value, names, where) {
  must(value !== null && typeof value === 'object' && !Array.isArray(value), where, 'no JSON object');
  const has = Object.keys(value).sort().join(' ');
  must(has === [...names].sort().join(' '), where, `its members are ${has}`);
  return value;
}

export function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The string that stands for bytes which need not be text. */
export function textOfBytes(bytes) {
  try {
    const text = utf8(bytes);
    if (!text.startsWith('base64:')) return text;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return `base64:${bytes.toString('base64')}`;
}

export function bytesOfText(text) {
  if (!text.startsWith('base64:')) return Buffer.from(text, 'utf8');
  const bytes = base64(text.slice(7));
  must(textOfBytes(bytes) === text, '', 'bytes as base64 that are text');
  return bytes;
}

/** A time as text. */
export function timeText(microseconds) {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, '0');
  return new Date(milliseconds).toISOString().replace('Z', `${rest}Z`);
}

/** Microseconds of a time that stands as text. */
export function timeOf(text) {
  must(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/.test(text), '', 'no time');
  const milliseconds = Date.parse(`${text.slice(0, 23)}Z`);
  must(Number.isFinite(milliseconds), '', 'no time');
  const value = milliseconds * 1000 + Number(text.slice(23, 26));
  must(Number.isSafeInteger(value) && timeText(value) === text, '', 'no time');
  return value;
}

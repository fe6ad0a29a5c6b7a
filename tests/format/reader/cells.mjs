/** Section 10, *cells*: what a path says of an entry, and what the sources of a column say of a row. */
import { encode, NO_END, timeText } from './canonical.mjs';
import { must } from './refused.mjs';

/** The value at a path; undefined where there is nothing. */
export function valueAt(entry, path) {
  const [root, ...keys] = path.split('.');
  if (root === 'header') return entry.header[keys[0]];
  let value = root === 'body' ? entry.body : payloadOf(entry);
  for (const key of keys) {
    const inside = value !== null && typeof value === 'object' && !Array.isArray(value);
    value = inside && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function payloadOf(entry) {
  if (entry.body.payload === undefined) return undefined;
  must(entry.payload !== undefined, `payloads.jsonl entry ${entry.header.index}`, 'the payload is not disclosed');
  return entry.payload.value;
}

/** What a path says of an entry, as text; null where it says nothing. */
export function says(entry, spelt) {
  const [path, form] = spelt.split(':');
  const value = valueAt(entry, path);
  if (path.startsWith('payload.') && entry.body.payload !== undefined && entry.payload.erased) return '[erased]';
  if (value === undefined) return null;
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' && (form === 'time' || path === 'header.time')) return value === NO_END ? '' : timeText(value);
  return encode(value);
}

/** What the sources say of these entries, which are in the row's order. */
export function cellOf(sources, entries) {
  const said = [];
  for (const { kind, path, condition } of sources) {
    for (const entry of entries) {
      if (entry.header.kind !== kind || (condition && !meets(entry, condition, entries))) continue;
      const text = says(entry, path);
      if (text !== null) said.push(text);
    }
  }
  return said.join('; ');
}

function meets(entry, { own, kind, path }, entries) {
  const text = says(entry, own);
  return text !== null && entries.some((other) => other.header.kind === kind && says(other, path) === text);
}

/** Holds all columns that the tables name against the entries of each row. */
export function checkCells(pack, { where, columns, rows }, known, beside, added = []) {
  for (const { name, derived, sources } of known) {
    const place = columns.indexOf(name);
    if (place < 0 && added.includes(name)) continue;
    must(place >= 0, where, `has no column ${name}`);
    rows.forEach((row, i) => {
      const entries = row.ledger.map((index) => pack.entry(index));
      const due = derived ? entries.filter((entry) => !beside.includes(entry.header.kind)) : entries;
      const text = cellOf(sources, due);
      must(row.cells[place] === text, `${where} row ${i + 1}`, `${name} is not what its entries say: ${JSON.stringify(text)}`);
    });
  }
}

/** Holds columns that follow from rules: `due` gives them by name, for a row. */
export function checkRuled({ where, columns, rows }, due) {
  rows.forEach((row, i) => {
    for (const [name, text] of Object.entries(due(row))) {
      const place = columns.indexOf(name);
      must(place >= 0, where, `has no column ${name}`);
      must(row.cells[place] === text, `${where} row ${i + 1}`, `${name} does not follow from its entries: ${JSON.stringify(text)}`);
    }
  });
}

/** Section 10, *rows over a period*: sessions, requests and leavers. */
import { encode, timeText } from './canonical.mjs';
import { checkRuled, valueAt } from './cells.mjs';
import { mustBeDisclosed } from './disclosed.mjs';
import { isOfWays, Leaving } from './leaving.mjs';
import { must } from './refused.mjs';

const NAMED = ['person.added', 'person.changed'];
const CHAIN = ['request.made', 'request.preapproved', 'request.approved', 'grant.started'];
const FOUND = ['recording.found_bad', 'recording.found_good'];
const CHECK = 'recordings.checked';

function index(entry) {
  return entry.header.index;
}

/** The values that link an entry to its head; a head without one of them has none. */
function linkOf(entry, { link }) {
  const values = link.map((each) => entry.body[each]);
  return values.includes(undefined) ? undefined : values;
}

/** The entries that rows may rest on, by kind and the value that links them. */
class Book {
  constructor(pack, rule) {
    const { from } = pack.manifest.period;
    this.people = new Map();
    this.requests = new Map();
    this.followers = new Map();
    this.checks = [];
    for (const entry of pack.entries) {
      const { kind, time } = entry.header;
      if (NAMED.includes(kind)) add(this.people, entry.body.person, entry);
      if (rule.chain && CHAIN.includes(kind)) add(this.requests, entry.body.request, entry);
      if (rule.followed.includes(kind) && time >= from) add(this.followers, linkOf(entry, rule), entry);
      if (kind === CHECK && entry.body !== undefined) this.checks.push(entry);
    }
  }

  of(list, value) {
    return value === undefined ? [] : (list.get(encode(value)) ?? []);
  }

  /** The newest check of the recording that this entry closed. */
  check(closing) {
    const c = index(closing);
    return this.checks.findLast(({ header, body }) => body.begin <= c && c < Math.min(body.until, header.index));
  }
}

function add(list, value, entry) {
  if (value === undefined) return;
  const key = encode(value);
  if (!list.has(key)) list.set(key, []);
  list.get(key).push(entry);
}

/** The last name of everybody whom one of these entries names. */
function* names(book, entries, people) {
  const seen = new Set();
  for (const entry of entries) {
    for (const { kind, path } of people) {
      const person = entry.header.kind === kind ? valueAt(entry, path) : undefined;
      if (person === undefined || person === null || seen.has(encode(person))) continue;
      seen.add(encode(person));
      const name = book.of(book.people, person).findLast((each) => index(each) <= index(entry));
      if (name) yield name;
    }
  }
}

/** What the row of this head must rest on, as indexes in their order. */
function ledgerOf(book, head, rule, report, leaving) {
  const followers = book.of(book.followers, linkOf(head, rule)).filter((each) => index(each) > index(head));
  const first = [head, ...followers];
  const rest = new Set(names(book, first, rule.people));
  if (rule.chain) {
    const request = valueAt(head, rule.chain);
    if (request !== undefined && request !== null) book.of(book.requests, request).forEach((each) => rest.add(each));
  }
  if (report === 'sessions') {
    const closing = first.findLast((each) => each.header.kind === 'session.closed');
    const check = closing && book.check(closing);
    if (check) rest.add(check);
  }
  const others = [...rest].filter((each) => !first.includes(each)).map(index);
  const all = new Set([...others, ...(leaving?.ends(head) ?? [])]);
  return [...first.map(index), ...[...all].sort((a, b) => a - b)];
}

/** What leavers held, where the pack tells all of it; else it says so. */
function leavingOf(pack) {
  const hidden = pack.entries.filter(({ header, body }) => isOfWays(header) && body === undefined).length;
  if (pack.first === 0 && hidden) pack.notes.push(`${hidden} entries of sign-ins and sessions are not disclosed`);
  return pack.first === 0 && hidden === 0 ? new Leaving(pack) : null;
}

/** Says how many checks of recordings may be newer than what the rows tell. */
function noteHiddenChecks(pack, { rows }) {
  const closing = (row) => row.ledger.findLast((each) => pack.entry(each).header.kind === 'session.closed') ?? Infinity;
  const earliest = rows.reduce((least, row) => Math.min(least, closing(row)), Infinity);
  const hidden = pack.entries.filter(({ header, body }) => header.kind === CHECK && header.index > earliest && body === undefined);
  if (hidden.length) pack.notes.push(`${hidden.length} checks of recordings are not disclosed`);
}

/** Judges that there is one row for each head, and on what it rests. */
export function judgePeriod(pack, report, envelope, rule) {
  const { name, where, rows } = report;
  const { from, to } = pack.manifest.period;
  must(envelope.period !== null, envelope.where, 'a report over a period has one');
  mustBeDisclosed(pack, ({ kind, time }) => NAMED.includes(kind) || (rule.followed.includes(kind) && time >= from));
  if (name === 'sessions') mustBeDisclosed(pack, ({ kind }) => CHAIN.includes(kind));
  const heads = new Set(
    pack.entries.filter(({ header: { kind, time } }) => rule.heads.includes(kind) && from <= time && time < to).map(index),
  );
  for (const { index: left } of envelope.exclusions) must(heads.delete(left), envelope.where, `entry ${left} is no member of ${name}`);
  const book = new Book(pack, rule);
  const leaving = name === 'leavers' ? leavingOf(pack) : null;
  const beside = leaving ? [] : rule.beside;
  rows.forEach((row, i) => {
    const place = `${where} row ${i + 1}`;
    must(heads.delete(row.ledger[0]), place, `entry ${row.ledger[0]} is no head, or has a row already`);
    const due = ledgerOf(book, pack.entry(row.ledger[0]), rule, name, leaving);
    const own = row.ledger.filter((each, n) => n === 0 || due.includes(each) || !beside.includes(pack.entry(each).header.kind));
    must(encode(own) === encode(due), place, `it must rest on the entries ${due.join(' ')}`);
  });
  must(heads.size === 0, where, `entry ${[...heads][0]} has no row`);
  if (leaving) checkRuled(report, (row) => leaving.cells(pack.entry(row.ledger[0])));
  if (name === 'sessions') noteHiddenChecks(pack, report);
  if (name === 'sessions') checkRuled(report, (row) => ruled(book, row.ledger.map((each) => pack.entry(each))));
}

/** The columns of `sessions` that no source gives. */
function ruled(book, entries) {
  const due = { factors_age_seconds: age(entries[0]), recording_condition: '', recording_checked: '', recording_partial: '' };
  const closing = entries.findLast((entry) => entry.header.kind === 'session.closed');
  if (!closing) return due;
  const check = book.check(closing);
  const found = entries.findLast((entry) => FOUND.includes(entry.header.kind));
  const times = [check, found].filter(Boolean).map((entry) => entry.header.time);
  return {
    ...due,
    recording_condition: condition(closing.body, check, found),
    recording_checked: times.length ? timeText(Math.max(...times)) : '',
    recording_partial: closing.body.counts?.omitted_bytes > 0 ? 'partial by policy' : '',
  };
}

function condition({ chunks, verified, gap }, check, found) {
  if (found) return found.body.condition;
  if (!check) return 'not checked';
  if (chunks === 0) return 'none';
  return verified === true && gap === null ? 'whole' : 'gap';
}

function age({ header, body }) {
  const shown = body.mfa;
  if (!shown || shown.factors?.includes('machine')) return '';
  return String(Math.floor((header.time - shown.at) / 1e6));
}

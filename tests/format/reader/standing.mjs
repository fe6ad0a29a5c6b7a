/** Section 10, *rows as of an instant*: accounts and vendors. */
import { encode, NO_END, timeText } from './canonical.mjs';
import { checkRuled } from './cells.mjs';
import { mustBeDisclosed } from './disclosed.mjs';
import { must } from './refused.mjs';

const HOUR = 3600000000;
const DAY = 24 * HOUR;
const LATEST = 90 * DAY;
const KINDS = [
  'person.added', 'person.changed', 'person.disabled', 'person.enabled', 'roster.entry_set', 'roster.entry_ended',
  'roster.linked', 'roster.taken',
];
const LISTED = 'on the roster, without an account';

/** Accounts and roster as they stood. */
class Standing {
  constructor(pack, asOf) {
    this.asOf = asOf;
    this.accounts = new Map();
    this.roster = new Map();
    this.taken = null;
    for (const entry of pack.entries) {
      if (entry.header.time <= asOf && KINDS.includes(entry.header.kind)) this.heed(entry, entry.header.kind, entry.body);
    }
    for (const [name, { ends }] of this.roster) if (ends !== null && ends <= asOf) this.roster.delete(name);
  }

  heed(entry, kind, body) {
    if (kind === 'roster.taken') this.taken = entry;
    if (kind === 'roster.entry_ended') this.roster.delete(body.entry);
    if (kind === 'roster.entry_set') {
      this.roster.set(body.entry, {
        set: entry, ends: body.ends ?? null, person: body.person ?? null, contract: body.contract_ends ?? null,
      });
    }
    if (kind === 'roster.linked' && this.roster.has(body.entry)) this.roster.get(body.entry).person = body.person ?? null;
    if (kind === 'person.added') {
      this.accounts.set(body.person, { added: entry, named: entry, enabled: true, others: [], kind: null, owner: null, ends: null });
    }
    const account = this.accounts.get(body.person);
    if (!account || kind === 'roster.entry_set' || kind === 'roster.taken') return;
    if (kind === 'person.added' || kind === 'person.changed') {
      account.named = entry;
      account.kind = body.kind ?? account.kind;
      account.owner = body.owner ?? null;
      account.ends = body.ends ?? null;
    } else {
      account.others.push(entry);
    }
    if (kind === 'person.disabled' || kind === 'person.enabled') account.enabled = kind === 'person.enabled';
  }

  living(person) {
    return [...this.roster.values()].filter((each) => each.person === person);
  }

  /** Why nothing can be said of accounts, or null. */
  untested() {
    const received = this.taken?.body.received ?? null;
    if (received === null) return 'no roster';
    return this.asOf - received > DAY ? 'the roster is older than 24 hours' : null;
  }

  hours() {
    const received = this.taken?.body.received ?? null;
    return received === null ? '' : String(Math.floor((this.asOf - received) / HOUR));
  }
}

function indexes(entries) {
  return entries.map((entry) => entry.header.index);
}

function ledgerOf(standing, person, account) {
  const first = indexes([account.added, ...account.others]);
  const rest = indexes([account.named, ...standing.living(person).map((each) => each.set), ...(standing.taken ? [standing.taken] : [])]);
  return [...first, ...[...new Set(rest)].filter((each) => !first.includes(each)).sort((a, b) => a - b)];
}

function ownerFinding(standing, owner, [none, unknown]) {
  if (owner === null) return [none];
  const fine = standing.accounts.get(owner)?.enabled && standing.living(owner).length === 1;
  return fine ? [] : [unknown];
}

function personFinding(living) {
  if (living.length === 0) return ['on no roster, or has left it'];
  return living.length > 1 ? ['on the roster more than once'] : [];
}

function vendorFindings(standing, { owner, ends }, living) {
  const found = ownerFinding(standing, owner, ['no sponsor', 'the sponsor is not on the roster']);
  const contracts = living.map((each) => each.contract).filter((each) => each !== null);
  if (contracts.length === 0) found.push('no contract end');
  if (ends === null || ends === NO_END) found.push('access without an end');
  else if (contracts.length && ends > Math.min(...contracts)) found.push('access outlasts the contract');
  else if (ends - standing.asOf > LATEST) found.push('access ends more than 90 days ahead');
  return found;
}

function findings(standing, person, account, report) {
  const living = standing.living(person);
  if (report === 'vendors') return [...personFinding(living), ...vendorFindings(standing, account, living)];
  if (account.kind !== 'service') return personFinding(living);
  return ownerFinding(standing, account.owner, ['a service without an owner', 'a service whose owner is not on the roster']);
}

/** The columns that follow from rules, for an account. */
function ruled(standing, person, account, report) {
  const untested = standing.untested();
  const found = untested ? [untested] : findings(standing, person, account, report);
  const due = {
    roster_age_hours: standing.hours(),
    finding: found.join('; '),
    result: untested ? 'not-tested' : found.length ? 'fail' : 'pass',
  };
  if (report === 'accounts') return { ...due, kind: account.kind ?? '', owner: account.owner ?? '' };
  const ends = account.ends === null || account.ends === NO_END ? '' : timeText(account.ends);
  return { ...due, sponsor: account.owner ?? '', access_ends: ends };
}

/** Judges the rows of accounts or vendors, and the columns that follow. */
export function judgeStanding(pack, report, envelope) {
  const { name, where, rows } = report;
  must(envelope.as_of !== null, envelope.where, 'a report as of an instant has one');
  must(envelope.exclusions.length === 0, envelope.where, 'nobody is left out of this report');
  mustBeDisclosed(pack, ({ kind, time }) => KINDS.includes(kind) && time <= envelope.as_of);
  const standing = new Standing(pack, envelope.as_of);
  const due = new Map();
  for (const [person, account] of standing.accounts) {
    if (!account.enabled || (name === 'vendors' && account.kind !== 'vendor')) continue;
    due.set(account.added.header.index, {
      ledger: ledgerOf(standing, person, account), cells: ruled(standing, person, account, name),
    });
  }
  if (name === 'accounts') listed(standing, due);
  const left = new Set(due.keys());
  rows.forEach((row, i) => {
    const place = `${where} row ${i + 1}`;
    must(left.delete(row.ledger[0]), place, `entry ${row.ledger[0]} has no row, or one already`);
    const { ledger } = due.get(row.ledger[0]);
    must(encode(row.ledger) === encode(ledger), place, `it must rest on the entries ${ledger.join(' ')}`);
  });
  must(left.size === 0, where, `entry ${[...left][0]} has no row`);
  checkRuled(report, (row) => due.get(row.ledger[0]).cells);
}

/** Rows of the living entries of the roster that are nobody's. */
function listed(standing, due) {
  const untested = standing.untested();
  for (const { set } of standing.living(null)) {
    due.set(set.header.index, {
      ledger: indexes(standing.taken ? [set, standing.taken] : [set]),
      cells: {
        roster_age_hours: standing.hours(), kind: '', owner: '', finding: LISTED, result: untested ? 'not-tested' : 'listed',
      },
    });
  }
}

/** Section 10: the envelope of a report. */
import { decode, encode, isCount, members, sha256, timeOf } from './canonical.mjs';
import { at, must } from './refused.mjs';

const MEMBERS = [
  'as_of', 'checkpoint', 'clock', 'command', 'ended', 'exclusions', 'files', 'filters', 'parameters', 'period', 'query',
  'query_sha256', 'range', 'report', 'role', 'run_by', 'started', 'system',
];
const TEXTS = ['clock', 'command', 'query', 'role', 'run_by'];

/** What the envelope says; `as_of` and `period` are microseconds. */
export function checkEnvelope(pack, report) {
  const where = `reports/${report.name}.envelope.json`;
  const bytes = pack.files.get(where);
  const said = members(at(where, () => decode(bytes)), MEMBERS, where);
  must(TEXTS.every((name) => typeof said[name] === 'string'), where, 'something that is no text');
  const object = said.parameters !== null && typeof said.parameters === 'object' && !Array.isArray(said.parameters);
  must(object, where, 'parameters are an object');
  const { manifest } = pack;
  must(said.report === report.name && said.checkpoint === manifest.checkpoint, where, 'of another report, or checkpoint');
  must(encode(said.system) === encode(manifest.system), where, 'of another system');
  must(encode(said.range) === encode({ end: pack.end, first: pack.first }), where, 'of another range');
  const digest = sha256(said.query, '\0', encode(said.parameters)).toString('hex');
  must(said.query_sha256 === digest, where, 'the hash of the query is another');
  const files = Object.fromEntries(
    ['csv', 'jsonl'].map((end) => [`${report.name}.${end}`, sha256(pack.files.get(`reports/${report.name}.${end}`)).toString('hex')]),
  );
  must(encode(said.files) === encode(files), where, 'the hash of a file is another');
  checkFilters(said, report.rows.length, where);
  checkExclusions(pack, said, where);
  return { exclusions: said.exclusions, where, ...times(said, manifest, where) };
}

function times(said, { period }, where) {
  const time = (text) => {
    must(typeof text === 'string', where, 'no time');
    return at(where, () => timeOf(text));
  };
  must(time(said.started) <= time(said.ended), where, 'it ended before it started');
  must((said.period === null) !== (said.as_of === null), where, 'one of period and as_of is null');
  if (said.period === null) {
    const asOf = time(said.as_of);
    must(asOf <= period.to, where, 'as of a time after the period');
    return { as_of: asOf, period: null };
  }
  members(said.period, ['from', 'to'], where);
  must(time(said.period.from) === period.from && time(said.period.to) === period.to, where, 'of another period');
  return { as_of: null, period };
}

function checkFilters({ filters, exclusions }, rows, where) {
  must(Array.isArray(filters) && Array.isArray(exclusions), where, 'filters and exclusions are lists');
  let left = rows + exclusions.length;
  for (const each of filters) {
    members(each, ['after', 'before', 'filter'], where);
    must(typeof each.filter === 'string' && isCount(each.before) && isCount(each.after), where, 'a filter that is none');
    must(each.before === left && each.after <= left, where, `the filter ${each.filter} does not begin with what is left`);
    left = each.after;
  }
  must(left === rows, where, 'the last filter does not leave the rows');
}

function checkExclusions(pack, { exclusions }, where) {
  const seen = new Set();
  for (const each of exclusions) {
    members(each, ['index', 'reason'], where);
    must(isCount(each.index) && typeof each.reason === 'string' && each.reason !== '', where, 'left out without a reason');
    must(pack.entry(each.index)?.body !== undefined, where, `entry ${each.index}, which is left out, is not disclosed`);
    must(!seen.has(each.index), where, `entry ${each.index} is left out twice`);
    seen.add(each.index);
  }
}

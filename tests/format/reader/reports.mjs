/** Section 10: reports, as JSON lines and as CSV. */
import { createHash } from 'node:crypto';
import { isCount, lines, members, utf8, WHITE } from './canonical.mjs';
import { checkCells } from './cells.mjs';
import { rulesOfThePage } from './columns.mjs';
import { checkEnvelope } from './envelope.mjs';
import { judgePeriod } from './period.mjs';
import { at, must } from './refused.mjs';
import { judgeStanding } from './standing.mjs';

const FORMULA = new RegExp(`^[${WHITE}]*[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]`, 'u');
const AS_OF = ['accounts', 'vendors'];
const ONLY_FROM_0 = ['access', 'matrix', 'systems', ...AS_OF];
const EXPECTED = ['sessions', 'requests', 'leavers', 'access', 'accounts', 'vendors'];
const OF_GOVERNANCE = ['reviews', 'decisions', 'changes', 'controls', 'inspections', 'incidents', 'policies', 'matrix', 'systems'];
const OF_CONTROLS = ['control.tested', 'control.assigned'];

/** A field of a spreadsheet. */
export function field(text) {
  const before = /^[\t\r\n]/.test(text) || FORMULA.test(text) ? "'" : '';
  return `"${before}${text.replaceAll('"', '""')}"`;
}

function readReport(pack, name) {
  const where = `reports/${name}.jsonl`;
  const [head, ...rows] = lines(pack.files.get(where), where);
  must(head !== undefined, where, 'has no first line');
  members(head, ['columns', 'report', 'title', 'version'], where);
  const { columns } = head;
  must(Array.isArray(columns) && columns.every((each) => typeof each === 'string'), where, 'columns are texts');
  must(new Set(columns).size === columns.length, where, 'a column twice');
  must(head.report === name && typeof head.title === 'string', where, 'it is another report');
  must(isCount(head.version), where, 'it has no version');
  rows.forEach((row, i) => checkRow(pack, row, columns, `${where} row ${i + 1}`));
  return { name, where, columns, title: head.title, version: head.version, rows };
}

function checkRow(pack, row, columns, where) {
  members(row, ['cells', 'ledger'], where);
  const texts = Array.isArray(row.cells) && row.cells.every((each) => typeof each === 'string');
  must(texts && row.cells.length === columns.length, where, 'not a text for each column');
  must(Array.isArray(row.ledger) && row.ledger.length > 0 && row.ledger.every(isCount), where, 'it rests on nothing');
  for (const index of row.ledger) must(pack.entry(index)?.body !== undefined, where, `entry ${index} is not disclosed`);
}

function checkSpreadsheet(pack, { name, columns, rows }) {
  const where = `reports/${name}.csv`;
  const text = at(where, () => utf8(pack.files.get(where)));
  const due = [[...columns, 'ledger'], ...rows.map((row) => [...row.cells, row.ledger.join(' ')])];
  let place = 0;
  due.forEach((fields, i) => {
    const line = `${fields.map(field).join(',')}\r\n`;
    must(text.startsWith(line, place), `${where} row ${i}`, 'is not what the JSON lines say');
    place += line.length;
  });
  must(place === text.length, where, 'has more rows than the JSON lines');
}

function mustNotBeLater(pack, { where, rows }, asOf) {
  rows.forEach((row, i) => {
    const later = row.ledger.find((index) => pack.entry(index).header.time > asOf);
    must(later === undefined, `${where} row ${i + 1}`, `it rests on entry ${later}, which is later than the as-of`);
  });
}

/** Says what no release draws. */
function noteUnreleased(pack, { name, columns, title, version }, due, added) {
  if (!due) {
    pack.notes.push(`no release draws ${name}`);
    return;
  }
  if (title !== due.title || !due.versions.includes(version)) pack.notes.push(`no release titles ${name} so`);
  const other = [...columns.filter((each) => !due.columns.includes(each)), ...due.columns.filter((each) => !columns.includes(each) && !added.includes(each))];
  if (other.length) pack.notes.push(`other columns of ${name}: ${other.join(' ')}`);
}

/** Whether the pack is of a release that tests controls, by its history or its README.txt. */
function isOfControls(pack, rules) {
  const readme = createHash('sha256').update(pack.files.get('README.txt')).digest('hex');
  return !rules.older.includes(readme) || pack.entries.some(({ header }) => OF_CONTROLS.includes(header.kind));
}

/** Judges all reports of the pack. */
export function judgeReports(pack) {
  const rules = rulesOfThePage();
  const { reports } = pack.manifest;
  const expected = isOfControls(pack, rules) ? [...EXPECTED, ...OF_GOVERNANCE] : EXPECTED;
  for (const name of expected) if (!reports.includes(name)) pack.notes.push(`lacks the report ${name}`);
  for (const name of reports) {
    must(pack.first === 0 || !ONLY_FROM_0.includes(name), `reports/${name}.jsonl`, 'a range that does not begin at 0 cannot hold it');
    const report = readReport(pack, name);
    const added = rules.since[name]?.[report.version] ?? [];
    noteUnreleased(pack, report, rules.released[name], added);
    checkSpreadsheet(pack, report);
    const envelope = checkEnvelope(pack, report);
    if (envelope.as_of !== null) mustNotBeLater(pack, report, envelope.as_of);
    const rule = rules.periods[name];
    if (rule) judgePeriod(pack, report, envelope, rule);
    if (AS_OF.includes(name)) judgeStanding(pack, report, envelope);
    checkCells(pack, report, rules.columns[name] ?? [], rule?.beside ?? [], added);
    if (envelope.exclusions.length) pack.notes.push(`leaves out ${envelope.exclusions.length} of ${name}`);
  }
}

/** Which sources a column has does not stand in a pack: the tables and rules of docs/format.md say it, and are read there. */
import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/format.md', import.meta.url);
const SOURCE = /^`([a-z_.]+)` `([a-z_.:]+)`(?: if `([a-z_.]+)` = `([a-z_.]+)` `([a-z_.]+)`)?$/;
let read = null;

/** `columns`: by report, `{name, derived, sources}`; `periods`: by report what its rows are. */
export function rulesOfThePage() {
  read ??= parse(readFileSync(PAGE, 'utf8'));
  return read;
}

function parse(page) {
  const [, tables] = page.split('<!-- columns -->');
  const [, rules] = /^```text rules\n(.*?)^```$/ms.exec(page);
  const [, released] = /^```text released\n(.*?)^```$/ms.exec(page);
  const [, older] = /^```text older\n(.*?)^```$/ms.exec(page);
  const releases = { released: parseReleased(released), older: older.trim().split('\n'), since: parseSince(page) };
  return { columns: parseTables(tables), periods: parseRules(rules), ...releases };
}

function parseTables(text) {
  const columns = {};
  let [report, derived] = [null, true];
  for (const line of text.split('\n')) {
    if (line.startsWith('*Chosen*')) derived = false;
    const cells = /^\| `([a-z0-9_]+)` \| (.*) \|$/.exec(line);
    if (!cells) continue;
    if (cells[2] === 'says') report = cells[1];
    else (columns[report] ??= []).push({ name: cells[1], derived, sources: cells[2].split('; ').map(parseSource) });
  }
  return columns;
}

function parseSource(text) {
  const [, kind, path, own, other, others] = SOURCE.exec(text) ?? [];
  if (kind === undefined) throw new Error(`no source: ${text}`);
  return { kind, path, condition: own === undefined ? null : { own, kind: other, path: others } };
}

/** By report and version, the columns that it has not got yet. */
function parseSince(page) {
  const [, text] = /^```text since\n(.*?)^```$/ms.exec(page);
  const found = {};
  for (const [, name, version, columns] of text.matchAll(/^(\w+) (\d+): ((?:.|\n  )+)\n/gm)) {
    (found[name] ??= {})[version] = columns.split(',').map((each) => each.trim());
  }
  return found;
}

/** What a release draws: by report, `{versions, title, columns}`. */
function parseReleased(text) {
  const found = {};
  for (const [, name, rest] of text.matchAll(/^(\w+)\n((?: .*\n)+)/gm)) {
    const [, versions, title, columns] = /^ {2}version ([\d, ]+)\n {2}title {3}(.*)\n {2}columns ([^]*)$/.exec(rest);
    found[name] = { versions: versions.split(', ').map(Number), title, columns: columns.split(',').map((each) => each.trim()) };
  }
  return found;
}

/** The block of rules: a report, and below it lines of a name and a list; a list goes on in lines that are set in further. */
function parseRules(text) {
  const rules = {};
  let [rule, name] = [null, null];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (!line.startsWith(' ')) {
      rule = rules[line] = { heads: [], followed: [], link: [], people: [], chain: [], beside: [] };
      continue;
    }
    const [, known, rest] = /^ {2}(heads|followed by|link|people|chain|beside) +(.*)$/.exec(line) ?? [null, null, line];
    if (known) name = known.split(' ')[0];
    rule[name].push(...rest.split(',').map((each) => each.trim()).filter((each) => each !== ''));
  }
  for (const each of Object.values(rules)) {
    each.chain = each.chain[0] ?? null;
    each.people = each.people.map((said) => ({ kind: said.split(' ')[0], path: said.split(' ')[1] }));
  }
  return rules;
}

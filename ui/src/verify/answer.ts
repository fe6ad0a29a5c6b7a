// The answer of verify.py, in plain words first. Whatever stands in a pack is a stranger's: it is text, never markup.

/** What `verify.py --json` prints. */
export interface Answer {
  exit: number;
  verdict: string;
  history: string;
  lawful: string;
  recordings: string;
  [list: string]: unknown;
}

type State = "proven" | "due" | "finding" | "untested";

const GLYPHS: Record<State, string> = { proven: "shield-check", due: "clock", finding: "alert-triangle", untested: "circle-dashed" };

/** What each exit code means, and what to do; docs/evidence.md has the table. */
const CODES: Record<number, [State, string, string]> = {
  0: ["proven", "The history is whole, and anchored from outside.", "Read what is not proved; then rely on what is."],
  1: ["finding", "Refused: do not rely on this pack.", "Something in it was altered, is missing, or contradicts itself or an anchor."],
  2: ["due", "Nothing was judged.", "What was given is wrong, or does not fit. Put it right and try again."],
  3: ["due", "Consistent in itself, and not anchored.", "A key or an anchor from outside is missing: get what is named below."],
  4: ["due", "It could not be carried through.", "Nothing is said about the pack. At a terminal verify.py needs no browser’s memory."],
  5: ["finding", "The history is not broken; a recording is not as it was sealed.", "A recording is missing, cut or altered: see the line on recordings."],
  6: ["finding", "The history is not broken; a right was used that it did not give.", "Each finding names the entry and the right."],
  7: ["due", "Nothing wrong was found, and not all was judged.", "The pack lacks something or leaves it out: it is said first, below. Ask for a whole one."],
};

const TITLES: Record<string, string> = {
  lacks: "What this pack lacks or leaves out",
  unlawful: "Rights that were used and that the history did not give",
  about: "The pack",
  proved: "Proved, whoever made the pack",
  not_proved: "Not proved",
};
const ORDER = ["lacks", "unlawful", "proved", "not_proved", "about"];

function stateOf(line: string, text: string): State {
  if (line === "history" && text.startsWith("anchored and intact")) return "proven";
  if (line === "history" && text.startsWith("consistent")) return "due";
  if (line === "lawful" && text.startsWith("yes")) return "proven";
  if (/^broken|finding|\d (missing|cut|altered|foreign|unopened)/.test(text)) return "finding";
  const [, checked, all] = /^(\d+) of (\d+) checked/.exec(text) ?? [];
  return checked && checked === all && checked !== "0" ? "proven" : "untested";
}

function element(tag: string, look = "", ...inside: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  if (look) made.className = look;
  made.append(...inside);
  return made;
}

function icon(name: string): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS(space, "use"));
  made.firstElementChild?.setAttribute("href", `#${name}`);
  return made;
}

/** The lists of the answer in the order in which they are read, with those that are new to this page at the end. */
export function lists(answer: Answer): [title: string, texts: string[]][] {
  const names = Object.keys(answer).filter((name) => Array.isArray(answer[name]));
  const known = ORDER.filter((name) => names.includes(name));
  const every = [...known, ...names.filter((name) => !ORDER.includes(name))];
  return every.map((name) => [TITLES[name] ?? name, (answer[name] as unknown[]).map(String)]);
}

/** The three lines, each with its name. */
export function lines(answer: Answer): [name: string, text: string][] {
  return (["history", "lawful", "recordings"] as const).map((name) => [name, answer[name]]);
}

function verdict(answer: Answer): HTMLElement {
  const [state, headline, advice] = CODES[answer.exit] ?? ["finding", "Refused.", ""];
  const words = element("div", "verdict-said", element("h2", "verdict-words", headline), element("p", "verdict-advice", advice));
  words.append(element("p", "verdict-verbatim", answer.verdict));
  const glyph = element("span", "verdict-glyph");
  glyph.append(icon(GLYPHS[state]));
  const exit = element("p", "verdict-exit", `exit ${answer.exit}`);
  return element("div", `card verdict verdict-${state}`, element("div", "card-body", glyph, words, exit));
}

function three(answer: Answer): HTMLElement {
  const list = element("dl", "card three-lines");
  for (const [name, text] of lines(answer)) {
    const glyph = element("span", `line-glyph line-${stateOf(name, text)}`);
    glyph.append(icon(GLYPHS[stateOf(name, text)]));
    list.append(element("div", "", element("dt", "", glyph, name), element("dd", "", text)));
  }
  return list;
}

function card(title: string, texts: string[]): HTMLElement {
  const head = element("div", "card-header", element("h2", "card-title", title), element("span", "tally", String(texts.length)));
  return element("div", "card answer-list", head, element("ul", "", ...texts.map((text) => element("li", "", text))));
}

/** Shows the answer in place of what stood there; `actions` come below the three lines. */
export function show(place: HTMLElement, answer: Answer, actions: HTMLElement): void {
  const cards = lists(answer).filter(([, texts]) => texts.length).map(([title, texts]) => card(title, texts));
  place.replaceChildren(verdict(answer), ...(answer.exit === 2 ? [] : [three(answer)]), actions, ...cards);
  place.hidden = false;
  place.focus();
}

/** An answer of the page itself, where verify.py gave none. */
export function notCarriedThrough(why: string): Answer {
  return { exit: 4, verdict: `NOT JUDGED: ${why}`, history: "not judged", lawful: "not judged", recordings: "not judged" };
}

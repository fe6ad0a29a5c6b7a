// A recording is what a target sent, and a target may be hostile to whoever watches. What could blank or stop the player
// is changed here, for showing only, and said; the recording itself, and its download, stay as they are.

/** Most columns and rows: what a browser still draws. The export has more. */
const MOST_COLUMNS = 500;
const MOST_ROWS = 200;
/** Most repetitions of one character by one sequence. */
const MOST_REPEATED = 1000;
/** Most characters handed to the player. */
const MOST_CHARACTERS = 48_000_000;
/** Seconds of the recording that lie between two changes of the terminal's size; of those between, the last counts. */
const CALM = 0.05;

export interface Tamed {
  data: string;
  /** What is not shown as it was recorded: sentences, or nothing. */
  said: string[];
}

type Event = [pause: number, code: string, data: string];

// CSI in seven and eight bits, parameters, final: t changes the window, b repeats a character.
// eslint-disable-next-line no-control-regex
const SEQUENCE = /(?:\x1b\[|\x9b)([\x20-\x3f]*)([tb])/g;
// eslint-disable-next-line no-control-regex
const UNFINISHED = /(?:\x1b|(?:\x1b\[|\x9b)[\x20-\x3f]*)$/;
/** Most characters of a sequence whose end has not come. */
const MOST_UNFINISHED = 4096;

export function tame(cast: string): Tamed {
  const said = new Set<string>();
  const lines: string[] = [];
  let held = "";
  let owed = 0;
  let since = Infinity;
  let last = "";

  const put = (pause: number, code: string, data: string): void => {
    lines.push(JSON.stringify([owed + pause, code, data]));
    owed = 0;
  };
  if (cast.length > MOST_CHARACTERS) said.add("Only the first part of it is shown: it is too long for a browser.");
  for (const line of cast.slice(0, MOST_CHARACTERS).split("\n")) {
    if (line === "") continue;
    const read = parsed(line);
    if (lines.length === 0) {
      lines.push(header(read, said));
      continue;
    }
    if (!isEvent(read)) {
      if (cast.length <= MOST_CHARACTERS) said.add("Some lines of it cannot be read, and are left out.");
      continue;
    }
    const [pause, code, data] = read;
    since += pause;
    if (code !== "o") {
      if (code !== "r") put(pause, code, data);
      else if (since >= CALM) {
        put(pause, code, sized(data, said));
        [since, last] = [0, ""];
      } else {
        owed += pause;
        last = sized(data, said);
        said.add("The terminal changed its size very often; only some of the sizes are shown.");
      }
      continue;
    }
    if (last && since >= CALM) {
      put(0, "r", last);
      [since, last] = [0, ""];
    }
    const whole = held + data;
    held = UNFINISHED.exec(whole)?.[0] ?? "";
    const shown = whole.slice(0, whole.length - held.length).replace(SEQUENCE, (all, parameters: string, final: string) => {
      if (final === "b" && Number(parameters || 1) <= MOST_REPEATED) return all as string;
      said.add(
        final === "b"
          ? "It repeats a character beyond all bounds; the repetition is left out."
          : "It tried to change the size of the window; that is left out.",
      );
      return "";
    });
    if (held.length > MOST_UNFINISHED) {
      said.add("It has a control sequence without an end; that is left out.");
      held = "";
    }
    put(pause, "o", shown);
  }
  if (last) put(0, "r", last);
  return { data: lines.join("\n") + "\n", said: [...said] };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

function isEvent(read: unknown): read is Event {
  if (!Array.isArray(read)) return false;
  const [pause, code, data] = read as unknown[];
  return typeof pause === "number" && pause >= 0 && Number.isFinite(pause) && typeof code === "string" && typeof data === "string";
}

function header(read: unknown, said: Set<string>): string {
  const known = (read ?? {}) as { term?: { cols?: number; rows?: number } };
  const [cols, rows] = sized(`${known.term?.cols ?? 80}x${known.term?.rows ?? 24}`, said).split("x").map(Number);
  return JSON.stringify({ ...known, version: 3, term: { ...known.term, cols, rows } });
}

function sized(text: string, said: Set<string>): string {
  const [cols = 0, rows = 0] = text.split("x").map((one) => Math.floor(Number(one)) || 0);
  if (cols > MOST_COLUMNS || rows > MOST_ROWS)
    said.add(`The terminal was ${cols} × ${rows} or larger; it is shown with at most ${MOST_COLUMNS} × ${MOST_ROWS}.`);
  return `${Math.min(MOST_COLUMNS, cols) || 80}x${Math.min(MOST_ROWS, rows) || 24}`;
}

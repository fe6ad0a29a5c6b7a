// The report as a text file: what was verified, by what, with what, and every word of the answer.
import { type Answer, lines, lists } from "./answer";

/** `digest` and `verifier` are SHA-256 in hex, of the pack and of verify.py; `given` are the arguments beside the pack. */
export interface Verified {
  pack: File;
  digest: string;
  verifier: string;
  engine: string;
  given: string[];
  at: Date;
  answer: Answer;
}

export function report({ pack, digest, verifier, engine, given, at, answer }: Verified): string {
  const head = [
    ["pack", `${pack.name}, ${pack.size} bytes`],
    ["SHA-256", digest || "not taken"],
    ["verify.py", `SHA-256 ${verifier}`],
    ["run by", `verify.html, ${engine}; ${navigator.userAgent}`],
    ["at", `${at.toISOString()} by the clock of this computer`],
    ["given", given.join(" ") || "nothing from outside the pack"],
    ["exit", String(answer.exit)],
  ];
  const rows = [...head, ...lines(answer)].map(([name, text]) => `${name?.padEnd(11)} ${text}`);
  const told = lists(answer).filter(([, texts]) => texts.length);
  const sections = told.map(([title, texts]) => [title.toUpperCase(), ...texts.map((text) => `  - ${text}`), ""].join("\n"));
  return ["OnePAM: verification of an evidence pack", "", ...rows, "", answer.verdict, "", ...sections].join("\n");
}

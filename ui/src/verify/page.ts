// The page around verify.py: takes the pack and what was got outside it, shows how far it is, and says the answer.
import "./verify.css";
import { type Answer, notCarriedThrough, show } from "./answer";
import { Engine, Stopped } from "./engine";
import { report } from "./report";

function at<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no ${id} in this page`);
  return found as T;
}

const form = at<HTMLFormElement>("ask");
const chooser = at<HTMLInputElement>("pack");
const drop = at<HTMLLabelElement>("drop");
const button = at<HTMLButtonElement>("verify");
const progress = at<HTMLProgressElement>("progress");
const answer = at("answer");
const published = at("verifier").textContent ?? "";
const most = Number(chooser.dataset.most); // bytes: about four million entries, and what a browser gives to one page

let pack: File | null = null;
let engine = start();
let runner = "";

function start(): Engine {
  const begun = new Engine();
  begun.ready.then(
    (ready) => {
      if (ready.digest !== published) return refuseToRun("This file is damaged: its verify.py is not the one it names.");
      runner = `Python ${ready.python} (Pyodide) in a worker`;
      at("engine").textContent = `It runs in Python ${ready.python} (Pyodide), which lies in this file.`;
      at("readiness").textContent = pack ? "" : "Ready: choose a pack.";
      document.body.dataset.ready = "yes";
      offer();
    },
    (error: Error) => {
      if (!(error instanceof Stopped)) refuseToRun(`The verifier cannot run in this browser (${error.message}): run verify.py at a terminal.`);
    },
  );
  return begun;
}

/** Whatever the worker was at, it is gone, with the memory that it took. */
function restart(): void {
  engine.stop();
  delete document.body.dataset.ready;
  at("readiness").textContent = "The verifier is starting …";
  engine = start();
}

function refuseToRun(words: string): void {
  at("readiness").textContent = words;
  at("readiness").className = "text-danger";
  delete document.body.dataset.ready;
  offer();
}

function offer(): void {
  button.disabled = !pack || !document.body.dataset.ready;
  if (pack && document.body.dataset.ready) at("readiness").textContent = "";
}

function size(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function take(file: File | undefined): void {
  if (!file) return;
  const tooLarge = file.size > most;
  pack = tooLarge ? null : file;
  at("pack-name").textContent = file.name;
  at("pack-hint").textContent = tooLarge ? `${size(file.size)} are too much for a browser: run verify.py at a terminal.` : size(file.size);
  drop.classList.toggle("is-taken", !tooLarge);
  drop.classList.toggle("is-refused", tooLarge);
  offer();
}

const words = (id: string): string[] => at<HTMLTextAreaElement>(id).value.split("\n").map((line) => line.trim()).filter(Boolean);

/** The arguments of verify.py that the form stands for, without the files. */
function given(): string[] {
  const [number, root, seed] = ["size", "root", "seed"].map((id) => at<HTMLInputElement>(id).value.trim());
  return [
    ...words("log-key").map((key) => `--log-key=${key}`),
    ...words("witness-key").map((key) => `--witness-key=${key}`),
    ...(number || root ? ["--at-least", number || "0", root || "0"] : []),
    ...(at<HTMLInputElement>("all-signatures").checked ? ["--all-signatures"] : []),
    ...(seed ? [`--draw=${seed}`] : []),
  ];
}

function running(is: boolean): void {
  at("running").hidden = !is;
  button.disabled = is;
  document.body.dataset.running = is ? "yes" : "no";
  if (!is) return offer();
  progress.removeAttribute("value");
  at("running-name").textContent = pack?.name ?? "";
  at("running-what").textContent = "Reading";
  answer.hidden = true;
}

function actions(save: () => void): HTMLElement {
  const made = document.createElement("div");
  made.className = "answer-actions";
  for (const [label, look, act] of [
    ["Save the report", "btn btn-primary", save],
    ["Print", "btn", () => print()],
    ["Verify another", "btn", again],
  ] as const) {
    const one = document.createElement("button");
    one.type = "button";
    one.className = look;
    one.textContent = label;
    one.addEventListener("click", act);
    made.append(one);
  }
  return made;
}

function again(): void {
  answer.hidden = true;
  chooser.focus();
  scrollTo({ top: 0 });
}

function saved(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function verify(file: File): Promise<void> {
  const checkpoints = [...(at<HTMLInputElement>("checkpoints").files ?? [])];
  const arguments_ = given();
  let found: Answer;
  let digest = "";
  running(true);
  try {
    const done = await engine.verify({ pack: file, checkpoints, given: arguments_ }, (what, percent) => {
      progress.value = percent;
      progress.max = 100;
      at("running-what").textContent = `${what}: ${percent} %`;
    });
    digest = done.digest;
    found = JSON.parse(done.output) as Answer;
    if (found.exit !== done.code) throw new Error("the verifier contradicts itself");
  } catch (error) {
    if (error instanceof Stopped) return running(false);
    found = notCarriedThrough(error instanceof Error ? error.message : String(error));
    restart();
  }
  running(false);
  const shown = [...arguments_, ...checkpoints.map(({ name }) => `--checkpoint=${name}`)];
  const text = report({ pack: file, digest, verifier: published, engine: runner, given: shown, at: new Date(), answer: found });
  show(answer, found, actions(() => saved(text, `${file.name}.verification.txt`)));
}

chooser.addEventListener("change", () => take(chooser.files?.[0]));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (pack) void verify(pack);
});
at("cancel").addEventListener("click", restart);
for (const kind of ["dragover", "dragleave", "drop"] as const) {
  addEventListener(kind, (event) => {
    event.preventDefault(); // else the browser would open the file in place of this page
    drop.classList.toggle("is-over", kind === "dragover");
    if (kind === "drop" && !button.hidden) take(event.dataTransfer?.files[0]);
  });
}

// Runs verify.py in Python (Pyodide), away from the page, which so stays alive. What Python asks for it was handed;
// there is nowhere else to ask.
import type { PyodideInterface } from "pyodide";
import type { Start, Told, Verify } from "./messages";

// Pyodide's scripts stand before this one: ui/verify.mjs.
type Load = typeof import("pyodide").loadPyodide;
declare const loadPyodide: Load;
declare const _createPyodideModule: NonNullable<Parameters<Load>[0]>["createPyodideModule"];

const scope = self as unknown as { postMessage(told: Told): void; fetch: typeof fetch };
const tell = (told: Told): void => scope.postMessage(told);
const PLACE = "/given";
const SHOWN = /\r?([^\r\n]+): (\d+) %/g;

let python: PyodideInterface | null = null;
let written: string[] = [];

async function start({ files, verifier }: Start): Promise<void> {
  scope.fetch = (asked) => {
    const name = String(asked instanceof Request ? asked.url : asked).split("/").pop() ?? "";
    const content = files[name];
    if (!content) return Promise.reject(new Error(`${name} is not in this page`));
    const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
    return Promise.resolve(new Response(content as BodyInit, { headers: { "Content-Type": type } }));
  };
  const here = "https://nowhere.invalid/"; // only names matter; `fetch` above answers
  python = await loadPyodide({ indexURL: here, createPyodideModule: _createPyodideModule });
  const { FS } = python;
  FS.mkdirTree("/verifier");
  FS.mkdirTree(PLACE);
  FS.writeFile("/verifier/verify.py", verifier);
  const decoder = new TextDecoder();
  python.setStdout({ write: (bytes) => (written.push(decoder.decode(bytes, { stream: true })), bytes.length) });
  python.setStderr({ write: watch, isatty: true }); // at a terminal verify.py says how far it is
  python.runPython("import sys; sys.path.insert(0, '/verifier'); import verify");
  tell({ type: "ready", python: python.runPython("sys.version.split()[0]"), digest: sha256("/verifier/verify.py") });
}

function watch(bytes: Uint8Array): number {
  const last = [...new TextDecoder().decode(bytes).matchAll(SHOWN)].pop();
  if (last) tell({ type: "progress", what: last[1] ?? "", percent: Number(last[2]) });
  return bytes.length;
}

function sha256(path: string): string {
  if (!python) return "";
  python.globals.set("path", path);
  return python.runPython("import hashlib\nwith open(path, 'rb') as file: h = hashlib.file_digest(file, 'sha256').hexdigest()\nh");
}

/** Files are read where they lie, not copied into memory. Two of one name are told apart by a number. */
function mount(pack: File, checkpoints: File[]): string[] {
  if (!python) return [];
  const names = checkpoints.map(({ name }, at) => (checkpoints.findIndex((each) => each.name === name) < at ? `${at}-${name}` : name));
  const { FS } = python;
  FS.mkdirTree(`${PLACE}/pack`);
  FS.mkdirTree(`${PLACE}/anchors`);
  FS.mount(FS.filesystems.WORKERFS, { blobs: [{ name: "pack.zip", data: pack }] }, `${PLACE}/pack`);
  FS.mount(FS.filesystems.WORKERFS, { blobs: checkpoints.map((data, at) => ({ name: names[at], data })) }, `${PLACE}/anchors`);
  FS.chdir(`${PLACE}/anchors`);
  return names.map((name) => `--checkpoint=${name}`);
}

function unmount(): void {
  if (!python) return;
  python.FS.chdir("/");
  python.FS.unmount(`${PLACE}/pack`);
  python.FS.unmount(`${PLACE}/anchors`);
}

function verify({ pack, checkpoints, given }: Verify): void {
  if (!python) return;
  written = [];
  const anchors = mount(pack, checkpoints);
  try {
    const path = `${PLACE}/pack/pack.zip`;
    const digest = sha256(path);
    python.globals.set("given", [path, "--json", ...given, ...anchors]);
    const code = python.runPython("verify.main([str(each) for each in given])");
    tell({ type: "done", code, output: written.join(""), digest });
  } finally {
    unmount();
  }
}

addEventListener("message", (event: MessageEvent<Start | Verify>) => {
  const failed = (error: unknown): void => tell({ type: "failed", words: error instanceof Error ? error.message : String(error) });
  if (event.data.type === "start") start(event.data).catch(failed);
  else {
    try {
      verify(event.data);
    } catch (error) {
      failed(error);
    }
  }
});

// The worker that verifies, and its life: one is started with the page, and anew after it was stopped.
import type { Told, Verify } from "./messages";
import { part } from "./parts";

export type Progress = (what: string, percent: number) => void;
export type Answer = Extract<Told, { type: "done" }>;
export type Ready = Extract<Told, { type: "ready" }>;

const FILES = ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];

export class Stopped extends Error {}

export class Engine {
  /** Resolves when Python is there. */
  readonly ready: Promise<Ready>;
  #worker: Worker | null = null;
  #gone: (reason: Error) => void = () => {};
  #hear: (told: Told) => void = () => {};

  constructor() {
    this.ready = this.#start();
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  async #start(): Promise<Ready> {
    const script = await part("worker.js");
    const files = Object.fromEntries(await Promise.all(FILES.map(async (name) => [name, await part(name)] as const)));
    const verifier = await part("verify.py");
    const source = URL.createObjectURL(new Blob([script as BlobPart], { type: "text/javascript" }));
    const worker = (this.#worker = new Worker(source)); // no module: browsers refuse one from a blob under file:
    worker.addEventListener("message", ({ data }: MessageEvent<Told>) => this.#hear(data));
    worker.addEventListener("error", (event) => this.#gone(new Error(event.message || "the verifier stopped")));
    const told = await this.#ask({ type: "start", files, verifier }, () => {});
    URL.revokeObjectURL(source);
    if (told.type !== "ready") throw new Error("the verifier did not start");
    return told;
  }

  /** Hands over what to do, and gives what is told at its end. Rejects when the worker fails or is stopped. */
  #ask(asked: object, progress: Progress): Promise<Told> {
    return new Promise((resolve, reject) => {
      this.#gone = reject;
      this.#hear = (told) => {
        if (told.type === "progress") progress(told.what, told.percent);
        else if (told.type === "failed") reject(new Error(told.words));
        else resolve(told);
      };
      this.#worker?.postMessage(asked);
    });
  }

  async verify(asked: Omit<Verify, "type">, progress: Progress): Promise<Answer> {
    await this.ready;
    const told = await this.#ask({ ...asked, type: "verify" }, progress);
    if (told.type !== "done") throw new Error("the verifier said something else");
    return told;
  }

  stop(): void {
    this.#worker?.terminate();
    this.#gone(new Stopped("stopped"));
  }
}

/** What page and worker say to each other. */

/** To the worker, once: the files of Python, and `verify.py`. */
export interface Start {
  type: "start";
  files: Record<string, Uint8Array>;
  verifier: Uint8Array;
}

/** To the worker: verify this pack. `checkpoints` are files that were kept elsewhere, `given` what else was given. */
export interface Verify {
  type: "verify";
  pack: File;
  checkpoints: File[];
  given: string[];
}

/** From the worker. `digest` is the SHA-256 of the `verify.py` that it runs, `percent` of the file that it reads. */
export type Told =
  | { type: "ready"; python: string; digest: string }
  | { type: "progress"; what: string; percent: number }
  | { type: "done"; code: number; output: string; digest: string }
  | { type: "failed"; words: string };

// Builds verify.html: one file that runs the very verify.py in a browser, offline. Python is Pyodide's, as it comes.
// The same input gives the same bytes, so that a digest can be published: what compresses is locked, too.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "fflate";
import { build } from "vite";

const ICONS = ["upload", "shield-check", "clock", "alert-triangle", "circle-dashed"];

/** The script of src/verify/NAME.ts in one piece, and its styles. */
async function bundle(here, name) {
  const { output } = await build({
    configFile: false,
    root: here,
    logLevel: "warn",
    build: {
      write: false,
      target: "es2022",
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      cssCodeSplit: false,
      modulePreload: false,
      chunkSizeWarningLimit: 700,
      reportCompressedSize: false,
      rollupOptions: { input: { [name]: join(here, `src/verify/${name}.ts`) }, output: { format: "iife" } },
    },
  });
  const style = output.filter((each) => each.fileName.endsWith(".css")).map((each) => String(each.source));
  return { script: output.find((each) => each.type === "chunk").code.trim(), style: style.join("").trim() };
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** A block of data: no browser runs a type that it does not know, and base64 cannot end it. */
function part(name, content) {
  const text = Buffer.from(gzipSync(content, { level: 9, mtime: 0 })).toString("base64");
  return `<script type="text/plain" id="part-${name}">${text}</script>`;
}

/** Pyodide's scripts and ours, as one classic script: under file: no browser starts a module from a blob. */
function workerScript(pyodide, ours) {
  const core = pyodide("pyodide.asm.mjs").toString().replaceAll("import.meta.url", "location.href");
  const classic = core.replace(/export default _createPyodideModule;\s*$/, "");
  if (classic === core) throw new Error("Pyodide has another shape than the one that is known here");
  return Buffer.from([classic, pyodide("pyodide.js"), ours].join("\n;\n"));
}

/** What Pyodide reads when it starts, by name; of packages beside the standard library there are none. */
function python(pyodide) {
  const { info } = JSON.parse(pyodide("pyodide-lock.json"));
  return {
    "pyodide.asm.wasm": pyodide("pyodide.asm.wasm"),
    "python_stdlib.zip": pyodide("python_stdlib.zip"),
    "pyodide-lock.json": Buffer.from(JSON.stringify({ info, packages: {} })),
  };
}

function policy(scripts, style) {
  return [
    "default-src 'none'",
    `script-src ${scripts.map(hash).join(" ")} 'wasm-unsafe-eval'`,
    "worker-src blob:",
    `style-src ${hash(style)}`,
    "img-src data:",
    "font-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Writes the page beside verify.py. `symbols` are the icons of the console's sprite by name. */
export async function buildVerifier(here, symbols) {
  const folder = join(here, "../src/onepam/evidence/verifier");
  const verifier = readFileSync(join(folder, "verify.py"));
  const { script: theme } = await bundle(here, "theme");
  const { script: worker } = await bundle(here, "worker");
  const { script, style } = await bundle(here, "page");
  const pyodide = (name) => readFileSync(join(here, "node_modules/pyodide", name));
  const files = { ...python(pyodide), "worker.js": workerScript(pyodide, worker), "verify.py": verifier };
  const given = {
    policy: policy([theme, script], style),
    favicon: `data:image/svg+xml;base64,${readFileSync(join(here, "favicon.svg")).toString("base64")}`,
    theme,
    style,
    icons: ICONS.map((name) => symbols[name]).join(""),
    verifier: createHash("sha256").update(verifier).digest("hex"),
    parts: Object.entries(files).map(([name, content]) => part(name, content)).join("\n"),
    script,
  };
  const page = readFileSync(join(here, "src/verify/page.html"), "utf8");
  writeFileSync(join(folder, "verify.html"), page.replace(/\{\{(\w+)\}\}/g, (_, name) => given[name]));
}

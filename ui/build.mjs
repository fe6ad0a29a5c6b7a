// Builds src/ into the package's static/built/: two classic scripts (head, frame), one module (app) with lazily loaded
// islands, one stylesheet each for app and frame, and the icon sprite; and verify.html. Nothing is fetched from elsewhere at run time.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { buildVerifier } from "./verify.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../src/onepam/console/static/built");

function bundle(name, format) {
  return build({
    configFile: false,
    root: here,
    base: "/static/built/",
    logLevel: "warn",
    build: {
      outDir: out,
      emptyOutDir: false,
      target: "es2022",
      cssCodeSplit: false, // else a classic script would carry its styles inline, which the CSP refuses
      assetsInlineLimit: 0,
      modulePreload: false,
      chunkSizeWarningLimit: 700,
      reportCompressedSize: false,
      rollupOptions: {
        input: { [name]: join(here, `src/${name}.ts`) },
        preserveEntrySignatures: "strict", // else an island that shares with app.js imports it without its digest: it would run twice
        output: {
          format,
          entryFileNames: "[name].js",
          chunkFileNames: "chunk-[name]-[hash].js",
          assetFileNames: (asset) => (asset.names[0]?.endsWith(".css") ? `${name}.css` : "[name]-[hash][extname]"),
        },
      },
    },
  });
}

/** The icons of the sprite by name. */
function symbols() {
  const folder = join(here, "icons");
  const files = readdirSync(folder).filter((file) => file.endsWith(".svg"));
  const found = files.sort().map((file) => {
    const inner = readFileSync(join(folder, file), "utf8").replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "");
    const drawn = inner.replace(/\s*<path stroke="none"[^>]*\/>/, "").replace(/\s*\n\s*/g, "");
    return [file.slice(0, -4), `<symbol id="${file.slice(0, -4)}" viewBox="0 0 24 24">${drawn}</symbol>`];
  });
  return Object.fromEntries(found);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await bundle("head", "iife");
await bundle("frame", "iife");
await bundle("app", "es");
const icons = symbols();
writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${Object.values(icons).join("\n")}</svg>\n`);
copyFileSync(join(here, "favicon.svg"), join(out, "favicon.svg"));
await buildVerifier(here, icons);

// Bundles what the page loads beside its wasm into web/js/dist: page.js (terminal and motion),
// editor.js (loaded when first needed), style.css and the fonts.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const require = createRequire(import.meta.url);

// Letters of Latin-1, and the signs that texts and terminals use beside them.
const letters = [...range(0x20, 0x7e), ...range(0xa0, 0xff)].join("") + "‘’‚“”„–—…•×−→←↑↓≤≥≠";
const fonts = {
  "text.woff2": ["atkinson-hyperlegible-next", "latin-wght-normal", { min: 400, max: 700 }],
  "text-italic.woff2": ["atkinson-hyperlegible-next", "latin-wght-italic", 400],
  "mono.woff2": ["source-code-pro", "latin-wght-normal", { min: 400, max: 700 }],
};

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, n) => String.fromCodePoint(first + n));
}

async function font(name, [family, face, wght]) {
  const root = dirname(require.resolve(`@fontsource-variable/${family}/package.json`));
  const whole = await readFile(join(root, "files", `${family}-${face}.woff2`));
  const part = await subsetFont(whole, letters, { targetFormat: "woff2", variationAxes: { wght } });
  await writeFile(join(dist, name), part);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const common = {
  bundle: true,
  minify: true,
  outdir: dist,
  target: ["chrome120", "firefox120", "safari17"],
  logLevel: "warning",
  legalComments: "linked",
};
await Promise.all([
  build({
    ...common,
    entryPoints: { page: join(here, "src/page.js"), editor: join(here, "src/editor.js") },
    format: "esm",
    external: ["./editor.js"],
  }),
  build({
    ...common,
    entryPoints: { style: join(here, "../css/main.css") },
    external: ["*.woff2"],
    nodePaths: [join(here, "node_modules")],
  }),
  ...Object.entries(fonts).map(([name, from]) => font(name, from)),
]);

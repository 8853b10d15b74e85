// Bundles what the page loads beside its wasm into web/js/dist: page.js (terminal and motion),
// editor.js (loaded when first needed), style.css and the fonts.
import { build } from "esbuild";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const require = createRequire(import.meta.url);

const fonts = {
  "text.woff2": ["atkinson-hyperlegible-next", "latin-wght-normal"],
  "text-italic.woff2": ["atkinson-hyperlegible-next", "latin-wght-italic"],
  "mono.woff2": ["source-code-pro", "latin-wght-normal"],
};

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
  ...Object.entries(fonts).map(([name, [family, face]]) => {
    const root = dirname(require.resolve(`@fontsource-variable/${family}/package.json`));
    return copyFile(join(root, "files", `${family}-${face}.woff2`), join(dist, name));
  }),
]);

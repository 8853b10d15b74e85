// The look, as far as a machine can see it: nothing sticks out, everything can be read.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { open } from "./harness.mjs";

let site;
before(async () => (site = await open()));
afterEach(() => site.leave());
after(() => site.close());

const sizes = [
  [1440, 900],
  [1024, 768],
  [390, 844],
];

for (const theme of ["light", "dark"]) {
  for (const [width, height] of sizes) {
    for (const at of ["", "#/sandbox"]) {
      test(`${at || "home"} fits ${width} pixels, ${theme}`, async () => {
        const page = await site.visit({ at, width, height, theme });
        await page.waitForSelector(at ? ".machine" : ".hero", { state: "attached" });
        const wide = await page.evaluate(() => {
          const out = (box) => box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
          const clipped = (e) => e.closest(".scroll, .tabs, .xterm, .unseen, .skip, [hidden]");
          return [...document.querySelectorAll("body *")]
            .filter((e) => out(e.getBoundingClientRect()) && !clipped(e))
            .map((e) => e.outerHTML.slice(0, 120));
        });
        assert.deepEqual(wide, []);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
        assert.deepEqual(page.complaints, []);
      });
    }
  }
}

test("every control has a name", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await page.waitForSelector(".machine");
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, a[href], [role=separator]")]
      .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim()))
      .map((e) => e.outerHTML.slice(0, 120)),
  );
  assert.deepEqual(nameless, []);
});

test("text has the contrast that WCAG AA asks for", async () => {
  const css = await readFile(new URL("../../web/css/tokens.css", import.meta.url), "utf8");
  const at = css.indexOf(':root[data-theme="dark"]');
  const tokens = (text) =>
    Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]));
  const light = tokens(css.slice(0, at));
  const dark = { ...light, ...tokens(css.slice(at)) };
  const pairs = [];
  for (const ground of ["paper", "surface", "raised", "sunken"]) {
    for (const ink of ["ink", "ink-2", "ink-3", "accent"]) pairs.push([ink, ground, 4.5]);
    pairs.push(["edge", ground === "sunken" ? "paper" : ground, 3], ["focus", ground, 3]);
  }
  for (const state of ["ok", "wait", "bad", "leave", "rest"]) {
    for (const ground of [`${state}-soft`, "surface", "paper"]) pairs.push([state, ground, 4.5]);
    pairs.push(["ink", `${state}-soft`, 4.5]);
  }
  for (const name of ["code-key", "code-string", "code-value", "code-meta"]) {
    pairs.push([name, "surface", 4.5]);
  }
  pairs.push(["on-accent", "accent", 4.5], ["accent-strong", "accent-soft", 4.5]);
  pairs.push(["term-ink", "term-paper", 7]);
  for (const [theme, colours] of [["light", light], ["dark", dark]]) {
    for (const [ink, ground, least] of pairs) {
      const found = contrast(colours[ink], colours[ground]);
      assert.ok(found >= least, `${theme}: ${ink} on ${ground} has ${found.toFixed(2)}`);
    }
  }
});

function contrast(a, b) {
  const [more, less] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (more + 0.05) / (less + 0.05);
}

function luminance(colour) {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

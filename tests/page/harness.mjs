// What every page test needs: the built page served on a free port, Chromium, and a person's moves.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../web/dist");

const types = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Serves the built page. */
async function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(request.url.split("?")[0]));
    try {
      const body = await readFile(join(root, path === "/" ? "index.html" : path));
      response.writeHead(200, { "content-type": types[extname(path) || ".html"] ?? "text/plain" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

/** A browser with the page; `close` ends both. */
export async function open() {
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
  });
  const base = `http://127.0.0.1:${server.address().port}/`;
  return {
    base,
    visit: (options) => visit(browser, base, options),
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A new person's first visit: no storage, and no complaint in the console goes unnoticed. */
async function visit(browser, base, { at = "", width = 1440, height = 900, theme = "light" } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.complaints = [];
  page.on("console", (said) => {
    if (said.type() === "error") page.complaints.push(said.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.goto(base + at);
  return page;
}

/** Waits for a prompt in the terminal that is shown. */
export async function prompt(page, machine = "controlplane") {
  await screenShows(page, new RegExp(`root@${machine}:\\S+#\\s*$`));
}

/** The text of the terminal that is shown, without the blanks at its lines' ends. */
export async function screen(page) {
  const rows = await page.locator(".screen:not([hidden]) .xterm-rows > div").allInnerTexts();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
}

/** Waits until the terminal that is shown has text like this. */
export async function screenShows(page, pattern, patience = 30_000) {
  const end = Date.now() + patience;
  let text = "";
  while (Date.now() < end) {
    text = await screen(page);
    if (pattern.test(text)) return text;
    await page.waitForTimeout(50);
  }
  assert.fail(`the terminal never showed ${pattern}; it shows:\n${text}`);
}

/** Types a command and waits for the next prompt; gives what the terminal shows then. */
export async function run(page, command) {
  await page.locator(".screen:not([hidden]) .xterm").click();
  await page.keyboard.type(command);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(100);
  await prompt(page);
  return screen(page);
}

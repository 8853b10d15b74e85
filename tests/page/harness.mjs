// What every page test needs: Chromium on the served page, and a person's moves.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

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

/** Starts a browser. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
  });
}

/** A browser with the page; `leave` closes what was visited, `close` ends it all. */
export async function open() {
  const base = process.env.KUBARIUM_PAGE;
  assert.ok(base, "KUBARIUM_PAGE is where the page is served: `cargo xtask test page` sets it");
  const browser = await launch();
  return {
    base,
    visit: (options) => visit(browser, base, options),
    leave: () => Promise.all(browser.contexts().map((context) => context.close())),
    close: () => browser.close(),
  };
}

/** A new person's first visit: no storage, and no complaint in the console goes unnoticed. */
async function visit(browser, base, options = {}) {
  const { at = "", width = 1440, height = 900, theme = "light", motion = "reduce" } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: motion,
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

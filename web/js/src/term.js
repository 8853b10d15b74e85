// Terminals, by number. Data may arrive before a terminal has a place on the page: it waits.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

const terminals = new Map();
let report = { keys() {}, resize() {}, leave() {} };
let fontReady;

/** Says whom to tell: keys(id, Uint8Array), resize(id, cols, rows), leave(backwards). */
export function listenToTerminals(keys, resize, leave) {
  report = { keys, resize, leave };
}

function entry(id) {
  if (!terminals.has(id)) terminals.set(id, { waiting: [], term: null, host: null });
  return terminals.get(id);
}

/** Puts terminal `id` into `host`. */
export async function attachTerminal(id, host, label) {
  const mine = entry(id);
  mine.host = host;
  fontReady ??= Promise.race([
    document.fonts.load('14px "Kubarium Mono"'),
    new Promise((done) => setTimeout(done, 300)),
  ]);
  await fontReady;
  if (terminals.get(id) !== mine || mine.host !== host) return;
  if (mine.term) {
    // The page drew a new element for it: the terminal moves in.
    host.append(mine.term.element);
    mine.observer.disconnect();
    mine.observer.observe(host);
    return;
  }
  const term = new Terminal({
    allowProposedApi: false,
    cursorBlink: true,
    cursorStyle: "bar",
    cursorWidth: 2,
    fontFamily: '"Kubarium Mono", ui-monospace, monospace',
    fontSize: fontSize(),
    lineHeight: 1.25,
    letterSpacing: 0,
    scrollback: 5000,
    minimumContrastRatio: 4.5,
    theme: palette(),
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(host);
  term.textarea?.setAttribute("aria-label", label);
  term.attachCustomKeyEventHandler((event) => {
    if (event.key !== "F6") return true;
    // The way out for a keyboard: every other key belongs to the shell.
    if (event.type === "keydown") report.leave(event.shiftKey);
    event.preventDefault();
    return false;
  });
  const encoder = new TextEncoder();
  term.onData((text) => report.keys(id, encoder.encode(text)));
  term.onBinary((text) => report.keys(id, Uint8Array.from(text, (c) => c.charCodeAt(0))));
  term.onResize(({ cols, rows }) => report.resize(id, cols, rows));
  mine.term = term;
  mine.fit = () => {
    if (mine.host.clientWidth <= 40 || mine.host.clientHeight <= 20) return;
    if (term.options.fontSize !== fontSize()) term.options.fontSize = fontSize();
    fit.fit();
  };
  mine.observer = new ResizeObserver(() => requestAnimationFrame(mine.fit));
  mine.observer.observe(host);
  mine.fit();
  for (const bytes of mine.waiting.splice(0)) term.write(bytes);
  if (mine.focus) term.focus();
}

/** Shows bytes. */
export function writeTerminal(id, bytes) {
  const { term, waiting } = entry(id);
  // The bytes are a view of wasm memory, and xterm reads them later.
  const mine = bytes.slice();
  if (term) term.write(mine);
  else waiting.push(mine);
}

/** Moves the keyboard to terminal `id`. */
export function focusTerminal(id) {
  const mine = entry(id);
  mine.focus = true;
  mine.fit?.();
  mine.term?.focus();
}

/** Types text into terminal `id`, as if a person had. */
export function typeInTerminal(id, text) {
  const { term } = entry(id);
  // Between commands a person presses Enter, which is a carriage return.
  text = text.replaceAll("\n", "\r");
  if (term) {
    term.input(text);
    term.focus();
  } else {
    report.keys(id, new TextEncoder().encode(text));
  }
}

/** Forgets terminal `id`. */
export function dropTerminal(id) {
  const mine = terminals.get(id);
  terminals.delete(id);
  mine?.observer?.disconnect();
  mine?.term?.dispose();
}

/** Takes colours and sizes from the style sheet again, after the theme changed. */
export function restyleTerminals() {
  for (const { term } of terminals.values()) {
    if (!term) continue;
    term.options.theme = palette();
    term.options.fontSize = fontSize();
  }
}

/** Reads terminals out to a screen reader, or stops doing so. */
export function readTerminalsAloud(on) {
  for (const { term } of terminals.values()) if (term) term.options.screenReaderMode = on;
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function fontSize() {
  return Number.parseFloat(token("--terminal-size")) || 14;
}

function palette() {
  const colours = {
    background: token("--term-paper"),
    foreground: token("--term-ink"),
    cursor: token("--accent"),
    cursorAccent: token("--term-paper"),
    selectionBackground: token("--term-selection"),
  };
  for (const name of ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]) {
    colours[name] = token(`--term-${name}`);
    colours[`bright${name[0].toUpperCase()}${name.slice(1)}`] = token(`--term-bright-${name}`);
  }
  return colours;
}

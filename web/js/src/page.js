// What the yew app calls: terminals, the editor, flights. Rust side: web/src/services/glue.rs.
export * from "./term.js";
export * from "./motion.js";
export * from "./place.js";

/** Opens a CodeMirror editor in `host`; its code is fetched on first use. */
export async function openEditor(host, text, onSave) {
  const editor = await import("./editor.js");
  return editor.open(host, text, onSave);
}

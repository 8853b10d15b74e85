// Fetches the worker's wasm beside its glue, not after it, and keeps what the page says meanwhile.
const wasm = fetch("./worker_bg.wasm");
const early = [];
self.onmessage = (event) => early.push(event);
importScripts("./worker.js");
wasm_bindgen({ module_or_path: wasm }).then(() => {
  for (const event of early) self.onmessage(event);
});

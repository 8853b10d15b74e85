// The worker that index.html started, and messages that came before the app did.

/** Starts the worker again, or hands over the one that the page began with. */
export function takeWorker() {
  const early = globalThis.kubariumEarly;
  globalThis.kubariumEarly = undefined;
  return early ?? { worker: new Worker("./worker_loader.js"), messages: [], error: undefined };
}

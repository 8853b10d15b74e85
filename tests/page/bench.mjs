// The figures in Chromium, a JSON object per line: name and figures. `cargo xtask bench page` builds
// what is measured and prints the table.
import { launch, open } from "./harness.mjs";

const say = (name, figures) => console.log(JSON.stringify({ name, figures }));

/** The simulation alone. */
async function cases() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(process.env.KUBARIUM_BENCH);
    const found = await page.evaluate(async () => {
      const { default: init, KernelCase, ClusterCase } = await import("/kubarium_bench.js");
      const { memory } = await init();
      const timed = (act) => {
        const begun = performance.now();
        const value = act();
        return { value, ms: performance.now() - begun };
      };
      const kernel = new KernelCase();
      kernel.run(100_000);
      const rows = [{ kernel: timed(() => kernel.run(1_000_000)) }];
      const cluster = new ClusterCase("large");
      rows.push({ boot: timed(() => cluster.boot()) });
      for (const replicas of [10, 100, 1000]) {
        const copy = cluster.copy();
        const deployed = timed(() => copy.deploy(replicas));
        rows.push({ replicas, deployed, memory: memory.buffer.byteLength });
        copy.free();
      }
      const served = new ClusterCase("default");
      served.boot();
      served.serve();
      const requests = 1000;
      rows.push({ requests, asked: timed(() => served.ask(requests)) });
      return rows;
    });
    for (const { kernel, boot, replicas, deployed, memory, requests, asked } of found) {
      if (kernel) {
        const rate = kernel.value / kernel.ms / 1e3;
        say("kernel, 50 machines", `${rate.toFixed(2)} M events/s`);
      } else if (boot) {
        say("cluster from nothing, large", `${boot.ms.toFixed(0)} ms ${boot.value.toFixed(1)} virtual s`);
      } else if (asked) {
        const rate = (requests / asked.ms) * 1e3;
        say("curl through a node port", `${rate.toFixed(0)} requests/s`);
      } else {
        const size = `${(memory / 1e6).toFixed(0)} MB of wasm memory so far`;
        say(`${replicas} replicas, 12 workers`, `${deployed.ms.toFixed(0)} ms ${deployed.value} events ${size}`);
      }
    }
  } finally {
    await browser.close();
  }
}

/** From navigation to a prompt one can type at, as a new visitor. */
async function prompts() {
  const site = await open();
  try {
    const times = [];
    for (let round = 0; round < 5; round += 1) {
      const page = await site.visit({ at: "#/sandbox" });
      const shown = await page.waitForFunction(() => {
        const rows = document.querySelectorAll(".screen:not([hidden]) .xterm-rows > div");
        const text = [...rows].map((row) => row.textContent).join("\n");
        return /root@\w+:\S+#/.test(text) && performance.now();
      });
      times.push(await shown.jsonValue());
      await page.context().close();
    }
    times.sort((a, b) => a - b);
    const [least, middle, most] = [times[0], times[2], times[4]].map((ms) => ms.toFixed(0));
    say("navigation to prompt", `${middle} ms (${least} to ${most}, 5 visits)`);
  } finally {
    await site.close();
  }
}

await cases();
await prompts();

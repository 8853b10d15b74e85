// Requests in the picture, and the way of one of them explained, from the picture and the keyboard.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, prompt, run, screenShows } from "./harness.mjs";

let site;
before(async () => (site = await open()));
afterEach(() => site.leave());
after(() => site.close());

/** A sandbox with a Service that has two pods, and one that has none. */
async function shop(options = {}) {
  const page = await site.visit({ at: "#/sandbox", ...options });
  await prompt(page);
  await page.getByRole("radio", { name: "10×" }).click();
  await run(page, "kubectl create deployment web --image=nginx --replicas=2");
  await run(page, "kubectl expose deployment web --port=80");
  await run(page, "kubectl create service clusterip empty --tcp=80");
  await page.locator(".service", { hasText: "default/web" }).getByText("2 ready").waitFor();
  await page.getByRole("radio", { name: "1×", exact: true }).click();
  return page;
}

const ip = (name) => `$(kubectl get service ${name} -o jsonpath={.spec.clusterIP})`;

test("a request is listed, and its way can be clicked through as netwhy tells it", async () => {
  const page = await shop();
  await run(page, `clear; curl -s -o /dev/null ${ip("web")}`);
  const row = page.locator(".latest .request", { hasText: "curl" });
  await row.and(page.locator('[data-fate="arrived"]')).first().click();
  const panel = page.getByRole("dialog", { name: "Requests and their ways" });
  assert.deepEqual(await panel.locator(".rule[data-fatal]").count(), 0);
  assert.match(await panel.locator(".parties").innerText(), /controlplane\s+default\/web\s+web-/);
  assert.match(await panel.locator(".outcome").innerText(), /TCP SYN .*: delivered to 10\.244\./s);
  // Where its addresses changed is open to begin with.
  const facts = panel.locator(".happened");
  assert.match(await facts.innerText(), /Came as[\s\S]*Went on as/);
  const rules = await facts.locator(".rule code").allInnerTexts();
  assert.ok(rules.some((rule) => /^-A KUBE-SVC-\w+ .*-j KUBE-SEP-/.test(rule)), rules.join("\n"));
  assert.ok(rules.some((rule) => /-j DNAT --to-destination 10\.244\./.test(rule)));

  const stops = panel.locator(".stop");
  await stops.last().click();
  assert.match(await stops.last().innerText(), /^web-[\s\S]*delivered from eth0/);
  await page.keyboard.press("Home");
  assert.equal(await stops.first().getAttribute("aria-expanded"), "true");
  await panel.getByRole("radio", { name: "Answer" }).click();
  assert.match(await panel.locator(".outcome").innerText(), /TCP SYN-ACK/);
  await panel.getByRole("radio", { name: "There" }).click();

  await facts.getByRole("button", { name: /EndpointSlice/ }).first().click();
  const details = page.getByRole("dialog", { name: "Service web" });
  assert.match(await details.innerText(), /ClusterIP[\s\S]*EndpointSlice web-[\s\S]*10\.244\./);
  await page.keyboard.press("Escape");

  // The terminal says the same.
  const bare = (text) => text.replaceAll(/\s/g, "");
  await panel.getByRole("button", { name: "Type netwhy" }).click();
  await page.keyboard.type(" | grep 'cluster IP'");
  await page.keyboard.press("Enter");
  const said = bare(await screenShows(page, /cluster IP[\s\S]*root@controlplane:~#\s*$/));
  assert.ok(said.includes(bare(rules.find((rule) => rule.includes("cluster IP")))), said);
  assert.deepEqual(page.complaints, []);
});

test("a request that is refused, and one that is lost, say where and why", async () => {
  const page = await shop();
  await run(page, `clear; nc -zw1 ${ip("empty")} 80`);
  await page.locator('.latest .request[data-fate="refused"]').first().click();
  const panel = page.locator(".explainer");
  assert.match(await panel.locator(".outcome").innerText(), /rejected by netfilter/);
  assert.match(await panel.locator(".rule[data-fatal]").innerText(), /-j REJECT/);
  assert.match(await panel.locator(".happened").innerText(), /default\/empty:80 has no endpoints/);
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });

  await run(page, "iptables -I OUTPUT -d 172.30.2.2 -p tcp --dport 9 -j DROP; nc -zw1 172.30.2.2 9");
  await page.locator('.latest .request[data-fate="lost"]').first().click();
  assert.match(await panel.locator(".way li[data-look=bad]").innerText(), /-j DROP/);
});

test("packets cross the picture, and those that end badly look it", async () => {
  const page = await shop({ motion: "no-preference" });
  const seen = page.evaluate(
    () =>
      new Promise((done) => {
        const fates = new Set();
        new MutationObserver((changes) => {
          for (const change of changes) {
            for (const node of change.addedNodes) {
              if (node.className === "packet") fates.add(node.dataset.fate);
            }
          }
          if (fates.size === 2) done([...fates].sort());
        }).observe(document.getElementById("flights"), { childList: true });
      }),
  );
  await run(page, `clear; curl -s -o /dev/null ${ip("web")}; nc -zw1 ${ip("empty")} 80`);
  assert.deepEqual(await seen, ["arrived", "refused"]);
  await page.waitForFunction(() => !document.querySelector(".packet"));
});

test("a person picks a request, and nothing changes in the cluster", async () => {
  const page = await shop();
  await page.getByRole("button", { name: "The way of a request" }).press("Enter");
  const panel = page.locator(".explainer");
  const pod = await panel.locator("option", { hasText: "default/web-" }).first().innerText();
  await panel.getByLabel("From").selectOption(pod);
  await panel.getByLabel("To").fill("default/web:80");
  await page.keyboard.press("Enter");
  await panel.locator(".command").getByText("in a copy").waitFor();
  assert.match(await panel.locator(".parties").innerText(), /^web-[\s\S]*default\/web[\s\S]*web-/);
  await panel.getByLabel("To").fill("shop/nothing:1");
  await page.keyboard.press("Enter");
  await panel.getByRole("alert").getByText("Name a Service").waitFor();
  await panel.getByLabel("To").fill("172.30.2.2:1");
  await page.keyboard.press("Enter");
  await panel.locator('.outcome[data-fate="refused"]').waitFor();
  await page.keyboard.press("Escape");
  assert.doesNotMatch(await run(page, "history"), /nc -z/);
});

test("the way of a request fits a phone", async () => {
  const page = await site.visit({ at: "#/sandbox", width: 390, height: 844, theme: "dark" });
  await prompt(page);
  await run(page, "kubectl get nodes");
  await page.getByRole("tab", { name: "Cluster" }).click();
  await page.locator(".latest .request", { hasText: "kubectl" }).first().click();
  const stop = page.locator(".stop").first();
  await stop.waitFor();
  const wide = await page.evaluate(() =>
    [...document.querySelectorAll(".explainer *")]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".unseen"))
      .map((e) => e.outerHTML.slice(0, 120)),
  );
  assert.deepEqual(wide, []);
  await page.getByRole("button", { name: "All requests" }).click();
  await page.locator(".pick").waitFor();
});

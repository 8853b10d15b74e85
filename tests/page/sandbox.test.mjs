// The sandbox, used as a person would: terminals, editor, picture, time, keyboard.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, prompt, run, screen, screenShows } from "./harness.mjs";

let site;
before(async () => (site = await open()));
afterEach(() => site.leave());
after(() => site.close());

test("a cluster answers in a terminal and stands in the picture", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  const nodes = await run(page, "kubectl get nodes");
  assert.match(nodes, /controlplane\s+Ready\s+control-plane/);
  assert.match(nodes, /node02\s+Ready\s+<none>/);
  assert.equal(await page.locator(".machine").count(), 3);
  for (const part of ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"]) {
    await page.locator(".machine", { hasText: "controlplane" }).getByText(part, { exact: true }).waitFor();
  }
  assert.deepEqual(page.complaints, []);
});

test("pods come and go in the picture, and tell of themselves", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await page.getByRole("radio", { name: "10×" }).click();
  await run(page, "kubectl create deployment web --image=nginx --replicas=3");
  await page.locator('.pod[data-state="running"]:not(.quiet)').nth(2).waitFor();
  await page.locator(".pod:not(.quiet)").first().click();
  const details = page.locator(".details");
  assert.match(await details.innerText(), /Running[\s\S]*default[\s\S]*nginx[\s\S]*ReplicaSet\/web-/);
  await page.keyboard.press("Escape");
  assert.equal(await details.count(), 0);
  await page.getByRole("button", { name: "Show as tables" }).click();
  assert.equal(await page.locator(".grid").last().locator("tr", { hasText: "web-" }).count(), 3);
  await page.getByRole("button", { name: "Show as a picture" }).click();
  await run(page, "kubectl delete deployment web");
  await page.locator(".pod:not(.quiet)").first().waitFor({ state: "detached" });
});

test("vi opens the editor, and what is saved is in the file", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await page.locator(".screen .xterm").click();
  await page.keyboard.type("vi pod.yaml\r");
  await page.locator(".cm-content").click();
  await page.keyboard.type("kind: Pod");
  await page.getByRole("button", { name: "Save and close" }).click();
  await prompt(page);
  assert.match(await run(page, "cat pod.yaml"), /^kind: Pod$/m);
  await page.locator(".screen .xterm").click();
  await page.keyboard.type("vi pod.yaml\r");
  await page.locator(".cm-content").click();
  await page.keyboard.type("lost");
  await page.getByRole("button", { name: "Close without saving" }).click();
  await prompt(page);
  assert.doesNotMatch(await run(page, "clear; cat pod.yaml"), /lost/);
});

test("a tab for each machine", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await page.getByRole("button", { name: "Open a terminal" }).click();
  await page.getByRole("button", { name: "Terminal on node02" }).click();
  await prompt(page, "node02");
  await page.getByRole("tab", { name: "controlplane" }).click();
  await prompt(page);
  await page.getByRole("button", { name: "Close node02" }).click();
  await page.getByRole("tab", { name: "node02" }).waitFor({ state: "detached" });
  assert.equal(await page.locator(".tab").count(), 1);
});

test("time stands still, goes on, and steps", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await page.getByRole("button", { name: "Pause" }).click();
  const clock = page.locator(".clock");
  await page.waitForTimeout(300);
  const still = await clock.innerText();
  await page.waitForTimeout(1500);
  assert.equal(await clock.innerText(), still);
  await page.getByText("Time stands still").waitFor();
  await page.getByRole("button", { name: "Go on" }).first().click();
  await page.waitForFunction((text) => document.querySelector(".clock").innerText !== text, still);
});

test("every pane can be reached, sized and enlarged from the keyboard", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await page.locator(".screen .xterm").click();
  await page.keyboard.press("F6");
  assert.equal(await page.evaluate(() => document.activeElement.id), "picture");
  await page.keyboard.press("F6");
  assert.ok(await page.evaluate(() => document.activeElement.closest("#terminals") !== null));
  const line = page.getByRole("separator", { name: "Height of the terminals" });
  await line.focus();
  const before = (await page.locator("#terminals").boundingBox()).height;
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction(
    (was) => document.querySelector("#terminals").getBoundingClientRect().height > was + 10,
    before,
  );
  await page.locator("#picture .maximise").press("Enter");
  await page.locator("#terminals").waitFor({ state: "hidden" });
  await page.locator("#picture .maximise").press("Enter");
  await page.locator("#terminals").waitFor();
});

test("the cluster and its terminals survive a reload", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await run(page, "kubectl create namespace kept");
  await page.waitForTimeout(600);
  await page.reload();
  await screenShows(page, /namespace\/kept created/);
  assert.match(await run(page, "kubectl get namespaces"), /^kept\s+Active/m);
});

test("a worker that breaks is started again, and nothing is lost", async () => {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  await run(page, "kubectl create namespace kept");
  await page.waitForTimeout(600);
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error("broken on purpose");
    });
  });
  await page.getByText("The cluster's worker broke").waitFor();
  await screenShows(page, /namespace\/kept created/);
  assert.match(await run(page, "kubectl get namespaces"), /^kept\s+Active/m);
});

test("a damaged save is told, can be downloaded, and is in nobody's way", async () => {
  const page = await site.visit();
  await page.evaluate(() => localStorage.setItem("kubarium/save/sandbox", "kubarium-save 1 00 !!!!"));
  await page.goto(`${site.base}#/sandbox`);
  await page.getByRole("heading", { name: "The saved cluster cannot be read" }).waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the save" }).click();
  assert.match((await download).suggestedFilename(), /^kubarium-save-sandbox/);
  await page.getByRole("button", { name: "Start afresh" }).click();
  await prompt(page);
  assert.match(await screen(page), /root@controlplane/);
});

// A lesson, taken as a learner would: read, type, see it turn green, go on, come back.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, prompt, run, screenShows } from "./harness.mjs";

let site;
before(async () => (site = await open()));
afterEach(() => site.leave());
after(() => site.close());

const first = "#/lesson/workloads/01-first-workload";

test("the home page lists lessons, and one opens with a prompt", async () => {
  const page = await site.visit();
  await page.locator(".card").first().waitFor();
  assert.ok((await page.locator(".card").count()) >= 3);
  const tracks = await page.locator(".track-row h2").allInnerTexts();
  const order = ["Workloads", "Networking", "Namespaces", "Upgrades", "Backup"];
  assert.deepEqual(tracks, order.filter((name) => tracks.includes(name)));
  for (const track of await page.locator(".track-row").all()) {
    assert.match(await track.locator(".sum").innerText(), /^\d+ lessons?, \d+ steps, /);
  }
  await page.getByRole("link", { name: /^Begin with/ }).click();
  await prompt(page);
  assert.match(await page.title(), /· Kubarium$/);
  await page.getByRole("link", { name: "Kubarium, all lessons" }).click();
  await page.locator(".hero").waitFor();
  assert.deepEqual(page.complaints, []);
});

test("every lesson of the home page opens", async () => {
  const page = await site.visit();
  await page.locator(".card").first().waitFor();
  const links = await page.locator(".card").evaluateAll((cards) => cards.map((c) => c.hash));
  for (const link of links) {
    await page.goto(`${site.base}${link}`);
    await prompt(page);
    await page.locator(".lesson h1").waitFor();
  }
});

test("a step turns green by itself, because the cluster did it", async () => {
  const page = await site.visit({ at: first });
  await prompt(page);
  const goal = page.locator(".goal");
  assert.match(await goal.innerText(), /0 of \d shown/);
  await page.locator(".lesson .code.command").nth(1).getByText("Type it").click();
  await screenShows(page, /kubectl create deployment web --image=nginx --replicas=2$/);
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: "10×" }).click();
  await goal.getByText("Done").waitFor();
  assert.equal(await page.locator('.check[data-state="met"]').count(), 3);
  await goal.getByRole("button", { name: "Next step" }).click();
  await page.getByText("Step 2 of").waitFor();

  await page.locator(".steps button").first().click();
  await page.getByText("You are looking back.").waitFor();
  await page.getByRole("button", { name: "To step 2" }).click();

  await page.waitForTimeout(600);
  await page.reload();
  await page.getByText("Step 2 of").waitFor();
  await screenShows(page, /deployment.apps\/web created/);

  await page.getByRole("link", { name: "Kubarium, all lessons" }).click();
  await page.locator(".card").getByText("1 of 5 steps").waitFor();
  const track = page.locator(".track-row", { hasText: "Workloads" });
  assert.match(await track.locator(".sum").innerText(), /^1 of \d+ steps, \d+ min left$/);
  assert.ok((await track.locator(".meter i").boundingBox()).width > 5);
  await page.getByRole("link", { name: /^Go on with/ }).click();
  await page.getByText("Step 2 of").waitFor();
});

test("hints come one at a time, and a step can begin again", async () => {
  const page = await site.visit({ at: first });
  await prompt(page);
  await page.getByRole("button", { name: "Show a hint" }).click();
  await page.getByText("Hint 1 of").waitFor();
  assert.equal(await page.locator(".hint").count(), 1);
  await page.getByRole("button", { name: "Another hint" }).click();
  await page.getByText("Hint 2 of").waitFor();

  await run(page, "kubectl create deployment web --image=httpd");
  await page.locator('.check[data-state="met"]').first().waitFor();
  await page.getByRole("button", { name: "Start this step again" }).click();
  await page.getByRole("button", { name: "Start again", exact: true }).click();
  await page.waitForFunction(() => !document.querySelector('.check[data-state="met"]'));
  assert.match(await run(page, "kubectl get deployments"), /No resources found/);
  assert.doesNotMatch(await run(page, "true"), /httpd/);
});

for (const [width, height] of [
  [1024, 768],
  [390, 844],
]) {
  test(`a lesson can be taken on ${width} pixels`, async () => {
    const page = await site.visit({ at: first, width, height });
    await page.locator(".lesson h1").waitFor();
    if (width < 820) {
      await page.getByRole("tab", { name: "Terminal" }).click();
    }
    await prompt(page);
    await run(page, "kubectl get nodes");
    if (width < 820) {
      await page.getByRole("tab", { name: "Cluster" }).click();
    }
    await page.locator(".machine").first().waitFor();
    assert.deepEqual(page.complaints, []);
  });
}

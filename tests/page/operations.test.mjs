// What an operator does to a cluster, as the picture shows it: drains, parts that stop, etcd.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, prompt, run } from "./harness.mjs";

let site;
before(async () => (site = await open()));
afterEach(() => site.leave());
after(() => site.close());

async function sandbox() {
  const page = await site.visit({ at: "#/sandbox" });
  await prompt(page);
  return page;
}

test("a node that drains is marked, its pods leave, and it comes back", async () => {
  const page = await sandbox();
  await page.getByRole("radio", { name: "10×" }).click();
  // What `sleep` runs as does not heed SIGTERM: it leaves after its grace period.
  await run(page, "kubectl create deployment web --image=busybox --replicas=4 -- sleep 9999");
  await page.locator('.pod[data-state="running"]:not(.quiet)').nth(3).waitFor();
  const node = page.locator("#machine-node01");
  await run(page, "kubectl cordon node01");
  await node.getByText("SchedulingDisabled").waitFor();
  assert.match(await node.locator(".cordon").innerText(), /Cordoned: takes no new pods, \d pods? stay/);
  await page.getByRole("radio", { name: "1×", exact: true }).click();
  await page.locator(".screen:not([hidden]) .xterm").click();
  await page.keyboard.type("kubectl drain node01 --ignore-daemonsets\r");
  await node.getByText(/^Draining: \d pods? leaving/).waitFor();
  await node.locator('.pod[data-state="terminating"]').first().waitFor();
  await page.getByRole("radio", { name: "10×" }).click();
  await node.getByText("Drained: no pod is left that could go.").waitFor();
  await prompt(page);
  await run(page, "kubectl uncordon node01");
  await node.locator(".cordon").waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
});

test("parts of the cluster show their versions, and when they do not run", async () => {
  const page = await sandbox();
  const plane = page.locator("#machine-controlplane");
  for (const part of ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"]) {
    const tile = plane.locator(".pod", { hasText: part });
    assert.match(await tile.locator(".version").innerText(), /^v\d+\.\d+\.\d+$/);
  }
  const kubelet = page.locator("#kubelet-node01");
  assert.match(await kubelet.innerText(), /kubelet\s*v1\.\d+\.\d+/);

  await run(page, "mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/");
  await page.getByRole("radio", { name: "10×" }).click();
  const api = plane.locator(".pod", { hasText: "kube-apiserver" });
  await api.getByText("not running").waitFor();
  await run(page, "mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/");
  await api.locator(".version").waitFor();

  await run(page, "mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/");
  await plane.locator(".missing", { hasText: "kube-scheduler" }).waitFor();
  await run(page, "ssh node01 systemctl stop kubelet");
  await kubelet.getByText("not running").waitFor();
  await page.getByRole("button", { name: "Show as tables" }).click();
  await page.locator("tr", { hasText: "node01" }).getByText("kubelet", { exact: true }).waitFor();
});

test("etcd's revision is shown and grows", async () => {
  const page = await sandbox();
  const revision = async () => Number((await page.locator(".etcd").innerText()).replace(/\D/g, ""));
  const before = await revision();
  assert.ok(before > 100, String(before));
  await run(page, "kubectl create namespace more");
  await page.waitForFunction(
    (was) => Number(document.querySelector(".etcd").innerText.replace(/\D/g, "")) > was,
    before,
  );
  assert.equal(await page.locator(".fell").count(), 0);
});

test("an etcd that goes back is flagged", async () => {
  const page = await sandbox();
  await run(page, "cp -r /var/lib/etcd old; kubectl create namespace lost; mkdir away");
  await page.getByRole("radio", { name: "max" }).click();
  const swap = "rm -r /var/lib/etcd; cp -r old /var/lib/etcd; mv away/* /etc/kubernetes/manifests/";
  await run(page, `mv /etc/kubernetes/manifests/* away/; sleep 40; ${swap}`);
  await page.locator(".fell").getByText(/went back from revision \d+/).waitFor();
  await page.locator(".etcd[data-odd]").waitFor();
  assert.deepEqual(page.complaints, []);
});

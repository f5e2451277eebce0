// Adding a thing on a phone and by keyboard alone: what it is, a token or a certificate for it, the
// files, the picture, and lines that work as they stand there.
import { readFile } from "node:fs/promises";
import { Server, Window, assert, run, saveScreen, shell, test, waitUntil } from "./harness.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test("a thing with a token, by keyboard: its line publishes", async () => {
  const server = await Server.start();
  await server.claim();
  const window = await Window.open(server.url, { cookie: server.cookie });
  const { page } = window;
  await page.goto("/things");
  await page.getByRole("link", { name: "Add a thing" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Id", { exact: true }).focus();
  await page.keyboard.type("tank-9");
  await page.keyboard.press("Tab");
  await page.keyboard.type('<b onclick="x">Meadow</b>');
  await page.keyboard.press("Tab");
  await page.keyboard.type("tank");
  await window.check("the form");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "tank-9 is there" }).waitFor();
  await page.getByRole("img", { name: "The address as a QR code" }).waitFor();
  await window.check("the login");
  await saveScreen(page, "add-thing");

  const line = await page.locator("details").first().locator("pre").innerText();
  assert(line.includes(`-h 127.0.0.1 -p ${server.mqttPort} -u tank-9 -P nilo_`), line);
  await shell(line.replace("water1/pub", "water9/pub"));
  await waitUntil(async () => (await server.json("/api/v1/things/tank-9")).seen !== null, "a reading");
  const thing = await server.json("/api/v1/things/tank-9");
  assert(thing.name === '<b onclick="x">Meadow</b>', thing.name);
  await page.getByRole("link", { name: "Look at it" }).click();
  await page.getByRole("heading", { name: '<b onclick="x">Meadow</b>' }).waitFor();
  assert((await page.locator("b[onclick]").count()) === 0, "a name became markup");
});

test("a thing with a certificate, on a phone: its files are saved, the key once", async () => {
  const server = await Server.start();
  await server.claim();
  const window = await Window.open(server.url, { cookie: server.cookie, ...PHONE });
  const { page } = window;
  await page.goto("/things/new");
  await page.getByLabel("Id", { exact: true }).fill("tank-1");
  await page.getByLabel("It logs in with").selectOption("certificate");
  window.watch.expected.push(/409/);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("is written in nilo.toml").waitFor();
  await window.check("a mistake");
  await page.getByLabel("Id", { exact: true }).fill("well:1");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { name: "well:1 is there" }).waitFor();
  await window.check("the files");
  await saveScreen(page, "add-thing-phone");
  const texts = {};
  for (const name of ["well.1.crt", "well.1.key", "ca.crt"]) {
    const [saved] = await Promise.all([
      page.waitForEvent("download"), page.getByRole("link", { name: `Save ${name}` }).click(),
    ]);
    assert(saved.suggestedFilename() === name, saved.suggestedFilename());
    texts[name] = await readFile(await saved.path(), "utf8");
  }
  assert(texts["well.1.key"].startsWith("-----BEGIN PRIVATE KEY-----"), "no key");
  for (const name of ["well.1.crt", "ca.crt"]) {
    assert(texts[name].startsWith("-----BEGIN CERTIFICATE-----"), name);
  }
  await page.goto("/settings/certificates");
  await page.getByText("well:1").waitFor();
  await window.check("the list");
  await page.getByRole("button", { name: "Revoke well:1" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("Revoked").waitFor();
  const { certificates } = await server.json("/api/v1/certificates");
  assert(certificates[0].state === "revoked", JSON.stringify(certificates));
});

await run();

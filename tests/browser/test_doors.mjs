// Doors as a browser uses them: pages over HTTPS, and MQTT over a secure WebSocket from such a page.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT, Server, Window, assert, run, test } from "./harness.mjs";

// The server's own certificate, before it starts.
function makeCertificate(data) {
  const folder = join(data, "certs");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
    "-nodes", "-keyout", "server.key", "-out", "server.crt", "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], { cwd: folder, stdio: "pipe" });
}

async function startWithTls() {
  const server = await Server.start({
    flags: ["--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0"],
    change: (text, { data }) => {
      makeCertificate(data);
      return text;
    },
  });
  const [, url] = await server.program.printed(/HTTPS\s+(\S+)/);
  return { server, url };
}

test("a login over HTTPS has a cookie for HTTPS alone, and the page is alive", async () => {
  const { server, url } = await startWithTls();
  await server.claim();
  const window = await Window.open(url, { ignoreHTTPSErrors: true });
  const { page } = window;
  await page.goto("/");
  await page.getByLabel("Name").fill("ana");
  await page.getByLabel("Password").fill("a tank is a tank");
  await page.keyboard.press("Enter");
  await server.publishAsOwner("water1/pub", { distance: 41.2 });
  await page.getByText("Barn").first().waitFor();
  const [cookie] = await window.context.cookies();
  assert(cookie.secure && cookie.httpOnly, JSON.stringify(cookie));
  assert(window.watch.mistakes.length === 0, window.watch.mistakes.join("\n"));
});

test("a page speaks MQTT over a secure WebSocket", async () => {
  const { server, url } = await startWithTls();
  const window = await Window.open(url, { ignoreHTTPSErrors: true });
  await window.page.goto("/");
  // By the debugger's hand, for the pages' own policy would rightly refuse it.
  const source = await readFile(join(ROOT, "node_modules/mqtt/dist/mqtt.min.js"), "utf8");
  await window.page.evaluate(`${source}\nglobalThis.mqtt = mqtt;`);
  const heard = await window.page.evaluate(([address, password]) => new Promise((done, fail) => {
    const client = globalThis.mqtt.connect(address, { username: "x", password, reconnectPeriod: 0 });
    client.on("error", (error) => fail(error));
    client.on("close", () => fail(new Error("closed")));
    client.on("message", (topic, payload) => done(`${topic} ${payload}`));
    client.on("connect", () => client.subscribe("from/+", { qos: 1 }, () =>
      client.publish("from/page", "hello", { qos: 1 })));
  }), [`${url.replace("https", "wss")}/mqtt`, await server.adminToken()]);
  assert(heard === "from/page hello", heard);
});

await run();

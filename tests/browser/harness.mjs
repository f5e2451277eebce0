// What the browser tests share: a server, a mailbox, Debian's chromium, and the assertions that
// stand in every walk.
//
//   import { test, run, startServer, openBrowser } from "./harness.mjs";
//   test("a reading is on the page", async () => { ... });
//   await run();
//
// Cases are counted as TAP, like those of tests/walk. What a case starts ends with it. Nothing
// sleeps for luck: waitUntil(), or playwright's own waiting. Run by `make test SUITES=browser`.
import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { chromium } from "playwright-core";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NILO = process.env.NILO ?? join(ROOT, "build", "nilo");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
// Debian's python3 has the packages the tests need; another one on the PATH may not.
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";
const TIMEOUT_MS = 20_000;

const cases = [];
let cleanups = []; // of the running case, ended in reverse
let logs = []; // functions that give a text to show when the case fails

export function test(name, body) {
  cases.push({ name, body });
}

export async function run() {
  const wanted = process.argv[2];
  let failed = 0;
  for (const { name, body } of cases) {
    if (wanted && !name.includes(wanted)) continue;
    cleanups = [];
    logs = [];
    let failure;
    try {
      await body();
    } catch (error) {
      failure = error;
    }
    const shown = failure ? logs.map((log) => log()) : [];
    await endAll().catch((error) => (failure ??= error));
    console.log(failure ? `not ok ${name}` : `ok ${name}`);
    if (!failure) continue;
    failed += 1;
    for (const text of [failure.stack ?? String(failure), ...shown]) {
      console.log(text.replace(/^/gm, "#   "));
    }
  }
  process.exit(failed ? 1 : 0);
}

export function atEnd(cleanup) {
  cleanups.push(cleanup);
}

// Ends what was started, the last first; run() does so after each case.
export async function endAll() {
  let failure;
  for (const cleanup of cleanups.reverse()) {
    try {
      await cleanup();
    } catch (error) {
      failure ??= error;
    }
  }
  cleanups = [];
  if (failure) throw failure;
}

export async function waitUntil(condition, what, timeoutMs = TIMEOUT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs} ms: not yet ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function assert(holds, message) {
  if (!holds) throw new Error(message);
}

export async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), "nilo-browser-"));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

// Free now; nobody else on this machine picks from the same range at the same time.
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// A program of ours and what it printed.
class Program {
  constructor(command, args, env = {}) {
    this.output = "";
    this.process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    logs.push(() => `${command} ${args.join(" ")}\n${this.output.slice(-6000)}`);
    atEnd(() => this.end("SIGKILL"));
  }
  async end(signal) {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
    }
    return this.ended;
  }
  // The first match of `pattern` in what it printed.
  printed(pattern) {
    return waitUntil(() => this.output.match(pattern), `printed: ${pattern}`);
  }
}

// The tanks' stack, but that a reading may say itself when it was: {"distance": 47, "time": ms}.
export const takingTime = (toml) =>
  toml.replace("AS device_id, distance\n", "AS device_id, distance, time\n");

// `nilo serve` of a copy of examples/water-tanks, whose nilo.toml goes through `change`; `files` (a
// path in the stack: its text) come over it.
export class Server {
  static async start({ flags = [], change = (text) => text, files = {}, env = {} } = {}) {
    const server = new Server();
    const folder = await makeFolder();
    server.stack = join(folder, "stack");
    server.data = join(folder, "data");
    server.flags = flags;
    server.env = env;
    await cp(join(ROOT, "examples", "water-tanks"), server.stack, { recursive: true });
    server.mqttPort = await freePort();
    server.httpPort = await freePort();
    server.url = `http://127.0.0.1:${server.httpPort}`;
    const file = join(server.stack, "nilo.toml");
    await writeFile(file, change(await readFile(file, "utf8"), server));
    for (const [path, text] of Object.entries(files)) await writeFile(join(server.stack, path), text);
    await server.start();
    return server;
  }

  async start() {
    this.program = new Program(
      NILO,
      ["serve", this.stack, "--data", this.data, "--mqtt", `127.0.0.1:${this.mqttPort}`]
        .concat(["--http", `127.0.0.1:${this.httpPort}`, ...this.flags]),
      this.env,
    );
    await waitUntil(async () => {
      assert(this.program.process.exitCode === null, `nilo ended:\n${this.program.output}`);
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      return answer?.ok;
    }, "healthy");
  }

  async stop() {
    const code = await this.program.end("SIGTERM");
    assert(code === 0, `nilo ended with ${code}`);
  }
  kill() {
    return this.program.end("SIGKILL");
  }

  async setupCode() {
    return (await this.program.printed(/[Ss]etup code\s+(\S+)/))[1];
  }
  async adminToken() {
    return (await readFile(join(this.data, "admin.token"), "utf8")).trim();
  }
  // GET (or what `init` says) with the machine owner's token; the JSON answer.
  async json(path, init = {}) {
    const headers = { authorization: `Bearer ${await this.adminToken()}`, ...init.headers };
    const answer = await fetch(this.url + path, { ...init, headers });
    assert(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  }

  // mosquitto_pub at QoS 1: acknowledged means durable.
  async publish(topic, payload, ...more) {
    const args = ["-h", "127.0.0.1", "-p", String(this.mqttPort), "-q", "1", "-t", topic]
      .concat(["-m", typeof payload === "string" ? payload : JSON.stringify(payload), ...more]);
    await command("mosquitto_pub", args);
  }
  async publishAsOwner(topic, payload) {
    await this.publish(topic, payload, "-u", "owner", "-P", await this.adminToken());
  }
  // An mqtt.js client, the machine owner's if `options` say nothing else. Rejects when refused.
  async connect(options = {}) {
    const login = options.password ? {} : { username: "owner", password: await this.adminToken() };
    const client = await mqtt.connectAsync(
      `mqtt://127.0.0.1:${this.mqttPort}`,
      { reconnectPeriod: 0, ...login, ...options },
      false, // one try
    );
    atEnd(() => client.endAsync(true));
    return client;
  }

  // The first user, as /setup makes one; `cookie` is his session from then on.
  async claim(name = "ana", password = "a tank is a tank") {
    const answer = await fetch(`${this.url}/api/v1/setup`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.url },
      body: JSON.stringify({ code: await this.setupCode(), name, password }),
    });
    assert(answer.ok, `setup: ${answer.status} ${await answer.clone().text()}`);
    const [, cookie, value] = answer.headers.get("set-cookie").match(/^([^=]+)=([^;]+)/);
    this.cookie = { name: cookie, value, url: this.url };
  }
}

// As pasted into a terminal.
export const shell = (line) => command("/bin/bash", ["-c", line]);

export async function command(program, args) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(" ")}: ${stderr || error.message}`));
      else resolve(stdout);
    });
  });
}

// A real SMTP server (aiosmtpd). `mails` grows: {from, to, subject, text, html, pictures, headers}.
export class Mailbox {
  static async start() {
    const box = new Mailbox();
    box.port = await freePort();
    box.program = new Program(PYTHON, [join(ROOT, "tests/browser/mailbox.py"), String(box.port)]);
    await box.program.printed(/^ready$/m);
    return box;
  }
  get mails() {
    const lines = this.program.output.split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line));
  }
  mail(matches, what) {
    return waitUntil(() => this.mails.find(matches), `a mail: ${what}`);
  }
}

// Things no page of ours may ever do; each walk ends by looking at `watch.mistakes`.
class Watch {
  constructor(origin) {
    this.origin = origin;
    this.mistakes = [];
    this.expected = []; // patterns of console errors that the walk provokes
  }
  async attach(context) {
    await context.route("**/*", (route) => {
      const url = route.request().url();
      if (url.startsWith(this.origin) || url.startsWith("data:") || url.startsWith("blob:")) {
        return route.continue();
      }
      this.mistakes.push(`a request leaves the house: ${url}`);
      return route.abort();
    });
    context.on("page", (page) => this.listen(page));
  }
  listen(page) {
    page.on("pageerror", (error) => this.mistakes.push(`page error: ${error.stack ?? error}`));
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const text = `${message.text()} (${message.location().url})`;
      // A refused request is in the console whether the page handles it well or not.
      if (this.expected.some((pattern) => pattern.test(text))) return;
      this.mistakes.push(`console: ${text}`);
    });
  }
}

// A browser window of its own, logged in if there is a `cookie` (server.cookie). `options` are
// playwright's (colorScheme, viewport, timezoneId, ...).
export class Window {
  static async open(origin, { cookie, ...options } = {}) {
    const window = new Window();
    window.watch = new Watch(origin);
    window.context = await (await sharedBrowser()).newContext({
      baseURL: origin,
      viewport: { width: 1280, height: 860 },
      ...options,
    });
    atEnd(() => window.context.close());
    if (cookie) await window.context.addCookies([cookie]);
    await window.watch.attach(window.context);
    window.page = await window.context.newPage();
    window.page.setDefaultTimeout(TIMEOUT_MS);
    return window;
  }

  // What stands in every walk: nothing left the house, no error, no sideways scroll, axe content.
  async check(what) {
    assert(this.watch.mistakes.length === 0, `${what}: ${this.watch.mistakes.join("\n")}`);
    const page = this.page;
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert(excess <= 0, `${what}: scrolls sideways by ${excess} px`);
    const violations = await this.axe();
    assert(violations.length === 0, `${what}: axe\n${violations.join("\n")}`);
  }

  // axe-core by the debugger's hand, for the pages' own policy would rightly refuse it.
  async axe() {
    const source = await readFile(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    const { violations } = await this.page.evaluate(() =>
      globalThis.axe.run(document, { resultTypes: ["violations"] }),
    );
    return violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`,
    );
  }
}

let browser;
async function sharedBrowser() {
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"].concat([
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]),
  });
  return browser;
}

// `options` are playwright's: { fullPage: true }.
export async function saveScreen(page, name, options = {}) {
  // Into the documentation only when asked: pictures differ in a pixel from run to run.
  const folder = join(ROOT, process.env.NILO_SCREENS ?? "build/screens");
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", ...options });
}

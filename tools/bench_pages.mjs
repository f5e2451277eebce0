// How fast the pages are, in Debian's chromium against `nilo serve`; prints JSON. Run by
// `make bench ARGS=pages` (tools/bench.py says what each figure is).
//
//   node tools/bench_pages.mjs [drawn crowd switch heap]
//
// All that measures is put into the browser from here; nothing of it is in the product.
import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import WebSocket from "ws";
import { ROOT, Server, Window, assert, endAll, makeFolder, waitUntil } from "../tests/browser/harness.mjs";

const SECONDS = Number(process.env.SECONDS ?? 10);
const HEAP_MINUTES = Number(process.env.HEAP_MINUTES ?? 2);
const NILO = process.env.NILO ?? join(ROOT, "build", "nilo");
const RATE = 10_000;
const THINGS = 1000;
const OPEN_PAGES = 100;
const TICKS_PER_S = 100; // of /proc/PID/stat

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const round = (value, digits = 1) => Number(value.toFixed(digits));

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
}

// --- From the server's receive time to the stroke of the chart.

const READINGS = `
[table.readings]
key = ["device_id int", "time timestamp"]
columns = { temperature = { type = "double", unit = "°C" } }
thing = "device-{device_id}"

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, mod(timestamp(), 60000) / 1000.0 AS temperature FROM 'latency/+'"
put = "readings"

[tables]
memory = "2GB"
`;
const FIELDS = ["device-1/temperature", "device-2/temperature", "device-3/temperature"];
const READINGS_PAGE = `[[page]]
id = "readings"
title = "Readings"
range = "15m"
[[page.panel]]
kind = "chart"
of = ${JSON.stringify(FIELDS)}
`;

// Remembers what each frame of the WebSocket carried, until the chart is stroked: the time of its
// last stroke in that task, less the server's time of each value.
function watchStrokes() {
  window.delays = [];
  window.arrivals = [];
  let waiting = [];
  let stroked = null;
  const clock = () => performance.timeOrigin + performance.now();
  window.WebSocket = class extends window.WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type !== "values") return;
        for (const time of frame.values.flatMap(({ t }) => t)) {
          waiting.push(time);
          window.arrivals.push(clock() - time);
        }
      });
    }
  };
  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...given) {
    stroke.apply(this, given);
    if (!this.canvas.closest(".plot")) return;
    if (stroked === null) {
      const carried = waiting;
      waiting = [];
      setTimeout(() => {
        for (const time of carried) window.delays.push(stroked - time);
        stroked = null;
      });
    }
    stroked = clock();
  };
}

// The control: a page of the same origin that draws nothing. It notes when frames of the WebSocket
// come, how old their values are, and how long it is from one animation frame to the next.
function watchBare(fields) {
  window.bareArrivals = [];
  window.frames = [];
  const clock = () => performance.timeOrigin + performance.now();
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/v1/ws`);
  socket.onmessage = ({ data }) => {
    const now = clock();
    const frame = JSON.parse(data);
    if (frame.type === "hello") socket.send(JSON.stringify({ op: "subscribe", id: "1", fields }));
    if (frame.type === "values") window.bareArrivals.push(...frame.values.flatMap(({ t }) => t).map((time) => now - time));
  };
  let last = performance.now();
  const next = () => {
    const now = performance.now();
    window.frames.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}

// A point is shown when it is on disk: how long does a small write of our own take to get there?
async function syncTimes(seconds) {
  const file = await open(join(await makeFolder(), "probe"), "w");
  const times = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const began = performance.now();
    await file.write(Buffer.alloc(4096), 0, 4096, 0);
    await file.datasync();
    times.push(performance.now() - began);
    await pause(50);
  }
  await file.close();
  return times;
}

async function bare(page, seconds) {
  // The first page without its programs: of the same origin, and allowed to connect to it.
  await page.route("**/*.js", (route) => route.abort());
  await page.goto("/");
  await page.evaluate(watchBare, FIELDS);
  await waitUntil(() => page.evaluate(() => window.bareArrivals.length > 0), "a bare point");
  await page.evaluate(() => { window.bareArrivals = []; window.frames = []; });
  const syncs = await syncTimes(seconds);
  const [arrivals, frames] = await page.evaluate(() => [window.bareArrivals, window.frames]);
  return {
    sync_p50_ms: percentile(syncs, 0.5), sync_p99_ms: percentile(syncs, 0.99),
    bare_arrived_p50_ms: percentile(arrivals, 0.5), bare_arrived_p99_ms: percentile(arrivals, 0.99),
    bare_frame_p50_ms: percentile(frames, 0.5), bare_frame_p99_ms: percentile(frames, 0.99),
  };
}

async function drawn() {
  const server = await Server.start({
    flags: ["--open"], change: () => READINGS, files: { "pages/tanks.toml": READINGS_PAGE },
  });
  // One tick of 2 ms, not spinning: the load must leave the cores to what is measured.
  const args = ["bench", "latency", "--port", String(server.mqttPort), "--rate", String(RATE), "--tick-ms", "2"]
    .concat(["--connections", String(THINGS), "--seconds", String(2 * SECONDS + 10)]);
  const load = spawn(NILO, args, { stdio: ["ignore", "pipe", "ignore"] });
  let report = "";
  load.stdout.on("data", (text) => (report += text));
  const isLoaded = new Promise((resolve) => load.on("close", resolve));
  const window = await Window.open(server.url);
  const { page } = window;
  await page.addInitScript(watchStrokes);
  await waitUntil(async () => (await server.json("/api/v1/things?limit=1")).total >= THINGS, "all things");
  await page.goto("/p/readings");
  await page.locator(".plot canvas").waitFor();
  await waitUntil(() => page.evaluate(() => window.delays.length > 0), "a drawn point");
  const seconds = Math.max(1, SECONDS - 2);
  await pause(2000); // warm
  await page.evaluate(() => { window.delays = []; window.arrivals = []; });
  const before = (await server.json("/api/v1/status")).messages;
  await pause(seconds * 1000);
  const [delays, arrivals] = await page.evaluate(() => [window.delays, window.arrivals]);
  const { messages } = await server.json("/api/v1/status");
  const control = await bare(page, seconds);
  await page.close();
  await isLoaded;
  const raw = JSON.parse(report);
  return {
    messages_per_s: Math.round((messages - before) / seconds), points: delays.length,
    p50_ms: percentile(delays, 0.5), p99_ms: percentile(delays, 0.99),
    // Of which: until the browser has the message; and what a bare MQTT subscriber saw in this run.
    arrived_p50_ms: percentile(arrivals, 0.5), arrived_p99_ms: percentile(arrivals, 0.99),
    mqtt_p50_ms: round(raw.p50_ms, 2), mqtt_p99_ms: round(raw.p99_ms, 2), ...control,
  };
}

// --- A hundred pages that are open.

// Ticks of CPU the server has used.
async function cpuTicks(server) {
  const stat = await readFile(`/proc/${server.program.process.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function coresOf(server, seconds) {
  const [ticks, began] = [await cpuTicks(server), performance.now()];
  await pause(seconds * 1000);
  return (await cpuTicks(server) - ticks) / TICKS_PER_S / ((performance.now() - began) / 1000);
}

// What a page of the tanks asks for, and does every ten seconds.
async function openPage(server) {
  const headers = { authorization: `Bearer ${await server.adminToken()}` };
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/ws`, { headers, origin: server.url });
  const page = { socket, points: 0 };
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.type === "values") page.points += frame.values.reduce((sum, { t }) => sum + t.length, 0);
  });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  for (const request of [{ fields: ["tank-*/percent"] }, { fields: ["tank-*/percent"] }, { alerts: true }]) {
    socket.send(JSON.stringify({ op: "subscribe", id: String(page.next = (page.next ?? 0) + 1), ...request }));
  }
  page.timer = setInterval(() => fetch(`${server.url}/api/v1/status`, { headers }).then((answer) => answer.text()), 10_000);
  return page;
}

// `perSecond` readings of three tanks until `until()`.
async function publish(server, perSecond, isOver) {
  const client = await server.connect();
  const began = performance.now();
  for (let sent = 0; !isOver(); ++sent) {
    await client.publishAsync(`water${(sent % 3) + 1}/pub`, `{"distance":${30 + (sent % 20)}}`, { qos: 1 });
    const wait = began + ((sent + 1) / perSecond) * 1000 - performance.now();
    if (wait > 0) await pause(wait);
  }
}

async function crowd() {
  const server = await Server.start();
  const pages = [];
  while (pages.length < OPEN_PAGES) pages.push(await openPage(server));
  const cores = {};
  for (const [name, perSecond] of [["tanks", 3 / 20], ["at_100", 100]]) {
    let isOver = false;
    const before = pages.reduce((sum, { points }) => sum + points, 0);
    const publishing = publish(server, perSecond, () => isOver);
    const seconds = name === "tanks" ? 20 : SECONDS;
    cores[name] = round(await coresOf(server, seconds), 3);
    isOver = true;
    const points = pages.reduce((sum, page) => sum + page.points, 0) - before;
    cores[`${name}_points_per_s`] = Math.round(points / seconds);
    if (name !== "tanks") await publishing;
  }
  for (const { socket, timer } of pages) {
    clearInterval(timer);
    socket.terminate();
  }
  return { pages: pages.length, ...cores };
}

// --- From the click to the frame in which the next page stands, with what it shows.

async function switches() {
  const server = await Server.start();
  await server.claim();
  for (const tank of [1, 2, 3]) await server.publishAsOwner(`water${tank}/pub`, { distance: 40 });
  const { page } = await Window.open(server.url, { cookie: server.cookie });
  await page.goto("/");
  await page.getByText(/55\.06/).first().waitFor();
  // What each page shows when it is complete.
  const stops = [
    ["/p/tanks", ".tank-drawing"], ["/things", "tbody tr"], ["/alerts", "main .tabs, main nav"], ["/live", ".live-grid"],
    ["/settings", ".facts"], ["/", ".tile"],
  ];
  const took = {};
  for (let lap = 0; lap < 6; ++lap) {
    for (const [path, ready] of stops) {
      const ms = await page.evaluate(([to, selector]) => new Promise((resolve) => {
        const link = document.querySelector(`nav a[href="${to}"]`);
        const began = performance.now();
        link.click();
        const look = () => {
          const isThere = location.pathname === to && document.querySelector(`main ${selector}`.replace(/main main/, "main"));
          if (isThere) requestAnimationFrame(() => resolve(performance.now() - began));
          else requestAnimationFrame(look);
        };
        look();
      }), [path, ready]);
      if (lap > 0) (took[path] ??= []).push(ms); // the first lap loads what is not there yet
    }
  }
  const all = Object.values(took).flat();
  const each = Object.fromEntries(Object.entries(took).map(([path, times]) => [path, percentile(times, 0.5)]));
  return { p50_ms: percentile(all, 0.5), p95_ms: percentile(all, 0.95), each };
}

// --- What a page keeps while readings come.

// KB a minute of the line of least squares through [minutes, bytes].
function slope(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [0, 1].map((i) => mean(samples.map((sample) => sample[i])));
  const over = samples.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return over / samples.reduce((sum, [a]) => sum + (a - x) ** 2, 0) / 1000;
}

// A chart of 15 minutes keeps twice that, so until then it grows.
const KEPT_MINUTES = 30;

async function heap() {
  const server = await Server.start();
  await server.claim();
  const window = await Window.open(server.url, { cookie: server.cookie });
  const { page } = window;
  const debug = await window.context.newCDPSession(page);
  let isOver = false;
  const publishing = publish(server, 5, () => isOver);
  await page.goto("/p/tanks?range=15m");
  await page.locator(".plot canvas").waitFor();
  await pause(10_000); // caches fill
  const began = performance.now();
  const samples = [];
  while (performance.now() - began < HEAP_MINUTES * 60_000) {
    await debug.send("HeapProfiler.collectGarbage");
    const { usedSize } = await debug.send("Runtime.getHeapUsage");
    samples.push([(performance.now() - began) / 60_000, usedSize]);
    await pause((HEAP_MINUTES * 60_000) / 12);
  }
  isOver = true;
  await publishing;
  const full = samples.filter(([minutes]) => minutes >= KEPT_MINUTES);
  return {
    minutes: HEAP_MINUTES, first_kb: Math.round(samples[0][1] / 1000), last_kb: Math.round(samples.at(-1)[1] / 1000),
    kb_per_minute: round(slope(samples)), full_kb_per_minute: full.length < 3 ? null : round(slope(full)),
    samples_kb: samples.map(([, size]) => Math.round(size / 1000)),
  };
}

const PARTS = { drawn, crowd, switch: switches, heap };
const wanted = process.argv.slice(2);
for (const name of wanted) assert(PARTS[name], `no part ${name}; there are: ${Object.keys(PARTS).join(" ")}`);
const figures = {};
for (const name of wanted.length ? wanted : Object.keys(PARTS)) {
  figures[name] = await PARTS[name]();
  await endAll();
}
console.log(JSON.stringify(figures));
process.exit(0);

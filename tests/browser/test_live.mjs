// A page that stays open: it sleeps and returns, the network goes and comes, the server is restarted;
// afterwards the chart has every reading once. Clocks of other countries, ten thousand things, and
// nothing that moves for who asked for that.
import { connect, createServer } from "node:net";
import { Server, Window, assert, atEnd, run, takingTime, test, waitUntil } from "./harness.mjs";

const SECOND = 1000;

// Between the browser and the server: a cable that can be pulled.
class Cable {
  static async to(port) {
    const cable = new Cable();
    cable.sockets = new Set();
    cable.isCut = false;
    cable.server = createServer((socket) => cable.join(socket, port));
    await new Promise((resolve) => cable.server.listen(0, "127.0.0.1", resolve));
    cable.url = `http://127.0.0.1:${cable.server.address().port}`;
    atEnd(() => { cable.cut(); cable.server.close(); });
    return cable;
  }
  join(socket, port) {
    if (this.isCut) return socket.destroy();
    const other = connect(port, "127.0.0.1");
    for (const [from, to] of [[socket, other], [other, socket]]) {
      this.sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => { this.sockets.delete(from); to.destroy(); });
      from.pipe(to);
    }
    return socket;
  }
  cut() {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }
  mend() {
    this.isCut = false;
  }
}

// Readings of tank 1, two seconds apart and each another one, so that a chart draws them all.
class Readings {
  static async from(server) {
    const readings = new Readings();
    readings.server = server;
    readings.time = Date.now() - 240 * SECOND;
    readings.sent = [];
    return readings;
  }
  async send(count) {
    const client = await this.server.connect();
    for (let i = 0; i < count; ++i) {
      this.time += 2 * SECOND;
      const distance = 20 + this.sent.length * 0.5;
      this.sent.push(((100 * (89 - distance)) / 89).toFixed(2));
      await client.publishAsync("water1/pub", JSON.stringify({ distance, time: this.time }), { qos: 1 });
    }
    await client.endAsync();
  }
}

// What the chart holds, oldest first: its own table of readings.
async function drawn(page) {
  const cells = await page.locator(".chart-table tbody tr td.r").allInnerTexts();
  return cells.map((text) => text.replace(/\s*%$/, "")).reverse();
}

async function drawsAll(page, readings, what) {
  let shown = [];
  await waitUntil(async () => {
    shown = await drawn(page);
    return shown.at(-1) === readings.sent.at(-1);
  }, `${what}: the newest reading ${readings.sent.at(-1)} in the chart`);
  assert(JSON.stringify(shown) === JSON.stringify(readings.sent),
    `${what}: sent ${readings.sent.join(" ")}\ndrawn ${shown.join(" ")}`);
}

const isLost = (page) => page.getByText(/no connection/i).first();

async function openChart(server, origin) {
  await server.claim();
  const readings = await Readings.from(server);
  await readings.send(10);
  const window = await Window.open(origin ?? server.url, { cookie: { ...server.cookie, url: origin ?? server.url } });
  window.watch.expected.push(/ERR_|WebSocket connection to/); // a cable is pulled
  const { page } = window;
  // A tab that is put away, which headless chromium has not: the same words to the page.
  await page.addInitScript(() => {
    let isAway = false;
    Object.defineProperty(document, "hidden", { get: () => isAway });
    window.putAway = (away) => {
      isAway = away;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  await page.goto("/p/tanks?range=15m");
  await page.getByRole("button", { name: "Table" }).first().click();
  await drawsAll(page, readings, "at first");
  await readings.send(5);
  await drawsAll(page, readings, "live");
  return { window, page, readings };
}

test("a tab that was put away, and frozen, has every reading once", async () => {
  const server = await Server.start({ change: takingTime });
  const { window, page, readings } = await openChart(server);
  const debug = await window.context.newCDPSession(page);
  for (let i = 0; i < 3; ++i) {
    await page.evaluate(() => window.putAway(true));
    await debug.send("Page.setWebLifecycleState", { state: "frozen" });
    await readings.send(5);
    await debug.send("Page.setWebLifecycleState", { state: "active" });
    await page.evaluate(() => window.putAway(false));
    await drawsAll(page, readings, `back the ${i + 1}. time`);
    await readings.send(3);
    await drawsAll(page, readings, `live after the ${i + 1}. time`);
  }
  await window.check("a tab that slept");
});

test("a cable that is pulled, and put back, costs no reading", async () => {
  const server = await Server.start({ change: takingTime });
  const cable = await Cable.to(server.httpPort);
  const { window, page, readings } = await openChart(server, cable.url);
  for (let i = 0; i < 2; ++i) {
    cable.cut();
    await isLost(page).waitFor();
    await readings.send(5);
    cable.mend();
    await drawsAll(page, readings, "back");
    await isLost(page).waitFor({ state: "hidden" });
    await readings.send(3);
    await drawsAll(page, readings, "live again");
  }
  await window.check("a cable that was pulled");
});

test("a server that starts again is found again, with every reading once", async () => {
  const server = await Server.start({ change: takingTime });
  const { window, page, readings } = await openChart(server);
  for (const end of ["stop", "kill"]) {
    await server[end]();
    await isLost(page).waitFor();
    await server.start();
    await readings.send(5);
    await drawsAll(page, readings, `after ${end}`);
    await isLost(page).waitFor({ state: "hidden" });
    await readings.send(3);
    await drawsAll(page, readings, `live after ${end}`);
  }
  await window.check("a server that was restarted");
});

// How many animations were seen while the level of a tank changed.
async function movement(server, options) {
  const window = await Window.open(server.url, { cookie: server.cookie, ...options });
  const { page } = window;
  await page.goto("/p/tanks");
  await page.getByText(/47\.19/).first().waitFor();
  await page.evaluate(() => {
    window.seen = 0;
    const look = () => {
      window.seen = Math.max(window.seen, document.getAnimations().length);
      requestAnimationFrame(look);
    };
    look();
  });
  await server.publishAsOwner("water1/pub", { distance: 60 });
  await page.getByText(/32\.58/).first().waitFor();
  await server.publishAsOwner("water1/pub", { distance: 47 });
  await page.getByText(/47\.19/).first().waitFor();
  const seen = await page.evaluate(() => window.seen);
  await window.context.close();
  return seen;
}

test("water stands still for who wants less motion", async () => {
  const server = await Server.start();
  await server.claim();
  await server.publishAsOwner("water1/pub", { distance: 47 });
  assert(await movement(server, {}) > 0, "the level moves");
  const seen = await movement(server, { reducedMotion: "reduce" });
  assert(seen === 0, `${seen} animations`);
});

test("a reading that is none is no level on the overview, and the last good one keeps its age", async () => {
  const server = await Server.start({ change: takingTime });
  await server.claim();
  await server.publishAsOwner("water1/pub", { distance: 35, time: Date.now() - 40 * 60 * SECOND });
  const { page, ...window } = await Window.open(server.url, { cookie: server.cookie });
  await page.goto("/");
  const tile = page.locator("a.tile", { hasText: "Barn" });
  const value = tile.locator(".tile-value");
  await value.filter({ hasText: "60.67" }).waitFor();
  await server.publishAsOwner("water1/pub", { distance: 0 }); // no echo; nothing is loaded again by hand
  await value.filter({ hasText: /^\u2013$/ }).waitFor();
  await tile.getByText(/last good 60\.67.%.*40.min ago/).waitFor();
  assert(await tile.getByText("Invalid reading").count() === 1, "the tile says why");
  await page.goto("/things");
  await page.getByRole("row", { name: /Barn/ }).getByText(/last good 60\.67.%.*40.min ago/).waitFor();
  await page.goto("/");
  await value.filter({ hasText: /^\u2013$/ }).waitFor();
  await server.publishAsOwner("water1/pub", { distance: 40 });
  await value.filter({ hasText: "55.06" }).waitFor();
  assert(await tile.getByText("last good").count() === 0, "a good one ends it");
  assert(window.watch.mistakes.length === 0, window.watch.mistakes.join("\n"));
});

const CHARTS = `[[page]]
id = "charts"
range = "15m"

  [[page.panel]]
  kind = "chart"
  of = ["tank-1/percent"]

  [[page.panel]]
  kind = "chart"
  of = ["tank-1/percent"]
  every = "1h"
`;

test("a chart says what it draws, also what comes live and what is drawn of intervals", async () => {
  const server = await Server.start({ change: takingTime, files: { "pages/charts.toml": CHARTS } });
  await server.claim();
  const readings = await Readings.from(server);
  await readings.send(10);
  const window = await Window.open(server.url, { cookie: server.cookie });
  await window.page.goto("/p/charts");
  const [live, intervals] = [0, 1].map((i) => window.page.getByTestId("chart-canvas").nth(i));
  const says = (chart, pattern) => waitUntil(async () => pattern.test(await chart.getAttribute("aria-label")), `said: ${pattern}`)
    .catch(async (error) => { throw new Error(`${error.message}; instead ${await chart.getAttribute("aria-label")}`); });
  await says(live, /^Chart\. Barn: 72\.5 to 77\.5.%, highest \d\d:\d\d, now 72\.5, falling\. Arrow keys/);
  await says(intervals, /^Chart, mean every 1h\. Barn: (7\d\.\d+ to 7\d\.\d+.%, highest|one reading)/);
  await readings.send(5);
  await says(live, /Barn: 69\.7 to 77\.5.%, highest \d\d:\d\d, now 69\.7, falling/);
  await window.check("charts and their sentences");
});

test("times are those of the site, wherever the browser is", async () => {
  const server = await Server.start({ change: takingTime });
  await server.claim();
  const time = Date.now() - 60 * SECOND;
  await server.publishAsOwner("water1/pub", { distance: 47, time });
  const [clock, name] = [{ hour: "2-digit", minute: "2-digit", second: "2-digit" }, { timeZoneName: "short" }]
    .map((options) => new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Rome", ...options }));
  const zoneName = name.formatToParts(time).find(({ type }) => type === "timeZoneName").value;
  for (const timezoneId of ["Africa/Cairo", "Australia/Lord_Howe", "America/St_Johns"]) {
    const { page, ...window } = await Window.open(server.url, { cookie: server.cookie, timezoneId });
    const own = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
    assert(own === timezoneId, own);
    await page.goto("/p/tanks?range=1h");
    await page.getByRole("button", { name: "Table" }).first().click();
    const cell = await page.locator(".chart-table tbody td").first().innerText();
    assert(cell.includes(`${clock.format(time)} ${zoneName}`), `${timezoneId}: ${cell}`);
    await page.getByText("Europe/Rome").first().waitFor();
    assert(window.watch.mistakes.length === 0, window.watch.mistakes.join());
  }
});

test("ten thousand things come fifty at a time, and are found", async () => {
  const server = await Server.start();
  await server.claim();
  const client = await server.connect();
  const count = 10_000;
  for (let first = 1; first <= count; first += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, i) =>
      client.publishAsync(`water${first + i}/pub`, '{"distance":47}', { qos: 1 })));
  }
  const window = await Window.open(server.url, { cookie: server.cookie });
  const { page } = window;
  const sizes = [];
  page.on("response", async (response) => {
    if (!new URL(response.url()).pathname.endsWith("/things")) return;
    sizes.push((await response.json().catch(() => ({ things: [] }))).things.length);
  });
  await page.goto("/things");
  await page.getByText("50 of 10,000").waitFor();
  const seen = new Set();
  const rows = () => page.locator("tbody tr th a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  for (let i = 0; i < 20; ++i) {
    const before = await rows();
    for (const row of before) {
      assert(!seen.has(row), `${row} comes twice`);
      seen.add(row);
    }
    await page.getByRole("button", { name: /^Next/ }).click();
    await waitUntil(async () => (await rows())[0] !== before[0], "the next fifty");
  }
  assert(seen.size === 20 * 50, `${seen.size} things on 20 pages`);
  await page.getByLabel(/Search things/).fill("tank-9876");
  await page.getByText("1 of 1", { exact: true }).waitFor();
  await page.getByRole("link", { name: "tank-9876" }).click();
  await page.getByRole("heading", { name: "tank-9876" }).waitFor();
  assert(Math.max(...sizes) <= 50, `${Math.max(...sizes)} things in one answer`);
  await window.check("one of ten thousand");
});

const ALARMS = `[[page]]
id = "alarms"

  [[page.panel]]
  kind = "alerts"
  of = ["tank-1/percent"]
  title = "First"

  [[page.panel]]
  kind = "alerts"
  of = ["tank-*/percent"]
  limit = 3
  title = "All of them"
`;

test("a tank that alarms is seen behind a thousand others that do", async () => {
  const server = await Server.start({
    files: { "pages/alarms.toml": ALARMS }, change: (toml) => toml.replace('"type:tank/percent"', '"tank-*/percent"'),
  });
  await server.claim();
  const client = await server.connect();
  const count = 1_100;
  const isOpen = (number) => waitUntil(async () => (await server.json("/api/v1/status")).alerts.open === number, `${number} open`);
  await client.publishAsync("water1/pub", '{"distance":75}', { qos: 1 });
  await isOpen(1); // the oldest, so the last of the list
  await Promise.all(Array.from({ length: count - 1 }, (_, i) => client.publishAsync(`water${i + 2}/pub`, '{"distance":80}', { qos: 1 })));
  await isOpen(count);
  const window = await Window.open(server.url, { cookie: server.cookie });
  const { page } = window;
  await page.goto("/p/alarms");
  const panel = (title) => page.locator("section.panel", { has: page.getByRole("heading", { name: title }) });
  await panel("First").getByText(/Barn is .*15\.73/).waitFor();
  await panel("All of them").getByText("1,097 more").waitFor();
  await window.check("a thousand alerts");
});

await run();

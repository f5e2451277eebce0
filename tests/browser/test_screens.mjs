// Every view as people see it, in light, in dark and on a phone: with a week of readings, a problem,
// a refused device. Each is checked (axe, console, policy, nothing leaves, no sideways scroll), all its
// controls are reached by the keyboard, and its picture lies in build/screens.
//
//   NILO_SCREENS=docs/screens node tests/browser/test_screens.mjs    renews those of the documentation
import { Mailbox, Server, Window, assert, run, saveScreen, takingTime, test, waitUntil } from "./harness.mjs";

const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const STEP = 10 * MINUTE;
const IN_FLIGHT = 300;
const SILENT_S = 45; // longer than the pictures of a quiet day take

// A week of readings is sent in a moment, as each says when it was.
const withHistory = (box) => (toml, server) => `${takingTime(toml)
  .replace(/^url\s*=.*$/m, `url = "${server.url}"`)
  .replace(/^"tank-3".*$/m, `$&\n"tank-4" = { type = "tank", name = "Meadow" }`)}
[alert.meadow]
of = "tank-4/percent"
silent = "${SILENT_S}s"

[alert.level.mail]
to = ["ana@example.org"]
subject = "\${thing.name} almost \${state}"
text = "\${thing.name} is at \${value} % (\${distance} cm)."

[mail]
server = "127.0.0.1"
port = ${box.port}
tls = "none"
from = "Water tanks <tanks@example.org>"
`;

// How full the tanks are, every ten minutes of a week: filled by showers that last two hours, emptied
// by use while people are awake. A shower: so many days ago, so many percent in all.
const TANKS = [
  { showers: [[5.6, 21], [2.3, 26]], now: 61, use: 5 },
  { showers: [[6.1, 24], [3.4, 18]], now: 26, use: 8 },
  { showers: [[5.6, 12], [2.3, 15], [0.8, 9]], now: 70, use: 4 },
  { showers: [[4.9, 17], [2.3, 20]], now: 44, use: 6 },
];
const SHOWER = 2 / 24;
function levels({ showers, now, use }, end) {
  const out = [];
  let level = now;
  for (let time = end; time >= end - 7 * DAY; time -= STEP) {
    out.unshift({ time, level: Math.max(22, Math.min(78, level)) });
    const daysAgo = (end - time) / DAY;
    const hour = (time % DAY) / (60 * MINUTE);
    if (hour >= 6 && hour < 21) level += (use * STEP) / (15 * 60 * MINUTE);
    for (const [when, rise] of showers) {
      if (daysAgo >= when && daysAgo < when + SHOWER) level -= (rise * STEP) / (SHOWER * DAY);
    }
  }
  return out;
}
const centimetres = (percent) => Math.round(89 - (percent / 100) * 89);

async function publishHistory(server) {
  const client = await server.connect({ clientId: "history" });
  const rows = TANKS.flatMap((tank, i) => levels(tank, Date.now() - MINUTE)
    .map(({ time, level }) => ({ topic: `water${i + 1}/pub`, time, distance: centimetres(level) })))
    .sort((one, other) => one.time - other.time);
  for (let at = 0; at < rows.length; at += IN_FLIGHT) {
    await Promise.all(rows.slice(at, at + IN_FLIGHT).map(({ topic, ...reading }) =>
      client.publishAsync(topic, JSON.stringify(reading), { qos: 1 })));
  }
}

// Every control that can be used is reached by Tab, and shows that it is.
async function keyboardReachesAll(page, what) {
  await page.evaluate(() => document.activeElement?.blur());
  const wanted = await page.evaluate(() => {
    const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
      .filter((node) => !node.disabled && node.tabIndex >= 0 && node.checkVisibility({ checkVisibilityCSS: true }));
    window.reached = new Set();
    window.wanted = controls;
    return controls.length;
  });
  for (let i = 0; i < wanted + 5; ++i) {
    await page.keyboard.press("Tab");
    const isSeen = await page.evaluate(() => {
      const node = document.activeElement;
      window.reached.add(node);
      if (node === document.body || node.shadowRoot) return true;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
      return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none" || node.outerHTML.slice(0, 200);
    });
    assert(isSeen === true, `${what}: focus is not seen at ${isSeen}`);
  }
  const missed = await page.evaluate(() => window.wanted
    .filter((node) => node.isConnected && !window.reached.has(node)).map((node) => node.outerHTML.slice(0, 160)));
  assert(missed.length === 0, `${what}: the keyboard does not reach\n${missed.join("\n")}`);
  await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); });
}

// In a row of links that is wider than the screen.
async function currentIsInView(page, what) {
  const cut = await page.evaluate(() => [...document.querySelectorAll("nav [aria-current]")]
    .filter((link) => {
      const row = link.closest("nav.tabs, nav.rail ul").getBoundingClientRect();
      const { left, right } = link.getBoundingClientRect();
      return left < row.left - 1 || right > row.right + 1;
    }).map((link) => link.textContent));
  assert(cut.length === 0, `${what}: not whole in view: ${cut.join(", ")}`);
}

// `before`: what to do on the page first. `isLong`: there also is a picture of all that one would
// scroll to.
async function show(windows, name, path, ready, { before = async () => undefined, isLong = false } = {}) {
  for (const [look, window] of Object.entries(windows)) {
    const { page } = window;
    await page.goto(path);
    await before(page);
    await ready(page).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    const ending = look === "light" ? "" : `-${look}`;
    await saveScreen(page, name + ending);
    if (isLong) await saveScreen(page, `${name}-whole${ending}`, { fullPage: true });
    await window.check(`${name}, ${look}`);
    await currentIsInView(page, `${name}, ${look}`);
    await keyboardReachesAll(page, `${name}, ${look}`);
    await page.goto("about:blank"); // lets go of its connection
  }
}

async function openAll(server, cookie) {
  const windows = {};
  for (const [look, options] of Object.entries(LOOKS)) {
    windows[look] = await Window.open(server.url, { cookie, ...options });
  }
  return windows;
}

test("every view, in light, in dark and on a phone", async () => {
  const box = await Mailbox.start();
  const server = await Server.start({ change: withHistory(box) });
  const strangers = await openAll(server);
  await show(strangers, "setup", "/", (page) => page.getByRole("heading", { name: "Set up this server" }));
  await server.claim();
  await show(strangers, "login", "/", (page) => page.getByRole("heading", { name: "Log in" }));

  await publishHistory(server);
  const windows = await openAll(server, server.cookie);
  await show(windows, "overview-quiet", "/", (page) => page.getByText(/60\.67/));

  await show(windows, "settings", "/settings", (page) => page.getByText("Address in mails"));
  await show(windows, "settings-login", "/settings/password", (page) => page.getByRole("rowheader", { name: "ana" }));
  await show(windows, "users", "/settings/users", (page) => page.getByRole("cell", { name: "admin" }));
  await show(windows, "tokens", "/settings/tokens", (page) => page.getByRole("table"));
  await show(windows, "certificates", "/settings/certificates", (page) => page.getByText("No certificates"));
  await show(windows, "add-thing", "/things/new", (page) => page.getByRole("heading", { name: "Add a thing" }));

  // Meadow has been silent since. Orchard runs dry, House is nearly full, Barn's sensor hears no echo,
  // and a device has the wrong password.
  await waitUntil(async () => (await server.json("/api/v1/alerts?thing=tank-4")).alerts.length > 0,
    "Meadow is silent", 2 * SILENT_S * 1000);
  await server.publishAsOwner("water3/pub", { distance: 14 });
  await server.publishAsOwner("water2/pub", { distance: 75 });
  await server.publishAsOwner("water1/pub", { distance: 0 });
  const mail = await box.mail(({ subject }) => subject === "Orchard almost empty", "nearly empty");
  await Promise.all(["greenhouse-4", "pump-house"].map((clientId) => server
    .connect({ clientId, username: "garden", password: "nilo_0000000000000000000000000000000" })
    .then(() => assert(false, "a wrong token gets in"), () => undefined)));
  const { alerts } = await server.json("/api/v1/alerts?state=firing");
  const { id } = alerts.find(({ thing }) => thing === "tank-2");
  await waitUntil(async () => (await server.json(`/api/v1/alerts/${encodeURIComponent(id)}`)).notices
    .some(({ state }) => state === "sent"), "the mail is in the alert's story");

  const before = (page) => page.waitForLoadState("networkidle"); // what a picture draws comes in parts
  await show(windows, "overview", "/", (page) => page.locator(".tile").getByText(/15\.73/), { before });
  await show(windows, "tanks", "/p/tanks", (page) => page.locator(".plot canvas"), { before, isLong: true });
  await show(windows, "thing", "/t/tank-2", (page) => page.locator(".plot canvas"), { before: async (page) => {
    await page.locator(".page-head").getByText("Alert").waitFor();
    await before(page);
  } });
  await show(windows, "things", "/things",
    (page) => page.getByRole("row", { name: /Orchard/ }).filter({ hasText: "Alert" }));
  await show(windows, "alerts", "/alerts", (page) => page.getByText(/Orchard is/));
  await show(windows, "alert", `/alerts/${encodeURIComponent(id)}`, (page) => page.locator(".plot canvas"), { before });
  await show(windows, "refused", "/live/refused", (page) => page.getByText("greenhouse-4"));
  await show(windows, "notices", "/settings/notices", (page) => page.getByText("Orchard almost empty"));
  await show(windows, "editor", "/p/tanks/edit", (page) => page.locator(".cm-content"));
  await show(windows, "mail-link", mail.text.match(/http:\S+\/ack\/\S+/)[0],
    (page) => page.getByRole("button", { name: "Acknowledge" }));

  const client = await server.connect({ clientId: "garden-gateway" });
  await show(windows, "live", "/live", (page) => page.locator(".message").nth(5), { before: async (page) => {
    await waitUntil(async () => {  // until it listens
      await client.publishAsync("garden/hello", "hello", { qos: 1 });
      return await page.locator(".message").count() > 0;
    }, "listening");
    await page.getByRole("button", { name: "Clear" }).click();
    for (const [tank, distance] of [[1, 35], [2, 75], [3, 27], [1, 36], [2, 76], [3, 27]]) {
      await client.publishAsync(`water${tank}/pub`, JSON.stringify({ distance }), { qos: 1 });
    }
  } });
});

await run();

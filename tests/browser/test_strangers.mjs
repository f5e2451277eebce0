// What strangers choose: topics, payloads, client ids, user names, device ids, notes. Five hundred
// texts that have hurt other programs go in by real MQTT and the API, and every page shows them as
// text: no element is made of them, nothing runs, nothing leaves.
import { naughtyStrings } from "./naughty.mjs";
import { Server, Window, assert, run, test, waitUntil } from "./harness.mjs";

const TEXTS = naughtyStrings();
const SHOWN_PER_SECOND = 20; // message_stream.ts
const ROWS = 50; // of a page of things, or of alerts
const SCRIPTS = 2; // of index.html: the theme, before anything is drawn, and the pages
const REFUSED_MAX = 200; // api/refused.h
const REFUSED_TEXT_MAX = 250; // app/refused_list.h

// Beside the tanks, things that name themselves.
const STRANGE = `
[table.strange]
key = ["name text", "time timestamp"]
columns = { value = "double", note = "text" }
thing = "strange-{name}"

[rule.strange]
sql = "SELECT name, value, note FROM 'strange/data'"
put = "strange"

[alert.strange]
of = "strange-*/value"
high = 1
`;

const chunks = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

// One level of a topic: no wildcard, no further level, no $ in front; UTF-8 without control
// characters, which servers need not take.
const asLevel = (text) => text.replace(/[+#/$]|\p{Cc}/gu, "") || "empty";

// value/thing_template.h
const THING_ID_MAX = 128;
const idOf = (name) => `strange-${[...name].map((letter) => /[\w.:-]|[^\0-\x7f]/u.test(letter)
  ? letter : `%${letter.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`).join("")}`;

// Those of `texts` that are not in the text of the elements. Units keep to their numbers by a space
// of their own.
const missingOf = (page, selector, texts) => page.evaluate(([where, wanted]) => {
  const plain = (text) => text.replaceAll("\u00a0", " ");
  const all = plain([...document.querySelectorAll(where)].map((node) => node.textContent).join("\n"));
  return wanted.filter((text) => !all.includes(plain(text)));
}, [selector, texts]);

async function allShown(page, selector, texts, what) {
  let missing = texts;
  await waitUntil(async () => {
    missing = await missingOf(page, selector, missing);
    return missing.length === 0;
  }, `shown as text in ${what}`).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(missing.slice(0, 5))} of ${missing.length}`);
  });
}

// Only what our own code makes: these elements are in none of our pages, or counted.
async function unhurt(window, what, forms = 0) {
  const found = await window.page.evaluate(() => {
    const count = (selector) => document.querySelectorAll(selector).length;
    const handlers = [...document.querySelectorAll("*")].flatMap((element) =>
      [...element.attributes].filter(({ name, value }) =>
        name.startsWith("on") || /^\s*(javascript|data|vbscript):/i.test(value) && /^(href|src|action|srcdoc)$/.test(name)),
    );
    return {
      hurt: "hurt" in window,
      forms: count("form"),
      scripts: count("script"),
      foreign: count("iframe, img, object, embed, video, audio, source, base, marquee, template, math, style, "
        + "meta[http-equiv=refresh], svg script")
        + [...document.querySelectorAll("a, link")].filter(({ href }) => new URL(href).host !== location.host).length,
      handlers: handlers.length,
    };
  });
  const expected = { hurt: false, forms, scripts: SCRIPTS, foreign: 0, handlers: 0 };
  assert(JSON.stringify(found) === JSON.stringify(expected), `${what}: ${JSON.stringify(found)}`);
}

let server;
let window;

async function begin() {
  server = await Server.start({ change: (toml) => toml + STRANGE });
  await server.claim();
  window = await Window.open(server.url, { cookie: server.cookie });
}

const post = async (path, body, method = "POST") => fetch(server.url + path, {
  method,
  headers: { authorization: `Bearer ${await server.adminToken()}`, "content-type": "application/json" },
  body: JSON.stringify(body),
});

test("live messages show topics, payloads and client ids as text", async () => {
  await begin();
  const { page } = window;
  await page.goto("/live");
  await page.getByText("Waiting for a message").waitFor();
  // Five texts in the levels of a topic, five in a payload: people read no more than 20 rows a second,
  // and the page shows no more.
  const groups = chunks(TEXTS, 5);
  for (const some of chunks(groups, SHOWN_PER_SECOND)) {
    const began = Date.now();
    await waitUntil(() => Date.now() - began > 1100, "another second, by any clock");
    await Promise.all(some.map(async (texts) => {
      const client = await server.connect({ clientId: texts[0] });
      await client.publishAsync(texts.map(asLevel).join("/"), texts.join("\n"), { qos: 1 });
      await client.endAsync();
    }));
    await allShown(page, ".message .payload", some.map((texts) => texts.join("\n")), "payloads");
    await allShown(page, ".message .topic", some.map((texts) => texts.map(asLevel).join("/")), "topics");
    await allShown(page, ".message-head .muted", some.map(([client]) => client), "client ids");
  }
  await unhurt(window, "live");
  await window.check("live");
});

test("refused clients are shown as text", async () => {
  await begin();
  const { page } = window;
  await page.goto("/live/refused");
  // Who says control characters is cut off without a word: that is no MQTT.
  for (const texts of chunks(TEXTS.filter((text) => !/\p{Cc}/u.test(text)), REFUSED_MAX)) {
    for (const some of chunks(texts, 50)) {
      await Promise.all(some.map((text, i) => server
        .connect({ clientId: text, username: some[some.length - 1 - i], password: "nilo_wrong" })
        .then(() => assert(false, `${text} got in`), () => undefined)));
    }
    const { refused } = await server.json("/api/v1/refused");
    const known = new Set(refused.flatMap(({ client, user }) => [client, user]));
    const whole = texts.filter((text) => Buffer.byteLength(text) <= REFUSED_TEXT_MAX);
    for (const text of whole) assert(known.has(text), `refused, and not told: ${JSON.stringify(text)}`);
    await allShown(page, ".alert-rows", refused.flatMap(({ client, user, reason }) => [client, user, reason]), "refused");
  }
  await unhurt(window, "refused");
  await window.check("refused");
});

test("things, alerts and notes are shown as text", async () => {
  await begin();
  const { page } = window;
  const client = await server.connect();
  await Promise.all(TEXTS.map((text, i) => client.publishAsync(
    "strange/data", JSON.stringify({ name: text, value: 100 + i, note: text }), { qos: 1 },
  )));
  const things = [];
  let cursor = "";
  do {
    const list = await server.json(`/api/v1/things?search=strange-&limit=${ROWS}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    things.push(list.things);
    cursor = list.next ?? "";
  } while (cursor);
  const ids = new Set(TEXTS.map(idOf).filter((id) => Buffer.byteLength(id) <= THING_ID_MAX));
  assert(things.flat().length === ids.size, `${things.flat().length} things of ${ids.size}`);
  for (const { id } of things.flat()) assert(ids.has(id), `an id: ${id}`);

  await page.goto("/things?search=strange-");
  for (const [i, rows] of things.entries()) {
    const notes = rows.map(({ fields }) => fields.find(({ field }) => field === "note").value);
    await allShown(page, "table", [...rows.map(({ id }) => id), ...notes], "things");
    await unhurt(window, "things");
    if (i === 0) await window.check("things");
    if (i < things.length - 1) await page.getByRole("button", { name: /^Next/ }).click();
  }

  // One of each kind by itself.
  for (const { id, fields } of things.flat().filter((_, i) => i % 60 === 7)) {
    await page.goto(`/t/${encodeURIComponent(id)}`);
    await allShown(page, "main", [id, fields.find(({ field }) => field === "note").value], `the thing ${id}`);
    await unhurt(window, "a thing");
  }
  await window.check("a thing");

  // Every one of them is an alert; each is acknowledged with a note.
  const open = [];
  do {
    const list = await server.json(`/api/v1/alerts?state=firing&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    open.push(...list.alerts);
    cursor = list.next ?? "";
  } while (cursor);
  const strange = open.filter(({ alert }) => alert === "strange");
  assert(strange.length === things.flat().length, `${strange.length} alerts`);
  await page.goto("/alerts");
  await allShown(page, ".alert-rows", strange.slice(0, ROWS).map(({ text }) => text), "alerts");
  await unhurt(window, "alerts");
  for (const some of chunks(strange, 25)) {
    await Promise.all(some.map(async ({ id }, i) => {
      const note = TEXTS[(strange.findIndex((each) => each.id === id)) % TEXTS.length];
      const answer = await post(`/api/v1/alerts/${encodeURIComponent(id)}/acknowledge`, { note });
      assert(answer.ok, `a note ${JSON.stringify(note)}: ${answer.status} ${await answer.text()} ${i}`);
    }));
  }
  await page.goto("/alerts?state=acknowledged");
  const noted = await server.json(`/api/v1/alerts?state=acknowledged&limit=${ROWS}`);
  await allShown(page, ".alert-rows", noted.alerts.map(({ note }) => note), "notes");
  await unhurt(window, "notes");
  await window.check("notes");
  await page.goto(`/alerts/${encodeURIComponent(noted.alerts[3].id)}`);
  await allShown(page, "main", [noted.alerts[3].note], "the story of an alert");
  await unhurt(window, "the story of an alert");
});

test("what was allowed by hand is shown as text, and taken back", async () => {
  await begin();
  const { page } = window;
  const topic = "garden/<img src=x onerror=window.hurt=1>";
  const made = await post("/api/v1/tokens", { name: "well-4", role: "device", topics: ["well/#"] });
  const { token } = await made.json();
  const device = await server.connect({ clientId: "well-4", username: "x", password: token, protocolVersion: 5 });
  const isTaken = () => device.publishAsync(topic, "1", { qos: 1 }).then(() => true, () => false);
  assert(!await isTaken(), "it may only publish below well/");
  const { refused } = await server.json("/api/v1/refused");
  const { id } = refused.find((one) => one.topic === topic && one.allow);
  assert((await post(`/api/v1/refused/${id}/allow`)).ok, "allowed");
  assert(await isTaken(), "it may now");
  await page.goto("/settings/tokens");
  await allShown(page, "table", [topic, "publish to"], "what was allowed");
  await unhurt(window, "what was allowed");
  await window.check("what was allowed");
  await page.getByRole("button", { name: /^Revoke: well-4 publish/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("A topic that a device was refused").waitFor();
  assert((await server.json("/api/v1/grants")).grants.length === 0, "taken back");
  assert(!await isTaken(), "and holds no more");
  await device.endAsync();
});

test("names that are none are refused, and the page says so as text", async () => {
  await begin();
  const { page } = window;
  const legal = [];
  for (const name of TEXTS) {
    const answer = await post("/api/v1/tokens", { name, role: "device" });
    assert(answer.ok === /^[\w.@-]{1,64}$/.test(name), `a token ${JSON.stringify(name)}: ${answer.status}`);
    if (answer.ok) legal.push(name);
    const user = answer.ok ? null : await post("/api/v1/users", { name, role: "viewer", password: "a tank is a tank" });
    assert(!user || user.status === 400, `a user ${JSON.stringify(name)}: ${user?.status}`);
  }
  await page.goto("/settings/tokens");
  await allShown(page, "table", legal, "tokens");
  await unhurt(window, "tokens");
  await page.goto("/settings/users");
  window.watch.expected.push(/400 \(Bad Request\)/);
  await page.getByRole("button", { name: "Add a user" }).click();
  for (const name of ["<img src=x onerror=window.hurt=1>", "</title><svg onload=window.hurt=1>", "${7*7}"]) {
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill("a tank is a tank");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText(`\`${name}\` is not a name for a user`).waitFor();
  }
  await unhurt(window, "users", 1);
  await window.check("users");
});

test("a page of strange words is words", async () => {
  await begin();
  const { page } = window;
  const client = await server.connect();
  await Promise.all(TEXTS.slice(0, 40).map((text, i) => client.publishAsync(
    "strange/data", JSON.stringify({ name: text, value: 100 + i, note: text }), { qos: 1 },
  )));
  // But for {{...}}, which is a value of a thing, and checked as such.
  const plain = TEXTS.filter((text) => !/\p{Cc}|\{\{/u.test(text));
  const quoted = (text) => JSON.stringify(text); // a basic string of TOML, too
  const panels = chunks(plain, 50).map((texts) => `
[[page.panel]]
kind = "text"
title = ${quoted(texts[0])}
note = ${quoted(texts[1])}
md = ${quoted(texts.map((text) => `${text}\n\n\`\`\`\n${text}\n\`\`\`\n`).join("\n"))}
`);
  const text = `[[page]]
id = "tanks"
title = "<img src=x onerror=window.hurt=1>"
[[page.panel]]
kind = "now"
of = ["strange-*/value"]
[[page.panel]]
kind = "chart"
of = ["strange-*/value"]
lines = [{ at = 110, label = "<svg onload=window.hurt=1>" }]
[[page.panel]]
kind = "alerts"
of = ["strange-*"]
[[page.panel]]
kind = "table"
rows = "things"
of = ["strange-*"]
${panels.join("")}`;
  const { version } = await server.json("/api/v1/pages/tanks/text");
  const answer = await post("/api/v1/pages/tanks/text", { text, version }, "PUT");
  assert(answer.ok, `the page: ${answer.status} ${await answer.clone().text()}`);
  await page.goto("/p/tanks");
  await allShown(page, "main", plain, "the page");
  await allShown(page, "h1", ["<img src=x onerror=window.hurt=1>"], "its title");
  await unhurt(window, "the page");
  await window.check("the page");
  await page.goto("/p/tanks/edit");
  await page.locator(".cm-content").waitFor();
  assert(await page.evaluate(() => !("hurt" in window)), "the editor runs nothing");
});

await run();

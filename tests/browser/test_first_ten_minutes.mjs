// A newcomer's first ten minutes, as he would live them: start, setup code, first message by the
// copied command, chart, alert, mail in a real SMTP server, acknowledge by the link in the mail, edit
// the page, restart, and everything is still there.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Mailbox, Server, Window, assert, run, shell, test, waitUntil } from "./harness.mjs";

const PASSWORD = "a tank is a tank";

// The example's stack, with mails to `box` and links that lead to the server under test.
function withMailTo(box) {
  return (toml, server) => `${toml.replace(/^url\s*=.*$/m, `url = "${server.url}"`)}
[mail]
server = "127.0.0.1"
port = ${box.port}
tls = "none"
from = "nilo@example.org"

[alert.level.mail]
to = ["owner@example.org"]
subject = "\${thing.name} almost \${state}"
text = "\${thing.name} is at \${value} % (\${distance} cm)."
`;
}

async function setUp(server, page) {
  await page.goto("/");
  await page.getByRole("heading", { name: "Set up this server" }).waitFor();
  await page.getByLabel("Setup code").fill("AAAA-AAAA");
  await page.getByLabel("Your name").fill("ana");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByText(/code/i).and(page.getByRole("alert")).first().waitFor();
  await page.getByLabel("Setup code").fill(await server.setupCode());
  await page.getByRole("button", { name: "Set up" }).click();
}

test("a newcomer sets up, sends, sees, is warned, answers, edits and comes back", async () => {
  const box = await Mailbox.start();
  const server = await Server.start({ change: withMailTo(box) });
  const window = await Window.open(server.url);
  const { page } = window;
  window.watch.expected.push(/403 \(Forbidden\)/); // the wrong setup code, on purpose

  await setUp(server, page);

  // The first message, by the very command the page offers; nothing is reloaded.
  await page.getByText("Send your first message").waitFor();
  await page.getByRole("button", { name: /token/i }).click();
  const command = await page.getByText(/^mosquitto_pub /).first().innerText();
  await shell(command);
  await page.getByText(/47\.19/).first().waitFor(); // 47 cm below the lid
  await window.check("the overview");

  // The page of the stack: a drum, its age, and a chart of it.
  await page.getByRole("link", { name: "Water tanks" }).first().click();
  await page.getByText(/47\.19/).first().waitFor();
  await page.getByRole("img", { name: /47\.2|47\.19/ }).first().waitFor();
  await window.check("the tanks");

  // Nearly empty: thumb down on the page, and one mail.
  await server.publishAsOwner("water2/pub", { distance: 75 });
  await page.getByText(/15\.73/).first().waitFor();
  await page.getByText(/nearly empty/i).first().waitFor();
  const mail = await box.mail(({ subject }) => subject === "Orchard almost empty", "nearly empty");
  assert(mail.text.includes("Orchard is at 15.73 % (75 cm)."), mail.text);
  assert(mail.pictures.includes("image/png"), "the mail has the chart as a picture");
  assert(!/src="https?:/.test(mail.html), "the mail fetches nothing");

  // Answered from the mail, without logging in.
  const link = mail.text.match(/http:\S+\/ack\/\S+/)[0];
  const phone = await Window.open(server.url, { viewport: { width: 390, height: 844 } });
  await phone.page.goto(link);
  await phone.page.getByText(/Orchard/).first().waitFor();
  await phone.check("the link of the mail");
  await phone.page.getByRole("button", { name: "Acknowledge" }).click();
  await phone.page.getByRole("heading", { name: "This is taken care of" }).waitFor();
  await waitUntil(async () => {
    const { alerts } = await server.json("/api/v1/alerts?state=all&thing=tank-2");
    return alerts.some(({ state }) => state === "acknowledged");
  }, "acknowledged");

  // Full enough again: the mail that says so.
  await server.publishAsOwner("water2/pub", { distance: 44.5 });
  await box.mail(({ text }) => text.includes("50.00 %"), "recovered");

  // The page is text; the file is changed and its comments stay.
  const file = join(server.stack, "pages", "tanks.toml");
  const before = await readFile(file, "utf8");
  await page.goto("/p/tanks/edit");
  const editor = page.locator(".cm-content");
  await editor.waitFor();
  await editor.focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type('\n[[page.panel]]\nkind = "text"\nmd = "Rain barrels of the house"\n');
  await page.getByText("Rain barrels of the house").last().waitFor();
  await window.check("the editor");
  await page.getByRole("button", { name: "Save" }).click();
  await waitUntil(async () => (await readFile(file, "utf8")).includes("Rain barrels"), "saved");
  const after = await readFile(file, "utf8");
  for (const comment of before.match(/#.*$/gm) ?? []) assert(after.includes(comment), comment);

  // After a power cut: still logged in, the reading, the alert's story and the edited page.
  await server.kill();
  window.watch.expected.push(/ERR_CONNECTION_REFUSED|WebSocket connection to/);
  await server.start();
  await page.goto("/p/tanks");
  await page.getByText("Rain barrels of the house").waitFor();
  await page.getByText(/50\.00/).first().waitFor();
  await page.getByRole("link", { name: /^Alerts/ }).first().click();
  await page.getByRole("link", { name: /Orchard/ }).or(page.getByText(/Orchard/)).first().waitFor();
  assert(box.mails.length === 2, `two mails, not ${box.mails.map((each) => each.subject)}`);
});

await run();

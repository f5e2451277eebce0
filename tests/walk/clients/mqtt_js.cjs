// mqtt.js with a client certificate: hears what it published itself, then ends. Arguments: host,
// port, CA, certificate, key, topic, version (4 or 5).
const { readFileSync } = require("node:fs");
const { connect } = require("mqtt");

const [host, port, ca, cert, key, topic, version] = process.argv.slice(2);
const client = connect(`mqtts://${host}:${port}`, {
  ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key),
  protocolVersion: Number(version), reconnectPeriod: 0,
});
client.on("error", (error) => { console.error(error.message); process.exit(1); });
client.on("close", () => process.exit(1));
client.on("message", (heard, payload) => {
  console.log(`${heard} ${payload}`);
  process.exit(0);
});
client.on("connect", async () => {
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, JSON.stringify({ distance: 43 }), { qos: 1 });
});

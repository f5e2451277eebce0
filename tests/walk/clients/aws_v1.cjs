// The AWS IoT device SDK for JavaScript, v1 (npm aws-iot-device-sdk), as its README uses it: hears
// what it published itself, then ends. Arguments: host, port, CA, certificate, key, topic.
const { device } = require("aws-iot-device-sdk");

const [host, port, caPath, certPath, keyPath, topic] = process.argv.slice(2);
const thing = device({ host, port: Number(port), caPath, certPath, keyPath, clientId: "aws-v1" });
thing.on("error", (error) => { console.error(`error: ${error.message}`); process.exit(1); });
thing.on("close", () => { console.error("closed"); process.exit(1); });
thing.on("connect", () => thing.subscribe(topic, { qos: 1 }, (failure) => {
  if (failure) throw failure;
  thing.publish(topic, JSON.stringify({ distance: 41 }), { qos: 1 });
}));
thing.on("message", (heard, payload) => {
  console.log(`${heard} ${payload}`);
  process.exit(0);
});

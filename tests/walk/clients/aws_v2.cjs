// The AWS IoT device SDK for JavaScript, v2 (npm aws-iot-device-sdk-v2), with both its clients:
// MQTT 5, and 3.1.1 with "311" as the last argument. Hears what it published itself, then ends.
// Arguments: host, port, CA, certificate, key, topic.
const { iot, mqtt, mqtt5 } = require("aws-iot-device-sdk-v2");

const [host, port, ca, certificate, key, topic, version] = process.argv.slice(2);
const payload = JSON.stringify({ distance: 42 });
const fail = (error) => { console.error(error); process.exit(1); };
const heard = (on, bytes) => {
  console.log(`${on} ${Buffer.from(bytes).toString()}`);
  process.exit(0);
};

async function speak5() {
  const config = iot.AwsIotMqtt5ClientConfigBuilder
    .newDirectMqttBuilderWithMtlsFromPath(host, certificate, key)
    .withCertificateAuthorityFromPath(undefined, ca)
    .withPort(Number(port))
    .withConnectProperties({ clientId: "aws-v2", keepAliveIntervalSeconds: 1200 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on("error", fail);
  client.on("connectionFailure", ({ error }) => fail(error));
  client.on("messageReceived", ({ message }) => heard(message.topicName, message.payload));
  client.on("connectionSuccess", async () => {
    await client.subscribe({ subscriptions: [{ topicFilter: topic, qos: mqtt5.QoS.AtLeastOnce }] });
    await client.publish({ topicName: topic, payload, qos: mqtt5.QoS.AtLeastOnce });
  });
  client.start();
}

async function speak311() {
  const config = iot.AwsIotMqttConnectionConfigBuilder
    .new_mtls_builder_from_path(certificate, key)
    .with_certificate_authority_from_path(undefined, ca)
    .with_endpoint(host)
    .with_port(Number(port))
    .with_client_id("aws-v2-311")
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  await connection.connect();
  await connection.subscribe(topic, mqtt.QoS.AtLeastOnce, heard);
  await connection.publish(topic, payload, mqtt.QoS.AtLeastOnce);
}

(version === "311" ? speak311() : speak5()).catch(fail);

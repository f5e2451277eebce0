// What a device needs to publish here, in the words of what it is made with. Every value that came
// from a person is written as a text of the language it stands in.

export interface Address { host: string; port: number; tlsPort: number }
export type Login =
  | { kind: 'token'; token: string }
  | { kind: 'certificate'; certificate: string; key: string; ca: string };

// `thing`: its id, which is its login, too.
export interface Device { thing: string; topic: string; payload: string; at: Address; login: Login }
export interface Ready { id: string; title: string; text: string; note?: string }

// C++, Python, JavaScript and YAML all read JSON's texts.
const text = (value: string) => JSON.stringify(value);
const shell = (value: string) => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replace(/'/g, "'\\''")}'`);
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);

// What its certificate and key are saved as, less the ending: no browser saves a name with a colon.
export function fileName(thing: string): string {
  return thing.replace(/:/g, '.');
}

// For a program that reads it from a picture. A certificate cannot be shown in one.
export function addressOf(device: Device): string {
  const { at, login, thing } = device;
  if (login.kind === 'certificate') return `mqtts://${bracketed(at.host)}:${at.tlsPort}`;
  return `mqtt://${encodeURIComponent(thing)}:${login.token}@${bracketed(at.host)}:${at.port}`;
}

function mosquitto({ thing, topic, payload, at, login }: Device): string {
  const what = `-q 1 -t ${shell(topic)} -m ${shell(payload)}`;
  if (login.kind === 'token') {
    return `mosquitto_pub -h ${at.host} -p ${at.port} -u ${thing} -P ${login.token} ${what}`;
  }
  return `mosquitto_pub -h ${at.host} -p ${at.tlsPort} --cafile ca.crt --cert ${fileName(thing)}.crt --key ${fileName(thing)}.key ${what}`;
}

function arduino({ thing, topic, payload, at, login }: Device): string {
  const isTls = login.kind === 'certificate';
  const keys = login.kind === 'certificate'
    ? `const char kCa[] = ${text(login.ca)};\nconst char kCertificate[] = ${text(login.certificate)};\nconst char kKey[] = ${text(login.key)};\n\n`
    : '';
  const setUp = isTls ? '  net.setCACert(kCa);\n  net.setCertificate(kCertificate);\n  net.setPrivateKey(kKey);\n' : '';
  const connect = login.kind === 'token'
    ? `mqtt.connect(${text(thing)}, ${text(thing)}, ${text(login.token)})` : `mqtt.connect(${text(thing)})`;
  return `#include <WiFi.h>
${isTls ? '#include <WiFiClientSecure.h>\n' : ''}#include <PubSubClient.h>

${keys}${isTls ? 'WiFiClientSecure' : 'WiFiClient'} net;
PubSubClient mqtt(net);

void setup() {
  WiFi.begin("NETWORK", "PASSWORD");
  while (WiFi.status() != WL_CONNECTED) delay(100);
${setUp}  mqtt.setServer(${text(at.host)}, ${isTls ? at.tlsPort : at.port});
}

void loop() {
  if (!mqtt.connected()) ${connect};
  mqtt.loop();
  mqtt.publish(${text(topic)}, ${text(payload)});
  delay(60000);
}`;
}

function microPython({ thing, topic, payload, at, login }: Device): string {
  if (login.kind === 'token') {
    return `from umqtt.simple import MQTTClient

mqtt = MQTTClient(${text(thing)}, ${text(at.host)}, port=${at.port}, user=${text(thing)},
                  password=${text(login.token)}, keepalive=60)
mqtt.connect()
mqtt.publish(${text(topic)}, ${text(payload)}, qos=1)`;
  }
  return `import ssl
from umqtt.simple import MQTTClient

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.load_verify_locations(cafile="ca.crt")
tls.load_cert_chain(${text(`${fileName(thing)}.crt`)}, ${text(`${fileName(thing)}.key`)})
mqtt = MQTTClient(${text(thing)}, ${text(at.host)}, port=${at.tlsPort}, keepalive=60, ssl=tls)
mqtt.connect()
mqtt.publish(${text(topic)}, ${text(payload)}, qos=1)`;
}

function espHome({ thing, at, login }: Device): string {
  const block = (pem: string) => pem.trim().split('\n').map((line) => `\n    ${line}`).join('');
  const head = `mqtt:\n  broker: ${text(at.host)}\n  client_id: ${text(thing)}\n  topic_prefix: ${text(thing)}\n  discovery: false\n`;
  if (login.kind === 'token') {
    return `${head}  port: ${at.port}\n  username: ${text(thing)}\n  password: ${text(login.token)}`;
  }
  return `${head}  port: ${at.tlsPort}\n  certificate_authority: |${block(login.ca)}\n  client_certificate: |${block(login.certificate)}\n  client_certificate_key: |${block(login.key)}`;
}

function tasmota({ thing, at, login }: Device): string {
  if (login.kind !== 'token') return '';
  return `Backlog MqttHost ${at.host}; MqttPort ${at.port}; MqttClient ${thing}; MqttUser ${thing}; MqttPassword ${login.token}; Topic ${thing}`;
}

function awsSdk({ thing, topic, payload, at, login }: Device): string {
  if (login.kind !== 'certificate') return '';
  return `const { iot, mqtt5 } = require('aws-iot-device-sdk-v2');

const config = iot.AwsIotMqtt5ClientConfigBuilder
  .newDirectMqttBuilderWithMtlsFromPath(${text(at.host)}, ${text(`${fileName(thing)}.crt`)}, ${text(`${fileName(thing)}.key`)})
  .withCertificateAuthorityFromPath(undefined, 'ca.crt')
  .withPort(${at.tlsPort})
  .withConnectProperties({ clientId: ${text(thing)}, keepAliveIntervalSeconds: 60 })
  .build();
const client = new mqtt5.Mqtt5Client(config);
client.on('connectionSuccess', () => client.publish({
  topicName: ${text(topic)}, payload: ${text(payload)}, qos: mqtt5.QoS.AtLeastOnce,
}));
client.start();`;
}

export function readyLines(device: Device): Ready[] {
  const isToken = device.login.kind === 'token';
  const all: Ready[] = [
    { id: 'mosquitto', title: 'mosquitto_pub', text: mosquitto(device) },
    { id: 'arduino', title: 'Arduino (PubSubClient)', text: arduino(device), note: 'For an ESP32. PubSubClient publishes with QoS 0, at most 256 bytes.' },
    { id: 'micropython', title: 'MicroPython (umqtt.simple)', text: microPython(device), ...(isToken ? {} : { note: 'Set the clock first (ntptime): a certificate has dates.' }) },
    { id: 'esphome', title: 'ESPHome', text: espHome(device), ...(isToken ? {} : { note: 'Needs the esp-idf framework.' }) },
    { id: 'tasmota', title: 'Tasmota', text: tasmota(device), note: 'In its console.' },
    { id: 'aws', title: 'AWS IoT SDK for JavaScript', text: awsSdk(device) },
  ];
  return all.filter((one) => one.text !== '');
}

// What is not among them with this login, and why.
export function missingLine(login: Login): string {
  return login.kind === 'token'
    ? 'The AWS IoT SDK shows a certificate: make one instead of a token for it.'
    : 'Tasmota’s usual builds show no certificate: make a token for it.';
}

import { describe, expect, it } from 'vitest';
import { addressOf, missingLine, readyLines, type Device } from './ready_lines';

const at = { host: 'pi.local', port: 1883, tlsPort: 8883 };
const byToken: Device = {
  thing: 'tank-1', topic: 'water1/pub', payload: '{"distance": 47}', at,
  login: { kind: 'token', token: 'nilo_x' },
};
const byCertificate: Device = {
  ...byToken, login: { kind: 'certificate', certificate: 'C\n1\n', key: 'K\n2\n', ca: 'A\n3\n' },
};
const line = (device: Device, id: string) => readyLines(device).find((one) => one.id === id)?.text ?? '';

describe('ready lines', () => {
  it('name this server, its port and the login', () => {
    expect(line(byToken, 'mosquitto')).toBe(
      'mosquitto_pub -h pi.local -p 1883 -u tank-1 -P nilo_x -q 1 -t water1/pub -m \'{"distance": 47}\'');
    expect(line(byCertificate, 'mosquitto')).toContain('-p 8883 --cafile ca.crt --cert tank-1.crt --key tank-1.key');
    for (const device of [byToken, byCertificate]) {
      for (const one of readyLines(device)) expect(one.text, one.id).toContain('pi.local');
    }
  });
  it('are there for six kinds, each with the login it can show', () => {
    expect(readyLines(byToken).map((one) => one.id)).toEqual(['mosquitto', 'arduino', 'micropython', 'esphome', 'tasmota']);
    expect(readyLines(byCertificate).map((one) => one.id)).toEqual(['mosquitto', 'arduino', 'micropython', 'esphome', 'aws']);
    expect(missingLine(byToken.login)).toContain('AWS');
    expect(missingLine(byCertificate.login)).toContain('Tasmota');
  });
  it('keep what a person typed inside its quotes', () => {
    const odd = { ...byToken, topic: "it's $(x) \"q\"\n", payload: '"); evil("' };
    expect(line(odd, 'mosquitto')).toContain(`-t 'it'\\''s $(x) "q"\n'`);
    expect(line(odd, 'arduino')).toContain('mqtt.publish("it\'s $(x) \\"q\\"\\n", "\\"); evil(\\"")');
    expect(line(odd, 'micropython')).toContain('"\\"); evil(\\""');
  });
  it('put certificates into a sketch and a YAML block', () => {
    expect(line(byCertificate, 'arduino')).toContain('const char kKey[] = "K\\n2\\n";');
    expect(line(byCertificate, 'esphome')).toContain('client_certificate_key: |\n    K\n    2');
  });
  it('name files as browsers save them', () => {
    const well = { ...byCertificate, thing: 'well:1' };
    expect(line(well, 'mosquitto')).toContain('--cert well.1.crt --key well.1.key');
  });
  it('have an address for a picture', () => {
    expect(addressOf(byToken)).toBe('mqtt://tank-1:nilo_x@pi.local:1883');
    expect(addressOf({ ...byToken, at: { ...at, host: 'fd00::1' } })).toBe('mqtt://tank-1:nilo_x@[fd00::1]:1883');
    expect(addressOf(byCertificate)).toBe('mqtts://pi.local:8883');
  });
});

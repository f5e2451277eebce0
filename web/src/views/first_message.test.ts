import { describe, expect, it } from 'vitest';
import { commandsOf, firstMessage, type Rule } from './first_message';

const rule = (sql: string, disabled = false): Rule => ({ name: 'store', sql, put: 't', disabled });

const kTanks = `
SELECT cast(regexp_substr(topic(1), '[0-9]+') AS Int) AS device_id, distance
FROM '+/pub'
WHERE startswith(topic(1), 'water')`;

describe('firstMessage', () => {
  it('is one that the rule of the tanks takes', () => {
    expect(firstMessage([rule(kTanks)])).toEqual({ topic: 'water1/pub', payload: '{"distance": 47}' });
  });
  it('follows renamed members', () => {
    expect(firstMessage([rule("SELECT temp AS temperature, hum FROM 'office/+/air'")]))
      .toEqual({ topic: 'office/device1/air', payload: '{"temp": 47, "hum": 47}' });
  });
  it('is anything without a rule, or with none that listens to devices', () => {
    expect(firstMessage([]).topic).toBe('hello/pub');
    expect(firstMessage([rule(kTanks, true)]).topic).toBe('hello/pub');
    expect(firstMessage([rule("SELECT * FROM '$error/#'")]).topic).toBe('hello/pub');
    expect(firstMessage([rule("SELECT * FROM 'a/#'")])).toEqual({ topic: 'a/hello', payload: '{"temperature": 21.5}' });
  });
});

describe('commandsOf', () => {
  const message = { topic: 'a/b', payload: '{"x": 1}' };
  it('needs no login where the server is open', () => {
    expect(commandsOf(message, { host: '192.168.1.20', port: 1883, token: null })).toEqual({
      mosquitto: "mosquitto_pub -h 192.168.1.20 -p 1883 -q 1 -t a/b -m '{\"x\": 1}'",
      nilo: "nilo pub --mqtt 192.168.1.20:1883 -t a/b -m '{\"x\": 1}'",
    });
  });
  it('shows the token otherwise', () => {
    expect(commandsOf(message, { host: 'h', port: 1, token: 'nilo_x' }).mosquitto).toContain('-u first -P nilo_x');
    expect(commandsOf(message, { host: 'h', port: 1, token: 'nilo_x' }).nilo).toContain('--token nilo_x');
  });
});

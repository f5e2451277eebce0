import { describe, expect, it } from 'vitest';
import { diff, payloadText, pretty } from './payload';

describe('payloadText', () => {
  it('shows bytes that are no text as hexadecimal', () => {
    expect(payloadText({ payload_base64: 'AP9B' })).toBe('00 ff 41');
  });
  it('says that there is more', () => {
    expect(payloadText({ payload: 'abc', cut: true })).toBe('abc\u2026');
    expect(payloadText({})).toBe('');
  });
});

describe('pretty', () => {
  it('parts JSON into lines', () => {
    expect(pretty('{"a":1,"b":[1,{}],"c":{"d":"x, {y}"}}'))
      .toBe('{\n  "a": 1,\n  "b": [\n    1,\n    {}\n  ],\n  "c": {\n    "d": "x, {y}"\n  }\n}');
  });
  it('leaves numbers and quotes in texts as they are', () => {
    expect(pretty('[0.10000000000000000555,"a\\"b"]')).toBe('[\n  0.10000000000000000555,\n  "a\\"b"\n]');
    expect(pretty('12345678901234567890')).toBe('12345678901234567890');
  });
  it('leaves alone what is no JSON', () => {
    expect(pretty('{"a":')).toBe('{"a":');
    expect(pretty('<b>hi</b>')).toBe('<b>hi</b>');
  });
});

describe('diff', () => {
  it('names the member that changed', () => {
    expect(diff('{"distance":47,"v":3.3}', '{"distance":48,"v":3.3}'))
      .toEqual([{ path: 'distance', before: '47', after: '48' }]);
  });
  it('goes into arrays and objects', () => {
    expect(diff('{"a":{"b":[1,2]}}', '{"a":{"b":[1,3]}}')).toEqual([{ path: 'a.b[1]', before: '2', after: '3' }]);
  });
  it('knows what came and what went', () => {
    expect(diff('{"a":1}', '{"b":1}')).toEqual([
      { path: 'b', before: null, after: '1' }, { path: 'a', before: '1', after: null }]);
  });
  it('is empty for equal ones, whatever their spaces', () => {
    expect(diff('{"a": 1}', '{"a":1}')).toEqual([]);
  });
  it('compares other text as a whole', () => {
    expect(diff('on', 'off')).toEqual([{ path: '', before: 'on', after: 'off' }]);
  });
  it('has an end: 50 changes, and twenty levels', () => {
    const many = (n: number) => JSON.stringify(Array.from({ length: 51 }, (_, i) => i + n));
    expect(diff(many(0), many(1))).toHaveLength(50);
    const deep = (n: number) => `${'['.repeat(5000)}${n}${']'.repeat(5000)}`;
    expect(diff(deep(1), deep(2))).toHaveLength(1);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { age, bytes, fullTime, keepUnits, moment, number, plural, quantity, setZone, silentFor, sinceWhen, span, zone } from './format';

const at = Date.UTC(2026, 10, 22, 12, 0, 0);  // a Sunday
const s = 1000;
const min = 60 * s;
const h = 60 * min;
const day = 24 * h;

beforeEach(() => {
  setZone('Europe/Rome');
});

describe('number', () => {
  it('keeps the decimals asked for', () => {
    expect(number(15.7303, 2)).toBe('15.73');
    expect(number(50, 2)).toBe('50.00');
  });
  it('has a true minus, and no minus before nothing', () => {
    expect(number(-4.25, 1)).toBe('\u22124.3');
    expect(number(-0.001, 1)).toBe('0.0');
  });
  it('groups thousands', () => {
    expect(number(10000)).toBe('10,000');
  });
  it('is a dash when there is none', () => {
    expect(number(NaN)).toBe('\u2013');
  });
});

describe('quantity', () => {
  it('parts number and unit by a space that does not break', () => {
    expect(quantity(15.73, '%', 2)).toBe('15.73\u00a0%');
  });
  it('knows every type of value', () => {
    expect(quantity(null, '%')).toBe('\u2013');
    expect(quantity(true)).toBe('yes');
    expect(quantity('<b>')).toBe('<b>');
  });
});

describe('keepUnits', () => {
  it('keeps a number and its unit on one line', () => {
    expect(keepUnits('Orchard is nearly empty: 15.73 %')).toBe('Orchard is nearly empty: 15.73\u00a0%');
    expect(keepUnits('nothing for 40 min, since 3 o\'clock')).toBe('nothing for 40\u00a0min, since 3 o\'clock');
  });
});

describe('span', () => {
  it('goes from seconds to days', () => {
    expect(span(12 * s)).toBe('12\u00a0s');
    expect(span(90 * s - 1)).toBe('89\u00a0s');
    expect(span(90 * s)).toBe('1\u00a0min');
    expect(span(40 * min)).toBe('40\u00a0min');
    expect(span(26 * h)).toBe('26\u00a0h');
    expect(span(36 * h)).toBe('1 day');
    expect(span(3 * day)).toBe('3 days');
  });
  it('is never negative, though clocks jump', () => {
    expect(span(-5 * h)).toBe('0\u00a0s');
    expect(age(at + h, at)).toBe('now');
  });
});

describe('age', () => {
  it('says how long ago, and how long silent', () => {
    expect(age(at - 12 * s, at)).toBe('12\u00a0s ago');
    expect(age(at - 500, at)).toBe('now');
    expect(silentFor(at - 40 * min, at)).toBe('silent 40\u00a0min');
  });
});

describe('moment', () => {
  it('is as short as it is clear, in the zone', () => {
    expect(moment(at - h, at)).toBe('12:00');
    expect(moment(at - 5 * day + 2 * min, at)).toBe('Tue 13:02');
    expect(moment(at - 19 * day, at)).toBe('3 Nov 13:00');
    expect(moment(at - 400 * day, at)).toBe('18 Oct 2025');
    expect(sinceWhen(at - 5 * day, at)).toBe('Tuesday 13:00');
  });
  it('knows whose midnight it is', () => {
    const late = Date.UTC(2026, 10, 21, 23, 30);  // Sunday already in Rome
    expect(moment(late, at)).toBe('00:30');
    expect(moment(late, at, 'UTC')).toBe('Sat 23:30');
  });
  it('tells the two 02:30 of an autumn night apart', () => {
    expect(fullTime(Date.UTC(2026, 9, 25, 0, 30))).toBe('Sun, 25 Oct 2026, 02:30:00 CEST');
    expect(fullTime(Date.UTC(2026, 9, 25, 1, 30))).toBe('Sun, 25 Oct 2026, 02:30:00 CET');
  });
});

describe('setZone', () => {
  it('stays with what it has when a zone is unknown', () => {
    expect(setZone('Mars/Olympus')).toBe(false);
    expect(zone.value).toBe('Europe/Rome');
  });
});

describe('plural and bytes', () => {
  it('count', () => {
    expect(plural(1, 'thing')).toBe('1 thing');
    expect(plural(10000, 'thing')).toBe('10,000 things');
    expect(bytes(999)).toBe('999\u00a0B');
    expect(bytes(1_234_567)).toBe('1.2\u00a0MB');
  });
});

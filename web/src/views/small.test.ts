// Decisions of the views that need no browser.
import { describe, expect, it } from 'vitest';
import { url } from '../api';
import type { AlertState, Thing, ThingField } from '../documents';
import { wayBack } from '../session';
import { canDo } from './alert_actions';
import { fieldOfSetupError, tidyCode } from './gate';
import { headOfType } from './overview';
import { filtersOf } from './topic_filters';
import { newestIn } from '../live_values';
import { agedText, largeText } from '../ui/reading';
import { keyFields, levelIn } from './thing_tile';

describe('tidyCode', () => {
  it('takes a code however it was typed', () => {
    for (const text of ['K7QM-3XPD', 'k7qm3xpd', ' k7qm 3xpd ']) expect(tidyCode(text)).toBe('K7QM-3XPD');
    expect(tidyCode('k7')).toBe('K7');
  });
});

describe('fieldOfSetupError', () => {
  it('puts a mistake where it was made', () => {
    expect(fieldOfSetupError({ status: 403, message: 'wrong' })).toBe('code');
    expect(fieldOfSetupError({ status: 400, message: 'the password is too short' })).toBe('password');
    expect(fieldOfSetupError({ status: 400, message: "'name' is required" })).toBe('name');
    expect(fieldOfSetupError({ status: 429, message: 'too many codes' })).toBeNull();
  });
});

describe('wayBack', () => {
  it('stays on this server', () => {
    expect(wayBack('/t/tank-1?range=7d')).toBe('/t/tank-1?range=7d');
    for (const bad of ['', '//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)']) {
      expect(wayBack(bad)).toBe('/');
    }
  });
});

describe('url', () => {
  it('encodes what it is given, and leaves out what is none', () => {
    expect(url('/things', { search: 'a&b c', state: '', limit: 50, cursor: null })).toBe('/api/v1/things?search=a%26b%20c&limit=50');
  });
});

describe('canDo', () => {
  it('offers what makes sense', () => {
    const acts = (state: AlertState) => (['acknowledge', 'snooze', 'resolve'] as const).filter((act) => canDo(act, { state }));
    expect(acts('firing')).toEqual(['acknowledge', 'snooze', 'resolve']);
    expect(acts('acknowledged')).toEqual(['snooze', 'resolve']);
    expect(acts('snoozed')).toEqual(['acknowledge', 'snooze', 'resolve']);
    for (const over of ['normal', 'pending', 'resolved'] as const) expect(acts(over)).toEqual([]);
  });
});

describe('filtersOf', () => {
  it('parts at spaces, commas and lines', () => {
    expect(filtersOf(' water1/#, water2/#\nx ')).toEqual(['water1/#', 'water2/#', 'x']);
    expect(filtersOf('  ')).toEqual([]);
  });
});

describe('keyFields', () => {
  it('puts percent first, and keeps the order of the rest', () => {
    const field = (name: string, unit: string): ThingField => ({ field: name, unit, decimals: null, value: 1, time: 0 });
    const fields: Thing['fields'] = [field('distance', 'cm'), field('volume', 'l'), field('percent', '%')];
    expect(keyFields(fields).map((one) => one.field)).toEqual(['percent', 'distance', 'volume']);
  });
});

describe('headOfType', () => {
  it('makes a heading of a type', () => {
    expect(headOfType('soil_sensor')).toBe('Soil sensors');
    expect(headOfType('')).toBe('Things');
  });
});

describe('a value at a glance', () => {
  const percent = { field: 'percent', unit: '%', decimals: 2, value: 60.67, time: 1000 };
  const shown = (state: Thing['state'], reading: ThingField = percent) => {
    const level = levelIn({ state }, reading);
    return [largeText(reading, level), agedText(reading, level)];
  };
  it('is large when it is sound, or the last one of a thing that is silent', () => {
    expect(shown('ok')).toEqual(['60.67\u00a0%', '']);
    expect(shown('silent')).toEqual(['60.67\u00a0%', '']);
  });
  it('is never that of a reading that is none: the last good one is named so', () => {
    expect(shown('invalid')).toEqual(['\u2013', 'last good 60.67\u00a0%']);
    expect(shown('invalid', { ...percent, value: null, time: null })).toEqual(['\u2013', '']);
    expect(shown('silent', { ...percent, value: null, time: null })).toEqual(['\u2013', '']);
    expect(shown('ok', { ...percent, value: null })).toEqual(['\u2013', '']);
  });
  it('follows what comes, but for readings that are none', () => {
    expect(newestIn({ t: [1, 2], v: [60, 61] })).toEqual({ value: 61, time: 2 });
    expect(newestIn({ t: [1, 2], v: [60, null], state: 'invalid' })).toEqual({ value: 60, time: 1 });
    expect(newestIn({ t: [2], v: [null], state: 'invalid' })).toBeNull();
    expect(newestIn({ t: [2], v: [null] })).toEqual({ value: null, time: 2 });
  });
});

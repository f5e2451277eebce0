import { describe, expect, it } from 'vitest';
import { match, placeOf, withQuery } from './router';

describe('match', () => {
  it('takes a fixed path as it stands', () => {
    expect(match('/things', '/things')).toEqual({});
    expect(match('/things', '/thing')).toBeNull();
    expect(match('/', '/')).toEqual({});
  });
  it('names the parts', () => {
    expect(match('/t/:thing', '/t/tank-1')).toEqual({ thing: 'tank-1' });
  });
  it('decodes a part, and takes it whole', () => {
    expect(match('/t/:thing', '/t/a%2Fb%20%3Cb%3E')).toEqual({ thing: 'a/b <b>' });
    expect(match('/t/:thing', '/t/a/b')).toBeNull();
  });
  it('wants something to stand at a part', () => {
    expect(match('/t/:thing', '/t/')).toBeNull();
  });
  it('refuses what cannot be decoded', () => {
    expect(match('/t/:thing', '/t/%E0%A4%A')).toBeNull();
  });
});

describe('placeOf', () => {
  it('forgets a slash at the end, but not the only one', () => {
    expect(placeOf('/things/').path).toBe('/things');
    expect(placeOf('/').path).toBe('/');
  });
  it('reads the query', () => {
    expect(placeOf('/things?search=a%26b').query.get('search')).toBe('a&b');
  });
});

describe('withQuery', () => {
  it('changes, adds and removes', () => {
    expect(withQuery('/a?x=1&y=2', { x: '3', y: null, z: 'q w' })).toBe('/a?x=3&z=q+w');
    expect(withQuery('/a?x=1', { x: '' })).toBe('/a');
  });
});

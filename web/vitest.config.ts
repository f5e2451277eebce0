import { defineConfig } from 'vitest/config';

// Pure code only; what needs a browser is walked through in a real one (tests/walk).
export default defineConfig({
  cacheDir: '../build/web-cache',
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
});

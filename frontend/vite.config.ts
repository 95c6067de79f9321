import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const source = resolve(import.meta.dirname, 'src');
const application = process.env.SALERNO_ORIGIN ?? 'http://127.0.0.1:3000';
const port = 5173;

export default defineConfig({
  base: '/static/',
  build: {
    outDir: resolve(import.meta.dirname, '../src/salerno/interfaces/web/static'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'], // they know light-dark(); its imitation forgets nested schemes
    rolldownOptions: { input: [resolve(source, 'shell.ts'), resolve(source, 'docs.ts')] },
  },
  server: { port, strictPort: true, cors: { origin: application }, origin: `http://127.0.0.1:${port}` },
});

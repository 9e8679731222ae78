import type { Suite } from './harness.ts';
export const hostile: Suite = { name: 'hostile', about: '', run: async () => undefined };

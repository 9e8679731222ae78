import type { Suite } from './harness.ts';
export const drivers: Suite = { name: 'drivers', about: '', run: async () => undefined };

/** A point in a session as people type it: seconds, `1m30s`, `1:30`, or a date and time. */

const CLOCK = /^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d+)?)$/;
const UNITS = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/;
const SECONDS = /^\d+(?:\.\d+)?$/;

/** Microseconds since `startedAt` (ISO 8601); undefined: no time. A date before the start gives 0. */
export function parseInstant(text: string, startedAt: string): number | undefined {
  const seconds = parseOffset(text);
  if (seconds !== undefined) return Math.round(seconds * 1_000_000);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined;
  const offset = Date.parse(text) - Date.parse(startedAt);
  return Number.isNaN(offset) ? undefined : Math.max(0, offset * 1000);
}

function parseOffset(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text);
  const match = CLOCK.exec(text) ?? (text === '' ? null : UNITS.exec(text));
  if (match === null) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/**
 * The log of Weir itself: one JSON object a line, or one readable line for people at a terminal.
 * What sessions do is in their recordings, not here.
 */
import { type Logger, pino } from 'pino';
import { GatewayError } from './errors.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const LEVEL_NAMES: ReadonlyMap<number, string> = new Map([
  [10, 'TRACE'],
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);

/** Keys whose values never reach a log, up to three levels down. The net below the callers' care. */
const SECRET_KEYS = [
  'password',
  'passphrase',
  'secret',
  'scram',
  'verifier',
  'storedKey',
  'serverKey',
  'hashKey',
  'token',
  'authorization',
];
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

export interface LogStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** `level` comes from WEIR_LOG; throws GatewayError LOG_LEVEL when it is none. */
export function createLog(
  stream: LogStream,
  level: string = process.env['WEIR_LOG'] ?? 'info',
): Logger {
  if (!LEVELS.includes(level)) {
    const message = `WEIR_LOG: expected ${LEVELS.join(', ')}, found ${JSON.stringify(level)}.`;
    throw new GatewayError('LOG_LEVEL', message);
  }
  const isForPeople = stream.isTTY === true;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
    },
    { write: (line: string) => void stream.write(isForPeople ? formatForPeople(line) : line) },
  );
}

/** One of pino's lines as `12:30:01 INFO  message  key=value`. */
export function formatForPeople(line: string): string {
  // pino writes objects only; what their values are is looked at below.
  const entry: Record<string, unknown> = JSON.parse(line);
  const { level, time, msg, err, ...details } = entry;
  const message = typeof msg === 'string' ? msg : '';
  const clock = String(time).slice(11, 19);
  const name = (LEVEL_NAMES.get(Number(level)) ?? String(level)).padEnd(5);
  const pairs = Object.entries(details).map(([key, value]) => `${key}=${formatValue(value)}`);
  const text = [`${clock} ${name} ${escapeControls(message)}`, ...pairs].join('  ');
  return `${text}\n${formatError(err)}`;
}

function formatValue(value: unknown): string {
  const isPlain = typeof value === 'string' && /^[\w.:/@[\]*-]+$/.test(value);
  return isPlain ? value : escapeControls(JSON.stringify(value));
}

function formatError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const lines = String(stack ?? message).split('\n');
  return lines.map((line) => `               ${escapeControls(line)}\n`).join('');
}

/** Names and addresses come from strangers: they must not move the cursor of whoever reads. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

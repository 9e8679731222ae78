/** `weir user add`: makes the [[user]] block of the configuration from a name and a password, or with a new key. */
import { parseArgs } from 'node:util';
import { hashKey, makeKey } from '../identity/api-keys.ts';
import { ITERATIONS_DEFAULT, makeNative, makeVerifier } from '../identity/credentials.ts';
import { userSchema } from '../config/schema.ts';
import { HINTS } from '../config/hints.ts';
import { UsageError } from './data-dir.ts';
import type { MainIo } from './main.ts';
import { askPassword } from './password-input.ts';

/** More takes a client minutes to sign in. */
const ITERATIONS_MAX = 10_000_000;

const HELP = `Usage: weir user add NAME [--group GROUP]... [--iterations N] [--mysql]
       weir user add NAME [--group GROUP]... --key

Asks for a password, twice and without showing it, or reads it from a pipe, and prints the [[user]]
block for the configuration: weir user add alice >> weir.toml

  --group GROUP    a group of this user; can be given more than once
  --iterations N   rounds of the hash (${ITERATIONS_DEFAULT}); more is safer, and slower for clients
  --mysql          print mysql_native too, for clients of MySQL that know no other way to sign in;
                   it is easier to guess a password from than scram
  --key            ask for no password: make a key for vector databases and Redis. The key goes to
                   standard error, once; the block with its hash to standard output
`;

const OPTIONS = {
  group: { type: 'string', multiple: true, default: [] as string[] },
  iterations: { type: 'string', default: String(ITERATIONS_DEFAULT) },
  mysql: { type: 'boolean', default: false },
  key: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Throws UsageError where a name, group or password cannot be used. */
export async function runUser(argv: readonly string[], io: MainIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const [action, name, ...more] = positionals;
  if (action !== 'add' || name === undefined || more.length > 0) {
    throw new UsageError('expected: weir user add NAME');
  }
  const iterations = Number(values.iterations);
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > ITERATIONS_MAX) {
    throw new UsageError(`--iterations: expected 1 to ${ITERATIONS_MAX}`);
  }
  checkNames(name, values.group);
  if (values.key) {
    if (values.mysql) throw new UsageError('--key and --mysql do not go together');
    printKey(name, values.group, io);
    return 0;
  }
  const password = await askPassword({ stdin: io.stdin ?? process.stdin, stderr: io.stderr }, name);
  const lines = [`scram  = ${JSON.stringify(makeVerifier(password, iterations))}`];
  if (values.mysql) lines.push(`mysql_native = ${JSON.stringify(makeNative(password))}`);
  io.stdout.write(formatUser(name, values.group, lines));
  return 0;
}

/** Apart, so that the block can go into a file and the key to whoever is to have it. */
function printKey(name: string, groups: readonly string[], io: MainIo): void {
  const key = makeKey();
  io.stderr.write(`The key of ${JSON.stringify(name)}, shown this once: ${key}\n`);
  io.stdout.write(formatUser(name, groups, [`keys   = ["sha256:${hashKey(key)}"]`]));
}

function checkNames(name: string, groups: readonly string[]): void {
  const result = userSchema.safeParse({ name, groups });
  const key = result.error?.issues[0]?.path[0];
  if (key === undefined) return;
  throw new UsageError(`expected ${HINTS.user[String(key)]?.expected}`);
}

/** JSON's strings and lists are TOML's, too. */
function formatUser(name: string, groups: readonly string[], verifiers: readonly string[]): string {
  const list = groups.map((group) => JSON.stringify(group)).join(', ');
  return `
[[user]]
name   = ${JSON.stringify(name)}
groups = [${list}]
${verifiers.join('\n')}
`;
}

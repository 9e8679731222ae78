/**
 * A server on Dolt's engine (go-mysql-server), which speaks MySQL 8's protocol and is neither MySQL nor Dolt
 * itself: built from mysql-dolt/ with Go and modules of pinned versions, tables in memory.
 */

import { spawn } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { makeTemporary } from '../support/gateway-process.ts';
import { freePort } from '../support/servers.ts';
import type { SuiteContext } from './harness.ts';
import { APP, DATABASE, isInstalled, runProgram } from './lab.ts';

/** Two cores need three minutes for the engine when nothing of it was built before. */
const BUILD_TIME_MAX = 8 * 60_000;
const START_TIME_MAX = 60_000;
const START_PAUSE = 100;
const LOG_SIZE_MAX = 16_384;

function source(name: string): string {
  return fileURLToPath(new URL(`../../../test/differential/mysql-dolt/${name}`, import.meta.url));
}

/** Undefined: it cannot be built here, and the suite has been told why. */
async function build(context: SuiteContext): Promise<string | undefined> {
  const name = 'mysql-dolt';
  if (!(await isInstalled('go', ['version']))) {
    context.skip(name, 'Go is not installed');
    return undefined;
  }
  const folder = await makeTemporary(context, 'weir-dolt-');
  for (const file of ['main.go', 'go.mod', 'go.sum']) {
    await copyFile(source(file), join(folder, file));
  }
  const go = async (...args: readonly string[]) => {
    const command = ['sh', '-c', 'cd "$0" && exec go "$@"', folder, ...args];
    const nobody = { name: 'direct', port: 0, user: '', password: '' } as const;
    return runProgram(nobody, command, { timeMax: BUILD_TIME_MAX });
  };
  context.progress('modules of the engine');
  const modules = await go('mod', 'download');
  if (modules.code !== 0) {
    const reason = modules.stderr.trim().split('\n').at(-1) ?? '';
    context.skip(name, `its modules cannot be had: ${reason.slice(0, 200)}`);
    return undefined;
  }
  context.progress('building the engine');
  const built = await go('build', '-o', 'server', '.');
  if (built.code === 0) return join(folder, 'server');
  if (built.code === null) {
    context.skip(name, 'it was not built in time');
    return undefined;
  }
  throw new Error(`the engine cannot be built: ${built.stderr.slice(-2000)}`);
}

export interface DoltServer {
  readonly port: number;
  /** As its superuser, past the gateway, one statement after another. */
  admin(statements: readonly string[]): Promise<void>;
}

export async function startDoltEngine(context: SuiteContext): Promise<DoltServer | undefined> {
  const program = await build(context);
  if (program === undefined) return undefined;
  const port = await freePort();
  const child = spawn(program, [String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (chunk: Buffer): void => void (log = (log + chunk.toString()).slice(-LOG_SIZE_MAX));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  context.teardown(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const connection = await connect(
    port,
    () => child.exitCode === null,
    () => log,
  );
  context.teardown(() => connection.end());
  return {
    port,
    admin: async (statements) => {
      for (const statement of statements) await connection.query(statement);
    },
  };
}

async function connect(
  port: number,
  isRunning: () => boolean,
  readLog: () => string,
): Promise<mysql.Connection> {
  const { user, password } = APP;
  for (const startedAt = Date.now(); ; ) {
    try {
      return await mysql.createConnection({
        host: '127.0.0.1',
        port,
        user,
        password,
        database: DATABASE,
      });
    } catch (error) {
      if (!isRunning() || Date.now() - startedAt > START_TIME_MAX)
        throw new Error(`the engine does not start: ${readLog()}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, START_PAUSE));
    }
  }
}

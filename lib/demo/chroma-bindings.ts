/**
 * Finds the Chroma server that comes from npm (a native module with the whole server in it), and makes it
 * load where the C library is older than the one it was built with: on a copy, in a folder of the
 * caller's, never in node_modules. It downloads nothing. What is changed, and that the server works with
 * it, was measured (vector.md 1.1).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';

/** Minor version of the glibc that the module from npm was built with: 2.39. */
const GLIBC_MINOR_BUILT = 39;
/** Below this one even the changed copy lacks functions. */
const GLIBC_MINOR_MIN = 34;

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'chromadb-js-bindings-linux-x64-gnu',
  'linux-arm64': 'chromadb-js-bindings-linux-arm64-gnu',
  'darwin-x64': 'chromadb-js-bindings-darwin-x64',
  'darwin-arm64': 'chromadb-js-bindings-darwin-arm64',
};

export interface ChromaBindings {
  /** The native module as npm installed it. */
  readonly file: string;
  /** Minor version of this machine's glibc; undefined: not needed here (macOS). */
  readonly glibcMinor: number | undefined;
}

const require = createRequire(import.meta.url);

/** A text says why there is none for this machine. */
export function findChromaBindings(
  platform = `${process.platform}-${process.arch}`,
  glibc: string | undefined = readGlibcVersion(),
): ChromaBindings | string {
  const name = PACKAGES[platform];
  if (name === undefined) return `npm has no Chroma server for ${platform}`;
  const isLinux = platform.startsWith('linux-');
  const minor = /^2\.(\d+)/.exec(glibc ?? '')?.[1];
  if (isLinux && minor === undefined)
    return "npm's Chroma server needs glibc, and this machine has another C library";
  if (isLinux && Number(minor) < GLIBC_MINOR_MIN) {
    return `npm's Chroma server needs glibc 2.${GLIBC_MINOR_MIN} or newer, and this is ${glibc ?? 'unknown'}`;
  }
  const file = resolveBindings(name);
  if (file === undefined) return `the package ${name} is not installed (npm ci --include=dev)`;
  return { file, glibcMinor: isLinux ? Number(minor) : undefined };
}

/** As Node was started with; undefined on musl and outside Linux. */
function readGlibcVersion(): string | undefined {
  const report: unknown = process.report.getReport();
  const header =
    typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  const isHeader = typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
  return isHeader ? String(header.glibcVersionRuntime) : undefined;
}

/** npm may put it beside the client or inside of its folder. */
function resolveBindings(name: string): string | undefined {
  try {
    return createRequire(require.resolve('chromadb')).resolve(name);
  } catch {
    return undefined; // Not installed, which the caller puts into words.
  }
}

/** The file to load: npm's own where that works, else a changed copy in `folder`. */
export async function prepareChromaBindings(
  { file, glibcMinor }: ChromaBindings,
  folder: string,
): Promise<string> {
  if (glibcMinor === undefined || glibcMinor >= GLIBC_MINOR_BUILT) return file;
  const bytes = await readFile(file);
  lowerGlibcNeeds(bytes, glibcMinor);
  const copy = join(folder, 'chroma.node');
  await writeFile(copy, bytes, { mode: 0o700 });
  return copy;
}

const SECTION_DYNSYM = 11;
const SECTION_VERNEED = 0x6ffffffe;
const SECTION_VERSYM = 0x6fffffff;
/** vna_flags: without that version the object is loaded all the same. */
const VERSION_WEAK = 2;
const SYMBOL_SIZE = 24;
/** versym: of no version, the first that is found by its name. */
const VERSION_GLOBAL = 1;
/** C23 readings of strtol and sscanf, which differ from the old ones in binary literals only. */
const ISOC23 = '__isoc23_';

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Index of the section with its strings. */
  readonly link: number;
  readonly info: number;
}

/**
 * In place, on an ELF64 object: versions of glibc above `glibcMinor` are needed weakly, and undefined
 * `__isoc23_strtol` becomes `strtol`, which is the tail of the same string. Doing it again changes
 * nothing. Layouts: System V gABI (symbols), LSB core 10.7 (versions).
 */
export function lowerGlibcNeeds(bytes: Buffer, glibcMinor: number): void {
  try {
    const sections = readSections(bytes);
    weakenVersions(bytes, sections, glibcMinor);
    renameSymbols(bytes, sections);
  } catch (cause) {
    const message = `npm's Chroma server is not as Weir knows it, so it cannot be made to run here: ${String(cause)}`;
    throw new GatewayError('CHROMA_NOT_RUNNABLE', message, { cause });
  }
}

function readSections(bytes: Buffer): readonly Section[] {
  const isElf64 = bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
  if (!isElf64) throw new Error('no ELF64 object in little endian');
  const start = Number(bytes.readBigUInt64LE(40));
  const entrySize = bytes.readUInt16LE(58);
  const count = bytes.readUInt16LE(60);
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entrySize;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
      info: bytes.readUInt32LE(at + 44),
    };
  });
}

function sectionOf(sections: readonly Section[], type: number): Section {
  const found = sections.find((section) => section.type === type);
  if (found === undefined) throw new Error(`no section of type ${type}`);
  return found;
}

function textAt(bytes: Buffer, sections: readonly Section[], of: Section, offset: number): string {
  const strings = sections[of.link];
  if (strings === undefined || offset >= strings.size) throw new Error('a string lies outside');
  const start = strings.offset + offset;
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}

/** Each needed library (Verneed) has a chain of the versions that are needed of it (Vernaux). */
function weakenVersions(bytes: Buffer, sections: readonly Section[], glibcMinor: number): void {
  const needs = sectionOf(sections, SECTION_VERNEED);
  let need = needs.offset;
  for (let left = needs.info; left > 0; left--) {
    let version = need + bytes.readUInt32LE(need + 8);
    for (let count = bytes.readUInt16LE(need + 2); count > 0; count--) {
      const name = textAt(bytes, sections, needs, bytes.readUInt32LE(version + 8));
      const minor = Number(/^GLIBC_2\.(\d+)$/.exec(name)?.[1] ?? 0);
      const flags = bytes.readUInt16LE(version + 4);
      if (minor > glibcMinor) bytes.writeUInt16LE(flags | VERSION_WEAK, version + 4);
      version += bytes.readUInt32LE(version + 12);
    }
    need += bytes.readUInt32LE(need + 12);
  }
}

function renameSymbols(bytes: Buffer, sections: readonly Section[]): void {
  const symbols = sectionOf(sections, SECTION_DYNSYM);
  const versions = sectionOf(sections, SECTION_VERSYM);
  for (let index = 1; index < symbols.size / SYMBOL_SIZE; index++) {
    const symbol = symbols.offset + index * SYMBOL_SIZE;
    const isUndefined = bytes.readUInt16LE(symbol + 6) === 0;
    const name = bytes.readUInt32LE(symbol);
    if (!isUndefined || !textAt(bytes, sections, symbols, name).startsWith(ISOC23)) continue;
    bytes.writeUInt32LE(name + ISOC23.length, symbol);
    bytes.writeUInt16LE(VERSION_GLOBAL, versions.offset + index * 2);
  }
}

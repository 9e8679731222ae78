/** What goes wrong with a configuration: always the whole list, one line for each problem. */
import { GatewayError } from '../errors.ts';

export interface ConfigProblem {
  /** 1-based; undefined where the problem has no place in the file. */
  readonly line: number | undefined;
  /** Where, what was expected, what came, the mend. */
  readonly text: string;
}

/** Its message is for people, as it is: one `file:line: where: what` for each problem. */
export class ConfigError extends GatewayError {
  override readonly name = 'ConfigError';

  constructor(file: string, problems: readonly ConfigProblem[], options?: { cause?: unknown }) {
    super('CONFIG_INVALID', formatProblems(file, problems), options);
  }
}

function formatProblems(file: string, problems: readonly ConfigProblem[]): string {
  const inOrder = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = inOrder.map(({ line, text }) => {
    return line === undefined ? `${file}: ${text}` : `${file}:${line}: ${text}`;
  });
  return lines.join('\n');
}

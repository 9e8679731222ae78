/**
 * Passwords inside of statements must not reach the recording (GW-16). They are overwritten in place, so
 * that every length stays what it was. The text may come in pieces: a large one is never held for this.
 */

const BLANK = 0x2a; // '*'
/**
 * IDENTIFIED BY, PASSWORD(), SET PASSWORD, MASTER_PASSWORD, OPTIONS (PASSWORD ...), columns of mysql.user,
 * and CONNECTION = 'mysql://user:password@...' of FEDERATED and SPIDER tables.
 */
const TRIGGER = /identified|password|passwd|auth_?string|authentication_string|secret|connection/i;
/** Longest trigger, less one: what may stand across two pieces. */
const CARRY_SIZE = 'authentication_string'.length - 1;
const QUOTE = /['"]/;

export class SecretBlanker {
  #mode: 'search' | 'armed' | 'blank' = 'search';
  #carry = '';
  #hasQuote = false;

  /** `isSecret`: everything from the first byte on is one. */
  constructor(isSecret = false) {
    if (isSecret) this.#mode = 'blank';
  }

  /** True once a trigger was seen: what is bound to the statement may be a secret, too. */
  get isTriggered(): boolean {
    return this.#mode !== 'search';
  }

  /**
   * The next piece of the text as it may be shown; the piece itself where it holds no secret. It errs on
   * one side: from the first quote behind a trigger everything up to the end of the text goes, because
   * where a literal ends depends on settings that are not known here.
   */
  push(piece: Buffer): Buffer {
    const from = this.#blankFrom(piece);
    if (from >= piece.length) return piece;
    const shown = Buffer.from(piece);
    shown.fill(BLANK, from);
    return shown;
  }

  #blankFrom(piece: Buffer): number {
    if (this.#mode === 'blank') return 0;
    const text = piece.toString('latin1');
    if (this.#mode === 'armed') return this.#findQuote(text, 0);
    const joined = this.#carry + text;
    const carried = this.#carry.length;
    const trigger = TRIGGER.exec(joined);
    if (trigger === null) {
      this.#hasQuote ||= QUOTE.test(text);
      this.#carry = joined.slice(-CARRY_SIZE);
      return piece.length;
    }
    const end = trigger.index + trigger[0].length - carried;
    // The trigger may stand inside of a literal that began before it: then the secret follows at once.
    const isInside = this.#hasQuote || QUOTE.test(joined.slice(0, trigger.index));
    if (!isInside) return this.#findQuote(text, end);
    this.#mode = 'blank';
    return end;
  }

  #findQuote(text: string, from: number): number {
    const found = text.slice(from).search(QUOTE);
    this.#mode = found < 0 ? 'armed' : 'blank';
    return found < 0 ? text.length : from + found;
  }
}

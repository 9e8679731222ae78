/** Session ids: 26 characters that sort by time of start (the ULID layout), safe in file names. */

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

/** `now` in milliseconds since 1970; `random` at least 16 bytes, of which 5 bits each are used. */
export function createSessionId(now: number, random: Buffer): string {
  let time = '';
  let left = now;
  for (let index = 0; index < TIME_LENGTH; index++) {
    time = `${ALPHABET[left % 32]}${time}`;
    left = Math.floor(left / 32);
  }
  const tail = [...random.subarray(0, RANDOM_LENGTH)].map((byte) => ALPHABET[byte % 32]);
  return time + tail.join('');
}

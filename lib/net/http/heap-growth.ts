/**
 * Bodies are pieces of 64 kB outside of the JavaScript heap, and V8 counts their bytes against the room that the
 * heap has to grow. It frees them cheaply, whenever 32 MB have come (a collection of what is young); but a heap of
 * 20 MB as a gateway has it is given less room than that, so that V8 marks all of it instead, again and again.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * How much the old heap may grow before it is marked, in percent of what was alive: a factor of four, V8's own
 * largest, which it takes at once only for programs that produce garbage fast. Without it, marking took up to half
 * of the processor time of large answers, more or less of it as the start of the process happened to go.
 */
const GROWTH_PERCENT = 300;

/** For the whole process: it is asked for where HTTP is served. V8 reads the flag at the end of each marking. */
export function giveHeapRoom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

import t from 'tap';
import { protocols } from '../../protocols/registry.ts';
import {
  testCuts,
  testEnds,
  testFatalChunk,
  testHeldSize,
  testHolds,
  testMutations,
  testRefusals,
  testReplay,
  testStrangers,
  transcriptsOf,
} from './conformance.ts';

const FATAL = ['unknown-message', 'length-over-limit'];

// Those over HTTP are driven by exchanges and not by bytes: exchanges.test.ts.
for (const protocol of protocols.filter(({ transport }) => transport !== 'http')) {
  const transcripts = transcriptsOf(protocol);

  t.test(`${protocol.name}: the transcripts are there`, async (t) => {
    const names = transcripts.map(({ name }) => name);
    for (const name of FATAL) t.ok(names.includes(name), name);
  });

  for (const one of transcripts) {
    t.test(`${protocol.name}, ${one.name}`, async (t) => {
      testReplay(t, protocol, one);
      testCuts(t, protocol, one);
      testHolds(t, protocol, one);
      testRefusals(t, protocol, one);
      testMutations(t, protocol, one);
      testEnds(t, protocol, one);
      testHeldSize(t, protocol, one);
      if (FATAL.includes(one.name)) testFatalChunk(t, protocol, one);
    });
  }

  t.test(`${protocol.name}: strangers`, async (t) => {
    for (const one of transcripts.slice(0, 1)) testStrangers(t, protocol, one);
  });
}

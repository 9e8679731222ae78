import t from 'tap';
import { toyScripts } from './exchange-scripts.ts';
import {
  testCuts,
  testDisorder,
  testEnds,
  testHolds,
  testRefusals,
  testSecrets,
} from './exchanges.ts';
import { storeScripts } from './store-scripts.ts';

for (const script of [...toyScripts, ...storeScripts]) {
  t.test(`${script.protocol.name}, ${script.name}`, async (t) => {
    testCuts(t, script);
    testSecrets(t, script);
    testHolds(t, script);
    testRefusals(t, script);
    testEnds(t, script);
    testDisorder(t, script);
  });
}

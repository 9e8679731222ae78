import t from 'tap';
import { withoutVectors } from '../../../protocols/milvus/vectors.ts';
import { type Message, decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';

const vector: Message = {
  type: 101,
  field_name: 'vec',
  vectors: { dim: 1, float_vector: { data: [1] } },
};
const text: Message = { type: 21, field_name: 'city', scalars: { string_data: { data: ['Ulm'] } } };
const struct: Message = { type: 201, field_name: 's', struct_arrays: { fields: [vector, text] } };

t.test('columns of vectors are taken out, in structs as well', async (t) => {
  const fields_data = [vector, text, struct];
  const query = withoutVectors(encodeMessage('QueryResults', { fields_data }), 'query');
  const search = withoutVectors(
    encodeMessage('SearchResults', { results: { fields_data, scores: [1] } }),
    'search',
  );
  for (const shown of [
    decodeMessage('QueryResults', query),
    decodeMessage('SearchResults', search),
  ]) {
    const written = JSON.stringify(shown);
    t.notMatch(written, 'vec');
    t.equal(written.split('Ulm').length, 3, 'the texts are there');
  }
  const kept = encodeMessage('QueryResults', { fields_data: [text] });
  t.equal(withoutVectors(kept, 'query'), kept);
});

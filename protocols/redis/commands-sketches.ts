/**
 * What the commands of RedisBloom (filters, counters, top lists, digests) and RedisTimeSeries do, which Redis 8
 * has built in; read as in `command-table.ts`. What a filter or a sketch was told is an oracle (`steers`), never a value,
 * but a top list gives its items back, and a series its labels.
 */

export const SKETCH_COMMANDS = `
bf.add | upsert:1 | none | steers
bf.card | count:1 | none
bf.debug | admin:1 | whole | opaque
bf.exists | read:1 | none | steers
bf.info | describe:1 | none
bf.insert | upsert:1 | none | steers
bf.loadchunk | upsert:1 | none
bf.madd | upsert:1 | none | steers
bf.mexists | read:1 | none | steers
bf.reserve | create:1 upsert:1 | none
bf.scandump | export:1 | whole | code
cf.add | upsert:1 | none
cf.addnx | upsert:1 | none | steers
cf.compact | alter:1 | none
cf.count | read:1 | none | steers
cf.debug | admin:1 | whole | opaque
cf.del | delete:1 | none | steers
cf.exists | read:1 | none | steers
cf.info | describe:1 | none
cf.insert | upsert:1 | none
cf.insertnx | upsert:1 | none | steers
cf.loadchunk | upsert:1 | none
cf.mexists | read:1 | none | steers
cf.reserve | create:1 upsert:1 | none
cf.scandump | export:1 | whole | code
cms.incrby | upsert:1 read:1 | none | steers
cms.info | describe:1 | none
cms.initbydim | create:1 upsert:1 | none
cms.initbyprob | create:1 upsert:1 | none
cms.merge | upsert:1 read:n2 | none | moves
cms.query | read:1 | none | steers
topk.add | upsert:1 delete:1 | values
topk.count | read:1 | none | steers
topk.incrby | upsert:1 delete:1 | values
topk.info | describe:1 | none
topk.list | read:1 | values
topk.query | read:1 | none | steers
topk.reserve | create:1 upsert:1 | none
tdigest.add | upsert:1 | none
tdigest.byrank | read:1 | values
tdigest.byrevrank | read:1 | values
tdigest.cdf | read:1 | none | steers
tdigest.create | create:1 upsert:1 | none
tdigest.info | describe:1 | none
tdigest.max | read:1 | values
tdigest.merge | upsert:1 read:n2 | none | moves
tdigest.min | read:1 | values
tdigest.quantile | read:1 | values
tdigest.rank | read:1 | none | steers
tdigest.reset | delete:1 | none
tdigest.revrank | read:1 | none | steers
tdigest.trimmed_mean | read:1 | values
ts.add | upsert:1 | none
ts.alter | alter:1 | none
ts.create | create:1 upsert:1 | none
ts.createrule | alter:1 read:1 upsert:2 | none | moves
ts.decrby | upsert:1 | none
ts.del | delete:1 | none
ts.deleterule | alter:1 alter:2 | none
ts.get | read:1 | samples
ts.incrby | upsert:1 | none
ts.info | read:1 | whole | opaque
ts.madd | upsert:1../3 | none
ts.mget | read:* | whole | opaque unlimited
ts.mrange | read:* export:* | whole | opaque unlimited
ts.mrevrange | read:* export:* | whole | opaque unlimited
ts.queryindex | export:* | none | unlimited
ts.range | read:1 | samples
ts.revrange | read:1 | samples
timeseries.clusterset | admin:* | none
timeseries.clustersetfromshard | admin:* | none
timeseries.forceshardsconnection | admin:* | none
timeseries.hello | admin:* | none
timeseries.infocluster | admin:* | none
timeseries.innercommunication | admin:* | none
timeseries.networktest | admin:* | none
timeseries.refreshcluster | admin:* | none
`;

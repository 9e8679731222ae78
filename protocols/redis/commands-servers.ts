/**
 * What the commands on servers, connections, channels, scripts and functions do; read as in
 * `command-table.ts`. What could not be followed any more once it is sent is `never`. A script may do anything to
 * any key, so it has all effects on the store as a whole: a rule against one of them on one key holds it, too.
 */

export const SERVER_COMMANDS = `
auth | - | none | secrets
hello | - | none | secrets
ping | - | none
echo | - | none
quit | - | none
reset | - | none
select | describe:db1 | none
swapdb | admin:* upsert:* delete:* | none
time | - | none
wait | - | none
waitaof | - | none
readonly | - | none
readwrite | - | none
asking | - | none
lolwut | - | none
lastsave | - | none
role | - | none
info | - | none
command | - | none
command count | - | none
command docs | - | none
command getkeys | - | none
command getkeysandflags | - | none
command help | - | none
command info | - | none
command list | - | none
multi | - | none
exec | - | none
discard | - | none
unwatch | - | none
client caching | - | none
client getname | - | none
client getredir | - | none
client help | - | none
client id | - | none
client info | - | none
client kill | admin:* | none
client list | admin:* | none
client maint_notifications | - | none
client no-evict | admin:* | none
client no-touch | - | none
client pause | admin:* | none
client reply | - | none | reply
client setinfo | - | none
client setname | - | none
client tracking | - | none | tracking
client trackinginfo | - | none
client unblock | admin:* | none
client unpause | admin:* | none
subscribe | read:c1.. | none
ssubscribe | read:c1.. | none
psubscribe | read:* | none
unsubscribe | - | none
sunsubscribe | - | none
punsubscribe | - | none
publish | upsert:c1 | none
spublish | upsert:c1 | none
pubsub channels | describe:* | none
pubsub help | - | none
pubsub numpat | - | none
pubsub numsub | describe:* | none
pubsub shardchannels | describe:* | none
pubsub shardnumsub | describe:* | none
eval | admin:* read:* search:* count:* export:* upsert:* delete:* drop:* create:* alter:* | whole | code
eval_ro | admin:* read:* search:* count:* export:* | whole | code
evalsha | admin:* read:* search:* count:* export:* upsert:* delete:* drop:* create:* alter:* | whole | code
evalsha_ro | admin:* read:* search:* count:* export:* | whole | code
fcall | admin:* read:* search:* count:* export:* upsert:* delete:* drop:* create:* alter:* | whole | code
fcall_ro | admin:* read:* search:* count:* export:* | whole | code
script debug | admin:* | none
script exists | admin:* | none
script flush | admin:* | none
script help | - | none
script kill | admin:* | none
script load | admin:* | none
function delete | admin:* | none
function dump | admin:* | none
function flush | admin:* | none
function help | - | none
function kill | admin:* | none
function list | admin:* | none
function load | admin:* | none
function restore | admin:* | none
function stats | admin:* | none
acl cat | - | none
acl deluser | admin:* | none
acl dryrun | admin:* | none
acl genpass | - | none | secretAnswer
acl getuser | admin:* | none | secretAnswer
acl help | - | none
acl list | admin:* | none | secretAnswer
acl load | admin:* | none
acl log | admin:* read:* | whole | opaque
acl save | admin:* | none
acl setuser | admin:* | none | secrets
acl users | admin:* | none
acl whoami | - | none
bgrewriteaof | admin:* | none
bgsave | admin:* | none
save | admin:* | none
cluster addslots | admin:* | none
cluster addslotsrange | admin:* | none
cluster bumpepoch | admin:* | none
cluster count-failure-reports | admin:* | none
cluster countkeysinslot | count:* | none
cluster delslots | admin:* | none
cluster delslotsrange | admin:* | none
cluster failover | admin:* | none
cluster flushslots | admin:* | none
cluster forget | admin:* | none
cluster getkeysinslot | export:* | none | unlimited
cluster help | - | none
cluster info | - | none
cluster keyslot | - | none
cluster links | admin:* | none
cluster meet | admin:* | none
cluster migration | admin:* | none
cluster myid | - | none
cluster myshardid | - | none
cluster nodes | - | none
cluster replicas | - | none
cluster replicate | admin:* | none
cluster reset | admin:* | none
cluster saveconfig | admin:* | none
cluster set-config-epoch | admin:* | none
cluster setslot | admin:* | none
cluster shards | - | none
cluster slaves | - | none
cluster slot-stats | admin:* | none
cluster slots | - | none
cluster syncslots | admin:* | none | never
config get | admin:* | none | secretAnswer
config help | - | none
config resetstat | admin:* | none
config rewrite | admin:* | none
config set | admin:* | none | secrets
debug | admin:* read:* | whole | code
failover | admin:* | none
flushall | drop:* | none
flushdb | drop:* | none
latency doctor | admin:* | none
latency graph | admin:* | none
latency help | - | none
latency histogram | admin:* | none
latency history | admin:* | none
latency latest | admin:* | none
latency reset | admin:* | none
migrate | admin:* export:3 export:migrate | none | secrets code
module help | - | none
module list | describe:* | none
module load | admin:* | none
module loadex | admin:* | none
module unload | admin:* | none
monitor | admin:* | none | never
psync | admin:* | none | never
replconf | admin:* | none | never
sync | admin:* | none | never
replicaof | admin:* drop:* upsert:* | none
slaveof | admin:* drop:* upsert:* | none
shutdown | admin:* | none
slowlog get | admin:* read:* | whole | opaque
slowlog help | - | none
slowlog len | admin:* | none
slowlog reset | admin:* | none
`;

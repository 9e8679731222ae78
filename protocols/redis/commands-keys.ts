/**
 * What the commands on keys and values do, one a line: `name | accesses | answer | marks`. How a line is
 * read: `command-table.ts`. Commands of Redis 7 and 8 (COMMAND LIST; a test compares). Not here: servers,
 * connections and modules.
 */

export const KEY_COMMANDS = `
copy | read:1 upsert:2 | none | moves
del | delete:1.. | none
unlink | delete:1.. | none
dump | export:1 | whole | code
restore | upsert:1 | none
restore-asking | upsert:1 | none
exists | describe:1.. | none
touch | describe:1.. | none
type | describe:1 | none
ttl | describe:1 | none
pttl | describe:1 | none
expiretime | describe:1 | none
pexpiretime | describe:1 | none
expire | upsert:1 delete:1 | none
pexpire | upsert:1 delete:1 | none
expireat | upsert:1 delete:1 | none
pexpireat | upsert:1 delete:1 | none
persist | upsert:1 | none
move | read:1 delete:1 upsert:1 | none
rename | read:1 delete:1 upsert:2 | none | moves
renamenx | read:1 delete:1 upsert:2 | none | moves
keys | export:* | none | unlimited
scan | export:* | none | scan2
randomkey | export:* | none
dbsize | count:* | none
object encoding | describe:2 | none
object freq | describe:2 | none
object idletime | describe:2 | none
object refcount | describe:2 | none
object help | - | none
memory usage | describe:2 | none
memory help | - | none
memory doctor | admin:* | none
memory malloc-stats | admin:* | none
memory purge | admin:* | none
memory stats | admin:* | none
sort | read:1 | values | sort
sort_ro | read:1 | values | sort
watch | describe:1.. | none
append | upsert:1 | none | alters steers
decr | upsert:1 read:1 | values
decrby | upsert:1 read:1 | values
incr | upsert:1 read:1 | values
incrby | upsert:1 read:1 | values
incrbyfloat | upsert:1 read:1 | values
get | read:1 | values
getdel | read:1 delete:1 | values
getex | read:1 upsert:1 delete:1 | values
getset | read:1 upsert:1 | values
getrange | read:1 | piece | steers
substr | read:1 | piece | steers
mget | read:1.. | values
mset | upsert:1../2 | none
msetnx | upsert:1../2 | none
msetex | upsert:n1x2 | none
set | upsert:1 | none | set
setex | upsert:1 | none
psetex | upsert:1 | none
setnx | upsert:1 | none
setrange | upsert:1 | none | alters cuts steers
strlen | describe:1 | none | steers
lcs | read:1..2 | piece | steers
delex | delete:1 | none | steers
digest | read:1 | piece | steers
bitcount | read:1 | piece | steers
bitpos | read:1 | piece | steers
bitfield | read:1 upsert:1 | piece | steers alters cuts
bitfield_ro | read:1 | piece | steers
bitop | upsert:2 read:3.. | none | moves remakes
getbit | read:1 | piece | steers
setbit | upsert:1 read:1 | piece | steers alters cuts
pfadd | upsert:1 | none | steers
pfcount | count:1.. | none
pfmerge | upsert:1 read:2.. | none | moves
pfdebug | admin:2 | none
pfselftest | admin:* | none
hdel | delete:1 | none
hexists | describe:1 | none
hexpire | upsert:1 delete:1 | none
hexpireat | upsert:1 delete:1 | none
hpexpire | upsert:1 delete:1 | none
hpexpireat | upsert:1 delete:1 | none
hpersist | upsert:1 | none
hexpiretime | describe:1 | none
hpexpiretime | describe:1 | none
httl | describe:1 | none
hpttl | describe:1 | none
hget | read:1 | named2
hmget | read:1 | named2
hgetall | read:1 | fields
hgetdel | read:1 delete:1 | namedFields
hgetex | read:1 upsert:1 delete:1 | namedFields
hincrby | upsert:1 read:1 | named2
hincrbyfloat | upsert:1 read:1 | named2
hkeys | describe:1 | none
hlen | count:1 | none
hrandfield | read:1 | fieldsWithValues
hscan | read:1 | scanFields
hset | upsert:1 | none
hsetex | upsert:1 | none
hsetnx | upsert:1 | none
hmset | upsert:1 | none
hstrlen | describe:1 | none | steersField
hvals | read:1 | whole | opaque
blmove | read:1 delete:1 upsert:2 | values | moves
lmove | read:1 delete:1 upsert:2 | values | moves
rpoplpush | read:1 delete:1 upsert:2 | values | moves
brpoplpush | read:1 delete:1 upsert:2 | values | moves
blmpop | read:n2 delete:n2 | keyed
lmpop | read:n1 delete:n1 | keyed
blpop | read:1..-2 delete:1..-2 | keyed
brpop | read:1..-2 delete:1..-2 | keyed
lpop | read:1 delete:1 | values
rpop | read:1 delete:1 | values
lindex | read:1 | values
linsert | upsert:1 | none | steers
llen | count:1 | none
lpos | read:1 | none | steers
lpush | upsert:1 | none
lpushx | upsert:1 | none
rpush | upsert:1 | none
rpushx | upsert:1 | none
lrange | read:1 | values
lrem | delete:1 | none | steers
lset | upsert:1 | none
ltrim | delete:1 | none
sadd | upsert:1 | none | steers
scard | count:1 | none
sdiff | read:1.. | values
sinter | read:1.. | values
sunion | read:1.. | values
sdiffstore | upsert:1 read:2.. | none | moves steers
sinterstore | upsert:1 read:2.. | none | moves steers
sunionstore | upsert:1 read:2.. | none | moves steers
sintercard | read:n1 | none | steers
sismember | read:1 | none | steers
smismember | read:1 | none | steers
smembers | read:1 | values
smove | read:1 delete:1 upsert:2 | none | moves steers
spop | read:1 delete:1 | values
srandmember | read:1 | values
srem | delete:1 | none | steers
sscan | read:1 | scanValues | steersMatch
geoadd | upsert:1 | none | steers
geodist | read:1 | none | steers
geohash | read:1 | none | steers
geopos | read:1 | none | steers
georadius | read:1 | members | geo
georadius_ro | read:1 | members
georadiusbymember | read:1 | members | geo steers
georadiusbymember_ro | read:1 | members | steers
geosearch | read:1 | members | steersMember
geosearchstore | upsert:1 read:2 | none | moves steersMember
`;

export const SORTED_AND_STREAMS = `
bzmpop | read:n2 delete:n2 | keyedScored
zmpop | read:n1 delete:n1 | keyedScored
bzpopmax | read:1..-2 delete:1..-2 | keyMemberScore
bzpopmin | read:1..-2 delete:1..-2 | keyMemberScore
zpopmax | read:1 delete:1 | scored
zpopmin | read:1 delete:1 | scored
zadd | upsert:1 | none | steers
zcard | count:1 | none
zcount | count:1 | none
zlexcount | count:1 | none | steers
zdiff | read:n1 | unionScores
zinter | read:n1 | unionScores
zunion | read:n1 | unionScores
zdiffstore | upsert:1 read:n2 | none | moves steers
zinterstore | upsert:1 read:n2 | none | moves steers
zunionstore | upsert:1 read:n2 | none | moves steers
zintercard | read:n1 | none | steers
zincrby | upsert:1 read:1 | none | steers
zmscore | read:1 | none | steers
zscore | read:1 | none | steers
zrank | read:1 | none | steers
zrevrank | read:1 | none | steers
zrandmember | read:1 | withScores
zrange | read:1 | withScores | steersByLex
zrangebylex | read:1 | values | steers
zrevrangebylex | read:1 | values | steers
zrangebyscore | read:1 | withScores
zrevrangebyscore | read:1 | withScores
zrevrange | read:1 | withScores
zrangestore | upsert:1 read:2 | none | moves steersByLex
zrem | delete:1 | none | steers
zremrangebylex | delete:1 | none | steers
zremrangebyrank | delete:1 | none
zremrangebyscore | delete:1 | none
zscan | read:1 | scanScored | steersMatch
xack | upsert:1 | none
xackdel | upsert:1 delete:1 | none
xadd | upsert:1 | none | trims
xautoclaim | read:1 upsert:1 | streams
xclaim | read:1 upsert:1 | streams
xcfgset | alter:1 | none
xdel | delete:1 | none
xdelex | delete:1 | none
xgroup create | alter:2 create:2 | none
xgroup createconsumer | alter:2 | none
xgroup delconsumer | alter:2 | none
xgroup destroy | alter:2 | none
xgroup setid | alter:2 | none
xgroup help | - | none
xinfo consumers | describe:2 | none
xinfo groups | describe:2 | none
xinfo stream | read:2 | whole | opaque
xinfo help | - | none
xlen | count:1 | none
xpending | describe:1 | none
xrange | read:1 | streams
xrevrange | read:1 | streams
xread | read:streams | streams
xreadgroup | read:streams upsert:streams | streams
xsetid | alter:1 | none
xtrim | delete:1 | none
`;

/**
 * What the commands of RediSearch, RedisJSON and vector sets do (vector.md 2.6); read as in
 * `command-table.ts`. Filters, sketches and time series: `commands-sketches.ts`.
 */

export const MODULE_COMMANDS = `
ft.search | search:i1 | search
ft.aggregate | search:i1 | aggregate
ft.profile | search:i1 admin:* | whole | code
ft.hybrid | search:i1 | whole | code
ft.explain | search:i1 | none | query2
ft.explaincli | search:i1 | none | query2
ft.spellcheck | search:i1 | pieces | opaque
ft.cursor | search:i2 | cursor
ft.tagvals | read:i1 | tagvals
ft.get | read:i1 read:2 | fields
ft.mget | read:i1 read:2.. | documents
ft.info | describe:i1 | indexInfo
ft._list | describe:* | none
ft.list | describe:* | none
ft.create | create:i1 | none | schema
ft._createifnx | create:i1 | none | schema
ft.alter | alter:i1 | none | schema
ft._alterifnx | alter:i1 | none | schema
ft.dropindex | drop:i1 | none | schema
ft._dropindexifx | drop:i1 | none | schema
ft.drop | drop:i1 delete:i1 | none | schema
ft._dropifx | drop:i1 delete:i1 | none | schema
ft.aliasadd | alter:i1 alter:i2 | none | schema
ft._aliasaddifnx | alter:i1 alter:i2 | none | schema
ft.aliasupdate | alter:i1 alter:i2 | none | schema
ft.aliasdel | alter:i1 | none | schema
ft._aliasdelifx | alter:i1 | none | schema
ft.add | upsert:i1 upsert:2 | none
ft.safeadd | upsert:i1 upsert:2 | none
ft.addhash | upsert:i1 read:2 | none
ft.safeaddhash | upsert:i1 read:2 | none
ft.del | delete:i1 delete:2 | none
ft.setpayload | upsert:i1 upsert:2 | none
ft.optimize | alter:i1 | none
ft.config | admin:* | none
ft._clearinfo | admin:* | none
ft.debug | admin:* read:* | whole | code
_ft.debug | admin:* read:* | whole | code
_ft.config | admin:* | none
search.clusterset | admin:* | none
search.clusterrefresh | admin:* | none
search.clusterinfo | admin:* | none
ft.dictadd | alter:* | none
ft.dictdel | alter:* | none
ft.dictdump | read:* | pieces | opaque
ft.synadd | alter:i1 | none
ft.synupdate | alter:i1 | none
ft.synforceupdate | alter:i1 | none
ft.syndump | describe:i1 | none
ft.sugadd | upsert:1 | none | steers
ft.sugdel | delete:1 | none | steers
ft.sugget | search:1 | suggestions | steers
ft.suglen | count:1 | none
json.arrappend | upsert:1 | none
json.arrindex | read:1 | none | path2
json.arrinsert | upsert:1 | none
json.arrlen | describe:1 | none
json.arrpop | read:1 delete:1 | json2 | path2
json.arrtrim | delete:1 | none
json.clear | delete:1 | none
json.debug | admin:2 | whole | opaque
json.del | delete:1 | none
json.forget | delete:1 | none
json.get | read:1 | jsonGet
json.merge | upsert:1 | none | merges
json.mget | read:1..-2 | jsonLast
json.mset | upsert:1../3 | none
json.numincrby | upsert:1 read:1 | json2
json.nummultby | upsert:1 read:1 | json2
json.numpowby | upsert:1 read:1 | json2
json.objkeys | describe:1 | none
json.objlen | describe:1 | none
json.resp | read:1 | whole | opaque
json.set | upsert:1 | none
json.strappend | upsert:1 | none | alters path2
json.strlen | describe:1 | none | path2
json.toggle | upsert:1 read:1 | whole | path2
json.type | describe:1 | none
json._cacheinfo | admin:* | none
json._cacheinit | admin:* | none
vadd | upsert:1 | none | steersElement
vcard | count:1 | none
vdim | describe:1 | none
vemb | read:1 | none | vectors steersElement
vgetattr | read:1 | attributes | steersElement
vinfo | describe:1 | none
vismember | describe:1 | none | steersElement
vlinks | search:1 | elements | steersElement
vrandmember | read:1 | elements | count2
vrange | export:1 | elements | count4 steersElement
vrem | delete:1 | none | steersElement
vsetattr | upsert:1 | none | steersElement
vsim | search:1 | vsim
`;

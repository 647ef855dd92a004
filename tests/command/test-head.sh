#!/bin/sh
# test-head.sh: flowrun head in a pipe; tables are looked at in test-terminal.py.
. "$top_srcdir/tests/command/lib.sh"
shop

run 0 head shop.json goods
no_err
ok "JSON Lines in a pipe" test "$(sed -n 2p "$tmp/.out")" = '{"id":2,"name":"a box\nof tea","price":30}'
ok "a null is null" test "$(sed -n 3p "$tmp/.out")" = '{"id":3,"name":null,"price":null}'
run 0 head shop.json names.out -n 1
ok "-n says how many" test "$(cat "$tmp/.out")" = '{"id":1,"name":"蓝色茶杯 blue cup"}'
run 0 head shop.json names -n3
ok "-n3 as well" test "$(wc -l < "$tmp/.out")" = 3
run 0 head -n 0 shop.json names
no_out
ok "head keeps nothing and runs no sink" test ! -e runs -a ! -e out.jsonl

printf 'id,name,price\n1,2,3\n3\n4,5,6\n' > goods.csv
run 0 head shop.json goods.rejects
out '"where":".*goods.csv:3"'
run 0 head shop.json goods.rejects --set 'goods.ragged=fill'
no_out
err 'gives no rows'

shop
run 2 head shop.json gods
err "did you mean 'goods'"
run 2 head shop.json goods.left
err "no port 'left'; it has: out, rejects"
run 2 head shop.json write
err 'is a sink'
run 2 head shop.json
err 'an argument is missing'
run 2 head shop.json goods -n x
err 'whole number'
run 2 head nosuch.json goods
err 'nosuch.json'

# A reader that leaves early is no failure.
"$FLOWRUN" head shop.json goods -n 4 2> .err | head -n 1 > .first
ok "a closed pipe is quiet" test ! -s .err
ok "what was read is there" grep -q '"id":1' .first
done_testing

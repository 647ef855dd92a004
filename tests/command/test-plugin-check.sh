#!/bin/sh
# test-plugin-check.sh: plugin-check passes good plugins and survives bad ones.
. "$top_srcdir/tests/command/lib.sh"

for plugin in transform-select sink-jsonl; do
  run 0 plugin-check "$top_builddir/plugins/.libs/$plugin.so"
  out '^1\.\.14$'
  out ' 0 failed, 0 skipped$'
done
shop
run 0 plugin-check "$top_builddir/plugins/.libs/source-csv.so" --with "{\"path\": \"$tmp/goods.csv\"}"
out 'ok 5 - source.csv: it runs$'
out ' 0 failed'

bad=$top_builddir/tests/command/.libs/bad-plugin.so
run 1 plugin-check "$bad" --timeout 2
out '^not ok 1 - it never ends the program'
out '#   it imports exit'
out '^not ok .* transform.crashes: it runs$'
out '#   it crashed: '
out '^not ok .* transform.exits: it runs$'
out '#   it ended the whole program with status 7'
out '^not ok .* transform.hangs: it runs$'
out '#   it did not end in time'
out '^ok .* transform.exits: no rows at all$'
out '^not ok .* transform.exits: the description is complete$'
out '^[0-9]* passed, [0-9]* failed, '
run 1 plugin-check "$bad" --element transform.crashes --timeout 2
ok "--element leaves the others out" sh -c "! grep -q transform.exits '$tmp/.out'"
printf '[{"text": "a"}]' > rows.json
run 0 plugin-check "$top_builddir/plugins/.libs/transform-select.so" --input rows.json \
  --columns 'text: utf8' --with '{"columns": ["text"]}'
out ' 0 failed, 0 skipped$'

echo "not an object file at all, but long enough to look at" > text.so
run 1 plugin-check text.so
out '^not ok .* it loads'
run 2 plugin-check nothing.so
err 'is not a file'
run 2 plugin-check .
err 'is not a file'
head -c 3000 "$bad" > cut.so
run 1 plugin-check cut.so
out '^not ok .*\(it loads\|opening the plugin\)'
done_testing

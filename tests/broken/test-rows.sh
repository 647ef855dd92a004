#!/bin/sh
# test-rows.sh: flowrun check says of rows/NAME.json, with the plugins as built, exactly what its
# .expect says.  UPDATE=1 writes them anew: look at the difference before believing it.
cd "$top_srcdir/tests/broken/rows" || exit 1
[ -e "$FLOWRUN_PLUGIN_PATH/transform-quality.so" ] || { echo "1..0 # SKIP transform.quality is not built"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
set -- *.json
n=0
echo "1..$#"
for file in "$@"; do
  name=${file%.json} n=$((n + 1))
  "$FLOWRUN" check "$file" >"$tmp/out" 2>&1
  status=$?
  grep -E ': (error|warning): ' "$tmp/out" >"$tmp/got"
  if [ -n "$UPDATE" ]; then cp "$tmp/got" "$name.expect"; fi
  if cmp -s "$tmp/got" "$name.expect" && [ $status = 2 ]; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    echo "# exit status $status, expected 2; < expected, > found:"
    diff "$name.expect" "$tmp/got" | sed 's/^/# /'
  fi
done

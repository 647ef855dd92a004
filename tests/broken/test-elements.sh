#!/bin/sh
# test-elements.sh: flowrun check, with the plugins as built, says of elements/NAME.json exactly what its .expect says.
# Options for the command stand in NAME.args, one a line.  UPDATE=1 writes the expectations anew: look at the
# difference before believing it.  (test-desensitize.sh does the same for the files of that element.)
cd "$top_srcdir/tests/broken/elements" || exit 1
for plugin in transform-backtranslate translator-openai transform-generate transform-split source-rows source-model; do
  [ -e "$FLOWRUN_PLUGIN_PATH/$plugin.so" ] || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
set -- backtranslate-*.json generate-*.json
echo "1..$#"
for file in "$@"; do
  name=${file%.json} n=$((n + 1))
  set --
  if [ -e "$name.args" ]; then
    while IFS= read -r arg; do set -- "$@" "$arg"; done <"$name.args"
  fi
  "$FLOWRUN" check "$file" "$@" >"$tmp/out" 2>&1
  status=$?
  grep -E ': (error|warning): ' "$tmp/out" | sed "s|$top_srcdir/tests/broken/elements/||g" >"$tmp/got"
  if [ -n "$UPDATE" ]; then cp "$tmp/got" "$name.expect"; fi
  if cmp -s "$tmp/got" "$name.expect" && [ $status = 2 ]; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    echo "# exit status $status, expected 2; < expected, > found:"
    diff "$name.expect" "$tmp/got" | sed 's/^/# /'
  fi
done

#!/bin/sh
# test-schemas.sh: the schemas in schemas/ are those of the elements built, are
# JSON Schemas, accept every pipeline in pipelines/ and refuse those in
# tests/broken/ where flowrun does.
#
# check-jsonschema (PyPI) is the judge of the last three; without it they are
# skipped.  UPDATE=1 writes schemas/ anew.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
judge=${FLOWRUN_VENV:-$top_srcdir/.venv}/bin/check-jsonschema
[ -x "$judge" ] || judge=$(command -v check-jsonschema)

"$FLOWRUN" schema >"$tmp/pipeline.schema.json" || exit 1
mkdir "$tmp/elements"
elements=$("$FLOWRUN" list --json | sed -n 's/^ *"name": "\([a-z]*\.[a-z0-9_]*\)".*/\1/p' | sort)
for element in $elements; do
  "$FLOWRUN" schema "$element" >"$tmp/elements/$element.schema.json" || exit 1
done

if [ -n "$UPDATE" ]; then
  mkdir -p "$top_srcdir/schemas/elements"
  rm -f "$top_srcdir"/schemas/elements/*.json
  cp "$tmp/pipeline.schema.json" "$top_srcdir/schemas/"
  cp "$tmp"/elements/*.json "$top_srcdir/schemas/elements/"
  { echo '# elements.mk: made by make update-schemas.'
    echo 'dist_elementschema_DATA = \'
    for element in $elements; do echo "	schemas/elements/$element.schema.json \\"; done | sed '$s/ \\$//'
  } >"$top_srcdir/schemas/elements.mk"
  exit 0
fi

n=0
result () { # $1: 0 for success, $2: name
  n=$((n + 1))
  if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
echo 1..4

# A build without some library has fewer elements: those it has are compared.
missing=$(cd "$top_srcdir/schemas/elements" && for f in *.schema.json; do [ -e "$tmp/elements/$f" ] || echo "$f"; done)
if [ -n "$missing" ]; then
  echo "ok 1 - checked in # SKIP this build leaves out elements"
  n=1
else
  diff -ru "$top_srcdir/schemas" "$tmp" -x '*.mk' >"$tmp.diff" 2>&1
  status=$?
  result $status "checked in"
  if [ $status != 0 ]; then head -n 40 "$tmp.diff" | sed 's/^/# /'; echo '# make update-schemas writes them anew'; fi
  rm -f "$tmp.diff"
fi

if [ ! -x "$judge" ]; then
  echo "ok 2 - schemas # SKIP no check-jsonschema"
  echo "ok 3 - accepted # SKIP no check-jsonschema"
  echo "ok 4 - refused # SKIP no check-jsonschema"
  exit 0
fi
"$judge" --check-metaschema "$tmp/pipeline.schema.json" "$tmp"/elements/*.json >"$tmp/out" 2>&1
result $? "schemas"

# The judge reads no comments; pipelines may hold them.
find "$top_srcdir/pipelines" -name '*.json' ! -path '*/data/*' >"$tmp/written"
: >"$tmp/pipelines"
while read -r pipeline; do
  plain=$tmp/plain/${pipeline#"$top_srcdir"/}
  mkdir -p "$(dirname "$plain")"
  "$(dirname "$judge")/python" -c '
import re, sys
print(re.sub(r"(\"(?:\\.|[^\"\\])*\")|//[^\n]*", r"\1", open(sys.argv[1], encoding="utf-8").read()))' "$pipeline" >"$plain" || exit 1
  echo "$plain" >>"$tmp/pipelines"
done <"$tmp/written"
if [ -s "$tmp/pipelines" ]; then
  xargs "$judge" --schemafile "$top_srcdir/schemas/pipeline.schema.json" <"$tmp/pipelines" >"$tmp/out" 2>&1
  status=$?
  result $status "accepted"
  [ $status = 0 ] || sed 's/^/# /' "$tmp/out"
else
  echo "ok 3 - accepted # SKIP no pipelines"
  n=$((n + 1))
fi

FLOWRUN_PLUGIN_PATH=$top_builddir/tests/broken/plugin/.libs "$FLOWRUN" schema >"$tmp/fake.schema.json" &&
  "$(dirname "$judge")/python" "$top_srcdir/tests/broken/refused.py" "$judge" "$tmp/fake.schema.json" "$top_srcdir/tests/broken" >"$tmp/out" 2>&1
status=$?
result $status "refused"
sed 's/^/# /' "$tmp/out"

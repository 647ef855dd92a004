#!/bin/sh
# update-docs.sh [--check]: writes everything that is made from tables: each
# element's NAME.md and the option sections of flowrun(1).  With --check it only
# says what is out of date, and TAP.  Run by `make update-docs`, tests/test-docs.sh.
set -eu
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}" "${FLOWRUN:=flowrun}"
check=no n=0 bad=0
[ "${1:-}" = --check ] && check=yes
new=$(mktemp)
trap 'rm -f "$new"' EXIT

# settle FILE WHAT: $new becomes FILE, or is compared with it.
settle ()
{
  n=$((n + 1))
  if [ $check = no ]; then
    cmp -s "$new" "$1" || { cat "$new" > "$1"; echo "wrote $1"; }
  elif cmp -s "$new" "$1"; then
    echo "ok $n - $2"
  else
    bad=$((bad + 1))
    echo "not ok $n - $2"
    diff -u "$1" "$new" 2>&1 | head -40 | sed 's/^/# /' || :
    echo "# 'make update-docs' brings it up to date"
  fi
}

# Where the page of element KIND.NAME lies: in the folder of that name, or
# beside its family.
page ()
{
  kind=${1%%.*} name=${1#*.}
  for file in "$top_srcdir/plugins/${kind}s/$name/$name.md" "$top_srcdir/plugins/${kind}s"/*/"$name.md"; do
    if [ -d "$(dirname "$file")" ]; then
      echo "$file"
      return
    fi
  done
}

for element in $("$FLOWRUN" list 2>/dev/null | sed -n 's/^\([a-z]*\.[a-z0-9_]*\) .*/\1/p'); do
  file=$(page "$element")
  [ -n "$file" ] || continue # a plugin of somewhere else
  "$FLOWRUN" help "$element" --markdown > "$new"
  settle "$file" "$element is described as its table says"
done

man=$top_srcdir/core/command/flowrun.1
"$FLOWRUN" --manual > "$new.options"
awk -v options="$new.options" '
  /^\.\\" end generated/ { skip = 0 }
  !skip { print }
  /^\.\\" begin generated/ { skip = 1; while ((getline line < options) > 0) print line }
' "$man" > "$new"
rm -f "$new.options"
settle "$man" "flowrun(1) lists the options of the program"
[ $check = no ] || echo "1..$n"
exit $((bad > 0))

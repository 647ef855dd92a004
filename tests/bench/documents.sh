#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# documents.sh [N]: reads N (100) each of DOCX, XLSX, PDF and EML with source.documents, with one
# worker and with two, beside Python's usual libraries (docx2txt, openpyxl, pypdf, email) and
# markitdown (which reads no mail: ours is timed without it, too), all in one run, in turn.  Ours is
# timed as a whole process, the rivals without Python's start and imports.
# Needs $FLOWRUN_VENV with python-docx, openpyxl, reportlab, docx2txt, pypdf, markitdown.
set -eu
n=${1:-100}
here=$(cd "$(dirname "$0")" && pwd)
python=${FLOWRUN_VENV:-/nonexistent}/bin/python
flowrun=${FLOWRUN:-flowrun}
if ! "$python" -c 'import docx, openpyxl, reportlab, docx2txt, pypdf' 2>/dev/null; then
  echo "documents: skipped: FLOWRUN_VENV has no python-docx, openpyxl, reportlab, docx2txt and pypdf"
  exit 0
fi
rivals=libraries
if "$python" -c 'import markitdown' 2>/dev/null; then rivals="libraries markitdown"; else echo "documents: without markitdown, which is missing"; fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$python" "$here/documents.py" make "$dir/docs" "$n"
echo "documents: $(find "$dir/docs" -type f | wc -l) files, $(du -sk "$dir/docs" | awk '{ printf "%.1f MB", $1 / 1024 }')"
ours () { # WORKERS INCLUDE
  cat >"$dir/p.json" <<END
{ "stages": { "d": { "use": "source.documents", "with": { "path": "docs", "include": $2 } },
              "o": { "use": "sink.jsonl", "from": "d", "with": { "path": "out.jsonl" } } } }
END
  /usr/bin/time -o "$dir/time" -f '%e %U %S %M' "$flowrun" "$dir/p.json" --run-dir "$dir/run" --fresh --workers "$1" \
    --progress none >/dev/null 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
  awk '{ printf "%s/%s", $1, $2 + $3 }' "$dir/time"
}
all='["*"]' office='["*.docx", "*.xlsx", "*.pdf"]'
one='' two='' part='' libraries='' markitdown='' peak=0
for round in 1 2 3; do
  one="$one $(ours 1 "$all")"
  two="$two $(ours 2 "$all")"
  peak=$(awk -v p="$peak" '{ print ($4 > p) ? $4 : p }' "$dir/time")
  part="$part $(ours 1 "$office")"
  for rival in $rivals; do
    seconds=$("$python" "$here/documents.py" read "$rival" "$dir/docs" 2>/dev/null | awk '{ print $2 "/" $3 }')
    case $rival in libraries) libraries="$libraries $seconds" ;; *) markitdown="$markitdown $seconds" ;; esac
    # markitdown takes its time: once is enough.
    [ "$rival" = markitdown ] && rivals=libraries
  done
  echo "round $round (wall/processor seconds): one worker$one | two$two | without mail, one worker$part | libraries$libraries | markitdown$markitdown"
done
wall () { printf '%s\n' $* | cut -d/ -f1 | sort -n | head -n 1; }
cpu () { printf '%s\n' $* | cut -d/ -f2 | sort -n | head -n 1; }
tell () { # WHAT FUNCTION
  echo "$($2 $one) $($2 $two) $($2 $part) $($2 $libraries) $($2 $markitdown)" | awk -v n="$n" -v what="$1" '{
    printf "%s: one worker %.0f documents/s, two %.0f; over the libraries %.1f and %.1f times", what, 4 * n / $1, 4 * n / $2, $4 / $1, $4 / $2
    if (NF > 4) printf "; over markitdown (no mail, one worker) %.1f times", $5 / $3
    print "" }'
}
tell "wall clock" wall
# Says more where other work runs beside.
tell "processor time" cpu
echo "peak resident memory $((peak * 1024 / 1000000)) MB"

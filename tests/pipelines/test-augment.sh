#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-augment.sh: what is augmented stays on the training side: rows held out are refused however they
# come, a split made afterwards tears no family apart, and flowrun why shows where a variant is from.
# shellcheck source-path=SCRIPTDIR
. "$top_srcdir/tests/command/lib.sh"

# Forty products; every other text is there twice, so that clusters have members of their own.
{
  echo 'id,input,output'
  i=0
  while [ $i -lt 40 ]; do
    echo "$i,限时优惠第$((i / 2))款，立即购买，非常舒适,好"
    i=$((i + 1))
  done
} >goods.csv

stages='"goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
    "same": { "use": "transform.dedup", "from": "goods", "with": { "columns": "input", "cluster": "cluster" } }'

# ---- refused ------------------------------------------------------------------
cat >held.json <<END
{
  "stages": {
    $stages,
    "split": { "use": "transform.split", "from": "same", "with": { "validation": 0.2, "test": 0.1, "by": "cluster" } },
    "short": { "use": "transform.filter", "from": "split.validation", "with": { "where": "id >= 0" } },
    "more": { "use": "transform.synonyms", "from": ["split.train", "short"] },
    "worse": { "use": "transform.synonyms", "from": "split.test" },
    "out": { "use": "sink.jsonl", "from": ["more", "worse"], "with": { "path": "out.jsonl" } }
  }
}
END
run 2 check held.json
out "held.json:7:68: error: the input 'in' of 'more' (transform.synonyms) takes only rows to learn from, but 'split.validation' (transform.split) holds its rows out, by way of 'short'; connect rows that come from 'split.train' (/stages/more/from/1)"
out "held.json:8:53: error: the input 'in' of 'worse' (transform.synonyms) takes only rows to learn from, but 'split.test' (transform.split) holds its rows out; connect rows that come from 'split.train' (/stages/worse/from)"
run 2 held.json --progress none
ok "nothing was written" test ! -e out.jsonl

# ---- split, then augment ------------------------------------------------------
cat >after.json <<END
{
  "name": "after",
  "stages": {
    $stages,
    "split": { "use": "transform.split", "from": "same", "with": { "validation": 0.25, "by": "cluster", "leak_check": false } },
    "more": { "use": "transform.synonyms", "from": "split.train", "with": { "variants": 3 } },
    "train": { "use": "sink.jsonl", "from": "more", "with": { "path": "train.jsonl" } },
    "hold": { "use": "sink.jsonl", "from": "split.validation", "with": { "path": "hold.jsonl" } }
  }
}
END
run 0 check after.json
run 0 after.json --progress none --run-dir after --workers 3
ok "15 rows and 45 variants" test "$(wc -l <train.jsonl)" = 60
ok "as many parents as variants say" test "$(grep -c '"variant":0' train.jsonl)" = 15
cp train.jsonl train-3.jsonl
run 0 after.json --progress none --run-dir after-1 --workers 1
ok "the same with one worker" cmp train.jsonl train-3.jsonl

# ---- augment, then split ------------------------------------------------------
cat >before.json <<END
{
  "name": "before",
  "stages": {
    $stages,
    "more": { "use": "transform.synonyms", "from": "same", "with": { "variants": 3 } },
    "again": { "use": "transform.synonyms", "from": "more", "with": { "variants": 1, "domain": "none", "table": { "好": ["佳"], "第": ["号"], "款": ["种"] } } },
    "split": { "use": "transform.split", "from": "again", "with": { "validation": 0.3, "by": "cluster", "leak_check": false } },
    "train": { "use": "sink.jsonl", "from": "split.train", "with": { "path": "train.jsonl" } },
    "hold": { "use": "sink.jsonl", "from": "split.validation", "with": { "path": "hold.jsonl" } }
  }
}
END
run 0 before.json --progress none --run-dir before
clusters () { sed -n 's/.*"cluster":"\([^"]*\)".*/\1/p' "$1" | sort -u; }
clusters train.jsonl >of-train
clusters hold.jsonl >of-hold
ok "both sides have families" test -s of-train -a -s of-hold
ok "no family is on both sides" test -z "$(comm -12 of-train of-hold)"
ok "every row has its family" test "$(cat train.jsonl hold.jsonl | grep -c '"cluster":"goods:[0-9]*"')" = "$(cat train.jsonl hold.jsonl | wc -l)"
ok "more rows than families" test "$(cat train.jsonl hold.jsonl | wc -l)" -ge 80

# ---- why ------------------------------------------------------------------------
run 0 why after goods:1
out "left by 'out' as 4 rows"
# The first variant of the first row, as it stands in the file: its own id, and its parent's way.
run 0 why after train.jsonl:2
out 'row goods:1~[0-9a-f]\{8\}'
out "reached 'more'  (transform.synonyms"
out "given by 'goods'"
child=$(sed -n 's/^row \(goods:1~[0-9a-f]*\).*/\1/p' "$tmp/.out" | head -1)
run 0 why after "$child"
out "$child"
out "reached 'split'  (transform.split"
ok "the row names its parent" grep -q '"parent":"goods:1","variant":1' train-3.jsonl
done_testing

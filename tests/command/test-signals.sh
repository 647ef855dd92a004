#!/bin/sh
# test-signals.sh: the first signal stops the run, the second ends it at once.
# A shell starts background jobs with SIGINT ignored, so this is SIGTERM and
# SIGHUP; the keyboard's interrupt is tested in test-terminal.py.
. "$top_srcdir/tests/command/lib.sh"

# Enough rows that the signal comes in the middle.
awk 'BEGIN { print "id,text"; for (i = 0; i < 200000; i++) print i ",some text of row " i }' > part.csv
for i in 1 2 3 4 5 6 7 8 9; do ln part.csv part-$i.csv; done
mkfifo hold
cat > slow.json <<'END'
{ "name": "slow", "stages": {
  "rows": { "use": "source.csv", "with": { "path": "part-*.csv" } },
  "write": { "use": "sink.jsonl", "from": "rows", "with": { "path": "-" } } } }
END

# Standard output that nobody reads holds the sink up, so the run cannot end early.
hold_up ()
{
  sleep 30 < hold &
  holder=$!
  "$FLOWRUN" slow.json --fresh --run-dir "$1" > hold 2> .err &
  pid=$!
  wait_until grep -qs 'write: running' .err
  sleep 0.3
}

for signal in HUP TERM; do
  hold_up "runs/$signal"
  kill -$signal $pid
  sleep 0.2
  kill -$signal $pid 2> /dev/null # a sink that waits for its reader would wait on
  wait $pid
  status=$?
  ok "two SIG$signal end it with 130 (got $status)" test $status = 130
  kill $holder 2> /dev/null
  wait $holder 2> /dev/null
done

# A program that takes its time: the run cannot end before the signal comes.
cat > file.json <<'END'
{ "name": "file", "stages": {
  "rows": { "use": "source.csv", "with": { "path": "part-1.csv" } },
  "slow": { "use": "transform.command", "from": "rows", "with": {
    "command": ["sh", "-c", "while read -r line; do sleep 0.01; echo \"$line\"; done"],
    "columns": { "id": "int64", "text": "utf8" } } },
  "write": { "use": "sink.jsonl", "from": "slow", "with": { "path": "slow.jsonl" } } } }
END
"$FLOWRUN" file.json --fresh --run-dir runs/file > /dev/null 2> .err &
pid=$!
wait_until grep -qs 'slow: running' .err
kill -TERM $pid
wait $pid
status=$?
ok "one SIGTERM ends it with 130 (got $status)" test $status = 130
ok "no output is left" sh -c '! ls slow.jsonl* .slow.jsonl* 2> /dev/null | grep .'
ok "it says so" grep -q interrupted .err
done_testing

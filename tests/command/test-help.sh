#!/bin/sh
# test-help.sh: list, help, schema, completion, version, and what is not understood.
. "$top_srcdir/tests/command/lib.sh"
shop

run 0 list
out '^source.csv  '
out '^sink.jsonl  '
no_err
run 0 list sink
ok "list KIND lists one kind" sh -c "! grep -v '^sink\\.' '$tmp/.out'"
run 0 list sources
out '^source.csv'
run 2 list source.csv
err 'kinds are source, transform'
run 0 list --json
ok "list --json is JSON" python3 -c "import json,sys
l=json.load(open(sys.argv[1])); assert any(e['name']=='sink.jsonl' and e['file'].endswith('.so') for e in l)" "$tmp/.out"
mkdir broken && echo nonsense > broken/source-broken.so
run 0 list --plugin-path broken
err 'source-broken.so: '
out '^source.csv'

run 0 help
out 'flowrun check PIPELINE.json'
ok "forget is not there yet" sh -c "! grep -q forget '$tmp/.out'"
run 0 --help
out 'flowrun run PIPELINE.json'
run 0 help run
out '^  --set STAGE.KEY=VALUE'
run 0 run --help
out '^  -j, --workers N'
run 0 help transform.select
out '^parameters'
out '^  columns'
out '"use": "transform.select"'
run 0 help select
out '^transform.select: '
run 0 help source.csv --json
ok "help --json is JSON" python3 -c "import json,sys
e=json.load(open(sys.argv[1])); assert e['name']=='source.csv' and e" "$tmp/.out"
run 0 help sink.jsonl --markdown
out '^# sink.jsonl'
out '^## Parameters'
run 2 help source.csvv
err "did you mean 'source.csv'"
run 2 help rnu
err "no command and no element"

run 0 schema
ok "the schema is JSON" python3 -m json.tool "$tmp/.out"
out '2020-12/schema'
run 0 schema source.csv
out '"path"'
run 2 schema source.nothing
err 'source.nothing'

run 0 --version
out '^flowrun [0-9]'
out '^compiler: '
run 2
err 'usage'
run 2 frobnicate
err "'frobnicate' is no command"
run 2 chekc
err "did you mean 'check'"
run 2 run --fersh shop.json
err "did you mean '--fresh'"
run 2 check shop.json extra
err 'too many arguments'
run 2 list --fresh
err "'--fresh' does not go with 'flowrun list'"
run 2 run shop.json --set
err 'needs a value'
run 2 run shop.json --fresh=yes
err 'no value'

run 0 completion bash
ok "the bash script is bash" bash -n "$tmp/.out"
run 0 completion zsh
out '#compdef flowrun'
run 2 completion fish
err 'only for bash and zsh'
run 0 --complete he
out '^head$'
out '^help$'
run 0 --complete run shop.json --
out '^--fresh$'
run 0 --complete run shop.json --progress=p
out '^--progress=plain$'
run 0 --complete head shop.json n
out '^names$'
run 0 --complete head shop.json names.r
out '^names.rejects$'
run 0 --complete run shop.json --set names.c
out '^names.columns=$'
run 0 --complete run shop.json --var ''
out '^out=$'
run 0 --complete help source.c
out '^source.csv$'
run 0 --complete list s
out '^sink$'
cat > complete.bash <<'END'
shopt -s progcomp
eval "$("$1" completion bash)"
COMP_LINE="$1 head shop.json na" COMP_POINT=${#COMP_LINE}
_flowrun 2> /dev/null
echo "${COMPREPLY[*]}"
END
ok "bash completes a stage" test "$(bash complete.bash "$FLOWRUN")" = names
done_testing

#!/bin/sh
# test-new.sh: flowrun new writes a whole project (installcheck builds it).
. "$top_srcdir/tests/command/lib.sh"

for kind in source transform evaluator sink; do
  run 0 new $kind my-$kind
  ok "$kind: the source is there" grep -q "$kind.my_$kind" my-$kind/my-$kind.c
  ok "$kind: nothing is left to fill in" sh -c "! grep -rqE '@[A-Z_]+@' my-$kind"
  ok "$kind: its test, example and build files are there" ls my-$kind/test-my-$kind.c \
    my-$kind/example.json my-$kind/configure.ac my-$kind/Makefile.am my-$kind/README.md my-$kind/.gitignore
done
ok "a transform is at most 60 lines" test "$(wc -l < my-transform/my-transform.c)" -le 60
run 0 new transform other here
ok "DIR says where" test -f here/other.c
run 2 new transform my-transform
err 'already there'
run 2 new transfrom x
err "did you mean 'transform'"
run 2 new transform 'My Filter'
err 'cannot be a name'
run 2 new transform ../x
err 'cannot be a name'
run 1 new transform x no/such/place
err 'no/such/place'
done_testing

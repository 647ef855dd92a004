#!/bin/sh
# run.sh [SECONDS]: what works with several threads in the server and below it, under ThreadSanitizer: every test of
# plugins/sinks/serve and of the scheduler, then the server among people who mean it no good, for SECONDS (30).
# Configures and builds what that needs in build-tsan/ (TSAN_BUILD: another place).
#
# Models run on compute "reference", which has one thread and no OpenMP: libgomp is not instrumented.  GLib's locks are
# replaced by POSIX's (locks.c), which the sanitizer knows; tsan.supp has what is left of other people's libraries.
set -eu
seconds=${1:-30}
src=$(cd "$(dirname "$0")/../.." && pwd) build=${TSAN_BUILD:-$src/build-tsan}
serve=plugins/sinks/serve
programs="$serve/test-ask $serve/test-http $serve/test-feedback $serve/test-admin $serve/test-cache $serve/test-keys
  $serve/test-lines $serve/test-metrics $serve/test-models plugins/lm/scheduler/test-scheduler"
mkdir -p "$build"
cd "$build"
[ -e config.status ] || "$src/configure" --quiet --enable-sanitizers=thread --enable-werror CC="${CC:-gcc}" CFLAGS="-O1 -g" >configure.log
# shellcheck disable=SC2086
make -s -j "${JOBS:-2}" V=0 flowrun plugins/sink-serve.la plugins/source-model.la plugins/compute-reference.la plugins/transform-format.la \
  $serve/make-model $programs >make.log 2>&1 || { tail -n 60 make.log; exit 1; }

# test-metrics would ask a Python of this for another opinion, through GLib's own thread, which the sanitizer cannot see into.
unset FLOWRUN_VENV
failed=0
try () {
  log=tsan-$(basename "$1").log
  if ./tests/env.sh "$@" >"$log" 2>&1 && ! grep -q -e '^not ok' -e 'WARNING: ThreadSanitizer' "$log"; then
    echo "ok   $1"
  else
    failed=1
    echo "FAIL $1: $build/$log"
    grep -e 'SUMMARY: ThreadSanitizer' "$log" | sort | uniq -c | head -n 40
    grep -A 3 -e '^not ok' "$log" | cut -c1-400 | head -n 60 # with what was found instead
  fi
}
for program in $programs; do try "$program"; done
for script in test-serve test-operations test-tls; do try "$src/$serve/$script.py"; done
FLOWRUN_HOSTILE_SECONDS=$seconds
export FLOWRUN_HOSTILE_SECONDS
try "$src/$serve/test-hostile.py"
exit $failed

#!/bin/sh
# run.sh NAME [SECONDS]: fuzzes one harness with libFuzzer under ASan and UBSan.
# FUZZ_SOURCES: what of a plugin or of libflowrun-text the harness drives; named here it
# is instrumented, and the fuzzer sees where its inputs lead.
# Needs a configured build with --enable-sanitizers CC=clang in build-fuzz/ and
# its libraries made.  New inputs that reach new code go to a scratch folder.
set -eu
name=$1 seconds=${2:-600}
src=$(cd "$(dirname "$0")/../.." && pwd) build=${FUZZ_BUILD:-$src/build-fuzz}
scratch=$build/fuzz-$name
mkdir -p "$scratch"
libs=
for so in "$build"/plugins/.libs/libflowrun-lm.so "$build"/plugins/.libs/libflowrun-text.so "$build"/core/.libs/libflowrun.so; do
  [ -e "$so" ] && libs="$libs $so -Wl,-rpath,$(dirname "$so")"
done
# FUZZ_PACKAGES: what else of pkg-config the sources need.
more=${FUZZ_PACKAGES:-}
# shellcheck disable=SC2046,SC2086
clang -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -DFUZZ_NAME="\"$name\"" \
  -I"$build" -I"$src/core/include" -I"$src/core" -I"$src/plugins" \
  $(pkg-config --cflags glib-2.0 gio-2.0 json-glib-1.0 libarchive icu-uc libpcre2-8 sqlite3 $more) \
  "$src/tests/fuzz/fuzz-$name.c" ${FUZZ_SOURCES:-} -o "$scratch/fuzz" $libs \
  $(pkg-config --libs glib-2.0 gio-2.0 gmodule-2.0 json-glib-1.0 libarchive icu-uc icu-i18n libpcre2-8 sqlite3 libxxhash $more)
mkdir -p "$scratch/new"
# FUZZ_SOURCES are in the library as well.
ASAN_OPTIONS=detect_odr_violation=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS
exec "$scratch/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="$scratch/" "$scratch/new" "$src/tests/fuzz/corpus/$name"

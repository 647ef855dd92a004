# tests/bench: how fast; made and run by hand.
EXTRA_DIST += tests/bench/answer-batch.sh tests/bench/check-20.sh tests/bench/csv-jsonl.py tests/bench/csv-jsonl.sh tests/bench/prepare.json \
	tests/bench/prepare.sh tests/bench/prepare_datatrove.py tests/bench/score.py tests/bench/score.sh tests/bench/tokenize.sh \
	tests/bench/train-quality.py tests/bench/train-quality.sh
EXTRA_PROGRAMS = tests/bench/bench-json
tests_bench_bench_json_SOURCES = tests/bench/bench-json.c
tests_bench_bench_json_LDADD = $(TEST_LIBS)
if HAVE_LM
EXTRA_PROGRAMS += tests/bench/bench-decoder
tests_bench_bench_decoder_SOURCES = tests/bench/bench-decoder.c
tests_bench_bench_decoder_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
tests_bench_bench_decoder_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
endif

# tests/bench: how fast; made and run by hand.
EXTRA_DIST += \
	tests/bench/answer-batch.sh \
	tests/bench/backtranslate.sh \
	tests/bench/busy.sh \
	tests/bench/check-20.sh \
	tests/bench/content.py \
	tests/bench/content.sh \
	tests/bench/crawl.sh \
	tests/bench/crawl_scrapy.py \
	tests/bench/csv-jsonl.py \
	tests/bench/csv-jsonl.sh \
	tests/bench/desensitize.py \
	tests/bench/desensitize.sh \
	tests/bench/documents.py \
	tests/bench/documents.sh \
	tests/bench/database.py \
	tests/bench/database.sh \
	tests/bench/gguf-accuracy.py \
	tests/bench/gguf.sh \
	tests/bench/gguf_llamacpp.py \
	tests/bench/infer_llamacpp.py \
	tests/bench/infer_transformers.py \
	tests/bench/model.sh \
	tests/bench/neardup.json \
	tests/bench/neardup.py \
	tests/bench/neardup.sh \
	tests/bench/onnx.py \
	tests/bench/onnx.sh \
	tests/bench/prepare.json \
	tests/bench/prepare.sh \
	tests/bench/prepare_datatrove.py \
	tests/bench/ratio.sh \
	tests/bench/score.py \
	tests/bench/score.sh \
	tests/bench/serve-http.sh \
	tests/bench/soak.py \
	tests/bench/soak.sh \
	tests/bench/segment.sh \
	tests/bench/serve.sh \
	tests/bench/serve_gguf.py \
	tests/bench/serve_llamacpp.py \
	tests/bench/tokenize.sh \
	tests/bench/train-quality.py \
	tests/bench/train-quality.sh \
	tests/bench/train_peft.py
EXTRA_PROGRAMS = tests/bench/bench-json
if HAVE_TEXT
EXTRA_PROGRAMS += tests/bench/bench-content
tests_bench_bench_content_SOURCES = tests/bench/bench-content.c
tests_bench_bench_content_LDADD = $(TEXT_MODULE_LIBS)
endif
tests_bench_bench_json_SOURCES = tests/bench/bench-json.c
tests_bench_bench_json_LDADD = $(TEST_LIBS)
if HAVE_TEXT
EXTRA_PROGRAMS += tests/bench/bench-pii
tests_bench_bench_pii_SOURCES = tests/bench/bench-pii.c
tests_bench_bench_pii_LDADD = $(TEXT_MODULE_LIBS)
EXTRA_PROGRAMS += tests/bench/bench-minhash
tests_bench_bench_minhash_SOURCES = tests/bench/bench-minhash.c
tests_bench_bench_minhash_LDADD = $(TEXT_MODULE_LIBS)
endif
if HAVE_LM
EXTRA_PROGRAMS += tests/bench/bench-decoder
tests_bench_bench_decoder_SOURCES = tests/bench/bench-decoder.c
tests_bench_bench_decoder_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
tests_bench_bench_decoder_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
EXTRA_PROGRAMS += tests/bench/bench-scheduler
tests_bench_bench_scheduler_SOURCES = tests/bench/bench-scheduler.c
tests_bench_bench_scheduler_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
endif
if HAVE_NET
EXTRA_PROGRAMS += tests/bench/bench-http
tests_bench_bench_http_SOURCES = tests/bench/bench-http.c plugins/evaluators/load/histogram.c
tests_bench_bench_http_LDADD = $(CORE_LIBS) -lm
endif

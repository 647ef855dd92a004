# tests/pipelines: whole pipelines, from source to file.
if HAVE_TEXT
PIPELINE_TESTS = \
	tests/pipelines/test-augment.sh \
	tests/pipelines/test-bad-input.sh \
	tests/pipelines/test-csv.sh \
	tests/pipelines/test-desensitise.sh \
	tests/pipelines/test-kill.sh \
	tests/pipelines/test-litemall.sh \
	tests/pipelines/test-rating-page.py \
	tests/pipelines/test-rating.sh \
	tests/pipelines/test-records.sh \
	tests/pipelines/test-report.py \
	tests/pipelines/test-serve-page.py
dist_check_SCRIPTS += $(PIPELINE_TESTS)
TESTS += $(PIPELINE_TESTS)
endif
if HAVE_LM
MODEL_TESTS = \
	tests/pipelines/test-content-generator.sh \
	tests/pipelines/test-evaluate.sh \
	tests/pipelines/test-generate.sh \
	tests/pipelines/test-monthly.sh \
	tests/pipelines/test-quickstart.sh \
	tests/pipelines/test-train-kill.sh
dist_check_SCRIPTS += $(MODEL_TESTS)
TESTS += $(MODEL_TESTS)
endif
if HAVE_NET
dist_check_SCRIPTS += tests/pipelines/test-backtranslate-kill.sh tests/pipelines/test-crawl-kill.sh
TESTS += tests/pipelines/test-backtranslate-kill.sh tests/pipelines/test-crawl-kill.sh
if HAVE_LM
dist_check_SCRIPTS += tests/pipelines/test-load.sh
TESTS += tests/pipelines/test-load.sh
endif
endif
if HAVE_SERVE
dist_check_SCRIPTS += tests/pipelines/test-serve-writes.py
TESTS += tests/pipelines/test-serve-writes.py
endif

# tests/fuzz: one harness per parser; each replays its corpus in `make check`.
#
#   check_PROGRAMS += tests/fuzz/fuzz-NAME
#   tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz-NAME.c tests/fuzz/replay.c
#   tests_fuzz_fuzz_NAME_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"NAME\"
EXTRA_DIST += tests/fuzz/run.sh

check_PROGRAMS += tests/fuzz/fuzz-expr
tests_fuzz_fuzz_expr_SOURCES = tests/fuzz/fuzz-expr.c tests/fuzz/replay.c $(FILTER_EXPR)
tests_fuzz_fuzz_expr_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"expr\"
tests_fuzz_fuzz_expr_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
tests_fuzz_fuzz_expr_LDADD = $(TEST_LIBS) $(PCRE2_LIBS)
TESTS += tests/fuzz/fuzz-expr
EXTRA_DIST += tests/fuzz/corpus/expr

check_PROGRAMS += tests/fuzz/fuzz-json tests/fuzz/fuzz-page
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz-json.c tests/fuzz/replay.c core/data/test-rows.h
tests_fuzz_fuzz_json_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"json\"
tests_fuzz_fuzz_json_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_page_SOURCES = tests/fuzz/fuzz-page.c tests/fuzz/replay.c core/data/test-rows.h
tests_fuzz_fuzz_page_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"page\"
tests_fuzz_fuzz_page_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-json tests/fuzz/fuzz-page
EXTRA_DIST += tests/fuzz/corpus/json tests/fuzz/corpus/page

check_PROGRAMS += tests/fuzz/fuzz-schema
tests_fuzz_fuzz_schema_SOURCES = tests/fuzz/fuzz-schema.c tests/fuzz/replay.c
tests_fuzz_fuzz_schema_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"schema\"
tests_fuzz_fuzz_schema_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-schema
EXTRA_DIST += tests/fuzz/corpus/schema

if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-csv tests/fuzz/fuzz-charset
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz-csv.c tests/fuzz/replay.c \
	plugins/sources/csv/csv-parser.h plugins/sources/csv/csv-parser.c \
	plugins/sources/csv/csv-types.h plugins/sources/csv/csv-types.c
tests_fuzz_fuzz_csv_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"csv\"
tests_fuzz_fuzz_csv_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_charset_SOURCES = tests/fuzz/fuzz-charset.c tests/fuzz/replay.c
tests_fuzz_fuzz_charset_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"charset\"
tests_fuzz_fuzz_charset_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
tests_fuzz_fuzz_charset_LDADD = $(TEXT_TEST_LIBS)
TESTS += tests/fuzz/fuzz-csv tests/fuzz/fuzz-charset
EXTRA_DIST += tests/fuzz/corpus/csv tests/fuzz/corpus/charset
endif

check_PROGRAMS += tests/fuzz/fuzz-pipeline tests/fuzz/fuzz-param
tests_fuzz_fuzz_pipeline_SOURCES = tests/fuzz/fuzz-pipeline.c tests/fuzz/replay.c core/pipeline/fake.h
tests_fuzz_fuzz_pipeline_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"pipeline\"
tests_fuzz_fuzz_pipeline_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_param_SOURCES = tests/fuzz/fuzz-param.c tests/fuzz/replay.c core/pipeline/fake.h
tests_fuzz_fuzz_param_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"param\"
tests_fuzz_fuzz_param_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-pipeline tests/fuzz/fuzz-param
EXTRA_DIST += tests/fuzz/corpus/pipeline tests/fuzz/corpus/param

if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-sqldump tests/fuzz/fuzz-jsonsource
tests_fuzz_fuzz_sqldump_SOURCES = tests/fuzz/fuzz-sqldump.c tests/fuzz/replay.c \
	plugins/sources/sqldump/dump.c plugins/sources/sqldump/cell.c
tests_fuzz_fuzz_sqldump_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"sqldump\"
tests_fuzz_fuzz_sqldump_LDADD = plugins/libsql.la $(TEXT_MODULE_LIBS) -lm
tests_fuzz_fuzz_jsonsource_SOURCES = tests/fuzz/fuzz-jsonsource.c tests/fuzz/replay.c \
	plugins/sources/json/records.c plugins/sources/json/infer.c
tests_fuzz_fuzz_jsonsource_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"jsonsource\"
tests_fuzz_fuzz_jsonsource_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-sqldump tests/fuzz/fuzz-jsonsource
EXTRA_DIST += tests/fuzz/blocks.h tests/fuzz/corpus/sqldump tests/fuzz/corpus/jsonsource
endif

if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-html tests/fuzz/fuzz-template tests/fuzz/fuzz-cleanrules
tests_fuzz_fuzz_html_SOURCES = tests/fuzz/fuzz-html.c tests/fuzz/replay.c
tests_fuzz_fuzz_html_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"html\"
tests_fuzz_fuzz_html_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_template_SOURCES = tests/fuzz/fuzz-template.c tests/fuzz/replay.c
tests_fuzz_fuzz_template_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"template\"
tests_fuzz_fuzz_template_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_cleanrules_SOURCES = tests/fuzz/fuzz-cleanrules.c tests/fuzz/replay.c \
	plugins/transforms/clean/rules.h plugins/transforms/clean/rules.c plugins/transforms/clean/default-rules.c \
	plugins/transforms/clean/tidy.h plugins/transforms/clean/tidy.c
tests_fuzz_fuzz_cleanrules_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"cleanrules\"
tests_fuzz_fuzz_cleanrules_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
tests_fuzz_fuzz_cleanrules_LDADD = $(TEXT_MODULE_LIBS) $(PCRE2_LIBS)
TESTS += tests/fuzz/fuzz-html tests/fuzz/fuzz-template tests/fuzz/fuzz-cleanrules
EXTRA_DIST += tests/fuzz/corpus/html tests/fuzz/corpus/template tests/fuzz/corpus/cleanrules
endif

if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-pii
tests_fuzz_fuzz_pii_SOURCES = tests/fuzz/fuzz-pii.c tests/fuzz/replay.c
tests_fuzz_fuzz_pii_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"pii\"
tests_fuzz_fuzz_pii_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-pii
EXTRA_DIST += tests/fuzz/corpus/pii
endif

include tests/fuzz/weights.mk
include tests/fuzz/tokenizer.mk
include tests/fuzz/jinja.mk
include tests/fuzz/score.mk
include tests/fuzz/serve.mk
include tests/fuzz/words.mk
include tests/fuzz/neardup.mk
include tests/fuzz/onnx.mk
include tests/fuzz/content.mk
include tests/fuzz/documents.mk
include tests/fuzz/sqlvalue.mk
include tests/fuzz/feedback.mk
include tests/fuzz/operations.mk

if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-ratingkey
tests_fuzz_fuzz_ratingkey_SOURCES = tests/fuzz/fuzz-ratingkey.c tests/fuzz/replay.c $(RATING_KEY)
tests_fuzz_fuzz_ratingkey_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"ratingkey\"
tests_fuzz_fuzz_ratingkey_LDADD = $(STATS_LIBS) $(TEST_LIBS) -lm
TESTS += tests/fuzz/fuzz-ratingkey
EXTRA_DIST += tests/fuzz/corpus/ratingkey
endif

if HAVE_NET
check_PROGRAMS += tests/fuzz/fuzz-translator
tests_fuzz_fuzz_translator_SOURCES = tests/fuzz/fuzz-translator.c tests/fuzz/replay.c \
	plugins/translators/libretranslate/protocol.c plugins/translators/openai/protocol.c \
	plugins/translators/dictionary/words.c \
	plugins/transforms/backtranslate/mask.c plugins/transforms/backtranslate/pieces.c
tests_fuzz_fuzz_translator_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"translator\"
tests_fuzz_fuzz_translator_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
tests_fuzz_fuzz_translator_LDADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
TESTS += tests/fuzz/fuzz-translator
EXTRA_DIST += tests/fuzz/corpus/translator
endif
include tests/fuzz/net.mk

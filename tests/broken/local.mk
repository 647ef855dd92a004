# tests/broken: pipeline files that are wrong, each with every line that
# `flowrun check` must print; NAME.args holds options, one a line.
check_LTLIBRARIES += tests/broken/plugin/fake.la
tests_broken_plugin_fake_la_SOURCES = tests/broken/plugin/fake.c core/pipeline/fake.h
tests_broken_plugin_fake_la_LDFLAGS = $(TEST_MODULE_FLAGS)
tests_broken_plugin_fake_la_LIBADD = $(MODULE_LIBS)
dist_check_SCRIPTS += tests/broken/test-broken.sh
TESTS += tests/broken/test-broken.sh
EXTRA_DIST += tests/broken/refused.py \
	tests/broken/bind-refuses.expect \
	tests/broken/bind-refuses.json \
	tests/broken/circle.expect \
	tests/broken/circle.json \
	tests/broken/columns-differ.expect \
	tests/broken/columns-differ.json \
	tests/broken/columns-missing.expect \
	tests/broken/columns-missing.json \
	tests/broken/columns-needed.expect \
	tests/broken/columns-needed.json \
	tests/broken/columns-unknown-yet.expect \
	tests/broken/columns-unknown-yet.json \
	tests/broken/columns-wrong-type.expect \
	tests/broken/columns-wrong-type.json \
	tests/broken/element-unknown.expect \
	tests/broken/element-unknown.json \
	tests/broken/everything.expect \
	tests/broken/everything.json \
	tests/broken/from-missing.expect \
	tests/broken/from-missing.json \
	tests/broken/from-on-source.expect \
	tests/broken/from-on-source.json \
	tests/broken/from-two-to-one.expect \
	tests/broken/from-two-to-one.json \
	tests/broken/from-unknown-port.expect \
	tests/broken/from-unknown-port.json \
	tests/broken/from-unknown-stage.expect \
	tests/broken/from-unknown-stage.json \
	tests/broken/from-wrong-kind.expect \
	tests/broken/from-wrong-kind.json \
	tests/broken/from-wrong-object.expect \
	tests/broken/from-wrong-object.json \
	tests/broken/from-wrong-types.expect \
	tests/broken/from-wrong-types.json \
	tests/broken/held-out.expect \
	tests/broken/held-out.json \
	tests/broken/network-denied.args \
	tests/broken/network-denied.expect \
	tests/broken/network-denied.json \
	tests/broken/params-configure.expect \
	tests/broken/params-configure.json \
	tests/broken/params-deprecated.expect \
	tests/broken/params-deprecated.json \
	tests/broken/params-enum.expect \
	tests/broken/params-enum.json \
	tests/broken/params-json.expect \
	tests/broken/params-json.json \
	tests/broken/params-listed-twice.expect \
	tests/broken/params-listed-twice.json \
	tests/broken/params-null.expect \
	tests/broken/params-null.json \
	tests/broken/params-out-of-range.expect \
	tests/broken/params-out-of-range.json \
	tests/broken/params-required.expect \
	tests/broken/params-required.json \
	tests/broken/params-secret.expect \
	tests/broken/params-secret.json \
	tests/broken/params-unknown.expect \
	tests/broken/params-unknown.json \
	tests/broken/params-wrong-types.expect \
	tests/broken/params-wrong-types.json \
	tests/broken/root-is-array.expect \
	tests/broken/root-is-array.json \
	tests/broken/root-more-types.expect \
	tests/broken/root-more-types.json \
	tests/broken/root-unknown-key.expect \
	tests/broken/root-unknown-key.json \
	tests/broken/root-wrong-types.expect \
	tests/broken/root-wrong-types.json \
	tests/broken/run-is-number.expect \
	tests/broken/run-is-number.json \
	tests/broken/run-wrong.expect \
	tests/broken/run-wrong.json \
	tests/broken/sets-given.args \
	tests/broken/sets-given.expect \
	tests/broken/sets-given.json \
	tests/broken/stage-is-text.expect \
	tests/broken/stage-is-text.json \
	tests/broken/stage-names.expect \
	tests/broken/stage-names.json \
	tests/broken/stage-unknown-key.expect \
	tests/broken/stage-unknown-key.json \
	tests/broken/stage-without-use.expect \
	tests/broken/stage-without-use.json \
	tests/broken/stage-wrong-types.expect \
	tests/broken/stage-wrong-types.json \
	tests/broken/stages-empty.expect \
	tests/broken/stages-empty.json \
	tests/broken/stages-is-array.expect \
	tests/broken/stages-is-array.json \
	tests/broken/stages-missing.expect \
	tests/broken/stages-missing.json \
	tests/broken/text-bad-utf8.expect \
	tests/broken/text-bad-utf8.json \
	tests/broken/text-broken-off.expect \
	tests/broken/text-broken-off.json \
	tests/broken/text-comma.expect \
	tests/broken/text-comma.json \
	tests/broken/text-deep.expect \
	tests/broken/text-deep.json \
	tests/broken/text-duplicate-key.expect \
	tests/broken/text-duplicate-key.json \
	tests/broken/text-empty.expect \
	tests/broken/text-empty.json \
	tests/broken/text-lone-surrogate.expect \
	tests/broken/text-lone-surrogate.json \
	tests/broken/text-nul.expect \
	tests/broken/text-nul.json \
	tests/broken/text-single-quotes.expect \
	tests/broken/text-single-quotes.json \
	tests/broken/text-two-values.expect \
	tests/broken/text-two-values.json \
	tests/broken/vars-endless.expect \
	tests/broken/vars-endless.json \
	tests/broken/vars-given.args \
	tests/broken/vars-given.expect \
	tests/broken/vars-given.json \
	tests/broken/vars-is-array.expect \
	tests/broken/vars-is-array.json \
	tests/broken/vars-unknown.expect \
	tests/broken/vars-unknown.json \
	tests/broken/vars-unused.expect \
	tests/broken/vars-unused.json \
	tests/broken/vars-wrong-type-in-use.expect \
	tests/broken/vars-wrong-type-in-use.json \
	tests/broken/vars-wrong.expect \
	tests/broken/vars-wrong.json
EXTRA_DIST += tests/broken/elements/crawler.expect tests/broken/elements/crawler.json \
	tests/broken/elements/crawler-denied.args tests/broken/elements/crawler-denied.expect \
	tests/broken/elements/crawler-denied.json
EXTRA_DIST += \
	tests/broken/elements/content.expect \
	tests/broken/elements/content.json \
	tests/broken/elements/site-lines.expect \
	tests/broken/elements/site-lines.json

# Elements as they are built.
dist_check_SCRIPTS += tests/broken/test-desensitize.sh
TESTS += tests/broken/test-desensitize.sh
EXTRA_DIST += tests/broken/elements/desensitize-columns.expect \
	tests/broken/elements/desensitize-columns.json \
	tests/broken/elements/desensitize-key.expect \
	tests/broken/elements/desensitize-key.json \
	tests/broken/elements/desensitize-latin.txt \
	tests/broken/elements/desensitize-rules.expect \
	tests/broken/elements/desensitize-rules.json \
	tests/broken/elements/desensitize-types.expect \
	tests/broken/elements/desensitize-types.json \
	tests/broken/elements/desensitize-unknown.expect \
	tests/broken/elements/desensitize-unknown.json \
	tests/broken/elements/desensitize-words.expect \
	tests/broken/elements/desensitize-words.json \
	tests/broken/elements/mobile.txt

dist_check_SCRIPTS += tests/broken/test-elements.sh
TESTS += tests/broken/test-elements.sh
EXTRA_DIST += \
	tests/broken/elements/backtranslate-engines.expect \
	tests/broken/elements/backtranslate-engines.json \
	tests/broken/elements/backtranslate-held-out.expect \
	tests/broken/elements/backtranslate-held-out.json \
	tests/broken/elements/backtranslate-network.args \
	tests/broken/elements/backtranslate-network.expect \
	tests/broken/elements/backtranslate-network.json \
	tests/broken/elements/backtranslate-settings.expect \
	tests/broken/elements/backtranslate-settings.json \
	tests/broken/elements/generate-choices.expect \
	tests/broken/elements/generate-choices.json \
	tests/broken/elements/words.tsv
# What goes over rows alike and rows worth little, as it is built.
dist_check_SCRIPTS += tests/broken/test-rows.sh
TESTS += tests/broken/test-rows.sh
EXTRA_DIST += tests/broken/rows/dedup.expect \
	tests/broken/rows/dedup.json \
	tests/broken/rows/quality.expect \
	tests/broken/rows/quality.json
EXTRA_DIST += tests/broken/elements/crawler.expect tests/broken/elements/crawler.json \
	tests/broken/elements/crawler-denied.args tests/broken/elements/crawler-denied.expect \
	tests/broken/elements/crawler-denied.json
EXTRA_DIST += \
	tests/broken/elements/content.expect \
	tests/broken/elements/content.json \
	tests/broken/elements/site-lines.expect \
	tests/broken/elements/site-lines.json
EXTRA_DIST += \
	tests/broken/elements/documents.expect \
	tests/broken/elements/documents.json
EXTRA_DIST += \
	tests/broken/elements/database-columns.expect \
	tests/broken/elements/database-columns.json \
	tests/broken/elements/databases.expect \
	tests/broken/elements/databases.json
EXTRA_DIST += \
	tests/broken/elements/documents.expect \
	tests/broken/elements/documents.json

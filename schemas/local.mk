# schemas: what editors complete and check pipeline files with; made from the
# parameter tables by `make update-schemas`, compared by tests/test-schemas.sh.
dist_schema_DATA += schemas/pipeline.schema.json
elementschemadir = $(schemadir)/elements
include schemas/elements.mk

.PHONY: update-schemas
update-schemas: flowrun $(plugin_LTLIBRARIES)
	$(AM_V_GEN)UPDATE=1 tests/env.sh $(srcdir)/tests/test-schemas.sh

# plugins/evaluators/rating: the page that people rate on, and what the ratings say
RATING_PAGE = plugins/evaluators/rating/page/page.html plugins/evaluators/rating/page/page.css plugins/evaluators/rating/page/page.js
EXTRA_DIST += $(RATING_PAGE) plugins/evaluators/rating/rating.gresource.xml \
	plugins/evaluators/rating/rating.md plugins/evaluators/rating/ratings.md
if HAVE_TEXT
RATING_KEY = plugins/evaluators/rating/key.c plugins/evaluators/rating/key.h \
	plugins/evaluators/rating/scale.c plugins/evaluators/rating/scale.h
plugin_LTLIBRARIES += plugins/evaluator-rating.la
plugins_evaluator_rating_la_SOURCES = plugins/evaluators/rating/plugin.c plugins/evaluators/rating/elements.h \
	plugins/evaluators/rating/rating.c plugins/evaluators/rating/rating-details.h \
	plugins/evaluators/rating/ratings.c plugins/evaluators/rating/ratings-details.h \
	plugins/evaluators/rating/page.c plugins/evaluators/rating/page.h \
	plugins/evaluators/rating/book.c plugins/evaluators/rating/book.h \
	plugins/evaluators/rating/figures.c plugins/evaluators/rating/figures.h \
	plugins/evaluators/rating/show.c plugins/evaluators/rating/show.h $(RATING_KEY)
nodist_plugins_evaluator_rating_la_SOURCES = plugins/evaluators/rating/resources.c
plugins_evaluator_rating_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_evaluator_rating_la_LDFLAGS = $(MODULE_FLAGS)
plugins_evaluator_rating_la_LIBADD = $(STATS_LIBS) $(TEXT_MODULE_LIBS) -lm
CLEANFILES += plugins/evaluators/rating/resources.c

plugins/evaluators/rating/resources.c: plugins/evaluators/rating/rating.gresource.xml $(RATING_PAGE)
	@$(MKDIR_P) plugins/evaluators/rating
	$(AM_V_GEN)$(GLIB_COMPILE_RESOURCES) --generate-source --c-name rating_page \
	  --sourcedir=$(srcdir)/plugins/evaluators/rating/page --target=$@ $(srcdir)/plugins/evaluators/rating/rating.gresource.xml
endif

if HAVE_TEXT
check_PROGRAMS += plugins/evaluators/rating/test-rating plugins/evaluators/rating/test-ratings
plugins_evaluators_rating_test_rating_SOURCES = plugins/evaluators/rating/test-rating.c $(RATING_KEY)
plugins_evaluators_rating_test_rating_LDADD = core/libflowrun-test.la $(STATS_LIBS) $(TEST_LIBS) -lm
plugins_evaluators_rating_test_ratings_SOURCES = plugins/evaluators/rating/test-ratings.c
plugins_evaluators_rating_test_ratings_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/evaluators/rating/test-rating plugins/evaluators/rating/test-ratings
endif

# What people think of answers, as a part of sink.serve, and its test.
SERVE_FEEDBACK = \
	plugins/sinks/serve/feedback-file.c \
	plugins/sinks/serve/feedback-known.c \
	plugins/sinks/serve/feedback-private.h \
	plugins/sinks/serve/feedback.c \
	plugins/sinks/serve/feedback.h

check_PROGRAMS += \
	plugins/sinks/serve/take-feedback \
	plugins/sinks/serve/test-feedback
plugins_sinks_serve_take_feedback_SOURCES = plugins/sinks/serve/take-feedback.c $(SERVE_FEEDBACK)
plugins_sinks_serve_take_feedback_LDADD = $(TEST_LIBS)
plugins_sinks_serve_test_feedback_SOURCES = plugins/sinks/serve/test-feedback.c $(SERVE_FEEDBACK)
plugins_sinks_serve_test_feedback_LDADD = $(TEST_LIBS)
TESTS += plugins/sinks/serve/test-feedback

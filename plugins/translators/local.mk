# plugins/translators: who translates (the service "translator").
include plugins/translators/dictionary/local.mk
include plugins/translators/libretranslate/local.mk
include plugins/translators/openai/local.mk
include plugins/translators/model/local.mk

EXTRA_DIST += plugins/translators/remote.h plugins/translators/trap-server.py

/* SPDX-License-Identifier: Apache-2.0 */
/* translator.c: what users and engines of the service "translator" share (translator.h). */
#include "config.h"

#include "text/translator.h"

#include <flowrun/error.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

/* ---- items ----------------------------------------------------------------------------------- */

void
translator_item_clear (TranslatorItem *item)
{
  g_clear_pointer (&item->translation, g_free);
  g_clear_pointer (&item->why, g_free);
  item->rule = NULL;
  item->state = TRANSLATOR_WAITING;
}

void
translator_item_refuse (TranslatorItem *item, const char *rule, const char *format, ...)
{
  va_list args;

  translator_item_clear (item);
  va_start (args, format);
  item->why = g_strdup_vprintf (format, args);
  va_end (args);
  item->rule = rule;
  item->state = TRANSLATOR_REFUSED;
}

const char *
translator_rule (const char *rule)
{
  static const char *const rules[]
      = { "empty_answer", "bad_answer", "too_long", "unknown_words", "refused" };

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (rules[i], rule) == 0)
      return rules[i];
  return "refused";
}

void
translator_item_done (TranslatorItem *item, char *translation, gsize len)
{
  char *text = translation, *end = translation + len;

  if (!g_utf8_validate (translation, (gssize) len, NULL))
    {
      g_free (translation);
      translator_item_refuse (item, "bad_answer", "the translation is not valid UTF-8");
      return;
    }
  while (text < end && g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  while (end > text)
    {
      char *last = g_utf8_prev_char (end);

      if (!g_unichar_isspace (g_utf8_get_char (last)))
        break;
      end = last;
    }
  if (text == end)
    {
      g_free (translation);
      translator_item_refuse (item, "empty_answer", "the translation is empty");
      return;
    }
  translator_item_clear (item);
  memmove (translation, text, (gsize) (end - text));
  translation[end - text] = '\0';
  item->translation = translation;
  item->state = TRANSLATOR_DONE;
}

/* ---- engines --------------------------------------------------------------------------------- */

const TranslatorEngine *
translator_find (FrHost *host, const char *name, GError **error)
{
  const FrService *service
      = host != NULL ? fr_host_service (host, TRANSLATOR_KIND, TRANSLATOR_VERSION, name, error)
                     : fr_service_find (TRANSLATOR_KIND, TRANSLATOR_VERSION, name, error);

  return service != NULL ? service->table : NULL;
}

TranslatorReach
translator_reach (const char *url)
{
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;
  g_autoptr (GInetAddress) address = NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || *host == '\0'
      || (strcmp (g_uri_get_scheme (uri), "http") != 0
          && strcmp (g_uri_get_scheme (uri), "https") != 0))
    return TRANSLATOR_REACH_NONE;
  if (g_ascii_strcasecmp (host, "localhost") == 0)
    return TRANSLATOR_REACH_LOCAL;
  address = g_inet_address_new_from_string (host);
  return address != NULL && g_inet_address_get_is_loopback (address) ? TRANSLATOR_REACH_LOCAL
                                                                     : TRANSLATOR_REACH_REMOTE;
}

char *
translator_language (const char *code)
{
  UErrorCode status = U_ZERO_ERROR;
  UChar name[128];
  int32_t len = uloc_getDisplayName (code, "en", name, G_N_ELEMENTS (name), &status);
  char *text;

  if (U_FAILURE (status) || len <= 0 || len >= (int32_t) G_N_ELEMENTS (name))
    return g_strdup (code);
  text = g_utf16_to_utf8 ((const gunichar2 *) name, len, NULL, NULL, NULL);
  return text != NULL ? text : g_strdup (code);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c: which rules fire on a row; see quality.h and rules.h. */
#include "config.h"

#include <math.h>

#include "transforms/quality/quality.h"

#define MIN_RULE TRUE
#define MAX_RULE FALSE

static const struct
{
  const char *name;
  guint group, value;
  gboolean is_min;
} rules[N_RULES] = {
#define LINE(name, group, value, side, ...) { #name, GROUP_##group, value, side##_RULE },
  QUALITY_RULES (LINE)
#undef LINE
      { "language", GROUP_LANGUAGE, N_VALUES, TRUE },
};

G_STATIC_ASSERT (N_RULES <= 64);

const char *const quality_group_words[]
    = { "length", "language", "repetition", "symbols", "words", "lines", "model", NULL };

const char *
quality_rule_name (guint rule)
{
  return rules[rule].name;
}

guint
quality_rule_value (guint rule)
{
  return rules[rule].value;
}

const char *
quality_value_name (guint value)
{
  if (value < TEXT_N_FIGURES)
    return text_quality_name ((TextFigureOfQuality) value);
  return value == VALUE_TOKENS ? "tokens" : "perplexity";
}

gboolean
quality_value_is_share (guint value)
{
  return value < TEXT_N_FIGURES && text_quality_is_share ((TextFigureOfQuality) value);
}

/* A limit that nothing can break is no rule. */
static gboolean
can_fire (const Config *config, guint rule)
{
  double limit = config->limits[rule];

  if (rule == RULE_language)
    return config->languages != NULL && config->languages[0] != NULL;
  if (rules[rule].is_min)
    return limit > 0;
  return quality_value_is_share (rules[rule].value) ? limit < 1 : limit > 0;
}

guint64
quality_rules_wanted (const Config *config)
{
  guint64 wanted = 0;

  for (guint rule = 0; config->rules != NULL && rule < N_RULES; rule++)
    {
      const char *group = quality_group_words[rules[rule].group];

      if (can_fire (config, rule) && g_strv_contains ((const char *const *) config->rules, group))
        wanted |= (guint64) 1 << rule;
    }
  return wanted;
}

static gboolean
is_foreign (const Config *config, const Result *result)
{
  return !g_strv_contains ((const char *const *) config->languages,
                           text_language_name (result->language))
         || result->confidence < config->language_confidence;
}

void
quality_judge (const Config *config, guint64 wanted, Result *result)
{
  result->fired = 0;
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      double limit = config->limits[rule], value;
      gboolean fires;

      if (!(wanted >> rule & 1))
        continue;
      if (rule == RULE_language)
        fires = is_foreign (config, result);
      else
        {
          value = result->values[rules[rule].value];
          /* Not a number compares with nothing. */
          fires = rules[rule].is_min ? value < limit : value > limit;
        }
      result->fired |= (guint64) fires << rule;
    }
}

static void
append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out,
                   g_ascii_formatd (text, sizeof text, value >= 1000 ? "%.0f" : "%.4g", value));
}

void
quality_reason_of (const Config *config, guint rule, const Result *result, GString *out)
{
  if (rule == RULE_language)
    {
      g_string_append_printf (out, "language %s (", text_language_name (result->language));
      append_number (out, result->confidence);
      g_string_append_c (out, ')');
      return;
    }
  g_string_append (out, quality_value_name (rules[rule].value));
  g_string_append_c (out, ' ');
  append_number (out, result->values[rules[rule].value]);
  g_string_append (out, rules[rule].is_min ? " < " : " > ");
  append_number (out, config->limits[rule]);
}

void
quality_reason (const Config *config, const Result *result, GString *out)
{
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      if (!(result->fired >> rule & 1))
        continue;
      if (out->len > 0)
        g_string_append (out, "; ");
      quality_reason_of (config, rule, result, out);
    }
}

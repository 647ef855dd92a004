/* SPDX-License-Identifier: Apache-2.0 */
/* test-jinja.c: templates without an oracle: expected texts were computed with Jinja2 3.1.6 in transformers' environment. */
#include "config.h"

#include <flowrun/json.h>
#include <flowrun/test.h>
#include <string.h>

#include "lm/template.h"

static const char variables[]
    = "{\"s\": \"H\\u00e9llo\", \"n\": 3, \"f\": 2.5, \"l\": [3, 1, 2], \"d\": {\"b\": 1, \"a\": [null]}, \"t\": null,"
      " \"r\": [{\"name\": \"Zoe\", \"age\": 3}, {\"name\": \"adam\", \"age\": 1}]}";

static char *
render (const char *source, GError **error)
{
  g_autoptr (JsonNode) node = fr_json_parse (variables, -1, 0, NULL);
  g_autoptr (LmTemplate) tmpl = lm_template_new ("t", source, strlen (source), error);

  return tmpl != NULL ? lm_template_render (tmpl, json_node_get_object (node), NULL, error) : NULL;
}

typedef struct
{
  const char *source, *expected;
} Case;

static const Case texts[] = {
  { "", "" },
  { "a\n", "a" },
  { "a\r\nb\r\n\r\n", "a\nb\n" },
  { "{{ s }}{{ n }}{{ f }}{{ t }}{{ missing }}", "Héllo32.5None" },
  { "{{ l }}{{ d }}{{ (1,) }}{{ 'it\\'s' }}{{ [\"it's\", '\\n\\u200b'] }}",
    "[3, 1, 2]{'b': 1, 'a': [None]}(1,)it's[\"it's\", '\\n\\u200b']" },
  { "{{ s[1] }}{{ s[::-1] }}{{ s[-2:] }}{{ s|length }}{{ l[9] }}", "éolléHlo5" },
  { "  {% if n %}  \n  x\n  {% endif %}\ny", "  \n  x\ny" },
  { "a \n {%- if n -%} \n b {%- endif +%}\nc", "ab\nc" },
  { "  {%+ if n %}x{% endif %}", "  x" },
  { "{# c #}\n{% raw %} {{ x }} {% endraw %}", " {{ x }} " },
  { "{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{{ ',' if not loop.last }}{% else %}none{% endfor %}", "13,22" },
  { "{% for x in [] %}{% else %}none{% endfor %}", "none" },
  { "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "02" },
  { "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }};{% endfor %}{{ x }}", "4;2;3;1" },
  { "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "6" },
  { "{% for i in l %}{{ n }}{% endfor %}{% set n = 1 %}{{ n }}", "1" },
  { "{% macro m(a, b=n) %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3) }}{{ m(b=1, a=s) }}", "13()12(3,)Héllo1()" },
  { "{% macro m() %}[{{ caller(1) }}]{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}", "[1]" },
  { "{% set b %} x {% endset %}{{ b|trim }}{% generation %}g{% endgeneration %}{% with a = 1 %}{{ a }}{% endwith %}", "xg1" },
  { "{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ 1 ~ 2 }} {{ 1 < 2 < 3 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e-5 }}",
    "-4 2 3.5 8 12 True 0.30000000000000004 1e+16 1e-05" },
  { "{{ r|map(attribute='name')|join(',') }} {{ r|selectattr('age', 'gt', 1)|list|length }} {{ l|sort|list }} {{ r|sort(attribute='name')|map(attribute='age')|list }}",
    "Zoe,adam 1 [1, 2, 3] [1, 3]" },
  { "{{ d|tojson }}{{ d|tojson(indent=1) }}{{ s|tojson(ensure_ascii=true) }}{{ d|tojson(sort_keys=true, separators=(',', ':')) }}",
    "{\"b\": 1, \"a\": [null]}{\n \"b\": 1,\n \"a\": [\n  null\n ]\n}\"H\\u00e9llo\"{\"a\":[null],\"b\":1}" },
  { "{{ 'a,b'.split(',') }}{{ ' x '.strip() }}{{ 'abc'.startswith('ab') }}{{ 'x'|upper }}{{ 'a b'|title }}{{ d.items()|list }}{{ d.get('z', 4) }}",
    "['a', 'b']xTrueXA B[('b', 1), ('a', [None])]4" },
  { "{{ n is defined }}{{ z is defined }}{{ t is none }}{{ s is string }}{{ d is mapping }}{{ 2 is odd }}{{ n is not in(l) }}", "TrueFalseTrueTrueTrueFalseFalse" },
  { "{{ '%s-%03d' % (s, n) }}{{ 'a' 'b' }}{{ '\\x41\\u00e9' }}{{ ('<'|safe) + '<' }}", "Héllo-003abAé<&lt;" },
};

static const Case errors[] = {
  { "{{ missing.x }}", "t: line 1: 'missing' is undefined" },
  { "\n{{ d.z.y }}", "t: line 2: 'dict object' has no attribute 'z'" },
  { "{{ raise_exception('no ' ~ n) }}", "no 3" },
  { "{% block x %}{% endblock %}", "the statement 'block' is not known" },
  { "{% include 'x' %}", "the statement 'include'" },
  { "\n\n{{ s|nosuch }}", "t: line 3: No filter named 'nosuch'" },
  { "{{ s|pprint }}", "the filter 'pprint' is not supported" },
  { "{{ s is nosuch }}", "No test named 'nosuch'" },
  { "{{ s.encode() }}", "the attribute 'encode' of 'str' is not supported" },
  { "{{ l.append(1) }}", "unsafe" },
  { "{{ s.__class__ }}", "unsafe" },
  { "{% if n %}", "the template ends" },
  { "{{ n ", "'}}' is missing" },
  { "{{ (n] }}", "expected ')'" },
  { "{{ s + n }}", "can only concatenate str" },
  { "{{ n / 0 }}", "division by zero" },
  { "{{ 9223372036854775807 + 1 }}", "beyond 64 bits" },
  { "{% for i in range(100000) %}{% for k in range(100000) %}{% endfor %}{% endfor %}", "more than" },
  { "{{ 'xxxxxxxx' * 1000000000 }}", "longer than" },
  { "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested deeper" },
  { "{{ [1] * 1000000000 }}", "more than" },
};

static void
test_texts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = render (texts[i].source, &error);

      g_test_message ("%s", texts[i].source);
      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, texts[i].expected);
    }
}

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = render (errors[i].source, &error);

      g_test_message ("%s", errors[i].source);
      g_assert_null (text);
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_test_message ("  %s", error->message);
      g_assert_nonnull (strstr (error->message, errors[i].expected));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/jinja/texts", test_texts);
  g_test_add_func ("/jinja/errors", test_errors);
  return g_test_run ();
}

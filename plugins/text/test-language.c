/* SPDX-License-Identifier: Apache-2.0 */
/* test-language.c: which language a text is in. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "text/language.h"
#ifdef HAVE_OPENCC
#include <opencc/opencc.h>
#endif

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

static void
test_own (void)
{
  static const struct
  {
    TextLanguage language;
    const char *text;
  } cases[] = {
    { TEXT_LANGUAGE_NONE, "" },
    { TEXT_LANGUAGE_NONE, "12:30 !!! 😀" },
    { TEXT_LANGUAGE_ZH_HANS, "好评" },
    { TEXT_LANGUAGE_ZH_HANS, "这款保温杯保温效果很好，物流也很快。" },
    { TEXT_LANGUAGE_ZH_HANS, "优の良品旗舰店的坚果，家里人都很喜欢吃，下次还会再买" },
    { TEXT_LANGUAGE_ZH_HANS, "Tom 走了。" },
    { TEXT_LANGUAGE_ZH_HANS, "请在 Vue 组件里使用响应式对象，不要直接修改它的属性。" },
    { TEXT_LANGUAGE_ZH_HANT, "這款保溫杯的保溫效果很好，物流也很快。" },
    { TEXT_LANGUAGE_ZH_HANT, "我們後天出發，請準備好護照與機票。" },
    { TEXT_LANGUAGE_EN, "The cup keeps tea hot for a whole day." },
    { TEXT_LANGUAGE_EN, "Stop!" },
    { TEXT_LANGUAGE_EN, "We visited 北京 and liked the food very much." },
    { TEXT_LANGUAGE_JA, "このカップはお茶を一日中温かく保ちます。" },
    { TEXT_LANGUAGE_JA, "日本語の文章" },
    { TEXT_LANGUAGE_KO, "이 컵은 하루 종일 차를 따뜻하게 유지합니다." },
    { TEXT_LANGUAGE_MIXED, "这款杯子很好用 we really like the colour of this cup 推荐给大家" },
    { TEXT_LANGUAGE_CYRL, "Эта чашка весь день сохраняет чай горячим." },
    { TEXT_LANGUAGE_ARAB, "هذا الكوب يحافظ على الشاي ساخنا طوال اليوم" },
    { TEXT_LANGUAGE_OTHER, "ถ้วยนี้เก็บชาให้ร้อนได้ทั้งวัน" },
    { TEXT_LANGUAGE_OTHER, "Αυτό το φλιτζάνι κρατά το τσάι ζεστό" },
    { TEXT_LANGUAGE_LATN, "Cette tasse garde le thé chaud toute la journée." },
    { TEXT_LANGUAGE_LATN, "Diese Tasse hält den Tee den ganzen Tag warm." },
    { TEXT_LANGUAGE_LATN, "Esta taza mantiene el té caliente durante todo el día." },
    { TEXT_LANGUAGE_LATN, "Esta chávena mantém o chá quente durante todo o dia." },
    { TEXT_LANGUAGE_LATN, "Questa tazza mantiene il tè caldo per tutto il giorno." },
    { TEXT_LANGUAGE_LATN, "Deze beker houdt de thee de hele dag warm." },
    { TEXT_LANGUAGE_LATN, "Ten kubek utrzymuje herbatę gorącą przez cały dzień." },
    { TEXT_LANGUAGE_LATN, "Den här koppen håller teet varmt hela dagen." },
    { TEXT_LANGUAGE_LATN, "Tämä kuppi pitää teen kuumana koko päivän." },
    { TEXT_LANGUAGE_LATN, "Bu fincan çayı bütün gün sıcak tutar." },
    { TEXT_LANGUAGE_LATN, "Chiếc cốc này giữ trà nóng cả ngày." },
    { TEXT_LANGUAGE_LATN, "Cangkir ini menjaga teh tetap panas sepanjang hari." },
    { TEXT_LANGUAGE_LATN, "Tento hrnek udrží čaj horký celý den." },
    { TEXT_LANGUAGE_LATN, "Ez a csésze egész nap melegen tartja a teát." },
    { TEXT_LANGUAGE_LATN, "Nous avons commandé deux chaises et une table, mais la livraison est en "
                          "retard." },
    { TEXT_LANGUAGE_LATN, "Wir haben zwei Stühle und einen Tisch bestellt, aber die Lieferung "
                          "verspätet sich." },
    { TEXT_LANGUAGE_LATN, "Pedimos dos sillas y una mesa, pero la entrega se retrasa." },
  };
  guint wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TextLanguageShare share;
      TextLanguage got = text_language (str (cases[i].text), &share);

      g_assert_cmpint (got, ==, share.language);
      g_assert_cmpfloat (share.confidence, >=, 0);
      g_assert_cmpfloat (share.confidence, <=, 1);
      if (got == cases[i].language)
        continue;
      g_test_message ("'%s' is %s (%.2f), not %s", cases[i].text, text_language_name (got),
                      share.confidence, text_language_name (cases[i].language));
      wrong++;
    }
  g_assert_cmpuint (wrong, ==, 0);
}

/* ---- sentences of Tatoeba ------------------------------------------------------- */

static char **
sentences (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path
      = g_build_filename (data ? data : ".", "parallel-tatoeba", "cmn-eng.tsv", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("no parallel-tatoeba in FLOWRUN_DATA");
      return NULL;
    }
  return g_strsplit (text, "\n", -1);
}

/* What the manual says: of the even lines, which the model has not seen. */
static void
test_tatoeba (void)
{
  g_auto (GStrv) lines = sentences ();
  guint n = 0, english = 0, chinese = 0;

  if (lines == NULL)
    return;
  for (guint i = 1; lines[i] != NULL && *lines[i] != '\0'; i += 2)
    {
      g_auto (GStrv) f = g_strsplit (lines[i], "\t", -1);
      TextLanguage zh = text_language (str (f[1]), NULL), en = text_language (str (f[0]), NULL);

      n++;
      english += en == TEXT_LANGUAGE_EN;
      chinese += zh == TEXT_LANGUAGE_ZH_HANS || zh == TEXT_LANGUAGE_ZH_HANT;
      if (en != TEXT_LANGUAGE_EN)
        g_test_message ("%s: %s", text_language_name (en), f[0]);
      if (zh != TEXT_LANGUAGE_ZH_HANS && zh != TEXT_LANGUAGE_ZH_HANT)
        g_test_message ("%s: %s", text_language_name (zh), f[1]);
    }
  g_test_message ("English %.4f, Chinese %.4f of %u", (double) english / n, (double) chinese / n,
                  n);
  g_assert_cmpuint (n, ==, 7152);
  g_assert_cmpfloat ((double) english / n, >=, 0.9991);
  g_assert_cmpuint (chinese, ==, n);
}

/* Simplified or traditional.  Tatoeba's sentences here are simplified, but for those that are both;
 * OpenCC makes Taiwan's and Hong Kong's out of them. */
static void
test_variants (void)
{
#ifdef HAVE_OPENCC
  static const struct
  {
    const char *table;
    double least;
  } forms[] = { { "s2t.json", 0.9995 }, { "s2tw.json", 0.995 }, { "s2hk.json", 0.9969 } };
  g_auto (GStrv) lines = sentences ();

  if (lines == NULL)
    return;
  for (guint form = 0; form < G_N_ELEMENTS (forms); form++)
    {
      opencc_t convert = opencc_open (forms[form].table);
      guint n = 0, simplified = 0, traditional = 0;

      g_assert_true (convert != (opencc_t) -1);
      for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
        {
          g_auto (GStrv) f = g_strsplit (lines[i], "\t", -1);
          char *other = opencc_convert_utf8 (convert, f[1], strlen (f[1]));

          if (strcmp (other, f[1]) != 0)
            {
              n++;
              simplified += text_language (str (f[1]), NULL) == TEXT_LANGUAGE_ZH_HANS;
              traditional += text_language (str (other), NULL) == TEXT_LANGUAGE_ZH_HANT;
            }
          opencc_convert_utf8_free (other);
        }
      opencc_close (convert);
      g_test_message ("%s: simplified %.4f, traditional %.4f of %u", forms[form].table,
                      (double) simplified / n, (double) traditional / n, n);
      g_assert_cmpuint (n, >, 13000);
      g_assert_cmpuint (simplified, ==, n);
      g_assert_cmpfloat ((double) traditional / n, >=, forms[form].least);
    }
#else
  g_test_skip ("built without OpenCC");
#endif
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/language/own", test_own);
  g_test_add_func ("/language/tatoeba", test_tatoeba);
  g_test_add_func ("/language/variants", test_variants);
  return g_test_run ();
}

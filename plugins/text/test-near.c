/* SPDX-License-Identifier: Apache-2.0 */
/* test-near.c: rows that are nearly the same. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "text/near.h"

static void
held_out (TextNear *near, const char *text)
{
  text_near_held_out (near, (FrStr){ text, strlen (text) });
}

static void
training (TextNear *near, const char *text)
{
  text_near_training (near, (FrStr){ text, strlen (text) });
}

static void
test_index (void)
{
  g_autoptr (TextNear) near = text_near_new ();

  held_out (near, "a b c d e f g h i j k l");
  held_out (near, "这款保温杯采用三百一十六不锈钢内胆保温二十四小时");
  held_out (near, "nothing like it anywhere in here at all");
  held_out (near, "ab cd");
  training (near, "A b c");
  training (near, "a b c d e f g h i j k, z"); /* ten grams each, nine shared: 9 / 11 */
  training (near, "这款保温杯采用三百一十六不锈钢内胆，保温二十四小时！");
  training (near, "ab cd");
  g_assert_cmpfloat_with_epsilon (text_near_best (near, 0), 9.0 / 11, 1e-12);
  g_assert_cmpfloat (text_near_best (near, 1), ==, 1);
  g_assert_cmpfloat (text_near_best (near, 2), ==, 0);
  g_assert_cmpfloat (text_near_best (near, 3), ==, 0);
  g_assert_cmpfloat (text_near_best (near, 99), ==, 0);
}

/* Of 200 pairs with an index of 0.8 or more none is missed but by bad luck. */
static void
test_recall (void)
{
  g_autoptr (TextNear) near = text_near_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  guint found = 0;

  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      for (guint w = 0; w < 60; w++)
        g_string_append_printf (text, "w%d ", g_rand_int_range (rand, 0, 5000));
      held_out (near, text->str);
      g_string_append (text, "and one end of it");
      g_ptr_array_add (texts, g_strdup (text->str));
    }
  for (guint i = 0; i < texts->len; i++)
    training (near, texts->pdata[i]);
  for (guint i = 0; i < texts->len; i++)
    found += text_near_best (near, i) > 0.8;
  g_assert_cmpuint (found, >=, 199);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/near/index", test_index);
  g_test_add_func ("/near/recall", test_recall);
  return g_test_run ();
}

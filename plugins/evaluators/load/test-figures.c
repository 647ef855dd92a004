/* SPDX-License-Identifier: Apache-2.0 */
/* test-figures.c: the parts of evaluator.load that need no server: times, answers, counts. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "answer.h"
#include "figures.h"

/* ---- histograms ------------------------------------------------------------------------------ */

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* Nearest ranks of @n sorted values, beside what the histogram says. */
static void
check_percentiles (const Histogram *h, const gint64 *sorted, gsize n, double width)
{
  static const double percents[] = { 0, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100 };

  for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      gsize rank = (gsize) ceil (percents[i] / 100 * (double) n - 1e-9);
      gint64 exact = sorted[rank > 0 ? rank - 1 : 0], said = histogram_percentile (h, percents[i]);

      g_assert_cmpint (said, >=, exact);
      g_assert_cmpfloat ((double) said, <=, (double) exact * (1 + width) + 1e-9);
    }
}

static void
test_histogram (void)
{
  static const struct
  {
    guint bits;
    double width;
  } sorts[] = { { HISTOGRAM_FINE, 0.001 }, { HISTOGRAM_COARSE, 0.032 } };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint k = 0; k < G_N_ELEMENTS (sorts); k++)
    {
      g_autoptr (Histogram) all = histogram_new (sorts[k].bits), a = histogram_new (sorts[k].bits),
                            b = histogram_new (sorts[k].bits);
      g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (gint64));
      double sum = 0;

      for (guint i = 0; i < 20000; i++)
        {
          /* From microseconds to hours, as many of each size. */
          gint64 v = (gint64) exp (g_rand_double (random) * 24);

          g_array_append_val (values, v);
          histogram_add (all, v);
          histogram_add (i % 3 ? a : b, v);
          sum += (double) v;
        }
      g_array_sort (values, compare);
      check_percentiles (all, (gint64 *) (gpointer) values->data, values->len, sorts[k].width);
      histogram_merge (a, b);
      check_percentiles (a, (gint64 *) (gpointer) values->data, values->len, sorts[k].width);
      g_assert_cmpuint (histogram_n (a), ==, 20000);
      g_assert_cmpint (histogram_min (a), ==, g_array_index (values, gint64, 0));
      g_assert_cmpint (histogram_max (a), ==, g_array_index (values, gint64, 19999));
      g_assert_cmpfloat_with_epsilon (histogram_mean (a), sum / 20000, 1e-6 * sum / 20000);
    }
}

static void
count_bin (gint64 from, gint64 to, guint64 n, gpointer data)
{
  gint64 *last = data;

  g_assert_cmpint (from, <, to);
  g_assert_cmpint (from, >=, last[0]);
  last[0] = to;
  last[1] += (gint64) n;
}

static void
test_bins (void)
{
  g_autoptr (Histogram) h = histogram_new (HISTOGRAM_FINE), none = histogram_new (4);
  gint64 last[2] = { 0, 0 };

  g_assert_cmpint (histogram_percentile (none, 95), ==, 0);
  g_assert_true (isnan (histogram_mean (none)));
  histogram_add (none, -5);
  g_assert_cmpint (histogram_max (none), ==, 0);
  /* Every value up to some powers of two is in a bin that holds it. */
  for (gint64 v = 0; v < 20000; v++)
    {
      g_autoptr (Histogram) one = histogram_new (5);

      histogram_add (h, v);
      histogram_add (one, v);
      g_assert_cmpint (histogram_percentile (one, 50), ==, v); /* clamped to least and greatest */
    }
  histogram_add (h, G_MAXINT64);
  histogram_each (h, count_bin, last);
  g_assert_cmpint (last[1], ==, 20001);
  g_assert_cmpint (histogram_percentile (h, 100), ==, G_MAXINT64);
  g_assert_cmpint (histogram_percentile (h, 5), ==, 1000); /* exact below 2^11 */
  g_assert_cmpfloat_with_epsilon (histogram_share_over (h, 999), 19001. / 20001, 1e-12);
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char stream[]
    = ": hello\r\n"
      "data: "
      "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\r\n\r\n"
      "event: x\nid: 7\nretry: "
      "9\ndata:{\"choices\":[{\"delta\":{\"reasoning_content\":\"嗯\"}}]}\n\n"
      "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"茶杯 \\u597d\"}}]}\r\r"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":9}}\n\n"
      "data: [DONE]\n\n";

/* Wherever the pieces of a stream end, it says the same. */
static void
test_stream (void)
{
  for (gsize cut = 0; cut < sizeof stream; cut++)
    {
      g_auto (LoadAnswer) a = { 0 };

      load_answer_init (&a);
      load_answer_feed (&a, stream, cut, 10);
      load_answer_feed (&a, stream + cut, sizeof stream - 1 - MIN (cut, sizeof stream - 1), 20);
      g_assert_cmpstr (a.fault, ==, NULL);
      g_assert_cmpuint (a.pieces, ==, 2);
      g_assert_cmpuint (a.chars, ==, 5);
      g_assert_cmpint (a.tokens, ==, 9);
      g_assert_cmpint (a.prompt_tokens, ==, 5);
      g_assert_true (a.finished && a.done && load_answer_is_whole (&a));
      g_assert_true (a.first == 10 || a.first == 20);
      g_assert_true (a.last >= a.first);
    }
}

static void
test_byte_by_byte (void)
{
  g_auto (LoadAnswer) a = { 0 };

  load_answer_init (&a);
  for (gsize i = 0; i < sizeof stream - 1; i++)
    load_answer_feed (&a, stream + i, 1, (gint64) i + 1);
  g_assert_true (load_answer_is_whole (&a));
  g_assert_cmpuint (a.pieces, ==, 2);
  g_assert_cmpint (a.first, <, a.last);
}

static void
fed (const char *text, gboolean whole, gboolean refused, const char *fault)
{
  g_auto (LoadAnswer) a = { 0 };

  load_answer_init (&a);
  load_answer_feed (&a, text, strlen (text), 1);
  g_assert_cmpstr (a.fault, ==, fault);
  g_assert_cmpint (load_answer_is_whole (&a), ==, whole);
  g_assert_cmpint (a.refused, ==, refused);
}

static void
test_faults (void)
{
  g_autoptr (GString) endless = g_string_new ("data: ");
  g_auto (LoadAnswer) a = { 0 };

  fed ("", FALSE, FALSE, NULL);
  fed ("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", FALSE, FALSE, NULL);
  fed ("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n", FALSE, FALSE, NULL);
  fed ("data: [DONE]\n\n", TRUE, FALSE, NULL);
  fed ("data: {\n\n", FALSE, FALSE, "what came is not a JSON object");
  fed ("data: [1]\n\n", FALSE, FALSE, "what came is not a JSON object");
  fed ("data: {\"choices\":[]} x\n\n", FALSE, FALSE, "what came is not a JSON object");
  fed ("data: {\"object\":\"ping\"}\n\n", FALSE, FALSE, "JSON without 'choices'");
  fed ("data: {\"error\":{\"message\":\"显存\\n不足\",\"code\":500}}\n\ndata: [DONE]\n\n", FALSE,
       TRUE, "显存 不足");
  fed ("data: {\"error\":\"plain\"}\n\n", FALSE, TRUE, "plain");
  fed ("data: {\"error\":{}}\n\n", FALSE, TRUE, "an error without a message");
  fed ("data: {\"error\":null,\"choices\":7}\n\n", FALSE, FALSE, NULL);
  while (endless->len < LOAD_EVENT_MAX + 10)
    g_string_append (endless, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  fed (endless->str, FALSE, FALSE, "an event without an end");
  load_answer_init (&a);
  load_answer_whole (&a, "{\"choices\":[{\"text\":\"好\"}]}",
                     strlen ("{\"choices\":[{\"text\":\"好\"}]}"), 3);
  g_assert_true (load_answer_is_whole (&a));
  g_assert_cmpuint (a.pieces, ==, 1);
  g_assert_cmpint (a.tokens, ==, -1);
}

static void
test_bodies (void)
{
  static const char models[]
      = "{\"object\":\"list\",\"data\":[{\"object\":\"model\",\"id\":\"文案\"},"
        "{\"id\":\"b\"}]}";
  static const char error[] = "{\"error\":{\"message\":\"slow down\",\"type\":\"x\"}}";
  g_autofree char *model = load_models_first (models, sizeof models - 1),
                  *said = load_answer_error (error, sizeof error - 1);

  g_assert_cmpstr (model, ==, "文案");
  g_assert_cmpstr (said, ==, "slow down");
  g_assert_null (load_models_first ("{\"data\":[]}", 11));
  g_assert_null (load_models_first ("{\"data\":[{\"id\":3},4]}", 21));
  g_assert_null (load_models_first ("<html>", 6));
  g_assert_null (load_answer_error ("{}", 2));
  g_assert_null (load_answer_error ("", 0));
}

/* ---- figures --------------------------------------------------------------------------------- */

static LoadDone
done_at (gint64 due, gint64 latency, const char *outcome)
{
  return (LoadDone){ .due = due,
                     .sent = due + 1000,
                     .first = due + latency / 2,
                     .last = due + latency,
                     .ended = due + latency,
                     .outcome = outcome,
                     .tokens = 11,
                     .prompt_tokens = 3,
                     .pieces = 11,
                     .streamed = TRUE };
}

static void
test_counts (void)
{
  g_auto (LoadFigures) f = { 0 };
  LoadDone d;
  LoadVerdict v[LOAD_N_BY];
  LoadObjective o = { .percentile = 90, .latency = 100000, .first = 40000, .errors = 0.2 };

  load_figures_init (&f);
  g_assert_true (isnan (load_figures_errors (&f)));
  g_assert_false (load_judge (&f, &o, v)); /* nothing measured meets nothing */
  d = done_at (500, 9000000, LOAD_OK);
  d.warm_up = TRUE;
  load_figures_add (&f, &d);
  for (gint64 i = 0; i < 8; i++)
    {
      d = done_at (1000000 + i * 100000, 50000, LOAD_OK);
      d.cache = i < 2 ? LOAD_CACHE_HIT : LOAD_CACHE_MISS;
      load_figures_add (&f, &d);
    }
  d = done_at (1800000, 2000000, LOAD_TIMEOUT);
  load_figures_add (&f, &d);
  d = done_at (1900000, 10, g_intern_static_string ("http_429"));
  d.what = "too many";
  load_figures_add (&f, &d);
  g_assert_cmpuint (f.n, ==, 10);
  g_assert_cmpuint (f.n_ok, ==, 8);
  g_assert_cmpuint (f.n_warm_up, ==, 1);
  g_assert_cmpuint (f.n_hits, ==, 2);
  g_assert_cmpuint (f.n_misses, ==, 6);
  /* A refusal in no time is no quick answer; a time-out is a slow one. */
  g_assert_cmpuint (histogram_n (f.latency), ==, 9);
  g_assert_cmpint (histogram_max (f.latency), ==, 2000000);
  g_assert_cmpuint (histogram_n (f.first), ==, 8);
  g_assert_cmpint (histogram_max (f.per_token), ==, 2500);
  g_assert_cmpint (f.tokens, ==, 88);
  g_assert_cmpfloat_with_epsilon (load_figures_seconds (&f), 2.8, 1e-9);
  g_assert_cmpfloat_with_epsilon (load_figures_qps (&f), 8 / 2.8, 1e-9);
  g_assert_cmpfloat_with_epsilon (load_figures_tps (&f), 88 / 2.8, 1e-9);
  g_assert_cmpfloat_with_epsilon (load_figures_errors (&f), 0.2, 1e-12);
  g_assert_cmpuint (g_hash_table_size (f.kinds), ==, 2);
  /* p90 of nine is the greatest. */
  g_assert_false (load_judge (&f, &o, v));
  g_assert_false (v[LOAD_BY_LATENCY].met);
  g_assert_cmpfloat (v[LOAD_BY_LATENCY].value, ==, 2000);
  g_assert_true (v[LOAD_BY_FIRST].met && v[LOAD_BY_ERRORS].met);
  g_assert_false (v[LOAD_BY_PER_TOKEN].asked);
  o.percentile = 80;
  g_assert_true (load_judge (&f, &o, v));
  o.errors = 0.19;
  g_assert_false (load_judge (&f, &o, v));
}

static void
test_uncounted (void)
{
  g_auto (LoadFigures) f = { 0 };
  LoadDone d = done_at (1, 100, LOAD_OK);

  load_figures_init (&f);
  d.tokens = -1;
  d.pieces = 4;
  load_figures_add (&f, &d);
  d.first = d.last = 0;
  d.streamed = FALSE;
  d.pieces = 1;
  load_figures_add (&f, &d);
  g_assert_cmpuint (f.n_estimated, ==, 2);
  g_assert_cmpint (f.tokens, ==, 5);
  g_assert_cmpuint (f.n_whole, ==, 1);
  g_assert_cmpuint (histogram_n (f.first), ==, 1);
}

static void
sum_up (const LoadTimeline *t, guint64 *due, guint64 *ok, guint64 *failed, guint64 *times)
{
  *due = *ok = *failed = *times = 0;
  for (guint i = 0; i < t->slots->len; i++)
    {
      const LoadSlot *slot = &g_array_index (t->slots, LoadSlot, i);

      *due += slot->due;
      *ok += slot->ok;
      *failed += slot->failed;
      *times += slot->latency != NULL ? histogram_n (slot->latency) : 0;
    }
}

/* Nothing is lost as spans become one; they cover what came. */
static void
test_timeline (void)
{
  g_auto (LoadTimeline) t = { 0 };
  guint64 due, ok, failed, times;

  load_timeline_init (&t, 1000000);
  for (gint64 i = 0; i < 5000; i++)
    {
      LoadDone d = done_at (1000000 + i * 100000, 30000 + i,
                            i % 10 ? LOAD_OK : g_intern_static_string ("connect"));

      load_timeline_add (&t, &d);
    }
  g_assert_cmpuint (t.slots->len, <=, LOAD_SLOTS);
  g_assert_cmpint (t.width * t.slots->len, >=, 500 * G_USEC_PER_SEC);
  sum_up (&t, &due, &ok, &failed, &times);
  g_assert_cmpuint (due, ==, 5000);
  g_assert_cmpuint (ok, ==, 4500);
  g_assert_cmpuint (failed, ==, 500);
  g_assert_cmpuint (times, ==, 4500);
  load_timeline_fold (&t, 7);
  g_assert_cmpuint (t.slots->len, <=, 7);
  g_assert_cmpuint (t.slots->len, >=, 4);
  sum_up (&t, &due, &ok, &failed, &times);
  g_assert_cmpuint (due + ok + failed + times, ==, 5000 + 4500 + 500 + 4500);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/histogram", test_histogram);
  g_test_add_func ("/load/bins", test_bins);
  g_test_add_func ("/load/stream", test_stream);
  g_test_add_func ("/load/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/load/faults", test_faults);
  g_test_add_func ("/load/bodies", test_bodies);
  g_test_add_func ("/load/counts", test_counts);
  g_test_add_func ("/load/uncounted", test_uncounted);
  g_test_add_func ("/load/timeline", test_timeline);
  return g_test_run ();
}

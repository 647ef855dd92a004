/* SPDX-License-Identifier: Apache-2.0 */
/* bench-json.c: how fast JSON is read and written, in MB (10^6 bytes) per
 * second of this thread's processor time, over JSON Lines like a shop's own:
 * mixed Chinese and English.  Not part of `make check`:
 *
 *     make tests/bench/bench-json && tests/bench/bench-json [MB]
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static GString *
make_text (gsize size)
{
  static const char *const names[]
      = { "雪纺碎花连衣裙", "Linen summer dress", "高腰显瘦A字半身裙", "Rain-proof hiking jacket" };
  static const char *const copies[]
      = { "轻盈雪纺面料，随风而动，高腰剪裁拉长腿部线条，适合夏日出游与约会穿着。",
          "Cut from breathable linen with a relaxed waist, it keeps you cool from the morning "
          "train to the late dinner.",
          "这件衣服面料很舒服，颜色和图片一致，\\\"很满意\\\"，物流也快。\\n推荐购买！",
          "Fits true to size; the zip is solid and the hood stays up in wind. Would buy again." };
  GString *text = g_string_sized_new (size + 4096);

  for (guint i = 0; text->len < size; i++)
    g_string_append_printf (
        text,
        "{\"id\":%u,\"name\":\"%s\",\"price\":%u.%02u,\"on_sale\":%s,\"category\":\"服装\","
        "\"copy\":\"%s%s\","
        "\"tags\":[\"新品\",\"summer\"],\"created\":\"2024-05-%02uT08:30:00Z\",\"stock\":%s}\n",
        i, names[i % 4], i % 900, i % 100, i % 3 ? "true" : "false", copies[i / 4 % 4],
        copies[i / 7 % 4], i % 28 + 1, i % 5 ? "17" : "null");
  return text;
}

static void
report (const char *what, gsize bytes, double seconds)
{
  printf ("%-34s %7.0f MB/s  (%.2f s)\n", what, (double) bytes / 1e6 / seconds, seconds);
}

static void
tokens (const GString *text)
{
  double start = now ();
  const char *p = text->str, *end = text->str + text->len;
  gsize n = 0;
  FrJsonReader r;

  fr_json_reader_init (&r, p, text->len, FR_JSON_MANY);
  while (p < end)
    {
      while (fr_json_reader_next (&r) > FR_JSON_END)
        n++;
      p = r.pos + 1;
      fr_json_reader_reset (&r, p, (gsize) (end - p));
    }
  fr_json_reader_clear (&r);
  report ("tokens", text->len, now () - start);
  printf ("    %.1f million tokens\n", (double) n / 1e6);
}

static void
columns (const GString *text, GPtrArray *batches)
{
  double start = now ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (
      "id: int64, name: utf8, price: float64, on_sale: bool, category: utf8, copy: utf8, "
      "tags: list<utf8>, created: timestamp, stock: int32",
      &error);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  const char *p = text->str, *end = text->str + text->len;
  FrJsonReader r;

  fr_json_reader_init (&r, p, 0, FR_JSON_MANY);
  for (guint64 i = 1; p < end; i++)
    {
      fr_json_reader_reset (&r, p, (gsize) (end - p));
      if (!fr_json_read_row (&r, fr_json_reader_next (&r), builder, NULL, &error))
        g_error ("%s", error->message);
      fr_builder_end_row (builder, (FrRowId){ i, 1, 0 });
      p = r.pos + 1;
      if (fr_builder_full (builder) || p >= end)
        g_ptr_array_add (batches, fr_builder_finish (builder, &error));
    }
  fr_json_reader_clear (&r);
  report ("into columns", text->len, now () - start);
}

static void
rows (GPtrArray *batches)
{
  double start = now ();
  g_autoptr (GString) out = g_string_sized_new (4 << 20);
  gsize bytes = 0;

  for (guint i = 0; i < batches->len; i++)
    {
      FrBatch *batch = batches->pdata[i];

      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          fr_batch_append_json (batch, row, FALSE, out);
          g_string_append_c (out, '\n');
        }
      bytes += out->len;
      g_string_truncate (out, 0);
    }
  report ("rows as JSON", bytes, now () - start);
}

static void
validation (GPtrArray *batches)
{
  double start = now ();
  gsize bytes = 0;

  for (guint i = 0; i < batches->len; i++)
    {
      bytes += fr_batch_bytes (batches->pdata[i]);
      if (!fr_batch_validate (batches->pdata[i], NULL))
        g_error ("an invalid batch");
    }
  report ("validation", bytes, now () - start);
}

static void
choosing (GPtrArray *batches)
{
  g_autofree guint8 *keep = g_malloc (FR_BATCH_ROWS);
  double start = now ();
  gsize bytes = 0;

  for (guint i = 0; i < FR_BATCH_ROWS; i++)
    keep[i] = i % 10 != 3;
  for (guint i = 0; i < batches->len; i++)
    {
      bytes += fr_batch_bytes (batches->pdata[i]);
      fr_batch_unref (fr_batch_filter (batches->pdata[i], keep));
    }
  report ("filter that keeps nine of ten", bytes, now () - start);
}

int
main (int argc, char **argv)
{
  gsize size = (gsize) (argc > 1 ? atoi (argv[1]) : 200) * 1000000;
  GString *text = make_text (size);
  g_autoptr (GPtrArray) batches = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_batch_unref);

  for (guint round = 0; round < 2; round++)
    tokens (text);
  columns (text, batches);
  g_ptr_array_set_size (batches, 0);
  columns (text, batches);
  g_string_free (text, TRUE);
  for (guint round = 0; round < 2; round++)
    rows (batches);
  validation (batches);
  choosing (batches);
  return 0;
}

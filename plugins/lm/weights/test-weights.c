/* SPDX-License-Identifier: Apache-2.0 */
/* test-weights.c: safetensors and GGUF: what is read, what is refused and in which words,
 * what is written.
 */
#include "config.h"

#include "lm/weights/test-files.h"

/* A safetensors file of @header and @n_data zero bytes. */
static GByteArray *
safetensors (const char *header, gsize n_data)
{
  g_autofree char *json = g_strdelimit (g_strdup (header), "'", '"');
  GByteArray *out = g_byte_array_new ();
  guint at;

  gguf_u64 (out, strlen (json));
  g_byte_array_append (out, (const guint8 *) json, (guint) strlen (json));
  at = out->len;
  g_byte_array_set_size (out, at + (guint) n_data);
  memset (out->data + at, 0, n_data);
  return out;
}

/* Parses a copy of its own, so that a sanitizer sees what lies beyond. */
static LmWeightFile *
parse (const GByteArray *bytes, gpointer *copy, GError **error)
{
  *copy = g_memdup2 (bytes->data, bytes->len);
  return lm_weight_file_parse ("test", *copy, bytes->len, error);
}

static void
refused (GByteArray *bytes, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree gpointer copy = NULL;
  g_autoptr (LmWeightFile) file = parse (bytes, &copy, &error);

  g_assert_null (file);
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  if (strstr (error->message, text) == NULL)
    {
      g_test_message ("expected '%s' in: %s", text, error->message);
      g_test_fail ();
    }
  g_byte_array_unref (bytes);
}

static void
test_read (void)
{
  g_autoptr (GByteArray) bytes
      = safetensors ("{'__metadata__':{'format':'pt','a':'b'},"
                     "'empty':{'dtype':'F32','shape':[2,0],'data_offsets':[24,24]},"
                     "'one':{'dtype':'F32','shape':[2,3],'data_offsets':[0,24],'more':{'x':[1]}},"
                     "'scalar':{'dtype':'BF16','shape':[],'data_offsets':[24,26]}}  ",
                     26);
  g_autoptr (GError) error = NULL;
  g_autofree gpointer copy = NULL;
  g_autoptr (LmWeightFile) file = parse (bytes, &copy, &error);
  const LmTensor *t;

  g_assert_no_error (error);
  g_assert_false (lm_weight_file_is_gguf (file));
  g_assert_cmpuint (lm_weight_file_n_tensors (file), ==, 3);
  g_assert_cmpstr (lm_weight_file_tensor (file, 0)->name, ==, "one");
  g_assert_cmpstr (lm_weight_file_tensor (file, 1)->name, ==, "empty");
  t = lm_weight_file_find (file, "one");
  g_assert_cmpuint (t->n_dims, ==, 2);
  g_assert_cmpint (t->dims[1], ==, 3);
  g_assert_cmpuint (t->bytes, ==, 24);
  g_assert_cmpuint (lm_weight_file_find (file, "scalar")->bytes, ==, 2);
  g_assert_null (lm_weight_file_find (file, "none"));
  g_assert_cmpstr (json_object_get_string_member (lm_weight_file_metadata (file), "format"), ==,
                   "pt");
}

static void
test_empty (void)
{
  g_autoptr (GByteArray) bytes = safetensors ("{}      ", 0);
  g_autoptr (GError) error = NULL;
  g_autofree gpointer copy = NULL;
  g_autoptr (LmWeightFile) file = parse (bytes, &copy, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (lm_weight_file_n_tensors (file), ==, 0);
}

#define ENTRY(type, shape, offsets)                                                                \
  "{'t':{'dtype':'" type "','shape':" shape ",'data_offsets':" offsets "}}"

static void
test_refused (void)
{
  static const struct
  {
    const char *header;
    gsize n_data;
    const char *text;
  } cases[] = {
    { " {}", 0, "does not begin with '{'" },
    { "{'t':1}", 0, "an object" },
    { "{'t':{'dtype':'F32'", 0, "not JSON" },
    { "{} x", 0, "not JSON" },
    { "[]", 0, "does not begin with '{'" },
    { "{'__metadata__':{'a':1}}", 0, "a text in __metadata__" },
    { "{'__metadata__':{'a':'1','a':'2'}}", 0, "once" },
    { "{'__metadata__':{},'__metadata__':{}}", 0, "twice" },
    { ENTRY ("F33", "[1]", "[0,4]"), 4, "dtype F33" },
    { ENTRY ("U32", "[1]", "[0,4]"), 4, "dtype U32" },
    { ENTRY ("F32", "[-1]", "[0,4]"), 4, "a size" },
    { ENTRY ("F32", "[1.0]", "[0,4]"), 4, "a size" },
    { ENTRY ("F32", "[18446744073709551616]", "[0,4]"), 4, "a size" },
    { ENTRY ("F32", "[1,1,1,1,1]", "[0,4]"), 4, "more than 4 dimensions" },
    { ENTRY ("F32", "[1]", "[0]"), 4, "two offsets" },
    { ENTRY ("F32", "[1]", "[0,4,8]"), 4, "two offsets" },
    { ENTRY ("F32", "[1]", "[4,8]"), 8, "expected a beginning at 0" },
    { ENTRY ("F32", "[1]", "[0,8]"), 8, "has 8 bytes" },
    { ENTRY ("F32", "[4294967296,4294967296]", "[0,4]"), 4, "beyond 2^63" },
    { ENTRY ("F32", "[0,9223372036854775807]", "[0,4]"), 4, "has 4 bytes" },
    { ENTRY ("F32", "[2]", "[0,8]"), 7, "truncated: its last 1 of 8 bytes" },
    { ENTRY ("F32", "[2]", "[0,8]"), 9, "1 bytes follow" },
    { "{'t':{'shape':[1],'data_offsets':[0,4]}}", 4, "lacks its dtype" },
    { "{'t':{'dtype':'F32','dtype':'F32','shape':[1],'data_offsets':[0,4]}}", 4, "twice" },
    { "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},"
      "'b':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}}",
      4, "overlap" },
    { "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},"
      "'b':{'dtype':'U8','shape':[4],'data_offsets':[5,9]}}",
      9, "leave holes" },
    { "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},"
      "'a':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}}",
      8, "'a' is there twice" },
  };
  GByteArray *bytes;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refused (safetensors (cases[i].header, cases[i].n_data), cases[i].text);
  bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) "abc", 3);
  refused (bytes, "too few");
  bytes = g_byte_array_new ();
  gguf_u64 (bytes, (guint64) 1 << 63);
  refused (bytes, "expected at most");
  bytes = g_byte_array_new ();
  gguf_u64 (bytes, 100);
  refused (bytes, "truncated");
  refused (safetensors ("{'\xff':1}", 0), "UTF-8");
}

/* ---- writing --------------------------------------------------------------------------- */

static gboolean
fill_index (const LmTensor *t, gpointer out, gpointer user, GError **error)
{
  (void) user;
  (void) error;
  for (gsize i = 0; i < t->bytes; i++)
    ((guint8 *) out)[i] = (guint8) i;
  return TRUE;
}

static gboolean
fill_fails (const LmTensor *t, gpointer out, gpointer user, GError **error)
{
  (void) t;
  (void) out;
  (void) user;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "no more");
  return FALSE;
}

/* The lengths are those of the crate's own tests. */
static void
test_write (void)
{
  g_autofree char *dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "a.safetensors", NULL);
  g_autoptr (JsonObject) metadata = made_object ("{'framework': 'pt'}");
  LmTensorSource one = { { "attn.0", LM_F32, 3, { 1, 2, 3 }, NULL, 0 }, fill_index, NULL };
  LmTensorSource several[] = { { { "b", LM_F16, 1, { 2 }, NULL, 0 }, fill_index, NULL },
                               { { "z", LM_F32, 1, { 1 }, NULL, 0 }, fill_index, NULL },
                               { { "a", LM_F16, 1, { 1 }, NULL, 0 }, fill_index, NULL },
                               { { "i", LM_I64, 0, { 0 }, NULL, 0 }, fill_index, NULL } };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize len;

  lm_safetensors_write (path, &one, 1, NULL, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &text, &len, NULL);
  g_assert_cmpuint (len, ==, 8 + 64 + 24);
  g_assert_cmpint (text[0], ==, 64);
  g_free (text);
  lm_safetensors_write (path, NULL, 0, metadata, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &text, &len, NULL);
  g_assert_cmpuint (len, ==, 8 + 40);
  g_free (text);
  lm_safetensors_write (path, several, 4, NULL, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &text, &len, NULL);
  g_assert_true (g_str_has_prefix (
      text + 8, "{\"i\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                "\"z\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                "\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[12,14]},"
                "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[14,18]}}"));
  /* A failure leaves what was there, and nothing beside it. */
  one.fill = fill_fails;
  g_assert_false (lm_safetensors_write (path, &one, 1, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  one.tensor.type = LM_Q4_K;
  g_assert_false (lm_safetensors_write (path, &one, 1, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* ---- GGUF ------------------------------------------------------------------------------ */

/* Three tensors of 64 (Q4_0), 256 (Q6_K) and 3 numbers; @cut bytes off the end. */
static GByteArray *
gguf_whole (guint cut)
{
  GByteArray *out = gguf_begin (3, 15);
  static const guint8 scalars[][8]
      = { { 255 }, { 255 }, { 1, 2 }, { 0xfe, 0xff }, { 1, 2, 3, 4 }, { 0xfe, 0xff, 0xff, 0xff } };

  for (guint type = 0; type < 6; type++)
    {
      static const guint sizes[] = { 1, 1, 2, 2, 4, 4 };
      g_autofree char *key = g_strdup_printf ("k%u", type);

      gguf_text (out, key);
      gguf_u32 (out, type);
      g_byte_array_append (out, scalars[type], sizes[type]);
    }
  gguf_key_f32 (out, "k6", 1.5f);
  gguf_text (out, "k7");
  gguf_u32 (out, 7);
  g_byte_array_append (out, (const guint8 *) "\1", 1);
  gguf_key_text (out, "k8", "text");
  gguf_text (out, "k9");
  gguf_u32 (out, 9);
  gguf_u32 (out, 8);
  gguf_u64 (out, 2);
  gguf_text (out, "first");
  gguf_text (out, "");
  gguf_text (out, "k10");
  gguf_u32 (out, 10);
  gguf_u64 (out, 1 << 30);
  gguf_text (out, "k11");
  gguf_u32 (out, 11);
  gguf_u64 (out, (guint64) -5);
  gguf_text (out, "k12");
  gguf_u32 (out, 12);
  gguf_u64 (out, 0x3ff8000000000000);
  gguf_text (out, "long");
  gguf_u32 (out, 9);
  gguf_u32 (out, 5);
  gguf_u64 (out, 100);
  for (guint i = 0; i < 100; i++)
    gguf_u32 (out, i * 3);
  gguf_key_u32 (out, "general.alignment", 64);
  gguf_tensor (out, "a", 2, 32, 2, 2, 0);
  gguf_tensor (out, "b", 1, 256, 0, 14, 64);
  gguf_tensor (out, "c", 1, 3, 0, 0, 320);
  gguf_pad (out, 64);
  for (guint i = 0; i < 332 - cut; i++)
    {
      guint8 byte = (guint8) i;

      g_byte_array_append (out, &byte, 1);
    }
  return out;
}

static void
test_gguf (void)
{
  g_autoptr (GByteArray) bytes = gguf_whole (0);
  g_autoptr (GError) error = NULL;
  g_autofree gpointer copy = NULL;
  g_autoptr (LmWeightFile) file = parse (bytes, &copy, &error);
  JsonObject *metadata;
  const FrStr *strings;
  const gint32 *ints;
  const LmTensor *t;
  gsize n;

  g_assert_no_error (error);
  g_assert_true (lm_weight_file_is_gguf (file));
  metadata = lm_weight_file_metadata (file);
  g_assert_cmpint (json_object_get_int_member (metadata, "k0"), ==, 255);
  g_assert_cmpint (json_object_get_int_member (metadata, "k1"), ==, -1);
  g_assert_cmpint (json_object_get_int_member (metadata, "k2"), ==, 513);
  g_assert_cmpint (json_object_get_int_member (metadata, "k3"), ==, -2);
  g_assert_cmpint (json_object_get_int_member (metadata, "k4"), ==, 0x04030201);
  g_assert_cmpint (json_object_get_int_member (metadata, "k5"), ==, -2);
  g_assert_cmpfloat (json_object_get_double_member (metadata, "k6"), ==, 1.5);
  g_assert_true (json_object_get_boolean_member (metadata, "k7"));
  g_assert_cmpstr (json_object_get_string_member (metadata, "k8"), ==, "text");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (metadata, "k9")), ==, 2);
  g_assert_cmpint (json_object_get_int_member (metadata, "k10"), ==, 1 << 30);
  g_assert_cmpint (json_object_get_int_member (metadata, "k11"), ==, -5);
  g_assert_cmpfloat (json_object_get_double_member (metadata, "k12"), ==, 1.5);
  g_assert_false (json_object_has_member (metadata, "long"));
  strings = lm_gguf_strings (file, "k9", &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (fr_str_equal (strings[0], FR_STR ("first")));
  g_assert_cmpuint (strings[1].len, ==, 0);
  ints = lm_gguf_ints (file, "long", &n);
  g_assert_cmpuint (n, ==, 100);
  g_assert_cmpint (ints[99], ==, 297);
  g_assert_null (lm_gguf_ints (file, "k9", &n));
  g_assert_null (lm_gguf_strings (file, "k8", &n));
  t = lm_weight_file_find (file, "a");
  g_assert_cmpint (t->dims[0], ==, 2);
  g_assert_cmpint (t->dims[1], ==, 32);
  g_assert_cmpuint (t->bytes, ==, 36);
  g_assert_cmpint (((const guint8 *) lm_weight_file_find (file, "b")->data)[0], ==, 64);
  g_assert_cmpint (((const guint8 *) lm_weight_file_find (file, "c")->data)[0], ==, 320 - 256);
}

static void
test_gguf_truncated (void)
{
  g_autofree char *dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "cut.gguf", NULL);
  g_autoptr (GByteArray) bytes = gguf_whole (13);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  gboolean truncated = FALSE;

  g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL);
  g_assert_null (lm_weight_file_open (path, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "truncated: tensor 'c'"));
  g_clear_error (&error);
  file = lm_weight_file_open_header (path, &truncated, &error);
  g_assert_no_error (error);
  g_assert_true (truncated);
  g_assert_nonnull (lm_weight_file_find (file, "b")->data);
  g_assert_null (lm_weight_file_find (file, "c")->data);
  /* At no length may anything be read beyond the end. */
  for (guint len = 0; len < bytes->len; len++)
    {
      g_autofree gpointer copy = g_memdup2 (bytes->data, len);
      g_autoptr (LmWeightFile) part = lm_weight_file_parse ("cut", copy, len, NULL);

      g_assert_null (part);
    }
  g_unlink (path);
  g_rmdir (dir);
}

static GByteArray *
one_tensor (const char *name, guint n_dims, guint64 d0, guint64 d1, guint32 type, guint64 offset)
{
  GByteArray *out = gguf_begin (1, 0);

  gguf_tensor (out, name, n_dims, d0, d1, type, offset);
  gguf_pad (out, 32);
  g_byte_array_set_size (out, out->len + 64);
  memset (out->data + out->len - 64, 0, 64);
  return out;
}

static GByteArray *
with_version (guint32 version)
{
  GByteArray *out = gguf_begin (0, 0);

  memcpy (out->data + 4, &version, sizeof version);
  return out;
}

static GByteArray *
key_of_type (guint32 type)
{
  GByteArray *out = gguf_begin (0, 1);

  gguf_text (out, "k");
  gguf_u32 (out, type);
  gguf_u64 (out, 0);
  return out;
}

static void
test_gguf_refused (void)
{
  static const char long_name[]
      = "0123456789012345678901234567890123456789012345678901234567890123";
  GByteArray *out;

  refused (with_version (2), "version 2");
  refused (with_version (GUINT32_SWAP_LE_BE (3)), "big-endian");
  refused (key_of_type (13), "unknown type 13");
  out = gguf_begin (0, 1);
  gguf_key_text (out, "", "x");
  refused (out, "empty");
  out = gguf_begin (0, 2);
  gguf_key_u32 (out, "k", 1);
  gguf_key_u32 (out, "k", 1);
  refused (out, "'k' is there twice");
  out = gguf_begin (0, 1);
  gguf_key_u32 (out, "general.alignment", 24);
  refused (out, "power of two");
  out = gguf_begin (0, 1);
  gguf_key_u32 (out, "general.alignment", 0);
  refused (out, "power of two");
  out = gguf_begin (0, 1);
  gguf_key_text (out, "general.alignment", "32");
  refused (out, "no u32");
  out = gguf_begin (0, 1);
  gguf_text (out, "k");
  gguf_u32 (out, 9);
  gguf_u32 (out, 9);
  gguf_u64 (out, 0);
  refused (out, "not allowed");
  out = gguf_begin (0, 1);
  gguf_text (out, "k");
  gguf_u32 (out, 9);
  gguf_u32 (out, 0);
  gguf_u64 (out, (guint64) 1 << 31);
  refused (out, "at most 2^30");
  out = gguf_begin (0, 1);
  gguf_u64 (out, (guint64) 1 << 40);
  refused (out, "at most 1 GiB");
  refused (gguf_begin ((guint64) 1 << 62, 0), "cannot be in");
  out = gguf_begin (2, 0);
  gguf_tensor (out, "a", 1, 0, 0, 0, 0);
  gguf_tensor (out, "a", 1, 0, 0, 0, 0);
  refused (out, "'a' is there twice");
  refused (one_tensor (long_name, 1, 4, 0, 0, 0), "64 bytes or more");
  refused (one_tensor ("t", 5, 4, 0, 0, 0), "5 dimensions");
  refused (one_tensor ("t", 1, (guint64) -4, 0, 0, 0), "negative");
  refused (one_tensor ("t", 2, (guint64) 1 << 40, (guint64) 1 << 40, 0, 0), "beyond 2^63");
  refused (one_tensor ("t", 1, 4, 0, 23, 0), "IQ4_XS");
  refused (one_tensor ("t", 1, 4, 0, 1000, 0), "type 1000");
  refused (one_tensor ("t", 1, 33, 0, 2, 0), "blocks of 32");
  refused (one_tensor ("t", 1, 4, 0, 0, 32), "expected 0");
  refused (one_tensor ("t", 1, 100, 0, 0, 0), "truncated");
}

/* ---- the quickstart's base model --------------------------------------------------------- */

static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  gsize n;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 names no file");
      return;
    }
  file = lm_weight_file_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_weight_file_n_tensors (file), ==, 272);
  g_assert_nonnull (lm_gguf_strings (file, "tokenizer.ggml.tokens", &n));
  g_assert_cmpuint (n, ==, 49152);
  g_assert_nonnull (lm_gguf_strings (file, "tokenizer.ggml.merges", &n));
  g_assert_cmpuint (n, ==, 48900);
}

static void
test_r1_header (void)
{
  const char *path = g_getenv ("FLOWRUN_R1_GGUF");
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  gboolean truncated;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_R1_GGUF names no file");
      return;
    }
  file = lm_weight_file_open_header (path, &truncated, &error);
  g_assert_no_error (error);
  g_assert_true (truncated);
  g_assert_cmpuint (lm_weight_file_n_tensors (file), ==, 339);
  g_assert_null (lm_weight_file_open (path, &error));
  g_assert_nonnull (strstr (error->message, "fetch it again"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lm/safetensors/read", test_read);
  g_test_add_func ("/lm/safetensors/empty", test_empty);
  g_test_add_func ("/lm/safetensors/refused", test_refused);
  g_test_add_func ("/lm/safetensors/write", test_write);
  g_test_add_func ("/lm/gguf/read", test_gguf);
  g_test_add_func ("/lm/gguf/truncated", test_gguf_truncated);
  g_test_add_func ("/lm/gguf/refused", test_gguf_refused);
  g_test_add_func ("/lm/gguf/smollm2", test_smollm2);
  g_test_add_func ("/lm/gguf/r1-header", test_r1_header);
  return g_test_run ();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* onednn.c: the backend "onednn": big products by oneDNN in BF16 and F32, the rest by our own
 * kernels.
 *
 * A matmul primitive is machine code for one shape.  Pieces come in few sizes
 * (tiled.h), so primitives are kept in a table by their shape.  Each runs on
 * one thread and our threads share the pieces, which measures as fast as
 * oneDNN's own division or faster.  Stored weights [out, in] are used as they
 * are in both directions: a transposition is a pair of strides.
 *
 * oneDNN multiplies F32 by AVX2 or AVX512 even where there is AMX, and packs b anew for every piece
 * of the rows.  Where there is AMX large products of F32, and those of BF16 for which that matters,
 * go by our own kernel, which is faster and no less exact (cpu/split.c).
 *
 * Follows the C interface of oneDNN 2 (dnnl.h), which Debian 12 has.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compute/cpu/cpu.h"
#include "compute/tiled.h"

#define MOST_PRIMITIVES 512 /* then the table starts anew */

/* What a primitive is made for; compared as bytes, hence no gaps. */
typedef struct
{
  gint64 rows, cols, inner;
  gint64 a_stride, b_stride, out_stride;
  gint32 operands, out;
  gint32 ta, tb;
  float alpha, beta;
} Key;

G_STATIC_ASSERT (sizeof (Key) == 6 * sizeof (gint64) + 6 * sizeof (gint32));

typedef struct
{
  Key key;
  dnnl_primitive_t primitive;
  dnnl_memory_desc_t a, b, out, scratch;
  gint references; /* the table's, and one of each thread that runs it */
} Primitive;

typedef struct
{
  dnnl_stream_t stream;
  gpointer scratch;
  gsize scratch_bytes;
} Thread;

typedef struct
{
  LmCompute base;
  LmComputeClass klass;
  LmTiles *tiles;
  dnnl_engine_t engine;
  Thread *threads;
  gboolean bf16; /* whether the processor multiplies it */
  GMutex lock;   /* of what follows */
  GHashTable *primitives;
  GError *error; /* the first failure since the last sync */
} OneDnn;

static guint
key_hash (gconstpointer data)
{
  const guint8 *bytes = data;
  guint32 hash = 2166136261u; /* FNV-1a */

  for (gsize i = 0; i < sizeof (Key); i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Key)) == 0;
}

static void
primitive_unref (gpointer data)
{
  Primitive *p = data;

  if (!g_atomic_int_dec_and_test (&p->references))
    return;
  dnnl_primitive_destroy (p->primitive);
  g_free (p);
}

/* Keeps the first failure for sync. */
static gboolean
succeeded (OneDnn *o, dnnl_status_t status, const char *doing, const Key *key)
{
  if (status == dnnl_success)
    return TRUE;
  g_mutex_lock (&o->lock);
  if (o->error == NULL)
    g_set_error (&o->error, FR_ERROR, FR_ERROR_COMPUTE,
                 "oneDNN cannot %s a product of %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                 " by %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                 " (status %d); choose compute \"openblas\"",
                 doing, key->rows, key->inner, key->inner, key->cols, status);
  g_mutex_unlock (&o->lock);
  return FALSE;
}

static dnnl_data_type_t
data_type (gint32 type)
{
  return type == LM_BF16 ? dnnl_bf16 : dnnl_f32;
}

static dnnl_status_t
describe_mat (dnnl_memory_desc_t *d, gint64 rows, gint64 cols, gint32 type, gint64 stride,
              gboolean transposed)
{
  const dnnl_dims_t dims = { rows, cols };
  const dnnl_dims_t strides = { transposed ? 1 : stride, transposed ? stride : 1 };

  return dnnl_memory_desc_init_by_strides (d, 2, dims, data_type (type), strides);
}

static dnnl_status_t
make_attributes (dnnl_primitive_attr_t *attributes, const Key *key)
{
  dnnl_post_ops_t sum = NULL;
  dnnl_status_t status = dnnl_primitive_attr_create (attributes);

  if (status == dnnl_success)
    status = dnnl_primitive_attr_set_scratchpad_mode (*attributes, dnnl_scratchpad_mode_user);
  if (status == dnnl_success && key->alpha != 1)
    status = dnnl_primitive_attr_set_output_scales (*attributes, 1, 0, &key->alpha);
  if (status != dnnl_success || key->beta == 0)
    return status;
  status = dnnl_post_ops_create (&sum);
  if (status == dnnl_success)
    status = dnnl_post_ops_append_sum (sum, key->beta);
  if (status == dnnl_success)
    status = dnnl_primitive_attr_set_post_ops (*attributes, sum);
  dnnl_post_ops_destroy (sum);
  return status;
}

static dnnl_status_t
make_primitive (OneDnn *o, Primitive *p)
{
  const Key *key = &p->key;
  dnnl_matmul_desc_t matmul;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t d = NULL;
  dnnl_status_t status;

  status = describe_mat (&p->a, key->rows, key->inner, key->operands, key->a_stride, key->ta);
  if (status == dnnl_success)
    status = describe_mat (&p->b, key->inner, key->cols, key->operands, key->b_stride, key->tb);
  if (status == dnnl_success)
    status = describe_mat (&p->out, key->rows, key->cols, key->out, key->out_stride, FALSE);
  if (status == dnnl_success)
    status = dnnl_matmul_desc_init (&matmul, &p->a, &p->b, NULL, &p->out);
  if (status == dnnl_success)
    status = make_attributes (&attributes, key);
  if (status == dnnl_success)
    status = dnnl_primitive_desc_create (&d, &matmul, attributes, o->engine, NULL);
  if (status == dnnl_success)
    {
      p->scratch = *dnnl_primitive_desc_query_md (d, dnnl_query_scratchpad_md, 0);
      status = dnnl_primitive_create (&p->primitive, d);
    }
  if (d != NULL)
    dnnl_primitive_desc_destroy (d);
  if (attributes != NULL)
    dnnl_primitive_attr_destroy (attributes);
  return status;
}

/* The primitive for @key, made when it is new; primitive_unref(). */
static Primitive *
find_primitive (OneDnn *o, const Key *key)
{
  Primitive *p;
  dnnl_status_t status = dnnl_success;

  g_mutex_lock (&o->lock);
  p = g_hash_table_lookup (o->primitives, key);
  if (p == NULL)
    {
      p = g_new0 (Primitive, 1);
      p->key = *key;
      p->references = 1;
      status = make_primitive (o, p);
      if (status == dnnl_success)
        {
          if (g_hash_table_size (o->primitives) >= MOST_PRIMITIVES)
            g_hash_table_remove_all (o->primitives);
          g_hash_table_insert (o->primitives, &p->key, p);
        }
    }
  if (status == dnnl_success)
    g_atomic_int_inc (&p->references);
  g_mutex_unlock (&o->lock);
  if (succeeded (o, status, "make", key))
    return p;
  g_free (p);
  return NULL;
}

static gpointer
scratch (Thread *thread, gsize bytes)
{
  if (thread->scratch_bytes < bytes)
    {
      g_aligned_free (thread->scratch);
      thread->scratch = g_aligned_alloc (1, bytes, 64);
      thread->scratch_bytes = bytes;
    }
  return thread->scratch;
}

static dnnl_status_t
execute (OneDnn *o, Thread *thread, Primitive *p, gpointer a, gpointer b, gpointer out)
{
  dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, NULL },
                             { DNNL_ARG_WEIGHTS, NULL },
                             { DNNL_ARG_DST, NULL },
                             { DNNL_ARG_SCRATCHPAD, NULL } };
  const dnnl_memory_desc_t *descriptions[] = { &p->a, &p->b, &p->out, &p->scratch };
  gpointer data[] = { a, b, out, scratch (thread, dnnl_memory_desc_get_size (&p->scratch)) };
  dnnl_status_t status = dnnl_success;

  for (gsize i = 0; i < G_N_ELEMENTS (args) && status == dnnl_success; i++)
    status = dnnl_memory_create (&args[i].memory, descriptions[i], o->engine, data[i]);
  if (status == dnnl_success)
    status = dnnl_primitive_execute (p->primitive, thread->stream, G_N_ELEMENTS (args), args);
  if (status == dnnl_success)
    status = dnnl_stream_wait (thread->stream);
  for (gsize i = 0; i < G_N_ELEMENTS (args); i++)
    if (args[i].memory != NULL)
      dnnl_memory_destroy (args[i].memory);
  return status;
}

static void
multiply (LmCompute *c, guint thread, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
          LmMat b, gboolean tb)
{
  OneDnn *o = (OneDnn *) c;
  const Key key = { out.rows, out.cols, ta ? a.rows : a.cols,
                    a.stride, b.stride, out.stride,
                    a.type,   out.type, ta,
                    tb,       alpha,    beta };
  Primitive *p = find_primitive (o, &key);

  if (p == NULL)
    return;
  succeeded (o, execute (o, &o->threads[thread], p, a.data, b.data, out.data), "do", &key);
  primitive_unref (p);
}

static void
onednn_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
               gboolean tb)
{
  static const LmTiling f32 = { multiply, LM_F32, FALSE, TRUE };
  static const LmTiling bf16 = { multiply, LM_BF16, TRUE, TRUE };
  OneDnn *o = (OneDnn *) c;

  if (!lm_cpu_matmul_small (c, out, beta, alpha, a, ta, b, tb))
    lm_tiled_matmul (c, o->tiles, a.type == LM_BF16 && o->bf16 ? &bf16 : &f32, out, beta, alpha, a,
                     ta, b, tb);
}

static gboolean
onednn_sync (LmCompute *c, GError **error)
{
  OneDnn *o = (OneDnn *) c;
  GError *kept;

  g_mutex_lock (&o->lock);
  kept = g_steal_pointer (&o->error);
  g_mutex_unlock (&o->lock);
  if (kept == NULL)
    return TRUE;
  g_propagate_error (error, kept);
  return FALSE;
}

/* The newest extension that oneDNN uses here; NULL: none that matters. */
static const char *
instructions (void)
{
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa ();
  static const struct
  {
    dnnl_cpu_isa_t isa;
    const char *name;
  } names[] = { { dnnl_cpu_isa_avx512_core_amx, "AMX" },
                { dnnl_cpu_isa_avx512_core_bf16, "AVX512-BF16" },
                { dnnl_cpu_isa_avx512_core, "AVX512, no BF16" },
                { dnnl_cpu_isa_avx2, "AVX2, no BF16" } };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if ((isa & names[i].isa) == names[i].isa)
      return names[i].name;
  return NULL;
}

static gboolean
has_bf16 (void)
{
  return (dnnl_get_effective_cpu_isa () & dnnl_cpu_isa_avx512_core_bf16)
         == dnnl_cpu_isa_avx512_core_bf16;
}

static char *
onednn_describe (LmCompute *c)
{
  const dnnl_version_t *version = dnnl_version ();
  const char *isa = instructions ();

  return g_strdup_printf ("oneDNN %d.%d.%d, %s, %u thread%s", version->major, version->minor,
                          version->patch, isa != NULL ? isa : "baseline", c->threads,
                          c->threads == 1 ? "" : "s");
}

static void
onednn_close (LmCompute *c)
{
  OneDnn *o = (OneDnn *) c;

  g_hash_table_unref (o->primitives);
  for (guint i = 0; i < c->threads; i++)
    {
      if (o->threads[i].stream != NULL)
        dnnl_stream_destroy (o->threads[i].stream);
      g_aligned_free (o->threads[i].scratch);
    }
  if (o->engine != NULL)
    dnnl_engine_destroy (o->engine);
  lm_tiles_free (o->tiles);
  g_clear_error (&o->error);
  g_mutex_clear (&o->lock);
  g_free (o->threads);
  g_free (o);
}

static gboolean
onednn_fast_bf16 (LmCompute *c)
{
  return ((OneDnn *) c)->bf16;
}

static void
fill_class (OneDnn *o, const LmComputeClass *klass)
{
  o->klass = *klass;
  o->klass.close = onednn_close;
  o->klass.describe = onednn_describe;
  o->klass.matmul = onednn_matmul;
  o->klass.sync = onednn_sync;
  o->klass.fast_bf16 = onednn_fast_bf16;
  lm_cpu_fill (&o->klass);
  lm_compute_inherit (&o->klass, lm_compute_reference ());
}

static LmCompute *
onednn_open (const LmComputeClass *klass, guint threads, GError **error)
{
  OneDnn *o = g_new0 (OneDnn, 1);
  dnnl_status_t status = dnnl_engine_create (&o->engine, dnnl_cpu, 0);

  fill_class (o, klass);
  o->base.klass = &o->klass;
  o->base.threads = threads;
  o->bf16 = has_bf16 ();
  o->tiles = lm_tiles_new (threads);
  o->threads = g_new0 (Thread, threads);
  o->primitives = g_hash_table_new_full (key_hash, key_equal, NULL, primitive_unref);
  g_mutex_init (&o->lock);
  for (guint i = 0; i < threads && status == dnnl_success; i++)
    status = dnnl_stream_create (&o->threads[i].stream, o->engine, dnnl_stream_default_flags);
  if (status == dnnl_success)
    return &o->base;
  g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
               "oneDNN does not start (status %d); choose compute \"openblas\"", status);
  onednn_close (&o->base);
  return NULL;
}

/* Whether memory that was written may be run: what primitives are made of, and what systemd's
 * MemoryDenyWriteExecute, PR_SET_MDWE and SELinux's execmem forbid. */
static gboolean
may_make_code (void)
{
  const gsize bytes = (gsize) sysconf (_SC_PAGESIZE);
  gpointer page = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gboolean may;

  if (page == MAP_FAILED)
    return FALSE;
  may = mprotect (page, bytes, PROT_READ | PROT_EXEC) == 0;
  munmap (page, bytes);
  return may;
}

static int
onednn_score (const char **why)
{
  if (!may_make_code ())
    {
      *why = "this process may not run memory that it has written; openblas need not";
      return 0;
    }
  *why = instructions ();
  if (*why == NULL)
    *why = "neither AVX2 nor AVX512";
  return has_bf16 () ? 40 : 20;
}

static const LmComputeClass table = {
  .version = LM_COMPUTE_VERSION,
  .name = "onednn",
  .host_memory = TRUE,
  .open = onednn_open,
};

static const FrService onednn = {
  .size = sizeof (FrService),
  .kind = LM_COMPUTE_KIND,
  .name = "onednn",
  .version = LM_COMPUTE_VERSION,
  .summary = "processors, with oneDNN for matrix products in BF16 and F32",
  .score = onednn_score,
  .table = &table,
};

static const FrService *const services[] = { &onednn, NULL };

FR_PLUGIN_SERVICES ("compute-onednn", "0.1.0", "compute with oneDNN", "Apache-2.0", "flowrun",
                    services)

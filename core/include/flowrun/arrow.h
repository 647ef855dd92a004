/* SPDX-License-Identifier: Apache-2.0 */
/* arrow.h: the Arrow C Data Interface, the layout of every column in flowrun.
 *
 * These are the two structures of Apache Arrow's "Arrow C data interface"
 * specification (CDataInterface.rst; Apache License 2.0), unchanged and under
 * the specification's own guard, so that a file which already has them from
 * another library can include this header too.  flowrun's profile of the
 * specification (which types, which offsets) is stated in batch.h.
 *
 * Ordinary elements never touch these structures: see the views and builders
 * of batch.h.  They are here for elements that hand columns to, or take them
 * from, another Arrow library.
 */
#ifndef FLOWRUN_ARROW_H
#define FLOWRUN_ARROW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release) (struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release) (struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifdef __cplusplus
}
#endif

#endif

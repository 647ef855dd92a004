/* SPDX-License-Identifier: Apache-2.0 */
/* variants.h: a function compiled for several processors (libflowrun-text).
 *
 *     TEXT_VARIANTS static void add (...)
 *
 * makes one copy for any x86-64, one for AVX2 and one for AVX-512, and the
 * loader takes the best that the machine can run.  For integer loops that the
 * compiler turns into vectors: every copy gives the same bits.  Where loaders
 * cannot choose, there is one copy; under the sanitizers too, whose checks are
 * not there yet when the loader asks.
 */
#ifndef FLOWRUN_TEXT_VARIANTS_H
#define FLOWRUN_TEXT_VARIANTS_H

#if defined __x86_64__ && defined __gnu_linux__ && defined __GNUC__ && !defined __clang__          \
    && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define TEXT_VARIANTS                                                                              \
  __attribute__ ((target_clones ("default", "avx2", "arch=x86-64-v4"), optimize ("O3")))
#else
#define TEXT_VARIANTS
#endif

#endif

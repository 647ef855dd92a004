#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# make-entities.py > entities.c: the named character references of the WHATWG
# HTML standard (section 13.5) as a C table.  The names and code points are
# taken from Python's own copy of that list; run it again when the list grows,
# which the standard promises never to happen.
from html.entities import html5

print("""/* SPDX-License-Identifier: Apache-2.0 */
/* entities.c: made by make-entities.py; do not edit.
 *
 * The named character references of HTML (WHATWG, section 13.5), sorted by
 * bytes.  "legacy" marks those that work without their semicolon. */
#include "config.h"

#include "text/html-private.h"

/* clang-format off */
const TextEntity text_entities[] = {""")
names = sorted({n.rstrip(";") for n in html5}, key=lambda n: n.encode())
for n in names:
    c = [ord(x) for x in html5[n + ";"]]
    c += [0] * (2 - len(c))
    print('  { "%s", %d, 0x%x, 0x%x },' % (n, n in html5, c[0], c[1]))
print("""};
/* clang-format on */
const guint text_n_entities = G_N_ELEMENTS (text_entities);""")

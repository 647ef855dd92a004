/* SPDX-License-Identifier: Apache-2.0 */
/* elf.c: which names a shared object imports that no plugin may.
 *
 * Reads the dynamic symbol table by section headers (System V ABI, chapter
 * "Object Files"), of this machine's own class and byte order only: a plugin
 * of another would not load anyway.  Nothing of the file is run, and no offset
 * in it is believed before it was held against the file's size.
 */
#include "config.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "command/command.h"

typedef struct
{
  const char *bytes;
  gsize len;
} Image;

/* @n items of @size at @offset, or NULL when they do not lie in the file. */
static const void *
range (const Image *image, guint64 offset, guint64 n, gsize size)
{
  if (size == 0 || offset > image->len || n > (image->len - offset) / size)
    return NULL;
  if (((gsize) image->bytes + offset) % _Alignof(ElfW (Half)) != 0)
    return NULL;
  return image->bytes + offset;
}

static gboolean
is_banned (const char *name)
{
  static const char *const banned[]
      = { "exit", "_exit", "_Exit", "quick_exit", "abort", "__assert_fail", NULL };

  return g_strv_contains (banned, name);
}

static void
look_at_symbols (const Image *image, const ElfW (Shdr) * symbols, const ElfW (Shdr) * strings,
                 GPtrArray *found)
{
  guint64 n = symbols->sh_size / sizeof (ElfW (Sym));
  const ElfW (Sym) *table = range (image, symbols->sh_offset, n, sizeof (ElfW (Sym)));
  const char *names = range (image, strings->sh_offset, strings->sh_size, 1);

  if (table == NULL || names == NULL || strings->sh_size == 0
      || names[strings->sh_size - 1] != '\0')
    return;
  for (guint64 i = 0; i < n; i++)
    {
      ElfW (Sym) symbol;

      memcpy (&symbol, &table[i], sizeof symbol);
      if (symbol.st_shndx != SHN_UNDEF || symbol.st_name >= strings->sh_size)
        continue;
      if (is_banned (names + symbol.st_name))
        g_ptr_array_add (found, g_strdup (names + symbol.st_name));
    }
}

GPtrArray *
cmd_banned_symbols (const char *path, GError **error)
{
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, error);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  Image image;
  const ElfW (Ehdr) * header;
  const ElfW (Shdr) * sections;

  if (map == NULL)
    return NULL;
  image = (Image){ g_mapped_file_get_contents (map), g_mapped_file_get_length (map) };
  header = range (&image, 0, 1, sizeof *header);
  if (header == NULL || memcmp (header->e_ident, ELFMAG, SELFMAG) != 0
      || header->e_shentsize != sizeof (ElfW (Shdr)))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "%s is not a shared object of this machine",
                   path);
      return NULL;
    }
  sections = range (&image, header->e_shoff, header->e_shnum, sizeof *sections);
  for (guint i = 0; sections != NULL && i < header->e_shnum; i++)
    {
      ElfW (Shdr) section, strings;

      memcpy (&section, &sections[i], sizeof section);
      if (section.sh_type != SHT_DYNSYM || section.sh_link >= header->e_shnum)
        continue;
      memcpy (&strings, &sections[section.sh_link], sizeof strings);
      look_at_symbols (&image, &section, &strings, found);
    }
  return g_steal_pointer (&found);
}

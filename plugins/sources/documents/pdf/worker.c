/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.c: document-pdf-worker, the program that reads PDFs with poppler.
 *
 * A program of its own for two reasons.  poppler keeps global state, is not
 * made for several threads, and its parser meets hostile files: here a crash, a
 * loop or a hunger for memory ends one process of one document.  And poppler is
 * under the GPL, as this file is therefore; flowrun only speaks to it.
 *
 * The process that the plugin starts never touches a document: for each it
 * forks one that has a limit on memory, processor and wall time, may open files
 * for reading only (poppler's tables of CJK encodings), and can start no
 * program and open no socket (a seccomp filter where the kernel has it).
 */
#include "config.h"

#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poppler.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER (64 * 1024)
#define WIDE_BLANK 0.9f /* of the size of the text before it */

static int out_fd;
static char *buffer;
static size_t filled;

/* ---- telling ------------------------------------------------------------------ */

static void
drain (void)
{
  for (size_t at = 0; at < filled;)
    {
      ssize_t n = write (out_fd, buffer + at, filled - at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        _exit (0); /* the plugin wants no more */
      at += (size_t) n;
    }
  filled = 0;
}

static void
put (const void *data, size_t len)
{
  const char *p = data;

  while (len > 0)
    {
      size_t n = MIN (len, BUFFER - filled);

      memcpy (buffer + filled, p, n);
      filled += n;
      p += n;
      len -= n;
      if (filled == BUFFER)
        drain ();
    }
}

static void
put_frame (char kind, const void *head, size_t head_len, const char *text, size_t len)
{
  PdfFrame frame = { (uint32_t) kind, (uint32_t) (head_len + len) };

  put (&frame, sizeof frame);
  put (head, head_len);
  put (text, len);
}

static void
put_text (char kind, char *text)
{
  if (text != NULL && *text != '\0' && strlen (text) < PDF_MAX_FRAME)
    put_frame (kind, NULL, 0, text, strlen (text));
  g_free (text);
}

static void
put_failure (const char *rule, const char *reason)
{
  put_frame ('F', rule, strlen (rule) + 1, reason, strlen (reason));
}

static void
put_date (time_t date)
{
  GDateTime *when = date > 0 ? g_date_time_new_from_unix_utc (date) : NULL;

  if (when == NULL)
    return;
  put_text ('D', g_date_time_format_iso8601 (when));
  g_date_time_unref (when);
}

/* ---- a page ------------------------------------------------------------------- */

static gboolean
is_bold (const char *font)
{
  static const char *const words[] = { "Bold", "bold", "Black", "Heavy", "Hei", "黑", "Demi" };

  for (guint i = 0; font && i < G_N_ELEMENTS (words); i++)
    if (strstr (font, words[i]))
      return TRUE;
  return FALSE;
}

typedef struct
{
  const PopplerRectangle *rectangles;
  guint n;
  GList *attributes; /* where the reading of them is */
} Layout;

static const PopplerTextAttributes *
attributes_at (Layout *layout, guint i)
{
  while (layout->attributes
         && ((PopplerTextAttributes *) layout->attributes->data)->end_index < (gint) i)
    layout->attributes = layout->attributes->next;
  return layout->attributes ? layout->attributes->data : NULL;
}

typedef struct
{
  PdfLine line;
  const char *text, *end;
  guint bold, n; /* characters: bold ones, all but blanks */
  float wide;    /* of Chinese characters */
} Part;

/* The size of its font, at most @most of the width of Chinese characters: what poppler says may be
 * before scaling. */
static float
em_of (const Part *part, float most)
{
  return part->wide > 0 ? MIN (part->wide * most, part->line.size) : part->line.size;
}

/* @goes_on: what follows is in the same line. */
static void
put_part (Part *part, gboolean goes_on)
{
  if (part->n > 0)
    {
      part->line.bold = part->bold * 2 > part->n;
      part->line.size = em_of (part, 1.2f);
      put_frame ('L', &part->line, sizeof part->line, part->text,
                 (size_t) (part->end - part->text));
    }
  *part = (Part){ .line = { 1e9f, 1e9f, -1e9f, -1e9f, 0, 0, goes_on && part->n > 0 } };
}

/* A line, in parts: where nothing stands for the width of a character, cells of a table may meet,
 * which poppler joins without a blank when they are Chinese or numbers.  It takes two rows for one
 * line, too, when the first has no more cells. */
static void
put_line (Layout *layout, guint first, guint end, const char *text)
{
  const PopplerRectangle *before = NULL;
  Part part = { .n = 0 };
  const char *p = text;

  put_part (&part, FALSE);
  for (guint i = first; i < end && i < layout->n; i++, p = g_utf8_next_char (p))
    {
      const PopplerRectangle *r = &layout->rectangles[i];
      const PopplerTextAttributes *a;
      gboolean below;
      float em;

      if (g_ascii_isspace (*p))
        continue;
      a = attributes_at (layout, i);
      em = MAX (em_of (&part, 1), 4);
      below = part.n > 0 && r->y1 > before->y1 + 0.5 * em && r->x1 < before->x1 - em;
      if (below || (part.n > 0 && (float) r->x1 - part.line.x1 > WIDE_BLANK * em))
        put_part (&part, !below);
      before = r;
      if (part.n == 0)
        part.text = p;
      part.end = g_utf8_next_char (p);
      part.line.x0 = MIN (part.line.x0, (float) r->x1);
      part.line.y0 = MIN (part.line.y0, (float) r->y1);
      part.line.x1 = MAX (part.line.x1, (float) r->x2);
      part.line.y1 = MAX (part.line.y1, (float) r->y2);
      part.n++;
      if (g_unichar_iswide (g_utf8_get_char (p)))
        part.wide = MAX (part.wide, (float) (r->x2 - r->x1));
      if (a == NULL)
        continue;
      part.bold += is_bold (a->font_name);
      part.line.size = MAX (part.line.size, (float) a->font_size);
    }
  put_part (&part, FALSE);
}

static void
put_page (PopplerDocument *document, int number)
{
  PopplerPage *page = poppler_document_get_page (document, number);
  PopplerRectangle *rectangles = NULL;
  GList *attributes;
  guint n_rectangles = 0, i = 0, first = 0;
  PdfPage head = { 0, 0 };
  double width = 0, height = 0;
  char *text;
  Layout layout;

  if (page == NULL)
    return;
  poppler_page_get_size (page, &width, &height);
  head.width = (float) width;
  head.height = (float) height;
  put_frame ('P', &head, sizeof head, NULL, 0);
  text = poppler_page_get_text (page);
  if (text == NULL || *text == '\0' || !g_utf8_validate (text, -1, NULL)
      || !poppler_page_get_text_layout (page, &rectangles, &n_rectangles))
    {
      g_free (text);
      g_object_unref (page);
      return;
    }
  attributes = poppler_page_get_text_attributes (page);
  layout = (Layout){ rectangles, n_rectangles, attributes };
  for (const char *p = text, *from = text;; p = g_utf8_next_char (p), i++)
    if (*p == '\n' || *p == '\0')
      {
        if (p > from && (size_t) (p - from) < PDF_MAX_FRAME - sizeof (PdfLine))
          put_line (&layout, first, i, from);
        if (*p == '\0')
          break;
        from = p + 1;
        first = i + 1;
      }
  poppler_page_free_text_attributes (attributes);
  g_free (rectangles);
  g_free (text);
  g_object_unref (page);
}

/* ---- a document ---------------------------------------------------------------- */

static void
put_document (GBytes *bytes)
{
  GError *error = NULL;
  PopplerDocument *document = poppler_document_new_from_bytes (bytes, NULL, &error);
  int n_pages;

  if (document == NULL)
    {
      gboolean locked = g_error_matches (error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);

      put_failure (locked ? "encrypted" : "damaged",
                   locked ? "it needs a password to open; save it without one" : error->message);
      return;
    }
  put_text ('T', poppler_document_get_title (document));
  put_text ('A', poppler_document_get_author (document));
  put_date (poppler_document_get_modification_date (document));
  put_date (poppler_document_get_creation_date (document));
  if (!(poppler_document_get_permissions (document) & POPPLER_PERMISSIONS_OK_TO_COPY))
    put_frame ('N', NULL, 0, NULL, 0);
  n_pages = poppler_document_get_n_pages (document);
  if (n_pages <= 0)
    put_failure ("damaged", "it has no pages that can be found");
  for (int i = 0; i < n_pages; i++)
    put_page (document, i);
  put_frame ('E', NULL, 0, NULL, 0);
}

/* ---- walls --------------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define DENY(name)                                                                                 \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1),                                         \
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA))

static void
raise_walls (void)
{
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifdef ARCH
  static struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, arch)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    DENY (execve),
    DENY (execveat),
    DENY (socket),
    DENY (connect),
    DENY (bind),
    DENY (ptrace),
    DENY (process_vm_readv),
    DENY (process_vm_writev),
    DENY (unlinkat),
    DENY (mkdirat),
    DENY (renameat2),
    DENY (linkat),
    DENY (symlinkat),
    DENY (fchmodat),
    DENY (truncate),
#ifdef __NR_open
    DENY (unlink),
    DENY (rename),
    DENY (mkdir),
    DENY (rmdir),
    DENY (creat),
    DENY (fork),
    DENY (vfork),
#endif
    /* openat for anything but reading */
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[2])),
    BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  /* A kernel without it still has the limits. */
  prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
#endif
}

static void
limit (int what, rlim_t value)
{
  struct rlimit l = { value, value };

  setrlimit (what, &l);
}

static void
set_limits (const PdfRequest *request)
{
#if !defined(__SANITIZE_ADDRESS__)
  limit (RLIMIT_AS, (rlim_t) request->memory);
#endif
  limit (RLIMIT_CPU, request->seconds + 1);
  limit (RLIMIT_CORE, 0);
  limit (RLIMIT_FSIZE, 0);
  limit (RLIMIT_NOFILE, 64);
  alarm (request->seconds + 1);
}

static void
read_one (const PdfRequest *request, int in, int out)
{
  void *data;

  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  data = mmap (NULL, request->len, PROT_READ, MAP_PRIVATE, in, 0);
  if (data == MAP_FAILED)
    _exit (1);
  out_fd = out;
  buffer = g_malloc (BUFFER);
  set_limits (request);
  raise_walls ();
  put_document (g_bytes_new_static (data, request->len));
  drain ();
  _exit (0);
}

/* ---- requests -------------------------------------------------------------------- */

/* FALSE: the plugin has gone. */
static gboolean
receive (PdfRequest *request, int fds[2])
{
  struct iovec piece = { request, sizeof *request };
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (2 * sizeof (int))];
  } control;
  struct msghdr message = { .msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof control.room };
  struct cmsghdr *header;
  ssize_t n;

  do
    n = recvmsg (PDF_SOCKET, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  while (n < 0 && errno == EINTR);
  header = CMSG_FIRSTHDR (&message);
  if (n != sizeof *request || request->magic != PDF_MAGIC || header == NULL
      || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN (2 * sizeof (int)))
    return FALSE;
  memcpy (fds, CMSG_DATA (header), 2 * sizeof (int));
  return TRUE;
}

int
main (void)
{
  PdfRequest request;
  int fds[2];

  /* A group of its own, so that the plugin can end all of it. */
  setpgid (0, 0);
  signal (SIGPIPE, SIG_IGN);
  poppler_get_version ();
  while (receive (&request, fds))
    {
      pid_t child = fork ();
      int status = -1;

      if (child == 0)
        read_one (&request, fds[0], fds[1]);
      close (fds[0]);
      close (fds[1]);
      while (child > 0 && waitpid (child, &status, 0) < 0 && errno == EINTR)
        ;
      if (send (PDF_SOCKET, &status, sizeof status, MSG_NOSIGNAL) != sizeof status)
        break;
    }
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h: the servers of a crawl: what they allow, how often they may be asked, what waits for
 * them.
 *
 * A host here is an origin (scheme, name, port), for robots.txt belongs to
 * one (RFC 9309, 2.3); the pace belongs to the name, for behind two ports
 * stands one machine.
 */
#ifndef CRAWLER_HOSTS_H
#define CRAWLER_HOSTS_H

#include "frontier.h"
#include "net/url.h"
#include "robots.h"
#include "settings.h"
#include "store.h"

/** Skip: why a URL was not asked for (Url.why). */
typedef enum
{
  SKIP_NONE = 0,
  SKIP_ROBOTS,             /* robots.txt says no                                       */
  SKIP_ROBOTS_UNREACHABLE, /* nobody knows what it says: as if it said no (2.3.1.4)    */
  SKIP_HOST_DOWN,          /* too many failures in a row                               */
  SKIP_LIMIT               /* max_pages, max_time or max_bytes came first              */
} Skip;

/**
 * Pace: of a name.
 * @next_at: not before this moment of monotonic time
 * @active: requests under way
 * @failures: in a row
 */
typedef struct
{
  char *name;
  gint64 next_at;
  guint active;
  guint failures;
  gboolean down;
} Pace;

typedef enum
{
  ROBOTS_UNKNOWN = 0,
  ROBOTS_ASKED,
  ROBOTS_KNOWN,
  ROBOTS_UNREACHABLE
} RobotsState;

/**
 * Host:
 * @state, @robots: ROBOTS_KNOWN with NULL: everything is allowed (there is none)
 * @robots_until: real time until which they are believed
 * @robots_at: where they are being asked for, after redirects
 * @robots_why: ROBOTS_UNREACHABLE: what happened; @robots_fault: the NetFault
 * @first, @last: queue of URLs, chained by Url.next
 * @opened: its sitemaps were added and robots.txt archived
 */
typedef struct
{
  char *origin;
  Pace *pace;
  RobotsState state;
  Robots *robots;
  guint robots_status;
  gint64 robots_until;
  guint robots_tries, robots_hops;
  char *robots_at;
  char *robots_why;
  guint robots_fault;
  guint32 first, last;
  gboolean opened;
  gboolean in_list; /* of those with something to do */
  guint64 pages, bytes, rejected;
} Host;

typedef struct _Hosts Hosts;

Hosts *hosts_new (const Settings *settings, Frontier *frontier);
void hosts_free (Hosts *hosts);
/** hosts_of: the number of @url's host; a new one is made. */
guint32 hosts_of (Hosts *hosts, const NetUrl *url);
Host *hosts_get (Hosts *hosts, guint32 n);
guint hosts_size (const Hosts *hosts);

/** hosts_queue: URL @n waits for its host; @front: before the others (again after a failure). */
void hosts_queue (Hosts *hosts, guint32 n, gboolean front);
/** hosts_pop: the first that waits for @host; NO_URL. */
guint32 hosts_pop (Hosts *hosts, Host *host);
/** hosts_busy: hosts where something waits; those where nothing does are taken off the list now. */
GPtrArray *hosts_busy (Hosts *hosts);

/**
 * hosts_take_robots: what the last request for robots.txt brought.
 * @answer: final: not a redirect that is to be followed, not a failure that is to be tried again
 *
 * By RFC 9309, 2.3.1: 2xx is read, 4xx allows everything, anything else (5xx, no answer, 429)
 * forbids everything; what was known before from the same host is believed on when it cannot be
 * reached now.  24 hours (2.4).
 */
void hosts_take_robots (Host *host, const Answer *answer);
/** hosts_delay: microseconds to leave @host alone after a request that took @duration. */
gint64 hosts_delay (const Hosts *hosts, const Host *host, gint64 duration);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hosts, hosts_free)

#endif

#ifndef SPAN25_APP_FEED_STORE_H
#define SPAN25_APP_FEED_STORE_H
/* feed_store - STATE/feeds: the last set, the lists, what consumers have
 *
 *     lock        held by who makes sets: a live sensor's role feeds, else
 *                 `blocks export`
 *     set         the last set (feed_save): serials and the hour go on from it
 *     NAME.seen   a consumer's last fetch: time, serial, elements, digest
 *     NAME.set    the set that it fetched
 *     others      the lists, as feeds.lists names them
 *
 * Files are there whole or not at all. Only a live sensor's state has the
 * folder. */
#include "rules/feed/render.h"
#include "sensor/app/options.h"

#define FEED_STORE_NAME 32U /* bytes of a consumer's name, with its NUL */

/* "feeds.lists", the format of a consumer, and --format: "nft", "edl:paloalto",
 * "text". False: there is no such format. */
struct feed_kind {
    enum render_format format;
    enum render_vendor vendor; /* of RENDER_LIST */
};
MUST_USE bool feed_kind_read(struct span text, struct feed_kind *out);
/* All that it takes, for messages: "text, json, nft, ... or edl:paloalto". */
void feed_kind_words(struct buf *out);
/* "edl-paloalto.txt": a file's name. */
void feed_kind_file(const struct feed_kind *k, struct buf *out);

struct feed_limits feed_limits_of(const struct config *c);

struct feed_store {
    char *dir; /* STATE/feeds */
    int lock;  /* -1: not held */
};

/* Makes the folder and takes the lock. ERR_BUSY: another process makes the
 * lists; *out can be used to look. Others are told in why, one line. */
MUST_USE enum err feed_store_open(const char *state, struct feed_store *out,
                                  struct buf *why);
/* To look only; nothing is made. */
MUST_USE enum err feed_store_look(const char *state, struct feed_store *out);
void feed_store_close(struct feed_store *s);

/* The last set; ERR_NOENT: none yet. ERR_CORRUPT, ERR_FORMAT: it says nothing
 * and must not be built upon. */
MUST_USE enum err feed_store_last(const struct feed_store *s, const char *name,
                                  struct feed *out);
MUST_USE enum err feed_store_keep(const struct feed_store *s, const char *name,
                                  const struct feed *f);

/* A list, or a note; name is ours. */
MUST_USE enum err feed_store_put(const struct feed_store *s, const char *name,
                                 struct span text);
void feed_store_remove(const struct feed_store *s, const char *name);

/* What a consumer fetched last; when 0: nothing yet. */
struct feed_fetch {
    ns_t when;
    uint64_t serial, elements;
    char digest[FEED_DIGEST];
};
void feed_store_seen(const struct feed_store *s, const char *consumer,
                     struct feed_fetch *out);
MUST_USE enum err feed_store_see(const struct feed_store *s,
                                 const char *consumer,
                                 const struct feed_fetch *f);

#endif

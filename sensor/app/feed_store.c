#include "sensor/app/feed_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define PATH_BYTES 8192U
#define SET_BYTES  (512U << 20)
#define SEEN_BYTES 512U

/* ---- formats ---- */

static const struct {
    const char *word;
    struct feed_kind kind;
    const char *ending;
} kinds[] = {
    {"text",      {RENDER_LIST, RENDER_COMMENTED},  ".txt" },
    {"json",      {RENDER_JSON, RENDER_PLAIN},      ".json"},
    {"nft",       {RENDER_NFT, RENDER_PLAIN},       ".nft" },
    {"nft-rules", {RENDER_NFT_RULES, RENDER_PLAIN}, ".nft" },
    {"ipset",     {RENDER_IPSET, RENDER_PLAIN},     ".txt" },
    {"crowdsec",  {RENDER_CROWDSEC, RENDER_PLAIN},  ".json"},
    {"rbldnsd4",  {RENDER_RBLDNSD4, RENDER_PLAIN},  ".zone"},
    {"rbldnsd6",  {RENDER_RBLDNSD6, RENDER_PLAIN},  ".zone"},
};

bool
feed_kind_read(struct span text, struct feed_kind *out)
{
    const struct span edl = SPAN_LIT("edl:");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (span_eq(text, span_str(kinds[i].word))) {
            *out = kinds[i].kind;
            return true;
        }
    }
    for (unsigned v = 0; span_starts(text, edl) && v < RENDER_VENDOR_COUNT;
         v++) {
        const char *word = render_vendor_word((enum render_vendor)v);

        if (span_eq(span_tail(text, edl.n), span_str(word))) {
            *out = (struct feed_kind){RENDER_LIST, (enum render_vendor)v};
            return true;
        }
    }
    return false;
}

void
feed_kind_words(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", kinds[i].word);
    for (unsigned v = 0; v < RENDER_VENDOR_COUNT; v++)
        buf_printf(out, "%sedl:%s", v + 1 < RENDER_VENDOR_COUNT ? ", " : " or ",
                   render_vendor_word((enum render_vendor)v));
}

static bool
is_kind(const struct feed_kind *a, const struct feed_kind *b)
{
    return a->format == b->format &&
           (a->format != RENDER_LIST || a->vendor == b->vendor);
}

void
feed_kind_file(const struct feed_kind *k, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (is_kind(&kinds[i].kind, k)) {
            buf_printf(out, "%s%s", kinds[i].word, kinds[i].ending);
            return;
        }
    }
    buf_printf(out, "edl-%s.%s", render_vendor_word(k->vendor),
               k->vendor == RENDER_CHECKPOINT ? "csv" : "txt");
}

struct feed_limits
feed_limits_of(const struct config *c)
{
    struct feed_limits l = feed_limits_default;

    l.widest_v4 = c->feeds_widest4;
    l.widest_v6 = c->feeds_widest6;
    l.total = c->feeds_total;
    l.hour = c->feeds_hour;
    l.deadman_s = c->feeds_deadman / NS_PER_S;
    l.quality_permille = c->feeds_quality;
    return l;
}

/* ---- the folder ---- */

/* With its NUL; false: too long. */
static bool
path_of(const struct feed_store *s, const char *name, const char *ending,
        struct buf *out)
{
    buf_init(out, PATH_BYTES);
    buf_printf(out, "%s/%s%s%c", s->dir, name, ending, 0);
    return !out->cut && !out->failed;
}

enum err
feed_store_look(const char *state, struct feed_store *out)
{
    *out = (struct feed_store){.lock = -1};
    return asprintf(&out->dir, "%s/feeds", state) >= 0 ? ERR_OK : ERR_NOMEM;
}

static enum err
take_lock(struct feed_store *s, const char *path)
{
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return err_from_errno(errno);
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    (void)close(s->lock);
    s->lock = -1;
    return ERR_BUSY;
}

enum err
feed_store_open(const char *state, struct feed_store *out, struct buf *why)
{
    enum err e = feed_store_look(state, out);
    struct buf path;

    if (e != ERR_OK)
        return e;
    if (mkdir(out->dir, 0700) != 0 && errno != EEXIST)
        e = err_from_errno(errno);
    if (e == ERR_OK)
        e = path_of(out, "lock", "", &path) ? take_lock(out, (char *)path.p)
                                            : ERR_LIMIT;
    else
        buf_init(&path, 1);
    buf_free(&path);
    if (e != ERR_OK && e != ERR_BUSY) {
        text_term(why, span_str(out->dir));
        buf_printf(why, ": %s", err_text(e));
    }
    return e;
}

void
feed_store_close(struct feed_store *s)
{
    if (s->lock >= 0)
        (void)close(s->lock);
    free(s->dir);
    *s = (struct feed_store){.lock = -1};
}

/* ---- files ---- */

static enum err
put(const struct feed_store *s, const char *name, const char *ending,
    struct span text)
{
    struct buf path;
    int number = ENAMETOOLONG;

    if (path_of(s, name, ending, &path))
        number = whole_file_save((const char *)path.p, text);
    buf_free(&path);
    return number == 0 ? ERR_OK : err_from_errno(number);
}

static enum err
load(const struct feed_store *s, const char *name, const char *ending,
     size_t most, struct buf *out)
{
    struct buf path;
    int number = ENAMETOOLONG;

    if (path_of(s, name, ending, &path))
        number = whole_file_load((const char *)path.p, most, out);
    else
        buf_init(out, 1);
    buf_free(&path);
    return number == 0 ? ERR_OK : err_from_errno(number);
}

enum err
feed_store_last(const struct feed_store *s, const char *name, struct feed *out)
{
    const bool own = name == NULL;
    struct buf text;
    enum err e =
        load(s, own ? "set" : name, own ? "" : ".set", SET_BYTES, &text);

    *out = (struct feed){.n = 0};
    if (e == ERR_OK)
        e = feed_load(buf_view(&text), out);
    buf_free(&text);
    return e;
}

enum err
feed_store_keep(const struct feed_store *s, const char *name,
                const struct feed *f)
{
    const bool own = name == NULL;
    struct buf text;
    enum err e;

    buf_init(&text, SET_BYTES);
    e = feed_save(f, &text);
    if (e == ERR_OK && (text.cut || text.failed))
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = put(s, own ? "set" : name, own ? "" : ".set", buf_view(&text));
    buf_free(&text);
    return e;
}

enum err
feed_store_put(const struct feed_store *s, const char *name, struct span text)
{
    return put(s, name, "", text);
}

void
feed_store_remove(const struct feed_store *s, const char *name)
{
    struct buf path;

    if (path_of(s, name, "", &path))
        (void)unlink((const char *)path.p);
    buf_free(&path);
}

/* ---- what consumers have ---- */

/* The next word of a line, up to a space. */
static struct span
next_word(struct span *rest)
{
    const struct span word = span_head(*rest, span_find(*rest, ' '));

    *rest = span_tail(*rest, word.n + 1);
    return word;
}

void
feed_store_seen(const struct feed_store *s, const char *consumer,
                struct feed_fetch *out)
{
    struct span rest, digest;
    struct buf text;

    *out = (struct feed_fetch){.when = 0};
    if (load(s, consumer, ".seen", SEEN_BYTES, &text) == ERR_OK) {
        rest = span_head(buf_view(&text), span_find(buf_view(&text), '\n'));
        if (!span_to_u64(next_word(&rest), &out->when) ||
            !span_to_u64(next_word(&rest), &out->serial) ||
            !span_to_u64(next_word(&rest), &out->elements))
            out->when = 0;
        digest = span_head(rest, FEED_HASH);
        if (digest.n > 0)
            memcpy(out->digest, digest.p, digest.n);
    }
    buf_free(&text);
}

enum err
feed_store_see(const struct feed_store *s, const char *consumer,
               const struct feed_fetch *f)
{
    struct buf text;
    enum err e;

    buf_init(&text, SEEN_BYTES);
    buf_u64(&text, f->when);
    buf_putc(&text, ' ');
    buf_u64(&text, f->serial);
    buf_putc(&text, ' ');
    buf_u64(&text, f->elements);
    buf_printf(&text, " %s\n", f->digest);
    e = put(s, consumer, ".seen", buf_view(&text));
    buf_free(&text);
    return e;
}

#include "rules/feed/feed.h"

#include <stdlib.h>

#include "rules/feed/feed_seal.h"
#include "sensor/base/frame.h"

#define KIND     UINT64_C(0x3130646565663532) /* "25feed01" */
#define MOST     131072U                      /* of elements, and of an hour */
#define ITEM_MIN (16U + 2U + 2U * 8U + 4U * 8U)

enum err
feed_save(const struct feed *f, struct buf *out)
{
    const size_t at = out->n;

    frame_begin(out, KIND, 0);
    frame_u64(out, f->serial);
    frame_u64(out, f->made);
    frame_u64(out, f->expires);
    frame_u64(out, f->widest[0]);
    frame_u64(out, f->widest[1]);
    buf_put(out, f->digest, sizeof(f->digest));
    frame_u64(out, f->n_came);
    for (size_t i = 0; i < f->n_came; i++)
        frame_u64(out, f->came[i]);
    frame_u64(out, f->n);
    for (size_t i = 0; i < f->n; i++)
        feed_put_item(out, &f->v[i]);
    return frame_end(out, at);
}

/* ---- loading ---- */

static void
get_bytes(struct cursor *c, void *out, size_t n)
{
    const struct span s = cur_take(c, n);

    if (s.n > 0)
        memcpy(out, s.p, s.n);
}

/* A length that what is left can hold. */
static size_t
get_count(struct cursor *c, size_t most, size_t each)
{
    const uint64_t n = cur_le64(c);

    if (n > most || n * each > cur_left(c))
        c->bad = true;
    return c->bad ? 0 : (size_t)n;
}

static struct span
get_text(struct cursor *c, char **at)
{
    const size_t n = get_count(c, FEED_TEXT, 1);
    const struct span kept = span_of(*at, n);

    get_bytes(c, *at, n);
    *at += n;
    return kept;
}

static void
get_item(struct cursor *c, struct feed_item *i, char **at)
{
    uint8_t origin;

    get_bytes(c, i->prefix.addr.b, sizeof(i->prefix.addr.b));
    i->prefix.bits = cur_u8(c);
    origin = cur_u8(c);
    if (origin >= FEED_ORIGIN_COUNT)
        c->bad = true;
    i->origin = c->bad ? FEED_DETECTOR : (enum feed_origin)origin;
    i->since = cur_le64(c);
    i->until = cur_le64(c);
    i->reason = get_text(c, at);
    i->rule = get_text(c, at);
    i->evidence = get_text(c, at);
    i->site = get_text(c, at);
}

static bool
is_sound(const struct feed *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct permits_range r;

        if (!carve_is_whole(&f->v[i].prefix))
            return false;
        r = permits_range_of(&f->v[i].prefix);
        if (i + 1 < f->n && addr_cmp(&r.last, &f->v[i + 1].prefix.addr) >= 0)
            return false;
    }
    for (size_t i = 0; i < f->n_came; i++) {
        if (f->came[i] > f->made || (i > 0 && f->came[i - 1] > f->came[i]))
            return false;
    }
    return f->serial > 0 && f->expires >= f->made;
}

static enum err
get_came(struct cursor *c, struct feed *f)
{
    f->n_came = get_count(c, MOST, 8);
    f->came = calloc(f->n_came + 1, sizeof(*f->came));
    if (f->came == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < f->n_came; i++)
        f->came[i] = cur_le64(c);
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

static enum err
get_items(struct cursor *c, struct feed *f)
{
    const size_t n = get_count(c, MOST, ITEM_MIN);
    char *at = f->texts = malloc(cur_left(c) + 1);

    f->v = calloc(n + 1, sizeof(*f->v));
    if (f->v == NULL || f->texts == NULL)
        return ERR_NOMEM;
    for (; f->n < n && !c->bad; f->n++) {
        get_item(c, &f->v[f->n], &at);
        f->v[f->n].entry = f->n;
    }
    return c->bad || cur_left(c) > 0 ? ERR_CORRUPT : ERR_OK;
}

static enum err
get_all(struct cursor *c, struct feed *f)
{
    char digest[FEED_DIGEST];
    enum err e;

    f->serial = cur_le64(c);
    f->made = cur_le64(c);
    f->expires = cur_le64(c);
    f->widest[0] = cur_le64(c);
    f->widest[1] = cur_le64(c);
    get_bytes(c, f->digest, sizeof(f->digest));
    e = get_came(c, f);
    if (e == ERR_OK)
        e = get_items(c, f);
    if (e != ERR_OK)
        return e;
    if (!is_sound(f))
        return ERR_CORRUPT;
    if (!feed_digest(f, digest))
        return ERR_NOMEM;
    return memcmp(digest, f->digest, sizeof(digest)) == 0 ? ERR_OK
                                                          : ERR_CORRUPT;
}

enum err
feed_load(struct span saved, struct feed *out)
{
    struct cursor c;
    enum err e = frame_open(saved, KIND, 0, &c);

    *out = (struct feed){.n = 0};
    if (e != ERR_OK)
        return e;
    e = get_all(&c, out);
    if (e != ERR_OK)
        feed_fini(out);
    return e;
}

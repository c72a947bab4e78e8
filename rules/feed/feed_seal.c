#include "rules/feed/feed_seal.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "rules/feed/feed_screen.h"
#include "sensor/base/frame.h"
#include "sensor/base/text.h"

#define SHA256    32
#define CANON_MAX ((size_t)1 << 30)

/* ---- texts ---- */

static size_t
texts_of(const struct feed_entry *e)
{
    const struct span all[] = {e->reason, e->rule, e->evidence, e->site};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        n += span_head(all[i], FEED_TEXT).n;
    return n;
}

static struct span
keep_text(char **at, struct span s)
{
    struct span kept = span_head(s, FEED_TEXT);

    if (kept.n > 0)
        memcpy(*at, kept.p, kept.n);
    kept.p = (const uint8_t *)*at;
    *at += kept.n;
    return kept;
}

/* Pieces of one entry each have their own copy: they are few. */
static bool
keep_texts(const struct feed_in *in, struct feed *f)
{
    size_t n = 0;
    char *at;

    for (size_t i = 0; i < f->n; i++)
        n += texts_of(&in->entries[f->v[i].entry]);
    at = f->texts = malloc(n + 1);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < f->n; i++) {
        const struct feed_entry *e = &in->entries[f->v[i].entry];

        f->v[i].reason = keep_text(&at, e->reason);
        f->v[i].rule = keep_text(&at, e->rule);
        f->v[i].site = keep_text(&at, e->site);
        f->v[i].evidence =
            keep_text(&at, feed_is_hash(e->evidence) ? e->evidence : SPAN_NONE);
    }
    return true;
}

/* ---- digest ---- */

static void
put_text(struct buf *b, struct span s)
{
    frame_u64(b, s.n);
    buf_span(b, s);
}

void
feed_put_item(struct buf *b, const struct feed_item *i)
{
    buf_put(b, i->prefix.addr.b, sizeof(i->prefix.addr.b));
    buf_putc(b, i->prefix.bits);
    buf_putc(b, (uint8_t)i->origin);
    frame_u64(b, i->since);
    frame_u64(b, i->until);
    put_text(b, i->reason);
    put_text(b, i->rule);
    put_text(b, i->evidence);
    put_text(b, i->site);
}

bool
feed_digest(const struct feed *f, char out[FEED_DIGEST])
{
    uint8_t hash[SHA256];
    struct buf b, hex;
    bool done;

    buf_init(&b, CANON_MAX);
    buf_init(&hex, FEED_DIGEST);
    frame_u64(&b, f->n);
    for (size_t i = 0; i < f->n; i++)
        feed_put_item(&b, &f->v[i]);
    done = !b.cut && !b.failed &&
           EVP_Digest(b.p, b.n, hash, NULL, EVP_sha256(), NULL) == 1;
    if (done)
        text_hex(&hex, span_of(hash, sizeof(hash)));
    buf_putc(&hex, 0);
    done = done && hex.n == FEED_DIGEST && !hex.failed;
    if (done)
        memcpy(out, hex.p, hex.n);
    buf_free(&b);
    buf_free(&hex);
    return done;
}

bool
feed_seal(const struct feed_in *in, struct feed *f)
{
    f->made = in->now;
    f->expires = in->now + in->limits->deadman_s * NS_PER_S;
    f->widest[0] = in->limits->widest_v4;
    f->widest[1] = in->limits->widest_v6;
    if (!keep_texts(in, f) || !feed_digest(f, f->digest))
        return false;
    f->serial = 1;
    if (in->last != NULL)
        f->serial = in->last->serial + (memcmp(in->last->digest, f->digest,
                                               sizeof(f->digest)) != 0);
    return true;
}

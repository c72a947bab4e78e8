#include "rules/feed/readback.h"

#include <stdlib.h>

#include "rules/registry/permits_read.h"

#define LINES_MAX ((size_t)1 << 30)

struct ranges {
    struct permits_range *v;
    size_t n;
};

/* ---- text ---- */

static size_t
occurrences(struct span s, struct span want)
{
    size_t n = 0;

    for (size_t at = span_search(s, want); at < s.n;
         at = span_search(s, want)) {
        s = span_tail(s, at + want.n);
        n++;
    }
    return n;
}

/* The lines of our own sets; whether there is any, elements or not. */
static bool
keep_own(struct span text, struct buf *out)
{
    static const struct span heads[] = {
        SPAN_INIT("create span25-block-v4 "),
        SPAN_INIT("create span25-block-v6 "),
        SPAN_INIT("add span25-block-v4 "),
        SPAN_INIT("add span25-block-v6 "),
    };
    unsigned created = 0;

    while (text.n > 0) {
        const struct span line = span_head(text, span_find(text, '\n') + 1);

        for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
            if (!span_starts(line, heads[i]))
                continue;
            buf_span(out, line);
            created |= i < 2 ? 1U << i : 0;
        }
        text = span_tail(text, line.n);
    }
    return created == 3;
}

/* ipset's last line has an end: it is the one that is missing when cut. */
static enum err
read_ipset(struct span text, struct permits_list *l, size_t *ends,
           struct buf *messages)
{
    struct buf own;
    enum err e = ERR_FORMAT;

    buf_init(&own, LINES_MAX);
    *l = (struct permits_list){.n = 0};
    if (!keep_own(text, &own) || (text.n > 0 && text.p[text.n - 1] != '\n'))
        buf_str(messages, "ipset: a set of ours, or the end, is missing\n");
    else if (own.cut || own.failed)
        e = ERR_NOMEM;
    else
        e = permits_read(buf_view(&own), "ipset", l, messages);
    *ends = 0;
    for (struct span s = buf_view(&own); s.n > 0;
         s = span_tail(s, span_find(s, '\n') + 1)) {
        const struct span line = span_head(s, span_find(s, '\n'));
        const struct span quoted = span_tail(line, span_find(line, '"'));
        const size_t at = span_search(line, SPAN_LIT(" timeout "));

        *ends += span_starts(line, SPAN_LIT("add ")) &&
                 at < line.n - quoted.n && span_at(line, at + 9) != '0';
    }
    buf_free(&own);
    return e;
}

/* A quote within a text has a backslash before it, so the key is no text. */
static enum err
read_nft(struct span text, struct permits_list *l, size_t *ends,
         struct buf *messages)
{
    *l = (struct permits_list){.n = 0};
    *ends = occurrences(text, SPAN_LIT("\"expires\":"));
    if (span_at(text, 0) != '{' ||
        occurrences(text, SPAN_LIT("\"name\": \"blk4\"")) != 1 ||
        occurrences(text, SPAN_LIT("\"name\": \"blk6\"")) != 1) {
        buf_str(messages, "nft: not both sets are there\n");
        return ERR_FORMAT;
    }
    return permits_read(text, "nft", l, messages);
}

/* ---- comparing ---- */

static bool
take_ranges(const struct feed *f, const struct permits_list *l,
            struct ranges *set, struct ranges *found)
{
    set->v = calloc(f->n + 1, sizeof(*set->v));
    found->v = calloc(l->n + 1, sizeof(*found->v));
    if (set->v == NULL || found->v == NULL)
        return false;
    for (; set->n < f->n; set->n++)
        set->v[set->n] = permits_range_of(&f->v[set->n].prefix);
    for (; found->n < l->n; found->n++)
        found->v[found->n] = l->v[found->n].range;
    set->n = permits_join(set->v, set->n);
    found->n = permits_join(found->v, found->n);
    return true;
}

static bool
compare(const struct feed *f, const struct permits_list *l, ns_t until,
        struct readback *out)
{
    struct ranges set = {0}, found = {0};
    const bool done = take_ranges(f, l, &set, &found);

    for (size_t i = 0; i < f->n && done; i++) {
        const struct permits_range r = permits_range_of(&f->v[i].prefix);

        if (feed_end(f, &f->v[i]) <= until)
            continue;
        out->want++;
        out->missing += !permits_covers(found.v, found.n, &r);
    }
    for (size_t i = 0; i < l->n && done; i++)
        out->extra += !permits_covers(set.v, set.n, &l->v[i].range);
    free(set.v);
    free(found.v);
    return done;
}

enum err
readback(const struct feed *f, const struct readback_in *in,
         struct readback *out, struct buf *messages)
{
    const ns_t until = in->now + in->slack_s * NS_PER_S;
    struct readback r = {0};
    struct permits_list l;
    size_t ends;
    enum err e = in->kind == READBACK_NFT
                     ? read_nft(in->text, &l, &ends, messages)
                     : read_ipset(in->text, &l, &ends, messages);

    if (e == ERR_OK && (l.full || l.faulty > 0))
        e = ERR_FORMAT;
    if (e == ERR_OK && !compare(f, &l, until, &r))
        e = ERR_NOMEM;
    r.found = l.n;
    r.endless = ends < l.n ? l.n - ends : 0;
    permits_list_fini(&l);
    if (e == ERR_OK)
        *out = r;
    return e;
}

#ifndef SPAN25_RULES_FEED_FEED_TEST_KIT_H
#define SPAN25_RULES_FEED_FEED_TEST_KIT_H
/* feed_test_kit - decisions and sets in few words, for tests */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/feed/feed.h"

#define KIT_NOW  (UINT64_C(1795410000) * NS_PER_S) /* 2026-11-23T05:00:00Z */
#define KIT_MANY 64
#define KIT_HASH                                                               \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct kit {
    struct feed_entry entries[KIT_MANY];
    struct feed_never never[KIT_MANY];
    struct feed_limits limits;
    struct feed_in in;
    struct feed f;
};

static inline void
kit_init(struct kit *k)
{
    *k = (struct kit){.limits = feed_limits_default};
    k->limits.hour = 100;
    k->in = (struct feed_in){.entries = k->entries,
                             .never = k->never,
                             .never_known = true,
                             .quality_permille = 1000,
                             .limits = &k->limits,
                             .now = KIT_NOW};
}

static inline struct prefix
kit_prefix(const char *text)
{
    struct prefix p;

    if (!prefix_parse(span_str(text), &p))
        fail_msg("no prefix: %s", text);
    return p;
}

/* A detector's decision of ten minutes ago. */
static inline struct feed_entry *
kit_add(struct kit *k, const char *prefix, uint64_t left_s)
{
    struct feed_entry *e = &k->entries[k->in.n++];

    *e = (struct feed_entry){
        .prefix = kit_prefix(prefix),
        .since = KIT_NOW - 600 * NS_PER_S,
        .until = KIT_NOW + left_s * NS_PER_S,
        .origin = FEED_DETECTOR,
        .reason = SPAN_LIT("41 of 97 first contacts refused"),
        .rule = SPAN_LIT("s1"),
        .evidence = SPAN_LIT(KIT_HASH),
        .site = SPAN_LIT("A"),
    };
    return e;
}

static inline void
kit_never(struct kit *k, const char *prefix, unsigned kind)
{
    const struct prefix p = kit_prefix(prefix);

    k->never[k->in.n_never++] =
        (struct feed_never){permits_range_of(&p), (uint8_t)kind};
}

/* "10.0.0.1/32 10.0.0.2/31", as far as it goes. */
static inline void
kit_text(const struct feed *f, char *out, size_t n)
{
    struct buf b;

    buf_init(&b, n - 1);
    for (size_t i = 0; i < f->n; i++) {
        if (i > 0)
            buf_putc(&b, ' ');
        prefix_format(&f->v[i].prefix, &b);
    }
    memset(out, 0, n);
    if (b.n > 0)
        memcpy(out, b.p, b.n);
    buf_free(&b);
}

#endif

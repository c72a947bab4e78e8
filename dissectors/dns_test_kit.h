#ifndef SPAN25_DISSECTORS_DNS_TEST_KIT_H
#define SPAN25_DISSECTORS_DNS_TEST_KIT_H
/* dns_test_kit - DNS messages in words
 *
 *   head:FLAGS:N:N:N:N   hexadecimal, with an identification of 0x1234
 *   name:a.b             labels and the root       part:a.b   without the root
 *   [ ... ]              a length of two bytes, and what it counts
 *   fill:N               N records of TXT, class IN, of the root, empty
 *   anything else        bytes in hexadecimal */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/dns.h"

struct dns_kit {
    uint8_t b[65536];
    size_t n;
    size_t open; /* where the length of [ stands */
};

static inline void
dns_kit_hex(struct dns_kit *k, const char *hex, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        char two[3] = {hex[i], hex[i + 1], 0};

        assert_true(k->n < sizeof(k->b));
        k->b[k->n++] = (uint8_t)strtoul(two, NULL, 16);
    }
}

static inline void
dns_kit_labels(struct dns_kit *k, struct span name)
{
    while (name.n > 0) {
        size_t n = span_find(name, '.');

        k->b[k->n++] = (uint8_t)n;
        memcpy(k->b + k->n, name.p, n);
        k->n += n;
        name = span_tail(name, n + 1);
    }
}

static inline void
dns_kit_head(struct dns_kit *k, const char *word)
{
    unsigned v[5] = {0};
    char hex[25];

    assert_int_equal(
        sscanf(word, "head:%x:%x:%x:%x:%x", &v[0], &v[1], &v[2], &v[3], &v[4]),
        5);
    (void)snprintf(hex, sizeof(hex), "1234%04x%04x%04x%04x%04x", v[0] & 0xffff,
                   v[1] & 0xffff, v[2] & 0xffff, v[3] & 0xffff, v[4] & 0xffff);
    dns_kit_hex(k, hex, 24);
}

static inline void
dns_kit_word(struct dns_kit *k, struct span w)
{
    char text[2048];

    assert_true(w.n < sizeof(text));
    memcpy(text, w.p, w.n);
    text[w.n] = 0;
    if (span_starts(w, SPAN_LIT("head:"))) {
        dns_kit_head(k, text);
    } else if (span_starts(w, SPAN_LIT("name:"))) {
        dns_kit_labels(k, span_tail(w, 5));
        k->b[k->n++] = 0;
    } else if (span_starts(w, SPAN_LIT("part:"))) {
        dns_kit_labels(k, span_tail(w, 5));
    } else if (span_starts(w, SPAN_LIT("fill:"))) {
        for (long i = strtol(text + 5, NULL, 10); i > 0; i--)
            dns_kit_hex(k, "0000100001000000000000", 22);
    } else if (text[0] == '[') {
        k->open = k->n;
        k->n += 2;
    } else if (text[0] == ']') {
        k->b[k->open] = (uint8_t)((k->n - k->open - 2) >> 8);
        k->b[k->open + 1] = (uint8_t)(k->n - k->open - 2);
    } else {
        dns_kit_hex(k, text, w.n);
    }
}

static inline struct span
dns_kit_build(struct dns_kit *k, const char *words)
{
    struct span left = span_str(words);

    k->n = 0;
    while (left.n > 0) {
        size_t n = span_find(left, ' ');

        if (n > 0)
            dns_kit_word(k, span_head(left, n));
        left = span_tail(left, n + 1);
    }
    return span_of(k->b, k->n);
}

/* 10.0.0.0/8 and 2001:db8::/32 are at home. */
static inline bool
dns_kit_is_home(void *ctx, const struct addr *a)
{
    (void)ctx;
    return addr_is_v4(a) ? a->b[12] == 10
                         : a->b[0] == 0x20 && a->b[1] == 1 && a->b[2] == 0xd &&
                               a->b[3] == 0xb8;
}

static const struct dns_home dns_kit_home = {dns_kit_is_home, NULL};

#endif

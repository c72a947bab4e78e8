#include "rules/registry/prefix_map.h"

#include "sensor/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SET_MAX 4096

struct set {
    struct prefix_item items[SET_MAX];
    size_t n;
    uint64_t random;
};

static uint64_t
next(struct set *s)
{
    s->random = hash_mix(s->random, 1);
    return s->random;
}

static struct addr
cut_to(struct addr a, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        a.b[i / 8] = (uint8_t)(a.b[i / 8] & ~(0x80U >> (i % 8)));
    return a;
}

static void
add(struct set *s, struct addr a, unsigned bits)
{
    REQUIRE(s->n < SET_MAX);
    s->items[s->n] = (struct prefix_item){
        {cut_to(a, bits), (uint8_t)bits},
        (uint32_t)(s->n + 7)
    };
    s->n++;
}

static void
add_text(struct set *s, const char *text)
{
    struct prefix p;

    REQUIRE(prefix_parse(span_str(text), &p));
    add(s, p.addr, p.bits);
}

static struct addr
random_addr(struct set *s, bool v4)
{
    struct addr a;
    uint64_t words[2] = {next(s), next(s)};

    memcpy(a.b, words, 16);
    return v4 ? addr_v4(a.b) : a;
}

/* The address before (after) all of a prefix; wraps around. */
static struct addr
beside(const struct prefix *p, bool after)
{
    struct addr a = p->addr;
    unsigned carry = 1;

    for (unsigned i = p->bits; after && i < 128; i++)
        a.b[i / 8] = (uint8_t)(a.b[i / 8] | 0x80U >> (i % 8));
    for (unsigned i = 16; i-- > 0 && carry;) {
        a.b[i] = (uint8_t)(after ? a.b[i] + 1 : a.b[i] - 1);
        carry = a.b[i] == (after ? 0 : 0xff);
    }
    return a;
}

/* ---- the naive answer ---- */

static bool
same(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

/* Values of all prefixes that hold a, longest first; equal ones once. */
static size_t
naive(const struct set *s, const struct addr *a, uint32_t values[129])
{
    uint32_t first[129];
    size_t n = 0;

    memset(first, 0xff, sizeof(first));
    for (size_t i = 0; i < s->n; i++) {
        const struct prefix_item *it = &s->items[i];

        if (first[it->prefix.bits] == PREFIX_MAP_NONE &&
            prefix_has(&it->prefix, a))
            first[it->prefix.bits] = it->value;
    }
    for (unsigned bits = 129; bits-- > 0;) {
        if (first[bits] != PREFIX_MAP_NONE)
            values[n++] = first[bits];
    }
    return n;
}

static size_t
naive_doubles(const struct set *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        size_t k = 0;

        while (!same(&s->items[k].prefix, &s->items[i].prefix))
            k++;
        n += k < i;
    }
    return n;
}

static void
assert_same(const struct set *s, const struct prefix_map *m, struct addr a,
            const char *why)
{
    uint32_t want[129];
    size_t n = naive(s, &a, want);
    uint32_t place = prefix_map_find(m, &a);
    size_t i = 0;

    for (; place != PREFIX_MAP_NONE; place = prefix_map_outer(m, place)) {
        if (i >= n || prefix_map_value(m, place) != want[i])
            break;
        i++;
    }
    if (place != PREFIX_MAP_NONE || i != n) {
        char text[ADDR_TEXT_MAX];

        fail_msg("%s: %.*s: answer %zu of %zu differs", why,
                 (int)addr_format(&a, text), text, i, n);
    }
}

static void
check_found(const struct set *s, const struct prefix_map *m, const char *why)
{
    struct set random = {.random = 99};

    for (size_t i = 0; i < s->n; i++) {
        const struct prefix *p = &s->items[i].prefix;
        struct addr a = random_addr(&random, false);

        for (unsigned bit = 0; bit < p->bits; bit++) {
            unsigned mask = 0x80U >> (bit % 8);

            a.b[bit / 8] =
                (uint8_t)((a.b[bit / 8] & ~mask) | (p->addr.b[bit / 8] & mask));
        }
        assert_same(s, m, a, why);
        assert_same(s, m, p->addr, why);
        assert_same(s, m, beside(p, false), why);
        assert_same(s, m, beside(p, true), why);
    }
    for (unsigned i = 0; i < 50; i++)
        assert_same(s, m, random_addr(&random, i % 2 == 0), why);
}

/* What is written beside each prefix stays, and disturbs nothing. */
static void
check_wide(const struct set *s, const char *why)
{
    static const uint8_t zero[PREFIX_MAP_BESIDE];
    struct prefix_map *m = NULL;

    assert_int_equal(prefix_map_new_wide(s->items, s->n, &m), ERR_OK);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < s->n; i++) {
            uint32_t place = prefix_map_find(m, &s->items[i].prefix.addr);
            uint8_t want[PREFIX_MAP_BESIDE];
            uint8_t *p = prefix_map_beside(m, place);
            uint32_t value = prefix_map_value(m, place);

            memset(want, 0xff, sizeof(want));
            memcpy(want, &value, sizeof(value));
            if (round == 0 && memcmp(p, zero, sizeof(zero)) == 0)
                memcpy(p, want, sizeof(want));
            assert_memory_equal(p, want, sizeof(want));
        }
        check_found(s, m, why);
    }
    prefix_map_free(m);
}

static void
check(const struct set *s, const char *why)
{
    struct prefix_map *m = NULL;
    size_t doubles = 12345;

    assert_int_equal(prefix_map_new(s->items, s->n, &m, &doubles), ERR_OK);
    assert_int_equal(doubles, naive_doubles(s));
    check_found(s, m, why);
    prefix_map_free(m);
    check_wide(s, why);
}

/* ---- sets ---- */

static const char *const around_mapped[] = {
    "::/0",          "::/1",        "::/80",
    "::/95",         "::/96",       "::fffe:0:0/95",
    "::fffe:0:0/96", "0.0.0.0/0",   "0.0.0.0/1",
    "::1:0:0:0/96",  "128.0.0.0/1", "255.255.255.255",
    "0.0.0.0",       "::",          "::/128",
    "0.0.0.0/32",    "ffff::/16",   "::/64",
    "10.0.0.0/8",    "::a00:0/104",
};

static void
make_mapped(struct set *s)
{
    for (size_t i = 0; i < ARRAY_LEN(around_mapped); i++)
        add_text(s, around_mapped[i]);
}

static void
make_nothing(struct set *s)
{
    (void)s;
}

static void
make_nest_v6(struct set *s)
{
    struct addr a = random_addr(s, false);

    for (unsigned bits = 0; bits <= 128; bits++)
        add(s, a, bits);
}

static void
make_nest_v4(struct set *s)
{
    struct addr a = random_addr(s, true);

    for (unsigned bits = 128; bits >= 96; bits--)
        add(s, a, bits);
}

/* Many chains, each without some of its lengths. */
static void
make_broken_nests(struct set *s)
{
    for (unsigned chain = 0; chain < 12; chain++) {
        bool v4 = chain % 2 == 0;
        struct addr a = random_addr(s, v4);

        for (unsigned bits = v4 ? 96 : 0; bits <= 128; bits++) {
            if (next(s) % 3 != 0)
                add(s, a, bits);
        }
    }
}

static void
make_adjacent(struct set *s)
{
    for (unsigned i = 0; i < 300; i++)
        add(s,
            addr_v4((uint8_t[4]){10, 0, (uint8_t)(i >> 4), (uint8_t)(i << 4)}),
            124);
    for (unsigned i = 0; i < 256; i++)
        add(s, addr_v4((uint8_t[4]){10, 0, 0, (uint8_t)i}), 128);
}

static void
make_doubles(struct set *s)
{
    for (unsigned i = 0; i < 90; i++)
        add(s, addr_v4((uint8_t[4]){192, 0, 2, (uint8_t)(i % 9)}), 120 + i % 5);
}

static void
make_random(struct set *s)
{
    for (unsigned i = 0; i < 500; i++) {
        bool v4 = next(s) % 2 == 0;
        struct addr a = random_addr(s, v4);

        /* Few first bits, so that they nest. */
        a.b[v4 ? 12 : 0] &= 1;
        a.b[v4 ? 13 : 1] &= 1;
        add(s, a, (unsigned)(v4 ? 96 + next(s) % 33 : next(s) % 129));
    }
}

/* As many lengths as are probed in one round, one less and one more. */
static void
make_lengths(struct set *s, unsigned n)
{
    for (unsigned i = 0; i < 20 * n; i++)
        add(s, random_addr(s, true), 128 - i % n);
}

static void
make_lengths_11(struct set *s)
{
    make_lengths(s, 11);
}

static void
make_lengths_12(struct set *s)
{
    make_lengths(s, 12);
}

static void
make_lengths_13(struct set *s)
{
    make_lengths(s, 13);
}

static const struct {
    const char *why;
    void (*make)(struct set *s);
} sets[] = {
    {"no prefix at all",                make_nothing     },
    {"around the mapped addresses",     make_mapped      },
    {"nested /0 to /128",               make_nest_v6     },
    {"nested 0.0.0.0/0 to /32",         make_nest_v4     },
    {"nested, lengths missing",         make_broken_nests},
    {"adjacent",                        make_adjacent    },
    {"doubles: the first counts",       make_doubles     },
    {"random",                          make_random      },
    {"one length less than in a round", make_lengths_11  },
    {"lengths of one round",            make_lengths_12  },
    {"one length more than in a round", make_lengths_13  },
};

static void
finds_as_naive_search(void **state)
{
    struct set *s = malloc(sizeof(*s));

    (void)state;
    assert_non_null(s);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            s->n = 0;
            s->random = seed;
            sets[i].make(s);
            check(s, sets[i].why);
        }
    }
    free(s);
}

static void
host_bits_do_not_count(void **state)
{
    struct prefix_item item = {
        {addr_v4((uint8_t[4]){192, 0, 2, 77}), 120},
        5
    };
    struct addr a = addr_v4((uint8_t[4]){192, 0, 2, 1});
    struct prefix_map *m = NULL;

    (void)state;
    assert_int_equal(prefix_map_new(&item, 1, &m, NULL), ERR_OK);
    assert_int_equal(prefix_map_value(m, prefix_map_find(m, &a)), 5);
    prefix_map_free(m);
}

static void
refuses_too_many(void **state)
{
    struct prefix_map *m = NULL;
    struct prefix_item none = {0};

    (void)state;
    /* Refused before the items are looked at. */
    assert_int_equal(
        prefix_map_new(&none, (size_t)PREFIX_MAP_MAX + 1, &m, NULL), ERR_LIMIT);
    assert_null(m);
    prefix_map_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_as_naive_search),
        cmocka_unit_test(host_bits_do_not_count),
        cmocka_unit_test(refuses_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/host/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/record_kit.h"

#define MINUTE ((ns_t)60 * 1000000000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  ((ns_t)1700006400 * 1000000000) /* a whole hour */

#define CLIENT   "10.20.1.7"
#define RESOLVER "10.20.0.53"

static struct names *
fresh(void)
{
    struct names *n;

    assert_int_equal(names_new(7, &n), ERR_OK);
    return n;
}

static void
dns(struct names *n, ns_t when, const char *client, const char *type,
    const char *name, const char *answer)
{
    char text[1024];
    struct kit k;

    (void)snprintf(text, sizeof(text),
                   "src_ip=%s;dest_ip=" RESOLVER ";dns.rrname=%s;"
                   "dns.rrtype=%s;dns.rcode=NOERROR%s%s",
                   client, name, type, answer != NULL ? ";dns.answers=" : "",
                   answer != NULL ? answer : "");
    kit_init(&k);
    names_event(n, kit_event(&k, EVENT_DNS, when, text));
    kit_free(&k);
}

static struct addr
addr_of(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static bool
has_name(const struct names *n, const char *addr, const char *name, ns_t now)
{
    struct addr a = addr_of(addr);

    return span_eq(names_of(n, &a, now), span_str(name)) ||
           (*name != 0 && names_is(n, &a, span_str(name), now));
}

#define PTR4 "10.1.20.10.in-addr.arpa"
#define PTR6                                                                   \
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.5.2.d.f.ip6.arpa"

/* clang-format off */
static const struct {
    const char *why;
    struct { const char *type, *name, *answer; } said[3];
    const char *addr, *name; /* confirmed */
} rows[] = {
    {"reverse, then forward", {{"PTR", PTR4, "a.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", "a.example"},
    {"forward, then reverse", {{"A", "a.example", "10.20.1.10"},
        {"PTR", PTR4, "a.example"}}, "10.20.1.10", "a.example"},
    {"IPv6", {{"PTR", PTR6, "a.example"},
        {"AAAA", "a.example", "fd25:20::1"}}, "fd25:20::1", "a.example"},
    {"case and last dot", {{"PTR", "10.1.20.10.IN-ADDR.ARPA.", "A.Example."},
        {"A", "a.EXAMPLE", "10.20.1.10"}}, "10.20.1.10", "a.example"},
    {"reverse alone", {{"PTR", PTR4, "a.example"}}, "10.20.1.10", ""},
    {"forward alone", {{"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"forward to another", {{"PTR", PTR4, "a.example"},
        {"A", "a.example", "10.20.1.11"}}, "10.20.1.10", ""},
    {"reverse to another", {{"PTR", PTR4, "b.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"an answer without an address", {{"PTR", PTR4, "a.example"},
        {"A", "a.example", "nonsense"}}, "10.20.1.10", ""},
    {"three octets", {{"PTR", "1.20.10.in-addr.arpa", "a.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"five octets", {{"PTR", "9.10.1.20.10.in-addr.arpa", "a.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"octet above 255", {{"PTR", "266.1.20.10.in-addr.arpa", "a.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"not the zone", {{"PTR", "10.1.20.10xin-addr.arpa", "a.example"},
        {"A", "a.example", "10.20.1.10"}}, "10.20.1.10", ""},
    {"31 nibbles", {{"PTR", "0.0.ip6.arpa", "a.example"},
        {"AAAA", "a.example", "::"}}, "::", ""},
    {"empty names", {{"PTR", PTR4, "."}, {"A", ".", "10.20.1.10"}},
        "10.20.1.10", ""},
};
/* clang-format on */

static void
confirms_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct names *n = fresh();

        for (size_t k = 0; k < 3 && rows[i].said[k].type != NULL; k++)
            dns(n, START, CLIENT, rows[i].said[k].type, rows[i].said[k].name,
                rows[i].said[k].answer);
        if (!has_name(n, rows[i].addr, rows[i].name, START))
            fail_msg("%s", rows[i].why);
        if (*rows[i].name == 0 && has_name(n, rows[i].addr, "a.example", START))
            fail_msg("%s: none expected", rows[i].why);
        names_free(n);
    }
}

static void
forgets_after_thirty_days(void **state)
{
    struct names *n = fresh();
    ns_t end = START + NAMES_DAYS * DAY;

    (void)state;
    dns(n, START, CLIENT, "PTR", PTR4, "a.example");
    dns(n, START + DAY, CLIENT, "A", "a.example", "10.20.1.10");
    assert_true(has_name(n, "10.20.1.10", "a.example", end - 1));
    assert_true(has_name(n, "10.20.1.10", "a.example", end));
    assert_false(has_name(n, "10.20.1.10", "a.example", end + 1));
    /* the reverse answer again: good for what is left of the forward one */
    dns(n, end + 1, CLIENT, "PTR", PTR4, "a.example");
    assert_true(has_name(n, "10.20.1.10", "a.example", end + DAY));
    assert_false(has_name(n, "10.20.1.10", "a.example", end + DAY + 1));
    names_free(n);
}

static void
takes_names_that_cannot_be_shown(void **state)
{
    char name[NAMES_TEXT + 2];
    struct addr a = addr_of("10.20.1.10");

    (void)state;
    for (size_t len = NAMES_TEXT - 1; len <= NAMES_TEXT + 1; len++) {
        struct names *n = fresh();

        memset(name, 'a', len);
        name[len] = 0;
        dns(n, START, CLIENT, "PTR", PTR4, name);
        dns(n, START, CLIENT, "A", name, "10.20.1.10");
        assert_true(names_is(n, &a, span_str(name), START));
        assert_int_equal(names_of(n, &a, START).n, len <= NAMES_TEXT ? len : 0);
        assert_int_equal(names_counts(n).too_long, len > NAMES_TEXT);
        names_free(n);
    }
}

static uint32_t
mx_of(const struct names *n, const char *client, ns_t now)
{
    struct addr a = addr_of(client);
    uint32_t count = 0;

    assert_true(names_mx(n, &a, now, &count));
    return count;
}

static void
ask(struct names *n, ns_t when, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "d%u.example", i);
        dns(n, when, CLIENT, "MX", name, NULL);
    }
}

static void
counts_lookups_within_an_hour(void **state)
{
    struct names *n = fresh();

    (void)state;
    ask(n, START, 0, 8);
    ask(n, START + MINUTE, 0, 8); /* the same again */
    dns(n, START, CLIENT, "MX", "D1.EXAMPLE.", NULL);
    dns(n, START, CLIENT, "A", "other.example", "10.20.1.10");
    assert_int_equal(mx_of(n, CLIENT, START + MINUTE), 8);
    assert_int_equal(mx_of(n, "10.20.9.9", START), 0);
    /* of the hour before, what is left of it */
    assert_int_equal(mx_of(n, CLIENT, START + HOUR), 8);
    assert_int_equal(mx_of(n, CLIENT, START + HOUR + HOUR / 2), 4);
    assert_int_equal(mx_of(n, CLIENT, START + 2 * HOUR - 1), 0);
    assert_int_equal(mx_of(n, CLIENT, START + 2 * HOUR), 0);
    /* the same domains in the next hour are the same */
    ask(n, START + HOUR, 4, 10);
    assert_int_equal(mx_of(n, CLIENT, START + HOUR), 10);
    assert_int_equal(mx_of(n, CLIENT, START + HOUR + HOUR / 2), 8);
    /* an hour of silence */
    ask(n, START + 3 * HOUR, 0, 1);
    assert_int_equal(mx_of(n, CLIENT, START + 3 * HOUR), 1);
    names_free(n);
}

static void
estimates_many_lookups(void **state)
{
    (void)state;
    for (unsigned want = NAMES_MX_EXACT - 1; want <= NAMES_MX_EXACT; want++) {
        struct names *n = fresh();

        ask(n, START, 0, want);
        assert_int_equal(mx_of(n, CLIENT, START), want);
        names_free(n);
    }
    for (unsigned want = NAMES_MX_EXACT + 1; want < 20000; want *= 3) {
        struct names *n = fresh();
        uint32_t got;

        ask(n, START, 0, want);
        got = mx_of(n, CLIENT, START);
        assert_in_range(got, NAMES_MX_EXACT + 1, want * 3 / 2 + 2);
        assert_true(got >= want * 6 / 10);
        names_free(n);
    }
}

static void
leaves_resolvers_out(void **state)
{
    struct names *n = fresh();
    struct addr r = addr_of(RESOLVER);
    struct addr c = addr_of(CLIENT);
    ns_t end = START + NAMES_RESOLVER_DAYS * DAY;
    uint32_t count = 77;

    (void)state;
    assert_false(names_observed(n));
    assert_false(names_mx(n, &c, START, &count));
    dns(n, START, CLIENT, "MX", "a.example", NULL);
    assert_true(names_observed(n));
    assert_false(names_mx(n, &r, START, &count));
    assert_false(names_mx(n, &r, end, &count));
    assert_int_equal(count, 77);
    assert_true(names_mx(n, &r, end + 1, &count));
    names_free(n);
}

static void
stays_within_its_tables(void **state)
{
    struct names *n = fresh();
    uint64_t before = names_counts(n).memory_bytes;

    (void)state;
    dns(n, START, CLIENT, "PTR", PTR4, "a.example");
    dns(n, START, CLIENT, "A", "a.example", "10.20.1.10");
    for (unsigned i = 0; i < 2 * NAMES_FACTS; i++) {
        char name[64], client[32];

        (void)snprintf(name, sizeof(name), "%u.%u.%u.77.in-addr.arpa", i & 255U,
                       i >> 8 & 255U, i >> 16 & 255U);
        (void)snprintf(client, sizeof(client), "78.%u.%u.%u", i >> 16 & 255U,
                       i >> 8 & 255U, i & 255U);
        dns(n, START + 1, client, i % 2 ? "PTR" : "MX", name, "b.example");
    }
    assert_true(names_counts(n).evicted > 0);
    assert_int_equal(names_counts(n).memory_bytes, before);
    /* the flood drove out what was said of it, not what was confirmed */
    assert_true(has_name(n, "10.20.1.10", "a.example", START));
    names_free(n);
}

static void
restores_what_it_knew(void **state)
{
    struct names *n = fresh(), *back = fresh(), *other;
    struct buf b, again;

    (void)state;
    buf_init(&b, 1U << 28);
    buf_init(&again, 1U << 28);
    dns(n, START, CLIENT, "PTR", PTR4, "a.example");
    dns(n, START, CLIENT, "A", "a.example", "10.20.1.10");
    ask(n, START, 0, 5);
    assert_int_equal(names_save(n, &b), ERR_OK);
    assert_int_equal(names_load(back, buf_view(&b)), ERR_OK);
    assert_true(has_name(back, "10.20.1.10", "a.example", START));
    assert_int_equal(mx_of(back, CLIENT, START), 5);
    ask(n, START, 3, 9);
    ask(back, START, 3, 9);
    buf_reset(&b);
    assert_int_equal(names_save(n, &b), ERR_OK);
    assert_int_equal(names_save(back, &again), ERR_OK);
    assert_true(span_eq(buf_view(&b), buf_view(&again)));
    assert_int_equal(names_new(8, &other), ERR_OK);
    assert_int_equal(names_load(other, buf_view(&b)), ERR_FORMAT);
    for (size_t i = 0; i < b.n; i += i < 200 ? 1 : b.n / 50) {
        b.p[i] ^= 1;
        assert_true(names_load(back, buf_view(&b)) != ERR_OK);
        b.p[i] ^= 1;
        assert_true(names_load(back, span_head(buf_view(&b), i)) != ERR_OK);
    }
    /* nothing was taken over */
    assert_int_equal(mx_of(back, CLIENT, START), 9);
    buf_free(&b);
    buf_free(&again);
    names_free(n);
    names_free(back);
    names_free(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirms_names),
        cmocka_unit_test(forgets_after_thirty_days),
        cmocka_unit_test(takes_names_that_cannot_be_shown),
        cmocka_unit_test(counts_lookups_within_an_hour),
        cmocka_unit_test(estimates_many_lookups),
        cmocka_unit_test(leaves_resolvers_out),
        cmocka_unit_test(stays_within_its_tables),
        cmocka_unit_test(restores_what_it_knew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

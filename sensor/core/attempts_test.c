#include "sensor/core/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* An attempt; second is of stream time, how is r(efused), u(nanswered) or
 * s(ilent). */
struct one {
    unsigned second;
    const char *src, *dst, *direction;
    char how;
};

struct told {
    struct buf text; /* a line each */
    size_t n;
    uint64_t count, without_client;
};

static void
put_text(struct told *t, struct span record, enum field f)
{
    struct span v = record_find(record, f);
    char name[ADDR_TEXT_MAX];
    struct addr a;

    buf_putc(&t->text, ' ');
    if (v.n == 0) {
        buf_putc(&t->text, '-');
    } else if (field_table[f].type == FT_ADDR) {
        memcpy(a.b, v.p, 16);
        buf_put(&t->text, name, addr_format(&a, name));
    } else {
        buf_span(&t->text, v);
    }
}

/* "second client server direction count/destinations r u s" */
static void
tell(void *ctx, struct span record)
{
    static const enum field counts[] = {
        FIELD_ATTEMPTS_COUNT, FIELD_ATTEMPTS_DESTINATIONS,
        FIELD_ATTEMPTS_REFUSED, FIELD_ATTEMPTS_UNANSWERED,
        FIELD_ATTEMPTS_SILENT};
    struct told *t = ctx;
    struct record_head h = record_head_of(record);

    assert_true(record_check(record));
    assert_int_equal(h.type, EVENT_SMTP_SESSION);
    assert_int_equal(h.flow_id, 0);
    assert_int_equal(h.seq, t->n);
    t->n++;
    t->count += record_find_u64(record, FIELD_ATTEMPTS_COUNT, 0);
    t->without_client += record_find(record, FIELD_SRC_IP).n == 0;
    buf_u64(&t->text, h.when / NS_PER_S);
    put_text(t, record, FIELD_SRC_IP);
    put_text(t, record, FIELD_DEST_IP);
    put_text(t, record, FIELD_DIRECTION);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        buf_putc(&t->text, ' ');
        buf_u64(&t->text, record_find_u64(record, counts[i], 0));
    }
    buf_putc(&t->text, '\n');
}

static void
add_at(struct attempts *a, const struct one *o, const struct addr *src,
       const struct addr *dst, struct told *t)
{
    struct record_head h = {o->second * NS_PER_S, 7, 0, EVENT_ATTEMPT};
    struct record_sink sink = {tell, t};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &h);
    record_addr(&r, FIELD_SRC_IP, src);
    record_addr(&r, FIELD_DEST_IP, dst);
    record_u64(&r, FIELD_DEST_PORT, 25);
    if (o->direction != NULL)
        record_text(&r, FIELD_DIRECTION, o->direction);
    record_u64(&r, FIELD_ATTEMPTS_REFUSED, o->how == 'r');
    record_u64(&r, FIELD_ATTEMPTS_UNANSWERED, o->how == 'u');
    record_u64(&r, FIELD_ATTEMPTS_SILENT, o->how == 's');
    attempts_add(a, record_view(&r), &sink);
    record_free(&r);
}

static void
add(struct attempts *a, const struct one *o, struct told *t)
{
    struct addr src;
    struct addr dst;

    assert_true(addr_parse(span_str(o->src), &src));
    assert_true(addr_parse(span_str(o->dst), &dst));
    add_at(a, o, &src, &dst, t);
}

/* clang-format off */
static const struct {
    const char *why;
    struct one in[6];
    unsigned end; /* the second at which it ends */
    const char *want;
} cases[] = {
    {"none", {{0}}, 9, ""},
    {"one",
     {{61, "10.0.0.1", "1.1.1.1", NULL, 'r'}},
     62,
     "62 10.0.0.1 1.1.1.1 - 1 1 1 0 0\n"},
    {"the first minute of 1970",
     {{0, "10.0.0.1", "1.1.1.1", NULL, 's'}},
     5,
     "5 10.0.0.1 1.1.1.1 - 1 1 0 0 1\n"},
    {"the last second of a minute and the first of the next",
     {{119, "10.0.0.1", "1.1.1.1", NULL, 'u'},
      {120, "10.0.0.1", "1.1.1.1", NULL, 'u'}},
     130,
     "120 10.0.0.1 1.1.1.1 - 1 1 0 1 0\n130 10.0.0.1 1.1.1.1 - 1 1 0 1 0\n"},
    {"a whole minute is one",
     {{60, "10.0.0.1", "1.1.1.1", NULL, 'u'},
      {119, "10.0.0.1", "1.1.1.1", NULL, 'r'}},
     119,
     "119 10.0.0.1 1.1.1.1 - 2 1 1 1 0\n"},
    {"hours between",
     {{60, "10.0.0.1", "1.1.1.1", NULL, 'u'},
      {9000, "10.0.0.1", "1.1.1.1", NULL, 'u'}},
     9001,
     "120 10.0.0.1 1.1.1.1 - 1 1 0 1 0\n9001 10.0.0.1 1.1.1.1 - 1 1 0 1 0\n"},
    {"several servers",
     {{61, "10.0.0.1", "1.1.1.1", NULL, 'u'},
      {61, "10.0.0.1", "1.1.1.2", NULL, 'u'},
      {62, "10.0.0.1", "1.1.1.1", NULL, 's'}},
     63,
     "63 10.0.0.1 - - 3 2 0 2 1\n"},
    {"in order of the address",
     {{61, "10.0.0.9", "1.1.1.1", NULL, 'r'},
      {62, "2001:db8::1", "1.1.1.1", NULL, 'r'},
      {63, "10.0.0.1", "1.1.1.1", NULL, 'r'}},
     63,
     "63 10.0.0.1 1.1.1.1 - 1 1 1 0 0\n63 10.0.0.9 1.1.1.1 - 1 1 1 0 0\n"
     "63 2001:db8::1 1.1.1.1 - 1 1 1 0 0\n"},
    {"directions apart",
     {{61, "10.0.0.1", "1.1.1.1", "outbound", 'r'},
      {62, "10.0.0.1", "10.0.0.2", "internal", 'r'},
      {63, "10.0.0.1", "1.1.1.2", "outbound", 'r'}},
     63,
     "63 10.0.0.1 10.0.0.2 internal 1 1 1 0 0\n63 10.0.0.1 - outbound 2 2 2 0 "
     "0\n"},
};
/* clang-format on */

static void
told_init(struct told *t)
{
    *t = (struct told){0};
    buf_init(&t->text, SIZE_MAX / 2);
}

static void
puts_attempts_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct attempts *a;
        struct told t;
        struct record_sink sink = {tell, &t};

        told_init(&t);
        assert_int_equal(attempts_new(&a), ERR_OK);
        for (size_t k = 0; k < ARRAY_LEN(cases[i].in); k++) {
            if (cases[i].in[k].src != NULL)
                add(a, &cases[i].in[k], &t);
        }
        attempts_end(a, cases[i].end * NS_PER_S, &sink);
        attempts_end(a, cases[i].end * NS_PER_S, &sink); /* nothing is left */
        buf_putc(&t.text, '\0');
        if (strcmp((char *)t.text.p, cases[i].want) != 0)
            fail_msg("%s:\n%s", cases[i].why, (char *)t.text.p);
        attempts_free(a);
        buf_free(&t.text);
    }
}

/* Time alone ends a minute, at its end and not before. */
static void
ends_a_minute_by_time(void **state)
{
    struct one o = {61, "10.0.0.1", "1.1.1.1", NULL, 'r'};
    struct attempts *a;
    struct told t;
    struct record_sink sink = {tell, &t};

    (void)state;
    told_init(&t);
    assert_int_equal(attempts_new(&a), ERR_OK);
    attempts_time(a, 0, &sink);
    add(a, &o, &t);
    attempts_time(a, 119 * NS_PER_S, &sink);
    attempts_time(a, 120 * NS_PER_S - 1, &sink);
    assert_int_equal(t.n, 0);
    attempts_time(a, 120 * NS_PER_S, &sink);
    assert_int_equal(t.n, 1);
    attempts_time(a, 500 * NS_PER_S, &sink);
    assert_int_equal(t.n, 1);
    attempts_free(a);
    buf_free(&t.text);
}

/* The last minute that there is: its end does not fit into 64 bits. */
static void
knows_the_last_minute(void **state)
{
    ns_t when = UINT64_MAX - UINT64_MAX % NS_PER_US;
    struct record_head h = {when, 7, 0, EVENT_ATTEMPT};
    struct addr a4 = addr_v4((const uint8_t[]){10, 0, 0, 1});
    struct attempts *a;
    struct told t;
    struct record_sink sink = {tell, &t};
    struct record_out r;

    (void)state;
    told_init(&t);
    record_init(&r);
    record_begin(&r, &h);
    record_addr(&r, FIELD_SRC_IP, &a4);
    record_addr(&r, FIELD_DEST_IP, &a4);
    assert_int_equal(attempts_new(&a), ERR_OK);
    attempts_add(a, record_view(&r), &sink);
    attempts_add(a, record_view(&r), &sink);
    assert_int_equal(t.n, 0);
    attempts_end(a, when, &sink);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.count, 2);
    attempts_free(a);
    record_free(&r);
    buf_free(&t.text);
}

static struct addr
numbered(uint8_t net, uint32_t i)
{
    uint8_t b[4] = {net, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

    return addr_v4(b);
}

/* At the limit, below it and beyond: no attempt is lost, and who is known stays
 * countable. */
static void
counts_the_rest(void **state)
{
    (void)state;
    for (uint32_t more = 0; more <= 2; more++) {
        uint32_t n = ATTEMPTS_HOSTS - 1 + more;
        struct one o = {61, NULL, NULL, NULL, 'r'};
        struct addr dst = numbered(1, 1);
        struct attempts *a;
        struct told t;
        struct record_sink sink = {tell, &t};

        told_init(&t);
        assert_int_equal(attempts_new(&a), ERR_OK);
        for (uint32_t i = 0; i < n; i++) {
            struct addr src = numbered(10, i);

            add_at(a, &o, &src, &dst, &t);
        }
        for (uint32_t i = 0; i < 3; i++) {
            struct addr src = numbered(10, i);

            add_at(a, &o, &src, &dst, &t);
        }
        attempts_end(a, 62 * NS_PER_S, &sink);
        assert_int_equal(t.count, n + 3);
        assert_int_equal(t.n, n);
        assert_int_equal(t.without_client, more > 1);
        attempts_free(a);
        buf_free(&t.text);
    }
}

/* Destinations are counted up to ATTEMPTS_PEERS. */
static void
counts_destinations(void **state)
{
    (void)state;
    for (uint32_t n = ATTEMPTS_PEERS - 1; n <= ATTEMPTS_PEERS + 1; n++) {
        struct one o = {61, NULL, NULL, NULL, 'r'};
        struct addr src = numbered(10, 1);
        uint32_t most = n < ATTEMPTS_PEERS ? n : ATTEMPTS_PEERS;
        struct attempts *a;
        struct told t;
        struct record_sink sink = {tell, &t};
        char want[64];

        told_init(&t);
        assert_int_equal(attempts_new(&a), ERR_OK);
        for (uint32_t i = 0; i < n; i++) {
            struct addr dst = numbered(1, i);

            add_at(a, &o, &src, &dst, &t);
            add_at(a, &o, &src, &dst, &t);
        }
        attempts_end(a, 62 * NS_PER_S, &sink);
        buf_putc(&t.text, '\0');
        (void)snprintf(want, sizeof(want), "62 10.0.0.1 - - %u %u %u 0 0\n",
                       2 * n, most, 2 * n);
        assert_string_equal((char *)t.text.p, want);
        attempts_free(a);
        buf_free(&t.text);
    }
}

/* A worker may leave out what it likes. */
static void
passes_over_an_attempt_without_addresses(void **state)
{
    struct record_head h = {NS_PER_S, 7, 0, EVENT_ATTEMPT};
    struct attempts *a;
    struct told t;
    struct record_sink sink = {tell, &t};
    struct record_out r;

    (void)state;
    told_init(&t);
    record_init(&r);
    record_begin(&r, &h);
    assert_int_equal(attempts_new(&a), ERR_OK);
    attempts_add(a, record_view(&r), &sink);
    attempts_end(a, NS_PER_S, &sink);
    assert_int_equal(t.n, 0);
    record_free(&r);
    attempts_free(a);
    attempts_free(NULL);
    buf_free(&t.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_attempts_together),
        cmocka_unit_test(ends_a_minute_by_time),
        cmocka_unit_test(knows_the_last_minute),
        cmocka_unit_test(counts_the_rest),
        cmocka_unit_test(counts_destinations),
        cmocka_unit_test(passes_over_an_attempt_without_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

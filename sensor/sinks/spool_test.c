#include "sensor/sinks/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/hash.h"

static struct spool *
begun(uint64_t seq)
{
    struct spool *s;

    assert_int_equal(spool_new(seq, &s), ERR_OK);
    return s;
}

static void
check_counts(const struct spool *s, enum keep_kind k, uint64_t journaled,
             uint64_t acknowledged, uint64_t waiting, uint64_t lost)
{
    struct spool_counts c = spool_counts(s, k);

    assert_int_equal(c.journaled, journaled);
    assert_int_equal(c.acknowledged, acknowledged);
    assert_int_equal(c.waiting, waiting);
    assert_int_equal(c.lost, lost);
}

static void
counts_while_the_sink_is_away(void **state)
{
    struct spool *s = begun(10);

    (void)state;
    spool_scan(s, 10, 0, KEEP_ALERTS, true); /* not its own */
    spool_scan(s, 11, 0, KEEP_ALERTS, true);
    spool_scan(s, 12, 0, KEEP_STATISTICS, false);
    spool_scan(s, 13, 0, KEEP_TRANSACTIONS, true);
    spool_scan(s, 13, 0, KEEP_TRANSACTIONS, true); /* once only */
    check_counts(s, KEEP_ALERTS, 1, 0, 1, 0);
    check_counts(s, KEEP_TRANSACTIONS, 1, 0, 1, 0);
    check_counts(s, KEEP_STATISTICS, 0, 0, 0, 0);
    assert_int_equal(spool_scanned(s), 13);
    assert_int_equal(spool_next(s, KEEP_TRANSACTIONS), 11);
    spool_free(s);
}

static void
a_lane_passes_by_another(void **state)
{
    struct spool *s = begun(0);

    (void)state;
    for (uint64_t seq = 1; seq <= 4; seq++)
        spool_scan(s, seq, 0, seq == 4 ? KEEP_ALERTS : KEEP_TRANSACTIONS, true);
    spool_took(s, KEEP_TRANSACTIONS, 1);
    for (uint64_t seq = 1; seq <= 3; seq++)
        spool_passed(s, KEEP_ALERTS, seq);
    spool_took(s, KEEP_ALERTS, 4);
    spool_settled(s, true);
    check_counts(s, KEEP_TRANSACTIONS, 3, 1, 2, 0);
    check_counts(s, KEEP_ALERTS, 1, 0, 1, 0);
    spool_settled(s, true);
    check_counts(s, KEEP_ALERTS, 1, 1, 0, 0);
    assert_int_equal(spool_next(s, KEEP_ALERTS), 5);
    assert_int_equal(spool_next(s, KEEP_TRANSACTIONS), 2);
    spool_settled(s, true); /* nothing flies */
    check_counts(s, KEEP_TRANSACTIONS, 3, 1, 2, 0);
    spool_free(s);
}

static void
leaves_room_for_alerts(void **state)
{
    struct spool *s = begun(0);
    uint64_t seq = 0;

    (void)state;
    while (spool_has_room(s, KEEP_STATISTICS)) {
        spool_scan(s, ++seq, 0, KEEP_STATISTICS, true);
        spool_took(s, KEEP_STATISTICS, seq);
    }
    assert_int_equal(seq, SPOOL_WINDOW / 2);
    assert_false(spool_has_room(s, KEEP_TRANSACTIONS));
    while (spool_has_room(s, KEEP_ALERTS)) {
        spool_scan(s, ++seq, 0, KEEP_ALERTS, true);
        spool_took(s, KEEP_ALERTS, seq);
    }
    assert_int_equal(seq, SPOOL_WINDOW);
    spool_free(s);
}

static void
tells_what_is_gone(void **state)
{
    struct spool *s = begun(0);

    (void)state;
    for (uint64_t seq = 1; seq <= 6; seq++)
        spool_scan(s, seq, 0, KEEP_TRANSACTIONS, true);
    spool_took(s, KEEP_TRANSACTIONS, 1);
    spool_took(s, KEEP_TRANSACTIONS, 5); /* 2 to 4 are not there any more */
    spool_took(s, KEEP_TRANSACTIONS, 6);
    check_counts(s, KEEP_TRANSACTIONS, 6, 0, 6, 0);
    spool_reached(s, KEEP_TRANSACTIONS);
    check_counts(s, KEEP_TRANSACTIONS, 6, 0, 3, 3);
    spool_settled(s, true);
    spool_settled(s, false);
    spool_settled(s, true);
    check_counts(s, KEEP_TRANSACTIONS, 6, 2, 0, 4);
    spool_scan(s, 9, 2, KEEP_ALERTS, true);
    assert_int_equal(spool_unread(s), 2);
    spool_free(s);
}

static void
refuses_what_is_not_its_own(void **state)
{
    static const struct {
        const char *why, *text;
    } bad[] = {
        {"nothing",             ""                                                                        },
        {"another version",     "span25 spool 2\njournal 9 0\n"                                           },
        {"no lanes",            "span25 spool 1\njournal 9 0\nend\n"                                      },
        {"more than there was",
         "span25 spool 1\njournal 9 0\nalerts 9 1 1 1\n"
         "transactions 9 0 0 0\nstatistics 9 0 0 0\nend\n"                                                },
        {"a number too few",    "span25 spool 1\njournal 9 0\nalerts 9 1 1\n"
                             "transactions 9 0 0 0\nstatistics 9 0 0 0\nend\n"},
        {"a number too many",
         "span25 spool 1\njournal 9 0\nalerts 9 1 1 0 0\n"
         "transactions 9 0 0 0\nstatistics 9 0 0 0\nend\n"                                                },
        {"cut",                 "span25 spool 1\njournal 9 0\nalerts 9 1 1 0\n"
                "transactions 9 0 0 0\nstatistics 9 0 0 0\nen"                             },
    };
    struct spool *s = begun(3);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (spool_load(s, span_str(bad[i].text)) != ERR_FORMAT ||
            spool_scanned(s) != 3)
            fail_msg("%s", bad[i].why);
    }
    spool_free(s);
}

/* ---- any history, beside a journal that is an array ---- */

enum { LINES = 400, HISTORIES = 2000 };

struct history {
    uint64_t x;
    struct spool *s;
    struct {
        uint8_t kind;
        bool wanted, gone;
        unsigned arrived; /* at the other side */
        bool refused;     /* by it, for good */
    } line[LINES + 1];
    uint64_t n; /* journaled */
    uint64_t read[KEEP_KINDS];
    uint64_t flying[LINES * 4];
    size_t head, tail;
    struct buf saved;
};

static uint64_t
draw(struct history *h, uint64_t n)
{
    h->x = hash_mix(h->x, 25);
    return h->x % n;
}

static void
journal_and_scan(struct history *h)
{
    if (h->n == LINES)
        return;
    h->n++;
    h->line[h->n].kind = (uint8_t)draw(h, KEEP_KINDS);
    h->line[h->n].wanted = draw(h, 4) > 0;
    h->line[h->n].refused = draw(h, 16) == 0;
    spool_scan(h->s, h->n, 0, (enum keep_kind)h->line[h->n].kind,
               h->line[h->n].wanted);
}

static void
send_one(struct history *h, enum keep_kind k)
{
    uint64_t seq = spool_next(h->s, k);

    while (seq <= h->n && h->line[seq].gone)
        seq++;
    if (seq > h->n) {
        spool_reached(h->s, k);
    } else if (h->line[seq].kind == k && h->line[seq].wanted) {
        spool_took(h->s, k, seq);
        h->flying[h->tail++ % ARRAY_LEN(h->flying)] = seq;
    } else {
        spool_passed(h->s, k, seq);
    }
}

static void
settle(struct history *h)
{
    uint64_t seq;

    if (h->head == h->tail)
        return;
    seq = h->flying[h->head++ % ARRAY_LEN(h->flying)];
    h->line[seq].arrived += !h->line[seq].refused;
    spool_settled(h->s, !h->line[seq].refused);
}

/* What flew arrives or not, and nobody hears of it. */
static void
crash(struct history *h)
{
    while (h->head < h->tail && draw(h, 3) > 0) {
        uint64_t seq = h->flying[h->head++ % ARRAY_LEN(h->flying)];

        h->line[seq].arrived += !h->line[seq].refused;
    }
    h->head = h->tail = 0;
    spool_free(h->s);
    h->s = begun(0);
    if (h->saved.n > 0)
        assert_int_equal(spool_load(h->s, buf_view(&h->saved)), ERR_OK);
    for (uint64_t seq = spool_scanned(h->s) + 1; seq <= h->n; seq++)
        spool_scan(h->s, seq, 0, (enum keep_kind)h->line[seq].kind,
                   h->line[seq].wanted);
}

static void
save(struct history *h)
{
    buf_reset(&h->saved);
    spool_save(h->s, &h->saved);
}

/* The oldest ones; never one that a save has not scanned. */
static void
remove_old(struct history *h)
{
    uint64_t upto = draw(h, h->n + 1);

    save(h);
    for (uint64_t seq = 1; seq <= upto; seq++)
        h->line[seq].gone |= draw(h, 2) == 0;
}

static void
step(struct history *h)
{
    switch (draw(h, 24)) {
    case 0: crash(h); break;
    case 1: save(h); break;
    case 2:
        h->head = h->tail = 0;
        spool_again(h->s);
        break;
    case 3:
        if (draw(h, 8) == 0)
            remove_old(h);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9: journal_and_scan(h); break;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14: settle(h); break;
    default: send_one(h, (enum keep_kind)draw(h, KEEP_KINDS));
    }
}

static void
check_equation(const struct history *h)
{
    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        struct spool_counts c = spool_counts(h->s, (enum keep_kind)k);
        uint64_t wanted = 0;

        for (uint64_t seq = 1; seq <= h->n; seq++)
            wanted += h->line[seq].kind == k && h->line[seq].wanted;
        assert_int_equal(c.journaled, wanted);
        assert_int_equal(c.journaled, c.acknowledged + c.waiting + c.lost);
        assert_true(c.in_flight <= c.waiting);
    }
}

/* At the end nothing waits, and each line has arrived, or is counted. */
static void
check_end(struct history *h)
{
    for (unsigned i = 0; i < LINES * 8; i++) {
        for (unsigned k = 0; k < KEEP_KINDS; k++)
            send_one(h, (enum keep_kind)k);
        while (h->head < h->tail)
            settle(h);
    }
    check_equation(h);
    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        struct spool_counts c = spool_counts(h->s, (enum keep_kind)k);
        uint64_t missed = 0, refused = 0, gone = 0;

        for (uint64_t seq = 1; seq <= h->n; seq++) {
            if (h->line[seq].kind != k || !h->line[seq].wanted)
                continue;
            refused += h->line[seq].refused;
            missed += h->line[seq].arrived == 0 && !h->line[seq].refused;
            gone += h->line[seq].gone;
            assert_true(h->line[seq].gone || h->line[seq].refused ||
                        h->line[seq].arrived > 0);
        }
        assert_int_equal(c.waiting, 0);
        /* One that had arrived unheard, and was removed, counts as lost. */
        assert_true(c.lost >= missed && c.lost <= refused + gone);
    }
}

static void
any_history(void **state)
{
    static struct history h;

    (void)state;
    for (unsigned i = 0; i < HISTORIES; i++) {
        h = (struct history){.x = i + 1, .s = begun(0)};
        buf_init(&h.saved, 4096);
        for (unsigned n = 0; n < LINES * 2; n++) {
            step(&h);
            check_equation(&h);
        }
        check_end(&h);
        buf_free(&h.saved);
        spool_free(h.s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_while_the_sink_is_away),
        cmocka_unit_test(a_lane_passes_by_another),
        cmocka_unit_test(leaves_room_for_alerts),
        cmocka_unit_test(tells_what_is_gone),
        cmocka_unit_test(refuses_what_is_not_its_own),
        cmocka_unit_test(any_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

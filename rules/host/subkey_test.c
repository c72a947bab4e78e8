#include "rules/host/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/cusum.h"
#include "rules/host/hosts_test_kit.h"
#include "rules/host/state.h"

#define NAT "10.1.2.3"

/* Two of one name, told apart by how they greet. */
static const struct kit_speaker user = {
    .src = NAT,
    .dest = "192.0.2.25",
    .direction = "outbound",
    .helo = "localhost",
    .from = "<a@home.example>",
    .hello = "EHLO",
    .port = 25,
};

static struct kit_speaker
bot_of(const char *helo)
{
    struct kit_speaker s = user;

    s.helo = helo;
    s.hello = "HELO";
    return s;
}

/* A mail to somebody new on connection flow, which stays open. */
static void
say(struct kit_run *k, const struct kit_speaker *s, uint64_t flow, bool bad)
{
    char rcpt[64];
    struct kit_rcpt r = {rcpt, bad ? 550 : 250,
                         bad ? "unknown_user" : "accepted", NULL};

    k->tx++;
    k->now += NS_PER_S;
    k->flow = flow;
    (void)snprintf(rcpt, sizeof(rcpt), "<u%u@org%u.example>", (unsigned)k->tx,
                   (unsigned)k->tx);
    kit_mail(k, s, &r, 1, bad ? 554 : 250, 0, true);
}

static void
leave(struct kit_run *k, const struct kit_speaker *s, uint64_t flow)
{
    k->now += NS_PER_S;
    k->flow = flow;
    kit_session(k, s);
}

struct figures {
    uint64_t accepted, n, bad, score;
    char helo[64];
};

static struct figures
figures_of(struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;
    struct figures f = {0};

    while (record_next(&c, &e)) {
        if (e.field == FIELD_HOST_SUBKEY_HELO)
            memcpy(f.helo, e.value.p, e.value.n);
        else if (e.field == FIELD_HOST_SUBKEY_ACCEPTED)
            f.accepted = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_N)
            f.n = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_BAD)
            f.bad = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_SCORE)
            f.score = entry_u64(e.value);
    }
    return f;
}

/* Of the host's last event, as they stand there; gives how many. */
static size_t
speakers(struct kit_run *k, struct figures *out, size_t room)
{
    struct cursor c;
    struct record_entry e;
    size_t n = 0;

    kit_end(k);
    c = record_entries_of(kit_last(k, NAT)->record);
    while (record_next(&c, &e)) {
        if (e.field != FIELD_HOST_SUBKEY)
            continue;
        assert_true(n < room);
        out[n++] = figures_of(e.value);
    }
    return n;
}

/* They take turns, and are connected at once: whoever spoke last gets nothing
 * of the other. */
static void
test_one_name(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker bot = bot_of(user.helo);
    struct figures f[4];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    leave(&k, &user, 1);
    leave(&k, &bot, 2);
    for (uint64_t i = 10; i < 200; i += 4) {
        say(&k, &user, i, false);
        say(&k, &bot, i + 1, true);
        say(&k, &user, i + 2, false);
        say(&k, &bot, i + 1, true);
        leave(&k, &user, i);
        leave(&k, &bot, i + 1);
        leave(&k, &user, i + 2);
    }
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 2);
    assert_int_equal(kit_u64(&k, NAT, FIELD_HOST_SUBKEYS), 2);
    assert_int_equal(f[0].accepted, 96);
    assert_int_equal(f[0].n, 96);
    assert_int_equal(f[0].bad, 0);
    assert_int_equal(f[0].score, 0);
    assert_int_equal(f[1].accepted, 0);
    assert_int_equal(f[1].n, 96);
    assert_int_equal(f[1].bad, 96);
    kit_close(&k);
}

/* A connection that does not end is a speaker for itself meanwhile. */
static void
test_still_connected(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker bot = bot_of("pc17");
    struct figures f[4];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (uint64_t i = 10; i < 40; i++) {
        say(&k, &user, i, false);
        leave(&k, &user, i);
    }
    for (unsigned i = 0; i < 20; i++)
        say(&k, &bot, 100, true);
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 2);
    assert_string_equal(f[0].helo, "localhost");
    assert_int_equal(f[0].n, 30);
    assert_int_equal(f[0].bad, 0);
    assert_string_equal(f[1].helo, "pc17");
    assert_int_equal(f[1].n, 20);
    assert_int_equal(f[1].bad, 20);
    assert_int_equal(f[1].score, 20 * cusum_bernoulli(.05, .40).up);
    leave(&k, &bot, 100);
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 2);
    assert_int_equal(f[1].n, 20);
    assert_int_equal(f[1].score, 20 * cusum_bernoulli(.05, .40).up);
    kit_close(&k);
}

/* More at once than are kept apart: nothing is lost, and nobody of a known
 * dialect gets it. */
static void
test_many_connected(void **state)
{
    static const struct {
        const char *why;
        unsigned open;
        size_t want;
        uint64_t first, unknown;
    } rows[] = {
        {"one less",      HOST_SUBFLOWS - 1, 2 + HOST_SUBFLOWS - 1, 1, 0                 },
        {"as many",       HOST_SUBFLOWS,     2 + HOST_SUBFLOWS,     1, 0                 },
        {"one too many",  HOST_SUBFLOWS + 1, 3 + HOST_SUBFLOWS,     1, 1                 },
        {"two too many",  HOST_SUBFLOWS + 2, 3 + HOST_SUBFLOWS,     1, 2                 },
        {"many too many", 40,                3 + HOST_SUBFLOWS,     1, 40 - HOST_SUBFLOWS},
    };

    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        struct hosts_options o = kit_options();
        struct kit_speaker bot = bot_of(user.helo);
        struct figures f[16];
        struct kit_run k;
        uint64_t bad = 0;

        kit_open(&k, &o);
        say(&k, &user, 1, false);
        leave(&k, &user, 1);
        leave(&k, &bot, 2);
        for (unsigned i = 0; i < rows[r].open; i++)
            say(&k, &bot, 100 + i, true);
        if (speakers(&k, f, ARRAY_LEN(f)) != rows[r].want)
            fail_msg("%s: not %zu speakers", rows[r].why, rows[r].want);
        for (size_t i = 0; i < rows[r].want; i++)
            bad += f[i].bad;
        assert_int_equal(f[0].n, rows[r].first);
        assert_int_equal(f[0].bad, 0);
        assert_int_equal(bad, rows[r].open);
        if (rows[r].unknown > 0)
            assert_int_equal(f[2].bad, rows[r].unknown);
        kit_close(&k);
    }
}

/* Who is heard again and again stays, of connections and of speakers. */
static void
test_busy_stays(void **state)
{
    struct hosts_options o = kit_options();
    struct figures f[HOST_SUBKEYS + HOST_SUBFLOWS + HOST_SUBSUMS];
    struct kit_speaker bot = bot_of("pc17");
    struct kit_speaker others = user;
    struct kit_run k;
    char name[16];
    size_t n;
    unsigned whole = 0;

    (void)state;
    kit_open(&k, &o);
    others.helo = name;
    leave(&k, &user, 1);
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof(name), "h%u", i);
        say(&k, &others, 200 + i, false);
        say(&k, &bot, 100, true); /* the same connection all the time */
        if (i % 2 == 0)
            leave(&k, &others, 200 + i);
        say(&k, &user, 300 + i, false);
        leave(&k, &user, 300 + i);
    }
    n = speakers(&k, f, ARRAY_LEN(f));
    for (size_t i = 0; i < n; i++) {
        whole += f[i].n == 30 && f[i].bad == 30;
        whole += f[i].n == 30 && f[i].bad == 0 && f[i].helo[0] == 'l';
    }
    assert_int_equal(whole, 2);
    kit_close(&k);
}

/* The dialect of a name alone is learnt late; another one is somebody else. */
static void
test_learnt_late(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker unknown = user;
    struct kit_speaker bot = bot_of(user.helo);
    struct kit_speaker other = bot_of("pc17");
    struct figures f[8];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    unknown.hello = NULL;
    say(&k, &unknown, 1, false);
    leave(&k, &unknown, 1);
    leave(&k, &other, 2);
    say(&k, &user, 3, false);
    leave(&k, &user, 3);
    say(&k, &bot, 4, true);
    leave(&k, &bot, 4);
    say(&k, &unknown, 5, true);
    leave(&k, &unknown, 5);
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 4);
    assert_int_equal(f[0].n, 2);
    assert_int_equal(f[0].bad, 0);
    assert_string_equal(f[1].helo, "pc17");
    assert_int_equal(f[1].n, 0);
    assert_int_equal(f[2].n, 1);
    assert_int_equal(f[2].bad, 1);
    assert_int_equal(f[3].n, 1); /* of one of them, nobody knows which */
    assert_int_equal(f[3].bad, 1);
    kit_close(&k);
}

/* Two names on one connection end with it both. */
static void
test_greeted_twice(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker other = user;
    struct kit_speaker bot = bot_of("pc17");
    struct figures f[4];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    other.helo = "again";
    leave(&k, &user, 1);
    leave(&k, &bot, 2);
    say(&k, &user, 3, false);
    say(&k, &other, 3, false);
    leave(&k, &other, 3);
    say(&k, &user, 3, true); /* a flow may have the number of an older one */
    leave(&k, &user, 3);
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 3);
    assert_int_equal(f[0].n, 2);
    assert_int_equal(f[0].bad, 1);
    assert_int_equal(f[2].n, 1);
    assert_int_equal(f[2].bad, 0);
    kit_close(&k);
}

/* The score of a speaker is that of all its verdicts in the order in which its
 * connections ended. */
static void
test_scores(void **state)
{
    const struct cusum_steps steps = cusum_bernoulli(.05, .40);
    struct hosts_options o = kit_options();
    struct kit_speaker bot = bot_of(user.helo);
    int32_t want[2] = {0, 0};
    uint64_t dice = 20;
    struct figures f[4];
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    leave(&k, &user, 1);
    leave(&k, &bot, 2);
    for (uint64_t flow = 10; flow < 400; flow++) {
        unsigned who = (dice >> 33) & 1;
        const struct kit_speaker *s = who == 0 ? &user : &bot;

        for (unsigned i = 0; i < 1 + (dice >> 40) % 7; i++) {
            bool bad = (dice >> (44 + i)) % (who == 0 ? 8 : 3) == 0;

            say(&k, s, flow, bad);
            want[who] = cusum_next(&steps, want[who], bad);
        }
        leave(&k, s, flow);
        dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407U;
    }
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 2);
    assert_int_equal(f[0].score, want[0]);
    assert_int_equal(f[1].score, want[1]);
    assert_true(want[1] > 13800);
    kit_close(&k);
}

/* What was open goes on behind a snapshot. */
static void
test_snapshot(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker bot = bot_of(user.helo);
    struct hosts *again;
    struct figures f[4];
    struct kit_run k;
    struct buf b;

    (void)state;
    kit_open(&k, &o);
    buf_init(&b, SIZE_MAX / 2);
    leave(&k, &user, 1);
    leave(&k, &bot, 2);
    say(&k, &bot, 3, true);
    say(&k, &user, 4, false);
    assert_int_equal(hosts_save(k.h, &b), ERR_OK);
    assert_int_equal(hosts_new(&o, &again), ERR_OK);
    assert_int_equal(hosts_load(again, buf_view(&b)), ERR_OK);
    hosts_free(k.h);
    k.h = again;
    leave(&k, &user, 4);
    leave(&k, &bot, 3);
    assert_int_equal(speakers(&k, f, ARRAY_LEN(f)), 2);
    assert_int_equal(f[0].n, 1);
    assert_int_equal(f[0].bad, 0);
    assert_int_equal(f[1].n, 1);
    assert_int_equal(f[1].bad, 1);
    buf_free(&b);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_name),
        cmocka_unit_test(test_still_connected),
        cmocka_unit_test(test_many_connected),
        cmocka_unit_test(test_busy_stays),
        cmocka_unit_test(test_learnt_late),
        cmocka_unit_test(test_greeted_twice),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

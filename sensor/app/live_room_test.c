#include "sensor/app/live_room.h"

#include "sensor/event/keep.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tempdir.h"

#define MARK 8000U

static const struct {
    const char *why;
    uint64_t free;
    enum live_room_step before, want;
} rows[] = {
    {"plenty",                          100000,    LIVE_ROOM_PLENTY,       LIVE_ROOM_PLENTY      },
    {"at the mark",                     8000,      LIVE_ROOM_PLENTY,       LIVE_ROOM_PLENTY      },
    {"a byte below",                    7999,      LIVE_ROOM_PLENTY,       LIVE_ROOM_STATISTICS  },
    {"back, but not by a quarter",      9999,      LIVE_ROOM_STATISTICS,
     LIVE_ROOM_STATISTICS                                                                        },
    {"back by a quarter",               10000,     LIVE_ROOM_STATISTICS,   LIVE_ROOM_PLENTY      },
    {"at half",                         4000,      LIVE_ROOM_STATISTICS,   LIVE_ROOM_STATISTICS  },
    {"below half",                      3999,      LIVE_ROOM_STATISTICS,   LIVE_ROOM_TRANSACTIONS},
    {"a jump",                          3999,      LIVE_ROOM_PLENTY,       LIVE_ROOM_TRANSACTIONS},
    {"above half by less",              4999,      LIVE_ROOM_TRANSACTIONS,
     LIVE_ROOM_TRANSACTIONS                                                                      },
    {"above half by a quarter",         5000,      LIVE_ROOM_TRANSACTIONS,
     LIVE_ROOM_STATISTICS                                                                        },
    {"below an eighth",                 999,       LIVE_ROOM_TRANSACTIONS, LIVE_ROOM_RESERVE     },
    {"full",                            0,         LIVE_ROOM_PLENTY,       LIVE_ROOM_RESERVE     },
    {"the reserve alone is no way out", MARK / 32, LIVE_ROOM_RESERVE,
     LIVE_ROOM_RESERVE                                                                           },
    {"out of it",                       1250,      LIVE_ROOM_RESERVE,      LIVE_ROOM_TRANSACTIONS},
    {"all at once",                     100000,    LIVE_ROOM_RESERVE,      LIVE_ROOM_PLENTY      },
    {"nearly all at once",              9999,      LIVE_ROOM_RESERVE,      LIVE_ROOM_STATISTICS  },
};

static void
step_by_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (live_room_step(MARK, rows[i].free, rows[i].before) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    for (unsigned s = 0; s < LIVE_ROOM_STEPS; s++)
        assert_int_equal(live_room_step(0, 0, (enum live_room_step)s),
                         LIVE_ROOM_PLENTY);
}

static void
marks(void **state)
{
    const struct live_room_limits l = {.bytes = 1000, .percent = 5};

    (void)state;
    assert_int_equal(live_room_mark(&l, 0), 1000);
    assert_int_equal(live_room_mark(&l, 20000), 1000);
    assert_int_equal(live_room_mark(&l, 20100), 1005);
    assert_int_equal(
        live_room_mark(&(struct live_room_limits){0, 0}, UINT64_MAX), 0);
}

/* Alerts and decisions are journaled at every step; each step gives up more. */
static void
kinds(void **state)
{
    (void)state;
    assert_int_equal(live_room_kinds(LIVE_ROOM_PLENTY), 0);
    for (unsigned s = 1; s < LIVE_ROOM_STEPS; s++) {
        const unsigned before = live_room_kinds((enum live_room_step)(s - 1));
        const unsigned now = live_room_kinds((enum live_room_step)s);

        assert_int_equal(now & 1U << KEEP_ALERTS, 0);
        assert_int_equal(now & before, before);
    }
}

static off_t
reserve_of(const struct tempdir *t)
{
    struct stat st;

    return stat(tempdir_name(t->path, LIVE_ROOM_FILE).s, &st) == 0 ? st.st_size
                                                                   : -1;
}

/* Of the disk that the test is on: a mark above all it has is a full one. */
static void
disk(void **state)
{
    struct live_room r = {.limits = {.bytes = 1 << 20}};
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    r.dir = open(t.path, O_RDONLY | O_DIRECTORY);
    assert_false(live_room_look(&r));
    assert_int_equal(r.step, LIVE_ROOM_PLENTY);
    assert_int_equal(reserve_of(&t), (1 << 20) / 32);
    r.limits.bytes = 1ULL << 60;
    assert_true(live_room_look(&r));
    assert_int_equal(r.step, LIVE_ROOM_RESERVE);
    assert_int_equal(reserve_of(&t), -1);
    assert_false(live_room_look(&r));
    r.limits.bytes = 1 << 20;
    assert_true(live_room_look(&r));
    assert_int_equal(r.step, LIVE_ROOM_PLENTY);
    assert_int_equal(reserve_of(&t), (1 << 20) / 32);
    (void)close(r.dir);
    tempdir_remove_flat(t.path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_by_step),
        cmocka_unit_test(marks),
        cmocka_unit_test(kinds),
        cmocka_unit_test(disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/journal/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sensor/base/span.h"
#include "tempdir.h"

static enum err
open_it(const char *dir, enum state_kind kind, const char *says)
{
    struct buf message;
    enum err e;

    buf_init(&message, 4096);
    e = state_open(dir, kind, &message);
    if (says == NULL)
        assert_int_equal(message.n, 0);
    else if (span_search(buf_view(&message), span_str(says)) == message.n ||
             !span_starts(buf_view(&message), span_str(dir)))
        fail_msg("wanted \"%s\", got \"%.*s\"", says, (int)message.n,
                 (const char *)message.p);
    buf_free(&message);
    return e;
}

static void
test_made_and_kept(void **state)
{
    struct tempdir t;
    struct tempdir_name dir;
    struct stat st;
    uint8_t *text;
    size_t n;

    (void)state;
    tempdir_make(&t);
    dir = tempdir_name(t.path, "s");
    assert_int_equal(open_it(dir.s, STATE_READ, NULL), ERR_OK);
    assert_int_equal(stat(dir.s, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    text = tempdir_load(dir.s, "state", &n);
    assert_true(
        span_eq(span_of(text, n), SPAN_LIT("span25 state 1\nkind: read\n")));
    free(text);
    assert_true(tempdir_has(dir.s, "journal"));
    assert_true(tempdir_has(dir.s, "snapshots"));
    assert_true(tempdir_has(dir.s, "evidence"));
    assert_false(tempdir_has(dir.s, "state.tmp"));
    assert_int_equal(open_it(dir.s, STATE_READ, NULL), ERR_OK);
    assert_int_equal(open_it(dir.s, STATE_LIVE, "captures read by hand"),
                     ERR_USAGE);
    assert_int_equal(rmdir(tempdir_name(dir.s, "journal").s), 0);
    assert_int_equal(open_it(dir.s, STATE_READ, NULL), ERR_OK);
    assert_true(tempdir_has(dir.s, "journal"));
    tempdir_remove_flat(tempdir_name(dir.s, "journal").s);
    tempdir_remove_flat(tempdir_name(dir.s, "snapshots").s);
    tempdir_remove_flat(tempdir_name(dir.s, "evidence").s);
    tempdir_remove(&t);
}

static void
test_contents(void **state)
{
    static const struct {
        const char *why;
        const char *file;
        const char *text;
        const char *says;
        enum err want;
    } rows[] = {
        {"empty folder",            NULL,         NULL,                            NULL,              ERR_OK    },
        {"crash while it was made", "state.tmp",  "sp",                            NULL,              ERR_OK    },
        {"own mount point",         "lost+found", "",                              NULL,              ERR_OK    },
        {"somebody else's",         "thesis.tex", "x",                             "not empty",       ERR_EXISTS},
        {"live",                    "state",      "span25 state 1\nkind: live\n",
         "this is a live sensor's state",                                                             ERR_USAGE },
        {"read",                    "state",      "span25 state 1\nkind: read\n",  NULL,              ERR_OK    },
        {"newer",                   "state",      "span25 state 2\nkind: read\n",  "another version",
         ERR_FORMAT                                                                                             },
        {"foreign file",            "state",      "NY",                            "not span25's",    ERR_FORMAT},
        {"empty file",              "state",      "",                              "not span25's",    ERR_FORMAT},
        {"cut",                     "state",      "span25 state 1\nkind: rea",     "damaged",         ERR_FORMAT},
        {"cut at its newline",      "state",      "span25 state 1\nkind: read",    "damaged",
         ERR_FORMAT                                                                                             },
        {"more",                    "state",      "span25 state 1\nkind: read\nx", "damaged",
         ERR_FORMAT                                                                                             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tempdir t;

        tempdir_make(&t);
        if (rows[i].file != NULL)
            tempdir_store(t.path, rows[i].file, rows[i].text,
                          strlen(rows[i].text));
        if (open_it(t.path, STATE_READ, rows[i].says) != rows[i].want)
            fail_msg("%s", rows[i].why);
        tempdir_remove(&t);
    }
}

static void
test_no_place(void **state)
{
    struct tempdir t;
    struct tempdir_name file;

    (void)state;
    tempdir_make(&t);
    tempdir_store(t.path, "file", "", 0);
    file = tempdir_name(t.path, "file");
    assert_int_equal(open_it(file.s, STATE_READ, "Not a directory"), ERR_NOENT);
    assert_int_equal(open_it("/nonexistent/s", STATE_READ, "No such file"),
                     ERR_NOENT);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_and_kept),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_no_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/app/listen.h"
#include "sensor/app/live_web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW  (1000000 * NS_PER_S)
#define MONO (50000 * NS_PER_S)

static const struct live_limits limits = {
    .quiet = 300 * NS_PER_S,
    .expected = 86400 * NS_PER_S,
    .silent = 5 * NS_PER_S,
    .drop_permille = 1,
};

static int
setup(void **state)
{
    struct live_board *b;

    assert_int_equal(live_board_new(&b), ERR_OK);
    memcpy(b->core.metrics, "a 1\n", 4);
    atomic_store(&b->core.metrics_bytes, 4);
    atomic_store(&b->core.metrics_version, 2);
    atomic_store(&b->core.ready, 1);
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    live_board_free(*state);
    return 0;
}

/* The answer's first bytes and its last ones are as wanted. */
static bool
answers(const struct live_board *b, const char *request, const char *status,
        const char *end)
{
    const struct live_web_state s = {b, &limits, MONO, NOW};
    const struct span last = span_str(end);
    struct span all;
    struct buf out;
    bool good;

    buf_init(&out, 1 << 20);
    live_web_answer(&s, span_str(request), &out);
    all = buf_view(&out);
    good = span_starts(span_tail(all, 9), span_str(status)) &&
           all.n >= last.n && span_eq(span_tail(all, all.n - last.n), last);
    if (!good)
        print_message("%.*s\n", (int)all.n, (const char *)all.p);
    buf_free(&out);
    return good;
}

#define USAGE "GET /metrics, /healthz or /readyz\n"

static void
test_requests(void **state)
{
    static const struct {
        const char *why, *request, *status, *end;
    } rows[] = {
        {"the page",         "GET /metrics HTTP/1.1\r\n\r\n",     "200", "\r\n\r\na 1\n"  },
        {"with a query",     "GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200",
         "\r\n\r\na 1\n"                                                                  },
        {"health",           "GET /healthz HTTP/1.1\r\n\r\n",     "200", "\r\n\r\nok\n"   },
        {"ready",            "GET /readyz HTTP/1.1\r\n\r\n",      "200", "\r\n\r\nready\n"},
        {"no such page",     "GET / HTTP/1.1\r\n\r\n",            "404", USAGE            },
        {"only the whole",   "GET /metricsx HTTP/1.1\r\n\r\n",    "404", USAGE            },
        {"begin of a path",  "GET /metric HTTP/1.1\r\n\r\n",      "404", USAGE            },
        {"dots",             "GET /../metrics HTTP/1.1\r\n\r\n",  "404", USAGE            },
        {"another method",   "POST /metrics HTTP/1.1\r\n\r\n",    "405", USAGE            },
        {"a small method",   "get /metrics HTTP/1.1\r\n\r\n",     "405", USAGE            },
        {"no version",       "GET /metrics\r\n\r\n",              "400", USAGE            },
        {"another protocol", "GET /metrics SMTP/1.1\r\n\r\n",     "400", USAGE            },
        {"no method",        " /metrics HTTP/1.1\r\n\r\n",        "400", USAGE            },
        {"no end of a line", "GET /metrics HTTP/1.1",             "400", USAGE            },
        {"nothing",          "",                                  "400", USAGE            },
        {"an empty line",    "\r\n\r\n",                          "400", USAGE            },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!answers(*state, rows[i].request, rows[i].status, rows[i].end))
            fail_msg("%s", rows[i].why);
    }
}

static void
test_blind(void **state)
{
    struct live_board *b = *state;

    atomic_store(&b->core.journal_failed, 1);
    assert_true(answers(b, "GET /healthz HTTP/1.1\r\n\r\n", "503",
                        "\r\n\r\njournal: the journal cannot be written\n"));
    atomic_store(&b->core.journal_failed, 0);
    assert_true(answers(b, "GET /healthz HTTP/1.1\r\n\r\n", "200", "ok\n"));
}

static void
test_not_ready(void **state)
{
    struct live_board *b = *state;

    b->n_workers = 1;
    assert_true(
        answers(b, "GET /readyz HTTP/1.1\r\n\r\n", "503", "not ready\n"));
    atomic_store(&b->worker[0].process.beat_mono_ns, 1);
    assert_true(answers(b, "GET /readyz HTTP/1.1\r\n\r\n", "200", "ready\n"));
    atomic_store(&b->core.ready, 0);
    assert_true(
        answers(b, "GET /readyz HTTP/1.1\r\n\r\n", "503", "not ready\n"));
}

/* A page that is being written, or none, is not given out. */
static void
test_half_a_page(void **state)
{
    struct live_board *b = *state;

    atomic_store(&b->core.metrics_version, 3);
    assert_true(answers(b, "GET /metrics HTTP/1.1\r\n\r\n", "503",
                        "the core has made no page yet\n"));
    atomic_store(&b->core.metrics_version, 4);
    atomic_store(&b->core.metrics_bytes, UINT32_MAX);
    assert_true(answers(b, "GET /metrics HTTP/1.1\r\n\r\n", "200", ""));
    atomic_store(&b->core.metrics_bytes, 0);
    assert_true(answers(b, "GET /metrics HTTP/1.1\r\n\r\n", "503", ""));
}

static void
test_address(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:9125", true,  9125 },
        {"[::1]:65535",    true,  65535},
        {"[::1]:65536",    false, 0    },
        {"127.0.0.1:0",    false, 0    },
        {"127.0.0.1:",     false, 0    },
        {"127.0.0.1",      false, 0    },
        {":9125",          false, 0    },
        {"::1:9125",       false, 0    },
        {"localhost:9125", false, 0    },
        {"127.0.0.1:91a5", false, 0    },
        {"",               false, 0    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint16_t port = 0;
        struct addr a;

        if (listen_address(span_str(rows[i].text), &a, &port) != rows[i].good ||
            (rows[i].good && port != rows[i].port))
            fail_msg("%s", rows[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_page, setup, teardown),
        cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/app/live_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGE (512U << 10)

struct made {
    struct live_board *board;
    struct live_watch watch;
    struct live_numbers numbers;
    struct buf page;
};

static int
setup(void **state)
{
    struct made *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    assert_int_equal(live_board_new(&m->board), ERR_OK);
    m->numbers.version = "1";
    buf_init(&m->page, PAGE);
    *state = m;
    return 0;
}

static int
teardown(void **state)
{
    struct made *m = *state;

    live_board_free(m->board);
    buf_free(&m->page);
    free(m);
    return 0;
}

static bool
has(const struct made *m, const char *text)
{
    const struct span all = buf_view(&m->page);
    const struct span want = span_str(text);

    for (size_t i = 0; i + want.n <= all.n; i++) {
        if (span_eq(span_head(span_tail(all, i), want.n), want))
            return true;
    }
    return false;
}

static void
write_page(struct made *m)
{
    buf_reset(&m->page);
    live_metrics_write(m->board, &m->watch, &m->numbers, 100 * NS_PER_S,
                       &m->page);
    assert_false(m->page.cut || m->page.failed);
}

/* What nobody knows is not there, above all not as 0. */
static void
test_unknown(void **state)
{
    static const char *const unknown[] = {
        "span25_registry_lines",
        "span25_registry_overdue_forms",
        "span25_registry_next_due_timestamp_seconds",
        "span25_policy_mode",
        "span25_policy_findings_total",
        "span25_store_bytes",
        "span25_alerts_open",
        "span25_blocks{",
        "span25_clock_offset_seconds",
        "span25_stream_gap_bytes_total",
        "last_packet_timestamp_seconds{",
        "span25_process_up",
    };
    struct made *m = *state;

    m->board->n_ifaces = 1;
    write_page(m);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        if (has(m, unknown[i]))
            fail_msg("%s", unknown[i]);
    }
    assert_true(has(m, "\nspan25_watchdog 1\n"));
}

static void
test_known(void **state)
{
    struct made *m = *state;

    memcpy(m->board->iface_name[0], "span0", 6);
    m->board->n_ifaces = m->board->n_workers = 1;
    atomic_store(&m->board->worker[0].iface[0].packets, 17);
    atomic_store(&m->board->worker[0].iface[0].dropped, 3);
    atomic_store(&m->board->worker[0].iface[0].last_utc_ns, 5 * NS_PER_S / 2);
    atomic_store(&m->board->worker[0].process.since_utc_ns, NS_PER_S);
    atomic_store(&m->board->worker[0].process.beat_mono_ns, 98 * NS_PER_S);
    m->numbers.lines[0] = (struct live_named){"permitted", 4};
    m->numbers.overdue_forms = (struct live_number){true, 0};
    m->numbers.next_due = 7 * NS_PER_S;
    m->numbers.mode = "simulate";
    m->watch.findings[POLICY_SENDER] = 6;
    m->watch.files[LIVE_CLASS_B] = 8;
    m->watch.transactions[LIVE_DIRECTION_INBOUND][LIVE_OUTCOME_NO_DATA] = 5;
    m->numbers.store[LIVE_STORE_INDEX] = (struct live_number){true, 9};
    write_page(m);
    assert_true(has(m, "# TYPE span25_capture_packets_total counter\n"
                       "span25_capture_packets_total{iface=\"span0\"} 17\n"));
    assert_true(has(m, "_total{iface=\"span0\",reason=\"kernel\"} 3\n"));
    assert_true(has(m, "timestamp_seconds{iface=\"span0\"} 2.500000\n"));
    assert_true(has(m, "age_seconds{process=\"worker\",worker=\"1\"} 2.0"));
    assert_true(has(m, "span25_registry_lines{state=\"permitted\"} 4\n"));
    assert_true(has(m, "span25_registry_overdue_forms 0\n"));
    assert_true(has(m, "span25_store_bytes{kind=\"index\"} 9\n"));
    assert_true(has(m, "next_due_timestamp_seconds 7.000000\n"));
    assert_true(has(m, "span25_policy_mode{mode=\"off\"} 0\n"
                       "span25_policy_mode{mode=\"simulate\"} 1\n"
                       "span25_policy_mode{mode=\"enforce\"} 0\n"));
    assert_true(has(m, "_total{finding=\"unregistered_sender\"} 6\n"));
    assert_true(has(m, "span25_files_total{class=\"B\"} 8\n"));
    assert_true(has(m, "{direction=\"inbound\",outcome=\"no-data\"} 5\n"));
}

static void
test_escaped(void **state)
{
    struct made *m = *state;

    memcpy(m->board->sensor, "a\"b\\c\nd", 8);
    write_page(m);
    assert_true(has(m, "sensor=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

/* Everything at its most has room on the board. */
static void
test_largest(void **state)
{
    struct made *m = *state;
    struct live_board *b = m->board;

    b->n_workers = LIVE_WORKERS_MAX;
    b->n_ifaces = LIVE_IFACES_MAX;
    b->n_vlans = b->n_prefixes = LIVE_EXPECT_MAX;
    for (size_t i = 0; i < LIVE_IFACES_MAX; i++)
        memset(b->iface_name[i], '"', LIVE_IFACE_NAME_MAX - 1);
    for (size_t i = 0; i < LIVE_WATCH_RULES; i++) {
        memset(m->watch.rules[i].rule, 'r', LIVE_WATCH_RULE - 1);
        m->watch.rules[i].opened[i % LIVE_SEVERITIES] = UINT64_MAX;
    }
    for (size_t i = 0; i < LIVE_WATCH_CLOSED; i++) {
        memset(m->watch.closed[i].rule, 'r', LIVE_WATCH_RULE - 1);
        m->watch.closed[i].reason = LIVE_CLOSE_EVIDENCE;
        m->watch.closed[i].n = UINT64_MAX;
    }
    for (unsigned i = 0; i < LIVE_WORKERS_MAX; i++) {
        atomic_store(&b->worker[i].process.since_utc_ns, NS_PER_S);
        atomic_store(&b->worker[i].process.beat_mono_ns, NS_PER_S);
        atomic_store(&b->core.usage[live_board_usage(LIVE_WORKER, i)].cpu_ns,
                     UINT64_MAX);
        atomic_store(
            &b->core.usage[live_board_usage(LIVE_WORKER, i)].resident_bytes,
            UINT64_MAX);
    }
    for (unsigned i = 0; i < ANOM_COUNT; i++)
        m->watch.anomalies[i] = UINT64_MAX;
    write_page(m);
    assert_true(m->page.n < LIVE_METRICS_BYTES);
}

/* Each line is a comment or name, labels and a number. */
static void
test_lines(void **state)
{
    struct made *m = *state;
    struct span rest;

    test_known(state);
    rest = buf_view(&m->page);
    while (rest.n > 0) {
        const size_t end = span_find(rest, '\n');
        const struct span line = span_head(rest, end);

        assert_true(end < rest.n && line.n > 0);
        assert_true(span_starts(line, SPAN_LIT("# HELP span25_")) ||
                    span_starts(line, SPAN_LIT("# TYPE span25_")) ||
                    span_starts(line, SPAN_LIT("span25_")));
        rest = span_tail(rest, end + 1);
    }
}

static void
test_checks(void **state)
{
    static const struct live_limits limits = {
        .quiet = 1, .silent = 1, .expected = 1};
    struct made *m = *state;

    m->board->n_ifaces = 1;
    memcpy(m->board->iface_name[0], "a\tb\nc", 6);
    live_metrics_checks(m->board, &limits, NS_PER_S, NS_PER_S, &m->page);
    assert_true(has(m, "# check fail blind interface\tinterface a?b?c down"));
    assert_true(has(m, "# check ok sees journal\tthe journal is written\t\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checks, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

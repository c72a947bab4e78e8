#include "sensor/core/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/core/core.h"
#include "sensor/journal/journal.h"
#include "sensor/store/index.h"
#include "sensor/store/index_query.h"
#include "tempdir.h"

static void
journal_of(const char *dir, struct journal **out)
{
    struct journal_recovery recovery;
    struct buf messages;

    buf_init(&messages, 4096);
    assert_int_equal(journal_open(dir, NULL, out, &recovery, &messages),
                     ERR_OK);
    buf_free(&messages);
}

/* n events through a core, as a sensor writes them. */
static void
write_events(const char *dir, uint64_t from, uint64_t n)
{
    struct core_options o = {.sensor = "span25"};
    struct core *core;
    struct record_out r;

    journal_of(dir, &o.journal);
    assert_int_equal(core_new(&o, &core), ERR_OK);
    record_init(&r);
    for (uint64_t i = from; i < from + n; i++) {
        struct record_head h = {(i / 3 + 1) * NS_PER_S, i % 7, (uint32_t)i,
                                i % 2 == 0 ? EVENT_SMTP : EVENT_SMTP_SESSION};
        uint8_t b[4] = {10, 0, 0, (uint8_t)(i % 5)};
        struct addr a = addr_v4(b);

        record_begin(&r, &h);
        record_addr(&r, FIELD_SRC_IP, &a);
        record_str(&r, FIELD_SMTP_MAIL_FROM, SPAN_LIT("<a@\xff\x00 b>"));
        core_put(core, record_view(&r));
    }
    record_free(&r);
    assert_int_equal(core_end(core), ERR_OK);
    core_free(core);
    assert_int_equal(journal_close(o.journal), ERR_OK);
}

static void
write_line(const char *dir, const char *json)
{
    struct journal *j;

    journal_of(dir, &j);
    assert_int_equal(journal_append(j, span_str(json), NULL), ERR_OK);
    assert_int_equal(journal_close(j), ERR_OK);
}

static uint64_t
durable_of(const char *dir)
{
    struct journal *j;
    uint64_t n;

    journal_of(dir, &j);
    n = journal_durable(j);
    assert_int_equal(journal_close(j), ERR_OK);
    return n;
}

struct followed {
    uint64_t damaged;
    struct buf messages;
};

static void
follow(const char *dir, uint64_t durable, struct followed *f)
{
    *f = (struct followed){0};
    buf_init(&f->messages, 1 << 16);
    assert_int_equal(follow_index(dir, durable, &f->damaged, &f->messages),
                     ERR_OK);
    buf_putc(&f->messages, '\0');
}

/* Everything an index says, in its order. */
static void
add_row(void *ctx, const struct index_event *e)
{
    struct buf *b = ctx;
    char name[ADDR_TEXT_MAX];

    buf_printf(b, "%llu %llu %llu %d ", (unsigned long long)e->seq,
               (unsigned long long)e->when, (unsigned long long)e->flow_id,
               e->has_src);
    buf_put(b, name, addr_format(&e->src, name));
    buf_span(b, e->event_id);
    buf_span(b, e->type);
    buf_span(b, e->mail_from);
    buf_putc(b, '\n');
}

static size_t
dump(const char *dir, struct buf *out)
{
    struct index_query q = {0};
    struct index_reader *r;
    struct buf messages;
    size_t rows = 0;

    buf_init(out, SIZE_MAX / 2);
    buf_init(&messages, 4096);
    assert_int_equal(index_reader_open(dir, &r, &messages), ERR_OK);
    assert_int_equal(index_events(r, &q, add_row, out), ERR_OK);
    index_reader_close(r);
    buf_free(&messages);
    for (size_t i = 0; i < out->n; i++)
        rows += out->p[i] == '\n';
    return rows;
}

/* ---- */

static void
builds_the_same_in_any_steps(void **state)
{
    struct tempdir dir;
    struct followed f;
    struct buf steps;
    struct buf whole;

    (void)state;
    tempdir_make(&dir);
    for (uint64_t at = 0; at < 2000;) {
        uint64_t n = at % 3 == 0 ? 1 : 700;

        write_events(dir.path, at, n);
        at += n;
        follow(dir.path, at, &f);
        assert_int_equal(f.damaged, 0);
        assert_string_equal((char *)f.messages.p, "");
        buf_free(&f.messages);
    }
    assert_true(dump(dir.path, &steps) >= 2000);
    assert_int_equal(index_drop(dir.path), ERR_OK);
    follow(dir.path, durable_of(dir.path), &f);
    buf_free(&f.messages);
    (void)dump(dir.path, &whole);
    assert_int_equal(steps.n, whole.n);
    assert_memory_equal(steps.p, whole.p, whole.n);
    buf_free(&steps);
    buf_free(&whole);
    tempdir_remove(&dir);
}

/* What is not durable may never have been. */
static void
stops_at_what_is_durable(void **state)
{
    struct tempdir dir;
    struct followed f;
    struct buf rows;

    (void)state;
    tempdir_make(&dir);
    write_events(dir.path, 0, 10);
    for (uint64_t durable = 0; durable <= 10; durable++) {
        follow(dir.path, durable, &f);
        buf_free(&f.messages);
        assert_int_equal(dump(dir.path, &rows), durable);
        buf_free(&rows);
    }
    tempdir_remove(&dir);
}

/* At most so many lines on, from wherever it is; then the whole is there. */
static void
goes_on_in_bounds(void **state)
{
    static const struct {
        const char *why;
        uint64_t durable, most, want;
    } steps[] = {
        {"nothing is there yet",       0,  3,          0 },
        {"no step at all",             10, 0,          0 },
        {"one less than there is",     4,  3,          3 },
        {"as many as there are",       6,  3,          6 },
        {"less is there than allowed", 7,  3,          7 },
        {"nothing more",               7,  3,          7 },
        {"no bound",                   10, UINT64_MAX, 10},
    };
    struct tempdir dir;
    struct buf messages;
    uint64_t at = 0;

    (void)state;
    tempdir_make(&dir);
    buf_init(&messages, 4096);
    write_events(dir.path, 0, 10);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t damaged = 1;
        struct buf rows;

        if (follow_index_some(dir.path, steps[i].durable, steps[i].most, &at,
                              &damaged, &messages) != ERR_OK ||
            at != steps[i].want || damaged != 0 ||
            dump(dir.path, &rows) != steps[i].want)
            fail_msg("%s: at %llu", steps[i].why, (unsigned long long)at);
        buf_free(&rows);
    }
    assert_int_equal(messages.n, 0);
    buf_free(&messages);
    tempdir_remove(&dir);
}

/* An index ahead of the journal, as after a power failure, is built anew. */
static void
builds_anew_what_is_ahead(void **state)
{
    struct tempdir dir;
    struct followed f;
    struct buf rows;

    (void)state;
    tempdir_make(&dir);
    write_events(dir.path, 0, 10);
    follow(dir.path, 10, &f);
    buf_free(&f.messages);
    assert_int_equal(f.damaged, 0);
    follow(dir.path, 4, &f);
    assert_int_equal(f.damaged, 1);
    assert_string_equal((const char *)f.messages.p,
                        "journal: it ends at line 4, but line 10 was there "
                        "already: events are lost\n");
    buf_free(&f.messages);
    assert_int_equal(dump(dir.path, &rows), 4);
    buf_free(&rows);
    tempdir_remove(&dir);
}

static void
replaces_a_damaged_index(void **state)
{
    struct tempdir dir;
    struct followed f;
    struct buf rows;

    (void)state;
    tempdir_make(&dir);
    write_events(dir.path, 0, 10);
    tempdir_store(dir.path, "index.db", "this is no database at all", 26);
    follow(dir.path, 10, &f);
    assert_true(f.messages.n > 1); /* said so */
    buf_free(&f.messages);
    assert_int_equal(dump(dir.path, &rows), 10);
    buf_free(&rows);
    tempdir_remove(&dir);
}

/* A line that is whole, and no event: told with its number, the rest goes in.
 */
static void
tells_lines_that_are_no_events(void **state)
{
    struct tempdir dir;
    struct followed f;
    struct buf rows;

    (void)state;
    tempdir_make(&dir);
    write_events(dir.path, 0, 3);
    write_line(dir.path, "{\"flow_id\":\"a text\"}");
    write_events(dir.path, 3, 3);
    follow(dir.path, 7, &f);
    assert_int_equal(f.damaged, 1);
    assert_non_null(strstr((char *)f.messages.p, "line 4 is not an event"));
    buf_free(&f.messages);
    assert_int_equal(dump(dir.path, &rows), 6);
    buf_free(&rows);
    tempdir_remove(&dir);
}

/* A line whose bytes were changed on disk. */
static void
tells_damaged_lines(void **state)
{
    struct tempdir dir;
    struct tempdir_name folder;
    struct followed f;
    struct buf rows;
    uint8_t *text;
    size_t n;
    size_t line = 0;
    DIR *h;
    struct dirent *d;
    char found[256] = "";

    (void)state;
    tempdir_make(&dir);
    write_events(dir.path, 0, 10);
    folder = tempdir_name(dir.path, "journal");
    h = opendir(folder.s);
    assert_non_null(h);
    while ((d = readdir(h)) != NULL) {
        if (strstr(d->d_name, ".jsonl") != NULL)
            (void)snprintf(found, sizeof(found), "%s", d->d_name);
    }
    (void)closedir(h);
    text = tempdir_load(folder.s, found, &n);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            line++;
        if (line == 4 && text[i] == ':') {
            text[i] = '#';
            break;
        }
    }
    tempdir_store(folder.s, found, text, n);
    free(text);
    follow(dir.path, 10, &f);
    assert_int_equal(f.damaged, 1);
    assert_true(f.messages.n > 10);
    buf_free(&f.messages);
    assert_int_equal(dump(dir.path, &rows), 9);
    buf_free(&rows);
    tempdir_remove(&dir);
}

static void
needs_a_journal(void **state)
{
    struct tempdir dir;
    struct buf messages;
    uint64_t damaged;

    (void)state;
    tempdir_make(&dir);
    buf_init(&messages, 4096);
    assert_int_equal(follow_index(dir.path, 0, &damaged, &messages), ERR_NOENT);
    buf_free(&messages);
    tempdir_remove(&dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_same_in_any_steps),
        cmocka_unit_test(stops_at_what_is_durable),
        cmocka_unit_test(goes_on_in_bounds),
        cmocka_unit_test(builds_anew_what_is_ahead),
        cmocka_unit_test(replaces_a_damaged_index),
        cmocka_unit_test(tells_lines_that_are_no_events),
        cmocka_unit_test(tells_damaged_lines),
        cmocka_unit_test(needs_a_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

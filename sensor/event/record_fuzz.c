/* record_fuzz - any bytes as a record, and two of them merged
 *
 * The first two bytes say where the input is cut in two. Reader and writer are
 * made once: their index costs more than a record. */
#include "sensor/event/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct span
copy_of(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, p, n);
    return span_of(copy, n);
}

static void
walk(struct span rec)
{
    struct cursor c = record_entries_of(rec);
    struct record_entry e;
    unsigned last = 0;

    while (record_next(&c, &e)) {
        struct cursor in = cur_open(e.value);
        struct record_entry child;

        REQUIRE((unsigned)e.field >= last);
        last = (unsigned)e.field;
        if (field_table[e.field].type != FT_OBJS)
            continue;
        while (record_next(&in, &child))
            REQUIRE(field_parent_of(child.field) == e.field);
        REQUIRE(!in.bad);
    }
    REQUIRE(!c.bad);
}

static void
there_and_back(struct json_reader *r, struct span rec)
{
    static struct json_writer w;
    struct buf line;
    struct buf message;
    struct record_out out;

    if (w.tree.n == 0)
        json_writer_init(&w);
    buf_init(&line, JSON_LINE_MAX);
    buf_init(&message, 1000);
    record_init(&out);
    REQUIRE(json_write(&w, rec, &line));
    REQUIRE(json_read(r, buf_view(&line), &out, &message) == ERR_OK);
    REQUIRE(span_eq(record_view(&out), rec));
    record_free(&out);
    buf_free(&message);
    buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span in = span_of(data, n);
    size_t cut = span_at(in, 0) * 256U + span_at(in, 1);
    struct span rest = span_tail(in, 2);
    struct span a = copy_of(rest.p, span_head(rest, cut).n);
    struct span b = copy_of(span_tail(rest, cut).p, span_tail(rest, cut).n);
    static struct json_reader r;
    struct record_out out;

    if (r.tree.n == 0)
        json_reader_init(&r);
    record_init(&out);
    if (record_check(a)) {
        walk(a);
        there_and_back(&r, a);
    }
    if (record_check(a) && record_check(b)) {
        record_merge(&out, a, b);
        REQUIRE(record_check(record_view(&out)));
        walk(record_view(&out));
        there_and_back(&r, record_view(&out));
    }
    record_free(&out);
    free((void *)(uintptr_t)a.p);
    free((void *)(uintptr_t)b.p);
    return 0;
}

/* What study compare shows of results that are odd: nothing of theirs reaches a
 * terminal, nothing is shown that cannot be said, and JSON is JSON. */
#include "sensor/app/study_compare_show.h"

#include <setjmp.h>
/* cmocka needs the above */
#include "tests/support/study_kit.h"

#include <cmocka.h>

#include "sensor/event/study_json.h"

#define DAY_NS (UINT64_C(86400) * NS_PER_S)

/* The kind again, behind the other's window. */
static void
move(struct study_result *r, ns_t from)
{
    const ns_t by = from - r->from;

    r->from += by;
    r->to += by;
    for (size_t i = 0; i < r->n_days; i++)
        r->days[i].begin += by;
    for (size_t i = 0; i < r->n_hours; i++)
        r->hours[i].begin += by;
}

static void
make(struct study_kit *before, struct study_kit *after, enum study_kit_kind a,
     enum study_kit_kind b)
{
    study_kit_make(before, a);
    study_kit_make(after, b);
    if (before->r.to <= before->r.from) {
        before->r.from = STUDY_KIT_START;
        before->r.to = before->r.from + 28 * DAY_NS;
    }
    if (after->r.to <= after->r.from) {
        after->r.from = STUDY_KIT_START;
        after->r.to = after->r.from + 28 * DAY_NS;
    }
    move(&after->r, before->r.to);
    after->r.demo = before->r.demo;
}

static bool
has(const struct buf *b, const char *text)
{
    return span_search(buf_view(b), span_str(text)) < b->n;
}

static void
look_at_text(const struct study_compare_view *v, struct buf *out)
{
    buf_reset(out);
    study_compare_text(v, out);
    assert_true(out->n > 0 && !out->failed && !out->cut);
    for (size_t i = 0; i < out->n; i++) {
        const uint8_t c = out->p[i];

        assert_true(c == '\n' || (c >= ' ' && c != 0x7f));
    }
    assert_false(has(out, "nan") || has(out, "\xe2\x80\xae"));
}

/* Read by the reader of studies, which is strict and passes over what it does
 * not know. */
static void
look_at_json(const struct study_compare_view *v, struct buf *out)
{
    struct study_json *read = NULL;
    struct buf message;
    enum err e;

    buf_reset(out);
    buf_init(&message, 1000);
    study_compare_json(v, out);
    assert_true(!out->failed && !out->cut);
    e = study_json_read_as(buf_view(out), "span25-study-compare-1", &read,
                           &message);
    if (e != ERR_OK)
        fail_msg("%.*s", (int)message.n, (const char *)message.p);
    assert_false(has(out, "nan") || has(out, "\x1b"));
    study_json_free(read);
    buf_free(&message);
}

static void
look(enum study_kit_kind a, enum study_kit_kind b, struct buf *out)
{
    struct study_kit before, after;
    struct compare c;

    make(&before, &after, a, b);
    assert_int_equal(compare_of(&before.r, &after.r, &c), ERR_OK);
    assert_int_equal(c.why, COMPARE_FINE);
    for (unsigned width = 0; width <= 80; width += 40) {
        const struct study_compare_view v = {&before.r, &after.r, &c, width};

        look_at_text(&v, out);
    }
    look_at_json(&(struct study_compare_view){&before.r, &after.r, &c, 0}, out);
    compare_free(&c);
    study_kit_free(&before);
    study_kit_free(&after);
}

static void
kinds(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 24);
    for (enum study_kit_kind k = 0; k < STUDY_KIT_KINDS; k++) {
        if (k == STUDY_KIT_LARGE) /* no other kinds of members */
            continue;
        look(STUDY_KIT_FULL, k, &out);
        look(k, STUDY_KIT_FULL, &out);
        look(k, k, &out);
    }
    buf_free(&out);
}

/* The same studies give the same bytes, and the campus' policies are there. */
static void
full(void **state)
{
    struct study_kit before, after;
    struct buf a, b;
    struct compare c;

    (void)state;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    make(&before, &after, STUDY_KIT_GOOD, STUDY_KIT_GOOD);
    assert_int_equal(compare_of(&before.r, &after.r, &c), ERR_OK);
    study_compare_json(&(struct study_compare_view){&before.r, &after.r, &c, 0},
                       &a);
    study_compare_json(&(struct study_compare_view){&before.r, &after.r, &c, 0},
                       &b);
    assert_true(span_eq(buf_view(&a), buf_view(&b)));
    assert_true(has(&a, "\"policy\":\"P4\",\"name\":\"right\""));
    assert_true(has(&a, "\"review_precision\""));
    assert_true(has(&a, "\"name\":\"messages\""));
    compare_free(&c);
    study_kit_free(&before);
    study_kit_free(&after);
    buf_free(&a);
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/sinks/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tempdir.h"

/* What every kind of sink must do, on something it can write to. */
static void
check_kind(const struct sink_ops *ops, const char *target)
{
    struct sink_settings settings = {.target = target};
    struct record_head head = {.when = 1, .type = EVENT_SMTP};
    struct sink *s = NULL;
    struct buf message;
    struct sink_counts c;

    buf_init(&message, 4096);
    assert_ptr_equal(sink_find(span_str(ops->name)), ops);
    assert_int_equal(sink_open(span_str(ops->name), &settings, &s, &message),
                     ERR_OK);
    assert_ptr_equal(s->ops, ops);
    assert_int_equal(ops->flush(s), PUT_DONE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ops->put(s, &head, SPAN_LIT("{\"a\":1}")), PUT_DONE);
    c = ops->counts(s);
    assert_int_equal(c.taken, 3);
    assert_true(c.delivered <= 3);
    ops->tick(s, 2);
    assert_int_equal(ops->flush(s), PUT_DONE);
    assert_int_equal(ops->counts(s).delivered, 3);
    assert_int_equal(ops->reopen(s), ERR_OK);
    assert_int_equal(ops->put(s, &head, SPAN_LIT("{\"b\":2}")), PUT_DONE);
    assert_int_equal(ops->flush(s), PUT_DONE);
    assert_int_equal(ops->counts(s).delivered, 4);
    ops->why(s, &message);
    assert_true(message.n > 0);
    ops->close(s);
    ops->close(NULL);
    buf_free(&message);
}

static void
test_every_kind(void **state)
{
    struct tempdir t;
    struct tempdir_name target;

    (void)state;
    tempdir_make(&t);
    target = tempdir_name(t.path, "out");
    assert_non_null(sink_registry[0]);
    for (size_t i = 0; sink_registry[i] != NULL; i++)
        check_kind(sink_registry[i], target.s);
    tempdir_remove(&t);
}

static void
test_unknown_kind(void **state)
{
    struct sink_settings settings = {.target = "x"};
    struct sink *s = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_null(sink_find(SPAN_LIT("fil")));
    assert_int_equal(sink_open(SPAN_LIT("fil"), &settings, &s, &message),
                     ERR_CONFIG);
    assert_true(span_search(buf_view(&message), SPAN_LIT("file")) < message.n);
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_unknown_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/app/elastic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/event/fields.h"

#define TEMPLATE_MAX (1U << 20)

static size_t
count(const struct buf *b, const char *text)
{
    const struct span all = buf_view(b);
    const struct span want = span_str(text);
    size_t n = 0;

    for (size_t i = 0; i + want.n <= all.n; i++)
        n += span_eq(span_head(span_tail(all, i), want.n), want);
    return n;
}

/* A field of its own, and one type each. */
static void
test_eve(void **state)
{
    struct buf b;
    char key[256];

    (void)state;
    buf_init(&b, TEMPLATE_MAX);
    elastic_eve(&b);
    assert_false(b.cut || b.failed);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (field_parent_of((enum field)i) != FIELD_COUNT)
            continue;
        (void)snprintf(key, sizeof(key),
                       "\"%s\":{\"type\":", field_table[i].path);
        if (count(&b, key) < 1)
            fail_msg("%s", key);
    }
    assert_int_equal(count(&b, "\"type\":\""), FIELD_COUNT);
    buf_free(&b);
}

/* Each stands there once. */
static const char *const parts[] = {
    "{\"index_patterns\":[\"span25-ecs-*\"]",
    "\"index.mapping.ignore_malformed\":true",
    "\"dynamic\":false",
    "\"@timestamp\":{\"type\":\"date\"}",
    "origination_timestamp\":{\"type\":\"date\"}",
    "\"source.ip\":{\"type\":\"ip\"}",
    "\"related.ip\":{\"type\":\"ip\"}",
    "\"message\":{\"type\":\"text\"}",
    "\"event.severity\":{\"type\":\"long\"}",
    "\"ecs.version\":{\"type\":\"keyword\"",
    "\"smtp.rcpt\":{\"type\":\"nested\",\"properties\":{\"addr\":{",
    "\"email.attachments\":{\"type\":\"nested\",\"properties\":{\"file.name\":",
};

static void
test_ecs(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, TEMPLATE_MAX);
    assert_true(elastic_ecs(&b));
    assert_false(b.cut || b.failed);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (count(&b, parts[i]) != 1)
            fail_msg("%s", parts[i]);
    }
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eve),
        cmocka_unit_test(test_ecs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

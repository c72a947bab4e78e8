#include "sensor/event/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/base/buf.h"
#include "sensor/event/json_write.h"

static const struct {
    const char *why, *json;
    enum keep_kind want;
} rows[] = {
    {"mail",                            "{\"timestamp\":\"t\",\"event_type\":\"smtp\"}",
     KEEP_TRANSACTIONS                                                                                                   },
    {"alert",                           "{\"event_type\":\"alert\"}",                                   KEEP_ALERTS      },
    {"decision",                        "{\"event_type\":\"decision\"}",                                KEEP_ALERTS      },
    {"what people did",
     "{\"event_type\":\"control\",\"control\":{\"kind\":\"alert\"}}",                                   KEEP_ALERTS      },
    {"tick",                            "{\"event_type\":\"control\",\"control\":{\"kind\":\"tick\"}}",
     KEEP_STATISTICS                                                                                                     },
    {"host",                            "{\"event_type\":\"host\"}",                                    KEEP_STATISTICS  },
    {"dns",                             "{\"event_type\":\"dns\"}",                                     KEEP_STATISTICS  },
    {"a later version's type",          "{\"event_type\":\"smtp2\"}",                                   KEEP_ALERTS      },
    {"no type",                         "{\"n\":1}",                                                    KEEP_ALERTS      },
    {"cut within the key",              "{\"event_type\":\"",                                           KEEP_ALERTS      },
    {"empty",                           "",                                                             KEEP_ALERTS      },
    {"a value that looks like the key",
     "{\"a\":\"\\\"event_type\\\":\\\"stats\\\"\",\"event_type\":\"smtp\"}",                            KEEP_TRANSACTIONS},
};

static void
of_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (keep_of_json(span_str(rows[i].json)) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
}

/* Both say the same of every type, as it is written. */
static void
alike(void **state)
{
    static const char *const kinds[] = {"start", "tick", "alert"};
    struct json_writer *w = calloc(1, sizeof(*w));
    struct record_out r;
    struct buf line;

    (void)state;
    assert_non_null(w);
    json_writer_init(w);
    record_init(&r);
    buf_init(&line, 1 << 16);
    for (unsigned t = EVENT_NONE + 1; t < EVENT_TYPE_COUNT; t++) {
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            const struct record_head head = {.when = NS_PER_S,
                                             .type = (enum event_type)t};

            record_begin(&r, &head);
            if (t == EVENT_CONTROL)
                record_text(&r, FIELD_CONTROL_KIND, kinds[k]);
            buf_reset(&line);
            assert_true(json_write(w, record_view(&r), &line));
            assert_int_equal(keep_of_record(record_view(&r)),
                             keep_of_json(buf_view(&line)));
        }
    }
    buf_free(&line);
    record_free(&r);
    free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_json),
        cmocka_unit_test(alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/app/desk_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct {
    const char *why, *in, *lines, *said;
} rows[] = {
    {"nothing",                             "",                              "[]",                 "[]"},
    {"an empty line",                       "\n\n",                          "[]",                 "[]"},
    {"client and server",                   "    C  EHLO a\n    S  250 b\n",
     "[\"C  EHLO a\",\"S  250 b\"]",                                                               "[{\"who\":\"C\",\"text\":\"EHLO a\"},"
     "{\"who\":\"S\",\"text\":\"250 b\"}]"                         },
    {"a note",                              "       (ended: fin)\n",         "[\"(ended: fin)\"]",
     "[{\"who\":\"\",\"text\":\"ended: fin\"}]"                                                        },
    {"a fact that begins as a client does", "       C: x",                   "[\"C: x\"]",
     "[{\"who\":\"\",\"text\":\"C: x\"}]"                                                              },
    {"quotes and a slash",                  "S  \"\\",                       "[\"S  \\\"\\\\\"]",
     "[{\"who\":\"S\",\"text\":\"\\\"\\\\\"}]"                                                         },
};

static void
test_lines(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;

        buf_init(&out, 4096);
        desk_lines_json(span_str(rows[i].in), &out);
        if (!span_eq(buf_view(&out), span_str(rows[i].lines)))
            fail_msg("%s: %.*s", rows[i].why, (int)out.n, (const char *)out.p);
        buf_reset(&out);
        desk_lines_said_json(span_str(rows[i].in), &out);
        if (!span_eq(buf_view(&out), span_str(rows[i].said)))
            fail_msg("%s: %.*s", rows[i].why, (int)out.n, (const char *)out.p);
        buf_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

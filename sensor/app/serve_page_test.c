#include "sensor/app/serve_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#define THREE                                                                  \
    "{\"schema\":\"s\",\"rows\":[{\"a\":\"Xena\"},{\"a\":\"b\"},{\"a\":\"x\"}" \
    "]"                                                                        \
    ",\"more\":1}"

static void
test_pages(void **state)
{
    static const struct {
        const char *why, *in, *search;
        size_t limit, after;
        const char *want; /* NULL: it is none */
    } rows[] = {
        {"all",               THREE,                    "",  0, 0,
         "{\"schema\":\"s\",\"rows\":[{\"a\":\"Xena\"},{\"a\":\"b\"},{\"a\":"
         "\"x\"}],\"next\":null,\"total\":3}"                          },
        {"a page",            THREE,                    "",  2, 0,
         "{\"schema\":\"s\",\"rows\":[{\"a\":\"Xena\"},{\"a\":\"b\"}],"
         "\"next\":\"2\",\"total\":3}"                                 },
        {"the last one",      THREE,                    "",  2, 2,
         "{\"schema\":\"s\",\"rows\":[{\"a\":\"x\"}],\"next\":null,"
         "\"total\":3}"                                                },
        {"behind the end",    THREE,                    "",  2, 9,
         "{\"schema\":\"s\",\"rows\":[],\"next\":null,\"total\":3}"    },
        {"those that fit",    THREE,                    "X", 1, 0,
         "{\"schema\":\"s\",\"rows\":[{\"a\":\"Xena\"}],\"next\":\"1\","
         "\"total\":2}"                                                },
        {"their second page", THREE,                    "X", 1, 1,
         "{\"schema\":\"s\",\"rows\":[{\"a\":\"x\"}],\"next\":null,"
         "\"total\":2}"                                                },
        {"none",              "{\"rows\":[]}",          "",  0, 0,
         "{\"rows\":[],\"next\":null,\"total\":0}"                     },
        {"no rows",           "{\"schema\":\"s\"}",     "",  0, 0, NULL},
        {"rows are none",     "{\"rows\":{\"a\":1}}",   "",  0, 0, NULL},
        {"cut",               "{\"rows\":[{\"a\":1},{", "",  0, 0, NULL},
        {"no document",       "[1]",                    "",  0, 0, NULL},
        {"nothing",           "",                       "",  0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct serve_page page = {span_str(rows[i].search), rows[i].limit,
                                        rows[i].after};
        struct buf out;
        bool good;

        buf_init(&out, 4096);
        good = serve_page_write(span_str(rows[i].in), &page, &out);
        if (good != (rows[i].want != NULL) ||
            (good && !span_eq(buf_view(&out), span_str(rows[i].want))))
            fail_msg("%s: %.*s", rows[i].why, (int)out.n, (const char *)out.p);
        buf_free(&out);
    }
}

/* No more than a browser bears, whatever is asked. */
static void
test_most(void **state)
{
    const struct serve_page page = {.limit = 0};
    struct buf in, out;

    (void)state;
    buf_init(&in, 1U << 16);
    buf_init(&out, 1U << 16);
    buf_str(&in, "{\"rows\":[");
    for (size_t i = 0; i <= SERVE_PAGE_MOST; i++)
        buf_str(&in, i > 0 ? ",{}" : "{}");
    buf_str(&in, "]}");
    assert_true(serve_page_write(buf_view(&in), &page, &out));
    assert_true(span_search(buf_view(&out),
                            SPAN_LIT("\"next\":\"500\",\"total\":501")) <
                out.n);
    buf_free(&in);
    buf_free(&out);
}

static void
test_no_room(void **state)
{
    const struct serve_page page = {.limit = 0};
    struct buf out;

    (void)state;
    buf_init(&out, 16);
    assert_false(serve_page_write(SPAN_LIT(THREE), &page, &out));
    buf_free(&out);
}

static void
test_after(void **state)
{
    size_t n = 0;

    (void)state;
    assert_true(serve_page_after(SPAN_LIT("4294967295"), &n));
    assert_int_equal(n, UINT32_MAX);
    assert_false(serve_page_after(SPAN_LIT("4294967296"), &n));
    assert_false(serve_page_after(SPAN_LIT("x"), &n));
    assert_false(serve_page_after(SPAN_LIT("-1"), &n));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dashboards/http/assets.h"

#define BYTES ((const uint8_t *)"\x1f\x8b")

static const struct asset table[] = {
    {"/index.html",   "text/html; charset=utf-8",       BYTES, 2, "0123", false},
    {"/main-1a2b.js", "text/javascript; charset=utf-8", BYTES, 2, "4567", true },
};

static void
test_view(void **state)
{
    static const struct {
        const char *path, *find, *view;
    } rows[] = {
        {"/index.html",     "/index.html",   "/index.html"  },
        {"/main-1a2b.js",   "/main-1a2b.js", "/main-1a2b.js"},
        {"/",               NULL,            "/index.html"  },
        {"/hosts/a",        NULL,            "/index.html"  },
        {"/v1.2/hosts",     NULL,            "/index.html"  },
        {"/hosts/10.2.3.4", NULL,            "/index.html"  },
        {"/assets/old.js",  NULL,            NULL           },
        {"/main-1a2b",      NULL,            "/index.html"  },
        {"/main-ffff.js",   NULL,            NULL           },
        {"/main-1a2b.js/",  NULL,            "/index.html"  },
        {"/favicon.ico",    NULL,            NULL           },
        {"/api",            NULL,            NULL           },
        {"/api/v1/nothing", NULL,            NULL           },
        {"/apis",           NULL,            "/index.html"  },
        {"",                NULL,            "/index.html"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct span path = span_str(rows[i].path);
        const struct asset *a = assets_find(table, ARRAY_LEN(table), path);
        const struct asset *v = assets_view(table, ARRAY_LEN(table), path);

        if (rows[i].find == NULL)
            assert_null(a);
        else
            assert_string_equal(a->path, rows[i].find);
        if (rows[i].view == NULL)
            assert_null(v);
        else
            assert_string_equal(v->path, rows[i].view);
    }
    assert_null(assets_view(NULL, 0, SPAN_LIT("/")));
}

static void
test_answer(void **state)
{
    struct http_answer a = {.status = 0};

    (void)state;
    assets_answer(&table[1], &a);
    assert_int_equal(a.status, 200);
    assert_true(a.gzip && a.immutable && !a.stream && !a.attachment);
    assert_int_equal(a.fixed.n, 2);
    assert_string_equal(a.etag, "4567");
    assert_string_equal(a.type, table[1].type);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

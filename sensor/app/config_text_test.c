#include "sensor/app/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/app/config.h"
#include "sensor/app/options_sites.h"

static void
assert_valid(const struct buf *text)
{
    struct config c;
    struct buf messages;

    buf_init(&messages, 1U << 16);
    assert_int_equal(options_init(&c), ERR_OK);
    if (config_parse(buf_view(text), "f", &c, &messages) != ERR_OK)
        fail_msg("%.*s", (int)messages.n, (const char *)messages.p);
    options_fini(&c);
    buf_free(&messages);
}

static bool
has(const struct buf *text, const char *s)
{
    return span_search(buf_view(text), span_str(s)) < text->n;
}

static void
test_default(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1U << 20);
    config_text_default(&text);
    assert_valid(&text);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_rows[i].path[0] != 0 && !has(&text, options_rows[i].help))
            fail_msg("%s is not there", options_rows[i].path);
    }
    assert_true(has(&text, "\n  ports: [25, 465, 587, 2525]\n"));
    assert_true(has(&text, "\n  # registry: FILE\n"));
    for (size_t l = 0; options_lists[l] != NULL; l++) {
        for (unsigned i = 0; i < options_lists[l]->n_rows; i++)
            assert_true(has(&text, options_lists[l]->rows[i].help));
    }
    buf_free(&text);
}

static void
test_init(void **state)
{
    struct buf text;
    size_t lines = 0, column = 0;

    (void)state;
    buf_init(&text, 1U << 20);
    config_text_init(&text);
    assert_valid(&text);
    for (size_t i = 0; i < text.n; i++) {
        column = text.p[i] == '\n' ? 0 : column + 1;
        assert_true(column <= 120);
        lines += text.p[i] == '\n';
    }
    assert_in_range(lines, 5, 30);
    assert_true(has(&text, "  # home: PREFIX"));
    buf_free(&text);
}

/* Every value survives being shown and read. */
static void
test_show(void **state)
{
    static const struct {
        enum option_id id;
        const char *text;
    } sets[] = {
        {OPTION_ID_name,     "it's \"#1\": a\\b"               },
        {OPTION_ID_home,     "192.0.2.0/24,2001:db8::/32,::1"  },
        {OPTION_ID_registry, "-"                               },
        {OPTION_ID_filter,   "not (host 192.0.2.1 or net 10/8)"},
        {OPTION_ID_memory,   "100000000"                       },
        {OPTION_ID_color,    "never"                           },
        {OPTION_ID_utc,      "true"                            },
        {OPTION_ID_nat,      "192.0.2.0/28"                    },
        {OPTION_ID_leases,   "a, \"b\": [c]"                   },
    };
    static const char sites[] =
        "sites:\n"
        "  - code: \"A\"\n"
        "    name: \"it's #1: x\"\n"
        "    prefixes: [\"10.0.0.0/8\", \"2001:db8::/32\"]\n"
        "    vlans: [7, 8]\n"
        "    owner: \"o\"\n"
        "    contact: \"c\"\n"
        "    zone: \"Europe/Berlin\"\n"
        "  - code: \"B\"\n";
    struct config c, again;
    struct buf first, second, why;

    (void)state;
    buf_init(&first, 1U << 16);
    buf_init(&second, 1U << 16);
    buf_init(&why, 4096);
    assert_int_equal(options_init(&c), ERR_OK);
    assert_int_equal(options_init(&again), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        assert_true(options_set(&c, sets[i].id, span_str(sets[i].text),
                                (struct origin){ORIGIN_FLAG, 0}, &why));
    assert_int_equal(config_parse(span_str(sites), "f", &c, &why), ERR_OK);
    config_text_show(&c, false, &first);
    assert_true(has(&first, sites));
    assert_int_equal(config_parse(buf_view(&first), "f", &again, &why), ERR_OK);
    config_text_show(&again, false, &second);
    assert_true(span_eq(buf_view(&first), buf_view(&second)));
    assert_string_equal(again.name, sets[0].text);
    options_fini(&c);
    options_fini(&again);
    buf_free(&first);
    buf_free(&second);
    buf_free(&why);
}

/* A file name cannot break out of the comment that it stands in. */
static void
test_origin_is_escaped(void **state)
{
    struct origin file = {ORIGIN_FILE, 3};
    struct config c;
    struct buf text, why;

    (void)state;
    buf_init(&text, 1U << 16);
    buf_init(&why, 4096);
    assert_int_equal(options_init(&c), ERR_OK);
    c.file = strdup("a\nlimits.flows: 1");
    assert_true(options_set(&c, OPTION_ID_workers, SPAN_LIT("2"), file, &why));
    config_text_show(&c, true, &text);
    assert_true(has(&text, "  workers: 2  # a\\x0alimits.flows: 1:3\n"));
    options_fini(&c);
    buf_free(&text);
    buf_free(&why);
}

/* Rows of a section stand together, or sections would be there twice. */
static void
test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &options_rows[i];

        assert_true(row->path[0] != 0 || row->flag[0] != 0 || row->letter);
        assert_true(row->type == OPTION_BOOL || row->argument[0] != 0);
        for (unsigned k = 0; k < i; k++) {
            if (row->path[0] != 0)
                assert_string_not_equal(row->path, options_rows[k].path);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_origin_is_escaped),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

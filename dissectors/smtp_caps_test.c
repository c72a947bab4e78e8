#include "dissectors/smtp_caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
check(struct span line, size_t most)
{
    struct buf small;
    struct buf again;

    buf_init(&small, 4096);
    buf_init(&again, 4096);
    smtp_caps_pack(line, &small);
    smtp_caps_unpack(buf_view(&small), &again);
    if (!span_eq(buf_view(&again), line) || small.n > most)
        fail_msg("%.*s: %zu bytes", (int)line.n, (const char *)line.p, small.n);
    buf_free(&small);
    buf_free(&again);
}

static void
test_lines(void **state)
{
    static const struct {
        const char *line;
        size_t most;
    } rows[] = {
        {"PIPELINING",       1 },
        {"SIZE 10240000",    1 },
        {"SIZE 35882577",    9 },
        {"SIZE",             1 },
        {"size 100",         8 },
        {"",                 0 },
        {"AUTH PLAIN LOGIN", 1 },
        {"AUTH GSSAPI",      7 },
        {"XXXXXXXX",         8 },
        {"8BITMIME ",        2 },
        {"PIPELININGS",      2 },
        {"X-OTHER a b",      11},
        {"\x80",             2 },
        {"\xff\xff",         3 },
        {"\x85 text",        7 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(span_str(rows[i].line), rows[i].most);
}

static void
test_every_first_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t line[3] = {(uint8_t)c, 'a', 0x90};

        for (size_t n = 0; n <= sizeof(line); n++)
            check(span_of(line, n), n + 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_every_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

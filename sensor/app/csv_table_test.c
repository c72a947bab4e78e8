#include "sensor/app/csv_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

static const char *const columns[] = {"number", "verdict"};
static const char *const words[] = {"malicious", "ordinary"};

/* Rows as "number=verdict ", then all messages; "!" where it failed. */
static void
run(const char *in, bool after_text, struct buf *out)
{
    const struct csv_table_about about = {
        .name = "f",
        .columns = columns,
        .n = ARRAY_LEN(columns),
        .row_max = 64,
        .after_text = after_text,
    };
    struct csv_table t;
    struct buf messages;
    enum err e;

    buf_init(out, 1 << 16);
    buf_init(&messages, 1 << 16);
    e = csv_table_open(&t, span_str(in), &about, &messages);
    assert_int_equal(e, ERR_OK);
    while (csv_table_next(&t)) {
        const struct csv_cell *word = csv_table_cell(&t, 1);

        buf_span(out, csv_table_cell(&t, 0)->text);
        buf_putc(out, '=');
        buf_span(out, word->text);
        buf_printf(out, "@%zu ", csv_table_line(&t));
        if (!span_eq(word->text, span_str(words[0])))
            csv_table_fault_word(&t, word, "verdict", words, ARRAY_LEN(words));
    }
    e = csv_table_close(&t, e);
    assert_true((e == ERR_CONFIG) == (messages.n > 0));
    buf_span(out, buf_view(&messages));
    buf_free(&messages);
}

static const struct {
    const char *why;
    bool after_text;
    const char *in, *want;
} rows[] = {
    {"in order",                     false, "number,verdict\n1,malicious\n2,malicious\n",
     "1=malicious@2 2=malicious@3 "                                                                                                                },
    {"among others",                 false, "x;Verdict;number\ny;malicious;1\n",
     "1=malicious@2 "                                                                                                                              },
    {"behind text",                  true,  "\"Personal; keep\"\nnumber,verdict\n1,malicious\n",
     "1=malicious@3 "                                                                                                                              },
    {"behind text of a spreadsheet", true,
     "\xef\xbb\xbfPersonal;;\r\n\"number\";\"verdict\"\r\n1;malicious\r\n",                      "1=malicious@3 "                                  },
    {"text that looks like it",      true,
     "numbers of messages\nnumber,verdict\n1,malicious\n",                                       "1=malicious@3 "                                  },
    {"no text where there is some",  false, "Personal\nnumber,verdict\n",
     "f:1:1: the first line names no column 'number'\n"
     "f:1:1: the first line names no column 'verdict'\n"                                                                                           },
    {"text alone",                   true,  "Personal\n",
     "f:1:1: the first line names no column 'number'\n"
     "f:1:1: the first line names no column 'verdict'\n"                                                                                           },
    {"a byte order mark",            true,  "\xef\xbb\xbfnumber,verdict\n1,malicious\n",
     "1=malicious@2 "                                                                                                                              },
    {"nothing",                      true,  "",                                                  "f:1:1: there is no first line: number,verdict\n" },
    {"a word, and its place",        true,  "text\nnumber,verdict\n1,malicius\n",
     "1=malicius@3 f:3:3: 'malicius' is no verdict; did you mean "
     "'malicious'?\n"                                                                                                                              },
    {"another word",                 false, "number,verdict\n1,bad\x1b\n",
     "1=bad\x1b@2 f:2:3: 'bad\\x1b' is no verdict; it is one of malicious, "
     "ordinary\n"                                                                                                                                  },
    {"a short row",                  true,  "text\nnumber,verdict\n1\n2,malicious\n",
     "2=malicious@4 f:3:1: the row has no 'verdict'\n"                                                                                             },
    {"a quote that is not closed",   true,
     "t\nnumber,verdict\n\"1,x\n2,malicious\n",                                                  "2=malicious@4 f:3:1: the quote is never closed\n"},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf got;

        run(rows[i].in, rows[i].after_text, &got);
        if (!span_eq(buf_view(&got), span_str(rows[i].want)))
            fail_msg("%s:\n%.*s", rows[i].why, (int)got.n, (const char *)got.p);
        buf_free(&got);
    }
}

/* A long cell is shown in part; many faults are counted. */
static void
test_bounds(void **state)
{
    struct buf text, got;

    (void)state;
    buf_init(&text, 1 << 16);
    buf_str(&text, "number,verdict\n");
    for (unsigned i = 0; i < CSV_TABLE_FAULTS + 2; i++)
        buf_printf(&text, "1,%070u\n", i);
    buf_putc(&text, 0);
    run((const char *)text.p, false, &got);
    assert_true(span_search(buf_view(&got), SPAN_LIT("the row is too long")) <
                got.n);
    assert_true(span_search(buf_view(&got), SPAN_LIT("f: 2 more faults\n")) <
                got.n);
    buf_free(&got);
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

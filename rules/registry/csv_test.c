#include "rules/registry/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/random_record.h"

#define ROW_MAX 64

/* All rows as text: "1:1[a] 1:3[b c]" and "2:4!the quote is never closed". */
static void
read_all(struct span in, size_t row_max, struct buf *out)
{
    uint8_t *room = malloc(in.n + (in.n == 0));
    struct csv *c = malloc(sizeof(*c));
    enum csv_got got;

    assert_non_null(room);
    assert_non_null(c);
    if (in.n > 0)
        memcpy(room, in.p, in.n);
    assert_int_equal(csv_init(c, span_of(room, in.n), row_max), ERR_OK);
    while ((got = csv_next(c)) != CSV_END) {
        if (got == CSV_BAD)
            buf_printf(out, "%zu:%zu!%s", c->where.line, c->where.column,
                       c->fault);
        for (size_t i = 0; got == CSV_ROW && i < c->n_cells; i++) {
            buf_printf(out, "%s%zu:%zu[", i > 0 ? " " : "", c->cells[i].line,
                       c->cells[i].column);
            buf_span(out, c->cells[i].text);
            buf_putc(out, ']');
        }
        buf_putc(out, '\n');
    }
    csv_fini(c);
    free(c);
    free(room);
}

#define LONG60 "123456789012345678901234567890123456789012345678901234567890"

/* clang-format off */
static const struct {
    const char *why, *in, *want;
} rows[] = {
    {"nothing", "", ""},
    {"one cell", "a", "1:1[a]\n"},
    {"two", "a,b\n", "1:1[a] 1:3[b]\n"},
    {"CR LF", "a,b\r\nc,d\r\n", "1:1[a] 1:3[b]\n2:1[c] 2:3[d]\n"},
    {"CR", "a,b\rc,d\r", "1:1[a] 1:3[b]\n2:1[c] 2:3[d]\n"},
    {"LF CR are two", "a\n\rb", "1:1[a]\n3:1[b]\n"},
    {"no last line end", "a\nb,c", "1:1[a]\n2:1[b] 2:3[c]\n"},
    {"empty lines", "\n\r\n\ra\n\n\nb\n", "4:1[a]\n7:1[b]\n"},
    {"empty cells", ",\n,,x\n", "1:1[] 1:2[]\n2:1[] 2:2[] 2:3[x]\n"},
    {"blanks only", "a\n \n", "1:1[a]\n2:2[]\n"},
    {"byte order mark", "\xef\xbb\xbf" "a,b\n", "1:1[a] 1:3[b]\n"},
    {"byte order mark and quote", "\xef\xbb\xbf\"a\",b\n", "1:1[a] 1:5[b]\n"},
    {"byte order mark within", "a,\xef\xbb\xbf" "b\n",
     "1:1[a] 1:3[\xef\xbb\xbf" "b]\n"},
    {"blanks around", " a , b \n", "1:2[a] 1:6[b]\n"},
    {"tabs around", "a\t,b,\tc\n", "1:1[a] 1:4[b] 1:7[c]\n"},
    {"quoted", "\"a\",\"b\"\n", "1:1[a] 1:5[b]\n"},
    {"quoted nothing", "\"\",\"\"\n", "1:1[] 1:4[]\n"},
    {"quoted blanks stay", "\" a \"\n", "1:1[ a ]\n"},
    {"quoted separator", "\"a,b\",c\n", "1:1[a,b] 1:7[c]\n"},
    {"quoted quote", "\"a\"\"b\",\"\"\"\",c\n", "1:1[a\"b] 1:8[\"] 1:13[c]\n"},
    {"quoted line ends", "\"a\nb\r\nc\rd\",e\nf\n",
     "1:1[a\nb\r\nc\rd] 4:4[e]\n5:1[f]\n"},
    {"blanks around quotes", "a , \"b\" ,c\n", "1:1[a] 1:5[b] 1:10[c]\n"},
    {"quote within", "5\" disk,\"b\"\n", "1:1[5\" disk] 1:9[b]\n"},
    {"column in characters", "\xc3\xa4\xc3\xb6,\xf0\x9f\x98\x80,b\n",
     "1:1[\xc3\xa4\xc3\xb6] 1:4[\xf0\x9f\x98\x80] 1:6[b]\n"},
    {"semicolon", "a;b,c;d\n1;2\n", "1:1[a] 1:3[b,c] 1:7[d]\n2:1[1] 2:3[2]\n"},
    {"tab", "a\tb\n\tx \ty\n", "1:1[a] 1:3[b]\n2:1[] 2:2[x] 2:5[y]\n"},
    {"a tie is the comma's", "a;b,c\n", "1:1[a;b] 1:5[c]\n"},
    {"separators in quotes do not count", "\"a;;;b\",c\n1;2\n",
     "1:1[a;;;b] 1:9[c]\n2:1[1;2]\n"},
    {"separators of the second row do not count", "a\n1;2;3\n",
     "1:1[a]\n2:1[1;2;3]\n"},
    {"never closed", "a\n\"b,c\nd\n", "1:1[a]\n2:1!the quote is never closed\n"
     "3:1[d]\n"},
    {"never closed, second cell", "a,b\nc,\"d\ne\n",
     "1:1[a] 1:3[b]\n2:3!the quote is never closed\n3:1[e]\n"},
    {"never closed at the end", "a\n\"", "1:1[a]\n"
     "2:1!the quote is never closed\n"},
    {"never closed, many lines on", "\"a\n" LONG60 "\n" LONG60 "\n\"b\n",
     "1:1!the quote is never closed\n2:1[" LONG60 "]\n3:1[" LONG60 "]\n"
     "4:1!the quote is never closed\n"},
    {"text behind a quote", "\"a\"b,c\nd\n",
     "1:4!text follows the closing quote\n2:1[d]\n"},
    {"text behind a quote of two lines", "\"a\nb\" c\nd\n",
     "2:4!text follows the closing quote\n3:1[d]\n"},
    {"limit - 1", LONG60 "abc\nd", "1:1[" LONG60 "abc]\n2:1[d]\n"},
    {"limit", LONG60 "abcd\r\nd", "1:1[" LONG60 "abcd]\n2:1[d]\n"},
    {"limit at the end", LONG60 "abcd", "1:1[" LONG60 "abcd]\n"},
    {"limit + 1", LONG60 "abcde\nd", "1:1!the row is too long\n2:1[d]\n"},
    {"limit + 1 at the end", LONG60 "abcde", "1:1!the row is too long\n"},
    {"far more", LONG60 LONG60 LONG60 "\nd", "1:1!the row is too long\n2:1[d]\n"},
    {"quoted up to the limit", "\"" LONG60 "\"\"\"\nd",
     "1:1[" LONG60 "\"]\n2:1[d]\n"},
    {"NUL is a byte", "a\n\x01,\x7f\n", "1:1[a]\n2:1[\x01] 2:3[\x7f]\n"},
};
/* clang-format on */

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf got;

        buf_init(&got, 1 << 16);
        read_all(span_str(rows[i].in), ROW_MAX, &got);
        if (!span_eq(buf_view(&got), span_str(rows[i].want)))
            fail_msg("%s:\n%.*sinstead of\n%s", rows[i].why, (int)got.n,
                     (const char *)got.p, rows[i].want);
        buf_free(&got);
    }
}

static void
test_cells(void **state)
{
    static const char want[] = "2:1[x]\n", fault[] = "too many cells";
    struct buf in, got;

    (void)state;
    for (size_t n = CSV_CELLS_MAX - 1; n <= CSV_CELLS_MAX + 1; n++) {
        buf_init(&in, 1 << 16);
        buf_init(&got, 1 << 16);
        for (size_t i = 1; i < n; i++)
            buf_putc(&in, ',');
        buf_str(&in, "\nx");
        read_all(buf_view(&in), 1 << 16, &got);
        assert_int_equal(span_search(buf_view(&got), span_str(fault)) < got.n,
                         n > CSV_CELLS_MAX);
        assert_true(span_search(buf_view(&got), span_str(want)) < got.n);
        buf_free(&in);
        buf_free(&got);
    }
}

/* ---- safe cells ---- */

/* clang-format off */
static const struct {
    const char *why, *text, *cell;
} safe[] = {
    {"nothing", "", ""},
    {"a word", "post", "post"},
    {"equal sign", "=1+1", "'=1+1"},
    {"phone", "+1 555 0100", "'+1 555 0100"},
    {"minus", "-1", "'-1"},
    {"at", "@SUM(A1)", "'@SUM(A1)"},
    {"tab", "\t=1", "\"'\t'=1\""},
    {"wide equal sign", "\xef\xbc\x9d" "1", "'\xef\xbc\x9d" "1"},
    {"wide letter", "\xef\xbc\xa1", "\xef\xbc\xa1"},
    {"blanks before it", "  =1", "\"  '=1\""},
    {"apostrophe before it", "'=1", "''=1"},
    {"three of them", "'''-", "''''-"},
    {"apostrophes alone", "''", "''"},
    {"apostrophe and word", "'s", "'s"},
    {"within", "a=b", "a=b"},
    {"behind a semicolon", "a;=b", "\"a;'=b\""},
    {"behind a comma and blanks", "a,  @b", "\"a,  '@b\""},
    {"behind a quote", "a\"=b", "\"a\"\"'=b\""},
    {"behind a tab", "a\t+b", "\"a\t'+b\""},
    {"behind a line end", "a\n-b", "\"a\n'-b\""},
    {"comma", "a,b", "\"a,b\""},
    {"semicolon", "a;b", "\"a;b\""},
    {"quote", "\"", "\"\"\"\""},
    {"blank before", " a", "\" a\""},
    {"blank behind", "a ", "\"a \""},
};
/* clang-format on */

static void
test_safe(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(safe); i++) {
        struct span text = span_str(safe[i].text);
        struct buf got;

        buf_init(&got, 1000);
        csv_put(&got, text);
        if (!span_eq(buf_view(&got), span_str(safe[i].cell)))
            fail_msg("%s: %.*s instead of %s", safe[i].why, (int)got.n,
                     (const char *)got.p, safe[i].cell);
        buf_free(&got);
    }
}

/* No reader of whatever separator finds a cell that begins a formula. */
static void
check_safe(struct span cell)
{
    static const char borders[] = ",;\t\"\r\n";
    bool fresh = true;

    for (size_t i = 0; i < cell.n; i++) {
        uint8_t b = cell.p[i];

        if (fresh && b != '\t' && b != '\r' && b != '\n')
            assert_true(b != '=' && b != '+' && b != '-' && b != '@');
        fresh = b == ' ' ? fresh : b != 0 && strchr(borders, b) != NULL;
    }
}

static void
test_any_text(void **state)
{
    static const uint8_t letters[] = "=+-@'\",; \t\r\na\xef\xbc\x9d";
    uint64_t x = 88172645463325252U;
    struct csv *c = malloc(sizeof(*c));

    (void)state;
    assert_non_null(c);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t room[12];
        size_t n = random_next(&x) % sizeof(room) + 1;
        struct buf cell, plain;

        for (size_t k = 0; k < n; k++)
            room[k] = letters[random_next(&x) % (sizeof(letters) - 1)];
        buf_init(&cell, 100);
        buf_init(&plain, 100);
        buf_str(&cell, "x,");
        csv_put(&cell, span_of(room, n));
        check_safe(span_tail(buf_view(&cell), 2));
        assert_int_equal(csv_init(c, buf_view(&cell), 100), ERR_OK);
        c->separator = ',';
        assert_int_equal(csv_next(c), CSV_ROW);
        assert_int_equal(c->n_cells, 2);
        assert_true(
            span_eq(csv_plain(c->cells[1].text, &plain), span_of(room, n)));
        csv_fini(c);
        buf_free(&cell);
        buf_free(&plain);
    }
    free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_any_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

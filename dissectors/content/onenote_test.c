#include "dissectors/content/onenote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/content/inspect_test.h"

static void
put_head(struct buf *b)
{
    buf_reset(b);
    buf_put(b,
            "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
            16);
    while (b->n < 1024)
        buf_putc(b, 0);
}

static void
put_name(struct buf *b, const char *name)
{
    const size_t n = 2 * strlen(name) + 2;

    buf_putc(b, (uint8_t)n);
    buf_put(b, "\0\0", 3);
    for (; *name != '\0'; name++) {
        buf_putc(b, (uint8_t)*name);
        buf_putc(b, 0);
    }
    buf_put(b, "\0", 2);
}

static void
put_object(struct buf *b, struct span data, uint64_t n)
{
    buf_put(b,
            "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac",
            16);
    for (unsigned k = 0; k < 8; k++)
        buf_putc(b, (uint8_t)(n >> (8 * k)));
    buf_put(b, "\0\0\0\0\0\0\0\0\0\0\0", 12);
    buf_span(b, data);
}

#define LNK "L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0F\0\0\0\0"
#define PNG "\x89PNG\r\n\x1a\n\0\0\0\15IHDR"
#define BAT "@echo off\r\nstart x.exe\r\n"

static void
test_objects(void **state)
{
    struct inspected t;
    struct content_member m = {0};
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 1 << 16);
    put_head(&b);
    inspected_run(&t, buf_view(&b), "a.one");
    assert_false(inspected_has(&t, FIND_ONENOTE_FILE));

    put_object(&b, SPAN_LIT(PNG), sizeof(PNG) - 1);
    inspected_run(&t, buf_view(&b), "a.one");
    assert_false(inspected_has(&t, FIND_ONENOTE_FILE));
    assert_int_equal(t.r.n_members, 0);

    put_head(&b);
    put_name(&b, "invoice.lnk");
    put_object(&b, SPAN_LIT(LNK), sizeof(LNK) - 1);
    inspected_run(&t, buf_view(&b), "a.one");
    assert_true(inspected_names(&t, FIND_ONENOTE_FILE, "lnk"));
    assert_true(inspected_names(&t, FIND_ONENOTE_FORBIDDEN, "lnk"));
    assert_true(inspected_names(&t, FIND_ONENOTE_FORBIDDEN, "invoice.lnk"));
    assert_true(inspected_member(&t, "invoice.lnk", &m));
    assert_int_equal(m.size, sizeof(LNK) - 1);
    assert_false(m.truncated);
    buf_free(&b);
    inspected_end(&t);
}

/* A length that lies: what is there is taken, and marked. Objects in objects
 * cost what they unpack. */
static void
test_lies(void **state)
{
    struct inspected t;
    struct content_member m = {0};
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 4U << 20);
    put_head(&b);
    put_object(&b, SPAN_LIT("hello, this is text"), UINT64_MAX);
    inspected_run(&t, buf_view(&b), "a.one");
    assert_true(inspected_member(&t, "", &m));
    assert_true(m.truncated);

    put_head(&b);
    while (!b.cut)
        put_object(&b, SPAN_LIT("x"), UINT64_MAX);
    inspected_run(&t, buf_view(&b), "a.one");
    assert_true(t.r.bytes_unpacked <= CONTENT_MAX_unpacked);
    assert_true(inspected_has(&t, FIND_INSPECTION_LIMIT));
    assert_in_range(t.r.n_members, 2, 60);
    buf_free(&b);
    inspected_end(&t);
}

/* The packaging of the web application: a length of 2, 3 or 4 bytes. */
static void
test_packed(void **state)
{
    static const struct {
        const char *length;
        size_t n;
    } lengths[] = {
        {"\xa2\x01",         2}, /* 104 << 2 | 2 */
        {"\x44\x03\x00",     3}, /* 104 << 3 | 4 */
        {"\x88\x06\x00\x00", 4}, /* 104 << 4 | 8 */
    };
    struct inspected t;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 1 << 16);
    for (size_t k = 0; k < ARRAY_LEN(lengths); k++) {
        struct content_member m = {0};

        put_head(&b);
        memcpy(b.p + 48,
               "\x2f\xe9\x8d\x63\xd4\xa6\xc1\x4b\x9a\x36\xb3\xfc\x25\x11\xa5"
               "\xb7",
               16);
        put_name(&b, "x.pdf");
        buf_str(&b, "zzzz");
        buf_put(&b, lengths[k].length, lengths[k].n);
        buf_str(&b, "%PDF-1.4");
        for (unsigned c = 0; c < 200; c++)
            buf_putc(&b, ' ');
        inspected_run(&t, buf_view(&b), "a.one");
        assert_true(inspected_member(&t, "x.pdf", &m));
        assert_int_equal(m.size, 104);
    }
    buf_free(&b);
    inspected_end(&t);
}

static void
test_cut(void **state)
{
    struct inspected t;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 1 << 16);
    put_head(&b);
    put_name(&b, "a.bat");
    put_object(&b, SPAN_LIT(BAT), sizeof(BAT) - 1);
    for (size_t cut = 0; cut <= b.n; cut++)
        inspected_run(&t, span_head(buf_view(&b), cut), "a.one");
    buf_free(&b);
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

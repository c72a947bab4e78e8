#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissectors/content/mapi.h"
#include "dissectors/content/office_test.h"
#include "dissectors/content/tnef.h"

static void
put(struct buf *b, uint32_t v, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        buf_putc(b, (uint8_t)(v >> (8 * k)));
}

static void
attribute(struct buf *b, uint32_t id, struct span data)
{
    buf_putc(b, 2);
    put(b, id, 4);
    put(b, (uint32_t)data.n, 4);
    buf_span(b, data);
    put(b, 0, 2);
}

static void
begin(struct buf *b)
{
    buf_init(b, 65536);
    buf_put(b, "\x78\x9f\x3e\x22\1\0", 6);
}

#define TITLE  0x00018010
#define DATA   0x0006800f
#define RENDER 0x00069002
#define PROPS  0x00069003
#define ATTACH 0x00069005

static void
file(struct buf *b, struct span title, struct span data)
{
    attribute(b, RENDER, SPAN_LIT("\1\0"));
    attribute(b, TITLE, title);
    attribute(b, DATA, data);
}

static void
make_text(struct buf *b)
{
    file(b, SPAN_LIT("a.txt\0"), SPAN_LIT("hello"));
}

static void
make_two(struct buf *b)
{
    file(b, SPAN_LIT("a.txt\0"), SPAN_LIT("hello"));
    file(b, SPAN_LIT("b.exe\0"), SPAN_LIT("hello"));
}

/* The long name says what the short one hides. */
static void
make_long_name(struct buf *b)
{
    file(b, SPAN_LIT("a.txt\0"), SPAN_LIT("hello"));
    attribute(b, ATTACH,
              SPAN_LIT("\2\0\0\0"
                       "\3\0\5\x37\1\0\0\0"
                       "\x1f\0\7\x37\1\0\0\0\x0c\0\0\0a\0.\0e\0x\0e\0\0\0"));
}

/* The same, in the other order */
static void
make_long_name_first(struct buf *b)
{
    attribute(b, RENDER, SPAN_LIT("\1\0"));
    attribute(b, ATTACH,
              SPAN_LIT("\1\0\0\0"
                       "\x1e\0\7\x37\1\0\0\0\6\0\0\0a.exe\0\0\0"));
    attribute(b, TITLE, SPAN_LIT("a.txt\0"));
    attribute(b, DATA, SPAN_LIT("hello"));
}

static void
make_in_props(struct buf *b)
{
    attribute(b, RENDER, SPAN_LIT("\1\0"));
    attribute(b, ATTACH,
              SPAN_LIT("\2\0\0\0"
                       "\x1e\0\7\x37\1\0\0\0\6\0\0\0a.exe\0\0\0"
                       "\2\1\1\x37\1\0\0\0\5\0\0\0hello\0\0\0"));
}

static void
reminder(struct buf *b, const char *guid, struct span value)
{
    struct buf p;

    buf_init(&p, 4096);
    put(&p, 2, 4);
    put(&p, 0x1003, 2); /* many numbers before it */
    put(&p, 0x6000, 2);
    put(&p, 2, 4);
    put(&p, 1, 4);
    put(&p, 2, 4);
    put(&p, 0x001f, 2);
    put(&p, 0x8500, 2);
    buf_put(&p, guid, 16);
    put(&p, 0, 4);
    put(&p, MAPI_REMINDER_FILE_PARAMETER, 4);
    put(&p, 1, 4);
    put(&p, (uint32_t)value.n, 4);
    buf_span(&p, value);
    attribute(b, PROPS, buf_view(&p));
    buf_free(&p);
}

static void
make_reminder(struct buf *b)
{
    reminder(b, MAPI_PSETID_COMMON, SPAN_LIT("\\\0\\\0h\0\\\0a\0\0\0"));
}

static void
make_reminder_local(struct buf *b)
{
    reminder(b, MAPI_PSETID_COMMON, SPAN_LIT("C\0:\0\\\0a\0\0\0"));
}

static void
make_other_set(struct buf *b)
{
    reminder(b, "0123456789abcdef", SPAN_LIT("\\\0\\\0h\0\\\0a\0\0\0"));
}

/* The length of the last attribute leads past the end. */
static void
make_cut(struct buf *b)
{
    file(b, SPAN_LIT("a.exe\0"), SPAN_LIT("hello"));
    b->n -= 4;
}

static void
make_huge(struct buf *b)
{
    buf_putc(b, 2);
    put(b, PROPS, 4);
    put(b, 0xffffffff, 4);
    put(b, 0xffffffff, 4);
    put(b, 0x37071102, 4);
    put(b, 0xffffffff, 4);
}

static const struct {
    const char *why;
    void (*make)(struct buf *b);
    const char *findings;
    uint32_t n_members;
} rows[] = {
    {"a text",                             make_text,            "",                           1},
    {"two",                                make_two,             "forbidden_member",           2},
    {"the long name",                      make_long_name,       "forbidden_member",           1},
    {"the long name before the short one", make_long_name_first,
     "forbidden_member",                                                                       1},
    {"all in properties",                  make_in_props,        "forbidden_member",           1},
    {"a reminder on a share",              make_reminder,        "reminder_unc",               0},
    {"on the disk",                        make_reminder_local,  "",                           0},
    {"another set's property",             make_other_set,       "",                           0},
    {"cut",                                make_cut,             "malformed forbidden_member", 1},
    {"lengths of 4 GiB",                   make_huge,            "malformed",                  0},
};

static void
test_rows(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct buf b;

        begin(&b);
        rows[k].make(&b);
        office_check(&t, buf_view(&b), "winmail.dat", rows[k].why,
                     rows[k].findings);
        if (t.r.n_members != rows[k].n_members)
            fail_msg("%s: %u members", rows[k].why, t.r.n_members);
        buf_free(&b);
    }
    inspected_end(&t);
}

static void
test_cuts(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct buf b;

        begin(&b);
        rows[k].make(&b);
        for (size_t n = 0; n < b.n; n++)
            inspected_run(&t, span_head(buf_view(&b), n), "winmail.dat");
        buf_free(&b);
    }
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

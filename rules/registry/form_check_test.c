#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/form.h"
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"

#define NOW (UINT64_C(1795341318) * NS_PER_S) /* 2026-11-22 */

/* A complete form with two lines. */
static const struct {
    enum form_field field;
    const char *text;
} good[] = {
    {FORM_SITE,               "Lakeside"                  },
    {FORM_SITE_PREFIXES,      "192.0.2.0/24 2001:db8::/48"},
    {FORM_SITE_CONTACT_NAME,  "Ada Miller"                },
    {FORM_SITE_CONTACT_PHONE, "+1 573 555 0100"           },
    {FORM_SITE_CONTACT_MAIL,  "ada@lakeside.example"      },
    {FORM_TECH_CONTACT_NAME,  "Ben Ode"                   },
    {FORM_TECH_CONTACT_PHONE, "(573) 555-0101 ext. 7"     },
    {FORM_TECH_CONTACT_MAIL,  "net@lakeside.example"      },
    {FORM_TOTAL_ADDRESSES,    "2"                         },
    {FORM_TOTAL_PORTS,        "2"                         },
    {FORM_SIGNER,             "ada miller"                },
    {FORM_SIGNED_ON,          "2026-11-22"                },
};

static void
set(char **text, const char *value)
{
    assert_int_equal(form_set(text, span_str(value)), ERR_OK);
}

static struct form_line *
add(struct form *f, const char *address, const char *port)
{
    struct form_line *l = form_add_line(f);

    assert_non_null(l);
    set(&l->text[FORM_ADDRESS], address);
    set(&l->text[FORM_PORT], port);
    set(&l->text[FORM_DEVICE], "mail server");
    return l;
}

static void
make(struct form *f)
{
    form_init(f);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        set(&f->text[good[i].field], good[i].text);
    (void)add(f, "192.0.2.25", "25");
    (void)add(f, "2001:db8::25", "587");
}

static void
note(void *ctx, const struct form_fault *fault)
{
    struct buf *b = ctx;

    buf_printf(b, "%s%s", b->n > 0 ? "; " : "", form_rows[fault->field].column);
    if (fault->line > 0)
        buf_printf(b, " of %u", fault->line);
    buf_printf(b, " %s%s", fault->what, fault->asks ? "?" : "");
    assert_non_null(fault->hint);
    assert_false(fault->missing && fault->asks);
}

static void
check(struct form *f, const char *why, const char *want, size_t n)
{
    struct buf got;
    size_t k;

    buf_init(&got, 100000);
    k = form_check(f, NOW, note, &got);
    if (k != n || !span_eq(buf_view(&got), span_str(want)))
        fail_msg("%s: %zu, %.*s", why, k, (int)got.n, (const char *)got.p);
    assert_int_equal(form_check(f, NOW, NULL, NULL), n);
    buf_free(&got);
}

/* One text of the form is another one. */
static void
test_form(void **state)
{
    static const struct {
        enum form_field field;
        const char *text, *want;
        size_t n;
    } rows[] = {
        {FORM_NOTES,              "thanks",          "",                                        0},
        {FORM_SITE,               "",                "site is missing",                         1},
        {FORM_SIGNED_ON,          "",                "signed_on is missing",                    1},
        {FORM_SIGNED_ON,          "2026-11-23",      "signed_on lies in the future?",           0},
        {FORM_SIGNED_ON,          "2026-11-31",      "signed_on is not a date",                 1},
        {FORM_SIGNED_ON,          "22.11.2026",      "signed_on is not a date",                 1},
        {FORM_SIGNED_ON,          "2026-11-22T",     "signed_on is not a date",                 1},
        {FORM_SIGNED_ON,          "2028-02-29",      "signed_on lies in the future?",           0},
        {FORM_SIGNED_ON,          "2027-02-29",      "signed_on is not a date",                 1},
        {FORM_SIGNER,             "Eve",             "signer is none of the contacts?",         0},
        {FORM_SIGNER,             "BEN ODE",         "",                                        0},
        {FORM_SITE_CONTACT_MAIL,  "ada",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_MAIL,  "@x",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_MAIL,  "ada@",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_MAIL,  "a@b@c",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_MAIL,  "a@b, c@d",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_MAIL,  "ada@x.example.",
         "site_contact_mail is not an e-mail address",                                          1},
        {FORM_SITE_CONTACT_PHONE, "12",
         "site_contact_phone is not a phone number",                                            1},
        {FORM_SITE_CONTACT_PHONE, "call me 123",
         "site_contact_phone is not a phone number",                                            1},
        {FORM_TOTAL_ADDRESSES,    "3",               "total_addresses differs from the lines?",
         0                                                                                       },
        {FORM_TOTAL_ADDRESSES,    "two",             "total_addresses is not a number",         1},
        {FORM_TOTAL_ADDRESSES,    "-2",              "total_addresses is not a number",         1},
        {FORM_TOTAL_ADDRESSES,    "1000000000000",
         "total_addresses differs from the lines?",                                             0},
        {FORM_TOTAL_ADDRESSES,    "1000000000001",
         "total_addresses is not a number; total_addresses differs from the "
         "lines?",                                                                              1},
        {FORM_TOTAL_PORTS,        "1",               "total_ports differs from the lines?",     0},
        {FORM_TOTAL_PORTS,        "",                "",                                        0},
        {FORM_SCANS,              "Yes",             "",                                        0},
        {FORM_SCANS,              "perhaps",         "scans_mail is not yes or no",             1},
        {FORM_SITE_PREFIXES,      "192.0.2.0/24",
         "address of 2 is outside the networks of the site?",                                   0},
        {FORM_SITE_PREFIXES,      "192.0.2.25 ::/0", "",                                        0},
        {FORM_SITE_PREFIXES,      "192.0.2.1/24",
         "site_prefixes is not a list of networks",                                             1},
        {FORM_SITE_PREFIXES,      " ",               "site_prefixes is not a list of networks", 1},
        {FORM_SITE_PREFIXES,      "",                "",                                        0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct form f;

        make(&f);
        set(&f.text[rows[i].field], rows[i].text);
        check(&f, rows[i].text, rows[i].want, rows[i].n);
        form_fini(&f);
    }
}

/* One text of the second line is another one. */
static void
test_line(void **state)
{
    static const struct {
        enum form_field field;
        const char *text, *want;
        size_t n;
        bool readable;
    } rows[] = {
        {FORM_ADDRESS, "",             "address of 2 is missing",           1, false},
        {FORM_ADDRESS, "10.20.4.300",  "address of 2 is not an address",    1,
         false                                                                      },
        {FORM_ADDRESS, "192.0.2.1/24", "address of 2 is not an address",    1,
         false                                                                      },
        {FORM_ADDRESS, "192.0.2.26",   "",                                  0, true },
        {FORM_ADDRESS, "192.0.0.0/16",
         "address of 2 is outside the networks of the site?",               0, true },
        {FORM_PORT,    "",             "port of 2 is missing",              1, false},
        {FORM_PORT,    "0",            "port of 2 is not a port",           1, false},
        {FORM_PORT,    "65535",        "",                                  0, true },
        {FORM_PORT,    "65536",        "port of 2 is not a port",           1, false},
        {FORM_PORT,    "ANY",          "",                                  0, true },
        {FORM_PORT,    "smtp",         "port of 2 is not a port",           1, false},
        {FORM_USE,     "Send",         "",                                  0, true },
        {FORM_USE,     "receive",      "",                                  0, true },
        {FORM_USE,     "up",           "direction of 2 is not a direction", 1, false},
        {FORM_DEVICE,  "",             "device of 2 is missing",            1, true },
        {FORM_VOLUME,  "many",         "volume of 2 is not a number",       1, true },
        {FORM_BULK,    "maybe",        "bulk of 2 is not yes or no",        1, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct form f;

        make(&f);
        set(&f.text[FORM_TOTAL_ADDRESSES], "");
        set(&f.text[FORM_TOTAL_PORTS], "");
        set(&f.lines[1].text[rows[i].field], rows[i].text);
        check(&f, rows[i].text, rows[i].want, rows[i].n);
        assert_int_equal(f.lines[1].readable, rows[i].readable);
        form_fini(&f);
    }
}

static void
test_values(void **state)
{
    struct form f;

    (void)state;
    make(&f);
    set(&f.lines[0].text[FORM_USE], "receive");
    set(&f.lines[0].text[FORM_VOLUME], "250");
    (void)form_check(&f, NOW, NULL, NULL);
    assert_int_equal(f.lines[0].use, FORM_RECEIVE);
    assert_int_equal(f.lines[0].volume, 250);
    assert_int_equal(f.lines[0].port, 25);
    assert_int_equal(f.lines[0].prefix.bits, 128);
    assert_int_equal(f.lines[1].use, FORM_BOTH);
    assert_int_equal(f.lines[1].port, 587);
    set(&f.lines[0].text[FORM_PORT], "any");
    set(&f.lines[0].text[FORM_VOLUME], "");
    (void)form_check(&f, NOW, NULL, NULL);
    assert_int_equal(f.lines[0].port, 0);
    assert_int_equal(f.lines[0].volume, 0);
    form_fini(&f);
}

static void
test_doubles(void **state)
{
    struct form f;

    (void)state;
    make(&f);
    (void)add(&f, "192.0.2.25", "587"); /* another port: no double */
    add(&f, "192.0.2.25", "25")->number = 40;
    (void)add(&f, "192.0.2.25/32", "25");
    (void)add(&f, "x", "25");
    (void)add(&f, "x", "25");
    check(&f, "doubles",
          "address of 6 is not an address; address of 7 is not an address; "
          "address of 40 stands in another line with the same port?; "
          "address of 5 stands in another line with the same port?",
          2);
    form_fini(&f);
}

static void
test_empty(void **state)
{
    struct form f;

    (void)state;
    form_init(&f);
    check(&f, "empty",
          "site is missing; site_contact_name is missing; "
          "site_contact_phone is missing; site_contact_mail is missing; "
          "tech_contact_name is missing; tech_contact_phone is missing; "
          "tech_contact_mail is missing; signer is missing; "
          "signed_on is missing; address is missing",
          10);
}

/* The order of many lines, against counting by hand. */
static void
test_many(void **state)
{
    struct form f;
    struct buf text;
    char total[24];

    (void)state;
    make(&f);
    set(&f.text[FORM_SITE_PREFIXES], "");
    buf_init(&text, 64);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned k = i * 7919 % 20000;

        buf_reset(&text);
        buf_printf(&text, "10.%u.%u.%u", k >> 16, k >> 8 & 255, k & 255);
        buf_putc(&text, 0);
        (void)add(&f, (const char *)text.p, "25");
    }
    (void)snprintf(total, sizeof(total), "%u", 20002);
    set(&f.text[FORM_TOTAL_ADDRESSES], total);
    check(&f, "many", "", 0);
    buf_free(&text);
    form_fini(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),   cmocka_unit_test(test_line),
        cmocka_unit_test(test_values), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

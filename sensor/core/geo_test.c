#include "sensor/core/geo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNTRY "tests/fixtures/geo/country.mmdb"
#define AS      "tests/fixtures/geo/asn.mmdb"

static struct geo *
open_good(const struct geo_options *o)
{
    struct buf message;
    struct geo *g;

    buf_init(&message, 4096);
    assert_int_equal(geo_open(o, &g, &message), ERR_OK);
    assert_int_equal(message.n, 0);
    buf_free(&message);
    return g;
}

static struct addr
address(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static const struct {
    const char *why, *in, *country;
    uint32_t as;
    const char *org;
} rows[] = {
    {"both databases, nested country", "198.51.100.1",        "DE", 64500,
     "Example [31m Carrier"                                                  },
    {"only a registered country",      "198.51.100.200",      "FR", 64500,
     "Example [31m Carrier"                                                  },
    {"IPv6, no AS",                    "2001:db8:5::9",       "JP", 0,     ""},
    {"lower case is no country code",  "203.0.113.9",         "",   64511,
     "Flat Networks"                                                         },
    {"nor is one small letter",        "192.0.3.1",           "",   0,     ""},
    {"in neither",                     "192.0.2.1",           "",   0,     ""},
    {"private is not asked",           "10.1.2.3",            "",   0,     ""},
    {"mapped form is IPv4",            "::ffff:198.51.100.1", "DE", 64500,
     "Example [31m Carrier"                                                  },
};

static void
test_answers(void **state)
{
    const struct geo_options o = {.country = COUNTRY, .as = AS};
    struct geo *g = open_good(&o);

    (void)state;
    for (int round = 0; round < 2; round++) { /* from the file, from memory */
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct addr a = address(rows[i].in);
            const struct geo_answer *got = geo_find(g, &a);

            if (strcmp(got->country, rows[i].country) != 0 ||
                got->as != rows[i].as || strcmp(got->org, rows[i].org) != 0)
                fail_msg("%s: %s %u %s", rows[i].why, got->country, got->as,
                         got->org);
        }
    }
    geo_free(g);
}

static void
test_a_flat_database_needs_its_path_only(void **state)
{
    struct geo_options o = {.country = AS};
    struct addr a = address("203.0.113.9");
    struct geo *g = open_good(&o);

    (void)state;
    assert_string_equal(geo_find(g, &a)->country, "NL");
    geo_free(g);
}

static void
test_without_files_there_is_nothing(void **state)
{
    const struct geo_options o = {0};
    struct addr a = address("198.51.100.1");
    struct buf text;
    struct geo *g = open_good(&o);

    (void)state;
    buf_init(&text, 100);
    assert_null(g);
    assert_null(geo_find(g, &a));
    geo_describe(g, &text);
    assert_false(geo_refresh(g, &text));
    assert_int_equal(text.n, 0);
    geo_free(g);
    buf_free(&text);
}

static void
test_the_age_is_told(void **state)
{
    const struct geo_options o = {.country = COUNTRY, .as = AS};
    struct geo *g = open_good(&o);
    struct buf text;

    (void)state;
    buf_init(&text, 1000);
    geo_describe(g, &text);
    buf_putc(&text, '\0');
    assert_string_equal((char *)text.p,
                        "country: span25-test-country of 2026-11-22 "
                        "(country.mmdb); AS: span25-test-asn of 2026-11-22 "
                        "(asn.mmdb)");
    buf_free(&text);
    geo_free(g);
}

static const struct {
    const char *why, *file, *path, *says;
    enum err want;
} refused[] = {
    {"no such file",   "tests/fixtures/geo/none.mmdb", NULL,
     "none.mmdb: no such file or directory\n",                                                                ERR_NOENT },
    {"a folder",       "tests/fixtures/geo",           NULL,                "is not a file of at most 1 GiB",
     ERR_FORMAT                                                                                                         },
    {"no such value",  AS,                             "country.iso_code",
     "has no record with what is looked for",                                                                 ERR_FORMAT},
    {"another kind",   "tests/fixtures/lab.md",        NULL,
     "is not a MaxMind DB file, or is damaged",                                                               ERR_FORMAT},
    {"an empty key",   COUNTRY,                        "country..iso_code", "is not keys joined by dots",
     ERR_CONFIG                                                                                                         },
    {"too many paths", COUNTRY,                        "a,b,c,d,e",         "is not keys joined by dots",
     ERR_CONFIG                                                                                                         },
    {"too many keys",  COUNTRY,                        "a.b.c.d.e.f.g",     "is not keys joined by dots",
     ERR_CONFIG                                                                                                         },
};

static void
test_what_is_wrong_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct geo_options o = {.country = refused[i].file,
                                      .paths = {refused[i].path}};
        struct buf message;
        struct geo *g;
        enum err e;

        buf_init(&message, 4096);
        e = geo_open(&o, &g, &message);
        buf_putc(&message, '\0');
        if (e != refused[i].want || g != NULL ||
            strstr((char *)message.p, refused[i].says) == NULL)
            fail_msg("%s: %d %s", refused[i].why, (int)e, (char *)message.p);
        buf_free(&message);
    }
}

/* ---- files that change ---- */

static struct span
slurp(const char *name, uint8_t *room, size_t max)
{
    FILE *f = fopen(name, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(room, 1, max, f);
    (void)fclose(f);
    return span_of(room, n);
}

static void
spill(const char *name, struct span bytes)
{
    FILE *f = fopen(name, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
}

struct room {
    char name[32];
    uint8_t bytes[8192];
};

static struct room *
room_new(void)
{
    struct room *r = calloc(1, sizeof(*r));
    int fd;

    assert_non_null(r);
    memcpy(r->name, "/tmp/geo_test.XXXXXX", 21);
    fd = mkstemp(r->name);
    assert_true(fd >= 0);
    (void)close(fd);
    return r;
}

static void
room_free(struct room *r)
{
    (void)unlink(r->name);
    free(r);
}

static void
test_a_changed_file_is_read_anew(void **state)
{
    struct room *r = room_new();
    struct geo_options o = {.country = r->name};
    struct addr a = address("198.51.100.1");
    struct addr flat = address("203.0.113.9");
    struct buf message;
    struct geo *g;

    (void)state;
    buf_init(&message, 4096);
    spill(r->name, slurp(COUNTRY, r->bytes, sizeof(r->bytes)));
    g = open_good(&o);
    assert_string_equal(geo_find(g, &a)->country, "DE");
    assert_false(geo_refresh(g, &message));

    /* overwritten in place, with what is no database: the old one answers */
    spill(r->name, SPAN_LIT("nothing of use"));
    assert_false(geo_refresh(g, &message));
    buf_putc(&message, '\0');
    assert_non_null(strstr((char *)message.p, "is damaged"));
    assert_non_null(strstr((char *)message.p, "stays in force"));
    assert_string_equal(geo_find(g, &a)->country, "DE");
    buf_reset(&message);
    assert_false(geo_refresh(g, &message));
    assert_int_equal(message.n, 0); /* said once */

    spill(r->name, slurp(AS, r->bytes, sizeof(r->bytes)));
    assert_true(geo_refresh(g, &message));
    assert_int_equal(message.n, 0);
    assert_string_equal(geo_find(g, &a)->country, "");
    assert_string_equal(geo_find(g, &flat)->country, "NL");

    (void)unlink(r->name); /* gone for a while: so are many, when replaced */
    assert_false(geo_refresh(g, &message));
    assert_int_equal(message.n, 0);
    assert_string_equal(geo_find(g, &flat)->country, "NL");
    geo_free(g);
    buf_free(&message);
    room_free(r);
}

/* Refused or read, but asked without harm. */
static bool
try_damaged(const struct room *r, struct span bytes)
{
    const struct geo_options o = {.country = r->name, .as = r->name};
    struct buf message;
    struct geo *g;
    bool good;

    buf_init(&message, 4096);
    spill(r->name, bytes);
    good = geo_open(&o, &g, &message) == ERR_OK;
    assert_true(good == (message.n == 0));
    for (size_t i = 0; good && i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr a = address(rows[i].in);

        assert_non_null(geo_find(g, &a));
    }
    geo_free(g);
    buf_free(&message);
    return good;
}

static void
put_key(struct buf *b, const char *key)
{
    buf_putc(b, (uint8_t)(0x40 | strlen(key)));
    buf_str(b, key);
}

/* A database of one record, {"a": [[[...]]]}, of so many levels. */
static void
nest(struct buf *b, size_t levels)
{
    static const struct {
        const char *key;
        struct span value;
    } meta[] = {
        {"binary_format_major_version", SPAN_INIT("\xa1\x02")                },
        {"binary_format_minor_version", SPAN_INIT("\xa0")                    },
        {"build_epoch",                 SPAN_INIT("\x04\x02\x3b\x9a\xca\x00")},
        {"database_type",               SPAN_INIT("\x44Test")                },
        {"ip_version",                  SPAN_INIT("\xa1\x04")                },
        {"languages",                   SPAN_INIT("\x00\x04")                },
        {"node_count",                  SPAN_INIT("\xc1\x01")                },
        {"record_size",                 SPAN_INIT("\xa1\x18")                },
        {"description",                 SPAN_INIT("\xe0")                    },
    };

    buf_span(b, SPAN_LIT("\0\0\x11\0\0\x11")); /* both ways: the record */
    for (unsigned i = 0; i < 16; i++)
        buf_putc(b, 0);
    buf_span(b, SPAN_LIT("\xe2\x41"
                         "a"));
    for (size_t i = 0; i < levels; i++)
        buf_span(b, SPAN_LIT("\x01\x04"));
    buf_putc(b, 0x40);
    put_key(b, "country_code");
    buf_span(b, SPAN_LIT("\x42"
                         "DE"));
    buf_span(b, SPAN_LIT("\xab\xcd\xefMaxMind.com\xe9"));
    for (size_t i = 0; i < ARRAY_LEN(meta); i++) {
        put_key(b, meta[i].key);
        buf_span(b, meta[i].value);
    }
}

static void
test_deep_records_end_another_process(void **state)
{
    static const size_t levels[] = {3, 1 << 22};
    struct room *r = room_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        struct geo_options o = {.country = r->name};
        struct addr a = address("198.51.100.1");
        struct buf file, message;
        struct geo *g;
        enum err e;

        buf_init(&file, 1U << 24);
        buf_init(&message, 4096);
        nest(&file, levels[i]);
        spill(r->name, buf_view(&file));
        e = geo_open(&o, &g, &message);
        if (i == 0) {
            assert_int_equal(e, ERR_OK);
            assert_string_equal(geo_find(g, &a)->country, "DE");
            geo_free(g);
        } else {
            assert_int_equal(e, ERR_FORMAT);
            assert_int_equal(span_search(buf_view(&message),
                                         SPAN_LIT("is damaged")) < message.n,
                             true);
        }
        buf_free(&file);
        buf_free(&message);
    }
    room_free(r);
}

static void
test_cut_anywhere(void **state)
{
    struct room *r = room_new();
    uint8_t whole[8192];
    struct span all = slurp(COUNTRY, whole, sizeof(whole));

    (void)state;
    for (size_t n = 1; n < all.n; n += 3) /* each costs two processes */
        assert_false(try_damaged(r, span_head(all, n)));
    room_free(r);
}

static void
test_any_byte_turned(void **state)
{
    struct room *r = room_new();
    uint8_t whole[8192];
    struct span all = slurp(COUNTRY, whole, sizeof(whole));
    size_t n_refused = 0;

    (void)state;
    for (size_t i = 0; i < all.n; i += 3) {
        whole[i] ^= 0xff;
        n_refused += !try_damaged(r, all);
        whole[i] ^= 0xff;
    }
    assert_true(n_refused >
                30); /* the tree alone has three times so many bytes */
    room_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_a_flat_database_needs_its_path_only),
        cmocka_unit_test(test_without_files_there_is_nothing),
        cmocka_unit_test(test_the_age_is_told),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_a_changed_file_is_read_anew),
        cmocka_unit_test(test_deep_records_end_another_process),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_any_byte_turned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* A registry parsed from a heap block of exactly the text's size. */
struct parsed {
    struct registry *r;
    size_t faulty;
    struct buf messages;
    enum err e;
};

static struct parsed
parse(struct span csv)
{
    struct parsed p = {0};
    uint8_t *room = malloc(csv.n > 0 ? csv.n : 1);

    assert_non_null(room);
    if (csv.n > 0)
        memcpy(room, csv.p, csv.n);
    buf_init(&p.messages, 1 << 20);
    p.e = registry_parse(span_of(room, csv.n), "reg.csv", &p.r, &p.faulty,
                         &p.messages);
    free(room);
    buf_putc(&p.messages, '\0');
    return p;
}

static void
done(struct parsed *p)
{
    registry_free(p->r);
    buf_free(&p->messages);
}

static const char *
site_of(const struct registry *r, const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return registry_site(r, &a);
}

static bool
is_site(const char *got, const char *want)
{
    if (got == NULL || want == NULL)
        return got == want;
    return strcmp(got, want) == 0;
}

/* ---- dialects ---- */

/* clang-format off */
static const struct {
    const char *why, *csv;
    const char *ask;  /* an address */
    const char *want; /* its site, or NULL: not registered */
    size_t n, faulty;
} dialects[] = {
    {"plain", "address,site\n192.0.2.1,post\n", "192.0.2.1", "post", 1, 0},
    {"no end of line", "address,site\n192.0.2.1,post", "192.0.2.1", "post", 1,
     0},
    {"CRLF", "address,site\r\n192.0.2.1,post\r\n", "192.0.2.1", "post", 1, 0},
    {"BOM",
     "\xef\xbb\xbf"
     "address,site\n192.0.2.1,post\n",
     "192.0.2.1", "post", 1, 0},
    {"BOM before a quote", "\xef\xbb\xbf\"address\",\"site\"\n192.0.2.1,post\n",
     "192.0.2.1", "post", 1, 0},
    {"quoted", "address,site\n\"192.0.2.1\",\"post\"\n", "192.0.2.1", "post", 1,
     0},
    {"comma in quotes", "address,site\n192.0.2.1,\"post, east\"\n", "192.0.2.1",
     "post, east", 1, 0},
    {"quote in quotes", "address,site\n192.0.2.1,\"the \"\"post\"\"\"\n",
     "192.0.2.1", "the \"post\"", 1, 0},
    {"line end in quotes", "address,site\n192.0.2.1,\"a\nb\"\n192.0.2.2,c\n",
     "192.0.2.2", "c", 2, 0},
    {"space before a quote", "address, site\n192.0.2.1, \"post, east\"\n",
     "192.0.2.1", "post, east", 1, 0},
    {"quote inside a field", "address,site\n192.0.2.1,5\" disk\n192.0.2.2,b\n",
     "192.0.2.2", "b", 2, 0},
    {"quote inside is kept", "address,site\n192.0.2.1,5\" disk\n", "192.0.2.1",
     "5\" disk", 1, 0},
    {"quote never closed", "address,site\n192.0.2.1,\"post\n192.0.2.2,b\n",
     "192.0.2.2", "b", 2, 0},
    {"quote never closed in the head", "address,\"site\n192.0.2.1,post\n",
     "192.0.2.1", "post", 1, 0},
    {"spaces and tabs around", "address , site\n 192.0.2.1\t,  post \n",
     "192.0.2.1", "post", 1, 0},
    {"blank lines", "address,site\n\n\r\n192.0.2.1,post\n\n", "192.0.2.1",
     "post", 1, 0},
    {"other columns", "id,site,owner,address,note\n7,post,me,192.0.2.1,x\n",
     "192.0.2.1", "post", 1, 0},
    {"any case", "ADDRESS,Site\n192.0.2.1,post\n", "192.0.2.1", "post", 1, 0},
    {"any order", "site,address\npost,192.0.2.1\n", "192.0.2.1", "post", 1, 0},
    {"no site column", "address\n192.0.2.1\n", "192.0.2.1", "", 1, 0},
    {"site left out", "address,site\n192.0.2.1\n", "192.0.2.1", "", 1, 0},
    {"site empty", "address,site\n192.0.2.1,\n", "192.0.2.1", "", 1, 0},
    {"more fields than the head", "address,site\n192.0.2.1,post,x,y\n",
     "192.0.2.1", "post", 1, 0},
    {"head only", "address,site\n", "192.0.2.1", NULL, 0, 0},
    {"head without end of line", "address", "192.0.2.1", NULL, 0, 0},
    {"site before an absent address", "site,address\npost\n", "192.0.2.1", NULL,
     0, 1},
    {"mapped IPv4 is IPv4", "address,site\n::ffff:192.0.2.1,post\n",
     "192.0.2.1", "post", 1, 0},
    {"twice the same", "address,site\n192.0.2.1,a\n192.0.2.1,a\n", "192.0.2.1",
     "a", 1, 0},
    {"the first site counts", "address,site\n192.0.2.1,z\n192.0.2.1,a\n",
     "192.0.2.1", "z", 1, 1},
};
/* clang-format on */

static void
takes_any_dialect(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        struct parsed p = parse(span_str(dialects[i].csv));
        bool good = p.e == ERR_OK && p.faulty == dialects[i].faulty &&
                    registry_size(p.r) == dialects[i].n &&
                    is_site(site_of(p.r, dialects[i].ask), dialects[i].want);

        if (!good)
            fail_msg("%s: %s, %zu rows, %zu faulty, site %s\n%s",
                     dialects[i].why, err_text(p.e),
                     p.r != NULL ? registry_size(p.r) : 0, p.faulty,
                     p.r != NULL ? site_of(p.r, dialects[i].ask) : "",
                     (const char *)p.messages.p);
        done(&p);
    }
}

/* ---- faults ---- */

/* clang-format off */
static const struct {
    const char *why, *csv;
    const char *want; /* all messages, up to the first ": " of each exact */
    size_t n, faulty;
} faults[] = {
    {"the line is told", "address,site\n192.0.2.1,a\nnowhere,b\n192.0.2.3,c\n",
     "reg.csv:3: \"nowhere\"", 2, 1},
    {"blank lines count", "address,site\n\n\nnowhere,b\n",
     "reg.csv:4: \"nowhere\"", 0, 1},
    {"lines in quotes count",
     "address,site\n192.0.2.1,\"a\nb\nc\"\nnowhere,b\n",
     "reg.csv:5: \"nowhere\"", 1, 1},
    {"a quote never closed counts one line",
     "address,site\n192.0.2.1,\"a\nnowhere,b\n", "reg.csv:3: \"nowhere\"", 1,
     1},
    {"host bits", "address\n192.0.2.1/24\n", "reg.csv:2: \"192.0.2.1/24\"", 0,
     1},
    {"host bits, IPv6", "address\n2001:db8::1/64\n",
     "reg.csv:2: \"2001:db8::1/64\"", 0, 1},
    {"too long a prefix", "address\n192.0.2.1/33\n",
     "reg.csv:2: \"192.0.2.1/33\"", 0, 1},
    {"a name", "address\nmail.example\n", "reg.csv:2: \"mail.example\"", 0, 1},
    {"no value", "site,address\na\n", "reg.csv:2: \"\"", 0, 1},
    {"twice", "address,site\n10.0.0.0/8,a\n192.0.2.1,x\n10.0.0.0/8,b\n",
     "reg.csv:4: 10.0.0.0/8 stands in line 2 with another site", 2, 1},
    {"escape sequences", "address\n\x1b]0;owned\x07\n",
     "reg.csv:2: \"\\x1b]0;owned\\x07\"", 0, 1},
};
/* clang-format on */

static void
tells_faults_and_keeps_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct parsed p = parse(span_str(faults[i].csv));
        const char *text = (const char *)p.messages.p;

        if (p.e != ERR_OK || registry_size(p.r) != faults[i].n ||
            p.faulty != faults[i].faulty ||
            strncmp(text, faults[i].want, strlen(faults[i].want)) != 0)
            fail_msg("%s: %s, %zu faulty, \"%s\"", faults[i].why, err_text(p.e),
                     p.faulty, text);
        done(&p);
    }
}

static void
needs_its_head(void **state)
{
    static const char *const files[] = {
        "",
        "\n",
        "192.0.2.1,post\n",
        "site\na\n",
        "addresses\n1",
        "\xef\xbb\xbf",
        "address;site\n192.0.2.1;post\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct parsed p = parse(span_str(files[i]));

        if (p.e != ERR_FORMAT || p.r != NULL ||
            strncmp((const char *)p.messages.p, "reg.csv:1: ", 11) != 0)
            fail_msg("\"%s\": %s, \"%s\"", files[i], err_text(p.e),
                     (const char *)p.messages.p);
        done(&p);
    }
}

/* No byte below a space, no DEL, no C1 control reaches a terminal. */
static void
escapes_hostile_bytes(void **state)
{
    struct buf csv;
    struct parsed p;

    (void)state;
    buf_init(&csv, 4096);
    buf_str(&csv, "address\n");
    for (unsigned b = 0; b < 256; b++) {
        if (b == '\n' || b == '\r' || b == '"' || b == ',')
            continue;
        buf_putc(&csv, 'x');
        buf_putc(&csv, (uint8_t)b);
        buf_putc(&csv, '\n');
    }
    p = parse(buf_view(&csv));
    buf_free(&csv);
    assert_int_equal(p.e, ERR_OK);
    assert_int_equal(p.faulty, 252);
    for (size_t i = 0; i + 1 < p.messages.n; i++) {
        uint8_t b = p.messages.p[i];

        assert_true(b == '\n' || (b >= 0x20 && b < 0x7f));
    }
    done(&p);
}

/* A text of the length of the limit, one less and one more: never beyond. */
static void
cuts_long_fields(void **state)
{
    (void)state;
    for (size_t n = 255; n <= 257; n++) {
        struct buf csv;
        struct parsed p;

        buf_init(&csv, 4096);
        buf_str(&csv, "address,site\n192.0.2.1,");
        for (size_t i = 0; i < n; i++)
            buf_putc(&csv, 'a');
        p = parse(buf_view(&csv));
        assert_int_equal(strlen(site_of(p.r, "192.0.2.1")), n < 256 ? n : 256);
        done(&p);
        buf_free(&csv);
    }
}

/* A line longer than any buffer is one line, and the next one is read. */
static void
passes_very_long_lines(void **state)
{
    struct buf csv;
    struct parsed p;

    (void)state;
    buf_init(&csv, 1 << 20);
    buf_str(&csv, "address,site\n");
    for (size_t i = 0; i < 200000; i++)
        buf_putc(&csv, i % 100 == 99 ? ',' : 'x');
    buf_str(&csv, "\n192.0.2.1,post\nnowhere,\n");
    p = parse(buf_view(&csv));
    assert_int_equal(p.e, ERR_OK);
    assert_int_equal(p.faulty, 2);
    assert_string_equal(site_of(p.r, "192.0.2.1"), "post");
    assert_non_null(strstr((const char *)p.messages.p, "reg.csv:4: \"nowhere"));
    done(&p);
    buf_free(&csv);
}

/* ---- look-ups ---- */

static const char nested[] = "address,site\n"
                             "10.0.0.0/8,eight\n"
                             "10.1.0.0/16,sixteen\n"
                             "10.1.2.0/24,net\n"
                             "10.1.2.3,host\n"
                             "10.1.2.128/25,half\n"
                             "2001:db8::/32,six\n"
                             "2001:db8:1::/48,six-site\n"
                             "2001:db8:1::25,six-host\n"
                             "fe80::/9,odd bits\n";

static const struct {
    const char *addr, *want;
} lookups[] = {
    {"10.0.0.0",        "eight"   },
    {"10.255.255.255",  "eight"   },
    {"10.1.0.1",        "sixteen" },
    {"10.1.2.0",        "net"     },
    {"10.1.2.2",        "net"     },
    {"10.1.2.3",        "host"    },
    {"10.1.2.4",        "net"     },
    {"10.1.2.127",      "net"     },
    {"10.1.2.128",      "half"    },
    {"10.1.2.255",      "half"    },
    {"10.1.3.0",        "sixteen" },
    {"9.255.255.255",   NULL      },
    {"11.0.0.0",        NULL      },
    {"2001:db8::1",     "six"     },
    {"2001:db8:1::1",   "six-site"},
    {"2001:db8:1::25",  "six-host"},
    {"2001:db9::",      NULL      },
    {"fe80::1",         "odd bits"},
    {"feff::",          "odd bits"},
    {"ff00::",          NULL      },
    {"::ffff:10.1.2.3", "host"    },
    {"::a01:203",       NULL      },
};

static void
finds_the_longest_prefix(void **state)
{
    struct parsed p = parse(span_str(nested));

    (void)state;
    assert_int_equal(p.e, ERR_OK);
    assert_int_equal(p.faulty, 0);
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        const char *got = site_of(p.r, lookups[i].addr);

        if (!is_site(got, lookups[i].want))
            fail_msg("%s: %s", lookups[i].addr, got != NULL ? got : "none");
    }
    done(&p);
}

static void
has_defaults_of_each_family(void **state)
{
    struct parsed four = parse(SPAN_LIT("address,site\n0.0.0.0/0,any\n"));
    struct parsed six = parse(SPAN_LIT("address,site\n::/0,any\n"));

    (void)state;
    assert_string_equal(site_of(four.r, "0.0.0.0"), "any");
    assert_string_equal(site_of(four.r, "255.255.255.255"), "any");
    assert_null(site_of(four.r, "2001:db8::1"));
    assert_string_equal(site_of(six.r, "2001:db8::1"), "any");
    assert_null(site_of(six.r, "192.0.2.1"));
    done(&four);
    done(&six);
}

/* Processor time, so that a busy machine does not matter: a quadratic way took
 * minutes for these. */
static void
is_quick_with_many_rows(void **state)
{
    struct buf csv;
    struct parsed p;
    clock_t begun;
    char addr[32];

    (void)state;
    buf_init(&csv, 16 << 20);
    buf_str(&csv, "address,site\n");
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&csv, "10.%u.%u.%u,site %u\n", i >> 16, (i >> 8) & 255,
                   i & 255, i % 1000);
    begun = clock();
    p = parse(buf_view(&csv));
    assert_int_equal(p.e, ERR_OK);
    assert_int_equal(registry_size(p.r), 100000);
    for (unsigned i = 0; i < 100000; i++) {
        const char *site;

        (void)snprintf(addr, sizeof(addr), "10.%u.%u.%u", i >> 16,
                       (i >> 8) & 255, i & 255);
        site = site_of(p.r, addr);
        assert_non_null(site);
    }
    assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 10);
    done(&p);
    buf_free(&csv);
}

static void
frees_nothing(void **state)
{
    (void)state;
    registry_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_any_dialect),
        cmocka_unit_test(tells_faults_and_keeps_the_rest),
        cmocka_unit_test(needs_its_head),
        cmocka_unit_test(escapes_hostile_bytes),
        cmocka_unit_test(cuts_long_fields),
        cmocka_unit_test(passes_very_long_lines),
        cmocka_unit_test(finds_the_longest_prefix),
        cmocka_unit_test(has_defaults_of_each_family),
        cmocka_unit_test(is_quick_with_many_rows),
        cmocka_unit_test(frees_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

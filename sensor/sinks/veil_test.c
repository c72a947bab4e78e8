#include "sensor/sinks/veil.h"

#include "sensor/event/json_read.h"
#include "sensor/sinks/ecs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "random_record.h"

#define KEY   SPAN_LIT("0123456789abcdef0123456789abcdef")
#define OTHER SPAN_LIT("0123456789abcdef0123456789abcdeF")

static struct veil *
make(enum veil_level level, struct span key, bool keep_domains)
{
    struct veil *v = NULL;

    assert_int_equal(veil_new(level, key, keep_domains, &v), ERR_OK);
    return v;
}

static struct buf
veiled(struct veil *v, enum veil_how how, const char *text)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    veil_text(v, how, span_str(text), &out);
    buf_putc(&out, '\0');
    out.n--;
    assert_false(out.failed);
    return out;
}

/* ---- forms ---- */

/* In `want`, # is a hexadecimal digit, % a decimal number, * any text. */
static bool
matches(const char *s, const char *want)
{
    for (; *want != '\0'; want++) {
        if (*want == '*')
            return true;
        if (*want == '%') {
            size_t n = strspn(s, "0123456789");

            if (n == 0)
                return false;
            s += n;
        } else {
            if (*want == '#'
                    ? strchr("0123456789abcdef", *s) == NULL || *s == '\0'
                    : *s != *want)
                return false;
            s++;
        }
    }
    return *s == '\0';
}

#define DIGITS "################"

static const struct {
    const char *why;
    enum veil_level level;
    enum veil_how how;
    const char *in, *want;
} forms[] = {
    {"a path keeps its domain",      VEIL_PERSON,  VEIL_MAILBOX,   "<john@ex.org>",
     "<" DIGITS "@ex.org>"                                                                                           },
    {"the null sender stays",        VEIL_PERSON,  VEIL_MAILBOX,   "<>",                   "<>"                      },
    {"a name before it goes",        VEIL_PERSON,  VEIL_MAILBOX,
     "\"John\" <john@ex.org>",                                                             "<" DIGITS "@ex.org>"     },
    {"without brackets",             VEIL_PERSON,  VEIL_MAILBOX,   " john@ex.org ",
     DIGITS "@ex.org"                                                                                                },
    {"no domain",                    VEIL_PERSON,  VEIL_MAILBOX,   "<postmaster>",         "<" DIGITS ">"            },
    {"no address at all",            VEIL_PERSON,  VEIL_MAILBOX,   "John Doe",             DIGITS                    },
    {"a source route is no domain",  VEIL_PERSON,  VEIL_MAILBOX,
     "<@a.org:john@ex.org>",                                                               "<" DIGITS "@ex.org>"     },
    {"a hostile domain is a name",   VEIL_PERSON,  VEIL_MAILBOX,   "<a@b\"John>",
     "<" DIGITS "@n" DIGITS ".invalid>"                                                                              },
    {"a literal stays among people", VEIL_PERSON,  VEIL_MAILBOX,
     "<a@[192.0.2.7]>",                                                                    "<" DIGITS "@[192.0.2.7]>"},
    {"and not among hosts",          VEIL_NETWORK, VEIL_MAILBOX,   "<a@[192.0.2.7]>",
     "<" DIGITS "@[%.%.%.%]>"                                                                                        },
    {"nor without brackets",         VEIL_NETWORK, VEIL_MAILBOX,   "<a@192.0.2.7>",
     "<" DIGITS "@%.%.%.%>"                                                                                          },
    {"spaces only",                  VEIL_PERSON,  VEIL_MAILBOX,   "  ",                   DIGITS                    },
    {"an open bracket",              VEIL_PERSON,  VEIL_MAILBOX,   "John <",               "<>"                      },
    {"nothing before the @",         VEIL_PERSON,  VEIL_MAILBOX,   "@ex.org",
     DIGITS "@ex.org"                                                                                                },
    {"an address",                   VEIL_NETWORK, VEIL_ADDRESS,   "192.0.2.7",            "%.%.%.%"                 },
    {"in brackets",                  VEIL_NETWORK, VEIL_ADDRESS,   "[192.0.2.7]",          "[%.%.%.%]"               },
    {"IPv6 of mail",                 VEIL_NETWORK, VEIL_ADDRESS,   "[IPv6:2001:db8::7]",
     "[IPv6:*"                                                                                                       },
    {"no address",                   VEIL_NETWORK, VEIL_ADDRESS,   "localhost",            DIGITS                    },
    {"a name",                       VEIL_NETWORK, VEIL_NAME,      "mail.ex.org",          "n" DIGITS ".invalid"     },
    {"a name that is an address",    VEIL_NETWORK, VEIL_NAME,      "[192.0.2.7]",
     "[%.%.%.%]"                                                                                                     },
    {"an opening bracket alone",     VEIL_NETWORK, VEIL_NAME,      "[",
     "n" DIGITS ".invalid"                                                                                           },
    {"a subject",                    VEIL_NETWORK, VEIL_SUBJECT,   "192.0.2.7",            "%.%.%.%"                 },
    {"its lease",                    VEIL_NETWORK, VEIL_SUBJECT,
     "192.0.2.7 lease 0123456789abcdef",                                                   "%.%.%.% lease " DIGITS   },
    {"a prefix",                     VEIL_NETWORK, VEIL_SUBJECT,   "192.0.2.0/24",         "%.%.%.0/24"              },
    {"a /64",                        VEIL_NETWORK, VEIL_SUBJECT,   "2001:db8::/64",        "*"                       },
    {"of nobody",                    VEIL_NETWORK, VEIL_SUBJECT,   "unknown",              DIGITS                    },
    {"whom a decision is about",     VEIL_NETWORK, VEIL_DECISION,  "192.0.2.7/32",
     "pseudonym:%.%.%.%/32"                                                                                          },
    {"MAC",                          VEIL_NETWORK, VEIL_MAC,       "00:00:5e:00:53:23",    "02:##:##:##:##:##"       },
    {"community",                    VEIL_NETWORK, VEIL_COMMUNITY, "1:abc=",               "1:*"                     },
    {"a digest stays one",           VEIL_PERSON,  VEIL_HEX,       "00112233445566778899",
     "####################"                                                                                          },
    {"of an odd length",             VEIL_PERSON,  VEIL_HEX,       "001",                  "###"                     },
    {"a word",                       VEIL_PERSON,  VEIL_WORD,      "Invoice for John",     DIGITS                    },
    {"nothing stays nothing",        VEIL_PERSON,  VEIL_WORD,      "",                     ""                        },
    {"mail in text",                 VEIL_PERSON,  VEIL_SCRUB,     "for john@ex.org, now",
     "for " DIGITS "@ex.org, now"                                                                                    },
    {"twice",                        VEIL_PERSON,  VEIL_SCRUB,     "a@b c@d",              DIGITS "@b " DIGITS "@d"  },
    {"a lone @",                     VEIL_PERSON,  VEIL_SCRUB,     "at @ noon",            "at @ noon"               },
    {"addresses stay among people",  VEIL_PERSON,  VEIL_SCRUB,     "to 192.0.2.7",
     "to 192.0.2.7"                                                                                                  },
    {"and not among hosts",          VEIL_NETWORK, VEIL_SCRUB,
     "tcp/25 from 192.0.2.7/32.",                                                          "tcp/25 from %.%.%.%/32." },
    {"with a port",                  VEIL_NETWORK, VEIL_SCRUB,     "192.0.2.7:25 said",
     "%.%.%.%:25 said"                                                                                               },
    {"within a name",                VEIL_NETWORK, VEIL_SCRUB,     "x192.0.2.7y",          "x%.%.%.%y"               },
    {"at a full stop",               VEIL_NETWORK, VEIL_SCRUB,     "of 192.0.2.7.",
     "of %.%.%.%."                                                                                                   },
    {"a version is none",            VEIL_NETWORK, VEIL_SCRUB,     "v1.2.3 at 10:30:59",
     "v1.2.3 at 10:30:59"                                                                                            },
};

static void
test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct veil *v = make(forms[i].level, KEY, true);
        struct buf b = veiled(v, forms[i].how, forms[i].in);

        if (!matches((const char *)b.p, forms[i].want) ||
            (b.n > 2 && span_eq(buf_view(&b), span_str(forms[i].in)) &&
             forms[i].how != VEIL_SCRUB))
            fail_msg("%s: %s", forms[i].why, (const char *)b.p);
        buf_free(&b);
        veil_free(v);
    }
}

static const struct {
    const char *why;
    enum veil_how how;
    const char *a, *b;
} equals[] = {
    {"envelope and header",     VEIL_MAILBOX, "<john@ex.org>",
     "John Doe <John@EX.org>"                                                         },
    {"a name and its last dot", VEIL_NAME,    "Mail.ex.org",       "mail.ex.org."     },
    {"MAC addresses",           VEIL_MAC,     "00:00:5E:00:53:23", "00:00:5e:00:53:23"},
};

static void
test_equal_stays_equal(void **state)
{
    struct veil *v = make(VEIL_NETWORK, KEY, false);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(equals); i++) {
        struct buf a = veiled(v, equals[i].how, equals[i].a);
        struct buf b = veiled(v, equals[i].how, equals[i].b);

        if (!span_eq(buf_view(&a), buf_view(&b)))
            fail_msg("%s: %s, %s", equals[i].why, (const char *)a.p,
                     (const char *)b.p);
        buf_free(&a);
        buf_free(&b);
    }
    veil_free(v);
}

static void
test_domains_go_when_told(void **state)
{
    struct veil *v = make(VEIL_PERSON, KEY, false);
    struct buf b = veiled(v, VEIL_MAILBOX, "<john@ex.org>");

    (void)state;
    assert_true(matches((const char *)b.p, "<" DIGITS "@n" DIGITS ".invalid>"));
    buf_free(&b);
    veil_free(v);
}

/* ---- addresses ---- */

static unsigned
common_bits(const struct addr *a, const struct addr *b)
{
    unsigned n = 0;

    while (n < 128 && ((a->b[n / 8] ^ b->b[n / 8]) >> (7 - n % 8) & 1) == 0)
        n++;
    return n;
}

static struct addr
random_address(uint64_t *x, bool is_v4)
{
    struct addr a;

    for (size_t i = 0; i < 16; i++)
        a.b[i] = (uint8_t)random_next(x);
    return is_v4 ? addr_v4(a.b) : a;
}

/* Two addresses share as many bits as their pseudonyms do. */
static void
test_prefixes_are_kept(void **state)
{
    struct veil *v = make(VEIL_NETWORK, KEY, true);
    struct veil *w = make(VEIL_NETWORK, OTHER, true);
    uint64_t x = 7;
    unsigned same = 0;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        bool is_v4 = i % 2 == 0;
        struct addr a = random_address(&x, is_v4);
        struct addr b = a;
        unsigned bit =
            (is_v4 ? 96 : 0) + (unsigned)(random_next(&x) % (is_v4 ? 32 : 128));
        struct addr va, vb, wa;

        b.b[bit / 8] ^= (uint8_t)(0x80U >> (bit % 8));
        for (unsigned k = bit + 1; k < 128; k++)
            b.b[k / 8] ^= (uint8_t)((random_next(&x) & 1) * (0x80U >> (k % 8)));
        va = veil_address(v, &a);
        vb = veil_address(v, &b);
        wa = veil_address(w, &a);
        assert_int_equal(addr_is_v4(&va), is_v4);
        assert_int_equal(common_bits(&va, &vb), bit);
        same += addr_cmp(&va, &a) == 0;
        same += addr_cmp(&va, &wa) == 0;
    }
    assert_true(same < 3);
    veil_free(v);
    veil_free(w);
}

/* What follows a bit depends on it: else pseudonyms could be undone bit by bit
 * with the help of a known neighbour. */
static void
test_each_bit_counts(void **state)
{
    struct veil *v = make(VEIL_NETWORK, KEY, true);
    uint64_t x = 13;

    (void)state;
    for (unsigned bit = 112; bit < 127; bit++) { /* of many prefixes */
        unsigned differ = 0;

        for (unsigned i = 0; i < 200; i++) {
            struct addr a = random_address(&x, true);
            struct addr b = a;
            unsigned next = bit + 1;
            struct addr va, vb;

            b.b[bit / 8] ^= (uint8_t)(0x80U >> (bit % 8));
            va = veil_address(v, &a);
            vb = veil_address(v, &b);
            differ += (va.b[next / 8] ^ vb.b[next / 8]) >> (7 - next % 8) & 1;
        }
        if (differ <= 50 || differ >= 150) /* 7 deviations */
            fail_msg("bit %u: %u of 200", bit, differ);
    }
    veil_free(v);
}

/* ---- canaries ---- */

/* None of these may be met again, in any case of letters. */
static const char *const canaries[] = {
    "john.doe",      "jane",          "wonderland", "198.51.100.77",
    "198-51-100-77", "2001:db8:dead", "0:5e:0:53",  "secret-project",
    "laptop-of-",    "invoice-of-",
};

static const char *const persons[] = {
    "<john.doe@example.org>",
    "Jane <john.doe@example.org>",
    "550 5.1.1 <john.doe@example.org> no such user jane",
    "John.Doe in Wonderland",
    "=?utf-8?q?john.doe?=",
    "\xff john.doe \x01",
    "john.doe",
    "<@wonderland:jane>",
};
static const char *const contents[] = {
    "Secret-Project of Jane",
    "invoice-of-john.doe.pdf",
    "http://example.org/?u=jane@example.org",
    "\"secret-project\"\n",
};
static const char *const networks[] = {
    "198.51.100.77",
    "[198.51.100.77]",
    "2001:db8:dead::1",
    "00:0:5e:0:53:01",
    "laptop-of-them.example.org",
    "198-51-100-77.example.org",
    "198.51.100.77 lease 0123456789abcdef",
    "198.51.100.77/32",
    "from laptop-of-them ([198.51.100.77])",
};
static const char *const publics[] = {
    "for john.doe@example.org",
    "hello [198.51.100.77]",
    "x 2001:db8:dead::1 y",
    "<john.doe@example.org>",
    "198.51.100.77:25 and john.doe@example.org.",
};

static const struct {
    const char *const *v;
    size_t n;
} by_class[] = {
    [PRIVACY_PUBLIC] = {publics,  ARRAY_LEN(publics) },
    [PRIVACY_NETWORK] = {networks, ARRAY_LEN(networks)},
    [PRIVACY_PERSON] = {persons,  ARRAY_LEN(persons) },
    [PRIVACY_CONTENT] = {contents, ARRAY_LEN(contents)},
};

static const struct addr *
canary_address(uint64_t n)
{
    static struct addr a[2];

    assert_true(addr_parse(SPAN_LIT("198.51.100.77"), &a[0]));
    assert_true(addr_parse(SPAN_LIT("2001:db8:dead::1"), &a[1]));
    return &a[n % 2];
}

static void
put_canary(struct record_out *r, enum field f, uint64_t n)
{
    enum privacy class = field_table[f].privacy;

    if (f == FIELD_ALERT_BLOCK_SCOPE || f == FIELD_SIGHT_SILENT)
        class = PRIVACY_PUBLIC; /* our words around addresses */
    switch (field_table[f].type) {
    case FT_STR:
    case FT_STRS:
        record_text(r, f, by_class[class].v[n % by_class[class].n]);
        break;
    case FT_ADDR: record_addr(r, f, canary_address(n)); break;
    case FT_BOOL: record_bool(r, f, true); break;
    case FT_TIME: record_time(r, f, n * NS_PER_US); break;
    default: record_u64(r, f, n); break;
    }
}

static void
put_canaries(struct record_out *r, enum field f, uint64_t n)
{
    unsigned last = f;

    if (field_table[f].type != FT_OBJS) {
        put_canary(r, f, n);
        return;
    }
    for (last = f + 1;
         last < FIELD_COUNT && field_parent_of((enum field)last) == f;)
        last++;
    record_object_begin(r, f);
    for (unsigned c = (unsigned)f + 1; c < last; c++)
        put_canary(r, (enum field)c, n);
    record_object_end(r);
}

/* Every field of the table, lists with two entries. */
static void
fill(struct record_out *r, uint64_t n, enum event_type type)
{
    const struct record_head head = {
        .when = NS_PER_S, .flow_id = 7, .seq = 3, .type = type};

    record_begin(r, &head);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;

        if (field_is_header(f) || field_parent_of(f) != FIELD_COUNT)
            continue;
        if (f == FIELD_EVENT_ID) {
            record_text(r, f, "00000000000000ab");
            continue;
        }
        put_canaries(r, f, n);
        if (field_is_list(f))
            put_canaries(r, f, n + 1);
    }
    assert_true(record_check(record_view(r)));
}

static void
expect_none(struct span out, bool hosts_too, const char *what)
{
    for (size_t i = 0; i < ARRAY_LEN(canaries); i++) {
        bool is_host = i > 2 && i != 7 && i != 9;

        if (is_host && !hosts_too)
            continue;
        if (span_contains_nocase(out, span_str(canaries[i])))
            fail_msg("%s: %s: %.*s", what, canaries[i], (int)out.n,
                     (const char *)out.p);
    }
}

struct kit {
    struct json_writer json;
    struct json_reader reader;
    struct ecs *ecs;
    struct record_out in, out, back;
    struct buf line, message;
};

static void
kit_init(struct kit *k)
{
    json_writer_init(&k->json);
    json_reader_init(&k->reader);
    assert_true(ecs_new(&k->ecs));
    record_init(&k->in);
    record_init(&k->out);
    record_init(&k->back);
    buf_init(&k->line, SIZE_MAX);
    buf_init(&k->message, 4096);
}

static void
kit_fini(struct kit *k)
{
    json_reader_free(&k->reader);
    ecs_free(k->ecs);
    record_free(&k->in);
    record_free(&k->out);
    record_free(&k->back);
    buf_free(&k->line);
    buf_free(&k->message);
}

static void
test_canaries(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (unsigned n = 0; n < 90; n++) {
        bool hosts_too = n % 2 == 0;
        struct veil *v =
            make(hosts_too ? VEIL_NETWORK : VEIL_PERSON, KEY, n % 3 != 0);

        fill(&k.in, n / 2, (enum event_type)(n % EVENT_TYPE_COUNT));
        veil_record(v, record_view(&k.in), &k.out);
        assert_true(record_check(record_view(&k.out)));
        expect_none(record_view(&k.out), hosts_too, "record");
        buf_reset(&k.line);
        assert_true(json_write(&k.json, record_view(&k.out), &k.line));
        expect_none(buf_view(&k.line), hosts_too, "eve");
        buf_reset(&k.line);
        assert_true(ecs_write(k.ecs, record_view(&k.out), &k.line));
        expect_none(buf_view(&k.line), hosts_too, "ecs");
        assert_true(span_eq(record_find(record_view(&k.out), FIELD_EVENT_ID),
                            SPAN_LIT("00000000000000ab")));
        veil_free(v);
    }
    kit_fini(&k);
}

/* ---- any record ---- */

/* Strict JSON, of whatever keys. */
static void
expect_json(struct kit *k)
{
    struct buf wrapped;

    buf_init(&wrapped, SIZE_MAX);
    buf_str(&wrapped, "{\"timestamp\":\"2026-11-22T10:55:18.000001+0000\","
                      "\"event_type\":\"smtp\",\"x\":");
    buf_span(&wrapped, buf_view(&k->line));
    buf_putc(&wrapped, '}');
    if (json_read(&k->reader, buf_view(&wrapped), &k->back, &k->message) !=
        ERR_OK)
        fail_msg("%.*s: %.*s", (int)k->message.n, (const char *)k->message.p,
                 (int)k->line.n, (const char *)k->line.p);
    buf_free(&wrapped);
}

static void
test_any_record(void **state)
{
    struct veil *v = make(VEIL_NETWORK, KEY, true);
    struct veil *same = make(VEIL_NETWORK, KEY, true);
    struct kit k;
    uint64_t x = 11;

    (void)state;
    kit_init(&k);
    for (unsigned i = 0; i < 1500; i++) {
        struct buf first;

        random_record(&k.in, &x, 1 + i % 9);
        veil_record(v, record_view(&k.in), &k.out);
        assert_true(record_check(record_view(&k.out)));
        buf_init(&first, SIZE_MAX);
        buf_span(&first, record_view(&k.out));
        veil_record(same, record_view(&k.in), &k.out);
        assert_true(span_eq(buf_view(&first), record_view(&k.out)));
        buf_free(&first);
        for (unsigned clear = 0; clear < 2; clear++) {
            buf_reset(&k.line);
            assert_true(ecs_write(
                k.ecs, record_view(clear != 0 ? &k.in : &k.out), &k.line));
            expect_json(&k);
        }
        buf_reset(&k.line);
        assert_true(json_write(&k.json, record_view(&k.out), &k.line));
        assert_int_equal(
            json_read(&k.reader, buf_view(&k.line), &k.back, &k.message),
            ERR_OK);
    }
    kit_fini(&k);
    veil_free(v);
    veil_free(same);
}

/* Of what another key gives, nothing that was veiled is the same. */
static void
test_keys_differ(void **state)
{
    struct veil *v = make(VEIL_NETWORK, KEY, true);
    struct veil *w = make(VEIL_NETWORK, OTHER, true);
    struct record_out other;
    struct record_entry a, b;
    struct cursor ca, cb;
    struct kit k;
    unsigned met = 0;

    (void)state;
    kit_init(&k);
    record_init(&other);
    fill(&k.in, 0, EVENT_SMTP);
    veil_record(v, record_view(&k.in), &k.out);
    veil_record(w, record_view(&k.in), &other);
    ca = record_entries_of(record_view(&k.out));
    cb = record_entries_of(record_view(&other));
    while (record_next(&ca, &a) && record_next(&cb, &b)) {
        enum veil_how how = veil_how_of(VEIL_NETWORK, a.field);

        assert_int_equal(a.field, b.field);
        if (how <= VEIL_SCRUB)
            continue;
        met++;
        if (span_eq(a.value, b.value))
            fail_msg("%s", field_table[a.field].path);
    }
    assert_true(met > 40);
    assert_int_not_equal(record_head_of(record_view(&k.out)).flow_id,
                         record_head_of(record_view(&other)).flow_id);
    record_free(&other);
    kit_fini(&k);
    veil_free(v);
    veil_free(w);
}

/* Rows of veil.def fit the types of their fields, and no class is forgotten. */
static void
test_rules(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;
        enum privacy class = field_table[f].privacy;

        assert_int_equal(veil_how_of(VEIL_NONE, f), VEIL_KEEP);
        if (field_table[f].type == FT_OBJS)
            continue;
        if (class == PRIVACY_PERSON || class == PRIVACY_CONTENT)
            assert_true(veil_how_of(VEIL_PERSON, f) > VEIL_SCRUB);
        if (class != PRIVACY_PUBLIC && f != FIELD_ALERT_BLOCK_SCOPE &&
            f != FIELD_SIGHT_SILENT) /* our own words, and addresses */
            assert_true(veil_how_of(VEIL_NETWORK, f) > VEIL_SCRUB);
    }
}

static void
test_keys(void **state)
{
    struct veil *v = NULL;

    (void)state;
    assert_int_equal(veil_new(VEIL_PERSON, span_head(KEY, 15), true, &v),
                     ERR_CONFIG);
    assert_null(v);
    assert_int_equal(veil_new(VEIL_PERSON, span_head(KEY, 16), true, &v),
                     ERR_OK);
    veil_free(v);
    veil_free(NULL);
}

/* Long values are not looked at again and again. */
static void
test_long_text(void **state)
{
    static const char *const hostile[] = {".",  "@",  "a.", "1.", ":",
                                          "1:", "a@", "[",  "<"};
    struct veil *v = make(VEIL_NETWORK, KEY, true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct buf in, out;

        buf_init(&in, SIZE_MAX);
        buf_init(&out, SIZE_MAX);
        while (in.n < RECORD_STR_MAX)
            buf_str(&in, hostile[i]);
        for (enum veil_how how = VEIL_SCRUB; how < VEIL_DROP; how++) {
            buf_reset(&out);
            veil_text(v, how, buf_view(&in), &out);
            assert_false(out.failed);
            assert_true(out.n > 0);
        }
        buf_free(&in);
        buf_free(&out);
    }
    veil_free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_equal_stays_equal),
        cmocka_unit_test(test_domains_go_when_told),
        cmocka_unit_test(test_prefixes_are_kept),
        cmocka_unit_test(test_each_bit_counts),
        cmocka_unit_test(test_canaries),
        cmocka_unit_test(test_any_record),
        cmocka_unit_test(test_keys_differ),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_long_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

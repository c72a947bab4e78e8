#include "dissectors/dns_test_kit.h"

/* clang-format off: version 14 makes such a table 150 columns wide */

/* Heads: an answer, recursion desired and available. */
#define ONE    "head:8180:1:1:0:0 "
#define TWO    "head:8180:1:2:0:0 "
#define MX     " 000f0001 "
#define PTR    " 000c0001 "
#define A      " 00010001 "
#define AAAA   " 001c0001 "
#define CNAME  " 00050001 "
#define TTL    " 00000e10 "
#define ORG    "name:example.org"
#define ASKMX  ORG MX
#define ASKA   ORG A
#define MX_MX  "c00c" MX TTL "[ 000a part:mx c00c ] "
#define A_HOME "c00c" A TTL "[ 0a010203 ] "
#define A_FAR  "c00c" A TTL "[ c0000201 ] "

#define REVERSE "name:3.2.1.10.in-addr.arpa"
#define NIBBLES                                                                \
    "name:1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."    \
    "ip6.arpa"

static const struct {
    const char *why, *message, *want; /* NULL: nothing is told */
} cases[] = {
    {"one exchanger", ONE ASKMX MX_MX, "MX example.org 0 mx.example.org"},
    {"two exchangers, in order",
     TWO ASKMX MX_MX "c00c" MX TTL "[ 0014 name:b.example.net ]",
     "MX example.org 0 mx.example.org b.example.net"},
    {"no such name", "head:8183:1:0:0:0 " ASKMX, "MX example.org 3"},
    {"refused", "head:8185:1:0:0:0 " ASKMX, "MX example.org 5"},
    {"no exchanger, only an authority",
     "head:8180:1:0:1:0 " ASKMX "c00c 00060001" TTL "[ 00 ]",
     "MX example.org 0"},
    {"no mail (RFC 7505)", ONE ASKMX "c00c" MX TTL "[ 0000 00 ]",
     "MX example.org 0 ."},
    {"the root's", "head:8180:1:0:0:0 00" MX, "MX . 0"},
    {"lower case", ONE "name:ExAmPlE.OrG" MX "c00c" MX TTL "[ 0001 name:MX ]",
     "MX example.org 0 mx"},
    {"case differs between question and owner",
     ONE "name:EXAMPLE.org" MX "name:example.ORG" MX TTL "[ 0001 name:mx ]",
     "MX example.org 0 mx"},
    {"odd bytes are escaped", "head:8180:1:0:0:0 06 2e5c00ff7f20 00" MX,
     "MX \\.\\\\\\000\\255\\127\\032 0"},
    {"quotes and stars are themselves", "head:8180:1:0:0:0 03 222a40 00" MX,
     "MX \"*@ 0"},
    {"an alias",
     TWO ASKMX "c00c" CNAME TTL "[ name:a.net ] name:a.net" MX TTL
     "[ 0001 name:mx ]", "MX example.org 0 mx"},
    {"an alias that leads elsewhere",
     TWO ASKMX "c00c" CNAME TTL "[ name:a.net ] c00c" MX TTL "[ 0001 name:mx ]",
     "MX example.org 0"},
    {"another's records",
     TWO ASKMX "name:evil.net" MX TTL "[ 0001 name:mx ] " MX_MX,
     "MX example.org 0 mx.example.org"},
    {"records of another type", TWO ASKMX "c00c 00100001" TTL "[ 00 ] " MX_MX,
     "MX example.org 0 mx.example.org"},
    {"records of another class", TWO ASKMX "c00c 000f0003" TTL "[ ff ] " MX_MX,
     "MX example.org 0 mx.example.org"},
    {"EDNS", "head:8180:1:1:0:1 " ASKMX MX_MX "00 0029 1000 00000000 [ ]",
     "MX example.org 0 mx.example.org"},
    {"EDNS, BADCOOKIE is 23",
     "head:8187:1:0:0:1 " ASKMX "00 0029 1000 01000000 [ ]",
     "MX example.org 23"},
    {"two OPT",
     "head:8180:1:0:0:2 " ASKMX "00 0029 1000 00000000 [ ] "
     "00 0029 1000 00000000 [ ]", NULL},
    {"OPT of a name", "head:8180:1:0:0:1 " ASKMX "c00c 0029 1000 00000000 [ ]",
     NULL},
    {"reserved bit, AD and CD do not matter", "head:81f0:1:0:0:0 " ASKMX,
     "MX example.org 0"},

    {"name of an address",
     ONE REVERSE PTR "c00c" PTR TTL "[ name:host.example.org ]",
     "PTR 3.2.1.10.in-addr.arpa 0 host.example.org"},
    {"by delegation (RFC 2317)",
     TWO REVERSE PTR "c00c" CNAME TTL
     "[ part:3.0/25 c00e ] part:3.0/25 c00e" PTR TTL
     "[ name:host ]", "PTR 3.2.1.10.in-addr.arpa 0 host"},
    {"of IPv6", ONE NIBBLES PTR "c00c" PTR TTL "[ name:six ]",
     "PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
     "ip6.arpa 0 six"},
    {"none", "head:8183:1:0:0:0 " REVERSE PTR, "PTR 3.2.1.10.in-addr.arpa 3"},
    {"PTR of no address: DNS-SD",
     "head:8180:1:0:0:0 name:lb._dns-sd._udp.0.1.168.192.in-addr.arpa" PTR,
     NULL},
    {"PTR of three numbers", "head:8180:1:0:0:0 name:2.1.10.in-addr.arpa" PTR,
     NULL},
    {"PTR of five numbers",
     "head:8180:1:0:0:0 name:4.3.2.1.10.in-addr.arpa" PTR, NULL},
    {"PTR of 256", "head:8180:1:0:0:0 name:256.2.1.10.in-addr.arpa" PTR, NULL},
    {"PTR of 03", "head:8180:1:0:0:0 name:03.2.1.10.in-addr.arpa" PTR, NULL},
    {"PTR elsewhere", "head:8180:1:0:0:0 name:_ipp._tcp.local" PTR, NULL},
    {"PTR of 31 nibbles",
     "head:8180:1:0:0:0 name:0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b."
     "d.0.1.0.0.2.ip6.arpa" PTR,
     NULL},
    {"PTR of g",
     "head:8180:1:0:0:0 name:g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
     "0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" PTR,
     NULL},

    {"an address at home", ONE ASKA A_HOME, "A example.org 0 10.1.2.3"},
    {"an address elsewhere", ONE ASKA A_FAR, NULL},
    {"only what is at home", TWO ASKA A_FAR A_HOME, "A example.org 0 10.1.2.3"},
    {"of IPv6",
     ONE ORG AAAA "c00c" AAAA TTL "[ 20010db8000000000000000000000001 ]",
     "AAAA example.org 0 2001:db8::1"},
    {"IPv4 as IPv6",
     ONE ORG AAAA "c00c" AAAA TTL "[ 00000000000000000000ffff0a010203 ]", NULL},
    {"another's address at home", ONE ASKA "name:evil" A TTL "[ 0a010203 ]",
     NULL},
    {"AAAA for A",
     ONE ASKA "c00c" AAAA TTL "[ 20010db8000000000000000000000001 ]", NULL},
    {"an address of five bytes", ONE ASKA "c00c" A TTL "[ 0a01020304 ]", NULL},
    {"no answer", "head:8180:1:0:0:0 " ASKA, NULL},
    {"an alias at home",
     TWO ASKA "c00c" CNAME TTL "[ name:a.net ] name:a.net" A TTL "[ 0a010203 ]",
     "A example.org 0 10.1.2.3"},

    {"a query", "head:0100:1:0:0:0 " ASKMX, NULL},
    {"a notification", "head:a400:1:0:0:0 " ASKMX, NULL},
    {"no question", "head:8180:0:0:0:0", NULL},
    {"two questions", "head:8180:2:0:0:0 " ASKMX ASKMX, NULL},
    {"two questions said, one there", "head:8180:2:0:0:0 " ASKMX, NULL},
    {"class CHAOS", "head:8180:1:0:0:0 " ORG " 000f0003", NULL},
    {"TXT", "head:8180:1:0:0:0 " ORG " 00100001", NULL},
    {"ANY", "head:8180:1:0:0:0 " ORG " 00ff0001", NULL},
    {"fewer answers than said", TWO ASKMX MX_MX, NULL},
    {"more answers than said", ONE ASKMX MX_MX MX_MX, NULL},
    {"a byte behind it", ONE ASKMX MX_MX "00", NULL},
    {"fewer authorities than said", "head:8180:1:1:1:0 " ASKMX MX_MX, NULL},
    {"cut by its sender", "head:8380:1:2:0:0 " ASKMX MX_MX,
     "MX example.org 0+ mx.example.org"},
    {"cut by its sender, bad all the same",
     "head:8380:1:2:0:0 " ASKMX "c00c" MX TTL "[ 000a c0ff ]", NULL},
    {"nothing but cut", "head:8380:1:0:0:0 " ASKMX, "MX example.org 0+"},

    {"a pointer to itself", ONE ASKMX "c00c" MX TTL "[ 000a c02b ]", NULL},
    {"a pointer forward", ONE ASKMX "c00c" MX TTL "[ 000a c02d 00 ]", NULL},
    {"a pointer forward behind a label",
     ONE ASKMX "c00c" MX TTL "[ 000a 0161 c02f 00 ]", NULL},
    {"a pointer into its own name",
     ONE ASKMX "c00c" MX TTL "[ 000a 0161 c02b ]", NULL},
    {"a pointer into the head", ONE ASKMX "c00c" MX TTL "[ 000a c00b ]", NULL},
    {"a pointer past the end", ONE ASKMX "c00c" MX TTL "[ 000a c3ff ]", NULL},
    {"a pointer in the question", "head:8180:1:0:0:0 c00c" MX, NULL},
    {"half a pointer", ONE ASKMX "c00c" MX TTL "[ 000a c0 ]", NULL},
    {"an owner that points at itself", ONE ASKMX "c01d" MX TTL "[ 000a 00 ]",
     NULL},
    {"a label of a kind of its own", ONE ASKMX "c00c" MX TTL "[ 000a 4161 00 ]",
     NULL},
    {"a reserved kind of label", ONE ASKMX "c00c" MX TTL "[ 000a 8161 00 ]",
     NULL},
    {"a name that ends before its data does",
     ONE ASKMX "c00c" MX TTL "[ 000a name:a 00 ]", NULL},
    {"a name that goes on behind its data",
     "head:8180:1:1:0:0 " ASKMX "c00c" MX TTL "0003 000a name:a", NULL},
    {"a preference alone", ONE ASKMX "c00c" MX TTL "[ 000a ]", NULL},
    {"half a preference", ONE ASKMX "c00c" MX TTL "[ 00 ]", NULL},
    {"nothing", "", NULL},
    {"half a head", "1234818000", NULL},
};

static void
describe(const struct dns_answer *a, char *out, size_t max)
{
    size_t n =
        (size_t)snprintf(out, max, "%s %.*s %u%s", dns_type_name(a->type),
                         a->name.n, a->name.b, a->rcode, a->cut ? "+" : "");

    for (unsigned i = 0; i < a->n_answers; i++)
        n += (size_t)snprintf(out + n, max - n, " %.*s", a->answers[i].n,
                              a->answers[i].b);
}

/* Reads a copy in a block of its very size. */
static bool
read_exact(struct span m, size_t n, bool whole, struct dns_answer *a)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    bool wants;
    bool told;

    assert_non_null(copy);
    if (n > 0)
        memcpy(copy, m.p, n);
    wants = dns_wants(span_of(copy, n), &dns_kit_home);
    told = dns_read(span_of(copy, n), whole, &dns_kit_home, a);
    assert_true(wants || !told);
    free(copy);
    return told;
}

static struct dns_kit kit;
static struct dns_answer answer;

static void
test_cases(void **state)
{
    char got[4096];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span m = dns_kit_build(&kit, cases[i].message);
        bool told = read_exact(m, m.n, true, &answer);

        if (told)
            describe(&answer, got, sizeof(got));
        if (told != (cases[i].want != NULL))
            fail_msg("%s: %s", cases[i].why, told ? got : "nothing");
        if (told && strcmp(got, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].why, got);
    }
}

/* A whole message that ends early is a lie; one that the capture cut tells what
 * is there, and never more than the whole one. */
static void
test_every_cut(void **state)
{
    static struct dns_answer part;
    unsigned told = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span m = dns_kit_build(&kit, cases[i].message);
        bool tc = m.n > 2 && (span_at(m, 2) & 2) != 0;

        if (cases[i].want == NULL)
            continue;
        assert_true(read_exact(m, m.n, true, &answer));
        for (size_t n = 0; n < m.n; n++) {
            if (read_exact(m, n, true, &part) && !tc)
                fail_msg("%s: told at %zu", cases[i].why, n);
            if (!read_exact(m, n, false, &part))
                continue;
            told++;
            assert_true(part.cut && part.n_answers <= answer.n_answers);
            assert_int_equal(part.name.n, answer.name.n);
            for (unsigned k = 0; k < part.n_answers; k++)
                assert_int_equal(part.answers[k].n, answer.answers[k].n);
        }
    }
    assert_true(told > 300);
}

static void
repeat(char *to, size_t max, const char *word, unsigned n)
{
    size_t at = strlen(to);

    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(to + at, max - at, "%s", word);
    assert_true(at < max);
}

static void
test_answers_max(void **state)
{
    static char words[65536];

    (void)state;
    for (unsigned n = DNS_ANSWERS_MAX - 1; n <= DNS_ANSWERS_MAX + 1; n++) {
        struct span m;

        (void)snprintf(words, sizeof(words), "head:8180:1:%x:0:0 " ASKMX, n);
        repeat(words, sizeof(words), MX_MX, n);
        m = dns_kit_build(&kit, words);
        assert_true(read_exact(m, m.n, true, &answer));
        assert_int_equal(answer.n_answers,
                         n < DNS_ANSWERS_MAX ? n : DNS_ANSWERS_MAX);
        assert_int_equal(answer.cut, n > DNS_ANSWERS_MAX);
    }
}

/* The answer behind n others. */
static void
test_records_max(void **state)
{
    static char words[65536];

    (void)state;
    for (unsigned n = DNS_RECORDS_MAX - 2; n <= DNS_RECORDS_MAX; n++) {
        struct span m;

        (void)snprintf(words, sizeof(words),
                       "head:8180:1:%x:0:0 " ASKMX "fill:%u " MX_MX, n + 1, n);
        m = dns_kit_build(&kit, words);
        assert_true(read_exact(m, m.n, true, &answer));
        assert_int_equal(answer.n_answers, n < DNS_RECORDS_MAX);
        assert_int_equal(answer.cut, n >= DNS_RECORDS_MAX);
        (void)snprintf(words, sizeof(words),
                       "head:8180:1:%x:0:0 " ASKA "fill:%u " A_HOME, n + 1, n);
        m = dns_kit_build(&kit, words);
        assert_int_equal(read_exact(m, m.n, true, &answer),
                         n < DNS_RECORDS_MAX);
        assert_int_equal(dns_wants(m, &dns_kit_home), n < DNS_RECORDS_MAX);
    }
}

static void
test_lengths_max(void **state)
{
    static const struct {
        const char *why;
        unsigned labels, rest; /* of 63 bytes, and of so many */
        bool told;
    } rows[] = {
        {"254",       3, 60, true },
        {"255",       3, 61, true },
        {"256",       3, 62, false},
        {"257",       3, 63, false},
        {"one of 64", 0, 64, false},
    };
    static char words[4096];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;
        struct span m;

        (void)snprintf(words, sizeof(words), "head:8180:1:0:0:0 ");
        for (unsigned k = 0; k <= rows[i].labels; k++) {
            unsigned n = k < rows[i].labels ? 63 : rows[i].rest;

            at = strlen(words);
            (void)snprintf(words + at, sizeof(words) - at, "%02x", n);
            repeat(words, sizeof(words), "e9", n);
        }
        repeat(words, sizeof(words), "00" MX, 1);
        m = dns_kit_build(&kit, words);
        if (read_exact(m, m.n, true, &answer) != rows[i].told)
            fail_msg("%s", rows[i].why);
        if (rows[i].told)
            assert_int_equal(answer.name.n, 4 * (3 * 63 + rows[i].rest) + 3);
    }
}

/* A name put together by a pointer may not be longer either: behind a label
 * of n bytes one of 193. */
static void
test_pointed_length_max(void **state)
{
    static char words[4096];

    (void)state;
    for (unsigned n = 60; n <= 62; n++) {
        struct span m;

        (void)snprintf(words, sizeof(words), "head:8180:1:1:0:0 ");
        for (unsigned k = 0; k < 3; k++) {
            repeat(words, sizeof(words), "3f", 1);
            repeat(words, sizeof(words), "61", 63);
        }
        repeat(words, sizeof(words), "00" MX "c00c" MX TTL "[ 000a ", 1);
        (void)snprintf(words + strlen(words), 3, "%02x", n);
        repeat(words, sizeof(words), "62", n);
        repeat(words, sizeof(words), "c00c ]", 1);
        m = dns_kit_build(&kit, words);
        assert_int_equal(read_exact(m, m.n, true, &answer), n <= 61);
        if (n <= 61)
            assert_int_equal(answer.answers[0].n, n + 192);
    }
}

/* A name of n pointers, each to the one before; the name that the first one
 * leads to is 255 bytes long or 256 with a label in front. */
static void
test_jumps_max(void **state)
{
    static char words[8192];

    (void)state;
    for (unsigned n = DNS_JUMPS_MAX - 1; n <= DNS_JUMPS_MAX + 1; n++) {
        struct span m;
        size_t at;

        (void)snprintf(words, sizeof(words),
                       "head:8180:1:2:0:0 " ASKMX "00 00100001" TTL "[ c00c");
        for (unsigned k = 2; k < n; k++) {
            at = strlen(words);
            (void)snprintf(words + at, sizeof(words) - at, " c0%02x",
                           40 + 2 * (k - 2));
        }
        at = strlen(words);
        (void)snprintf(words + at, sizeof(words) - at,
                       " ] c00c" MX TTL "[ 000a c0%02x ]", 40 + 2 * (n - 2));
        m = dns_kit_build(&kit, words);
        assert_int_equal(read_exact(m, m.n, true, &answer), n <= DNS_JUMPS_MAX);
        if (n <= DNS_JUMPS_MAX)
            assert_int_equal(answer.answers[0].n, 11);
    }
}

/* Without networks known to be at home no address is. */
static void
test_no_home(void **state)
{
    static const struct dns_home none = {NULL, NULL};
    struct span m = dns_kit_build(&kit, ONE ASKA A_HOME);

    (void)state;
    assert_false(dns_wants(m, &none));
    assert_false(dns_read(m, true, &none, &answer));
    m = dns_kit_build(&kit, ONE ASKMX MX_MX);
    assert_true(dns_read(m, true, &none, &answer));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),       cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_answers_max), cmocka_unit_test(test_records_max),
        cmocka_unit_test(test_lengths_max), cmocka_unit_test(test_jumps_max),
        cmocka_unit_test(test_no_home),
        cmocka_unit_test(test_pointed_length_max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/registry/permits.h"
#include "rules/registry/permits_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/hash.h"

#define NOW (100 * NS_PER_S)

/* ---- books ---- */

static void
apply(struct book *b, struct action *a)
{
    struct buf why;

    buf_init(&why, 1024);
    a->actor = "ada";
    if (a->when == 0)
        a->when = NS_PER_S;
    if (book_apply(b, a, NULL, NULL, &why) != ERR_OK)
        fail_msg("%.*s", (int)why.n, (const char *)why.p);
    buf_free(&why);
}

/* A form of one line; kind: what is done with it, or SUBMIT: nothing. */
static void
add(struct book *b, unsigned number, const char *address, const char *port,
    const char *use, enum action_kind kind)
{
    struct form f;
    struct form_line *l;
    struct action a = {.kind = ACTION_SUBMIT, .number = f.number, .form = &f};

    form_init(&f);
    (void)snprintf(f.number, sizeof(f.number), "2026-%u", number);
    l = form_add_line(&f);
    assert_non_null(l);
    assert_int_equal(form_set(&l->text[FORM_ADDRESS], span_str(address)),
                     ERR_OK);
    assert_int_equal(form_set(&l->text[FORM_PORT], span_str(port)), ERR_OK);
    assert_int_equal(form_set(&l->text[FORM_USE], span_str(use)), ERR_OK);
    (void)form_check(&f, NS_PER_S, NULL, NULL);
    apply(b, &a);
    a.form = NULL;
    a.reason = "x";
    a.kind = ACTION_PERMIT;
    if (kind != ACTION_SUBMIT)
        apply(b, &a);
    a.kind = kind;
    a.until = kind == ACTION_SUSPEND ? NS_PER_S : 0;
    if (kind != ACTION_SUBMIT && kind != ACTION_PERMIT)
        apply(b, &a);
    form_fini(&f);
}

static struct book *
book_ok(void)
{
    struct book *b;

    assert_int_equal(book_new(&b), ERR_OK);
    return b;
}

static struct permits
collect(const struct book *b)
{
    struct permits p;

    assert_int_equal(permits_collect(b, NOW, FORM_BOTH, &p), ERR_OK);
    return p;
}

static bool
says(const struct permits *p, const struct addr *a, uint16_t port,
     enum form_use use)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct permit *x = &p->v[i];

        if (addr_cmp(&x->first, a) <= 0 && addr_cmp(a, &x->last) <= 0 &&
            (x->port == 0 || x->port == port) && (x->use & use) != 0)
            return true;
    }
    return false;
}

/* ---- as the book judges ---- */

static const char *const ports[] = {"25", "587", "any"};
static const char *const ways[] = {"send", "receive", "both"};
static const enum action_kind kinds[] = {
    ACTION_PERMIT, ACTION_PERMIT, ACTION_SUBMIT, ACTION_SUSPEND, ACTION_REVOKE};

static void
add_random(struct book *b, unsigned number, uint64_t *rng)
{
    char address[64];
    unsigned bits, low;

    *rng = hash_mix(*rng, number);
    bits = (unsigned)(*rng >> 8) % 6; /* 0..5 host bits */
    low = (unsigned)(*rng >> 16) % 32 >> bits << bits;
    if (*rng >> 63 != 0)
        (void)snprintf(address, sizeof(address), "10.0.0.%u/%u", low,
                       32 - bits);
    else
        (void)snprintf(address, sizeof(address), "2001:db8::%x/%u", low,
                       128 - bits);
    add(b, number, address, ports[(*rng >> 24) % 3], ways[(*rng >> 32) % 3],
        kinds[(*rng >> 40) % ARRAY_LEN(kinds)]);
}

static void
compare(const struct book *b, const struct permits *p, uint64_t seed)
{
    for (unsigned i = 0; i < 64; i++) {
        struct addr a;
        char text[64];

        (void)snprintf(text, sizeof(text),
                       i < 32 ? "10.0.0.%u" : "2001:db8::%x", i % 32);
        assert_true(addr_parse(span_str(text), &a));
        for (unsigned k = 0; k < 6; k++) {
            static const uint16_t asked[] = {25, 587, 2525};
            enum form_use use = k < 3 ? FORM_SEND : FORM_RECEIVE;
            bool want = book_judge(b, &a, asked[k % 3], use, NOW).registered;

            if (says(p, &a, asked[k % 3], use) != want)
                fail_msg("seed %llu: %s port %u %s", (unsigned long long)seed,
                         text, asked[k % 3], want ? "missing" : "too much");
        }
    }
}

static void
says_what_the_book_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct book *b = book_ok();
        struct permits p;
        uint64_t rng = seed;

        for (unsigned i = 1; i <= 1 + seed % 9; i++)
            add_random(b, i, &rng);
        assert_int_equal(book_index(b), ERR_OK);
        p = collect(b);
        compare(b, &p, seed);
        permits_fini(&p);
        book_free(b);
    }
}

static void
ends_at_the_last_address(void **state)
{
    struct book *b = book_ok();
    struct permits p;
    struct addr last;

    (void)state;
    add(b, 1, "ff00::/8", "25", "both", ACTION_PERMIT);
    add(b, 2, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124", "25", "both",
        ACTION_REVOKE);
    add(b, 3, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "25", "both",
        ACTION_PERMIT);
    p = collect(b);
    assert_int_equal(p.n, 2);
    assert_true(
        addr_parse(SPAN_LIT("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffef"), &last));
    assert_int_equal(addr_cmp(&p.v[0].last, &last), 0);
    assert_int_equal(p.v[1].line->form->form.number[5], '3');
    permits_fini(&p);
    book_free(b);
}

static void
finds_what_permits_all(void **state)
{
    static const struct {
        const char *why;
        struct {
            const char *address, *port, *use;
        } lines[4];
        bool all, alone;
    } rows[] = {
        {"IPv4",                              {{"0.0.0.0/0", "25", "both"}}, true,  true },
        {"IPv6",                              {{"::/0", "25", "both"}},      true,  true },
        {"half of it",                        {{"0.0.0.0/1", "25", "both"}}, false, false},
        {"half of IPv6",                      {{"::/1", "25", "both"}},      false, false},
        {"both halves",
         {{"0.0.0.0/1", "25", "both"}, {"128.0.0.0/1", "25", "both"}},
         true,                                                                      false},
        {"both halves of IPv6",
         {{"::/1", "25", "both"}, {"8000::/1", "25", "both"}},
         true,                                                                      false},
        {"three, one for any port",
         {{"0.0.0.0/2", "25", "both"},
          {"64.0.0.0/2", "any", "both"},
          {"128.0.0.0/1", "25", "both"}},
         true,                                                                      false},
        {"a hole of a quarter",
         {{"0.0.0.0/2", "25", "both"}, {"128.0.0.0/1", "25", "both"}},
         false,                                                                     false},
        {"halves of two ports",
         {{"0.0.0.0/1", "25", "both"}, {"128.0.0.0/1", "587", "both"}},
         false,                                                                     false},
        {"halves of two ways",
         {{"0.0.0.0/1", "25", "send"}, {"128.0.0.0/1", "25", "receive"}},
         false,                                                                     false},
        {"one way is enough",
         {{"0.0.0.0/1", "25", "receive"}, {"128.0.0.0/1", "25", "both"}},
         true,                                                                      false},
        {"an address cut out does not count",
         {{"0.0.0.0/1", "25", "both"},
          {"128.0.0.0/1", "25", "both"},
          {"128.0.0.9", "25", "suspended"}},
         true,                                                                      false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct book *b = book_ok();
        struct permits_all found;
        struct permits p;

        for (unsigned k = 0; k < ARRAY_LEN(rows[i].lines); k++) {
            const char *use = rows[i].lines[k].use;
            const bool suspended =
                use != NULL && use[0] == 's' && use[1] == 'u';

            if (use != NULL)
                add(b, k + 1, rows[i].lines[k].address, rows[i].lines[k].port,
                    suspended ? "both" : use,
                    suspended ? ACTION_SUSPEND : ACTION_PERMIT);
        }
        p = collect(b);
        assert_int_equal(permits_find_all(&p, &found), ERR_OK);
        if ((found.permit != NULL) != rows[i].all ||
            (rows[i].all && found.alone != rows[i].alone))
            fail_msg("%s", rows[i].why);
        permits_fini(&p);
        book_free(b);
    }
}

/* ---- lists, written and read back ---- */

/* Lists of which neither alone has all. */
static void
covers_by_two_lists(void **state)
{
    static const struct {
        const char *why, *first, *last;
        bool both;
    } rows[] = {
        {"in one",             "10.0.0.1",      "10.0.0.9",  true },
        {"in the other",       "10.0.0.12",     "10.0.0.19", true },
        {"over both and back", "10.0.0.0",      "10.0.0.29", true },
        {"overlapping ends",   "10.0.0.8",      "10.0.0.14", true },
        {"one too many",       "10.0.0.0",      "10.0.0.30", false},
        {"begins before",      "9.255.255.255", "10.0.0.5",  false},
        {"behind a hole",      "10.0.0.29",     "10.0.0.40", false},
        {"ends with all",      "10.0.0.40",     "10.0.0.49", true },
    };
    struct permits_range v[3], w[2];

    (void)state;
    assert_true(addr_parse(SPAN_LIT("10.0.0.0"), &v[0].first) &&
                addr_parse(SPAN_LIT("10.0.0.10"), &v[0].last) &&
                addr_parse(SPAN_LIT("10.0.0.20"), &v[1].first) &&
                addr_parse(SPAN_LIT("10.0.0.29"), &v[1].last) &&
                addr_parse(SPAN_LIT("10.0.0.45"), &v[2].first) &&
                addr_parse(SPAN_LIT("10.0.0.50"), &v[2].last) &&
                addr_parse(SPAN_LIT("10.0.0.10"), &w[0].first) &&
                addr_parse(SPAN_LIT("10.0.0.19"), &w[0].last) &&
                addr_parse(SPAN_LIT("10.0.0.40"), &w[1].first) &&
                addr_parse(SPAN_LIT("10.0.0.44"), &w[1].last));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct permits_range r;

        assert_true(addr_parse(span_str(rows[i].first), &r.first) &&
                    addr_parse(span_str(rows[i].last), &r.last));
        if (permits_cover(v, 3, w, 2, &r) != rows[i].both ||
            permits_cover(w, 2, v, 3, &r) != rows[i].both ||
            permits_cover(v, 3, NULL, 0, &r) != permits_covers(v, 3, &r))
            fail_msg("%s", rows[i].why);
    }
}

static void
reads_what_it_writes(void **state)
{
    static const enum permits_format formats[] = {PERMITS_NFT, PERMITS_IPSET,
                                                  PERMITS_EDL, PERMITS_CSV};

    (void)state;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
            struct book *b = book_ok();
            struct permits p;
            struct permits_list l;
            struct buf text, messages;
            struct permits_range all[4096];
            size_t n = 0;
            uint64_t rng = seed;

            for (unsigned i = 1; i <= 1 + seed % 9; i++)
                add_random(b, i, &rng);
            buf_init(&text, 1 << 20);
            buf_init(&messages, 4096);
            p = collect(b);
            permits_write(&p, formats[f], NOW, &text);
            assert_int_equal(permits_read(buf_view(&text), "l", &l, &messages),
                             ERR_OK);
            assert_int_equal(l.faulty, 0);
            assert_true(l.n < ARRAY_LEN(all));
            for (; n < l.n; n++)
                all[n] = l.v[n].range;
            n = permits_join(all, n);
            for (size_t i = 0; i < p.n; i++) {
                struct permits_range r = {p.v[i].first, p.v[i].last};

                assert_true(permits_covers(all, n, &r));
            }
            assert_int_equal(l.n == 0, p.n == 0);
            permits_list_fini(&l);
            permits_fini(&p);
            buf_free(&text);
            buf_free(&messages);
            book_free(b);
        }
    }
}

/* clang-format off */
static const struct {
    const char *why, *text;
    size_t n, faulty;
    uint32_t port;
    enum form_use use;
} lists[] = {
    {"empty", "", 0, 0, 0, 0},
    {"addresses", "192.0.2.1\n192.0.2.2 2026-1/1\n# x\n\n::1\n", 3, 0,
     PERMITS_ANY_PORT, FORM_BOTH},
    {"no addresses among them", "192.0.2.1\nx\n192.0.2.300\n", 1, 2,
     PERMITS_ANY_PORT, FORM_BOTH},
    {"nft of others", "table ip t {\n set s {\n type ipv4_addr\n elements = "
     "{ 192.0.2.1, 192.0.2.2-192.0.2.9 comment \"a, }\",\n 10.0.0.0/8 }\n }\n}",
     3, 0, PERMITS_ANY_PORT, FORM_BOTH},
    {"our sets among others", "table ip t {\n set s {\n elements = { 192.0.2.1 "
     "}\n }\n set send_25_v4 {\n elements = { 10.0.0.1 timeout 3s }\n }\n}",
     1, 0, 25, FORM_SEND},
    {"nft -j", "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}, "
     "{\"set\": {\"family\": \"inet\", \"name\": \"receive_any_v4\", \"table\":"
     " \"span25\", \"type\": \"ipv4_addr\", \"flags\": [\"interval\"], "
     "\"elem\": [\"10.0.0.1\", {\"elem\": {\"val\": \"10.0.0.2\", \"comment\": "
     "\"9.9.9.9\"}}, {\"elem\": {\"val\": {\"prefix\": {\"addr\": \"10.1.0.0\","
     " \"len\": 16}}, \"comment\": \"x\"}}, {\"range\": [\"10.2.0.1\", "
     "\"10.2.0.3\"]}]}}]}", 4, 0, 0, FORM_RECEIVE},
    {"a map behind our set is not ours", "{\"nftables\": [{\"set\": {\"name\": "
     "\"send_25_v4\", \"elem\": [\"10.0.0.1\"]}}, {\"map\": {\"name\": "
     "\"out_v4\", \"map\": \"verdict\", \"elem\": [[{\"prefix\": {\"addr\": "
     "\"10.1.0.0\", \"len\": 16}}, {\"jump\": {\"target\": \"x\"}}]]}}]}",
     1, 0, 25, FORM_SEND},
    {"nor as text", "table ip t {\n set send_25_v4 {\n elements = { 10.0.0.1 "
     "}\n }\n map m {\n elements = { 10.0.0.2 : jump x }\n }\n}",
     1, 0, 25, FORM_SEND},
    {"ipset save", "create a hash:net\nadd a 10.0.0.1 comment \"x\"\n"
     "create span25-send-587-v4 hash:net\nadd span25-send-587-v4 10.0.0.0/30\n",
     1, 0, 587, FORM_SEND},
    {"CSV", "site,Address,port\nx,10.0.0.1,25\n", 1, 0, 25, FORM_BOTH},
    {"a port that is none is not every port", "address,port\n10.0.0.1,25-587\n",
     1, 0, PERMITS_NO_PORT, FORM_BOTH},
    {"a range that goes back", "10.0.0.9-10.0.0.1\n10.0.0.1-::1\n10.0.0.1\n", 1,
     2, PERMITS_ANY_PORT, FORM_BOTH},
};
/* clang-format on */

static void
reads_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct permits_list l;
        struct buf messages;

        buf_init(&messages, 4096);
        if (permits_read(span_str(lists[i].text), "l", &l, &messages) !=
                ERR_OK ||
            l.n != lists[i].n || l.faulty != lists[i].faulty ||
            (l.n > 0 &&
             (l.v[0].port != lists[i].port || l.v[0].use != lists[i].use)))
            fail_msg("%s: %zu, %zu faulty: %.*s", lists[i].why, l.n, l.faulty,
                     (int)messages.n, (const char *)messages.p);
        permits_list_fini(&l);
        buf_free(&messages);
    }
}

/* What is not in it would count as lost: a list cut anywhere within its braces
 * is none. */
static void
refuses_half_lists(void **state)
{
    static const char *const whole[] = {
        "table inet span25 {\n set send_25_v4 {\n type ipv4_addr\n elements = "
        "{ 10.0.0.1 comment \"x }\", 10.0.0.2 }\n }\n}\n",
        "add element inet span25 send_25_v4 {\n 10.0.0.1, 10.0.0.2\n}\n",
        "{\"nftables\": [{\"set\": {\"name\": \"send_25_v4\", \"elem\": "
        "[\"10.0.0.1\", \"10.0.0.2\"]}}]}\n",
        "{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        struct span text = span_str(whole[i]);
        size_t from = span_find(text, i == 1 ? '{' : '[');

        from = from == text.n ? span_find(text, '{') : from;
        for (size_t cut = from + 1; cut + 1 < text.n; cut++) {
            struct permits_list l;
            struct buf messages;

            buf_init(&messages, 65536);
            if (permits_read(span_head(text, cut), "l", &l, &messages) !=
                ERR_FORMAT)
                fail_msg("list %zu, cut at %zu", i, cut);
            permits_list_fini(&l);
            buf_free(&messages);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_book_says),
        cmocka_unit_test(ends_at_the_last_address),
        cmocka_unit_test(finds_what_permits_all),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(refuses_half_lists),
        cmocka_unit_test(covers_by_two_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

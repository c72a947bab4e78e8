#include "rules/feed/border.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/alloc_fails.h"

#define MANY 8

struct kit {
    struct prefix home[MANY], site[MANY];
    struct border_site sites[MANY];
    struct permit permit[MANY];
    struct permits permits;
    struct permits_range exempt[MANY];
    struct border_in in;
};

static struct prefix
prefix_of(const char *text)
{
    struct prefix p;

    if (!prefix_parse(span_str(text), &p))
        fail_msg("no prefix: %s", text);
    return p;
}

static void
kit_init(struct kit *k)
{
    *k = (struct kit){
        .in = {.rest = BORDER_DENY, .other = BORDER_DENY}
    };
    k->permits.v = k->permit;
    k->in.permits = &k->permits;
    k->in.home = k->home;
    k->in.sites = k->sites;
    k->in.exempt = k->exempt;
}

static void
kit_home(struct kit *k, const char *text)
{
    k->home[k->in.n_home++] = prefix_of(text);
}

static void
kit_site(struct kit *k, const char *text, const char *code,
         enum border_phase phase)
{
    const size_t i = k->in.n_sites++;

    k->site[i] = prefix_of(text);
    k->sites[i] = (struct border_site){span_str(code), phase, &k->site[i], 1};
}

static void
kit_permit(struct kit *k, const char *text, uint16_t port, enum form_use use)
{
    const struct prefix p = prefix_of(text);
    const struct permits_range r = permits_range_of(&p);

    k->permit[k->permits.n++] = (struct permit){.first = r.first,
                                                .last = r.last,
                                                .prefix = p,
                                                .port = port,
                                                .use = use};
}

static struct border *
border_ok(const struct kit *k)
{
    struct border *b = NULL;
    const enum border_verdict v = border_new(&k->in, &b);

    if (v != BORDER_DONE)
        fail_msg("%s", border_verdict_doc(v));
    return b;
}

static void
write_it(const struct border *b, enum border_script s, struct buf *out)
{
    buf_init(out, 1 << 22);
    border_write(b, s, out);
    assert_false(out->cut || out->failed);
}

static size_t
occurrences(const struct buf *text, const char *what)
{
    struct span s = buf_view(text);
    size_t n = 0;

    for (size_t at = span_search(s, span_str(what)); at < s.n;
         at = span_search(s, span_str(what))) {
        s = span_tail(s, at + 1);
        n++;
    }
    return n;
}

/* clang-format off */
static const struct {
    const char *why, *home;
    struct { const char *prefix; uint16_t port; enum form_use use; } permit[3];
    const char *exempt;
    bool allowed;
    uint32_t trial;
    enum border_verdict want;
} rows[] = {
    {"good", "10.0.0.0/8", {{"10.0.0.1", 25, FORM_SEND}}, NULL, false, 0,
     BORDER_DONE},
    {"of any port", "10.0.0.0/8", {{"10.0.0.1", 0, FORM_RECEIVE}}, NULL, false,
     0, BORDER_DONE},
    {"of another port only", "10.0.0.0/8", {{"10.0.0.1", 587, FORM_SEND}},
     NULL, false, 0, BORDER_NO_PERMIT},
    {"of an odd port only", "10.0.0.0/8", {{"10.0.0.1", 2525, FORM_BOTH}},
     NULL, false, 0, BORDER_NO_PERMIT},
    {"the exempt are no permit", "10.0.0.0/8", {{"10.0.0.1", 587, FORM_SEND}},
     "10.0.0.7", false, 0, BORDER_NO_PERMIT},
    {"nobody", "10.0.0.0/8", {{NULL, 0, 0}}, NULL, false, 0, BORDER_NO_PERMIT},
    {"nobody, on purpose", "10.0.0.0/8", {{NULL, 0, 0}}, NULL, true, 0,
     BORDER_DONE},
    {"everybody", "10.0.0.0/8", {{"0.0.0.0/0", 25, FORM_SEND}}, NULL, false, 0,
     BORDER_ALL_PERMITTED},
    {"everybody in halves", "10.0.0.0/8", {{"0.0.0.0/1", 25, FORM_RECEIVE},
     {"128.0.0.0/1", 0, FORM_BOTH}}, NULL, false, 0, BORDER_ALL_PERMITTED},
    {"all but one half", "10.0.0.0/8", {{"0.0.0.0/1", 25, FORM_RECEIVE},
     {"128.0.0.0/1", 25, FORM_SEND}}, NULL, false, 0, BORDER_DONE},
    {"everybody is exempt", "10.0.0.0/8", {{"10.0.0.1", 25, FORM_SEND}},
     "::/0", false, 0, BORDER_ALL_PERMITTED},
    {"no home", NULL, {{"10.0.0.1", 25, FORM_SEND}}, NULL, false, 0,
     BORDER_NO_HOME},
    {"all is home", "0.0.0.0/0", {{"10.0.0.1", 25, FORM_SEND}}, NULL, false, 0,
     BORDER_ALL_HOME},
    {"a week of trial", "10.0.0.0/8", {{"10.0.0.1", 25, FORM_SEND}}, NULL,
     false, BORDER_TRIAL_S, BORDER_DONE},
    {"a second more", "10.0.0.0/8", {{"10.0.0.1", 25, FORM_SEND}}, NULL,
     false, BORDER_TRIAL_S + 1, BORDER_LIMITS},
};
/* clang-format on */

static void
refuses_what_makes_no_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct border *b = NULL;
        struct kit k;

        kit_init(&k);
        if (rows[i].home != NULL)
            kit_home(&k, rows[i].home);
        for (size_t p = 0; p < 3 && rows[i].permit[p].prefix != NULL; p++)
            kit_permit(&k, rows[i].permit[p].prefix, rows[i].permit[p].port,
                       rows[i].permit[p].use);
        if (rows[i].exempt != NULL) {
            const struct prefix p = prefix_of(rows[i].exempt);

            k.exempt[k.in.n_exempt++] = permits_range_of(&p);
        }
        k.in.allow_empty = rows[i].allowed;
        k.in.trial_s = rows[i].trial;
        if (border_new(&k.in, &b) != rows[i].want)
            fail_msg("%s", rows[i].why);
        assert_int_equal(b != NULL, rows[i].want == BORDER_DONE);
        border_free(b);
    }
}

static void
refuses_host_bits(void **state)
{
    struct border *b;
    struct kit k;

    (void)state;
    kit_init(&k);
    kit_home(&k, "10.0.0.1");
    kit_permit(&k, "10.0.0.1", 25, FORM_SEND);
    k.home[0].bits = 120;
    assert_int_equal(border_new(&k.in, &b), BORDER_PREFIX);
    k.home[0].bits = 129;
    assert_int_equal(border_new(&k.in, &b), BORDER_PREFIX);
}

static struct border *
some(struct kit *k)
{
    kit_init(k);
    kit_home(k, "10.0.0.0/8");
    kit_site(k, "10.1.0.0/16", "A\"; }\nflush ruleset\n", BORDER_DENY);
    kit_site(k, "10.1.2.0/24", "B", BORDER_COUNT);
    kit_site(k, "10.1.2.0/24", "C", BORDER_OFF); /* the first one counts */
    kit_permit(k, "10.1.0.4", 25, FORM_SEND);
    kit_permit(k, "10.1.0.5", 25, FORM_BOTH);
    kit_permit(k, "10.1.0.9", 0, FORM_RECEIVE);
    return border_ok(k);
}

static void
writes_places(void **state)
{
    struct kit k;
    struct border *b = some(&k);
    struct buf out;

    (void)state;
    write_it(b, BORDER_LOAD, &out);
    assert_int_equal(occurrences(&out,
                                 "add element inet span25_border send_25_v4 {\n"
                                 "    10.1.0.4-10.1.0.5\n}\n"),
                     1);
    assert_int_equal(
        occurrences(&out, "add element inet span25_border receive_25_v4 {\n"
                          "    10.1.0.5,\n    10.1.0.9\n}\n"),
        1);
    assert_int_equal(
        occurrences(&out, "add element inet span25_border out_v4 {\n"
                          "    10.1.0.0-10.1.1.255 : jump out_0,\n"
                          "    10.1.2.0-10.1.2.255 : jump out_1,\n"
                          "    10.1.3.0-10.1.255.255 : jump out_0,\n"
                          "    10.0.0.0-10.0.255.255 : jump out_3,\n"
                          "    10.2.0.0-10.255.255.255 : jump out_3\n}\n"),
        1);
    /* what is hostile in a code is not in the script */
    assert_int_equal(occurrences(&out, "\nflush ruleset"), 0);
    assert_int_equal(occurrences(&out, "\"A_____flush_ruleset_ deny "), 4);
    /* deny of two places and of everything else, in each way */
    assert_int_equal(occurrences(&out, "@armed"), 2 * 4 + 2);
    /* none of them goes on behind it */
    assert_int_equal(occurrences(&out, "        accept\n    }\n"), 4 * 4 + 2);
    assert_int_equal(occurrences(&out, "counter name in_2"), 0);
    assert_int_equal(occurrences(&out, "counter name in_1"), 1);
    buf_free(&out);
    border_free(b);
}

static void
arms_with_all_permits_or_not(void **state)
{
    struct kit k;
    struct border *b = some(&k);
    struct buf out;

    (void)state;
    write_it(b, BORDER_ARM, &out);
    assert_int_equal(occurrences(&out, "10.1.0.4-10.1.0.5"), 2);
    assert_int_equal(occurrences(&out, "delete element"), 2);
    assert_int_equal(occurrences(&out, "armed { tcp }"), 1);
    buf_free(&out);
    k.in.trial_s = 600;
    write_it(b, BORDER_ARM, &out);
    assert_int_equal(occurrences(&out, "armed { tcp timeout 600s }"), 1);
    buf_free(&out);
    border_free(b);
}

/* ---- any places and permits ---- */

#define HOSTS 64

/* Whose the address is by a script: what stands behind the range that holds it
 * in the elements of a set or map, or none; twice is a fault. */
static struct span
said_of(const struct buf *text, const char *set, const struct addr *a)
{
    struct span s = buf_view(text);
    struct span found = SPAN_NONE;

    s = span_tail(s, span_search(s, span_str(set)) + strlen(set) + 1);
    while (s.n > 0 && span_at(s, 0) != '}') {
        const struct span line = span_head(s, span_find(s, '\n'));
        const struct span word = span_trim(line);
        const struct span range = span_head(word, span_find(word, ' '));
        const struct span ends = span_head(range, span_find(range, ','));
        const size_t dash = span_find(ends, '-');
        struct addr first, last;

        assert_true(addr_parse(span_head(ends, dash), &first));
        last = first;
        assert_true(dash == ends.n ||
                    addr_parse(span_tail(ends, dash + 1), &last));
        if (addr_cmp(&first, a) <= 0 && addr_cmp(a, &last) <= 0) {
            assert_int_equal(found.n, 0);
            found = word;
        }
        s = span_tail(s, line.n + 1);
    }
    return found;
}

static uint64_t
next(uint64_t *r)
{
    *r = *r * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *r >> 33;
}

static void
some_prefix(uint64_t *r, char out[32])
{
    const unsigned host = (unsigned)next(r) % 5;

    (void)snprintf(out, 32, "10.0.0.%u/%u",
                   (unsigned)next(r) % HOSTS >> host << host, 32 - host);
}

static void
some_world(struct kit *k, uint64_t *r)
{
    char text[32];

    kit_init(k);
    kit_home(k, "10.0.0.0/27");
    for (uint64_t n = next(r) % 3; n > 0; n--) {
        some_prefix(r, text);
        kit_home(k, text);
    }
    for (uint64_t n = next(r) % (MANY - 1); n > 0; n--) {
        some_prefix(r, text);
        kit_site(k, text, "S", (enum border_phase)(next(r) % 3));
    }
    kit_permit(k, "10.0.0.9", 25, FORM_BOTH);
    for (uint64_t n = next(r) % (MANY - 2); n > 0; n--) {
        some_prefix(r, text);
        kit_permit(k, text, next(r) % 4 == 0 ? 587 : 25,
                   next(r) % 2 == 0 ? FORM_SEND : FORM_RECEIVE);
    }
    if (next(r) % 2 == 0) {
        const struct prefix p = (some_prefix(r, text), prefix_of(text));

        k->exempt[k->in.n_exempt++] = permits_range_of(&p);
    }
}

/* The site of the longest prefix, of those the first; n_sites: at home in none;
 * SIZE_MAX: not at home. */
static size_t
place_of(const struct kit *k, const struct addr *a)
{
    size_t best = SIZE_MAX;
    unsigned bits = 0;

    for (size_t i = 0; i < k->in.n_sites; i++) {
        if (prefix_has(&k->site[i], a) &&
            (best == SIZE_MAX || k->site[i].bits > bits)) {
            best = i;
            bits = k->site[i].bits;
        }
    }
    for (size_t i = 0; i < k->in.n_home && best == SIZE_MAX; i++)
        best = prefix_has(&k->home[i], a) ? k->in.n_sites : SIZE_MAX;
    return best;
}

static bool
may(const struct kit *k, const struct addr *a, enum form_use use)
{
    bool is = false;

    for (size_t i = 0; i < k->permits.n; i++)
        is = is || (k->permit[i].port == 25 && (k->permit[i].use & use) != 0 &&
                    prefix_has(&k->permit[i].prefix, a));
    for (size_t i = 0; i < k->in.n_exempt; i++)
        is = is || (addr_cmp(&k->exempt[i].first, a) <= 0 &&
                    addr_cmp(a, &k->exempt[i].last) <= 0);
    return is;
}

static void
look_at(const struct kit *k, const struct buf *text, const struct addr *a)
{
    const size_t place = place_of(k, a);
    char want[64];
    struct span said;

    (void)snprintf(want, sizeof(want), " : jump back_%zu", place);
    said = said_of(text, "\nadd element inet span25_border back_v4 {", a);
    assert_int_equal(said.n > 0, place != SIZE_MAX);
    if (said.n > 0)
        assert_int_equal(
            span_starts(span_tail(said, span_find(said, ' ')), span_str(want)),
            true);
    assert_int_equal(
        said_of(text, "\nadd element inet span25_border home_v4 {", a).n > 0,
        place != SIZE_MAX);
    assert_int_equal(
        said_of(text, "\nadd element inet span25_border send_25_v4 {", a).n > 0,
        may(k, a, FORM_SEND));
    assert_int_equal(
        said_of(text, "\nadd element inet span25_border receive_25_v4 {", a).n >
            0,
        may(k, a, FORM_RECEIVE));
}

static void
says_of_each_address_what_is_so(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        uint64_t r = seed;
        struct kit k;
        struct border *b;
        struct buf out;

        some_world(&k, &r);
        b = border_ok(&k);
        write_it(b, BORDER_LOAD, &out);
        for (unsigned i = 0; i < HOSTS; i++) {
            const uint8_t a[4] = {10, 0, 0, (uint8_t)i};
            const struct addr host = addr_v4(a);

            look_at(&k, &out, &host);
        }
        buf_free(&out);
        border_free(b);
    }
}

#define SETS(send, receive)                                                    \
    "{\"nftables\": [{\"set\": {\"name\": \"armed\", \"elem\": [\"tcp\"]}}, "  \
    "{\"set\": {\"name\": \"send_25_v4\", \"elem\": [" send "]}}, "            \
    "{\"set\": {\"name\": \"receive_25_v4\", \"elem\": [" receive "]}}, "      \
    "{\"map\": {\"name\": \"out_v4\", \"elem\": [[{\"prefix\": {\"addr\": "    \
    "\"10.0.0.0\", \"len\": 8}}, {\"jump\": {\"target\": \"out_0\"}}]]}}]}"
#define RANGE "{\"range\": [\"10.1.0.4\", \"10.1.0.5\"]}"

/* clang-format off */
static const struct {
    const char *why, *text;
    enum err want;
    size_t missing, extra;
} lists[] = {
    {"all", SETS(RANGE, "\"10.1.0.5\", \"10.1.0.9\""), ERR_OK, 0, 0},
    {"in two pieces", SETS("\"10.1.0.4\", \"10.1.0.5\"",
                           "\"10.1.0.5\", \"10.1.0.9\""), ERR_OK, 0, 0},
    {"one is missing", SETS(RANGE, "\"10.1.0.5\""), ERR_OK, 1, 0},
    {"half of one is missing", SETS("\"10.1.0.4\"",
                                    "\"10.1.0.5\", \"10.1.0.9\""),
     ERR_OK, 1, 0},
    {"one too many", SETS(RANGE, "\"10.1.0.5\", \"10.1.0.9\", \"10.9.9.9\""),
     ERR_OK, 0, 1},
    {"the other way round", SETS("\"10.1.0.5\", \"10.1.0.9\"", RANGE), ERR_OK,
     2, 2},
    {"nothing", "{\"nftables\": [{\"set\": {\"name\": \"send_25_v4\"}}]}",
     ERR_OK, 3, 0},
    {"not a list", "Error: No such file or directory", ERR_FORMAT, 0, 0},
    {"cut", "{\"nftables\": [{\"set\": {\"name\": \"send_25_v4\", \"elem\": [",
     ERR_FORMAT, 0, 0},
};
/* clang-format on */

static void
compares_what_was_loaded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct kit k;
        struct border *b = some(&k);
        struct border_found f = {0};
        struct buf messages;

        buf_init(&messages, 4096);
        if (border_verify(b, span_str(lists[i].text), &f, &messages) !=
                lists[i].want ||
            f.missing != lists[i].missing || f.extra != lists[i].extra ||
            (messages.n > 0) != (lists[i].want != ERR_OK))
            fail_msg("%s: missing %zu extra %zu", lists[i].why, f.missing,
                     f.extra);
        buf_free(&messages);
        border_free(b);
    }
}

static void
chunks_elements(void **state)
{
    static const size_t sizes[] = {999, 1000, 1001};

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        struct permit *v = calloc(sizes[s], sizeof(*v));
        struct kit k;
        struct border *b;
        struct buf out;

        assert_non_null(v);
        kit_init(&k);
        kit_home(&k, "10.0.0.0/8");
        for (size_t i = 0; i < sizes[s]; i++) {
            const uint8_t a[4] = {10, 0, (uint8_t)(i >> 7), (uint8_t)(2 * i)};

            v[i] = (struct permit){
                .first = addr_v4(a),
                .last = addr_v4(a),
                .prefix = {addr_v4(a), 128},
                .port = 25,
                .use = FORM_SEND
            };
        }
        k.permits = (struct permits){.v = v, .n = sizes[s]};
        b = border_ok(&k);
        write_it(b, BORDER_ARM, &out);
        assert_int_equal(occurrences(&out, "delete element"),
                         sizes[s] <= 1000 ? 1 : 2);
        buf_free(&out);
        border_free(b);
        free(v);
    }
}

static void
survives_without_memory(void **state)
{
    enum border_verdict v = BORDER_MEMORY;

    (void)state;
    for (int n = 0; v == BORDER_MEMORY && n < 100; n++) {
        struct kit k;
        struct border *b = NULL;

        kit_init(&k);
        kit_home(&k, "10.0.0.0/8");
        kit_permit(&k, "10.0.0.1", 25, FORM_SEND);
        calls_left = n;
        v = border_new(&k.in, &b);
        calls_left = -1;
        assert_int_equal(b != NULL, v == BORDER_DONE);
        border_free(b);
    }
    assert_int_equal(v, BORDER_DONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(refuses_host_bits),
        cmocka_unit_test(writes_places),
        cmocka_unit_test(says_of_each_address_what_is_so),
        cmocka_unit_test(arms_with_all_permits_or_not),
        cmocka_unit_test(compares_what_was_loaded),
        cmocka_unit_test(chunks_elements),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

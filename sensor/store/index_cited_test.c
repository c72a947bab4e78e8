#include "sensor/store/index_cited.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/store/index.h"
#include "tempdir.h"

#define LISTS   3U
#define HOSTS   3U
#define SERVERS 4U

static const char *const lists[LISTS] = {"zen.example", "bl.example",
                                         "a list of \x1b[31m"};

/* What the index is to know. */
struct model {
    struct {
        uint64_t replies;
        ns_t first, last;
    } v[LISTS][HOSTS][SERVERS];
};

static struct addr
address(unsigned net, unsigned n)
{
    uint8_t b[4] = {(uint8_t)net, 0, 0, (uint8_t)n};

    return addr_v4(b);
}

static void
reply(struct record_out *r, unsigned list)
{
    record_object_begin(r, FIELD_SMTP_RCPT);
    record_text(r, FIELD_SMTP_RCPT_CLASS, "blocklist");
    record_text(r, FIELD_SMTP_RCPT_LIST, lists[list]);
    record_object_end(r);
}

/* A mail whose recipients were refused, one or two lists named. */
static void
mail(struct index *x, uint64_t seq, uint64_t rng, struct model *m)
{
    const ns_t when = (1000 + seq) * NS_PER_S;
    const unsigned h = (unsigned)(rng % HOSTS), s = (rng >> 8) % SERVERS;
    const bool out = (rng >> 16) % 4 != 0;
    const struct addr host = address(10, h), server = address(192, s);
    struct record_head head = {
        .when = when, .flow_id = seq, .seq = 1, .type = EVENT_SMTP};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    record_addr(&r, FIELD_SRC_IP, &host);
    record_addr(&r, FIELD_DEST_IP, &server);
    record_text(&r, FIELD_DIRECTION, out ? "outbound" : "inbound");
    for (unsigned i = 0; i < 1 + (rng >> 24) % 2; i++) {
        const unsigned list = (unsigned)((rng >> (32 + 8 * i)) % LISTS);

        reply(&r, list);
        if (!out || list == 2) /* no name of a list */
            continue;
        if (m->v[list][h][s].replies++ == 0)
            m->v[list][h][s].first = when;
        m->v[list][h][s].last = when;
    }
    assert_int_equal(index_add(x, buf_view(&r.buf), seq), ERR_OK);
    record_free(&r);
}

struct got {
    const struct model *m;
    ns_t from;
    size_t n;
    uint64_t before; /* servers of the row before */
};

static void
compare(void *ctx, const struct index_listing *l)
{
    struct got *g = ctx;
    uint64_t servers = 0, replies = 0;
    ns_t first = UINT64_MAX, last = 0;
    unsigned list = span_eq(l->list, span_str(lists[0])) ? 0 : 1;
    const unsigned h = l->host.b[15];

    assert_true(span_eq(l->list, span_str(lists[list])));
    for (unsigned s = 0; s < SERVERS; s++) {
        if (g->m->v[list][h][s].last < g->from ||
            g->m->v[list][h][s].replies == 0)
            continue;
        servers++;
        replies += g->m->v[list][h][s].replies;
        first = g->m->v[list][h][s].first < first ? g->m->v[list][h][s].first
                                                  : first;
        last =
            g->m->v[list][h][s].last > last ? g->m->v[list][h][s].last : last;
    }
    assert_int_equal(l->servers, servers);
    assert_int_equal(l->replies, replies);
    assert_int_equal(l->first, first);
    assert_int_equal(l->last, last);
    assert_true(l->servers <= g->before);
    g->before = l->servers;
    g->n++;
}

static size_t
pairs(const struct model *m, ns_t from)
{
    size_t n = 0;

    for (unsigned i = 0; i < LISTS * HOSTS; i++) {
        bool any = false;

        for (unsigned s = 0; s < SERVERS; s++)
            any |= m->v[i / HOSTS][i % HOSTS][s].replies > 0 &&
                   m->v[i / HOSTS][i % HOSTS][s].last >= from;
        n += any;
    }
    return n;
}

static void
check(const char *dir, const struct model *m, ns_t from)
{
    struct got all = {m, from, 0, UINT64_MAX};
    struct got some = {m, from, 0, UINT64_MAX};
    struct index_cited_page page;
    struct index_reader *r = NULL;
    struct buf why;

    buf_init(&why, 256);
    assert_int_equal(index_reader_open(dir, &r, &why), ERR_OK);
    assert_int_equal(index_cited_list(r, from, 100, compare, &all, &page),
                     ERR_OK);
    assert_int_equal(all.n, pairs(m, from));
    assert_true(page.exact);
    assert_int_equal(index_cited_list(r, from, 2, compare, &some, &page),
                     ERR_OK);
    assert_int_equal(some.n, all.n < 2 ? all.n : 2);
    assert_int_equal(page.total, all.n);
    index_reader_close(r);
    buf_free(&why);
}

/* What is older than before and was not said again is forgotten. */
static void
forget(struct model *m, ns_t before)
{
    for (unsigned i = 0; i < LISTS * HOSTS * SERVERS; i++) {
        const unsigned l = i / HOSTS / SERVERS, h = i / SERVERS % HOSTS;

        if (m->v[l][h][i % SERVERS].last < before)
            m->v[l][h][i % SERVERS].replies = 0;
    }
}

static void
knows_who_is_listed(void **state)
{
    struct tempdir t;
    struct index *x = NULL;
    struct model m = {0};
    struct buf why;
    uint64_t rng = 25, rows = 0;

    (void)state;
    tempdir_make(&t);
    buf_init(&why, 256);
    assert_int_equal(index_open(t.path, &x, &why), ERR_OK);
    for (uint64_t seq = 1; seq <= 40; seq++) {
        rng = hash_mix(rng, seq);
        mail(x, seq, rng, &m);
        if (seq % 8 != 0)
            continue;
        assert_int_equal(index_commit(x), ERR_OK);
        check(t.path, &m, 0);
        check(t.path, &m, (1000 + seq - 5) * NS_PER_S);
    }
    assert_int_equal(
        index_expire(x, keep_of_type(EVENT_SMTP), 1030 * NS_PER_S, &rows),
        ERR_OK);
    forget(&m, 1030 * NS_PER_S);
    check(t.path, &m, 0);
    assert_true(pairs(&m, 0) > 0);
    index_close(x);
    buf_free(&why);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_who_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

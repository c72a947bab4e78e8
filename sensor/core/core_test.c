#include "sensor/core/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/answers.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/journal_reader.h"
#include "tempdir.h"

#define LINES_MAX        64
#define EVENT_ID_12345_6 "945293c99ef6d726" /* span25, flow 12345, number 6 */

/* The lines that a core told, and the records behind them. */
struct told {
    char *lines[LINES_MAX];
    struct record_head heads[LINES_MAX];
    size_t n;
};

static void
tell(void *ctx, struct span record, struct span line)
{
    struct told *t = ctx;

    assert_true(t->n < LINES_MAX);
    assert_true(record_check(record));
    t->heads[t->n] = record_head_of(record);
    t->lines[t->n] = strndup((const char *)line.p, line.n);
    assert_non_null(t->lines[t->n]);
    t->n++;
}

static void
told_free(struct told *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->lines[i]);
    *t = (struct told){0};
}

/* The text of a key with a text value at the top, or "". */
static const char *
value(const struct told *t, size_t line, const char *key, char room[128])
{
    char want[64];
    const char *at;
    size_t n = 0;

    room[0] = '\0';
    assert_true(line < t->n);
    (void)snprintf(want, sizeof(want), "\"%s\":\"", key);
    at = strstr(t->lines[line], want);
    if (at == NULL)
        return room;
    for (at += strlen(want); *at != '"' && n < 127; at++)
        room[n++] = *at;
    room[n] = '\0';
    return room;
}

/* ---- a core with what belongs to it ---- */

struct rig {
    unsigned vlans[2]; /* of all records, outermost first; 0: none */
    struct sites *sites;
    struct leases *leases;
    struct book *book;
    struct told told;
    struct core *core;
    struct record_out out;
};

/* A book in which the address may do all, always. */
static struct book *
book_with(const char *address, const char *site)
{
    struct form form;
    struct form_line *l;
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = 1,
                       .actor = "ada",
                       .number = "2026-1",
                       .form = &form};
    struct book *b;
    struct buf why;

    form_init(&form);
    buf_init(&why, 1024);
    memcpy(form.number, "2026-1", 7);
    l = form_add_line(&form);
    assert_non_null(l);
    assert_int_equal(form_set(&form.text[FORM_SITE], span_str(site)), ERR_OK);
    assert_int_equal(form_set(&l->text[FORM_ADDRESS], span_str(address)),
                     ERR_OK);
    assert_int_equal(form_set(&l->text[FORM_PORT], SPAN_LIT("25")), ERR_OK);
    (void)form_check(&form, 1, NULL, NULL);
    assert_int_equal(book_new(&b), ERR_OK);
    assert_int_equal(book_apply(b, &a, NULL, NULL, &why), ERR_OK);
    a.kind = ACTION_PERMIT;
    a.form = NULL;
    assert_int_equal(book_apply(b, &a, NULL, NULL, &why), ERR_OK);
    assert_int_equal(book_index(b), ERR_OK);
    form_fini(&form);
    buf_free(&why);
    return b;
}

static void
make_sites(struct rig *r, struct buf *why)
{
    struct site s = {"POST", NULL, NULL, NULL, NULL};
    struct prefix home, post, nat;
    uint32_t index;

    assert_true(prefix_parse(SPAN_LIT("10.0.0.0/8"), &home));
    assert_true(prefix_parse(SPAN_LIT("10.0.9.0/24"), &post));
    assert_true(prefix_parse(SPAN_LIT("10.0.9.9"), &nat));
    assert_int_equal(sites_new(&r->sites), ERR_OK);
    assert_int_equal(sites_add(r->sites, &s, &index), ERR_OK);
    assert_int_equal(sites_add_home(r->sites, &home), ERR_OK);
    assert_int_equal(sites_add_prefix(r->sites, index, &post), ERR_OK);
    assert_int_equal(sites_add_vlan(r->sites, index, 12), ERR_OK);
    assert_int_equal(sites_add_pool(r->sites, &nat, SITES_POOL_NAT), ERR_OK);
    assert_int_equal(sites_done(r->sites, why), ERR_OK);
}

static const struct leases *
make_leases(struct rig *r)
{
    struct buf said;
    size_t faulty;

    buf_init(&said, 1000);
    assert_int_equal(leases_new(&r->leases), ERR_OK);
    assert_int_equal(leases_read(r->leases,
                                 SPAN_LIT("address,start,end,hardware,name\n"
                                          "10.0.7.5,1,100,00:01,\n"),
                                 "f", &faulty, &said),
                     ERR_OK);
    assert_int_equal(leases_done(r->leases), ERR_OK);
    buf_free(&said);
    return r->leases;
}

static void
rig_init(struct rig *r, const char *sensor, const char *start)
{
    struct core_options o = {.sensor = sensor, .start_text = start};
    struct buf messages;

    *r = (struct rig){0};
    buf_init(&messages, 1024);
    make_sites(r, &messages);
    buf_free(&messages);
    r->book = book_with("10.0.0.1", "post");
    o.place = (struct place){r->sites, make_leases(r), r->book};
    o.lines = (struct line_sink){tell, &r->told};
    assert_int_equal(core_new(&o, &r->core), ERR_OK);
    record_init(&r->out);
}

static void
rig_fini(struct rig *r)
{
    core_free(r->core);
    book_free(r->book);
    sites_free(r->sites);
    leases_free(r->leases);
    told_free(&r->told);
    record_free(&r->out);
}

struct in {
    enum event_type type;
    uint64_t flow;
    uint32_t seq;
    unsigned second;
    const char *src, *dst; /* or NULL */
};

#define put(r, ...) put_in(r, &(const struct in){__VA_ARGS__})

static void
put_addr(struct record_out *out, enum field f, const char *text)
{
    struct addr a;

    if (text == NULL)
        return;
    assert_true(addr_parse(span_str(text), &a));
    record_addr(out, f, &a);
}

static void
put_in(struct rig *r, const struct in *in)
{
    struct record_head h = {in->second * NS_PER_S, in->flow, in->seq, in->type};

    record_begin(&r->out, &h);
    for (size_t i = 0; i < 2 && r->vlans[i] > 0; i++)
        record_u64(&r->out, FIELD_VLAN, r->vlans[i]);
    put_addr(&r->out, FIELD_SRC_IP, in->src);
    put_addr(&r->out, FIELD_DEST_IP, in->dst);
    core_put(r->core, record_view(&r->out));
}

/* ---- identity ---- */

/* Equal for equal input, different for any other sensor, flow or number. */
static void
names_each_event(void **state)
{
    char ids[16][128];
    size_t n = 0;
    char again[128];
    struct rig r;

    (void)state;
    for (int other = 0; other < 2; other++) {
        rig_init(&r, other ? "two" : "one", NULL);
        put(&r, EVENT_SMTP, 1, 0, 5, NULL, NULL);
        put(&r, EVENT_SMTP, 1, 1, 5, NULL, NULL);
        put(&r, EVENT_SMTP, 2, 0, 5, NULL, NULL);
        put(&r, EVENT_STATS, 0, 0, 5, NULL, NULL);
        put(&r, EVENT_CONTROL, 0, 0, 5, NULL, NULL);
        put(&r, EVENT_CONTROL, 0, 1, 5, NULL, NULL);
        put(&r, EVENT_CONTROL, 0, 0, 6, NULL, NULL);
        for (size_t i = 0; i < r.told.n; i++)
            (void)value(&r.told, i, "event_id", ids[n++]);
        rig_fini(&r);
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(strlen(ids[i]), 16);
        assert_int_equal(strspn(ids[i], "0123456789abcdef"), 16);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    rig_init(&r, "one", NULL);
    put(&r, EVENT_SMTP, 1, 0, 9, "10.0.0.1", "1.1.1.1");
    assert_string_equal(value(&r.told, 0, "event_id", again), ids[0]);
    rig_fini(&r);
}

/* The number is part of the contract with what was written before. */
static void
keeps_its_names(void **state)
{
    char id[128];
    struct rig r;

    (void)state;
    rig_init(&r, "span25", NULL);
    put(&r, EVENT_SMTP, 12345, 6, 5, NULL, NULL);
    assert_string_equal(value(&r.told, 0, "event_id", id), EVENT_ID_12345_6);
    rig_fini(&r);
}

/* ---- files ---- */

struct carved {
    size_t n;
    char ids[4][17];
    const char *has;
};

static void
carve_put(void *ctx, struct span record, struct span event_id)
{
    struct carved *c = ctx;

    assert_int_equal(record_head_of(record).type, EVENT_CARVE);
    assert_int_equal(event_id.n, 16);
    assert_true(c->n < 4);
    memcpy(c->ids[c->n++], event_id.p, 16);
}

static bool
carve_has(void *ctx, struct span sha256)
{
    const struct carved *c = ctx;

    return c->has != NULL && span_eq(sha256, span_str(c->has));
}

static void
put_file(struct core *core, struct record_out *out, const char *sum)
{
    struct record_head h = {5 * NS_PER_S, 12345, 6, EVENT_FILEINFO};

    record_begin(out, &h);
    record_text(out, FIELD_FILEINFO_SHA256, sum);
    record_bool(out, FIELD_FILEINFO_STORED, true);
    core_put(core, record_view(out));
}

/* A piece goes to its sink under the id of the event that follows, and nowhere
 * else; whether there is a file is the sink's word, not the worker's. */
static void
hands_pieces_to_their_sink(void **state)
{
    static const struct {
        const char *why;
        bool sink;
        const char *has;
        const char *stored;
    } rows[] = {
        {"written",      true,  "abc", "\"stored\":true" },
        {"left out",     true,  "def", "\"stored\":false"},
        {"nobody asked", false, "abc", "\"stored\":false"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct carved carved = {.has = rows[i].has};
        struct told told = {0};
        struct core_options o = {
            .sensor = "span25",
            .start_text = "start",
            .carve_text = rows[i].sink ? "limits" : NULL,
            .lines = {tell, &told},
        };
        struct record_head h = {5 * NS_PER_S, 12345, 6, EVENT_CARVE};
        struct record_out out;
        struct core *core;
        char room[128];

        if (rows[i].sink)
            o.carve = (struct carve_sink){carve_put, carve_has, &carved};
        record_init(&out);
        assert_int_equal(core_new(&o, &core), ERR_OK);
        record_begin(&out, &h);
        core_put(core, record_view(&out));
        put_file(core, &out, "abc");
        assert_int_equal(carved.n, rows[i].sink);
        assert_int_equal(told.n, rows[i].sink ? 3 : 2);
        if (rows[i].sink) {
            assert_string_equal(carved.ids[0], EVENT_ID_12345_6);
            assert_string_equal(value(&told, 0, "kind", room), "start");
            assert_string_equal(value(&told, 1, "kind", room), "carving");
            assert_string_equal(value(&told, 1, "text", room), "limits");
            assert_string_not_equal(told.lines[0], told.lines[1]);
        }
        if (strstr(told.lines[told.n - 1], rows[i].stored) == NULL)
            fail_msg("%s: %s", rows[i].why, told.lines[told.n - 1]);
        core_free(core);
        told_free(&told);
        record_free(&out);
    }
}

/* ---- place ---- */

/* clang-format off */
static const struct {
    const char *src, *dst, *direction;
    const char *src_state, *src_site, *dst_state, *dst_site;
} places[] = {
    {"10.0.0.1", "1.1.1.1", "outbound", "registered", "post", NULL, NULL},
    {"10.0.0.2", "1.1.1.1", "outbound", "unregistered", NULL, NULL, NULL},
    {"1.1.1.1", "10.0.0.1", "inbound", NULL, NULL, "registered", "post"},
    {"10.0.0.2", "10.0.0.1", "internal", "unregistered", NULL, "registered",
     "post"},
    {"1.1.1.1", "2.2.2.2", "external", NULL, NULL, NULL, NULL},
};
/* clang-format on */

static bool
says(const char *line, const char *object, const char *state, const char *site)
{
    char want[256];

    (void)snprintf(want, sizeof(want), "\"%s\":{\"state\":\"%s\"%s%s%s}",
                   object, state != NULL ? state : "",
                   site != NULL ? ",\"site\":\"" : "", site != NULL ? site : "",
                   site != NULL ? "\",\"line_state\":\"permitted\","
                                  "\"form\":\"2026-1\",\"line\":1,"
                                  "\"protected\":true"
                                : "");
    if (state == NULL) {
        (void)snprintf(want, sizeof(want), "\"%s\"", object);
        return strstr(line, want) == NULL;
    }
    return strstr(line, want) != NULL;
}

static void
adds_direction_and_registry(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct rig r;
        char room[128];

        rig_init(&r, "span25", NULL);
        put(&r, EVENT_SMTP, 1, 0, 5, places[i].src, places[i].dst);
        if (strcmp(value(&r.told, 0, "direction", room), places[i].direction) !=
                0 ||
            !says(r.told.lines[0], "src_reg", places[i].src_state,
                  places[i].src_site) ||
            !says(r.told.lines[0], "dest_reg", places[i].dst_state,
                  places[i].dst_site))
            fail_msg("%s to %s: %s", places[i].src, places[i].dst,
                     r.told.lines[0]);
        rig_fini(&r);
    }
}

/* Of who asks it is told whether it may send mail; of a resolver nothing. */
static void
judges_who_asks_dns(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, "span25", NULL);
    for (unsigned i = 0; i < 2; i++) {
        struct record_head h = {5 * NS_PER_S, i + 1, 0, EVENT_DNS};

        record_begin(&r.out, &h);
        put_addr(&r.out, FIELD_SRC_IP, i == 0 ? "10.0.0.1" : "10.0.0.2");
        put_addr(&r.out, FIELD_DEST_IP, i == 0 ? "10.0.0.2" : "10.0.0.1");
        record_u64(&r.out, FIELD_DEST_PORT, 53);
        core_put(r.core, record_view(&r.out));
    }
    assert_true(says(r.told.lines[0], "src_reg", "registered", "post"));
    assert_true(says(r.told.lines[0], "dest_reg", NULL, NULL));
    assert_true(says(r.told.lines[1], "src_reg", "unregistered", NULL));
    assert_true(says(r.told.lines[1], "dest_reg", NULL, NULL));
    rig_fini(&r);
}

/* A conclusion is told later than what it is about: it says itself of which
 * lease, if of any. */
static void
conclusions_keep_their_lease(void **state)
{
    static const struct {
        const char *why;
        enum event_type type;
        const char *own, *want; /* NULL: no lease */
    } rows[] = {
        {"traffic, by its time",       EVENT_SMTP,     NULL,               "\"lease\":\""},
        {"statistics, of their lease", EVENT_HOST,     "00000000000000aa",
         "\"lease\":\"00000000000000aa\""                                                },
        {"statistics, of none",        EVENT_HOST,     NULL,               NULL          },
        {"an alert",                   EVENT_ALERT,    NULL,               NULL          },
        {"a decision",                 EVENT_DECISION, NULL,               NULL          },
        {"traffic behind it",          EVENT_SMTP,     NULL,               "\"lease\":\""},
    };
    struct rig r;

    (void)state;
    rig_init(&r, "span25", NULL);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct record_head h = {5 * NS_PER_S, 0, i, rows[i].type};
        const char *line;

        record_begin(&r.out, &h);
        put_addr(&r.out, FIELD_SRC_IP, "10.0.7.5");
        if (rows[i].own != NULL)
            record_text(&r.out, FIELD_SRC_HOST_LEASE, rows[i].own);
        core_put(r.core, record_view(&r.out));
        line = r.told.lines[i];
        if ((strstr(line, "\"lease\"") != NULL) != (rows[i].want != NULL) ||
            (rows[i].want != NULL && strstr(line, rows[i].want) == NULL))
            fail_msg("%s: %s", rows[i].why, line);
    }
    rig_fini(&r);
}

/* clang-format off */
static const struct {
    const char *src, *dst;
    unsigned vlans[2];
    const char *want; /* between direction and the end, or NULL: no host */
} host_rows[] = {
    {"10.0.9.1", "1.1.1.1", {0, 0}, "\"src_host\":{\"site\":\"POST\"}"},
    {"1.1.1.1", "10.0.9.9", {0, 0},
     "\"dest_host\":{\"site\":\"POST\",\"pool\":\"nat\"}"},
    {"10.0.9.1", "10.0.9.9", {0, 0},
     "\"src_host\":{\"site\":\"POST\"},\"dest_host\":{\"site\":\"POST\","
     "\"pool\":\"nat\"}"},
    {"10.0.0.1", "1.1.1.1", {12, 0}, "\"src_host\":{\"site\":\"POST\"}"},
    {"10.0.0.1", "1.1.1.1", {7, 12}, "\"src_host\":{\"site\":\"POST\"}"},
    {"10.0.0.1", "1.1.1.1", {12, 7}, NULL},
    {"10.0.0.1", "1.1.1.1", {0, 0}, NULL},
    {"2.2.2.2", "1.1.1.1", {12, 0}, NULL},
};
/* clang-format on */

static void
adds_site_and_pool(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(host_rows); i++) {
        const char *want = host_rows[i].want;
        struct rig r;

        rig_init(&r, "span25", NULL);
        memcpy(r.vlans, host_rows[i].vlans, sizeof(r.vlans));
        put(&r, EVENT_SMTP, 1, 0, 5, host_rows[i].src, host_rows[i].dst);
        if (want != NULL ? strstr(r.told.lines[0], want) == NULL
                         : strstr(r.told.lines[0], "_host") != NULL)
            fail_msg("row %zu: %s", i, r.told.lines[0]);
        rig_fini(&r);
    }
}

/* What a line is for, and from when on: the same book, other events. */
static void
says_what_the_line_says(void **state)
{
    struct rig r;
    const struct book *none = NULL;

    (void)state;
    rig_init(&r, "span25", NULL);
    core_registry(r.core, none);
    put(&r, EVENT_SMTP, 1, 0, 5, "10.0.0.1", "1.1.1.1");
    assert_null(strstr(r.told.lines[0], "_reg"));
    core_registry(r.core, r.book);
    put(&r, EVENT_SMTP, 1, 1, 6, "10.0.0.1", "1.1.1.1");
    assert_non_null(strstr(r.told.lines[1], "\"state\":\"registered\""));
    {
        struct record_head h = {7 * NS_PER_S, 1, 2, EVENT_SMTP};

        record_begin(&r.out, &h);
        put_addr(&r.out, FIELD_SRC_IP, "10.0.0.1");
        put_addr(&r.out, FIELD_DEST_IP, "1.1.1.1");
        record_u64(&r.out, FIELD_DEST_PORT, 587);
        core_put(r.core, record_view(&r.out));
    }
    assert_non_null(
        strstr(r.told.lines[2],
               "\"state\":\"unregistered\",\"site\":\"post\","
               "\"line_state\":\"permitted\",\"form\":\"2026-1\","
               "\"line\":1,\"fit\":\"other_port\",\"protected\":true"));
    rig_fini(&r);
}

static void
says_nothing_without_home_and_registry(void **state)
{
    struct core_options o = {.sensor = "span25"};
    struct told t = {0};
    struct rig r = {0};

    (void)state;
    o.lines = (struct line_sink){tell, &t};
    assert_int_equal(core_new(&o, &r.core), ERR_OK);
    record_init(&r.out);
    put(&r, EVENT_SMTP, 1, 0, 5, "10.0.0.1", "1.1.1.1");
    assert_null(strstr(t.lines[0], "direction"));
    assert_null(strstr(t.lines[0], "_reg"));
    told_free(&t);
    rig_fini(&r);
}

/* ---- order ---- */

static void
begins_with_a_start(void **state)
{
    char kind[128];
    struct rig r;

    (void)state;
    rig_init(&r, "span25", "home networks: 10.0.0.0/8");
    put(&r, EVENT_ATTEMPT, 3, 0, 0, "10.0.0.1", "1.1.1.1");
    put(&r, EVENT_SMTP, 1, 0, 0, "10.0.0.1", "1.1.1.1");
    put(&r, EVENT_SMTP, 1, 1, 7, "10.0.0.1", "1.1.1.1");
    assert_int_equal(core_end(r.core), ERR_OK);
    assert_int_equal(r.told.n, 4);
    assert_string_equal(value(&r.told, 0, "kind", kind), "start");
    assert_non_null(strstr(r.told.lines[0], "home networks: 10.0.0.0/8"));
    assert_int_equal(r.told.heads[0].when, 0);
    assert_int_equal(core_n_events(r.core), 4);
    assert_true(core_time(r.core) == 7 * NS_PER_S);
    rig_fini(&r);
}

/* Attempts are told at the end of their minute, before what comes later,
 * each direction with its own, also to several servers. */
static void
puts_attempts_in_their_place(void **state)
{
    char room[128];
    struct rig r;

    (void)state;
    rig_init(&r, "span25", NULL);
    put(&r, EVENT_ATTEMPT, 1, 0, 61, "10.0.0.1", "1.1.1.1");
    put(&r, EVENT_ATTEMPT, 2, 0, 62, "10.0.0.1", "2.2.2.2");
    put(&r, EVENT_ATTEMPT, 3, 0, 63, "10.0.0.1", "10.0.0.2");
    put(&r, EVENT_SMTP, 4, 0, 64, "10.0.0.1", "1.1.1.1");
    assert_int_equal(r.told.n, 1);
    put(&r, EVENT_ATTEMPT, 5, 0, 190, "10.0.0.1", "1.1.1.1");
    assert_int_equal(r.told.n, 3);
    assert_true(r.told.heads[1].when == 120 * NS_PER_S);
    assert_string_equal(value(&r.told, 1, "direction", room), "internal");
    assert_string_equal(value(&r.told, 1, "dest_ip", room), "10.0.0.2");
    assert_string_equal(value(&r.told, 2, "direction", room), "outbound");
    assert_string_equal(value(&r.told, 2, "dest_ip", room), "");
    assert_non_null(strstr(r.told.lines[2], "\"state\":\"registered\""));
    assert_int_equal(core_end(r.core), ERR_OK);
    assert_int_equal(r.told.n, 4);
    assert_true(r.told.heads[3].when == 190 * NS_PER_S);
    assert_string_equal(value(&r.told, 3, "dest_ip", room), "1.1.1.1");
    rig_fini(&r);
}

/* ---- journal and answers ---- */

static void
writes_one_line_to_all(void **state)
{
    struct core_options o = {.sensor = "span25", .start_text = "start"};
    struct tempdir dir;
    struct told t = {0};
    struct rig r = {0};
    struct buf messages;
    struct journal_reader *reader;
    struct summary s = {0};
    size_t n = 0;

    (void)state;
    tempdir_make(&dir);
    buf_init(&messages, 4096);
    assert_int_equal(journal_open(dir.path, NULL, &o.journal,
                                  &(struct journal_recovery){0}, &messages),
                     ERR_OK);
    assert_int_equal(answers_new(&o.answers), ERR_OK);
    o.lines = (struct line_sink){tell, &t};
    assert_int_equal(core_new(&o, &r.core), ERR_OK);
    record_init(&r.out);
    put(&r, EVENT_SMTP_SESSION, 1, 0, 5, "10.0.0.1", "1.1.1.1");
    put(&r, EVENT_ATTEMPT, 2, 0, 5, "10.0.0.1", "1.1.1.1");
    assert_int_equal(core_end(r.core), ERR_OK);
    assert_int_equal(journal_durable(o.journal), t.n);
    assert_int_equal(journal_reader_open(dir.path, 1, &reader, &messages),
                     ERR_OK);
    for (;; n++) {
        struct journal_line line;

        if (journal_read(reader, &line) != JOURNAL_READ_LINE)
            break;
        assert_int_equal(line.json.n, strlen(t.lines[n]));
        assert_memory_equal(line.json.p, t.lines[n], line.json.n);
    }
    assert_int_equal(n, 3);
    answers_summary(o.answers, &s);
    assert_int_equal(s.events, 3);
    journal_reader_close(reader);
    answers_free(o.answers);
    assert_int_equal(journal_close(o.journal), ERR_OK);
    buf_free(&messages);
    told_free(&t);
    rig_fini(&r);
    tempdir_remove(&dir);
}

static void
works_without_any_sink(void **state)
{
    struct core_options o = {.sensor = "span25", .start_text = "start"};
    struct rig r = {0};

    (void)state;
    assert_int_equal(core_new(&o, &r.core), ERR_OK);
    record_init(&r.out);
    put(&r, EVENT_SMTP, 1, 0, 5, "10.0.0.1", "1.1.1.1");
    assert_int_equal(core_end(r.core), ERR_OK);
    assert_int_equal(core_error(r.core), ERR_OK);
    assert_int_equal(core_n_events(r.core), 2);
    rig_fini(&r);
    core_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_event),
        cmocka_unit_test(keeps_its_names),
        cmocka_unit_test(hands_pieces_to_their_sink),
        cmocka_unit_test(adds_direction_and_registry),
        cmocka_unit_test(judges_who_asks_dns),
        cmocka_unit_test(conclusions_keep_their_lease),
        cmocka_unit_test(adds_site_and_pool),
        cmocka_unit_test(says_what_the_line_says),
        cmocka_unit_test(says_nothing_without_home_and_registry),
        cmocka_unit_test(begins_with_a_start),
        cmocka_unit_test(puts_attempts_in_their_place),
        cmocka_unit_test(writes_one_line_to_all),
        cmocka_unit_test(works_without_any_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

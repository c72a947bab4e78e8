#include "sensor/app/study_anonymize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "dashboards/study_report.h"
#include "sensor/event/study_json.h"
#include "sensor/event/study_shape.h"
#include "tests/support/tempdir.h"

#define KEY      SPAN_LIT("0123456789abcdef0123456789abcdef")
#define KEY2     SPAN_LIT("0123456789abcdef0123456789abcdeF")
#define HOSTS    6
#define SITES    3
#define POLICIES 2
#define DAYS     3
#define POINTS   2
#define INPUTS   2
#define CRITERIA 10
#define TEXTS    400
#define DAY      (86400 * NS_PER_S)

/* A result in which everything is there. */
struct sample {
    struct study_result r;
    struct study_input inputs[INPUTS];
    struct study_hour hours[2];
    struct study_day days[DAYS];
    struct study_policy policies[POLICIES];
    uint64_t by_day[POLICIES][DAYS];
    struct study_step steps[2 * POLICIES][2];
    struct study_sweep sweeps[1];
    struct study_sweep_point points[POINTS];
    struct study_host_row hosts[HOSTS];
    struct study_outcome outcomes[HOSTS][POLICIES];
    struct study_site sites[SITES];
    uint64_t site_counts[2 * SITES][POLICIES];
    struct study_criterion criteria[CRITERIA];
    struct study_queue_row queue[1];
};

static const char *const addresses[HOSTS] = {
    "10.20.30.40", "10.20.30.41",   "100.64.0.1",
    "2001:db8::9", "2001:db8:1::9", "10.20.30.40", /* another lease */
};
static const char *const codes[SITES] = {"alder-school", "Birch", "Cedar"};

static void
fill_rows(struct sample *s)
{
    for (size_t i = 0; i < HOSTS; i++) {
        struct study_host_row *h = &s->hosts[i];

        *h = (struct study_host_row){.site = i < SITES ? codes[i] : NULL,
                                     .class = STUDY_BOT,
                                     .score = (double)(i % 2),
                                     .messages = i,
                                     .outcomes = s->outcomes[i]};
        assert_true(addr_parse(span_str(addresses[i]), &h->addr));
    }
    for (size_t i = 0; i < SITES; i++)
        s->sites[i] = (struct study_site){.code = codes[i],
                                          .hosts = i + 1,
                                          .stopped = s->site_counts[2 * i],
                                          .stopped_legitimate =
                                              s->site_counts[2 * i + 1]};
}

static void
fill_lists(struct sample *s)
{
    for (size_t i = 0; i < POLICIES; i++) {
        struct study_policy *p = &s->policies[i];

        p->name = i == 0 ? "P0" : "P4";
        p->by_day = s->by_day[i];
        p->seconds.steps = s->steps[2 * i];
        p->messages.steps = s->steps[2 * i + 1];
        p->seconds.n_steps = p->messages.n_steps = 2;
    }
    s->sweeps[0] = (struct study_sweep){.v = s->points, .n = POINTS};
    for (size_t i = 0; i < CRITERIA; i++)
        s->criteria[i] = (struct study_criterion){.measured = 7};
}

static void
sample_fill(struct sample *s)
{
    *s = (struct sample){0};
    fill_rows(s);
    fill_lists(s);
    s->r = (struct study_result){
        .proposed = "P4",
        .from = DAY,
        .to = 4 * DAY,
        .inputs = s->inputs,
        .n_inputs = INPUTS,
        .hours = s->hours,
        .n_hours = 2,
        .days = s->days,
        .n_days = DAYS,
        .policies = s->policies,
        .n_policies = POLICIES,
        .sweeps = s->sweeps,
        .n_sweeps = 1,
        .hosts = s->hosts,
        .n_hosts = HOSTS,
        .sites = s->sites,
        .n_sites = SITES,
        .criteria = s->criteria,
        .n_criteria = CRITERIA,
        .queue = {10, s->queue, 1},
        .n_shares = (size_t)2 * STUDY_GROUP_COUNT,
        .review = {.there = true},
        .decisions_there = true,
    };
}

static struct study_anonymized *
made(const struct study_result *r, enum study_anonymize_level level,
     struct span key)
{
    struct study_anonymized *a = NULL;

    assert_int_equal(study_anonymize(r, level, key, &a), ERR_OK);
    return a;
}

/* ---- every text there is, by the table of who writes results ---- */

struct texts {
    char text[TEXTS][64], path[TEXTS][64];
    size_t n;
};

struct place {
    const struct study_shape *shape;
    uint8_t *at;
    const char *parent;
};

struct walk {
    struct place stack[512];
    size_t n;
    uint8_t *result;
    struct texts *texts;
};

static void
push(struct walk *w, struct place p)
{
    assert_true(w->n < ARRAY_LEN(w->stack));
    w->stack[w->n++] = p;
}

static void
set_text(struct walk *w, const char *parent, const char *key, void *at)
{
    struct texts *t = w->texts;
    const char *text = t->text[t->n];

    assert_true(t->n < TEXTS);
    (void)snprintf(t->text[t->n], sizeof(t->text[0]), "canary%zu%s%s", t->n,
                   parent, key);
    (void)snprintf(t->path[t->n], sizeof(t->path[0]), "%s.%s", parent, key);
    memcpy(at, &text, sizeof(text));
    t->n++;
}

static void
visit(struct walk *w, const struct place *p, const struct study_member *m)
{
    uint8_t *at = p->at + m->at;
    size_t n = m->hold == STUDY_HOLD_ONE ? 1 : m->most;

    if (m->hold == STUDY_HOLD_LIST || m->hold == STUDY_HOLD_EACH) {
        uint8_t *list;

        memcpy(&list, at, sizeof(list));
        memcpy(&n, (m->hold == STUDY_HOLD_EACH ? w->result : p->at) + m->n_at,
               sizeof(n));
        at = list;
    } else if (m->hold == STUDY_HOLD_ROWS) {
        memcpy(&n, p->at + m->n_at, sizeof(n));
    }
    for (size_t i = 0; i < n && at != NULL; i++) {
        if (m->type == STUDY_TYPE_TEXT)
            set_text(w, p->parent, m->key, at + i * m->size);
        else if (m->type == STUDY_TYPE_SHAPE)
            push(w, (struct place){m->shape, at + i * m->size,
                                   m->hold == STUDY_HOLD_ONE ? p->parent
                                                             : m->key});
    }
}

static void
fill_texts(struct sample *s, struct texts *t)
{
    struct walk w = {.result = (uint8_t *)&s->r, .texts = t};

    t->n = 0;
    push(&w, (struct place){&study_shape_result, w.result, ""});
    while (w.n > 0) {
        const struct place p = w.stack[--w.n];

        for (size_t i = 0; i < p.shape->n; i++)
            visit(&w, &p, &p.shape->v[i]);
    }
}

/* Texts that may be shown, and from which level on they are not: a member that
 * is new in the result must be put here, or must not be shown. */
static const struct {
    const char *path;
    enum study_anonymize_level gone;
} shown[] = {
    {".title",           STUDY_ANONYMIZE_ALL + 1},
    {".status",          STUDY_ANONYMIZE_ALL + 1},
    {".classification",  STUDY_ANONYMIZE_ALL + 1},
    {".version",         STUDY_ANONYMIZE_ALL + 1},
    {".rules_hash",      STUDY_ANONYMIZE_ALL + 1},
    {".config_hash",     STUDY_ANONYMIZE_HOSTS  },
    {".sensors",         STUDY_ANONYMIZE_HOSTS  },
    {".criteria_file",   STUDY_ANONYMIZE_HOSTS  },
    {".criteria_hash",   STUDY_ANONYMIZE_ALL + 1},
    {".proposed",        STUDY_ANONYMIZE_ALL + 1},
    {".rollback",        STUDY_ANONYMIZE_ALL + 1},
    {".differ",          STUDY_ANONYMIZE_HOSTS  },
    {".method",          STUDY_ANONYMIZE_ALL + 1},
    {"inputs.name",      STUDY_ANONYMIZE_HOSTS  },
    {"inputs.kind",      STUDY_ANONYMIZE_ALL + 1},
    {"inputs.hash",      STUDY_ANONYMIZE_HOSTS  },
    {"shares.method",    STUDY_ANONYMIZE_ALL + 1},
    {"policies.name",    STUDY_ANONYMIZE_ALL + 1},
    {"policies.title",   STUDY_ANONYMIZE_ALL + 1},
    {"policies.kind",    STUDY_ANONYMIZE_ALL + 1},
    {"policies.terms",   STUDY_ANONYMIZE_ALL + 1},
    {"policies.method",  STUDY_ANONYMIZE_ALL + 1},
    {"sweeps.policy",    STUDY_ANONYMIZE_ALL + 1},
    {"sweeps.what",      STUDY_ANONYMIZE_ALL + 1},
    {"sweeps.unit",      STUDY_ANONYMIZE_ALL + 1},
    {"hosts.site",       STUDY_ANONYMIZE_HOSTS  },
    {"hosts.name",       STUDY_ANONYMIZE_HOSTS  },
    {"hosts.helo",       STUDY_ANONYMIZE_HOSTS  },
    {"hosts.device",     STUDY_ANONYMIZE_ALL    },
    {"sites.code",       STUDY_ANONYMIZE_HOSTS  },
    {"sites.name",       STUDY_ANONYMIZE_HOSTS  },
    {"criteria.name",    STUDY_ANONYMIZE_ALL + 1},
    {"criteria.measure", STUDY_ANONYMIZE_ALL + 1},
    {"criteria.limit",   STUDY_ANONYMIZE_ALL + 1},
    {"criteria.why",     STUDY_ANONYMIZE_ALL + 1},
};

static bool
may_show(const char *path, enum study_anonymize_level level)
{
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        if (strcmp(path, shown[i].path) == 0)
            return level < shown[i].gone;
    }
    return false;
}

static void
expect_all_there(const struct texts *t)
{
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        size_t k = 0;

        while (k < t->n && strcmp(t->path[k], shown[i].path) != 0)
            k++;
        if (k == t->n)
            fail_msg("there is no text %s", shown[i].path);
    }
}

/* All that is ever shown of a result. */
static void
show_all(const struct study_result *r, struct buf *out)
{
    const struct study_report_style style = {.width = 0};

    study_json_write(r, out);
    study_report_html(r, out);
    study_report_text(r, &style, out);
    for (unsigned t = 0; t < STUDY_TABLE_COUNT; t++)
        study_report_csv(r, (enum study_table)t, out);
    assert_false(out->cut || out->failed);
}

static bool
has(const struct buf *b, const char *text)
{
    return span_search(buf_view(b), span_str(text)) < b->n;
}

static void
expect_texts(const struct texts *t, const struct buf *out,
             enum study_anonymize_level level)
{
    for (size_t i = 0; i < t->n; i++) {
        if (has(out, t->text[i]) && !may_show(t->path[i], level))
            fail_msg("level %d shows %s", (int)level, t->path[i]);
    }
}

static void
test_no_text_is_left(void **state)
{
    static const enum study_anonymize_level levels[] = {
        STUDY_ANONYMIZE_PEOPLE, STUDY_ANONYMIZE_HOSTS, STUDY_ANONYMIZE_ALL};
    struct sample *s = malloc(sizeof(*s));
    struct texts *t = calloc(1, sizeof(*t));
    struct buf out;

    (void)state;
    assert_non_null(s);
    assert_non_null(t);
    sample_fill(s);
    fill_texts(s, t);
    buf_init(&out, 1 << 24);
    study_json_write(&s->r, &out);
    for (size_t i = 0; i < t->n; i++)
        assert_true(has(&out, t->text[i]));
    expect_all_there(t);
    for (size_t k = 0; k < ARRAY_LEN(levels); k++) {
        struct study_anonymized *a = made(&s->r, levels[k], KEY);

        buf_reset(&out);
        show_all(study_anonymized_result(a), &out);
        expect_texts(t, &out, levels[k]);
        for (size_t i = 0; i < HOSTS && levels[k] > levels[0]; i++)
            assert_false(has(&out, addresses[i]));
        study_anonymized_free(a);
    }
    buf_free(&out);
    free(t);
    free(s);
}

/* The first one is not touched, and NONE is the same. */
static void
test_copy(void **state)
{
    struct sample *s = malloc(sizeof(*s));
    struct texts *t = calloc(1, sizeof(*t));
    struct study_anonymized *a;
    struct buf before, after;

    (void)state;
    assert_non_null(s);
    assert_non_null(t);
    sample_fill(s);
    fill_texts(s, t);
    s->policies[1].hosts[STUDY_BOT] = 2;
    buf_init(&before, 1 << 24);
    buf_init(&after, 1 << 24);
    study_json_write(&s->r, &before);
    a = made(&s->r, STUDY_ANONYMIZE_ALL, KEY);
    study_json_write(&s->r, &after);
    assert_true(span_eq(buf_view(&before), buf_view(&after)));
    study_anonymized_free(a);
    a = made(&s->r, STUDY_ANONYMIZE_NONE, KEY);
    buf_reset(&after);
    study_json_write(study_anonymized_result(a), &after);
    assert_true(span_eq(buf_view(&before), buf_view(&after)));
    study_anonymized_free(a);
    buf_free(&before);
    buf_free(&after);
    free(t);
    free(s);
}

/* ---- pseudonyms ---- */

static bool
is_in(const struct addr *a, const char *net)
{
    struct prefix p;

    assert_true(prefix_parse(span_str(net), &p));
    return prefix_has(&p, a);
}

/* Rows of one messages count are of one host of the sample. */
static const struct study_host_row *
row_of(const struct study_result *r, uint64_t messages)
{
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (r->hosts[i].messages == messages)
            return &r->hosts[i];
    }
    fail();
    return NULL;
}

static void
test_addresses(void **state)
{
    struct sample *s = malloc(sizeof(*s));
    struct study_anonymized *a, *b, *other;
    const struct study_result *r;

    (void)state;
    assert_non_null(s);
    sample_fill(s);
    a = made(&s->r, STUDY_ANONYMIZE_HOSTS, KEY);
    other = made(&s->r, STUDY_ANONYMIZE_HOSTS, KEY2);
    r = study_anonymized_result(a);
    for (size_t i = 0; i < HOSTS; i++) {
        const struct addr *p = &row_of(r, i)->addr;

        assert_true(is_in(p, addr_is_v4(&s->hosts[i].addr) ? "100.64.0.0/10"
                                                           : "fd00::/8"));
        assert_int_not_equal(
            addr_cmp(p, &row_of(study_anonymized_result(other), i)->addr), 0);
        for (size_t k = 0; k < HOSTS; k++) {
            const bool same =
                addr_cmp(&s->hosts[i].addr, &s->hosts[k].addr) == 0;

            assert_int_equal(addr_cmp(p, &row_of(r, k)->addr) == 0, same);
            assert_int_not_equal(addr_cmp(p, &s->hosts[k].addr), 0);
        }
    }
    /* worst first, as before */
    for (size_t i = 1; i < HOSTS; i++)
        assert_true(r->hosts[i - 1].score >= r->hosts[i].score);
    /* a study of fewer hosts */
    s->r.n_hosts = 2;
    b = made(&s->r, STUDY_ANONYMIZE_HOSTS, KEY);
    assert_int_equal(addr_cmp(&row_of(study_anonymized_result(b), 1)->addr,
                              &row_of(r, 1)->addr),
                     0);
    study_anonymized_free(a);
    study_anonymized_free(b);
    study_anonymized_free(other);
    free(s);
}

/* Many hosts in the room that there is: still one each. */
static void
test_many(void **state)
{
    const size_t n = 100000;
    struct study_host_row *rows = calloc(n, sizeof(*rows));
    struct study_result r = {.hosts = rows, .n_hosts = n};
    struct study_anonymized *a;
    const struct study_host_row *v;

    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++) {
        const uint8_t b[4] = {100, (uint8_t)(64 + (i >> 16)), (uint8_t)(i >> 8),
                              (uint8_t)i};

        rows[i].addr = addr_v4(b);
    }
    a = made(&r, STUDY_ANONYMIZE_HOSTS, KEY);
    v = study_anonymized_result(a)->hosts; /* all of one score: by address */
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i].addr.b[13] >= 64 && v[i].addr.b[13] < 128);
        assert_true(v[i].addr.b[13] > 65 ||
                    (size_t)((v[i].addr.b[13] - 64) << 16 |
                             v[i].addr.b[14] << 8 | v[i].addr.b[15]) >= n);
        if (i > 0)
            assert_true(addr_cmp(&v[i - 1].addr, &v[i].addr) < 0);
    }
    study_anonymized_free(a);
    free(rows);
}

static void
test_sites(void **state)
{
    struct sample *s = malloc(sizeof(*s));
    struct study_anonymized *a;
    const struct study_result *r;

    (void)state;
    assert_non_null(s);
    sample_fill(s);
    s->hosts[3].site = "of no row";
    a = made(&s->r, STUDY_ANONYMIZE_HOSTS, KEY);
    r = study_anonymized_result(a);
    for (size_t i = 0; i < SITES; i++) {
        char label[16];

        assert_null(r->sites[i].name);
        (void)snprintf(label, sizeof(label), "site-0%zu", i + 1);
        if (r->sites[i].code[6] == label[6])
            assert_string_equal(r->sites[i].code, label);
        /* what is said of it stays with it */
        for (size_t k = 0; k < HOSTS; k++) {
            const struct study_host_row *h = row_of(r, k);

            if (k < SITES)
                assert_int_equal(strcmp(h->site, r->sites[i].code) == 0,
                                 r->sites[i].hosts == k + 1);
        }
    }
    assert_int_equal(strncmp(row_of(r, 3)->site, "site-0", 6), 0);
    assert_null(row_of(r, 4)->site);
    study_anonymized_free(a);
    free(s);
}

static const struct {
    const char *why, *title;
    enum study_anonymize_level level;
    bool held;
} titles[] = {
    {"nothing in it",                 "Impact of port 25",           STUDY_ANONYMIZE_HOSTS,  false},
    {"a site",                        "Study of ALDER-SCHOOL, 2026", STUDY_ANONYMIZE_HOSTS,  true },
    {"a site, and sites may be told", "Study of Birch",              STUDY_ANONYMIZE_PEOPLE,
     false                                                                                        },
    {"part of a word",                "Birchwood",                   STUDY_ANONYMIZE_HOSTS,  false},
    {"an address",                    "of (10.20.30.41).",           STUDY_ANONYMIZE_HOSTS,  true },
    {"a longer address",              "of 10.20.30.412",             STUDY_ANONYMIZE_HOSTS,  false},
    {"an IPv6 address",               "[2001:DB8::9]",               STUDY_ANONYMIZE_HOSTS,  true },
    {"who wrote it",                  "by j. doe",                   STUDY_ANONYMIZE_PEOPLE, true },
    {"the sensor",                    "of tap-7/north",              STUDY_ANONYMIZE_HOSTS,  true },
    {"the input",                     "of may.pcap",                 STUDY_ANONYMIZE_HOSTS,  true },
    {"what a host calls itself",      "of mail.alder.example only",
     STUDY_ANONYMIZE_HOSTS,                                                                  true },
};

static void
test_titles(void **state)
{
    struct sample *s = malloc(sizeof(*s));

    (void)state;
    assert_non_null(s);
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        struct study_anonymized *a;
        const struct study_result *r;

        sample_fill(s);
        s->r.author = "J. Doe";
        s->r.sensors = "core, tap-7";
        s->inputs[0].name = "/data/of/me/may.pcap";
        s->hosts[1].helo = "mail.alder.example";
        s->r.title = s->r.rollback = titles[i].title;
        s->policies[1].title = s->criteria[3].name = titles[i].title;
        a = made(&s->r, titles[i].level, KEY);
        r = study_anonymized_result(a);
        if ((strcmp(r->title, titles[i].title) != 0) != titles[i].held)
            fail_msg("%s: %s", titles[i].why, r->title);
        assert_string_equal(r->rollback, r->title);
        assert_string_equal(r->policies[1].title, r->title);
        assert_string_equal(r->criteria[3].name, r->title);
        if (titles[i].level == STUDY_ANONYMIZE_PEOPLE)
            assert_string_equal(r->inputs[0].name, "may.pcap");
        else
            assert_string_equal(r->sensors, "sensor-01, sensor-02");
        study_anonymized_free(a);
    }
    free(s);
}

/* ---- groups that are too small ---- */

static const struct {
    const char *why;
    uint64_t n, of, want, want_of;
} groups[] = {
    {"nobody",             0,  20, 0,  20},
    {"one",                1,  20, 4,  20},
    {"four",               4,  20, 4,  20},
    {"five",               5,  20, 5,  20},
    {"all but five",       15, 20, 15, 20},
    {"all but four",       16, 20, 16, 20},
    {"all but one",        19, 20, 16, 20},
    {"all",                20, 20, 20, 20},
    {"few of few",         1,  3,  4,  4 },
    {"none of few",        0,  3,  0,  4 },
    {"both parts are few", 3,  6,  4,  6 },
    {"nothing there is",   0,  0,  0,  0 },
};

static void
test_groups(void **state)
{
    struct sample *s = malloc(sizeof(*s));

    (void)state;
    assert_non_null(s);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        const uint64_t n = groups[i].n, of = groups[i].of;
        const bool told = groups[i].want == n && groups[i].want_of == of &&
                          (n == 0 || n > 4) && (of == n || of - n > 4);
        struct study_anonymized *a;
        const struct study_policy *p;

        sample_fill(s);
        s->policies[1].hosts[STUDY_BOT] = n;
        s->policies[1].hosts_of[STUDY_BOT] = of;
        s->policies[1].right = (struct study_figure){
            (double)n, (double)of, 0.5, 0.4, 0.6, "Wilson"};
        a = made(&s->r, STUDY_ANONYMIZE_ALL, KEY);
        p = &study_anonymized_result(a)->policies[1];
        if (p->hosts[STUDY_BOT] != groups[i].want ||
            p->hosts_of[STUDY_BOT] != groups[i].want_of)
            fail_msg("%s: %zu of %zu", groups[i].why,
                     (size_t)p->hosts[STUDY_BOT],
                     (size_t)p->hosts_of[STUDY_BOT]);
        if (isnan(p->right.value) == told)
            fail_msg("%s: the share is %f", groups[i].why, p->right.value);
        assert_int_equal(isnan(p->right.k), isnan(p->right.value));
        study_anonymized_free(a);
    }
    free(s);
}

/* What can be worked out of others is not told either. */
static void
test_sums(void **state)
{
    struct sample *s = malloc(sizeof(*s));
    struct study_anonymized *a;
    const struct study_result *r;
    const struct study_policy *p;

    (void)state;
    assert_non_null(s);
    sample_fill(s);
    s->r.cells[STUDY_MIXED][0].hosts = 2;
    s->r.cells[STUDY_MIXED][1].hosts = 8;
    s->r.cells[STUDY_LEGITIMATE][0].hosts = 12;
    s->r.cells[STUDY_UNKNOWN][0].hosts = 7;
    s->r.cells[STUDY_BOT][0].hosts = 30;
    s->r.queue.forms = 21;
    s->policies[1].hosts_of[STUDY_MIXED] = 10;
    s->policies[1].hosts[STUDY_MIXED] = 2;
    s->policies[1].precise =
        (struct study_figure){11, 30, .4, .2, .6, "Wilson"};
    s->policies[1].staff_h = 20;
    s->policies[1].first_day = 40;
    s->policies[1].later_days = 2;
    s->policies[1].per_day = 1;
    s->policies[1].seconds.stopped = 3;
    s->policies[1].seconds.median = 17;
    s->policies[0].seconds.stopped = 0;
    s->policies[0].seconds.median = (double)INFINITY;
    s->by_day[1][1] = 2;
    s->r.unseen = (struct study_unseen){
        .known = true, .seen = 90, .once = 20, .twice = 3, .there = 100};
    s->days[0].senders = 50;
    s->days[0].senders_new = 48;
    s->points[0].stopped[STUDY_LEGITIMATE] = 11;
    a = made(&s->r, STUDY_ANONYMIZE_ALL, KEY);
    r = study_anonymized_result(a);
    p = &r->policies[1];
    assert_int_equal(r->few, 5);
    assert_non_null(r->anonymized);
    assert_int_equal(r->cells[STUDY_MIXED][0].hosts, 4);
    assert_int_equal(r->cells[STUDY_MIXED][1].hosts, 6);
    assert_int_equal(r->cells[STUDY_BOT][0].hosts, 30);
    assert_int_equal(r->queue.forms, 4 + 12 + 7);
    assert_true(isnan(p->precise.k) && p->precise.method == NULL);
    assert_true(isnan(p->staff_h));
    assert_int_equal(p->later_days, 4);
    assert_int_equal(p->first_day, 38);
    assert_true(p->per_day == 2);
    assert_true(isnan(p->seconds.median));
    assert_true(isinf(r->policies[0].seconds.median));
    assert_int_equal(p->seconds.n_steps, 0);
    assert_int_equal(p->by_day[1], 4);
    assert_false(r->unseen.known);
    assert_int_equal(r->unseen.twice, 4);
    assert_true(isnan(r->unseen.there));
    assert_int_equal(r->days[0].senders_new, 46);
    assert_int_equal(r->sweeps[0].v[0].stopped[STUDY_LEGITIMATE], 8);
    assert_int_equal(r->n_hosts, 0);
    assert_int_equal(r->n_sites, 0);
    study_anonymized_free(a);
    free(s);
}

static void
test_criteria(void **state)
{
    static const struct {
        const char *measure;
        double was, now;
    } want[CRITERIA] = {
        {"registered-stopped",  0,   0          },
        {"legitimate-stopped",  2,   4          },
        {"stopped-day-most",    3,   4          },
        {"owners-unknown",      19,  19         },
        {"wrong-share-high",    .3,  (double)NAN},
        {"bots-stopped-share",  .9,  .9         },
        {"staff-hours",         20,  (double)NAN},
        {"precision-low",       .8,  (double)NAN},
        {"time-to-stop-median", 17,  (double)NAN},
        {"coverage",            .99, .99        },
    };
    struct sample *s = malloc(sizeof(*s));
    struct study_anonymized *a;
    struct study_policy *p;

    (void)state;
    assert_non_null(s);
    sample_fill(s);
    p = &s->policies[1];
    for (size_t i = 0; i < CRITERIA; i++)
        s->criteria[i] = (struct study_criterion){.measure = want[i].measure,
                                                  .measured = want[i].was,
                                                  .verdict = STUDY_FAIL};
    p->hosts[STUDY_LEGITIMATE] = 2;
    p->hosts_of[STUDY_LEGITIMATE] = 50;
    p->wrong = (struct study_figure){2, 50, .04, .01, .3, "Wilson"};
    p->right = (struct study_figure){90, 100, .9, .8, .95, "Wilson"};
    p->owners_unknown = 19;
    p->staff_h = 20;
    p->seconds.stopped = 2;
    p->seconds.median = 17;
    s->by_day[1][2] = 3;
    s->r.review.precision =
        (struct study_figure){48, 50, .96, .8, .99, "exact"};
    a = made(&s->r, STUDY_ANONYMIZE_ALL, KEY);
    for (size_t i = 0; i < CRITERIA; i++) {
        const struct study_criterion *c =
            &study_anonymized_result(a)->criteria[i];

        if (c->measured != want[i].now &&
            !(isnan(c->measured) && isnan(want[i].now)))
            fail_msg("%s is %f", want[i].measure, c->measured);
        assert_int_equal(c->verdict, STUDY_FAIL);
    }
    study_anonymized_free(a);
    free(s);
}

/* ---- the key ---- */

static void
test_key(void **state)
{
    struct study_result r = {0};
    struct study_anonymized *a = NULL;
    struct buf key, other, messages;
    struct tempdir t;

    (void)state;
    tempdir_make(&t);
    buf_init(&messages, 1 << 16);
    assert_int_equal(
        study_anonymize(&r, STUDY_ANONYMIZE_HOSTS, span_head(KEY, 31), &a),
        ERR_CONFIG);
    assert_int_equal(study_anonymize_key(NULL, &key, &messages), ERR_OK);
    assert_int_equal(study_anonymize_key(NULL, &other, &messages), ERR_OK);
    assert_int_equal(key.n, STUDY_ANONYMIZE_KEY);
    assert_false(span_eq(buf_view(&key), buf_view(&other)));
    buf_free(&key);
    buf_free(&other);
    tempdir_store(t.path, "key", "0123456789abcdef0123456789abcdef\r\n", 34);
    tempdir_store(t.path, "short", "0123456789abcdef0123456789abcde\n", 32);
    assert_int_equal(
        study_anonymize_key(tempdir_name(t.path, "key").s, &key, &messages),
        ERR_OK);
    assert_true(span_eq(buf_view(&key), KEY));
    buf_free(&key);
    assert_int_equal(
        study_anonymize_key(tempdir_name(t.path, "short").s, &key, &messages),
        ERR_CONFIG);
    buf_free(&key);
    assert_true(has(&messages, "short is no key: it has less than 32 bytes\n"));
    assert_int_equal(
        study_anonymize_key(tempdir_name(t.path, "none").s, &key, &messages),
        ERR_NOENT);
    buf_free(&key);
    assert_true(has(&messages, "cannot be read: No such file"));
    buf_free(&messages);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_text_is_left), cmocka_unit_test(test_copy),
        cmocka_unit_test(test_addresses),       cmocka_unit_test(test_many),
        cmocka_unit_test(test_sites),           cmocka_unit_test(test_titles),
        cmocka_unit_test(test_groups),          cmocka_unit_test(test_sums),
        cmocka_unit_test(test_criteria),        cmocka_unit_test(test_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* bench_rules - what rules cost of a core, for each decoded record
 *
 *     build/release/tests/bench_rules EVENTS
 *
 * EVENTS is what read --events wrote. Its records are decoded before the
 * clock starts and shown again and again, time going on by an hour with each
 * pass, so that windows fill and empty as they do in a capture. The best of
 * ROUNDS counts. Made rules hardly ever match a record of the lab, as most
 * rules hardly ever do; they have ten shapes, as people write them. The shipped
 * packs are measured with their correlations. */
#include "rules/packs/packs.h"
#include "rules/sigma/sigma.h"
#include "sensor/event/json_read.h"

#include <stdio.h>
#include <time.h>

#define ROUNDS      5
#define RECORDS_MAX 100000U
#define LEAST       300000U /* records in a round */
#define HOUR        (UINT64_C(3600) * NS_PER_S)

struct records {
    struct buf all; /* one after another */
    size_t at[RECORDS_MAX + 1];
    size_t n;
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- records ---- */

static bool
take_line(struct records *r, struct json_reader *json, struct span line)
{
    struct record_out out;
    struct buf why;
    bool good;

    record_init(&out);
    buf_init(&why, 4096);
    good = json_read(json, line, &out, &why) == ERR_OK;
    if (good) {
        buf_span(&r->all, record_view(&out));
        r->at[++r->n] = r->all.n;
    }
    record_free(&out);
    buf_free(&why);
    return good;
}

static bool
read_records(const char *path, struct records *r)
{
    static struct json_reader json;
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool good = f != NULL;

    buf_init(&r->all, 1U << 30);
    json_reader_init(&json);
    while (good && r->n < RECORDS_MAX && (n = getline(&line, &cap, f)) > 0)
        good = take_line(r, &json, span_of(line, (size_t)n - 1));
    free(line);
    json_reader_free(&json);
    if (f != NULL)
        (void)fclose(f);
    return good && r->n > 0;
}

/* The time is the first thing in a record. */
static void
go_on(struct records *r)
{
    for (size_t i = 0; i < r->n; i++) {
        ns_t when =
            record_head_of(span_of(r->all.p + r->at[i], RECORD_HEAD)).when +
            HOUR;

        memcpy(r->all.p + r->at[i], &when, sizeof(when));
    }
}

/* ---- rules ---- */

#define EACH(logsource, detection)                                             \
    "---\ntitle: made %u\nlogsource: {product: span25, service: " logsource    \
    "}\ndetection: {" detection "}\n"
#define SMTP(detection) EACH("smtp", detection)

enum { KINDS = 10 };

/* Each takes the number of the rule twice. */
static const char *const shapes[KINDS] = {
    SMTP("s: {smtp.helo: 'host%u.example.net'}, condition: s"),
    SMTP("s: {mail_from_domain: [bad%u.example, 'x*.worse.example']}, "
         "condition: s"),
    SMTP("s: {email.subject|contains: ['invoice %u', 'act now 12']}, "
         "condition: s"),
    SMTP("s: {email.url|contains: '/pay%u/', smtp.rcpt_accepted|gte: 1}, "
         "condition: s"),
    SMTP("s: {email.subject|re: 'Rech?nung.{0,10}%u'}, condition: s"),
    SMTP("s: {smtp.rcpt_offered|gte: 1%u00}, condition: s"),
    SMTP("s: {smtp.mail_params: 'x%u'}, f: {smtp.helo|endswith: .example}, "
         "condition: s and not f"),
    EACH("smtp_session",
         "s: {smtp.banner|startswith: '220 host%u '}, condition: s"),
    EACH("fileinfo", "s: {fileinfo.filename|endswith: '.ex%u'}, condition: s"),
    EACH("anomaly", "s: {anomaly.event: 'made_%u'}, condition: s"),
};

static void
make_rules(struct buf *out, unsigned n, int kind)
{
    for (unsigned i = 0; i < n; i++) {
        const char *shape = shapes[kind < 0 ? i % KINDS : (unsigned)kind];
        const char *first = strstr(shape, "%u") + 2,
                   *second = strstr(first, "%u") + 2;

        buf_put(out, shape, (size_t)(first - 2 - shape));
        buf_u64(out, i);
        buf_put(out, first, (size_t)(second - 2 - first));
        buf_u64(out, i);
        buf_str(out, second);
    }
}

static bool
load_made(struct sigma_set *s, unsigned n, int kind, struct buf *messages)
{
    struct buf text;
    bool good;

    buf_init(&text, 1U << 28);
    make_rules(&text, n, kind);
    good = sigma_load(s, buf_view(&text), SPAN_LIT("made"), messages) == ERR_OK;
    buf_free(&text);
    return good;
}

static bool
load_packs(struct sigma_set *s, struct buf *messages)
{
    for (size_t i = 0; packs[i].name != NULL; i++) {
        struct span name = span_str(packs[i].name);

        if (name.n > 5 &&
            span_eq(span_tail(name, name.n - 5), SPAN_LIT(".yaml")) &&
            sigma_load(s, packs[i].text, name, messages) != ERR_OK)
            return false;
    }
    return true;
}

/* ---- one figure ---- */

static const struct row {
    const char *name;
    unsigned n;
    int kind; /* of shapes; -1: all of them in turn */
    bool shipped;
} rows[] = {
    {"no rule",               0,     -1, false},
    {"1 rule",                1,     -1, false},
    {"10 rules",              10,    -1, false},
    {"100 rules",             100,   -1, false},
    {"1,000 rules",           1000,  -1, false},
    {"10,000 rules",          10000, -1, false},
    {"1,000 whole values",    1000,  0,  false},
    {"1,000 contains",        1000,  2,  false},
    {"1,000 expressions",     1000,  4,  false},
    {"1,000 thresholds",      1000,  5,  false},
    {"packs",                 0,     -1, true },
    {"packs and 1,000 rules", 1000,  -1, true },
};

static void
show(struct sigma_run *run, const struct records *r)
{
    size_t n;

    for (size_t i = 0; i < r->n; i++) {
        struct span record =
            span_of(r->all.p + r->at[i], r->at[i + 1] - r->at[i]);

        (void)sigma_eval(run, record, &n);
        (void)sigma_correlate(run, record_head_of(record).when, &n);
    }
}

static double
round_of(struct sigma_run *run, struct records *r)
{
    double start, spent = 0;
    size_t n = 0;

    for (; n < LEAST; n += r->n) {
        start = now();
        show(run, r);
        spent += now() - start;
        go_on(r);
    }
    return spent / (double)n;
}

static bool
measure(const struct row *row, struct records *r)
{
    struct sigma_set *s;
    struct sigma_run *run;
    struct sigma_counts c;
    struct buf messages;
    double best = 1e9;
    bool good;

    buf_init(&messages, 1U << 20);
    if (sigma_set_new(&s) != ERR_OK)
        return false;
    good = load_made(s, row->n, row->kind, &messages) &&
           (!row->shipped || load_packs(s, &messages)) &&
           sigma_set_compile(s, &messages) == ERR_OK &&
           sigma_run_new(s, 1, NULL, &run) == ERR_OK;
    for (unsigned i = 0; good && i < ROUNDS; i++) {
        double spent = round_of(run, r);

        best = spent < best ? spent : best;
    }
    if (good) {
        c = sigma_run_counts(run);
        printf("%-22s %8.1f ns %10.0f records/s, rules looked at %.3f, matched "
               "%.4f\n",
               row->name, best * 1e9, 1 / best,
               (double)c.candidates / (double)c.records,
               (double)c.matches / (double)c.records);
        (void)fflush(stdout);
        sigma_run_free(run);
    } else {
        fprintf(stderr, "%.*s", (int)messages.n, (const char *)messages.p);
    }
    sigma_set_free(s);
    buf_free(&messages);
    return good;
}

int
main(int argc, char **argv)
{
    static struct records r;

    if (argc != 2 || !read_records(argv[1], &r)) {
        fprintf(stderr, "usage: bench_rules EVENTS\n");
        return 2;
    }
    printf("%zu records, %.0f bytes each\n", r.n,
           (double)r.all.n / (double)r.n);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!measure(&rows[i], &r))
            return 1;
    }
    buf_free(&r.all);
    return 0;
}

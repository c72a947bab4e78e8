/* sigma_window_test - correlations, through the public header */
#include "rules/sigma/sigma_test_kit.h"
#include "sensor/base/frame.h"

#define RULES                                                                  \
    "title: a\nname: a\nlogsource: {service: smtp}\ndetection: {s: "           \
    "{smtp.helo|contains: a}, condition: s}\n---\n"                            \
    "title: b\nname: b\nlogsource: {service: smtp}\ndetection: {s: "           \
    "{smtp.helo|contains: b}, condition: s}\n---\n"                            \
    "title: c\nname: c\nlogsource: {service: smtp}\ndetection: {s: "           \
    "{smtp.helo|contains: c}, condition: s}\n---\n"

/* A stream in short: "2.5 192.0.2.1 a 17;" is second, client, HELO, bytes;
 * "@9" is a tick. What comes out: "second:rule:figure:group " for each match
 * that alerts. */
struct step {
    double second;
    char ip[40], helo[40];
    unsigned bytes;
};

static void
put_matches(struct kit *k, const struct sigma_match *m, size_t n,
            struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct sigma_info *info = sigma_set_info(k->set, m[i].rule);

        if (!info->alerts)
            continue;
        buf_printf(
            out, "%g:%.*s:%g", (double)(m[i].when % (NS_PER_S * 3600)) / 1e9,
            (int)info->title.n, (const char *)info->title.p, m[i].figure);
        for (uint32_t g = 0; g < m[i].n_group; g++)
            buf_printf(out, ":%.*s", (int)m[i].group[g].value.n,
                       (const char *)m[i].group[g].value.p);
        buf_putc(out, ' ');
    }
}

static void
put_record(struct kit *k, const struct step *s, struct buf *out)
{
    char body[300];
    const struct sigma_match *m;
    struct span record;
    size_t n;

    (void)snprintf(body, sizeof(body),
                   "%s%s%s\"smtp\":{\"helo\":\"%s\",\"message_bytes\":%u}",
                   s->ip[0] == '-' ? "" : "\"src_ip\":\"",
                   s->ip[0] == '-' ? "" : s->ip, s->ip[0] == '-' ? "" : "\",",
                   s->helo, s->bytes);
    record = kit_record(k, "smtp", (unsigned)(s->second * 1000 + 0.5), body);
    m = sigma_eval(k->run, record, &n);
    put_matches(k, m, n, out);
    m = sigma_correlate(k->run, record_head_of(record).when, &n);
    put_matches(k, m, n, out);
}

/* The next word into out, up to a blank or the end of the step. */
static const char *
word(const char *at, char out[40])
{
    size_t n = 0;

    while (*at == ' ')
        at++;
    while (*at != ' ' && *at != ';' && *at != 0 && n < 39)
        out[n++] = *at++;
    out[n] = 0;
    return at;
}

static void
put_tick(struct kit *k, double second, struct buf *out)
{
    struct span rec =
        kit_record(k, "smtp", (unsigned)(second * 1000 + 0.5), "");
    const struct sigma_match *m;
    size_t n;

    m = sigma_tick(k->run, record_head_of(rec).when, &n);
    put_matches(k, m, n, out);
}

/* The run goes, and another goes on with what it saved. */
static void
resume(struct kit *k, const struct sigma_limits *limits)
{
    struct buf saved, again;

    buf_init(&saved, 1U << 24);
    buf_init(&again, 1U << 24);
    assert_int_equal(sigma_run_save(k->run, &saved), ERR_OK);
    sigma_run_free(k->run);
    assert_int_equal(sigma_run_new(k->set, 7, limits, &k->run), ERR_OK);
    assert_int_equal(sigma_run_load(k->run, buf_view(&saved)), ERR_OK);
    assert_int_equal(sigma_run_save(k->run, &again), ERR_OK);
    assert_true(span_eq(buf_view(&saved), buf_view(&again)));
    buf_free(&saved);
    buf_free(&again);
}

static void
stream_cut(struct kit *k, const char *steps, bool cut, struct buf *out)
{
    char first[40], bytes[40];

    for (const char *at = steps; *at != 0;) {
        struct step s = {0};

        at = word(at, first);
        s.second = strtod(first[0] == '@' ? first + 1 : first, NULL);
        if (first[0] == '@') {
            put_tick(k, s.second, out);
        } else {
            at = word(word(word(at, s.ip), s.helo), bytes);
            s.bytes = (unsigned)strtoul(bytes, NULL, 10);
            put_record(k, &s, out);
        }
        if (cut)
            resume(k, NULL);
        if (*at != ';')
            fail_msg("bad step: %s", at);
        at++;
    }
}

static void
stream(struct kit *k, const char *steps, struct buf *out)
{
    stream_cut(k, steps, false, out);
}

/* clang-format off */
#define ONE "correlation: {rules: [a], timespan: 10s, group-by: [src_ip], "
#define X "192.0.2.1"
#define Y "192.0.2.2"
static const struct {
    const char *why, *rule, *steps, *want;
} rows[] = {
    {"two within the timespan", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 9 " X " a 1;", "9:T:2:192.0.2.1 "},
    {"both ends belong to it", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 10 " X " a 1;", "10:T:2:192.0.2.1 "},
    {"one tick later", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 10.001 " X " a 1;", ""},
    {"not clock-aligned", ONE "type: event_count, condition: {gte: 2}}", "9 " X " a 1; 11 " X " a 1;", "11:T:2:192.0.2.1 "},
    {"gt", ONE "type: event_count, condition: {gt: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " X " a 1;", "2:T:3:192.0.2.1 "},
    {"two buckets", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 1 " Y " a 1; 2 " Y " a 1; 3 " X " a 1;", "2:T:2:192.0.2.2 3:T:2:192.0.2.1 "},
    {"no group-by: one bucket", "correlation: {rules: [a], timespan: 10s, type: event_count, condition: {gte: 2}}", "0 " X " a 1; 1 " Y " a 1;", "1:T:2 "},
    {"without the field no bucket", ONE "type: event_count, condition: {gte: 2}}", "0 - a 1; 1 - a 1;", ""},
    {"other rules do not count", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 1 " X " x 1;", ""},
    {"any of the rules counts", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: event_count, condition: {gte: 2}}", "0 " X " a 1; 1 " X " b 1;", "1:T:2:192.0.2.1 "},
    {"once while it lasts", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " X " a 1; 3 " X " a 1;", "1:T:2:192.0.2.1 "},
    {"again a timespan later", ONE "type: event_count, condition: {gte: 2}}", "0 " X " a 1; 5 " X " a 1; 10 " X " a 1; 14.9 " X " a 1; 15 " X " a 1;", "5:T:2:192.0.2.1 15:T:4:192.0.2.1 "},
    {"again when it has been below", ONE "type: event_count, condition: {gte: 3}}", "0 " X " a 1; 0 " X " a 1; 9 " X " a 1; 10.5 " X " a 1; 11 " X " a 1;", "9:T:3:192.0.2.1 11:T:3:192.0.2.1 "},
    {"out of order", ONE "type: event_count, condition: {gte: 3}}", "0 " X " a 1; 8 " X " a 1; 4 " X " a 1;", "8:T:3:192.0.2.1 "},
    {"too late to count", ONE "type: event_count, condition: {gte: 2}}", "20 " X " a 1; 4 " X " a 1;", ""},
    {"late ones leave in their order", ONE "type: event_count, condition: {gte: 3}}", "0 " X " a 1; 8 " X " a 1; 4 " X " x 1; 3 " X " a 1; 13.5 " X " a 1;", "8:T:3:192.0.2.1 "},
    /* values */
    {"distinct values", ONE "type: value_count, condition: {gte: 2, field: smtp.helo}}", "0 " X " a1 1; 1 " X " a2 1;", "1:T:2:192.0.2.1 "},
    {"the same twice is one", ONE "type: value_count, condition: {gte: 2, field: smtp.helo}}", "0 " X " a1 1; 1 " X " A1 1;", ""},
    {"a value's newest time counts", ONE "type: value_count, condition: {gte: 2, field: smtp.helo}}", "0 " X " a1 1; 9 " X " a1 1; 19 " X " a2 1;", "19:T:2:192.0.2.1 "},
    {"a value that is too old", ONE "type: value_count, condition: {gte: 2, field: smtp.helo}}", "0 " X " a1 1; 10.5 " X " a2 1;", ""},
    {"tuples", ONE "type: value_count, condition: {gte: 3, field: [smtp.helo, smtp.message_bytes]}}", "0 " X " a1 1; 1 " X " a1 2; 2 " X " a2 1; 3 " X " a1 1;", "2:T:3:192.0.2.1 "},
    {"sum", ONE "type: value_sum, condition: {gt: 100, field: smtp.message_bytes}}", "0 " X " a 60; 1 " X " a 40; 2 " X " a 1;", "2:T:101:192.0.2.1 "},
    {"sum of what is left", ONE "type: value_sum, condition: {gt: 100, field: smtp.message_bytes}}", "0 " X " a 60; 1 " X " a 40; 11 " X " a 50;", ""},
    {"mean", ONE "type: value_avg, condition: {gte: 2.5, field: smtp.message_bytes}}", "0 " X " a 2; 1 " X " a 3;", "1:T:2.5:192.0.2.1 "},
    {"median", ONE "type: value_median, condition: {gte: 5, field: smtp.message_bytes}}", "0 " X " a 1; 1 " X " a 9; 2 " X " a 5;", "2:T:5:192.0.2.1 "},
    {"percentile", ONE "type: value_percentile, condition: {gte: 9, percentile: 75, field: smtp.message_bytes}}", "0 " X " a 1; 1 " X " a 5; 2 " X " a 9; 3 " X " a 10;", "2:T:9:192.0.2.1 "},
    /* order */
    {"temporal", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal}", "0 " X " a 1; 1 " X " b 1;", "1:T:2:192.0.2.1 "},
    {"temporal, other order", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal}", "0 " X " b 1; 1 " X " a 1;", "1:T:2:192.0.2.1 "},
    {"temporal, too far", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal}", "0 " X " a 1; 10.001 " X " b 1;", ""},
    {"temporal, both ends", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal}", "0 " X " a 1; 10 " X " b 1;", "10:T:2:192.0.2.1 "},
    {"temporal of two out of three", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal, condition: {gte: 2}}", "0 " X " a 1; 1 " X " c 1;", "1:T:2:192.0.2.1 "},
    {"temporal by one record", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal}", "0 " X " ab 1;", "0:T:2:192.0.2.1 "},
    {"ordered", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " b 1;", "1:T:2:192.0.2.1 "},
    {"ordered, other order", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " b 1; 1 " X " a 1;", ""},
    {"ordered, by one record", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " ab 1;", ""},
    {"ordered, the record continues another", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " ab 1;", "1:T:2:192.0.2.1 "},
    {"ordered, three", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " b 1; 10 " X " c 1;", "10:T:3:192.0.2.1 "},
    {"ordered, three, begun too early", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " b 1; 10.001 " X " c 1;", ""},
    {"ordered, begun again", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " b 1; 5 " X " a 1; 6 " X " b 1; 14 " X " c 1;", "14:T:3:192.0.2.1 "},
    {"ordered, not by the later begin alone", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " b 1; 5 " X " a 1; 14 " X " c 1;", ""},
    {"an expression", "correlation: {rules: [a, b, c], timespan: 10s, group-by: [src_ip], type: temporal, condition: a and (b or c)}", "0 " X " a 1; 1 " X " c 1;", "1:T:2:192.0.2.1 "},
    {"an expression with not", "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: temporal, condition: a and not b}", "0 " X " b 1; 1 " X " a 1; 12 " X " a 1;", "12:T:1:192.0.2.1 "},
    /* conditions with an upper bound: at the end */
    {"lt is known at the end", ONE "type: event_count, condition: {lt: 2}}", "0 " X " a 1; @10; @10.001;", "10:T:1:192.0.2.1 "},
    {"lt, too many", ONE "type: event_count, condition: {lt: 2}}", "0 " X " a 1; 10 " X " a 1; @11;", ""},
    {"lt, then a new window", ONE "type: event_count, condition: {lt: 2}}", "0 " X " a 1; 11 " X " a 1; @30;", "10:T:1:192.0.2.1 21:T:1:192.0.2.1 "},
    {"eq", ONE "type: event_count, condition: {eq: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " Y " a 1; @30;", "10:T:2:192.0.2.1 "},
    {"neq", ONE "type: event_count, condition: {neq: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " Y " a 1; @30;", "12:T:1:192.0.2.2 "},
    {"a range", ONE "type: event_count, condition: {gt: 1, lte: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " Y " a 1; @30;", "10:T:2:192.0.2.1 "},
    {"a range, above", ONE "type: event_count, condition: {gt: 1, lte: 2}}", "0 " X " a 1; 1 " X " a 1; 2 " X " a 1; @30;", ""},
    {"few distinct values", ONE "type: value_count, condition: {lte: 1, field: smtp.helo}}", "0 " X " a 1; 1 " X " a 1; @30;", "10:T:1:192.0.2.1 "},
    {"a small mean", ONE "type: value_avg, condition: {lt: 10, field: smtp.message_bytes}}", "0 " X " a 1; 1 " X " a 3; @30;", "10:T:2:192.0.2.1 "},
    /* who alerts */
    {"generate", ONE "type: event_count, condition: {gte: 2}, generate: true}", "0 " X " a 1; 1 " X " a 1;", "0:a:0 1:a:0 1:T:2:192.0.2.1 "},
    {"generate, at the top", ONE "type: event_count, condition: {gte: 2}}\ngenerate: true", "0 " X " a 1;", "0:a:0 "},
    {"rules that nobody refers to alert", ONE "type: event_count, condition: {gte: 2}}\n---\ntitle: z\nlogsource: {service: smtp}\ndetection: {s: {smtp.helo: z}, condition: s}", "0 " X " z 1;", "0:z:0 "},
    /* aliases and chains */
    {"aliases", "correlation: {rules: [a, b], timespan: 10s, group-by: [who], type: temporal, aliases: {who: {a: src_ip, b: smtp.helo}}}", "0 " X " a 1; 1 " Y " b 1; 2 " Y " b192.0.2.1 1;", ""},
    {"aliases that meet", "correlation: {rules: [a, b], timespan: 10s, group-by: [who], type: temporal, aliases: {who: {a: smtp.message_bytes, b: smtp.helo}}}", "0 " X " x 1; 1 " X " a 25; 2 " Y " b 25;", ""},
    {"failures, then success", "name: inner\ncorrelation: {rules: [a], timespan: 10s, group-by: [src_ip], type: event_count, condition: {gte: 3}}\n---\ntitle: U\ncorrelation: {rules: [inner, b], timespan: 20s, group-by: [src_ip], type: temporal_ordered}", "0 " X " a 1; 1 " X " a 1; 2 " X " a 1; 3 " Y " b 1; 4 " X " b 1;", "4:U:2:192.0.2.1 "},
    {"success, then failures", "name: inner\ncorrelation: {rules: [a], timespan: 10s, group-by: [src_ip], type: event_count, condition: {gte: 3}}\n---\ntitle: U\ncorrelation: {rules: [inner, b], timespan: 20s, group-by: [src_ip], type: temporal_ordered}", "0 " X " b 1; 1 " X " a 1; 2 " X " a 1; 3 " X " a 1;", ""},
    {"distinct groups of an inner one", "name: inner\ncorrelation: {rules: [a], timespan: 10s, group-by: [src_ip], type: event_count, condition: {gte: 1}}\n---\ntitle: U\ncorrelation: {rules: [inner], timespan: 20s, type: value_count, condition: {gte: 2, field: src_ip}}", "0 " X " a 1; 1 " Y " a 1;", "1:U:2 "},
    /* filters */
    {"a filter", "correlation: {rules: [a], timespan: 10s, type: event_count, condition: {gte: 1}}\n---\ntitle: f\nlogsource: {service: smtp}\nfilter: {rules: [a], s: {src_ip: " X "}, condition: not s}", "0 " X " a 1; 1 " Y " a 1;", "1:T:1 "},
    {"a filter for any", "correlation: {rules: [a], timespan: 10s, type: event_count, condition: {gte: 1}}\n---\ntitle: f\nlogsource: {service: smtp}\nfilter: {rules: any, s: {src_ip: " X "}, condition: not s}", "0 " X " a 1; 1 " Y " a 1; 2 " X " b 1;", "1:T:1 "},
    {"a filter for other sources", "correlation: {rules: [a], timespan: 10s, type: event_count, condition: {gte: 1}}\n---\ntitle: f\nlogsource: {service: tls}\nfilter: {rules: any, s: {src_ip: " X "}, condition: not s}", "0 " X " a 1;", "0:T:1 "},
};
/* clang-format on */

static void
open_rule(struct kit *k, const char *rule, const struct sigma_limits *limits)
{
    struct buf b;

    kit_open(k);
    buf_init(&b, 1U << 20);
    buf_str(&b, RULES "title: T\n");
    buf_str(&b, rule);
    buf_putc(&b, '\n');
    kit_load(k, "r.yml", buf_view(&b));
    kit_run(k, limits);
    if (k->messages.n > 0)
        fail_msg("%s: %s", rule, kit_messages(k));
    buf_free(&b);
}

/* What is in no correlation alerts; b and c do not matter to most rows. */
static bool
says(struct buf *out, const char *want, const char *rule)
{
    char kept[1000];
    size_t n = 0;
    const char *at = (const char *)out->p;

    for (size_t i = 0; i < out->n;) {
        size_t len = span_find(span_tail(buf_view(out), i), ' ') + 1;
        bool other = memmem(at + i, len, ":b:0", 4) != NULL ||
                     memmem(at + i, len, ":c:0", 4) != NULL;

        if (!other && n + len < sizeof(kept)) {
            memcpy(kept + n, at + i, len);
            n += len;
        }
        i += len;
    }
    (void)rule;
    return span_eq(span_of(kept, n), span_str(want));
}

/* Every row in one piece, and interrupted after every event. */
static void
check_rows(bool cut)
{
    unsigned bad = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kit k;
        struct buf out;

        open_rule(&k, rows[i].rule, NULL);
        buf_init(&out, 1U << 20);
        stream_cut(&k, rows[i].steps, cut, &out);
        if (!says(&out, rows[i].want, rows[i].rule)) {
            print_message("%s: %s\n got %.*s\nwant %s\n", rows[i].why,
                          rows[i].rule, (int)out.n, (const char *)out.p,
                          rows[i].want);
            bad++;
        }
        buf_free(&out);
        kit_close(&k);
    }
    assert_int_equal(bad, 0);
}

static void
test_rows(void **state)
{
    (void)state;
    check_rows(false);
}

static void
test_resumed(void **state)
{
    (void)state;
    check_rows(true);
}

static const char *const kinds[] = {
    ONE "type: event_count, condition: {gte: 9}}",
    ONE "type: value_count, condition: {gte: 9, field: smtp.helo}}",
    ONE "type: value_sum, condition: {gt: 999, field: smtp.message_bytes}}",
    ONE "type: event_count, condition: {lt: 2}}",
    ("correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: "
     "temporal_ordered}"),
};

/* Evictions depend on the order of the idle, and on what lies where. */
static void
test_resumed_full(void **state)
{
    static const struct sigma_limits small = {5, 12, 4};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct sigma_counts whole = {0}, cut = {0};
        struct kit a, b;
        struct buf x, y;

        buf_init(&x, 1U << 20);
        buf_init(&y, 1U << 20);
        open_rule(&a, kinds[i], &small);
        open_rule(&b, kinds[i], &small);
        for (unsigned n = 0; n < 120; n++) {
            struct step s = {.second = n * 0.7, .bytes = n * 31 % 97};
            struct sigma_counts c;

            (void)snprintf(s.ip, sizeof(s.ip), "192.0.2.%u", n * n % 11);
            (void)snprintf(s.helo, sizeof(s.helo), "%c%u",
                           n % 3 > 0 ? 'a' : 'b', n % 5);
            put_record(&a, &s, &x);
            put_record(&b, &s, &y);
            c = sigma_run_counts(b.run);
            cut.buckets_evicted += c.buckets_evicted;
            cut.events_evicted += c.events_evicted;
            resume(&b, &small);
        }
        whole = sigma_run_counts(a.run);
        assert_true(span_eq(buf_view(&x), buf_view(&y)));
        assert_int_equal(whole.buckets_evicted, cut.buckets_evicted);
        assert_int_equal(whole.events_evicted, cut.events_evicted);
        buf_free(&x);
        buf_free(&y);
        kit_close(&a);
        kit_close(&b);
    }
}

/* The checksum is no proof: with a right one behind it, any byte may be any
 * other. What is taken must not harm who goes on with it. */
static void
damage(struct kit *k, const struct buf *saved, size_t at, uint8_t to)
{
    struct buf bad;
    struct buf out;
    enum err e;

    buf_init(&bad, 1U << 24);
    buf_init(&out, 1U << 20);
    buf_put(&bad, saved->p, saved->n - 8);
    bad.p[at] = to;
    e = frame_end(&bad, 0);
    assert_int_equal(e, ERR_OK);
    sigma_run_free(k->run);
    assert_int_equal(sigma_run_new(k->set, 7, NULL, &k->run), ERR_OK);
    e = sigma_run_load(k->run, buf_view(&bad));
    assert_true(e == ERR_OK || e == ERR_CORRUPT || e == ERR_FORMAT ||
                e == ERR_LIMIT);
    if (e == ERR_OK)
        stream(k, "2 " X " a 1; 3 " Y " b 9; @40; 41 " X " ab 1;", &out);
    buf_free(&bad);
    buf_free(&out);
}

static void
test_damaged(void **state)
{
    static const uint8_t to[] = {0, 1, 2, 0x7f, 0x80, 0xff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct kit k;
        struct buf out, saved;

        buf_init(&out, 1U << 20);
        buf_init(&saved, 1U << 24);
        open_rule(&k, kinds[i], NULL);
        stream(&k, "0 " X " a1 5; 1 " Y " b 7; 1.5 " X " a2 5;", &out);
        assert_int_equal(sigma_run_save(k.run, &saved), ERR_OK);
        for (size_t n = 0; n < saved.n; n++)
            assert_int_not_equal(
                sigma_run_load(k.run, span_head(buf_view(&saved), n)), ERR_OK);
        for (size_t at = 0; at + 8 < saved.n; at++) {
            for (size_t v = 0; v < ARRAY_LEN(to); v++)
                damage(&k, &saved, at, to[v]);
        }
        buf_free(&out);
        buf_free(&saved);
        kit_close(&k);
    }
}

static void
save_of(const char *rule, struct buf *out)
{
    struct kit k;
    struct buf said;

    buf_init(&said, 1U << 20);
    open_rule(&k, rule, NULL);
    stream(&k, "0 " X " a1 5;", &said);
    assert_int_equal(sigma_run_save(k.run, out), ERR_OK);
    buf_free(&said);
    kit_close(&k);
}

static void
test_other_rule(void **state)
{
    struct kit k;
    struct buf saved, out;

    (void)state;
    buf_init(&saved, 1U << 20);
    buf_init(&out, 1U << 20);
    save_of(ONE "type: event_count, condition: {gte: 2}}", &saved);
    open_rule(&k, ONE "type: event_count, condition: {gte: 3}}", NULL);
    assert_int_equal(sigma_run_load(k.run, buf_view(&saved)), ERR_OK);
    stream(&k, "1 " X " a 1; 2 " X " a 1; 3 " X " a 1;", &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("3:T:3:192.0.2.1 ")));
    buf_free(&saved);
    buf_free(&out);
    kit_close(&k);
}

/* ---- bounds ---- */

static void
test_buckets_max(void **state)
{
    const struct sigma_limits limits = {4, 1000, 100};
    struct kit k;
    struct buf out;

    (void)state;
    open_rule(&k, ONE "type: event_count, condition: {gte: 2}}", &limits);
    buf_init(&out, 1U << 20);
    /* the fifth client drives out the first, which is the idlest */
    stream(&k,
           "0 10.0.0.1 a 1; 1 10.0.0.2 a 1; 2 10.0.0.3 a 1; 3 10.0.0.4 a 1;",
           &out);
    assert_int_equal(sigma_run_counts(k.run).buckets_evicted, 0);
    stream(&k, "4 10.0.0.5 a 1; 5 10.0.0.2 a 1; 6 10.0.0.1 a 1;", &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("5:T:2:10.0.0.2 ")));
    assert_int_equal(sigma_run_counts(k.run).buckets_evicted, 2);
    buf_free(&out);
    kit_close(&k);
}

static void
test_window_max(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    for (uint32_t max = 3; max <= 5; max++) {
        const struct sigma_limits limits = {4, 1000, max};

        open_rule(&k,
                  ONE "type: value_sum, condition: {gte: 4, field: "
                      "smtp.message_bytes}}",
                  &limits);
        buf_init(&out, 1U << 20);
        stream(&k, "0 " X " a 1; 1 " X " a 1; 2 " X " a 1; 3 " X " a 1;", &out);
        assert_int_equal(out.n > 0, max >= 4);
        assert_int_equal(sigma_run_counts(k.run).events_evicted, max < 4);
        buf_free(&out);
        kit_close(&k);
    }
    /* a threshold above the maximum can be met all the same */
    open_rule(&k, ONE "type: event_count, condition: {gte: 4}}",
              &(struct sigma_limits){4, 1000, 2});
    buf_init(&out, 1U << 20);
    stream(&k, "0 " X " a 1; 1 " X " a 1; 2 " X " a 1; 3 " X " a 1;", &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("3:T:4:192.0.2.1 ")));
    buf_free(&out);
    kit_close(&k);
}

static void
test_events_max(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    for (uint32_t max = 4; max <= 6; max++) {
        const struct sigma_limits limits = {100, max, 100};

        open_rule(&k,
                  ONE "type: value_count, condition: {gte: 3, field: "
                      "smtp.helo}}",
                  &limits);
        buf_init(&out, 1U << 20);
        stream(&k,
               "0 " Y " a1 1; 0 " Y " a2 1; 1 " X " a1 1; 2 " X " a2 1; 3 " X
               " a3 1; 4 " Y " a3 1;",
               &out);
        /* five fit; the idlest bucket goes when there is no room */
        assert_int_equal(memmem(out.p, out.n, "3:T:3:192.0.2.1", 15) != NULL,
                         1);
        assert_int_equal(sigma_run_counts(k.run).events_evicted > 0, max < 6);
        buf_free(&out);
        kit_close(&k);
    }
}

#define PAIR                                                                   \
    "correlation: {rules: [a, b], timespan: 10s, group-by: [src_ip], type: "   \
    "temporal}"

/* A flood of clients and values: what is held stays below a line. */
static void
test_flood(void **state)
{
    static const char *const types[] = {
        ONE "type: event_count, condition: {gte: 1000}}",
        ONE "type: value_count, condition: {gte: 1000, field: smtp.helo}}",
        ONE "type: value_avg, condition: {lt: 0, field: smtp.message_bytes}}",
        PAIR};
    const struct sigma_limits limits = {1000, 4000, 500};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(types); t++) {
        struct kit k;
        size_t n;

        open_rule(&k, types[t], &limits);
        for (unsigned i = 0; i < 20000; i++) {
            char body[200];
            struct span rec;

            (void)snprintf(body, sizeof(body),
                           "\"src_ip\":\"10.%u.%u.%u\",\"smtp\":{\"helo\":"
                           "\"a%u\",\"message_bytes\":%u}",
                           i % 7, i / 7 % 250, i % 11, i, i);
            rec = kit_record(&k, "smtp", i, body);
            (void)sigma_eval(k.run, rec, &n);
            (void)sigma_correlate(k.run, record_head_of(rec).when, &n);
            assert_true(sigma_run_memory(k.run) < 1000000);
        }
        assert_true(sigma_run_counts(k.run).buckets_evicted > 0);
        kit_close(&k);
    }
}

/* ---- reload ---- */

static void
reload(struct kit *k, struct sigma_set **old, const char *rule)
{
    struct buf b;

    *old = k->set;
    assert_int_equal(sigma_set_new(&k->set), ERR_OK);
    buf_init(&b, 1U << 20);
    buf_str(&b, "title: new\nlogsource: {service: smtp}\ndetection: {s: "
                "{smtp.helo: z}, condition: s}\n---\n" RULES "title: T\n");
    buf_str(&b, rule);
    kit_load(k, "again.yml", buf_view(&b));
    assert_int_equal(k->loaded, ERR_OK);
    assert_int_equal(sigma_set_compile(k->set, &k->messages), ERR_OK);
    assert_int_equal(sigma_run_reload(k->run, k->set), ERR_OK);
    buf_free(&b);
    sigma_set_free(*old);
}

static void
test_reload(void **state)
{
    static const char rule[] =
        ONE "type: event_count, condition: {gte: 2}} # same\n";
    static const char other[] = ONE "type: event_count, condition: {gte: 3}}\n";
    struct sigma_set *old;
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1U << 20);
    open_rule(&k, ONE "type: event_count, condition: {gte: 2}}", NULL);
    stream(&k, "0 " X " a 1;", &out);
    reload(&k, &old, rule);
    stream(&k, "1 " X " a 1;", &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("1:T:2:192.0.2.1 ")));
    /* changed: it begins anew */
    reload(&k, &old, other);
    stream(&k, "2 " X " a 1; 3 " X " a 1;", &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("1:T:2:192.0.2.1 ")));
    stream(&k, "4 " X " a 1;", &out);
    assert_true(
        span_eq(buf_view(&out), SPAN_LIT("1:T:2:192.0.2.1 4:T:3:192.0.2.1 ")));
    buf_free(&out);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_buckets_max),
        cmocka_unit_test(test_window_max), cmocka_unit_test(test_events_max),
        cmocka_unit_test(test_flood),      cmocka_unit_test(test_reload),
        cmocka_unit_test(test_resumed),    cmocka_unit_test(test_resumed_full),
        cmocka_unit_test(test_damaged),    cmocka_unit_test(test_other_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

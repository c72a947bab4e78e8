/* sigma_fuzz - any file of rules, any record
 *
 * The first two bytes say how long the rules are, the rest is a record. Rules
 * that load are run on it, and on a record that has something to find; what the
 * index says must be what each rule says alone, unless a bound was met. */
#include "rules/sigma/sigma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct span
copy_of(struct span s)
{
    uint8_t *copy = malloc(s.n > 0 ? s.n : 1);

    REQUIRE(copy != NULL);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    return span_of(copy, s.n);
}

static void
release(struct span s)
{
    free((void *)(uintptr_t)s.p);
}

static bool
is_limited(const struct sigma_run *r)
{
    struct sigma_counts c = sigma_run_counts(r);

    return c.regex_limited > 0 || c.glob_limited > 0;
}

static void
check_matches(struct sigma_run *r, const struct sigma_set *s,
              struct span record)
{
    size_t n, at = 0;
    const struct sigma_match *m = sigma_eval(r, record, &n);
    uint32_t *found = calloc(n + 1, sizeof(*found));
    struct buf out;

    REQUIRE(found != NULL);
    buf_init(&out, 1U << 16);
    for (size_t i = 0; i < n; i++)
        found[i] = m[i].rule;
    m = sigma_correlate(r, record_head_of(record).when, &n);
    for (size_t i = 0; i < n; i++)
        REQUIRE(m[i].rule < sigma_set_count(s));
    for (uint32_t i = 0; i < sigma_set_count(s); i++) {
        bool alone = sigma_explain(r, i, record, &out);
        uint32_t missed;

        REQUIRE(is_limited(r) || !alone || found[at] == i);
        REQUIRE(sigma_trace(r, i, record, &out, &missed) == alone ||
                is_limited(r));
        sigma_describe(s, i, &out);
        at += alone ? 1 : 0;
    }
    buf_free(&out);
    free(found);
}

static void
run_rules(const struct sigma_set *s, struct span record)
{
    static const struct sigma_limits small = {3, 8, 4};
    struct record_head h = {.when = 5 * NS_PER_S, .type = EVENT_SMTP};
    struct record_out mine;
    struct sigma_run *r;
    size_t n;

    REQUIRE(sigma_run_new(s, 1, &small, &r) == ERR_OK);
    record_init(&mine);
    for (unsigned i = 0; i < 6; i++) {
        struct addr a = addr_v4((uint8_t[]){192, 0, 2, (uint8_t)(i % 4)});

        record_begin(&mine, &h);
        record_addr(&mine, FIELD_SRC_IP, &a);
        record_u64(&mine, FIELD_DEST_PORT, 25);
        record_text(&mine, FIELD_SMTP_HELO, i % 2 == 0 ? "a" : "evil -x");
        record_text(&mine, FIELD_EMAIL_SUBJECT, "Zm9vYmFy \xe2\x82\xac aab");
        check_matches(r, s, record_view(&mine));
        h.when += i == 3 ? 1 : NS_PER_S;
    }
    if (record_check(record))
        check_matches(r, s, record);
    (void)sigma_tick(r, UINT64_MAX, &n);
    REQUIRE(sigma_run_reload(r, s) == ERR_OK);
    sigma_run_free(r);
    record_free(&mine);
}

/* The same text again: what has an id or a name gives way, what is refused is
 * refused again, the others are there twice. */
static void
check_replaced(const struct sigma_set *s, struct sigma_loaded before)
{
    struct sigma_loaded l = sigma_set_loaded(s);

    REQUIRE(l.refused <= 2 * before.refused);
    REQUIRE(l.rules + l.correlations + l.filters + l.replaced >=
            2 * (before.rules + before.correlations + before.filters));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span in = span_of(data, n);
    size_t cut = span_at(in, 0) * 256U + span_at(in, 1);
    struct span rest = span_tail(in, 2);
    struct span rules = copy_of(span_head(rest, cut));
    struct span record = copy_of(span_tail(rest, cut));
    struct sigma_set *s;
    struct sigma_loaded before;
    struct buf messages;
    enum err e;

    buf_init(&messages, 1U << 20);
    REQUIRE(sigma_set_new(&s) == ERR_OK);
    REQUIRE(sigma_set_define(s, SPAN_LIT("x"), SPAN_LIT("a*")) == ERR_OK);
    e = sigma_load(s, rules, SPAN_LIT("f.yml"), &messages);
    REQUIRE(e == ERR_OK || messages.n > 0);
    before = sigma_set_loaded(s);
    sigma_set_keep_first(s);
    e = sigma_load(s, rules, SPAN_LIT("again.yml"), &messages);
    check_replaced(s, before);
    release(rules);
    e = sigma_set_compile(s, &messages);
    REQUIRE(e == ERR_OK || messages.n > 0);
    run_rules(s, record);
    sigma_set_free(s);
    buf_free(&messages);
    release(record);
    return 0;
}

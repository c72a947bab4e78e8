#include "rules/detect.h"

#include "rules/alert/alerts_test_kit.h"

#define RULES                                                                  \
    "title: Refused mail\nid: 11111111-1111-4111-8111-111111111111\n"          \
    "name: refused\nlevel: medium\n"                                           \
    "logsource: {product: span25, service: smtp}\n"                            \
    "detection: {s: {smtp.outcome: rejected}, condition: s}\n"                 \
    "span25: {reason: 'sent {smtp.outcome} mail'}\n"                           \
    "---\n"                                                                    \
    "title: Much refused mail\nid: 22222222-2222-4222-8222-222222222222\n"     \
    "level: high\n"                                                            \
    "correlation: {type: event_count, rules: [refused], group-by: [src_ip], "  \
    "timespan: 10m, condition: {gte: 3}, generate: true}\n"                    \
    "span25: {reason: 'had {count} refused in {timespan} (limit {limit})'}\n"

#define MAIL                                                                   \
    ", \"src_ip\": \"10.2.3.4\", \"dest_ip\": \"192.0.2.1\","                  \
    " \"dest_port\": 25, \"direction\": \"outbound\","                         \
    " \"smtp\": {\"mail_from\": \"<a@b.example>\","                            \
    " \"outcome\": \"rejected\"}"

struct bench {
    struct kit k;
    struct sigma_set *rules;
    struct detect *d;
};

static struct sigma_set *
rules_of(const char *text)
{
    struct sigma_set *rules;
    struct buf said;

    buf_init(&said, 4096);
    assert_int_equal(sigma_set_new(&rules), ERR_OK);
    if (sigma_load(rules, span_str(text), SPAN_LIT("t"), &said) != ERR_OK ||
        sigma_set_compile(rules, &said) != ERR_OK)
        fail_msg("%.*s", (int)said.n, (const char *)said.p);
    buf_free(&said);
    return rules;
}

static struct detect *
detect_of(const struct sigma_set *rules)
{
    struct detect_options o = {.hosts = hosts_options_default,
                               .decide = {.limits = decide_limits_default},
                               .rules = rules};
    struct detect *d;

    o.hosts.seed = 5;
    assert_int_equal(detect_new(&o, &d), ERR_OK);
    return d;
}

static void
bench_open(struct bench *b)
{
    kit_open(&b->k);
    b->rules = rules_of(RULES);
    b->d = detect_of(b->rules);
}

static void
bench_close(struct bench *b)
{
    detect_free(b->d);
    sigma_set_free(b->rules);
    kit_close(&b->k);
}

/* Publishes conclusions as the core does: each is shown in turn. */
static void
conclude(struct detect *d, struct kit *k)
{
    struct record_out copy;
    struct record_map map;
    struct span r;

    record_init(&copy);
    while ((r = detect_take(d)).n > 0) {
        record_merge(&copy, r, r);
        kit_put(k, record_view(&copy));
        record_map_init(&map, record_view(&copy));
        detect_event(d, &map);
    }
    record_free(&copy);
}

static void
mail(struct detect *d, struct kit *k, ns_t at)
{
    detect_event(d, kit_event(k, "smtp", at, MAIL));
    conclude(d, k);
}

static void
says_nothing_of_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    detect_time(b.d, KIT_EPOCH);
    detect_end(b.d, KIT_EPOCH);
    assert_int_equal(detect_take(b.d).n, 0);
    assert_int_equal(detect_take(b.d).n, 0);
    bench_close(&b);
}

static void
rules_lead_to_alerts(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    mail(b.d, &b.k, 0);
    assert_int_equal(b.k.n_told, 1);
    kit_has("a rule", kit_told(&b.k, 0), "10.2.3.4 sent rejected mail");
    mail(b.d, &b.k, NS_PER_S);
    mail(b.d, &b.k, 2 * NS_PER_S);
    assert_int_equal(b.k.n_told, 2);
    kit_has("a correlation", kit_told(&b.k, 1),
            "10.2.3.4 had 3 refused in 10m (limit 3)");
    assert_int_equal(detect_counts(b.d).alerts.open, 2);
    bench_close(&b);
}

/* What the worst event met is told, though most matches are never put into
 * words. */
static void
words_of_the_worst(void **state)
{
    static const unsigned refused[] = {2, 7, 3};
    struct sigma_set *rules =
        rules_of("title: Refused recipients\n"
                 "id: 33333333-3333-4333-8333-333333333333\n"
                 "logsource: {product: span25, service: smtp}\n"
                 "detection: {s: {smtp.rcpt_refused|gte: 1}, condition: s}\n"
                 "span25: {reason: 'had {smtp.rcpt_refused} refused'}\n");
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(detect_rules(b.d, rules), ERR_OK);
    for (unsigned i = 0; i < ARRAY_LEN(refused); i++) {
        char more[512];

        (void)snprintf(more, sizeof(more),
                       ", \"src_ip\": \"10.2.3.4\", \"direction\": "
                       "\"outbound\", \"smtp\": {\"rcpt_refused\": %u}",
                       refused[i]);
        detect_event(b.d, kit_event(&b.k, "smtp", i * NS_PER_S, more));
        conclude(b.d, &b.k);
    }
    detect_time(b.d, KIT_EPOCH + ALERTS_QUIET + 10 * NS_PER_S);
    conclude(b.d, &b.k);
    kit_has("the end", kit_told(&b.k, b.k.n_told - 1), "\"state\":\"ended\"");
    kit_has("its sentence", kit_told(&b.k, b.k.n_told - 1), "had 7 refused");
    kit_has("what it met", kit_told(&b.k, b.k.n_told - 1), "(has 7)");
    detect_free(b.d);
    b.d = NULL;
    sigma_set_free(rules);
    bench_close(&b);
}

/* An exception that somebody adds a year after the capture holds from where the
 * traffic stands, and moves it nowhere. */
static void
acts_do_not_move_the_time(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    mail(b.d, &b.k, 0);
    detect_event(
        b.d, kit_event(&b.k, "control", 365 * 86400 * NS_PER_S,
                       ", \"control\": {\"kind\": \"exception\", \"action\": "
                       "\"add\", \"exception\": \"0123456789abcdef\", "
                       "\"subject\": \"10.2.3.4\", \"from\": \"alert\"}"));
    conclude(b.d, &b.k);
    mail(b.d, &b.k, ALERTS_QUIET + NS_PER_S);
    kit_has("opened anew", kit_told(&b.k, b.k.n_told - 1),
            "\"state\":\"opened\"");
    kit_has("at its own time", kit_told(&b.k, b.k.n_told - 1),
            "\"first\":\"2026-01-01T04:00:01");
    kit_has("silenced", kit_told(&b.k, b.k.n_told - 1),
            "\"silenced\":\"0123456789abcdef\"");
    bench_close(&b);
}

/* The same windows go on under a set with another rule beside them. */
static void
rules_are_changed(void **state)
{
    struct sigma_set *more =
        rules_of(RULES "---\ntitle: More\n"
                       "logsource: {product: span25, service: smtp}\n"
                       "detection: {s: {dest_port: 25}, condition: s}\n");
    struct bench b;

    (void)state;
    bench_open(&b);
    mail(b.d, &b.k, 0);
    mail(b.d, &b.k, NS_PER_S);
    assert_int_equal(detect_rules(b.d, more), ERR_OK);
    mail(b.d, &b.k, 2 * NS_PER_S);
    assert_int_equal(detect_counts(b.d).alerts.open, 3);
    detect_free(b.d);
    b.d = NULL;
    sigma_set_free(more);
    bench_close(&b);
}

/* What is told after the same events by one that was saved and one that went
 * on. */
static void
snapshots(void **state)
{
    struct detect *other;
    struct bench b;
    struct kit k;
    struct buf saved;

    (void)state;
    bench_open(&b);
    kit_open(&k);
    buf_init(&saved, 64U << 20);
    mail(b.d, &b.k, 0);
    assert_int_equal(detect_save(b.d, &saved), ERR_OK);
    for (size_t n = 0; n < saved.n; n += 1 + saved.n / 97) {
        other = detect_of(b.rules);
        assert_int_not_equal(detect_load(other, span_head(buf_view(&saved), n)),
                             ERR_OK);
        detect_free(other);
    }
    other = detect_of(b.rules);
    assert_int_equal(detect_load(other, buf_view(&saved)), ERR_OK);
    k.events = b.k.events;
    mail(b.d, &b.k, ALERTS_QUIET + NS_PER_S);
    mail(other, &k, ALERTS_QUIET + NS_PER_S);
    assert_int_equal(k.n_told, b.k.n_told - 1);
    assert_true(k.n_told >= 2); /* one ended, one opened */
    for (size_t i = 0; i < k.n_told; i++)
        assert_string_equal(kit_told(&k, i), kit_told(&b.k, i + 1));
    detect_free(other);
    buf_free(&saved);
    kit_close(&k);
    bench_close(&b);
}

/* What is told, whole or put away and taken up again after every event. */
static void
told_when_cut(bool cut, struct kit *k)
{
    struct sigma_set *rules = rules_of(RULES);
    struct detect *d = detect_of(rules), *next;
    struct buf saved;

    kit_open(k);
    buf_init(&saved, 64U << 20);
    for (unsigned i = 0; i < 12; i++) {
        mail(d, k, i * (i % 4 == 3 ? 400 : 90) * NS_PER_S);
        if (!cut)
            continue;
        buf_reset(&saved);
        assert_int_equal(detect_save(d, &saved), ERR_OK);
        next = detect_of(rules);
        assert_int_equal(detect_load(next, buf_view(&saved)), ERR_OK);
        detect_free(d);
        d = next;
    }
    buf_free(&saved);
    detect_free(d);
    sigma_set_free(rules);
}

static void
windows_go_on(void **state)
{
    struct kit whole, cut;

    (void)state;
    told_when_cut(false, &whole);
    told_when_cut(true, &cut);
    assert_true(whole.n_told >= 2);
    assert_int_equal(whole.n_told, cut.n_told);
    for (size_t i = 0; i < cut.n_told; i++)
        assert_string_equal(kit_told(&cut, i), kit_told(&whole, i));
    kit_close(&whole);
    kit_close(&cut);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_of_nothing),
        cmocka_unit_test(rules_lead_to_alerts),
        cmocka_unit_test(words_of_the_worst),
        cmocka_unit_test(acts_do_not_move_the_time),
        cmocka_unit_test(rules_are_changed),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(windows_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

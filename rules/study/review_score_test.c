#include "rules/study/review_score.h"

#include "rules/study/reference_kit.h"

#include <stdlib.h>
#include <string.h>

#include "rules/study/random.h"

#define MAL  REVIEW_MALICIOUS
#define ORD  REVIEW_ORDINARY
#define UNCL REVIEW_UNCLEAR
#define NONE REVIEW_NOTHING

/* As review_stratum_of has them: unregistered, in the clear, lowest third. */
#define HELD 12U
#define FREE 0U

static void
words(void **state)
{
    (void)state;
    assert_int_equal(review_said_find(SPAN_LIT("Malicious")), MAL);
    assert_int_equal(review_said_find(SPAN_LIT("unclear")), UNCL);
    assert_int_equal(review_said_find(SPAN_LIT("")), NONE);
    assert_int_equal(review_said_find(SPAN_LIT("bot")), NONE);
    assert_string_equal(review_said_word(ORD), "ordinary");
    assert_true(review_stratum_of(HELD).positive);
    assert_false(review_stratum_of(FREE).positive);
}

/* Worked by hand: 4 held of weight 1, 4 free of weight 10; one of each is not
 * what it is held for, one free host is not known. */
static const struct review_row few[] = {
    {0, HELD, 1,  STUDY_BOT,        {MAL, MAL, NONE}},
    {1, HELD, 1,  STUDY_BOT,        {MAL, ORD, MAL} },
    {2, HELD, 1,  STUDY_MIXED,      {MAL, MAL, NONE}},
    {3, HELD, 1,  STUDY_BOT,        {ORD, ORD, NONE}},
    {4, FREE, 10, STUDY_LEGITIMATE, {ORD, ORD, NONE}},
    {5, FREE, 10, STUDY_UNKNOWN,    {MAL, MAL, NONE}},
    {6, FREE, 10, STUDY_LEGITIMATE, {ORD, ORD, NONE}},
    {7, FREE, 10, STUDY_UNKNOWN,    {MAL, ORD, NONE}},
};

static void
by_hand(void **state)
{
    enum study_class classes[8];
    struct review_scored s;
    const struct study_review *r = &s.review;

    (void)state;
    assert_int_equal(review_score(few, 8, 8, 0.95, classes, &s), ERR_OK);
    assert_true(r->there && r->sampled == 8 && r->rated == 8);
    assert_true(r->disagreed == 2 && s.resolved == 1 && s.unresolved == 1);
    assert_true(s.abusive == 4 && s.clean == 3 && s.not_known == 1);
    assert_true(s.frame == 44 && s.uncovered == 0);
    assert_true(r->precision.k == 3 && r->precision.n == 4);
    assert_true(fabs(r->precision.value - 0.75) < 1e-12);
    /* the three free ones that are known stand for 40 */
    assert_true(fabs(r->sensitivity.value - 3 / (3 + 40 / 3.0)) < 1e-12);
    assert_true(fabs(r->specificity.value - (80 / 3.0) / (1 + 80 / 3.0)) <
                1e-12);
    /* 4 of 44 are held; what is corrected is the share of abusive ones */
    assert_true(fabs(s.apparent - 4 / 44.0) < 1e-12);
    assert_true(fabs(r->corrected.value - (3 + 40 / 3.0) / 44) < 1e-12);
    assert_true(r->kappa.k == 6 && r->kappa.n == 8);
    assert_true(s.table[0] == 3 && s.table[1] == 2 && s.table[4] == 3);
    assert_int_equal(classes[0], STUDY_BOT);
    assert_int_equal(classes[2], STUDY_MIXED);
    assert_int_equal(classes[3], STUDY_LEGITIMATE);
    assert_int_equal(classes[5], STUDY_MIXED);
    assert_int_equal(classes[7], STUDY_UNKNOWN);
}

/* Several messages of a host make one host. */
static void
of_one_host(void **state)
{
    static const struct review_row rows[] = {
        {0, HELD, 2, STUDY_MIXED, {MAL, MAL, NONE}  },
        {0, HELD, 2, STUDY_MIXED, {MAL, MAL, NONE}  },
        {1, HELD, 2, STUDY_BOT,   {MAL, MAL, NONE}  },
        {1, HELD, 2, STUDY_BOT,   {ORD, ORD, NONE}  },
        {2, HELD, 2, STUDY_BOT,   {UNCL, UNCL, NONE}},
        {2, HELD, 2, STUDY_BOT,   {ORD, NONE, NONE} },
        {2, HELD, 2, STUDY_BOT,   {ORD, NONE, ORD}  },
    };
    enum study_class classes[3];
    struct review_scored s;

    (void)state;
    assert_int_equal(review_score(rows, 7, 3, 0.95, classes, &s), ERR_OK);
    assert_int_equal(classes[0], STUDY_BOT);
    assert_int_equal(classes[1], STUDY_MIXED);
    assert_int_equal(classes[2], STUDY_LEGITIMATE);
    assert_true(s.hosts == 3 && s.review.kappa.n == 3 && s.rated_twice == 5);
    assert_true(s.missing[0] == 0 && s.missing[1] == 2 && s.missing[2] == 0);
    assert_true(s.review.precision.n == 3);
    /* all are held for abuse: nothing is known of others */
    assert_true(isnan(s.review.corrected.value));
    assert_true(isnan(s.review.specificity.value));
}

static void
nothing_is_known(void **state)
{
    static const struct review_row rows[] = {
        {0, HELD, 1, STUDY_BOT,        {UNCL, UNCL, NONE}},
        {1, FREE, 5, STUDY_LEGITIMATE, {ORD, ORD, NONE}  },
        {2, FREE, 5, STUDY_LEGITIMATE, {NONE, NONE, NONE}},
    };
    enum study_class classes[3];
    struct review_scored s;

    (void)state;
    assert_int_equal(review_score(rows, 3, 3, 0.95, classes, &s), ERR_OK);
    assert_true(s.uncovered == 1 && s.frame == 11);
    assert_true(isnan(s.review.precision.value));
    assert_true(isnan(s.review.sensitivity.low));
    /* of one side nothing is known: then neither is of both */
    assert_true(isnan(s.review.specificity.value));
    assert_true(s.review.specificity.k == 1 && s.review.specificity.n == 1);
    assert_null(s.review.specificity.method);
    assert_int_equal(review_score(NULL, 0, 0, 0.95, NULL, &s), ERR_OK);
    assert_false(s.review.there);
    assert_true(isnan(s.review.kappa.value) && isnan(s.apparent));
}

static void
what_is_none(void **state)
{
    static const struct {
        struct review_row rows[2];
        size_t hosts;
    } bad[] = {
        {{{1, 0, 1, STUDY_BOT, {0}}, {1, 0, 1, STUDY_BOT, {0}}},   2},
        {{{0, 0, 1, STUDY_BOT, {0}}, {2, 0, 1, STUDY_BOT, {0}}},   2},
        {{{0, 24, 1, STUDY_BOT, {0}}, {1, 0, 1, STUDY_BOT, {0}}},  2},
        {{{0, 0, 0, STUDY_BOT, {0}}, {1, 0, 1, STUDY_BOT, {0}}},   2},
        {{{0, 0, NAN, STUDY_BOT, {0}}, {1, 0, 1, STUDY_BOT, {0}}}, 2},
        {{{0, 0, 1, STUDY_BOT, {0}}, {1, 0, 1, STUDY_BOT, {0}}},   3},
    };
    enum study_class classes[3];
    struct review_scored s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(
            review_score(bad[i].rows, 2, bad[i].hosts, 0.95, classes, &s),
            ERR_USAGE);
    assert_int_equal(review_score(few, 8, 8, 1, classes, &s), ERR_USAGE);
}

/* ---- two reviewers whose errors are known ---- */

#define CAMPUS  3000U
#define SAMPLE  300U
#define ERRS    0.015
#define UNSURE  0.03
#define REPEATS 300U

struct truth {
    bool abusive;
    enum study_class held;
};

static bool
chance(uint64_t *random, double p)
{
    return random_share(random) < p;
}

/* 8 % of the unregistered are abusive, 1 % of the registered; the detector
 * finds 80 % of them, more of the large ones, and 2 % of the others. */
static void
make_campus(struct review_host *v, struct truth *t)
{
    uint64_t random = 11;

    for (size_t i = 0; i < CAMPUS; i++) {
        struct review_host *h = &v[i];

        *h = (struct review_host){.addr = addr_v4((const uint8_t[4]){
                                      10, 0, (uint8_t)(i >> 8), (uint8_t)i}),
                                  .n = 1};
        h->registered = chance(&random, 0.2);
        h->tls = chance(&random, 0.2);
        h->volume = (uint64_t)exp(4 * random_share(&random));
        t[i].abusive = chance(&random, h->registered ? 0.01 : 0.08);
        h->positive = chance(&random, !t[i].abusive    ? 0.02
                                      : h->volume > 10 ? 0.9
                                                       : 0.7);
        t[i].held = h->positive ? STUDY_BOT : STUDY_LEGITIMATE;
    }
}

static enum review_said
ask(uint64_t *random, bool abusive)
{
    if (chance(random, UNSURE))
        return UNCL;
    return chance(random, ERRS) != abusive ? MAL : ORD;
}

static size_t
review_all(const struct review_host *v, const struct truth *t, uint64_t seed,
           struct review_row *rows)
{
    uint64_t random = seed;
    size_t n = 0;

    for (size_t i = 0; i < CAMPUS; i++) {
        struct review_row *r = &rows[n];

        if (v[i].take == 0)
            continue;
        *r = (struct review_row){
            (uint32_t)n, v[i].stratum, v[i].weight, t[i].held, {0}};
        r->said[0] = ask(&random, t[i].abusive);
        r->said[1] = ask(&random, t[i].abusive);
        if (r->said[0] != r->said[1])
            r->said[2] = ask(&random, t[i].abusive);
        n++;
    }
    return n;
}

static bool
holds(const struct study_figure *f, double truth)
{
    return f->low <= truth && truth <= f->high;
}

/* Shares of all that are known: precision, sensitivity, specificity, abusive.
 */
static void
true_shares(const struct review_host *v, const struct truth *t, double out[4])
{
    double held = 0, abusive = 0, both = 0, neither = 0;

    for (size_t i = 0; i < CAMPUS; i++) {
        held += v[i].positive;
        abusive += t[i].abusive;
        both += v[i].positive && t[i].abusive;
        neither += !v[i].positive && !t[i].abusive;
    }
    out[0] = both / held;
    out[1] = both / abusive;
    out[2] = neither / (CAMPUS - abusive);
    out[3] = abusive / CAMPUS;
}

static void
they_cover_the_truth(void **state)
{
    struct review_host *v = calloc(CAMPUS, sizeof(*v));
    struct truth *t = calloc(CAMPUS, sizeof(*t));
    struct review_row *rows = calloc(SAMPLE, sizeof(*rows));
    enum study_class classes[SAMPLE];
    double truth[4], covers[4] = {0}, width[4] = {0}, agreement = 0;

    (void)state;
    assert_true(v != NULL && t != NULL && rows != NULL);
    make_campus(v, t);
    true_shares(v, t, truth);
    for (uint64_t seed = 0; seed < REPEATS; seed++) {
        struct review_drawn d;
        struct review_scored s;
        const struct study_figure *f[] = {
            &s.review.precision, &s.review.sensitivity, &s.review.specificity,
            &s.review.corrected};

        assert_int_equal(review_draw(v, CAMPUS, SAMPLE, seed, &d), ERR_OK);
        assert_int_equal(review_all(v, t, seed, rows), SAMPLE);
        assert_int_equal(review_score(rows, SAMPLE, SAMPLE, 0.95, classes, &s),
                         ERR_OK);
        for (unsigned i = 0; i < 4; i++) {
            covers[i] += holds(f[i], truth[i]) / (double)REPEATS;
            width[i] += (f[i]->high - f[i]->low) / REPEATS;
        }
        agreement += s.review.kappa.value / REPEATS;
    }
    for (unsigned i = 0; i < 4; i++)
        assert_true(covers[i] > 0.93 && width[i] < 0.55);
    assert_true(agreement > 0.75 && agreement < 0.85);
    free(v);
    free(t);
    free(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),        cmocka_unit_test(by_hand),
        cmocka_unit_test(of_one_host),  cmocka_unit_test(nothing_is_known),
        cmocka_unit_test(what_is_none), cmocka_unit_test(they_cover_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/study/review.h"

#include "rules/study/reference_kit.h"

#include <stdlib.h>
#include <string.h>

#include "rules/study/random.h"

#define HOSTS 600

/* A campus: a tenth registered, a fifteenth held for abuse, a fifth TLS. */
static struct review_host *
campus(size_t n)
{
    struct review_host *v = calloc(n + 1, sizeof(*v));
    uint64_t random = 5;

    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        v[i].addr =
            addr_v4((const uint8_t[4]){10, 0, (uint8_t)(i >> 8), (uint8_t)i});
        v[i].registered = random_below(&random, 10) == 0;
        v[i].positive = random_below(&random, 15) == 0;
        v[i].tls = random_below(&random, 5) == 0;
        v[i].volume = 1 + random_below(&random, 1000);
        v[i].n = 1 + (unsigned)random_below(&random, REVIEW_MESSAGES);
        for (unsigned k = 0; k < v[i].n; k++)
            v[i].messages[k] = (struct review_message){
                random_below(&random, 5), (uint8_t)random_below(&random, 8),
                (uint8_t)random_below(&random, REVIEW_HOURS)};
    }
    return v;
}

static struct review_drawn
draw(struct review_host *v, size_t n, size_t sample, uint64_t seed)
{
    struct review_drawn d;

    assert_int_equal(review_draw(v, n, sample, seed, &d), ERR_OK);
    return d;
}

static void
strata(void **state)
{
    struct review_host *v = campus(HOSTS);
    const struct review_drawn d = draw(v, HOSTS, 120, 1);
    double weights = 0, covered = 0;
    size_t thirds[3] = {0};

    (void)state;
    assert_true(d.frame == HOSTS && d.messages == 120 && d.hosts == 120);
    for (size_t i = 0; i < HOSTS; i++) {
        const struct review_stratum s = review_stratum_of(v[i].stratum);

        assert_true(s.registered == v[i].registered && s.tls == v[i].tls);
        assert_true(s.positive == v[i].positive && s.third == v[i].third);
        assert_true(v[i].take <= 1 && (v[i].weight > 0) == (v[i].take > 0));
        weights += v[i].weight;
        thirds[v[i].third]++;
    }
    for (unsigned s = 0; s < REVIEW_STRATA; s++) {
        /* none is drawn more than two rounds before another has its turn */
        assert_true(d.drawn[s] == d.of[s] || d.drawn[s] >= 4);
        covered += d.drawn[s] > 0 ? (double)d.of[s] : 0;
    }
    assert_true(fabs(weights - covered) < 1e-6);
    assert_true(thirds[0] > 190 && thirds[1] > 190 && thirds[2] > 190);
    free(v);
}

static void
of_the_seed_alone(void **state)
{
    struct review_host *a = campus(HOSTS), *b = campus(HOSTS);
    struct review_host swap;
    size_t same = 0;

    (void)state;
    (void)draw(a, HOSTS, 100, 1);
    swap = b[0]; /* order does not matter */
    b[0] = b[HOSTS - 1];
    b[HOSTS - 1] = swap;
    (void)draw(b, HOSTS, 100, 1);
    assert_int_equal(a[0].take, b[HOSTS - 1].take);
    assert_int_equal(a[HOSTS - 1].take, b[0].take);
    for (size_t i = 1; i + 1 < HOSTS; i++)
        assert_int_equal(a[i].take, b[i].take);
    (void)draw(b, HOSTS, 100, 2);
    for (size_t i = 1; i + 1 < HOSTS; i++)
        same += a[i].take > 0 && b[i].take > 0;
    assert_true(same < 70);
    free(a);
    free(b);
}

/* Each pair: one of each side of the same cell, and a message that is alike. */
static void
pairs(void **state)
{
    struct review_host *v = campus(HOSTS);
    const struct review_drawn d = draw(v, HOSTS, 200, 3);
    size_t n = 0;

    (void)state;
    assert_true(d.pairs > 30);
    for (size_t i = 0; i < HOSTS; i++) {
        for (size_t k = i + 1; k < HOSTS; k++) {
            const struct review_host *a = &v[i], *b = &v[k];

            if (a->pair == 0 || a->pair != b->pair)
                continue;
            n++;
            assert_true(a->take > 0 && b->take > 0);
            assert_true(a->registered != b->registered && a->tls == b->tls);
            assert_true(a->positive == b->positive && a->third == b->third);
            assert_true(review_likeness(&a->messages[a->first],
                                        &b->messages[b->first]) >= 2);
        }
    }
    assert_int_equal(n, d.pairs);
    free(v);
}

static void
likeness(void **state)
{
    const struct review_message a = {7, 2, 1}, b = {7, 2, 167}, c = {8, 1, 85},
                                none = {0, 2, 1};

    (void)state;
    assert_true(fabs(review_likeness(&a, &a) - 7) < 1e-12);
    assert_true(fabs(review_likeness(&a, &b) - (7 - 2 / 84.0)) < 1e-12);
    assert_true(fabs(review_likeness(&a, &c)) < 1e-12);
    assert_true(fabs(review_likeness(&none, &none) - 3) < 1e-12);
}

/* More messages than hosts: those of the largest third give more, each once. */
static void
more_than_hosts(void **state)
{
    struct review_host *v = campus(30);
    const struct review_drawn d = draw(v, 30, 1000, 1);
    size_t messages = 0;

    (void)state;
    assert_true(d.hosts == 30 && d.messages > 30);
    for (size_t i = 0; i < 30; i++) {
        bool seen[REVIEW_MESSAGES] = {false};

        assert_int_equal(v[i].take, v[i].third == 2 ? v[i].n : 1);
        assert_true(v[i].weight == 1);
        for (unsigned k = 0; k < v[i].take; k++) {
            const unsigned nth = review_nth(&v[i], k);

            assert_true(nth < v[i].n && !seen[nth]);
            seen[nth] = true;
        }
        assert_true(seen[v[i].first]);
        messages += v[i].take;
    }
    assert_int_equal(messages, d.messages);
    free(v);
}

/* Who has nothing to show is not in the frame. */
static void
without_messages(void **state)
{
    struct review_host *v = campus(20);
    struct review_drawn d;

    (void)state;
    for (size_t i = 0; i < 10; i++)
        v[i].n = 0;
    d = draw(v, 20, 20, 1);
    assert_true(d.frame == 10 && d.hosts == 10);
    for (size_t i = 0; i < 10; i++)
        assert_true(v[i].take == 0 && v[i].weight == 0);
    d = draw(v, 10, 20, 1);
    assert_true(d.frame == 0 && d.hosts == 0 && d.messages == 0);
    assert_int_equal(review_draw(v, REVIEW_HOSTS + 1, 1, 1, &d), ERR_LIMIT);
    free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strata),          cmocka_unit_test(of_the_seed_alone),
        cmocka_unit_test(pairs),           cmocka_unit_test(likeness),
        cmocka_unit_test(more_than_hosts), cmocka_unit_test(without_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

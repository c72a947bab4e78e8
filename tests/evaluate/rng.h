#ifndef SPAN25_TESTS_EVALUATE_RNG_H
#define SPAN25_TESTS_EVALUATE_RNG_H
/* rng - random numbers that are the same everywhere
 *
 * xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), seeded by splitmix64 as its authors advise.
 * A stream is named by two numbers, so every host of a run has its own and one
 * more host changes no other. Not for secrets. */
#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);

/* In [0, 1), 53 bits. */
double rng_unit(struct rng *r);
/* In [0, n), every number as likely; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
bool rng_chance(struct rng *r, double p);

double rng_uniform(struct rng *r, double lo, double hi);
/* Uniform in its logarithm; 0 < lo <= hi. */
double rng_log_uniform(struct rng *r, double lo, double hi);
double rng_exponential(struct rng *r, double mean);
/* Takes time in proportion to the mean. */
uint64_t rng_poisson(struct rng *r, double mean);
double rng_normal(struct rng *r);
double rng_lognormal(struct rng *r, double mu, double sigma);
/* Scale 1; shape > 0 (Marsaglia and Tsang 2000). */
double rng_gamma(struct rng *r, double shape);
double rng_beta(struct rng *r, double a, double b);

#endif

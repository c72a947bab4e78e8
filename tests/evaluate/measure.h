#ifndef SPAN25_TESTS_EVALUATE_MEASURE_H
#define SPAN25_TESTS_EVALUATE_MEASURE_H
/* measure - verdicts beside the truth, and the figures of DETECTION 5.2
 *
 * A run plays one seed under one condition to every detector; what each of them
 * first said of each host is kept as a row. Figures are taken over rows that
 * were chosen. Hosts are the unit, never messages (DETECTION 4.3). */
#include "tests/evaluate/detector.h"
#include "tests/evaluate/stat.h"

#define DETECTORS_MAX 8U

struct condition {
    const char *name;
    struct conditions seen;
    double days_most, scale;
    uint64_t cap; /* messages of a host, at most; 0: no limit */
    double warm; /* days of dry run: verdicts on innocents in it do not count */
};

/* What became of a host. Times from its first message of abuse; of innocents
 * from the start. */
struct outcome {
    uint16_t scenario, condition, seed;
    uint8_t label;
    bool registered;
    uint64_t bad, good, forged;
    double rate; /* messages an hour */
    uint32_t days_on;
    double seconds; /* that it was watched */
    struct {
        bool reached;
        float seconds;
        float messages; /* of abuse; of innocents: all */
    } said[DETECTORS_MAX][LEVEL_COUNT];
};

struct measure {
    struct outcome *rows;
    size_t n, cap;
    uint64_t events; /* of all runs */
    uint64_t stages;
    double seconds; /* spent, as told by the caller */
    const struct condition *conditions;
    size_t n_conditions, n_seeds;
};

void measure_init(struct measure *m, const struct condition *c, size_t n);
void measure_free(struct measure *m);

/* Plays and adds the rows. */
MUST_USE enum err measure_run(struct measure *m, uint16_t condition,
                              uint16_t seed, uint64_t seed_value,
                              enum play_half half,
                              const struct scenario_set *only);

/* A row that was measured elsewhere. */
MUST_USE enum err measure_add(struct measure *m, const struct outcome *row);

/* Which rows; a field below 0: any. */
struct choice {
    int condition, scenario, target, label, registered, seed;
    double rate_from, rate_to; /* messages an hour; 0, 0: any */
};
extern const struct choice choose_all;
bool measure_takes(const struct choice *c, const struct outcome *o);

struct share {
    uint64_t k, n;
    struct interval in; /* Wilson, 95 % */
};
struct share measure_share(const struct measure *m, const struct choice *c,
                           unsigned detector, enum level level);

/* Of those accused among bots and innocents, how many are bots. */
struct share measure_precision(const struct measure *m,
                               const struct choice *bots,
                               const struct choice *legit, unsigned detector,
                               enum level level);

enum unit { UNIT_SECONDS, UNIT_MESSAGES };
/* Kaplan-Meier: who was never told is censored at the end of watching. */
double measure_time(const struct measure *m, const struct choice *c,
                    unsigned detector, enum level level, enum unit unit,
                    double q);

/* Hosts of innocents stopped, in host-days with mail. */
struct false_blocks {
    uint64_t blocks;
    double days;
    struct interval per_1000; /* exact Poisson, 95 % */
};
struct false_blocks measure_false(const struct measure *m,
                                  const struct choice *c, unsigned detector,
                                  enum level level);

/* Of pairs: hosts that only the first told, that only the other did. */
struct pairs {
    uint64_t first, other;
    double p;
};
struct pairs measure_pairs(const struct measure *m, const struct choice *c,
                           unsigned first, unsigned other, enum level level);

/* Over the seeds, each for itself. */
struct stat_spread measure_spread(const struct measure *m, struct choice c,
                                  unsigned detector, enum level level);

#endif

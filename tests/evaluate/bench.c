#include "tests/evaluate/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/base/hash.h"
#include "tests/evaluate/detector.h"
#include "tests/evaluate/own.h"

#define TAPE_MAX (3ULL << 30)
#define ROUNDS   3U

struct tape {
    const struct play *play;
    struct buf bytes; /* heads and records */
    uint64_t n, abuse;
};

struct tape_head {
    struct subject *subject;
    uint64_t n;
};

static void
tape_put(void *ctx, struct span record)
{
    struct tape *t = ctx;
    struct tape_head head = {.n = record.n};
    struct addr a;

    if (!entry_addr(record_find(record, FIELD_SRC_IP), &a))
        return;
    head.subject = play_find(t->play, &a);
    buf_put(&t->bytes, &head, sizeof(head));
    buf_span(&t->bytes, record);
    t->n++;
    t->abuse += head.subject != NULL && head.subject->label != LABEL_LEGIT;
}

/* ---- one detector ---- */

struct said {
    uint64_t n, hash;
};

static void
nobody(void *ctx, struct subject *s, enum level level, ns_t when)
{
    (void)ctx;
    (void)s;
    (void)level;
    (void)when;
}

static void
hear(void *ctx, struct span record)
{
    struct said *s = ctx;

    s->n++;
    s->hash = hash_mix(s->hash, hash_span(record, 0));
}

static void
play_tape(const struct tape *t, const struct detector_ops *ops, void *d,
          const struct verdicts *v)
{
    struct span rest = buf_view(&t->bytes);

    while (rest.n > sizeof(struct tape_head)) {
        struct tape_head head;
        struct record_map m;

        memcpy(&head, rest.p, sizeof(head));
        record_map_init(&m, span_of(rest.p + sizeof(head), head.n));
        rest = span_tail(rest, sizeof(head) + head.n);
        ops->event(d, head.subject, &m, v);
    }
}

static double
seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of one round; 0: it could not be made. */
static double
round_of(const struct tape *t, const struct detector_ops *ops,
         const struct verdicts *v)
{
    double spent;
    void *d;

    if (ops->make(t->play, &d) != ERR_OK)
        return 0;
    spent = -seconds_now();
    play_tape(t, ops, d, v);
    spent += seconds_now();
    ops->free(d);
    return spent;
}

static void
measure(const struct tape *t, const struct detector_ops *ops, const char *only)
{
    struct said said = {.n = 0};
    struct verdicts silent = {.put = nobody};
    struct verdicts loud = {.put = nobody, .ctx = &said, .heard = hear};
    double best = 1e9;

    if (only != NULL && strcmp(ops->name, only) != 0)
        return;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double spent = round_of(t, ops, &silent);

        best = spent > 0 && spent < best ? spent : best;
    }
    (void)round_of(t, ops, &loud);
    printf("  %-18s %8.0f records a second, %.2f us each", ops->name,
           (double)t->n / best, best * 1e6 / (double)t->n);
    if (said.n > 0)
        printf(", %" PRIu64 " conclusions %016" PRIx64, said.n, said.hash);
    printf("\n");
    (void)fflush(stdout);
}

/* ---- streams ---- */

static bool
run_stream(const char *name, const struct play_options *o, const char *only)
{
    struct tape t = {.n = 0};
    struct record_sink sink = {tape_put, &t};
    struct play *p;
    bool whole;

    if (play_new(o, &p) != ERR_OK)
        return false;
    t.play = p;
    buf_init(&t.bytes, TAPE_MAX);
    play_run(p, &sink);
    whole = !t.bytes.cut && !t.bytes.failed;
    printf("%s: %" PRIu64 " records of %u hosts, %.0f bytes each, %.1f %% of "
           "hosts that abuse\n",
           name, t.n, p->n_subjects, (double)t.bytes.n / (double)t.n,
           100 * (double)t.abuse / (double)t.n);
    measure(&t, &detector_statistics, only);
    measure(&t, &detector_packs, only);
    for (size_t i = 0; i < n_detectors; i++)
        measure(&t, detectors[i], only);
    buf_free(&t.bytes);
    play_free(p);
    return whole;
}

static struct scenario_set
innocents(void)
{
    struct scenario_set set = {{0}};

    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        if (scenarios[i].label == LABEL_LEGIT)
            scenario_add(&set, i);
    }
    return set;
}

bool
bench_run(const struct play_options *o, const char *only)
{
    struct play_options bots = *o, campus = *o;

    if (bots.days_most <= 0)
        bots.days_most = 1;
    campus.only = innocents();
    scenario_add(&campus.only, SCENARIO_TRICKLE_A);
    scenario_add(&campus.only, SCENARIO_SLOW_37_A);
    return run_stream("bots", &bots, only) &&
           run_stream("campus", &campus, only);
}

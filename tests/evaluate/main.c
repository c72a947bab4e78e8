/* evaluate - plays made-up networks to detectors and reports what they saw
 *
 * Called by tools/evaluate; --help says what it can do. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/event/json_write.h"
#include "tests/evaluate/bench.h"
#include "tests/evaluate/capture.h"
#include "tests/evaluate/cusum_tables.h"
#include "tests/evaluate/report.h"
#include "tests/evaluate/stress.h"

#define TEXT_MAX (64U << 20)
#define JOBS_MAX 64U

static const struct condition conditions[] = {
#define X(...) {__VA_ARGS__},
#include "tests/evaluate/condition.def"
#undef X
};

struct arguments {
    const char *report, *events, *capture, *command, *date, *detector;
    uint64_t first_seed, seeds, cap, jobs;
    unsigned n_conditions, skip;
    enum play_half half;
    struct scenario_set only;
    double days, scale;
    bool cusum, speed, bench, stress, help;
};

static const char usage[] =
    "usage: evaluate [OPTION...]\n"
    "  --seeds N          seeds to play (20), from --first-seed S (1)\n"
    "  --half H           tuning, reporting or both: which families\n"
    "  --conditions N     the first N of TLS, DNS and capture faults (all)\n"
    "  --skip N           but not the first N of them\n"
    "  --only NAME        hosts of one scenario\n"
    "  --scale X          of the numbers of hosts (1)\n"
    "  --days N           watch nobody longer\n"
    "  --cap N            messages of a host, at most\n"
    "  --jobs N           processes (1); the figures are the same\n"
    "  --report FILE      FILE.md and FILE.json (the Markdown on stdout)\n"
    "  --date TEXT        of the report\n"
    "  --write-events F   the first seed's events as JSON Lines, no report\n"
    "  --write-capture F  the same as packets, with --write-events\n"
    "  --speed            events a second that are made, no report\n"
    "  --bench            records a second through each detector, no report\n"
    "  --detector NAME    that one alone, with --bench\n"
    "  --stress           memory with 10^6 hosts, 10^7 recipients, no report\n"
    "  --cusum            the tables of DETECTION 1.2, no report\n";

/* ---- options ---- */

static bool
word_half(struct arguments *a, const char *v)
{
    static const char *const words[] = {"tuning", "reporting", "both"};

    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(v, words[i]) == 0) {
            a->half = (enum play_half)i;
            return true;
        }
    }
    return false;
}

static bool
word_only(struct arguments *a, const char *v)
{
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        if (strcmp(v, scenarios[i].name) == 0)
            scenario_add(&a->only, i);
    }
    return !scenario_none(&a->only);
}

static bool
word_number(uint64_t *out, const char *v)
{
    return span_to_u64(span_str(v), out);
}

static bool
option(struct arguments *a, const char *name, const char *v)
{
    uint64_t n = 0;
    char *end;

    if (strcmp(name, "--seeds") == 0)
        return word_number(&a->seeds, v) && a->seeds > 0 && a->seeds < 1000;
    if (strcmp(name, "--first-seed") == 0)
        return word_number(&a->first_seed, v);
    if (strcmp(name, "--half") == 0)
        return word_half(a, v);
    if (strcmp(name, "--jobs") == 0)
        return word_number(&a->jobs, v) && a->jobs > 0 && a->jobs <= JOBS_MAX;
    if (strcmp(name, "--cap") == 0)
        return word_number(&a->cap, v);
    if (strcmp(name, "--only") == 0)
        return word_only(a, v);
    if (strcmp(name, "--conditions") == 0) {
        bool good = word_number(&n, v) && n > 0 && n <= ARRAY_LEN(conditions);

        a->n_conditions = (unsigned)n;
        return good;
    }
    if (strcmp(name, "--skip") == 0) {
        bool good = word_number(&n, v) && n < ARRAY_LEN(conditions);

        a->skip = (unsigned)n;
        return good;
    }
    if (strcmp(name, "--scale") == 0 || strcmp(name, "--days") == 0) {
        double *to = name[2] == 's' ? &a->scale : &a->days;

        *to = strtod(v, &end);
        return *end == 0 && *to > 0;
    }
    if (strcmp(name, "--report") == 0)
        a->report = v;
    else if (strcmp(name, "--date") == 0)
        a->date = v;
    else if (strcmp(name, "--detector") == 0)
        a->detector = v;
    else if (strcmp(name, "--write-events") == 0)
        a->events = v;
    else if (strcmp(name, "--write-capture") == 0)
        a->capture = v;
    else
        return false;
    return true;
}

static bool
parse(struct arguments *a, int argc, char **argv, struct buf *command)
{
    buf_str(command, "tools/evaluate");
    for (int i = 1; i < argc; i++) {
        buf_putc(command, ' ');
        buf_str(command, argv[i]);
        if (strcmp(argv[i], "--cusum") == 0)
            a->cusum = true;
        else if (strcmp(argv[i], "--speed") == 0)
            a->speed = true;
        else if (strcmp(argv[i], "--stress") == 0)
            a->stress = true;
        else if (strcmp(argv[i], "--bench") == 0)
            a->bench = true;
        else if (strcmp(argv[i], "--help") == 0)
            a->help = true;
        else if (i + 1 < argc && option(a, argv[i], argv[i + 1])) {
            buf_putc(command, ' ');
            buf_str(command, argv[++i]);
        } else
            return false;
    }
    buf_putc(command, 0);
    a->command = (const char *)command->p;
    return true;
}

/* ---- what there is to do ---- */

static double
seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
run_cusum(const struct arguments *a)
{
    unsigned wrong;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    wrong = cusum_tables(a->first_seed, 1500, 400000, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_free(&out);
    return wrong > 0;
}

static int
run_stress(const struct arguments *a)
{
    unsigned broken;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    broken = stress_run(a->scale, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_free(&out);
    return broken > 0;
}

struct writer {
    struct json_writer json;
    struct buf line;
    FILE *file;
};

static void
write_line(void *ctx, struct span record)
{
    struct writer *w = ctx;

    buf_reset(&w->line);
    (void)json_write(&w->json, record, &w->line);
    buf_putc(&w->line, '\n');
    (void)fwrite(w->line.p, 1, w->line.n, w->file);
}

static struct play_options
first_play(const struct arguments *a)
{
    return (struct play_options){.seed = a->first_seed,
                                 .cond = conditions[0].seen,
                                 .half = a->half,
                                 .scale = a->scale,
                                 .days_most = a->days,
                                 .cap = a->cap,
                                 .only = a->only};
}

/* And as packets, if that was asked for. */
static enum err
play_on_film(const struct arguments *a, struct play *p,
             const struct record_sink *sink)
{
    struct capture_out *c = NULL;
    enum err e = ERR_OK;

    if (a->capture != NULL)
        e = capture_out_new(p->n_subjects, &c);
    if (c != NULL) {
        p->hook = capture_out_stage;
        p->hook_ctx = c;
    }
    if (e == ERR_OK)
        play_run(p, sink);
    if (c != NULL)
        e = capture_out_write(c, a->capture);
    if (e != ERR_OK)
        fprintf(stderr, "evaluate: %s: %s\n", a->capture, err_text(e));
    capture_out_free(c);
    return e;
}

static int
run_events(const struct arguments *a)
{
    struct play_options o = first_play(a);
    struct writer w = {.file = fopen(a->events, "wb")};
    struct record_sink sink = {write_line, &w};
    struct play *p;
    bool bad;

    if (w.file == NULL) {
        perror(a->events);
        return 1;
    }
    json_writer_init(&w.json);
    buf_init(&w.line, JSON_LINE_MAX);
    if (play_new(&o, &p) != ERR_OK)
        return 1;
    bad = play_on_film(a, p, &sink) != ERR_OK;
    play_free(p);
    buf_free(&w.line);
    bad |= ferror(w.file) != 0;
    return fclose(w.file) != 0 || bad;
}

static void
count_bytes(void *ctx, struct span record)
{
    *(uint64_t *)ctx += record.n;
}

static int
run_speed(const struct arguments *a)
{
    struct play_options o = first_play(a);
    uint64_t bytes = 0;
    struct record_sink sink = {count_bytes, &bytes};
    struct play *p;
    double spent;

    if (play_new(&o, &p) != ERR_OK)
        return 1;
    spent = -seconds_now();
    play_run(p, &sink);
    spent += seconds_now();
    printf("made: %" PRIu64 " events, %" PRIu64 " bytes each, %.0f a second\n",
           p->n_events, bytes / (p->n_events + 1), (double)p->n_events / spent);
    play_free(p);
    return 0;
}

static int
run_bench(const struct arguments *a)
{
    struct play_options o = first_play(a);

    return !bench_run(&o, a->detector);
}

static bool
store(const char *name, const char *ending, const struct buf *b)
{
    char path[4096];
    FILE *f;
    int n = snprintf(path, sizeof(path), "%s%s", name, ending);

    if (n < 0 || (size_t)n >= sizeof(path) || (f = fopen(path, "wb")) == NULL)
        return false;
    (void)fwrite(b->p, 1, b->n, f);
    return fclose(f) == 0;
}

static int
tell(const struct arguments *a, const struct measure *m)
{
    static const char *const halves[] = {"tuning", "reporting", "both"};
    struct report_head h = {a->date, a->command, halves[a->half],
                            a->first_seed};
    struct buf md, json;
    bool good = true;

    buf_init(&md, TEXT_MAX);
    buf_init(&json, TEXT_MAX);
    report_write(m, &h, &md, &json);
    (void)fwrite(md.p, 1, md.n, stdout);
    if (a->report != NULL)
        good = store(a->report, ".md", &md) && store(a->report, ".json", &json);
    buf_reset(&md);
    good = (a->skip > 0 || report_wrongs(m, &md) == 0) && good;
    (void)fwrite(md.p, 1, md.n, stderr);
    buf_free(&md);
    buf_free(&json);
    return !good;
}

/* ---- the report ---- */

/* Every jobs-th run of a condition and a seed; false when one failed. */
static bool
run_some(const struct arguments *a, struct measure *m, uint64_t first)
{
    uint64_t n = m->n_conditions * a->seeds;

    for (uint64_t i = first; i < n; i += a->jobs) {
        uint16_t condition = (uint16_t)(i / a->seeds);
        uint16_t seed = (uint16_t)(i % a->seeds);
        enum err e = measure_run(m, condition, seed, a->first_seed + seed,
                                 a->half, &a->only);

        if (e != ERR_OK) {
            fprintf(stderr, "evaluate: %s\n", err_text(e));
            return false;
        }
        fprintf(stderr, "%s, seed %u: %.0f s of one core\n",
                m->conditions[condition].name, seed + 1U, seconds_now());
    }
    return true;
}

/* Rows of a process of its own come back through a file. */
static FILE *
start_job(const struct arguments *a, const struct measure *m, uint64_t first,
          pid_t *pid)
{
    FILE *f = tmpfile();
    struct measure own = *m;
    bool good;

    *pid = f != NULL ? fork() : -1;
    if (*pid != 0)
        return f;
    good = run_some(a, &own, first) &&
           fwrite(&own.events, sizeof(own.events), 1, f) == 1 &&
           fwrite(own.rows, sizeof(*own.rows), own.n, f) == own.n &&
           fflush(f) == 0;
    _exit(good ? 0 : 1);
}

static bool
take_rows(struct measure *m, FILE *f, size_t n_seeds)
{
    struct outcome row;
    uint64_t events;

    rewind(f);
    if (fread(&events, sizeof(events), 1, f) != 1)
        return false;
    m->events += events;
    m->n_seeds = n_seeds;
    while (fread(&row, sizeof(row), 1, f) == 1) {
        if (measure_add(m, &row) != ERR_OK)
            return false;
    }
    return true;
}

static bool
run_jobs(const struct arguments *a, struct measure *m)
{
    FILE *files[JOBS_MAX] = {0};
    pid_t pids[JOBS_MAX];
    bool good = true;

    for (uint64_t i = 0; i < a->jobs; i++)
        files[i] = start_job(a, m, i, &pids[i]);
    for (uint64_t i = 0; i < a->jobs; i++) {
        int status = 1;

        good = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] &&
               status == 0 && take_rows(m, files[i], a->seeds) && good;
        if (files[i] != NULL)
            (void)fclose(files[i]);
    }
    return good;
}

static int
run_report(const struct arguments *a)
{
    struct condition chosen[ARRAY_LEN(conditions)];
    struct measure m;
    unsigned n = a->n_conditions;
    int status = 1;

    if (n > ARRAY_LEN(conditions) - a->skip)
        n = (unsigned)ARRAY_LEN(conditions) - a->skip;
    for (unsigned i = 0; i < n; i++) {
        double scale = conditions[a->skip + i].scale;

        chosen[i] = conditions[a->skip + i];
        chosen[i].scale = a->scale * (scale > 0 ? scale : 1);
        if (a->days > 0)
            chosen[i].days_most = a->days;
        if (a->cap > 0)
            chosen[i].cap = a->cap;
    }
    measure_init(&m, chosen, n);
    if (run_jobs(a, &m))
        status = tell(a, &m);
    measure_free(&m);
    return status;
}

int
main(int argc, char **argv)
{
    struct arguments a = {.first_seed = 1,
                          .seeds = 20,
                          .jobs = 1,
                          .n_conditions = ARRAY_LEN(conditions),
                          .half = PLAY_REPORTING,
                          .scale = 1,
                          .date = "undated"};
    struct buf command;
    int status;

    buf_init(&command, 1U << 16);
    if (!parse(&a, argc, argv, &command) || a.help) {
        fputs(usage, a.help ? stdout : stderr);
        status = a.help ? 0 : 2;
    } else if (a.cusum)
        status = run_cusum(&a);
    else if (a.events != NULL)
        status = run_events(&a);
    else if (a.stress)
        status = run_stress(&a);
    else if (a.bench)
        status = run_bench(&a);
    else if (a.speed)
        status = run_speed(&a);
    else
        status = run_report(&a);
    buf_free(&command);
    return status;
}

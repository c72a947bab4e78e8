/* campus - the events of four weeks of a made-up campus, and the truth of it
 *
 *     campus [OPTION...] --events FILE --truth FOLDER
 *
 *     --seed N     (1)            --days N   (28)
 *     --hosts N    (400)          --sites N  (60)
 *     --scale X    (1)   of how much busy hosts send
 *     --drawn            kinds of hosts are drawn, not all are there
 *     --no-faults        the capture has none
 *     --week N     (0)   the same campus another time: who is abused is drawn
 *                        anew, and so is all that is sent
 *
 * FILE is JSON Lines as span25 read --events writes them, - is standard output;
 * FOLDER is made. The same options give the same bytes. What is in it:
 * README.md
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sensor/event/json_write.h"
#include "tests/campus/sight.h"
#include "tests/campus/truth.h"

#define DAY      (24 * 3600 * NS_PER_S)
#define DAYS_MAX 366

struct arguments {
    struct campus_options campus;
    const char *events, *truth;
};

struct show {
    struct campus *campus;
    struct faults faults;
    struct sight sight;
    struct truth truth;
    const struct actor *now; /* whose events come; NULL: nobody's */
    uint64_t *named;         /* day on which its name was asked for last */
    struct json_writer json;
    struct buf line;
    FILE *file;
};

/* ---- options ---- */

static bool
number(const char *text, double low, double high, double *out)
{
    char *end;
    double v = strtod(text, &end);

    if (*end != 0 || !(v >= low && v <= high))
        return false;
    *out = v;
    return true;
}

static bool
option(struct arguments *a, const char *name, const char *v)
{
    double n;

    if (strcmp(name, "--events") == 0)
        a->events = v;
    else if (strcmp(name, "--truth") == 0)
        a->truth = v;
    else if (strcmp(name, "--seed") == 0)
        return span_to_u64(span_str(v), &a->campus.seed);
    else if (strcmp(name, "--week") == 0)
        return span_to_u64(span_str(v), &a->campus.week);
    else if (strcmp(name, "--days") == 0)
        return number(v, 1, DAYS_MAX, &a->campus.days);
    else if (strcmp(name, "--scale") == 0)
        return number(v, .001, 100, &a->campus.scale);
    else if (strcmp(name, "--hosts") == 0 && number(v, 1, 10000, &n))
        a->campus.hosts = (uint32_t)n;
    else if (strcmp(name, "--sites") == 0 && number(v, 1, CAMPUS_SITES_MAX, &n))
        a->campus.sites = (uint32_t)n;
    else
        return false;
    return true;
}

static bool
parse(struct arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--drawn") == 0)
            a->campus.drawn = true;
        else if (strcmp(argv[i], "--no-faults") == 0)
            a->campus.faults = false;
        else if (i + 1 < argc && option(a, argv[i], argv[i + 1]))
            i++;
        else
            return false;
    }
    return a->events != NULL && a->truth != NULL;
}

/* ---- the play ---- */

static void
write_line(struct show *s, struct span record)
{
    buf_reset(&s->line);
    (void)json_write(&s->json, record, &s->line);
    buf_putc(&s->line, '\n');
    (void)fwrite(s->line.p, 1, s->line.n, s->file);
}

static void
see(void *ctx, struct span record)
{
    struct show *s = ctx;
    const struct record_head h = record_head_of(record);

    if (s->now != NULL) {
        if (faults_hide(&s->faults, s->now->session.start, h.when))
            return;
        truth_event(&s->truth, s->now, h.type);
        sight_count(&s->sight, record);
    }
    write_line(s, record);
}

static void
hear(void *ctx, const struct actor *a)
{
    struct show *s = ctx;

    s->now = a;
    truth_stage(&s->truth, a);
}

/* Names of mail servers are asked for each day. */
static void
ask_name(struct show *s, const struct actor *a, const struct record_sink *sink)
{
    uint64_t day = a->next / DAY;

    if (!a->scenario->named || s->named[a->subject->number] == day ||
        faults_hide(&s->faults, a->next, a->next))
        return;
    s->named[a->subject->number] = day;
    render_name(&s->campus->play->render, a->subject, a->next, sink);
}

static void
run(struct show *s)
{
    struct play *p = s->campus->play;
    const struct record_sink sink = {see, s};
    const ns_t end = campus_end(s->campus);

    p->hook = hear;
    p->hook_ctx = s;
    while (p->n_heap > 0 && p->heap[0]->next < end) {
        const struct actor *a = p->heap[0];

        s->now = NULL;
        sight_until(&s->sight, a->next, &sink);
        faults_at(&s->faults, s->campus, a->next);
        if (a->stage == STAGE_HELLO)
            ask_name(s, a, &sink);
        s->now = a; /* its session is the one before until it is drawn */
        (void)play_some(p, 1, &sink);
    }
    s->now = NULL;
    sight_until(&s->sight, end, &sink);
}

static enum err
open_all(struct show *s, const struct arguments *a)
{
    enum err e = campus_new(&a->campus, &s->campus);

    if (e != ERR_OK)
        return e;
    s->named = calloc(s->campus->n, sizeof(*s->named));
    e = truth_init(&s->truth, s->campus, &s->faults);
    if (e != ERR_OK || s->named == NULL)
        return ERR_NOMEM;
    faults_init(&s->faults, s->campus);
    sight_init(&s->sight, s->campus, &s->faults);
    if (mkdir(a->truth, 0777) != 0 && errno != EEXIST)
        return err_from_errno(errno);
    s->file = strcmp(a->events, "-") == 0 ? stdout : fopen(a->events, "wb");
    return s->file != NULL ? ERR_OK : err_from_errno(errno);
}

int
main(int argc, char **argv)
{
    struct arguments a = {
        .campus = {.seed = 1,
                   .days = 28,
                   .scale = 1,
                   .hosts = 400,
                   .sites = 60,
                   .faults = true}
    };
    struct show s = {0};
    enum err e;

    if (!parse(&a, argc, argv)) {
        fputs("usage: campus [--seed N] [--days N] [--hosts N] [--sites N] "
              "[--scale X] [--drawn] [--no-faults] [--week N] --events FILE|- "
              "--truth FOLDER\n",
              stderr);
        return 2;
    }
    json_writer_init(&s.json);
    buf_init(&s.line, JSON_LINE_MAX);
    e = open_all(&s, &a);
    if (e == ERR_OK) {
        run(&s);
        e = truth_write(&s.truth, a.truth);
    }
    if (s.file != NULL && (ferror(s.file) != 0 || fclose(s.file) != 0))
        e = ERR_IO;
    if (e != ERR_OK)
        fprintf(stderr, "campus: %s\n", err_text(e));
    sight_fini(&s.sight);
    truth_fini(&s.truth);
    free(s.named);
    buf_free(&s.line);
    campus_free(s.campus);
    return e == ERR_OK ? 0 : 1;
}

#include "sensor/app/read.h"

#include "dashboards/report.h"
#include "rules/answers.h"
#include "rules/registered.h"
#include "rules/verdicts.h"
#include "sensor/app/inspection.h"
#include "sensor/app/log.h"
#include "sensor/app/read_carve.h"
#include "sensor/app/read_detect.h"
#include "sensor/app/read_output.h"
#include "sensor/app/read_place.h"
#include "sensor/app/read_registry.h"
#include "sensor/app/read_run.h"
#include "sensor/app/read_total.h"
#include "sensor/app/worker_plan.h"
#include "sensor/capture/capture.h"
#include "sensor/core/core.h"
#include "sensor/core/follow.h"
#include "sensor/core/geo.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS        NS_PER_S /* between looks at files that may be replaced */
#define LOOK_LEASES_NS (10 * NS_PER_S)

/* Everything of one reading; freed by read_main whatever happens. */
struct reading {
    const struct config *config;
    struct worker_plan plan;
    struct inspection inspection;
    struct read_place place;
    bool interrupted;
    struct read_registry *registry;
    struct geo *geo;
    ns_t looked; /* at files that may be replaced, by the machine's clock */
    ns_t looked_at_leases;
    struct answers *answers;
    struct verdicts *verdicts;
    struct requirements *requirements;
    struct read_detect *detect;
    struct journal *journal;
    struct core *core;
    struct read_run *run;
    struct read_output *output;
    struct read_carve *carve;
    struct read_total *total;
    struct buf start_text;
    struct buf messages; /* for standard error */
    enum err worst;
};

/* In memory that worker processes share, where there is some: they do not look
 * at signals themselves. */
static volatile sig_atomic_t stop_here;
static volatile sig_atomic_t *stop_asked = &stop_here;

static void
on_signal(int number)
{
    (void)number;
    if (*stop_asked != 0)
        _exit(CLI_EXIT_INTERRUPTED);
    *stop_asked = 1;
}

static void
catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    void *shared = mmap(NULL, sizeof(stop_here), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared != MAP_FAILED)
        stop_asked = shared;
    (void)sigaction(SIGINT, &a, NULL);
    (void)sigaction(SIGTERM, &a, NULL);
    a.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &a, NULL);
    (void)sigaction(SIGXFSZ, &a, NULL); /* a file too large is an error */
}

/* Some messages come as a line without its end. */
static void
end_line(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
}

/* ---- preparation ---- */

static void
say(struct buf *messages)
{
    end_line(messages);
    if (messages->n > 0)
        (void)fwrite(messages->p, 1, messages->n, stderr);
    buf_reset(messages);
}

static enum err
check_captures(struct reading *r)
{
    struct capture_options o = {.filter = r->plan.filter, .stop = r->plan.stop};
    struct capture *c;
    enum err e;

    for (size_t i = 0; i < r->plan.n_files; i++) {
        if (strcmp(r->plan.files[i], "-") == 0) {
            r->plan.n_workers = 1; /* what is read once can be read by one */
            return ERR_OK;
        }
    }
    e = capture_open(r->plan.files, r->plan.n_files, &o, &c, &r->messages);
    if (e == ERR_OK)
        capture_close(c);
    return e;
}

static enum err
load_registry(struct reading *r)
{
    return read_registry_open(r->config, &r->registry, &r->messages);
}

static enum err
load_place(struct reading *r)
{
    enum err e = read_place_load(r->config, &r->plan, &r->place, &r->start_text,
                                 &r->messages);

    r->plan.home = r->place.sites;
    end_line(&r->messages);
    if (e == ERR_OK && r->geo != NULL) {
        buf_str(&r->start_text, "; ");
        geo_describe(r->geo, &r->start_text);
    }
    if (e == ERR_OK && r->inspection.hashes != NULL) {
        buf_str(&r->start_text, "; ");
        hashlist_describe(r->inspection.hashes, &r->start_text);
    }
    if (e == ERR_OK)
        e = read_detect_open(
            r->config,
            &(struct read_detect_who){.seed = READ_DETECT_SEED, .live = false},
            &r->detect, &r->start_text, &r->messages);
    end_line(&r->messages);
    buf_putc(&r->start_text, '\0');
    return e;
}

static enum err
open_state(struct reading *r)
{
    const char *dir = r->config->state;
    struct journal_recovery recovery;
    enum err e;

    if (dir == NULL)
        return ERR_OK;
    e = state_open(dir, STATE_READ, &r->messages);
    if (e == ERR_OK)
        e = journal_open(dir, NULL, &r->journal, &recovery, &r->messages);
    end_line(&r->messages);
    if (e == ERR_OK && recovery.moved_bytes > 0) {
        buf_str(&r->messages, "journal recovered: ");
        buf_u64(&r->messages, recovery.moved_bytes);
        buf_str(&r->messages, " bytes of a torn line were moved aside\n");
    }
    return e;
}

static enum err
prepare(struct reading *r)
{
    const struct config *c = r->config;
    struct core_options o;
    enum err e = check_captures(r);

    if (e == ERR_OK)
        e = inspection_start(c, &r->plan, &r->inspection, &r->messages);
    if (e == ERR_OK)
        e = load_registry(r);
    if (e == ERR_OK)
        e = read_place_geo(c, &r->geo, &r->messages);
    if (e == ERR_OK)
        e = load_place(r);
    if (e == ERR_OK)
        e = read_output_open(c, &r->output, &r->messages);
    if (e == ERR_OK)
        e = read_carve_open(c, &r->carve, &r->messages);
    end_line(&r->messages);
    if (e == ERR_OK)
        e = open_state(r);
    if (e == ERR_OK)
        e = read_detect_restore(r->detect, r->journal, &r->messages);
    end_line(&r->messages);
    if (e == ERR_OK)
        e = answers_new(&r->answers);
    if (e == ERR_OK)
        e = verdicts_new(&r->verdicts);
    if (e == ERR_OK)
        e = requirements_new(&r->requirements);
    if (e == ERR_OK)
        e = read_total_new(&r->total);
    o = (struct core_options){
        .sensor = c->name,
        .start_text = (const char *)r->start_text.p,
        .place = {r->place.sites, r->place.leases,
                  read_registry_book(r->registry)},
        .geo = r->geo,
        .answers = r->answers,
        .verdicts = r->verdicts,
        .requirements = r->requirements,
        .detect = read_detect_get(r->detect),
        .journal = r->journal,
        .carve = read_carve_sink(r->carve),
        .carve_text = read_carve_text(r->carve),
    };
    if (e == ERR_OK) {
        o.lines = read_output_lines(r->output);
        e = core_new(&o, &r->core);
    }
    if (e == ERR_OK)
        e = read_registry_start(r->registry, r->core, r->journal, &r->messages);
    if (e == ERR_OK)
        e = read_run_start(&r->plan, c->ring, c->processes, &r->run);
    return e;
}

/* ---- the run ---- */

static void
look_at_geo(struct reading *r, struct buf *text)
{
    if (r->geo == NULL || !geo_refresh(r->geo, &r->messages))
        return;
    geo_describe(r->geo, text);
    buf_putc(text, '\0');
    core_control(r->core, "geo", (const char *)text->p);
}

/* The event comes first: a worker judges by the new list at once. */
static void
look_at_hashes(struct reading *r, struct buf *text)
{
    if (!hashlist_refresh(r->inspection.hashes, &r->messages))
        return;
    hashlist_describe(r->inspection.hashes, text);
    buf_putc(text, '\0');
    core_control(r->core, "hash_list", (const char *)text->p);
    hashlist_publish(r->inspection.hashes);
}

/* A server of DHCP writes all the time, and the whole file is read. */
static void
look_at_leases(struct reading *r, struct buf *text)
{
    struct leases *old;

    if (r->looked < r->looked_at_leases + LOOK_LEASES_NS)
        return;
    r->looked_at_leases = r->looked;
    if (!read_place_refresh(r->config, &r->place, &old, text, &r->messages))
        return;
    core_leases(r->core, r->place.leases);
    leases_free(old);
    buf_putc(text, '\0');
    core_control(r->core, "leases", (const char *)text->p);
}

/* Databases and lists are replaced while the reading goes on. */
static void
look_at_files(struct reading *r)
{
    static void (*const looks[])(struct reading *, struct buf *) = {
        look_at_geo, look_at_hashes, look_at_leases};
    struct timespec t;
    struct buf text;
    ns_t now;

    if ((r->geo == NULL && r->inspection.hashes == NULL &&
         r->place.leases == NULL) ||
        clock_gettime(CLOCK_MONOTONIC_COARSE, &t) != 0)
        return;
    now = (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
    if (now - r->looked < LOOK_NS)
        return;
    r->looked = now;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        buf_init(&text, 4096);
        looks[i](r, &text);
        buf_free(&text);
    }
    say(&r->messages);
}

static void
walk(struct reading *r)
{
    struct record_sink sink = {read_registry_put, r->registry};
    struct record_sink farewell = {read_total_put, r->total};

    while (read_run_step(r->run, &sink, &farewell)) {
        read_output_progress(r->output, read_run_position(r->run));
        look_at_files(r);
    }
    read_output_progress_end(r->output);
    read_total_set(r->total, FIELD_STATS_RECORDS_REFUSED,
                   read_run_refused(r->run) + read_total_refused(r->total));
    r->interrupted = *stop_asked != 0;
}

static void
tell_journal(struct reading *r)
{
    if (r->journal == NULL)
        return;
    buf_str(&r->messages, "span25: cannot write the journal: ");
    journal_why(r->journal, &r->messages);
    buf_putc(&r->messages, '\n');
}

static enum err
finish(struct reading *r)
{
    struct record_sink sink = {core_put, r->core};
    uint64_t damaged = 0;
    enum err carved;
    enum err followed;
    enum err e = read_run_end(r->run, &r->messages);

    r->run = NULL;
    /* The events of flows first, then the totals, then all to disk. */
    (void)core_end(r->core);
    read_detect_count(r->detect, r->total);
    read_registry_see(r->registry, r->requirements);
    followed = read_registry_error(r->registry, &r->messages);
    e = e == ERR_OK ? followed : e;
    carved = read_carve_end(r->carve, core_time(r->core), &sink, &r->messages);
    read_total_emit(r->total, core_time(r->core), &sink);
    if (core_end(r->core) != ERR_OK && e == ERR_OK) {
        e = core_error(r->core);
        tell_journal(r);
    }
    if (e == ERR_OK)
        e = read_detect_save(r->detect, r->journal, &r->messages);
    if (r->journal != NULL && e == ERR_OK)
        e = follow_index(r->config->state, journal_durable(r->journal),
                         &damaged, &r->messages);
    return e == ERR_OK ? carved : e;
}

/* Decisions name a site by its code; the configuration knows whose it is. */
static void
name_owners(const struct config *c, struct summary *s)
{
    for (size_t i = 0; i < s->n_decisions; i++) {
        for (size_t k = 0; k < c->sites.n; k++) {
            if (strcmp(c->sites.v[k].code, s->decisions[i].site) == 0)
                s->decisions[i].owner = c->sites.v[k].owner;
        }
    }
}

static enum err
report(struct reading *r, bool partial)
{
    struct summary s = {
        .partial = partial,
        .home_guessed = r->place.home_guessed,
        .has_registry = read_registry_book(r->registry) != NULL,
        .home = sites_home(r->place.sites),
        .n_home = sites_n_home(r->place.sites),
        .sensor = r->config->name,
    };
    struct registered *registered = NULL;
    enum err e = ERR_OK;

    answers_summary(r->answers, &s);
    verdicts_summary(r->verdicts, &s);
    name_owners(r->config, &s);
    s.parts.off = r->inspection.deep == NULL && r->inspection.clamd == NULL;
    read_total_summary(r->total, &s);
    if (s.has_registry)
        e = registered_new(r->requirements, read_registry_book(r->registry),
                           &registered);
    if (e != ERR_OK)
        return e;
    registered_summary(registered, &s);
    e = read_output_report(r->output, &s, &r->messages);
    registered_free(registered);
    return e;
}

static void
release(struct reading *r)
{
    core_free(r->core);
    (void)journal_close(r->journal);
    answers_free(r->answers);
    verdicts_free(r->verdicts);
    requirements_free(r->requirements);
    read_detect_close(r->detect);
    read_total_free(r->total);
    read_output_close(r->output);
    read_carve_close(r->carve);
    inspection_stop(&r->inspection);
    read_registry_close(r->registry);
    read_place_free(&r->place);
    geo_free(r->geo);
    buf_free(&r->start_text);
    buf_free(&r->messages);
}

static void
plan(struct reading *r, const struct cli *cli)
{
    const struct config *c = &cli->config;

    r->config = c;
    r->plan = worker_plan_of(c);
    r->plan.files = (const char *const *)cli->arguments;
    r->plan.n_files = cli->n_arguments;
    r->plan.carve_parts = c->extract != NULL;
    r->plan.save_mail = c->save_mail != NULL ? c->carve_file : 0;
    r->plan.stop = stop_asked;
    buf_init(&r->start_text, 1 << 15);
    buf_init(&r->messages, 1 << 20);
}

enum cli_exit
read_main(const struct cli *cli)
{
    struct reading r = {0};
    bool partial = false, told = false;
    size_t before;
    enum err e;

    catch_signals();
    plan(&r, cli);
    e = prepare(&r);
    if (e != ERR_OK && r.messages.n == 0)
        buf_printf(&r.messages, "span25: %s\n", err_text(e));
    say(&r.messages);
    if (e == ERR_OK) {
        walk(&r);
        e = finish(&r);
        partial = r.interrupted || read_total_n_faults(r.total) > 0;
        before = r.messages.n;
        if (report(&r, partial || e != ERR_OK) != ERR_OK && e == ERR_OK) {
            e = ERR_IO;
            told = r.messages.n > before;
        }
        partial = partial || read_detect_refused(r.detect);
        end_line(&r.messages);
        if (e != ERR_OK && !told)
            buf_printf(&r.messages, "span25: %s\n", err_text(e));
        say(&r.messages);
    }
    release(&r);
    if (e != ERR_OK)
        return cli_exit_of(e);
    return partial ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}

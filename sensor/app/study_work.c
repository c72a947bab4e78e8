#include "sensor/app/study_work.h"

#include "rules/study/criteria.h"
#include "sensor/app/clock.h"
#include "sensor/app/config_text.h"
#include "sensor/app/read_detect.h"
#include "sensor/app/read_place.h"
#include "sensor/app/read_registry.h"
#include "sensor/app/study_recall.h"
#include "sensor/app/study_work_state.h"
#include "sensor/app/worker_plan.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_NS     (NS_PER_S / 2)
#define CHECK_NS    (60 * NS_PER_S)
#define LOOK_EVENTS 1024U /* between looks at the clock */
#define SEED_FILE   "/seed"
#define ENTERED_MAX (256U << 20)

static volatile sig_atomic_t stop_asked;

static void
on_signal(int number)
{
    (void)number;
    if (stop_asked != 0)
        _exit(CLI_EXIT_INTERRUPTED);
    stop_asked = 1;
}

static void
catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};

    (void)sigaction(SIGINT, &a, NULL);
    (void)sigaction(SIGTERM, &a, NULL);
    a.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &a, NULL);
}

/* ---- what the inputs say of the sensor ---- */

#define HOME_WORDS "home networks"

/* "home networks (guessed): 10.0.0.0/8 fc00::/7; rules: ..." */
static void
take_home(struct study_work *w, const struct record_map *m)
{
    struct span text = record_map_find(m, FIELD_CONTROL_TEXT);
    size_t n = 0;

    if (w->config.home.n > 0 || w->config.sites.n > 0 ||
        !span_starts(text, SPAN_LIT(HOME_WORDS)))
        return;
    text = span_tail(text, span_find(text, ':') + 1);
    text = span_head(text, span_find(text, ';'));
    while (text.n > 0 && n < HOME_MAX) {
        const size_t end = span_find(text, ' ');

        if (prefix_parse(span_head(text, end), &w->home[n]))
            n++;
        text = span_tail(text, end < text.n ? end + 1 : end);
    }
    w->config.home.v = w->home;
    w->config.home.n = n;
}

static void
take_sensor(struct study_work *w, const struct record_map *m)
{
    const struct span name = record_map_find(m, FIELD_SENSOR);
    const size_t n = strlen(w->sensors);

    if (name.n == 0 || name.n >= sizeof(w->last_sensor) ||
        span_eq(name, span_str(w->last_sensor)))
        return;
    memcpy(w->last_sensor, name.p, name.n);
    w->last_sensor[name.n] = '\0';
    if (strstr(w->sensors, w->last_sensor) == NULL &&
        n + name.n + 3 < sizeof(w->sensors))
        (void)snprintf(w->sensors + n, sizeof(w->sensors) - n, "%s%s",
                       n > 0 ? ", " : "", w->last_sensor);
}

/* The keys with which the sensor counted; only who may read its state has
 * them, and others count as well, but not always the same. */
static uint64_t
find_seed(const struct study_work *w)
{
    char path[4096];
    uint64_t seed = 0;
    FILE *f;

    if (w->config.state == NULL)
        return READ_DETECT_SEED;
    (void)snprintf(path, sizeof(path), "%s" SEED_FILE, w->config.state);
    f = fopen(path, "rbe");
    if (f == NULL)
        return READ_DETECT_SEED;
    if (fread(&seed, sizeof(seed), 1, f) != 1)
        seed = READ_DETECT_SEED;
    (void)fclose(f);
    return seed;
}

/* ---- detectors ---- */

static void
on_conclusion(void *ctx, struct span record)
{
    struct detector *d = ctx;
    struct record_map m;

    record_map_init(&m, record);
    study_conclude(d->work->study, d->number, &m);
}

static bool
set_limit(struct config *c, const struct study_limit *l)
{
#define X(name_, value_, ...)                                                  \
    if (strcmp(l->name, #name_) == 0) {                                        \
        c->block_##name_ = l->value;                                           \
        return true;                                                           \
    }
#include "rules/decide/decide.def"
#undef X
    return false;
}

static void
take_rules_hash(struct study_work *w, const struct buf *text)
{
    const struct span s = buf_view(text);

    if (s.n < HASH_HEX - 1 || w->rules_hash[0] != '\0')
        return;
    memcpy(w->rules_hash, s.p + s.n - (HASH_HEX - 1), HASH_HEX - 1);
}

static enum err
open_detector(struct study_work *w, const struct study_policy_plan *p)
{
    struct detector *d = &w->detectors[w->n_detectors];
    struct core_options o = {
        .sensor = w->config.name,
        .place = {w->place.sites, w->place.leases,
                  read_registry_book(w->registry)},
        .recall = {study_recall_find,              w->recall            },
        .told = {on_conclusion,              d    }
    };
    struct read_detect_who who = {.seed = w->seed};
    struct buf text;
    enum err e;

    *d = (struct detector){
        .config = w->config, .work = w, .number = (unsigned)w->n_detectors};
    d->config.state = NULL;
    d->config.block_mode = 1; /* simulate */
    for (size_t i = 0; p != NULL && i < p->n_limits; i++)
        (void)set_limit(&d->config, &p->limits[i]);
    if (w->n_detectors == 0)
        who.judged = (struct hosts_judged){study_judged, w->study};
    buf_init(&text, 4096);
    e = read_detect_open(&d->config, &who, &d->detect, &text, w->messages);
    take_rules_hash(w, &text);
    buf_free(&text);
    if (e != ERR_OK)
        return e;
    w->n_detectors++;
    w->refused |= read_detect_refused(d->detect);
    o.detect = read_detect_get(d->detect);
    return core_new(&o, &d->core);
}

static bool
same_limits(const struct study_policy_plan *a,
            const struct study_policy_plan *b)
{
    if (a->n_limits != b->n_limits)
        return false;
    for (size_t i = 0; i < a->n_limits; i++) {
        if (strcmp(a->limits[i].name, b->limits[i].name) != 0 ||
            a->limits[i].value != b->limits[i].value)
            return false;
    }
    return true;
}

/* Which detector each policy goes by; those that are needed are opened later.
 * False: too many. */
static bool
share_detectors(struct study_work *w, const struct study_policy_plan **of,
                size_t *n)
{
    *n = 1;
    of[0] = NULL;
    for (size_t i = 0; i < w->o.plan->n_policies; i++) {
        const struct study_policy_plan *p = &w->o.plan->policies[i];
        size_t k = p->n_limits == 0 ? 0 : 1;

        while (k > 0 && k < *n && !same_limits(of[k], p))
            k++;
        if (k == STUDY_DETECTORS)
            return false;
        if (k == *n)
            of[(*n)++] = p;
        w->of_policy[i] = (uint8_t)k;
    }
    return true;
}

static enum err
open_detectors(struct study_work *w, const struct study_policy_plan **of,
               size_t n)
{
    const struct worker_plan plan = worker_plan_of(&w->config);
    struct buf said;
    enum err e;

    if (w->config.home.n == 0 && w->config.sites.n == 0) {
        buf_str(w->messages,
                "span25: the home networks are not known: the inputs do not "
                "begin with what their sensor told at its start. Give --home "
                "PREFIX, or --config FILE with network.home\n");
        return ERR_USAGE;
    }
    buf_init(&said, 1 << 15);
    e = read_place_load(&w->config, &plan, &w->place, &said, w->messages);
    buf_free(&said);
    if (e == ERR_OK && w->config.registry != NULL)
        e = read_registry_open(&w->config, &w->registry, w->messages);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = open_detector(w, of[i]);
    return e;
}

/* ---- the registry, as it came about ---- */

/* Who was registered is known by what events say of it, from now on. */
static void
give_up_book(struct study_work *w)
{
    buf_str(w->messages,
            "span25: the inputs have no whole registry: who was registered is "
            "taken from what each event says; give --registry FILE, or the "
            "state of the sensor (--state DIR)\n");
    w->broken_book = true;
    for (size_t i = 0; i < w->n_detectors; i++)
        core_registry(w->detectors[i].core, NULL);
    book_free(w->book);
    w->book = NULL;
}

void
study_work_enter(struct study_work *w, const struct record_map *m)
{
    struct audit a;
    enum err e = ERR_OK;

    if (w->registry != NULL || w->broken_book ||
        !record_map_is(m, FIELD_CONTROL_KIND, "registry"))
        return;
    study_checkpoint_part(&w->entered, m->record);
    if (!control_reader_take(&w->parts, m->record))
        return;
    if (w->book == NULL)
        e = book_new(&w->book);
    if (e != ERR_OK)
        return;
    a = w->parts.audit;
    if (a.number <= book_last(w->book).number)
        return;
    memcpy(a.before, book_last(w->book).hash, sizeof(a.before));
    buf_reset(&w->text);
    e = book_replay(w->book, buf_view(&w->parts.text), &a, &w->text);
    if (e == ERR_OK)
        e = book_index(w->book);
    if (e != ERR_OK) {
        give_up_book(w);
        return;
    }
    for (size_t i = 0; i < w->n_detectors; i++)
        core_registry(w->detectors[i].core, w->book);
}

/* Without it, what its events say of a host holds for the host. */
static void
look_at_registry(struct study_work *w, const struct record_map *m)
{
    if (w->book == NULL && w->registry == NULL)
        study_recall_event(w->recall, m);
}

/* ---- life ---- */

static void
hash_config(struct study_work *w)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf text, hex = {(uint8_t *)w->config_hash,
                            0,
                            HASH_HEX - 1,
                            HASH_HEX - 1,
                            false,
                            false};

    buf_init(&text, 1 << 20);
    config_text_show(w->o.config, false, &text);
    if (EVP_Digest(text.p, text.n, md, &n, EVP_sha256(), NULL) == 1)
        text_hex(&hex, span_of(md, n));
    buf_free(&text);
}

static enum err
open_study(struct study_work *w, const struct study_policy_plan **of, size_t *n)
{
    struct study_options so = {.plan = w->o.plan,
                               .detectors = w->of_policy,
                               .points = w->o.points,
                               .from = w->o.from,
                               .to = w->o.to,
                               .holdout = w->o.holdout,
                               .seed = READ_DETECT_SEED,
                               .labels = w->o.labels,
                               .n_labels = w->o.n_labels};
    enum err e;

    if (w->o.plan->n_policies > STUDY_POLICIES || !share_detectors(w, of, n)) {
        buf_printf(w->messages,
                   "span25: at most %u policies, and %u with different limits "
                   "of the decision table\n",
                   STUDY_POLICIES, STUDY_DETECTORS - 1);
        return ERR_USAGE;
    }
    e = study_new(&so, &w->study);
    if (e == ERR_LIMIT)
        buf_printf(w->messages,
                   "span25: a window is at most %u days, and ends "
                   "behind its begin\n",
                   STUDY_DAYS);
    if (e == ERR_USAGE)
        buf_str(w->messages, "span25: --holdout is the last part of a window: "
                             "give --to, and a window that is longer\n");
    return e == ERR_LIMIT ? ERR_USAGE : e;
}

static void
meet_first(struct study_work *w)
{
    struct record_map m;

    w->first = study_inputs_next(w->inputs, &w->first_journal);
    if (w->first.n == 0)
        return;
    record_map_init(&m, w->first);
    if (record_head_of(w->first).type == EVENT_CONTROL)
        take_home(w, &m);
}

enum err
study_work_new(const struct study_work_options *o, struct buf *messages,
               struct study_work **out)
{
    const struct study_policy_plan *of[STUDY_DETECTORS];
    struct study_work *w = calloc(1, sizeof(*w));
    struct study_inputs_options in = {.config = o->config,
                                      .names = o->inputs,
                                      .n = o->n_inputs,
                                      .config_file = o->config->file,
                                      .stop = &stop_asked};
    struct buf saved;
    size_t n = 0;
    enum err e;

    if (w == NULL)
        return ERR_NOMEM;
    buf_init(&saved, 0);
    catch_signals();
    w->o = *o;
    w->messages = messages;
    w->config = *o->config;
    w->seed = find_seed(w);
    buf_init(&w->text, 1 << 16);
    buf_init(&w->entered, ENTERED_MAX);
    control_reader_init(&w->parts);
    hash_config(w);
    e = open_study(w, of, &n);
    if (e == ERR_OK)
        e = study_recall_new(READ_DETECT_SEED, &w->recall);
    if (e == ERR_OK)
        e = study_inputs_open(&in, messages, &w->inputs);
    if (e == ERR_OK)
        e = study_checkpoint_read(w, &saved);
    if (e == ERR_OK && saved.n == 0)
        meet_first(w);
    w->too_soon =
        stop_asked != 0 &&
        (e == ERR_BUSY || (e == ERR_OK && saved.n == 0 && w->first.n == 0));
    if (w->too_soon)
        e = ERR_OK;
    else if (e == ERR_OK)
        e = open_detectors(w, of, n);
    if (e == ERR_OK && !w->too_soon)
        e = study_checkpoint_take(w, buf_view(&saved));
    buf_free(&saved);
    if (e != ERR_OK) {
        study_work_free(w);
        return e;
    }
    *out = w;
    return ERR_OK;
}

void
study_work_free(struct study_work *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n_detectors; i++) {
        core_free(w->detectors[i].core);
        read_detect_close(w->detectors[i].detect);
    }
    study_inputs_close(w->inputs);
    study_free(w->study);
    study_recall_free(w->recall);
    read_registry_close(w->registry);
    read_place_free(&w->place);
    control_reader_free(&w->parts);
    book_free(w->book);
    buf_free(&w->text);
    buf_free(&w->entered);
    free(w);
}

/* ---- the pass ---- */

static void
say(struct study_work *w)
{
    if (w->messages->n > 0)
        (void)fwrite(w->messages->p, 1, w->messages->n, stderr);
    buf_reset(w->messages);
}

static void
tell_progress(struct study_work *w, ns_t now, ns_t when)
{
    const double share = study_inputs_share(w->inputs);
    char day[NS_TEXT_MAX];

    w->told = now;
    (void)ns_format(when, day);
    (void)fprintf(stderr, "\r%" PRIu64 " events, at %.16s", w->n, day);
    if (!isnan(share))
        (void)fprintf(stderr, ", %.0f %%", share * 100);
    (void)fprintf(stderr, "\033[K");
}

static void
look_at_clock(struct study_work *w, ns_t when)
{
    const ns_t now = clock_of(CLOCK_MONOTONIC);

    if (w->checked == 0)
        w->checked = now;
    say(w);
    if (w->o.progress && now - w->told > TELL_NS)
        tell_progress(w, now, when);
    if (now - w->checked > CHECK_NS) {
        study_checkpoint_save(w);
        say(w);
        w->checked = now;
    }
}

/* Made by people, and not about what was seen: what they did stands, but not
 * whether anything was stopped. */
static bool
is_policy(const struct record_map *m)
{
    return record_map_is(m, FIELD_CONTROL_KIND, "policy");
}

static void
take(struct study_work *w, struct span record)
{
    const enum event_type type = record_head_of(record).type;
    struct record_map m;

    record_map_init(&m, record);
    study_begin(w->study, &m);
    take_sensor(w, &m);
    if (type == EVENT_HOST || type == EVENT_ALERT || type == EVENT_DECISION) {
        study_journaled(w->study, &m);
        return;
    }
    if (type == EVENT_CONTROL) {
        if (is_policy(&m))
            return;
        study_work_enter(w, &m);
    }
    look_at_registry(w, &m);
    for (size_t i = 0; i < w->n_detectors; i++)
        core_relive(w->detectors[i].core, &m);
    study_event(w->study, &m);
}

enum err
study_work_run(struct study_work *w, bool *interrupted)
{
    struct span record = w->first;
    bool journal = w->first_journal;

    *interrupted = w->too_soon;
    if (w->too_soon)
        return ERR_OK; /* a checkpoint that there was is as good as before */
    if (record.n == 0)
        record = study_inputs_next(w->inputs, &journal);
    while (record.n > 0) {
        take(w, record);
        if (++w->n % LOOK_EVENTS == 0)
            look_at_clock(w, record_head_of(record).when);
        if (stop_asked != 0)
            break; /* before another event is taken from the inputs */
        record = study_inputs_next(w->inputs, &journal);
    }
    if (w->o.progress && w->told != 0)
        (void)fprintf(stderr, "\r\033[K");
    *interrupted = stop_asked != 0;
    if (*interrupted) {
        study_checkpoint_save(w);
        return ERR_OK;
    }
    for (size_t i = 0; i < w->n_detectors; i++)
        (void)core_end(w->detectors[i].core);
    return study_inputs_error(w->inputs);
}

/* ---- the end ---- */

static void
find_site(void *ctx, struct study_site *site)
{
    const struct study_work *w = ctx;

    for (size_t i = 0; i < w->config.sites.n; i++) {
        const struct config_site *s = &w->config.sites.v[i];

        if (strcmp(s->code, site->code) != 0)
            continue;
        site->name = s->name;
        site->contact = s->contact != NULL ? s->contact : s->owner;
    }
}

enum err
study_work_finish(struct study_work *w, struct study_result *out)
{
    const struct study_places places = {find_site, w};
    enum err e = study_finish(w->study, &places, out);

    if (e != ERR_OK)
        return e;
    out->version = SPAN25_VERSION;
    out->rules_hash = w->rules_hash;
    out->config_hash = w->config_hash;
    out->sensors = w->sensors;
    out->inputs = (struct study_input *)(uintptr_t)study_inputs_told(
        w->inputs, &out->n_inputs);
    for (size_t i = 0; i < out->n_inputs; i++)
        out->faults += out->inputs[i].faults;
    return ERR_OK;
}

const struct book *
study_work_book(const struct study_work *w)
{
    return w->registry != NULL ? read_registry_book(w->registry) : w->book;
}

bool
study_work_partial(const struct study_work *w)
{
    size_t n;
    const struct study_input *v = study_inputs_told(w->inputs, &n);
    bool faults = false;

    for (size_t i = 0; i < n; i++)
        faults |= v[i].faults > 0;
    return faults || w->refused;
}

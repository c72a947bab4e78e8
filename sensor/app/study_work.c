#include "sensor/app/study_work.h"

#include "rules/study/criteria.h"
#include "sensor/app/clock.h"
#include "sensor/app/config_text.h"
#include "sensor/app/read_detect.h"
#include "sensor/app/read_place.h"
#include "sensor/app/read_registry.h"
#include "sensor/app/study_recall.h"
#include "sensor/app/whole_file.h"
#include "sensor/app/worker_plan.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/core/control.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_NS       (NS_PER_S / 2)
#define CHECK_NS      (60 * NS_PER_S)
#define LOOK_EVENTS   1024U /* between looks at the clock */
#define SEED_FILE     "/seed"
#define HASH_HEX      65U
#define SENSORS_MAX   256U
#define CHECKPOINT    (4ULL << 30)
#define HOME_MAX      64U
#define ENTERED_MAX   (256U << 20)
#define CHECKPOINT_ID UINT64_C(0x6b63656863353273)

struct detector {
    struct config config; /* borrows all but its limits */
    struct read_detect *detect;
    struct core *core;
    struct study_work *work;
    unsigned number;
};

struct study_work {
    struct study_work_options o;
    struct buf *messages;
    struct study_inputs *inputs;
    struct study *study;
    struct config config; /* borrows; home may be its own */
    struct prefix home[HOME_MAX];
    struct read_place place;
    struct read_registry *registry; /* of --registry */
    struct book *book;              /* of the inputs; NULL: none told yet */
    struct study_recall *recall;    /* where there is neither */
    struct control_reader parts;
    struct buf entered; /* its records so far, for a checkpoint */
    struct buf text;
    uint64_t seed;
    struct detector detectors[STUDY_DETECTORS];
    size_t n_detectors;
    uint8_t of_policy[STUDY_POLICIES];
    bool refused; /* a rule was */
    char rules_hash[HASH_HEX], config_hash[HASH_HEX];
    char sensors[SENSORS_MAX];
    char last_sensor[65];
    struct span first; /* the event that was read to find the home networks */
    bool first_journal, told_registry;
    uint64_t n;
    ns_t told, checked, begun;
};

static volatile sig_atomic_t stop_asked;

static void
on_signal(int number)
{
    (void)number;
    if (stop_asked != 0)
        _exit(CLI_EXIT_INTERRUPTED);
    stop_asked = 1;
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
        .told = {on_conclusion,              d                }
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

/* A part with its length before it. */
static void
put_part(struct buf *out, struct span part)
{
    const uint64_t n = part.n;

    buf_put(out, &n, sizeof(n));
    buf_span(out, part);
}

static void
say_book(struct study_work *w, const char *what)
{
    if (w->told_registry)
        return;
    w->told_registry = true;
    buf_str(w->messages, what);
}

static void
take_registry(struct study_work *w, const struct record_map *m)
{
    struct audit a;
    enum err e = ERR_OK;

    if (w->registry != NULL ||
        !record_map_is(m, FIELD_CONTROL_KIND, "registry"))
        return;
    put_part(&w->entered, m->record);
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
        say_book(w, "span25: a record of the registry is missing in the "
                    "inputs: who was registered is not known from there on "
                    "but by the events; give --registry\n");
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

static enum err load_checkpoint(struct study_work *w);

enum err
study_work_new(const struct study_work_options *o, struct buf *messages,
               struct study_work **out)
{
    const struct study_policy_plan *of[STUDY_DETECTORS];
    struct study_work *w = calloc(1, sizeof(*w));
    struct study_inputs_options in = {.config = o->config,
                                      .names = o->inputs,
                                      .n = o->n_inputs,
                                      .config_file = o->config->file};
    size_t n = 0;
    enum err e;

    if (w == NULL)
        return ERR_NOMEM;
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
    if (e == ERR_OK) {
        meet_first(w);
        e = open_detectors(w, of, n);
    }
    if (e == ERR_OK)
        e = load_checkpoint(w);
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

/* ---- checkpoints ---- */

static enum err
save_parts(const struct study_work *w, struct buf *out)
{
    const uint64_t head[] = {CHECKPOINT_ID, w->n_detectors, w->n};
    struct buf part;
    enum err e;

    buf_put(out, head, sizeof(head));
    buf_init(&part, CHECKPOINT);
    e = study_inputs_save(w->inputs, &part);
    put_part(out, buf_view(&part));
    buf_reset(&part);
    if (e == ERR_OK)
        e = study_save(w->study, &part);
    put_part(out, buf_view(&part));
    for (size_t i = 0; e == ERR_OK && i < w->n_detectors; i++) {
        buf_reset(&part);
        e = detect_save(read_detect_get(w->detectors[i].detect), &part);
        put_part(out, buf_view(&part));
    }
    buf_reset(&part);
    study_recall_save(w->recall, &part);
    put_part(out, buf_view(&part));
    put_part(out, buf_view(&w->entered));
    if (e == ERR_OK && (part.failed || out->failed || w->entered.cut))
        e = ERR_NOMEM;
    buf_free(&part);
    return e;
}

static void
save_checkpoint(struct study_work *w)
{
    struct buf text;
    int number;
    enum err e;

    if (w->o.checkpoint == NULL)
        return;
    buf_init(&text, CHECKPOINT);
    e = save_parts(w, &text);
    number = e == ERR_OK ? whole_file_save(w->o.checkpoint, buf_view(&text))
                         : ENOMEM;
    if (number != 0) {
        buf_str(w->messages, "span25: cannot write ");
        text_term(w->messages, span_str(w->o.checkpoint));
        buf_printf(w->messages, ": %s\n",
                   e == ERR_OK ? strerror(number) : err_text(e));
    }
    buf_free(&text);
}

static struct span
next_part(struct cursor *c)
{
    const uint64_t n = cur_le64(c);

    return cur_take(c, n);
}

/* What people had entered in the registry before the checkpoint. */
static void
enter_again(struct study_work *w, struct span records)
{
    struct cursor c = cur_open(records);
    struct record_map m;

    while (cur_left(&c) > 0) {
        const struct span r = next_part(&c);

        if (c.bad || !record_check(r))
            return;
        record_map_init(&m, r);
        take_registry(w, &m);
    }
}

static enum err
load_parts(struct study_work *w, struct span text)
{
    struct cursor c = cur_open(text);
    enum err e = ERR_FORMAT;

    if (cur_le64(&c) == CHECKPOINT_ID && cur_le64(&c) == w->n_detectors) {
        w->n = cur_le64(&c);
        e = study_inputs_load(w->inputs, next_part(&c));
    }
    if (e == ERR_OK)
        e = study_load(w->study, next_part(&c));
    for (size_t i = 0; e == ERR_OK && i < w->n_detectors; i++)
        e = detect_load(read_detect_get(w->detectors[i].detect), next_part(&c));
    if (e == ERR_OK && !study_recall_load(w->recall, next_part(&c)))
        e = ERR_CORRUPT;
    if (e == ERR_OK)
        enter_again(w, next_part(&c));
    return e == ERR_OK && c.bad ? ERR_CORRUPT : e;
}

/* The inputs must stand at their begin for it, and have given their first
 * event: they are opened again. */
static enum err
load_checkpoint(struct study_work *w)
{
    struct study_inputs_options in = {.config = w->o.config,
                                      .names = w->o.inputs,
                                      .n = w->o.n_inputs,
                                      .config_file = w->o.config->file};
    struct buf text;
    int number;
    enum err e;

    if (w->o.checkpoint == NULL || access(w->o.checkpoint, F_OK) != 0)
        return ERR_OK;
    number = whole_file_load(w->o.checkpoint, CHECKPOINT, &text);
    e = number != 0 ? err_from_errno(number) : ERR_OK;
    if (e == ERR_OK) {
        study_inputs_close(w->inputs);
        w->inputs = NULL;
        e = study_inputs_open(&in, w->messages, &w->inputs);
    }
    if (e == ERR_OK)
        e = load_parts(w, buf_view(&text));
    buf_free(&text);
    w->first = SPAN_NONE;
    if (e == ERR_OK)
        return ERR_OK;
    buf_str(w->messages, "span25: ");
    text_term(w->messages, span_str(w->o.checkpoint));
    buf_printf(w->messages,
               " does not fit this study (%s): give the inputs, window and "
               "policies that it was begun with, or remove it\n",
               err_text(e));
    return ERR_USAGE;
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
        save_checkpoint(w);
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
        take_registry(w, &m);
    }
    look_at_registry(w, &m);
    for (size_t i = 0; i < w->n_detectors; i++)
        core_relive(w->detectors[i].core, &m);
    study_event(w->study, &m);
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

enum err
study_work_run(struct study_work *w, bool *interrupted)
{
    struct span record = w->first;
    bool journal = w->first_journal;

    catch_signals();
    if (record.n == 0)
        record = study_inputs_next(w->inputs, &journal);
    while (record.n > 0 && stop_asked == 0) {
        take(w, record);
        if (++w->n % LOOK_EVENTS == 0)
            look_at_clock(w, record_head_of(record).when);
        record = study_inputs_next(w->inputs, &journal);
    }
    if (w->o.progress && w->told != 0)
        (void)fprintf(stderr, "\r\033[K");
    *interrupted = stop_asked != 0;
    if (*interrupted) {
        save_checkpoint(w);
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

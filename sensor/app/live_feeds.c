#include "sensor/app/live_feeds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/app/clock.h"
#include "sensor/app/confine.h"
#include "sensor/app/feed_source.h"
#include "sensor/app/feed_web.h"
#include "sensor/app/listen.h"
#include "sensor/app/live_report.h"
#include "sensor/app/log.h"
#include "sensor/app/read_output.h"
#include "sensor/app/registry.h"
#include "sensor/app/registry_forms.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"
#include "sensor/store/registry_db.h"

#define PEM_BYTES      (1U << 20)
#define LIST_BYTES     (256U << 20)
#define REGISTRY_BYTES (1U << 30)
#define RENEWALS       4U /* of a set, before its end */
#define AGAIN_NS                                                               \
    (30 * NS_PER_S) /* what is known is read anyhow: a pause of the policy     \
                     * ends, and an exception, without an event */

struct live_feeds {
    struct live *live;
    const struct config *config;
    struct live_feeds_board *board;
    struct feed_limits limits;
    struct live_limits health;
    struct feed_store store;
    struct feed_serve serve;
    struct feed_web *web;
    struct feed_kind lists[16];
    size_t n_lists;
    /* what it is made of */
    struct index_reader *index;
    struct registry_db *db;
    struct book *book;
    bool book_of_file; /* it does not change */
    bool no_index;     /* told */
    uint64_t newest;   /* decision, exception or act, in the journal */
    /* is the index as far as the journal was lately? */
    uint64_t sample_seq;
    ns_t sample_mono;
    /* what became of it */
    ns_t made;         /* UTC; or tried to */
    ns_t looked, next; /* UTC; next: then there is something to do anyhow */
    enum feed_verdict told;
    bool has_told, removed;
    ns_t seen[OPTIONS_CONSUMERS_MAX]; /* noted on disk */
    struct buf certificate, key, messages;
};

/* ---- configuration ---- */

bool
live_feeds_wanted(const struct config *c)
{
    return c->feeds_lists.n > 0 ||
           (c->feeds_listen != NULL && c->feeds_listen[0] != '\0');
}

static enum err
check_lists(const struct config *c, struct buf *messages)
{
    struct feed_kind k;

    for (size_t i = 0; i < c->feeds_lists.n; i++) {
        if (feed_kind_read(span_str(c->feeds_lists.v[i]), &k))
            continue;
        buf_str(messages, "span25: feeds.lists: ");
        text_term(messages, span_str(c->feeds_lists.v[i]));
        buf_str(messages, " is none of ");
        feed_kind_words(messages);
        buf_putc(messages, '\n');
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static enum err
say(struct buf *messages, const char *text)
{
    buf_printf(messages, "span25: %s\n", text);
    return ERR_CONFIG;
}

enum err
live_feeds_check(const struct config *c, struct buf *messages)
{
    const bool tls = c->feeds_certificate != NULL;
    struct addr a;
    uint16_t port;

    if (check_lists(c, messages) != ERR_OK)
        return ERR_CONFIG;
    if (c->feeds_listen == NULL || c->feeds_listen[0] == '\0')
        return c->consumers.n == 0
                   ? ERR_OK
                   : say(messages, "there are consumers, but no feeds.listen "
                                   "to serve them at");
    if (!listen_address(span_str(c->feeds_listen), &a, &port))
        return say(messages, "feeds.listen is not an address and port, such as "
                             "127.0.0.1:9126");
    if (tls != (c->feeds_key != NULL))
        return say(messages, "feeds.certificate and feeds.key belong together");
    if (!tls && !listen_is_loopback(&a) && !c->feeds_plain)
        return say(messages, "feeds.listen is not a loopback address, and "
                             "there is no feeds.certificate: tokens could be "
                             "read on the way; feeds.plain allows it");
    if (c->consumers.n == 0)
        return say(messages, "feeds.listen needs consumers");
    return ERR_OK;
}

void
live_feeds_label(struct live_board *b, const struct config *c)
{
    b->n_consumers = 0;
    for (size_t i = 0; i < c->consumers.n && i < LIVE_CONSUMERS_MAX; i++) {
        (void)snprintf(b->consumer_name[i], sizeof(b->consumer_name[i]), "%s",
                       c->consumers.v[i].name);
        b->consumer_late_ns[i] = options_consumers_late(&c->consumers.v[i]);
        b->n_consumers++;
    }
}

/* ---- what is told ---- */

static void
complain(const char *event, const char *what, const char *why)
{
    struct log_line l;

    log_begin(&l, LOG_AT_ERROR, event);
    log_string(&l, "what", span_str(what));
    log_string(&l, "why", span_str(why));
    log_end(&l, STDERR_FILENO);
}

static void
tell_verdict(struct live_feeds *f, enum feed_verdict v)
{
    struct log_line l;

    atomic_store(&f->board->verdict, v);
    if (v != FEED_DONE)
        atomic_fetch_add(&f->board->refused, 1);
    if (f->has_told && f->told == v)
        return;
    f->has_told = true;
    f->told = v;
    log_begin(&l, v == FEED_DONE ? LOG_AT_INFO : LOG_AT_ERROR,
              v == FEED_DONE ? "feeds_made" : "feeds_refused");
    log_string(&l, "why", span_str(feed_verdict_doc(v)));
    log_end(&l, STDERR_FILENO);
}

static void
tell_set(const struct feed *set)
{
    struct log_line l;

    log_begin(&l, LOG_AT_INFO, "feeds_serial");
    log_number(&l, "serial", set->serial);
    log_number(&l, "elements", set->n);
    log_string(&l, "sha256", span_str(set->digest));
    log_end(&l, STDERR_FILENO);
}

/* ---- the registry ---- */

static enum err
open_registry(struct live_feeds *f)
{
    struct buf path;
    enum err e;

    buf_init(&path, 8192);
    buf_printf(&path, "%s/" REGISTRY_DB_FILE "%c", f->live->state, 0);
    e = path.cut || path.failed ? ERR_LIMIT : ERR_OK;
    if (e == ERR_OK && access((const char *)path.p, F_OK) != 0)
        e = ERR_NOENT;
    if (e == ERR_OK)
        e = registry_db_open((const char *)path.p, REGISTRY_DB_READ, &f->db,
                             &f->messages);
    buf_free(&path);
    return e;
}

/* True: it is another one now. Without a registry there is none, and what could
 * not be read is none either. */
static bool
follow_registry(struct live_feeds *f)
{
    enum err e = ERR_OK;

    if (f->book_of_file)
        return false;
    if (f->db == NULL) {
        e = open_registry(f);
        if (e == ERR_OK)
            e = book_new(&f->book);
    } else if (!registry_db_changed(f->db)) {
        return false;
    }
    if (e == ERR_OK)
        e = registry_replay(f->db, f->book, &f->messages);
    if (e == ERR_OK)
        e = book_index(f->book);
    if (e == ERR_OK)
        return true;
    registry_db_close(f->db);
    book_free(f->book);
    f->db = NULL;
    f->book = NULL;
    return false;
}

/* As the core: a file only where the state has no registry. */
static enum err
read_file(struct live_feeds *f)
{
    const char *path = f->config->registry;
    struct buf text;
    enum err e;

    if (f->book != NULL || path == NULL)
        return ERR_OK;
    buf_init(&text, REGISTRY_BYTES);
    e = read_output_load(path, &text, &f->messages);
    if (e == ERR_OK)
        e = registry_forms_book(buf_view(&text), path, &f->book, &f->messages);
    if (e == ERR_OK)
        e = book_index(f->book);
    buf_free(&text);
    f->book_of_file = e == ERR_OK;
    return e;
}

/* ---- the index ---- */

static bool
open_index(struct live_feeds *f)
{
    struct buf why;

    if (f->index != NULL)
        return true;
    buf_init(&why, 1024);
    if (index_reader_open(f->live->state, &f->index, &why) != ERR_OK) {
        f->index = NULL;
        buf_putc(&why, 0);
        if (!f->no_index)
            complain("feeds_index", "index.db", (const char *)why.p);
    }
    f->no_index = f->index == NULL;
    buf_free(&why);
    return f->index != NULL;
}

/* Is there one that was not looked at? */
static bool
has_news(struct live_feeds *f)
{
    uint64_t newest = 0;
    bool news;

    if (index_acts_newest(f->index, &newest) != ERR_OK)
        return true;
    news = newest != f->newest;
    f->newest = newest;
    return news;
}

/* ---- how much was seen ---- */

static void
take_blind(void *ctx, const struct live_check *c)
{
    *(bool *)ctx |= c->blind;
}

/* The index has what the journal had LIVE_FEEDS_BEHIND_NS ago. */
static bool
is_behind(struct live_feeds *f, ns_t mono)
{
    const struct live_board *b = f->live->board;

    if (atomic_load(&b->index_seq) >= f->sample_seq) {
        f->sample_seq = atomic_load(&b->core.journal_seq);
        f->sample_mono = mono;
    }
    return mono > f->sample_mono + LIVE_FEEDS_BEHIND_NS;
}

static uint64_t
quality(struct live_feeds *f, ns_t now)
{
    const struct live_window *w = &f->live->board->core.window;
    const ns_t mono = clock_of(CLOCK_MONOTONIC);
    struct feed_sight s = {.seen = atomic_load(&w->bytes_seen),
                           .unseen = atomic_load(&w->bytes_unseen),
                           .packets = atomic_load(&w->packets),
                           .dropped = atomic_load(&w->dropped) +
                                      atomic_load(&w->missed)};

    live_health(f->live->board, &f->health, mono, now, take_blind, &s.blind);
    s.blind |= atomic_load(&w->length_ns) == 0 || is_behind(f, mono);
    return feed_sight_permille(&s);
}

/* ---- the lists ---- */

static void
name_of(const struct feed_kind *k, struct buf *out)
{
    buf_init(out, 64);
    feed_kind_file(k, out);
    buf_putc(out, 0);
}

static void
write_list(struct live_feeds *f, const struct feed_kind *k, ns_t now)
{
    const struct feed *set = &f->serve.held->set;
    const struct render_options o = {.vendor = k->vendor,
                                     .now = now > set->made ? now : set->made};
    struct buf text, name;
    enum err e;

    name_of(k, &name);
    buf_init(&text, LIST_BYTES);
    e = render(set, k->format, &o, &text);
    if (e == ERR_OK)
        e = feed_store_put(&f->store, (const char *)name.p, buf_view(&text));
    if (e != ERR_OK)
        complain("feeds_list", (const char *)name.p, err_text(e));
    buf_free(&text);
    buf_free(&name);
}

static void
write_lists(struct live_feeds *f, ns_t now)
{
    for (size_t i = 0; i < f->n_lists; i++)
        write_list(f, &f->lists[i], now);
    f->removed = false;
}

/* A file that is over must not be loaded: what it says of times left would
 * begin anew. */
static void
remove_over(struct live_feeds *f, ns_t now)
{
    if (f->removed || f->serve.held == NULL || now < f->serve.held->set.expires)
        return;
    for (size_t i = 0; i < f->n_lists; i++) {
        struct buf name;

        name_of(&f->lists[i], &name);
        if (f->lists[i].format != RENDER_NFT_RULES)
            feed_store_remove(&f->store, (const char *)name.p);
        buf_free(&name);
    }
    f->removed = true;
    complain("feeds_over", "lists",
             "no new set was made until the end of the "
             "last one");
}

/* ---- the set ---- */

static void
show(struct live_feeds *f, const struct feed *notes)
{
    const struct feed *set = &f->serve.held->set;

    atomic_store(&f->board->serial, set->serial);
    atomic_store(&f->board->elements, set->n);
    atomic_store(&f->board->made_utc_ns, set->made);
    atomic_store(&f->board->expires_utc_ns, set->expires);
    if (notes == NULL)
        return;
    atomic_store(&f->board->kept_out, notes->n_notes);
    atomic_store(&f->board->waiting, notes->counts[FEED_WHY_CAP_HOUR] +
                                         notes->counts[FEED_WHY_CAP_TOTAL]);
}

/* When the first of its elements is over, or it is to be made anew. */
static ns_t
next_of(const struct live_feeds *f, const struct feed *set)
{
    ns_t next = set->made + f->limits.deadman_s * NS_PER_S / RENEWALS;

    for (size_t i = 0; i < set->n; i++)
        next = set->v[i].until < next ? set->v[i].until : next;
    return next;
}

/* One that says what the last one said is not worth a fetch, yet. */
static bool
is_worth(const struct live_feeds *f, const struct feed *set, ns_t now)
{
    return f->serve.held == NULL || f->serve.held->set.serial != set->serial ||
           now >= f->next;
}

static void
take_set(struct live_feeds *f, struct feed *set, ns_t now)
{
    const bool other =
        f->serve.held == NULL || f->serve.held->set.serial != set->serial;
    struct feed_held *h;

    /* Kept first: a serial is never told twice for two sets. */
    if (feed_store_keep(&f->store, NULL, set) != ERR_OK) {
        complain("feeds_list", "set", "it cannot be kept in feeds/");
        return;
    }
    h = feed_held_new(set);
    if (h == NULL)
        return;
    feed_held_drop(f->serve.held);
    f->serve.held = h;
    f->next = next_of(f, &h->set);
    show(f, &h->set);
    write_lists(f, now);
    if (other)
        tell_set(&h->set);
}

static enum feed_verdict
make(struct live_feeds *f, const struct feed_source *s, ns_t now,
     struct feed *set)
{
    const struct feed *last =
        f->serve.held != NULL ? &f->serve.held->set : NULL;
    const struct feed_in in = {
        .entries = s->entries,
        .n = s->n,
        .never = s->never,
        .n_never = s->n_never,
        .never_known = s->never_known,
        .quality_permille = quality(f, now),
        .allow_empty = last != NULL ? feed_source_explains(s, last, now)
                                    : f->config->feeds_empty,
        .limits = &f->limits,
        .last = last,
        .now = now};

    return feed_make(&in, set);
}

struct reading {
    struct exceptions *to;
    enum err e;
};

static void
take_exception(void *ctx, uint64_t seq, struct span record)
{
    struct reading *r = ctx;
    struct record_map m;
    enum err e;

    (void)seq;
    record_map_init(&m, record);
    e = exceptions_event(r->to, &m);
    if (e != ERR_OK && e != ERR_FORMAT)
        r->e = e;
}

static enum err
read_exceptions(struct live_feeds *f, struct exceptions **out)
{
    struct reading r = {.e = exceptions_new(out)};

    if (r.e != ERR_OK) {
        *out = NULL;
        return r.e;
    }
    r.to = *out;
    if (index_acts(f->index, "exception", SPAN_NONE, take_exception, &r) !=
        ERR_OK)
        return ERR_STORE;
    return r.e;
}

static enum err
read_source(struct live_feeds *f, struct exceptions **x, ns_t now,
            struct feed_source *s)
{
    enum err e = read_exceptions(f, x);

    *s = (struct feed_source){.n = 0};
    if (e == ERR_OK) {
        const struct feed_source_in in = {.index = f->index,
                                          .book = f->book,
                                          .exceptions = *x,
                                          .keep = &f->config->feeds_protected,
                                          .now = now};

        e = feed_source_read(&in, s);
    }
    if (e == ERR_OK)
        return ERR_OK;
    complain("feeds_index", "index.db", err_text(e));
    index_reader_close(f->index);
    f->index = NULL;
    return e;
}

static void
make_new(struct live_feeds *f, ns_t now)
{
    struct exceptions *x = NULL;
    struct feed set = {.n = 0};
    struct feed_source s;
    enum feed_verdict v;

    f->made = now;
    if (read_source(f, &x, now, &s) == ERR_OK) {
        v = make(f, &s, now, &set);
        tell_verdict(f, v);
        if (v == FEED_DONE && is_worth(f, &set, now))
            take_set(f, &set, now);
    }
    feed_fini(&set);
    feed_source_fini(&s);
    exceptions_free(x);
}

static void
look(struct live_feeds *f)
{
    const ns_t now = clock_of(CLOCK_REALTIME);
    bool due;

    if (now >= f->looked && now < f->looked + LIVE_FEEDS_TURN_NS)
        return;
    due = follow_registry(f) || now < f->looked || now >= f->next ||
          now >= f->made + AGAIN_NS;
    f->looked = now;
    if (f->told != FEED_DONE || !f->has_told)
        due = true;
    log_lines(&f->messages);
    if (open_index(f) && (has_news(f) || due))
        make_new(f, now);
    remove_over(f, now);
}

/* ---- who fetches ---- */

static void
note_fetch(struct live_feeds *f, size_t i)
{
    const struct feed_consumer *c = &f->serve.v[i];
    struct live_consumer *on = &f->board->consumer[i];
    const bool other = atomic_load(&on->serial) != c->fetch.serial;

    atomic_fetch_add(&on->fetches, 1);
    atomic_store(&on->last_utc_ns, c->fetch.when);
    atomic_store(&on->serial, c->fetch.serial);
    if (!other && c->fetch.when < f->seen[i] + LIVE_FEEDS_SEEN_NS)
        return;
    f->seen[i] = c->fetch.when;
    if ((other &&
         feed_store_keep(&f->store, c->name, &c->had->set) != ERR_OK) ||
        feed_store_see(&f->store, c->name, &c->fetch) != ERR_OK)
        complain("feeds_list", c->name, "its fetch cannot be noted");
}

static void
on_done(void *ctx, struct feed_consumer *c)
{
    struct live_feeds *f = ctx;

    if (c == NULL)
        atomic_fetch_add(&f->board->strangers, 1);
    else
        note_fetch(f, (size_t)(c - f->serve.v));
}

static ns_t
utc_now(void)
{
    return clock_of(CLOCK_REALTIME);
}

/* ---- life ---- */

static enum err
load_text(const char *path, size_t most, struct buf *out)
{
    const int number = whole_file_load(path, most, out);

    if (number == 0)
        buf_putc(out, 0);
    if (number == 0 && !out->cut && !out->failed)
        return ERR_OK;
    complain("feeds_file", path, number != 0 ? strerror(number) : "too long");
    return ERR_CONFIG;
}

/* What it had before this process, so that it is told what changed since. */
static void
remember(struct live_feeds *f, size_t i)
{
    struct feed_consumer *c = &f->serve.v[i];
    struct feed had;

    feed_store_seen(&f->store, c->name, &c->fetch);
    if (c->fetch.when != 0 &&
        feed_store_last(&f->store, c->name, &had) == ERR_OK) {
        c->had = feed_held_new(&had);
        feed_fini(&had);
    }
    atomic_store(&f->board->consumer[i].last_utc_ns, c->fetch.when);
    atomic_store(&f->board->consumer[i].serial, c->fetch.serial);
}

static enum err
add_consumer(struct live_feeds *f, const struct config_consumer *from)
{
    struct feed_consumer *c = &f->serve.v[f->serve.n];
    struct buf text;
    enum err e = load_text(from->token, PEM_BYTES, &text);

    (void)snprintf(c->name, sizeof(c->name), "%s", from->name);
    c->kind = options_consumers_kind(from);
    if (e == ERR_OK &&
        !feed_serve_token(span_head(buf_view(&text), text.n - 1), c->token)) {
        complain("feeds_file", from->token,
                 "no token of 16 to 256 characters in one line");
        e = ERR_CONFIG;
    }
    for (size_t i = 0; e == ERR_OK && i < f->serve.n; i++) {
        if (memcmp(f->serve.v[i].token, c->token, sizeof(c->token)) == 0) {
            complain("feeds_file", from->token, "two consumers have one token");
            e = ERR_CONFIG;
        }
    }
    buf_free(&text);
    if (e == ERR_OK)
        remember(f, f->serve.n++);
    return e;
}

static enum err
open_web(struct live_feeds *f)
{
    const struct config *c = f->config;
    const bool tls = c->feeds_certificate != NULL;
    struct feed_web_options o = {
        .serve = &f->serve, .done = on_done, .now = utc_now, .ctx = f};
    struct addr a;
    uint16_t port;
    enum err e = ERR_OK;

    if (c->feeds_listen == NULL || c->feeds_listen[0] == '\0')
        return ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->consumers.n; i++)
        e = add_consumer(f, &c->consumers.v[i]);
    if (e == ERR_OK && tls)
        e = load_text(c->feeds_certificate, PEM_BYTES, &f->certificate);
    if (e == ERR_OK && tls)
        e = load_text(c->feeds_key, PEM_BYTES, &f->key);
    if (e != ERR_OK || !listen_address(span_str(c->feeds_listen), &a, &port))
        return ERR_CONFIG;
    o.certificate = tls ? (const char *)f->certificate.p : NULL;
    o.key = tls ? (const char *)f->key.p : NULL;
    o.listener = listen_open(&a, port);
    if (o.listener < 0) {
        complain("feeds_cannot_listen", c->feeds_listen, strerror(errno));
        return ERR_IO;
    }
    e = feed_web_open(&o, &f->web);
    if (e != ERR_OK)
        complain("feeds_cannot_listen", c->feeds_listen,
                 e == ERR_CONFIG ? "certificate and key are none, or do not fit"
                                 : err_text(e));
    return e;
}

static enum err
open_store(struct live_feeds *f)
{
    struct feed last;
    enum err e = feed_store_open(f->live->state, &f->store, &f->messages);

    if (e == ERR_BUSY)
        complain("feeds_busy", "feeds/lock", "blocks export makes a list");
    if (e != ERR_OK)
        return e;
    e = feed_store_last(&f->store, NULL, &last);
    if (e == ERR_OK) {
        f->serve.held = feed_held_new(&last);
        if (f->serve.held != NULL)
            show(f, NULL);
        feed_fini(&last);
    } else if (e != ERR_NOENT) {
        complain("feeds_list", "feeds/set",
                 "it cannot be read, and nothing is built upon it");
        return e;
    }
    return ERR_OK;
}

static enum err
begin(struct live_feeds *f)
{
    enum err e = open_store(f);

    for (size_t i = 0; i < f->config->feeds_lists.n; i++)
        f->n_lists += feed_kind_read(span_str(f->config->feeds_lists.v[i]),
                                     &f->lists[f->n_lists]);
    if (e == ERR_OK)
        (void)follow_registry(f);
    if (e == ERR_OK)
        e = read_file(f);
    if (e == ERR_OK)
        e = open_web(f);
    if (e == ERR_OK && !confine_files(f->live->state))
        e = ERR_PERM;
    if (e == ERR_OK)
        e = confine(CONFINE_FEEDS);
    log_lines(&f->messages);
    return e;
}

static void
await(struct live_feeds *f)
{
    static const struct timespec nap = {.tv_nsec =
                                            LIVE_FEEDS_WAIT_MS * NS_PER_MS};

    if (f->web != NULL)
        feed_web_turn(f->web, LIVE_FEEDS_WAIT_MS);
    else
        (void)nanosleep(&nap, NULL);
}

static void
end(struct live_feeds *f)
{
    feed_web_close(f->web);
    feed_serve_fini(&f->serve);
    index_reader_close(f->index);
    registry_db_close(f->db);
    book_free(f->book);
    feed_store_close(&f->store);
    buf_free(&f->certificate);
    buf_free(&f->key);
    buf_free(&f->messages);
    free(f);
}

enum err
live_feeds_run(struct live *l)
{
    struct live_feeds *f = calloc(1, sizeof(*f));
    enum err e;

    if (f == NULL)
        return ERR_NOMEM;
    f->live = l;
    f->config = &l->cli->config;
    f->board = &l->board->feeds;
    f->limits = feed_limits_of(f->config);
    f->health = live_report_limits(f->config);
    f->store.lock = -1;
    buf_init(&f->certificate, PEM_BYTES);
    buf_init(&f->key, PEM_BYTES);
    buf_init(&f->messages, 1 << 16);
    e = begin(f);
    while (e == ERR_OK && *l->stop == 0) {
        atomic_store(&f->board->process.beat_mono_ns,
                     clock_of(CLOCK_MONOTONIC));
        look(f);
        await(f);
    }
    end(f);
    return e;
}

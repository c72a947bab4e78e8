#include "sensor/app/desk_feeds.h"

#include <string.h>

#include "sensor/app/desk_event.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/read_output.h"
#include "sensor/app/registry_forms.h"
#include "sensor/base/text.h"
#include "sensor/journal/state.h"

#define REGISTRY_BYTES (1U << 30)
#define STATS_LOOKED   32U /* newest ones: not each says how much was seen */

void
desk_feeds_init(struct desk_feeds *f, struct desk *d)
{
    *f = (struct desk_feeds){.desk = d,
                             .store = {.lock = -1},
                             .limits = feed_limits_of(d->config),
                             .preview = d->config->preview};
}

void
desk_feeds_fini(struct desk_feeds *f)
{
    feed_fini(&f->set);
    feed_fini(&f->last);
    feed_source_fini(&f->source);
    feed_store_close(&f->store);
    exceptions_free(f->exceptions);
}

bool
desk_feeds_live(struct desk_feeds *f)
{
    struct buf why;
    enum err e;

    buf_init(&why, 1024);
    e = state_open(f->desk->config->state, STATE_LIVE, &why);
    buf_free(&why);
    return e == ERR_OK;
}

/* ---- what is known ---- */

/* As a live sensor: the state's, else the file of the configuration. */
static enum cli_exit
read_registry(struct desk *d)
{
    const char *path = d->config->registry;
    struct buf text;
    enum err e;

    desk_book(d);
    if (d->book != NULL || path == NULL)
        return CLI_EXIT_DONE;
    buf_init(&text, REGISTRY_BYTES);
    e = read_output_load(path, &text, d->messages);
    if (e == ERR_OK)
        e = registry_forms_book(buf_view(&text), path, &d->book, d->messages);
    buf_free(&text);
    return e == ERR_OK ? CLI_EXIT_DONE : CLI_EXIT_FAILED;
}

static enum cli_exit
read_last(struct desk_feeds *f)
{
    enum err e = feed_store_last(&f->store, NULL, &f->last);

    if (e == ERR_OK || e == ERR_NOENT)
        return CLI_EXIT_DONE;
    return desk_say_value(f->desk, CLI_EXIT_STORE, "the last set in ",
                          span_str(f->store.dir),
                          " cannot be read: nothing is built upon it; move "
                          "it away to begin anew");
}

enum cli_exit
desk_feeds_read(struct desk_feeds *f)
{
    struct desk *d = f->desk;
    enum cli_exit code = read_registry(d);
    enum err e = ERR_OK;

    if (code == CLI_EXIT_DONE)
        code = desk_exceptions_read(d, &f->exceptions);
    if (code == CLI_EXIT_DONE) {
        const struct feed_source_in in = {.index = d->index,
                                          .book = d->book,
                                          .exceptions = f->exceptions,
                                          .keep = &d->config->feeds_protected,
                                          .now = d->now,
                                          .preview = f->preview};

        e = feed_source_read(&in, &f->source);
    }
    if (e != ERR_OK)
        code = e == ERR_LIMIT || e == ERR_NOMEM
                   ? desk_say(d, CLI_EXIT_FAILED, err_text(e))
                   : desk_say_index(d);
    return code == CLI_EXIT_DONE ? read_last(f) : code;
}

/* ---- how much was seen ---- */

struct latest {
    uint64_t seq[STATS_LOOKED];
    size_t n;
};

static void
take_stats(void *ctx, const struct index_event *e)
{
    struct latest *l = ctx;

    if (l->n < STATS_LOOKED)
        l->seq[l->n++] = e->seq;
}

/* Nothing that was measured lately: nothing was seen. */
static uint64_t
quality(struct desk *d)
{
    struct latest l = {.n = 0};
    struct index_query q = {.type = "stats",
                            .from = d->now > FEED_SOURCE_SIGHT_NS
                                        ? d->now - FEED_SOURCE_SIGHT_NS
                                        : 0,
                            .to = d->now + 1,
                            .limit = STATS_LOOKED};
    uint64_t found = 0;
    bool known = false;

    if (index_events(d->index, &q, take_stats, &l) != ERR_OK)
        return 0;
    for (size_t i = 0; i < l.n && !known; i++) {
        struct desk_event e, *one = &e;
        struct feed_sight sight;
        struct record_map m;

        desk_event_init(&e);
        e.seq = l.seq[i];
        desk_event_read(d, &one, 1);
        if (e.record.n > 0) {
            record_map_init(&m, buf_view(&e.record));
            known = feed_sight_of(&m, &sight);
        }
        if (known)
            found = feed_sight_permille(&sight);
        desk_event_fini(&e);
    }
    return found;
}

/* ---- the set ---- */

/* A preview goes on from nothing, and nothing stands against it but what
 * becomes of each entry. */
void
desk_feeds_make(struct desk_feeds *f)
{
    const bool p = f->preview;
    const struct feed_in in = {
        .entries = f->source.entries,
        .n = f->source.n,
        .never = f->source.never,
        .n_never = f->source.n_never,
        .never_known = p || f->source.never_known,
        .quality_permille = p ? 1000 : quality(f->desk),
        .allow_empty = p || f->desk->config->allow_empty,
        .limits = &f->limits,
        .last = p || f->last.serial == 0 ? NULL : &f->last,
        .now = f->desk->now,
    };

    f->verdict = feed_make(&in, &f->set);
}

static const char *
hint_of(const struct desk_feeds *f)
{
    switch (f->verdict) {
    case FEED_EMPTY:
        return f->source.before > 0
                   ? "decisions in force are simulated, not enforced "
                     "(--preview shows them); --allow-empty prints a list "
                     "without an element"
                   : "--allow-empty prints it";
    case FEED_QUALITY:
        return "no sensor has told lately that it saw enough; see span25 "
               "doctor";
    case FEED_UNKNOWN:
        return "there is no registry in the state, and none in the "
               "configuration (network.registry)";
    case FEED_DONE:
    case FEED_BACKWARD:
    case FEED_LIMITS:
    case FEED_MANY:
    case FEED_MEMORY: break;
    }
    return "the last list stays until its end";
}

enum cli_exit
desk_feeds_refuse(struct desk_feeds *f)
{
    buf_printf(f->desk->messages, "span25: no list: %s: %s\n",
               feed_verdict_doc(f->verdict), hint_of(f));
    return f->verdict == FEED_MEMORY ? CLI_EXIT_FAILED : CLI_EXIT_REFUSED;
}

void
desk_feeds_notes(struct desk_feeds *f, struct buf *out)
{
    for (size_t i = 0; i < f->set.n_notes; i++) {
        const struct feed_note *n = &f->set.notes[i];
        const char *between = ": ";

        prefix_format(&n->prefix, out);
        for (unsigned w = 0; w < FEED_WHY_COUNT; w++) {
            if ((n->why >> w & 1) == 0)
                continue;
            buf_printf(out, "%s%s", between, feed_why_doc((enum feed_why)w));
            between = "; ";
        }
        buf_str(out, n->listed ? "; listed in part, or for a shorter time\n"
                               : "; not listed\n");
    }
}

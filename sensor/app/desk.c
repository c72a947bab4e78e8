#include "sensor/app/desk.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rules/registry/book.h"
#include "sensor/app/caller.h"
#include "sensor/app/help.h"
#include "sensor/app/kept.h"
#include "sensor/app/live_socket.h"
#include "sensor/app/registry.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"
#include "sensor/core/core.h"
#include "sensor/core/follow.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/registry_db.h"

#define PATH_MAX_BYTES 8192
#define BEHIND_MOST    100000U /* lines; an index further behind is told of */
#define BEHIND_NAPS    100U    /* of 10 ms, until it has what was told */

static const struct {
    enum verb verb;
    enum cli_exit (*run)(struct desk *d);
} uses[] = {
    {VERB_ALERTS_LIST,       desk_alerts_list      },
    {VERB_ALERTS_SHOW,       desk_alerts_show      },
    {VERB_ALERTS_ACK,        desk_alerts_act       },
    {VERB_ALERTS_ESCALATE,   desk_alerts_act       },
    {VERB_ALERTS_CLOSE,      desk_alerts_act       },
    {VERB_ALERTS_REOPEN,     desk_alerts_act       },
    {VERB_HOSTS_LIST,        desk_hosts_list       },
    {VERB_HOSTS_SHOW,        desk_hosts_show       },
    {VERB_BLOCKS_LIST,       desk_blocks_list      },
    {VERB_BLOCKS_ADD,        desk_blocks_add       },
    {VERB_BLOCKS_LIFT,       desk_blocks_lift      },
    {VERB_BLOCKS_EXPORT,     desk_blocks_export    },
    {VERB_BLOCKS_DIFF,       desk_blocks_diff      },
    {VERB_BLOCKS_REPORT,     desk_blocks_report    },
    {VERB_BLOCKS_APPROVE,    desk_blocks_approve   },
    {VERB_BLOCKS_REFUSE,     desk_blocks_refuse    },
    {VERB_POLICY_SHOW,       desk_policy_show      },
    {VERB_POLICY_MODE,       desk_policy_say       },
    {VERB_POLICY_PAUSE,      desk_policy_say       },
    {VERB_POLICY_RESUME,     desk_policy_say       },
    {VERB_EXPLAIN,           desk_explain          },
    {VERB_EXCEPTIONS_ADD,    desk_exceptions_add   },
    {VERB_EXCEPTIONS_LIST,   desk_exceptions_list  },
    {VERB_EXCEPTIONS_REMOVE, desk_exceptions_remove},
};

/* ---- messages ---- */

enum cli_exit
desk_say(struct desk *d, enum cli_exit code, const char *text)
{
    buf_printf(d->messages, "span25: %s\n", text);
    return code;
}

enum cli_exit
desk_say_value(struct desk *d, enum cli_exit code, const char *text,
               struct span value, const char *after)
{
    buf_printf(d->messages, "span25: %s'", text);
    text_term(d->messages, value);
    buf_printf(d->messages, "'%s\n", after);
    return code;
}

/* "span25: DIR: why" */
static enum cli_exit
say_state(struct desk *d, enum cli_exit code, const struct buf *why, enum err e)
{
    struct span text = why->n > 0 ? buf_view(why) : span_str(err_text(e));

    while (text.n > 0 && span_at(text, text.n - 1) == '\n')
        text.n--;
    buf_str(d->messages, "span25: ");
    text_term(d->messages, span_str(d->config->state));
    buf_str(d->messages, ": ");
    text_term(d->messages, text);
    buf_putc(d->messages, '\n');
    return code;
}

enum cli_exit
desk_say_index(struct desk *d)
{
    struct buf why;

    buf_init(&why, 1024);
    index_reader_why(d->index, &why);
    (void)say_state(d, CLI_EXIT_STORE, &why, ERR_STORE);
    buf_free(&why);
    return CLI_EXIT_STORE;
}

enum cli_exit
desk_table(struct desk *d, const struct registry_table *t, const char *name,
           const char *empty)
{
    if (registry_table_write(t, d->config, name, empty, d->out))
        return CLI_EXIT_DONE;
    return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}

bool
desk_since(struct desk *d, const char *text, ns_t *out)
{
    *out = 0;
    if (text == NULL || registry_time_since(span_str(text), d->now, out))
        return true;
    (void)desk_say_value(d, CLI_EXIT_USAGE, "", span_str(text),
                         " is not a time such as 24h or 2026-11-22T09:12:00Z");
    return false;
}

/* ---- the registry ---- */

static bool
path_of(const struct desk *d, const char *name, struct buf *out)
{
    buf_init(out, PATH_MAX_BYTES);
    buf_str(out, d->config->state);
    buf_str(out, name);
    buf_putc(out, 0);
    return !out->cut && !out->failed;
}

void
desk_book(struct desk *d)
{
    struct registry_db *db = NULL;
    struct buf path, why;
    enum err e = ERR_NOENT;

    if (d->book != NULL)
        return;
    buf_init(&why, 4096);
    if (path_of(d, "/" REGISTRY_DB_FILE, &path) &&
        access((const char *)path.p, F_OK) == 0) {
        e = registry_db_open((const char *)path.p, REGISTRY_DB_READ, &db, &why);
        if (e == ERR_OK)
            e = book_new(&d->book);
        if (e == ERR_OK)
            e = registry_replay(db, d->book, &why);
        if (e == ERR_OK)
            e = book_index(d->book);
    }
    if (e != ERR_OK && e != ERR_NOENT)
        (void)say_state(d, CLI_EXIT_STORE, &why, e);
    if (e != ERR_OK) {
        book_free(d->book);
        d->book = NULL;
    }
    registry_db_close(db);
    buf_free(&path);
    buf_free(&why);
}

/* ---- the index ---- */

/* Who gets the lock is the only one, so all that is there is durable after a
 * sync. */
static enum err
bring_up(struct desk *d, struct journal *j, struct buf *why)
{
    uint64_t damaged = 0;
    enum err e = journal_sync(j);

    if (e == ERR_OK && journal_durable(j) == 0)
        (void)desk_say(d, CLI_EXIT_DONE, "the journal has no events");
    if (e == ERR_OK)
        e = follow_index(d->config->state, journal_durable(j), &damaged,
                         d->messages);
    d->partial = d->partial || damaged > 0;
    if (e != ERR_OK && why->n == 0)
        buf_str(why, err_text(e));
    return e;
}

static bool
is_there(const struct desk *d, const char *name)
{
    struct buf path;
    bool there =
        path_of(d, name, &path) && access((const char *)path.p, F_OK) == 0;

    buf_free(&path);
    return there;
}

/* What was cut off it earlier, so that it is told as long as it lies there. */
static void
tell_cut_off(struct desk *d)
{
    struct buf path;
    DIR *dir =
        path_of(d, "/journal", &path) ? opendir((const char *)path.p) : NULL;
    const struct dirent *e;

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        if (!span_starts(span_str(e->d_name), SPAN_LIT("damaged-")))
            continue;
        d->partial = true;
        (void)desk_say_value(d, CLI_EXIT_PARTIAL,
                             "the journal was damaged: what was cut off is in ",
                             span_str(e->d_name),
                             ", and nothing of it is shown");
    }
    if (dir != NULL)
        (void)closedir(dir);
    buf_free(&path);
}

static void
tell_recovery(struct desk *d, const struct journal_recovery *r)
{
    if (r->bad_lines == 0)
        return;
    d->partial = true;
    buf_str(d->messages, "span25: the journal is damaged: lines of its last "
                         "segment that cannot be read: ");
    buf_u64(d->messages, r->bad_lines);
    buf_putc(d->messages, '\n');
}

/* Where the journal ends, in one that is not kept. */
struct end {
    struct journal_reader *reader;
    uint64_t at, last; /* the last line, and the last one that must be shown */
};

/* Opening reads a segment from its beginning: that is worth as many lines. */
static bool
open_end(const struct desk *d, struct end *end, uint64_t indexed)
{
    struct buf why;

    if (end->reader != NULL && end->at + BEHIND_MOST >= indexed)
        return true;
    journal_reader_close(end->reader);
    *end = (struct end){.at = indexed, .last = indexed};
    buf_init(&why, 4096);
    if (journal_reader_open(d->config->state, indexed + 1, &end->reader,
                            &why) != ERR_OK)
        end->reader = NULL;
    buf_free(&why);
    return end->reader != NULL;
}

/* The last line behind the index that tells of an alert, a decision or what
 * somebody did: those are on disk at once. 0: it cannot be said. */
static uint64_t
find_end(const struct desk *d, struct end *end, uint64_t indexed)
{
    enum journal_read got = JOURNAL_READ_FAILED;
    struct journal_line line;

    if (!open_end(d, end, indexed))
        return 0;
    do {
        got = journal_read(end->reader, &line);
        if (got != JOURNAL_READ_LINE)
            break;
        end->at = line.seq;
        if (keep_of_json(line.json) == KEEP_ALERTS)
            end->last = line.seq;
    } while (end->at < indexed + BEHIND_MOST);
    if (got == JOURNAL_READ_WAIT)
        return end->last > indexed ? end->last : indexed;
    journal_reader_close(end->reader);
    end->reader = NULL;
    return 0;
}

static uint64_t
journal_end(const struct desk *d, uint64_t indexed)
{
    struct kept *k = d->cli->kept;
    struct end end = {.reader = NULL};
    uint64_t last;

    if (k == NULL) {
        last = find_end(d, &end, indexed);
        journal_reader_close(end.reader);
        return last;
    }
    (void)pthread_mutex_lock(&k->end_lock);
    end = (struct end){k->end, k->end_at, k->end_last};
    last = find_end(d, &end, indexed);
    k->end = end.reader;
    k->end_at = end.at;
    k->end_last = end.last;
    (void)pthread_mutex_unlock(&k->end_lock);
    return last;
}

/* A live sensor's index is a moment behind: who has just said something must
 * see it, and mail of the last second may be missing. False: it is further
 * behind than one waits. */
static bool
wait_for_index(const struct desk *d)
{
    static const struct timespec nap = {.tv_nsec = 10000000};
    uint64_t at, end;

    if (index_reader_position(d->index, &at) != ERR_OK)
        return false;
    end = journal_end(d, at);
    for (unsigned i = 0; i < BEHIND_NAPS && at < end; i++) {
        (void)nanosleep(&nap, NULL);
        if (index_reader_position(d->index, &at) != ERR_OK)
            return false;
    }
    return end != 0 && at >= end;
}

/* A state that may only be read, or whose journal another process has, is
 * shown as its index has it. */
static enum cli_exit
open_index(struct desk *d)
{
    struct journal_recovery recovery = {0};
    struct journal *j = NULL;
    enum cli_exit code = CLI_EXIT_DONE;
    struct buf why;
    bool busy;
    enum err e;

    buf_init(&why, 4096);
    e = journal_open(d->config->state, NULL, &j, &recovery, &why);
    if (e == ERR_OK)
        e = bring_up(d, j, &why);
    (void)journal_close(j);
    tell_recovery(d, &recovery);
    tell_cut_off(d);
    busy = e == ERR_BUSY;
    if (e != ERR_OK && !busy)
        (void)say_state(d, code, &why, e);
    buf_reset(&why);
    e = index_reader_open(d->config->state, &d->index, &why);
    if (e != ERR_OK)
        code = say_state(d, CLI_EXIT_STORE, &why, e);
    else if (busy && !wait_for_index(d))
        (void)desk_say(d, code,
                       "another process has the journal; what it has "
                       "not yet indexed is not shown");
    buf_free(&why);
    return code;
}

/* ---- writing ---- */

struct desk_writer {
    struct desk *desk;
    struct journal *journal; /* NULL: not here, or a dry run */
    struct core *core;
    int live;         /* the core of a live sensor, or -1 */
    enum err refused; /* by it */
};

/* A live sensor has the journal: it writes what is told. */
static bool
is_live(struct desk_writer *w, enum err e)
{
    return e == ERR_BUSY &&
           live_socket_dial(w->desk->config->state, &w->live) == ERR_OK;
}

enum cli_exit
desk_open(struct desk *d, struct desk_writer **out)
{
    struct desk_writer *w = calloc(1, sizeof(*w));
    struct core_options o = {.sensor = d->config->name};
    struct journal_recovery recovery;
    enum cli_exit code = CLI_EXIT_DONE;
    struct buf why;
    enum err e = w != NULL ? ERR_OK : ERR_NOMEM;

    if (w != NULL)
        *w = (struct desk_writer){.desk = d, .live = -1};
    *out = w;
    if (e != ERR_OK || d->config->dry_run)
        return e == ERR_OK ? code : desk_say(d, CLI_EXIT_FAILED, err_text(e));
    buf_init(&why, 4096);
    e = journal_open(d->config->state, NULL, &w->journal, &recovery, &why);
    o.journal = w->journal;
    if (e == ERR_OK)
        e = core_new(&o, &w->core);
    if (e != ERR_OK && !is_live(w, e)) {
        code = say_state(d, CLI_EXIT_STORE, &why, e);
        (void)desk_say(d, code, "nothing was changed");
        (void)journal_close(w->journal);
        free(w);
        *out = NULL;
    }
    buf_free(&why);
    return code;
}

void
desk_begin(struct desk *d, struct record_out *r, const char *kind,
           const char *action)
{
    struct record_head head = {.when = d->now / NS_PER_US * NS_PER_US,
                               .type = EVENT_CONTROL};

    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, kind);
    record_text(r, FIELD_CONTROL_ACTION, action);
    record_time(r, FIELD_CONTROL_TIME, head.when);
    record_text(r, FIELD_CONTROL_ACTOR, d->actor);
}

static void
tell_live(struct desk_writer *w, struct span record)
{
    struct buf why;

    if (w->refused != ERR_OK)
        return;
    buf_init(&why, 1024);
    w->refused = live_socket_ask(w->live, record, &why);
    if (w->refused != ERR_OK) {
        buf_putc(&why, 0);
        (void)desk_say_value(w->desk, CLI_EXIT_STORE,
                             "the running sensor did not take it: ",
                             span_head(buf_view(&why), why.n - 1), "");
    }
    buf_free(&why);
}

/* The event_id is made from time and number: the journal's next number is
 * nobody else's. */
void
desk_tell(struct desk_writer *w, const struct record_out *r)
{
    struct span view = record_view(r);
    struct record_head head = record_head_of(view);
    struct record_out numbered;

    w->desk->told++;
    if (w->live >= 0)
        tell_live(w, view);
    if (w->core == NULL)
        return;
    head.seq = (uint32_t)journal_position(w->journal).next_seq;
    record_init(&numbered);
    record_begin(&numbered, &head);
    record_entries(&numbered, span_tail(view, RECORD_HEAD));
    core_tell(w->core, record_view(&numbered));
    record_free(&numbered);
}

bool
desk_is_live(const struct desk_writer *w)
{
    return w->live >= 0;
}

enum cli_exit
desk_close(struct desk_writer *w, enum cli_exit code)
{
    struct desk *d;
    struct buf why;
    enum err e = ERR_OK;

    if (w == NULL)
        return code;
    d = w->desk;
    buf_init(&why, 4096);
    if (w->core != NULL) {
        e = core_end(w->core);
        core_free(w->core);
        if (e == ERR_OK)
            e = bring_up(d, w->journal, &why);
        if (journal_close(w->journal) != ERR_OK && e == ERR_OK)
            e = ERR_IO;
    }
    if (e != ERR_OK)
        code = say_state(d, CLI_EXIT_STORE, &why, e);
    if (w->live >= 0)
        (void)close(w->live);
    if (w->refused != ERR_OK)
        code = CLI_EXIT_STORE;
    buf_free(&why);
    free(w);
    return code;
}

/* ---- a verb ---- */

static enum cli_exit
run(struct desk *d)
{
    size_t i = 0;
    enum cli_exit code;

    if (d->config->state == NULL)
        return desk_say(d, CLI_EXIT_USAGE, "--state DIR is needed");
    if (!is_there(d, "/state"))
        return desk_say_value(d, CLI_EXIT_STORE, "", span_str(d->config->state),
                              " is no state directory: span25 read --state "
                              "makes one");
    if (!is_there(d, "/journal"))
        return desk_say_value(d, CLI_EXIT_STORE, "the journal of ",
                              span_str(d->config->state), " is missing");
    code = open_index(d);
    while (uses[i].verb != d->cli->verb)
        i++;
    return code == CLI_EXIT_DONE ? uses[i].run(d) : code;
}

/* Commands are not broken: they are there to be copied. */
static bool
is_command(struct span line)
{
    return span_search(line, SPAN_LIT("  span25 ")) < line.n ||
           span_starts(line, SPAN_LIT("Next: "));
}

static size_t
characters(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (span_at(s, i) & 0xc0) != 0x80;
    return n;
}

static void
fit_line(struct buf *out, struct span line, size_t columns)
{
    size_t indent = 0;

    while (span_at(line, indent) == ' ')
        indent++;
    if (characters(line) <= columns || indent > columns / 2 ||
        is_command(line)) {
        buf_span(out, line);
        buf_putc(out, '\n');
        return;
    }
    buf_span(out, span_head(line, indent));
    help_wrap(out, span_tail(line, indent), indent, indent + 4, columns);
}

/* On a terminal long lines go on below, indented; tables fit it already. */
static void
fit_terminal(struct buf *out, size_t columns)
{
    struct span rest = buf_view(out);
    struct buf fitted;

    if (columns == 0)
        return;
    buf_init(&fitted, out->max);
    while (rest.n > 0) {
        size_t end = span_find(rest, '\n');

        fit_line(&fitted, span_head(rest, end), columns);
        rest = span_tail(rest, end + 1);
    }
    fitted.cut |= out->cut;
    fitted.failed |= out->failed;
    buf_free(out);
    *out = fitted;
}

enum cli_exit
desk_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct desk d = {
        .cli = c, .config = &c->config, .out = out, .messages = messages};
    enum cli_exit code;

    d.actor = caller_name(d.config);
    if (!caller_now(d.config, messages, &d.now))
        return CLI_EXIT_USAGE;
    code = run(&d);
    if (!d.config->json && !d.config->csv)
        fit_terminal(out, caller_columns());
    if (out->cut || out->failed)
        code = desk_say(&d, CLI_EXIT_FAILED,
                        err_text(out->cut ? ERR_LIMIT : ERR_NOMEM));
    else if (code == CLI_EXIT_DONE && d.partial)
        code = CLI_EXIT_PARTIAL;
    index_reader_close(d.index);
    book_free(d.book);
    return code;
}

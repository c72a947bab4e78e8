#include "sensor/app/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/caller.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"
#include "sensor/core/carry.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"
#include "sensor/store/registry_db.h"

#define FILE_MAX (1U << 30)

/* ---- the verbs ---- */

/* X(verb, function, what it does with the state) */
enum use_of_state {
    STATE_MAYBE, /* may be without */
    STATE_LOOK,
    STATE_CHANGE
};

static const struct verb_use {
    enum verb verb;
    enum cli_exit (*run)(struct registry_call *c);
    enum use_of_state use;
} uses[] = {
    {VERB_REGISTRY_IMPORT,     registry_import,     STATE_CHANGE},
    {VERB_REGISTRY_LIST,       registry_list,       STATE_LOOK  },
    {VERB_REGISTRY_SHOW,       registry_show,       STATE_LOOK  },
    {VERB_REGISTRY_CANDIDATES, registry_candidates, STATE_MAYBE },
    {VERB_REGISTRY_SUBMIT,     registry_submit,     STATE_CHANGE},
    {VERB_REGISTRY_DECIDE,     registry_decide,     STATE_CHANGE},
    {VERB_REGISTRY_CONFIRM,    registry_confirm,    STATE_CHANGE},
    {VERB_REGISTRY_DUE,        registry_due,        STATE_LOOK  },
    {VERB_REGISTRY_CONTACTS,   registry_contacts,   STATE_LOOK  },
    {VERB_REGISTRY_LETTERS,    registry_letters,    STATE_MAYBE },
    {VERB_REGISTRY_EXPORT,     registry_export,     STATE_LOOK  },
    {VERB_REGISTRY_FORM,       registry_form,       STATE_MAYBE },
};

static const struct verb_use *
use_of(enum verb verb)
{
    size_t i = 0;

    while (uses[i].verb != verb)
        i++;
    return &uses[i];
}

static bool
changes(const struct registry_call *c)
{
    return use_of(c->cli->verb)->use == STATE_CHANGE && !c->config->dry_run;
}

/* ---- messages ---- */

enum cli_exit
registry_say(struct registry_call *c, enum cli_exit code, const char *text)
{
    buf_printf(c->messages, "span25: %s\n", text);
    return code;
}

enum cli_exit
registry_say_value(struct registry_call *c, enum cli_exit code,
                   const char *text, const char *value, const char *after)
{
    buf_printf(c->messages, "span25: %s'", text);
    text_term(c->messages, span_str(value));
    buf_printf(c->messages, "'%s\n", after);
    return code;
}

enum cli_exit
registry_refuse(struct registry_call *c, enum cli_exit code,
                const struct buf *why)
{
    struct span text = buf_view(why);

    while (text.n > 0 && span_at(text, text.n - 1) == '\n')
        text.n--;
    buf_str(c->messages, "span25: ");
    text_term(c->messages, text);
    buf_str(c->messages, "; nothing was changed\n");
    return code;
}

static enum cli_exit
say_db(struct registry_call *c, enum cli_exit code, const struct buf *why)
{
    buf_str(c->messages, "span25: ");
    text_term(c->messages, span_str((const char *)c->path.p));
    buf_str(c->messages, ": ");
    text_term(c->messages, buf_view(why));
    buf_putc(c->messages, '\n');
    return code;
}

/* ---- files ---- */

static enum cli_exit
say_errno(struct registry_call *c, const char *what, const char *path,
          int number)
{
    buf_printf(c->messages, "span25: cannot %s ", what);
    text_term(c->messages, span_str(path));
    buf_printf(c->messages, ": %s\n", strerror(number));
    return CLI_EXIT_FAILED;
}

/* Text that the caller of the verb gave. */
static enum err
load_given(struct registry_call *c, struct buf *text)
{
    buf_span(text, c->cli->input);
    if (!text->cut && !text->failed)
        return ERR_OK;
    (void)registry_say(c, CLI_EXIT_FAILED, "the text is too large");
    return ERR_LIMIT;
}

enum err
registry_load(struct registry_call *c, const char *path, struct buf *text)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int number = errno;
    ssize_t n = 1;

    if (standard && c->cli->input.p != NULL)
        return load_given(c, text);
    while (fd >= 0 && n > 0 && buf_grow(text, 65536)) {
        n = read(fd, text->p + text->n, 65536);
        number = errno;
        if (n < 0 && number == EINTR)
            n = 1;
        else if (n > 0)
            text->n += (size_t)n;
    }
    if (fd >= 0 && !standard)
        (void)close(fd);
    if (fd >= 0 && n == 0)
        return ERR_OK;
    if (fd >= 0 && n > 0) {
        (void)registry_say_value(c, CLI_EXIT_FAILED, "", path, " is too large");
        return ERR_LIMIT;
    }
    (void)say_errno(c, "read", path, number);
    return err_from_errno(number);
}

enum cli_exit
registry_save(struct registry_call *c, const char *path, const struct buf *text)
{
    if (text->failed || text->cut)
        return registry_say(c, CLI_EXIT_FAILED,
                            err_text(text->cut ? ERR_LIMIT : ERR_NOMEM));
    if (path != NULL && strcmp(path, "-") != 0) {
        int number = whole_file_save(path, buf_view(text));

        return number == 0 ? CLI_EXIT_DONE
                           : say_errno(c, "write", path, number);
    }
    buf_span(c->out, buf_view(text));
    return CLI_EXIT_DONE;
}

/* ---- records ---- */

/* The columns are for who looks into the database by hand: they must say what
 * the sealed text says. */
static bool
agrees(const struct registry_row *row, const struct book *book)
{
    struct action_room room;
    struct action a;
    bool same = false;

    if (book_time(book) != row->when)
        return false;
    if (action_read(row->text, &a, &room) == ERR_OK)
        same = span_eq(row->actor, span_str(a.actor));
    action_room_fini(&room);
    return same;
}

static enum err
take(void *ctx, const struct registry_row *row, struct buf *why)
{
    struct book *book = ctx;
    struct audit audit = {.number = row->number};
    enum err e;

    memcpy(audit.before, row->before, sizeof(audit.before));
    memcpy(audit.hash, row->hash, sizeof(audit.hash));
    e = book_replay(book, row->text, &audit, why);
    if (e != ERR_OK || agrees(row, book))
        return e;
    buf_str(why, "record ");
    buf_u64(why, row->number);
    buf_str(why, " was changed: its time or actor is not what it says");
    return ERR_CORRUPT;
}

enum err
registry_replay(struct registry_db *db, struct book *book, struct buf *message)
{
    return registry_db_read(db, take, book, message);
}

enum err
registry_apply(struct registry_call *c, struct action *a, struct buf *why)
{
    struct buf text, message;
    struct audit audit;
    struct registry_row row;
    enum err e;

    buf_init(&text, REGISTRY_DB_TEXT_MAX);
    buf_init(&message, 4096);
    a->when = c->now;
    if (a->actor == NULL)
        a->actor = c->actor;
    e = book_apply(c->book, a, &audit, &text, why);
    if (e == ERR_OK && (text.cut || text.failed))
        e = text.cut ? ERR_LIMIT : ERR_NOMEM;
    if (e == ERR_OK && c->db != NULL && changes(c)) {
        row = (struct registry_row){.number = audit.number,
                                    .when = a->when,
                                    .actor = span_str(a->actor),
                                    .text = buf_view(&text)};
        memcpy(row.before, audit.before, sizeof(row.before));
        memcpy(row.hash, audit.hash, sizeof(row.hash));
        e = registry_db_add(c->db, &row, &message);
        if (e != ERR_OK)
            (void)say_db(c, CLI_EXIT_STORE, &message);
    }
    c->n_done += e == ERR_OK;
    buf_free(&text);
    buf_free(&message);
    return e;
}

/* ---- opening ---- */

/* A sensor's state, or one of captures read by hand: both have a registry. */
static enum cli_exit
prepare_state(struct registry_call *c)
{
    const char *dir = c->config->state;
    struct buf why;
    enum err e;

    buf_init(&why, 4096);
    e = state_open(dir, STATE_READ, &why);
    if (e == ERR_USAGE) {
        buf_reset(&why);
        e = state_open(dir, STATE_LIVE, &why);
    }
    if (e != ERR_OK) {
        buf_span(c->messages, buf_view(&why));
        if (why.n > 0 && span_at(buf_view(&why), why.n - 1) != '\n')
            buf_putc(c->messages, '\n');
    }
    buf_free(&why);
    return e == ERR_OK ? CLI_EXIT_DONE : CLI_EXIT_STORE;
}

/* It is now when nobody else can enter anything: who had the registry before
 * may have entered something after this program began. */
static void
wait_is_over(struct registry_call *c)
{
    if (c->config->at == NULL)
        c->now = caller_clock();
}

static enum cli_exit
open_db(struct registry_call *c)
{
    enum use_of_state use = use_of(c->cli->verb)->use;
    bool there = access((const char *)c->path.p, F_OK) == 0;
    struct buf why;
    enum err e = ERR_OK;

    if (!there && !changes(c) && use != STATE_LOOK)
        return CLI_EXIT_DONE; /* nothing yet: an empty book */
    buf_init(&why, 4096);
    e = registry_db_open((const char *)c->path.p,
                         changes(c) ? REGISTRY_DB_CREATE : REGISTRY_DB_READ,
                         &c->db, &why);
    if (e == ERR_OK && changes(c))
        e = registry_db_begin(c->db, &why);
    if (e == ERR_OK)
        e = registry_replay(c->db, c->book, &why);
    if (e == ERR_OK)
        wait_is_over(c);
    if (e == ERR_NOENT && use != STATE_LOOK)
        e = ERR_OK; /* begun, and not yet filled */
    if (e != ERR_OK)
        (void)say_db(c, CLI_EXIT_STORE, &why);
    buf_free(&why);
    return e == ERR_OK ? CLI_EXIT_DONE : CLI_EXIT_STORE;
}

static enum cli_exit
open_registry(struct registry_call *c)
{
    enum cli_exit code = CLI_EXIT_DONE;

    if (book_new(&c->book) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (c->config->state == NULL) {
        if (use_of(c->cli->verb)->use == STATE_MAYBE)
            return CLI_EXIT_DONE;
        return registry_say(c, CLI_EXIT_USAGE, "--state DIR is needed");
    }
    buf_str(&c->path, c->config->state);
    buf_str(&c->path, "/" REGISTRY_DB_FILE);
    buf_putc(&c->path, 0);
    if (c->path.cut || c->path.failed)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_LIMIT));
    if (changes(c))
        code = prepare_state(c);
    return code == CLI_EXIT_DONE ? open_db(c) : code;
}

/* ---- the end: commit, then carry ---- */

static enum err
carry(struct registry_call *c, struct buf *why)
{
    struct journal_recovery recovery;
    struct core_options o = {.sensor = c->config->name};
    struct core *core = NULL;
    struct carry carry = {.dir = c->config->state, .db = c->db};
    enum err e = journal_open(carry.dir, NULL, &carry.journal, &recovery, why);

    if (e != ERR_OK)
        return e;
    o.journal = carry.journal;
    e = core_new(&o, &core);
    carry.core = core;
    if (e == ERR_OK)
        e = carry_all(&carry, 0, why);
    core_free(core);
    if (journal_close(carry.journal) != ERR_OK && e == ERR_OK)
        e = ERR_IO;
    return e;
}

static enum cli_exit
finish(struct registry_call *c, enum cli_exit code)
{
    struct buf why;
    enum err e = ERR_OK;

    if (c->db == NULL || !changes(c) || c->n_done == 0 ||
        (code != CLI_EXIT_DONE && code != CLI_EXIT_PARTIAL))
        return code;
    buf_init(&why, 4096);
    e = registry_db_commit(c->db, &why);
    if (e != ERR_OK) {
        buf_reset(c->out);
        code = say_db(c, CLI_EXIT_STORE, &why);
    } else {
        buf_reset(&why);
        e = carry(c, &why);
        if (e != ERR_OK && e != ERR_BUSY) {
            buf_str(c->messages, "span25: entered, but not yet in the journal "
                                 "(the next start puts it there): ");
            text_term(c->messages,
                      why.n > 0 ? buf_view(&why) : span_str(err_text(e)));
            buf_putc(c->messages, '\n');
        }
    }
    buf_free(&why);
    return code;
}

enum cli_exit
registry_run(const struct cli *cli, struct buf *out, struct buf *messages)
{
    struct registry_call c = {
        .cli = cli, .config = &cli->config, .out = out, .messages = messages};
    enum cli_exit code;

    c.actor = caller_name(c.config);
    if (!caller_now(c.config, messages, &c.now))
        return CLI_EXIT_USAGE;
    buf_init(&c.path, 8192);
    code = open_registry(&c);
    if (code == CLI_EXIT_DONE)
        code = finish(&c, use_of(cli->verb)->run(&c));
    if (out->cut || out->failed)
        code = registry_say(&c, CLI_EXIT_FAILED,
                            err_text(out->cut ? ERR_LIMIT : ERR_NOMEM));
    registry_db_close(c.db);
    book_free(c.book);
    buf_free(&c.path);
    return code;
}

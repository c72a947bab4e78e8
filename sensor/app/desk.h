#ifndef SPAN25_APP_DESK_H
#define SPAN25_APP_DESK_H
/* desk - the verbs of an analyst: alerts, hosts, blocks, the policy, explain
 * and exceptions
 *
 * They read index.db, which is first brought up to the journal; where another
 * process has the journal, that one does it, and the index is read as it is.
 * A journal that is damaged, or from which something was cut off (a file
 * journal/damaged-...), is told each time, and the exit code is 4; one that is
 * missing is 6: nothing found must not look like nothing there.
 * Whole transactions come from the journal, at the place that the index names.
 * What people do is written into the journal, as events of type control. */
#include "sensor/app/cli.h"
#include "sensor/app/registry_table.h"
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"

struct book;

struct desk {
    const struct cli *cli;
    const struct config *config;
    ns_t now; /* --at, or the clock */
    const char *actor;
    struct buf *out;      /* for standard output */
    struct buf *messages; /* for standard error */
    struct index_reader *index;
    struct book *book; /* of registry.db; NULL: there is none */
    uint64_t told;     /* events given to desk_tell */
    bool partial; /* the journal is damaged: what is shown may not be all */
};

/* Does a verb of the desk. */
MUST_USE enum cli_exit desk_run(const struct cli *c, struct buf *out,
                                struct buf *messages);

/* A line of messages: "span25: " and text, which is ours. Gives code. */
enum cli_exit desk_say(struct desk *d, enum cli_exit code, const char *text);
/* The same with a value in quotes, escaped, between text and after. */
enum cli_exit desk_say_value(struct desk *d, enum cli_exit code,
                             const char *text, struct span value,
                             const char *after);
/* What the index said of its last failure. */
enum cli_exit desk_say_index(struct desk *d);
/* Writes a table, or says that there is no memory. */
enum cli_exit desk_table(struct desk *d, const struct registry_table *t,
                         const char *name, const char *empty);

/* Reads the registry of the state, if there is one; a failure is told, and
 * there is none then. */
void desk_book(struct desk *d);

/* As registry_time_since; text NULL is 0. False: told. */
MUST_USE bool desk_since(struct desk *d, const char *text, ns_t *out);

/* ---- writing: events of type control ---- */

struct desk_writer;

/* Takes the journal's lock; with --dry-run nothing is written. Where a live
 * sensor has it, that one writes (live_socket.h). CLI_EXIT_STORE: another
 * process has it, which is told. */
MUST_USE enum cli_exit desk_open(struct desk *d, struct desk_writer **out);
/* A record of kind `kind` at d->now: entries are those from control.action on,
 * begun by desk_begin. */
void desk_begin(struct desk *d, struct record_out *r, const char *kind,
                const char *action);
void desk_tell(struct desk_writer *w, const struct record_out *r);
/* A running sensor writes, and does what follows of it by itself. */
bool desk_is_live(const struct desk_writer *w);
/* Syncs, brings the index up, gives the lock back. */
MUST_USE enum cli_exit desk_close(struct desk_writer *w, enum cli_exit code);

/* ---- one file each ---- */

enum cli_exit desk_alerts_list(struct desk *d);
enum cli_exit desk_alerts_show(struct desk *d);
enum cli_exit desk_alerts_act(struct desk *d);
enum cli_exit desk_hosts_list(struct desk *d);
enum cli_exit desk_hosts_show(struct desk *d);
enum cli_exit desk_blocks_list(struct desk *d);
enum cli_exit desk_blocks_add(struct desk *d);
enum cli_exit desk_blocks_lift(struct desk *d);
enum cli_exit desk_blocks_export(struct desk *d);
enum cli_exit desk_blocks_diff(struct desk *d);
enum cli_exit desk_blocks_report(struct desk *d);
enum cli_exit desk_blocks_approve(struct desk *d);
enum cli_exit desk_blocks_refuse(struct desk *d);
enum cli_exit desk_policy_show(struct desk *d);
enum cli_exit desk_policy_say(struct desk *d);
enum cli_exit desk_explain(struct desk *d);
enum cli_exit desk_exceptions_add(struct desk *d);
enum cli_exit desk_exceptions_list(struct desk *d);
enum cli_exit desk_exceptions_remove(struct desk *d);

#endif

#ifndef SPAN25_APP_REGISTRY_H
#define SPAN25_APP_REGISTRY_H
/* registry - the verbs of the registry, and what they share
 *
 * A verb that changes something holds the write lock of registry.db while it
 * runs, applies its actions to the book, and all of them are committed together
 * or none. Then they are carried into the journal, unless a running reader has
 * its lock: that one carries them. */
#include "rules/registry/book.h"
#include "sensor/app/cli.h"

struct registry_db;

struct registry_call {
    const struct cli *cli;
    const struct config *config;
    ns_t now; /* --at, or the clock */
    const char *actor;
    struct buf *out;      /* for standard output */
    struct buf *messages; /* for standard error */
    struct book *book;    /* empty where there is no registry */
    struct registry_db *db;
    struct buf path; /* of registry.db, with its NUL */
    uint64_t n_done; /* actions applied */
};

/* Does a verb of the registry. */
MUST_USE enum cli_exit registry_run(const struct cli *c, struct buf *out,
                                    struct buf *messages);

/* Applies one action at c->now by c->actor. ERR_USAGE: the book refuses it,
 * with one line in why; other failures are told in messages. */
MUST_USE enum err registry_apply(struct registry_call *c, struct action *a,
                                 struct buf *why);

/* A line of messages: "span25: " and text; wire text is the caller's to
 * escape. Gives code. */
enum cli_exit registry_say(struct registry_call *c, enum cli_exit code,
                           const char *text);
/* The same with a value in quotes, escaped, between text and after. */
enum cli_exit registry_say_value(struct registry_call *c, enum cli_exit code,
                                 const char *text, const char *value,
                                 const char *after);
/* What the book said, and that nothing was changed. */
enum cli_exit registry_refuse(struct registry_call *c, enum cli_exit code,
                              const struct buf *why);

/* Loads every record behind those it has into the book, and checks them. */
MUST_USE enum err registry_replay(struct registry_db *db, struct book *book,
                                  struct buf *message);

/* A whole file, or standard input for "-"; a failure is told. */
MUST_USE enum err registry_load(struct registry_call *c, const char *path,
                                struct buf *text);
/* Writes text where --output says; a failure is told. */
MUST_USE enum cli_exit registry_save(struct registry_call *c, const char *path,
                                     const struct buf *text);

/* ---- one file each: registry_<verb>.c ---- */

enum cli_exit registry_import(struct registry_call *c);
enum cli_exit registry_list(struct registry_call *c);
enum cli_exit registry_show(struct registry_call *c);
enum cli_exit registry_candidates(struct registry_call *c);
enum cli_exit registry_submit(struct registry_call *c);
enum cli_exit registry_decide(struct registry_call *c);
enum cli_exit registry_confirm(struct registry_call *c);
enum cli_exit registry_due(struct registry_call *c);
enum cli_exit registry_contacts(struct registry_call *c);
enum cli_exit registry_letters(struct registry_call *c);
enum cli_exit registry_export(struct registry_call *c);
enum cli_exit registry_form(struct registry_call *c);
/* The notice about one, with --receipt: registry_receipt.c. */
void registry_receipt(struct registry_call *c, const struct book_form *f,
                      const char *secret, struct buf *out);

#endif

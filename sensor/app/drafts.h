#ifndef SPAN25_APP_DRAFTS_H
#define SPAN25_APP_DRAFTS_H
/* drafts - what sites are about to register, each under a link of its own
 *
 * A link carries a secret of 100 random bits; who knows it may read and change
 * what is kept under it, nobody else can find it. DIR/drafts (0700) has a file
 * for each, named by the SHA-256 of its secret, so that a look at the folder
 * gives no link away. A link lives through all of it: a letter asked for a
 * form, it was begun, it was submitted. One of kind mail is another: who opens
 * it reads the mail of a form's contact; its text is the address, no form.
 *
 * Texts are forms in YAML, anybody's bytes: form_yaml_read says what they are.
 * One that expired is as if it were not there, and is removed by drafts_sweep.
 * Several processes may use a folder: a file is there whole or not at all. */
#include "sensor/app/options.h"
#include "rules/registry/form.h"
#include "sensor/base/buf.h"

#define DRAFTS_FOLDER "drafts"
#define DRAFTS_MAX    10000U     /* links; nobody fills a disk with them */
#define DRAFTS_BYTES  (1U << 18) /* of a form: some 1,000 lines */
#define DRAFTS_SECRET 24U        /* "K7QF2-...", with its NUL */
#define DRAFTS_NAME   64U        /* of a letter, with its NUL */

#define DRAFTS_DAY (UINT64_C(24) * 3600 * NS_PER_S)

#define DRAFT_MAIL_DAYS 14U

/* X(id, word, days it lives after its last change) */
#define DRAFT_KINDS(X)                                                         \
    X(LETTER, "letter", 365)                                                   \
    X(DRAFT, "draft", 30)                                                      \
    X(FORM, "form", 730)                                                       \
    X(MAIL, "mail", DRAFT_MAIL_DAYS)

enum draft_kind {
#define DRAFT_ENUM(id, word, days) DRAFT_##id,
    DRAFT_KINDS(DRAFT_ENUM)
#undef DRAFT_ENUM
        DRAFT_KIND_COUNT
};

struct draft {
    enum draft_kind kind;
    char letter[DRAFTS_NAME];       /* reference of the letter, or "" */
    char form[FORM_NUMBER_MAX + 1]; /* of the registry, when submitted */
    ns_t made, changed;
    struct buf text; /* YAML */
};

void draft_init(struct draft *d);
void draft_fini(struct draft *d);
const char *draft_word(enum draft_kind kind);
ns_t draft_ends(const struct draft *d);

/* A new secret. False: the system gives no random bytes. */
MUST_USE bool drafts_secret(char out[DRAFTS_SECRET]);
/* What somebody typed: in either case, with or without hyphens. False: no
 * secret could look like it. */
MUST_USE bool drafts_read_secret(struct span text, char out[DRAFTS_SECRET]);

/* ERR_NOENT: there is none, or it expired. ERR_CORRUPT: it is not ours. out is
 * initialised by the caller. */
MUST_USE enum err drafts_load(const char *state, const char *secret, ns_t now,
                              struct draft *out);
/* Writes it, with `changed` as given. ERR_LIMIT: the text is too long, or, for
 * one that is new, there are DRAFTS_MAX. */
MUST_USE enum err drafts_save(const char *state, const char *secret,
                              const struct draft *d);
/* It was not submitted, and is wanted no more. ERR_NOENT: there is none. */
MUST_USE enum err drafts_remove(const char *state, const char *secret);
/* Removes what expired, and gives how many are left. */
size_t drafts_sweep(const char *state, ns_t now);

#endif

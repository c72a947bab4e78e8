#ifndef SPAN25_RULES_REGISTRY_BOOK_H
#define SPAN25_RULES_REGISTRY_BOOK_H
/* book - the registry: every form and line, and who may speak at a time
 *
 * (state, action) to (state, audit record); no clock, no I/O. Made by applying
 * actions in order, so a book is the same wherever it is made from the same
 * records. Nothing is ever taken out: a line that ended is kept with its dates.
 *
 * The state of a line is a function of time (book_state_at), because an event
 * is judged by the registry of its own time: what takes force later (a
 * suspension after notice, the end of a permit) stands in it beforehand. A line
 * is not known before its form was submitted.
 *
 * For look-ups the caller calls book_index after changes; 100,000 lines in
 * under a second, a single change in microseconds. One thread. */
#include "rules/registry/action.h"
#include "rules/registry/clock.h"

/* X(id, word, doc): what a user sees of a line */
#define BOOK_STATES(X)                                                         \
    X(NONE, "unregistered", "no line holds the address")                       \
    X(REQUESTED, "requested", "a form arrived and is being worked on")         \
    X(RETURNED, "returned", "sent back to the site, the clock stands")         \
    X(PERMITTED, "permitted", "may speak")                                     \
    X(SUSPENDED, "suspended", "permit stopped until a defect is put right")    \
    X(ENDED, "ended", "rejected, withdrawn, revoked or expired")

enum book_state {
#define BOOK_ENUM(id, word, doc) BOOK_##id,
    BOOK_STATES(BOOK_ENUM)
#undef BOOK_ENUM
        BOOK_STATE_COUNT
};

#define BOOK_GRACE                                                             \
    (CLOCK_HOURS * 24 * 30)                  /* a permit whose renewal is not  \
                                              * answered ends so long after */
#define BOOK_RENEWAL (CLOCK_HOURS * 24 * 60) /* it is due so long before */

/* Steps within the states; 0: not yet. A line that ended and is asked for anew
 * begins them anew. */
struct book_dates {
    ns_t received; /* the line, first */
    ns_t complete; /* its form, without missing fields */
    ns_t checked;
    ns_t approved;
    ns_t entered;         /* in the firewall's list */
    ns_t seen;            /* first mail */
    ns_t until;           /* end of the permit */
    ns_t protected_until; /* received before the deadline: not to be stopped
                           * before it is decided */
};

struct book_change {
    ns_t from;
    enum book_state state;
    uint64_t audit; /* record that made it; the same for the end it foresaw */
};

struct book_line {
    const struct form_line *line;
    const struct book_form *form;
    struct book_dates dates;
    struct clock clock;          /* as of its last record: book_clock_at */
    struct book_change *changes; /* by time; the last two may lie ahead */
    size_t n_changes, cap_changes;
    uint32_t id;           /* from 0, by arrival in the book */
    uint32_t ask;          /* the look-up's own */
    const char *reason;    /* of the last RETURN, REJECT, SUSPEND, REVOKE */
    const char *reference; /* permit number */
    const char *mail;      /* address of the contact that was confirmed last */
    ns_t mail_when;
};

struct book_form {
    struct form form;         /* as last submitted, with all lines ever, by
                               * number */
    struct book_line **lines; /* by place, as form.lines */
    const char *actor;        /* who submitted it last */
    bool complete;            /* as it is now */
};

struct book;

#define BOOK_SAME_MAX 1024U /* times that one prefix is asked for */

MUST_USE enum err book_new(struct book **out);
void book_free(struct book *b);

/* A SUBMIT of a form that is there: a line that has a number is the one of that
 * number, or a new one; one without is the line of the same address and port
 * (one that has not ended first), else it gets the next number. Lines that are
 * not in it stay as they are: who wants one gone withdraws it. The clocks of
 * its requested lines start when the form as a whole is complete, but for lines
 * that have ended: at a SUBMIT, or when the last that is not is ended.
 *
 * Other actions: REINSTATE takes back what is in force or announced; ENTER,
 * LOSE, CHECK and SEE fit where that is news; PERMIT fits a line whose address
 * can be read; RENEW only prolongs. A suspension that took force stops the
 * clock, REINSTATE starts it anew, for the permit must be entered again.
 *
 * Applies an action to the lines it fits; fills *out (if not NULL) and adds the
 * canonical text to *text (if not NULL): all numbers given, and lines named
 * that it was applied to. All or nothing; why must be there. ERR_LIMIT, with a
 * line in why: past BOOK_SAME_MAX, FORM_LINES_MAX, or ACTION_CODE_MAX.
 * ERR_USAGE, with one line in why: no such form or line, a line in a state that
 * the action does not start in (when lines were named; with n_lines 0, when no
 * line fits), a reason that must be there, a time before the last record's, a
 * changed address, port or direction of a line that is permitted (it is
 * withdrawn and asked for anew). */
MUST_USE enum err book_apply(struct book *b, const struct action *a,
                             struct audit *out, struct buf *text,
                             struct buf *why);

/* Reads a record that was kept: its number and hashes must follow the last
 * one's, and it must apply: else ERR_CORRUPT and a line in why. */
MUST_USE enum err book_replay(struct book *b, struct span text,
                              const struct audit *record, struct buf *why);

/* Of the last record; number 0 before the first. */
struct audit book_last(const struct book *b);
ns_t book_time(const struct book *b); /* of the last record */

size_t book_n_forms(const struct book *b);
size_t book_n_lines(const struct book *b);
const struct book_form *book_form_at(const struct book *b, size_t i);
/* By number; NULL when there is none. */
const struct book_form *book_find(const struct book *b, const char *number);
/* When something was permitted of which nobody said since when: the first time
 * there is (0 says none). */
#define BOOK_ALWAYS 1

/* A number that no form has, for one received at when: "2026-118". */
void book_next_number(const struct book *b, ns_t when,
                      char out[FORM_NUMBER_MAX + 1]);

enum book_state book_state_at(const struct book_line *l, ns_t when);
/* The clock at a time not before its last record: stopped by what took force
 * since. */
struct clock book_clock_at(const struct book_line *l, ns_t when);
const char *book_word(enum book_state s);
/* When the contact's address, as the form has it now, was confirmed; 0: it was
 * not. */
ns_t book_mail(const struct book_form *f);
/* The line with that number, or NULL. */
const struct book_line *book_line(const struct book_form *f, uint32_t number);

/* ---- judging an address ---- */

enum book_fit {
    BOOK_FITS,
    BOOK_OTHER_PORT, /* registered, but not for this port */
    BOOK_OTHER_USE   /* registered for it, but not to send (receive) */
};

struct book_verdict {
    const struct book_line *line; /* the line that decides, or NULL */
    enum book_state state;        /* of it at that time; NONE without */
    enum book_fit fit;
    bool registered; /* PERMITTED and FITS */
    bool protect;    /* a line of this prefix is permitted, or asked for and
                      * its protection lasts: nothing may be stopped
                      * automatically */
};

/* Brings the look-up up to the records applied: until then, prefixes that no
 * line had before are not found. ERR_NOMEM: it is as before. */
MUST_USE enum err book_index(struct book *b);

/* May a use this port this way at that time? Longest prefix first, among lines
 * known at that time; within it: permitted and fitting, permitted, suspended,
 * requested, returned, ended; in each the better fit; then the line that came
 * first. use is FORM_SEND or FORM_RECEIVE. A shorter prefix
 * that permits does not help an address whose own line does not: the one who
 * registered the address said otherwise. */
struct book_verdict book_judge(const struct book *b, const struct addr *a,
                               uint16_t port, enum form_use use, ns_t when);

#endif

#ifndef SPAN25_RULES_REGISTRY_ACTION_H
#define SPAN25_RULES_REGISTRY_ACTION_H
/* action - a change of the registry, and the record that is kept of it
 *
 * All that ever happens to the registry is a row of ACTION_MAP. An action that
 * was applied becomes an audit record: number, time, actor, the action in
 * canonical text (action_code), and a hash over all of it and the hash of the
 * record before: SHA-256, so that no record can be changed, left out or put in
 * between unseen. The registry is what comes of applying all records in order,
 * nothing else. Times are journal times, UTC. */
#include "rules/registry/form.h"

/* X(id, word, states it may start in, what it does) */
#define ACTION_MAP(X)                                                          \
    X(SUBMIT, "submit", NONE | REQUESTED | RETURNED | PERMITTED | ENDED,       \
      "a form arrived, first or again")                                        \
    X(CHECK, "check", REQUESTED, "the office looked at it")                    \
    X(PERMIT, "permit", REQUESTED, "the permit was given")                     \
    X(RETURN, "return", REQUESTED, "sent back: please correct")                \
    X(REJECT, "reject", REQUESTED | RETURNED, "refused")                       \
    X(WITHDRAW, "withdraw", REQUESTED | RETURNED | PERMITTED | SUSPENDED,      \
      "the site no longer wants it")                                           \
    X(SUSPEND, "suspend", PERMITTED, "permit stopped, now or after notice")    \
    X(REINSTATE, "reinstate", PERMITTED | SUSPENDED,                           \
      "suspension lifted, or its notice taken back")                           \
    X(RENEW, "renew", PERMITTED | SUSPENDED, "permit prolonged")               \
    X(REVOKE, "revoke", PERMITTED | SUSPENDED, "permit taken back")            \
    X(ENTER, "enter", PERMITTED, "found in the firewall's list")               \
    X(LOSE, "lose", PERMITTED, "no longer found in the firewall's list")       \
    X(SEE, "see", REQUESTED | RETURNED | PERMITTED | SUSPENDED,                \
      "its first mail was seen")                                               \
    X(MAIL, "mail", REQUESTED | RETURNED | PERMITTED | SUSPENDED,              \
      "who reads its contact's mail said so; reference: the address")

enum action_kind {
#define ACTION_ENUM(id, word, from, doc) ACTION_##id,
    ACTION_MAP(ACTION_ENUM)
#undef ACTION_ENUM
        ACTION_COUNT
};

#define ACTION_TEXT_MAX FORM_TEXT_MAX /* of actor, reason, reference */
#define ACTION_CODE_MAX (64U << 20)   /* of a canonical text */

struct action {
    enum action_kind kind;
    ns_t when;             /* takes force; never before the last record's */
    const char *actor;     /* who did it; "span25" for the program */
    const char *number;    /* form */
    const uint32_t *lines; /* of it, ascending; n_lines 0: every line that the
                            * action fits; none of SUBMIT */
    size_t n_lines;
    const char *reason;    /* RETURN, REJECT, SUSPEND, REVOKE: must; or NULL */
    const char *reference; /* permit or firewall reference, or NULL */
    ns_t until; /* PERMIT, RENEW: end of the permit; SUSPEND: when it takes
                 * force (>= when); SUBMIT: end of protection; 0: none */
    const struct form *form; /* SUBMIT: whole, faults and all */
};

struct audit {
    uint64_t number; /* from 1, without holes */
    uint8_t before[32];
    uint8_t hash[32];
};

/* Canonical text: one line, equal for equal actions; what action_read reads:
 *     permit when=1795341318000000000 actor="ada" form=2026-118 lines=1-3,5
 * when and until are nanoseconds. Of the optional parts only those that are
 * there, in the order lines, reason, reference, until; then, of SUBMIT, a part
 * for each text of the form (key: its path), and "line=N" (0: no number yet)
 * with those of each line. Texts stand in quotes, with \" and \\ for these
 * two. Its number is that of form, when there is one. */
void action_code(const struct action *a, struct buf *out);
/* The lines as above, "1-3,5". */
void action_lines(const struct action *a, struct buf *out);

/* Everything that an action read from text points at. */
struct action_room {
    struct form form;
    char number[FORM_NUMBER_MAX + 1];
    char *texts[3];
    uint32_t *lines;
};
/* ERR_FORMAT: not what action_code writes (or longer than ACTION_CODE_MAX), or
 * a text that form_text_check refuses. room is initialised by the call and
 * freed by action_room_fini, whatever came of it. */
MUST_USE enum err action_read(struct span text, struct action *out,
                              struct action_room *room);
void action_room_fini(struct action_room *room);

const char *action_word(enum action_kind k);

/* The record behind the one with this hash (all 0 for the first): SHA-256 over
 * the 32 bytes of before, number as 8 bytes (big-endian), and text. */
MUST_USE enum err action_seal(struct span text, uint64_t number,
                              const uint8_t before[32], struct audit *out);

#endif

#ifndef SPAN25_DISSECTORS_SMTP_CLASS_H
#define SPAN25_DISSECTORS_SMTP_CLASS_H
/* smtp_class - what a reply means: enhanced code, class, block list, queue id
 *
 * The class of a refusal is read from the enhanced status code (RFC 3463, with
 * RFC 7504, 7505, 8020's neighbours in the IANA registry) and, where that says
 * little, from the words that the common servers use. Pure functions of the
 * reply's code and text; the tables are in the .c file. */
#include "sensor/base/span.h"

#define SMTP_CLASS_MAP(X)                                                      \
    X(NONE, "")                                                                \
    X(ACCEPTED, "accepted")                                                    \
    X(UNKNOWN_USER, "unknown_user")                                            \
    X(MAILBOX_FULL, "mailbox_full")                                            \
    X(POLICY, "policy")                                                        \
    X(BLOCKLIST, "blocklist")                                                  \
    X(GREYLISTING, "greylisting")                                              \
    X(RATE, "rate")                                                            \
    X(RELAY_DENIED, "relay_denied")                                            \
    X(OTHER, "other")

enum smtp_class {
#define SMTP_CLASS_ENUM(id, name) SMTP_CLASS_##id,
    SMTP_CLASS_MAP(SMTP_CLASS_ENUM)
#undef SMTP_CLASS_ENUM
};

const char *smtp_class_name(enum smtp_class c);

static inline bool
smtp_code_accepts(unsigned code)
{
    return code / 100 == 2;
}

/* "5.1.1" at the head of a reply's text, or p == NULL (RFC 2034, 3463). */
struct span smtp_enhanced(struct span text);

/* The text after the enhanced code. */
struct span smtp_reply_words(struct span text);

/* list: the block list that the text cites, from the text or our table, or
 * p == NULL; only for SMTP_CLASS_BLOCKLIST. */
enum smtp_class smtp_classify(unsigned code, struct span text,
                              struct span *list);

/* Queue id in the reply to the end of data ("queued as X", "id=X", "ok X"),
 * or p == NULL. */
struct span smtp_queue_id(struct span text);

#endif

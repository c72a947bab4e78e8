#ifndef SPAN25_DISSECTORS_ADDRESS_H
#define SPAN25_DISSECTORS_ADDRESS_H
/* address - lists of mailboxes in header fields, RFC 5322 3.4 and 4.4
 *
 * Splits an unfolded value into mailboxes without copying; text and addr point
 * into it. Knows groups, comments (nested, by a count), quoted strings, routes,
 * address literals and encoded words. Reads on over anything: a quote, comment
 * or bracket that never closes is an ordinary character. Linear in time.
 *
 *     struct address_list l = address_open(value);
 *     while (address_next(&l, &m)) ...
 *
 * Known gaps: a comment inside an addr-spec stays in addr, as written. */
#include "sensor/base/span.h"

#define ADDRESS_UNCLOSED 1U /* quote, comment or bracket without its end */
#define ADDRESS_STRAY    2U /* a mailbox without an @ */

struct address_list {
    struct span in;
    size_t at;
    unsigned seen; /* ADDRESS_ bits met so far */
    bool in_group;
    size_t group_members;
    size_t group_at;
    bool no_quote_end;   /* no closing quote in the rest */
    bool no_comment_end; /* the same of comments */
    bool no_word_end;    /* the same of encoded words */
};

struct mailbox {
    struct span text; /* as written, without spaces around; encoded words not
                       * decoded. Of an empty group: the group, "name:;" */
    struct span name; /* display name as written, may have quotes; or empty */
    struct span addr; /* addr-spec, without brackets and route; or empty */
};

struct address_list address_open(struct span value);

/* The next mailbox; elements that are empty or mere comments are passed over.
 */
bool address_next(struct address_list *l, struct mailbox *out);

#endif

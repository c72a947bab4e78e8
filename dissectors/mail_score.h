#ifndef SPAN25_DISSECTORS_MAIL_SCORE_H
#define SPAN25_DISSECTORS_MAIL_SCORE_H
/* mail_score - how bad a message looks, as a sum of named parts
 *
 * A pure function of facts about one message; names and points are those of
 * mail_score.def, so that whoever reads the sum sees where it comes from
 * (as the symbols of rspamd). No outside engine has a say. One of the inputs of
 * statistic S2 of DETECTION 1.10. */
#include "sensor/base/span.h"

enum mail_symbol {
#define X(id, name, points, doc) MAIL_SYMBOL_##id,
#include "dissectors/mail_score.def"
#undef X
    MAIL_SYMBOL_COUNT
};

/* Header values are unfolded and decoded; p == NULL: the field is missing. */
struct mail_facts {
    struct span from, reply_to, subject, message_id;
    struct span mail_from; /* path with its brackets, or p == NULL */
    bool has_date, has_recipient, has_received;
    bool header_whole; /* else nothing is said to be missing */
    bool body_whole;
    bool field_twice, raw_8bit, bad_word;
    bool has_text, has_html, has_attachment;
    bool ambiguous, gtube;
    uint8_t classes;     /* bits 1 << enum finding_class */
    uint64_t text_bytes; /* decoded, text and HTML bodies */
    uint32_t n_links;
    bool link_to_address;
    bool pregreet, unoffered, non_smtp, bare_lf, odd_helo, no_helo;
    bool refused_by_policy;
    uint32_t rcpt_answered, rcpt_unknown;
};

/* Bits by enum mail_symbol. */
uint64_t mail_score(const struct mail_facts *f);

const char *mail_symbol_name(enum mail_symbol s);
uint32_t mail_symbol_points(enum mail_symbol s);

#endif

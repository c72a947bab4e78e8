#ifndef SPAN25_RULES_HOST_JUDGE_H
#define SPAN25_RULES_HOST_JUDGE_H
/* judge - does a message speak against the host that sent it? (S2, DETECTION
 * 1.10)
 *
 * Two questions are kept apart: is the message bad, and did the source make it.
 * A forwarder or a list passes on what others wrote.
 *
 * SIGNS
 *   score      points of content (email.symbols) reach judge_design.score.
 *              Left out are symbols that another sign or another statistic
 *              speaks for: what the server said (reply_policy would convict
 *              who sends from a listed address, reply_unknown is S1), and the
 *              dialogue (dialect). Header fields that are missing give
 *              JUDGE_MISSING points at most: devices and scripts leave out all
 *              of them. 6 by default: three to five faults of one point are
 * what scripts, printers and newsletters have (tests/fixtures/lab.pcap: 3 at
 * most, 7 with a header that is empty); one finding of class B or A is enough,
 * and so are a forged display name with three small faults. A message that
 * comes from a list (email.bulk) needs judge_design.score_list: HTML alone,
 * many links and a foreign envelope sender are no fault there. duplicate  the
 * body was seen before of another source at home (campaign_join.duplicate)
 *   dialect    no mail server speaks so: dialect.h, of the latest session that
 *              ended, or a symbol of this message
 *   blocklist  refused after the message was read, citing a list of domains in
 *              links (SURBL, URIBL, DBL, ivmURI). Lists of addresses say
 *              nothing of the message: they refuse the honest home server too.
 *
 * BAD is a message
 *   - with score or blocklist alone;
 *   - with a strong dialect (DIALECT_STRONG) alone;
 *   - with duplicate and one weak sign beside it: another odd fact of the
 *     dialect, or half the points. Not duplicate alone: cron jobs, scanners and
 *     monitoring write the same from many hosts.
 * Odd facts other than the strong ones never suffice, however many: simple
 * devices have them all.
 *
 * RELAYED mail, with JUDGE_RELAYED Received fields or more, or of a list with
 * one, was made by somebody else: score, duplicate and blocklist say nothing of
 * the source and make it "cannot be judged". A bot that forges the fields and
 * speaks properly is missed here (S1, S3 and S4 remain).
 *
 * CANNOT BE JUDGED are also transactions without a message, parts of one that
 * goes on (not yet the last), the null sender, messages of which nothing was
 * read, and incomplete ones without a sign. Pure. */
#include "rules/campaign/campaigns.h"
#include "sensor/event/record.h"

/* X(id, word of host.s2.why) */
#define JUDGE_WHY_MAP(X)                                                       \
    X(SCORE, "score")                                                          \
    X(DUPLICATE, "duplicate") X(DIALECT, "dialect") X(BLOCKLIST, "blocklist")

enum judge_why {
#define JUDGE_WHY_ENUM(id, word) JUDGE_##id,
    JUDGE_WHY_MAP(JUDGE_WHY_ENUM)
#undef JUDGE_WHY_ENUM
        JUDGE_WHY_COUNT
};
const char *judge_word(enum judge_why w);

#define JUDGE_RELAYED 2U
#define JUDGE_MISSING 4U

struct judge_design {
    uint32_t score;      /* points that are enough */
    uint32_t score_list; /* the same for mail of lists */
};
extern const struct judge_design judge_design_default;

struct judgement {
    bool judged;
    bool bad;     /* only where judged */
    uint32_t why; /* bits 1 << enum judge_why that made it bad; else 0 */
};

/* smtp: an event of that type. joined: what campaigns_event said of it, or
 * NULL. odd: bits of dialect.h of the source's latest session. */
struct judgement judge_message(const struct judge_design *design,
                               const struct record_map *smtp,
                               const struct campaign_join *joined,
                               uint32_t odd);

#endif

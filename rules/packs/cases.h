#ifndef SPAN25_RULES_PACKS_CASES_H
#define SPAN25_RULES_PACKS_CASES_H
/* cases - events beside a rule that say when it must fire and when not
 *
 * NAME.cases beside NAME.yaml, lines of UTF-8:
 *
 *     ## a comment
 *     # fires: a host without a permit sends
 *     {"timestamp":"2026-11-22T10:00:00Z","event_type":"smtp", ...}
 *     # quiet[rule]: a registered one does
 *     {"timestamp": ...}
 *     tick: 2026-11-22T10:10:00Z
 *
 * Each block begins anew, with empty windows; its lines are events as in the
 * journal (timestamp, event_type and the fields that matter), in the order in
 * which they come, and ticks, which let stream time go on. [rule] is the id,
 * name or title of the rule that is meant, needed where the file has several
 * that alert. A key that no event has is a fault: it would make a rule quiet by
 * a slip. At most CASES_MAX blocks and CASES_LINES lines. */
#include "rules/sigma/sigma.h"

#define CASES_MAX   10000U
#define CASES_LINES 1000000U

/* What became of the cases of rule i of the set. */
struct cases_row {
    uint32_t fires, quiet; /* cases there are */
    uint32_t failed;       /* of both */
};

/* Runs the blocks of text on a compiled set. rows: sigma_set_count(s) of them,
 * which are added to. Each case that fails, and each fault of the text, is a
 * line of messages, "name:line:column: what, and what to do"; behind a case
 * that did not fire stand, indented, what the items of its rule say about its
 * last event. ERR_FORMAT: the text has faults, and only blocks before the first
 * one were run. */
MUST_USE enum err cases_run(const struct sigma_set *s, struct span text,
                            struct span name, struct cases_row *rows,
                            struct buf *messages);

/* The one rule of the set that alerts, or sigma_set_count(s). */
uint32_t cases_only_rule(const struct sigma_set *s);

#endif

#ifndef SPAN25_DASHBOARDS_STUDY_WORDS_H
#define SPAN25_DASHBOARDS_STUDY_WORDS_H
/* study_words - figures of a study as people read them (UX 7.3)
 *
 * Counts before percentages; no rate of fewer than WORDS_RATED; what cannot be
 * said is "not known". An interval speaks of other weeks than those that were
 * watched, whose counts have none. All append raw text. */
#include "dashboards/words.h"
#include "sensor/event/study_result.h"

/* "31 %"; NAN: "not known". */
void study_put_share(struct buf *b, double share);

/* "1,204", "0.31"; NAN: "not known"; infinite: `never`. */
void study_put_real(struct buf *b, double v, const char *never);

/* Of a time: "14 m 02 s"; infinite: "not reached". */
void study_put_seconds(struct buf *b, double s);

/* "3 to 17", or "17" where both are the same. */
void study_put_range(struct buf *b, uint64_t least, uint64_t most);

/* "at least 3, at most 17", "at most 17", or "17". */
void study_put_least_most(struct buf *b, uint64_t least, uint64_t most);

/* What is said of k of n hosts beyond the counts: "91 %; in other weeks 77 to
 * 97 %", "none seen; up to 2.5 % would be compatible", "fewer than 30: not
 * rated". f may be NULL. */
void study_put_rate(struct buf *b, uint32_t few, uint64_t k, uint64_t n,
                    const struct study_figure *f);

/* "0.31 (0.20 to 0.44)"; as a share: "31 % (20 to 44 %)". */
void study_put_figure(struct buf *b, const struct study_figure *f, bool share);

/* A count of hosts or sites, which a result made for sharing may round: "34",
 * or "fewer than 5". few: of the result. */
void study_put_hosts(struct buf *b, uint32_t few, uint64_t n);
/* The same with its noun; many is NULL when the plural takes an s. */
void study_count_hosts(struct buf *b, uint32_t few, uint64_t n, const char *one,
                       const char *many);

/* A count that came as a double: cut to what a count can be. */
uint64_t study_count(double v);

/* "2026-10-01". */
void study_put_date(struct buf *b, ns_t t);

#endif

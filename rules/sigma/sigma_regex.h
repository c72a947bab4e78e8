#ifndef SPAN25_SIGMA_SIGMA_REGEX_H
#define SPAN25_SIGMA_SIGMA_REGEX_H
/* sigma_regex - PCRE2 with bounds, without its compiler to machine code
 *
 * JIT wants memory that is writable and executable, which the sensor's
 * processes may not have. Texts are UTF-8; a byte that is not matches nothing
 * but ends no search. One search makes at most SIGMA_REGEX_STEPS steps. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"

#define SIGMA_REGEX_MAX   4096U      /* bytes of a pattern */
#define SIGMA_REGEX_NEST  64U        /* parentheses within one another */
#define SIGMA_REGEX_STEPS 200000U    /* PCRE2's match limit */
#define SIGMA_REGEX_DEPTH 20000U     /* its depth limit */
#define SIGMA_REGEX_HEAP  (8U << 10) /* KiB of its heap limit */
#define SIGMA_REGEX_ERROR 160

enum {
    SIGMA_REGEX_NOCASE = 1,
    SIGMA_REGEX_LINES = 2,  /* m */
    SIGMA_REGEX_DOTALL = 4, /* s */
    SIGMA_REGEX_START = 8,  /* must begin at the begin of the text */
    SIGMA_REGEX_END = 16    /* must end at its end */
};

struct sigma_regex;       /* constant; any number of threads */
struct sigma_regex_match; /* room of one thread */

enum sigma_regex_answer { SIGMA_REGEX_NO, SIGMA_REGEX_YES, SIGMA_REGEX_LIMIT };

/* ERR_FORMAT: error says what is wrong and where. */
MUST_USE enum err sigma_regex_new(struct span pattern, unsigned flags,
                                  struct sigma_regex **out,
                                  char error[SIGMA_REGEX_ERROR]);
void sigma_regex_free(struct sigma_regex *r);

MUST_USE enum err sigma_regex_match_new(struct sigma_regex_match **out);
void sigma_regex_match_free(struct sigma_regex_match *m);

enum sigma_regex_answer sigma_regex_search(const struct sigma_regex *r,
                                           struct sigma_regex_match *m,
                                           struct span text);

/* The longest run of ASCII bytes that stands in every text that matches, as
 * far as can be told at a glance; empty when none. Of the pattern's bytes. */
struct span sigma_regex_literal(struct span pattern, unsigned flags);

#endif

#ifndef SPAN25_BASE_DIGITS_H
#define SPAN25_BASE_DIGITS_H
/* digits - numbers as decimal text, two digits at a time
 *
 * Each writes at `at`, which has room, and gives the end. */
#include <stdint.h>

#define DIGITS_MAX 20 /* of 64 bits */

/* Exactly two digits, of a number below 100. */
char *digits_pair(char *at, unsigned v);

/* As many digits as it takes, at most DIGITS_MAX. */
char *digits_u64(char *at, uint64_t v);

#endif

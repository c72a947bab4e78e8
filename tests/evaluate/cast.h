#ifndef SPAN25_TESTS_EVALUATE_CAST_H
#define SPAN25_TESTS_EVALUATE_CAST_H
/* cast - hosts of the rows of scenario.def, as many as they say */
#include "tests/evaluate/play.h"

struct play_cast cast_of(const struct play_options *o);

#endif

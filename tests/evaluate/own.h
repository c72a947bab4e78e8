#ifndef SPAN25_TESTS_EVALUATE_OWN_H
#define SPAN25_TESTS_EVALUATE_OWN_H
#include "tests/evaluate/detector.h"

extern const struct detector_ops detector_own, detector_statistics,
    detector_packs;

#endif

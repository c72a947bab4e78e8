#ifndef SPAN25_TESTS_EVALUATE_BASELINES_H
#define SPAN25_TESTS_EVALUATE_BASELINES_H
#include "tests/evaluate/detector.h"

extern const struct detector_ops detector_spot, detector_ct, detector_pt,
    detector_lin, detector_volume;

#endif

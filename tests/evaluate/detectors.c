#include "tests/evaluate/baselines.h"
#include "tests/evaluate/own.h"

const struct detector_ops *const detectors[] = {
    &detector_own, &detector_spot, &detector_ct,
    &detector_pt,  &detector_lin,  &detector_volume,
};
const size_t n_detectors = sizeof(detectors) / sizeof(detectors[0]);

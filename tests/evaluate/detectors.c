#include "tests/evaluate/baselines.h"

const struct detector_ops *const detectors[] = {
    &detector_spot, &detector_ct, &detector_pt, &detector_lin, &detector_volume,
};
const size_t n_detectors = sizeof(detectors) / sizeof(detectors[0]);

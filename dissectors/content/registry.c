#include "dissectors/content/registry.h"

const struct inspector *const content_inspectors[] = {
    NULL,
};

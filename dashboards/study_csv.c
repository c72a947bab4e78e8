#include "dashboards/study_report.h"

#include "sensor/event/study_json.h"

void
study_report_json(const struct study_result *r, struct buf *out)
{
    study_json_write(r, out);
}

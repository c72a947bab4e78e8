#include "dashboards/study_report.h"
void
study_report_html(const struct study_result *r, struct buf *out)
{
    (void)r;
    buf_str(out, "<html>");
}

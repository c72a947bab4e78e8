#include "dashboards/study_report.h"
void
study_report_html(const struct study_result *r, struct buf *out)
{
    (void)r;
    buf_str(out, "<html>");
}
void
study_report_csv(const struct study_result *r, enum study_table t,
                 struct buf *out)
{
    (void)r;
    (void)t;
    buf_str(out, "x\n");
}
const char *
study_table_word(enum study_table t)
{
    static const char *const w[] = {"policies", "hosts", "sites",
                                    "hours",    "days",  "shares"};
    return w[t];
}

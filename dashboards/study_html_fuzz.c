/* study_html_fuzz - any bytes as a study; what is read goes through all views
 */
#include "dashboards/study_report.h"
#include "sensor/base/text.h"
#include "sensor/event/study_json.h"

#define TEXT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(struct buf *out)
{
    REQUIRE(!out->failed);
    REQUIRE(out->cut || utf8_valid(buf_view(out)));
    for (size_t i = 0; i < out->n; i++)
        REQUIRE(out->p[i] >= 0x20 || out->p[i] == '\n' || out->p[i] == '\r');
    buf_reset(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct study_report_style style = {.width = 80};
    struct study_json *s = NULL;
    struct buf out;
    struct buf message;

    buf_init(&out, TEXT_MAX);
    buf_init(&message, 1000);
    if (study_json_read(span_of(data, n), &s, &message) == ERR_OK) {
        const struct study_result *r = study_json_result(s);

        study_report_html(r, &out);
        check(&out);
        study_report_text(r, &style, &out);
        check(&out);
        for (size_t t = 0; t < STUDY_TABLE_COUNT; t++) {
            study_report_csv(r, (enum study_table)t, &out);
            check(&out);
        }
    }
    study_json_free(s);
    buf_free(&message);
    buf_free(&out);
    return 0;
}

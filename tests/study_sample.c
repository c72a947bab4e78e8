/* study_sample VIEW KIND - prints one view of one study made by hand
 *
 * VIEW is text, colour, narrow, html, json, or the word of a table; KIND a name
 * of the kit. For check_study.py and tests/study_page_test.py, and for looking
 * at. */
#include "dashboards/study_report.h"

#include <stdio.h>

#include "study_kit.h"

static const struct study_report_style styles[] = {
    {.width = 100   },
    {            .width = 120, .colour = true, .tty = true},
    { .width = 80,     .tty = true},
};

static bool
put_view(const char *view, const struct study_result *r, struct buf *out)
{
    static const char *const texts[] = {"text", "colour", "narrow"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(view, texts[i]) == 0)
            study_report_text(r, &styles[i], out);
    }
    if (strcmp(view, "html") == 0)
        study_report_html(r, out);
    if (strcmp(view, "json") == 0)
        study_report_json(r, out);
    for (size_t t = 0; t < STUDY_TABLE_COUNT; t++) {
        if (strcmp(view, study_table_word((enum study_table)t)) == 0)
            study_report_csv(r, (enum study_table)t, out);
    }
    return out->n > 0;
}

int
main(int argc, char **argv)
{
    struct study_kit k;
    struct buf out;
    size_t kind = 0;
    bool ok;

    if (argc != 3)
        return 2;
    while (kind < STUDY_KIT_KINDS &&
           strcmp(study_kit_names[kind], argv[2]) != 0)
        kind++;
    if (kind == STUDY_KIT_KINDS)
        return 2;
    buf_init(&out, SIZE_MAX / 4);
    study_kit_make(&k, (enum study_kit_kind)kind);
    ok = put_view(argv[1], &k.r, &out) && !out.failed && !out.cut &&
         fwrite(out.p, 1, out.n, stdout) == out.n;
    buf_free(&out);
    study_kit_free(&k);
    return ok ? 0 : 1;
}

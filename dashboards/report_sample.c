/* report_sample VIEW KIND - prints one view of one summary made by hand
 *
 * VIEW is text, colour, narrow, html, json or csv; KIND a name of the kit. For
 * check_report.py, and for looking at. */
#include "dashboards/report_test_kit.h"

#include <stdio.h>

static void
text(const struct summary *s, struct buf *out)
{
    report_text(s, &(struct report_style){.utc = true}, out);
}

static void
colour(const struct summary *s, struct buf *out)
{
    report_text(s,
                &(struct report_style){
                    .utc = true, .colour = true, .tty = true, .width = 120},
                out);
}

static void
narrow(const struct summary *s, struct buf *out)
{
    report_text(
        s, &(struct report_style){.utc = true, .tty = true, .width = 80}, out);
}

static const struct {
    const char *name;
    void (*view)(const struct summary *, struct buf *);
} views[] = {
    {"text",   text       },
    {"colour", colour     },
    {"narrow", narrow     },
    {"html",   report_html},
    {"json",   report_json},
    {"csv",    report_csv },
};

int
main(int argc, char **argv)
{
    struct kit k;
    struct buf out;
    size_t view = 0;
    size_t kind = 0;
    bool ok;

    if (argc != 3)
        return 2;
    while (view < ARRAY_LEN(views) && strcmp(views[view].name, argv[1]) != 0)
        view++;
    while (kind < KIT_KINDS && strcmp(kit_names[kind], argv[2]) != 0)
        kind++;
    if (view == ARRAY_LEN(views) || kind == KIT_KINDS)
        return 2;
    buf_init(&out, SIZE_MAX / 4);
    kit_make(&k, (enum kit_kind)kind);
    views[view].view(&k.s, &out);
    ok = !out.failed && !out.cut && fwrite(out.p, 1, out.n, stdout) == out.n;
    buf_free(&out);
    return ok ? 0 : 1;
}

#include "sensor/app/study.h"

#include <stdlib.h>
#include <unistd.h>

#include "dashboards/study_report.h"
#include "sensor/app/caller.h"
#include "sensor/app/study_file.h"

#define PIPE_COLUMNS 100 /* where there is no terminal to ask */

enum cli_exit
study_run_show(const struct cli *c, struct buf *out, struct buf *messages)
{
    bool tty = isatty(STDOUT_FILENO) == 1;
    size_t columns = caller_columns();
    struct study_report_style style = {
        .tty = tty,
        .colour =
            cli_color(c->config.color, tty, getenv("NO_COLOR"), getenv("TERM")),
        .width = columns > 0 ? (unsigned)columns : PIPE_COLUMNS,
    };
    struct study_json *s = NULL;
    enum err e = study_file_load(c->arguments[0], &s, messages);

    if (e != ERR_OK)
        return cli_exit_of(e);
    study_report_text(study_json_result(s), &style, out);
    study_json_free(s);
    return CLI_EXIT_DONE;
}

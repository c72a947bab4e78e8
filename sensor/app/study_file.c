#include "sensor/app/study_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define WHY_MAX 512

static void
tell(struct buf *messages, const char *what, const char *path, struct span why)
{
    buf_str(messages, "span25: ");
    buf_str(messages, what);
    text_term(messages, span_str(path));
    buf_str(messages, ": ");
    text_term(messages, why);
    buf_putc(messages, '\n');
}

static const char *
reason(int number, char text[WHY_MAX])
{
    if (number == EFBIG)
        return "it is larger than a study can be";
    return strerror_r(number, text, WHY_MAX);
}

static enum err
load(const char *path, const char *schema, const char *what,
     struct study_json **out, struct buf *messages)
{
    char text[WHY_MAX];
    struct buf file;
    struct buf why;
    int number = whole_file_load(path, STUDY_FILE_BYTES, &file);
    enum err e = number == 0 ? ERR_OK : err_from_errno(number);

    buf_init(&why, WHY_MAX);
    if (e != ERR_OK)
        tell(messages, "cannot read ", path, span_str(reason(number, text)));
    else
        e = study_json_read_as(buf_view(&file), schema, out, &why);
    if (number == 0 && e != ERR_OK)
        tell(messages, what, path,
             why.n > 0 ? buf_view(&why) : span_str(err_text(e)));
    buf_free(&why);
    buf_free(&file);
    return e;
}

enum err
study_file_load(const char *path, struct study_json **out, struct buf *messages)
{
    return load(path, STUDY_JSON_SCHEMA,
                "no study.json that can be shown: ", out, messages);
}

enum err
study_file_load_review(const char *path, struct study_json **out,
                       struct buf *messages)
{
    return load(path, STUDY_JSON_SCHEMA_REVIEW,
                "not what study review --json printed: ", out, messages);
}

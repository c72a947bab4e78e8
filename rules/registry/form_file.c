#include "rules/registry/form_file.h"

void
forms_init(struct forms *f)
{
    *f = (struct forms){0};
}

void
forms_fini(struct forms *f)
{
    for (size_t i = 0; i < f->n; i++)
        form_fini(&f->v[i]);
    free(f->v);
    forms_init(f);
}

/* ---- the look of a file ---- */

static struct span
trim_line(struct span line)
{
    line = span_trim(line);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return span_trim(line);
}

/* The first line that is neither empty nor a comment of YAML. */
static struct span
first_line(struct span text)
{
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_tail(text, 3);
    while (text.n > 0) {
        size_t n = span_find(text, '\n');
        struct span line = trim_line(span_head(text, n));

        if (line.n > 0 && line.p[0] != '#')
            return line;
        text = span_tail(text, n + 1);
    }
    return SPAN_NONE;
}

static bool
is_key_char(uint8_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
           (b >= '0' && b <= '9') || b == '_' || b == '.' || b == '"' ||
           b == '\'';
}

/* A key and a colon, or what only YAML begins with. */
static bool
is_yaml(struct span line)
{
    size_t n = 0;

    if (line.n > 0 && strchr("-{[%&*!|>?", line.p[0]) != NULL)
        return line.p[0] != 0;
    while (n < line.n && is_key_char(line.p[n]))
        n++;
    line = span_trim(span_tail(line, n));
    return n > 0 && span_at(line, 0) == ':' &&
           (line.n == 1 || line.p[1] == ' ' || line.p[1] == '\t');
}

enum err
form_file_read(struct span text, const char *name, struct forms *out,
               struct buf *messages)
{
    return is_yaml(first_line(text)) ? form_yaml_read(text, name, out, messages)
                                     : form_csv_read(text, name, out, messages);
}

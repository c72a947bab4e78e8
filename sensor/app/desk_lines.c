#include "sensor/app/desk_lines.h"

#include "sensor/base/json_out.h"

/* The next line of rest, without its end. */
static struct span
next_line(struct span *rest)
{
    const size_t n = span_find(*rest, '\n');
    const struct span line = span_head(*rest, n);

    *rest = span_tail(*rest, n < rest->n ? n + 1 : n);
    return line;
}

void
desk_lines_json(struct span text, struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '[');
    while (text.n > 0) {
        const struct span line = span_trim(next_line(&text));

        if (line.n > 0)
            (void)json_str(&j, line);
    }
    json_end(&j, ']');
}

static struct span
without_brackets(struct span line)
{
    if (line.n < 2 || line.p[0] != '(' || line.p[line.n - 1] != ')')
        return line;
    return span_head(span_tail(line, 1), line.n - 2);
}

static void
put_said(struct json_out *j, struct span line)
{
    const bool spoken = line.n > 3 && (line.p[0] == 'C' || line.p[0] == 'S') &&
                        line.p[1] == ' ' && line.p[2] == ' ';

    json_begin(j, '{');
    json_key(j, "who");
    (void)json_str(j, span_head(line, spoken ? 1 : 0));
    json_key(j, "text");
    (void)json_str(j, spoken ? span_tail(line, 3) : without_brackets(line));
    json_end(j, '}');
}

void
desk_lines_said_json(struct span text, struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '[');
    while (text.n > 0) {
        const struct span line = span_trim(next_line(&text));

        if (line.n > 0)
            put_said(&j, line);
    }
    json_end(&j, ']');
}

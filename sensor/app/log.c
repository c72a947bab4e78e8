#include "sensor/app/log.h"

#include <errno.h>
#include <unistd.h>

#include "sensor/base/text.h"

static const char *const levels[] = {
#define X(name, word) word,
    LOG_LEVELS(X)
#undef X
};

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
    buf_init(&l->text, LOG_LINE);
    buf_printf(&l->text, "level=%s event=%s", levels[level], event);
}

static bool
is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ' || s.p[i] == '"' || s.p[i] == '=')
            return false;
    }
    return s.n > 0;
}

static void
put_quoted(struct buf *out, struct span s)
{
    buf_putc(out, '"');
    while (s.n > 0) {
        size_t run = span_find(s, '"');

        text_term(out, span_head(s, run));
        if (run < s.n)
            buf_str(out, "\\x22");
        s = span_tail(s, run + 1);
    }
    buf_putc(out, '"');
}

void
log_string(struct log_line *l, const char *key, struct span value)
{
    buf_printf(&l->text, " %s=", key);
    if (is_plain(value))
        text_term(&l->text, value);
    else
        put_quoted(&l->text, value);
}

void
log_number(struct log_line *l, const char *key, uint64_t value)
{
    buf_printf(&l->text, " %s=", key);
    buf_u64(&l->text, value);
}

void
log_end(struct log_line *l, int fd)
{
    struct buf *b = &l->text;
    ssize_t n;

    /* a cut line loses its last byte to the line end */
    if (b->n == b->max)
        b->n--;
    buf_putc(b, '\n');
    do
        n = b->n > 0 ? write(fd, b->p, b->n) : 0;
    while (n < 0 && errno == EINTR);
    buf_free(b);
}

void
log_lines(struct buf *lines)
{
    if (lines->n > 0 && lines->p[lines->n - 1] != '\n')
        buf_putc(lines, '\n');
    if (lines->n > 0)
        (void)!write(STDERR_FILENO, lines->p, lines->n);
    buf_reset(lines);
}

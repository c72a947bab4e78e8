#include "sensor/app/read_output.h"

#include "dashboards/report.h"
#include "sensor/app/cli.h"
#include "sensor/base/text.h"
#include "sensor/sinks/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_NS (NS_PER_S / 4)

struct read_output {
    const struct config *config;
    struct sink *events;
    bool stopped; /* the reader of the events has gone */
    bool dead;
    bool tty; /* standard error: progress */
    bool shown;
    ns_t begun, told;
    uint64_t size; /* of all inputs, 0: not known */
};

static void
complain(struct buf *messages, const char *what, const char *path, int number)
{
    buf_printf(messages, "span25: %s ", what);
    text_term(messages, span_str(path));
    buf_printf(messages, ": %s\n", strerror(number));
}

/* A reading writes its events anew; a sensor's sink would append. */
static enum err
begin_anew(const char *path, struct buf *messages)
{
    struct stat st;
    int number;

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return ERR_OK;
    if (truncate(path, 0) == 0)
        return ERR_OK;
    number = errno;
    complain(messages, "cannot write", path, number);
    return err_from_errno(number);
}

static ns_t
clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

enum err
read_output_open(const struct config *c, struct read_output **out,
                 struct buf *messages)
{
    struct read_output *o = calloc(1, sizeof(*o));
    struct sink_settings s = {.target = c->events};
    enum err e = ERR_OK;

    if (o == NULL)
        return ERR_NOMEM;
    o->config = c;
    o->tty = isatty(STDERR_FILENO) == 1 && !c->quiet;
    o->begun = o->told = clock_now();
    if (c->events != NULL)
        e = begin_anew(c->events, messages);
    if (e == ERR_OK && c->events != NULL)
        e = sink_open(SPAN_LIT("file"), &s, &o->events, messages);
    if (e != ERR_OK) {
        free(o);
        return e;
    }
    *out = o;
    return ERR_OK;
}

void
read_output_close(struct read_output *o)
{
    if (o == NULL)
        return;
    if (o->events != NULL)
        o->events->ops->close(o->events);
    free(o);
}

static void
put_line(void *ctx, struct span record, struct span line)
{
    struct read_output *o = ctx;

    if (o->stopped || o->dead)
        return;
    switch (o->events->ops->put(o->events, record, line)) {
    case PUT_DONE:
    case PUT_BUSY: break;
    case PUT_STOP: o->stopped = true; break;
    case PUT_DEAD: o->dead = true; break;
    }
}

struct line_sink
read_output_lines(struct read_output *o)
{
    if (o->events == NULL)
        return (struct line_sink){NULL, NULL};
    return (struct line_sink){put_line, o};
}

/* ---- progress ---- */

void
read_output_progress(struct read_output *o, uint64_t position)
{
    ns_t now;
    double seconds;
    double mb = (double)position / 1e6;

    if (!o->tty)
        return;
    now = clock_now();
    if (now - o->told < PROGRESS_NS)
        return;
    o->told = now;
    o->shown = true;
    seconds = (double)(now - o->begun) / (double)NS_PER_S;
    fprintf(stderr, "\r\033[Kread %.1f MB, %.0f MB/s", mb, mb / seconds);
}

void
read_output_progress_end(struct read_output *o)
{
    if (o->shown)
        fputs("\r\033[K", stderr);
    o->shown = false;
}

/* ---- files ---- */

enum err
read_output_load(const char *path, struct buf *text, struct buf *messages)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int number = errno;
    ssize_t n = 1;

    while (fd >= 0 && n > 0 && buf_grow(text, 65536)) {
        n = read(fd, text->p + text->n, 65536);
        number = errno;
        if (n > 0)
            text->n += (size_t)n;
    }
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 && n == 0)
        return ERR_OK;
    if (fd >= 0 && n > 0) {
        buf_str(messages, "span25: ");
        text_term(messages, span_str(path));
        buf_str(messages, " is too large\n");
        return ERR_LIMIT;
    }
    complain(messages, "cannot read", path, number);
    return err_from_errno(number);
}

static enum err
write_all(int fd, struct span s, int *number)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        *number = errno;
        if (n < 0 && *number == EINTR)
            continue;
        if (n < 0)
            return err_from_errno(*number);
        s = span_tail(s, (size_t)n);
    }
    return ERR_OK;
}

/* Is it whole? What is cut looks like a report, and is none. */
static enum err
check_whole(const struct buf *text, const char *what, struct buf *messages)
{
    if (text->failed)
        return ERR_NOMEM;
    if (!text->cut)
        return ERR_OK;
    buf_str(messages, "span25: ");
    text_term(messages, span_str(what));
    buf_printf(messages, " would pass %zu bytes and is left out\n", text->max);
    return ERR_LIMIT;
}

enum err
read_output_save(const char *path, const struct buf *text, struct buf *messages)
{
    enum err e = check_whole(text, path, messages);
    int number;
    int fd;

    if (e != ERR_OK)
        return e;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    number = errno;
    e = fd < 0 ? err_from_errno(number)
               : write_all(fd, buf_view(text), &number);
    if (fd >= 0 && close(fd) != 0 && e == ERR_OK) {
        number = errno;
        e = ERR_IO;
    }
    if (e != ERR_OK)
        complain(messages, "cannot write", path, number);
    return e;
}

/* ---- summary and report ---- */

static struct report_style
style_of(const struct config *c)
{
    struct winsize w = {0};
    bool tty = isatty(STDOUT_FILENO) == 1;
    struct report_style s = {
        .colour = cli_color(c->color, tty, getenv("NO_COLOR"), getenv("TERM")),
        .utc = c->utc,
        .all = c->all,
        .tty = tty,
        .width = 100,
    };

    if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 40)
        s.width = w.ws_col;
    return s;
}

static enum err
print_summary(const struct read_output *o, const struct summary *s,
              struct buf *messages)
{
    struct report_style style = style_of(o->config);
    struct buf text;
    int number;
    enum err e;

    if (o->config->quiet ||
        (o->config->events != NULL && strcmp(o->config->events, "-") == 0))
        return ERR_OK;
    buf_init(&text, 16 << 20);
    report_text(s, &style, &text);
    e = check_whole(&text, "the summary", messages);
    if (e == ERR_OK) {
        e = write_all(STDOUT_FILENO, buf_view(&text), &number);
        e = e == ERR_IO && number == EPIPE ? ERR_OK : e;
    }
    buf_free(&text);
    return e;
}

static enum err
save_report(const struct read_output *o, const struct summary *s,
            struct buf *messages)
{
    struct buf text;
    enum err e;

    buf_init(&text, 1U << 30);
    switch (cli_report_of(o->config)) {
    case CLI_REPORT_NONE: return ERR_OK;
    case CLI_REPORT_HTML: report_html(s, &text); break;
    case CLI_REPORT_JSON: report_json(s, &text); break;
    case CLI_REPORT_CSV: report_csv(s, &text); break;
    }
    e = read_output_save(o->config->report, &text, messages);
    buf_free(&text);
    return e;
}

static enum err
flush_events(struct read_output *o, struct buf *messages)
{
    if (o->events == NULL || o->stopped)
        return ERR_OK;
    if (!o->dead && o->events->ops->flush(o->events) != PUT_DEAD)
        return ERR_OK;
    buf_str(messages, "span25: ");
    o->events->ops->why(o->events, messages);
    buf_putc(messages, '\n');
    return ERR_IO;
}

enum err
read_output_report(struct read_output *o, const struct summary *s,
                   struct buf *messages)
{
    enum err events = flush_events(o, messages);
    enum err shown = print_summary(o, s, messages);
    enum err saved = save_report(o, s, messages);

    if (events != ERR_OK)
        return events;
    return shown != ERR_OK ? shown : saved;
}

#include "sensor/sinks/sink.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

const struct sink_ops *
sink_find(struct span name)
{
    for (size_t i = 0; sink_registry[i] != NULL; i++) {
        if (span_eq(name, span_str(sink_registry[i]->name)))
            return sink_registry[i];
    }
    return NULL;
}

/* ---- options ---- */

static const struct sink_option *
find_option(const struct sink_option *options, const char *name)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (strcmp(options->name, name) == 0)
            return options;
    }
    return NULL;
}

const char *
sink_text(const struct sink_option *options, const struct sink_settings *s,
          const char *name)
{
    const struct sink_option *o = find_option(options, name);

    REQUIRE(o != NULL);
    for (size_t i = s->n_values; i > 0; i--) {
        if (strcmp(s->values[i - 1].name, name) == 0)
            return s->values[i - 1].value;
    }
    return o->otherwise;
}

uint64_t
sink_number(const struct sink_option *options, const struct sink_settings *s,
            const char *name)
{
    uint64_t n = 0;

    REQUIRE(span_to_u64(span_str(sink_text(options, s, name)), &n));
    return n;
}

static enum err
secret_failed(const char *name, const char *path, const char *what,
              struct buf *message)
{
    buf_printf(message, "%s: ", name);
    text_term(message, span_str(path));
    buf_printf(message, ": %s", what);
    return ERR_CONFIG;
}

enum err
sink_secret(const struct sink_option *options, const struct sink_settings *s,
            const char *name, struct buf *out, struct buf *message)
{
    const char *path = sink_text(options, s, name);
    uint8_t room[SINK_SECRET_MAX];
    struct span line;
    ssize_t n;
    int number;
    int fd;

    if (path[0] == '\0')
        return ERR_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, room, sizeof(room)) : -1;
    number = errno;
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return secret_failed(name, path, strerrordesc_np(number), message);
    line = span_of(room, (size_t)n);
    line = span_head(line, span_find(line, '\n'));
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 || span_find(line, '\0') < line.n)
        return secret_failed(name, path, "has no line of text", message);
    buf_span(out, line);
    explicit_bzero(room, sizeof(room));
    return out->failed ? ERR_NOMEM : ERR_OK;
}

bool
sink_host_port(const char *target, uint16_t otherwise, char host[SINK_HOST_MAX],
               uint16_t *port)
{
    struct span t = span_str(target);
    struct span name = span_head(t, span_find(t, ':'));
    uint64_t number = otherwise;

    if (span_at(t, 0) == '[') {
        size_t end = span_find(t, ']');

        if (end == t.n)
            return false;
        name = span_tail(span_head(t, end), 1);
        t = span_tail(t, end + 1);
    } else {
        t = span_tail(t, name.n);
    }
    if (t.n > 0 && (t.p[0] != ':' || !span_to_u64(span_tail(t, 1), &number)))
        return false;
    if (name.n == 0 || name.n >= SINK_HOST_MAX || number == 0 ||
        number > UINT16_MAX)
        return false;
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    *port = (uint16_t)number;
    return true;
}

/* ---- opening ---- */

static enum err
unknown_option(const struct sink_ops *ops, const char *name,
               struct buf *message)
{
    buf_printf(message, "%s: no setting ", ops->name);
    text_term(message, span_str(name));
    if (ops->options == NULL)
        return ERR_CONFIG;
    buf_str(message, "; there are:");
    for (size_t i = 0; ops->options[i].name != NULL; i++)
        buf_printf(message, " %s", ops->options[i].name);
    return ERR_CONFIG;
}

static enum err
check_value(const struct sink_ops *ops, const struct sink_value *v,
            struct buf *message)
{
    const struct sink_option *o = find_option(ops->options, v->name);
    uint64_t n;

    if (o == NULL)
        return unknown_option(ops, v->name, message);
    if (o->most == 0 ||
        (span_to_u64(span_str(v->value), &n) && n >= o->least && n <= o->most))
        return ERR_OK;
    buf_printf(message, "%s: %s: ", ops->name, o->name);
    text_term(message, span_str(v->value));
    buf_printf(message, " is not a number from %" PRIu64 " to %" PRIu64,
               o->least, o->most);
    return ERR_CONFIG;
}

enum err
sink_check(struct span name, const struct sink_settings *s, struct buf *message)
{
    const struct sink_ops *ops = sink_find(name);
    enum err e = ERR_OK;

    for (size_t i = 0; ops != NULL && e == ERR_OK && i < s->n_values; i++)
        e = check_value(ops, &s->values[i], message);
    if (ops != NULL)
        return e;
    buf_str(message, "no such kind of sink; there are:");
    for (size_t i = 0; sink_registry[i] != NULL; i++) {
        buf_putc(message, ' ');
        buf_str(message, sink_registry[i]->name);
    }
    return ERR_CONFIG;
}

enum err
sink_open(struct span name, const struct sink_settings *s, struct sink **out,
          struct buf *message)
{
    const enum err e = sink_check(name, s, message);

    return e == ERR_OK ? sink_find(name)->open(out, s, message) : e;
}

void
sink_wait(struct sink *s, unsigned ms)
{
    if (s->ops->wait != NULL)
        s->ops->wait(s, ms);
}

#include "dissectors/content/target.h"

#include "sensor/base/attr.h"

#define HOST_MAX 255

static bool
is_slash(uint8_t c)
{
    return c == '\\' || c == '/';
}

static bool
is_host(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           c == '.' || c == '-' || c == '_' || c == ':' || c >= 0x80;
}

/* Letters that may be a host; false when it is none, or is this machine. */
static bool
put_host(struct span s, struct buf *host)
{
    size_t n = 0;
    struct span name;

    buf_reset(host);
    if (span_at(s, 0) == '[')
        s = span_tail(s, 1);
    while (n < s.n && n < HOST_MAX && is_host(s.p[n]))
        n++;
    name = span_head(s, n);
    if (span_at(s, n) != ']')
        name = span_head(name, span_find(name, ':'));
    if (name.n == 0 || span_eq_nocase(name, SPAN_LIT("localhost")) ||
        span_eq(name, SPAN_LIT(".")) || span_eq(name, SPAN_LIT("127.0.0.1")))
        return false;
    for (size_t k = 0; k < name.n; k++)
        buf_putc(host, name.p[k] >= 'A' && name.p[k] <= 'Z'
                           ? (uint8_t)(name.p[k] | 0x20)
                           : name.p[k]);
    return true;
}

static size_t
slashes(struct span s)
{
    size_t n = 0;

    while (n < s.n && is_slash(s.p[n]))
        n++;
    return n;
}

/* \\?\UNC\host\ is a host too; \\?\C:\ and \\.\pipe are not. */
static enum target
unc(struct span s, struct buf *host)
{
    struct span rest = span_tail(s, slashes(s));

    if (span_at(rest, 0) == '?' || span_at(rest, 0) == '.') {
        rest = span_tail(rest, 1 + slashes(span_tail(rest, 1)));
        if (!span_starts_nocase(rest, SPAN_LIT("unc")))
            return TARGET_NONE;
        rest = span_tail(rest, 3 + slashes(span_tail(rest, 3)));
    }
    return put_host(rest, host) ? TARGET_UNC : TARGET_NONE;
}

/* file://host/, file:\\host\, file:////host/; file:///C:/ is this machine. */
static enum target
file_url(struct span s, struct buf *host)
{
    const size_t n = slashes(s);
    struct span rest = span_tail(s, n);

    if (n < 2 || n == 3 || span_at(rest, 1) == ':' || span_at(rest, 1) == '|')
        return TARGET_NONE;
    return put_host(rest, host) ? TARGET_UNC : TARGET_NONE;
}

static const struct {
    struct span scheme;
    enum target (*is)(struct span rest, struct buf *host);
} schemes[] = {
    {SPAN_INIT("file:"),   file_url},
    {SPAN_INIT("smb:"),    file_url},
    {SPAN_INIT("webdav:"), file_url},
    {SPAN_INIT("dav:"),    file_url},
};

static const struct span remote[] = {
    SPAN_INIT("http:"),
    SPAN_INIT("https:"),
    SPAN_INIT("ftp:"),
    SPAN_INIT("url:"),
};

static enum target
remote_url(struct span s, struct buf *host)
{
    for (size_t k = 0; k < ARRAY_LEN(remote); k++) {
        struct span rest = span_tail(s, remote[k].n);
        size_t at;

        if (!span_starts_nocase(s, remote[k]))
            continue;
        rest = span_tail(rest, slashes(rest));
        at = span_find(span_head(rest, HOST_MAX), '@');
        if (at < rest.n && at < HOST_MAX &&
            span_find(span_head(rest, at), '/') >= at)
            rest = span_tail(rest, at + 1);
        return put_host(rest, host) ? TARGET_REMOTE : TARGET_NONE;
    }
    return TARGET_NONE;
}

/* ms-word:ofe|u|https://..., search-ms:...crumb=location:\\host\... */
static enum target
program_url(struct span s, struct buf *host)
{
    static const struct span within[] = {
        SPAN_INIT("\\\\"),
        SPAN_INIT("https://"),
        SPAN_INIT("http://"),
    };
    const bool ms = span_starts_nocase(s, SPAN_LIT("ms-")) ||
                    span_starts_nocase(s, SPAN_LIT("search-ms:")) ||
                    span_starts_nocase(s, SPAN_LIT("search:"));

    for (size_t k = 0; ms && k < ARRAY_LEN(within); k++) {
        size_t at = span_search(s, within[k]);

        if (at < s.n)
            return k == 0 ? unc(span_tail(s, at), host)
                          : remote_url(span_tail(s, at), host);
    }
    return TARGET_NONE;
}

static struct span
without_quotes(struct span s)
{
    s = span_trim(s);
    while (span_at(s, 0) == '"' || span_at(s, 0) == '\'')
        s = span_tail(s, 1);
    return s;
}

enum target
target_of_url(struct span text, struct buf *host)
{
    struct span s = without_quotes(text);
    enum target t;

    buf_reset(host);
    for (size_t k = 0; k < ARRAY_LEN(schemes); k++)
        if (span_starts_nocase(s, schemes[k].scheme))
            return schemes[k].is(span_tail(s, schemes[k].scheme.n), host);
    if (span_at(s, 0) == '\\' && span_at(s, 1) == '\\')
        return unc(s, host);
    t = remote_url(s, host);
    return t != TARGET_NONE ? t : program_url(s, host);
}

enum target
target_of(struct span text, struct buf *host)
{
    struct span s = without_quotes(text);

    if (is_slash(span_at(s, 0)) && is_slash(span_at(s, 1))) {
        buf_reset(host);
        return unc(s, host);
    }
    return target_of_url(s, host);
}

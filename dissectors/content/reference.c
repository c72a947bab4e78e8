#include "dissectors/content/reference.h"

/* Schemes whose handlers open programs or remote files from a document. */
static const struct {
    struct span scheme;
    enum reference is;
} schemes[] = {
    {SPAN_INIT("http:"),            REFERENCE_REMOTE },
    {SPAN_INIT("https:"),           REFERENCE_REMOTE },
    {SPAN_INIT("ftp:"),             REFERENCE_REMOTE },
    {SPAN_INIT("mhtml:"),           REFERENCE_HANDLER},
    {SPAN_INIT("mk:"),              REFERENCE_HANDLER},
    {SPAN_INIT("its:"),             REFERENCE_HANDLER},
    {SPAN_INIT("ms-its:"),          REFERENCE_HANDLER},
    {SPAN_INIT("ms-msdt:"),         REFERENCE_HANDLER},
    {SPAN_INIT("search-ms:"),       REFERENCE_HANDLER},
    {SPAN_INIT("search:"),          REFERENCE_HANDLER},
    {SPAN_INIT("ms-search:"),       REFERENCE_HANDLER},
    {SPAN_INIT("ms-officecmd:"),    REFERENCE_HANDLER},
    {SPAN_INIT("ms-appinstaller:"), REFERENCE_HANDLER},
    {SPAN_INIT("javascript:"),      REFERENCE_HANDLER},
    {SPAN_INIT("vbscript:"),        REFERENCE_HANDLER},
    {SPAN_INIT("script:"),          REFERENCE_HANDLER},
};

static bool
is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

static bool
is_drive(struct span s)
{
    uint8_t c = span_at(s, 0) & 0xdf;

    return c >= 'A' && c <= 'Z' &&
           (span_at(s, 1) == ':' || span_at(s, 1) == '|');
}

/* What follows file: */
static enum reference
file_reference(struct span s)
{
    size_t n = 0;

    while (n < s.n && is_slash(span_at(s, n)))
        n++;
    s = span_tail(s, n);
    if (s.n == 0 || is_drive(s) || span_starts_nocase(s, SPAN_LIT("localhost")))
        return REFERENCE_LOCAL;
    /* two: a host; three: a path from the root; four or more: a share */
    return n == 2 || n >= 4 ? REFERENCE_UNC : REFERENCE_LOCAL;
}

enum reference
reference_of(struct span s)
{
    while (s.n > 0 && span_at(s, 0) <= ' ')
        s = span_tail(s, 1);
    if (is_slash(span_at(s, 0)) && is_slash(span_at(s, 1)) && s.n > 2 &&
        span_at(s, 2) != '.' && span_at(s, 2) != '?')
        return REFERENCE_UNC;
    if (span_starts_nocase(s, SPAN_LIT("file:")))
        return file_reference(span_tail(s, 5));
    for (size_t k = 0; k < ARRAY_LEN(schemes); k++)
        if (span_starts_nocase(s, schemes[k].scheme))
            return schemes[k].is;
    return REFERENCE_LOCAL;
}

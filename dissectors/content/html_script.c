#include "dissectors/content/html_script.h"

#include "dissectors/content/byte_in.h"
#include "dissectors/content/unescape.h"
#include "sensor/base/attr.h"

#define ROOM     4096
#define WORD_MAX 32 /* bytes of the longest word */

static const struct {
    struct span text;
    uint32_t is;
} words[] = {
    {SPAN_INIT("newBlob("),               HTML_WORD(FILE)    },
    {SPAN_INIT("newFile("),               HTML_WORD(FILE)    },
    {SPAN_INIT("createObjectURL"),        HTML_WORD(FILE)    },
    {SPAN_INIT("msSaveOrOpenBlob"),       HTML_WORD(SAVE)    },
    {SPAN_INIT("msSaveBlob"),             HTML_WORD(SAVE)    },
    {SPAN_INIT("saveAs("),                HTML_WORD(SAVE)    },
    {SPAN_INIT("atob("),                  HTML_WORD(DECODE)  },
    {SPAN_INIT("unescape("),              HTML_WORD(DECODE)  },
    {SPAN_INIT("decodeURIComponent("),    HTML_WORD(DECODE)  },
    {SPAN_INIT("fromCharCode"),           HTML_WORD(DECODE)  },
    {SPAN_INIT("Uint8Array"),             HTML_WORD(BYTES)   },
    {SPAN_INIT("charCodeAt"),             HTML_WORD(BYTES)   },
    {SPAN_INIT("documentwrite"),          HTML_WORD(WRITE)   },
    {SPAN_INIT("innerHTML="),             HTML_WORD(WRITE)   },
    {SPAN_INIT("eval("),                  HTML_WORD(WRITE)   },
    {SPAN_INIT("newFunction("),           HTML_WORD(WRITE)   },
    {SPAN_INIT("srcdoc="),                HTML_WORD(WRITE)   },
    {SPAN_INIT("download="),              HTML_WORD(DOWNLOAD)},
    {SPAN_INIT("setAttribute(download"),  HTML_WORD(DOWNLOAD)},
    {SPAN_INIT("click("),                 HTML_WORD(CLICK)   },
    {SPAN_INIT("location=http"),          HTML_WORD(LEAVES)  },
    {SPAN_INIT("location=//"),            HTML_WORD(LEAVES)  },
    {SPAN_INIT("location=atob("),         HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationhref=http"),      HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationhref=//"),        HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationhref=atob("),     HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationhref=decodeURI"), HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationreplace(http"),   HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationreplace(//"),     HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationreplace(atob("),  HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationassign(http"),    HTML_WORD(LEAVES)  },
    {SPAN_INIT("locationassign(atob("),   HTML_WORD(LEAVES)  },
    {SPAN_INIT("XMLHttpRequest"),         HTML_WORD(SENDS)   },
    {SPAN_INIT("fetch(http"),             HTML_WORD(SENDS)   },
    {SPAN_INIT("fetch(atob("),            HTML_WORD(SENDS)   },
    {SPAN_INIT("sendBeacon("),            HTML_WORD(SENDS)   },
    {SPAN_INIT("$ajax("),                 HTML_WORD(SENDS)   },
    {SPAN_INIT("$post("),                 HTML_WORD(SENDS)   },
    {SPAN_INIT("axios"),                  HTML_WORD(SENDS)   },
    {SPAN_INIT("apitelegramorg"),         HTML_WORD(SENDS)   },
};

struct matcher {
    uint32_t found;
    size_t n;
    uint8_t room[ROOM];
};

/* A word begins so. */
static const bool first[256] = {
    ['n'] = true, ['c'] = true, ['m'] = true, ['s'] = true, ['a'] = true,
    ['u'] = true, ['d'] = true, ['f'] = true, ['U'] = true, ['i'] = true,
    ['e'] = true, ['l'] = true, ['X'] = true, ['$'] = true,
};

static uint32_t
word_at(struct span s)
{
    const uint8_t a = span_at(s, 0), b = span_at(s, 1);

    for (size_t k = 0; k < ARRAY_LEN(words); k++)
        if (words[k].text.p[0] == a && words[k].text.p[1] == b &&
            span_starts(s, words[k].text))
            return words[k].is;
    return 0;
}

/* Looks at all that begins before `until`, and moves the rest to the front. */
static void
match(struct matcher *m, size_t until)
{
    struct span s = span_of(m->room, m->n);

    for (size_t k = 0; k < until; k++)
        if (first[m->room[k]])
            m->found |= word_at(span_tail(s, k));
    memmove(m->room, m->room + until, m->n - until);
    m->n -= until;
}

static bool
is_left_out(uint32_t c)
{
    return c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '+' ||
           c == '.' || c == '[' || c == ']' || c >= 0x100;
}

uint32_t
html_script_words(struct span text)
{
    struct matcher m; /* its room is not cleared: there are many handlers */
    size_t at = 0;

    m.found = 0;
    m.n = 0;
    while (at < text.n) {
        uint32_t c;

        at += unescape_one(text, at, &c);
        if (is_left_out(c))
            continue;
        m.room[m.n++] = (uint8_t)c;
        if (m.n == ROOM)
            match(&m, ROOM - WORD_MAX);
    }
    match(&m, m.n);
    return m.found;
}

bool
html_script_decodes(uint32_t w, bool long_letters)
{
    const uint32_t from = HTML_WORD(DECODE) | HTML_WORD(BYTES);
    const uint32_t out = HTML_WORD(SAVE) | HTML_WORD(DOWNLOAD) |
                         HTML_WORD(CLICK) | HTML_WORD(LEAVES);

    if ((w & HTML_WORD(FILE)) != 0 && (w & from) != 0 && (w & out) != 0)
        return true;
    return long_letters && (w & HTML_WORD(DECODE)) != 0 &&
           (w & (HTML_WORD(WRITE) | HTML_WORD(FILE))) != 0;
}

/* ---- the name of the file ---- */

/* The string that follows within a few bytes. */
static bool
string_after(struct span s, struct buf *out)
{
    size_t at = 0;
    size_t n;

    while (at < s.n && at < 64 && !byte_in(s.p[at], SPAN_LIT("'\"`\n;")))
        at++;
    if (at >= s.n || !byte_in(s.p[at], SPAN_LIT("'\"`")))
        return false;
    n = span_find(span_head(span_tail(s, at + 1), out->max), s.p[at]);
    if (n == 0 || at + 1 + n >= s.n || n >= out->max ||
        memchr(s.p + at + 1, '.', n) == NULL)
        return false;
    buf_put(out, s.p + at + 1, n);
    return true;
}

void
html_script_name(struct span text, struct buf *out)
{
    static const struct span before[] = {
        SPAN_INIT(".download"),   SPAN_INIT("SaveOrOpenBlob("),
        SPAN_INIT("msSaveBlob("), SPAN_INIT("saveAs("),
        SPAN_INIT("'download'"),  SPAN_INIT("\"download\""),
    };

    for (size_t k = 0; k < ARRAY_LEN(before); k++) {
        size_t at = span_search(text, before[k]);

        if (at < text.n && string_after(span_tail(text, at + before[k].n), out))
            return;
    }
}

/* ---- drawings ---- */

bool
html_svg_is_active(struct span s)
{
    static const struct span active[] = {
        SPAN_INIT("<script"),     SPAN_INIT("foreignObject"),
        SPAN_INIT("javascript:"), SPAN_INIT("onload"),
        SPAN_INIT("onclick"),     SPAN_INIT("onerror"),
        SPAN_INIT("onbegin"),     SPAN_INIT("onmouse"),
        SPAN_INIT("data:text"),
    };

    for (size_t k = 0; k < ARRAY_LEN(active); k++)
        if (span_contains_nocase(s, active[k]))
            return true;
    return false;
}

#include "dissectors/filetype_sniff.h"

#include "sensor/base/attr.h"

#define LOOK      16384 /* bytes of text that are looked through */
#define WORDS     4096  /* of them for words of scripts */
#define WIDE_MAX  2048  /* characters of UTF-16 that are looked at */
#define SCRIPT_AT 5     /* weight from which a text is a script */

/* ---- is it text ---- */

/* Control characters that text may have. */
static const uint32_t text_controls = 1U << '\t' | 1U << '\n' | 1U << '\r' |
                                      1U << '\f' | 1U << '\v' | 1U << '\b' |
                                      1U << 0x1b | 1U << 0x1a;

static bool
is_text(struct span s)
{
    return span_find_control(s, text_controls) == s.n;
}

/* UTF-16 as far as it is ASCII, '?' for what is not. Empty when it is not
 * UTF-16 with its mark. */
static struct span
narrow(struct span s, uint8_t room[WIDE_MAX])
{
    bool big = span_starts(s, SPAN_LIT("\xfe\xff"));
    size_t n = 0;

    if (!big && !span_starts(s, SPAN_LIT("\xff\xfe")))
        return SPAN_NONE;
    for (size_t i = 2; i + 1 < s.n && n < WIDE_MAX; i += 2) {
        uint8_t high = s.p[big ? i : i + 1];
        uint8_t low = s.p[big ? i + 1 : i];

        room[n++] = high == 0 && low < 0x80 ? low : '?';
    }
    return span_of(room, n);
}

static struct span
skip_blank(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r')))
        s = span_tail(s, 1);
    return s;
}

static struct span
first_line(struct span s)
{
    return span_head(s, span_find(s, '\n'));
}

/* ---- what a text begins with ---- */

static const struct {
    struct span head;
    enum filetype t;
} heads[] = {
    {SPAN_INIT("#!"),                                       FILETYPE_SHEBANG    },
    {SPAN_INIT("[InternetShortcut]"),                       FILETYPE_URL        },
    {SPAN_INIT("[Shell]"),                                  FILETYPE_SCF        },
    {SPAN_INIT("[Theme]"),                                  FILETYPE_THEME      },
    {SPAN_INIT("[Desktop Entry]"),                          FILETYPE_DESKTOP    },
    {SPAN_INIT("WEB\r\n1"),                                 FILETYPE_IQY        },
    {SPAN_INIT("WEB\n1"),                                   FILETYPE_IQY        },
    {SPAN_INIT("ID;P"),                                     FILETYPE_SLK        },
    {SPAN_INIT("Windows Registry Editor Version"),          FILETYPE_REG        },
    {SPAN_INIT("REGEDIT4"),                                 FILETYPE_REG        },
    {SPAN_INIT("BEGIN:VCALENDAR"),                          FILETYPE_ICS        },
    {SPAN_INIT("BEGIN:VCARD"),                              FILETYPE_VCARD      },
    {SPAN_INIT("-----BEGIN PGP "),                          FILETYPE_PGP        },
    {SPAN_INIT("-----BEGIN PKCS7"),                         FILETYPE_PKCS7      },
    {SPAN_INIT("-----BEGIN CMS"),                           FILETYPE_PKCS7      },
    {SPAN_INIT("-----BEGIN "),                              FILETYPE_CERTIFICATE},
    {SPAN_INIT("(This file must be converted with BinHex"), FILETYPE_BINHEX     },
    {SPAN_INIT("<?php"),                                    FILETYPE_PHP        },
    {SPAN_INIT("@echo off"),                                FILETYPE_BATCH      },
    {SPAN_INIT("%!PS"),                                     FILETYPE_POSTSCRIPT },
    {SPAN_INIT("{\\rt"),                                    FILETYPE_RTF        },
};

static enum filetype
by_head(struct span s)
{
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (span_starts_nocase(s, heads[i].head))
            return heads[i].t;
    return FILETYPE_UNKNOWN;
}

/* "begin 644 name" */
static bool
is_uu(struct span s)
{
    size_t k = 6;

    if (!span_starts(s, SPAN_LIT("begin ")))
        return false;
    while (span_at(s, k) >= '0' && span_at(s, k) <= '7')
        k++;
    return k >= 9 && k <= 10 && span_at(s, k) == ' ';
}

/* Settings files have sections in any order. */
static bool
is_shortcut(struct span s)
{
    return span_at(s, 0) == '[' &&
           span_contains_nocase(s, SPAN_LIT("\n[InternetShortcut]"));
}

/* "name:i:1", "name:s:text" in the first line, and one that all have. */
static bool
is_rdp(struct span s)
{
    struct span line = first_line(s);

    if (span_search(line, SPAN_LIT(":i:")) == line.n &&
        span_search(line, SPAN_LIT(":s:")) == line.n)
        return false;
    return span_contains_nocase(s, SPAN_LIT("full address:s:"));
}

/* ---- markup: the first element ---- */

static const struct {
    struct span name; /* without its prefix */
    enum filetype t;
} roots[] = {
    {SPAN_INIT("html"),                       FILETYPE_HTML      },
    {SPAN_INIT("head"),                       FILETYPE_HTML      },
    {SPAN_INIT("body"),                       FILETYPE_HTML      },
    {SPAN_INIT("title"),                      FILETYPE_HTML      },
    {SPAN_INIT("meta"),                       FILETYPE_HTML      },
    {SPAN_INIT("link"),                       FILETYPE_HTML      },
    {SPAN_INIT("base"),                       FILETYPE_HTML      },
    {SPAN_INIT("style"),                      FILETYPE_HTML      },
    {SPAN_INIT("script"),                     FILETYPE_HTML      },
    {SPAN_INIT("iframe"),                     FILETYPE_HTML      },
    {SPAN_INIT("form"),                       FILETYPE_HTML      },
    {SPAN_INIT("input"),                      FILETYPE_HTML      },
    {SPAN_INIT("table"),                      FILETYPE_HTML      },
    {SPAN_INIT("div"),                        FILETYPE_HTML      },
    {SPAN_INIT("span"),                       FILETYPE_HTML      },
    {SPAN_INIT("p"),                          FILETYPE_HTML      },
    {SPAN_INIT("a"),                          FILETYPE_HTML      },
    {SPAN_INIT("b"),                          FILETYPE_HTML      },
    {SPAN_INIT("br"),                         FILETYPE_HTML      },
    {SPAN_INIT("center"),                     FILETYPE_HTML      },
    {SPAN_INIT("font"),                       FILETYPE_HTML      },
    {SPAN_INIT("img"),                        FILETYPE_HTML      },
    {SPAN_INIT("object"),                     FILETYPE_HTML      },
    {SPAN_INIT("embed"),                      FILETYPE_HTML      },
    {SPAN_INIT("h1"),                         FILETYPE_HTML      },
    {SPAN_INIT("h2"),                         FILETYPE_HTML      },
    {SPAN_INIT("svg"),                        FILETYPE_SVG       },
    {SPAN_INIT("stylesheet"),                 FILETYPE_XSL       },
    {SPAN_INIT("transform"),                  FILETYPE_XSL       },
    {SPAN_INIT("libraryDescription"),         FILETYPE_LIBRARY_MS},
    {SPAN_INIT("persistedQuery"),             FILETYPE_SEARCH_MS },
    {SPAN_INIT("searchConnectorDescription"), FILETYPE_SEARCH_MS },
    {SPAN_INIT("PCSettings"),                 FILETYPE_SETTING_MS},
    {SPAN_INIT("scriptlet"),                  FILETYPE_SCT       },
    {SPAN_INIT("component"),                  FILETYPE_SCT       },
    {SPAN_INIT("job"),                        FILETYPE_WSF       },
    {SPAN_INIT("wordDocument"),               FILETYPE_OFFICE_XML},
};

/* Types whose first element others have too: they need the second text. */
static const struct {
    enum filetype t;
    struct span also;
} second_signs[] = {
    {FILETYPE_SCT, SPAN_INIT("<script")       },
    {FILETYPE_WSF, SPAN_INIT("<script")       },
    {FILETYPE_XSL, SPAN_INIT("/XSL/Transform")},
};

/* Behind declarations, comments and white space: at the '<' of an element. */
static struct span
skip_prolog(struct span s)
{
    static const struct {
        struct span from, to;
    } parts[] = {
        {SPAN_INIT("<!--"), SPAN_INIT("-->")},
        {SPAN_INIT("<?"),   SPAN_INIT(">")  },
        {SPAN_INIT("<!"),   SPAN_INIT(">")  },
    };
    size_t i = 0;

    while (i < ARRAY_LEN(parts)) {
        s = skip_blank(s);
        if (!span_starts(s, parts[i].from)) {
            i++;
            continue;
        }
        s = span_tail(s, span_search(s, parts[i].to) + parts[i].to.n);
        i = 0;
    }
    return s;
}

static bool
is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* Name of the element at s without its prefix; empty when s begins none. */
static struct span
element(struct span s)
{
    size_t n = 0;

    if (span_at(s, 0) != '<')
        return SPAN_NONE;
    s = span_tail(s, 1);
    while (is_name(span_at(s, n)))
        n++;
    if (n > 0 && span_at(s, n) == ':') {
        s = span_tail(s, n + 1);
        for (n = 0; is_name(span_at(s, n)); n++)
            ;
    }
    if (n < s.n && s.p[n] > ' ' && s.p[n] != '>' && s.p[n] != '/')
        return SPAN_NONE; /* an address in angle brackets, say */
    return span_head(s, n);
}

static enum filetype
by_root(struct span s, struct span name)
{
    enum filetype t = FILETYPE_UNKNOWN;

    for (size_t i = 0; i < ARRAY_LEN(roots); i++)
        if (span_eq_nocase(name, roots[i].name))
            t = roots[i].t;
    for (size_t i = 0; i < ARRAY_LEN(second_signs); i++)
        if (t == second_signs[i].t &&
            !span_contains_nocase(s, second_signs[i].also))
            t = FILETYPE_UNKNOWN;
    return t;
}

static enum filetype
by_office_mark(struct span s)
{
    static const struct span marks[] = {
        SPAN_INIT("mso-application"),
        SPAN_INIT("schemas-microsoft-com:office:spreadsheet"),
        SPAN_INIT("schemas.microsoft.com/office/2006/xmlPackage"),
    };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (span_search(s, marks[i]) < s.n)
            return FILETYPE_OFFICE_XML;
    return FILETYPE_UNKNOWN;
}

/* What has a document type or a declaration is markup without a root that we
 * know. */
static enum filetype
by_markup(struct span s)
{
    bool declared = span_starts_nocase(s, SPAN_LIT("<?xml"));
    struct span root = skip_prolog(s);
    enum filetype t = FILETYPE_UNKNOWN;

    if (span_at(s, 0) != '<')
        return FILETYPE_UNKNOWN;
    if (declared)
        t = by_office_mark(s);
    if (t == FILETYPE_UNKNOWN)
        t = by_root(root, element(root));
    if (t == FILETYPE_UNKNOWN &&
        span_starts_nocase(s, SPAN_LIT("<!doctype html")))
        t = FILETYPE_HTML;
    if (t == FILETYPE_HTML &&
        span_contains_nocase(s, SPAN_LIT("<hta:application")))
        t = FILETYPE_HTA;
    if (t == FILETYPE_UNKNOWN &&
        (declared || span_starts_nocase(s, SPAN_LIT("<!doctype"))))
        t = FILETYPE_XML;
    return t;
}

/* ---- mail: header fields at the beginning ---- */

static const struct span fields[] = {
    SPAN_INIT("received"),     SPAN_INIT("return-path"),
    SPAN_INIT("delivered-to"), SPAN_INIT("from"),
    SPAN_INIT("to"),           SPAN_INIT("subject"),
    SPAN_INIT("date"),         SPAN_INIT("message-id"),
    SPAN_INIT("mime-version"), SPAN_INIT("content-type"),
    SPAN_INIT("reply-to"),     SPAN_INIT("dkim-signature"),
};

static bool
is_field(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (span_eq_nocase(name, fields[i]))
            return true;
    return false;
}

/* Three fields that mail has, and nothing but fields before them. */
static bool
is_mail(struct span s)
{
    unsigned known = 0;

    while (s.n > 0 && known < 3) {
        struct span line = first_line(s);
        size_t n = 0;

        s = span_tail(s, line.n + 1);
        if (span_at(line, 0) == ' ' || span_at(line, 0) == '\t')
            continue;
        while (is_name(span_at(line, n)))
            n++;
        if (n == 0 || span_at(line, n) != ':')
            return false;
        known += is_field(span_head(line, n));
    }
    return known == 3;
}

/* "From sender date": the line ends with a year or a zone. */
static enum filetype
by_mail(struct span s)
{
    struct span line = first_line(s);

    if (span_starts(s, SPAN_LIT("From ")) && line.n > 20 &&
        span_search(line, SPAN_LIT(":")) < line.n &&
        is_mail(span_tail(s, line.n + 1)))
        return FILETYPE_MBOX;
    return is_mail(s) ? FILETYPE_EML : FILETYPE_UNKNOWN;
}

/* ---- scripts: words that they have and other texts hardly ---- */

#define WORD_MIN 3
#define WORD_MAX 17

/* In order of length. */

static const struct word {
    struct span word; /* lower case */
    enum filetype t;
    uint8_t weight;
} words[] = {
    {SPAN_INIT("chr"),               FILETYPE_VBS,        1},
    {SPAN_INIT("dim"),               FILETYPE_VBS,        1},
    {SPAN_INIT("iex"),               FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("sub"),               FILETYPE_VBS,        1},
    {SPAN_INIT("var"),               FILETYPE_JSCRIPT,    1},
    {SPAN_INIT("$env"),              FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("eval"),              FILETYPE_JSCRIPT,    1},
    {SPAN_INIT("goto"),              FILETYPE_BATCH,      1},
    {SPAN_INIT("$null"),             FILETYPE_POWERSHELL, 1},
    {SPAN_INIT("$true"),             FILETYPE_POWERSHELL, 1},
    {SPAN_INIT("%~dp0"),             FILETYPE_BATCH,      3},
    {SPAN_INIT("@echo"),             FILETYPE_BATCH,      2},
    {SPAN_INIT("%temp%"),            FILETYPE_BATCH,      1},
    {SPAN_INIT("msgbox"),            FILETYPE_VBS,        2},
    {SPAN_INIT("resume"),            FILETYPE_VBS,        1},
    {SPAN_INIT("wscript"),           FILETYPE_VBS,        2},
    {SPAN_INIT("wscript"),           FILETYPE_JSCRIPT,    2},
    {SPAN_INIT("function"),          FILETYPE_JSCRIPT,    1},
    {SPAN_INIT("setlocal"),          FILETYPE_BATCH,      2},
    {SPAN_INIT("getobject"),         FILETYPE_VBS,        2},
    {SPAN_INIT("errorlevel"),        FILETYPE_BATCH,      2},
    {SPAN_INIT("new-object"),        FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("write-host"),        FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("createobject"),      FILETYPE_VBS,        4},
    {SPAN_INIT("fromcharcode"),      FILETYPE_JSCRIPT,    2},
    {SPAN_INIT("where-object"),      FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("write-output"),      FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("$psscriptroot"),     FILETYPE_POWERSHELL, 4},
    {SPAN_INIT("activexobject"),     FILETYPE_JSCRIPT,    4},
    {SPAN_INIT("cmdletbinding"),     FILETYPE_POWERSHELL, 4},
    {SPAN_INIT("executeglobal"),     FILETYPE_VBS,        3},
    {SPAN_INIT("get-childitem"),     FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("start-process"),     FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("downloadstring"),    FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("foreach-object"),    FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("set-strictmode"),    FILETYPE_POWERSHELL, 3},
    {SPAN_INIT("-executionpolicy"),  FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("frombase64string"),  FILETYPE_POWERSHELL, 2},
    {SPAN_INIT("invoke-expression"), FILETYPE_POWERSHELL, 3},
    {SPAN_INIT("invoke-webrequest"), FILETYPE_POWERSHELL, 3},
};

_Static_assert(ARRAY_LEN(words) <= 64, "a bit each");

/* Which characters words of scripts have: letters, digits, $ % - @ _ ~ */
static const bool word_bytes[256] = {
#define TEN(c)                                                                 \
    [(c)] = 1, [(c) + 1] = 1, [(c) + 2] = 1, [(c) + 3] = 1, [(c) + 4] = 1,     \
    [(c) + 5] = 1, [(c) + 6] = 1, [(c) + 7] = 1, [(c) + 8] = 1, [(c) + 9] = 1
    TEN('0'),  TEN('A'),  TEN('K'),  ['U'] = 1, ['V'] = 1, ['W'] = 1,
    ['X'] = 1, ['Y'] = 1, ['Z'] = 1, TEN('a'),  TEN('k'),  ['u'] = 1,
    ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['$'] = 1,
    ['%'] = 1, ['-'] = 1, ['@'] = 1, ['_'] = 1, ['~'] = 1,
#undef TEN
};

/* Where in words those of each length begin, and the end behind the last; and a
 * bit for what they begin with. */
struct word_index {
    uint8_t first[WORD_MAX + 2];
    uint32_t heads[WORD_MAX + 2];
};

/* Equal for both cases of a letter. */
static uint32_t
head_bit(uint8_t c)
{
    return 1U << (c & 31);
}

static void
index_words(struct word_index *x)
{
    uint8_t i = 0;

    for (size_t n = 0; n <= WORD_MAX + 1; n++) {
        x->first[n] = i;
        x->heads[n] = 0;
        while (i < ARRAY_LEN(words) && words[i].word.n == n)
            x->heads[n] |= head_bit(words[i++].word.p[0]);
    }
}

/* Bits of the words of scripts that s is. */
static uint64_t
words_that_are(const struct word_index *x, struct span s)
{
    uint64_t seen = 0;

    for (size_t i = x->first[s.n]; i < x->first[s.n + 1]; i++)
        if (span_eq_nocase(s, words[i].word))
            seen |= UINT64_C(1) << i;
    return seen;
}

/* Bits of the words of scripts that s has. */
static uint64_t
words_of(struct span s)
{
    struct word_index x;
    uint64_t seen = 0;

    index_words(&x);
    while (s.n > 0) {
        size_t n = 0;

        while (n < s.n && word_bytes[s.p[n]])
            n++;
        if (n >= WORD_MIN && n <= WORD_MAX &&
            (x.heads[n] & head_bit(s.p[0])) != 0)
            seen |= words_that_are(&x, span_head(s, n));
        s = span_tail(s, n + 1);
    }
    return seen;
}

static enum filetype
by_words(struct span s)
{
    static const enum filetype scripts[] = {FILETYPE_POWERSHELL, FILETYPE_VBS,
                                            FILETYPE_JSCRIPT, FILETYPE_BATCH};
    uint64_t seen = words_of(span_head(s, WORDS));
    enum filetype best = FILETYPE_UNKNOWN;
    unsigned most = SCRIPT_AT - 1;

    for (size_t k = 0; seen != 0 && k < ARRAY_LEN(scripts); k++) {
        unsigned sum = 0;

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            if (words[i].t == scripts[k] && (seen >> i & 1) != 0)
                sum += words[i].weight;
        if (sum > most) {
            most = sum;
            best = scripts[k];
        }
    }
    return best;
}

/* ---- all of them ---- */

enum filetype
filetype_by_text(struct filetype_probe *p)
{
    static enum filetype (*const ways[])(struct span) = {by_head, by_markup,
                                                         by_mail, by_words};
    uint8_t room[WIDE_MAX];
    struct span s = narrow(p->head, room);
    enum filetype t = FILETYPE_UNKNOWN;

    if (s.n == 0)
        s = span_head(p->head, LOOK);
    if (span_starts(s, SPAN_LIT("\xef\xbb\xbf")))
        s = span_tail(s, 3);
    if (!is_text(s))
        return FILETYPE_UNKNOWN;
    s = skip_blank(s);
    for (size_t i = 0; i < ARRAY_LEN(ways) && t == FILETYPE_UNKNOWN; i++)
        t = ways[i](s);
    if (t != FILETYPE_UNKNOWN)
        return t;
    if (is_uu(s))
        return FILETYPE_UUENCODE;
    if (is_shortcut(s))
        return FILETYPE_URL;
    return is_rdp(s) ? FILETYPE_RDP : FILETYPE_TEXT;
}

#include "dissectors/content/vba.h"

#define CHUNK_BYTES 4096

/* ---- [MS-OVBA] 2.4.1.3 ---- */

/* 2.4.1.3.19.1: how a copy token is shared between offset and length depends on
 * how much of the chunk is out. */
static unsigned
offset_bits(size_t out)
{
    unsigned bits = 4;

    while (((size_t)1 << bits) < out)
        bits++;
    return bits;
}

static bool
copy(struct buf *out, size_t chunk_at, uint16_t token)
{
    const size_t have = out->n - chunk_at;
    const unsigned bits = offset_bits(have);
    const size_t n = (token & (0xffffU >> bits)) + 3U;
    const size_t back = (size_t)(token >> (16 - bits)) + 1;

    if (back > have || have + n > CHUNK_BYTES || !buf_grow(out, n))
        return false;
    /* may overlap what it writes: byte by byte */
    for (size_t k = 0; k < n; k++, out->n++)
        out->p[out->n] = out->p[out->n - back];
    return true;
}

static bool
unpack_tokens(struct span in, struct buf *out)
{
    struct cursor c = cur_open(in);
    const size_t chunk_at = out->n;

    while (cur_left(&c) > 0) {
        unsigned flags = cur_u8(&c);

        for (unsigned k = 0; k < 8 && cur_left(&c) > 0; k++, flags >>= 1) {
            if ((flags & 1) != 0) {
                uint16_t token = cur_le16(&c);

                if (c.bad || !copy(out, chunk_at, token))
                    return false;
            } else {
                if (out->n - chunk_at >= CHUNK_BYTES)
                    return false;
                buf_putc(out, cur_u8(&c));
            }
        }
    }
    return !out->cut && !out->failed;
}

bool
vba_unpack(struct span in, struct buf *out)
{
    struct cursor c = cur_open(in);

    if (cur_u8(&c) != 1)
        return false;
    while (cur_left(&c) >= 2) {
        const uint16_t head = cur_le16(&c);
        const size_t n = (head & 0x0fffU) + 1U;
        struct span data;
        bool whole = n <= cur_left(&c);

        if ((head >> 12 & 7) != 3)
            return false;
        data = cur_take(&c, whole ? n : cur_left(&c));
        if ((head & 0x8000) == 0)
            buf_span(out, data);
        else if (!unpack_tokens(data, out))
            return false;
        if (!whole || out->cut || out->failed)
            return false;
    }
    return !c.bad;
}

/* ---- the dir stream, 2.3.4.2 ---- */

enum record {
    PROJECT_VERSION = 0x0009,
    MODULE_NAME = 0x0019,
    MODULE_STREAM = 0x001a,
    MODULE_STREAM_WIDE = 0x0032,
    MODULE_OFFSET = 0x0031,
    MODULE_END = 0x002b,
};

/* The one record whose length lies: 4 is said, 6 bytes follow. */
static struct span
record_data(struct cursor *c, uint16_t id)
{
    uint32_t n = cur_le32(c);

    return cur_take(c, id == PROJECT_VERSION ? 6 : n);
}

static void
keep(struct vba_modules *out, const struct vba_module *m)
{
    if (m->stream.n == 0 && m->wide.n == 0)
        return;
    if (out->n < VBA_MODULES_MAX)
        out->m[out->n++] = *m;
    else
        out->more = true;
}

void
vba_modules_read(struct span dir, struct vba_modules *out)
{
    struct cursor c = cur_open(dir);
    struct vba_module m = {0};

    out->n = 0;
    out->more = false;
    while (cur_left(&c) >= 6) {
        const uint16_t id = cur_le16(&c);
        struct span data = record_data(&c, id);
        struct cursor value = cur_open(data);

        if (c.bad)
            break;
        if (id == MODULE_STREAM)
            m.stream = data;
        else if (id == MODULE_STREAM_WIDE)
            m.wide = data;
        else if (id == MODULE_OFFSET)
            m.offset = cur_le32(&value);
        else if (id == MODULE_END || id == MODULE_NAME) {
            keep(out, &m);
            m = (struct vba_module){0};
        }
    }
    keep(out, &m);
}

/* Every source begins with "Attribute", of which the first flag byte splits off
 * the last letter: 01, header, 00, "Attribut". */
size_t
vba_find_source(struct span stream)
{
    static const struct span mark = SPAN_INIT("\0Attribut");
    size_t at = 0;

    while (at < stream.n) {
        struct span in = span_tail(stream, at);
        size_t hit = at + span_search(in, mark);

        if (hit >= stream.n)
            break;
        if (hit >= 3 && span_at(stream, hit - 3) == 1 &&
            (span_at(stream, hit - 1) & 0xf0) == 0xb0)
            return hit - 3;
        at = hit + 1;
    }
    return stream.n;
}

/* ---- words ---- */

enum meaning { AUTOEXEC = 1, SUSPICIOUS = 2 };

struct known {
    const char *word; /* lower case, sorted */
    enum meaning meaning;
};

static const struct known words[] = {
    {"auto_close",                     AUTOEXEC  },
    {"auto_open",                      AUTOEXEC  },
    {"autoclose",                      AUTOEXEC  },
    {"autoexec",                       AUTOEXEC  },
    {"autoexit",                       AUTOEXEC  },
    {"autonew",                        AUTOEXEC  },
    {"autoopen",                       AUTOEXEC  },
    {"bitsadmin",                      SUSPICIOUS},
    {"callbyname",                     SUSPICIOUS},
    {"certutil",                       SUSPICIOUS},
    {"createobject",                   SUSPICIOUS},
    {"createprocessa",                 SUSPICIOUS},
    {"createremotethread",             SUSPICIOUS},
    {"createthread",                   SUSPICIOUS},
    {"createtimerqueuetimer",          SUSPICIOUS},
    {"cscript",                        SUSPICIOUS},
    {"document_beforeclose",           AUTOEXEC  },
    {"document_close",                 AUTOEXEC  },
    {"document_contentcontrolonenter", AUTOEXEC  },
    {"document_new",                   AUTOEXEC  },
    {"document_open",                  AUTOEXEC  },
    {"documentopen",                   AUTOEXEC  },
    {"getobject",                      SUSPICIOUS},
    {"heapcreate",                     SUSPICIOUS},
    {"internetexplorer",               SUSPICIOUS},
    {"macscript",                      SUSPICIOUS},
    {"mshta",                          SUSPICIOUS},
    {"newdocument",                    AUTOEXEC  },
    {"ntallocatevirtualmemory",        SUSPICIOUS},
    {"powershell",                     SUSPICIOUS},
    {"pwsh",                           SUSPICIOUS},
    {"queueuserapc",                   SUSPICIOUS},
    {"regsvr32",                       SUSPICIOUS},
    {"rtlmovememory",                  SUSPICIOUS},
    {"rundll32",                       SUSPICIOUS},
    {"setthreadcontext",               SUSPICIOUS},
    {"shell",                          SUSPICIOUS},
    {"shellexecute",                   SUSPICIOUS},
    {"shellexecutea",                  SUSPICIOUS},
    {"shellexecutew",                  SUSPICIOUS},
    {"urldownloadtofile",              SUSPICIOUS},
    {"urldownloadtofilea",             SUSPICIOUS},
    {"urldownloadtofilew",             SUSPICIOUS},
    {"virtualalloc",                   SUSPICIOUS},
    {"virtualallocex",                 SUSPICIOUS},
    {"winexec",                        SUSPICIOUS},
    {"winmgmts",                       SUSPICIOUS},
    {"workbook_activate",              AUTOEXEC  },
    {"workbook_beforeclose",           AUTOEXEC  },
    {"workbook_close",                 AUTOEXEC  },
    {"workbook_deactivate",            AUTOEXEC  },
    {"workbook_open",                  AUTOEXEC  },
    {"wscript",                        SUSPICIOUS},
    {"xmlhttp",                        SUSPICIOUS},
};

/* Events of controls that come without a click, as the end of a name. */
static const struct span events[] = {
    SPAN_INIT("_gotfocus"),         SPAN_INIT("_layout"),
    SPAN_INIT("_mousehover"),       SPAN_INIT("_onconnecting"),
    SPAN_INIT("_painted"),          SPAN_INIT("_painting"),
    SPAN_INIT("_documentcomplete"), SPAN_INIT("_downloadcomplete"),
};

#define WORD_MAX 64

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_';
}

static int
compare(const void *key, const void *row)
{
    const struct known *k = row;

    return strcmp(key, k->word);
}

static bool
is_event(struct span word)
{
    for (size_t k = 0; k < ARRAY_LEN(events); k++)
        if (word.n > events[k].n &&
            span_eq(span_tail(word, word.n - events[k].n), events[k]))
            return true;
    return false;
}

/* 0 when it means nothing. */
static unsigned
meaning_of(struct span word)
{
    char low[WORD_MAX + 1];
    const struct known *hit;

    if (word.n > WORD_MAX)
        return 0;
    for (size_t k = 0; k < word.n; k++)
        low[k] = (char)lower(span_at(word, k));
    low[word.n] = '\0';
    hit = bsearch(low, words, ARRAY_LEN(words), sizeof(words[0]), compare);
    if (hit != NULL)
        return hit->meaning;
    return is_event(span_of(low, word.n)) ? AUTOEXEC : 0;
}

static void
note(struct vba_said *said, struct span word, unsigned meaning)
{
    struct span *where =
        meaning == AUTOEXEC ? &said->autoexec : &said->suspicious;

    if (meaning != 0 && where->n == 0)
        *where = word;
}

/* The next word from *at; empty at the end. */
static struct span
next_word(struct span s, size_t *at)
{
    size_t from = *at;
    size_t to;

    while (from < s.n && !is_word(span_at(s, from)))
        from++;
    to = from;
    while (to < s.n && is_word(span_at(s, to)))
        to++;
    *at = to;
    return span_head(span_tail(s, from), to - from);
}

static void
read_words(struct span s, bool is_source, struct vba_said *said)
{
    bool after_sub = false;
    size_t at = 0;

    for (;;) {
        struct span w = next_word(s, &at);
        unsigned meaning;

        if (w.n == 0)
            return;
        meaning = meaning_of(w);
        if (meaning == SUSPICIOUS || after_sub || !is_source)
            note(said, w, meaning);
        after_sub = span_eq_nocase(w, SPAN_LIT("sub"));
    }
}

static bool
is_code(struct span line)
{
    line = span_trim(line);
    if (line.n > 0 && span_at(line, line.n - 1) == '\r')
        line = span_trim(span_head(line, line.n - 1));
    return line.n > 0 && !span_starts_nocase(line, SPAN_LIT("Attribute ")) &&
           !span_starts_nocase(line, SPAN_LIT("Option "));
}

void
vba_read_source(struct span s, struct vba_said *said)
{
    read_words(s, true, said);
    while (s.n > 0 && !said->code) {
        struct span line = span_head(s, span_find(s, '\n'));

        said->code = is_code(line);
        s = span_tail(s, line.n + 1);
    }
}

void
vba_read_names(struct span table, struct vba_said *said)
{
    read_words(table, false, said);
}

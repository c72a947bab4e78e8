#include "dissectors/content/pdf.h"

#include "dissectors/content/byte_in.h"
#include "dissectors/content/pdf_filter.h"
#include "dissectors/content/target.h"
#include "sensor/base/attr.h"

#define HEADER_REACH 1024 /* as viewers look for it */
#define NAME_MAX     48   /* bytes of a name that may matter */
#define STRING_WORK  4    /* times the file: what unclosed strings may cost */

/* Names that matter, as keys or as values. */
enum pdf_name {
    PN_NONE, /* no key yet */
    PN_UNKNOWN,
    PN_S,
    PN_TYPE,
    PN_SUBTYPE,
    PN_F,
    PN_UF,
    PN_EF,
    PN_WIN,
    PN_URI,
    PN_FILTER,
    PN_LENGTH,
    PN_COLUMNS,
    PN_COLORS,
    PN_PREDICTOR,
    PN_PARMS,
    PN_OBJSTM,
    PN_EMBEDDED,
    PN_GOTOR,
    PN_GOTOE,
    /* the rest are facts: a bit each */
    PN_JAVASCRIPT,
    PN_JS,
    PN_LAUNCH,
    PN_OPENACTION,
    PN_AA,
    PN_XFA,
    PN_RICHMEDIA,
    PN_ENCRYPT,
};

static const struct {
    struct span text;
    enum pdf_name is;
} names[] = {
    {SPAN_INIT("S"),                 PN_S         },
    {SPAN_INIT("Type"),              PN_TYPE      },
    {SPAN_INIT("Subtype"),           PN_SUBTYPE   },
    {SPAN_INIT("F"),                 PN_F         },
    {SPAN_INIT("UF"),                PN_UF        },
    {SPAN_INIT("EF"),                PN_EF        },
    {SPAN_INIT("Win"),               PN_WIN       },
    {SPAN_INIT("URI"),               PN_URI       },
    {SPAN_INIT("Filter"),            PN_FILTER    },
    {SPAN_INIT("Length"),            PN_LENGTH    },
    {SPAN_INIT("Columns"),           PN_COLUMNS   },
    {SPAN_INIT("Colors"),            PN_COLORS    },
    {SPAN_INIT("Predictor"),         PN_PREDICTOR },
    {SPAN_INIT("DecodeParms"),       PN_PARMS     },
    {SPAN_INIT("DP"),                PN_PARMS     },
    {SPAN_INIT("ObjStm"),            PN_OBJSTM    },
    {SPAN_INIT("EmbeddedFile"),      PN_EMBEDDED  },
    {SPAN_INIT("GoToR"),             PN_GOTOR     },
    {SPAN_INIT("GoToE"),             PN_GOTOE     },
    {SPAN_INIT("JavaScript"),        PN_JAVASCRIPT},
    {SPAN_INIT("JS"),                PN_JS        },
    {SPAN_INIT("Launch"),            PN_LAUNCH    },
    {SPAN_INIT("OpenAction"),        PN_OPENACTION},
    {SPAN_INIT("AA"),                PN_AA        },
    {SPAN_INIT("XFA"),               PN_XFA       },
    {SPAN_INIT("RichMedia"),         PN_RICHMEDIA },
    {SPAN_INIT("RichMediaSettings"), PN_RICHMEDIA },
    {SPAN_INIT("Encrypt"),           PN_ENCRYPT   },
};

/* A dictionary that is open. Strings are as written, with their brackets. */
struct frame {
    enum pdf_name key;
    bool has_value; /* the next name is a key */
    uint32_t arrays;
    enum pdf_name s;
    enum pdf_name type;
    struct span f;
    struct span uf;
    uint32_t ref; /* of /F or /UF, in the dictionary /EF */
    uint32_t ef;  /* what that was */
    uint64_t length;
    struct pdf_filters filters;
    uint32_t columns;
    uint32_t colors;
    uint32_t predictor;
};

struct stream {
    uint32_t number;
    bool is_objects;
    bool is_file;
    size_t at;
    size_t n;
    struct pdf_filters filters;
};

struct file_name {
    uint32_t number; /* of the stream */
    uint32_t at;     /* in texts */
    uint32_t n;
};

struct pdf {
    struct inspection *i;
    const struct content_item *item;
    struct span in; /* what is read: the file, or a stream of objects */
    size_t at;
    bool within; /* a stream of objects */
    bool stop;
    size_t depth; /* of dictionaries; frames beyond PDF_DEPTH share the last */
    struct frame frames[PDF_DEPTH + 1]; /* 0: outside */
    struct frame last;                  /* closed at depth 1 */
    uint32_t numbers[2];                /* the last two */
    uint32_t object;
    uint64_t facts;
    size_t string_work; /* left */
    struct stream *streams;
    size_t n_streams;
    size_t cap_streams;
    struct file_name names[PDF_NAMES];
    size_t n_names;
    struct buf texts;
    struct buf text; /* of a string */
    struct buf host;
};

static uint64_t
fact(enum pdf_name n)
{
    return UINT64_C(1) << n;
}

static struct frame *
top(struct pdf *p)
{
    return &p->frames[p->depth < PDF_DEPTH ? p->depth : PDF_DEPTH];
}

/* ---- strings ---- */

static unsigned
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10U : 16;
}

static size_t
escape(struct span s, size_t at, struct buf *out)
{
    static const char from[] = "nrtbf";
    static const char to[] = "\n\r\t\b\f";
    const uint8_t c = span_at(s, at);
    const char *known = c != 0 ? strchr(from, c) : NULL;
    unsigned v = 0;
    size_t n = 0;

    while (n < 3 && span_at(s, at + n) >= '0' && span_at(s, at + n) <= '7')
        v = v * 8 + (span_at(s, at + n++) - (unsigned)'0');
    if (n > 0)
        buf_putc(out, (uint8_t)v);
    else if (known != NULL)
        buf_putc(out, (uint8_t)to[known - from]);
    else if (c != '\n' && c != '\r')
        buf_putc(out, c);
    return n > 0 ? n : 1;
}

static void
put_literal(struct span s, struct buf *out)
{
    for (size_t k = 0; k < s.n && !out->cut;) {
        if (s.p[k] == '\\') {
            k += 1 + escape(s, k + 1, out);
            continue;
        }
        buf_putc(out, s.p[k++]);
    }
}

static void
put_hex(struct span s, struct buf *out)
{
    unsigned high = 16;

    for (size_t k = 0; k < s.n && !out->cut; k++) {
        const unsigned v = hex_digit(s.p[k]);

        if (v == 16)
            continue;
        if (high < 16)
            buf_putc(out, (uint8_t)(high << 4 | v));
        high = high < 16 ? 16 : v;
    }
}

/* UTF-16 with its mark, to UTF-8; pairs of surrogates become one '?'. */
static void
from_utf16(struct buf *b)
{
    size_t to = 0;

    if (b->n < 2 || b->p[0] != 0xfe || b->p[1] != 0xff)
        return;
    for (size_t k = 2; k + 1 < b->n; k += 2) {
        const unsigned c = (unsigned)b->p[k] << 8 | b->p[k + 1];

        if (c < 0x80) {
            b->p[to++] = (uint8_t)c;
        } else if (c < 0x800) {
            b->p[to++] = (uint8_t)(0xc0 | c >> 6);
            b->p[to++] = (uint8_t)(0x80 | (c & 63));
        } else {
            /* three bytes of two would not fit in place */
            b->p[to++] = '?';
        }
    }
    b->n = to;
}

/* What a string says, in p->text. */
static struct span
decode_string(struct pdf *p, struct span raw)
{
    buf_reset(&p->text);
    if (raw.n < 2)
        return SPAN_NONE;
    if (raw.p[0] == '(')
        put_literal(span_head(span_tail(raw, 1), raw.n - 2), &p->text);
    else
        put_hex(span_head(span_tail(raw, 1), raw.n - 2), &p->text);
    from_utf16(&p->text);
    return buf_view(&p->text);
}

/* ---- what is found ---- */

static void
check_target(struct pdf *p, struct span text)
{
    if (target_of(text, &p->host) == TARGET_UNC)
        findings_add_detail(inspection_findings(p->i), FIND_UNC_TARGET,
                            buf_view(&p->host));
}

static void
on_uri(struct pdf *p, struct span raw)
{
    struct span uri = decode_string(p, raw);

    if (target_of_url(uri, &p->host) == TARGET_UNC)
        findings_add_detail(inspection_findings(p->i), FIND_UNC_TARGET,
                            buf_view(&p->host));
    if (span_find(uri, ':') < uri.n)
        url_set_add(inspection_urls(p->i), uri);
}

static void
keep_name(struct pdf *p, uint32_t number, struct span name)
{
    if (p->n_names == PDF_NAMES || name.n > UINT32_MAX - p->texts.n)
        return;
    p->names[p->n_names] =
        (struct file_name){number, (uint32_t)p->texts.n, (uint32_t)name.n};
    buf_span(&p->texts, name);
    if (!p->texts.cut && !p->texts.failed)
        p->n_names++;
}

/* Typesetting systems make launches of links to documents. Without a plain name
 * it may be anything. */
static void
on_launch(struct pdf *p, struct span target)
{
    struct span e = filename_extension(target);

    if (e.n > 0 && filename_risk(e) != EXTENSION_FORBIDDEN) {
        findings_add_detail(inspection_findings(p->i), FIND_PDF_LAUNCH_FILE,
                            target);
        return;
    }
    p->facts |= fact(PN_LAUNCH);
    findings_add_detail(inspection_findings(p->i), FIND_PDF_LAUNCH, target);
}

/* A dictionary is complete: an action, or a file specification. */
static void
conclude_frame(struct pdf *p, const struct frame *f)
{
    const struct span raw = f->uf.n > 0 ? f->uf : f->f;
    struct span text;

    if (raw.n == 0 && f->s != PN_LAUNCH)
        return;
    text = decode_string(p, raw);
    check_target(p, text);
    if (f->s == PN_LAUNCH)
        on_launch(p, text);
    if (f->ef != 0)
        keep_name(p, f->ef, text);
}

/* ---- dictionaries ---- */

static void
open_dict(struct pdf *p)
{
    if (!inspection_spend_objects(p->i, 1))
        p->stop = true;
    if (p->depth < SIZE_MAX)
        p->depth++;
    if (p->depth <= PDF_DEPTH)
        *top(p) = (struct frame){.colors = 1, .columns = 1};
}

/* What a dictionary within says of the one around it. */
static void
hand_up(struct frame *to, const struct frame *from)
{
    switch ((unsigned)to->key) {
    case PN_EF: to->ef = from->ref; break;
    case PN_WIN:
    case PN_F: /* a file specification as the target */
        if (from->f.n > 0)
            to->f = from->f;
        if (from->uf.n > 0)
            to->uf = from->uf;
        break;
    case PN_PARMS:
        to->predictor = from->predictor;
        to->columns = from->columns;
        to->colors = from->colors;
        break;
    default: break;
    }
    to->has_value = true;
}

static void
close_dict(struct pdf *p)
{
    if (p->depth == 0)
        return;
    if (p->depth <= PDF_DEPTH) {
        struct frame f = *top(p);

        conclude_frame(p, &f);
        p->depth--;
        if (p->depth == 0)
            p->last = f;
        else
            hand_up(top(p), &f);
        return;
    }
    p->depth--;
}

static void
on_key(struct pdf *p, struct frame *f, enum pdf_name n)
{
    f->key = n;
    f->has_value = false;
    if (n > PN_LAUNCH)
        p->facts |= fact(n);
}

static void
on_name_value(struct pdf *p, struct frame *f, enum pdf_name n, struct span text)
{
    f->has_value = true;
    if (f->key == PN_S) {
        f->s = n;
        if (n == PN_JAVASCRIPT)
            p->facts |= fact(n);
    } else if (f->key == PN_TYPE) {
        f->type = n;
    } else if (f->key == PN_SUBTYPE && n == PN_RICHMEDIA) {
        p->facts |= fact(n);
    } else if (f->key == PN_FILTER && f->filters.n < PDF_FILTERS) {
        f->filters.list[f->filters.n++] = (uint8_t)pdf_filter_find(text);
    }
}

static void
on_name(struct pdf *p, enum pdf_name n, struct span text)
{
    struct frame *f = top(p);

    if (f->arrays == 0 && (f->key == PN_NONE || f->has_value)) {
        on_key(p, f, n);
        return;
    }
    on_name_value(p, f, n, text);
}

static void
on_string(struct pdf *p, struct span raw)
{
    struct frame *f = top(p);

    f->has_value = true;
    if (f->key == PN_URI)
        on_uri(p, raw);
    else if (f->key == PN_F)
        f->f = raw;
    else if (f->key == PN_UF)
        f->uf = raw;
}

static void
on_number(struct pdf *p, uint32_t v)
{
    struct frame *f = top(p);

    p->numbers[0] = p->numbers[1];
    p->numbers[1] = v;
    if (f->key == PN_LENGTH && !f->has_value)
        f->length = v;
    if (f->key == PN_COLUMNS)
        f->columns = v;
    if (f->key == PN_COLORS)
        f->colors = v;
    if (f->key == PN_PREDICTOR)
        f->predictor = v;
    f->has_value = true;
}

/* ---- streams ---- */

static bool
grow_streams(struct pdf *p)
{
    const size_t cap = p->cap_streams > 0 ? 2 * p->cap_streams : 64;
    struct stream *more;

    if (p->n_streams < p->cap_streams)
        return true;
    if (p->n_streams >= PDF_STREAMS)
        return false;
    more = realloc(p->streams, cap * sizeof(*more));
    if (more == NULL)
        return false;
    p->streams = more;
    p->cap_streams = cap;
    return true;
}

static void
keep_stream(struct pdf *p, size_t at, size_t n)
{
    const struct frame *f = &p->last;
    struct stream s = {
        .number = p->object,
        .is_objects = f->type == PN_OBJSTM,
        .is_file = f->type == PN_EMBEDDED,
        .at = at,
        .n = n,
        .filters = f->filters,
    };

    s.filters.predicted = f->predictor >= 10;
    if (f->columns <= UINT32_MAX / 32 && f->colors <= 32)
        s.filters.columns = f->columns * f->colors;
    if (grow_streams(p))
        p->streams[p->n_streams++] = s;
    else
        findings_add(inspection_findings(p->i), FIND_INSPECTION_LIMIT);
}

static bool
has_endstream(struct span s)
{
    size_t k = 0;

    while (k < 3 && (span_at(s, k) == '\r' || span_at(s, k) == '\n' ||
                     span_at(s, k) == ' '))
        k++;
    return span_starts(span_tail(s, k), SPAN_LIT("endstream"));
}

/* The keyword was read; its data begin behind one line end. */
static void
on_stream(struct pdf *p)
{
    size_t n;
    struct span rest;

    if (p->within)
        return;
    if (span_at(p->in, p->at) == '\r')
        p->at++;
    if (span_at(p->in, p->at) == '\n')
        p->at++;
    rest = span_tail(p->in, p->at);
    n = p->last.length <= rest.n ? (size_t)p->last.length : rest.n;
    if (p->last.length == 0 || !has_endstream(span_tail(rest, n))) {
        n = span_search(rest, SPAN_LIT("endstream"));
    }
    keep_stream(p, p->at, n);
    p->last = (struct frame){0};
    p->at += n;
}

/* ---- tokens ---- */

static bool
is_white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' ||
           c == 0;
}

static bool
is_regular(uint8_t c)
{
    return !is_white(c) && !byte_in(c, SPAN_LIT("()<>[]{}/%"));
}

static void
read_name(struct pdf *p)
{
    uint8_t room[NAME_MAX];
    struct span text;
    size_t n = 0;
    enum pdf_name is = PN_UNKNOWN;

    p->at++;
    while (p->at < p->in.n && is_regular(p->in.p[p->at])) {
        uint8_t c = p->in.p[p->at++];
        const unsigned high = hex_digit(span_at(p->in, p->at));
        const unsigned low = hex_digit(span_at(p->in, p->at + 1));

        if (c == '#' && high < 16 && low < 16) {
            c = (uint8_t)(high << 4 | low);
            p->at += 2;
        }
        if (n < sizeof(room))
            room[n] = c;
        n++;
    }
    text = span_of(room, n <= sizeof(room) ? n : 0);
    for (size_t k = 0; k < ARRAY_LEN(names) && text.n > 0; k++)
        if (span_eq(text, names[k].text))
            is = names[k].is;
    on_name(p, is, text);
}

/* Past the bracket that closes the one at p->at, or p->at when none does. */
static size_t
literal_end(struct pdf *p)
{
    size_t depth = 0;
    size_t k = p->at;

    for (; k < p->in.n && p->string_work > 0; k++, p->string_work--) {
        if (p->in.p[k] == '\\')
            k++;
        else if (p->in.p[k] == '(')
            depth++;
        else if (p->in.p[k] == ')' && --depth == 0)
            return k + 1;
    }
    return p->at;
}

static void
read_literal(struct pdf *p)
{
    const size_t end = literal_end(p);

    top(p)->has_value = true;
    if (end > p->at)
        on_string(p, span_of(p->in.p + p->at, end - p->at));
    p->at = end > p->at ? end : p->at + 1;
}

static void
read_less(struct pdf *p)
{
    size_t k = p->at + 1;

    if (span_at(p->in, k) == '<') {
        open_dict(p);
        p->at += 2;
        return;
    }
    while (k < p->in.n && (hex_digit(p->in.p[k]) < 16 || is_white(p->in.p[k])))
        k++;
    if (span_at(p->in, k) == '>')
        on_string(p, span_of(p->in.p + p->at, ++k - p->at));
    p->at = k;
}

static void
read_greater(struct pdf *p)
{
    if (span_at(p->in, p->at + 1) == '>') {
        close_dict(p);
        p->at++;
    }
    p->at++;
}

static void
read_bracket(struct pdf *p)
{
    struct frame *f = top(p);

    if (p->in.p[p->at++] == '[') {
        f->arrays++;
    } else if (f->arrays > 0) {
        f->arrays--;
        f->has_value = true;
    }
}

static void
read_comment(struct pdf *p)
{
    while (p->at < p->in.n && p->in.p[p->at] != '\n' && p->in.p[p->at] != '\r')
        p->at++;
}

static void
reset_depth(struct pdf *p)
{
    p->depth = 0;
    p->frames[0] = (struct frame){0};
}

static void
on_word(struct pdf *p, struct span word)
{
    struct frame *f = top(p);

    if (span_eq(word, SPAN_LIT("R"))) {
        if (f->key == PN_F || f->key == PN_UF)
            f->ref = p->numbers[0];
        f->has_value = true;
    } else if (span_eq(word, SPAN_LIT("obj")) && !p->within) {
        p->object = p->numbers[0];
        p->last = (struct frame){0};
        reset_depth(p);
    } else if (span_eq(word, SPAN_LIT("endobj"))) {
        reset_depth(p);
    } else if (span_eq(word, SPAN_LIT("stream"))) {
        on_stream(p);
    } else {
        f->has_value = true;
    }
}

/* Numbers and words. "1 0 obj<<" ends at the bracket; digits before letters
 * (as in "0R" or "1obj") end the number. */
static void
read_regular(struct pdf *p)
{
    const size_t from = p->at;
    uint64_t v = 0;

    while (p->at < p->in.n && p->in.p[p->at] >= '0' && p->in.p[p->at] <= '9') {
        if (v <= UINT32_MAX)
            v = v * 10 + (p->in.p[p->at] - (uint64_t)'0');
        p->at++;
    }
    if (p->at > from) {
        on_number(p, v <= UINT32_MAX ? (uint32_t)v : 0);
        return;
    }
    while (p->at < p->in.n && is_regular(p->in.p[p->at]))
        p->at++;
    on_word(p, span_of(p->in.p + from, p->at - from));
}

static void
read_token(struct pdf *p)
{
    switch (p->in.p[p->at]) {
    case '/': read_name(p); break;
    case '(': read_literal(p); break;
    case '<': read_less(p); break;
    case '>': read_greater(p); break;
    case '[':
    case ']': read_bracket(p); break;
    case '%': read_comment(p); break;
    case ')':
    case '{':
    case '}': p->at++; break;
    default: read_regular(p); break;
    }
}

static void
read_all(struct pdf *p, struct span in)
{
    p->in = in;
    p->at = 0;
    p->last = (struct frame){0};
    p->string_work =
        in.n <= SIZE_MAX / STRING_WORK ? STRING_WORK * in.n : SIZE_MAX;
    reset_depth(p);
    while (p->at < p->in.n && !p->stop) {
        if (is_white(p->in.p[p->at]))
            p->at++;
        else
            read_token(p);
    }
}

/* ---- streams that are opened ---- */

static bool
undo(struct pdf *p, const struct stream *s, struct buf *out)
{
    struct buf other;
    bool known;

    buf_init(&other, out->max);
    known = pdf_filter_undo(&s->filters,
                            span_head(span_tail(p->item->bytes, s->at), s->n),
                            out, &other);
    buf_free(&other);
    if (out->cut)
        findings_add(inspection_findings(p->i), FIND_INSPECTION_LIMIT);
    return known && inspection_spend(p->i, out->n);
}

static void
read_objects(struct pdf *p)
{
    p->within = true;
    for (size_t k = 0; k < p->n_streams && !p->stop; k++) {
        struct buf *b;

        if (!p->streams[k].is_objects)
            continue;
        b = inspection_scratch(p->i);
        if (!undo(p, &p->streams[k], b))
            continue;
        read_all(p, buf_view(b));
    }
}

/* The name that a file specification gives to this stream, or NULL. */
static const struct file_name *
name_of(const struct pdf *p, uint32_t number)
{
    for (size_t k = 0; k < p->n_names; k++)
        if (p->names[k].number == number)
            return &p->names[k];
    return NULL;
}

static void
add_file(struct pdf *p, const struct stream *s, struct span name,
         bool encrypted)
{
    struct findings *out = inspection_findings(p->i);
    struct buf *b = inspection_scratch(p->i);
    const bool there = !encrypted && undo(p, s, b);

    findings_add_detail(out, FIND_PDF_EMBEDDED_FILE, name);
    if (filename_risk(filename_extension(name)) == EXTENSION_FORBIDDEN)
        findings_add_detail(out, FIND_FORBIDDEN_MEMBER, name);
    p->stop = !inspection_add(
        p->i, p->item, name,
        there ? (b->n > 0 ? buf_view(b) : span_of("", 0)) : SPAN_NONE,
        there ? b->n + (b->cut ? 1 : 0) : s->n, encrypted);
}

static void
add_files(struct pdf *p, bool encrypted)
{
    for (size_t k = 0; k < p->n_streams && !p->stop; k++) {
        const struct stream *s = &p->streams[k];
        const struct file_name *n = name_of(p, s->number);
        struct span name = SPAN_NONE;

        if (n != NULL)
            name = span_head(span_tail(buf_view(&p->texts), n->at), n->n);
        if (n != NULL || s->is_file)
            add_file(p, s, name, encrypted);
    }
}

/* ---- a file ---- */

static bool
hides(const struct pdf *p)
{
    for (size_t k = 0; k < p->n_streams; k++)
        if (p->streams[k].is_objects || p->streams[k].is_file ||
            name_of(p, p->streams[k].number) != NULL)
            return true;
    return false;
}

static const struct {
    enum pdf_name fact;
    enum finding is;
} facts[] = {
    {PN_JAVASCRIPT, FIND_PDF_JAVASCRIPT},
    {PN_XFA,        FIND_PDF_XFA       },
    {PN_RICHMEDIA,  FIND_PDF_RICH_MEDIA},
};

static void
conclude(struct pdf *p)
{
    const uint64_t acts = fact(PN_JAVASCRIPT) | fact(PN_LAUNCH);
    const uint64_t begins = fact(PN_OPENACTION) | fact(PN_AA);

    for (size_t k = 0; k < ARRAY_LEN(facts); k++)
        if ((p->facts & fact(facts[k].fact)) != 0)
            inspection_note(p->i, p->item, facts[k].is);
    if ((p->facts & acts) != 0 && (p->facts & begins) != 0)
        inspection_note(p->i, p->item, FIND_PDF_OPENACTION);
}

static void
run(struct pdf *p)
{
    bool encrypted;

    read_all(p, p->item->bytes);
    encrypted = (p->facts & fact(PN_ENCRYPT)) != 0;
    if (encrypted && hides(p))
        inspection_note(p->i, p->item, FIND_PDF_ENCRYPTED);
    read_objects(p); /* they may be plain, under /Identity */
    add_files(p, encrypted);
    conclude(p);
}

static void
pdf_inspect(struct inspection *i, const struct content_item *item)
{
    struct pdf *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        findings_add(inspection_findings(i), FIND_INSPECTION_LIMIT);
        return;
    }
    p->i = i;
    p->item = item;
    buf_init(&p->texts, (size_t)PDF_NAMES * PDF_STRING);
    buf_init(&p->text, PDF_STRING);
    buf_init(&p->host, FINDING_DETAIL_MAX);
    run(p);
    buf_free(&p->texts);
    buf_free(&p->text);
    buf_free(&p->host);
    free(p->streams);
    free(p);
}

static bool
pdf_wants(const struct content_item *item)
{
    struct span head = span_head(item->bytes, HEADER_REACH);

    return item->type == FILETYPE_PDF ||
           (item->bytes.p != NULL &&
            span_search(head, SPAN_LIT("%PDF-")) < head.n);
}

const struct inspector pdf_inspector = {
    .name = "pdf",
    .wants = pdf_wants,
    .inspect = pdf_inspect,
};

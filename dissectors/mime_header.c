#include "dissectors/mime_header.h"

#include "dissectors/rfc2047.h"

static const struct {
    const char *name;
} fields[MIME_FIELD_COUNT] = {
    [MIME_FIELD_TYPE] = {"content-type"},
    [MIME_FIELD_ENCODING] = {"content-transfer-encoding"},
    [MIME_FIELD_DISPOSITION] = {"content-disposition"},
    [MIME_FIELD_ID] = {"content-id"},
};

/* A kept field; its text follows. */
struct entry {
    uint32_t n;
    uint8_t field;
    bool lenient; /* only some clients see it */
};

void
mime_header_init(struct mime_header *h)
{
    *h = (struct mime_header){.n = 0};
}

void
mime_header_free(struct mime_header *h, struct mem *mem)
{
    vec_free(&h->kept, mem);
    mime_header_init(h);
}

void
mime_header_reset(struct mime_header *h)
{
    struct vec kept = h->kept;

    kept.n = 0;
    *h = (struct mime_header){.kept = kept};
}

bool
mime_header_copy(const struct mime_header *h, struct mem *mem,
                 struct mime_header *out)
{
    *out = *h;
    out->kept = (struct vec){0};
    return vec_put(&out->kept, mem, h->kept.p, h->kept.n);
}

/* ---- lines ---- */

static void
odd(struct mime_header *h, enum mime_odd o)
{
    h->odd |= UINT64_C(1) << o;
}

static void
append(struct mime_header *h, struct mem *mem, struct span text)
{
    struct entry e;
    size_t room = MIME_MAX_header -
                  (h->kept.n < MIME_MAX_header ? h->kept.n : MIME_MAX_header);

    if (h->open == 0)
        return;
    if (text.n + 1 > room) {
        odd(h, MIME_ODD_HEADER_CUT);
        text = span_head(text, room > 0 ? room - 1 : 0);
    }
    if (!vec_put(&h->kept, mem, text.p, text.n)) {
        odd(h, MIME_ODD_NO_MEMORY);
        return;
    }
    memcpy(&e, h->kept.p + h->open - 1, sizeof(e));
    e.n += (uint32_t)text.n;
    memcpy(h->kept.p + h->open - 1, &e, sizeof(e));
}

static void
keep(struct mime_header *h, struct mem *mem, struct entry e, struct span text)
{
    h->open = 0;
    if (h->n == MIME_HEADER_FIELDS || h->kept.n >= MIME_MAX_header) {
        odd(h, MIME_ODD_HEADER_CUT);
        return;
    }
    if (!vec_reserve(&h->kept, mem,
                     sizeof(e) + (text.n < MIME_MAX_header ? text.n : 0)) ||
        !vec_put(&h->kept, mem, &e, sizeof(e))) {
        odd(h, MIME_ODD_NO_MEMORY);
        return;
    }
    h->n++;
    h->open = (uint32_t)(h->kept.n - sizeof(e)) + 1;
    append(h, mem, text);
}

static enum mime_field
field_of(struct span name)
{
    unsigned f = 0;

    while (f < MIME_FIELD_COUNT &&
           !span_eq_nocase(name, span_str(fields[f].name)))
        f++;
    return (enum mime_field)f;
}

/* Length of the field name at the head of s, RFC 5322 2.2. */
static size_t
name_length(struct span s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != ':')
        i++;
    return i;
}

static bool
is_contentlike(struct span s)
{
    return (span_at(s, 0) | 0x20) == 'c' &&
           span_starts_nocase(s, SPAN_LIT("content-"));
}

/* A field of ours at the head of s, with or without its colon: what it is, and
 * its body. MIME_FIELD_COUNT: another Content- field. */
static bool
split_field(struct span s, struct entry *e, struct span *body)
{
    struct span rest;
    size_t n;

    if (!is_contentlike(s))
        return false;
    n = name_length(s);
    rest = mime_trim(span_tail(s, n));
    e->field = (uint8_t)field_of(span_head(s, n));
    e->lenient =
        e->lenient || span_at(rest, 0) != ':' || span_at(rest, 1) == ':';
    while (span_at(rest, 0) == ':')
        rest = span_tail(rest, 1);
    *body = rest;
    return true;
}

static bool
keep_if_ours(struct mime_header *h, struct mem *mem, struct span s,
             bool lenient)
{
    struct entry e = {.lenient = lenient};
    struct span body;

    if (!split_field(s, &e, &body))
        return false;
    h->open = 0;
    if (e.field == MIME_FIELD_COUNT)
        return true;
    if (e.lenient)
        odd(h, MIME_ODD_HIDDEN_FIELD);
    keep(h, mem, e, body);
    return true;
}

static struct span
skip_odd_head(struct span s)
{
    while (s.n > 0 && (mime_is_blank(span_at(s, 0)) || span_at(s, 0) < ' '))
        s = span_tail(s, 1);
    return s;
}

/* A bare CR is a line end to some; what stands behind one may be a field. In a
 * field that is kept it is found when that is read. */
static void
keep_behind_cr(struct mime_header *h, struct mem *mem, struct span line)
{
    size_t at = span_find(line, '\r');

    while (at < line.n && h->open == 0) {
        line = span_tail(line, at + 1);
        (void)keep_if_ours(h, mem, line, true);
        at = span_find(line, '\r');
    }
}

static enum mime_line
odd_head(struct mime_header *h, struct mem *mem, struct span line)
{
    struct span rest = skip_odd_head(line);
    uint8_t c = span_at(line, 0);
    bool fold = c == ' ' || c == '\t';

    if (rest.n == 0)
        return span_find(line, '\r') == 0 && mime_trim(line).n == 0 && !fold
                   ? MIME_LINE_EMPTY
                   : MIME_LINE_WHITE;
    if (fold && h->any) {
        append(h, mem, SPAN_LIT("\n"));
        append(h, mem, line);
        return MIME_LINE_FOLD;
    }
    if (keep_if_ours(h, mem, rest, true))
        return MIME_LINE_FIELD;
    return fold ? MIME_LINE_FOLD : MIME_LINE_JUNK;
}

enum mime_line
mime_header_line(struct mime_header *h, struct mem *mem, struct span line,
                 bool cut)
{
    size_t n;
    enum mime_line what = MIME_LINE_FIELD;

    if (line.n == 0)
        return MIME_LINE_EMPTY;
    if (cut)
        odd(h, MIME_ODD_HEADER_CUT);
    if (span_at(line, 0) <= ' ') {
        what = odd_head(h, mem, line);
    } else if (!is_contentlike(line) || !keep_if_ours(h, mem, line, false)) {
        n = name_length(line);
        while (span_at(line, n) == ' ' || span_at(line, n) == '\t')
            n++;
        h->open = 0;
        what =
            n > 0 && span_at(line, n) == ':' ? MIME_LINE_FIELD : MIME_LINE_JUNK;
    }
    if (what == MIME_LINE_FIELD)
        h->any = true;
    if (span_find(line, '\r') < line.n)
        keep_behind_cr(h, mem, line);
    return what;
}

/* ---- reading them ---- */

struct fields {
    struct entry head[MIME_HEADER_FIELDS];
    struct span text[MIME_HEADER_FIELDS];
    unsigned n;
    bool hidden;
};

static void
add_field(struct fields *f, struct entry e, struct span text)
{
    if (f->n == MIME_HEADER_FIELDS || e.field >= MIME_FIELD_COUNT)
        return;
    f->head[f->n] = e;
    f->text[f->n++] = mime_trim(text);
}

/* Fields that begin within another one, behind a bare CR or a fold. */
static void
add_hidden(struct fields *f, struct span text)
{
    static const struct span ends = SPAN_INIT("\r\n");
    struct span body;

    if (span_find(text, '\n') == text.n && span_find(text, '\r') == text.n)
        return;
    for (size_t i = 0; i < text.n && f->n < MIME_HEADER_FIELDS; i++) {
        struct entry e = {.lenient = true};
        struct span rest;

        if (span_find(ends, span_at(text, i)) == ends.n)
            continue;
        rest = skip_odd_head(span_tail(text, i));
        if (split_field(rest, &e, &body)) {
            add_field(f, e, body);
            f->hidden = true;
        }
        i = text.n - rest.n;
    }
}

/* Those that all see first. */
static void
collect(const struct mime_header *h, struct fields *f)
{
    f->n = 0;
    f->hidden = false;
    for (unsigned lenient = 0; lenient < 2; lenient++) {
        struct cursor c = cur_open(vec_view(&h->kept));

        while (cur_left(&c) > 0) {
            struct span head = cur_take(&c, sizeof(struct entry));
            struct entry e = {.n = 0};
            struct span text;

            if (head.n > 0)
                memcpy(&e, head.p, sizeof(e));
            text = cur_take(&c, e.n);
            if (e.lenient == (lenient == 1))
                add_field(f, e, text);
            if (lenient == 1)
                add_hidden(f, text);
        }
    }
}

void
mime_entity_init(struct mime_entity *e)
{
    *e = (struct mime_entity){.category = MIME_LEAF};
    mime_values_init(&e->boundaries);
    mime_values_init(&e->names);
    buf_init(&e->text, 512);
}

void
mime_entity_free(struct mime_entity *e)
{
    if (e == NULL)
        return;
    mime_values_free(&e->boundaries);
    mime_values_free(&e->names);
    buf_free(&e->text);
}

static enum mime_category
category_of(struct span value)
{
    static const struct span messages[] = {
        SPAN_INIT("message/rfc822"),
        SPAN_INIT("message/global"),
        SPAN_INIT("message/news"),
    };
    struct span type = mime_trim(span_head(value, span_find(value, ';')));

    if (span_starts_nocase(type, SPAN_LIT("multipart/")))
        return MIME_MULTIPART;
    type = mime_trim(span_head(type, span_find(type, '(')));
    for (unsigned i = 0; i < ARRAY_LEN(messages); i++) {
        if (span_eq_nocase(type, messages[i]))
            return MIME_MESSAGE;
    }
    return MIME_LEAF;
}

/* Without comments: s itself when it has none, else in room. */
static struct span
bare_of(struct span s, struct buf *room)
{
    if (span_find(s, '(') == s.n)
        return s;
    mime_strip_comments(s, room);
    return buf_view(room);
}

/* type/subtype in lower case, without comments and blanks. */
static void
read_type(struct span value, struct mime_entity *e)
{
    struct buf room;
    struct span bare;

    buf_init(&room, 512);
    bare = bare_of(span_head(value, span_find(value, ';')), &room);
    buf_reset(&e->text);
    for (size_t i = 0; i < bare.n; i++) {
        uint8_t c = span_at(bare, i);

        if (!mime_is_blank(c))
            buf_putc(&e->text, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
    }
    buf_free(&room);
    e->type = buf_view(&e->text);
    e->digest = span_eq(e->type, SPAN_LIT("multipart/digest"));
}

/* ---- Content-Transfer-Encoding ---- */

static const struct {
    const char *word;
    enum decode_kind kind;
} words[] = {
    {"7bit",             DECODE_IDENTITY},
    {"8bit",             DECODE_IDENTITY},
    {"binary",           DECODE_IDENTITY},
    {"base64",           DECODE_BASE64  },
    {"quoted-printable", DECODE_QP      },
    {"x-uuencode",       DECODE_UU      },
    {"uuencode",         DECODE_UU      },
    {"x-uue",            DECODE_UU      },
    {"uue",              DECODE_UU      },
    {"x-uu",             DECODE_UU      },
    {"binhex",           DECODE_BINHEX  },
    {"binhex40",         DECODE_BINHEX  },
    {"mac-binhex",       DECODE_BINHEX  },
    {"mac-binhex40",     DECODE_BINHEX  },
    {"x-binhex40",       DECODE_BINHEX  },
};

/* What a word that is none of them may mean, by what is in it. A row without
 * meaning says that nothing is encoded. */
static const struct {
    const char *part;
    enum decode_kind kind;
} hints[] = {
    {"64",     DECODE_BASE64  },
    {"base",   DECODE_BASE64  },
    {"quot",   DECODE_QP      },
    {"print",  DECODE_QP      },
    {"uu",     DECODE_UU      },
    {"hex",    DECODE_BINHEX  },
    {"bit",    DECODE_IDENTITY},
    {"binary", DECODE_IDENTITY},
    {"none",   DECODE_IDENTITY},
    {"utf",    DECODE_IDENTITY},
    {"ascii",  DECODE_IDENTITY},
    {"text",   DECODE_IDENTITY},
    {"iso",    DECODE_IDENTITY},
};

static void
add_kind(struct mime_entity *e, enum decode_kind kind)
{
    for (unsigned i = 0; i < e->n_kinds; i++) {
        if (e->kinds[i] == kind)
            return;
    }
    if (e->n_kinds < MIME_ENCODINGS)
        e->kinds[e->n_kinds++] = (uint8_t)kind;
}

/* Letters and digits, lower case. */
static void
plain_word(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_putc(out, c);
    }
}

static void
guess_kinds(struct charset *cs, struct span value, struct mime_entity *e)
{
    struct buf word;
    struct buf decoded;
    bool hinted = false;

    buf_init(&word, 256);
    buf_init(&decoded, 256);
    (void)rfc2047_decode(cs, span_head(value, 256), &decoded);
    plain_word(buf_view(&decoded), &word);
    add_kind(e, DECODE_IDENTITY);
    for (unsigned i = 0; i < ARRAY_LEN(hints); i++) {
        struct span part = span_str(hints[i].part);

        if (span_search(buf_view(&word), part) < word.n) {
            add_kind(e, hints[i].kind);
            hinted = true;
        }
    }
    if (!hinted) {
        add_kind(e, DECODE_BASE64);
        add_kind(e, DECODE_QP);
    }
    buf_free(&decoded);
    buf_free(&word);
}

/* BinHex is known to few. */
static void
add_known(struct mime_entity *e, enum decode_kind kind)
{
    add_kind(e, kind);
    if (kind == DECODE_BINHEX)
        add_kind(e, DECODE_IDENTITY);
}

static void
read_encoding(struct charset *cs, struct span value, struct mime_entity *e)
{
    struct buf bare;
    struct span word;
    unsigned i = 0;

    buf_init(&bare, 256);
    word = mime_trim(bare_of(value, &bare));
    while (word.n > 0 && span_find(SPAN_LIT(";, "), word.p[word.n - 1]) < 3)
        word.n--;
    while (i < ARRAY_LEN(words) &&
           !span_eq_nocase(word, span_str(words[i].word)))
        i++;
    if (i < ARRAY_LEN(words))
        add_known(e, words[i].kind);
    else if (word.n > 0)
        guess_kinds(cs, word, e);
    buf_free(&bare);
}

/* ---- all of it ---- */

static void
read_encodings(const struct fields *f, struct charset *cs,
               struct mime_entity *e)
{
    e->n_kinds = 0;
    e->encoding = SPAN_NONE;
    for (unsigned i = 0; i < f->n; i++) {
        if (f->head[i].field != MIME_FIELD_ENCODING)
            continue;
        if (e->encoding.n == 0)
            e->encoding = f->text[i];
        if (f->head[i].lenient && e->n_kinds == 0)
            add_kind(e, DECODE_IDENTITY);
        read_encoding(cs, f->text[i], e);
    }
    if (e->n_kinds == 0)
        add_kind(e, DECODE_IDENTITY);
}

/* Continuations that are spread over several fields. */
static void
read_spread_names(const struct fields *f, struct charset *cs,
                  struct mime_entity *e)
{
    struct buf all;
    unsigned n = 0;

    buf_init(&all, MIME_VALUE_MAX * 2);
    for (unsigned i = 0; i < f->n; i++) {
        if ((f->head[i].field != MIME_FIELD_TYPE &&
             f->head[i].field != MIME_FIELD_DISPOSITION) ||
            span_find(f->text[i], '*') == f->text[i].n)
            continue;
        buf_str(&all, ";");
        buf_span(&all, span_tail(f->text[i], span_find(f->text[i], ';')));
        n++;
    }
    if (n > 1) {
        mime_param_find(cs, buf_view(&all), SPAN_LIT("filename"), true,
                        &e->names);
        mime_param_find(cs, buf_view(&all), SPAN_LIT("name"), true, &e->names);
    }
    buf_free(&all);
}

static void
read_names(const struct fields *f, struct charset *cs, struct mime_entity *e)
{
    static const struct {
        enum mime_field field;
        struct span key;
    } places[] = {
        {MIME_FIELD_DISPOSITION, SPAN_INIT("filename")},
        {MIME_FIELD_TYPE,        SPAN_INIT("name")    },
        {MIME_FIELD_TYPE,        SPAN_INIT("filename")},
        {MIME_FIELD_DISPOSITION, SPAN_INIT("name")    },
    };

    mime_values_reset(&e->names);
    for (unsigned k = 0; k < ARRAY_LEN(places); k++) {
        for (unsigned i = 0; i < f->n; i++) {
            if (f->head[i].field == places[k].field)
                mime_param_find(cs, f->text[i], places[k].key, true, &e->names);
        }
    }
    read_spread_names(f, cs, e);
}

static void
read_disposition(const struct fields *f, struct mime_entity *e)
{
    e->disposition = MIME_INLINE_DEFAULT;
    e->content_id = SPAN_NONE;
    for (unsigned i = f->n; i-- > 0;) {
        struct span s = f->text[i];

        if (f->head[i].field == MIME_FIELD_ID)
            e->content_id = s;
        if (f->head[i].field != MIME_FIELD_DISPOSITION)
            continue;
        s = mime_trim(span_head(s, span_find(s, ';')));
        e->disposition = span_eq_nocase(s, SPAN_LIT("inline"))
                             ? MIME_INLINE
                             : MIME_ATTACHMENT;
    }
}

/* The first type, or the first that makes a leaf. */
static unsigned
choose_type(const struct fields *f, enum mime_view view)
{
    unsigned first = f->n;

    for (unsigned i = f->n; i-- > 0;) {
        if (f->head[i].field == MIME_FIELD_TYPE &&
            (view == MIME_VIEW_FIRST || first == f->n ||
             category_of(f->text[i]) == MIME_LEAF))
            first = i;
    }
    return first;
}

static void
read_types(const struct fields *f, struct charset *cs, enum mime_view view,
           struct mime_entity *e)
{
    unsigned chosen = choose_type(f, view);
    bool differ = false;

    mime_values_reset(&e->boundaries);
    e->declared = chosen < f->n;
    if (!e->declared)
        return;
    e->category = (uint8_t)category_of(f->text[chosen]);
    read_type(f->text[chosen], e);
    for (unsigned i = 0; i < f->n; i++) {
        if (f->head[i].field != MIME_FIELD_TYPE)
            continue;
        mime_param_find(cs, f->text[i], SPAN_LIT("boundary"), false,
                        &e->boundaries);
        differ = differ || category_of(f->text[i]) != e->category;
    }
    if (differ)
        e->odd |= UINT64_C(1) << MIME_ODD_TYPES;
    e->leaf_too = differ;
}

static void
read_charset(const struct fields *f, struct charset *cs, struct mime_entity *e)
{
    unsigned chosen = choose_type(f, MIME_VIEW_FIRST);
    unsigned n = e->names.n < MIME_NAMES ? e->names.n : MIME_NAMES;

    e->names.n = n;
    e->charset = SPAN_NONE;
    if (chosen == f->n)
        return;
    /* Kept behind the names, in their memory, and not one of them. */
    mime_param_find(cs, f->text[chosen], SPAN_LIT("charset"), false, &e->names);
    if (e->names.n > n)
        e->charset = mime_value_text(&e->names, n);
    e->names.n = n;
}

void
mime_header_read(const struct mime_header *h, struct charset *cs,
                 enum mime_view view, bool digest, struct mime_entity *e)
{
    struct fields f;

    collect(h, &f);
    e->odd = h->odd;
    if (f.hidden)
        e->odd |= UINT64_C(1) << MIME_ODD_HIDDEN_FIELD;
    e->leaf_too = e->digest = false;
    e->category = digest ? MIME_MESSAGE : MIME_LEAF;
    e->type = digest ? SPAN_LIT("message/rfc822") : SPAN_LIT("text/plain");
    read_types(&f, cs, view, e);
    read_encodings(&f, cs, e);
    read_disposition(&f, e);
    read_names(&f, cs, e);
    read_charset(&f, cs, e);
    if (view == MIME_VIEW_LEAF)
        e->category = MIME_LEAF;
    if (e->category != MIME_MULTIPART && e->n_kinds > 1)
        e->odd |= UINT64_C(1) << MIME_ODD_ENCODINGS;
    if (e->category == MIME_MULTIPART && e->kinds[0] != DECODE_IDENTITY)
        e->leaf_too = true;
    if (e->category == MIME_MESSAGE && e->kinds[0] != DECODE_IDENTITY)
        e->category = MIME_LEAF;
}

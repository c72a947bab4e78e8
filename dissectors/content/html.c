#include "dissectors/content/html.h"

#include "dissectors/content/byte_in.h"
#include "dissectors/content/html_script.h"
#include "dissectors/content/payload.h"
#include "dissectors/content/target.h"
#include "dissectors/content/unescape.h"
#include "sensor/base/attr.h"

#define SNIFF     4096  /* bytes in which text may turn out to be markup */
#define TYPE_HEAD 2048  /* decoded bytes that tell most types */
#define TYPE_DISK 36880 /* and those of disk images */
#define ESCAPED   64    /* decoded bytes that may be a page */
#define FILES_MAX 64    /* files and pages handed on */
#define NAME_ROOM 256
#define TAG_MAX   32 /* bytes; no name that matters is longer */

struct html {
    struct inspection *i;
    const struct content_item *item;
    struct span in;   /* narrow */
    struct buf value; /* of an attribute, decoded */
    struct buf head;  /* of a payload */
    struct buf host;  /* of the form's target */
    struct buf name;  /* that a script gives to its file */
    uint32_t script;  /* bits of enum html_word */
    unsigned n_files;
    bool begun; /* a tag was seen */
    bool svg;   /* a drawing, not a page with one in it */
    bool form_away;
    bool password;
    bool long_letters; /* that are no picture */
};

/* ---- what is handed on ---- */

/* Two or three bytes say that it is one of these: too little, for letters. */
static const enum filetype too_vague[] = {
    FILETYPE_DOS,  FILETYPE_PYC, FILETYPE_GZIP,  FILETYPE_COMPRESS,
    FILETYPE_LZMA, FILETYPE_ARJ, FILETYPE_LZH,   FILETYPE_CPIO,
    FILETYPE_TAR,  FILETYPE_PDF, FILETYPE_RTF,   FILETYPE_POSTSCRIPT,
    FILETYPE_SLK,  FILETYPE_DVI, FILETYPE_BZIP2,
};

static bool
is_smuggled(enum filetype t)
{
    for (size_t k = 0; k < ARRAY_LEN(too_vague); k++)
        if (t == too_vague[k])
            return false;
    switch (filetype_group_of(t)) {
    case FILETYPE_GROUP_PROGRAM:
    case FILETYPE_GROUP_IMAGE:
    case FILETYPE_GROUP_LINK:
    case FILETYPE_GROUP_ARCHIVE:
    case FILETYPE_GROUP_DOCUMENT: return true;
    case FILETYPE_GROUP_OTHER:
    case FILETYPE_GROUP_TEXT:
    case FILETYPE_GROUP_MEDIA:
    case FILETYPE_GROUP_SCRIPT:
    case FILETYPE_GROUP_MARKUP:
    case FILETYPE_GROUP_MAIL: break;
    }
    return false;
}

static bool
has_tags(struct span s)
{
    static const struct span tags[] = {
        SPAN_INIT("<script"),   SPAN_INIT("<html"), SPAN_INIT("<form"),
        SPAN_INIT("<iframe"),   SPAN_INIT("<body"), SPAN_INIT("<meta"),
        SPAN_INIT("<svg"),      SPAN_INIT("<head"), SPAN_INIT("<input"),
        SPAN_INIT("<!doctype"), SPAN_INIT("<hta:"), SPAN_INIT("<div"),
        SPAN_INIT("<table"),    SPAN_INIT("<img"),  SPAN_INIT("<style"),
    };

    for (size_t at = span_find(s, '<'); at < s.n;
         at += 1 + span_find(span_tail(s, at + 1), '<'))
        for (size_t k = 0; k < ARRAY_LEN(tags); k++)
            if (span_starts_nocase(span_tail(s, at), tags[k]))
                return true;
    return false;
}

/* The scratch buffer's content becomes a file; size: as it should be. */
static void
hand_on(struct html *h, const struct buf *b, size_t size)
{
    const bool paid = inspection_spend(h->i, b->n);

    if (h->n_files == FILES_MAX)
        return;
    h->n_files++;
    (void)inspection_add(h->i, h->item, buf_view(&h->name),
                         paid && b->n > 0 ? buf_view(b) : SPAN_NONE,
                         size > b->n ? size : b->n, false);
}

static void
hand_on_page(struct html *h, const struct buf *b)
{
    if (has_tags(buf_view(b)))
        hand_on(h, b, b->n);
}

static enum filetype
type_of_head(struct html *h, const struct payload *p, size_t enough)
{
    buf_reset(&h->head);
    payload_decode(p, &h->head, enough);
    return filetype_detect(buf_view(&h->head), SPAN_NONE, UINT64_MAX, NULL);
}

/* Disk images begin with 32 KiB of nothing. */
static enum filetype
payload_type(struct html *h, const struct payload *p)
{
    enum filetype t = type_of_head(h, p, TYPE_HEAD);

    if (t == FILETYPE_UNKNOWN && payload_size(p) > TYPE_DISK &&
        span_at(buf_view(&h->head), 0) == 0)
        t = type_of_head(h, p, TYPE_DISK);
    return t;
}

/* Is it worth a look of its own? Text only when it is a page, a drawing only
 * when something in it runs: pages are full of harmless ones. */
static bool
is_worth_it(enum filetype t, struct span s)
{
    switch (filetype_group_of(t)) {
    case FILETYPE_GROUP_MEDIA: return false;
    case FILETYPE_GROUP_OTHER:
    case FILETYPE_GROUP_TEXT: return has_tags(s);
    case FILETYPE_GROUP_MARKUP:
        return t == FILETYPE_SVG ? html_svg_is_active(s) : has_tags(s);
    case FILETYPE_GROUP_DOCUMENT:
    case FILETYPE_GROUP_ARCHIVE:
    case FILETYPE_GROUP_IMAGE:
    case FILETYPE_GROUP_PROGRAM:
    case FILETYPE_GROUP_SCRIPT:
    case FILETYPE_GROUP_LINK:
    case FILETYPE_GROUP_MAIL: break;
    }
    return true;
}

static void
on_payload(struct html *h, const struct payload *p)
{
    const enum filetype t = payload_type(h, p);
    struct buf *b;

    if (filetype_group_of(t) == FILETYPE_GROUP_MEDIA)
        return;
    if (p->n_letters >= HTML_LONG && !p->data_url)
        h->long_letters = true;
    if (is_smuggled(t))
        findings_add_detail(inspection_findings(h->i), FIND_HTML_SMUGGLING,
                            span_str(filetype_name(t)));
    b = inspection_scratch(h->i);
    payload_decode(p, b, SIZE_MAX);
    if (is_worth_it(t, buf_view(b)))
        hand_on(h, b, payload_size(p));
}

static void
scan_letters(struct html *h)
{
    struct payload_scan s = payload_open(h->in);
    struct payload p;

    while (payload_next(&s, &p))
        on_payload(h, &p);
}

/* ---- pages within escapes ---- */

static bool
ends_escaped(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' ||
           c == '\n';
}

/* Decodes from `at` to the end of the string; where that is. */
static size_t
decode_escaped(struct html *h, size_t at, struct buf *out)
{
    while (at < h->in.n && !ends_escaped(h->in.p[at]) && !out->cut) {
        uint32_t c;

        at += unescape_one(h->in, at, &c);
        buf_putc(out, c < 0x100 ? (uint8_t)c : '?');
    }
    return at;
}

/* Strings in which '<' is written like this. */
static void
scan_escaped(struct html *h, struct span less)
{
    size_t at = 0;

    while (at < h->in.n) {
        struct buf *b;
        size_t from;

        at += span_search(span_tail(h->in, at), less);
        if (at >= h->in.n)
            return;
        b = inspection_scratch(h->i);
        if (b->max == 0)
            return;
        from = at;
        at = decode_escaped(h, at, b);
        if (b->n < ESCAPED)
            continue;
        h->long_letters = h->long_letters || at - from >= HTML_LONG;
        hand_on_page(h, b);
    }
}

static void
scan_escapes(struct html *h)
{
    static const struct span less[] = {
        SPAN_INIT("%3C"),    SPAN_INIT("%3c"),     SPAN_INIT("\\x3c"),
        SPAN_INIT("\\x3C"),  SPAN_INIT("\\u003c"), SPAN_INIT("\\u003C"),
        SPAN_INIT("%u003c"), SPAN_INIT("%u003C"),
    };

    for (size_t k = 0; k < ARRAY_LEN(less); k++)
        scan_escaped(h, less[k]);
}

/* ---- tags ---- */

struct attribute {
    struct span name;
    struct span value; /* as written, without quotes */
};

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static size_t
skip_blank(struct span s, size_t at)
{
    while (is_blank(span_at(s, at)) || span_at(s, at) == '/')
        at++;
    return at;
}

static size_t
value_of(struct span s, size_t at, struct span *out)
{
    const uint8_t q = span_at(s, at);
    size_t n;

    if (q == '"' || q == '\'') {
        n = span_find(span_tail(s, at + 1), q);
        *out = span_head(span_tail(s, at + 1), n);
        return at + 1 + n + (at + 1 + n < s.n ? 1 : 0);
    }
    for (n = 0; at + n < s.n && !is_blank(s.p[at + n]) && s.p[at + n] != '>';)
        n++;
    *out = span_head(span_tail(s, at), n);
    return at + n;
}

/* The next attribute of the tag; at stands on '>' or at the end without. */
static bool
next_attribute(struct span s, size_t *at, struct attribute *a)
{
    size_t k = skip_blank(s, *at);
    size_t n = 0;

    *at = k;
    if (k >= s.n || s.p[k] == '>')
        return false;
    while (k + n < s.n && !is_blank(s.p[k + n]) &&
           !byte_in(s.p[k + n], SPAN_LIT("=>/")))
        n++;
    if (n == 0)
        n = 1; /* a '=' out of place */
    *a = (struct attribute){.name = span_head(span_tail(s, k), n)};
    k += n;
    while (is_blank(span_at(s, k)))
        k++;
    if (span_at(s, k) == '=') {
        k++;
        while (is_blank(span_at(s, k)))
            k++;
        k = value_of(s, k, &a->value);
    }
    *at = k;
    return true;
}

/* Decoded, without control characters and blanks around. */
static struct span
decode_value(struct html *h, struct span v)
{
    size_t at = 0;

    buf_reset(&h->value);
    while (at < v.n && h->value.n < HTML_VALUE) {
        uint32_t c = 0;

        if (v.p[at] == '&')
            at += unescape_one(v, at, &c);
        else
            c = v.p[at++];
        if (c >= 0x20)
            buf_putc(&h->value, c < 0x100 ? (uint8_t)c : '?');
    }
    return span_trim(buf_view(&h->value));
}

static void
note(struct html *h, enum finding f, struct span detail)
{
    findings_add_detail(inspection_findings(h->i), f, detail);
}

static bool
is_absolute(struct span url)
{
    return span_starts_nocase(url, SPAN_LIT("http://")) ||
           span_starts_nocase(url, SPAN_LIT("https://")) ||
           span_starts_nocase(url, SPAN_LIT("//"));
}

static size_t
word_end(struct span s)
{
    size_t n = 0;

    while (n < s.n && !byte_in(s.p[n], SPAN_LIT(" '\"\t")))
        n++;
    return n;
}

/* "0; url=https://..." */
static void
on_refresh(struct html *h, struct span content)
{
    size_t at = 0;
    struct buf host;

    while (at < content.n &&
           !span_starts_nocase(span_tail(content, at), SPAN_LIT("url")))
        at++;
    at += 3;
    while (at < content.n && byte_in(content.p[at], SPAN_LIT(" ='\"\t")))
        at++;
    content = span_tail(content, at);
    content = span_head(content, word_end(content));
    buf_init(&host, FINDING_DETAIL_MAX);
    (void)target_of(content, &host);
    if (is_absolute(content))
        note(h, FIND_HTML_REDIRECT, buf_view(&host));
    else if (span_starts_nocase(content, SPAN_LIT("data:")) ||
             span_starts_nocase(content, SPAN_LIT("javascript:")))
        note(h, FIND_HTML_REDIRECT, SPAN_NONE);
    buf_free(&host);
}

static void
on_script(struct html *h, struct span text)
{
    h->script |= html_script_words(text);
    if (h->name.n == 0)
        html_script_name(text, &h->name);
}

static void
on_link(struct html *h, struct span value)
{
    struct span v = decode_value(h, value);

    if (span_starts_nocase(v, SPAN_LIT("javascript:")) ||
        span_starts_nocase(v, SPAN_LIT("vbscript:"))) {
        on_script(h, v);
        if (h->svg)
            note(h, FIND_SVG_SCRIPT, SPAN_LIT("javascript:"));
    } else if (h->svg && span_starts_nocase(v, SPAN_LIT("data:text/html"))) {
        note(h, FIND_SVG_SCRIPT, SPAN_LIT("data:text/html"));
    }
}

static void
on_action(struct html *h, struct span value)
{
    struct span v = decode_value(h, value);

    on_link(h, value);
    if (!is_absolute(v))
        return;
    h->form_away = true;
    if (h->host.n == 0)
        (void)target_of(v, &h->host);
}

static void
on_type(struct html *h, struct span value)
{
    if (span_eq_nocase(decode_value(h, value), SPAN_LIT("password")))
        h->password = true;
}

static void
on_download(struct html *h, struct span value)
{
    h->script |= HTML_WORD(DOWNLOAD);
    if (h->name.n == 0 && value.n > 0)
        buf_span(&h->name, decode_value(h, value));
}

/* A page in an attribute. */
static void
on_srcdoc(struct html *h, struct span value)
{
    struct buf *b = inspection_scratch(h->i);
    size_t at = 0;

    while (at < value.n && !b->cut) {
        uint32_t c;

        at += unescape_one(value, at, &c);
        buf_putc(b, c < 0x100 ? (uint8_t)c : '?');
    }
    hand_on_page(h, b);
}

static const struct {
    struct span tag; /* empty: any */
    struct span name;
    void (*on)(struct html *h, struct span value);
} attributes[] = {
    {SPAN_INIT(""),       SPAN_INIT("href"),       on_link    },
    {SPAN_INIT(""),       SPAN_INIT("xlink:href"), on_link    },
    {SPAN_INIT(""),       SPAN_INIT("src"),        on_link    },
    {SPAN_INIT(""),       SPAN_INIT("data"),       on_link    },
    {SPAN_INIT(""),       SPAN_INIT("to"),         on_link    },
    {SPAN_INIT(""),       SPAN_INIT("values"),     on_link    },
    {SPAN_INIT("form"),   SPAN_INIT("action"),     on_action  },
    {SPAN_INIT("base"),   SPAN_INIT("href"),       on_action  },
    {SPAN_INIT(""),       SPAN_INIT("formaction"), on_action  },
    {SPAN_INIT("input"),  SPAN_INIT("type"),       on_type    },
    {SPAN_INIT("a"),      SPAN_INIT("download"),   on_download},
    {SPAN_INIT("iframe"), SPAN_INIT("srcdoc"),     on_srcdoc  },
};

static void
on_attribute(struct html *h, struct span tag, const struct attribute *a)
{
    for (size_t k = 0; k < ARRAY_LEN(attributes); k++)
        if ((attributes[k].tag.n == 0 ||
             span_eq_nocase(tag, attributes[k].tag)) &&
            span_eq_nocase(a->name, attributes[k].name))
            attributes[k].on(h, a->value);
    if (a->name.n > 3 && a->value.n > 0 &&
        span_starts_nocase(a->name, SPAN_LIT("on"))) {
        on_script(h, a->value);
        if (h->svg)
            note(h, FIND_SVG_SCRIPT, a->name);
    }
}

/* meta and its two attributes */
static void
on_meta(struct html *h, const struct attribute *equiv,
        const struct attribute *content)
{
    if (span_eq_nocase(decode_value(h, equiv->value), SPAN_LIT("refresh")))
        on_refresh(h, decode_value(h, content->value));
}

/* Attributes from `at`; where the tag ends. */
static size_t
scan_attributes(struct html *h, struct span tag, size_t at)
{
    struct attribute a;
    struct attribute equiv = {0};
    struct attribute content = {0};

    while (next_attribute(h->in, &at, &a)) {
        on_attribute(h, tag, &a);
        if (span_eq_nocase(a.name, SPAN_LIT("http-equiv")))
            equiv = a;
        if (span_eq_nocase(a.name, SPAN_LIT("content")))
            content = a;
    }
    if (span_eq_nocase(tag, SPAN_LIT("meta")))
        on_meta(h, &equiv, &content);
    return at;
}

static size_t
find_nocase(struct span s, size_t at, struct span want)
{
    while (at < s.n) {
        at += span_find(span_tail(s, at), want.p[0]);
        if (span_starts_nocase(span_tail(s, at), want))
            return at;
        at++;
    }
    return s.n;
}

static void
on_tag(struct html *h, struct span tag)
{
    if (!h->begun && span_eq_nocase(tag, SPAN_LIT("svg")))
        h->svg = true;
    h->begun = true;
    if (span_eq_nocase(tag, SPAN_LIT("hta:application")))
        note(h, FIND_HTA_APPLICATION, SPAN_NONE);
    if (h->svg && span_eq_nocase(tag, SPAN_LIT("foreignObject")))
        note(h, FIND_SVG_SCRIPT, SPAN_LIT("foreignObject"));
    if (h->svg && span_eq_nocase(tag, SPAN_LIT("script")))
        note(h, FIND_SVG_SCRIPT, SPAN_LIT("script"));
}

static struct span
tag_name(struct span s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && n < TAG_MAX && !is_blank(s.p[at + n]) &&
           !byte_in(s.p[at + n], SPAN_LIT("/>")))
        n++;
    return span_head(span_tail(s, at), n);
}

/* What stands at `at` begins a tag, and is no comment, end or other '<'. */
static bool
begins_tag(struct span s, size_t at)
{
    const uint8_t c = span_at(s, at) | 0x20;

    return c >= 'a' && c <= 'z';
}

static void
scan_tags(struct html *h)
{
    static const struct span close = SPAN_INIT("</script");
    size_t at = span_find(h->in, '<');

    while (at < h->in.n) {
        struct span tag = SPAN_NONE;

        at++;
        if (begins_tag(h->in, at)) {
            tag = tag_name(h->in, at);
            on_tag(h, tag);
            at = scan_attributes(h, tag, at + tag.n);
        }
        if (span_eq_nocase(tag, SPAN_LIT("script"))) {
            size_t end = find_nocase(h->in, at, close);

            on_script(h, span_head(span_tail(h->in, at), end - at));
            at = end;
        }
        at += span_find(span_tail(h->in, at), '<');
    }
}

/* ---- narrowing ---- */

struct wide {
    unsigned unit; /* bytes */
    unsigned low;  /* the byte of a unit that ASCII uses */
    size_t skip;   /* the mark */
};

static struct wide
wide_of(struct span s)
{
    static const struct {
        struct span head;
        struct wide w;
    } heads[] = {
        {SPAN_INIT("\xff\xfe\0\0"), {4, 0, 4}},
        {SPAN_INIT("\0\0\xfe\xff"), {4, 3, 4}},
        {SPAN_INIT("\xff\xfe"),     {2, 0, 2}},
        {SPAN_INIT("\xfe\xff"),     {2, 1, 2}},
        {SPAN_INIT("<\0\0\0"),      {4, 0, 0}},
        {SPAN_INIT("<\0"),          {2, 0, 0}},
        {SPAN_INIT("\0<"),          {2, 1, 0}},
    };

    for (size_t k = 0; k < ARRAY_LEN(heads); k++)
        if (span_starts(s, heads[k].head))
            return heads[k].w;
    return (struct wide){1, 0, 0};
}

static void
narrow(struct span s, struct wide w, struct buf *out)
{
    for (size_t at = w.skip; at + w.unit <= s.n; at += w.unit) {
        unsigned others = 0;

        for (unsigned k = 0; k < w.unit; k++)
            others |= k != w.low ? s.p[at + k] : 0;
        buf_putc(out, others == 0 ? s.p[at + w.low] : '?');
    }
}

/* ---- a file ---- */

static void
conclude(struct html *h)
{
    if (html_script_decodes(h->script, h->long_letters))
        inspection_note(h->i, h->item, FIND_HTML_SCRIPT_DECODER);
    if ((h->script & HTML_WORD(LEAVES)) != 0)
        inspection_note(h->i, h->item, FIND_HTML_REDIRECT);
    if (h->password && h->form_away)
        note(h, FIND_CREDENTIAL_FORM, buf_view(&h->host));
    else if (h->password && (h->script & HTML_WORD(SENDS)) != 0)
        inspection_note(h->i, h->item, FIND_CREDENTIAL_FORM);
}

static void
scan_urls(struct html *h)
{
    struct url_scan u;

    url_scan_init(&u, inspection_urls(h->i), true);
    url_scan_push(&u, h->in);
    url_scan_end(&u);
}

static void
html_inspect(struct inspection *i, const struct content_item *item)
{
    struct html h = {.i = i, .item = item, .in = item->bytes};
    const struct wide w = wide_of(item->bytes);
    struct buf plain;

    buf_init(&plain, item->bytes.n);
    buf_init(&h.value, HTML_VALUE + 1);
    buf_init(&h.head, TYPE_DISK);
    buf_init(&h.host, FINDING_DETAIL_MAX);
    buf_init(&h.name, NAME_ROOM);
    h.svg = item->type == FILETYPE_SVG ||
            span_eq_nocase(filename_extension(item->name), SPAN_LIT("svg"));
    if (w.unit > 1 && inspection_spend(i, item->bytes.n / w.unit)) {
        narrow(item->bytes, w, &plain);
        h.in = buf_view(&plain);
    }
    scan_tags(&h);
    scan_letters(&h);
    scan_escapes(&h);
    scan_urls(&h);
    conclude(&h);
    buf_free(&plain);
    buf_free(&h.value);
    buf_free(&h.head);
    buf_free(&h.host);
    buf_free(&h.name);
}

static bool
has_extension(struct span name)
{
    static const struct span extensions[] = {
        SPAN_INIT("html"), SPAN_INIT("htm"), SPAN_INIT("shtml"),
        SPAN_INIT("svg"),  SPAN_INIT("hta"), SPAN_INIT("xhtml"),
        SPAN_INIT("xht"),  SPAN_INIT("xml"), SPAN_INIT("xsl"),
    };
    struct span e = filename_extension(name);

    for (size_t k = 0; k < ARRAY_LEN(extensions); k++)
        if (span_eq_nocase(e, extensions[k]))
            return true;
    return false;
}

/* Word keeps drawings in base64 within its parts, and no browser shows them. */
static bool
is_office_part(const struct content_item *item)
{
    return (item->type == FILETYPE_XML || item->type == FILETYPE_OFFICE_XML) &&
           (item->parent == FILETYPE_OOXML || item->parent == FILETYPE_ODF);
}

static bool
html_wants(const struct content_item *item)
{
    const enum filetype_group g = filetype_group_of(item->type);

    /* Word and Excel as one XML file: under its own name no browser shows it,
     * and its base64 is that of the document (ooxml.h). */
    if (item->type == FILETYPE_OFFICE_XML &&
        (!has_extension(item->name) ||
         span_eq_nocase(filename_extension(item->name), SPAN_LIT("xml"))))
        return false;
    if (is_office_part(item))
        return false;
    if (has_extension(item->name))
        return true;
    if (g == FILETYPE_GROUP_MARKUP || item->type == FILETYPE_HTA)
        return true;
    return (g == FILETYPE_GROUP_TEXT || item->type == FILETYPE_UNKNOWN) &&
           (item->bytes.p == NULL || has_tags(span_head(item->bytes, SNIFF)) ||
            wide_of(item->bytes).unit > 1);
}

const struct inspector html_inspector = {
    .name = "html",
    .wants = html_wants,
    .inspect = html_inspect,
};

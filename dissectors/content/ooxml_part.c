#include "dissectors/content/biff.h"
#include "dissectors/content/dde.h"
#include "dissectors/content/embed.h"
#include "dissectors/content/ooxml.h"
#include "dissectors/content/field.h"
#include "dissectors/content/reference.h"
#include "dissectors/content/xml.h"

#define VALUE_MAX 4096

struct part {
    struct inspection *i;
    const struct content_item *item;
    struct findings *out;
    struct xml xml;
    struct buf value;
    struct buf name; /* of the part within flat OPC, or of binary data */
    struct buf code; /* of all open fields, one behind the other */
    size_t field[OOXML_FIELDS]; /* where each begins in code */
    size_t n_fields;            /* open; may be more than are kept */
    size_t judged;              /* code that gave nothing, to here */
    bool in_code;               /* w:instrText */
    bool in_book;               /* SupBook of Excel 2003 */
    bool in_path;
    bool stop;
};

/* An attribute, decoded; valid until the next. */
static struct span
value_of(struct part *p, const struct xml_item *tag, const char *name)
{
    buf_reset(&p->value);
    xml_decode(&p->value, xml_get(tag->attrs, name));
    return buf_view(&p->value);
}

/* ---- relationships ---- */

/* By the end of the relationship's type. What is not listed is a finding only
 * with a handler's scheme, and on a share unless that is ordinary. */
static const struct {
    struct span type;
    enum finding found;
} relations[] = {
    {SPAN_INIT("/attachedTemplate"), FIND_TEMPLATE_INJECTION},
    {SPAN_INIT("/oleObject"),        FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/frame"),            FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/subDocument"),      FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/aFChunk"),          FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/control"),          FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/package"),          FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/slideMaster"),      FIND_REMOTE_OBJECT     },
    {SPAN_INIT("/slideUpdateUrl"),   FIND_REMOTE_OBJECT     },
};

static bool
ends_nocase(struct span s, struct span end)
{
    return s.n >= end.n && span_eq_nocase(span_tail(s, s.n - end.n), end);
}

/* FINDING_COUNT: an ordinary one. */
static enum finding
relation_of(struct span type)
{
    for (size_t k = 0; k < ARRAY_LEN(relations); k++)
        if (ends_nocase(type, relations[k].type))
            return relations[k].found;
    return FINDING_COUNT;
}

/* Shares are normal there: nothing is fetched before a click. */
static bool
is_ordinary(struct span type)
{
    return ends_nocase(type, SPAN_LIT("/hyperlink")) ||
           ends_nocase(type, SPAN_LIT("/externalLinkPath"));
}

/* CVE-2021-40444: a file within a web archive is loaded as an object. */
static bool
is_exploit(struct span target)
{
    return span_starts_nocase(target, SPAN_LIT("mhtml:")) &&
           span_contains_nocase(target, SPAN_LIT("!x-usc:"));
}

static void
relationship(struct part *p, const struct xml_item *tag)
{
    enum finding f = relation_of(xml_get(tag->attrs, "Type"));
    struct span mode = xml_get(tag->attrs, "TargetMode");
    struct span target = value_of(p, tag, "Target");
    enum reference where = reference_of(target);

    if (!span_eq_nocase(mode, SPAN_LIT("External")) || where == REFERENCE_LOCAL)
        return;
    if (f == FIND_REMOTE_OBJECT && is_exploit(target))
        findings_add_detail(p->out, FIND_REMOTE_EXPLOIT, target);
    if (f != FINDING_COUNT)
        findings_add_detail(p->out, f, target);
    else if (where == REFERENCE_HANDLER ||
             (where == REFERENCE_UNC &&
              !is_ordinary(xml_get(tag->attrs, "Type"))))
        findings_add_detail(p->out, FIND_REMOTE_OBJECT, target);
}

/* ---- content types ---- */

static const struct {
    struct span piece;
    enum finding found;
} content_types[] = {
    {SPAN_INIT("vnd.ms-office.vbaProject"),    FIND_VBA_MACRO},
    {SPAN_INIT("vnd.ms-excel.macrosheet"),     FIND_XLM_MACRO},
    {SPAN_INIT("vnd.ms-excel.intlmacrosheet"), FIND_XLM_MACRO},
    {SPAN_INIT("vnd.ms-office.activeX"),       FIND_ACTIVEX  },
};

static void
judge_content_type(struct part *p, struct span type, struct span name)
{
    for (size_t k = 0; k < ARRAY_LEN(content_types); k++)
        if (span_contains_nocase(type, content_types[k].piece))
            findings_add_detail(p->out, content_types[k].found, name);
}

/* Only a part that is there: a Default is often listed for none. */
static void
override(struct part *p, const struct xml_item *tag)
{
    judge_content_type(p, xml_get(tag->attrs, "ContentType"),
                       xml_get(tag->attrs, "PartName"));
}

/* ---- fields ---- */

static void
field_begin(struct part *p)
{
    if (p->n_fields == 0)
        buf_reset(&p->code);
    p->judged = SIZE_MAX;
    if (p->n_fields < OOXML_FIELDS)
        p->field[p->n_fields] = p->code.n;
    p->n_fields++;
}

/* A QUOTE is replaced by what it says, for the field around it. */
static void
field_code(struct part *p)
{
    struct span code;
    size_t at;

    if (p->n_fields == 0 || p->n_fields > OOXML_FIELDS ||
        p->judged == p->code.n)
        return;
    at = p->field[p->n_fields - 1];
    code = span_tail(buf_view(&p->code), at);
    buf_reset(&p->value);
    if (field_unquote(code, &p->value)) {
        p->code.n = at;
        buf_span(&p->code, buf_view(&p->value));
        return;
    }
    field_judge(code, p->out);
    p->judged = p->code.n;
}

static void
field_char(struct part *p, const struct xml_item *tag)
{
    struct span type = xml_get(tag->attrs, "fldCharType");

    if (span_eq(type, SPAN_LIT("begin"))) {
        field_begin(p);
    } else if (span_eq(type, SPAN_LIT("separate"))) {
        field_code(p);
    } else if (span_eq(type, SPAN_LIT("end"))) {
        field_code(p);
        if (p->n_fields > 0)
            p->n_fields--;
    }
}

static void
field_simple(struct part *p, const struct xml_item *tag)
{
    field_judge(value_of(p, tag, "instr"), p->out);
}

static void
field_text(struct part *p, const struct xml_item *tag)
{
    p->in_code = !tag->empty;
}

/* ---- DDE, templates, objects ---- */

static void
note_pair(struct part *p, const struct xml_item *tag, const char *a,
          const char *b)
{
    struct buf text;

    buf_init(&text, VALUE_MAX);
    xml_decode(&text, xml_get(tag->attrs, a));
    buf_putc(&text, '|');
    xml_decode(&text, xml_get(tag->attrs, b));
    findings_add_detail(p->out, FIND_DDE, buf_view(&text));
    buf_free(&text);
}

static void
dde_link(struct part *p, const struct xml_item *tag)
{
    note_pair(p, tag, "ddeService", "ddeTopic");
}

static void
dde_source(struct part *p, const struct xml_item *tag)
{
    note_pair(p, tag, "dde-application", "dde-topic");
}

static void
cell(struct part *p, const struct xml_item *tag)
{
    struct span formula = xml_get(tag->attrs, "Formula");

    if (formula.n > 0)
        dde_judge(value_of(p, tag, "Formula"), SPAN_NONE, p->out);
}

static void
template_of(struct part *p, const struct xml_item *tag)
{
    struct span target = value_of(p, tag, "val");

    if (reference_of(target) != REFERENCE_LOCAL)
        findings_add_detail(p->out, FIND_TEMPLATE_INJECTION, target);
}

static void
href(struct part *p, const struct xml_item *tag)
{
    struct span target = value_of(p, tag, "href");

    if (reference_of(target) != REFERENCE_LOCAL)
        findings_add_detail(p->out, FIND_REMOTE_OBJECT, target);
}

static void
encryption(struct part *p, const struct xml_item *tag)
{
    (void)tag;
    inspection_note(p->i, p->item, FIND_ENCRYPTED_DOCUMENT);
}

static void
book(struct part *p, const struct xml_item *tag)
{
    p->in_book = !tag->empty;
}

static void
path(struct part *p, const struct xml_item *tag)
{
    p->in_path = p->in_book && !tag->empty;
}

/* ---- binary parts ---- */

static void
part_begin(struct part *p, const struct xml_item *tag)
{
    buf_reset(&p->name);
    xml_decode(&p->name, xml_get(tag->attrs, "name"));
    judge_content_type(p, xml_get(tag->attrs, "contentType"),
                       buf_view(&p->name));
}

/* 0 to 63, or 64. */
static unsigned
sextet(uint8_t c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *hit = c != 0 ? memchr(digits, c, 64) : NULL;

    return hit != NULL ? (unsigned)(hit - digits) : 64;
}

static void
unbase64(struct span text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned n = 0;

    for (size_t k = 0; k < text.n; k++) {
        unsigned d = sextet(span_at(text, k));

        if (d == 64)
            continue;
        bits = bits << 6 | d;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_putc(out, (uint8_t)(bits >> n));
        }
    }
}

/* pkg:binaryData, w:binData with its own name */
static void
binary(struct part *p, const struct xml_item *tag)
{
    struct xml_item text;
    struct buf *out;

    if (xml_get(tag->attrs, "name").n > 0)
        part_begin(p, tag);
    if (tag->empty || !xml_next(&p->xml, &text) || text.kind != XML_TEXT)
        return;
    out = inspection_scratch(p->i);
    unbase64(text.text, out);
    p->stop = !embed_object(p->i, p->item, buf_view(&p->name), buf_view(out));
}

/* ---- elements ---- */

static const struct {
    struct span name;
    void (*start)(struct part *p, const struct xml_item *tag);
} elements[] = {
    {SPAN_INIT("Relationship"),        relationship},
    {SPAN_INIT("Override"),            override    },
    {SPAN_INIT("instrText"),           field_text  },
    {SPAN_INIT("delInstrText"),        field_text  },
    {SPAN_INIT("fldChar"),             field_char  },
    {SPAN_INIT("fldSimple"),           field_simple},
    {SPAN_INIT("ddeLink"),             dde_link    },
    {SPAN_INIT("dde-source"),          dde_source  },
    {SPAN_INIT("dde-connection-decl"), dde_source  },
    {SPAN_INIT("Cell"),                cell        },
    {SPAN_INIT("attachedTemplate"),    template_of },
    {SPAN_INIT("floating-frame"),      href        },
    {SPAN_INIT("section-source"),      href        },
    {SPAN_INIT("object-ole"),          href        },
    {SPAN_INIT("encryption-data"),     encryption  },
    {SPAN_INIT("SupBook"),             book        },
    {SPAN_INIT("Path"),                path        },
    {SPAN_INIT("part"),                part_begin  },
    {SPAN_INIT("binaryData"),          binary      },
    {SPAN_INIT("binData"),             binary      },
};

static void
start_tag(struct part *p, const struct xml_item *tag)
{
    for (size_t k = 0; k < ARRAY_LEN(elements); k++)
        if (span_eq(tag->name, elements[k].name)) {
            elements[k].start(p, tag);
            return;
        }
}

static void
text(struct part *p, const struct xml_item *t)
{
    if (p->in_code && p->code.n < OOXML_CODE_MAX) {
        struct span raw = span_head(t->text, OOXML_CODE_MAX);

        if (t->verbatim)
            buf_span(&p->code, raw);
        else
            xml_decode(&p->code, raw);
    }
    if (p->in_path) {
        buf_reset(&p->value);
        xml_decode(&p->value, t->text);
        if (span_find(buf_view(&p->value), '|') < p->value.n)
            findings_add_detail(p->out, FIND_DDE, buf_view(&p->value));
    }
}

static void
stop_tag(struct part *p, struct span name)
{
    p->in_code = false;
    p->in_path = false;
    if (span_eq(name, SPAN_LIT("SupBook")))
        p->in_book = false;
}

static void
read_xml(struct part *p)
{
    struct xml_item it;

    xml_open(p->item->bytes, &p->xml);
    while (!p->stop && xml_next(&p->xml, &it))
        switch (it.kind) {
        case XML_START: start_tag(p, &it); break;
        case XML_STOP: stop_tag(p, it.name); break;
        case XML_TEXT: text(p, &it); break;
        }
    xml_close(&p->xml);
}

/* ---- the inspector ---- */

/* Large parts without any of these (sheets, styles) are not worth a walk. */
static bool
is_worth(struct span bytes)
{
    static const struct span marks[] = {
        SPAN_INIT("Relationship"),     SPAN_INIT("instrText"),
        SPAN_INIT("InstrText"),        SPAN_INIT("fldSimple"),
        SPAN_INIT("ddeLink"),          SPAN_INIT("dde-"),
        SPAN_INIT("ontentType"),       SPAN_INIT("encryption-data"),
        SPAN_INIT("attachedTemplate"), SPAN_INIT("SupBook"),
        SPAN_INIT("binaryData"),       SPAN_INIT("binData"),
        SPAN_INIT("floating-frame"),   SPAN_INIT("section-source"),
        SPAN_INIT("object-ole"),       SPAN_INIT("Formula="),
    };

    if ((span_at(bytes, 0) != '<' && span_at(bytes, 0) != 0xef) ||
        span_at(bytes, 1) == 0)
        return true; /* UTF-16, or blanks before it */
    for (size_t k = 0; k < ARRAY_LEN(marks); k++)
        if (span_search(bytes, marks[k]) < bytes.n)
            return true;
    return false;
}

/* A single file says in its head that it belongs to Office. */
static bool
is_flat(struct span bytes)
{
    static const struct span marks[] = {
        SPAN_INIT("mso-application"),
        SPAN_INIT("schemas.microsoft.com/office"),
        SPAN_INIT("schemas.openxmlformats.org"),
        SPAN_INIT("urn:oasis:names:tc:opendocument"),
        SPAN_INIT("m\0s\0o\0-\0a\0p\0p\0l"),
        SPAN_INIT("s\0c\0h\0e\0m\0a\0s\0.\0m\0i\0c\0r\0o\0s\0o\0f\0t"),
    };
    struct span head = span_head(bytes, 8192);

    for (size_t k = 0; k < ARRAY_LEN(marks); k++)
        if (span_search(head, marks[k]) < head.n)
            return true;
    return false;
}

static bool
is_binary_part(const struct content_item *item)
{
    return item->depth > 0 && ends_nocase(item->name, SPAN_LIT(".bin")) &&
           span_contains_nocase(item->name, SPAN_LIT("externalLink"));
}

static bool
wants(const struct content_item *item)
{
    if (is_binary_part(item))
        return true;
    return xml_is(item->bytes) && (item->depth > 0 || is_flat(item->bytes));
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    struct part *p;

    if (is_binary_part(item)) {
        biff12_read(item->bytes, inspection_findings(i));
        return;
    }
    if (!is_worth(item->bytes))
        return;
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return;
    p->i = i;
    p->item = item;
    p->out = inspection_findings(i);
    buf_init(&p->value, OOXML_CODE_MAX);
    buf_init(&p->name, CONTENT_NAME_MAX);
    buf_init(&p->code, (size_t)2 * OOXML_CODE_MAX);
    read_xml(p);
    buf_free(&p->value);
    buf_free(&p->name);
    buf_free(&p->code);
    free(p);
}

const struct inspector ooxml_part_inspector = {
    .name = "ooxml_part",
    .wants = wants,
    .inspect = inspect,
};

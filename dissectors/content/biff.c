#include "dissectors/content/biff.h"

#include "dissectors/content/crypt.h"
#include "dissectors/content/utf16.h"

enum record {
    BOF2 = 0x0009,
    BOF3 = 0x0209,
    BOF4 = 0x0409,
    BOF8 = 0x0809,
    EXTERN_SHEET = 0x0017,
    EXTERN_NAME = 0x0023,
    FILE_PASS = 0x002f,
    BOUND_SHEET = 0x0085,
    SUP_BOOK = 0x01ae,
};

#define MACRO_SHEET   0x0040 /* BOF */
#define BIFF8         0x0600
#define LINK_MARK     3 /* between program and topic */
#define LINK_TEXT_MAX 1024

struct biff {
    struct findings *out;
    struct buf link; /* of the SupBook that waits for its names */
    struct buf text;
    bool biff8;
    bool encrypted;
};

bool
biff_is(struct span bytes)
{
    struct cursor c = cur_open(bytes);
    uint16_t id = cur_le16(&c);
    uint16_t n = cur_le16(&c);

    return (id == BOF2 || id == BOF3 || id == BOF4 || id == BOF8) && n >= 4 &&
           n <= 16 && !c.bad;
}

/* Characters of one byte or two, to b->text. */
static struct span
text_of(struct biff *b, struct span raw, bool wide)
{
    buf_reset(&b->text);
    if (wide)
        utf16_text(&b->text, raw, false);
    else
        for (size_t k = 0; k < raw.n; k++)
            utf16_put(&b->text, span_at(raw, k));
    return buf_view(&b->text);
}

/* n characters, with the flag byte before them in BIFF8. */
static struct span
take_text(struct biff *b, struct cursor *c, size_t n)
{
    bool wide = b->biff8 && (cur_u8(c) & 1) != 0;
    size_t bytes = wide ? 2 * n : n;
    size_t left = cur_left(c);

    return text_of(b, cur_take(c, bytes < left ? bytes : left), wide);
}

static void
bof(struct biff *b, struct cursor *c)
{
    uint16_t version = cur_le16(c);
    uint16_t type = cur_le16(c);

    b->biff8 = version == BIFF8;
    if (type == MACRO_SHEET)
        findings_add(b->out, FIND_XLM_MACRO);
}

static void
bound_sheet(struct biff *b, struct cursor *c)
{
    uint8_t state;
    uint8_t type;
    struct span name;

    cur_skip(c, 4);
    state = cur_u8(c) & 3;
    type = cur_u8(c);
    name = take_text(b, c, cur_u8(c));
    if (type != 1 || b->encrypted)
        return;
    findings_add_detail(b->out, FIND_XLM_MACRO, name);
    if (state != 0)
        findings_add_detail(b->out, FIND_XLM_HIDDEN, name);
}

/* ---- links ---- */

static void
link_settle(struct biff *b, enum finding f)
{
    if (b->link.n > 0)
        findings_add_detail(b->out, f, buf_view(&b->link));
    buf_reset(&b->link);
}

/* program 3 topic: shown as Excel shows it in a formula. */
static void
link_begin(struct biff *b, struct span text)
{
    size_t mark = span_find(text, LINK_MARK);

    link_settle(b, FIND_DDE);
    if (mark == 0 || mark >= text.n || b->encrypted)
        return;
    buf_span(&b->link, span_head(text, mark));
    buf_putc(&b->link, '|');
    buf_span(&b->link, span_tail(text, mark + 1));
}

static void
sup_book(struct biff *b, struct cursor *c)
{
    uint16_t n;

    cur_skip(c, 2);
    n = cur_le16(c);
    link_begin(b, n < 256 ? take_text(b, c, n) : SPAN_NONE);
}

/* Until BIFF7 */
static void
extern_sheet(struct biff *b, struct cursor *c)
{
    if (!b->biff8)
        link_begin(b, take_text(b, c, cur_u8(c)));
}

/* [MS-XLS] 2.4.105: fOleLink tells an OLE link from a DDE one. */
static void
extern_name(struct biff *b, struct cursor *c)
{
    bool ole = (cur_le16(c) & 0x10) != 0;

    link_settle(b, ole ? FIND_OLE_LINK : FIND_DDE);
}

static void
file_pass(struct biff *b, struct cursor *c)
{
    if (b->encrypted)
        return; /* once: hashing costs */
    b->encrypted = true;
    findings_add(b->out, FIND_ENCRYPTED_DOCUMENT);
    if (crypt_xls_is_default(cur_rest(c), b->biff8))
        findings_add(b->out, FIND_DEFAULT_PASSWORD);
}

static const struct {
    enum record id;
    void (*read)(struct biff *b, struct cursor *c);
} records[] = {
    {BOF2,         bof         },
    {BOF3,         bof         },
    {BOF4,         bof         },
    {BOF8,         bof         },
    {EXTERN_SHEET, extern_sheet},
    {EXTERN_NAME,  extern_name },
    {FILE_PASS,    file_pass   },
    {BOUND_SHEET,  bound_sheet },
    {SUP_BOOK,     sup_book    },
};

static void
record(struct biff *b, uint16_t id, struct span data)
{
    struct cursor c = cur_open(data);

    for (size_t k = 0; k < ARRAY_LEN(records); k++)
        if (id == records[k].id)
            records[k].read(b, &c);
}

void
biff_read(struct span stream, struct findings *out)
{
    struct cursor c = cur_open(stream);
    struct biff b = {.out = out};

    buf_init(&b.link, LINK_TEXT_MAX);
    buf_init(&b.text, LINK_TEXT_MAX);
    while (cur_left(&c) >= 4) {
        uint16_t id = cur_le16(&c);
        uint16_t n = cur_le16(&c);
        size_t left = cur_left(&c);

        record(&b, id, cur_take(&c, n < left ? n : left));
    }
    link_settle(&b, FIND_DDE);
    buf_free(&b.link);
    buf_free(&b.text);
}

/* ---- BIFF12 ---- */

#define BEGIN_SUP_BOOK 360

/* [MS-XLSB] 2.1.4: seven bits a byte, low ones first. */
static uint32_t
take_number(struct cursor *c, unsigned most)
{
    uint32_t v = 0;

    for (unsigned k = 0; k < most; k++) {
        uint8_t byte = cur_u8(c);

        v |= (uint32_t)(byte & 0x7f) << (7 * k);
        if ((byte & 0x80) == 0)
            break;
    }
    return v;
}

static void
take_wide(struct cursor *c, struct buf *out)
{
    uint32_t n = cur_le32(c);

    if (n <= cur_left(c) / 2)
        utf16_text(out, cur_take(c, (size_t)n * 2), false);
}

/* [MS-XLSB] 2.4.247: 1 is DDE */
static void
begin_sup_book(struct cursor *c, struct findings *out)
{
    struct buf text;

    if (cur_le16(c) != 1)
        return;
    buf_init(&text, LINK_TEXT_MAX);
    take_wide(c, &text);
    buf_putc(&text, '|');
    take_wide(c, &text);
    findings_add_detail(out, FIND_DDE, buf_view(&text));
    buf_free(&text);
}

void
biff12_read(struct span part, struct findings *out)
{
    struct cursor c = cur_open(part);

    while (cur_left(&c) >= 2) {
        uint8_t low = cur_u8(&c);
        uint32_t id = low;
        uint32_t n;
        struct cursor data;

        if ((low & 0x80) != 0)
            id = (low & 0x7fU) | (uint32_t)cur_u8(&c) << 7;
        n = take_number(&c, 4);
        data = cur_open(cur_take(&c, n));
        if (id == BEGIN_SUP_BOOK && !c.bad)
            begin_sup_book(&data, out);
    }
}

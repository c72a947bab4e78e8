#include "dissectors/content/tnef.h"

#include "dissectors/content/embed.h"
#include "dissectors/content/mapi.h"
#include "dissectors/content/utf16.h"

#define SIGNATURE "\x78\x9f\x3e\x22"
#define NAME_MAX  CONTENT_NAME_MAX
#define VALUE_MAX 4096

enum attribute {
    ATT_TITLE = 0x00018010,
    ATT_DATA = 0x0006800f,
    ATT_RENDER = 0x00069002, /* an attachment begins */
    ATT_MESSAGE_PROPS = 0x00069003,
    ATT_ATTACH_PROPS = 0x00069005,
};

/* [MS-OXCDATA] 2.11.1 */
enum type {
    PT_SHORT = 0x0002,
    PT_LONG = 0x0003,
    PT_FLOAT = 0x0004,
    PT_DOUBLE = 0x0005,
    PT_CURRENCY = 0x0006,
    PT_TIME_APP = 0x0007,
    PT_ERROR = 0x000a,
    PT_BOOLEAN = 0x000b,
    PT_OBJECT = 0x000d,
    PT_LONG64 = 0x0014,
    PT_STRING = 0x001e,
    PT_UNICODE = 0x001f,
    PT_TIME = 0x0040,
    PT_CLSID = 0x0048,
    PT_BINARY = 0x0102,
    PT_MANY = 0x1000,
};

#define PR_DISPLAY_NAME 0x3001
#define PR_ATTACH_DATA  0x3701
#define PR_ATTACH_NAME  0x3704
#define PR_ATTACH_LONG  0x3707
#define IID_BYTES       16

struct tnef {
    struct inspection *i;
    const struct content_item *item;
    struct buf name;
    unsigned rank; /* of the name: a better one replaces it */
    struct span data;
    bool open; /* an attachment has begun */
    bool cut;
    bool stop;
};

/* ---- attachments ---- */

static void
attachment_end(struct tnef *t)
{
    if (t->open && t->data.p != NULL)
        t->stop = !embed_attachment(t->i, t->item, buf_view(&t->name), t->data);
    t->open = false;
    t->rank = 0;
    t->data = SPAN_NONE;
    buf_reset(&t->name);
}

static void
attachment_begin(struct tnef *t)
{
    attachment_end(t);
    t->open = true;
}

static void
set_name(struct tnef *t, unsigned rank, struct span name, bool wide)
{
    if (rank < t->rank || name.n == 0)
        return;
    t->rank = rank;
    buf_reset(&t->name);
    if (wide)
        utf16_le_to_utf8(&t->name, name);
    else
        buf_span(&t->name, span_head(name, span_find(name, 0)));
}

/* ---- MAPI properties, [MS-OXTNEF] 2.1.3.4 ---- */

struct property {
    uint16_t type;
    uint16_t id;
    uint32_t lid; /* of named ones in PSETID_Common */
};

/* Bytes of a value of fixed size, without its padding; 0: variable. */
static size_t
fixed_size(uint16_t type)
{
    static const struct {
        enum type type;
        uint8_t n;
    } sizes[] = {
        {PT_SHORT,    4 },
        {PT_LONG,     4 },
        {PT_FLOAT,    4 },
        {PT_DOUBLE,   8 },
        {PT_CURRENCY, 8 },
        {PT_TIME_APP, 8 },
        {PT_ERROR,    4 },
        {PT_BOOLEAN,  4 },
        {PT_LONG64,   8 },
        {PT_TIME,     8 },
        {PT_CLSID,    16},
    };

    for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
        if (type == (uint16_t)sizes[k].type)
            return sizes[k].n;
    return 0;
}

static size_t
padded(size_t n)
{
    return n > SIZE_MAX - 3 ? n : (n + 3) & ~(size_t)3;
}

static void
take_property(struct cursor *c, struct property *p)
{
    struct span guid;
    uint32_t kind;
    uint32_t n;

    *p = (struct property){.type = cur_le16(c)};
    p->id = cur_le16(c);
    if (p->id < 0x8000)
        return;
    guid = cur_take(c, 16);
    kind = cur_le32(c);
    n = cur_le32(c);
    if (kind != 0)
        cur_skip(c, padded(n));
    else if (span_eq(guid, SPAN_LIT(MAPI_PSETID_COMMON)))
        p->lid = n;
}

static void
reminder(struct tnef *t, struct span value, bool wide)
{
    struct buf text;

    buf_init(&text, VALUE_MAX);
    if (wide)
        utf16_le_to_utf8(&text, value);
    else
        buf_span(&text, span_head(value, span_find(value, 0)));
    mapi_judge_reminder(buf_view(&text), inspection_findings(t->i));
    buf_free(&text);
}

static void
see_value(struct tnef *t, const struct property *p, struct span value)
{
    static const struct {
        uint16_t id;
        uint8_t rank;
    } names[] = {
        {PR_DISPLAY_NAME, 1},
        {PR_ATTACH_NAME,  3},
        {PR_ATTACH_LONG,  4},
    };
    const bool wide = p->type == PT_UNICODE;

    if (p->lid == MAPI_REMINDER_FILE_PARAMETER &&
        (wide || p->type == PT_STRING))
        reminder(t, value, wide);
    if (!t->open)
        return;
    if (p->id == PR_ATTACH_DATA && p->type == PT_OBJECT)
        t->data = span_tail(value, IID_BYTES);
    else if (p->id == PR_ATTACH_DATA && p->type == PT_BINARY)
        t->data = value;
    if (!wide && p->type != PT_STRING)
        return;
    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        if (p->id == names[k].id)
            set_name(t, names[k].rank, value, wide);
}

/* False when the list is damaged. */
static bool
take_values(struct tnef *t, struct cursor *c, const struct property *p)
{
    const size_t fixed = fixed_size(p->type & 0xefffU);
    const bool many = (p->type & PT_MANY) != 0 || fixed == 0;
    uint32_t n = many ? cur_le32(c) : 1;

    for (uint32_t k = 0; k < n && !c->bad; k++) {
        size_t bytes = fixed > 0 ? fixed : cur_le32(c);
        struct span value = cur_take(c, bytes);

        see_value(t, p, value);
        /* the last padding may be missing */
        if (cur_left(c) > 0)
            cur_skip(c, padded(bytes) - bytes);
    }
    return !c->bad;
}

static void
properties(struct tnef *t, struct span data)
{
    struct cursor c = cur_open(data);
    uint32_t n = cur_le32(&c);

    for (uint32_t k = 0; k < n && cur_left(&c) >= 4; k++) {
        struct property p;

        take_property(&c, &p);
        if (!take_values(t, &c, &p)) {
            t->cut = true;
            return;
        }
    }
}

/* ---- the file ---- */

static void
attribute(struct tnef *t, uint32_t id, struct span data)
{
    switch (id) {
    case ATT_RENDER: attachment_begin(t); break;
    case ATT_TITLE: set_name(t, 2, data, false); break;
    case ATT_DATA: t->data = data; break;
    case ATT_MESSAGE_PROPS:
    case ATT_ATTACH_PROPS: properties(t, data); break;
    default: break;
    }
}

static void
read_all(struct tnef *t)
{
    struct cursor c = cur_open(t->item->bytes);

    cur_skip(&c, 6);
    while (cur_left(&c) >= 9 && !t->stop) {
        uint32_t id;
        uint32_t n;
        size_t left;

        cur_skip(&c, 1); /* level */
        id = cur_le32(&c);
        n = cur_le32(&c);
        left = cur_left(&c);
        if (n > left)
            t->cut = true;
        attribute(t, id, cur_take(&c, n < left ? n : left));
        cur_skip(&c, 2);
    }
    if (!t->stop)
        attachment_end(t);
}

static bool
wants(const struct content_item *item)
{
    return span_starts(item->bytes, SPAN_LIT(SIGNATURE));
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    struct tnef t = {.i = i, .item = item};

    buf_init(&t.name, NAME_MAX);
    read_all(&t);
    if (t.cut && !item->truncated)
        inspection_note(i, item, FIND_MALFORMED);
    buf_free(&t.name);
}

const struct inspector tnef_inspector = {
    .name = "tnef",
    .wants = wants,
    .inspect = inspect,
};

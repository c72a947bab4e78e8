#include "dissectors/content/msg.h"

#include <stdio.h>

#include "dissectors/content/embed.h"
#include "dissectors/content/mapi.h"
#include "dissectors/content/utf16.h"

#define NAME_MAX_BYTES 1024
#define VALUE_MAX      4096
#define FIRST_GUID     3 /* 1 and 2 are well known: [MS-OXMSG] 2.2.3.1.2 */

struct msg {
    struct inspection *i;
    const struct content_item *item;
    struct ole2 *o;
    struct buf bytes;
    struct buf name;
};

bool
msg_is(const struct ole2 *o)
{
    return ole2_find(o, 0, "__properties_version1.0") != OLE2_NONE;
}

/* A property of a storage; false when there is none. */
static bool
property(struct msg *m, uint32_t storage, const char *stream, struct buf *out)
{
    uint32_t k = ole2_find(m->o, storage, stream);

    buf_reset(out);
    if (k == OLE2_NONE)
        return false;
    (void)ole2_read(m->o, &m->o->entry[k], out);
    return out->n > 0;
}

/* m->name as UTF-8 when it is not. */
static void
narrow(struct msg *m)
{
    struct buf wide = m->name;

    buf_init(&m->name, NAME_MAX_BYTES);
    utf16_le_to_utf8(&m->name, buf_view(&wide));
    buf_free(&wide);
}

/* Long name, then short name, in Unicode and in bytes. */
static void
attachment_name(struct msg *m, uint32_t storage)
{
    static const struct {
        const char *stream;
        bool wide;
    } names[] = {
        {"__substg1.0_3707001F", true },
        {"__substg1.0_3707001E", false},
        {"__substg1.0_3704001F", true },
        {"__substg1.0_3704001E", false},
    };

    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        if (property(m, storage, names[k].stream, &m->name)) {
            if (names[k].wide)
                narrow(m);
            return;
        }
}

static bool
attachment(struct msg *m, uint32_t storage)
{
    if (ole2_find(m->o, storage, "__substg1.0_37010102") == OLE2_NONE)
        return true;
    attachment_name(m, storage);
    (void)property(m, storage, "__substg1.0_37010102", &m->bytes);
    return embed_attachment(m->i, m->item, buf_view(&m->name),
                            buf_view(&m->bytes));
}

/* Index of a GUID in the stream of GUIDs, as entries give it; 0: none. */
static unsigned
guid_index(struct span guids)
{
    static const struct span common = SPAN_INIT(MAPI_PSETID_COMMON);

    for (unsigned k = 0; guids.n >= 16; k++, guids = span_tail(guids, 16))
        if (span_starts(guids, common))
            return k + FIRST_GUID;
    return 0;
}

/* 2.2.3.1.2: identifier, GUID's index and kind, number of the property. */
static uint32_t
named_property(struct span entries, unsigned guid, uint32_t lid)
{
    struct cursor c = cur_open(entries);

    while (cur_left(&c) >= 8) {
        uint32_t id = cur_le32(&c);
        uint16_t kind = cur_le16(&c);
        uint16_t index = cur_le16(&c);

        if (id == lid && (kind & 1) == 0 && kind >> 1 == guid)
            return 0x8000U + index;
    }
    return 0;
}

static uint32_t
reminder_property(struct msg *m)
{
    uint32_t names = ole2_find(m->o, 0, "__nameid_version1.0");
    unsigned guid;

    if (names == OLE2_NONE ||
        !property(m, names, "__substg1.0_00020102", &m->bytes))
        return 0;
    guid = guid_index(buf_view(&m->bytes));
    if (guid == 0 || !property(m, names, "__substg1.0_00030102", &m->bytes))
        return 0;
    return named_property(buf_view(&m->bytes), guid,
                          MAPI_REMINDER_FILE_PARAMETER);
}

static void
reminder(struct msg *m)
{
    uint32_t id = reminder_property(m);
    char stream[32];

    if (id == 0 || id > 0xffff)
        return;
    (void)snprintf(stream, sizeof(stream), "__substg1.0_%04X001F", id);
    if (property(m, 0, stream, &m->name))
        narrow(m);
    else {
        (void)snprintf(stream, sizeof(stream), "__substg1.0_%04X001E", id);
        (void)property(m, 0, stream, &m->name);
    }
    mapi_judge_reminder(buf_view(&m->name), inspection_findings(m->i));
}

void
msg_read(struct inspection *i, const struct content_item *item, struct ole2 *o)
{
    struct msg m = {.i = i, .item = item, .o = o};

    buf_init(&m.bytes, CONTENT_MAX_member);
    buf_init(&m.name, VALUE_MAX);
    reminder(&m);
    for (uint32_t k = 0; k < o->n_entries; k++)
        if (o->entry[k].kind == OLE2_STORAGE && !attachment(&m, k))
            break;
    buf_free(&m.bytes);
    buf_free(&m.name);
}

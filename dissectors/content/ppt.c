#include "dissectors/content/ppt.h"

#include "dissectors/content/embed.h"

#define OBJECT_STORAGE  0x1011
#define CRYPT_SESSION   0x2f14
#define ENCRYPTED_TOKEN 0xf3d1c4dfU
#define CONTAINER       0xf

bool
ppt_is_encrypted(struct span current_user)
{
    struct cursor c = cur_open(current_user);

    cur_skip(&c, 12);
    return cur_le32(&c) == ENCRYPTED_TOKEN;
}

static bool
object_storage(struct inspection *i, const struct content_item *item,
               bool deflated, struct span data)
{
    static const struct span name = SPAN_INIT("ExOleObjStg");

    if (deflated)
        return embed_deflated(i, item, name, span_tail(data, 4));
    return embed_object(i, item, name, data);
}

void
ppt_read(struct inspection *i, const struct content_item *item,
         struct span stream)
{
    struct cursor c = cur_open(stream);

    while (cur_left(&c) >= 8) {
        uint16_t head = cur_le16(&c);
        uint16_t type = cur_le16(&c);
        uint32_t n = cur_le32(&c);
        size_t left = cur_left(&c);

        if (type == CRYPT_SESSION)
            inspection_note(i, item, FIND_ENCRYPTED_DOCUMENT);
        if ((head & 15) == CONTAINER)
            continue;
        if (!inspection_spend_objects(i, type == OBJECT_STORAGE) ||
            (type == OBJECT_STORAGE &&
             !object_storage(i, item, head >> 4 == 1,
                             cur_take(&c, n < left ? n : left))))
            return;
        if (type != OBJECT_STORAGE)
            cur_skip(&c, n);
    }
}

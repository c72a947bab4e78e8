#include "dissectors/content/embed.h"

#include <zlib.h>

#include "dissectors/content/reference.h"

#define INFLATE_STEP 65536

void
embed_note(struct inspection *i, const struct content_item *item,
           enum finding f, struct span detail)
{
    if (detail.n > 0)
        findings_add_detail(inspection_findings(i), f, detail);
    else
        inspection_note(i, item, f);
}

bool
embed_object(struct inspection *i, const struct content_item *item,
             struct span name, struct span bytes)
{
    if (bytes.n == 0)
        return true;
    return inspection_spend(i, bytes.n) &&
           inspection_add(i, item, name, bytes, bytes.n, false);
}

static bool
is_executable(struct span name, struct span bytes)
{
    enum filetype t = filetype_detect(bytes, SPAN_NONE, bytes.n, NULL);
    enum filetype_group g = filetype_group_of(t);

    return filename_risk(filename_extension(name)) == EXTENSION_FORBIDDEN ||
           g == FILETYPE_GROUP_PROGRAM || g == FILETYPE_GROUP_SCRIPT ||
           g == FILETYPE_GROUP_LINK;
}

bool
embed_package(struct inspection *i, const struct content_item *item,
              const struct package *p)
{
    struct span name = package_name(p);
    uint64_t size = p->data.n + (p->cut ? 1U : 0U);

    if (p->linked) {
        embed_link(i, item, p->path.n > 0 ? p->path : name);
        return true;
    }
    embed_note(i, item, FIND_EMBEDDED_FILE, name);
    if (is_executable(name, p->data))
        embed_note(i, item, FIND_EMBEDDED_EXECUTABLE, name);
    return inspection_spend(i, p->data.n) &&
           inspection_add(i, item, name, p->data.n > 0 ? p->data : SPAN_LIT(""),
                          size, false);
}

/* What the reader of a mail sees of an attachment's name is what the reader of
 * an archive sees of a member's. */
static const struct {
    enum finding found;
    enum finding as;
} visible[] = {
    {FIND_FORBIDDEN_TYPE,   FIND_FORBIDDEN_MEMBER},
    {FIND_RISKY_TYPE,       FIND_RISKY_MEMBER    },
    {FIND_DOUBLE_EXTENSION, FIND_DOUBLE_EXTENSION},
    {FIND_NAME_BIDI,        FIND_NAME_BIDI       },
    {FIND_NAME_CONTROL,     FIND_NAME_CONTROL    },
    {FIND_NAME_SPACES,      FIND_NAME_SPACES     },
    {FIND_NAME_TRAILING,    FIND_NAME_TRAILING   },
};

bool
embed_attachment(struct inspection *i, const struct content_item *item,
                 struct span name, struct span bytes)
{
    struct findings of_name;

    findings_init(&of_name);
    filename_judge(name, &of_name);
    for (size_t k = 0; k < ARRAY_LEN(visible); k++)
        if (findings_has(&of_name, visible[k].found))
            embed_note(i, item, visible[k].as, name);
    findings_free(&of_name);
    return inspection_spend(i, bytes.n) &&
           inspection_add(i, item, name, bytes.n > 0 ? bytes : SPAN_LIT(""),
                          bytes.n, false);
}

bool
embed_native(struct inspection *i, const struct content_item *item,
             struct span stream)
{
    struct package p;

    stream = span_tail(stream, 4);
    if (package_read(stream, &p))
        return embed_package(i, item, &p);
    return embed_object(i, item, SPAN_LIT("Ole10Native"), stream);
}

static bool
inflate_some(z_stream *z, struct buf *out)
{
    size_t room =
        out->max - out->n < INFLATE_STEP ? out->max - out->n : INFLATE_STEP;
    int r;

    if (room == 0 || !buf_grow(out, room))
        return false;
    z->next_out = out->p + out->n;
    z->avail_out = (uInt)room;
    r = inflate(z, Z_NO_FLUSH);
    out->n += room - z->avail_out;
    return r == Z_OK && (z->avail_in > 0 || z->avail_out == 0);
}

bool
embed_deflated(struct inspection *i, const struct content_item *item,
               struct span name, struct span packed)
{
    struct buf *out = inspection_scratch(i);
    z_stream z = {0};
    union {
        const uint8_t *in;
        uint8_t *next;
    } p = {.in = packed.p};

    if (packed.n > UINT32_MAX || inflateInit(&z) != Z_OK)
        return true;
    z.next_in = p.next;
    z.avail_in = (uInt)packed.n;
    while (inflate_some(&z, out))
        ;
    (void)inflateEnd(&z);
    if (out->n == 0) {
        inspection_note(i, item, FIND_MALFORMED);
        return true;
    }
    return embed_object(i, item, name, buf_view(out));
}

void
embed_link(struct inspection *i, const struct content_item *item,
           struct span target)
{
    embed_note(i, item, FIND_OLE_LINK, target);
    if (target.n > 0 && reference_of(target) != REFERENCE_LOCAL)
        embed_note(i, item, FIND_REMOTE_OBJECT, target);
}

#include "dissectors/content/package.h"

#include "dissectors/filename.h"

#define NAME_MAX_BYTES 4096 /* of a label or path; longer is no package */

static struct span
take_string(struct cursor *c)
{
    struct span rest = span_tail(c->in, c->at);
    size_t n = span_find(rest, 0);

    if (c->bad || n >= rest.n || n > NAME_MAX_BYTES) {
        c->bad = true;
        return SPAN_NONE;
    }
    cur_skip(c, n + 1);
    return span_head(rest, n);
}

/* A length and so many bytes, or what is left of them. */
static struct span
take_counted(struct cursor *c, bool *cut)
{
    uint32_t n = cur_le32(c);
    size_t left = cur_left(c);

    if (n > left)
        *cut = true;
    return cur_take(c, n < left ? n : left);
}

bool
package_read(struct span in, struct package *out)
{
    struct cursor c = cur_open(in);
    uint16_t kind;

    *out = (struct package){0};
    cur_skip(&c, 2);
    out->label = take_string(&c);
    out->path = take_string(&c);
    cur_skip(&c, 2);
    kind = cur_le16(&c);
    out->linked = kind == 1;
    if (kind != 1 && kind != 3)
        return false;
    out->temp = take_counted(&c, &out->cut);
    out->temp = span_head(out->temp, span_find(out->temp, 0));
    if (!out->linked)
        out->data = take_counted(&c, &out->cut);
    return !c.bad && (out->label.n > 0 || out->path.n > 0);
}

/* LengthPrefixedAnsiString, with its NUL */
static struct span
take_prefixed(struct cursor *c)
{
    uint32_t n = cur_le32(c);
    struct span s = cur_take(c, n);

    if (n > NAME_MAX_BYTES)
        c->bad = true;
    return c->bad ? SPAN_NONE : span_head(s, span_find(s, 0));
}

bool
ole1_read(struct span in, struct ole1 *out)
{
    struct cursor c = cur_open(in);
    uint32_t format;

    *out = (struct ole1){0};
    cur_skip(&c, 4);
    format = cur_le32(&c);
    out->linked = format == 1;
    if (format != 1 && format != 2)
        return false;
    out->class_name = take_prefixed(&c);
    out->topic = take_prefixed(&c);
    out->item = take_prefixed(&c);
    if (!out->linked)
        out->data = take_counted(&c, &out->cut);
    return !c.bad && out->class_name.n > 0;
}

struct span
package_name(const struct package *p)
{
    const struct span names[] = {p->label, p->path, p->temp};

    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        if (filename_risk(filename_extension(names[k])) == EXTENSION_FORBIDDEN)
            return names[k];
    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        if (names[k].n > 0)
            return names[k];
    return SPAN_NONE;
}

#include "dissectors/charset.h"

#include <errno.h>

static const struct {
    const char *converter;
    const char *names;
} charsets[CHARSET_COUNT] = {
#define X(id, converter, names) {(converter), (names)},
#include "dissectors/charset.def"
#undef X
};

#define NAME_MAX_BYTES 32
#define NO_CONVERTER   ((iconv_t)-1)

/* The name as charset.def spells it, or an empty span when it is too long. */
static struct span
plain_name(struct span name, uint8_t room[NAME_MAX_BYTES])
{
    size_t n = 0;

    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = span_at(name, i);

        if (c == '-' || c == '_' || c == ' ' || c == '\t')
            continue;
        if (n == NAME_MAX_BYTES)
            return SPAN_NONE;
        room[n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
    }
    return span_of(room, n);
}

static bool
names_have(const char *names, struct span want)
{
    struct span left = span_str(names);

    while (left.n > 0) {
        size_t k = span_find(left, ' ');

        if (span_eq(span_head(left, k), want))
            return true;
        left = span_tail(left, k + 1);
    }
    return false;
}

/* The converter, opened now if need be; NULL when there is none. */
static iconv_t
converter_of(struct charset *cs, enum charset_id id)
{
    if (cs->open[id] == NULL && !cs->missing[id]) {
        cs->open[id] = iconv_open("UTF-8", charsets[id].converter);
        if ((intptr_t)cs->open[id] == -1) {
            cs->open[id] = NULL;
            cs->missing[id] = true;
        }
    }
    return cs->open[id];
}

static enum charset_result
convert(iconv_t cd, struct span in, struct buf *out)
{
    static const char replacement[] = "\xef\xbf\xbd";
    enum charset_result result = CHARSET_OK;
    char room[1024];
    union {
        const uint8_t *in;
        char *p; /* iconv's prototype lacks a const */
    } at = {in.p};
    size_t left = in.n;

    (void)iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0) {
        char *to = room;
        size_t space = sizeof(room);
        size_t rc = iconv(cd, &at.p, &left, &to, &space);
        int why = rc == (size_t)-1 ? errno : 0;

        buf_put(out, room, sizeof(room) - space);
        if (out->cut || out->failed)
            break;
        if (why == EILSEQ || why == EINVAL) {
            buf_put(out, replacement, 3);
            result = CHARSET_REPLACED;
            at.p += left > 0;
            left -= left > 0;
            if (why == EINVAL)
                break;
        } else if (why != E2BIG) {
            break;
        }
    }
    return result;
}

void
charset_init(struct charset *cs)
{
    *cs = (struct charset){0};
}

void
charset_fini(struct charset *cs)
{
    if (cs == NULL)
        return;
    for (size_t i = 0; i < CHARSET_COUNT; i++) {
        if (cs->open[i] != NULL)
            (void)iconv_close(cs->open[i]);
    }
    charset_init(cs);
}

size_t
charset_preload(struct charset *cs)
{
    size_t missing = 0;

    for (unsigned i = 0; i < CHARSET_COUNT; i++) {
        if (charsets[i].converter[0] != '\0')
            missing += converter_of(cs, (enum charset_id)i) == NULL;
    }
    return missing;
}

enum charset_id
charset_find(struct span name)
{
    uint8_t room[NAME_MAX_BYTES];
    struct span plain = plain_name(name, room);
    unsigned i = 0;

    if (plain.n == 0)
        return CHARSET_COUNT;
    while (i < CHARSET_COUNT && !names_have(charsets[i].names, plain))
        i++;
    return (enum charset_id)i;
}

/* UTF-16 without a mark: big endian says RFC 2781 4.3, but little endian is
 * written as often. In text most units have one zero byte: it tells. */
static enum charset_id
utf16_order(struct span in)
{
    size_t zeros[2] = {0, 0};

    if (span_starts(in, SPAN_LIT("\xff\xfe")) ||
        span_starts(in, SPAN_LIT("\xfe\xff")))
        return CHARSET_UTF_16;
    for (size_t i = 0; i < in.n; i++)
        zeros[i & 1] += span_at(in, i) == 0;
    return zeros[1] > zeros[0] ? CHARSET_UTF_16LE : CHARSET_UTF_16BE;
}

enum charset_result
charset_to_utf8(struct charset *cs, struct span name, struct span in,
                struct buf *out)
{
    enum charset_id id = charset_find(name);
    iconv_t cd = NULL;

    if (id == CHARSET_UTF_16)
        id = utf16_order(in);
    if (id < CHARSET_COUNT && charsets[id].converter[0] != '\0')
        cd = converter_of(cs, id);
    if (cd != NULL)
        return convert(cd, in, out);
    buf_span(out, in);
    return id == CHARSET_UTF_8 ? CHARSET_OK : CHARSET_UNKNOWN;
}

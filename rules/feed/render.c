#include "rules/feed/render.h"

#include <openssl/evp.h>

#include "sensor/base/text.h"

#define SHA256 32

static const struct {
    const char *word, *type;
} formats[] = {
#define ROW(id, word, type, doc) {word, type},
    RENDER_FORMATS(ROW)
#undef ROW
};

static render_put *const putters[RENDER_FORMAT_COUNT] = {
    [RENDER_NFT] = render_nft,           [RENDER_NFT_RULES] = render_nft_rules,
    [RENDER_IPSET] = render_ipset,       [RENDER_LIST] = render_list,
    [RENDER_JSON] = render_json,         [RENDER_CROWDSEC] = render_crowdsec,
    [RENDER_RBLDNSD4] = render_rbldnsd4, [RENDER_RBLDNSD6] = render_rbldnsd6,
};

const char *
render_format_word(enum render_format f)
{
    return formats[f].word;
}

const char *
render_format_type(enum render_format f)
{
    return formats[f].type;
}

/* ---- shared ---- */

void
render_safe(struct buf *out, struct span s, size_t max)
{
    const struct span marks = SPAN_LIT("._:/+-=@");

    s = span_head(s, max);
    for (size_t i = 0; i < s.n; i++) {
        const uint8_t c = span_at(s, i);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           span_find(marks, c) < marks.n;

        buf_putc(out, plain ? c : '_');
    }
}

void
render_comment(struct buf *out, const struct feed_item *i)
{
    size_t left = RENDER_COMMENT - (sizeof("ev: ") - 1);

    buf_str(out, "ev:");
    if (i->evidence.n > 0)
        render_safe(out, i->evidence, left);
    else
        buf_str(out, feed_origin_word(i->origin));
    left -= i->evidence.n > 0 ? i->evidence.n : FEED_HASH;
    if (i->rule.n == 0)
        return;
    buf_putc(out, ' ');
    render_safe(out, i->rule, left);
}

void
render_time(struct buf *out, ns_t when)
{
    char text[NS_TEXT_MAX];
    const size_t n = ns_format(when / NS_PER_S * NS_PER_S, text);

    buf_put(out, text, n < 19 ? n : 19);
    buf_putc(out, 'Z');
}

bool
render_is_v4(const struct feed_item *i)
{
    return i->prefix.bits >= 96 && addr_is_v4(&i->prefix.addr);
}

void
render_prefix(struct buf *out, const struct prefix *p)
{
    char text[ADDR_TEXT_MAX];

    if (p->bits == 128)
        buf_put(out, text, addr_format(&p->addr, text));
    else
        prefix_format(p, out);
}

void
render_head(struct buf *out, const struct feed *f)
{
    buf_str(out, "span25 serial ");
    buf_u64(out, f->serial);
    buf_str(out, ", ");
    buf_u64(out, f->n);
    buf_str(out, " elements, made ");
    render_time(out, f->made);
    buf_str(out, ", ends ");
    render_time(out, f->expires);
    buf_str(out, ", sha256 ");
    buf_str(out, f->digest);
}

/* ---- all ---- */

static bool
is_too_much(const struct feed *f, const struct render_options *o,
            const struct buf *out)
{
    const size_t elements = render_vendor_elements(o->vendor);
    const size_t bytes = render_vendor_bytes(o->vendor);

    return (elements > 0 && f->n > elements) || (bytes > 0 && out->n > bytes);
}

enum err
render(const struct feed *f, enum render_format format,
       const struct render_options *o, struct buf *out)
{
    if (o->now >= f->expires && format != RENDER_NFT_RULES)
        return ERR_TRUNCATED;
    putters[format](f, o, out);
    if (out->cut || out->failed)
        return ERR_NOMEM;
    return format == RENDER_LIST && is_too_much(f, o, out) ? ERR_LIMIT : ERR_OK;
}

bool
render_etag(struct span text, char out[RENDER_ETAG])
{
    uint8_t hash[SHA256];
    struct buf hex;
    bool done;

    if (EVP_Digest(text.p, text.n, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    buf_init(&hex, RENDER_ETAG);
    buf_putc(&hex, '"');
    text_hex(&hex, span_of(hash, SHA256 / 2));
    buf_str(&hex, "\"");
    buf_putc(&hex, 0);
    done = hex.n <= RENDER_ETAG && !hex.cut && !hex.failed;
    if (done)
        memcpy(out, hex.p, hex.n);
    buf_free(&hex);
    return done;
}

#include "sensor/sinks/veil.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

#define DIGEST       32U
#define BLOCK        16U
#define WORD_BYTES   8U /* of the digest: 2^32 values until two may be equal */
#define DOMAIN_MAX   255U
#define FLOW_ID_MASK ((UINT64_C(1) << 51) - 1)
#define TEXT_MAX     (1U << 20) /* a value that grows: "a@" a mailbox each */
#define HEX_MAX      ((size_t)2 * DIGEST)

struct veil {
    enum veil_level level;
    bool keep_domains;
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac; /* keyed */
    EVP_CIPHER_CTX *aes[2];
    uint8_t pad[2][BLOCK]; /* by addr_is_v4 */
    struct buf text;       /* the value at hand */
    struct buf low;        /* a mailbox in lower case */
};

/* ---- which field how ---- */

struct row {
    uint8_t from, how; /* 0: none */
};

static const struct row rows[FIELD_COUNT] = {
#define X(field, from, how) [FIELD_##field] = {VEIL_##from, VEIL_##how},
#include "sensor/sinks/veil.def"
#undef X
};

/* What a class is without a row of its own, once its level has come. */
static const struct row by_class[] = {
    [PRIVACY_PUBLIC] = {VEIL_PERSON,  VEIL_SCRUB},
    [PRIVACY_NETWORK] = {VEIL_NETWORK, VEIL_WORD },
    [PRIVACY_PERSON] = {VEIL_PERSON,  VEIL_DROP },
    [PRIVACY_CONTENT] = {VEIL_PERSON,  VEIL_WORD },
};

static bool
is_text(enum field f)
{
    return field_table[f].type == FT_STR || field_table[f].type == FT_STRS;
}

enum veil_how
veil_how_of(enum veil_level level, enum field f)
{
    struct row row = rows[f];

    if (level == VEIL_NONE || field_table[f].type == FT_OBJS)
        return VEIL_KEEP; /* children of objects have rules of their own */
    if (row.from == 0)
        row = by_class[field_table[f].privacy];
    if (level < (enum veil_level)row.from)
        return is_text(f) ? VEIL_SCRUB : VEIL_KEEP;
    if (is_text(f) || row.how == VEIL_ADDRESS)
        return (enum veil_how)row.how;
    /* a number, a time: nothing can stand for it */
    return row.how == VEIL_SCRUB ? VEIL_KEEP : VEIL_DROP;
}

/* ---- keyed digests ---- */

/* Of a text under a word that says what it is. The context was keyed, and so
 * cannot fail but for want of memory, which nothing here asks for. */
static void
digest(struct veil *v, const char *word, struct span text, uint8_t out[DIGEST])
{
    size_t n = 0;

    REQUIRE(EVP_MAC_init(v->mac, NULL, 0, NULL) == 1);
    REQUIRE(EVP_MAC_update(v->mac, (const uint8_t *)word, strlen(word) + 1) ==
            1);
    if (text.n > 0)
        REQUIRE(EVP_MAC_update(v->mac, text.p, text.n) == 1);
    REQUIRE(EVP_MAC_final(v->mac, out, &n, DIGEST) == 1 && n == DIGEST);
}

static void
put_hex(struct veil *v, const char *word, struct span text, size_t digits,
        struct buf *out)
{
    uint8_t d[DIGEST];
    struct buf hex;

    digest(v, word, text, d);
    if (digits % 2 == 0) {
        text_hex(out, span_of(d, digits / 2));
        return;
    }
    buf_init(&hex, (size_t)2 * DIGEST);
    text_hex(&hex, span_of(d, DIGEST));
    buf_span(out, span_head(buf_view(&hex), digits));
    out->failed |= hex.failed;
    buf_free(&hex);
}

static void
put_word(struct veil *v, const char *word, struct span text, struct buf *out)
{
    put_hex(v, word, text, (size_t)2 * WORD_BYTES, out);
}

static void
lower(struct buf *out, struct span s)
{
    buf_reset(out);
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        buf_putc(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 0x20) : c);
    }
}

/* ---- addresses ---- */

/* Bit i of the pseudonym is bit i of the address, changed by what AES says of
 * the i bits before it: so it depends on them alone. */
static void
veil_bits(EVP_CIPHER_CTX *aes, const uint8_t pad[BLOCK], uint8_t *bytes,
          unsigned n)
{
    uint8_t in[128][BLOCK], said[128][BLOCK];
    uint8_t was[BLOCK];
    int done = 0;

    memcpy(was, bytes, n / 8);
    for (unsigned i = 0; i < n; i++) {
        uint8_t mask = (uint8_t)(0xff00U >> (i % 8));

        memcpy(in[i], pad, BLOCK);
        memcpy(in[i], was, i / 8);
        in[i][i / 8] = (uint8_t)((was[i / 8] & mask) | (pad[i / 8] & ~mask));
    }
    REQUIRE(EVP_EncryptUpdate(aes, said[0], &done, in[0], (int)(n * BLOCK)) ==
                1 &&
            done == (int)(n * BLOCK));
    for (unsigned i = 0; i < n; i++)
        bytes[i / 8] ^= (uint8_t)((said[i][0] >> 7) << (7 - i % 8));
}

struct addr
veil_address(struct veil *v, const struct addr *a)
{
    struct addr out = *a;
    bool is_v4 = addr_is_v4(a);

    if (is_v4)
        veil_bits(v->aes[1], v->pad[1], out.b + 12, 32);
    else
        veil_bits(v->aes[0], v->pad[0], out.b, 128);
    return out;
}

/* The pseudonyms of all its addresses begin alike: that is theirs. */
static bool
put_prefix(struct veil *v, struct span text, struct buf *out)
{
    char room[ADDR_TEXT_MAX];
    struct prefix p;

    if (!prefix_parse(text, &p))
        return false;
    p.addr = veil_address(v, &p.addr);
    for (unsigned i = p.bits; i < 128; i++)
        p.addr.b[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
    if (span_find(text, '/') < text.n)
        prefix_format(&p, out);
    else
        buf_put(out, room, addr_format(&p.addr, room));
    return true;
}

/* "192.0.2.7", "[192.0.2.7]", "[IPv6:2001:db8::7]" (RFC 5321 4.1.3). */
struct literal {
    struct span before, after;
    struct addr addr;
};

static bool
read_literal(struct span text, struct literal *l)
{
    static const struct span six = SPAN_INIT("IPv6:");
    bool is_in = span_at(text, 0) == '[' && text.p[text.n - 1] == ']';
    size_t from = is_in ? 1 : 0;

    if (is_in && span_starts_nocase(span_tail(text, from), six))
        from += six.n;
    l->before = span_head(text, from);
    l->after = span_tail(text, is_in ? text.n - 1 : text.n);
    return text.n > from &&
           addr_parse(span_head(span_tail(text, from), text.n - from - is_in),
                      &l->addr);
}

static bool
put_literal(struct veil *v, struct span text, struct buf *out)
{
    char room[ADDR_TEXT_MAX];
    struct literal l;

    if (!read_literal(text, &l))
        return false;
    l.addr = veil_address(v, &l.addr);
    buf_span(out, l.before);
    buf_put(out, room, addr_format(&l.addr, room));
    buf_span(out, l.after);
    return true;
}

static void
put_subject(struct veil *v, struct span text, struct buf *out)
{
    static const struct span word = SPAN_INIT(" lease ");
    size_t at = span_search(text, word);

    if (!put_prefix(v, span_head(text, at), out)) {
        put_word(v, "word", text, out);
        return;
    }
    if (at < text.n) {
        buf_span(out, word);
        put_word(v, "word", span_tail(text, at + word.n), out);
    }
}

/* ---- names and mailboxes ---- */

static void
put_name(struct veil *v, struct span text, struct buf *out)
{
    if (put_literal(v, text, out))
        return;
    if (span_at(text, text.n - 1) == '.')
        text.n--;
    lower(&v->low, text);
    buf_putc(out, 'n');
    put_word(v, "name", buf_view(&v->low), out);
    buf_str(out, ".invalid");
}

static bool
is_letter_or_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Letters, digits, - . _ and what is not ASCII; not longer than names are. */
static bool
is_domain(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c < 0x80 && c != '-' && c != '.' && c != '_' &&
            !is_letter_or_digit(c))
            return false;
    }
    return s.n > 0 && s.n <= DOMAIN_MAX;
}

static void
put_domain(struct veil *v, struct span domain, struct buf *out)
{
    struct literal l;
    bool stays =
        read_literal(domain, &l) ? v->level < VEIL_NETWORK : is_domain(domain);

    if (stays && v->keep_domains)
        buf_span(out, domain);
    else if (domain.n > 0)
        put_name(v, domain, out);
}

/* The address of a path or a header field, without what stands around it. */
static struct span
address_in(struct span text)
{
    const uint8_t *open = text.n > 0 ? memrchr(text.p, '<', text.n) : NULL;

    if (open == NULL)
        return span_trim(text);
    text = span_tail(text, (size_t)(open - text.p) + 1);
    return span_head(text, span_find(text, '>'));
}

static void
put_mailbox(struct veil *v, struct span text, struct buf *out)
{
    struct span address = address_in(text);
    bool is_path = address.n > 0 ? address.p > text.p && address.p[-1] == '<'
                                 : span_find(text, '<') < text.n;
    const uint8_t *at =
        address.n > 0 ? memrchr(address.p, '@', address.n) : NULL;

    if (is_path)
        buf_putc(out, '<');
    if (address.n == 0 && !is_path)
        address = text; /* spaces only: something was there */
    if (address.n > 0) {
        lower(&v->low, address);
        put_word(v, "mailbox", buf_view(&v->low), out);
    }
    if (at != NULL) {
        buf_putc(out, '@');
        put_domain(v, span_tail(address, (size_t)(at - address.p) + 1), out);
    }
    if (is_path)
        buf_putc(out, '>');
}

/* ---- text that may hold them ---- */

static bool
is_local_part(uint8_t c)
{
    return c >= 0x80 || is_letter_or_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_in_address(uint8_t c)
{
    return c == '.' || c == ':' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
is_in_v4(uint8_t c)
{
    return c == '.' || (c >= '0' && c <= '9');
}

/* How many bytes at the head are of this kind, or are not. */
static size_t
run_of(struct span s, bool (*is)(uint8_t c), bool want)
{
    size_t n = 0;

    while (n < s.n && is(s.p[n]) == want)
        n++;
    return n;
}

static void
put_v4s(struct veil *v, struct span text, struct buf *out)
{
    while (text.n > 0) {
        size_t before = run_of(text, is_in_v4, false);
        struct span run = span_tail(text, before);
        size_t dots = span_at(run, 0) == '.' ? 1 : 0;
        size_t n = run_of(run, is_in_v4, true);
        size_t end = n;

        while (end > dots && run.p[end - 1] == '.')
            end--;
        buf_span(out, span_head(text, before + dots));
        run = span_head(run, n);
        if (!put_literal(v, span_tail(span_head(run, end), dots), out))
            buf_span(out, span_tail(span_head(run, end), dots));
        buf_span(out, span_tail(run, end));
        text = span_tail(text, before + n);
    }
}

static void
put_run(struct veil *v, struct span run, struct buf *out)
{
    size_t end = run.n;

    while (end > 2 && (run.p[end - 1] == '.' ||
                       (run.p[end - 1] == ':' && run.p[end - 2] != ':')))
        end--;
    if (span_find(run, ':') < run.n && end <= ADDR_TEXT_MAX &&
        put_literal(v, span_head(run, end), out))
        buf_span(out, span_tail(run, end));
    else
        put_v4s(v, run, out);
}

static void
put_plain(struct veil *v, struct span text, struct buf *out)
{
    if (v->level < VEIL_NETWORK) {
        buf_span(out, text);
        return;
    }
    while (text.n > 0) {
        size_t before = run_of(text, is_in_address, false);
        size_t n = run_of(span_tail(text, before), is_in_address, true);

        buf_span(out, span_head(text, before));
        if (n > 0)
            put_run(v, span_head(span_tail(text, before), n), out);
        text = span_tail(text, before + n);
    }
}

/* Around each @ what may be a mailbox. Bytes before it are looked at once: an @
 * is no part of a local one. */
static void
put_scrubbed(struct veil *v, struct span text, struct buf *out)
{
    size_t done = 0;
    size_t at;

    for (size_t from = 0;
         (at = from + span_find(span_tail(text, from), '@')) < text.n;) {
        size_t begin = at;
        size_t n = run_of(span_tail(text, at + 1), is_local_part, true);

        while (begin > done && is_local_part(text.p[begin - 1]))
            begin--;
        from = at + 1 + n;
        if (begin == at && n == 0)
            continue;
        put_plain(v, span_tail(span_head(text, begin), done), out);
        put_mailbox(v, span_tail(span_head(text, from), begin), out);
        done = from;
    }
    put_plain(v, span_tail(text, done), out);
}

/* ---- one value ---- */

static void
put_mac(struct veil *v, struct span text, struct buf *out)
{
    uint8_t d[DIGEST];

    lower(&v->low, text);
    digest(v, "mac", buf_view(&v->low), d);
    buf_str(out, "02");
    for (unsigned i = 0; i < 5; i++) {
        buf_putc(out, ':');
        text_hex(out, span_of(d + i, 1));
    }
}

static void
put_community(struct veil *v, struct span text, struct buf *out)
{
    uint8_t d[DIGEST];

    digest(v, "community", text, d);
    buf_str(out, "1:");
    text_base64(out, span_of(d, 20));
}

static void
put_named_address(struct veil *v, struct span text, struct buf *out)
{
    text = span_trim(text);
    if (!put_literal(v, text, out))
        put_word(v, "word", text, out);
}

void
veil_text(struct veil *v, enum veil_how how, struct span text, struct buf *out)
{
    if (text.n == 0)
        return; /* that it is empty is no secret */
    switch (how) {
    case VEIL_KEEP: buf_span(out, text); break;
    case VEIL_SCRUB: put_scrubbed(v, text, out); break;
    case VEIL_ADDRESS: put_named_address(v, text, out); break;
    case VEIL_MAILBOX: put_mailbox(v, text, out); break;
    case VEIL_NAME: put_name(v, text, out); break;
    case VEIL_SUBJECT: put_subject(v, text, out); break;
    case VEIL_DECISION:
        buf_str(out, "pseudonym:");
        put_subject(v, text, out);
        break;
    case VEIL_MAC: put_mac(v, text, out); break;
    case VEIL_COMMUNITY: put_community(v, text, out); break;
    case VEIL_HEX:
        put_hex(v, "hex", text, text.n < HEX_MAX ? text.n : HEX_MAX, out);
        break;
    case VEIL_WORD: put_word(v, "word", text, out); break;
    case VEIL_DROP: break;
    }
}

/* ---- a record ---- */

static void
put_entry(struct veil *v, const struct record_entry *e, struct record_out *out)
{
    enum veil_how how = veil_how_of(v->level, e->field);
    struct addr a;

    if (how == VEIL_DROP)
        return;
    if (how == VEIL_KEEP) {
        record_str(out, e->field, e->value);
    } else if (entry_addr(e->value, &a) &&
               field_table[e->field].type == FT_ADDR) {
        a = veil_address(v, &a);
        record_addr(out, e->field, &a);
    } else {
        buf_reset(&v->text);
        veil_text(v, how, e->value, &v->text);
        record_str(out, e->field, buf_view(&v->text));
        out->buf.failed |= v->text.failed || v->low.failed;
    }
}

static void
put_object(struct veil *v, const struct record_entry *object,
           struct record_out *out)
{
    struct cursor c = cur_open(object->value);
    struct record_entry e;

    record_object_begin(out, object->field);
    while (record_next(&c, &e))
        put_entry(v, &e, out);
    record_object_end(out);
}

/* It is a hash of addresses: below 2^51, and never 0, which is none. */
static uint64_t
veil_flow(struct veil *v, uint64_t flow)
{
    uint8_t d[DIGEST];
    uint64_t n;

    if (v->level < VEIL_NETWORK || flow == 0)
        return flow;
    digest(v, "flow", span_of(&flow, sizeof(flow)), d);
    memcpy(&n, d, sizeof(n));
    n &= FLOW_ID_MASK;
    return n != 0 ? n : 1;
}

void
veil_record(struct veil *v, struct span record, struct record_out *out)
{
    struct record_head head = record_head_of(record);
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    head.flow_id = veil_flow(v, head.flow_id);
    record_begin(out, &head);
    while (record_next(&c, &e)) {
        if (field_table[e.field].type == FT_OBJS)
            put_object(v, &e, out);
        else
            put_entry(v, &e, out);
    }
}

/* ---- life ---- */

static bool
key_digest(struct veil *v, struct span key)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };

    v->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    v->mac = v->hmac != NULL ? EVP_MAC_CTX_new(v->hmac) : NULL;
    return v->mac != NULL && EVP_MAC_init(v->mac, key.p, key.n, params) == 1;
}

/* Half of a digest is the key, half of it what stands for bits not yet seen. */
static bool
key_addresses(struct veil *v, bool is_v4)
{
    uint8_t d[DIGEST];
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    bool good;

    v->aes[is_v4] = aes;
    digest(v, is_v4 ? "key of IPv4" : "key of IPv6", SPAN_NONE, d);
    good = aes != NULL &&
           EVP_EncryptInit_ex2(aes, EVP_aes_128_ecb(), d, NULL, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(aes, 0) == 1;
    memcpy(v->pad[is_v4], d + BLOCK, BLOCK);
    OPENSSL_cleanse(d, sizeof(d));
    return good;
}

enum err
veil_new(enum veil_level level, struct span key, bool keep_domains,
         struct veil **out)
{
    struct veil *v;

    if (key.n < VEIL_KEY_MIN || key.n > VEIL_KEY_MAX)
        return ERR_CONFIG;
    v = calloc(1, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    v->level = level;
    v->keep_domains = keep_domains;
    buf_init(&v->text, TEXT_MAX);
    buf_init(&v->low, TEXT_MAX);
    if (!key_digest(v, key) || !key_addresses(v, false) ||
        !key_addresses(v, true)) {
        veil_free(v);
        return ERR_NOMEM;
    }
    *out = v;
    return ERR_OK;
}

void
veil_free(struct veil *v)
{
    if (v == NULL)
        return;
    EVP_MAC_CTX_free(v->mac);
    EVP_MAC_free(v->hmac);
    EVP_CIPHER_CTX_free(v->aes[0]);
    EVP_CIPHER_CTX_free(v->aes[1]);
    OPENSSL_cleanse(v->pad, sizeof(v->pad));
    buf_free(&v->text);
    buf_free(&v->low);
    free(v);
}

#include "dissectors/dns.h"

#define HEAD_BYTES 12U
#define CLASS_IN   1U
#define TYPE_CNAME 5U
#define TYPE_OPT   41U
#define LABEL_MAX  63U
#define POINTER    0xc0U

/* RFC 1035 4.1.1 */
#define FLAG_QR     0x8000U
#define FLAG_OPCODE 0x7800U
#define FLAG_TC     0x0200U
#define FLAG_RCODE  0x000fU

struct head {
    uint16_t flags;
    uint16_t n_answers, n_authority, n_additional;
};

struct record {
    size_t owner; /* where its name begins */
    size_t at;    /* and its data */
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct span data;
};

struct reading {
    struct cursor c;
    struct head head;
    const struct dns_home *home;
    struct dns_answer *out;
    struct dns_text current; /* whose records answer the question */
    struct dns_text owner;
    unsigned n_opt;
};

/* ---- names ---- */

static void
put(struct dns_text *t, unsigned c)
{
    if (t->n < sizeof(t->b))
        t->b[t->n++] = (uint8_t)c;
}

static void
put_escaped(struct dns_text *t, unsigned c)
{
    if (c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (c == '.' || c == '\\')
        put(t, '\\');
    if (c > ' ' && c < 0x7f) {
        put(t, c);
        return;
    }
    put(t, '\\');
    put(t, '0' + c / 100);
    put(t, '0' + c / 10 % 10);
    put(t, '0' + c % 10);
}

static void
put_label(struct dns_text *t, struct span label)
{
    if (t->n > 0)
        put(t, '.');
    for (size_t i = 0; i < label.n; i++)
        put_escaped(t, span_at(label, i));
}

/* Past a name: to its end, or to behind its first pointer. */
static bool
skip_name(struct cursor *c)
{
    size_t bytes = 1; /* the root's */

    for (;;) {
        uint8_t n = cur_u8(c);

        if (n == 0)
            return !c->bad;
        if (n >= POINTER) {
            cur_skip(c, 1);
            return !c->bad;
        }
        bytes += n + 1U;
        if (n > LABEL_MAX || bytes > DNS_NAME_MAX)
            return false;
        cur_skip(c, n);
    }
}

/* Goes where a pointer leads, whose first byte was read: to before all that
 * was reached so far. So there is no loop. */
static bool
jump(struct cursor *from, uint8_t first, size_t *before)
{
    size_t to = (first & (POINTER ^ 0xffU)) << 8 | cur_u8(from);

    if (from->bad || first < POINTER || to < HEAD_BYTES || to >= *before)
        return false;
    *before = to;
    *from = cur_open(from->in);
    cur_skip(from, to);
    return true;
}

/* Reads the name at c and leaves c behind it. */
static bool
read_name(struct cursor *c, struct dns_text *out)
{
    struct cursor from = *c;
    size_t before = c->at;
    size_t bytes = 1;
    unsigned jumps = 0;
    uint8_t n;

    out->n = 0;
    if (!skip_name(c))
        return false;
    while ((n = cur_u8(&from)) != 0) {
        if (n > LABEL_MAX) {
            if (jumps++ == DNS_JUMPS_MAX || !jump(&from, n, &before))
                return false;
            continue;
        }
        bytes += n + 1U;
        if (bytes > DNS_NAME_MAX)
            return false;
        put_label(out, cur_take(&from, n));
    }
    if (out->n == 0)
        put(out, '.');
    return !from.bad;
}

static struct span
text_of(const struct dns_text *t)
{
    return span_of(t->b, t->n);
}

/* "34.216.184.93.in-addr.arpa", RFC 1035 3.5: four numbers as written by who
 * turns an address round. */
static bool
is_reverse4(struct span s)
{
    for (unsigned i = 0; i < 4; i++) {
        size_t n = span_find(s, '.');
        uint64_t v;

        if (n > 3 || !span_to_u64(span_head(s, n), &v) || v > 255 ||
            (n > 1 && span_at(s, 0) == '0'))
            return false;
        s = span_tail(s, n + 1);
    }
    return span_eq(s, SPAN_LIT("in-addr.arpa"));
}

static bool
is_nibble(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* RFC 3596 2.5: thirty-two nibbles. */
static bool
is_reverse6(struct span s)
{
    for (unsigned i = 0; i < 32; i++) {
        if (!is_nibble(span_at(s, 0)) || span_at(s, 1) != '.')
            return false;
        s = span_tail(s, 2);
    }
    return span_eq(s, SPAN_LIT("ip6.arpa"));
}

/* ---- records ---- */

/* A message of one question that is an answer; leaves c before the question. */
static bool
read_head(struct cursor *c, struct head *h)
{
    uint16_t questions;

    cur_skip(c, 2);
    h->flags = cur_be16(c);
    questions = cur_be16(c);
    h->n_answers = cur_be16(c);
    h->n_authority = cur_be16(c);
    h->n_additional = cur_be16(c);
    return !c->bad && questions == 1 &&
           (h->flags & (FLAG_QR | FLAG_OPCODE)) == FLAG_QR;
}

static bool
read_record(struct cursor *c, struct record *r)
{
    size_t n;

    r->owner = c->at;
    if (!skip_name(c))
        return false;
    r->type = cur_be16(c);
    r->class = cur_be16(c);
    r->ttl = cur_be32(c);
    n = cur_be16(c);
    r->at = c->at;
    r->data = cur_take(c, n);
    return !c->bad;
}

/* AAAA of an IPv4-mapped address is none that a client would use. */
static bool
address_of(const struct record *r, struct addr *out)
{
    if (r->type == DNS_A && r->data.n == 4) {
        *out = addr_v4(r->data.p);
        return true;
    }
    if (r->type != DNS_AAAA || r->data.n != 16)
        return false;
    *out = addr_v6(r->data.p);
    return !addr_is_v4(out);
}

static bool
is_at_home(const struct record *r, const struct dns_home *home,
           struct addr *out)
{
    return r->class == CLASS_IN && address_of(r, out) &&
           home->has(home->ctx, out);
}

static bool
has_home(struct cursor *c, const struct head *h, uint16_t type,
         const struct dns_home *home)
{
    struct record r;
    struct addr a;

    if (home->has == NULL)
        return false;
    for (unsigned i = 0; i < h->n_answers && i < DNS_RECORDS_MAX; i++) {
        if (!read_record(c, &r))
            return false;
        if (r.type == type && is_at_home(&r, home, &a))
            return true;
    }
    return false;
}

bool
dns_wants(struct span payload, const struct dns_home *home)
{
    struct cursor c = cur_open(payload);
    struct head h;
    uint16_t type;
    uint16_t class;

    if (!read_head(&c, &h) || !skip_name(&c))
        return false;
    type = cur_be16(&c);
    class = cur_be16(&c);
    if (c.bad || class != CLASS_IN)
        return false;
    switch (type) {
    case DNS_MX:
    case DNS_PTR: return true;
    case DNS_A:
    case DNS_AAAA: return has_home(&c, &h, type, home);
    default: return false;
    }
}

/* ---- answers ---- */

/* The name that a record's data is, but for some bytes before it. */
static bool
read_data_name(const struct reading *g, const struct record *r, size_t skip,
               struct dns_text *out)
{
    struct cursor c = cur_open(g->c.in);

    cur_skip(&c, r->at + skip);
    return read_name(&c, out) && c.at == r->at + r->data.n;
}

static bool
take(struct reading *g, const struct record *r)
{
    struct dns_answer *out = g->out;
    struct dns_text *to;
    struct addr a;

    if (out->n_answers == DNS_ANSWERS_MAX) {
        out->cut = true;
        return true;
    }
    to = &out->answers[out->n_answers];
    switch (out->type) {
    case DNS_MX: out->n_answers++; return read_data_name(g, r, 2, to);
    case DNS_PTR: out->n_answers++; return read_data_name(g, r, 0, to);
    case DNS_A:
    case DNS_AAAA:
        if (is_at_home(r, g->home, &a)) {
            out->n_answers++;
            to->n = (uint16_t)addr_format(&a, (char *)to->b);
        }
        return true;
    }
    return false;
}

/* False when the record does not hold together. */
static bool
read_answer(struct reading *g, const struct record *r)
{
    struct cursor c = cur_open(g->c.in);

    if (r->class != CLASS_IN ||
        (r->type != TYPE_CNAME && r->type != g->out->type))
        return true;
    cur_skip(&c, r->owner);
    if (!read_name(&c, &g->owner))
        return false;
    if (!span_eq(text_of(&g->owner), text_of(&g->current)))
        return true;
    if (r->type == TYPE_CNAME)
        return read_data_name(g, r, 0, &g->current);
    return take(g, r);
}

static bool
read_opt(struct reading *g, const struct record *r)
{
    if (r->type != TYPE_OPT)
        return true;
    g->out->rcode |= (uint16_t)(r->ttl >> 24 << 4);
    return g->n_opt++ == 0 && span_at(g->c.in, r->owner) == 0;
}

/* True when all n records are read, or as many as a cut message has. */
static bool
read_section(struct reading *g, unsigned n, unsigned most,
             bool (*look)(struct reading *g, const struct record *r))
{
    struct record r;

    for (unsigned i = 0; i < n; i++) {
        if (!read_record(&g->c, &r))
            return g->out->cut && g->c.bad;
        if (i < most && !look(g, &r))
            return false;
    }
    return true;
}

static bool
pass_by(struct reading *g, const struct record *r)
{
    (void)g;
    (void)r;
    return true;
}

static bool
read_question(struct reading *g)
{
    struct dns_answer *out = g->out;
    struct span name;
    uint16_t class;

    if (!read_name(&g->c, &out->name))
        return false;
    out->type = (enum dns_type)cur_be16(&g->c);
    class = cur_be16(&g->c);
    if (g->c.bad || class != CLASS_IN)
        return false;
    name = text_of(&out->name);
    return out->type != DNS_PTR || is_reverse4(name) || is_reverse6(name);
}

bool
dns_read(struct span payload, bool whole, const struct dns_home *home,
         struct dns_answer *out)
{
    struct reading g = {.c = cur_open(payload), .home = home, .out = out};
    const struct head *h = &g.head;

    if (!dns_wants(payload, home) || !read_head(&g.c, &g.head))
        return false;
    out->rcode = h->flags & FLAG_RCODE;
    out->cut = !whole || (h->flags & FLAG_TC) != 0;
    out->n_answers = 0;
    if (!read_question(&g))
        return false;
    g.current = out->name;
    if (!read_section(&g, h->n_answers, DNS_RECORDS_MAX, read_answer) ||
        !read_section(&g, h->n_authority, 0, pass_by) ||
        !read_section(&g, h->n_additional, UINT16_MAX, read_opt))
        return false;
    if (!out->cut && g.c.at != payload.n)
        return false;
    out->cut |= h->n_answers > DNS_RECORDS_MAX;
    return out->n_answers > 0 || out->type == DNS_MX || out->type == DNS_PTR;
}

const char *
dns_type_name(enum dns_type t)
{
    switch (t) {
#define DNS_TYPE_NAME(id, name, number)                                        \
    case DNS_##id: return (name);
        DNS_TYPES(DNS_TYPE_NAME)
#undef DNS_TYPE_NAME
    }
    return "";
}

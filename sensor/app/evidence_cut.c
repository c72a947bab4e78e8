#include "sensor/app/evidence_cut.h"

#include "dissectors/smtp_mask.h"
#include "sensor/capture/pcapng_out.h"
#include "sensor/net/decode.h"

#include <stdlib.h>

#define LINKTYPE_RAW 101U
#define TCP_CHECKSUM 16U /* its place in the header */
#define NO_PLACE     SIZE_MAX
#define NAME_MAX_    64U

/* A packet kept; places are in the buffer of all frames. */
struct piece {
    size_t at, n;
    size_t payload, n_payload; /* payload: NO_PLACE where there is none */
    size_t tcp;                /* of its header; NO_PLACE: not found */
    uint32_t wire_len, seq;
    uint16_t iface, wanted;
    uint8_t flags, side; /* side: 0: from the lower end of the key */
    ns_t when;
};

struct iface {
    uint8_t name[NAME_MAX_];
    size_t n;
    uint16_t link;
};

struct evidence_cut {
    struct evidence_wanted wanted[EVIDENCE_CUT_KEYS];
    size_t n_wanted;
    struct buf frames;
    struct piece *pieces;
    size_t n, cap;
    struct iface ifaces[EVIDENCE_CUT_IFACES];
    size_t n_ifaces;
    struct evidence_cut_counts counts;
};

/* ---- taking ---- */

static bool
iface_number(struct evidence_cut *c, struct span name, uint16_t link,
             uint16_t *out)
{
    const struct span s = span_head(name, NAME_MAX_);
    size_t i = 0;

    while (i < c->n_ifaces &&
           (c->ifaces[i].link != link ||
            !span_eq(span_of(c->ifaces[i].name, c->ifaces[i].n), s)))
        i++;
    if (i == EVIDENCE_CUT_IFACES)
        return false;
    if (i == c->n_ifaces) {
        c->n_ifaces++;
        c->ifaces[i].link = link;
        c->ifaces[i].n = s.n;
        if (s.n > 0)
            memcpy(c->ifaces[i].name, s.p, s.n);
    }
    *out = (uint16_t)i;
    return true;
}

/* decode tells where the payload is; the header before it is the one that has
 * its length, ports and number. */
static size_t
find_tcp(struct span frame, size_t payload, const struct decoded *d)
{
    for (size_t n = 20; n <= 60 && n <= payload; n += 4) {
        struct cursor c = cur_open(span_tail(frame, payload - n));

        if (cur_be16(&c) == d->sport && cur_be16(&c) == d->dport &&
            cur_be32(&c) == d->seq &&
            span_at(frame, payload - n + 12) >> 4 == n / 4)
            return payload - n;
    }
    return NO_PLACE;
}

/* Where the IP header that carries it begins; one with IPv6 extension headers
 * is not found. */
static size_t
find_ip(struct span frame, size_t tcp, const struct decoded *d)
{
    for (size_t n = 20; n <= 60 && n <= tcp; n += 4) {
        const struct span ip = span_tail(frame, tcp - n);

        if (addr_is_v4(&d->src) && span_at(ip, 0) == (0x40 | n / 4) &&
            memcmp(ip.p + 12, d->src.b + 12, 4) == 0 &&
            memcmp(ip.p + 16, d->dst.b + 12, 4) == 0)
            return tcp - n;
        if (n == 40 && span_at(ip, 0) >> 4 == 6 &&
            memcmp(ip.p + 8, d->src.b, 16) == 0 &&
            memcmp(ip.p + 24, d->dst.b, 16) == 0)
            return tcp - n;
    }
    return NO_PLACE;
}

static size_t
find_wanted(const struct evidence_cut *c, const struct decoded *d, ns_t when,
            bool ports)
{
    const struct evidence_key k =
        ports ? evidence_key(&d->src, d->sport, &d->dst, d->dport)
              : evidence_key(&d->src, 0, &d->dst, 0);

    for (size_t i = 0; i < c->n_wanted; i++) {
        const struct evidence_wanted *w = &c->wanted[i];

        if (when >= w->from && when <= w->to &&
            addr_cmp(&k.addr[0], &w->key.addr[0]) == 0 &&
            addr_cmp(&k.addr[1], &w->key.addr[1]) == 0 &&
            (!ports ||
             (k.port[0] == w->key.port[0] && k.port[1] == w->key.port[1])))
            return i;
    }
    return NO_PLACE;
}

static struct piece *
new_piece(struct evidence_cut *c, size_t bytes)
{
    if (c->n == c->cap) {
        const size_t cap = c->cap > 0 ? 2 * c->cap : 1024;
        struct piece *v = realloc(c->pieces, cap * sizeof(*v));

        if (v == NULL)
            return NULL;
        c->pieces = v;
        c->cap = cap;
    }
    return buf_grow(&c->frames, bytes) ? &c->pieces[c->n] : NULL;
}

/* What of the frame is kept: all, or the inner packet; and where things are. */
static bool
lay_out(const struct packet *p, const struct decoded *d, struct piece *out,
        size_t *start)
{
    const uintptr_t begin = (uintptr_t)p->data.p;
    const uintptr_t at = (uintptr_t)d->payload.p;
    size_t payload;

    *start = 0;
    if (at < begin || at > begin + p->data.n)
        return false;
    payload = (size_t)(at - begin);
    out->tcp = find_tcp(p->data, payload, d);
    if (out->tcp == NO_PLACE)
        return false;
    if (d->n_tunnel > 0)
        *start = find_ip(p->data, out->tcp, d);
    if (*start == NO_PLACE)
        return false;
    out->payload = payload - *start;
    out->tcp -= *start;
    out->n_payload = d->payload.n;
    return true;
}

static void
keep(struct evidence_cut *c, const struct packet *p, const struct decoded *d,
     size_t wanted, struct span iface)
{
    const struct evidence_key *k = &c->wanted[wanted].key;
    struct piece v = {.seq = d->seq,
                      .flags = d->flags,
                      .wanted = (uint16_t)wanted,
                      .when = p->when};
    struct piece *to;
    size_t start;

    if (!lay_out(p, d, &v, &start)) {
        c->counts.tunnelled++;
        return;
    }
    v.side = addr_cmp(&d->src, &k->addr[0]) != 0 || d->sport != k->port[0];
    v.n = p->data.n - start;
    v.wire_len = p->wire_len - (uint32_t)start;
    to = new_piece(c, v.n);
    if (to == NULL ||
        !iface_number(c, iface, start > 0 ? LINKTYPE_RAW : p->link, &v.iface)) {
        c->counts.too_many++;
        return;
    }
    v.at = c->frames.n;
    v.payload += v.at;
    v.tcp += v.at;
    buf_span(&c->frames, span_tail(p->data, start));
    *to = v;
    c->n++;
    c->counts.packets++;
}

void
evidence_cut_take(struct evidence_cut *c, const struct packet *p,
                  struct span iface)
{
    struct decoded d;
    size_t wanted;

    decode_packet(p, &d);
    if (d.kind != PACKET_TCP && d.kind != PACKET_FRAGMENT)
        return;
    wanted = find_wanted(c, &d, p->when, d.kind == PACKET_TCP);
    if (wanted == NO_PLACE)
        return;
    if (d.kind == PACKET_FRAGMENT)
        c->counts.fragments++;
    else
        keep(c, p, &d, wanted, iface);
}

/* ---- streams ---- */

/* A connection: from a SYN of one of the two ends. */
struct connection {
    uint32_t first[2]; /* sequence number of the first byte of each side */
    bool known[2];
    uint8_t client; /* side */
};

struct segment {
    size_t piece;
    uint32_t off;
};

/* One side, put together. */
struct stream {
    struct buf bytes;
    uint8_t *shown; /* a flag for each */
    size_t limit;   /* bytes that were judged */
    bool whole;     /* nothing lies behind the limit */
};

struct masking {
    struct evidence_cut *cut;
    size_t wanted;
    bool redact;
    struct connection v[EVIDENCE_CUT_CONNECTIONS];
    size_t n;
    uint8_t *of; /* for each piece: its connection, or NO_CONNECTION */
    struct segment *segments;
    size_t n_segments;
};

#define NO_CONNECTION UINT8_MAX

static void
on_syn(struct masking *m, const struct piece *p)
{
    const bool answer = (p->flags & TCP_ACK) != 0;
    struct connection *last = m->n > 0 ? &m->v[m->n - 1] : NULL;

    if (answer && last != NULL && p->side != last->client &&
        (!last->known[p->side] || last->first[p->side] == p->seq + 1)) {
        last->known[p->side] = true;
        last->first[p->side] = p->seq + 1;
        return;
    }
    if (last != NULL && last->client == p->side && !answer &&
        last->first[p->side] == p->seq + 1)
        return; /* sent again */
    if (m->n == EVIDENCE_CUT_CONNECTIONS)
        return;
    m->v[m->n] =
        (struct connection){.client = answer ? (uint8_t)!p->side : p->side};
    m->v[m->n].first[p->side] = p->seq + 1;
    m->v[m->n].known[p->side] = true;
    m->n++;
}

/* Of a packet that comes after the SYN of the next one, nothing is shown but
 * what fits there. */
static void
assign(struct masking *m)
{
    for (size_t i = 0; i < m->cut->n; i++) {
        const struct piece *p = &m->cut->pieces[i];

        if (p->wanted != m->wanted)
            continue;
        if ((p->flags & TCP_SYN) != 0)
            on_syn(m, p);
        m->of[i] = m->n > 0 ? (uint8_t)(m->n - 1) : NO_CONNECTION;
    }
}

static int
by_offset(const void *a, const void *b)
{
    const struct segment *x = a;
    const struct segment *y = b;

    if (x->off != y->off)
        return x->off < y->off ? -1 : 1;
    return (x->piece > y->piece) - (x->piece < y->piece);
}

/* Of a SYN the number is that of the SYN itself. */
static uint32_t
offset_of(const struct connection *v, const struct piece *p)
{
    return p->seq + ((p->flags & TCP_SYN) != 0) - v->first[p->side];
}

static void
collect(struct masking *m, size_t number, unsigned side)
{
    m->n_segments = 0;
    for (size_t i = 0; i < m->cut->n; i++) {
        const struct piece *p = &m->cut->pieces[i];

        if (p->wanted == m->wanted && m->of[i] == number && p->side == side &&
            p->n_payload > 0)
            m->segments[m->n_segments++] =
                (struct segment){i, offset_of(&m->v[number], p)};
    }
    if (m->n_segments > 0)
        qsort(m->segments, m->n_segments, sizeof(*m->segments), by_offset);
}

/* Up to where both say the same. */
static size_t
agreement(struct span a, struct span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    size_t i = 0;

    while (i < n && a.p[i] == b.p[i])
        i++;
    return i < n ? i : SIZE_MAX;
}

static void
add_segment(struct masking *m, struct stream *s, const struct segment *g)
{
    const struct piece *p = &m->cut->pieces[g->piece];
    const struct span bytes =
        span_of(m->cut->frames.p + p->payload, p->n_payload);
    const size_t have = s->bytes.n;
    size_t same;

    if (g->off > have) {
        s->whole = false;
        s->limit = s->limit < have ? s->limit : have;
        return;
    }
    same = agreement(span_tail(buf_view(&s->bytes), g->off), bytes);
    if (same != SIZE_MAX && g->off + same < s->limit)
        s->limit = g->off + same;
    if (g->off + bytes.n > have)
        buf_span(&s->bytes, span_tail(bytes, have - g->off));
}

/* From the first byte to the first hole. */
static void
join(struct masking *m, size_t number, unsigned side, struct stream *s)
{
    buf_init(&s->bytes, EVIDENCE_CUT_BYTES);
    s->limit = SIZE_MAX;
    s->whole = true;
    if (m->v[number].known[side])
        collect(m, number, side);
    for (size_t i = 0;
         m->v[number].known[side] && s->whole && i < m->n_segments; i++)
        add_segment(m, s, &m->segments[i]);
    if (!m->v[number].known[side])
        s->whole = false;
    s->whole = s->whole && s->limit == SIZE_MAX;
    if (s->limit > s->bytes.n)
        s->limit = s->bytes.n;
    s->shown = calloc(s->limit + 1, 1);
}

static struct span
judged(const struct stream *s)
{
    return span_head(buf_view(&s->bytes), s->limit);
}

/* ---- masking ---- */

static bool
is_shown(const struct stream *s, uint32_t off, uint8_t byte)
{
    return s != NULL && off < s->limit && s->shown[off] != 0 &&
           s->bytes.p[off] == byte;
}

static void
mask_piece(struct evidence_cut *c, const struct piece *p,
           const struct stream *s, uint32_t off)
{
    uint8_t *bytes = c->frames.p + p->payload;
    const size_t end = p->payload + p->n_payload;
    uint64_t n = 0;

    for (size_t i = 0; i < p->n_payload; i++) {
        if (is_shown(s, off + (uint32_t)i, bytes[i]))
            continue;
        bytes[i] = 'x';
        n++;
    }
    c->counts.masked += n;
    if (n > 0)
        memset(c->frames.p + p->tcp + TCP_CHECKSUM, 0, 2);
    memset(c->frames.p + end, 0, p->at + p->n - end);
}

static void
mask_side(struct masking *m, size_t number, unsigned side,
          const struct stream *s)
{
    for (size_t i = 0; i < m->cut->n; i++) {
        const struct piece *p = &m->cut->pieces[i];

        if (p->wanted == m->wanted && m->of[i] == number && p->side == side)
            mask_piece(m->cut, p, s, offset_of(&m->v[number], p));
    }
    m->cut->counts.dark += !s->whole;
}

static enum err
mask_connection(struct masking *m, size_t number)
{
    const unsigned client = m->v[number].client;
    struct stream c, s;
    enum err e = ERR_NOMEM;

    join(m, number, client, &c);
    join(m, number, !client, &s);
    if (c.shown != NULL && s.shown != NULL && !c.bytes.failed &&
        !s.bytes.failed) {
        const bool auth = smtp_mask_client(judged(&c), m->redact, c.shown);

        smtp_mask_server(judged(&s), m->redact || auth || !c.whole, s.shown);
        mask_side(m, number, client, &c);
        mask_side(m, number, !client, &s);
        e = ERR_OK;
    }
    free(c.shown);
    free(s.shown);
    buf_free(&c.bytes);
    buf_free(&s.bytes);
    return e;
}

static void
mask_rest(struct masking *m)
{
    for (size_t i = 0; i < m->cut->n; i++) {
        const struct piece *p = &m->cut->pieces[i];

        if (p->wanted == m->wanted && m->of[i] == NO_CONNECTION)
            mask_piece(m->cut, p, NULL, 0);
    }
}

static enum err
mask_wanted(struct masking *m)
{
    enum err e = ERR_OK;

    m->n = 0;
    assign(m);
    mask_rest(m);
    for (size_t i = 0; e == ERR_OK && i < m->n; i++)
        e = mask_connection(m, i);
    return e;
}

static int
by_time(const void *a, const void *b)
{
    const struct piece *x = a;
    const struct piece *y = b;

    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

enum err
evidence_cut_mask(struct evidence_cut *c, bool redact)
{
    struct masking *m = calloc(1, sizeof(*m));
    enum err e = ERR_NOMEM;

    if (m == NULL)
        return e;
    m->cut = c;
    m->redact = redact;
    m->of = calloc(c->n + 1, 1);
    m->segments = calloc(c->n + 1, sizeof(*m->segments));
    if (m->of != NULL && m->segments != NULL) {
        e = ERR_OK;
        if (c->n > 0)
            qsort(c->pieces, c->n, sizeof(*c->pieces), by_time);
        for (m->wanted = 0; e == ERR_OK && m->wanted < c->n_wanted; m->wanted++)
            e = mask_wanted(m);
    }
    free(m->of);
    free(m->segments);
    free(m);
    return e;
}

/* ---- writing ---- */

void
evidence_cut_write(const struct evidence_cut *c, struct buf *out)
{
    pcapng_out_head(out);
    for (size_t i = 0; i < c->n_ifaces; i++)
        pcapng_out_iface(out, c->ifaces[i].link, 0,
                         span_of(c->ifaces[i].name, c->ifaces[i].n));
    for (size_t i = 0; i < c->n; i++) {
        const struct piece *v = &c->pieces[i];
        const struct packet p = {.data = span_of(c->frames.p + v->at, v->n),
                                 .wire_len = v->wire_len,
                                 .when = v->when};

        pcapng_out_packet(out, v->iface, &p);
    }
}

struct evidence_cut_counts
evidence_cut_counts(const struct evidence_cut *c)
{
    return c->counts;
}

/* ---- life ---- */

enum err
evidence_cut_new(const struct evidence_wanted *wanted, size_t n,
                 struct evidence_cut **out)
{
    struct evidence_cut *c = calloc(1, sizeof(*c));

    REQUIRE(n <= EVIDENCE_CUT_KEYS);
    if (c == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        c->wanted[i] = wanted[i];
    c->n_wanted = n;
    buf_init(&c->frames, EVIDENCE_CUT_BYTES);
    *out = c;
    return ERR_OK;
}

void
evidence_cut_free(struct evidence_cut *c)
{
    if (c == NULL)
        return;
    buf_free(&c->frames);
    free(c->pieces);
    free(c);
}

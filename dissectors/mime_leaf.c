#include "dissectors/mime_reading.h"

#define ROOM_BYTES 16384

static struct span
eol_bytes(uint8_t eol)
{
    static const struct span bytes[] = {
        [MIME_EOL_NONE] = SPAN_INIT(""),
        [MIME_EOL_CR] = SPAN_INIT("\r"),
        [MIME_EOL_LF] = SPAN_INIT("\n"),
        [MIME_EOL_CRLF] = SPAN_INIT("\r\n"),
    };

    return bytes[eol];
}

static bool
have_streams(struct mime *m)
{
    if (m->streams == NULL)
        m->streams = mem_new(m->mem, MIME_STREAMS * sizeof(struct mime_stream));
    if (m->streams == NULL)
        mime_note(m, NULL, MIME_ODD_NO_MEMORY);
    return m->streams != NULL;
}

/* A free slot, or MIME_STREAMS. */
static unsigned
free_slot(struct mime *m)
{
    unsigned free = ~(unsigned)m->used & 0xff;

    if (free == 0) {
        mime_note(m, NULL, MIME_ODD_READINGS_CUT);
        return MIME_STREAMS;
    }
    return (unsigned)__builtin_ctz(free);
}

static void
take_slot(struct mime *m, struct mime_reading *r, unsigned slot)
{
    m->used = (uint8_t)(m->used | 1U << slot);
    r->streams = (uint8_t)(r->streams | 1U << slot);
}

/* Asks for a part; false when it is not wanted or there are too many. */
static bool
begin_part(struct mime *m, struct mime_reading *r, struct mime_part *p)
{
    unsigned slot;
    void *part;

    if (m->n_parts >= MIME_MAX_parts) {
        mime_note(m, r, MIME_ODD_TOO_MANY_PARTS);
        return false;
    }
    if (!have_streams(m))
        return false;
    slot = free_slot(m);
    if (slot == MIME_STREAMS)
        return false;
    p->number = m->n_parts++;
    m->n_first += p->reading == 0;
    p->parent = r->scope;
    p->depth = r->n_levels;
    p->offset = m->body;
    p->odd = r->odd | r->leaf_odd;
    m->odd |= p->odd;
    part = m->o.ops->part_begin(m->o.ctx, p);
    if (part == NULL)
        return false;
    m->streams[slot] = (struct mime_stream){
        .part = part, .odd = p->odd, .offset = m->body, .uu = p->uu};
    decode_init(&m->streams[slot].d, (enum decode_kind)p->decode);
    take_slot(m, r, slot);
    return true;
}

static uint8_t
next_number(struct mime *m)
{
    if (m->next_number < UINT8_MAX)
        m->next_number++;
    return m->next_number;
}

void
mime_leaf_begin(struct mime *m, struct mime_reading *r)
{
    const struct mime_entity *e = &m->entity;
    struct mime_part p = {
        .disposition = e->disposition,
        .type = e->type,
        .charset = e->charset,
        .encoding = e->encoding,
        .content_id = e->content_id,
        .declared = e->declared,
    };

    p.n_names = (uint8_t)(e->names.n < MIME_NAMES ? e->names.n : MIME_NAMES);
    for (unsigned i = 0; i < p.n_names; i++)
        p.names[i] = (struct mime_name){mime_value_raw(&e->names, i),
                                        mime_value_text(&e->names, i)};
    r->eol = MIME_EOL_NONE;
    r->uu = e->n_kinds == 1 && e->kinds[0] == DECODE_IDENTITY &&
            span_starts(e->type, SPAN_LIT("text/"));
    for (unsigned i = 0; i < e->n_kinds; i++) {
        p.decode = e->kinds[i];
        p.reading = i == 0 ? r->number : next_number(m);
        (void)begin_part(m, r, &p);
    }
}

/* ---- bytes ---- */

static void
end_stream(struct mime *m, struct mime_reading *r, unsigned slot, uint64_t at,
           bool cut)
{
    struct mime_stream *s = &m->streams[slot];
    uint8_t room[DECODE_ROOM_MIN];
    struct mime_part_end end = {
        .offset = at, .odd = s->odd | r->odd, .lost = s->lost, .cut = cut};
    size_t n = 0;

    if (s->d.kind != DECODE_IDENTITY)
        n = decode_end(&s->d, room, sizeof(room));
    if (n > 0)
        m->o.ops->part_data(s->part, span_of(room, n));
    end.decode_odd = s->d.odd;
    m->o.ops->part_end(s->part, &end);
    m->used = (uint8_t)(m->used & ~(1U << slot));
    r->streams = (uint8_t)(r->streams & ~(1U << slot));
}

/* A second stream that goes on from s; MIME_STREAMS when it cannot be. */
static unsigned
fork_stream(struct mime *m, struct mime_reading *r, struct mime_stream *s)
{
    unsigned slot = free_slot(m);
    void *part;

    if (slot == MIME_STREAMS)
        return slot;
    part = m->o.ops->part_fork(s->part);
    if (part == NULL) {
        mime_note(m, r, MIME_ODD_READINGS_CUT);
        return MIME_STREAMS;
    }
    m->streams[slot] = *s;
    m->streams[slot].part = part;
    take_slot(m, r, slot);
    return slot;
}

/* Decodes until the bytes are used up or there are two ways. */
static void
push(struct mime *m, struct mime_stream *s, struct span *in)
{
    uint8_t room[ROOM_BYTES];

    while (in->n > 0 && s->d.fork == DECODE_FORK_NONE) {
        size_t n = decode_push(&s->d, in, room, sizeof(room));

        if (n > 0)
            m->o.ops->part_data(s->part, span_of(room, n));
    }
}

struct work {
    struct span in;
    unsigned slot;
};

static void
settle_fork(struct mime *m, struct mime_reading *r, struct work *w, unsigned *n,
            unsigned slot, struct span in)
{
    struct mime_stream *s = &m->streams[slot];
    unsigned other;

    s->odd |= UINT64_C(1) << MIME_ODD_DECODING;
    m->odd |= UINT64_C(1) << MIME_ODD_DECODING;
    other = fork_stream(m, r, s);
    if (other < MIME_STREAMS) {
        decode_choose(&m->streams[other].d, 1);
        w[(*n)++] = (struct work){in, other};
    }
    decode_choose(&s->d, 0);
    w[(*n)++] = (struct work){in, slot};
}

static void
decode_some(struct mime *m, struct mime_reading *r, unsigned first,
            struct span in)
{
    struct work w[MIME_STREAMS + 1];
    unsigned n = 0;

    w[n++] = (struct work){in, first};
    while (n > 0) {
        struct work now = w[--n];
        struct mime_stream *s = &m->streams[now.slot];

        push(m, s, &now.in);
        if (s->d.fork != DECODE_FORK_NONE)
            settle_fork(m, r, w, &n, now.slot, now.in);
    }
}

/* After a gap the groups of base64 are found again at a line. */
static struct span
resync(struct mime_stream *s, struct span in)
{
    size_t n = span_find(in, '\n');

    if (n == in.n)
        return SPAN_NONE;
    s->resync = false;
    if (s->d.kind == DECODE_BASE64) {
        uint32_t odd = s->d.odd;

        decode_init(&s->d, DECODE_BASE64);
        s->d.odd = odd;
    }
    return span_tail(in, n + 1);
}

static void
stream_data(struct mime *m, struct mime_reading *r, unsigned slot,
            struct span in)
{
    struct mime_stream *s = &m->streams[slot];

    if (s->d.kind == DECODE_IDENTITY) {
        m->o.ops->part_data(s->part, in);
        return;
    }
    if (s->resync)
        in = resync(s, in);
    if (in.n > 0)
        decode_some(m, r, slot, in);
}

static void
all_data(struct mime *m, struct mime_reading *r, struct span in)
{
    unsigned left = r->streams;

    for (; in.n > 0 && left != 0; left &= left - 1)
        stream_data(m, r, (unsigned)__builtin_ctz(left), in);
}

/* The line end at the end of s, or what is there of one. */
static uint8_t
held_end(struct span s)
{
    uint8_t last = span_at(s, s.n - 1);

    if (last == '\r')
        return MIME_EOL_CR;
    if (last != '\n')
        return MIME_EOL_NONE;
    return s.n > 1 && span_at(s, s.n - 2) == '\r' ? MIME_EOL_CRLF : MIME_EOL_LF;
}

void
mime_leaf_data(struct mime *m, struct mime_reading *r, struct span s)
{
    if (s.n == 0 || r->streams == 0)
        return;
    if (r->eol == MIME_EOL_CR && s.n == 1 && span_at(s, 0) == '\n') {
        r->eol = MIME_EOL_CRLF;
        return;
    }
    all_data(m, r, eol_bytes(r->eol));
    r->eol = held_end(s);
    all_data(m, r, span_head(s, s.n - eol_bytes(r->eol).n));
}

void
mime_leaf_uu(struct mime *m, struct mime_reading *r, struct span head)
{
    struct span name = span_tail(head, 6);
    struct mime_part p = {
        .decode = DECODE_UU,
        .reading = r->number,
        .type = SPAN_LIT("application/octet-stream"),
        .disposition = MIME_ATTACHMENT,
        .uu = true,
    };
    unsigned left = r->streams;
    unsigned before;

    all_data(m, r, eol_bytes(r->eol));
    r->eol = MIME_EOL_NONE;
    for (; left != 0; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctz(left);

        if (m->streams[slot].uu)
            end_stream(m, r, slot, m->at, false);
    }
    before = r->streams;
    name = mime_trim(span_tail(name, span_find(name, ' ')));
    p.names[0] = (struct mime_name){name, name};
    p.n_names = name.n > 0;
    mime_note(m, r, MIME_ODD_UU);
    if (!begin_part(m, r, &p))
        return;
    left = r->streams & ~before;
    decode_some(m, r, (unsigned)__builtin_ctz(left), head);
    decode_some(m, r, (unsigned)__builtin_ctz(left), SPAN_LIT("\n"));
}

void
mime_leaf_gap(struct mime *m, struct mime_reading *r, uint64_t lost)
{
    unsigned left = r->streams;

    all_data(m, r, eol_bytes(r->eol));
    r->eol = MIME_EOL_NONE;
    for (; left != 0; left &= left - 1) {
        struct mime_stream *s = &m->streams[__builtin_ctz(left)];

        s->lost += lost;
        s->resync = s->d.kind != DECODE_IDENTITY;
        m->o.ops->part_gap(s->part, lost);
    }
}

void
mime_leaf_end(struct mime *m, struct mime_reading *r, bool delimiter, bool cut)
{
    uint64_t at = m->at;
    unsigned left;

    if (delimiter)
        at -= eol_bytes(r->eol).n;
    else
        all_data(m, r, eol_bytes(r->eol));
    r->eol = MIME_EOL_NONE;
    for (left = r->streams; left != 0; left &= left - 1)
        end_stream(m, r, (unsigned)__builtin_ctz(left), at, cut);
    r->uu = false;
}

void
mime_leaf_fork(struct mime *m, const struct mime_reading *from,
               struct mime_reading *to)
{
    unsigned left = from->streams;

    for (; left != 0; left &= left - 1)
        (void)fork_stream(m, to, &m->streams[__builtin_ctz(left)]);
}

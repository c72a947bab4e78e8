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

    if (free == 0 || m->root->n_open == MIME_STREAMS) {
        mime_note(m, NULL, MIME_ODD_READINGS_CUT);
        return MIME_STREAMS;
    }
    return (unsigned)__builtin_ctz(free);
}

static void
take_slot(struct mime *m, struct mime_reading *r, unsigned slot)
{
    m->root->n_open++;
    m->used = (uint8_t)(m->used | 1U << slot);
    r->streams = (uint8_t)(r->streams | 1U << slot);
}

static bool
is_text(struct span type)
{
    return span_starts(type, SPAN_LIT("text/")) ||
           span_starts(type, SPAN_LIT("message/"));
}

static bool
is_message(struct span type)
{
    return span_eq(type, SPAN_LIT("message/rfc822")) ||
           span_eq(type, SPAN_LIT("message/global"));
}

static bool
may_be_binary(const struct mime_part *p)
{
    return !is_text(p->type) &&
           (p->decode == DECODE_IDENTITY || p->decode == DECODE_QP);
}

/* Asks for a part; false when it is not wanted or there are too many. */
static bool
begin_part(struct mime *m, struct mime_reading *r, struct mime_part *p)
{
    unsigned slot;
    void *part;

    m->n_first += p->reading == 0;
    if (m->n_parts >= MIME_MAX_parts) {
        mime_note(m, r, MIME_ODD_TOO_MANY_PARTS);
        m->n_more++;
        return false;
    }
    if (!have_streams(m))
        return false;
    slot = free_slot(m);
    if (slot == MIME_STREAMS)
        return false;
    p->number = m->n_parts++;
    p->parent = r->scope;
    p->depth = r->n_levels;
    p->offset = m->body;
    p->odd = r->odd | r->leaf_odd;
    m->odd |= p->odd;
    part = m->o.ops->part_begin(m->o.ctx, p);
    if (part == NULL)
        return false;
    m->streams[slot] = (struct mime_stream){
        .part = part,
        .odd = p->odd,
        .offset = m->body,
        .uu = p->uu,
        .text = is_text(p->type),
        .guess = r->guess,
        .breaks = may_be_binary(p) ? MIME_BREAKS_OPEN : MIME_BREAKS_KEPT,
    };
    decode_init(&m->streams[slot].d, (enum decode_kind)p->decode);
    take_slot(m, r, slot);
    if (p->decode != DECODE_IDENTITY && is_message(p->type))
        m->streams[slot].inner = mime_inner_new(m, r);
    return true;
}

static uint8_t
next_number(struct mime *m)
{
    if (m->next_number < UINT8_MAX)
        m->next_number++;
    return m->next_number;
}

struct mime_part
mime_leaf_of(const struct mime *m, const struct mime_reading *r)
{
    const struct mime_entity *e = &m->entity;
    struct mime_part p = {
        .parent = r->scope,
        .depth = r->n_levels,
        .reading = r->number,
        .offset = m->body,
        .odd = r->odd | r->leaf_odd,
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
    return p;
}

void
mime_leaf_begin(struct mime *m, struct mime_reading *r)
{
    const struct mime_entity *e = &m->entity;
    struct mime_part p = mime_leaf_of(m, r);

    r->eol = MIME_EOL_NONE;
    r->guess = e->n_kinds > 1;
    r->uu = e->n_kinds == 1 && e->kinds[0] == DECODE_IDENTITY &&
            span_starts(e->type, SPAN_LIT("text/"));
    for (unsigned i = 0; i < e->n_kinds; i++) {
        p.decode = e->kinds[i];
        p.reading = i == 0 ? r->number : next_number(m);
        (void)begin_part(m, r, &p);
    }
}

/* ---- bytes ---- */

/* Are there control bytes that no text has? */
static bool
is_binary(struct span s)
{
    static const uint32_t fine =
        0x1fU << '\t' | 0x1fU << 0x1b; /* to CR, ESC and later */

    return span_find_control(s, fine) < s.n;
}

static void
give(struct mime *m, struct mime_stream *s, struct span out)
{
    if (s->breaks == MIME_BREAKS_OPEN && !s->binary)
        s->binary = is_binary(out);
    m->o.ops->part_data(s->part, out);
    if (s->inner != NULL)
        mime_data(s->inner->m, out);
}

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
        give(m, s, span_of(room, n));
    mime_inner_end(s->inner, !cut);
    end.decode_odd = s->d.odd;
    m->o.ops->part_end(s->part, &end);
    m->root->n_open--;
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
    m->streams[slot].inner = NULL;
    take_slot(m, r, slot);
    return slot;
}

/* ---- bytes through the decoders ---- */

/* Decodes until the bytes are used up or there are two ways. */
static void
push(struct mime *m, struct mime_stream *s, struct span *in)
{
    uint8_t room[ROOM_BYTES];

    if (s->d.kind == DECODE_IDENTITY) {
        give(m, s, *in);
        *in = SPAN_NONE;
    }
    while (in->n > 0 && s->d.fork == DECODE_FORK_NONE) {
        size_t n = decode_push(&s->d, in, room, sizeof(room));

        if (n > 0)
            give(m, s, span_of(room, n));
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

/* Index of the first line end that is of the content, or in.n: in
 * quoted-printable a '=' before it makes it none. */
static size_t
first_break(const struct mime_stream *s, struct span in, uint8_t *last)
{
    size_t at = 0;

    *last = s->last;
    while (at < in.n) {
        size_t end = at + span_find(span_tail(in, at), '\n');
        size_t i = end;

        while (i > at && mime_is_blank(span_at(in, i - 1)))
            i--;
        if (i > at)
            *last = span_at(in, i - 1);
        if (end == in.n)
            break;
        if (*last != '=' || s->d.kind != DECODE_QP)
            return end > 0 && span_at(in, end - 1) == '\r' ? end - 1 : end;
        *last = '\n';
        at = end + 1;
    }
    return in.n;
}

/* What may go to the decoder at once; 0: a line end is next, and it is not
 * settled what becomes of it. */
static size_t
piece_length(const struct mime_stream *s, struct span in)
{
    uint8_t last;

    switch ((enum mime_breaks)s->breaks) {
    case MIME_BREAKS_KEPT: break;
    case MIME_BREAKS_OPEN: return first_break(s, in, &last);
    case MIME_BREAKS_UNIX: return span_search(in, SPAN_LIT("\r\n"));
    }
    return in.n;
}

/* Bytes on their way into a stream. */
struct item {
    struct span in;
    struct mime_reading *r;
    uint32_t key; /* order of readings and streams */
    uint8_t slot;
    bool stopped; /* where there are two ways */
};

struct feed {
    struct item at[MIME_STREAMS];
    unsigned n;
};

/* Up to a fork or the end of the bytes. */
static void
advance(struct mime *m, struct item *it)
{
    struct mime_stream *s = &m->streams[it->slot];

    it->stopped = false;
    if (s->resync)
        it->in = resync(s, it->in);
    while (it->in.n > 0 && !it->stopped) {
        struct span piece;
        size_t n;

        if (s->breaks == MIME_BREAKS_UNIX &&
            span_starts(it->in, SPAN_LIT("\r\n")))
            it->in = span_tail(it->in, 1);
        n = piece_length(s, it->in);
        piece = span_head(it->in, n);
        if (n > 0)
            push(m, s, &piece);
        n -= piece.n;
        if (s->breaks == MIME_BREAKS_OPEN)
            (void)first_break(s, span_head(it->in, n), &s->last);
        it->in = span_tail(it->in, n);
        it->stopped = n == 0 || s->d.fork != DECODE_FORK_NONE;
    }
}

/* A second stream behind s for the same bytes; NULL when it cannot be. */
static struct mime_stream *
fork_item(struct mime *m, struct feed *f, const struct item *it)
{
    unsigned slot = fork_stream(m, it->r, &m->streams[it->slot]);

    if (slot == MIME_STREAMS)
        return NULL;
    f->at[f->n] = *it;
    f->at[f->n].slot = (uint8_t)slot;
    f->at[f->n].key = it->key - it->slot + slot;
    f->n++;
    return &m->streams[slot];
}

/* Text that says quoted-printable and is not is common, and read alike. Where
 * the encoding is a guess, the guess is what is followed. */
static bool
is_of_no_matter(const struct mime_stream *s)
{
    return s->guess || s->inner != NULL ||
           (s->text && s->d.fork == DECODE_FORK_ESCAPE);
}

static void
note_stream(struct mime *m, struct mime_stream *s, enum mime_odd o)
{
    s->odd |= UINT64_C(1) << o;
    m->odd |= UINT64_C(1) << o;
}

static void
settle_decoding(struct mime *m, struct feed *f, const struct item *it)
{
    struct mime_stream *s = &m->streams[it->slot];
    unsigned n = decode_choices((enum decode_fork)s->d.fork);

    if (is_of_no_matter(s))
        n = 1;
    if (n > 1)
        note_stream(m, s, MIME_ODD_DECODING);
    for (unsigned i = 1; i < n; i++) {
        struct mime_stream *other = fork_item(m, f, it);

        if (other == NULL)
            break;
        decode_choose(&other->d, i);
    }
    decode_choose(&s->d, 0);
}

/* Binary data with line ends as they are: some keep the CRLF of the wire, to
 * others, whose files have LF, the data had LF. RFC 2045 2.9 forbids it. */
static void
settle_break(struct mime *m, struct feed *f, const struct item *it)
{
    struct mime_stream *s = &m->streams[it->slot];
    struct mime_stream *other;

    s->breaks = MIME_BREAKS_KEPT;
    if (!s->binary || span_at(it->in, 0) != '\r')
        return;
    note_stream(m, s, MIME_ODD_LINE_ENDS);
    other = fork_item(m, f, it);
    if (other != NULL)
        other->breaks = MIME_BREAKS_UNIX;
}

/* The stopped item that is settled first: the earliest byte, so that it does
 * not depend on cuts which of them get the streams that are left. */
static struct item *
earliest(struct feed *f)
{
    struct item *best = NULL;

    for (unsigned i = 0; i < f->n; i++) {
        struct item *it = &f->at[i];

        if (it->stopped && (best == NULL || it->in.n > best->in.n ||
                            (it->in.n == best->in.n && it->key < best->key)))
            best = it;
    }
    return best;
}

static void
feed_all(struct mime *m, struct feed *f)
{
    struct item *it;

    for (unsigned i = 0; i < f->n; i++)
        advance(m, &f->at[i]);
    for (it = earliest(f); it != NULL; it = earliest(f)) {
        unsigned n = f->n;

        if (m->streams[it->slot].d.fork != DECODE_FORK_NONE)
            settle_decoding(m, f, it);
        else
            settle_break(m, f, it);
        advance(m, it);
        for (; n < f->n; n++)
            advance(m, &f->at[n]);
    }
}

static void
add_item(struct feed *f, struct mime_reading *r, unsigned order, unsigned slot,
         struct span in)
{
    f->at[f->n++] = (struct item){.in = in,
                                  .r = r,
                                  .slot = (uint8_t)slot,
                                  .key = order * MIME_STREAMS + slot};
}

static void
add_items(struct feed *f, struct mime_reading *r, unsigned order,
          struct span in)
{
    unsigned left = r->streams;

    for (; in.n > 0 && left != 0; left &= left - 1)
        add_item(f, r, order, (unsigned)__builtin_ctz(left), in);
}

static void
all_data(struct mime *m, struct mime_reading *r, struct span in)
{
    struct feed f;

    f.n = 0;
    add_items(&f, r, 0, in);
    feed_all(m, &f);
}

static void
feed_one(struct mime *m, struct mime_reading *r, unsigned slot, struct span in)
{
    struct feed f;

    f.n = 0;
    add_item(&f, r, 0, slot, in);
    feed_all(m, &f);
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

/* The held line end is of the content, unless s makes a whole one of it; what
 * is left of s. */
static struct span
complete_end(struct mime_reading *r, struct span s, struct span *end)
{
    *end = SPAN_NONE;
    if (s.n == 0)
        return s;
    if (r->eol == MIME_EOL_CR && span_at(s, 0) == '\n') {
        r->eol = MIME_EOL_CRLF;
        s = span_tail(s, 1);
    }
    if (s.n > 0) {
        *end = eol_bytes(r->eol);
        r->eol = held_end(s);
        s.n -= eol_bytes(r->eol).n;
    }
    return s;
}

void
mime_leaf_data(struct mime *m, struct mime_reading *r, struct span s)
{
    struct span end;

    if (r->streams == 0)
        return;
    s = complete_end(r, s, &end);
    all_data(m, r, end);
    all_data(m, r, s);
}

void
mime_leaves_run(struct mime *m, struct span s)
{
    struct span left[MIME_READINGS];
    struct feed f;

    f.n = 0;
    for (unsigned i = 0; i < m->n_readings; i++) {
        struct mime_reading *r = m->readings[i];
        struct span end;

        left[i] = SPAN_NONE;
        if (r->streams == 0)
            continue;
        left[i] = complete_end(r, s, &end);
        add_items(&f, r, i, end);
    }
    feed_all(m, &f);
    f.n = 0;
    for (unsigned i = 0; i < m->n_readings; i++)
        add_items(&f, m->readings[i], i, left[i]);
    feed_all(m, &f);
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
    feed_one(m, r, (unsigned)__builtin_ctz(left), head);
    feed_one(m, r, (unsigned)__builtin_ctz(left), SPAN_LIT("\n"));
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
        if (s->inner != NULL)
            mime_gap(s->inner->m, lost);
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

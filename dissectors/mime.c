#include "dissectors/mime_reading.h"

/* What is looked at of a line that may be a delimiter. */
#define HOT_MAX (MIME_MAX_boundary + 64U)

static const struct {
    const char *name;
    bool fork;
} odds[MIME_ODD_COUNT] = {
#define ODD(id, name, fork, doc) {(name), (fork)},
#include "dissectors/mime.def"
};

_Static_assert(MIME_ODD_COUNT <= 64, "a bit each");

enum err
mime_new(const struct mime_options *o, struct mem *mem, struct mime **out)
{
    struct mime *m = mem_new(mem, sizeof(*m));

    if (m == NULL)
        return ERR_NOMEM;
    m->o = *o;
    m->mem = mem;
    m->root = m;
    m->scan = mime_scan_best();
    m->before = '\n';
    m->by_line = true;
    mime_entity_init(&m->entity);
    if (!mime_readings_first(m)) {
        mime_free(m);
        return ERR_NOMEM;
    }
    *out = m;
    return ERR_OK;
}

void
mime_free(struct mime *m)
{
    struct mem *mem;

    if (m == NULL)
        return;
    mem = m->mem;
    for (unsigned i = 0; i < m->n_readings; i++) {
        if (m->readings[i]->state == MIME_IN_LEAF)
            mime_leaf_end(m, m->readings[i], false, true);
    }
    mime_readings_free(m);
    mem_free(mem, m->streams, MIME_STREAMS * sizeof(struct mime_stream));
    vec_free(&m->carry, mem);
    mime_entity_free(&m->entity);
    mem_free(mem, m, sizeof(*m));
}

/* What the readings look for next. */
static void
look_again(struct mime *m)
{
    if (m->changed)
        mime_readings_merge(m);
    m->by_line = m->uu = false;
    for (unsigned i = 0; i < m->n_readings; i++) {
        const struct mime_reading *r = m->readings[i];

        m->by_line = m->by_line || r->state == MIME_IN_HEADER ||
                     r->want != MIME_WANT_NOTHING || r->shadow;
        m->uu = m->uu || (r->uu && r->state == MIME_IN_LEAF);
    }
}

static void
give_line(struct mime *m, struct span line)
{
    unsigned n = m->n_readings;

    /* A reading that is made here has had the line already. */
    for (unsigned i = 0; i < n; i++)
        mime_reading_line(m, m->readings[i], line, m->hard);
    m->at += line.n;
    m->before = span_at(line, line.n - 1);
    look_again(m);
}

/* Bytes in which no line that matters begins: all for the leaves. */
static size_t
give_run(struct mime *m, struct span run)
{
    mime_leaves_run(m, run);
    m->at += run.n;
    m->before = span_at(run, run.n - 1);
    return run.n;
}

/* Up to and with the LF, at most limit bytes; 0: it is not all there. */
static size_t
line_length(struct span s, size_t limit)
{
    size_t n = span_find(span_head(s, limit), '\n');

    if (n < s.n && n < limit)
        return n + 1;
    return s.n >= limit ? limit : 0;
}

static size_t
limit_of(const struct mime *m)
{
    return m->by_line && m->hard ? MIME_MAX_header : HOT_MAX;
}

/* Makes the carried line whole; gives what was used of in. */
static size_t
carry_on(struct mime *m, struct span in)
{
    size_t limit = limit_of(m) - m->carry.n;
    size_t n = line_length(in, limit);
    size_t take = n > 0 ? n : in.n;

    if (!vec_put(&m->carry, m->mem, in.p, take)) {
        /* What can be kept of a line is all of it then. */
        mime_note(m, NULL, MIME_ODD_NO_MEMORY);
        give_line(m, vec_view(&m->carry));
        m->carry.n = 0;
        return 0;
    }
    if (n > 0) {
        struct vec line = m->carry;

        m->carry = (struct vec){0};
        give_line(m, vec_view(&line));
        line.n = 0;
        m->carry = line;
    }
    return take;
}

/* A line begins at in; gives what was used. */
static size_t
take_line(struct mime *m, struct span in)
{
    size_t n = line_length(in, limit_of(m));

    if (n > 0) {
        give_line(m, span_head(in, n));
        return n;
    }
    if (!vec_put(&m->carry, m->mem, in.p, in.n)) {
        mime_note(m, NULL, MIME_ODD_NO_MEMORY);
        give_line(m, in);
    }
    return in.n;
}

/* One byte was carried, for the next one decides whether it is hot. When it is
 * not it is no line of its own. */
static bool
drop_carry(struct mime *m, struct span in)
{
    uint8_t two[2] = {m->carry.p[0], span_at(in, 0)};
    uint8_t one = two[0];

    if (m->carry.n != 1 || (m->hard && m->by_line) ||
        m->scan(span_of(two, 2), m->before, m->uu) == 0)
        return false;
    m->carry.n = 0;
    (void)give_run(m, span_of(&one, 1));
    return true;
}

static size_t
step(struct mime *m, struct span in)
{
    size_t n;

    if (m->carry.n > 0)
        return drop_carry(m, in) ? 0 : carry_on(m, in);
    m->hard = m->before == '\n';
    if (m->hard && m->by_line)
        return take_line(m, in);
    if (m->by_line)
        in = span_head(in, span_find(in, '\n') + 1);
    n = m->scan(in, m->before, m->uu);
    if (n == 0)
        return take_line(m, in);
    return give_run(m, span_head(in, n));
}

void
mime_data(struct mime *m, struct span in)
{
    while (in.n > 0)
        in = span_tail(in, step(m, in));
}

static void
flush_carry(struct mime *m, bool as_line)
{
    struct vec line = m->carry;

    if (line.n == 0)
        return;
    m->carry = (struct vec){0};
    if (as_line)
        give_line(m, vec_view(&line));
    else
        mime_leaves_run(m, vec_view(&line));
    m->at += as_line ? 0 : line.n;
    vec_free(&line, m->mem);
}

void
mime_gap(struct mime *m, uint64_t lost)
{
    flush_carry(m, false);
    for (unsigned i = 0; i < m->n_readings; i++)
        mime_reading_gap(m, m->readings[i], lost);
    m->at += lost;
    m->before = 0;
    look_again(m);
}

void
mime_end(struct mime *m, bool complete)
{
    flush_carry(m, true);
    for (unsigned i = 0; i < m->n_readings; i++)
        mime_reading_end(m, m->readings[i], complete);
    mime_readings_free(m);
}

uint64_t
mime_odds(const struct mime *m)
{
    return m->odd;
}

uint32_t
mime_parts(const struct mime *m)
{
    return m->n_first;
}

uint32_t
mime_parts_more(const struct mime *m)
{
    return m->n_more;
}

const char *
mime_odd_name(enum mime_odd o)
{
    return odds[o].name;
}

bool
mime_odd_is_fork(enum mime_odd o)
{
    return odds[o].fork;
}

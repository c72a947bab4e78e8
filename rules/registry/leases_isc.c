#include "rules/registry/leases_entry.h"

#include <stdio.h>

/* dhcpd.leases(5): statements that end with ; or open a block. Blocks that we
 * do not know are counted through, so nothing nests. */

#define WORDS_MAX 6

struct token {
    struct span text; /* of a quoted one: between the quotes */
    bool quoted;
};

enum block { BLOCK_TOP, BLOCK_LEASE, BLOCK_IA, BLOCK_IAADDR, BLOCK_COUNT };

enum have { HAVE_START = 1, HAVE_END = 2, HAVE_CLTT = 4, HAVE_LIFE = 8 };

struct isc {
    struct leases_input *in;
    struct span rest;
    size_t line; /* where rest begins */
    struct token words[WORDS_MAX];
    size_t n_words;
    size_t word_line; /* of the first */
    bool said;        /* there is something beside comments */
    enum block block;
    uint64_t skip; /* open blocks within it that are passed over */
    /* the lease read now */
    struct leases_entry entry;
    ns_t cltt, life;
    unsigned have;
    size_t lease_line;
    const char *wrong;
    bool idle; /* free, backup: its holder may be known all the same */
    struct buf holder, client, name, duid;
};

/* ---- words ---- */

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip(struct isc *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p->line += span_at(p->rest, i) == '\n';
    p->rest = span_tail(p->rest, n);
}

static void
skip_blank(struct isc *p)
{
    while (p->rest.n > 0) {
        if (p->rest.p[0] == '#')
            skip(p, span_find(p->rest, '\n'));
        else if (is_space(p->rest.p[0]))
            skip(p, 1);
        else
            return;
    }
}

/* Length of a quoted text with both quotes; all of the rest without an end.
 * dhcpd writes a line end as \012: a plain one ends a text that was cut. */
static size_t
quoted_len(struct span s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"' || s.p[i] == '\n')
            return i + 1;
    }
    return s.n;
}

static size_t
word_len(struct span s)
{
    size_t n = 0;

    while (n < s.n && !is_space(s.p[n]) && memchr("{};=\"", s.p[n], 5) == NULL)
        n++;
    return n;
}

static void
take_word(struct isc *p)
{
    struct token t = {p->rest, span_at(p->rest, 0) == '"'};
    size_t n = t.quoted ? quoted_len(p->rest) : word_len(p->rest);

    if (n == 0) /* = */
        n = 1;
    t.text = span_head(p->rest, n);
    if (t.quoted)
        t.text = span_tail(span_head(t.text, n - 1), 1);
    if (p->n_words == 0)
        p->word_line = p->line;
    if (p->n_words < WORDS_MAX)
        p->words[p->n_words++] = t;
    skip(p, n);
}

static struct span
word(const struct isc *p, size_t i)
{
    return i < p->n_words ? p->words[i].text : SPAN_NONE;
}

/* ---- values ---- */

static unsigned
octal(struct span s, size_t n)
{
    unsigned v = 0;

    for (size_t i = 0; i < n; i++)
        v = v * 8 + (s.p[i] - '0');
    return v & 0xff;
}

static size_t
octal_len(struct span s)
{
    size_t n = 0;

    while (n < 3 && span_at(s, n) >= '0' && span_at(s, n) <= '7')
        n++;
    return n;
}

/* Bytes of a quoted text: \ooo, or \ before the character itself. */
static void
unescape(struct span s, struct buf *out)
{
    while (s.n > 0) {
        size_t n = 1;

        if (s.p[0] != '\\' || s.n == 1) {
            buf_putc(out, s.p[0]);
            s = span_tail(s, 1);
            continue;
        }
        s = span_tail(s, 1);
        if (octal_len(s) > 0) {
            n = octal_len(s);
            buf_putc(out, (uint8_t)octal(s, n));
        } else {
            buf_putc(out, s.p[0]);
        }
        s = span_tail(s, n);
    }
}

/* A client id: quoted bytes, or hexadecimal. */
static void
read_id(const struct token *t, size_t from, struct buf *out)
{
    struct buf bytes;

    buf_reset(out);
    if (!t->quoted) {
        if (!leases_hex_text(t->text, out))
            buf_reset(out);
        return;
    }
    buf_init(&bytes, LEASES_LINE_MAX);
    unescape(t->text, &bytes);
    leases_hex(span_tail(buf_view(&bytes), from), out);
    buf_free(&bytes);
}

/* "4 2026/11/22 10:55:18", "epoch 1795344918" or "never". */
static bool
read_time(const struct isc *p, ns_t *out)
{
    struct span day = word(p, 2), hour = word(p, 3);
    char text[24];
    int n;

    if (span_eq(word(p, 1), SPAN_LIT("never"))) {
        *out = LEASES_OPEN;
        return true;
    }
    if (span_eq(word(p, 1), SPAN_LIT("epoch")))
        return leases_seconds(day, out);
    if (p->n_words != 4 || day.n != 10 || hour.n != 8)
        return false;
    n = snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.8sZ",
                 (const char *)day.p, (const char *)day.p + 5,
                 (const char *)day.p + 8, (const char *)hour.p);
    return n > 0 && day.p[4] == '/' && day.p[7] == '/' &&
           ns_parse(span_of(text, (size_t)n), out);
}

/* ---- statements within a lease ---- */

static void
on_time(struct isc *p, enum have have, ns_t *at)
{
    if (!read_time(p, at))
        p->wrong = "a time is not of the form 4 2026/11/22 10:55:18";
    p->have |= have;
}

static void
on_starts(struct isc *p)
{
    on_time(p, HAVE_START, &p->entry.start);
}

static void
on_ends(struct isc *p)
{
    on_time(p, HAVE_END, &p->entry.end);
}

static void
on_cltt(struct isc *p)
{
    on_time(p, HAVE_CLTT, &p->cltt);
}

static void
on_life(struct isc *p)
{
    if (leases_seconds(word(p, 1), &p->life))
        p->have |= HAVE_LIFE;
}

static void
set_state(struct isc *p, struct span state)
{
    p->idle =
        span_eq(state, SPAN_LIT("free")) || span_eq(state, SPAN_LIT("backup"));
    if (span_eq(state, SPAN_LIT("abandoned")))
        p->entry.kind = LEASES_REFUSED;
}

static void
on_binding(struct isc *p)
{
    set_state(p, word(p, 2));
}

static void
on_abandoned(struct isc *p)
{
    set_state(p, word(p, 0));
}

static void
on_hardware(struct isc *p)
{
    buf_reset(&p->holder);
    if (!leases_hex_text(word(p, 2), &p->holder))
        buf_reset(&p->holder);
}

static void
on_uid(struct isc *p)
{
    if (p->n_words > 1)
        read_id(&p->words[1], 0, &p->client);
}

static void
on_name(struct isc *p)
{
    buf_reset(&p->name);
    unescape(word(p, 1), &p->name);
}

static const struct {
    const char *word;
    unsigned blocks; /* in which it is known */
    void (*run)(struct isc *p);
} statements[] = {
    {"starts",          1 << BLOCK_LEASE,                     on_starts   },
    {"ends",            1 << BLOCK_LEASE | 1 << BLOCK_IAADDR, on_ends     },
    {"cltt",            1 << BLOCK_IA,                        on_cltt     },
    {"max-life",        1 << BLOCK_IAADDR,                    on_life     },
    {"binding",         1 << BLOCK_LEASE | 1 << BLOCK_IAADDR, on_binding  },
    {"abandoned",       1 << BLOCK_LEASE,                     on_abandoned},
    {"hardware",        1 << BLOCK_LEASE,                     on_hardware },
    {"uid",             1 << BLOCK_LEASE,                     on_uid      },
    {"client-hostname", 1 << BLOCK_LEASE,                     on_name     },
};

static void
on_statement(struct isc *p)
{
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        if ((statements[i].blocks & 1U << p->block) != 0 &&
            span_eq(word(p, 0), span_str(statements[i].word))) {
            statements[i].run(p);
            return;
        }
    }
}

/* ---- blocks ---- */

static void
lease_begin(struct isc *p, enum block block)
{
    p->block = block;
    p->skip = 0;
    p->entry = (struct leases_entry){.kind = LEASES_HELD};
    p->have &= block == BLOCK_IAADDR ? HAVE_CLTT : 0;
    p->lease_line = p->word_line;
    p->idle = false;
    p->wrong = NULL;
    buf_reset(&p->holder);
    buf_reset(&p->client);
    buf_reset(&p->name);
    if (!addr_parse(word(p, 1), &p->entry.addr))
        p->wrong = "the lease is not of an address";
    p->in->understood = true;
}

static void
ia_begin(struct isc *p)
{
    p->block = BLOCK_IA;
    p->have = 0;
    buf_reset(&p->duid);
    if (p->n_words > 1)
        read_id(&p->words[1], 4, &p->duid); /* behind the IAID */
    p->in->understood = true;
}

/* IPv6 says when the client was heard last and how long that lasts. */
static void
find_start(struct isc *p)
{
    ns_t end = p->entry.end;

    if (p->block != BLOCK_IAADDR)
        return;
    if ((p->have & HAVE_CLTT) != 0)
        p->entry.start = p->cltt;
    else if ((p->have & HAVE_LIFE) != 0 && p->life <= end)
        p->entry.start = end - p->life;
    else
        return;
    p->have |= HAVE_START;
}

static const char *
fault_of(const struct isc *p)
{
    if (p->wrong != NULL)
        return p->wrong;
    if ((p->have & HAVE_START) == 0 || p->entry.start == LEASES_OPEN)
        return "the lease has no start";
    if (p->entry.kind == LEASES_REFUSED)
        return NULL;
    if ((p->have & HAVE_END) == 0)
        return "the lease has no end";
    return p->entry.end < p->entry.start ? "the lease ends before it begins"
                                         : NULL;
}

static struct span
holder_of(const struct isc *p)
{
    if (p->block == BLOCK_IAADDR)
        return buf_view(&p->duid);
    return buf_view(p->holder.n > 0 ? &p->holder : &p->client);
}

static void
lease_end(struct isc *p)
{
    struct leases_entry *e = &p->entry;
    const char *wrong;

    find_start(p);
    e->holder = holder_of(p);
    e->name = buf_view(&p->name);
    wrong = fault_of(p);
    /* An address that nobody ever had has no times. */
    if (p->idle && p->wrong == NULL && (e->holder.n == 0 || wrong != NULL))
        return;
    if (wrong != NULL)
        leases_fault(p->in, p->lease_line, SPAN_NONE, wrong);
    else
        (void)leases_add(p->in, e);
}

static bool
in_lease(const struct isc *p)
{
    return p->block == BLOCK_LEASE || p->block == BLOCK_IAADDR;
}

/* What begins a lease begins one wherever it stands: a block before it that
 * was never closed costs itself only. */
static bool
is_lease(const struct isc *p)
{
    struct addr a;

    return span_eq(word(p, 0), SPAN_LIT("lease")) && p->n_words == 2 &&
           (p->block == BLOCK_TOP || addr_parse(word(p, 1), &a));
}

static bool
is_ia(const struct isc *p)
{
    return span_eq(word(p, 0), SPAN_LIT("ia-na")) ||
           span_eq(word(p, 0), SPAN_LIT("ia-ta"));
}

static void
fault_open(struct isc *p)
{
    if (in_lease(p))
        leases_fault(p->in, p->lease_line, SPAN_NONE,
                     "the lease is not closed");
}

/* Of the statements at the top only those that every file has. */
static bool
is_known_top(const struct isc *p)
{
    static const char *const words[] = {"authoring-byte-order", "server-duid",
                                        "failover", "default-duid"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq(word(p, 0), span_str(words[i])))
            return true;
    }
    return false;
}

static void
on_open(struct isc *p)
{
    if (is_lease(p)) {
        fault_open(p);
        lease_begin(p, BLOCK_LEASE);
    } else if (is_ia(p)) {
        fault_open(p);
        p->skip = 0;
        ia_begin(p);
    } else if (p->block == BLOCK_IA && p->skip == 0 &&
               span_eq(word(p, 0), SPAN_LIT("iaaddr"))) {
        lease_begin(p, BLOCK_IAADDR);
    } else {
        p->in->understood |= p->block == BLOCK_TOP && is_known_top(p);
        p->skip++;
    }
}

static void
on_close(struct isc *p)
{
    static const enum block outer[BLOCK_COUNT] = {BLOCK_TOP, BLOCK_TOP,
                                                  BLOCK_TOP, BLOCK_IA};

    if (p->skip > 0) {
        p->skip--;
        return;
    }
    if (p->block == BLOCK_TOP) {
        leases_fault(p->in, p->line, SPAN_NONE, "a } closes nothing");
        return;
    }
    if (in_lease(p))
        lease_end(p);
    p->block = outer[p->block];
}

static void
on_end(struct isc *p)
{
    if (p->block == BLOCK_TOP && p->skip == 0 && is_known_top(p))
        p->in->understood = true;
    if (p->skip == 0)
        on_statement(p);
}

static void
step(struct isc *p)
{
    p->said = true;
    switch (p->rest.p[0]) {
    case '{': on_open(p); break;
    case '}': on_close(p); break;
    case ';': on_end(p); break;
    default: take_word(p); return;
    }
    p->n_words = 0;
    skip(p, 1);
}

void
leases_isc_read(struct leases_input *in)
{
    struct isc p = {.in = in, .rest = in->text, .line = 1};
    struct buf *rooms[] = {&p.holder, &p.client, &p.name, &p.duid};

    for (size_t i = 0; i < ARRAY_LEN(rooms); i++)
        buf_init(rooms[i], LEASES_LINE_MAX);
    for (skip_blank(&p); p.rest.n > 0 && in->err == ERR_OK; skip_blank(&p))
        step(&p);
    fault_open(&p);
    in->understood |= !p.said; /* comments alone */
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++)
        buf_free(rooms[i]);
}

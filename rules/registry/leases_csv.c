#include "rules/registry/leases_entry.h"

#define COLUMNS_MAX 64

/* X(id, name in our head or NULL, name in Kea's) */
#define COLUMNS(X)                                                             \
    X(ADDRESS, "address", "address")                                           \
    X(START, "start", NULL)                                                    \
    X(END, "end", NULL)                                                        \
    X(HARDWARE, "hardware", "hwaddr")                                          \
    X(CLIENT, NULL, "client_id")                                               \
    X(DUID, NULL, "duid")                                                      \
    X(NAME, "name", "hostname")                                                \
    X(LIFETIME, NULL, "valid_lifetime")                                        \
    X(EXPIRE, NULL, "expire")                                                  \
    X(TYPE, NULL, "lease_type")                                                \
    X(STATE, NULL, "state")

enum column {
#define COLUMN_ENUM(id, own, kea) COLUMN_##id,
    COLUMNS(COLUMN_ENUM)
#undef COLUMN_ENUM
        COLUMN_COUNT
};

static const struct {
    const char *own, *kea;
} columns[COLUMN_COUNT] = {
#define COLUMN_ROW(id, own, kea) {own, kea},
    COLUMNS(COLUMN_ROW)
#undef COLUMN_ROW
};

/* Where each column stands; COLUMNS_MAX: nowhere. */
struct head {
    size_t at[COLUMN_COUNT];
    bool kea;
};

struct record {
    struct span field[COLUMNS_MAX]; /* their text in room */
    size_t n;
    struct buf room;
};

/* ---- lines and fields ---- */

static struct span
next_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_head(*rest, end);

    *rest = span_tail(*rest, end + 1);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* One field, RFC 4180; Kea quotes nothing and writes a comma as &#x2c. */
static void
read_field(struct span *line, bool kea, struct buf *room)
{
    bool quoted = !kea && span_at(*line, 0) == '"';
    size_t at = quoted ? 1 : 0;

    for (; at < line->n; at++) {
        struct span rest = span_tail(*line, at);

        if (quoted && span_starts(rest, SPAN_LIT("\"\"")))
            at++;
        else if (quoted && rest.p[0] == '"') {
            quoted = false;
            continue;
        } else if (!quoted && rest.p[0] == ',')
            break;
        if (kea && span_starts(rest, SPAN_LIT("&#x2c"))) {
            buf_putc(room, ',');
            at += 4;
        } else {
            buf_putc(room, rest.p[0]);
        }
    }
    *line = span_tail(*line, at);
}

static void
read_record(struct span line, bool kea, struct record *r)
{
    size_t ends[COLUMNS_MAX];
    size_t from = 0;

    buf_reset(&r->room);
    for (r->n = 0; r->n < COLUMNS_MAX; line = span_tail(line, 1)) {
        read_field(&line, kea, &r->room);
        ends[r->n++] = r->room.n;
        if (line.n == 0)
            break;
    }
    for (size_t i = 0; i < r->n; i++) {
        r->field[i] = span_trim(
            span_head(span_tail(buf_view(&r->room), from), ends[i] - from));
        from = ends[i];
    }
}

static struct span
field(const struct record *r, const struct head *h, enum column c)
{
    return h->at[c] < r->n ? r->field[h->at[c]] : SPAN_NONE;
}

/* ---- the head ---- */

static size_t
find(const struct record *r, const char *name)
{
    size_t i = 0;

    if (name == NULL)
        return COLUMNS_MAX;
    while (i < r->n && !span_eq_nocase(r->field[i], span_str(name)))
        i++;
    return i < r->n ? i : COLUMNS_MAX;
}

static bool
has(const struct head *h, enum column c)
{
    return h->at[c] < COLUMNS_MAX;
}

static bool
read_head(const struct record *r, struct head *h)
{
    h->kea = find(r, "valid_lifetime") < COLUMNS_MAX;
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        h->at[c] = find(r, h->kea ? columns[c].kea : columns[c].own);
    return has(h, COLUMN_ADDRESS) &&
           has(h, h->kea ? COLUMN_EXPIRE : COLUMN_START);
}

bool
leases_csv_is(struct span text)
{
    struct span line = span_head(next_line(&text), LEASES_LINE_MAX);
    struct record r;
    struct head h;
    bool is;

    buf_init(&r.room, LEASES_LINE_MAX);
    read_record(line, false, &r);
    is = read_head(&r, &h);
    buf_free(&r.room);
    return is;
}

/* ---- rows ---- */

/* What is wrong, or NULL. */
static const char *
read_own_times(const struct record *r, const struct head *h,
               struct leases_entry *e)
{
    struct span start = field(r, h, COLUMN_START);
    struct span end = field(r, h, COLUMN_END);

    if (!leases_seconds(start, &e->start) && !ns_parse(start, &e->start))
        return "has no start, a time such as 2026-11-22T10:55:18Z";
    if (end.n == 0 || span_eq_nocase(end, SPAN_LIT("never")))
        e->end = LEASES_OPEN;
    else if (!leases_seconds(end, &e->end) && !ns_parse(end, &e->end))
        return "has an end that is no time";
    return e->end <= e->start ? "ends before it begins" : NULL;
}

static const char *
read_kea_times(const struct record *r, const struct head *h,
               struct leases_entry *e)
{
    ns_t lifetime;

    if (!leases_seconds(field(r, h, COLUMN_LIFETIME), &lifetime) ||
        !leases_seconds(field(r, h, COLUMN_EXPIRE), &e->end))
        return "has no valid_lifetime and expire in seconds";
    /* Of a lease without end some versions add the lifetime, some do not. */
    e->start = lifetime <= e->end ? e->end - lifetime : e->end;
    if (lifetime == UINT32_MAX * NS_PER_S)
        e->end = LEASES_OPEN;
    else if (lifetime > e->end)
        return "lasts longer than since 1970";
    else if (lifetime == 0)
        e->kind = LEASES_BACK;
    return NULL;
}

/* The first of these that says something. */
static void
read_holder(const struct record *r, const struct head *h, struct buf *out)
{
    static const enum column which[] = {COLUMN_HARDWARE, COLUMN_CLIENT,
                                        COLUMN_DUID};

    for (size_t i = 0; i < ARRAY_LEN(which) && out->n == 0; i++) {
        struct span text = field(r, h, which[i]);

        if (text.n > 0 && !leases_hex_text(text, out))
            buf_reset(out);
    }
}

static bool
is_prefix(const struct record *r, const struct head *h)
{
    /* Kea's lease6 types: IA_NA 0, IA_TA 1, IA_PD 2. */
    return h->kea && span_eq(field(r, h, COLUMN_TYPE), SPAN_LIT("2"));
}

/* False when reading must end. */
static bool
read_row(struct leases_input *in, const struct record *r, const struct head *h,
         size_t line, struct buf *holder)
{
    struct leases_entry e = {.kind = LEASES_HELD};
    struct span address = field(r, h, COLUMN_ADDRESS);
    const char *wrong;

    if (is_prefix(r, h))
        return true;
    if (!addr_parse(address, &e.addr)) {
        leases_fault(in, line, address, "is not an address");
        return true;
    }
    wrong = h->kea ? read_kea_times(r, h, &e) : read_own_times(r, h, &e);
    if (wrong != NULL) {
        leases_fault(in, line, address, wrong);
        return true;
    }
    if (h->kea && span_eq(field(r, h, COLUMN_STATE), SPAN_LIT("1")))
        e.kind = LEASES_REFUSED;
    buf_reset(holder);
    read_holder(r, h, holder);
    e.holder = buf_view(holder);
    e.name = field(r, h, COLUMN_NAME);
    return leases_add(in, &e);
}

void
leases_csv_read(struct leases_input *in)
{
    struct span rest = in->text;
    struct head h = {.kea = false};
    struct record r;
    struct buf holder;
    bool go = true;

    buf_init(&r.room, LEASES_LINE_MAX);
    buf_init(&holder, LEASES_LINE_MAX);
    for (size_t n = 1; rest.n > 0 && go; n++) {
        struct span line = next_line(&rest);
        struct head again;

        if (span_trim(line).n == 0)
            continue;
        if (line.n > LEASES_LINE_MAX) {
            leases_fault(in, n, SPAN_NONE, "the line is too long");
            continue;
        }
        read_record(line, h.kea, &r);
        /* A head within: several files in one. */
        if (span_eq_nocase(r.field[0], SPAN_LIT("address")) || n == 1) {
            if (read_head(&r, &again))
                h = again;
            in->understood = true;
            continue;
        }
        go = read_row(in, &r, &h, n, &holder);
    }
    buf_free(&holder);
    buf_free(&r.room);
}

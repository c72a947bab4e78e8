#include "rules/alert/subject.h"

#define LEASE_WORD " lease "

/* Where each end of an event stands. */
static const struct {
    enum field ip, lease;
    const char *away; /* the direction in which this end alone is outside */
} ends[] = {
    [SUBJECT_CLIENT] = {FIELD_SRC_IP,  FIELD_SRC_HOST_LEASE,  "inbound" },
    [SUBJECT_SERVER] = {FIELD_DEST_IP, FIELD_DEST_HOST_LEASE, "outbound"},
};

static bool
is_home(const struct record_map *m, enum subject_end end)
{
    if (record_head_of(m->record).type == EVENT_HOST)
        return record_map_bool(m, FIELD_HOST_HOME);
    return !record_map_is(m, FIELD_DIRECTION, ends[end].away) &&
           !record_map_is(m, FIELD_DIRECTION, "external");
}

/* DESIGN 4: an outside IPv6 client may use a new address for each mail. */
static void
fold(struct subject *s)
{
    s->prefix.bits = 128;
    if (s->home || addr_is_v4(&s->prefix.addr))
        return;
    s->prefix.bits = 64;
    memset(s->prefix.addr.b + 8, 0, 8);
}

static void
set_lease(struct subject *s, struct span lease)
{
    if (lease.n == 0 || lease.n >= sizeof(s->lease))
        return;
    memcpy(s->lease, lease.p, lease.n);
}

struct subject
subject_of(const struct record_map *event, enum subject_end end)
{
    struct subject s = {0};

    if (!record_map_addr(event, ends[end].ip, &s.prefix.addr))
        return s;
    s.known = 1;
    s.home = is_home(event, end);
    fold(&s);
    set_lease(&s, record_map_find(event, ends[end].lease));
    return s;
}

struct subject
subject_of_group(const struct record_map *event, struct span address,
                 enum subject_end *end)
{
    struct subject s = {0};
    struct addr want, has;

    *end = SUBJECT_CLIENT;
    if (!addr_parse(address, &want))
        return s;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        *end = (enum subject_end)i;
        if (record_map_addr(event, ends[i].ip, &has) &&
            addr_cmp(&has, &want) == 0)
            return subject_of(event, *end);
    }
    *end = SUBJECT_CLIENT;
    s.known = s.home = 1;
    s.prefix = (struct prefix){.addr = want, .bits = 128};
    return s;
}

void
subject_text(const struct subject *s, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    if (!s->known) {
        buf_str(out, "unknown");
        return;
    }
    if (s->prefix.bits < 128)
        prefix_format(&s->prefix, out);
    else
        buf_put(out, text, addr_format(&s->prefix.addr, text));
    if (s->lease[0] == '\0')
        return;
    buf_str(out, LEASE_WORD);
    buf_str(out, s->lease);
}

bool
subject_parse(struct span text, struct subject *out)
{
    size_t at = span_search(text, SPAN_LIT(LEASE_WORD));
    struct span lease = span_tail(text, at + sizeof(LEASE_WORD) - 1);

    *out = (struct subject){0};
    if (!prefix_parse(span_head(text, at), &out->prefix) ||
        lease.n >= sizeof(out->lease))
        return false;
    out->known = 1;
    set_lease(out, lease);
    return true;
}

#include "dissectors/protocol.h"

#include <stdlib.h>

/* The library's headers do not pass our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <ndpi_api.h>
#pragma GCC diagnostic pop

#define HEADERS     40U /* IPv4 and TCP, without options */
#define CLIENT_PORT 40000U
#define SERVER_PORT 40001U /* a port that stands for nothing */
#define SEQ         1000U
#define PACKETS     16U /* that nDPI is given at most */
#define FLAG_SYN    0x02U
#define FLAG_PSH    0x08U
#define FLAG_ACK    0x10U

struct protocol {
    struct ndpi_detection_module_struct *module;
};

struct talk {
    struct protocol *p;
    struct ndpi_flow_struct *flow;
    uint32_t next[2]; /* sequence numbers of client and server */
    uint64_t ms;
    ndpi_protocol found;
};

static const struct {
    uint16_t id;
    const char *name;
} names[] = {
#define X(id, name) {NDPI_PROTOCOL_##id, name},
#include "dissectors/protocol.def"
#undef X
};

static void
set16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void
set32(uint8_t *at, uint32_t v)
{
    set16(at, v >> 16);
    set16(at + 2, v & 0xffff);
}

/* 192.0.2.1 and .2, RFC 5737; checksums are not looked at. */
static size_t
make_packet(uint8_t *out, const struct talk *t, bool server, uint8_t flags,
            struct span payload)
{
    memset(out, 0, HEADERS);
    out[0] = 0x45;
    set16(out + 2, (uint32_t)(HEADERS + payload.n));
    out[8] = 64;
    out[9] = 6;
    set32(out + 12, 0xc0000200U + (server ? 2 : 1));
    set32(out + 16, 0xc0000200U + (server ? 1 : 2));
    set16(out + 20, server ? SERVER_PORT : CLIENT_PORT);
    set16(out + 22, server ? CLIENT_PORT : SERVER_PORT);
    set32(out + 24, t->next[server]);
    set32(out + 28, (flags & FLAG_ACK) != 0 ? t->next[!server] : 0);
    out[32] = 5 << 4;
    out[33] = flags;
    set16(out + 34, 65535);
    if (payload.n > 0)
        memcpy(out + HEADERS, payload.p, payload.n);
    return HEADERS + payload.n;
}

static void
say(struct talk *t, bool server, uint8_t flags, struct span payload)
{
    uint8_t packet[HEADERS + PROTOCOL_BYTES];
    const size_t n = make_packet(packet, t, server, flags, payload);

    t->found = ndpi_detection_process_packet(t->p->module, t->flow, packet,
                                             (unsigned short)n, ++t->ms);
    t->next[server] += (uint32_t)payload.n + ((flags & FLAG_SYN) != 0);
}

static const char *
name_of(const ndpi_protocol *found)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (found->app_protocol == names[i].id ||
            found->master_protocol == names[i].id)
            return names[i].name;
    }
    return NULL;
}

/* The first line, or what there is. */
static struct span
take_line(struct span *s)
{
    const size_t end = span_find(*s, '\n');
    const struct span line = span_head(*s, end < s->n ? end + 1 : s->n);

    *s = span_tail(*s, line.n);
    return line;
}

/* A line of each in turn, the server first: as such protocols go. */
static void
converse(struct talk *t, struct span c2s, struct span s2c)
{
    say(t, false, FLAG_SYN, SPAN_NONE);
    say(t, true, FLAG_SYN | FLAG_ACK, SPAN_NONE);
    say(t, false, FLAG_ACK, SPAN_NONE);
    for (unsigned i = 0; i < PACKETS && name_of(&t->found) == NULL; i++) {
        const bool server = i % 2 == 0;
        const struct span line = take_line(server ? &s2c : &c2s);

        if (line.n > 0)
            say(t, server, FLAG_PSH | FLAG_ACK, line);
    }
}

static const char *
ask(struct protocol *p, struct span c2s, struct span s2c)
{
    struct talk t = {
        .p = p, .next = {SEQ, SEQ}
    };
    uint8_t guessed = 0;

    t.flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
    if (t.flow == NULL)
        return NULL;
    memset(t.flow, 0, SIZEOF_FLOW_STRUCT);
    converse(&t, c2s, s2c);
    if (name_of(&t.found) == NULL)
        t.found = ndpi_detection_giveup(p->module, t.flow, 0, &guessed);
    memset(&t.flow->l4, 0, sizeof(t.flow->l4));
    ndpi_free_flow(t.flow);
    return name_of(&t.found);
}

/* "GET /x HTTP/1.1" or "HTTP/1.1 400 Bad Request" */
static bool
is_http(struct span c2s, struct span s2c)
{
    const struct span line = span_head(c2s, span_find(c2s, '\n'));

    return span_starts(s2c, SPAN_LIT("HTTP/")) ||
           span_contains_nocase(line, SPAN_LIT(" HTTP/1."));
}

const char *
protocol_name(struct protocol *p, struct span c2s, struct span s2c)
{
    c2s = span_head(c2s, PROTOCOL_BYTES);
    s2c = span_head(s2c, PROTOCOL_BYTES);
    if (is_http(c2s, s2c))
        return "http";
    return p != NULL ? ask(p, c2s, s2c) : NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* the library's macros */
static void
switch_on(NDPI_PROTOCOL_BITMASK *all)
{
    NDPI_BITMASK_RESET(*all);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        NDPI_SET(all, names[i].id);
}
#pragma GCC diagnostic pop

enum err
protocol_new(struct protocol **out)
{
    struct protocol *p = calloc(1, sizeof(*p));
    NDPI_PROTOCOL_BITMASK all;

    if (p == NULL)
        return ERR_NOMEM;
    p->module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts |
                                           ndpi_dont_init_libgcrypt);
    if (p->module == NULL) {
        free(p);
        return ERR_NOMEM;
    }
    switch_on(&all);
    ndpi_set_protocol_detection_bitmask2(p->module, &all);
    ndpi_finalize_initialization(p->module);
    *out = p;
    return ERR_OK;
}

void
protocol_free(struct protocol *p)
{
    if (p == NULL)
        return;
    ndpi_exit_detection_module(p->module);
    free(p);
}

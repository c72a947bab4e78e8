#include "dissectors/ndpi_lines.h"

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
#define FLAG_PSH    0x08U
#define FLAG_ACK    0x10U

struct ndpi_lines {
    struct ndpi_detection_module_struct *module;
};

struct ndpi_talk {
    struct ndpi_lines *n;
    uint32_t next[2]; /* sequence numbers of client and server */
    uint64_t ms;
    enum ndpi_look look;
    ndpi_protocol found;
    struct ndpi_flow_struct flow;
};

static const struct {
    uint16_t id;
    enum ndpi_look look;
    const char *name;
} names[] = {
#define X(id, look, name) {NDPI_PROTOCOL_##id, NDPI_LOOK_##look, name},
#include "dissectors/protocol.def"
#undef X
};

/* ---- packets ---- */

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
make_packet(uint8_t *out, const struct ndpi_talk *t, bool server,
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
    set32(out + 28, t->next[!server]);
    out[32] = 5 << 4;
    out[33] = FLAG_PSH | FLAG_ACK;
    set16(out + 34, 65535);
    if (payload.n > 0)
        memcpy(out + HEADERS, payload.p, payload.n);
    return HEADERS + payload.n;
}

void
ndpi_talk_say(struct ndpi_talk *t, bool server, struct span line)
{
    uint8_t packet[HEADERS + NDPI_LINES_MAX];
    const struct span payload = span_head(line, NDPI_LINES_MAX);
    const size_t n = make_packet(packet, t, server, payload);

    t->found = ndpi_detection_process_packet(t->n->module, &t->flow, packet,
                                             (unsigned short)n, ++t->ms);
    explicit_bzero(packet, n);
    if (t->look == NDPI_LOOK_SMTP)
        explicit_bzero(&t->flow.l4.tcp.ftp_imap_pop_smtp,
                       sizeof(t->flow.l4.tcp.ftp_imap_pop_smtp));
    t->next[server] += (uint32_t)payload.n;
}

/* ---- what was found ---- */

void
ndpi_talk_end(struct ndpi_talk *t)
{
    uint8_t guessed = 0;

    if (ndpi_talk_name(t) == NULL)
        t->found = ndpi_detection_giveup(t->n->module, &t->flow, 0, &guessed);
}

const char *
ndpi_talk_name(const struct ndpi_talk *t)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].look == t->look &&
            (t->found.app_protocol == names[i].id ||
             t->found.master_protocol == names[i].id))
            return names[i].name;
    }
    return NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* the library's macros */
#pragma GCC diagnostic ignored "-Wsign-conversion"

bool
ndpi_talk_is_open(const struct ndpi_talk *t)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].look == t->look &&
            NDPI_ISSET(&t->flow.excluded_protocol_bitmask, names[i].id) == 0)
            return ndpi_talk_name(t) == NULL;
    }
    return false;
}

static void
rule_out(struct ndpi_talk *t)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].look != t->look)
            NDPI_SET(&t->flow.excluded_protocol_bitmask, names[i].id);
    }
}

static void
switch_on(NDPI_PROTOCOL_BITMASK *all)
{
    NDPI_BITMASK_RESET(*all);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        NDPI_SET(all, names[i].id);
}
#pragma GCC diagnostic pop

/* ---- life ---- */

struct ndpi_talk *
ndpi_talk_new(struct ndpi_lines *n, enum ndpi_look look, struct mem *m)
{
    struct ndpi_talk *t = mem_new(m, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->n = n;
    t->look = look;
    t->next[0] = t->next[1] = SEQ;
    rule_out(t);
    return t;
}

void
ndpi_talk_free(struct ndpi_talk *t, struct mem *m)
{
    if (t == NULL)
        return;
    ndpi_free_flow_data(&t->flow);
    explicit_bzero(&t->flow, sizeof(t->flow));
    mem_free(m, t, sizeof(*t));
}

enum err
ndpi_lines_new(struct ndpi_lines **out)
{
    struct ndpi_lines *n = calloc(1, sizeof(*n));
    NDPI_PROTOCOL_BITMASK all;

    if (n == NULL)
        return ERR_NOMEM;
    n->module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts |
                                           ndpi_dont_init_libgcrypt);
    if (n->module == NULL) {
        free(n);
        return ERR_NOMEM;
    }
    switch_on(&all);
    ndpi_set_protocol_detection_bitmask2(n->module, &all);
    ndpi_finalize_initialization(n->module);
    *out = n;
    return ERR_OK;
}

void
ndpi_lines_free(struct ndpi_lines *n)
{
    if (n == NULL)
        return;
    ndpi_exit_detection_module(n->module);
    free(n);
}

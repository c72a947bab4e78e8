/* odd_ports - who finds SMTP on ports that are not listed, and at what cost
 *
 *     odd_ports [--only WHO [--talk WHY] [--rounds N]] [--flows] [FILE...]
 *
 * No port is listed here, so every connection is judged by its first bytes
 * alone. Five judges side by side:
 *
 *   own      the first line of either side (smtp.c), and nobody else
 *   deep     that and our own reader of the first lines, without nDPI: the
 *            sensor with capture.ask_ndpi off
 *   lines    nDPI on lines, confirmed, and nobody else (smtp_suspect.h)
 *   both     any of these: the sensor with capture.ask_ndpi
 *   packets  nDPI alone on the first 16 packets as they come, unconfirmed, as
 *            its own examples use it
 *
 * Without FILE the conversations of odd_ports.def are played in several ways,
 * a table is printed, and the test is that `both` finds what their rows say.
 * With FILE the connections of captures are judged; --flows prints each of them
 * (FILE, two ends, a letter for each judge that found it: o d l b p). --only
 * and
 * --rounds are for callgrind. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/smtp.h"
#include "sensor/base/buf.h"
#include "sensor/base/hash.h"
#include "sensor/capture/capture.h"
#include "sensor/net/net.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <ndpi_api.h>

static void
smtp_alone(NDPI_PROTOCOL_BITMASK *all)
{
    NDPI_BITMASK_RESET(*all);
    NDPI_SET(all, NDPI_PROTOCOL_MAIL_SMTP);
}
#pragma GCC diagnostic pop

#define FLOWS      (1U << 13)
#define ROUNDS_MAX 40U /* of conversations: they fit into FLOWS */
#define PACKETS    16U /* that nDPI is given */
#define FRAME      65535U

enum who { OWN, DEEP, LINES, BOTH, PACKETS_ONLY, N_WHO };
static const char *const whos[] = {"own", "deep", "lines", "both", "packets"};
static const char letters[] = "odlbp";

/* A connection, whoever its client is. */
struct seen {
    struct addr a, b;
    uint16_t a_port, b_port;
    bool used, payload, found[N_WHO];
    unsigned n;
    struct ndpi_flow_struct *flow;
};

/* Made once: it takes longer than most captures. */
struct libraries {
    struct ndpi_lines *lines;
    struct ndpi_detection_module_struct *packets;
};

struct judge {
    enum who who;
    const struct libraries *lib;
    struct net *net;
    struct smtp_ctx *smtp;
    struct seen *seen; /* FLOWS, of all judges */
    struct stream_ops ops;
    struct smtp_suspects alone; /* of LINES */
    struct mem mem;
    uint64_t memory; /* the most that connections took */
    uint64_t packets;
    uint8_t frame[40 + FRAME];
};

/* ---- connections ---- */

static bool
is_before(const struct addr *a, uint16_t ap, const struct addr *b, uint16_t bp)
{
    const int c = memcmp(a, b, sizeof(*a));

    return c != 0 ? c < 0 : ap < bp;
}

static struct seen *
seen_of(struct seen *all, const struct addr *s, uint16_t sp,
        const struct addr *d, uint16_t dp)
{
    const bool turned = !is_before(s, sp, d, dp);
    const struct addr *a = turned ? d : s;
    const struct addr *b = turned ? s : d;
    const uint16_t ap = turned ? dp : sp;
    const uint16_t bp = turned ? sp : dp;
    const uint64_t h = hash_span(span_of(a, sizeof(*a)), ap) ^
                       hash_span(span_of(b, sizeof(*b)), bp + 65536U);

    for (size_t i = 0; i < FLOWS; i++) {
        struct seen *e = &all[(h + i) % FLOWS];

        if (!e->used)
            *e = (struct seen){
                .a = *a, .b = *b, .a_port = ap, .b_port = bp, .used = true};
        if (e->a_port == ap && e->b_port == bp &&
            memcmp(&e->a, a, sizeof(*a)) == 0 &&
            memcmp(&e->b, b, sizeof(*b)) == 0)
            return e;
    }
    REQUIRE(false); /* more connections than there is room for */
    return NULL;
}

/* ---- nDPI on packets ---- */

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

/* The packet without what was around it and without options; the ends of an
 * IPv6 connection stand for themselves in fewer bits. */
static size_t
plain_packet(struct judge *j, const struct decoded *p)
{
    const size_t n = p->payload.n < FRAME - 40 ? p->payload.n : FRAME - 40;
    uint8_t *out = j->frame;

    memset(out, 0, 40);
    out[0] = 0x45;
    set16(out + 2, (uint32_t)(40 + n));
    out[8] = 64;
    out[9] = 6;
    set32(out + 12, (uint32_t)hash_span(span_of(&p->src, sizeof(p->src)), 1));
    set32(out + 16, (uint32_t)hash_span(span_of(&p->dst, sizeof(p->dst)), 1));
    set16(out + 20, p->sport);
    set16(out + 22, p->dport);
    set32(out + 24, p->seq);
    set32(out + 28, p->ack);
    out[32] = 5 << 4;
    out[33] = p->flags;
    set16(out + 34, p->window);
    if (n > 0)
        memcpy(out + 40, p->payload.p, n);
    return 40 + n;
}

static void
give_packet(struct judge *j, struct seen *e, const struct decoded *p)
{
    ndpi_protocol found;
    const size_t n = plain_packet(j, p);

    if (e->flow == NULL) {
        e->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
        REQUIRE(e->flow != NULL);
        memset(e->flow, 0, SIZEOF_FLOW_STRUCT);
    }
    found = ndpi_detection_process_packet(j->lib->packets, e->flow, j->frame,
                                          (unsigned short)n, e->n);
    e->found[PACKETS_ONLY] |= found.app_protocol == NDPI_PROTOCOL_MAIL_SMTP ||
                              found.master_protocol == NDPI_PROTOCOL_MAIL_SMTP;
    if (e->n < PACKETS && !e->found[PACKETS_ONLY])
        return;
    ndpi_free_flow(e->flow);
    e->flow = NULL;
    e->n = PACKETS + 1;
}

/* Of each segment, and for all judges. */
static bool
on_segment(void *ctx, const struct decoded *p)
{
    struct judge *j = ctx;
    struct seen *e = seen_of(j->seen, &p->src, p->sport, &p->dst, p->dport);

    j->packets++;
    e->payload |= p->payload.n > 0;
    if (j->who == PACKETS_ONLY && ++e->n <= PACKETS)
        give_packet(j, e, p);
    return j->who != PACKETS_ONLY;
}

/* ---- the sensor's judges ---- */

static int
says_no(struct span c2s, struct span s2c, size_t skip[2])
{
    (void)c2s, (void)s2c;
    skip[0] = skip[1] = 0;
    return -1;
}

/* nDPI alone: our own reader only confirms. */
static int
on_second(void *ctx, const struct flow *f, void **state, struct span c2s,
          struct span s2c)
{
    struct judge *j = ctx;

    return smtp_suspect_ask(&j->alone, f, state, c2s, s2c, &j->mem);
}

static void
on_second_end(void *ctx, const struct flow *f, void **state)
{
    struct judge *j = ctx;

    smtp_suspect_end(&j->alone, f, state, &j->mem);
}

static void *
on_open(void *ctx, struct flow *f, ns_t when)
{
    struct judge *j = ctx;

    return smtp_ops.open(j->smtp, f, when);
}

static void
on_attempt(void *ctx, struct flow *f, bool refused, bool answered, ns_t when)
{
    struct judge *j = ctx;

    smtp_ops.attempt(j->smtp, f, refused, answered, when);
}

static void
ask_ndpi_alone(struct judge *j)
{
    j->ops.probe = says_no;
    j->ops.open = on_open;
    j->ops.attempt = on_attempt;
    j->ops.second = on_second;
    j->ops.second_end = on_second_end;
    j->mem.max = UINT64_C(1) << 32;
    j->alone.evidence = UINT_MAX;
    j->alone.ndpi = j->lib->lines;
}

static void
on_record(void *ctx, struct span record)
{
    (void)ctx, (void)record;
}

/* Who looks on marks what was opened. */
static void
describe(void *ctx, const struct flow *f, struct record_out *r)
{
    struct judge *j = ctx;

    (void)r;
    seen_of(j->seen, &f->client, f->client_port, &f->server, f->server_port)
        ->found[j->who] = true;
}

static struct libraries
libraries_new(void)
{
    NDPI_PROTOCOL_BITMASK all;
    struct libraries l = {0};

    REQUIRE(ndpi_lines_new(&l.lines) == ERR_OK);
    l.packets = ndpi_init_detection_module(ndpi_dont_load_tor_hosts |
                                           ndpi_dont_init_libgcrypt);
    REQUIRE(l.packets != NULL);
    smtp_alone(&all);
    ndpi_set_protocol_detection_bitmask2(l.packets, &all);
    ndpi_finalize_initialization(l.packets);
    return l;
}

static void
libraries_free(const struct libraries *l)
{
    ndpi_lines_free(l->lines);
    ndpi_exit_detection_module(l->packets);
}

static void
judge_begin(struct judge *j, enum who who, struct seen *seen,
            const struct libraries *lib)
{
    static const uint16_t none[1] = {0};
    const struct smtp_options so = {
        .sink = {on_record, j},
        .memory_max = UINT64_C(1) << 32,
        .ask_ndpi = who == BOTH,
        .describe = describe,
        .describe_ctx = j,
    };
    struct net_options no = {
        .n_workers = 1,
        .ports = none,
        .memory_max = UINT64_C(1) << 32,
        .flows_max = FLOWS,
        .ops = &j->ops,
        .is_mine = on_segment,
        .mine_ctx = j,
    };

    *j = (struct judge){.who = who, .lib = lib, .seen = seen, .ops = smtp_ops};
    if (who == LINES)
        ask_ndpi_alone(j);
    if (who == OWN)
        j->ops.second = NULL;
    REQUIRE(smtp_new(&so, &j->smtp) == ERR_OK);
    no.ops_ctx = who == LINES ? (void *)j : j->smtp;
    REQUIRE(net_new(&no, &j->net) == ERR_OK);
}

static void
note_memory(struct judge *j)
{
    const uint64_t now =
        smtp_memory(j->smtp) + j->mem.used + net_stats(j->net)->memory_bytes;

    if (now > j->memory)
        j->memory = now;
}

static void
judge_end(struct judge *j)
{
    note_memory(j);
    (void)net_finish(j->net, NULL, NULL);
    net_free(j->net);
    smtp_free(j->smtp);
    for (size_t i = 0; i < FLOWS; i++) {
        if (j->seen[i].flow != NULL)
            ndpi_free_flow(j->seen[i].flow);
        j->seen[i].flow = NULL;
    }
}

/* ---- captures ---- */

static void
read_file(struct judge *j, const char *file)
{
    const struct capture_options o = {0};
    struct capture *c = NULL;
    struct buf message;
    struct packet p;

    buf_init(&message, 1024);
    if (capture_open(&file, 1, &o, &c, &message) != ERR_OK) {
        fprintf(stderr, "%.*s\n", (int)message.n, (const char *)message.p);
        exit(1);
    }
    while (capture_next(c, &p) == CAPTURE_PACKET)
        (void)net_packet(j->net, &p);
    capture_close(c);
    buf_free(&message);
}

static void
print_end(const struct addr *a, uint16_t port)
{
    char text[ADDR_TEXT_MAX];

    printf(" %.*s %u", (int)addr_format(a, text), text, port);
}

static void
print_found(const struct seen *e)
{
    printf(" ");
    for (unsigned w = 0; w < N_WHO; w++)
        printf("%c", e->found[w] ? letters[w] : '-');
}

static void
print_flows(const struct seen *all, const char *file)
{
    for (size_t i = 0; i < FLOWS; i++) {
        const struct seen *e = &all[i];

        if (!e->used || !e->payload)
            continue;
        printf("%s", file);
        print_end(&e->a, e->a_port);
        print_end(&e->b, e->b_port);
        print_found(e);
        printf("\n");
    }
}

static void
print_counts(const unsigned *found)
{
    for (unsigned w = 0; w < N_WHO; w++)
        printf(" %7u", found[w]);
}

static void
print_heading(const char *of)
{
    printf("%6s", of);
    for (unsigned w = 0; w < N_WHO; w++)
        printf(" %7s", whos[w]);
    printf("\n");
}

static void
print_sums(const struct seen *all, const char *file)
{
    unsigned n = 0;
    unsigned found[N_WHO] = {0};

    for (size_t i = 0; i < FLOWS; i++) {
        n += all[i].used && all[i].payload;
        for (unsigned w = 0; w < N_WHO; w++)
            found[w] += all[i].used && all[i].found[w];
    }
    printf("%6u", n);
    print_counts(found);
    printf("  %s\n", file);
}

static void
judge_file(const char *file, int only, bool flows, const struct libraries *lib)
{
    struct seen *seen = calloc(FLOWS, sizeof(*seen));
    struct judge *j = calloc(1, sizeof(*j));

    REQUIRE(seen != NULL && j != NULL);
    for (unsigned w = 0; w < N_WHO; w++) {
        if (only >= 0 && w != (unsigned)only)
            continue;
        judge_begin(j, (enum who)w, seen, lib);
        read_file(j, file);
        if (only >= 0)
            printf("%s: %llu TCP packets, %llu bytes at the end\n", whos[w],
                   (unsigned long long)j->packets,
                   (unsigned long long)j->memory);
        judge_end(j);
    }
    if (flows)
        print_flows(seen, file);
    else
        print_sums(seen, file);
    free(j);
    free(seen);
}

/* ---- conversations ---- */

struct line {
    char from; /* C, S, or T: seconds pass */
    const char *text;
    unsigned n;
};

#define LINES_MAX 24
#define C(text)                                                                \
    {                                                                          \
        'C', text, sizeof(text) - 1                                            \
    }
#define S(text)                                                                \
    {                                                                          \
        'S', text, sizeof(text) - 1                                            \
    }
#define T(seconds)                                                             \
    {                                                                          \
        'T', "", seconds                                                       \
    }

/* missed: ways (below) in which `both` does not find it. */
static const struct talk {
    const char *why;
    bool is_smtp;
    const char *missed;
    struct line line[LINES_MAX];
} talks[] = {
#define X(why, is_smtp, missed, ...) {why, is_smtp, missed, {__VA_ARGS__}},
#include "tests/odd_ports.def"
#undef X
};

/* Ways to see it. */
enum way { WHOLE, BYTES, CLIENT, SERVER, MIDDLE, N_WAY };
static const char way_letters[] = "wbcsm";
static const char *const way_names[] = {
    "whole", "a byte per segment", "client's side only", "server's side only",
    "without its first four segments"};

#define MIDDLE_FROM 4U

struct player {
    struct judge *j;
    ns_t now;
    uint32_t next[2];
    uint16_t id;
    uint16_t port; /* of the client: one for each talk and way */
    uint8_t round; /* in its address */
};

static void
send_one(struct player *p, enum dir d, unsigned flags, struct span data)
{
    const uint8_t ends[2][4] = {
        {10,  1, 0, p->round},
        {192, 0, 2, 25      }
    };
    struct decoded s = {
        .kind = PACKET_TCP,
        .src = addr_v4(ends[d]),
        .dst = addr_v4(ends[dir_other(d)]),
        .ttl = 64,
        .proto = 6,
        .ip_id = ++p->id,
        .sport = d == DIR_C2S ? p->port : 2526,
        .dport = d == DIR_C2S ? 2526 : p->port,
        .seq = p->next[d],
        .ack = p->next[dir_other(d)],
        .window = 65535,
        .flags = (uint8_t)flags,
        .payload = data,
        .payload_len = (uint32_t)data.n,
    };

    p->now += 10 * NS_PER_MS;
    (void)net_segment(p->j->net, &s, 0, (uint32_t)data.n + 54, p->now);
    p->next[d] += (uint32_t)data.n + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

static void
send_text(struct player *p, enum dir d, enum way w, struct span text)
{
    const size_t step = w == BYTES ? 1 : text.n;
    const bool shown =
        !((w == CLIENT && d == DIR_S2C) || (w == SERVER && d == DIR_C2S));

    for (size_t at = 0; at < text.n; at += step) {
        if (shown)
            send_one(p, d, TCP_ACK, span_head(span_tail(text, at), step));
        else
            p->next[d] += (uint32_t)step;
    }
}

static void
shake_hands(struct player *p, enum way w)
{
    p->next[DIR_C2S] = 1000;
    p->next[DIR_S2C] = 5000;
    if (w == MIDDLE)
        return;
    if (w != SERVER)
        send_one(p, DIR_C2S, TCP_SYN, SPAN_NONE);
    else
        p->next[DIR_C2S]++;
    if (w != CLIENT)
        send_one(p, DIR_S2C, TCP_SYN | TCP_ACK, SPAN_NONE);
    else
        p->next[DIR_S2C]++;
    if (w != SERVER)
        send_one(p, DIR_C2S, TCP_ACK, SPAN_NONE);
}

static void
play(struct player *p, const struct talk *t, enum way w)
{
    unsigned skip = w == MIDDLE ? MIDDLE_FROM : 0;

    shake_hands(p, w);
    for (const struct line *l = t->line; l->from != 0; l++) {
        const enum dir d = l->from == 'C' ? DIR_C2S : DIR_S2C;
        const struct span text = span_of(l->text, l->n);

        if (l->from == 'T')
            p->now += l->n * NS_PER_S;
        else if (skip > 0 && skip-- > 0)
            p->next[d] += l->n;
        else
            send_text(p, d, w, text);
    }
    note_memory(p->j);
}

static bool
is_played(const struct talk *t, enum way w)
{
    unsigned n = 0;

    for (const struct line *l = t->line; l->from != 0; l++)
        n += l->from != 'T';
    return w != MIDDLE || n > MIDDLE_FROM;
}

static uint16_t
port_of(size_t talk, enum way w)
{
    return (uint16_t)(20000 + talk * N_WAY + (size_t)w);
}

static void
play_all(struct judge *j, uint8_t round)
{
    struct player p = {
        .j = j, .now = (1700000000 + round * 1000U) * NS_PER_S, .round = round};

    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        for (unsigned w = 0; w < N_WAY; w++) {
            p.port = port_of(i, (enum way)w);
            if (is_played(&talks[i], (enum way)w))
                play(&p, &talks[i], (enum way)w);
        }
    }
}

/* For callgrind: one of them, whole, in n connections. */
static void
play_talk(struct judge *j, const char *why, unsigned n)
{
    struct player p = {.j = j, .now = 1700000000 * NS_PER_S};

    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        for (unsigned k = 0; strcmp(talks[i].why, why) == 0 && k < n; k++) {
            p.port = (uint16_t)(1024 + k);
            play(&p, &talks[i], WHOLE);
        }
    }
}

/* ---- the table ---- */

struct score {
    unsigned n[2][N_WAY], found[2][N_WAY][N_WHO]; /* [is SMTP] */
    unsigned failed;
};

static const struct seen *
seen_in(struct seen *all, size_t talk, enum way w)
{
    static const uint8_t ends[2][4] = {
        {10,  1, 0, 0 },
        {192, 0, 2, 25}
    };
    const struct addr c = addr_v4(ends[0]);
    const struct addr s = addr_v4(ends[1]);

    return seen_of(all, &c, port_of(talk, w), &s, 2526);
}

static void
score_one(struct score *sc, struct seen *all, size_t i, enum way w)
{
    const struct talk *t = &talks[i];
    const struct seen *e = seen_in(all, i, w);
    const bool want = t->is_smtp == (strchr(t->missed, way_letters[w]) == NULL);

    sc->n[t->is_smtp][w]++;
    for (unsigned who = 0; who < N_WHO; who++)
        sc->found[t->is_smtp][w][who] += e->found[who];
    print_found(e);
    if (e->found[BOTH] == want && e->found[BOTH] >= e->found[OWN])
        return;
    printf("!");
    sc->failed++;
}

static void
print_talks(struct score *sc, struct seen *all)
{
    printf("o own, d deep, l nDPI on lines, b both, p nDPI on packets\n"
           "whole bytes client server mid-session\n");
    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        for (unsigned w = 0; w < N_WAY; w++) {
            if (is_played(&talks[i], (enum way)w))
                score_one(sc, all, i, (enum way)w);
            else
                printf("      ");
        }
        printf("  %s: %s\n", talks[i].is_smtp ? "SMTP" : "not", talks[i].why);
    }
}

static void
print_score(const struct score *sc)
{
    for (unsigned is = 2; is-- > 0;) {
        printf("%s\n", is ? "SMTP, found by" : "not SMTP, taken for it by");
        print_heading("of");
        for (unsigned w = 0; w < N_WAY; w++) {
            printf("%6u", sc->n[is][w]);
            print_counts(sc->found[is][w]);
            printf("  %s\n", way_names[w]);
        }
    }
}

static int
judge_talks(int only, const char *talk, unsigned rounds,
            const struct libraries *lib)
{
    struct seen *seen = calloc(FLOWS, sizeof(*seen));
    struct judge *j = calloc(1, sizeof(*j));
    struct score sc = {0};

    REQUIRE(seen != NULL && j != NULL);
    for (unsigned w = 0; w < N_WHO; w++) {
        if (only >= 0 && w != (unsigned)only)
            continue;
        judge_begin(j, (enum who)w, seen, lib);
        if (talk != NULL)
            play_talk(j, talk, rounds);
        for (unsigned i = 0; talk == NULL && i < rounds && i < ROUNDS_MAX; i++)
            play_all(j, (uint8_t)i);
        if (only >= 0)
            printf("%s: %llu packets, at most %llu bytes\n", whos[w],
                   (unsigned long long)j->packets,
                   (unsigned long long)j->memory);
        judge_end(j);
    }
    if (only < 0) {
        print_talks(&sc, seen);
        print_score(&sc);
    }
    free(j);
    free(seen);
    printf("%u failed\n", sc.failed);
    return sc.failed > 0;
}

/* ---- the command line ---- */

static int
who_of(const char *name)
{
    for (int i = 0; i < N_WHO; i++) {
        if (strcmp(name, whos[i]) == 0)
            return i;
    }
    fprintf(stderr, "nobody is called %s\n", name);
    exit(2);
}

int
main(int argc, char **argv)
{
    const char *talk = NULL;
    unsigned rounds = 1;
    struct libraries lib;
    bool flows = false;
    int failed = 0;
    int only = -1;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--flows") == 0)
            flows = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = who_of(argv[++i]);
        else if (strcmp(argv[i], "--talk") == 0 && i + 1 < argc)
            talk = argv[++i];
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            return 2;
    }
    lib = libraries_new();
    if (i == argc)
        failed = judge_talks(only, talk, rounds, &lib);
    else if (!flows)
        print_heading("of");
    for (; i < argc; i++)
        judge_file(argv[i], only, flows, &lib);
    libraries_free(&lib);
    return failed;
}

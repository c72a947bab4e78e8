/* make_captures - write the captures that tools/bench measures with
 *
 *     make_captures KIND OUT [--size N] [--seed S] [SOURCE...]
 *
 * Writes a classic pcap (microseconds, Ethernet) of TCP sessions that carry
 * SMTP. The same kind, size, seed and sources give the same bytes. Sequence
 * numbers, lengths and checksums are right, no segment is missing or doubled
 * (but for what the sources of "mix" hold). On standard output: one line of
 * key=value with what was written; bytes are captured bytes, without the 16
 * bytes of each record's header.
 *
 * "mix" replays the SMTP sessions found in SOURCE files (classic pcap), each
 * replica with addresses, client port, sequence numbers and times of its own.
 * A session is taken when it starts with its handshake, has payload both ways
 * and no hole. Segments left large by offload are cut as a wire would have
 * carried them.
 *
 * "bot" is a small capture of six hosts at home, planned visit by visit, from
 * which tests/fixtures/bot.pcap.gz is made; bot.md there says who they are.
 *
 * Every kind goes the same way: a session is a list of timed TCP segments; a
 * player keeps n_slots of them open at once, gives each its own addresses, and
 * writes their segments in time order. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MTU = 1500,
    RECORD_MAX = 16 + 14 + MTU,
    OUT_BUFFER = 1 << 20,
    GAP_MAX_US = 2000000, /* a source's longer pauses are cut to this */
    N_CLIENTS = 1000,     /* few enough that idle1k already has all of them */
    N_SERVERS = 800,
    N_INSIDE_SERVERS = 8,
    LINE_RAW = 57, /* bytes in a base64 line of 76 columns */
    ATTACHMENT_MIN = 50000,
    ATTACHMENT_MAX = 5000000,
    ATTACHMENT_OCTAVES = 7, /* 50 KB doubled 7 times reaches past 5 MB */
};

enum from { CLIENT, SERVER };
enum tcp_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static const uint64_t start_us = UINT64_C(1767600000) * 1000000;

struct rng {
    uint64_t state;
};

struct buf {
    uint8_t *p;
    size_t n, cap;
};

struct seg {
    uint64_t at_us; /* since the session's first segment */
    size_t offset;  /* in the session's bytes: TCP header and payload */
    uint16_t n;
    uint8_t from;
};

struct session {
    struct seg *segs;
    size_t n_segs, cap_segs;
    struct buf bytes;
    uint64_t frame_bytes;
    unsigned n_messages;
    bool is_ipv6;
};

static void die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("make_captures: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void *
grow(void *p, size_t n, size_t size)
{
    if (n > SIZE_MAX / size)
        die("out of memory");
    void *q = realloc(p, n * size);
    if (!q)
        die("out of memory");
    return q;
}

/* splitmix64: no state but a counter, and good enough for test data */
static uint64_t
rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t
rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

static uint8_t *
buf_room(struct buf *b, size_t n)
{
    if (b->cap - b->n < n) {
        b->cap = (b->n + n) * 2;
        b->p = grow(b->p, b->cap, 1);
    }
    return b->p + b->n;
}

static void
buf_put(struct buf *b, const void *p, size_t n)
{
    memcpy(buf_room(b, n), p, n);
    b->n += n;
}

static void buf_text(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
buf_text(struct buf *b, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text)
        die("text too long: %s", fmt);
    buf_put(b, text, (size_t)n);
}

static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static size_t
ip_header(bool is_ipv6)
{
    return is_ipv6 ? 40 : 20;
}

static size_t
payload_max(bool is_ipv6, size_t n_tcp_header)
{
    return MTU - ip_header(is_ipv6) - n_tcp_header;
}

/* ---- sessions -------------------------------------------------------- */

/* Room for a segment of n bytes, TCP header and payload, to be filled in. */
static uint8_t *
session_add(struct session *s, uint64_t at_us, enum from from, size_t n)
{
    if (s->n_segs == s->cap_segs) {
        s->cap_segs = s->cap_segs ? s->cap_segs * 2 : 32;
        s->segs = grow(s->segs, s->cap_segs, sizeof *s->segs);
    }
    uint8_t *p = buf_room(&s->bytes, n);
    s->segs[s->n_segs++] = (struct seg){
        .at_us = at_us,
        .offset = s->bytes.n,
        .n = (uint16_t)n,
        .from = (uint8_t)from,
    };
    s->bytes.n += n;
    s->frame_bytes += 14 + ip_header(s->is_ipv6) + n;
    return p;
}

static void
session_reset(struct session *s, bool is_ipv6)
{
    s->n_segs = 0;
    s->bytes.n = 0;
    s->frame_bytes = 0;
    s->n_messages = 0;
    s->is_ipv6 = is_ipv6;
}

static void
session_free(struct session *s)
{
    free(s->segs);
    free(s->bytes.p);
}

/* ---- a talk writes a session ------------------------------------------ */

struct talk {
    struct session *s;
    struct rng *rng;
    uint64_t now_us;
    uint32_t rtt_us;
    uint32_t next[2];  /* sequence number to send */
    uint32_t clock[2]; /* last timestamp option sent */
};

static uint8_t *
talk_header(struct talk *t, enum from from, unsigned flags, size_t n_header,
            size_t n_payload)
{
    uint8_t *p = session_add(t->s, t->now_us, from, n_header + n_payload);
    memset(p, 0, n_header);
    put16(p + (from == CLIENT ? 2 : 0), 25); /* the player writes the other */
    put32(p + 4, t->next[from]);
    if (flags & ACK)
        put32(p + 8, t->next[!from]);
    p[12] = (uint8_t)(n_header / 4 << 4);
    p[13] = (uint8_t)flags;
    put16(p + 14, flags & SYN ? 64240 : 501);

    uint8_t *stamp = p + n_header - 10;
    t->clock[from] = (uint32_t)(t->now_us / 1000) + 7000 + from * 90000u;
    put16(stamp, 8 << 8 | 10);
    put32(stamp + 2, t->clock[from]);
    put32(stamp + 6, t->clock[!from]);
    t->next[from] += (uint32_t)n_payload + !!(flags & (SYN | FIN));
    return p;
}

static void
talk_syn(struct talk *t, enum from from)
{
    uint16_t mss = t->s->is_ipv6 ? 1440 : 1460;
    const uint8_t options[] = {
        2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 4, 2, 1, 3, 3, 7};
    uint8_t *p = talk_header(t, from, from == CLIENT ? SYN : SYN | ACK,
                             20 + sizeof options + 10, 0);
    memcpy(p + 20, options, sizeof options);
}

static void
talk_flags(struct talk *t, enum from from, unsigned flags)
{
    uint8_t *p = talk_header(t, from, flags, 32, 0);
    put16(p + 20, 0x0101);
}

/* Half a round trip, and up to 4 ms of thought. */
static void
talk_wait(struct talk *t)
{
    t->now_us += t->rtt_us / 2 + rng_below(t->rng, 4000);
}

/* One turn: segments back to back, every second one acknowledged at once. */
static void
talk_say(struct talk *t, enum from from, const struct buf *text)
{
    talk_wait(t);
    size_t mss = payload_max(t->s->is_ipv6, 32);
    unsigned unacked = 0;
    for (size_t at = 0; at < text->n;) {
        size_t n = text->n - at < mss ? text->n - at : mss;
        bool is_last = at + n == text->n;
        uint8_t *p = talk_header(t, from, is_last ? PSH | ACK : ACK, 32, n);
        put16(p + 20, 0x0101);
        memcpy(p + 32, text->p + at, n);
        at += n;
        t->now_us += 13;
        if (++unacked == 2 && !is_last) {
            talk_flags(t, from == CLIENT ? SERVER : CLIENT, ACK);
            unacked = 0;
        }
    }
}

static void
talk_shake(struct talk *t)
{
    talk_syn(t, CLIENT);
    talk_wait(t);
    talk_syn(t, SERVER);
    talk_wait(t);
    talk_flags(t, CLIENT, ACK);
}

/* Starts a new session in s: handshake, banner, EHLO and its reply. */
static struct talk
talk_open(struct session *s, struct rng *rng, struct buf *b)
{
    session_reset(s, rng_below(rng, 8) == 0);
    struct talk t = {
        .s = s, .rng = rng, .rtt_us = 2000 + rng_below(rng, 80000)};
    uint32_t host = rng_below(rng, 100000);

    talk_shake(&t);
    b->n = 0;
    buf_text(b, "220 mx%" PRIu32 ".example.org ESMTP Postfix\r\n", host % 97);
    talk_say(&t, SERVER, b);
    b->n = 0;
    buf_text(b, "EHLO mail%" PRIu32 ".example.net\r\n", host);
    talk_say(&t, CLIENT, b);
    b->n = 0;
    buf_text(
        b,
        "250-mx%" PRIu32
        ".example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-ETRN\r\n"
        "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250 "
        "SMTPUTF8\r\n",
        host % 97);
    talk_say(&t, SERVER, b);
    return t;
}

/* One turn of one side, as printf. */
#define talk_line(t, b, from, ...)                                             \
    ((b)->n = 0, buf_text((b), __VA_ARGS__), talk_say((t), (from), (b)))

static void
talk_close(struct talk *t, struct buf *b)
{
    talk_line(t, b, CLIENT, "QUIT\r\n");
    talk_line(t, b, SERVER, "221 2.0.0 Bye\r\n");
    talk_flags(t, SERVER, FIN | ACK);
    talk_wait(t);
    talk_flags(t, CLIENT, FIN | ACK);
    talk_wait(t);
    talk_flags(t, SERVER, ACK);
}

/* MAIL and n_rcpt RCPT, in one segment or one by one, each answered. */
static void
talk_envelope(struct talk *t, struct buf *b, size_t size, unsigned n_rcpt)
{
    bool pipelined = rng_below(t->rng, 2) == 0;
    b->n = 0;
    buf_text(
        b, "MAIL FROM:<user%" PRIu32 "@example.net> SIZE=%zu BODY=8BITMIME\r\n",
        rng_below(t->rng, 50000), size);
    struct buf reply = {0};
    buf_text(&reply, "250 2.1.0 Ok\r\n");
    for (unsigned i = 0; i < n_rcpt; i++) {
        if (!pipelined) {
            talk_say(t, CLIENT, b);
            talk_say(t, SERVER, &reply);
            b->n = reply.n = 0;
        }
        buf_text(b,
                 "RCPT TO:<reader%" PRIu32 "@example.org> NOTIFY=FAILURE\r\n",
                 rng_below(t->rng, 50000));
        buf_text(&reply, "250 2.1.5 Ok\r\n");
    }
    talk_say(t, CLIENT, b);
    talk_say(t, SERVER, &reply);
    free(reply.p);
}

/* One accepted message. message is as sent: dots stuffed, no final dot line. */
static void
talk_message(struct talk *t, struct buf *b, struct buf *message,
             unsigned n_rcpt)
{
    talk_envelope(t, b, message->n, n_rcpt);
    b->n = 0;
    buf_text(b, "DATA\r\n");
    talk_say(t, CLIENT, b);
    b->n = 0;
    buf_text(b, "354 End data with <CR><LF>.<CR><LF>\r\n");
    talk_say(t, SERVER, b);
    buf_text(message, ".\r\n");
    talk_say(t, CLIENT, message);
    b->n = 0;
    buf_text(b, "250 2.0.0 Ok: queued as %010" PRIX64 "\r\n",
             rng_next(t->rng) >> 24);
    talk_say(t, SERVER, b);
    t->s->n_messages++;
}

/* ---- messages ---------------------------------------------------------- */

static const char *const words[] = {
    "the",    "report", "for",  "this",   "quarter", "is",   "attached",
    "please", "read",   "it",   "before", "we",      "meet", "on",
    "Monday", "and",    "send", "your",   "notes",   "to",   "all",
    "of",     "us",     "as",   "well",
};

static const char *
pick(struct rng *r)
{
    return words[rng_below(r, sizeof words / sizeof *words)];
}

static void
put_headers(struct buf *m, struct rng *r, const char *content_type)
{
    uint64_t id = rng_next(r);
    uint32_t from = rng_below(r, 50000);
    buf_text(
        m,
        "Received: from desk%" PRIu32 ".example.net (desk%" PRIu32
        ".example.net [10.20.0.9])\r\n"
        "\tby mail.example.net (Postfix) with ESMTPSA id %010" PRIX64 "\r\n"
        "\tfor <reader@example.org>; Mon, 5 Jan 2026 09:00:00 +0100 (CET)\r\n",
        from % 997, from % 997, id >> 24);
    buf_text(m,
             "From: \"User %" PRIu32 "\" <user%" PRIu32
             "@example.net>\r\nTo: Reader <reader@example.org>\r\n",
             from, from);
    buf_text(m,
             "Subject: %s %s %s no. %" PRIu32
             "\r\nDate: Mon, 5 Jan 2026 09:00:00 +0100\r\n"
             "Message-ID: <%016" PRIx64
             "@example.net>\r\nMIME-Version: 1.0\r\n%s\r\n",
             pick(r), pick(r), pick(r), from, id, content_type);
}

static void
put_prose(struct buf *m, struct rng *r, unsigned n_lines)
{
    for (unsigned i = 0; i < n_lines; i++) {
        for (unsigned k = 0; k < 11; k++)
            buf_text(m, "%s%s", k ? " " : "", pick(r));
        buf_text(m, ".\r\n");
    }
}

static uint8_t *
put_base64(uint8_t *out, const uint8_t *in, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i = 0;
    for (; i + 3 <= n; i += 3) {
        uint32_t v =
            (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        *out++ = (uint8_t)digits[v >> 6 & 63];
        *out++ = (uint8_t)digits[v & 63];
    }
    if (i < n) {
        uint32_t v =
            (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0);
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        *out++ = i + 1 < n ? (uint8_t)digits[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

static const struct {
    const char *mime, *suffix;
    uint8_t magic[8];
} file_types[] = {
    {"application/pdf",          "pdf", {'%', 'P', 'D', 'F', '-', '1', '.', '7'}     },
    {"image/jpeg",               "jpg", {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F'}    },
    {"image/png",                "png", {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}},
    {"application/octet-stream", "dat", {0xde, 0xad, 0, 1, 0, 0, 0, 0}               },
};

/* A file of random bytes behind the magic of its type. */
static void
put_attachment(struct buf *m, struct rng *r, const char *boundary)
{
    uint32_t type = rng_below(r, sizeof file_types / sizeof *file_types);
    uint32_t octave = (uint32_t)ATTACHMENT_MIN
                      << rng_below(r, ATTACHMENT_OCTAVES);
    size_t size = octave + rng_below(r, octave);
    if (size > ATTACHMENT_MAX)
        size = ATTACHMENT_MAX;
    uint32_t number = rng_below(r, 100000);
    buf_text(m,
             "--%s\r\nContent-Type: %s; name=\"file-%" PRIu32
             ".%s\"\r\nContent-Transfer-Encoding: base64\r\n"
             "Content-Disposition: attachment; filename=\"file-%" PRIu32
             ".%s\"\r\n\r\n",
             boundary, file_types[type].mime, number, file_types[type].suffix,
             number, file_types[type].suffix);

    uint8_t raw[64];
    uint8_t *out = buf_room(m, size / LINE_RAW * 78 + 80);
    for (size_t at = 0; at < size; at += LINE_RAW) {
        for (size_t i = 0; i < sizeof raw; i += 8) {
            uint64_t v = rng_next(r);
            memcpy(raw + i, &v, 8);
        }
        if (at == 0)
            memcpy(raw, file_types[type].magic, 8);
        out = put_base64(out, raw, size - at < LINE_RAW ? size - at : LINE_RAW);
    }
    m->n = (size_t)(out - m->p);
}

static void
put_bulk_message(struct buf *m, struct rng *r)
{
    char boundary[40];
    char type[100];
    snprintf(boundary, sizeof boundary, "=_%016" PRIx64, rng_next(r));
    snprintf(type, sizeof type,
             "Content-Type: multipart/mixed; boundary=\"%s\"\r\n", boundary);
    put_headers(m, r, type);
    buf_text(m, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
             boundary);
    put_prose(m, r, 3 + rng_below(r, 20));
    for (uint32_t left = 1 + rng_below(r, 2); left > 0; left--)
        put_attachment(m, r, boundary);
    buf_text(m, "--%s--\r\n", boundary);
}

/* ---- sources of mix ---------------------------------------------------- */

struct stream {
    struct session session;
    uint8_t key[37]; /* both ends, client first: addresses, ports; family */
    uint64_t first_us, last_us;
    uint32_t isn;     /* of the client */
    uint32_t next[2]; /* sequence number awaited */
    bool is_open[2];  /* SYN seen */
    bool has_payload[2];
    bool is_broken; /* a hole, or a packet cut by the capture */
};

struct sources {
    struct stream *streams;
    size_t n, cap;
    size_t first;  /* stream of the file that is being read */
    size_t *table; /* hash of the key to index + 1, of the file's newest such */
    size_t n_table;
};

struct packet {
    uint64_t at_us;
    uint8_t key[37]; /* sender first */
    bool is_ipv6, is_cut;
    const uint8_t *tcp;
    size_t n_header, n_payload;
};

static void
key_turn(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from + 18, 18);
    memcpy(to + 18, from, 18);
    to[36] = from[36];
}

/* True for a whole TCP header; what does not parse is not a session's. */
static bool
parse_tcp(struct packet *k, const uint8_t *p, size_t n, size_t n_wire)
{
    if (n < 20 || (size_t)(p[12] >> 4) * 4 < 20 || (size_t)(p[12] >> 4) * 4 > n)
        return false;
    k->tcp = p;
    k->n_header = (size_t)(p[12] >> 4) * 4;
    k->is_cut = n < n_wire;
    k->n_payload = (n < n_wire ? n : n_wire) - k->n_header;
    memcpy(k->key + 16, p, 2);
    memcpy(k->key + 34, p + 2, 2);
    return true;
}

static bool
parse_ip(struct packet *k, const uint8_t *p, size_t n)
{
    memset(k->key, 0, sizeof k->key);
    if (n >= 40 && p[0] >> 4 == 6 && p[6] == 6) {
        size_t length = get16(p + 4);
        memcpy(k->key, p + 8, 16);
        memcpy(k->key + 18, p + 24, 16);
        k->key[36] = 6;
        k->is_ipv6 = true;
        return parse_tcp(k, p + 40, n - 40, length ? length : n - 40);
    }
    size_t header = n >= 20 ? (p[0] & 15u) * 4 : 0;
    if (header < 20 || n < header || p[0] >> 4 != 4 || p[9] != 6 ||
        (get16(p + 6) & 0x3fff))
        return false;
    size_t length = get16(p + 2); /* 0 in the largest segments of an offload */
    if (length && length < header + 20)
        return false;
    memcpy(k->key, p + 12, 4);
    memcpy(k->key + 18, p + 16, 4);
    k->key[36] = 4;
    k->is_ipv6 = false;
    size_t n_wire = length ? length - header : n - header;
    size_t n_seen =
        n - header < n_wire ? n - header : n_wire; /* padding goes */
    return parse_tcp(k, p + header, n_seen, n_wire);
}

/* Bytes before the IP header, or SIZE_MAX when there is none. */
static size_t
link_header(uint32_t link, const uint8_t *p, size_t n)
{
    size_t at = 12;
    switch (link) {
    case 0: return 4;
    case 1:
        while (n >= at + 4 &&
               (get16(p + at) == 0x8100 || get16(p + at) == 0x88a8))
            at += 4;
        if (n < at + 2 || (get16(p + at) != 0x0800 && get16(p + at) != 0x86dd))
            return SIZE_MAX;
        return at + 2;
    case 12:
    case 14:
    case 101: return 0;
    case 113: return 16;
    case 276: return 20;
    default: return SIZE_MAX;
    }
}

static size_t *
sources_cell(struct sources *s, const uint8_t *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < 37; i++)
        h = (h ^ key[i]) * UINT64_C(0x100000001b3);
    size_t at = (size_t)(h >> 20) & (s->n_table - 1);
    while (s->table[at] &&
           memcmp(s->streams[s->table[at] - 1].key, key, 37) != 0)
        at = (at + 1) & (s->n_table - 1);
    return &s->table[at];
}

static void
sources_rehash(struct sources *s)
{
    s->n_table = s->n_table ? s->n_table * 2 : 1024;
    free(s->table);
    s->table = calloc(s->n_table, sizeof *s->table);
    if (!s->table)
        die("out of memory");
    for (size_t i = s->first; i < s->n; i++)
        *sources_cell(s, s->streams[i].key) = i + 1;
}

static struct stream *
sources_open(struct sources *s, const struct packet *k)
{
    if ((s->n - s->first) * 2 >= s->n_table)
        sources_rehash(s);
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->streams = grow(s->streams, s->cap, sizeof *s->streams);
    }
    size_t *cell = sources_cell(s, k->key);
    struct stream *t = &s->streams[s->n++];
    *t = (struct stream){
        .first_us = k->at_us, .last_us = k->at_us, .isn = get32(k->tcp + 4)};
    t->session.is_ipv6 = k->is_ipv6;
    memcpy(t->key, k->key, sizeof t->key);
    *cell = s->n;
    return t;
}

static struct stream *
sources_find(struct sources *s, const struct packet *k, enum from *from)
{
    uint8_t turned[37];
    key_turn(turned, k->key);
    for (*from = CLIENT;; *from = SERVER) {
        size_t cell = *sources_cell(s, *from == CLIENT ? k->key : turned);
        if (cell)
            return &s->streams[cell - 1];
        if (*from == SERVER)
            return NULL;
    }
}

/* Takes the packet into the order of the stream; a hole breaks the stream. */
static void
stream_check(struct stream *t, const struct packet *k, enum from from)
{
    unsigned flags = k->tcp[13];
    uint32_t seq = get32(k->tcp + 4);
    uint32_t end =
        seq + (uint32_t)k->n_payload + !!(flags & SYN) + !!(flags & FIN);

    if (k->is_cut)
        t->is_broken = true;
    if (!t->is_open[from]) {
        if (!(flags & SYN)) {
            t->is_broken = t->is_broken || !(flags & RST);
            return;
        }
        t->is_open[from] = true;
        t->next[from] = seq;
    }
    if ((int32_t)(seq - t->next[from]) > 0 && !(flags & RST))
        t->is_broken = true;
    if ((int32_t)(end - t->next[from]) > 0)
        t->next[from] = end;
    if ((flags & ACK) && t->is_open[!from] &&
        (int32_t)(get32(k->tcp + 8) - t->next[!from]) > 0)
        t->is_broken = true;
    if (k->n_payload)
        t->has_payload[from] = true;
}

/* Cuts the payload into segments that fit the MTU. */
static void
stream_add(struct stream *t, const struct packet *k, enum from from)
{
    uint64_t gap = k->at_us > t->last_us ? k->at_us - t->last_us : 0;
    if (gap > GAP_MAX_US)
        t->first_us += gap - GAP_MAX_US; /* the session gets shorter by it */
    if (k->at_us > t->last_us)
        t->last_us = k->at_us;

    size_t mss = payload_max(k->is_ipv6, k->n_header);
    size_t at = 0;
    do {
        size_t n = k->n_payload - at < mss ? k->n_payload - at : mss;
        uint8_t *p = session_add(&t->session, t->last_us - t->first_us, from,
                                 k->n_header + n);
        memcpy(p, k->tcp, k->n_header);
        memcpy(p + k->n_header, k->tcp + k->n_header + at, n);
        put32(p + 4, get32(k->tcp + 4) + (uint32_t)at);
        at += n;
        if (at < k->n_payload)
            p[13] &= (uint8_t) ~(FIN | PSH);
    } while (at < k->n_payload);
}

static void
sources_packet(struct sources *s, const struct packet *k)
{
    enum from from;
    struct stream *t = sources_find(s, k, &from);
    bool is_first_syn = (k->tcp[13] & (SYN | ACK)) == SYN;
    if (is_first_syn &&
        (!t || t->isn != get32(k->tcp + 4) || t->has_payload[CLIENT])) {
        t = sources_open(s, k);
        from = CLIENT;
    }
    if (!t)
        return;
    stream_check(t, k, from);
    if (!t->is_broken)
        stream_add(t, k, from);
}

static uint32_t
file32(const uint8_t *p, bool is_little)
{
    uint32_t v = get32(p);
    return is_little
               ? v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24
               : v;
}

static void
sources_records(struct sources *s, const char *name, const struct buf *file)
{
    uint32_t magic = file->n >= 24 ? get32(file->p) : 0;
    bool is_little = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    bool is_nano = magic == 0xa1b23c4d || magic == 0x4d3cb2a1;
    if (!is_little && magic != 0xa1b2c3d4 && magic != 0xa1b23c4d)
        die("%s: not a classic pcap; convert it with editcap -F pcap", name);

    uint32_t link = file32(file->p + 20, is_little) & 0xffff;
    for (size_t at = 24; file->n - at >= 16;) {
        const uint8_t *record = file->p + at;
        size_t n = file32(record + 8, is_little);
        if (n > file->n - at - 16)
            return;
        struct packet k = {.at_us =
                               (uint64_t)file32(record, is_little) * 1000000};
        k.at_us += file32(record + 4, is_little) / (is_nano ? 1000 : 1);
        size_t skip = link_header(link, record + 16, n);
        if (skip <= n && parse_ip(&k, record + 16 + skip, n - skip))
            sources_packet(s, &k);
        at += 16 + n;
    }
}

static void
sources_read(struct sources *s, const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f)
        die("%s: %s", name, strerror(errno));
    s->first = s->n;
    s->n_table = 0;
    sources_rehash(s);
    struct buf file = {0};
    size_t n;
    do {
        n = fread(buf_room(&file, 1 << 16), 1, 1 << 16, f);
        file.n += n;
    } while (n > 0);
    if (ferror(f))
        die("%s: read error", name);
    fclose(f);
    sources_records(s, name, &file);
    free(file.p);
}

static bool
is_taken(const struct stream *t)
{
    unsigned port = get16(t->key + 34);
    return !t->is_broken && t->has_payload[CLIENT] && t->has_payload[SERVER] &&
           (port == 25 || port == 587 || port == 2525);
}

/* Keeps the sessions that can be replayed, in the order they began. */
static void
sources_choose(struct sources *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (is_taken(&s->streams[i]))
            s->streams[n++] = s->streams[i];
        else
            session_free(&s->streams[i].session);
    }
    s->n = n;
    free(s->table);
    s->table = NULL;
}

/* ---- kinds ------------------------------------------------------------- */

/* Mean frame of "mix", bytes: that of the traffic on which the peers were
 * measured before. */
#define MIX_FRAME 381

struct job {
    struct rng rng;
    uint64_t size;
    struct buf message, text; /* scratch */
    struct sources sources;
    size_t *order; /* of the sources, shuffled anew for each round */
    size_t at_order;
    uint64_t n_sessions, n_messages, n_planned;
    uint64_t mix_bytes, mix_frames; /* of the sessions chosen */
    struct visit *plan;             /* of "bot", in the order of time */
    size_t n_plan;
};

struct kind {
    const char *name;
    uint64_t size; /* unless --size: captured bytes, or what counts */
    bool counts_bytes;
    size_t n_slots; /* sessions open at once */
    const struct session *(*make)(struct job *, struct session *scratch);
};

static const struct session *
next_source(struct job *j)
{
    if (j->at_order == j->sources.n) {
        for (size_t i = j->sources.n; i > 1; i--) {
            size_t k = rng_below(&j->rng, (uint32_t)i);
            size_t swap = j->order[i - 1];
            j->order[i - 1] = j->order[k];
            j->order[k] = swap;
        }
        j->at_order = 0;
    }
    return &j->sources.streams[j->order[j->at_order++]].session;
}

/* Most sessions that would take the mean frame further away are passed over,
 * so that it comes near MIX_FRAME whatever the sources are. */
static const struct session *
make_mix(struct job *j, struct session *scratch)
{
    const struct session *s = next_source(j);
    bool is_low = j->mix_bytes < j->mix_frames * MIX_FRAME;
    (void)scratch;
    for (int tries = 0; tries < 8; tries++) {
        bool adds_low = s->frame_bytes < s->n_segs * MIX_FRAME;
        if (adds_low != is_low)
            break;
        s = next_source(j);
    }
    j->mix_bytes += s->frame_bytes;
    j->mix_frames += s->n_segs;
    return s;
}

static const struct session *
make_bulk(struct job *j, struct session *scratch)
{
    struct talk t = talk_open(scratch, &j->rng, &j->text);
    for (uint32_t left = 1 + (rng_below(&j->rng, 4) == 0); left > 0; left--) {
        j->message.n = 0;
        put_bulk_message(&j->message, &j->rng);
        talk_message(&t, &j->text, &j->message, 1 + rng_below(&j->rng, 3));
    }
    talk_close(&t, &j->text);
    return scratch;
}

static const struct session *
make_idle(struct job *j, struct session *scratch)
{
    struct talk t = talk_open(scratch, &j->rng, &j->text);
    talk_envelope(&t, &j->text, 4000, 1);
    talk_wait(&t);
    talk_flags(&t, CLIENT, ACK);
    return scratch;
}

/* ---- a few hosts at home, one of which behaves like a bot ---------------- */

/* Who sends what; tests/fixtures/bot.md says it in words. An organisation is a
 * domain with one server of its own, in one of five networks. */
static const struct actor {
    uint8_t host[2]; /* of 10.20/16 */
    const char *helo;
    const char *user, *domain; /* of the senders */
    bool is_numbered;          /* the user, so that each mail has another */
    const char *subject;
    const char *headers; /* further ones */
    bool is_inbound;     /* the host is the server */
    bool is_simple;      /* HELO, and no QUIT */
    unsigned n_visits, n_orgs, first_s, every_ms;
    unsigned unknown_percent;
    unsigned defer_each;  /* one in so many is deferred; 0: none */
    unsigned retry_s;     /* when it comes again; 0: never */
    const char *sentence; /* of the body */
} actors[] = {
    {.host = {4, 17},
     .helo = "user-pc",
     .user = "info",
     .domain = "lucky-offer.example",
     .is_numbered = true,
     .subject = "You have been chosen",
     .headers = "",
     .is_simple = true,
     .n_visits = 90,
     .n_orgs = 45,
     .first_s = 20,
     .every_ms = 4000,
     .unknown_percent = 40,
     .defer_each = 9,
     .sentence = "Open http://lucky-offer.example/now before the weekend."},
    {.host = {6, 30},
     .helo = "news.lakeside.example",
     .user = "news",
     .domain = "lakeside.example",
     .subject = "Lakeside newsletter, January",
     .headers = "List-Id: <news.lakeside.example>\r\nPrecedence: bulk\r\n",
     .n_visits = 72,
     .n_orgs = 36,
     .first_s = 10,
     .every_ms = 5000,
     .unknown_percent = 30,
     .defer_each = 8,
     .retry_s = 300,
     .sentence = "The choir sings on Friday; the library opens at nine."},
    {.host = {1, 11},
     .helo = "mail.office.example",
     .user = "payroll",
     .domain = "office.example",
     .is_numbered = true,
     .subject = "Your statement",
     .headers = "",
     .n_visits = 90,
     .n_orgs = 45,
     .first_s = 40,
     .every_ms = 4000,
     .unknown_percent = 40,
     .sentence = "Please confirm at http://login.check.example/me today."        },
    {.host = {1, 10},
     .helo = "mail.library.example",
     .user = "desk",
     .domain = "library.example",
     .is_numbered = true,
     .subject = "Your book is ready",
     .headers = "",
     .n_visits = 30,
     .n_orgs = 12,
     .first_s = 5,
     .every_ms = 20000,
     .sentence = "The book that you asked for waits at the desk."    },
    {.host = {7, 3},
     .helo = "PRN-2F",
     .user = "scanner",
     .domain = "physics.example",
     .subject = "Scan to mail",
     .headers = "",
     .is_simple = true,
     .n_visits = 6,
     .n_orgs = 1,
     .first_s = 15,
     .every_ms = 100000,
     .sentence = "One page was scanned."   },
    {.host = {1, 10},
     .helo = "mx.readers.example",
     .user = "reader",
     .domain = "readers.example",
     .is_numbered = true,
     .subject = "May I keep the book",
     .headers = "",
     .is_inbound = true,
     .n_visits = 10,
     .n_orgs = 1,
     .first_s = 12,
     .every_ms = 55000,
     .sentence = "May I keep the book for a week longer, please?"         },
};

enum outcome { TAKEN, UNKNOWN, DEFERRED };

struct visit {
    uint64_t at_us;
    const struct actor *actor;
    unsigned org, number; /* of the actor's envelopes */
    enum outcome outcome;
};

static int
by_time(const void *x, const void *y)
{
    const struct visit *a = x;
    const struct visit *b = y;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return a->actor < b->actor ? -1 : a->actor > b->actor;
}

static void
plan_visit(struct job *j, const struct visit *v)
{
    j->plan = grow(j->plan, j->n_plan + 1, sizeof *j->plan);
    j->plan[j->n_plan++] = *v;
}

static void
plan_actor(struct job *j, const struct actor *a)
{
    for (unsigned i = 0; i < a->n_visits; i++) {
        struct visit v = {
            .at_us = a->first_s * UINT64_C(1000000) +
                     (uint64_t)i * a->every_ms * 1000 +
                     rng_below(&j->rng, a->every_ms * 500),
            .actor = a,
            .org = i % a->n_orgs,
            .number = i,
        };
        if (a->defer_each && i % a->defer_each == a->defer_each - 1)
            v.outcome = DEFERRED;
        else if (rng_below(&j->rng, 100) < a->unknown_percent)
            v.outcome = UNKNOWN;
        plan_visit(j, &v);
        if (v.outcome == DEFERRED && a->retry_s) {
            v.outcome = TAKEN;
            v.at_us += a->retry_s * UINT64_C(1000000);
            plan_visit(j, &v);
        }
    }
}

static void
plan(struct job *j)
{
    for (size_t i = 0; i < sizeof actors / sizeof *actors; i++)
        plan_actor(j, &actors[i]);
    qsort(j->plan, j->n_plan, sizeof *j->plan, by_time);
    j->size = j->n_plan;
}

static void
put_visit_message(struct buf *m, const struct visit *v, const char *sender,
                  const char *reader)
{
    m->n = 0;
    buf_text(m,
             "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n"
             "Date: Mon, 5 Jan 2026 08:00:00 +0000\r\n"
             "Message-ID: <%u.%u@%s>\r\n%s\r\nGood day, reader %u.\r\n%s\r\n",
             sender, reader, v->actor->subject, v->actor->host[1], v->number,
             v->actor->helo, v->actor->headers, v->number, v->actor->sentence);
    buf_text(m, ".\r\n");
}

/* True: the recipient was accepted. */
static bool
visit_envelope(struct talk *t, struct buf *b, const struct visit *v,
               const char *sender, const char *reader)
{
    talk_line(t, b, CLIENT, "MAIL FROM:<%s>\r\n", sender);
    talk_line(t, b, SERVER, "250 2.1.0 Ok\r\n");
    talk_line(t, b, CLIENT, "RCPT TO:<%s>\r\n", reader);
    switch (v->outcome) {
    case TAKEN: talk_line(t, b, SERVER, "250 2.1.5 Ok\r\n"); return true;
    case UNKNOWN:
        talk_line(
            t, b, SERVER,
            "550 5.1.1 <%s>: Recipient address rejected: User unknown\r\n",
            reader);
        return false;
    case DEFERRED:
        talk_line(t, b, SERVER,
                  "450 4.2.0 <%s>: Recipient address rejected: Greylisted\r\n",
                  reader);
        return false;
    }
    return false;
}

static void
visit_greet(struct talk *t, struct buf *b, const struct visit *v,
            const char *server)
{
    talk_line(t, b, SERVER, "220 %s ESMTP Postfix\r\n", server);
    talk_line(t, b, CLIENT, "%s %s\r\n", v->actor->is_simple ? "HELO" : "EHLO",
              v->actor->helo);
    if (v->actor->is_simple)
        talk_line(t, b, SERVER, "250 %s\r\n", server);
    else
        talk_line(t, b, SERVER,
                  "250-%s\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n"
                  "250 8BITMIME\r\n",
                  server);
}

static const struct session *
make_bot(struct job *j, struct session *scratch)
{
    const struct visit *v = &j->plan[j->n_planned];
    struct buf *b = &j->text;
    struct talk t = {.s = scratch,
                     .rng = &j->rng,
                     .rtt_us = 2000 + rng_below(&j->rng, 80000)};
    char sender[64];
    char reader[64];
    char server[64];
    if (v->actor->is_numbered)
        snprintf(sender, sizeof sender, "%s%u@%s", v->actor->user, v->number,
                 v->actor->domain);
    else
        snprintf(sender, sizeof sender, "%s@%s", v->actor->user,
                 v->actor->domain);
    snprintf(reader, sizeof reader, "reader%u@%s%02u.example", v->number,
             v->actor->is_inbound ? "library" : "club", v->org);
    snprintf(server, sizeof server, "mx.%s", strchr(reader, '@') + 1);

    session_reset(scratch, false);
    talk_shake(&t);
    visit_greet(&t, b, v, server);
    if (visit_envelope(&t, b, v, sender, reader)) {
        talk_line(&t, b, CLIENT, "DATA\r\n");
        talk_line(&t, b, SERVER, "354 End data with <CR><LF>.<CR><LF>\r\n");
        put_visit_message(&j->message, v, sender, reader);
        talk_say(&t, CLIENT, &j->message);
        talk_line(&t, b, SERVER, "250 2.0.0 Ok: queued as %010" PRIX64 "\r\n",
                  rng_next(&j->rng) >> 24);
        scratch->n_messages++;
    }
    if (!v->actor->is_simple) {
        talk_close(&t, b);
        return scratch;
    }
    talk_wait(&t);
    talk_flags(&t, CLIENT, FIN | ACK);
    talk_wait(&t);
    talk_flags(&t, SERVER, FIN | ACK);
    talk_wait(&t);
    talk_flags(&t, CLIENT, ACK);
    return scratch;
}

static const struct session *
make_onebig(struct job *j, struct session *scratch)
{
    struct talk t = talk_open(scratch, &j->rng, &j->text);
    for (uint64_t i = 0; i < j->size; i++) {
        j->message.n = 0;
        put_headers(&j->message, &j->rng,
                    "Content-Type: text/plain; charset=us-ascii\r\n");
        put_prose(&j->message, &j->rng, 1 + rng_below(&j->rng, 5));
        talk_message(&t, &j->text, &j->message, 1);
    }
    talk_close(&t, &j->text);
    j->n_planned = j->size;
    return scratch;
}

static const struct kind kinds[] = {
    {"mix",      450000000,  true,  400,  make_mix   },
    {"bulk",     1200000000, true,  24,   make_bulk  },
    {"idle200k", 200000,     false, 4000, make_idle  },
    {"idle1k",   1000,       false, 4000, make_idle  },
    {"onebig",   100000,     false, 1,    make_onebig},
    {"bot",      0,          false, 1000, make_bot   },
};

/* ---- the player --------------------------------------------------------- */

struct out {
    FILE *file;
    uint8_t *buffer;
    size_t n;
    uint64_t n_packets, n_bytes;
};

struct slot {
    struct session own;
    const struct session *session;
    size_t next;
    uint64_t start_us;
    uint8_t address[2][16]; /* IPv4 in the first four */
    uint32_t shift[2];      /* added to the sequence numbers of that side */
    uint16_t client_port;
    uint16_t ip_id[2];
    uint8_t mac[2][6];
};

static void
out_flush(struct out *o)
{
    if (fwrite(o->buffer, 1, o->n, o->file) != o->n)
        die("write: %s", strerror(errno));
    o->n = 0;
}

static uint64_t
sum16(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i + 2 <= n; i += 2)
        sum += get16(p + i);
    return n & 1 ? sum + (uint32_t)(p[n - 1] << 8) : sum;
}

static uint16_t
fold16(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Pcap record, Ethernet and IP header for n bytes of TCP. */
static uint8_t *
put_lower(uint8_t *p, struct slot *s, const struct seg *g, bool is_ipv6)
{
    uint64_t at_us = s->start_us + g->at_us;
    uint32_t n_frame = 14u + (uint32_t)ip_header(is_ipv6) + g->n;
    uint32_t record[4] = {(uint32_t)(at_us / 1000000),
                          (uint32_t)(at_us % 1000000), n_frame, n_frame};
    for (size_t i = 0; i < 4; i++)
        put32(p + 4 * i, record[i]);
    p += 16;

    memset(p, 0, 54);
    memcpy(p, s->mac[!g->from], 6);
    memcpy(p + 6, s->mac[g->from], 6);
    put16(p + 12, is_ipv6 ? 0x86dd : 0x0800);
    p += 14;
    if (is_ipv6) {
        put32(p, UINT32_C(0x60000000));
        put16(p + 4, g->n);
        p[6] = 6;
        p[7] = 64;
        memcpy(p + 8, s->address[g->from], 16);
        memcpy(p + 24, s->address[!g->from], 16);
        return p + 40;
    }
    put16(p, 0x4500);
    put16(p + 2, 20u + g->n);
    put16(p + 4, s->ip_id[g->from]++);
    put16(p + 6, 0x4000);
    put16(p + 8, 64 << 8 | 6);
    memcpy(p + 12, s->address[g->from], 4);
    memcpy(p + 16, s->address[!g->from], 4);
    put16(p + 10, fold16(sum16(p, 20)));
    return p + 20;
}

/* Moves the edges of SACK blocks: they are in the other side's numbers. */
static void
shift_sack(uint8_t *tcp, uint32_t shift)
{
    size_t end = (size_t)(tcp[12] >> 4) * 4;
    for (size_t at = 20; at < end && tcp[at] != 0;) {
        size_t n = tcp[at] == 1 ? 1 : at + 1 < end ? tcp[at + 1] : 0;
        if (n == 0 || at + n > end)
            return;
        for (size_t i = at + 2; tcp[at] == 5 && i + 4 <= at + n; i += 4)
            put32(tcp + i, get32(tcp + i) + shift);
        at += n;
    }
}

static void
play_segment(struct out *o, struct slot *s)
{
    const struct seg *g = &s->session->segs[s->next++];
    bool is_ipv6 = s->session->is_ipv6;
    if (OUT_BUFFER - o->n < RECORD_MAX)
        out_flush(o);
    uint8_t *start = o->buffer + o->n;
    uint8_t *tcp = put_lower(start, s, g, is_ipv6);

    memcpy(tcp, s->session->bytes.p + g->offset, g->n);
    put16(tcp + (g->from == CLIENT ? 0 : 2), s->client_port);
    put32(tcp + 4, get32(tcp + 4) + s->shift[g->from]);
    if (tcp[13] & ACK)
        put32(tcp + 8, get32(tcp + 8) + s->shift[!g->from]);
    shift_sack(tcp, s->shift[!g->from]);
    put16(tcp + 16, 0);
    uint64_t sum = 6u + g->n + sum16(tcp, g->n);
    for (size_t side = 0; side < 2; side++)
        sum += sum16(s->address[side], is_ipv6 ? 16 : 4);
    put16(tcp + 16, fold16(sum));

    size_t n = (size_t)(tcp - start) + g->n;
    o->n += n;
    o->n_bytes += n - 16;
    o->n_packets++;
}

/* Seven of ten sessions go from 10.20/16 to servers outside in 198.18/15, the
 * others from outside to a few servers inside. The client's address and port
 * together are never used twice. */
static void
slot_address(struct slot *s, struct rng *r, uint64_t number)
{
    uint32_t client = (uint32_t)(number % N_CLIENTS);
    bool is_outbound = number % 10 < 7;
    enum from inside = is_outbound ? CLIENT : SERVER;
    uint32_t host[2] = {client + 256, is_outbound
                                          ? rng_below(r, N_SERVERS) + 256
                                          : rng_below(r, N_INSIDE_SERVERS) + 2};

    for (size_t side = 0; side < 2; side++) {
        uint8_t *a = s->address[side];
        bool is_inside = side == (size_t)inside;
        memset(a, 0, 16);
        if (s->session->is_ipv6) {
            put32(a, UINT32_C(0x20010db8));
            put16(a + 4, is_inside
                             ? 0x10
                             : 0x100 + host[side]); /* outside: a /48 each */
            put32(a + 12, host[side]);
        } else {
            put32(a, (is_inside ? UINT32_C(0x0a140000) : UINT32_C(0xc6120000)) +
                         host[side]);
            if (!is_inside && side == CLIENT)
                a[1] = 19;
        }
    }
    s->client_port = (uint16_t)(1024 + number / N_CLIENTS % 64000);
}

static void
slot_macs(struct slot *s)
{
    for (size_t side = 0; side < 2; side++) {
        memset(s->mac[side], 0, 6);
        s->mac[side][0] = 2; /* locally administered */
        s->mac[side][5] = (uint8_t)(1 + side);
    }
}

/* A visit's host has a MAC address of its own; all others are the router's. */
static void
slot_visit(struct slot *s, const struct visit *v, uint64_t number)
{
    static const uint8_t networks[][3] = {
        {198, 51, 100},
        {203, 0,  113},
        {192, 0,  2  },
        {198, 18, 7  },
        {198, 19, 3  }
    };
    enum from inside = v->actor->is_inbound ? SERVER : CLIENT;
    uint8_t *home = s->address[inside];
    uint8_t *away = s->address[!inside];

    memset(s->address, 0, sizeof s->address);
    put16(home, 10 << 8 | 20);
    memcpy(home + 2, v->actor->host, 2);
    memcpy(away, networks[v->org % 5], 3);
    away[3] = (uint8_t)(10 + v->org);
    memset(s->mac, 0, sizeof s->mac);
    s->mac[0][0] = s->mac[1][0] = 2;
    memcpy(s->mac[inside] + 2, home, 4);
    s->mac[!inside][5] = 1;
    s->client_port = (uint16_t)(20000 + number);
}

/* False when the job is done. */
static bool
slot_start(struct slot *s, struct job *j, const struct kind *kind,
           uint64_t when_us)
{
    if (j->n_planned >= j->size)
        return false;
    s->session = kind->make(j, &s->own);
    s->next = 0;
    s->start_us = when_us;
    slot_macs(s);
    if (kind->make == make_bot) {
        s->start_us = start_us + j->plan[j->n_planned].at_us;
        slot_visit(s, &j->plan[j->n_planned], j->n_planned);
    } else {
        slot_address(s, &j->rng, j->n_sessions);
    }
    for (size_t side = 0; side < 2; side++) {
        s->shift[side] = (uint32_t)rng_next(&j->rng);
        s->ip_id[side] = (uint16_t)rng_next(&j->rng);
    }
    if (kind->make != make_onebig)
        j->n_planned += kind->counts_bytes ? s->session->frame_bytes : 1;
    j->n_sessions++;
    j->n_messages += s->session->n_messages;
    return true;
}

static uint64_t
slot_when(const struct slot *s)
{
    return s->start_us + s->session->segs[s->next].at_us;
}

/* Restores the heap, earliest first, below its entry at. */
static void
sift_down(struct slot **heap, size_t n, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n &&
            slot_when(heap[child + 1]) < slot_when(heap[child]))
            child++;
        if (slot_when(heap[at]) <= slot_when(heap[child]))
            return;
        struct slot *swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

static void
play(struct job *j, const struct kind *kind, struct out *o)
{
    struct slot *slots = calloc(kind->n_slots, sizeof *slots);
    struct slot **heap = calloc(kind->n_slots, sizeof *heap);
    if (!slots || !heap)
        die("out of memory");
    size_t n = 0;
    while (n < kind->n_slots &&
           slot_start(&slots[n], j, kind, start_us + n * 997)) {
        heap[n] = &slots[n];
        n++;
    }
    for (size_t at = n / 2; at-- > 0;)
        sift_down(heap, n, at);
    while (n > 0) {
        struct slot *s = heap[0];
        uint64_t when = slot_when(s);
        play_segment(o, s);
        if (s->next == s->session->n_segs &&
            !slot_start(s, j, kind, when + 1000 + rng_below(&j->rng, 100000)))
            heap[0] = heap[--n];
        sift_down(heap, n, 0);
    }
    for (size_t i = 0; i < kind->n_slots; i++)
        session_free(&slots[i].own);
    free(slots);
    free(heap);
}

static void
write_capture(struct job *j, const struct kind *kind, const char *name)
{
    static const uint8_t header[24] = {0xa1, 0xb2, 0xc3, 0xd4,     0,
                                       2,    0,    4,    [17] = 4, [23] = 1};
    struct out o = {.file = fopen(name, "wb"),
                    .buffer = grow(NULL, OUT_BUFFER, 1)};
    if (!o.file)
        die("%s: %s", name, strerror(errno));
    memcpy(o.buffer, header, sizeof header);
    o.n = sizeof header;
    play(j, kind, &o);
    out_flush(&o);
    if (fclose(o.file) != 0)
        die("%s: %s", name, strerror(errno));
    free(o.buffer);
    printf("kind=%s sessions=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64,
           kind->name, j->n_sessions, o.n_packets, o.n_bytes);
    if (j->n_messages)
        printf(" messages=%" PRIu64, j->n_messages);
    putchar('\n');
}

/* ---- the command line ---------------------------------------------------- */

static void
usage(void)
{
    fputs(
        "usage: make_captures KIND OUT [--size N] [--seed S] [SOURCE...]\n"
        "  mix       replicas of the sessions in SOURCE files; N captured "
        "bytes\n"
        "  bulk      mail with attachments of 50 KB to 5 MB; N captured bytes\n"
        "  idle200k, idle1k\n"
        "            N connections that stop after RCPT and stay open\n"
        "  onebig    one connection with N transactions\n"
        "  bot       six hosts at home, one of them like a bot; no --size\n",
        stderr);
    exit(2);
}

static uint64_t
number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno || *end || *text < '0' || *text > '9')
        usage();
    return n;
}

static void
load_sources(struct job *j, char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sources_read(&j->sources, names[i]);
    sources_choose(&j->sources);
    if (j->sources.n == 0)
        die("no whole SMTP session in the source captures");
    j->order = grow(NULL, j->sources.n, sizeof *j->order);
    for (size_t i = 0; i < j->sources.n; i++)
        j->order[i] = i;
    j->at_order = j->sources.n;
}

int
main(int argc, char **argv)
{
    const struct kind *kind = NULL;
    for (size_t i = 0; argc >= 3 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name) == 0)
            kind = &kinds[i];
    }
    if (!kind)
        usage();

    struct job j = {.rng = {1}, .size = kind->size};
    int at = 3;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (at + 1 == argc)
            usage();
        if (strcmp(argv[at], "--size") == 0)
            j.size = number(argv[at + 1]);
        else if (strcmp(argv[at], "--seed") == 0)
            j.rng.state = number(argv[at + 1]);
        else
            usage();
    }
    if ((kind->make == make_mix) != (at < argc))
        die("%s", kind->make == make_mix ? "mix needs source captures"
                                         : "only mix takes source captures");
    if (kind->make == make_mix)
        load_sources(&j, argv + at, (size_t)(argc - at));

    if (kind->make == make_bot)
        plan(&j);

    write_capture(&j, kind, argv[2]);
    for (size_t i = 0; i < j.sources.n; i++)
        session_free(&j.sources.streams[i].session);
    free(j.sources.streams);
    free(j.order);
    free(j.plan);
    free(j.message.p);
    free(j.text.p);
    return 0;
}

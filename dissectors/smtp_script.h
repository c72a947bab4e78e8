#ifndef SPAN25_DISSECTORS_SMTP_SCRIPT_H
#define SPAN25_DISSECTORS_SMTP_SCRIPT_H
/* smtp_script - scripted connections for the tests of the SMTP dissector
 *
 * A scenario is a list of segments in the order in which they were sent; the
 * driver keeps offsets and acknowledgements. It is run whole, with each segment
 * cut in two at every byte, and byte by byte: the events must be the same.
 *
 *   C(t)  client, has received all that the server sent so far
 *   B(t)  client, blind: has received what it had at its segment before
 *   S(t)  server, has received all that the client sent so far
 *   V(t)  server, blind
 *   SWAP  the next two segments are captured in the wrong order
 *   LOSE  the next segment is not captured
 *   TICK(s)  so many seconds pass
 *
 * want: "tx0 text" must be in the event of transaction 0 ("tx0.2": its part 2),
 * "ses text" in the session, "tls text", "odd text" in one of the anomalies;
 * "!" before text: must not be there. odd: the session's anomalies, by comma.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/smtp.h"
#include "sensor/event/json_write.h"

enum step_kind {
    STEP_END,
    STEP_C,
    STEP_B,
    STEP_S,
    STEP_V,
    STEP_SWAP,
    STEP_LOSE,
    STEP_TICK,
};

struct step {
    enum step_kind kind;
    const char *text;
    size_t n;
};

#define C(t)                                                                   \
    {                                                                          \
        STEP_C, (t), sizeof(t) - 1                                             \
    }
#define B(t)                                                                   \
    {                                                                          \
        STEP_B, (t), sizeof(t) - 1                                             \
    }
#define S(t)                                                                   \
    {                                                                          \
        STEP_S, (t), sizeof(t) - 1                                             \
    }
#define V(t)                                                                   \
    {                                                                          \
        STEP_V, (t), sizeof(t) - 1                                             \
    }
#define SWAP                                                                   \
    {                                                                          \
        STEP_SWAP, NULL, 0                                                     \
    }
#define LOSE                                                                   \
    {                                                                          \
        STEP_LOSE, NULL, 0                                                     \
    }
#define TICK(s)                                                                \
    {                                                                          \
        STEP_TICK, NULL, (s)                                                   \
    }

#define STEPS_MAX 72
#define WANTS_MAX 28

struct scenario {
    const char *why;
    struct step steps[STEPS_MAX];
    const char *odd;
    const char *want[WANTS_MAX];
    const char *secret[4]; /* must be in no record */
    uint64_t memory_max;   /* 0: plenty */
    bool only_client, only_server, midstream, no_acks, digest, whole_only;
    bool name_others;
    enum end_why end;
};

/* ---- the connection as the wire has it ---- */

struct event {
    struct chunk c; /* data.n == 0: a tick */
    bool lost;
};

struct wire {
    struct event e[STEPS_MAX];
    size_t n;
    uint64_t sent[2];
    ns_t end;
};

#define SCRIPT_START (UINT64_C(1700000000) * NS_PER_S)

static inline struct wire
wire_of(const struct scenario *sc)
{
    struct wire w = {.end = SCRIPT_START};
    uint64_t acked[2] = {0, 0};
    bool lose = false;
    size_t swap = SIZE_MAX;

    for (const struct step *p = sc->steps; p->kind != STEP_END; p++) {
        enum dir d = p->kind == STEP_C || p->kind == STEP_B ? DIR_C2S : DIR_S2C;
        struct event *e = &w.e[w.n];

        w.end += NS_PER_MS * 10;
        if (p->kind == STEP_SWAP || p->kind == STEP_LOSE) {
            swap = p->kind == STEP_SWAP ? w.n : swap;
            lose |= p->kind == STEP_LOSE;
            continue;
        }
        if (p->kind == STEP_TICK) {
            w.end += p->n * NS_PER_S;
            e->c = (struct chunk){.when = w.end};
            w.n++;
            continue;
        }
        if (p->kind == STEP_C || p->kind == STEP_S)
            acked[d] = w.sent[dir_other(d)];
        e->c = (struct chunk){
            .data = span_of(p->text, p->n),
            .dir = d,
            .when = w.end,
            .seen = w.end,
            .offset = w.sent[d],
            .peer_acked = sc->no_acks || sc->only_client || sc->only_server
                              ? STREAM_ACK_UNKNOWN
                              : acked[d],
        };
        e->lost = lose || (sc->only_client && d == DIR_S2C) ||
                  (sc->only_server && d == DIR_C2S);
        lose = false;
        w.sent[d] += p->n;
        w.n++;
        assert_true(w.n < STEPS_MAX);
        if (swap < w.n && swap + 2 == w.n) {
            struct event first = w.e[swap];

            w.e[swap] = w.e[swap + 1];
            w.e[swap + 1] = first;
            w.e[swap + 1].c.when = w.e[swap + 1].c.seen = w.e[swap].c.when;
            swap = SIZE_MAX;
        }
    }
    return w;
}

/* ---- records ---- */

struct got {
    struct json_writer json;
    struct buf lines; /* JSON, one event a line */
    struct buf raw;   /* all records, one after the other */
    uint32_t seq;
    uint64_t n;
};

static inline void
got_put(void *ctx, struct span record)
{
    struct got *g = ctx;

    assert_true(record_check(record));
    assert_int_equal(record_head_of(record).seq, g->seq);
    g->seq++;
    g->n++;
    buf_span(&g->raw, record);
    if (g->lines.max == 0)
        return;
    assert_true(json_write(&g->json, record, &g->lines));
    buf_putc(&g->lines, '\n');
}

static inline void
got_init(struct got *g)
{
    json_writer_init(&g->json);
    buf_init(&g->lines, 1U << 26);
    buf_init(&g->raw, 1U << 26);
    g->seq = 0;
    g->n = 0;
}

static inline void
got_free(struct got *g)
{
    buf_free(&g->lines);
    buf_free(&g->raw);
}

/* ---- playing a connection ---- */

struct play {
    const struct scenario *sc;
    struct smtp_ctx *ctx;
    struct flow flow;
    void *session;
    struct got *got;
    uint64_t next[2];         /* offset that comes next */
    uint64_t lost[2][2];      /* bytes [0] to [1] of each direction are lost */
    size_t cut_event, cut_at; /* this event is cut there */
    bool bytewise;
    bool late_gaps; /* told after the segment of the other side */
};

static inline void
play_open(struct play *p, const struct scenario *sc, struct got *got)
{
    struct smtp_options o = {
        .sink = {got_put, got},
        .memory_max = sc->memory_max > 0 ? sc->memory_max : UINT64_C(1) << 32,
        .content_max = sc->memory_max > 0 ? sc->memory_max : UINT64_C(1) << 32,
        .body_digest = sc->digest,
        .name_others = sc->name_others,
    };
    static const uint8_t client[4] = {192, 0, 2, 1};
    static const uint8_t server[4] = {198, 51, 100, 25};

    *p = (struct play){.sc = sc, .got = got, .cut_event = SIZE_MAX};
    assert_int_equal(smtp_new(&o, &p->ctx), ERR_OK);
    p->flow = (struct flow){
        .client = addr_v4(client),
        .server = addr_v4(server),
        .client_port = 40000,
        .server_port = 25,
        .id = 7,
        .start = SCRIPT_START,
        .established = sc->midstream ? 0 : SCRIPT_START,
        .handshake = !sc->midstream,
        .midstream = sc->midstream,
    };
    p->flow.half[DIR_C2S].packets = sc->only_server ? 0 : 10;
    p->flow.half[DIR_S2C].packets = sc->only_client ? 0 : 10;
    p->session = smtp_ops.open(p->ctx, &p->flow, SCRIPT_START);
}

static inline void
play_gap(struct play *p, enum dir d, uint64_t to, ns_t when)
{
    uint64_t n = to - p->next[d];

    p->flow.half[d].lost += n;
    p->flow.half[d].gaps++;
    p->next[d] = to;
    smtp_ops.gap(p->session, d, n, when);
}

/* Bytes that are there; holes before them are told first. */
static inline void
play_piece(struct play *p, struct chunk c)
{
    if (c.data.n == 0)
        return;
    if (c.offset > p->next[c.dir])
        play_gap(p, c.dir, c.offset, c.when);
    p->next[c.dir] = c.offset + c.data.n;
    p->flow.half[c.dir].bytes += c.data.n;
    smtp_ops.data(p->session, &c);
}

/* What is left of a piece when the lost range is taken out. */
static inline void
play_range(struct play *p, struct chunk c)
{
    uint64_t from = p->lost[c.dir][0];
    uint64_t to = p->lost[c.dir][1];
    uint64_t end = c.offset + c.data.n;
    struct chunk head = c;
    struct chunk tail = c;

    if (to <= c.offset || from >= end || from == to) {
        play_piece(p, c);
        return;
    }
    head.data = span_head(c.data, from > c.offset ? from - c.offset : 0);
    tail.data = span_tail(c.data, to < end ? to - c.offset : c.data.n);
    tail.offset = end - tail.data.n;
    play_piece(p, head);
    play_piece(p, tail);
}

static inline void
play_event(struct play *p, size_t i, const struct event *e)
{
    struct chunk c = e->c;
    enum dir o = dir_other(c.dir);
    bool tells = c.peer_acked != STREAM_ACK_UNKNOWN &&
                 c.peer_acked > p->next[o] && p->lost[o][1] > p->lost[o][0] &&
                 c.peer_acked >= p->lost[o][1] && p->next[o] >= p->lost[o][0];

    if (e->lost) {
        p->lost[c.dir][0] = c.offset;
        p->lost[c.dir][1] = c.offset + c.data.n;
        return;
    }
    if (tells && !p->late_gaps)
        play_gap(p, o, p->lost[o][1], c.when);
    if (p->bytewise || i == p->cut_event) {
        size_t step = p->bytewise ? 1 : p->cut_at;

        while (c.data.n > 0) {
            struct chunk piece = c;

            piece.data = span_head(c.data, step);
            play_range(p, piece);
            c.data = span_tail(c.data, piece.data.n);
            c.offset += piece.data.n;
            step = p->bytewise ? 1 : c.data.n;
        }
    } else {
        play_range(p, c);
    }
    if (tells && p->late_gaps && p->next[o] < p->lost[o][1])
        play_gap(p, o, p->lost[o][1], c.when);
}

static inline void
play_wire(struct play *p, const struct wire *w)
{
    for (size_t i = 0; p->session != NULL && i < w->n; i++) {
        ns_t tick = smtp_ops.wants_tick(p->session);

        if (tick > 0 && tick <= w->e[i].c.when)
            smtp_ops.tick(p->session, w->e[i].c.when);
        if (w->e[i].c.data.n > 0)
            play_event(p, i, &w->e[i]);
    }
}

static inline void
play_close(struct play *p, ns_t when)
{
    if (p->session != NULL)
        smtp_ops.end(p->session, p->sc->end, when);
    p->session = NULL;
    assert_int_equal(smtp_memory(p->ctx), 0);
    smtp_free(p->ctx);
}

/* ---- expectations ---- */

/* "192.0.2.1" does not begin a line, so what follows a newline is a record. */
static inline struct span
line_at(struct span all, size_t *at)
{
    struct span rest = span_tail(all, *at);
    struct span line = span_head(rest, span_find(rest, '\n'));

    *at += line.n + 1;
    return line;
}

static inline bool
has_str(struct span s, const char *want)
{
    return span_search(s, span_str(want)) < s.n;
}

/* Does the line belong to this kind: tx0, tx0.2, ses, tls, odd? */
static inline bool
is_kind(struct span line, struct span kind)
{
    char word[80];
    unsigned tx = 0;
    unsigned part = 0;
    char name[16] = "";

    (void)snprintf(name, sizeof(name), "%.*s", (int)kind.n,
                   (const char *)kind.p);
    if (strcmp(name, "ses") == 0)
        return has_str(line, "\"event_type\":\"smtp_session\"");
    if (strcmp(name, "tls") == 0)
        return has_str(line, "\"event_type\":\"tls\"");
    if (strcmp(name, "odd") == 0)
        return has_str(line, "\"event_type\":\"anomaly\"");
    if (sscanf(name, "tx%u.%u", &tx, &part) == 2) {
        (void)snprintf(word, sizeof(word), "\"part\":%u,", part);
        if (!has_str(line, word))
            return false;
    }
    (void)snprintf(word, sizeof(word), "\"tx_id\":%u,", tx);
    return has_str(line, "\"event_type\":\"smtp\"") && has_str(line, word);
}

/* Records for the reader of a failure. */
static inline void
show(struct span all)
{
    fprintf(stderr, "\n%.*s\n", (int)all.n, (const char *)all.p);
}

static inline void
check_want(const struct scenario *sc, struct span all, const char *want)
{
    struct span w = span_str(want);
    struct span kind = span_head(w, span_find(w, ' '));
    const char *text = want + kind.n + 1;
    bool none = kind.n == w.n; /* "tx0" alone: there is one */
    bool never = !none && text[0] == '!';
    bool kinds = false;
    bool found = false;

    if (kind.n > 0 && kind.p[0] == '!') { /* "!tx1": there is none */
        kind = span_tail(kind, 1);
        never = none = true;
    }
    for (size_t at = 0; at < all.n;) {
        struct span line = line_at(all, &at);

        if (!is_kind(line, kind))
            continue;
        kinds = true;
        found |= none || has_str(line, text + never);
    }
    if ((!kinds && !(none && never)) || found == never) {
        show(all);
        fail_msg("%s: wanted: %s", sc->why, want);
    }
}

static inline void
check_odd(const struct scenario *sc, struct span all)
{
    struct buf want;
    struct span w = span_str(sc->odd != NULL ? sc->odd : "");
    char *text;

    buf_init(&want, 4096);
    if (w.n > 0)
        buf_str(&want, "ses \"anomalies\":[");
    while (w.n > 0) {
        struct span name = span_head(w, span_find(w, ','));

        buf_printf(&want, "\"%.*s\"", (int)name.n, (const char *)name.p);
        w = span_tail(w, name.n + 1);
        buf_str(&want, w.n > 0 ? "," : "]");
    }
    if (want.n == 0)
        buf_str(&want, "ses !\"anomalies\"");
    buf_putc(&want, 0);
    text = (char *)want.p;
    check_want(sc, all, text);
    buf_free(&want);
}

static inline void
check_secrets(const struct scenario *sc, const struct got *g)
{
    for (size_t i = 0; i < 4 && sc->secret[i] != NULL; i++) {
        if (has_str(buf_view(&g->raw), sc->secret[i]) ||
            span_contains_nocase(buf_view(&g->raw), span_str(sc->secret[i])))
            fail_msg("%s: a record holds %s", sc->why, sc->secret[i]);
    }
}

static inline void
check_same(const struct scenario *sc, const struct got *a, const struct got *b,
           size_t event, size_t at)
{
    if (span_eq(buf_view(&a->lines), buf_view(&b->lines)))
        return;
    show(buf_view(&a->lines));
    show(buf_view(&b->lines));
    fail_msg("%s: other events when event %zu is cut at %zu", sc->why, event,
             at);
}

static inline void
run_cut(const struct scenario *sc, const struct wire *w,
        const struct got *whole, size_t event, size_t at)
{
    struct got g;
    struct play p;

    got_init(&g);
    play_open(&p, sc, &g);
    p.cut_event = event;
    p.cut_at = at;
    p.bytewise = at == 0;
    play_wire(&p, w);
    play_close(&p, w->end);
    check_same(sc, whole, &g, event, at);
    check_secrets(sc, &g);
    got_free(&g);
}

static inline void
run_scenario(const struct scenario *sc)
{
    struct wire w = wire_of(sc);
    struct got whole;
    struct play p;

    got_init(&whole);
    play_open(&p, sc, &whole);
    play_wire(&p, &w);
    play_close(&p, w.end);
    check_odd(sc, buf_view(&whole.lines));
    for (size_t i = 0; i < WANTS_MAX && sc->want[i] != NULL; i++)
        check_want(sc, buf_view(&whole.lines), sc->want[i]);
    check_secrets(sc, &whole);
    if (!sc->whole_only) {
        run_cut(sc, &w, &whole, 0, 0);
        for (size_t i = 0; i < w.n; i++) {
            for (size_t k = 1; k < w.e[i].c.data.n; k++)
                run_cut(sc, &w, &whole, i, k);
        }
    }
    got_free(&whole);
}

static inline void
run_scenarios(const struct scenario *sc, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run_scenario(&sc[i]);
}

#endif

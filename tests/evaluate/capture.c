#include "tests/evaluate/capture.h"

#include <errno.h>
#include <stdio.h>

#include "dissectors/mail_score.h"

#define STEP    NS_PER_MS /* between packets of a connection */
#define SEGMENT 1400U
#define LINE    "All of this text was made up; it goes on for a while.\r\n"

enum side { CLIENT, SERVER };
enum flag { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

struct packet {
    ns_t when;
    uint32_t number; /* to keep the order of what is at once */
    size_t at, n;    /* in bytes */
};

/* The connection that an actor has open. */
struct talk {
    uint32_t seq[2];
    ns_t when;
};

struct capture_out {
    struct buf bytes;
    struct packet *packets;
    size_t n, cap;
    struct talk *talks; /* two for a subject: of abuse and of its own */
    struct buf text;
    bool failed;
};

enum err
capture_out_new(uint32_t n_subjects, struct capture_out **out)
{
    struct capture_out *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    buf_init(&c->bytes, CAPTURE_BYTES);
    buf_init(&c->text, 1U << 20);
    c->talks = calloc(2 * (size_t)n_subjects + 1, sizeof(*c->talks));
    if (c->talks == NULL) {
        capture_out_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void
capture_out_free(struct capture_out *c)
{
    if (c == NULL)
        return;
    buf_free(&c->bytes);
    buf_free(&c->text);
    free(c->packets);
    free(c->talks);
    free(c);
}

/* ---- packets ---- */

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

static uint32_t
sum16(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    return n % 2 == 1 ? sum + (uint32_t)(p[n - 1] << 8) : sum;
}

static uint32_t
fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

struct ends {
    const struct addr *from, *to;
    uint16_t sport, dport;
};

static size_t
put_ethernet(uint8_t *p, const struct actor *a, enum side from, bool six)
{
    static const uint8_t gateway[6] = {2, 0, 0, 0, 0, 1};
    static const uint8_t forger[6] = {2, 0, 0, 0, 0x66, 0x66};
    bool forged = actor_is_bad(a) && a->scenario->forged_macs;
    const uint8_t *own = forged ? forger : a->subject->mac;
    bool outward = (from == CLIENT) == !a->session.inbound;

    memcpy(p, outward ? gateway : own, 6);
    memcpy(p + 6, outward ? own : gateway, 6);
    put16(p + 12, six ? 0x86dd : 0x0800);
    return 14;
}

static size_t
put_ip(uint8_t *p, const struct ends *e, size_t n, bool six)
{
    if (six) {
        put32(p, 0x60000000);
        put16(p + 4, (uint32_t)n);
        p[6] = 6;
        p[7] = 64;
        memcpy(p + 8, e->from->b, 16);
        memcpy(p + 24, e->to->b, 16);
        return 40;
    }
    memset(p, 0, 20);
    p[0] = 0x45;
    put16(p + 2, (uint32_t)n + 20);
    p[6] = 0x40;
    p[8] = 64;
    p[9] = 6;
    memcpy(p + 12, e->from->b + 12, 4);
    memcpy(p + 16, e->to->b + 12, 4);
    put16(p + 10, fold(sum16(p, 20)));
    return 20;
}

static void
put_tcp(uint8_t *p, const struct ends *e, const struct talk *t, enum side from,
        unsigned flags, struct span data)
{
    bool six = !addr_is_v4(e->from);
    size_t skip = six ? 0 : 12;
    uint32_t sum;

    memset(p, 0, 20);
    put16(p, e->sport);
    put16(p + 2, e->dport);
    put32(p + 4, t->seq[from]);
    if ((flags & ACK) != 0)
        put32(p + 8, t->seq[!from]);
    p[12] = 5 << 4;
    p[13] = (uint8_t)flags;
    put16(p + 14, 65000);
    if (data.n > 0)
        memcpy(p + 20, data.p, data.n);
    sum = 6 + 20 + (uint32_t)data.n + sum16(e->from->b + skip, 16 - skip) +
          sum16(e->to->b + skip, 16 - skip) + sum16(p, 20 + data.n);
    put16(p + 16, fold(sum));
}

static bool
room(struct capture_out *c)
{
    struct packet *p;
    size_t cap = c->cap * 2 + 1024;

    if (c->n < c->cap)
        return true;
    p = realloc(c->packets, cap * sizeof(*p));
    if (p == NULL)
        return false;
    c->packets = p;
    c->cap = cap;
    return true;
}

/* Only one direction may have been on the wire. */
static bool
is_heard(const struct actor *a, enum side from)
{
    if (!a->session.oneway)
        return true;
    return (from == SERVER) == a->scenario->answers_only;
}

static void
send_packet(struct capture_out *c, const struct actor *a, struct talk *t,
            enum side from, unsigned flags, struct span data)
{
    const struct session *s = &a->session;
    uint8_t frame[14 + 40 + 20 + SEGMENT];
    const struct addr *client = s->inbound ? &s->org.server : &a->subject->addr;
    const struct addr *server = s->inbound ? &a->subject->addr : &s->org.server;
    uint16_t port = a->scenario->submits ? 587 : 25;
    struct ends e = {
        from == CLIENT ? client : server, from == CLIENT ? server : client,
        from == CLIENT ? s->port : port, from == CLIENT ? port : s->port};
    bool six = !addr_is_v4(client);
    size_t n = put_ethernet(frame, a, from, six);

    n += put_ip(frame + n, &e, 20 + data.n, six);
    put_tcp(frame + n, &e, t, from, flags, data);
    n += 20 + data.n;
    t->when += STEP;
    t->seq[from] += (uint32_t)data.n + ((flags & (SYN | FIN)) != 0);
    if (!is_heard(a, from))
        return;
    if (!room(c)) {
        c->failed = true;
        return;
    }
    c->packets[c->n] = (struct packet){t->when, (uint32_t)c->n, c->bytes.n, n};
    c->n++;
    buf_put(&c->bytes, frame, n);
}

static void
say(struct capture_out *c, const struct actor *a, struct talk *t,
    enum side from, struct span data)
{
    while (data.n > 0) {
        send_packet(c, a, t, from, ACK | PSH, span_head(data, SEGMENT));
        data = span_tail(data, SEGMENT);
    }
    send_packet(c, a, t, from == CLIENT ? SERVER : CLIENT, ACK, SPAN_NONE);
}

/* ---- the dialogue ---- */

static const char *
eol(const struct actor *a)
{
    bool lf = strcmp(speakers[a->scenario->speaker].eol, "lf") == 0;

    return lf && !a->session.inbound ? "\n" : "\r\n";
}

/* A client's verb as it writes it. */
static void
verb(struct capture_out *c, const struct actor *a, const char *word)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];
    bool lower = strcmp(s->verb_case, "lower") == 0 && !a->session.inbound;

    for (; *word != 0; word++)
        buf_putc(&c->text, (uint8_t)(lower && *word >= 'A' && *word <= 'Z'
                                         ? *word + 'a' - 'A'
                                         : *word));
}

static void
tell(struct capture_out *c, const struct actor *a, struct talk *t,
     enum side from)
{
    say(c, a, t, from, buf_view(&c->text));
    buf_reset(&c->text);
}

static void
reply(struct capture_out *c, const struct actor *a, struct talk *t,
      const char *line)
{
    buf_str(&c->text, line);
    buf_str(&c->text, "\r\n");
    tell(c, a, t, SERVER);
}

static void
greet(struct capture_out *c, const struct actor *a, struct talk *t,
      const char *word)
{
    verb(c, a, word);
    buf_putc(&c->text, ' ');
    actor_helo(a, &c->text);
    buf_str(&c->text, eol(a));
    tell(c, a, t, CLIENT);
}

static void
banner(struct capture_out *c, const struct actor *a, struct talk *t)
{
    buf_str(&c->text, "220 ");
    if (a->session.inbound)
        buf_printf(&c->text, "mail%u.home.example", a->subject->number);
    else
        world_server_name(&a->session.org, &c->text);
    reply(c, a, t, " ESMTP");
}

static void
hello(struct capture_out *c, const struct actor *a, struct talk *t)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];
    bool helo = strcmp(s->hello, "HELO") == 0 && !a->session.inbound;

    send_packet(c, a, t, CLIENT, SYN, SPAN_NONE);
    send_packet(c, a, t, SERVER, SYN | ACK, SPAN_NONE);
    send_packet(c, a, t, CLIENT, ACK, SPAN_NONE);
    if (s->pregreet && !a->session.inbound) {
        greet(c, a, t, helo ? "HELO" : "EHLO");
        banner(c, a, t);
    } else {
        banner(c, a, t);
        greet(c, a, t, helo ? "HELO" : "EHLO");
    }
    if (helo) {
        reply(c, a, t, "250 hello");
        return;
    }
    reply(c, a, t, "250-hello\r\n250-PIPELINING\r\n250 SIZE 20000000");
    if (strcmp(s->hello, "EHLO+HELO") == 0 && !a->session.inbound) {
        greet(c, a, t, "HELO");
        reply(c, a, t, "250 hello");
    }
}

/* ---- a message ---- */

static bool
marked(const struct mail *m, enum mail_symbol s)
{
    return (m->marks >> s & 1) != 0;
}

static void
message_header(struct capture_out *c, const struct actor *a)
{
    const struct mail *m = &a->mail;
    struct buf *b = &c->text;

    for (unsigned i = 0; i < content_received(actor_content(a), m->marks); i++)
        buf_str(b, "Received: from desk (desk [10.1.1.1]) by mail\r\n");
    buf_str(b, "From: ");
    if (marked(m, MAIL_SYMBOL_NAME_IS_ADDRESS))
        buf_str(b, "\"boss@bank.example\" ");
    if (marked(m, MAIL_SYMBOL_SENDER_DIFFERS) || m->null_sender)
        buf_str(b, "<someone@elsewhere.example>");
    else
        actor_sender(a, b);
    buf_str(b, "\r\nTo: ");
    actor_rcpt(a, m->rcpts[0].user, b);
    buf_str(b, "\r\n");
    if (marked(m, MAIL_SYMBOL_REPLY_DIFFERS))
        buf_str(b, "Reply-To: <x@reply.example>\r\n");
    if (!marked(m, MAIL_SYMBOL_NO_SUBJECT))
        buf_printf(b, "Subject: %s%s\r\n", contents[a->scenario->content].name,
                   marked(m, MAIL_SYMBOL_RAW_8BIT) ? " \xe9" : "");
    if (!marked(m, MAIL_SYMBOL_NO_DATE))
        buf_str(b, "Date: Mon, 2 Nov 2026 09:00:00 +0000\r\n");
    if (!marked(m, MAIL_SYMBOL_NO_MESSAGE_ID))
        buf_printf(b,
                   marked(m, MAIL_SYMBOL_BAD_MESSAGE_ID)
                       ? "Message-ID: %u\r\n"
                       : "Message-ID: <%u@home.example>\r\n",
                   (unsigned)m->queue_id);
    if (contents[a->scenario->content].bulk)
        buf_str(b, "List-Id: <news.home.example>\r\n"
                   "List-Unsubscribe: <mailto:out@home.example>\r\n");
    buf_printf(b, "Content-Type: text/%s\r\n\r\n",
               marked(m, MAIL_SYMBOL_HTML_ONLY) ? "html" : "plain");
}

static void
message_body(struct capture_out *c, const struct actor *a)
{
    const struct mail *m = &a->mail;
    struct buf *b = &c->text;
    unsigned lines = marked(m, MAIL_SYMBOL_LINK_ONLY) ? 1 : 8;
    unsigned links = marked(m, MAIL_SYMBOL_MANY_LINKS) ? 24
                     : lines == 1                      ? 1
                                                       : 0;

    if (marked(m, MAIL_SYMBOL_EMPTY))
        return;
    for (unsigned i = 0; i < lines; i++)
        buf_str(b, LINE);
    for (unsigned i = 0; i < links; i++)
        buf_printf(b, "http://shop%u.example/\r\n", i);
    if (marked(m, MAIL_SYMBOL_LINK_TO_ADDRESS))
        buf_str(b, "http://192.0.2.80/a\r\n");
}

static void
answer(struct capture_out *c, enum reply r, bool at_end)
{
    const struct reply_row *row = &replies[r];

    if (r == REPLY_OK && at_end)
        buf_str(&c->text, "250 2.0.0 Ok\r\n");
    else
        buf_printf(&c->text, "%u %s %s\r\n", row->code, row->enhanced,
                   row->text);
}

/* A path as this client writes it. */
static void
path(struct capture_out *c, const struct actor *a, const char *word)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];

    verb(c, a, word);
    if (s->space_after_colon && !a->session.inbound)
        buf_putc(&c->text, ' ');
}

static void
command_mail(struct capture_out *c, const struct actor *a)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];

    path(c, a, "MAIL FROM:");
    actor_sender(a, &c->text);
    if (s->params)
        buf_str(&c->text, " SIZE=1000");
    buf_str(&c->text, eol(a));
}

static void
command_rcpt(struct capture_out *c, const struct actor *a, uint32_t i)
{
    path(c, a, "RCPT TO:");
    actor_rcpt(a, a->mail.rcpts[i].user, &c->text);
    buf_str(&c->text, eol(a));
}

/* All commands at once, then all replies. */
static void
envelope_at_once(struct capture_out *c, const struct actor *a, struct talk *t)
{
    command_mail(c, a);
    for (uint32_t i = 0; i < a->mail.n_rcpts; i++)
        command_rcpt(c, a, i);
    tell(c, a, t, CLIENT);
    buf_str(&c->text, "250 2.1.0 Ok\r\n");
    for (uint32_t i = 0; i < a->mail.n_rcpts; i++)
        answer(c, a->mail.rcpts[i].reply, false);
    tell(c, a, t, SERVER);
}

static void
envelope(struct capture_out *c, const struct actor *a, struct talk *t)
{
    command_mail(c, a);
    tell(c, a, t, CLIENT);
    reply(c, a, t, "250 2.1.0 Ok");
    for (uint32_t i = 0; i < a->mail.n_rcpts; i++) {
        command_rcpt(c, a, i);
        tell(c, a, t, CLIENT);
        answer(c, a->mail.rcpts[i].reply, false);
        tell(c, a, t, SERVER);
    }
}

static void
mail(struct capture_out *c, const struct actor *a, struct talk *t)
{
    if (speakers[a->scenario->speaker].pipelines)
        envelope_at_once(c, a, t);
    else
        envelope(c, a, t);
    if (!a->mail.sent) {
        if (a->session.done == a->session.n_mails)
            return;
        verb(c, a, "RSET");
        buf_str(&c->text, eol(a));
        tell(c, a, t, CLIENT);
        reply(c, a, t, "250 2.0.0 Ok");
        return;
    }
    verb(c, a, "DATA");
    buf_str(&c->text, eol(a));
    tell(c, a, t, CLIENT);
    reply(c, a, t, "354 go on");
    message_header(c, a);
    message_body(c, a);
    buf_str(&c->text, ".\r\n");
    tell(c, a, t, CLIENT);
    answer(c, a->mail.final, true);
    tell(c, a, t, SERVER);
}

static void
farewell(struct capture_out *c, const struct actor *a, struct talk *t)
{
    if (!speakers[a->scenario->speaker].no_quit || a->session.inbound) {
        verb(c, a, "QUIT");
        buf_str(&c->text, eol(a));
        tell(c, a, t, CLIENT);
        reply(c, a, t, "221 2.0.0 bye");
    }
    send_packet(c, a, t, CLIENT, FIN | ACK, SPAN_NONE);
    send_packet(c, a, t, SERVER, FIN | ACK, SPAN_NONE);
    send_packet(c, a, t, CLIENT, ACK, SPAN_NONE);
}

void
capture_out_stage(void *capture, const struct actor *a)
{
    struct capture_out *c = capture;
    struct talk *t = &c->talks[2 * a->subject->number + a->abuses];

    if (t->when < a->next)
        t->when = a->next;
    switch (a->stage) {
    case STAGE_HELLO:
        t->seq[CLIENT] = (uint32_t)a->session.flow;
        t->seq[SERVER] = (uint32_t)(a->session.flow >> 8);
        if (!a->scenario->syn_only)
            hello(c, a, t);
        return;
    case STAGE_MAIL: mail(c, a, t); return;
    case STAGE_END:
        if (a->scenario->syn_only)
            send_packet(c, a, t, CLIENT, SYN, SPAN_NONE);
        else
            farewell(c, a, t);
        return;
    case STAGE_OVER: return;
    }
}

/* ---- the file ---- */

static int
by_time(const void *a, const void *b)
{
    const struct packet *x = a, *y = b;

    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void
write_packet(FILE *f, const struct capture_out *c, const struct packet *p)
{
    uint8_t head[16];

    put32(head, (uint32_t)(p->when / NS_PER_S));
    put32(head + 4, (uint32_t)(p->when % NS_PER_S / NS_PER_US));
    put32(head + 8, (uint32_t)p->n);
    put32(head + 12, (uint32_t)p->n);
    (void)fwrite(head, 1, sizeof(head), f);
    (void)fwrite(c->bytes.p + p->at, 1, p->n, f);
}

enum err
capture_out_write(struct capture_out *c, const char *file)
{
    static const uint8_t head[24] = {0xa1, 0xb2, 0xc3, 0xd4,     0,
                                     2,    0,    4,    [18] = 1, [23] = 1};
    FILE *f;
    bool bad;

    if (c->failed || c->bytes.failed)
        return ERR_NOMEM;
    if (c->bytes.cut)
        return ERR_LIMIT;
    f = fopen(file, "wb");
    if (f == NULL)
        return err_from_errno(errno);
    if (c->n > 0)
        qsort(c->packets, c->n, sizeof(*c->packets), by_time);
    (void)fwrite(head, 1, sizeof(head), f);
    for (size_t i = 0; i < c->n; i++)
        write_packet(f, c, &c->packets[i]);
    bad = ferror(f) != 0;
    return fclose(f) != 0 || bad ? ERR_IO : ERR_OK;
}

#include "tests/evaluate/actor.h"

#include <math.h>

#include "dissectors/mail_score.h"
#include "sensor/base/hash.h"
#include "tests/evaluate/rhythm.h"

#define FAVOURITES  20U /* organisations that it writes to again and again */
#define USERS_KNOWN 10U /* people it knows in each */
#define SENDERS     20U
#define STALE       .002 /* share of known recipients that are gone */
#define SEGMENT     1448U

const struct reply_row replies[REPLY_COUNT] = {
#define X(id, code, enhanced, class, text, list)                               \
    [REPLY_##id] = {code, enhanced, class, text, list},
#include "tests/evaluate/reply.def"
#undef X
};

static uint64_t
number_of(const struct scenario *s)
{
    return hash_span(span_str(s->name), 5);
}

static ns_t
seconds(double s)
{
    return s > 0 ? (ns_t)(s * (double)NS_PER_S) : 0;
}

/* ---- when ---- */

static double
rate_at(const struct actor *a, ns_t t)
{
    return a->onset > t ? a->scenario->quiet_rate : a->rate;
}

static ns_t
arrival(struct actor *a, ns_t after)
{
    const struct scenario *s = a->scenario;
    double batch = (s->batch.lo + s->batch.hi) / 2;
    const struct rhythm_of o = {
        .rhythm = s->rhythm,
        .mean_s = 3600 * (batch > 1 ? batch : 1) / rate_at(a, after),
        .phase = a->subject->number,
        .born = a->born,
    };

    if (s->bout > 0 && a->n_mails >= a->bout_end) {
        a->bout_end += s->bout;
        a->rests = after +
                   seconds(3600 * rng_uniform(&a->rng, s->rest.lo, s->rest.hi));
    }
    return rhythm_next(&a->rng, &o, after > a->rests ? after : a->rests);
}

/* ---- to whom ---- */

static uint32_t
favourite(const struct actor *a, uint64_t k)
{
    return (uint32_t)(hash_mix(hash_mix(a->seed, a->subject->number), k) %
                      WORLD_ORGS);
}

static uint32_t
draw_org(struct actor *a)
{
    if (rng_chance(&a->rng, a->scenario->fresh))
        return (uint32_t)rng_below(&a->rng, WORLD_ORGS);
    return favourite(a, rng_below(&a->rng, FAVOURITES));
}

static bool
is_known(const struct actor *a, uint32_t org)
{
    return (a->known[org / 64] >> org % 64 & 1) != 0;
}

/* Some servers ask block lists, the same ones for everybody. */
static bool
is_listed(const struct actor *a)
{
    double share = (double)(hash_mix(a->session.org.number, 31) % 1000) / 1000;

    return share < a->scenario->listed;
}

static enum reply
draw_first(struct actor *a)
{
    bool quiet = a->onset > a->session.start;

    if (is_listed(a))
        return REPLY_LISTED;
    if (rng_chance(&a->rng, quiet ? .01 : a->failing))
        return REPLY_UNKNOWN;
    if (rng_chance(&a->rng, a->scenario->full))
        return REPLY_FULL;
    if (a->session.org.greylists && !is_known(a, a->session.org.number))
        return REPLY_GREY;
    return REPLY_OK;
}

static void
draw_rcpt(struct actor *a, struct mail_rcpt *r)
{
    if (a->session.inbound || !rng_chance(&a->rng, a->scenario->first)) {
        r->user = rng_below(&a->rng, USERS_KNOWN);
        r->reply = rng_chance(&a->rng, STALE) ? REPLY_UNKNOWN : REPLY_OK;
        if (!a->session.inbound && is_listed(a))
            r->reply = REPLY_LISTED;
        return;
    }
    r->user = (uint64_t)a->subject->number << 32 | (++a->n_users + USERS_KNOWN);
    r->reply = draw_first(a);
}

static uint32_t
draw_count(struct actor *a, struct range r)
{
    return (uint32_t)rng_uniform(&a->rng, r.lo, r.hi + 1);
}

/* ---- mail ---- */

const struct content_row *
actor_content(const struct actor *a)
{
    return &contents[a->session.foul ? CONTENT_SPAM : a->scenario->content];
}

static void
draw_marks(struct actor *a, struct mail *m)
{
    const struct content_row *c = actor_content(a);

    m->marks = 0;
    for (unsigned i = 0; i < CONTENT_MARKS; i++) {
        if (rng_below(&a->rng, 1000) < c->marks[i].permille)
            m->marks |= UINT64_C(1) << c->marks[i].symbol;
    }
}

/* What the sensor adds for the replies and the way it was said. */
static void
seen_marks(const struct actor *a, struct mail *m)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];
    uint32_t unknown = 0, policy = 0;

    for (uint32_t i = 0; i < m->n_rcpts; i++) {
        unknown += m->rcpts[i].reply == REPLY_UNKNOWN;
        policy += m->rcpts[i].reply == REPLY_LISTED;
    }
    if (policy == m->n_rcpts || (m->sent && m->final == REPLY_POLICY))
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_REPLY_POLICY;
    if (m->n_rcpts >= 4 && unknown * 2 >= m->n_rcpts)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_REPLY_UNKNOWN;
    if (strcmp(s->helo_class, "fqdn") != 0)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_HELO;
    if (s->pipelines)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_UNOFFERED;
    if (m->null_sender)
        m->marks &= ~(UINT64_C(1) << MAIL_SYMBOL_SENDER_DIFFERS);
    if (s->pregreet)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_PREGREET;
    if (strcmp(s->eol, "lf") == 0)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_BARE_LF;
    if (m->malware && !m->lost)
        m->marks |= UINT64_C(1) << MAIL_SYMBOL_CLASS_A;
    if (!m->sent) /* nothing of the message was seen */
        m->marks &= UINT64_C(1) << MAIL_SYMBOL_REPLY_POLICY |
                    UINT64_C(1) << MAIL_SYMBOL_REPLY_UNKNOWN |
                    UINT64_C(1) << MAIL_SYMBOL_HELO |
                    UINT64_C(1) << MAIL_SYMBOL_PREGREET |
                    UINT64_C(1) << MAIL_SYMBOL_BARE_LF;
}

static void
add_score(struct mail *m)
{
    m->score = 0;
    for (unsigned i = 0; i < MAIL_SYMBOL_COUNT; i++) {
        if ((m->marks >> i & 1) != 0)
            m->score += mail_symbol_points((enum mail_symbol)i);
    }
}

/* A template differs from its own copies in at most one bit: words filled in.
 */
static uint64_t
draw_simhash(struct actor *a)
{
    const struct content_row *c = actor_content(a);
    uint64_t whose = c->shared ? number_of(a->scenario) : a->subject->number;
    uint64_t turn;

    if (c->turns == 0)
        return rng_next(&a->rng);
    turn = a->n_mails / (c->turns * 1000U);
    return hash_mix(hash_mix(a->seed, whose), turn) ^
           UINT64_C(1) << rng_below(&a->rng, 64);
}

static void
draw_fate(struct actor *a, struct mail *m)
{
    m->sent = m->deferred = false;
    for (uint32_t i = 0; i < m->n_rcpts; i++) {
        m->sent |= m->rcpts[i].reply == REPLY_OK;
        m->deferred |= m->rcpts[i].reply == REPLY_GREY;
    }
    m->final = m->sent ? REPLY_OK : m->rcpts[m->n_rcpts - 1].reply;
    if (m->sent && !a->session.inbound &&
        rng_chance(&a->rng, a->scenario->refused))
        m->final = REPLY_POLICY;
    m->delivered = m->sent && m->final == REPLY_OK;
    m->taken = 0;
    for (uint32_t i = 0; i < m->n_rcpts; i++)
        m->taken += m->rcpts[i].reply == REPLY_OK;
}

static void
lose_segments(struct actor *a, struct mail *m)
{
    m->lost_bytes = 0;
    for (uint32_t at = 0; m->sent && at < m->bytes; at += SEGMENT) {
        if (rng_chance(&a->rng, a->cond->loss))
            m->lost_bytes += m->bytes - at < SEGMENT ? m->bytes - at : SEGMENT;
    }
    m->lost = m->lost_bytes > 0;
}

/* Lost segments make holes in long messages, and replies go missing. */
static void
draw_faults(struct actor *a, struct mail *m)
{
    double kept = 1 - a->cond->loss;
    double segments = 6 + (m->sent ? m->bytes / SEGMENT : 0);

    m->lost = false;
    if (a->cond->loss > 0 && a->cond->each)
        lose_segments(a, m);
    else if (a->cond->loss > 0) {
        m->lost = !rng_chance(&a->rng, pow(kept, segments));
        m->lost_bytes = SEGMENT;
    }
    m->unanswered = a->session.oneway;
    for (uint32_t i = 0; a->cond->loss > 0 && i < m->n_rcpts; i++) {
        if (rng_chance(&a->rng, a->cond->loss))
            m->rcpts[i].reply = REPLY_UNSEEN;
    }
    if (m->lost && rng_chance(&a->rng, a->cond->loss))
        m->final = REPLY_UNSEEN;
}

static void
defer(struct actor *a, const struct mail *m)
{
    struct retry *r;
    uint32_t i = 0;

    if (!m->deferred || m->sent || a->n_retries == ACTOR_RETRIES ||
        !rng_chance(&a->rng, a->scenario->retries))
        return;
    while (m->rcpts[i].reply != REPLY_GREY)
        i++;
    r = &a->retries[a->n_retries++];
    r->due = a->next + seconds(rng_uniform(&a->rng, 300, 1800));
    r->org = a->session.org.number;
    r->user = m->rcpts[i].user;
    r->from = m->from;
}

/* Campaigns of organisations differ as those of hosts do. */
static double
malware_of(const struct actor *a)
{
    double odd = (double)(hash_mix(a->session.org.number, 37) % 1000) / 500;

    return a->session.foul ? a->scenario->foul_malware * odd : a->malware;
}

static void
draw_mail(struct actor *a)
{
    const struct content_row *c = actor_content(a);
    struct mail *m = &a->mail;

    m->null_sender = rng_chance(&a->rng, a->scenario->null_sender);
    m->from = a->abuses && a->scenario->speaker != SPEAKER_GOODBOT
                  ? rng_next(&a->rng)
                  : rng_below(&a->rng, SENDERS);
    m->n_rcpts = draw_count(a, a->scenario->recipients);
    for (uint32_t i = 0; i < m->n_rcpts; i++)
        draw_rcpt(a, &m->rcpts[i]);
    m->bytes = (uint32_t)(c->bytes * rng_lognormal(&a->rng, -.125, .5)) + 300;
    m->malware = rng_chance(&a->rng, malware_of(a));
    if (m->malware)
        m->bytes += a->scenario->malware_bytes;
    m->simhash = draw_simhash(a);
    m->queue_id = rng_next(&a->rng);
    draw_marks(a, m);
}

/* The waiting mail again: the same envelope, now known there. */
static void
take_retry(struct actor *a, struct retry r)
{
    a->known[r.org / 64] |= UINT64_C(1) << r.org % 64;
    draw_mail(a);
    a->mail.from = r.from;
    a->mail.n_rcpts = 1;
    a->mail.rcpts[0] = (struct mail_rcpt){r.user, REPLY_OK};
}

static void
finish_mail(struct actor *a)
{
    struct mail *m = &a->mail;

    draw_fate(a, m);
    defer(a, m);
    draw_faults(a, m);
    seen_marks(a, m);
    add_score(m);
    a->n_mails++;
    a->session.done++;
    a->session.sent += m->sent;
    a->session.rcpts += m->n_rcpts;
    a->session.bytes += 80 + 40 * m->n_rcpts + (m->sent ? m->bytes : 0);
    a->session.lost += m->lost ? m->lost_bytes : 0;
}

/* ---- connections ---- */

static uint64_t
draw_helo(struct actor *a)
{
    bool varies = a->abuses && a->scenario->label == LABEL_BOT &&
                  a->scenario->speaker != SPEAKER_GOODBOT &&
                  a->scenario->speaker % 2 == 0;

    if (varies)
        return rng_next(&a->rng);
    if (a->users > 0)
        return rng_below(&a->rng, a->users) + 1;
    return 0;
}

static bool
is_foul(const struct actor *a, uint32_t org)
{
    double odd = (double)(hash_mix(org, 41) % 1000) / 1000;

    return odd < a->scenario->foul;
}

static void
begin_session(struct actor *a)
{
    struct session *s = &a->session;
    bool is_retry = a->n_retries > 0 && a->retries[0].due <= a->next;
    uint32_t org = is_retry ? a->retries[0].org : draw_org(a);

    *s = (struct session){.start = a->next};
    s->inbound = !is_retry && rng_chance(&a->rng, a->scenario->serves);
    s->org = world_org(a->seed, org, a->subject->ipv6,
                       (uint32_t)rng_below(&a->rng, 8));
    s->foul = s->inbound && is_foul(a, org);
    s->flow = rng_next(&a->rng) >> 13;
    s->port = (uint16_t)(1024 + rng_below(&a->rng, 64000));
    s->tls = rng_chance(&a->rng, a->cond->tls);
    s->oneway = rng_chance(&a->rng, a->cond->oneway) || a->scenario->one_way;
    s->midstream = rng_chance(&a->rng, a->cond->midstream);
    s->helo = draw_helo(a);
    s->n_mails = is_retry || s->inbound ? 1 : draw_count(a, a->scenario->batch);
    s->bad = a->abuses && a->onset <= a->next;
    s->handshake = !s->oneway && !s->midstream;
    a->n_sessions++;
}

static void
drop_retry(struct actor *a)
{
    a->n_retries--;
    memmove(a->retries, a->retries + 1, a->n_retries * sizeof(a->retries[0]));
}

/* Mail of a connection follows at once; fast senders are faster. */
static ns_t
pause(struct actor *a)
{
    double gap = 3600 / a->rate / 4;

    return seconds(rng_uniform(&a->rng, .02, gap < .4 ? gap + .02 : .4));
}

static void
next_session(struct actor *a)
{
    ns_t t = arrival(a, a->session.start);

    /* Arrivals are of beginnings; who is still busy begins right after. */
    if (t <= a->next)
        t = a->next + NS_PER_MS;
    if (a->n_retries > 0 && a->retries[0].due < t)
        t = a->retries[0].due > a->next ? a->retries[0].due : a->next + 1;
    a->next = t;
    a->stage = STAGE_HELLO;
    if (t >= a->until || (a->cap > 0 && a->n_mails >= a->cap))
        a->stage = STAGE_OVER;
}

void
actor_draw(struct actor *a)
{
    switch (a->stage) {
    case STAGE_HELLO: begin_session(a); return;
    case STAGE_MAIL:
        if (a->n_retries > 0 && a->retries[0].due <= a->session.start &&
            a->retries[0].org == a->session.org.number) {
            struct retry r = a->retries[0];

            drop_retry(a);
            take_retry(a, r);
        } else
            draw_mail(a);
        finish_mail(a);
        return;
    case STAGE_END:
    case STAGE_OVER: return;
    }
}

void
actor_step(struct actor *a)
{
    switch (a->stage) {
    case STAGE_HELLO:
        a->stage = a->scenario->syn_only ? STAGE_END : STAGE_MAIL;
        a->next += pause(a);
        return;
    case STAGE_MAIL:
        a->stage =
            a->session.done < a->session.n_mails ? STAGE_MAIL : STAGE_END;
        a->next += pause(a);
        return;
    case STAGE_END: next_session(a); return;
    case STAGE_OVER: return;
    }
}

bool
actor_is_bad(const struct actor *a)
{
    return a->session.bad;
}

void
actor_init(struct actor *a, const struct actor_options *o)
{
    const struct scenario *s = o->scenario;

    memset(a, 0, sizeof(*a));
    a->scenario = s;
    a->cond = o->cond;
    a->subject = o->subject;
    a->seed = o->seed;
    rng_seed(&a->rng, o->seed, o->stream);
    a->cap = s->cap;
    a->rate = o->rate > 0 ? o->rate
                          : rng_log_uniform(&a->rng, s->rate.lo, s->rate.hi);
    if (s->rhythm == RHYTHM_OFFICE)
        a->rate *= RHYTHM_OFFICE_TIMES;
    a->failing = rng_uniform(&a->rng, s->failing.lo, s->failing.hi);
    a->malware = s->malware;
    if (s->spread > 0)
        a->malware *= s->spread * rng_gamma(&a->rng, 1 / s->spread);
    if (o->week > 0)
        rng_seed(&a->rng, hash_mix(o->seed, o->week), o->stream);
    a->bout_end = s->bout;
    a->abuses = o->abuses;
    a->users = o->users;
    a->born = o->born;
    a->onset = o->born + seconds(s->quiet_days * 86400);
    a->until = a->onset + seconds(s->days * 86400);
    a->next = a->session.start = o->born;
    next_session(a);
}

/* ---- texts ---- */

static void
hex(struct buf *out, uint64_t v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0;)
        buf_putc(out, (uint8_t) "0123456789abcdef"[v >> 4 * i & 15]);
}

static void
address_text(const struct addr *a, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    buf_put(out, text, addr_format(a, text));
}

static void
own_name(const struct actor *a, struct buf *out)
{
    buf_str(out, a->scenario->named ? "mail" : "host");
    buf_u64(out, a->subject->number);
    buf_str(out, ".home.example");
}

void
actor_helo(const struct actor *a, struct buf *out)
{
    const struct speaker_row *s = &speakers[a->scenario->speaker];

    if (a->session.inbound)
        world_server_name(&a->session.org, out);
    else if (strcmp(s->helo_class, "address") == 0)
        address_text(&a->subject->addr, out);
    else if (strcmp(s->helo_class, "bare_word") == 0) {
        buf_str(out, "pc-");
        hex(out, hash_mix(a->subject->number, a->session.helo), 6);
    } else if (a->session.helo != 0) {
        buf_str(out, "dsl-");
        hex(out, a->session.helo, 8);
        buf_str(out, ".isp.example");
    } else
        own_name(a, out);
}

static void
bracket(const struct actor *a, struct buf *out, uint8_t c)
{
    if (a->session.inbound || !speakers[a->scenario->speaker].no_brackets)
        buf_putc(out, c);
}

void
actor_sender(const struct actor *a, struct buf *out)
{
    if (a->mail.null_sender) {
        buf_str(out, "<>");
        return;
    }
    bracket(a, out, '<');
    buf_putc(out, 's');
    hex(out, a->mail.from, 8);
    buf_putc(out, '@');
    if (a->session.inbound)
        world_domain(&a->session.org, out);
    else
        own_name(a, out);
    bracket(a, out, '>');
}

void
actor_rcpt(const struct actor *a, uint64_t user, struct buf *out)
{
    bracket(a, out, '<');
    buf_putc(out, 'u');
    hex(out, user, 12);
    buf_putc(out, '@');
    if (a->session.inbound)
        own_name(a, out);
    else
        world_domain(&a->session.org, out);
    bracket(a, out, '>');
}

#include "dissectors/smtp_session.h"

#include "dissectors/mail_score.h"

#define TOO_MUCH "too much waited for inspections"

/* The facts of a mail, with texts of its own. */
struct late_mail {
    struct mail_facts facts;
    size_t bytes; /* of all this */
    uint8_t text[];
};

/* One record that waits. */
struct late_node {
    struct late_node *next;
    struct parts *ps;       /* of a part or mail */
    struct part *part;      /* NULL: not of a part */
    struct late_mail *mail; /* NULL: not of a mail */
    enum event_type type;
    struct vec entries; /* coded, up to those that wait */
    bool silent;        /* there is no record */
};

/* A flow of which records wait. */
struct smtp_late {
    struct smtp_late *next, **link; /* of all of a worker */
    struct smtp_ctx *ctx;
    struct smtp *s; /* NULL: its session has ended */
    uint64_t flow_id;
    uint32_t seq; /* of the next record that is given out */
    struct late_node *first, **last;
};

/* ---- giving out ---- */

static void
put(struct smtp_late *l, const struct late_node *n, ns_t now)
{
    struct smtp_ctx *c = l->ctx;
    struct record_out *r = &c->late_rec;
    const struct record_head head = {
        .when = now, .flow_id = l->flow_id, .seq = l->seq++, .type = n->type};

    record_begin(r, &head);
    record_entries(r, vec_view(&n->entries));
    if (n->part != NULL)
        part_emit(n->part, smtp_parts_tx(n->ps), r);
    if (n->mail != NULL) {
        smtp_parts_emit(n->ps, r);
        smtp_parts_facts(n->ps, &n->mail->facts);
        smtp_score_emit(&n->mail->facts, r);
    }
    if (r->left_out > 0)
        c->stats.records_cut++;
    c->stats.late++;
    c->sink.put(c->sink.ctx, record_view(r));
}

static void
free_node(struct smtp_ctx *c, struct late_node *n)
{
    part_free(n->part);
    if (n->mail != NULL)
        mem_free(&c->late_mem, n->mail, n->mail->bytes);
    if (n->ps != NULL)
        smtp_parts_let_go(n->ps);
    vec_free(&n->entries, &c->late_mem);
    mem_free(&c->late_mem, n, sizeof(*n));
    c->n_late--;
}

static void
drop_first(struct smtp_late *l)
{
    struct late_node *n = l->first;

    l->first = n->next;
    if (l->first == NULL)
        l->last = &l->first;
    free_node(l->ctx, n);
}

static void
give(struct smtp_late *l, struct late_node *n, ns_t now)
{
    const bool told =
        n->part == NULL || (!n->silent && smtp_parts_note(n->ps, n->part));

    if (told)
        put(l, n, now);
}

static void
end(struct smtp_late *l)
{
    if (l->s != NULL) {
        l->s->flow->next_seq = l->seq;
        l->s->late = NULL;
    }
    *l->link = l->next;
    if (l->next != NULL)
        l->next->link = l->link;
    mem_free(&l->ctx->late_mem, l, sizeof(*l));
}

/* Up to the first part that still waits. */
static void
release(struct smtp_late *l, ns_t now)
{
    struct late_node *n;

    while ((n = l->first) != NULL &&
           (n->part == NULL || !part_is_waiting(n->part))) {
        give(l, n, now);
        drop_first(l);
    }
    if (l->first == NULL)
        end(l);
}

static void
give_up(struct smtp_late *l)
{
    for (struct late_node *n = l->first; n != NULL; n = n->next) {
        if (n->part == NULL || !part_is_waiting(n->part))
            continue;
        part_give_up(n->part, TOO_MUCH);
        l->ctx->stats.late_refused++;
    }
    release(l, l->ctx->now);
}

void
smtp_part_settled(struct smtp_ctx *c, struct part *p, ns_t now)
{
    const struct parts *ps = part_owner(p);

    (void)c;
    release(smtp_parts_late(ps), now);
}

/* ---- what waits ---- */

static bool
is_full(const struct smtp_ctx *c)
{
    return c->n_late >= LIMIT_smtp_late_records ||
           c->late_mem.used + RECORD_MAX > c->late_mem.max;
}

static struct smtp_late *
begin(struct smtp *s)
{
    struct smtp_ctx *c = s->ctx;
    struct smtp_late *l = mem_new(&c->late_mem, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->ctx = c;
    l->s = s;
    l->flow_id = s->flow->id;
    l->seq = s->flow->next_seq;
    l->last = &l->first;
    l->next = c->late;
    l->link = &c->late;
    if (l->next != NULL)
        l->next->link = &l->next;
    c->late = l;
    s->late = l;
    return l;
}

/* A new last one, with the record in ctx->rec, or none. */
static struct late_node *
append(struct smtp_late *l, struct span record)
{
    struct smtp_ctx *c = l->ctx;
    struct late_node *n = mem_new(&c->late_mem, sizeof(*n));
    const struct span entries = span_tail(record, RECORD_HEAD);

    if (n == NULL)
        return NULL;
    if (entries.n > 0 &&
        (!vec_reserve_exact(&n->entries, &c->late_mem, entries.n) ||
         !vec_put(&n->entries, &c->late_mem, entries.p, entries.n))) {
        mem_free(&c->late_mem, n, sizeof(*n));
        return NULL;
    }
    if (record.n > 0)
        n->type = record_head_of(record).type;
    *l->last = n;
    l->last = &n->next;
    c->n_late++;
    return n;
}

void
smtp_late_make_room(struct smtp *s)
{
    if (is_full(s->ctx))
        give_up(s->late);
}

/* Without memory, which make_room has seen to, it would come in another order:
 * it is counted like one that was cut. */
bool
smtp_late_record(struct smtp *s)
{
    if (append(s->late, record_view(&s->ctx->rec)) == NULL)
        s->ctx->stats.records_cut++;
    return true;
}

static struct span
keep(uint8_t **room, struct span text)
{
    const struct span kept = {text.p != NULL ? *room : NULL, text.n};

    if (text.n > 0)
        memcpy(*room, text.p, text.n);
    *room += text.n;
    return kept;
}

static struct late_mail *
keep_facts(struct smtp_ctx *c, const struct mail_facts *f)
{
    const size_t n = f->from.n + f->reply_to.n + f->subject.n +
                     f->message_id.n + f->mail_from.n + 1;
    struct late_mail *m = mem_new(&c->late_mem, sizeof(*m) + n);
    uint8_t *room;

    if (m == NULL)
        return NULL;
    room = m->text;
    m->bytes = sizeof(*m) + n;
    m->facts = *f;
    m->facts.from = keep(&room, f->from);
    m->facts.reply_to = keep(&room, f->reply_to);
    m->facts.subject = keep(&room, f->subject);
    m->facts.message_id = keep(&room, f->message_id);
    m->facts.mail_from = keep(&room, f->mail_from);
    return m;
}

bool
smtp_late_mail(struct smtp *s, struct parts *ps, const struct mail_facts *f)
{
    struct late_node *n;

    if (s->late == NULL)
        return false;
    if (s->ctx->rec.left_out > 0)
        s->ctx->stats.records_cut++;
    n = append(s->late, record_view(&s->ctx->rec));
    if (n == NULL) {
        s->ctx->stats.records_cut++;
        return true;
    }
    n->mail = keep_facts(s->ctx, f);
    if (n->mail != NULL) {
        n->ps = ps;
        smtp_parts_hold(ps, s->late);
    }
    return true;
}

/* The record's beginning is coded now: what it says of the flow is of now. Its
 * number is another's if there is none after all. */
static struct late_node *
append_part(struct smtp *s, const struct tx *t, bool silent)
{
    if (silent)
        return append(s->late, SPAN_NONE);
    return append(s->late, record_view(smtp_record(s, EVENT_FILEINFO, t)));
}

bool
smtp_late_part(struct smtp *s, const struct tx *t, struct part *p, bool silent)
{
    struct late_node *n;

    if (s->late == NULL && !part_is_waiting(p))
        return false;
    if (s->late != NULL)
        smtp_late_make_room(s);
    if ((s->late != NULL || part_is_waiting(p)) && !is_full(s->ctx) &&
        (s->late != NULL || begin(s) != NULL)) {
        n = append_part(s, t, silent);
        if (n != NULL) {
            n->part = p;
            n->ps = part_owner(p);
            n->silent = silent;
            smtp_parts_hold(n->ps, s->late);
            return true;
        }
        give_up(s->late);
    }
    if (part_is_waiting(p)) {
        part_give_up(p, TOO_MUCH);
        s->ctx->stats.late_refused++;
    }
    return false;
}

/* ---- life ---- */

void
smtp_late_leave(struct smtp *s)
{
    if (s->late != NULL)
        s->late->s = NULL;
}

uint32_t
smtp_late_waiting(const struct smtp_ctx *c)
{
    return c->n_late;
}

void
smtp_late_free(struct smtp_ctx *c)
{
    while (c->late != NULL) {
        struct smtp_late *l = c->late;

        while (l->first != NULL)
            drop_first(l);
        end(l);
    }
}

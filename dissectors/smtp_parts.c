#include "dissectors/smtp_session.h"

#include "dissectors/filename.h"
#include "dissectors/mail_score.h"
#include "dissectors/password.h"
#include "dissectors/simhash.h"

#define SIMHASH_SEED UINT64_C(0x7370616e3235) /* read: a fixed one */

/* What is kept of a part that was told, to know it again in another reading. */
struct told {
    uint64_t identity;
    uint64_t offset;
};

struct parts {
    struct smtp *s; /* NULL: the message is told, but for what waits */
    struct mem *mem;
    struct smtp_late *late; /* while something of it waits: smtp_late.c */
    uint32_t n_waiting;     /* there */
    struct tx *t;
    uint32_t tx_id;
    struct mime *mime;    /* NULL once the message has ended */
    uint64_t odds;        /* and what it said then */
    uint64_t fingerprint; /* of the first body */
    uint32_t n_leaves;
    uint32_t n_more;
    struct url_set urls;
    struct vec names;    /* of attachments: u16 length, bytes */
    struct vec told;     /* struct told */
    struct vec texts[2]; /* of bodies: plain, HTML; what is kept of them */
    uint64_t charged;    /* of urls */
    struct part_budget budget;
    uint64_t
        readings[4]; /* a bit for each number that gives a part of its own */
    uint32_t n_names;
    uint8_t classes; /* of all findings */
    bool has_body, has_text, has_html, has_attachment, gtube;
    bool has_fingerprint;
    bool keeps_texts; /* there may be more than one part */
    bool locked;      /* something needs a password */
    bool password;    /* and a text gives one */
    bool met_reading; /* another than the first */
    bool undone;      /* there was no message after all */
    uint64_t text_bytes;
    struct part *body; /* the first one: its text is fingerprinted */
    struct simhash *simhash;
};

/* ---- what the MIME reader tells ---- */

static void *
part_begin(void *ctx, const struct mime_part *m)
{
    struct parts *ps = ctx;
    struct part *p = NULL;

    if (part_new(ps->s->ctx->part_ctx, ps->mem, &ps->budget, m, ps, &p) !=
        ERR_OK) {
        smtp_odd(ps->s, ANOM_NO_MEMORY, DIR_C2S);
        return NULL;
    }
    ps->keeps_texts |= m->depth > 0;
    if (!ps->has_body && part_is_body(p)) {
        ps->has_body = true;
        ps->simhash = mem_new(ps->mem, sizeof(*ps->simhash));
        if (ps->simhash != NULL) {
            simhash_init(ps->simhash, SIMHASH_SEED, part_is_html(p));
            ps->body = p;
        }
    }
    return p;
}

static void
keep_text(struct parts *ps, bool html, struct span in)
{
    struct vec *v = &ps->texts[html];

    in = span_head(in, LIMIT_smtp_password_text - v->n);
    if (in.n > 0)
        (void)vec_put(v, ps->mem, in.p, in.n);
}

static void
on_data(void *part, struct span decoded)
{
    struct parts *ps = part_owner(part);

    if (ps->keeps_texts && part_is_body(part))
        keep_text(ps, part_is_html(part), decoded);
    if (part == ps->body)
        simhash_push(ps->simhash, decoded);
    part_data(part, decoded);
}

static void
on_gap(void *part, uint64_t lost)
{
    part_gap(part, lost);
}

static void *
on_fork(void *part)
{
    return part_fork(part);
}

/* The same bytes at the same place, read in another way to the same end. */
static bool
was_told(struct parts *ps, const struct part *p)
{
    struct told me = {part_identity(p), part_offset(p)};
    const struct told *all = (const struct told *)(const void *)ps->told.p;
    size_t n = ps->told.n / sizeof(*all);

    ps->met_reading |= part_reading(p) > 0;
    if (ps->met_reading) {
        for (size_t i = n > LIMIT_smtp_parts_told ? n - LIMIT_smtp_parts_told
                                                  : 0;
             i < n; i++) {
            if (all[i].identity == me.identity && all[i].offset == me.offset)
                return true;
        }
    }
    (void)vec_put(&ps->told, ps->mem, &me, sizeof(me));
    return false;
}

static void
note_name(struct parts *ps, struct span name)
{
    uint8_t room[LIMIT_smtp_attachment_name];
    uint16_t n;

    name = filename_shorten(name, sizeof(room), room);
    n = (uint16_t)name.n;
    if (n == 0 || ps->n_names >= LIMIT_smtp_attachments ||
        !vec_reserve(&ps->names, ps->mem, sizeof(n) + name.n))
        return;
    (void)vec_put(&ps->names, ps->mem, &n, sizeof(n));
    (void)vec_put(&ps->names, ps->mem, name.p, name.n);
    ps->n_names++;
}

/* Without room for more they are counted only. */
static void
note_urls(struct parts *ps, const struct part *p)
{
    const struct url_set *urls = part_urls(p);
    struct cursor c = cur_open(buf_view(&urls->text));
    struct mem *m = ps->mem;
    uint64_t most = 2 * ((uint64_t)ps->urls.text.n + urls->text.n);
    struct span url;

    ps->urls.n_more += urls->n_more;
    if (m->used + most > m->max) {
        m->refused++;
        ps->urls.n_more += urls->n;
        return;
    }
    while (url_next(&c, &url))
        url_set_add(&ps->urls, url);
    m->used += ps->urls.text.cap - ps->charged;
    ps->charged = ps->urls.text.cap;
}

/* Excel opens what has the password that it tries by itself. */
static bool
is_locked(const struct findings *f)
{
    static const enum finding locks[] = {
        FIND_ENCRYPTED_ARCHIVE, FIND_ENCRYPTED_ARCHIVE_WITH_ARCHIVE,
        FIND_ENCRYPTED_NAMES, FIND_ENCRYPTED_DOCUMENT};
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(locks); i++)
        any |= findings_has(f, locks[i]);
    return any && !findings_has(f, FIND_DEFAULT_PASSWORD);
}

static void
note_facts(struct parts *ps, const struct part *p)
{
    const struct findings *f = part_findings(p);

    ps->classes |= (uint8_t)findings_classes(f);
    ps->gtube |= findings_has(f, FIND_GTUBE);
    ps->has_attachment |= part_is_attachment(p);
    ps->locked |= is_locked(f);
    if (!part_is_body(p))
        return;
    ps->has_html |= part_is_html(p);
    ps->has_text |= !part_is_html(p);
    ps->text_bytes += part_size(p);
}

static void
end_body(struct parts *ps)
{
    if (ps->body != NULL)
        ps->has_fingerprint = simhash_end(ps->simhash, &ps->fingerprint);
    ps->body = NULL;
    mem_free(ps->mem, ps->simhash, sizeof(*ps->simhash));
    ps->simhash = NULL;
}

/* Before the event, which says whether it was. */
static void
carve(struct parts *ps, struct part *p)
{
    const struct carve c = {
        .name = part_name(p),
        .type = part_type(p),
        .class = part_class(p),
        .sha256 = part_sha256(p),
        .size = part_size(p),
    };

    if (ps->s->ctx->carve_parts && part_is_attachment(p) &&
        smtp_carve(ps->s, &c, part_bytes(p)))
        part_set_stored(p);
}

/* What does not depend on what is in it. */
static void
note_place(struct parts *ps, const struct part *p)
{
    uint8_t k = part_reading(p);

    ps->readings[k / 64] |= UINT64_C(1) << (k % 64);
    if (part_is_attachment(p))
        note_name(ps, part_name(p));
}

bool
smtp_parts_note(struct parts *ps, const struct part *p)
{
    note_urls(ps, p);
    note_facts(ps, p);
    return part_is_reported(p);
}

static void
tell(struct parts *ps, struct part *p)
{
    struct record_out *r;

    if (!smtp_parts_note(ps, p))
        return;
    carve(ps, p);
    r = smtp_record(ps->s, EVENT_FILEINFO, ps->t);
    part_emit(p, ps->tx_id, r);
    smtp_record_done(ps->s);
}

/* True: it is kept until it can be told. */
static bool
take(struct parts *ps, struct part *p)
{
    const bool known = was_told(ps, p);

    if (!known)
        note_place(ps, p);
    if (smtp_late_part(ps->s, ps->t, p, known))
        return true;
    if (!known)
        tell(ps, p);
    return false;
}

static void
on_end(void *part, const struct mime_part_end *e)
{
    struct part *p = part;
    struct parts *ps = part_owner(p);
    bool kept = false;

    if (!ps->undone) {
        part_end(p, e);
        if (ps->keeps_texts && part_is_body(p))
            keep_text(ps, part_is_html(p), SPAN_LIT("\n\n"));
        ps->s->ctx->stats.parts++;
        ps->s->ctx->stats.part_bytes += part_size(p);
        kept = take(ps, p);
    }
    if (p == ps->body)
        end_body(ps);
    if (!kept)
        part_free(p);
}

static bool
has_name(const struct parts *ps, struct span name)
{
    struct cursor c = cur_open(vec_view(&ps->names));
    bool found = false;

    while (!found && cur_left(&c) > 0) {
        uint16_t n = cur_le16(&c);

        found = span_eq(cur_take(&c, n), name);
    }
    return found;
}

/* In another reading it may be the same one, met again. */
static void
on_message(void *ctx, const struct mime_part *m)
{
    struct parts *ps = ctx;
    struct span name = m->n_names > 0 ? m->names[0].text : SPAN_NONE;

    ps->has_attachment = true;
    if (m->reading == 0 || !has_name(ps, name))
        note_name(ps, name);
}

/* ---- a password ---- */

static void
forget_texts(struct parts *ps)
{
    for (size_t i = 0; i < ARRAY_LEN(ps->texts); i++) {
        if (ps->texts[i].n > 0)
            explicit_bzero(ps->texts[i].p, ps->texts[i].n);
        vec_free(&ps->texts[i], ps->mem);
    }
}

/* When the message has ended, for text and archive come in any order, and all
 * of it is inspected. */
static void
look_for_password(struct parts *ps)
{
    for (size_t i = 0; i < ARRAY_LEN(ps->texts) && ps->locked; i++)
        ps->password |= password_given(vec_view(&ps->texts[i]), i != 0);
    forget_texts(ps);
}

static const struct mime_ops ops = {
    .part_begin = part_begin,
    .part_data = on_data,
    .part_gap = on_gap,
    .part_fork = on_fork,
    .part_end = on_end,
    .message = on_message,
};

/* ---- life ---- */

struct parts *
smtp_parts_new(struct smtp *s, struct tx *t)
{
    struct parts *ps;
    struct mime_options o = {.ops = &ops, .charset = &s->ctx->charset};

    if (s->ctx->part_ctx == NULL)
        return NULL;
    ps = mem_new(smtp_content(s), sizeof(*ps));
    if (ps == NULL)
        return NULL;
    o.ctx = ps;
    ps->s = s;
    ps->mem = smtp_content(s);
    ps->t = t;
    ps->tx_id = t->id;
    url_set_init(&ps->urls);
    if (mime_new(&o, smtp_content(s), &ps->mime) != ERR_OK) {
        mem_free(smtp_content(s), ps, sizeof(*ps));
        return NULL;
    }
    return ps;
}

static void
free_parts(struct parts *ps)
{
    ps->mem->used -= ps->charged;
    url_set_free(&ps->urls);
    vec_free(&ps->names, ps->mem);
    forget_texts(ps);
    mem_free(ps->mem, ps, sizeof(*ps));
}

void
smtp_parts_free(struct parts *ps)
{
    if (ps == NULL)
        return;
    ps->undone = true;
    mime_free(ps->mime);
    ps->mime = NULL;
    end_body(ps);
    vec_free(&ps->told, ps->mem);
    ps->s = NULL;
    ps->t = NULL;
    if (ps->n_waiting == 0)
        free_parts(ps);
}

void
smtp_parts_hold(struct parts *ps, struct smtp_late *late)
{
    ps->late = late;
    ps->n_waiting++;
    if (ps->mime == NULL)
        return;
    ps->odds = mime_odds(ps->mime);
    ps->n_leaves = mime_parts(ps->mime);
    ps->n_more = mime_parts_more(ps->mime);
}

void
smtp_parts_let_go(struct parts *ps)
{
    REQUIRE(ps->n_waiting > 0);
    ps->n_waiting--;
    if (ps->n_waiting > 0)
        return;
    ps->late = NULL;
    if (ps->s == NULL)
        free_parts(ps);
}

struct smtp_late *
smtp_parts_late(const struct parts *ps)
{
    return ps->late;
}

uint32_t
smtp_parts_tx(const struct parts *ps)
{
    return ps->tx_id;
}

void
smtp_parts_data(struct parts *ps, struct span in)
{
    if (ps != NULL && ps->mime != NULL)
        mime_data(ps->mime, in);
}

void
smtp_parts_gap(struct parts *ps, uint64_t lost)
{
    if (ps != NULL && ps->mime != NULL)
        mime_gap(ps->mime, lost);
}

/* The reply may be long in coming: what waits for it is small. */
void
smtp_parts_end(struct parts *ps, bool complete)
{
    if (ps == NULL || ps->mime == NULL)
        return;
    mime_end(ps->mime, complete);
    ps->odds = mime_odds(ps->mime);
    ps->n_leaves = mime_parts(ps->mime);
    ps->n_more = mime_parts_more(ps->mime);
    mime_free(ps->mime);
    ps->mime = NULL;
    vec_free(&ps->told, ps->mem);
    if (ps->n_waiting == 0)
        look_for_password(ps);
}

/* ---- fields of the mail ---- */

static uint64_t
odds_of(const struct parts *ps)
{
    return ps->mime != NULL ? mime_odds(ps->mime) : ps->odds;
}

static void
emit_urls(const struct parts *ps, struct record_out *r)
{
    struct cursor c = cur_open(buf_view(&ps->urls.text));
    struct span url;

    while (url_next(&c, &url))
        record_str(r, FIELD_EMAIL_URL, url);
    if (ps->urls.n + ps->urls.n_more > 0)
        record_u64(r, FIELD_EMAIL_URLS, (uint64_t)ps->urls.n + ps->urls.n_more);
}

static void
emit_names(const struct parts *ps, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&ps->names));

    while (cur_left(&c) > 0) {
        uint16_t n = cur_le16(&c);

        record_str(r, FIELD_EMAIL_ATTACHMENT, cur_take(&c, n));
    }
}

static void
emit_simhash(const struct parts *ps, struct record_out *r)
{
    uint8_t bytes[8];
    struct buf hex;

    if (!ps->has_fingerprint)
        return;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(ps->fingerprint >> (56 - 8 * i));
    buf_init(&hex, 16);
    text_hex(&hex, span_of(bytes, 8));
    record_str(r, FIELD_EMAIL_SIMHASH, buf_view(&hex));
    buf_free(&hex);
}

/* The first reading, and those that give parts which none before gave. */
static unsigned
count_readings(const struct parts *ps)
{
    unsigned n = (ps->readings[0] & 1) == 0;

    for (size_t i = 0; i < ARRAY_LEN(ps->readings); i++)
        n += (unsigned)__builtin_popcountll(ps->readings[i]);
    return n;
}

void
smtp_parts_emit(struct parts *ps, struct record_out *r)
{
    unsigned n_readings;
    uint32_t n_more;
    uint64_t odds;

    if (ps == NULL)
        return;
    odds = odds_of(ps);
    emit_urls(ps, r);
    emit_names(ps, r);
    record_u64(r, FIELD_EMAIL_PARTS,
               ps->mime != NULL ? mime_parts(ps->mime) : ps->n_leaves);
    n_more = ps->mime != NULL ? mime_parts_more(ps->mime) : ps->n_more;
    if (n_more > 0)
        record_u64(r, FIELD_EMAIL_PARTS_MORE, n_more);
    n_readings = count_readings(ps);
    if (n_readings > 1)
        record_u64(r, FIELD_EMAIL_READINGS, n_readings);
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        if ((odds >> i & 1U) != 0)
            record_text(r, FIELD_EMAIL_MIME, mime_odd_name((enum mime_odd)i));
    }
    emit_simhash(ps, r);
    if (ps->mime == NULL)
        look_for_password(ps);
    if (ps->password)
        record_bool(r, FIELD_EMAIL_PASSWORD_GIVEN, true);
}

/* Does a link lead to a bare address? */
static bool
has_address_link(const struct parts *ps)
{
    struct cursor c = cur_open(buf_view(&ps->urls.text));
    struct span url;
    bool found = false;

    while (!found && url_next(&c, &url)) {
        struct addr a;
        struct buf host;

        buf_init(&host, 256);
        found = url_host(url, &host) && addr_parse(buf_view(&host), &a);
        buf_free(&host);
    }
    return found;
}

const char *
smtp_parts_class(const struct parts *ps)
{
    static const char *const names[] = {"A", "B", "C", "D"};

    return ps != NULL && ps->classes != 0 ? names[__builtin_ctz(ps->classes)]
                                          : NULL;
}

void
smtp_parts_facts(const struct parts *ps, struct mail_facts *f)
{
    static const uint64_t unseen = UINT64_C(1) << MIME_ODD_READINGS_CUT |
                                   UINT64_C(1) << MIME_ODD_TOO_MANY_PARTS;
    uint64_t odds = odds_of(ps);

    for (unsigned i = 0; i < MIME_ODD_COUNT; i++)
        f->ambiguous |=
            (odds >> i & 1U) != 0 && mime_odd_is_fork((enum mime_odd)i);
    f->has_text = ps->has_text;
    f->has_html = ps->has_html;
    f->has_attachment = ps->has_attachment;
    f->text_bytes = ps->text_bytes;
    f->classes = ps->classes;
    if ((odds & unseen) != 0)
        f->classes |= 1U << FINDING_D;
    f->gtube = ps->gtube;
    f->n_links = ps->urls.n + ps->urls.n_more;
    f->link_to_address = has_address_link(ps);
}

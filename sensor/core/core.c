#include "sensor/core/core.h"

#include "rules/answers.h"
#include "rules/detect.h"
#include "rules/registry/policy.h"
#include "rules/registry/requirements.h"
#include "rules/verdicts.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/core/attempts.h"
#include "sensor/core/geo.h"
#include "sensor/event/json_write.h"
#include "sensor/journal/journal.h"

#include <stdlib.h>

#define CONTROLS_FROM                                                          \
    65536U /* numbers of what takes force on the way; those                    \
            * of start and end are below */

#define MAIL_PORT 25 /* where an event has none */

/* The two hosts of an event, client and server, each looked up and judged
 * once. */
struct ends {
    struct addr addr[2];
    struct place_host host[2];
    struct book_verdict verdict[2];
    bool there[2];
    bool judged[2];
    uint16_t port;
};

struct core {
    struct core_options o;
    struct attempts *attempts;
    struct json_writer *writer;
    struct record_out extra;
    struct record_out event;
    struct buf line;
    uint64_t n_events;
    uint64_t id_seed;
    uint32_t n_controls;
    ns_t last;
    struct ends ends; /* of the event at hand */
    bool concluded;   /* it tells of a host, and perhaps of an earlier lease:
                       * which one, it says itself */
    bool started;
    bool ended;    /* no more records of flows */
    unsigned shed; /* kinds, a bit each */
    struct core_unkept unkept;
    enum err error;
};

enum err
core_new(const struct core_options *o, struct core **out)
{
    struct core *c = calloc(1, sizeof(*c));
    enum err e = ERR_NOMEM;

    if (c == NULL)
        return ERR_NOMEM;
    c->o = *o;
    c->id_seed = hash_span(span_str(o->sensor), 0);
    record_init(&c->extra);
    record_init(&c->event);
    buf_init(&c->line, JSON_LINE_MAX);
    c->writer = malloc(sizeof(*c->writer));
    if (c->writer != NULL) {
        json_writer_init(c->writer);
        e = attempts_new(&c->attempts);
    }
    if (e != ERR_OK) {
        core_free(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

void
core_free(struct core *c)
{
    if (c == NULL)
        return;
    attempts_free(c->attempts);
    record_free(&c->extra);
    record_free(&c->event);
    buf_free(&c->line);
    free(c->writer);
    free(c);
}

uint64_t
core_n_events(const struct core *c)
{
    return c->n_events;
}

ns_t
core_time(const struct core *c)
{
    return c->last;
}

enum err
core_error(const struct core *c)
{
    return c->error;
}

void
core_shed(struct core *c, unsigned kinds)
{
    c->shed = kinds;
}

struct core_unkept
core_unkept(const struct core *c)
{
    return c->unkept;
}

/* ---- what the core adds ---- */

#define ID_HEX 16

struct event_id {
    uint8_t hex[ID_HEX];
};

/* Of the event with this head. */
static struct span
event_id(const struct core *c, const struct record_head *h,
         struct event_id *room)
{
    /* Without a flow, each kind of event counts for itself. */
    uint64_t kind = h->flow_id == 0 ? (uint64_t)h->type << 32 : 0;
    uint64_t words[3] = {h->flow_id, kind | h->seq,
                         h->flow_id == 0 ? h->when : 0};
    uint64_t id =
        __builtin_bswap64(hash_span(span_of(words, sizeof(words)), c->id_seed));
    struct buf hex = {room->hex, 0, ID_HEX, ID_HEX, false, false};

    text_hex(&hex, span_of(&id, sizeof(id)));
    return buf_view(&hex);
}

static void
add_id(struct core *c, const struct record_head *h)
{
    struct event_id room;

    record_str(&c->extra, FIELD_EVENT_ID, event_id(c, h, &room));
}

/* What is told of an address by the registry. */
struct reg_fields {
    enum field state, site, line_state, form, line, fit, protect;
};

static const struct reg_fields src_reg = {
    FIELD_SRC_REG_STATE,     FIELD_SRC_REG_SITE, FIELD_SRC_REG_LINE_STATE,
    FIELD_SRC_REG_FORM,      FIELD_SRC_REG_LINE, FIELD_SRC_REG_FIT,
    FIELD_SRC_REG_PROTECTED,
};
static const struct reg_fields dest_reg = {
    FIELD_DEST_REG_STATE,     FIELD_DEST_REG_SITE, FIELD_DEST_REG_LINE_STATE,
    FIELD_DEST_REG_FORM,      FIELD_DEST_REG_LINE, FIELD_DEST_REG_FIT,
    FIELD_DEST_REG_PROTECTED,
};

static const char *const fit_words[] = {NULL, "other_port", "other_direction"};

static void
add_line(struct core *c, const struct book_verdict *v,
         const struct reg_fields *f)
{
    const struct form *form = &v->line->form->form;
    const char *site = form->text[FORM_SITE];

    if (site != NULL)
        record_text(&c->extra, f->site, site);
    record_text(&c->extra, f->line_state, book_word(v->state));
    record_text(&c->extra, f->form, form->number);
    record_u64(&c->extra, f->line, v->line->line->number);
    if (fit_words[v->fit] != NULL)
        record_text(&c->extra, f->fit, fit_words[v->fit]);
}

static void
add_state(struct core *c, unsigned end, enum form_use use, ns_t when,
          const struct reg_fields *f)
{
    struct book_verdict *v = &c->ends.verdict[end];

    if (c->o.place.book == NULL || !c->ends.host[end].home)
        return;
    *v = book_judge(c->o.place.book, &c->ends.addr[end], c->ends.port, use,
                    when);
    c->ends.judged[end] = true;
    record_text(&c->extra, f->state,
                v->registered ? "registered" : "unregistered");
    if (v->line != NULL)
        add_line(c, v, f);
    if (v->protect)
        record_bool(&c->extra, f->protect, true);
}

static const struct book_verdict *
verdict_of(const struct core *c, unsigned end)
{
    return c->ends.judged[end] ? &c->ends.verdict[end] : NULL;
}

/* What is told of where a host stands. */
struct host_fields {
    enum field site, pool, lease;
};

static const struct host_fields src_host = {
    FIELD_SRC_HOST_SITE, FIELD_SRC_HOST_POOL, FIELD_SRC_HOST_LEASE};
static const struct host_fields dest_host = {
    FIELD_DEST_HOST_SITE, FIELD_DEST_HOST_POOL, FIELD_DEST_HOST_LEASE};

static void
add_host(struct core *c, const struct place_host *h,
         const struct host_fields *f)
{
    uint8_t room[ID_HEX];
    struct buf hex = {room, 0, ID_HEX, ID_HEX, false, false};
    uint64_t id;

    if (h->site != NULL)
        record_text(&c->extra, f->site, h->site->code);
    if (h->pool != NULL)
        record_text(&c->extra, f->pool, h->pool);
    if (h->lease == NULL || c->concluded)
        return;
    id = __builtin_bswap64(h->lease->id);
    text_hex(&hex, span_of(&id, sizeof(id)));
    record_str(&c->extra, f->lease, buf_view(&hex));
}

/* The innermost, 0: none. */
static uint16_t
vlan_of(struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    uint64_t vlan = 0;

    while (record_next(&c, &e) && e.field <= FIELD_VLAN) {
        if (e.field == FIELD_VLAN)
            vlan = entry_u64(e.value);
    }
    return vlan <= SITES_VLAN_MAX ? (uint16_t)vlan : 0;
}

static void
find_ends(const struct core *c, struct span record, struct ends *out)
{
    static const enum field fields[2] = {FIELD_SRC_IP, FIELD_DEST_IP};
    uint16_t vlan = vlan_of(record);
    uint64_t port = record_find_u64(record, FIELD_DEST_PORT, 0);

    if (port == 0 || record_head_of(record).type == EVENT_DNS)
        port = MAIL_PORT; /* who asks for mail exchangers means that */
    *out = (struct ends){.port = (uint16_t)port};
    for (unsigned i = 0; i < 2; i++) {
        out->there[i] =
            entry_addr(record_find(record, fields[i]), &out->addr[i]);
        if (out->there[i])
            out->host[i] = place_find(&c->o.place, &out->addr[i], vlan,
                                      record_head_of(record).when);
    }
}

static void
add_direction(struct core *c, const struct ends *ends)
{
    const char *direction;

    if (!ends->there[0] || !ends->there[1])
        return;
    direction = place_direction(&c->o.place, &ends->host[0], &ends->host[1]);
    if (direction != NULL)
        record_text(&c->extra, FIELD_DIRECTION, direction);
}

static void
add_recalled(struct core *c)
{
    if (c->o.place.book != NULL || c->o.recall.find == NULL ||
        !c->ends.there[0])
        return;
    record_entries(&c->extra,
                   c->o.recall.find(c->o.recall.ctx, &c->ends.addr[0]));
}

static void
add_place(struct core *c, struct span record)
{
    ns_t when = record_head_of(record).when;

    find_ends(c, record, &c->ends);
    add_direction(c, &c->ends);
    add_recalled(c);
    add_state(c, 0, FORM_SEND, when, &src_reg);
    if (record_head_of(record).type != EVENT_DNS)
        add_state(c, 1, FORM_RECEIVE, when, &dest_reg);
    add_host(c, &c->ends.host[0], &src_host);
    add_host(c, &c->ends.host[1], &dest_host);
}

static void
add_geo(struct core *c, const struct addr *a, enum field country, enum field as,
        enum field org)
{
    const struct geo_answer *g = geo_find(c->o.geo, a);

    if (g == NULL)
        return;
    if (g->country[0] != '\0')
        record_text(&c->extra, country, g->country);
    if (g->as != 0)
        record_u64(&c->extra, as, g->as);
    if (g->org[0] != '\0')
        record_text(&c->extra, org, g->org);
}

static void
add_geos(struct core *c)
{
    if (c->ends.there[0])
        add_geo(c, &c->ends.addr[0], FIELD_SRC_GEO_COUNTRY, FIELD_SRC_AS_NUMBER,
                FIELD_SRC_AS_ORG);
    if (c->ends.there[1])
        add_geo(c, &c->ends.addr[1], FIELD_DEST_GEO_COUNTRY,
                FIELD_DEST_AS_NUMBER, FIELD_DEST_AS_ORG);
}

static void
add_findings(struct core *c, struct span record)
{
    struct span direction =
        record_find(record_view(&c->extra), FIELD_DIRECTION);
    struct policy_in in = {
        .direction = policy_direction(direction),
        .port = c->ends.port,
        .client = verdict_of(c, 0),
        .server = verdict_of(c, 1),
        .helo = record_find(record, FIELD_SMTP_HELO),
    };
    unsigned found = policy_judge(&in);

    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        if (found >> i & 1U)
            record_text(&c->extra, FIELD_POLICY_FINDINGS,
                        policy_word((enum policy_finding)i));
    }
}

/* A worker knows what it sent, not what became of it. */
static void
add_stored(struct core *c, struct span record)
{
    if (record_find_bool(record, FIELD_FILEINFO_STORED))
        record_bool(
            &c->extra, FIELD_FILEINFO_STORED,
            c->o.carve.put != NULL &&
                c->o.carve.has(c->o.carve.ctx,
                               record_find(record, FIELD_FILEINFO_SHA256)));
}

/* ---- where events go ---- */

static void
fail(struct core *c, enum err e)
{
    if (c->error == ERR_OK)
        c->error = e;
}

static void
keep(struct core *c)
{
    enum err e;

    if (c->o.journal == NULL)
        return;
    e = journal_append(c->o.journal, buf_view(&c->line), NULL);
    if (e != ERR_OK) {
        c->unkept.failed++;
        fail(c, e);
    }
}

/* Not journaled: but who counts is told. */
static bool
is_shed(struct core *c, struct span event)
{
    const enum keep_kind kind = keep_of_record(event);

    if ((c->shed >> kind & 1U) == 0)
        return false;
    c->unkept.shed[kind]++;
    if (c->o.lines.put != NULL)
        c->o.lines.put(c->o.lines.ctx, event, SPAN_NONE);
    return true;
}

/* To who draws conclusions. */
static void
show(struct core *c, struct span event)
{
    struct record_map map;

    if (c->o.answers == NULL && c->o.verdicts == NULL &&
        c->o.requirements == NULL && c->o.detect == NULL)
        return;
    record_map_init(&map, event);
    if (c->o.detect != NULL)
        detect_event(c->o.detect, &map);
    if (c->o.answers != NULL)
        answers_event(c->o.answers, &map);
    if (c->o.verdicts != NULL)
        verdicts_event(c->o.verdicts, &map);
    if (c->o.requirements != NULL) {
        const struct req_verdicts said = {verdict_of(c, 0), verdict_of(c, 1)};

        requirements_event(c->o.requirements, c->o.place.book, &said, &map);
    }
}

static bool
is_conclusion(enum event_type t)
{
    return t == EVENT_HOST || t == EVENT_ALERT || t == EVENT_DECISION;
}

static void
publish(struct core *c, struct span record)
{
    struct record_head head = record_head_of(record);
    struct span event;

    c->concluded = is_conclusion(head.type);
    record_begin(&c->extra, &head);
    add_id(c, &head);
    record_u64(&c->extra, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&c->extra, FIELD_SENSOR, c->o.sensor);
    add_place(c, record);
    add_geos(c);
    if (head.type == EVENT_SMTP || head.type == EVENT_SMTP_SESSION)
        add_findings(c, record);
    if (head.type == EVENT_FILEINFO)
        add_stored(c, record);
    record_merge(&c->event, record, record_view(&c->extra));
    event = record_view(&c->event);
    c->n_events++;
    show(c, event);
    if (c->o.told.put != NULL)
        c->o.told.put(c->o.told.ctx, event);
    if (c->o.journal == NULL && c->o.lines.put == NULL)
        return;
    if (c->shed != 0 && is_shed(c, event))
        return;
    buf_reset(&c->line);
    if (!json_write(c->writer, event, &c->line)) {
        fail(c, ERR_NOMEM);
        return;
    }
    keep(c);
    if (c->o.lines.put != NULL)
        c->o.lines.put(c->o.lines.ctx, event, buf_view(&c->line));
}

static void
publish_one(void *ctx, struct span record)
{
    publish(ctx, record);
}

/* What detection concluded from what was published; each conclusion is
 * published itself, and may lead to others. */
static void
conclude(struct core *c)
{
    struct span record;

    if (c->o.detect == NULL)
        return;
    while ((record = detect_take(c->o.detect)).n > 0)
        publish(c, record);
}

static void
publish_control(struct core *c, ns_t when, uint32_t number, const char *kind,
                const char *text)
{
    struct record_head head = {
        .when = when, .seq = number, .type = EVENT_CONTROL};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, kind);
    record_text(&r, FIELD_CONTROL_VERSION, SPAN25_VERSION);
    record_text(&r, FIELD_CONTROL_TEXT, text);
    publish(c, record_view(&r));
    record_free(&r);
}

static void
publish_start(struct core *c, ns_t when)
{
    c->started = true;
    if (c->o.start_text != NULL)
        publish_control(c, when, 0, "start", c->o.start_text);
    if (c->o.carve_text != NULL)
        publish_control(c, when, 1, "carving", c->o.carve_text);
}

void
core_begin(struct core *c, ns_t when)
{
    if (!c->started)
        publish_start(c, when);
    conclude(c);
}

void
core_control(struct core *c, const char *kind, const char *text)
{
    publish_control(c, c->last, CONTROLS_FROM + c->n_controls++, kind, text);
    conclude(c);
}

static void
put_carve(struct core *c, struct span record, const struct record_head *head)
{
    struct event_id room;

    if (c->o.carve.put != NULL)
        c->o.carve.put(c->o.carve.ctx, record, event_id(c, head, &room));
}

/* Attempts to several servers are one event: so each gets its direction before
 * they are put together. */
static void
put_attempt(struct core *c, struct span record, const struct record_sink *self)
{
    struct record_head head = record_head_of(record);
    struct ends ends;

    find_ends(c, record, &ends);
    record_begin(&c->extra, &head);
    add_direction(c, &ends);
    record_merge(&c->event, record, record_view(&c->extra));
    attempts_add(c->attempts, record_view(&c->event), self);
}

void
core_put(void *core, struct span record)
{
    struct core *c = core;
    struct record_head head = record_head_of(record);
    struct record_sink self = {publish_one, c};

    if (!c->started)
        publish_start(c, head.when);
    c->last = head.when;
    attempts_time(c->attempts, head.when, &self);
    if (c->o.detect != NULL) {
        detect_time(c->o.detect, head.when); /* what it ends comes before */
        conclude(c);
    }
    if (head.type == EVENT_ATTEMPT)
        put_attempt(c, record, &self);
    else if (head.type == EVENT_CARVE)
        put_carve(c, record, &head);
    else
        publish(c, record);
    conclude(c);
}

void
core_tell(void *core, struct span record)
{
    publish(core, record);
    conclude(core);
}

void
core_relive(struct core *c, const struct record_map *event)
{
    const struct record_head head = record_head_of(event->record);
    const bool moves = head.type != EVENT_CONTROL && head.type != EVENT_STATS;

    if (moves && head.when > c->last)
        c->last = head.when;
    if (moves && c->o.detect != NULL) {
        detect_time(c->o.detect, head.when); /* as in core_put */
        conclude(c);
    }
    if (c->o.detect != NULL)
        detect_event(c->o.detect, event);
    conclude(c);
}

void
core_registry(struct core *c, const struct book *book)
{
    c->o.place.book = book;
}

void
core_leases(struct core *c, const struct leases *leases)
{
    c->o.place.leases = leases;
}

void
core_pause(struct core *c)
{
    struct record_sink self = {publish_one, c};

    attempts_end(c->attempts, c->last, &self);
    conclude(c);
}

enum err
core_end(struct core *c)
{
    struct record_sink self = {publish_one, c};

    attempts_end(c->attempts, c->last, &self);
    if (c->o.detect != NULL && !c->ended)
        detect_end(c->o.detect, c->last);
    c->ended = true;
    conclude(c);
    if (c->o.journal != NULL) {
        enum err e = journal_sync(c->o.journal);

        if (e != ERR_OK)
            fail(c, e);
    }
    return c->error;
}

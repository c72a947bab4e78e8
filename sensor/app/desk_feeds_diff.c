/* blocks diff: what the next list changes, and for whom */
#include "sensor/app/desk_feeds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alert/subject.h"
#include "rules/registry/permits_read.h"
#include "sensor/app/desk_alerts.h"
#include "sensor/app/desk_lines.h"
#include "sensor/app/options_consumers.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define READBACK_BYTES ((size_t)256 << 20)

struct diff {
    struct desk_feeds feeds;
    struct feed before;
    struct feed_fetch fetch;
    bool has_before;
    bool endless; /* before does not say when elements end */
    size_t added, gone, other;
    struct buf lines;
    bool failed; /* the index */
};

/* ---- one line ---- */

static void
put_first(void *ctx, const struct index_alert *a, struct span record)
{
    const size_t shown =
        a->common < DESK_ID_LEAST ? DESK_ID_LEAST : a->common + 1;

    (void)record;
    buf_span(ctx, span_head(a->id, shown));
}

/* The newest alert about it; false: there is none. */
static bool
put_alert(struct diff *d, const struct prefix *p)
{
    const size_t before = d->lines.n;
    struct index_page page;
    struct buf subject;

    buf_init(&subject, 256);
    subject_text(&(struct subject){.known = 1, .prefix = *p}, &subject);
    d->failed |= index_list_alerts(d->feeds.desk->index,
                                   &(struct index_list){
                                       .host = buf_view(&subject), .limit = 1},
                                   put_first, &d->lines, &page) != ERR_OK;
    buf_free(&subject);
    return d->lines.n > before;
}

static void
put_who(struct diff *d, const struct record_map *m, const struct prefix *p)
{
    const struct desk_decision *act =
        desk_decisions_find(&d->feeds.source.acts, p);

    if (!record_map_is(m, FIELD_DECISION_ORIGIN, "human")) {
        buf_str(&d->lines, "auto");
        return;
    }
    buf_str(&d->lines, "human");
    if (act == NULL)
        return;
    buf_putc(&d->lines, ':');
    text_term(&d->lines, record_find(act->record, FIELD_CONTROL_ACTOR));
}

static void
put_until(struct diff *d, const struct feed_item *i)
{
    if (i->until == 0)
        return;
    buf_str(&d->lines, "  until ");
    registry_time_show(i->until, d->feeds.desk->config->utc, &d->lines);
}

static void
put_decision(struct diff *d, const struct prefix *p)
{
    const struct desk_decision *of = feed_source_about(&d->feeds.source, p);
    struct record_map m;

    if (of == NULL)
        return;
    record_map_init(&m, of->record);
    buf_str(&d->lines, "  ");
    text_term(&d->lines, record_map_find(&m, FIELD_DECISION_SHOWN).n > 0
                             ? record_map_find(&m, FIELD_DECISION_SHOWN)
                             : SPAN_LIT("-"));
    buf_str(&d->lines, "  ");
    if (!put_alert(d, p) && !put_alert(d, &of->subject))
        buf_putc(&d->lines, '-');
    buf_str(&d->lines, "  ");
    put_who(d, &m, &of->subject);
}

/* Why it goes: as its newest decision says. */
static void
put_end(struct diff *d, const struct prefix *p)
{
    const struct desk_decision *of = feed_source_about(&d->feeds.source, p);
    const struct desk_decision *act;
    struct span action;

    if (of == NULL) {
        buf_str(&d->lines, "  no decision is known");
        return;
    }
    action = record_find(of->record, FIELD_DECISION_ACTION);
    act = desk_decisions_find(&d->feeds.source.acts, &of->subject);
    if (span_eq(action, SPAN_LIT("block"))) {
        buf_str(&d->lines, of->until != 0 && of->until <= d->feeds.desk->now
                               ? "  over"
                               : "  kept out, see below");
        return;
    }
    buf_str(&d->lines, "  ");
    text_term(&d->lines, action);
    if (act == NULL || !span_eq(action, SPAN_LIT("lift")))
        return;
    buf_str(&d->lines, ": \"");
    text_term(&d->lines, record_find(act->record, FIELD_CONTROL_REASON));
    buf_str(&d->lines, "\"  ");
    text_term(&d->lines, record_find(act->record, FIELD_CONTROL_ACTOR));
}

static void
put_change(void *ctx, char kind, const struct feed_item *i)
{
    struct diff *d = ctx;

    if (kind == '~' && d->endless)
        return;
    d->added += kind == '+';
    d->gone += kind == '-';
    d->other += kind == '~';
    buf_printf(&d->lines, "%c ", kind);
    prefix_format(&i->prefix, &d->lines);
    if (kind == '-') {
        put_end(d, &i->prefix);
    } else {
        put_until(d, i);
        put_decision(d, &i->prefix);
    }
    buf_putc(&d->lines, '\n');
}

/* ---- what it is compared with ---- */

static int
by_address(const void *a, const void *b)
{
    const struct feed_item *x = a;
    const struct feed_item *y = b;
    const int order = addr_cmp(&x->prefix.addr, &y->prefix.addr);

    return order != 0 ? order : x->prefix.bits - y->prefix.bits;
}

struct room {
    struct feed *f;
    size_t cap;
    bool failed;
};

static void
add_found(void *ctx, const struct prefix *p)
{
    struct room *r = ctx;

    if (r->f->n == r->cap) {
        const size_t cap = r->cap > 0 ? 2 * r->cap : 256;
        struct feed_item *v = reallocarray(r->f->v, cap, sizeof(*v));

        if (v == NULL) {
            r->failed = true;
            return;
        }
        r->f->v = v;
        r->cap = cap;
    }
    r->f->v[r->f->n++] = (struct feed_item){.prefix = *p};
}

static enum cli_exit
take_found(struct diff *d, struct span text, const char *path)
{
    struct desk *desk = d->feeds.desk;
    struct room room = {.f = &d->before};
    struct permits_list l;
    struct buf why;
    enum err e;

    buf_init(&why, 1 << 16);
    e = permits_read(text, path, &l, &why);
    buf_span(desk->messages, buf_view(&why));
    buf_free(&why);
    for (size_t i = 0; e == ERR_OK && i < l.n; i++)
        permits_cidrs(&l.v[i].range, add_found, &room);
    if (e == ERR_OK && (room.failed || l.full))
        e = ERR_NOMEM;
    else if (e == ERR_OK && l.faulty > 0)
        e = ERR_FORMAT;
    permits_list_fini(&l);
    if (e != ERR_OK)
        return desk_say_value(desk, CLI_EXIT_USAGE, "", span_str(path),
                              " cannot be read as a firewall's list");
    if (d->before.n > 0)
        qsort(d->before.v, d->before.n, sizeof(*d->before.v), by_address);
    d->has_before = d->endless = true;
    return CLI_EXIT_DONE;
}

static enum cli_exit
read_found(struct diff *d, const char *path)
{
    struct desk *desk = d->feeds.desk;
    struct buf text;
    const int number = whole_file_load(path, READBACK_BYTES, &text);
    enum cli_exit code = CLI_EXIT_FAILED;

    if (number == 0)
        code = take_found(d, buf_view(&text), path);
    else
        (void)desk_say_value(desk, code, "cannot read ", span_str(path),
                             strerror(number));
    buf_free(&text);
    return code;
}

/* A name becomes a file's: it has no path in it. */
static bool
is_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if ((*p < 'a' || *p > 'z') && (*p < 'A' || *p > 'Z') &&
            (*p < '0' || *p > '9') && *p != '-' && *p != '_')
            return false;
    }
    return name[0] != '\0';
}

static enum cli_exit
read_target(struct diff *d, const char *name)
{
    struct feed_store *s = &d->feeds.store;

    if (!is_name(name))
        return desk_say_value(d->feeds.desk, CLI_EXIT_USAGE,
                              "--target: ", span_str(name),
                              " is not the name of a consumer");
    feed_store_seen(s, name, &d->fetch);
    d->has_before = feed_store_last(s, name, &d->before) == ERR_OK;
    if (d->fetch.when != 0 && d->has_before)
        return CLI_EXIT_DONE;
    return desk_say_value(d->feeds.desk, CLI_EXIT_REFUSED, "", span_str(name),
                          " has fetched nothing yet");
}

static enum cli_exit
read_before(struct diff *d)
{
    const struct config *c = d->feeds.desk->config;
    enum err e;

    if (c->target != NULL && c->readback_file != NULL)
        return desk_say(d->feeds.desk, CLI_EXIT_USAGE,
                        "either --target or --readback");
    if (c->target != NULL)
        return read_target(d, c->target);
    if (c->readback_file != NULL)
        return read_found(d, c->readback_file);
    e = feed_store_last(&d->feeds.store, NULL, &d->before);
    d->has_before = e == ERR_OK;
    return CLI_EXIT_DONE;
}

/* ---- all of it ---- */

static void
put_fetch(struct diff *d)
{
    struct desk *desk = d->feeds.desk;
    const char *name = desk->config->target;
    const ns_t age = desk->now > d->fetch.when ? desk->now - d->fetch.when : 0;

    if (name == NULL)
        return;
    buf_printf(desk->out, "   last fetch by %s ", name);
    registry_time_length(age, desk->out);
    buf_printf(desk->out, " ago, %llu entries, serial %llu",
               (unsigned long long)d->fetch.elements,
               (unsigned long long)d->fetch.serial);
}

static void
put_head(struct diff *d)
{
    struct desk *desk = d->feeds.desk;

    buf_printf(desk->out, "MODE %s   list %zu -> %zu entries (+%zu -%zu ~%zu)",
               d->feeds.source.enforce ? "enforce" : "simulate", d->before.n,
               d->feeds.set.n, d->added, d->gone, d->other);
    put_fetch(d);
    buf_str(desk->out, d->feeds.preview ? "   preview\n" : "\n");
}

static uint64_t
count(const struct diff *d, enum feed_why w)
{
    return d->feeds.set.counts[w];
}

static void
put_rails(struct diff *d)
{
    struct desk *desk = d->feeds.desk;
    const struct feed *set = &d->feeds.set;

    buf_printf(desk->out,
               "Rails: growth +%llu (limit %llu/h, %llu wait) · kept out: "
               "registered %llu, asked for %llu, excepted %llu, protected %llu "
               "· size %zu of %llu\n",
               (unsigned long long)set->added,
               (unsigned long long)d->feeds.limits.hour,
               (unsigned long long)count(d, FEED_WHY_CAP_HOUR),
               (unsigned long long)count(d, FEED_WHY_REGISTERED),
               (unsigned long long)count(d, FEED_WHY_PERMITTED),
               (unsigned long long)count(d, FEED_WHY_EXCEPTED),
               (unsigned long long)count(d, FEED_WHY_PROTECTED), set->n,
               (unsigned long long)d->feeds.limits.total);
}

/* ---- as JSON ---- */

static void
put_number(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

static void
put_time(struct json_out *j, const char *key, ns_t when)
{
    char text[NS_TEXT_MAX];

    json_key(j, key);
    if (when == 0)
        json_null(j);
    else
        (void)json_str(j, span_of(text, ns_format(when, text)));
}

static void
put_lines(struct json_out *j, const char *key, struct span text)
{
    json_key(j, key);
    json_raw(j, SPAN_NONE); /* its commas are not those of the array */
    desk_lines_json(text, j->out);
}

static void
put_rails_json(struct diff *d, struct json_out *j)
{
    json_key(j, "rails");
    json_begin(j, '{');
    put_number(j, "growth", d->feeds.set.added);
    put_number(j, "growth_limit", d->feeds.limits.hour);
    put_number(j, "waiting", count(d, FEED_WHY_CAP_HOUR));
    put_number(j, "registered", count(d, FEED_WHY_REGISTERED));
    put_number(j, "permitted", count(d, FEED_WHY_PERMITTED));
    put_number(j, "excepted", count(d, FEED_WHY_EXCEPTED));
    put_number(j, "protected", count(d, FEED_WHY_PROTECTED));
    put_number(j, "size", d->feeds.set.n);
    put_number(j, "size_limit", d->feeds.limits.total);
    json_end(j, '}');
}

/* newest: the set that is served; NULL: there is none. Equal digests are equal
 * lists. */
static void
put_consumer(struct diff *d, struct json_out *j,
             const struct config_consumer *c, const struct feed *newest)
{
    const ns_t now = d->feeds.desk->now;
    struct feed_fetch f = {0};

    feed_store_seen(&d->feeds.store, c->name, &f);
    json_begin(j, '{');
    json_key(j, "name");
    (void)json_str(j, span_str(c->name));
    json_key(j, "format");
    (void)json_str(j, span_str(c->format));
    put_time(j, "fetched", f.when);
    put_number(j, "serial", f.serial);
    put_number(j, "entries", f.elements);
    json_key(j, "age_s");
    if (f.when == 0)
        json_null(j);
    else
        json_u64(j, now > f.when ? (now - f.when) / NS_PER_S : 0);
    json_key(j, "matches");
    json_bool(j, f.when != 0 && newest != NULL &&
                     strcmp(f.digest, newest->digest) == 0);
    put_number(j, "late_after_s", options_consumers_late(c) / NS_PER_S);
    json_key(j, "late");
    json_bool(j, f.when == 0 || (now > f.when &&
                                 now - f.when > options_consumers_late(c)));
    json_end(j, '}');
}

static void
put_consumers(struct diff *d, struct json_out *j)
{
    const struct config *c = d->feeds.desk->config;
    const struct feed *newest =
        d->feeds.last.serial != 0 ? &d->feeds.last : NULL;

    json_key(j, "consumers");
    json_begin(j, '[');
    for (size_t i = 0; i < c->consumers.n; i++)
        put_consumer(d, j, &c->consumers.v[i], newest);
    json_end(j, ']');
}

static void
put_json(struct diff *d, struct span notes)
{
    struct desk *desk = d->feeds.desk;
    struct json_out j = json_out_open(desk->out);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25.blocks.diff"));
    json_key(&j, "mode");
    (void)json_str(&j, d->feeds.source.enforce ? SPAN_LIT("enforce")
                                               : SPAN_LIT("simulate"));
    json_key(&j, "preview");
    json_bool(&j, d->feeds.preview);
    put_number(&j, "before", d->before.n);
    put_number(&j, "after", d->feeds.set.n);
    put_number(&j, "serial", d->feeds.last.serial);
    put_number(&j, "added", d->added);
    put_number(&j, "gone", d->gone);
    put_number(&j, "changed", d->other);
    put_lines(&j, "lines", buf_view(&d->lines));
    put_lines(&j, "notes", notes);
    put_rails_json(d, &j);
    put_consumers(d, &j);
    json_end(&j, '}');
    buf_putc(desk->out, '\n');
}

static enum cli_exit
compare(struct diff *d)
{
    struct desk *desk = d->feeds.desk;
    struct buf notes;

    desk_feeds_make(&d->feeds);
    if (d->feeds.verdict == FEED_EMPTY) /* that it is empty is to be seen */
        d->feeds.set.n = 0;
    else if (d->feeds.verdict != FEED_DONE)
        return desk_feeds_refuse(&d->feeds);
    feed_diff(d->has_before ? &d->before : NULL, &d->feeds.set, put_change, d);
    buf_init(&notes, 1 << 24);
    desk_feeds_notes(&d->feeds, &notes);
    if (desk->config->json) {
        put_json(d, buf_view(&notes));
    } else {
        put_head(d);
        buf_span(desk->out, buf_view(&d->lines));
        buf_span(desk->out, buf_view(&notes));
        put_rails(d);
    }
    buf_free(&notes);
    if (d->failed)
        return desk_say_index(desk);
    return d->lines.cut ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}

/* Where nothing is enforced, what would be. */
static enum cli_exit
read_all(struct diff *d)
{
    enum cli_exit code;

    d->feeds.preview = d->feeds.preview || !desk_feeds_live(&d->feeds);
    code = desk_feeds_read(&d->feeds);
    if (code == CLI_EXIT_DONE && !d->feeds.preview &&
        !d->feeds.source.enforce) {
        feed_fini(&d->feeds.last);
        feed_source_fini(&d->feeds.source);
        exceptions_free(d->feeds.exceptions);
        d->feeds.exceptions = NULL;
        d->feeds.preview = true;
        code = desk_feeds_read(&d->feeds);
    }
    return code;
}

enum cli_exit
desk_blocks_diff(struct desk *desk)
{
    struct diff d = {.has_before = false};
    enum cli_exit code;

    buf_init(&d.lines, 1 << 28);
    desk_feeds_init(&d.feeds, desk);
    code = feed_store_look(desk->config->state, &d.feeds.store) == ERR_OK
               ? read_before(&d)
               : desk_say(desk, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (code == CLI_EXIT_DONE)
        code = read_all(&d);
    if (code == CLI_EXIT_DONE)
        code = compare(&d);
    feed_fini(&d.before);
    buf_free(&d.lines);
    desk_feeds_fini(&d.feeds);
    return code;
}

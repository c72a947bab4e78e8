#include "sensor/app/publish_shape.h"

#include "rules/sigma/sigma.h"
#include "sensor/base/text.h"
#include "sensor/event/json_write.h"
#include "sensor/sinks/ecs.h"
#include "sensor/sinks/sink.h"

#include <openssl/crypto.h>

#include <stdlib.h>

struct shape {
    uint32_t kinds;
    struct sigma_set *set; /* NULL: no filter */
    struct sigma_run *run;
    struct ecs *ecs;
    struct veil *veil;
    struct json_writer *json;
    struct record_out record;
    struct buf line;
    struct shape_counts counts;
};

/* ---- the filter ---- */

/* Does a line begin with this key? */
static bool
has_key(struct span text, struct span key)
{
    while (text.n > 0) {
        if (span_starts(text, key))
            return true;
        text = span_tail(text, span_find(text, '\n') + 1);
    }
    return false;
}

static void
put_indented(struct buf *out, struct span text)
{
    while (text.n > 0) {
        size_t n = span_find(text, '\n');

        buf_str(out, "    ");
        buf_span(out, span_head(text, n));
        buf_putc(out, '\n');
        text = span_tail(text, n + 1);
    }
}

/* A rule of it. What is missing comes last, so that the lines of faults are
 * those of the filter, or one more. */
static void
make_rule(struct span filter, struct buf *out)
{
    if (has_key(filter, SPAN_LIT("detection:"))) {
        buf_span(out, filter);
    } else {
        buf_str(out, "detection:\n");
        put_indented(out, filter);
    }
    buf_putc(out, '\n');
    if (!has_key(filter, SPAN_LIT("title:")))
        buf_str(out, "title: filter of a sink\n");
    if (!has_key(filter, SPAN_LIT("logsource:")))
        buf_str(out, "logsource:\n    product: span25\n");
}

static enum err
not_one_rule(const struct shape_settings *s, struct buf *message)
{
    text_term(message, span_str(s->filter_name));
    buf_str(message, ": not one rule over single events of product span25\n");
    return ERR_CONFIG;
}

static enum err
load_filter(struct shape *h, const struct shape_settings *s,
            struct buf *message)
{
    struct sigma_loaded loaded;
    struct buf rule;
    enum err e;

    if (s->filter.n > SHAPE_FILTER_MAX) {
        text_term(message, span_str(s->filter_name));
        buf_printf(message, ": longer than %u bytes\n", SHAPE_FILTER_MAX);
        return ERR_CONFIG;
    }
    buf_init(&rule, SIZE_MAX); /* a line of it grows by four bytes */
    make_rule(s->filter, &rule);
    e = rule.failed ? ERR_NOMEM : sigma_set_new(&h->set);
    if (e == ERR_OK) {
        sigma_set_every_event(h->set);
        e = sigma_load(h->set, buf_view(&rule), span_str(s->filter_name),
                       message);
    }
    if (e == ERR_OK)
        e = sigma_set_compile(h->set, message);
    buf_free(&rule);
    if (e != ERR_OK)
        return e == ERR_NOMEM ? ERR_NOMEM : ERR_CONFIG;
    loaded = sigma_set_loaded(h->set);
    if (sigma_set_count(h->set) != 1 || loaded.rules != 1 ||
        loaded.correlations + loaded.filters > 0 ||
        sigma_set_info(h->set, 0)->foreign ||
        sigma_set_info(h->set, 0)->disabled)
        return not_one_rule(s, message);
    return sigma_run_new(h->set, 0, &sigma_limits_default, &h->run);
}

/* ---- the form ---- */

static enum err
load_veil(struct shape *h, const struct shape_settings *s, struct buf *message)
{
    static const struct sink_option option[] = {
        {"key-file", "", 0, 0, ""},
        {NULL,       "", 0, 0, ""},
    };
    const struct sink_value value = {"key-file", s->key_file};
    const struct sink_settings settings = {.values = &value, .n_values = 1};
    struct buf key;
    enum err e;

    if (s->key_file == NULL || s->key_file[0] == '\0') {
        buf_str(message, "pseudonyms need a key-file\n");
        return ERR_CONFIG;
    }
    buf_init(&key, SINK_SECRET_MAX);
    e = sink_secret(option, &settings, "key-file", &key, message);
    if (e == ERR_OK)
        e = veil_new(s->veil, buf_view(&key), !s->hide_domains, &h->veil);
    if (e == ERR_CONFIG && key.n > 0)
        buf_printf(message, "key-file: its first line has less than %u bytes\n",
                   VEIL_KEY_MIN);
    if (key.p != NULL)
        OPENSSL_cleanse(key.p, key.cap);
    buf_free(&key);
    return e;
}

static enum err
load_form(struct shape *h, const struct shape_settings *s, struct buf *message)
{
    enum err e = ERR_OK;

    if (s->format == SHAPE_ECS && !ecs_new(&h->ecs))
        return ERR_NOMEM;
    if (s->veil != VEIL_NONE)
        e = load_veil(h, s, message);
    if (e != ERR_OK || s->veil == VEIL_NONE || s->format != SHAPE_EVE)
        return e;
    h->json = malloc(sizeof(*h->json));
    if (h->json == NULL)
        return ERR_NOMEM;
    json_writer_init(h->json);
    return ERR_OK;
}

/* ---- life ---- */

enum err
shape_new(const struct shape_settings *s, struct shape **out,
          struct buf *message)
{
    struct shape *h = calloc(1, sizeof(*h));
    enum err e;

    if (h == NULL)
        return ERR_NOMEM;
    h->kinds = s->kinds != 0 ? s->kinds : UINT32_MAX;
    record_init(&h->record);
    buf_init(&h->line, JSON_LINE_MAX);
    e = s->filter.n > 0 ? load_filter(h, s, message) : ERR_OK;
    if (e == ERR_OK)
        e = load_form(h, s, message);
    if (e != ERR_OK) {
        shape_free(h);
        return e;
    }
    *out = h;
    return ERR_OK;
}

void
shape_free(struct shape *s)
{
    if (s == NULL)
        return;
    sigma_run_free(s->run);
    sigma_set_free(s->set);
    ecs_free(s->ecs);
    veil_free(s->veil);
    free(s->json);
    record_free(&s->record);
    buf_free(&s->line);
    free(s);
}

/* ---- an event ---- */

bool
shape_wants(struct shape *s, struct span record)
{
    size_t n = 0;

    if ((s->kinds >> record_head_of(record).type & 1) == 0)
        return false;
    if (s->run != NULL)
        (void)sigma_eval(s->run, record, &n);
    return s->run == NULL || n > 0;
}

static bool
write_line(struct shape *s, struct span record)
{
    buf_reset(&s->line);
    return s->ecs != NULL ? ecs_write(s->ecs, record, &s->line)
                          : json_write(s->json, record, &s->line);
}

enum err
shape_line(struct shape *s, struct span record, struct span line,
           struct shaped *out)
{
    struct shaped done = {record, line};

    if (s->veil != NULL) {
        veil_record(s->veil, record, &s->record);
        if (s->record.buf.failed)
            return ERR_NOMEM;
        done.record = record_view(&s->record);
    }
    if (s->ecs != NULL || s->veil != NULL) {
        if (!write_line(s, done.record))
            return ERR_NOMEM;
        done.line = buf_view(&s->line);
    }
    s->counts.lines++;
    s->counts.cut += s->veil != NULL && s->record.left_out > 0;
    *out = done;
    return ERR_OK;
}

struct shape_counts
shape_counts(const struct shape *s)
{
    struct shape_counts c = s->counts;

    if (s->run != NULL) {
        struct sigma_counts n = sigma_run_counts(s->run);

        c.limited = n.regex_limited + n.glob_limited;
    }
    return c;
}

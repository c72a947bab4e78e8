#include "sensor/app/options_sinks.h"

#include <stdlib.h>

#include "sensor/base/text.h"

static const struct option_row rows[] = {
#define X(id, ...) OPTIONS_LIST_ROW(config_sink, id, __VA_ARGS__),
#include "sensor/app/options_sinks.def"
#undef X
};

static const bool musts[] = {
#define X(...) OPTIONS_LIST_MUST(__VA_ARGS__),
#include "sensor/app/options_sinks.def"
#undef X
};

OPTIONS_LIST_OF(sinks, config_sink, OPTIONS_SINKS_MAX, options_sinks)

/* ---- settings of a kind ---- */

static char *
copy(struct span s)
{
    return strndup((const char *)s.p, s.n);
}

/* Whether there is one of this name is checked when the kind is known. */
static bool
other(void *item, struct span key, struct span value, struct buf *why)
{
    struct config_sink *s = item;
    struct config_setting one = {copy(key), copy(value)};
    struct config_setting *v =
        reallocarray(s->settings, s->n_settings + 1, sizeof(*v));

    if (v != NULL)
        s->settings = v;
    if (v == NULL || one.name == NULL || one.value == NULL) {
        free(one.name);
        free(one.value);
        buf_str(why, err_text(ERR_NOMEM));
        return false;
    }
    v[s->n_settings++] = one;
    return true;
}

static bool
other_at(const void *item, size_t i, struct config_setting *out)
{
    const struct config_sink *s = item;

    if (i >= s->n_settings)
        return false;
    *out = s->settings[i];
    return true;
}

static void
free_settings(void *item)
{
    struct config_sink *s = item;

    for (size_t i = 0; i < s->n_settings; i++) {
        free(s->settings[i].name);
        free(s->settings[i].value);
    }
    free(s->settings);
}

/* ---- an item that is whole ---- */

/* A type that is told to others: the rest never leaves the core. */
static enum event_type
find_event(const char *word)
{
    const enum event_type t = event_type_find(span_str(word));

    return t == EVENT_ATTEMPT || t == EVENT_TICK || t == EVENT_CARVE
               ? EVENT_NONE
               : t;
}

static bool
check_events(const struct config_sink *s, struct buf *why)
{
    for (size_t i = 0; i < s->events.n; i++) {
        if (find_event(s->events.v[i]) != EVENT_NONE)
            continue;
        buf_str(why, "events: there is no type ");
        text_term(why, span_str(s->events.v[i]));
        buf_str(why, "; span25-events(7) has them");
        return false;
    }
    return true;
}

static bool
check_target(const struct config_sink *s, struct buf *why)
{
    if (strcmp(s->kind, "file") != 0 || strcmp(s->target, "-") != 0)
        return true;
    buf_str(why, "target: a live sensor has no standard output; name a file");
    return false;
}

/* Whether the key can be read is for the process that reads it. */
static bool
check_shape(const struct config_sink *s, struct buf *why)
{
    const struct shape_settings settings = options_sinks_shape(s, false);
    struct shape *shape = NULL;
    enum err e;

    if (s->pseudonyms != VEIL_NONE && s->pseudonym_key == NULL) {
        buf_str(why, "pseudonyms need a pseudonym-key, a file");
        return false;
    }
    e = shape_new(&settings, &shape, why);
    shape_free(shape);
    if (e == ERR_NOMEM)
        buf_str(why, err_text(e));
    while (why->n > 0 && why->p[why->n - 1] == '\n')
        why->n--;
    return e == ERR_OK;
}

static bool
check(const struct config *c, const void *item, struct buf *why)
{
    const struct config_sink *s = item;
    struct sink_value *values = calloc(s->n_settings + 1, sizeof(*values));
    struct sink_settings settings;
    bool good;

    if (values == NULL) {
        buf_str(why, err_text(ERR_NOMEM));
        return false;
    }
    settings = options_sinks_settings(s, values);
    good = options_list_name(&options_sinks, c, s, why) &&
           check_events(s, why) && check_target(s, why) &&
           check_shape(s, why) &&
           sink_check(span_str(s->kind), &settings, why) == ERR_OK;
    free(values);
    return good;
}

const struct options_list options_sinks = {
    .path = "sinks",
    .item = "a sink",
    .help = "Where events go, one item each; beside these keys the settings of "
            "its kind",
    .rows = rows,
    .must = musts,
    .n_rows = ARRAY_LEN(rows),
    OPTIONS_LIST_CALLS(sinks),
    .other = other,
    .other_at = other_at,
    .free_other = free_settings,
    .check = check,
};

/* ---- in use ---- */

uint32_t
options_sinks_events(const struct config_sink *s)
{
    static const enum event_type usual[] = {
        EVENT_ALERT,    EVENT_DECISION, EVENT_SMTP, EVENT_SMTP_SESSION,
        EVENT_FILEINFO, EVENT_ANOMALY,  EVENT_HOST, EVENT_STATS};
    uint32_t bits = 0;

    for (size_t i = 0; s->events.n == 0 && i < ARRAY_LEN(usual); i++)
        bits |= UINT32_C(1) << usual[i];
    for (size_t i = 0; i < s->events.n; i++)
        bits |= UINT32_C(1) << find_event(s->events.v[i]);
    return bits;
}

struct shape_settings
options_sinks_shape(const struct config_sink *s, bool with)
{
    return (struct shape_settings){
        .kinds = options_sinks_events(s),
        .filter = s->filter != NULL ? span_str(s->filter) : SPAN_NONE,
        .filter_name = "filter",
        .format = (enum shape_format)s->format,
        .veil = with ? (enum veil_level)s->pseudonyms : VEIL_NONE,
        .key_file = s->pseudonym_key,
        .hide_domains = s->hide_domains,
    };
}

struct sink_settings
options_sinks_settings(const struct config_sink *s, struct sink_value *values)
{
    for (size_t i = 0; i < s->n_settings; i++)
        values[i] =
            (struct sink_value){s->settings[i].name, s->settings[i].value};
    return (struct sink_settings){
        .target = s->target, .values = values, .n_values = s->n_settings};
}

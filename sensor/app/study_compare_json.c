#include "sensor/app/study_compare_show.h"

#include "dashboards/words.h"
#include "sensor/base/json_out.h"
#include "sensor/event/study_json.h"

#define DAY_NS   (86400 * NS_PER_S)
#define DAY_LEN  10U
#define TIME_MAX 64U

static void
put_text(struct json_out *j, const char *key, const char *text)
{
    json_key(j, key);
    if (text != NULL)
        (void)json_str(j, span_str(text));
    else
        json_null(j);
}

static void
put_count(struct json_out *j, const char *key, uint64_t n)
{
    json_key(j, key);
    json_u64(j, n);
}

static void
put_double(struct json_out *j, const char *key, double v)
{
    json_key(j, key);
    json_double(j, v);
}

static void
put_time(struct json_out *j, const char *key, ns_t t)
{
    struct buf text;

    buf_init(&text, TIME_MAX);
    words_rfc3339(&text, t);
    json_key(j, key);
    (void)json_str(j, buf_view(&text));
    j->out->failed |= text.failed;
    buf_free(&text);
}

/* "2026-11-02" */
static void
put_day(struct json_out *j, const char *key, int64_t day)
{
    char text[NS_TEXT_MAX];

    (void)ns_format((ns_t)day * DAY_NS, text);
    json_key(j, key);
    (void)json_str(j, span_of(text, DAY_LEN));
}

static void
put_study(struct json_out *j, const char *key, const struct study_result *r)
{
    json_key(j, key);
    json_begin(j, '{');
    put_time(j, "from", r->from);
    put_time(j, "to", r->to);
    put_text(j, "title", r->title);
    put_text(j, "status", r->status);
    put_text(j, "version", r->version);
    put_text(j, "rules_hash", r->rules_hash);
    put_text(j, "config_hash", r->config_hash);
    put_text(j, "sensors", r->sensors);
    json_end(j, '}');
}

/* ---- series ---- */

static void
put_term(struct json_out *j, const char *key, const struct series_term *t)
{
    json_key(j, key);
    json_begin(j, '{');
    put_double(j, "value", t->value);
    put_double(j, "error", t->error);
    put_double(j, "low", t->interval.low);
    put_double(j, "high", t->interval.high);
    json_end(j, '}');
}

static void
put_fitted(struct json_out *j, const char *key, const struct series *s,
           const struct series_fitted *f)
{
    const struct series_term factor = series_factor(&f->mean_change);

    json_key(j, key);
    json_begin(j, '{');
    put_term(j, "level", &f->level);
    put_term(j, "trend", &f->trend);
    put_term(j, "level_change", &f->level_change);
    put_term(j, "trend_change", &f->trend_change);
    put_term(j, "mean_change", &f->mean_change);
    if (s->scale == SERIES_LOG)
        put_term(j, "factor", &factor);
    put_double(j, "df", f->df);
    json_end(j, '}');
}

static void
put_fit(struct json_out *j, const struct series *s)
{
    put_text(j, "scale", s->scale == SERIES_LOG ? "log" : "counts");
    put_count(j, "days_before", s->before);
    put_count(j, "days_after", s->after);
    json_key(j, "weekdays");
    json_bool(j, s->weekdays);
    put_double(j, "rho", s->rho);
    put_fitted(j, "ar1", s, &s->ar1);
    put_count(j, "lag", s->lag);
    put_fitted(j, "newey_west", s, &s->newey_west);
    json_key(j, "one_day");
    json_bool(j, s->one_day);
    put_day(j, "most_influence", s->which);
    put_term(j, "without_it", &s->without);
}

static void
put_series(struct json_out *j, const struct compare *c)
{
    json_key(j, "series");
    json_begin(j, '[');
    for (enum compare_series i = 0; i < COMPARE_SERIES_COUNT; i++) {
        const struct compare_line *line = &c->lines[i];

        json_begin(j, '{');
        put_text(j, "name", compare_series_word(i));
        put_double(j, "mean_before", line->mean_before);
        put_double(j, "mean_after", line->mean_after);
        put_text(j, "refused",
                 line->why == SERIES_FINE ? NULL : series_why_text(line->why));
        if (line->why == SERIES_FINE)
            put_fit(j, &line->s);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- figures ---- */

static void
put_figures(struct json_out *j, const struct compare *c)
{
    static const char *const units[] = {
        [COMPARE_COUNT] = "count",
        [COMPARE_SHARE] = "share",
        [COMPARE_RATE] = "rate",
    };

    json_key(j, "figures");
    json_begin(j, '[');
    for (size_t i = 0; i < c->n_figures; i++) {
        const struct compare_figure *f = &c->figures[i];

        json_begin(j, '{');
        put_text(j, "policy", f->policy);
        put_text(j, "name", f->key);
        put_text(j, "unit", units[f->unit]);
        json_key(j, "before");
        study_json_figure(j, &f->before);
        json_key(j, "after");
        study_json_figure(j, &f->after);
        put_double(j, "change", f->change);
        put_double(j, "low", f->low);
        put_double(j, "high", f->high);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_others(struct json_out *j, const struct compare *c)
{
    static const char *const whys[] = {
        [COMPARE_ONLY_BEFORE] = "only_before",
        [COMPARE_ONLY_AFTER] = "only_after",
        [COMPARE_OTHER_TERMS] = "other_terms",
    };

    json_key(j, "policies_not_compared");
    json_begin(j, '[');
    for (size_t i = 0; i < c->n_others; i++) {
        json_begin(j, '{');
        put_text(j, "name", c->others[i].name);
        put_text(j, "why", whys[c->others[i].why]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_notes(struct json_out *j, const struct compare *c)
{
    json_key(j, "notes");
    json_begin(j, '[');
    for (enum compare_note n = 0; n < COMPARE_NOTE_COUNT; n++) {
        if ((c->notes >> n & 1) != 0)
            (void)json_str(j, span_str(compare_note_word(n)));
    }
    json_end(j, ']');
}

void
study_compare_json(const struct study_compare_view *v, struct buf *out)
{
    const struct compare *c = v->c;
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    put_text(&j, "schema", "span25-study-compare-1");
    put_study(&j, "before", v->before);
    put_study(&j, "after", v->after);
    put_day(&j, "cut", c->cut);
    json_key(&j, "took_force");
    json_bool(&j, c->effective);
    put_notes(&j, c);
    json_key(&j, "days");
    json_begin(&j, '{');
    put_count(&j, "before", c->days_before);
    put_count(&j, "after", c->days_after);
    put_count(&j, "left_out", c->days_left_out);
    json_end(&j, '}');
    put_series(&j, c);
    json_key(&j, "residual");
    study_json_figure(&j, &c->residual);
    put_double(&j, "residual_spread", c->spread);
    put_figures(&j, c);
    put_others(&j, c);
    json_end(&j, '}');
    buf_putc(out, '\n');
}

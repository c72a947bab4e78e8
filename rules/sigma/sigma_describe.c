/* What a rule looks for, in words. */
#include "rules/sigma/sigma_set.h"
#include "sensor/base/text.h"

static void
put_source(const struct sigma_rule *r, struct buf *out)
{
    const struct {
        const char *word;
        struct span value;
    } parts[] = {
        {"product",  r->product },
        {"category", r->category},
        {"service",  r->service },
    };
    const char *between = " ";

    buf_str(out, "logsource:");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].value.n == 0)
            continue;
        buf_printf(out, "%s%s ", between, parts[i].word);
        text_term(out, parts[i].value);
        between = ", ";
    }
    if (r->info.foreign)
        buf_str(out, " (not of span25: it never matches)");
    buf_putc(out, '\n');
}

static void
put_line(const char *word, struct span text, struct buf *out)
{
    buf_str(out, word);
    buf_str(out, ": ");
    text_term(out, text);
    buf_putc(out, '\n');
}

/* Of a list of maps, an "or" stands between them. */
static void
put_selection(const struct sigma_selection *s, bool filter, struct buf *out)
{
    for (uint32_t m = 0; m < s->n_maps; m++) {
        for (uint32_t i = 0; i < s->map[m].n; i++) {
            const struct sigma_item *item = &s->map[m].v[i];

            buf_str(out, filter ? "filter " : "");
            text_term(out, s->name);
            buf_str(out, m > 0 && i == 0 ? ": or " : ": ");
            if (item->key.n > 0) {
                text_term(out, item->key);
                buf_str(out, ": ");
            }
            text_term(out, item->want);
            buf_putc(out, '\n');
        }
    }
}

static void
put_words(const char *before, const struct span *v, uint32_t n, struct buf *out)
{
    for (uint32_t i = 0; i < n; i++) {
        buf_str(out, i == 0 ? before : ", ");
        text_term(out, v[i]);
    }
}

static void
put_test(const struct sigma_test *t, struct buf *out)
{
    static const char *const words[] = {
        [SIGMA_LT] = "less than", [SIGMA_LTE] = "at most",
        [SIGMA_GT] = "more than", [SIGMA_GTE] = "at least",
        [SIGMA_EQ] = "exactly",   [SIGMA_NEQ] = "other than",
    };

    buf_printf(out, " %s %.15g", words[t->op], t->value);
}

static void
put_correlation(const struct sigma_set *s, const struct sigma_rule *r,
                struct buf *out)
{
    static const char *const types[] = {
        [SIGMA_EVENT_COUNT] = "number of events",
        [SIGMA_VALUE_COUNT] = "number of different values",
        [SIGMA_TEMPORAL] = "all of the rules, in any order",
        [SIGMA_TEMPORAL_ORDERED] = "all of the rules, in this order",
        [SIGMA_VALUE_SUM] = "sum",
        [SIGMA_VALUE_AVG] = "mean",
        [SIGMA_VALUE_PERCENTILE] = "percentile",
        [SIGMA_VALUE_MEDIAN] = "median",
    };
    const struct sigma_corr *c = r->corr;

    buf_printf(out, "correlation: %s", types[c->type]);
    if (c->type == SIGMA_VALUE_PERCENTILE)
        buf_printf(out, " %.15g", c->percentile);
    put_words(" of ", c->field, c->n_fields, out);
    /* what was not written is "all of them" of the temporal ones */
    for (uint32_t i = 0; r->info.threshold.n > 0 && i < c->n_tests; i++)
        put_test(&c->test[i], out);
    buf_str(out, ", within ");
    text_term(out, r->info.timespan);
    put_words(", for each ", c->group, c->n_group, out);
    buf_putc(out, '\n');
    if (r->condition.n > 0)
        put_line("condition", r->condition, out);
    for (uint32_t i = 0; i < c->n_refs; i++)
        put_line("of", s->rule[c->ref[i].rule].info.title, out);
}

void
sigma_describe(const struct sigma_set *s, uint32_t rule, struct buf *out)
{
    const struct sigma_rule *r;

    REQUIRE(rule < s->n);
    r = &s->rule[rule];
    if (r->corr != NULL) {
        put_correlation(s, r, out);
        return;
    }
    put_source(r, out);
    put_line("condition", r->condition, out);
    for (uint32_t i = 0; i < r->n_selections; i++)
        put_selection(&r->selection[i], i >= r->n_own, out);
}

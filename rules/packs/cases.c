#include "rules/packs/cases.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sensor/base/text.h"
#include "sensor/event/json_read.h"

#define TRACED_MAX 32768U /* bytes told of a case that did not fire */

struct cases {
    const struct sigma_set *s;
    struct span name;
    struct cases_row *rows;
    struct buf *messages;
    struct json_reader *json;
    struct record_out record;
    struct buf why;
    struct sigma_run *run; /* of the open block, or NULL */
    ns_t now;
    uint32_t line, opened;
    uint32_t n_blocks;
    uint32_t rule; /* of the open block */
    bool fires;    /* that is what it wants */
    bool hit;
    bool has_event;
    struct span title; /* why, of the open block */
    uint32_t *seen;    /* matches of each rule in the open block */
    uint32_t events;
    enum err err;
};

/* ---- messages ---- */

static void
place(struct cases *c, uint32_t line, size_t column)
{
    text_term(c->messages, c->name);
    buf_printf(c->messages, ":%" PRIu32 ":%zu: ", line, column);
}

static bool
fault(struct cases *c, size_t column, const char *text)
{
    place(c, c->line, column);
    buf_str(c->messages, text);
    buf_putc(c->messages, '\n');
    c->err = ERR_FORMAT;
    return false;
}

static bool
fault_word(struct cases *c, size_t column, const char *before, struct span word,
           const char *after)
{
    place(c, c->line, column);
    buf_str(c->messages, before);
    text_term(c->messages, span_head(word, 100));
    buf_str(c->messages, after);
    buf_putc(c->messages, '\n');
    c->err = ERR_FORMAT;
    return false;
}

/* "column 17: text" of json_read as a place of ours. */
static bool
fault_json(struct cases *c)
{
    struct span text = buf_view(&c->why), number;
    uint64_t column = 1;

    if (span_starts(text, SPAN_LIT("column "))) {
        number = span_tail(text, 7);
        number = span_head(number, span_find(number, ':'));
        if (span_to_u64(number, &column))
            text = span_tail(text, 7 + number.n + 2);
    }
    return fault_word(c, column, "", text, "; write one event of JSON a line");
}

/* ---- the end of a block ---- */

/* Of a correlation: what its rules have matched. */
static void
tell_refs(struct cases *c)
{
    uint32_t n = sigma_set_count(c->s);

    for (uint32_t k = 0; sigma_set_ref(c->s, c->rule, k) < n; k++) {
        uint32_t ref = sigma_set_ref(c->s, c->rule, k);

        buf_str(c->messages, "    '");
        text_term(c->messages, sigma_set_info(c->s, ref)->title);
        buf_printf(c->messages, "' matched %" PRIu32 " of %" PRIu32 " events\n",
                   c->seen[ref], c->events);
    }
}

static void
tell_last(struct cases *c)
{
    struct buf trace;
    struct span rest;
    uint32_t missed;

    buf_init(&trace, TRACED_MAX);
    (void)sigma_trace(c->run, c->rule, record_view(&c->record), &trace,
                      &missed);
    rest = buf_view(&trace);
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');

        buf_str(c->messages, "    ");
        buf_span(c->messages, span_head(rest, n));
        buf_putc(c->messages, '\n');
        rest = span_tail(rest, n + 1);
    }
    buf_free(&trace);
}

static void
tell_failed(struct cases *c)
{
    const struct sigma_info *info = sigma_set_info(c->s, c->rule);

    place(c, c->opened, 1);
    buf_putc(c->messages, '\'');
    text_term(c->messages, info->title);
    buf_str(c->messages, c->fires ? "' did not fire: " : "' fired: ");
    text_term(c->messages, c->title);
    buf_putc(c->messages, '\n');
    if (!c->fires)
        return;
    if (info->kind == SIGMA_CORRELATION)
        tell_refs(c);
    else if (c->has_event)
        tell_last(c);
}

static bool
close_block(struct cases *c)
{
    struct cases_row *row;

    if (c->run == NULL)
        return true;
    row = &c->rows[c->rule];
    if (c->events == 0) {
        c->line = c->opened;
        return fault(c, 1, "this case has no event, write one below it");
    }
    row->fires += c->fires;
    row->quiet += !c->fires;
    if (c->hit != c->fires) {
        row->failed++;
        tell_failed(c);
    }
    sigma_run_free(c->run);
    c->run = NULL;
    return true;
}

/* ---- the beginning of a block ---- */

uint32_t
cases_only_rule(const struct sigma_set *s)
{
    uint32_t n = sigma_set_count(s), found = n;

    for (uint32_t i = 0; i < n; i++) {
        if (!sigma_set_info(s, i)->alerts)
            continue;
        if (found < n)
            return n;
        found = i;
    }
    return found;
}

static uint32_t
find_rule(const struct cases *c, struct span word)
{
    uint32_t n = sigma_set_count(c->s), i = sigma_set_find(c->s, word);

    for (uint32_t k = 0; i == n && k < n; k++) {
        if (span_eq(sigma_set_info(c->s, k)->title, word))
            i = k;
    }
    return i;
}

static bool
choose_rule(struct cases *c, struct span word, bool given, size_t column)
{
    uint32_t n = sigma_set_count(c->s);

    if (!given) {
        c->rule = cases_only_rule(c->s);
        return c->rule < n ||
               fault(c, column,
                     "which rule? The file has not just one that alerts; "
                     "write # fires[id, name or title]: why");
    }
    c->rule = find_rule(c, word);
    return c->rule < n || fault_word(c, column, "no rule beside this file is '",
                                     word, "', write its id, name or title");
}

/* "fires: why" or "quiet[rule]: why", behind the #. */
static bool
read_head(struct cases *c, struct span line)
{
    static const char usage[] = "a case begins with '# fires: why' or '# "
                                "quiet: why', a comment with ##";
    struct span rest = span_trim(span_tail(line, 1)), word = SPAN_NONE;
    size_t column = (size_t)(rest.p - line.p) + 1;
    bool given;

    c->fires = span_starts(rest, SPAN_LIT("fires"));
    if (!c->fires && !span_starts(rest, SPAN_LIT("quiet")))
        return fault(c, column, usage);
    rest = span_tail(rest, 5);
    given = span_at(rest, 0) == '[';
    if (given) {
        word = span_head(span_tail(rest, 1), span_find(rest, ']') - 1);
        rest = span_tail(rest, word.n + 2);
    }
    if (span_at(rest, 0) != ':')
        return fault(c, column, usage);
    c->title = span_trim(span_tail(rest, 1));
    if (c->title.n == 0)
        return fault(c, column, "say behind the colon why");
    return choose_rule(c, word, given, column);
}

static bool
open_block(struct cases *c, struct span line)
{
    if (!close_block(c) || !read_head(c, line))
        return false;
    if (++c->n_blocks > CASES_MAX)
        return fault(c, 1, "there are too many cases, at most 10000");
    c->opened = c->line;
    c->now = 0;
    c->hit = c->has_event = false;
    c->events = 0;
    memset(c->seen, 0, (sigma_set_count(c->s) + 1U) * sizeof(*c->seen));
    c->err = sigma_run_new(c->s, 1, NULL, &c->run);
    return c->err == ERR_OK;
}

/* ---- the lines of a block ---- */

static void
take_matches(struct cases *c, const struct sigma_match *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c->seen[m[i].rule]++;
        c->hit = c->hit || m[i].rule == c->rule;
    }
}

static bool
take_event(struct cases *c, struct span line)
{
    const struct sigma_match *m;
    struct span record;
    ns_t when;
    size_t n;

    c->json->unknown = 0;
    buf_reset(&c->why);
    c->has_event = false;
    switch (json_read(c->json, line, &c->record, &c->why)) {
    case ERR_OK: break;
    case ERR_NOMEM: c->err = ERR_NOMEM; return false;
    default: return fault_json(c);
    }
    if (c->json->unknown > 0)
        return fault_word(c, 1, "no event has '",
                          span_of(c->json->unknown_key, c->json->n_unknown_key),
                          "' at that place, see events(7)");
    record = record_view(&c->record);
    when = record_head_of(record).when;
    c->now = when > c->now ? when : c->now;
    c->has_event = true;
    c->events++;
    m = sigma_eval(c->run, record, &n);
    take_matches(c, m, n);
    m = sigma_correlate(c->run, c->now, &n);
    take_matches(c, m, n);
    return true;
}

static bool
take_tick(struct cases *c, struct span line)
{
    const struct sigma_match *m;
    ns_t when;
    size_t n;

    if (!ns_parse(span_trim(span_tail(line, 5)), &when))
        return fault(c, 6, "is no time, write tick: 2026-11-22T10:10:00Z");
    if (when < c->now)
        return fault(c, 6, "time does not go back, write a later one");
    c->now = when;
    m = sigma_tick(c->run, c->now, &n);
    take_matches(c, m, n);
    return true;
}

static bool
take_line(struct cases *c, struct span line)
{
    bool tick = span_starts(line, SPAN_LIT("tick:"));

    if (span_trim(line).n == 0 || span_starts(line, SPAN_LIT("##")))
        return true;
    if (span_at(line, 0) == '#')
        return open_block(c, line);
    if (!tick && span_at(line, 0) != '{')
        return fault(c, 1,
                     "neither a case (# fires: why), an event ({...}), "
                     "a tick (tick: TIME) nor a comment (##)");
    if (c->run == NULL)
        return fault(c, 1,
                     "this line is in no case, write '# fires: why' or "
                     "'# quiet: why' above it");
    return tick ? take_tick(c, line) : take_event(c, line);
}

static void
take_text(struct cases *c, struct span rest)
{
    bool good = true;

    for (c->line = 1; good && rest.n > 0; c->line++) {
        size_t n = span_find(rest, '\n');
        struct span line = span_head(rest, n);

        if (c->line > CASES_LINES)
            good = fault(c, 1, "there are too many lines, at most 1000000");
        else
            good = take_line(c, span_at(line, n - 1) == '\r' && n > 0
                                    ? span_head(line, n - 1)
                                    : line);
        rest = span_tail(rest, n + 1);
    }
    if (good)
        (void)close_block(c);
}

enum err
cases_run(const struct sigma_set *s, struct span text, struct span name,
          struct cases_row *rows, struct buf *messages)
{
    struct cases c = {.s = s, .name = name, .rows = rows, .messages = messages};

    c.json = malloc(sizeof(*c.json));
    c.seen = calloc(sigma_set_count(s) + 1U, sizeof(*c.seen));
    c.err = c.json != NULL && c.seen != NULL ? ERR_OK : ERR_NOMEM;
    record_init(&c.record);
    buf_init(&c.why, 4096);
    if (c.err == ERR_OK) {
        json_reader_init(c.json);
        take_text(&c, text);
        json_reader_free(c.json);
    }
    sigma_run_free(c.run);
    record_free(&c.record);
    buf_free(&c.why);
    free(c.seen);
    free(c.json);
    return c.err;
}

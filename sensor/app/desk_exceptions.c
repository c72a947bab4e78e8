#include "sensor/app/desk_exceptions.h"

#include <stdio.h>

#include "sensor/app/registry_time.h"
#include "sensor/app/rules_load.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

/* ---- reading ---- */

struct reading {
    struct exceptions *to;
    enum err e;
};

/* One that says nothing usable was refused by the sensor as well. */
static void
take(void *ctx, uint64_t seq, struct span record)
{
    struct reading *r = ctx;
    struct record_map m;
    enum err e;

    (void)seq;
    record_map_init(&m, record);
    e = exceptions_event(r->to, &m);
    if (e != ERR_OK && e != ERR_FORMAT)
        r->e = e;
}

enum cli_exit
desk_exceptions_read(struct desk *d, struct exceptions **out)
{
    struct reading r = {.e = exceptions_new(out)};

    if (r.e == ERR_OK) {
        r.to = *out;
        if (index_acts(d->index, "exception", SPAN_NONE, take, &r) != ERR_OK)
            return desk_say_index(d);
    } else {
        *out = NULL;
    }
    return r.e == ERR_OK ? CLI_EXIT_DONE
                         : desk_say(d, CLI_EXIT_FAILED, err_text(r.e));
}

/* ---- the list ---- */

static const struct registry_column columns[] = {
    {"ID",      "id"     },
    {"STATE",   "state"  },
    {"PREFIX",  "prefix" },
    {"FROM",    "from"   },
    {"RULE",    "rule"   },
    {"SINCE",   "since"  },
    {"UNTIL",   "until"  },
    {"REMOVED", "removed"},
    {"ACTOR",   "actor"  },
    {"REASON",  "reason" },
};

static const char *
state_of(const struct exception *e, ns_t now)
{
    if (e->removed != 0 && e->removed <= now)
        return "removed";
    if (e->since > now)
        return "not yet";
    return e->until != 0 && e->until <= now ? "over" : "in force";
}

static void
add_row(struct registry_table *t, const struct exception *e, ns_t now)
{
    static const char *const froms[] = {"", "alert", "block", "both"};
    struct buf prefix;

    buf_init(&prefix, 128);
    prefix_format(&e->prefix, &prefix);
    registry_table_text(t, e->id);
    registry_table_text(t, state_of(e, now));
    registry_table_span(t, buf_view(&prefix));
    registry_table_text(t, froms[e->from & EXCEPT_BOTH]);
    registry_table_text(t, e->rule);
    registry_table_time(t, e->since);
    registry_table_time(t, e->until);
    registry_table_time(t, e->removed);
    registry_table_text(t, e->actor);
    registry_table_text(t, e->reason);
    buf_free(&prefix);
}

void
desk_exceptions_table(struct desk *d, const struct exceptions *x,
                      const struct addr *only)
{
    struct registry_table t;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < exceptions_count(x); i++) {
        const struct exception *e = exceptions_get(x, i);

        if (only == NULL || prefix_has(&e->prefix, only))
            add_row(&t, e, d->now);
    }
    (void)desk_table(d, &t, "span25.exceptions.list", "no exceptions");
    registry_table_fini(&t);
}

enum cli_exit
desk_exceptions_list(struct desk *d)
{
    struct exceptions *x;
    enum cli_exit code = desk_exceptions_read(d, &x);

    if (code == CLI_EXIT_DONE)
        desk_exceptions_table(d, x, NULL);
    exceptions_free(x);
    return code;
}

/* ---- adding ---- */

struct wanted {
    struct prefix prefix;
    ns_t until; /* 0: none */
    char id[17];
    char rule[64]; /* its id; "" all */
};

static enum cli_exit
check_until(struct desk *d, struct wanted *w)
{
    const struct config *c = d->config;

    if ((c->except_for != NULL) == c->permanent)
        return desk_say(d, CLI_EXIT_USAGE,
                        "either --for TIME or --permanent is needed");
    if (c->permanent)
        return CLI_EXIT_DONE;
    if (!registry_time_read(span_str(c->except_for), d->now, &w->until) ||
        w->until <= d->now)
        return desk_say_value(d, CLI_EXIT_USAGE,
                              "--for: ", span_str(c->except_for),
                              " is not a time ahead, such as 48h");
    w->until = w->until / NS_PER_US * NS_PER_US;
    return CLI_EXIT_DONE;
}

/* A word that names no rule would silence nothing, and nobody would know. */
static enum cli_exit
check_rule(struct desk *d, struct wanted *w)
{
    struct span word = span_str(d->config->except_rule);
    struct rules_loaded how;
    struct sigma_set *rules = NULL;
    struct buf unsaid;
    enum cli_exit code = CLI_EXIT_DONE;
    uint32_t i;

    buf_init(&unsaid, 1U << 16); /* faults of rules are told by rules check */
    if (rules_load(d->config, NULL, 0, &rules, &how, &unsaid) != ERR_OK) {
        buf_free(&unsaid);
        return desk_say(d, CLI_EXIT_FAILED,
                        "the rules cannot be loaded, see "
                        "span25 rules check");
    }
    buf_free(&unsaid);
    i = sigma_set_find(rules, word);
    if (i == sigma_set_count(rules))
        code = desk_say_value(d, CLI_EXIT_USAGE, "--rule: no rule has the id ",
                              word, "; span25 rules list shows them");
    else
        (void)snprintf(w->rule, sizeof(w->rule), "%.*s",
                       (int)sigma_set_info(rules, i)->id.n,
                       (const char *)sigma_set_info(rules, i)->id.p);
    sigma_set_free(rules);
    return code;
}

static enum cli_exit
check(struct desk *d, struct wanted *w)
{
    const struct config *c = d->config;
    struct span text = span_str(d->cli->arguments[0]);
    struct span from =
        c->except_from != NULL ? span_str(c->except_from) : SPAN_NONE;

    if (!prefix_parse(text, &w->prefix))
        return desk_say_value(d, CLI_EXIT_USAGE, "", text,
                              " is not an address or prefix such as "
                              "192.0.2.0/24");
    if (!span_eq(from, SPAN_LIT("alert")) &&
        !span_eq(from, SPAN_LIT("block")) && !span_eq(from, SPAN_LIT("both")))
        return desk_say(d, CLI_EXIT_USAGE, "--from alert|block|both is needed");
    if (c->except_reason == NULL)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "exceptions add needs --reason; nothing was changed");
    if (c->except_rule != NULL) {
        enum cli_exit code = check_rule(d, w);

        if (code != CLI_EXIT_DONE)
            return code;
    }
    return check_until(d, w);
}

/* From what it says and when: nobody has to find a free one. */
static void
make_id(struct desk *d, struct wanted *w, struct span prefix)
{
    const struct config *c = d->config;
    uint64_t h = hash_span(prefix, d->now);

    h = hash_mix(h, hash_span(span_str(c->except_from), 0));
    h = hash_mix(h, hash_span(span_str(d->actor), 0));
    h = hash_mix(h, hash_span(span_str(c->except_reason), 0));
    if (c->except_rule != NULL)
        h = hash_mix(h, hash_span(span_str(c->except_rule), 0));
    (void)snprintf(w->id, sizeof(w->id), "%016llx", (unsigned long long)h);
}

static void
write_add(struct desk_writer *writer, struct desk *d, const struct wanted *w,
          struct span prefix)
{
    const struct config *c = d->config;
    struct record_out r;

    record_init(&r);
    desk_begin(d, &r, "exception", "add");
    record_text(&r, FIELD_CONTROL_REASON, c->except_reason);
    record_text(&r, FIELD_CONTROL_EXCEPTION, w->id);
    record_str(&r, FIELD_CONTROL_SUBJECT, prefix);
    record_text(&r, FIELD_CONTROL_FROM, c->except_from);
    if (w->rule[0] != '\0')
        record_text(&r, FIELD_CONTROL_RULE, w->rule);
    if (w->until != 0)
        record_time(&r, FIELD_CONTROL_UNTIL, w->until);
    desk_tell(writer, &r);
    record_free(&r);
}

static void
say_added(struct desk *d, const struct wanted *w, struct span prefix)
{
    buf_printf(d->out, "%s  ", w->id);
    buf_span(d->out, prefix);
    buf_printf(d->out, " %skept from %s", d->config->dry_run ? "would be " : "",
               strcmp(d->config->except_from, "both") == 0 ? "alerts and blocks"
               : strcmp(d->config->except_from, "alert") == 0 ? "alerts"
                                                              : "blocks");
    if (w->rule[0] != '\0')
        buf_printf(d->out, " of the rule %s", w->rule);
    if (w->until != 0) {
        buf_str(d->out, " until ");
        registry_time_show(w->until, d->config->utc, d->out);
    }
    buf_putc(d->out, '\n');
}

enum cli_exit
desk_exceptions_add(struct desk *d)
{
    struct desk_writer *writer = NULL;
    struct wanted w = {.until = 0};
    enum cli_exit code = check(d, &w);
    struct exceptions *x = NULL;
    struct buf prefix;

    if (code != CLI_EXIT_DONE)
        return code;
    buf_init(&prefix, 128);
    prefix_format(&w.prefix, &prefix);
    make_id(d, &w, buf_view(&prefix));
    code = desk_exceptions_read(d, &x);
    if (code == CLI_EXIT_DONE && exceptions_by_id(x, span_str(w.id)) != NULL)
        code = desk_say(d, CLI_EXIT_REFUSED,
                        "this exception is there already; nothing was changed");
    if (code == CLI_EXIT_DONE)
        code = desk_open(d, &writer);
    if (code == CLI_EXIT_DONE) {
        write_add(writer, d, &w, buf_view(&prefix));
        say_added(d, &w, buf_view(&prefix));
    }
    code = desk_close(writer, code);
    exceptions_free(x);
    buf_free(&prefix);
    return code;
}

/* ---- removing ---- */

static const struct exception *
find(struct desk *d, const struct exceptions *x, struct span begins)
{
    const struct exception *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < exceptions_count(x) && begins.n > 0; i++) {
        const struct exception *e = exceptions_get(x, i);

        if (!span_starts(span_str(e->id), begins))
            continue;
        found = e;
        n++;
    }
    if (n == 1)
        return found;
    (void)desk_say_value(d, CLI_EXIT_USAGE,
                         n == 0 ? "no exception has an id that begins with "
                                : "several exceptions have ids that begin "
                                  "with ",
                         begins, "");
    return NULL;
}

static enum cli_exit
write_remove(struct desk *d, const struct exception *e)
{
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(d, &w);
    struct record_out r;

    if (code == CLI_EXIT_DONE) {
        record_init(&r);
        desk_begin(d, &r, "exception", "remove");
        record_text(&r, FIELD_CONTROL_REASON, d->config->except_reason);
        record_text(&r, FIELD_CONTROL_EXCEPTION, e->id);
        desk_tell(w, &r);
        record_free(&r);
        buf_printf(d->out, "%s  %sremoved\n", e->id,
                   d->config->dry_run ? "would be " : "");
    }
    return desk_close(w, code);
}

enum cli_exit
desk_exceptions_remove(struct desk *d)
{
    const struct exception *e = NULL;
    struct exceptions *x;
    enum cli_exit code;

    if (d->config->except_reason == NULL)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "exceptions remove needs --reason; nothing was "
                        "changed");
    code = desk_exceptions_read(d, &x);
    if (code == CLI_EXIT_DONE) {
        e = find(d, x, span_str(d->cli->arguments[0]));
        code = e != NULL ? CLI_EXIT_DONE : CLI_EXIT_USAGE;
    }
    if (code == CLI_EXIT_DONE && e->removed != 0)
        desk_say_value(d, code, "", span_str(e->id),
                       " is removed already; nothing was changed");
    else if (code == CLI_EXIT_DONE)
        code = write_remove(d, e);
    exceptions_free(x);
    return code;
}

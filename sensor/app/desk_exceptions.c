#include "sensor/app/desk_exceptions.h"

#include <inttypes.h>
#include <stdio.h>

#include "sensor/app/desk_event.h"
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

static const char *const from_words[] = {"", "alert", "block", "both"};

static const struct registry_column columns[] = {
    {"ID",     "id"    },
    {"STATE",  "state" },
    {"PREFIX", "prefix"},
    {"FROM",   "from"  },
    {"RULE",   "rule"  },
    {"SINCE",  "since" },
    {"UNTIL",  "until" },
    {"ACTOR",  "actor" },
    {"REASON", "reason"},
};

/* The same with how it ended, of those that did. */
static const struct registry_column all_columns[] = {
    {"ID",         "id"            },
    {"STATE",      "state"         },
    {"PREFIX",     "prefix"        },
    {"FROM",       "from"          },
    {"RULE",       "rule"          },
    {"SINCE",      "since"         },
    {"UNTIL",      "until"         },
    {"ACTOR",      "actor"         },
    {"REASON",     "reason"        },
    {"REMOVED",    "removed"       },
    {"REMOVED BY", "removed_by"    },
    {"WHY",        "removed_reason"},
};

static bool
is_over(const struct exception *e, ns_t when)
{
    return (e->removed != 0 && e->removed <= when) ||
           (e->until != 0 && e->until <= when);
}

static const char *
kept_from(unsigned from)
{
    static const char *const words[] = {"", "alerts", "blocks",
                                        "alerts and blocks"};

    return words[from & EXCEPT_BOTH];
}

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
add_row(struct registry_table *t, const struct exception *e, ns_t now, bool all)
{
    struct buf prefix;

    buf_init(&prefix, 128);
    prefix_format(&e->prefix, &prefix);
    registry_table_text(t, e->id);
    registry_table_text(t, state_of(e, now));
    registry_table_span(t, buf_view(&prefix));
    registry_table_text(t, from_words[e->from & EXCEPT_BOTH]);
    registry_table_text(t, e->rule);
    registry_table_time(t, e->since);
    registry_table_time(t, e->until);
    registry_table_text(t, e->actor);
    registry_table_text(t, e->reason);
    if (all) {
        registry_table_time(t, e->removed);
        registry_table_text(t, e->removed_by);
        registry_table_text(t, e->removed_why);
    }
    buf_free(&prefix);
}

void
desk_exceptions_table(struct desk *d, const struct exceptions *x,
                      const struct addr *only)
{
    bool all = only != NULL || d->config->all_exceptions;
    struct registry_table t;
    size_t hidden = 0;

    registry_table_init(&t, all ? all_columns : columns,
                        all ? ARRAY_LEN(all_columns) : ARRAY_LEN(columns));
    for (size_t i = 0; i < exceptions_count(x); i++) {
        const struct exception *e = exceptions_get(x, i);

        if (only != NULL && !prefix_has(&e->prefix, only))
            continue;
        if (all || !is_over(e, d->now))
            add_row(&t, e, d->now, all);
        else
            hidden++;
    }
    (void)desk_table(d, &t, "span25.exceptions.list", "no exceptions");
    registry_table_fini(&t);
    if (hidden > 0 && !d->config->json && !d->config->csv)
        buf_printf(d->out, "%zu over or removed (--all)\n", hidden);
}

/* ---- in the history of an alert ---- */

static void
put_when(struct desk *d, ns_t when)
{
    buf_str(d->out, "    ");
    desk_event_time(d, when, d->out);
}

static void
put_begun(struct desk *d, const struct exception *e)
{
    put_when(d, e->since);
    buf_printf(d->out, "  kept from %s by ", kept_from(e->from));
    text_term(d->out, span_str(e->actor));
    buf_printf(d->out, ", exception %s of ", e->id);
    prefix_format(&e->prefix, d->out);
    buf_str(d->out, e->rule[0] != '\0' ? ", this rule: " : ": ");
    text_term(d->out, span_str(e->reason));
    buf_putc(d->out, '\n');
}

static void
put_ended(struct desk *d, const struct exception *e)
{
    bool removed = e->removed != 0 && (e->until == 0 || e->removed <= e->until);

    put_when(d, removed ? e->removed : e->until);
    buf_printf(d->out, "  exception %s is ", e->id);
    buf_str(d->out, removed ? "removed by " : "over");
    if (removed) {
        text_term(d->out, span_str(e->removed_by));
        buf_str(d->out, ": ");
        text_term(d->out, span_str(e->removed_why));
    }
    buf_putc(d->out, '\n');
}

enum cli_exit
desk_exceptions_history(struct desk *d, const struct addr *a, struct span rule,
                        ns_t since)
{
    struct exceptions *x;
    enum cli_exit code = desk_exceptions_read(d, &x);

    for (size_t i = 0; code == CLI_EXIT_DONE && i < exceptions_count(x); i++) {
        const struct exception *e = exceptions_get(x, i);

        if (!prefix_has(&e->prefix, a) || e->since > d->now ||
            is_over(e, since) ||
            (e->rule[0] != '\0' && !span_eq(span_str(e->rule), rule)))
            continue;
        put_begun(d, e);
        if (is_over(e, d->now))
            put_ended(d, e);
    }
    exceptions_free(x);
    return code;
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

/* Wider than this, nothing would be stopped any more: that is what the mode is
 * for, and it should be seen there. Bits, of IPv4 and of IPv6. */
static const unsigned widest_block[2] = {8, 16};

struct wanted {
    struct prefix prefix;
    unsigned from; /* enum exception_from */
    ns_t until;    /* 0: none */
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

/* An address with a length that is too short for it: one of the two is meant.
 */
static enum cli_exit
say_host_bits(struct desk *d, struct span text, const struct prefix *meant)
{
    struct buf said;
    enum cli_exit code;

    buf_init(&said, 512);
    buf_str(&said, " has bits set behind its length; write ");
    prefix_format(meant, &said);
    buf_str(&said, " for the prefix or ");
    text_term(&said, span_head(text, span_find(text, '/')));
    buf_str(&said, " for the address");
    buf_putc(&said, 0);
    code = desk_say_value(d, CLI_EXIT_USAGE, "", text,
                          said.failed ? "" : (const char *)said.p);
    buf_free(&said);
    return code;
}

static enum cli_exit
check_prefix(struct desk *d, struct wanted *w)
{
    struct span text = span_str(d->cli->arguments[0]);
    struct prefix meant;

    if (prefix_parse(text, &w->prefix))
        return CLI_EXIT_DONE;
    if (prefix_parse_loose(text, &meant))
        return say_host_bits(d, text, &meant);
    return desk_say_value(d, CLI_EXIT_USAGE, "", text,
                          " is not an address or prefix such as "
                          "192.0.2.0/24");
}

static enum cli_exit
check_from(struct desk *d, struct wanted *w)
{
    const char *word = d->config->except_from;

    if (word == NULL)
        return desk_say(d, CLI_EXIT_USAGE, "--from alert|block|both is needed");
    for (unsigned from = EXCEPT_ALERT; from <= EXCEPT_BOTH; from++) {
        if (strcmp(word, from_words[from]) == 0) {
            w->from = from;
            return CLI_EXIT_DONE;
        }
    }
    return desk_say_value(d, CLI_EXIT_USAGE, "--from: ", span_str(word),
                          " is not one of alert, block and both");
}

/* ---- too wide ---- */

static unsigned
length_of(const struct prefix *p, bool *v4)
{
    *v4 = addr_is_v4(&p->addr) && p->bits >= 96;
    return *v4 ? p->bits - 96U : p->bits;
}

static bool
holds(const struct prefix *wide, const struct prefix *p)
{
    return wide->bits <= p->bits && prefix_has(wide, &p->addr);
}

static enum cli_exit
check_width(struct desk *d, const struct wanted *w)
{
    bool v4;
    unsigned bits = length_of(&w->prefix, &v4);

    if ((w->from & EXCEPT_BLOCK) == 0 || bits >= widest_block[!v4])
        return CLI_EXIT_DONE;
    return desk_say_value(d, CLI_EXIT_REFUSED, "",
                          span_str(d->cli->arguments[0]),
                          v4 ? " is wider than /8, and would turn blocking "
                               "off; nothing was changed"
                             : " is wider than /16, and would turn blocking "
                               "off; nothing was changed");
}

/* It is done all the same: a rule may be silenced for everybody. */
static void
warn_width(struct desk *d, const struct wanted *w)
{
    const struct config *c = d->config;
    bool v4;
    unsigned bits = length_of(&w->prefix, &v4);
    uint64_t widest = v4 ? c->except_widest4 : c->except_widest6;
    bool home = false;

    for (size_t i = 0; i < c->home.n; i++)
        home = home || holds(&w->prefix, &c->home.v[i]);
    if (bits >= widest && !home)
        return;
    buf_str(d->messages, "span25: warning: ");
    prefix_format(&w->prefix, d->messages);
    if (bits == 0)
        buf_printf(d->messages, " is every %s address", v4 ? "IPv4" : "IPv6");
    else if (home)
        buf_str(d->messages, " holds a whole home network");
    else
        buf_printf(d->messages, " is wider than /%" PRIu64 " (%s)", widest,
                   v4 ? "exceptions.widest_ipv4" : "exceptions.widest_ipv6");
    buf_printf(d->messages, ": all its hosts are kept from %s\n",
               kept_from(w->from));
}

/* One in force that says at least the same, for as long. */
static const struct exception *
same_already(struct desk *d, const struct exceptions *x, const struct wanted *w)
{
    for (size_t i = 0; i < exceptions_count(x); i++) {
        const struct exception *e = exceptions_get(x, i);

        if (e->prefix.bits == w->prefix.bits &&
            addr_cmp(&e->prefix.addr, &w->prefix.addr) == 0 &&
            (e->from & w->from) == w->from && strcmp(e->rule, w->rule) == 0 &&
            e->since <= d->now && !is_over(e, d->now) &&
            (e->until == 0 || (w->until != 0 && e->until >= w->until)))
            return e;
    }
    return NULL;
}

static enum cli_exit
say_same(struct desk *d, const struct exception *e)
{
    buf_printf(d->messages, "span25: exception %s says this already", e->id);
    if (e->until != 0) {
        buf_str(d->messages, ", until ");
        registry_time_show(e->until, d->config->utc, d->messages);
    }
    buf_str(d->messages, "; nothing was changed\n");
    return CLI_EXIT_REFUSED;
}

static enum cli_exit
check(struct desk *d, struct wanted *w)
{
    const struct config *c = d->config;
    enum cli_exit given = check_prefix(d, w);

    if (given == CLI_EXIT_DONE)
        given = check_from(d, w);
    if (given == CLI_EXIT_DONE)
        given = check_width(d, w);
    if (given != CLI_EXIT_DONE)
        return given;
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
    uint64_t h = hash_mix(hash_span(prefix, d->now), w->until);

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
               kept_from(w->from));
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
    const struct exception *same = NULL;
    struct exceptions *x = NULL;
    struct buf prefix;

    if (code != CLI_EXIT_DONE)
        return code;
    buf_init(&prefix, 128);
    prefix_format(&w.prefix, &prefix);
    make_id(d, &w, buf_view(&prefix));
    code = desk_exceptions_read(d, &x);
    if (code == CLI_EXIT_DONE)
        same = same_already(d, x, &w);
    if (same == NULL && code == CLI_EXIT_DONE)
        same = exceptions_by_id(x, span_str(w.id));
    if (same != NULL)
        code = say_same(d, same);
    if (code == CLI_EXIT_DONE)
        warn_width(d, &w);
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

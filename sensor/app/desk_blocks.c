/* desk_blocks - what is stopped, or would be, and what people do about it
 *
 * The list is made from the decision events of the journal alone, the newest
 * one of each subject (DETECTION 6.3). What people say is a control event of
 * kind block, which the core turns into a decision (rules/decide/decide.h). */
#include <stdlib.h>

#include "rules/decide/decide.h"
#include "rules/decide/decide_rule.h"
#include "rules/registry/book.h"
#include "sensor/app/desk.h"
#include "sensor/app/desk_decide.h"
#include "sensor/app/desk_decisions.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/registry_time.h"

static int
newest_first(const void *a, const void *b)
{
    const struct desk_decision *x = a;
    const struct desk_decision *y = b;

    return x->seq > y->seq ? -1 : x->seq < y->seq;
}

static enum cli_exit
say_error(struct desk *d, enum err e)
{
    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    return e == ERR_LIMIT || e == ERR_NOMEM
               ? desk_say(d, CLI_EXIT_FAILED, err_text(e))
               : desk_say_index(d);
}

/* ---- the list ---- */

static const struct registry_column columns[] = {
    {"SUBJECT",    "subject"   },
    {"STATE",      "state"     },
    {"MODE",       "mode"      },
    {"SINCE",      "since"     },
    {"UNTIL",      "until"     },
    {"BY",         "origin"    },
    {"STEP",       "step"      },
    {"COLLATERAL", "collateral"},
    {"SITE",       "site"      },
    {"AGAINST",    "against"   },
    {"DECISION",   "id"        },
    {"REASON",     "reason"    },
    {"",           "evidence"  },
};

static void
add_against(struct registry_table *t, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    struct buf all;

    buf_init(&all, 4096);
    while (record_next(&c, &e)) {
        if (e.field != FIELD_DECISION_AGAINST)
            continue;
        buf_str(&all, all.n > 0 ? ", " : "");
        buf_span(&all, e.value);
    }
    registry_table_span(t, buf_view(&all));
    buf_free(&all);
}

/* A person's decision has that person's words. */
static void
add_reason(struct registry_table *t, const struct record_map *m,
           const struct desk_decision *act)
{
    struct span actor, why;
    struct buf text;

    if (act == NULL || !record_map_is(m, FIELD_DECISION_ORIGIN, "human")) {
        registry_table_span(t, record_map_find(m, FIELD_DECISION_REASON));
        return;
    }
    buf_init(&text, 8192);
    actor = record_find(act->record, FIELD_CONTROL_ACTOR);
    why = record_find(act->record, FIELD_CONTROL_REASON);
    buf_span(&text, actor);
    buf_str(&text, ": ");
    buf_span(&text, why);
    registry_table_span(t, buf_view(&text));
    buf_free(&text);
}

static void
add_row(struct registry_table *t, const struct desk_decision *b,
        enum desk_standing standing, const struct desk_decision *act)
{
    struct record_map m;

    record_map_init(&m, b->record);
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_SUBJECT));
    registry_table_text(t, desk_standing_word(standing));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_MODE));
    registry_table_time(t, b->when);
    registry_table_time(t, b->until);
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_ORIGIN));
    registry_table_number(t, record_map_u64(&m, FIELD_DECISION_STEP, 0));
    registry_table_number(t, record_map_u64(&m, FIELD_DECISION_COLLATERAL, 0));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_SITE));
    add_against(t, b->record);
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_ID));
    add_reason(t, &m, act);
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_EVIDENCE_HASH));
}

/* What the table says in one line, and what it does not show. */
static void
put_sums(struct desk *d, const size_t n[DESK_STANDING_COUNT])
{
    if (d->config->json || d->config->csv)
        return;
    buf_printf(d->out, "%zu in force, %zu for a human, %zu withheld",
               n[DESK_IN_FORCE], n[DESK_ASKED], n[DESK_WITHHELD]);
    if (!d->config->all_exceptions && n[DESK_OVER] > 0)
        buf_printf(d->out, ", %zu over (--all)", n[DESK_OVER]);
    buf_putc(d->out, '\n');
}

enum cli_exit
desk_blocks_list(struct desk *d)
{
    size_t n[DESK_STANDING_COUNT] = {0};
    struct registry_table t;
    struct desk_decisions b, acts;
    enum cli_exit code =
        say_error(d, desk_decisions_read(d->index, d->now, &b));
    enum cli_exit other =
        say_error(d, desk_decisions_acts(d->index, d->now, &acts));

    if (code == CLI_EXIT_DONE)
        code = other;
    if (b.n > 0)
        qsort(b.v, b.n, sizeof(*b.v), newest_first);
    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < b.n; i++) {
        enum desk_standing standing = desk_standing_of(&b.v[i], d->now);

        n[standing]++;
        if (standing != DESK_OVER || d->config->all_exceptions)
            add_row(&t, &b.v[i], standing,
                    desk_decisions_find(&acts, &b.v[i].subject));
    }
    if (code == CLI_EXIT_DONE)
        code = desk_table(d, &t, "span25.blocks.list",
                          "nothing is stopped, and nothing waits");
    if (code == CLI_EXIT_DONE)
        put_sums(d, n);
    registry_table_fini(&t);
    desk_decisions_fini(&acts);
    desk_decisions_fini(&b);
    return code;
}

/* ---- what people say ---- */

/* One host: an IPv4 address, or the /64 around an IPv6 one. */
static enum cli_exit
subject_of(struct desk *d, struct span text, struct prefix *out)
{
    struct prefix p;

    if (!prefix_parse(text, &p))
        return desk_say_value(d, CLI_EXIT_USAGE, "", text,
                              " is not an address such as 192.0.2.7");
    *out = decide_subject_of(&p.addr);
    if (p.bits == 128 || p.bits == out->bits)
        return CLI_EXIT_DONE;
    return desk_say_value(d, CLI_EXIT_REFUSED, "", text,
                          " is more than one host: one IPv4 address or one "
                          "IPv6 /64 at a time; nothing was changed");
}

static enum cli_exit
check_reason(struct desk *d, const char *without)
{
    return d->config->except_reason != NULL
               ? CLI_EXIT_DONE
               : desk_say(d, CLI_EXIT_REFUSED, without);
}

static enum cli_exit
check_until(struct desk *d, const char *text, ns_t *until)
{
    if (!registry_time_read(span_str(text), d->now, until) || *until <= d->now)
        return desk_say_value(d, CLI_EXIT_USAGE, "--for: ", span_str(text),
                              " is not a time ahead, such as 4h");
    *until = *until / NS_PER_US * NS_PER_US;
    return CLI_EXIT_DONE;
}

struct kept {
    const struct addr *host;
    bool registered, protect;
};

static void
note_kept(void *ctx, uint64_t seq, struct span record)
{
    struct kept *k = ctx;
    struct record_map m;
    struct addr host;

    (void)seq;
    record_map_init(&m, record);
    if (!record_map_addr(&m, FIELD_SRC_IP, &host) ||
        addr_cmp(&host, k->host) != 0)
        return;
    k->registered |= record_map_is(&m, FIELD_SRC_REG_STATE, "registered");
    k->protect |= record_map_bool(&m, FIELD_SRC_REG_PROTECTED);
}

/* The registry of the state, and what was known when the host was seen last:
 * a file of servers is in no state. The core asks again; it is told here, for
 * the core can only withhold. */
static enum cli_exit
check_registry(struct desk *d, const struct prefix *subject)
{
    struct kept k = {.host = &subject->addr};
    struct book_verdict v;
    char text[ADDR_TEXT_MAX];
    size_t n = addr_format(&subject->addr, text);

    desk_book(d);
    if (d->book != NULL) {
        v = book_judge(d->book, &subject->addr, 25, FORM_SEND, d->now);
        k.registered = v.registered;
        k.protect = v.protect;
    } else if (index_latest_key(d->index, "host", span_of(text, n), 0,
                                note_kept, &k) != ERR_OK) {
        return desk_say_index(d);
    }
    if (!k.registered && !k.protect)
        return CLI_EXIT_DONE;
    return desk_say_value(
        d, CLI_EXIT_REFUSED, "", span_str(d->cli->arguments[0]),
        k.registered ? " is registered, and registered hosts are not "
                       "stopped; nothing was changed"
                     : " is protected by the registry; nothing was "
                       "changed");
}

static enum cli_exit
check_exceptions(struct desk *d, const struct prefix *subject)
{
    const struct exception *kept = NULL;
    struct exceptions *x = NULL;
    enum cli_exit code = desk_exceptions_read(d, &x);

    if (code == CLI_EXIT_DONE)
        kept = exceptions_find(x, subject, EXCEPT_BLOCK, SPAN_NONE, d->now);
    if (kept != NULL)
        code = desk_say_value(d, CLI_EXIT_REFUSED, "kept by exception ",
                              span_str(kept->id),
                              ", see exceptions list; nothing was changed");
    exceptions_free(x);
    return code;
}

/* ---- telling it ---- */

/* Who answered first is not in the decisions. */
static enum cli_exit
check_others(struct desk *d)
{
    if (d->config->block_approvals < 2)
        return CLI_EXIT_DONE;
    return desk_say(d, CLI_EXIT_REFUSED,
                    "two people must say yes (block.approvals), and no sensor "
                    "runs that could remember the first; nothing was changed");
}

/* until 0: none */
static enum cli_exit
tell(struct desk *d, const char *action, struct span subject, ns_t until)
{
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(d, &w);
    struct record_out r;

    if (code == CLI_EXIT_DONE) {
        record_init(&r);
        desk_begin(d, &r, "block", action);
        record_text(&r, FIELD_CONTROL_REASON, d->config->except_reason);
        record_str(&r, FIELD_CONTROL_SUBJECT, subject);
        if (d->config->mistake)
            record_bool(&r, FIELD_CONTROL_MISTAKE, true);
        if (until != 0)
            record_time(&r, FIELD_CONTROL_UNTIL, until);
        if (!desk_is_live(w) && *action == 'a')
            code = check_others(d);
        if (code == CLI_EXIT_DONE)
            desk_tell(w, &r);
        if (code == CLI_EXIT_DONE && !desk_is_live(w))
            code = desk_decide(d, w, &r);
        record_free(&r);
    }
    return desk_close(w, code);
}

static enum cli_exit
tell_subject(struct desk *d, const char *action, const struct prefix *subject,
             ns_t until, const char *done)
{
    enum cli_exit code;
    struct buf text;

    buf_init(&text, 128);
    prefix_format(subject, &text);
    code = tell(d, action, buf_view(&text), until);
    if (code == CLI_EXIT_DONE) {
        buf_span(d->out, buf_view(&text));
        buf_printf(d->out, "  %s%s", d->config->dry_run ? "would be " : "",
                   done);
        if (until != 0) {
            buf_str(d->out, " until ");
            registry_time_show(until, d->config->utc, d->out);
        }
        buf_putc(d->out, '\n');
    }
    buf_free(&text);
    return code;
}

enum cli_exit
desk_blocks_add(struct desk *d)
{
    struct span text = span_str(d->cli->arguments[0]);
    struct prefix subject;
    ns_t until = 0;
    enum cli_exit code = subject_of(d, text, &subject);

    if (code == CLI_EXIT_DONE && d->config->except_for == NULL)
        code = desk_say(d, CLI_EXIT_USAGE, "blocks add needs --for TIME");
    if (code == CLI_EXIT_DONE)
        code = check_until(d, d->config->except_for, &until);
    if (code == CLI_EXIT_DONE)
        code = check_reason(d, "blocks add needs --reason; nothing was "
                               "changed");
    if (code == CLI_EXIT_DONE)
        code = check_registry(d, &subject);
    if (code == CLI_EXIT_DONE)
        code = check_exceptions(d, &subject);
    return code == CLI_EXIT_DONE
               ? tell_subject(d, "add", &subject, until, "to be stopped")
               : code;
}

/* ---- lifting ---- */

static const struct desk_decision *
by_id(struct desk *d, const struct desk_decisions *b, struct span begins)
{
    const struct desk_decision *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < b->n && begins.n > 0; i++) {
        if (!span_starts(record_find(b->v[i].record, FIELD_DECISION_ID),
                         begins))
            continue;
        found = &b->v[i];
        n++;
    }
    if (n == 1)
        return found;
    (void)desk_say_value(d, CLI_EXIT_USAGE,
                         n == 0 ? "no address, and no latest decision has an "
                                  "id that begins with "
                                : "several decisions have ids that begin "
                                  "with ",
                         begins, "");
    return NULL;
}

static enum cli_exit
find(struct desk *d, struct span text, struct prefix *out)
{
    const struct desk_decision *found;
    struct desk_decisions b;
    struct prefix p;
    enum cli_exit code;

    if (prefix_parse(text, &p))
        return subject_of(d, text, out);
    code = say_error(d, desk_decisions_read(d->index, d->now, &b));
    found = code == CLI_EXIT_DONE ? by_id(d, &b, text) : NULL;
    if (found != NULL)
        *out = found->subject;
    else if (code == CLI_EXIT_DONE)
        code = CLI_EXIT_USAGE;
    desk_decisions_fini(&b);
    return code;
}

/* ---- answers to what is asked ---- */

static enum cli_exit
check_asked(struct desk *d, const struct prefix *subject)
{
    struct desk_decisions b;
    const struct desk_decision *it;
    enum cli_exit code =
        say_error(d, desk_decisions_read(d->index, d->now, &b));

    if (code == CLI_EXIT_DONE) {
        it = desk_decisions_find(&b, subject);
        if (it == NULL || desk_standing_of(it, d->now) != DESK_ASKED)
            code =
                desk_say_value(d, CLI_EXIT_REFUSED, "nothing is asked about ",
                               span_str(d->cli->arguments[0]),
                               " now, see blocks list; nothing was changed");
    }
    desk_decisions_fini(&b);
    return code;
}

static enum cli_exit
answer(struct desk *d, const char *action, const char *without,
       const char *done)
{
    const bool yes = d->cli->verb == VERB_BLOCKS_APPROVE;
    struct prefix subject;
    ns_t until = 0;
    enum cli_exit code = check_reason(d, without);

    if (code == CLI_EXIT_DONE)
        code = find(d, span_str(d->cli->arguments[0]), &subject);
    if (code == CLI_EXIT_DONE && d->config->except_for != NULL)
        code = check_until(d, d->config->except_for, &until);
    if (code == CLI_EXIT_DONE)
        code = check_asked(d, &subject);
    if (code == CLI_EXIT_DONE && yes)
        code = check_registry(d, &subject);
    if (code == CLI_EXIT_DONE && yes)
        code = check_exceptions(d, &subject);
    return code == CLI_EXIT_DONE
               ? tell_subject(d, action, &subject, until, done)
               : code;
}

enum cli_exit
desk_blocks_approve(struct desk *d)
{
    return answer(d, "approve",
                  "blocks approve needs --reason; nothing was changed",
                  d->config->block_approvals < 2
                      ? "approved"
                      : "approved; it is stopped when two people have said so");
}

enum cli_exit
desk_blocks_refuse(struct desk *d)
{
    return answer(d, "lift",
                  "blocks refuse needs --reason; nothing was changed",
                  "refused, and kept from the detector for a day");
}

enum cli_exit
desk_blocks_lift(struct desk *d)
{
    struct prefix subject;
    enum cli_exit code =
        check_reason(d, "blocks lift needs --reason; nothing was changed");

    if (code == CLI_EXIT_DONE)
        code = find(d, span_str(d->cli->arguments[0]), &subject);
    return code == CLI_EXIT_DONE
               ? tell_subject(d, "lift", &subject, 0,
                              "lifted, and kept from the detector for a day")
               : code;
}

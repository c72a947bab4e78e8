#include "sensor/app/desk_card.h"

#include <inttypes.h>
#include <stdlib.h>

#include "rules/registry/book.h"
#include "sensor/app/caller.h"
#include "sensor/app/desk_event.h"
#include "sensor/app/desk_evidence.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/desk_lines.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/count.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"
#include "sensor/event/json_write.h"

#define ROLES        3U
#define ALERTS_SHOWN 100U /* of a host */
#define CHECKS_WIDE  180U /* columns of the table of checks, with a baseline */

bool
desk_card_json(struct span record, struct buf *out)
{
    struct json_writer *w = malloc(sizeof(*w));
    bool good = w != NULL;

    if (good) {
        json_writer_init(w);
        good = json_write(w, record, out);
    }
    free(w);
    while (good && out->n > 0 && out->p[out->n - 1] == '\n')
        out->n--;
    return good;
}

static struct span
child(struct span object, enum field f)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == f)
            return e.value;
    }
    return SPAN_NONE;
}

static void
put_field(struct buf *out, const char *before, const struct record_map *m,
          enum field f, const char *after)
{
    struct span v = record_map_find(m, f);

    if (v.n == 0)
        return;
    buf_str(out, before);
    text_term(out, v);
    buf_str(out, after);
}

/* ---- checks ---- */

static const struct {
    const char *name, *words;
} check_words[] = {
    {"s1",  "refused first contacts"    },
    {"s1t", "TLS sessions without mail" },
    {"s2",  "messages judged bad"       },
    {"s3",  "new organisations"         },
    {"s4",  "same mail as other hosts"  },
    {"s5",  "malicious files"           },
    {"s6",  "cited by block lists"      },
    {"s7",  "deferred, not tried again" },
    {"p",   "sends without registration"},
    {"mx",  "asked for mail servers"    },
};

static struct span
words_of(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(check_words); i++) {
        if (span_eq(span_str(check_words[i].name), name))
            return span_str(check_words[i].words);
    }
    return name;
}

static const struct registry_column check_columns[] = {
    {"CHECK",    "check"   },
    {"RESULT",   "result"  },
    {"OBSERVED", "observed"},
    {"LIMIT",    "limit"   },
    {"USUAL",    "baseline"},
};

static void
add_check(struct registry_table *t, struct span object)
{
    struct span name = child(object, FIELD_ALERT_CHECKS_NAME);
    bool hidden = span_eq(child(object, FIELD_ALERT_CHECKS_RESULT),
                          SPAN_LIT("not_observable"));

    registry_table_span(t, words_of(name));
    registry_table_span(t, hidden ? SPAN_LIT("not observable")
                                  : child(object, FIELD_ALERT_CHECKS_RESULT));
    registry_table_span(t, child(object, FIELD_ALERT_CHECKS_OBSERVED));
    registry_table_span(t, child(object, FIELD_ALERT_CHECKS_LIMIT));
    registry_table_span(t, child(object, FIELD_ALERT_CHECKS_BASELINE));
}

/* "[host.]s2." in what the rule asked for and met. */
static bool
rule_met(struct span record, struct span name)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    struct buf want;
    bool met = false;

    buf_init(&want, 64);
    buf_str(&want, "host.");
    buf_span(&want, name);
    buf_putc(&want, '.');
    while (record_next(&c, &e))
        met |= e.field == FIELD_ALERT_MATCHED &&
               span_search(e.value, buf_view(&want)) < e.value.n;
    buf_free(&want);
    return met;
}

static bool
has_result(const struct record_entry *e, const char *result)
{
    return e->field == FIELD_ALERT_CHECKS &&
           span_eq(child(e->value, FIELD_ALERT_CHECKS_RESULT),
                   span_str(result));
}

/* Below their limit, a line each: what was seen. One by which the rule was met
 * earlier says so. */
static void
put_passed(struct desk *d, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        struct span name;

        if (!has_result(&e, "passed"))
            continue;
        name = child(e.value, FIELD_ALERT_CHECKS_NAME);
        buf_str(d->out, rule_met(record, name)
                            ? "Met by the rule earlier, below its limit now: "
                            : "Passed: ");
        text_term(d->out, words_of(name));
        buf_str(d->out, " (");
        text_term(d->out, child(e.value, FIELD_ALERT_CHECKS_OBSERVED));
        buf_str(d->out, ")\n");
    }
}

/* Neighbours with the same reason share a line. */
static void
put_hidden(struct desk *d, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct span why = SPAN_NONE;
    struct record_entry e;
    bool open = false;

    while (record_next(&c, &e)) {
        struct span observed;

        if (!has_result(&e, "not_observable"))
            continue;
        observed = child(e.value, FIELD_ALERT_CHECKS_OBSERVED);
        if (open && !span_eq(observed, why)) {
            buf_str(d->out, " (");
            text_term(d->out, why);
            buf_str(d->out, ")\n");
            open = false;
        }
        buf_str(d->out, open ? ", " : "Not observable: ");
        text_term(d->out, words_of(child(e.value, FIELD_ALERT_CHECKS_NAME)));
        why = observed;
        open = true;
    }
    if (!open)
        return;
    buf_str(d->out, " (");
    text_term(d->out, why);
    buf_str(d->out, ")\n");
}

/* "Fired: refused first contacts (70 % of 125 ...; limit score 9.2)" */
static void
put_line(struct desk *d, const struct record_entry *e)
{
    static const struct {
        enum field field;
        const char *before;
    } parts[] = {
        {FIELD_ALERT_CHECKS_OBSERVED, " ("       },
        {FIELD_ALERT_CHECKS_LIMIT,    "; limit: "},
        {FIELD_ALERT_CHECKS_BASELINE, "; usual: "},
    };

    buf_str(d->out, has_result(e, "fired")    ? "Fired: "
                    : has_result(e, "passed") ? "Passed: "
                                              : "Not observable: ");
    text_term(d->out, words_of(child(e->value, FIELD_ALERT_CHECKS_NAME)));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct span v = child(e->value, parts[i].field);

        if (v.n == 0)
            continue;
        buf_str(d->out, parts[i].before);
        text_term(d->out, v);
    }
    buf_str(d->out, ")\n");
}

/* On a terminal of less columns than its table has it would lose what was
 * observed: it is lines then. */
static void
put_lines(struct desk *d, struct span record, bool all)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_ALERT_CHECKS && (all || has_result(&e, "fired")))
            put_line(d, &e);
    }
}

void
desk_card_checks(struct desk *d, struct span record, bool all)
{
    size_t columns = caller_columns();
    struct registry_table t;
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    bool passed = false;

    registry_table_init(&t, check_columns, ARRAY_LEN(check_columns));
    while (record_next(&c, &e)) {
        passed |= has_result(&e, "passed");
        if (e.field == FIELD_ALERT_CHECKS &&
            (all || span_eq(child(e.value, FIELD_ALERT_CHECKS_RESULT),
                            SPAN_LIT("fired"))))
            add_check(&t, e.value);
    }
    if (registry_table_rows(&t) > 0 && columns > 0 && columns < CHECKS_WIDE)
        put_lines(d, record, all);
    else if (registry_table_rows(&t) > 0)
        (void)desk_table(d, &t, "", "");
    else if (passed)
        buf_str(d->out, "No statistic of the host is at its limit.\n");
    registry_table_fini(&t);
    if (all)
        return;
    put_passed(d, record);
    put_hidden(d, record);
}

static void
put_member(struct json_out *j, const char *key, struct span v)
{
    if (v.n == 0)
        return;
    json_key(j, key);
    (void)json_str(j, v);
}

static void
put_check_json(struct json_out *j, struct span record, struct span check)
{
    const struct span name = child(check, FIELD_ALERT_CHECKS_NAME);
    const struct span result = child(check, FIELD_ALERT_CHECKS_RESULT);

    json_begin(j, '{');
    put_member(j, "name", name);
    put_member(j, "words", words_of(name));
    put_member(j, "result", result);
    put_member(j, "observed", child(check, FIELD_ALERT_CHECKS_OBSERVED));
    put_member(j, "limit", child(check, FIELD_ALERT_CHECKS_LIMIT));
    put_member(j, "baseline", child(check, FIELD_ALERT_CHECKS_BASELINE));
    json_key(j, "met_earlier");
    json_bool(j, span_eq(result, SPAN_LIT("passed")) && rule_met(record, name));
    json_end(j, '}');
}

void
desk_card_checks_json(struct span record, struct buf *out)
{
    struct json_out j = json_out_open(out);
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    json_begin(&j, '[');
    while (record_next(&c, &e)) {
        if (e.field == FIELD_ALERT_CHECKS)
            put_check_json(&j, record, e.value);
    }
    json_end(&j, ']');
}

/* ---- owner ---- */

static const struct form *
form_of_site(const struct desk *d, struct span site)
{
    for (size_t i = 0; site.n > 0 && i < book_n_forms(d->book); i++) {
        const struct form *f = &book_form_at(d->book, i)->form;
        const char *name = f->text[FORM_SITE];
        const char *code = f->text[FORM_SITE_CODE];

        if ((name != NULL && span_eq(span_str(name), site)) ||
            (code != NULL && span_eq(span_str(code), site)))
            return f;
    }
    return NULL;
}

static void
put_contact(struct desk *d, const struct form *f, const char *role,
            enum form_field name, enum form_field phone)
{
    if (f->text[name] == NULL)
        return;
    buf_str(d->out, ", ");
    buf_str(d->out, role);
    buf_putc(d->out, ' ');
    text_term(d->out, span_str(f->text[name]));
    if (f->text[phone] == NULL)
        return;
    buf_putc(d->out, ' ');
    text_term(d->out, span_str(f->text[phone]));
}

/* The site of the configuration with this code; without one that with the
 * longest prefix that holds the address. */
static const struct config_site *
configured_site(const struct desk *d, const struct addr *a, struct span code)
{
    const struct config_sites *all = &d->config->sites;
    const struct config_site *found = NULL;
    unsigned bits = 0;

    for (size_t i = 0; i < all->n; i++) {
        const struct config_site *s = &all->v[i];

        if (code.n > 0 && s->code != NULL && span_eq(span_str(s->code), code))
            return s;
        for (size_t k = 0; code.n == 0 && a != NULL && k < s->prefixes.n; k++) {
            struct prefix p = s->prefixes.v[k];

            if (!prefix_has(&p, a) || (found != NULL && p.bits < bits))
                continue;
            found = s;
            bits = p.bits;
        }
    }
    return found;
}

/* False: the configuration names nobody. */
static bool
put_configured(struct desk *d, const struct addr *a, struct span code)
{
    const struct config_site *s = configured_site(d, a, code);

    if (s == NULL || (s->owner == NULL && s->contact == NULL))
        return false;
    text_term(d->out, span_str(s->name != NULL ? s->name : s->code));
    if (s->owner != NULL) {
        buf_str(d->out, ", ");
        text_term(d->out, span_str(s->owner));
    }
    if (s->contact != NULL) {
        buf_str(d->out, ", ");
        text_term(d->out, span_str(s->contact));
    }
    buf_str(d->out, " (site of the configuration)\n");
    return true;
}

void
desk_card_owner(struct desk *d, const struct addr *a, struct span site)
{
    const struct form *f = NULL;
    struct book_verdict v = {0};

    desk_book(d);
    buf_str(d->out, "Owner: ");
    if (d->book != NULL && a != NULL)
        v = book_judge(d->book, a, 25, FORM_SEND, d->now);
    if (d->book != NULL)
        f = v.line != NULL ? &v.line->form->form : form_of_site(d, site);
    if (f == NULL && put_configured(d, a, site))
        return;
    if (f == NULL) {
        buf_str(d->out, d->book == NULL
                            ? "not known (no forms are kept in this state, "
                              "see span25 registry submit, and the "
                              "configuration names nobody)\n"
                            : "not known (no form has this address or site)\n");
        return;
    }
    text_term(d->out, span_str(f->text[FORM_SITE] != NULL ? f->text[FORM_SITE]
                                                          : "no site"));
    put_contact(d, f, "technical contact", FORM_TECH_CONTACT_NAME,
                FORM_TECH_CONTACT_PHONE);
    put_contact(d, f, "site contact", FORM_SITE_CONTACT_NAME,
                FORM_SITE_CONTACT_PHONE);
    buf_str(d->out, " (form ");
    text_term(d->out, span_str(f->number));
    buf_str(d->out, v.line == NULL ? "; this address is not on it)\n" : ")\n");
}

const char *
desk_card_mail(struct desk *d, const struct addr *a, struct span site)
{
    static const enum form_field fields[] = {FORM_ABUSE_CONTACT_MAIL,
                                             FORM_SITE_CONTACT_MAIL,
                                             FORM_TECH_CONTACT_MAIL};
    const struct config_site *s = configured_site(d, a, site);
    const struct form *f = NULL;
    struct book_verdict v = {0};

    desk_book(d);
    if (d->book != NULL)
        v = book_judge(d->book, a, 25, FORM_SEND, d->now);
    if (d->book != NULL)
        f = v.line != NULL ? &v.line->form->form : form_of_site(d, site);
    for (size_t i = 0; f != NULL && i < ARRAY_LEN(fields); i++) {
        if (f->text[fields[i]] != NULL)
            return f->text[fields[i]];
    }
    return s != NULL ? s->contact : NULL;
}

void
desk_card_owner_json(struct desk *d, const struct addr *a, struct span site)
{
    struct buf *out = d->out;
    struct json_out j = json_out_open(out);
    const char *mail = desk_card_mail(d, a, site);
    struct span said;
    struct buf text;

    buf_init(&text, DESK_LINES_MAX);
    d->out = &text;
    desk_card_owner(d, a, site);
    d->out = out;
    said = span_head(buf_view(&text), span_find(buf_view(&text), '\n'));
    json_begin(&j, '{');
    json_key(&j, "text");
    (void)json_str(&j, span_tail(said, span_find(said, ' ') + 1));
    json_key(&j, "mail");
    if (mail != NULL)
        (void)json_str(&j, span_str(mail));
    else
        json_null(&j);
    json_end(&j, '}');
    buf_free(&text);
}

/* ---- one alert ---- */

struct shown {
    struct span role; /* "first" */
    struct span id, sight;
    ns_t when;
    struct desk_event event, session;
};

struct card {
    struct desk *desk;
    const struct desk_alert *alert;
    struct buf record; /* the newest event of the alert */
    struct record_map map;
    struct shown shown[ROLES];
    size_t n_shown;
    struct desk_event mails[3]; /* of the host, where the evidence is its
                                 * statistics */
    struct desk_event sessions[3];
    bool by_host;
};

static void
take_record(void *ctx, uint64_t seq, struct span record)
{
    struct card *c = ctx;

    (void)seq;
    buf_reset(&c->record);
    buf_span(&c->record, record);
}

static void
take_evidence(struct card *c)
{
    struct cursor cur = record_entries_of(buf_view(&c->record));
    struct record_entry e;

    while (record_next(&cur, &e) && c->n_shown < ROLES) {
        struct shown *s = &c->shown[c->n_shown];

        if (e.field != FIELD_ALERT_EVIDENCE)
            continue;
        s->role = child(e.value, FIELD_ALERT_EVIDENCE_ROLE);
        s->id = child(e.value, FIELD_ALERT_EVIDENCE_EVENT);
        s->sight = child(e.value, FIELD_ALERT_EVIDENCE_SIGHT);
        s->when = entry_u64(child(e.value, FIELD_ALERT_EVIDENCE_WHEN));
        c->n_shown++;
    }
}

/* The same event in several roles is read and shown once. */
static bool
is_again(const struct card *c, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (span_eq(c->shown[k].id, c->shown[i].id))
            return true;
    }
    return false;
}

static enum cli_exit
find_evidence(struct card *c)
{
    enum cli_exit code = CLI_EXIT_DONE;

    for (size_t i = 0; i < c->n_shown && code == CLI_EXIT_DONE; i++) {
        struct shown *s = &c->shown[i];

        if (is_again(c, i))
            continue;
        code = desk_event_find(c->desk, s->id, &s->event);
        if (code == CLI_EXIT_DONE)
            code = desk_event_session(c->desk, &s->event, &s->session);
        c->by_host |= s->event.is_host;
    }
    return code;
}

/* Statistics are shown by transactions of the host. */
static enum cli_exit
find_mails(struct card *c)
{
    const struct shown *latest = &c->shown[c->n_shown - 1];
    enum cli_exit code = CLI_EXIT_DONE;
    struct addr a;

    if (!c->by_host || !record_map_addr(&c->map, FIELD_SRC_IP, &a))
        return code;
    code = desk_event_mails(c->desk, &a, latest->when, c->mails);
    for (size_t i = 0; i < ARRAY_LEN(c->mails) && code == CLI_EXIT_DONE; i++) {
        for (size_t k = 0; k < i; k++) {
            if (c->mails[k].seq == c->mails[i].seq)
                c->mails[i].seq = 0;
        }
        code = desk_event_session(c->desk, &c->mails[i], &c->sessions[i]);
    }
    return code;
}

static void
read_all(struct card *c)
{
    struct desk_event *all[2 * (ROLES + 3)];
    size_t n = 0;

    for (size_t i = 0; i < ROLES; i++) {
        all[n++] = &c->shown[i].event;
        all[n++] = &c->shown[i].session;
        all[n++] = &c->mails[i];
        all[n++] = &c->sessions[i];
    }
    desk_event_read(c->desk, all, n);
}

static void
put_event(struct card *c, const struct desk_event *e,
          const struct desk_event *session)
{
    struct record_map m, s;

    if (e->record.n == 0) {
        buf_str(c->desk->out, "    (the journal does not have it any more)\n");
        return;
    }
    record_map_init(&m, buf_view(&e->record));
    if (session->record.n > 0)
        record_map_init(&s, buf_view(&session->record));
    desk_event_head(c->desk, &m, c->desk->out);
    buf_putc(c->desk->out, '\n');
    desk_event_transcript(&m, session->record.n > 0 ? &s : NULL, c->desk->out);
}

/* "First and worst", "Latest" */
static void
put_roles(struct card *c, size_t i)
{
    struct buf *out = c->desk->out;
    const char *between = "";

    for (size_t k = i; k < c->n_shown; k++) {
        if (!span_eq(c->shown[k].id, c->shown[i].id))
            continue;
        buf_str(out, between);
        text_term(out, c->shown[k].role);
        between = ", ";
    }
    buf_str(out, " [seen: ");
    text_term(out, c->shown[i].sight);
    buf_str(out, "]  ");
}

static void
put_evidence(struct card *c)
{
    static const char *const mails[] = {"earliest", "refused", "latest"};
    struct buf *out = c->desk->out;

    buf_str(out, "\nEvidence\n");
    for (size_t i = 0; i < c->n_shown; i++) {
        if (is_again(c, i))
            continue;
        buf_str(out, "  ");
        put_roles(c, i);
        put_event(c, &c->shown[i].event, &c->shown[i].session);
    }
    for (size_t i = 0; c->by_host && i < ARRAY_LEN(c->mails); i++) {
        if (c->mails[i].record.n == 0)
            continue;
        buf_printf(out, "  %s mail of the host  ", mails[i]);
        put_event(c, &c->mails[i], &c->sessions[i]);
    }
}

static void
put_head(struct card *c)
{
    const struct desk_alert *a = c->alert;
    struct buf *out = c->desk->out;

    buf_put(out, a->id, a->shown);
    buf_str(out, "  ");
    text_term(out, desk_level_word(a));
    buf_str(out, "  ");
    text_term(out, span_str(a->title));
    buf_printf(out, "  %s, episode ", desk_status_word(a->status));
    text_term(out, span_str(a->state));
    buf_str(out, "\nfirst ");
    desk_event_time(c->desk, a->first, out);
    buf_str(out, "  last ");
    desk_event_time(c->desk, a->last, out);
    buf_str(out, "  ");
    count_put(out, a->count, "event", NULL);
    buf_str(out, " matched\n\n");
    text_term(out, span_str(a->reason));
    buf_str(out, "\n\n");
}

static void
put_matched(struct card *c)
{
    struct cursor cur = record_entries_of(buf_view(&c->record));
    const char *before = "The rule asked for, and what it met (scores in "
                         "thousandths):\n";
    struct record_entry e;

    while (record_next(&cur, &e)) {
        if (e.field != FIELD_ALERT_MATCHED)
            continue;
        buf_str(c->desk->out, before);
        buf_str(c->desk->out, "    ");
        text_term(c->desk->out, e.value);
        buf_putc(c->desk->out, '\n');
        before = "";
    }
    if (before[0] == '\0')
        buf_putc(c->desk->out, '\n');
}

/* The latest decision about an address. */
struct latest {
    const struct addr *of;
    struct buf record;
};

static void
take_decision(void *ctx, uint64_t seq, struct span record)
{
    struct latest *l = ctx;
    struct record_map m;
    struct prefix p;

    (void)seq;
    record_map_init(&m, record);
    if (!prefix_parse(record_map_find(&m, FIELD_DECISION_SUBJECT), &p) ||
        !prefix_has(&p, l->of))
        return;
    buf_reset(&l->record);
    buf_span(&l->record, record);
}

/* What is decided about the host, and with which figures: not what a reader of
 * the card alone would decide. */
static enum cli_exit
put_decision(struct card *c, const struct addr *a)
{
    struct latest l = {.of = a};
    struct buf *out = c->desk->out;
    struct record_map m;
    enum err e;

    buf_init(&l.record, RECORD_MAX);
    e = index_acts(c->desk->index, "decision", SPAN_NONE, take_decision, &l);
    if (e == ERR_OK && l.record.n == 0) {
        buf_str(out, record_map_has(&c->map, FIELD_ALERT_BLOCK_SCOPE)
                         ? "Decision: none; its figures are below those of a "
                           "block\n"
                         : "Decision: none\n");
    } else if (e == ERR_OK) {
        record_map_init(&m, buf_view(&l.record));
        buf_str(out, "Decision of ");
        desk_event_time(c->desk, record_head_of(buf_view(&l.record)).when, out);
        put_field(out, ": ", &m, FIELD_DECISION_REASON, "");
        put_field(out, " [", &m, FIELD_DECISION_MODE, "]\n");
    }
    buf_free(&l.record);
    return e == ERR_OK ? CLI_EXIT_DONE : desk_say_index(c->desk);
}

/* Those in force that hold the address. */
static enum cli_exit
put_exceptions(struct card *c, const struct addr *a)
{
    static const char *const froms[] = {"", "alerts", "blocks",
                                        "alerts and blocks"};
    struct exceptions *x;
    enum cli_exit code = desk_exceptions_read(c->desk, &x);

    for (size_t i = 0; code == CLI_EXIT_DONE && i < exceptions_count(x); i++) {
        const struct exception *e = exceptions_get(x, i);

        if (!prefix_has(&e->prefix, a) || e->since > c->desk->now ||
            (e->until != 0 && e->until <= c->desk->now) ||
            (e->removed != 0 && e->removed <= c->desk->now))
            continue;
        buf_printf(c->desk->out, "Excepted from %s by exception ",
                   froms[e->from & EXCEPT_BOTH]);
        text_term(c->desk->out, span_str(e->id));
        buf_str(c->desk->out, ": ");
        text_term(c->desk->out, span_str(e->reason));
        buf_putc(c->desk->out, '\n');
    }
    exceptions_free(x);
    return code;
}

struct latest_host {
    const struct addr *of;
    const struct prefix *around; /* hosts of it besides are counted */
    bool known, home, registered, protected;
    uint64_t others, others_registered;
};

static void
take_host(void *ctx, uint64_t seq, struct span record)
{
    struct latest_host *l = ctx;
    struct record_map m;
    struct addr a;
    bool registered;

    (void)seq;
    record_map_init(&m, record);
    if (!record_map_addr(&m, FIELD_SRC_IP, &a))
        return;
    registered = record_map_is(&m, FIELD_SRC_REG_STATE, "registered");
    if (addr_cmp(&a, l->of) != 0) {
        if (l->around != NULL && prefix_has(l->around, &a)) {
            l->others++;
            l->others_registered += registered;
        }
        return;
    }
    l->known = true;
    l->home = record_map_bool(&m, FIELD_HOST_HOME);
    l->registered = registered;
    l->protected = record_map_bool(&m, FIELD_SRC_REG_PROTECTED);
}

/* The decision has a figure of its own, of its own time. */
static void
put_collateral(struct buf *out, uint64_t n)
{
    buf_str(out, "Collateral: ");
    count_put(out, n, "ordinary-looking message", NULL);
    buf_str(out, " of it in the 7 days before the last match\n");
}

/* Which of the reasons it is, by what is known of the host. */
static enum cli_exit
put_unblockable(struct card *c, const struct addr *a)
{
    struct latest_host l = {.of = a};
    char text[ADDR_TEXT_MAX];
    const char *why = "it is excepted, or stands outside";

    if (!record_map_has(&c->map, FIELD_SRC_IP))
        why = "it is the server here, and only what a host sends is stopped";
    else if (a != NULL && index_latest_key(c->desk->index, "host",
                                           span_of(text, addr_format(a, text)),
                                           0, take_host, &l) != ERR_OK)
        return desk_say_index(c->desk);
    else if (l.protected)
        why = "its address is protected";
    else if (l.registered)
        why = "it is registered";
    else if (l.known && !l.home)
        why = "it is not at home";
    buf_printf(c->desk->out, " (%s)\n", why);
    return CLI_EXIT_DONE;
}

/* A /64 is stopped whole: who else stands in it. */
static enum cli_exit
put_neighbours(struct card *c, const struct addr *a)
{
    struct prefix around = {*a, 64};
    struct latest_host l = {.of = a, .around = &around};
    struct buf *out = c->desk->out;

    if (addr_is_v4(a))
        return CLI_EXIT_DONE;
    memset(around.addr.b + 8, 0, 8);
    if (index_latest(c->desk->index, "host", 0, 0, take_host, &l) != ERR_OK)
        return desk_say_index(c->desk);
    if (l.others == 0)
        return CLI_EXIT_DONE;
    buf_str(out, "Beside it in that /64: ");
    count_put(out, l.others, "host", NULL);
    buf_printf(out, " that speak%s SMTP, ", l.others == 1 ? "s" : "");
    count_number(out, l.others_registered);
    buf_str(out, " of them registered");
    buf_str(out, l.others_registered > 0
                     ? "; so the sensor itself would not ask for this block\n"
                     : "\n");
    return CLI_EXIT_DONE;
}

static enum cli_exit
put_block(struct card *c, const struct addr *a)
{
    struct buf *out = c->desk->out;
    const struct record_map *m = &c->map;
    enum cli_exit code = CLI_EXIT_DONE;

    buf_putc(out, '\n');
    if (!record_map_has(m, FIELD_ALERT_BLOCK_SCOPE)) {
        buf_str(out, "A block would stop: nothing");
        code = put_unblockable(c, a);
    } else {
        put_field(out, "A block would stop: ", m, FIELD_ALERT_BLOCK_SCOPE,
                  " (this program blocks nothing by itself)\n");
        if (!record_map_has(m, FIELD_ALERT_BLOCK_COLLATERAL))
            buf_str(out,
                    "Collateral: not known, no statistics of this host yet\n");
        else
            put_collateral(out,
                           record_map_u64(m, FIELD_ALERT_BLOCK_COLLATERAL, 0));
    }
    if (a != NULL && code == CLI_EXIT_DONE &&
        record_map_has(m, FIELD_ALERT_BLOCK_SCOPE))
        code = put_neighbours(c, a);
    if (a != NULL && code == CLI_EXIT_DONE)
        code = put_decision(c, a);
    if (a != NULL && code == CLI_EXIT_DONE)
        code = put_exceptions(c, a);
    return code;
}

static const struct {
    const char *what, *words;
} related_words[] = {
    {"cluster", "sends the same mail"     },
    {"helo",    "gives the same name"     },
    {"dialect", "speaks SMTP the same way"},
    {"site",    "at the same site"        },
};

static void
put_shared(struct span what, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(related_words); i++) {
        if (span_eq(what, span_str(related_words[i].what))) {
            buf_str(out, related_words[i].words);
            return;
        }
    }
    text_term(out, what);
}

static void
put_related(struct card *c)
{
    struct cursor cur = record_entries_of(buf_view(&c->record));
    const char *between = "Related: ";
    struct record_entry e;

    while (record_next(&cur, &e)) {
        if (e.field != FIELD_ALERT_RELATED)
            continue;
        buf_str(c->desk->out, between);
        text_term(c->desk->out, child(e.value, FIELD_ALERT_RELATED_SUBJECT));
        buf_str(c->desk->out, " (");
        put_shared(child(e.value, FIELD_ALERT_RELATED_WHAT), c->desk->out);
        buf_putc(c->desk->out, ')');
        between = ", ";
    }
    if (between[0] == ',')
        buf_putc(c->desk->out, '\n');
}

static void
put_act(void *ctx, uint64_t seq, struct span record)
{
    struct desk *d = ctx;
    struct record_map m;
    const struct desk_reason *r;

    (void)seq;
    record_map_init(&m, record);
    r = desk_reason_find(record_map_find(&m, FIELD_CONTROL_REASON));
    buf_str(d->out, "    ");
    desk_event_time(
        d, record_map_u64(&m, FIELD_CONTROL_TIME, record_head_of(record).when),
        d->out);
    put_field(d->out, "  ", &m, FIELD_CONTROL_ACTION, "");
    put_field(d->out, " by ", &m, FIELD_CONTROL_ACTOR, "");
    if (r != NULL)
        buf_printf(d->out, ": %s", r->words);
    else
        put_field(d->out, ": ", &m, FIELD_CONTROL_REASON, "");
    put_field(d->out, "; ", &m, FIELD_CONTROL_NOTE, "");
    buf_putc(d->out, '\n');
}

static enum cli_exit
put_history(struct card *c, const struct addr *known)
{
    struct desk *d = c->desk;
    enum cli_exit code = CLI_EXIT_DONE;

    buf_str(d->out, "    ");
    desk_event_time(d, c->alert->first, d->out);
    buf_str(d->out, "  opened by the rule ");
    text_term(d->out, span_str(c->alert->rule));
    put_field(d->out, " (text ", &c->map, FIELD_ALERT_RULE_HASH, ")");
    buf_putc(d->out, '\n');
    if (index_acts(d->index, "act", span_str(c->alert->id), put_act, d) !=
        ERR_OK)
        return desk_say_index(d);
    if (known != NULL)
        code = desk_exceptions_history(d, known, span_str(c->alert->rule),
                                       c->alert->first);
    if (strcmp(c->alert->state, "ended") == 0) {
        buf_str(d->out, "    ");
        desk_event_time(d, record_head_of(buf_view(&c->record)).when, d->out);
        buf_str(d->out, "  ended: quiet since the last match\n");
    }
    return code;
}

static void
put_next(struct card *c)
{
    struct desk *d = c->desk;
    const struct desk_alert *a = c->alert;
    struct span subject = span_str(a->subject);
    struct buf state;

    buf_init(&state, 4096);
    text_term(&state, span_str(d->config->state));
    buf_printf(d->out, "\nNext: span25 explain --state %.*s ", (int)state.n,
               (const char *)state.p);
    text_term(d->out, span_head(subject, span_find(subject, ' ')));
    buf_putc(d->out, '\n');
    if (a->status == DESK_NEW)
        buf_printf(d->out, "      span25 alerts ack --state %.*s %.*s\n",
                   (int)state.n, (const char *)state.p, (int)a->shown, a->id);
    else if (a->status == DESK_CLOSED)
        buf_printf(d->out,
                   "      span25 alerts reopen --state %.*s %.*s --reason "
                   "\"...\"\n",
                   (int)state.n, (const char *)state.p, (int)a->shown, a->id);
    if (a->status != DESK_CLOSED)
        buf_printf(d->out,
                   "      span25 alerts close --state %.*s %.*s --reason "
                   "REASON --note \"...\"\n",
                   (int)state.n, (const char *)state.p, (int)a->shown, a->id);
    buf_free(&state);
}

static enum cli_exit
write_text(struct card *c)
{
    struct addr a;
    bool known = record_map_addr(&c->map, FIELD_SRC_IP, &a) ||
                 record_map_addr(&c->map, FIELD_DEST_IP, &a);
    enum cli_exit code;

    put_head(c);
    put_matched(c);
    buf_str(c->desk->out, "Statistics of the host at ");
    desk_event_time(c->desk, record_head_of(buf_view(&c->record)).when,
                    c->desk->out);
    buf_str(c->desk->out, ", when this was told of last:\n");
    desk_card_checks(c->desk, buf_view(&c->record), false);
    put_evidence(c);
    code = put_block(c, known ? &a : NULL);
    if (code != CLI_EXIT_DONE)
        return code;
    desk_card_owner(c->desk, known ? &a : NULL, span_str(c->alert->site));
    put_related(c);
    buf_str(c->desk->out, "History\n");
    code = put_history(c, known ? &a : NULL);
    put_next(c);
    return code;
}

/* ---- as JSON ---- */

struct list {
    struct buf *out;
    size_t n;
    bool failed;
};

static void
add_json(struct list *l, struct span record)
{
    buf_str(l->out, l->n++ > 0 ? "," : "");
    l->failed = !desk_card_json(record, l->out) || l->failed;
}

static void
add_act(void *ctx, uint64_t seq, struct span record)
{
    (void)seq;
    add_json(ctx, record);
}

static void
add_event(struct list *l, const char *role, const struct desk_event *e,
          const struct desk_event *session)
{
    if (e->record.n == 0)
        return;
    buf_printf(l->out, "%s{\"role\":\"%s\",\"event\":", l->n++ > 0 ? "," : "",
               role);
    l->failed = !desk_card_json(buf_view(&e->record), l->out) || l->failed;
    if (session->record.n > 0) {
        buf_str(l->out, ",\"session\":");
        l->failed =
            !desk_card_json(buf_view(&session->record), l->out) || l->failed;
    }
    buf_str(l->out, ",\"said\":");
    desk_card_said_json(buf_view(&e->record), buf_view(&session->record),
                        l->out);
    buf_putc(l->out, '}');
}

void
desk_card_said_json(struct span record, struct span session, struct buf *out)
{
    struct record_map m, s;
    struct buf text;

    buf_init(&text, DESK_LINES_MAX);
    record_map_init(&m, record);
    if (session.n > 0)
        record_map_init(&s, session);
    desk_event_transcript(&m, session.n > 0 ? &s : NULL, &text);
    desk_lines_said_json(buf_view(&text), out);
    buf_free(&text);
}

static void
add_evidence(struct card *c, struct list *l)
{
    static const char *const roles[] = {"first", "worst", "latest"};
    static const char *const mails[] = {"earliest_mail", "refused_mail",
                                        "latest_mail"};

    for (size_t i = 0; i < c->n_shown; i++)
        add_event(l, roles[i], &c->shown[i].event, &c->shown[i].session);
    for (size_t i = 0; i < ARRAY_LEN(mails); i++)
        add_event(l, mails[i], &c->mails[i], &c->sessions[i]);
}

static void
add_related(struct card *c)
{
    struct json_out j = json_out_open(c->desk->out);
    struct cursor cur = record_entries_of(buf_view(&c->record));
    struct record_entry e;

    json_begin(&j, '[');
    while (record_next(&cur, &e)) {
        struct buf words;

        if (e.field != FIELD_ALERT_RELATED)
            continue;
        buf_init(&words, DESK_LINES_MAX);
        put_shared(child(e.value, FIELD_ALERT_RELATED_WHAT), &words);
        json_begin(&j, '{');
        put_member(&j, "subject", child(e.value, FIELD_ALERT_RELATED_SUBJECT));
        put_member(&j, "words", buf_view(&words));
        json_end(&j, '}');
        buf_free(&words);
    }
    json_end(&j, ']');
}

/* The lines that people are told, as an array. */
static enum cli_exit
add_lines(struct card *c, const char *key,
          enum cli_exit (*put)(struct card *c, const struct addr *a),
          const struct addr *a)
{
    struct buf *out = c->desk->out;
    enum cli_exit code;
    struct buf text;

    buf_init(&text, DESK_LINES_MAX);
    c->desk->out = &text;
    code = put(c, a);
    c->desk->out = out;
    buf_printf(out, ",\"%s\":", key);
    desk_lines_json(buf_view(&text), out);
    buf_free(&text);
    return code;
}

/* Besides the events: what the card says of them, in the same words. */
static enum cli_exit
add_words(struct card *c)
{
    struct buf *out = c->desk->out;
    struct addr a;
    const bool known = record_map_addr(&c->map, FIELD_SRC_IP, &a) ||
                       record_map_addr(&c->map, FIELD_DEST_IP, &a);
    enum cli_exit code;

    buf_str(out, ",\"checks\":");
    desk_card_checks_json(buf_view(&c->record), out);
    buf_str(out, ",\"owner\":");
    desk_card_owner_json(c->desk, known ? &a : NULL, span_str(c->alert->site));
    buf_str(out, ",\"related\":");
    add_related(c);
    code = add_lines(c, "block", put_block, known ? &a : NULL);
    return code == CLI_EXIT_DONE
               ? add_lines(c, "told", put_history, known ? &a : NULL)
               : code;
}

static enum cli_exit
write_json(struct card *c)
{
    struct desk *d = c->desk;
    struct list l = {.out = d->out};
    enum cli_exit code = CLI_EXIT_DONE;

    buf_printf(d->out,
               "{\"schema\":\"span25.alert\",\"id\":\"%.*s\","
               "\"status\":\"%s\",\"silenced\":%s,\"event\":",
               (int)c->alert->shown, c->alert->id,
               desk_status_word(c->alert->status),
               c->alert->silenced ? "true" : "false");
    l.failed = !desk_card_json(buf_view(&c->record), d->out);
    buf_str(d->out, ",\"evidence\":[");
    add_evidence(c, &l);
    buf_str(d->out, "],\"history\":[");
    l.n = 0;
    if (index_acts(d->index, "act", span_str(c->alert->id), add_act, &l) !=
        ERR_OK)
        code = desk_say_index(d);
    buf_putc(d->out, ']');
    if (code == CLI_EXIT_DONE)
        code = add_words(c);
    buf_str(d->out, "}\n");
    if (l.failed)
        code = desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    return code;
}

/* ---- all of it ---- */

static void
card_init(struct card *c)
{
    buf_init(&c->record, RECORD_MAX);
    for (size_t i = 0; i < ROLES; i++) {
        desk_event_init(&c->shown[i].event);
        desk_event_init(&c->shown[i].session);
        desk_event_init(&c->mails[i]);
        desk_event_init(&c->sessions[i]);
    }
}

static void
card_fini(struct card *c)
{
    buf_free(&c->record);
    for (size_t i = 0; i < ROLES; i++) {
        desk_event_fini(&c->shown[i].event);
        desk_event_fini(&c->shown[i].session);
        desk_event_fini(&c->mails[i]);
        desk_event_fini(&c->sessions[i]);
    }
}

static enum cli_exit
fill(struct card *c)
{
    enum cli_exit code;

    if (index_latest_key(c->desk->index, "alert", span_str(c->alert->id), 1,
                         take_record, c) != ERR_OK)
        return desk_say_index(c->desk);
    if (c->record.n == 0)
        return desk_say(c->desk, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    record_map_init(&c->map, buf_view(&c->record));
    take_evidence(c);
    code = find_evidence(c);
    if (code == CLI_EXIT_DONE && c->n_shown > 0)
        code = find_mails(c);
    if (code == CLI_EXIT_DONE)
        read_all(c);
    return code;
}

enum cli_exit
desk_card_alert(struct desk *d, const struct desk_alert *a)
{
    struct card *c = calloc(1, sizeof(*c));
    enum cli_exit code;

    if (c == NULL)
        return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    c->desk = d;
    c->alert = a;
    card_init(c);
    code = fill(c);
    if (code == CLI_EXIT_DONE)
        code = d->config->json ? write_json(c) : write_text(c);
    card_fini(c);
    free(c);
    return code;
}

static void
give_all(struct card *c, void (*take)(void *ctx, struct span record), void *ctx)
{
    for (size_t i = 0; i < ROLES; i++) {
        const struct desk_event *const events[] = {
            &c->shown[i].event, &c->shown[i].session, &c->mails[i],
            &c->sessions[i]};

        for (size_t k = 0; k < ARRAY_LEN(events); k++) {
            if (events[k]->record.n > 0)
                take(ctx, buf_view(&events[k]->record));
        }
    }
}

enum cli_exit
desk_card_each(struct desk *d, const struct desk_alert *a,
               void (*take)(void *ctx, struct span record), void *ctx)
{
    struct card *c = calloc(1, sizeof(*c));
    enum cli_exit code;

    if (c == NULL)
        return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    c->desk = d;
    c->alert = a;
    card_init(c);
    code = fill(c);
    if (code == CLI_EXIT_DONE)
        give_all(c, take, ctx);
    card_fini(c);
    free(c);
    return code;
}

enum cli_exit
desk_alerts_show(struct desk *d)
{
    struct desk_alerts a;
    enum cli_exit code = desk_alerts_named(d, d->cli->arguments, 1, &a);
    const struct desk_alert *one = NULL;

    if (code == CLI_EXIT_DONE) {
        one = desk_alerts_find(d, &a, span_str(d->cli->arguments[0]));
        if (d->config->redact && d->config->pcap == NULL)
            code = desk_say(d, CLI_EXIT_USAGE, "--redact is for --pcap");
        else if (one == NULL)
            code = CLI_EXIT_USAGE;
        else
            code = d->config->pcap != NULL ? desk_evidence_cut(d, one)
                                           : desk_card_alert(d, one);
    }
    desk_alerts_fini(&a);
    return code;
}

/* ---- alerts of one host ---- */

static const struct registry_column alert_columns[] = {
    {"ID",       "id"      },
    {"SEVERITY", "severity"},
    {"STATUS",   "status"  },
    {"RULE",     "title"   },
    {"MATCHES",  "count"   },
    {"LAST",     "last"    },
    {"SILENCED", "silenced"},
};

enum cli_exit
desk_card_alerts(struct desk *d, const struct addr *subject)
{
    struct index_page page;
    struct registry_page part;
    struct registry_table t;
    struct desk_alerts a;
    enum cli_exit code = desk_alerts_about(d, subject, ALERTS_SHOWN, &a, &page);

    registry_table_init(&t, alert_columns, ARRAY_LEN(alert_columns));
    part = (struct registry_page){"", page.total, page.exact};
    t.page = &part;
    for (size_t i = 0; i < a.n; i++) {
        const struct desk_alert *it = &a.v[i];

        registry_table_span(&t, span_of(it->id, it->shown));
        registry_table_span(&t, d->config->json ? span_str(it->level)
                                                : desk_level_word(it));
        registry_table_text(&t, desk_status_word(it->status));
        registry_table_text(&t, it->title);
        registry_table_number(&t, it->count);
        registry_table_time(&t, it->last);
        registry_table_bool(&t, it->silenced);
    }
    if (code == CLI_EXIT_DONE)
        code = desk_table(d, &t, "span25.alerts", "no alerts");
    if (a.n < page.total && !d->config->json) {
        char text[ADDR_TEXT_MAX];

        buf_printf(d->out,
                   "of %s%" PRIu64 " alerts; all of them: span25 alerts list"
                   " --host %.*s\n",
                   page.exact ? "" : "at least ", page.total,
                   (int)addr_format(subject, text), text);
    }
    registry_table_fini(&t);
    desk_alerts_fini(&a);
    return code;
}

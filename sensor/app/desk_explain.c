#include "rules/registry/book.h"
#include "sensor/app/desk_card.h"
#include "sensor/app/desk_event.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/app/desk_hosts.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

/* ---- decisions ---- */

#define EVIDENCE_LINES (64U << 10) /* bytes, of one id a line each */

static const struct registry_column decision_columns[] = {
    {"DECISION", "id"        },
    {"ACTION",   "action"    },
    {"MODE",     "mode"      },
    {"TIME",     "time"      },
    {"UNTIL",    "until"     },
    {"AGAINST",  "against"   },
    {"REASON",   "reason"    },
    {"",         "collateral"},
    {"",         "evidence"  },
};

struct deciding {
    struct registry_table table;
    const struct addr *only; /* NULL: all */
    struct buf *evidence;    /* lines for people */
};

/* A person's decision rests on nothing. */
static void
put_hash(struct buf *out, const struct record_map *m)
{
    const struct span hash = record_map_find(m, FIELD_DECISION_EVIDENCE_HASH);

    if (hash.n == 0 || record_map_is(m, FIELD_DECISION_ORIGIN, "human"))
        return;
    buf_str(out, "evidence of ");
    text_term(out, record_map_find(m, FIELD_DECISION_ID));
    buf_str(out, ": SHA-256 ");
    text_term(out, hash);
    buf_putc(out, '\n');
}

static void
put_against(struct buf *out, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field != FIELD_DECISION_AGAINST)
            continue;
        buf_str(out, out->n > 0 ? ", " : "");
        buf_span(out, e.value);
    }
}

static void
add_decision(void *ctx, uint64_t seq, struct span record)
{
    struct deciding *s = ctx;
    struct registry_table *t = &s->table;
    struct record_map m;
    struct buf against;
    struct prefix p;

    (void)seq;
    record_map_init(&m, record);
    if (s->only != NULL &&
        (!prefix_parse(record_map_find(&m, FIELD_DECISION_SUBJECT), &p) ||
         !prefix_has(&p, s->only)))
        return;
    buf_init(&against, 4096);
    put_against(&against, record);
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_ID));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_ACTION));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_MODE));
    registry_table_time(t, record_head_of(record).when);
    registry_table_time(t, record_map_u64(&m, FIELD_DECISION_UNTIL, 0));
    registry_table_span(t, buf_view(&against));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_REASON));
    registry_table_number(t, record_map_u64(&m, FIELD_DECISION_COLLATERAL, 0));
    registry_table_span(t, record_map_find(&m, FIELD_DECISION_EVIDENCE_HASH));
    put_hash(s->evidence, &m);
    buf_free(&against);
}

/* What stands in AGAINST, for people: DETECTION 6. */
static const struct {
    const char *word, *means;
} against_words[] = {
    {"disabled",               "this verdict is switched off"                               },
    {"exception",              "an exception keeps it from blocks"                          },
    {"registered",             "it is registered as a mail server"                          },
    {"permitted",              "a permit holds for it"                                      },
    {"permit_requested",       "a permit was asked for"                                     },
    {"protected",              "its address is protected"                                   },
    {"neighbour",              "one that is kept stands in the same prefix"                 },
    {"registry:none",          "there is no registry to look into"                          },
    {"immunity",               "a block of it was lifted a short time ago"                  },
    {"evidence:sessions",      "too few whole sessions were seen"                           },
    {"evidence:organisations", "they reached servers of too few organisations"              },
    {"evidence:networks",      "they reached too few networks"                              },
    {"evidence:seconds",       "they were seen over too short a time"                       },
    {"evidence:volume",        "it did too little in the last hour"                         },
    {"evidence:replies",       "too few of the replies to it were seen"                     },
    {"evidence:loss",          "too much of the traffic was missed"                         },
    {"evidence:path",          "too few of its sessions came by a router that is known"     },
    {"queueing",               "it behaves like a mail server: a human is asked"            },
    {"pool",                   "several speak from this address: a human is asked"          },
    {"identity",               "somebody else may speak in its name: a human is asked"      },
    {"shared",                 "others that behave well share its address: a human is asked"},
    {"breaker",
     "a cap was met, and nothing more is stopped until a human resumes"                     },
    {"cap:minute",             "too many decisions within a minute"                         },
    {"cap:active",             "too many in force at once"                                  },
    {"cap:net",                "too many in force in the same network"                      },
    {"cap:site",               "too many hosts of the same site in a day"                   },
    {"cap:day",                "too many in a day"                                          },
};

struct meanings {
    const struct addr *only;
    uint32_t told; /* rows of against_words */
};

static void
note_meanings(void *ctx, uint64_t seq, struct span record)
{
    struct meanings *n = ctx;
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    struct prefix p;

    (void)seq;
    if (!prefix_parse(record_find(record, FIELD_DECISION_SUBJECT), &p) ||
        !prefix_has(&p, n->only))
        return;
    while (record_next(&c, &e)) {
        for (size_t i = 0; i < ARRAY_LEN(against_words); i++) {
            if (e.field == FIELD_DECISION_AGAINST &&
                span_eq(e.value, span_str(against_words[i].word)))
                n->told |= UINT32_C(1) << i;
        }
    }
}

_Static_assert(ARRAY_LEN(against_words) <= 32, "a row is a bit");

static void
put_meanings_json(struct desk *d, const struct meanings *n)
{
    struct json_out j = json_out_open(d->out);

    json_begin(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(against_words); i++) {
        if ((n->told >> i & 1U) == 0)
            continue;
        json_key(&j, against_words[i].word);
        (void)json_str(&j, span_str(against_words[i].means));
    }
    json_end(&j, '}');
    buf_putc(d->out, '\n');
}

static enum cli_exit
put_meanings(struct desk *d, const struct addr *only)
{
    struct meanings n = {.only = only};

    if (index_acts(d->index, "decision", SPAN_NONE, note_meanings, &n) !=
        ERR_OK)
        return desk_say_index(d);
    if (d->config->json) {
        put_meanings_json(d, &n);
        return CLI_EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(against_words); i++) {
        if ((n.told >> i & 1U) != 0)
            buf_printf(d->out, "%s: %s\n", against_words[i].word,
                       against_words[i].means);
    }
    return CLI_EXIT_DONE;
}

static enum cli_exit
put_decisions(struct desk *d, const struct addr *only, struct span key,
              size_t *n)
{
    struct buf evidence;
    struct deciding s = {.only = only, .evidence = &evidence};
    enum cli_exit code = CLI_EXIT_DONE;
    enum err e;

    buf_init(&evidence, EVIDENCE_LINES);
    registry_table_init(&s.table, decision_columns,
                        ARRAY_LEN(decision_columns));
    e = key.n > 0
            ? index_acts_key(d->index, "decision", key, add_decision, &s)
            : index_acts(d->index, "decision", SPAN_NONE, add_decision, &s);
    if (e != ERR_OK)
        code = desk_say_index(d);
    *n = registry_table_rows(&s.table);
    if (code == CLI_EXIT_DONE && (*n > 0 || only != NULL))
        code = desk_table(d, &s.table, "span25.decisions", "no decisions");
    if (code == CLI_EXIT_DONE && key.n > 0 && !d->config->json &&
        !d->config->csv)
        buf_span(d->out, buf_view(&evidence));
    registry_table_fini(&s.table);
    buf_free(&evidence);
    return code;
}

/* ---- an address ---- */

static void
put_registry(struct desk *d, const struct addr *a)
{
    struct book_verdict v = {0};
    const char *between = "";
    static const struct {
        enum form_use use;
        const char *word;
    } uses[] = {
        {FORM_SEND,    "send"   },
        {FORM_RECEIVE, "receive"}
    };

    desk_book(d);
    if (d->book == NULL) {
        buf_str(d->out, "the state has no registry\n");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        v = book_judge(d->book, a, 25, uses[i].use, d->now);
        buf_printf(d->out, "%sto %s on port 25: %s", between, uses[i].word,
                   v.registered ? "registered" : "not registered");
        if (v.line != NULL) {
            buf_printf(d->out, " (line %u of form ", v.line->line->number);
            text_term(d->out, span_str(v.line->form->form.number));
            buf_printf(d->out, ", %s)", book_word(v.state));
        }
        between = "\n";
    }
    buf_putc(d->out, '\n');
}

/* Sections of an address, in the order of the questions; as JSON members. */
struct section {
    const char *title, *key; /* title NULL: of JSON alone */
    enum cli_exit (*put)(struct desk *d, const struct addr *a);
};

static enum cli_exit
section_registry(struct desk *d, const struct addr *a)
{
    struct book_verdict v;

    if (!d->config->json) {
        put_registry(d, a);
        desk_card_owner(d, a, SPAN_NONE);
        return CLI_EXIT_DONE;
    }
    desk_book(d);
    if (d->book == NULL) {
        buf_str(d->out, "null\n");
        return CLI_EXIT_DONE;
    }
    v = book_judge(d->book, a, 25, FORM_SEND, d->now);
    buf_printf(d->out, "{\"registered\":%s,\"protected\":%s}\n",
               v.registered ? "true" : "false", v.protect ? "true" : "false");
    return CLI_EXIT_DONE;
}

static enum cli_exit
section_hosts(struct desk *d, const struct addr *a)
{
    enum cli_exit code;

    buf_str(d->out, d->config->json ? "[" : "");
    code = desk_hosts_put(d, a);
    buf_str(d->out, d->config->json ? "]\n" : "");
    return code;
}

static enum cli_exit
section_exceptions(struct desk *d, const struct addr *a)
{
    struct exceptions *x;
    enum cli_exit code = desk_exceptions_read(d, &x);

    if (code == CLI_EXIT_DONE)
        desk_exceptions_table(d, x, a);
    exceptions_free(x);
    return code;
}

static enum cli_exit
section_decisions(struct desk *d, const struct addr *a)
{
    size_t n;
    enum cli_exit code = put_decisions(d, a, SPAN_NONE, &n);

    return code == CLI_EXIT_DONE && !d->config->json ? put_meanings(d, a)
                                                     : code;
}

/* What the sections above say to people, and a page wants as values. */
static enum cli_exit
section_owner(struct desk *d, const struct addr *a)
{
    desk_card_owner_json(d, a, SPAN_NONE);
    buf_putc(d->out, '\n');
    return CLI_EXIT_DONE;
}

static enum cli_exit
section_checks(struct desk *d, const struct addr *a)
{
    const enum cli_exit code = desk_hosts_checks_json(d, a);

    buf_putc(d->out, '\n');
    return code;
}

static const struct section sections[] = {
    {"Registry",   "registry",   section_registry  },
    {"Statistics", "hosts",      section_hosts     },
    {"Alerts",     "alerts",     desk_card_alerts  },
    {"Exceptions", "exceptions", section_exceptions},
    {"Decisions",  "decisions",  section_decisions },
    {NULL,         "owner",      section_owner     },
    {NULL,         "checks",     section_checks    },
    {NULL,         "against",    put_meanings      },
};

static enum cli_exit
explain_address(struct desk *d, const struct addr *a)
{
    bool json = d->config->json;
    enum cli_exit code = CLI_EXIT_DONE;

    buf_str(d->out, json ? "{\"schema\":\"span25.explain\"" : "");
    for (size_t i = 0; i < ARRAY_LEN(sections) && code == CLI_EXIT_DONE; i++) {
        if (!json && sections[i].title == NULL)
            continue;
        if (json)
            buf_printf(d->out, ",\"%s\":", sections[i].key);
        else
            buf_printf(d->out, "%s%s\n", i > 0 ? "\n" : "", sections[i].title);
        code = sections[i].put(d, a);
        if (json && d->out->n > 0)
            d->out->n--; /* the line's end */
    }
    buf_str(d->out, json ? "}\n" : "");
    return code;
}

/* ---- an id ---- */

static enum cli_exit
show_event_json(struct desk *d, const struct desk_event *e,
                const struct desk_event *session)
{
    bool good;

    buf_str(d->out, "{\"schema\":\"span25.event\",\"event\":");
    good = desk_card_json(buf_view(&e->record), d->out);
    buf_str(d->out, ",\"session\":");
    if (session->record.n > 0)
        good = desk_card_json(buf_view(&session->record), d->out) && good;
    else
        buf_str(d->out, "null");
    buf_str(d->out, ",\"said\":");
    desk_card_said_json(buf_view(&e->record), buf_view(&session->record),
                        d->out);
    buf_str(d->out, "}\n");
    return good ? CLI_EXIT_DONE
                : desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}

static enum cli_exit
show_event(struct desk *d, struct desk_event *e, struct desk_event *session)
{
    struct desk_event *both[] = {e, session};
    struct record_map m, s;

    desk_event_read(d, both, ARRAY_LEN(both));
    if (e->record.n == 0)
        return desk_say(d, CLI_EXIT_STORE,
                        "the journal does not have this event any more");
    if (d->config->json)
        return show_event_json(d, e, session);
    record_map_init(&m, buf_view(&e->record));
    if (session->record.n > 0)
        record_map_init(&s, buf_view(&session->record));
    desk_event_head(d, &m, d->out);
    buf_putc(d->out, '\n');
    desk_event_transcript(&m, session->record.n > 0 ? &s : NULL, d->out);
    return CLI_EXIT_DONE;
}

static enum cli_exit
explain_event(struct desk *d, struct span id, bool *found)
{
    struct desk_event e, session;
    enum cli_exit code;

    desk_event_init(&e);
    desk_event_init(&session);
    code = desk_event_find(d, id, &e);
    *found = e.seq != 0;
    if (*found && code == CLI_EXIT_DONE)
        code = desk_event_session(d, &e, &session);
    if (*found && code == CLI_EXIT_DONE)
        code = show_event(d, &e, &session);
    desk_event_fini(&e);
    desk_event_fini(&session);
    return code;
}

static const struct desk_alert *
only_alert(const struct desk_alerts *a, struct span begins)
{
    const struct desk_alert *found = NULL;

    for (size_t i = 0; i < a->n && begins.n > 0; i++) {
        if (!span_starts(span_str(a->v[i].id), begins))
            continue;
        if (found != NULL)
            return NULL;
        found = &a->v[i];
    }
    return found;
}

static enum cli_exit
explain_id(struct desk *d, struct span id)
{
    struct desk_alerts alerts;
    enum cli_exit code = desk_alerts_named(d, d->cli->arguments, 1, &alerts);
    const struct desk_alert *a = only_alert(&alerts, id);
    bool found = a != NULL;
    size_t n = 0;

    if (code == CLI_EXIT_DONE && a != NULL)
        code = desk_card_alert(d, a);
    if (code == CLI_EXIT_DONE && !found) {
        code = put_decisions(d, NULL, id, &n);
        found = n > 0;
    }
    if (code == CLI_EXIT_DONE && !found)
        code = explain_event(d, id, &found);
    if (code == CLI_EXIT_DONE && !found)
        code = desk_say_value(d, CLI_EXIT_USAGE, "", id,
                              " is neither an address nor the id of one "
                              "alert, event or decision");
    desk_alerts_fini(&alerts);
    return code;
}

enum cli_exit
desk_explain(struct desk *d)
{
    struct span what = span_str(d->cli->arguments[0]);
    struct addr a;

    if (what.n == 0)
        return desk_say(d, CLI_EXIT_USAGE, "an address or an id is needed");
    return addr_parse(what, &a) ? explain_address(d, &a) : explain_id(d, what);
}

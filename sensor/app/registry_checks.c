#include "sensor/app/registry_checks.h"

#include "rules/registry/requirements.h"
#include "sensor/app/registry_seen.h"

static const struct registry_column columns[] = {
    {"LINE",       "line"       },
    {"ADDRESS",    "address"    },
    {"",           "requirement"},
    {"LOOKED FOR", "what"       },
    {"ANSWER",     "answer"     },
    {"",           "violation"  },
    {"FIGURES",    "text"       },
    {"ATTESTED",   "attested"   },
    {"",           "count"      },
    {"",           "of"         },
    {"",           "evidence"   },
};

/* What the signer says of a requirement; those not here are not asked. */
static const struct {
    enum requirement requirement;
    enum form_field field;
} attested[] = {
    {REQ_SCANNER,     FORM_SCANS         },
    {REQ_RELAY,       FORM_NO_RELAY      },
    {REQ_NO_AUTH,     FORM_USES_AUTH     },
    {REQ_AUTH_CLEAR,  FORM_AUTH_ENCRYPTED},
    {REQ_NO_STARTTLS, FORM_AUTH_ENCRYPTED},
};

struct looking {
    struct registry_call *call;
    struct requirements *seen;
};

void
registry_checks_init(struct registry_table *t)
{
    registry_table_init(t, columns, ARRAY_LEN(columns));
}

static void
take(void *ctx, const struct record_map *event)
{
    const struct looking *l = ctx;
    const struct book *book = l->call->book;
    struct book_verdict client, server;
    struct req_verdicts said = {NULL, NULL};
    struct addr from, to;
    uint16_t port = (uint16_t)record_map_u64(event, FIELD_DEST_PORT, 0);
    bool internal = record_map_is(event, FIELD_DIRECTION, "internal");

    if (record_map_addr(event, FIELD_SRC_IP, &from) &&
        (internal || record_map_is(event, FIELD_DIRECTION, "outbound"))) {
        client = book_judge(book, &from, port, FORM_SEND, l->call->now);
        said.client = &client;
    }
    if (record_map_addr(event, FIELD_DEST_IP, &to) &&
        (internal || record_map_is(event, FIELD_DIRECTION, "inbound"))) {
        server = book_judge(book, &to, port, FORM_RECEIVE, l->call->now);
        said.server = &server;
    }
    requirements_event(l->seen, book, &said, event);
}

static const char *
attested_of(const struct form *f, enum requirement q)
{
    for (size_t i = 0; i < ARRAY_LEN(attested); i++) {
        if (attested[i].requirement == q)
            return f->text[attested[i].field];
    }
    return NULL;
}

static void
add_row(struct registry_table *t, const struct book_line *l,
        const struct addr *host, enum requirement q,
        const struct req_verdict *v)
{
    char address[ADDR_TEXT_MAX];
    struct buf text;

    buf_init(&text, 1024);
    req_text(v, q, &text);
    registry_table_number(t, l->line->number);
    registry_table_span(t, span_of(address, addr_format(host, address)));
    registry_table_text(t, req_word(q));
    registry_table_text(t, req_what(q));
    registry_table_text(t, req_answer_word(v->answer));
    registry_table_bool(t, req_is_violation(q));
    registry_table_span(t, buf_view(&text));
    registry_table_text(t, attested_of(&l->form->form, q));
    registry_table_number(t, v->count);
    registry_table_number(t, v->of);
    registry_table_text(t, v->n_evidence > 0 ? v->evidence[0] : NULL);
    buf_free(&text);
}

static void
add_line(const struct requirements *seen, const struct book_line *l,
         struct registry_table *t)
{
    for (size_t i = 0; l->line->readable && i < requirements_n(seen); i++) {
        struct addr host = requirements_host(seen, i);

        if (!prefix_has(&l->line->prefix, &host))
            continue;
        for (unsigned q = 0; q < REQ_COUNT; q++) {
            struct req_verdict v =
                requirements_ask(seen, &host, (enum requirement)q);

            add_row(t, l, &host, (enum requirement)q, &v);
        }
    }
}

enum cli_exit
registry_checks_make(struct registry_call *c, const struct book_form *form,
                     struct registry_table *t)
{
    struct looking l = {.call = c};
    enum cli_exit code;

    if (requirements_new(&l.seen) != ERR_OK || book_index(c->book) != ERR_OK) {
        requirements_free(l.seen);
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    }
    code = registry_seen_events(c, take, &l);
    for (size_t i = 0; i < form->form.n_lines; i++) {
        enum book_state s = book_state_at(form->lines[i], c->now);

        if (s != BOOK_NONE && s != BOOK_ENDED)
            add_line(l.seen, form->lines[i], t);
    }
    requirements_free(l.seen);
    return code;
}

bool
registry_checks_write(struct registry_call *c, const struct registry_table *t)
{
    return registry_table_write(t, c->config, "span25.registry.checks",
                                "none of its addresses was seen", c->out);
}

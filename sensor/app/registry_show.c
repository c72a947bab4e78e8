#include "sensor/app/registry.h"

#include "sensor/app/form_json.h"
#include "sensor/app/registry_checks.h"
#include "sensor/app/registry_lines.h"
#include "sensor/app/registry_table.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"
#include "sensor/store/registry_db.h"

/* ---- an address ---- */

static const struct registry_column address_columns[] = {
    {"PORT",          "port"         },
    {"DIRECTION",     "direction"    },
    {"STATE",         "state"        },
    {"LINE",          "line_state"   },
    {"FIT",           "fit"          },
    {"PROTECTED",     "protected"    },
    {"FORM",          "form"         },
    {"NO",            "line"         },
    {"REGISTERED AS", "registered_as"},
    {"SITE",          "site"         },
    {"UNTIL",         "until"        },
    {"REASON",        "reason"       },
};

static void
add_verdict(struct registry_call *c, struct registry_table *t,
            const struct addr *a, uint16_t port, enum form_use use)
{
    static const char *const fits[] = {"fits", "other port", "other direction"};
    struct book_verdict v = book_judge(c->book, a, port, use, c->now);
    const struct book_line *l = v.line;

    registry_table_number(t, port);
    registry_table_text(t, use == FORM_SEND ? "send" : "receive");
    registry_table_text(t, v.registered ? "registered" : "unregistered");
    registry_table_text(t, l != NULL ? book_word(v.state) : NULL);
    registry_table_text(t, l != NULL ? fits[v.fit] : NULL);
    registry_table_bool(t, v.protect);
    registry_table_text(t, l != NULL ? l->form->form.number : NULL);
    if (l != NULL)
        registry_table_number(t, l->line->number);
    else
        registry_table_text(t, NULL);
    registry_table_text(t, l != NULL ? l->line->text[FORM_ADDRESS] : NULL);
    registry_table_text(t, l != NULL ? l->form->form.text[FORM_SITE] : NULL);
    registry_table_time(t, l != NULL ? l->dates.until : 0);
    registry_table_text(t, l != NULL ? l->reason : NULL);
}

static enum cli_exit
show_address(struct registry_call *c, const struct addr *a)
{
    struct registry_table t;
    bool good;

    if (book_index(c->book) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    registry_table_init(&t, address_columns, ARRAY_LEN(address_columns));
    for (size_t i = 0; i < c->config->ports.n; i++) {
        add_verdict(c, &t, a, c->config->ports.v[i], FORM_SEND);
        add_verdict(c, &t, a, c->config->ports.v[i], FORM_RECEIVE);
    }
    good = registry_table_write(&t, c->config, "span25.registry.address", "",
                                c->out);
    registry_table_fini(&t);
    return good ? CLI_EXIT_DONE
                : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}

/* ---- a form ---- */

static const struct registry_column line_columns[] = {
    {"LINE",       "line"      },
    {"STATE",      "state"     },
    {"ADDRESS",    "address"   },
    {"PORT",       "port"      },
    {"DIRECTION",  "direction" },
    {"RECEIVED",   "received"  },
    {"CHECKED",    "checked"   },
    {"APPROVED",   "approved"  },
    {"ENTERED",    "entered"   },
    {"FIRST MAIL", "first_mail"},
    {"UNTIL",      "until"     },
    {"DUE",        "due"       },
    {"NET",        "net"       },
    {"ELAPSED",    "elapsed"   },
    {"REFERENCE",  "reference" },
    {"REASON",     "reason"    },
    {"NOTE",       "note"      },
};

static void
add_length(struct registry_table *t, ns_t length)
{
    struct buf text;

    buf_init(&text, 64);
    registry_time_length(length, &text);
    registry_table_span(t, buf_view(&text));
    buf_free(&text);
}

static void
add_line(struct registry_call *c, struct registry_table *t,
         const struct book_line *l)
{
    struct clock clock = book_clock_at(l, c->now);
    struct buf note;

    buf_init(&note, 4096);
    registry_lines_note(l, c->config, c->now, &note);
    registry_table_number(t, l->line->number);
    registry_table_text(t, book_word(book_state_at(l, c->now)));
    registry_table_text(t, l->line->text[FORM_ADDRESS]);
    registry_table_text(t, l->line->text[FORM_PORT]);
    registry_table_text(t, registry_lines_use(l->line));
    registry_table_time(t, l->dates.received);
    registry_table_time(t, l->dates.checked);
    registry_table_time(t, l->dates.approved);
    registry_table_time(t, l->dates.entered);
    registry_table_time(t, l->dates.seen);
    registry_table_time(t, l->dates.until);
    registry_table_time(t, clock_due(&clock));
    add_length(t, clock_net(&clock, c->now));
    add_length(t, clock_total(&clock, c->now));
    registry_table_text(t, l->reference);
    registry_table_text(t, l->reason);
    registry_table_span(t, buf_view(&note));
    buf_free(&note);
}

/* ---- its history ---- */

static const struct registry_column history_columns[] = {
    {"RECORD", "audit" },
    {"TIME",   "time"  },
    {"ACTION", "action"},
    {"LINES",  "lines" },
    {"ACTOR",  "actor" },
    {"UNTIL",  "until" },
    {"REASON", "reason"},
};

struct history {
    struct registry_table table;
    const char *form;
    ns_t now;
};

static void
add_action(struct registry_table *t, uint64_t number, const struct action *a)
{
    struct buf lines;

    buf_init(&lines, 1 << 16);
    action_lines(a, &lines);
    registry_table_number(t, number);
    registry_table_time(t, a->when);
    registry_table_text(t, action_word(a->kind));
    registry_table_span(t, buf_view(&lines));
    registry_table_text(t, a->actor);
    registry_table_time(t, a->until);
    registry_table_text(t, a->reason);
    buf_free(&lines);
}

static enum err
take(void *ctx, const struct registry_row *row, struct buf *why)
{
    struct history *h = ctx;
    struct action_room room;
    struct action a;
    enum err e = action_read(row->text, &a, &room);

    if (e == ERR_OK && strcmp(a.number, h->form) == 0 && a.when <= h->now)
        add_action(&h->table, row->number, &a);
    if (e != ERR_OK)
        buf_str(why, err_text(e));
    action_room_fini(&room);
    return e;
}

/* The records once more: the book keeps what came of them. */
static bool
read_history(struct registry_call *c, struct history *h)
{
    struct registry_db *db = NULL;
    struct buf why;
    enum err e;

    buf_init(&why, 1024);
    e = registry_db_open((const char *)c->path.p, REGISTRY_DB_READ, &db, &why);
    if (e == ERR_OK)
        e = registry_db_read(db, take, h, &why);
    registry_db_close(db);
    buf_free(&why);
    return e == ERR_OK;
}

static void
put_head(struct registry_call *c, const struct book_form *form)
{
    const char *site = form->form.text[FORM_SITE];

    buf_str(c->out, "form ");
    text_term(c->out, span_str(form->form.number));
    buf_str(c->out, ", ");
    text_term(c->out, span_str(site != NULL ? site : "no site"));
    buf_printf(c->out, ", %s, mail of the contact ",
               form->complete ? "complete" : "not complete");
    if (book_mail(form) == 0)
        buf_str(c->out, "not ");
    buf_str(c->out, "confirmed\n\n");
}

static void
put_moment(struct buf *out, ns_t when)
{
    if (when == 0) {
        buf_str(out, "null");
        return;
    }
    buf_putc(out, '"');
    registry_time_utc(when, out);
    buf_putc(out, '"');
}

/* What it says, and what may be asked about it. */
static enum err
put_form(struct registry_call *c, const struct book_form *form)
{
    struct json_out j = json_out_open(c->out);
    struct form copy; /* its typed values are read again */
    enum err e = form_copy(&copy, &form->form);

    if (e != ERR_OK)
        return e;
    buf_str(c->out, ",\"form\":");
    form_json_write(&copy, &j);
    buf_printf(c->out, ",\"complete\":%s,\"submitted_by\":",
               form->complete ? "true" : "false");
    j = json_out_open(c->out);
    (void)json_str(&j, span_str(form->actor));
    buf_str(c->out, ",\"mail_confirmed\":");
    put_moment(c->out, book_mail(form));
    buf_str(c->out, ",\"faults\":");
    j = json_out_open(c->out);
    json_begin(&j, '[');
    (void)form_check(&copy, c->now, form_json_fault, &j);
    json_end(&j, ']');
    form_fini(&copy);
    return ERR_OK;
}

/* checks: NULL when nobody asked. People and CSV get tables, JSON one
 * document. */
static bool
write_form(struct registry_call *c, const struct book_form *form,
           const struct registry_table *lines, const struct history *h,
           const struct registry_table *checks)
{
    bool people = !c->config->json && !c->config->csv;
    bool good;

    if (c->config->json)
        buf_str(c->out, "{\"schema\":\"span25.registry.form\",\"lines\":");
    if (people)
        put_head(c, form);
    good = registry_table_write(lines, c->config, "span25.registry.lines",
                                "no lines", c->out);
    if (c->config->csv)
        return good;
    if (checks != NULL) {
        if (c->config->json)
            c->out->n--;
        buf_str(c->out, c->config->json ? ",\"checks\":" : "\n");
        good = good && registry_checks_write(c, checks);
    }
    if (c->config->json)
        c->out->n--; /* the line's end */
    buf_str(c->out, c->config->json ? ",\"history\":" : "\n");
    good = good &&
           registry_table_write(&h->table, c->config, "span25.registry.history",
                                "no records", c->out);
    if (c->config->json) {
        c->out->n--;
        good = good && put_form(c, form) == ERR_OK;
        buf_str(c->out, "}\n");
    }
    return good;
}

static enum cli_exit
show_form(struct registry_call *c, const struct book_form *form)
{
    struct history h = {.form = form->form.number, .now = c->now};
    struct registry_table lines, checks;
    enum cli_exit code = CLI_EXIT_DONE;
    bool good;

    registry_checks_init(&checks);
    if (c->config->checks)
        code = registry_checks_make(c, form, &checks);
    if (code != CLI_EXIT_DONE && code != CLI_EXIT_PARTIAL) {
        registry_table_fini(&checks);
        return code;
    }
    registry_table_init(&lines, line_columns, ARRAY_LEN(line_columns));
    registry_table_init(&h.table, history_columns, ARRAY_LEN(history_columns));
    for (size_t i = 0; i < form->form.n_lines; i++) {
        if (book_state_at(form->lines[i], c->now) != BOOK_NONE)
            add_line(c, &lines, form->lines[i]);
    }
    good = read_history(c, &h) &&
           write_form(c, form, &lines, &h, c->config->checks ? &checks : NULL);
    registry_table_fini(&checks);
    registry_table_fini(&lines);
    registry_table_fini(&h.table);
    return good ? code : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}

enum cli_exit
registry_show(struct registry_call *c)
{
    const char *what = c->cli->arguments[0];
    const struct book_form *form = book_find(c->book, what);
    struct addr a;

    if (form != NULL)
        return show_form(c, form);
    if (addr_parse(span_str(what), &a))
        return show_address(c, &a);
    return registry_say_value(c, CLI_EXIT_USAGE, "", what,
                              " is neither a form of the registry nor an "
                              "address");
}

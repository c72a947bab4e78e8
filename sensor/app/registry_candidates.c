#include "sensor/app/registry.h"

#include <stdlib.h>

#include "rules/registry/form_file.h"
#include "sensor/app/registry_seen.h"
#include "sensor/app/registry_table.h"
#include "sensor/base/text.h"

#define FORMS_MAX (1U << 30)

static const struct registry_column columns[] = {
    {"HOST",       "address"      },
    {"PORT",       "port"         },
    {"DIRECTION",  "direction"    },
    {"SITE",       "site"         },
    {"LOOKS LIKE", "looks_like"   },
    {"SESSIONS",   "sessions"     },
    {"MESSAGES",   "messages"     },
    {"",           "recipients"   },
    {"",           "accepted"     },
    {"REFUSED",    "refused"      },
    {"",           "unknown_users"},
    {"",           "attempts"     },
    {"",           "tls_sessions" },
    {"PEERS",      "peers"        },
    {"A DAY",      "a_day"        },
    {"NAME",       "name"         },
    {"",           "names"        },
    {"",           "dialect"      },
    {"FIRST",      "first"        },
    {"LAST",       "last"         },
    {"WHY",        "why"          },
};

static void
add_row(struct registry_table *t, const struct discovery_row *r)
{
    char address[ADDR_TEXT_MAX];

    registry_table_span(t, span_of(address, addr_format(&r->addr, address)));
    registry_table_number(t, r->port);
    registry_table_text(t, r->use == FORM_SEND ? "send" : "receive");
    registry_table_text(t, r->site);
    registry_table_text(t, discovery_word(r->look));
    registry_table_number(t, r->sessions);
    registry_table_number(t, r->messages);
    registry_table_number(t, r->recipients);
    registry_table_number(t, r->accepted);
    registry_table_number(t, r->refused);
    registry_table_number(t, r->unknown_users);
    registry_table_number(t, r->attempts);
    registry_table_number(t, r->tls_sessions);
    registry_table_number(t, r->peers);
    registry_table_number(t, r->volume);
    registry_table_text(t, r->n_names > 0 ? r->names[0] : NULL);
    registry_table_number(t, r->n_names);
    registry_table_text(t, r->dialect);
    registry_table_time(t, r->first);
    registry_table_time(t, r->last);
    registry_table_text(t, r->why);
}

static bool
print_table(struct registry_call *c, const struct registry_seen *s)
{
    struct registry_table t;
    bool good;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < s->n; i++)
        add_row(&t, s->rows[i]);
    good = registry_table_write(&t, c->config, "span25.registry.candidates",
                                "no host without a permit was seen", c->out);
    registry_table_fini(&t);
    return good;
}

/* ---- forms ---- */

static bool
is_csv(const char *path)
{
    struct span p = span_str(path);

    return p.n > 4 && span_eq(span_tail(p, p.n - 4), SPAN_LIT(".csv"));
}

static enum err
write_group(const struct registry_seen *s, size_t from, size_t n, bool csv,
            struct buf *out, size_t *bots)
{
    struct form form;
    enum err e = registry_seen_form(s, from, n, &form, bots);

    if (e == ERR_OK && form.n_lines > 0 && csv)
        form_csv_write(&form, out);
    else if (e == ERR_OK && form.n_lines > 0)
        form_yaml_write(&form, out);
    form_fini(&form);
    return e;
}

static enum cli_exit
save_forms(struct registry_call *c, const struct registry_seen *s)
{
    bool csv = is_csv(c->config->saved);
    size_t bots = 0;
    enum cli_exit code;
    enum err e = ERR_OK;
    struct buf text;

    buf_init(&text, FORMS_MAX);
    if (csv)
        form_csv_head(&text);
    for (size_t i = 0; e == ERR_OK && i < s->n;) {
        size_t n = registry_seen_group(s, i);

        e = write_group(s, i, n, csv, &text, &bots);
        i += n;
    }
    code = e == ERR_OK ? registry_save(c, c->config->saved, &text)
                       : registry_say(c, CLI_EXIT_FAILED, err_text(e));
    buf_free(&text);
    if (bots > 0 && code == CLI_EXIT_DONE)
        buf_printf(c->messages,
                   "span25: %zu that behave like a spam bot are not in it\n",
                   bots);
    return code;
}

enum cli_exit
registry_candidates(struct registry_call *c)
{
    const char *path = c->config->saved;
    struct registry_seen s;
    enum cli_exit code = registry_seen_find(c, &s);

    if (code == CLI_EXIT_DONE || code == CLI_EXIT_PARTIAL) {
        enum cli_exit saved = CLI_EXIT_DONE;

        if (path != NULL)
            saved = save_forms(c, &s);
        if (saved == CLI_EXIT_DONE &&
            (path == NULL || strcmp(path, "-") != 0) && !print_table(c, &s))
            saved = registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
        code = saved == CLI_EXIT_DONE ? code : saved;
    }
    registry_seen_fini(&s);
    return code;
}

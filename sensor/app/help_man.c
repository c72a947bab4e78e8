#include "sensor/app/help_man.h"

#include "sensor/app/confine_man.h"
#include "rules/packs/rules_man.h"
#include "sensor/app/cli.h"
#include "sensor/app/config.h"
#include "sensor/app/options_consumers.h"
#include "sensor/app/options_sinks.h"
#include "sensor/app/options_sites.h"
#include "sensor/app/options_value.h"

#include <inttypes.h>

/* Running text: each sentence on its own line, as mdoc wants it, and nothing
 * taken for a macro or an escape. */
static void
put_text(const char *text, struct buf *out)
{
    bool line_start = true;

    for (; *text != 0; text++) {
        bool end = (text[0] == '.' || text[0] == '?') && text[1] == ' ';

        if (line_start && (*text == '.' || *text == '\''))
            buf_str(out, "\\&");
        if (*text == '\\')
            buf_str(out, "\\e");
        else
            buf_putc(out, (uint8_t)*text);
        line_start = end;
        if (end) {
            buf_putc(out, '\n');
            text++;
        }
    }
    buf_putc(out, '\n');
}

static void
put_head(const char *title, const char *section, const char *name,
         const char *what, struct buf *out)
{
    buf_printf(out, ".Dd %s\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n",
               HELP_MAN_DATE, title, section, name, what);
}

/* An argument of a macro: quoted, so that no word is taken for a macro. */
static void
put_argument(const char *text, struct buf *out)
{
    buf_str(out, "\"\\&");
    buf_str(out, text);
    buf_putc(out, '"');
}

static void
put_synopsis(const struct verb_row *row, struct buf *out)
{
    buf_printf(out, ".Nm span25 %s\n.Op Ar OPTION ...\n", row->words);
    if (row->arguments[0] != 0) {
        buf_str(out, ".Ar ");
        put_argument(row->arguments, out);
        buf_putc(out, '\n');
    }
}

static void
put_range(const struct option_row *row, struct buf *out)
{
    uint64_t least, most;

    if (row->range[0] != 0 && options_value_is_list(row->type))
        buf_printf(out, "The list has %s items.\n", row->range);
    else if (row->range[0] != 0 &&
             (row->type == OPTION_TEXT || row->type == OPTION_LINES))
        buf_printf(out, "Its length is %s bytes.\n", row->range);
    else if (row->range[0] != 0)
        buf_printf(out, "%s\n.Ql %s .\n",
                   options_value_range(row, &least, &most) ? "The range is"
                                                           : "One of",
                   row->range);
    if (row->preset[0] != 0 && row->type != OPTION_BOOL)
        buf_printf(out, "The default is\n.Ql %s .\n", row->preset);
}

/* Help is a phrase without a full stop. */
static void
put_help(const char *help, struct buf *out)
{
    struct buf text;
    uint8_t first;

    buf_init(&text, 1024);
    buf_str(&text, help);
    buf_str(&text, ".");
    buf_putc(&text, 0);
    if (!text.failed && text.n > 1) {
        first = text.p[0];
        if (first >= 'a' && first <= 'z' && help[1] != '.')
            text.p[0] = (uint8_t)(first - 'a' + 'A');
        put_text((const char *)text.p, out);
    }
    buf_free(&text);
}

static void
put_flag(const struct option_row *row, struct buf *out)
{
    buf_str(out, ".It ");
    if (row->letter != 0)
        buf_printf(out, "Fl %c%s", row->letter, row->flag[0] != 0 ? " , " : "");
    if (row->flag[0] != 0)
        buf_printf(out, "Fl Fl %s", row->flag + 2);
    if (row->argument[0] != 0)
        buf_printf(out, " Ar %s", row->argument);
    buf_putc(out, '\n');
    put_help(row->help, out);
    put_range(row, out);
    if (row->path[0] != 0)
        buf_printf(out, "In the file:\n.Ic %s .\n", row->path);
}

static void
put_flags(enum verb verb, struct buf *out)
{
    buf_str(out, ".Bl -tag -width Ds\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_has_flag((enum option_id)i, verb))
            put_flag(&options_rows[i], out);
    }
    buf_str(out, ".El\n");
}

/* Verbs, and nouns with several, that have a page of their own. */
static const struct page {
    const char *noun, *title, *what;
} own_pages[] = {
    {"read",       "SPAN25-READ",       "analyse captures and print a summary" },
    {"live",       "SPAN25-LIVE",       "watch network interfaces"             },
    {"config",     "SPAN25-CONFIG",     "make, check and print a configuration"},
    {"registry",   "SPAN25-REGISTRY",   "keep who may send and receive mail"   },
    {"rules",      "SPAN25-RULES",      "list, check, test and explain rules"  },
    {"alerts",     "SPAN25-ALERTS",     "read, explain and close alerts"       },
    {"hosts",      "SPAN25-HOSTS",      "show the statistics of hosts"         },
    {"blocks",     "SPAN25-BLOCKS",     "list, add and lift what is stopped"   },
    {"policy",     "SPAN25-POLICY",     "say whether anything is stopped"      },
    {"study",      "SPAN25-STUDY",      "measure a block before it is made"    },
    {"serve",      "SPAN25-SERVE",      "serve a page of what was seen"        },
    {"explain",    "SPAN25-EXPLAIN",    "say all that is known about something"},
    {"exceptions", "SPAN25-EXCEPTIONS",
     "keep hosts from alerts and from being stopped"                           },
};

const char *
help_man_noun(size_t i)
{
    return i < ARRAY_LEN(own_pages) ? own_pages[i].noun : NULL;
}

static const struct page *
page_of(struct span noun)
{
    for (size_t i = 0; i < ARRAY_LEN(own_pages); i++) {
        if (span_eq(noun, span_str(own_pages[i].noun)))
            return &own_pages[i];
    }
    return NULL;
}

static bool
has_page(const char *words)
{
    return page_of(span_head(span_str(words),
                             span_find(span_str(words), ' '))) != NULL;
}

static void
put_exits(struct buf *out)
{
    buf_str(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
#define X(name, code, meaning)                                                 \
    buf_printf(out, ".It %d\n", code);                                         \
    put_text(meaning ".", out);
    CLI_EXITS(X)
#undef X
    buf_str(out, ".El\n");
}

static void
put_group(enum verb_group group, struct buf *out)
{
    buf_str(out, ".Bl -tag -width Ds\n");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        const struct verb_row *row = &options_verbs[v];

        if (row->group != group)
            continue;
        buf_printf(out, ".It Ic %s", row->words);
        if (row->arguments[0] != 0) {
            buf_str(out, " Ar ");
            put_argument(row->arguments, out);
        }
        buf_putc(out, '\n');
        put_text(row->more, out);
        if (has_page(row->words))
            buf_printf(out, "See\n.Xr span25-%.*s 1 .\n",
                       (int)span_find(span_str(row->words), ' '), row->words);
    }
    buf_str(out, ".El\n");
}

void
help_man_program(struct buf *out)
{
    put_head("SPAN25", "1", "span25",
             "who sends mail here, and who behaves like a spam bot", out);
    buf_str(out,
            ".Sh SYNOPSIS\n.Nm\n.Ar VERB\n.Op Ar OPTION ...\n.Op Ar ARGUMENT "
            "...\n.Sh DESCRIPTION\n.Nm\n"
            "reads captures of mail traffic and tells who sends mail, who "
            "behaves like a spam bot,\n"
            "and what would happen if they were blocked.\n"
            "It is passive: it never sends a packet and never asks DNS.\n.Pp\n"
            "The verbs are:\n");
    put_group(VERB_FRONT, out);
    buf_str(out, ".Pp\nAnd to operate it:\n");
    put_group(VERB_OPERATE, out);
    buf_str(out,
            ".Pp\nOptions stand after the verb, before, between or after its "
            "arguments.\n"
            "A value follows its flag as the next word or after an equals "
            "sign;\n"
            ".Ql =false\nturns a switch off.\n"
            "A list may be given once, with commas, or flag by flag.\n"
            "Two dashes end the options.\nNothing may be abbreviated.\n"
            ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
            ".It Ev NO_COLOR\nWhen not empty, output has no colour unless\n"
            ".Fl Fl color Ns =always\nis given.\n"
            ".It Ev TERM\nThe value\n.Ql dumb\ndoes the same.\n.El\n");
    put_exits(out);
    buf_str(out, ".Sh EXAMPLES\nThe summary of a capture:\n"
                 ".Dl span25 read monday.pcapng\n"
                 "Its events, one JSON object a line:\n"
                 ".Dl span25 read --events - monday.pcapng\n"
                 ".Sh SEE ALSO\n.Xr span25-alerts 1 ,\n"
                 ".Xr span25-blocks 1 ,\n"
                 ".Xr span25-config 1 ,\n.Xr span25-exceptions 1 ,\n"
                 ".Xr span25-explain 1 ,\n.Xr span25-hosts 1 ,\n"
                 ".Xr span25-live 1 ,\n"
                 ".Xr span25-policy 1 ,\n"
                 ".Xr span25-read 1 ,\n.Xr span25-registry 1 ,\n"
                 ".Xr span25-rules 1 ,\n.Xr span25-serve 1 ,\n"
                 ".Xr rules 5 ,\n.Xr span25.conf 5 ,\n.Xr events 7 ,\n"
                 ".Xr span25-deploy 7\n");
}

static void
put_examples(const char *noun, struct buf *out)
{
    static const struct {
        const char *noun, *text;
    } examples[] = {
        {"read",
         ".Sh EXAMPLES\nA report to hand on, from two files with mail servers "
         "that are known:\n"
         ".Dl span25 read --registry servers.csv -o report.html a.pcap b.pcap\n"
         "Only one network, read from another program:\n"
         ".Dl tcpdump -w - | span25 read -f 'net 192.0.2.0/24' -\n"           },
        {"live",
         ".Sh EXAMPLES\nOn a mirror port, as the user span25 from then on:\n"
         ".Dl span25 live -i eth1 --home 192.0.2.0/24 --state DIR\n"          },
        {"config",
         ".Sh EXAMPLES\nTo start:\n"
         ".Dl span25 config init -o span25.yaml\n"
         ".Dl span25 config check span25.yaml\n"
         "Where a value comes from:\n"
         ".Dl span25 config show --origin -c span25.yaml --workers 4\n"       },
        {"registry",
         ".Sh EXAMPLES\nFrom a capture to a firewall:\n"
         ".Dl span25 read --state DIR monday.pcapng\n"
         ".Dl span25 registry candidates --state DIR -o forms.yaml\n"
         ".Dl span25 registry import --state DIR forms.yaml\n"
         ".Dl span25 registry decide --state DIR 2026-1 permit\n"
         ".Dl span25 registry export --state DIR -o permits.nft\n"
         ".Dl nft list table inet span25 | span25 registry confirm "
         "--state DIR -\n"                                                    },
        {"rules",      ".Sh EXAMPLES\nRules of your own, before they are used:\n"
                  ".Dl span25 rules check /etc/span25/rules\n"
                  ".Dl span25 rules test /etc/span25/rules\n"},
        {"alerts",     ".Sh EXAMPLES\nFrom a capture to a closed alert:\n"
                   ".Dl span25 read --state DIR monday.pcapng\n"
                   ".Dl span25 alerts list --state DIR --severity medium\n"
                   ".Dl span25 alerts show --state DIR 4c31\n"
                   ".Dl span25 alerts close --state DIR 4c31 --reason test "
                   "--note 'our own scan'\n"                },
        {"blocks",
         ".Sh EXAMPLES\nA host that was stopped wrongly:\n"
         ".Dl span25 blocks list --state DIR\n"
         ".Dl span25 blocks lift --state DIR 192.0.2.7 --reason 'printer, "
         "ticket 5512'\n"
         "The list for a firewall, loaded and counted back:\n"
         ".Dl span25 blocks export --state DIR --format nft | nft -f -\n"
         ".Dl nft -j list table inet span25_feed > found\n"
         ".Dl span25 blocks export --state DIR --format nft --verify found\n" },
        {"policy",
         ".Sh EXAMPLES\nStop nothing any more, at once:\n"
         ".Dl span25 policy mode off --state DIR --reason 'ticket 5513'\n"
         "What is in force, and by whom:\n"
         ".Dl span25 policy show --state DIR\n"                               },
        {"serve",
         ".Sh EXAMPLES\nFor two people, on one's own machine:\n"
         ".Dl span25 serve user --users FILE --roles analyst,firewall ines\n"
         ".Dl span25 serve user --users FILE --roles viewer support\n"
         ".Dl span25 serve --users FILE --state DIR\n"                        },
        {"exceptions",
         ".Sh EXAMPLES\nA scanner of our own, for two days:\n"
         ".Dl span25 exceptions add --state DIR 192.0.2.7 --from alert "
         "--for 48h --reason 'scan'\n"                                        },
    };

    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        if (strcmp(examples[i].noun, noun) == 0)
            buf_str(out, examples[i].text);
    }
}

static bool
is_of(const struct verb_row *row, const char *noun)
{
    struct span words = span_str(row->words);

    return span_eq(span_head(words, span_find(words, ' ')), span_str(noun));
}

static void
put_synopses(const char *noun, struct buf *out)
{
    bool first = true;

    buf_str(out, ".Sh SYNOPSIS\n");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (!is_of(&options_verbs[v], noun))
            continue;
        if (!first)
            buf_str(out, ".Pp\n");
        first = false;
        put_synopsis(&options_verbs[v], out);
    }
}

void
help_man_verb(const char *noun, struct buf *out)
{
    const struct page *page = page_of(span_str(noun));
    bool single = strcmp(noun, "read") == 0 || strcmp(noun, "live") == 0 ||
                  strcmp(noun, "explain") == 0;
    struct buf name;

    REQUIRE(page != NULL);
    buf_init(&name, 64);
    buf_printf(&name, "span25-%s%c", noun, 0);
    put_head(page->title, "1", (const char *)name.p, page->what, out);
    buf_free(&name);
    put_synopses(noun, out);
    buf_str(out, ".Sh DESCRIPTION\n");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (!is_of(&options_verbs[v], noun))
            continue;
        if (!single)
            buf_printf(out, ".Ss %s\n", options_verbs[v].words);
        put_text(options_verbs[v].more, out);
        buf_str(out, ".Pp\nIts options are:\n");
        put_flags((enum verb)v, out);
    }
    if (strcmp(noun, "live") == 0)
        confine_man_write(out);
    if (strcmp(noun, "serve") == 0)
        confine_man_write_page(out);
    put_exits(out);
    put_examples(noun, out);
    buf_str(out, ".Sh SEE ALSO\n.Xr span25 1 ,\n.Xr span25.conf 5\n");
}

static void
put_key(const struct option_row *row, struct buf *out)
{
    buf_printf(out, ".It Ic %s : Ar ", row->path);
    put_argument(row->argument[0] != 0 ? row->argument : "true|false", out);
    buf_putc(out, '\n');
    put_help(row->help, out);
    buf_printf(out, "It takes %s.\n", options_value_what(row->type));
    put_range(row, out);
    if (row->type == OPTION_BOOL)
        buf_printf(out, "The default is\n.Ql %s .\n", row->preset);
    if (row->flag[0] != 0)
        buf_printf(out, "The flag is\n.Fl Fl %s .\n", row->flag + 2);
}

static void
put_keys(const struct options_list *l, struct buf *out)
{
    for (unsigned k = 0; k < l->n_rows; k++) {
        put_key(&l->rows[k], out);
        if (l->must[k])
            buf_str(out, "It must be there.\n");
    }
}

static void
put_sites(struct buf *out)
{
    buf_str(out, ".Sh SITES\n"
                 "The key\n.Ic sites\n"
                 "holds a list, an item for each site of the network:\n"
                 ".Bd -literal -offset indent\n"
                 "sites:\n"
                 "  - code: TU\n"
                 "    name: Technical University\n"
                 "    prefixes: [192.0.2.0/24, \"2001:db8::/48\"]\n"
                 "    vlans: [12, 13]\n"
                 ".Ed\n.Pp\n"
                 "An address belongs to the site with the longest prefix that "
                 "holds it.\n"
                 "An address of\n.Ic network.home\n"
                 "that is in no site's prefix belongs to the site of its "
                 "VLAN.\n"
                 "No two sites have the same code, prefix or VLAN.\n"
                 ".Bl -tag -width Ds\n");
    put_keys(&options_sites, out);
    buf_str(out, ".El\n");
}

/* The settings of one kind of sink. */
static void
put_kind(const struct sink_ops *ops, struct buf *out)
{
    buf_printf(out, ".Ss %s\n", ops->name);
    buf_printf(out, "%s\n", ops->help);
    if (ops->options == NULL || ops->options[0].name == NULL) {
        buf_str(out, "It has no settings.\n");
        return;
    }
    buf_str(out, ".Bl -tag -width Ds\n");
    for (const struct sink_option *o = ops->options; o->name != NULL; o++) {
        buf_printf(out, ".It Ic %s\n", o->name);
        put_help(o->help, out);
        if (o->most > 0)
            buf_printf(out, "A number from %" PRIu64 " to %" PRIu64 ".\n",
                       o->least, o->most);
        if (o->otherwise != NULL && o->otherwise[0] != '\0')
            buf_printf(out, "The default is\n.Ql %s .\n", o->otherwise);
    }
    buf_str(out, ".El\n");
}

static void
put_sinks(struct buf *out)
{
    buf_str(out, ".Sh SINKS\n"
                 "The key\n.Ic sinks\n"
                 "holds a list, an item for each place that the events of a "
                 "live sensor go to:\n"
                 ".Bd -literal -offset indent\n"
                 "sinks:\n"
                 "  - name: soc\n"
                 "    kind: kafka\n"
                 "    target: broker1:9092,broker2:9092\n"
                 "  - name: pager\n"
                 "    kind: unix\n"
                 "    target: /run/pager.socket\n"
                 "    events: [alert]\n"
                 ".Ed\n.Pp\n"
                 "How far each of them is in the journal is kept under its "
                 "name in\n.Pa publish\n"
                 "of the state: what could not be delivered while the other "
                 "side was away is delivered when it is back, alerts and "
                 "decisions first.\n"
                 "A sink of a new name begins with what comes.\n"
                 ".Bl -tag -width Ds\n");
    put_keys(&options_sinks, out);
    buf_str(out, ".El\n"
                 "Beside these an item has the settings of its kind:\n");
    for (size_t i = 0; sink_registry[i] != NULL; i++)
        put_kind(sink_registry[i], out);
}

static void
put_consumers(struct buf *out)
{
    buf_str(out,
            ".Sh CONSUMERS\n"
            "The key\n.Ic consumers\n"
            "holds a list, an item for each firewall or program that fetches a "
            "block list from\n.Ic feeds.listen :\n"
            ".Bd -literal -offset indent\n"
            "feeds:\n"
            "  listen: 192.0.2.10:9126\n"
            "  certificate: /etc/span25/feeds.crt\n"
            "  key: /etc/span25/feeds.key\n"
            "consumers:\n"
            "  - name: fw-edge\n"
            "    format: edl:paloalto\n"
            "    token: /etc/span25/fw-edge.token\n"
            "  - name: bouncer\n"
            "    format: crowdsec\n"
            "    token: /etc/span25/bouncer.token\n"
            ".Ed\n.Pp\n"
            "Each sees its own list and no other: fw-edge at\n"
            ".Pa /feeds/fw-edge ,\n"
            "bouncer also at\n"
            ".Pa /v1/decisions/stream .\n"
            "Answers have an entity tag: a list that has not changed is not "
            "sent again.\n"
            "Where no new list can be made the last one is served until it "
            "ends (feeds.deadman), then none (503).\n"
            "When each fetched last is in the metrics, and in\n"
            ".Ic blocks diff .\n"
            ".Bl -tag -width Ds\n");
    put_keys(&options_consumers, out);
    buf_str(out, ".El\n");
}

void
help_man_config(struct buf *out)
{
    put_head("SPAN25.CONF", "5", "span25.conf", "configuration of span25", out);
    buf_str(out,
            ".Sh DESCRIPTION\n"
            "The configuration is a YAML file of any name, given with\n"
            ".Fl Fl config .\n"
            "Keys are nested by section or written with dots:\n"
            ".Bd -literal -offset indent\n"
            "capture:\n"
            "  ports: [25, 587]\n"
            "limits.memory: 2GiB\n"
            ".Ed\n.Pp\n"
            "A flag overrides the file, the file overrides the default.\n"
            "An unknown key, a key that is there twice and a bad value stop "
            "the start;\n"
            "all of them are reported with file, line and column.\n"
            "Paths are taken from the folder in which the program is "
            "started.\n"
            "Aliases, anchors, tags and second documents are refused.\n");
    buf_printf(out,
               "A file has at most %u bytes, %d levels and %d keys.\n"
               ".Sh KEYS\n.Bl -tag -width Ds\n",
               CONFIG_FILE_MAX, CONFIG_DEPTH, CONFIG_KEYS);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_rows[i].path[0] != 0)
            put_key(&options_rows[i], out);
    }
    buf_str(out, ".El\n");
    put_sites(out);
    put_sinks(out);
    put_consumers(out);
    buf_str(out, ".Sh EXAMPLES\nEvery option with its default:\n"
                 ".Dl span25 config default\n"
                 ".Sh SEE ALSO\n.Xr span25 1 ,\n.Xr span25-config 1\n");
}

void
help_man_rules(struct buf *out)
{
    rules_man_write(out, HELP_MAN_DATE);
}

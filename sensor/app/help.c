#include "sensor/app/help.h"

#include "sensor/app/options_value.h"

#define SUMMARY_COLUMN 18
#define SUBVERB_COLUMN 24
#define OPTION_COLUMN  24

/* First words of verbs of two: one row in the list of all. */
static const struct {
    const char *word, *summary;
} nouns[] = {
    {"registry",   "who may send: forms, permits, the 48 hours, lists for a "
                 "firewall"                                  },
    {"alerts",     "list, explain and close what the rules have raised"      },
    {"hosts",      "list the hosts that speak SMTP, and their statistics"    },
    {"blocks",     "list, add and lift what is stopped, or would be"         },
    {"policy",     "whether anything is stopped: off, simulate, enforce"     },
    {"study",      "replay policies over what was seen, before one is chosen"},
    {"serve",      "who may log in to the page"                              },
    {"exceptions", "hosts that nobody is shown, or that are not stopped"     },
    {"rules",      "list, check, test or explain what alerts"                },
    {"config",     "print or check the configuration"                        },
};

static void
put_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_putc(out, ' ');
}

void
help_wrap(struct buf *out, struct span text, size_t column, size_t indent,
          size_t width)
{
    bool first = true;

    while (text.n > 0) {
        struct span word = span_head(text, span_find(text, ' '));

        text = span_tail(text, word.n + 1);
        if (!first && column + 1 + word.n > width) {
            buf_putc(out, '\n');
            put_spaces(out, indent);
            column = indent;
        } else if (!first) {
            buf_putc(out, ' ');
            column++;
        }
        buf_span(out, word);
        column += word.n;
        first = false;
    }
    buf_putc(out, '\n');
}

/* A left column, then text wrapped beside it. */
static void
put_row(struct buf *out, struct span left, size_t column, struct span text)
{
    buf_str(out, "  ");
    buf_span(out, left);
    if (left.n + 4 > column) {
        buf_putc(out, '\n');
        put_spaces(out, column);
    } else {
        put_spaces(out, column - 2 - left.n);
    }
    help_wrap(out, text, column, column, HELP_WIDTH);
}

void
help_synopsis(enum verb verb, struct buf *out)
{
    const struct verb_row *row = &options_verbs[verb];

    buf_printf(out, "span25 %s [OPTION...]%s%s", row->words,
               row->arguments[0] != 0 ? " " : "", row->arguments);
}

static void
put_option_text(const struct option_row *row, struct buf *out)
{
    bool bounded = options_value_shows_range(row);

    buf_str(out, row->help);
    if (bounded && row->preset[0] != 0)
        buf_printf(out, " (%s, default %s)", row->range, row->preset);
    else if (bounded)
        buf_printf(out, " (%s)", row->range);
    else if (row->preset[0] != 0 && row->type != OPTION_BOOL)
        buf_printf(out, " (default %s)", row->preset);
}

static void
put_option(const struct option_row *row, struct buf *out)
{
    struct buf left, text;

    buf_init(&left, 128);
    buf_init(&text, 512);
    if (row->letter != 0)
        buf_printf(&left, "-%c%s", row->letter, row->flag[0] != 0 ? ", " : "");
    else
        buf_str(&left, "    ");
    buf_str(&left, row->flag);
    if (row->argument[0] != 0)
        buf_printf(&left, " %s", row->argument);
    put_option_text(row, &text);
    put_row(out, buf_view(&left), OPTION_COLUMN, buf_view(&text));
    buf_free(&left);
    buf_free(&text);
}

static void
put_verb(enum verb verb, struct buf *out)
{
    const struct verb_row *row = &options_verbs[verb];

    buf_str(out, "usage: ");
    help_synopsis(verb, out);
    buf_str(out, "\n\n");
    help_wrap(out, span_str(row->more), 0, 0, HELP_WIDTH);
    buf_str(out, "\noptions\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_has_flag((enum option_id)i, verb))
            put_option(&options_rows[i], out);
    }
}

static bool
begins_with_word(const char *words, struct span word)
{
    struct span s = span_str(words);

    return span_starts(s, word) && (word.n == 0 || span_at(s, word.n) == ' ');
}

/* The noun of a verb of two words; their number for others. */
static size_t
noun_of(const char *words)
{
    size_t i = 0;

    while (i < sizeof(nouns) / sizeof(nouns[0]) &&
           !begins_with_word(words, span_str(nouns[i].word)))
        i++;
    return i;
}

/* Verbs of one word, and each noun once. */
static void
put_group(enum verb_group group, struct buf *out)
{
    size_t last = sizeof(nouns) / sizeof(nouns[0]);

    for (unsigned i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = &options_verbs[i];
        size_t noun = noun_of(row->words);

        if (row->group != group)
            continue;
        if (noun == sizeof(nouns) / sizeof(nouns[0])) {
            put_row(out, span_str(row->words), SUMMARY_COLUMN,
                    span_str(row->summary));
        } else if (noun != last) {
            struct buf left;

            buf_init(&left, 64);
            buf_printf(&left, "%s ...", nouns[noun].word);
            put_row(out, buf_view(&left), SUMMARY_COLUMN,
                    span_str(nouns[noun].summary));
            buf_free(&left);
        }
        last = noun;
    }
}

/* The verbs of a noun, whatever their group. */
static bool
put_verbs(struct span word, struct buf *out)
{
    bool any = false;

    for (unsigned i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = &options_verbs[i];

        if (!begins_with_word(row->words, word))
            continue;
        put_row(out, span_str(row->words), SUBVERB_COLUMN,
                span_str(row->summary));
        any = true;
    }
    return any;
}

static void
put_all(struct buf *out)
{
    buf_str(out,
            "span25 - who sends mail here, and who behaves like a spam bot\n"
            "\nusage: span25 VERB [OPTION...] [ARGUMENT...]\n\n");
    put_group(VERB_FRONT, out);
    buf_str(out, "\noperate\n");
    put_group(VERB_OPERATE, out);
    buf_str(out, "\nEvery verb has --help, and so has \"registry\" or "
                 "\"config\" alone. Exit codes and\nfiles: span25(1).\n");
}

bool
help_write(const char *topic, struct buf *out)
{
    struct span word = span_str(topic);
    size_t start = out->n;
    bool any;

    if (word.n == 0) {
        put_all(out);
        return true;
    }
    for (unsigned i = 0; i < VERB_COUNT; i++) {
        if (span_eq(word, span_str(options_verbs[i].words))) {
            put_verb((enum verb)i, out);
            return true;
        }
    }
    buf_printf(out, "usage: span25 %s VERB [OPTION...]\n\n", topic);
    any = put_verbs(word, out);
    if (!any)
        out->n = start;
    return any;
}

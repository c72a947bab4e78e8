#include "sensor/app/help_completion.h"

struct words {
    struct span first;
    struct span second; /* empty for a verb of one word */
};

static struct words
words_of(unsigned verb)
{
    struct span all = span_str(options_verbs[verb].words);
    size_t space = span_find(all, ' ');

    return (struct words){span_head(all, space), span_tail(all, space + 1)};
}

static bool
is_first_of_noun(unsigned verb)
{
    return verb == 0 ||
           !span_eq(words_of(verb).first, words_of(verb - 1).first);
}

/* "a|b|c" as "a b c". */
static void
put_choices(const char *bars, struct buf *out)
{
    for (; *bars != 0; bars++)
        buf_putc(out, *bars == '|' ? ' ' : (uint8_t)*bars);
}

/* The arguments of a verb are words to choose from, not names of things. */
static bool
has_choices(const char *arguments)
{
    bool bar = false;

    for (; *arguments != 0; arguments++) {
        if (*arguments >= 'A' && *arguments <= 'Z')
            return false;
        bar = bar || *arguments == '|';
    }
    return bar;
}

/* What may stand after the first word: second words, or choices. */
static void
put_second(unsigned verb, struct buf *out)
{
    const char *between = "";

    if (words_of(verb).second.n == 0) {
        if (has_choices(options_verbs[verb].arguments))
            put_choices(options_verbs[verb].arguments, out);
        return;
    }
    for (unsigned v = verb; v < VERB_COUNT; v++) {
        if (!span_eq(words_of(v).first, words_of(verb).first))
            continue;
        buf_str(out, between);
        buf_span(out, words_of(v).second);
        between = " ";
    }
}

static void
put_flags(unsigned verb, struct buf *out)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_has_flag((enum option_id)i, (enum verb)verb) &&
            options_rows[i].flag[0] != 0)
            buf_printf(out, " %s", options_rows[i].flag);
    }
}

static void
put_bash_values(struct buf *out)
{
    buf_str(out, "    case ${COMP_WORDS[COMP_CWORD-1]} in\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &options_rows[i];

        if (row->type != OPTION_CHOICE || row->flag[0] == 0)
            continue;
        buf_printf(out, "    %s) words='", row->flag);
        put_choices(row->range, out);
        buf_str(out, "' ;;\n");
    }
    buf_str(out, "    esac\n");
}

static void
put_bash_flags(struct buf *out)
{
    buf_str(out, "        case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        buf_printf(out, "        '%s%s'*) words='", options_verbs[v].words,
                   words_of(v).second.n == 0 ? " " : "");
        put_flags(v, out);
        buf_str(out, "' ;;\n");
    }
    buf_str(out, "        esac\n");
}

static void
put_bash_words(struct buf *out)
{
    buf_str(out, "        words='");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (!is_first_of_noun(v))
            continue;
        buf_putc(out, ' ');
        buf_span(out, words_of(v).first);
    }
    buf_str(out, "'\n    elif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                 "        case ${COMP_WORDS[1]} in\n");
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (!is_first_of_noun(v))
            continue;
        buf_str(out, "        ");
        buf_span(out, words_of(v).first);
        buf_str(out, ") words='");
        put_second(v, out);
        buf_str(out, "' ;;\n");
    }
    buf_str(out, "        esac\n");
}

/* An empty answer falls back to file names. */
static void
put_bash(struct buf *out)
{
    buf_str(out, "_span25() {\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n");
    put_bash_values(out);
    buf_str(out, "    if [ -n \"$words\" ]; then\n        :\n"
                 "    elif [[ $cur == -* ]]; then\n");
    put_bash_flags(out);
    buf_str(out, "    elif [ \"$COMP_CWORD\" -eq 1 ]; then\n");
    put_bash_words(out);
    buf_str(out, "    fi\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "}\n"
                 "complete -o default -F _span25 span25\n");
}

static void
put_fish_text(const char *text, struct buf *out)
{
    buf_putc(out, '\'');
    for (; *text != 0; text++) {
        if (*text == '\'' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, (uint8_t)*text);
    }
    buf_putc(out, '\'');
}

static void
put_fish_verb(unsigned verb, struct buf *out)
{
    struct words w = words_of(verb);

    if (is_first_of_noun(verb)) {
        buf_str(out, "complete -c span25 -n __fish_use_subcommand -a ");
        buf_span(out, w.first);
        if (w.second.n == 0) {
            buf_str(out, " -d ");
            put_fish_text(options_verbs[verb].summary, out);
        }
        buf_putc(out, '\n');
    }
    if (w.second.n > 0 || has_choices(options_verbs[verb].arguments)) {
        buf_str(out, "complete -c span25 -n '__fish_seen_subcommand_from ");
        buf_span(out, w.first);
        buf_str(out, "' -f -a '");
        if (w.second.n > 0)
            buf_span(out, w.second);
        else
            put_second(verb, out);
        buf_putc(out, '\'');
        if (w.second.n > 0) {
            buf_str(out, " -d ");
            put_fish_text(options_verbs[verb].summary, out);
        }
        buf_putc(out, '\n');
    }
}

static void
put_fish_option(unsigned verb, const struct option_row *row, struct buf *out)
{
    struct words w = words_of(verb);

    buf_str(out, "complete -c span25 -n '__fish_seen_subcommand_from ");
    buf_span(out, w.first);
    if (w.second.n > 0) {
        buf_str(out, "; and __fish_seen_subcommand_from ");
        buf_span(out, w.second);
    }
    buf_putc(out, '\'');
    if (row->letter != 0)
        buf_printf(out, " -s %c", row->letter);
    if (row->flag[0] != 0)
        buf_printf(out, " -l %s", row->flag + 2);
    if (row->type == OPTION_CHOICE) {
        buf_str(out, " -x -a '");
        put_choices(row->range, out);
        buf_putc(out, '\'');
    } else if (row->type != OPTION_BOOL) {
        buf_str(out, " -r");
    }
    buf_str(out, " -d ");
    put_fish_text(row->help, out);
    buf_putc(out, '\n');
}

static void
put_fish(struct buf *out)
{
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        put_fish_verb(v, out);
        for (unsigned i = 0; i < OPTION_COUNT; i++) {
            if (options_has_flag((enum option_id)i, (enum verb)v))
                put_fish_option(v, &options_rows[i], out);
        }
    }
}

void
help_completion(enum help_shell shell, struct buf *out)
{
    switch (shell) {
    case HELP_BASH: put_bash(out); break;
    case HELP_ZSH:
        /* zsh runs completions of bash */
        buf_str(out, "#compdef span25\n"
                     "autoload -U +X bashcompinit && bashcompinit\n");
        put_bash(out);
        buf_str(out, "_bash_complete -o default -F _span25 span25\n");
        break;
    case HELP_FISH: put_fish(out); break;
    }
}

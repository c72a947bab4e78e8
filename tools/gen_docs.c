/* gen_docs - prints a man page or the schema from the tables of the program
 *
 * Usage: gen_docs PAGE > FILE; without a page it lists the pages. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sensor/app/help_man.h"
#include "sensor/event/events_man.h"
#include "sensor/event/schema.h"

#define PAGE_MAX (1U << 22)

static void
page_events(struct buf *out)
{
    events_man_write(out, HELP_MAN_DATE);
}

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} pages[] = {
    {"span25.1",           help_man_program},
    {"span25.conf.5",      help_man_config },
    {"rules.5",            help_man_rules  },
    {"events.7",           page_events     },
    {"events.schema.json", schema_write    },
};

static int
list(void)
{
    const char *noun;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        (void)puts(pages[i].name);
    for (size_t i = 0; (noun = help_man_noun(i)) != NULL; i++)
        (void)printf("span25-%s.1\n", noun);
    return 0;
}

/* The verbs of one noun: "span25-alerts.1". NULL: no such page. */
static const char *
noun_of(const char *page)
{
    char name[NAME_MAX + 1];
    const char *noun;

    for (size_t i = 0; (noun = help_man_noun(i)) != NULL; i++) {
        (void)snprintf(name, sizeof(name), "span25-%s.1", noun);
        if (strcmp(name, page) == 0)
            return noun;
    }
    return NULL;
}

static bool
write_page(const char *page, struct buf *out)
{
    const char *noun = noun_of(page);

    if (noun != NULL)
        help_man_verb(noun, out);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strcmp(pages[i].name, page) == 0)
            pages[i].write(out);
    }
    return out->n > 0;
}

static int
print(const char *page)
{
    struct buf text;
    bool good;

    buf_init(&text, PAGE_MAX);
    if (!write_page(page, &text)) {
        (void)fprintf(stderr, "gen_docs: no page %s\n", page);
        return 2;
    }
    good = !text.failed && !text.cut && text.n > 0 &&
           fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0;
    buf_free(&text);
    if (!good)
        (void)fputs("gen_docs: cannot write the page\n", stderr);
    return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
    return argc < 2 ? list() : print(argv[1]);
}

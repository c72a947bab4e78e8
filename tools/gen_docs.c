/* gen_docs - prints a man page or the schema from the tables of the program
 *
 * Usage: gen_docs PAGE > FILE; without a page it lists the pages. */
#include <stdio.h>

#include "sensor/app/help_man.h"
#include "sensor/event/events_man.h"
#include "sensor/event/schema.h"

#define PAGE_MAX (1U << 22)

/* X(noun) */
#define NOUNS(X)                                                               \
    X(read)                                                                    \
    X(live)                                                                    \
    X(config)                                                                  \
    X(registry)                                                                \
    X(rules)                                                                   \
    X(alerts)                                                                  \
    X(hosts)                                                                   \
    X(explain)                                                                 \
    X(exceptions)

#define PAGE(noun)                                                             \
    static void page_##noun(struct buf *out)                                   \
    {                                                                          \
        help_man_verb(#noun, out);                                             \
    }
NOUNS(PAGE)
#undef PAGE

static void
page_events(struct buf *out)
{
    events_man_write(out, HELP_MAN_DATE);
}

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} pages[] = {
    {"span25.1",            help_man_program},
    {"span25-read.1",       page_read       },
    {"span25-live.1",       page_live       },
    {"span25-config.1",     page_config     },
    {"span25-registry.1",   page_registry   },
    {"span25-rules.1",      page_rules      },
    {"span25-alerts.1",     page_alerts     },
    {"span25-hosts.1",      page_hosts      },
    {"span25-explain.1",    page_explain    },
    {"span25-exceptions.1", page_exceptions },
    {"span25.conf.5",       help_man_config },
    {"rules.5",             help_man_rules  },
    {"events.7",            page_events     },
    {"events.schema.json",  schema_write    },
};

static int
list(void)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        (void)puts(pages[i].name);
    return 0;
}

static int
print(void (*write)(struct buf *out))
{
    struct buf text;
    bool good;

    buf_init(&text, PAGE_MAX);
    write(&text);
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
    if (argc < 2)
        return list();
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strcmp(pages[i].name, argv[1]) == 0)
            return print(pages[i].write);
    }
    (void)fprintf(stderr, "gen_docs: no page %s\n", argv[1]);
    return 2;
}

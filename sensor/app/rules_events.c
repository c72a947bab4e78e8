#include "sensor/app/rules_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/text.h"

struct rules_events {
    FILE *file;
    const char *path;
    struct buf *messages;
    struct json_reader json;
    struct record_out record;
    struct buf line, why;
    uint64_t number, faults;
};

enum err
rules_events_open(const char *path, struct buf *messages,
                  struct rules_events **out)
{
    struct rules_events *e = calloc(1, sizeof(*e));
    bool standard = strcmp(path, "-") == 0;
    int number;

    if (e == NULL)
        return ERR_NOMEM;
    e->file = standard ? stdin : fopen(path, "re");
    number = errno;
    if (e->file == NULL) {
        buf_str(messages, "span25: cannot read ");
        text_term(messages, span_str(path));
        buf_printf(messages, ": %s\n", strerror(number));
        free(e);
        return err_from_errno(number);
    }
    e->path = path;
    e->messages = messages;
    json_reader_init(&e->json);
    record_init(&e->record);
    buf_init(&e->line, JSON_LINE_MAX);
    buf_init(&e->why, 4096);
    *out = e;
    return ERR_OK;
}

void
rules_events_close(struct rules_events *e)
{
    if (e == NULL)
        return;
    if (e->file != stdin)
        (void)fclose(e->file);
    json_reader_free(&e->json);
    record_free(&e->record);
    buf_free(&e->line);
    buf_free(&e->why);
    free(e);
}

static void
fault(struct rules_events *e, struct span why)
{
    if (e->faults++ >= RULES_EVENTS_TOLD)
        return;
    text_term(e->messages, span_str(e->path));
    buf_putc(e->messages, ':');
    buf_u64(e->messages, e->number);
    buf_str(e->messages, ": ");
    text_term(e->messages, why);
    buf_putc(e->messages, '\n');
}

/* False at the end, when nothing was left of a line either. */
static bool
read_line(struct rules_events *e)
{
    int c;

    buf_reset(&e->line);
    while ((c = getc_unlocked(e->file)) != EOF && c != '\n')
        buf_putc(&e->line, (uint8_t)c);
    e->number++;
    return c != EOF || e->line.n > 0;
}

bool
rules_events_next(struct rules_events *e, struct span *record,
                  struct span *line, uint64_t *number)
{
    while (read_line(e)) {
        *line = buf_view(&e->line);
        *number = e->number;
        buf_reset(&e->why);
        if (e->line.cut || e->line.failed)
            fault(e, SPAN_LIT("the line is too long"));
        else if (line->n == 0)
            continue;
        else if (json_read(&e->json, *line, &e->record, &e->why) != ERR_OK)
            fault(e, buf_view(&e->why));
        else {
            *record = record_view(&e->record);
            return true;
        }
    }
    if (ferror(e->file))
        fault(e, SPAN_LIT("cannot be read further"));
    return false;
}

uint64_t
rules_events_faults(const struct rules_events *e)
{
    return e->faults;
}

/* ecs_lines - events as JSON lines, in the Elastic Common Schema
 *
 *     ecs_lines < EVENTS > LINES */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>

#include "sensor/event/json_read.h"
#include "sensor/sinks/ecs.h"

#define MESSAGE_MAX 256

static bool
convert(const struct ecs *e, struct json_reader *reader, struct span line)
{
    struct record_out record;
    struct buf message, text;
    bool good;

    record_init(&record);
    buf_init(&message, MESSAGE_MAX);
    buf_init(&text, JSON_LINE_MAX);
    good = json_read(reader, line, &record, &message) == ERR_OK &&
           ecs_write(e, record_view(&record), &text) &&
           fwrite(text.p, 1, text.n, stdout) == text.n && putchar('\n') != EOF;
    if (!good)
        (void)fprintf(stderr, "ecs_lines: %.*s\n", (int)message.n,
                      (const char *)message.p);
    buf_free(&text);
    buf_free(&message);
    record_free(&record);
    return good;
}

int
main(void)
{
    static struct json_reader reader;
    struct ecs *e = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool good = ecs_new(&e);

    json_reader_init(&reader);
    while (good && (n = getline(&line, &room, stdin)) > 0)
        good =
            convert(e, &reader,
                    span_of(line, (size_t)n - (line[(size_t)n - 1] == '\n')));
    json_reader_free(&reader);
    free(line);
    ecs_free(e);
    return good && fflush(stdout) == 0 ? 0 : 1;
}

/* sink_run - puts lines of events into one sink until all are delivered
 *
 *     sink_run KIND TARGET [name=value...] < events.jsonl
 *
 * Prints the counts as one object at its end. What is DEAD is opened again,
 * each half second; why it was so goes to standard error. No test by itself:
 * tests/brokers_test.py drives it. */
#include "sensor/event/json_read.h"
#include "sensor/sinks/sink.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUES_MAX 16

static ns_t
clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

static void
turn(struct sink *s)
{
    s->ops->tick(s, clock_now());
    sink_wait(s, 5);
}

/* last is what was told before. */
static void
tell_why(struct sink *s, struct buf *last)
{
    struct buf why;

    buf_init(&why, 4096);
    s->ops->why(s, &why);
    if (!span_eq(buf_view(&why), buf_view(last)) &&
        span_search(buf_view(&why), SPAN_LIT(": no error")) == why.n) {
        fprintf(stderr, "%.*s\n", (int)why.n, (const char *)why.p);
        buf_reset(last);
        buf_span(last, buf_view(&why));
    }
    buf_free(&why);
}

static void
open_again(struct sink *s)
{
    const struct timespec pause = {.tv_nsec = (long)(NS_PER_S / 2)};

    (void)nanosleep(&pause, NULL);
    if (s->ops->reopen(s) != ERR_OK)
        fprintf(stderr, "cannot be opened again\n");
}

/* Both calls until DONE; a record is empty for a flush. */
static void
insist(struct sink *s, struct span record, struct span line)
{
    struct buf told;

    buf_init(&told, 4096);
    for (;;) {
        enum put p =
            record.n > 0 ? s->ops->put(s, record, line) : s->ops->flush(s);

        if (p == PUT_DONE)
            break;
        tell_why(s, &told);
        if (p == PUT_DEAD)
            open_again(s);
        turn(s);
    }
    buf_free(&told);
}

static void
put_all(struct sink *s)
{
    struct json_reader reader;
    struct record_out record;
    struct buf message;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    json_reader_init(&reader);
    record_init(&record);
    buf_init(&message, 4096);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct span json = span_of(line, (size_t)n - (line[n - 1] == '\n'));

        if (json_read(&reader, json, &record, &message) != ERR_OK) {
            fprintf(stderr, "%.*s\n", (int)message.n, (const char *)message.p);
            exit(1);
        }
        s->ops->tick(s, clock_now());
        insist(s, record_view(&record), json);
    }
    free(line);
    buf_free(&message);
    record_free(&record);
    json_reader_free(&reader);
}

int
main(int argc, char **argv)
{
    struct sink_value values[VALUES_MAX];
    struct sink_settings settings = {.values = values};
    struct sink *s = NULL;
    struct sink_counts c;
    struct buf message;

    if (argc < 3 || argc > 3 + VALUES_MAX)
        return 2;
    settings.target = argv[2];
    for (int i = 3; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (equals == NULL)
            return 2;
        *equals = '\0';
        values[settings.n_values++] = (struct sink_value){argv[i], equals + 1};
    }
    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&message, 4096);
    if (sink_open(span_str(argv[1]), &settings, &s, &message) != ERR_OK) {
        fprintf(stderr, "%.*s\n", (int)message.n, (const char *)message.p);
        buf_free(&message);
        return 1;
    }
    put_all(s);
    insist(s, SPAN_NONE, SPAN_NONE);
    c = s->ops->counts(s);
    printf("{\"taken\":%" PRIu64 ",\"delivered\":%" PRIu64
           ",\"refused\":%" PRIu64 "}\n",
           c.taken, c.delivered, c.refused);
    s->ops->close(s);
    buf_free(&message);
    return 0;
}

/* alerts_test_kit - events out of JSON, and what alerts say of them */
#include "rules/alert/alerts.h"
#include "sensor/event/json_read.h"
#include "sensor/event/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIT_EPOCH (UINT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */
#define KIT_TOLD  8

struct kit {
    struct json_reader reader;
    struct json_writer writer;
    struct record_out record;
    struct record_map map;
    struct buf line, message;
    struct buf told[KIT_TOLD]; /* the latest, as JSON; told[0] the first */
    size_t n_told;
    uint64_t events;
};

static inline void
kit_open(struct kit *k)
{
    *k = (struct kit){0};
    json_reader_init(&k->reader);
    json_writer_init(&k->writer);
    record_init(&k->record);
    buf_init(&k->line, 1U << 20);
    buf_init(&k->message, 4096);
    for (size_t i = 0; i < KIT_TOLD; i++)
        buf_init(&k->told[i], 1U << 20);
}

static inline void
kit_close(struct kit *k)
{
    json_reader_free(&k->reader);
    record_free(&k->record);
    buf_free(&k->line);
    buf_free(&k->message);
    for (size_t i = 0; i < KIT_TOLD; i++)
        buf_free(&k->told[i]);
}

/* An event of this type at this time after the epoch, its id the number of the
 * event, with more keys behind (each with a comma in front). */
static inline const struct record_map *
kit_event(struct kit *k, const char *type, ns_t at, const char *more)
{
    char time[NS_TEXT_MAX];

    k->events++;
    buf_reset(&k->line);
    buf_printf(&k->line, "{\"timestamp\": \"%.*s\", \"flow_id\": 1,",
               (int)ns_format(KIT_EPOCH + at, time), time);
    buf_printf(&k->line, "\"event_type\": \"%s\", \"event_id\": \"%016llx\"",
               type, (unsigned long long)k->events);
    buf_str(&k->line, more);
    buf_putc(&k->line, '}');
    if (json_read(&k->reader, buf_view(&k->line), &k->record, &k->message) !=
        ERR_OK)
        fail_msg("%.*s: %.*s", (int)k->line.n, (const char *)k->line.p,
                 (int)k->message.n, (const char *)k->message.p);
    record_map_init(&k->map, record_view(&k->record));
    return &k->map;
}

static inline void
kit_put(void *ctx, struct span record)
{
    struct kit *k = ctx;
    struct buf *b = &k->told[k->n_told % KIT_TOLD];

    assert_true(record_check(record));
    buf_reset(b);
    assert_true(json_write(&k->writer, record, b));
    k->n_told++;
}

static inline struct record_sink
kit_sink(struct kit *k)
{
    return (struct record_sink){kit_put, k};
}

/* The i-th event told since the last kit_forget, as JSON. */
static inline const char *
kit_told(struct kit *k, size_t i)
{
    struct buf *b = &k->told[i];

    assert_true(i < k->n_told && k->n_told <= KIT_TOLD);
    buf_putc(b, 0);
    b->n--;
    return (const char *)b->p;
}

static inline void
kit_forget(struct kit *k)
{
    k->n_told = 0;
}

static inline void
kit_has(const char *why, const char *json, const char *want)
{
    if (strstr(json, want) == NULL)
        fail_msg("%s: no %s in %s", why, want, json);
}

static inline void
kit_lacks(const char *why, const char *json, const char *want)
{
    if (strstr(json, want) != NULL)
        fail_msg("%s: %s in %s", why, want, json);
}

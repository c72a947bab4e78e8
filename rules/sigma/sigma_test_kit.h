#ifndef SPAN25_SIGMA_SIGMA_TEST_KIT_H
#define SPAN25_SIGMA_SIGMA_TEST_KIT_H
/* sigma_test_kit - rules and records for tests, from text */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/sigma/sigma.h"
#include "sensor/event/json_read.h"

#define LOG "title: t\nlogsource: {product: span25, service: smtp}\n"
/* A rule for correlations to look at, and the next document. */
#define BASE                                                                   \
    "title: b\nname: base\nlogsource: {product: span25, service: smtp}\n"      \
    "detection: {s: {smtp.helo: a}, condition: s}\n---\n"

struct kit {
    struct sigma_set *set;
    struct sigma_run *run;
    struct buf messages;
    struct json_reader *json;
    struct record_out record;
    enum err loaded, compiled;
};

static inline void
kit_open(struct kit *k)
{
    *k = (struct kit){.loaded = ERR_OK};
    buf_init(&k->messages, 1U << 24);
    k->json = calloc(1, sizeof(*k->json));
    assert_non_null(k->json);
    json_reader_init(k->json);
    record_init(&k->record);
    assert_int_equal(sigma_set_new(&k->set), ERR_OK);
}

/* From a heap block of exactly the text's size, which then goes. */
static inline void
kit_load(struct kit *k, const char *name, struct span text)
{
    uint8_t *room = malloc(text.n + (text.n == 0));

    assert_non_null(room);
    if (text.n > 0)
        memcpy(room, text.p, text.n);
    k->loaded =
        sigma_load(k->set, span_of(room, text.n), span_str(name), &k->messages);
    free(room);
}

static inline void
kit_run(struct kit *k, const struct sigma_limits *limits)
{
    k->compiled = sigma_set_compile(k->set, &k->messages);
    assert_true(k->compiled == ERR_OK || k->compiled == ERR_FORMAT);
    assert_int_equal(sigma_run_new(k->set, 7, limits, &k->run), ERR_OK);
}

static inline void
kit_close(struct kit *k)
{
    sigma_run_free(k->run);
    sigma_set_free(k->set);
    buf_free(&k->messages);
    json_reader_free(k->json);
    free(k->json);
    record_free(&k->record);
}

static inline const char *
kit_messages(struct kit *k)
{
    buf_putc(&k->messages, 0);
    k->messages.n--;
    return (const char *)k->messages.p;
}

static inline void
kit_text(const char *want, struct span got)
{
    if (!span_eq(span_str(want), got))
        fail_msg("'%.*s' is not '%s'", (int)got.n, (const char *)got.p, want);
}

/* The record of an event, its time in milliseconds since 2026-11-22 10:00. */
static inline struct span
kit_record(struct kit *k, const char *type, unsigned ms, const char *body)
{
    struct buf line, message;
    enum err e;

    buf_init(&line, 1U << 20);
    buf_init(&message, 1000);
    buf_printf(&line,
               "{\"timestamp\":\"2026-11-22T%02u:%02u:%02u.%03u000+0000\","
               "\"flow_id\":1,\"flow_seq\":2,\"event_type\":\"%s\"%s",
               10 + ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000,
               type, body[0] != 0 ? "," : "");
    buf_str(&line, body);
    buf_putc(&line, '}');
    e = json_read(k->json, buf_view(&line), &k->record, &message);
    if (e != ERR_OK)
        fail_msg("%.*s: %.*s", (int)line.n, (const char *)line.p,
                 (int)message.n, (const char *)message.p);
    assert_int_equal(k->json->unknown, 0);
    buf_free(&line);
    buf_free(&message);
    return record_view(&k->record);
}

#endif

#include "sensor/event/keep.h"

#define TYPE_KEY SPAN_LIT("\"event_type\":\"")
/* As the JSON writer has it: kind is the first field of control. */
#define TICK_MARK SPAN_LIT("\"control\":{\"kind\":\"tick\"")

static const uint8_t kinds[EVENT_TYPE_COUNT] = {
    [EVENT_SMTP] = KEEP_TRANSACTIONS,
    [EVENT_SMTP_SESSION] = KEEP_TRANSACTIONS,
    [EVENT_TLS] = KEEP_TRANSACTIONS,
    [EVENT_FILEINFO] = KEEP_TRANSACTIONS,
    [EVENT_ANOMALY] = KEEP_TRANSACTIONS,
    [EVENT_ATTEMPT] = KEEP_TRANSACTIONS,
    [EVENT_DNS] = KEEP_STATISTICS,
    [EVENT_HOST] = KEEP_STATISTICS,
    [EVENT_STATS] = KEEP_STATISTICS,
};

const char *
keep_word(enum keep_kind k)
{
    static const char *const words[] = {
#define X(id, word) word,
        KEEP_KIND_MAP(X)
#undef X
    };

    return words[k];
}

enum keep_kind
keep_of_type(enum event_type t)
{
    return (size_t)t < ARRAY_LEN(kinds) ? (enum keep_kind)kinds[t]
                                        : KEEP_ALERTS;
}

enum keep_kind
keep_of_record(struct span record)
{
    const enum event_type type = record_head_of(record).type;

    if (type == EVENT_CONTROL &&
        span_eq(record_find(record, FIELD_CONTROL_KIND), SPAN_LIT("tick")))
        return KEEP_STATISTICS;
    return keep_of_type(type);
}

/* A quote within a string is escaped, so the key is not met inside of one. */
enum event_type
keep_type_of_json(struct span json)
{
    const size_t at = span_search(json, TYPE_KEY);
    const struct span type =
        span_tail(json, at < json.n ? at + TYPE_KEY.n : json.n);

    return event_type_find(span_head(type, span_find(type, '"')));
}

enum keep_kind
keep_of_json(struct span json)
{
    const enum event_type t = keep_type_of_json(json);

    if (t == EVENT_CONTROL && span_search(json, TICK_MARK) < json.n)
        return KEEP_STATISTICS;
    return keep_of_type(t);
}

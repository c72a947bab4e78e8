#ifndef SPAN25_RULES_HOST_RECORD_KIT_H
#define SPAN25_RULES_HOST_RECORD_KIT_H
/* record_kit - events for tests, from texts like "smtp.helo=a email.score=6"
 *
 * Words parted by ';', in the order of fields.def; of a list one word an entry.
 * An object of a list is "email.symbols[name]=4" only where a test makes it
 * itself. Numbers, booleans (true) and addresses are read by the field's type.
 */
#include "sensor/base/attr.h"
#include "sensor/event/record.h"

struct kit {
    struct record_out out;
    struct record_map map;
};

static inline enum field
kit_field(struct span path)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (span_eq(path, span_str(field_table[f].path)))
            return (enum field)f;
    }
    require_failed("a field of fields.def", __FILE__, __LINE__);
}

static inline void
kit_put(struct record_out *r, enum field f, struct span value)
{
    struct addr a;
    uint64_t v = 0;

    switch (field_table[f].type) {
    case FT_BOOL: record_bool(r, f, span_eq(value, SPAN_LIT("true"))); break;
    case FT_U64:
    case FT_U64S:
        REQUIRE(span_to_u64(value, &v));
        record_u64(r, f, v);
        break;
    case FT_ADDR:
        REQUIRE(addr_parse(value, &a));
        record_addr(r, f, &a);
        break;
    case FT_STR:
    case FT_STRS: record_str(r, f, value); break;
    case FT_I64:
    case FT_TIME:
    case FT_OBJS: require_failed("a type of the kit", __FILE__, __LINE__);
    }
}

/* Objects {text, number} of a list, from "name:4,other:1". */
static inline void
kit_objects(struct record_out *r, enum field list, enum field text,
            enum field number, struct span all)
{
    while (all.n > 0) {
        struct span one = span_head(all, span_find(all, ','));
        struct span name = span_head(one, span_find(one, ':'));

        record_object_begin(r, list);
        kit_put(r, text, name);
        kit_put(r, number, span_tail(one, name.n + 1));
        record_object_end(r);
        all = span_tail(all, one.n + 1);
    }
}

static inline void
kit_word(struct record_out *r, struct span word)
{
    struct span path = span_head(word, span_find(word, '='));
    struct span value = span_tail(word, path.n + 1);
    enum field f = kit_field(path);

    if (f == FIELD_EMAIL_SYMBOLS)
        kit_objects(r, f, FIELD_EMAIL_SYMBOLS_NAME, FIELD_EMAIL_SYMBOLS_POINTS,
                    value);
    else
        kit_put(r, f, value);
}

/* kit_event(&k, EVENT_SMTP, when, "smtp.helo=a;email.score=6") */
static inline const struct record_map *
kit_event(struct kit *k, enum event_type type, ns_t when, const char *text)
{
    struct record_head head = {.when = when, .flow_id = 1, .type = type};
    struct span all = span_str(text);

    record_begin(&k->out, &head);
    while (all.n > 0) {
        struct span word = span_head(all, span_find(all, ';'));

        kit_word(&k->out, word);
        all = span_tail(all, word.n + 1);
    }
    REQUIRE(record_check(record_view(&k->out)));
    record_map_init(&k->map, record_view(&k->out));
    return &k->map;
}

static inline void
kit_init(struct kit *k)
{
    record_init(&k->out);
}

static inline void
kit_free(struct kit *k)
{
    record_free(&k->out);
}

#endif

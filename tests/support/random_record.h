#ifndef SPAN25_TESTS_RANDOM_RECORD_H
#define SPAN25_TESTS_RANDOM_RECORD_H
/* random_record - valid records made from the table of fields
 *
 * Any field may be absent; lists have up to 4 entries; strings are text, UTF-8,
 * control characters or any bytes. The same seed gives the same records. */
#include "sensor/event/record.h"

static inline uint64_t
random_next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x >> 8;
}

static inline struct span
random_string(uint64_t *x, uint8_t *room, size_t max)
{
    uint64_t kind = random_next(x) % 5;
    size_t n = (size_t)(random_next(x) % (random_next(x) % 50 == 0 ? max : 24));

    for (size_t i = 0; i < n; i++) {
        uint8_t any = (uint8_t)random_next(x);

        switch (kind) {
        case 0: room[i] = any; break;
        case 1: room[i] = any % 0x30; break;
        case 2: room[i] = (uint8_t)(0x80 + any % 0x80); break;
        default: room[i] = (uint8_t)(0x20 + any % 0x5f); break;
        }
    }
    if (kind == 4 && n >= 4) {
        memcpy(room, "\xf0\x9f\x98\x80", 4);
        if (random_next(x) % 2 == 0)
            memcpy(room + n - 3, "\xef\xbf\xbd", 3);
    }
    return span_of(room, n);
}

static inline uint64_t
random_number(uint64_t *x)
{
    uint64_t v = (random_next(x) << 40) ^ random_next(x);

    return v >> (random_next(x) % 65 % 64);
}

/* One entry of a field that is no list of objects. */
static inline void
random_entry(struct record_out *r, uint64_t *x, enum field f)
{
    static const struct addr nowhere;
    uint8_t room[3000];
    struct addr a = nowhere;

    switch (field_table[f].type) {
    case FT_BOOL: record_bool(r, f, random_next(x) % 2 == 0); break;
    case FT_U64:
    case FT_U64S:
    case FT_I64: record_u64(r, f, random_number(x)); break;
    case FT_TIME: record_time(r, f, random_number(x)); break;
    case FT_ADDR:
        for (size_t i = 0; i < 16; i++)
            a.b[i] = random_next(x) % 3 == 0 ? 0 : (uint8_t)random_next(x);
        if (random_next(x) % 2 == 0)
            a = addr_v4(a.b);
        record_addr(r, f, &a);
        break;
    case FT_STR:
    case FT_STRS: record_str(r, f, random_string(x, room, sizeof(room))); break;
    case FT_OBJS: break;
    }
}

static inline void
random_object(struct record_out *r, uint64_t *x, enum field list)
{
    record_object_begin(r, list);
    for (unsigned f = list; f < FIELD_COUNT; f++) {
        if (field_parent_of((enum field)f) == list && random_next(x) % 3 != 0)
            random_entry(r, x, (enum field)f);
    }
    record_object_end(r);
}

/* One field in `rare` is there. */
static inline void
random_record(struct record_out *r, uint64_t *x, unsigned rare)
{
    struct record_head h = {
        .when = random_number(x),
        .flow_id = random_next(x) % 4 == 0 ? 0 : random_number(x),
        .seq = random_next(x) % 2 == 0 ? 0 : (uint32_t)random_next(x),
        .type = (enum event_type)(random_next(x) % EVENT_TYPE_COUNT),
    };

    record_begin(r, &h);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;
        uint64_t n = field_is_list(f) ? random_next(x) % 5 : 1;

        if (field_is_header(f) || field_parent_of(f) != FIELD_COUNT ||
            random_next(x) % rare != 0)
            continue;
        for (; n > 0; n--) {
            if (field_table[f].type == FT_OBJS)
                random_object(r, x, f);
            else
                random_entry(r, x, f);
        }
    }
}

#endif

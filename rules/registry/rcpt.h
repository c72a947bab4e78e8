#ifndef SPAN25_RULES_REGISTRY_RCPT_H
#define SPAN25_RULES_REGISTRY_RCPT_H
/* rcpt - one recipient of an event's ledger (smtp.rcpt[])
 *
 * Spans are borrowed from the record. */
#include "sensor/event/record.h"

struct rcpt {
    struct span path;
    struct span class; /* empty: no reply was seen */
    uint64_t code;     /* 0: the same */
};

static inline struct rcpt
rcpt_read(struct span object)
{
    struct cursor c = cur_open(object);
    struct rcpt out = {SPAN_NONE, SPAN_NONE, 0};
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_RCPT_ADDR)
            out.path = e.value;
        else if (e.field == FIELD_SMTP_RCPT_CODE)
            out.code = entry_u64(e.value);
        else if (e.field == FIELD_SMTP_RCPT_CLASS)
            out.class = e.value;
    }
    return out;
}

#endif

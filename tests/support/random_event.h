#ifndef SPAN25_TESTS_RANDOM_EVENT_H
#define SPAN25_TESTS_RANDOM_EVENT_H
/* random_event - events from the table of fields, as statistics may meet them
 *
 * Fields by which statistics decide have likely values, others any. The same
 * seed gives the same events. */
#include "tests/support/random_record.h"

/* Values by which the code under test decides; of lists one to three. */
static const struct {
    enum field field;
    const char *words[9];
} events_likely[] = {
    {FIELD_SRC_IP,
     {"10.20.1.1", "10.20.1.2", "10.20.1.3", "fd25:20::1", "fd25:20::2",
      "198.51.100.7", "2001:db8:1:2::3", "2001:db8:1:3::4"}                       },
    {FIELD_DEST_IP,
     {"198.51.100.1", "203.0.113.9", "192.0.2.3", "2001:db8:9::1", "10.20.0.25",
      "10.20.1.1", "fd25:20::1"}                                                  },
    {FIELD_DIRECTION,
     {"outbound", "outbound", "outbound", "internal", "inbound", "external"}      },
    {FIELD_SRC_REG_STATE,      {"registered", "unregistered"}                     },
    {FIELD_POLICY_FINDINGS,    {"unregistered_sender", "helo_mismatch"}           },
    {FIELD_SMTP_BANNER,        {"220 mx.example ESMTP", "220 b.example", "554 no"}},
    {FIELD_SMTP_HELO,          {"a.example", "b.example", "", "c.example"}        },
    {FIELD_SMTP_MAIL_FROM,     {"<a@x.example>", "<b@y.example>", "<>"}           },
    {FIELD_SMTP_RCPT_TO,
     {"<u1@a.example>", "<u2@b.example>", "<u3@c.co.uk>", "<u4@[192.0.2.9]>"}     },
    {FIELD_SMTP_RCPT_ADDR,
     {"<u1@a.example>", "<u2@b.example>", "<u3@c.co.uk>", "<u4@d.example>",
      "<u5@e.example>", "<u6@f.example>", "<u7@[192.0.2.9]>"}                     },
    {FIELD_SMTP_RCPT_CLASS,
     {"accepted", "unknown_user", "unknown_user", "greylisting", "blocklist"}     },
    {FIELD_SMTP_FINAL_LIST,    {"zen.spamhaus.org", "multi.surbl.org"}            },
    {FIELD_SMTP_VIA,           {"DATA", "BDAT"}                                   },
    {FIELD_SMTP_OUTCOME,       {"accepted", "rejected", "deferred"}               },
    {FIELD_SMTP_AUTH_OUTCOME,  {"failure", "success"}                             },
    {FIELD_SMTP_DIALECT_HELLO, {"EHLO", "HELO"}                                   },
    {FIELD_SMTP_DIALECT_ORDER, {"EMRDQ", "HMRDQ", "ES"}                           },
    {FIELD_EMAIL_SIMHASH,      {"0123456789abcdef", "0123456789abcdee"}           },
    {FIELD_FILEINFO_CLASS,     {"A", "B"}                                         },
    {FIELD_ETHER_SRC_MAC,      {"02:00:00:00:00:01", "02:00:00:00:00:02"}         },
    {FIELD_ETHER_DEST_MAC,     {"02:00:00:00:00:fe", "02:00:00:00:00:01"}         },
    {FIELD_DNS_RRNAME,
     {"a.example", "b.example", "1.1.20.10.in-addr.arpa", "c.example",
      "d.example", "e.example"}                                                   },
    {FIELD_DNS_RRTYPE,         {"MX", "PTR", "A"}                                 },
    {FIELD_DNS_ANSWERS,        {"a.example", "10.20.1.1", "b.example"}            },
};

static const enum event_type events_types[] = {
    EVENT_SMTP, EVENT_SMTP,     EVENT_SMTP_SESSION, EVENT_SMTP_SESSION,
    EVENT_DNS,  EVENT_FILEINFO, EVENT_ANOMALY,      EVENT_HOST,
};

struct events_kit {
    struct record_out out;
    ns_t now;
    uint64_t x;
};

static inline const char *
events_word_for(struct events_kit *r, enum field f)
{
    for (size_t i = 0; i < ARRAY_LEN(events_likely); i++) {
        size_t n = 0;

        if (events_likely[i].field != f)
            continue;
        while (n < ARRAY_LEN(events_likely[i].words) &&
               events_likely[i].words[n] != NULL)
            n++;
        return events_likely[i].words[random_next(&r->x) % n];
    }
    return NULL;
}

static inline uint64_t
events_small_number(struct events_kit *r, enum field f)
{
    static const uint64_t ports[] = {25, 25, 25, 587, 465};
    static const uint64_t codes[] = {0, 220, 250, 250, 451, 550, 550};

    if (f == FIELD_DEST_PORT)
        return ports[random_next(&r->x) % ARRAY_LEN(ports)];
    if (f == FIELD_SMTP_RCPT_CODE || f == FIELD_SMTP_FINAL_CODE ||
        f == FIELD_SMTP_BANNER_CODE)
        return codes[random_next(&r->x) % ARRAY_LEN(codes)];
    if (random_next(&r->x) % 64 == 0)
        return random_number(&r->x);
    return random_next(&r->x) % 4 == 0 ? 0 : random_next(&r->x) % 300;
}

static inline void
events_put_one(struct events_kit *r, enum field f)
{
    const char *word = events_word_for(r, f);
    struct addr a;

    if (word == NULL && field_table[f].type == FT_U64)
        record_u64(&r->out, f, events_small_number(r, f));
    else if (word == NULL || random_next(&r->x) % 40 == 0)
        random_entry(&r->out, &r->x, f);
    else if (field_table[f].type != FT_ADDR)
        record_text(&r->out, f, word);
    else if (addr_parse(span_str(word), &a))
        record_addr(&r->out, f, &a);
}

static inline void
events_put_object(struct events_kit *r, enum field list)
{
    record_object_begin(&r->out, list);
    for (unsigned f = list; f < FIELD_COUNT; f++) {
        if (field_parent_of((enum field)f) == list &&
            random_next(&r->x) % 8 != 0)
            events_put_one(r, (enum field)f);
    }
    record_object_end(&r->out);
}

/* Would the field be there? Flags that take an event out of the count are
 * rare, addresses are not. */
static inline bool
events_is_there(struct events_kit *r, enum field f)
{
    switch (f) {
    case FIELD_QUALITY_ONEWAY:
    case FIELD_QUALITY_MIDSTREAM:
    case FIELD_SMTP_NULL_SENDER:
    case FIELD_ATTEMPTS_COUNT:
    case FIELD_SMTP_PART: return random_next(&r->x) % 8 == 0;
    case FIELD_SRC_IP:
    case FIELD_DEST_IP:
    case FIELD_DEST_PORT:
    case FIELD_DIRECTION:
    case FIELD_SMTP_MAIL_FROM:
    case FIELD_SMTP_RCPT: return random_next(&r->x) % 16 != 0;
    default: break;
    }
    return random_next(&r->x) % 3 == 0;
}

static inline void
events_make_event(struct events_kit *r)
{
    struct record_head head = {
        .when = r->now,
        .flow_id = random_next(&r->x) % 50,
        .seq = (uint32_t)random_next(&r->x),
        .type = events_types[random_next(&r->x) % ARRAY_LEN(events_types)],
    };

    record_begin(&r->out, &head);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;
        uint64_t n = field_is_list(f) ? 1 + random_next(&r->x) % 3 : 1;

        if (field_is_header(f) || field_parent_of(f) != FIELD_COUNT ||
            !events_is_there(r, f))
            continue;
        for (; n > 0; n--) {
            if (field_table[f].type == FT_OBJS)
                events_put_object(r, f);
            else
                events_put_one(r, f);
        }
    }
}

#endif

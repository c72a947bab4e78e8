#ifndef SPAN25_RULES_HOST_HOSTS_STREAM_KIT_H
#define SPAN25_RULES_HOST_HOSTS_STREAM_KIT_H
/* hosts_stream_kit - a mixed stream of events from a seed
 *
 * Home hosts that send and are greylisted, retry, speak TLS, carry malware or
 * ask for MX; outside ones that write and guess. The same seed gives the same
 * events. */
#include "rules/host/hosts_test_kit.h"

struct kit_stream {
    uint64_t x;
    uint32_t homes; /* how many different hosts at home */
    ns_t step;      /* greatest time between two events */
    uint32_t bots;  /* one host of so many sends like a bot; 0: all do */
    uint64_t host;  /* of the present event */
};

static inline uint64_t
stream_below(struct kit_stream *s, uint64_t n)
{
    s->x ^= s->x << 13;
    s->x ^= s->x >> 7;
    s->x ^= s->x << 17;
    return (s->x >> 8) % n;
}

static inline void
stream_names(struct kit_stream *s, struct kit_speaker *w, char text[4][64])
{
    uint64_t host = stream_below(s, s->homes);
    bool v6 = host % 8 == 7;

    s->host = host;

    (void)snprintf(text[0], 64, v6 ? "2001:db8:%x:%x::%x" : "10.%u.%u.%u",
                   (unsigned)(host >> 16 & 255), (unsigned)(host >> 8 & 255),
                   (unsigned)(host & 255));
    (void)snprintf(text[1], 64, "198.51.%u.%u", (unsigned)stream_below(s, 200),
                   (unsigned)stream_below(s, 250));
    (void)snprintf(text[2], 64, "h%u.example",
                   (unsigned)(host + stream_below(s, 3) % 2));
    (void)snprintf(text[3], 64, "02:00:00:00:00:%02x", (unsigned)host & 255);
    w->src = text[0];
    w->dest = text[1];
    w->helo = text[2];
    w->mac = text[3];
    w->from = stream_below(s, 20) == 0 ? "<>" : "<a@sender.example>";
    w->direction = stream_below(s, 10) == 0 ? "internal" : "outbound";
    w->port = 25;
    w->oneway = stream_below(s, 40) == 0;
    w->midstream = stream_below(s, 60) == 0;
    w->tls = stream_below(s, 3) == 0;
    w->no_payload = stream_below(s, 3) == 0;
    w->messages = w->no_payload ? 0 : 1;
    w->unregistered = stream_below(s, 2) == 0 ? "yes" : NULL;
    if (stream_below(s, 6) == 0) { /* the other way round */
        w->src = text[1];
        w->dest = text[0];
        w->direction = "inbound";
    }
}

static inline void
stream_mail(struct kit_run *k, struct kit_stream *s,
            const struct kit_speaker *w)
{
    static const struct {
        uint64_t code;
        const char *class;
    } fates[] = {
        {250, "accepted"    },
        {250, "accepted"    },
        {250, "accepted"    },
        {550, "unknown_user"},
        {451, "greylisting" },
        {554, "blocklist"   },
        {550, "policy"      },
    };
    struct kit_rcpt v[4];
    char text[4][64];
    size_t n = 1 + stream_below(s, 4) % 3;

    for (size_t i = 0; i < n; i++) {
        size_t fate = stream_below(s, ARRAY_LEN(fates));

        bool good = s->bots > 0 && s->host % s->bots != 0;

        if (good && stream_below(s, 30) > 0)
            fate = 0;
        (void)snprintf(text[i], 64, "<u%u@org%u.example>",
                       (unsigned)stream_below(s, good ? 60 : 3000),
                       (unsigned)(good ? (s->host + stream_below(s, 20)) % 300
                                       : stream_below(s, 300)));
        v[i] = (struct kit_rcpt){text[i], fates[fate].code, fates[fate].class,
                                 fate == 5 ? "zen.test" : NULL};
    }
    k->tx = stream_below(s, 3);
    kit_mail(k, w, v, n, stream_below(s, 9) == 0 ? 451 : 250, 0, true);
}

static inline void
stream_dns(struct kit_run *k, struct kit_stream *s, const struct kit_speaker *w)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "org%u.example",
                   (unsigned)stream_below(s, 300));
    kit_begin(k, w, EVENT_DNS);
    record_text(&k->out, FIELD_DNS_RRNAME, name);
    record_text(&k->out, FIELD_DNS_RRTYPE, "MX");
    record_text(&k->out, FIELD_DNS_RCODE, "NOERROR");
    kit_give(k);
}

static inline void
stream_file(struct kit_run *k, struct kit_stream *s,
            const struct kit_speaker *w)
{
    kit_begin(k, w, EVENT_FILEINFO);
    record_u64(&k->out, FIELD_FILEINFO_TX_ID, k->tx);
    record_text(&k->out, FIELD_FILEINFO_CLASS,
                stream_below(s, 8 + 4 * s->bots) == 0 ? "A" : "C");
    kit_give(k);
}

static inline void
stream_next(struct kit_run *k, struct kit_stream *s)
{
    struct kit_speaker w = {0};
    char text[4][64];
    uint64_t kind = stream_below(s, 16);

    k->now += stream_below(s, s->step / NS_PER_US) * NS_PER_US;
    stream_names(s, &w, text);
    if (kind < 8)
        stream_mail(k, s, &w);
    else if (kind < 13)
        kit_session(k, &w);
    else if (kind < 14)
        stream_dns(k, s, &w);
    else
        stream_file(k, s, &w);
}

#endif

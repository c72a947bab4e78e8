#ifndef SPAN25_NET_FLOW_CONN_H
#define SPAN25_NET_FLOW_CONN_H
/* flow_conn - what is known of one TCP connection */
#include "sensor/event/stream.h"
#include "sensor/net/reasm.h"

enum conn_state {
    CONN_FREE,    /* a slot of the slab */
    CONN_NEW,     /* no payload yet */
    CONN_PROBE,   /* unlisted port, first bytes are looked at */
    CONN_OPEN,    /* has a session */
    CONN_IGNORED, /* not ours: packets are counted, nothing more */
    CONN_CLOSED,  /* told as ended; swallows late copies */
};

/* conn.facts */
#define CONN_MAIL    0x01U /* a listed port */
#define CONN_SYN     0x02U /* the client's SYN was seen */
#define CONN_SYN_ACK 0x04U /* the server's answer was seen */
#define CONN_ACK     0x08U /* the client acknowledged that answer */
#define CONN_REFUSED 0x10U /* RST in answer to the SYN */
#define CONN_NEW_SYN 0x20U /* syn_isn is of a SYN with another number */
#define CONN_ENDING  0x40U /* ignored, and a FIN or RST was seen */

/* In which list of the shard. */
enum conn_list {
    CONN_LIST_SPARE,  /* evicted first */
    CONN_LIST_EMBRYO, /* then these: mail ports before the first payload */
    CONN_LIST_HOLES,  /* open, bytes missing, the oldest first */
    CONN_LIST_COUNT,
    CONN_LIST_NONE = CONN_LIST_COUNT,
};

#define CONN_SEEN 3
#define CONN_NIL  UINT32_MAX

struct probe; /* flow_probe.h */

struct conn {
    struct flow flow;
    union {
        void *session;       /* CONN_OPEN */
        struct probe *probe; /* CONN_PROBE */
    };
    ns_t last; /* last packet; when closed or reset: since when */
    struct reasm r[2];
    uint64_t due; /* tick of its timer, or TIMER_NEVER */
    uint32_t slot;
    uint32_t tag;
    uint32_t prev;
    uint32_t next;
    uint32_t syn_isn;
    uint32_t seen[CONN_SEEN]; /* hashes of the last packets, for copies */
    uint32_t seen_us;         /* when the last of them came */
    uint8_t state;
    uint8_t list;
    uint8_t facts;
    uint8_t rst_from; /* enum dir + 1 of the sender of a RST */
};

#endif

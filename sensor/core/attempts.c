#include "sensor/core/attempts.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

#define MINUTE (60 * NS_PER_S)

struct host {
    struct addr client;
    struct addr server; /* the first one */
    char direction[12]; /* or "" */
    uint64_t count, refused, unanswered, silent;
    uint64_t port;
    uint32_t peers[ATTEMPTS_PEERS]; /* hashes of servers */
    uint32_t n_peers;
    bool used;
};

struct attempts {
    struct host *hosts; /* open addressing, grows up to the limit */
    size_t n, cap;
    struct host rest; /* of clients beyond the limit */
    ns_t minute;      /* start of the minute that is open */
    bool is_open;
    struct record_out out;
    uint32_t seq;
};

enum err
attempts_new(struct attempts **out)
{
    struct attempts *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ERR_NOMEM;
    record_init(&a->out);
    *out = a;
    return ERR_OK;
}

void
attempts_free(struct attempts *a)
{
    if (a == NULL)
        return;
    free(a->hosts);
    record_free(&a->out);
    free(a);
}

static int
by_client(const void *a, const void *b)
{
    const struct host *x = a;
    const struct host *y = b;
    int d = addr_cmp(&x->client, &y->client);

    return d != 0 ? d : strcmp(x->direction, y->direction);
}

static struct host *
slot_of(struct host *hosts, size_t cap, const struct host *key)
{
    size_t i = hash_span(span_of(key->client.b, 16), 0) & (cap - 1);

    while (hosts[i].used && by_client(&hosts[i], key) != 0)
        i = (i + 1) & (cap - 1);
    return &hosts[i];
}

static bool
grow(struct attempts *a)
{
    size_t cap = a->cap > 0 ? a->cap * 2 : 64;
    struct host *hosts;

    if (a->n * 4 < a->cap * 3)
        return true;
    hosts = a->n < ATTEMPTS_HOSTS ? calloc(cap, sizeof(*hosts)) : NULL;
    if (hosts == NULL)
        return a->n + 1 < a->cap;
    for (size_t i = 0; i < a->cap; i++) {
        if (a->hosts[i].used)
            *slot_of(hosts, cap, &a->hosts[i]) = a->hosts[i];
    }
    free(a->hosts);
    a->hosts = hosts;
    a->cap = cap;
    return true;
}

static struct host *
host_of(struct attempts *a, const struct host *key)
{
    struct host *h;

    if (!grow(a))
        return &a->rest;
    h = slot_of(a->hosts, a->cap, key);
    if (h->used)
        return h;
    if (a->n >= ATTEMPTS_HOSTS)
        return &a->rest;
    a->n++;
    *h = *key;
    h->used = true;
    return h;
}

static void
note_peer(struct host *h, const struct addr *server)
{
    uint32_t key = (uint32_t)hash_span(span_of(server->b, 16), 1);

    for (uint32_t i = 0; i < h->n_peers; i++) {
        if (h->peers[i] == key)
            return;
    }
    if (h->n_peers < ATTEMPTS_PEERS)
        h->peers[h->n_peers++] = key;
}

static void
give(struct attempts *a, const struct host *h, ns_t when,
     const struct record_sink *sink)
{
    struct record_head head = {.when = when,
                               .flow_id = 0,
                               .seq = a->seq++,
                               .type = EVENT_SMTP_SESSION};
    struct record_out *r = &a->out;

    record_begin(r, &head);
    if (h->used)
        record_addr(r, FIELD_SRC_IP, &h->client);
    if (h->n_peers == 1)
        record_addr(r, FIELD_DEST_IP, &h->server);
    record_u64(r, FIELD_DEST_PORT, h->port);
    record_text(r, FIELD_PROTO, "TCP");
    if (h->direction[0] != '\0')
        record_text(r, FIELD_DIRECTION, h->direction);
    record_u64(r, FIELD_ATTEMPTS_COUNT, h->count);
    record_u64(r, FIELD_ATTEMPTS_DESTINATIONS, h->n_peers);
    record_u64(r, FIELD_ATTEMPTS_REFUSED, h->refused);
    record_u64(r, FIELD_ATTEMPTS_UNANSWERED, h->unanswered);
    record_u64(r, FIELD_ATTEMPTS_SILENT, h->silent);
    sink->put(sink->ctx, record_view(r));
}

static void
flush(struct attempts *a, ns_t when, const struct record_sink *sink)
{
    size_t n = 0;

    for (size_t i = 0; i < a->cap; i++) {
        if (a->hosts[i].used)
            a->hosts[n++] = a->hosts[i];
    }
    if (n > 0)
        qsort(a->hosts, n, sizeof(*a->hosts), by_client);
    for (size_t i = 0; i < n; i++)
        give(a, &a->hosts[i], when, sink);
    if (a->rest.count > 0)
        give(a, &a->rest, when, sink);
    free(a->hosts);
    a->hosts = NULL;
    a->n = a->cap = 0;
    a->rest = (struct host){0};
    a->is_open = false;
}

void
attempts_time(struct attempts *a, ns_t when, const struct record_sink *sink)
{
    /* Without a sum, for a worker may say any time. */
    if (a->is_open && when > a->minute && when - a->minute >= MINUTE)
        flush(a, a->minute + MINUTE, sink);
}

void
attempts_end(struct attempts *a, ns_t when, const struct record_sink *sink)
{
    if (a->is_open)
        flush(a, when, sink);
}

void
attempts_add(struct attempts *a, struct span record,
             const struct record_sink *sink)
{
    struct record_head head = record_head_of(record);
    struct span client = record_find(record, FIELD_SRC_IP);
    struct span server = record_find(record, FIELD_DEST_IP);
    struct span direction = record_find(record, FIELD_DIRECTION);
    struct host key = {0};
    struct addr v;
    struct host *h;

    attempts_time(a, head.when, sink);
    if (client.n != 16 || server.n != 16)
        return;
    memcpy(key.client.b, client.p, 16);
    memcpy(v.b, server.p, 16);
    if (direction.n > 0 && direction.n < sizeof(key.direction))
        memcpy(key.direction, direction.p, direction.n);
    if (!a->is_open)
        a->minute = head.when - head.when % MINUTE;
    a->is_open = true;
    h = host_of(a, &key);
    if (h->count++ == 0) {
        h->server = v;
        h->port = record_find_u64(record, FIELD_DEST_PORT, 0);
    }
    note_peer(h, &v);
    h->refused += record_find_u64(record, FIELD_ATTEMPTS_REFUSED, 0);
    h->unanswered += record_find_u64(record, FIELD_ATTEMPTS_UNANSWERED, 0);
    h->silent += record_find_u64(record, FIELD_ATTEMPTS_SILENT, 0);
}

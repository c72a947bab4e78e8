#include "mangle.h"

#include "dissectors/smtp.h"
#include "sensor/base/hash.h"
#include "sensor/capture/capture.h"
#include "sensor/net/decode.h"
#include "sensor/net/defrag.h"

#define TABLE_SEED UINT64_C(0x7370616e3235)
#define PLENTY     (UINT64_C(1) << 30)

static void *
must(void *p)
{
    REQUIRE(p != NULL);
    return p;
}

/* ---- loading ---- */

void
mangle_add(struct mangle_list *l, const struct mangle_seg *s)
{
    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? l->cap * 2 : 64;
        l->seg = must(realloc(l->seg, l->cap * sizeof(*l->seg)));
    }
    l->seg[l->n++] = *s;
}

void
mangle_clear(struct mangle_list *l)
{
    free(l->seg);
    *l = (struct mangle_list){0};
}

static uint8_t *
read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    size_t cap = 0;

    *n = 0;
    if (f == NULL)
        return NULL;
    do {
        cap = cap > 0 ? cap * 2 : 65536;
        p = must(realloc(p, cap));
        *n += fread(p + *n, 1, cap - *n, f);
    } while (*n == cap);
    (void)fclose(f);
    return p;
}

static void
read_fragile(struct mangle_capture *c, const char *path)
{
    char name[4096];
    size_t n = strlen(path);
    size_t stem = n > 5 && strcmp(path + n - 5, ".pcap") == 0 ? n - 5 : n;
    FILE *f;

    (void)snprintf(name, sizeof(name), "%.*s.fragile", (int)stem, path);
    f = fopen(name, "r");
    if (f == NULL)
        return;
    c->fragile[fread(c->fragile, 1, sizeof(c->fragile) - 1, f)] = 0;
    (void)fclose(f);
}

/* Fragments are put together here; their bytes must outlive defrag's. */
static void
keep_payload(struct mangle_capture *c, struct decoded *d, size_t room)
{
    if (d->payload.n == 0)
        return;
    REQUIRE(c->n_room + d->payload.n <= room);
    memcpy(c->room + c->n_room, d->payload.p, d->payload.n);
    d->payload.p = c->room + c->n_room;
    c->n_room += d->payload.n;
}

static void
decode_all(struct mangle_capture *c, size_t room)
{
    struct defrag *defrag = must(defrag_new(1 << 22, 1024));

    for (size_t i = 0; i < c->n_packets; i++) {
        struct mangle_seg s = {.when = c->packet[i].when,
                               .iface = c->packet[i].iface,
                               .caplen = (uint32_t)c->packet[i].data.n};
        struct span datagram;

        decode_packet(&c->packet[i], &s.d);
        while (s.d.kind == PACKET_FRAGMENT &&
               defrag_put(defrag, &s.d, s.when, &datagram) == DEFRAG_DONE)
            decode_ip(datagram, &s.d);
        if (s.d.kind != PACKET_TCP)
            continue;
        keep_payload(c, &s.d, room);
        mangle_add(&c->list, &s);
    }
    defrag_free(defrag);
}

static void
copy_packets(struct mangle_capture *c, struct capture *from)
{
    struct packet p;
    size_t cap = 0;

    while (capture_next(from, &p) == CAPTURE_PACKET) {
        if (c->n_packets == cap) {
            cap = cap > 0 ? cap * 2 : 256;
            c->packet = must(realloc(c->packet, cap * sizeof(p)));
        }
        c->packet[c->n_packets++] = p;
    }
}

/* The frames of the capture are copied to one block: a compressed or odd file
 * would not keep them. */
static void
own_packets(struct mangle_capture *c, size_t n)
{
    uint8_t *all = must(malloc(n + 1));
    size_t at = 0;

    for (size_t i = 0; i < c->n_packets; i++) {
        struct packet *p = &c->packet[i];

        if (p->data.n > 0)
            memcpy(all + at, p->data.p, p->data.n);
        p->data.p = all + at;
        at += p->data.n;
    }
    free(c->bytes);
    c->bytes = all;
}

bool
mangle_load(struct mangle_capture *c, const char *path)
{
    struct capture_options o = {0};
    struct capture *from = NULL;
    const char *slash = strrchr(path, '/');
    struct buf message;
    struct span file;
    size_t total = 0;

    *c = (struct mangle_capture){0};
    (void)snprintf(c->name, sizeof(c->name), "%s",
                   slash != NULL ? slash + 1 : path);
    read_fragile(c, path);
    c->bytes = read_all(path, &file.n);
    file.p = c->bytes;
    buf_init(&message, 1024);
    if (c->bytes == NULL ||
        capture_open_memory(&file, 1, 0, &o, &from, &message) != ERR_OK) {
        printf("%s: %.*s\n", c->name, (int)message.n, (const char *)message.p);
        buf_free(&message);
        free(c->bytes);
        return false;
    }
    buf_free(&message);
    copy_packets(c, from);
    for (size_t i = 0; i < c->n_packets; i++)
        total += c->packet[i].data.n;
    own_packets(c, total);
    capture_close(from);
    c->room = must(malloc(2 * total + 1));
    decode_all(c, 2 * total);
    return true;
}

void
mangle_unload(struct mangle_capture *c)
{
    mangle_clear(&c->list);
    free(c->packet);
    free(c->bytes);
    free(c->room);
    *c = (struct mangle_capture){0};
}

/* ---- records to lines ---- */

struct sink {
    struct mangle_run *run;
    enum mangle_view view;
    const struct json_writer *json;
    struct record_out *out;
    struct buf object;
};

static bool
is_left_out(enum field f, enum mangle_view view)
{
    switch (f) {
    case FIELD_QUALITY_LOSS:
    case FIELD_QUALITY_GAPS:
    case FIELD_QUALITY_TRUNCATED:
    case FIELD_QUALITY_ONEWAY:
    case FIELD_QUALITY_MIDSTREAM:
    case FIELD_QUALITY_CONFIDENCE:
    case FIELD_SMTP_RCPT_LATENCY:
    case FIELD_SMTP_REPLIES_LATENCY:
    case FIELD_SMTP_FINAL_LATENCY:
    case FIELD_SMTP_BANNER_MS:
    case FIELD_SMTP_FIRST_COMMAND_MS:
    case FIELD_FLOW_PKTS_TOSERVER:
    case FIELD_FLOW_PKTS_TOCLIENT:
    case FIELD_TCP_RETRANSMITTED:
    case FIELD_TCP_DUPLICATES:
    case FIELD_TCP_REORDERED: return view != MANGLE_FULL;
    case FIELD_TX_ID:
    case FIELD_SMTP_HELO: return view == MANGLE_LOSSY;
    default: return false;
    }
}

static void
copy_object(struct sink *k, const struct record_entry *e)
{
    struct cursor c = cur_open(e->value);
    struct record_entry child;

    buf_reset(&k->object);
    while (record_next(&c, &child)) {
        if (!is_left_out(child.field, k->view))
            entry_put(&k->object, child.field, child.value);
    }
    record_object_begin(k->out, e->field);
    record_entries(k->out, buf_view(&k->object));
    record_object_end(k->out);
}

static void
copy_entry(struct sink *k, const struct record_entry *e)
{
    struct buf one;

    if (is_left_out(e->field, k->view))
        return;
    if (field_table[e->field].type == FT_OBJS) {
        copy_object(k, e);
        return;
    }
    buf_init(&one, RECORD_MAX);
    entry_put(&one, e->field, e->value);
    record_entries(k->out, buf_view(&one));
    buf_free(&one);
}

static struct span
loosen(struct sink *k, struct span record)
{
    struct record_head head = record_head_of(record);
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    head.when = 0;
    head.seq = 1;
    record_begin(k->out, &head);
    while (record_next(&c, &e))
        copy_entry(k, &e);
    return record_view(k->out);
}

static void
put(void *ctx, struct span record)
{
    struct sink *k = ctx;
    struct mangle_run *r = k->run;
    struct record_head head;
    struct mangle_line *l;

    REQUIRE(record_check(record));
    head = record_head_of(record);
    if (r->n == r->cap) {
        r->cap = r->cap > 0 ? r->cap * 2 : 64;
        r->line = must(realloc(r->line, r->cap * sizeof(*r->line)));
    }
    l = &r->line[r->n++];
    *l = (struct mangle_line){head.when, head.flow_id, head.seq,
                              head.type, r->text.n,    0};
    if (k->view != MANGLE_FULL)
        record = loosen(k, record);
    REQUIRE(json_write(k->json, record, &r->text));
    l->n = r->text.n - l->at;
}

/* ---- runs ---- */

static void
feed_all(struct net *n, const struct mangle_capture *c,
         const struct mangle_list *list, bool frames)
{
    if (frames) {
        for (size_t i = 0; i < c->n_packets; i++)
            (void)net_packet(n, &c->packet[i]);
    } else {
        for (size_t i = 0; i < list->n; i++) {
            const struct mangle_seg *s = &list->seg[i];

            (void)net_segment(n, &s->d, s->iface, s->caplen, s->when);
        }
    }
    (void)net_finish(n, NULL, NULL);
}

/* Tells which bytes were kept for it. */
static bool
inspect(void *ctx, const struct content_job *job, struct content_result *r)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%zu bytes, %016llx%s", job->bytes.n,
                     (unsigned long long)hash_span(job->bytes, 0),
                     job->truncated ? ", cut" : "");

    (void)ctx;
    findings_add_detail(&r->findings, FIND_YARA_RISK, span_of(text, (size_t)n));
    return true;
}

static void
one_worker(const struct mangle_capture *c, const struct mangle_list *list,
           const struct mangle_options *o, unsigned worker, struct sink *k)
{
    static const uint16_t ports[] = {25, 465, 587, 2525};
    uint64_t room = o->memory_max > 0 ? o->memory_max : PLENTY;
    struct smtp_options so = {
        .sink = {put, k},
        .memory_max = room,
        .content_max = room,
        .body_digest = true,
        .part = {.inspect = inspect  }
    };
    struct net_options no = {
        .worker = worker,
        .n_workers = o->n_workers > 0 ? o->n_workers : 1,
        .ports = ports,
        .n_ports = ARRAY_LEN(ports),
        .memory_max = room,
        .flows_max = o->flows_max > 0 ? o->flows_max : 100000,
        .seed = TABLE_SEED,
        .ops = &smtp_ops,
    };
    struct smtp_ctx *smtp = NULL;
    struct net *net = NULL;

    REQUIRE(smtp_new(&so, &smtp) == ERR_OK);
    no.ops_ctx = smtp;
    REQUIRE(net_new(&no, &net) == ERR_OK);
    feed_all(net, c, list, o->frames);
    k->run->stats = *net_stats(net);
    k->run->smtp_left += smtp_memory(smtp);
    k->run->net_left += net_stats(net)->flows_open;
    net_free(net);
    smtp_free(smtp);
}

static const struct mangle_run *sorting;

static int
by_order(const void *x, const void *y)
{
    const struct mangle_line *a = x;
    const struct mangle_line *b = y;

    if (a->when != b->when)
        return a->when < b->when ? -1 : 1;
    if (a->flow != b->flow)
        return a->flow < b->flow ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static int
by_text(const void *x, const void *y)
{
    const struct mangle_line *a = x;
    const struct mangle_line *b = y;
    size_t n = a->n < b->n ? a->n : b->n;
    int d = memcmp(sorting->text.p + a->at, sorting->text.p + b->at, n);

    if (d != 0)
        return d;
    return a->n < b->n ? -1 : a->n > b->n;
}

void
mangle_go(const struct mangle_capture *c, const struct mangle_list *list,
          const struct mangle_options *o, struct mangle_run *out)
{
    struct json_writer *json = must(malloc(sizeof(*json)));
    struct record_out record;
    struct sink k = {.run = out, .view = o->view, .json = json, .out = &record};
    unsigned n = o->n_workers > 0 ? o->n_workers : 1;

    *out = (struct mangle_run){0};
    buf_init(&out->text, (size_t)1 << 30);
    buf_init(&k.object, RECORD_MAX);
    record_init(&record);
    json_writer_init(json);
    for (unsigned i = 0; i < n; i++)
        one_worker(c, list, o, i, &k);
    sorting = out;
    if (out->n > 1)
        qsort(out->line, out->n, sizeof(*out->line),
              o->view == MANGLE_LOOSE ? by_text : by_order);
    record_free(&record);
    buf_free(&k.object);
    free(json);
}

void
mangle_free(struct mangle_run *r)
{
    buf_free(&r->text);
    free(r->line);
    *r = (struct mangle_run){0};
}

struct span
mangle_text(const struct mangle_run *r, size_t i)
{
    return span_of(r->text.p + r->line[i].at, r->line[i].n);
}

/* What stands around byte at; other is the line that it is compared with. */
static void
show(const char *mark, struct span s, size_t at)
{
    size_t from = at > 60 ? at - 60 : 0;

    s = span_head(span_tail(s, from), 400);
    printf("  %s ...%.*s\n", mark, (int)s.n, s.n > 0 ? (const char *)s.p : "");
}

static bool
has_line(const struct mangle_run *r, struct span line)
{
    for (size_t i = 0; i < r->n; i++) {
        if (span_eq(mangle_text(r, i), line))
            return true;
    }
    return false;
}

/* A line that only one of them has is shown alone, from its event_type on; of
 * two that differ, the first difference. */
static void
show_both(const struct mangle_run *want, const struct mangle_run *got, size_t i)
{
    struct span a = i < want->n ? mangle_text(want, i) : SPAN_NONE;
    struct span b = i < got->n ? mangle_text(got, i) : SPAN_NONE;
    size_t at = 0;

    if (a.n > 0 && b.n > 0 && (has_line(got, a) || has_line(want, b)))
        at = 140;
    if (a.n > 0 && at > 0 && !has_line(got, a))
        show("-", a, at);
    if (b.n > 0 && at > 0 && !has_line(want, b))
        show("+", b, at);
    if (at > 0)
        return;
    while (at < a.n && at < b.n && a.p[at] == b.p[at])
        at++;
    show("-", a, at);
    show("+", b, at);
}

bool
mangle_same(const struct mangle_run *want, const struct mangle_run *got,
            const char *name, const char *what)
{
    size_t n = want->n > got->n ? want->n : got->n;

    for (size_t i = 0; i < n; i++) {
        if (i < want->n && i < got->n &&
            span_eq(mangle_text(want, i), mangle_text(got, i)))
            continue;
        printf("FAILED %s: %s\n", name, what);
        show_both(want, got, i);
        return false;
    }
    if (got->smtp_left == 0 && got->net_left == 0)
        return true;
    printf("FAILED %s: %s: memory is left\n", name, what);
    return false;
}

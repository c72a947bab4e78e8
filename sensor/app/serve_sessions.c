#include "sensor/app/serve_view.h"

#include "sensor/base/json_out.h"
#include "sensor/store/index_query.h"

#define TYPE_TEXT 33U

struct list {
    struct json_out json;
    size_t n, limit;
    ns_t when; /* of the last row that was written */
    uint64_t seq;
    bool more;
};

static void
put_text(struct json_out *j, const char *key, struct span s)
{
    json_key(j, key);
    if (s.p == NULL)
        json_null(j);
    else
        (void)json_str(j, s);
}

static void
put_addr(struct json_out *j, const char *key, bool has, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    put_text(j, key, has ? span_of(text, addr_format(a, text)) : SPAN_NONE);
}

static void
put_number(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    if (v == 0)
        json_null(j);
    else
        json_u64(j, v);
}

static void
put_row(void *ctx, const struct index_event *e)
{
    struct list *l = ctx;
    struct json_out *j = &l->json;
    char time[NS_TEXT_MAX];

    if (l->n == l->limit) {
        l->more = true;
        return;
    }
    l->n++;
    l->when = e->when;
    l->seq = e->seq;
    json_begin(j, '{');
    put_text(j, "event_id", e->event_id);
    put_text(j, "timestamp", span_of(time, ns_format(e->when, time)));
    put_text(j, "event_type", e->type);
    put_text(j, "direction", e->direction);
    put_addr(j, "src_ip", e->has_src, &e->src);
    put_addr(j, "dest_ip", e->has_dst, &e->dst);
    put_number(j, "dest_port", e->dport);
    put_text(j, "mail_from", e->mail_from);
    put_text(j, "message_id", e->message_id);
    put_text(j, "outcome", e->outcome);
    put_number(j, "final_code", e->final_code);
    json_end(j, '}');
}

static void
put_end(struct list *l)
{
    struct buf next;

    json_end(&l->json, ']');
    json_key(&l->json, "next");
    buf_init(&next, 64);
    serve_view_cursor(l->when, l->seq, &next);
    if (l->more)
        (void)json_str(&l->json, buf_view(&next));
    else
        json_null(&l->json);
    buf_free(&next);
    json_end(&l->json, '}');
}

/* One more than a page tells whether there is a next one. */
static enum cli_exit
list(struct serve_view *v, struct index_query *q, struct serve_window *w)
{
    struct index_reader *r = NULL;
    struct list l = {.json = json_out_open(v->data), .limit = w->limit};
    struct buf why;
    enum err e;

    buf_init(&why, 4096);
    q->limit = w->limit + 1;
    e = index_reader_open(v->config->state, &r, &why);
    json_begin(&l.json, '{');
    json_key(&l.json, "schema");
    (void)json_str(&l.json, SPAN_LIT("span25.sessions"));
    json_key(&l.json, "rows");
    json_begin(&l.json, '[');
    if (e == ERR_OK) {
        e = index_events(r, q, put_row, &l);
        if (e != ERR_OK)
            index_reader_why(r, &why);
    }
    put_end(&l);
    index_reader_close(r);
    if (e != ERR_OK)
        (void)serve_view_say(v, CLI_EXIT_STORE, "the index cannot be read",
                             buf_view(&why));
    buf_free(&why);
    return e == ERR_OK ? CLI_EXIT_DONE : CLI_EXIT_STORE;
}

enum cli_exit
serve_sessions(struct serve_view *v)
{
    const struct span host = serve_view_value(v, "host");
    const struct span type = serve_view_value(v, "type");
    struct index_query q = {.type = "smtp"};
    struct serve_window w;
    char name[TYPE_TEXT] = "";
    struct addr a;

    if (!serve_view_window(v, &w))
        return CLI_EXIT_USAGE;
    if (host.n > 0 && !addr_parse(host, &a))
        return serve_view_say(v, CLI_EXIT_USAGE, "host is not an address",
                              host);
    if (type.n > 0 && type.n < TYPE_TEXT) {
        memcpy(name, type.p, type.n);
        q.type = span_eq(type, SPAN_LIT("all")) ? NULL : name;
    }
    q.host = host.n > 0 ? &a : NULL;
    q.from = w.from;
    q.to = w.to;
    q.before_when = w.before_when;
    q.before_seq = w.before_seq;
    return list(v, &q, &w);
}

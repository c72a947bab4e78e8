#include "sensor/app/serve_follow.h"

#include "sensor/base/json_out.h"
#include "sensor/event/record.h"
#include "sensor/store/index_query.h"

struct news {
    struct serve_follow *follow;
    ns_t newest;
};

static void
put(struct json_out *j, const char *key, struct span record, enum field f)
{
    json_key(j, key);
    (void)json_str(j, record_find(record, f));
}

/* An episode that began and was told of again since has another state. */
static void
take_alert(void *ctx, uint64_t seq, struct span record)
{
    struct news *n = ctx;
    const ns_t when = record_head_of(record).when;
    const ns_t first = record_find_u64(record, FIELD_ALERT_FIRST, 0);
    struct json_out j;
    struct buf text;

    n->newest = when > n->newest ? when : n->newest;
    if (!n->follow->begun || seq <= n->follow->seq || first < n->follow->newest)
        return;
    buf_init(&text, 4096);
    j = json_out_open(&text);
    json_begin(&j, '{');
    put(&j, "id", record, FIELD_ALERT_ID);
    put(&j, "severity", record, FIELD_ALERT_LEVEL);
    put(&j, "subject", record, FIELD_ALERT_SUBJECT);
    json_end(&j, '}');
    if (!text.cut && !text.failed)
        http_tell(n->follow->http, "alert", buf_view(&text));
    buf_free(&text);
}

static void
tell_position(struct serve_follow *f, uint64_t seq)
{
    struct buf text;

    buf_init(&text, 64);
    buf_str(&text, "{\"seq\":");
    buf_u64(&text, seq);
    buf_putc(&text, '}');
    http_tell(f->http, "position", buf_view(&text));
    buf_free(&text);
}

/* What people did is in it too: every record moves the position. */
static void
look(struct serve_follow *f, struct index_reader *r)
{
    struct news n = {f, f->newest};
    uint64_t seq;

    if (index_reader_position(r, &seq) != ERR_OK || (f->begun && seq == f->seq))
        return;
    (void)!index_latest(r, "alert", f->newest,
                        f->begun ? SERVE_FOLLOW_ALERTS : 1, take_alert, &n);
    if (f->begun)
        tell_position(f, seq);
    f->begun = true;
    f->seq = seq;
    f->newest = n.newest;
}

void
serve_follow_step(struct serve_follow *f)
{
    struct index_reader *r = NULL;
    struct buf why;

    buf_init(&why, 1024);
    if (index_reader_open(f->state, &r, &why) == ERR_OK)
        look(f, r);
    index_reader_close(r);
    buf_free(&why);
}

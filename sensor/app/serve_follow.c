#include "sensor/app/serve_follow.h"

#include <stdio.h>
#include <sys/stat.h>

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

/* ---- whether there is news ---- */

static struct serve_follow_mark
mark_of(const char *state, const char *name)
{
    char path[4096];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", state, name);
    if (stat(path, &st) != 0)
        return (struct serve_follow_mark){0};
    return (struct serve_follow_mark){.inode = (uint64_t)st.st_ino,
                                      .bytes = (uint64_t)st.st_size,
                                      .changed =
                                          (ns_t)st.st_mtim.tv_sec * NS_PER_S +
                                          (ns_t)st.st_mtim.tv_nsec};
}

static bool
has_changed(struct serve_follow *f)
{
    static const char *const names[] = {"index.db", "index.db-wal"};
    bool changed = false;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct serve_follow_mark m = mark_of(f->state, names[i]);
        struct serve_follow_mark *had = &f->marks[i];

        changed = changed || m.inode != had->inode || m.bytes != had->bytes ||
                  m.changed != had->changed;
        *had = m;
    }
    return changed;
}

static void
look_at_index(struct serve_follow *f)
{
    struct index_reader *r = NULL;
    struct buf why;

    buf_init(&why, 1024);
    if (index_reader_open(f->state, &r, &why) == ERR_OK)
        look(f, r);
    else
        f->marks[0].inode = 0; /* it is asked again */
    index_reader_close(r);
    buf_free(&why);
}

/* ---- the sensor ---- */

static void
tell_sight(const struct serve_follow *f, ns_t since)
{
    char time[NS_TEXT_MAX];
    struct json_out j;
    struct buf text;

    buf_init(&text, 256);
    j = json_out_open(&text);
    json_begin(&j, '{');
    json_key(&j, "state");
    (void)json_str(&j, span_str(doctor_sight_word(f->sight)));
    json_key(&j, "since");
    if (since > 0)
        (void)json_str(&j, span_of(time, ns_format(since, time)));
    else
        json_null(&j);
    json_end(&j, '}');
    http_tell(f->http, "health", buf_view(&text));
    buf_free(&text);
}

static void
look_at_sight(struct serve_follow *f, ns_t now)
{
    ns_t since = 0;
    enum doctor_sight s;

    if (f->looked && now >= f->look && now - f->look < SERVE_FOLLOW_SIGHT_NS)
        return;
    s = doctor_look(f->state, &since);
    if (f->looked && s != f->sight) {
        f->sight = s;
        tell_sight(f, since);
    }
    f->sight = s;
    f->look = now;
    f->looked = true;
}

void
serve_follow_step(struct serve_follow *f, ns_t now)
{
    if (has_changed(f))
        look_at_index(f);
    look_at_sight(f, now);
}

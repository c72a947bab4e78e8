#include "sensor/app/serve_content.h"

#include <stdio.h>
#include <string.h>

#include "sensor/app/caller.h"
#include "sensor/app/desk.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/serve_parts.h"
#include "sensor/base/json_out.h"

/* ---- what is journaled ---- */

static void
put(struct record_out *r, enum field f, struct span s)
{
    if (s.n > 0)
        record_str(r, f, s);
}

static enum cli_exit
tell(struct desk *d, const struct serve_told *t)
{
    const struct record_head head = {.when = d->now / NS_PER_US * NS_PER_US,
                                     .type = EVENT_CONTROL};
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(d, &w);
    struct record_out r;

    if (code == CLI_EXIT_DONE) {
        record_init(&r);
        record_begin(&r, &head);
        record_text(&r, FIELD_CONTROL_KIND, "page");
        put(&r, FIELD_CONTROL_TEXT, t->text);
        put(&r, FIELD_CONTROL_HASH, span_str(t->hash != NULL ? t->hash : ""));
        record_text(&r, FIELD_CONTROL_ACTION, t->action);
        record_time(&r, FIELD_CONTROL_TIME, head.when);
        put(&r, FIELD_CONTROL_ACTOR, span_str(t->actor));
        put(&r, FIELD_CONTROL_REASON, t->reason);
        put(&r, FIELD_CONTROL_ALERT, t->alert);
        put(&r, FIELD_CONTROL_SUBJECT, t->subject);
        desk_tell(w, &r);
        record_free(&r);
    }
    return desk_close(w, code);
}

bool
serve_tell(struct serve *s, const struct serve_told *t, struct buf *messages)
{
    struct buf out;
    struct desk d = {.cli = s->cli,
                     .config = &s->cli->config,
                     .now = caller_clock(),
                     .actor = t->actor,
                     .out = &out,
                     .messages = messages};
    enum cli_exit code;

    buf_init(&out, 4096);
    code = tell(&d, t);
    buf_free(&out);
    return code == CLI_EXIT_DONE;
}

static bool
record(struct serve *s, const struct serve_told *t, struct buf *messages)
{
    bool good;

    (void)pthread_rwlock_wrlock(&s->lock);
    good = serve_tell(s, t, messages);
    (void)pthread_rwlock_unlock(&s->lock);
    return good;
}

bool
serve_record(struct serve *s, const char *action, const char *who,
             struct span peer, struct buf *messages)
{
    const struct serve_told t = {.action = action,
                                 .actor = who != NULL ? who : "unknown",
                                 .subject = peer};

    return record(s, &t, messages);
}

/* ---- looks ---- */

static bool
was_seen(struct serve *s, const char *user, const char *what, ns_t now)
{
    bool seen = false;

    (void)pthread_mutex_lock(&s->looks_lock);
    for (size_t i = 0; i < SERVE_LOOKS && !seen; i++) {
        const struct serve_look *l = &s->looks[i];

        seen = l->when > 0 && now >= l->when && now - l->when < SERVE_LOOK_NS &&
               strcmp(l->user, user) == 0 && strcmp(l->what, what) == 0;
    }
    (void)pthread_mutex_unlock(&s->looks_lock);
    return seen;
}

static void
remember(struct serve *s, const char *user, const char *what, ns_t now)
{
    struct serve_look *l;

    (void)pthread_mutex_lock(&s->looks_lock);
    l = &s->looks[s->next_look++ % SERVE_LOOKS];
    *l = (struct serve_look){.when = now};
    (void)snprintf(l->user, sizeof(l->user), "%s", user);
    (void)snprintf(l->what, sizeof(l->what), "%s", what);
    (void)pthread_mutex_unlock(&s->looks_lock);
}

static unsigned
look(struct serve *s, const char *user, const char *kind, struct span id,
     bool alert, struct buf *messages)
{
    const ns_t now = caller_clock();
    char what[SERVE_LOOK_TEXT];
    struct serve_told t = {
        .action = "look", .actor = user, .alert = alert ? id : SPAN_NONE};

    (void)snprintf(what, sizeof(what), "%s %.*s", kind,
                   (int)(id.n < 80 ? id.n : 80),
                   id.n > 0 ? (const char *)id.p : "");
    if (was_seen(s, user, what, now))
        return 200;
    t.text = span_str(what);
    if (!record(s, &t, messages)) {
        buf_str(messages,
                "span25: that you look at this cannot be journaled, so it is "
                "not shown\n");
        return 503;
    }
    remember(s, user, what, now);
    return 200;
}

/* A message of the sheet of a review: "NAME/12". */
static unsigned
look_at_sheet(struct serve *s, const char *user, struct span data,
              struct buf *messages)
{
    const struct span message = serve_json_get(data, "message");
    struct buf text;
    unsigned status;

    if (span_at(message, 0) != '{')
        return 200;
    buf_init(&text, 256);
    serve_json_text(serve_json_get(data, "name"), &text);
    buf_putc(&text, '/');
    serve_json_text(serve_json_get(message, "number"), &text);
    status = look(s, user, "review", buf_view(&text), false, messages);
    buf_free(&text);
    return status;
}

/* ---- an alert without content ---- */

/* Event of an evidence: what is common to all events, and statistics. */
static void
put_event(struct json_out *j, struct span event)
{
    static const char *const content[] = {"smtp", "email", "fileinfo", "tls"};
    struct serve_json_walk w;
    struct span key, value;

    serve_json_begin(&w, event);
    json_begin(j, '{');
    while (w.object && serve_json_next(&w, &key, &value)) {
        bool hidden = key.n > 32;

        for (size_t i = 0; i < ARRAY_LEN(content); i++)
            hidden = hidden || span_eq(key, span_str(content[i]));
        if (!hidden) {
            char name[33];

            (void)snprintf(name, sizeof(name), "%.*s", (int)key.n,
                           (const char *)key.p);
            json_key(j, name);
            json_raw(j, value);
        }
    }
    json_end(j, '}');
    serve_json_end(&w);
}

static void
put_evidence(struct json_out *j, struct span all)
{
    struct serve_json_walk w;
    struct span item;

    serve_json_begin(&w, all);
    json_begin(j, '[');
    while (!w.object && serve_json_next(&w, NULL, &item)) {
        json_begin(j, '{');
        json_key(j, "role");
        json_raw(j, serve_json_get(item, "role"));
        json_key(j, "event");
        put_event(j, serve_json_get(item, "event"));
        json_key(j, "said");
        json_raw(j, SPAN_LIT("[]"));
        json_end(j, '}');
    }
    json_end(j, ']');
    serve_json_end(&w);
}

static void
hide(struct buf *data)
{
    struct serve_json_walk w;
    struct span key, value;
    struct json_out j;
    struct buf out;

    buf_init(&out, SERVE_ANSWER);
    j = json_out_open(&out);
    serve_json_begin(&w, buf_view(data));
    json_begin(&j, '{');
    while (serve_json_next(&w, &key, &value)) {
        char name[33];

        (void)snprintf(name, sizeof(name), "%.*s",
                       (int)(key.n < 32 ? key.n : 32), (const char *)key.p);
        json_key(&j, name);
        if (span_eq(key, SPAN_LIT("evidence")))
            put_evidence(&j, value);
        else
            json_raw(&j, value);
    }
    json_key(&j, "content");
    json_bool(&j, false);
    json_end(&j, '}');
    serve_json_end(&w);
    buf_free(data);
    *data = out;
}

unsigned
serve_content(struct serve *s, enum serve_route_id id,
              const struct serve_caller *who, struct buf *data,
              struct buf *messages)
{
    const bool may = (who->roles & SERVE_ROLES_CONTENT) != 0;
    struct span schema, of;
    struct buf text;
    unsigned status = 200;

    if (id == SERVE_ROUTE_STUDY_REVIEW)
        return look_at_sheet(s, who->user, buf_view(data), messages);
    if (id != SERVE_ROUTE_ALERT && id != SERVE_ROUTE_SESSION &&
        id != SERVE_ROUTE_WHY)
        return 200;
    schema = serve_json_get(buf_view(data), "schema");
    of = serve_json_get(buf_view(data), "event");
    buf_init(&text, 4096);
    if (serve_json_is(schema, "span25.alert") && !may) {
        hide(data);
    } else if (serve_json_is(schema, "span25.alert")) {
        serve_json_text(serve_json_get(serve_json_get(of, "alert"), "id"),
                        &text);
        status = look(s, who->user, "alert", buf_view(&text), true, messages);
    } else if (serve_json_is(schema, "span25.event") && !may) {
        buf_reset(messages);
        buf_str(messages, "Your role may not see what mail said.");
        status = 403;
    } else if (serve_json_is(schema, "span25.event")) {
        serve_json_text(serve_json_get(of, "event_id"), &text);
        status = look(s, who->user, "event", buf_view(&text), false, messages);
    }
    buf_free(&text);
    return status;
}

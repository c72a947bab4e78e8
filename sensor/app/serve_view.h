#ifndef SPAN25_APP_SERVE_VIEW_H
#define SPAN25_APP_SERVE_VIEW_H
/* serve_view - views of the API that no verb prints, one file each
 *
 * A view reads the index, the journal or files of the state, and writes one
 * JSON value; a failure is told in messages, with the exit code of a verb. */
#include "sensor/app/serve_call.h"

struct serve_value {
    struct span name;
    struct span text;
    bool listed; /* an item of a list */
};

struct serve_view {
    struct serve *serve;
    const struct config *config;
    const struct serve_caller *who;
    const struct serve_value *values;
    size_t n_values;
    ns_t now;
    struct buf *data;
    struct buf *messages;
};

/* The value of a parameter; empty: it was not given. */
struct span serve_view_value(const struct serve_view *v, const char *name);
/* "span25: " and text, with a value in quotes; gives code. */
enum cli_exit serve_view_say(struct serve_view *v, enum cli_exit code,
                             const char *text, struct span value);
/* limit, since, until and after, as all lists take them. False: told. */
struct serve_window {
    size_t limit;
    ns_t from, to;    /* 0: open */
    ns_t before_when; /* of the cursor */
    uint64_t before_seq;
};
MUST_USE bool serve_view_window(struct serve_view *v, struct serve_window *out);
/* The cursor behind an event. */
void serve_view_cursor(ns_t when, uint64_t seq, struct buf *out);

/* A verb's JSON, without its last line end; flags NULL-terminated. */
enum cli_exit serve_verb(struct serve *s, enum verb verb,
                         const char *const *flags, struct buf *out,
                         struct buf *messages);

enum cli_exit serve_now(struct serve_view *v);
enum cli_exit serve_sessions(struct serve_view *v);
enum cli_exit serve_sensor(struct serve_view *v);
enum cli_exit serve_audit(struct serve_view *v);
enum cli_exit serve_studies(struct serve_view *v);
enum cli_exit serve_study(struct serve_view *v);
enum cli_exit serve_study_start(struct serve_view *v);
enum cli_exit serve_study_stop(struct serve_view *v);
enum cli_exit serve_study_review(struct serve_view *v);
enum cli_exit serve_study_judge(struct serve_view *v);
enum cli_exit serve_study_count(struct serve_view *v);
enum cli_exit serve_study_publish(struct serve_view *v);

#endif

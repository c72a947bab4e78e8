#include "sensor/app/desk_decide.h"

#include "rules/decide/decide.h"
#include "sensor/app/desk_exceptions.h"
#include "sensor/journal/state.h"

bool
desk_is_sensors(struct desk *d)
{
    struct buf why;
    bool is;

    buf_init(&why, 1024);
    is = state_open(d->config->state, STATE_LIVE, &why) == ERR_OK;
    buf_free(&why);
    return is;
}

static void
replay(void *ctx, uint64_t seq, struct span record)
{
    struct record_map m;

    (void)seq;
    record_map_init(&m, record);
    decide_replay(ctx, &m);
}

static void
put_decision(void *ctx, struct span record)
{
    struct record_head head = record_head_of(record);
    struct record_out out;

    record_init(&out);
    record_begin(&out, &head);
    record_entries(&out, span_tail(record, RECORD_HEAD));
    desk_tell(ctx, &out);
    record_free(&out);
}

static enum cli_exit
decide_with(struct desk *d, struct decide *decide, struct desk_writer *w,
            const struct record_out *told)
{
    const struct record_sink sink = {put_decision, w};
    struct record_map m;

    if (index_acts(d->index, "policy", SPAN_NONE, replay, decide) != ERR_OK ||
        index_acts(d->index, "decision", SPAN_NONE, replay, decide) != ERR_OK)
        return desk_say_index(d);
    decide_replayed(decide, d->now);
    record_map_init(&m, record_view(told));
    decide_event(decide, &m, &sink);
    return CLI_EXIT_DONE;
}

enum cli_exit
desk_decide(struct desk *d, struct desk_writer *w,
            const struct record_out *told)
{
    struct decide_options o = {.limits = decide_limits_default,
                               .may_enforce = desk_is_sensors(d)};
    struct exceptions *x = NULL;
    struct decide *decide = NULL;
    enum cli_exit code = desk_exceptions_read(d, &x);

    o.exceptions = x;
    if (code == CLI_EXIT_DONE && decide_new(&o, &decide) != ERR_OK)
        code = desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (code == CLI_EXIT_DONE)
        code = decide_with(d, decide, w, told);
    decide_free(decide);
    exceptions_free(x);
    return code;
}

#include "sensor/app/serve_view.h"

#include "sensor/base/json_out.h"

/* What a verb printed, or null: its exit code says how it is, not whether it
 * worked. */
static void
put_verb(struct serve_view *v, struct json_out *j, const char *key,
         enum verb verb)
{
    struct buf out;

    buf_init(&out, SERVE_ANSWER);
    (void)serve_verb(v->serve, verb, NULL, &out, v->messages);
    json_key(j, key);
    json_raw(j, out.n > 0 ? buf_view(&out) : SPAN_LIT("null"));
    buf_free(&out);
}

enum cli_exit
serve_sensor(struct serve_view *v)
{
    struct json_out j = json_out_open(v->data);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25.sensor"));
    json_key(&j, "version");
    (void)json_str(&j, SPAN_LIT(SPAN25_VERSION));
    put_verb(v, &j, "doctor", VERB_DOCTOR);
    put_verb(v, &j, "metrics", VERB_METRICS);
    json_end(&j, '}');
    return CLI_EXIT_DONE;
}

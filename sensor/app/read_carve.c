#include "sensor/app/read_carve.h"

#include "dashboards/words.h"
#include "sensor/base/text.h"
#include "sensor/sinks/sink_extract.h"

#include <stdlib.h>
#include <time.h>

#define TEXT_MAX 16384U
/* Numbers of events without a flow: 0 and 1 are the core's, from 4 on those of
 * the totals. */
#define FIRST_NUMBER 2U

enum which { EXTRACT, SAVE_MAIL, WHICH_COUNT };

static const struct {
    const char *flag;
    const char *kind; /* carve.kind */
} folders[WHICH_COUNT] = {
    [EXTRACT] = {"--extract",   "part"},
    [SAVE_MAIL] = {"--save-mail", "mail"},
};

struct read_carve {
    struct sink_extract *x[WHICH_COUNT];
    const char *dirs[WHICH_COUNT];
    bool quiet;
    struct buf text; /* with a NUL */
};

static void
say_limits(struct read_carve *r, enum which w, const struct config *c)
{
    struct buf *b = &r->text;

    if (b->n > 0)
        buf_str(b, "; ");
    buf_str(b, folders[w].flag);
    buf_putc(b, ' ');
    buf_str(b, r->dirs[w]);
    buf_str(b, ": at most ");
    words_count(b, c->carve_files, "file", NULL);
    buf_str(b, ", ");
    words_size(b, c->carve_bytes);
    buf_str(b, " in all, ");
    words_size(b, c->carve_file);
    buf_str(b, " each, kept for ");
    words_duration(b, c->keep);
}

static enum err
open_one(struct read_carve *r, enum which w, const struct config *c,
         struct buf *messages)
{
    struct sink_extract_settings s = {
        .dir = r->dirs[w],
        .file_max = c->carve_file,
        .bytes_max = c->carve_bytes,
        .files_max = c->carve_files,
        .keep = c->keep,
    };
    struct timespec now;

    if (r->dirs[w] == NULL)
        return ERR_OK;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    s.now = (ns_t)now.tv_sec * NS_PER_S;
    say_limits(r, w, c);
    return sink_extract_open(&s, &r->x[w], messages);
}

enum err
read_carve_open(const struct config *c, struct read_carve **out,
                struct buf *messages)
{
    struct read_carve *r;
    enum err e = ERR_OK;

    if (c->extract == NULL && c->save_mail == NULL)
        return ERR_OK;
    if (c->extract != NULL && !c->mime) {
        buf_str(messages, "span25: --extract needs content.parts\n");
        return ERR_CONFIG;
    }
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NOMEM;
    r->dirs[EXTRACT] = c->extract;
    r->dirs[SAVE_MAIL] = c->save_mail;
    r->quiet = c->quiet;
    buf_init(&r->text, TEXT_MAX);
    for (unsigned w = 0; e == ERR_OK && w < WHICH_COUNT; w++)
        e = open_one(r, (enum which)w, c, messages);
    buf_putc(&r->text, '\0');
    if (e == ERR_OK && (r->text.failed || r->text.cut))
        e = ERR_NOMEM;
    if (e != ERR_OK) {
        read_carve_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
read_carve_close(struct read_carve *r)
{
    if (r == NULL)
        return;
    for (unsigned w = 0; w < WHICH_COUNT; w++)
        sink_extract_close(r->x[w]);
    buf_free(&r->text);
    free(r);
}

/* ---- for the core ---- */

static void
put(void *ctx, struct span record, struct span event_id)
{
    struct read_carve *r = ctx;
    struct span kind = record_find(record, FIELD_CARVE_KIND);

    for (unsigned w = 0; w < WHICH_COUNT; w++) {
        if (r->x[w] != NULL && span_eq(kind, span_str(folders[w].kind)))
            sink_extract_put(r->x[w], record, event_id);
    }
}

static bool
has(void *ctx, struct span sha256)
{
    const struct read_carve *r = ctx;

    return r->x[EXTRACT] != NULL && sink_extract_has(r->x[EXTRACT], sha256);
}

struct carve_sink
read_carve_sink(struct read_carve *r)
{
    if (r == NULL)
        return (struct carve_sink){NULL, NULL, NULL};
    return (struct carve_sink){put, has, r};
}

const char *
read_carve_text(const struct read_carve *r)
{
    return r != NULL ? (const char *)r->text.p : NULL;
}

/* ---- the end ---- */

static void
say_left_out(struct buf *b, const char **sep, uint64_t n, const char *why)
{
    if (n == 0)
        return;
    buf_str(b, *sep);
    words_number(b, n);
    buf_str(b, why);
    *sep = ", ";
}

static enum err
say_result(const struct read_carve *r, enum which w, struct buf *b)
{
    struct sink_extract_counts n = sink_extract_counts_of(r->x[w]);
    const char *sep = "; left out: ";
    enum err e;

    buf_str(b, folders[w].flag);
    buf_putc(b, ' ');
    buf_str(b, r->dirs[w]);
    buf_str(b, ": ");
    words_count(b, n.files, "file", NULL);
    buf_str(b, ", ");
    words_size(b, n.bytes);
    if (n.expired > 0) {
        buf_str(b, "; ");
        words_count(b, n.expired, "old file", NULL);
        buf_str(b, " deleted");
    }
    say_left_out(b, &sep, n.not_kept, " too large or not seen whole");
    say_left_out(b, &sep, n.refused, " damaged on the way");
    say_left_out(b, &sep, n.past_limit, "");
    e = n.past_limit > 0 ? sink_extract_why(r->x[w], b) : ERR_OK;
    return e == ERR_LIMIT ? ERR_OK : e;
}

static void
tell(const struct record_sink *sink, ns_t when, uint32_t number,
     struct span text, uint64_t files)
{
    struct record_head head = {
        .when = when, .seq = FIRST_NUMBER + number, .type = EVENT_CONTROL};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, "carved");
    record_str(&r, FIELD_CONTROL_TEXT, text);
    record_u64(&r, FIELD_CONTROL_NUMBER, files);
    sink->put(sink->ctx, record_view(&r));
    record_free(&r);
}

enum err
read_carve_end(struct read_carve *r, ns_t when, const struct record_sink *sink,
               struct buf *messages)
{
    enum err first = ERR_OK;

    for (unsigned w = 0; r != NULL && w < WHICH_COUNT; w++) {
        struct buf text;
        enum err e;

        if (r->x[w] == NULL)
            continue;
        buf_init(&text, TEXT_MAX);
        sink_extract_end(r->x[w]);
        e = say_result(r, (enum which)w, &text);
        tell(sink, when, w, buf_view(&text),
             sink_extract_counts_of(r->x[w]).files);
        if (!r->quiet || e != ERR_OK) {
            buf_str(messages, "span25: ");
            text_term(messages, buf_view(&text));
            buf_putc(messages, '\n');
        }
        first = first == ERR_OK ? e : first;
        buf_free(&text);
    }
    return first;
}

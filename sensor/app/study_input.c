#include "sensor/app/study_input.h"

#include "sensor/app/study_source.h"
#include "sensor/base/frame.h"
#include "sensor/capture/capture_pcap.h"
#include "sensor/capture/capture_pcapng.h"
#include "sensor/capture/capture_source.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KIND  UINT64_C(0x31306e6974732532) /* of the saved state: "2%stin01" */
#define MAGIC 4U

struct study_inputs {
    struct study_room room;
    struct study_source *v;
    struct study_input *rows; /* n of them, for who asks */
    size_t n;
    size_t at;  /* whose turn it is; n: all have ended */
    bool begun; /* it has begun */
    enum err error;
};

/* ---- what an input is ---- */

#define KAFKA "kafka://"

static enum err
look_into(const char *name, struct buf *messages,
          const struct study_source_ops **out)
{
    struct capture_source src;
    struct span magic;
    enum err e;

    buf_str(messages, "span25: ");
    e = capture_source_open(&src, name, NULL, messages);
    if (e != ERR_OK) {
        buf_putc(messages, '\n');
        return e;
    }
    messages->n -= strlen("span25: ");
    (void)capture_source_fill(&src, MAGIC);
    magic = span_head(span_tail(src.cur.in, src.cur.at), MAGIC);
    *out = capture_pcapng_is(magic) || capture_pcap_is(magic)
               ? &study_input_capture
               : &study_input_file;
    capture_source_close(&src);
    return ERR_OK;
}

/* A pipe is not looked into: what it gives once would be lost. */
static enum err
kind_of(const char *name, struct buf *messages,
        const struct study_source_ops **out)
{
    struct stat st;

    *out = &study_input_file;
    if (span_starts(span_str(name), SPAN_LIT(KAFKA)))
        *out = &study_input_kafka;
    else if (strcmp(name, "-") != 0 &&
             (stat(name, &st) != 0 || S_ISREG(st.st_mode) ||
              S_ISDIR(st.st_mode)))
        return look_into(name, messages, out);
    return ERR_OK;
}

static enum err
open_one(struct study_inputs *in, const char *name,
         const struct study_source_ops *ops)
{
    struct study_source *s = &in->v[in->n];
    enum err e = ERR_OK;

    *s = (struct study_source){
        .name = name,
        .room = &in->room,
        .row = {.name = name},
    };
    if (ops == NULL)
        e = kind_of(name, in->room.messages, &ops);
    if (e != ERR_OK)
        return e;
    s->ops = ops;
    s->row.kind = ops->kind;
    in->n++;
    if (ops->open != NULL)
        e = ops->open(s);
    return e;
}

static bool
is_second_stdin(const struct study_inputs_options *o, size_t at)
{
    for (size_t i = 0; strcmp(o->names[at], "-") == 0 && i < at; i++) {
        if (strcmp(o->names[i], "-") == 0)
            return true;
    }
    return false;
}

/* All of them, so that all that is wrong is told at once. */
static enum err
open_all(struct study_inputs *in)
{
    const struct study_inputs_options *o = &in->room.o;
    enum err e = ERR_OK;

    if (o->config->state != NULL)
        e = open_one(in, o->config->state, &study_input_journal);
    for (size_t i = 0; i < o->n; i++) {
        enum err one = ERR_USAGE;

        if (is_second_stdin(o, i))
            buf_str(in->room.messages,
                    "span25: standard input can be named once\n");
        else
            one = open_one(in, o->names[i], NULL);
        if (e == ERR_OK)
            e = one;
    }
    if (e == ERR_OK && in->n == 0) {
        buf_str(in->room.messages, "span25: nothing to study: name files, or "
                                   "give a journal with --state\n");
        e = ERR_USAGE;
    }
    return e;
}

enum err
study_inputs_open(const struct study_inputs_options *o, struct buf *messages,
                  struct study_inputs **out)
{
    struct study_inputs *in = calloc(1, sizeof(*in));
    enum err e = ERR_NOMEM;

    if (in == NULL)
        return ERR_NOMEM;
    in->room.o = *o;
    in->room.messages = messages;
    json_reader_init(&in->room.json);
    record_init(&in->room.record);
    buf_init(&in->room.why, 4096);
    in->room.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    in->v = calloc(o->n + 1, sizeof(*in->v));
    in->rows = calloc(o->n + 1, sizeof(*in->rows));
    if (in->room.sha256 != NULL && in->v != NULL && in->rows != NULL)
        e = open_all(in);
    if (e != ERR_OK) {
        study_inputs_close(in);
        return e;
    }
    *out = in;
    return ERR_OK;
}

void
study_inputs_close(struct study_inputs *in)
{
    if (in == NULL)
        return;
    for (struct study_source *s = in->v; s != NULL && s < in->v + in->n; s++) {
        if (s->ops != NULL)
            s->ops->close(s);
    }
    json_reader_free(&in->room.json);
    record_free(&in->room.record);
    buf_free(&in->room.why);
    EVP_MD_free(in->room.sha256);
    free(in->v);
    free(in->rows);
    free(in);
}

/* ---- events ---- */

static void
count(struct study_input *row, struct span record)
{
    ns_t when = record_head_of(record).when;

    if (row->events++ == 0)
        row->first = row->last = when;
    if (when < row->first)
        row->first = when;
    if (when > row->last)
        row->last = when;
}

static void
failed(struct study_inputs *in, enum err e)
{
    if (in->error == ERR_OK)
        in->error = e;
}

/* The one whose turn it is, is over. */
static void
pass_on(struct study_inputs *in)
{
    struct study_source *s = &in->v[in->at++];

    if (s->row.faults > STUDY_SOURCE_TOLD)
        study_source_tell_number(s, s->row.faults - STUDY_SOURCE_TOLD,
                                 " more faults, only counted");
    s->ops->close(s);
    in->begun = false;
}

static bool
begin(struct study_inputs *in)
{
    struct study_source *s = &in->v[in->at];
    enum err e;

    if (in->begun)
        return true;
    e = s->ops->begin(s);
    in->begun = e == ERR_OK;
    if (in->begun)
        return true;
    s->error = e;
    failed(in, e);
    pass_on(in);
    return false;
}

struct span
study_inputs_next(struct study_inputs *in, bool *journal)
{
    while (in->at < in->n) {
        struct study_source *s = &in->v[in->at];
        struct span record;

        if (!begin(in))
            continue;
        switch (s->ops->next(s, &record)) {
        case STUDY_NEXT_EVENT:
            count(&s->row, record);
            *journal = s->ops->journal;
            return record;
        case STUDY_NEXT_STOPPED: return SPAN_NONE;
        case STUDY_NEXT_END:
            if (in->room.o.stop != NULL && *in->room.o.stop != 0)
                return SPAN_NONE; /* whoever wrote it may have been stopped too:
                                   * is it the end? It is read again. */
            if (s->ops->end != NULL)
                s->ops->end(s);
            break;
        case STUDY_NEXT_FAILED: failed(in, s->error); break;
        }
        pass_on(in);
    }
    return SPAN_NONE;
}

enum err
study_inputs_error(const struct study_inputs *in)
{
    return in->error;
}

const struct study_input *
study_inputs_told(struct study_inputs *in, size_t *n)
{
    for (size_t i = 0; i < in->n; i++)
        in->rows[i] = in->v[i].row;
    *n = in->n;
    return in->rows;
}

/* Each input as much as another: how long they are is not known alike. */
double
study_inputs_share(const struct study_inputs *in)
{
    double part = 0;

    if (in->at == in->n)
        return 1;
    if (in->begun)
        part = in->v[in->at].ops->share(&in->v[in->at]);
    return ((double)in->at + part) / (double)in->n;
}

/* ---- places ---- */

/* What was read of it, also when it has ended. */
static void
save_row(const struct study_source *s, struct buf *out)
{
    struct span name = span_str(s->name);

    frame_u64(out, name.n);
    buf_span(out, name);
    frame_u64(out, (uint64_t)s->error);
    frame_u64(out, s->row.events);
    frame_u64(out, s->row.faults);
    frame_u64(out, s->row.first);
    frame_u64(out, s->row.last);
    frame_u64(out, s->row.hash != NULL);
    buf_put(out, s->hash, sizeof(s->hash));
}

enum err
study_inputs_save(const struct study_inputs *in, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, KIND, 0);
    frame_u64(out, in->n);
    frame_u64(out, in->at);
    frame_u64(out, in->begun);
    frame_u64(out, (uint64_t)in->error);
    for (size_t i = 0; i < in->n; i++)
        save_row(&in->v[i], out);
    if (in->begun)
        in->v[in->at].ops->save(&in->v[in->at], out);
    return frame_end(out, at);
}

static bool
load_row(struct study_source *s, struct cursor *c)
{
    struct span name = cur_take(c, cur_le64(c));
    struct study_input row = s->row;
    struct span hash;
    bool has_hash;

    s->error = (enum err)cur_le64(c);
    row.events = cur_le64(c);
    row.faults = cur_le64(c);
    row.first = cur_le64(c);
    row.last = cur_le64(c);
    has_hash = cur_le64(c) != 0;
    hash = cur_take(c, sizeof(s->hash));
    if (c->bad || !span_eq(name, span_str(s->name)))
        return false;
    memcpy(s->hash, hash.p, hash.n);
    s->hash[sizeof(s->hash) - 1] = '\0';
    s->row = row;
    s->row.hash = has_hash ? s->hash : NULL;
    return true;
}

static bool
load_rows(struct study_inputs *in, struct cursor *c, bool *begun)
{
    uint64_t n = cur_le64(c), at = cur_le64(c);

    *begun = cur_le64(c) != 0;
    in->error = (enum err)cur_le64(c);
    if (c->bad || n != in->n || at > n || (*begun && at == n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!load_row(&in->v[i], c))
            return false;
    }
    in->at = at;
    return true;
}

enum err
study_inputs_load(struct study_inputs *in, struct span state)
{
    struct cursor c;
    bool begun;
    enum err e = frame_open(state, KIND, 0, &c);

    if (e == ERR_OK && !load_rows(in, &c, &begun))
        e = ERR_FORMAT;
    if (e != ERR_OK) {
        buf_str(in->room.messages, "span25: what was saved is of other "
                                   "inputs\n");
        return ERR_FORMAT;
    }
    if (!begun)
        return ERR_OK;
    e = in->v[in->at].ops->load(&in->v[in->at], &c);
    in->begun = e == ERR_OK;
    return e;
}

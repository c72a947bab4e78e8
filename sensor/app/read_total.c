#include "sensor/app/read_total.h"

#include <stdlib.h>

struct read_total {
    uint64_t sums[FIELD_COUNT];
    bool told[FIELD_COUNT]; /* by anybody: else it is not known, and not 0 */
    struct buf controls;    /* u32 length and record, as they came */
    struct summary_file *files;
    struct summary_fault *faults;
    size_t n_files, n_faults;
    ns_t first, last;
    uint32_t seq;
    uint64_t refused;
};

enum err
read_total_new(struct read_total **out)
{
    struct read_total *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return ERR_NOMEM;
    buf_init(&t->controls, READ_TOTAL_MAX);
    t->seq = 4; /* those below: start, carving, carved twice */
    *out = t;
    return ERR_OK;
}

void
read_total_free(struct read_total *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n_files; i++)
        free(t->files[i].name);
    for (size_t i = 0; i < t->n_faults; i++)
        free(t->faults[i].text);
    free(t->files);
    free(t->faults);
    buf_free(&t->controls);
    free(t);
}

static char *
text_of(struct span record, enum field f)
{
    struct span v = record_find(record, f);
    char *s = malloc(v.n + 1);

    if (s == NULL)
        return NULL;
    if (v.n > 0)
        memcpy(s, v.p, v.n);
    s[v.n] = '\0';
    return s;
}

static void
keep_file(struct read_total *t, struct span r)
{
    struct summary_file *files =
        realloc(t->files, (t->n_files + 1) * sizeof(*files));
    struct summary_file f = {
        .name = text_of(r, FIELD_CONTROL_TEXT),
        .size = record_find_u64(r, FIELD_CONTROL_NUMBER, 0),
        .packets = record_find_u64(r, FIELD_STATS_PACKETS, 0),
        .bytes = record_find_u64(r, FIELD_STATS_BYTES, 0),
        .first = record_find_u64(r, FIELD_STATS_FIRST, 0),
        .last = record_find_u64(r, FIELD_STATS_LAST, 0),
    };

    if (files != NULL)
        t->files = files;
    if (files == NULL || f.name == NULL) {
        free(f.name);
        return;
    }
    t->files[t->n_files++] = f;
    if (f.packets > 0 && (t->first == 0 || f.first < t->first))
        t->first = f.first;
    t->last = f.last > t->last ? f.last : t->last;
}

static void
keep_fault(struct read_total *t, struct span r)
{
    struct summary_fault *faults =
        realloc(t->faults, (t->n_faults + 1) * sizeof(*faults));
    char *text = text_of(r, FIELD_CONTROL_TEXT);

    if (faults != NULL)
        t->faults = faults;
    if (faults == NULL || text == NULL) {
        free(text);
        return;
    }
    t->faults[t->n_faults++] = (struct summary_fault){
        .file = "",
        .text = text,
        .offset = record_find_u64(r, FIELD_CONTROL_NUMBER, 0),
    };
}

static void
add(struct read_total *t, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field >= FIELD_STATS_PACKETS && e.value.n == 8 &&
            field_table[e.field].type == FT_U64) {
            t->sums[e.field] += entry_u64(e.value);
            t->told[e.field] = true;
        }
    }
}

void
read_total_put(void *total, struct span record)
{
    struct read_total *t = total;
    struct span kind = record_find(record, FIELD_CONTROL_KIND);
    uint32_t n = (uint32_t)record.n;

    if (record_head_of(record).type == EVENT_STATS) {
        add(t, record);
        return;
    }
    /* Both or neither, so that the list is never read out of step. */
    if (!buf_grow(&t->controls, sizeof(n) + record.n)) {
        t->refused++;
        return;
    }
    buf_put(&t->controls, &n, sizeof(n));
    buf_span(&t->controls, record);
    if (span_eq(kind, SPAN_LIT("input")))
        keep_file(t, record);
    else
        keep_fault(t, record);
}

void
read_total_set(struct read_total *t, enum field f, uint64_t v)
{
    t->sums[f] = v;
    t->told[f] = true;
}

static void
emit_stats(struct read_total *t, struct record_out *r)
{
    for (unsigned f = FIELD_STATS_PACKETS; f < FIELD_CARVE_KIND; f++) {
        if (f == FIELD_STATS_FIRST || f == FIELD_STATS_LAST) {
            if (t->first > 0)
                record_time(r, (enum field)f,
                            f == FIELD_STATS_FIRST ? t->first : t->last);
        } else if (t->told[f] && field_table[f].type == FT_U64) {
            record_u64(r, (enum field)f, t->sums[f]);
        }
    }
}

void
read_total_emit(struct read_total *t, ns_t when, const struct record_sink *sink)
{
    struct cursor c = cur_open(buf_view(&t->controls));
    struct record_out r;
    struct record_head head = {.when = t->last > when ? t->last : when};

    head.when -= head.when % NS_PER_US;
    record_init(&r);
    while (cur_left(&c) > 0) {
        struct span control = cur_take(&c, cur_le32(&c));

        head.type = EVENT_CONTROL;
        head.seq = t->seq++;
        record_begin(&r, &head);
        record_entries(&r, span_tail(control, RECORD_HEAD));
        sink->put(sink->ctx, record_view(&r));
    }
    head.type = EVENT_STATS;
    head.seq = t->seq++;
    record_begin(&r, &head);
    emit_stats(t, &r);
    sink->put(sink->ctx, record_view(&r));
    record_free(&r);
}

uint64_t
read_total_refused(const struct read_total *t)
{
    return t->refused;
}

size_t
read_total_n_faults(const struct read_total *t)
{
    return t->n_faults;
}

void
read_total_summary(struct read_total *t, struct summary *s)
{
    const uint64_t *n = t->sums;

    s->files = t->files;
    s->n_files = t->n_files;
    s->faults = t->faults;
    s->n_faults = t->n_faults;
    s->first = t->first;
    s->last = t->last;
    s->packets = n[FIELD_STATS_PACKETS];
    s->bytes = n[FIELD_STATS_BYTES];
    s->cut_packets = n[FIELD_STATS_CUT];
    s->malformed = n[FIELD_STATS_DECODE_BAD];
    s->tcp_packets = n[FIELD_STATS_TCP];
    s->flows = n[FIELD_STATS_FLOWS];
    s->flows_evicted = n[FIELD_STATS_FLOWS_EVICTED];
    s->bytes_seen = n[FIELD_STATS_BYTES_SEEN];
    s->bytes_lost = n[FIELD_STATS_BYTES_LOST];
    s->gaps = n[FIELD_STATS_GAPS];
    s->duplicates = n[FIELD_STATS_DUPLICATES];
    s->reassembly_dropped = n[FIELD_STATS_REASSEMBLY_DROPPED];
    s->messages = n[FIELD_STATS_MESSAGES];
    s->records_refused = n[FIELD_STATS_RECORDS_REFUSED];
    s->records_cut = n[FIELD_STATS_CUT_RECORDS];
    s->time_backward = n[FIELD_STATS_BACKWARD];
}

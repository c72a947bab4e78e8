#include "sensor/core/carry.h"

#include "sensor/core/control.h"
#include "sensor/event/json_read.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/journal_reader.h"

#include <stdlib.h>

/* ---- what a crash left ---- */

struct mend {
    struct json_reader *json;
    struct record_out record;
    struct control_reader parts;
    uint64_t expect;  /* number of the record that should come */
    uint64_t pending; /* those below are marked already */
};

/* Does the line go on with records as they were intended? */
static bool
mend_line(struct mend *m, struct carry *c, const struct journal_line *line,
          struct buf *message, enum err *e)
{
    struct span event;

    if (json_read(m->json, line->json, &m->record, message) != ERR_OK) {
        buf_reset(message);
        return false;
    }
    event = record_view(&m->record);
    if (record_find_u64(event, FIELD_CONTROL_AUDIT, 0) != m->expect)
        return false;
    if (!control_reader_take(&m->parts, event))
        return true;
    if (m->expect >= m->pending)
        *e = registry_db_carried(c->db, m->expect, line->seq, message);
    m->expect++;
    return *e == ERR_OK;
}

static enum err
mend_from(struct mend *m, struct carry *c, uint64_t seq, struct buf *message)
{
    struct journal_reader *reader;
    struct journal_line line;
    enum err e = journal_reader_open(c->dir, seq, &reader, message);

    if (e == ERR_NOENT) {
        buf_reset(message);
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    while (e == ERR_OK && journal_read(reader, &line) == JOURNAL_READ_LINE &&
           mend_line(m, c, &line, message, &e))
        ;
    journal_reader_close(reader);
    return e;
}

static enum err
mend(struct carry *c, uint64_t pending, struct buf *message)
{
    struct mend m = {.pending = pending};
    uint64_t seq;
    enum err e = registry_db_intent(c->db, &m.expect, &seq, message);

    if (e != ERR_OK || m.expect == 0 || m.expect > pending)
        return e;
    m.json = malloc(sizeof(*m.json));
    if (m.json == NULL)
        return ERR_NOMEM;
    json_reader_init(m.json);
    record_init(&m.record);
    control_reader_init(&m.parts);
    e = registry_db_begin(c->db, message);
    if (e == ERR_OK)
        e = mend_from(&m, c, seq, message);
    if (e == ERR_OK)
        e = registry_db_commit(c->db, message);
    else
        registry_db_rollback(c->db);
    control_reader_free(&m.parts);
    record_free(&m.record);
    json_reader_free(m.json);
    free(m.json);
    return e;
}

/* ---- a batch ---- */

struct batch {
    struct carry *carry;
    uint64_t first;
    size_t n;
    uint64_t seq[CARRY_BATCH]; /* of the last line of each */
};

static enum err
emit_row(void *ctx, const struct registry_row *row, struct buf *why)
{
    struct batch *b = ctx;
    struct core *core = b->carry->core;
    struct record_sink sink = {core_tell, core};
    struct audit audit = {.number = row->number};
    enum err e;

    memcpy(audit.before, row->before, sizeof(audit.before));
    memcpy(audit.hash, row->hash, sizeof(audit.hash));
    e = control_emit(&audit, row->text, core_time(core), &sink);
    if (e != ERR_OK) {
        buf_str(why, "record ");
        buf_u64(why, row->number);
        buf_str(why, " is not an action");
        return ERR_CORRUPT;
    }
    b->seq[b->n++] = journal_position(b->carry->journal).next_seq - 1;
    return core_error(core);
}

static enum err
mark(struct batch *b, struct buf *message)
{
    enum err e = registry_db_begin(b->carry->db, message);

    for (size_t i = 0; e == ERR_OK && i < b->n; i++)
        e = registry_db_carried(b->carry->db, b->first + i, b->seq[i], message);
    if (e == ERR_OK)
        return registry_db_commit(b->carry->db, message);
    registry_db_rollback(b->carry->db);
    return e;
}

static enum err
carry_batch(struct batch *b, uint64_t upto, struct buf *message)
{
    struct carry *c = b->carry;
    enum err e = registry_db_intend(
        c->db, b->first, journal_position(c->journal).next_seq, message);

    for (size_t i = 0; e == ERR_OK && i < CARRY_BATCH; i++) {
        if (upto > 0 && b->first + i > upto)
            break;
        e = registry_db_get(c->db, b->first + i, emit_row, b, message);
    }
    if (e == ERR_OK || e == ERR_NOENT)
        e = journal_sync(c->journal);
    return e == ERR_OK ? mark(b, message) : e;
}

enum err
carry_all(struct carry *c, uint64_t upto, struct buf *message)
{
    struct batch *b = malloc(sizeof(*b));
    uint64_t number = 0;
    enum err e =
        b != NULL ? registry_db_pending(c->db, &number, message) : ERR_NOMEM;

    if (e == ERR_OK && number > 0 && !c->mended) {
        e = mend(c, number, message);
        if (e == ERR_OK)
            e = registry_db_pending(c->db, &number, message);
    }
    c->mended = c->mended || e == ERR_OK;
    while (e == ERR_OK && number > 0 && (upto == 0 || number <= upto)) {
        *b = (struct batch){.carry = c, .first = number};
        e = carry_batch(b, upto, message);
        if (e == ERR_OK)
            e = registry_db_pending(c->db, &number, message);
    }
    free(b);
    return e;
}

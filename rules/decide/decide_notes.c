#include "rules/decide/decide_notes.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

void
decide_notes_fini(struct notes *n)
{
    free(n->notes);
    n->notes = NULL;
}

bool
decide_notes_subject(struct span text, struct prefix *out)
{
    struct addr a;
    struct prefix p;

    text = span_head(text, span_find(text, ' '));
    if (addr_parse(text, &a)) {
        *out = decide_subject_of(&a);
        return true;
    }
    if (!prefix_parse(text, &p))
        return false;
    if (p.bits != 128 && (p.bits != 64 || addr_is_v4(&p.addr)))
        return false;
    *out = decide_subject_of(&p.addr);
    return true;
}

static uint64_t
key_of(const struct notes *n, const struct prefix *subject)
{
    uint64_t key = hash_span(span_of(subject->addr.b, 16), n->seed);

    return key != 0 ? key : 1;
}

static struct note *
set_of(const struct notes *n, uint64_t key)
{
    return &n->notes[(key & (NOTES_SETS - 1)) * NOTES_WAYS];
}

void
decide_notes_alert(struct notes *n, const struct record_map *alert, ns_t now)
{
    struct span id = record_map_find(alert, FIELD_EVENT_ID);
    struct note note = {.when = now};
    struct prefix subject;
    struct note *set;

    if (id.n == 0 || id.n >= sizeof(note.id) ||
        !decide_notes_subject(record_map_find(alert, FIELD_ALERT_SUBJECT),
                              &subject) ||
        !decide_sha256(alert->record, note.hash))
        return;
    if (n->notes == NULL)
        n->notes = calloc((size_t)NOTES_SETS * NOTES_WAYS, sizeof(note));
    if (n->notes == NULL)
        return;
    memcpy(note.id, id.p, id.n);
    note.subject = key_of(n, &subject);
    set = set_of(n, note.subject);
    memmove(set, set + 1, (NOTES_WAYS - 1) * sizeof(*set));
    set[NOTES_WAYS - 1] = note;
}

size_t
decide_notes_find(const struct notes *n, const struct prefix *subject, ns_t now,
                  struct evidence out[NOTES_WAYS])
{
    uint64_t key = key_of(n, subject);
    size_t found = 0;

    if (n->notes == NULL)
        return 0;
    for (size_t i = 0; i < NOTES_WAYS; i++) {
        const struct note *note = &set_of(n, key)[i];

        if (note->subject != key || now - note->when >= NOTES_OLD)
            continue;
        out[found].id = span_str(note->id);
        memcpy(out[found++].hash, note->hash, DECIDE_HASH);
    }
    return found;
}

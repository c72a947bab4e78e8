#ifndef SPAN25_APP_STUDY_WORK_STATE_H
#define SPAN25_APP_STUDY_WORK_STATE_H
/* study_work_state - what a pass keeps; for study_work.c and study_checkpoint.c
 */
#include "sensor/app/read_detect.h"
#include "sensor/app/read_place.h"
#include "sensor/app/read_registry.h"
#include "sensor/app/study_recall.h"
#include "sensor/app/study_work.h"
#include "sensor/core/control.h"

#define HASH_HEX    65U
#define SENSORS_MAX 256U
#define HOME_MAX    64U

struct detector {
    struct config config; /* borrows all but its limits */
    struct read_detect *detect;
    struct core *core;
    struct study_work *work;
    unsigned number;
};

struct study_work {
    struct study_work_options o;
    struct buf *messages;
    struct study_inputs *inputs;
    struct study *study;
    struct config config; /* borrows; home may be its own */
    struct prefix home[HOME_MAX];
    struct read_place place;
    struct read_registry *registry; /* of --registry */
    struct book *book;              /* of the inputs; NULL: none told yet */
    struct study_recall *recall;    /* where there is neither */
    struct control_reader parts;
    struct buf entered; /* its records so far, for a checkpoint */
    struct buf text;
    uint64_t seed;
    struct detector detectors[STUDY_DETECTORS];
    size_t n_detectors;
    uint8_t of_policy[STUDY_POLICIES];
    bool refused; /* a rule was */
    char rules_hash[HASH_HEX], config_hash[HASH_HEX];
    char sensors[SENSORS_MAX];
    char last_sensor[65];
    struct span first; /* the event that was read to find the home networks */
    bool first_journal, broken_book;
    bool too_soon; /* interrupted before there was anything to keep */
    uint64_t n;
    ns_t told, checked, begun;
};

/* A record of the registry, as it was entered. */
void study_work_enter(struct study_work *w, const struct record_map *m);

/* ---- study_checkpoint.c ---- */

/* Appends a part with its length before it. */
void study_checkpoint_part(struct buf *out, struct span part);
/* Where a checkpoint is wanted. Failures are told. */
void study_checkpoint_save(struct study_work *w);
/* Before an event is read: out is begun here and empty when there is none, else
 * the inputs stand where it says, and the home networks are its. ERR_BUSY: an
 * interrupt came before they stood there. */
MUST_USE enum err study_checkpoint_read(struct study_work *w, struct buf *out);
/* Then, with detectors: all the rest of it. */
MUST_USE enum err study_checkpoint_take(struct study_work *w,
                                        struct span saved);

#endif

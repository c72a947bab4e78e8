#ifndef SPAN25_SIGMA_SIGMA_VIEW_H
#define SPAN25_SIGMA_SIGMA_VIEW_H
/* sigma_view - the entries of one record that rules ask for, by slot
 *
 * Filled by one walk over the record. Numbers and addresses become text, and
 * texts lower case, when somebody asks, once for the record. At most
 * SIGMA_VALUES_MAX values are kept; more are counted in cut. */
#include "rules/sigma/sigma_arena.h"
#include "rules/sigma/sigma_field.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define SIGMA_VALUES_MAX 65536U

struct sigma_text {
    struct span raw;
    struct span text, low; /* p NULL: not made yet */
    uint32_t next;         /* of the same slot, 0 ends */
    uint8_t type;          /* enum field_type of one entry */
};

struct sigma_view {
    const struct sigma_slots *slots;
    struct span record;
    struct record_head head;
    struct sigma_text *v; /* v[0] is none */
    uint32_t n, cap;
    uint32_t first[SIGMA_SLOTS_MAX], last[SIGMA_SLOTS_MAX];
    uint16_t touched[SIGMA_SLOTS_MAX];
    uint16_t n_touched;
    uint8_t seq[8];
    struct sigma_arena scratch;
    uint64_t cut;
};

/* What a service's rules ask for: of each field, whether they do. */
enum { SIGMA_WANT_VALUE = 1, SIGMA_WANT_OBJECT = 2 };
struct sigma_want {
    bool any; /* keywords: every entry, in slot 0 */
    uint8_t field[FIELD_COUNT];
};

MUST_USE enum err sigma_view_init(struct sigma_view *w);
void sigma_view_fini(struct sigma_view *w);

/* record has passed record_check and is borrowed until the next fill. */
void sigma_view_fill(struct sigma_view *w, const struct sigma_slots *slots,
                     const struct sigma_want *want, struct span record);

/* Empty when there is no memory for it. */
struct span sigma_view_text(struct sigma_view *w, struct sigma_text *t);
struct span sigma_view_low(struct sigma_view *w, struct sigma_text *t);

/* The value as a number, also of a text that is one. */
bool sigma_view_number(struct sigma_view *w, struct sigma_text *t,
                       long double *out);

#endif

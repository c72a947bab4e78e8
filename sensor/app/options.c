#include "sensor/app/options.h"

#include <inttypes.h>

#include "sensor/app/options_list.h"
#include "sensor/app/options_value.h"
#include "sensor/base/near.h"

#define IN(verb) (UINT64_C(1) << VERB_##verb)
#define READ     IN(READ)
#define SHOW     IN(CONFIG_SHOW)
#define WRITE    IN(CONFIG_INIT)
#define LIVE     IN(LIVE)
#define RUN      (READ | LIVE | SHOW)
#define AGG      (IN(AGGREGATE) | SHOW)
#define WATCH    (IN(DOCTOR) | IN(TOP) | IN(METRICS) | IN(TEST_ALERT))
#define IMPORT   IN(REGISTRY_IMPORT)
#define DECIDE   IN(REGISTRY_DECIDE)
#define CHANGE   (IMPORT | IN(REGISTRY_SUBMIT) | DECIDE | IN(REGISTRY_CONFIRM))
#define SEEN     (IN(REGISTRY_CANDIDATES) | IN(REGISTRY_LETTERS))
#define TABLES                                                                 \
    (IN(REGISTRY_LIST) | IN(REGISTRY_SHOW) | IN(REGISTRY_CANDIDATES) |         \
     IN(REGISTRY_DUE) | IN(REGISTRY_CONTACTS))
#define RULED (IN(RULES_LIST) | IN(RULES_EXPLAIN))
#define RULES                                                                  \
    (IN(RULES_LIST) | IN(RULES_CHECK) | IN(RULES_TEST) | IN(RULES_EXPLAIN))
#define SAVE     (IN(REGISTRY_CANDIDATES) | IN(REGISTRY_EXPORT) | IN(REGISTRY_FORM))
#define REGISTRY (CHANGE | SEEN | TABLES | SAVE)
#define ALERTS   (IN(ALERTS_LIST) | ACTS)
#define LISTS    (IN(ALERTS_LIST) | IN(HOSTS_LIST))
#define FORWARD  (IN(ALERTS_ACK) | IN(ALERTS_ESCALATE) | IN(ALERTS_CLOSE))
#define ACTS     (FORWARD | IN(ALERTS_REOPEN))
#define EXCEPT   (IN(EXCEPTIONS_ADD) | IN(EXCEPTIONS_REMOVE))
#define BLOCKS                                                                 \
    (IN(BLOCKS_ADD) | IN(BLOCKS_LIFT) | IN(BLOCKS_APPROVE) | IN(BLOCKS_REFUSE))
#define POLICY (IN(POLICY_MODE) | IN(POLICY_PAUSE) | IN(POLICY_RESUME))
#define WHY    (EXCEPT | BLOCKS | POLICY | IN(ALERTS_REOPEN))
#define DESK_TABLES                                                            \
    (IN(ALERTS_LIST) | IN(HOSTS_LIST) | IN(EXCEPTIONS_LIST) |                  \
     IN(BLOCKS_LIST) | IN(POLICY_SHOW))
#define DESK                                                                   \
    (DESK_TABLES | ACTS | EXCEPT | BLOCKS | POLICY | IN(ALERTS_SHOW) |         \
     IN(HOSTS_SHOW) | IN(EXPLAIN) | IN(BLOCKS_EXPORT) | IN(BLOCKS_DIFF) |      \
     IN(BLOCKS_REPORT))
#define ALL     ((UINT64_C(1) << VERB_COUNT) - 1)
#define STUDY   (IN(STUDY_RUN) | IN(STUDY_SWEEP))
#define STUDIES (STUDY | IN(STUDY_REVIEW))
#define SERVING IN(SERVE)
#define INIT    OPTION_INIT

_Static_assert(VERB_COUNT < 63, "a verb is a bit of option_row.where");

const struct verb_row options_verbs[VERB_COUNT] = {
#define X(id, words, group, arguments, least, most, summary, more)             \
    {words, VERB_##group, arguments, least, most, summary, more},
#include "sensor/app/options_verbs.def"
#undef X
};

const struct option_row options_rows[OPTION_COUNT] = {
#define X(id, path, flag, letter, argument, type, preset, range, where, help)  \
    {path,                                                                     \
     flag,                                                                     \
     argument,                                                                 \
     preset,                                                                   \
     range,                                                                    \
     help,                                                                     \
     offsetof(struct config, id),                                              \
     where,                                                                    \
     OPTION_##type,                                                            \
     letter},
#include "sensor/app/options.def"
#undef X
};

static void *
member(struct config *c, enum option_id id)
{
    return (char *)c + options_rows[id].offset;
}

static const void *
const_member(const struct config *c, enum option_id id)
{
    return (const char *)c + options_rows[id].offset;
}

enum option_id
options_find_path(struct span path)
{
    unsigned i = 0;

    while (i < OPTION_COUNT && (options_rows[i].path[0] == 0 ||
                                !span_eq(path, span_str(options_rows[i].path))))
        i++;
    return (enum option_id)i;
}

bool
options_has_flag(enum option_id id, enum verb verb)
{
    const struct option_row *row = &options_rows[id];

    return (row->flag[0] != 0 || row->letter != 0) &&
           (row->where & (UINT64_C(1) << verb)) != 0;
}

enum option_id
options_find_flag(struct span flag, enum verb verb)
{
    unsigned i = 0;

    while (i < OPTION_COUNT && (!options_has_flag((enum option_id)i, verb) ||
                                !span_eq(flag, span_str(options_rows[i].flag))))
        i++;
    return (enum option_id)i;
}

enum option_id
options_find_letter(char letter, enum verb verb)
{
    unsigned i = 0;

    while (i < OPTION_COUNT && (!options_has_flag((enum option_id)i, verb) ||
                                options_rows[i].letter != letter))
        i++;
    return (enum option_id)i;
}

struct span
options_near_path(struct span path)
{
    struct near near = near_start(path);

    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_rows[i].path[0] != 0)
            near_offer(&near, span_str(options_rows[i].path));
    }
    return near.best;
}

bool
options_is_section(struct span path)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        struct span s = span_str(options_rows[i].path);

        if (span_starts(s, path) && span_at(s, path.n) == '.')
            return true;
    }
    return false;
}

enum err
options_init(struct config *c)
{
    struct buf why;
    bool good = true;

    *c = (struct config){0};
    buf_init(&why, 1024);
    for (unsigned i = 0; i < OPTION_COUNT && good; i++) {
        const struct option_row *row = &options_rows[i];

        if (row->preset[0] != 0)
            good = options_value_set(row, span_str(row->preset),
                                     member(c, (enum option_id)i), &why);
    }
    buf_free(&why);
    if (good)
        return ERR_OK;
    options_fini(c);
    return ERR_NOMEM;
}

void
options_fini(struct config *c)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        options_value_free(&options_rows[i], member(c, (enum option_id)i));
    options_list_free(c);
    *c = (struct config){0};
}

void
options_clear(struct config *c, enum option_id id, struct origin from)
{
    if (c->origin[id].kind > from.kind)
        return;
    options_value_free(&options_rows[id], member(c, id));
    c->origin[id] = from;
}

/* Checks a value that a stronger origin has overridden already. */
static bool
check_only(const struct option_row *row, struct span text, struct buf *why)
{
    union {
#define X(type, c, list, what) option_##type##_t type;
        OPTION_TYPES(X)
#undef X
    } scratch;
    bool good;

    memset(&scratch, 0, sizeof(scratch));
    good = options_value_set(row, text, &scratch, why);
    options_value_free(row, &scratch);
    return good;
}

bool
options_set(struct config *c, enum option_id id, struct span text,
            struct origin from, struct buf *why)
{
    const struct option_row *row = &options_rows[id];

    if (c->origin[id].kind > from.kind)
        return check_only(row, text, why);
    if (c->origin[id].kind < from.kind)
        options_clear(c, id, from);
    c->origin[id] = from;
    return options_value_set(row, text, member(c, id), why);
}

bool
options_enough(const struct config *c, enum option_id id, struct buf *why)
{
    const struct option_row *row = &options_rows[id];
    uint64_t least = 0, most = 0;

    if (!options_value_is_list(row->type) ||
        !options_value_range(row, &least, &most) ||
        options_value_count(row->type, const_member(c, id)) >= least)
        return true;
    buf_printf(why, "the list needs %" PRIu64 " or more items", least);
    return false;
}

void
options_format(const struct config *c, enum option_id id, struct buf *out)
{
    options_value_format(&options_rows[id], const_member(c, id), out);
}

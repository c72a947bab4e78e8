#include "rules/decide/decide_rule.h"

const struct decide_limits decide_limits_default = {
#define X(name, value, least, most, unit, why) .name = (value),
#include "rules/decide/decide.def"
#undef X
};

static const struct {
    const char *word;
    enum decide_kind kind;
} againsts[] = {
#define AGAINST_ROW(id, word, kind) {word, KIND_##kind},
    DECIDE_AGAINST(AGAINST_ROW)
#undef AGAINST_ROW
};

const char *
decide_against_word(enum decide_against a)
{
    return againsts[a].word;
}

uint32_t
decide_against_kind(uint32_t set, enum decide_kind kind)
{
    uint32_t found = 0;

    for (unsigned i = 0; i < AGAINST_COUNT; i++) {
        if (againsts[i].kind == kind)
            found |= set & UINT32_C(1) << i;
    }
    return found;
}

struct prefix
decide_subject_of(const struct addr *a)
{
    struct prefix p = {*a, 128};

    if (!addr_is_v4(a)) {
        memset(p.addr.b + 8, 0, 8);
        p.bits = 64;
    }
    return p;
}

/* ---- the registry ---- */

static const struct {
    enum field field[2]; /* of dest, of src */
    const char *word;
    uint32_t against;
} states[] = {
    {{FIELD_DEST_REG_STATE, FIELD_SRC_REG_STATE},
     "registered", AGAINST(REGISTERED)},
    {{FIELD_DEST_REG_LINE_STATE, FIELD_SRC_REG_LINE_STATE},
     "permitted",  AGAINST(PERMITTED) },
    {{FIELD_DEST_REG_LINE_STATE, FIELD_SRC_REG_LINE_STATE},
     "requested",  AGAINST(REQUESTED) },
};

uint32_t
decide_registry(const struct record_map *event, bool client)
{
    uint32_t against = 0;

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (record_map_is(event, states[i].field[client], states[i].word))
            against |= states[i].against;
    }
    if (record_map_bool(event, client ? FIELD_SRC_REG_PROTECTED
                                      : FIELD_DEST_REG_PROTECTED))
        against |= AGAINST(PROTECTED);
    return against;
}

/* ---- statistics ---- */

enum level { LEVEL_NONE, LEVEL_ALERT, LEVEL_BLOCK };

enum nature { LISTS, CONTENT, FAN_OUT, REPUTATION, QUEUE };

enum stat { S1, S1T, S2, S3, S4, S5, S6, S7 };

static const struct {
    const char *word;
    enum nature nature;
    bool carries;
    enum field level, score, limit;
    enum field some, of; /* the figures of its clause */
    const char *text;    /* %1 some, %2 of */
} stats[DECIDE_STATS] = {
    [S1] = {"s1",  LISTS,      true,  FIELD_HOST_S1_LEVEL,  FIELD_HOST_S1_SCORE,
            FIELD_HOST_S1_LIMIT,                                                               FIELD_HOST_S1_BAD,           FIELD_HOST_S1_N,
            "%1 of %2 first contacts refused as unknown users"                                                                                                                                           },
    [S1T] = {"s1t", LISTS,      false, FIELD_HOST_S1T_LEVEL, FIELD_HOST_S1T_SCORE,
            FIELD_HOST_S1T_LIMIT,                                                              FIELD_HOST_S1T_BAD,          FIELD_HOST_S1T_N,
            "%1 of %2 first sessions under TLS carried no message"                                                                                                                                       },
    [S2] = {"s2",  CONTENT,    true,  FIELD_HOST_S2_LEVEL,  FIELD_HOST_S2_SCORE,
            FIELD_HOST_S2_LIMIT,                                                               FIELD_HOST_S2_BAD,           FIELD_HOST_S2_N,
            "%1 of %2 messages judged bad"                                                                                                                                                               },
    [S3] = {"s3",  FAN_OUT,    false, FIELD_HOST_S3_LEVEL,  FIELD_HOST_S3_SCORE,
            FIELD_HOST_S3_LIMIT,                                                               FIELD_HOST_S3_N,             FIELD_HOST_S3_N,
            "%1 organisations written to for the first time"                                                                                                                                             },
    [S4] = {"s4",  CONTENT,    false, FIELD_HOST_S4_LEVEL,  FIELD_COUNT,          FIELD_COUNT,
            FIELD_HOST_S4_MESSAGES,                                                                                         FIELD_HOST_S4_SOURCES,
            "%1 messages alike from %2 sources within an hour"                                                                                                                                           },
    [S5] = {"s5",  CONTENT,    true,  FIELD_HOST_S5_LEVEL,  FIELD_COUNT,          FIELD_COUNT,
            FIELD_HOST_S5_MESSAGES,                                                                                         FIELD_HOST_S5_ORGANISATIONS,
            "%1 messages with malicious parts to %2 organisations"                                                                                                                                       },
    [S6] = {"s6",  REPUTATION, false, FIELD_HOST_S6_LEVEL,  FIELD_COUNT,
            FIELD_COUNT,                                                                       FIELD_HOST_S6_ORGANISATIONS,
            FIELD_HOST_S6_ORGANISATIONS,                                                                                                                 "refusals of %1 organisations cite a block list"},
    [S7] = {"s7",  QUEUE,      false, FIELD_HOST_S7_LEVEL,  FIELD_COUNT,          FIELD_COUNT,
            FIELD_HOST_S7_RETRIED,                                                                                          FIELD_HOST_S7_RIPE,
            "%1 of %2 deferred deliveries tried again"                                                                                                                                                   },
};

const char *
decide_stat_word(unsigned stat)
{
    return stats[stat].word;
}

void
decide_stat_text(const struct record_map *event, unsigned stat, struct buf *out)
{
    for (const char *c = stats[stat].text; *c != '\0'; c++) {
        if (*c != '%') {
            buf_putc(out, (uint8_t)*c);
            continue;
        }
        c++;
        buf_u64(out,
                record_map_u64(
                    event, *c == '1' ? stats[stat].some : stats[stat].of, 0));
    }
}

static enum level
level_of(const struct record_map *event, unsigned stat)
{
    if (record_map_is(event, stats[stat].level, "block"))
        return LEVEL_BLOCK;
    return record_map_is(event, stats[stat].level, "alert") ? LEVEL_ALERT
                                                            : LEVEL_NONE;
}

/* By level, then by how many times its alert level the score is. */
static uint64_t
strength_of(const struct record_map *event, unsigned stat, enum level level)
{
    uint64_t limit = 0;
    uint64_t score = 0;
    uint64_t times;

    if (stats[stat].score != FIELD_COUNT) {
        limit = record_map_u64(event, stats[stat].limit, 0);
        score = record_map_u64(event, stats[stat].score, 0);
    }
    if (score > UINT32_MAX)
        score = UINT32_MAX;
    times = limit > 0 ? score * 100 / limit : 0;
    return ((uint64_t)level << 48) + times;
}

static void
rank(const struct record_map *event, const enum level level[DECIDE_STATS],
     struct decide_facts *f)
{
    uint64_t strength[DECIDE_STATS];

    for (unsigned i = 0; i < DECIDE_STATS; i++) {
        uint64_t mine = strength_of(event, i, level[i]);
        size_t at = f->n_shown;

        if (level[i] == LEVEL_NONE)
            continue;
        for (; at > 0 && strength[at - 1] < mine; at--) {
            strength[at] = strength[at - 1];
            f->shown[at] = f->shown[at - 1];
        }
        strength[at] = mine;
        f->shown[at] = (uint8_t)i;
        f->n_shown++;
    }
}

static bool
has_other_nature(const enum level level[DECIDE_STATS], unsigned stat)
{
    for (unsigned i = 0; i < DECIDE_STATS; i++) {
        if (level[i] != LEVEL_NONE && stats[i].nature != stats[stat].nature)
            return true;
    }
    return false;
}

/* Does more than refusals of new recipients and fan-out speak against it? A
 * stale newsletter has these two as well. */
static bool
has_more_than_lists(const enum level level[DECIDE_STATS])
{
    for (unsigned i = 0; i < DECIDE_STATS; i++) {
        if (level[i] != LEVEL_NONE && stats[i].nature != LISTS &&
            stats[i].nature != FAN_OUT)
            return true;
    }
    return false;
}

static bool
rule_holds(const enum level level[DECIDE_STATS])
{
    if (level[S1T] == LEVEL_BLOCK && level[S3] == LEVEL_BLOCK)
        return true;
    for (unsigned i = 0; i < DECIDE_STATS; i++) {
        if (stats[i].carries && level[i] == LEVEL_BLOCK &&
            has_other_nature(level, i))
            return true;
    }
    return false;
}

/* Two bits for each. */
static uint32_t
pack(const enum level level[DECIDE_STATS])
{
    uint32_t levels = 0;

    for (unsigned i = 0; i < DECIDE_STATS; i++)
        levels |= (uint32_t)level[i] << 2 * i;
    return levels;
}

bool
decide_holds(uint32_t levels, uint32_t allowed)
{
    enum level level[DECIDE_STATS];

    for (unsigned i = 0; i < DECIDE_STATS; i++)
        level[i] = (allowed >> i & 1) != 0 ? (enum level)(levels >> 2 * i & 3)
                                           : LEVEL_NONE;
    return rule_holds(level);
}

/* ---- evidence ---- */

/* Several speakers behind one address: one bad, others that carry more than a
 * fifth of its accepted mail and look ordinary, DETECTION 1.10. */
#define SHARED_CONTACTS                                                        \
    10U                 /* first contacts, before a speaker looks ordinary */
#define SHARED_BAD  20U /* one in so many may be refused */
#define SHARED_PART 5U

struct speaker {
    uint64_t accepted, n, bad, score;
};

static struct speaker
speaker_of(struct span object)
{
    struct speaker s = {0};
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_HOST_SUBKEY_ACCEPTED)
            s.accepted = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_N)
            s.n = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_BAD)
            s.bad = entry_u64(e.value);
        else if (e.field == FIELD_HOST_SUBKEY_SCORE)
            s.score = entry_u64(e.value);
    }
    return s;
}

static bool
is_shared(const struct record_map *event)
{
    uint64_t limit = record_map_u64(event, FIELD_HOST_S1_LIMIT, 0);
    uint64_t good = 0;
    uint64_t all = 0;
    bool bad = false;
    struct cursor c = record_entries_of(event->record);
    struct record_entry e;

    if (record_map_find(event, FIELD_HOST_SUBKEY).p == NULL)
        return false;
    while (record_next(&c, &e)) {
        struct speaker s;

        if (e.field != FIELD_HOST_SUBKEY)
            continue;
        s = speaker_of(e.value);
        all += s.accepted;
        bad |= s.score >= limit;
        if (s.score < limit / 2 && s.n >= SHARED_CONTACTS &&
            s.bad <= s.n / SHARED_BAD)
            good += s.accepted;
    }
    return bad && good > all / SHARED_PART;
}

/* Of the last hour: under TLS connections alone are counted, and one message
 * may be for many. */
static uint64_t
volume_of(const struct record_map *event)
{
    static const enum field fields[] = {FIELD_HOST_HOUR_SESSIONS,
                                        FIELD_HOST_HOUR_MESSAGES,
                                        FIELD_HOST_HOUR_RCPT};
    uint64_t most = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        uint64_t n = record_map_u64(event, fields[i], 0);

        most = n > most ? n : most;
    }
    return most;
}

/* Enough of them by a way that is known, and not what convicts by another. */
static bool
is_bound(const struct record_map *event, const struct decide_limits *l)
{
    uint64_t bound = record_map_u64(event, FIELD_HOST_EVIDENCE_BOUND, 0);
    uint64_t others =
        record_map_u64(event, FIELD_HOST_EVIDENCE_UNBOUND, UINT64_MAX);

    return l->bound == 0 ||
           (bound >= l->bound && others <= bound / l->unbound_part);
}

/* Absent is not met: 0 of what is wanted, all of what must be little. */
static uint32_t
minima_missed(const struct record_map *event, const struct decide_limits *l)
{
    const struct {
        uint64_t least;
        enum field field;
        uint32_t against;
    } least[] = {
        {l->sessions,         FIELD_HOST_EVIDENCE_SESSIONS,      AGAINST(SESSIONS)},
        {l->organisations,    FIELD_HOST_EVIDENCE_ORGANISATIONS,
         AGAINST(ORGANISATIONS)                                                   },
        {l->networks,         FIELD_HOST_EVIDENCE_NETWORKS,      AGAINST(NETWORKS)},
        {l->replies_permille, FIELD_HOST_EVIDENCE_REPLIES,       AGAINST(REPLIES) },
    };
    uint64_t seconds = record_map_u64(event, FIELD_HOST_EVIDENCE_SECONDS, 0);
    uint64_t reached =
        record_map_u64(event, FIELD_HOST_EVIDENCE_ORGANISATIONS, 0);
    uint32_t missed = 0;

    for (size_t i = 0; i < ARRAY_LEN(least); i++) {
        if (record_map_u64(event, least[i].field, 0) < least[i].least)
            missed |= least[i].against;
    }
    if (seconds < l->seconds &&
        (reached < l->fast_organisations || seconds < l->fast_seconds))
        missed |= AGAINST(SECONDS);
    if (volume_of(event) < l->volume)
        missed |= AGAINST(VOLUME);
    if (record_map_u64(event, FIELD_HOST_EVIDENCE_LOSS, UINT64_MAX) >=
        l->loss_permille)
        missed |= AGAINST(LOSS);
    if (!is_bound(event, l))
        missed |= AGAINST(PATH);
    return missed;
}

static uint32_t
humans_part(const struct record_map *event)
{
    struct span pool = record_map_find(event, FIELD_SRC_HOST_POOL);
    struct span lease = record_map_find(event, FIELD_SRC_HOST_LEASE);
    uint32_t against = 0;

    if (record_map_bool(event, FIELD_HOST_QUEUEING))
        against |= AGAINST(QUEUEING);
    if (pool.n > 0 && (lease.n == 0 || !span_eq(pool, SPAN_LIT("dhcp"))))
        against |= AGAINST(POOL);
    if (record_map_bool(event, FIELD_HOST_IDENTITY_CONFLICT))
        against |= AGAINST(IDENTITY);
    if (is_shared(event))
        against |= AGAINST(SHARED);
    return against;
}

bool
decide_facts(const struct record_map *event, const struct decide_limits *l,
             struct decide_facts *out)
{
    enum level level[DECIDE_STATS];
    struct decide_facts f = {.event = event};

    if (!record_map_bool(event, FIELD_HOST_HOME) ||
        !record_map_addr(event, FIELD_SRC_IP, &f.host))
        return false;
    for (unsigned i = 0; i < DECIDE_STATS; i++)
        level[i] = level_of(event, i);
    rank(event, level, &f);
    f.levels = pack(level);
    f.holds = rule_holds(level);
    f.subject = decide_subject_of(&f.host);
    f.against = decide_registry(event, true) | humans_part(event);
    if (record_map_find(event, FIELD_SRC_REG_STATE).n == 0)
        f.against |= AGAINST(NO_REGISTRY);
    f.against |= minima_missed(event, l);
    if (record_map_bool(event, FIELD_HOST_QUEUEING_OPEN) &&
        !has_more_than_lists(level))
        f.against |= AGAINST(RETRIES);
    f.sessions = record_map_u64(event, FIELD_HOST_EVIDENCE_SESSIONS, 0);
    f.volume = volume_of(event);
    f.bad = record_map_u64(event, FIELD_HOST_S1_BAD, 0) +
            record_map_u64(event, FIELD_HOST_S1T_BAD, 0) +
            record_map_u64(event, FIELD_HOST_S2_BAD, 0) +
            record_map_u64(event, FIELD_HOST_S5_MESSAGES, 0);
    f.collateral = record_map_u64(event, FIELD_HOST_ORDINARY, 0);
    f.macs = record_map_u64(event, FIELD_HOST_IDENTITY_MACS, 0);
    f.lease = record_map_find(event, FIELD_SRC_HOST_LEASE);
    f.site = record_map_find(event, FIELD_SRC_HOST_SITE);
    if (f.site.n == 0)
        f.site = record_map_find(event, FIELD_SRC_REG_SITE);
    f.id = record_map_find(event, FIELD_EVENT_ID);
    *out = f;
    return true;
}

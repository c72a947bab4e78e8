#include "rules/host/judge.h"

#include "rules/host/dialect.h"

const struct judge_design judge_design_default = {
    .score = 6,
    .score_list = 9,
};

static const char *const words[JUDGE_WHY_COUNT] = {
#define JUDGE_WHY_WORD(id, word) [JUDGE_##id] = (word),
    JUDGE_WHY_MAP(JUDGE_WHY_WORD)
#undef JUDGE_WHY_WORD
};

const char *
judge_word(enum judge_why w)
{
    return words[w];
}

#define BIT(id) (UINT32_C(1) << JUDGE_##id)

/* ---- score ---- */

/* Symbols that are no points of content, with the odd fact they tell of. */
static const struct {
    const char *name;
    uint32_t odd;
} dialogue[] = {
    {"pregreet",             DIALECT_BIT(PREGREET)    },
    {"pipelining_unoffered", DIALECT_BIT(PIPELINING)  },
    {"bare_lf",              DIALECT_BIT(LF_ONLY)     },
    {"helo",                 DIALECT_BIT(HELO_ADDRESS)},
    {"no_helo",              0                        },
    {"non_smtp_command",     0                        },
    {"reply_policy",         0                        },
    {"reply_unknown",        0                        },
};

/* Fields that are not there: a script that writes none has all of these. */
static const char *const missing[] = {
    "no_from",    "no_date",      "no_message_id",
    "no_subject", "no_recipient", "no_received",
};

struct points {
    uint64_t content;
    uint64_t missing;
    uint32_t odd;
};

static bool
is_missing(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        if (span_eq(name, span_str(missing[i])))
            return true;
    }
    return false;
}

static void
add_symbol(struct points *p, struct span name, uint64_t points)
{
    uint64_t *sum = is_missing(name) ? &p->missing : &p->content;

    for (size_t i = 0; i < ARRAY_LEN(dialogue); i++) {
        if (span_eq(name, span_str(dialogue[i].name))) {
            p->odd |= dialogue[i].odd;
            return;
        }
    }
    if (points < UINT32_MAX)
        *sum += points;
}

static void
add_object(struct points *p, struct span object)
{
    struct cursor c = cur_open(object);
    struct span name = SPAN_NONE;
    struct record_entry e;
    uint64_t points = 0;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_EMAIL_SYMBOLS_NAME)
            name = e.value;
        else if (e.field == FIELD_EMAIL_SYMBOLS_POINTS)
            points = entry_u64(e.value);
    }
    add_symbol(p, name, points);
}

static struct points
points_of(const struct record_map *smtp)
{
    struct cursor c = record_map_list(smtp, FIELD_EMAIL_SYMBOLS);
    struct points p = {0};
    struct record_entry e;

    while (record_next(&c, &e) && e.field == FIELD_EMAIL_SYMBOLS)
        add_object(&p, e.value);
    p.content += p.missing < JUDGE_MISSING ? p.missing : JUDGE_MISSING;
    return p;
}

/* At most `most` are counted. */
static unsigned
list_count(const struct record_map *m, enum field f, unsigned most)
{
    struct cursor c = record_map_list(m, f);
    struct record_entry e;
    unsigned n = 0;

    while (n < most && record_next(&c, &e) && e.field == f)
        n++;
    return n;
}

/* ---- the other signs ---- */

/* Lists of the domains in links; others list addresses of hosts. */
static bool
cites_links(const struct record_map *smtp)
{
    static const char *const lists[] = {"surbl", "uribl", "dbl.", "ivmuri"};
    struct span list = record_map_find(smtp, FIELD_SMTP_FINAL_LIST);

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (span_contains_nocase(list, span_str(lists[i])))
            return true;
    }
    return false;
}

/* Did somebody else make the message? */
static bool
is_relayed(const struct record_map *smtp, bool list)
{
    unsigned most = list ? 1 : JUDGE_RELAYED;

    return list_count(smtp, FIELD_EMAIL_RECEIVED, most) == most;
}

/* Is there a whole event of a message of which something was read? */
static bool
can_be_read(const struct record_map *smtp)
{
    return record_map_find(smtp, FIELD_SMTP_VIA).n > 0 &&
           record_map_find(smtp, FIELD_SMTP_OUTCOME).n > 0 &&
           !record_map_bool(smtp, FIELD_SMTP_NULL_SENDER) &&
           !record_map_is(smtp, FIELD_SMTP_MAIL_FROM, "<>") &&
           record_map_find(smtp, FIELD_EMAIL_SCORE).n > 0;
}

static bool
is_cut(const struct record_map *smtp)
{
    return record_map_find(smtp, FIELD_SMTP_CUT).n > 0 ||
           record_map_bool(smtp, FIELD_QUALITY_TRUNCATED);
}

/* ---- judgement ---- */

struct signs {
    uint32_t all;    /* bits of enum judge_why, also weak ones */
    uint32_t strong; /* of them those that count alone */
    bool half;       /* of the points */
};

static struct signs
signs_of(const struct judge_design *d, const struct record_map *smtp,
         const struct campaign_join *joined, uint32_t odd, bool list)
{
    struct points p = points_of(smtp);
    uint32_t limit = list ? d->score_list : d->score;
    struct signs s = {0, 0, p.content * 2 >= limit};

    odd |= p.odd;
    if (p.content >= limit)
        s.strong |= BIT(SCORE);
    if (cites_links(smtp))
        s.strong |= BIT(BLOCKLIST);
    if (odd & DIALECT_STRONG)
        s.strong |= BIT(DIALECT);
    s.all = s.strong;
    if (odd != 0)
        s.all |= BIT(DIALECT);
    if (joined != NULL && joined->duplicate)
        s.all |= BIT(DUPLICATE);
    return s;
}

/* Why the message is bad, or 0. */
static uint32_t
why_bad(const struct signs *s)
{
    uint32_t why = s->strong;

    if ((s->all & BIT(DUPLICATE)) == 0)
        return why;
    if (why != 0)
        return why | BIT(DUPLICATE);
    if (s->all & BIT(DIALECT))
        return BIT(DUPLICATE) | BIT(DIALECT);
    return s->half ? BIT(DUPLICATE) | BIT(SCORE) : 0;
}

struct judgement
judge_message(const struct judge_design *design, const struct record_map *smtp,
              const struct campaign_join *joined, uint32_t odd)
{
    struct judgement j = {false, false, 0};
    bool list = record_map_find(smtp, FIELD_EMAIL_BULK).n > 0;
    struct signs s;

    if (!can_be_read(smtp))
        return j;
    s = signs_of(design, smtp, joined, odd, list);
    j.why = why_bad(&s);
    j.judged = j.why != 0 || !is_cut(smtp);
    if (j.why != 0 && is_relayed(smtp, list)) {
        j.why = s.strong & BIT(DIALECT);
        j.judged = j.why != 0;
    }
    j.bad = j.why != 0;
    return j;
}

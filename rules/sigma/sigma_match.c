#include "rules/sigma/sigma_match.h"

#include <time.h>

#include "rules/sigma/sigma_value.h"
#include "sensor/base/text.h"

/* ---- texts ---- */

static bool
ends_with(struct span s, struct span tail)
{
    return s.n >= tail.n && span_eq(span_tail(s, s.n - tail.n), tail);
}

static bool
contains(struct span s, struct span want)
{
    return want.n == 0 ||
           (s.n >= want.n && memmem(s.p, s.n, want.p, want.n) != NULL);
}

/* How many bytes of s the token takes, 0: none. */
static size_t
takes(uint16_t token, struct span s)
{
    size_t n;

    if (s.n == 0)
        return 0;
    if (token != SIGMA_TOKEN_ONE)
        return s.p[0] == token ? 1 : 0;
    n = s.p[0] < 0x80 ? 1 : utf8_len(s);
    return n > 0 ? n : 1;
}

/* Only the last * can have taken too little: going back to it is enough. */
static bool
glob(struct sigma_matcher *m, const struct sigma_value *v, struct span s)
{
    uint32_t i = 0, star = UINT32_MAX, steps = 0;
    size_t at = 0, back = 0, n;

    while (at < s.n) {
        if (++steps > SIGMA_GLOB_STEPS) {
            m->glob_limited++;
            return false;
        }
        if (i < v->n_glob && v->glob[i] == SIGMA_TOKEN_ANY) {
            star = i++;
            back = at;
            continue;
        }
        n = i < v->n_glob ? takes(v->glob[i], span_tail(s, at)) : 0;
        if (n > 0) {
            at += n;
            i++;
            continue;
        }
        if (star == UINT32_MAX)
            return false;
        i = star + 1;
        at = ++back;
    }
    while (i < v->n_glob && v->glob[i] == SIGMA_TOKEN_ANY)
        i++;
    return i == v->n_glob;
}

/* s in lower case; want is. No copy is made: most texts differ at once. */
static bool
low_eq(struct span s, struct span want)
{
    size_t i = 0;

    if (s.n != want.n)
        return false;
    while (i < s.n && sigma_lower(s.p[i]) == want.p[i])
        i++;
    return i == s.n;
}

static bool
low_holds(const struct sigma_value *v, struct span s)
{
    struct span want = v->text;

    if (s.n < want.n)
        return false;
    return low_eq(v->how == SIGMA_PREFIX   ? span_head(s, want.n)
                  : v->how == SIGMA_SUFFIX ? span_tail(s, s.n - want.n)
                                           : s,
                  want);
}

static bool
text_holds(struct sigma_matcher *m, const struct sigma_value *v,
           struct sigma_text *t)
{
    struct span s;

    if (v->is_addr && t->type == FT_ADDR)
        return span_eq(t->raw, span_of(v->addr.b, sizeof(v->addr.b)));
    if (t->type == FT_STR && !v->cased && v->how <= SIGMA_SUFFIX)
        return low_holds(v, t->raw);
    s = v->cased ? sigma_view_text(m->view, t) : sigma_view_low(m->view, t);
    switch ((enum sigma_how)v->how) {
    case SIGMA_EXACT: return span_eq(s, v->text);
    case SIGMA_PREFIX: return span_starts(s, v->text);
    case SIGMA_SUFFIX: return ends_with(s, v->text);
    case SIGMA_CONTAINS: return contains(s, v->text);
    case SIGMA_ANYTHING: return true;
    case SIGMA_GLOB: return contains(s, v->text) && glob(m, v, s);
    }
    return false;
}

static bool
number_holds(struct sigma_matcher *m, const struct sigma_value *v,
             struct sigma_text *t)
{
    long double x;

    if ((t->type == FT_U64 || t->type == FT_I64) &&
        sigma_view_number(m->view, t, &x))
        return x == v->number;
    return text_holds(m, v, t);
}

static bool
regex_holds(struct sigma_matcher *m, const struct sigma_value *v,
            struct sigma_text *t)
{
    enum sigma_regex_answer a;

    if (m->limited >= SIGMA_LIMITED_MAX) {
        m->regex_limited++;
        return false;
    }
    if (v->text.n > 0 && !contains(sigma_view_low(m->view, t), v->text))
        return false;
    a = sigma_regex_search(v->regex, m->regex, sigma_view_text(m->view, t));
    m->limited += a == SIGMA_REGEX_LIMIT;
    m->regex_limited += a == SIGMA_REGEX_LIMIT;
    return a == SIGMA_REGEX_YES;
}

static bool
cidr_holds(struct sigma_matcher *m, const struct sigma_value *v,
           struct sigma_text *t)
{
    struct addr a;

    if (t->type == FT_ADDR)
        memcpy(a.b, t->raw.p, sizeof(a.b));
    else if (t->type != FT_STR || !addr_parse(sigma_view_text(m->view, t), &a))
        return false;
    return prefix_has(&v->prefix, &a);
}

bool
sigma_match_test(enum sigma_compare op, long double a, long double b)
{
    switch (op) {
    case SIGMA_LT: return a < b;
    case SIGMA_LTE: return a <= b;
    case SIGMA_GT: return a > b;
    case SIGMA_GTE: return a >= b;
    case SIGMA_EQ: return a == b;
    case SIGMA_NEQ: return a != b;
    }
    return false;
}

static bool
compare_holds(struct sigma_matcher *m, const struct sigma_value *v,
              struct sigma_text *t)
{
    long double x;

    return sigma_view_number(m->view, t, &x) &&
           sigma_match_test((enum sigma_compare)v->how, x, v->number);
}

/* ISO 8601: the week of a day is that of its Thursday. */
static int
week_of(const struct tm *tm)
{
    int monday = (tm->tm_wday + 6) % 7;
    int week = (tm->tm_yday - monday + 10) / 7;
    int year = tm->tm_year + 1900;
    int january_1 = ((tm->tm_wday - tm->tm_yday) % 7 + 7) % 7;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (week == 0) {
        /* the last week of the year before */
        int before = year - 1;
        bool leap_before =
            (before % 4 == 0 && before % 100 != 0) || before % 400 == 0;

        return january_1 == 5 || (january_1 == 6 && leap_before) ? 53 : 52;
    }
    if (week == 53 && january_1 != 4 && !(january_1 == 3 && leap))
        return 1;
    return week;
}

static bool
part_holds(struct sigma_matcher *m, const struct sigma_value *v,
           struct sigma_text *t)
{
    ns_t when = t->type == FT_TIME ? entry_u64(t->raw) : 0;
    time_t seconds;
    struct tm tm;
    int part = 0;

    if (t->type != FT_TIME &&
        (t->type != FT_STR || !ns_parse(sigma_view_text(m->view, t), &when)))
        return false;
    seconds = (time_t)(when / NS_PER_S);
    if (gmtime_r(&seconds, &tm) == NULL)
        return false;
    switch ((enum sigma_part)v->how) {
    case SIGMA_MINUTE: part = tm.tm_min; break;
    case SIGMA_HOUR: part = tm.tm_hour; break;
    case SIGMA_DAY: part = tm.tm_mday; break;
    case SIGMA_WEEK: part = week_of(&tm); break;
    case SIGMA_MONTH: part = tm.tm_mon + 1; break;
    case SIGMA_YEAR: part = tm.tm_year + 1900; break;
    }
    return part == v->number;
}

static bool
fields_meet(struct sigma_matcher *m, const struct sigma_value *v,
            struct sigma_text *a, struct sigma_text *b)
{
    struct span s =
        v->cased ? sigma_view_text(m->view, a) : sigma_view_low(m->view, a);
    struct span o =
        v->cased ? sigma_view_text(m->view, b) : sigma_view_low(m->view, b);

    switch ((enum sigma_how)v->how) {
    case SIGMA_PREFIX: return span_starts(s, o);
    case SIGMA_SUFFIX: return ends_with(s, o);
    case SIGMA_CONTAINS: return contains(s, o);
    case SIGMA_EXACT:
    case SIGMA_ANYTHING:
    case SIGMA_GLOB: break;
    }
    return span_eq(s, o);
}

static bool
field_holds(struct sigma_matcher *m, const struct sigma_value *v,
            struct sigma_text *t)
{
    uint32_t n = 0;

    for (uint32_t i = sigma_view_first(m->view, v->slot); i != 0;
         i = m->view->v[i].next) {
        if (++n > SIGMA_PAIRS_MAX / 16) {
            m->glob_limited++;
            return false;
        }
        if (fields_meet(m, v, t, &m->view->v[i]))
            return true;
    }
    return false;
}

static bool
value_holds(struct sigma_matcher *m, const struct sigma_value *v,
            struct sigma_text *t)
{
    switch ((enum sigma_op)v->op) {
    case SIGMA_OP_TEXT: return text_holds(m, v, t);
    case SIGMA_OP_NUMBER: return number_holds(m, v, t);
    case SIGMA_OP_RE: return regex_holds(m, v, t);
    case SIGMA_OP_CIDR: return cidr_holds(m, v, t);
    case SIGMA_OP_COMPARE: return compare_holds(m, v, t);
    case SIGMA_OP_PART: return part_holds(m, v, t);
    case SIGMA_OP_FIELD: return field_holds(m, v, t);
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS: break;
    }
    return false;
}

/* ---- items ---- */

/* The first entry that the value takes, or 0. */
static uint32_t
find_entry(struct sigma_matcher *m, uint16_t slot, const struct sigma_value *v)
{
    uint32_t i = sigma_view_first(m->view, slot);

    if (v->op == SIGMA_OP_FIELD)
        (void)sigma_view_first(m->view, v->slot); /* v of the view may move */
    while (i != 0 && !value_holds(m, v, &m->view->v[i]))
        i = m->view->v[i].next;
    return i;
}

static bool
group_holds(struct sigma_matcher *m, uint16_t slot,
            const struct sigma_values *g, uint32_t *found)
{
    uint32_t first = sigma_view_first(m->view, slot);

    for (uint32_t i = 0; i < g->n; i++) {
        const struct sigma_value *v = &g->v[i];

        if (v->op == SIGMA_OP_NULL || v->op == SIGMA_OP_EXISTS) {
            *found = first;
            if ((first != 0) == (v->op == SIGMA_OP_EXISTS && v->yes))
                return true;
            continue;
        }
        *found = find_entry(m, slot, v);
        if (*found != 0)
            return true;
    }
    return false;
}

static bool
holds(struct sigma_matcher *m, const struct sigma_item *item, uint32_t *found)
{
    for (uint32_t i = 0; i < item->n_groups; i++) {
        if (group_holds(m, item->slot, &item->group[i], found) != item->all)
            return !item->all;
    }
    return item->all;
}

bool
sigma_match_item(struct sigma_matcher *m, const struct sigma_item *item)
{
    uint64_t *answer = &m->answer[item->question];
    uint32_t found = 0;
    bool yes;

    if (item->question != 0 && *answer >> 1 == m->view->number)
        return (*answer & 1) != 0;
    yes = holds(m, item, &found) != item->negate;
    *answer = m->view->number << 1 | yes;
    return yes;
}

struct sigma_text *
sigma_match_first(struct sigma_matcher *m, const struct sigma_item *item)
{
    uint32_t found = 0;

    if (!holds(m, item, &found) || found == 0)
        return NULL;
    return &m->view->v[found];
}

static bool
map_holds(struct sigma_matcher *m, const struct sigma_items *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        if (!sigma_match_item(m, &map->v[i]))
            return false;
    }
    return true;
}

bool
sigma_match_selection(struct sigma_matcher *m, const struct sigma_selection *s)
{
    for (uint32_t i = 0; i < s->n_maps; i++) {
        if (map_holds(m, &s->map[i]))
            return true;
    }
    return false;
}

static bool
passes_gate(struct sigma_matcher *m, const struct sigma_rule *r)
{
    bool any = false;

    for (uint32_t i = 0; i < r->gate_n; i++) {
        if (r->gate[i] != NULL) {
            any = any || sigma_match_item(m, r->gate[i]);
            continue;
        }
        if (!any)
            return false;
        any = false;
    }
    return true;
}

bool
sigma_match_rule(struct sigma_matcher *m, const struct sigma_rule *r)
{
    bool now = false;

    if (!passes_gate(m, r))
        return false;
    for (uint32_t pc = 0; pc < r->program.n; pc++) {
        struct sigma_code code = r->program.v[pc];

        switch ((enum sigma_code_op)code.op) {
        case SIGMA_CODE_SEL:
            now = sigma_match_selection(m, &r->selection[code.arg]);
            break;
        case SIGMA_CODE_NOT: now = !now; break;
        case SIGMA_CODE_JF: pc += now ? 0 : code.arg; break;
        case SIGMA_CODE_JT: pc += now ? code.arg : 0; break;
        case SIGMA_CODE_AND:
        case SIGMA_CODE_OR: break;
        }
    }
    return now;
}

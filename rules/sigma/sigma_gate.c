#include "rules/sigma/sigma_gate.h"

#include "sensor/base/hash.h"

#define STACK_MAX 160U /* of a condition: more than it can need */
#define ROOM      32U  /* pointers of one gate; what is more is left out */

/* ---- which items ask the same ---- */

static bool
same_value(const struct sigma_value *a, const struct sigma_value *b)
{
    return a->op == b->op && a->how == b->how && a->cased == b->cased &&
           a->yes == b->yes && a->is_addr == b->is_addr && a->slot == b->slot &&
           a->number == b->number && span_eq(a->text, b->text) &&
           addr_cmp(&a->addr, &b->addr) == 0 &&
           a->prefix.bits == b->prefix.bits &&
           addr_cmp(&a->prefix.addr, &b->prefix.addr) == 0;
}

static bool
same_item(const struct sigma_item *a, const struct sigma_item *b)
{
    if (a->slot != b->slot || a->all != b->all || a->negate != b->negate ||
        a->n_groups != b->n_groups)
        return false;
    for (uint32_t g = 0; g < a->n_groups; g++) {
        if (a->group[g].n != b->group[g].n)
            return false;
        for (uint32_t i = 0; i < a->group[g].n; i++) {
            if (!same_value(&a->group[g].v[i], &b->group[g].v[i]))
                return false;
        }
    }
    return true;
}

static uint64_t
hash_value(uint64_t h, const struct sigma_value *v)
{
    double number = (double)v->number;
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    h = hash_mix(h, (uint64_t)v->op << 8 | v->how);
    h = hash_mix(h, bits);
    h = hash_mix(h, hash_span(span_of(v->prefix.addr.b, 16), v->prefix.bits));
    return hash_mix(h, hash_span(v->text, 0));
}

static uint64_t
hash_item(const struct sigma_item *item)
{
    uint64_t h = hash_mix(item->slot, item->n_groups);

    for (uint32_t g = 0; g < item->n_groups; g++) {
        for (uint32_t i = 0; i < item->group[g].n; i++)
            h = hash_value(h, &item->group[g].v[i]);
    }
    return h;
}

/* Is the answer the record's alone, and its work small? */
static bool
is_plain(const struct sigma_item *item)
{
    for (uint32_t g = 0; g < item->n_groups; g++) {
        for (uint32_t i = 0; i < item->group[g].n; i++) {
            const struct sigma_value *v = &item->group[g].v[i];

            if (v->op == SIGMA_OP_RE || v->op == SIGMA_OP_FIELD ||
                v->op == SIGMA_OP_PART ||
                (v->op != SIGMA_OP_COMPARE && v->how == SIGMA_GLOB))
                return false;
        }
    }
    return item->slot != SIGMA_SLOT_ANY;
}

struct numbering {
    struct sigma_item **table; /* open addressing */
    uint32_t mask, n;
};

static void
number_item(struct numbering *t, struct sigma_item *item)
{
    uint32_t i = (uint32_t)hash_item(item) & t->mask;

    if (item->question != 0 || !is_plain(item))
        return; /* filters share theirs */
    while (t->table[i] != NULL && !same_item(t->table[i], item))
        i = (i + 1) & t->mask;
    if (t->table[i] == NULL) {
        t->table[i] = item;
        item->question = ++t->n;
    }
    item->question = t->table[i]->question;
}

static uint32_t
count_items(const struct sigma_rule *r)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < r->n_selections; s++) {
        for (uint32_t m = 0; m < r->selection[s].n_maps; m++)
            n += r->selection[s].map[m].n;
    }
    return n;
}

static void
number_rule(struct numbering *t, const struct sigma_rule *r)
{
    for (uint32_t s = 0; s < r->n_selections; s++) {
        for (uint32_t m = 0; m < r->selection[s].n_maps; m++) {
            const struct sigma_items *map = &r->selection[s].map[m];

            for (uint32_t i = 0; i < map->n; i++)
                number_item(t, &map->v[i]);
        }
    }
}

static enum err
number_all(struct sigma_set *s)
{
    struct numbering t = {.n = 0};
    uint32_t items = 0, cap = 64;

    for (uint32_t i = 0; i < s->n; i++)
        items += count_items(&s->rule[i]);
    while (cap < 2 * items)
        cap *= 2;
    t.mask = cap - 1;
    t.table = calloc(cap, sizeof(struct sigma_item *));
    if (t.table == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n; i++)
        number_rule(&t, &s->rule[i]);
    free(t.table);
    s->questions = t.n;
    return ERR_OK;
}

/* ---- gates ---- */

/* Clauses one after another, NULL behind each; none: it is open. */
struct gate {
    const struct sigma_item *v[ROOM];
    uint32_t n;
};

struct builder {
    const struct sigma_slots *slots;
    struct gate stack[STACK_MAX];
    uint32_t depth;
};

/* What an answer costs and how often it is no: a number above its limit is
 * rare and quick to see, a direction is not rare, lists are walked. */
static unsigned
cost_of(const struct builder *b, const struct sigma_item *item)
{
    enum field f = b->slots->v[item->slot].field;
    enum sigma_op op = item->n_groups > 0 && item->group[0].n > 0
                           ? (enum sigma_op)item->group[0].v[0].op
                           : SIGMA_OP_TEXT;

    if (field_is_list(b->slots->where[item->slot]))
        return 5;
    if (op == SIGMA_OP_COMPARE)
        return 0;
    if (op == SIGMA_OP_EXISTS || op == SIGMA_OP_NULL)
        return 1;
    return field_shapes[f].type == FT_BOOL  ? 2
           : field_shapes[f].type == FT_STR ? 4
                                            : 3;
}

static uint32_t
clause_length(const struct gate *g, uint32_t from)
{
    uint32_t n = 0;

    while (g->v[from + n] != NULL)
        n++;
    return n;
}

/* Of its dearest item, and of how many there are. */
static unsigned
clause_cost(const struct builder *b, const struct gate *g, uint32_t from)
{
    unsigned most = 0;
    uint32_t n = clause_length(g, from);

    for (uint32_t i = 0; i < n; i++) {
        unsigned cost = cost_of(b, g->v[from + i]);

        most = cost > most ? cost : most;
    }
    return most * ROOM + n;
}

static uint32_t
cheapest(const struct builder *b, const struct gate *g)
{
    uint32_t best = 0;

    for (uint32_t i = 0; i < g->n; i += clause_length(g, i) + 1) {
        if (clause_cost(b, g, i) < clause_cost(b, g, best))
            best = i;
    }
    return best;
}

static void
add_clause(struct gate *to, const struct gate *from, uint32_t at)
{
    uint32_t n = clause_length(from, at);

    if (to->n + n + 1 > ROOM)
        return;
    memcpy(to->v + to->n, from->v + at, n * sizeof(to->v[0]));
    to->n += n;
    to->v[to->n++] = NULL;
}

static struct gate
both(const struct gate *one, const struct gate *two)
{
    struct gate all = *one;

    for (uint32_t i = 0; i < two->n; i += clause_length(two, i) + 1)
        add_clause(&all, two, i);
    return all;
}

/* One clause: the cheapest of this, or the cheapest of that. */
static struct gate
either(const struct builder *b, const struct gate *one, const struct gate *two)
{
    struct gate any = {.n = 0};
    struct gate other = {.n = 0};

    if (one->n == 0 || two->n == 0)
        return any;
    add_clause(&any, one, cheapest(b, one));
    add_clause(&other, two, cheapest(b, two));
    if (any.n + other.n - 1 > ROOM)
        return (struct gate){.n = 0};
    memcpy(any.v + any.n - 1, other.v, other.n * sizeof(any.v[0]));
    any.n += other.n - 1;
    return any;
}

static struct gate
gate_of_map(const struct sigma_items *map)
{
    struct gate g = {.n = 0};

    for (uint32_t i = 0; i < map->n && g.n + 2 <= ROOM; i++) {
        if (map->v[i].question == 0)
            continue;
        g.v[g.n++] = &map->v[i];
        g.v[g.n++] = NULL;
    }
    return g;
}

static struct gate
gate_of_selection(const struct builder *b, const struct sigma_selection *s)
{
    struct gate g = {.n = 0};

    for (uint32_t m = 0; m < s->n_maps; m++) {
        struct gate next = gate_of_map(&s->map[m]);

        g = m == 0 ? next : either(b, &g, &next);
        if (g.n == 0)
            break;
    }
    return g;
}

/* Of what must not hold nothing follows that is cheap to know. */
static void
take_code(struct builder *b, const struct sigma_rule *r, struct sigma_code code)
{
    struct gate *top = &b->stack[b->depth > 0 ? b->depth - 1 : 0];

    switch ((enum sigma_code_op)code.op) {
    case SIGMA_CODE_SEL:
        REQUIRE(b->depth < STACK_MAX);
        b->stack[b->depth++] = gate_of_selection(b, &r->selection[code.arg]);
        break;
    case SIGMA_CODE_NOT: *top = (struct gate){.n = 0}; break;
    case SIGMA_CODE_AND:
        REQUIRE(b->depth >= 2);
        b->depth--;
        top[-1] = both(&top[-1], top);
        break;
    case SIGMA_CODE_OR:
        REQUIRE(b->depth >= 2);
        b->depth--;
        top[-1] = either(b, &top[-1], top);
        break;
    case SIGMA_CODE_JF:
    case SIGMA_CODE_JT: break;
    }
}

/* Clauses in order of their cost. */
static struct gate
in_order(const struct builder *b, const struct gate *g)
{
    struct gate out = {.n = 0};

    for (unsigned cost = 0; cost < 6 * ROOM; cost++) {
        for (uint32_t i = 0; i < g->n; i += clause_length(g, i) + 1) {
            if (clause_cost(b, g, i) == cost)
                add_clause(&out, g, i);
        }
    }
    return out;
}

static enum err
make_gate(struct builder *b, struct sigma_set *s, struct sigma_rule *r)
{
    const struct sigma_item **v;
    struct gate g;

    b->depth = 0;
    for (uint32_t i = 0; i < r->postfix.n; i++)
        take_code(b, r, r->postfix.v[i]);
    if (b->depth == 0 || b->stack[0].n == 0)
        return ERR_OK;
    g = in_order(b, &b->stack[0]);
    v = SIGMA_GET(&s->arena, const struct sigma_item *, g.n);
    if (v == NULL)
        return ERR_NOMEM;
    memcpy(v, g.v, g.n * sizeof(g.v[0]));
    r->gate = v;
    r->gate_n = g.n;
    return ERR_OK;
}

enum err
sigma_gate_make(struct sigma_set *s)
{
    struct builder *b = calloc(1, sizeof(*b));
    enum err e = b != NULL ? number_all(s) : ERR_NOMEM;

    if (e == ERR_OK)
        b->slots = &s->slots;
    for (uint32_t i = 0; i < s->n && e == ERR_OK; i++) {
        if (s->rule[i].info.kind == SIGMA_RULE)
            e = make_gate(b, s, &s->rule[i]);
    }
    free(b);
    return e;
}

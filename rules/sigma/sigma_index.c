#include "rules/sigma/sigma_index.h"

#include "sensor/base/hash.h"

#define SIGNS_MAX 16384U /* of one rule; more: it is always looked at */
#define NONE      UINT32_MAX

enum sign {
    SIGN_THERE,
    SIGN_BELOW, /* a number at most so large */
    SIGN_ABOVE,
    SIGN_TWO, /* as many bytes, somewhere */
    SIGN_THREE,
    SIGN_FOUR,
    SIGN_NET,
    SIGN_WHOLE,  /* a text */
    SIGN_NUMBER, /* eight bytes as they are in the record */
    SIGN_ADDR
};

/* ---- keys ---- */

static uint64_t
sign_key(enum sign kind, uint16_t slot, uint32_t data)
{
    uint64_t v = (uint64_t)data | (uint64_t)kind << 60 | (uint64_t)slot << 32;

    return v * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t
whole_key(enum sign kind, uint16_t slot, struct span s)
{
    return hash_mix(sign_key(kind, slot, 0), hash_span(s, 0));
}

static uint32_t
gram_at(const uint8_t *p, unsigned width)
{
    uint32_t g = 0;

    memcpy(&g, p, width);
    return g;
}

/* ---- what a rule needs ---- */

struct need {
    enum sign kind;
    uint16_t slot;
    struct span text; /* or the bytes of a number, an address or a network */
    long double at;   /* of a threshold */
    uint32_t next;
};

struct needs {
    uint32_t first, last; /* NONE: no guard */
    uint32_t score;
};

struct builder {
    const struct sigma_slots *slots;
    struct need *need;
    uint32_t n_needs, cap;
    struct {
        uint64_t key;
        uint32_t rule;
    } * pair;
    uint32_t n_pairs, pair_cap;
    uint32_t *always;
    uint32_t n_always;
    uint16_t *used; /* how often the top 16 bits were taken */
    struct sigma_arena arena;
    bool nomem, too_many;
    struct sigma_index *x;
};

static enum field_type
type_of_slot(const struct builder *b, uint16_t slot)
{
    uint8_t type = slot == SIGMA_SLOT_ANY
                       ? (uint8_t)FT_STR
                       : field_shapes[b->slots->v[slot].field].type;

    return type == FT_STRS   ? FT_STR
           : type == FT_U64S ? FT_U64
                             : (enum field_type)type;
}

/* Rarer signs first; longer texts are rarer. */
static uint32_t
score_of(const struct need *n)
{
    uint32_t len = n->text.n < 255 ? (uint32_t)n->text.n : 255;

    return ((uint32_t)n->kind + 1) * 256 + len;
}

static void
need_part(struct need *n, struct span text)
{
    static const enum sign by_length[] = {SIGN_THERE, SIGN_THERE, SIGN_TWO,
                                          SIGN_THREE, SIGN_FOUR};

    n->kind = by_length[text.n < 4 ? text.n : 4];
    n->text = text;
}

/* The bytes of a record's entry. */
static void
need_bytes(struct builder *b, struct need *n, enum sign kind, const void *p,
           size_t size)
{
    n->text = sigma_arena_span(&b->arena, span_of(p, size));
    n->kind = kind;
    b->nomem = b->nomem || n->text.p == NULL;
}

/* Digits as a record's number is written. */
static bool
is_digits(struct span s, uint64_t *out)
{
    return span_to_u64(s, out) && (s.n == 1 || s.p[0] != '0');
}

static void
need_text(struct builder *b, const struct sigma_value *v, struct need *n)
{
    enum field_type type = type_of_slot(b, n->slot);
    uint64_t number;

    if (type == FT_U64 && v->how == SIGMA_EXACT &&
        is_digits(v->text, &number)) {
        need_bytes(b, n, SIGN_NUMBER, &number, sizeof(number));
    } else if (type == FT_ADDR && v->is_addr) {
        n->kind = SIGN_ADDR;
        n->text = span_of(v->addr.b, sizeof(v->addr.b));
    } else if (type != FT_STR && type != FT_BOOL) {
        return;
    } else if (v->how == SIGMA_EXACT && n->slot != SIGMA_SLOT_ANY) {
        n->kind = SIGN_WHOLE;
        n->text = v->text;
    } else {
        need_part(n, v->text);
    }
}

static void
need_number(struct builder *b, const struct sigma_value *v, struct need *n)
{
    enum field_type type = type_of_slot(b, n->slot);
    uint64_t number;

    if (type == FT_STR || type == FT_BOOL) {
        need_text(b, v, n);
        return;
    }
    if (type != FT_U64 || v->number < 0 || v->number > 1e18L)
        return;
    number = (uint64_t)v->number;
    need_bytes(b, n, SIGN_NUMBER, &number, sizeof(number));
}

static bool
has_numbers(enum field_type type)
{
    return type == FT_U64 || type == FT_I64 || type == FT_TIME ||
           type == FT_STR;
}

static void
need_bound(const struct builder *b, const struct sigma_value *v, struct need *n)
{
    if (n->slot == SIGMA_SLOT_ANY || !has_numbers(type_of_slot(b, n->slot)))
        return;
    n->kind =
        v->how == SIGMA_GT || v->how == SIGMA_GTE ? SIGN_ABOVE : SIGN_BELOW;
    n->at = v->number;
}

#define NET_BYTES 17U

/* The address with what lies behind the length zero, and the length. */
static void
net_bytes(struct span addr, uint8_t bits, uint8_t out[NET_BYTES])
{
    size_t whole = bits / 8;

    memset(out, 0, NET_BYTES);
    memcpy(out, addr.p, whole);
    if (bits % 8 != 0)
        out[whole] = addr.p[whole] & (uint8_t)(0xff00U >> (bits % 8));
    out[NET_BYTES - 1] = bits;
}

static bool
has_net(struct builder *b, uint16_t slot, uint8_t bits)
{
    struct sigma_index *x = b->x;

    for (uint32_t i = 0; i < x->n_nets; i++) {
        if (x->net[i].slot == slot && x->net[i].bits == bits)
            return true;
    }
    if (x->n_nets == SIGMA_NETS_MAX)
        return false;
    x->net[x->n_nets++] = (struct sigma_net){slot, bits};
    return true;
}

static void
need_net(struct builder *b, const struct sigma_value *v, struct need *n)
{
    uint8_t bytes[NET_BYTES];

    if (n->slot == SIGMA_SLOT_ANY || type_of_slot(b, n->slot) != FT_ADDR ||
        !has_net(b, n->slot, v->prefix.bits))
        return;
    net_bytes(span_of(v->prefix.addr.b, sizeof(v->prefix.addr.b)),
              v->prefix.bits, bytes);
    need_bytes(b, n, SIGN_NET, bytes, sizeof(bytes));
}

/* What must be there for the value to match: at least its field. */
static struct need
need_of(struct builder *b, uint16_t slot, const struct sigma_value *v)
{
    struct need n = {.kind = SIGN_THERE, .slot = slot, .next = NONE};
    struct span text = v->text;

    switch ((enum sigma_op)v->op) {
    case SIGMA_OP_TEXT: need_text(b, v, &n); break;
    case SIGMA_OP_NUMBER: need_number(b, v, &n); break;
    case SIGMA_OP_RE:
        if (type_of_slot(b, slot) == FT_STR)
            need_part(&n, text);
        break;
    case SIGMA_OP_CIDR: need_net(b, v, &n); break;
    case SIGMA_OP_COMPARE: need_bound(b, v, &n); break;
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS:
    case SIGMA_OP_PART:
    case SIGMA_OP_FIELD: break;
    }
    if (v->cased && n.kind <= SIGN_WHOLE && n.kind != SIGN_NET) {
        /* signs are looked for in lower case */
        uint8_t *p = sigma_arena_get(&b->arena, n.text.n + 1, 1);

        if (p == NULL) {
            b->nomem = true;
            return n;
        }
        for (size_t i = 0; i < n.text.n; i++)
            p[i] = n.text.p[i] >= 'A' && n.text.p[i] <= 'Z' ? n.text.p[i] | 0x20
                                                            : n.text.p[i];
        n.text = span_of(p, n.text.n);
    }
    return n;
}

/* True when the value can match where the field is not. */
static bool
takes_nothing(const struct sigma_value *v)
{
    return v->op == SIGMA_OP_NULL || (v->op == SIGMA_OP_EXISTS && !v->yes);
}

static uint32_t
group_score(struct builder *b, uint16_t slot, const struct sigma_values *g)
{
    uint32_t least = NONE;

    for (uint32_t i = 0; i < g->n; i++) {
        struct need n = need_of(b, slot, &g->v[i]);
        uint32_t score = takes_nothing(&g->v[i]) ? 0 : score_of(&n);

        least = score < least ? score : least;
    }
    return least;
}

/* The groups that stand for the item: of an AND the best one. */
static uint32_t
item_score(struct builder *b, const struct sigma_item *item, uint32_t *from,
           uint32_t *to)
{
    uint32_t best = item->all ? 0 : NONE;

    *from = 0;
    *to = item->n_groups;
    if (item->negate)
        return 0;
    for (uint32_t i = 0; i < item->n_groups; i++) {
        uint32_t score = group_score(b, item->slot, &item->group[i]);

        if (item->all ? score > best : score < best) {
            best = score;
            if (item->all) {
                *from = i;
                *to = i + 1;
            }
        }
    }
    return best == NONE ? 0 : best;
}

static void
add_need(struct builder *b, struct needs *to, struct need n)
{
    struct need *grown;

    if (b->n_needs == b->cap) {
        b->cap = b->cap > 0 ? 2 * b->cap : 256;
        grown = realloc(b->need, b->cap * sizeof(*grown));
        if (grown == NULL) {
            b->nomem = true;
            return;
        }
        b->need = grown;
    }
    b->need[b->n_needs] = n;
    if (to->first == NONE)
        to->first = b->n_needs;
    else
        b->need[to->last].next = b->n_needs;
    to->last = b->n_needs++;
    b->too_many = b->too_many || b->n_needs > SIGNS_MAX;
}

static void
add_item(struct builder *b, struct needs *to, const struct sigma_item *item,
         uint32_t from, uint32_t end)
{
    for (uint32_t g = from; g < end; g++) {
        for (uint32_t i = 0; i < item->group[g].n && !b->too_many && !b->nomem;
             i++)
            add_need(b, to, need_of(b, item->slot, &item->group[g].v[i]));
    }
}

static struct needs
selection_needs(struct builder *b, const struct sigma_selection *s)
{
    struct needs all = {NONE, NONE, s->n_maps > 0 ? NONE : 0};

    for (uint32_t m = 0; m < s->n_maps; m++) {
        uint32_t best = 0, best_score = 0, best_from = 0, best_to = 0;

        for (uint32_t i = 0; i < s->map[m].n; i++) {
            uint32_t from, to;
            uint32_t score = item_score(b, &s->map[m].v[i], &from, &to);

            if (score > best_score) {
                best = i;
                best_score = score;
                best_from = from;
                best_to = to;
            }
        }
        all.score = best_score < all.score ? best_score : all.score;
        if (all.score == 0)
            return (struct needs){NONE, NONE, 0};
        add_item(b, &all, &s->map[m].v[best], best_from, best_to);
    }
    return all;
}

static struct needs
either(struct builder *b, struct needs one, struct needs two)
{
    if (one.score == 0 || two.score == 0)
        return (struct needs){NONE, NONE, 0};
    b->need[one.last].next = two.first;
    return (struct needs){one.first, two.last,
                          one.score < two.score ? one.score : two.score};
}

static struct needs
rule_needs(struct builder *b, const struct sigma_rule *r)
{
    struct needs stack[160];
    unsigned depth = 0;

    for (uint32_t i = 0; i < r->postfix.n; i++) {
        struct sigma_code code = r->postfix.v[i];
        struct needs *top = &stack[depth > 0 ? depth - 1 : 0];

        if (code.op == SIGMA_CODE_SEL) {
            REQUIRE(depth < ARRAY_LEN(stack));
            stack[depth++] = selection_needs(b, &r->selection[code.arg]);
        } else if (code.op == SIGMA_CODE_NOT) {
            *top = (struct needs){NONE, NONE, 0};
        } else {
            REQUIRE(depth >= 2);
            depth--;
            if (code.op == SIGMA_CODE_OR)
                top[-1] = either(b, top[-1], *top);
            else if (top->score > top[-1].score)
                top[-1] = *top;
        }
        if (b->nomem || b->too_many)
            return (struct needs){NONE, NONE, 0};
    }
    return stack[0];
}

/* ---- building ---- */

static void
add_pair(struct builder *b, uint64_t key, uint32_t rule)
{
    uint32_t cap = b->pair_cap > 0 ? 2 * b->pair_cap : 1024;
    void *grown;

    if (b->n_pairs == b->pair_cap) {
        grown = realloc(b->pair, cap * sizeof(*b->pair));
        if (grown == NULL) {
            b->nomem = true;
            return;
        }
        b->pair = grown;
        b->pair_cap = cap;
    }
    b->pair[b->n_pairs].key = key;
    b->pair[b->n_pairs++].rule = rule;
}

static void
add_bound(struct builder *b, const struct need *n, uint32_t rule)
{
    struct sigma_index *x = b->x;
    uint32_t cap = x->bound_cap > 0 ? 2 * x->bound_cap : 64;
    struct sigma_bound *grown;

    if (x->n_bounds == x->bound_cap) {
        grown = realloc(x->bound, cap * sizeof(*grown));
        if (grown == NULL) {
            b->nomem = true;
            return;
        }
        x->bound = grown;
        x->bound_cap = cap;
    }
    x->bound[x->n_bounds++] =
        (struct sigma_bound){n->slot, (uint8_t)n->kind, rule, n->at};
}

/* The run of bytes that the fewest rules have taken so far. */
static uint64_t
rarest_gram(struct builder *b, const struct need *n, unsigned width)
{
    uint64_t best = 0;
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i + width <= n->text.n; i++) {
        uint64_t key =
            sign_key(n->kind, n->slot, gram_at(n->text.p + i, width));

        if (b->used[key >> 48] < least) {
            least = b->used[key >> 48];
            best = key;
        }
    }
    return best;
}

static uint64_t
key_of(struct builder *b, const struct need *n)
{
    switch (n->kind) {
    case SIGN_THERE: return sign_key(SIGN_THERE, n->slot, 0);
    case SIGN_TWO: return rarest_gram(b, n, 2);
    case SIGN_THREE: return rarest_gram(b, n, 3);
    case SIGN_FOUR: return rarest_gram(b, n, 4);
    case SIGN_BELOW:
    case SIGN_ABOVE:
    case SIGN_NET:
    case SIGN_WHOLE:
    case SIGN_NUMBER:
    case SIGN_ADDR: break;
    }
    return whole_key(n->kind, n->slot, n->text);
}

static void
add_rule(struct builder *b, const struct sigma_rule *r, uint32_t rule)
{
    struct needs needs;

    b->n_needs = 0;
    b->too_many = false;
    needs = rule_needs(b, r);
    if (needs.score == 0 || b->too_many) {
        b->always[b->n_always++] = rule;
        return;
    }
    for (uint32_t i = needs.first; i != NONE && !b->nomem;
         i = b->need[i].next) {
        const struct need *n = &b->need[i];
        uint64_t key;

        b->x->signs[n->slot] |= (uint16_t)(1U << n->kind);
        if (n->kind == SIGN_ABOVE || n->kind == SIGN_BELOW) {
            add_bound(b, n, rule);
            continue;
        }
        key = key_of(b, n);
        b->x->bitmap[key >> 54] |= UINT64_C(1) << (key >> 48 & 63);
        if (b->used[key >> 48] < UINT16_MAX)
            b->used[key >> 48]++;
        add_pair(b, key, rule);
    }
}

static int
by_key(const void *a, const void *b)
{
    uint64_t one, two;

    memcpy(&one, a, sizeof(one));
    memcpy(&two, b, sizeof(two));
    return one < two ? -1 : one > two;
}

static int
by_bound(const void *a, const void *b)
{
    const struct sigma_bound *one = a, *two = b;

    if (one->slot != two->slot)
        return one->slot < two->slot ? -1 : 1;
    if (one->kind != two->kind)
        return one->kind < two->kind ? -1 : 1;
    if (one->at != two->at)
        return (one->at < two->at) == (one->kind == SIGN_ABOVE) ? -1 : 1;
    return one->rule < two->rule ? -1 : one->rule > two->rule;
}

static void
sort_bounds(struct sigma_index *x)
{
    if (x->n_bounds > 0)
        qsort(x->bound, x->n_bounds, sizeof(*x->bound), by_bound);
    for (uint32_t i = x->n_bounds; i-- > 0;)
        (x->bound[i].kind == SIGN_ABOVE ? x->above
                                        : x->below)[x->bound[i].slot] = i;
}

static struct sigma_index_key *
place_of(const struct sigma_index *x, uint64_t key)
{
    uint32_t i = (uint32_t)(key >> 24) & x->mask;

    while (x->table[i].n != 0 && x->table[i].key != key)
        i = (i + 1) & x->mask;
    return &x->table[i];
}

static bool
make_table(struct builder *b)
{
    struct sigma_index *x = b->x;
    uint32_t cap = 16;

    while (cap < 2 * b->n_pairs + 1)
        cap *= 2;
    sort_bounds(x);
    x->mask = cap - 1;
    x->table = calloc(cap, sizeof(*x->table));
    x->rules = calloc(b->n_pairs + 1U, sizeof(*x->rules));
    if (x->table == NULL || x->rules == NULL)
        return false;
    if (b->n_pairs > 0)
        qsort(b->pair, b->n_pairs, sizeof(*b->pair), by_key);
    for (uint32_t i = 0; i < b->n_pairs; i++) {
        struct sigma_index_key *k = place_of(x, b->pair[i].key);

        if (k->n == 0)
            *k = (struct sigma_index_key){b->pair[i].key, i, 0};
        x->rules[i] = b->pair[i].rule;
        k->n++;
    }
    return true;
}

/* Fields of the header are always there, and so is every field for keywords. */
static bool
make_looks(struct builder *b)
{
    struct sigma_index *x = b->x;

    x->looks = calloc(b->slots->n + 1U, sizeof(*x->looks));
    if (x->looks == NULL)
        return false;
    x->n_looks = 1;
    for (uint16_t slot = 0; slot < b->slots->n; slot++) {
        enum field f =
            slot == SIGMA_SLOT_ANY ? FIELD_TIMESTAMP : b->slots->where[slot];

        if (x->signs[slot] == 0)
            continue;
        if (field_is_header(f))
            f = FIELD_TIMESTAMP;
        x->fields[f / 64U] |= UINT64_C(1) << (f % 64U);
        x->looks[x->n_looks] = (struct sigma_look){slot, x->first[f]};
        x->first[f] = x->n_looks++;
    }
    return true;
}

static void
add_rules(struct builder *b, const struct sigma_rule *rules, uint32_t n,
          enum event_type type)
{
    for (uint32_t i = 0; i < n && !b->nomem; i++) {
        const struct sigma_rule *r = &rules[i];

        if (r->bad)
            continue;
        if (r->info.kind != SIGMA_RULE || r->info.foreign ||
            (r->services >> type & 1) == 0)
            continue;
        b->x->n_rules++;
        add_rule(b, r, i);
    }
}

enum err
sigma_index_new(const struct sigma_rule *rules, uint32_t n,
                const struct sigma_slots *slots, enum event_type type,
                struct sigma_index **out)
{
    struct builder b = {.slots = slots};
    bool good;

    *out = NULL;
    sigma_arena_init(&b.arena, 256U << 20);
    b.x = calloc(1, sizeof(*b.x));
    b.used = calloc(65536, sizeof(*b.used));
    b.always = calloc(n + 1U, sizeof(*b.always));
    good = b.x != NULL && b.used != NULL && b.always != NULL;
    if (good) {
        add_rules(&b, rules, n, type);
        b.x->always = b.always;
        b.x->n_always = b.n_always;
        good = !b.nomem && make_table(&b) && make_looks(&b);
    } else {
        free(b.always);
    }
    free(b.used);
    free(b.need);
    free(b.pair);
    sigma_arena_free(&b.arena);
    if (!good || b.x->n_rules == 0) {
        sigma_index_free(b.x);
        return good ? ERR_OK : ERR_NOMEM;
    }
    *out = b.x;
    return ERR_OK;
}

void
sigma_index_free(struct sigma_index *x)
{
    if (x == NULL)
        return;
    free(x->table);
    free(x->rules);
    free(x->always);
    free(x->bound);
    free(x->looks);
    free(x);
}

/* ---- looking ---- */

static void
add_candidate(struct sigma_candidates *c, uint32_t rule)
{
    if (c->stamp[rule] == c->epoch)
        return;
    c->stamp[rule] = c->epoch;
    c->rule[c->n++] = rule;
}

/* Each key is followed once for a record, however often its sign is there. */
static NOINLINE void
follow(const struct sigma_index *x, struct sigma_candidates *c, uint64_t key)
{
    const struct sigma_index_key *k = place_of(x, key);
    size_t at = (size_t)(k - x->table);

    if (k->n == 0 || c->seen[at] == c->epoch)
        return;
    c->seen[at] = c->epoch;
    for (uint32_t i = 0; i < k->n; i++)
        add_candidate(c, x->rules[k->first + i]);
}

static inline void
probe(const struct sigma_index *x, struct sigma_candidates *c, uint64_t key)
{
    if (UNLIKELY((x->bitmap[key >> 54] >> (key >> 48 & 63) & 1) != 0))
        follow(x, c, key);
}

static inline void
scan(const struct sigma_index *x, struct sigma_candidates *c, uint16_t slot,
     struct span s, enum sign kind, unsigned width)
{
    for (size_t i = 0; i + width <= s.n; i++)
        probe(x, c, sign_key(kind, slot, gram_at(s.p + i, width)));
}

static void
look_at_text(const struct sigma_index *x, struct sigma_candidates *c,
             uint16_t slot, struct span low)
{
    uint16_t signs = x->signs[slot];

    if ((signs & 1U << SIGN_WHOLE) != 0)
        probe(x, c, whole_key(SIGN_WHOLE, slot, low));
    if ((signs & 1U << SIGN_FOUR) != 0)
        scan(x, c, slot, low, SIGN_FOUR, 4);
    if ((signs & 1U << SIGN_THREE) != 0)
        scan(x, c, slot, low, SIGN_THREE, 3);
    if ((signs & 1U << SIGN_TWO) != 0)
        scan(x, c, slot, low, SIGN_TWO, 2);
}

/* Of several numbers the largest passes what any does, or the smallest. */
static void
look_at_bounds(const struct sigma_index *x, struct sigma_view *w,
               struct sigma_candidates *c, uint16_t slot)
{
    long double least = 0, most = 0, v;
    bool any = false;

    for (uint32_t i = sigma_view_first(w, slot); i != 0; i = w->v[i].next) {
        if (!sigma_view_number(w, &w->v[i], &v))
            continue;
        least = !any || v < least ? v : least;
        most = !any || v > most ? v : most;
        any = true;
    }
    if (!any)
        return;
    if ((x->signs[slot] & 1U << SIGN_ABOVE) != 0) {
        for (uint32_t i = x->above[slot];
             i < x->n_bounds && x->bound[i].slot == slot &&
             x->bound[i].kind == SIGN_ABOVE && x->bound[i].at <= most;
             i++)
            add_candidate(c, x->bound[i].rule);
    }
    if ((x->signs[slot] & 1U << SIGN_BELOW) != 0) {
        for (uint32_t i = x->below[slot];
             i < x->n_bounds && x->bound[i].slot == slot &&
             x->bound[i].kind == SIGN_BELOW && x->bound[i].at >= least;
             i++)
            add_candidate(c, x->bound[i].rule);
    }
}

static void
look_at_nets(const struct sigma_index *x, struct sigma_candidates *c,
             uint16_t slot, struct span addr)
{
    uint8_t bytes[NET_BYTES];

    for (uint32_t i = 0; i < x->n_nets; i++) {
        if (x->net[i].slot != slot)
            continue;
        net_bytes(addr, x->net[i].bits, bytes);
        probe(x, c, whole_key(SIGN_NET, slot, span_of(bytes, NET_BYTES)));
    }
}

#define SIGNS_TEXT                                                             \
    (1U << SIGN_TWO | 1U << SIGN_THREE | 1U << SIGN_FOUR | 1U << SIGN_WHOLE)
#define SIGNS_BOUND (1U << SIGN_ABOVE | 1U << SIGN_BELOW)

static void
look_at_value(const struct sigma_index *x, struct sigma_view *w,
              struct sigma_candidates *c, uint16_t slot, struct sigma_text *t)
{
    uint16_t signs = x->signs[slot];

    if ((signs & 1U << SIGN_NUMBER) != 0 && t->type == FT_U64)
        probe(x, c, whole_key(SIGN_NUMBER, slot, t->raw));
    if ((signs & 1U << SIGN_ADDR) != 0 && t->type == FT_ADDR)
        probe(x, c, whole_key(SIGN_ADDR, slot, t->raw));
    if ((signs & 1U << SIGN_NET) != 0 && t->type == FT_ADDR)
        look_at_nets(x, c, slot, t->raw);
    if ((signs & SIGNS_TEXT) != 0)
        look_at_text(x, c, slot, sigma_view_low(w, t));
}

static void
look_at(const struct sigma_index *x, struct sigma_view *w,
        struct sigma_candidates *c, uint16_t slot)
{
    uint16_t signs = x->signs[slot];

    if (sigma_view_first(w, slot) == 0)
        return;
    if ((signs & 1U << SIGN_THERE) != 0)
        probe(x, c, sign_key(SIGN_THERE, slot, 0));
    if ((signs & SIGNS_BOUND) != 0)
        look_at_bounds(x, w, c, slot);
    if ((signs & ~(1U << SIGN_THERE | SIGNS_BOUND)) == 0)
        return;
    for (uint32_t i = sigma_view_first(w, slot); i != 0; i = w->v[i].next)
        look_at_value(x, w, c, slot, &w->v[i]);
}

static void
look_at_field(const struct sigma_index *x, struct sigma_view *w,
              struct sigma_candidates *c, unsigned f)
{
    for (uint16_t i = x->first[f]; i != 0; i = x->looks[i].next)
        look_at(x, w, c, x->looks[i].slot);
}

void
sigma_index_look(const struct sigma_index *x, struct sigma_view *w,
                 struct sigma_candidates *c)
{
    c->n = 0;
    for (uint32_t i = 0; i < x->n_always; i++)
        add_candidate(c, x->always[i]);
    look_at_field(x, w, c, FIELD_TIMESTAMP);
    for (unsigned i = 0; i < RECORD_MAP_WORDS; i++) {
        uint64_t bits = x->fields[i] & w->map->has[i];

        for (; bits != 0; bits &= bits - 1)
            look_at_field(x, w, c, 64 * i + (unsigned)__builtin_ctzll(bits));
    }
}

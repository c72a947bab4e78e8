#include "rules/registry/permits.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 number;

/* ---- numbers of addresses ---- */

static number
number_of(const struct addr *a)
{
    number v = 0;

    for (size_t i = 0; i < sizeof(a->b); i++)
        v = v << 8 | a->b[i];
    return v;
}

static struct addr
addr_of(number v)
{
    struct addr a;

    for (size_t i = sizeof(a.b); i-- > 0; v >>= 8)
        a.b[i] = (uint8_t)v;
    return a;
}

/* Addresses of a prefix but one. */
static number
span_of_bits(unsigned bits)
{
    return bits == 0 ? ~(number)0 : ((number)1 << (128 - bits)) - 1;
}

struct permits_range
permits_range_of(const struct prefix *p)
{
    number last = number_of(&p->addr) | span_of_bits(p->bits);

    return (struct permits_range){p->addr, addr_of(last)};
}

void
permits_cidrs(const struct permits_range *r,
              void (*put)(void *ctx, const struct prefix *p), void *ctx)
{
    number at = number_of(&r->first);
    number last = number_of(&r->last);

    while (at <= last) {
        unsigned bits = 128;
        struct prefix p;

        while (bits > 0 && (at & span_of_bits(bits - 1)) == 0 &&
               span_of_bits(bits - 1) <= last - at)
            bits--;
        p = (struct prefix){addr_of(at), (uint8_t)bits};
        put(ctx, &p);
        if (span_of_bits(bits) >= last - at)
            break;
        at += span_of_bits(bits) + 1;
    }
}

static int
by_first(const void *a, const void *b)
{
    const struct permits_range *x = a;
    const struct permits_range *y = b;

    return addr_cmp(&x->first, &y->first);
}

size_t
permits_join(struct permits_range *v, size_t n)
{
    size_t kept = 0;

    if (n > 0)
        qsort(v, n, sizeof(*v), by_first);
    for (size_t i = 0; i < n; i++) {
        struct permits_range *end = kept > 0 ? &v[kept - 1] : NULL;

        if (end != NULL &&
            (addr_cmp(&v[i].first, &end->last) <= 0 ||
             number_of(&v[i].first) - number_of(&end->last) == 1)) {
            if (addr_cmp(&v[i].last, &end->last) > 0)
                end->last = v[i].last;
        } else {
            v[kept++] = v[i];
        }
    }
    return kept;
}

/* The last one that begins at or before a, or NULL. */
static const struct permits_range *
range_before(const struct permits_range *v, size_t n, const struct addr *a)
{
    size_t from = 0;

    while (from < n) {
        size_t middle = from + (n - from) / 2;

        if (addr_cmp(&v[middle].first, a) <= 0)
            from = middle + 1;
        else
            n = middle;
    }
    return from > 0 ? &v[from - 1] : NULL;
}

bool
permits_covers(const struct permits_range *v, size_t n,
               const struct permits_range *r)
{
    const struct permits_range *found = range_before(v, n, &r->first);

    return found != NULL && addr_cmp(&r->last, &found->last) <= 0;
}

/* Goes on behind the range that has r->first; false: none has it. */
static bool
step(const struct permits_range *found, struct permits_range *r)
{
    if (found == NULL || addr_cmp(&found->last, &r->first) < 0)
        return false;
    r->first = addr_of(number_of(&found->last) + 1);
    return true;
}

bool
permits_cover(const struct permits_range *v, size_t n,
              const struct permits_range *w, size_t m,
              const struct permits_range *r)
{
    struct permits_range left = *r;

    do {
        if (permits_covers(v, n, &left) || permits_covers(w, m, &left))
            return true;
    } while (step(range_before(v, n, &left.first), &left) ||
             step(range_before(w, m, &left.first), &left));
    return false;
}

bool
permits_touches(const struct permits_range *v, size_t n,
                const struct permits_range *r)
{
    const struct permits_range *found = range_before(v, n, &r->last);

    return found != NULL && addr_cmp(&found->last, &r->first) >= 0;
}

/* ---- the prefixes that decide ---- */

/* Lines of one prefix, a run in lines. */
struct node {
    struct prefix prefix;
    size_t from, to;
    number next; /* the first address that is not yet given to anybody */
    bool used;   /* there is none */
};

struct work {
    const struct book_line **lines;
    size_t n_lines;
    struct node *nodes;
    size_t n_nodes;
    struct permits *out;
    enum form_use use;
    ns_t when;
    enum err e;
};

/* A family at a time, the shorter prefix first, then the order of the book. */
static int
by_prefix(const void *a, const void *b)
{
    const struct book_line *x = *(const struct book_line *const *)a;
    const struct book_line *y = *(const struct book_line *const *)b;
    const struct prefix *p = &x->line->prefix;
    const struct prefix *q = &y->line->prefix;
    bool p4 = p->bits >= 96 && addr_is_v4(&p->addr);
    bool q4 = q->bits >= 96 && addr_is_v4(&q->addr);
    int order;

    if (p4 != q4)
        return p4 ? -1 : 1;
    order = addr_cmp(&p->addr, &q->addr);
    if (order == 0 && p->bits != q->bits)
        order = p->bits < q->bits ? -1 : 1;
    if (order == 0 && x->form != y->form)
        order = strcmp(x->form->form.number, y->form->form.number);
    if (order == 0 && x->line->number != y->line->number)
        order = x->line->number < y->line->number ? -1 : 1;
    return order;
}

static void
gather_form(struct work *w, const struct book_form *form, size_t most)
{
    for (size_t i = 0; i < form->form.n_lines; i++) {
        const struct book_line *l = form->lines[i];

        if (!l->line->readable || w->out->n_ports >= most)
            continue;
        w->out->ports[w->out->n_ports++] = l->line->port;
        if (book_state_at(l, w->when) != BOOK_NONE)
            w->lines[w->n_lines++] = l;
    }
}

static enum err
gather(struct work *w, const struct book *b)
{
    size_t most = book_n_lines(b);

    w->lines = calloc(most + 1, sizeof(*w->lines));
    w->nodes = calloc(most + 1, sizeof(*w->nodes));
    w->out->ports = calloc(most + 1, sizeof(*w->out->ports));
    if (w->lines == NULL || w->nodes == NULL || w->out->ports == NULL)
        return ERR_NOMEM;
    for (size_t f = 0; f < book_n_forms(b); f++)
        gather_form(w, book_form_at(b, f), most);
    return ERR_OK;
}

static void
make_nodes(struct work *w)
{
    if (w->n_lines > 0)
        qsort(w->lines, w->n_lines, sizeof(*w->lines), by_prefix);
    for (size_t i = 0; i < w->n_lines; i++) {
        const struct prefix *p = &w->lines[i]->line->prefix;
        struct node *last = w->n_nodes > 0 ? &w->nodes[w->n_nodes - 1] : NULL;

        if (last == NULL || last->prefix.bits != p->bits ||
            addr_cmp(&last->prefix.addr, &p->addr) != 0) {
            last = &w->nodes[w->n_nodes++];
            *last = (struct node){*p, i, i, number_of(&p->addr), false};
        }
        last->to = i + 1;
    }
}

/* ---- what a prefix permits ---- */

static bool
more_room(struct permits *p)
{
    size_t cap = p->cap > 0 ? 2 * p->cap : 64;
    struct permit *v = reallocarray(p->v, cap, sizeof(*v));

    if (v == NULL)
        return false;
    p->v = v;
    p->cap = cap;
    return true;
}

static struct permit *
add(struct work *w)
{
    struct permits *p = w->out;

    if (p->n >= PERMITS_MAX) {
        w->e = ERR_LIMIT;
        return NULL;
    }
    if (p->n == p->cap && !more_room(p)) {
        w->e = ERR_NOMEM;
        return NULL;
    }
    return &p->v[p->n++];
}

/* A line says what one of this piece said already. */
static bool
join_line(struct permits *p, size_t from, const struct form_line *l,
          enum form_use use)
{
    for (size_t i = from; i < p->n; i++) {
        if (p->v[i].port == l->port && p->v[i].use == use) {
            p->v[i].more++;
            return true;
        }
    }
    return false;
}

/* Addresses first..last are decided by the node. */
static void
give(struct work *w, const struct node *node, number first, number last)
{
    size_t from = w->out->n;

    for (size_t i = node->from; i < node->to && w->e == ERR_OK; i++) {
        const struct book_line *l = w->lines[i];
        enum form_use use = l->line->use & w->use;
        struct permit *p;

        if (use == 0 || book_state_at(l, w->when) != BOOK_PERMITTED ||
            join_line(w->out, from, l->line, use))
            continue;
        p = add(w);
        if (p != NULL)
            *p = (struct permit){addr_of(first),
                                 addr_of(last),
                                 node->prefix,
                                 l->line->port,
                                 use,
                                 l,
                                 0};
    }
}

static number
last_of(const struct node *node)
{
    return number_of(&node->prefix.addr) | span_of_bits(node->prefix.bits);
}

/* The innermost open prefix ends: the rest is its own, and the one around it
 * goes on behind it, if there is anything behind. */
static size_t
close_node(struct work *w, struct node **open, size_t depth)
{
    struct node *node = open[depth - 1];
    number last = last_of(node);

    if (!node->used && node->next <= last)
        give(w, node, node->next, last);
    if (depth > 1) {
        open[depth - 2]->next = last + 1;
        open[depth - 2]->used = last == ~(number)0;
    }
    return depth - 1;
}

/* Prefixes hold each other or do not touch; those that hold the present one
 * are open. */
static void
sweep(struct work *w)
{
    struct node *open[130];
    size_t depth = 0;

    for (size_t i = 0; i < w->n_nodes && w->e == ERR_OK; i++) {
        struct node *node = &w->nodes[i];
        number first = number_of(&node->prefix.addr);

        while (depth > 0 &&
               !prefix_has(&open[depth - 1]->prefix, &node->prefix.addr))
            depth = close_node(w, open, depth);
        if (depth > 0 && open[depth - 1]->next < first)
            give(w, open[depth - 1], open[depth - 1]->next, first - 1);
        open[depth++] = node;
    }
    while (depth > 0)
        depth = close_node(w, open, depth);
}

static int
by_port(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void
sort_ports(struct permits *p)
{
    size_t n = p->n_ports;
    size_t kept = 0;

    if (n > 0)
        qsort(p->ports, n, sizeof(*p->ports), by_port);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || p->ports[kept - 1] != p->ports[i])
            p->ports[kept++] = p->ports[i];
    }
    p->n_ports = kept;
}

static int
by_set(const void *a, const void *b)
{
    const struct permit *x = a;
    const struct permit *y = b;
    int order = x->port != y->port ? (x->port < y->port ? -1 : 1)
                                   : addr_cmp(&x->first, &y->first);

    return order != 0 ? order : (int)x->use - (int)y->use;
}

enum err
permits_collect(const struct book *b, ns_t when, enum form_use use,
                struct permits *out)
{
    struct work w = {.out = out, .use = use, .when = when};

    *out = (struct permits){.n = 0};
    w.e = gather(&w, b);
    if (w.e == ERR_OK) {
        make_nodes(&w);
        sweep(&w);
        sort_ports(out);
        if (out->n > 0)
            qsort(out->v, out->n, sizeof(*out->v), by_set);
    }
    free(w.lines);
    free(w.nodes);
    return w.e;
}

void
permits_fini(struct permits *p)
{
    free(p->v);
    free(p->ports);
    *p = (struct permits){.n = 0};
}

/* ---- what permits everything ---- */

/* A list is of one family, for one way. */
static const struct all {
    struct prefix family;
    bool v4;
    enum form_use way;
} alls[] = {
    {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96}, true,  FORM_SEND   },
    {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96}, true,  FORM_RECEIVE},
    {{{{0}}, 0},                                         false, FORM_SEND   },
    {{{{0}}, 0},                                         false, FORM_RECEIVE},
};

static bool
is_of(const struct permit *x, const struct all *a)
{
    const bool v4 = x->prefix.bits >= 96 && addr_is_v4(&x->prefix.addr);

    return (x->use & a->way) != 0 && v4 == a->v4;
}

static const struct permit *
find_alone(const struct permits *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct prefix *x = &p->v[i].prefix;

        if (x->bits == 0 || (x->bits == 96 && addr_is_v4(&x->addr)))
            return &p->v[i];
    }
    return NULL;
}

/* Prefixes for the port at from, joined; gives where that port ends. */
static size_t
prefixes_of(const struct permits *p, size_t from, const struct all *a,
            struct permits_range *out, size_t *n)
{
    size_t i = from;

    *n = 0;
    for (; i < p->n && p->v[i].port == p->v[from].port; i++) {
        if (is_of(&p->v[i], a))
            out[(*n)++] = permits_range_of(&p->v[i].prefix);
    }
    *n = permits_join(out, *n);
    return i;
}

/* What is for any port stands first, and counts for each. */
static const struct permit *
find_together(const struct permits *p, const struct all *a,
              struct permits_range *any, struct permits_range *own)
{
    const struct permits_range whole = permits_range_of(&a->family);
    size_t n_any = 0, n_own = 0;
    size_t end;

    for (size_t i = 0; i < p->n; i = end) {
        if (p->v[i].port == 0)
            end = prefixes_of(p, i, a, any, &n_any);
        else
            end = prefixes_of(p, i, a, own, &n_own);
        if (permits_cover(any, n_any, own, n_own, &whole))
            return &p->v[i];
    }
    return NULL;
}

enum err
permits_find_all(const struct permits *p, struct permits_all *out)
{
    struct permits_all all = {find_alone(p), true};
    struct permits_range *v;

    if (all.permit == NULL && p->n > 0) {
        v = calloc(2 * p->n, sizeof(*v));
        if (v == NULL)
            return ERR_NOMEM;
        all.alone = false;
        for (size_t i = 0; i < ARRAY_LEN(alls) && all.permit == NULL; i++)
            all.permit = find_together(p, &alls[i], v, v + p->n);
        free(v);
    }
    *out = all;
    return ERR_OK;
}

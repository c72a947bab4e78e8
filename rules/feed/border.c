#include "rules/feed/border_state.h"

#include <stdlib.h>

#include "rules/registry/permits_read.h"

#define BORDER_TOLD 8192U /* bytes of what the reader says */

static const char *const phases[] = {
#define WORD(id, word, doc) word,
    BORDER_PHASES(WORD)
#undef WORD
};

static const char *const scripts[] = {
#define WORD(id, word) word,
    BORDER_SCRIPTS(WORD)
#undef WORD
};

static const char *const verdicts[] = {
#define DOC(id, doc) doc,
    BORDER_VERDICTS(DOC)
#undef DOC
};

const char *
border_phase_word(enum border_phase p)
{
    return phases[p];
}

const char *
border_script_word(enum border_script s)
{
    return scripts[s];
}

const char *
border_verdict_doc(enum border_verdict v)
{
    return verdicts[v];
}

static const struct prefix all_v4 = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96};
static const struct prefix all_v6 = {{{0}}, 0};

bool
border_is_v4(const struct permits_range *r)
{
    return addr_is_v4(&r->first) && addr_is_v4(&r->last);
}

/* ---- permits ---- */

/* Of port 25, or of any. */
static enum border_verdict
gather_permits(const struct border_in *in, enum form_use use,
               struct border_ranges *out)
{
    const struct permits *p = in->permits;

    out->v = calloc(p->n + in->n_exempt + 1, sizeof(*out->v));
    if (out->v == NULL)
        return BORDER_MEMORY;
    for (size_t i = 0; i < p->n; i++) {
        const struct permit *x = &p->v[i];

        if ((x->use & use) != 0 && (x->port == 0 || x->port == 25))
            out->v[out->n++] = (struct permits_range){x->first, x->last};
    }
    out->registered = out->n;
    for (size_t i = 0; i < in->n_exempt; i++)
        out->v[out->n++] = in->exempt[i];
    return BORDER_DONE;
}

/* Is a whole family in it? IPv6 prefixes around the IPv4-mapped ones hold no
 * IPv4 address: only those that are of the family count. */
static bool
has_all(const struct border_ranges *r)
{
    const struct permits_range whole[] = {permits_range_of(&all_v4),
                                          permits_range_of(&all_v6)};

    return permits_covers(r->v, r->n, &whole[0]) ||
           permits_covers(r->v, r->n, &whole[1]);
}

static enum border_verdict
join_permits(struct border *b)
{
    struct border_ranges *both[] = {&b->send, &b->receive};
    const size_t registered = b->send.registered + b->receive.registered;

    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        both[i]->n = permits_join(both[i]->v, both[i]->n);
    if (registered == 0 && !b->in->allow_empty)
        return BORDER_NO_PERMIT;
    return has_all(&b->send) || has_all(&b->receive) ? BORDER_ALL_PERMITTED
                                                     : BORDER_DONE;
}

/* ---- places ---- */

static enum border_verdict
add_home(struct border *b, const struct prefix *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!carve_is_whole(&v[i]))
            return BORDER_PREFIX;
        b->home.v[b->home.n++] = permits_range_of(&v[i]);
    }
    return BORDER_DONE;
}

static enum border_verdict
add_site(struct border *b, size_t id)
{
    const struct border_site *s = &b->in->sites[id];
    const enum border_verdict v = add_home(b, s->prefixes, s->n);

    for (size_t i = 0; i < s->n && v == BORDER_DONE; i++) {
        b->sited.v[b->sited.n++] = permits_range_of(&s->prefixes[i]);
        b->places[b->n_places++] = (struct carve_item){s->prefixes[i], id};
    }
    return v;
}

/* Of equal prefixes the first site's. */
static void
drop_doubles(struct border *b)
{
    size_t n = 0;

    carve_sort(b->places, b->n_places);
    for (size_t i = 0; i < b->n_places; i++) {
        const struct prefix *p = &b->places[i].prefix;

        if (n == 0 || b->places[n - 1].prefix.bits != p->bits ||
            addr_cmp(&b->places[n - 1].prefix.addr, &p->addr) != 0)
            b->places[n++] = b->places[i];
    }
    b->n_places = n;
}

static enum border_verdict
gather_places(struct border *b)
{
    const struct border_in *in = b->in;
    enum border_verdict v = BORDER_DONE;
    size_t n = in->n_home;

    for (size_t i = 0; i < in->n_sites; i++)
        n += in->sites[i].n;
    if (n > BORDER_PREFIXES)
        return BORDER_LIMITS;
    b->places = calloc(n + 1, sizeof(*b->places));
    b->home.v = calloc(n + 1, sizeof(*b->home.v));
    b->sited.v = calloc(n + 1, sizeof(*b->sited.v));
    if (b->places == NULL || b->home.v == NULL || b->sited.v == NULL)
        return BORDER_MEMORY;
    for (size_t i = 0; i < in->n_sites && v == BORDER_DONE; i++)
        v = add_site(b, i);
    if (v == BORDER_DONE)
        v = add_home(b, in->home, in->n_home);
    if (v != BORDER_DONE)
        return v;
    drop_doubles(b);
    b->sited.n = permits_join(b->sited.v, b->sited.n);
    b->home.n = permits_join(b->home.v, b->home.n);
    if (b->home.n == 0)
        return BORDER_NO_HOME;
    return has_all(&b->home) ? BORDER_ALL_HOME : BORDER_DONE;
}

/* ---- all ---- */

static enum border_verdict
gather(struct border *b)
{
    enum border_verdict v;

    if (b->in->n_sites > BORDER_SITES || b->in->trial_s > BORDER_TRIAL_S ||
        b->in->permits->n > PERMITS_MAX || b->in->n_exempt > PERMITS_MAX)
        return BORDER_LIMITS;
    v = gather_permits(b->in, FORM_SEND, &b->send);
    if (v == BORDER_DONE)
        v = gather_permits(b->in, FORM_RECEIVE, &b->receive);
    if (v == BORDER_DONE)
        v = join_permits(b);
    return v == BORDER_DONE ? gather_places(b) : v;
}

enum border_verdict
border_new(const struct border_in *in, struct border **out)
{
    struct border *b = calloc(1, sizeof(*b));
    enum border_verdict v;

    if (b == NULL)
        return BORDER_MEMORY;
    b->in = in;
    v = gather(b);
    if (v == BORDER_DONE)
        *out = b;
    else
        border_free(b);
    return v;
}

void
border_free(struct border *b)
{
    if (b == NULL)
        return;
    free(b->send.v);
    free(b->receive.v);
    free(b->home.v);
    free(b->sited.v);
    free(b->places);
    free(b);
}

/* ---- reading back ---- */

/* Those found for a way, joined. */
static enum err
found_for(const struct permits_list *l, enum form_use use,
          struct border_ranges *out)
{
    out->n = 0;
    out->v = calloc(l->n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].ours && l->v[i].use == use && l->v[i].port == 25)
            out->v[out->n++] = l->v[i].range;
    }
    out->n = permits_join(out->v, out->n);
    return ERR_OK;
}

static size_t
not_in(const struct border_ranges *these, const struct border_ranges *those)
{
    size_t n = 0;

    for (size_t i = 0; i < these->n; i++)
        n += !permits_covers(those->v, those->n, &these->v[i]);
    return n;
}

static enum err
compare(const struct border_ranges *want, const struct permits_list *l,
        enum form_use use, struct border_found *out)
{
    struct border_ranges found;
    enum err e = found_for(l, use, &found);

    if (e != ERR_OK)
        return e;
    out->permits += want->n;
    out->missing += not_in(want, &found);
    out->extra += not_in(&found, want);
    free(found.v);
    return ERR_OK;
}

/* What stands in other sets is no matter, also when it is no address. */
static enum err
read_sets(struct span text, struct permits_list *l, struct buf *messages)
{
    struct buf told;
    enum err e;

    buf_init(&told, BORDER_TOLD);
    e = permits_read(text, "nft", l, &told);
    if (e == ERR_OK && l->full)
        e = ERR_FORMAT;
    if (e != ERR_OK)
        buf_span(messages, buf_view(&told));
    buf_free(&told);
    return e;
}

enum err
border_verify(const struct border *b, struct span text,
              struct border_found *out, struct buf *messages)
{
    struct border_found found = {0};
    struct permits_list l;
    enum err e = read_sets(text, &l, messages);

    if (e == ERR_OK)
        e = compare(&b->send, &l, FORM_SEND, &found);
    if (e == ERR_OK)
        e = compare(&b->receive, &l, FORM_RECEIVE, &found);
    permits_list_fini(&l);
    if (e == ERR_OK)
        *out = found;
    return e;
}

#include "rules/feed/border_state.h"

#include "rules/feed/render.h"

#include <inttypes.h>

#define CHUNK 1000U /* elements of a command: netlink has limits */

/* ---- elements ---- */

struct elements {
    const char *verb; /* "add" or "delete" */
    const char *set;
    bool v4;
    size_t n; /* in the command that is open */
    struct buf *out;
};

static void
begin_element(struct elements *e)
{
    if (e->n % CHUNK == 0)
        buf_printf(e->out, "%s%s element " BORDER_TABLE " %s_v%c {\n    ",
                   e->n > 0 ? "\n}\n" : "", e->verb, e->set, e->v4 ? '4' : '6');
    else
        buf_str(e->out, ",\n    ");
    e->n++;
}

static void
end_elements(struct elements *e)
{
    if (e->n > 0)
        buf_str(e->out, "\n}\n");
}

static void
put_addr(const struct addr *a, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    buf_put(out, text, addr_format(a, text));
}

static void
put_range(const struct permits_range *r, struct buf *out)
{
    put_addr(&r->first, out);
    if (addr_cmp(&r->first, &r->last) == 0)
        return;
    buf_putc(out, '-');
    put_addr(&r->last, out);
}

static void
put_ranges(const struct border_ranges *r, const char *verb, const char *set,
           struct buf *out)
{
    for (unsigned k = 0; k < 2; k++) {
        struct elements e = {verb, set, k == 0, 0, out};

        for (size_t i = 0; i < r->n; i++) {
            if (border_is_v4(&r->v[i]) != e.v4)
                continue;
            begin_element(&e);
            put_range(&r->v[i], out);
        }
        end_elements(&e);
    }
}

/* ---- ways across the border ---- */

/* In the order in which they are asked. end: whose site counts. */
static const struct way {
    const char *name, *end;
    bool asks; /* to port 25, else from it */
    const char *stop;
    const char *doc;
} ways[] = {
    {"out",    "saddr", true,  "reject with tcp reset", "outbound from"         },
    {"in",     "daddr", true,  "reject with tcp reset", "inbound to"            },
    {"back",   "daddr", false, "drop",                  "source port 25 inbound"},
    {"answer", "saddr", false, "drop",                  "answers outbound"      },
};

static enum border_phase
phase_of(const struct border *b, size_t id)
{
    return id < b->in->n_sites ? b->in->sites[id].phase : b->in->rest;
}

static void
put_name(const struct way *w, size_t id, struct buf *out)
{
    buf_printf(out, "%s_%zu", w->name, id);
}

static void
put_code(const struct border *b, size_t id, struct buf *out)
{
    if (id < b->in->n_sites)
        render_safe(out, b->in->sites[id].code, BORDER_CODE);
    else
        buf_str(out, "no site");
}

/* What is not stopped is accepted here, so that nothing behind it counts or
 * stops it again. */
static void
put_end(enum border_phase phase, const char *stop, struct buf *out)
{
    if (phase == BORDER_DENY)
        buf_printf(out, "        meta l4proto @armed %s\n", stop);
    buf_str(out, "        accept\n    }\n");
}

static void
put_place(const struct border *b, const struct way *w, size_t id,
          struct buf *out)
{
    const enum border_phase phase = phase_of(b, id);

    if (phase != BORDER_OFF) {
        buf_str(out, "    counter ");
        put_name(w, id, out);
        buf_str(out, " {\n        comment \"");
        put_code(b, id, out);
        buf_printf(out, " %s %s\"\n    }\n", border_phase_word(phase), w->doc);
    }
    buf_str(out, "    chain ");
    put_name(w, id, out);
    buf_str(out, " {\n");
    if (phase != BORDER_OFF) {
        buf_str(out, "        counter name ");
        put_name(w, id, out);
        buf_putc(out, '\n');
    }
    put_end(phase, w->stop, out);
}

/* One each of places that are there; the rest is one too. */
static void
put_places(const struct border *b, struct buf *out)
{
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        for (size_t id = 0; id <= b->in->n_sites; id++)
            put_place(b, &ways[w], id, out);
    }
}

struct map {
    struct elements e;
    const struct way *way;
};

static void
put_mapped(void *ctx, size_t id, const struct permits_range *r)
{
    struct map *m = ctx;

    if (border_is_v4(r) != m->e.v4)
        return;
    begin_element(&m->e);
    put_range(r, m->e.out);
    buf_str(m->e.out, " : jump ");
    put_name(m->way, id, m->e.out);
}

static void
fill_maps(const struct border *b, struct buf *out)
{
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        for (unsigned k = 0; k < 2; k++) {
            struct map m = {
                {"add", ways[w].name, k == 0, 0, out},
                &ways[w]
            };

            carve_inner(b->places, b->n_places, put_mapped, &m);
            for (size_t i = 0; i < b->home.n; i++)
                carve_without(&b->home.v[i], b->sited.v, b->sited.n,
                              b->in->n_sites, put_mapped, &m);
            end_elements(&m.e);
        }
    }
}

/* ---- the table ---- */

static const char *const families[][3] = {
    {"ip",  "ipv4_addr", "4"},
    {"ip6", "ipv6_addr", "6"},
};

static void
declare_sets(struct buf *out)
{
    static const char *const sets[] = {"home", "send_25", "receive_25"};

    buf_str(out, "    set armed {\n        type inet_proto\n"
                 "        flags timeout\n    }\n");
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        for (size_t i = 0; i < ARRAY_LEN(sets); i++)
            buf_printf(out,
                       "    set %s_v%s {\n        type %s\n"
                       "        flags interval\n    }\n",
                       sets[i], families[f][2], families[f][1]);
        for (size_t w = 0; w < ARRAY_LEN(ways); w++)
            buf_printf(out,
                       "    map %s_v%s {\n        type %s : verdict\n"
                       "        flags interval\n    }\n",
                       ways[w].name, families[f][2], families[f][1]);
    }
}

static void
put_permits(bool asks, struct buf *out)
{
    static const char *const ends[2][2] = {
        {"daddr @send_25", "saddr @receive_25"}, /* answers */
        {"saddr @send_25", "daddr @receive_25"},
    };
    static const char *const counters[2][2] = {
        {"permitted_back", "permitted_answer"},
        {"permitted_out",  "permitted_in"    },
    };

    for (size_t i = 0; i < 2; i++) {
        for (size_t f = 0; f < ARRAY_LEN(families); f++)
            buf_printf(out, "        %s %s_v%s counter name %s accept\n",
                       families[f][0], ends[asks][i], families[f][2],
                       counters[asks][i]);
    }
}

static void
put_side(bool asks, struct buf *out)
{
    buf_printf(out, "    chain %s {\n", asks ? "to_25" : "from_25");
    put_permits(asks, out);
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        for (size_t f = 0; f < ARRAY_LEN(families) && ways[w].asks == asks; f++)
            buf_printf(out, "        %s %s vmap @%s_v%s\n", families[f][0],
                       ways[w].end, ways[w].name, families[f][2]);
    }
    buf_printf(out, "        jump other_%s\n    }\n", asks ? "to" : "from");
}

static void
put_other(const struct border *b, bool asks, struct buf *out)
{
    const char *name = asks ? "other_to" : "other_from";
    const enum border_phase phase = b->in->other;

    if (phase != BORDER_OFF)
        buf_printf(out,
                   "    counter %s {\n        comment \"everything else %s\"\n"
                   "    }\n",
                   name, border_phase_word(phase));
    buf_printf(out, "    chain %s {\n", name);
    if (phase != BORDER_OFF)
        buf_printf(out, "        counter name %s\n", name);
    put_end(phase, asks ? "reject with tcp reset" : "drop", out);
}

/* To port 25 first: who may answer may not ask for that. */
static void
put_border(struct buf *out)
{
    buf_str(out, "    chain border {\n"
                 "        type filter hook forward priority -10\n"
                 "        policy accept\n"
                 "        meta l4proto != tcp accept\n");
    for (size_t f = 0; f < ARRAY_LEN(families); f++)
        buf_printf(
            out, "        %s saddr @home_v%s %s daddr @home_v%s accept\n",
            families[f][0], families[f][2], families[f][0], families[f][2]);
    buf_str(out, "        tcp dport 25 jump to_25\n"
                 "        tcp sport 25 jump from_25\n    }\n");
}

static void
put_counters(struct buf *out)
{
    static const char *const names[] = {"permitted_out", "permitted_in",
                                        "permitted_back", "permitted_answer"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_printf(out, "    counter %s {\n    }\n", names[i]);
}

/* ---- scripts ---- */

static void
write_undo(const struct border *b, struct buf *out)
{
    (void)b;
    buf_str(out, "add table " BORDER_TABLE "\ndelete table " BORDER_TABLE "\n");
}

static void
write_load(const struct border *b, struct buf *out)
{
    write_undo(b, out);
    buf_str(out, "table " BORDER_TABLE " {\n");
    declare_sets(out);
    put_counters(out);
    put_places(b, out);
    for (unsigned asks = 0; asks < 2; asks++) {
        put_other(b, asks, out);
        put_side(asks, out);
    }
    put_border(out);
    buf_str(out, "}\n");
    put_ranges(&b->send, "add", "send_25", out);
    put_ranges(&b->receive, "add", "receive_25", out);
    put_ranges(&b->home, "add", "home", out);
    fill_maps(b, out);
}

static void
write_arm(const struct border *b, struct buf *out)
{
    static const char *const verbs[] = {"delete", "add"};

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        put_ranges(&b->send, verbs[i], "send_25", out);
        put_ranges(&b->receive, verbs[i], "receive_25", out);
    }
    buf_str(out, "flush set " BORDER_TABLE " armed\n"
                 "add element " BORDER_TABLE " armed { tcp");
    if (b->in->trial_s > 0)
        buf_printf(out, " timeout %" PRIu64 "s", b->in->trial_s);
    buf_str(out, " }\n");
}

static void
write_disarm(const struct border *b, struct buf *out)
{
    (void)b;
    buf_str(out, "add table " BORDER_TABLE "\n"
                 "add set " BORDER_TABLE
                 " armed { type inet_proto; flags timeout; }\n"
                 "flush set " BORDER_TABLE " armed\n");
}

static const struct {
    const char *doc;
    void (*put)(const struct border *b, struct buf *out);
} scripts[BORDER_SCRIPT_COUNT] = {
    [BORDER_LOAD] = {"permits and counters; stops nothing until it is armed",
                     write_load                                                           },
    [BORDER_ARM] = {"deny becomes active; refused as a whole where a permit is "
                    "not loaded",                        write_arm   },
    [BORDER_DISARM] = {"nothing is stopped, all is counted",                    write_disarm},
    [BORDER_UNDO] = {"takes all of it away",                                  write_undo  },
};

void
border_write(const struct border *b, enum border_script s, struct buf *out)
{
    buf_str(out, "#!/usr/sbin/nft -f\n# span25: port 25 by permit, ");
    render_time(out, b->in->now);
    buf_printf(out, ": %s\n# ", border_script_word(s));
    buf_str(out, scripts[s].doc);
    buf_putc(out, '\n');
    scripts[s].put(b, out);
}

#include "rules/sigma/sigma_document.h"

#include "rules/sigma/sigma_condition.h"
#include "rules/sigma/sigma_meta.h"
#include "rules/sigma/sigma_value.h"

#define TITLE_MAX       256U
#define DESCRIPTION_MAX 65535U
#define CONDITIONS_MAX  64U
#define SELECTIONS_MAX  1024U
#define TARGETS_MAX     1024U

static bool
out_of_memory(struct sigma_reader *r)
{
    r->nomem = true;
    return false;
}

static const struct sigma_node *
at(const struct sigma_reader *r, uint32_t i)
{
    return &r->t->node[i];
}

/* ---- what stands above the detection ---- */

static bool
is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
is_uuid(struct span s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
            return false;
    }
    return true;
}

static bool
is_date(struct span s)
{
    struct span month = span_tail(span_head(s, 7), 5), day = span_tail(s, 8);
    uint64_t year, m, d;

    return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' &&
           span_to_u64(span_head(s, 4), &year) && span_to_u64(month, &m) &&
           span_to_u64(day, &d) && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

static bool
is_status(struct span s)
{
    static const struct span words[] = {
        SPAN_INIT("stable"), SPAN_INIT("test"), SPAN_INIT("experimental"),
        SPAN_INIT("deprecated"), SPAN_INIT("unsupported")};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq(words[i], s))
            return true;
    }
    return false;
}

static const struct {
    struct span word;
    enum sigma_level level;
} levels[] = {
    {SPAN_INIT("informational"), SIGMA_INFORMATIONAL},
    {SPAN_INIT("low"),           SIGMA_LOW          },
    {SPAN_INIT("medium"),        SIGMA_MEDIUM       },
    {SPAN_INIT("high"),          SIGMA_HIGH         },
    {SPAN_INIT("critical"),      SIGMA_CRITICAL     },
};

static enum sigma_level
level_of(struct span s)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (span_eq(levels[i].word, s))
            return levels[i].level;
    }
    return SIGMA_LEVEL_NONE;
}

static bool
is_level(struct span s)
{
    return level_of(s) != SIGMA_LEVEL_NONE;
}

static bool
is_title(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n > 0 && n <= TITLE_MAX;
}

static bool
is_any(struct span s)
{
    return s.n <= DESCRIPTION_MAX;
}

static bool
is_name(struct span s)
{
    return s.n > 0 && s.n <= TITLE_MAX;
}

/* Keys with one value. Others are the author's own and not looked at. */
static const struct {
    const char *key;
    bool (*good)(struct span s);
    const char *want;
    size_t at; /* a span of struct sigma_info */
} scalars[] = {
    {"title",                                                         is_title,                   "must be a text of at most 256 characters",
     offsetof(struct sigma_info,                                                                                                                                                                                                                                                           title)},
    {"id",                                                               is_uuid,
     "must be a UUID such as "
     "0d1b7a0e-6c1d-4b8e-9a53-2f4f1e0c7a11",                                                                      offsetof(struct sigma_info,                                                                                                                                                                                                                                               id)},
    {"name",                                                            is_name,                                                                                      "must be a word",                                                                                                                                      offsetof(struct sigma_info,name)},
    {"status",                                     is_status,
     "must be stable, test, experimental, deprecated or unsupported",offsetof(struct sigma_info,                                                                                                                                              status)},
    {"description", is_any, "must be a text of at most 65535 characters",
     offsetof(struct sigma_info,                                                         description)},
    {"date",                                                         is_date,                                       "must be a date such as 2026-11-22",                                                                                                                         SIZE_MAX                                                                                                                                                                                    },
    {"modified",                                                          is_date,                     "must be a date such as 2026-11-22", SIZE_MAX},
    {"level",                                                      is_level,                "must be informational, low, medium, high or critical",
     SIZE_MAX                                                                                                                                     },
    {"taxonomy",                                                         is_any,                      "must be a word",      SIZE_MAX                                                                                                                                                                                                                                                                            },
};

static void
read_scalars(struct sigma_reader *r, struct sigma_info *info)
{
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
        uint32_t v = sigma_tree_get(r->t, 1, scalars[i].key, NULL);

        if (v == 0)
            continue;
        if (at(r, v)->kind != SIGMA_SCALAR || !scalars[i].good(at(r, v)->text))
            sigma_fault_at(r, v, span_str(scalars[i].key), "%s",
                           scalars[i].want);
        else if (scalars[i].at != SIZE_MAX)
            *(struct span *)(void *)((char *)info + scalars[i].at) =
                at(r, v)->text;
    }
    if (sigma_tree_get(r->t, 1, "title", NULL) == 0)
        sigma_fault_at(r, 1, SPAN_LIT("title"),
                       "is missing, every rule has one");
}

/* namespace.name, lower case */
static bool
is_tag(struct span s)
{
    size_t dot = span_find(s, '.');

    if (dot == 0 || dot + 1 >= s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '-' || (c == '.' && i >= dot)))
            return false;
    }
    return true;
}

static void
read_tags(struct sigma_reader *r, struct sigma_info *info)
{
    uint32_t list = sigma_tree_get(r->t, 1, "tags", NULL);
    struct span *tags;

    if (list == 0 || sigma_tree_type(at(r, list)) == SIGMA_IS_NULL)
        return;
    if (at(r, list)->kind != SIGMA_LIST) {
        sigma_fault_at(r, list, SPAN_LIT("tags"), "must be a list");
        return;
    }
    tags = SIGMA_GET(r->arena, struct span, at(r, list)->n);
    if (tags == NULL) {
        r->nomem = true;
        return;
    }
    for (uint32_t i = at(r, list)->first; i != 0; i = at(r, i)->next) {
        if (at(r, i)->kind != SIGMA_SCALAR || !is_tag(at(r, i)->text))
            sigma_fault_at(r, i, SPAN_LIT("tags"),
                           "'%s' is no tag, write attack.t1048 in lower case",
                           sigma_word(at(r, i)->text).s);
        else
            tags[info->n_tags++] = at(r, i)->text;
    }
    info->tags = tags;
}

/* ---- log source ---- */

static bool
log_word(struct sigma_reader *r, uint32_t map, const char *key,
         struct span *out)
{
    uint32_t v = sigma_tree_get(r->t, map, key, NULL);

    *out = SPAN_NONE;
    if (v == 0 || sigma_tree_type(at(r, v)) == SIGMA_IS_NULL)
        return false;
    if (at(r, v)->kind != SIGMA_SCALAR || at(r, v)->text.n == 0) {
        sigma_fault_at(r, v, span_str(key), "must be a word");
        return false;
    }
    *out = at(r, v)->text;
    return true;
}

/* host is here before statistics of hosts are events: such a rule waits. */
static const struct span services[] = {
    SPAN_INIT("smtp"), SPAN_INIT("smtp_session"), SPAN_INIT("fileinfo"),
    SPAN_INIT("tls"),  SPAN_INIT("anomaly"),      SPAN_INIT("host")};

static uint64_t
services_of(const struct sigma_reader *r, struct span one)
{
    uint64_t set = 0;

    if (r->every_event)
        return one.p == NULL ? UINT64_MAX : UINT64_C(1) << event_type_find(one);
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        enum event_type t = event_type_find(services[i]);

        if (t != EVENT_NONE && (one.p == NULL || span_eq(one, services[i])))
            set |= UINT64_C(1) << t;
    }
    return set;
}

static bool
is_service(const struct sigma_reader *r, struct span s)
{
    if (r->every_event)
        return event_type_find(s) != EVENT_NONE;
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (span_eq(s, services[i]))
            return true;
    }
    return false;
}

static void
wrong_service(struct sigma_reader *r, uint32_t map, struct span word)
{
    struct near near = near_start(word);

    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        near_offer(&near, services[i]);
    if (near.best.n > 0)
        sigma_fault_at(r, sigma_tree_get(r->t, map, "service", NULL),
                       SPAN_LIT("service"),
                       "span25 has no '%s', did you mean '%s'?",
                       sigma_word(word).s, sigma_word(near.best).s);
    else
        sigma_fault_at(r, sigma_tree_get(r->t, map, "service", NULL),
                       SPAN_LIT("service"),
                       "span25 has no '%s', write smtp, smtp_session, "
                       "fileinfo, tls, anomaly or host",
                       sigma_word(word).s);
}

static void
read_logsource(struct sigma_reader *r, struct sigma_rule *out)
{
    uint32_t map = sigma_tree_get(r->t, 1, "logsource", NULL);
    bool product, category, service, ours;

    if (map == 0 || at(r, map)->kind != SIGMA_MAP) {
        sigma_fault_at(r, map != 0 ? map : 1, SPAN_LIT("logsource"),
                       "%s, write product: span25 and a service below it",
                       map != 0 ? "must be keys and values" : "is missing");
        return;
    }
    product = log_word(r, map, "product", &out->product);
    category = log_word(r, map, "category", &out->category);
    service = log_word(r, map, "service", &out->service);
    if (!product && !category && !service) {
        sigma_fault_at(r, map, SPAN_LIT("logsource"),
                       "needs one of product, service, category");
        return;
    }
    ours = product && span_eq(out->product, SPAN_LIT("span25"));
    if (ours && !category && service && !is_service(r, out->service))
        wrong_service(r, map, out->service);
    r->foreign = category || (product && !ours) ||
                 (service && !is_service(r, out->service));
    r->may_be_other = !product;
    out->services = services_of(r, service ? out->service : SPAN_NONE);
}

/* ---- detection ---- */

static bool
read_map(struct sigma_reader *r, uint32_t node, struct sigma_items *out)
{
    const struct sigma_node *n = at(r, node);
    struct sigma_item *v;
    bool good = true;

    if (n->n == 0) {
        sigma_fault_at(r, node, SPAN_NONE,
                       "an empty map matches nothing, "
                       "write fields and values");
        return false;
    }
    v = SIGMA_GET(r->arena, struct sigma_item, n->n);
    if (v == NULL)
        return out_of_memory(r);
    for (uint32_t k = n->first, i = 0; k != 0 && !r->nomem;
         k = at(r, at(r, k)->next)->next, i++)
        good = sigma_item_read(r, k, at(r, k)->next, &v[i]) && good;
    *out = (struct sigma_items){v, n->n};
    return good && !r->nomem;
}

/* A list of plain values, or one of them. */
static bool
read_keywords(struct sigma_reader *r, uint32_t node, struct sigma_items *out)
{
    struct sigma_item *v = SIGMA_GET(r->arena, struct sigma_item, 1);

    if (v == NULL)
        return out_of_memory(r);
    *out = (struct sigma_items){v, 1};
    return sigma_item_read(r, 0, node, v);
}

static bool
read_maps(struct sigma_reader *r, uint32_t list, struct sigma_selection *out)
{
    struct sigma_items *v =
        SIGMA_GET(r->arena, struct sigma_items, at(r, list)->n);
    bool good = true;
    uint32_t n = 0;

    if (v == NULL)
        return out_of_memory(r);
    for (uint32_t i = at(r, list)->first; i != 0 && !r->nomem;
         i = at(r, i)->next) {
        if (at(r, i)->kind == SIGMA_MAP)
            good = read_map(r, i, &v[n++]) && good;
        else
            good = read_keywords(r, i, &v[n++]) && good;
    }
    out->map = v;
    out->n_maps = n;
    return good;
}

static bool
has_map(const struct sigma_reader *r, uint32_t list)
{
    for (uint32_t i = at(r, list)->first; i != 0; i = at(r, i)->next) {
        if (at(r, i)->kind != SIGMA_SCALAR)
            return true;
    }
    return false;
}

static bool
read_selection(struct sigma_reader *r, uint32_t node,
               struct sigma_selection *out)
{
    struct sigma_items *one;

    if (at(r, node)->kind == SIGMA_LIST && has_map(r, node))
        return read_maps(r, node, out);
    one = SIGMA_GET(r->arena, struct sigma_items, 1);
    if (one == NULL)
        return out_of_memory(r);
    out->map = one;
    out->n_maps = 1;
    return at(r, node)->kind == SIGMA_MAP ? read_map(r, node, one)
                                          : read_keywords(r, node, one);
}

static bool
is_identifier(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (!((c >= '0' && c <= '9') ||
              ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-'))
            return false;
    }
    return s.n > 0;
}

static bool
is_known_key(struct span key, bool filter)
{
    return span_eq(key, SPAN_LIT("condition")) ||
           span_eq(key, SPAN_LIT("timeframe")) ||
           (filter && span_eq(key, SPAN_LIT("rules")));
}

static bool
read_selections(struct sigma_reader *r, uint32_t map, bool filter,
                struct sigma_rule *out)
{
    struct sigma_selection *v =
        SIGMA_GET(r->arena, struct sigma_selection, at(r, map)->n + 1U);
    bool good = true;

    if (v == NULL)
        return out_of_memory(r);
    for (uint32_t k = at(r, map)->first; k != 0 && !r->nomem;
         k = at(r, at(r, k)->next)->next) {
        struct span name = at(r, k)->text;

        if (is_known_key(name, filter))
            continue;
        if (!is_identifier(name)) {
            sigma_fault_at(r, k, name,
                           "a selection's name has letters, "
                           "digits, _ and -");
            good = false;
            continue;
        }
        v[out->n_selections].name = name;
        good =
            read_selection(r, at(r, k)->next, &v[out->n_selections++]) && good;
    }
    out->selection = v;
    if (out->n_selections == 0) {
        sigma_fault_at(r, map, SPAN_LIT("detection"),
                       "has no selection, write one with fields and values");
        return false;
    }
    return good && !r->nomem;
}

static bool
parse_one(struct sigma_reader *r, uint32_t node, struct sigma_condition *c,
          const struct sigma_names *names)
{
    c->error[0] = '\0';
    if (at(r, node)->kind != SIGMA_SCALAR) {
        sigma_fault_at(r, node, SPAN_LIT("condition"), "must be a text");
        return false;
    }
    if (sigma_condition_parse(c, at(r, node)->text, names))
        return true;
    sigma_fault_at(r, node, SPAN_LIT("condition"), "%s", c->error);
    return false;
}

static bool
parse_conditions(struct sigma_reader *r, uint32_t node, bool filter,
                 struct sigma_condition *c, const struct sigma_names *names)
{
    bool list = at(r, node)->kind == SIGMA_LIST;
    uint32_t n = 0;

    if (list &&
        (filter || at(r, node)->n == 0 || at(r, node)->n > CONDITIONS_MAX)) {
        sigma_fault_at(r, node, SPAN_LIT("condition"),
                       filter ? "a filter has one condition"
                              : "must have 1 to 64 conditions");
        return false;
    }
    for (uint32_t i = list ? at(r, node)->first : node; i != 0;
         i = list ? at(r, i)->next : 0) {
        if (!parse_one(r, i, c, names) ||
            (n++ > 0 && !sigma_condition_put(c, SIGMA_CODE_OR, 0)))
            return false;
    }
    return true;
}

static bool
keep_code(struct sigma_reader *r, const struct sigma_condition *c,
          struct sigma_program *out)
{
    struct sigma_code *v = SIGMA_GET(r->arena, struct sigma_code, c->n);

    if (v == NULL)
        return out_of_memory(r);
    memcpy(v, c->code, c->n * sizeof(*v));
    *out = (struct sigma_program){v, c->n};
    return true;
}

/* As written, for people: several are an OR. */
static void
keep_text(struct sigma_reader *r, uint32_t node, struct sigma_rule *out)
{
    bool list = at(r, node)->kind == SIGMA_LIST;
    struct buf all;

    buf_init(&all, SIGMA_TEXT_MAX);
    for (uint32_t i = list ? at(r, node)->first : node; i != 0;
         i = list ? at(r, i)->next : 0) {
        buf_str(&all, all.n > 0 ? " or " : "");
        buf_span(&all, at(r, i)->text);
    }
    out->condition = sigma_arena_span(r->arena, buf_view(&all));
    r->nomem = r->nomem || out->condition.p == NULL;
    buf_free(&all);
}

static bool
read_condition(struct sigma_reader *r, uint32_t map, bool filter,
               struct sigma_rule *out)
{
    uint32_t node = sigma_tree_get(r->t, map, "condition", NULL);
    struct span *names =
        SIGMA_GET(r->arena, struct span, out->n_selections + 1U);
    struct sigma_names all = {names, out->n_selections, false, NULL};
    struct sigma_condition *c = malloc(sizeof(*c));
    bool good = false;

    if (names == NULL || c == NULL) {
        free(c);
        return out_of_memory(r);
    }
    c->n = 0;
    for (uint32_t i = 0; i < all.n; i++)
        names[i] = out->selection[i].name;
    if (node == 0)
        sigma_fault_at(r, map, SPAN_LIT("condition"),
                       "is missing, name the selections that must match");
    else
        good = parse_conditions(r, node, filter, c, &all) &&
               keep_code(r, c, &out->postfix);
    if (good)
        keep_text(r, node, out);
    free(c);
    return good;
}

static bool
read_detection(struct sigma_reader *r, const char *key, bool filter,
               struct sigma_rule *out)
{
    uint32_t map = sigma_tree_get(r->t, 1, key, NULL);
    bool good;

    if (at(r, map)->kind != SIGMA_MAP) {
        sigma_fault_at(r, map, span_str(key), "must be keys and values");
        return false;
    }
    if (at(r, map)->n > SELECTIONS_MAX) {
        sigma_fault_at(r, map, span_str(key), "has more than %u selections",
                       SELECTIONS_MAX);
        return false;
    }
    good = read_selections(r, map, filter, out);
    /* a condition that names a selection with a fault is no second fault */
    return !r->nomem && out->n_selections > 0 &&
           read_condition(r, map, filter, out) && good;
}

bool
sigma_refs_read(struct sigma_reader *r, uint32_t node, const char *key,
                struct sigma_ref **out, uint32_t *n, uint32_t max)
{
    bool list = at(r, node)->kind == SIGMA_LIST;
    uint32_t count = list ? at(r, node)->n : 1;

    if (at(r, node)->kind == SIGMA_MAP || count == 0 || count > max) {
        sigma_fault_at(r, node, span_str(key),
                       "must be a list of 1 to %u names", max);
        return false;
    }
    *out = SIGMA_GET(r->arena, struct sigma_ref, count);
    if (*out == NULL)
        return out_of_memory(r);
    for (uint32_t i = list ? at(r, node)->first : node; i != 0;
         i = list ? at(r, i)->next : 0) {
        if (at(r, i)->kind != SIGMA_SCALAR || at(r, i)->text.n == 0) {
            sigma_fault_at(r, i, span_str(key), "must be names or ids");
            return false;
        }
        (*out)[(*n)++] = (struct sigma_ref){at(r, i)->text, at(r, i)->line,
                                            at(r, i)->column, 0};
    }
    return true;
}

static bool
read_targets(struct sigma_reader *r, struct sigma_rule *out)
{
    uint32_t map = sigma_tree_get(r->t, 1, "filter", NULL);
    uint32_t node = sigma_tree_get(r->t, map, "rules", NULL);

    if (node == 0) {
        sigma_fault_at(r, map, SPAN_LIT("rules"),
                       "is missing, list ids or names, or write any");
        return false;
    }
    if (span_eq(at(r, node)->text, SPAN_LIT("any")))
        return true;
    return sigma_refs_read(r, node, "rules", &out->target, &out->n_targets,
                           TARGETS_MAX);
}

/* ---- the document ---- */

static enum sigma_kind
kind_of(const struct sigma_reader *r)
{
    if (sigma_tree_get(r->t, 1, "correlation", NULL) != 0)
        return SIGMA_CORRELATION;
    return sigma_tree_get(r->t, 1, "filter", NULL) != 0 ? SIGMA_FILTER
                                                        : SIGMA_RULE;
}

static void
read_body(struct sigma_reader *r, struct sigma_rule *out)
{
    uint32_t node;

    switch (out->info.kind) {
    case SIGMA_RULE:
        read_logsource(r, out);
        if (sigma_tree_get(r->t, 1, "detection", NULL) == 0)
            sigma_fault_at(r, 1, SPAN_LIT("detection"),
                           "is missing, a rule has detection, correlation or "
                           "filter");
        else
            (void)read_detection(r, "detection", false, out);
        break;
    case SIGMA_FILTER:
        read_logsource(r, out);
        if (read_detection(r, "filter", true, out))
            (void)read_targets(r, out);
        break;
    case SIGMA_CORRELATION:
        node = sigma_tree_get(r->t, 1, "correlation", NULL);
        (void)sigma_correlation_read(r, node, out);
        break;
    }
}

bool
sigma_document_read(struct sigma_reader *r, struct sigma_rule *out)
{
    uint32_t v;

    if (at(r, 1)->kind != SIGMA_MAP) {
        sigma_fault_at(r, 1, SPAN_NONE,
                       "a rule must be keys and values, begin with title:");
        return false;
    }
    *out = (struct sigma_rule){
        .info = {.kind = kind_of(r),
                 .line = at(r, 1)->line,
                 .hash = r->t->hash,
                 .file = r->file}
    };
    out->column = at(r, 1)->column;
    read_scalars(r, &out->info);
    v = sigma_tree_get(r->t, 1, "level", NULL);
    if (v != 0)
        out->info.level = level_of(at(r, v)->text);
    read_tags(r, &out->info);
    read_body(r, out);
    sigma_meta_read(r, out);
    out->n_own = out->n_selections;
    out->info.foreign = r->foreign;
    return r->faults == 0 && !r->nomem;
}

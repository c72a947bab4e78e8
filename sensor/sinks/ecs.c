#include "sensor/sinks/ecs_rows.h"

#include "sensor/base/attr.h"
#include "sensor/base/json_out.h"
#include "sensor/sinks/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "9.0.0"

struct view {
    const struct record_map *map;
    struct record_head head;
    struct json_out j;
};

/* ---- values in another form ---- */

static void
put_lower(struct json_out *j, struct span s)
{
    char room[64];

    s = span_head(s, sizeof(room));
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)s.p[i];

        room[i] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
    }
    (void)json_str(j, span_of(room, s.n));
}

static void
put_dataset(struct json_out *j, struct span s)
{
    char room[64];
    int n = snprintf(room, sizeof(room), "span25.%.*s", (int)span_head(s, 40).n,
                     (const char *)s.p);

    (void)json_str(j, span_of(room, (size_t)n));
}

static void
put_outcome(struct json_out *j, struct span s)
{
    const char *word = "failure";

    if (span_eq(s, SPAN_LIT("accepted")))
        word = "success";
    else if (span_eq(s, SPAN_LIT("unknown")))
        word = "unknown";
    (void)json_str(j, span_str(word));
}

static struct span
without_brackets(struct span s)
{
    const uint8_t *open = s.n > 0 ? memrchr(s.p, '<', s.n) : NULL;

    if (open == NULL)
        return s;
    s = span_tail(s, (size_t)(open - s.p) + 1);
    return span_head(s, span_find(s, '>'));
}

static void
put_mac(struct json_out *j, struct span s)
{
    char room[64];

    s = span_head(s, sizeof(room));
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)s.p[i];

        room[i] = c >= 'a' && c <= 'f' ? (char)(c - 0x20) : c;
        if (c == ':')
            room[i] = '-';
    }
    (void)json_str(j, span_of(room, s.n));
}

/* ---- a field ---- */

static void
put_time(struct json_out *j, ns_t when)
{
    char text[NS_TEXT_MAX];
    size_t n = ns_format(when, text);

    text[n - 5] = 'Z'; /* in place of +0000 */
    (void)json_str(j, span_of(text, n - 4));
}

static void
put_text(struct json_out *j, struct span s, enum ecs_form form)
{
    ns_t when = 0;

    switch (form) {
    case LOWER: put_lower(j, s); return;
    case DATASET: put_dataset(j, s); return;
    case OUTCOME: put_outcome(j, s); return;
    case MAILBOX: (void)json_str(j, without_brackets(s)); return;
    case MAC: put_mac(j, s); return;
    case DATE:
        (void)date_parse(s, &when);
        put_time(j, when);
        return;
    case FILES:
        json_begin(j, '{');
        json_key(j, "file");
        json_begin(j, '{');
        json_key(j, "name");
        (void)json_str(j, s);
        json_end(j, '}');
        json_end(j, '}');
        return;
    case PLAIN:
    case SEVERITY: (void)json_str(j, s); return;
    }
}

/* Elastic's own figures for the severities of its detection rules. */
static uint64_t
severity_of(uint64_t eve)
{
    static const uint8_t figures[] = {0, 73, 47, 21, 0};

    return eve < ARRAY_LEN(figures) ? figures[eve] : 0;
}

static void
put_scalar(struct json_out *j, enum field f, struct span value,
           enum ecs_form form)
{
    char room[ADDR_TEXT_MAX];
    struct addr a;

    switch (field_table[f].type) {
    case FT_BOOL: json_bool(j, span_at(value, 0) != 0); break;
    case FT_U64:
    case FT_U64S:
        json_u64(j, form == SEVERITY ? severity_of(entry_u64(value))
                                     : entry_u64(value));
        break;
    case FT_I64: json_i64(j, (int64_t)entry_u64(value)); break;
    case FT_TIME: put_time(j, entry_u64(value)); break;
    case FT_ADDR:
        (void)entry_addr(value, &a);
        (void)json_str(j, span_of(room, addr_format(&a, room)));
        break;
    case FT_STR:
    case FT_STRS: put_text(j, value, form); break;
    case FT_OBJS: json_null(j); break; /* not within another, see ecs_new */
    }
}

static const char *
child_key(enum field f)
{
    const char *at = strstr(field_table[f].path, "[].");

    return at != NULL ? at + 3 : field_table[f].path;
}

static void
put_object(struct json_out *j, struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    json_begin(j, '{');
    while (record_next(&c, &e)) {
        json_key(j, child_key(e.field));
        put_scalar(j, e.field, e.value, PLAIN);
    }
    json_end(j, '}');
}

static void
put_list(struct json_out *j, const struct record_map *m,
         const struct ecs_row *r)
{
    struct cursor c = record_map_list(m, (enum field)r->field);
    struct record_entry e;

    json_begin(j, '[');
    while (record_next(&c, &e) && e.field == (enum field)r->field) {
        if (field_table[e.field].type == FT_OBJS)
            put_object(j, e.value);
        else
            put_scalar(j, e.field, e.value, (enum ecs_form)r->form);
    }
    json_end(j, ']');
}

/* What stands in the header of a record. */
static bool
put_head(struct view *v, const struct ecs_row *r)
{
    switch ((enum field)r->field) {
    case FIELD_TIMESTAMP: put_time(&v->j, v->head.when); return true;
    case FIELD_FLOW_ID: json_u64(&v->j, v->head.flow_id); return true;
    case FIELD_FLOW_SEQ: json_u64(&v->j, v->head.seq); return true;
    case FIELD_EVENT_TYPE:
        put_text(&v->j, span_str(event_type_name(v->head.type)),
                 (enum ecs_form)r->form);
        return true;
    default: return false;
    }
}

static bool
has_field(const struct view *v, const struct ecs_row *r)
{
    enum field f = (enum field)r->field;
    ns_t when;

    if (f == FIELD_FLOW_ID)
        return v->head.flow_id != 0;
    if (f == FIELD_FLOW_SEQ)
        return v->head.flow_id != 0 || v->head.seq != 0;
    if (field_is_header(f))
        return true;
    if (!record_map_has(v->map, f))
        return false;
    return r->form != DATE || date_parse(record_map_find(v->map, f), &when);
}

static void
put_field(struct view *v, const struct ecs_row *r)
{
    enum field f = (enum field)r->field;

    if (field_is_header(f))
        (void)put_head(v, r);
    else if (field_is_list(f))
        put_list(&v->j, v->map, r);
    else
        put_scalar(&v->j, f, record_map_find(v->map, f),
                   (enum ecs_form)r->form);
}

/* ---- what is added ---- */

/* What stands at a place: JSON that is ready, or texts. */
struct found {
    struct span raw;
    size_t n, n_rooms;
    struct span text[ECS_RELATED_MAX];
    char room[ECS_RELATED_MAX][ADDR_TEXT_MAX];
};

static void
add_text(struct found *out, struct span s)
{
    if (s.n == 0 || out->n == ECS_RELATED_MAX)
        return;
    for (size_t i = 0; i < out->n; i++) {
        if (span_eq(out->text[i], s))
            return;
    }
    out->text[out->n++] = s;
}

static void
add_address(struct found *out, const struct addr *a)
{
    char *room = out->room[out->n_rooms];

    if (out->n == ECS_RELATED_MAX)
        return;
    add_text(out, span_of(room, addr_format(a, room)));
    out->n_rooms = out->n;
}

/* "192.0.2.7", also "[192.0.2.7]", "192.0.2.7/32" and before " lease ". */
static void
add_address_of(struct found *out, struct span s)
{
    struct prefix p;

    s = span_trim(s);
    if (span_at(s, 0) == '[')
        s = span_tail(span_head(s, span_find(s, ']')), 1);
    s = span_head(s, span_find(s, ' '));
    if (prefix_parse(s, &p) && p.bits == 128)
        add_address(out, &p.addr);
}

enum related { AN_IP, A_HASH, A_HOST, A_USER };

static const struct {
    uint8_t what;
    uint16_t field;
} related[] = {
    {AN_IP,  FIELD_SRC_IP                },
    {AN_IP,  FIELD_DEST_IP               },
    {AN_IP,  FIELD_EMAIL_X_ORIGINATING_IP},
    {AN_IP,  FIELD_DNS_ANSWERS           },
    {AN_IP,  FIELD_ALERT_SUBJECT         },
    {AN_IP,  FIELD_ALERT_RELATED_SUBJECT },
    {AN_IP,  FIELD_DECISION_SUBJECT      },
    {AN_IP,  FIELD_CONTROL_SUBJECT       },
    {A_HASH, FIELD_SMTP_BODY_SHA256      },
    {A_HASH, FIELD_FILEINFO_SHA256       },
    {A_HASH, FIELD_FILEINFO_SHA1         },
    {A_HASH, FIELD_FILEINFO_MD5          },
    {A_HASH, FIELD_FILEINFO_MEMBER_SHA256},
    {A_HOST, FIELD_SMTP_HELO             },
    {A_HOST, FIELD_TLS_SNI               },
    {A_HOST, FIELD_DNS_RRNAME            },
    {A_HOST, FIELD_HOST_HELO             },
    {A_HOST, FIELD_HOST_NAME             },
    {A_USER, FIELD_SMTP_MAIL_FROM        },
    {A_USER, FIELD_SMTP_RCPT_TO          },
    {A_USER, FIELD_EMAIL_FROM            },
    {A_USER, FIELD_EMAIL_SENDER          },
    {A_USER, FIELD_EMAIL_REPLY_TO        },
    {A_USER, FIELD_CONTROL_ACTOR         },
};

static void
add_value(struct found *out, enum related what, enum field f, struct span value)
{
    struct addr a;

    if (what == A_USER)
        add_text(out, without_brackets(value));
    else if (what != AN_IP)
        add_text(out, value);
    else if (field_table[f].type != FT_ADDR)
        add_address_of(out, value);
    else if (entry_addr(value, &a))
        add_address(out, &a);
}

static void
add_of_object(struct found *out, enum related what, enum field f,
              struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == f)
            add_value(out, what, f, e.value);
    }
}

static void
add_field(struct found *out, const struct view *v, enum related what,
          enum field f)
{
    enum field parent = field_parent_of(f);
    enum field list = parent != FIELD_COUNT ? parent : f;
    struct cursor c = record_map_list(v->map, list);
    struct record_entry e;

    while (out->n < ECS_RELATED_MAX && record_next(&c, &e) && e.field == list) {
        if (parent != FIELD_COUNT)
            add_of_object(out, what, f, e.value);
        else
            add_value(out, what, f, e.value);
    }
}

static void
find_related(const struct view *v, unsigned what, struct found *out)
{
    for (size_t i = 0; i < ARRAY_LEN(related); i++) {
        if (related[i].what == what)
            add_field(out, v, (enum related)what, (enum field)related[i].field);
    }
}

static const struct {
    uint8_t type;
    struct span kind, category, types;
} kinds[] = {
#define ECS_KIND(type, kind, category, types)                                  \
    {EVENT_##type, SPAN_INIT("\"" kind "\""), SPAN_INIT(category),             \
     SPAN_INIT(types)},
#include "sensor/sinks/ecs.def"
#undef ECS_KIND
};

enum { THE_KIND, THE_CATEGORY, THE_TYPE };

static void
find_kind(const struct view *v, unsigned what, struct found *out)
{
    size_t i = ARRAY_LEN(kinds) - 1;

    while (i > 0 && kinds[i].type != v->head.type)
        i--;
    out->raw = what == THE_KIND       ? kinds[i].kind
               : what == THE_CATEGORY ? kinds[i].category
                                      : kinds[i].types;
}

static void
find_network(const struct view *v, unsigned what, struct found *out)
{
    struct addr a;

    (void)what;
    if (record_map_addr(v->map, FIELD_SRC_IP, &a))
        out->raw = addr_is_v4(&a) ? SPAN_LIT("\"ipv4\"") : SPAN_LIT("\"ipv6\"");
}

static void
find_framework(const struct view *v, unsigned what, struct found *out)
{
    (void)what;
    if (record_map_has(v->map, FIELD_ALERT_ATTACK))
        out->raw = SPAN_LIT("\"MITRE ATT&CK\"");
}

static const struct span words[] = {
    SPAN_INIT("\"" VERSION "\""),
    SPAN_INIT("\"span25\""),
    SPAN_INIT("\"ids\""),
};

static void
find_word(const struct view *v, unsigned what, struct found *out)
{
    (void)v;
    out->raw = words[what];
}

static const struct {
    const char *path;
    void (*find)(const struct view *v, unsigned what, struct found *out);
    unsigned what;
} added[] = {
    {"ecs.version",      find_word,      0           },
    {"event.module",     find_word,      1           },
    {"observer.vendor",  find_word,      1           },
    {"observer.product", find_word,      1           },
    {"observer.type",    find_word,      2           },
    {"event.kind",       find_kind,      THE_KIND    },
    {"event.category",   find_kind,      THE_CATEGORY},
    {"event.type",       find_kind,      THE_TYPE    },
    {"network.type",     find_network,   0           },
    {"threat.framework", find_framework, 0           },
    {"related.ip",       find_related,   AN_IP       },
    {"related.hash",     find_related,   A_HASH      },
    {"related.hosts",    find_related,   A_HOST      },
    {"related.user",     find_related,   A_USER      },
};

static void
put_found(struct json_out *j, const struct found *f)
{
    if (f->n == 0) {
        json_raw(j, f->raw);
        return;
    }
    json_begin(j, '[');
    for (size_t i = 0; i < f->n; i++)
        (void)json_str(j, f->text[i]);
    json_end(j, ']');
}

/* ---- a line ---- */

/* Closes and opens objects between the place before and this one, whose last
 * part is a key. */
static void
go_to(struct view *v, const struct ecs_row *from, const struct ecs_row *to)
{
    unsigned same = 0;
    unsigned open = from != NULL ? from->n_parts - 1U : 0;

    while (same < open && same + 1U < to->n_parts &&
           strcmp(from->part[same], to->part[same]) == 0)
        same++;
    for (; open > same; open--)
        json_end(&v->j, '}');
    for (; open + 1U < to->n_parts; open++) {
        json_key(&v->j, to->part[open]);
        json_begin(&v->j, '{');
    }
    json_key(&v->j, to->part[to->n_parts - 1U]);
}

/* False: the event has nothing for this place. */
static bool
put_row(struct view *v, const struct ecs_row *before, const struct ecs_row *r)
{
    struct found found;

    if (r->field < FIELD_COUNT) {
        if (!has_field(v, r))
            return false;
        go_to(v, before, r);
        put_field(v, r);
        return true;
    }
    found.n = found.n_rooms = 0;
    found.raw = SPAN_NONE;
    added[r->index].find(v, added[r->index].what, &found);
    if (found.n == 0 && found.raw.n == 0)
        return false;
    go_to(v, before, r);
    put_found(&v->j, &found);
    return true;
}

bool
ecs_write(const struct ecs *e, struct span record, struct buf *out)
{
    size_t begin = out->n;
    const struct ecs_row *before = NULL;
    struct record_map map;
    struct view v = {.map = &map, .j = json_out_open(out)};
    bool is_taken = false;

    record_map_init(&map, record);
    v.head = record_head_of(record);
    json_begin(&v.j, '{');
    for (unsigned i = 0; i < e->n; i++) {
        is_taken = is_taken && e->row[i].again;
        if (is_taken || !put_row(&v, before, &e->row[i]))
            continue;
        is_taken = true;
        before = &e->row[i];
    }
    while (v.j.depth > 0)
        json_end(&v.j, '}');
    if (!out->cut && !out->failed)
        return true;
    out->n = begin;
    return false;
}

/* ---- the places ---- */

static const struct {
    uint16_t field;
    uint8_t form;
    const char *path;
} fields[] = {
#define ECS_FIELD(field, path, form) {FIELD_##field, form, path},
#include "sensor/sinks/ecs.def"
#undef ECS_FIELD
};

static void
set_path(struct ecs *e, struct ecs_row *r, const char *head, const char *path)
{
    char *at = e->paths + e->n_paths;
    int n = snprintf(at, ECS_PATHS_MAX - e->n_paths, "%s%s", head, path);

    REQUIRE(n > 0 && (size_t)n < ECS_PATHS_MAX - e->n_paths);
    e->n_paths += (size_t)n + 1;
    while (at != NULL) {
        REQUIRE(r->n_parts < ECS_PARTS_MAX);
        r->part[r->n_parts++] = at;
        at = strchr(at, '.');
        if (at != NULL)
            *at++ = '\0';
    }
}

static struct ecs_row *
new_row(struct ecs *e, unsigned field, unsigned index, unsigned form)
{
    struct ecs_row *r = &e->row[e->n++];

    REQUIRE(e->n <= ECS_ROWS_MAX);
    *r = (struct ecs_row){.field = (uint16_t)field,
                          .index = (uint8_t)index,
                          .form = (uint8_t)form};
    return r;
}

/* The place of a field that has no row of its own. */
static void
add_usual(struct ecs *e, enum field f)
{
    const struct field_info *i = &field_table[f];
    bool is_word = strchr(i->path, '.') == NULL;

    for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
        if (fields[k].field == f)
            return;
    }
    if (field_parent_of(f) != FIELD_COUNT) {
        REQUIRE(!field_is_list(f)); /* put_object writes each key once */
        return;
    }
    if (i->ecs[0] != '\0')
        set_path(e, new_row(e, f, 0, PLAIN), "", i->ecs);
    else
        set_path(e, new_row(e, f, 0, PLAIN), is_word ? "span25." : "", i->path);
}

static int
compare_rows(const void *a, const void *b)
{
    const struct ecs_row *x = a;
    const struct ecs_row *y = b;
    int order = 0;

    for (unsigned i = 0; order == 0 && i < x->n_parts && i < y->n_parts; i++)
        order = strcmp(x->part[i], y->part[i]);
    if (order == 0)
        order = (int)x->n_parts - (int)y->n_parts;
    return order != 0 ? order : (int)x->field - (int)y->field;
}

/* No place is an object and a value. */
static void
mark_again(struct ecs *e)
{
    for (unsigned i = 1; i < e->n; i++) {
        const struct ecs_row *before = &e->row[i - 1];
        struct ecs_row *r = &e->row[i];
        unsigned same = 0;

        while (same < before->n_parts && same < r->n_parts &&
               strcmp(before->part[same], r->part[same]) == 0)
            same++;
        r->again = same == before->n_parts && same == r->n_parts;
        REQUIRE(r->again || same < before->n_parts);
    }
}

bool
ecs_new(struct ecs **out)
{
    struct ecs *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return false;
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        add_usual(e, (enum field)f);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        set_path(e, new_row(e, fields[i].field, 0, fields[i].form), "",
                 fields[i].path);
    for (unsigned i = 0; i < ARRAY_LEN(added); i++)
        set_path(e, new_row(e, FIELD_COUNT, i, PLAIN), "", added[i].path);
    qsort(e->row, e->n, sizeof(e->row[0]), compare_rows);
    mark_again(e);
    *out = e;
    return true;
}

void
ecs_free(struct ecs *e)
{
    free(e);
}

#include "sensor/app/elastic.h"

#include "sensor/base/json_out.h"
#include "sensor/event/fields.h"
#include "sensor/sinks/ecs_rows.h"

#include <stdio.h>
#include <string.h>

#define PATH_ROOM 256U
/* More than there are fields and the objects that hold them. */
#define FIELDS_MOST 3000U

static void
member(struct json_out *j, const char *key, const char *text)
{
    json_key(j, key);
    (void)json_str(j, span_str(text));
}

static void
member_u64(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

static void
object(struct json_out *j, const char *key)
{
    json_key(j, key);
    json_begin(j, '{');
}

static void
keyword(struct json_out *j)
{
    member(j, "type", "keyword");
    member_u64(j, "ignore_above", ELASTIC_KEYWORD);
}

static const char *
child_key(enum field f)
{
    const char *at = strstr(field_table[f].path, "[].");

    return at != NULL ? at + 3 : field_table[f].path;
}

/* In the object of a field. A list of objects holds no other one (ecs.c). */
static void
type_of(struct json_out *j, enum field f)
{
    switch (field_table[f].type) {
    case FT_BOOL: member(j, "type", "boolean"); break;
    case FT_U64:
    case FT_U64S:
    case FT_I64: member(j, "type", "long"); break;
    case FT_TIME: member(j, "type", "date"); break;
    case FT_ADDR: member(j, "type", "ip"); break;
    case FT_STR:
    case FT_STRS: keyword(j); break;
    case FT_OBJS: member(j, "type", "nested"); break;
    }
}

static void
children_of(struct json_out *j, enum field list)
{
    object(j, "properties");
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const enum field f = (enum field)i;

        if (field_parent_of(f) != list)
            continue;
        object(j, child_key(f));
        type_of(j, f);
        json_end(j, '}');
    }
    json_end(j, '}');
}

static void
field(struct json_out *j, const char *path, enum field f)
{
    object(j, path);
    type_of(j, f);
    if (field_table[f].type == FT_OBJS)
        children_of(j, f);
    json_end(j, '}');
}

/* ---- around them ---- */

static void
settings(struct json_out *j)
{
    object(j, "settings");
    json_key(j, "index.mapping.ignore_malformed");
    json_bool(j, true);
    member_u64(j, "index.mapping.total_fields.limit", FIELDS_MOST);
    json_end(j, '}');
}

static void
begin(struct json_out *j, const char *pattern)
{
    json_begin(j, '{');
    json_key(j, "index_patterns");
    json_begin(j, '[');
    (void)json_str(j, span_str(pattern));
    json_end(j, ']');
    member_u64(j, "priority", 200);
    member_u64(j, "version", SCHEMA_VERSION);
    object(j, "template");
    settings(j);
    object(j, "mappings");
    json_key(j, "dynamic");
    json_bool(j, false);
    object(j, "properties");
}

static void
end(struct json_out *j)
{
    while (j->depth > 0)
        json_end(j, '}');
}

void
elastic_eve(struct buf *out)
{
    struct json_out j = json_out_open(out);

    begin(&j, "span25-eve-*");
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (field_parent_of((enum field)i) == FIELD_COUNT)
            field(&j, field_table[i].path, (enum field)i);
    }
    end(&j);
}

/* ---- the Elastic Common Schema ---- */

static void
path_of(const struct ecs_row *r, char path[PATH_ROOM])
{
    size_t n = 0;

    for (unsigned i = 0; i < r->n_parts; i++) {
        const int more = snprintf(path + n, PATH_ROOM - n, "%s%s",
                                  i > 0 ? "." : "", r->part[i]);

        REQUIRE(more > 0 && (size_t)more < PATH_ROOM - n);
        n += (size_t)more;
    }
}

static void
files(struct json_out *j, const char *path)
{
    object(j, path);
    member(j, "type", "nested");
    object(j, "properties");
    object(j, "file.name");
    keyword(j);
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static void
simple(struct json_out *j, const char *path, const char *type)
{
    object(j, path);
    member(j, "type", type);
    json_end(j, '}');
}

static void
row(struct json_out *j, const struct ecs_row *r)
{
    char path[PATH_ROOM];

    path_of(r, path);
    if (strcmp(path, "message") == 0)
        simple(j, path, "text");
    else if (strcmp(path, "related.ip") == 0)
        simple(j, path, "ip");
    else if (r->form == DATE)
        simple(j, path, "date");
    else if (r->form == FILES)
        files(j, path);
    else if (r->field < FIELD_COUNT)
        field(j, path, (enum field)r->field);
    else {
        object(j, path);
        keyword(j);
        json_end(j, '}');
    }
}

bool
elastic_ecs(struct buf *out)
{
    struct json_out j = json_out_open(out);
    struct ecs *e;

    if (!ecs_new(&e))
        return false;
    begin(&j, "span25-ecs-*");
    for (unsigned i = 0; i < e->n; i++) {
        if (!e->row[i].again)
            row(&j, &e->row[i]);
    }
    end(&j);
    ecs_free(e);
    return true;
}

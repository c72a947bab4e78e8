#include "sensor/event/schema.h"

#include "sensor/base/json_out.h"
#include "sensor/event/json_tree.h"
#include "sensor/event/record.h"

#define KEY_MAX 64

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

/* ---- values ---- */

static void
whole_number(struct json_out *j)
{
    member(j, "type", "integer");
    member_u64(j, "minimum", 0);
    member_u64(j, "maximum", UINT64_MAX);
}

static void
any_address(struct json_out *j)
{
    static const char *const forms[] = {"ipv4", "ipv6"};

    member(j, "type", "string");
    json_key(j, "anyOf");
    json_begin(j, '[');
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        json_begin(j, '{');
        member(j, "format", forms[i]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* The zone of ns_format has no colon, which "format": "date-time" wants. */
static void
point_in_time(struct json_out *j)
{
    member(j, "type", "string");
    member(j, "pattern",
           "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
           "\\.[0-9]{6}\\+0000$");
}

static void
list_begin(struct json_out *j)
{
    member(j, "type", "array");
    member_u64(j, "minItems", 1);
    json_key(j, "items");
    json_begin(j, '{');
}

/* Types that only go from worker to core are in no journal. */
static bool
is_journaled(enum event_type t)
{
    switch (t) {
    case EVENT_NONE:
    case EVENT_ATTEMPT:
    case EVENT_TICK:
    case EVENT_CARVE:
    case EVENT_TYPE_COUNT: return false;
    case EVENT_SMTP:
    case EVENT_SMTP_SESSION:
    case EVENT_TLS:
    case EVENT_FILEINFO:
    case EVENT_ANOMALY:
    case EVENT_DNS:
    case EVENT_HOST:
    case EVENT_ALERT:
    case EVENT_DECISION:
    case EVENT_STATS:
    case EVENT_CONTROL: return true;
    }
    return false;
}

static void
event_types(struct json_out *j)
{
    json_key(j, "enum");
    json_begin(j, '[');
    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
        if (is_journaled((enum event_type)t))
            (void)json_str(j, span_str(event_type_name((enum event_type)t)));
    }
    json_end(j, ']');
}

static void
type_of(struct json_out *j, enum field f)
{
    switch (field_table[f].type) {
    case FT_BOOL: member(j, "type", "boolean"); break;
    case FT_U64: whole_number(j); break;
    case FT_I64: member(j, "type", "integer"); break;
    case FT_TIME: point_in_time(j); break;
    case FT_ADDR: any_address(j); break;
    case FT_STR: member(j, "type", "string"); break;
    case FT_STRS:
        list_begin(j);
        member(j, "type", "string");
        json_end(j, '}');
        break;
    case FT_U64S:
        list_begin(j);
        whole_number(j);
        json_end(j, '}');
        break;
    case FT_OBJS: list_begin(j); break; /* walk_to fills and closes it */
    }
    if (f == FIELD_EVENT_TYPE)
        event_types(j);
}

static void
annotate(struct json_out *j, enum field f)
{
    static const char *const classes[] = {
        [PRIVACY_PUBLIC] = "public",
        [PRIVACY_NETWORK] = "network",
        [PRIVACY_PERSON] = "person",
        [PRIVACY_CONTENT] = "content",
    };
    const struct field_info *row = &field_table[f];

    member(j, "description", row->doc);
    member(j, "x-privacy", classes[row->privacy]);
    if (row->ecs[0] != '\0')
        member(j, "x-ecs", row->ecs);
    member_u64(j, "x-since", row->since);
}

/* ---- objects ---- */

static void
object_begin(struct json_out *j)
{
    member(j, "type", "object");
    json_key(j, "additionalProperties");
    json_bool(j, false);
    json_key(j, "patternProperties");
    json_begin(j, '{');
    json_key(j, JSON_RAW_SUFFIX "$");
    json_begin(j, '{');
    member(j, "$ref", "#/$defs/raw");
    json_end(j, '}');
    json_end(j, '}');
    json_key(j, "properties");
    json_begin(j, '{');
}

/* Ends properties and the object; of a list, also its items. */
static void
object_end(struct json_out *j, const struct json_node *node)
{
    json_end(j, '}');
    json_end(j, '}');
    if (node->list != FIELD_COUNT)
        json_end(j, '}');
}

static void
key_of(struct json_out *j, struct span key)
{
    char text[KEY_MAX];

    REQUIRE(key.n < sizeof(text));
    memcpy(text, key.p, key.n);
    text[key.n] = '\0';
    json_key(j, text);
}

/* Ends and begins objects until node is the open one. A list's objects begin in
 * the items of the list, which was the last field written. */
static unsigned
walk_to(struct json_out *j, const struct json_tree *t, unsigned from,
        unsigned node)
{
    unsigned down[JSON_NODE_DEPTH];
    size_t n = 0;

    while (from != node) {
        if (t->node[from].depth >= t->node[node].depth) {
            object_end(j, &t->node[from]);
            from = t->node[from].parent;
        } else {
            down[n++] = node;
            node = t->node[node].parent;
        }
    }
    while (n > 0) {
        node = down[--n];
        if (t->node[node].list == FIELD_COUNT) {
            key_of(j, t->node[node].key);
            json_begin(j, '{');
        }
        object_begin(j);
    }
    return node;
}

static void
properties(struct json_out *j, const struct json_tree *t)
{
    unsigned node = 0;

    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field f = (enum field)i;

        node = walk_to(j, t, node, t->node_of[f]);
        key_of(j, t->key[f]);
        json_begin(j, '{');
        annotate(j, f);
        type_of(j, f);
        if (field_table[f].type != FT_OBJS)
            json_end(j, '}');
    }
    (void)walk_to(j, t, node, 0);
}

static void
raw_form(struct json_out *j)
{
    static const char base64[] = "^[A-Za-z0-9+/]*={0,2}$";

    json_key(j, "$defs");
    json_begin(j, '{');
    json_key(j, "raw");
    json_begin(j, '{');
    member(j, "description",
           "Exact bytes (RFC 4648 base64) of the key without " JSON_RAW_SUFFIX
           ", where they are not UTF-8; in a list null where the entry is "
           "exact.");
    json_key(j, "anyOf");
    json_raw(j, SPAN_LIT("[{\"$ref\":\"#/$defs/base64\"},{\"type\":\"array\","
                         "\"items\":{\"anyOf\":[{\"type\":\"null\"},"
                         "{\"$ref\":\"#/$defs/base64\"}]}}]"));
    json_end(j, '}');
    json_key(j, "base64");
    json_begin(j, '{');
    member(j, "type", "string");
    member(j, "pattern", base64);
    json_end(j, '}');
    json_end(j, '}');
}

void
schema_write(struct buf *out)
{
    static const enum field required[] = {
        FIELD_TIMESTAMP,      FIELD_EVENT_TYPE, FIELD_EVENT_ID,
        FIELD_SCHEMA_VERSION, FIELD_SENSOR,
    };
    struct json_out j = json_out_open(out);
    struct json_tree tree;

    json_tree_init(&tree);
    json_begin(&j, '{');
    member(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    member(&j, "$id", "urn:span25:event");
    member(&j, "title", "span25 event");
    member_u64(&j, "x-schema-version", SCHEMA_VERSION);
    raw_form(&j);
    json_key(&j, "required");
    json_begin(&j, '[');
    for (size_t i = 0; i < ARRAY_LEN(required); i++)
        (void)json_str(&j, span_str(field_table[required[i]].path));
    json_end(&j, ']');
    object_begin(&j);
    properties(&j, &tree);
    json_end(&j, '}');
    json_end(&j, '}');
}

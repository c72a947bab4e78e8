#include "sensor/event/fields.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"
#include "sensor/event/anomaly.h"
#include "sensor/event/json_tree.h"
#include "sensor/event/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct span
path(unsigned f)
{
    return span_str(field_table[f].path);
}

/* The object that a path stands in, with its dot. */
static struct span
object_of(struct span p)
{
    while (p.n > 0 && p.p[p.n - 1] != '.')
        p.n--;
    return p;
}

static void
rows_are_whole(void **state)
{
    (void)state;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        const struct field_info *row = &field_table[f];
        size_t n = strlen(row->doc);

        print_message("%s\n", row->path);
        assert_true(row->since >= 1 && row->since <= SCHEMA_VERSION);
        assert_true(n > 0 && strchr(row->doc, '\n') == NULL);
        assert_true(utf8_valid(span_str(row->doc)));
        for (size_t i = 0; i < path(f).n; i++) {
            char c = row->path[i];

            assert_true((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        strchr("_.[]", c) != NULL);
        }
    }
}

static void
paths_are_unique(void **state)
{
    (void)state;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        print_message("%s\n", field_table[f].path);
        assert_int_equal(field_find(path(f)), f);
        assert_int_equal(span_search(path(f), SPAN_LIT(JSON_RAW_SUFFIX)),
                         path(f).n);
    }
    assert_int_equal(field_find(SPAN_LIT("smtp")), FIELD_COUNT);
    assert_int_equal(field_find(SPAN_NONE), FIELD_COUNT);
}

/* No key is both a value and an object. */
static void
keys_have_one_kind(void **state)
{
    struct json_tree t;

    (void)state;
    json_tree_init(&t);
    for (unsigned i = 1; i < t.n; i++) {
        for (unsigned f = 0; f < FIELD_COUNT; f++) {
            if (t.node_of[f] == t.node[i].parent &&
                span_eq(t.key[f], t.node[i].key))
                assert_int_equal(t.node[i].list, f);
        }
    }
}

/* Once an object was left it is not entered again: the writer would open it a
 * second time. */
static void
objects_stand_together(void **state)
{
    (void)state;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        struct span object = object_of(path(f));
        unsigned g = f;

        while (g < FIELD_COUNT && span_starts(path(g), object))
            g++;
        for (; g < FIELD_COUNT; g++) {
            print_message("%s, %s\n", field_table[f].path, field_table[g].path);
            assert_false(object.n > 0 && span_starts(path(g), object));
        }
    }
}

static void
children_follow_their_list(void **state)
{
    (void)state;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        size_t bracket = span_search(path(f), SPAN_LIT("[]."));
        enum field parent = field_parent_of((enum field)f);

        print_message("%s\n", field_table[f].path);
        assert_int_equal(parent != FIELD_COUNT, bracket < path(f).n);
        if (parent == FIELD_COUNT)
            continue;
        assert_true(span_eq(span_head(path(f), bracket), path(parent)));
        assert_int_equal(field_table[parent].type, FT_OBJS);
        assert_int_not_equal(field_table[f].type, FT_OBJS);
        for (unsigned g = parent + 1; g < f; g++)
            assert_int_equal(field_parent_of((enum field)g), parent);
    }
}

static void
header_comes_first(void **state)
{
    (void)state;
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        assert_int_equal(field_is_header((enum field)f), f < 4);
}

static void
names_are_found(void **state)
{
    (void)state;
    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
        assert_int_equal(
            event_type_find(span_str(event_type_name((enum event_type)t))), t);
    assert_int_equal(event_type_find(SPAN_LIT("http")), EVENT_NONE);
    for (unsigned a = 0; a < ANOM_COUNT; a++) {
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(anomaly_table[a].name,
                                    anomaly_table[b].name);
        assert_true(strlen(anomaly_table[a].doc) > 0);
        assert_true(strlen(anomaly_level_name(anomaly_table[a].level)) > 0);
    }
}

/* What was coded by the rows before would be read as something else. */
static void
coding_is_of_the_rows(void **state)
{
    static const struct field_info rows[] = {
        {.path = "a", .type = FT_STR},
        {.path = "b", .type = FT_U64},
        {.path = "c", .type = FT_STR},
    };
    static const struct {
        const char *why;
        struct field_info rows[4];
        size_t n;
        bool same;
    } cases[] = {
        {"the same",
         {{.path = "a", .type = FT_STR},
          {.path = "b", .type = FT_U64, .doc = "told better"},
          {.path = "c", .type = FT_STR, .privacy = PRIVACY_PERSON}},
         3, true },
        {"two rows have changed places",
         {{.path = "a", .type = FT_STR},
          {.path = "c", .type = FT_STR},
          {.path = "b", .type = FT_U64}},
         3, false},
        {"a row is new in the middle",
         {{.path = "a", .type = FT_STR},
          {.path = "new", .type = FT_STR},
          {.path = "b", .type = FT_U64},
          {.path = "c", .type = FT_STR}},
         4, false},
        {"a row is new at the end",
         {{.path = "a", .type = FT_STR},
          {.path = "b", .type = FT_U64},
          {.path = "c", .type = FT_STR},
          {.path = "d", .type = FT_STR}},
         4, false},
        {"another type",
         {{.path = "a", .type = FT_STR},
          {.path = "b", .type = FT_STR},
          {.path = "c", .type = FT_STR}},
         3, false},
        {"the last is gone",
         {{.path = "a", .type = FT_STR}, {.path = "b", .type = FT_U64}},
         2, false},
    };
    const uint64_t want = fields_coding(rows, ARRAY_LEN(rows));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if ((fields_coding(cases[i].rows, cases[i].n) == want) != cases[i].same)
            fail_msg("%s", cases[i].why);
    assert_true(record_coding() == record_coding());
    assert_true(record_coding() != fields_coding(field_table, FIELD_COUNT));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(paths_are_unique),
        cmocka_unit_test(keys_have_one_kind),
        cmocka_unit_test(objects_stand_together),
        cmocka_unit_test(children_follow_their_list),
        cmocka_unit_test(header_comes_first),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(coding_is_of_the_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

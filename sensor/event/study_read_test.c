#include "sensor/event/study_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "study_kit.h"

#define TEXT_MAX ((size_t)64 << 20)

static enum err
read_back(struct span text, struct buf *again)
{
    struct study_json *s = NULL;
    struct buf message;
    enum err err;

    buf_init(&message, 256);
    err = study_json_read(text, &s, &message);
    if (err == ERR_OK) {
        assert_int_equal(message.n, 0);
        buf_reset(again);
        study_json_write(study_json_result(s), again);
    } else {
        assert_true(message.n > 0);
        assert_null(s);
    }
    study_json_free(s);
    buf_free(&message);
    return err;
}

/* What was written is read, and gives the same bytes again. */
static void
there_and_back(void **state)
{
    struct buf text;
    struct buf again;

    (void)state;
    buf_init(&text, TEXT_MAX);
    buf_init(&again, TEXT_MAX);
    for (size_t kind = 0; kind < STUDY_KIT_KINDS; kind++) {
        struct study_kit k;

        study_kit_make(&k, (enum study_kit_kind)kind);
        buf_reset(&text);
        study_json_write(&k.r, &text);
        assert_false(text.cut || text.failed);
        if (read_back(buf_view(&text), &again) != ERR_OK)
            fail_msg("%s is not read", study_kit_names[kind]);
        if (!span_eq(buf_view(&text), buf_view(&again)))
            fail_msg("%s is not the same again", study_kit_names[kind]);
        study_kit_free(&k);
    }
    buf_free(&text);
    buf_free(&again);
}

/* The numbers themselves, not their text only. */
static void
same_values(void **state)
{
    struct study_kit k;
    struct study_json *s = NULL;
    const struct study_result *r;
    struct buf text;
    struct buf message;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    buf_init(&text, TEXT_MAX);
    buf_init(&message, 256);
    study_json_write(&k.r, &text);
    assert_int_equal(study_json_read(buf_view(&text), &s, &message), ERR_OK);
    r = study_json_result(s);
    assert_int_equal(r->n_hosts, k.r.n_hosts);
    assert_memory_equal(r->cells, k.r.cells, sizeof(r->cells));
    assert_memory_equal(&r->policies[4].total, &k.r.policies[4].total,
                        sizeof(r->policies[4].total));
    assert_memory_equal(r->hours, k.r.hours, r->n_hours * sizeof(*r->hours));
    assert_true(isnan(r->policies[0].tie_none));
    assert_true(isinf(r->policies[2].seconds.p95));
    assert_true(r->loss == k.r.loss);
    assert_string_equal(r->sites[3].name, k.r.sites[3].name);
    for (size_t i = 0; i < r->n_hosts; i++)
        assert_memory_equal(r->hosts[i].outcomes, k.r.hosts[i].outcomes,
                            r->n_policies * sizeof(*r->hosts[i].outcomes));
    study_json_free(s);
    study_kit_free(&k);
    buf_free(&text);
    buf_free(&message);
}

static void
small_files(void **state)
{
#define SCHEMA "\"schema\":\"span25-study-1\""
    static const struct {
        const char *why, *text, *message; /* NULL: it is read */
    } rows[] = {
  /* clang-format off */
        {"no more than the schema", "{" SCHEMA "}", NULL},
        {"members of a later version",
         "{" SCHEMA ",\"later\":{\"a\":[1,{\"b\":null}]},\"cover\":{\"x\":[]}}",
         NULL},
        {"keys in any order", "{\"proposed\":\"P4\"," SCHEMA "}", NULL},
        {"nothing", "", "byte 1: a study is a JSON object"},
        {"an array", "[]", "byte 1: a study is a JSON object"},
        {"no study", "{}", "byte 3: it has no schema: this is no study"},
        {"another schema", "{\"schema\":\"span25-summary-1\"}",
         "byte 30: its schema is not span25-study-1"},
        {"twice", "{" SCHEMA "," SCHEMA "}",
         "byte 37: schema stands there twice"},
        {"a key twice", "{\"proposed\":\"a\",\"proposed\":\"b\"}",
         "byte 28: proposed stands there twice"},
        {"a number for a text", "{\"proposed\":4}",
         "byte 14: proposed is a text or null"},
        {"a text for a number", "{\"sight\":{\"events\":\"4\"}}",
         "byte 23: events is a number from 0 to 2^64-1"},
        {"below zero", "{\"sight\":{\"events\":-4}}",
         "byte 22: events is a number from 0 to 2^64-1"},
        {"too large", "{\"sight\":{\"loss\":1e999}}",
         "byte 23: loss is a number, null or \"inf\""},
        {"half a number", "{\"sight\":{\"late\":1.5}}",
         "byte 21: late is a number from 0 to 2^64-1"},
        {"an object for a list", "{\"hosts\":{}}",
         "byte 10: hosts is an array"},
        {"a list for an object", "{\"unseen\":[]}",
         "byte 11: unseen is an object"},
        {"a word of no list", "{\"criteria\":[{\"verdict\":\"maybe\"}]}",
         "byte 32: verdict is one of a few words"},
        {"too few of a fixed number", "{\"sight\":{\"week\":[1,2]}}",
         "byte 23: week has 168 entries"},
        {"lists that do not fit",
         "{" SCHEMA ",\"policies\":[{\"by_day\":[1]},{\"by_day\":[]}]}",
         "byte 67: by_day has 0 entries, another list has 1"},
        {"a list that fits nothing",
         "{" SCHEMA ",\"policies\":[{\"by_day\":[1]}]}",
         "byte 56: 0 days, and lists by day with 1"},
        {"an outcome of no policy",
         "{" SCHEMA ",\"hosts\":[{\"outcomes\":[null,{\"after\":3}]}]}",
         "byte 70: 0 policies, and lists by policy with 2"},
        {"a NUL in a text", "{\"proposed\":\"a\\u0000b\"}",
         "byte 23: a text with a NUL"},
        {"no end", "{\"sight\":{\"events\":1",
         "byte 21: a comma or } is missing"},
        {"something behind", "{" SCHEMA "}}",
         "byte 28: something follows the study"},
  /* clang-format on */
    };
    struct buf message;

    (void)state;
    buf_init(&message, 256);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_json *s = NULL;
        const char *want = rows[i].message != NULL ? rows[i].message : "";
        enum err err = study_json_read(span_str(rows[i].text), &s, &message);

        if ((err == ERR_OK) != (rows[i].message == NULL) ||
            !span_eq(buf_view(&message), span_str(want)))
            fail_msg("%s: %.*s", rows[i].why, (int)message.n, message.p);
        study_json_free(s);
    }
    buf_free(&message);
}

/* A file of an earlier version: what it does not have cannot be said. */
static void
not_there(void **state)
{
    struct study_json *s = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 256);
    assert_int_equal(
        study_json_read(SPAN_LIT("{\"schema\":\"span25-study-1\",\"policies\":"
                                 "[{\"name\":\"P1\"}],\"hosts\":[{\"outcomes\":"
                                 "[{\"after\":2}]}]}"),
                        &s, &message),
        ERR_OK);
    assert_true(isnan(study_json_result(s)->loss));
    assert_true(isnan(study_json_result(s)->policies[0].wrong.low));
    assert_true(isnan(study_json_result(s)->policies[0].seconds.median));
    assert_true(study_json_result(s)->hosts[0].outcomes[0].delay_h == 0);
    assert_int_equal(study_json_result(s)->hosts[0].outcomes[0].after, 2);
    assert_null(study_json_result(s)->policies[0].by_day);
    study_json_free(s);
    buf_free(&message);
}

/* Cut or changed at any byte it is refused or read, and nothing leaks. */
static void
broken_anywhere(void **state)
{
    struct study_kit k;
    struct buf text;
    struct buf again;
    size_t refused = 0;

    (void)state;
    study_kit_make(&k, STUDY_KIT_HOSTILE);
    k.r.n_hosts = 3;
    k.r.n_hours = 2;
    k.r.n_sites = 2;
    buf_init(&text, TEXT_MAX);
    buf_init(&again, TEXT_MAX);
    study_json_write(&k.r, &text);
    for (size_t cut = 0; cut + 1 < text.n; cut += 997)
        assert_int_not_equal(read_back(span_head(buf_view(&text), cut), &again),
                             ERR_OK);
    for (size_t i = 0; i < text.n; i += 499) {
        uint8_t was = text.p[i];

        text.p[i] = (uint8_t) "\"{}[]:,0x\n"[i % 11];
        refused += read_back(buf_view(&text), &again) != ERR_OK;
        text.p[i] = was;
    }
    assert_true(refused > 0);
    study_kit_free(&k);
    buf_free(&text);
    buf_free(&again);
}

static void
too_deep(void **state)
{
    struct buf text;
    struct buf again;

    (void)state;
    buf_init(&text, 4096);
    buf_init(&again, 4096);
    buf_str(&text, "{\"later\":");
    for (size_t i = 0; i < 1000; i++)
        buf_putc(&text, '[');
    assert_int_equal(read_back(buf_view(&text), &again), ERR_LIMIT);
    buf_free(&text);
    buf_free(&again);
}

#define STRUCT_MAX 4096
#define SHAPES_MAX 64

/* The bytes that a member takes, in the struct itself. */
static void
mark(uint8_t *bytes, size_t base, const struct study_member *m)
{
    size_t n = m->size;

    if (m->hold == STUDY_HOLD_ARRAY || m->hold == STUDY_HOLD_ROWS)
        n = m->size * m->most;
    else if (m->hold != STUDY_HOLD_ONE)
        n = sizeof(void *);
    else if (m->type == STUDY_TYPE_SHAPE)
        n = 0;
    assert_true(base + m->at + n <= STRUCT_MAX);
    memset(bytes + base + m->at, 1, n);
    if (m->hold == STUDY_HOLD_LIST || m->hold == STUDY_HOLD_ROWS)
        memset(bytes + base + m->n_at, 1, sizeof(size_t));
}

struct whole {
    const struct study_shape *shape;
    size_t size;
};

/* Marks all of one struct, and adds the structs of its lists to the others. */
static void
mark_all(uint8_t *bytes, const struct study_shape *shape, struct whole *others,
         size_t *n_others)
{
    struct {
        const struct study_shape *shape;
        size_t base, i;
    } stack[16] = {
        {shape, 0, 0}
    };

    for (size_t depth = 1; depth > 0;) {
        const struct study_member *m;
        size_t base = stack[depth - 1].base;

        if (stack[depth - 1].i == stack[depth - 1].shape->n) {
            depth--;
            continue;
        }
        m = &stack[depth - 1].shape->v[stack[depth - 1].i++];
        mark(bytes, base, m);
        if (m->type != STUDY_TYPE_SHAPE)
            continue;
        if (m->hold != STUDY_HOLD_ONE) {
            assert_true(*n_others < SHAPES_MAX);
            others[(*n_others)++] = (struct whole){m->shape, m->size};
            continue;
        }
        stack[depth].shape = m->shape;
        stack[depth].base = base + m->at;
        stack[depth++].i = 0;
    }
}

/* A member that was added to a struct and to no shape would be lost. */
static void
every_member(void **state)
{
    struct whole v[SHAPES_MAX] = {
        {&study_shape_result, sizeof(struct study_result)}
    };
    size_t n = 1;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[STRUCT_MAX] = {0};
        size_t run = 0;

        mark_all(bytes, v[i].shape, v, &n);
        for (size_t k = 0; k < v[i].size; k++) {
            run = bytes[k] ? 0 : run + 1;
            if (run == sizeof(uint64_t))
                fail_msg("no member at %zu of the struct with %s", k,
                         v[i].shape->v[0].key);
        }
    }
    assert_true(n > 12);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),  cmocka_unit_test(same_values),
        cmocka_unit_test(small_files),     cmocka_unit_test(not_there),
        cmocka_unit_test(broken_anywhere), cmocka_unit_test(too_deep),
        cmocka_unit_test(every_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/attached.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define A (1U << SUMMARY_A)
#define B (1U << SUMMARY_B)
#define C (1U << SUMMARY_C)
#define D (1U << SUMMARY_D)

struct in {
    const char *name, *type, *sum; /* sum: its first digit repeated */
    uint64_t size;
    unsigned classes;
    const char *findings[4];
    uint64_t flow, tx;
    const char *sender, *receiver;
    ns_t when;
    size_t n_name; /* 0: as long as the text */
};

static const struct addr *
address(const char *text, struct addr *room)
{
    if (text == NULL)
        return NULL;
    assert_true(addr_parse(span_str(text), room));
    return room;
}

static void
put_in(struct attached *a, const struct in *in)
{
    struct record_head head = {.when = 1, .type = EVENT_FILEINFO};
    struct addr ends[2];
    struct attached_in more = {
        .mail = {in->flow, in->tx},
        .sender = address(in->sender, &ends[0]),
        .receiver = address(in->receiver, &ends[1]),
        .classes = in->classes,
        .when = in->when != 0 ? in->when : NS_PER_S,
    };
    struct record_map map;
    struct record_out r;
    char sum[64];

    record_init(&r);
    record_begin(&r, &head);
    if (in->name != NULL)
        record_str(
            &r, FIELD_FILEINFO_FILENAME,
            span_of(in->name, in->n_name > 0 ? in->n_name : strlen(in->name)));
    record_u64(&r, FIELD_FILEINFO_SIZE, in->size);
    if (in->sum != NULL) {
        memset(sum, in->sum[0], sizeof(sum));
        record_str(&r, FIELD_FILEINFO_SHA256, span_of(sum, sizeof(sum)));
    }
    if (in->type != NULL)
        record_text(&r, FIELD_FILEINFO_TYPE, in->type);
    for (size_t i = 0; i < 4 && in->findings[i] != NULL; i++)
        record_text(&r, FIELD_FILEINFO_FINDINGS, in->findings[i]);
    record_u64(&r, FIELD_FILEINFO_UNPACKED, 1); /* a field behind them */
    assert_true(record_check(record_view(&r)));
    record_map_init(&map, record_view(&r));
    attached_add(a, &map, &more);
    record_free(&r);
}

#define put(a, ...) put_in(a, &(struct in){__VA_ARGS__})

static struct attached *
fresh(void)
{
    struct attached *a;

    assert_int_equal(attached_new(&a), ERR_OK);
    return a;
}

static struct summary
summed(struct attached *a)
{
    struct summary s = {0};

    attached_summary(a, &s);
    return s;
}

static void
assert_name(const struct summary_attachment *f, const char *want)
{
    assert_int_equal(f->n_name, strlen(want));
    assert_memory_equal(f->name, want, f->n_name);
}

static void
counts_a_file_once(void **state)
{
    struct attached *a = fresh();
    struct summary s;
    const struct summary_attachment *f;

    (void)state;
    put(a, .name = "x.exe", .sum = "a", .classes = B, .sender = "10.0.0.1",
        .when = 5 * NS_PER_S, .type = "pe", .size = 9);
    put(a, .name = "x.exe", .sum = "a", .classes = B, .sender = "10.0.0.1",
        .when = 6 * NS_PER_S); /* again in the same message */
    put(a, .name = "x.exe", .sum = "a", .classes = B, .sender = "10.0.0.1",
        .when = 7 * NS_PER_S, .tx = 1);
    put(a, .name = "x.exe", .sum = "a", .classes = B, .sender = "10.0.0.2",
        .receiver = "10.0.0.1", .when = 8 * NS_PER_S, .flow = 1);
    s = summed(a);
    assert_int_equal(s.n_attachments, 1);
    f = s.attachments;
    assert_name(f, "x.exe");
    assert_string_equal(f->type, "pe");
    assert_int_equal(f->size, 9);
    assert_int_equal(strlen(f->sha256), 64);
    assert_int_equal(f->parts, 4);
    assert_int_equal(f->messages, 3);
    assert_int_equal(f->senders, 2);
    assert_int_equal(f->receivers, 1);
    assert_true(f->first == 5 * NS_PER_S && f->last == 8 * NS_PER_S);
    assert_false(f->other_names || f->at_least || f->findings_more);
    attached_free(a);
}

/* clang-format off */
static const struct {
    const char *why;
    struct in one, two;
    size_t files;
    bool other_names;
} pairs[] = {
    {"the same sum", {.name = "x", .sum = "a", .classes = C},
     {.name = "x", .sum = "a", .classes = C}, 1, false},
    {"the same sum under two names", {.name = "x", .sum = "a", .classes = C},
     {.name = "y", .sum = "a", .classes = C}, 1, true},
    {"another sum", {.name = "x", .sum = "a", .classes = C},
     {.name = "x", .sum = "b", .classes = C}, 2, false},
    {"no sum: name, size, type",
     {.name = "x", .size = 1, .type = "zip", .classes = D},
     {.name = "x", .size = 1, .type = "zip", .classes = D}, 1, false},
    {"another size", {.name = "x", .size = 1, .classes = D},
     {.name = "x", .size = 2, .classes = D}, 2, false},
    {"another type", {.name = "x", .type = "zip", .classes = D},
     {.name = "x", .type = "pdf", .classes = D}, 2, false},
    {"another name", {.name = "x", .classes = D},
     {.name = "y", .classes = D}, 2, false},
    {"a sum is not none", {.name = "x", .classes = D},
     {.name = "x", .sum = "a", .classes = D}, 2, false},
    {"a sum that is none", {.name = "x", .sum = "Z", .classes = D},
     {.name = "x", .sum = "Y", .classes = D}, 1, false},
    {"names end at their length, not at a NUL",
     {.name = "a.txt\0.exe", .n_name = 10, .classes = B},
     {.name = "a.txt\0.txt", .n_name = 10, .classes = B}, 2, false},
    {"nothing found, nothing listed", {.name = "x", .sum = "a"},
     {.name = "x", .sum = "b"}, 0, false},
};
/* clang-format on */

static void
tells_files_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct attached *a = fresh();
        struct summary s;

        put_in(a, &pairs[i].one);
        put_in(a, &pairs[i].two);
        s = summed(a);
        if (s.n_attachments != pairs[i].files ||
            (s.n_attachments == 1 &&
             s.attachments[0].other_names != pairs[i].other_names))
            fail_msg("%s: %zu", pairs[i].why, s.n_attachments);
        attached_free(a);
    }
}

static void
sorts_by_class_then_messages(void **state)
{
    static const char want[] = "abcdefgh";
    struct attached *a = fresh();
    struct summary s;

    (void)state;
    put(a, .name = "h", .sum = "8", .classes = C);
    put(a, .name = "g", .sum = "7", .classes = C);
    put(a, .name = "g", .sum = "7", .classes = C, .tx = 1);
    put(a, .name = "f", .sum = "6", .classes = D);
    put(a, .name = "e", .sum = "5", .classes = C | D);
    put(a, .name = "d", .sum = "4", .classes = C);
    put(a, .name = "d", .sum = "4", .classes = B); /* rises */
    put(a, .name = "b", .sum = "2", .classes = B | C | D);
    put(a, .name = "b", .sum = "2", .classes = B, .tx = 1);
    put(a, .name = "c", .sum = "3", .classes = B);
    put(a, .name = "a", .sum = "1", .classes = A | D);
    s = summed(a);
    assert_int_equal(s.n_attachments, strlen(want));
    for (size_t i = 0; i < s.n_attachments; i++)
        assert_int_equal(s.attachments[i].name[0], want[i]);
    assert_int_equal(s.attachments[0].class, SUMMARY_A);
    assert_int_equal(s.attachments[3].class, SUMMARY_B);
    assert_int_equal(s.attachments[3].classes, B | C);
    assert_int_equal(s.attachments[4].class, SUMMARY_D);
    assert_int_equal(s.attachments[7].class, SUMMARY_C);
    attached_free(a);
}

/* clang-format off */
static const struct {
    const char *why;
    const char *findings[4];
    const char *want;
    bool more;
} finds[] = {
    {"one", {"eicar"}, "eicar", false},
    {"sorted", {"yara", "eicar", "macro"}, "eicar, macro, yara", false},
    {"the last one first", {"a", "b", "c"}, "a, b, c", false},
    {"each once", {"b", "a", "b", "a"}, "a, b", false},
    {"one is the head of another", {"ab", "a", "abc"}, "a, ab, abc", false},
    {"no word of ours", {"a", "<b>", "b c", "A"}, "a", true},
    {"empty", {""}, "", true},
    {"too long", {"abcdefghijklmnopqrstuvwxyzabcdefghi"}, "", true},
};
/* clang-format on */

static void
names_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
        struct attached *a = fresh();
        struct in in = {.sum = "a", .classes = C};
        struct summary s;

        for (size_t k = 0; k < 4 && finds[i].findings[k] != NULL; k++) {
            in.findings[0] = finds[i].findings[k]; /* one in each part */
            put_in(a, &in);
        }
        s = summed(a);
        if (strcmp(s.attachments[0].findings, finds[i].want) != 0 ||
            s.attachments[0].findings_more != finds[i].more)
            fail_msg("%s: %s", finds[i].why, s.attachments[0].findings);
        attached_free(a);
    }
}

/* Only so many names fit; the others are said to be there. */
static void
bounds_findings(void **state)
{
    struct attached *a = fresh();
    struct summary s;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof(name), "f%03u", i * 7 % 200);
        put(a, .sum = "a", .classes = C, .findings = {name});
    }
    s = summed(a);
    assert_true(s.attachments[0].findings_more);
    assert_true(strlen(s.attachments[0].findings) <
                sizeof(s.attachments[0].findings));
    assert_true(strlen(s.attachments[0].findings) > 370);
    attached_free(a);
}

/* clang-format off */
static const struct {
    const char *why;
    const char *unit; /* repeated */
    size_t times;
    const char *ending;
    size_t n; /* of the name kept */
    bool cut;
} names[] = {
    {"none", "", 0, "", 0, false},
    {"as long as fits", "a", SUMMARY_NAME - 4, ".exe", SUMMARY_NAME, false},
    {"one more", "a", SUMMARY_NAME - 3, ".exe", SUMMARY_NAME, true},
    {"spaces before the ending", " ", 5000, ".exe", SUMMARY_NAME, true},
    {"no half characters", "\xc3\xa9", 500, ".exe", SUMMARY_NAME - 1, true},
    {"nor of three", "\xe2\x82\xac", 500, "x.exe", SUMMARY_NAME - 2, true},
    {"bytes that are no text", "\x80", 5000, ".exe", SUMMARY_NAME - 7, true},
};
/* clang-format on */

static void
keeps_the_ending_of_a_long_name(void **state)
{
    static char long_name[16384];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct attached *a = fresh();
        struct summary s;
        size_t n = 0;
        const struct summary_attachment *f;
        size_t end = strlen(names[i].ending);

        for (size_t k = 0; k < names[i].times; k++) {
            memcpy(long_name + n, names[i].unit, strlen(names[i].unit));
            n += strlen(names[i].unit);
        }
        memcpy(long_name + n, names[i].ending, end + 1);
        put(a, .sum = "a", .classes = C, .name = n > 0 ? long_name : NULL);
        s = summed(a);
        f = s.attachments;
        if (f->n_name != names[i].n ||
            memcmp(f->name + f->n_name - end, names[i].ending, end) != 0 ||
            (span_search(span_of(f->name, f->n_name),
                         SPAN_LIT("\xe2\x80\xa6")) < f->n_name) != names[i].cut)
            fail_msg("%s: %u bytes, %.*s", names[i].why, f->n_name,
                     (int)f->n_name, f->name);
        attached_free(a);
    }
}

/* What is common does not take the room of what is malicious. */
static void
bounds_files_by_class(void **state)
{
    struct attached *a = fresh();
    struct summary s;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < ATTACHED_CLASS + 3; i++) {
        (void)snprintf(name, sizeof(name), "c%u", i);
        put(a, .name = name, .classes = C);
        (void)snprintf(name, sizeof(name), "a%u", i);
        put(a, .name = name, .classes = A | C);
    }
    put(a, .name = "d", .classes = D);
    put(a, .name = "c0", .classes = B);
    s = summed(a);
    assert_int_equal(s.n_attachments, 2 * ATTACHED_CLASS + 1);
    assert_int_equal(s.attachments_left_out, 6);
    assert_int_equal(s.attachments[0].name[0], 'a');
    assert_name(&s.attachments[ATTACHED_CLASS], "c0");
    assert_name(&s.attachments[ATTACHED_CLASS + 1], "d");
    attached_free(a);
}

static void
bounds_what_it_has_seen(void **state)
{
    struct attached *a = fresh();
    struct summary s;

    (void)state;
    for (uint64_t i = 0; i < ATTACHED_SEEN + 2; i++)
        put(a, .sum = "a", .classes = C, .tx = i);
    s = summed(a);
    assert_int_equal(s.attachments[0].parts, ATTACHED_SEEN + 2);
    assert_int_equal(s.attachments[0].messages, ATTACHED_SEEN);
    assert_true(s.attachments[0].at_least);
    attached_free(a);
}

static void
starts_empty(void **state)
{
    struct attached *a = fresh();
    struct summary s = summed(a);

    (void)state;
    assert_int_equal(s.n_attachments, 0);
    attached_free(a);
    attached_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_a_file_once),
        cmocka_unit_test(tells_files_apart),
        cmocka_unit_test(sorts_by_class_then_messages),
        cmocka_unit_test(names_findings),
        cmocka_unit_test(bounds_findings),
        cmocka_unit_test(keeps_the_ending_of_a_long_name),
        cmocka_unit_test(bounds_files_by_class),
        cmocka_unit_test(bounds_what_it_has_seen),
        cmocka_unit_test(starts_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

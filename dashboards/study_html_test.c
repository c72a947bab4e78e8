/* All views of all studies of the kit: whole, twice the same, clean, bounded.
 */
#include "dashboards/study_report.h"
#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "study_kit.h"

#define TEXT_MAX  ((size_t)64 << 20)
#define HTML_MOST ((size_t)1 << 20) /* of 5,000 hosts, 500 sites, 366 days */
#define TEXT_MOST ((size_t)64 << 10)
#define VIEWS     (4 + STUDY_TABLE_COUNT)

static void
put_view(const struct study_result *r, size_t view, struct buf *out)
{
    static const struct study_report_style plain = {.width = 100};
    static const struct study_report_style rich = {
        .width = 80, .colour = true, .tty = true};

    switch (view) {
    case 0: study_report_html(r, out); break;
    case 1: study_report_text(r, &plain, out); break;
    case 2: study_report_text(r, &rich, out); break;
    case 3: study_report_json(r, out); break;
    default: study_report_csv(r, (enum study_table)(view - 4), out); break;
    }
}

static bool
holds(const struct buf *out, const char *want)
{
    return span_search(buf_view(out), span_str(want)) < out->n;
}

/* No control byte but ends of lines, and the colours that were asked for. */
static void
assert_clean(struct span text, const char *kind, size_t view)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool fine =
            c >= 0x20 || c == '\n' || c == '\r' || (c == 0x1b && view == 2);

        if (!fine || c == 0x7f)
            fail_msg("%s, view %zu: byte %02x at %zu", kind, view, c, i);
    }
    assert_true(utf8_valid(text));
}

static void
every_view(void **state)
{
    struct buf a;
    struct buf b;

    (void)state;
    buf_init(&a, TEXT_MAX);
    buf_init(&b, TEXT_MAX);
    for (size_t kind = 0; kind < STUDY_KIT_KINDS; kind++) {
        struct study_kit k;

        study_kit_make(&k, (enum study_kit_kind)kind);
        for (size_t v = 0; v < VIEWS; v++) {
            buf_reset(&a);
            buf_reset(&b);
            put_view(&k.r, v, &a);
            put_view(&k.r, v, &b);
            assert_false(a.cut || a.failed);
            assert_true(span_eq(buf_view(&a), buf_view(&b)));
            assert_clean(buf_view(&a), study_kit_names[kind], v);
            assert_true(v != 0 || a.n < HTML_MOST);
            assert_true((v != 1 && v != 2) || a.n < TEXT_MOST);
            assert_false(v == 0 && (holds(&a, "nan") || holds(&a, "inf ") ||
                                    holds(&a, "inf<") || holds(&a, "style=")));
        }
        study_kit_free(&k);
    }
    buf_free(&a);
    buf_free(&b);
}

/* Cut at any length, they stop there and say so. */
static void
cut_anywhere(void **state)
{
    struct study_kit k;
    struct buf whole;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    buf_init(&whole, TEXT_MAX);
    for (size_t v = 0; v < VIEWS; v++) {
        buf_reset(&whole);
        put_view(&k.r, v, &whole);
        for (size_t max = 0; max < whole.n; max += whole.n / 7 + 1) {
            struct buf part;

            buf_init(&part, max);
            put_view(&k.r, v, &part);
            assert_true(part.cut);
            assert_true(
                span_eq(buf_view(&part), span_head(buf_view(&whole), part.n)));
            buf_free(&part);
        }
    }
    buf_free(&whole);
    study_kit_free(&k);
}

/* What must stand on the page, of which kind. */
static void
page_says(void **state)
{
    static const struct {
        enum study_kit_kind kind;
        bool yes;
        const char *text;
    } rows[] = {
  /* clang-format off */
        {STUDY_KIT_FULL, true, "<h2>Approve P4 on <span class=\"num\">"
                               "2027-01-11?</span></h2>"},
        {STUDY_KIT_FULL, true, "<span>Recommendation: No. "},
        {STUDY_KIT_GOOD, true, "<span>Recommendation: Yes. "},
        {STUDY_KIT_EMPTY, true, "<span>Recommendation: None. "},
        {STUDY_KIT_FULL, true, "No review was made: how often a host that is "
                               "called a bot is one (precision) is not known"},
        {STUDY_KIT_GOOD, true, "Two people judged 196 of 200 messages"},
        {STUDY_KIT_FULL, true, "fewer than 30 senders: not rated"},
        {STUDY_KIT_LARGE, true, "4,800 more rows: the CSV file of hosts has all"},
        {STUDY_KIT_LARGE, true, "300 more rows: the CSV file of sites has all"},
        {STUDY_KIT_FULL, false, "more rows: the CSV file of sites"},
        {STUDY_KIT_EMPTY, true, "No policy was replayed."},
        {STUDY_KIT_EMPTY, true, "How much of each hour was watched was not "
                                "measured."},
        {STUDY_KIT_EMPTY, true, "No host at home sent outward on port 25."},
        {STUDY_KIT_HOSTILE, false, "<script"},
        {STUDY_KIT_HOSTILE, false, "<img"},
        {STUDY_KIT_HOSTILE, true, "&lt;script&gt;alert(&#39;x&#39;)"},
        {STUDY_KIT_FULL, false, "</style></script>"},
  /* clang-format on */
    };
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_kit k;

        study_kit_make(&k, rows[i].kind);
        buf_reset(&out);
        study_report_html(&k.r, &out);
        if (holds(&out, rows[i].text) != rows[i].yes)
            fail_msg("%s %s \"%s\"", study_kit_names[rows[i].kind],
                     rows[i].yes ? "lacks" : "has", rows[i].text);
        study_kit_free(&k);
    }
    buf_free(&out);
}

/* Lists that are not there although their length is. */
static void
without_lists(void **state)
{
    struct study_kit k;
    struct buf out;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    for (size_t i = 0; i < k.r.n_policies; i++)
        k.r.policies[i].by_day = NULL;
    for (size_t i = 0; i < k.r.n_hosts; i++)
        k.r.hosts[i].outcomes = NULL;
    for (size_t i = 0; i < k.r.n_sites; i++)
        k.r.sites[i].stopped = k.r.sites[i].stopped_legitimate = NULL;
    buf_init(&out, TEXT_MAX);
    for (size_t v = 0; v < VIEWS; v++) {
        put_view(&k.r, v, &out);
        assert_false(out.failed);
    }
    buf_free(&out);
    study_kit_free(&k);
}

/* Hours in any order, twice, and a century apart. */
static void
wild_hours(void **state)
{
    struct study_kit k;
    struct buf out;

    (void)state;
    study_kit_make(&k, STUDY_KIT_FULL);
    buf_init(&out, TEXT_MAX);
    for (size_t i = 0; i < k.r.n_hours; i++)
        k.r.hours[i].begin =
            i % 7 == 0 ? UINT64_MAX - i : i * UINT64_C(10000000000000007);
    study_report_html(&k.r, &out);
    assert_false(out.failed);
    assert_true(out.n < HTML_MOST);
    buf_free(&out);
    study_kit_free(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(page_says),  cmocka_unit_test(without_lists),
        cmocka_unit_test(wild_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

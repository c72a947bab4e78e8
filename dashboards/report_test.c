#include "dashboards/report_test_kit.h"
#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct report_style plain = {.utc = true};

static void
text(const struct summary *s, struct buf *out)
{
    report_text(s, &plain, out);
}

static void (*const views[])(const struct summary *, struct buf *) = {
    text, report_html, report_json, report_csv};

static bool
holds(const struct buf *out, const char *want)
{
    return span_search(buf_view(out), span_str(want)) < out->n;
}

static void
assert_holds(const struct buf *out, const char *want)
{
    if (!holds(out, want))
        fail_msg("missing \"%s\" in:\n%.*s", want, (int)out->n, out->p);
}

static void
assert_clean(struct span text, const char *kind, size_t view)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if ((c < 0x20 && c != '\n' && c != '\r') || c == 0x7f || c == 0xff)
            fail_msg("%s, view %zu: byte %02x", kind, view, c);
    }
    assert_true(utf8_valid(text));
}

/* Every view of every summary is made whole, twice the same, and carries no
 * control byte but line ends. */
static void
every_view(void **state)
{
    struct kit k;
    struct buf a;
    struct buf b;

    (void)state;
    buf_init(&a, 10 << 20);
    buf_init(&b, 10 << 20);
    for (size_t i = 0; i < KIT_KINDS * ARRAY_LEN(views); i++) {
        size_t v = i % ARRAY_LEN(views);
        size_t kind = i / ARRAY_LEN(views);

        kit_make(&k, (enum kit_kind)kind);
        views[v](&k.s, &a);
        views[v](&k.s, &b);
        assert_false(a.cut || a.failed);
        assert_true(span_eq(buf_view(&a), buf_view(&b)));
        assert_clean(buf_view(&a), kit_names[kind], v);
        buf_reset(&a);
        buf_reset(&b);
    }
    buf_free(&a);
    buf_free(&b);
}

/* Cut at any length, the reports stop there and say so. */
static void
cut_anywhere(void **state)
{
    struct kit k;
    struct buf whole;

    (void)state;
    kit_make(&k, KIT_HOSTILE);
    for (size_t v = 0; v < ARRAY_LEN(views); v++) {
        buf_init(&whole, 10 << 20);
        views[v](&k.s, &whole);
        for (size_t max = 0; max < whole.n; max += 997) {
            struct buf part;

            buf_init(&part, max);
            views[v](&k.s, &part);
            assert_true(part.cut);
            assert_true(part.n <= max);
            assert_true(
                span_eq(buf_view(&part), span_head(buf_view(&whole), part.n)));
            buf_free(&part);
        }
        buf_free(&whole);
    }
}

static void
says(void **state)
{
    static const struct {
        enum kit_kind kind;
        const char *text;
    } rows[] = {
  /* clang-format off */
        {KIT_BUSY, "\n8 senders nobody told you about (3 of 11 senders"},
        {KIT_BUSY, "\n2 receivers nobody told you about\n"},
        {KIT_BUSY, "\n1 requirement was seen broken by a registered host; 2 "
                   "registered lines not seen\n  10.3.0.25 took mail from "
                   "outside for outside: observed, 3 of 41 readable "
                   "transactions (10c8393f19f7e439, c3fefea621ccfc8a)\n  not "
                   "seen: 10.3.0.26, form 2026-118, printer\n"},
        {KIT_BUSY, "; behaves like a spam bot: 812 of 2000 recipients unknown\n"},
        {KIT_BUSY, "; looks like an application: 16 different recipients\n"},
        {KIT_BUSY, "98.6 % of 1.9 GiB"},
        {KIT_BUSY, "855 refused: unknown user; cited by bl.spamcop.net"},
        {KIT_BUSY,
         "would stop 8 of 11 senders and 2 of 4 receivers that use it across "
         "the border. They sent 675 of 8,188 messages"},
        {KIT_BUSY, "3 block lists are cited against 2 hosts of yours"},
        {KIT_BUSY, "unknown user 812 (61 %)"},
        {KIT_BUSY, "\nWhat came attached\n  3,120 files came attached, 1.3 GiB. "
                   "Messages with files that are malicious (A): 4, of a"},
        {KIT_BUSY, "Malicious: 3 of 8,311 messages that could be inspected "
                   "(<0.1 %, 95 %: 0.01 to 0.11 %): in the clear"},
        {KIT_BUSY, ". 91 of 8,402 complete messages (1.1 %) could not be\n"},
        {KIT_BUSY, "\n  A      invoice <U+202E>fdp.exe           pe    714.0"},
        {KIT_BUSY, "Quarterly report \xe2\x80\xa6          .scr  pe"},
        {KIT_BUSY, "\n  1 more file (-o report.json has all)\n"},
        {KIT_BUSY, "sent 3 messages with a file that is malicious, 14 messages "
                   "with a file of a forbidden type; 855 refused: unknown"},
        {KIT_ONE, "\n  1 file came attached, 1 byte. Messages with files that "
                  "are malicious (A): 1\n"},
        {KIT_ONE, "Malicious: 1 of 1 message that could be inspected:"},
        {KIT_HUGE, "18,446,744,073,709,551,615 files beyond the limit"},
        {KIT_NO_REGISTRY,
         "\n11 hosts send mail; give --registry FILE to see "
         "which of them nobody told you about\n"},
        {KIT_NO_REGISTRY, "without --registry FILE"},
        {KIT_EMPTY, "No SMTP in 2,011 packets; 1,994 connection attempts"},
        {KIT_ONE, "\n1 sender nobody told you about\n"},
        {KIT_ONE, "1 block list is cited against 1 host of yours"},
        {KIT_ONE, "SMTP      1 session;"},
        {KIT_ONE, "network:\n    home: [10.0.0.0/8]\n"},
        {KIT_HUGE, "At least 10 senders nobody told you about"},
        {KIT_HOSTILE, "\nDEMO "},
        {KIT_HOSTILE, "\npartial:  "},
        {KIT_HOSTILE, "<U+202E>fdp\\xff\\x0d\\x0a"},
        {KIT_ZERO, "No SMTP in 0 packets"},
  /* clang-format on */
    };
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        kit_make(&k, rows[i].kind);
        report_text(&k.s, &plain, &out);
        assert_holds(&out, rows[i].text);
        buf_reset(&out);
    }
    buf_free(&out);
}

/* The next command stands on a terminal only, and names a file only when a
 * shell would take the name as it is. */
static void
suggests(void **state)
{
    static const struct {
        const char *file, *next;
    } rows[] = {
        {"a/b-1.pcap", "-o report.html a/b-1.pcap\n"},
        {"a b",        "-o report.html CAPTURE...\n"},
        {"-o",         "-o report.html CAPTURE...\n"},
        {"$(x)",       "-o report.html CAPTURE...\n"},
        {"",           "-o report.html CAPTURE...\n"},
    };
    struct report_style style = {.utc = true, .tty = true};
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    text(&k.s, &out);
    assert_false(holds(&out, "Next:"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&out);
        kit_text(k.file_name, sizeof(k.file_name), rows[i].file);
        report_text(&k.s, &style, &out);
        assert_holds(&out, rows[i].next);
    }
    buf_free(&out);
}

static int32_t
two_hours(ns_t t)
{
    (void)t;
    return 7200;
}

static void
styled(void **state)
{
    struct report_style style = {.zone = two_hours, .colour = true};
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    report_text(&k.s, &style, &out);
    assert_holds(&out, "2026-03-07 10:00 to 14:00+02:00");
    assert_holds(&out, "\x1b[1;31mhigh\x1b[0m");
    assert_holds(&out, "2026-03-07 10:14+02:00");
    buf_free(&out);
}

static void
html_says(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    report_html(&k.s, &out);
    assert_holds(&out, "<b>8</b> senders nobody told you about");
    assert_holds(&out, "<b>3</b> block lists are cited against 2 hosts");
    assert_holds(&out, "<html lang=\"en\">");
    assert_holds(&out, "98.6&nbsp;%");
    assert_false(holds(&out, "Partial."));
    assert_false(holds(&out, "Demo."));
    assert_holds(&out, "id=\"attached\"");
    assert_holds(&out, "invoice &lt;U+202E&gt;fdp.exe");
    assert_holds(&out, "physics.pdf                                           "
                       "  .scr</bdi>");
    assert_holds(&out, "<bdi class=\"wire\">setup.msi</bdi> <span "
                       "class=\"soft\">and other names");
    buf_reset(&out);
    kit_make(&k, KIT_HOSTILE);
    report_html(&k.s, &out);
    assert_holds(&out, "Partial.");
    assert_holds(&out, "Demo.");
    assert_false(holds(&out, "<script"));
    buf_free(&out);
}

/* Without parts there is no word of them; without inspection no share; with
 * nothing found, that. */
static void
parts_or_none(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    k.s.parts.told = 0;
    text(&k.s, &out);
    report_html(&k.s, &out);
    assert_false(holds(&out, "What came attached"));
    buf_reset(&out);
    kit_make(&k, KIT_BUSY);
    k.s.parts.off = true;
    text(&k.s, &out);
    report_html(&k.s, &out);
    assert_holds(&out, "is malicious is not known: the insides of files");
    assert_false(holds(&out, "8,311"));
    buf_reset(&out);
    k.s.parts = (struct summary_parts){.told = 2, .messages = 1};
    k.s.n_attachments = 0;
    text(&k.s, &out);
    assert_holds(&out, "2 files came attached, 0 bytes; nothing was found in "
                       "them\n");
    assert_holds(&out, "not known: no message could be inspected\n");
    assert_false(holds(&out, "FOUND"));
    assert_false(holds(&out, "beyond the limit"));
    k.s.parts.beyond = 1234;
    buf_reset(&out);
    text(&k.s, &out);
    assert_holds(&out, "1,234 parts beyond the limit of a message not looked");
    buf_free(&out);
}

/* A table of files ends and says how many it left out. */
static void
many_files(void **state)
{
    static struct summary_attachment files[REPORT_HTML_ROWS + 2];
    struct kit k;
    struct buf out;

    (void)state;
    kit_make(&k, KIT_BUSY);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        files[i] = k.attachments[i % 6];
    k.s.attachments = files;
    k.s.n_attachments = ARRAY_LEN(files);
    buf_init(&out, 10 << 20);
    report_html(&k.s, &out);
    assert_holds(&out, "2 more files not shown here");
    buf_reset(&out);
    text(&k.s, &out);
    assert_holds(&out, "197 more files (-o report.json has all)");
    buf_free(&out);
}

/* A table of hosts ends and says how many it left out. */
static void
many_hosts(void **state)
{
    static struct summary_host hosts[REPORT_HTML_ROWS + 2];
    struct kit k;
    struct buf out;

    (void)state;
    kit_make(&k, KIT_BUSY);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        hosts[i] = k.hosts[0];
        hosts[i].addr.b[15] = (uint8_t)i;
    }
    k.s.hosts = hosts;
    k.s.n_hosts = ARRAY_LEN(hosts);
    buf_init(&out, 10 << 20);
    report_html(&k.s, &out);
    assert_holds(&out, "2 more hosts not shown here");
    buf_reset(&out);
    report_text(&k.s, &plain, &out);
    assert_holds(&out, "197 more senders (-o hosts.csv has all)");
    buf_free(&out);
}

static void
alerts_and_blocks(void **state)
{
    static const char *const want[] = {
        "\nAlerts\n",
        "  high      10.20.4.17 ",
        "opened 412 connections in 10 min, limit 60",
        "  2 high, 1 medium, 2 low, 1 info; 2 silenced by exceptions (low and "
        "info hidden: --all)",
        "By what they did, 2 of 12 hosts that send would be stopped: "
        "10.20.4.17, 2001:db8:20:4::/64. 1 of them no longer at the end. 1 of "
        "2 also sent mail that looks ordinary: 14 messages in the last 7 days; "
        "the site of 1 of 2 is known, who answers for it of 1.",
        "1 host is held for a human: 10.31.0.9 (it behaves like a mail "
        "server). 2 hosts with figures as high would not be stopped: "
        "10.0.0.25, 10.44.1.80 (registered: 1, too many at once: 1).",
        "Judged on what could be read: 6,686 of 18,463 sessions (36 %), 1.4 % "
        "of their bytes lost; counts are lower bounds.",
        "Closing port 25 to hosts that are not registered would stop",
    };
    struct report_style all = {.utc = true, .all = true};
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    report_text(&k.s, &plain, &out);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_holds(&out, want[i]);
    assert_false(holds(&out, "Unregistered sender"));
    buf_reset(&out);
    report_text(&k.s, &all, &out);
    assert_holds(&out, "  low       10.7.7.3 ");
    assert_holds(&out, "2 low, 1 info; 2 silenced by exceptions\n");
    buf_free(&out);
}

/* Without a rule that was run nothing is said of alerts, nor of nobody. */
static void
no_verdicts(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    kit_make(&k, KIT_BUSY);
    k.s.has_verdicts = false;
    report_text(&k.s, &plain, &out);
    report_html(&k.s, &out);
    assert_false(holds(&out, "Alerts"));
    assert_false(holds(&out, "By what they did"));
    buf_reset(&out);
    k.s.has_verdicts = true;
    k.s.n_alerts = k.s.n_decisions = 0;
    k.s.alerts_silenced = 0;
    memset(k.s.alerts_level, 0, sizeof(k.s.alerts_level));
    report_text(&k.s, &plain, &out);
    assert_holds(&out, "Alerts\n  No alert\n");
    assert_holds(&out, "By what they did, 0 of 12 hosts that send would be "
                       "stopped.\n  Nothing is held for a human.\n");
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_and_blocks),
        cmocka_unit_test(no_verdicts),
        cmocka_unit_test(every_view),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(says),
        cmocka_unit_test(suggests),
        cmocka_unit_test(styled),
        cmocka_unit_test(html_says),
        cmocka_unit_test(parts_or_none),
        cmocka_unit_test(many_files),
        cmocka_unit_test(many_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

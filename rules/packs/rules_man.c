#include "rules/packs/rules_man.h"

#include "rules/packs/cases.h"
#include "rules/sigma/sigma.h"

/* ---- roff ---- */

/* A line of ours: backslashes are none of roff's, each sentence has its line,
 * and no line is taken for a macro. */
static void
prose(struct buf *out, const char *text)
{
    bool fresh = true;

    for (; *text != 0; text++) {
        bool end = text[0] == '.' && text[1] == ' ';

        if (fresh && (*text == '.' || *text == '\''))
            buf_str(out, "\\&");
        if (*text == '\\')
            buf_str(out, "\\e");
        else
            buf_putc(out, (uint8_t)*text);
        fresh = end;
        if (end) {
            buf_putc(out, '\n');
            text++;
        }
    }
    buf_putc(out, '\n');
}

struct row {
    const char *word, *doc;
};

static void
table(struct buf *out, const struct row *rows, size_t n)
{
    buf_str(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, ".It Cm \"%s\"\n", rows[i].word);
        prose(out, rows[i].doc);
    }
    buf_str(out, ".El\n");
}

/* ---- tables ---- */

static const struct row modifiers[] = {
#define X(name, apply, flags, arg, doc) {name, doc},
#include "rules/sigma/sigma_modifier.def"
#undef X
};

static const struct {
    const char *word, *doc;
    enum field field;
} aliases[] = {
#define X(name, field, lens, doc) {name, doc, FIELD_##field},
#include "rules/sigma/sigma_field.def"
#undef X
};

static const struct row services[] = {
    {"smtp",
     "One mail transaction, also a failed one: envelope, every reply, header "
     "fields (smtp.*, email.*)."                                           },
    {"smtp_session",
     "One TCP connection to a mail port: greeting, extensions, STARTTLS, AUTH, "
     "timings, how it ended (smtp.*, flow.*, tcp.*, ether.*); connections that "
     "never carried a byte (attempts.*)."                                  },
    {"fileinfo",
     "One part of a message: names, types, digests, findings (fileinfo.*)."},
    {"tls",          "One TLS handshake (tls.*)."                          },
    {"anomaly",      "One named oddity (anomaly.*)."                       },
    {"host",         "The statistics of a source, at intervals and when they change "
             "(host.*)."                                       },
};

static const struct row document_keys[] = {
    {"title",                                                                  "What the rule finds, at most 256 characters. It must be there."},
    {"id",                                                                     "A UUID that stays the same for the rule's life. Exceptions, "
           "rules.disable and replies to an alert name the rule by it."                                                              },
    {"name",                                                                   "A word by which correlations and filters name the rule."       },
    {"status",                                                                 "stable, test, experimental, deprecated or unsupported."        },
    {"description",                                                            "Why it matters, for who has to judge an alert."                },
    {"level",
     "high: harm to others or to our reputation is happening now, seen by two "
     "independent checks; answer within an hour. medium: policy violated or "
     "risk open; same day. low: unusual, or a registration is missing; weekly. "
     "informational: a fact for context. critical is treated as high."                                                                         },
    {"falsepositives",                                                         "A list of benign causes."                                      },
    {"tags",                                                                   "Such as attack.t1566.001: ATT&CK techniques become part of the "
             "alert."                                                                                                              },
    {"logsource",                                                              "Which events the rule is for, see LOG SOURCES."                },
    {"detection",                                                              "Selections, and the condition that ties them together."        },
    {"correlation",                                                            "In place of logsource and detection: see CORRELATIONS."        },
    {"filter",                                                                 "In place of detection: see FILTERS."                           },
    {"span25",                                                                 "What an alert tells, see below."                               },
    {"author, date, modified, related, references, license, fields, taxonomy",
     "Are read, and change nothing. So are keys of your own."                                                                                  },
};

static const struct row span25_keys[] = {
    {"subject", "client or server: whom an alert is about. client when not "
                "given; of a correlation the address in its group-by."},
    {"reason",
     "The sentence of an alert, behind the address. {smtp.helo} stands for the "
     "value of a field; in a correlation {count}, {limit} and {timespan} for "
     "its figures. What is not there is \"(not observed)\"."                         },
    {"limit",   "How the limit was chosen."                                          },
    {"action",  "What to do."                                                        },
};

static const struct row correlation_types[] = {
    {"event_count",                        "How many events any of the rules matched."       },
    {"value_count",
     "How many different values of field were among them; field may be a list, "
     "then tuples are counted."                                                              },
    {"temporal",                           "All of the rules matched, in any order; or as a condition "
                 "of their names with and, or, not says."                    },
    {"temporal_ordered",                   "All of the rules matched, in the order of rules."},
    {"value_sum, value_avg, value_median",
     "Sum, mean or median of the number in field."                                           },
    {"value_percentile",                   "The percentile, as percentile: 95 beside field." },
};

static const struct row correlation_keys[] = {
    {"type",      "One of the above."                                           },
    {"rules",     "Ids or names of rules, or of other correlations."            },
    {"group-by",  "Fields whose values make a window of their own. An event "
                 "without one of them joins none; of a list the first entry "
                 "counts."                                      },
    {"timespan",  "A number and s, m, h, d, w, M or y. Windows slide; an event "
                 "counts until it is older than this, measured from the "
                 "newest."                                      },
    {"condition", "One or two of gt, gte, lt, lte, eq, neq with a number, and "
                  "field where something is counted or summed."},
    {"aliases",   "Names for group-by whose field differs from rule to rule."   },
    {"generate",  "true: the rules alert on their own as well."                 },
};

/* ---- parts ---- */

static void
put_begin(struct buf *out, const char *date)
{
    buf_printf(out,
               ".Dd %s\n.Dt RULES 5\n.Os\n.Sh NAME\n.Nm rules\n"
               ".Nd what alerts, in Sigma, and the cases beside it\n"
               ".Sh DESCRIPTION\n",
               date);
    prose(out,
          "A rule says which events raise an alert. The language is Sigma 2.1 "
          "(https://sigmahq.io), YAML in files that end in .yaml or .yml, "
          "several documents in one divided by ---. span25 ships four packs: "
          "policy, behaviour, content and protocol. Rules of your own lie in "
          "the folder of --rules or rules.dir, and folders below it.");
    buf_str(out, ".Bd -literal -offset indent\n"
                 "title: Mail from a host without a permit\n"
                 "id: 2f1c7d3e-5a64-4c0e-8d0b-8d7e5c1f9a10\n"
                 "status: test\n"
                 "level: low\n"
                 "description: The registry knows of no permit for this "
                 "host.\n"
                 "falsepositives: [A server whose form is on its way.]\n"
                 "logsource: {product: span25, service: smtp}\n"
                 "detection:\n"
                 "  sends: {direction: outbound, src_reg.state: unregistered}\n"
                 "  late: {smtp.outcome: [aborted, no-data]}\n"
                 "  condition: sends and not late\n"
                 "span25:\n"
                 "  reason: \"sent mail as {smtp.helo} to {dest_ip}\"\n"
                 "  limit: One is enough.\n"
                 "  action: Ask its site for a form.\n"
                 ".Ed\n.Pp\n");
    prose(out, "A document with a fault is refused, and each fault is one line "
               "with file, line and column; the others are loaded. Anchors, "
               "aliases and tags of YAML are refused. A file has at most 32 "
               "MiB, a set at most 65,536 rules, a value 8,192 bytes.");
}

static void
put_document(struct buf *out)
{
    buf_str(out, ".Sh DOCUMENTS\n");
    table(out, document_keys, ARRAY_LEN(document_keys));
    buf_str(out, ".Ss The map span25\n");
    prose(out, "Its keys are checked: one that is not known, and a field in "
               "reason that no event has, is a fault.");
    table(out, span25_keys, ARRAY_LEN(span25_keys));
}

static void
put_sources(struct buf *out)
{
    buf_str(out, ".Sh LOG SOURCES\n");
    prose(out, "product is span25, service is the type of event. A rule "
               "without a service is for all of them. A rule for another "
               "product, or with a category, is read, checked, counted as "
               "foreign, and never matches.");
    table(out, services, ARRAY_LEN(services));
    buf_str(out, ".Ss Fields\nThe keys of events that\n.Xr events 7\n"
                 "lists, such as\n.Ql smtp.rcpt[].code ,\n"
                 "also without the brackets, and the names that ECS has for "
                 "them.\n");
    prose(out, "A field of a list matches when one of its entries does; "
               "entries of two fields of one object are not tied to one "
               "another. A name that is not known is a fault in a rule for "
               "span25. Other names for fields are:");
    buf_str(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        buf_printf(out, ".It Cm %s Pq Va %s\n", aliases[i].word,
                   field_table[aliases[i].field].path);
        prose(out, aliases[i].doc);
    }
    buf_str(out, ".El\n");
}

static void
put_detection(struct buf *out)
{
    buf_str(out, ".Sh DETECTION\n");
    prose(out, "A selection is a map of fields and values, all of which must "
               "hold; or a list of maps, one of which must; or a list of "
               "words, one of which must stand somewhere in the event. The key "
               "'|all' in place of a field asks for all of the words. A list "
               "of values is an or.");
    buf_str(out, ".Pp\n");
    prose(out, "A text is compared with the whole field, and the case of ASCII "
               "letters does not matter. * is any run of characters, ? is one "
               "character; a backslash before *, ? or \\ makes it plain. A "
               "number meets a number by value, a text by its digits. Times "
               "are UTC; compared with a number they are seconds since 1970. "
               "null says that the field is not there, '' that it is there and "
               "empty. null does not stand in a list.");
    buf_str(out, ".Ss Modifiers\nThey follow the field with a bar, as in\n"
                 ".Ql email.subject|contains|all ,\n"
                 "and are applied from left to right.\n");
    table(out, modifiers, ARRAY_LEN(modifiers));
    buf_str(out, ".Ss Condition\n");
    prose(out, "Names of selections with not, and, or (which bind in this "
               "order, the tightest first) and brackets. 1 of s*, any of s* "
               "and all of s* stand for selections whose name fits the "
               "pattern, them for all whose name does not begin with _. A "
               "pattern that fits nothing is a fault. A list of conditions is "
               "an or.");
}

static void
put_correlation(struct buf *out)
{
    buf_str(out, ".Sh CORRELATIONS\n");
    prose(out, "A correlation counts what rules match, within a time, for each "
               "value of some fields. The rules it names do not alert by "
               "themselves.");
    buf_str(out, ".Bd -literal -offset indent\n"
                 "title: Many recipients that do not exist\n"
                 "correlation:\n"
                 "  type: event_count\n"
                 "  rules: [unknown_recipient]\n"
                 "  group-by: [src_ip]\n"
                 "  timespan: 10m\n"
                 "  condition: {gte: 60}\n"
                 "span25:\n"
                 "  reason: \"{count} unknown recipients in {timespan}, limit "
                 "{limit}\"\n"
                 ".Ed\n");
    table(out, correlation_types, ARRAY_LEN(correlation_types));
    buf_str(out, ".Pp\nIts keys are:\n");
    table(out, correlation_keys, ARRAY_LEN(correlation_keys));
    buf_str(out, ".Pp\n");
    prose(out,
          "gt and gte alert at once; then again when the figure has been "
          "below, or a timespan later. A condition with lt, lte, eq or neq can "
          "only be known at the end: its window opens with the first event, is "
          "as long as timespan, and alerts at its end. Nothing at all opens no "
          "window. A match of a correlation is an event with its group-by "
          "fields, so correlations can look at correlations, not in a circle.");
    buf_printf(out,
               ".Pp\nA correlation keeps at most %u windows and %u events, %u "
               "of one window;\nthe idlest window or the oldest event makes "
               "room and is counted.\n"
               "A reload keeps the windows of correlations that did not "
               "change.\n",
               sigma_limits_default.buckets, sigma_limits_default.events,
               sigma_limits_default.window);
}

static void
put_filter(struct buf *out)
{
    buf_str(out, ".Sh FILTERS\n");
    prose(
        out,
        "A filter has logsource and, below filter, rules (ids, names, or any), "
        "selections and a condition, which is added with and to that of the "
        "rules. So one that keeps rules quiet says condition: not selection. "
        "Correlations are not filtered, the rules they look at are.");
}

static void
put_packs(struct buf *out)
{
    buf_str(out, ".Sh SHIPPED RULES\n");
    prose(out,
          "The packs are within the program. rules.packs chooses among them "
          "(none: no shipped rule), rules.disable names single rules that do "
          "not alert; they still serve correlations. A rule of your own with "
          "the id or the name of a shipped one takes its place, which is told. "
          "A rule that is only to be quiet for some hosts is better left as it "
          "is, with an exception, or with a filter.");
    buf_str(out, ".Dl span25 rules list\n.Dl span25 rules explain ID\n");
}

static void
put_cases(struct buf *out)
{
    buf_str(out, ".Sh CASES\n");
    buf_str(out, "Beside\n.Pa FILE.yaml\nlies\n.Pa FILE.cases ,\nwhich\n.Ql "
                 "span25 rules test\nruns.\n");
    prose(out,
          "A rule that alerts needs at least one case that fires and one, as "
          "near to it as can be, that is quiet.");
    buf_str(out,
            ".Bd -literal -offset indent\n"
            "## a comment\n"
            "# fires: three within the time\n"
            "{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"smtp\","
            " ...}\n"
            "{\"timestamp\":\"2026-11-22T10:05:00Z\",\"event_type\":\"smtp\","
            " ...}\n"
            "{\"timestamp\":\"2026-11-22T10:10:00Z\",\"event_type\":\"smtp\","
            " ...}\n"
            "# quiet[many-unknown]: only one\n"
            "{\"timestamp\":\"2026-11-22T10:00:00Z\",\"event_type\":\"smtp\","
            " ...}\n"
            "tick: 2026-11-22T10:20:00Z\n"
            ".Ed\n.Pp\n");
    prose(
        out,
        "A block begins with fires or quiet, a colon and why. The id, name or "
        "title in brackets says which rule is meant; it is needed where the "
        "file has several that alert. Then come events as in the journal, one "
        "a line, with timestamp, event_type and the fields that matter; a key "
        "that no event has is a fault. tick lets time go on. Each block "
        "begins with empty windows, and each file is loaded alone.");
    buf_printf(out, "At most %u blocks and %u lines are read.\n", CASES_MAX,
               CASES_LINES);
}

void
rules_man_write(struct buf *out, const char *date)
{
    put_begin(out, date);
    put_document(out);
    put_sources(out);
    put_detection(out);
    put_correlation(out);
    put_filter(out);
    put_packs(out);
    put_cases(out);
    buf_str(out, ".Sh SEE ALSO\n.Xr span25 1 ,\n.Xr span25-rules 1 ,\n"
                 ".Xr span25.conf 5 ,\n.Xr events 7\n");
}

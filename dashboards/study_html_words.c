#include "dashboards/study_page.h"

struct term {
    const char *term, *meaning;
};

static void
put_terms(struct study_page *p, const struct term *v, size_t n)
{
    html_raw(p->out, "<dl class=\"terms\">\n");
    for (size_t i = 0; i < n; i++)
        page_term(p, v[i].term, v[i].meaning);
    html_raw(p->out, "</dl>\n");
}

/* ---- scope and method ---- */

static const struct term definitions[] = {
    {"host",             "an address at home. The host is the unit of all that is said of "
             "other weeks, not the message: messages of one host are alike"},
    {"at home",          "in the networks of the configuration"                        },
    {"sender",           "a host that completed a session outward on port 25 in the "
               "window"                                                  },
    {"session",          "a connection in which both sides spoke SMTP"                 },
    {"registered",       "with a permit in force for what it did; not registered "
                   "says nothing about abuse"                        },
    {"bot",              "behaves like a spam bot, by what the sensor's statistics say or "
            "by a person's review; all its mail counts as malicious"        },
    {"mixed",            "abuse beside ordinary mail: what was judged bad, or carries "
              "malicious code, counts as malicious"                       },
    {"looks legitimate", "enough was seen, and nothing of abuse; its mail "
                         "counts as ordinary"                  },
    {"unknown",          "too little was seen to tell; its mail counts as unclear"     },
    {"would be stopped", "the same code that decides in the sensor met the "
                         "recorded traffic, and said so; the stop takes force "
                         "after the time that the policy gives"},
    {"lost and late",    "a mail server keeps what is stopped and tries again for "
                      "days: its mail is late. Printers, alarms and scripts do "
                      "not: theirs is lost"                       },
    {"recipient spared", "an accepted recipient of malicious mail that the "
                         "policy would have stopped"           },
};

void
study_html_method(struct study_page *p)
{
    const struct study_result *r = p->r;

    html_raw(p->out, "<p>Recorded by ");
    page_name(p, r->sensors, "sensors that are not named");
    html_raw(p->out, " at the border of the network: sessions on port 25 that "
                     "cross it. Sessions on ports 587 and 465, and mail that "
                     "stays at home, are not in the study. No host was asked "
                     "anything and nothing was sent.</p>\n");
    page_words(p, "Every event was read once, in order of time. Statistics of "
                  "each host were kept as the sensor keeps them, and each "
                  "policy was replayed over the same events. What would have "
                  "happened after a stop is not in the recording: where that "
                  "matters, the least and the most are given.");
    put_terms(p, definitions, ARRAY_LEN(definitions));
}

/* ---- privacy ---- */

void
study_html_privacy(struct study_page *p)
{
    html_raw(p->out,
             "<ul>\n<li>Read: the events of the inputs on the cover: "
             "addresses of hosts, times, envelopes and headers of mail as the "
             "sensor records them, sizes and verdicts. No text of a mail is in "
             "them.</li>\n<li>Kept: this report, and the JSON and CSV files "
             "beside it. They name hosts at home, and sites with their "
             "contacts; no sender, recipient or subject is in them.</li>\n<li>"
             "Who may see it: ");
    page_name(p, p->r->classification, "not given");
    html_raw(p->out, "</li>\n<li>For others: study run --anonymize leaves out "
                     "people, hosts, or all that points to a site.</li>\n"
                     "</ul>\n");
    if (p->r->anonymized != NULL) {
        html_raw(p->out, "<p>Left out here: ");
        page_name(p, p->r->anonymized, "");
        html_raw(p->out, ".</p>\n");
    }
    page_words(p, "For how long the recording and this report are kept, and on "
                  "what legal ground, is for the author to write here.");
}

/* ---- limits ---- */

void
study_html_passive(struct study_page *p)
{
    html_raw(
        p->out,
        "<ul>\n<li>What is in encrypted mail: only that there was some, and "
        "about how much.</li>\n<li>What did not happen: \"not seen\" is not "
        "\"is not there\". That no host was seen to relay for others does not "
        "say that none would.</li>\n<li>Whether a host scans its mail for "
        "malicious code.</li>\n<li>Who sits behind an address, and whether two "
        "addresses are one host.</li>\n<li>Senders that did not send in the "
        "window, and the mail of hours that were not watched.</li>\n<li>What a "
        "stopped host would do next: give up, try for ever, or go another "
        "way.</li>\n<li>Harm outside mail: what a person loses when an alarm "
        "does not arrive.</li>\n</ul>\n");
}

/* ---- appendices ---- */

static const struct term glossary[] = {
    {"acknowledged and not seen", "the receiver confirmed these bytes, so they "
                                  "went past; the sensor did not get them"},
    {"block",                     "port 25 is closed for a host; a stop in this report"                    },
    {"break-even",                "the price of a lost message at which two policies are "
                   "worth the same"                                                      },
    {"class A",                   "a file that is malicious beyond doubt, by signature or by "
                "what it is"                                                                },
    {"coverage",                  "the share of an hour during which the sensor watched"                   },
    {"displaced",                 "mail that goes another way when port 25 is closed"                      },
    {"grace",                     "days in which hosts are told and not yet stopped"                       },
    {"held out",                  "days on which no limit was set; figures are of these"                   },
    {"interval",                  "where the true value of other weeks lies in 95 of 100 such "
                 "studies"                                                                 },
    {"permit",                    "the right of a registered host to use port 25"                          },
    {"TLS",                       "encryption of the connection; after STARTTLS nothing inside is "
            "seen"                                                                              },
    {"warm-up",                   "days before the window on which statistics were kept and "
                "nothing was counted"                                                       },
    {"wave",                      "letters to a part of the sites, a week apart, so that forms do "
             "not come all at once"                                                            },
};

void
study_html_glossary(struct study_page *p)
{
    put_terms(p, glossary, ARRAY_LEN(glossary));
}

static const struct estimator {
    const char *name, *formula, *source, *never;
} estimators[] = {
    {"Wilson interval",
     "the shares that the observed one would not refute at "
     "95 %, from the normal approximation to the test of a "
     "share",                                                                                   "Wilson, J. Am. Stat. Assoc. 22 (1927)",
     "for messages of few hosts: they are not independent"                                                                                                                                                        },
    {"Clopper-Pearson interval",
     "the shares under which as few, or as many, "
     "would be seen in 2.5 % of cases",                                                         "Clopper and Pearson, Biometrika 26 (1934)",
     "where a short interval matters: it is wider than it needs to be"                                                                                                                                            },
    {"Rate of rare events",
     "exact limits of a Poisson count, divided by the "
     "host-days",                                                                               "Garwood, Biometrika 28 (1936)",                                       "where events come in bundles of a host"   },
    {"Share of messages",
     "sum of hits over sum of messages; hosts are drawn "
     "anew 2,000 times, the largest stay in every draw, "
     "and the spread is scaled by each draw's own error "
     "(bootstrap-t)",                                                                           "Efron and Tibshirani, An Introduction to the Bootstrap (1993), 12.5",
     "with fewer than 30 hosts: it covers less than it claims"                                                                                                                                                    },
    {"Weight for loss",
     "each message counts one over the probability that one "
     "of its size is seen whole; at most ten",                                                  "Horvitz and Thompson, J. Am. Stat. Assoc. 47 (1952)",
     "where a direction of traffic was not seen at all"                                                                                                                                                           },
    {"Bounds for all mail",
     "share that could be read times its share of hits; "
     "to that, all that could not be read",                                                     "Manski, J. Human Resources 24 (1989)",
     "as an estimate: it is what is possible, not what is likely"                                                                                                                                                 },
    {"Senders not seen",
     "those on one day times those but one, over twice "
     "those on two days plus two, nearly: at least so many "
     "more",                                                                                    "Chao, Biometrics 43 (1987); Good, Biometrika 40 (1953)",
     "with fewer than two days, or where days are not alike"                                                                                                                                                      },
    {"Time to stop",
     "at each stop the share not yet stopped is multiplied by "
     "one less the stopped over those still watched; interval "
     "from the log of the log",                                                                 "Kaplan and Meier, J. Am. Stat. Assoc. 53 (1958); Greenwood (1926)",
     "for hosts whose abuse began before the window"                                                                                                                                                              },
    {"Kappa",                    "agreement beyond what chance gives, over what chance leaves",
     "Cohen, Educ. Psychol. Meas. 20 (1960)",                                                                                                                          "where nearly all messages are of one kind"},
    {"Corrected share",
     "(apparent share + specificity - 1) over (sensitivity "
     "+ specificity - 1)",                                                                      "Rogan and Gladen, Am. J. Epidemiol. 107 (1978)",
     "where sensitivity and specificity were measured on other mail"                                                                                                                                              },
    {"Break-even",
     "malicious recipients spared over ordinary messages lost, "
     "with the cost of a ticket",                                                               "from the definition of expected cost",
     "as a verdict: what a lost message is worth is for people to say"                                                                                                                                            },
};

void
study_html_estimators(struct study_page *p)
{
    static const struct html_col cols[] = {
        {"Estimator",      false},
        {"In words",       false},
        {"Source",         false},
        {"Not to be used", false},
    };

    html_table(p->out, "How figures beyond counts were made", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < ARRAY_LEN(estimators); i++) {
        const struct estimator *e = &estimators[i];

        html_raw(p->out, "<tr><th scope=\"row\">");
        html_text(p->out, e->name);
        html_raw(p->out, "</th>");
        html_cell(p->out, e->formula);
        html_cell(p->out, e->source);
        html_cell(p->out, e->never);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
}

void
study_html_repeat(struct study_page *p)
{
    const struct study_result *r = p->r;

    page_words(p, "The same inputs, rules, configuration and command give the "
                  "same report, byte for byte. Their hashes are on the cover; "
                  "of an input without a hash not all bytes were read, or its "
                  "bytes change.");
    if (r->command != NULL) {
        html_raw(p->out, "<pre><code>");
        html_text(p->out, r->command);
        html_raw(p->out, "</code></pre>\n");
    }
    page_words(p, "The JSON file beside this page has every figure; the CSV "
                  "files of policies, hosts, sites, hours, days and shares "
                  "have the tables whole.");
}

#include "dashboards/study_report.h"

#include "dashboards/report_css.h"
#include "dashboards/study_css.h"
#include "dashboards/study_page.h"
#include "dashboards/style.h"

#define SENTENCE_MAX 8192

/* In the order of the page. */
static const struct {
    const char *id, *title; /* title NULL: not in the list of contents */
    void (*put)(struct study_page *);
} sections[] = {
    {"cover",      NULL,                             study_html_cover     },
    {"decision",   NULL,                             study_html_decision  },
    {"criteria",   "Go or no go",                    study_html_criteria  },
    {"method",     "Scope and method",               study_html_method    },
    {"sight",      "Data quality and sight",         study_html_sight     },
    {"found",      "What we found",                  study_html_found     },
    {"policies",   "The policies replayed",          study_html_policies  },
    {"limits",     "Where the limits come from",     study_html_limits    },
    {"errors",     "Errors",                         study_html_errors    },
    {"sites",      "Impact by site",                 study_html_sites     },
    {"rollout",    "Roll-out",                       study_html_rollout   },
    {"work",       "Work created",                   study_html_work      },
    {"privacy",    "Privacy",                        study_html_privacy   },
    {"passive",    "What passive sight cannot show", study_html_passive   },
    {"hosts",      "A. Hosts",                       study_html_hosts     },
    {"glossary",   "B. Words",                       study_html_glossary  },
    {"estimators", "C. Estimators",                  study_html_estimators},
    {"repeat",     "D. How to repeat it",            study_html_repeat    },
};

static void
put_head(struct study_page *p)
{
    html_raw(p->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                     "<meta charset=\"utf-8\">\n");
    style_put(p->out, report_css, study_css, "; img-src data:");
    html_raw(p->out, "<meta name=\"viewport\" content=\"width=device-width, "
                     "initial-scale=1\">\n"
                     "<meta name=\"referrer\" content=\"no-referrer\">\n"
                     "<meta name=\"generator\" content=\"span25 " SPAN25_VERSION
                     "\">\n<title>");
    html_raw(p->out, p->r->demo ? "Demo: " : "");
    html_text(p->out, p->r->title != NULL ? p->r->title : "Impact study");
    html_raw(p->out, "</title>\n</head>\n<body>\n");
}

static void
put_contents(struct study_page *p)
{
    html_raw(p->out, "<nav aria-label=\"Contents\"><ul>\n");
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (sections[i].title == NULL)
            continue;
        html_raw(p->out, "<li><a href=\"#");
        html_raw(p->out, sections[i].id);
        html_raw(p->out, "\">");
        html_text(p->out, sections[i].title);
        html_raw(p->out, "</a></li>\n");
    }
    html_raw(p->out, "</ul></nav>\n");
}

void
study_report_html(const struct study_result *r, struct buf *out)
{
    struct study_facts f = study_facts_of(r);
    struct study_page p = {.r = r, .f = &f, .out = out};

    buf_init(&p.raw, SENTENCE_MAX);
    put_head(&p);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const char *title = sections[i].title;

        if (title != NULL)
            page_section(&p, sections[i].id, title);
        sections[i].put(&p);
        if (title != NULL)
            page_section_end(&p);
        if (sections[i].put == study_html_decision)
            put_contents(&p);
    }
    html_raw(out, "</main>\n<footer><p>Made by span25 " SPAN25_VERSION
                  " from recorded traffic. Nothing was sent to or asked of any "
                  "host.</p></footer>\n</body>\n</html>\n");
    buf_free(&p.raw);
}

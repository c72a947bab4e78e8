#ifndef SPAN25_APP_ABUSE_REPORT_H
#define SPAN25_APP_ABUSE_REPORT_H
/* abuse_report - what is told of a confirmed host to who answers for it
 *
 * XARF 4 (category messaging, type spam; its fields as of the schema of 2026)
 * and a letter (RFC 5322). Neither holds content, a recipient, a server of
 * somebody else or the whole address of a sender, which is often somebody who
 * has nothing to do with it: of that the domain, and a digest to tell them
 * apart. Where no sender was seen the report says protocol "other", for with
 * "smtp" the schema wants one. No text can become a header field or a line of
 * its own. Pure. */
#include "sensor/base/addr.h"
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

#define ABUSE_CHECKS 16U
#define ABUSE_MAIL   200U /* bytes of an address */

struct abuse_check {
    struct span name, observed, limit;
};

struct abuse_report {
    struct addr host;
    ns_t now, first, last;  /* first 0: not known */
    uint64_t count;         /* matches; 0: not known */
    struct span id;         /* of the alert or decision: 16 digits */
    struct span title;      /* of the rule; may be empty */
    struct span why;        /* what the human said: "compromised host" */
    struct span sender;     /* reverse-path as on the wire; empty: not seen */
    uint16_t source_port;   /* 0: not seen */
    uint64_t stopped_until; /* ns; 0: it is not stopped */
    struct abuse_check checks[ABUSE_CHECKS];
    size_t n_checks;
    const char *org, *contact; /* who reports */
    const char *to;            /* NULL: not known */
    const char *support;       /* whom to ask; NULL: the contact */
};

/* One mail address that is safe in a header field and as an argument: letters,
 * digits and ._+-=, one @, a domain with letters, digits, - and dots; not
 * beginning with -. */
MUST_USE bool abuse_report_mail(const char *address);

/* JSON, one document. */
void abuse_report_xarf(const struct abuse_report *r, struct buf *out);
/* A mail. */
void abuse_report_letter(const struct abuse_report *r, struct buf *out);
/* A mail with the letter and the JSON as a part of its own. */
void abuse_report_mail_xarf(const struct abuse_report *r, struct buf *out);

#endif

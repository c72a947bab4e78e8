#ifndef SPAN25_RULES_ALERT_REASON_H
#define SPAN25_RULES_ALERT_REASON_H
/* reason - the one sentence of an alert, UX 4 and 9
 *
 *     10.20.4.17 (Lakeside HS, not registered) opened 412 connections in 10m;
 *     limit 60.
 *
 * Subject, then the rule's template with its {names} filled in: {count},
 * {limit}, {timespan} and the names of fields that rules may use ("smtp.helo",
 * "smtp.rcpt.code", "mail_from_domain"; rules/sigma/sigma_field.h). Of a list
 * the first REASON_LIST values. An absent value is "(not observed)", a name
 * that is none stays as it is written. Scores and limits of host statistics,
 * which are thousandths of a nat, are told in nats with one digit. Values come
 * from the wire: they are made plain (text_plain) and cut at REASON_VALUE; the
 * sentence ends at REASON_MAX. No template: the rule's title stands for it. */
#include "sensor/event/record.h"

#define REASON_MAX   512U
#define REASON_VALUE 120U
#define REASON_LIST  3U

struct reason_facts {
    struct span subject;
    struct span site;       /* or empty */
    struct span registered; /* "registered", "unregistered" or empty */
    struct span template;   /* or empty */
    struct span title;
    const struct record_map *event;
    uint64_t count; /* matches so far */
    bool correlation;
    double figure;
    struct span limit, timespan;
};

/* Appends; out's own maximum also counts. */
void reason_write(struct buf *out, const struct reason_facts *f);

/* 1204 as "1,204". */
void reason_number(struct buf *out, uint64_t v);
/* A whole figure as reason_number, another with one digit. */
void reason_figure(struct buf *out, double v);

#endif

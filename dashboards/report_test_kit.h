#ifndef SPAN25_DASHBOARDS_REPORT_TEST_KIT_H
#define SPAN25_DASHBOARDS_REPORT_TEST_KIT_H
/* report_test_kit - summaries made by hand, for the tests of all views
 *
 * kit_make fills one kind; the parts live in the kit. */
#include "dashboards/report.h"

#define KIT_HOSTS 48
#define KIT_START (UINT64_C(1772870400) * NS_PER_S) /* 2026-03-07 08:00 UTC */

enum kit_kind {
    KIT_BUSY,        /* a campus with a registry */
    KIT_NO_REGISTRY, /* the same without */
    KIT_EMPTY,       /* a capture without a session */
    KIT_ONE,         /* one of everything: singular words */
    KIT_HUGE,        /* every count is the largest */
    KIT_HOSTILE,     /* every text is an attack */
    KIT_ZERO,        /* all members zero */
    KIT_KINDS,
};

static const char *const kit_names[KIT_KINDS] = {
    "busy", "no-registry", "empty", "one", "huge", "hostile", "zero",
};

/* ESC, markup, bidi override, formula, quotes, invalid UTF-8, line ends. */
#define KIT_ATTACK                                                             \
    "=1+2\x1b[31m<script>alert('x')</script>\"\xe2\x80\xae"                    \
    "fdp\xff\r\n,&;\a"

struct kit {
    struct summary s;
    char file_name[96];
    char fault_text[96];
    struct summary_file files[5];
    struct summary_fault faults[1];
    struct summary_host hosts[KIT_HOSTS];
    struct summary_listing listings[6];
    struct summary_anomaly anomalies[6];
    struct summary_attachment attachments[8];
    struct summary_requirement requirements[4];
    struct summary_unseen unseen[3];
    struct summary_alert alerts[12];
    struct summary_decision decisions[5];
    struct prefix home[2];
};

static inline struct addr
kit_addr(const char *text)
{
    struct addr a = {{0}};

    REQUIRE(addr_parse(span_str(text), &a));
    return a;
}

static inline void
kit_text(char *to, size_t n, const char *text)
{
    size_t len = strlen(text);

    len = len < n ? len : n - 1;
    memcpy(to, text, len);
    to[len] = '\0';
}

static inline void
kit_classes(struct summary *s)
{
    static const char *const names[SUMMARY_CLASSES] = {
        "accepted",    "unknown_user", "mailbox_full", "policy", "blocklist",
        "greylisting", "rate",         "relay_denied", "other",  "unanswered",
    };
    static const uint64_t n[SUMMARY_CLASSES] = {11002, 812, 31, 122, 214,
                                                77,    64,  9,  12,  57};

    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        s->classes[i] = (struct summary_class){names[i], n[i]};
}

struct kit_row {
    const char *addr, *site, *helo;
    bool registered, sends, receives;
    uint64_t sessions, tls, peers, accepted, rejected, deferred, rcpt, refused;
    uint64_t attempts, high;
    uint64_t class; /* of the refused */
};

static const struct kit_row kit_rows[] = {
  /* clang-format off */
    {"10.20.4.17", NULL, "WIN-7GQ2K1", false, true, false, 412, 0, 287, 201,
     188, 22, 1204, 855, 12, 3, 1},
    {"10.31.0.9", NULL, "mail.physics.example.edu", false, true, true, 388,
     40, 96, 341, 12, 8, 412, 128, 0, 0, 1},
    {"10.44.1.80", NULL, "localhost", false, true, false, 301, 0, 244, 12,
     266, 20, 390, 371, 88, 1, 4},
    {"10.8.1.25", NULL, "scanner-2.registrar.example.edu", false, true, false,
     96, 0, 2, 96, 0, 0, 96, 0, 0, 0, 0},
    {"2001:db8:20:4::1:17", NULL, "[IPv6:2001:db8:20:4::1:17]", false, true,
     false, 71, 71, 12, 0, 0, 0, 0, 0, 0, 0, 0},
    {"10.7.7.3", NULL, "printer", false, true, false, 14, 0, 1, 12, 2, 0, 14,
     2, 0, 0, 3},
    {"10.9.2.40", NULL, "nas", false, true, false, 9, 0, 1, 9, 0, 0, 9, 0, 0,
     0, 0},
    {"10.9.2.41", NULL, "ups-3", false, true, false, 4, 0, 1, 4, 0, 0, 4, 0,
     0, 0, 0},
    {"10.66.0.2", NULL, "", false, true, false, 0, 0, 40, 0, 0, 0, 0, 0, 1994,
     0, 0},
    {"10.12.0.5", NULL, "", false, false, true, 61, 2, 33, 40, 11, 0, 72, 21,
     0, 0, 7},
    {"10.0.0.25", "Central IT", "mx1.example.edu", true, true, true, 9120,
     7010, 1411, 5002, 133, 210, 7020, 311, 0, 0, 1},
    {"10.0.0.26", "Central IT", "mx2.example.edu", true, true, true, 7720,
     4610, 1290, 2301, 88, 97, 3010, 188, 0, 0, 1},
    {"10.30.1.4", "Lakeside High School", "mail.lakeside.example.org", true,
     true, false, 267, 44, 70, 210, 4, 9, 233, 11, 0, 0, 5},
  /* clang-format on */
};

static inline void
kit_host(struct kit *k, const struct kit_row *r)
{
    struct summary_host *h = &k->hosts[k->s.n_hosts++];

    *h = (struct summary_host){
        .addr = kit_addr(r->addr),
        .site = r->site,
        .judged = true,
        .registered = r->registered,
        .sessions_25 = r->sessions,
        .accepted_25 = r->accepted,
        .sends = r->sends,
        .receives = r->receives,
        .first = KIT_START + 61 * NS_PER_S,
        .last = KIT_START + 14000 * NS_PER_S,
        .sessions = r->sessions,
        .sessions_tls = r->tls,
        .peers = r->peers,
        .transactions = r->accepted + r->rejected + r->deferred,
        .accepted = r->accepted,
        .rejected = r->rejected,
        .deferred = r->deferred,
        .rcpt_offered = r->rcpt,
        .rcpt_accepted = r->rcpt - r->refused,
        .rcpt_refused = r->refused,
        .bytes = r->accepted * 31117,
        .attempts = r->attempts,
        .anomalies_high = r->high,
    };
    h->rcpt_class[r->class] = r->refused;
    kit_text(h->helo, sizeof(h->helo), r->helo);
}

static inline void
kit_listing(struct kit *k, const char *addr, const char *list, uint64_t citers,
            uint64_t replies)
{
    struct summary_listing *l = &k->listings[k->s.n_listings++];

    *l = (struct summary_listing){.addr = kit_addr(addr),
                                  .replies = replies,
                                  .citers = citers,
                                  .first = KIT_START + 842 * NS_PER_S,
                                  .last = KIT_START + 13000 * NS_PER_S};
    kit_text(l->list, sizeof(l->list), list);
}

static inline void
kit_name(struct summary_attachment *a, const char *name)
{
    a->n_name = (uint16_t)strlen(name);
    memcpy(a->name, name, a->n_name);
}

/* class: as it is listed; findings: its names. */
static inline void
kit_file(struct kit *k, enum summary_finding class, const char *name,
         const char *type, const char *findings, uint64_t size,
         uint64_t messages)
{
    struct summary_attachment *a = &k->attachments[k->s.n_attachments++];

    *a = (struct summary_attachment){.size = size,
                                     .parts = messages + 1,
                                     .messages = messages,
                                     .senders = messages > 2 ? 2 : 1,
                                     .classes = (uint8_t)(1U << class),
                                     .class = (uint8_t) class,
                                     .first = KIT_START + 911 * NS_PER_S,
                                     .last = KIT_START + 9120 * NS_PER_S};
    kit_name(a, name);
    kit_text(a->type, sizeof(a->type), type);
    kit_text(a->findings, sizeof(a->findings), findings);
    memset(a->sha256, "4e7b9a2c"[k->s.n_attachments % 8], 64);
}

static inline void
kit_parts(struct kit *k)
{
    k->s.parts = (struct summary_parts){
        .told = 3120,
        .bytes = 1402123123,
        .whole = 3077,
        .inspected = 2711,
        .other_readings = 3,
        .class_parts = {5, 27, 212, 49},
        .class_messages = {4, 26, 198, 47},
        .messages = 8614,
        .complete = 8402,
        .could_inspect = 8311,
        .class_could_inspect = {3, 25, 190, 0 },
    };
    kit_file(k, SUMMARY_A, "Rechnung_2026-03.zip", "zip",
             "eicar, forbidden_member", 184, 3);
    kit_file(k, SUMMARY_A,
             "invoice \xe2\x80\xae"
             "fdp.exe",
             "pe", "disguised_executable, forbidden_type, hash_list, name_bidi",
             731136, 1);
    kit_file(k, SUMMARY_B,
             "Quarterly report of the faculty of physics.pdf               "
             "                              .scr",
             "pe", "double_extension, forbidden_type, name_spaces", 912384, 14);
    kit_file(k, SUMMARY_B, "setup.msi", "msi", "forbidden_type", 4128768, 2);
    kit_file(k, SUMMARY_D, "Zeugnis.7z", "7z", "encrypted_names", 91733, 21);
    kit_file(k, SUMMARY_C, "form.html", "html",
             "html_credential_form, html_smuggling, risky_type", 20188, 31);
    k->attachments[4].sha256[0] = '\0';
    k->attachments[3].other_names = true;
    k->hosts[0].messages_class[SUMMARY_A] = 3;
    k->hosts[0].messages_class[SUMMARY_B] = 14;
    k->hosts[3].messages_class[SUMMARY_B] = 1;
}

static inline void
kit_requirement(struct kit *k, const char *addr, const char *what,
                const char *text, bool observed)
{
    struct summary_requirement *q = &k->requirements[k->s.n_requirements++];

    *q = (struct summary_requirement){.addr = kit_addr(addr),
                                      .site = "Ostschule",
                                      .name = "open_relay",
                                      .what = what,
                                      .answer = "none_observed",
                                      .violation = true,
                                      .observed = observed,
                                      .of = 41};
    kit_text(q->text, sizeof(q->text), text);
    if (!observed)
        return;
    q->answer = "observed";
    q->count = 3;
    kit_text(q->evidence[0], 17, "10c8393f19f7e439");
    kit_text(q->evidence[1], 17, "c3fefea621ccfc8a");
    k->s.violations++;
}

static inline void
kit_registered(struct kit *k)
{
    kit_requirement(k, "10.3.0.25", "took mail from outside for outside",
                    "observed, 3 of 41 readable transactions", true);
    kit_requirement(k, "10.3.0.25", "credentials crossed without TLS",
                    "none observed in 812 sessions; left out: 31 under TLS",
                    false);
    kit_requirement(k, "2001:db8::25", "EHLO without STARTTLS",
                    "not observable: all of it was under TLS", false);
    k->requirements[2].answer = "not_observable";
    k->unseen[0] = (struct summary_unseen){"2026-118", 2, "10.3.0.26",
                                           "Ostschule", "printer"};
    k->unseen[1] =
        (struct summary_unseen){"2026-9", 1, "2001:db8:7::/64", NULL, NULL};
    k->s.n_unseen = 2;
    k->hosts[0].look = "behaves like a spam bot";
    k->hosts[0].look_why = "812 of 2000 recipients unknown, 41 other ends";
    k->hosts[1].look = "application";
    k->hosts[1].look_why = "16 different recipients, 1 different senders";
}

struct kit_alert {
    unsigned level;
    const char *subject, *site, *rule, *reason;
    bool judged, registered;
    uint64_t count;
};

static const struct kit_alert kit_alerts[] = {
  /* clang-format off */
    {0, "10.20.4.17", "LAKE", "Burst to many organisations",
     "10.20.4.17 (LAKE, not registered) opened 412 connections in 10 min, limit 60; 287 organisations.",
     true, false, 412},
    {0, "10.31.0.9", "PHY", "Refused recipients",
     "10.31.0.9 (PHY, not registered): 855 of 1,204 recipients were refused (71 %), limit 20 %.",
     true, false, 9},
    {1, "10.8.1.25 lease 0123456789abcdef", "REG", "Password in the clear",
     "10.8.1.25 lease 0123456789abcdef (REG, registered) gave AUTH LOGIN without TLS.", true, true, 3},
    {2, "10.7.7.3", "", "Unregistered sender", "10.7.7.3 sent without a permit.", false, false, 2},
    {2, "10.9.2.40", "", "Unregistered sender", "10.9.2.40 sent without a permit.", true, false, 2},
    {3, "10.9.2.41", "", "First seen", "10.9.2.41 was seen sending for the first time.", true, false, 1},
  /* clang-format on */
};

static const struct {
    const char *subject, *against, *site, *reason;
    enum summary_action action;
    bool over;
    uint64_t collateral;
} kit_decisions[] = {
  /* clang-format off */
    {"10.20.4.17/32", "", "LAKE", "10.20.4.17/32 would be stopped: 31 of 80 first contacts refused as unknown users",
     SUMMARY_BLOCK, true, 14},
    {"2001:db8:20:4::/64", "", "", "2001:db8:20:4::/64 would be stopped: 12 of 20 messages judged bad",
     SUMMARY_BLOCK, false, 0},
    {"10.31.0.9/32", "queueing, pool", "PHY", "10.31.0.9/32: a human is asked (queueing, pool)", SUMMARY_HOLD, false, 90},
    {"10.0.0.25/32", "registered", "CIT", "10.0.0.25/32 would not be stopped (registered)", SUMMARY_WITHHELD, false, 5002},
    {"10.44.1.80/32", "cap:minute", "", "10.44.1.80/32 would not be stopped (cap:minute)", SUMMARY_WITHHELD, false, 1},
  /* clang-format on */
};

static inline void
kit_alert(struct kit *k, const struct kit_alert *row)
{
    struct summary_alert *a = &k->alerts[k->s.n_alerts++];

    a->level = row->level;
    a->judged = row->judged;
    a->registered = row->registered;
    a->count = row->count;
    a->first = KIT_START + 840 * NS_PER_S;
    a->last = KIT_START + 1441 * NS_PER_S;
    kit_text(a->id, sizeof(a->id), "a000000000000007");
    kit_text(a->subject, sizeof(a->subject), row->subject);
    kit_text(a->site, sizeof(a->site), row->site);
    kit_text(a->rule, sizeof(a->rule), row->rule);
    kit_text(a->reason, sizeof(a->reason), row->reason);
    k->s.alerts_level[row->level]++;
}

static inline void
kit_verdicts(struct kit *k)
{
    struct summary *s = &k->s;

    s->has_verdicts = true;
    s->verdict_hosts = 12;
    s->alerts_silenced = 2;
    for (size_t i = 0; i < ARRAY_LEN(kit_alerts); i++)
        kit_alert(k, &kit_alerts[i]);
    for (size_t i = 0; i < ARRAY_LEN(kit_decisions); i++) {
        struct summary_decision *d = &k->decisions[s->n_decisions++];

        REQUIRE(prefix_parse(span_str(kit_decisions[i].subject), &d->subject));
        d->action = kit_decisions[i].action;
        d->over = kit_decisions[i].over;
        d->collateral = kit_decisions[i].collateral;
        d->since = KIT_START + 900 * NS_PER_S;
        d->until =
            d->action == SUMMARY_WITHHELD ? 0 : KIT_START + 4500 * NS_PER_S;
        kit_text(d->against, sizeof(d->against), kit_decisions[i].against);
        kit_text(d->site, sizeof(d->site), kit_decisions[i].site);
        kit_text(d->reason, sizeof(d->reason), kit_decisions[i].reason);
        d->owner = i == 0 ? "J. Alvarez" : NULL;
    }
}

static inline void
kit_busy(struct kit *k)
{
    static const struct summary_anomaly anomalies[] = {
  /* clang-format off */
        {"pipelining_unoffered", "info",
         "Commands pipelined without the server's offer (RFC 2920).", 311},
        {"smtp_smuggling", "high",
         "Commands follow an irregular end-of-data sequence inside a message.",
         3},
        {"auth_cleartext", "notice",
         "Credentials that can be read crossed the wire without TLS (RFC 4954 "
         "4).",
         14},
        {"starttls_stripped", "high",
         "STARTTLS was overwritten on its way: the offer in the reply, or the "
         "command.",
         1},
        {"bare_lf", "info", "A line that ends in LF without CR.", 40},
  /* clang-format on */
    };
    struct summary *s = &k->s;

    s->has_registry = true;
    s->sensor = "span25";
    s->first = KIT_START;
    s->last = KIT_START + 14400 * NS_PER_S;
    k->files[0] = (struct summary_file){k->file_name, 2254857830, 3911204,
                                        2100000000,   s->first,   s->last};
    kit_text(k->file_name, sizeof(k->file_name), "march-07.pcapng");
    s->n_files = 1;
    for (size_t i = 0; i < ARRAY_LEN(kit_rows); i++)
        kit_host(k, &kit_rows[i]);
    kit_listing(k, "10.44.1.80", "zen.spamhaus.org", 4, 201);
    kit_listing(k, "10.44.1.80", "b.barracudacentral.org", 1, 7);
    kit_listing(k, "10.20.4.17", "bl.spamcop.net", 1, 6);
    memcpy(k->anomalies, anomalies, sizeof(anomalies));
    s->n_anomalies = ARRAY_LEN(anomalies);
    kit_classes(s);
    k->home[0] = (struct prefix){kit_addr("10.0.0.0"), 104};
    k->home[1] = (struct prefix){kit_addr("2001:db8::"), 32};
    s->n_home = 2;
    s->packets = s->tcp_packets = 3911204;
    s->bytes = 2100000000;
    s->flows = 20433;
    s->bytes_seen = 1989000000;
    s->bytes_lost = 28200000;
    s->duplicates = 1022;
    s->gaps = 240;
    s->sessions = 18463;
    s->sessions_tls = 11777;
    s->sessions_gaps = 212;
    s->sessions_oneway = 74;
    s->transactions = 9374;
    s->accepted = 8228;
    s->rejected = 704;
    s->deferred = 386;
    s->other = 56;
    s->rcpt_offered = 12464;
    s->rcpt_accepted = 10577;
    s->rcpt_refused = 1887;
    s->events = 61022;
    kit_parts(k);
    kit_registered(k);
    kit_verdicts(k);
}

static inline void
kit_empty(struct kit *k)
{
    k->s.first = KIT_START;
    k->s.last = KIT_START + 31 * NS_PER_S;
    k->files[0] = (struct summary_file){k->file_name, 181200,     2011,
                                        150000,       k->s.first, k->s.last};
    kit_text(k->file_name, sizeof(k->file_name), "quiet.pcap");
    k->s.n_files = 1;
    k->s.packets = 2011;
    k->s.tcp_packets = 1994;
    kit_host(k, &kit_rows[8]);
    kit_classes(&k->s);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        k->s.classes[i].replies = 0;
}

static inline void
kit_one(struct kit *k)
{
    struct summary *s = &k->s;

    kit_busy(k);
    s->n_hosts = 0;
    kit_host(k, &(struct kit_row){"10.9.2.41", NULL, "ups-3", false, true,
                                  false, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 4});
    kit_host(k, &(struct kit_row){"10.9.2.42", NULL, "", false, false, true, 1,
                                  1, 1, 1, 0, 0, 1, 0, 0, 0, 0});
    s->n_listings = 0;
    kit_listing(k, "10.9.2.41", "zen.spamhaus.org", 1, 1);
    s->n_anomalies = 1;
    s->n_alerts = 1;
    memset(s->alerts_level, 0, sizeof(s->alerts_level));
    s->alerts_level[0] = 1;
    s->alerts_silenced = 0;
    s->n_decisions = 1;
    k->decisions[0].collateral = 1;
    k->decisions[0].over = false;
    s->verdict_hosts = 1;
    s->home_guessed = true;
    s->n_home = 1;
    s->packets = s->tcp_packets = s->flows = 1;
    s->sessions = s->transactions = s->rejected = 1;
    s->sessions_tls = s->sessions_gaps = s->sessions_oneway = 0;
    s->accepted = s->deferred = s->other = s->duplicates = 0;
    s->rcpt_offered = s->rcpt_refused = 1;
    s->rcpt_accepted = 0;
    s->bytes_lost = 0;
    s->bytes_seen = 1;
    s->n_attachments = 1;
    s->parts = (struct summary_parts){
        .told = 1,
        .bytes = 1,
        .whole = 1,
        .inspected = 1,
        .class_parts = {1, 0, 0, 0},
        .class_messages = {1, 0, 0, 0},
        .messages = 2,
        .complete = 2,
        .could_inspect = 1,
        .class_could_inspect = {1, 0, 0, 0}
    };
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        s->classes[i].replies = i == 4;
}

static inline void
kit_huge_host(struct summary_host *h)
{
    h->sends = h->receives = h->peers_more = true;
    h->first = 0;
    h->last = UINT64_MAX;
    h->sessions = h->sessions_tls = h->peers = UINT64_MAX;
    h->transactions = h->accepted = h->rejected = h->deferred = UINT64_MAX;
    h->other = h->rcpt_offered = h->rcpt_accepted = UINT64_MAX;
    h->rcpt_refused = h->bytes = h->attempts = UINT64_MAX;
    h->anomalies_high = UINT64_MAX;
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        h->rcpt_class[i] = UINT64_MAX;
    for (size_t i = 0; i < SUMMARY_FINDINGS; i++)
        h->messages_class[i] = UINT64_MAX;
}

static inline void
kit_huge_parts(struct kit *k)
{
    struct summary_parts *p = &k->s.parts;

    p->told = p->bytes = p->whole = p->inspected = UINT64_MAX;
    p->other_readings = p->messages = p->complete = UINT64_MAX;
    p->could_inspect = p->messages_left_out = UINT64_MAX;
    k->s.attachments_left_out = UINT64_MAX;
    k->s.violations = k->s.requirements_more = k->s.unseen_more = UINT64_MAX;
    for (size_t i = 0; i < SUMMARY_FINDINGS; i++)
        p->class_parts[i] = p->class_messages[i] = p->class_could_inspect[i] =
            UINT64_MAX;
    for (size_t i = 0; i < k->s.n_attachments; i++) {
        struct summary_attachment *a = &k->attachments[i];

        a->at_least = a->findings_more = true;
        a->size = a->parts = a->messages = UINT64_MAX;
        a->senders = a->receivers = a->last = UINT64_MAX;
        memset(a->name, 'w', sizeof(a->name));
        a->n_name = sizeof(a->name);
        memset(a->type, 't', sizeof(a->type) - 1);
        memset(a->findings, 'f', sizeof(a->findings) - 1);
    }
}

static inline void
kit_huge_verdicts(struct kit *k)
{
    struct summary *s = &k->s;

    s->verdict_hosts = s->alerts_silenced = UINT64_MAX;
    s->alerts_left_out = s->decisions_left_out = UINT64_MAX;
    for (size_t i = 0; i < SUMMARY_LEVELS; i++)
        s->alerts_level[i] = UINT64_MAX;
    for (size_t i = 0; i < s->n_alerts; i++) {
        struct summary_alert *a = &k->alerts[i];

        a->count = a->last = UINT64_MAX;
        memset(a->subject, 's', sizeof(a->subject) - 1);
        memset(a->site, 't', sizeof(a->site) - 1);
        memset(a->rule, 'r', sizeof(a->rule) - 1);
        memset(a->reason, 'w', sizeof(a->reason) - 1);
    }
    for (size_t i = 0; i < s->n_decisions; i++) {
        k->decisions[i].collateral = k->decisions[i].until = UINT64_MAX;
        memset(k->decisions[i].against, 'a', 127);
        memset(k->decisions[i].reason, 'w', 511);
    }
}

static inline void
kit_huge(struct kit *k)
{
    struct summary *s = &k->s;

    kit_busy(k);
    kit_huge_parts(k);
    kit_huge_verdicts(k);
    for (size_t i = 0; i < s->n_hosts; i++)
        kit_huge_host(&k->hosts[i]);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        s->classes[i].replies = UINT64_MAX;
    s->first = 1;
    s->last = s->hosts_left_out = UINT64_MAX;
    s->listings_left_out = s->anomalies_left_out = UINT64_MAX;
    s->packets = s->bytes = s->cut_packets = s->malformed = UINT64_MAX;
    s->tcp_packets = s->flows = s->flows_evicted = UINT64_MAX;
    s->bytes_seen = s->bytes_lost = s->gaps = s->duplicates = UINT64_MAX;
    s->sessions = s->sessions_tls = s->sessions_oneway = UINT64_MAX;
    s->sessions_gaps = s->transactions = s->messages = UINT64_MAX;
    s->accepted = s->rejected = s->deferred = s->other = UINT64_MAX;
    s->rcpt_offered = s->rcpt_accepted = s->rcpt_refused = UINT64_MAX;
    s->events = s->records_refused = s->records_cut = UINT64_MAX;
    s->reassembly_dropped = s->time_backward = UINT64_MAX;
    k->files[0].size = k->files[0].packets = UINT64_MAX;
}

static inline void
kit_hostile(struct kit *k)
{
    struct summary *s = &k->s;

    kit_busy(k);
    s->demo = s->partial = s->home_guessed = true;
    s->sensor = KIT_ATTACK;
    k->faults[0] = (struct summary_fault){KIT_ATTACK, k->fault_text, 1234567};
    s->n_faults = 1;
    kit_text(k->file_name, sizeof(k->file_name), KIT_ATTACK);
    kit_text(k->fault_text, sizeof(k->fault_text), KIT_ATTACK);
    for (size_t i = 0; i < s->n_hosts; i++) {
        k->hosts[i].site = i % 2 == 0 ? KIT_ATTACK : NULL;
        kit_text(k->hosts[i].helo, sizeof(k->hosts[i].helo), KIT_ATTACK);
    }
    for (size_t i = 0; i < s->n_listings; i++)
        kit_text(k->listings[i].list, sizeof(k->listings[i].list), KIT_ATTACK);
    for (size_t i = 0; i < s->n_attachments; i++) {
        kit_name(&k->attachments[i], KIT_ATTACK);
        kit_text(k->attachments[i].type, 32, KIT_ATTACK);
        kit_text(k->attachments[i].findings, 384, KIT_ATTACK);
        kit_text(k->attachments[i].sha256, 65, KIT_ATTACK);
    }
    for (size_t i = 0; i < s->n_requirements; i++)
        k->requirements[i].site = KIT_ATTACK;
    for (size_t i = 0; i < s->n_unseen; i++)
        k->unseen[i] = (struct summary_unseen){KIT_ATTACK, 1, KIT_ATTACK,
                                               KIT_ATTACK, KIT_ATTACK};
    for (size_t i = 0; i < s->n_anomalies; i++)
        k->anomalies[i] =
            (struct summary_anomaly){KIT_ATTACK, KIT_ATTACK, KIT_ATTACK, 1};
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        s->classes[i].name = KIT_ATTACK;
    for (size_t i = 0; i < s->n_alerts; i++) {
        kit_text(k->alerts[i].subject, 96, KIT_ATTACK);
        kit_text(k->alerts[i].site, 64, KIT_ATTACK);
        kit_text(k->alerts[i].rule, 128, KIT_ATTACK);
        kit_text(k->alerts[i].reason, 512, KIT_ATTACK);
    }
    for (size_t i = 0; i < s->n_decisions; i++) {
        kit_text(k->decisions[i].against, 128, KIT_ATTACK);
        kit_text(k->decisions[i].reason, 512, KIT_ATTACK);
        kit_text(k->decisions[i].site, 64, KIT_ATTACK);
        k->decisions[i].owner = KIT_ATTACK;
    }
}

static inline void
kit_make(struct kit *k, enum kit_kind kind)
{
    memset(k, 0, sizeof(*k));
    k->s.files = k->files;
    k->s.faults = k->faults;
    k->s.hosts = k->hosts;
    k->s.listings = k->listings;
    k->s.anomalies = k->anomalies;
    k->s.attachments = k->attachments;
    k->s.requirements = k->requirements;
    k->s.unseen = k->unseen;
    k->s.alerts = k->alerts;
    k->s.decisions = k->decisions;
    k->s.home = k->home;
    switch (kind) {
    case KIT_NO_REGISTRY:
    case KIT_BUSY:
        kit_busy(k);
        k->s.has_registry = kind == KIT_BUSY;
        break;
    case KIT_EMPTY: kit_empty(k); break;
    case KIT_ONE: kit_one(k); break;
    case KIT_HUGE: kit_huge(k); break;
    case KIT_HOSTILE: kit_hostile(k); break;
    case KIT_ZERO:
    case KIT_KINDS: break;
    }
}

#endif

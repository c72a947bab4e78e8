#include "rules/alert/checks.h"

#include "rules/alert/reason.h"
#include "sensor/base/count.h"
#include "sensor/base/text.h"

/* ---- what is kept ---- */

static const enum field kept_before[] = {
    FIELD_EVENT_ID,          FIELD_SRC_IP,        FIELD_SRC_REG_STATE,
    FIELD_SRC_REG_SITE,      FIELD_SRC_HOST_SITE, FIELD_SRC_HOST_LEASE,
    FIELD_SRC_REG_PROTECTED,
};

static const enum field left_out[] = {
    FIELD_HOST_SENDERS,         FIELD_HOST_DIALECT_ODD,
    FIELD_HOST_NULL_SENDER,     FIELD_HOST_TRIANGULAR,
    FIELD_HOST_HARVEST_OFFERED, FIELD_HOST_HARVEST_UNKNOWN,
    FIELD_HOST_AUTH_FAILURES,   FIELD_HOST_AUTH_SUCCESSES,
    FIELD_HOST_AUTH_SERVERS,    FIELD_HOST_SUBKEY,
};

static bool
is_in(enum field f, const enum field *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == f)
            return true;
    }
    return false;
}

static bool
is_kept(const struct record_entry *e)
{
    if (e->value.n > CHECKS_TEXT)
        return false;
    if (e->field < FIELD_HOST_HOME)
        return is_in(e->field, kept_before, ARRAY_LEN(kept_before));
    return e->field <= FIELD_HOST_UNOBSERVABLE &&
           !is_in(e->field, left_out, ARRAY_LEN(left_out));
}

struct span
checks_keep(struct record_out *out, const struct record_map *host)
{
    struct record_head head = record_head_of(host->record);
    struct cursor c = record_entries_of(host->record);
    struct record_entry e;

    record_begin(out, &head);
    while (record_next(&c, &e)) {
        if (!is_kept(&e) || out->buf.n + e.value.n > CHECKS_KEEP)
            continue;
        REQUIRE(e.field >= out->last);
        entry_put(&out->buf, e.field, e.value);
        out->last = e.field;
    }
    return record_view(out);
}

/* ---- words ---- */

struct texts {
    struct buf observed, limit, baseline;
};

static uint64_t
u64(const struct record_map *m, enum field f)
{
    return record_map_u64(m, f, 0);
}

static void
put_list(struct buf *out, const struct record_map *m, enum field f)
{
    struct cursor c = record_entries_of(m->record);
    struct record_entry e;
    bool first = true;

    while (record_next(&c, &e) && e.field <= f) {
        if (e.field != f)
            continue;
        buf_str(out, first ? "" : ", ");
        text_plain(out, e.value, CHECKS_TEXT);
        first = false;
    }
}

/* "71 % of 1,204 mails refused", or "no mail"; whole percents, never rounded
 * up to all. */
static void
put_share(struct buf *out, uint64_t bad, uint64_t n, const char *one,
          const char *many, const char *fate)
{
    if (n == 0) {
        buf_printf(out, "no %s", many);
        return;
    }
    bad = bad < n ? bad : n;
    buf_u64(out, bad > UINT64_MAX / 100 ? bad / (n / 100) : bad * 100 / n);
    buf_str(out, " % of ");
    count_put(out, n, one, many);
    buf_printf(out, " %s", fate);
}

static void
put_score(struct texts *t, const struct record_map *m, enum field score)
{
    buf_printf(&t->observed, ", score %.1f", (double)u64(m, score) / 1000);
    buf_printf(&t->limit, "score %.1f",
               (double)u64(m, (enum field)(score + 1)) / 1000);
}

static void
words_s1(struct texts *t, const struct record_map *m)
{
    put_share(&t->observed, u64(m, FIELD_HOST_S1_BAD), u64(m, FIELD_HOST_S1_N),
              "first contact", "first contacts", "refused as unknown");
    put_score(t, m, FIELD_HOST_S1_SCORE);
}

static void
words_s1t(struct texts *t, const struct record_map *m)
{
    put_share(&t->observed, u64(m, FIELD_HOST_S1T_BAD),
              u64(m, FIELD_HOST_S1T_N), "first session under TLS",
              "first sessions under TLS", "carried no message");
    put_score(t, m, FIELD_HOST_S1T_SCORE);
}

static void
words_s2(struct texts *t, const struct record_map *m)
{
    put_share(&t->observed, u64(m, FIELD_HOST_S2_BAD), u64(m, FIELD_HOST_S2_N),
              "message", "messages", "judged bad");
    if (record_map_has(m, FIELD_HOST_S2_WHY)) {
        buf_str(&t->observed, " (");
        put_list(&t->observed, m, FIELD_HOST_S2_WHY);
        buf_putc(&t->observed, ')');
    }
    put_score(t, m, FIELD_HOST_S2_SCORE);
}

static void
words_s3(struct texts *t, const struct record_map *m)
{
    uint64_t days = u64(m, FIELD_HOST_BASELINE_DAYS);

    count_put(&t->observed, u64(m, FIELD_HOST_S3_N), "organisation", NULL);
    buf_str(&t->observed, " written to for the first time, ");
    reason_number(&t->observed, u64(m, FIELD_HOST_HOUR_ORGANISATIONS));
    buf_str(&t->observed, " in the last hour");
    put_score(t, m, FIELD_HOST_S3_SCORE);
    buf_printf(&t->baseline, "%.1f an hour",
               (double)u64(m, FIELD_HOST_S3_EXPECTED) / 1000);
    if (!record_map_has(m, FIELD_HOST_BASELINE_ORGS_HOUR)) {
        buf_str(&t->baseline, " (of any host; its own is not known yet)");
        return;
    }
    buf_str(&t->baseline, "; its own busiest hours: ");
    reason_number(&t->baseline, u64(m, FIELD_HOST_BASELINE_ORGS_HOUR));
    buf_str(&t->baseline, " (95 % of ");
    count_put(&t->baseline, days, "day", NULL);
    buf_putc(&t->baseline, ')');
}

static void
words_s4(struct texts *t, const struct record_map *m)
{
    if (!record_map_has(m, FIELD_HOST_S4_CLUSTER)) {
        buf_str(&t->observed, "no mail in common with other hosts");
        return;
    }
    buf_str(&t->observed, "same ");
    text_plain(&t->observed, record_map_find(m, FIELD_HOST_S4_KIND),
               CHECKS_TEXT);
    buf_str(&t->observed, " from ");
    count_put(&t->observed, u64(m, FIELD_HOST_S4_SOURCES), "host", NULL);
    buf_str(&t->observed, ", ");
    count_put(&t->observed, u64(m, FIELD_HOST_S4_MESSAGES), "message", NULL);
    buf_str(&t->observed, " within an hour");
}

static void
words_s5(struct texts *t, const struct record_map *m)
{
    count_put(&t->observed, u64(m, FIELD_HOST_S5_MESSAGES), "message", NULL);
    buf_str(&t->observed, " with a malicious part, to ");
    count_put(&t->observed, u64(m, FIELD_HOST_S5_ORGANISATIONS), "organisation",
              NULL);
}

static void
words_s6(struct texts *t, const struct record_map *m)
{
    count_put(&t->observed, u64(m, FIELD_HOST_S6_ORGANISATIONS), "organisation",
              NULL);
    buf_str(&t->observed, " citing a block list within a day");
}

static void
words_s7(struct texts *t, const struct record_map *m)
{
    uint64_t ripe = u64(m, FIELD_HOST_S7_RIPE);

    if (ripe == 0) {
        buf_str(&t->observed, "no deferred mail that could be judged yet");
        return;
    }
    reason_number(&t->observed, u64(m, FIELD_HOST_S7_RETRIED));
    buf_str(&t->observed, " tried again, of ");
    count_put(&t->observed, ripe, "deferred mail", NULL);
    buf_str(&t->observed, " tried again or a day old");
}

static void
words_p(struct texts *t, const struct record_map *m)
{
    count_put(&t->observed, u64(m, FIELD_HOST_P_SESSIONS), "connection", NULL);
    buf_str(&t->observed, " outward on port 25 while unregistered");
}

static void
words_mx(struct texts *t, const struct record_map *m)
{
    buf_str(&t->observed, "asked for the mail servers of ");
    count_put(&t->observed, u64(m, FIELD_HOST_HOUR_MX), "domain", NULL);
    buf_str(&t->observed, " within an hour");
}

static const struct check {
    const char *name;
    enum field level; /* what it must have to be observable */
    void (*words)(struct texts *t, const struct record_map *host);
    const char *limit; /* of those that are no score, from fields.def */
} checks[] = {
    {"s1",  FIELD_HOST_S1_LEVEL,  words_s1,  ""                       },
    {"s1t", FIELD_HOST_S1T_LEVEL, words_s1t, ""                       },
    {"s2",  FIELD_HOST_S2_LEVEL,  words_s2,  ""                       },
    {"s3",  FIELD_HOST_S3_LEVEL,  words_s3,  ""                       },
    {"s4",  FIELD_HOST_S4_LEVEL,  words_s4,  "3 hosts and 20 messages"},
    {"s5",  FIELD_HOST_S5_LEVEL,  words_s5,  "1 message"              },
    {"s6",  FIELD_HOST_S6_LEVEL,  words_s6,  "3 organisations"        },
    {"s7",  FIELD_HOST_S7_LEVEL,  words_s7,  "none of 10 or more"     },
    {"p",   FIELD_HOST_P_LEVEL,   words_p,   "1 connection"           },
    {"mx",  FIELD_HOST_HOUR_MX,   words_mx,  ""                       },
};

/* ---- results ---- */

/* The rest of "NAME: why" in host.unobservable. */
static bool
unobservable(const struct record_map *host, const char *name, struct span *why)
{
    struct cursor c = record_entries_of(host->record);
    struct span want = span_str(name);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field != FIELD_HOST_UNOBSERVABLE || !span_starts(e.value, want) ||
            span_at(e.value, want.n) != ':')
            continue;
        *why = span_trim(span_tail(e.value, want.n + 1));
        return true;
    }
    return false;
}

static bool
has_fired(const struct record_map *host, const struct check *k, bool mx_fired)
{
    if (k->level == FIELD_HOST_HOUR_MX)
        return mx_fired;
    return record_map_is(host, k->level, "alert") ||
           record_map_is(host, k->level, "block");
}

/* Its words; false: not observable, t->observed says why. */
static bool
put_words(struct texts *t, const struct check *k, const struct record_map *host)
{
    struct span why = SPAN_LIT("nothing of it was seen");

    if (host == NULL) {
        buf_str(&t->observed, "no statistics of this host by then");
        return false;
    }
    if (unobservable(host, k->name, &why) || !record_map_has(host, k->level)) {
        text_plain(&t->observed, why, CHECKS_TEXT);
        return false;
    }
    buf_str(&t->limit, k->limit);
    k->words(t, host);
    return true;
}

static void
put_text(struct record_out *out, enum field f, const struct buf *b)
{
    if (b->n > 0)
        record_str(out, f, buf_view(b));
}

void
checks_write(struct record_out *out, const struct record_map *host,
             bool mx_fired)
{
    struct texts t;

    buf_init(&t.observed, 1024);
    buf_init(&t.limit, 256);
    buf_init(&t.baseline, 256);
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        const struct check *k = &checks[i];
        bool seen;

        buf_reset(&t.observed);
        buf_reset(&t.limit);
        buf_reset(&t.baseline);
        seen = put_words(&t, k, host);
        record_object_begin(out, FIELD_ALERT_CHECKS);
        record_text(out, FIELD_ALERT_CHECKS_NAME, k->name);
        record_text(out, FIELD_ALERT_CHECKS_RESULT,
                    !seen                          ? "not_observable"
                    : has_fired(host, k, mx_fired) ? "fired"
                                                   : "passed");
        put_text(out, FIELD_ALERT_CHECKS_OBSERVED, &t.observed);
        put_text(out, FIELD_ALERT_CHECKS_LIMIT, &t.limit);
        put_text(out, FIELD_ALERT_CHECKS_BASELINE, &t.baseline);
        record_object_end(out);
    }
    buf_free(&t.observed);
    buf_free(&t.limit);
    buf_free(&t.baseline);
}

#include "sensor/app/aggregate_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sensor/event/json_read.h"
#include "tempdir.h"

#define NORTH "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define SOUTH "ssssssssssssssssssssssssssssssss"
#define OURS  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOW   (UINT64_C(1800000000) * NS_PER_S)
#define MAILS 24U
#define HOSTS 4U

#define RULES                                                                  \
    "title: Refused mail\nid: 11111111-1111-4111-8111-111111111111\n"          \
    "name: refused\nlevel: medium\n"                                           \
    "logsource: {product: span25, service: smtp}\n"                            \
    "detection: {s: {smtp.outcome: rejected}, condition: s}\n"                 \
    "---\n"                                                                    \
    "title: Much refused mail\nid: 22222222-2222-4222-8222-222222222222\n"     \
    "level: high\n"                                                            \
    "correlation: {type: event_count, rules: [refused], group-by: [src_ip], "  \
    "timespan: 1h, condition: {gte: 4}}\n"                                     \
    "---\n"                                                                    \
    "title: Same mail\nid: 33333333-3333-4333-8333-333333333333\n"             \
    "level: high\n"                                                            \
    "logsource: {product: span25, service: host}\n"                            \
    "detection: {s: {host.s4.sources|gte: 3}, condition: s}\n"                 \
    "---\n"                                                                    \
    "title: Many at one\nid: 44444444-4444-4444-8444-444444444444\n"           \
    "level: low\n"                                                             \
    "correlation: {type: value_count, rules: [refused], group-by: [dest_ip], " \
    "timespan: 1h, condition: {field: src_ip, gte: 3}}\n"                      \
    "span25: {subject: server}\n"

/* What a task put out. */
struct told {
    enum aggregate_stage to;
    char *key, *line;
    uint64_t sequence;
};

struct rig {
    struct tempdir dir;
    struct sigma_set *rules;
    struct aggregate_parts parts;
    struct aggregate_sink sink;
    struct told *told;
    size_t n;
    struct aggregate_task *task;
    const char *topic;
};

static void
on_out(void *ctx, const struct aggregate_out *out)
{
    struct rig *r = ctx;
    struct told *t;

    r->told = reallocarray(r->told, r->n + 1, sizeof(*r->told));
    assert_non_null(r->told);
    t = &r->told[r->n++];
    t->to = out->to;
    t->sequence = out->sequence;
    t->key = strndup((const char *)out->key.p, out->key.n);
    t->line = strndup((const char *)out->line.p, out->line.n);
    assert_non_null(t->key);
    assert_non_null(t->line);
}

static void
forget(struct rig *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->told[i].key);
        free(r->told[i].line);
    }
    r->n = 0;
}

static void
load_keys(struct rig *r)
{
    struct gate_keys *keys;
    struct buf said;

    buf_init(&said, 4096);
    tempdir_store(r->dir.path, "north", NORTH, sizeof(NORTH) - 1);
    tempdir_store(r->dir.path, "south", SOUTH, sizeof(SOUTH) - 1);
    tempdir_store(r->dir.path, "aggregate", OURS, sizeof(OURS) - 1);
    assert_int_equal(gate_keys_load(r->dir.path, &keys, &said), ERR_OK);
    r->parts.keys = keys;
    buf_free(&said);
}

static void
load_rules(struct rig *r)
{
    struct buf said;

    buf_init(&said, 4096);
    assert_int_equal(sigma_set_new(&r->rules), ERR_OK);
    if (sigma_load(r->rules, span_str(RULES), SPAN_LIT("t"), &said) != ERR_OK ||
        sigma_set_compile(r->rules, &said) != ERR_OK)
        fail_msg("%.*s", (int)said.n, (const char *)said.p);
    buf_free(&said);
}

static void
new_task(struct rig *r, enum aggregate_stage s)
{
    static const char *const topics[] = {"p.smtp.tx", "p.agg.group",
                                         "p.agg.decide"};

    aggregate_task_free(r->task);
    r->topic = topics[s];
    assert_int_equal(aggregate_task_new(&r->parts, s, 3, &r->sink, &r->task),
                     ERR_OK);
}

static void
open_rig(struct rig *r)
{
    *r = (struct rig){
        .sink = {on_out, r}
    };
    tempdir_make(&r->dir);
    load_keys(r);
    load_rules(r);
    r->parts.max_age = 900 * NS_PER_S;
    r->parts.sources = 152;
    r->parts.detect = (struct detect_options){
        .hosts = hosts_options_default,
        .decide = {.limits = decide_limits_default},
        .rules = r->rules,
    };
    r->parts.detect.hosts.seed = 5;
    new_task(r, AGGREGATE_SOURCE);
}

static void
close_rig(struct rig *r)
{
    const struct gate_keys *keys = r->parts.keys;
    struct gate_keys *mine;

    aggregate_task_free(r->task);
    memcpy(&mine, &keys, sizeof(mine));
    gate_keys_free(mine);
    sigma_set_free(r->rules);
    forget(r);
    free(r->told);
    tempdir_remove(&r->dir);
}

/* A message as its writer would sign it. */
struct message {
    const char *writer, *secret, *key, *line;
    uint64_t sequence; /* 0: that of the offset */
    bool misplaced;
};

static void
give(struct rig *r, uint64_t offset, const struct message *m)
{
    struct aggregate_in in = {
        .message = {.message = {span_str(r->topic), span_str(m->key),
                                span_str(m->line)},
                    .appended = NOW + offset * NS_PER_MS},
        .offset = offset,
        .misplaced = m->misplaced,
    };
    uint8_t room[AUTH_HEADER_MAX];
    struct buf header = {room, 0, sizeof(room), sizeof(room), false, false};
    uint64_t sequence =
        m->sequence != 0 ? m->sequence : NOW / NS_PER_US + offset * 1000;

    assert_true(auth_sign(span_str(m->secret), span_str(m->writer), sequence,
                          &in.message.message, &header));
    in.message.header = buf_view(&header);
    aggregate_task_message(r->task, &in);
}

/* Mail i of a campaign: refused, the same body, of one host after the other,
 * seen by one sensor or the other. */
struct mail {
    char line[1024], key[16];
};

static struct mail
mail_of(unsigned i, const char *sensor)
{
    struct mail m;

    (void)snprintf(m.key, sizeof(m.key), "10.2.3.%u", i % HOSTS);
    (void)snprintf(
        m.line, sizeof(m.line),
        "{\"timestamp\":\"2026-11-22T10:%02u:18.000001+0000\",\"flow_id\":%u,"
        "\"flow_seq\":1,\"event_type\":\"smtp\",\"event_id\":\"%016x\","
        "\"schema_version\":1,\"sensor\":\"%s\",\"src_ip\":\"%s\","
        "\"dest_ip\":\"192.0.2.%u\",\"dest_port\":25,"
        "\"direction\":\"outbound\",\"smtp\":{\"mail_from\":\"<a@b.example>\","
        "\"rcpt_to\":[\"<u%u@c%u.example>\"],\"via\":\"DATA\",\"outcome\":"
        "\"rejected\",\"message_bytes\":900},"
        "\"email\":{\"simhash\":\"0123456789abcdef\"}}",
        i, i + 1, i, sensor, m.key, i + 1, i, i);
    return m;
}

static void
give_mail(struct rig *r, uint64_t offset, unsigned i)
{
    bool north = i % 2 == 0;
    struct mail m = mail_of(i, north ? "north" : "south");
    const struct message message = {.writer = north ? "north" : "south",
                                    .secret = north ? NORTH : SOUTH,
                                    .key = m.key,
                                    .line = m.line};

    give(r, offset, &message);
}

static size_t
count(const struct rig *r, enum aggregate_stage to, const char *text)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->told[i].to == to && strstr(r->told[i].line, text) != NULL;
    return n;
}

static void
save(const struct rig *r, struct buf *out)
{
    buf_init(out, 1U << 30);
    assert_int_equal(aggregate_task_save(r->task, out), ERR_OK);
}

/* The address behind dest_ip, of a mail that was made with mail_of. */
static void
send_to(struct mail *m, const char *address)
{
    struct mail old = *m;
    const char *at = strstr(old.line, "\"192.0.2.");
    const char *rest = at != NULL ? strchr(at + 1, '"') : NULL;

    assert_non_null(rest);
    (void)snprintf(m->line, sizeof(m->line), "%.*s\"%s%s", (int)(at - old.line),
                   old.line, address, rest);
}

/* Three clients, each of another partition, at one server: no stage source sees
 * more than one, and stage group tells of them once. */
static void
test_spread(void **state)
{
    struct told *given = NULL;
    struct rig r;
    size_t n = 0;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < 3; i++) {
        struct mail mail = mail_of(i, "north");
        const struct message m = {.writer = "north",
                                  .secret = NORTH,
                                  .key = mail.key,
                                  .line = mail.line};

        new_task(&r, AGGREGATE_SOURCE);
        send_to(&mail, "192.0.2.77");
        give(&r, 100 + i, &m);
        assert_int_equal(count(&r, AGGREGATE_DECIDE, "Many at one"), 0);
    }
    given = r.told;
    n = r.n;
    r.told = NULL;
    r.n = 0;
    new_task(&r, AGGREGATE_GROUP);
    for (size_t i = 0; i < n; i++) {
        const struct message m = {.writer = "aggregate/source/3",
                                  .secret = OURS,
                                  .key = given[i].key,
                                  .line = given[i].line,
                                  .sequence = given[i].sequence};

        if (given[i].to == AGGREGATE_GROUP &&
            strncmp(given[i].key, "44444444", 8) == 0)
            give(&r, i, &m);
        free(given[i].key);
        free(given[i].line);
    }
    free(given);
    assert_int_equal(aggregate_task_counts(r.task).verdicts[GATE_OK], 3);
    assert_int_equal(r.n, 1);
    assert_int_equal(count(&r, AGGREGATE_DECIDE, "Many at one"), 1);
    assert_int_equal(count(&r, AGGREGATE_DECIDE, "\"subject\":\"192.0.2.77\""),
                     1);
    close_rig(&r);
}

/* Who has one key does not end the windows of all sources of a partition. */
static void
test_from_the_future(void **state)
{
    static const struct {
        const char *why;
        uint64_t ahead; /* of the broker's time */
        enum gate_verdict want;
    } rows[] = {
        {"as the broker's clock",   0,                            GATE_OK   },
        {"as far as clocks differ", GATE_AHEAD / NS_PER_US,       GATE_OK   },
        {"a microsecond more",      GATE_AHEAD / NS_PER_US + 1,   GATE_STALE},
        {"a year",                  31536000 * UINT64_C(1000000), GATE_STALE},
    };
    struct rig r;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t us = NOW / NS_PER_US + i * 1000 + rows[i].ahead;
        time_t second = (time_t)(us / 1000000);
        struct mail mail = mail_of(i, "north");
        const struct message m = {.writer = "north",
                                  .secret = NORTH,
                                  .key = mail.key,
                                  .line = mail.line};
        struct tm utc;
        char text[32];

        assert_non_null(gmtime_r(&second, &utc));
        assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc));
        memcpy(strchr(mail.line, '2'), text, strlen(text));
        (void)snprintf(text, sizeof(text), "%06u", (unsigned)(us % 1000000));
        memcpy(strchr(mail.line, '.') + 1, text, strlen(text));
        give(&r, i, &m);
        if (aggregate_task_counts(r.task).verdicts[rows[i].want] !=
            (rows[i].want == GATE_OK ? i + 1 : i - 1))
            fail_msg("%s", rows[i].why);
    }
    close_rig(&r);
}

static void
test_half_each(void **state)
{
    struct aggregate_counts c;
    struct rig r;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < MAILS; i++)
        give_mail(&r, 100 + i, i);
    c = aggregate_task_counts(r.task);
    assert_int_equal(c.verdicts[GATE_OK], MAILS);
    assert_int_equal(c.skipped, 0);
    assert_int_equal(count(&r, AGGREGATE_GROUP, "\"simhash\""), 2 * MAILS);
    assert_int_equal(count(&r, AGGREGATE_GROUP, "dest_ip"), MAILS);
    assert_true(count(&r, AGGREGATE_DECIDE, "Much refused mail") >= HOSTS);
    assert_int_equal(count(&r, AGGREGATE_DECIDE, "Same mail"), 0);
    for (size_t i = 1; i < r.n; i++)
        assert_true(r.told[i].sequence > r.told[i - 1].sequence);
    close_rig(&r);
}

/* What was given out from one mail on, behind a state or not. */
static void
check_same(const struct told *all, size_t n_all, const struct rig *r,
           uint64_t from)
{
    size_t at = 0;

    while (at < n_all && all[at].sequence >> 20 < from)
        at++;
    assert_int_equal(n_all - at, r->n);
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(all[at + i].sequence, r->told[i].sequence);
        assert_string_equal(all[at + i].line, r->told[i].line);
        assert_string_equal(all[at + i].key, r->told[i].key);
    }
}

/* A crash at any message, with a state of any message before: what comes again
 * is what was there. */
static void
test_again(void **state)
{
    struct told *all;
    size_t n_all;
    struct rig r;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < MAILS; i++)
        give_mail(&r, 100 + i, i);
    all = r.told;
    n_all = r.n;
    r.told = NULL;
    r.n = 0;
    for (unsigned cut = 0; cut <= MAILS; cut += 5) {
        struct buf b;

        new_task(&r, AGGREGATE_SOURCE);
        for (unsigned i = 0; i < cut; i++)
            give_mail(&r, 100 + i, i);
        save(&r, &b);
        new_task(&r, AGGREGATE_SOURCE);
        assert_int_equal(aggregate_task_load(r.task, buf_view(&b)), ERR_OK);
        assert_int_equal(aggregate_task_offset(r.task),
                         cut > 0 ? 100 + cut : 0);
        forget(&r);
        for (unsigned i = cut / 2; i < MAILS; i++)
            give_mail(&r, 100 + i, i); /* some are in it already */
        check_same(all, n_all, &r, cut > 0 ? 100 + cut : 0);
        buf_free(&b);
    }
    forget(&r);
    free(r.told);
    r.told = all;
    r.n = n_all;
    close_rig(&r);
}

/* From one task's answers to the next one's messages. */
static void
pass_on(struct rig *r, struct told *from, size_t n, enum aggregate_stage to,
        const char *writer, uint64_t offset)
{
    for (size_t i = 0; i < n; i++) {
        const struct message m = {.writer = writer,
                                  .secret = OURS,
                                  .key = from[i].key,
                                  .line = from[i].line,
                                  .sequence = from[i].sequence};

        if (from[i].to == to)
            give(r, offset++, &m);
    }
}

/* One stage after the other: a campaign is found, told to the hosts' stage, and
 * alerts reach the world. */
static void
test_stages(void **state)
{
    struct told *first, *found;
    size_t n_first, n_found;
    struct buf before;
    struct rig r;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < MAILS; i++)
        give_mail(&r, 100 + i, i);
    save(&r, &before);
    first = r.told;
    n_first = r.n;
    r.told = NULL;
    r.n = 0;
    new_task(&r, AGGREGATE_GROUP);
    pass_on(&r, first, n_first, AGGREGATE_GROUP, "aggregate/source/3", 7);
    assert_true(count(&r, AGGREGATE_SOURCE, "\"sources\":4") > 0);
    found = r.told;
    n_found = r.n;
    r.told = NULL;
    r.n = 0;
    new_task(&r, AGGREGATE_SOURCE);
    assert_int_equal(aggregate_task_load(r.task, buf_view(&before)), ERR_OK);
    pass_on(&r, found, n_found, AGGREGATE_SOURCE, "aggregate/group/0", 200);
    assert_true(count(&r, AGGREGATE_DECIDE, "Same mail") > 0);
    new_task(&r, AGGREGATE_DECIDE);
    pass_on(&r, r.told, r.n, AGGREGATE_DECIDE, "aggregate/source/3", 1);
    assert_true(aggregate_task_counts(r.task).alerts > 0);
    assert_true(aggregate_task_counts(r.task).unjudged > 0);
    assert_true(aggregate_task_waits(r.task));
    for (size_t i = 0; i < n_first + n_found; i++) {
        struct told *t = i < n_first ? &first[i] : &found[i - n_first];

        free(t->key);
        free(t->line);
    }
    free(first);
    free(found);
    buf_free(&before);
    close_rig(&r);
}

static void
note(void *ctx, struct span record, struct span line)
{
    size_t *n = ctx;

    assert_true(record_check(record));
    assert_true(line.n > 0);
    ++*n;
}

/* What the world was not told is in the state. */
static void
test_outbox(void **state)
{
    static const char line[] =
        "{\"timestamp\":\"2026-11-22T10:00:18.000001+0000\",\"flow_seq\":1,"
        "\"event_type\":\"alert\",\"event_id\":\"00000000000000a1\","
        "\"schema_version\":1,\"sensor\":\"aggregate/source/3\"}";
    const struct message m = {.writer = "aggregate/source/3",
                              .secret = OURS,
                              .key = "10.2.3.1",
                              .line = line,
                              .sequence = 9};
    struct buf b;
    struct rig r;
    size_t n = 0;

    (void)state;
    open_rig(&r);
    new_task(&r, AGGREGATE_DECIDE);
    assert_false(aggregate_task_waits(r.task));
    give(&r, 5, &m);
    save(&r, &b);
    new_task(&r, AGGREGATE_DECIDE);
    assert_int_equal(aggregate_task_load(r.task, buf_view(&b)), ERR_OK);
    give(&r, 5, &m);
    give(&r, 6, &m); /* the same once more */
    assert_int_equal(aggregate_task_counts(r.task).verdicts[GATE_REPLAYED], 1);
    aggregate_task_tell(r.task, note, &n);
    assert_int_equal(n, 1);
    aggregate_task_told(r.task);
    aggregate_task_tell(r.task, note, &n);
    assert_int_equal(n, 1);
    buf_free(&b);
    close_rig(&r);
}

/* Done by hand about a block, as the registry's sensor tells it. */
static void
act(struct rig *r, const char *action, uint64_t offset)
{
    const struct record_head head = {.when = NOW, .type = EVENT_CONTROL};
    struct record_out out;
    struct record_map map;

    record_init(&out);
    record_begin(&out, &head);
    record_text(&out, FIELD_CONTROL_KIND, "block");
    record_text(&out, FIELD_CONTROL_ACTION, action);
    record_text(&out, FIELD_CONTROL_ACTOR, "ada");
    record_text(&out, FIELD_CONTROL_REASON, "ticket 5513");
    record_text(&out, FIELD_CONTROL_SUBJECT, "10.2.3.1/32");
    record_map_init(&map, record_view(&out));
    aggregate_task_control(r->task, &map, offset);
    record_free(&out);
}

/* What people did takes force once, though all of it is shown to whoever is
 * assigned a partition: a block that was lifted does not come back. */
static void
test_control(void **state)
{
    struct buf b;
    struct rig r;

    (void)state;
    open_rig(&r);
    new_task(&r, AGGREGATE_DECIDE);
    act(&r, "add", 5);
    act(&r, "lift", 6);
    assert_true(aggregate_task_waits(r.task));
    assert_int_equal(aggregate_task_counts(r.task).decisions, 2);
    aggregate_task_told(r.task);
    save(&r, &b);
    new_task(&r, AGGREGATE_DECIDE);
    assert_int_equal(aggregate_task_load(r.task, buf_view(&b)), ERR_OK);
    act(&r, "add", 5);
    act(&r, "lift", 6);
    assert_false(aggregate_task_waits(r.task));
    act(&r, "add", 7);
    assert_true(aggregate_task_waits(r.task));
    buf_free(&b);
    close_rig(&r);
}

static const struct {
    const char *why, *writer, *secret, *key, *sensor;
    enum gate_verdict want;
    bool misplaced;
} wrong[] = {
    {"right",                 "north",             NORTH, "10.2.3.0", "north", GATE_OK,      false},
    {"in another partition",  "north",             NORTH, "10.2.3.0", "north", GATE_REFUSED,
     true                                                                                         },
    {"under another key",     "north",             NORTH, "10.2.3.1", "north", GATE_REFUSED,
     false                                                                                        },
    {"of another sensor",     "north",             NORTH, "10.2.3.0", "south", GATE_REFUSED,
     false                                                                                        },
    {"signed by another",     "north",             SOUTH, "10.2.3.0", "north", GATE_FORGED,
     false                                                                                        },
    {"mail from one of ours", "aggregate/group/0", OURS,  "10.2.3.0",
     "aggregate/group/0",                                                      GATE_REFUSED, false},
};

static void
test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct mail mail = mail_of(0, wrong[i].sensor);
        const struct message m = {.writer = wrong[i].writer,
                                  .secret = wrong[i].secret,
                                  .key = wrong[i].key,
                                  .line = mail.line,
                                  .misplaced = wrong[i].misplaced};
        struct rig r;

        open_rig(&r);
        give(&r, 1, &m);
        if (aggregate_task_counts(r.task).verdicts[wrong[i].want] != 1)
            fail_msg("%s", wrong[i].why);
        assert_int_equal(r.n > 0, wrong[i].want == GATE_OK);
        close_rig(&r);
    }
}

/* Lines that are signed and no events; what the log has lost is counted. */
static void
test_hostile(void **state)
{
    static const char *const lines[] = {
        "",    "{", "[]", "null", "{\"a\":1}", "{\"event_type\":\"smtp\"}",
        "\x01"};
    struct rig r;

    (void)state;
    open_rig(&r);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const struct message m = {.writer = "north",
                                  .secret = NORTH,
                                  .key = "10.2.3.0",
                                  .line = lines[i]};

        give(&r, 10 + 2 * i, &m);
    }
    assert_int_equal(aggregate_task_counts(r.task).verdicts[GATE_REFUSED],
                     ARRAY_LEN(lines));
    assert_int_equal(aggregate_task_counts(r.task).skipped,
                     ARRAY_LEN(lines) - 1);
    assert_int_equal(r.n, 0);
    close_rig(&r);
}

/* A state that is cut, changed, or of who counts otherwise. */
static void
test_states(void **state)
{
    struct rig r;
    struct buf b;

    (void)state;
    open_rig(&r);
    for (unsigned i = 0; i < MAILS; i++)
        give_mail(&r, 100 + i, i);
    save(&r, &b);
    for (size_t n = 0; n < b.n; n += 1 + b.n / 50) {
        new_task(&r, AGGREGATE_SOURCE);
        assert_int_equal(
            aggregate_task_load(r.task, span_head(buf_view(&b), n)),
            ERR_CORRUPT);
    }
    b.p[b.n / 2] ^= 1;
    new_task(&r, AGGREGATE_SOURCE);
    assert_int_equal(aggregate_task_load(r.task, buf_view(&b)), ERR_CORRUPT);
    b.p[b.n / 2] ^= 1;
    r.parts.detect.hosts.design[HOST_S1].alert += 1;
    new_task(&r, AGGREGATE_SOURCE);
    assert_int_equal(aggregate_task_load(r.task, buf_view(&b)), ERR_FORMAT);
    assert_int_equal(aggregate_task_offset(r.task), 100 + MAILS);
    forget(&r);
    give_mail(&r, 100 + MAILS, 1); /* the gate knows what it let in */
    assert_int_equal(aggregate_task_counts(r.task).verdicts[GATE_DOUBLE], 1);
    buf_free(&b);
    close_rig(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_each),
        cmocka_unit_test(test_from_the_future),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_outbox),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sensor/sinks/sink_redis.h"

#include "sensor/sinks/sink_test_kit.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tempdir.h"

/* A Redis that says what the test wants, in the same thread: the sink never
 * waits for it. Commands are counted as they come whole. */
struct fake {
    struct tempdir dir;
    struct sockaddr_un at;
    int listener, fd; /* -1: nobody calls */
    struct buf in;    /* all that came, over all calls */
    size_t from;      /* of the first command without an answer */
};

static void
fake_listen(struct fake *f)
{
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(f->listener >= 0);
    (void)unlink(f->at.sun_path);
    assert_int_equal(
        bind(f->listener, (const struct sockaddr *)&f->at, sizeof(f->at)), 0);
    assert_int_equal(listen(f->listener, 4), 0);
}

static void
fake_init(struct fake *f)
{
    *f = (struct fake){.fd = -1, .listener = -1};
    tempdir_make(&f->dir);
    f->at.sun_family = AF_UNIX;
    (void)snprintf(f->at.sun_path, sizeof(f->at.sun_path), "%.90s/redis",
                   f->dir.path);
    buf_init(&f->in, 64U << 20);
    fake_listen(f);
}

static void
fake_hang_up(struct fake *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    f->from = f->in.n;
}

static void
fake_fini(struct fake *f)
{
    fake_hang_up(f);
    if (f->listener >= 0)
        (void)close(f->listener);
    buf_free(&f->in);
    tempdir_remove(&f->dir);
}

/* Takes a call and what is said. */
static void
fake_hear(struct fake *f)
{
    uint8_t room[65536];
    ssize_t n;

    if (f->fd < 0)
        f->fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
    while (f->fd >= 0 && (n = read(f->fd, room, sizeof(room))) > 0)
        buf_put(&f->in, room, (size_t)n);
}

static void
fake_say(struct fake *f, const char *text)
{
    size_t n = strlen(text);

    assert_true(f->fd >= 0);
    assert_int_equal(write(f->fd, text, n), (ssize_t)n);
}

/* The number behind a byte at *at, and what comes behind its line's end. */
static bool
number_at(struct span s, size_t *at, uint8_t mark, uint64_t *out)
{
    struct span rest = span_tail(s, *at);
    size_t end = span_search(rest, SPAN_LIT("\r\n"));

    if (span_at(rest, 0) != mark || end == rest.n)
        return false;
    assert_true(span_to_u64(span_tail(span_head(rest, end), 1), out));
    *at += end + 2;
    return true;
}

static bool
read_command(struct fake *f, struct buf *out)
{
    struct span in = buf_view(&f->in);
    size_t at = f->from;
    uint64_t words;
    uint64_t n;

    buf_reset(out);
    if (!number_at(in, &at, '*', &words))
        return false;
    for (uint64_t i = 0; i < words; i++) {
        if (!number_at(in, &at, '$', &n) || at + n + 2 > in.n)
            return false;
        if (i > 0)
            buf_putc(out, ' ');
        buf_span(out, span_of(in.p + at, n));
        at += n + 2;
    }
    f->from = at;
    return true;
}

/* Writes the next command's words, PING apart (which is answered), with a space
 * between them, those of long ones cut; false: none is whole. */
static bool
fake_command(struct fake *f, struct buf *out)
{
    bool has = read_command(f, out);

    if (!has || !span_eq(buf_view(out), SPAN_LIT("PING")))
        return has;
    fake_say(f, "+PONG\r\n");
    return read_command(f, out);
}

static struct sink *
open_fake(const struct fake *f, const char *name, const char *value)
{
    const struct sink_value values[] = {
        {name, value}
    };

    return kit_open("redis", f->at.sun_path, values, 1);
}

/* Turns until a command has come. */
static void
expect(struct kit *k, struct sink *s, struct fake *f, const char *head)
{
    struct buf got;

    buf_init(&got, 1U << 20);
    for (unsigned i = 0; i < KIT_PATIENCE; i++) {
        fake_hear(f);
        if (fake_command(f, &got))
            break;
        kit_turn(k, s);
    }
    if (!span_starts(buf_view(&got), span_str(head)))
        fail_msg("%s, and not %.*s", head, (int)got.n, (const char *)got.p);
    buf_free(&got);
}

static void
expect_nothing(struct kit *k, struct sink *s, struct fake *f)
{
    struct buf got;

    buf_init(&got, 1U << 20);
    for (unsigned i = 0; i < 5; i++) {
        fake_hear(f);
        assert_false(fake_command(f, &got));
        kit_turn(k, s);
    }
    buf_free(&got);
}

static const struct kit_event mail = {
    .type = EVENT_SMTP, .id = 7, .src = "192.0.2.7"};
#define MAIL_COMMAND                                                           \
    "XADD span25:smtp.tx MAXLEN ~ 100000 * event_id 0000000000000007 "         \
    "event_type smtp key 192.0.2.7 json {\"timestamp\":"

static void
test_entry(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    s = open_fake(&f, "depth", "2");
    assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    expect(&k, s, &f, MAIL_COMMAND);
    kit_check_counts(s, 1, 0, 0);
    assert_int_equal(s->ops->flush(s), PUT_BUSY);
    fake_say(&f, "$3\r\n1-"); /* cut anywhere */
    kit_turn(&k, s);
    kit_check_counts(s, 1, 0, 0);
    fake_say(&f, "0\r\n");
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 1, 1, 0);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

/* depth at n - 1, n and n + 1 */
static void
test_depth(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    s = open_fake(&f, "depth", "3");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    assert_int_equal(kit_put(&k, s, &mail), PUT_BUSY);
    for (unsigned i = 0; i < 3; i++)
        expect(&k, s, &f, MAIL_COMMAND);
    assert_int_equal(kit_put(&k, s, &mail), PUT_BUSY);
    fake_say(&f, "$3\r\n1-0\r\n");
    assert_int_equal(kit_put_wait(&k, s, &mail), PUT_DONE);
    expect(&k, s, &f, MAIL_COMMAND);
    kit_check_counts(s, 4, 1, 0);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

/* A call that breaks off: what has no answer is said again, no more. */
static void
test_broken_call(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    s = open_fake(&f, "depth", "10");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    for (unsigned i = 0; i < 3; i++)
        expect(&k, s, &f, MAIL_COMMAND);
    fake_say(&f, "$3\r\n1-0\r\n$3\r\n2-");
    kit_turn(&k, s);
    fake_hang_up(&f);
    for (unsigned i = 0; i < 2; i++)
        expect(&k, s, &f, MAIL_COMMAND);
    expect_nothing(&k, s, &f);
    assert_true(kit_why_has(s, "has closed it"));
    fake_say(&f, "$3\r\n2-0\r\n$3\r\n3-0\r\n");
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 3, 3, 0);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

/* What an answer does: it counts, it is called again, or it is for people. */
static const struct {
    const char *why, *answer;
    enum put then;
    bool again;
} answers[] = {
    {"an entry's id",        "$3\r\n1-0\r\n",                        PUT_DONE, false},
    {"it starts",            "-LOADING Redis is loading\r\n",        PUT_DONE, true },
    {"no memory",            "-OOM command not allowed\r\n",         PUT_DONE, true },
    {"a replica",            "-READONLY You can't write\r\n",        PUT_DONE, true },
    {"its disk",             "-MISCONF Redis is configured\r\n",     PUT_DONE, true },
    {"not Redis",            "HTTP/1.1 400 Bad Request\r\n",         PUT_DONE, true },
    {"an answer to nothing", "$3\r\n1-0\r\n$3\r\n2-0\r\n",           PUT_DONE, false},
    {"no login",             "-NOAUTH Authentication required.\r\n", PUT_DEAD, true },
    {"no right",             "-NOPERM this user has no\r\n",         PUT_DEAD, true },
    {"another type",         "-WRONGTYPE Operation against\r\n",     PUT_DEAD, true },
    {"another program",      "-ERR unknown command\r\n",             PUT_DEAD, true },
};

static void
answer_and_mend(struct kit *k, struct sink *s, struct fake *f, size_t row)
{
    fake_say(f, answers[row].answer);
    if (answers[row].then == PUT_DEAD) {
        assert_int_equal(kit_flush(k, s), PUT_DEAD);
        assert_int_equal(kit_put(k, s, &mail), PUT_DEAD);
        fake_hang_up(f);
        expect_nothing(k, s, f);
        assert_int_equal(s->ops->reopen(s), ERR_OK);
    } else if (answers[row].again) {
        for (unsigned i = 0; i < 3; i++)
            kit_turn(k, s);
        fake_hang_up(f);
    }
    if (answers[row].again) {
        kit_check_counts(s, 1, 0, 0);
        expect(k, s, f, MAIL_COMMAND);
        fake_say(f, "$3\r\n1-0\r\n");
    }
}

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct fake f;
        struct kit k;
        struct sink *s;

        fake_init(&f);
        kit_init(&k);
        s = open_fake(&f, "depth", "10");
        assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
        expect(&k, s, &f, MAIL_COMMAND);
        answer_and_mend(&k, s, &f, i);
        if (kit_flush(&k, s) != PUT_DONE || s->ops->counts(s).delivered != 1)
            fail_msg("%s", answers[i].why);
        s->ops->close(s);
        kit_fini(&k);
        fake_fini(&f);
    }
}

static const struct {
    const char *why;
    struct kit_event event;
    const char *command; /* the second one, or NULL */
} blocks[] = {
    {"what is left of it, rounded up",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.7/32",
      .until = 3600 * NS_PER_S},
     "SET span25:block:192.0.2.7 {\"timestamp\":"        },
    {"an IPv6 /64",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "2001:db8:0:1::/64",
      .until = 3600 * NS_PER_S},
     "SET span25:block:2001:db8:0:1::/64 {\"timestamp\":"},
    {"over before it came",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.7/32",
      .until = NS_PER_S / 2},
     "DEL span25:block:192.0.2.7"                        },
    {"without an end",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "DEL span25:block:192.0.2.7"                        },
    {"a lift",
     {.type = EVENT_DECISION,
      .action = "lift",
      .mode = "enforce",
      .subject = "192.0.2.7/32",
      .until = 3600 * NS_PER_S},
     "DEL span25:block:192.0.2.7"                        },
    {"an expiry",
     {.type = EVENT_DECISION,
      .action = "expire",
      .mode = "enforce",
      .subject = "192.0.2.7/32"},
     "DEL span25:block:192.0.2.7"                        },
    {"simulated",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "simulate",
      .subject = "192.0.2.7/32",
      .until = 3600 * NS_PER_S},
     NULL                                                },
    {"held",
     {.type = EVENT_DECISION,
      .action = "hold",
      .mode = "enforce",
      .subject = "192.0.2.7/32",
      .until = 3600 * NS_PER_S},
     NULL                                                },
    {"wider than an address",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "192.0.2.0/31",
      .until = 3600 * NS_PER_S},
     NULL                                                },
    {"everything",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "0.0.0.0/0",
      .until = 3600 * NS_PER_S},
     NULL                                                },
    {"an IPv6 /63",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "2001:db8::/63",
      .until = 3600 * NS_PER_S},
     NULL                                                },
    {"no prefix at all",
     {.type = EVENT_DECISION,
      .action = "block",
      .mode = "enforce",
      .subject = "* EX 1",
      .until = 3600 * NS_PER_S},
     NULL                                                },
};

static void
test_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        struct fake f;
        struct kit k;
        struct sink *s;

        fake_init(&f);
        kit_init(&k);
        s = open_fake(&f, "depth", "1");
        assert_int_equal(kit_put(&k, s, &blocks[i].event), PUT_DONE);
        expect(&k, s, &f, "XADD span25:decision MAXLEN ~ 100000 * event_id");
        fake_say(&f, "$3\r\n1-0\r\n");
        if (blocks[i].command == NULL) {
            expect_nothing(&k, s, &f);
        } else {
            expect(&k, s, &f, blocks[i].command);
            kit_turn(&k, s);
            kit_check_counts(s, 1, 0, 0); /* both or nothing */
            fake_say(&f, "+OK\r\n");
        }
        assert_int_equal(kit_flush(&k, s), PUT_DONE);
        kit_check_counts(s, 1, 1, 0);
        s->ops->close(s);
        kit_fini(&k);
        fake_fini(&f);
    }
}

/* The time that is left is that of the sending, not of the first try. */
static void
test_time_left(void **state)
{
    const struct kit_event block = {.type = EVENT_DECISION,
                                    .action = "block",
                                    .mode = "enforce",
                                    .subject = "192.0.2.7/32",
                                    .until = 5000 * NS_PER_S};
    struct fake f;
    struct kit k;
    struct sink *s;
    struct buf got;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    buf_init(&got, 1U << 20);
    s = open_fake(&f, "depth", "1");
    assert_int_equal(kit_put(&k, s, &block), PUT_DONE);
    expect(&k, s, &f, "XADD ");
    k.now = 4000 * NS_PER_S - 5 * NS_PER_MS;
    fake_hang_up(&f);
    s->ops->tick(s, k.now); /* notices, and calls again a moment later */
    k.now += 200 * NS_PER_MS;
    expect(&k, s, &f, "XADD ");
    for (unsigned i = 0; i < KIT_PATIENCE && !fake_command(&f, &got); i++) {
        kit_turn(&k, s);
        fake_hear(&f);
    }
    assert_true(span_search(buf_view(&got), SPAN_LIT(" EX 1000")) < got.n);
    buf_free(&got);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

static void
test_login(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;
    struct tempdir_name file;
    struct sink_value values[3] = {
        {"password-file", NULL  },
        {"user",          "span"},
        {"db",            "5"   }
    };

    (void)state;
    fake_init(&f);
    kit_init(&k);
    tempdir_store(f.dir.path, "password", "s3cret\n", 7);
    file = tempdir_name(f.dir.path, "password");
    values[0].value = file.s;
    s = kit_open("redis", f.at.sun_path, values, 3);
    assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    expect(&k, s, &f, "AUTH span s3cret");
    expect(&k, s, &f, "SELECT 5");
    expect(&k, s, &f, MAIL_COMMAND);
    fake_say(&f, "+OK\r\n+OK\r\n$3\r\n1-0\r\n");
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    fake_hang_up(&f);
    assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    expect(&k, s, &f, "AUTH span s3cret");
    fake_say(&f, "-WRONGPASS invalid username-password pair\r\n");
    assert_int_equal(kit_flush(&k, s), PUT_DEAD);
    assert_true(kit_why_has(s, "WRONGPASS"));
    assert_false(kit_why_has(s, "s3cret"));
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

/* Nobody there for a while: calls are rarer and rarer, and then it goes on. */
static void
test_nobody_there(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    (void)close(f.listener);
    (void)unlink(f.at.sun_path);
    f.listener = -1;
    s = open_fake(&f, "depth", "1");
    assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    for (unsigned i = 0; i < 200; i++) {
        k.now += 100 * NS_PER_MS;
        s->ops->tick(s, k.now);
        assert_int_equal(s->ops->flush(s), PUT_BUSY);
    }
    assert_true(kit_why_has(s, "No such file"));
    fake_listen(&f);
    k.now += 2 * NS_PER_S;
    expect(&k, s, &f, MAIL_COMMAND);
    fake_say(&f, "$3\r\n1-0\r\n");
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

/* It takes the call and says nothing: no answer is no answer after 5 s. */
static void
test_silence(void **state)
{
    struct fake f;
    struct kit k;
    struct sink *s;

    (void)state;
    fake_init(&f);
    kit_init(&k);
    s = open_fake(&f, "depth", "1");
    assert_int_equal(kit_put(&k, s, &mail), PUT_DONE);
    expect(&k, s, &f, MAIL_COMMAND);
    kit_turn(&k, s); /* the PONG is no answer to it */
    k.now += 5100 * NS_PER_MS;
    s->ops->tick(s, k.now);
    assert_true(kit_why_has(s, "no answer"));
    fake_hang_up(&f);
    expect(&k, s, &f, MAIL_COMMAND);
    s->ops->close(s);
    kit_fini(&k);
    fake_fini(&f);
}

static const struct {
    const char *target;
    enum err want;
} targets[] = {
    {"127.0.0.1:6379",  ERR_OK    },
    {"localhost",       ERR_OK    },
    {"[::1]:6379",      ERR_OK    },
    {"[::1]",           ERR_OK    },
    {"/run/redis.sock", ERR_OK    },
    {"",                ERR_CONFIG},
    {":6379",           ERR_CONFIG},
    {"localhost:",      ERR_CONFIG},
    {"localhost:0",     ERR_CONFIG},
    {"localhost:65535", ERR_OK    },
    {"localhost:65536", ERR_CONFIG},
    {"::1",             ERR_CONFIG},
    {"[::1",            ERR_CONFIG},
    {"[::1]6379",       ERR_CONFIG},
};

static void
test_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct sink_settings settings = {.target = targets[i].target};
        struct sink *s = NULL;
        struct buf message;

        buf_init(&message, 4096);
        if (sink_open(SPAN_LIT("redis"), &settings, &s, &message) !=
            targets[i].want)
            fail_msg("%s", targets[i].target);
        sink_redis.close(s);
        buf_free(&message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),       cmocka_unit_test(test_depth),
        cmocka_unit_test(test_broken_call), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_blocks),      cmocka_unit_test(test_time_left),
        cmocka_unit_test(test_login),       cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_silence),     cmocka_unit_test(test_targets),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as app does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

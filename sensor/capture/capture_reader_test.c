#include "sensor/capture/capture_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void
through_file(struct span in, const char *why, enum capture_coding how)
{
    char path[32];
    const char *names[] = {path};
    struct capture *c;
    struct buf message;

    buf_init(&message, 512);
    write_file(path, in);
    assert_int_equal(capture_open(names, 1, NULL, &c, &message), ERR_OK);
    assert_int_equal(capture_is_seekable(c), how == CAPTURE_PLAIN);
    assert_int_equal(capture_facts(c, 0).coding, how);
    assert_int_equal(capture_size(c), in.n);
    expect_made(c, why);
    assert_int_equal(capture_position(c), in.n);
    assert_string_equal(capture_facts(c, 0).name, path);
    capture_close(c);
    (void)unlink(path);
}

static void
through_stdin(struct span in, const char *why)
{
    static const char *const names[] = {"-"};
    int keep = dup(STDIN_FILENO);
    struct capture *c;
    struct buf message;
    int ends[2];

    buf_init(&message, 512);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], in.p, in.n), in.n);
    (void)close(ends[1]);
    (void)dup2(ends[0], STDIN_FILENO);
    (void)close(ends[0]);
    assert_int_equal(capture_open(names, 1, NULL, &c, &message), ERR_OK);
    assert_false(capture_is_seekable(c));
    expect_made(c, why);
    capture_close(c);
    (void)dup2(keep, STDIN_FILENO);
    (void)close(keep);
}

static void
test_flavours(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FLAVOURS; i++) {
        struct made m;

        make_flavour(&m, &flavours[i]);
        for (unsigned how = CAPTURE_PLAIN; how <= CAPTURE_ZSTD; how++) {
            struct buf packed = pack((enum capture_coding)how, buf_view(&m.b));

            through_memory(buf_view(&packed), flavours[i].why);
            through_file(buf_view(&packed), flavours[i].why,
                         (enum capture_coding)how);
            through_stdin(buf_view(&packed), flavours[i].why);
            buf_free(&packed);
        }
        buf_free(&m.b);
    }
}

static size_t
whole_at(const struct made *m, size_t cut)
{
    size_t n = 0;

    while (n < m->n && m->ends[n] <= cut)
        n++;
    return n;
}

static bool
is_boundary(const struct made *m, size_t cut, size_t first, size_t second)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->ends[i] == cut)
            return true;
    }
    return cut == first || cut == second;
}

static void
cut_once(const struct made *m, size_t cut, size_t chunk, bool boundary)
{
    struct span part = span_head(buf_view(&m->b), cut);
    uint8_t *exact = malloc(cut > 0 ? cut : 1);
    const struct capture_fault *f;
    struct capture *c;
    size_t got;

    assert_non_null(exact);
    memcpy(exact, part.p, cut);
    c = open_one(span_of(exact, cut), chunk);
    got = drain(c);
    if (got != whole_at(m, cut))
        fail_msg("cut %zu: %zu packets, not %zu", cut, got, whole_at(m, cut));
    assert_int_equal(capture_n_faults(c), boundary ? 0 : 1);
    if (!boundary) {
        f = capture_fault(c, 0);
        assert_int_equal(f->kind,
                         cut == 0 ? CAPTURE_FAULT_EMPTY : CAPTURE_FAULT_CUT);
        assert_int_equal(f->packets, got);
        assert_true(f->offset <= cut);
        assert_true(got == 0 || f->offset == m->ends[got - 1]);
    }
    capture_close(c);
    free(exact);
}

static void
test_cut_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FLAVOURS; i++) {
        bool ng = flavours[i].magic == 0;
        size_t first = ng ? 28 : 24; /* after the file or section header */
        struct made m;

        make_flavour(&m, &flavours[i]);
        for (size_t cut = 0; cut <= m.b.n; cut++) {
            bool b = is_boundary(&m, cut, first, ng ? 28 + 20 + 8 + 4 : first);

            cut_once(&m, cut, 0, b);
            cut_once(&m, cut, 1, b);
        }
        buf_free(&m.b);
    }
}

static void
test_cut_text(void **state)
{
    struct made m;
    struct capture *c;

    (void)state;
    made_init(&m, false);
    pcap_head(&m, 0xa1b2c3d4, 1);
    pcap_packet(&m, 0xa1b2c3d4, MADE_START, 2000);
    c = open_one(span_head(buf_view(&m.b), m.b.n - 1234), 0);
    assert_int_equal(drain(c), 0);
    assert_string_equal(capture_fault(c, 0)->text,
                        "cut short: 1,234 bytes of the last packet are "
                        "missing");
    assert_int_equal(capture_fault(c, 0)->offset, 24);
    capture_close(c);
    c = open_one(span_head(buf_view(&m.b), m.b.n - 1), 0);
    assert_int_equal(drain(c), 0);
    assert_string_equal(capture_fault(c, 0)->text,
                        "cut short: 1 byte of the last packet is missing");
    capture_close(c);
    buf_free(&m.b);
}

/* ---- damage ---- */

static const struct {
    const char *why;
    size_t at; /* from the start of the third packet's record */
    uint32_t value;
    enum capture_fault_kind kind;
} damages[] =
    {
        {"captured length one past the limit",         8, CAPTURE_CAPLEN_MAX + 1,
         CAPTURE_FAULT_LENGTH                                                                         },
        {"captured length all ones",                   8, UINT32_MAX,             CAPTURE_FAULT_LENGTH},
        {"captured length at the limit: past the end", 8, CAPTURE_CAPLEN_MAX,
         CAPTURE_FAULT_CUT                                                                            },
},
  ng_damages[] = {
      {"block length 7", 4, 7, CAPTURE_FAULT_LENGTH},
      {"block length 11", 4, 11, CAPTURE_FAULT_LENGTH},
      {"block length 0", 4, 0, CAPTURE_FAULT_LENGTH},
      {"block length past the limit", 4, CAPTURE_BLOCK_MAX + 1,
       CAPTURE_FAULT_LENGTH},
      {"block length at the limit: past the end", 4, CAPTURE_BLOCK_MAX,
       CAPTURE_FAULT_CUT},
      {"shorter block: no length at its end", 4, 40, CAPTURE_FAULT_BLOCK},
      {"an interface that is not declared", 8, 1, CAPTURE_FAULT_BLOCK},
      {"captured length past the block", 20, 200, CAPTURE_FAULT_BLOCK},
      {"captured length past the limit", 20, CAPTURE_CAPLEN_MAX + 1,
       CAPTURE_FAULT_LENGTH},
      {"a section without byte order", 0, 0x0a0d0d0a, CAPTURE_FAULT_BLOCK},
};

static void
damage(const char *why, struct made *m, size_t at, uint32_t value,
       enum capture_fault_kind kind)
{
    struct cursor was = cur_open(span_tail(buf_view(&m->b), m->ends[1] + at));
    uint32_t old = cur_le32(&was);
    struct capture *c;

    memcpy(m->b.p + m->ends[1] + at, &value, 4);
    c = open_one(buf_view(&m->b), 0);
    if (drain(c) != 2)
        fail_msg("%s: not two packets", why);
    if (capture_n_faults(c) != 1)
        fail_msg("%s: %zu faults", why, capture_n_faults(c));
    if (capture_fault(c, 0)->kind != kind)
        fail_msg("%s: %s", why, capture_fault(c, 0)->text);
    assert_int_equal(capture_fault(c, 0)->offset, m->ends[1]);
    assert_int_equal(capture_fault(c, 0)->packets, 2);
    capture_close(c);
    memcpy(m->b.p + m->ends[1] + at, &old, 4);
}

static void
test_damage(void **state)
{
    struct made m;

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    for (size_t i = 0; i < ARRAY_LEN(damages); i++)
        damage(damages[i].why, &m, damages[i].at, damages[i].value,
               damages[i].kind);
    buf_free(&m.b);
    make_ng(&m, false);
    for (size_t i = 0; i < ARRAY_LEN(ng_damages); i++)
        damage(ng_damages[i].why, &m, ng_damages[i].at, ng_damages[i].value,
               ng_damages[i].kind);
    buf_free(&m.b);
}

static void
test_caplen_limit(void **state)
{
    static const struct {
        uint32_t n;
        size_t packets;
        size_t faults;
    } rows[] = {
        {CAPTURE_CAPLEN_MAX - 1, 2, 0},
        {CAPTURE_CAPLEN_MAX,     2, 0},
        {CAPTURE_CAPLEN_MAX + 1, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t chunk = 0; chunk <= 65536; chunk += 65536) {
            struct made m;
            struct capture *c;

            made_init(&m, false);
            pcap_head(&m, 0xa1b2c3d4, 1);
            pcap_packet(&m, 0xa1b2c3d4, MADE_START, rows[i].n);
            pcap_packet(&m, 0xa1b2c3d4, MADE_START, 60);
            c = open_one(buf_view(&m.b), chunk);
            assert_int_equal(drain(c), rows[i].packets);
            assert_int_equal(capture_n_faults(c), rows[i].faults);
            capture_close(c);
            buf_free(&m.b);
        }
    }
}

static void
test_subsecond_overflow(void **state)
{
    struct made m;
    struct capture *c;
    struct packet k;

    (void)state;
    made_init(&m, false);
    pcap_head(&m, 0xa1b2c3d4, 1);
    put32(&m, 100);
    put32(&m, 2500000);
    put32(&m, 0);
    put32(&m, 0);
    c = open_one(buf_view(&m.b), 0);
    assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
    assert_int_equal(k.when, UINT64_C(102500000000));
    assert_int_equal(k.data.n, 0);
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    assert_int_equal(capture_n_faults(c), 0);
    capture_close(c);
    buf_free(&m.b);
}

static void
test_old_version(void **state)
{
    struct made m;
    struct capture *c;
    struct packet k;

    (void)state;
    made_init(&m, true);
    pcap_head(&m, 0xa1b2c3d4, 1);
    m.b.p[7] = 3; /* version 2.3 */
    put32(&m, 1);
    put32(&m, 2);
    put32(&m, 90); /* length on the wire first */
    put32(&m, 60);
    put_fill(&m, 7, 60);
    c = open_one(buf_view(&m.b), 0);
    assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
    assert_int_equal(k.data.n, 60);
    assert_int_equal(k.wire_len, 90);
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    assert_int_equal(capture_n_faults(c), 0);
    capture_close(c);
    buf_free(&m.b);
}

static void
test_raw_link(void **state)
{
    static const struct {
        uint32_t in;
        uint16_t want;
    } links[] = {
        {1,          1  },
        {12,         101},
        {14,         101},
        {101,        101},
        {0xf4000071, 113}
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct made m;
        struct capture *c;
        struct packet k;

        made_init(&m, false);
        pcap_head(&m, 0xa1b2c3d4, links[i].in);
        pcap_packet(&m, 0xa1b2c3d4, MADE_START, 60);
        c = open_one(buf_view(&m.b), 0);
        assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
        assert_int_equal(k.link, links[i].want);
        assert_int_equal(capture_iface(c, 0)->link, links[i].want);
        capture_close(c);
        buf_free(&m.b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flavours),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_cut_text),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_caplen_limit),
        cmocka_unit_test(test_subsecond_overflow),
        cmocka_unit_test(test_old_version),
        cmocka_unit_test(test_raw_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

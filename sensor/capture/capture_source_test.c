#include "sensor/capture/capture_make.h"
#include "sensor/capture/capture_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void
append(struct buf *out, enum capture_coding how, struct span in)
{
    struct buf one = pack(how, in);

    buf_span(out, buf_view(&one));
    buf_free(&one);
}

static void
test_members(void **state)
{
    struct made m;

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    for (unsigned how = CAPTURE_GZIP; how <= CAPTURE_ZSTD; how++) {
        struct span all = buf_view(&m.b);
        struct buf b;

        buf_init(&b, MADE_MAX);
        append(&b, (enum capture_coding)how, span_head(all, 100));
        append(&b, (enum capture_coding)how, SPAN_NONE);
        append(&b, (enum capture_coding)how, span_tail(all, 100));
        through_memory(buf_view(&b), "three members");
        buf_free(&b);
    }
    buf_free(&m.b);
}

static void
test_after_members(void **state)
{
    static const struct {
        const char *why;
        enum capture_coding how;
        struct span tail;
        size_t faults;
    } rows[] = {
        {"padding after gzip", CAPTURE_GZIP, LIT("\0\0\0\0\0"),                  0},
        {"text after gzip",    CAPTURE_GZIP, LIT("hello"),                       1},
        {"half a gzip magic",  CAPTURE_GZIP, LIT("\x1f"),                        1},
        {"text after zstd",    CAPTURE_ZSTD, LIT("hello"),                       1},
        {"skippable frame",    CAPTURE_ZSTD, LIT("\x50\x2a\x4d\x18\3\0\0\0abc"),
         0                                                                        },
    };
    struct made m;

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t chunk = 0; chunk < 2; chunk++) {
            struct buf b = pack(rows[i].how, buf_view(&m.b));
            struct capture *c;

            buf_span(&b, rows[i].tail);
            c = open_one(buf_view(&b), chunk);
            assert_int_equal(drain(c), N_MADE);
            if (capture_n_faults(c) != rows[i].faults)
                fail_msg("%s: %zu faults", rows[i].why, capture_n_faults(c));
            capture_close(c);
            buf_free(&b);
        }
    }
    buf_free(&m.b);
}

/* Cut at each byte: never too many packets, never fewer than with less. */
static void
test_cut_compressed(void **state)
{
    struct made m;

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    for (unsigned how = CAPTURE_GZIP; how <= CAPTURE_ZSTD; how++) {
        struct buf b = pack((enum capture_coding)how, buf_view(&m.b));
        size_t before = 0;

        for (size_t cut = 4; cut < b.n; cut++) {
            struct capture *c = open_one(span_head(buf_view(&b), cut), cut % 2);
            size_t n = drain(c);

            assert_true(n >= before && n <= N_MADE);
            before = n;
            assert_int_equal(capture_n_faults(c), 1);
            assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_CUT);
            capture_close(c);
        }
        buf_free(&b);
    }
    buf_free(&m.b);
}

static void
test_damaged_compressed(void **state)
{
    struct made m;

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    for (unsigned how = CAPTURE_GZIP; how <= CAPTURE_ZSTD; how++) {
        struct buf b = pack((enum capture_coding)how, buf_view(&m.b));
        struct capture *c;

        b.p[how == CAPTURE_GZIP ? b.n - 8 : b.n - 4] ^= 1; /* the checksum */
        c = open_one(buf_view(&b), 0);
        assert_int_equal(drain(c), N_MADE);
        assert_int_equal(capture_n_faults(c), 1);
        assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_CODING);
        assert_true(strlen(capture_fault(c, 0)->text) > 40);
        capture_close(c);
        buf_free(&b);
    }
    buf_free(&m.b);
}

/* One frame of in with another length in its header, which has size bytes for
 * it; single: without a window of its own. */
static struct buf
pack_lying(struct span in, unsigned size_flag, bool single, uint64_t said)
{
    static const uint8_t n_size[] = {0, 2, 4, 8};
    struct buf good = pack(CAPTURE_ZSTD, in);
    struct span rest = buf_view(&good);
    struct buf out;
    uint8_t was = good.p[4];
    size_t n = n_size[was >> 6];

    if ((was & 0x20) != 0)
        n = n == 0 ? 1 : n;
    rest = span_tail(rest, 5 + n + ((was & 0x20) == 0));
    buf_init(&out, MADE_MAX);
    buf_span(&out, span_head(buf_view(&good), 4));
    buf_putc(&out, (uint8_t)(size_flag << 6 | (single ? 0x20 : 0) | 0x04));
    if (!single)
        buf_putc(&out, 13 << 3);
    n = single && size_flag == 0 ? 1 : n_size[size_flag];
    for (size_t i = 0; i < n; i++)
        buf_putc(&out, (uint8_t)(said >> 8 * i));
    buf_span(&out, rest);
    buf_free(&good);
    return out;
}

/* Every packet comes, and then a frame's lie about its length is told. */
static void
test_lying_frame(void **state)
{
    struct made m;
    uint64_t said[] = {0, 1, 40, 200, 255, 256, 4000, 1 << 20, 0, 0, 0};

    (void)state;
    make_pcap(&m, 0xa1b2c3d4, false);
    said[8] = m.b.n - 1;
    said[9] = m.b.n;
    said[10] = m.b.n + 1;
    for (size_t i = 0; i < ARRAY_LEN(said) * 8; i++) {
        uint64_t v = said[i / 8];
        unsigned flag = i / 2 % 4;
        bool single = i % 2 != 0;
        bool has = flag > 0 || single;
        uint64_t max = flag == 0 ? 255 : flag == 1 ? 65535 + 256 : UINT32_MAX;
        struct capture *c;
        struct buf b;

        if (v > max || (flag == 1 && v < 256))
            continue;
        b = pack_lying(buf_view(&m.b), flag, single, flag == 1 ? v - 256 : v);
        c = open_one(buf_view(&b), i % 3);
        if (drain(c) != N_MADE ||
            capture_n_faults(c) != (has && v != m.b.n ? 1 : 0))
            fail_msg("flag %u%s, said %llu of %zu: %zu faults, %llu packets",
                     flag, single ? " single" : "", (unsigned long long)v,
                     m.b.n, capture_n_faults(c),
                     (unsigned long long)capture_facts(c, 0).packets);
        if (capture_n_faults(c) > 0)
            assert_int_equal(capture_fault(c, 0)->kind, CAPTURE_FAULT_CODING);
        capture_close(c);
        buf_free(&b);
    }
    buf_free(&m.b);
}

/* Much more than a buffer holds. */
static void
test_long_stream(void **state)
{
    struct made m;
    struct buf b;
    struct capture *c;

    (void)state;
    made_init(&m, false);
    pcap_head(&m, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < 5000; i++)
        pcap_packet(&m, 0xa1b2c3d4, MADE_START, 100 + i % 1400);
    for (unsigned how = CAPTURE_PLAIN; how <= CAPTURE_ZSTD; how++) {
        b = pack((enum capture_coding)how, buf_view(&m.b));
        c = open_one(buf_view(&b), 5000);
        for (uint32_t i = 0; i < 5000; i++)
            expect(c, MADE_START, 1, 0, 100 + i % 1400);
        assert_int_equal(drain(c), 0);
        assert_int_equal(capture_n_faults(c), 0);
        capture_close(c);
        buf_free(&b);
    }
    buf_free(&m.b);
}

/* ---- pipes ---- */

static void
test_stop(void **state)
{
    static const char *const names[] = {"-"};
    volatile sig_atomic_t stop = 0;
    const struct capture_options options = {.stop = &stop};
    int keep = dup(STDIN_FILENO);
    struct made m;
    struct capture *c;
    struct packet k;
    struct buf message;
    int ends[2];

    (void)state;
    buf_init(&message, 512);
    make_pcap(&m, 0xa1b2c3d4, false);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], m.b.p, m.ends[1] + 5), m.ends[1] + 5);
    (void)dup2(ends[0], STDIN_FILENO);
    assert_int_equal(capture_open(names, 1, &options, &c, &message), ERR_OK);
    assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
    assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
    stop = 1; /* the pipe stays open and quiet */
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    assert_int_equal(capture_n_faults(c), 0);
    capture_close(c);
    (void)dup2(keep, STDIN_FILENO);
    (void)close(keep);
    (void)close(ends[0]);
    (void)close(ends[1]);
    buf_free(&m.b);
}

static void
put_seen(void *ctx, struct span bytes)
{
    buf_span(ctx, bytes);
}

/* Who taps a stream sees what lies in the pipe, whatever becomes of it: what is
 * behind its end too, when it is asked for. */
static void
test_tap(void **state)
{
    static const struct {
        const char *why;
        size_t cut;
        struct span tail;
        enum capture_coding how;
        enum capture_source_end end;
    } rows[] = {
        {"plain",            0, LIT(""),       CAPTURE_PLAIN, SOURCE_END    },
        {"gzip",             0, LIT(""),       CAPTURE_GZIP,  SOURCE_END    },
        {"zstd",             0, LIT(""),       CAPTURE_ZSTD,  SOURCE_END    },
        {"cut",              9, LIT(""),       CAPTURE_ZSTD,  SOURCE_CUT    },
        {"padding",          0, LIT("\0\0\0"), CAPTURE_GZIP,  SOURCE_END    },
        {"something behind", 0, LIT("hello"),  CAPTURE_GZIP,  SOURCE_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text, seen, unpacked, b;
        struct capture_source s;
        const struct capture_tap tap = {put_seen, &seen};
        int ends[2];

        print_message("%s\n", rows[i].why);
        buf_init(&text, MADE_MAX);
        buf_init(&seen, MADE_MAX);
        buf_init(&unpacked, MADE_MAX);
        for (uint64_t k = 0; k < 3000; k++)
            buf_u64(&text, k * k);
        b = pack(rows[i].how, buf_view(&text));
        b.n -= rows[i].cut;
        buf_span(&b, rows[i].tail);
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], b.p, b.n), b.n);
        (void)close(ends[1]);
        assert_int_equal(capture_source_stream(&s, ends[0], NULL, &tap),
                         ERR_OK);
        while (capture_source_fill(&s, 1))
            buf_span(&unpacked, cur_rest(&s.cur));
        assert_int_equal(s.why, rows[i].end);
        if (rows[i].cut == 0)
            assert_true(span_eq(buf_view(&unpacked), buf_view(&text)));
        capture_source_drain(&s);
        assert_true(span_eq(buf_view(&seen), buf_view(&b)));
        capture_source_close(&s);
        assert_int_equal(close(ends[0]), -1); /* it was the source's */
        buf_free(&text);
        buf_free(&seen);
        buf_free(&unpacked);
        buf_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_after_members),
        cmocka_unit_test(test_cut_compressed),
        cmocka_unit_test(test_damaged_compressed),
        cmocka_unit_test(test_lying_frame),
        cmocka_unit_test(test_long_stream),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_tap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

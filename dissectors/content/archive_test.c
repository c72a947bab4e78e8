#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#define ZLIB_CONST
#include <zlib.h>

#include "dissectors/content/archive.h"
#include "dissectors/content/inspect_test.h"

#define TEXT    SPAN_LIT("The quick brown fox jumps over the lazy dog.\n")
#define OUT_MAX (64U << 20)

/* Stands before the C library's: iconv would open files where none may be
 * opened. */
static unsigned n_iconv;

static void
run(struct inspected *t, struct span in, const char *name)
{
    n_iconv = 0;
    errno = ENOMEM; /* of long before: libarchive may end the process */
    inspected_run(t, in, name);
    assert_int_equal(n_iconv, 0);
}

iconv_t
iconv_open(const char *to, const char *from)
{
    (void)to;
    (void)from;
    n_iconv++;
    return (iconv_t)-1; /* NOLINT */
}

/* ---- archives made by the library itself ---- */

struct file {
    const char *name;
    struct span data;
    const char *link; /* symbolic */
};

struct made {
    struct archive *a;
    struct buf out;
    size_t used;
};

static void
must(struct archive *a, int r)
{
    if (r != ARCHIVE_OK)
        fail_msg("%s", archive_error_string(a));
}

static void
put_file(struct archive *a, const struct file *f)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, f->name);
    archive_entry_set_filetype(e, f->link != NULL ? AE_IFLNK : AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_mtime(e, 1000000000, 0);
    archive_entry_set_size(e, (la_int64_t)f->data.n);
    if (f->link != NULL)
        archive_entry_set_symlink(e, f->link);
    must(a, archive_write_header(a, e));
    if (f->data.n > 0)
        assert_int_equal(archive_write_data(a, f->data.p, f->data.n),
                         f->data.n);
    archive_entry_free(e);
}

struct kind {
    const char *why;
    int (*format)(struct archive *a);
    int (*filter)(struct archive *a);
    const char *options;
    const char *name; /* of the file */
    const char *type;
    const char *stream; /* first member of a stream, or NULL */
};

static struct buf
make(const struct kind *k, const struct file *f, size_t n)
{
    struct archive *a = archive_write_new();
    struct buf out;
    size_t used = 0;

    buf_init(&out, OUT_MAX);
    assert_true(buf_grow(&out, OUT_MAX));
    must(a, k->format(a));
    if (k->filter != NULL)
        must(a, k->filter(a));
    if (k->options != NULL)
        must(a, archive_write_set_options(a, k->options));
    must(a, archive_write_open_memory(a, out.p, out.cap, &used));
    for (size_t i = 0; i < n; i++)
        put_file(a, &f[i]);
    must(a, archive_write_close(a));
    (void)archive_write_free(a);
    out.n = used;
    return out;
}

static const struct kind kinds[] = {
    {"tar",         archive_write_set_format_ustar,     NULL,                              NULL,                  "x.tar",      "tar",      NULL   },
    {"pax",         archive_write_set_format_pax,       NULL,                              NULL,                  "x.tar",      "tar",      NULL   },
    {"GNU tar",     archive_write_set_format_gnutar,    NULL,                              NULL,                  "x.tar",      "tar",
     NULL                                                                                                                                          },
    {"cpio, odc",   archive_write_set_format_cpio,      NULL,                              NULL,                  "x.cpio",     "cpio",
     NULL                                                                                                                                          },
    {"cpio, newc",  archive_write_set_format_cpio_newc, NULL,                              NULL,                  "x.cpio",
     "cpio",                                                                                                                                NULL   },
    {"ar",          archive_write_set_format_ar_svr4,   NULL,                              NULL,                  "x.a",        "ar",       NULL   },
    {"7z, LZMA",    archive_write_set_format_7zip,      NULL,                              "compression=lzma1",
     "x.7z",                                                                                                                    "7z",       NULL   },
    {"7z, stored",  archive_write_set_format_7zip,      NULL,                              "compression=store",
     "x.7z",                                                                                                                    "7z",       NULL   },
    {"7z, DEFLATE", archive_write_set_format_7zip,      NULL,                              "compression=deflate",
     "x.7z",                                                                                                                    "7z",       NULL   },
    {"7z, bzip2",   archive_write_set_format_7zip,      NULL,                              "compression=bzip2",
     "x.7z",                                                                                                                    "7z",       NULL   },
    {"7z, PPMd",    archive_write_set_format_7zip,      NULL,                              "compression=ppmd",
     "x.7z",                                                                                                                    "7z",       NULL   },
    {"ISO 9660",    archive_write_set_format_iso9660,   NULL,                              NULL,                  "x.iso",
     "iso9660",                                                                                                                             NULL   },
    {"tar.gz",      archive_write_set_format_ustar,     archive_write_add_filter_gzip,
     NULL,                                                                                                        "x.tar.gz",   "gzip",     "x.tar"},
    {"tgz",         archive_write_set_format_ustar,     archive_write_add_filter_gzip,     NULL,
     "x.tgz",                                                                                                                   "gzip",     "x.tar"},
    {"tar.bz2",     archive_write_set_format_ustar,     archive_write_add_filter_bzip2,
     NULL,                                                                                                        "x.tar.bz2",  "bzip2",    "x.tar"},
    {"tar.xz",      archive_write_set_format_ustar,     archive_write_add_filter_xz,
     NULL,                                                                                                        "x.tar.xz",   "xz",       "x.tar"},
    {"tar.lzma",    archive_write_set_format_ustar,     archive_write_add_filter_lzma,
     NULL,                                                                                                        "x.tar.lzma", "lzma",     "x.tar"},
    {"tar.lz",      archive_write_set_format_ustar,     archive_write_add_filter_lzip,
     NULL,                                                                                                        "x.tar.lz",   "lzip",     "x.tar"},
    {"tar.zst",     archive_write_set_format_ustar,     archive_write_add_filter_zstd,
     NULL,                                                                                                        "x.tar.zst",  "zstd",     "x.tar"},
    {"tar.Z",       archive_write_set_format_ustar,     archive_write_add_filter_compress,
     NULL,                                                                                                        "x.tar.Z",    "compress", "x.tar"},
};

/* In each: a text and a program, their hashes and names. */
static void
test_kinds(void **state)
{
    static const uint8_t text_sum[4] = {0xb4, 0x7c, 0xc0, 0xf1};
    const struct file files[] = {
        {"a.txt",   TEXT,            NULL},
        {"run.exe", SPAN_LIT("run"), NULL}
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct buf in = make(&kinds[k], files, ARRAY_LEN(files));
        struct content_member m = {0};

        run(&t, buf_view(&in), kinds[k].name);
        assert_string_equal(filetype_name(t.r.type), kinds[k].type);
        assert_true(inspected_member(&t, "a.txt", &m));
        assert_true(m.has_sha256 && !m.truncated && m.size == TEXT.n);
        assert_memory_equal(m.sha256, text_sum, 4);
        assert_true(inspected_names(&t, FIND_FORBIDDEN_MEMBER, "run.exe"));
        assert_false(inspected_has(&t, FIND_MALFORMED));
        assert_false(inspected_has(&t, FIND_ARCHIVE_NESTED));
        if (kinds[k].stream != NULL)
            assert_true(inspected_member(&t, kinds[k].stream, &m));
        assert_int_equal(t.r.n_members, kinds[k].stream != NULL ? 3 : 2);
        buf_free(&in);
    }
    inspected_end(&t);
}

/* Big, little repeated: code widths grow, tables fill, blocks follow blocks. */
static void
test_big(void **state)
{
    enum { N = 3000000 };
    struct inspected t;
    uint8_t *p = malloc(N);
    uint64_t x = 1;
    struct file f = {
        "big.bin", {p, N},
         NULL
    };
    uint8_t sum[32] = {0};

    (void)state;
    assert_non_null(p);
    for (size_t k = 0; k < N; k++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
        p[k] = (uint8_t)(x >> (k / 500000 % 2 == 0 ? 60 : 33));
    }
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct buf in = make(&kinds[k], &f, 1);
        struct content_member m = {0};

        run(&t, buf_view(&in), kinds[k].name);
        if (!inspected_member(&t, "big.bin", &m) || m.truncated ||
            m.size != N || (k > 0 && memcmp(sum, m.sha256, 32) != 0))
            fail_msg("%s", kinds[k].why);
        memcpy(sum, m.sha256, 32);
        buf_free(&in);
    }
    free(p);
    inspected_end(&t);
}

/* Its end says what it is, however long it is. */
static void
test_long_gzip_name(void **state)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3};
    static const uint8_t text[] = {1,    1,    0,    0xfe, 0xff, 'x', 0x83,
                                   0x16, 0xdc, 0x8c, 1,    0,    0,   0};
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1U << 16);
    for (size_t n = CONTENT_NAME_MAX - 5; n <= 9000; n += n < 1100 ? 1 : 1000) {
        buf_reset(&in);
        buf_put(&in, head, sizeof(head));
        for (size_t k = 0; k < n; k++)
            buf_putc(&in, 'a');
        buf_put(&in, ".exe", sizeof(".exe"));
        buf_put(&in, text, sizeof(text));
        run(&t, buf_view(&in), "x.gz");
        if (t.r.n_members != 1 ||
            !findings_has(&t.r.findings, FIND_FORBIDDEN_MEMBER))
            fail_msg("%zu bytes", n);
    }
    buf_free(&in);
    inspected_end(&t);
}

/* The name in the gzip header counts more than that of the file. */
static void
test_gzip_name(void **state)
{
    static const uint8_t gz[] = {0x1f, 0x8b, 8,   8,   0,   0,   0, 0, 0,
                                 3,    'r',  '.', 'e', 'x', 'e', 0, 3, 0,
                                 0,    0,    0,   0,   0,   0,   0, 0};
    static const struct {
        const char *file;
        const char *want;
    } rows[] = {
        {"doc.tgz",      "doc.tar"},
        {"DOC.TAR.GZ",   "DOC.TAR"},
        {"a/b/c.txt.gz", "c.txt"  },
        {"noext",        "noext"  },
        {"pic.svgz",     "pic.svg"},
        {".gz",          ""       },
    };
    struct inspected t;
    struct content_member m;

    (void)state;
    inspected_begin(&t);
    run(&t, span_of(gz, sizeof(gz)), "x.gz");
    assert_int_equal(inspected_member(&t, "r.exe", &m), t.r.n_members > 0);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct buf out;

        buf_init(&out, 100);
        archive_stream_name(span_str(rows[k].file), &out);
        assert_true(span_eq(buf_view(&out), span_str(rows[k].want)));
        buf_free(&out);
    }
    inspected_end(&t);
}

static void
test_links(void **state)
{
    static const struct {
        const char *name;
        const char *link;
        bool escapes;
    } rows[] = {
        {"a",            "b",                false},
        {"a",            "../../etc/passwd", true },
        {"x/a",          "../b",             false},
        {"x/a",          "../../b",          true },
        {"a",            "/etc/passwd",      true },
        {"../a",         NULL,               true },
        {"x/../a",       NULL,               false},
        {"C:/a",         NULL,               true },
        {"x/../../a",    NULL,               true },
        {"x\\..\\..\\a", NULL,               true },
        {"a..b",         NULL,               false},
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct file f = {
            rows[k].name, {NULL, 0},
             rows[k].link
        };
        struct buf in = make(&kinds[0], &f, 1);

        run(&t, buf_view(&in), "x.tar");
        if (inspected_has(&t, FIND_MEMBER_PATH) != rows[k].escapes)
            fail_msg("%s %s", rows[k].name, rows[k].link);
        buf_free(&in);
    }
    inspected_end(&t);
}

/* A name that is no UTF-8 is kept as it is. */
static void
test_odd_name(void **state)
{
    static const size_t raw[] = {0, 5}; /* ustar, ar: bytes as they are */
    struct file f = {"caf\xe9.exe", TEXT, NULL};
    struct content_member m = {0};
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        const struct kind *k = &kinds[raw[i]];
        struct buf in = make(k, &f, 1);

        run(&t, buf_view(&in), k->name);
        assert_int_equal(t.r.n_members, 1);
        assert_true(inspected_has(&t, FIND_FORBIDDEN_MEMBER));
        assert_true(inspected_member(&t, f.name, &m));
        buf_free(&in);
    }
    inspected_end(&t);
}

/* ---- bombs ---- */

static void
test_bombs(void **state)
{
    enum { N = CONTENT_MAX_member + 1000 };
    static const size_t streams[] = {12, 14, 15, 18, 19};
    uint8_t *zeros = calloc(1, N);
    const struct file f[] = {
        {"big",  {zeros, N}, NULL},
        {"next", TEXT,       NULL}
    };
    struct inspected t;

    (void)state;
    assert_non_null(zeros);
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(streams); k++) {
        struct buf in = make(&kinds[streams[k]], f, 2);
        struct content_member m = {0};

        /* the tar is within the budget and whole; its member is a piece */
        run(&t, buf_view(&in), kinds[streams[k]].name);
        assert_true(inspected_has(&t, FIND_PADDED_MEMBER) ||
                    inspected_has(&t, FIND_BOMB_RATIO));
        assert_true(inspected_member(&t, "next", &m));
        assert_true(t.r.bytes_unpacked < 2 * (uint64_t)N);
        buf_free(&in);
    }
    free(zeros);
    inspected_end(&t);
}

/* A gzip in a gzip in a gzip: each layer pays for itself. */
static void
test_nested_streams(void **state)
{
    const struct kind gz = {"gz",
                            archive_write_set_format_raw,
                            archive_write_add_filter_gzip,
                            NULL,
                            "x.gz",
                            "gzip",
                            NULL};
    const struct file f = {"x", TEXT, NULL};
    struct inspected t;
    struct buf in = make(&gz, &f, 1);

    (void)state;
    inspected_begin(&t);
    for (unsigned level = 1; level <= 8; level++) {
        const struct file g = {"x", buf_view(&in), NULL};
        struct buf out;

        run(&t, buf_view(&in), "x.gz");
        assert_int_equal(inspected_has(&t, FIND_BOMB_DEPTH),
                         level > CONTENT_MAX_depth + 1);
        out = make(&gz, &g, 1);
        buf_free(&in);
        in = out;
    }
    buf_free(&in);
    inspected_end(&t);
}

/* ---- encryption, by hand ---- */

static void
le(struct buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++)
        buf_putc(b, (uint8_t)(v >> (8 * k)));
}

static uint32_t
crc_of(struct span s)
{
    return (uint32_t)crc32_z(0, s.p, s.n);
}

/* 7z: the header that names the members is itself packed with AES. */
static struct buf
make_locked_7z(void)
{
    static const uint8_t header[] = {
        0x17, 0x06, 0x00, 0x01, 0x09, 0x10, 0x00, 0x07, 0x0b, 0x01, 0x00,
        0x01, 0x24, 0x06, 0xf1, 0x07, 0x01, 0x0a, 0x53, 0x07, 1,    2,
        3,    4,    5,    6,    7,    8,    0x0c, 0x10, 0x00, 0x00};
    struct buf b;
    struct buf start;

    buf_init(&b, 4096);
    buf_init(&start, 64);
    le(&start, 16, 8);
    le(&start, sizeof(header), 8);
    le(&start, crc_of(span_of(header, sizeof(header))), 4);
    buf_put(&b, "7z\xbc\xaf\x27\x1c\0\4", 8);
    le(&b, crc_of(buf_view(&start)), 4);
    buf_span(&b, buf_view(&start));
    buf_put(&b, "0123456789abcdef", 16);
    buf_put(&b, header, sizeof(header));
    buf_free(&start);
    return b;
}

/* RAR 5: the encryption header comes first. */
static struct buf
make_locked_rar5(void)
{
    struct buf b;
    struct buf head;

    buf_init(&b, 4096);
    buf_init(&head, 64);
    buf_put(&head,
            "\x15\4\0\0\0\x0f"
            "0123456789abcdef",
            22);
    buf_put(&b, "Rar!\x1a\7\1\0", 8);
    le(&b, crc_of(buf_view(&head)), 4);
    buf_span(&b, buf_view(&head));
    for (unsigned k = 0; k < 100; k++)
        buf_putc(&b, (uint8_t)(k * 7));
    buf_free(&head);
    return b;
}

static void
test_encrypted(void **state)
{
    static const struct {
        const char *name;
        struct buf (*make)(void);
    } rows[] = {
        {"x.7z",  make_locked_7z  },
        {"x.rar", make_locked_rar5},
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct buf in = rows[k].make();

        run(&t, buf_view(&in), rows[k].name);
        if (!inspected_has(&t, FIND_ENCRYPTED_ARCHIVE) ||
            !inspected_has(&t, FIND_ENCRYPTED_NAMES))
            fail_msg("%s", rows[k].name);
        buf_free(&in);
    }
    inspected_end(&t);
}

/* ---- names in other code pages ---- */

static uint16_t
crc16(struct span s)
{
    uint16_t c = 0;

    for (size_t k = 0; k < s.n; k++) {
        c ^= s.p[k];
        for (unsigned bit = 0; bit < 8; bit++)
            c = (uint16_t)((c & 1) != 0 ? c >> 1 ^ 0xa001 : c >> 1);
    }
    return c;
}

/* LHA, level 2, stored, with a code page in its extra header. */
static struct buf
make_lha(unsigned code_page)
{
    static const char name[] = "run.exe";
    struct buf b;
    uint16_t sum;
    const size_t n = 26 + 3 + (sizeof(name) - 1) + 7 + 5;

    buf_init(&b, 4096);
    le(&b, n, 2);
    buf_str(&b, "-lh0-");
    le(&b, TEXT.n, 4);
    le(&b, TEXT.n, 4);
    le(&b, 1000000000, 4);
    le(&b, 0x0220, 2);
    le(&b, crc16(TEXT), 2);
    buf_putc(&b, 'U');
    le(&b, 3 + sizeof(name) - 1, 2);
    buf_putc(&b, 1);
    buf_str(&b, name);
    le(&b, 7, 2);
    buf_putc(&b, 0x46);
    le(&b, code_page, 4);
    le(&b, 5, 2);
    le(&b, 0, 3);
    le(&b, 0, 2);
    sum = crc16(buf_view(&b));
    b.p[b.n - 4] = (uint8_t)sum;
    b.p[b.n - 3] = (uint8_t)(sum >> 8);
    buf_span(&b, TEXT);
    buf_putc(&b, 0);
    return b;
}

static void
test_lha(void **state)
{
    static const unsigned pages[] = {65001, 932, 437, 0xffffffff};
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(pages); k++) {
        struct buf in = make_lha(pages[k]);
        struct content_member m = {0};

        /* iconv, asked, has refused: the name stays as it is */
        inspected_run(&t, buf_view(&in), "x.lzh");
        if (!inspected_member(&t, "run.exe", &m))
            fail_msg("%u", pages[k]);
        assert_int_equal(m.size, TEXT.n);
        assert_true(inspected_has(&t, FIND_FORBIDDEN_MEMBER));
        buf_free(&in);
    }
    inspected_end(&t);
}

/* ---- damage ---- */

/* Every cut, and every byte changed, of a small archive of each kind. */
static void
test_damage(void **state)
{
    const struct file files[] = {
        {"a.txt",   TEXT,            NULL},
        {"run.exe", SPAN_LIT("run"), NULL}
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct buf in = make(&kinds[k], files, ARRAY_LEN(files));
        const size_t step = in.n > 20000 ? 997 : 1 + in.n / 2000;

        for (size_t at = 0; at < in.n; at += step) {
            run(&t, span_head(buf_view(&in), at), kinds[k].name);
            in.p[at] ^= 0x55;
            run(&t, buf_view(&in), kinds[k].name);
            in.p[at] ^= 0x55;
            assert_true(t.r.bytes_unpacked <= CONTENT_MAX_unpacked);
        }
        buf_free(&in);
    }
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),     cmocka_unit_test(test_big),
        cmocka_unit_test(test_gzip_name), cmocka_unit_test(test_long_gzip_name),
        cmocka_unit_test(test_links),     cmocka_unit_test(test_odd_name),
        cmocka_unit_test(test_bombs),     cmocka_unit_test(test_nested_streams),
        cmocka_unit_test(test_encrypted), cmocka_unit_test(test_lha),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

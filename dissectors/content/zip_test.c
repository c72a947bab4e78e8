#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "dissectors/content/inspect_test.h"
#include "dissectors/content/zip_make.h"

#define TEXT SPAN_LIT("The quick brown fox jumps over the lazy dog.\n")

static void
one(struct zip_make *z, struct zip_make_member m)
{
    if (m.data.p == NULL)
        m.data = TEXT;
    zip_make_member(z, &m);
}

#define ONE(z, ...) one(z, (struct zip_make_member){__VA_ARGS__})

static void
end(struct zip_make *z)
{
    zip_make_end(z, SPAN_NONE);
}

/* ---- the zips ---- */

static void
make_plain(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    ONE(z, .name = "b.txt", .deflate = true);
    ONE(z, .name = "folder/", .data = span_of("", 0));
    end(z);
}

static void
make_empty(struct zip_make *z)
{
    end(z);
}

static void
make_descriptor(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .deflate = true, .descriptor = true);
    ONE(z, .name = "b.txt", .descriptor = true);
    end(z);
}

static void
make_zip64(struct zip_make *z)
{
    z->end64 = true;
    ONE(z, .name = "a.txt", .deflate = true);
    end(z);
}

static void
make_zip64_member(struct zip_make *z)
{
    /* the directory says all in the extra field */
    ONE(z, .name = "a.txt", .deflate = true, .zip64 = true);
    end(z);
}

static void
make_exe(struct zip_make *z)
{
    ONE(z, .name = "x/run.exe");
    end(z);
}

static void
make_encrypted(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .flags = 1);
    end(z);
}

static void
make_aes(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .method = 99, .flags = 1);
    end(z);
}

static void
make_strong(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .flags = 0x41);
    end(z);
}

static void
make_encrypted_zip(struct zip_make *z)
{
    ONE(z, .name = "inner.zip", .flags = 1);
    end(z);
}

static void
make_lied_encryption(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .local_flags = 1);
    end(z);
}

static void
make_names(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .local_name = "b.txt");
    end(z);
}

static void
make_slashes(struct zip_make *z)
{
    ONE(z, .name = "a/b.txt", .local_name = "a\\b.txt");
    end(z);
}

static void
make_hidden(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    ONE(z, .name = "h.exe", .deflate = true, .only_local = true);
    ONE(z, .name = "i.txt", .deflate = true, .descriptor = true,
        .only_local = true);
    ONE(z, .name = "j.txt", .descriptor = true, .only_local = true);
    ONE(z, .name = "b.txt");
    end(z);
}

static void
make_ghost(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    ONE(z, .name = "ghost.txt", .only_central = true);
    end(z);
}

static void
make_overlap(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    ONE(z, .name = "b.txt", .same_place = true, .local_name = "a.txt");
    end(z);
}

static void
make_ratio(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .deflate = true, .size = 0x7fffffff);
    end(z);
}

static void
make_method(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .method = 14);
    end(z);
}

static void
make_zombie(struct zip_make *z)
{
    struct buf packed;

    /* called stored; the sum is that of what comes out */
    buf_init(&packed, 4096);
    zip_make_deflate(TEXT, &packed);
    ONE(z, .name = "a.txt", .data = TEXT, .deflate = true, .local_method = 1);
    z->dir.p[10] = 0; /* the method in the directory */
    z->dir.p[24] = (uint8_t)packed.n;
    z->out.p[22] = (uint8_t)packed.n;
    end(z);
    buf_free(&packed);
}

static void
make_methods_differ(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .deflate = true, .local_method = 1);
    end(z);
}

static void
make_two_directories(struct zip_make *z)
{
    struct zip_make inner;

    zip_make_begin(&inner);
    inner.base = 0;
    ONE(z, .name = "a.txt");
    end(z);
    ONE(z, .name = "b.txt");
    end(z);
    zip_make_free(&inner);
}

static void
make_comment_trick(struct zip_make *z)
{
    struct zip_make fake;

    /* the comment of the first is a whole zip */
    zip_make_begin(&fake);
    ONE(&fake, .name = "fake.txt");
    end(&fake);
    ONE(z, .name = "real.txt");
    zip_make_end(z, buf_view(&fake.out));
    zip_make_free(&fake);
}

static void
make_inner(struct zip_make *z)
{
    struct zip_make inner;

    zip_make_begin(&inner);
    ONE(&inner, .name = "deep.txt");
    end(&inner);
    ONE(z, .name = "inner.zip", .data = buf_view(&inner.out));
    end(z);
    zip_make_free(&inner);
}

static void
make_prefix(struct zip_make *z)
{
    for (unsigned k = 0; k < 200; k++)
        buf_str(&z->out, "prefix ");
    ONE(z, .name = "a.txt");
    end(z);
}

static void
make_extra(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    for (unsigned k = 0; k < 20; k++)
        buf_str(&z->out, "nobody's ");
    ONE(z, .name = "b.txt");
    end(z);
}

static void
make_spanned(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .disk = 1, .only_central = true);
    ONE(z, .name = "b.txt");
    end(z);
}

static void
make_wrong_sum(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .crc = 1);
    ONE(z, .name = "b.txt", .deflate = true, .crc = 1);
    end(z);
}

static void
make_paths(struct zip_make *z)
{
    ONE(z, .name = "../../up.txt");
    end(z);
}

static void
make_link(struct zip_make *z)
{
    ONE(z, .name = "link", .data = SPAN_LIT("../../../etc"), .is_link = true);
    ONE(z, .name = "fine", .data = SPAN_LIT("a.txt"), .is_link = true);
    end(z);
}

static void
make_duplicate(struct zip_make *z)
{
    ONE(z, .name = "a.txt");
    ONE(z, .name = "a.txt", .data = SPAN_LIT("another"));
    end(z);
}

static void
make_unicode(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .extra = SPAN_LIT("\x75\x70\x0a\0\1\0\0\0\0a.exe"));
    end(z);
}

static void
make_headless(struct zip_make *z)
{
    ONE(z, .name = "a.txt", .deflate = true, .descriptor = true);
    ONE(z, .name = "b.txt");
}

static void
make_eicar(struct zip_make *z)
{
    ONE(z, .name = "e.txt", .deflate = true,
        .data = SPAN_LIT("X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
                         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"));
    end(z);
}

static const struct {
    const char *why;
    void (*make)(struct zip_make *z);
    const char *findings;
    const char *text; /* a member that has TEXT */
    uint32_t n_members;
} rows[] = {
    {"a plain zip has no finding",                 make_plain,           "",                        "b.txt",        2},
    {"an empty zip is fine",                       make_empty,           "",                        NULL,           0},
    {"descriptors are ordinary",                   make_descriptor,      "",                        "a.txt",        2},
    {"zip64 end records",                          make_zip64,           "",                        "a.txt",        1},
    {"zip64 sizes in the directory",               make_zip64_member,    "",                        "a.txt",        1},
    {"a program by its name",                      make_exe,             "forbidden_member",        "x/run.exe",    1},
    {"an encrypted member is named",               make_encrypted,       "encrypted_archive",       NULL,
     1                                                                                                               },
    {"AES",                                        make_aes,             "encrypted_archive",       NULL,           1},
    {"strong encryption",                          make_strong,          "encrypted_archive",       NULL,           1},
    {"an archive behind a password",               make_encrypted_zip,
     "encrypted_archive encrypted_archive_with_archive",                                            NULL,           1},
    {"only one header says encrypted: it is read", make_lied_encryption,
     "encrypted_archive archive_fields_differ",                                                     NULL,           2},
    {"both names are told",                        make_names,           "archive_names_differ",    "a.txt",        2},
    {"a backslash is a slash",                     make_slashes,         "",                        "a/b.txt",      1},
    {"members that no directory knows",            make_hidden,
     "forbidden_member archive_hidden_member",                                                      "h.exe",        5},
    {"a member that has no header",                make_ghost,           "archive_hidden_member",
     "a.txt",                                                                                                       2},
    {"two members of the same bytes",              make_overlap,
     "archive_names_differ bomb_overlap",                                                           "a.txt",        3},
    {"more than DEFLATE can give",                 make_ratio,
     "archive_fields_differ bomb_ratio",                                                            "a.txt",        1},
    {"a method that is not unpacked",              make_method,          "unsupported_method",      NULL,
     1                                                                                                               },
    {"stored, they say, and it is DEFLATE",        make_zombie,
     "archive_fields_differ",                                                                       "a.txt",        1},
    {"headers name two methods",                   make_methods_differ,  "archive_fields_differ",
     "a.txt",                                                                                                       2},
    {"two directories, one after the other",       make_two_directories,
     "archive_two_directories",                                                                     "b.txt",        2},
    {"a zip in the comment",                       make_comment_trick,   "archive_two_directories",
     "real.txt",                                                                                                    2},
    {"a stored zip is not a second directory",     make_inner,           "archive_nested",
     "deep.txt",                                                                                                    2},
    {"bytes before the first member",              make_prefix,          "",                        "a.txt",        1},
    {"bytes between members",                      make_extra,           "archive_extra_data",      "b.txt",        2},
    {"one volume of several",                      make_spanned,         "archive_spanned",         "b.txt",        2},
    {"wrong checksums: looked at all the same",    make_wrong_sum,       "malformed",
     "b.txt",                                                                                                       2},
    {"a path that climbs out",                     make_paths,           "member_path",             "../../up.txt", 1},
    {"a link that points out",                     make_link,            "member_path",             NULL,           2},
    {"the same name twice",                        make_duplicate,       "archive_duplicate",       NULL,           2},
    {"another extension in the extra field",       make_unicode,
     "forbidden_member archive_names_differ",                                                       "a.txt",        2},
    {"no directory at all",                        make_headless,        "malformed",               "b.txt",        2},
    {"EICAR inside",                               make_eicar,           "eicar",                   NULL,           1},
};

static bool
has_words(struct span list, const char *want)
{
    struct buf sorted;
    bool same;

    /* want is in the order of finding.def, as list is, but for convenience of
     * the tables any order will do */
    buf_init(&sorted, 4096);
    for (unsigned f = 0; f < FINDING_COUNT; f++) {
        struct cursor c = cur_open(span_str(want));

        while (cur_left(&c) > 0) {
            struct span rest = span_tail(c.in, c.at);
            struct span word = span_head(rest, span_find(rest, ' '));

            if (span_eq(word, span_str(finding_name((enum finding)f)))) {
                if (sorted.n > 0)
                    buf_putc(&sorted, ' ');
                buf_span(&sorted, word);
            }
            cur_skip(&c, word.n < rest.n ? word.n + 1 : word.n);
        }
    }
    same = span_eq(list, buf_view(&sorted));
    buf_free(&sorted);
    return same;
}

static void
test_rows(void **state)
{
    struct inspected t;
    unsigned bad = 0;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct zip_make z;
        struct content_member m = {0};
        struct buf list;

        buf_init(&list, 4096);
        zip_make_begin(&z);
        rows[k].make(&z);
        inspected_run(&t, buf_view(&z.out), "x.zip");
        inspected_list(&t, &list);
        buf_putc(&list, 0);
        if (!has_words(span_head(buf_view(&list), list.n - 1),
                       rows[k].findings))
            bad++, print_error("%s: %s\n", rows[k].why, (const char *)list.p);
        if (t.r.n_members != rows[k].n_members)
            bad++, print_error("%s: %u members\n", rows[k].why, t.r.n_members);
        if (rows[k].text != NULL &&
            (!inspected_member(&t, rows[k].text, &m) || !m.has_sha256 ||
             m.truncated || m.size != TEXT.n))
            bad++, print_error("%s: no %s\n", rows[k].why, rows[k].text);
        buf_free(&list);
        zip_make_free(&z);
    }
    inspected_end(&t);
    assert_int_equal(bad, 0);
}

/* The directory tells what the head does not. */
static void
test_refined(void **state)
{
    static const struct {
        const char *name;
        enum filetype want;
    } types[] = {
        {"a.txt",                  FILETYPE_ZIP  },
        {"[Content_Types].xml",    FILETYPE_OOXML},
        {"META-INF/container.xml", FILETYPE_EPUB },
        {"META-INF/manifest.xml",  FILETYPE_ODF  },
        {"AndroidManifest.xml",    FILETYPE_APK  },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(types); k++) {
        struct content_member m = {0};
        struct zip_make inner;
        struct zip_make z;

        zip_make_begin(&inner);
        for (int c = 'a'; c < 'z'; c++)
            ONE(&inner, .name = (char[]){(char)c, 0});
        ONE(&inner, .name = types[k].name);
        end(&inner);
        zip_make_begin(&z);
        ONE(&z, .name = "inner", .data = buf_view(&inner.out));
        end(&z);
        inspected_run(&t, buf_view(&inner.out), "x");
        assert_int_equal(t.r.type, types[k].want);
        inspected_run(&t, buf_view(&z.out), "x.zip");
        assert_int_equal(t.r.type, FILETYPE_ZIP);
        assert_true(inspected_member(&t, "inner", &m));
        assert_int_equal(m.type, types[k].want);
        zip_make_free(&inner);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* ---- bombs ---- */

/* Many directory entries over one kernel: each member's data begins in the
 * header of the next (D. Fifield, A better zip bomb, 2019). Here all share one
 * kernel by lying in it. */
static void
make_fifield(struct zip_make *z, unsigned members)
{
    struct buf zeros;
    uint8_t *p = calloc(1, 8U << 20);

    assert_non_null(p);
    buf_init(&zeros, 16U << 20);
    buf_put(&zeros, p, 8U << 20);
    for (unsigned k = 0; k < members; k++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%u", k);
        zip_make_member(z, &(struct zip_make_member){.name = name,
                                                     .data = buf_view(&zeros),
                                                     .deflate = true,
                                                     .same_place = k > 0});
    }
    end(z);
    free(p);
    buf_free(&zeros);
}

static void
test_overlap_bomb(void **state)
{
    struct inspected t;
    struct zip_make z;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    make_fifield(&z, 200);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    assert_true(inspected_has(&t, FIND_BOMB_OVERLAP));
    assert_true(inspected_has(&t, FIND_BOMB_RATIO));
    assert_int_equal(t.r.bytes_unpacked, 8U << 20); /* the first of them */
    zip_make_free(&z);
    inspected_end(&t);
}

/* 10 zips in each of 10 levels: only the depth and the budget are walked. */
static void
test_nested_bomb(void **state)
{
    struct inspected t;
    struct zip_make in;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&in);
    ONE(&in, .name = "core.txt");
    end(&in);
    for (unsigned level = 0; level < 10; level++) {
        struct zip_make out;

        zip_make_begin(&out);
        for (int c = '0'; c < '4'; c++) {
            char name[] = {(char)c, '.', 'z', 'i', 'p', 0};

            ONE(&out, .name = name, .data = buf_view(&in.out), .deflate = true);
        }
        end(&out);
        zip_make_free(&in);
        in = out;
    }
    inspected_run(&t, buf_view(&in.out), "x.zip");
    assert_true(inspected_has(&t, FIND_BOMB_COUNT) ||
                inspected_has(&t, FIND_BOMB_DEPTH));
    assert_true(t.r.bytes_unpacked <= CONTENT_MAX_unpacked);
    zip_make_free(&in);
    inspected_end(&t);
}

/* A chain, one zip in each: at the last level that is opened, and past it. */
static void
test_depth(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (unsigned levels = CONTENT_MAX_depth - 1;
         levels <= CONTENT_MAX_depth + 2; levels++) {
        struct zip_make in;
        struct content_member m = {0};
        bool reached = levels <= CONTENT_MAX_depth;

        zip_make_begin(&in);
        ONE(&in, .name = "core.txt");
        end(&in);
        for (unsigned k = 0; k < levels; k++) {
            struct zip_make out;

            zip_make_begin(&out);
            ONE(&out, .name = "in.zip", .data = buf_view(&in.out));
            end(&out);
            zip_make_free(&in);
            in = out;
        }
        inspected_run(&t, buf_view(&in.out), "x.zip");
        assert_int_equal(inspected_has(&t, FIND_BOMB_DEPTH), !reached);
        assert_int_equal(inspected_member(&t, "core.txt", &m), reached);
        zip_make_free(&in);
    }
    inspected_end(&t);
}

static void
make_many(struct zip_make *z, unsigned members)
{
    for (unsigned k = 0; k < members; k++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%u.txt", k);
        ONE(z, .name = name, .data = SPAN_LIT("x"));
    }
    end(z);
}

static void
test_many_members(void **state)
{
    static const struct {
        unsigned members;
        uint32_t counted;
        bool bomb;
    } wants[] = {
        {CONTENT_MAX_members - 1, CONTENT_MAX_members - 1, false},
        {CONTENT_MAX_members,     CONTENT_MAX_members,     false},
        {CONTENT_MAX_members + 1, CONTENT_MAX_members + 1, true },
        {CONTENT_MAX_objects + 1, CONTENT_MAX_objects,     true },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(wants); k++) {
        struct zip_make z;

        zip_make_begin(&z);
        make_many(&z, wants[k].members);
        inspected_run(&t, buf_view(&z.out), "x.zip");
        assert_int_equal(t.r.n_members, wants[k].counted);
        assert_int_equal(inspected_has(&t, FIND_BOMB_COUNT), wants[k].bomb);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* A name behind all that is unpacked is still judged. */
static void
test_name_behind_many(void **state)
{
    struct inspected t;
    struct zip_make z;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    for (unsigned k = 0; k < CONTENT_MAX_members; k++)
        ONE(&z, .name = "a", .data = SPAN_LIT("x"));
    ONE(&z, .name = "last.exe");
    end(&z);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    assert_true(inspected_names(&t, FIND_FORBIDDEN_MEMBER, "last.exe"));
    zip_make_free(&z);
    inspected_end(&t);
}

static void
test_member_limit(void **state)
{
    static const uint64_t sizes[] = {CONTENT_MAX_member - 1, CONTENT_MAX_member,
                                     CONTENT_MAX_member + 1};
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        bool over = sizes[k] > CONTENT_MAX_member;
        struct zip_make z;
        struct content_member m = {0};
        uint8_t *p = calloc(1, sizes[k]);

        assert_non_null(p);
        zip_make_begin(&z);
        ONE(&z, .name = "a.bin", .data = span_of(p, sizes[k]), .deflate = true);
        end(&z);
        inspected_run(&t, buf_view(&z.out), "x.zip");
        assert_int_equal(inspected_has(&t, FIND_INSPECTION_LIMIT), over);
        assert_true(inspected_has(&t, FIND_PADDED_MEMBER));
        assert_true(inspected_member(&t, "a.bin", &m));
        assert_int_equal(m.truncated, over);
        assert_int_equal(m.size, sizes[k]);
        free(p);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* ---- damage ---- */

/* Every cut of every zip: no fault, and nothing more than the budget. */
static void
test_cuts(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct zip_make z;

        zip_make_begin(&z);
        rows[k].make(&z);
        for (size_t cut = 0; cut < z.out.n; cut++) {
            inspected_run(&t, span_head(buf_view(&z.out), cut), "x.zip");
            assert_true(t.r.bytes_unpacked <= 1000);
            assert_true(t.r.n_members <= 20);
        }
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* Every byte set to each of a few values. */
static void
test_flips(void **state)
{
    static const uint8_t values[] = {0, 1, 8, 0x7f, 0xff};
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct zip_make z;

        zip_make_begin(&z);
        rows[k].make(&z);
        for (size_t at = 0; at < z.out.n; at++) {
            const uint8_t before = z.out.p[at];

            for (size_t v = 0; v < ARRAY_LEN(values); v++) {
                z.out.p[at] = values[v];
                inspected_run(&t, buf_view(&z.out), "x.zip");
                assert_true(t.r.n_members <= 20);
            }
            z.out.p[at] = before;
        }
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* Each field that both headers have, another in the local one alone. */
static void
test_each_field_differs(void **state)
{
    static const struct {
        const char *why;
        size_t at; /* in the local header */
        bool differs;
    } local[] = {
        {"time",     10, false},
        {"checksum", 14, true },
        {"packed",   18, true },
        {"size",     22, true },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(local); k++) {
        struct zip_make z;

        zip_make_begin(&z);
        ONE(&z, .name = "a.txt");
        end(&z);
        z.out.p[local[k].at] ^= 1;
        inspected_run(&t, buf_view(&z.out), "x.zip");
        if (findings_has(&t.r.findings, FIND_ARCHIVE_FIELDS_DIFFER) !=
            local[k].differs)
            fail_msg("%s", local[k].why);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refined),
        cmocka_unit_test(test_overlap_bomb),
        cmocka_unit_test(test_nested_bomb),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_name_behind_many),
        cmocka_unit_test(test_member_limit),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_each_field_differs),
        cmocka_unit_test(test_flips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* part_test - parts of messages: digests, limits, findings, what is told */
#include "dissectors/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/content_result.h"
#include "sensor/base/attr.h"
#include "sensor/event/json_write.h"

#define PLENTY (UINT64_C(1) << 32)

/* Details of findings are charged when they are there, not before. */
#define BEYOND (2U * FINDING_DETAILS * (FINDING_DETAIL_MAX + 4U))

/* ---- an inspector that remembers what it was given ---- */

struct looker {
    unsigned n;
    size_t bytes;
    bool truncated;
    bool has_sum;
    uint8_t sum[32];
    bool breaks;       /* each inspection breaks off */
    uint64_t unpacked; /* of each */
    void (*fill)(struct content_result *r);
};

static bool
look(void *ctx, const struct content_job *job, struct content_result *r)
{
    struct looker *l = ctx;

    l->n++;
    l->bytes = job->bytes.n;
    l->truncated = job->truncated;
    l->has_sum = job->sha256 != NULL;
    if (l->has_sum)
        memcpy(l->sum, job->sha256, sizeof(l->sum));
    r->bytes_unpacked = l->unpacked;
    if (l->fill != NULL)
        l->fill(r);
    return !l->breaks;
}

struct bench {
    struct part_ctx *c;
    struct mem mem;
    struct part_budget budget;
    struct looker looker;
};

static void
bench_open(struct bench *b, bool inspects)
{
    struct part_options o = {.md5 = true, .sha1 = true};

    *b = (struct bench){.mem.max = PLENTY};
    if (inspects) {
        o.inspect = look;
        o.inspect_ctx = &b->looker;
    }
    assert_int_equal(part_ctx_new(&o, &b->c), ERR_OK);
}

static void
bench_close(struct bench *b)
{
    assert_int_equal(b->mem.used, 0);
    part_ctx_free(b->c);
}

/* ---- parts ---- */

static struct mime_part
described(const char *type, const char *name, enum mime_disposition d)
{
    struct mime_part m = {.type = span_str(type != NULL ? type : "text/plain"),
                          .declared = type != NULL,
                          .disposition = (uint8_t)d};

    if (name != NULL) {
        m.n_names = 1;
        m.names[0] = (struct mime_name){span_str(name), span_str(name)};
    }
    return m;
}

static struct part *
begin(struct bench *b, const struct mime_part *m)
{
    struct part *p = NULL;

    assert_int_equal(part_new(b->c, &b->mem, &b->budget, m, NULL, &p), ERR_OK);
    return p;
}

static void
end(struct part *p)
{
    part_end(p, &(struct mime_part_end){0});
}

static struct part *
whole(struct bench *b, const struct mime_part *m, struct span bytes)
{
    struct part *p = begin(b, m);

    part_data(p, bytes);
    end(p);
    return p;
}

/* Its event in JSON; the record must be whole. */
static void
tell(const struct part *p, struct buf *out)
{
    struct json_writer json;
    struct record_out r;

    json_writer_init(&json);
    record_init(&r);
    record_begin(&r, &(struct record_head){.type = EVENT_FILEINFO});
    part_emit(p, 3, &r);
    assert_int_equal(r.left_out, 0);
    assert_true(record_check(record_view(&r)));
    buf_reset(out);
    assert_true(json_write(&json, record_view(&r), out));
    buf_putc(out, 0);
    record_free(&r);
}

static bool
says(const struct part *p, const char *words)
{
    struct buf out;
    bool found;

    buf_init(&out, 1 << 24);
    tell(p, &out);
    found = strstr((const char *)out.p, words) != NULL;
    buf_free(&out);
    return found;
}

static void
assert_same(const struct part *p, const struct buf *want, const char *what,
            size_t at)
{
    struct buf got;

    buf_init(&got, 1 << 24);
    tell(p, &got);
    if (!span_eq(buf_view(&got), buf_view(want)))
        fail_msg("%s at %zu:\n%s\n%s", what, at, (const char *)want->p,
                 (const char *)got.p);
    buf_free(&got);
}

/* ---- digests ---- */

static const struct {
    const char *text, *sha256, *sha1, *md5;
} digests[] = {
    {"",               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709",                                                                                       "d41d8cd98f00b204e9800998ecf8427e"},
    {"abc",            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "a9993e364706816aba3e25717850c26c9cd0d89d",                                                                                       "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest",
     "f7846f55cf23e14eebeab5b4e1550cad5b509e3348fbc4efa3a1413d393cb650",                   "c12252ceda8be8994d5fa0290a47231c1d16aae3",
     "f96b697d7cb7938d525a2f31aaf161d0"                                                                                                                                  },
};

static void
digests_are_those_of_the_standards(void **state)
{
    const struct mime_part m = described("application/x-a", "a", MIME_INLINE);
    struct bench b;

    (void)state;
    bench_open(&b, false);
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        struct part *p = whole(&b, &m, span_str(digests[i].text));

        assert_true(says(p, digests[i].sha256));
        assert_true(says(p, digests[i].sha1));
        assert_true(says(p, digests[i].md5));
        part_free(p);
    }
    bench_close(&b);
}

/* ---- any cut, same part ---- */

#define GTUBE                                                                  \
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*"                                             \
    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

static const struct {
    const char *why, *type, *name;
    struct span bytes;
} texts[] = {
    {"a body with links", "text/plain",      NULL,
     SPAN_INIT("see http://one.example/a?b=c and https://two.example/ now "
               "\r\nwww.three.example " GTUBE "\r\n")                            },
    {"markup",            "text/html",       NULL,
     SPAN_INIT("<!DOCTYPE html><html><a href=\"http://a.example/?x=1&amp;y=2\">"
               "a</a><img src='https://b.example/i.png'></html>")                },
    {"a zip",             "application/zip", "a.zip",
     SPAN_INIT("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")                     },
    {"nothing declared",  NULL,              "x.exe", SPAN_INIT("MZ and no more")},
    {"nothing",           "application/pdf", "a.pdf", SPAN_INIT("")              },
};

static void
any_cut_gives_the_same(void **state)
{
    struct bench b;
    struct buf want;

    (void)state;
    bench_open(&b, true);
    buf_init(&want, 1 << 24);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct mime_part m =
            described(texts[i].type, texts[i].name, MIME_INLINE_DEFAULT);
        struct part *p = whole(&b, &m, texts[i].bytes);

        tell(p, &want);
        part_free(p);
        for (size_t cut = 0; cut <= texts[i].bytes.n; cut++) {
            p = begin(&b, &m);
            part_data(p, span_head(texts[i].bytes, cut));
            part_data(p, span_tail(texts[i].bytes, cut));
            end(p);
            assert_same(p, &want, texts[i].why, cut);
            part_free(p);
        }
        p = begin(&b, &m);
        for (size_t k = 0; k < texts[i].bytes.n; k++)
            part_data(p, span_head(span_tail(texts[i].bytes, k), 1));
        end(p);
        assert_same(p, &want, texts[i].why, SIZE_MAX);
        part_free(p);
    }
    buf_free(&want);
    bench_close(&b);
}

/* Both go on as if each had been alone; URLs stay with the first. */
static void
forks_go_on_apart(void **state)
{
    const struct mime_part m =
        described("application/x-a", "a.bin", MIME_ATTACHMENT);
    struct span head = SPAN_LIT("%PDF-1.4 the head of both");
    struct span tails[2] = {SPAN_INIT(" one"), SPAN_INIT(" the other")};
    struct buf want[2];
    struct bench b;

    (void)state;
    bench_open(&b, true);
    for (size_t i = 0; i < 2; i++) {
        struct part *p = begin(&b, &m);

        buf_init(&want[i], 1 << 24);
        part_data(p, head);
        part_data(p, tails[i]);
        end(p);
        tell(p, &want[i]);
        part_free(p);
    }
    for (size_t cut = 0; cut <= head.n; cut++) {
        struct part *p = begin(&b, &m);
        struct part *q;

        part_data(p, span_head(head, cut));
        q = part_fork(p);
        assert_non_null(q);
        part_data(p, span_tail(head, cut));
        part_data(q, span_tail(head, cut));
        part_data(q, tails[1]);
        part_data(p, tails[0]);
        end(q);
        assert_same(q, &want[1], "the fork", cut);
        part_free(q);
        end(p);
        assert_same(p, &want[0], "the first", cut);
        part_free(p);
    }
    buf_free(&want[0]);
    buf_free(&want[1]);
    bench_close(&b);
}

/* ---- limits ---- */

static const struct {
    const char *why, *type, *name, *head;
    size_t max;
} limits[] = {
    {"a file",               "application/zip", "a.zip",  "PK\3\4",             PART_MAX_keep},
    {"a page as a file",     "text/html",       "a.html", "<!DOCTYPE html>",
     PART_MAX_keep                                                                           },
    {"a text as a file",     "text/plain",      "a.txt",  "hello",              PART_MAX_keep},
    {"an HTML body",         "text/html",       NULL,     "<!DOCTYPE html>",    PART_MAX_text},
    {"an archive as a body", "text/plain",      NULL,     "PK\3\4",             PART_MAX_keep},
    {"the same, as HTML",    "text/html",       NULL,     "7z\xbc\xaf\x27\x1c",
     PART_MAX_keep                                                                           },
};

static void
feed(struct part *p, const char *head, size_t n)
{
    static uint8_t piece[1 << 16];

    memset(piece, 'x', sizeof(piece));
    part_data(p, span_str(head));
    for (size_t left = n - strlen(head); left > 0;) {
        size_t some = left < sizeof(piece) ? left : sizeof(piece);

        part_data(p, span_of(piece, some));
        left -= some;
    }
}

static void
keeps_so_much_and_no_more(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, true);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        const struct mime_part m =
            described(limits[i].type, limits[i].name, MIME_INLINE_DEFAULT);

        for (size_t n = limits[i].max - 1; n <= limits[i].max + 1; n++) {
            struct part *p = begin(&b, &m);
            bool over = n > limits[i].max;

            feed(p, limits[i].head, n);
            assert_true(b.mem.used < n + (1 << 17));
            b.looker.bytes = 0;
            end(p);
            if (b.looker.bytes != (over ? limits[i].max : n) ||
                b.looker.truncated != over || b.looker.has_sum == over ||
                findings_has(part_findings(p), FIND_PART_CUT) != over ||
                says(p, "\"inspected\":true") == over)
                fail_msg("%s of %zu: %zu bytes", limits[i].why, n,
                         b.looker.bytes);
            assert_int_equal(part_size(p), n);
            assert_true(says(p, "\"sha256\""));
            if (!over)
                assert_memory_equal(b.looker.sum, part_sha256(p), 32);
            part_free(p);
        }
    }
    bench_close(&b);
}

/* What is not kept is not inspected. */
static const struct {
    const char *why, *type, *name, *head;
    unsigned looks;
} kept[] = {
    {"a picture",               "image/png",                "a.png", "\x89PNG\r\n\x1a\n", 0},
    {"without a name",          "image/png",                NULL,    "\x89PNG\r\n\x1a\n", 0},
    {"of an unknown type",      "application/octet-stream", "a",     "\x89PNG\r\n\x1a\n",
     0                                                                                     },
    {"with the name of a zip",  "image/png",                "a.zip", "\x89PNG\r\n\x1a\n", 1},
    {"declared to be a zip",    "application/zip",          NULL,    "\x89PNG\r\n\x1a\n", 1},
    {"with that of a program",  "application/octet-stream", "a.exe", "GIF89a",
     1                                                                                     },
    {"a plain body",            "text/plain",               NULL,    "hello",             0},
    {"a plain file",            "text/plain",               "a.txt", "hello",             1},
    {"an HTML body",            "text/html",                NULL,    "<html>hello",       1},
    {"HTML by its declaration", "text/html",                NULL,    "hello",             1},
    {"a program as plain body", "text/plain",               NULL,    "PK\3\4",            1},
};

static void
keeps_what_can_be_looked_into(void **state)
{
    static const size_t sizes[] = {100, FILETYPE_HEAD, 100000};
    struct bench b;

    (void)state;
    bench_open(&b, true);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const struct mime_part m =
            described(kept[i].type, kept[i].name, MIME_INLINE_DEFAULT);

        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            struct part *p = begin(&b, &m);

            b.looker.n = 0;
            feed(p, kept[i].head, sizes[k]);
            end(p);
            if (b.looker.n != kept[i].looks)
                fail_msg("%s of %zu bytes: %u", kept[i].why, sizes[k],
                         b.looker.n);
            part_free(p);
        }
    }
    bench_close(&b);
}

/* ---- memory ---- */

/* One part and its fork, with all that a part can hold. */
static void
go_through(struct bench *b)
{
    const struct mime_part m =
        described("text/html", "a.html", MIME_ATTACHMENT);
    struct part *p = NULL;
    struct part *q;

    if (part_new(b->c, &b->mem, &b->budget, &m, NULL, &p) != ERR_OK)
        return;
    feed(p, "<a href=\"http://a.example/", 3000);
    q = part_fork(p);
    part_gap(p, 5);
    for (unsigned i = 0; i < 20; i++) {
        feed(p, "\"><a href=\"http://b.example/?", 1000);
        if (q != NULL)
            feed(q, "\"><a href=\"http://c.example/?", 1000);
        assert_true(b->mem.used <= b->mem.max + BEYOND);
    }
    end(p);
    assert_true(b->mem.used <= b->mem.max + BEYOND);
    if (q != NULL)
        end(q);
    assert_true(b->mem.used <= b->mem.max + BEYOND);
    (void)says(p, "");
    part_free(q);
    part_free(p);
}

static void
fill(struct content_result *r)
{
    static char name[CONTENT_NAME_MAX];
    struct content_member m = {.name = span_of(name, sizeof(name)),
                               .size = 1,
                               .type = FILETYPE_TEXT,
                               .depth = 1,
                               .has_sha256 = true};
    char url[URL_LEN];
    char detail[FINDING_DETAIL_MAX];

    memset(name, 'n', sizeof(name));
    memset(url, 'u', sizeof(url));
    memset(detail, 'd', sizeof(detail));
    memcpy(url, "http://", 7);
    for (unsigned i = 0; i < CONTENT_MEMBERS_KEPT; i++) {
        assert_true(content_result_put(r, &m));
        r->n_members++;
    }
    for (unsigned i = 0; i < URL_MAX; i++) {
        url[20] = (char)i;
        url_set_add(&r->urls, span_of(url, sizeof(url)));
    }
    for (unsigned i = 0; i < FINDING_DETAILS; i++) {
        detail[0] = (char)i;
        findings_add_detail(&r->findings, FIND_FORBIDDEN_MEMBER,
                            span_of(detail, sizeof(detail)));
    }
}

static void
lives_within_any_memory(void **state)
{
    (void)state;
    for (uint64_t max = 0; max < 700000; max += max < 20000 ? 37 : 9973) {
        struct bench b;

        bench_open(&b, true);
        b.looker.fill = fill;
        b.mem.max = max;
        go_through(&b);
        bench_close(&b);
    }
}

/* Kept bytes leave room for others, and grow to their limit all the same. */
static void
leaves_an_eighth(void **state)
{
    const struct mime_part m =
        described("application/zip", "a.zip", MIME_ATTACHMENT);
    struct bench b;
    struct part *p, *q;

    (void)state;
    bench_open(&b, true);
    b.mem.max = (uint64_t)PART_MAX_keep + (uint64_t)PART_MAX_keep / 4;
    p = begin(&b, &m);
    feed(p, "PK\3\4", PART_MAX_keep);
    q = begin(&b, &m);
    feed(q, "PK\3\4", PART_MAX_keep);
    assert_true(b.mem.used <= b.mem.max - b.mem.max / 8);
    end(p);
    assert_int_equal(b.looker.bytes, PART_MAX_keep);
    assert_false(b.looker.truncated);
    assert_false(findings_has(part_findings(p), FIND_PART_CUT));
    end(q);
    assert_true(b.looker.bytes > PART_MAX_keep / 64);
    assert_true(b.looker.truncated);
    assert_false(b.looker.has_sum);
    assert_true(findings_has(part_findings(q), FIND_PART_CUT));
    assert_true(says(q, "\"sha256\""));
    part_free(p);
    part_free(q);
    bench_close(&b);
}

static void
forks_without_room_are_hashed(void **state)
{
    const struct mime_part m =
        described("application/zip", "a.zip", MIME_ATTACHMENT);
    struct bench b;
    struct part *p, *q;

    (void)state;
    bench_open(&b, true);
    b.mem.max = 8 << 20;
    p = begin(&b, &m);
    feed(p, "PK\3\4", 6 << 20);
    q = part_fork(p);
    assert_non_null(q);
    b.looker.n = 0;
    end(q);
    assert_int_equal(b.looker.n, 0);
    assert_true(findings_has(part_findings(q), FIND_PART_CUT));
    end(p);
    assert_int_equal(b.looker.n, 1);
    assert_int_equal(part_identity(p), part_identity(q));
    part_free(p);
    part_free(q);
    bench_close(&b);
}

/* ---- the budget of a message ---- */

static unsigned
looks_at(struct bench *b, unsigned n)
{
    const struct mime_part m =
        described("application/zip", "a.zip", MIME_ATTACHMENT);

    b->looker.n = 0;
    for (unsigned i = 0; i < n; i++) {
        struct part *p = whole(b, &m, SPAN_LIT("PK\3\4"));
        bool looked = b->looker.n == i + 1;

        assert_true(findings_has(part_findings(p), FIND_INSPECTION_LIMIT) !=
                    looked);
        part_free(p);
    }
    return b->looker.n;
}

static void
a_message_has_a_budget(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, true);
    b.looker.unpacked = PART_MAX_unpacked / 2;
    assert_int_equal(looks_at(&b, 10), 2);
    b.budget = (struct part_budget){.unpacked = PART_MAX_unpacked - 1};
    assert_int_equal(looks_at(&b, 10), 1);
    b.budget = (struct part_budget){0};
    b.looker.unpacked = 0;
    b.looker.breaks = true;
    assert_int_equal(looks_at(&b, 10), PART_MAX_broken);
    bench_close(&b);
}

static void
broken_inspections_are_said(void **state)
{
    const struct mime_part m =
        described("application/zip", "a.zip", MIME_ATTACHMENT);
    struct bench b;
    struct part *p;

    (void)state;
    bench_open(&b, true);
    p = whole(&b, &m, SPAN_LIT("PK\3\4"));
    assert_true(says(p, "\"inspected\":true"));
    assert_false(says(p, "nondeterministic"));
    part_free(p);
    b.looker.breaks = true;
    p = whole(&b, &m, SPAN_LIT("PK\3\4"));
    assert_true(says(p, "\"inspected\":false"));
    assert_true(says(p, "\"nondeterministic\":true"));
    part_free(p);
    bench_close(&b);
}

/* More URLs than are told, and a type that only the inside shows. */
static void
fill_type_and_urls(struct content_result *r)
{
    r->type = FILETYPE_JAR;
    url_set_add(&r->urls, SPAN_LIT("http://a.de/"));
    r->urls.n_more = 5;
}

static void
what_is_inside_counts(void **state)
{
    const struct mime_part m =
        described("application/zip", "a", MIME_ATTACHMENT);
    struct bench b;
    struct part *p;

    (void)state;
    bench_open(&b, true);
    p = whole(&b, &m, SPAN_LIT("PK\3\4"));
    part_free(p);
    b.looker.fill = fill_type_and_urls;
    p = whole(&b, &m, SPAN_LIT("PK\3\4"));
    assert_string_equal(part_type(p), filetype_name(FILETYPE_JAR));
    assert_int_equal(part_urls(p)->n, 1);
    assert_int_equal(part_urls(p)->n_more, 5);
    part_free(p);
    bench_close(&b);
}

/* Without memory for the very first bytes nobody knows whether they were worth
 * a look: it is said that there was none. */
static void
no_room_for_the_head_is_said(void **state)
{
    const struct mime_part m = described("image/png", "a.png", MIME_ATTACHMENT);
    struct bench b;
    struct part *p;

    (void)state;
    bench_open(&b, true);
    p = begin(&b, &m);
    b.mem.max = b.mem.used;
    part_data(p, SPAN_LIT("\x89PNG\r\n\x1a\n"));
    end(p);
    assert_int_equal(b.looker.n, 0);
    assert_true(findings_has(part_findings(p), FIND_PART_CUT));
    part_free(p);
    bench_close(&b);
}

/* ---- what is found and told ---- */

static const struct {
    const char *why, *type, *name;
    enum mime_disposition disposition;
    const char *bytes;
    bool reported, attachment, body;
    enum finding finding; /* FINDING_COUNT: none */
} tellings[] = {
    {"a body",            "text/plain",      NULL,        MIME_INLINE_DEFAULT, "hello",         false, false,
     true,                                                                                                           FINDING_COUNT        },
    {"declared inline",   "text/html",       NULL,        MIME_INLINE,         "<html>",        false, false,
     true,                                                                                                           FINDING_COUNT        },
    {"nothing declared",  NULL,              NULL,        MIME_INLINE_DEFAULT, "hello",         false, false,
     true,                                                                                                           FINDING_COUNT        },
    {"attached",          "text/plain",      NULL,        MIME_ATTACHMENT,     "hello",         true,  true,
     false,                                                                                                          FINDING_COUNT        },
    {"named",             "text/plain",      "a.txt",     MIME_INLINE,         "hello",         true,  true,  false,
     FINDING_COUNT                                                                                                                        },
    {"of another type",   "text/calendar",   NULL,        MIME_INLINE_DEFAULT,
     "BEGIN:VCALENDAR",                                                                         true,  false, false, FINDING_COUNT        },
    {"test string",       "text/plain",      NULL,        MIME_INLINE_DEFAULT, "a " GTUBE " b",
     true,                                                                                             false, true,  FIND_GTUBE           },
    {"test string, HTML", "text/html",       NULL,        MIME_INLINE_DEFAULT,
     "a " GTUBE " b",                                                                           false, false, true,  FINDING_COUNT        },
    {"forbidden name",    "text/plain",      "a.exe",     MIME_ATTACHMENT,     "hello",         true,
     true,                                                                                                    false, FIND_FORBIDDEN_TYPE  },
    {"two extensions",    "application/pdf", "a.pdf.exe", MIME_ATTACHMENT,     "hello",
     true,                                                                                             true,  false, FIND_DOUBLE_EXTENSION},
};

static void
tells_what_matters(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, false);
    for (size_t i = 0; i < ARRAY_LEN(tellings); i++) {
        const struct mime_part m = described(tellings[i].type, tellings[i].name,
                                             tellings[i].disposition);
        struct part *p = whole(&b, &m, span_str(tellings[i].bytes));

        if (part_is_reported(p) != tellings[i].reported ||
            part_is_attachment(p) != tellings[i].attachment ||
            part_is_body(p) != tellings[i].body)
            fail_msg("%s: reported %d, attachment %d, body %d", tellings[i].why,
                     part_is_reported(p), part_is_attachment(p),
                     part_is_body(p));
        if (tellings[i].finding == FINDING_COUNT
                ? findings_any(part_findings(p))
                : !findings_has(part_findings(p), tellings[i].finding))
            fail_msg("%s: findings", tellings[i].why);
        part_free(p);
    }
    bench_close(&b);
}

static void
forks_are_findings(void **state)
{
    struct mime_part m = described("text/plain", NULL, MIME_INLINE_DEFAULT);
    struct bench b;

    (void)state;
    bench_open(&b, false);
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        struct part *p;

        m.odd = UINT64_C(1) << i;
        p = whole(&b, &m, SPAN_LIT("hello"));
        assert_int_equal(findings_has(part_findings(p), FIND_AMBIGUOUS),
                         mime_odd_is_fork((enum mime_odd)i));
        assert_int_equal(findings_has(part_findings(p), FIND_READINGS_CUT),
                         i == MIME_ODD_READINGS_CUT);
        assert_true(says(p, mime_odd_name((enum mime_odd)i)));
        part_free(p);
    }
    m.odd = 0;
    m.n_names = 2;
    m.names[0] = (struct mime_name){SPAN_LIT("a.pdf"), SPAN_LIT("a.pdf")};
    m.names[1] = (struct mime_name){SPAN_LIT("b.exe"), SPAN_LIT("b.exe")};
    {
        struct part *p = whole(&b, &m, SPAN_LIT("hello"));

        assert_true(findings_has(part_findings(p), FIND_NAMES_DISAGREE));
        assert_true(findings_has(part_findings(p), FIND_FORBIDDEN_TYPE));
        assert_true(says(p, "\"names\":[\"b.exe\"]"));
        part_free(p);
    }
    bench_close(&b);
}

/* A digest of some of the bytes would be that of another file. */
static void
missing_bytes_have_no_digest(void **state)
{
    const struct mime_part m =
        described("application/zip", "a.zip", MIME_ATTACHMENT);
    struct bench b;
    struct part *p;

    (void)state;
    bench_open(&b, true);
    p = begin(&b, &m);
    part_data(p, SPAN_LIT("PK\3\4"));
    part_gap(p, 10);
    part_data(p, SPAN_LIT("more"));
    end(p);
    assert_true(b.looker.truncated);
    assert_false(b.looker.has_sum);
    assert_false(says(p, "\"sha256\""));
    assert_true(says(p, "\"gaps\":true"));
    assert_true(says(p, "\"state\":\"TRUNCATED\""));
    assert_true(findings_has(part_findings(p), FIND_PART_GAPS));
    part_free(p);

    p = begin(&b, &m);
    part_data(p, SPAN_LIT("PK\3\4"));
    part_end(p, &(struct mime_part_end){.cut = true});
    assert_true(b.looker.truncated);
    assert_false(b.looker.has_sum);
    assert_false(says(p, "\"sha256\""));
    assert_true(says(p, "\"gaps\":false"));
    assert_true(says(p, "\"state\":\"TRUNCATED\""));
    part_free(p);
    bench_close(&b);
}

static void
nothing_is_read_across_a_gap(void **state)
{
    const struct mime_part m =
        described("text/plain", NULL, MIME_INLINE_DEFAULT);
    struct span text = SPAN_LIT("http://a.example/" GTUBE);
    struct bench b;

    (void)state;
    bench_open(&b, false);
    for (size_t cut = 18; cut < text.n; cut++) {
        struct part *p = begin(&b, &m);

        part_data(p, span_head(text, cut));
        part_gap(p, 1);
        part_data(p, span_tail(text, cut));
        end(p);
        assert_false(findings_has(part_findings(p), FIND_GTUBE));
        assert_false(says(p, GTUBE));
        part_free(p);
    }
    bench_close(&b);
}

static void
identity_is_of_name_size_and_bytes(void **state)
{
    const struct mime_part a = described("text/plain", "a", MIME_ATTACHMENT);
    const struct mime_part a2 = described("text/html", "a", MIME_ATTACHMENT);
    const struct mime_part c = described("text/plain", "c", MIME_ATTACHMENT);
    struct bench b;
    struct part *p[4];

    (void)state;
    bench_open(&b, false);
    p[0] = whole(&b, &a, SPAN_LIT("hello"));
    p[1] = whole(&b, &a2, SPAN_LIT("hello"));
    p[2] = whole(&b, &c, SPAN_LIT("hello"));
    p[3] = whole(&b, &a, SPAN_LIT("hellO"));
    assert_int_equal(part_identity(p[0]), part_identity(p[1]));
    assert_true(part_identity(p[0]) != part_identity(p[2]));
    assert_true(part_identity(p[0]) != part_identity(p[3]));
    for (size_t i = 0; i < 4; i++)
        part_free(p[i]);
    bench_close(&b);
}

/* ---- the largest event ---- */

static void
the_largest_event_is_whole(void **state)
{
    static char name[65536];
    struct mime_part m = described("application/zip", NULL, MIME_ATTACHMENT);
    struct bench b;
    struct part *p;

    (void)state;
    bench_open(&b, true);
    b.looker.fill = fill;
    memset(name, 1, sizeof(name));
    m.charset = m.encoding = m.content_id = span_of(name, sizeof(name) - 1);
    m.n_names = MIME_NAMES;
    m.odd = UINT64_MAX >> (64 - MIME_ODD_COUNT);
    for (unsigned i = 0; i < MIME_NAMES; i++)
        m.names[i].raw = m.names[i].text = span_of(name, sizeof(name) - i);
    p = whole(&b, &m, SPAN_LIT("PK\3\4"));
    assert_true(says(p, "\"nnnn"));
    assert_true(says(p, "\"members\":64"));
    part_free(p);
    bench_close(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(any_cut_gives_the_same),
        cmocka_unit_test(forks_go_on_apart),
        cmocka_unit_test(keeps_so_much_and_no_more),
        cmocka_unit_test(keeps_what_can_be_looked_into),
        cmocka_unit_test(lives_within_any_memory),
        cmocka_unit_test(leaves_an_eighth),
        cmocka_unit_test(forks_without_room_are_hashed),
        cmocka_unit_test(a_message_has_a_budget),
        cmocka_unit_test(broken_inspections_are_said),
        cmocka_unit_test(what_is_inside_counts),
        cmocka_unit_test(no_room_for_the_head_is_said),
        cmocka_unit_test(tells_what_matters),
        cmocka_unit_test(forks_are_findings),
        cmocka_unit_test(missing_bytes_have_no_digest),
        cmocka_unit_test(nothing_is_read_across_a_gap),
        cmocka_unit_test(identity_is_of_name_size_and_bytes),
        cmocka_unit_test(the_largest_event_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

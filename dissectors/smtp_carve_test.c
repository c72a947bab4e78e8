#include "dissectors/smtp_script.h"

#include "sensor/event/carve.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "sensor/base/hash.h"
#include "sensor/base/text.h"

/* What a sink would have: files put together as their pieces come. */
struct file {
    struct record_head head;
    char sum[65];
    struct buf name, bytes;
    char class;
    bool is_mail, is_note;
};

struct files {
    struct file f[64];
    size_t n;
    bool told; /* the event of the last file came next, under its number */
    struct buf events;
    struct buf jobs; /* what an inspector was asked: texts */
};

static void
add_bytes(struct file *f, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    assert_int_equal(record_find_u64(record, FIELD_CARVE_OFFSET, 9),
                     f->bytes.n);
    while (record_next(&c, &e)) {
        if (e.field == FIELD_CARVE_BYTES)
            buf_span(&f->bytes, e.value);
    }
}

static void
begin_file(struct files *fs, struct span record)
{
    struct file *f = &fs->f[fs->n++];
    struct span sum = record_find(record, FIELD_FILEINFO_SHA256);

    assert_true(fs->n <= ARRAY_LEN(fs->f));
    *f = (struct file){
        .head = record_head_of(record),
        .class = (char)span_at(record_find(record, FIELD_FILEINFO_CLASS), 0)};
    buf_init(&f->name, 1024);
    buf_init(&f->bytes, 64 << 20);
    buf_span(&f->name, record_find(record, FIELD_FILEINFO_FILENAME));
    f->is_note = sum.n == 0;
    f->is_mail =
        span_eq(record_find(record, FIELD_CARVE_KIND), SPAN_LIT("mail"));
    if (sum.n == 64)
        memcpy(f->sum, sum.p, 64);
}

static void
on_record(void *ctx, struct span record)
{
    struct files *fs = ctx;
    struct record_head h = record_head_of(record);
    struct file *last = fs->n > 0 ? &fs->f[fs->n - 1] : NULL;

    assert_true(record_check(record));
    if (h.type != EVENT_CARVE) {
        if (last != NULL && !fs->told)
            assert_int_equal(h.seq, last->head.seq);
        fs->told = true;
        buf_span(&fs->events, record);
        return;
    }
    if (record_find_u64(record, FIELD_CARVE_OFFSET, 0) == 0)
        begin_file(fs, record);
    fs->told = false;
    add_bytes(&fs->f[fs->n - 1], record);
}

static void
files_free(struct files *fs)
{
    for (size_t i = 0; i < fs->n; i++) {
        buf_free(&fs->f[i].name);
        buf_free(&fs->f[i].bytes);
    }
    buf_free(&fs->events);
    buf_free(&fs->jobs);
    *fs = (struct files){0};
}

/* Every file is what its digest says. */
static void
assert_sums(const struct files *fs)
{
    for (size_t i = 0; i < fs->n; i++) {
        const struct file *f = &fs->f[i];
        uint8_t sum[32];
        struct buf hex;

        if (f->is_note) {
            assert_int_equal(f->bytes.n, 0);
            continue;
        }
        buf_init(&hex, 64);
        assert_int_equal(
            EVP_Digest(f->bytes.p, f->bytes.n, sum, NULL, EVP_sha256(), NULL),
            1);
        text_hex(&hex, span_of(sum, sizeof(sum)));
        assert_true(span_eq(buf_view(&hex), span_str(f->sum)));
        buf_free(&hex);
    }
}

static bool
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    struct files *fs = ctx;

    (void)result;
    buf_printf(&fs->jobs, "%zu bytes, %s, hash %llx\n", job->bytes.n,
               job->truncated ? "cut" : "whole",
               (unsigned long long)hash_span(job->bytes, 0));
    return true;
}

/* ---- connections ---- */

enum what { PARTS = 1, MAIL = 2 };

static void
play(const struct scenario *sc, unsigned what, uint64_t mail_max, size_t event,
     size_t cut, struct files *fs)
{
    struct got unused;
    struct smtp_options o = {
        .sink = {on_record,          fs               },
        .memory_max = UINT64_C(1) << 32,
        .content_max = UINT64_C(1) << 36,
        .part = {.inspect = inspect, .inspect_ctx = fs},
        .carve_parts = (what & PARTS) != 0,
        .save_mail = (what & MAIL) != 0 ? mail_max : 0,
    };
    struct wire w = wire_of(sc);
    struct play p;

    *fs = (struct files){.told = true};
    buf_init(&fs->events, 64 << 20);
    buf_init(&fs->jobs, 1 << 20);
    got_init(&unused);
    play_open(&p, sc, &unused); /* for the flow */
    play_close(&p, w.end);
    got_free(&unused);
    assert_int_equal(smtp_new(&o, &p.ctx), ERR_OK);
    p.session = smtp_ops.open(p.ctx, &p.flow, SCRIPT_START);
    p.cut_event = event;
    p.cut_at = cut;
    p.bytewise = cut == 0;
    memset(p.next, 0, sizeof(p.next));
    play_wire(&p, &w);
    play_close(&p, w.end);
    assert_sums(fs);
}

#define HELLO  S("220 a\r\n"), C("EHLO b\r\n"), S("250 a\r\n")
#define LOGIN  C("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"), S("235 2.7.0 welcome\r\n")
#define FROM   C("MAIL FROM:<a@b>\r\n"), S("250 ok\r\n")
#define TO     C("RCPT TO:<c@d>\r\n"), S("250 ok\r\n")
#define DATA   C("DATA\r\n"), S("354 go\r\n")
#define SENT   S("250 ok\r\n")
#define QUIT   C("QUIT\r\n"), S("221 bye\r\n")
#define HEADER "From: a@b\r\nSubject: s\r\n"

#define PART_OF(name, text)                                                    \
    "--x\r\nContent-Type: application/octet-stream\r\n"                        \
    "Content-Disposition: attachment; filename=\"" name "\"\r\n\r\n" text      \
    "\r\n"
#define MIXED HEADER "Content-Type: multipart/mixed; boundary=x\r\n\r\n"

/* clang-format off */
static const struct {
    struct scenario sc;
    unsigned what;
    uint64_t mail_max;
    size_t n, notes;
    const char *bytes[3]; /* of those that are no notes */
} rows[] = {
    {{.why = "a message as received, dots taken out, nothing around it",
      .steps = {HELLO, LOGIN, FROM, TO, DATA,
                C(HEADER "\r\n..dot\r\nend\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0, {HEADER "\r\n.dot\r\nend\r\n"}},
    {{.why = "two of them",
      .steps = {HELLO, FROM, TO, DATA, C(HEADER "\r\n1\r\n.\r\n"), SENT, FROM,
                TO, DATA, C(HEADER "\r\n2\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 2, 0, {HEADER "\r\n1\r\n", HEADER "\r\n2\r\n"}},
    {{.why = "in chunks",
      .steps = {HELLO, FROM, TO, C("BDAT 4\r\nA: b"), S("250 ok\r\n"),
                C("BDAT 6 LAST\r\n\r\n\r\nx\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0, {"A: b\r\n\r\nx\n"}},
    {{.why = "of the largest size",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\n12\r\n.\r\n"), SENT,
                QUIT}},
     MAIL, 12, 1, 0, {"A: b\r\n\r\n12\r\n"}},
    {{.why = "one byte larger",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\n123\r\n.\r\n"), SENT,
                QUIT}},
     MAIL, 12, 1, 1, {NULL}},
    {{.why = "refused in the end: saved all the same",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\nx\r\n.\r\n"),
                S("550 no\r\n"), QUIT}},
     MAIL, 1000, 1, 0, {"A: b\r\n\r\nx\r\n"}},
    {{.why = "cut off: not saved",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\nx\r\n")}},
     MAIL, 1000, 1, 1, {NULL}},
    {{.why = "a hole in it: not saved",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\nx\r\n"), LOSE,
                C("lost\r\n"), C("y\r\n.\r\n"), SENT, QUIT},
      .whole_only = true},
     MAIL, 1000, 1, 1, {NULL}},
    {{.why = "no message was sent: nothing",
      .steps = {HELLO, FROM, TO, C("DATA\r\n"), S("554 no\r\n"), LOGIN, QUIT}},
     MAIL, 1000, 0, 0, {NULL}},
    {{.why = "the client alone: what was refused may be in it",
      .steps = {HELLO, FROM, TO, DATA, C("A: b\r\n\r\nx\r\n.\r\n"), SENT, QUIT},
      .only_client = true},
     MAIL, 1000, 1, 1, {NULL}},
    {{.why = "DATA refused to a client that goes on: no AUTH in a file",
      .steps = {HELLO, FROM, TO, B("DATA\r\n"), S("530 log in\r\n"),
                C("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"), S("235 ok\r\n"), FROM, TO,
                DATA, C("A: b\r\n\r\nx\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0, {"A: b\r\n\r\nx\r\n"}},
    {{.why = "commands hidden in it: AUTH is masked",
      .steps = {HELLO, FROM, TO, DATA,
                C("A: b\r\n\r\nx\n.\nAUTH PLAIN AHVzZXIAc2VjcmV0  \r\n"
                  "MAIL FROM:<e@f>\r\nRCPT TO:<g@h>\r\nDATA\r\n"
                  "A: c\r\n\r\ny\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0,
     {"A: b\r\n\r\nx\n.\nAUTH ************************\r\n"
      "MAIL FROM:<e@f>\r\nRCPT TO:<g@h>\r\nDATA\r\nA: c\r\n\r\ny\r\n"}},
    {{.why = "and so are the answers to its challenges",
      .steps = {HELLO, FROM, TO, DATA,
                C("A: b\r\nauth: x\r\n\r\nAUTH is text\r\nx\r\n.\n\n"
                  "aUtH LOGIN\rdXNlcg==\n\nc2VjcmV0\r\nRCPT TO:<g@h>\r\n"
                  "y\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0,
     {"A: b\r\nauth: x\r\n\r\nAUTH is text\r\nx\r\n\n\naUtH *****\r"
      "********\n\n********\r\nRCPT TO:<g@h>\r\ny\r\n"}},
    {{.why = "an irregular end with nothing behind that looks like a command",
      .steps = {HELLO, FROM, TO, DATA,
                C("A: b\r\n\r\nx\n.\ntext goes on\r\n.\r\n"), SENT, QUIT}},
     MAIL, 1000, 1, 0, {"A: b\r\n\r\nx\n.\ntext goes on\r\n"}},
    {{.why = "attached parts, each with its name",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED PART_OF("a.bin", "one") PART_OF("b.bin", "two")
                  "--x\r\n\r\ntext is none\r\n--x--\r\n.\r\n"), SENT, QUIT}},
     PARTS, 0, 2, 0, {"one", "two"}},
    {{.why = "an empty one",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED PART_OF("a.bin", "") "--x--\r\n.\r\n"), SENT, QUIT}},
     PARTS, 0, 1, 0, {""}},
    {{.why = "decoded",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED "--x\r\nContent-Type: text/plain; name=\"a.txt\"\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\nb25lIHR3bw==\r\n"
                  "--x--\r\n.\r\n"), SENT, QUIT}},
     PARTS, 0, 1, 0, {"one two"}},
    {{.why = "a picture is kept too",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED PART_OF("a.gif", "GIF89a123456") "--x--\r\n.\r\n"),
                SENT, QUIT}},
     PARTS, 0, 1, 0, {"GIF89a123456"}},
    {{.why = "what is neither named nor attached is no file",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED "--x\r\nContent-Type: image/gif\r\n\r\nGIF89a123456\r\n"
                  "--x--\r\n.\r\n"), SENT, QUIT}},
     PARTS, 0, 0, 0, {NULL}},
    {{.why = "a hole in a part: not kept",
      .steps = {HELLO, FROM, TO, DATA,
                C(MIXED "--x\r\nContent-Disposition: attachment\r\n\r\none\r\n"),
                LOSE, C("lost\r\n"), C("more\r\n--x--\r\n.\r\n"), SENT, QUIT},
      .whole_only = true},
     PARTS, 0, 1, 1, {NULL}},
    {{.why = "both",
      .steps = {HELLO, FROM, TO, DATA,
                C("Content-Disposition: attachment\r\n\r\nx\r\n.\r\n"), SENT,
                QUIT}},
     PARTS | MAIL, 1000, 2, 0,
     {"x\r\n", "Content-Disposition: attachment\r\n\r\nx\r\n"}},
    {{.why = "neither is asked for",
      .steps = {HELLO, FROM, TO, DATA,
                C("Content-Disposition: attachment\r\n\r\nx\r\n.\r\n"), SENT,
                QUIT}},
     0, 0, 0, 0, {NULL}},
};
/* clang-format on */

static void
check_row(size_t i, const struct files *fs)
{
    size_t notes = 0;
    size_t k = 0;

    for (size_t n = 0; n < fs->n; n++) {
        const struct file *f = &fs->f[n];

        notes += f->is_note;
        if (f->is_note)
            continue;
        if (k == 3 || rows[i].bytes[k] == NULL ||
            !span_eq(buf_view(&f->bytes), span_str(rows[i].bytes[k])))
            fail_msg("%s: file %zu is\n%.*s", rows[i].sc.why, k,
                     (int)f->bytes.n, (const char *)f->bytes.p);
        k++;
    }
    if (fs->n != rows[i].n || notes != rows[i].notes)
        fail_msg("%s: %zu files, %zu of them notes", rows[i].sc.why, fs->n,
                 notes);
}

/* Whole, byte by byte, and cut at every place. */
static void
carves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wire w = wire_of(&rows[i].sc);
        struct files fs;

        play(&rows[i].sc, rows[i].what, rows[i].mail_max, SIZE_MAX, 1, &fs);
        check_row(i, &fs);
        files_free(&fs);
        if (rows[i].sc.whole_only)
            continue;
        for (size_t e = 0; e < w.n; e++) {
            for (size_t k = 0; k < w.e[e].c.data.n; k++) {
                play(&rows[i].sc, rows[i].what, rows[i].mail_max, e, k, &fs);
                check_row(i, &fs);
                files_free(&fs);
                if (e > 0 && k == 0)
                    break;
            }
        }
    }
}

/* A message in pieces: one byte less than, as long as, and one byte more than
 * what goes into one, two, three. */
static void
cuts_pieces(void **state)
{
    static char text[3 * CARVE_PIECE + 64];
    static const char head[] = "A: b\r\n\r\n";

    (void)state;
    for (size_t whole = 1; whole <= 3; whole++) {
        for (size_t n = whole * CARVE_PIECE - 1; n <= whole * CARVE_PIECE + 1;
             n++) {
            struct scenario sc = {
                .why = "pieces",
                .steps =
                    {HELLO, FROM, TO, DATA, {STEP_C, text, n + 3}, SENT, QUIT},
                .whole_only = true,
            };
            struct files fs;

            memset(text, 'a', sizeof(text));
            memcpy(text, head, sizeof(head) - 1);
            memcpy(text + n - 2, "\r\n.\r\n", 5);
            play(&sc, MAIL, UINT64_C(64) << 20, SIZE_MAX, 1, &fs);
            assert_int_equal(fs.n, 1);
            assert_int_equal(fs.f[0].bytes.n, n);
            assert_memory_equal(fs.f[0].bytes.p, text, n);
            files_free(&fs);
        }
    }
}

/* Keeping parts for files changes nothing of what is found in them. */
static void
finds_the_same(void **state)
{
    static char text[3 << 20];
    static const char head[] =
        MIXED "--x\r\nContent-Type: text/plain; name=\"a.txt\"\r\n\r\n";
    static const char tail[] = "\r\n--x--\r\n.\r\n";
    static const size_t sizes[] = {
        100, 4096, 70000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20};
    static const char *const magics[] = {"", "GIF89a", "%PDF-1.4\n", "MZ",
                                         "\xff\xd8\xff\xe0"};
    size_t n_jobs = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(magics); i++) {
        const char *magic = magics[i % ARRAY_LEN(magics)];
        size_t size = sizes[i / ARRAY_LEN(magics)];
        size_t n = sizeof(head) - 1;
        struct scenario sc = {.why = "the same", .whole_only = true};
        struct step steps[] = {
            HELLO, FROM, TO, DATA, {STEP_C, text, 0},
                SENT, QUIT
        };
        struct files with, without;

        memset(text, 'a', sizeof(text));
        memcpy(text, head, n);
        memcpy(text + n, magic, strlen(magic));
        memcpy(text + n + size, tail, sizeof(tail) - 1);
        steps[9].n = n + size + sizeof(tail) - 1;
        memcpy(sc.steps, steps, sizeof(steps));
        play(&sc, 0, 0, SIZE_MAX, 1, &without);
        play(&sc, PARTS, 0, SIZE_MAX, 1, &with);
        assert_int_equal(with.n, 1);
        assert_int_equal(with.f[0].bytes.n, size);
        assert_int_equal(with.events.n, without.events.n);
        assert_true(span_eq(buf_view(&with.jobs), buf_view(&without.jobs)));
        n_jobs += with.jobs.n > 0;
        files_free(&with);
        files_free(&without);
    }
    assert_true(n_jobs > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carves),
        cmocka_unit_test(cuts_pieces),
        cmocka_unit_test(finds_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* mime_test - parts of messages, at every cut; gaps, limits, no memory */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/mime.h"
#include "sensor/base/attr.h"

#define LOG_MAX (1U << 26)

/* A row of a table; braces would be laid out in columns. */
#define ROW(...)                                                               \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

/* What the reader says, as text: a line for each part when it ends. */
struct log {
    struct charset cs;
    struct buf text;
    unsigned n_open;
    unsigned n_parts;
    unsigned n_forked;
    unsigned depth_max;
    uint64_t bytes;
    uint64_t odd;  /* of the message */
    uint64_t peak; /* of memory */
    uint32_t n_first;
    uint32_t n_more;
    bool quiet;    /* counts only */
    bool unwanted; /* wants no part */
    bool no_forks;
};

struct part {
    struct log *log;
    struct buf head;
    struct buf bytes;
    uint64_t lost;
    uint64_t offset;
    uint64_t n;
    bool as_is; /* what comes out is what the message has there */
};

static void *
on_begin(void *ctx, const struct mime_part *p)
{
    struct log *log = ctx;
    struct part *part;

    log->n_parts++;
    if (p->depth > log->depth_max)
        log->depth_max = p->depth;
    if (log->unwanted)
        return NULL;
    part = calloc(1, sizeof(*part));
    assert_non_null(part);
    assert_int_equal(p->number, log->n_parts - 1);
    part->offset = p->offset;
    part->as_is = p->decode == DECODE_IDENTITY;
    log->n_open++;
    part->log = log;
    buf_init(&part->head, LOG_MAX);
    buf_init(&part->bytes, LOG_MAX);
    if (p->parent > 0)
        buf_printf(&part->head, "^%u ", p->parent);
    if (p->reading > 0)
        buf_str(&part->head, "? ");
    buf_span(&part->head, p->type);
    for (unsigned i = 0; i < p->n_names; i++) {
        buf_str(&part->head, i == 0 ? " " : "|");
        buf_span(&part->head, p->names[i].text);
    }
    return part;
}

static void
on_data(void *handle, struct span s)
{
    struct part *p = handle;

    assert_true(s.n > 0);
    p->log->bytes += s.n;
    p->n += s.n;
    if (!p->log->quiet)
        buf_span(&p->bytes, s);
}

static void
on_gap(void *handle, uint64_t lost)
{
    struct part *p = handle;

    p->lost += lost;
    buf_str(&p->bytes, "[gap]");
}

static void *
on_fork(void *handle)
{
    struct part *p = handle;
    struct part *f;

    if (p->log->no_forks)
        return NULL;
    f = calloc(1, sizeof(*f));
    assert_non_null(f);
    p->log->n_open++;
    p->log->n_forked++;
    f->log = p->log;
    f->lost = p->lost;
    f->n = p->n;
    buf_init(&f->head, LOG_MAX);
    buf_init(&f->bytes, LOG_MAX);
    buf_str(&f->head, "+ ");
    buf_span(&f->head, buf_view(&p->head));
    buf_span(&f->bytes, buf_view(&p->bytes));
    return f;
}

static void
on_end(void *handle, const struct mime_part_end *e)
{
    struct part *p = handle;
    struct log *log = p->log;

    assert_true(log->n_open > 0);
    assert_true(e->lost == p->lost);
    if (p->as_is)
        assert_true(e->offset - p->offset == p->n + p->lost);
    log->n_open--;
    if (!log->quiet) {
        buf_span(&log->text, buf_view(&p->head));
        buf_str(&log->text, " {");
        buf_span(&log->text, buf_view(&p->bytes));
        buf_str(&log->text, e->cut ? "} cut\n" : "}\n");
    }
    buf_free(&p->head);
    buf_free(&p->bytes);
    free(p);
}

/* Messages are not given out, only named. */
static void
on_message(void *ctx, const struct mime_part *p)
{
    struct log *log = ctx;

    if (log->quiet || log->unwanted)
        return;
    buf_printf(&log->text, "message %u", p->depth);
    for (unsigned i = 0; i < p->n_names; i++) {
        buf_str(&log->text, i == 0 ? " " : "|");
        buf_span(&log->text, p->names[i].text);
    }
    buf_str(&log->text, p->reading > 0 ? " ?\n" : "\n");
}

static const struct mime_ops ops = {
    .message = on_message,
    .part_begin = on_begin,
    .part_data = on_data,
    .part_gap = on_gap,
    .part_fork = on_fork,
    .part_end = on_end,
};

static void
log_init(struct log *log)
{
    *log = (struct log){.n_open = 0};
    charset_init(&log->cs);
    buf_init(&log->text, LOG_MAX);
}

static void
log_free(struct log *log)
{
    charset_fini(&log->cs);
    buf_free(&log->text);
}

static void
log_reset(struct log *log)
{
    buf_reset(&log->text);
    log->n_parts = log->n_forked = log->depth_max = 0;
    log->bytes = log->odd = log->peak = 0;
}

/* A copy of its own, so that a sanitizer sees a read beyond. */
static void
give(struct mime *m, struct span s)
{
    uint8_t *copy = malloc(s.n > 0 ? s.n : 1);

    assert_non_null(copy);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    mime_data(m, span_of(copy, s.n));
    free(copy);
}

struct how {
    size_t cut;    /* where the input is cut in two */
    size_t step;   /* 0, or the size of the pieces */
    size_t gap_at; /* with lost */
    uint64_t lost;
    uint64_t memory; /* 0: enough */
    bool incomplete;
};

static void
read_message(struct log *log, struct span in, struct how how)
{
    struct mime_options o = {&ops, log, &log->cs};
    struct mem mem = {.max = how.memory > 0 ? how.memory : 64U << 20};
    struct mime *m = NULL;

    log_reset(log);
    if (mime_new(&o, &mem, &m) != ERR_OK) {
        assert_true(mem.used == 0);
        return;
    }
    if (how.lost > 0) {
        give(m, span_head(in, how.gap_at));
        mime_gap(m, how.lost);
        in = span_tail(in, how.gap_at);
    }
    if (how.cut > 0) {
        give(m, span_head(in, how.cut));
        in = span_tail(in, how.cut);
    }
    while (in.n > 0) {
        size_t n = how.step > 0 && how.step < in.n ? how.step : in.n;

        give(m, span_head(in, n));
        log->peak = mem.used > log->peak ? mem.used : log->peak;
        in = span_tail(in, n);
    }
    mime_end(m, !how.incomplete);
    log->odd = mime_odds(m);
    log->n_first = mime_parts(m);
    log->n_more = mime_parts_more(m);
    assert_int_equal(log->n_open, 0);
    mime_free(m);
    assert_true(mem.used == 0);
}

#define HEAD(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"
#define ZIP(n)                                                                 \
    "Content-Type: application/zip; name=" n "\r\n"                            \
    "Content-Transfer-Encoding: base64\r\n\r\n"

/* Parts: "type names {bytes}"; '?' before it is another reading, '+' one that
 * went on from another, '^' a nested message. Odds: names of forks only. */
static const struct {
    const char *why;
    const char *in;
    const char *want;
    const char *odds;
} rows[] = {
    /* ---- plain ---- */
    ROW("no header", "hello\r\n", "text/plain {hello\r\n}\n", ""),
    ROW("no header but its end", "\r\nhello\r\n", "text/plain {hello\r\n}\n",
        ""),
    ROW("text", "Subject: a\r\n\r\nhello\r\n\r\n",
        "text/plain {hello\r\n\r\n}\n", ""),
    ROW("LF alone", "Subject: a\n\nhello\n", "text/plain {hello\n}\n", ""),
    ROW("no body", "Subject: a\r\n", "text/plain {}\n", ""),
    ROW("what looks like a part", "\r\n--b\r\nContent-Type: a/b\r\n\r\n--b--",
        "text/plain {--b\r\nContent-Type: a/b\r\n\r\n--b--}\n", ""),
    ROW("nothing", "", "", ""),
    ROW("mbox line", "From me\r\nSubject: a\r\n\r\nhello",
        "text/plain {hello}\n", ""),
    ROW("base64", "Content-Transfer-Encoding: BASE64\r\n\r\naGVsbG8=\r\n",
        "text/plain {hello}\n", ""),
    ROW("quoted-printable",
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nh=65llo=\r\n!",
        "text/plain {hello!}\n", ""),
    ROW("type in capitals, charset",
        "Content-Type: TEXT/HTML; charset=x\r\n\r\n.", "text/html {.}\n", ""),
    ROW("type with comments", "Content-Type: text/html (x)\r\n\r\n.",
        "text/html {.}\n", ""),

    /* ---- multiparts ---- */
    ROW("two parts",
        HEAD("b") "preamble\r\n--b\r\n\r\none\r\n--b\r\n" ZIP(
            "z") "YQ==\r\n--b--\r\nepilogue",
        "text/plain {one}\napplication/zip z {a}\n", ""),
    ROW("no preamble", HEAD("b") "--b\r\n\r\none\r\n--b--",
        "text/plain {one}\n", ""),
    ROW("empty parts", HEAD("b") "--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n",
        "text/plain {}\ntext/plain {}\n", ""),
    ROW("blank lines are of the part",
        HEAD("b") "--b\r\n\r\n\r\na\r\n\r\n--b--", "text/plain {\r\na\r\n}\n",
        ""),
    ROW("blanks behind a delimiter",
        HEAD("b") "--b \t\r\n\r\none\r\n--b-- \r\n", "text/plain {one}\n", ""),
    ROW("what only looks like a delimiter",
        HEAD("b") "--b\r\n\r\n--\r\n-b\r\n--c\r\n --b\r\n--b--",
        "text/plain {--\r\n-b\r\n--c\r\n --b}\n", ""),
    ROW("nested",
        HEAD("a") "--a\r\n" HEAD("b") "--b\r\n\r\none\r\n--b--\r\n"
                                      "--a\r\n\r\ntwo\r\n--a--\r\n",
        "text/plain {one}\ntext/plain {two}\n", ""),
    ROW("inner end missing",
        HEAD("a") "--a\r\n" HEAD("b") "--b\r\n\r\none\r\n"
                                      "--a\r\n\r\ntwo\r\n--a--\r\n",
        "text/plain {one}\ntext/plain {two}\n", ""),
    ROW("all ends missing", HEAD("a") "--a\r\n\r\none\r\n",
        "text/plain {one\r\n}\n", ""),
    ROW("inner boundary is longer",
        HEAD("a") "--a\r\n" HEAD("ab") "--ab\r\n\r\none\r\n--ab--\r\n--a--",
        "text/plain {one}\n", ""),
    ROW("outer boundary is longer",
        HEAD("ab") "--ab\r\n" HEAD("a") "--a\r\n\r\none\r\n--a--\r\n--ab--",
        "text/plain {one}\n", ""),
    ROW("parts without header or body", HEAD("b") "--b\r\n--b\r\nX: y\r\n--b--",
        "text/plain {}\n", ""),

    /* ---- messages ---- */
    ROW("a message with a name",
        HEAD("b") "--b\r\nContent-Type: message/rfc822; name=a.eml\r\n\r\n"
                  "Subject: x\r\n\r\nin\r\n--b--",
        "message 1 a.eml\n^1 text/plain {in}\n", ""),
    ROW("an attached message",
        "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n"
        "\r\nSubject: x\r\n\r\nin",
        "message 0\n^1 text/plain {in}\n", ""),
    ROW("a message with a name in an encoded one",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64"
        "\r\n\r\n"
        "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMjsgbmFtZT1hCgoKaQ==",
        "message 1 a ?\n^2 ? text/plain {i}\n"
        "message/rfc822 {Content-Type: message/rfc822; name=a\n\n\ni}\n",
        "encoded_message"),
    ROW("message", "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nin",
        "^1 text/plain {in}\n", ""),
    ROW("message in a multipart",
        HEAD("a") "--a\r\nContent-Type: message/rfc822\r\n\r\n" HEAD(
            "b") "--b\r\n\r\nin\r\n--b--\r\n--a\r\n\r\nout\r\n--a--",
        "^1 text/plain {in}\ntext/plain {out}\n", ""),
    ROW("digest",
        "Content-Type: multipart/digest; boundary=a\r\n\r\n"
        "--a\r\n\r\nSubject: x\r\n\r\none\r\n"
        "--a\r\n\r\n\r\ntwo\r\n"
        "--a\r\nContent-Type: text/plain\r\n\r\nthree\r\n--a--",
        "^1 text/plain {one}\n^2 text/plain {two}\ntext/plain {three}\n", ""),

    ROW("message in base64",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64"
        "\r\n\r\nU3ViamVjdDogeA0KDQpoaQ==",
        "^1 ? text/plain {hi}\nmessage/rfc822 {Subject: x\r\n\r\nhi}\n",
        "encoded_message"),
    ROW("message in quoted-printable",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\nSubject:=20x\r\n\r\nh=69",
        "^1 ? text/plain {hi}\nmessage/rfc822 {Subject: x\r\n\r\nhi}\n",
        "encoded_message"),

    /* ---- uuencode ---- */
    ROW("uuencode in text",
        "Subject: a\r\n\r\nsee\r\nbegin 644 "
        "a.txt\r\n#0V%T\r\n`\r\nend\r\nbye\r\n",
        "text/plain {see\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nbye\r\n}\n"
        "application/octet-stream a.txt {Cat}\n",
        ""),
    ROW("two of them",
        "\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\nbegin 600 b "
        "c\r\n#0V%T\r\nend\r\n",
        "application/octet-stream a {Cat}\n"
        "text/plain {begin 644 a\r\n#0V%T\r\n`\r\nend\r\nbegin 600 b c\r\n"
        "#0V%T\r\nend\r\n}\napplication/octet-stream b c {Cat}\n",
        ""),
    ROW("begin in prose", "\r\nbegin 644 things\r\nand so on\r\n",
        "text/plain {begin 644 things\r\nand so on\r\n}\n", ""),
    ROW("an empty uuencoded file is none", "\r\nbegin 644 a\r\n`\r\nend\r\n",
        "text/plain {begin 644 a\r\n`\r\nend\r\n}\n", ""),
    ROW("uuencode as encoding",
        "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#0V%T\r\n"
        "`\r\nend\r\n",
        "text/plain {Cat}\n", ""),

    /* ---- encodings ---- */
    ROW("two encodings",
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\naGk=",
        "text/plain {hi}\n? text/plain {aGk=}\n", "encodings"),
    ROW("the same twice",
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\naGk=",
        "text/plain {hi}\n", ""),
    ROW("unknown encoding", "Content-Transfer-Encoding: foo\r\n\r\naGk=",
        "text/plain {aGk=}\n? text/plain {hi}\n? text/plain {aGk}\n",
        "encodings"),
    ROW("unknown, but nothing encoded",
        "Content-Transfer-Encoding: 8 bit\r\n\r\n.", "text/plain {.}\n", ""),
    ROW("encoding with a comment",
        "Content-Transfer-Encoding: base64 (x)\r\n\r\naGk=",
        "text/plain {hi}\n", ""),
    ROW("behind a bare CR",
        "X: y\rContent-Transfer-Encoding: base64\r\n\r\naGk=",
        "text/plain {aGk=}\n? text/plain {hi}\n", "hidden_field encodings"),
    ROW("two fields behind bare CR",
        "X: y\r\rContent-Transfer-Encoding: base64\r\n"
        "Content-Type: text/plain;\r\rContent-Disposition: x; filename=f\r\n"
        "\r\naGk=",
        "text/plain f {aGk=}\n? text/plain f {hi}\n", "hidden_field encodings"),
    ROW("behind blanks",
        HEAD("b") "--b\r\n Content-Transfer-Encoding: base64\r\n"
                  "\r\naGk=\r\n--b--",
        "text/plain {aGk=}\n? text/plain {hi}\n", "hidden_field encodings"),
    ROW("no list of field names is one",
        "DKIM-Signature: h=from:\r\n content-transfer-encoding:base64\r\n\r\n.",
        "text/plain {.}\n", ""),
    ROW("binary with line ends",
        "Content-Type: application/zip\r\n\r\na\1b\r\nc\r\n",
        "application/zip {a\1b\r\nc\r\n}\n"
        "+ application/zip {a\1b\nc\n}\n",
        "line_ends"),

    /* ---- boundaries and types ---- */
    ROW("two boundaries",
        "Content-Type: multipart/mixed; boundary=a; boundary=b"
        "\r\n\r\n--b\r\n\r\none\r\n--b--",
        "? text/plain {one}\n", "boundaries"),
    ROW("two boundaries, both used",
        "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n"
        "--a\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n--a--",
        "? text/plain {2}\ntext/plain {1\r\n--b\r\n\r\n2\r\n--b--}\n",
        "boundaries"),
    ROW("one boundary for two",
        HEAD("a") "--a\r\n" HEAD("a") "--a\r\n\r\none\r\n--a--\r\n--a--",
        "text/plain {one}\n? text/plain {one}\n", "boundaries"),
    ROW("two types",
        "Content-Type: text/plain\r\n" HEAD("a") "--a\r\n\r\none\r\n"
                                                 "--a--\r\n",
        "+ text/plain {}\n? text/plain {one}\ntext/plain "
        "{--a\r\n\r\none\r\n--a--\r\n}\n",
        "types"),
    ROW("multipart that is base64",
        "Content-Transfer-Encoding: base64\r\n" HEAD("a") "aGk=\r\n",
        "? multipart/mixed {hi}\n", "encoded_multipart"),
    ROW("multipart that says base64",
        "Content-Transfer-Encoding: base64\r\n" HEAD("a") "\r\n--a\r\n\r\n"
                                                          "hi\r\n--a--\r\n",
        "text/plain {hi}\n", ""),
    ROW("multipart that says base64, with a preamble",
        "Content-Transfer-Encoding: base64\r\n" HEAD(
            "a") "This is a message.\r\n--a\r\n\r\nhi\r\n--a--\r\n",
        "text/plain {hi}\n", ""),
    ROW("multipart in an unknown encoding",
        "Content-Transfer-Encoding: foo\r\n" HEAD(
            "a") "--a\r\n\r\nhi\r\n--a--\r\n",
        "text/plain {hi}\n", ""),
    ROW("no boundary declared",
        "Content-Type: multipart/mixed\r\n\r\n--x\r\n"
        "Content-Type: text/html\r\n\r\nhi\r\n--x--\r\n",
        "text/html {hi}\n", "undeclared_boundary"),
    ROW("another boundary used",
        HEAD("a") "--x\r\nContent-Type: text/html\r\n"
                  "\r\nhi\r\n--x--\r\n",
        "? text/html {hi}\n", "undeclared_boundary"),
    ROW("no delimiter in text that quotes one",
        "\r\n--x\r\nContent-Type: text/html\r\n\r\nhi\r\n--x--\r\n",
        "text/plain {--x\r\nContent-Type: text/html\r\n\r\nhi\r\n--x--\r\n}\n",
        ""),

    /* ---- delimiters ---- */
    ROW("junk behind a delimiter", HEAD("a") "--a x\r\n\r\none\r\n--a--\r\n",
        "? text/plain {one}\n", "delimiter"),
    ROW("CR within a delimiter line",
        HEAD("a") "--a\rContent-Type: text/html\r\n\r\none\r\n--a--\r\n",
        "? text/html {one}\n", "delimiter"),
    ROW("delimiter behind the end",
        HEAD("a") "--a\r\n\r\n1\r\n--a--\r\n--a\r\n\r\n2\r\n--a--\r\n",
        "text/plain {1}\n? text/plain {2}\n", "after_end"),
    ROW("junk behind two delimiters, decided once",
        HEAD("a") "--a x\r\n\r\n1\r\n--a x\r\n\r\n2\r\n--a--\r\n",
        "? text/plain {1}\n? text/plain {2}\n", "delimiter"),
    ROW("junk behind one of two delimiters",
        HEAD("a") "--a\r\n\r\n1\r\n--a x\r\n--a x\r\n\r\n2\r\n--a--\r\n",
        "+ text/plain {1}\ntext/plain {1\r\n--a x\r\n--a x\r\n\r\n2}\n"
        "? text/plain {2}\n",
        "delimiter"),
    ROW("two delimiters behind the end, decided once",
        HEAD("a") "--a\r\n\r\n1\r\n--a--\r\n--a\r\n\r\n2\r\n"
                  "--a\r\n\r\n3\r\n--a--\r\n",
        "text/plain {1}\n? text/plain {2}\n? text/plain {3}\n", "after_end"),
    ROW("other boundaries are other states",
        "Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c"
        "\r\n\r\n--b\r\n\r\n1\r\n--c\r\n\r\n2\r\n--c--\r\n--b--\r\n",
        "? text/plain {2}\n? text/plain {1\r\n--c\r\n\r\n2\r\n--c--}\n",
        "boundaries"),
    ROW("the streams run out: cuts do not decide which",
        "Content-Type: multiqart=b; boundary=c\r\n"
        "Content-Transfer-Encoding: base64\r\n\rjunk;--c x\r\n"
        "Content-Transfer-Encodi\r\n\r\nAAAA\r\n--b\r\n\r\n"
        "-part=b; boundinutext/html\r\n\r\nAA=A\r\n\r\nAAAA\r\n"
        "--bA=A\r\n\r\nAAAA\r\n--b\r\n\r\n-part=b; bounda",
        NULL, NULL),
    ROW("delimiter in a header section",
        HEAD("a") "--a\r\nX: y\r\n--a\r\n\r\n1\r\n--a--\r\n",
        "text/plain {}\ntext/plain {1}\n", ""),

    /* ---- where header sections end ---- */
    ROW("junk in a header section, plain text",
        "Subject: a\r\njunk\r\nTo: b\r\n\r\ntext",
        "text/plain {junk\r\nTo: b\r\n\r\ntext}\n", ""),
    ROW("junk in a header section",
        "Subject: a\r\njunk\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=",
        NULL, "header_end"),
    ROW("no end of a header section",
        HEAD("a") "--a\r\n" ZIP("z") "aGk=\r\n--a--",
        "application/zip z {hi}\n", ""),
};

static void
put_forks(uint64_t odd, struct buf *out)
{
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        if ((odd >> i & 1) == 0 || !mime_odd_is_fork((enum mime_odd)i))
            continue;
        buf_str(out, out->n > 0 ? " " : "");
        buf_str(out, mime_odd_name((enum mime_odd)i));
    }
}

static void
test_rows(void **state)
{
    struct log log;
    struct buf odds;
    unsigned bad = 0;

    (void)state;
    log_init(&log);
    buf_init(&odds, 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_message(&log, span_str(rows[i].in), (struct how){.cut = 0});
        buf_reset(&odds);
        put_forks(log.odd, &odds);
        if ((rows[i].want == NULL ||
             span_eq(buf_view(&log.text), span_str(rows[i].want))) &&
            (rows[i].odds == NULL ||
             span_eq(buf_view(&odds), span_str(rows[i].odds))))
            continue;
        fprintf(stderr, "%s:\n--- got (%.*s)\n%.*s--- want (%s)\n%s\n",
                rows[i].why, (int)odds.n, (const char *)odds.p, (int)log.text.n,
                (const char *)log.text.p,
                rows[i].odds != NULL ? rows[i].odds : "any",
                rows[i].want != NULL ? rows[i].want : "any");
        bad++;
    }
    buf_free(&odds);
    log_free(&log);
    assert_int_equal(bad, 0);
}

static void
test_any_cut(void **state)
{
    struct log whole;
    struct log got;

    (void)state;
    log_init(&whole);
    log_init(&got);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = span_str(rows[i].in);

        read_message(&whole, in, (struct how){.cut = 0});
        for (size_t cut = 0; cut <= in.n; cut++) {
            struct how how = {.cut = cut, .step = cut == 0};

            read_message(&got, in, how);
            if (!span_eq(buf_view(&whole.text), buf_view(&got.text)) ||
                whole.odd != got.odd || whole.n_first != got.n_first)
                fail_msg("%s, cut at %zu:\n%.*s---\n%.*s", rows[i].why, cut,
                         (int)whole.text.n, (const char *)whole.text.p,
                         (int)got.text.n, (const char *)got.text.p);
        }
    }
    log_free(&got);
    log_free(&whole);
}

/* The message ends anywhere. */
static void
test_any_end(void **state)
{
    struct log log;

    (void)state;
    log_init(&log);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = span_str(rows[i].in);

        for (size_t n = 0; n <= in.n; n++)
            read_message(&log, span_head(in, n),
                         (struct how){.incomplete = n & 1});
    }
    log_free(&log);
}

static void
test_any_gap(void **state)
{
    struct log log;

    (void)state;
    log_init(&log);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = span_str(rows[i].in);

        for (size_t at = 0; at <= in.n; at++) {
            read_message(&log, in, (struct how){.gap_at = at, .lost = 7});
            assert_true(log.odd >> MIME_ODD_GAP & 1);
        }
    }
    log_free(&log);
}

static const struct {
    const char *why;
    const char *before;
    const char *after;
    const char *want;
} gaps[] = {
    ROW("in text", "\r\nab", "cd", "text/plain {ab[gap]cd}\n"),
    ROW("the next boundary is found", HEAD("b") "--b\r\n\r\nab",
        "cd\r\n--b\r\n\r\nnext\r\n--b--",
        "text/plain {ab[gap]cd}\ntext/plain {next}\n"),
    ROW("what comes first is no line", HEAD("b") "--b\r\n\r\nab", "--b\r\nc",
        "text/plain {ab[gap]--b\r\nc}\n"),
    ROW("base64 goes on at a line",
        "Content-Transfer-Encoding: base64\r\n\r\naGVs\r\naG", "Vs\r\naGVs\r\n",
        "text/plain {hel[gap]hel}\n"),
    ROW("in the header", "Subject: a", "b\r\nTo: x\r\n\r\ntext",
        "text/plain {text}\n"),
    ROW("the header's end is lost", "Subject: a", "b\r\ntext\r\nmore",
        "text/plain {text\r\nmore}\n"),
    ROW("the boundary is lost with its field", "Subject: a\r\nConte",
        "undary=b\r\nX: y\r\n\r\npre\r\n--b\r\n"
        "Content-Type: text/html\r\n\r\n<a>\r\n--b\r\n\r\ntwo\r\n--b--",
        "? text/html {<a>}\n? text/plain {two}\n"
        "text/plain {pre\r\n--b\r\nContent-Type: text/html\r\n\r\n<a>\r\n"
        "--b\r\n\r\ntwo\r\n--b--}\n"),
    ROW("and with the end of the header", "Subject: a\r\nConte",
        "re\r\n--b\r\nContent-Type: text/html\r\n\r\n<a>\r\n--b--\r\nx",
        "? text/html {<a>}\n"
        "text/plain {--b\r\nContent-Type: text/html\r\n\r\n<a>\r\n--b--\r\nx"
        "}\n"),
    ROW("and with the first delimiter", "Subject: a\r\nConte",
        "--b\r\nContent-Type: text/html\r\n\r\n<a>\r\n--b\r\n"
        "Content-Type: text/css\r\n\r\ntwo\r\n--b--",
        "? text/css {two}\n"
        "text/html {<a>\r\n--b\r\nContent-Type: text/css\r\n\r\ntwo\r\n"
        "--b--}\n"),
    ROW("what is no delimiter is none", "Subject: a\r\nConte",
        "pe\r\n\r\n--\r\nContent-Type: a\r\n--b\r\n\r\nContent-Type: b",
        "text/plain {--\r\nContent-Type: a\r\n--b\r\n\r\nContent-Type: b}\n"),
    ROW("nor does it begin a uuencoded file", "Subject: a\r\nConte",
        "pe\r\n\r\n--begin 644 x\r\n#0V%T\r\n`\r\nend",
        "text/plain {--begin 644 x\r\n#0V%T\r\n`\r\nend}\n"),
    ROW("the boundary of a part within is lost",
        HEAD("b") "--b\r\nContent-Type: multip",
        "\r\n\r\n--c\r\nContent-Type: text/css\r\n\r\nin\r\n--c--\r\n--b"
        "\r\n\r\nlast\r\n--b--",
        "? text/css {in}\n"
        "text/plain {--c\r\nContent-Type: text/css\r\n\r\nin\r\n--c--}\n"
        "text/plain {last}\n"),
    ROW("in a preamble", HEAD("b") "ab", "c\r\n--b\r\n\r\nx\r\n--b--",
        "text/plain {x}\n"),
    ROW("in a delimiter", HEAD("b") "--b\r\n\r\nab\r\n--", "--\r\nc",
        "text/plain {ab\r\n--[gap]--\r\nc}\n"),
};

static void
test_gaps(void **state)
{
    struct log log;
    struct buf in;

    (void)state;
    log_init(&log);
    buf_init(&in, 4096);
    for (size_t i = 0; i < ARRAY_LEN(gaps); i++) {
        struct how how = {.gap_at = strlen(gaps[i].before), .lost = 5};

        buf_reset(&in);
        buf_str(&in, gaps[i].before);
        buf_str(&in, gaps[i].after);
        for (how.step = 0; how.step < 2; how.step++) {
            read_message(&log, buf_view(&in), how);
            if (!span_eq(buf_view(&log.text), span_str(gaps[i].want)))
                fail_msg("%s:\n%.*s---\n%s", gaps[i].why, (int)log.text.n,
                         (const char *)log.text.p, gaps[i].want);
        }
    }
    buf_free(&in);
    log_free(&log);
}

/* Each amount of memory up to what is used. */
static void
test_no_memory(void **state)
{
    struct log log;

    (void)state;
    log_init(&log);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = span_str(rows[i].in);
        uint64_t peak;

        read_message(&log, in, (struct how){.step = 1});
        peak = log.peak;
        for (uint64_t max = 1; max <= peak; max += max < 64 ? 1 : 24)
            read_message(&log, in, (struct how){.memory = max, .step = 5});
    }
    log_free(&log);
}

static void
test_refusals(void **state)
{
    struct log log;

    (void)state;
    log_init(&log);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = span_str(rows[i].in);

        log.unwanted = true;
        read_message(&log, in, (struct how){.step = 3});
        assert_int_equal(log.text.n, 0);
        log.unwanted = false;
        log.no_forks = true;
        read_message(&log, in, (struct how){.step = 3});
        assert_int_equal(log.n_forked, 0);
        log.no_forks = false;
    }
    log_free(&log);
}

/* ---- limits ---- */

/* Messages in messages, each in quoted-printable that has nothing to encode. */
static void
test_nested(void **state)
{
    struct log log;
    struct buf in;

    (void)state;
    log_init(&log);
    buf_init(&in, 1U << 20);
    for (unsigned n = 1; n <= 1000; n += n <= MIME_NESTED ? 1 : 499) {
        unsigned opened = n < MIME_NESTED ? n : MIME_NESTED;

        buf_reset(&in);
        for (unsigned i = 0; i < n; i++)
            buf_str(&in, "Content-Type: message/rfc822\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        buf_str(&in, "Subject: x\r\n\r\nhello");
        read_message(&log, buf_view(&in), (struct how){.step = 11});
        assert_int_equal(log.n_parts, opened + 1);
        assert_int_equal(log.n_first, 1);
        assert_true(log.peak < 64U << 10);
    }
    buf_free(&in);
    log_free(&log);
}

static void
nest(struct buf *b, unsigned depth)
{
    buf_reset(b);
    for (unsigned i = 0; i < depth; i++)
        buf_printf(b,
                   "Content-Type: multipart/mixed; boundary=b%ux\r\n\r\n"
                   "--b%ux\r\n",
                   i, i);
    buf_str(b, "\r\nhello\r\n");
    for (unsigned i = depth; i-- > 0;)
        buf_printf(b, "--b%ux--\r\n", i);
}

static void
test_depth(void **state)
{
    static const unsigned depths[] = {1, MIME_MAX_depth - 1, MIME_MAX_depth,
                                      MIME_MAX_depth + 1, 1000};
    struct log log;
    struct buf in;

    (void)state;
    log_init(&log);
    buf_init(&in, 1U << 20);
    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        bool deep = depths[i] > MIME_MAX_depth;

        nest(&in, depths[i]);
        read_message(&log, buf_view(&in), (struct how){.step = 700});
        assert_int_equal(log.odd >> MIME_ODD_TOO_DEEP & 1, deep);
        assert_int_equal(log.n_parts, 1);
        assert_int_equal(log.depth_max, deep ? MIME_MAX_depth : depths[i]);
        assert_true(deep || log.bytes == 5);
        assert_true(log.peak < 64U << 10);
    }
    buf_free(&in);
    log_free(&log);
}

static void
test_parts(void **state)
{
    struct log log;
    struct buf in;

    (void)state;
    log_init(&log);
    buf_init(&in, 1U << 24);
    for (unsigned n = MIME_MAX_parts - 1; n <= MIME_MAX_parts + 1; n++) {
        buf_reset(&in);
        buf_str(&in, HEAD("b"));
        for (unsigned i = 0; i < n; i++)
            buf_str(&in, "--b\r\n\r\nx\r\n");
        buf_str(&in, "--b--\r\n");
        log.quiet = true;
        read_message(&log, buf_view(&in), (struct how){.step = 1448});
        assert_int_equal(log.odd >> MIME_ODD_TOO_MANY_PARTS & 1,
                         n > MIME_MAX_parts);
        assert_int_equal(log.n_parts, n < MIME_MAX_parts ? n : MIME_MAX_parts);
        assert_int_equal(log.n_first, n);
        assert_int_equal(log.n_more, n - log.n_parts);
        assert_true(log.peak < 16U << 10);
    }
    buf_free(&in);
    log_free(&log);
}

static void
put_many(struct buf *b, const char *unit, size_t n)
{
    while (b->n < n)
        buf_str(b, unit);
}

static void
test_boundary_length(void **state)
{
    struct log log;
    struct buf in;
    struct buf boundary;

    (void)state;
    log_init(&log);
    buf_init(&in, 1U << 20);
    buf_init(&boundary, 1U << 16);
    for (size_t n = MIME_MAX_boundary - 1; n <= MIME_MAX_boundary + 1; n++) {
        buf_reset(&boundary);
        buf_reset(&in);
        put_many(&boundary, "b", n);
        buf_str(&in, "Content-Type: multipart/mixed; boundary=");
        buf_span(&in, buf_view(&boundary));
        for (unsigned i = 0; i < 3; i++) {
            buf_str(&in, "\r\n\r\n--");
            buf_span(&in, buf_view(&boundary));
        }
        buf_str(&in, "--\r\n");
        read_message(&log, buf_view(&in), (struct how){.step = 1448});
        assert_int_equal(log.odd >> MIME_ODD_DELIMITER & 1,
                         n > MIME_MAX_boundary);
        read_message(&log, buf_view(&in), (struct how){.step = 1});
        assert_int_equal(log.odd >> MIME_ODD_DELIMITER & 1,
                         n > MIME_MAX_boundary);
    }
    buf_free(&boundary);
    buf_free(&in);
    log_free(&log);
}

static const struct {
    const char *why;
    const char *head;
    const char *unit;
    size_t n;
    const char *tail;
    uint64_t memory; /* at most */
} large[] = {
    ROW("a header line of 10 MB", "X: ", "abcdefgh", 10U << 20, "\r\n\r\nx",
        128U << 10),
    ROW("a Content-Type of 10 MB", "Content-Type: text/plain; name=\"",
        "abcdefgh", 10U << 20, "\"\r\n\r\nx", 256U << 10),
    ROW("folds of 10 MB", "Content-Type: text/plain;\r\n", "\ta\r\n", 10U << 20,
        "\r\nx", 256U << 10),
    ROW("a million fields", "", "Content-Type: text/html\r\n", 20U << 20,
        "\r\nx", 256U << 10),
    ROW("bare CR", "Content-Type: text/html", "\r", 4U << 20, "\r\n\r\nx",
        256U << 10),
    ROW("a body of 20 MB", "Content-Transfer-Encoding: base64\r\n\r\n",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWk"
        "FCQ"
        "0RF\r\n",
        20U << 20, "", 32U << 10),
    ROW("a line of 20 MB", "\r\n", "-", 20U << 20, "", 32U << 10),
    ROW("dashes", HEAD("b") "--b\r\n\r\n", "--\r\n", 8U << 20, "", 32U << 10),
    ROW("dashes behind bare CR", HEAD("b") "--b\r\n\r\n", "\r--", 8U << 20, "",
        32U << 10),
    ROW("begins", "\r\n", "begin 644 x\r\n", 8U << 20, "", 32U << 10),
    ROW("uuencoded files", "\r\n", "begin 644 x\r\n#0V%T\r\n", 4U << 20, "",
        32U << 10),
    ROW("closing delimiters", HEAD("b"), "--b--\r\n", 4U << 20, "", 32U << 10),
    ROW("lenient delimiters", HEAD("b"), "--b x\r\n", 4U << 20, "", 64U << 10),
    ROW("after the end", HEAD("b") "--b--\r\n", "--b\r\n\r\nx\r\n", 4U << 20,
        "", 64U << 10),
    ROW("undeclared boundaries", HEAD("b"),
        "--x\r\nContent-Type: text/html\r\n", 4U << 20, "", 64U << 10),
    ROW("multiparts that may be parts", HEAD("b"),
        "--b\r\nContent-Transfer-Encoding: base64\r\n" HEAD("c") "x\r\n",
        4U << 20, "", 64U << 10),
    ROW("junk in header sections", HEAD("b"),
        "--b\r\nContent-Transfer-Encoding: base64\r\njunk\r\n\r\nx\r\n",
        4U << 20, "", 64U << 10),
    ROW("messages in messages", "", "Content-Type: message/rfc822\r\n\r\n",
        4U << 20, "", 64U << 10),
    ROW("one boundary for all", HEAD("b"), "--b\r\n" HEAD("b"), 2U << 20, "",
        64U << 10),
    ROW("other readings in each part", HEAD("b"),
        "--b\r\nContent-Transfer-Encoding: x\r\n"
        "Content-Type: multipart/mixed; boundary=c; boundary=d\r\n\r\n--c x\r\n"
        "\r\n--d\r\n\r\n\r\n--c\r\n\r\n",
        2U << 20, "", 64U << 10),
};

static void
test_large(void **state)
{
    struct log log;
    struct buf in;

    (void)state;
    log_init(&log);
    log.quiet = true;
    buf_init(&in, 1U << 26);
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        buf_reset(&in);
        buf_str(&in, large[i].head);
        put_many(&in, large[i].unit, large[i].n);
        buf_str(&in, large[i].tail);
        read_message(&log, buf_view(&in), (struct how){.step = 16384});
        if (log.peak > large[i].memory)
            fail_msg("%s: %llu bytes of memory", large[i].why,
                     (unsigned long long)log.peak);
    }
    buf_free(&in);
    log_free(&log);
}

static void
test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        assert_non_null(mime_odd_name((enum mime_odd)i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(mime_odd_name((enum mime_odd)i),
                                    mime_odd_name((enum mime_odd)k));
    }
    mime_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_any_end),
        cmocka_unit_test(test_any_gap),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_boundary_length),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

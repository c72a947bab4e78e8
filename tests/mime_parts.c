/* mime_parts - the parts of message files, as lines of JSON
 *
 *     mime_parts [--crlf] [--cuts N] [--repeat N] FILE...
 *
 * --crlf     a LF without CR becomes CRLF before, as on the wire
 * --cuts N   each message again, byte by byte and in N random cuts: all must
 *            give the same ("cut" is then true)
 * --repeat N reads each N times, for measuring
 *
 * With MIME_PARTS_SAVE in the environment each part is written into that
 * folder, named by its SHA-256. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "dissectors/mime.h"
#include "sensor/base/attr.h"
#include "sensor/base/json_out.h"

#define FILE_MAX (UINT64_C(1) << 30)

struct out {
    struct buf text;
    struct charset cs;
    unsigned n_open;
    bool quiet;
};

struct part {
    struct out *o;
    struct buf head; /* its JSON so far */
    struct buf bytes;
    uint64_t lost;
    bool forked;
};

static void
hash(struct span s, char out[65])
{
    uint8_t md[32];
    unsigned n = 0;

    REQUIRE(EVP_Digest(s.p, s.n, md, &n, EVP_sha256(), NULL) == 1);
    for (unsigned i = 0; i < 32; i++)
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", md[i]);
}

static void
put_string(struct buf *b, struct span s)
{
    static const char digits[] = "0123456789abcdef";

    buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
            /* Each byte a character: the reader makes bytes of them. */
            buf_str(b, "\\u00");
            buf_putc(b, (uint8_t)digits[c >> 4]);
            buf_putc(b, (uint8_t)digits[c & 15]);
        } else {
            buf_putc(b, c);
        }
    }
    buf_putc(b, '"');
}

static void
put_odds(struct buf *b, uint64_t odd)
{
    const char *sep = "";

    buf_str(b, "[");
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        if (odd >> i & 1) {
            buf_printf(b, "%s\"%s%s\"", sep,
                       mime_odd_is_fork((enum mime_odd)i) ? "*" : "",
                       mime_odd_name((enum mime_odd)i));
            sep = ",";
        }
    }
    buf_str(b, "]");
}

static void *
on_begin(void *ctx, const struct mime_part *p)
{
    struct out *o = ctx;
    struct part *part = calloc(1, sizeof(*part));
    struct buf *b;

    REQUIRE(part != NULL);
    part->o = o;
    o->n_open++;
    buf_init(&part->bytes, FILE_MAX);
    buf_init(&part->head, FILE_MAX);
    b = &part->head;
    buf_printf(b,
               "{\"number\":%u,\"parent\":%u,\"depth\":%u,\"reading\":%u,"
               "\"disposition\":%u,\"decode\":%u,\"offset\":%" PRIu64
               ",\"declared\":%d,\"uu\":%d,\"type\":",
               p->number, p->parent, p->depth, p->reading, p->disposition,
               p->decode, p->offset, p->declared, p->uu);
    put_string(b, p->type);
    buf_str(b, ",\"charset\":");
    put_string(b, p->charset);
    buf_str(b, ",\"encoding\":");
    put_string(b, p->encoding);
    buf_str(b, ",\"names\":[");
    for (unsigned i = 0; i < p->n_names; i++) {
        buf_str(b, i > 0 ? "," : "");
        put_string(b, p->names[i].text);
    }
    buf_str(b, "]");
    return part;
}

static void
on_data(void *handle, struct span s)
{
    struct part *p = handle;

    if (!p->o->quiet)
        buf_span(&p->bytes, s);
}

static void
on_gap(void *handle, uint64_t lost)
{
    struct part *p = handle;

    p->lost += lost;
}

static void *
on_fork(void *handle)
{
    struct part *p = handle;
    struct part *f = calloc(1, sizeof(*f));

    REQUIRE(f != NULL);
    f->o = p->o;
    f->lost = p->lost;
    f->forked = true;
    p->o->n_open++;
    buf_init(&f->head, FILE_MAX);
    buf_init(&f->bytes, FILE_MAX);
    buf_span(&f->head, buf_view(&p->head));
    buf_span(&f->bytes, buf_view(&p->bytes));
    return f;
}

static void
save(const struct part *p, const char *sha)
{
    const char *dir = getenv("MIME_PARTS_SAVE");
    char path[4096];
    FILE *f;

    if (dir == NULL)
        return;
    (void)snprintf(path, sizeof(path), "%s/%.64s", dir, sha);
    f = fopen(path, "wb");
    if (f == NULL)
        return;
    if (p->bytes.n > 0)
        (void)fwrite(p->bytes.p, 1, p->bytes.n, f);
    (void)fclose(f);
}

static void
on_end(void *handle, const struct mime_part_end *e)
{
    struct part *p = handle;
    struct out *o = p->o;
    char sha[65];

    o->n_open--;
    if (!o->quiet) {
        hash(buf_view(&p->bytes), sha);
        save(p, sha);
        buf_span(&o->text, buf_view(&p->head));
        buf_printf(&o->text,
                   ",\"end\":%" PRIu64 ",\"size\":%zu,\"sha256\":\"%s\","
                   "\"forked\":%d,\"lost\":%" PRIu64
                   ",\"cut\":%d,\"decode_odd\":%u,\"odd\":",
                   e->offset, p->bytes.n, sha, p->forked, p->lost, e->cut,
                   e->decode_odd);
        put_odds(&o->text, e->odd);
        buf_str(&o->text, "},");
    }
    buf_free(&p->head);
    buf_free(&p->bytes);
    free(p);
}

static const struct mime_ops ops = {
    .part_begin = on_begin,
    .part_data = on_data,
    .part_gap = on_gap,
    .part_fork = on_fork,
    .part_end = on_end,
};

static uint32_t
next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

/* cut: 0 whole, 1 bytes, else a seed of random cuts. */
static void
feed(struct mime *m, struct span in, uint64_t cut)
{
    uint64_t state = cut;

    while (in.n > 0) {
        size_t n = cut == 0 ? in.n : cut == 1 ? 1 : next_random(&state) % 200;
        uint8_t *copy;

        n = n < in.n ? n : in.n;
        copy = malloc(n > 0 ? n : 1);
        REQUIRE(copy != NULL);
        memcpy(copy, in.p, n);
        mime_data(m, span_of(copy, n));
        free(copy);
        in = span_tail(in, n);
    }
}

static void
read_once(struct out *o, struct span in, uint64_t cut)
{
    struct mime_options options = {&ops, o, &o->cs};
    struct mem mem = {.max = 64U << 20};
    struct mime *m = NULL;

    buf_reset(&o->text);
    REQUIRE(mime_new(&options, &mem, &m) == ERR_OK);
    feed(m, in, cut);
    mime_end(m, true);
    buf_str(&o->text, "null],\"odd\":");
    put_odds(&o->text, mime_odds(m));
    buf_printf(&o->text, ",\"first\":%u", mime_parts(m));
    mime_free(m);
    REQUIRE(mem.used == 0);
    REQUIRE(o->n_open == 0);
}

static bool
read_file(const char *path, bool crlf, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    int before = 0;
    int c;

    buf_reset(out);
    if (f == NULL)
        return false;
    while ((c = getc(f)) != EOF) {
        if (crlf && c == '\n' && before != '\r')
            buf_putc(out, '\r');
        buf_putc(out, (uint8_t)c);
        before = c;
    }
    (void)fclose(f);
    return true;
}

static void
one_file(struct out *o, const char *path, struct span in, unsigned cuts)
{
    struct buf whole;
    bool same = true;

    buf_init(&whole, FILE_MAX);
    read_once(o, in, 0);
    buf_span(&whole, buf_view(&o->text));
    for (unsigned i = 1; cuts > 0 && i <= cuts + 1; i++) {
        read_once(o, in, i);
        same = same && span_eq(buf_view(&whole), buf_view(&o->text));
    }
    (void)printf("{\"file\":\"%s\",\"cut\":%s,\"parts\":[%.*s}\n", path,
                 same ? "true" : "false", (int)whole.n, (const char *)whole.p);
    buf_free(&whole);
}

int
main(int argc, char **argv)
{
    struct out o = {.n_open = 0};
    struct buf in;
    unsigned cuts = 0;
    unsigned repeat = 0;
    bool crlf = false;

    charset_init(&o.cs);
    buf_init(&o.text, FILE_MAX);
    buf_init(&in, FILE_MAX);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--crlf") == 0) {
            crlf = true;
        } else if (strcmp(argv[i], "--cuts") == 0 && i + 1 < argc) {
            cuts = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc) {
            repeat = (unsigned)strtoul(argv[++i], NULL, 10);
            o.quiet = true;
        } else if (read_file(argv[i], crlf, &in)) {
            for (unsigned k = 0; k < repeat; k++)
                read_once(&o, buf_view(&in), 0);
            if (repeat == 0)
                one_file(&o, argv[i], buf_view(&in), cuts);
        }
    }
    buf_free(&in);
    buf_free(&o.text);
    charset_fini(&o.cs);
    return 0;
}

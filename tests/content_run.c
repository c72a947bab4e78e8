/* content_run - what content_inspect says of files, one JSON line each
 *
 *     content_run [--quiet] FILE...
 *     content_run [--quiet] -          names on standard input, a line each
 *
 * All files are read first; then a line "inspect" on standard error, all
 * inspections, and a line "done": what a tracer sees between the two lines is
 * what an inspection asks of the system. Each result goes through its coded
 * form. "ms" is CPU time. The last line has the highest memory use in KiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dissectors/content/content.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define FILE_MAX       (256U << 20)
#define NAME_MAX_BYTES 4096

struct file {
    char *name;
    uint8_t *p;
    size_t n;
};

struct files {
    struct file *f;
    size_t n;
    size_t cap;
};

static void
must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(2);
    }
}

static void
load(struct files *all, const char *name)
{
    struct file f = {.name = strdup(name)};
    struct stat st;
    FILE *in = fopen(name, "rb");

    must(in != NULL && f.name != NULL && fstat(fileno(in), &st) == 0, name);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > FILE_MAX) {
        (void)fclose(in);
        free(f.name);
        return;
    }
    f.n = (size_t)st.st_size;
    f.p = malloc(f.n > 0 ? f.n : 1);
    must(f.p != NULL && fread(f.p, 1, f.n, in) == f.n, name);
    (void)fclose(in);
    if (all->n == all->cap) {
        all->cap = all->cap > 0 ? 2 * all->cap : 64;
        all->f = realloc(all->f, all->cap * sizeof(*all->f));
        must(all->f != NULL, "realloc");
    }
    all->f[all->n++] = f;
}

static void
load_listed(struct files *all)
{
    char line[NAME_MAX_BYTES];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] != 0)
            load(all, line);
    }
}

static double
cpu_ms(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "clock_gettime");
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- JSON ---- */

static void
write_findings(struct json_out *j, const struct findings *s)
{
    static const char *const classes[] = {"A", "B", "C", "D"};
    struct cursor c = cur_open(buf_view(&s->details));
    enum finding f;
    struct span detail;

    json_key(j, "findings");
    json_begin(j, '{');
    for (unsigned k = 0; k < FINDING_COUNT; k++) {
        if (!findings_has(s, (enum finding)k))
            continue;
        json_key(j, finding_name((enum finding)k));
        json_str(j, span_str(classes[finding_class_of((enum finding)k)]));
    }
    json_end(j, '}');
    json_key(j, "details");
    json_begin(j, '[');
    while (findings_next(&c, &f, &detail)) {
        json_begin(j, '[');
        json_str(j, span_str(finding_name(f)));
        json_str(j, detail);
        json_end(j, ']');
    }
    json_end(j, ']');
}

static void
write_member(struct json_out *j, const struct content_member *m)
{
    struct buf hex;

    buf_init(&hex, 64);
    text_hex(&hex, span_of(m->sha256, sizeof(m->sha256)));
    json_begin(j, '{');
    json_key(j, "name");
    json_str(j, m->name);
    json_key(j, "size");
    json_u64(j, m->size);
    json_key(j, "type");
    json_str(j, span_str(filetype_name(m->type)));
    json_key(j, "depth");
    json_u64(j, m->depth);
    json_key(j, "inside");
    json_u64(j, m->inside);
    if (m->has_sha256) {
        json_key(j, "sha256");
        json_str(j, buf_view(&hex));
    }
    if (m->encrypted) {
        json_key(j, "encrypted");
        json_bool(j, true);
    }
    if (m->truncated) {
        json_key(j, "truncated");
        json_bool(j, true);
    }
    json_end(j, '}');
    buf_free(&hex);
}

static void
write_result(struct json_out *j, const char *name,
             const struct content_result *r, double ms)
{
    struct cursor c = cur_open(buf_view(&r->members));
    struct cursor urls = cur_open(buf_view(&r->urls.text));
    struct content_member m;
    struct span url;

    json_begin(j, '{');
    json_key(j, "file");
    json_str(j, span_str(name));
    json_key(j, "type");
    json_str(j, span_str(filetype_name(r->type)));
    json_key(j, "n_members");
    json_u64(j, r->n_members);
    json_key(j, "bytes_unpacked");
    json_u64(j, r->bytes_unpacked);
    json_key(j, "ms");
    json_u64(j, (uint64_t)ms);
    write_findings(j, &r->findings);
    json_key(j, "members");
    json_begin(j, '[');
    while (content_member_next(&c, &m))
        write_member(j, &m);
    json_end(j, ']');
    json_key(j, "urls");
    json_begin(j, '[');
    while (url_next(&urls, &url))
        json_str(j, url);
    json_end(j, ']');
    json_end(j, '}');
}

/* ---- */

static void
recode(const struct content_result *r, struct content_result *again)
{
    struct buf coded;

    buf_init(&coded, 16U << 20);
    content_result_code(r, &coded);
    must(!coded.cut && !coded.failed &&
             content_result_read(buf_view(&coded), again),
         "the coded result does not hold together");
    buf_free(&coded);
}

static void
inspect(struct content *c, const struct file *f, struct buf *out)
{
    const char *slash = strrchr(f->name, '/');
    const char *base = slash != NULL ? slash + 1 : f->name;
    struct content_job job = {.bytes = span_of(f->p, f->n),
                              .name = span_str(base)};
    struct content_result r;
    struct content_result again;
    struct json_out j = json_out_open(out);
    double before = cpu_ms();
    double ms;

    content_result_init(&r);
    content_result_init(&again);
    content_inspect(c, &job, &r);
    ms = cpu_ms() - before;
    recode(&r, &again);
    write_result(&j, f->name, &again, ms);
    buf_putc(out, '\n');
    content_result_free(&r);
    content_result_free(&again);
}

/* Of this program alone: what ru_maxrss says begins with the caller's. */
static unsigned long
memory_kib(void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    must(f != NULL, "/proc/self/status");
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    (void)fclose(f);
    return kib;
}

static void
say(const char *line)
{
    must(write(STDERR_FILENO, line, strlen(line)) > 0, "write");
}

int
main(int argc, char **argv)
{
    struct files all = {0};
    struct content *c = NULL;
    struct content_options o = {0};
    struct buf out;
    struct buf message;
    bool quiet = argc > 1 && strcmp(argv[1], "--quiet") == 0;

    for (int k = quiet ? 2 : 1; k < argc; k++) {
        if (strcmp(argv[k], "-") == 0)
            load_listed(&all);
        else
            load(&all, argv[k]);
    }
    buf_init(&out, 1U << 30);
    buf_init(&message, 512);
    /* libarchive's mktime would look for a zone file each time */
    must(setenv("TZ", "UTC0", 1) == 0, "setenv");
    must(content_new(&o, &c, &message) == ERR_OK, "content_new");
    say("inspect\n");
    for (size_t k = 0; k < all.n; k++)
        inspect(c, &all.f[k], &out);
    say("done\n");
    if (!quiet && out.n > 0)
        must(fwrite(out.p, 1, out.n, stdout) == out.n, "stdout");
    (void)fprintf(stderr, "files=%zu memory_kib=%lu\n", all.n, memory_kib());
    content_free(c);
    buf_free(&out);
    buf_free(&message);
    for (size_t k = 0; k < all.n; k++) {
        free(all.f[k].name);
        free(all.f[k].p);
    }
    free(all.f);
    return 0;
}

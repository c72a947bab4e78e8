#include "sensor/app/serve_study.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/registry_time.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/whole_file.h"

#define PUBLISHED       ".d/published.json"
#define PUBLISHED_BYTES 16384U
#define REPORT_BYTES    (32U << 20)

/* ---- what is kept ---- */

static bool
load(const struct serve_view *v, struct span name, struct buf *out)
{
    struct buf path;
    bool good;

    serve_study_path(v, name, PUBLISHED, &path);
    good = whole_file_load((const char *)path.p, PUBLISHED_BYTES, out) == 0 &&
           span_at(buf_view(out), 0) == '{';
    buf_free(&path);
    return good;
}

void
serve_study_put_published(const struct serve_view *v, struct json_out *j,
                          struct span name)
{
    static const char *const members[] = {"by", "when", "reason", "sha256"};
    struct buf text;

    if (!load(v, name, &text)) {
        json_null(j);
        buf_free(&text);
        return;
    }
    json_begin(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct span value = serve_json_get(buf_view(&text), members[i]);

        json_key(j, members[i]);
        json_raw(j, value.n > 0 ? value : SPAN_LIT("null"));
    }
    json_end(j, '}');
    buf_free(&text);
}

static bool
hash_of(const struct serve_view *v, struct span name, char out[65])
{
    struct buf path;
    bool good;

    serve_study_path(v, name, ".json", &path);
    good = serve_study_hash((const char *)path.p, out);
    buf_free(&path);
    return good;
}

bool
serve_study_changed(struct serve_view *v, struct span name)
{
    char hash[65] = "";
    struct buf text;
    const bool published = serve_study_is_name(name) && load(v, name, &text);
    bool same = true;

    if (published) {
        same = hash_of(v, name, hash) &&
               serve_json_is(serve_json_get(buf_view(&text), "sha256"), hash);
        if (!same)
            (void)serve_view_say(v, CLI_EXIT_PARTIAL,
                                 "this is not what was published: the file was "
                                 "changed since",
                                 name);
    }
    if (serve_study_is_name(name))
        buf_free(&text);
    return !same;
}

/* ---- to publish ---- */

static void
put(struct json_out *j, const char *key, struct span text)
{
    json_key(j, key);
    (void)json_str(j, text);
}

static int
keep(struct serve_view *v, struct span name, struct span reason,
     const char *hash)
{
    struct buf path, text, when;
    struct json_out j;
    int number;

    buf_init(&text, PUBLISHED_BYTES);
    buf_init(&when, 128);
    registry_time_utc(v->now, &when);
    j = json_out_open(&text);
    json_begin(&j, '{');
    put(&j, "by", span_str(v->who->user));
    put(&j, "when", buf_view(&when));
    put(&j, "reason", reason);
    put(&j, "sha256", span_str(hash));
    json_end(&j, '}');
    buf_putc(&text, '\n');
    serve_study_path(v, name, PUBLISHED, &path);
    number = text.cut || text.failed
                 ? EFBIG
                 : whole_file_new((const char *)path.p, buf_view(&text));
    buf_free(&path);
    buf_free(&when);
    buf_free(&text);
    return number;
}

/* Nobody writes over it by mistake. */
static void
make_fixed(const struct serve_view *v, struct span name, const char *tail)
{
    struct buf path;
    int fd;

    serve_study_path(v, name, tail, &path);
    fd = open((const char *)path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        (void)fchmod(fd, 0440);
        (void)close(fd);
    }
    buf_free(&path);
}

static void
take_back(const struct serve_view *v, struct span name)
{
    struct buf path;

    serve_study_path(v, name, PUBLISHED, &path);
    (void)unlink((const char *)path.p);
    buf_free(&path);
}

static enum cli_exit
publish(struct serve_view *v, struct span name, struct span reason)
{
    char hash[65];
    struct buf path;
    int number = 0;

    if (!hash_of(v, name, hash))
        return serve_view_say(v, CLI_EXIT_STORE, "it cannot be read", name);
    serve_study_path(v, name, ".d", &path);
    if (mkdir((const char *)path.p, 0750) != 0 && errno != EEXIST)
        number = errno;
    buf_free(&path);
    if (number == 0)
        number = keep(v, name, reason, hash);
    if (number == EEXIST)
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "it is published already, and stays as it is",
                              name);
    if (number != 0)
        return serve_view_say(v, CLI_EXIT_STORE, strerror(number), name);
    if (!serve_study_tell(v, "publish", name, hash, reason)) {
        take_back(v, name);
        return CLI_EXIT_STORE;
    }
    make_fixed(v, name, ".json");
    make_fixed(v, name, ".html");
    return serve_view_say(v, CLI_EXIT_DONE, "published", name);
}

enum cli_exit
serve_study_publish(struct serve_view *v)
{
    const struct span reason = serve_view_value(v, "reason");
    struct span name;
    enum cli_exit code = serve_study_name(v, ".json", &name);

    if (code != CLI_EXIT_DONE)
        return code;
    if (reason.n == 0)
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "a study is not published without a reason",
                              SPAN_NONE);
    return publish(v, name, reason);
}

/* ---- the report ---- */

unsigned
serve_study_report(const struct config *c, struct span name, struct buf *out)
{
    const struct serve_view v = {.config = c};
    struct buf path, text;
    int number;

    if (!serve_study_is_name(name))
        return 404;
    serve_study_path(&v, name, ".html", &path);
    number = whole_file_load((const char *)path.p, REPORT_BYTES, &text);
    if (number == 0)
        buf_span(out, buf_view(&text));
    buf_free(&text);
    buf_free(&path);
    return number == 0 ? 200 : number == ENOENT ? 404 : 503;
}

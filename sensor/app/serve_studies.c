#include "sensor/app/serve_study.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/serve_json.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/json_out.h"

#define FOLDER     "/studies"
#define ENDING     ".json"
#define FILES_MAX  500U        /* rows of a page */
#define HEAD_BYTES (64U << 10) /* schema and cover stand there */
#define FILE_BYTES (32U << 20) /* half of an answer */
#define NAME_BYTES 128U

/* A name of a file, and of nothing else. */
static bool
is_name(struct span name)
{
    bool good = name.n > 0 && name.n <= NAME_BYTES && span_at(name, 0) != '.';

    for (size_t i = 0; i < name.n; i++) {
        const uint8_t c = span_at(name, i);

        good = good &&
               ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_');
    }
    return good;
}

static void
path_of(const struct serve_view *v, struct span name, struct buf *out)
{
    buf_init(out, 8192);
    buf_str(out, v->config->state);
    buf_str(out, FOLDER);
    if (name.n > 0) {
        buf_putc(out, '/');
        buf_span(out, name);
        buf_str(out, ENDING);
    }
    buf_putc(out, 0);
}

/* ---- the list ---- */

static void
read_head(const char *path, struct buf *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = 1;

    buf_init(out, HEAD_BYTES);
    while (fd >= 0 && n > 0 && out->n < HEAD_BYTES &&
           buf_grow(out, HEAD_BYTES - out->n)) {
        n = read(fd, out->p + out->n, HEAD_BYTES - out->n);
        out->n += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        (void)close(fd);
}

static void
put_member(struct json_out *j, const char *key, struct span cover)
{
    const struct span value = serve_json_get(cover, key);

    json_key(j, key);
    json_raw(j, value.n > 0 ? value : SPAN_LIT("null"));
}

/* One that has no cover is no study. */
static void
put_file(struct serve_view *v, struct json_out *j, struct span name)
{
    const bool ours = serve_study_is_name(name);
    struct buf path, head;
    struct span cover;

    path_of(v, name, &path);
    read_head(path.failed ? "" : (const char *)path.p, &head);
    cover = serve_json_get(buf_view(&head), "cover");
    if (cover.n > 0) {
        json_begin(j, '{');
        json_key(j, "name");
        (void)json_str(j, name);
        put_member(j, "title", cover);
        put_member(j, "from", cover);
        put_member(j, "to", cover);
        put_member(j, "status", cover);
        put_member(j, "author", cover);
        if (ours) {
            json_key(j, "report");
            json_bool(j, serve_study_there(v, name, ".html"));
            json_key(j, "review");
            serve_study_put_review(v, j, name);
            json_key(j, "published");
            serve_study_put_published(v, j, name);
        }
        json_end(j, '}');
    }
    buf_free(&head);
    buf_free(&path);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names without the ending, so many as there are rows. */
static size_t
names_of(const char *folder, char *out[FILES_MAX], bool *more)
{
    DIR *dir = opendir(folder);
    const struct dirent *e;
    size_t n = 0;

    *more = false;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        const size_t length = strlen(e->d_name);
        const size_t end = sizeof(ENDING) - 1;

        if (length <= end || strcmp(e->d_name + length - end, ENDING) != 0 ||
            !is_name(span_of(e->d_name, length - end)))
            continue;
        *more = *more || n == FILES_MAX;
        if (n < FILES_MAX &&
            (out[n] = strndup(e->d_name, length - end)) != NULL)
            n++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (n > 0)
        qsort(out, n, sizeof(*out), by_name);
    return n;
}

enum cli_exit
serve_studies(struct serve_view *v)
{
    struct json_out j = json_out_open(v->data);
    char *names[FILES_MAX];
    struct buf path;
    size_t n;
    bool more;

    path_of(v, SPAN_NONE, &path);
    n = names_of(path.failed ? "" : (const char *)path.p, names, &more);
    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25.studies"));
    json_key(&j, "rows");
    json_begin(&j, '[');
    for (size_t i = 0; i < n; i++) {
        put_file(v, &j, span_str(names[i]));
        free(names[i]);
    }
    json_end(&j, ']');
    json_key(&j, "job");
    serve_study_put_job(v, &j);
    json_key(&j, "recorded");
    serve_study_put_recorded(v, &j);
    json_end(&j, '}');
    buf_free(&path);
    if (more)
        buf_str(v->messages, "there are more studies than are shown\n");
    return more ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}

/* ---- one ---- */

static bool
is_document(struct span text)
{
    struct buf room;
    struct json_in j = json_in_open(text, &room);
    struct span value;
    bool good;

    buf_init(&room, 1U << 20);
    good = json_in_look(&j) == '{' && serve_json_value(&j, &value) &&
           json_in_look(&j) == 0 && j.at == text.n;
    buf_free(&room);
    return good;
}

enum cli_exit
serve_study(struct serve_view *v)
{
    const struct span name = serve_view_value(v, "name");
    enum cli_exit code = CLI_EXIT_DONE;
    struct buf path, text;
    int number;

    if (!is_name(name))
        return serve_view_say(v, CLI_EXIT_USAGE, "no study has this name",
                              name);
    path_of(v, name, &path);
    number = whole_file_load((const char *)path.p, FILE_BYTES, &text);
    if (number == ENOENT)
        code =
            serve_view_say(v, CLI_EXIT_USAGE, "no study has this name", name);
    else if (number != 0)
        code = serve_view_say(v, CLI_EXIT_STORE, strerror(number), name);
    else if (!is_document(buf_view(&text)))
        code = serve_view_say(v, CLI_EXIT_STORE, "this file is no study", name);
    else
        buf_span(v->data, buf_view(&text));
    if (code == CLI_EXIT_DONE && serve_study_changed(v, name))
        code = CLI_EXIT_PARTIAL;
    while (v->data->n > 0 && v->data->p[v->data->n - 1] == '\n')
        v->data->n--;
    buf_free(&text);
    buf_free(&path);
    return code;
}

#include "sensor/app/rules_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sensor/base/text.h"

void
rules_files_init(struct rules_files *f)
{
    *f = (struct rules_files){.n = 0};
}

void
rules_files_free(struct rules_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->path[i]);
    for (size_t i = 0; i < f->n_folders; i++)
        free(f->folder[i]);
    free(f->path);
    free(f->folder);
    free(f->depth);
    rules_files_init(f);
}

bool
rules_files_is_rule(struct span name)
{
    static const struct span endings[] = {SPAN_INIT(".yaml"),
                                          SPAN_INIT(".yml")};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (name.n > endings[i].n &&
            span_eq(span_tail(name, name.n - endings[i].n), endings[i]))
            return span_at(name, 0) != '.';
    }
    return false;
}

static void
tell(struct rules_files *f, struct buf *messages, const char *path,
     const char *why)
{
    f->unread++;
    buf_str(messages, "span25: ");
    text_term(messages, span_str(path));
    buf_printf(messages, ": %s\n", why);
}

/* ---- lists ---- */

static bool
put(char ***list, size_t *n, size_t *cap, char *path)
{
    size_t more = *cap > 0 ? 2 * *cap : 64;
    char **grown;

    if (path == NULL)
        return false;
    if (*n == *cap) {
        grown = realloc(*list, more * sizeof(*grown));
        if (grown == NULL) {
            free(path);
            return false;
        }
        *list = grown;
        *cap = more;
    }
    (*list)[(*n)++] = path;
    return true;
}

static bool
put_folder(struct rules_files *f, char *path, unsigned depth)
{
    size_t had = f->cap_folders;
    unsigned *grown;

    if (!put(&f->folder, &f->n_folders, &f->cap_folders, path))
        return false;
    if (f->cap_folders != had) {
        grown = realloc(f->depth, f->cap_folders * sizeof(*grown));
        if (grown == NULL)
            return false;
        f->depth = grown;
    }
    f->depth[f->n_folders - 1] = depth;
    return true;
}

static char *
join(const char *folder, const char *name)
{
    char *path;
    bool slash = folder[0] != 0 && folder[strlen(folder) - 1] == '/';

    return asprintf(&path, "%s%s%s", folder, slash ? "" : "/", name) >= 0
               ? path
               : NULL;
}

/* ---- folders ---- */

/* A name in a folder: a rule file, a folder to be read later, or neither. */
static bool
take_name(struct rules_files *f, const char *folder, unsigned depth,
          const char *name, struct buf *messages)
{
    char *path = join(folder, name);
    struct stat st;
    bool good = path != NULL;

    if (good && lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        if (depth + 1 < RULES_DEPTH_MAX)
            return put_folder(f, path, depth + 1);
        tell(f, messages, path, "is in too many folders, and was not read");
    } else if (good && rules_files_is_rule(span_str(name))) {
        if (stat(path, &st) != 0)
            tell(f, messages, path, strerror(errno));
        else if (S_ISREG(st.st_mode))
            return put(&f->path, &f->n, &f->cap, path);
    }
    free(path);
    return good;
}

static enum err
read_folder(struct rules_files *f, const char *folder, unsigned depth,
            struct buf *messages)
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    bool good = true;

    if (d == NULL) {
        tell(f, messages, folder, strerror(errno));
        return ERR_OK;
    }
    while (good && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        if (f->entries++ >= RULES_ENTRIES_MAX || f->n >= RULES_FILES_MAX) {
            tell(f, messages, folder,
                 "holds too many files; the others were "
                 "not read");
            break;
        }
        good = take_name(f, folder, depth, e->d_name, messages);
    }
    (void)closedir(d);
    return good ? ERR_OK : ERR_NOMEM;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err
rules_files_add(struct rules_files *f, const char *path, struct buf *messages)
{
    size_t before = f->n;
    struct stat st;
    enum err e = ERR_OK;

    if (stat(path, &st) != 0) {
        tell(f, messages, path, strerror(errno));
        return ERR_NOENT;
    }
    if (!S_ISDIR(st.st_mode))
        return put(&f->path, &f->n, &f->cap, strdup(path)) ? ERR_OK : ERR_NOMEM;
    if (!put_folder(f, strdup(path), 0))
        return ERR_NOMEM;
    while (f->n_folders > 0 && e == ERR_OK) {
        char *folder = f->folder[--f->n_folders];

        e = read_folder(f, folder, f->depth[f->n_folders], messages);
        free(folder);
    }
    if (f->n > before)
        qsort(f->path + before, f->n - before, sizeof(*f->path), by_path);
    return e;
}

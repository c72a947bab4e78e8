#ifndef SPAN25_TESTS_TEMPDIR_H
#define SPAN25_TESTS_TEMPDIR_H
/* tempdir - a fresh folder for a test, and small files in it */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPDIR_PATH 512

struct tempdir {
    char path[TEMPDIR_PATH];
};

static inline void
tempdir_check(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

static inline void
tempdir_make(struct tempdir *t)
{
    const char *top = getenv("TMPDIR");

    (void)snprintf(t->path, sizeof(t->path), "%s/span25-test-XXXXXX",
                   top != NULL ? top : "/tmp");
    tempdir_check(mkdtemp(t->path) != NULL, "mkdtemp");
}

struct tempdir_name {
    char s[2 * TEMPDIR_PATH];
};

static inline struct tempdir_name
tempdir_name(const char *dir, const char *name)
{
    struct tempdir_name n;
    int k = snprintf(n.s, sizeof(n.s), "%s/%s", dir, name);

    tempdir_check(k > 0 && (size_t)k < sizeof(n.s), name);
    return n;
}

/* Removes the files of one folder, then the folder. */
static inline void
tempdir_remove_flat(const char *dir)
{
    DIR *h = opendir(dir);
    struct dirent *d;

    while (h != NULL && (d = readdir(h)) != NULL) {
        if (d->d_name[0] == '.' && (d->d_name[1] == 0 || d->d_name[1] == '.'))
            continue;
        (void)unlink(tempdir_name(dir, d->d_name).s);
    }
    if (h != NULL)
        (void)closedir(h);
    (void)rmdir(dir);
}

/* Two levels are what a state directory has. */
static inline void
tempdir_remove(const struct tempdir *t)
{
    DIR *h = opendir(t->path);
    struct dirent *d;

    while (h != NULL && (d = readdir(h)) != NULL) {
        struct tempdir_name n = tempdir_name(t->path, d->d_name);
        struct stat st;

        if (d->d_name[0] != '.' && lstat(n.s, &st) == 0 && S_ISDIR(st.st_mode))
            tempdir_remove_flat(n.s);
    }
    if (h != NULL)
        (void)closedir(h);
    tempdir_remove_flat(t->path);
}

/* The whole file on the heap, or NULL when it is not there. */
static inline uint8_t *
tempdir_load(const char *dir, const char *name, size_t *n)
{
    FILE *f = fopen(tempdir_name(dir, name).s, "rb");
    uint8_t *p = NULL;
    size_t cap = 0;

    *n = 0;
    if (f == NULL)
        return NULL;
    do {
        cap = cap > 0 ? cap * 2 : 65536;
        p = realloc(p, cap);
        tempdir_check(p != NULL, "realloc");
        *n += fread(p + *n, 1, cap - *n, f);
    } while (*n == cap);
    (void)fclose(f);
    return p;
}

static inline void
tempdir_store(const char *dir, const char *name, const void *p, size_t n)
{
    FILE *f = fopen(tempdir_name(dir, name).s, "wb");

    tempdir_check(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0, name);
}

static inline bool
tempdir_has(const char *dir, const char *name)
{
    return access(tempdir_name(dir, name).s, F_OK) == 0;
}

/* Number of names in dir that begin with head. */
static inline unsigned
tempdir_count(const char *dir, const char *head)
{
    DIR *h = opendir(dir);
    struct dirent *d;
    unsigned n = 0;

    while (h != NULL && (d = readdir(h)) != NULL)
        n += strncmp(d->d_name, head, strlen(head)) == 0;
    if (h != NULL)
        (void)closedir(h);
    return n;
}

#endif

/* page_embed - writes a folder of files as a table of C, see http/assets.h
 *
 * Usage: page_embed DIR > OUT.c; DIR and its folder assets are read, sorted.
 * Files are gzipped here, without a time, so that the same page makes the same
 * program. What is under assets/ has its hash in its name. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <openssl/evp.h>

#define FILES_MOST 64
#define FILE_MOST  ((size_t)4 << 20)
#define ETAG_BYTES 16U

struct file {
    char path[256]; /* below DIR, with its slash */
    size_t n;       /* compressed */
    char etag[2 * ETAG_BYTES + 1];
};

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"      },
    {".js",   "text/javascript; charset=utf-8"},
    {".css",  "text/css; charset=utf-8"       },
    {".svg",  "image/svg+xml"                 },
    {".txt",  "text/plain; charset=utf-8"     },
};

static const char *
type_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    }
    return NULL;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path,
                  ((const struct file *)b)->path);
}

/* Adds the files of DIR/below that have a type; false after a message. */
static bool
list(const char *dir, const char *below, struct file *files, size_t *n)
{
    char folder[4096];
    const struct dirent *e;
    DIR *d;

    (void)snprintf(folder, sizeof(folder), "%s%s", dir, below);
    d = opendir(folder);
    if (d == NULL)
        return strcmp(below, "/") != 0; /* assets/ need not be there */
    while ((e = readdir(d)) != NULL) {
        if (type_of(e->d_name) == NULL)
            continue;
        if (*n == FILES_MOST ||
            (size_t)snprintf(files[*n].path, sizeof(files[*n].path), "%s%s",
                             below, e->d_name) >= sizeof(files[*n].path)) {
            (void)fprintf(stderr, "page_embed: %s: too many files\n", folder);
            (void)closedir(d);
            return false;
        }
        (*n)++;
    }
    (void)closedir(d);
    return true;
}

static bool
slurp(const char *dir, const char *path, unsigned char *out, size_t *n)
{
    char name[4096];
    FILE *f;
    bool fine;

    (void)snprintf(name, sizeof(name), "%s%s", dir, path);
    f = fopen(name, "rb");
    if (f == NULL) {
        perror(name);
        return false;
    }
    *n = fread(out, 1, FILE_MOST, f);
    fine = !ferror(f) && *n < FILE_MOST;
    (void)fclose(f);
    if (!fine)
        (void)fprintf(stderr, "page_embed: %s cannot be read\n", name);
    return fine;
}

/* *n_out: the room of out, then what was written. */
static bool
gzipped(unsigned char *in, size_t n, unsigned char *out, size_t *n_out)
{
    z_stream z = {0};
    bool fine;

    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_in = in;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)*n_out;
    fine = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *n_out = z.total_out;
    (void)deflateEnd(&z);
    return fine;
}

static bool
write_file(const char *dir, size_t number, struct file *f, unsigned char *plain,
           unsigned char *packed)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n_sum = 0;
    size_t n = 0;

    f->n = FILE_MOST;
    if (!slurp(dir, f->path, plain, &n) || !gzipped(plain, n, packed, &f->n) ||
        EVP_Digest(plain, n, sum, &n_sum, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < ETAG_BYTES; i++)
        (void)snprintf(f->etag + 2 * i, 3, "%02x", sum[i]);
    (void)printf("static const uint8_t file_%zu[] = {", number);
    for (size_t i = 0; i < f->n; i++)
        (void)printf("%s%d,", i % 20 == 0 ? "\n" : "", packed[i]);
    (void)puts("};");
    return true;
}

static bool
write_all(const char *dir, struct file *files, size_t n)
{
    unsigned char *plain = malloc(FILE_MOST);
    unsigned char *packed = malloc(FILE_MOST);
    bool fine = plain != NULL && packed != NULL;

    (void)puts("#include \"dashboards/http/assets.h\"\n");
    for (size_t i = 0; fine && i < n; i++)
        fine = write_file(dir, i, &files[i], plain, packed);
    free(plain);
    free(packed);
    (void)puts("\nconst struct asset assets[] = {");
    for (size_t i = 0; fine && i < n; i++)
        (void)printf(
            "{\"%s\", \"%s\", file_%zu, sizeof(file_%zu), \"%s\", %s},\n",
            files[i].path, type_of(files[i].path), i, i, files[i].etag,
            strncmp(files[i].path, "/assets/", 8) == 0 ? "true" : "false");
    (void)printf("};\nconst size_t n_assets = %zu;\n", n);
    return fine && fflush(stdout) == 0 && !ferror(stdout);
}

int
main(int argc, char **argv)
{
    struct file files[FILES_MOST] = {0};
    size_t n = 0;

    if (argc != 2) {
        (void)fputs("usage: page_embed DIR\n", stderr);
        return 2;
    }
    if (!list(argv[1], "/", files, &n) ||
        !list(argv[1], "/assets/", files, &n) || n == 0) {
        (void)fprintf(stderr, "page_embed: nothing to embed in %s\n", argv[1]);
        return 1;
    }
    qsort(files, n, sizeof(*files), by_path);
    return write_all(argv[1], files, n) ? 0 : 1;
}

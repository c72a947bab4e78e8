#include "sensor/app/drafts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/whole_file.h"

#define SYMBOLS   20U /* of a secret, 5 bits each */
#define GROUP     5U
#define HEAD_MAX  512U
#define FILE_NAME (2 * SHA256_DIGEST_LENGTH)

/* Crockford's alphabet: no I, L, O, U, which are taken for others. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const struct {
    const char *word;
    unsigned days;
} kinds[] = {
#define DRAFT_ROW(id, word, days) {word, days},
    DRAFT_KINDS(DRAFT_ROW)
#undef DRAFT_ROW
};

void
draft_init(struct draft *d)
{
    *d = (struct draft){.kind = DRAFT_DRAFT};
    buf_init(&d->text, DRAFTS_BYTES);
}

void
draft_fini(struct draft *d)
{
    buf_free(&d->text);
}

const char *
draft_word(enum draft_kind kind)
{
    return kinds[kind].word;
}

ns_t
draft_ends(const struct draft *d)
{
    return d->changed + kinds[d->kind].days * DRAFTS_DAY;
}

/* ---- secrets ---- */

static void
write_secret(const uint8_t symbol[SYMBOLS], char out[DRAFTS_SECRET])
{
    size_t n = 0;

    for (size_t i = 0; i < SYMBOLS; i++) {
        if (i > 0 && i % GROUP == 0)
            out[n++] = '-';
        out[n++] = alphabet[symbol[i] & 31];
    }
    out[n] = 0;
}

bool
drafts_secret(char out[DRAFTS_SECRET])
{
    uint8_t symbol[SYMBOLS];

    if (getrandom(symbol, sizeof(symbol), 0) != (ssize_t)sizeof(symbol))
        return false;
    write_secret(symbol, out);
    return true;
}

static bool
read_symbol(uint8_t c, uint8_t *out)
{
    const char *at;

    if (c >= 'a' && c <= 'z')
        c = (uint8_t)(c - 'a' + 'A');
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    at = c != 0 ? strchr(alphabet, c) : NULL;
    if (at != NULL)
        *out = (uint8_t)(at - alphabet);
    return at != NULL;
}

bool
drafts_read_secret(struct span text, char out[DRAFTS_SECRET])
{
    uint8_t symbol[SYMBOLS];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = span_at(text, i);

        if (c == '-' || c == ' ')
            continue;
        if (n == SYMBOLS || !read_symbol(c, &symbol[n++]))
            return false;
    }
    if (n == SYMBOLS)
        write_secret(symbol, out);
    return n == SYMBOLS;
}

/* ---- files ---- */

static void
put_folder(const char *state, struct buf *out)
{
    buf_init(out, 8192);
    buf_printf(out, "%s/" DRAFTS_FOLDER, state);
}

static bool
path_of(const char *state, const char *secret, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_LENGTH];

    (void)SHA256((const uint8_t *)secret, strlen(secret), digest);
    put_folder(state, out);
    buf_putc(out, '/');
    for (size_t i = 0; i < sizeof(digest); i++) {
        buf_putc(out, (uint8_t)hex[digest[i] >> 4]);
        buf_putc(out, (uint8_t)hex[digest[i] & 15]);
    }
    buf_putc(out, 0);
    return !out->cut && !out->failed;
}

/* "word value\n"; value has no blanks. */
static bool
take(struct span *rest, const char *word, char *out, size_t room)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_head(*rest, end);
    size_t n = strlen(word);

    if (end >= rest->n || line.n <= n || !span_starts(line, span_str(word)) ||
        span_at(line, n) != ' ' || line.n - n > room)
        return false;
    line = span_tail(line, n + 1);
    if (line.n > 0)
        memcpy(out, line.p, line.n);
    out[line.n] = 0;
    *rest = span_tail(*rest, end + 1);
    return true;
}

static bool
read_head(struct span *rest, struct draft *d)
{
    char word[32], made[32], changed[32];

    if (!take(rest, "span25-draft", word, sizeof(word)) ||
        strcmp(word, "1") != 0 || !take(rest, "kind", word, sizeof(word)) ||
        !take(rest, "made", made, sizeof(made)) ||
        !take(rest, "changed", changed, sizeof(changed)) ||
        !take(rest, "letter", d->letter, sizeof(d->letter)) ||
        !take(rest, "form", d->form, sizeof(d->form)))
        return false;
    d->made = strtoull(made, NULL, 10);
    d->changed = strtoull(changed, NULL, 10);
    for (unsigned k = 0; k < DRAFT_KIND_COUNT; k++) {
        d->kind = (enum draft_kind)k;
        if (strcmp(kinds[k].word, word) == 0)
            return d->changed < UINT64_MAX / 2;
    }
    return false;
}

static enum err
load_path(const char *path, struct draft *out)
{
    struct buf file;
    struct span rest;
    int number = whole_file_load(path, HEAD_MAX + DRAFTS_BYTES, &file);
    enum err e = number == 0 ? ERR_OK : err_from_errno(number);

    rest = buf_view(&file);
    if (e == ERR_OK && !read_head(&rest, out))
        e = ERR_CORRUPT;
    if (e == ERR_OK) {
        buf_reset(&out->text);
        buf_span(&out->text, rest);
        e = out->text.cut ? ERR_LIMIT : out->text.failed ? ERR_NOMEM : ERR_OK;
    }
    buf_free(&file);
    return e;
}

enum err
drafts_load(const char *state, const char *secret, ns_t now, struct draft *out)
{
    struct buf path;
    enum err e = path_of(state, secret, &path)
                     ? load_path((const char *)path.p, out)
                     : ERR_LIMIT;

    buf_free(&path);
    return e == ERR_OK && draft_ends(out) <= now ? ERR_NOENT : e;
}

enum err
drafts_remove(const char *state, const char *secret)
{
    struct buf path;
    enum err e = ERR_LIMIT;

    if (path_of(state, secret, &path))
        e = unlink((const char *)path.p) == 0 ? ERR_OK : err_from_errno(errno);
    buf_free(&path);
    return e;
}

static size_t
look_at_all(const char *state, ns_t now)
{
    struct buf folder, path;
    struct dirent *entry;
    size_t n = 0;
    DIR *dir;

    put_folder(state, &folder);
    buf_putc(&folder, 0);
    dir = folder.cut || folder.failed ? NULL : opendir((const char *)folder.p);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct draft d;
        enum err e;

        if (strlen(entry->d_name) != FILE_NAME)
            continue;
        n++;
        if (now == 0)
            continue;
        draft_init(&d);
        buf_init(&path, 8192);
        buf_printf(&path, "%s/%s%c", (const char *)folder.p, entry->d_name, 0);
        e = path.cut || path.failed ? ERR_LIMIT
                                    : load_path((const char *)path.p, &d);
        if (e == ERR_OK && draft_ends(&d) <= now)
            n -= unlink((const char *)path.p) == 0;
        buf_free(&path);
        draft_fini(&d);
    }
    if (dir != NULL)
        (void)closedir(dir);
    buf_free(&folder);
    return n;
}

size_t
drafts_sweep(const char *state, ns_t now)
{
    return look_at_all(state, now);
}

/* What root makes belongs to whom the state belongs to: who serves the page has
 * no rights. */
static enum err
give_away(const char *state, const char *path)
{
    struct stat there, own;
    enum err e = ERR_OK;
    int fd;

    if (geteuid() != 0)
        return ERR_OK;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    if (stat(state, &there) != 0 || fstat(fd, &own) != 0 ||
        ((there.st_uid != own.st_uid || there.st_gid != own.st_gid) &&
         fchown(fd, there.st_uid, there.st_gid) != 0))
        e = err_from_errno(errno);
    (void)close(fd);
    return e;
}

static enum err
make_room(const char *state, const char *path)
{
    struct buf folder;
    enum err e = ERR_OK;
    int rc;

    if (access(path, F_OK) == 0)
        return ERR_OK;
    put_folder(state, &folder);
    buf_putc(&folder, 0);
    rc = mkdir((const char *)folder.p, 0700);
    if (rc != 0 && errno != EEXIST)
        e = err_from_errno(errno);
    else if (rc == 0)
        e = give_away(state, (const char *)folder.p);
    else if (look_at_all(state, 0) >= DRAFTS_MAX)
        e = ERR_LIMIT;
    buf_free(&folder);
    return e;
}

enum err
drafts_save(const char *state, const char *secret, const struct draft *d)
{
    struct buf path, file;
    enum err e = path_of(state, secret, &path) ? ERR_OK : ERR_LIMIT;

    buf_init(&file, HEAD_MAX + DRAFTS_BYTES);
    buf_printf(&file,
               "span25-draft 1\nkind %s\nmade %" PRIu64 "\nchanged %" PRIu64
               "\nletter %s\nform %s\n",
               draft_word(d->kind), d->made, d->changed, d->letter, d->form);
    buf_span(&file, buf_view(&d->text));
    if (e == ERR_OK && (file.cut || d->text.cut))
        e = ERR_LIMIT;
    if (e == ERR_OK && (file.failed || d->text.failed))
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = make_room(state, (const char *)path.p);
    if (e == ERR_OK) {
        int number = whole_file_save((const char *)path.p, buf_view(&file));

        e = number == 0 ? give_away(state, (const char *)path.p)
                        : err_from_errno(number);
    }
    buf_free(&file);
    buf_free(&path);
    return e;
}

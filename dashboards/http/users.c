#include "dashboards/http/users.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/hash.h"

struct user {
    char name[USERS_NAME];
    unsigned roles;
    char hash[CRYPT_OUTPUT_SIZE];
};

struct users {
    uint64_t seed;
    size_t n;
    /* What the password of an unknown name is tried with, when n is 0. */
    char nobody[CRYPT_GENSALT_OUTPUT_SIZE];
    struct user users[];
};

/* ---- words ---- */

static const char *const roles[] = {"viewer", "analyst", "registrar",
                                    "firewall", "admin"};

const char *
roles_name(unsigned i)
{
    return i < ARRAY_LEN(roles) ? roles[i] : NULL;
}

bool
roles_parse(struct span text, unsigned *out)
{
    unsigned set = 0;
    bool more = true;

    while (more) {
        const size_t comma = span_find(text, ',');
        const struct span word = span_trim(span_head(text, comma));
        unsigned i = 0;

        while (i < ARRAY_LEN(roles) && !span_eq(word, span_str(roles[i])))
            i++;
        if (i == ARRAY_LEN(roles))
            return false;
        set |= 1U << i;
        more = comma < text.n;
        text = span_tail(text, comma + 1);
    }
    *out = set;
    return true;
}

bool
users_is_name(struct span name)
{
    if (name.n == 0 || name.n >= USERS_NAME || name.p[0] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        const uint8_t c = name.p[i];
        const uint8_t letter = c | 0x20;

        if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') &&
            c != '.' && c != '_' && c != '@' && c != '-')
            return false;
    }
    return true;
}

/* ---- the file ---- */

struct loader {
    struct users *u;
    const char *file;
    unsigned line;
    struct buf *message;
};

static enum err
wrong(const struct loader *l, const char *why)
{
    buf_printf(l->message, "%s:%u: %s", l->file, l->line, why);
    return ERR_CONFIG;
}

/* How many characters the last part of a hash has, by its method. */
static const struct {
    const char *start;
    size_t last;
} methods[] = {
    {"$y$", 43},
    {"$7$", 43},
    {"$6$", 86},
};

static bool
is_hash(const char *text)
{
    const char *dollar = strrchr(text, '$');

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strncmp(text, methods[i].start, 3) == 0)
            return strlen(dollar + 1) == methods[i].last &&
                   crypt_checksalt(text) == CRYPT_SALT_OK;
    }
    return false;
}

static const struct user *
find(const struct users *u, struct span name)
{
    for (size_t i = 0; i < u->n; i++) {
        if (span_eq(name, span_str(u->users[i].name)))
            return &u->users[i];
    }
    return NULL;
}

static void
copy(char *to, struct span s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    to[s.n] = 0;
}

static enum err
load_line(struct loader *l, struct span line)
{
    const size_t first = span_find(line, ':');
    const struct span name = span_head(line, first);
    const struct span rest = span_tail(line, first + 1);
    const size_t second = span_find(rest, ':');
    const struct span hash = span_tail(rest, second + 1);
    struct user *u = &l->u->users[l->u->n];

    if (second >= rest.n)
        return wrong(l, "a line is name:roles:hash");
    if (!users_is_name(name))
        return wrong(l, "a name has 1 to 64 letters, digits and \"._@-\", and "
                        "no \"-\" at the start");
    if (find(l->u, name) != NULL)
        return wrong(l, "this name is there already");
    if (!roles_parse(span_head(rest, second), &u->roles))
        return wrong(l, "roles are viewer, analyst, registrar, firewall and "
                        "admin, with commas between them");
    if (hash.n >= sizeof(u->hash) || span_find(hash, 0) < hash.n)
        return wrong(l, "the hash is too long");
    copy(u->hash, hash);
    if (!is_hash(u->hash))
        return wrong(l, "the hash is none of yescrypt ($y$), scrypt ($7$) or "
                        "SHA-512 ($6$)");
    if (l->u->n == USERS_MAX)
        return wrong(l, "there are too many users");
    copy(u->name, name);
    l->u->n++;
    return ERR_OK;
}

static enum err
load_text(struct loader *l, struct span text)
{
    enum err e = ERR_OK;

    while (e == ERR_OK && text.n > 0) {
        const size_t end = span_find(text, '\n');
        const struct span line = span_trim(span_head(text, end));

        l->line++;
        text = span_tail(text, end + 1);
        if (line.n > 0 && line.p[0] != '#')
            e = load_line(l, line);
    }
    return e;
}

static enum err
failed(const char *file, enum err e, const char *why, struct buf *message)
{
    buf_printf(message, "%s: %s", file, why);
    return e;
}

static enum err
read_all(int fd, struct buf *text)
{
    uint8_t some[4096];
    ssize_t n;

    while ((n = read(fd, some, sizeof(some))) > 0)
        buf_put(text, some, (size_t)n);
    OPENSSL_cleanse(some, sizeof(some));
    if (n < 0)
        return err_from_errno(errno);
    return text->failed ? ERR_NOMEM : text->cut ? ERR_LIMIT : ERR_OK;
}

static enum err
read_file(const char *file, struct buf *text, struct buf *message)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;
    enum err e;

    if (fd < 0) {
        e = err_from_errno(errno);
        return failed(file, e, err_text(e), message);
    }
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        e = failed(file, ERR_CONFIG, "is not a file", message);
    else if ((s.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        e = failed(file, ERR_PERM,
                   "others may read or change it: chmod 0640 it", message);
    else if (s.st_uid != 0 && s.st_uid != geteuid())
        e = failed(file, ERR_PERM, "is owned by another user", message);
    else {
        e = read_all(fd, text);
        if (e != ERR_OK)
            (void)failed(file, e, err_text(e), message);
    }
    (void)close(fd);
    return e;
}

static struct users *
users_new(void)
{
    struct users *u =
        calloc(1, sizeof(*u) + (USERS_MAX + 1) * sizeof(struct user));

    if (u == NULL)
        return NULL;
    if (getrandom(&u->seed, sizeof(u->seed), 0) != sizeof(u->seed) ||
        crypt_gensalt_rn("$y$", 0, NULL, 0, u->nobody, sizeof(u->nobody)) ==
            NULL) {
        free(u);
        return NULL;
    }
    return u;
}

enum err
users_load(const char *file, struct users **out, struct buf *message)
{
    struct loader l = {.file = file, .message = message};
    struct buf text;
    enum err e;

    buf_init(&text, USERS_FILE);
    e = read_file(file, &text, message);
    if (e == ERR_OK) {
        l.u = users_new();
        e = l.u != NULL ? load_text(&l, buf_view(&text))
                        : failed(file, ERR_NOMEM, "out of memory", message);
    }
    if (text.p != NULL)
        OPENSSL_cleanse(text.p, text.cap);
    buf_free(&text);
    if (e == ERR_OK)
        *out = l.u;
    else
        users_free(l.u);
    return e;
}

void
users_free(struct users *u)
{
    if (u == NULL)
        return;
    OPENSSL_cleanse(u->users, u->n * sizeof(u->users[0]));
    free(u);
}

size_t
users_count(const struct users *u)
{
    return u->n;
}

unsigned
users_roles(const struct users *u, struct span name)
{
    const struct user *one = find(u, name);

    return one != NULL ? one->roles : 0;
}

/* ---- passwords ---- */

static bool
is_password(struct span p)
{
    return p.n > 0 && p.n <= USERS_PASSWORD && span_find(p, 0) == p.n;
}

/* Whether this password makes this hash. */
static bool
makes(struct span password, const char *hash)
{
    struct crypt_data *d = calloc(1, sizeof(*d));
    char text[USERS_PASSWORD + 1];
    bool same = false;
    const char *made;

    if (d == NULL)
        return false;
    copy(text, password);
    made = crypt_rn(text, hash, d, (int)sizeof(*d));
    if (made != NULL && strlen(made) == strlen(hash))
        same = CRYPTO_memcmp(made, hash, strlen(hash)) == 0;
    OPENSSL_cleanse(text, sizeof(text));
    OPENSSL_cleanse(d, sizeof(*d));
    free(d);
    return same;
}

/* A name that is not there is tried with the hash of somebody who is, the same
 * one each time: its method and cost then tell nothing. */
static const char *
stand_in(const struct users *u, struct span name)
{
    return u->n > 0 ? u->users[hash_span(name, u->seed) % u->n].hash
                    : u->nobody;
}

unsigned
users_check(const struct users *u, struct span name, struct span password)
{
    const struct user *one = find(u, name);
    const bool fine = is_password(password);
    const bool right = makes(fine ? password : SPAN_LIT("x"),
                             one != NULL ? one->hash : stand_in(u, name));

    return one != NULL && fine && right ? one->roles : 0;
}

enum err
users_hash(struct span password, struct buf *out)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], text[USERS_PASSWORD + 1];
    struct crypt_data *d;
    const char *made;

    if (!is_password(password))
        return ERR_LIMIT;
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
        return ERR_IO;
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        return ERR_NOMEM;
    copy(text, password);
    made = crypt_rn(text, setting, d, (int)sizeof(*d));
    if (made != NULL)
        buf_str(out, made);
    OPENSSL_cleanse(text, sizeof(text));
    OPENSSL_cleanse(d, sizeof(*d));
    free(d);
    return made != NULL ? ERR_OK : ERR_NOMEM;
}

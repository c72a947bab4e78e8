#include "sensor/core/geo.h"

#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATHS_MAX      4 /* of a value */
#define KEYS_MAX       6 /* of a path */
#define PATH_ROOM      512
#define DATA_SEPARATOR 16 /* bytes between tree and data, MaxMind DB 2.0 */
#define CHECK_SECONDS  20 /* of CPU; a file of 100 MB takes one */
#define EPOCH_MAX      (UINT64_MAX / NS_PER_S) /* past the year 2500 */

/* A value's paths; keys point into room. */
struct paths {
    char room[PATH_ROOM];
    const char *keys[PATHS_MAX][KEYS_MAX + 1]; /* each ends with NULL */
    size_t n;
};

struct base {
    const char *file; /* NULL: none */
    MMDB_s db;
    bool open;
    struct stat was;     /* of the file that is open */
    struct stat refused; /* of one that was refused last */
};

enum { BASE_COUNTRY, BASE_AS, BASE_COUNT };

struct cached {
    struct addr addr;
    bool used;
    struct geo_answer answer;
};

struct geo {
    struct base bases[BASE_COUNT];
    struct paths paths[GEO_VALUE_COUNT];
    struct cached cache[GEO_CACHE];
    struct geo_answer none;
};

static const struct {
    const char *word;
    const char *paths;
    unsigned base;
} values[GEO_VALUE_COUNT] = {
#define ROW(id, word, paths)                                                   \
    [GEO_##                                                                    \
        id] = {word, paths, GEO_##id == GEO_COUNTRY ? BASE_COUNTRY : BASE_AS},
    GEO_VALUES(ROW)
#undef ROW
};

/* ---- paths ---- */

/* False: more than there is room for, or an empty key. */
static bool
split(struct paths *p, const char *text)
{
    size_t n_keys = 0;
    char *key = p->room;

    if (strlen(text) >= sizeof(p->room))
        return false;
    memcpy(p->room, text, strlen(text) + 1);
    for (char *c = p->room;; c++) {
        char end = *c;

        if (end != '.' && end != ',' && end != '\0')
            continue;
        *c = '\0';
        if (*key == '\0' || p->n >= PATHS_MAX || n_keys >= KEYS_MAX)
            return false;
        p->keys[p->n][n_keys++] = key;
        key = c + 1;
        if (end == '.')
            continue;
        p->keys[p->n++][n_keys] = NULL;
        n_keys = 0;
        if (end == '\0')
            return true;
    }
}

static enum err
take_paths(struct geo *g, const struct geo_options *o, struct buf *message)
{
    for (size_t i = 0; i < GEO_VALUE_COUNT; i++) {
        const char *text = o->paths[i] != NULL ? o->paths[i] : values[i].paths;

        if (split(&g->paths[i], text))
            continue;
        buf_printf(message, "span25: the path of the %s, '", values[i].word);
        text_term(message, span_str(text));
        buf_str(message, "', is not keys joined by dots, several paths by "
                         "commas, such as country.iso_code,country_code\n");
        return ERR_CONFIG;
    }
    return ERR_OK;
}

/* ---- one database ---- */

static void
complain(struct buf *message, const char *file, const char *why)
{
    buf_str(message, "span25: ");
    text_term(message, span_str(file));
    buf_printf(message, ": %s\n", why);
}

/* The file's bytes into memory of our own: what somebody then does to the file
 * is without effect here. */
static bool
copy_in(int from, int to, uint64_t size)
{
    char block[65536];
    uint64_t done = 0;

    while (done < size) {
        ssize_t n = read(from, block, sizeof(block));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || write(to, block, (size_t)n) != n)
            return false;
        done += (uint64_t)n;
    }
    return true;
}

/* The library wants a name. */
static int
open_memory(int fd, MMDB_s *db)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return MMDB_open(name, MMDB_MODE_MMAP, db);
}

/* A record that the tree points at, each one once. */
struct walk {
    const MMDB_s *db;
    const struct geo *geo;
    uint8_t *met; /* a bit a byte of the data section */
    unsigned base;
    bool bad;
    bool useful; /* some record has one of the values */
};

static void
check_value(struct walk *w, MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    int status = MMDB_aget_value(entry, &data, path);

    w->useful |= status == MMDB_SUCCESS && data.has_data;
    w->bad |= status != MMDB_SUCCESS &&
              status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
}

static void
check_entry(struct walk *w, MMDB_entry_s *entry)
{
    uint32_t at = entry->offset;

    if (at >= w->db->data_section_size) {
        w->bad = true;
        return;
    }
    if ((w->met[at / 8] >> (at % 8) & 1) != 0)
        return;
    w->met[at / 8] = (uint8_t)(w->met[at / 8] | 1U << (at % 8));
    for (size_t v = 0; v < GEO_VALUE_COUNT && !w->bad; v++) {
        const struct paths *p = &w->geo->paths[v];

        for (size_t i = 0; values[v].base == w->base && i < p->n; i++)
            check_value(w, entry, p->keys[i]);
    }
}

static void
check_side(struct walk *w, uint8_t type, uint64_t record, MMDB_entry_s *entry)
{
    switch (type) {
    case MMDB_RECORD_TYPE_SEARCH_NODE:
        w->bad |= record >= w->db->metadata.node_count;
        break;
    case MMDB_RECORD_TYPE_EMPTY: break;
    case MMDB_RECORD_TYPE_DATA: check_entry(w, entry); break;
    default: w->bad = true; break;
    }
}

enum verdict { VERDICT_GOOD, VERDICT_DAMAGED, VERDICT_USELESS };

/* Every node and every record, in time linear in the file. */
static enum verdict
check_all(const struct geo *g, const MMDB_s *db, unsigned base)
{
    struct walk w = {.db = db, .geo = g, .base = base};
    uint64_t tree =
        (uint64_t)db->metadata.node_count * db->full_record_byte_size;

    if (tree + DATA_SEPARATOR > (uint64_t)db->file_size ||
        db->metadata.build_epoch > EPOCH_MAX)
        return VERDICT_DAMAGED;
    w.met = calloc(1, db->data_section_size / 8 + 1);
    w.bad = w.met == NULL;
    for (uint32_t i = 0; i < db->metadata.node_count && !w.bad; i++) {
        MMDB_search_node_s node;

        if (MMDB_read_node(db, i, &node) != MMDB_SUCCESS) {
            w.bad = true;
            break;
        }
        check_side(&w, node.left_record_type, node.left_record,
                   &node.left_record_entry);
        check_side(&w, node.right_record_type, node.right_record,
                   &node.right_record_entry);
    }
    free(w.met);
    if (w.bad)
        return VERDICT_DAMAGED;
    return w.useful ? VERDICT_GOOD : VERDICT_USELESS;
}

/* In a process of its own: the library recurses as deep as a record nests, so a
 * hostile file ends that one. What it got through does us no harm. NULL when
 * all is well, else what is wrong. */
static const char *
find_fault(const struct geo *g, const MMDB_s *db, unsigned base)
{
    static const struct rlimit no_core = {0, 0};
    static const struct rlimit cpu = {CHECK_SECONDS, CHECK_SECONDS};
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer would report it */
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)setrlimit(RLIMIT_CPU, &cpu);
        _exit((int)check_all(g, db, base));
    }
    if (pid < 0)
        return "cannot be checked: no process can be had";
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == VERDICT_GOOD)
        return NULL;
    if (WIFEXITED(status) && WEXITSTATUS(status) == VERDICT_USELESS)
        return "has no record with what is looked for; say with "
               "geo.country_path, geo.as_path and geo.org_path where its "
               "records have it (mmdblookup prints one)";
    return "is damaged; fetch it again";
}

/* Into *db from a file that is open; why is static. */
static enum err
load(const struct geo *g, int fd, const struct stat *st, unsigned base,
     MMDB_s *db, const char **why)
{
    int memory;
    int status;

    *why = "is not a file of at most 1 GiB; give the .mmdb file itself";
    if (!S_ISREG(st->st_mode) || st->st_size <= 0 ||
        (uint64_t)st->st_size > GEO_FILE_MAX)
        return ERR_FORMAT;
    *why = "cannot be read into memory";
    memory = memfd_create("geo", MFD_CLOEXEC);
    if (memory < 0)
        return ERR_NOMEM;
    if (!copy_in(fd, memory, (uint64_t)st->st_size)) {
        (void)close(memory);
        return ERR_IO;
    }
    status = open_memory(memory, db);
    (void)close(memory);
    *why = "is not a MaxMind DB file, or is damaged; fetch it again";
    if (status != MMDB_SUCCESS)
        return ERR_FORMAT;
    *why = find_fault(g, db, base);
    if (*why == NULL)
        return ERR_OK;
    MMDB_close(db);
    return ERR_FORMAT;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads the file and puts it in place of the one that is open. */
static enum err
base_read(struct geo *g, unsigned which, struct buf *message)
{
    struct base *b = &g->bases[which];
    const char *why;
    struct stat st;
    MMDB_s db;
    int fd = open(b->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum err e;

    if (fd < 0 || fstat(fd, &st) != 0) {
        e = err_from_errno(errno);
        complain(message, b->file, err_text(e));
        if (fd >= 0)
            (void)close(fd);
        return e;
    }
    e = load(g, fd, &st, which, &db, &why);
    (void)close(fd);
    if (e != ERR_OK) {
        b->refused = st;
        complain(message, b->file, why);
        return e;
    }
    if (b->open)
        MMDB_close(&b->db);
    b->db = db;
    b->was = st;
    b->open = true;
    return ERR_OK;
}

enum err
geo_open(const struct geo_options *o, struct geo **out, struct buf *message)
{
    struct geo *g;
    enum err e;

    *out = NULL;
    if (o->country == NULL && o->as == NULL)
        return ERR_OK;
    g = calloc(1, sizeof(*g));
    if (g == NULL)
        return ERR_NOMEM;
    g->bases[BASE_COUNTRY].file = o->country;
    g->bases[BASE_AS].file = o->as;
    e = take_paths(g, o, message);
    for (unsigned i = 0; i < BASE_COUNT && e == ERR_OK; i++) {
        if (g->bases[i].file != NULL)
            e = base_read(g, i, message);
    }
    if (e != ERR_OK) {
        geo_free(g);
        return e;
    }
    *out = g;
    return ERR_OK;
}

void
geo_free(struct geo *g)
{
    if (g == NULL)
        return;
    for (unsigned i = 0; i < BASE_COUNT; i++) {
        if (g->bases[i].open)
            MMDB_close(&g->bases[i].db);
    }
    free(g);
}

/* ---- look-ups ---- */

static bool
entry_of(const MMDB_s *db, const struct addr *a, MMDB_entry_s *out)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    const struct sockaddr *to = (const struct sockaddr *)&six;
    MMDB_lookup_result_s r;
    int status = MMDB_SUCCESS;

    if (addr_is_v4(a)) {
        memcpy(&four.sin_addr, a->b + 12, 4);
        to = (const struct sockaddr *)&four;
    } else {
        memcpy(&six.sin6_addr, a->b, 16);
    }
    r = MMDB_lookup_sockaddr(db, to, &status);
    *out = r.entry;
    return status == MMDB_SUCCESS && r.found_entry;
}

static bool
value_of(const struct geo *g, MMDB_entry_s *entry, enum geo_value v,
         MMDB_entry_data_s *out)
{
    const struct paths *p = &g->paths[v];

    for (size_t i = 0; i < p->n; i++) {
        if (MMDB_aget_value(entry, out, p->keys[i]) == MMDB_SUCCESS &&
            out->has_data)
            return true;
    }
    return false;
}

static void
take_country(const MMDB_entry_data_s *d, struct geo_answer *out)
{
    const char *s = d->utf8_string;

    if (d->type != MMDB_DATA_TYPE_UTF8_STRING || d->data_size != 2 ||
        s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z')
        return;
    out->country[0] = s[0];
    out->country[1] = s[1];
}

/* A number, or text such as "AS64500" or "64500". */
static uint32_t
as_of(const MMDB_entry_data_s *d)
{
    struct span s;
    uint64_t n = 0;

    if (d->type == MMDB_DATA_TYPE_UINT16)
        return d->uint16;
    if (d->type == MMDB_DATA_TYPE_UINT32)
        return d->uint32;
    if (d->type == MMDB_DATA_TYPE_UINT64)
        return d->uint64 <= UINT32_MAX ? (uint32_t)d->uint64 : 0;
    if (d->type != MMDB_DATA_TYPE_UTF8_STRING)
        return 0;
    s = span_of(d->utf8_string, d->data_size);
    if (span_starts(s, SPAN_LIT("AS")))
        s = span_tail(s, 2);
    if (s.n == 0 || s.n > 10)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (c < '0' || c > '9')
            return 0;
        n = n * 10 + (uint64_t)(c - '0');
    }
    return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static void
take_org(const MMDB_entry_data_s *d, struct geo_answer *out)
{
    struct span s;
    size_t n = 0;

    if (d->type != MMDB_DATA_TYPE_UTF8_STRING)
        return;
    s = span_of(d->utf8_string, d->data_size);
    while (s.n > 0) {
        size_t len = utf8_len(s);

        if (n + len > GEO_ORG_MAX)
            break;
        if (len == 0 || span_at(s, 0) < ' ' || span_at(s, 0) == 0x7f) {
            s = span_tail(s, 1);
            continue;
        }
        memcpy(out->org + n, s.p, len);
        n += len;
        s = span_tail(s, len);
    }
    out->org[n] = '\0';
}

static void
ask(const struct geo *g, const struct addr *a, struct geo_answer *out)
{
    MMDB_entry_s entry;
    MMDB_entry_data_s d;

    *out = (struct geo_answer){0};
    if (addr_is_private(a))
        return;
    if (g->bases[BASE_COUNTRY].open &&
        entry_of(&g->bases[BASE_COUNTRY].db, a, &entry) &&
        value_of(g, &entry, GEO_COUNTRY, &d))
        take_country(&d, out);
    if (!g->bases[BASE_AS].open || !entry_of(&g->bases[BASE_AS].db, a, &entry))
        return;
    if (value_of(g, &entry, GEO_AS, &d))
        out->as = as_of(&d);
    if (value_of(g, &entry, GEO_ORG, &d))
        take_org(&d, out);
}

const struct geo_answer *
geo_find(struct geo *g, const struct addr *a)
{
    struct cached *c;

    if (g == NULL)
        return NULL;
    c = &g->cache[hash_span(span_of(a->b, sizeof(a->b)), 0) % GEO_CACHE];
    if (!c->used || addr_cmp(&c->addr, a) != 0) {
        c->addr = *a;
        c->used = true;
        ask(g, a, &c->answer);
    }
    return &c->answer;
}

/* ---- changes ---- */

static bool
refresh(struct geo *g, unsigned which, struct buf *message)
{
    struct base *b = &g->bases[which];
    struct stat st;

    if (b->file == NULL || stat(b->file, &st) != 0 ||
        is_same_file(&st, &b->was) || is_same_file(&st, &b->refused))
        return false;
    if (base_read(g, which, message) == ERR_OK)
        return true;
    b->refused = st;
    buf_str(message, "span25: the database read before stays in force\n");
    return false;
}

bool
geo_refresh(struct geo *g, struct buf *message)
{
    bool changed = false;

    if (g == NULL)
        return false;
    for (unsigned i = 0; i < BASE_COUNT; i++)
        changed |= refresh(g, i, message);
    for (size_t i = 0; changed && i < GEO_CACHE; i++)
        g->cache[i].used = false;
    return changed;
}

static void
describe(const struct base *b, const char *what, struct buf *out)
{
    char date[NS_TEXT_MAX];
    uint64_t epoch = b->db.metadata.build_epoch;
    const char *slash = b->file != NULL ? strrchr(b->file, '/') : NULL;

    if (!b->open)
        return;
    buf_printf(out, "%s%s: ", out->n > 0 ? "; " : "", what);
    text_term(out, span_head(span_str(b->db.metadata.database_type), 60));
    (void)ns_format(epoch * NS_PER_S, date);
    buf_printf(out, " of %.10s", date);
    buf_str(out, " (");
    text_term(out, span_str(slash != NULL ? slash + 1 : b->file));
    buf_putc(out, ')');
}

void
geo_describe(const struct geo *g, struct buf *out)
{
    struct buf line;

    if (g == NULL)
        return;
    buf_init(&line, 4096);
    describe(&g->bases[BASE_COUNTRY], "country", &line);
    describe(&g->bases[BASE_AS], "AS", &line);
    buf_span(out, buf_view(&line));
    buf_free(&line);
}

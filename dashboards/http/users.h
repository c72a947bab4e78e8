#ifndef SPAN25_DASHBOARDS_USERS_H
#define SPAN25_DASHBOARDS_USERS_H
/* users - the file of those who may log in
 *
 *     # name:roles:hash
 *     ines:analyst,registrar:$y$j9T$...
 *
 * Hashes are those of crypt(5) that `mkpasswd` makes: yescrypt ($y$), scrypt
 * ($7$) and SHA-512 ($6$); weaker ones are refused. Names are letters, digits
 * and "._@-". Nothing here writes the file. Reading is done once: to take up a
 * change, load it again. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define USERS_MAX      1000U /* lines: a table for people */
#define USERS_FILE     (1U << 20)
#define USERS_NAME     65U  /* bytes of a name, with its NUL */
#define USERS_PASSWORD 511U /* bytes: what crypt takes */

enum role {
    ROLE_VIEWER = 1,
    ROLE_ANALYST = 2,
    ROLE_REGISTRAR = 4,
    ROLE_FIREWALL = 8,
    ROLE_ADMIN = 16,
};
#define ROLES_ALL 31U

struct users;

/* ERR_CONFIG with file, line and reason in message; ERR_PERM: others may read
 * or change the file. A file without users is fine, nobody gets in. */
MUST_USE enum err users_load(const char *file, struct users **out,
                             struct buf *message);
void users_free(struct users *u); /* NULL is fine */
size_t users_count(const struct users *u);

/* Roles of this name; 0: there is no such user. */
unsigned users_roles(const struct users *u, struct span name);

/* Roles, or 0 when name or password are wrong. Takes as long for a name that is
 * not there as for one that is (some 0.1 s, and 16 MiB); any thread. */
MUST_USE unsigned users_check(const struct users *u, struct span name,
                              struct span password);

/* A new hash (yescrypt, default cost), for a line of the file. ERR_LIMIT: the
 * password is empty, too long, or has a NUL. */
MUST_USE enum err users_hash(struct span password, struct buf *out);

bool users_is_name(struct span name);

/* "analyst,registrar", in any order, at least one; false on any other word. */
MUST_USE bool roles_parse(struct span text, unsigned *out);
/* The word of one role; the bit `i` of a set is roles_name(i); NULL: no more.
 */
const char *roles_name(unsigned i);

#endif

#include "sensor/app/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the first version: later ones add more, which we do not need. Who reads a
 * database makes files beside it, and removes them as the last one. */
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OWN                                                                    \
    (READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define ALL                                                                    \
    (OWN | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |        \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |              \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |             \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static bool
allow(int rules, const char *folder, uint64_t what)
{
    struct landlock_path_beneath_attr p = {
        .allowed_access = what,
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const bool good =
        p.parent_fd >= 0 && syscall(SYS_landlock_add_rule, rules,
                                    LANDLOCK_RULE_PATH_BENEATH, &p, 0) == 0;

    if (p.parent_fd >= 0)
        (void)close(p.parent_fd);
    return good;
}

/* Of what is handled, what is allowed below the folder; the rest nowhere. */
static bool
restrict_to(const char *folder, uint64_t handled, uint64_t allowed)
{
    const struct landlock_ruleset_attr all = {.handled_access_fs = handled};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &all,
                                   sizeof(all.handled_access_fs), 0);
    bool good;

    if (rules < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM;
    good = allow(rules, folder, allowed) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    (void)close(rules);
    return good;
}

bool
confine_files(const char *folder)
{
    return restrict_to(folder, ALL, OWN);
}

bool
confine_writes(const char *folder)
{
    return restrict_to(folder, ALL & ~READS,
                       (OWN & ~READS) | LANDLOCK_ACCESS_FS_MAKE_DIR);
}

#include "sensor/app/confine.h"

#include "sensor/base/text.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* What the state directory has when it is made. */
static const char *const state_files[] = {".",         "state",      "journal",
                                          "snapshots", "evidence",   "seed",
                                          "index.db",  "registry.db"};

/* ---- filters ---- */

static bool
allow_mapping(scmp_filter_ctx f)
{
    struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code) ==
               0 &&
           seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            no_code) == 0;
}

static bool
lock_worker(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = f != NULL && allow_mapping(f);

#define WORKER(name, why)                                                      \
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), 0) == 0;
#include "sensor/app/confine_calls.def"
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

/* The kernel cannot see whether a path is absolute: who names files is our own
 * code, and the file system's rights are those of the user. */
static bool
lock_recorder(int folder)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    struct scmp_arg_cmp there =
        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)(unsigned)folder, 0);
    bool good = f != NULL && allow_mapping(f);

#define WORKER(name, why)                                                      \
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), 0) == 0;
#define RECORDER(name, why)                                                    \
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), 0) == 0;
#define FOLDER(name, why)                                                      \
    good = good &&                                                             \
           seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), 1, there) == 0;
#include "sensor/app/confine_calls.def"
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

static bool
lock_web(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = f != NULL && allow_mapping(f);

#define WEB(name, why)                                                         \
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), 0) == 0;
#include "sensor/app/confine_calls.def"
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

static bool
lock_store(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    struct scmp_arg_cmp remote = SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0);
    bool good = f != NULL && seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS,
                                              SCMP_SYS(socket), 1, remote) == 0;

#define DENY(name, why)                                                        \
    good = good &&                                                             \
           seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(name), 0) == 0;
#include "sensor/app/confine_calls.def"
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

/* ---- rights ---- */

bool
confine_capabilities(void)
{
    capng_clear(CAPNG_SELECT_ALL);
    return capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) == 0;
}

static bool
give_up(void)
{
    const struct rlimit none = {0, 0};

    return confine_capabilities() && setrlimit(RLIMIT_CORE, &none) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0) == 0;
}

enum err
confine_recorder(int folder)
{
    return give_up() && (IS_SANITIZED || lock_recorder(folder)) ? ERR_OK
                                                                : ERR_PERM;
}

enum err
confine(enum confine_role role)
{
    bool good = give_up();

    if (good && !IS_SANITIZED)
        good = role == CONFINE_WORKER ? lock_worker()
               : role == CONFINE_WEB  ? lock_web()
                                      : lock_store();
    return good ? ERR_OK : ERR_PERM;
}

/* ---- the user ---- */

/* Files of a state that root made; a link is not followed. */
static bool
hand_over(const char *state, uid_t uid, gid_t gid)
{
    const int dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = dir >= 0;

    for (size_t i = 0; good && i < ARRAY_LEN(state_files); i++)
        good =
            fchownat(dir, state_files[i], uid, gid, AT_SYMLINK_NOFOLLOW) == 0 ||
            errno == ENOENT;
    if (dir >= 0)
        (void)close(dir);
    return good;
}

static bool
keep_capture(void)
{
    capng_clear(CAPNG_SELECT_BOTH);
    return capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
                        CAP_NET_RAW) == 0 &&
           capng_apply(CAPNG_SELECT_CAPS) == 0;
}

static bool
become(const struct passwd *p)
{
    return prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, NULL) == 0 &&
           setgid(p->pw_gid) == 0 && setuid(p->pw_uid) == 0 && keep_capture();
}

enum err
confine_user(const char *user, const char *state, struct buf *message)
{
    const struct passwd *p;

    if (geteuid() != 0)
        return ERR_OK; /* what it has is what it was given */
    if (user == NULL || strcmp(user, "root") == 0)
        return keep_capture() ? ERR_OK : ERR_PERM;
    p = getpwnam(user);
    if (p == NULL) {
        buf_str(message, "span25: there is no user ");
        text_term(message, span_str(user));
        buf_str(message, ": make one (useradd --system --no-create-home), or "
                         "set live.user\n");
        return ERR_CONFIG;
    }
    if (hand_over(state, p->pw_uid, p->pw_gid) && become(p))
        return ERR_OK;
    buf_str(message, "span25: cannot become the user ");
    text_term(message, span_str(user));
    buf_putc(message, '\n');
    return ERR_PERM;
}

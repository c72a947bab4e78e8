#include "sensor/app/confine.h"

#include "sensor/base/text.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
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

#define SOCKETS_MAX                                                            \
    1024 /* numbers of files when the recorder locks itself in */

/* What the state directory has when it is made. */
static const char *const state_files[] = {
    ".",        "state",       "journal", "snapshots", "evidence",  "seed",
    "index.db", "registry.db", "feeds",   "feeds/set", "feeds/lock"};

/* ---- filters ---- */

static const struct call {
    int number;
    const char *roles;
    enum confine_how how;
} calls[] = {
#define CALL(name, roles, how, why) {SCMP_SYS(name), roles, how},
#include "sensor/app/confine_calls.def"
#undef CALL
};

/* As in confine_calls.def. */
static const char letters[] = {
    [CONFINE_SUPERVISOR] = 'S', [CONFINE_WORKER] = 'w',
    [CONFINE_CORE] = 'c',       [CONFINE_INDEX] = 'i',
    [CONFINE_RECORDER] = 'r',   [CONFINE_PUBLISH] = 'p',
    [CONFINE_FEEDS] = 'f',      [CONFINE_WEB] = 'h',
    [CONFINE_KEEPER] = 'k',     [CONFINE_INSPECTOR] = 'x',
    [CONFINE_ASKER] = 'a',      [CONFINE_PAGE] = 'g',
};

#define NEW_NAMESPACES                                                         \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |             \
     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static bool
add_where(scmp_filter_ctx f, int number, struct scmp_arg_cmp where)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, number, 1, where) == 0;
}

static bool
add_families(scmp_filter_ctx f, int number)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    bool good = true;

    for (size_t i = 0; good && i < ARRAY_LEN(families); i++)
        good = add_where(
            f, number,
            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)(unsigned)families[i], 0));
    return good;
}

static bool
add_requests(scmp_filter_ctx f, int number)
{
    static const scmp_datum_t requests[] = {FIONREAD, TIOCOUTQ, FIONBIO};
    bool good = true;

    for (size_t i = 0; good && i < ARRAY_LEN(requests); i++)
        good = add_where(f, number, SCMP_A1(SCMP_CMP_EQ, requests[i], 0));
    return good;
}

static bool
add_protections(scmp_filter_ctx f, int number)
{
    static const scmp_datum_t allowed[] = {0, PROT_WRITE, PROT_EXEC};
    bool good = true;

    for (size_t i = 0; good && i < ARRAY_LEN(allowed); i++)
        good = add_where(
            f, number,
            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, allowed[i]));
    return good;
}

static bool
add(scmp_filter_ctx f, const struct call *c, int folder)
{
    switch (c->how) {
    case CONFINE_ANY:
        return seccomp_rule_add(f, SCMP_ACT_ALLOW, c->number, 0) == 0;
    case CONFINE_DATA:
        return add_where(f, c->number,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case CONFINE_CODE: return add_protections(f, c->number);
    case CONFINE_OWN:
        return add_where(f, c->number,
                         SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    case CONFINE_PLAIN:
        return add_where(f, c->number,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0));
    case CONFINE_LINK:
        return add_where(f, c->number, SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS, 0));
    case CONFINE_QUEUE: return add_requests(f, c->number);
    case CONFINE_STDERR:
        return add_where(f, c->number, SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0));
    case CONFINE_LOCAL:
        return add_where(f, c->number, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
    case CONFINE_PRIVATE:
        return add_where(f, c->number, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)) &&
               seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), c->number, 1,
                                SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) == 0;
    case CONFINE_PEERS: return add_families(f, c->number);
    case CONFINE_THREAD:
        return add_where(
            f, c->number,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    case CONFINE_FOLDER:
        return add_where(
            f, c->number,
            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)(unsigned)folder, 0));
    case CONFINE_REFUSE:
        return seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), c->number, 0) == 0;
    case CONFINE_ABSENT:
        return seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), c->number, 0) == 0;
    }
    return false;
}

static bool
lock(enum confine_role role, int folder)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = f != NULL;

    for (size_t i = 0; good && i < ARRAY_LEN(calls); i++) {
        if (strchr(calls[i].roles, letters[role]) != NULL)
            good = add(f, &calls[i], folder);
    }
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

/* To write to a packet socket is to send: the recorder, which writes files,
 * must not. A filter of its own, for a call has one condition in each. */
static bool
lock_sockets(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    bool good = f != NULL;

    for (int fd = 0; good && fd < SOCKETS_MAX; fd++) {
        int family = 0;
        socklen_t n = sizeof(family);

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 &&
            family == AF_PACKET)
            good = seccomp_rule_add(
                       f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(write), 1,
                       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0)) == 0;
    }
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

bool
confine_calls(enum confine_role role)
{
    return IS_SANITIZED || lock(role, -1);
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

    return setrlimit(RLIMIT_CORE, &none) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0) == 0;
}

enum err
confine_recorder(int folder)
{
    return confine_capabilities() && give_up() &&
                   (IS_SANITIZED ||
                    (lock_sockets() && lock(CONFINE_RECORDER, folder)))
               ? ERR_OK
               : ERR_PERM;
}

enum err
confine(enum confine_role role)
{
    const bool good = role == CONFINE_SUPERVISOR || confine_capabilities();

    return good && give_up() && confine_calls(role) ? ERR_OK : ERR_PERM;
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

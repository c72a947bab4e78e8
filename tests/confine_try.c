/* confine_try - does a system call end a process of the live sensor?
 *
 *     confine_try              lines: role, call, "killed" or "lives"
 *     confine_try ROLE CALL    confines itself, makes the call, ends with 0
 *
 * Ends with 77 where the build has no filter. Calls are made with arguments
 * that do nothing where they are allowed. */
#include "sensor/app/confine.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

/* In the order of enum confine_role. */
static const struct role {
    const char *name;
    char letter;
} roles[] = {
    {"supervisor", 'S'},
    {"worker",     'w'},
    {"core",       'c'},
    {"index",      'i'},
    {"recorder",   'r'},
    {"publish",    'p'},
    {"feeds",      'f'},
    {"web",        'h'},
    {"keeper",     'k'},
    {"inspector",  'x'},
    {"asker",      'a'},
    {"page",       'g'},
};

/* Who lives, by the letters of confine_calls.def. */
static const struct call {
    const char *name;
    long number;
    long a, b, c;
    const char *lives;
} calls[] = {
    {"socket_inet",      SYS_socket,           AF_INET,       SOCK_STREAM, 0,         "Spg"         },
    {"socket_inet6",     SYS_socket,           AF_INET6,      SOCK_DGRAM,  0,         "Spg"         },
    {"socket_packet",    SYS_socket,           AF_PACKET,     SOCK_RAW,    0,         "Sg"          },
    {"socket_netlink",   SYS_socket,           AF_NETLINK,    SOCK_RAW,    0,         "Spg"         },
    {"socket_unix",      SYS_socket,           AF_UNIX,       SOCK_STREAM, 0,         "Scpkag"      },
    {"openat",           SYS_openat,           AT_FDCWD,      0,           0,         "Scipfkxag"   },
    {"unlink",           SYS_unlinkat,         -1,            0,           0,         "Scipfg"      },
    {"connect",          SYS_connect,          -1,            0,           0,         "Spkag"       },
    {"sendto",           SYS_sendto,           -1,            0,           0,         "Spfhckag"    },
    {"fork",             SYS_clone,            CLONE_SIGHAND, 0,           0,         "Sck"         },
    {"execve",           SYS_execve,           0,             0,           0,         ""            },
    {"execveat",         SYS_execveat,         -1,            0,           0,         ""            },
    {"ptrace",           SYS_ptrace,           -1,            0,           0,         ""            },
    {"kill",             SYS_kill,             0,             0,           0,         "Sk"          },
    {"process_vm_readv", SYS_process_vm_readv, 0,             0,           0,         ""            },
    {"mount",            SYS_mount,            0,             0,           0,         ""            },
    {"chroot",           SYS_chroot,           0,             0,           0,         ""            },
    {"bpf",              SYS_bpf,              -1,            0,           0,         ""            },
    {"perf_event",       SYS_perf_event_open,  0,             0,           0,         ""            },
    {"init_module",      SYS_init_module,      0,             0,           0,         ""            },
    {"io_uring_setup",   SYS_io_uring_setup,   0,             0,           0,         ""            },
    {"userfaultfd",      SYS_userfaultfd,      -1,            0,           0,         ""            },
    {"keyctl",           SYS_keyctl,           -1,            0,           0,         ""            },
    {"unshare",          SYS_unshare,          0,             0,           0,         ""            },
    {"setns",            SYS_setns,            -1,            0,           0,         ""            },
    {"mmap_exec",        SYS_mmap,             0,             4096,        PROT_EXEC, "Sp"          },
    {"mprotect_exec",    SYS_mprotect,         0,             0,           PROT_EXEC, "Sp"          },
    {"setuid",           SYS_setuid,           -1,            0,           0,         ""            },
    {"poll",             SYS_poll,             0,             0,           0,         "Swcirpfhkag" },
    {"munmap",           SYS_munmap,           0,             0,           0,         "Swcirpfhkxag"},
    {"write",            SYS_write,            -1,            0,           0,         "Scirpfg"     },
    {"utimensat",        SYS_utimensat,        -1,            0,           0,         "Sc"          },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
list(void)
{
    for (size_t r = 0; r < N(roles); r++) {
        for (size_t i = 0; i < N(calls); i++)
            printf("%s %s %s\n", roles[r].name, calls[i].name,
                   strchr(calls[i].lives, roles[r].letter) != NULL ? "lives"
                                                                   : "killed");
    }
}

static bool
is_confined(size_t role)
{
    if (role == CONFINE_RECORDER)
        return confine_recorder(STDERR_FILENO) == ERR_OK;
    return confine((enum confine_role)role) == ERR_OK;
}

int
main(int argc, char **argv)
{
    size_t r = 0, i = 0;

    if (argc != 3) {
        list();
        return argc != 1;
    }
#ifdef IS_SANITIZED
    return 77;
#endif
    while (r < N(roles) && strcmp(roles[r].name, argv[1]) != 0)
        r++;
    while (i < N(calls) && strcmp(calls[i].name, argv[2]) != 0)
        i++;
    if (r == N(roles) || i == N(calls) || !is_confined(r))
        return 1;
    (void)syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0, 0, 0);
    _exit(0);
}

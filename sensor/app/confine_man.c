#include "sensor/app/confine_man.h"

#include "sensor/app/confine.h"

#include <string.h>

static const struct {
    char letter; /* as in confine_calls.def */
    const char *name;
    const char *what;
} roles[] = {
    {'S', "supervisor",
     "starts the others and ends them; keeps CAP_NET_RAW.\nWhat all of them "
     "need "
     "until they have locked themselves in, it must be allowed too"              },
    {'w', "worker",                    "packets to records"                      },
    {'c', "core",                      "records to journal, alerts, decisions"   },
    {'i', "index",                     "journal to the database that is searched"},
    {'r', "recorder",                  "packets to the ring on disk"             },
    {'p', "publish",                   "events to the configured sinks"          },
    {'f', "feeds",                     "block lists, in files and over HTTP"     },
    {'h', "web",                       "numbers and health over HTTP"            },
    {'k', "keeper",                    "starts inspectors and ends them"         },
    {'x', "inspector",                 "looks into one attachment at a time"     },
    {'a', "inspector that asks clamd", "the same, through a Unix socket"         },
};

static const char *const conditions[] = {
    [CONFINE_ANY] = "",
    [CONFINE_DATA] = " (not executable)",
    [CONFINE_CODE] = " (not executable and writable)",
    [CONFINE_OWN] = " (to itself)",
    [CONFINE_PLAIN] = " (no namespace)",
    [CONFINE_LINK] = " (SIOCGIFFLAGS)",
    [CONFINE_QUEUE] = " (FIONREAD, TIOCOUTQ, FIONBIO)",
    [CONFINE_STDERR] = " (standard error)",
    [CONFINE_LOCAL] = " (AF_UNIX)",
    [CONFINE_PRIVATE] = " (AF_UNIX)",
    [CONFINE_PEERS] = " (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)",
    [CONFINE_THREAD] = " (threads)",
    [CONFINE_FOLDER] = " (in its folder)",
    [CONFINE_REFUSE] = NULL, /* it gets an error: not allowed */
    [CONFINE_ABSENT] = NULL,
};

static const struct {
    const char *name, *roles;
    enum confine_how how;
} calls[] = {
#define CALL(name, roles, how, why) {#name, roles, how},
#include "sensor/app/confine_calls.def"
#undef CALL
};

static void
put_calls(char letter, struct buf *out)
{
    const char *between = "";

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        const char *const condition = conditions[calls[i].how];

        if (strchr(calls[i].roles, letter) == NULL || condition == NULL)
            continue;
        buf_printf(out, "%s%s%s", between, calls[i].name, condition);
        between = ",\n";
    }
    buf_str(out, ".\n");
}

void
confine_man_write(struct buf *out)
{
    buf_str(out,
            ".Sh SYSTEM CALLS\n"
            "Each process may make these system calls and no other; one that "
            "makes another\n"
            "is killed by the kernel, and started again.\n"
            "What code that has taken over one of them can still do stands in\n"
            ".Xr span25-deploy 7 .\n"
            ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        buf_printf(out, ".It %s\n%s:\n", roles[i].name, roles[i].what);
        put_calls(roles[i].letter, out);
    }
    buf_str(out, ".El\n");
}

void
confine_man_write_page(struct buf *out)
{
    buf_str(out,
            ".Sh SYSTEM CALLS\n"
            "Before it answers anybody the process gives up every capability "
            "and new\nprivileges.\n"
            "Where the kernel has Landlock it can write below its state "
            "alone, and execute\nnothing.\n"
            "It may make these system calls and no other; one that makes "
            "another is killed by\nthe kernel:\n");
    put_calls('g', out);
    buf_str(out, "It then begins no process, and no connection but to sockets "
                 "of this machine:\nthose of the sensor and of systemd.\n");
}

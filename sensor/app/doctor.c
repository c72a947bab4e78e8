#include "sensor/app/doctor.h"

#include "sensor/app/caller.h"
#include "sensor/app/live.h"
#include "sensor/app/live_health.h"
#include "sensor/app/live_report.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define PAGE_MAX  (1U << 20)
#define ROOM_WARN 10U /* percent of the disk that is free */
#define ROOM_FAIL 3U

struct doctor {
    const struct config *config;
    const char *state;
    struct buf *out;
    struct json_out *json; /* with --json; else NULL */
    struct buf text;       /* of the line that is being made */
    bool blind;            /* that line says that the sensor does not see */
    bool silent;           /* some line says that packets do not come */
    ns_t since;            /* nothing is seen since; 0: not known */
    unsigned n_warn, n_fail, n_blind;
};

/* ---- one line ---- */

#define INDENT "      " /* the width of a level */

/* Characters; text_term lets only such through that take one column or two. */
static size_t
columns_of(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (span_at(s, i) & 0xc0U) != 0x80U;
    return n;
}

/* How many bytes of s go into so many columns, cut behind a word; a word that
 * is longer stays whole. */
static size_t
words_in(struct span s, size_t columns)
{
    size_t at = 0, end = 0;

    while (end < s.n) {
        const size_t word = end + 1 + span_find(span_tail(s, end + 1), ' ');

        if (at > 0 && columns_of(span_head(s, word)) > columns)
            break;
        at = end = word < s.n ? word : s.n;
    }
    return at;
}

/* On a terminal lines are folded between words. */
void
doctor_fold(struct span text, size_t columns, struct buf *out)
{
    const size_t wide = sizeof(INDENT) - 1;

    while (columns > 2 * wide && columns_of(text) > columns - wide) {
        const size_t n = words_in(text, columns - wide);

        if (n >= text.n)
            break;
        buf_span(out, span_head(text, n));
        buf_str(out, "\n" INDENT);
        text = span_tail(text, n + 1); /* the space */
    }
    buf_span(out, text);
    buf_putc(out, '\n');
}

static void
put_line(struct buf *out, const char *level, struct span text, struct span todo)
{
    struct buf line;

    buf_init(&line, 1 << 16);
    text_term(&line, text);
    if (todo.n > 0) {
        buf_str(&line, ": ");
        text_term(&line, todo);
    }
    buf_printf(out, "%-5s ", level);
    doctor_fold(buf_view(&line), caller_columns(), out);
    buf_free(&line);
}

static void
put_json(struct json_out *j, const char *level, struct span text,
         struct span todo, bool blind)
{
    json_begin(j, '{');
    json_key(j, "state");
    (void)json_str(j, span_str(level));
    json_key(j, "text");
    (void)json_str(j, text);
    json_key(j, "fix");
    if (todo.n > 0)
        (void)json_str(j, todo);
    else
        json_null(j);
    json_key(j, "blind");
    json_bool(j, blind);
    json_end(j, '}');
}

static void
put_check(struct doctor *d, const char *level, struct span text,
          struct span todo)
{
    if (d->json != NULL)
        put_json(d->json, level, text, todo, d->blind);
    else
        put_line(d->out, level, text, todo);
}

/* The text is what stands in d->text. */
static void
tell(struct doctor *d, enum live_level level, const char *todo)
{
    put_check(d, live_level_word(level), buf_view(&d->text),
              level == LIVE_LEVEL_OK ? SPAN_NONE : span_str(todo));
    d->n_warn += level == LIVE_LEVEL_WARN;
    d->n_fail += level == LIVE_LEVEL_FAIL;
    buf_reset(&d->text);
}

/* ---- what the sensor says ---- */

/* The head of s up to byte, which is taken out of s with it. */
static struct span
cut_at(struct span *s, uint8_t byte)
{
    const size_t at = span_find(*s, byte);
    const struct span head = span_head(*s, at);

    *s = span_tail(*s, at < s->n ? at + 1 : s->n);
    return head;
}

static void
take_check(struct doctor *d, struct span line)
{
    const struct span begin = SPAN_LIT("# check ");
    struct span rest = span_tail(line, begin.n);
    const struct span level = cut_at(&rest, ' ');
    const struct span name = cut_at(&rest, '\t'); /* behind blind or not */
    const struct span text = cut_at(&rest, '\t');

    d->blind = span_starts(name, SPAN_LIT("blind "));
    d->n_blind += d->blind;
    d->silent = d->silent || span_eq(name, SPAN_LIT("blind packets")) ||
                span_eq(name, SPAN_LIT("blind interface"));
    for (unsigned l = LIVE_LEVEL_OK; l <= LIVE_LEVEL_FAIL; l++) {
        if (!span_eq(level, span_str(live_level_word((enum live_level)l))) ||
            text.n == 0)
            continue;
        put_check(d, live_level_word((enum live_level)l), text, rest);
        d->n_warn += l == LIVE_LEVEL_WARN;
        d->n_fail += l == LIVE_LEVEL_FAIL;
    }
    d->blind = false;
}

/* The oldest time of the rows with this name, to the second: of the interface
 * that has had no packet for longest. 0: not known. */
static void
take_time(struct span line, struct span name, ns_t *oldest)
{
    uint64_t s = 0;

    if (!span_starts(line, name))
        return;
    (void)cut_at(&line, '}');
    (void)cut_at(&line, ' ');
    if (span_to_u64(cut_at(&line, '.'), &s) && s > 0 &&
        s < UINT64_MAX / NS_PER_S && (*oldest == 0 || s * NS_PER_S < *oldest))
        *oldest = s * NS_PER_S;
}

static void
take_page(struct doctor *d, struct span page)
{
    ns_t packet = 0, start = 0;

    while (page.n > 0) {
        const struct span line = cut_at(&page, '\n');

        if (span_starts(line, SPAN_LIT("# check ")))
            take_check(d, line);
        take_time(line,
                  SPAN_LIT("span25_capture_last_packet_timestamp_"
                           "seconds{"),
                  &packet);
        take_time(line, SPAN_LIT("span25_process_start_time_seconds{"), &start);
    }
    if (d->silent)
        d->since = packet > 0 ? packet : start;
}

void
doctor_page(struct span page, struct buf *out, unsigned *n_warn,
            unsigned *n_fail)
{
    struct doctor d = {.out = out};

    take_page(&d, page);
    *n_warn += d.n_warn;
    *n_fail += d.n_fail;
}

static enum doctor_sight
sight_of(const struct doctor *d, bool running)
{
    if (running)
        return d->n_blind > 0 ? DOCTOR_BLIND : DOCTOR_SEES;
    return d->since > 0 ? DOCTOR_BLIND : DOCTOR_NO_SENSOR;
}

const char *
doctor_sight_word(enum doctor_sight s)
{
    static const char *const words[] = {[DOCTOR_SEES] = "seeing",
                                        [DOCTOR_BLIND] = "blind",
                                        [DOCTOR_NO_SENSOR] = "no sensor"};

    return words[s];
}

/* False: there is none, or it is old. */
static bool
read_page(struct doctor *d, struct buf *page)
{
    ns_t age = 0;
    const enum err e = live_report_read(d->state, page, &age);

    if (e == ERR_OK && age <= DOCTOR_FRESH)
        return true;
    buf_str(&d->text, "no sensor runs with the state ");
    buf_str(&d->text, d->state);
    if (e == ERR_OK) {
        d->since = caller_clock() - age;
        buf_str(&d->text, ", the last one was there ");
        live_health_time(&d->text, age);
        buf_str(&d->text, " ago");
    }
    d->blind = e == ERR_OK;
    tell(d, LIVE_LEVEL_FAIL, "start it: span25 live -i IFACE");
    d->blind = false;
    return false;
}

/* ---- what can be seen from here ---- */

static int
look_at_state(struct doctor *d)
{
    const int dir = open(d->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statvfs fs;
    uint64_t free_percent;

    buf_printf(&d->text, "state %s ", d->state);
    if (dir < 0) {
        buf_str(&d->text, err_text(err_from_errno(errno)));
        tell(d, LIVE_LEVEL_FAIL, "make it, or see --state and whose it is");
        return -1;
    }
    if (fstatvfs(dir, &fs) != 0 || fs.f_blocks == 0) {
        buf_str(&d->text, "can be read");
        tell(d, LIVE_LEVEL_OK, "");
        return dir;
    }
    free_percent = (uint64_t)fs.f_bavail * 100 / fs.f_blocks;
    buf_printf(&d->text, "can be read, its disk is %u %% used",
               (unsigned)(100 - free_percent));
    tell(d,
         free_percent < ROOM_FAIL   ? LIVE_LEVEL_FAIL
         : free_percent < ROOM_WARN ? LIVE_LEVEL_WARN
                                    : LIVE_LEVEL_OK,
         "make room, or keep less");
    return dir;
}

static void
look_at_rights(struct doctor *d)
{
    const bool may = capng_get_caps_process() == 0 &&
                     capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) != 0;

    buf_str(&d->text, may ? "this user may capture"
                          : "this user may not capture: no CAP_NET_RAW");
    tell(d, may ? LIVE_LEVEL_OK : LIVE_LEVEL_WARN,
         "start live as root or by its unit; it gives up its rights itself");
}

static void
look_at_clock(struct doctor *d)
{
    struct timex t = {0}; /* modes 0: asks only */
    const int state = adjtimex(&t);
    const bool good =
        state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;

    buf_printf(&d->text, "the clock is %ssynchronised", good ? "" : "not ");
    tell(d, good ? LIVE_LEVEL_OK : LIVE_LEVEL_WARN,
         "run chrony or systemd-timesyncd");
}

/* What ethtool says of a feature; false: unknown or off. */
static bool
offload(int fd, const char *name, uint32_t command, uint32_t mask)
{
    struct ethtool_value v = {.cmd = command};
    struct ifreq r = {.ifr_data = (void *)&v};

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    return ioctl(fd, SIOCETHTOOL, &r) == 0 && (v.data & mask) != 0;
}

static void
look_at_offload(struct doctor *d, int fd, const char *name)
{
    const bool lro = offload(fd, name, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
    const bool gro = offload(fd, name, ETHTOOL_GGRO, UINT32_MAX);

    buf_printf(&d->text, "interface %s offload: LRO %s, GRO %s", name,
               lro ? "on" : "off", gro ? "on" : "off");
    if (gro && !lro)
        buf_str(&d->text, " (joined segments are read as they come)");
    tell(d, lro ? LIVE_LEVEL_WARN : LIVE_LEVEL_OK,
         "LRO loses headers: ethtool -K NAME lro off");
}

/* Sockets of others make it so too, which SIOCGIFFLAGS does not tell. */
static bool
is_promiscuous(const char *name)
{
    char path[64], text[32] = "";
    int fd;

    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/flags", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    (void)!read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    return (strtoul(text, NULL, 16) & IFF_PROMISC) != 0;
}

static void
look_at_interface(struct doctor *d, int fd, const char *name)
{
    struct ifreq r = {0};
    bool there, up;

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    there = strlen(name) < IFNAMSIZ && ioctl(fd, SIOCGIFFLAGS, &r) == 0;
    up = there && (r.ifr_flags & IFF_UP) != 0 &&
         (r.ifr_flags & IFF_RUNNING) != 0;
    buf_printf(&d->text, "interface %s %s%s", name,
               !there ? "is not there"
               : up   ? "up"
                      : "down",
               up && is_promiscuous(name) ? ", promiscuous" : "");
    tell(d, up ? LIVE_LEVEL_OK : LIVE_LEVEL_FAIL, "ip link set NAME up");
    if (there)
        look_at_offload(d, fd, name);
}

static void
look_at_interfaces(struct doctor *d)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (size_t i = 0; fd >= 0 && i < d->config->ifaces.n; i++)
        look_at_interface(d, fd, d->config->ifaces.v[i]);
    if (fd >= 0)
        (void)close(fd);
}

/* The end of the document, or a line. */
static void
put_sum(struct doctor *d, bool running)
{
    char since[NS_TEXT_MAX];

    if (d->json != NULL) {
        json_end(d->json, ']');
        json_key(d->json, "sight");
        (void)json_str(d->json,
                       span_str(doctor_sight_word(sight_of(d, running))));
        json_key(d->json, "since");
        if (d->since > 0)
            (void)json_str(d->json, span_of(since, ns_format(d->since, since)));
        else
            json_null(d->json);
        json_key(d->json, "failures");
        json_u64(d->json, d->n_fail);
        json_key(d->json, "warnings");
        json_u64(d->json, d->n_warn);
        json_end(d->json, '}');
        buf_putc(d->out, '\n');
        return;
    }
    buf_printf(d->out, "%u failure%s, %u warning%s\n", d->n_fail,
               d->n_fail == 1 ? "" : "s", d->n_warn, d->n_warn == 1 ? "" : "s");
}

enum cli_exit
doctor_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct json_out json = json_out_open(out);
    struct doctor d = {.config = &c->config,
                       .out = out,
                       .json = c->config.json ? &json : NULL};
    struct buf page;
    bool running = false;
    int dir;

    (void)messages;
    d.state = c->config.state != NULL ? c->config.state : LIVE_STATE;
    buf_init(&d.text, 8192);
    buf_init(&page, PAGE_MAX);
    if (d.json != NULL) {
        json_begin(&json, '{');
        json_key(&json, "schema");
        (void)json_str(&json, SPAN_LIT("span25.doctor"));
        json_key(&json, "rows");
        json_begin(&json, '[');
    }
    dir = look_at_state(&d);
    if (dir >= 0)
        running = read_page(&d, &page);
    look_at_interfaces(&d);
    if (running) {
        take_page(&d, buf_view(&page));
    } else { /* the sensor would tell itself */
        look_at_rights(&d);
        look_at_clock(&d);
    }
    put_sum(&d, running);
    if (dir >= 0)
        (void)close(dir);
    buf_free(&page);
    buf_free(&d.text);
    if (!running)
        return CLI_EXIT_STORE;
    return d.n_fail > 0 ? CLI_EXIT_FAILED : CLI_EXIT_DONE;
}

enum doctor_sight
doctor_look(const char *state, ns_t *since)
{
    struct doctor d = {.state = state};
    enum doctor_sight sight;
    struct buf page, lines;
    bool running;

    buf_init(&d.text, 8192);
    buf_init(&page, PAGE_MAX);
    buf_init(&lines, PAGE_MAX);
    d.out = &lines;
    running = read_page(&d, &page);
    if (running)
        take_page(&d, buf_view(&page));
    sight = sight_of(&d, running);
    *since = d.since;
    buf_free(&lines);
    buf_free(&page);
    buf_free(&d.text);
    return sight;
}

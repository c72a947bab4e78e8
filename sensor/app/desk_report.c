/* blocks report: an abuse report about a host that a human has confirmed
 *
 * Each one that is given out is a control event of kind report: which host, by
 * whom, to where, and the SHA-256 of the text. */
#include "sensor/app/abuse_report.h"
#include "sensor/app/desk_card.h"
#include "sensor/app/desk_decisions.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL_BYTES (16U << 20)
#define XARF       1 /* the second word of --format */

struct reporting {
    struct desk *desk;
    struct desk_alerts alerts;
    const struct desk_alert *alert; /* or NULL */
    struct desk_decisions decisions;
    struct abuse_report report;
    struct buf record, act, sender; /* what spans of report are of */
    struct buf path;                /* of the file, with its NUL */
    bool saved;                     /* it was made */
};

/* ---- what a human said ---- */

/* Of the fixed list: what is abuse, or an abused host. */
static const char *const abuse[] = {"compromised-host", "misuse"};

static void
take_act(void *ctx, uint64_t seq, struct span record)
{
    struct reporting *r = ctx;
    enum desk_status s;

    (void)seq;
    if (!desk_status_of(record_find(record, FIELD_CONTROL_ACTION), &s))
        return;
    buf_reset(&r->act);
    if (s == DESK_CLOSED)
        buf_span(&r->act, record);
}

/* Of the last thing that was done about the alert. */
static enum cli_exit
find_said(struct reporting *r, const struct desk_alert *a, bool *confirmed)
{
    struct span reason;

    buf_reset(&r->act);
    *confirmed = false;
    if (index_acts(r->desk->index, "act", span_str(a->id), take_act, r) !=
        ERR_OK)
        return desk_say_index(r->desk);
    if (r->act.n == 0)
        return CLI_EXIT_DONE;
    reason = record_find(buf_view(&r->act), FIELD_CONTROL_REASON);
    for (size_t i = 0; i < ARRAY_LEN(abuse); i++)
        *confirmed |= span_eq(reason, span_str(abuse[i]));
    if (*confirmed)
        r->report.why = reason;
    return CLI_EXIT_DONE;
}

/* Of one host, whatever its lease is: what is said of a network is said of none
 * of its hosts. */
static bool
read_subject(const struct desk_alert *a, struct prefix *out)
{
    const struct span all = span_str(a->subject != NULL ? a->subject : "");

    return prefix_parse(span_head(all, span_find(all, ' ')), out) &&
           (out->bits == 128 || out->bits == 64);
}

/* The newest one that was confirmed, of those about the host. */
static enum cli_exit
find_alert(struct reporting *r, const struct addr *host)
{
    const struct desk_alert *best = NULL;
    enum cli_exit code = CLI_EXIT_DONE;
    struct prefix about;
    bool confirmed;

    for (size_t i = 0; i < r->alerts.n && code == CLI_EXIT_DONE; i++) {
        const struct desk_alert *a = &r->alerts.v[i];

        if (a->status != DESK_CLOSED || !read_subject(a, &about) ||
            !prefix_has(&about, host) || (best != NULL && best->last > a->last))
            continue;
        code = find_said(r, a, &confirmed);
        best = confirmed ? a : best;
    }
    if (best != NULL && code == CLI_EXIT_DONE)
        code = find_said(r, best, &confirmed); /* its words stay */
    r->alert = best;
    return code;
}

/* Stopped by hand, and so now. */
static const struct desk_decision *
find_decision(struct reporting *r, const struct addr *host)
{
    const struct prefix four = {*host, 128};
    struct prefix six = {*host, 64};
    const struct desk_decision *d;

    memset(six.addr.b + 8, 0, 8);
    d = desk_decisions_find(&r->decisions, addr_is_v4(host) ? &four : &six);
    return d != NULL && desk_standing_of(d, r->desk->now) == DESK_IN_FORCE
               ? d
               : NULL;
}

static bool
is_human(const struct desk_decision *d)
{
    return d != NULL && span_eq(record_find(d->record, FIELD_DECISION_ORIGIN),
                                SPAN_LIT("human"));
}

/* ---- what was seen ---- */

static void
take_record(void *ctx, uint64_t seq, struct span record)
{
    struct reporting *r = ctx;

    (void)seq;
    buf_reset(&r->record);
    buf_span(&r->record, record);
}

static void
take_check(struct abuse_report *out, struct span object)
{
    struct cursor c = cur_open(object);
    struct abuse_check check = {.name = SPAN_NONE};
    struct record_entry e;
    bool fired = false;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_ALERT_CHECKS_NAME)
            check.name = e.value;
        else if (e.field == FIELD_ALERT_CHECKS_RESULT)
            fired = span_eq(e.value, SPAN_LIT("fired"));
        else if (e.field == FIELD_ALERT_CHECKS_OBSERVED)
            check.observed = e.value;
        else if (e.field == FIELD_ALERT_CHECKS_LIMIT)
            check.limit = e.value;
    }
    if (fired && out->n_checks < ABUSE_CHECKS)
        out->checks[out->n_checks++] = check;
}

static void
take_checks(struct reporting *r)
{
    struct cursor c;
    struct record_entry e;

    if (r->record.n == 0)
        return;
    c = record_entries_of(buf_view(&r->record));
    while (record_next(&c, &e)) {
        if (e.field == FIELD_ALERT_CHECKS)
            take_check(&r->report, e.value);
    }
}

/* The first mail of its evidence that has a sender. */
static void
take_mail(void *ctx, struct span record)
{
    struct reporting *r = ctx;
    const struct span from = record_find(record, FIELD_SMTP_MAIL_FROM);
    struct record_map m;

    if (r->sender.n > 0 || from.n < 3)
        return;
    record_map_init(&m, record);
    buf_span(&r->sender, from);
    r->report.source_port = (uint16_t)record_map_u64(&m, FIELD_SRC_PORT, 0);
}

static enum cli_exit
read_alert(struct reporting *r)
{
    const struct desk_alert *a = r->alert;
    struct abuse_report *out = &r->report;
    enum cli_exit code;

    out->id = span_str(a->id);
    out->first = a->first;
    out->last = a->last;
    out->count = a->count;
    out->title = span_str(a->title);
    if (index_latest_key(r->desk->index, "alert", out->id, 1, take_record, r) !=
        ERR_OK)
        return desk_say_index(r->desk);
    take_checks(r);
    code = desk_card_each(r->desk, a, take_mail, r);
    out->sender = buf_view(&r->sender);
    return code;
}

/* ---- whom it is about ---- */

static enum cli_exit
find_host(struct reporting *r, struct span text)
{
    const struct desk_alert *a;
    enum cli_exit code;
    struct prefix p;
    bool confirmed;

    if (prefix_parse(text, &p) && (p.bits == 128 || p.bits == 64)) {
        r->report.host = p.addr;
        return find_alert(r, &p.addr);
    }
    a = desk_alerts_find(r->desk, &r->alerts, text);
    if (a == NULL)
        return CLI_EXIT_USAGE;
    if (!read_subject(a, &p))
        return desk_say(r->desk, CLI_EXIT_USAGE,
                        "this alert is about no host: give an address");
    r->report.host = p.addr;
    code = find_said(r, a, &confirmed);
    r->alert = confirmed ? a : NULL;
    return code;
}

static enum cli_exit
confirm(struct reporting *r)
{
    const struct desk_decision *d = find_decision(r, &r->report.host);

    if (d != NULL && span_eq(record_find(d->record, FIELD_DECISION_MODE),
                             SPAN_LIT("enforce")))
        r->report.stopped_until = d->until;
    if (r->alert != NULL)
        return read_alert(r);
    if (!is_human(d))
        return desk_say_value(
            r->desk, CLI_EXIT_REFUSED, "", span_str(r->desk->cli->arguments[0]),
            " is not confirmed: no alert about it was closed as "
            "compromised-host or misuse, and it was not stopped by hand; "
            "nothing was written");
    r->report.id = record_find(d->record, FIELD_DECISION_ID);
    r->report.why = SPAN_LIT("stopped by hand");
    return CLI_EXIT_DONE;
}

static enum cli_exit
check_config(struct desk *d)
{
    const struct config *c = d->config;

    if (c->report_org == NULL || c->report_contact == NULL)
        return desk_say(d, CLI_EXIT_USAGE,
                        "a report needs report.org and report.contact of the "
                        "configuration: who sends it");
    if (!abuse_report_mail(c->report_contact))
        return desk_say_value(d, CLI_EXIT_USAGE,
                              "report.contact: ", span_str(c->report_contact),
                              " is not a mail address");
    if (c->report_dir != NULL && c->sendmail != NULL)
        return desk_say(d, CLI_EXIT_USAGE, "either -o DIR or --sendmail");
    if (c->sendmail != NULL && c->sendmail[0] != '/')
        return desk_say(d, CLI_EXIT_USAGE,
                        "--sendmail takes an absolute path, without arguments");
    return CLI_EXIT_DONE;
}

static void
find_contact(struct reporting *r)
{
    struct desk *d = r->desk;
    const char *mail = desk_card_mail(d, &r->report.host,
                                      r->alert != NULL && r->alert->site != NULL
                                          ? span_str(r->alert->site)
                                          : SPAN_NONE);

    r->report.org = d->config->report_org;
    r->report.contact = d->config->report_contact;
    r->report.support = d->config->support;
    r->report.now = d->now;
    r->report.to = mail != NULL && abuse_report_mail(mail) ? mail : NULL;
}

/* ---- where it goes ---- */

static enum cli_exit
save(struct reporting *r, const struct buf *text)
{
    struct desk *d = r->desk;
    const char *dir = d->config->report_dir;
    const char *path;
    int number;

    buf_printf(&r->path, "%s/", dir);
    text_term(&r->path, span_head(r->report.id, 16));
    buf_printf(&r->path, "%s%c",
               d->config->report_format == XARF ? ".xarf.json" : ".eml", 0);
    if (r->path.cut || r->path.failed)
        return desk_say(d, CLI_EXIT_USAGE, "--output: too long a name");
    path = (const char *)r->path.p;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        number = errno;
    else
        number = whole_file_new(path, buf_view(text));
    r->saved = number == 0;
    if (r->saved) {
        buf_printf(d->out, "%s\n", path);
        return CLI_EXIT_DONE;
    }
    return desk_say_value(
        d, number == EEXIST ? CLI_EXIT_REFUSED : CLI_EXIT_FAILED,
        "not written: ", span_str(path),
        number == EEXIST ? " is there already" : " cannot be made");
}

static bool
write_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno != EINTR)
            return false;
        s = span_tail(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* No shell: nothing of the report is a word of a command but the address, which
 * has letters that no program takes for anything else. */
static _Noreturn void
be_sendmail(const char *program, const char *to, int in)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char[]){"-i"},
                          (char[]){"--"}, (char *)(uintptr_t)to, NULL};

    (void)signal(SIGPIPE, SIG_DFL); /* else it stays ignored there */
    if (dup2(in, STDIN_FILENO) == STDIN_FILENO)
        (void)execv(program, argv);
    _exit(127);
}

static enum cli_exit
end_sendmail(struct desk *d, pid_t pid, bool written)
{
    int status = 0;

    if (waitpid(pid, &status, 0) == pid && written && WIFEXITED(status) &&
        WEXITSTATUS(status) == 0)
        return CLI_EXIT_DONE;
    return desk_say_value(d, CLI_EXIT_FAILED, "", span_str(d->config->sendmail),
                          " did not take the mail: it was not sent");
}

static enum cli_exit
send_mail(struct reporting *r, const struct buf *text)
{
    struct desk *d = r->desk;
    int pipes[2];
    bool written;
    pid_t pid;

    if (r->report.to == NULL)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "no contact with a mail address is known for this "
                        "host: nothing was sent");
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return desk_say(d, CLI_EXIT_FAILED, strerror(errno));
    (void)signal(SIGPIPE, SIG_IGN);
    pid = fork();
    if (pid == 0)
        be_sendmail(d->config->sendmail, r->report.to, pipes[0]);
    (void)close(pipes[0]);
    written = pid > 0 && write_all(pipes[1], buf_view(text));
    (void)close(pipes[1]);
    if (pid < 0)
        return desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (end_sendmail(d, pid, written) != CLI_EXIT_DONE)
        return CLI_EXIT_FAILED;
    buf_printf(d->out, "given to %s for %s\n", d->config->sendmail,
               r->report.to);
    return CLI_EXIT_DONE;
}

/* ---- that it was given out ---- */

static void
put_where(const struct reporting *r, struct buf *out)
{
    const struct config *c = r->desk->config;

    if (c->sendmail != NULL) {
        buf_printf(out, "given to %s, by ", r->report.to);
        text_term(out, span_str(c->sendmail));
    } else if (r->saved) {
        buf_str(out, "written into ");
        text_term(out, span_str((const char *)r->path.p));
    } else {
        buf_str(out, "printed");
    }
}

static void
put_hash(const struct buf *text, struct buf *out)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(text->p, text->n, hash, &n, EVP_sha256(), NULL) == 1)
        text_hex(out, span_of(hash, n));
}

static void
audit(const struct reporting *r, const struct buf *text, struct desk_writer *w)
{
    struct desk *d = r->desk;
    const struct record_head head = {.when = d->now / NS_PER_US * NS_PER_US,
                                     .type = EVENT_CONTROL};
    char host[ADDR_TEXT_MAX];
    const size_t n = addr_format(&r->report.host, host);
    struct buf where, hash;
    struct record_out out;

    buf_init(&where, 16384);
    buf_init(&hash, 2 * EVP_MAX_MD_SIZE);
    put_where(r, &where);
    put_hash(text, &hash);
    record_init(&out);
    record_begin(&out, &head);
    record_text(&out, FIELD_CONTROL_KIND, "report");
    record_str(&out, FIELD_CONTROL_TEXT, buf_view(&where));
    record_str(&out, FIELD_CONTROL_HASH, buf_view(&hash));
    record_text(&out, FIELD_CONTROL_ACTION,
                d->config->report_format == XARF ? "xarf" : "letter");
    record_time(&out, FIELD_CONTROL_TIME, head.when);
    record_text(&out, FIELD_CONTROL_ACTOR, d->actor);
    if (r->alert != NULL)
        record_text(&out, FIELD_CONTROL_ALERT, r->alert->id);
    record_str(&out, FIELD_CONTROL_SUBJECT, span_of(host, n));
    desk_tell(w, &out);
    record_free(&out);
    buf_free(&hash);
    buf_free(&where);
}

/* ---- making it ---- */

static enum cli_exit
hand_out(struct reporting *r, const struct buf *text)
{
    const struct config *c = r->desk->config;

    if (c->sendmail != NULL)
        return send_mail(r, text);
    if (c->report_dir != NULL)
        return save(r, text);
    buf_span(r->desk->out, buf_view(text));
    return CLI_EXIT_DONE;
}

/* No report without its record: a file is taken away again, and what is to be
 * printed is not. A mail is sent only where the journal is open for it. */
static enum cli_exit
hand_out_told(struct reporting *r, const struct buf *text)
{
    struct desk *d = r->desk;
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(d, &w);

    if (code == CLI_EXIT_DONE)
        code = hand_out(r, text);
    if (code == CLI_EXIT_DONE)
        audit(r, text, w);
    code = desk_close(w, code);
    if (code == CLI_EXIT_DONE)
        return code;
    if (r->saved)
        (void)unlink((const char *)r->path.p);
    if (d->config->sendmail == NULL)
        buf_reset(d->out);
    return code;
}

static enum cli_exit
deliver(struct reporting *r)
{
    const struct config *c = r->desk->config;
    enum cli_exit code;
    struct buf text;

    find_contact(r);
    buf_init(&text, MAIL_BYTES);
    if (c->report_format != XARF)
        abuse_report_letter(&r->report, &text);
    else if (c->sendmail != NULL)
        abuse_report_mail_xarf(&r->report, &text);
    else
        abuse_report_xarf(&r->report, &text);
    code = text.cut || text.failed
               ? desk_say(r->desk, CLI_EXIT_FAILED, err_text(ERR_NOMEM))
               : hand_out_told(r, &text);
    buf_free(&text);
    return code;
}

enum cli_exit
desk_blocks_report(struct desk *d)
{
    struct reporting r = {.desk = d};
    enum cli_exit code = check_config(d);

    buf_init(&r.record, RECORD_MAX);
    buf_init(&r.act, RECORD_MAX);
    buf_init(&r.sender, 4096);
    buf_init(&r.path, 8192);
    if (code == CLI_EXIT_DONE)
        code = desk_alerts_read(d, &r.alerts);
    if (code == CLI_EXIT_DONE &&
        desk_decisions_read(d->index, d->now, &r.decisions) != ERR_OK)
        code = desk_say_index(d);
    if (code == CLI_EXIT_DONE)
        code = find_host(&r, span_str(d->cli->arguments[0]));
    if (code == CLI_EXIT_DONE)
        code = confirm(&r);
    if (code == CLI_EXIT_DONE)
        code = deliver(&r);
    desk_decisions_fini(&r.decisions);
    desk_alerts_fini(&r.alerts);
    buf_free(&r.record);
    buf_free(&r.act);
    buf_free(&r.sender);
    buf_free(&r.path);
    return code;
}

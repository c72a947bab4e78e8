#include "sensor/app/desk_evidence.h"

#include "sensor/app/desk_card.h"
#include "sensor/app/desk_event.h"
#include "sensor/app/evidence_ring.h"
#include "sensor/base/count.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#define SLACK_NS     (5 * NS_PER_S)    /* around what the events say */
#define OPEN_NS      (3600 * NS_PER_S) /* of one that has not ended */
#define FILE_MAX     (EVIDENCE_CUT_BYTES * 2)
#define SHA256_BYTES 32U

struct cutting {
    struct desk *desk;
    const struct desk_alert *alert;
    struct evidence_wanted wanted[EVIDENCE_CUT_KEYS];
    size_t n;
    struct evidence_cut *cut;
    struct evidence_held held;
    struct buf file;
    char hash[2 * SHA256_BYTES + 1];
};

/* ---- which connections ---- */

static void
want(struct cutting *c, const struct evidence_key *k, ns_t from, ns_t to)
{
    struct evidence_wanted *w = c->wanted;
    size_t i = 0;

    while (i < c->n && (memcmp(&w[i].key, k, sizeof(*k)) != 0 ||
                        from > w[i].to || to < w[i].from))
        i++;
    if (i == EVIDENCE_CUT_KEYS)
        return;
    if (i == c->n) {
        w[c->n++] = (struct evidence_wanted){*k, from, to};
        return;
    }
    w[i].from = from < w[i].from ? from : w[i].from;
    w[i].to = to > w[i].to ? to : w[i].to;
}

/* A session is told when it ended; of anything else that is not known. */
static void
take_event(void *ctx, struct span record)
{
    struct cutting *c = ctx;
    const struct record_head h = record_head_of(record);
    const bool ended = h.type == EVENT_SMTP_SESSION;
    struct evidence_key k;
    struct record_map m;
    struct addr a, b;
    ns_t start;

    record_map_init(&m, record);
    if (!record_map_addr(&m, FIELD_SRC_IP, &a) ||
        !record_map_addr(&m, FIELD_DEST_IP, &b) ||
        !record_map_has(&m, FIELD_SRC_PORT) ||
        !record_map_has(&m, FIELD_DEST_PORT))
        return;
    k = evidence_key(&a, (uint16_t)record_map_u64(&m, FIELD_SRC_PORT, 0), &b,
                     (uint16_t)record_map_u64(&m, FIELD_DEST_PORT, 0));
    start =
        record_map_u64(&m, FIELD_FLOW_START, h.when - (ended ? 0 : OPEN_NS));
    want(c, &k, start - SLACK_NS, h.when + (ended ? SLACK_NS : OPEN_NS));
}

/* ---- what is not there ---- */

static enum cli_exit
say_gone(struct cutting *c)
{
    struct desk *d = c->desk;

    if (c->n == 0)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "the events of this alert name no connection; nothing "
                        "was cut");
    if (c->held.segments == 0)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "this state holds no packets: a live sensor keeps them "
                        "when evidence.packets is set; those of captures read "
                        "by hand are in the captures. Nothing was cut");
    buf_str(d->messages,
            "span25: the packets of this alert are not held, or not any more");
    if (c->held.oldest != 0) {
        buf_str(d->messages, "; the oldest that are held are of ");
        desk_event_time(d, c->held.oldest, d->messages);
    }
    buf_str(d->messages, ". Nothing was cut\n");
    return CLI_EXIT_REFUSED;
}

static enum cli_exit
say_ring(struct cutting *c, enum err e)
{
    buf_str(c->desk->messages, "span25: the packets of ");
    text_term(c->desk->messages, span_str(c->desk->config->state));
    buf_printf(c->desk->messages, " cannot be read: %s\n", err_text(e));
    return CLI_EXIT_STORE;
}

/* What it must be known that it lacks. */
static void
say_lacks(struct cutting *c)
{
    const struct evidence_cut_counts n = evidence_cut_counts(c->cut);
    const struct {
        uint64_t n;
        const char *one, *many;
    } lacks[] = {
        {n.fragments, "IP fragment was left out",                                "IP fragments were left out"},
        {n.tunnelled, "packet in a tunnel was left out",
         "packets in tunnels were left out"                                                                  },
        {n.too_many,  "packet was left out: it is too much",
         "packets were left out: it is too much"                                                             },
        {n.dark,      "direction is masked from a hole, or another reading, on",
         "directions are masked from a hole, or another reading, on"                                         },
    };

    for (size_t i = 0; i < ARRAY_LEN(lacks); i++) {
        if (lacks[i].n == 0)
            continue;
        buf_str(c->desk->messages, "span25: ");
        count_put(c->desk->messages, lacks[i].n, lacks[i].one, lacks[i].many);
        buf_putc(c->desk->messages, '\n');
    }
}

/* ---- the file ---- */

static bool
make_hash(struct cutting *c)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(c->file.p, c->file.n, md, &n, EVP_sha256(), NULL) != 1 ||
        n != SHA256_BYTES)
        return false;
    for (unsigned i = 0; i < n; i++) {
        c->hash[2 * i] = digits[md[i] >> 4];
        c->hash[2 * i + 1] = digits[md[i] & 15];
    }
    return true;
}

static enum err
write_file(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = write(fd, s.p, s.n);
        const int why = errno;

        if (n < 0 && why == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? err_from_errno(why) : ERR_IO;
        s = span_tail(s, (size_t)n);
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

static enum cli_exit
say_file(struct cutting *c, enum err e)
{
    struct desk *d = c->desk;

    buf_str(d->messages, "span25: ");
    text_term(d->messages, span_str(d->config->pcap));
    buf_printf(d->messages, ": %s; nothing was cut\n", err_text(e));
    return e == ERR_EXISTS ? CLI_EXIT_REFUSED : CLI_EXIT_FAILED;
}

static void
audit(struct cutting *c, struct desk_writer *w)
{
    const struct evidence_cut_counts n = evidence_cut_counts(c->cut);
    struct desk *d = c->desk;
    const struct record_head head = {.when = d->now / NS_PER_US * NS_PER_US,
                                     .type = EVENT_CONTROL};
    struct record_out r;
    struct buf text;

    buf_init(&text, 4096);
    buf_printf(&text, "packets of %zu connections%s, into ", c->n,
               d->config->redact ? ", redacted" : "");
    text_term(&text, span_str(d->config->pcap));
    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, "evidence");
    record_str(&r, FIELD_CONTROL_TEXT, buf_view(&text));
    record_text(&r, FIELD_CONTROL_HASH, c->hash);
    record_u64(&r, FIELD_CONTROL_NUMBER, n.packets);
    record_text(&r, FIELD_CONTROL_ACTION, "cut");
    record_time(&r, FIELD_CONTROL_TIME, head.when);
    record_text(&r, FIELD_CONTROL_ACTOR, d->actor);
    record_text(&r, FIELD_CONTROL_ALERT, c->alert->id);
    desk_tell(w, &r);
    record_free(&r);
    buf_free(&text);
}

/* No file without its audit: it is taken away again. */
static enum cli_exit
write_audited(struct cutting *c, int fd)
{
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(c->desk, &w);
    enum err e;

    if (code == CLI_EXIT_DONE) {
        e = write_file(fd, buf_view(&c->file));
        if (e == ERR_OK)
            audit(c, w);
        else
            code = say_file(c, e);
    }
    return desk_close(w, code);
}

static enum cli_exit
make_file(struct cutting *c)
{
    const char *path = c->desk->config->pcap;
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const int why = errno;
    enum cli_exit code;

    if (fd < 0)
        return say_file(c, err_from_errno(why));
    code = write_audited(c, fd);
    if (close(fd) != 0 && code == CLI_EXIT_DONE)
        code = say_file(c, ERR_IO);
    if (code != CLI_EXIT_DONE)
        (void)unlink(path);
    return code;
}

static void
say_done(struct cutting *c)
{
    const struct evidence_cut_counts n = evidence_cut_counts(c->cut);
    struct desk *d = c->desk;

    text_term(d->out, span_str(d->config->pcap));
    buf_str(d->out, ": ");
    count_put(d->out, n.packets, "packet", NULL);
    buf_str(d->out, "; ");
    count_put(d->out, n.masked, "byte masked", "bytes masked");
    buf_printf(d->out, "\nSHA-256 %s\n", c->hash);
}

/* ---- the verb ---- */

static enum cli_exit
cut(struct cutting *c)
{
    enum err e = ERR_OK;
    enum cli_exit code;

    e = evidence_cut_new(c->wanted, c->n, &c->cut);
    if (e == ERR_OK)
        e = evidence_ring_read(c->desk->config->state, c->wanted, c->n, c->cut,
                               &c->held);
    if (e != ERR_OK)
        return say_ring(c, e);
    if (evidence_cut_counts(c->cut).packets == 0)
        return say_gone(c);
    if (evidence_cut_mask(c->cut, c->desk->config->redact) != ERR_OK)
        return desk_say(c->desk, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    evidence_cut_write(c->cut, &c->file);
    if (c->file.cut || c->file.failed || !make_hash(c))
        return desk_say(c->desk, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    code = make_file(c);
    if (code == CLI_EXIT_DONE) {
        say_lacks(c);
        say_done(c);
    }
    return code;
}

enum cli_exit
desk_evidence_cut(struct desk *d, const struct desk_alert *a)
{
    struct cutting c = {.desk = d, .alert = a};
    enum cli_exit code = desk_card_each(d, a, take_event, &c);

    buf_init(&c.file, FILE_MAX);
    if (code == CLI_EXIT_DONE)
        code = cut(&c);
    evidence_cut_free(c.cut);
    buf_free(&c.file);
    return code;
}

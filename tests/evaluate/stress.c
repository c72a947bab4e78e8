#include "tests/evaluate/stress.h"

#include "rules/host/hosts.h"
#include "tests/evaluate/play.h"

#define MIB         (1ULL << 20)
#define PROMISED    (160 * MIB + 32 * MIB + 224 * MIB) /* DESIGN 7 */
#define MANY_HOSTS  1000000U
#define LATE_HOSTS  200000U
#define MANY_RCPTS  10000000U
#define RCPTS_EVENT 1000U /* as a long transaction is told in parts */

struct stress {
    struct hosts *hosts;
    struct record_out record;
    struct buf text;
    uint64_t told; /* events of type host */
    struct record_sink sink;
};

static void
count(void *ctx, struct span record)
{
    struct stress *s = ctx;

    (void)record;
    s->told++;
}

static bool
stress_init(struct stress *s)
{
    struct hosts_options o = hosts_options_default;

    *s = (struct stress){.told = 0};
    record_init(&s->record);
    buf_init(&s->text, 256);
    s->sink = (struct record_sink){count, s};
    o.seed = 25;
    return hosts_new(&o, &s->hosts) == ERR_OK;
}

static void
stress_fini(struct stress *s)
{
    hosts_free(s->hosts);
    record_free(&s->record);
    buf_free(&s->text);
}

static void
begin(struct stress *s, enum event_type type, uint32_t host, uint64_t n,
      ns_t when)
{
    uint8_t home[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
                       (uint8_t)host};
    uint8_t away[4] = {50, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    struct addr a = addr_v4(home), b = addr_v4(away);
    struct record_head h = {.when = when, .flow_id = n + 1, .type = type};

    record_begin(&s->record, &h);
    record_addr(&s->record, FIELD_SRC_IP, &a);
    record_u64(&s->record, FIELD_SRC_PORT, 1024 + n % 60000);
    record_addr(&s->record, FIELD_DEST_IP, &b);
    record_u64(&s->record, FIELD_DEST_PORT, 25);
    record_text(&s->record, FIELD_DIRECTION, "outbound");
}

static void
show(struct stress *s, ns_t when)
{
    struct record_map m;

    record_map_init(&m, record_view(&s->record));
    hosts_time(s->hosts, when, &s->sink);
    hosts_event(s->hosts, &m, NULL, &s->sink);
}

static struct span
rcpt(struct stress *s, uint64_t n)
{
    buf_reset(&s->text);
    buf_str(&s->text, "<u");
    buf_u64(&s->text, n);
    buf_str(&s->text, "@o");
    buf_u64(&s->text, n % 50000);
    buf_str(&s->text, ".example>");
    return buf_view(&s->text);
}

/* Every second recipient does not exist. */
static void
send_mail(struct stress *s, uint32_t host, uint64_t first, uint32_t n,
          ns_t when)
{
    begin(s, EVENT_SMTP, host, first, when);
    record_text(&s->record, FIELD_SMTP_HELO, "pc");
    record_text(&s->record, FIELD_SMTP_MAIL_FROM, "<a@b.example>");
    for (uint32_t i = 0; i < n; i++) {
        bool bad = (first + i) % 2 == 1;

        record_object_begin(&s->record, FIELD_SMTP_RCPT);
        record_str(&s->record, FIELD_SMTP_RCPT_ADDR, rcpt(s, first + i));
        record_u64(&s->record, FIELD_SMTP_RCPT_CODE, bad ? 550 : 250);
        record_text(&s->record, FIELD_SMTP_RCPT_CLASS,
                    bad ? "unknown_user" : "accepted");
        record_object_end(&s->record);
    }
    record_u64(&s->record, FIELD_SMTP_RCPT_OFFERED, n);
    record_text(&s->record, FIELD_SMTP_OUTCOME, "accepted");
    show(s, when);
}

static void
send_session(struct stress *s, uint32_t host, uint64_t n, ns_t when)
{
    begin(s, EVENT_SMTP_SESSION, host, n, when);
    record_text(&s->record, FIELD_SMTP_BANNER, "220 mx ESMTP");
    record_u64(&s->record, FIELD_SMTP_BANNER_CODE, 220);
    record_text(&s->record, FIELD_SMTP_HELO, "pc");
    record_u64(&s->record, FIELD_FLOW_BYTES_TOSERVER, 900);
    record_u64(&s->record, FIELD_FLOW_BYTES_TOCLIENT, 300);
    record_bool(&s->record, FIELD_TCP_HANDSHAKE, true);
    record_u64(&s->record, FIELD_TCP_ACKED_TOCLIENT, 300);
    show(s, when);
}

static bool
tell(const struct stress *s, const char *what, struct buf *out)
{
    struct hosts_counts c = hosts_counts(s->hosts);
    bool kept = c.memory_bytes <= PROMISED;

    buf_printf(out,
               "| %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.1f of %.0f%s |\n",
               what, (double)c.hosts, (double)c.detailed, (double)c.evicted,
               (double)c.refused, (double)s->told, (double)c.memory_bytes / MIB,
               (double)PROMISED / MIB, kept ? "" : " **broken**");
    return kept;
}

static unsigned
many_hosts(double scale, struct buf *out)
{
    uint32_t n = (uint32_t)(MANY_HOSTS * scale);
    uint32_t late = (uint32_t)(LATE_HOSTS * scale);
    unsigned broken;
    struct stress s;

    if (!stress_init(&s))
        return 1;
    for (uint32_t i = 0; i < n + late; i++) {
        ns_t when = PLAY_START + i * NS_PER_MS;

        send_mail(&s, i, i, 1, when);
        send_session(&s, i, i, when);
    }
    broken = !tell(&s, "a million hosts and a fifth more", out);
    stress_fini(&s);
    return broken;
}

static unsigned
many_recipients(double scale, struct buf *out)
{
    uint64_t n = (uint64_t)(MANY_RCPTS * scale);
    unsigned broken;
    struct stress s;

    if (!stress_init(&s))
        return 1;
    for (uint64_t i = 0; i < n; i += RCPTS_EVENT) {
        ns_t when = PLAY_START + i * NS_PER_MS;

        send_mail(&s, 1, i, RCPTS_EVENT, when);
        send_session(&s, 1, i, when);
    }
    broken = !tell(&s, "one source, ten million recipients", out);
    stress_fini(&s);
    return broken;
}

unsigned
stress_run(double scale, struct buf *out)
{
    unsigned broken;

    buf_str(out, "| what | hosts | with detail | evicted | refused | host "
                 "events | MiB |\n|---|---|---|---|---|---|---|\n");
    broken = many_hosts(scale, out);
    broken += many_recipients(scale, out);
    return broken;
}

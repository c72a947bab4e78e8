/* study_flood - as many mail transactions as asked for, for studies of bounded
 * memory
 *
 *     study_flood N | span25 study run --home 10.0.0.0/8 - -o study.html
 *
 * N transactions in the clear over 28 days, as lines of read --events, each
 * with one recipient: 200 servers at home that carry most of it, 20,000 other
 * hosts that send now and then, eight bots a day that live for two hours each.
 * The same N gives the same bytes. On standard error: how many were of whom. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BEGIN   UINT64_C(1790553600) /* 2026-09-28, a Monday */
#define SPAN_US (UINT64_C(28) * 86400 * 1000000)
#define SERVERS 200U
#define HOSTS   20000U
#define BOTS    8U /* a day */
#define LIFE_US (UINT64_C(7200) * 1000000)

enum who { SERVER, HOST, BOT, WHO_COUNT };

struct flood {
    uint64_t state, sent[WHO_COUNT];
};

static uint64_t
draw(struct flood *f)
{
    f->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = f->state;

    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static void
put(struct flood *f, uint64_t i, uint64_t us)
{
    const uint64_t r = draw(f);
    const unsigned day = (unsigned)(us / (UINT64_C(86400) * 1000000));
    const uint64_t of_day = us % (UINT64_C(86400) * 1000000);
    enum who who = r % 100 < 85 ? SERVER : r % 100 < 98 ? HOST : BOT;
    unsigned host = (unsigned)(r >> 32);
    char stamp[32], from[24];
    unsigned org = (unsigned)(r >> 16 & 4095);
    time_t t = (time_t)(BEGIN + us / 1000000);
    struct tm tm;
    int unknown = 0;

    if (who == BOT && of_day > LIFE_US)
        who = SERVER;
    switch (who) {
    case SERVER:
        host %= SERVERS;
        (void)snprintf(from, sizeof(from), "10.1.0.%u", host + 1);
        break;
    case HOST:
        host %= HOSTS;
        (void)snprintf(from, sizeof(from), "10.2.%u.%u", host >> 7,
                       (host & 127) + 1);
        break;
    default:
        host = day * BOTS + host % BOTS;
        (void)snprintf(from, sizeof(from), "10.3.0.%u", host + 1);
        unknown = r % 7 < 3;
        break;
    }
    f->sent[who]++;
    (void)gmtime_r(&t, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)printf(
        "{\"timestamp\":\"%s.%06u+0000\",\"flow_id\":%" PRIu64
        ",\"event_type\":\"smtp\",\"src_ip\":\"%s\",\"src_port\":%u,"
        "\"dest_ip\":\"198.18.%u.%u\",\"dest_port\":25,\"proto\":\"TCP\","
        "\"tx_id\":0,\"direction\":\"outbound\",\"src_reg\":{\"state\":\"%s\"},"
        "\"smtp\":{\"helo\":\"h%s\",\"mail_from\":\"<s%u@h.example>\","
        "\"rcpt_to\":[\"<u%u@o%u.example>\"],\"rcpt\":[{\"addr\":\"<u%u@o%u."
        "example>\",\"code\":%d%s}],\"rcpt_offered\":1,\"rcpt_accepted\":%d,"
        "\"rcpt_refused\":%d,%s\"final_code\":%d,\"outcome\":\"%s\","
        "\"message_bytes\":%u},\"email\":{\"score\":%u}}\n",
        stamp, (unsigned)(us % 1000000), i + 1, from,
        1024 + (unsigned)(r % 60000), org >> 4, org & 15,
        who == SERVER ? "registered" : "unregistered", from, host,
        (unsigned)(r >> 40), org, (unsigned)(r >> 40), org, unknown ? 550 : 250,
        unknown ? ",\"class\":\"unknown_user\"" : "", !unknown, unknown,
        unknown ? "" : "\"via\":\"DATA\",", unknown ? 550 : 250,
        unknown ? "rejected" : "accepted", (unsigned)(r >> 20 & 32767) + 500,
        who == BOT ? 7U : 0U);
}

int
main(int argc, char **argv)
{
    struct flood f = {.state = 25};
    const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

    if (n == 0) {
        (void)fprintf(stderr, "usage: study_flood N\n");
        return 2;
    }
    for (uint64_t i = 0; i < n; i++)
        put(&f, i, (uint64_t)((double)i * ((double)SPAN_US / (double)n)));
    (void)fprintf(stderr,
                  "servers %" PRIu64 ", hosts %" PRIu64 ", bots %" PRIu64 "\n",
                  f.sent[SERVER], f.sent[HOST], f.sent[BOT]);
    return fflush(stdout) == 0 ? 0 : 1;
}

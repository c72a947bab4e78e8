/* event_test_kit - events out of words, for the tests of this folder
 *
 *     out|in|internal CLIENT SERVER tx|session|attempts WORD...
 *
 * Words of a transaction: ADDRESS+ (accepted), ADDRESS- (550), ADDRESS~ (450),
 * ADDRESS? (unknown user), ADDRESS! (relaying denied), from=ADDRESS, rejected,
 * deferred, auth, old (no smtp.authenticated), scanner, list, cut, noheader,
 * received, mailer, part (not the last one), none (no message). Of a session:
 * banner=NAME, 554, caps, offered, starttls, stripped, clear=OUTCOME:CODE,
 * noquit, quit, class=HELO-CLASS, order=LETTERS, lower. Of both: helo=NAME,
 * port=N, day=N, at=SECONDS, tls, oneway, midstream, gaps, low, site=NAME,
 * registered. The id of an event is its number, from 1. */
#include "sensor/event/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIT_EPOCH UINT64_C(1767225600) /* 2026-01-01 */

struct kit {
    struct json_reader reader;
    struct record_out record;
    struct record_map map;
    struct buf line, smtp, email, rcpts, paths, message;
    uint64_t n;
    uint64_t second; /* of the last event */
};

static void
kit_open(struct kit *k)
{
    *k = (struct kit){0};
    json_reader_init(&k->reader);
    record_init(&k->record);
    buf_init(&k->line, 1U << 20);
    buf_init(&k->smtp, 1U << 20);
    buf_init(&k->email, 1U << 20);
    buf_init(&k->rcpts, 1U << 20);
    buf_init(&k->paths, 1U << 20);
    buf_init(&k->message, 4096);
}

static void
kit_close(struct kit *k)
{
    json_reader_free(&k->reader);
    record_free(&k->record);
    buf_free(&k->line);
    buf_free(&k->smtp);
    buf_free(&k->email);
    buf_free(&k->rcpts);
    buf_free(&k->paths);
    buf_free(&k->message);
}

struct kit_event {
    char direction[16], client[64], server[64], type[16], site[64];
    unsigned port;
    bool oneway, midstream, gaps, low, tls, old, auth, part, none, registered;
    unsigned code;
    const char *outcome;
    bool cut;
};

static const struct {
    const char *word, *to, *text; /* to: s smtp, e email */
} kit_words[] = {
    {"caps",     "s", "\"ehlo_caps\": [\"SIZE 1000\"],"      },
    {"scanner",  "e", "\"scanner\": [\"x-virus-scanned\"],"  },
    {"list",     "e", "\"bulk\": [\"list-id\"],"             },
    {"received", "e", "\"received\": [\"from a by b\"],"     },
    {"mailer",   "e", "\"x_mailer\": \"Mailer 1\","          },
    {"554",      "s", "\"banner_code\": 554,"                },
    {"noquit",   "s", "\"postscreen\": {\"no_quit\": true}," },
    {"quit",     "s", "\"postscreen\": {\"no_quit\": false},"},
};

static void
kit_rcpt(struct kit *k, const char *word, size_t n, char fate)
{
    static const struct {
        char fate;
        int code;
        const char *class;
    } fates[] = {
        {'+', 250, "accepted"    },
        {'-', 550, "policy"      },
        {'~', 450, "greylisting" },
        {'?', 550, "unknown_user"},
        {'!', 550, "relay_denied"},
    };

    for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
        if (fates[i].fate != fate)
            continue;
        buf_printf(&k->paths, "%s\"<%.*s>\"", k->paths.n > 0 ? "," : "", (int)n,
                   word);
        buf_printf(&k->rcpts,
                   "%s{\"addr\": \"<%.*s>\", \"code\": %d, \"class\": \"%s\"}",
                   k->rcpts.n > 0 ? "," : "", (int)n, word, fates[i].code,
                   fates[i].class);
        return;
    }
    fail_msg("recipient %s", word);
}

static void
kit_starttls(struct kit *k, const char *word)
{
    bool used = strcmp(word, "starttls") == 0;

    buf_printf(&k->smtp, "\"starttls\": {\"offered\": %s%s%s},",
               strcmp(word, "stripped") == 0 ? "false" : "true",
               used ? ", \"used\": true" : "",
               strcmp(word, "stripped") == 0 ? ", \"stripped\": true" : "");
}

static bool
kit_value(struct kit *k, struct kit_event *e, const char *word)
{
    const char *value = strchr(word, '=');
    size_t n;

    if (value == NULL)
        return false;
    n = (size_t)(value++ - word);
    if (strncmp(word, "port", n) == 0)
        e->port = (unsigned)strtoul(value, NULL, 10);
    else if (strncmp(word, "day", n) == 0)
        k->second = strtoul(value, NULL, 10) * 86400;
    else if (strncmp(word, "at", n) == 0)
        k->second = strtoul(value, NULL, 10);
    else if (strncmp(word, "site", n) == 0)
        (void)snprintf(e->site, sizeof(e->site), "%s", value);
    else if (strncmp(word, "helo", n) == 0)
        buf_printf(&k->smtp, "\"helo\": \"%s\",", value);
    else if (strncmp(word, "from", n) == 0)
        buf_printf(&k->smtp, "\"mail_from\": \"<%s>\",", value);
    else if (strncmp(word, "banner", n) == 0)
        buf_printf(&k->smtp,
                   "\"banner\": \"220 %s ESMTP\", \"banner_code\": 220,",
                   value);
    else if (strncmp(word, "class", n) == 0)
        buf_printf(&k->smtp, "\"dialect\": {\"helo_class\": \"%s\"},", value);
    else if (strncmp(word, "clear", n) == 0)
        buf_printf(&k->smtp,
                   "\"auth\": [{\"mechanism\": \"PLAIN\", \"cleartext\": "
                   "true, \"outcome\": \"%.*s\", \"code\": %s}],",
                   (int)strcspn(value, ":"), value, strchr(value, ':') + 1);
    else
        fail_msg("word %s", word);
    return true;
}

static bool
kit_flag(struct kit *k, struct kit_event *e, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
    } flags[] = {
        {"oneway",     &e->oneway    },
        {"midstream",  &e->midstream },
        {"gaps",       &e->gaps      },
        {"low",        &e->low       },
        {"tls",        &e->tls       },
        {"old",        &e->old       },
        {"auth",       &e->auth      },
        {"part",       &e->part      },
        {"none",       &e->none      },
        {"registered", &e->registered},
        {"cut",        &e->cut       },
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(word, flags[i].word) == 0)
            return *flags[i].flag = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(kit_words); i++) {
        if (strcmp(word, kit_words[i].word) != 0)
            continue;
        buf_str(kit_words[i].to[0] == 's' ? &k->smtp : &k->email,
                kit_words[i].text);
        return true;
    }
    return false;
}

static void
kit_word(struct kit *k, struct kit_event *e, const char *word)
{
    size_t n = strlen(word);

    if (strcmp(word, "starttls") == 0 || strcmp(word, "offered") == 0 ||
        strcmp(word, "stripped") == 0)
        kit_starttls(k, word);
    else if (strcmp(word, "rejected") == 0 || strcmp(word, "deferred") == 0)
        e->outcome = word;
    else if (strcmp(word, "noheader") == 0)
        buf_reset(&k->email);
    else if (strchr(word, '@') != NULL && strchr("+-~?!", word[n - 1]) != NULL)
        kit_rcpt(k, word, n - 1, word[n - 1]);
    else if (!kit_flag(k, e, word) && !kit_value(k, e, word))
        fail_msg("word %s", word);
}

static void
kit_head(struct kit *k, const struct kit_event *e)
{
    ns_t when = (KIT_EPOCH + k->second) * NS_PER_S;
    char time[NS_TEXT_MAX];
    bool tx = strcmp(e->type, "tx") == 0;
    bool out = strcmp(e->direction, "out") == 0;

    buf_printf(&k->line, "{\"timestamp\": \"%.*s\", \"flow_id\": 1,",
               (int)ns_format(when, time), time);
    buf_printf(&k->line, "\"event_type\": \"%s\", \"event_id\": \"%016llx\",",
               tx ? "smtp" : "smtp_session", (unsigned long long)k->n);
    buf_printf(&k->line, "\"src_ip\": \"%s\", ", e->client);
    if (e->server[0] != '-')
        buf_printf(&k->line, "\"dest_ip\": \"%s\",", e->server);
    buf_printf(&k->line, "\"dest_port\": %u, \"app_proto\": \"%s\",", e->port,
               e->tls ? "tls" : "smtp");
    buf_printf(&k->line, "\"direction\": \"%s\",",
               out                               ? "outbound"
               : strcmp(e->direction, "in") == 0 ? "inbound"
                                                 : e->direction);
    if (e->site[0] != '\0' || e->registered)
        buf_printf(&k->line,
                   "\"%s\": {\"state\": \"%sregistered\", \"site\": \"%s\"},",
                   out ? "src_reg" : "dest_reg", e->registered ? "" : "un",
                   e->site);
    buf_printf(&k->line,
               "\"quality\": {\"gaps\": %d, \"oneway\": %s, "
               "\"midstream\": %s, \"confidence\": \"%s\"},",
               e->gaps, e->oneway ? "true" : "false",
               e->midstream ? "true" : "false", e->low ? "low" : "high");
}

static void
kit_tail(struct kit *k, const struct kit_event *e)
{
    bool tx = strcmp(e->type, "tx") == 0;

    buf_str(&k->line, "\"smtp\": {");
    buf_span(&k->line, buf_view(&k->smtp));
    if (tx && !e->old)
        buf_printf(&k->line, "\"authenticated\": %s,",
                   e->auth ? "true" : "false");
    if (tx && !e->none && !e->part)
        buf_printf(&k->line, "\"via\": \"DATA\", \"outcome\": \"%s\",",
                   e->outcome);
    if (tx && e->none)
        buf_str(&k->line, "\"outcome\": \"no-data\",");
    if (e->part)
        buf_str(&k->line, "\"part\": 1, \"last\": false,");
    if (e->cut)
        buf_str(&k->line, "\"cut\": \"gap\",");
    buf_printf(&k->line, "\"rcpt_to\": [%.*s], \"rcpt\": [%.*s]}",
               (int)k->paths.n, (const char *)k->paths.p, (int)k->rcpts.n,
               (const char *)k->rcpts.p);
    if (k->email.n > 0)
        buf_printf(&k->line, ", \"email\": {%.*s}", (int)k->email.n - 1,
                   (const char *)k->email.p);
    if (strcmp(e->type, "attempts") == 0)
        buf_str(&k->line, ", \"attempts\": {\"count\": 3}");
    buf_putc(&k->line, '}');
}

/* The event of one line of words; borrowed until the next call. */
static const struct record_map *
kit_event(struct kit *k, const char *words, size_t n)
{
    struct kit_event e = {.port = 25, .outcome = "accepted"};
    char line[4096];
    int used = 0;
    struct buf *bufs[] = {&k->line, &k->smtp, &k->email, &k->rcpts, &k->paths};

    assert_true(n < sizeof(line));
    memcpy(line, words, n);
    line[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_reset(bufs[i]);
    assert_int_equal(sscanf(line, "%15s %63s %63s %15s %n", e.direction,
                            e.client, e.server, e.type, &used),
                     4);
    if (strcmp(e.type, "tx") == 0)
        buf_str(&k->email, "\"fields\": 5,");
    k->second++;
    k->n++;
    for (char *w = line + used; *w != '\0';) {
        size_t len = strcspn(w, " ");
        char *next = w + len + (w[len] == ' ');

        w[len] = '\0';
        if (len > 0)
            kit_word(k, &e, w);
        w = next;
    }
    kit_head(k, &e);
    kit_tail(k, &e);
    if (json_read(&k->reader, buf_view(&k->line), &k->record, &k->message) !=
        ERR_OK)
        fail_msg("%.*s: %.*s", (int)k->line.n, (const char *)k->line.p,
                 (int)k->message.n, (const char *)k->message.p);
    assert_true(record_check(record_view(&k->record)));
    record_map_init(&k->map, record_view(&k->record));
    return &k->map;
}

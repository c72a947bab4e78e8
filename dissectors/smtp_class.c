#include "dissectors/smtp_class.h"

#include "sensor/base/attr.h"

#define TEXT_MAX 512

static const char *const class_names[] = {
#define SMTP_CLASS_NAME(id, name) [SMTP_CLASS_##id] = (name),
    SMTP_CLASS_MAP(SMTP_CLASS_NAME)
#undef SMTP_CLASS_NAME
};

/* Block lists by words in the reply or in its URL. The name is what the list
 * calls itself; the sources are the lists' own pages on listing and delisting.
 */
static const struct {
    const char *words;
    const char *name;
} lists[] = {
    {"zen.spamhaus.org",     "zen.spamhaus.org"      },
    {"sbl-xbl.spamhaus.org", "sbl-xbl.spamhaus.org"  },
    {"pbl.spamhaus.org",     "pbl.spamhaus.org"      },
    {"xbl.spamhaus.org",     "xbl.spamhaus.org"      },
    {"sbl.spamhaus.org",     "sbl.spamhaus.org"      },
    {"dbl.spamhaus.org",     "dbl.spamhaus.org"      },
    {"spamhaus",             "spamhaus.org"          },
    {"bl.spamcop.net",       "bl.spamcop.net"        },
    {"spamcop",              "bl.spamcop.net"        },
    {"barracudacentral",     "b.barracudacentral.org"},
    {"barracuda reputation", "b.barracudacentral.org"},
    {"cbl.abuseat.org",      "cbl.abuseat.org"       },
    {"sorbs.net",            "dnsbl.sorbs.net"       },
    {"psbl.surriel",         "psbl.surriel.com"      },
    {"uceprotect",           "uceprotect.net"        },
    {"spamrats",             "spamrats.com"          },
    {"mailspike",            "mailspike.net"         },
    {"blocklist.de",         "blocklist.de"          },
    {"invaluement",          "invaluement.com"       },
    {"senderscore",          "senderscore.com"       },
    {"cloudmark",            "cloudmark.com"         },
    {"ipcheck.proofpoint",   "ipcheck.proofpoint.com"},
    {"rbl.trendmicro",       "rbl.trendmicro.com"    },
    {"mail-abuse.com",       "rbl.trendmicro.com"    },
    {"s3140",                "outlook.com (S3140)"   },
    {"s3150",                "outlook.com (S3150)"   },
    {"dnswl",                "dnswl.org"             },
    {"njabl",                "njabl.org"             },
    {"ahbl.org",             "ahbl.org"              },
    {"lashback",             "lashback.com"          },
    {"truncate.gbudb",       "truncate.gbudb.net"    },
};

/* Words, in the order in which they are tried: the first hit decides. temp:
 * only for 4xx replies. */
static const struct {
    const char *words;
    enum smtp_class class;
    bool temp;
} phrases[] = {
    {"greylist",                            SMTP_CLASS_GREYLISTING,  true },
    {"graylist",                            SMTP_CLASS_GREYLISTING,  true },
    {"grey list",                           SMTP_CLASS_GREYLISTING,  true },
    {"gray list",                           SMTP_CLASS_GREYLISTING,  true },
    {"postgrey",                            SMTP_CLASS_GREYLISTING,  true },
    {"sender address rejected",             SMTP_CLASS_POLICY,       false},
    {"sender verify failed",                SMTP_CLASS_POLICY,       false},
    {"blocked using",                       SMTP_CLASS_BLOCKLIST,    false},
    {"blacklist",                           SMTP_CLASS_BLOCKLIST,    false},
    {"blocklist",                           SMTP_CLASS_BLOCKLIST,    false},
    {"block list",                          SMTP_CLASS_BLOCKLIST,    false},
    {"black list",                          SMTP_CLASS_BLOCKLIST,    false},
    {"dnsbl",                               SMTP_CLASS_BLOCKLIST,    false},
    {" rbl",                                SMTP_CLASS_BLOCKLIST,    false},
    {"listed by",                           SMTP_CLASS_BLOCKLIST,    false},
    {"listed at",                           SMTP_CLASS_BLOCKLIST,    false},
    {"listed in",                           SMTP_CLASS_BLOCKLIST,    false},
    {"listed on",                           SMTP_CLASS_BLOCKLIST,    false},
    {"relay",                               SMTP_CLASS_RELAY_DENIED, false},
    {"list of allowed rcpthosts",           SMTP_CLASS_RELAY_DENIED, false},
    {"not our customer",                    SMTP_CLASS_RELAY_DENIED, false},
    {"too many",                            SMTP_CLASS_RATE,         false},
    {"rate limit",                          SMTP_CLASS_RATE,         false},
    {"ratelimit",                           SMTP_CLASS_RATE,         false},
    {"rate-limit",                          SMTP_CLASS_RATE,         false},
    {"throttl",                             SMTP_CLASS_RATE,         false},
    {"too quickly",                         SMTP_CLASS_RATE,         false},
    {"concurrent connections",              SMTP_CLASS_RATE,         false},
    {"temporarily deferred",                SMTP_CLASS_RATE,         true },
    {"try again later, closing connection", SMTP_CLASS_RATE,         true },
    {"too fast",                            SMTP_CLASS_RATE,         false},
    {"unusual rate",                        SMTP_CLASS_RATE,         false},
    {"exceeded the",                        SMTP_CLASS_RATE,         false},
    {"over quota",                          SMTP_CLASS_MAILBOX_FULL, false},
    {"overquota",                           SMTP_CLASS_MAILBOX_FULL, false},
    {"quota exceeded",                      SMTP_CLASS_MAILBOX_FULL, false},
    {"exceeded quota",                      SMTP_CLASS_MAILBOX_FULL, false},
    {"mailbox full",                        SMTP_CLASS_MAILBOX_FULL, false},
    {"mailbox is full",                     SMTP_CLASS_MAILBOX_FULL, false},
    {"inbox is full",                       SMTP_CLASS_MAILBOX_FULL, false},
    {"user unknown",                        SMTP_CLASS_UNKNOWN_USER, false},
    {"unknown user",                        SMTP_CLASS_UNKNOWN_USER, false},
    {"unknown recipient",                   SMTP_CLASS_UNKNOWN_USER, false},
    {"recipient unknown",                   SMTP_CLASS_UNKNOWN_USER, false},
    {"no such user",                        SMTP_CLASS_UNKNOWN_USER, false},
    {"no such recipient",                   SMTP_CLASS_UNKNOWN_USER, false},
    {"no such mailbox",                     SMTP_CLASS_UNKNOWN_USER, false},
    {"no mailbox",                          SMTP_CLASS_UNKNOWN_USER, false},
    {"not found",                           SMTP_CLASS_UNKNOWN_USER, false},
    {"does not exist",                      SMTP_CLASS_UNKNOWN_USER, false},
    {"doesn't exist",                       SMTP_CLASS_UNKNOWN_USER, false},
    {"doesn't have a",                      SMTP_CLASS_UNKNOWN_USER, false},
    {"unrouteable address",                 SMTP_CLASS_UNKNOWN_USER, false},
    {"#5.1.0 address rejected",             SMTP_CLASS_UNKNOWN_USER, false},
    {"is disabled",                         SMTP_CLASS_UNKNOWN_USER, false},
    {"is inactive",                         SMTP_CLASS_UNKNOWN_USER, false},
    {"invalid recipient",                   SMTP_CLASS_UNKNOWN_USER, false},
    {"invalid mailbox",                     SMTP_CLASS_UNKNOWN_USER, false},
    {"mailbox unavailable",                 SMTP_CLASS_UNKNOWN_USER, false},
    {"address unknown",                     SMTP_CLASS_UNKNOWN_USER, false},
    {"undeliverable address",               SMTP_CLASS_UNKNOWN_USER, false},
    {"spam",                                SMTP_CLASS_POLICY,       false},
    {"policy",                              SMTP_CLASS_POLICY,       false},
    {"blocked",                             SMTP_CLASS_POLICY,       false},
    {"access denied",                       SMTP_CLASS_POLICY,       false},
    {"rejected",                            SMTP_CLASS_POLICY,       false},
    {"not allowed",                         SMTP_CLASS_POLICY,       false},
    {"not permitted",                       SMTP_CLASS_POLICY,       false},
    {"authentication",                      SMTP_CLASS_POLICY,       false},
    {"dmarc",                               SMTP_CLASS_POLICY,       false},
    {"reputation",                          SMTP_CLASS_POLICY,       false},
};

/* Enhanced codes that say it all: subject.detail, RFC 3463 and the IANA
 * registry of enhanced status codes; of Exchange Online 5.4.1 (the directory
 * does not know the recipient) and 4.7.500 (throttled). */
static const struct {
    const char *tail;
    enum smtp_class class;
} enhanced[] = {
    {".1.1",   SMTP_CLASS_UNKNOWN_USER},
    {".1.10",  SMTP_CLASS_UNKNOWN_USER},
    {".1.6",   SMTP_CLASS_UNKNOWN_USER},
    {".2.2",   SMTP_CLASS_MAILBOX_FULL},
    {".7.28",  SMTP_CLASS_RATE        },
    {".7.500", SMTP_CLASS_RATE        },
    {".4.1",   SMTP_CLASS_UNKNOWN_USER},
};

const char *
smtp_class_name(enum smtp_class c)
{
    return class_names[c];
}

static size_t
digits_at(struct span s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

struct span
smtp_enhanced(struct span text)
{
    uint8_t class = span_at(text, 0);
    size_t at = 2;
    size_t n;

    if ((class != '2' && class != '4' && class != '5') ||
        span_at(text, 1) != '.')
        return SPAN_NONE;
    n = digits_at(text, at);
    if (n < 1 || n > 3 || span_at(text, at + n) != '.')
        return SPAN_NONE;
    at += n + 1;
    n = digits_at(text, at);
    at += n;
    if (n < 1 || n > 3 ||
        (at < text.n && text.p[at] != ' ' && text.p[at] != '\n'))
        return SPAN_NONE;
    return span_head(text, at);
}

struct span
smtp_reply_words(struct span text)
{
    struct span e = smtp_enhanced(text);

    return span_trim(span_tail(text, e.n));
}

/* A reply's text in lower case, and which pairs of letters are in it: most
 * words are ruled out by their first two, or the next two. */
struct words {
    uint8_t room[TEXT_MAX];
    struct span low;
    uint64_t pairs[16];
};

static unsigned
pair_of(uint8_t a, uint8_t b)
{
    return (a * 33U + b) & 1023U;
}

static void
words_of(struct words *w, struct span text)
{
    size_t n = text.n < TEXT_MAX ? text.n : TEXT_MAX;
    uint8_t before = 0;

    memset(w->pairs, 0, sizeof(w->pairs));
    for (size_t i = 0; i < n; i++) {
        uint8_t c = text.p[i];
        unsigned pair;

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        if (c == '\n')
            c = ' ';
        w->room[i] = c;
        pair = pair_of(before, c);
        w->pairs[pair >> 6] |= UINT64_C(1) << (pair & 63);
        before = c;
    }
    w->low = span_of(w->room, n);
}

static bool
has_pair(const struct words *w, const char *at)
{
    unsigned pair = pair_of((uint8_t)at[0], (uint8_t)at[1]);

    return w->pairs[pair >> 6] >> (pair & 63) & 1;
}

/* Where the words, at least three letters, stand, or the length of the text. */
static size_t
find(const struct words *w, const char *words)
{
    if (!has_pair(w, words) || !has_pair(w, words + 1))
        return w->low.n;
    return span_search(w->low, span_str(words));
}

static bool
has(const struct words *w, const char *words)
{
    return find(w, words) < w->low.n;
}

static bool
is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* The host name after "blocked using" and the like: one word with a dot. */
static struct span
named_list(struct span text, const struct words *w)
{
    static const char *const before[] = {"blocked using ", "listed by ",
                                         "listed at ",     "listed in ",
                                         "listed on ",     "found in "};

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        size_t at = find(w, before[i]);
        struct span name = span_tail(text, at + strlen(before[i]));
        size_t n = 0;

        if (at == w->low.n)
            continue;
        while (n < name.n && is_host_byte(name.p[n]))
            n++;
        name = span_head(name, n);
        while (name.n > 0 && name.p[name.n - 1] == '.')
            name.n--;
        if (span_find(name, '.') < name.n)
            return name;
    }
    return SPAN_NONE;
}

static struct span
known_list(const struct words *w)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (has(w, lists[i].words))
            return span_str(lists[i].name);
    }
    return SPAN_NONE;
}

static enum smtp_class
by_enhanced(struct span text)
{
    struct span e = smtp_enhanced(text);

    for (size_t i = 0; e.n > 0 && i < ARRAY_LEN(enhanced); i++) {
        if (span_eq(span_tail(e, 1), span_str(enhanced[i].tail)) &&
            !span_eq(e, SPAN_LIT("4.4.1"))) /* no answer from host */
            return enhanced[i].class;
    }
    return SMTP_CLASS_NONE;
}

static enum smtp_class
by_words(unsigned code, const struct words *w)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if ((!phrases[i].temp || code < 500) && has(w, phrases[i].words))
            return phrases[i].class;
    }
    return SMTP_CLASS_NONE;
}

enum smtp_class
smtp_classify(unsigned code, struct span text, struct span *list)
{
    struct words w;
    enum smtp_class c;
    struct span e;

    *list = SPAN_NONE;
    if (smtp_code_accepts(code) || code / 100 == 3)
        return SMTP_CLASS_ACCEPTED;
    if (code < 400)
        return SMTP_CLASS_OTHER;
    c = by_enhanced(text);
    if (c != SMTP_CLASS_NONE)
        return c;
    words_of(&w, text);
    *list = named_list(text, &w);
    if (list->p == NULL)
        *list = known_list(&w);
    if (list->p != NULL)
        return SMTP_CLASS_BLOCKLIST;
    c = by_words(code, &w);
    if (c != SMTP_CLASS_NONE)
        return c;
    e = smtp_enhanced(text);
    return e.n > 3 && e.p[2] == '7' && e.p[3] == '.' ? SMTP_CLASS_POLICY
                                                     : SMTP_CLASS_OTHER;
}

static bool
is_id_byte(uint8_t c)
{
    return is_host_byte(c) || c == '+' || c == '/' || c == '=';
}

struct span
smtp_queue_id(struct span text)
{
    static const char *const before[] = {"queued as ", "queued with id ",
                                         "accepted for delivery id=", "id="};
    struct span words = smtp_reply_words(text);
    struct words w;

    words_of(&w, words);
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        size_t at = find(&w, before[i]);
        struct span id = span_tail(words, at + strlen(before[i]));
        size_t n = 0;

        if (at == w.low.n)
            continue;
        while (n < id.n && is_id_byte(id.p[n]))
            n++;
        if (n > 3)
            return span_head(id, n);
    }
    /* sendmail: "<id> Message accepted for delivery" */
    if (has(&w, "message accepted for delivery")) {
        size_t n = span_find(words, ' ');

        if (n >= 8 && find(&w, "message") == n + 1)
            return span_head(words, n);
    }
    return SPAN_NONE;
}

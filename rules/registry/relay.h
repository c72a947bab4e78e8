#ifndef SPAN25_RULES_REGISTRY_RELAY_H
#define SPAN25_RULES_REGISTRY_RELAY_H
/* relay - does a server pass mail from outside on to outside?
 *
 * The part of requirements that sorts recipients; the rule and its limits stand
 * in requirements.h. Servers are numbers of the caller, which keeps a struct
 * relay_host for each. Pure. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define RELAY_OWN    16U /* own domains kept of a server */
#define RELAY_HOPS   2U  /* networks that the mail went on to, */
#define RELAY_MANY   4U  /* or domains outside, that make it a relay */
#define RELAY_SERVED 2U  /* networks that make a domain served */
/* RFC 5321 4.5.4.1: how long a mail waits in a queue. */
#define RELAY_WITHIN (UINT64_C(5) * 24 * 3600 * NS_PER_S)

struct relay_host {
    uint64_t own[RELAY_OWN];
    uint32_t n_own;
    uint32_t n_domains;
    uint32_t domains; /* head of its list; 0: none */
    uint64_t refused_more;
};

/* What became of a recipient that an outside client named. */
enum relay_fate { RELAY_ACCEPTED, RELAY_REFUSED };

struct relay_mail {
    uint32_t host;
    uint64_t site;      /* hash of the server's site, 0: none */
    struct addr client; /* RELAY: of the mail taken; else: the next server */
    uint64_t event;     /* id */
    ns_t when;
};

struct relay_verdict {
    uint64_t count, of;  /* mails, one for each domain outside */
    uint64_t candidates; /* domains that went on; not enough for a relay */
    bool observed;
    uint64_t events[3]; /* first taken, how it went on (0: not seen), last */
    ns_t first, last;
};

struct relay;

MUST_USE enum err relay_new(struct relay **out);
void relay_free(struct relay *r);

/* A name that shows a domain as the server's own; not a name: no effect. */
void relay_own(struct relay_host *h, struct span name);

/* path as on the wire. RELAY_ACCEPTED: recipient and message were accepted. */
void relay_took(struct relay *r, struct relay_host *h,
                const struct relay_mail *m, struct span path,
                enum relay_fate fate);
/* The server names this recipient to a server outside. */
void relay_gave(struct relay *r, const struct relay_mail *m, struct span path);

struct relay_verdict relay_ask(const struct relay *r,
                               const struct relay_host *h);

/* Is the recipient, or the client, one that the text of a form (relay_for:
 * domains and prefixes, separated by blanks or commas) names? */
bool relay_is_registered(const char *text, struct span path,
                         const struct addr *client);

#endif

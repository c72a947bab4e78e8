#include "dashboards/facts.h"

#include <string.h>

bool
facts_sends(const struct summary_host *h)
{
    return h->sends && (h->sessions > 0 || h->transactions > 0);
}

bool
facts_is_new(const struct summary_host *h)
{
    return h->judged && !h->registered;
}

bool
facts_receives(const struct summary_host *h)
{
    return h->receives;
}

unsigned
facts_level(const char *level)
{
    if (level != NULL && strcmp(level, "high") == 0)
        return 0;
    return level != NULL && strcmp(level, "notice") == 0 ? 1 : 2;
}

static bool
is_class(const struct summary_class *c, const char *name)
{
    return c->name != NULL && strcmp(c->name, name) == 0;
}

bool
facts_is_accepted(const struct summary_class *c)
{
    return is_class(c, "accepted");
}

bool
facts_is_unanswered(const struct summary_class *c)
{
    return is_class(c, "unanswered");
}

void
facts_class_name(struct buf *b, const struct summary_class *c)
{
    const char *name = c->name != NULL ? c->name : "unnamed";

    for (size_t i = 0; name[i] != '\0'; i++)
        buf_putc(b, name[i] == '_' ? ' ' : (uint8_t)name[i]);
}

static void
add_sender(struct facts *f, const struct summary_host *h)
{
    f->senders++;
    f->senders_free += !h->judged;
    f->senders_new += facts_is_new(h);
    f->senders_asked += facts_is_new(h) && h->has_form;
    f->senders_25 += h->sessions_25 > 0;
    f->senders_stop += h->sessions_25 > 0 && facts_is_new(h);
    f->sessions = words_add(f->sessions, h->sessions);
    f->sessions_tls = words_add(f->sessions_tls, h->sessions_tls);
    f->sent = words_add(f->sent, h->accepted_25);
    if (facts_is_new(h))
        f->sent_new = words_add(f->sent_new, h->accepted_25);
}

static void
add_host(struct facts *f, const struct summary_host *h)
{
    f->attempts = words_add(f->attempts, h->attempts);
    if (facts_sends(h))
        add_sender(f, h);
    else if (h->attempts > 0)
        f->tried++;
    if (facts_receives(h)) {
        f->receivers++;
        f->receivers_new += facts_is_new(h);
        f->receivers_asked += facts_is_new(h) && h->has_form;
        f->receivers_25 += h->sessions_25 > 0;
        f->receivers_stop += h->sessions_25 > 0 && facts_is_new(h);
    }
}

/* Listings are few; each is compared with those before it. */
static void
add_listing(struct facts *f, const struct summary *s, size_t i)
{
    bool list = true;
    bool host = true;

    for (size_t k = 0; k < i; k++) {
        list &= strcmp(s->listings[k].list, s->listings[i].list) != 0;
        host &= addr_cmp(&s->listings[k].addr, &s->listings[i].addr) != 0;
    }
    f->lists += list;
    f->listed += host;
}

struct facts
facts_of(const struct summary *s)
{
    struct facts f = {.bytes = words_add(s->bytes_seen, s->bytes_lost)};

    for (size_t i = 0; i < s->n_hosts; i++)
        add_host(&f, &s->hosts[i]);
    for (size_t i = 0; i < s->n_listings; i++)
        add_listing(&f, s, i);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        const struct summary_class *c = &s->classes[i];

        if (facts_is_unanswered(c))
            continue;
        f.replies = words_add(f.replies, c->replies);
        if (!facts_is_accepted(c))
            f.refusals = words_add(f.refusals, c->replies);
    }
    return f;
}

/* "3 hosts", "At least 3 hosts" when some did not fit into the table. */
static void
say_hosts(struct buf *b, const struct summary *s, uint64_t n, const char *one,
          const char *many)
{
    if (s->hosts_left_out > 0)
        buf_str(b, "At least ");
    words_count(b, n, one, many);
}

/* Those with a form are not among the ones nobody told of. */
static void
say_asked(struct buf *b, const struct summary *s, uint64_t n)
{
    if (!s->has_registry || n == 0)
        return;
    buf_str(b, ", and ");
    words_number(b, n);
    buf_str(b, n == 1 ? " has a form but no permit"
                      : " have a form but no permit");
}

void
facts_say_senders(struct buf *b, const struct summary *s, const struct facts *f)
{
    if (f->senders == 0)
        buf_str(b, "No host of yours was seen sending mail");
    else if (!s->has_registry)
        say_hosts(b, s, f->senders, "host sends mail", "hosts send mail");
    else if (f->senders_new == f->senders_asked)
        buf_str(b, "No sender that nobody told you about");
    else
        say_hosts(b, s, f->senders_new - f->senders_asked,
                  "sender nobody told you about",
                  "senders nobody told you about");
    say_asked(b, s, f->senders_asked);
    if (!s->has_registry || f->senders_free == 0)
        return;
    buf_str(b, "; ");
    words_count(b, f->senders_free, "other needs", "others need");
    buf_str(b, " no permit");
}

void
facts_say_receivers(struct buf *b, const struct summary *s,
                    const struct facts *f)
{
    if (f->receivers == 0)
        buf_str(b, "No host of yours was seen receiving mail");
    else if (!s->has_registry)
        say_hosts(b, s, f->receivers, "host receives mail",
                  "hosts receive mail");
    else if (f->receivers_new == f->receivers_asked)
        buf_str(b, "No receiver that nobody told you about");
    else
        say_hosts(b, s, f->receivers_new - f->receivers_asked,
                  "receiver nobody told you about",
                  "receivers nobody told you about");
    say_asked(b, s, f->receivers_asked);
}

void
facts_say_world(struct buf *b, const struct summary *s, const struct facts *f)
{
    if (f->listed > 0) {
        words_count(b, f->lists, "block list is", "block lists are");
        buf_str(b, " cited against ");
        words_count(b, f->listed, "host of yours", "hosts of yours");
    } else if (f->replies > 0) {
        buf_str(b, "No block list was cited in ");
        words_count(b, f->replies, "reply", "replies");
        buf_str(b, " to your hosts");
    } else {
        buf_str(b, s->sessions > 0
                       ? "No reply to mail of your hosts could be read"
                       : "No reply to mail of your hosts was seen");
    }
}

static void
say_share(struct buf *b, const struct facts *f)
{
    if (f->sent == 0) {
        buf_str(b, " No message of a sender was seen accepted on port 25.");
        return;
    }
    buf_str(b, f->senders_stop == 1 ? " It sent " : " They sent ");
    words_part(b, f->sent_new, f->sent,
               "message seen accepted on port 25 from your senders",
               "messages seen accepted on port 25 from your senders");
    buf_putc(b, '.');
}

void
facts_say_stopped(struct buf *b, const struct summary *s, const struct facts *f)
{
    if (f->senders == 0)
        buf_str(b, "No sender would stop: none was seen");
    else if (!s->has_registry)
        buf_str(b, "Not known without a registry");
    else if (f->senders_stop == 0)
        buf_str(b, "No sender would stop");
    else {
        words_number(b, f->senders_stop);
        buf_str(b, " of ");
        words_count(b, f->senders_25, "sender", NULL);
        buf_str(b, " would stop");
    }
}

void
facts_say_blocked(struct buf *b, const struct summary *s, const struct facts *f)
{
    if (f->senders == 0 && f->receivers == 0) {
        buf_str(b, "Nothing would stop: no host of yours was seen sending or "
                   "receiving mail.");
        return;
    }
    if (!s->has_registry) {
        buf_str(b, "Not known yet: without --registry FILE no host counts as "
                   "registered, and all would be stopped.");
        return;
    }
    buf_str(b, "Closing port 25 to hosts that are not registered would stop ");
    words_number(b, f->senders_stop);
    buf_str(b, " of ");
    words_count(b, f->senders_25, "sender", NULL);
    buf_str(b, " and ");
    words_number(b, f->receivers_stop);
    buf_str(b, " of ");
    words_count(b, f->receivers_25, "receiver", NULL);
    buf_str(b, " that use it across the border.");
    if (f->senders_stop > 0)
        say_share(b, f);
}

static void
say_next_sentence(struct buf *b, size_t start)
{
    if (b->n > start)
        buf_putc(b, ' ');
}

void
facts_say_limits(struct buf *b, const struct summary *s, const struct facts *f)
{
    size_t start = b->n;

    if (f->sessions_tls > 0) {
        buf_str(b, "Messages inside TLS are not counted: ");
        words_number(b, f->sessions_tls);
        buf_str(b, " of their ");
        words_count(b, f->sessions, "session", NULL);
        buf_str(b,
                f->sessions_tls == 1 ? " was encrypted." : " were encrypted.");
    }
    if (s->hosts_left_out > 0) {
        say_next_sentence(b, start);
        buf_str(b, "More hosts were seen than the table holds.");
    }
}

void
facts_say_empty(struct buf *b, const struct summary *s, const struct facts *f)
{
    buf_str(b, "No SMTP in ");
    words_count(b, s->packets, "packet", NULL);
    buf_str(b, "; ");
    if (f->attempts > 0) {
        words_count(b, f->attempts, "connection attempt", NULL);
        buf_str(b, " to mail ports by ");
        words_count(b, f->tried, "host of yours", "hosts of yours");
    } else {
        words_count(b, s->tcp_packets, "TCP packet", NULL);
        buf_str(b, ", none of them an SMTP session of a mail port");
    }
}

static void
say_and(struct buf *b, size_t start)
{
    if (b->n > start)
        buf_str(b, "; ");
}

size_t
facts_say_lists(struct buf *b, const struct summary *s,
                const struct summary_host *h, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_listings; i++) {
        if (addr_cmp(&s->listings[i].addr, &h->addr) != 0)
            continue;
        if (n < max) {
            buf_str(b, n > 0 ? ", " : "");
            buf_str(b, s->listings[i].list);
        }
        n++;
    }
    if (n > max)
        buf_printf(b, " and %zu more", n - max);
    return n;
}

/* The class that most of the refusals have; the count of all of them and of
 * the recipients stand beside the sentence. */
static void
say_refused(struct buf *b, const struct summary *s,
            const struct summary_host *h)
{
    size_t most = SUMMARY_CLASSES;

    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        const struct summary_class *c = &s->classes[i];

        if (facts_is_accepted(c) || facts_is_unanswered(c) ||
            h->rcpt_class[i] == 0)
            continue;
        if (most == SUMMARY_CLASSES || h->rcpt_class[i] > h->rcpt_class[most])
            most = i;
    }
    if (most == SUMMARY_CLASSES)
        return;
    words_number(b, h->rcpt_class[most]);
    buf_str(b, " refused: ");
    facts_class_name(b, &s->classes[most]);
}

static void
say_session_kind(struct buf *b, const struct summary_host *h, size_t start)
{
    if (h->sessions > 0 && h->sessions_tls >= h->sessions) {
        say_and(b, start);
        buf_str(b, "all sessions TLS: handshake only");
    }
    if (h->anomalies_high > 0) {
        say_and(b, start);
        words_count(b, h->anomalies_high, "high anomaly", "high anomalies");
    }
    if (h->attempts > 0 && h->attempts > h->sessions) {
        say_and(b, start);
        words_count(b, h->attempts, "connection", NULL);
        buf_str(b, " without an answer");
    }
}

void
facts_say_sender(struct buf *b, const struct summary *s,
                 const struct summary_host *h)
{
    size_t start = b->n;
    size_t at, said;

    facts_say_classes(b, h);
    at = b->n;
    say_and(b, start);
    said = b->n;
    say_refused(b, s, h);
    b->n = b->n > said ? b->n : at;
    at = b->n;
    say_and(b, start);
    buf_str(b, "cited by ");
    if (facts_say_lists(b, s, h, 2) == 0)
        b->n = at;
    say_session_kind(b, h, start);
    if (b->n == start && h->rcpt_refused > 0)
        words_count(b, h->rcpt_refused, "recipient refused",
                    "recipients refused");
    if (b->n == start && h->rcpt_offered > 0)
        buf_str(b, "no recipient refused");
    if (b->n == start)
        buf_str(b, "no recipient seen");
}

void
facts_say_receiver(struct buf *b, const struct summary_host *h)
{
    size_t start = b->n;

    if (h->rcpt_offered > 0) {
        buf_str(b, "took ");
        words_part(b, h->rcpt_accepted, h->rcpt_offered, "recipient", NULL);
    }
    if (facts_sends(h)) {
        say_and(b, start);
        buf_str(b, "sends too");
    }
    say_session_kind(b, h, start);
    if (b->n == start)
        buf_str(b, "answered, no recipient seen");
}

void
facts_say_fault(struct buf *b, const struct summary_fault *fault)
{
    buf_str(b, fault->text != NULL ? fault->text : "damaged");
    if (fault->offset > 0) {
        buf_str(b, " at offset ");
        words_number(b, fault->offset);
    }
}

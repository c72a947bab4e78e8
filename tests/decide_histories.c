/* decide_histories - random histories of decisions, against a slow model
 *
 * Usage: decide_histories [--histories N] [--seed S]
 * A history is some fifty events about nine hosts, two of them in one /64: host
 * events of which most speak for a bot, registry states, exceptions, what
 * people order, and time that goes on by nothing, minutes or months; its limits
 * are small and its own. The policy goes up and down, for all and for single
 * statistics, is paused and resumed, and falls back by itself. The model keeps
 * a list of all that was ever decided and counts in it. Each event must bring
 * the model's decisions, with their end and with what stands against them.
 * Beside that, whoever is stopped was not registered, permitted, requested,
 * excepted, immune, unproven or too many, and nothing but what may be enforced
 * is told as such: in simulate, off, or where no sensor is live nobody is
 * stopped, by the log alone; now and then the state is saved and the copy goes
 * on; and at the end the written decisions alone make the same set. */
#include "rules/decide/decide_test_kit.h"

#define SEED      UINT64_C(0xdec1de)
#define HISTORIES 20000
#define EVENTS    50
#define HOSTS     9
#define SUBJECTS  8
#define LOG_MAX   1024
#define DAY_S     86400U

enum what { M_BLOCK, M_HOLD, M_WITHHELD, M_EXPIRE, M_LIFT, M_QUIET };

static const char *const whats[] = {"block", "hold", "withheld", "expire",
                                    "lift"};

static const struct {
    const char *ip;
    int subject, net;
    const char *site;
} hosts[HOSTS] = {
    {"10.2.3.1",        0, 0, "A" },
    {"10.2.3.2",        1, 0, "A" },
    {"10.2.3.3",        2, 0, NULL},
    {"10.2.3.4",        3, 0, "B" },
    {"10.2.3.5",        4, 0, "B" },
    {"10.2.4.1",        5, 1, "A" },
    {"2001:db8:0:1::1", 6, 2, "A" },
    {"2001:db8:0:1::2", 6, 2, NULL},
    {"2001:db8:0:2::1", 7, 2, "B" },
};

static const char *const subject_texts[SUBJECTS] = {
    "10.2.3.1/32", "10.2.3.2/32", "10.2.3.3/32",       "10.2.3.4/32",
    "10.2.3.5/32", "10.2.4.1/32", "2001:db8:0:1::/64", "2001:db8:0:2::/64"};

/* What an exception may be of, and the subjects that it touches. */
static const struct {
    const char *prefix;
    unsigned touches;
} prefixes[] = {
    {"10.2.3.1",          0x01},
    {"10.2.3.0/24",       0x1f},
    {"10.2.0.0/16",       0x3f},
    {"2001:db8:0:1::2",   0x40},
    {"2001:db8:0:1::/64", 0x40},
    {"2001:db8::/32",     0xc0},
    {"192.0.2.0/24",      0x00},
};
#define EXCEPTIONS 6

/* One line of what was decided. */
struct line {
    ns_t when, until;
    int subject;
    enum what what;
    uint32_t against;
    bool human; /* a person's */
    bool enforced;
    unsigned alert, block; /* what it rests on: bits of statistics */
    bool is_silent;        /* withheld as before: not told */
    const char *site;
};

struct msubject {
    bool made;
    unsigned order; /* of arrival */
    ns_t held, ended, immune, told;
    bool wanted, known; /* fresh evidence; a base of it */
    int base_host;
    uint64_t base_sessions, base_bad;
    int host; /* that it was decided on; -1 none */
    uint64_t macs;
    const char *lease;
    unsigned step;
    bool enforced; /* as it was last told */
    bool struck;   /* by the detector, for real */
    int approver;
    ns_t asked; /* the end that the first of two asked for */
};

struct model {
    struct decide_limits l;
    bool live, disabled, approve_all;
    unsigned approvals;
    int said, mode; /* -1 off, 0 simulate, 1 enforce */
    int rule[DECIDE_STATS];
    ns_t paused, mistake;
    size_t counted; /* lines before do not count for caps */
    ns_t now, breaker;
    struct line log[LOG_MAX];
    size_t n, shown;
    struct msubject s[SUBJECTS];
    unsigned n_made;
    uint32_t reg[HOSTS];
    bool queueing[HOSTS];
    bool ordinary[HOSTS]; /* of a /64 */
    struct {
        uint64_t day;
        int host;
    } seen[LOG_MAX];
    size_t n_seen;
    struct exception exceptions[EXCEPTIONS];
    unsigned touches[EXCEPTIONS];
    struct exceptions all;
};

static uint64_t
next(uint64_t *r)
{
    uint64_t z = *r += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned
below(uint64_t *r, unsigned n)
{
    return (unsigned)((next(r) >> 33) % n);
}

static bool
one_in(uint64_t *r, unsigned n)
{
    return below(r, n) == 0;
}

/* ---- the model ---- */

#define REG                                                                    \
    (AGAINST(REGISTERED) | AGAINST(PERMITTED) | AGAINST(REQUESTED) |           \
     AGAINST(PROTECTED))
#define HUMAN                                                                  \
    (AGAINST(QUEUEING) | AGAINST(POOL) | AGAINST(IDENTITY) | AGAINST(SHARED) | \
     AGAINST(APPROVAL))
#define NOT_YET                                                                \
    (AGAINST(SESSIONS) | AGAINST(ORGANISATIONS) | AGAINST(NETWORKS) |          \
     AGAINST(SECONDS) | AGAINST(VOLUME) | AGAINST(RETRIES) |                   \
     AGAINST(REPLIES) | AGAINST(LOSS) | AGAINST(PATH))
#define CAPS                                                                   \
    (AGAINST(BREAKER) | AGAINST(CAP_MINUTE) | AGAINST(CAP_ACTIVE) |            \
     AGAINST(CAP_NET) | AGAINST(CAP_SITE) | AGAINST(CAP_DAY))
#define NEVER                                                                  \
    (AGAINST(DISABLED) | AGAINST(MODE) | AGAINST(EXCEPTION) | REG |            \
     AGAINST(NEIGHBOUR) | AGAINST(NO_REGISTRY) | AGAINST(IMMUNITY))

static const struct line *
last_of(const struct model *m, int subject)
{
    for (size_t i = m->n; i-- > 0;) {
        if (m->log[i].subject == subject)
            return &m->log[i];
    }
    return NULL;
}

/* The same, without what was not told. */
static const struct line *
last_told(const struct model *m, int subject)
{
    for (size_t i = m->n; i-- > 0;) {
        if (m->log[i].subject == subject && m->log[i].what != M_QUIET &&
            !m->log[i].is_silent)
            return &m->log[i];
    }
    return NULL;
}

static bool
in_force(const struct model *m, int subject)
{
    const struct line *l = last_of(m, subject);

    return l != NULL && (l->what == M_BLOCK || l->what == M_HOLD);
}

static struct line *
say(struct model *m, int subject, enum what what, uint32_t against)
{
    struct line *l = &m->log[m->n++];

    if (m->n == LOG_MAX)
        abort();
    *l = (struct line){.when = m->now,
                       .subject = subject,
                       .what = what,
                       .against = against,
                       .enforced = m->s[subject].enforced};
    return l;
}

static struct msubject *
made(struct model *m, int subject)
{
    struct msubject *s = &m->s[subject];

    if (!s->made) {
        *s = (struct msubject){
            .made = true, .order = m->n_made++, .held = m->now, .host = -1};
    }
    return s;
}

/* ---- the policy ---- */

static unsigned
allowed(const struct model *m, int least)
{
    unsigned set = 0;

    for (unsigned i = 0; i < DECIDE_STATS; i++)
        set |= (unsigned)(m->mode >= least && m->rule[i] >= least) << i;
    return set;
}

/* DETECTION 1.10, spelled out: what is at alert level or above, what at block.
 */
static bool
rule(unsigned alert, unsigned block)
{
    enum { LISTS = 3, CONTENT = 4 | 16 | 32, OTHER = 8 | 64 | 128 };

    if ((block & 2) != 0 && (block & 8) != 0)
        return true;
    if ((block & 1) != 0 && (alert & (CONTENT | OTHER)) != 0)
        return true;
    return (block & (4 | 32)) != 0 && (alert & (LISTS | OTHER)) != 0;
}

static bool
may(const struct model *m, unsigned alert, unsigned block, int least)
{
    return rule(alert & allowed(m, least), block & allowed(m, least));
}

static void over(struct model *m, int subject);

/* What must end because the mode, or a rule's, is another. */
static void
m_settle(struct model *m, bool whole)
{
    int was = m->mode;

    m->mode = m->now < m->paused ? -1 : m->said;
    if (!m->live && m->mode > 0)
        m->mode = 0;
    if (m->mode == was && !whole)
        return;
    for (unsigned order = 0; order < m->n_made; order++) {
        for (int i = 0; i < SUBJECTS; i++) {
            const struct line *l = last_of(m, i);
            bool stays;

            if (!m->s[i].made || m->s[i].order != order || !in_force(m, i))
                continue;
            if (l->what == M_HOLD)
                stays = m->mode >= 0;
            else if (l->human)
                stays = m->mode >= 0 && l->enforced == (m->mode == 1);
            else
                stays = may(m, l->alert, l->block, 0) &&
                        l->enforced == may(m, l->alert, l->block, 1);
            if (stays)
                continue;
            over(m, i);
            (void)say(m, i, M_LIFT, AGAINST(MODE));
        }
    }
    if (m->mode != 1 || was == 1)
        return;
    m->counted = m->n;
    for (int i = 0; i < SUBJECTS; i++) {
        if (!m->s[i].enforced)
            m->s[i].step = 0;
    }
}

static void
m_roll_back(struct model *m)
{
    if (m->mode != 1)
        return;
    m->said = 0;
    m_settle(m, true);
}

static void
over(struct model *m, int subject)
{
    m->s[subject].approver = 0;
    m->s[subject].asked = 0;
    m->s[subject].ended = m->now;
    m->s[subject].wanted = true;
    m->s[subject].known = false;
    m->s[subject].told = 0;
}

static void
m_time(struct model *m, ns_t now)
{
    if (now > m->now)
        m->now = now;
    m_settle(m, false);
    for (;;) {
        const struct line *first = NULL;

        for (int i = 0; i < SUBJECTS; i++) {
            const struct line *l = last_of(m, i);

            if (in_force(m, i) && l->until <= m->now &&
                (first == NULL || l->until < first->until))
                first = l;
        }
        if (first == NULL)
            return;
        over(m, first->subject);
        (void)say(m, first->subject, M_EXPIRE, 0);
    }
}

static bool
excepted(const struct model *m, int subject)
{
    for (size_t i = 0; i < m->all.n; i++) {
        const struct exception *x = &m->exceptions[i];

        if ((x->from & EXCEPT_BLOCK) && (m->touches[i] >> subject & 1) &&
            x->since <= m->now && (!x->until || m->now < x->until) &&
            (!x->removed || m->now < x->removed))
            return true;
    }
    return false;
}

static bool
any_host(const struct model *m, int subject, bool queueing)
{
    for (int h = 0; h < HOSTS; h++) {
        if (hosts[h].subject == subject &&
            (queueing ? m->queueing[h] : m->reg[h] != 0))
            return true;
    }
    return false;
}

static uint32_t
standing(const struct model *m, int subject)
{
    uint32_t a = 0;

    if (m->disabled)
        a |= AGAINST(DISABLED);
    if (m->mode < 0)
        a |= AGAINST(MODE);
    if (excepted(m, subject))
        a |= AGAINST(EXCEPTION);
    if (any_host(m, subject, false))
        a |= subject >= 6 ? AGAINST(NEIGHBOUR) : AGAINST(PROTECTED);
    return a;
}

static uint32_t
registry_of(const struct kit_host *h)
{
    uint32_t a = h->protected ? AGAINST(PROTECTED) : 0;

    if (h->reg != NULL && strcmp(h->reg, "registered") == 0)
        a |= AGAINST(REGISTERED);
    if (h->line != NULL && strcmp(h->line, "permitted") == 0)
        a |= AGAINST(PERMITTED);
    if (h->line != NULL && strcmp(h->line, "requested") == 0)
        a |= AGAINST(REQUESTED);
    return a;
}

static bool
is(const struct kit_host *h, unsigned stat, const char *level)
{
    return h->level[stat] != NULL && strcmp(h->level[stat], level) == 0;
}

static bool
fires(const struct kit_host *h, unsigned stat)
{
    return is(h, stat, "alert") || is(h, stat, "block");
}

static unsigned
set_of(const struct kit_host *h, bool block)
{
    unsigned set = 0;

    for (unsigned i = 0; i < DECIDE_STATS; i++)
        set |= (unsigned)(block ? is(h, i, "block") : fires(h, i)) << i;
    return set;
}

static bool
speaks(const struct kit_host *h)
{
    return rule(set_of(h, false), set_of(h, true));
}

static bool
leads_to(const struct model *m, const struct kit_host *h, int least)
{
    return may(m, set_of(h, false), set_of(h, true), least);
}

static uint32_t
said(const struct model *m, const struct kit_host *h)
{
    uint32_t a = registry_of(h);

    if (h->reg == NULL)
        a |= AGAINST(NO_REGISTRY);
    if (h->sessions < m->l.sessions)
        a |= AGAINST(SESSIONS);
    if (h->organisations < m->l.organisations)
        a |= AGAINST(ORGANISATIONS);
    if (h->networks < m->l.networks)
        a |= AGAINST(NETWORKS);
    if (h->seconds < m->l.seconds &&
        !(h->organisations >= m->l.fast_organisations &&
          h->seconds >= m->l.fast_seconds))
        a |= AGAINST(SECONDS);
    if (h->volume < m->l.volume)
        a |= AGAINST(VOLUME);
    if (h->replies < m->l.replies_permille)
        a |= AGAINST(REPLIES);
    if (h->no_loss || h->loss >= m->l.loss_permille)
        a |= AGAINST(LOSS);
    if (h->open && !fires(h, 2) && !fires(h, 4) && !fires(h, 5) &&
        !fires(h, 6) && !fires(h, 7))
        a |= AGAINST(RETRIES);
    if (m->l.bound > 0 &&
        (h->bound < m->l.bound || h->unbound > h->bound / m->l.unbound_part))
        a |= AGAINST(PATH);
    if (h->queueing)
        a |= AGAINST(QUEUEING);
    if (h->pool != NULL && !(strcmp(h->pool, "dhcp") == 0 && h->lease != NULL))
        a |= AGAINST(POOL);
    if (h->conflict)
        a |= AGAINST(IDENTITY);
    return a;
}

static uint32_t
whole(const struct model *m, int subject, const struct kit_host *h)
{
    uint32_t own = registry_of(h);
    uint32_t a = standing(m, subject);

    if (own != 0)
        a &= ~(AGAINST(NEIGHBOUR) | AGAINST(PROTECTED));
    a |= said(m, h);
    if (any_host(m, subject, true))
        a |= AGAINST(QUEUEING);
    for (int i = 0; i < HOSTS; i++) {
        if (hosts[i].subject == subject && m->ordinary[i])
            a |= AGAINST(SHARED);
    }
    if (m->now < m->s[subject].immune)
        a |= AGAINST(IMMUNITY);
    return a;
}

static uint32_t
weigh(bool enforce, uint32_t a)
{
    return enforce ? a : a & ~(AGAINST(NO_REGISTRY) | AGAINST(PATH));
}

static enum what
outcome(bool enforce, uint32_t a)
{
    a = weigh(enforce, a);
    if (a & (NEVER | NOT_YET))
        return M_WITHHELD;
    if (a & HUMAN)
        return M_HOLD;
    return a & CAPS ? M_WITHHELD : M_BLOCK;
}

/* Which of the kinds comes first. */
static int
kind(bool enforce, uint32_t a)
{
    a = weigh(enforce, a);
    return a & NEVER ? 0 : a & NOT_YET ? 1 : a & HUMAN ? 2 : a & CAPS ? 3 : 4;
}

static uint64_t
hosts_on(const struct model *m, uint64_t day, const char *site)
{
    uint64_t n = 0;

    for (size_t i = 0; i < m->n_seen; i++) {
        const char *mine = hosts[m->seen[i].host].site;

        n += m->seen[i].day == day &&
             (site == NULL || (mine != NULL && strcmp(mine, site) == 0));
    }
    return n;
}

static uint64_t
share(const struct model *m, const char *site, uint64_t part, uint64_t of)
{
    uint64_t day = m->seen[m->n_seen - 1].day;
    uint64_t now = hosts_on(m, day, site);
    uint64_t before = hosts_on(m, day - 1, site);
    uint64_t n = (now > before ? now : before) * part / of;

    return n > 0 ? n : 1;
}

static uint64_t
active(const struct model *m, int net)
{
    uint64_t n = 0;

    for (int i = 0; i < SUBJECTS; i++) {
        const struct line *l = last_of(m, i);
        int mine = i < 5 ? 0 : i == 5 ? 1 : 2;

        n += l != NULL && l->what == M_BLOCK && !l->human &&
             (net < 0 || mine == net);
    }
    return n;
}

static uint64_t
blocks_within(const struct model *m, uint64_t seconds, const char *site)
{
    uint64_t n = 0;

    for (size_t i = m->counted; i < m->n; i++) {
        const struct line *l = &m->log[i];

        n += l->what == M_BLOCK && !l->human &&
             m->now - l->when < seconds * NS_PER_S &&
             (site == NULL || (l->site != NULL && strcmp(l->site, site) == 0));
    }
    return n;
}

static uint64_t
active_limit(const struct model *m)
{
    uint64_t n = share(m, NULL, m->l.active_permille, 1000);

    return n < m->l.active ? n : m->l.active;
}

static uint32_t
caps(struct model *m, int host)
{
    const char *site = hosts[host].site;
    uint32_t a = 0;

    if (blocks_within(m, 60, NULL) >= m->l.per_minute)
        a |= AGAINST(CAP_MINUTE);
    if (active(m, -1) >= active_limit(m))
        a |= AGAINST(CAP_ACTIVE);
    if (m->now < m->breaker)
        a |= AGAINST(BREAKER);
    else if (a != 0)
        m->breaker = m->now + m->l.breaker_s * NS_PER_S;
    if (active(m, hosts[host].net) >= m->l.per_net)
        a |= AGAINST(CAP_NET);
    if (site != NULL &&
        blocks_within(m, DAY_S, site) >= share(m, site, m->l.site_percent, 100))
        a |= AGAINST(CAP_SITE);
    return a;
}

static uint64_t
ttl_of(const struct model *m, unsigned step)
{
    return step == 1   ? m->l.step1_s
           : step == 2 ? m->l.step2_s
           : step == 3 ? m->l.step3_s
                       : m->l.step4_s;
}

static void
m_decide(struct model *m, int host, const struct kit_host *h)
{
    int subject = hosts[host].subject;
    struct msubject *s = &m->s[subject];
    uint32_t a = whole(m, subject, h);
    bool e = leads_to(m, h, 1);
    const struct line *last = last_of(m, subject);
    const struct line *told = last_told(m, subject);
    struct line *l;

    if (e && m->approve_all)
        a |= AGAINST(APPROVAL);
    if (outcome(e, a) == M_BLOCK)
        a |= caps(m, host);
    if (outcome(e, a) == M_WITHHELD && told != NULL &&
        told->what == M_WITHHELD && kind(e, told->against) == kind(e, a) &&
        (a == told->against || (a & ~told->against) != 0)) {
        if (last->what == M_WITHHELD)
            return;
        if (s->told > 0 && m->now - s->told < 3600 * NS_PER_S) {
            say(m, subject, M_WITHHELD, told->against)->is_silent = true;
            return;
        }
    }
    s->enforced = e;
    l = say(m, subject, outcome(e, a), a);
    l->alert = set_of(h, false);
    l->block = set_of(h, true);
    l->site = hosts[host].site;
    s->told = l->what == M_WITHHELD ? m->now : 0;
    s->host = host;
    s->macs = h->macs;
    s->lease = h->lease;
    if (l->what == M_HOLD)
        l->until = m->now + m->l.hold_s * NS_PER_S;
    if (l->what != M_BLOCK)
        return;
    s->struck = e;
    s->step = s->step < 4 ? s->step + 1 : 4;
    l->until = m->now + ttl_of(m, s->step) * NS_PER_S;
}

static bool
same_lease(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
lifted(struct model *m, int subject, uint32_t against)
{
    const struct line *l = last_of(m, subject);
    bool hit = (against & AGAINST(PROTECTED)) != 0 && l->what == M_BLOCK &&
               !l->human && l->enforced;

    over(m, subject);
    (void)say(m, subject, M_LIFT, against);
    if (hit)
        m_roll_back(m);
}

/* True: in force still. */
static bool
m_goes_on(struct model *m, int host, const struct kit_host *h)
{
    int subject = hosts[host].subject;
    struct msubject *s = &m->s[subject];
    const struct line *l = last_of(m, subject);
    bool human = l->human;
    uint32_t a = whole(m, subject, h) & ~AGAINST(IMMUNITY);
    uint32_t never = weigh(s->enforced, a) & NEVER;
    bool mine = s->host == host;

    if (human)
        never &= ~AGAINST(NO_REGISTRY);
    if (human && s->lease == NULL && mine)
        s->lease = h->lease;
    if (never != 0) {
        lifted(m, subject, never);
    } else if (mine && !same_lease(s->lease, h->lease)) {
        s->step = 0;
        lifted(m, subject, AGAINST(IDENTITY));
    } else if (human || l->what == M_HOLD) {
        return true;
    } else if ((a & HUMAN) != 0 || (mine && h->macs > s->macs)) {
        lifted(m, subject, (a & HUMAN) != 0 ? a & HUMAN : AGAINST(IDENTITY));
        s->wanted = (a & HUMAN) == 0 || !leads_to(m, h, 0);
    } else {
        return true;
    }
    return false;
}

static void
m_registry(struct model *m, int host, const struct kit_host *h)
{
    uint32_t a = registry_of(h);

    if (a == 0 && h->reg == NULL)
        return;
    m->reg[host] = a;
    if (a != 0 && in_force(m, hosts[host].subject))
        lifted(m, hosts[host].subject, a);
}

static bool
m_fresh(struct model *m, int host, const struct kit_host *h)
{
    struct msubject *s = &m->s[hosts[host].subject];
    uint64_t bad = h->bad; /* of S1 alone, in these events */

    if (!s->wanted)
        return true;
    if (!s->known || s->base_host != host || h->sessions < s->base_sessions ||
        bad < s->base_bad) {
        s->known = true;
        s->base_host = host;
        s->base_sessions = h->sessions;
        s->base_bad = bad;
        return false;
    }
    return h->sessions - s->base_sessions >= m->l.fresh && bad > s->base_bad;
}

static void
m_seen(struct model *m, int host)
{
    uint64_t day = m->now / NS_PER_S / DAY_S;

    for (size_t i = 0; i < m->n_seen; i++) {
        if (m->seen[i].day == day && m->seen[i].host == host)
            return;
    }
    m->seen[m->n_seen].day = day;
    m->seen[m->n_seen++].host = host;
}

static void
m_host(struct model *m, int host, const struct kit_host *h)
{
    int subject = hosts[host].subject;
    struct msubject *s;
    const struct line *l;
    ns_t quiet;

    m_registry(m, host, h);
    if (h->away || h->no_home)
        return;
    m_seen(m, host);
    m->queueing[host] = h->queueing;
    m->ordinary[host] = hosts[host].subject >= 6 && !speaks(h);
    if (in_force(m, subject) && m_goes_on(m, host, h)) {
        if (leads_to(m, h, 0))
            m->s[subject].held = m->now;
        return;
    }
    l = last_of(m, subject);
    if (!leads_to(m, h, 0)) {
        if (l != NULL && l->what == M_WITHHELD)
            (void)say(m, subject, M_QUIET, 0);
        return;
    }
    s = made(m, subject);
    quiet = m->now - (s->held > s->ended ? s->held : s->ended);
    if (quiet >= m->l.clean_s * NS_PER_S)
        s->step = 0;
    s->held = m->now;
    if (m_fresh(m, host, h))
        m_decide(m, host, h);
}

/* In the order in which the subjects were first heard of. */
static void
m_end_all(struct model *m, bool all)
{
    for (unsigned order = 0; order < m->n_made; order++) {
        for (int i = 0; i < SUBJECTS; i++) {
            if (!m->s[i].made || m->s[i].order != order || !in_force(m, i))
                continue;
            if (all || excepted(m, i)) {
                over(m, i);
                say(m, i, M_LIFT, all ? AGAINST(DISABLED) : AGAINST(EXCEPTION))
                    ->human = all;
            }
        }
    }
}

/* A person says that it is to be stopped; until 0: for the next step. */
static void
m_stop(struct model *m, int subject, ns_t until, int actor)
{
    struct msubject *s = &m->s[subject];
    const struct line *last = last_of(m, subject);
    bool held = in_force(m, subject) && last->what == M_HOLD;
    uint32_t a = standing(m, subject);
    enum what what = a != 0 ? M_WITHHELD : M_BLOCK;
    ns_t asked = 0, end = until;
    struct line *l;

    if (a == 0 && last != NULL && last->what == M_BLOCK && last->human &&
        last->until == until)
        return;
    if (a == 0 && m->approvals == 2 &&
        (s->approver == 0 || s->approver == actor)) {
        if (last != NULL && last->what == M_BLOCK && in_force(m, subject)) {
            s->approver = actor;
            return;
        }
        if (held && s->approver == actor && s->asked == until)
            return;
        what = M_HOLD;
        a = AGAINST(APPROVAL);
        asked = until;
        end = held ? last->until : m->now + m->l.hold_s * NS_PER_S;
    } else if (a == 0 && until == 0) {
        s->step = s->step < 4 ? s->step + 1 : 4;
        end = m->now + ttl_of(m, s->step) * NS_PER_S;
    }
    if (in_force(m, subject))
        over(m, subject);
    s->enforced = m->mode == 1;
    s->struck = s->struck && what != M_BLOCK;
    l = say(m, subject, what, a);
    l->human = true;
    l->until = what == M_WITHHELD ? 0 : end;
    s->told = what == M_WITHHELD ? m->now : 0;
    s->immune = 0;
    s->lease = NULL;
    s->approver = what == M_HOLD ? actor : 0;
    s->asked = asked;
    if (s->host < 0)
        s->host = subject < 6 ? subject : -2; /* of a /64: its first address */
}

static void
m_add(struct model *m, int subject, ns_t until, int actor)
{
    (void)made(m, subject);
    if (until > m->now)
        m_stop(m, subject, until, actor);
}

static void
m_approve(struct model *m, int subject, ns_t until, int actor)
{
    struct msubject *s = made(m, subject);

    if (!in_force(m, subject) || last_of(m, subject)->what != M_HOLD)
        return;
    if (until == 0)
        until = s->asked;
    m_stop(m, subject, until > m->now ? until : 0, actor);
}

static void
m_lift_one(struct model *m, int subject)
{
    struct msubject *s = made(m, subject);
    const struct line *last = last_of(m, subject);

    if (in_force(m, subject)) {
        if (last->what == M_BLOCK && !last->human && s->step > 0)
            s->step--;
        over(m, subject);
    } else if (m->now < s->immune) {
        return;
    } else {
        s->enforced = m->mode == 1;
    }
    s->immune = m->now + m->l.immunity_s * NS_PER_S;
    s->told = 0;
    if (s->host < 0)
        s->host = subject < 6 ? subject : -2;
    say(m, subject, M_LIFT, 0)->human = true;
}

static void
m_lift(struct model *m, int subject, bool mistake)
{
    struct msubject *s = &m->s[subject];
    ns_t before = m->mistake;

    m_lift_one(m, subject);
    if (!mistake || !s->struck)
        return;
    s->struck = false;
    m->mistake = m->now;
    if (before != 0 && m->now - before < DAY_S * NS_PER_S)
        m_roll_back(m);
}

/* ---- what comes by ---- */

static const char *const levels[] = {"normal", "raised", "alert", "block"};

static void
random_levels(uint64_t *r, struct kit_host *h)
{
    unsigned n = DECIDE_STATS;

    if (!one_in(r, 3)) /* else it stays the bot it is */
        return;
    for (unsigned i = 0; i < n; i++)
        h->level[i] = one_in(r, 5) ? NULL : levels[below(r, 4)];
}

static void
random_registry(uint64_t *r, struct kit_host *h)
{
    static const char *const lines[] = {"requested", "returned", "permitted",
                                        "suspended", "ended"};

    h->reg = one_in(r, 5) ? "registered" : one_in(r, 9) ? NULL : "unregistered";
    h->line = one_in(r, 8) ? lines[below(r, 5)] : NULL;
    h->protected = one_in(r, 20);
}

static void
random_evidence(uint64_t *r, struct kit_host *h)
{
    uint64_t *const minima[] = {&h->organisations, &h->networks, &h->seconds,
                                &h->replies,       &h->loss,     &h->volume,
                                &h->bound};

    h->sessions = 5 + below(r, 60);
    h->bad = below(r, 40);
    for (size_t i = 0; i < ARRAY_LEN(minima); i++) {
        if (one_in(r, 20))
            *minima[i] += one_in(r, 2) ? 1 : (uint64_t)-1;
    }
    if (one_in(r, 20)) {
        h->organisations = 49 + below(r, 3);
        h->seconds = 29 + below(r, 3);
    }
    h->no_loss = one_in(r, 40);
    h->unbound = one_in(r, 20) ? below(r, 3) : 0;
}

static struct kit_host
random_host(uint64_t *r, int host, double at)
{
    static const char *const leases[] = {NULL, NULL, NULL, "0123456789abcdef",
                                         "fedcba9876543210"};
    struct kit_host h = kit_bot(hosts[host].ip, at);

    h.site = hosts[host].site;
    random_levels(r, &h);
    random_registry(r, &h);
    random_evidence(r, &h);
    h.queueing = one_in(r, 15);
    h.open = one_in(r, 15);
    h.conflict = one_in(r, 25);
    h.macs = 1 + one_in(r, 20);
    h.away = one_in(r, 40);
    h.no_home = one_in(r, 60);
    if (one_in(r, 8))
        h.lease = leases[below(r, 5)];
    if (one_in(r, 10))
        h.pool = one_in(r, 3) ? "nat" : "dhcp";
    return h;
}

static double
random_wait(uint64_t *r)
{
    static const double waits[] = {0,     0,    0.5,    1,      20,    59,
                                   60,    300,  3600,   3599.5, 21600, 86400,
                                   90000, 7200, 700000, 3000000};

    return waits[below(r, one_in(r, 12) ? 16 : 11)];
}

static struct decide_limits
random_limits(uint64_t *r)
{
    struct decide_limits l = decide_limits_default;

    l.per_minute = 1 + below(r, 4);
    l.active = 1 + below(r, 6);
    l.active_permille = below(r, 3) * 500;
    l.per_net = 1 + below(r, 4);
    l.site_percent = below(r, 3) * 50;
    l.breaker_s = below(r, 3) * 900;
    l.fresh = 1 + below(r, 2) * 9;
    l.immunity_s = below(r, 3) * 43200;
    return l;
}

/* ---- a history ---- */

struct run {
    uint64_t r, number;
    struct model m;
    struct kit k;
    struct decide_options o;
    double at;
    uint64_t events, blocks;
};

static void
wrong(const struct run *u, const char *why)
{
    struct kit *k = (struct kit *)(uintptr_t)&u->k;

    if (u->m.shown < u->m.n) {
        const struct line *l = &u->m.log[u->m.shown];

        fprintf(stderr, "model: %s %s %x enforced %d mode %d\n", whats[l->what],
                subject_texts[l->subject], l->against, l->enforced, u->m.mode);
    }
    fprintf(stderr, "told: %s\n", kit_told(k));
    fprintf(stderr,
            "decide_histories: history %llu: %s (--seed %llu --histories 1)\n",
            (unsigned long long)u->number, why, (unsigned long long)u->number);
    exit(1);
}

static uint32_t
against_in(struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    uint32_t a = 0;

    while (record_next(&c, &e)) {
        if (e.field != FIELD_DECISION_AGAINST)
            continue;
        for (unsigned i = 0; i < AGAINST_COUNT; i++) {
            const char *word = decide_against_word((enum decide_against)i);

            if (span_starts(e.value, span_str(word)))
                a |= UINT32_C(1) << i;
        }
    }
    return a;
}

static bool
is_told(const struct line *l, struct span record)
{
    ns_t until = record_find_u64(record, FIELD_DECISION_UNTIL, 0);
    bool human =
        span_eq(record_find(record, FIELD_DECISION_ORIGIN), SPAN_LIT("human"));

    return span_eq(record_find(record, FIELD_DECISION_ACTION),
                   span_str(whats[l->what])) &&
           span_eq(record_find(record, FIELD_DECISION_SUBJECT),
                   span_str(subject_texts[l->subject])) &&
           against_in(record) == l->against && until == l->until &&
           span_eq(record_find(record, FIELD_DECISION_MODE),
                   l->enforced ? SPAN_LIT("enforce") : SPAN_LIT("simulate")) &&
           (human == l->human || l->what == M_EXPIRE) &&
           record_head_of(record).when == l->when;
}

static void
compare(struct run *u)
{
    struct model *m = &u->m;

    for (; m->shown < m->n; m->shown++) {
        const struct line *l = &m->log[m->shown];

        if (l->what == M_QUIET || l->is_silent)
            continue;
        if (u->k.told == u->k.n)
            wrong(u, "a decision is missing");
        if (!is_told(l, kit_at(&u->k, u->k.told)))
            wrong(u, "another decision than the model's");
        u->k.told++;
        u->blocks += l->what == M_BLOCK;
    }
    if (u->k.told != u->k.n)
        wrong(u, "a decision that the model does not know");
}

/* What may never be, without the rest of the model. */
static void
assert_safe(struct run *u, int host, const struct kit_host *h, size_t before)
{
    const struct model *m = &u->m;
    int subject = hosts[host].subject;

    for (size_t i = before; i < u->k.n; i++) {
        struct span r = kit_at(&u->k, i);

        if (!span_eq(record_find(r, FIELD_DECISION_ACTION), SPAN_LIT("block")))
            continue;
        if (span_eq(record_find(r, FIELD_DECISION_MODE), SPAN_LIT("enforce")) !=
            leads_to(m, h, 1))
            wrong(u, "stopped for real, or not, against the policy");
        if (m->mode < 0 || any_host(m, subject, false) || registry_of(h) != 0 ||
            excepted(m, subject) || m->now < m->s[subject].immune ||
            m->disabled || h->sessions < 10 || h->networks < 3 ||
            h->organisations < 5 || h->seconds < 30 || h->queueing ||
            h->volume < 10 || m->ordinary[host] ||
            (leads_to(m, h, 1) && (h->reg == NULL || m->approve_all)))
            wrong(u, "stopped what must not be");
        if (active(m, -1) > active_limit(m) ||
            blocks_within(m, 60, NULL) > m->l.per_minute)
            wrong(u, "more than the caps");
        if (record_find_u64(r, FIELD_DECISION_UNTIL, 0) <= m->now)
            wrong(u, "no end");
    }
}

static void
show_host(struct run *u)
{
    int host = (int)below(&u->r, HOSTS);
    struct kit_host h = random_host(&u->r, host, u->at);
    size_t before = u->k.n;

    m_time(&u->m, kit_ns(u->at));
    before += u->m.n - u->m.shown; /* what time alone ends is no block */
    m_host(&u->m, host, &h);
    kit_show(&u->k, &h);
    assert_safe(u, host, &h, before);
}

static void
show_registry(struct run *u)
{
    int host = (int)below(&u->r, HOSTS);
    struct record_head head = {kit_ns(u->at), 9, 1, EVENT_SMTP_SESSION};
    struct record_sink sink = kit_to(&u->k);
    bool client = one_in(&u->r, 2);
    struct kit_host h = {0};
    struct record_out *r = &u->k.out;
    struct addr a;

    random_registry(&u->r, &h);
    m_time(&u->m, kit_ns(u->at));
    m_registry(&u->m, host, &h);
    if (!addr_parse(span_str(hosts[host].ip), &a))
        abort();
    record_begin(r, &head);
    record_addr(r, client ? FIELD_SRC_IP : FIELD_DEST_IP, &a);
    kit_text(r, client ? FIELD_SRC_REG_STATE : FIELD_DEST_REG_STATE, h.reg);
    kit_text(r, client ? FIELD_SRC_REG_LINE_STATE : FIELD_DEST_REG_LINE_STATE,
             h.line);
    if (h.protected)
        record_bool(r,
                    client ? FIELD_SRC_REG_PROTECTED : FIELD_DEST_REG_PROTECTED,
                    true);
    decide_event(u->k.d, kit_map(&u->k), &sink);
}

static void
show_exception(struct run *u)
{
    struct model *m = &u->m;
    unsigned what = below(&u->r, ARRAY_LEN(prefixes));
    size_t at = m->all.n;

    m_time(m, kit_ns(u->at));
    if (at == EXCEPTIONS || (at > 0 && one_in(&u->r, 2))) {
        at = below(&u->r, (unsigned)m->all.n);
        m->exceptions[at].removed = m->now;
    } else {
        m->exceptions[at] = (struct exception){
            .id = "00000000000000ee",
            .from = 1 + below(&u->r, 3),
            .since = m->now,
            .until =
                one_in(&u->r, 2) ? m->now + below(&u->r, 100000) * NS_PER_S : 0,
        };
        m->touches[at] = prefixes[what].touches;
        if (!prefix_parse(span_str(prefixes[what].prefix),
                          &m->exceptions[at].prefix))
            abort();
        m->all.n++;
    }
    m_end_all(m, false);
    kit_control(&u->k, u->at, "exception", "add", NULL, 0);
}

static void
show_person(struct run *u)
{
    static const char *const actions[] = {
        "lift",    "lift",    "add",    "add",    "approve", "approve",
        "approve", "disable", "enable", "enable", "resume"};
    const char *action = actions[below(&u->r, ARRAY_LEN(actions))];
    int subject = (int)below(&u->r, SUBJECTS);
    int actor = 1 + (int)below(&u->r, 2);
    bool mistake = one_in(&u->r, 2);
    double until = one_in(&u->r, 3) ? 0 : u->at + below(&u->r, 90000) - 10;
    struct model *m = &u->m;
    struct record_out *r = &u->k.out;
    struct record_sink sink = kit_to(&u->k);
    struct record_head head = {kit_ns(u->at), 0, 1, EVENT_CONTROL};

    m_time(m, kit_ns(u->at));
    if (strcmp(action, "lift") == 0)
        m_lift(m, subject, mistake);
    else if (strcmp(action, "approve") == 0)
        m_approve(m, subject, until > 0 ? kit_ns(until) : 0, actor);
    else if (strcmp(action, "add") == 0)
        m_add(m, subject,
              until > 0 ? kit_ns(until) : m->now + m->l.step1_s * NS_PER_S,
              actor);
    else if (strcmp(action, "resume") == 0)
        m->breaker = 0;
    else
        m->disabled = action[0] == 'd';
    if (strcmp(action, "disable") == 0)
        m_end_all(m, true);
    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, "block");
    record_text(r, FIELD_CONTROL_ACTION, action);
    record_text(r, FIELD_CONTROL_ACTOR, actor == 1 ? "mk" : "jo");
    record_text(r, FIELD_CONTROL_SUBJECT, subject_texts[subject]);
    if (mistake)
        record_bool(r, FIELD_CONTROL_MISTAKE, true);
    if (until > 0)
        record_time(r, FIELD_CONTROL_UNTIL, kit_ns(until));
    decide_event(u->k.d, kit_map(&u->k), &sink);
}

static void
show_policy(struct run *u)
{
    static const char *const words[] = {"off", "simulate", "enforce",
                                        "enforce"};
    struct record_head head = {kit_ns(u->at), 0, 1, EVENT_CONTROL};
    struct record_sink sink = kit_to(&u->k);
    struct record_out *r = &u->k.out;
    struct model *m = &u->m;
    unsigned word = below(&u->r, ARRAY_LEN(words));
    unsigned what = below(&u->r, 8);
    unsigned stat = below(&u->r, DECIDE_STATS);
    int mode = (int)(word < 3 ? word : 2) - 1;

    m_time(m, kit_ns(u->at));
    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, "policy");
    if (what == 0) {
        record_text(r, FIELD_CONTROL_ACTION, "pause");
        record_time(r, FIELD_CONTROL_UNTIL, kit_ns(u->at + 3000));
        m->paused = kit_ns(u->at + 3000);
    } else if (what == 1) {
        record_text(r, FIELD_CONTROL_ACTION, "resume");
        m->paused = 0;
        m->breaker = 0;
    } else {
        record_text(r, FIELD_CONTROL_ACTION, "mode");
        if (what < 5)
            record_text(r, FIELD_CONTROL_RULE, decide_stat_word(stat));
        record_text(r, FIELD_CONTROL_MODE, words[word]);
        *(what < 5 ? &m->rule[stat] : &m->said) = mode;
    }
    m_settle(m, true);
    decide_event(u->k.d, kit_map(&u->k), &sink);
}

static void
go_on_from_copy(struct run *u)
{
    struct buf saved;
    struct decide *copy = NULL;

    buf_init(&saved, 64U << 20);
    if (decide_save(u->k.d, &saved) != ERR_OK ||
        decide_new(&u->o, &copy) != ERR_OK ||
        decide_load(copy, buf_view(&saved)) != ERR_OK)
        wrong(u, "cannot save and load");
    buf_free(&saved);
    decide_free(u->k.d);
    u->k.d = copy;
}

static const struct decide_entry *
entry_in(struct decide_entry *all, size_t n, const struct prefix *p)
{
    for (size_t i = 0; i < n; i++) {
        if (addr_cmp(&all[i].subject.addr, &p->addr) == 0)
            return &all[i];
    }
    return NULL;
}

static void
replay(struct run *u)
{
    struct decide_entry all[SUBJECTS];
    struct record_map map;
    struct decide *d;
    size_t n;

    if (decide_new(&u->o, &d) != ERR_OK)
        abort();
    for (size_t i = 0; i < u->k.n; i++) {
        record_map_init(&map, kit_at(&u->k, i));
        decide_replay(d, &map);
    }
    n = decide_count(d);
    for (size_t i = 0; i < n && i < SUBJECTS; i++)
        all[i] = decide_get(d, i);
    for (size_t i = 0; i < decide_count(u->k.d); i++) {
        struct decide_entry x = decide_get(u->k.d, i);
        const struct decide_entry *y = entry_in(all, n, &x.subject);

        if (x.until == 0
                ? y != NULL && y->until != 0
                : y == NULL || y->until != x.until || y->since != x.since ||
                      y->hold != x.hold || y->collateral != x.collateral)
            wrong(u, "the log alone makes another set");
    }
    decide_free(d);
}

static void
history(struct run *u)
{
    u->m = (struct model){0};
    u->o = (struct decide_options){.seed = next(&u->r)};
    u->o.limits = random_limits(&u->r);
    u->o.may_enforce = one_in(&u->r, 2);
    u->o.start = one_in(&u->r, 2) ? ROLLOUT_ENFORCE : ROLLOUT_SIMULATE;
    u->o.approvals = 1 + one_in(&u->r, 3);
    u->o.approve_all = one_in(&u->r, 8);
    u->m.l = u->o.limits;
    u->m.live = u->o.may_enforce;
    u->m.said = (int)u->o.start;
    u->m.approvals = u->o.approvals;
    u->m.approve_all = u->o.approve_all;
    for (unsigned i = 0; i < DECIDE_STATS; i++)
        u->m.rule[i] = 1;
    m_settle(&u->m, false);
    u->m.counted = 0;
    u->m.all.all = u->m.exceptions;
    u->o.exceptions = &u->m.all;
    u->at = below(&u->r, 200000);
    kit_open(&u->k, &u->o);
    for (unsigned i = 0; i < EVENTS; i++) {
        unsigned what = below(&u->r, 100);

        u->at += random_wait(&u->r);
        if (what < 80)
            show_host(u);
        else if (what < 90)
            show_registry(u);
        else if (what < 94)
            show_exception(u);
        else if (what < 97)
            show_person(u);
        else if (what < 99)
            show_policy(u);
        else
            go_on_from_copy(u);
        compare(u);
        u->events++;
    }
    replay(u);
    kit_close(&u->k);
}

int
main(int argc, char **argv)
{
    struct run u = {0};
    uint64_t seed = SEED;
    uint64_t n = HISTORIES;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
        else if (strcmp(argv[i], "--histories") == 0)
            n = strtoull(argv[i + 1], NULL, 0);
    }
    for (uint64_t i = 0; i < n; i++) {
        u.number = seed + i;
        u.r = u.number;
        history(&u);
    }
    printf("histories=%llu events=%llu blocks=%llu\n", (unsigned long long)n,
           (unsigned long long)u.events, (unsigned long long)u.blocks);
    return 0;
}

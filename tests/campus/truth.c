#include "tests/campus/truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY (24 * 3600 * NS_PER_S)

enum err
truth_init(struct truth *t, const struct campus *c, const struct faults *f)
{
    *t = (struct truth){.campus = c, .faults = f};
    t->hosts = calloc(c->n, sizeof(*t->hosts));
    return t->hosts != NULL ? ERR_OK : ERR_NOMEM;
}

void
truth_fini(struct truth *t)
{
    free(t->hosts);
}

/* ---- what happens ---- */

static bool
is_outward(const struct actor *a)
{
    return !a->session.inbound && !a->scenario->submits;
}

static bool
is_malicious(const struct actor *a)
{
    return a->session.inbound ? a->session.foul : actor_is_bad(a);
}

static bool
is_complete(const struct actor *a)
{
    return !a->mail.lost && !a->session.oneway;
}

static void
share(struct truth *t, const struct actor *a, enum truth_stage stage)
{
    enum study_group g = a->session.inbound       ? STUDY_GROUP_OUTSIDE
                         : a->subject->registered ? STUDY_GROUP_REGISTERED
                                                  : STUDY_GROUP_UNREGISTERED;
    struct truth_share *of[] = {&t->shares[g][stage],
                                &t->shares[STUDY_GROUP_ALL][stage]};

    for (unsigned i = 0; i < ARRAY_LEN(of); i++) {
        of[i]->messages++;
        of[i]->class_a += a->mail.malware;
        of[i]->bad += is_malicious(a);
        of[i]->bad_class_a += is_malicious(a) && a->mail.malware;
    }
}

static void
abuse(struct truth_host *h, const struct actor *a)
{
    if (h->first_bad == 0)
        h->first_bad = a->next;
    if (!a->mail.sent)
        return;
    h->bad++;
    if (a->mail.delivered)
        h->bad_recipients += a->mail.taken;
}

static void
message(struct truth *t, struct truth_host *h, const struct actor *a)
{
    const struct mail *m = &a->mail;

    share(t, a, TRUTH_SENT);
    if (!faults_hide(t->faults, a->session.start, a->next))
        share(t, a, TRUTH_WATCHED);
    if (!a->session.tls)
        share(t, a, TRUTH_CLEAR);
    if (a->session.inbound) {
        h->inbound++;
        return;
    }
    h->messages++;
    h->bytes += m->bytes;
    h->clear += !a->session.tls;
    h->class_a += m->malware;
    h->class_a_clear += m->malware && !a->session.tls;
    if (m->delivered) {
        h->delivered++;
        h->recipients += m->taken;
    }
}

static void
mail(struct truth *t, struct truth_host *h, const struct actor *a)
{
    if (a->scenario->submits) {
        h->submitted += a->mail.sent;
        return;
    }
    if (is_outward(a) && a->subject->label == LABEL_VICTIM && actor_is_bad(a)) {
        h->forged += a->mail.sent;
        return;
    }
    if (is_outward(a)) {
        h->transactions++;
        if (actor_is_bad(a))
            abuse(h, a);
    }
    if (a->mail.sent)
        message(t, h, a);
}

static bool
is_forged(const struct actor *a)
{
    return a->subject->label == LABEL_VICTIM && actor_is_bad(a);
}

void
truth_stage(struct truth *t, const struct actor *a)
{
    struct truth_host *h = &t->hosts[a->subject->number];

    if (a->stage == STAGE_MAIL)
        mail(t, h, a);
    if (a->stage != STAGE_END || !is_outward(a))
        return;
    if (a->scenario->syn_only) {
        h->attempts += render_syns(a->scenario);
        return;
    }
    if (is_forged(a))
        return;
    h->sessions++;
    h->sessions_tls += a->session.tls;
}

/* ---- what is seen of it ---- */

static unsigned
size_of(uint32_t bytes)
{
    unsigned i = 0;

    for (uint64_t most = 4096; i < 7 && bytes > most; most *= 4)
        i++;
    return i;
}

static void
message_seen(struct truth *t, struct truth_host *h, const struct actor *a)
{
    bool complete = is_complete(a);
    unsigned size = size_of(a->mail.bytes);

    share(t, a, TRUTH_SEEN);
    if (complete)
        share(t, a, TRUTH_COMPLETE);
    if (!a->session.oneway) {
        t->sizes[size]++;
        t->sizes_complete[size] += complete;
    }
    if (!is_outward(a))
        return;
    h->seen++;
    h->complete += complete;
    h->class_a_seen += a->mail.malware;
    h->class_a_complete += a->mail.malware && complete;
    if (!actor_is_bad(a))
        return;
    h->bad_seen++;
}

static void
session_seen(struct truth_host *h, const struct actor *a)
{
    uint64_t day = a->next / DAY;

    h->sessions_seen++;
    h->days += day != h->last_day;
    h->last_day = day;
}

void
truth_event(struct truth *t, const struct actor *a, enum event_type type)
{
    struct truth_host *h = &t->hosts[a->subject->number];

    t->events++;
    if (a->scenario->submits || is_forged(a))
        return;
    if (type == EVENT_SMTP && is_outward(a) && actor_is_bad(a) &&
        h->first_bad_seen == 0)
        h->first_bad_seen = a->next;
    if (type == EVENT_SMTP && a->mail.sent)
        message_seen(t, h, a);
    if (type == EVENT_SMTP_SESSION && is_outward(a) && !a->scenario->syn_only)
        session_seen(h, a);
}

/* ---- files ---- */

static FILE *
open_in(const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

    return n > 0 && (size_t)n < sizeof(path) ? fopen(path, "wb") : NULL;
}

static enum err
shut(FILE *f)
{
    bool bad;

    if (f == NULL)
        return err_from_errno(errno);
    bad = ferror(f) != 0;
    return fclose(f) != 0 || bad ? ERR_IO : ERR_OK;
}

static void
put_time(FILE *f, ns_t t)
{
    char text[NS_TEXT_MAX];

    if (t != 0)
        (void)fwrite(text, 1, ns_format(t, text), f);
}

static void
put_host(FILE *f, const struct truth *t, const struct subject *s)
{
    const struct campus_host *h = &t->campus->hosts[s->number];
    const struct truth_host *n = &t->hosts[s->number];
    char addr[ADDR_TEXT_MAX];

    (void)fwrite(addr, 1, addr_format(&s->addr, addr), f);
    fprintf(f, ",%s,%s,%s,\"%s\",%s,%s,%s,", s->site,
            s->registered ? "registered" : "unregistered", label_word(s->label),
            s->scenario->name,
            s->scenario->family != NULL ? s->scenario->family : "",
            s->scenario->retries >= .5 ? "queueing" : "fire_and_forget",
            s->pool != NULL ? s->pool : "");
    put_time(f, h->onset);
    fputc(',', f);
    put_time(f, h->until);
    fputc(',', f);
    put_time(f, n->first_bad);
    fputc(',', f);
    put_time(f, n->first_bad_seen);
#define X(name, what) fprintf(f, ",%llu", (unsigned long long)n->name);
    TRUTH_COUNTS(X)
#undef X
    fputc('\n', f);
}

static enum err
write_hosts(const struct truth *t, const char *folder)
{
    FILE *f = open_in(folder, "hosts.csv");

    if (f != NULL) {
        fputs("host,site,registered,label,kind,family,queueing,pool,onset,"
              "until,first_bad,first_bad_seen",
              f);
#define X(name, what) fputs("," #name, f);
        TRUTH_COUNTS(X)
#undef X
        fputc('\n', f);
        for (uint32_t i = 0; i < t->campus->play->n_subjects; i++)
            put_host(f, t, &t->campus->play->subjects[i]);
    }
    return shut(f);
}

static enum err
write_shares(const struct truth *t, const char *folder)
{
    static const char *const stages[TRUTH_STAGES] = {"sent", "watched", "clear",
                                                     "seen", "complete"};
    static const char *const groups[STUDY_GROUP_COUNT] = {
#define X(id, word, people) word,
        STUDY_GROUPS(X)
#undef X
    };
    FILE *f = open_in(folder, "shares.csv");

    if (f != NULL)
        fputs("group,stage,messages,class_a,bad,bad_class_a\n", f);
    for (unsigned g = 0; f != NULL && g < STUDY_GROUP_COUNT; g++) {
        for (unsigned i = 0; i < TRUTH_STAGES; i++) {
            const struct truth_share *s = &t->shares[g][i];

            fprintf(f, "%s,%s,%llu,%llu,%llu,%llu\n", groups[g], stages[i],
                    (unsigned long long)s->messages,
                    (unsigned long long)s->class_a, (unsigned long long)s->bad,
                    (unsigned long long)s->bad_class_a);
        }
    }
    return shut(f);
}

static enum err
write_sizes(const struct truth *t, const char *folder)
{
    FILE *f = open_in(folder, "sizes.csv");

    if (f != NULL)
        fputs("size,messages,complete\n", f);
    for (unsigned i = 0; f != NULL && i < 8; i++)
        fprintf(f, "%s,%llu,%llu\n", study_size_words[i],
                (unsigned long long)t->sizes[i],
                (unsigned long long)t->sizes_complete[i]);
    return shut(f);
}

static enum err
write_faults(const struct faults *faults, const char *folder)
{
    FILE *f = open_in(folder, "faults.csv");

    if (f != NULL)
        fputs("fault,from,to\n", f);
    for (unsigned i = 0; f != NULL && i < FAULT_COUNT; i++) {
        if (faults->v[i].to == 0)
            continue;
        fprintf(f, "%s,", fault_word((enum fault)i));
        put_time(f, faults->v[i].from);
        fputc(',', f);
        put_time(f, faults->v[i].to);
        fputc('\n', f);
    }
    return shut(f);
}

static enum err
write_window(const struct truth *t, const char *folder)
{
    const struct campus *c = t->campus;
    FILE *f = open_in(folder, "window.csv");

    if (f != NULL) {
        fputs("from,to,seed,hosts,sites,events\n", f);
        put_time(f, CAMPUS_START);
        fputc(',', f);
        put_time(f, campus_end(c));
        fprintf(f, ",%llu,%u,%u,%llu\n", (unsigned long long)c->options.seed,
                c->n, c->options.sites, (unsigned long long)t->events);
    }
    return shut(f);
}

/* What study is to be told of the campus: home, sites and whom to write to; of
 * every seventh site nobody knows that. */
static enum err
write_config(const struct truth *t, const char *folder)
{
    FILE *f = open_in(folder, "span25.yaml");

    if (f != NULL)
        fputs("network:\n  home: [10.0.0.0/8, \"fd25:20::/32\"]\nsites:\n", f);
    for (unsigned i = 1; f != NULL && i <= t->campus->options.sites; i++) {
        fprintf(f,
                "  - code: %c%u%u\n    name: Site %u\n"
                "    prefixes: [10.%u.0.0/16, \"fd25:20:%x::/48\"]\n",
                i >= 100 ? 'S' + (int)(i / 100) : 'S', i / 10 % 10, i % 10, i,
                i, i);
        if (i % 7 != 0)
            fprintf(f, "    contact: postmaster@s%02u.example\n", i);
    }
    return shut(f);
}

static enum err
write_registry(const struct truth *t, const char *folder)
{
    const struct play *p = t->campus->play;
    FILE *f = open_in(folder, "registry.csv");

    if (f != NULL)
        fputs("address,site\n", f);
    for (uint32_t i = 0; f != NULL && i < p->n_subjects; i++) {
        const struct subject *s = &p->subjects[i];
        char addr[ADDR_TEXT_MAX];

        if (!s->registered)
            continue;
        (void)fwrite(addr, 1, addr_format(&s->addr, addr), f);
        fprintf(f, ",%s\n", s->site);
    }
    return shut(f);
}

enum err
truth_write(const struct truth *t, const char *folder)
{
    enum err e = write_hosts(t, folder);

    if (e == ERR_OK)
        e = write_shares(t, folder);
    if (e == ERR_OK)
        e = write_sizes(t, folder);
    if (e == ERR_OK)
        e = write_faults(t->faults, folder);
    if (e == ERR_OK)
        e = write_window(t, folder);
    if (e == ERR_OK)
        e = write_config(t, folder);
    if (e == ERR_OK)
        e = write_registry(t, folder);
    return e;
}

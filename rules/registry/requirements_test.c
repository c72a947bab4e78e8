#include "rules/registry/requirements.h"

#include "rules/registry/event_test_kit.h"

/* ---- a book of a few lines, for what is not the book's own ---- */

struct known {
    const char *address, *domain, *relay_for, *device, *bulk;
    uint64_t volume;
    enum form_use use; /* 0: both */
    uint64_t from_day; /* of the permit */
    bool always;       /* without a date */
    enum book_state state;
};

#define PERMIT(...)                                                            \
    {                                                                          \
        .state = BOOK_PERMITTED, __VA_ARGS__                                   \
    }

#define BOOK_MAX 4

struct book {
    struct form_line forms[BOOK_MAX];
    struct book_line lines[BOOK_MAX];
    struct book_change changes[BOOK_MAX];
    struct addr addrs[BOOK_MAX];
    struct book_form form;
    size_t n;
};

static char *
copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static void
book_fill(struct book *b, const struct known *known)
{
    *b = (struct book){.form.form.number = "2026-1"};
    for (size_t i = 0; i < BOOK_MAX && known[i].address != NULL; i++, b->n++) {
        struct form_line *f = &b->forms[i];

        assert_true(addr_parse(span_str(known[i].address), &b->addrs[i]));
        f->number = (uint32_t)i + 1;
        f->text[FORM_DOMAIN] = copy(known[i].domain);
        f->text[FORM_RELAY_FOR] = copy(known[i].relay_for);
        f->text[FORM_DEVICE] = copy(known[i].device);
        f->text[FORM_BULK] = copy(known[i].bulk);
        f->volume = known[i].volume;
        f->use = known[i].use != 0 ? known[i].use : FORM_BOTH;
        b->changes[i] = (struct book_change){
            known[i].always
                ? BOOK_ALWAYS
                : (KIT_EPOCH + known[i].from_day * 86400) * NS_PER_S,
            known[i].state, 1};
        b->lines[i] = (struct book_line){.line = f,
                                         .form = &b->form,
                                         .changes = &b->changes[i],
                                         .n_changes = 1};
    }
}

static void
book_clear(struct book *b)
{
    for (size_t i = 0; i < b->n; i++) {
        for (size_t f = 0; f < FORM_FIELD_COUNT; f++)
            free(b->forms[i].text[f]);
    }
}

struct book_verdict
book_judge(const struct book *b, const struct addr *a, uint16_t port,
           enum form_use use, ns_t when)
{
    struct book_verdict v = {.state = BOOK_NONE};

    (void)port;
    for (size_t i = 0; i < b->n; i++) {
        if (addr_cmp(&b->addrs[i], a) != 0 || b->changes[i].from > when)
            continue;
        v.line = &b->lines[i];
        v.state = b->changes[i].state;
        v.fit = (b->forms[i].use & use) != 0 ? BOOK_FITS : BOOK_OTHER_USE;
        v.registered = v.state == BOOK_PERMITTED && v.fit == BOOK_FITS;
        return v;
    }
    return v;
}

/* ---- running ---- */

static bool
address_of(const struct record_map *map, enum field f, struct addr *out)
{
    struct span v = record_map_find(map, f);

    if (v.n == sizeof(out->b))
        memcpy(out->b, v.p, sizeof(out->b));
    return v.n == sizeof(out->b);
}

/* As the core does: each end is judged once. */
static void
show(struct requirements *r, const struct book *book,
     const struct record_map *map)
{
    uint16_t port = (uint16_t)record_map_u64(map, FIELD_DEST_PORT, 0);
    ns_t when = record_head_of(map->record).when;
    struct req_verdicts said = {NULL, NULL};
    struct book_verdict client, server;
    struct addr a;

    if (book != NULL && address_of(map, FIELD_SRC_IP, &a)) {
        client = book_judge(book, &a, port, FORM_SEND, when);
        said.client = &client;
    }
    if (book != NULL && address_of(map, FIELD_DEST_IP, &a)) {
        server = book_judge(book, &a, port, FORM_RECEIVE, when);
        said.server = &server;
    }
    requirements_event(r, book, &said, map);
}

static void
feed(struct requirements *r, const struct book *book, struct kit *k,
     const char *events)
{
    while (*events != '\0') {
        size_t n = strcspn(events, "\n");

        show(r, book, kit_event(k, events, n));
        events += n + (events[n] == '\n');
    }
}

static void
text_of_verdict(const struct req_verdict *v, enum requirement q,
                struct buf *out)
{
    buf_reset(out);
    req_text(v, q, out);
    for (size_t i = 0; i < v->n_evidence; i++)
        buf_printf(out, "%s%llu", i == 0 ? " [" : " ",
                   strtoull(v->evidence[i], NULL, 16));
    buf_str(out, v->n_evidence > 0 ? "]" : "");
    buf_putc(out, '\0');
}

/* ---- every requirement ---- */

#define S      "10.0.0.1" /* the server */
#define A      "198.51.100.7"
#define B      "203.0.113.9"
#define C      "192.0.2.200"
#define IN(c)  "in " c " " S " "
#define OUT(s) "out " S " " s " "
#define TO_S   "sessions to it"
#define CLEAR  "sessions to it that could be read to the end"
#define EHLO   "sessions to it with an EHLO reply before TLS"
#define NAMED  "sessions of it with a name"
#define FOR    "readable transactions from outside for outside"
#define DAYS   "days on which it was seen"
#define NOT    "not observable: "
#define BACKUP                                                                 \
    NOT "mail for another domain was passed on, as a backup server does"
/* Taken from the client for two domains, passed on to two networks. */
#define RELAYED                                                                \
    IN(A)                                                                      \
    "tx v@one.example+\n" OUT(B) "tx v@one.example+\n" IN(                     \
        A) "tx w@two.example+\n" OUT(C) "tx w@two.example+\n"

/* clang-format off */
static const struct {
    const char *why;
    enum requirement q;
    const char *events, *want;
    struct known known[2];
} rows[] = {
    /* a server */
    {"greets", REQ_SERVER, IN(A) "session banner=mx.a.example", "observed, 1 of 1 " TO_S " [1]", {{0}}},
    {"refuses all", REQ_SERVER, IN(A) "session 554", "none observed in 1 " TO_S, {{0}}},
    {"from inside too", REQ_SERVER, "internal 10.0.0.9 " S " session banner=a", "observed, 1 of 1 " TO_S " [1]", {{0}}},
    {"TLS from the first byte", REQ_SERVER, IN(A) "session tls", NOT "all of it was under TLS", {{0}}},
    {"seen from the middle", REQ_SERVER, IN(A) "session banner=a midstream", NOT "none of it was readable", {{0}}},
    {"seen one way", REQ_SERVER, IN(A) "session banner=a oneway", NOT "none of it was readable", {{0}}},
    {"with holes", REQ_SERVER, IN(A) "session banner=a gaps", NOT "none of it was readable", {{0}}},
    {"our place was lost", REQ_SERVER, IN(A) "session banner=a low", NOT "none of it was readable", {{0}}},
    {"both", REQ_SERVER, IN(A) "session tls\n" IN(A) "session gaps", NOT "all of it was under TLS or not readable", {{0}}},
    {"what is left out is told", REQ_SERVER, IN(A) "session 554\n" IN(A) "session gaps\n" IN(A) "session tls\n" IN(A) "session tls", "none observed in 1 " TO_S "; left out: 2 under TLS, 1 not readable", {{0}}},
    {"the first and the latest two", REQ_SERVER, IN(A) "session banner=a\n" IN(A) "session banner=a\n" IN(A) "session banner=a\n" IN(A) "session banner=a", "observed, 4 of 4 " TO_S " [1 3 4]", {{0}}},
    {"connections without a byte are no sessions", REQ_SERVER, IN(A) "attempts\n" OUT(A) "session", NOT "no session to it was seen", {{0}}},
    {"never seen", REQ_SERVER, "out 10.0.0.9 " A " session", NOT "it was never seen", {{0}}},

    /* names */
    {"the form's name", REQ_NAME, OUT(A) "session helo=MX.a.example", "observed, 1 of 1 " NAMED " [1]", {PERMIT(.address = S, .domain = "mx.a.example")}},
    {"the form's name is no other", REQ_NAME_OTHER, OUT(A) "session helo=mx.a.example", "none observed in 1 " NAMED, {PERMIT(.address = S, .domain = "mx.a.example")}},
    {"another name", REQ_NAME_OTHER, OUT(A) "session helo=pc7\n" OUT(A) "session helo=mx.a.example", "observed, 1 of 2 " NAMED " [1]", {PERMIT(.address = S, .domain = "mx.a.example")}},
    {"no form", REQ_NAME_OTHER, OUT(A) "session helo=pc7", NOT "no name on a form to compare with", {{0}}},
    {"no name on the form", REQ_NAME, OUT(A) "session helo=pc7", NOT "no name on a form to compare with", {PERMIT(.address = S)}},
    {"no name given", REQ_NAME_OTHER, OUT(A) "session", NOT "no name on a form to compare with", {PERMIT(.address = S, .domain = "a.example")}},
    {"a name seen one way", REQ_NAME_OTHER, OUT(A) "session helo=pc7 oneway", NOT "none of it was readable", {PERMIT(.address = S, .domain = "a.example")}},
    {"others' names to it", REQ_NAME_OTHER, IN(A) "session helo=pc7", NOT "no name on a form to compare with", {PERMIT(.address = S, .domain = "a.example")}},
    {"before the form", REQ_NAME_OTHER, OUT(A) "session helo=pc7", NOT "no name on a form to compare with", {PERMIT(.address = S, .domain = "a.example", .from_day = 1)}},

    /* AUTH */
    {"taken", REQ_AUTH_CLEAR, IN(A) "session clear=success:235", "observed, 1 of 1 " CLEAR " [1]", {{0}}},
    {"judged wrong", REQ_AUTH_CLEAR, IN(A) "session clear=failure:535", "observed, 1 of 1 " CLEAR " [1]", {{0}}},
    {"refused unheard", REQ_AUTH_CLEAR, IN(A) "session clear=failure:538", "none observed in 1 " CLEAR, {{0}}},
    {"cancelled", REQ_AUTH_CLEAR, IN(A) "session clear=cancelled:501", "none observed in 1 " CLEAR, {{0}}},
    {"no AUTH", REQ_AUTH_CLEAR, IN(A) "session", "none observed in 1 " CLEAR, {{0}}},
    {"before STARTTLS", REQ_AUTH_CLEAR, IN(A) "session clear=success:235 starttls", "observed, 1 of 1 " CLEAR " [1]", {{0}}},
    {"all under TLS", REQ_AUTH_CLEAR, IN(A) "session starttls\n" IN(A) "session tls port=465", NOT "all of it was under TLS", {{0}}},
    {"with holes", REQ_AUTH_CLEAR, IN(A) "session clear=success:235 gaps", NOT "none of it was readable", {{0}}},
    {"one way", REQ_AUTH_CLEAR, IN(A) "session clear=success:235 oneway", NOT "none of it was readable", {{0}}},
    {"of the host itself, elsewhere", REQ_AUTH_CLEAR, OUT(A) "session clear=success:235", NOT "no session to it was seen", {{0}}},

    /* STARTTLS */
    {"not offered", REQ_NO_STARTTLS, IN(A) "session caps", "observed, 1 of 1 " EHLO " [1]", {{0}}},
    {"offered", REQ_NO_STARTTLS, IN(A) "session caps offered", "none observed in 1 " EHLO, {{0}}},
    {"used", REQ_NO_STARTTLS, IN(A) "session caps starttls", "none observed in 1 " EHLO, {{0}}},
    {"overwritten on the way", REQ_NO_STARTTLS, IN(A) "session caps stripped", NOT "none of it was readable", {{0}}},
    {"HELO alone", REQ_NO_STARTTLS, IN(A) "session", NOT "no EHLO to it was seen", {{0}}},
    {"TLS at once", REQ_NO_STARTTLS, IN(A) "session tls", NOT "all of it was under TLS", {{0}}},
    {"the reply was in a gap", REQ_NO_STARTTLS, IN(A) "session caps gaps", NOT "none of it was readable", {{0}}},
    {"from the middle", REQ_NO_STARTTLS, IN(A) "session caps midstream", NOT "none of it was readable", {{0}}},

    /* 587 */
    {"taken without AUTH", REQ_NO_AUTH, IN(A) "tx port=587 x@a.example+", "observed, 1 of 1 readable transactions on 587 [1]", {{0}}},
    {"from inside", REQ_NO_AUTH, "internal 10.0.0.9 " S " tx port=587 x@a.example+", "observed, 1 of 1 readable transactions on 587 [1]", {{0}}},
    {"with AUTH", REQ_NO_AUTH, IN(A) "tx port=587 auth x@a.example+", "none observed in 1 readable transactions on 587", {{0}}},
    {"refused", REQ_NO_AUTH, IN(A) "tx port=587 none x@a.example-", "none observed in 1 readable transactions on 587", {{0}}},
    {"refused at the end", REQ_NO_AUTH, IN(A) "tx port=587 rejected x@a.example+", "none observed in 1 readable transactions on 587", {{0}}},
    {"on 25", REQ_NO_AUTH, IN(A) "tx port=25 x@a.example+", NOT "no transaction on 587 was seen", {{0}}},
    {"on 586", REQ_NO_AUTH, IN(A) "tx port=586 x@a.example+", NOT "no transaction on 587 was seen", {{0}}},
    {"on 588", REQ_NO_AUTH, IN(A) "tx port=588 x@a.example+\n" IN(A) "session port=588 starttls", NOT "no transaction on 587 was seen", {{0}}},
    {"a journal that does not say", REQ_NO_AUTH, IN(A) "tx port=587 old x@a.example+", NOT "none of it was readable", {{0}}},
    {"587 under TLS", REQ_NO_AUTH, IN(A) "session port=587 starttls", NOT "all of it was under TLS", {{0}}},
    {"587 from the middle", REQ_NO_AUTH, IN(A) "tx port=587 midstream x@a.example+", NOT "none of it was readable", {{0}}},
    {"587 one way", REQ_NO_AUTH, IN(A) "tx port=587 oneway x@a.example+", NOT "none of it was readable", {{0}}},
    {"587 with holes", REQ_NO_AUTH, IN(A) "tx port=587 gaps x@a.example+", NOT "none of it was readable", {{0}}},

    /* scanners */
    {"signed", REQ_SCANNER, OUT(A) "tx scanner x@a.example+", "observed, 1 of 1 messages of it that could be read [1]", {{0}}},
    {"not signed", REQ_SCANNER, OUT(A) "tx x@a.example+", "none observed in 1 messages of it that could be read", {{0}}},
    {"cut", REQ_SCANNER, OUT(A) "tx cut x@a.example+", NOT "none of it was readable", {{0}}},
    {"no header", REQ_SCANNER, OUT(A) "tx noheader x@a.example+", NOT "none of it was readable", {{0}}},
    {"with holes", REQ_SCANNER, OUT(A) "tx scanner gaps x@a.example+", NOT "none of it was readable", {{0}}},
    {"no message", REQ_SCANNER, OUT(A) "tx none x@a.example-", NOT "no message of it was seen", {{0}}},
    {"received", REQ_SCANNER, IN(A) "tx scanner x@a.example+", NOT "no message of it was seen", {{0}}},
    {"under TLS", REQ_SCANNER, OUT(A) "session starttls", NOT "all of it was under TLS", {{0}}},

    /* volume */
    {"n - 1", REQ_VOLUME, OUT(A) "tx x@a.example+", "none observed in 1 " DAYS, {PERMIT(.address = S, .volume = 2)}},
    {"n", REQ_VOLUME, OUT(A) "tx x@a.example+\n" IN(A) "tx x@a.example+", "none observed in 1 " DAYS, {PERMIT(.address = S, .volume = 2)}},
    {"n + 1", REQ_VOLUME, OUT(A) "tx x@a.example+\n" IN(A) "tx x@a.example+\n" OUT(A) "tx x@a.example+", "observed, 1 of 1 " DAYS " [3]", {PERMIT(.address = S, .volume = 2)}},
    {"once a day", REQ_VOLUME, OUT(A) "tx x@a.example+\n" OUT(A) "tx x@a.example+\n" OUT(A) "tx x@a.example+", "observed, 1 of 1 " DAYS " [2]", {PERMIT(.address = S, .volume = 1)}},
    {"the day is UTC's", REQ_VOLUME, OUT(A) "tx at=86399 x@a.example+\n" OUT(A) "tx at=86400 x@a.example+", "none observed in 2 " DAYS, {PERMIT(.address = S, .volume = 1)}},
    {"the same second of a day", REQ_VOLUME, OUT(A) "tx at=86398 x@a.example+\n" OUT(A) "tx at=86399 x@a.example+", "observed, 1 of 1 " DAYS " [2]", {PERMIT(.address = S, .volume = 1)}},
    {"refused mail is none", REQ_VOLUME, OUT(A) "tx rejected x@a.example+\n" OUT(A) "tx x@a.example+", "none observed in 1 " DAYS, {PERMIT(.address = S, .volume = 1)}},
    {"what a line for sending declares", REQ_VOLUME, OUT(A) "tx x@a.example+\n" IN(A) "tx x@a.example+", "none observed in 1 " DAYS, {PERMIT(.address = S, .volume = 1, .use = FORM_SEND)}},
    {"nothing declared", REQ_VOLUME, OUT(A) "tx x@a.example+", NOT "no volume on a form to compare with", {PERMIT(.address = S)}},
    {"parts are not messages", REQ_VOLUME, OUT(A) "tx x@a.example+\n" OUT(A) "tx part x@a.example+", "none observed in 1 " DAYS, {PERMIT(.address = S, .volume = 1)}},

    /* alive */
    {"days that it spoke", REQ_ALIVE, OUT(A) "session day=3\n" OUT(A) "session day=3\n" OUT(A) "session day=5\n" "out 10.0.0.9 " A " session day=7", "observed, 2 of 7 days since the permit [1 3]", {PERMIT(.address = S, .from_day = 1)}},
    {"a permit without a date", REQ_ALIVE, "out 10.0.0.9 " A " session day=2\n" OUT(A) "session day=3\n" OUT(A) "session day=5", "observed, 2 of 4 days looked at; since when it is permitted is not observable: the list has no dates [2 3]", {PERMIT(.address = S, .always = true)}},
    {"before the permit", REQ_ALIVE, OUT(A) "session", NOT "no permitted line fits what it did", {PERMIT(.address = S, .from_day = 1)}},
    {"not as registered", REQ_ALIVE, OUT(A) "session", NOT "no permitted line fits what it did", {PERMIT(.address = S, .use = FORM_RECEIVE)}},
    {"suspended", REQ_ALIVE, OUT(A) "session", NOT "no permitted line fits what it did", {{.address = S, .state = BOOK_SUSPENDED}}},

    /* relay: what is one */
    {"two domains, two ways", REQ_RELAY, RELAYED, "observed, 2 of 2 " FOR " [1 2 3]", {{0}}},
    {"a registered server that relays", REQ_RELAY, RELAYED, "observed, 2 of 2 " FOR " [1 2 3]", {PERMIT(.address = S, .domain = "mx.a.example")}},
    {"bulk and device do not permit it", REQ_RELAY, RELAYED, "observed, 2 of 2 " FOR " [1 2 3]", {PERMIT(.address = S, .bulk = "yes", .device = "open relay for all")}},
    {"of a mailbox provider", REQ_RELAY, IN(A) "tx v@GMail.com+", "observed, 1 of 1 " FOR " [1]", {{0}}},
    {"one of several recipients", REQ_RELAY, IN(A) "tx a@own.example+ v@gmail.com+ w@gmail.com-", "observed, 1 of 1 " FOR " [1]", {{0}}},
    {"four domains, one way", REQ_RELAY,
     IN(A) "tx v@one.example+ v@two.example+ v@three.example+ v@four.example+\n" OUT(B) "tx v@one.example+ v@two.example+ v@three.example+ v@four.example+",
     "observed, 4 of 4 " FOR " [1 2]", {{0}}},
    {"two under one public suffix", REQ_RELAY, IN(A) "tx v@mx.one.ac.uk+ w@two.ac.uk+\n" OUT(B) "tx v@mx.one.ac.uk+\n" OUT(C) "tx w@two.ac.uk+", "observed, 2 of 2 " FOR " [1 2]", {{0}}},
    {"own is one of the public suffix", REQ_RELAY, IN(A) "tx v@one.ac.uk+ w@two.ac.uk+ x@own.ac.uk+\n" OUT(B) "tx v@one.ac.uk+\n" OUT(C) "tx w@two.ac.uk+", "observed, 2 of 2 " FOR " [1 2]", {PERMIT(.address = S, .domain = "mail.own.ac.uk")}},
    {"from the site's other server", REQ_RELAY,
     IN(A) "tx site=s v@one.example+ w@two.example+\n" "out 10.0.0.2 " B " tx site=s v@one.example+\n" "out 10.0.0.2 " C " tx site=s w@two.example+",
     "observed, 2 of 2 " FOR " [1 2]", {{0}}},
    {"passed on in another case", REQ_RELAY,
     IN(A) "tx v@One.example+ w@two.example+\n" OUT(B) "tx V@one.EXAMPLE.+\n" OUT(C) "tx w@two.example~", "observed, 2 of 2 " FOR " [1 2]", {{0}}},
    {"two thirds of it refused", REQ_RELAY, IN(B) "tx none x@other.example!\n" IN(A) "tx v@gmail.com+\n" IN(A) "tx none v@gmail.com!", "observed, 1 of 3 " FOR " [2]", {{0}}},

    /* relay: what is none */
    {"two of one organisation", REQ_RELAY, IN(A) "tx v@a.one.ac.uk+ w@b.one.ac.uk+\n" OUT(B) "tx v@a.one.ac.uk+\n" OUT(C) "tx w@b.one.ac.uk+", BACKUP, {{0}}},
    {"own mail", REQ_RELAY, IN(A) "tx a@own.example+\n" IN(B) "tx b@own.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"refused", REQ_RELAY, IN(A) "tx none v@one.example!\n" IN(A) "tx none v@two.example!", "none observed in 2 " FOR, {{0}}},
    {"refused at the end", REQ_RELAY, IN(A) "tx rejected v@gmail.com+", NOT "no mail from outside for outside was seen", {{0}}},
    {"with AUTH", REQ_RELAY, IN(A) "tx auth v@gmail.com+", NOT "no mail from outside for outside was seen", {{0}}},
    {"from inside", REQ_RELAY, "internal 10.0.0.9 " S " tx v@gmail.com+\n" OUT(B) "tx v@gmail.com+", NOT "no mail from outside for outside was seen", {{0}}},
    {"its own mail outward", REQ_RELAY, OUT(B) "tx v@gmail.com+", NOT "no mail from outside for outside was seen", {{0}}},
    {"taken, and not seen again", REQ_RELAY, IN(A) "tx v@one.example+ v@two.example+ v@three.example+ v@four.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"another recipient of the domain", REQ_RELAY, IN(A) "tx v@one.example+ v@two.example+\n" OUT(B) "tx w@one.example+\n" OUT(C) "tx w@two.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"seen outward before it was taken", REQ_RELAY, OUT(B) "tx v@one.example+\n" OUT(C) "tx v@two.example+\n" IN(A) "tx v@one.example+ v@two.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"on to a server at home", REQ_RELAY, IN(A) "tx v@one.example+ v@two.example+\n" "internal " S " 10.0.0.7 tx v@one.example+ v@two.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"from another site's server", REQ_RELAY,
     IN(A) "tx site=s v@one.example+ w@two.example+\n" "out 10.0.0.2 " B " tx site=t v@one.example+\n" "out 10.0.0.2 " C " tx w@two.example+",
     NOT "no mail from outside for outside was seen", {{0}}},
    {"within five days", REQ_RELAY, IN(A) "tx at=1 v@one.example+ v@two.example+\n" OUT(B) "tx at=432001 v@one.example+\n" OUT(C) "tx at=432001 v@two.example+", "observed, 2 of 2 " FOR " [1 2]", {{0}}},
    {"after five days", REQ_RELAY, IN(A) "tx at=1 v@one.example+ v@two.example+\n" OUT(B) "tx at=432002 v@one.example+\n" OUT(C) "tx at=432002 v@two.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"a backup server", REQ_RELAY, IN(A) "tx v@one.example+\n" OUT(B) "tx v@one.example+", BACKUP, {{0}}},
    {"a backup server, both mails of one client", REQ_RELAY, IN(A) "tx v@one.example+ w@one.example+\n" OUT(B) "tx v@one.example+\n" OUT(C) "tx w@one.example+", BACKUP, {{0}}},
    {"a backup server of somebody with two domains", REQ_RELAY, IN(A) "tx v@one.example+ v@two.example+\n" OUT(B) "tx v@one.example+ v@two.example+", BACKUP, {{0}}},
    {"of two that everybody uses", REQ_RELAY,
     IN(A) "tx v@one.example+ v@two.example+\n" IN(B) "tx u@one.example+ u@two.example+\n" OUT(B) "tx v@one.example+\n" OUT(C) "tx v@two.example+",
     NOT "no mail from outside for outside was seen", {{0}}},
    {"everybody uses it later", REQ_RELAY, RELAYED IN(B) "tx x@one.example+", BACKUP, {{0}}},
    {"many use it", REQ_RELAY, RELAYED IN(B) "tx x@one.example+\n" IN(C) "tx x@one.example+\n" IN("192.0.3.1") "tx x@one.example+ y@two.example+\n" IN("192.0.4.1") "tx y@two.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"one network is not everybody", REQ_RELAY, RELAYED IN("198.51.100.8") "tx x@one.example+", "observed, 3 of 3 " FOR " [1 2 5]", {{0}}},
    {"a backup server on its form", REQ_RELAY, RELAYED, NOT "no mail from outside for outside was seen", {PERMIT(.address = S, .relay_for = "one.example,two.example")}},
    {"one of two on its form", REQ_RELAY, RELAYED, BACKUP, {PERMIT(.address = S, .relay_for = ".one.example")}},
    {"a domain below that of the form", REQ_RELAY, IN(A) "tx v@x.one.example+\n" OUT(B) "tx v@x.one.example+", NOT "no mail from outside for outside was seen", {PERMIT(.address = S, .relay_for = "x.y one.example")}},
    {"a relay for a network on its form", REQ_RELAY, RELAYED, NOT "no mail from outside for outside was seen", {PERMIT(.address = S, .relay_for = "198.51.100.0/24")}},
    {"a relay for another network", REQ_RELAY, RELAYED, "observed, 2 of 2 " FOR " [1 2 3]", {PERMIT(.address = S, .relay_for = "198.51.101.0/24 a.example")}},
    {"hybrid: the domain of the form", REQ_RELAY, RELAYED, BACKUP, {PERMIT(.address = S, .domain = "mail.one.example")}},
    {"hybrid: two domains of the form", REQ_RELAY, RELAYED, NOT "no mail from outside for outside was seen", {PERMIT(.address = S, .domain = "mail.one.example, mail.two.example")}},
    {"hybrid: the domain of its banner", REQ_RELAY, RELAYED IN(A) "session banner=mx.one.example", BACKUP, {{0}}},
    {"hybrid: the domain of its name as a client", REQ_RELAY, RELAYED OUT(A) "session helo=out.two.example.", BACKUP, {{0}}},
    {"forwarding changes the recipient", REQ_RELAY,
     IN(A) "tx ann@own.example+\n" OUT(B) "tx ann@gmail.com+\n" IN(A) "tx bob@own.example+\n" OUT(C) "tx from=srs0=h=t=x=ann@own.example bob@two.example+",
     NOT "no mail from outside for outside was seen", {{0}}},
    {"a list sends to its members", REQ_RELAY,
     IN(A) "tx list@own.example+\n" OUT(B) "tx list from=list@own.example a@one.example+ b@two.example+\n" OUT(C) "tx list c@three.example+",
     NOT "no mail from outside for outside was seen", {{0}}},
    {"a bounce to the sender", REQ_RELAY, IN(A) "tx from=x@one.example a@own.example+\n" OUT(B) "tx x@one.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"taken from the middle", REQ_RELAY, IN(A) "tx midstream v@gmail.com+", NOT "none of it was readable", {{0}}},
    {"taken one way", REQ_RELAY, IN(A) "tx oneway v@gmail.com+", NOT "none of it was readable", {{0}}},
    {"taken with holes", REQ_RELAY, IN(A) "tx gaps v@gmail.com+", NOT "none of it was readable", {{0}}},
    {"our place was lost", REQ_RELAY, IN(A) "tx low v@gmail.com+", NOT "none of it was readable", {{0}}},
    {"a journal that does not say", REQ_RELAY, IN(A) "tx old v@gmail.com+", NOT "none of it was readable", {{0}}},
    {"under TLS", REQ_RELAY, IN(A) "session starttls", NOT "all of it was under TLS", {{0}}},
    {"a part that others follow", REQ_RELAY, IN(A) "tx part v@gmail.com+", NOT "it was never seen", {{0}}},

    /* relay: names that are none */
    {"source route", REQ_RELAY, IN(A) "tx @own.example,@b.example:v@gmail.com+", "observed, 1 of 1 " FOR " [1]", {{0}}},
    {"the last @ counts", REQ_RELAY, IN(A) "tx v@gmail.com@own.example+", NOT "no mail from outside for outside was seen", {{0}}},
    {"a literal", REQ_RELAY, IN(A) "tx v@[192.0.2.1]+\n" OUT(B) "tx v@[192.0.2.1]+", NOT "no mail from outside for outside was seen", {{0}}},
    {"a bare address", REQ_RELAY, IN(A) "tx v@192.0.2.1+\n" OUT(B) "tx v@192.0.2.1+", NOT "no mail from outside for outside was seen", {{0}}},
    {"no dot", REQ_RELAY, IN(A) "tx v@localhost+\n" OUT(B) "tx v@localhost+", NOT "no mail from outside for outside was seen", {{0}}},
    {"dots alone", REQ_RELAY, IN(A) "tx v@...+\n" OUT(B) "tx v@...+", NOT "no mail from outside for outside was seen", {{0}}},
    {"at alone", REQ_RELAY, IN(A) "tx @+\n" OUT(B) "tx @+", NOT "no mail from outside for outside was seen", {{0}}},
};
/* clang-format on */

static void
answers_in_three_values(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct known known[BOOK_MAX] = {rows[i].known[0], rows[i].known[1]};
        struct requirements *r;
        struct req_verdict v;
        struct book book;
        struct addr host;
        struct buf text;
        struct kit k;

        kit_open(&k);
        buf_init(&text, 4096);
        book_fill(&book, known);
        assert_int_equal(requirements_new(&r), ERR_OK);
        feed(r, &book, &k, rows[i].events);
        assert_true(addr_parse(span_str(S), &host));
        v = requirements_ask(r, &host, rows[i].q);
        text_of_verdict(&v, rows[i].q, &text);
        if (strcmp((const char *)text.p, rows[i].want) != 0) {
            print_error("%s: %s: %s\n", req_word(rows[i].q), rows[i].why,
                        (const char *)text.p);
            bad++;
        }
        assert_true((v.answer == REQ_OBSERVED) == (v.count > 0));
        assert_true((v.answer == REQ_NOT_OBSERVABLE) == (v.why_not != NULL));
        assert_true(v.count <= v.of);
        assert_true((v.answer == REQ_NOT_OBSERVABLE) == (v.of == 0));
        requirements_free(r);
        book_clear(&book);
        buf_free(&text);
        kit_close(&k);
    }
    assert_int_equal(bad, 0);
}

/* ---- limits ---- */

static void
feed_refusal(struct requirements *r, struct kit *k, unsigned n)
{
    char line[256];

    (void)snprintf(line, sizeof(line), IN(A) "tx none v@d%u.example!", n);
    feed(r, NULL, k, line);
}

static void
counts_hosts_beyond_the_table(void **state)
{
    struct record_head head = {.when = NS_PER_S, .type = EVENT_SMTP_SESSION};
    struct requirements *r;
    struct req_verdict v;
    struct record_out out;
    struct record_map map;
    struct addr a;

    (void)state;
    assert_int_equal(requirements_new(&r), ERR_OK);
    record_init(&out);
    for (uint32_t i = 0; i < REQ_HOSTS + 2; i++) {
        uint8_t b[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

        record_begin(&out, &head);
        a = addr_v4(b);
        record_addr(&out, FIELD_SRC_IP, &a);
        record_addr(&out, FIELD_DEST_IP, &a);
        record_text(&out, FIELD_DIRECTION, "outbound");
        record_map_init(&map, record_view(&out));
        show(r, NULL, &map);
        assert_int_equal(requirements_n(r), i < REQ_HOSTS ? i + 1 : REQ_HOSTS);
        assert_int_equal(requirements_left_out(r),
                         i < REQ_HOSTS ? 0 : i - REQ_HOSTS + 1);
    }
    v = requirements_ask(r, &a, REQ_SERVER);
    assert_string_equal(v.why_not, "it was never seen");
    a = requirements_host(r, REQ_HOSTS - 1);
    assert_int_equal(a.b[15], (REQ_HOSTS - 1) & 255);
    record_free(&out);
    requirements_free(r);
}

/* A client that names ever more domains: those beyond the limit prove nothing,
 * and refused ones are counted still. */
static void
bounds_domains_of_a_server(void **state)
{
    static const int extra[] = {-1, 0, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
        unsigned n = (unsigned)((int)REQ_HOST_DOMAINS + extra[i]);
        struct requirements *r;
        struct req_verdict v;
        struct addr host;
        struct kit k;

        kit_open(&k);
        assert_int_equal(requirements_new(&r), ERR_OK);
        for (unsigned d = 0; d < n; d++)
            feed_refusal(r, &k, d);
        feed(r, NULL, &k, IN(A) "tx v@gmail.com+");
        assert_true(addr_parse(span_str(S), &host));
        v = requirements_ask(r, &host, REQ_RELAY);
        assert_int_equal(v.count, n < REQ_HOST_DOMAINS);
        assert_int_equal(v.of, n + v.count);
        requirements_free(r);
        kit_close(&k);
    }
}

/* ---- what the lines say ---- */

static void
knows_lines_that_spoke(void **state)
{
    static const struct known known[BOOK_MAX] = {
        PERMIT(.address = "10.0.0.1"),
        PERMIT(.address = "10.0.0.2"),
        PERMIT(.address = "10.0.0.3", .use = FORM_RECEIVE),
        PERMIT(.address = "10.0.0.4"),
    };
    struct requirements *r;
    struct book book;
    struct kit k;

    (void)state;
    kit_open(&k);
    book_fill(&book, known);
    assert_int_equal(requirements_new(&r), ERR_OK);
    feed(r, &book, &k,
         "out 10.0.0.1 " A " session\n"
         "out 10.0.0.3 " A " session\n"
         "in " A " 10.0.0.4 tx a@b.example+");
    assert_true(requirements_saw(r, &book.lines[0]));
    assert_false(requirements_saw(r, &book.lines[1]));
    assert_false(requirements_saw(r, &book.lines[2])); /* it sent */
    assert_true(requirements_saw(r, &book.lines[3]));
    requirements_free(r);
    book_clear(&book);
    kit_close(&k);
}

#define SHUFFLED                                                               \
    IN(A)                                                                      \
    "tx w@two.example+\n" OUT(C) "tx w@two.example+\n" IN(                     \
        B) "tx x@one.example+\n" IN(A) "tx v@one.example+\n" OUT(B) "tx "      \
                                                                    "v@one."   \
                                                                    "example+"

/* Times of day, and of domains, in any order: the answer is of all of them. */
static void
relay_does_not_depend_on_the_order_of_clients(void **state)
{
    static const char *const orders[] = {
        RELAYED IN(B) "tx x@one.example+",
        IN(B) "tx x@one.example+\n" RELAYED,
        SHUFFLED,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct requirements *r;
        struct addr host;
        struct kit k;

        kit_open(&k);
        assert_int_equal(requirements_new(&r), ERR_OK);
        feed(r, NULL, &k, orders[i]);
        assert_true(addr_parse(span_str(S), &host));
        assert_int_equal(requirements_ask(r, &host, REQ_RELAY).answer,
                         REQ_NOT_OBSERVABLE);
        requirements_free(r);
        kit_close(&k);
    }
}

/* No bytes of the wire, whatever they are, are read past their end. */
static void
takes_hostile_texts(void **state)
{
    static const char *const texts[] = {
        "",
        "<",
        ">",
        "<>",
        "<@",
        "@",
        "@:",
        "<@:>",
        "<@a:>",
        ".",
        "@.",
        "a@.b",
        "\xff@\xff.\xff",
        "a@b.c.",
        "a@.",
        "<a@b",
        "a@b>",
        "a\r\n@b\n.c",
    };
    struct record_head head = {.when = NS_PER_S, .type = EVENT_SMTP};
    static const enum field texty[] = {FIELD_SMTP_HELO};
    struct requirements *r;
    struct record_out out;
    struct record_map map;
    struct addr a = {{1}};
    char *big = malloc(65000);

    (void)state;
    assert_non_null(big);
    memset(big, 'a', 65000);
    memcpy(big + 64000, "@x.example", 10);
    assert_int_equal(requirements_new(&r), ERR_OK);
    record_init(&out);
    for (size_t i = 0; i <= ARRAY_LEN(texts); i++) {
        struct span s =
            i < ARRAY_LEN(texts) ? span_str(texts[i]) : span_of(big, 65000);
        uint8_t *exact = malloc(s.n + 1);

        assert_non_null(exact);
        memcpy(exact, s.p, s.n);
        record_begin(&out, &head);
        record_str(&out, FIELD_EVENT_ID, span_of(exact, s.n));
        record_addr(&out, FIELD_SRC_IP, &a);
        record_addr(&out, FIELD_DEST_IP, &a);
        record_text(&out, FIELD_DIRECTION, i & 1 ? "inbound" : "internal");
        record_text(&out, FIELD_QUALITY_CONFIDENCE, "high");
        record_str(&out, texty[0], s);
        record_str(&out, FIELD_SMTP_RCPT_TO, s);
        record_object_begin(&out, FIELD_SMTP_RCPT);
        record_str(&out, FIELD_SMTP_RCPT_ADDR, s);
        record_u64(&out, FIELD_SMTP_RCPT_CODE, 250);
        record_object_end(&out);
        record_bool(&out, FIELD_SMTP_AUTHENTICATED, false);
        record_text(&out, FIELD_SMTP_VIA, "DATA");
        record_text(&out, FIELD_SMTP_OUTCOME, "accepted");
        assert_true(record_check(record_view(&out)));
        record_map_init(&map, record_view(&out));
        show(r, NULL, &map);
        free(exact);
    }
    assert_int_not_equal(requirements_ask(r, &a, REQ_RELAY).answer,
                         REQ_OBSERVED);
    record_free(&out);
    requirements_free(r);
    requirements_free(NULL);
    free(big);
}

static void
names_its_rows(void **state)
{
    (void)state;
    for (unsigned q = 0; q < REQ_COUNT; q++) {
        assert_non_null(req_word(q));
        assert_non_null(req_what(q));
        for (unsigned k = 0; k < q; k++)
            assert_string_not_equal(req_word(q), req_word(k));
    }
    assert_true(req_is_violation(REQ_RELAY));
    assert_false(req_is_violation(REQ_SCANNER));
    assert_string_equal(req_answer_word(REQ_NONE_OBSERVED), "none_observed");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_three_values),
        cmocka_unit_test(counts_hosts_beyond_the_table),
        cmocka_unit_test(bounds_domains_of_a_server),
        cmocka_unit_test(knows_lines_that_spoke),
        cmocka_unit_test(relay_does_not_depend_on_the_order_of_clients),
        cmocka_unit_test(takes_hostile_texts),
        cmocka_unit_test(names_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

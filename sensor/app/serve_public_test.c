#include "sensor/app/serve_public.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/app/drafts.h"
#include "sensor/app/letter_link.h"
#include "tempdir.h"

#define NOW (UINT64_C(1795341318) * NS_PER_S)

#define WHOLE                                                                  \
    "{\"site.name\":\"Library\",\"contacts.site.name\":\"Ada\","               \
    "\"contacts.site.phone\":\"+1 555 0100\","                                 \
    "\"contacts.site.mail\":\"a@b.test\","                                     \
    "\"contacts.technical.name\":\"Ada\","                                     \
    "\"contacts.technical.phone\":\"+1 555 0100\","                            \
    "\"contacts.technical.mail\":\"a@b.test\",\"signature.name\":\"Ada\","     \
    "\"signature.date\":\"2026-11-01\",\"lines\":[{\"port\":\"25\","           \
    "\"address\":\"192.0.2.25\",\"device\":\"Postfix\"%s}]%s}"

struct bench {
    struct tempdir dir;
    struct serve_public *p;
    struct http_answer out;
    struct buf given;  /* what was submitted last */
    char decided[256]; /* the last decision */
    enum cli_exit code;
    unsigned n_given;
    ns_t now;
};

static enum cli_exit
submit(void *ctx, struct span yaml, struct buf *out, struct buf *messages)
{
    struct bench *b = ctx;

    buf_reset(&b->given);
    buf_span(&b->given, yaml);
    b->n_given++;
    if (b->code == CLI_EXIT_DONE)
        buf_str(out, "2026-7: received, due 2026-11-25 17:11 UTC\n");
    else
        buf_str(messages, "span25: /var/lib/x: said why\n");
    return b->code;
}

static enum cli_exit
decide(void *ctx, const struct serve_public_decision *d, struct buf *messages)
{
    struct bench *b = ctx;

    (void)messages;
    (void)snprintf(b->decided, sizeof(b->decided), "%s %s %.*s", d->form,
                   d->action, (int)d->lines.n, (const char *)d->lines.p);
    return b->code;
}

static void
begin_as(struct bench *b, bool read_only)
{
    struct serve_public_options o = {.site = "Campus",
                                     .deadline = "2027-01-31",
                                     .read_only = read_only,
                                     .submit = submit,
                                     .decide = decide};

    *b = (struct bench){.now = NOW};
    tempdir_make(&b->dir);
    buf_init(&b->given, 1 << 20);
    o.state = b->dir.path;
    o.ctx = b;
    assert_int_equal(serve_public_new(&o, &b->p), ERR_OK);
}

static void
finish(struct bench *b)
{
    serve_public_free(b->p);
    buf_free(&b->out.body);
    buf_free(&b->given);
    tempdir_remove(&b->dir);
}

static struct http_request
request(enum http_method m, const char *path, const char *secret,
        const char *body)
{
    return (struct http_request){.method = m,
                                 .listener = 1,
                                 .path = span_str(path),
                                 .csrf = span_str(secret),
                                 .body = span_str(body),
                                 .host = SPAN_LIT("reg.test"),
                                 .content_type = SPAN_LIT("application/json"),
                                 .id = "0123456789abcdef"};
}

static const char *
answer(struct bench *b, const struct http_request *r)
{
    buf_free(&b->out.body);
    b->out = (struct http_answer){.status = 0};
    serve_public_answer(b->p, r, b->now, &b->out);
    buf_putc(&b->out.body, 0);
    return (const char *)b->out.body.p;
}

static const char *
ask(struct bench *b, enum http_method m, const char *path, const char *secret,
    const char *body)
{
    struct http_request r = request(m, path, secret, body);

    return answer(b, &r);
}

static void
secret_of(const char *text, char out[DRAFTS_SECRET])
{
    const char *at = strstr(text, "\"secret\":\"");

    assert_non_null(at);
    assert_true(drafts_read_secret(span_of(at + 10, 23), out));
}

static void
whole(char *out, size_t room, const char *line, const char *more)
{
    (void)snprintf(out, room, WHOLE, line, more);
}

/* clang-format off */
static const struct {
    const char *why;
    enum http_method method;
    const char *path, *secret, *body;
    unsigned status;
    const char *has;
} rows[] = {
    {"the fields", HTTP_GET, "/api/v1/public/about", "", "", 200,
     "\"path\":\"contacts.site.mail\""},
    {"an empty form", HTTP_GET, "/api/v1/public/blank", "", "", 200, "<html"},
    {"no link", HTTP_GET, "/api/v1/public/form", "", "", 404, "not whole"},
    {"one that is not there", HTTP_GET, "/api/v1/public/form",
     "00000-00000-00000-00000", "", 404, "expired"},
    {"one that never was", HTTP_GET, "/api/v1/public/form", "../../etc/passwd",
     "", 404, "expired"},
    {"one for a draft", HTTP_POST, "/api/v1/public/draft", "hello", "{}", 404,
     "expired"},
    {"nothing of operations", HTTP_GET, "/api/v1/registry/lines", "", "", 404,
     "no such"},
    {"nor its log-in", HTTP_POST, "/api/v1/login", "", "{}", 404, "no such"},
    {"a path that goes on", HTTP_GET, "/api/v1/public/about/x", "", "", 404,
     "no such"},
    {"another method", HTTP_GET, "/api/v1/public/submit", "", "", 405,
     "no such"},
    {"no form", HTTP_POST, "/api/v1/public/draft", "", "[1", 400, "form:"},
    {"a key that no form has", HTTP_POST, "/api/v1/public/draft", "",
     "{\"role\":\"admin\"}", 400, "role"},
    {"two forms", HTTP_POST, "/api/v1/public/draft", "", "[{},{}]", 400,
     "One form"},
    {"a control character", HTTP_POST, "/api/v1/public/draft", "",
     "{\"notes\":\"\\u0007\"}", 400, "notes"},
    {"what is missing", HTTP_POST, "/api/v1/public/submit", "",
     "{\"lines\":[{\"port\":\"x\"}]}", 200, "\"line\":1"},
    {"to print", HTTP_POST, "/api/v1/public/print", "",
     "{\"site.name\":\"<i>\",\"lines\":[]}", 200, "&lt;i&gt;"},
};
/* clang-format on */

static void
answers(void **state)
{
    struct bench b;

    (void)state;
    begin_as(&b, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *said =
            ask(&b, rows[i].method, rows[i].path, rows[i].secret, rows[i].body);

        if (b.out.status != rows[i].status || strstr(said, rows[i].has) == NULL)
            fail_msg("%s: %u %s", rows[i].why, b.out.status, said);
    }
    assert_int_equal(b.n_given, 0);
    finish(&b);
}

static void
draft_is_kept(void **state)
{
    char first[DRAFTS_SECRET], again[DRAFTS_SECRET];
    struct bench b;

    (void)state;
    begin_as(&b, false);
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/draft", "",
                  "{\"form\":\"2026-1\",\"site.name\":\"A \\\"B\\\"\","
                  "\"lines\":[{\"address\":\"not yet\"}]}"),
              first);
    assert_int_equal(b.out.status, 200);
    assert_non_null(
        strstr(ask(&b, HTTP_GET, "/api/v1/public/form", first, ""),
               "\"values\":{\"site.name\":\"A \\\"B\\\"\",\"lines\":["
               "{\"address\":\"not yet\"}]},\"state\":null"));
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/draft", first,
                  "{\"site.name\":\"C\"}"),
              again);
    assert_string_equal(first, again);
    assert_non_null(strstr(ask(&b, HTTP_GET, "/api/v1/public/form", again, ""),
                           "\"site.name\":\"C\""));
    b.now = NOW + 30 * DRAFTS_DAY;
    (void)ask(&b, HTTP_GET, "/api/v1/public/form", first, "");
    assert_int_equal(b.out.status, 404);
    assert_int_equal(drafts_sweep(b.dir.path, b.now), 0);
    finish(&b);
}

static void
submits(void **state)
{
    char text[4096], secret[DRAFTS_SECRET];
    const char *said;
    struct bench b;

    (void)state;
    begin_as(&b, false);
    whole(text, sizeof(text), ",\"line\":9", ",\"form\":\"2026-1\"");
    said = ask(&b, HTTP_POST, "/api/v1/public/submit", "", text);
    assert_non_null(strstr(said, "\"submitted\":true"));
    assert_non_null(strstr(said, "\"form\":\"2026-7\""));
    secret_of(said, secret);
    buf_putc(&b.given, 0);
    assert_null(strstr((const char *)b.given.p, "2026-1\""));
    assert_null(strstr((const char *)b.given.p, "line: 9"));
    /* that form again, whatever it says it is */
    (void)ask(&b, HTTP_POST, "/api/v1/public/submit", secret, text);
    buf_putc(&b.given, 0);
    assert_non_null(strstr((const char *)b.given.p, "form: \"2026-7\""));
    finish(&b);
}

/* ?lines=... of a form under a link. */
static const char *
withdraw(struct bench *b, const char *secret, const char *lines)
{
    struct http_request r =
        request(HTTP_POST, "/api/v1/public/withdraw", secret, "{}");

    r.query[r.n_query++] =
        (struct http_pair){SPAN_LIT("lines"), span_str(lines)};
    return answer(b, &r);
}

static void
withdraws(void **state)
{
    char text[4096], secret[DRAFTS_SECRET];
    struct bench b;

    (void)state;
    begin_as(&b, false);
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/draft", "", "{}"), secret);
    (void)withdraw(&b, secret, "1");
    assert_int_equal(b.out.status, 409); /* nothing was submitted */
    whole(text, sizeof(text), "", "");
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/submit", secret, text),
              secret);
    (void)withdraw(&b, "", "1");
    assert_int_equal(b.out.status, 404);
    (void)withdraw(&b, "00000-00000-00000-00000", "1");
    assert_int_equal(b.out.status, 404);
    (void)withdraw(&b, secret, "");
    assert_int_equal(b.out.status, 400);
    (void)withdraw(&b, secret, "1 --until");
    assert_int_equal(b.out.status, 400);
    assert_string_equal(b.decided, "");
    (void)withdraw(&b, secret, "1,2");
    assert_int_equal(b.out.status, 200);
    assert_string_equal(b.decided, "2026-7 withdraw 1,2");
    (void)ask(&b, HTTP_POST, "/api/v1/public/discard", secret, "{}");
    assert_int_equal(b.out.status, 409); /* it is a form by now */
    finish(&b);
}

static void
drafts_are_discarded(void **state)
{
    char secret[DRAFTS_SECRET];
    struct bench b;

    (void)state;
    begin_as(&b, false);
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/draft", "", "{}"), secret);
    (void)ask(&b, HTTP_POST, "/api/v1/public/discard", "", "{}");
    assert_int_equal(b.out.status, 404);
    (void)ask(&b, HTTP_POST, "/api/v1/public/discard", secret, "{}");
    assert_int_equal(b.out.status, 200);
    (void)ask(&b, HTTP_GET, "/api/v1/public/form", secret, "");
    assert_int_equal(b.out.status, 404);
    finish(&b);
}

/* The link of a receipt opens no form, the link of a form confirms nothing. */
static void
links_of_mail_are_others(void **state)
{
    char url[] = "https://r.test";
    char form[DRAFTS_SECRET], mail[DRAFTS_SECRET];
    struct config own = {.register_url = url};
    struct bench b;
    struct form f;

    (void)state;
    begin_as(&b, false);
    own.state = b.dir.path;
    form_init(&f);
    (void)snprintf(f.number, sizeof(f.number), "2026-7");
    assert_int_equal(letter_link_mail(&own, &f, NOW, mail), ERR_OK);
    assert_string_equal(mail, ""); /* the form has no address */
    assert_int_equal(
        form_set(&f.text[FORM_SITE_CONTACT_MAIL], SPAN_LIT("a@b.test")),
        ERR_OK);
    assert_int_equal(letter_link_mail(&own, &f, NOW, mail), ERR_OK);
    form_fini(&f);
    secret_of(ask(&b, HTTP_POST, "/api/v1/public/draft", "", "{}"), form);
    static const struct {
        enum http_method method;
        const char *path;
        bool of_mail;
    } others[] = {
        {HTTP_GET,  "/api/v1/public/form",    true },
        {HTTP_POST, "/api/v1/public/draft",   true },
        {HTTP_POST, "/api/v1/public/submit",  true },
        {HTTP_POST, "/api/v1/public/discard", true },
        {HTTP_POST, "/api/v1/public/print",   true },
        {HTTP_GET,  "/api/v1/public/address", false},
        {HTTP_POST, "/api/v1/public/address", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        (void)ask(&b, others[i].method, others[i].path,
                  others[i].of_mail ? mail : form, "{}");
        assert_int_equal(b.out.status, 404);
    }
    /* there is no registry here, so no form that has the address */
    assert_non_null(
        strstr(ask(&b, HTTP_POST, "/api/v1/public/address", mail, "{}"),
               "another contact"));
    b.now = NOW + DRAFT_MAIL_DAYS * DRAFTS_DAY;
    assert_non_null(strstr(
        ask(&b, HTTP_GET, "/api/v1/public/address", mail, ""), "expired"));
    assert_string_equal(b.decided, "");
    finish(&b);
}

static void
questions_are_asked(void **state)
{
    const struct http_pair yes = {SPAN_LIT("confirm"), SPAN_LIT("yes")};
    struct http_request r;
    char text[4096];
    struct bench b;

    (void)state;
    begin_as(&b, false);
    whole(text, sizeof(text), "", ",\"totals.addresses\":\"7\"");
    r = request(HTTP_POST, "/api/v1/public/submit", "", text);
    assert_non_null(strstr(answer(&b, &r), "\"asks\":true"));
    assert_int_equal(b.n_given, 0);
    r.query[r.n_query++] = yes;
    assert_non_null(strstr(answer(&b, &r), "\"submitted\":true"));
    assert_int_equal(b.n_given, 1);
    finish(&b);
}

static void
refusals(void **state)
{
    char text[4096];
    struct bench b;

    (void)state;
    begin_as(&b, false);
    whole(text, sizeof(text), "", "");
    b.code = CLI_EXIT_REFUSED;
    assert_non_null(strstr(
        ask(&b, HTTP_POST, "/api/v1/public/submit", "", text), "said why"));
    assert_int_equal(b.out.status, 409);
    b.code = CLI_EXIT_STORE;
    assert_null(strstr(ask(&b, HTTP_POST, "/api/v1/public/submit", "", text),
                       "/var/lib"));
    assert_int_equal(b.out.status, 503);
    finish(&b);
    begin_as(&b, true);
    (void)ask(&b, HTTP_POST, "/api/v1/public/submit", "", text);
    assert_int_equal(b.out.status, 403);
    finish(&b);
}

static void
other_sites_cannot(void **state)
{
    struct http_request r;
    struct bench b;

    (void)state;
    begin_as(&b, false);
    r = request(HTTP_POST, "/api/v1/public/draft", "", "{}");
    r.origin = SPAN_LIT("http://reg.test");
    (void)answer(&b, &r);
    assert_int_equal(b.out.status, 200);
    r.origin = SPAN_LIT("http://evil.test");
    (void)answer(&b, &r);
    assert_int_equal(b.out.status, 403);
    r.origin = SPAN_NONE;
    r.fetch_site = SPAN_LIT("cross-site");
    (void)answer(&b, &r);
    assert_int_equal(b.out.status, 403);
    r.fetch_site = SPAN_NONE;
    r.content_type = SPAN_LIT("text/plain");
    (void)answer(&b, &r);
    assert_int_equal(b.out.status, 403);
    finish(&b);
}

static void
too_many(void **state)
{
    struct http_request r = request(HTTP_GET, "/api/v1/public/about", "", "");
    char text[4096];
    unsigned n = 0;
    struct bench b;

    (void)state;
    begin_as(&b, false);
    do
        (void)answer(&b, &r);
    while (b.out.status == 200 && ++n < 1000);
    assert_int_equal(b.out.status, 429);
    assert_true(b.out.retry_after_s > 0);
    assert_int_equal(n, SERVE_PUBLIC_BURST + 1);
    b.now += SERVE_PUBLIC_EACH_NS;
    (void)answer(&b, &r);
    assert_int_equal(b.out.status, 200);
    /* of all together, whoever asks */
    whole(text, sizeof(text), "", "");
    r = request(HTTP_POST, "/api/v1/public/submit", "", text);
    b.code = CLI_EXIT_REFUSED;
    n = 0;
    do {
        b.now += SERVE_PUBLIC_EACH_NS;
        (void)answer(&b, &r);
    } while (b.out.status == 409 && ++n < 1000);
    assert_int_equal(b.out.status, 429);
    assert_int_equal(n, SERVE_PUBLIC_KEPT);
    finish(&b);
}

static const struct {
    const char *why, *in, *want; /* NULL: none */
} secrets[] = {
    {"as it is written",    "ABCDE-FGHJK-MNPQR-STVWX",  "ABCDE-FGHJK-MNPQR-STVWX"},
    {"as somebody types",   "abcde fghjkmnpqr stvwx",   "ABCDE-FGHJK-MNPQR-STVWX"},
    {"letters like digits", "OIL00-00000-00000-00000",
     "01100-00000-00000-00000"                                                   },
    {"too short",           "ABCDE-FGHJK-MNPQR-STVW",   NULL                     },
    {"too long",            "ABCDE-FGHJK-MNPQR-STVWXY", NULL                     },
    {"no symbol",           "ABCDE-FGHJK-MNPQR-STVW!",  NULL                     },
    {"U is none",           "ABCDE-FGHJK-MNPQR-STVWU",  NULL                     },
    {"nothing",             "",                         NULL                     },
};

static void
reads_secrets(void **state)
{
    char out[DRAFTS_SECRET], other[DRAFTS_SECRET];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        bool good = drafts_read_secret(span_str(secrets[i].in), out);

        if (good != (secrets[i].want != NULL) ||
            (good && strcmp(out, secrets[i].want) != 0))
            fail_msg("%s: %s", secrets[i].why, good ? out : "none");
    }
    assert_true(drafts_secret(out) && drafts_secret(other));
    assert_string_not_equal(out, other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(draft_is_kept),
        cmocka_unit_test(submits),
        cmocka_unit_test(questions_are_asked),
        cmocka_unit_test(refusals),
        cmocka_unit_test(other_sites_cannot),
        cmocka_unit_test(too_many),
        cmocka_unit_test(reads_secrets),
        cmocka_unit_test(withdraws),
        cmocka_unit_test(drafts_are_discarded),
        cmocka_unit_test(links_of_mail_are_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

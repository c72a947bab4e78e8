#include "sensor/app/abuse_report.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "sensor/app/feed_serve.h"
#include "sensor/app/help.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define XARF_VERSION "4.0.0"
#define TEXT_BYTES   (1U << 20)
#define WIDTH        72U
#define FIELD_BYTES  200U /* of a text of somebody else, in ours */
#define DIGEST       32U

/* ---- pieces ---- */

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

bool
abuse_report_mail(const char *address)
{
    const size_t n = strlen(address);
    const char *at = strchr(address, '@');

    if (at == NULL || at == address || at[1] == '\0' || n > ABUSE_MAIL ||
        address[0] == '-')
        return false;
    for (const char *p = address; *p != '\0'; p++) {
        if (p != at && !is_word(*p) &&
            strchr(p < at ? "._+-=" : ".-", *p) == NULL)
            return false;
    }
    return is_word(at[1]) && is_word(address[n - 1]);
}

static bool
digest(struct span s, uint8_t out[DIGEST])
{
    return EVP_Digest(s.p, s.n, out, NULL, EVP_sha256(), NULL) == 1;
}

static void
put_time(struct buf *out, ns_t when)
{
    char text[NS_TEXT_MAX];
    const size_t n = ns_format(when, text);

    buf_put(out, text, n < 19 ? n : 19);
    buf_putc(out, 'Z');
}

static void
put_host(const struct abuse_report *r, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    buf_put(out, text, addr_format(&r->host, text));
}

/* Of others: printable ASCII, one line, no longer than that. */
static void
put_foreign(struct span s, struct buf *out)
{
    struct buf plain;

    buf_init(&plain, TEXT_BYTES);
    text_plain(&plain, s, FIELD_BYTES);
    for (size_t i = 0; i < plain.n; i++) {
        const uint8_t c = plain.p[i];

        buf_putc(out, c >= ' ' && c < 0x7f ? c : '?');
    }
    buf_free(&plain);
}

/* "masked-1a2b3c4d@example.org"; false: no sender that has a domain. */
static bool
mask_sender(const struct abuse_report *r, struct buf *out)
{
    struct span path = r->sender, domain;
    uint8_t hash[DIGEST];
    size_t at;
    bool good;

    if (span_at(path, 0) == '<')
        path = span_tail(path, 1);
    path = span_head(path, span_find(path, '>'));
    at = span_find(path, '@');
    domain = span_tail(path, at + 1);
    if (!digest(path, hash))
        return false;
    buf_str(out, "masked-");
    text_hex(out, span_of(hash, 4));
    buf_putc(out, '@');
    buf_span(out, domain);
    buf_putc(out, 0);
    good = domain.n > 0 && !out->cut && !out->failed &&
           memchr(out->p, 0, out->n - 1) == NULL &&
           abuse_report_mail((const char *)out->p);
    out->n -= out->n > 0;
    return good;
}

/* The same for the same report, a version 4 UUID by its form (RFC 9562). */
static void
put_uuid(const struct abuse_report *r, struct buf *out)
{
    uint8_t hash[DIGEST] = {0};
    struct buf of, hex;

    buf_init(&of, 256);
    buf_init(&hex, 64);
    buf_span(&of, r->id);
    buf_put(&of, r->host.b, sizeof(r->host.b));
    buf_u64(&of, r->now);
    (void)digest(buf_view(&of), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x40);
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
    text_hex(&hex, span_of(hash, 16));
    for (size_t i = 0; i < hex.n; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            buf_putc(out, '-');
        buf_putc(out, hex.p[i]);
    }
    buf_free(&hex);
    buf_free(&of);
}

/* ---- what was seen, for both ---- */

static void
put_seen(const struct abuse_report *r, struct buf *out)
{
    buf_str(out, "host ");
    put_host(r, out);
    buf_str(out, "\nreference ");
    put_foreign(r->id, out);
    if (r->first != 0) {
        buf_str(out, "\nfirst ");
        put_time(out, r->first);
        buf_str(out, "\nlatest ");
        put_time(out, r->last);
    }
    if (r->count > 0) {
        buf_str(out, "\nmatches ");
        buf_u64(out, r->count);
    }
    if (r->title.n > 0) {
        buf_str(out, "\nrule ");
        put_foreign(r->title, out);
    }
    for (size_t i = 0; i < r->n_checks; i++) {
        buf_str(out, "\n");
        put_foreign(r->checks[i].name, out);
        buf_str(out, ": ");
        put_foreign(r->checks[i].observed, out);
        if (r->checks[i].limit.n == 0)
            continue;
        buf_str(out, " (limit: ");
        put_foreign(r->checks[i].limit, out);
        buf_putc(out, ')');
    }
    buf_putc(out, '\n');
}

/* ---- XARF ---- */

static void
put_string(struct json_out *j, const char *key, struct span v)
{
    json_key(j, key);
    json_str(j, v);
}

static void
put_contact(struct json_out *j, const char *key, const struct abuse_report *r)
{
    const char *at = strchr(r->contact, '@');

    json_key(j, key);
    json_begin(j, '{');
    put_string(j, "org", span_head(span_str(r->org), FIELD_BYTES));
    put_string(j, "contact", span_str(r->contact));
    put_string(j, "domain", span_str(at != NULL ? at + 1 : ""));
    json_end(j, '}');
}

static void
put_evidence(struct json_out *j, const struct abuse_report *r)
{
    struct buf seen, coded, hash;
    uint8_t sum[DIGEST] = {0};

    buf_init(&seen, TEXT_BYTES);
    buf_init(&coded, 2 * TEXT_BYTES);
    buf_init(&hash, 128);
    put_seen(r, &seen);
    text_base64(&coded, buf_view(&seen));
    (void)digest(buf_view(&seen), sum);
    buf_str(&hash, "sha256:");
    text_hex(&hash, span_of(sum, DIGEST));
    json_key(j, "evidence");
    json_begin(j, '[');
    json_begin(j, '{');
    put_string(j, "content_type", SPAN_LIT("text/plain"));
    put_string(j, "description",
               SPAN_LIT("statistics of its connections to mail servers; no "
                        "content was kept"));
    put_string(j, "payload", buf_view(&coded));
    put_string(j, "hash", buf_view(&hash));
    json_key(j, "size");
    json_u64(j, seen.n);
    json_end(j, '}');
    json_end(j, ']');
    buf_free(&hash);
    buf_free(&coded);
    buf_free(&seen);
}

static void
put_protocol(struct json_out *j, const struct abuse_report *r)
{
    struct buf sender;
    const bool known = r->source_port != 0;

    buf_init(&sender, ABUSE_MAIL + 64);
    if (mask_sender(r, &sender) && known) {
        put_string(j, "protocol", SPAN_LIT("smtp"));
        put_string(j, "smtp_from", buf_view(&sender));
    } else {
        put_string(j, "protocol", SPAN_LIT("other"));
    }
    if (known) {
        json_key(j, "source_port");
        json_u64(j, r->source_port);
    }
    buf_free(&sender);
}

static void
put_made(struct json_out *j, const char *key,
         void (*put)(const struct abuse_report *, struct buf *),
         const struct abuse_report *r)
{
    struct buf text;

    buf_init(&text, 1024);
    put(r, &text);
    put_string(j, key, buf_view(&text));
    buf_free(&text);
}

static void
put_when(const struct abuse_report *r, struct buf *out)
{
    put_time(out, r->last != 0 ? r->last : r->now);
}

static void
put_description(const struct abuse_report *r, struct buf *out)
{
    buf_str(out, "This host behaves like one that sends mail in bulk to people "
                 "who did not ask for it. A human has confirmed it: ");
    put_foreign(r->why, out);
    buf_str(out, ". Reference ");
    put_foreign(r->id, out);
}

void
abuse_report_xarf(const struct abuse_report *r, struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    put_string(&j, "xarf_version", SPAN_LIT(XARF_VERSION));
    put_made(&j, "report_id", put_uuid, r);
    put_made(&j, "timestamp", put_when, r);
    put_contact(&j, "reporter", r);
    put_contact(&j, "sender", r);
    put_made(&j, "source_identifier", put_host, r);
    put_string(&j, "category", SPAN_LIT("messaging"));
    put_string(&j, "type", SPAN_LIT("spam"));
    put_string(&j, "evidence_source", SPAN_LIT("traffic_analysis"));
    put_protocol(&j, r);
    put_made(&j, "description", put_description, r);
    put_evidence(&j, r);
    json_end(&j, '}');
    buf_putc(out, '\n');
}

/* ---- the letter ---- */

static void
put_date(ns_t when, struct buf *out)
{
    struct buf date;

    buf_init(&date, 64);
    feed_serve_date(when, &date); /* as RFC 9110 has it, but for the zone */
    buf_span(out, span_head(buf_view(&date), date.n > 3 ? date.n - 3 : 0));
    buf_str(out, "+0000");
    buf_free(&date);
}

static void
put_head(const struct abuse_report *r, struct buf *out)
{
    buf_str(out, "Date: ");
    put_date(r->now, out);
    buf_printf(out, "\nFrom: %s\nTo: %s\nSubject: [", r->contact,
               r->to != NULL ? r->to : "owner-not-known:;");
    put_foreign(span_head(r->id, 16), out);
    buf_str(out, "] Please look at ");
    put_host(r, out);
    buf_str(out, ": unusual outgoing mail\nMessage-ID: <");
    put_uuid(r, out);
    buf_printf(out, "@%s>\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n",
               strchr(r->contact, '@') + 1);
}

static void
put_paragraph(struct buf *text, struct buf *out)
{
    help_wrap(out, buf_view(text), 0, 0, WIDTH);
    buf_putc(out, '\n');
    buf_reset(text);
}

static void
put_asked(const struct abuse_report *r, struct buf *text, struct buf *out)
{
    buf_str(text, "What we ask of you: find the machine or account behind this "
                  "address, stop what it sends, and tell us what it was. If it "
                  "is a mail server that should do this, register it, and tell "
                  "us: we were wrong then.");
    put_paragraph(text, out);
    if (r->stopped_until != 0) {
        buf_str(text, "Port 25 is closed for this address until ");
        put_time(text, r->stopped_until);
        buf_str(text, "; mail programs that use port 587 or 465 are not "
                      "affected. It is opened earlier when you tell us that "
                      "it is put right.");
        put_paragraph(text, out);
    }
    buf_str(text, "Whom to ask: ");
    put_foreign(span_str(r->support != NULL ? r->support : r->contact), text);
    buf_str(text, "; quote ");
    put_foreign(r->id, text);
    buf_putc(text, '.');
    put_paragraph(text, out);
    buf_str(text, "How we know: connections to mail ports are watched at the "
                  "border of the network. No content of mail is kept, and no "
                  "recipient is named here.");
    put_paragraph(text, out);
    put_foreign(span_str(r->org), out);
    buf_putc(out, '\n');
}

static void
put_letter(const struct abuse_report *r, struct buf *out)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    buf_str(&text, "The address ");
    put_host(r, &text);
    buf_str(&text, " behaves like a host that sends mail to many people who "
                   "did not ask for it. Somebody of ours has looked at it (");
    put_foreign(r->why, &text);
    buf_str(&text, "). It may have been taken over without its users knowing.");
    put_paragraph(&text, out);
    buf_str(out, "What we saw, times in UTC:\n\n");
    put_seen(r, out);
    buf_putc(out, '\n');
    put_asked(r, &text, out);
    buf_free(&text);
}

void
abuse_report_letter(const struct abuse_report *r, struct buf *out)
{
    put_head(r, out);
    buf_str(out, "Content-Type: text/plain; charset=us-ascii\n\n");
    put_letter(r, out);
}

void
abuse_report_mail_xarf(const struct abuse_report *r, struct buf *out)
{
    struct buf json, coded, mark;

    buf_init(&json, 4 * TEXT_BYTES);
    buf_init(&coded, 8 * TEXT_BYTES);
    buf_init(&mark, 64);
    put_uuid(r, &mark);
    buf_putc(&mark, 0);
    abuse_report_xarf(r, &json);
    text_base64(&coded, buf_view(&json));
    put_head(r, out);
    buf_printf(out,
               "Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n"
               "Content-Type: text/plain; charset=us-ascii\n\n",
               (const char *)mark.p, (const char *)mark.p);
    put_letter(r, out);
    buf_printf(out,
               "\n--%s\nContent-Type: application/json\nContent-Disposition: "
               "attachment; filename=\"xarf.json\"\n"
               "Content-Transfer-Encoding: base64\n\n",
               (const char *)mark.p);
    for (struct span rest = buf_view(&coded); rest.n > 0;
         rest = span_tail(rest, 76)) {
        buf_span(out, span_head(rest, 76));
        buf_putc(out, '\n');
    }
    buf_printf(out, "--%s--\n", (const char *)mark.p);
    buf_free(&mark);
    buf_free(&coded);
    buf_free(&json);
}

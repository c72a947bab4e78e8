#include "dissectors/header.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MESSAGES "../shared/messages"

/* What the SMTP dissector does: lines out of chunks cut anywhere. */
struct feed {
    struct charset charset;
    struct header h;
    struct buf line;
    bool done;
    enum header_more last;
};

static void
feed_open(struct feed *f)
{
    *f = (struct feed){.last = HEADER_MORE};
    charset_init(&f->charset);
    header_init(&f->h, &f->charset);
    buf_init(&f->line, 1U << 20);
}

static void
feed_line(struct feed *f)
{
    struct span line = buf_view(&f->line);
    size_t wire = line.n + 1;

    if (f->done)
        return;
    if (span_at(line, line.n - 1) == '\r')
        line.n--;
    f->last = header_line(&f->h, line, wire, false);
    f->done = f->last != HEADER_MORE;
    buf_reset(&f->line);
}

static void
feed_data(struct feed *f, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n')
            feed_line(f);
        else
            buf_putc(&f->line, s.p[i]);
    }
}

/* The record's entries, a line each: "path=value". */
static void
feed_close(struct feed *f, struct buf *out)
{
    struct record_head head = {.type = EVENT_SMTP};
    struct record_out r;
    struct record_entry e;
    struct cursor c;

    if (!f->done && f->line.n > 0)
        (void)header_line(&f->h, buf_view(&f->line), f->line.n, false);
    header_end(&f->h);
    charset_fini(&f->charset);
    record_init(&r);
    record_begin(&r, &head);
    header_emit(&f->h, &r);
    assert_true(record_check(record_view(&r)));
    c = record_entries_of(record_view(&r));
    while (record_next(&c, &e)) {
        buf_str(out, field_table[e.field].path + strlen("email."));
        buf_putc(out, '=');
        if (field_table[e.field].type == FT_U64)
            buf_u64(out, entry_u64(e.value));
        else
            buf_span(out, e.value);
        buf_putc(out, '\n');
    }
    record_free(&r);
    header_free(&f->h);
    buf_free(&f->line);
}

#define ALL      "From: a@b\r\nDate: d\r\nMessage-ID: <i>\r\n"
#define ALL_OUT  "from=a@b\n"
#define ALL_TAIL "date=d\nmessage_id=<i>\n"

static const struct {
    const char *why, *in, *want;
} sections[] = {
    {"nothing",                            "",                                                  ""},
    {"empty section",                      "\r\nSubject: no\r\n",
     "fields=0\nheader_bytes=0\nanomalies=no_from\nanomalies=no_date\n"
     "anomalies=no_message_id\n"                                                                  },
    {"body at once",                       "hello\r\n",
     "fields=0\nheader_bytes=0\nanomalies=no_from\nanomalies=no_date\n"
     "anomalies=no_message_id\nanomalies=no_end\n"                                                },
    {"all is well",                        ALL "\r\nSubject: body\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=37\n"                                               },
    {"LF alone",                           "From: a@b\nDate: d\nMessage-ID: <i>\n\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=34\n"                                               },
    {"ends within",                        ALL "Subject: s\r\n",
     ALL_OUT "subject=s\n" ALL_TAIL "fields=4\nheader_bytes=49\n"
             "anomalies=no_end\n"                                                                 },
    {"names in any case",                  ALL "sUBJECT: s\r\n\r\n",
     ALL_OUT "subject=s\n" ALL_TAIL "fields=4\nheader_bytes=49\n"                                 },
    {"names that are near",                ALL "Subjekt: s\r\nXo: s\r\nSubject-: x\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=6\nheader_bytes=69\n"                                               },
    {"unfolded, blanks kept",              ALL "Subject:  a\r\n  b\r\n\tc \r\n\r\n",
     ALL_OUT "subject=a  b\tc\n" ALL_TAIL "fields=4\nheader_bytes=60\n"                           },
    {"fold before the value",              ALL "Subject:\r\n s\r\n\r\n",
     ALL_OUT "subject=s\n" ALL_TAIL "fields=4\nheader_bytes=51\n"                                 },
    {"fold of blanks alone",               ALL "Subject: s\r\n \r\n t\r\n\r\n",
     ALL_OUT "subject=s  t\n" ALL_TAIL "fields=4\nheader_bytes=56\n"                              },
    {"empty value",                        ALL "Subject:\r\nTo:\r\n\r\n",
     ALL_OUT "subject=\n" ALL_TAIL "fields=5\nheader_bytes=52\n"                                  },
    {"blanks before the colon",            ALL "Subject \t: s\r\n\r\n",
     ALL_OUT "subject=s\n" ALL_TAIL "fields=4\nheader_bytes=51\n"
             "anomalies=space_before_colon\n"                                                     },
    {"blank in the name",                  ALL "Dear Sir: s\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=37\nanomalies=no_end\n"                             },
    {"no name",                            ALL ": s\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=37\nanomalies=no_end\n"                             },
    {"mailbox file",                       "From a@b Thu Jan  1\r\n" ALL "\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=58\nanomalies=mbox_from\n"                          },
    {"mailbox line not first",             ALL "From a@b Thu Jan  1\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=37\nanomalies=no_end\n"                             },
    {"fold without a field",               " x\r\n" ALL "\r\n",
     ALL_OUT ALL_TAIL "fields=3\nheader_bytes=41\nanomalies=orphan_fold\n"                        },
    {"scanners sign",                      ALL "X-Virus-Scanned: ok\r\nx-antivirus:\r\n\r\n",
     ALL_OUT ALL_TAIL "scanner=x-virus-scanned\nscanner=x-antivirus\n"
                      "fields=5\nheader_bytes=72\n"                                               },
    {"twice is told once",                 ALL "X-ClamAV: 1\r\nX-ClamAV: 2\r\n\r\n",
     ALL_OUT ALL_TAIL "scanner=x-clamav\nfields=5\nheader_bytes=63\n"                             },
    {"names that are near a scanner's",
     ALL "X-Virus-Scanne: ok\r\nX-ClamAVs: 2\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=5\nheader_bytes=71\n"                                               },
    {"a list",                             ALL "List-Id: <a.b>\r\nPrecedence: Bulk \r\n\r\n",
     ALL_OUT ALL_TAIL
     "bulk=list-id\nbulk=precedence\nfields=5\nheader_bytes=72\n"                                 },
    {"an important one is no list",
     ALL "Precedence: first\r\nPrecedence:\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=5\nheader_bytes=69\n"                                               },
    {"part of a word is no word",
     ALL "Precedence: bul\r\nPrecedence: bulks\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=5\nheader_bytes=73\n"                                               },
    {"twice",                              ALL "From: c@d\r\nSubject: s\r\nSubject: t\r\n\r\n",
     ALL_OUT "subject=s\n" ALL_TAIL "fields=6\nheader_bytes=72\n"
             "anomalies=duplicate_from\nanomalies=duplicate_subject\n"                            },
    {"To twice: all kept",                 ALL "To: A <a@b>, c@d\r\nTo: e@f\r\n\r\n",
     ALL_OUT "to=A <a@b>\nto=c@d\nto=e@f\n" ALL_TAIL
             "fields=5\nheader_bytes=64\nanomalies=duplicate_to\n"                                },
    {"order of the table, not of arrival",
     "Received: x\r\nCc: g: ;\r\n" ALL "Received: y;\r\n\tz\r\n\r\n",
     ALL_OUT "cc=g: ;\n" ALL_TAIL "received=x\nreceived=y;\tz\nfields=6\n"
             "header_bytes=78\n"                                                                  },
    {"decoded",
     "From: =?ISO-8859-1?Q?J=F6rn?= <a@b>\r\nDate: d\r\nMessage-ID: <i>\r\n"
     "Subject: =?utf-8?B?dMOp?=\r\n =?utf-8?B?c3Q=?=\r\n\r\n",                                  "from=J\xc3\xb6rn <a@b>\nsubject=t\xc3\xa9st\n" ALL_TAIL
     "fields=4\nheader_bytes=109\n" },
    {"8 bit",                              ALL "Subject: \xc3\xa9 \xe9\r\n\r\n",
     ALL_OUT "subject=\xc3\xa9 \xe9\n" ALL_TAIL
             "fields=4\nheader_bytes=52\nanomalies=raw_8bit\n"                                    },
    {"bare CR",                            ALL "X: a\rSubject: b\r\n\r\n",
     ALL_OUT ALL_TAIL "fields=4\nheader_bytes=54\nanomalies=bare_cr\n"                            },
    {"unknown charset",                    ALL "Subject: =?x-no?q?a?=\r\n\r\n",
     ALL_OUT "subject=a\n" ALL_TAIL "fields=4\nheader_bytes=60\n"
             "anomalies=unknown_charset\n"                                                        },
    {"broken word",                        ALL "Subject: =?utf-8?q?a b?=\r\n\r\n",
     ALL_OUT "subject=a b\n" ALL_TAIL "fields=4\nheader_bytes=63\n"
             "anomalies=bad_encoded_word\n"                                                       },
    {"address never closed",               ALL "To: \"a <b@c>\r\n\r\n",
     ALL_OUT "to=\"a <b@c>\n" ALL_TAIL "fields=4\nheader_bytes=51\n"
             "anomalies=bad_address\n"                                                            },
    {"type",                               ALL "Content-Type: Text/HTML; charset=x\r\n\r\n",
     ALL_OUT ALL_TAIL "content_type=text/html\nfields=4\nheader_bytes=73\n"                       },
    {"type with comments",                 ALL "Content-Type: (a) Text (b/) / x(c;)\r\n\r\n",
     ALL_OUT ALL_TAIL "content_type=text/x\nfields=4\nheader_bytes=74\n"                          },
    {"type without subtype",               ALL "Content-Type: text\r\n\r\n",
     ALL_OUT ALL_TAIL "content_type=text\nfields=4\nheader_bytes=57\n"
                      "anomalies=bad_content_type\n"                                              },
    {"type without semicolon",             ALL "Content-Type: a/b charset=x\r\n\r\n",
     ALL_OUT ALL_TAIL "content_type=a/b\nfields=4\nheader_bytes=66\n"
                      "anomalies=bad_content_type\n"                                              },
    {"the rest",
     "Sender: s@t\r\nReply-To: r@t\r\nX-Mailer: m\r\nUser-Agent: u\r\n"
     "X-Originating-IP: [192.0.2.1]\r\n" ALL "\r\n",
     "from=a@b\nsender=s@t\nreply_to=r@t\ndate=d\nmessage_id=<i>\nx_mailer=m\n"
     "user_agent=u\nx_originating_ip=[192.0.2.1]\nfields=8\n"
     "header_bytes=124\n"                                                                         },
};

static void
test_sections(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        struct buf got;
        struct feed f;

        buf_init(&got, 1U << 16);
        feed_open(&f);
        feed_data(&f, span_str(sections[i].in));
        feed_close(&f, &got);
        if (!span_eq(buf_view(&got), span_str(sections[i].want)))
            fail_msg("%s:\n%.*s", sections[i].why, (int)got.n,
                     (const char *)got.p);
        buf_free(&got);
    }
}

static void
test_any_cut_same_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        struct span all = span_str(sections[i].in);

        for (size_t cut = 0; cut <= all.n; cut++) {
            struct buf got;
            struct feed f;

            buf_init(&got, 1U << 16);
            feed_open(&f);
            feed_data(&f, span_head(all, cut));
            feed_data(&f, span_tail(all, cut));
            feed_close(&f, &got);
            if (!span_eq(buf_view(&got), span_str(sections[i].want)))
                fail_msg("%s, cut at %zu", sections[i].why, cut);
            buf_free(&got);
        }
    }
}

static enum header_more
put(struct header *h, const char *line)
{
    return header_line(h, span_str(line), strlen(line) + 2, false);
}

static void
test_answers(void **state)
{
    struct charset cs;
    struct header h;

    (void)state;
    charset_init(&cs);
    header_init(&h, &cs);
    assert_null(h.entries.p);
    assert_int_equal(put(&h, "X-Other: 1"), HEADER_MORE);
    assert_null(h.value.p);
    assert_int_equal(put(&h, "Subject: 1"), HEADER_MORE);
    assert_int_equal(put(&h, ""), HEADER_DONE);
    assert_int_equal(put(&h, "Subject: 2"), HEADER_DONE_NOT_CONSUMED);
    header_end(&h);
    assert_int_equal(h.n_fields, 2);
    assert_false(header_is_odd(&h, HEADER_ODD_NO_END));
    header_free(&h);
    header_free(&h);
    header_free(NULL);
    header_init(&h, &cs);
    assert_int_equal(put(&h, "Subject: 1"), HEADER_MORE);
    assert_int_equal(put(&h, "Hello"), HEADER_DONE_NOT_CONSUMED);
    assert_true(header_is_odd(&h, HEADER_ODD_NO_END));
    header_free(&h);
    charset_fini(&cs);
}

/* What was not seen is not missing. */
static void
test_gap(void **state)
{
    struct buf got;
    struct feed f;

    (void)state;
    buf_init(&got, 1U << 16);
    feed_open(&f);
    feed_data(&f, SPAN_LIT("Subject: on\r\n e"));
    buf_reset(&f.line);
    header_gap(&f.h);
    feed_data(&f, SPAN_LIT(" fold of another\r\nSubject: two\r\nTo: a@b\r\nHi"
                           "\r\nFrom: x@y\r\n"));
    assert_int_equal(f.last, HEADER_DONE_NOT_CONSUMED);
    feed_close(&f, &got);
    if (!span_eq(buf_view(&got),
                 SPAN_LIT("to=a@b\nsubject=on\nfields=3\nheader_bytes=54\n"
                          "anomalies=header_gap\nanomalies=field_cut\n")))
        fail_msg("%.*s", (int)got.n, (const char *)got.p);
    buf_free(&got);
}

/* ---- limits ---- */

static size_t
count_of(const struct header *h, enum field f, size_t *bytes)
{
    struct cursor c = cur_open(buf_view(&h->entries));
    struct record_entry e;
    size_t n = 0;

    *bytes = 0;
    while (record_next(&c, &e)) {
        n += e.field == f;
        *bytes += e.field == f ? e.value.n : 0;
    }
    return n;
}

/* One field with n bytes of value; gives the bytes kept. */
static size_t
one_value(const char *name, size_t n, struct header *h, struct charset *cs)
{
    struct buf line;
    size_t bytes;

    buf_init(&line, 1U << 20);
    buf_str(&line, name);
    for (size_t i = 0; i < n; i++)
        buf_putc(&line, 'x');
    header_init(h, cs);
    (void)header_line(h, buf_view(&line), line.n + 2, false);
    (void)put(h, "");
    (void)count_of(h, FIELD_EMAIL_SUBJECT, &bytes);
    buf_free(&line);
    return bytes;
}

static void
test_value_limit(void **state)
{
    const size_t share = 12288 - 4;
    struct charset cs;
    struct header h;

    (void)state;
    charset_init(&cs);
    for (size_t n = share - 1; n <= share + 1; n++) {
        size_t kept = one_value("Subject:", n, &h, &cs);

        assert_int_equal(kept, n < share ? n : share);
        assert_int_equal(header_is_odd(&h, HEADER_ODD_FIELD_CUT), n > share);
        header_free(&h);
    }
    charset_fini(&cs);
}

/* A value cut by its limit is not cut within a character. */
static void
test_cut_character(void **state)
{
    struct charset cs;
    struct header h;
    struct buf line;
    size_t bytes;

    (void)state;
    charset_init(&cs);
    for (size_t lead = 0; lead < 4; lead++) {
        buf_init(&line, 1U << 20);
        buf_str(&line, "Subject:");
        for (size_t i = 0; i < lead; i++)
            buf_putc(&line, 'x');
        while (line.n < 13000)
            buf_str(&line, "\xe2\x82\xac");
        header_init(&h, &cs);
        (void)header_line(&h, buf_view(&line), line.n + 2, false);
        header_end(&h);
        (void)count_of(&h, FIELD_EMAIL_SUBJECT, &bytes);
        assert_int_equal(bytes, lead + (12284 - lead) / 3 * 3);
        assert_false(header_is_odd(&h, HEADER_ODD_RAW_8BIT));
        header_free(&h);
        buf_free(&line);
    }
    charset_fini(&cs);
}

static void
test_count_limits(void **state)
{
    static const struct {
        const char *line;
        size_t max;
        enum field field;
        enum header_odd odd;
    } rows[] = {
        {"Received: by x", HEADER_MAX_received,  FIELD_EMAIL_RECEIVED,
         HEADER_ODD_TOO_MANY_RECEIVED },
        {"To: a@b",        HEADER_MAX_mailboxes, FIELD_EMAIL_TO,
         HEADER_ODD_TOO_MANY_MAILBOXES},
        {"Cc: a@b",        HEADER_MAX_mailboxes, FIELD_EMAIL_CC,
         HEADER_ODD_TOO_MANY_MAILBOXES},
    };
    struct charset cs;

    (void)state;
    charset_init(&cs);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t n = rows[i].max - 1; n <= rows[i].max + 1; n++) {
            struct header h;
            size_t bytes;

            header_init(&h, &cs);
            for (size_t k = 0; k < n; k++)
                (void)put(&h, rows[i].line);
            (void)put(&h, "");
            assert_int_equal(count_of(&h, rows[i].field, &bytes),
                             n < rows[i].max ? n : rows[i].max);
            assert_int_equal(header_is_odd(&h, rows[i].odd), n > rows[i].max);
            header_free(&h);
        }
    }
    charset_fini(&cs);
}

static void
test_fields_limit(void **state)
{
    struct charset cs;

    (void)state;
    charset_init(&cs);
    for (size_t n = HEADER_MAX_fields - 1; n <= HEADER_MAX_fields + 1; n++) {
        struct header h;
        size_t bytes;

        header_init(&h, &cs);
        for (size_t k = 1; k < n; k++)
            (void)put(&h, "X: y");
        (void)put(&h, "Subject: s");
        (void)put(&h, "");
        assert_int_equal(h.n_fields, n);
        assert_int_equal(count_of(&h, FIELD_EMAIL_SUBJECT, &bytes),
                         n <= HEADER_MAX_fields);
        assert_int_equal(header_is_odd(&h, HEADER_ODD_TOO_MANY_FIELDS),
                         n > HEADER_MAX_fields);
        header_free(&h);
    }
    charset_fini(&cs);
}

/* No field crowds out another, and the total holds. */
static void
test_total_limit(void **state)
{
    static const char *const names[] = {"Received:",
                                        "To: \"",
                                        "Cc: ",
                                        "From:",
                                        "Sender:",
                                        "Reply-To:",
                                        "Date:",
                                        "Message-ID:",
                                        "X-Mailer:",
                                        "User-Agent:",
                                        "X-Originating-IP:",
                                        "Content-Type:",
                                        "Subject:"};
    struct charset cs;
    struct header h;
    struct buf line;
    size_t bytes;

    (void)state;
    charset_init(&cs);
    header_init(&h, &cs);
    buf_init(&line, 1U << 20);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        buf_reset(&line);
        buf_str(&line, names[i]);
        while (line.n < 40000)
            buf_putc(&line, 'x');
        for (size_t k = 0; k < 3; k++)
            (void)header_line(&h, buf_view(&line), line.n + 2, false);
    }
    header_end(&h);
    assert_true(h.entries.n <= HEADER_MAX_total);
    assert_int_equal(count_of(&h, FIELD_EMAIL_SUBJECT, &bytes), 1);
    assert_true(bytes > 12000);
    assert_true(header_is_odd(&h, HEADER_ODD_FIELD_CUT));
    header_free(&h);
    buf_free(&line);
    charset_fini(&cs);
}

/* ---- messages of other mail software ---- */

static size_t n_files;

static bool
read_file(const char *path, struct buf *out)
{
    static uint8_t room[1U << 16];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL)
        return false;
    while ((n = fread(room, 1, sizeof(room), f)) > 0)
        buf_put(out, room, n);
    (void)fclose(f);
    return true;
}

static int
read_message(const char *path, const struct stat *st, int type,
             struct FTW *where)
{
    struct buf bytes;
    struct buf got;
    struct feed f;

    (void)st;
    (void)where;
    if (type != FTW_F)
        return 0;
    buf_init(&bytes, 1U << 24);
    buf_init(&got, 1U << 24);
    feed_open(&f);
    if (read_file(path, &bytes))
        n_files++;
    feed_data(&f, buf_view(&bytes));
    feed_close(&f, &got);
    buf_free(&got);
    buf_free(&bytes);
    return 0;
}

static void
test_all_messages(void **state)
{
    (void)state;
    n_files = 0;
    if (nftw(MESSAGES, read_message, 16, FTW_PHYS) != 0 || n_files == 0) {
        print_message("skipped: no %s\n", MESSAGES);
        skip();
    }
    print_message("%zu files\n", n_files);
}

/* The next field of a CSV file (RFC 4180), unquoted; *eol when a row ends. */
static bool
csv_next(struct cursor *c, struct buf *out, bool *eol)
{
    bool quoted = false;

    buf_reset(out);
    *eol = false;
    if (cur_left(c) == 0)
        return false;
    while (cur_left(c) > 0) {
        uint8_t b = cur_u8(c);

        if (b == '"') {
            if (quoted && span_at(c->in, c->at) == '"')
                buf_putc(out, cur_u8(c));
            else
                quoted = !quoted;
        } else if (!quoted && (b == ',' || b == '\n')) {
            *eol = b == '\n';
            break;
        } else if (quoted || b != '\r') {
            buf_putc(out, b);
        }
    }
    return true;
}

/* Blanks of any number and kind are one; none at the ends. */
static void
put_plain(struct buf *out, struct span s)
{
    bool gap = false;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ') {
            gap = true;
            continue;
        }
        if (gap && out->n > 0)
            buf_putc(out, ' ');
        gap = false;
        buf_putc(out, s.p[i]);
    }
}

/* The manifest says what Python's parser reads. Not compared: what it left
 * encoded, or lost because it reads 8-bit headers as ASCII; and these. */
static const struct {
    const char *why, *file;
} other_readings[] = {
    {"manifest cut it short",                 "flanker/long-header.eml"                 },
    {"Python puts a space between two words",
     "james-mime4j/mimetools-testmsgs_intl.msg.eml"                                     },
    {"Python drops the space after a word",   "mailparser/nodemailer.eml"               },
    {"Python puts spaces inside the quotes",
     "mail/error_emails_invalid_subject_characters.eml"                                 },
    {"the same",                              "mail/plain_emails_raw_email_bad_time.eml"},
    {"the same",                              "rspamd/bad_message.eml"                  },
};

static bool
comparable(struct span file, struct span want)
{
    for (size_t i = 0; i < ARRAY_LEN(other_readings); i++) {
        if (span_eq(file, span_str(other_readings[i].file)))
            return false;
    }
    return want.n > 0 && span_search(want, SPAN_LIT("=?")) == want.n &&
           span_search(want, SPAN_LIT("\xef\xbf\xbd")) == want.n &&
           span_search(want, SPAN_LIT("\\ufffd")) == want.n;
}

/* The value of path in what feed_close wrote. */
static struct span
value_of(struct span got, const char *path)
{
    while (got.n > 0) {
        struct span line = span_head(got, span_find(got, '\n'));

        if (span_starts(line, span_str(path)))
            return span_tail(line, strlen(path));
        got = span_tail(got, line.n + 1);
    }
    return SPAN_NONE;
}

static bool
reads_as(struct span file, const char *path, struct span want)
{
    char name[512];
    struct buf bytes;
    struct buf got;
    struct buf plain[2];
    struct feed f;
    bool same;

    (void)snprintf(name, sizeof(name), MESSAGES "/%.*s", (int)file.n,
                   (const char *)file.p);
    buf_init(&bytes, 1U << 24);
    buf_init(&got, 1U << 24);
    buf_init(&plain[0], 1U << 16);
    buf_init(&plain[1], 1U << 16);
    feed_open(&f);
    assert_true(read_file(name, &bytes));
    feed_data(&f, buf_view(&bytes));
    feed_close(&f, &got);
    put_plain(&plain[0], value_of(buf_view(&got), path));
    put_plain(&plain[1], want);
    same = span_eq(buf_view(&plain[0]), buf_view(&plain[1]));
    if (!same)
        print_error("%s %s\"%.*s\", not \"%.*s\"\n", name, path,
                    (int)plain[0].n, (const char *)plain[0].p, (int)plain[1].n,
                    (const char *)plain[1].p);
    buf_free(&plain[0]);
    buf_free(&plain[1]);
    buf_free(&got);
    buf_free(&bytes);
    return same;
}

static void
test_manifest(void **state)
{
    enum { COL_FILE, COL_SUBJECT = 7, COL_FROM = 8 };
    struct buf csv;
    struct buf cell;
    struct buf file;
    struct cursor c;
    size_t column = 0;
    size_t same = 0;
    size_t other = 0;
    bool first = true;
    bool eol;

    (void)state;
    buf_init(&csv, 1U << 24);
    buf_init(&cell, 1U << 20);
    buf_init(&file, 512);
    if (!read_file(MESSAGES "/MANIFEST.csv", &csv)) {
        print_message("skipped: no %s\n", MESSAGES);
        skip();
    }
    c = cur_open(buf_view(&csv));
    while (csv_next(&c, &cell, &eol)) {
        if (column == COL_FILE) {
            buf_reset(&file);
            buf_span(&file, buf_view(&cell));
        }
        if (!first && (column == COL_SUBJECT || column == COL_FROM) &&
            comparable(buf_view(&file), buf_view(&cell))) {
            bool ok = reads_as(
                buf_view(&file),
                column == COL_FROM ? "from=" : "subject=", buf_view(&cell));
            same += ok;
            other += !ok;
        }
        column = eol ? 0 : column + 1;
        first = first && !eol;
    }
    buf_free(&csv);
    buf_free(&cell);
    buf_free(&file);
    print_message("%zu values agree, %zu differ\n", same, other);
    assert_int_equal(other, 0);
    assert_true(same > 600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_any_cut_same_result),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_value_limit),
        cmocka_unit_test(test_cut_character),
        cmocka_unit_test(test_count_limits),
        cmocka_unit_test(test_fields_limit),
        cmocka_unit_test(test_total_limit),
        cmocka_unit_test(test_all_messages),
        cmocka_unit_test(test_manifest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

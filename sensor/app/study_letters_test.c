#include "sensor/app/study_letters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "rules/registry/csv.h"
#include "sensor/app/drafts.h"
#include "sensor/app/whole_file.h"
#include "tests/support/tempdir.h"

#define DAY     (86400 * NS_PER_S)
#define T0      (20000 * DAY) /* 2024-10-04 */
#define HOSTILE "\x1b[2J\xff<script>alert(1)</script>\"\r\n,=1+1"
#define FORMULA "=cmd|'/C calc'!A0"
#define OUTSIDE "../../etc/passwd"
#define BOT_ROW                                                                \
    "  10.0.0.2  =cmd|'/C calc'!A0  2024-10-05 00:00 UTC  2024-10-08 00:00 "   \
    "UTC  90 sessions  100 messages  67 judged unwanted  8 with malicious "    \
    "code  321 recipients accepted  45 refused  behaves like a spam bot\n"

struct world {
    struct tempdir t;
    char dir[TEMPDIR_PATH + 16];
    struct config config;
    struct study_letters_options o;
    struct study_result r;
    struct study_policy policies[2];
    struct study_outcome outcomes[8][2];
    struct study_host_row hosts[8];
    struct study_site sites[3];
    struct buf messages;
};

static void
set(struct world *w, enum option_id id, const char *text)
{
    const struct origin from = {ORIGIN_FILE, 1};

    assert_true(
        options_set(&w->config, id, span_str(text), from, &w->messages));
}

static void
host(struct world *w, const char *address, const char *site,
     enum study_class class, bool registered, bool stopped)
{
    const size_t i = w->r.n_hosts++;
    struct study_host_row *h = &w->hosts[i];

    assert_true(i < ARRAY_LEN(w->hosts));
    *h = (struct study_host_row){
        .site = site,
        .class = class,
        .registered = registered,
        .first = T0 + i * DAY,
        .last = T0 + (i + 3) * DAY,
        .days = 3,
        .messages = 100,
        .recipients = 321,
        .recipients_refused = 45,
        .bad = 67,
        .class_a = 8,
        .sessions = 90,
        .outcomes = w->outcomes[i],
    };
    assert_true(addr_parse(span_str(address), &h->addr));
    w->outcomes[i][1].first = stopped ? T0 + DAY : 0;
}

static void
fill_hosts(struct world *w)
{
    host(w, "10.0.0.9", "north", STUDY_LEGITIMATE, false, true);
    host(w, "10.0.0.2", "north", STUDY_BOT, false, false);
    host(w, "10.0.0.3", OUTSIDE, STUDY_MIXED, true, true);
    host(w, "10.0.0.4", NULL, STUDY_UNKNOWN, false, true);
    host(w, "10.0.0.5", "north", STUDY_UNKNOWN, false, false);
    host(w, "10.0.0.6", "held", STUDY_LEGITIMATE, true, true);
    host(w, "10.0.0.7", "calm", STUDY_LEGITIMATE, true, false);
    host(w, "2001:db8::8", NULL, STUDY_BOT, false, false);
    w->hosts[0].helo = HOSTILE;
    w->hosts[0].device = "scanner <b>";
    w->hosts[1].name = FORMULA;
    w->hosts[2].helo = HOSTILE;
    w->hosts[3].helo = FORMULA;
    w->hosts[3].device = HOSTILE;
}

static void
world_open(struct world *w)
{
    *w = (struct world){0};
    tempdir_make(&w->t);
    (void)snprintf(w->dir, sizeof(w->dir), "%s/letters", w->t.path);
    buf_init(&w->messages, 1 << 16);
    assert_int_equal(options_init(&w->config), ERR_OK);
    set(w, OPTION_ID_deadline, "2027-01-31");
    set(w, OPTION_ID_support, "<b>desk</b>");
    set(w, OPTION_ID_report_contact, "abuse@net.example");
    w->o = (struct study_letters_options){.config = &w->config,
                                          .now = T0 + 40 * DAY};
    w->policies[0] = (struct study_policy){.name = "P0", .kind = "none"};
    w->policies[1] = (struct study_policy){.name = "P1", .kind = "grace"};
    w->sites[0] = (struct study_site){
        .code = "north", .name = "North <School>", .contact = "office, room 7"};
    w->sites[1] = (struct study_site){.code = OUTSIDE};
    w->sites[2] = (struct study_site){.code = "held", .contact = FORMULA};
    fill_hosts(w);
    w->r.policies = w->policies;
    w->r.n_policies = 2;
    w->r.hosts = w->hosts;
    w->r.sites = w->sites;
    w->r.n_sites = 3;
    w->r.proposed = "P1";
}

static void
world_close(struct world *w)
{
    options_fini(&w->config);
    buf_free(&w->messages);
    tempdir_remove(&w->t);
}

static void
write_good(struct world *w)
{
    const enum cli_exit code =
        study_letters_write(w->dir, &w->r, &w->o, &w->messages);

    if (code != CLI_EXIT_DONE)
        fail_msg("%.*s", (int)w->messages.n, (const char *)w->messages.p);
}

static struct buf
file(const struct world *w, const char *name)
{
    struct buf text;

    if (whole_file_load(tempdir_name(w->dir, name).s, 1 << 24, &text) != 0)
        fail_msg("there is no %s", name);
    return text;
}

static bool
has(const struct buf *text, const char *what)
{
    return span_search(buf_view(text), span_str(what)) < text->n;
}

static void
expect(const struct world *w, const char *name, const char *const *there,
       const char *const *not_there)
{
    struct buf text = file(w, name);

    for (; *there != NULL; there++) {
        if (!has(&text, *there))
            fail_msg("%s lacks \"%s\":\n%.*s", name, *there, (int)text.n,
                     (const char *)text.p);
    }
    for (; *not_there != NULL; not_there++) {
        if (has(&text, *not_there))
            fail_msg("%s has \"%s\":\n%.*s", name, *not_there, (int)text.n,
                     (const char *)text.p);
    }
    buf_free(&text);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Names of a folder's files, each with a blank behind, in order. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
names_of(const char *dir, struct buf *out)
{
    struct dirent **v;
    const int n = scandir(dir, &v, NULL, by_name);

    for (int i = 0; i < n; i++) {
        if (v[i]->d_name[0] != '.')
            buf_printf(out, "%s ", v[i]->d_name);
        free(v[i]);
    }
    free(v);
    buf_putc(out, 0);
}

/* Every file, and none anywhere else, whatever sites are called. */
static void
test_files(void **state)
{
    struct world w;
    struct buf names;

    (void)state;
    world_open(&w);
    buf_init(&names, 1 << 16);
    write_good(&w);
    names_of(w.dir, &names);
    assert_string_equal(
        (const char *)names.p,
        "001-______etc_passwd.abuse.html 001-______etc_passwd.abuse.txt "
        "003-north.abuse.html 003-north.abuse.txt 003-north.register.form.html "
        "003-north.register.html 003-north.register.txt contacts-unknown.csv "
        "contacts.csv ");
    buf_reset(&names);
    names_of(w.t.path, &names);
    assert_string_equal((const char *)names.p, "letters ");
    assert_true(has(&w.messages, "span25: letters: 3, sites: 3; they are in "));
    assert_true(has(&w.messages, "3 owners are to be found\n"));
    buf_free(&names);
    world_close(&w);
}

static void
test_register(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    write_good(&w);
    expect(
        &w, "003-north.register.txt",
        LIST("To: North <School>\noffice, room 7\n",
             "Subject: Please register your mail servers by 2027-01-31, "
             "reference 2024-11-13-003\n",
             "This is not a report of abuse.",
             "Between 2024-10-04 and 2024-10-07 we saw",
             "  10.0.0.9  \\x1b[2J\\xff<script>alert(1)</script>\"\\x0d\\x0a,"
             "=1+1  scanner <b>  90 sessions out  100 messages  2024-10-04  "
             "2024-10-07  looks legitimate\n",
             "within 48 hours", "<b>desk</b>; quote 2024-11-13-003."),
        LIST("10.0.0.2", "10.0.0.5", "\x1b", "spam"));
    expect(&w, "003-north.register.html",
           LIST("North &lt;School&gt;<br>office, room 7", "&lt;script&gt;",
                "scanner &lt;b&gt;", "<td>90</td>", "&lt;b&gt;desk"),
           LIST("<script", "<b>", "10.0.0.2", "\x1b", "\xff"));
    expect(&w, "003-north.register.form.html",
           LIST("North &lt;School&gt;", "10.0.0.9", "scanner &lt;b&gt;"),
           LIST("10.0.0.2", "<script", "\x1b"));
    world_close(&w);
}

static void
test_abuse(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    write_good(&w);
    expect(&w, "003-north.abuse.txt",
           LIST("Subject: Please look at the addresses below by 2024-11-27, "
                "reference 2024-11-13-003-A\n",
                "Between 2024-10-05 00:00 UTC and 2024-10-08 00:00 UTC",
                BOT_ROW, "  1. Is this a host",
                "What to check:", "tell us by 2024-11-27", "How it is lifted:",
                "tell us (abuse@net.example)", "quote 2024-11-13-003-A."),
           LIST("10.0.0.9", "spammer", "infected", "attack", "hacked",
                "not a report of abuse"));
    expect(&w, "001-______etc_passwd.abuse.html",
           LIST("To: ../../etc/passwd<br>(contact not known: find out",
                "<li>Is this", "&lt;script&gt;", "abuse beside ordinary mail"),
           LIST("<script", "\x1b"));
    world_close(&w);
}

/* The cell of a row and a column of a table. */
static void
cell_of(struct buf *text, size_t row, const char *column, struct buf *out)
{
    struct csv c;
    size_t at = CSV_CELLS_MAX, n = 0;

    assert_int_equal(csv_init(&c, buf_view(text), 1 << 20), ERR_OK);
    for (size_t i = 0; i <= row; i++) {
        assert_int_equal(csv_next(&c), CSV_ROW);
        assert_true(i == 0 || c.n_cells == n);
        n = c.n_cells;
        for (size_t k = 0; i == 0 && k < n; k++) {
            if (span_eq(c.cells[k].text, span_str(column)))
                at = k;
        }
    }
    assert_true(at < n);
    buf_reset(out);
    buf_span(out, c.cells[at].text);
    buf_putc(out, 0);
    csv_fini(&c);
}

static const struct {
    bool known;
    size_t row;
    const char *column, *want;
} cells[] = {
    {true,  1, "site",             "held"                                        },
    {true,  1, "contact",          "'=cmd|'/C calc'!A0"                          },
    {true,  1, "action",
     "registered, and would be stopped: see why before anything else"            },
    {true,  1, "registered",       "1"                                           },
    {true,  1, "would_be_stopped", "1"                                           },
    {true,  1, "register_letter",  ""                                            },
    {true,  2, "site",             "north"                                       },
    {true,  2, "site_name",        "North <School>"                              },
    {true,  2, "hosts",            "2"                                           },
    {true,  2, "addresses",        "10.0.0.2 10.0.0.9"                           },
    {true,  2, "ports",            "25"                                          },
    {true,  2, "first_seen",       "2024-10-04T00:00:00Z"                        },
    {true,  2, "last_seen",        "2024-10-08T00:00:00Z"                        },
    {true,  2, "would_be_stopped", "1"                                           },
    {true,  2, "legitimate",       "1"                                           },
    {true,  2, "bot",              "1"                                           },
    {true,  2, "helo",             ""                                            },
    {true,  2, "register_letter",  "003-north.register.txt"                      },
    {true,  2, "abuse_letter",     "003-north.abuse.txt"                         },
    {true,  2, "action",           "ask to look at hosts, and to register others"},
    {false, 1, "site",             "../../etc/passwd"                            },
    {false, 1, "action",           "find owner"                                  },
    {false, 1, "abuse_letter",     "001-______etc_passwd.abuse.txt"              },
    {false, 1, "helo",
     "\\x1b[2J\\xff<script>alert(1)</script>\"\\x0d\\x0a,'=1+1"                  },
    {false, 2, "site",             ""                                            },
    {false, 2, "addresses",        "10.0.0.4"                                    },
    {false, 2, "helo",             "'=cmd|'/C calc'!A0"                          },
    {false, 2, "register_letter",  ""                                            },
    {false, 2, "action",           "find owner"                                  },
    {false, 3, "addresses",        "2001:db8::8"                                 },
};

static void
test_contacts(void **state)
{
    struct world w;
    struct buf known, unknown, cell;

    (void)state;
    world_open(&w);
    write_good(&w);
    known = file(&w, "contacts.csv");
    unknown = file(&w, "contacts-unknown.csv");
    buf_init(&cell, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        cell_of(cells[i].known ? &known : &unknown, cells[i].row,
                cells[i].column, &cell);
        if (strcmp((const char *)cell.p, cells[i].want) != 0)
            fail_msg("%s of row %zu is %s", cells[i].column, cells[i].row,
                     (const char *)cell.p);
    }
    assert_false(has(&known, "\x1b") || has(&unknown, "\x1b"));
    assert_false(has(&known, "calm") || has(&unknown, "calm"));
    assert_false(has(&known, "10.0.0.5"));
    buf_free(&cell);
    buf_free(&known);
    buf_free(&unknown);
    world_close(&w);
}

/* Nobody has proposed anything: all that are not registered. */
static void
test_no_proposal(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    w.r.proposed = NULL;
    w.r.effective = T0 + 100 * DAY;
    write_good(&w);
    expect(&w, "002-north.register.txt",
           LIST("servers by 2025-01-12, reference", "10.0.0.5", "10.0.0.9",
                "too little was seen to tell"),
           LIST("2027-01-31"));
    world_close(&w);
}

/* A policy that stops what behaves badly asks nobody to register by itself. */
static void
test_deadline(void **state)
{
    struct world w;
    struct buf names;

    (void)state;
    world_open(&w);
    options_fini(&w.config);
    assert_int_equal(options_init(&w.config), ERR_OK);
    assert_int_equal(study_letters_write(w.dir, &w.r, &w.o, &w.messages),
                     CLI_EXIT_USAGE);
    assert_true(has(&w.messages, "registry.deadline"));
    assert_int_equal(study_letters_check(w.dir, &w.o, "grace", 0, &w.messages),
                     CLI_EXIT_USAGE);
    assert_int_equal(study_letters_check(w.dir, &w.o, "grace", T0, &w.messages),
                     CLI_EXIT_DONE);
    w.policies[1].kind = "detector";
    w.r.effective = T0;
    write_good(&w);
    buf_init(&names, 1 << 16);
    names_of(w.dir, &names);
    assert_false(has(&names, "register"));
    assert_true(has(&names, "003-north.abuse.txt"));
    assert_true(has(&w.messages, "nobody is asked to register"));
    buf_free(&names);
    world_close(&w);
}

static void
test_folder_is_there(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    assert_int_equal(study_letters_check(w.dir, &w.o, NULL, T0, &w.messages),
                     CLI_EXIT_DONE);
    assert_int_equal(mkdir(w.dir, 0700), 0);
    assert_int_equal(study_letters_check(w.dir, &w.o, NULL, T0, &w.messages),
                     CLI_EXIT_USAGE);
    assert_true(has(&w.messages, "is there already"));
    assert_int_equal(study_letters_write(w.dir, &w.r, &w.o, &w.messages),
                     CLI_EXIT_FAILED);
    assert_true(has(&w.messages, "File exists"));
    world_close(&w);
}

/* The contacts of the registry go before those of the configuration. */
static void
test_book(void **state)
{
    struct action a = {.kind = ACTION_SUBMIT, .when = T0, .actor = "site"};
    struct world w;
    struct form f;
    struct buf why;
    struct book *b;

    (void)state;
    world_open(&w);
    buf_init(&why, 1000);
    form_init(&f);
    (void)snprintf(f.number, sizeof(f.number), "2024-7");
    assert_int_equal(form_set(&f.text[FORM_SITE], SPAN_LIT("North <School>")),
                     ERR_OK);
    assert_int_equal(
        form_set(&f.text[FORM_SITE_CONTACT_NAME], SPAN_LIT("J. <Alvarez>")),
        ERR_OK);
    assert_int_equal(
        form_set(&f.text[FORM_SITE_CONTACT_PHONE], SPAN_LIT("+1 555 0100")),
        ERR_OK);
    assert_non_null(form_add_line(&f));
    assert_int_equal(
        form_set(&f.lines[0].text[FORM_ADDRESS], SPAN_LIT("10.0.0.99")),
        ERR_OK);
    assert_int_equal(form_set(&f.lines[0].text[FORM_PORT], SPAN_LIT("25")),
                     ERR_OK);
    a.form = &f;
    assert_int_equal(book_new(&b), ERR_OK);
    if (book_apply(b, &a, NULL, NULL, &why) != ERR_OK)
        fail_msg("%.*s", (int)why.n, (const char *)why.p);
    w.o.book = b;
    write_good(&w);
    expect(&w, "003-north.register.html",
           LIST("North &lt;School&gt;<br>J. &lt;Alvarez&gt;"),
           LIST("<Alvarez>", "room 7"));
    expect(&w, "contacts.csv",
           LIST("north,North <School>,2024-7,\"office, room 7\",J. <Alvarez>,,",
                "2024-10-04T00:00:00Z,2,10.0.0.2 10.0.0.9"),
           LIST("\x1b"));
    form_fini(&f);
    buf_free(&why);
    book_free(b);
    world_close(&w);
}

/* A letter stays one that people can read. */
static void
test_many(void **state)
{
    const size_t n = STUDY_LETTERS_HOSTS + 7;
    struct study_host_row *many = calloc(n, sizeof(*many));
    struct world w;

    (void)state;
    assert_non_null(many);
    world_open(&w);
    for (size_t i = 0; i < n; i++) {
        const uint8_t b[4] = {10, 1, (uint8_t)(i >> 8), (uint8_t)i};

        many[i] = (struct study_host_row){.addr = addr_v4(b),
                                          .site = "north",
                                          .class = STUDY_LEGITIMATE,
                                          .first = T0,
                                          .last = T0};
    }
    w.r.hosts = many;
    w.r.n_hosts = n;
    w.r.proposed = NULL;
    write_good(&w);
    expect(&w, "001-north.register.txt",
           LIST("10.1.0.0 ", "10.1.3.231 ", "and 7 more"), LIST("10.1.3.232 "));
    expect(&w, "001-north.register.form.html", LIST("10.1.3.238"), LIST("x1b"));
    expect(&w, "contacts.csv", LIST("10.1.0.199 and 807 more"),
           LIST("10.1.0.200"));
    free(many);
    world_close(&w);
}

/* Of a letter to register alone, and only where the page is. */
static void
test_links(void **state)
{
    char secret[DRAFTS_SECRET];
    struct buf text;
    struct draft d;
    struct world w;
    size_t at;

    (void)state;
    world_open(&w);
    set(&w, OPTION_ID_register_url, "https://register.test");
    set(&w, OPTION_ID_state, w.t.path);
    write_good(&w);
    expect(&w, "003-north.abuse.txt", LIST("10.0.0.2"), LIST("register.test"));
    text = file(&w, "003-north.register.txt");
    at = span_search(buf_view(&text), SPAN_LIT("https://register.test/#"));
    assert_true(at + 46 < text.n);
    assert_true(drafts_read_secret(
        span_head(span_tail(buf_view(&text), at + 23), 23), secret));
    buf_free(&text);
    draft_init(&d);
    assert_int_equal(drafts_load(w.t.path, secret, w.o.now + 1, &d), ERR_OK);
    assert_true(has(&d.text, "10.0.0.9") && !has(&d.text, "10.0.0.2"));
    draft_fini(&d);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),    cmocka_unit_test(test_files),
        cmocka_unit_test(test_register), cmocka_unit_test(test_abuse),
        cmocka_unit_test(test_contacts), cmocka_unit_test(test_no_proposal),
        cmocka_unit_test(test_deadline), cmocka_unit_test(test_folder_is_there),
        cmocka_unit_test(test_book),     cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

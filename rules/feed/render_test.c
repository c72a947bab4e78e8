#include "rules/feed/feed_test_kit.h"
#include "rules/feed/render.h"

#include <stdlib.h>

#define EVIL "a\"; }\nflush ruleset\n# \xff\xe2\x80\x8b'$(id),=1"

static void
make(struct kit *k)
{
    if (feed_make(&k->in, &k->f) != FEED_DONE)
        fail_msg("no set");
}

static struct kit
three(void)
{
    struct kit k;

    kit_init(&k);
    k.limits.widest_v4 = 24;
    (void)kit_add(&k, "192.0.2.1", 600);
    (void)kit_add(&k, "198.51.100.0/24", 7200);
    (void)kit_add(&k, "2001:db8::/64", 1);
    make(&k);
    return k;
}

static void
put(const struct feed *f, enum render_format format, struct buf *out)
{
    const struct render_options o = {.now = KIT_NOW};

    buf_init(out, 1 << 24);
    assert_int_equal(render(f, format, &o, out), ERR_OK);
}

#define HEAD                                                                   \
    "span25 serial 1, 3 elements, made 2026-11-23T05:00:00Z, ends "            \
    "2026-11-23T06:00:00Z, sha256 "
#define EV "comment \"ev:" KIT_HASH " s1\""

/* clang-format off */
static const struct {
    enum render_format format;
    const char *want; /* each line is in the text, in this order */
} texts[] = {
    {RENDER_NFT,
     "# " HEAD "\n"
     "table inet span25_feed {\n"
     "        flags interval,timeout\n"
     "        size 524288\n"
     "flush set inet span25_feed blk4\n"
     "add element inet span25_feed blk4 {\n"
     "    192.0.2.1 timeout 600s " EV ",\n"
     "    198.51.100.0/24 timeout 3600s " EV "\n"
     "}\n"
     "flush set inet span25_feed blk6\n"
     "add element inet span25_feed blk6 {\n"
     "    2001:db8::/64 timeout 1s " EV "\n"},
    {RENDER_NFT_RULES,
     "add rule inet span25_feed stop ip saddr @blk4 tcp dport 25 counter reject"
     " with tcp reset\n"
     "add rule inet span25_feed stop ip daddr @blk4 tcp sport 25 counter drop\n"
     "add rule inet span25_feed stop ip6 saddr @blk6 tcp dport 25\n"},
    {RENDER_IPSET,
     "# " HEAD "\n"
     "create span25-block-v4 hash:net family inet maxelem 524288 timeout 3600 "
     "comment\n"
     "create span25-block-v4-new hash:net family inet\n"
     "flush span25-block-v4-new\n"
     "add span25-block-v4-new 192.0.2.1 timeout 600 " EV "\n"
     "add span25-block-v4-new 198.51.100.0/24 timeout 3600 " EV "\n"
     "swap span25-block-v4-new span25-block-v4\n"
     "destroy span25-block-v4-new\n"
     "add span25-block-v6-new 2001:db8::/64 timeout 1 " EV "\n"
     "swap span25-block-v6-new span25-block-v6\n"},
    {RENDER_LIST, "192.0.2.1\n198.51.100.0/24\n2001:db8::/64\n"},
    {RENDER_JSON,
     "{\"serial\":1,\"sha256\":\"\n"
     ",\"count\":3,\"made\":\"2026-11-23T05:00:00Z\",\"ends\":"
     "\"2026-11-23T06:00:00Z\"\n"
     "{\"subject\":\"192.0.2.1/32\",\"since\":\"2026-11-23T04:50:00Z\","
     "\"until\":\"2026-11-23T05:10:00Z\",\"ends\":\"2026-11-23T05:10:00Z\","
     "\"origin\":\"detector\",\"rule\":\"s1\",\"reason\":\"41 of 97 first "
     "contacts refused\",\"evidence_hash\":\"" KIT_HASH "\",\"site\":\"A\"}\n"
     "\"until\":\"2026-11-23T07:00:00Z\",\"ends\":\"2026-11-23T06:00:00Z\"\n"},
    {RENDER_CROWDSEC,
     "{\"deleted\":[],\"new\":[{\"duration\":\"0h10m0s\",\"origin\":\"span25\","
     "\"scenario\":\"s1\",\"scope\":\"Ip\",\"simulated\":false,\"type\":\"ban\""
     ",\"value\":\"192.0.2.1\"},{\"duration\":\"1h0m0s\"\n"
     "\"scope\":\"Range\"\n\"value\":\"198.51.100.0/24\"},"
     "{\"duration\":\"0h0m1s\"\n\"2001:db8::/64\"}]}\n"},
    {RENDER_RBLDNSD4,
     "$SOA 300 localhost hostmaster.localhost 0 600 300 86400 300\n"
     "$NS 300 localhost\n$TTL 300\n"
     "$TIMESTAMP 2026:11:23:04:59:55 2026:11:23:06:00:00\n"
     "$MAXRANGE4 /24\n127.0.0.2 :127.0.0.2:test\n"
     "192.0.2.1 :127.0.0.2:ev:" KIT_HASH " s1\n"
     "198.51.100.0/24 :127.0.0.2:\n"},
    {RENDER_RBLDNSD6,
     "::ffff:7f00:2 :127.0.0.2:test\n2001:db8::/64 :127.0.0.2:ev:\n"},
};
/* clang-format on */

static void
test_text(size_t i)
{
    struct kit k = three();
    struct span want = span_str(texts[i].want);
    struct span left;
    struct buf out;

    put(&k.f, texts[i].format, &out);
    left = buf_view(&out);
    while (want.n > 0) {
        const struct span line = span_head(want, span_find(want, '\n'));
        const size_t at = span_search(left, line);

        if (at == left.n)
            fail_msg("%s: '%.*s' is not in:\n%.*s",
                     render_format_word(texts[i].format), (int)line.n,
                     (const char *)line.p, (int)out.n, (const char *)out.p);
        left = span_tail(left, at + line.n);
        want = span_tail(want, line.n + 1);
    }
    buf_free(&out);
    feed_fini(&k.f);
}

static void
writes_each_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        test_text(i);
}

static size_t
occurrences(struct span s, const char *what)
{
    const struct span want = span_str(what);
    size_t n = 0;

    for (size_t at = span_search(s, want); at < s.n;
         at = span_search(s, want)) {
        s = span_tail(s, at + want.n);
        n++;
    }
    return n;
}

/* Nothing of it is a quote, a bracket, a line end or a byte that is no ASCII.
 */
static void
says_nothing_of_a_hostile_text(void **state)
{
    (void)state;
    for (unsigned format = 0; format < RENDER_FORMAT_COUNT; format++) {
        struct kit k;
        struct feed_entry *e;
        struct buf out, plain;

        kit_init(&k);
        e = kit_add(&k, "192.0.2.1", 60);
        make(&k);
        put(&k.f, (enum render_format)format, &plain);
        feed_fini(&k.f);
        e->rule = e->reason = e->site = SPAN_LIT(EVIL);
        make(&k);
        put(&k.f, (enum render_format)format, &out);
        for (size_t i = 0; i < out.n; i++) {
            const uint8_t c = out.p[i];

            if ((c < ' ' && c != '\n') || c >= 0x7f) {
                /* JSON may have valid UTF-8 */
                assert_true(format == RENDER_JSON || format == RENDER_CROWDSEC);
                assert_true(c >= 0x80);
            }
        }
        if (format != RENDER_JSON && format != RENDER_CROWDSEC) {
            assert_int_equal(span_search(buf_view(&out), SPAN_LIT("$(id)")),
                             out.n);
            assert_int_equal(span_search(buf_view(&out), SPAN_LIT("flush rul")),
                             out.n);
        }
        assert_int_equal(occurrences(buf_view(&out), "\n"),
                         occurrences(buf_view(&plain), "\n"));
        buf_free(&out);
        buf_free(&plain);
        feed_fini(&k.f);
    }
}

/* Comments have a length that every consumer takes. */
static void
cuts_comments(void **state)
{
    char text[FEED_TEXT];

    (void)state;
    memset(text, 'r', sizeof(text));
    for (size_t n = 50; n < 60; n++) {
        struct kit k;
        struct buf out;

        kit_init(&k);
        kit_add(&k, "192.0.2.1", 60)->rule = span_of(text, n);
        make(&k);
        buf_init(&out, 1024);
        render_comment(&out, &k.f.v[0]);
        assert_true(out.n <= RENDER_COMMENT);
        assert_int_equal(out.n, n < 52 ? 68 + n : RENDER_COMMENT);
        buf_free(&out);
        feed_fini(&k.f);
    }
}

/* A set with so many elements. */
static struct feed
many(size_t n, struct feed_item **items)
{
    struct feed f = {
        .serial = 1,
        .made = KIT_NOW,
        .expires = KIT_NOW + 60 * NS_PER_S,
        .widest = {32, 64},
        .n = n
    };

    *items = calloc(n, sizeof(**items));
    assert_non_null(*items);
    for (size_t i = 0; i < n; i++) {
        const uint8_t a[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                              (uint8_t)i};

        (*items)[i] = (struct feed_item){
            .prefix = {addr_v4(a), 128},
              .since = 1, .until = UINT64_MAX
        };
    }
    f.v = *items;
    return f;
}

static void
fills_in_chunks(void **state)
{
    (void)state;
    for (size_t n = RENDER_CHUNK - 1; n <= RENDER_CHUNK + 1; n++) {
        struct feed_item *items;
        struct feed f = many(n, &items);
        struct buf out;

        put(&f, RENDER_NFT, &out);
        assert_int_equal(occurrences(buf_view(&out), "add element"),
                         n <= RENDER_CHUNK ? 1 : 2);
        assert_int_equal(occurrences(buf_view(&out), " timeout 60s"), n);
        buf_free(&out);
        free(items);
    }
}

/* ipset refuses more, and with it the whole list. */
static void
keeps_to_what_ipset_takes(void **state)
{
    (void)state;
    for (uint64_t s = RENDER_IPSET_TTL - 1; s <= RENDER_IPSET_TTL + 1; s++) {
        struct feed_item *items;
        struct feed f = many(1, &items);
        struct buf out;
        char want[64];

        f.expires = KIT_NOW + s * NS_PER_S;
        put(&f, RENDER_IPSET, &out);
        (void)snprintf(
            want, sizeof(want), " timeout %llu comment",
            (unsigned long long)(s < RENDER_IPSET_TTL ? s : RENDER_IPSET_TTL));
        assert_int_equal(occurrences(buf_view(&out), want), 1);
        buf_free(&out);
        free(items);
    }
}

static void
keeps_to_what_vendors_take(void **state)
{
    static const struct {
        enum render_vendor vendor;
        uint32_t n;
        enum err want;
    } rows[] = {
        {RENDER_PALOALTO,  49999,  ERR_OK   },
        {RENDER_PALOALTO,  50000,  ERR_OK   },
        {RENDER_PALOALTO,  50001,  ERR_LIMIT},
        {RENDER_FORTIGATE, 131071, ERR_OK   },
        {RENDER_FORTIGATE, 131072, ERR_OK   },
        {RENDER_FORTIGATE, 131073, ERR_LIMIT},
        {RENDER_PLAIN,     131073, ERR_OK   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct render_options o = {.vendor = rows[i].vendor,
                                         .now = KIT_NOW};
        struct feed_item *items;
        struct feed f = many(rows[i].n, &items);
        struct buf out;

        buf_init(&out, 1 << 27);
        if (render(&f, RENDER_LIST, &o, &out) != rows[i].want)
            fail_msg("%s, %u", render_vendor_word(rows[i].vendor), rows[i].n);
        buf_free(&out);
        free(items);
    }
}

static void
writes_each_vendors_list(void **state)
{
    static const struct {
        enum render_vendor vendor;
        const char *want; /* of the line of 192.0.2.1 */
        size_t lines;
    } rows[] = {
        {RENDER_PLAIN,      "192.0.2.1\n",                    3},
        {RENDER_COMMENTED,  "192.0.2.1\n",                    4},
        {RENDER_PALOALTO,   "192.0.2.1 ev:" KIT_HASH " s1\n", 3},
        {RENDER_FORTIGATE,  "192.0.2.1\n",                    4},
        {RENDER_CISCO,      "192.0.2.1\n",                    4},
        {RENDER_CHECKPOINT,
         "span25-192.0.2.1-128,192.0.2.1,IP,high,high,AV,ev:" KIT_HASH
         " s1 until 2026-11-23T05:10:00Z\n",                  4},
    };
    struct kit k = three();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct render_options o = {.vendor = rows[i].vendor,
                                         .now = KIT_NOW};
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_int_equal(render(&k.f, RENDER_LIST, &o, &out), ERR_OK);
        if (occurrences(buf_view(&out), rows[i].want) != 1 ||
            occurrences(buf_view(&out), "\n") != rows[i].lines)
            fail_msg("%s: %.*s", render_vendor_word(rows[i].vendor), (int)out.n,
                     (const char *)out.p);
        buf_free(&out);
    }
    feed_fini(&k.f);
}

/* Nobody is given a set whose writer is dead. */
static void
gives_no_set_that_is_over(void **state)
{
    struct kit k = three();

    (void)state;
    for (unsigned format = 0; format < RENDER_FORMAT_COUNT; format++) {
        struct render_options o = {.now = k.f.expires - 1};
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_int_equal(render(&k.f, (enum render_format)format, &o, &out),
                         ERR_OK);
        assert_int_equal(occurrences(buf_view(&out), "198.51.100.0"), 0);
        o.now = k.f.expires;
        buf_reset(&out);
        assert_int_equal(render(&k.f, (enum render_format)format, &o, &out),
                         format == RENDER_NFT_RULES ? ERR_OK : ERR_TRUNCATED);
        assert_true(out.n == 0 || format == RENDER_NFT_RULES);
        buf_free(&out);
    }
    feed_fini(&k.f);
}

/* Who is gone is deleted, who stays is told again: its end moved. */
static void
streams_what_changed(void **state)
{
    struct kit k = three();
    struct feed last = k.f;
    struct render_options o = {.last = &last, .now = KIT_NOW + 60 * NS_PER_S};
    struct buf out;

    (void)state;
    k.in.entries = k.entries;
    k.in.never = k.never;
    k.in.limits = &k.limits;
    k.in.last = &last;
    k.in.now = o.now;
    k.entries[0].prefix = kit_prefix("192.0.2.2");
    make(&k);
    buf_init(&out, 1 << 16);
    assert_int_equal(render(&k.f, RENDER_CROWDSEC, &o, &out), ERR_OK);
    assert_int_equal(
        occurrences(buf_view(&out), "{\"deleted\":[{\"duration\":\"0h0m0s\""),
        1);
    assert_int_equal(occurrences(buf_view(&out), "\"value\":\"192.0.2.1\"}"),
                     1);
    assert_int_equal(occurrences(buf_view(&out), "\"192.0.2.2\"}"), 1);
    assert_int_equal(occurrences(buf_view(&out), "\"198.51.100.0/24\"}"), 1);
    buf_free(&out);
    feed_fini(&k.f);
    feed_fini(&last);
}

static void
tags_texts(void **state)
{
    char a[RENDER_ETAG], b[RENDER_ETAG];

    (void)state;
    assert_true(render_etag(SPAN_LIT("a"), a));
    assert_true(render_etag(SPAN_LIT("b"), b));
    assert_int_equal(strlen(a), RENDER_ETAG - 2);
    assert_true(a[0] == '"' && a[RENDER_ETAG - 3] == '"');
    assert_string_not_equal(a, b);
}

/* A buffer that is too small is told, and no part of a list is given. */
static void
tells_when_it_does_not_fit(void **state)
{
    struct kit k = three();
    struct buf whole;

    (void)state;
    for (unsigned format = 0; format < RENDER_FORMAT_COUNT; format++) {
        const struct render_options o = {.now = KIT_NOW};
        struct buf out;

        put(&k.f, (enum render_format)format, &whole);
        buf_init(&out, whole.n - 1);
        assert_int_equal(render(&k.f, (enum render_format)format, &o, &out),
                         ERR_NOMEM);
        buf_free(&out);
        buf_free(&whole);
    }
    feed_fini(&k.f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_format),
        cmocka_unit_test(says_nothing_of_a_hostile_text),
        cmocka_unit_test(cuts_comments),
        cmocka_unit_test(fills_in_chunks),
        cmocka_unit_test(keeps_to_what_ipset_takes),
        cmocka_unit_test(keeps_to_what_vendors_take),
        cmocka_unit_test(writes_each_vendors_list),
        cmocka_unit_test(gives_no_set_that_is_over),
        cmocka_unit_test(streams_what_changed),
        cmocka_unit_test(tags_texts),
        cmocka_unit_test(tells_when_it_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/feed/feed_test_kit.h"
#include "rules/feed/readback.h"

#define CREATE                                                                 \
    "create span25-block-v4 hash:net family inet timeout 3600 comment\n"       \
    "create span25-block-v6 hash:net family inet6 timeout 3600 comment\n"
#define ADD4 "add span25-block-v4 192.0.2.1 timeout 50 comment \"ev:x\"\n"
#define ADD4W                                                                  \
    "add span25-block-v4 198.51.100.0/25 timeout 50\n"                         \
    "add span25-block-v4 198.51.100.128/25 timeout 50\n"
#define ADD6 "add span25-block-v6 2001:db8::/64 timeout 50 comment \"ev:x\"\n"

#define NFT(four, six)                                                         \
    "{\"nftables\": [{\"metainfo\": {\"version\": \"1\"}}, {\"set\": "         \
    "{\"family\": \"inet\", \"name\": \"blk4\", \"table\": \"t\", \"elem\": "  \
    "[" four "]}}, {\"set\": {\"name\": \"blk6\", \"elem\": [" six "]}}]}"
#define END ", \"timeout\": 60, \"expires\": 59, \"comment\": \"ev:x\"}}"
#define E4  "{\"elem\": {\"val\": \"192.0.2.1\"" END
#define E4W                                                                    \
    "{\"elem\": {\"val\": {\"prefix\": {\"addr\": \"198.51.100.0\", \"len\": " \
    "24}}" END
#define E6                                                                     \
    "{\"elem\": {\"val\": {\"prefix\": {\"addr\": \"2001:db8::\", \"len\": "   \
    "64}}" END

/* clang-format off */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): as the rows come */
static const struct {
    const char *why;
    enum readback_kind kind;
    const char *text;
    uint64_t slack;
    enum err want;
    size_t found, missing, extra, endless;
} rows[] = {
    {"ipset: all, one in two halves", READBACK_IPSET, CREATE ADD4 ADD4W ADD6,
     0, ERR_OK, 4, 0, 0, 0},
    {"others do not count", READBACK_IPSET, "create a hash:net\nadd a 10.0.0.1"
     "\nadd span25-block-v4-new 10.0.0.2 timeout 9\n" CREATE ADD4 ADD4W ADD6,
     0, ERR_OK, 4, 0, 0, 0},
    {"ipset: one missing", READBACK_IPSET, CREATE ADD4W ADD6, 0, ERR_OK,
     3, 1, 0, 0},
    {"ipset: about to end", READBACK_IPSET, CREATE ADD4W ADD6, 600, ERR_OK,
     3, 0, 0, 0},
    {"ipset: half of one missing", READBACK_IPSET, CREATE ADD4
     "add span25-block-v4 198.51.100.0/25 timeout 50\n" ADD6, 0, ERR_OK,
     3, 1, 0, 0},
    {"ipset: one more", READBACK_IPSET, CREATE ADD4 ADD4W ADD6
     "add span25-block-v4 192.0.2.2 timeout 5\n", 0, ERR_OK, 5, 0, 1, 0},
    {"ipset: no end", READBACK_IPSET, CREATE ADD4W ADD6
     "add span25-block-v4 192.0.2.1 timeout 0\n", 0, ERR_OK, 4, 0, 0, 1},
    {"ipset: nothing is said of an end", READBACK_IPSET, CREATE ADD4W ADD6
     "add span25-block-v4 192.0.2.1\n", 0, ERR_OK, 4, 0, 0, 1},
    {"ipset: a comment is no end", READBACK_IPSET, CREATE ADD4W ADD6
     "add span25-block-v4 192.0.2.1 comment \"a timeout 9\"\n", 0, ERR_OK,
     4, 0, 0, 1},
    {"ipset: empty", READBACK_IPSET, CREATE, 0, ERR_OK, 0, 3, 0, 0},
    {"ipset: a set is not there", READBACK_IPSET,
     "create span25-block-v4 hash:net\n", 0, ERR_FORMAT, 0, 0, 0, 0},
    {"ipset: cut", READBACK_IPSET, CREATE "add span25-block-v4 192.0.2.1", 0,
     ERR_FORMAT, 0, 0, 0, 0},
    {"ipset: nothing", READBACK_IPSET, "", 0, ERR_FORMAT, 0, 0, 0, 0},
    {"nft: all", READBACK_NFT, NFT(E4 ", " E4W, E6), 0, ERR_OK, 3, 0, 0, 0},
    {"nft: one missing", READBACK_NFT, NFT(E4W, E6), 0, ERR_OK, 2, 1, 0, 0},
    {"nft: one more", READBACK_NFT, NFT(E4 ", " E4W, E6 ", {\"elem\": {\"val\":"
     " \"2001:db8:1::1\"" END), 0, ERR_OK, 4, 0, 1, 0},
    {"nft: no end", READBACK_NFT, NFT("\"192.0.2.1\", " E4W, E6), 0, ERR_OK,
     3, 0, 0, 1},
    {"nft: a comment is no end", READBACK_NFT, NFT("{\"elem\": {\"val\": "
     "\"192.0.2.1\", \"comment\": \"\\\"expires\\\": 9\"}}, " E4W, E6), 0,
     ERR_OK, 3, 0, 0, 1},
    {"nft: empty", READBACK_NFT, NFT("", ""), 0, ERR_OK, 0, 3, 0, 0},
    {"nft: one set", READBACK_NFT, "{\"nftables\": [{\"set\": {\"name\": "
     "\"blk4\"}}]}", 0, ERR_FORMAT, 0, 0, 0, 0},
    {"nft: an error", READBACK_NFT, "Error: No such file", 0, ERR_FORMAT,
     0, 0, 0, 0},
    {"nft: nothing", READBACK_NFT, "", 0, ERR_FORMAT, 0, 0, 0, 0},
};
/* clang-format on */

static void
make(struct kit *k)
{
    kit_init(k);
    k->limits.widest_v4 = 24;
    (void)kit_add(k, "192.0.2.1", 600);
    (void)kit_add(k, "198.51.100.0/24", 1800);
    (void)kit_add(k, "2001:db8::/64", 1800);
    assert_int_equal(feed_make(&k->in, &k->f), FEED_DONE);
}

static void
compares(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct readback r = {0};
        struct buf messages;
        struct kit k;
        enum err e;

        make(&k);
        buf_init(&messages, 4096);
        e = readback(&k.f,
                     &(struct readback_in){rows[i].kind, span_str(rows[i].text),
                                           KIT_NOW, rows[i].slack},
                     &r, &messages);
        if (e != rows[i].want || r.found != rows[i].found ||
            r.missing != rows[i].missing || r.extra != rows[i].extra ||
            r.endless != rows[i].endless || (e != ERR_OK) != (messages.n > 0))
            fail_msg("%s: %s, found %zu missing %zu extra %zu endless %zu",
                     rows[i].why, err_text(e), r.found, r.missing, r.extra,
                     r.endless);
        buf_free(&messages);
        feed_fini(&k.f);
    }
}

/* A list cut anywhere says that it is cut, or that something is missing. */
static void
never_takes_a_part_for_the_whole(void **state)
{
    static const struct {
        enum readback_kind kind;
        const char *text;
    } whole[] = {
        {READBACK_IPSET,   CREATE ADD4 ADD4W ADD6},
        { READBACK_NFT, NFT(E4 ", " E4W,                    E6)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        const struct span text = span_str(whole[i].text);

        for (size_t cut = 0; cut < text.n; cut++) {
            struct readback r = {0};
            struct buf messages;
            struct kit k;

            make(&k);
            buf_init(&messages, 4096);
            if (readback(&k.f,
                         &(struct readback_in){
                             whole[i].kind, span_head(text, cut), KIT_NOW, 0},
                         &r, &messages) == ERR_OK &&
                readback_good(&r))
                fail_msg("%zu of %zu bytes", cut, text.n);
            buf_free(&messages);
            feed_fini(&k.f);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(never_takes_a_part_for_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

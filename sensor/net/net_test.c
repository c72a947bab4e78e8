#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/net/net_test_kit.h"

#define SHAKE "C S -1; S SA -1 0; C A 0 0;"

static const struct {
    const char *why, *script, *want;
} cases[] = {
    /* ---- beginnings ---- */
    {"the usual",
     SHAKE "S A 0 0 220; C A 0 3 EHLO; S A 3 4 250; C AF 4 6; S AF 6 5; C A 5 7",
     "open S\"220\" C\"EHLO\" S\"250\" end(fin) handshake"},
    {"SYN-ACK first", "S SA -1 0; C S -1; C A 0 0; S A 0 0 220; C AR 0 3; +3000",
     "open S\"220\" end(rst) handshake"},
    {"ACK before the SYN-ACK", "C S -1; C A 0 0; S SA -1 0; S A 0 0 220",
     "open S\"220\" end(capture_end) handshake"},
    {"SYN last", "S SA -1 0; C A 0 0; C S -1; S A 0 0 220",
     "open S\"220\" end(capture_end) handshake"},
    {"data before the whole handshake",
     "S A 0 0 220; C S -1; S SA -1 0; C A 0 3 E",
     "open S\"220\" C\"E\" end(capture_end) handshake"},
    {"SYN-ACK not seen", "C S -1; C A 0 0; S A 0 0 220; C A 0 3 EHLO",
     "open S\"220\" C\"EHLO\" end(capture_end)"},
    {"an ACK of another number is no handshake",
     "C S -1; C A 0 77777; S SA -1 0; S A 0 0 220",
     "open S\"220\" end(capture_end)"},
    {"midstream", "C A 100 50 MAIL; S A 50 104 250; C A 104 53 RCPT",
     "open C\"MAIL\" S\"250\" C\"RCPT\" end(capture_end) midstream"},
    {"midstream, the first two in wrong order",
     "C A 104 50 RCPT; C A 100 50 MAIL; C A 108 50 DATA",
     "open C\"RCPTDATA\" end(capture_end) midstream"},
    {"only the client is seen", "C S -1; C A 0 0; C A 0 9 EHLO; C A 4 99 MAIL; "
     "C AF 8 120; +6000", "open C\"EHLOMAIL\" end(fin)"},
    {"only the server is seen", "S SA -1 0; S A 0 0 220; S A 3 4 250; S A 9 40 "
     "354; +600", "open S\"220250\" gap(S,3) S\"354\" end(capture_end)"},
    {"data on the SYN (RFC 7413)", "C S -1 0 EHLO; S SA -1 4; C A 4 0; "
     "S A 0 4 220", "open C\"EHLO\" S\"220\" end(capture_end) handshake"},
    {"a stray ACK, FIN or RST makes no flow", "C A 5 5; C AF 5 5; S R 5; +40000",
     ""},
    {"nothing but SYNs", "C S -1; +1000; C S -1; +3000; C S -1; +31000",
     "attempt"},
    {"refused", "C S -1; S AR 0 0; +31000", "attempt refused"},
    {"refused, tried again with the same SYN",
     "C S -1; S AR 0 0; +500; C S -1; S AR 0 0; +31000", "attempt refused"},
    {"a RST that does not answer the SYN", "C S -1; S AR 0 99; +31000",
     "attempt"},
    {"answered, nothing said", SHAKE "+31000; C AF 0 0; S AF 0 1; +6000",
     "attempt answered"},
    {"answered and reset", SHAKE "S R 0; +6000", "attempt answered"},
    {"idle before the banner", SHAKE "+901000", "attempt answered"},
    /* ---- order ---- */
    {"reordered", SHAKE "C A 3 0 def; C A 6 0 ghi; C A 0 0 abc",
     "open C\"abcdefghi\" end(capture_end) handshake"},
    {"reversed", SHAKE "C A 6 0 ghi; C A 3 0 def; C A 0 0 abc",
     "open C\"abcdefghi\" end(capture_end) handshake"},
    {"retransmitted", SHAKE "C A 0 0 abc; C A 0 0 abc; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"},
    {"retransmitted with more", SHAKE "C A 0 0 abc; C A 0 0 abcde",
     "open C\"abcde\" end(capture_end) handshake"},
    {"retransmitted with other bytes", SHAKE "C A 0 0 abc; C A 0 0 xyz; C A 3 0 d",
     "open C\"abc\" odd(C,overlap_differs,0,\"xyz\") C\"d\" end(capture_end) "
     "handshake"},
    {"other bytes after the ACK say nothing",
     SHAKE "C A 0 0 abc; S A 0 3; C A 0 0 xyz; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"},
    {"early bytes win", SHAKE "C A 3 0 def; C A 0 0 abcDEF; C A 6 0 g",
     "open odd(C,overlap_differs,3,\"DEF\") C\"abcdefg\" end(capture_end) "
     "handshake"},
    {"early bytes the same", SHAKE "C A 3 0 def; C A 0 0 abcdefg",
     "open C\"abcdefg\" end(capture_end) handshake"},
    {"early over early", SHAKE "C A 4 0 ef; C A 2 0 cdEFg; C A 0 0 ab",
     "open odd(C,overlap_differs,4,\"EF\") C\"abcdefg\" end(capture_end) "
     "handshake"},
    {"early around early", SHAKE "C A 2 0 c; C A 4 0 e; C A 1 0 bcdef; C A 0 0 a",
     "open C\"abcdef\" end(capture_end) handshake"},
    {"one byte at a time", SHAKE "C A 0 0 a; C A 2 0 c; C A 1 0 b; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"},
    {"a copy by the mirror", SHAKE "C A 0 0 abc; =C A 0 0 abc; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"},
    /* ---- holes ---- */
    {"lost and acknowledged", SHAKE "C A 0 0 ab; C A 5 0 fg; S A 0 7; +700",
     "open C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"},
    {"lost and not acknowledged: wait longer",
     SHAKE "S A 0 0 220; C A 0 3 ab; C A 5 3 fg; +4000; C A 2 3 cde",
     "open S\"220\" C\"abcdefg\" end(capture_end) handshake"},
    {"not for ever", SHAKE "S A 0 0 2; C A 0 1 ab; C A 5 1 fg; +5200; C A 2 1 cde",
     "open S\"2\" C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"},
    {"acknowledged in part", SHAKE "C A 0 0 a; C A 5 0 fg; S A 0 3; +700; "
     "C A 3 0 de", "open C\"a\" gap(C,2) C\"defg\" end(capture_end) handshake"},
    {"data after its own ACK", SHAKE "S A 0 4; C A 0 0 EHLO; S A 0 4 250; +700",
     "open C\"EHLO\" S\"250\" end(capture_end) handshake"},
    {"the last bytes lost", SHAKE "C A 0 0 ab; S A 0 5; +700; S A 0 5 250",
     "open C\"ab\" gap(C,3) S\"250\" end(capture_end) handshake"},
    {"an acknowledgement that was false",
     SHAKE "C A 0 0 ab; S A 0 900; +700; C A 2 0 cd; C A 4 0 ef",
     "open C\"ab\" gap(C,898) C\"cdef\" end(capture_end) handshake"},
    {"the ACK of a FIN not seen", SHAKE "C A 0 0 ab; S A 0 3; +700",
     "open C\"ab\" end(capture_end) handshake"},
    {"bytes before the FIN lost", SHAKE "C A 0 0 ab; C AF 5 0; S AF 0 6; +700",
     "open C\"ab\" gap(C,3) end(fin) handshake"},
    {"holes at the end of the capture", SHAKE "C A 3 0 d; C A 5 0 f",
     "open gap(C,3) C\"d\" gap(C,1) C\"f\" end(capture_end) handshake"},
    {"cut by the capture", SHAKE "C A 0 0 ab/5; C A 5 0 fg",
     "open C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"},
    {"cut and early", SHAKE "C A 2 0 cd/4; C A 6 0 gh; C A 0 0 ab",
     "open C\"abcd\" gap(C,2) C\"gh\" end(capture_end) handshake"},
    {"nothing captured", SHAKE "C A 0 0 /4; C A 4 0 x",
     "open gap(C,4) C\"x\" end(capture_end) handshake"},
    /* ---- oddities ---- */
    {"keep-alive", SHAKE "C A 0 0 abc; S A 0 3; C A 2 0; C A 2 0 z; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"},
    {"urgent", SHAKE "C AU 0 0 abc", "open odd(C,urgent_data,0,\"\") C\"abc\" "
     "end(capture_end) handshake"},
    {"payload after the FIN", SHAKE "C AF 0 0 ab; C A 2 0 xyz; S A 0 3 250",
     "open C\"ab\" odd(C,data_after_fin,2,\"\") S\"250\" end(capture_end) "
     "handshake"},
    {"payload over the FIN", SHAKE "C AF 3 0; C A 0 0 abcxyz",
     "open odd(C,data_after_fin,3,\"\") C\"abc\" end(capture_end) handshake"},
    {"FIN before the last data", SHAKE "C AF 3 0; S A 0 0 2; C A 0 1 abc; "
     "S AF 1 4", "open S\"2\" C\"abc\" end(fin) handshake"},
    {"a wild segment", SHAKE "C A 0 0 ab; C A 90000000 0 xy; C A 2 0 cd",
     "open C\"ab\" odd(C,wild_segment,2,\"\") C\"cd\" end(capture_end) "
     "handshake"},
    {"an outage longer than any window, acknowledged",
     SHAKE "S A 0 0 220; C A 0 3 ab; C A 90000000 3 xy; S A 3 90000002; "
     "C A 90000002 3 cd",
     "open S\"220\" C\"ab\" odd(C,wild_segment,2,\"\") gap(C,90000000) C\"cd\" "
     "end(capture_end) handshake"},
    {"the same in a capture of one side",
     "C S -1; C A 0 0 ab; C A 90000000 0 xy; C A 90000002 0 cd; "
     "C A 90000004 0 ef",
     "open C\"ab\" odd(C,wild_segment,2,\"\") odd(C,wild_segment,2,\"\") "
     "odd(C,wild_segment,2,\"\") gap(C,90000002) C\"ef\" end(capture_end)"},
    /* ---- ends ---- */
    {"RST with the next number", SHAKE "C A 0 0 abc; C R 3; +1900; S A 0 3 x; +200",
     "open C\"abc\" S\"x\" end(rst) handshake"},
    {"RST with the number last acknowledged", SHAKE "C A 0 0 ab; S A 0 2; "
     "C A 2 0 c; C R 2; +2200", "open C\"abc\" end(rst) handshake"},
    {"RST elsewhere", SHAKE "C A 0 0 abc; S A 0 3; C R 400; C A 3 0 d",
     "open C\"abc\" odd(C,rst_ignored,3,\"\") C\"d\" end(capture_end) "
     "handshake"},
    {"RST ahead, where bytes are missing", SHAKE "C A 0 0 a; C A 3 0 d; C R 40; "
     "+2200", "open C\"a\" gap(C,2) C\"d\" end(rst) handshake"},
    {"RST after a FIN", SHAKE "C AF 0 0 abc; C R 4; +2200",
     "open C\"abc\" end(rst) handshake"},
    {"RST whose sender goes on", SHAKE "C A 0 0 abc; C R 3; C A 3 0 d; +3000",
     "open C\"abc\" odd(C,rst_ignored,3,\"\") C\"d\" end(capture_end) handshake"},
    {"RST whose sender only repeats", SHAKE "C A 0 0 abc; C R 3; C A 0 0 abc; "
     "+3000", "open C\"abc\" end(rst) handshake"},
    {"its sender goes on after the end", SHAKE "C A 0 0 abc; C R 3; +3000; "
     "C A 3 0 d", "open C\"abc\" end(rst) handshake open C\"d\" "
     "end(capture_end) midstream"},
    {"one FIN, then silence", SHAKE "S A 0 0 2; C AF 0 1; S A 1 1; +900500",
     "open S\"2\" end(timeout) handshake"},
    {"late copies after the end", SHAKE "C AF 0 0 ab; S AF 0 3; C A 3 1; "
     "C A 0 0 ab; S R 1; C S -1; +6000", "open C\"ab\" end(fin) handshake"},
    {"idle", SHAKE "C A 0 0 ab; +899000; C A 2 0 c; +899000; +3000",
     "open C\"abc\" end(timeout) handshake"},
    {"years", SHAKE "C A 0 0 ab; C A 4 0 e; +4000000000; S A 0 0 2",
     "open C\"ab\" gap(C,2) C\"e\" end(timeout) handshake open S\"2\" "
     "end(capture_end) midstream"},
    {"new SYN after the end", SHAKE "C AF 0 0 ab; S AF 0 3; C S 700; "
     "S SA 900 701; C A 701 901 x",
     "open C\"ab\" end(fin) handshake open C\"x\" end(capture_end) handshake"},
    {"new SYN after a minute", SHAKE "C A 0 0 ab; +61000; C S 700; C A 701 0 x",
     "open C\"ab\" end(replaced) handshake open C\"x\" end(capture_end)"},
    {"new SYN before", SHAKE "C A 0 0 ab; C S 700; C A 2 0 c",
     "open C\"ab\" odd(C,syn_changed,2,\"\") C\"c\" end(capture_end) handshake"},
    {"new SYN before, and answered", SHAKE "C A 0 0 ab; C S 700; "
     "S SA 900 701; C A 701 901 x",
     "open C\"ab\" odd(C,syn_changed,2,\"\") end(replaced) handshake "
     "open C\"x\" end(capture_end) handshake"},
    {"another SYN-ACK", SHAKE "C A 0 0 ab; S SA 500 0; C A 2 0 c",
     "open C\"ab\" odd(S,syn_changed,0,\"\") C\"c\" end(capture_end) handshake"},
};

/* True when the script gives what it should. */
static bool
run_case(const char *why, const char *script, const char *want, uint16_t port)
{
    struct kit *k = kit_new();
    struct buf got;
    struct span text;
    bool same;

    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    kit_run(k, script, port);
    net_finish(k->net);
    text = kit_result(k, &got);
    same = span_eq(text, span_str(want)) && k->n_open == 0;
    if (!same)
        print_error("%s:\n  want %s\n  got  %.*s\n", why, want, (int)text.n,
                    (const char *)text.p);
    buf_free(&got);
    kit_free(k);
    return same;
}

static void
test_cases(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad += !run_case(cases[i].why, cases[i].script, cases[i].want, 25);
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

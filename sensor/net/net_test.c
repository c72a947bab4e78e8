#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sensor/net/net_test_kit.h"

/* A script is steps separated by ';':
 *   C S -1            client, SYN, sequence number -1
 *   S SA -1 0         server, SYN-ACK, acknowledges 0
 *   C A 0 0 text      client, ACK, sequence 0, acknowledges 0, payload text
 *   S A 0 0 text/9    payload of 9 bytes of which text was captured
 *   +600              600 ms pass without a packet
 *   =C A 0 0 text     with the IP identification of the packet before
 *   0C A 0 0 text     without IP identification
 * Numbers are offsets in the stream: -1 is the SYN's. Flags: S A F R U.
 * Each packet comes 1 ms after the one before. */
static unsigned
kit_flags(struct span s)
{
    static const struct {
        uint8_t letter;
        unsigned flag;
    } map[] = {
        {'S', TCP_SYN},
        {'A', TCP_ACK},
        {'F', TCP_FIN},
        {'R', TCP_RST},
        {'U', TCP_URG},
    };
    unsigned flags = 0;

    for (size_t i = 0; i < ARRAY_LEN(map); i++) {
        if (span_find(s, map[i].letter) < s.n)
            flags |= map[i].flag;
    }
    return flags;
}

static int32_t
kit_number(char **at)
{
    return (int32_t)strtol(*at, at, 10);
}

/* "C A 0 0 text/9" */
static void
kit_packet(struct kit *k, char *at, uint16_t port, char how)
{
    struct kit_seg s = {.port = port, .d = *at == 'C' ? DIR_C2S : DIR_S2C};
    size_t n_flags = strcspn(at + 2, " ");
    char *cut;
    struct decoded p;

    s.flags = kit_flags(span_of(at + 2, n_flags));
    at += 2 + n_flags;
    s.seq = (uint32_t)kit_number(&at);
    s.ack = (uint32_t)kit_number(&at);
    at += *at == ' ';
    cut = strchr(at, '/');
    s.data = span_of(at, cut != NULL ? (size_t)(cut - at) : strlen(at));
    if (how == '=')
        k->id--;
    p = kit_segment(k, s);
    if (cut != NULL)
        p.payload_len = (uint32_t)strtoul(cut + 1, NULL, 10);
    if (how == '0')
        p.ip_id = 0;
    k->now += NS_PER_MS;
    kit_put(k, &p);
}

static void
kit_step(struct kit *k, struct span step, uint16_t port)
{
    char room[128];
    char *at = room;
    char how = ' ';

    assert_true(step.n < sizeof(room));
    memcpy(room, step.p, step.n);
    room[step.n] = '\0';
    if (*at == '=' || *at == '0')
        how = *at++;
    if (*at == '+') {
        k->now += strtoul(at + 1, NULL, 10) * NS_PER_MS;
        (void)net_time(k->net, k->now);
    } else if (*at != '\0') {
        kit_packet(k, at, port, how);
    }
}

static void
kit_run(struct kit *k, const char *script, uint16_t port)
{
    while (*script != '\0') {
        script += strspn(script, " \n");
        kit_step(k, span_of(script, strcspn(script, ";")), port);
        script += strcspn(script, ";");
        script += *script == ';';
    }
}

/* All that was recorded, attempts last. */
static struct span
kit_result(struct kit *k, struct buf *out)
{
    buf_init(out, 1 << 20);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            buf_str(out, " ");
        buf_span(out, buf_view(&k->f[i].text));
    }
    buf_span(out, buf_view(&k->text));
    while (out->n > 0 && out->p[out->n - 1] == ' ')
        out->n--;
    return buf_view(out);
}

#define SHAKE "C S -1; S SA -1 0; C A 0 0;"

static const struct {
    const char *why, *script, *want;
} cases[] = {
  /* ---- beginnings ---- */
    {"the usual",
     SHAKE
     "S A 0 0 220; C A 0 3 EHLO; S A 3 4 250; C AF 4 6; S AF 6 5; C A 5 7",                                         "open S\"220\" C\"EHLO\" S\"250\" end(fin) handshake"                   },
    {"SYN-ACK first",
     "S SA -1 0; C S -1; C A 0 0; S A 0 0 220; C AR 0 3; +3000",                                                    "open S\"220\" end(rst) handshake"                                      },
    {"ACK before the SYN-ACK",                         "C S -1; C A 0 0; S SA -1 0; S A 0 0 220",
     "open S\"220\" end(capture_end) handshake"                                                                                                                                             },
    {"SYN last",                                       "S SA -1 0; C A 0 0; C S -1; S A 0 0 220",
     "open S\"220\" end(capture_end) handshake"                                                                                                                                             },
    {"data before the whole handshake",
     "S A 0 0 220; C S -1; S SA -1 0; C A 0 3 E",                                                                   "open S\"220\" C\"E\" end(capture_end) handshake"                       },
    {"SYN-ACK not seen",                               "C S -1; C A 0 0; S A 0 0 220; C A 0 3 EHLO",
     "open S\"220\" C\"EHLO\" end(capture_end)"                                                                                                                                             },
    {"an ACK of another number is no handshake",
     "C S -1; C A 0 77777; S SA -1 0; S A 0 0 220",                                                                 "open S\"220\" end(capture_end)"                                        },
    {"midstream",                                      "C A 100 50 MAIL; S A 50 104 250; C A 104 53 RCPT",
     "open C\"MAIL\" S\"250\" C\"RCPT\" end(capture_end) midstream"                                                                                                                         },
    {"midstream, the first two in wrong order",
     "C A 104 50 RCPT; C A 100 50 MAIL; C A 108 50 DATA",                                                           "open C\"RCPTDATA\" end(capture_end) midstream"                         },
    {"only the client is seen",
     "C S -1; C A 0 0; C A 0 9 EHLO; C A 4 99 MAIL; "
     "C AF 8 120; +6000",                                                                                           "open C\"EHLOMAIL\" end(fin)"                                           },
    {"only the server is seen",
     "S SA -1 0; S A 0 0 220; S A 3 4 250; S A 9 40 "
     "354; +600",                                                                                                   "open S\"220250\" gap(S,3) S\"354\" end(capture_end)"                   },
    {"data on the SYN (RFC 7413)",
     "C S -1 0 EHLO; S SA -1 4; C A 4 0; "
     "S A 0 4 220",                                                                                                 "open C\"EHLO\" S\"220\" end(capture_end) handshake"                    },
    {"a stray ACK, FIN or RST makes no flow",
     "C A 5 5; C AF 5 5; S R 5; +40000",                                                                            ""                                                                      },
    {"nothing but SYNs",                               "C S -1; +1000; C S -1; +3000; C S -1; +31000",
     "attempt"                                                                                                                                                                              },
    {"refused",                                        "C S -1; S AR 0 0; +31000",                                  "attempt refused"                                                       },
    {"refused, tried again with the same SYN",
     "C S -1; S AR 0 0; +500; C S -1; S AR 0 0; +31000",                                                            "attempt refused"                                                       },
    {"a RST that does not answer the SYN",             "C S -1; S AR 0 99; +31000",
     "attempt"                                                                                                                                                                              },
    {"answered, nothing said",                         SHAKE "+31000; C AF 0 0; S AF 0 1; +6000",
     "attempt answered"                                                                                                                                                                     },
    {"answered and reset",                             SHAKE "S R 0; +6000",                                        "attempt answered"                                                      },
    {"idle before the banner",                         SHAKE "+901000",                                             "attempt answered"                                                      },
 /* ---- order ---- */
    {"reordered",                                      SHAKE "C A 3 0 def; C A 6 0 ghi; C A 0 0 abc",
     "open C\"abcdefghi\" end(capture_end) handshake"                                                                                                                                       },
    {"reversed",                                       SHAKE "C A 6 0 ghi; C A 3 0 def; C A 0 0 abc",
     "open C\"abcdefghi\" end(capture_end) handshake"                                                                                                                                       },
    {"retransmitted",                                  SHAKE "C A 0 0 abc; C A 0 0 abc; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"                                                                                                                                            },
    {"retransmitted with more",                        SHAKE "C A 0 0 abc; C A 0 0 abcde",
     "open C\"abcde\" end(capture_end) handshake"                                                                                                                                           },
    {"retransmitted with other bytes",
     SHAKE "C A 0 0 abc; C A 0 0 xyz; C A 3 0 d",
     "open C\"abc\" odd(C,overlap_differs,0,\"xyz\") C\"d\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"other bytes after the ACK say nothing",
     SHAKE "C A 0 0 abc; S A 0 3; C A 0 0 xyz; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"                                                                                                                                            },
    {"early bytes win",                                SHAKE "C A 3 0 def; C A 0 0 abcDEF; C A 6 0 g",
     "open odd(C,overlap_differs,3,\"DEF\") C\"abcdefg\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"early bytes the same",                           SHAKE "C A 3 0 def; C A 0 0 abcdefg",
     "open C\"abcdefg\" end(capture_end) handshake"                                                                                                                                         },
    {"early over early",                               SHAKE "C A 4 0 ef; C A 2 0 cdEFg; C A 0 0 ab",
     "open odd(C,overlap_differs,4,\"EF\") C\"abcdefg\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"early around early",
     SHAKE "C A 2 0 c; C A 4 0 e; C A 1 0 bcdef; C A 0 0 a",
     "open C\"abcdef\" end(capture_end) handshake"                                                                                                                                          },
    {"one byte at a time",                             SHAKE "C A 0 0 a; C A 2 0 c; C A 1 0 b; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"                                                                                                                                            },
    {"a copy by the mirror",                           SHAKE "C A 0 0 abc; =C A 0 0 abc; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"                                                                                                                                            },
 /* ---- holes ---- */
    {"lost and acknowledged",                          SHAKE "C A 0 0 ab; C A 5 0 fg; S A 0 7; +700",
     "open C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"                                                                                                                             },
    {"lost and not acknowledged: wait longer",
     SHAKE "S A 0 0 220; C A 0 3 ab; C A 5 3 fg; +4000; C A 2 3 cde",
     "open S\"220\" C\"abcdefg\" end(capture_end) handshake"                                                                                                                                },
    {"not for ever",
     SHAKE "S A 0 0 2; C A 0 1 ab; C A 5 1 fg; +5200; C A 2 1 cde",
     "open S\"2\" C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"                                                                                                                      },
    {"each hole in its turn",
     SHAKE "S A 0 0 2; C A 1 1 b; C A 3 1 d; +4900; "
           "C A 0 1 a; +4900; C A 2 1 c",                                                                           "open S\"2\" C\"abcd\" end(capture_end) handshake"                      },
    {"two holes in a capture of one side",
     "C S -1; C A 1 0 b; C A 3 0 d; C A 4 0 e; +700; C A 5 0 f",                                                    "open gap(C,1) C\"b\" gap(C,1) C\"def\" end(capture_end)"               },
    {"acknowledged in part",
     SHAKE "C A 0 0 a; C A 5 0 fg; S A 0 3; +700; "
           "C A 3 0 de",                                                                                            "open C\"a\" gap(C,2) C\"defg\" end(capture_end) handshake"             },
    {"data after its own ACK",                         SHAKE "S A 0 4; C A 0 0 EHLO; S A 0 4 250; +700",
     "open C\"EHLO\" S\"250\" end(capture_end) handshake"                                                                                                                                   },
    {"the last bytes lost",                            SHAKE "C A 0 0 ab; S A 0 5; +700; S A 0 5 250",
     "open C\"ab\" gap(C,3) S\"250\" end(capture_end) handshake"                                                                                                                            },
    {"an acknowledgement that was false",
     SHAKE "C A 0 0 ab; S A 0 900; +700; C A 2 0 cd; C A 4 0 ef",
     "open C\"ab\" gap(C,898) C\"cdef\" end(capture_end) handshake"                                                                                                                         },
    {"the ACK of a FIN not seen",                      SHAKE "C A 0 0 ab; S A 0 3; +700",
     "open C\"ab\" end(capture_end) handshake"                                                                                                                                              },
    {"bytes before the FIN lost",                      SHAKE "C A 0 0 ab; C AF 5 0; S AF 0 6; +700",
     "open C\"ab\" gap(C,3) end(fin) handshake"                                                                                                                                             },
    {"holes at the end of the capture",                SHAKE "C A 3 0 d; C A 5 0 f",
     "open gap(C,3) C\"d\" gap(C,1) C\"f\" end(capture_end) handshake"                                                                                                                      },
    {"cut by the capture",                             SHAKE "C A 0 0 ab/5; C A 5 0 fg",
     "open C\"ab\" gap(C,3) C\"fg\" end(capture_end) handshake"                                                                                                                             },
    {"cut and early",                                  SHAKE "C A 2 0 cd/4; C A 6 0 gh; C A 0 0 ab",
     "open C\"abcd\" gap(C,2) C\"gh\" end(capture_end) handshake"                                                                                                                           },
    {"nothing captured",                               SHAKE "C A 0 0 /4; C A 4 0 x",
     "open gap(C,4) C\"x\" end(capture_end) handshake"                                                                                                                                      },
 /* ---- oddities ---- */
    {"keep-alive",                                     SHAKE "C A 0 0 abc; S A 0 3; C A 2 0; C A 2 0 z; C A 3 0 d",
     "open C\"abcd\" end(capture_end) handshake"                                                                                                                                            },
    {"urgent",                                         SHAKE "C AU 0 0 abc",
     "open odd(C,urgent_data,0,\"\") C\"abc\" "
     "end(capture_end) handshake"                                                                                                                                                           },
    {"payload after the FIN",                          SHAKE "C AF 0 0 ab; C A 2 0 xyz; S A 0 3 250",
     "open C\"ab\" odd(C,data_after_fin,2,\"\") S\"250\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"payload over the FIN",                           SHAKE "C AF 3 0; C A 0 0 abcxyz",
     "open odd(C,data_after_fin,3,\"\") C\"abc\" end(capture_end) handshake"                                                                                                                },
    {"FIN before the last data",
     SHAKE "C AF 3 0; S A 0 0 2; C A 0 1 abc; "
           "S AF 1 4",                                                                                              "open S\"2\" C\"abc\" end(fin) handshake"                               },
    {"a wild segment",                                 SHAKE "C A 0 0 ab; C A 90000000 0 xy; C A 2 0 cd",
     "open C\"ab\" odd(C,wild_segment,2,\"\") C\"cd\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"an outage longer than any window, acknowledged",
     SHAKE "S A 0 0 220; C A 0 3 ab; C A 90000000 3 xy; S A 3 90000002; "
           "C A 90000002 3 cd",                                                                                     "open S\"220\" C\"ab\" odd(C,wild_segment,2,\"\") gap(C,90000000) C\"cd\" "
     "end(capture_end) handshake"                                                                                                                            },
    {"the same in a capture of one side",
     "C S -1; C A 0 0 ab; C A 90000000 0 xy; C A 90000002 0 cd; "
     "C A 90000004 0 ef",                                                                                           "open C\"ab\" odd(C,wild_segment,2,\"\") odd(C,wild_segment,2,\"\") "
     "odd(C,wild_segment,2,\"\") gap(C,90000002) C\"ef\" end(capture_end)"                                                                                         },
 /* ---- ends ---- */
    {"RST with the next number",
     SHAKE "C A 0 0 abc; C R 3; +1900; S A 0 3 x; +200",
     "open C\"abc\" S\"x\" end(rst) handshake"                                                                                                                                              },
    {"RST with the number last acknowledged",
     SHAKE "C A 0 0 ab; S A 0 2; "
           "C A 2 0 c; C R 2; +2200",                                                                               "open C\"abc\" end(rst) handshake"                                      },
    {"RST elsewhere",                                  SHAKE "C A 0 0 abc; S A 0 3; C R 400; C A 3 0 d",
     "open C\"abc\" odd(C,rst_ignored,3,\"\") C\"d\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"RST ahead, where bytes are missing",
     SHAKE "C A 0 0 a; C A 3 0 d; C R 40; "
           "+2200",                                                                                                 "open C\"a\" gap(C,2) C\"d\" end(rst) handshake"                        },
    {"RST after a FIN",                                SHAKE "C AF 0 0 abc; C R 4; +2200",
     "open C\"abc\" end(rst) handshake"                                                                                                                                                     },
    {"RST whose sender goes on",                       SHAKE "C A 0 0 abc; C R 3; C A 3 0 d; +3000",
     "open C\"abc\" odd(C,rst_ignored,3,\"\") C\"d\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"RST whose sender only repeats",
     SHAKE "C A 0 0 abc; C R 3; C A 0 0 abc; "
           "+3000",                                                                                                 "open C\"abc\" end(rst) handshake"                                      },
    {"its sender goes on after the end",
     SHAKE "C A 0 0 abc; C R 3; +3000; "
           "C A 3 0 d",                                                                                             "open C\"abc\" end(rst) handshake open C\"d\" "
     "end(capture_end) midstream"                                                                                                                                    },
    {"one FIN, then silence",                          SHAKE "S A 0 0 2; C AF 0 1; S A 1 1; +900500",
     "open S\"2\" end(timeout) handshake"                                                                                                                                                   },
    {"the last ACK after both FINs",
     SHAKE "C AF 0 0 ab; S AF 0 3 xyz; C A 3 4; C A 3 4 cd",
     "open C\"ab\" S\"xyz\" end(fin) handshake"                                                                                                                                             },
    {"a RST in its place",                             SHAKE "C AF 0 0 ab; S AF 0 3 xyz; C R 3; C A 3 0 cd",
     "open C\"ab\" S\"xyz\" end(fin) handshake"                                                                                                                                             },
    {"no last ACK",
     SHAKE "C AF 0 0 ab; S AF 0 3 xyz; +900; C A 3 0 cd; +1200; C A 3 0 cd",
     "open C\"ab\" S\"xyz\" odd(C,data_after_fin,2,\"\") end(fin) "
     "handshake"                                                                                                                                                                            },
    {"a capture that ends before it",                  SHAKE "C AF 0 0 ab; S AF 0 3 xyz",
     "open C\"ab\" S\"xyz\" end(fin) handshake"                                                                                                                                             },
    {"new SYN before it",
     SHAKE "C AF 0 0 ab; S AF 0 3 xyz; C S 700; S SA 900 701; C A 701 901 x",
     "open C\"ab\" S\"xyz\" end(fin) handshake open C\"x\" "
     "end(capture_end) handshake"                                                                                                                                                           },
    {"late copies after the end",
     SHAKE "C AF 0 0 ab; S AF 0 3; C A 3 1; "
           "C A 0 0 ab; S R 1; C S -1; +6000",                                                                      "open C\"ab\" end(fin) handshake"                                       },
    {"idle",                                           SHAKE "C A 0 0 ab; +899000; C A 2 0 c; +899000; +3000",
     "open C\"abc\" end(timeout) handshake"                                                                                                                                                 },
    {"years",                                          SHAKE "C A 0 0 ab; C A 4 0 e; +4000000000; S A 0 0 2",
     "open C\"ab\" gap(C,2) C\"e\" end(timeout) handshake open S\"2\" "
     "end(capture_end) midstream"                                                                                                                                                           },
    {"new SYN after the end",
     SHAKE "C AF 0 0 ab; S AF 0 3; C S 700; "
           "S SA 900 701; C A 701 901 x",                                                                           "open C\"ab\" end(fin) handshake open C\"x\" end(capture_end) handshake"},
    {"new SYN after a minute",                         SHAKE "C A 0 0 ab; +61000; C S 700; C A 701 0 x",
     "open C\"ab\" end(replaced) handshake open C\"x\" end(capture_end)"                                                                                                                    },
    {"new SYN before",                                 SHAKE "C A 0 0 ab; C S 700; C A 2 0 c",
     "open C\"ab\" odd(C,syn_changed,2,\"\") C\"c\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
    {"new SYN before, and answered",
     SHAKE "C A 0 0 ab; C S 700; "
           "S SA 900 701; C A 701 901 x",                                                                           "open C\"ab\" odd(C,syn_changed,2,\"\") end(replaced) handshake "
     "open C\"x\" end(capture_end) handshake"                                                                                                      },
    {"another SYN-ACK",                                SHAKE "C A 0 0 ab; S SA 500 0; C A 2 0 c",
     "open C\"ab\" odd(S,syn_changed,0,\"\") C\"c\" end(capture_end) "
     "handshake"                                                                                                                                                                            },
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
    (void)net_finish(k->net, NULL, NULL);
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

/* The same on a port that is not listed. */
static const struct {
    const char *why, *script, *want;
} odd_ports[] = {
    {"the server's banner decides",               SHAKE "S A 0 0 22; S A 2 0 0; C A 0 3 EHLO",
     "open S\"220\" C\"EHLO\" end(capture_end) handshake"                                                },
    {"bytes before are kept in their order",
     SHAKE "C A 0 0 EH; C A 2 0 LO; S A 0 4 220; C A 4 3 x",
     "open C\"EHLO\" S\"220\" C\"x\" end(capture_end) handshake"                                         },
    {"what comes before the protocol is skipped",
     SHAKE "C A 0 0 CONN; S A 0 4 220",
     "open S\"220\" end(capture_end) handshake"                                                          },
    {"something else",                            SHAKE "C A 0 0 GET/3; S A 0 3 220; C AF 3 3; +6000", ""},
    {"nothing",                                   SHAKE "+901000",                                     ""},
    {"SYN only",                                  "C S -1; +40000",                                    ""},
    {"reset while looking",                       SHAKE "C A 0 0 EH; C R 2; +3000",                    ""},
    {"reordered while looking",                   SHAKE "S A 2 0 0x; S A 0 0 22",
     "open S\"220x\" end(capture_end) handshake"                                                         },
    {"lost while looking",                        SHAKE "S A 3 0 x; C A 0 4; +700; S A 4 0 220",       ""},
    {"a new connection after something else",
     SHAKE "C A 0 0 GET; C S 700; S SA 900 701; S A 901 701 220",
     "open S\"220\" end(capture_end)"                                                                    },
    {"not known at the end",                      SHAKE "C A 0 0 EH",                                  ""},
};

static void
test_odd_ports(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd_ports); i++)
        bad += !run_case(odd_ports[i].why, odd_ports[i].script,
                         odd_ports[i].want, 2526);
    assert_int_equal(bad, 0);
}

/* ---- counters ---- */

static const struct {
    const char *why, *script;
    uint32_t packets, retransmitted, duplicates, reordered, differ, gaps;
} counted[] = {
    {"in order",                       SHAKE "C A 0 0 ab; C A 2 0 cd",              4, 0, 0, 0, 0, 0},
    {"a copy",                         SHAKE "C A 0 0 ab; =C A 0 0 ab",             3, 0, 1, 0, 0, 0},
    {"a copy after the next",          SHAKE "C A 0 0 ab; C A 2 0 cd; =C A 0 0 ab", 5, 1,
     0,                                                                                      0, 0, 0},
    {"sent again",                     SHAKE "C A 0 0 ab; C A 0 0 ab",              4, 1, 0, 0, 0, 0},
    {"no identification, at once",     SHAKE "0C A 0 0 ab; 0C A 0 0 ab",            3, 0, 1, 0,
     0,                                                                                            0},
    {"no identification, later",       SHAKE "0C A 0 0 ab; +2; 0C A 0 0 ab",        4, 1, 0,
     0,                                                                                         0, 0},
    {"bare ACKs without it",           SHAKE "0C A 0 0; 0C A 0 0; C A 0 0 ab",      5, 0, 0, 0,
     0,                                                                                            0},
    {"identification again, too late", SHAKE "C A 0 0 ab; +200; =C A 0 0 ab",       4,
     1,                                                                                   0, 0, 0, 0},
    {"reordered",                      SHAKE "C A 2 0 cd; C A 0 0 ab",              4, 0, 0, 1, 0, 0},
    {"other bytes",                    SHAKE "C A 0 0 ab; C A 0 0 xy",              4, 1, 0, 0, 1, 0},
    {"keep-alive",                     SHAKE "C A 0 0 ab; S A 0 2; C A 1 0 x",      4, 0, 0, 0, 0, 0},
    {"lost",                           SHAKE "C A 0 0 ab; S A 0 4; +900",           3, 0, 0, 0, 0, 1},
};

static void
test_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
        struct kit *k = kit_new();
        const struct flow_half *h;

        assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
        kit_run(k, counted[i].script, 25);
        assert_int_equal(k->n, 1);
        h = &k->f[0].flow->half[DIR_C2S];
        if (h->packets != counted[i].packets ||
            h->retransmitted != counted[i].retransmitted ||
            h->duplicates != counted[i].duplicates ||
            h->reordered != counted[i].reordered ||
            h->overlaps_differ != counted[i].differ ||
            h->gaps != counted[i].gaps)
            fail_msg("%s: packets %u retransmitted %u duplicates %u reordered "
                     "%u differ %u gaps %u",
                     counted[i].why, (unsigned)h->packets, h->retransmitted,
                     h->duplicates, h->reordered, h->overlaps_differ, h->gaps);
        (void)net_finish(k->net, NULL, NULL);
        kit_free(k);
    }
}

/* ---- peer_acked, facts ---- */

struct chunks {
    struct chunk c[16];
    size_t n;
    char text[16];          /* all of them, as far as there is room */
    unsigned asked, let_go; /* the second opinion */
    uint8_t found_by;
};

static void *
chunks_open(void *ctx, struct flow *f, ns_t when)
{
    struct chunks *all = ctx;

    (void)when;
    all->found_by = f->found_by;
    return ctx;
}

static void
chunks_data(void *session, const struct chunk *c)
{
    struct chunks *all = session;
    const size_t n = strlen(all->text);

    memcpy(all->text + n, c->data.p,
           span_head(c->data, sizeof(all->text) - 1 - n).n);
    if (all->n < ARRAY_LEN(all->c))
        all->c[all->n++] = *c;
}

static void
chunks_gap(void *session, enum dir d, uint64_t lost, ns_t when)
{
    (void)session, (void)d, (void)lost, (void)when;
}

static ns_t
chunks_wants(const void *session)
{
    (void)session;
    return 0;
}

static void
chunks_end(void *session, enum end_why why, ns_t when)
{
    (void)session, (void)why, (void)when;
}

static int
chunks_probe(struct span c2s, struct span s2c, size_t skip[2])
{
    (void)c2s, (void)skip;
    return s2c.n > 0;
}

static const struct stream_ops chunks_ops = {
    .open = chunks_open,
    .data = chunks_data,
    .gap = chunks_gap,
    .wants_tick = chunks_wants,
    .end = chunks_end,
    .probe = chunks_probe,
};

/* No at a "-", else not yet. */
static int
unsure_probe(struct span c2s, struct span s2c, size_t skip[2])
{
    (void)s2c, (void)skip;
    return span_find(c2s, '-') < c2s.n ? -1 : 0;
}

/* Yes at a "y", no at an "n", else not yet: and then it has a state. */
static int
unsure_second(void *ctx, const struct flow *f, void **state, struct span c2s,
              struct span s2c)
{
    struct chunks *all = ctx;
    const bool yes = span_find(c2s, 'y') < c2s.n;
    const bool no = span_find(c2s, 'n') < c2s.n;

    (void)f, (void)s2c;
    REQUIRE(*state == NULL || *state == ctx);
    all->asked++;
    *state = yes || no ? NULL : ctx;
    return yes ? FLOW_FOUND_NDPI : no ? -1 : 0;
}

static void
unsure_second_end(void *ctx, const struct flow *f, void **state)
{
    struct chunks *all = ctx;

    (void)f;
    REQUIRE(*state == ctx);
    *state = NULL;
    all->let_go++;
}

static const struct stream_ops unsure_ops = {
    .open = chunks_open,
    .data = chunks_data,
    .gap = chunks_gap,
    .wants_tick = chunks_wants,
    .end = chunks_end,
    .probe = unsure_probe,
    .second = unsure_second,
    .second_end = unsure_second_end,
};

/* A net that has run the script; all must outlive it. */
static struct kit *
ops_run(struct chunks *all, const struct stream_ops *ops, const char *script,
        uint16_t port)
{
    struct kit *k = kit_new();
    struct net_options o = {.n_workers = 1,
                            .ports = kit_ports,
                            .n_ports = 4,
                            .memory_max = 1 << 30,
                            .flows_max = 1000,
                            .ops = ops,
                            .ops_ctx = all};

    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    net_free(k->net);
    assert_int_equal(net_new(&o, &k->net), ERR_OK);
    kit_run(k, script, port);
    return k;
}

static struct kit *
chunks_run(struct chunks *all, const char *script, uint16_t port)
{
    return ops_run(all, &chunks_ops, script, port);
}

static void
test_second_opinion(void **state)
{
    static const struct {
        const char *why, *script, *data;
        unsigned asked, let_go, found_by;
    } rows[] = {
        {"it says yes, the other not yet", SHAKE "C A 0 0 y",                           "y",  1, 0,
         FLOW_FOUND_NDPI                                                                                           },
        {"it says yes, the other no",      SHAKE "C A 0 0 -y",                          "-y", 1, 0,
         FLOW_FOUND_NDPI                                                                                           },
        {"yes after no of the other",      SHAKE "C A 0 0 -; C A 1 0 y",                "-y", 2, 0,
         FLOW_FOUND_NDPI                                                                                           },
        {"both say no",                    SHAKE "C A 0 0 -n; C A 2 0 y",               "",   1, 0,
         FLOW_FOUND_PORT                                                                                           },
        {"its no is its last word",        SHAKE "C A 0 0 n; C A 1 0 y",                "",   1, 0,
         FLOW_FOUND_PORT                                                                                           },
        {"the connection ends before",     SHAKE "C A 0 0 -; C AR 1 0; +3000",          "",
         1,                                                                                      1, FLOW_FOUND_PORT},
        {"bytes are lost before",          SHAKE "C A 0 0 -; C A 2 0 y; S A 0 3; +900",
         "",                                                                                  1, 1, FLOW_FOUND_PORT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chunks all = {.n = 0};
        struct kit *k = ops_run(&all, &unsure_ops, rows[i].script, 9925);

        (void)net_finish(k->net, NULL, NULL);
        if (all.asked != rows[i].asked || all.let_go != rows[i].let_go ||
            all.found_by != rows[i].found_by)
            fail_msg("%s: asked %u, let go %u, found by %u", rows[i].why,
                     all.asked, all.let_go, all.found_by);
        assert_string_equal(all.text, rows[i].data);
        kit_free(k);
    }
}

static void
test_peer_acked(void **state)
{
    static const struct {
        const char *why, *script;
        uint64_t want[4];
    } rows[] = {
        {"each segment's own",
         SHAKE "S A 0 0 220; C A 0 3 E; C A 2 9 O; "
               "C A 1 3 H",                                          {0, 3, 3, 9}                            },
        {"nothing of the server seen",
         "C S -1; C A 0 0 E; C A 1 9 H",                             {STREAM_ACK_UNKNOWN, STREAM_ACK_UNKNOWN}},
        {"midstream",
         "C A 50 70 E; S A 70 51 2; C A 51 71 H",                    {STREAM_ACK_UNKNOWN, 1, 1}              },
        {"no ACK bit",                 SHAKE "S A 0 0 2; C - 0 0 E", {0, STREAM_ACK_UNKNOWN}                 },
        {"absurd",
         SHAKE "S A 0 0 2; C A 0 90000000 E",
         {0, STREAM_ACK_UNKNOWN}                                                                             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chunks all = {.n = 0};
        struct kit *k = chunks_run(&all, rows[i].script, 25);

        for (size_t j = 0; j < all.n; j++) {
            if (all.c[j].peer_acked != rows[i].want[j])
                fail_msg("%s: chunk %zu acked %llu", rows[i].why, j,
                         (unsigned long long)all.c[j].peer_acked);
        }
        (void)net_finish(k->net, NULL, NULL);
        kit_free(k);
    }
}

/* Times in ms after the first packet. */
static void
test_seen(void **state)
{
    static const struct {
        const char *why, *script;
        uint16_t port;
        struct {
            unsigned seen, when;
        } want[4];
    } rows[] = {
        {"in order",
         SHAKE "S A 0 0 220; C A 0 3 E; +20; C A 1 3 H",
         25,   {{4, 4}, {5, 5}, {26, 26}}           },
        {"behind a hole that was filled",
         SHAKE "C A 0 0 E; C A 2 0 L; +20; C A 1 0 H",
         25,   {{4, 4}, {26, 26}, {5, 26}}          },
        {"behind a hole that was given up",
         SHAKE "C A 0 0 E; C A 2 0 L; S A 0 3; +900",
         25,   {{4, 4}, {5, 600}}                   },
        {"a segment cut by one that waits",
         SHAKE "C A 0 0 E; C A 2 0 L; +20; C A 1 0 HLO",
         25,   {{4, 4}, {26, 26}, {5, 26}, {26, 26}}},
        {"held back while the protocol is not known",
         SHAKE "C A 0 0 E; +20; C A 1 0 H; +20; S A 0 2 220",
         9925, {{25, 46}, {46, 46}}                 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chunks all = {.n = 0};
        struct kit *k = chunks_run(&all, rows[i].script, rows[i].port);

        for (size_t j = 0; j < ARRAY_LEN(rows[i].want); j++) {
            ns_t seen = j < all.n ? all.c[j].seen - KIT_START : 0;
            ns_t when = j < all.n ? all.c[j].when - KIT_START : 0;

            if (seen != rows[i].want[j].seen * NS_PER_MS ||
                when != rows[i].want[j].when * NS_PER_MS)
                fail_msg("%s: chunk %zu of %zu seen %llu told %llu",
                         rows[i].why, j, all.n,
                         (unsigned long long)(seen / NS_PER_MS),
                         (unsigned long long)(when / NS_PER_MS));
        }
        (void)net_finish(k->net, NULL, NULL);
        kit_free(k);
    }
}

/* A packet whose clock is behind: its own time, and stream time as it was. */
static void
test_seen_late(void **state)
{
    struct chunks all = {.n = 0};
    struct kit *k = chunks_run(&all, SHAKE "C A 0 0 E; +50", 25);

    (void)state;
    k->now -= 20 * NS_PER_MS;
    kit_run(k, "C A 1 0 H", 25);
    assert_int_equal(all.n, 2);
    assert_int_equal(all.c[1].seen - KIT_START, 35 * NS_PER_MS);
    assert_int_equal(all.c[1].when - KIT_START, 54 * NS_PER_MS);
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

/* ---- every offset ---- */

#define WORDS "EHLO mail.example MAIL FROM:<a@b> RCPT TO:<c@d> DATA"

/* One segment of len bytes at from is never seen; cut is the size of others. */
static void
lose(enum dir d, size_t from, size_t len, size_t cut)
{
    struct kit *k = kit_new();
    struct span all = SPAN_LIT(WORDS);
    char want[128];

    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    kit_run(k, SHAKE "S A 0 0 2", 25);
    for (size_t at = 0; at < all.n;) {
        size_t to = at < from ? from : at < from + len ? from + len : all.n;
        size_t n = to - at < cut || at == from ? to - at : cut;
        struct decoded p = kit_segment(
            k,
            (struct kit_seg){0, 25, d, TCP_ACK, (uint32_t)at + (d == DIR_S2C),
                             d == DIR_C2S, span_head(span_tail(all, at), n)});

        if (at != from)
            kit_put(k, &p);
        at += n;
    }
    kit_run(k, d == DIR_C2S ? "S A 1 52 x; +800" : "C A 0 53 x; +800", 25);
    (void)snprintf(want, sizeof(want), "%s" WORDS, d == DIR_S2C ? "2" : "");
    memset(want + (d == DIR_S2C) + from, '?', len);
    assert_int_equal(k->f[0].flow->half[d].lost, len);
    assert_int_equal(k->f[0].flow->half[d].gaps, 1);
    if (!span_eq(buf_view(&k->f[0].bytes[d]), span_str(want)))
        fail_msg("lost %zu at %zu: %.*s", len, from, (int)k->f[0].bytes[d].n,
                 (const char *)k->f[0].bytes[d].p);
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

static void
test_gap_everywhere(void **state)
{
    size_t n = sizeof(WORDS) - 1;

    (void)state;
    assert_int_equal(n, 52);
    for (unsigned d = 0; d < 2; d++) {
        for (size_t from = 0; from < n; from++) {
            /* a last byte alone is taken for a FIN */
            for (size_t len = from + 1 == n ? 2 : 1; len <= 9; len += 4) {
                if (from + len <= n)
                    lose((enum dir)d, from, len, 1 + len % 7);
            }
        }
    }
}

/* ---- any cut, any order, any number of copies ---- */

static uint64_t
rnd(uint64_t *seed, uint64_t n)
{
    *seed = hash_mix(*seed, 1);
    return *seed % n;
}

#define STREAM_N 3000
#define SEGS_MAX 4000

struct seg {
    uint16_t off;
    uint16_t n;
    uint8_t dir;
};

static size_t
cut_streams(uint64_t *seed, struct seg *seg)
{
    uint16_t at[2] = {0, 0};
    uint64_t max = 1 + rnd(seed, 200);
    size_t n = 0;

    while (at[0] < STREAM_N || at[1] < STREAM_N) {
        unsigned d = (unsigned)rnd(seed, 2);
        uint16_t len = (uint16_t)(1 + rnd(seed, max));

        if (at[d] >= STREAM_N)
            continue;
        if (len > STREAM_N - at[d])
            len = (uint16_t)(STREAM_N - at[d]);
        for (uint64_t copies = rnd(seed, 8) == 0; n < SEGS_MAX; copies--) {
            uint16_t back = (uint16_t)(copies ? rnd(seed, 30) : 0);

            back = back < at[d] ? back : at[d];
            seg[n++] = (struct seg){(uint16_t)(at[d] - back),
                                    (uint16_t)(len + back), (uint8_t)d};
            if (copies == 0)
                break;
        }
        at[d] = (uint16_t)(at[d] + len);
    }
    for (size_t i = 0; i + 1 < n; i++) { /* a window of 8 */
        size_t j = i + rnd(seed, n - i < 8 ? n - i : 8);
        struct seg s = seg[i];

        seg[i] = seg[j];
        seg[j] = s;
    }
    return n;
}

static void
random_run(uint64_t seed, struct seg *seg, uint8_t bytes[2][STREAM_N])
{
    struct kit *k = kit_new();
    size_t n;

    for (size_t i = 0; i < STREAM_N; i++) {
        bytes[0][i] = (uint8_t)rnd(&seed, 256);
        bytes[1][i] = (uint8_t)rnd(&seed, 256);
    }
    n = cut_streams(&seed, seg);
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    k->isn[0] = (uint32_t)rnd(&seed, UINT32_MAX);
    k->isn[1] = UINT32_MAX - (uint32_t)rnd(&seed, STREAM_N);
    kit_run(k, SHAKE, 25);
    for (size_t i = 0; i < n; i++) {
        struct decoded p = kit_segment(
            k, (struct kit_seg){
                   0, 25, (enum dir)seg[i].dir, TCP_ACK, seg[i].off, 0,
                   span_of(bytes[seg[i].dir] + seg[i].off, seg[i].n)});

        k->now += NS_PER_MS;
        kit_put(k, &p);
    }
    for (unsigned d = 0; d < 2; d++) {
        assert_int_equal(k->f[0].flow->half[d].overlaps_differ, 0);
        assert_int_equal(k->f[0].bytes[d].n, STREAM_N);
        assert_memory_equal(k->f[0].bytes[d].p, bytes[d], STREAM_N);
    }
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

static void
test_random(void **state)
{
    struct seg *seg = calloc(SEGS_MAX, sizeof(*seg));
    uint8_t(*bytes)[STREAM_N] = calloc(2, STREAM_N);

    (void)state;
    assert_non_null(seg);
    assert_non_null(bytes);
    for (uint64_t seed = 1; seed <= 60; seed++)
        random_run(seed, seg, bytes);
    free(seg);
    free(bytes);
}

/* ---- workers ---- */

/* Many connections at once: talk, loss, floods, ends. */
static void
crowd(struct kit *k, unsigned n_conn, unsigned n_packets)
{
    uint64_t seed = 7;
    uint16_t *at = calloc(n_conn, sizeof(*at));

    assert_non_null(at);
    for (unsigned i = 0; i < n_packets; i++) {
        unsigned c = (unsigned)rnd(&seed, n_conn);
        unsigned what = (unsigned)rnd(&seed, 40);
        enum dir d = rnd(&seed, 3) == 0 ? DIR_S2C : DIR_C2S;
        unsigned flags = what == 0   ? TCP_FIN | TCP_ACK
                         : what == 1 ? TCP_RST
                         : what == 2 ? TCP_SYN
                                     : TCP_ACK;
        uint32_t seq = d == DIR_C2S ? at[c] : 0;
        struct span data = flags != TCP_ACK ? SPAN_NONE : SPAN_LIT("MAIL FROM");
        struct decoded p;

        if (what == 3)
            at[c] = (uint16_t)(at[c] + 20); /* loss */
        p = kit_segment(
            k, (struct kit_seg){c, rnd(&seed, 4) == 0 ? 8080 : 25, d, flags,
                                what == 2 ? (uint32_t)rnd(&seed, 3) : seq,
                                d == DIR_S2C ? at[c] : 0, data});
        if (d == DIR_C2S)
            at[c] = (uint16_t)(at[c] + data.n);
        k->now += rnd(&seed, 20) * NS_PER_MS;
        kit_put(k, &p);
    }
    free(at);
}

/* Sum over flows of their calls' hashes: equal when each flow's calls are. */
static uint64_t
crowd_hash(unsigned n_workers, uint64_t memory, uint32_t flows,
           struct net_stats *sum)
{
    uint64_t all = 0;

    *sum = (struct net_stats){0};
    for (unsigned w = 0; w < n_workers; w++) {
        struct kit *k = kit_new();
        const struct net_stats *s;

        assert_int_equal(kit_begin(k, w, n_workers, memory, flows), ERR_OK);
        crowd(k, 200, 20000);
        (void)net_finish(k->net, NULL, NULL);
        assert_int_equal(k->n_open, 0);
        all += k->sum;
        s = net_stats(k->net);
        assert_int_equal(s->flows_open, 0);
        sum->packets += s->packets;
        sum->flows += s->flows;
        sum->evicted += s->evicted;
        sum->lost += s->lost;
        sum->attempts += s->attempts;
        sum->reassembly_dropped += s->reassembly_dropped;
        kit_free(k);
    }
    return all;
}

static void
test_workers(void **state)
{
    static const struct {
        const char *why;
        uint64_t memory;
        uint32_t flows;
    } rows[] = {
        {"plenty",        0,                    0 },
        {"few flows",     0,                    64},
        {"little memory", UINT64_C(64) * 23500, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct net_stats one;
        uint64_t want = crowd_hash(1, rows[i].memory, rows[i].flows, &one);

        print_message("%s: flows %llu evicted %llu lost %llu dropped %llu\n",
                      rows[i].why, (unsigned long long)one.flows,
                      (unsigned long long)one.evicted,
                      (unsigned long long)one.lost,
                      (unsigned long long)one.reassembly_dropped);
        assert_int_not_equal(one.flows, 0);
        for (unsigned n = 2; n <= 8; n *= 2) {
            struct net_stats sum;

            if (crowd_hash(n, rows[i].memory, rows[i].flows, &sum) != want)
                fail_msg("%s: other with %u workers", rows[i].why, n);
            assert_int_equal(sum.packets, one.packets * n);
            assert_int_equal(sum.flows, one.flows);
            assert_int_equal(sum.evicted, one.evicted);
            assert_int_equal(sum.lost, one.lost);
            assert_int_equal(sum.attempts, one.attempts);
            assert_int_equal(sum.reassembly_dropped, one.reassembly_dropped);
        }
    }
}

/* ---- caps ---- */

static void
test_flow_cap(void **state)
{
    enum { PER_SHARD = 20 };
    struct kit *k = kit_new();

    (void)state;
    /* flows_max gives each shard 1 more than its share */
    assert_int_equal(kit_begin(k, 0, 1, 0, 64U * (PER_SHARD - 1)), ERR_OK);
    /* some sessions, then a flood of SYNs */
    for (unsigned c = 0; c < 200; c++) {
        struct decoded p =
            kit_segment(k, (struct kit_seg){c, 25, DIR_C2S, TCP_ACK, 0, 0,
                                            SPAN_LIT("MAIL")});

        kit_put(k, &p);
    }
    assert_int_equal(net_stats(k->net)->evicted, 0);
    for (unsigned c = 1000; c < 60000; c++) {
        struct decoded p =
            kit_segment(k, (struct kit_seg){c, 25, DIR_C2S, TCP_SYN, UINT32_MAX,
                                            0, SPAN_NONE});

        kit_put(k, &p);
    }
    assert_true(net_stats(k->net)->flows_open <= 64U * PER_SHARD);
    assert_true(net_stats(k->net)->evicted > 50000);
    assert_int_equal(k->n_open, 200); /* the flood took its own kind */
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

/* Those that only wait for their last ACK go before those at work, and are no
 * loss. */
static void
test_flow_cap_done(void **state)
{
    const struct kit_seg ends[] = {
        {0, 25, DIR_C2S, TCP_ACK | TCP_FIN, 0, 0, SPAN_LIT("QUIT")},
        {0, 25, DIR_S2C, TCP_ACK | TCP_FIN, 0, 5, SPAN_LIT("221") },
    };
    struct kit *k = kit_new();

    (void)state;
    assert_int_equal(kit_begin(k, 0, 1, 0, 64U * 19), ERR_OK);
    for (unsigned c = 0; c < 10000; c++) {
        for (size_t i = 0; i < (c < 200 ? 1 : ARRAY_LEN(ends)); i++) {
            struct kit_seg seg = ends[i];
            struct decoded p;

            seg.conn = c;
            p = kit_segment(k, seg);
            kit_put(k, &p);
        }
    }
    assert_int_equal(net_stats(k->net)->evicted, 0);
    assert_true(k->n_open > 200 && k->n_open <= 64U * 20);
    k->now += 1100 * NS_PER_MS;
    (void)net_time(k->net, k->now);
    assert_int_equal(k->n_open, 200);
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

/* Early bytes of many connections: the oldest hole is given up. */
static void
test_memory_cap(void **state)
{
    static const uint8_t block[1000];
    struct kit *k = kit_new();
    uint64_t max = UINT64_C(64) * 100000;
    uint64_t most = 0;

    (void)state;
    assert_int_equal(kit_begin(k, 0, 1, max, 0), ERR_OK);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned c = 0; c < 250; c++) {
            struct decoded p = kit_segment(
                k, (struct kit_seg){c, 25, DIR_C2S, TCP_ACK,
                                    i > 0 ? 1000U * i + 5 : 0, 0,
                                    span_of(block, i > 0 ? 1000 : 5)});

            k->quiet = true;
            if (i == 1)
                p.seq += 500;
            if (i == 1)
                p.payload.n = p.payload_len = 500;
            kit_put(k, &p);
        }
        most = net_stats(k->net)->memory_bytes > most
                   ? net_stats(k->net)->memory_bytes
                   : most;
    }
    print_message("most %llu of %llu, dropped %llu\n", (unsigned long long)most,
                  (unsigned long long)max,
                  (unsigned long long)net_stats(k->net)->reassembly_dropped);
    assert_true(most <= max);
    assert_true(net_stats(k->net)->reassembly_dropped > 0);
    (void)net_finish(k->net, NULL, NULL);
    assert_int_equal(k->n_open, 0);
    kit_free(k);
}

static const struct {
    const char *why;
    size_t bytes;
    size_t n;
    bool full;
} early_rows[] = {
    {"below",           900,  50,  false},
    {"many small ones", 1,    511, false},
    {"one more",        1,    513, true },
    {"too many bytes",  1400, 200, true },
};

static void
test_early_cap(void **state)
{
    static const uint8_t block[2000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(early_rows); i++) {
        size_t len = early_rows[i].bytes;
        struct kit *k = kit_new();

        assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
        kit_run(k, SHAKE "S A 0 0 2", 25);
        for (size_t j = 0; j < early_rows[i].n; j++) {
            struct decoded p =
                kit_segment(k, (struct kit_seg){0, 25, DIR_C2S, TCP_ACK,
                                                (uint32_t)(7 + j * (len + 1)),
                                                0, span_of(block, len)});

            kit_put(k, &p);
        }
        if ((span_search(buf_view(&k->f[0].text), SPAN_LIT("reassembly_full")) <
             k->f[0].text.n) != early_rows[i].full)
            fail_msg("%s", early_rows[i].why);
        (void)net_finish(k->net, NULL, NULL);
        kit_free(k);
    }
}

/* Each allocation fails once; nothing is lost but what it was for. */
static void
test_no_memory(void **state)
{
    unsigned n = 1;

    (void)state;
    for (bool more = true; more; n++) {
        struct kit *k = kit_new();

        k->deny_in = n;
        assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
        kit_run(k,
                SHAKE "S A 0 0 220; C A 3 3 def; C A 8 3 i; C A 0 3 abc; "
                      "C A 6 3 gh; C A 20 3 x; C AF 21 3; S AF 3 22; +6000",
                25);
        kit_run(k, SHAKE "C A 0 0 EHLO; S A 2 4 0; S A 0 4 22", 2526);
        (void)net_finish(k->net, NULL, NULL);
        assert_int_equal(k->n_open, 0);
        more = k->n_alloc >= n;
        kit_free(k);
    }
    assert_true(n > 8);
}

/* ---- time ---- */

static void
test_ticks(void **state)
{
    struct kit *k = kit_new();

    (void)state;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    kit_run(k, SHAKE "C A 0 0 a", 25);
    k->f[0].wants = KIT_START + 250 * NS_PER_MS;
    kit_run(k, "C A 1 0 b; +200; C A 2 0 c; +100; +5000", 25);
    assert_int_equal(k->tick, KIT_START + 5300 * NS_PER_MS);
    k->f[0].wants = KIT_START; /* past: the next tick */
    kit_run(k, "C A 3 0 d; +100", 25);
    (void)net_finish(k->net, NULL, NULL);
    assert_string_equal(
        (buf_putc(&k->f[0].text, 0), (const char *)k->f[0].text.p),
        "open C\"abc\" tick(300) C\"d\" tick(5400) end(capture_end) handshake");
    kit_free(k);
}

static void
test_ties(void **state)
{
    struct kit *k = kit_new();
    struct decoded p;

    (void)state;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    p = kit_segment(
        k, (struct kit_seg){0, 25, DIR_C2S, TCP_ACK, 0, 0, SPAN_LIT("x")});
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(net_segment(k->net, &p, 0, 65536, KIT_START + 999),
                         KIT_START + (i < 4 ? 0 : 1000));
    assert_int_equal(net_stats(k->net)->time_ties, 1);
    assert_int_equal(net_segment(k->net, &p, 0, 60, KIT_START - NS_PER_S),
                     KIT_START + 1000);
    assert_int_equal(net_stats(k->net)->time_backward, 1);
    assert_int_equal(net_segment(k->net, &p, 0, 60, UINT64_MAX), UINT64_C(1)
                                                                     << 62);
    assert_int_equal(net_segment(k->net, &p, 0, 60, 0), UINT64_C(1) << 62);
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

static void
test_flow_facts(void **state)
{
    struct kit *k = kit_new();
    struct decoded p;
    const struct flow *f;

    (void)state;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    /* the server's side first: roles by port, MACs turned round */
    p = kit_segment(
        k, (struct kit_seg){3, 25, DIR_S2C, TCP_ACK, 0, 0, SPAN_LIT("220")});
    p.vlan[0] = 7;
    p.n_vlan = 1;
    p.tunnel[0] = TUNNEL_GRE;
    p.n_tunnel = 1;
    p.has_mac = true;
    p.mac_src[5] = 1;
    p.mac_dst[5] = 2;
    (void)net_segment(k->net, &p, 9, 60, KIT_START);
    p.vlan[0] = 8; /* the same flow in another VLAN */
    p.seq += 3;
    (void)net_segment(k->net, &p, 9, 60, KIT_START);
    assert_int_equal(k->n, 1);
    f = k->f[0].flow;
    assert_int_equal(f->client_port, 40003);
    assert_int_equal(f->server_port, 25);
    assert_int_equal(f->vlan[0], 7);
    assert_int_equal(f->n_vlan, 1);
    assert_int_equal(f->tunnel[0], TUNNEL_GRE);
    assert_int_equal(f->iface, 9);
    assert_true(f->has_mac && f->midstream);
    assert_int_equal(f->mac_src[5], 2);
    assert_int_equal(f->half[DIR_S2C].ttl, 128);
    assert_int_equal(f->half[DIR_S2C].packets, 2);
    assert_int_equal(f->start, KIT_START);
    (void)net_finish(k->net, NULL, NULL);
    kit_free(k);
}

static void
test_refused_session(void **state)
{
    struct kit *k = kit_new();

    (void)state;
    k->refuse = true;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    kit_run(k, SHAKE "C A 3 0 x; S A 0 0 y; C A 0 0 abc; C AF 4 0; +6000", 25);
    (void)net_finish(k->net, NULL, NULL);
    assert_int_equal(k->n, 0);
    assert_int_equal(k->n_attempts, 0);
    assert_int_equal(net_stats(k->net)->ignored, 1);
    assert_int_equal(net_stats(k->net)->no_memory, 1);
    kit_free(k);
}

/* A timer gives up the bytes before a FIN: the connection whose session is
 * wanted was idle until then, and it is not the one that ends for it. */
static void
test_refused_late(void **state)
{
    struct kit *k = kit_new();

    (void)state;
    k->refuse = true;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    kit_run(k, SHAKE "C AF 5 0; S A 0 6; +60000", 25);
    (void)net_finish(k->net, NULL, NULL);
    assert_int_equal(k->n, 0);
    assert_int_equal(net_stats(k->net)->no_memory, 1);
    assert_int_equal(net_stats(k->net)->evicted, 0);
    kit_free(k);
}

/* Sessions for which the dissector has no room: idle ones of their shard end,
 * and who gets none is counted. The last word of each is heard. */
static void
test_full_dissector(void **state)
{
    struct kit *k = kit_new();
    const struct net_stats *s;

    (void)state;
    k->room = 640;
    assert_int_equal(kit_begin(k, 0, 1, 0, 0), ERR_OK);
    for (unsigned c = 0; c < 5000; c++) {
        struct decoded p = kit_segment(
            k, (struct kit_seg){c, 25, DIR_C2S, TCP_ACK, 0, 0, SPAN_LIT("E")});

        k->now += NS_PER_MS;
        kit_put(k, &p);
        assert_true(k->n_open <= k->room);
    }
    s = net_stats(k->net);
    assert_int_equal(k->n_opened + s->no_memory, 5000);
    assert_int_equal(s->no_memory, s->ignored);
    assert_int_equal(s->evicted, k->n_opened - k->n_open);
    assert_true(s->no_memory < 50);
    (void)net_finish(k->net, NULL, NULL); /* nobody ends for another any more */
    assert_int_equal(net_stats(k->net)->evicted, s->evicted);
    assert_int_equal(k->n_open, 0);
    kit_free(k);
}

/* ---- datagrams ---- */

struct datagrams {
    struct net *net;
    unsigned asked, told;
    uint64_t id[8];
    struct flow last;
    ns_t when;
    bool whole;
};

static bool
datagram_wants(void *ctx, struct span payload)
{
    struct datagrams *g = ctx;

    g->asked++;
    return span_at(payload, 0) != 'n';
}

static void
datagram_data(void *ctx, struct flow *f, struct span payload, bool whole,
              ns_t when)
{
    struct datagrams *g = ctx;

    assert_true(payload.n > 0 && g->told < ARRAY_LEN(g->id));
    g->id[g->told++] = f->id;
    g->last = *f;
    g->whole = whole;
    g->when = when;
}

static const struct datagram_ops datagram_ops = {datagram_wants, datagram_data};

/* Ethernet, IPv4, UDP; the source port of the resolver is its own. */
static void
put_datagram(struct net *n, const char *payload, uint16_t sport, size_t cut,
             ns_t when)
{
    uint8_t b[128] = {[12] = 8, [14] = 0x45, [22] = 64,   [23] = 17, [26] = 192,
                      0,        2,           53,          10,        1,
                      2,        3,           [36] = 0x9c, 0x40};
    size_t n_payload = strlen(payload);
    size_t len = 42 + n_payload;
    struct packet p = {span_of(b, len - cut), (uint32_t)len, 1, 5, when};

    b[17] = (uint8_t)(28 + n_payload);
    b[34] = (uint8_t)(sport >> 8);
    b[35] = (uint8_t)sport;
    b[39] = (uint8_t)(8 + n_payload);
    memcpy(b + 42, payload, n_payload);
    (void)net_packet(n, &p);
}

static struct net *
datagram_net(struct datagrams *g, unsigned worker, unsigned n)
{
    struct net_options o = {.worker = worker,
                            .n_workers = n,
                            .memory_max = 1 << 20,
                            .flows_max = 64,
                            .datagram_port = 53,
                            .datagram_ops = &datagram_ops,
                            .datagram_ctx = g};

    *g = (struct datagrams){.asked = 0};
    assert_int_equal(net_new(&o, &g->net), ERR_OK);
    return g->net;
}

static void
test_datagrams(void **state)
{
    struct datagrams g;
    struct net *n = datagram_net(&g, 0, 1);

    (void)state;
    put_datagram(n, "one", 53, 0, KIT_START + 1500);
    assert_int_equal(g.told, 1);
    assert_int_equal(g.last.client_port, 40000);
    assert_int_equal(g.last.server_port, 53);
    assert_int_equal(g.last.client.b[12], 10);
    assert_int_equal(g.last.server.b[12], 192);
    assert_int_equal(g.last.iface, 5);
    assert_int_equal(g.last.next_seq, 0);
    assert_true(g.whole);
    assert_int_equal(g.when, KIT_START + 1000);
    put_datagram(n, "two", 53, 0, KIT_START + 1500);
    assert_int_not_equal(g.id[0], g.id[1]); /* another payload */
    put_datagram(n, "two", 53, 0, KIT_START + 1500);
    assert_int_equal(g.id[1], g.id[2]);
    put_datagram(n, "two", 53, 0, KIT_START + 2500);
    assert_int_not_equal(g.id[1], g.id[3]); /* another time */
    put_datagram(n, "two", 53, 1, KIT_START + 2500);
    assert_false(g.whole);
    put_datagram(n, "not wanted", 53, 0, KIT_START + 3500);
    put_datagram(n, "of another port", 54, 0, KIT_START + 3500);
    put_datagram(n, "one", 53, 0, KIT_START); /* time does not go back */
    assert_int_equal(g.when, KIT_START + 3000);
    assert_int_equal(g.told, 6);
    assert_int_equal(g.asked, 7);
    assert_int_equal(net_stats(n)->datagrams, 7);
    assert_int_equal(net_stats(n)->other, 8);
    assert_int_equal(net_stats(n)->packets, 8);
    net_free(n);
}

/* Exactly one of n workers tells it, whoever is asked, and all count it. */
static void
test_datagram_workers(void **state)
{
    uint64_t id = 0;

    (void)state;
    for (unsigned n = 1; n <= FLOW_SHARDS; n *= 2) {
        unsigned told = 0;

        for (unsigned w = 0; w < n; w++) {
            struct datagrams g;
            struct net *net = datagram_net(&g, w, n);

            put_datagram(net, "one", 53, 0, KIT_START);
            assert_int_equal(net_stats(net)->datagrams, 1);
            told += g.told;
            if (g.told == 1 && n > 1)
                assert_int_equal(g.id[0], id);
            if (g.told == 1)
                id = g.id[0];
            net_free(net);
        }
        assert_int_equal(told, 1);
    }
}

/* Port 0 of the options, as of a sender that hides its own, tells nothing. */
static void
test_no_datagrams(void **state)
{
    struct datagrams g;
    struct net_options o = {.n_workers = 1,
                            .memory_max = 1 << 20,
                            .flows_max = 64,
                            .datagram_ops = &datagram_ops,
                            .datagram_ctx = &g};
    struct net *n;

    (void)state;
    g = (struct datagrams){.asked = 0};
    assert_int_equal(net_new(&o, &n), ERR_OK);
    put_datagram(n, "one", 53, 0, KIT_START);
    put_datagram(n, "one", 0, 0, KIT_START);
    assert_int_equal(g.asked, 0);
    assert_int_equal(net_stats(n)->datagrams, 0);
    assert_int_equal(net_stats(n)->other, 2);
    net_free(n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_odd_ports),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_peer_acked),
        cmocka_unit_test(test_second_opinion),
        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_seen_late),
        cmocka_unit_test(test_gap_everywhere),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_flow_cap),
        cmocka_unit_test(test_flow_cap_done),
        cmocka_unit_test(test_memory_cap),
        cmocka_unit_test(test_early_cap),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_flow_facts),
        cmocka_unit_test(test_refused_session),
        cmocka_unit_test(test_refused_late),
        cmocka_unit_test(test_full_dissector),
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_datagram_workers),
        cmocka_unit_test(test_no_datagrams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/registry/leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OWN "address,start,end,hardware,name\n"
#define KEA4                                                                   \
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"       \
    "fqdn_rev,hostname,state\n"
#define KEA4_NEW                                                               \
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"       \
    "fqdn_rev,hostname,state,user_context,pool_id\n"
#define KEA6                                                                   \
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,"   \
    "iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,"    \
    "hwtype,hwaddr_source,pool_id\n"
#define KEA6_OLD                                                               \
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,"   \
    "iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname\n"
#define MAC_A  "00:11:22:33:44:0a"
#define MAC_B  "00:11:22:33:44:0b"
#define DUID_A "00:01:00:01:2a:0b:0c:0d:00:11:22:33:44:0a"

/* A file from a heap block of exactly its size. */
static enum err
read_text(struct leases *l, struct span text, size_t *faulty,
          struct buf *messages)
{
    uint8_t *room = malloc(text.n + (text.n == 0));
    enum err e;

    assert_non_null(room);
    if (text.n > 0)
        memcpy(room, text.p, text.n);
    e = leases_read(l, span_of(room, text.n), "f", faulty, messages);
    free(room);
    return e;
}

/* "10.0.0.1 100-200 MAC name\n" for each; the times in seconds. */
static void
print_all(const struct leases *l, struct buf *out)
{
    for (size_t i = 0; i < leases_n(l); i++) {
        const struct lease *x = leases_at(l, i);
        char text[ADDR_TEXT_MAX];

        buf_put(out, text, addr_format(&x->addr, text));
        buf_printf(out, " %llu-", (unsigned long long)(x->start / NS_PER_S));
        if (x->end != LEASES_OPEN)
            buf_u64(out, x->end / NS_PER_S);
        buf_printf(out, " %s %s\n", x->holder, x->name);
    }
}

static const struct {
    const char *why, *first, *second; /* files; second may be NULL */
    const char *want;
    size_t faulty;       /* of both */
    const char *message; /* how messages begin, or NULL */
} files[] = {
  /* CSV */
    {"CSV",                                                  OWN "10.0.0.1,100,200," MAC_A ",pc\n",                NULL,
     "10.0.0.1 100-200 " MAC_A " pc\n",                                                                                                                                                         0, NULL                                     },
    {"CSV, no line end, BOM, CR",
     "\xef\xbb\xbf"
     "address,start\r\n10.0.0.1,100",                                                                              NULL,                                "10.0.0.1 100-  \n",                    0, NULL                                     },
    {"CSV, columns in another order, others passed over",
     "name,Start,x,ADDRESS\npc,100,y,10.0.0.1\n",                                                                  NULL,                                "10.0.0.1 100-  pc\n",
     0,                                                                                                                                                                                            NULL                                     },
    {"CSV, RFC 3339",
     OWN "10.0.0.1,1970-01-01T00:01:40Z,1970-01-01T01:03:20+01:00,,\n",                                            NULL,
     "10.0.0.1 100-200  \n",                                                                                                                                                                    0, NULL                                     },
    {"CSV, never",                                           OWN "10.0.0.1,100,never,,\n",                         NULL,                                "10.0.0.1 100-  \n",                    0,
     NULL                                                                                                                                                                                                                                   },
    {"CSV, quoted",                                          OWN "\"10.0.0.1\",100,200,,\"a, \"\"b\"\"\"\n",       NULL,
     "10.0.0.1 100-200  a, \"b\"\n",                                                                                                                                                            0, NULL                                     },
    {"CSV, IPv6",                                            OWN "2001:db8::1,100,200,,\n",                        NULL,
     "2001:db8::1 100-200  \n",                                                                                                                                                                 0, NULL                                     },
    {"CSV, MAC in capitals with -",                          OWN "10.0.0.1,1,2,00-11-AA-BB-CC-DD,\n",
     NULL,                                                                                                                                              "10.0.0.1 1-2 00:11:aa:bb:cc:dd \n",    0, NULL                                     },
    {"CSV, a holder that is none",                           OWN "10.0.0.1,1,2,hello,\n",                          NULL,
     "10.0.0.1 1-2  \n",                                                                                                                                                                        0, NULL                                     },
    {"CSV, name made printable",                             OWN "10.0.0.1,1,2,,a\033[2Jb\n",                      NULL,
     "10.0.0.1 1-2  a\\x1b[2Jb\n",                                                                                                                                                              0, NULL                                     },
    {"CSV, no address",                                      OWN "host,1,2,,\n10.0.0.1,1,2,,\n",                   NULL,
     "10.0.0.1 1-2  \n",                                                                                                                                                                        1,
     "f:2: \"host\" is not an address; the entry is left out\n"                                                                                                                                                                             },
    {"CSV, no start",                                        OWN "10.0.0.1,,2,,\n",                                NULL,                                "",                                     1,
     "f:2: \"10.0.0.1\" "
     "has no start"                                                                                                                                                                                                                         },
    {"CSV, no end",                                          OWN "\n10.0.0.1,1,x,,\n",                             NULL,                                "",                                     1,
     "f:3: \"10.0.0.1\" has an end that is no time"                                                                                                                                                                                         },
    {"CSV, ends before",                                     OWN "10.0.0.1,2,1,,\n",                               NULL,                                "",                                     1,
     "f:2: \"10.0.0.1\" ends before it begins"                                                                                                                                                                                              },
    {"CSV, time too large",                                  OWN "10.0.0.1,18446744073709551615,,,\n",             NULL,                                "",
     1,                                                                                                                                                                                            "f:2:"                                   },
    {"CSV, a row that is short",                             OWN "10.0.0.1,5\n",                                   NULL,                                "10.0.0.1 5-  \n",                      0,
     NULL                                                                                                                                                                                                                                   },
    {"CSV, head only",                                       OWN,                                                  NULL,                                "",                                     0, NULL                                     },
 /* Kea */
    {"Kea 4",                                                KEA4 "10.0.0.1," MAC_A ",01:02,100,200,1,0,0,pc,0\n", NULL,
     "10.0.0.1 100-200 " MAC_A " pc\n",                                                                                                                                                         0, NULL                                     },
    {"Kea 4, new columns",
     KEA4_NEW "10.0.0.1," MAC_A ",01:02,100,200,1,0,0,pc,0,{ },7\n",                                               NULL,
     "10.0.0.1 100-200 " MAC_A " pc\n",                                                                                                                                                         0, NULL                                     },
    {"Kea 4, client id for want of a MAC",
     KEA4 "10.0.0.1,,01:02,100,200,1,0,0,,0\n",                                                                    NULL,
     "10.0.0.1 100-200 01:02 \n",                                                                                                                                                               0, NULL                                     },
    {"Kea 4, a comma in a name, a quote that is none",
     KEA4 "10.0.0.1,,,100,200,1,0,0,\"a&#x2cb,0\n",                                                                NULL,
     "10.0.0.1 100-200  \"a,b\n",                                                                                                                                                               0, NULL                                     },
    {"Kea 4, a lease without end, as two versions write it",
     KEA4 "10.0.0.1,,,4294967295,4294967395,1,0,0,,0\n"
          "10.0.0.2,,,4294967295,100,1,0,0,,0\n",                                                                  NULL,                                "10.0.0.1 100-  \n10.0.0.2 100-  \n",   0, NULL                                     },
    {"Kea 4, renewed",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1," MAC_A ",,100,250,1,0,0,,0\n",
     NULL,                                                                                                                                              "10.0.0.1 100-250 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, expired and reclaimed",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1," MAC_A ",,100,200,1,0,0,,2\n",
     NULL,                                                                                                                                              "10.0.0.1 100-200 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, given back, when is not known",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1," MAC_A ",,0,100,1,0,0,,0\n",
     NULL,                                                                                                                                              "10.0.0.1 100-200 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, given back, when is known",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1," MAC_A ",,0,150,1,0,0,,0\n",
     NULL,                                                                                                                                              "10.0.0.1 100-150 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, given back by another",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1," MAC_B ",,0,150,1,0,0,,0\n",
     NULL,                                                                                                                                              "10.0.0.1 100-200 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, declined",
     KEA4 "10.0.0.1," MAC_A ",,100,200,1,0,0,,0\n"
          "10.0.0.1,,,86400,86550,1,0,0,,1\n",                                                                     NULL,                                "10.0.0.1 100-150 " MAC_A " \n",        0, NULL                                     },
    {"Kea 4, a lifetime that is none",                       KEA4 "10.0.0.1,,,x,200,1,0,0,,0\n",                   NULL,
     "",                                                                                                                                                                                        1, "f:2: \"10.0.0.1\" has no valid_lifetime"},
    {"Kea 4, older than time",                               KEA4 "10.0.0.1,,,300,200,1,0,0,,0\n",                 NULL,                                "",
     1,                                                                                                                                                                                            "f:2: \"10.0.0.1\" lasts longer"         },
    {"Kea 4, heads within: files put together",
     KEA4 "10.0.0.1,,,1,2,1,0,0,,0\n" KEA4_NEW "10.0.0.2,,,1,2,1,0,0,,0,,\n",
     NULL,                                                                                                                                              "10.0.0.1 1-2  \n10.0.0.2 1-2  \n",     0, NULL                                     },
    {"Kea 6",
     KEA6 "2001:db8::1," DUID_A ",100,200,1,50,0,7,128,0,0,pc,,0,,,,\n",                                           NULL,
     "2001:db8::1 100-200 " DUID_A " pc\n",                                                                                                                                                     0, NULL                                     },
    {"Kea 6, old",
     KEA6_OLD "2001:db8::1," DUID_A ",100,200,1,50,0,7,128,0,0,\n",                                                NULL,
     "2001:db8::1 100-200 " DUID_A " \n",                                                                                                                                                       0, NULL                                     },
    {"Kea 6, the MAC before the DUID",
     KEA6 "2001:db8::1," DUID_A ",100,200,1,50,0,7,128,0,0,," MAC_A ",0,,,,\n",
     NULL,                                                                                                                                              "2001:db8::1 100-200 " MAC_A " \n",     0, NULL                                     },
    {"Kea 6, a prefix is nobody's address",
     KEA6 "2001:db8:1::," DUID_A ",100,200,1,50,2,7,56,0,0,,,0,,,,\n",                                             NULL,                                "",
     0,                                                                                                                                                                                            NULL                                     },
 /* ISC dhcpd */
    {"ISC",
     "lease 10.0.0.1 {\n starts 4 1970/01/01 00:01:40;\n ends 4 1970/01/01 "
     "00:03:20;\n binding state active;\n hardware ethernet " MAC_A
     ";\n client-hostname \"pc\";\n}\n",                                                                           NULL,                                "10.0.0.1 100-200 " MAC_A " pc\n",      0, NULL                                     },
    {"ISC, on one line, comments, never, epoch",
     "# c {\nlease 10.0.0.1{starts epoch 100;# Thu }\nends never;}",                                               NULL,
     "10.0.0.1 100-  \n",                                                                                                                                                                       0, NULL                                     },
    {"ISC, escaped uid",
     "lease 10.0.0.1 { starts epoch 1; ends epoch 2; "
     "uid \"\\001\\\"\\\\\\0;}3\"; }",                                                                             NULL,                                "10.0.0.1 1-2 01:22:5c:00:3b:7d:33 \n", 0, NULL                                     },
    {"ISC, uid in hexadecimal, bytes with one digit",
     "lease 10.0.0.1 { starts epoch 1; ends epoch 2; uid 1:0:A1; }",                                               NULL,
     "10.0.0.1 1-2 01:00:a1 \n",                                                                                                                                                                0, NULL                                     },
    {"ISC, the MAC before the uid",
     "lease 10.0.0.1 { starts epoch 1; ends epoch 2; uid \"x\"; hardware "
     "ethernet " MAC_A "; }",
     NULL,                                                                                                                                              "10.0.0.1 1-2 " MAC_A " \n",            0, NULL                                     },
    {"ISC, free without holder is no lease",
     "lease 10.0.0.1 { starts epoch 1; ends epoch 2; binding state free; }"
     "lease 10.0.0.2 { binding state backup; }",                                                                   NULL,                                "",                                     0, NULL                                     },
    {"ISC, released: the time it ended",
     "lease 10.0.0.1 { starts epoch 100; ends epoch 200; binding state active;"
     " hardware ethernet " MAC_A "; }\n"
     "lease 10.0.0.1 { starts epoch 100; ends epoch 150; binding state free;"
     " hardware ethernet " MAC_A "; }",
     NULL,                                                                                                                                              "10.0.0.1 100-150 " MAC_A " \n",        0, NULL                                     },
    {"ISC, abandoned",
     "lease 10.0.0.1 { starts epoch 100; ends epoch 200; hardware "
     "ethernet " MAC_A "; }\n"
     "lease 10.0.0.1 { starts epoch 120; binding state abandoned; }"
     "lease 10.0.0.2 { starts epoch 120; ends never; abandoned; }",                                                NULL,                                "10.0.0.1 100-120 " MAC_A " \n",        0, NULL                                     },
    {"ISC, unknown blocks within and around",
     "failover peer \"x\" state { my state normal at 1 1970/01/01 00:00:00; }"
     "host y { dynamic; group { x; } }"
     "lease 10.0.0.1 { on expiry { ends epoch 9; { } } starts epoch 1; "
     "set a = \"}\"; ends epoch 2; }",                                                                             NULL,                                "10.0.0.1 1-2  \n",                     0, NULL                                     },
    {"ISC, not closed: costs itself only",
     "lease 10.0.0.1 { starts epoch 1;\nlease 10.0.0.2 { starts epoch 1; ends "
     "epoch 2; }",                                                                                                 NULL,                                "10.0.0.2 1-2  \n",                     1, "f:1: the lease is not closed"           },
    {"ISC, a block within not closed",
     "lease 10.0.0.1 { on x { \nlease 10.0.0.2 { starts epoch 1; ends epoch 2;"
     " }",                                                                                                         NULL,                                "10.0.0.2 1-2  \n",                     1, "f:1: the lease is not closed"           },
    {"ISC, cut at the end",                                  "\nlease 10.0.0.1 { starts epoch 1; ends ep",         NULL,
     "",                                                                                                                                                                                        1, "f:2: the lease is not closed"           },
    {"ISC, one } too many",
     "} lease 10.0.0.1 { starts epoch 1; ends epoch 2; }",                                                         NULL,
     "10.0.0.1 1-2  \n",                                                                                                                                                                        1, "f:1: a } closes nothing"                },
    {"ISC, a quote that is not closed ends with its line",
     "lease 10.0.0.1 { starts epoch 1; client-hostname \"a\n; ends epoch 2; }",                                    NULL,                                "10.0.0.1 1-2  a\n",                    0, NULL                                     },
    {"ISC, no address",                                      "lease pc { starts epoch 1; ends epoch 2; }",         NULL,                                "",
     1,                                                                                                                                                                                            "f:1: the lease is not of an address"    },
    {"ISC, a day that no calendar has",
     "lease 10.0.0.1 { starts 4 1970/02/30 00:00:00; ends never; }",                                               NULL,                                "",
     1,                                                                                                                                                                                            "f:1: a time is not of the form"         },
    {"ISC, no start",                                        "lease 10.0.0.1 { ends epoch 2; }",                   NULL,                                "",                                     1,
     "f:1: the lease has no start"                                                                                                                                                                                                          },
    {"ISC, never starts",                                    "lease 10.0.0.1 { starts never; ends never; }",       NULL,
     "",                                                                                                                                                                                        1, "f:1: the lease has no start"            },
    {"ISC, no end",                                          "lease 10.0.0.1 { starts epoch 1; }",                 NULL,                                "",                                     1,
     "f:1: the lease has no end"                                                                                                                                                                                                            },
    {"ISC 6, the DUID behind the IAID",
     "ia-na \"\\007\\000\\000\\000\\000\\001ab\" { cltt epoch 100; iaaddr "
     "2001:db8::1 { ends epoch 200; max-life 90; } iaaddr 2001:db8::2 { ends "
     "epoch 300; } }",                                                                                             NULL,
     "2001:db8::1 100-200 00:01:61:62 \n2001:db8::2 100-300 00:01:61:62 \n",                                                                                                                    0,
     NULL                                                                                                                                                                                                                                   },
    {"ISC 6, start by max-life",
     "ia-ta \"1234x\" { iaaddr 2001:db8::1 { max-life 90; ends epoch 200; } }",                                    NULL,                                "2001:db8::1 110-200 78 \n",            0, NULL                                     },
    {"ISC 6, a prefix is nobody's address",
     "ia-pd \"1234x\" { cltt epoch 100; iaprefix 2001:db8::/56 { ends epoch "
     "200; } }\nserver-duid \"x\";",                                                                               NULL,                                "",                                     0, NULL                                     },
 /* Putting together */
    {"another holder ends the lease before",
     OWN "10.0.0.1,100,200," MAC_A ",\n10.0.0.1,150,300," MAC_B ",\n",                                             NULL,
     "10.0.0.1 100-150 " MAC_A " \n10.0.0.1 150-300 " MAC_B " \n",                                                                                                                              0, NULL                                     },
    {"an open lease ends with the next",
     OWN "10.0.0.1,100,never," MAC_A ",\n10.0.0.1,150,300," MAC_B ",\n",                                           NULL,
     "10.0.0.1 100-150 " MAC_A " \n10.0.0.1 150-300 " MAC_B " \n",                                                                                                                              0, NULL                                     },
    {"a renewal just within the gap",
     OWN "10.0.0.1,100,200," MAC_A ",old\n10.0.0.1,500,600," MAC_A ",new\n",
     NULL,                                                                                                                                              "10.0.0.1 100-600 " MAC_A " new\n",     0, NULL                                     },
    {"a renewal just behind the gap",
     OWN "10.0.0.1,100,200," MAC_A ",\n10.0.0.1,501,600," MAC_A ",\n",                                             NULL,
     "10.0.0.1 100-200 " MAC_A " \n10.0.0.1 501-600 " MAC_A " \n",                                                                                                                              0, NULL                                     },
    {"the same holder with another between",
     OWN "10.0.0.1,100,200," MAC_A ",\n10.0.0.1,150,160," MAC_B ",\n"
         "10.0.0.1,170,300," MAC_A ",\n",
     NULL,                                                                                                                                              "10.0.0.1 100-150 " MAC_A " \n10.0.0.1 150-160 " MAC_B
     " \n10.0.0.1 170-300 " MAC_A " \n",
     0,                                                                                                                                                                                            NULL                                     },
    {"who is unknown does not renew",
     OWN "10.0.0.1,100,200,,\n10.0.0.1,150,300,,\n",                                                               NULL,
     "10.0.0.1 100-150  \n10.0.0.1 150-300  \n",                                                                                                                                                0, NULL                                     },
    {"of two with one start the last read counts",
     OWN "10.0.0.1,100,200," MAC_A ",\n",                                                                          OWN "10.0.0.1,100,150," MAC_B ",\n",
     "10.0.0.1 100-150 " MAC_B " \n",                                                                                                                                                           0, NULL                                     },
    {"a lease that never was hides no renewal",
     OWN "10.0.0.1,100,200," MAC_A ",\n10.0.0.1,150,160," MAC_B ",\n"
         "10.0.0.1,150,300," MAC_A ",\n",
     NULL,                                                                                                                                              "10.0.0.1 100-300 " MAC_A " \n",        0, NULL                                     },
    {"rotated files add up, in any order of time",
     OWN "10.0.0.2,100,200," MAC_A ",\n",
     KEA4 "10.0.0.1," MAC_B ",,50,100,1,0,0,,0\n",
     "10.0.0.1 50-100 " MAC_B " \n10.0.0.2 100-200 " MAC_A " \n",                                                                                                                               0, NULL                                     },
    {"equal rows twice",                                     OWN "10.0.0.1,100,200," MAC_A ",\n",
     OWN "10.0.0.1,100,200," MAC_A ",\n",                                                                                                               "10.0.0.1 100-200 " MAC_A " \n",        0,
     NULL                                                                                                                                                                                                                                   },
    {"nothing",                                              "",                                                   " \n",                               "",                                     0, NULL                                     },
    {"comments alone",                                       "# dhcpd\n",                                          NULL,                                "",                                     0, NULL                                     },
};

static void
reads_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct leases *l = NULL;
        struct buf messages, got;
        size_t faulty = 0, more = 0;

        buf_init(&messages, 1 << 16);
        buf_init(&got, 1 << 16);
        assert_int_equal(leases_new(&l), ERR_OK);
        if (read_text(l, span_str(files[i].first), &faulty, &messages) !=
                ERR_OK ||
            (files[i].second != NULL && read_text(l, span_str(files[i].second),
                                                  &more, &messages) != ERR_OK))
            fail_msg("%s: refused", files[i].why);
        assert_int_equal(leases_done(l), ERR_OK);
        print_all(l, &got);
        buf_putc(&got, 0);
        buf_putc(&messages, 0);
        if (strcmp((char *)got.p, files[i].want) != 0 ||
            faulty + more != files[i].faulty ||
            (files[i].message == NULL) != (messages.n == 1) ||
            !span_starts(buf_view(&messages),
                         span_str(files[i].message ? files[i].message : "")))
            fail_msg("%s: %zu faulty, \"%s\", %s", files[i].why, faulty + more,
                     (char *)got.p, (char *)messages.p);
        leases_free(l);
        buf_free(&got);
        buf_free(&messages);
    }
}

static const struct {
    const char *why, *text;
} refused[] = {
    {"words",                           "hello world"                         },
    {"another CSV",                     "a,b,c\n1,2,3\n"                      },
    {"no start in the head",            "address,end\n10.0.0.1,5\n"           },
    {"Kea without expire",              "address,valid_lifetime\n10.0.0.1,5\n"},
    {"another program's configuration", "subnet 10.0.0.0 { range x; }"        },
    {"bytes",                           "\x80\xff{};"                         },
};

static void
refuses_what_is_not_understood(void **state)
{
    struct leases *l = NULL;
    struct buf messages;
    size_t faulty;

    (void)state;
    buf_init(&messages, 1 << 16);
    assert_int_equal(leases_new(&l), ERR_OK);
    assert_int_equal(
        read_text(l, SPAN_LIT(OWN "10.0.0.1,1,2,,\n"), &faulty, &messages),
        ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (read_text(l, span_str(refused[i].text), &faulty, &messages) !=
            ERR_FORMAT)
            fail_msg("%s", refused[i].why);
    }
    assert_int_equal(leases_done(l), ERR_OK);
    assert_int_equal(leases_n(l), 1);
    leases_free(l);
    leases_free(NULL);
    buf_free(&messages);
}

static void
finds_the_lease_in_force(void **state)
{
    struct leases *l = NULL;
    struct buf text;
    struct addr a, other;
    size_t faulty;

    (void)state;
    assert_true(addr_parse(SPAN_LIT("10.0.0.7"), &a));
    assert_true(addr_parse(SPAN_LIT("10.0.0.8"), &other));
    for (unsigned n = 1; n < 20; n++) {
        buf_init(&text, 1 << 16);
        assert_int_equal(leases_new(&l), ERR_OK);
        buf_str(&text, OWN "10.0.0.6,0,1000000,,\n10.0.0.9,5,1000000,,\n");
        for (unsigned i = 0; i < n; i++)
            buf_printf(&text, "10.0.0.7,%u,%u,00:%02x,\n", 1000 * i + 10,
                       1000 * i + 900, i);
        assert_int_equal(read_text(l, buf_view(&text), &faulty, &text), ERR_OK);
        assert_int_equal(leases_done(l), ERR_OK);
        for (ns_t t = 0; t < 1000 * (n + 1); t++) {
            const struct lease *x = leases_find(l, &a, t * NS_PER_S);
            bool want = t < 1000 * n && t % 1000 >= 10 && t % 1000 < 900;

            assert_true((x != NULL) == want);
            assert_true(x == NULL ||
                        x->start == (t / 1000 * 1000 + 10) * NS_PER_S);
            assert_null(leases_find(l, &other, t * NS_PER_S));
        }
        leases_free(l);
        buf_free(&text);
    }
}

/* Ids of what the files say, in one book. */
static uint64_t
id_of(const char *row)
{
    struct leases *l = NULL;
    struct buf text;
    size_t faulty;
    uint64_t id;

    buf_init(&text, 1 << 16);
    buf_str(&text, OWN);
    buf_str(&text, row);
    assert_int_equal(leases_new(&l), ERR_OK);
    assert_int_equal(read_text(l, buf_view(&text), &faulty, &text), ERR_OK);
    assert_int_equal(leases_done(l), ERR_OK);
    assert_int_equal(leases_n(l), 1);
    id = leases_at(l, 0)->id;
    leases_free(l);
    buf_free(&text);
    return id;
}

static void
gives_an_identity(void **state)
{
    uint64_t id = id_of("10.0.0.1,100,200," MAC_A ",pc\n");

    (void)state;
    assert_true(id != 0);
    assert_true(id == id_of("10.0.0.1,100,300," MAC_A ",another\n"));
    assert_true(id == id_of("10.0.0.1,100,200," MAC_A ",\n"
                            "10.0.0.1,180,300," MAC_A ",\n"));
    assert_true(id != id_of("10.0.0.2,100,200," MAC_A ",pc\n"));
    assert_true(id != id_of("10.0.0.1,101,200," MAC_A ",pc\n"));
    assert_true(id != id_of("10.0.0.1,100,200," MAC_B ",pc\n"));
}

/* ---- limits ---- */

static const struct lease *
one_lease(struct leases *l, struct span text)
{
    struct buf messages;
    size_t faulty;

    buf_init(&messages, 1 << 16);
    assert_int_equal(read_text(l, text, &faulty, &messages), ERR_OK);
    assert_int_equal(leases_done(l), ERR_OK);
    buf_free(&messages);
    return leases_n(l) == 1 ? leases_at(l, 0) : NULL;
}

static void
cuts_name_and_holder(void **state)
{
    static const struct {
        const char *unit;
        unsigned n, bytes;
    } names[] = {
        {"a",        63, 63},
        {"a",        64, 64},
        {"a",        65, 64},
        {"\xc3\xa4", 32, 64},
        {"\xc3\xa4", 33, 64},
        {"\001",     17, 64},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct leases *l = NULL;
        struct buf text;

        buf_init(&text, 1 << 16);
        buf_str(&text, OWN "10.0.0.1,1,2,,");
        for (unsigned k = 0; k < names[i].n; k++)
            buf_str(&text, names[i].unit);
        assert_int_equal(leases_new(&l), ERR_OK);
        assert_int_equal(strlen(one_lease(l, buf_view(&text))->name),
                         names[i].bytes);
        leases_free(l);
        buf_free(&text);
    }
    for (unsigned bytes = 39; bytes <= 42; bytes++) {
        struct leases *l = NULL;
        struct buf text;
        size_t want = bytes <= 40 ? 3 * bytes - 1 : LEASES_HOLDER_MAX;

        buf_init(&text, 1 << 16);
        buf_str(&text, OWN "10.0.0.1,1,2,00");
        for (unsigned k = 1; k < bytes; k++)
            buf_str(&text, ":00");
        assert_int_equal(leases_new(&l), ERR_OK);
        assert_int_equal(strlen(one_lease(l, buf_view(&text))->holder), want);
        leases_free(l);
        buf_free(&text);
    }
}

static void
passes_over_long_lines(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct leases *l = NULL;
        struct buf text;
        size_t head;

        buf_init(&text, 1 << 20);
        buf_str(&text, OWN);
        head = text.n;
        buf_str(&text, "10.0.0.1,1,2,,");
        while (text.n < head + LEASES_LINE_MAX + more)
            buf_putc(&text, 'x');
        buf_str(&text, "\n");
        assert_int_equal(leases_new(&l), ERR_OK);
        assert_true((one_lease(l, buf_view(&text)) != NULL) == (more == 0));
        leases_free(l);
        buf_free(&text);
    }
}

static void
counts_faults_beyond_those_told(void **state)
{
    (void)state;
    for (unsigned n = LEASES_FAULTS - 1; n <= LEASES_FAULTS + 1; n++) {
        struct leases *l = NULL;
        struct buf text, messages;
        size_t faulty = 0, lines = 0;

        buf_init(&text, 1 << 16);
        buf_init(&messages, 1 << 16);
        buf_str(&text, OWN);
        for (unsigned i = 0; i < n; i++)
            buf_str(&text, "x,1,2,,\n");
        assert_int_equal(leases_new(&l), ERR_OK);
        assert_int_equal(read_text(l, buf_view(&text), &faulty, &messages),
                         ERR_OK);
        for (size_t i = 0; i < messages.n; i++)
            lines += messages.p[i] == '\n';
        assert_int_equal(faulty, n);
        assert_int_equal(lines, n < LEASES_FAULTS ? n : LEASES_FAULTS);
        leases_free(l);
        buf_free(&text);
        buf_free(&messages);
    }
}

/* 10^5 brackets: counted, not nested. */
static void
counts_through_deep_blocks(void **state)
{
    struct leases *l = NULL;
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 20);
    buf_str(&text, "lease 10.0.0.1 { starts epoch 1; ends epoch 2; x ");
    for (unsigned i = 0; i < 100000; i++)
        buf_putc(&text, '{');
    for (unsigned i = 0; i < 100000; i++)
        buf_putc(&text, '}');
    buf_putc(&text, '}');
    assert_int_equal(leases_new(&l), ERR_OK);
    assert_non_null(one_lease(l, buf_view(&text)));
    leases_free(l);
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(refuses_what_is_not_understood),
        cmocka_unit_test(finds_the_lease_in_force),
        cmocka_unit_test(gives_an_identity),
        cmocka_unit_test(cuts_name_and_holder),
        cmocka_unit_test(passes_over_long_lines),
        cmocka_unit_test(counts_faults_beyond_those_told),
        cmocka_unit_test(counts_through_deep_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

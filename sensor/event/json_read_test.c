#include "sensor/event/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_record.h"

#define S(lit)                                                                 \
    {                                                                          \
        (const uint8_t *)(lit), sizeof(lit) - 1                                \
    }
#define HEAD "{\"timestamp\":\"1970-01-01T00:00:01Z\",\"event_type\":\"smtp\""

struct bench {
    struct json_writer w;
    struct json_reader r;
    struct record_out a;
    struct record_out b;
    struct buf line;
    struct buf again;
    struct buf message;
};

static int
setup(void **state)
{
    struct bench *t = malloc(sizeof(*t));

    if (t == NULL)
        return -1;
    json_writer_init(&t->w);
    json_reader_init(&t->r);
    record_init(&t->a);
    record_init(&t->b);
    buf_init(&t->line, JSON_LINE_MAX);
    buf_init(&t->again, JSON_LINE_MAX);
    buf_init(&t->message, 1000);
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *t = *state;

    json_reader_free(&t->r);
    json_reader_free(NULL);
    record_free(&t->a);
    record_free(&t->b);
    buf_free(&t->line);
    buf_free(&t->again);
    buf_free(&t->message);
    free(t);
    return 0;
}

/* A copy of exactly its size, so that a byte too far is seen. */
static enum err
read_copy(struct bench *t, struct span line, struct record_out *out)
{
    uint8_t *copy = malloc(line.n > 0 ? line.n : 1);
    enum err e;

    assert_non_null(copy);
    if (line.n > 0)
        memcpy(copy, line.p, line.n);
    e = json_read(&t->r, span_of(copy, line.n), out, &t->message);
    free(copy);
    return e;
}

static void
there_and_back(struct bench *t)
{
    struct span rec = record_view(&t->a);

    assert_true(record_check(rec));
    buf_reset(&t->line);
    assert_true(json_write(&t->w, rec, &t->line));
    assert_int_equal(read_copy(t, buf_view(&t->line), &t->b), ERR_OK);
    assert_int_equal(t->message.n, 0);
    assert_true(span_eq(record_view(&t->b), rec));
    buf_reset(&t->again);
    assert_true(json_write(&t->w, record_view(&t->b), &t->again));
    assert_true(span_eq(buf_view(&t->line), buf_view(&t->again)));
}

static void
random_records(void **state)
{
    struct bench *t = *state;
    uint64_t seed = 20261122;

    for (unsigned i = 0; i < 3000; i++) {
        random_record(&t->a, &seed, 1 + i % 9);
        there_and_back(t);
    }
    assert_int_equal(t->r.unknown, 0);
}

/* One field alone, with each byte and with each length around a word. */
static void
each_byte(void **state)
{
    struct bench *t = *state;
    struct record_head head = {0, 0, 0, EVENT_TLS};
    uint8_t bytes[40];

    for (unsigned c = 0; c < 256; c++) {
        for (size_t n = 0; n <= 17; n++) {
            memset(bytes, 'x', sizeof(bytes));
            bytes[n / 2] = (uint8_t)c;
            record_begin(&t->a, &head);
            record_str(&t->a, FIELD_SMTP_HELO, span_of(bytes, n));
            record_str(&t->a, FIELD_EMAIL_TO, SPAN_LIT("plain"));
            record_str(&t->a, FIELD_EMAIL_TO, span_of(bytes, n));
            there_and_back(t);
        }
    }
}

static void
full_records(void **state)
{
    static uint8_t bytes[RECORD_STR_MAX];
    struct bench *t = *state;
    struct record_head head = {UINT64_MAX, UINT64_MAX, UINT32_MAX, EVENT_SMTP};

    memset(bytes, 1, sizeof(bytes));
    bytes[9] = 0xff;
    record_begin(&t->a, &head);
    while (t->a.left_out == 0)
        record_str(&t->a, FIELD_SMTP_RCPT_TO, span_of(bytes, sizeof(bytes)));
    there_and_back(t);
    record_begin(&t->a, &head);
    while (t->a.left_out == 0)
        record_str(&t->a, FIELD_SMTP_RCPT_TO, SPAN_LIT("\xff"));
    there_and_back(t);
    record_begin(&t->a, &head);
    while (t->a.left_out == 0) {
        record_object_begin(&t->a, FIELD_SMTP_RCPT);
        record_object_end(&t->a);
    }
    there_and_back(t);
    record_begin(&t->a, &head);
    record_object_begin(&t->a, FIELD_SMTP_RCPT);
    record_str(&t->a, FIELD_SMTP_RCPT_TEXT, span_of(bytes, RECORD_STR_MAX - 4));
    record_object_end(&t->a);
    assert_int_equal(t->a.left_out, 0);
    there_and_back(t);
}

static void
any_order(void **state)
{
    struct bench *t = *state;
    static const char in[] =
        " { \"smtp\" : { \"rcpt\" : [ { \"text\":\"t\", \"code\":550,"
        "\"addr\":\"<a>\" } , { } ],\t\"helo\" : \"h\" } ,\r\n"
        "\"src_ip\":\"2001:DB8::1\",\"vlan\":[3,1,2],\"flow_seq\":1,"
        "\"event_type\":\"smtp\",\"timestamp\":\"1970-01-01T00:00:01Z\","
        "\"flow_id\":7,\"tunnel\":[] } ";
    static const char want[] =
        "{\"timestamp\":\"1970-01-01T00:00:01.000000+0000\",\"flow_id\":7,"
        "\"flow_seq\":1,\"event_type\":\"smtp\",\"vlan\":[3,1,2],"
        "\"src_ip\":\"2001:db8::1\",\"smtp\":{\"helo\":\"h\",\"rcpt\":["
        "{\"addr\":\"<a>\",\"code\":550,\"text\":\"t\"},{}]}}";

    assert_int_equal(read_copy(t, span_str(in), &t->a), ERR_OK);
    assert_true(record_check(record_view(&t->a)));
    buf_reset(&t->line);
    assert_true(json_write(&t->w, record_view(&t->a), &t->line));
    assert_true(span_eq(buf_view(&t->line), span_str(want)));
    assert_int_equal(t->r.unknown, 0);
}

/* The members of a line's object, last first, with spaces around them. */
static void
turn_around(struct span line, struct buf *out)
{
    size_t end = line.n - 1;
    int depth = 0;
    bool quoted = false;

    buf_str(out, " { ");
    for (size_t at = end; at-- > 0;) {
        uint8_t c = line.p[at];
        size_t slashes = 0;

        while (slashes < at && line.p[at - 1 - slashes] == '\\')
            slashes++;
        if (c == '"' && slashes % 2 == 0)
            quoted = !quoted;
        else if (!quoted && (c == '}' || c == ']'))
            depth++;
        else if (!quoted && (c == '{' || c == '[') && at > 0)
            depth--;
        if (at > 0 && (quoted || depth > 0 || c != ','))
            continue;
        buf_put(out, line.p + at + 1, end - at - 1);
        buf_str(out, at > 0 ? " ,\t" : "\n}");
        end = at;
    }
}

/* Fields that come in the order of a record are read another way than others:
 * there is no difference. */
static void
last_first(void **state)
{
    struct bench *t = *state;
    uint64_t seed = 20261123;

    for (unsigned i = 0; i < 2000; i++) {
        random_record(&t->a, &seed, 1 + i % 9);
        buf_reset(&t->line);
        assert_true(json_write(&t->w, record_view(&t->a), &t->line));
        buf_reset(&t->again);
        turn_around(buf_view(&t->line), &t->again);
        assert_int_equal(read_copy(t, buf_view(&t->again), &t->b), ERR_OK);
        assert_true(span_eq(record_view(&t->a), record_view(&t->b)));
    }
    assert_int_equal(t->r.unknown, 0);
}

/* Keys are known again where they came before, if they are the same. */
static void
keys_again(void **state)
{
    static const struct {
        const char *why, *in;
        uint64_t unknown;
    } rows[] = {
        {"as before",           ",\"sensor\":\"s\",\"smtp\":{\"helo\":\"h\"}}",              0},
        {"spaces",              " , \"sensor\" : \"s\" , \"smtp\" : { \"helo\"\t:\"h\" } }",
         0                                                                                    },
        {"escapes",             ",\"s\\u0065nsor\":\"s\",\"smtp\":{\"\\u0068elo\":\"h\"}}",
         0                                                                                    },
        {"a longer key behind",
         ",\"sensor\":\"s\",\"smtp\":{\"helos\":1,\"helo\":\"h\"}}",                         1},
        {"a shorter one",
         ",\"senso\":1,\"sensor\":\"s\",\"smtp\":{\"helo\":\"h\"}}",                         1},
        {"as before",           ",\"sensor\":\"s\",\"smtp\":{\"helo\":\"h\"}}",              0},
    };
    struct bench *t = *state;

    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            uint64_t unknown = t->r.unknown;

            print_message("%s\n", rows[i].why);
            buf_reset(&t->line);
            buf_str(&t->line, HEAD);
            buf_str(&t->line, rows[i].in);
            assert_int_equal(read_copy(t, buf_view(&t->line), &t->a), ERR_OK);
            assert_true(record_check(record_view(&t->a)));
            buf_reset(&t->line);
            assert_true(json_write(&t->w, record_view(&t->a), &t->line));
            assert_true(span_search(buf_view(&t->line), span_str(rows[0].in)) <
                        t->line.n);
            assert_int_equal(t->r.unknown - unknown, rows[i].unknown);
        }
    }
}

static void
strings(void **state)
{
    static const struct {
        const char *why;
        struct span in, want;
    } rows[] = {
        {"escapes",       S("\\\"\\\\\\/\\b\\f\\n\\r\\t"), S("\"\\/\b\f\n\r\t")      },
        {"hexadecimal",   S("\\u0041\\u00e4\\u20AC"),      S("A\xc3\xa4\xe2\x82\xac")},
        {"NUL",           S("a\\u0000b"),                  S("a\0b")                 },
        {"pair",          S("\\ud83d\\uDE00"),             S("\xf0\x9f\x98\x80")     },
        {"the last pair", S("\\udbff\\udfff"),             S("\xf4\x8f\xbf\xbf")     },
        {"UTF-8",         S("\xf0\x9f\x98\x80"),           S("\xf0\x9f\x98\x80")     },
        {"DEL",           S("\x7f"),                       S("\x7f")                 },
        {"mixed",         S("x\\ny\xc3\xa4\\tz"),          S("x\ny\xc3\xa4\tz")      },
    };
    struct bench *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        buf_reset(&t->line);
        buf_str(&t->line, HEAD ",\"sensor\":\"");
        buf_span(&t->line, rows[i].in);
        buf_str(&t->line, "\"}");
        assert_int_equal(read_copy(t, buf_view(&t->line), &t->a), ERR_OK);
        assert_true(span_eq(record_find(record_view(&t->a), FIELD_SENSOR),
                            rows[i].want));
    }
}

static void
newer_schema(void **state)
{
    static const struct {
        const char *why, *in;
        uint64_t unknown;
    } rows[] = {
        {"a key",                       HEAD ",\"new\":1}",                               1},
        {"keys in an object",           HEAD ",\"smtp\":{\"x\":1,\"y\":[{}]}}",           2},
        {"keys within are not counted", HEAD ",\"x\":{\"a\":{\"b\":[1]}}}",               1},
        {"in an object of a list",      HEAD ",\"smtp\":{\"rcpt\":[{\"z\":0}]}}",         1},
        {"any values",                  HEAD ",\"x\":[null,true,false,-1.5e-3,\"\\n\"]}", 1},
        {"a child outside of its list", HEAD ",\"smtp\":{\"addr\":1}}",                   1},
        {"raw of a number",             HEAD ",\"src_port_raw_b64\":\"eA==\"}",           1},
        {"raw of the event type",       HEAD ",\"event_type_raw_b64\":\"eA==\"}",         1},
        {"same unknown key twice",      HEAD ",\"x\":1,\"x\":1}",                         2},
        {"an event type",
         "{\"timestamp\":\"1970-01-01T00:00:01Z\",\"event_type\":\"http\"}",              1},
    };
    struct bench *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        t->r.unknown = 0;
        assert_int_equal(read_copy(t, span_str(rows[i].in), &t->a), ERR_OK);
        assert_int_equal(t->r.unknown, rows[i].unknown);
        assert_true(record_check(record_view(&t->a)));
    }
    assert_int_equal(record_head_of(record_view(&t->a)).type, EVENT_NONE);
    assert_true(span_eq(span_of(t->r.unknown_key, t->r.n_unknown_key),
                        SPAN_LIT("http")));
}

static const struct {
    const char *why;
    struct span in;
    const char *message; /* its beginning */
} refused[] = {
    {"nothing",              S(""),                                         "column 1: an event is a JSON object"},
    {"an array",             S("[]"),                                       "column 1: an event"                 },
    {"no header",            S("{}"),                                       "column 3: timestamp is missing"     },
    {"no type",              S("{\"timestamp\":\"1970-01-01T00:00:01Z\"}"),
     "column 37: event_type is missing"                                                                          },
    {"two events",           S(HEAD "}{}"),                                 "column 57: something follows"       },
    {"NUL behind",           S(HEAD "}\0"),                                 "column 57: something follows"       },
    {"no end",               S(HEAD),                                       "column 56: a comma or }"            },
    {"trailing comma",       S(HEAD ",}"),                                  "column 57: a key"                   },
    {"comma first",          S("{,"),                                       "column 2: a key"                    },
    {"no colon",             S("{\"a\" 1}"),                                "column 6: a colon"                  },
    {"no value",             S("{\"a\":}"),                                 "column 6: a value"                  },
    {"array comma",          S("{\"a\":[1,]}"),                             "column 9: a value"                  },
    {"array lead",           S("{\"a\":[,1]}"),                             "column 7: a value"                  },
    {"wrong bracket",        S("{\"a\":[1}}"),                              "column 8: a comma or ]"             },
    {"single quotes",        S("{'a':1}"),                                  "column 2: a key"                    },
    {"word",                 S("{\"a\":nul}"),                              "column 6: not a JSON value"         },
    {"NaN",                  S("{\"a\":NaN}"),                              "column 6: a value"                  },
    {"leading zero",         S("{\"a\":01}"),                               "column 6: not a number"             },
    {"plus",                 S("{\"a\":+1}"),                               "column 6: a value"                  },
    {"no fraction",          S("{\"a\":1.}"),                               "column 6: not a number"             },
    {"no exponent",          S("{\"a\":1e+}"),                              "column 6: not a number"             },
    {"minus alone",          S("{\"a\":-}"),                                "column 6: not a number"             },
    {"comment",              S("{/**/}"),                                   "column 2: a key"                    },
    {"raw control",          S("{\"a\":\"\n\"}"),                           "column 7: a control"                },
    {"not UTF-8",            S("{\"a\":\"\xff\"}"),                         "column 7: not UTF-8"                },
    {"surrogate in UTF-8",   S("{\"a\":\"\xed\xa0\x80\"}"),                 "column 7: not"                      },
    {"no closing quote",     S("{\"a\":\"b"),                               "column 8: the string"               },
    {"escape at the end",    S("{\"a\":\"\\"),                              "column 7: no such escape"           },
    {"unknown escape",       S("{\"a\":\"\\x41\"}"),                        "column 7: no such escape"           },
    {"short \\u",            S("{\"a\":\"\\u12\"}"),                        "column 11: four"                    },
    {"high half",            S("{\"a\":\"\\ud83d\"}"),                      "column 7: half"                     },
    {"high half and text",   S("{\"a\":\"\\ud83d\\n\"}"),                   "column 7: half"                     },
    {"two high halves",      S("{\"a\":\"\\ud83d\\ud83d\"}"),               "column 7: half"                     },
    {"low half",             S("{\"a\":\"\\ude00\"}"),                      "column 7: half"                     },
    {"number for text",      S("{\"sensor\":1}"),                           "column 11: sensor is a string"      },
    {"text for number",      S("{\"src_port\":\"25\"}"),
     "column 13: src_port is a number"                                                                           },
    {"negative",             S("{\"src_port\":-1}"),                        "column 13: src_port is a number"    },
    {"fraction",             S("{\"src_port\":1.0}"),                       "column 13: src_port is"             },
    {"too large",            S("{\"src_port\":18446744073709551616}"),
     "column 13: src_port is"                                                                                    },
    {"null",                 S("{\"sensor\":null}"),                        "column 11: sensor is a string"      },
    {"value for object",     S("{\"smtp\":1}"),                             "column 9: this key holds"           },
    {"array for object",     S("{\"smtp\":[]}"),                            "column 9: this key holds"           },
    {"object for text",      S("{\"sensor\":{}}"),                          "column 11: sensor is"               },
    {"text for list",        S("{\"tunnel\":\"gre\"}"),
     "column 11: tunnel is an array of strings"                                                                  },
    {"numbers in strings",   S("{\"tunnel\":[1]}"),                         "column 12: tunnel is"               },
    {"array in array",       S("{\"vlan\":[[1]]}"),                         "column 10: vlan is"                 },
    {"text in objects",      S("{\"smtp\":{\"rcpt\":[\"a\"]}}"),
     "column 18: smtp.rcpt is an array of objects"                                                               },
    {"bool as number",       S("{\"quality\":{\"oneway\":1}}"),
     "column 22: quality.oneway is true or false"                                                                },
    {"bad address",          S("{\"src_ip\":\"10.0.0\"}"),
     "column 11: src_ip is an address"                                                                           },
    {"bad time",             S("{\"timestamp\":\"yesterday\"}"),
     "column 14: timestamp is a time"                                                                            },
    {"sequence too large",   S("{\"flow_seq\":4294967296}"),
     "column 23: flow_seq is at most"                                                                            },
    {"twice",                S("{\"sensor\":\"a\",\"sensor\":\"b\"}"),
     "column 23: sensor stands there twice"                                                                      },
    {"a list twice",         S("{\"vlan\":[],\"vlan\":[]}"),
     "column 18: vlan stands there twice"                                                                        },
    {"twice in two objects",
     S("{\"smtp\":{\"helo\":\"a\"},\"smtp\":{\"helo\":\"b\"}}"),
     "column 36: smtp.helo stands there twice"                                                                   },
    {"not base64",           S("{\"sensor_raw_b64\":\"A\"}"),
     "column 19: sensor_raw_b64 is not base64"                                                                   },
    {"raw alone",            S(HEAD ",\"sensor_raw_b64\":\"/w==\"}"),
     "column 81: sensor_raw_b64 has not as many"                                                                 },
    {"short raw list",
     S(HEAD ",\"tunnel\":[\"a\",\"b\"],\"tunnel_raw_b64\":[null]}"),
     "column 100: tunnel_raw_b64 has not as many"                                                                },
    {"raw list for text",    S("{\"sensor_raw_b64\":[null]}"),
     "column 19: sensor_raw_b64 is base64"                                                                       },
};

static void
refuses(void **state)
{
    struct bench *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct span want = span_str(refused[i].message);

        print_message("%s\n", refused[i].why);
        for (unsigned again = 0; again < 2; again++) { /* keys are known then */
            assert_int_equal(read_copy(t, refused[i].in, &t->a), ERR_FORMAT);
            print_message("  %.*s\n", (int)t->message.n, (char *)t->message.p);
            assert_true(span_starts(buf_view(&t->message), want));
        }
    }
}

/* ---- limits ---- */

static void
depth(void **state)
{
    struct bench *t = *state;

    for (size_t n = JSON_READ_DEPTH - 2; n <= JSON_READ_DEPTH; n++) {
        buf_reset(&t->line);
        buf_str(&t->line, HEAD ",\"x\":");
        for (size_t i = 0; i < n; i++)
            buf_putc(&t->line, '[');
        for (size_t i = 0; i < n; i++)
            buf_putc(&t->line, ']');
        buf_putc(&t->line, '}');
        assert_int_equal(read_copy(t, buf_view(&t->line), &t->a),
                         n < JSON_READ_DEPTH ? ERR_OK : ERR_LIMIT);
    }
}

static void
string_length(void **state)
{
    struct bench *t = *state;

    for (size_t n = RECORD_STR_MAX - 1; n <= RECORD_STR_MAX + 1; n++) {
        buf_reset(&t->line);
        buf_str(&t->line, HEAD ",\"sensor\":\"");
        for (size_t i = 0; i < n; i++)
            buf_putc(&t->line, 'x');
        buf_str(&t->line, "\"}");
        assert_int_equal(read_copy(t, buf_view(&t->line), &t->a),
                         n <= RECORD_STR_MAX ? ERR_OK : ERR_LIMIT);
    }
}

static void
object_length(void **state)
{
    struct bench *t = *state;

    for (size_t n = RECORD_STR_MAX - 5; n <= RECORD_STR_MAX - 3; n++) {
        buf_reset(&t->line);
        buf_str(&t->line, HEAD ",\"smtp\":{\"rcpt\":[{\"text\":\"");
        for (size_t i = 0; i < n; i++)
            buf_putc(&t->line, 'x');
        buf_str(&t->line, "\"}]}}");
        assert_int_equal(read_copy(t, buf_view(&t->line), &t->a),
                         n + 4 <= RECORD_STR_MAX ? ERR_OK : ERR_LIMIT);
    }
}

static void
line_length(void **state)
{
    struct bench *t = *state;
    struct buf line;

    buf_init(&line, JSON_LINE_MAX + 1);
    buf_str(&line, HEAD "}");
    while (line.n < JSON_LINE_MAX - 1)
        buf_putc(&line, ' ');
    for (int i = 0; i < 3; i++) {
        assert_int_equal(json_read(&t->r, buf_view(&line), &t->a, &t->message),
                         i < 2 ? ERR_OK : ERR_LIMIT);
        buf_putc(&line, ' ');
    }
    buf_free(&line);
}

static void
more_than_a_record(void **state)
{
    static const char *const entries[] = {"0,", "0,", "0,"};
    struct bench *t = *state;

    buf_reset(&t->line);
    buf_str(&t->line, HEAD ",\"vlan\":[");
    for (size_t i = 0; i < RECORD_MAX / 12; i++)
        buf_str(&t->line, entries[i % 3]);
    buf_str(&t->line, "0]}");
    assert_int_equal(read_copy(t, buf_view(&t->line), &t->a), ERR_LIMIT);
    buf_reset(&t->line);
    buf_str(&t->line, HEAD ",\"tunnel\":[");
    for (size_t i = 0; i < RECORD_MAX; i++)
        buf_str(&t->line, "\"\",");
    buf_str(&t->line, "\"\"]}");
    assert_int_equal(read_copy(t, buf_view(&t->line), &t->a), ERR_LIMIT);
    /* and the reader is as good as new */
    assert_int_equal(read_copy(t, SPAN_LIT(HEAD "}"), &t->a), ERR_OK);
}

/* Every prefix of a line is refused, and says where. */
static void
every_cut(void **state)
{
    struct bench *t = *state;
    uint64_t seed = 31337;

    random_record(&t->a, &seed, 6);
    buf_reset(&t->line);
    assert_true(json_write(&t->w, record_view(&t->a), &t->line));
    for (size_t n = 0; n < t->line.n; n++) {
        assert_int_equal(read_copy(t, span_head(buf_view(&t->line), n), &t->b),
                         ERR_FORMAT);
        assert_true(span_starts(buf_view(&t->message), SPAN_LIT("column ")));
    }
}

int
main(void)
{
#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        WITH_BENCH(random_records), WITH_BENCH(each_byte),
        WITH_BENCH(full_records),   WITH_BENCH(any_order),
        WITH_BENCH(strings),        WITH_BENCH(newer_schema),
        WITH_BENCH(refuses),        WITH_BENCH(depth),
        WITH_BENCH(string_length),  WITH_BENCH(object_length),
        WITH_BENCH(line_length),    WITH_BENCH(more_than_a_record),
        WITH_BENCH(every_cut),      WITH_BENCH(last_first),
        WITH_BENCH(keys_again),
    };
#undef WITH_BENCH

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sigma_test - what matches: the vectors of the language, and its choices */
#include "rules/sigma/sigma_test_kit.h"

#include "tests/support/random_record.h"

static bool
hits(const char *why, const char *detection, const char *body)
{
    struct kit k;
    struct buf rule;
    struct buf out;
    struct span record;
    size_t n;

    kit_open(&k);
    buf_init(&rule, 1 << 16);
    buf_init(&out, 1 << 16);
    assert_int_equal(
        sigma_set_define(k.set, SPAN_LIT("evil"), SPAN_LIT("mallory")), ERR_OK);
    assert_int_equal(
        sigma_set_define(k.set, SPAN_LIT("evil"), SPAN_LIT("trudy*")), ERR_OK);
    buf_str(&rule, "title: t\nlogsource: {product: span25, service: smtp}\n"
                   "detection:\n  ");
    buf_str(&rule, detection);
    buf_putc(&rule, '\n');
    kit_load(&k, "r.yml", buf_view(&rule));
    kit_run(&k, NULL);
    if (k.loaded != ERR_OK || sigma_set_count(k.set) != 1)
        fail_msg("%s: %s: %s", why, detection, kit_messages(&k));
    record = kit_record(&k, "smtp", 0, body);
    assert_true(record_check(record));
    (void)sigma_eval(k.run, record, &n);
    /* explanation and match never disagree */
    assert_int_equal(sigma_explain(k.run, 0, record, &out), n == 1);
    assert_int_equal(out.n > 0 && n == 0, 0);
    buf_free(&rule);
    buf_free(&out);
    kit_close(&k);
    return n == 1;
}

/* clang-format off */
#define HELO(v) "\"smtp\":{\"helo\":\"" v "\"}"
static const struct {
    const char *why, *detection, *body;
    bool want;
} vectors[] = {
    /* case */
    {"values have no case", "{s: {smtp.helo: EVIL}, condition: s}", HELO("evil"), true},
    {"nor has the record", "{s: {smtp.helo: evil}, condition: s}", HELO("eViL"), true},
    {"the whole field", "{s: {smtp.helo: evil}, condition: s}", HELO("evil2"), false},
    {"the whole field, from its begin", "{s: {smtp.helo: evil}, condition: s}", HELO("xevil"), false},
    {"cased", "{s: {smtp.helo|cased: EVIL}, condition: s}", HELO("evil"), false},
    {"cased, same", "{s: {smtp.helo|cased: EVIL}, condition: s}", HELO("EVIL"), true},
    {"cased with a wildcard", "{s: {smtp.helo|cased: 'E*L'}, condition: s}", HELO("EviL"), true},
    {"cased with a wildcard, other", "{s: {smtp.helo|cased: 'E*L'}, condition: s}", HELO("Evil"), false},
    {"contains and cased", "{s: {smtp.helo|contains|cased: VI}, condition: s}", HELO("evil"), false},
    {"cased and contains", "{s: {smtp.helo|cased|contains: vi}, condition: s}", HELO("evil"), true},
    {"re has case", "{s: {smtp.helo|re: EVIL}, condition: s}", HELO("evil"), false},
    {"re with i", "{s: {smtp.helo|re|i: EVIL}, condition: s}", HELO("evil"), true},
    {"re with ignorecase", "{s: {smtp.helo|re|ignorecase: EVIL}, condition: s}", HELO("evil"), true},
    {"re searches", "{s: {smtp.helo|re: vi}, condition: s}", HELO("evil"), true},
    {"re tied", "{s: {smtp.helo|re: '^vi'}, condition: s}", HELO("evil"), false},
    {"re startswith", "{s: {smtp.helo|re|startswith: 'vi'}, condition: s}", HELO("evil"), false},
    {"re endswith", "{s: {smtp.helo|re|endswith: 'i.'}, condition: s}", HELO("evil"), true},
    {"re contains", "{s: {smtp.helo|re|contains: 'v.'}, condition: s}", HELO("evil"), true},
    {"re keeps its backslashes", "{s: {smtp.helo|re: '^a\\.b\\\\c$'}, condition: s}", HELO("a.b\\\\c"), true},
    {"a dot is no newline", "{s: {email.subject|re: 'a.b'}, condition: s}", "\"email\":{\"subject\":\"a\\nb\"}", false},
    {"unless with s", "{s: {email.subject|re|s: 'a.b'}, condition: s}", "\"email\":{\"subject\":\"a\\nb\"}", true},
    {"lines with m", "{s: {email.subject|re|m: '^b$'}, condition: s}", "\"email\":{\"subject\":\"a\\nb\"}", true},
    {"no lines without", "{s: {email.subject|re: '^b$'}, condition: s}", "\"email\":{\"subject\":\"a\\nb\"}", false},
    {"re with an alternative", "{s: {smtp.helo|re: 'abcd|evil'}, condition: s}", HELO("evil"), true},
    {"re whose last letter may be missing", "{s: {smtp.helo|re: 'evils?x'}, condition: s}", HELO("evilx"), true},
    {"re, Unicode's other k", "{s: {smtp.helo|re|i: 'markt'}, condition: s}", HELO("mar\\u212at"), true},
    {"Unicode with re|i", "{s: {email.subject|re|i: '\xc3\x84pfel'}, condition: s}", "\"email\":{\"subject\":\"\xc3\xa4pfel\"}", true},
    /* contains and the like */
    {"contains nothing", "{s: {smtp.helo|contains: ''}, condition: s}", HELO("x"), true},
    {"contains nothing, empty", "{s: {smtp.helo|contains: ''}, condition: s}", HELO(""), true},
    {"contains nothing, absent", "{s: {smtp.helo|contains: ''}, condition: s}", "", false},
    {"contains", "{s: {smtp.helo|contains: VI}, condition: s}", HELO("evil"), true},
    {"contains, not", "{s: {smtp.helo|contains: vo}, condition: s}", HELO("evil"), false},
    {"startswith", "{s: {smtp.helo|startswith: ev}, condition: s}", HELO("evil"), true},
    {"startswith, not", "{s: {smtp.helo|startswith: vi}, condition: s}", HELO("evil"), false},
    {"endswith", "{s: {smtp.helo|endswith: il}, condition: s}", HELO("evil"), true},
    {"endswith, not", "{s: {smtp.helo|endswith: vi}, condition: s}", HELO("evil"), false},
    {"endswith longer than the field", "{s: {smtp.helo|endswith: xevil}, condition: s}", HELO("evil"), false},
    {"contains has one star", "{s: {smtp.helo|contains: '*vi'}, condition: s}", HELO("evil"), true},
    {"contains with a wildcard inside", "{s: {smtp.helo|contains: 'a*d'}, condition: s}", HELO("xaxxdx"), true},
    {"order of parts", "{s: {smtp.helo|contains: 'd*a'}, condition: s}", HELO("xaxxdx"), false},
    {"a number as a text", "{s: {smtp.helo|contains: 25}, condition: s}", HELO("x25x"), true},
    /* wildcards and escapes */
    {"both wildcards", "{s: {smtp.helo: 'wild*cards?x'}, condition: s}", HELO("wild and cards1x"), true},
    {"? is one", "{s: {smtp.helo: 'wild*cards?x'}, condition: s}", HELO("wildcardsx"), false},
    {"? is one character", "{s: {smtp.helo: 'a?b'}, condition: s}", HELO("a\xe2\x82\xac" "b"), true},
    {"* can be none", "{s: {smtp.helo: 'a*b'}, condition: s}", HELO("ab"), true},
    {"* takes as much as it must", "{s: {smtp.helo: 'a*ab*b'}, condition: s}", HELO("aaabab"), true},
    {"\\* is an asterisk", "{s: {smtp.helo: '\\*'}, condition: s}", HELO("*"), true},
    {"\\* is no wildcard", "{s: {smtp.helo: '\\*'}, condition: s}", HELO("x"), false},
    {"\\\\* is a backslash and anything", "{s: {smtp.helo: '\\\\*'}, condition: s}", HELO("\\\\xyz"), true},
    {"\\\\* needs the backslash", "{s: {smtp.helo: '\\\\*'}, condition: s}", HELO("xyz"), false},
    {"\\\\\\* is backslash asterisk", "{s: {smtp.helo: '\\\\\\*'}, condition: s}", HELO("\\\\*"), true},
    {"\\\\\\* is no wildcard", "{s: {smtp.helo: '\\\\\\*'}, condition: s}", HELO("\\\\x"), false},
    {"\\\\ is one backslash", "{s: {smtp.helo: '\\\\'}, condition: s}", HELO("\\\\"), true},
    {"\\\\ is not two", "{s: {smtp.helo: '\\\\'}, condition: s}", HELO("\\\\\\\\"), false},
    {"a backslash at the end", "{s: {smtp.helo: '\\'}, condition: s}", HELO("\\\\"), true},
    {"a plain backslash", "{s: {smtp.helo: 'C:\\Windows'}, condition: s}", HELO("c:\\\\windows"), true},
    {"three are two", "{s: {smtp.helo: '\\\\\\'}, condition: s}", HELO("\\\\\\\\"), true},
    {"four are two", "{s: {smtp.helo: '\\\\\\\\'}, condition: s}", HELO("\\\\\\\\"), true},
    {"four are not three", "{s: {smtp.helo: '\\\\\\\\'}, condition: s}", HELO("\\\\\\\\\\\\"), false},
    {"all together", "{s: {smtp.helo: 'escaped\\*\\?\\\\*?'}, condition: s}", HELO("escaped*?\\\\abc"), true},
    {"all together, one short", "{s: {smtp.helo: 'escaped\\*\\?\\\\*?'}, condition: s}", HELO("escaped*?\\\\"), false},
    {"\\foo stays", "{s: {smtp.helo: '\\foo'}, condition: s}", HELO("\\\\foo"), true},
    /* lists */
    {"a list is an OR", "{s: {smtp.helo: ['a*', b]}, condition: s}", HELO("b"), true},
    {"with wildcards", "{s: {smtp.helo: ['a*', b]}, condition: s}", HELO("ax"), true},
    {"of neither", "{s: {smtp.helo: ['a*', b]}, condition: s}", HELO("c"), false},
    {"all", "{s: {smtp.helo|all: ['a*', '*b']}, condition: s}", HELO("axb"), true},
    {"all, one only", "{s: {smtp.helo|all: ['a*', '*b']}, condition: s}", HELO("ax"), false},
    {"contains all", "{s: {smtp.helo|contains|all: [a, b]}, condition: s}", HELO("xbxax"), true},
    {"all contains", "{s: {smtp.helo|all|contains: [a, b]}, condition: s}", HELO("xbx"), false},
    {"all of a single value", "{s: {smtp.helo|all: a}, condition: s}", HELO("a"), true},
    {"two modifiers on one field are an AND", "{s: {smtp.helo|startswith: a, smtp.helo|endswith: b}, condition: s}", HELO("ab"), true},
    {"an AND needs both", "{s: {smtp.helo|startswith: a, smtp.helo|endswith: b}, condition: s}", HELO("ac"), false},
    {"a list field: any entry", "{s: {smtp.rcpt_to: '<b@x>'}, condition: s}", "\"smtp\":{\"rcpt_to\":[\"<a@x>\",\"<b@x>\"]}", true},
    {"a list field: all by different entries", "{s: {smtp.rcpt_to|contains|all: [a, b]}, condition: s}", "\"smtp\":{\"rcpt_to\":[\"<a@x>\",\"<b@x>\"]}", true},
    {"objects of a list", "{s: {'smtp.rcpt[].code': 550}, condition: s}", "\"smtp\":{\"rcpt\":[{\"code\":250},{\"code\":550}]}", true},
    {"objects of a list, without brackets", "{s: {smtp.rcpt.code: 550}, condition: s}", "\"smtp\":{\"rcpt\":[{\"code\":250},{\"code\":551}]}", false},
    /* null, empty, exists */
    {"null, absent", "{s: {smtp.helo: null}, condition: s}", "", true},
    {"null, empty", "{s: {smtp.helo: null}, condition: s}", HELO(""), false},
    {"null, value", "{s: {smtp.helo: ~}, condition: s}", HELO("x"), false},
    {"an empty list is null", "{s: {smtp.helo: []}, condition: s}", "", true},
    {"not null", "{s: {smtp.helo: null}, condition: not s}", HELO("x"), true},
    {"empty text, absent", "{s: {smtp.helo: ''}, condition: s}", "", false},
    {"empty text, empty", "{s: {smtp.helo: ''}, condition: s}", HELO(""), true},
    {"empty text, value", "{s: {smtp.helo: ''}, condition: s}", HELO("x"), false},
    {"exists, absent", "{s: {smtp.helo|exists: true}, condition: s}", "", false},
    {"exists, empty", "{s: {smtp.helo|exists: true}, condition: s}", HELO(""), true},
    {"exists, value", "{s: {smtp.helo|exists: true}, condition: s}", HELO("x"), true},
    {"exists not, absent", "{s: {smtp.helo|exists: false}, condition: s}", "", true},
    {"exists not, value", "{s: {smtp.helo|exists: false}, condition: s}", HELO("x"), false},
    /* neq */
    {"neq", "{s: {smtp.helo|neq: a}, condition: s}", HELO("b"), true},
    {"neq, equal", "{s: {smtp.helo|neq: a}, condition: s}", HELO("A"), false},
    {"neq of a list: none of them", "{s: {smtp.helo|neq: [a, b]}, condition: s}", HELO("b"), false},
    {"neq of a list, other", "{s: {smtp.helo|neq: [a, b]}, condition: s}", HELO("c"), true},
    {"neq, absent", "{s: {smtp.helo|neq: a}, condition: s}", "", true},
    {"all and neq: not all", "{s: {smtp.helo|contains|all|neq: [a, b]}, condition: s}", HELO("a"), true},
    {"all and neq, all there", "{s: {smtp.helo|contains|all|neq: [a, b]}, condition: s}", HELO("ab"), false},
    {"not null by neq", "{s: {smtp.helo|neq: null}, condition: s}", HELO(""), true},
    /* numbers and types */
    {"number by value", "{s: {dest_port: 25}, condition: s}", "\"dest_port\":25", true},
    {"number, other", "{s: {dest_port: 25}, condition: s}", "\"dest_port\":26", false},
    {"quoted number", "{s: {dest_port: '25'}, condition: s}", "\"dest_port\":25", true},
    {"hexadecimal", "{s: {dest_port: 0x19}, condition: s}", "\"dest_port\":25", true},
    {"25.0 is 25", "{s: {dest_port: 25.0}, condition: s}", "\"dest_port\":25", true},
    {"25.5 is not", "{s: {dest_port: 25.5}, condition: s}", "\"dest_port\":25", false},
    {"number with a wildcard", "{s: {dest_port: '2*'}, condition: s}", "\"dest_port\":25", true},
    {"number in a text field", "{s: {smtp.helo: 25}, condition: s}", HELO("25"), true},
    {"the largest number", "{s: {smtp.message_bytes: 18446744073709551615}, condition: s}", "\"smtp\":{\"message_bytes\":18446744073709551615}", true},
    {"its neighbour", "{s: {smtp.message_bytes: 18446744073709551615}, condition: s}", "\"smtp\":{\"message_bytes\":18446744073709551614}", false},
    {"true", "{s: {smtp.null_sender: true}, condition: s}", "\"smtp\":{\"null_sender\":true}", true},
    {"false", "{s: {smtp.null_sender: false}, condition: s}", "\"smtp\":{\"null_sender\":true}", false},
    {"'True'", "{s: {smtp.null_sender: 'True'}, condition: s}", "\"smtp\":{\"null_sender\":true}", true},
    {"gt", "{s: {dest_port|gt: 24}, condition: s}", "\"dest_port\":25", true},
    {"gt, equal", "{s: {dest_port|gt: 25}, condition: s}", "\"dest_port\":25", false},
    {"gte", "{s: {dest_port|gte: 25}, condition: s}", "\"dest_port\":25", true},
    {"lt", "{s: {dest_port|lt: 25}, condition: s}", "\"dest_port\":25", false},
    {"lte", "{s: {dest_port|lte: 25}, condition: s}", "\"dest_port\":25", true},
    {"lt with a fraction", "{s: {dest_port|lt: 25.5}, condition: s}", "\"dest_port\":25", true},
    {"gt of a text that is a number", "{s: {smtp.helo|gt: 24}, condition: s}", HELO("25"), true},
    {"gt of a text that is none", "{s: {smtp.helo|gt: 24}, condition: s}", HELO("25x"), false},
    {"gt, absent", "{s: {dest_port|gt: 0}, condition: s}", "", false},
    {"event_type is a field", "{s: {event_type: smtp}, condition: s}", "", true},
    {"flow_id is a field", "{s: {flow_id: 1}, condition: s}", "", true},
    {"flow_seq is a field", "{s: {flow_seq: 2}, condition: s}", "", true},
    /* times: the records are of Sunday 2026-11-22, 10:00, week 47 */
    {"hour", "{s: {timestamp|hour: 10}, condition: s}", "", true},
    {"hour, other", "{s: {timestamp|hour: 11}, condition: s}", "", false},
    {"minute", "{s: {timestamp|minute: 0}, condition: s}", "", true},
    {"day", "{s: {timestamp|day: 22}, condition: s}", "", true},
    {"week", "{s: {timestamp|week: 47}, condition: s}", "", true},
    {"month", "{s: {timestamp|month: 11}, condition: s}", "", true},
    {"year", "{s: {timestamp|year: 2026}, condition: s}", "", true},
    {"a time as a text", "{s: {email.date|year: 2021}, condition: s}", "\"email\":{\"date\":\"2021-01-03T00:00:00.0Z\"}", true},
    {"week 53 of the year before", "{s: {email.date|week: 53}, condition: s}", "\"email\":{\"date\":\"2021-01-03T00:00:00.0Z\"}", true},
    {"week 1 of the year to come", "{s: {email.date|week: 1}, condition: s}", "\"email\":{\"date\":\"2024-12-31T00:00:00.0Z\"}", true},
    {"week 52 of the year before", "{s: {email.date|week: 52}, condition: s}", "\"email\":{\"date\":\"2023-01-01T00:00:00.0Z\"}", true},
    {"week 53", "{s: {email.date|week: 53}, condition: s}", "\"email\":{\"date\":\"2020-12-31T00:00:00.0Z\"}", true},
    {"not a time", "{s: {email.date|week: 1}, condition: s}", "\"email\":{\"date\":\"yesterday\"}", false},
    /* cidr and addresses */
    {"cidr", "{s: {src_ip|cidr: 10.0.0.0/8}, condition: s}", "\"src_ip\":\"10.255.255.255\"", true},
    {"cidr, next to it", "{s: {src_ip|cidr: 10.0.0.0/8}, condition: s}", "\"src_ip\":\"11.0.0.0\"", false},
    {"cidr, mapped: it is the IPv4 address", "{s: {src_ip|cidr: 10.0.0.0/8}, condition: s}", "\"src_ip\":\"::ffff:10.0.0.1\"", true},
    {"cidr v6", "{s: {src_ip|cidr: '2001:db8::/32'}, condition: s}", "\"src_ip\":\"2001:db8:ffff::1\"", true},
    {"cidr v6, other", "{s: {src_ip|cidr: '2001:db8::/32'}, condition: s}", "\"src_ip\":\"2001:db9::1\"", false},
    {"cidr of lists", "{s: {src_ip|cidr: [192.0.2.0/24, 10.0.0.0/8]}, condition: s}", "\"src_ip\":\"10.1.1.1\"", true},
    {"cidr of a text", "{s: {smtp.helo|cidr: 10.0.0.0/8}, condition: s}", HELO("10.2.3.4"), true},
    {"cidr of a text that is none", "{s: {smtp.helo|cidr: 10.0.0.0/8}, condition: s}", HELO("host"), false},
    {"an address", "{s: {src_ip: 192.0.2.1}, condition: s}", "\"src_ip\":\"192.0.2.1\"", true},
    {"an address written otherwise", "{s: {src_ip: '2001:DB8:0::1'}, condition: s}", "\"src_ip\":\"2001:db8::1\"", true},
    {"an address as a text", "{s: {src_ip|startswith: '192.0.'}, condition: s}", "\"src_ip\":\"192.0.2.1\"", true},
    {"ECS", "{s: {source.ip: 192.0.2.1}, condition: s}", "\"src_ip\":\"192.0.2.1\"", true},
    /* encodings */
    {"base64", "{s: {email.subject|base64: foobar}, condition: s}", "\"email\":{\"subject\":\"Zm9vYmFy\"}", true},
    {"base64 with an escaped star", "{s: {email.subject|base64: 'a\\*'}, condition: s}", "\"email\":{\"subject\":\"YSo=\"}", true},
    {"base64offset, 0", "{s: {email.subject|base64offset|contains: foobar}, condition: s}", "\"email\":{\"subject\":\"Zm9vYmFy\"}", true},
    {"base64offset, 1", "{s: {email.subject|base64offset|contains: foobar}, condition: s}", "\"email\":{\"subject\":\"eGZvb2Jhcg==\"}", true},
    {"base64offset, 2", "{s: {email.subject|base64offset|contains: foobar}, condition: s}", "\"email\":{\"subject\":\"eHhmb29iYXI=\"}", true},
    {"base64offset, 3 is 0", "{s: {email.subject|base64offset|contains: foobar}, condition: s}", "\"email\":{\"subject\":\"eHh4Zm9vYmFy\"}", true},
    {"base64offset, other", "{s: {email.subject|base64offset|contains: foobar}, condition: s}", "\"email\":{\"subject\":\"eHh4Zm9vYmF6\"}", false},
    {"base64offset in octets", "{s: {email.subject|base64offset|contains: '\xc3\xa4'}, condition: s}", "\"email\":{\"subject\":\"eMOkeA==\"}", true},
    {"wide", "{s: {email.subject|wide|base64: ab}, condition: s}", "\"email\":{\"subject\":\"YQBiAA==\"}", true},
    {"utf16le", "{s: {email.subject|utf16le|base64: ab}, condition: s}", "\"email\":{\"subject\":\"YQBiAA==\"}", true},
    {"utf16be", "{s: {email.subject|utf16be|base64: ab}, condition: s}", "\"email\":{\"subject\":\"AGEAYg==\"}", true},
    {"utf16", "{s: {email.subject|utf16|base64: ab}, condition: s}", "\"email\":{\"subject\":\"//5hAGIA\"}", true},
    {"wide beyond ASCII", "{s: {email.subject|wide|base64: '\xe2\x82\xac\xf0\x9f\x98\x80'}, condition: s}", "\"email\":{\"subject\":\"rCA92ADe\"}", true},
    /* windash */
    {"windash, same", "{s: {smtp.helo|windash|contains: ' -x'}, condition: s}", HELO("a -x"), true},
    {"windash, slash", "{s: {smtp.helo|windash|contains: ' -x'}, condition: s}", HELO("a /x"), true},
    {"windash, from a slash", "{s: {smtp.helo|windash|contains: ' /x'}, condition: s}", HELO("a -x"), true},
    {"windash, en dash", "{s: {smtp.helo|windash|contains: ' -x'}, condition: s}", HELO("a \xe2\x80\x93x"), true},
    {"windash, em dash", "{s: {smtp.helo|windash|contains: ' -x'}, condition: s}", HELO("a \xe2\x80\x94x"), true},
    {"windash, bar", "{s: {smtp.helo|windash|contains: ' -x'}, condition: s}", HELO("a \xe2\x80\x95x"), true},
    {"windash leaves a dash within a word", "{s: {smtp.helo|windash: '-param-1'}, condition: s}", HELO("/param/1"), false},
    {"windash, every mix", "{s: {smtp.helo|windash: '-param-1 -param2'}, condition: s}", HELO("/param-1 \xe2\x80\x94param2"), true},
    {"windash and all: a variant of each", "{s: {smtp.helo|windash|contains|all: ['-a', '-b']}, condition: s}", HELO("/b -a"), true},
    {"windash and all: one lacks", "{s: {smtp.helo|windash|contains|all: ['-a', '-b']}, condition: s}", HELO("/a -a"), false},
    /* expand */
    {"expand", "{s: {smtp.helo|expand: 'x%evil%'}, condition: s}", HELO("xmallory"), true},
    {"expand, its other value", "{s: {smtp.helo|expand: 'x%evil%'}, condition: s}", HELO("xtrudy1"), true},
    {"expand and contains", "{s: {smtp.helo|expand|contains: '%evil%'}, condition: s}", HELO("xtrudyx"), true},
    {"expand twice in a value", "{s: {smtp.helo|expand: '%evil%-%evil%'}, condition: s}", HELO("trudyx-mallory"), true},
    {"expand in a regular expression", "{s: {smtp.helo|re|expand: '^%evil%$'}, condition: s}", HELO("mallory"), true},
    {"a plain percent", "{s: {smtp.helo|expand: '\\%evil\\%'}, condition: s}", HELO("%evil%"), true},
    {"without expand it is text", "{s: {smtp.helo: '%evil%'}, condition: s}", HELO("%evil%"), true},
    /* fieldref */
    {"fieldref, without case", "{s: {header_from|fieldref: mail_from}, condition: s}", "\"smtp\":{\"mail_from\":\"<A@x.org>\"},\"email\":{\"from\":\"Joe <a@X.org>\"}", true},
    {"fieldref, other", "{s: {header_from|fieldref: mail_from}, condition: s}", "\"smtp\":{\"mail_from\":\"<b@x.org>\"},\"email\":{\"from\":\"a@x.org\"}", false},
    {"fieldref and neq: the spoof check", "{s: {header_from|fieldref|neq: mail_from}, condition: s}", "\"smtp\":{\"mail_from\":\"<b@x.org>\"},\"email\":{\"from\":\"a@x.org\"}", true},
    {"fieldref and contains", "{s: {email.from|fieldref|contains: mail_from_domain}, condition: s}", "\"smtp\":{\"mail_from\":\"<b@x.org>\"},\"email\":{\"from\":\"a@x.org\"}", true},
    {"contains and fieldref", "{s: {email.from|contains|fieldref: mail_from_domain}, condition: s}", "\"smtp\":{\"mail_from\":\"<b@y.org>\"},\"email\":{\"from\":\"a@x.org\"}", false},
    {"fieldref and endswith", "{s: {email.from|fieldref|endswith: mail_from_domain}, condition: s}", "\"smtp\":{\"mail_from\":\"<b@x.org>\"},\"email\":{\"from\":\"a@x.org\"}", true},
    {"fieldref to what is not there", "{s: {header_from|fieldref: mail_from}, condition: s}", "\"email\":{\"from\":\"a@x.org\"}", false},
    {"fieldref of addresses", "{s: {src_ip|fieldref: dest_ip}, condition: s}", "\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.1\"", true},
    /* aliases and lenses */
    {"mailfrom has no brackets", "{s: {mailfrom: a@x.org}, condition: s}", "\"smtp\":{\"mail_from\":\"<a@x.org>\"}", true},
    {"rcpt_to_domain", "{s: {rcpt_to_domain: x.org}, condition: s}", "\"smtp\":{\"rcpt_to\":[\"<a@y>\",\"<a@X.ORG>\"]}", true},
    {"no domain is no entry", "{s: {mail_from_domain: null}, condition: s}", "\"smtp\":{\"mail_from\":\"<>\"}", true},
    /* conditions */
    {"a or b and not c: a and c", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, c: {smtp.helo|contains: c}, condition: a or b and not c}", HELO("ac"), true},
    {"a or b and not c: b and c", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, c: {smtp.helo|contains: c}, condition: a or b and not c}", HELO("bc"), false},
    {"not a and b: neither", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, condition: not a and b}", HELO("x"), false},
    {"not a and b: b", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, condition: not a and b}", HELO("b"), true},
    {"not (a and b)", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, condition: not (a and b)}", HELO("b"), true},
    {"not not a", "{a: {smtp.helo|contains: a}, condition: not not a}", HELO("a"), true},
    {"brackets", "{a: {smtp.helo|contains: a}, b: {smtp.helo|contains: b}, c: {smtp.helo|contains: c}, condition: (a or b) and not c}", HELO("ac"), false},
    {"1 of them leaves helpers out", "{a: {smtp.helo: a}, _b: {smtp.helo: b}, condition: 1 of them}", HELO("b"), false},
    {"1 of them", "{a: {smtp.helo: a}, _b: {smtp.helo: b}, condition: 1 of them}", HELO("a"), true},
    {"a pattern may name helpers", "{a: {smtp.helo: a}, _b: {smtp.helo: b}, condition: 1 of _*}", HELO("b"), true},
    {"1 of selection is exact", "{selection: {smtp.helo: a}, selection_b: {smtp.helo: b}, condition: 1 of selection}", HELO("b"), false},
    {"1 of selection*", "{selection: {smtp.helo: a}, selection_b: {smtp.helo: b}, condition: 1 of selection*}", HELO("b"), true},
    {"any of", "{s_a: {smtp.helo: a}, s_b: {smtp.helo: b}, condition: any of s_*}", HELO("b"), true},
    {"all of", "{s_a: {smtp.helo|contains: a}, s_b: {smtp.helo|contains: b}, condition: all of s_*}", HELO("b"), false},
    {"all of them", "{s_a: {smtp.helo|contains: a}, s_b: {smtp.helo|contains: b}, condition: all of them}", HELO("ab"), true},
    {"and not 1 of", "{s: {smtp.helo|contains: a}, f_1: {smtp.helo|contains: b}, f_2: {smtp.helo|contains: c}, condition: s and not 1 of f_*}", HELO("ac"), false},
    {"and not 1 of, without", "{s: {smtp.helo|contains: a}, f_1: {smtp.helo|contains: b}, f_2: {smtp.helo|contains: c}, condition: s and not 1 of f_*}", HELO("ad"), true},
    {"a star in the middle", "{s_1_x: {smtp.helo: a}, s_2_y: {smtp.helo: b}, condition: 1 of s*x}", HELO("b"), false},
    {"a list of conditions is an OR", "{a: {smtp.helo: a}, b: {smtp.helo: b}, condition: [a, b]}", HELO("b"), true},
    {"names with dashes", "{a-b: {smtp.helo: a}, condition: a-b}", HELO("a"), true},
    {"over lines", "{a: {smtp.helo: a}, b: {smtp.helo: b}, condition: \"a or\\n b\"}", HELO("b"), true},
    /* lists of maps, keywords */
    {"a list of maps is an OR", "{s: [{smtp.helo: a, dest_port: 1}, {smtp.helo: b}], condition: s}", HELO("b"), true},
    {"each map an AND", "{s: [{smtp.helo: a, dest_port: 1}, {smtp.helo: b}], condition: s}", HELO("a"), false},
    {"keywords: any field, within", "{k: [evil, bad], condition: k}", "\"smtp\":{\"helo\":\"x\",\"rcpt\":[{\"text\":\"is EVIL here\"}]}", true},
    {"keywords: a number", "{k: [2525], condition: k}", "\"dest_port\":2525", true},
    {"keywords: none", "{k: [evil, bad], condition: k}", HELO("good"), false},
    {"one keyword", "{k: evil, condition: k}", HELO("xevilx"), true},
    {"keywords, all", "{k: {'|all': [evil, bad]}, condition: k}", "\"smtp\":{\"helo\":\"evil\",\"banner\":\"bad\"}", true},
    {"keywords, all, one lacks", "{k: {'|all': [evil, bad]}, condition: k}", HELO("evil"), false},
    {"keywords, contains all", "{k: {'|contains|all': [evil, bad]}, condition: k}", HELO("badevil"), true},
    {"keywords, re", "{k: {'|re': 'e.i[kl]$'}, condition: k}", HELO("evil"), true},
    {"keywords of short words", "{k: [z], condition: k}", HELO("xyz"), true},
    {"a keyword among maps", "{s: [evil, {smtp.helo: b}], condition: s}", HELO("evil"), true},
};
/* clang-format on */

static void
test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        if (hits(vectors[i].why, vectors[i].detection, vectors[i].body) !=
            vectors[i].want)
            fail_msg("%s: %s on %s", vectors[i].why, vectors[i].detection,
                     vectors[i].body);
    }
}

/* ---- the index never hides a match ---- */

static bool
is_found(const struct sigma_match *m, size_t n, uint32_t rule)
{
    for (size_t i = 0; i < n; i++) {
        if (m[i].rule == rule)
            return true;
    }
    return false;
}

/* sigma_explain does not use the index. */
static void
check_record(struct kit *k, struct span record)
{
    struct sigma_match *copy =
        calloc(sigma_set_count(k->set) + 1U, sizeof(*copy));
    struct buf out;
    const struct sigma_match *m;
    size_t n;

    assert_non_null(copy);
    buf_init(&out, 1U << 20);
    m = sigma_eval(k->run, record, &n);
    if (n > 0)
        memcpy(copy, m, n * sizeof(*copy));
    for (uint32_t i = 0; i < sigma_set_count(k->set); i++) {
        buf_reset(&out);
        if (sigma_explain(k->run, i, record, &out) != is_found(copy, n, i))
            fail_msg("rule %u", i);
    }
    for (size_t i = 1; i < n; i++)
        assert_true(copy[i].rule > copy[i - 1].rule);
    buf_free(&out);
    free(copy);
}

static void
load_vectors(struct kit *k)
{
    struct buf b;

    kit_open(k);
    buf_init(&b, 1U << 20);
    assert_int_equal(
        sigma_set_define(k->set, SPAN_LIT("evil"), SPAN_LIT("mallory")),
        ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        buf_str(&b, "---\ntitle: t\nlogsource: {product: span25}\n"
                    "detection:\n  ");
        buf_str(&b, vectors[i].detection);
        buf_putc(&b, '\n');
    }
    kit_load(k, "all.yml", buf_view(&b));
    assert_int_equal(k->loaded, ERR_OK);
    kit_run(k, NULL);
    assert_int_equal(sigma_set_count(k->set), ARRAY_LEN(vectors));
    buf_free(&b);
}

static void
test_all_on_all(void **state)
{
    struct kit k;

    (void)state;
    load_vectors(&k);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        check_record(&k, kit_record(&k, "smtp", 0, vectors[i].body));
    kit_close(&k);
}

static void
test_random_records(void **state)
{
    uint64_t x = 88172645463325252ULL;
    struct record_out r;
    struct kit k;

    (void)state;
    load_vectors(&k);
    record_init(&r);
    for (unsigned i = 0; i < 300; i++) {
        random_record(&r, &x, 1 + i % 20);
        check_record(&k, record_view(&r));
    }
    record_free(&r);
    kit_close(&k);
}

/* Rules put together at random, from few words so that they match. */
static void
random_rule(struct buf *b, uint64_t *x)
{
    static const char *const fields[] = {"smtp.helo",    "email.subject",
                                         "smtp.rcpt_to", "dest_port",
                                         "src_ip",       "mail_from_domain"};
    static const char *const mods[] = {
        "",    "|contains", "|startswith", "|endswith",      "|contains|all",
        "|re", "|neq",      "|cased",      "|contains|cased"};
    static const char *const values[] = {
        "aab", "abba",      "ab", "b",           "'a*b'", "'?b'",
        "25",  "192.0.2.1", "AB", "example.org", "''",    "abab"};
    static const char *const conditions[] = {
        "s0 and not s1",   "s0 or s1",
        "not s0",          "s0 and s1",
        "1 of s*",         "all of s*",
        "not (s0 and s1)", "s0 and (s1 or not s0)"};

    buf_str(b, "---\ntitle: r\nlogsource: {product: span25}\ndetection:\n");
    for (unsigned s = 0; s < 2; s++) {
        uint64_t m = random_next(x) % ARRAY_LEN(mods);

        buf_printf(b, "  s%u:\n    %s%s: [", s,
                   fields[random_next(x) % ARRAY_LEN(fields)], mods[m]);
        for (uint64_t i = random_next(x) % 3; m != 5 && i > 0; i--)
            buf_printf(b, "%s, ", values[random_next(x) % ARRAY_LEN(values)]);
        buf_printf(b, "%s]\n",
                   m == 5 ? "'a+b[ab]?'"
                          : values[random_next(x) % ARRAY_LEN(values)]);
    }
    if (random_next(x) % 3 == 0) {
        static const char *const more[] = {
            "dest_port|gte: 25",
            "dest_port|lt: 25",
            "dest_port|all: '25'",
            "smtp.banner|neq: 3",
            "src_ip|cidr: [192.0.2.0/31, 2001:db8::/32]",
            "src_ip|cidr|neq: 192.0.2.1/32",
            "smtp.message_bytes|lte: 7",
            "dest_port|gt|neq: 24"};

        buf_printf(b, "    %s\n", more[random_next(x) % ARRAY_LEN(more)]);
    }
    buf_printf(b, "  condition: %s\n",
               conditions[random_next(x) % ARRAY_LEN(conditions)]);
}

static void
random_word(uint64_t *x, char out[16])
{
    uint64_t n = random_next(x) % 9;

    for (uint64_t i = 0; i < n; i++)
        out[i] = "abAB"[random_next(x) % 4];
    out[n] = 0;
}

static void
test_random_rules(void **state)
{
    uint64_t x = 362436069521288629ULL;
    struct buf b;
    struct kit k;
    size_t found = 0, n;

    (void)state;
    kit_open(&k);
    buf_init(&b, 1U << 20);
    for (unsigned i = 0; i < 400; i++)
        random_rule(&b, &x);
    kit_load(&k, "random.yml", buf_view(&b));
    if (k.loaded != ERR_OK)
        fail_msg("%s", kit_messages(&k));
    kit_run(&k, NULL);
    for (unsigned i = 0; i < 300; i++) {
        char body[300], helo[16], subject[16], rcpt[16];
        struct span rec;

        random_word(&x, helo);
        random_word(&x, subject);
        random_word(&x, rcpt);
        (void)snprintf(
            body, sizeof(body),
            "\"src_ip\":\"192.0.2.%u\",\"dest_port\":%u,\"smtp\":{\"helo\":"
            "\"%s\",\"mail_from\":\"<a@example.org>\",\"rcpt_to\":[\"%s\","
            "\"ab\"]},\"email\":{\"subject\":\"%s\"}",
            i % 3, 24 + i % 3, helo, rcpt, subject);
        rec = kit_record(&k, "smtp", 0, body);
        check_record(&k, rec);
        (void)sigma_eval(k.run, rec, &n);
        found += n;
    }
    assert_true(found > 1000);
    buf_free(&b);
    kit_close(&k);
}

/* ---- and looks at few rules ---- */

static const struct {
    const char *why, *detection;
} cheap[] = {
    {"a whole value",             "{s: {smtp.helo: zzz}, condition: s}"             },
    {"bytes",                     "{s: {smtp.helo|contains: zzz}, condition: s}"    },
    {"not of another",            "{s: {smtp.helo: zzz}, f: {dest_port: 25}, condition: "
                       "s and not f}"                         },
    {"the rarer of two",
     "{s: {dest_port|gt: 1, smtp.helo|endswith: zz}, condition: s}"                 },
    {"one of several",            "{s: {smtp.helo: zzz}, t: {src_ip: 192.0.2.9}, "
                       "condition: 1 of them}"                },
    {"a threshold",               "{s: {dest_port|gt: 26}, condition: s}"           },
    {"a threshold from above",    "{s: {dest_port|lt: 24}, condition: s}"           },
    {"a network",                 "{s: {src_ip|cidr: 192.0.2.128/25}, condition: s}"},
    {"a quoted number",           "{s: {dest_port: '26'}, condition: s}"            },
    {"a regular expression",      "{s: {smtp.helo|re: '^zzz+[a-f]'}, condition: s}" },
    {"a field that is not there", "{s: {email.subject: '*'}, condition: s}"         },
};

static void
test_candidates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cheap); i++) {
        struct kit k;
        struct buf b;
        size_t n;

        kit_open(&k);
        buf_init(&b, 1000);
        buf_str(&b, "title: t\nlogsource: {service: smtp}\ndetection:\n  ");
        buf_str(&b, cheap[i].detection);
        kit_load(&k, "c.yml", buf_view(&b));
        kit_run(&k, NULL);
        assert_int_equal(k.loaded, ERR_OK);
        (void)sigma_eval(k.run,
                         kit_record(&k, "smtp", 0,
                                    "\"src_ip\":\"192.0.2.1\","
                                    "\"dest_port\":25,\"smtp\":{\"helo\":"
                                    "\"mail\"}"),
                         &n);
        if (sigma_run_counts(k.run).candidates != 0)
            fail_msg("%s: looked at", cheap[i].why);
        buf_free(&b);
        kit_close(&k);
    }
}

/* ---- what hostile values cost ---- */

static void
test_redos(void **state)
{
    static const char *const patterns[] = {
        "(a+)+$",    "(a|aa)+$", "^(a|a?)+$",
        "(.*a){20}", "(a*)*b",   "^(([a-z])+.)+[A-Z]([a-z])+$"};
    struct kit k;
    struct buf b;
    struct record_out r;
    struct record_head h = {.when = NS_PER_S, .type = EVENT_SMTP};
    uint8_t *value = malloc(60000);
    size_t n;

    (void)state;
    assert_non_null(value);
    memset(value, 'a', 60000);
    value[59999] = '!';
    kit_open(&k);
    buf_init(&b, 1U << 20);
    for (unsigned i = 0; i < 60; i++)
        buf_printf(&b,
                   "---\ntitle: r\nlogsource: {product: span25}\ndetection: "
                   "{s: {email.subject|re: '%s'}, condition: s}\n",
                   patterns[i % ARRAY_LEN(patterns)]);
    kit_load(&k, "re.yml", buf_view(&b));
    assert_int_equal(k.loaded, ERR_OK);
    kit_run(&k, NULL);
    record_init(&r);
    record_begin(&r, &h);
    record_str(&r, FIELD_EMAIL_SUBJECT, span_of(value, 60000));
    (void)sigma_eval(k.run, record_view(&r), &n);
    /* all the searches of one record together are given up after a few */
    assert_true(sigma_run_counts(k.run).regex_limited > 10);
    record_free(&r);
    buf_free(&b);
    free(value);
    kit_close(&k);
}

static void
test_glob_bound(void **state)
{
    struct kit k;
    struct record_out r;
    struct record_head h = {.when = NS_PER_S, .type = EVENT_SMTP};
    uint8_t *value = malloc(65000);
    struct buf b;
    size_t n;

    (void)state;
    assert_non_null(value);
    memset(value, 'a', 65000);
    kit_open(&k);
    buf_init(&b, 1U << 20);
    buf_str(&b, "title: g\nlogsource: {product: span25}\ndetection: {s: "
                "{email.subject: '*");
    for (unsigned i = 0; i < 1000; i++)
        buf_str(&b, "a?");
    buf_str(&b, "b*'}, condition: s}\n");
    kit_load(&k, "g.yml", buf_view(&b));
    kit_run(&k, NULL);
    record_init(&r);
    record_begin(&r, &h);
    value[64999] = 'b';
    record_str(&r, FIELD_EMAIL_SUBJECT, span_of(value, 65000));
    (void)sigma_eval(k.run, record_view(&r), &n);
    assert_int_equal(sigma_run_counts(k.run).glob_limited, 1);
    record_free(&r);
    buf_free(&b);
    free(value);
    kit_close(&k);
}

static void
test_explain(void **state)
{
    struct kit k;
    struct buf out;

    (void)state;
    kit_open(&k);
    buf_init(&out, 1000);
    kit_load(&k, "e.yml",
             SPAN_LIT("title: t\nlogsource: {service: smtp}\ndetection:\n"
                      "  sel:\n    smtp.helo|contains: [x, EVIL]\n"
                      "    smtp.rcpt_to|endswith: 'b>'\n"
                      "    smtp.banner: null\n"
                      "  not_me: {src_ip|cidr: 10.0.0.0/8}\n"
                      "  word: [her]\n"
                      "  condition: sel and not not_me and word\n"));
    kit_run(&k, NULL);
    assert_true(sigma_explain(
        k.run, 0,
        kit_record(
            &k, "smtp", 0,
            "\"src_ip\":\"192.0.2.1\",\"smtp\":{\"helo\":\"an.evil\\u001b"
            "[1m\",\"rcpt_to\":[\"<a>\",\"<b>\"]},\"email\":{"
            "\"subject\":\"Here\"}"),
        &out));
    if (!span_eq(buf_view(&out),
                 SPAN_LIT("sel: smtp.helo|contains: x, EVIL "
                          "(has an.evil\\x1b[1m)\n"
                          "sel: smtp.rcpt_to|endswith: 'b>' (has <b>)\n"
                          "sel: smtp.banner: null (no such entry)\n"
                          "word: her (has Here)\n")))
        fail_msg("%.*s", (int)out.n, (const char *)out.p);
    buf_free(&out);
    kit_close(&k);
}

/* ---- windows that are kept elsewhere ---- */

#define CORRELATION(id, group)                                                 \
    "title: " id "\nname: " id "\n"                                            \
    "correlation: {type: event_count, rules: [base], group-by: " group ", "    \
    "timespan: 10m, condition: {gte: 2}}\n---\n"

#define SPREAD_RULES                                                           \
    BASE CORRELATION("c-client", "[src_ip]") CORRELATION(                      \
        "c-both", "[dest_ip, src_ip]") CORRELATION("c-server", "[dest_ip]")    \
        CORRELATION("c-ecs", "[source.ip]") CORRELATION(                       \
            "c-two",                                                           \
            "[dest_ip, dest_port]") "title: chain\nname: c-chain\n"            \
                                    "correlation: {type: event_count, rules: " \
                                    "[c-server], group-by: [dest_ip],"         \
                                    " timespan: 10m, condition: {gte: 2}}\n"

static const struct {
    const char *why, *id;
    bool spread;
} groups[] = {
    {"by the client",             "c-client", false},
    {"by the client and another", "c-both",   false},
    {"by the server",             "c-server", true },
    {"by ECS' name",              "c-ecs",    false},
    {"by two things of neither",  "c-two",    true },
    {"of another correlation",    "c-chain",  false},
    {"a rule",                    "base",     false},
};

struct spread_told {
    char text[200];
    size_t n;
};

static void
note_spread(void *ctx, uint32_t rule, const struct span *group,
            uint32_t n_group)
{
    struct spread_told *t = ctx;

    t->n++;
    (void)snprintf(t->text, sizeof(t->text), "%u %u %.*s", rule, n_group,
                   (int)group[n_group - 1].n,
                   (const char *)group[n_group - 1].p);
}

static void
test_spread(void **state)
{
    struct spread_told told = {.n = 0};
    const struct sigma_spread to = {note_spread, &told};
    char want[200];
    struct kit k;
    uint32_t server;
    size_t n;

    (void)state;
    kit_open(&k);
    kit_load(&k, "t", span_str(SPREAD_RULES));
    kit_run(&k, NULL);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        uint32_t rule = sigma_set_find(k.set, span_str(groups[i].id));

        assert_true(rule < sigma_set_count(k.set));
        if (sigma_set_is_spread(k.set, rule) != groups[i].spread)
            fail_msg("%s", groups[i].why);
    }
    server = sigma_set_find(k.set, SPAN_LIT("c-server"));
    for (unsigned i = 0; i < 3; i++) {
        (void)sigma_eval(k.run,
                         kit_record(&k, "smtp", i,
                                    "\"src_ip\":\"10.0.0.1\",\"dest_ip\":"
                                    "\"192.0.2.1\",\"smtp\":{\"helo\":\"a\"}"),
                         &n);
        told.n = 0;
        sigma_spread(k.run, &to);
        assert_int_equal(told.n, 1); /* c-two's record has no port */
        (void)snprintf(want, sizeof(want), "%u 1 192.0.2.1", server);
        assert_string_equal(told.text, want);
        (void)sigma_correlate_one(k.run, server, 0, &n);
        /* c-server and what looks at it, never the others */
        assert_int_equal(n, i == 1);
    }
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_all_on_all),
        cmocka_unit_test(test_random_records),
        cmocka_unit_test(test_random_rules),
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_redos),
        cmocka_unit_test(test_glob_bound),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

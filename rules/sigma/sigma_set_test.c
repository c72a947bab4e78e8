/* sigma_set_test - what a loader says of faults, and what it still loads */
#include "rules/sigma/sigma_test_kit.h"

#include <time.h>

#define GOOD                                                                   \
    "---\ntitle: good\nid: 11111111-1111-4111-8111-111111111111\n"             \
    "logsource: {product: span25, service: smtp}\n"                            \
    "detection: {s: {smtp.helo: good}, condition: s}\n"
#define CORR(c) BASE "title: c\ncorrelation: {" c "}\n"
#define COUNT(c)                                                               \
    CORR("type: event_count, rules: [base], group-by: [src_ip], " c)

/* clang-format off */
static const struct {
    const char *why, *yaml, *want;
} faults[] = {
    {"no YAML", "title: [\n", "r.yml:2:1: not valid YAML: did not find expected node content\n"},
    {"an anchor", "title: &a t\n", "r.yml:1:8: anchors, aliases and tags are not allowed, write it out\n"},
    {"an alias", "title: *a\n", "r.yml:1:8: anchors, aliases and tags are not allowed, write it out\n"},
    {"a tag", "title: !!str t\n", "r.yml:1:8: anchors, aliases and tags are not allowed, write it out\n"},
    {"a merge", LOG "<<: {a: b}\ndetection: {s: {'<<': a}, condition: s}\n", "r.yml:4:17: <<: there is no such field, see events(7)\n"},
    {"a key twice", "title: a\nlevel: low\ntitle: b\n", "r.yml:3:1: this key is there twice, first in line 1; keep one\n"},
    {"a key that is a list", "[a, b]: c\n", "r.yml:1:1: a key must be a word\n"},
    {"too deep", "a: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", "r.yml:1:19: nested too deeply, 16 levels are enough\n"},
    {"not UTF-8", "title: \xff\n", "r.yml:1:8: not UTF-8, or a control character; save it as UTF-8\n"},
    {"a control character", "title: a\x01\n", "r.yml:1:9: not UTF-8, or a control character; save it as UTF-8\n"},
    {"a list", "- a\n", "r.yml:1:1: a rule must be keys and values, begin with title:\n"},
    {"a word", "hello\n", "r.yml:1:1: a rule must be keys and values, begin with title:\n"},
    {"two documents by an end", "title: a\n...\ntitle: b\n", "r.yml:3:1: not valid YAML: did not find expected <document start>\n"},
    {"no title", "logsource: {product: span25}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:1:1: title: is missing, every rule has one\n"},
    {"a title that is a list", "title: [a]\nlogsource: {product: span25}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:1:8: title: must be a text of at most 256 characters\n"},
    {"an id that is none", LOG "id: 12\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:5: id: must be a UUID such as 0d1b7a0e-6c1d-4b8e-9a53-2f4f1e0c7a11\n"},
    {"a status", LOG "status: good\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:9: status: must be stable, test, experimental, deprecated or unsupported\n"},
    {"a level", LOG "level: urgent\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:8: level: must be informational, low, medium, high or critical\n"},
    {"a date", LOG "date: 2026/11/22\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:7: date: must be a date such as 2026-11-22\n"},
    {"a tag", LOG "tags: [attack.t1048, Bad]\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:22: tags: 'Bad' is no tag, write attack.t1048 in lower case\n"},
    {"tags", LOG "tags: attack.t1048\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:7: tags: must be a list\n"},
    {"two faults, two lines", LOG "level: x\nstatus: y\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:4:9: status: must be stable, test, experimental, deprecated or unsupported\nr.yml:3:8: level: must be informational, low, medium, high or critical\n"},
    {"span25 of a word", LOG "span25: a\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:9: span25: must be keys and values\n"},
    {"an unknown key of span25", LOG "span25: {acton: b}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:10: acton: is not known below span25, did you mean 'action'?\n"},
    {"one that is far from all", LOG "span25: {colour: b}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:10: colour: is not known below span25, write subject, reason, limit or action\n"},
    {"a key of span25 that is a list", LOG "span25: {limit: [b]}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:17: limit: must be a text\n"},
    {"a subject", LOG "span25: {subject: host}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:19: subject: 'host' is none, write client or server\n"},
    {"a reason with an unknown field", LOG "span25: {reason: 'from {smtp.hello}'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: there is no field {smtp.hello}, did you mean {smtp.helo}?\n"},
    {"a reason with a field far from all", LOG "span25: {reason: 'from {TheCommandLineOfIt}'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: there is no field {TheCommandLineOfIt}, see events(7)\n"},
    {"a reason with what every alert has", LOG "span25: {reason: 'at {timestamp}'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: every alert tells {timestamp}, leave it out\n"},
    {"a count without a correlation", LOG "span25: {reason: '{count} mails'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: {count} is known in a correlation only, write the figure\n"},
    {"a slip in a correlation's word", BASE "title: c\nspan25: {reason: '{cuont} mails'}\ncorrelation: {type: event_count, rules: [base], timespan: 1m, condition: {gte: 1}}\n", "r.yml:7:18: reason: there is no field {cuont}, did you mean {count}?\n"},
    {"a reason that is not closed", LOG "span25: {reason: 'from {smtp.helo'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: a { has no } behind it, write {field}\n"},
    {"a reason that is not opened", LOG "span25: {reason: 'from smtp.helo}'}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: reason: a } has no { before it, write {field}\n"},
    {"false positives of a map", LOG "falsepositives: {a: b}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:17: falsepositives: must be a list of texts\n"},
    {"a false positive with a colon", LOG "falsepositives: [a: b]\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:3:18: falsepositives: must be a list of texts; quote one with a colon\n"},
    {"no logsource", "title: t\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:1:1: logsource: is missing, write product: span25 and a service below it\n"},
    {"a logsource of a word", "title: t\nlogsource: smtp\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:2:12: logsource: must be keys and values, write product: span25 and a service below it\n"},
    {"an empty logsource", "title: t\nlogsource: {definition: x}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:2:12: logsource: needs one of product, service, category\n"},
    {"an unknown service", "title: t\nlogsource: {product: span25, service: stmp}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:2:39: service: span25 has no 'stmp', did you mean 'smtp'?\n"},
    {"no detection", LOG, "r.yml:1:1: detection: is missing, a rule has detection, correlation or filter\n"},
    {"a detection of a word", LOG "detection: x\n", "r.yml:3:12: detection: must be keys and values\n"},
    {"no selection", LOG "detection: {condition: s}\n", "r.yml:3:12: detection: has no selection, write one with fields and values\n"},
    {"an empty selection", LOG "detection: {s: {}, condition: s}\n", "r.yml:3:16: an empty map matches nothing, write fields and values\n"},
    {"a selection's name", LOG "detection: {'a b': {smtp.helo: a}, s: {smtp.helo: a}, condition: s}\n", "r.yml:3:13: a b: a selection's name has letters, digits, _ and -\n"},
    {"an unknown field", LOG "detection: {s: {smtp.hello: a}, condition: s}\n", "r.yml:3:17: smtp.hello: there is no such field, did you mean 'smtp.helo'?\n"},
    {"a field far from all", LOG "detection: {s: {CommandLineOfTheProcess: a}, condition: s}\n", "r.yml:3:17: CommandLineOfTheProcess: there is no such field, see events(7)\n"},
    {"an unknown modifier", LOG "detection: {s: {smtp.helo|contians: a}, condition: s}\n", "r.yml:3:17: smtp.helo|contians: there is no modifier 'contians', did you mean 'contains'?\n"},
    {"no modifier at all", LOG "detection: {s: {smtp.helo|: a}, condition: s}\n", "r.yml:3:17: smtp.helo|: there is no modifier '', see rules(5)\n"},
    {"exists beside another", LOG "detection: {s: {smtp.helo|exists|contains: true}, condition: s}\n", "r.yml:3:17: smtp.helo|exists|contains: 'contains' stands alone, no other modifier can be beside it\n"},
    {"exists of a word", LOG "detection: {s: {smtp.helo|exists: maybe}, condition: s}\n", "r.yml:3:35: smtp.helo|exists: takes true or false\n"},
    {"exists for keywords", LOG "detection: {s: {'|exists': true}, condition: s}\n", "r.yml:3:17: |exists: 'exists' needs a field, not keywords\n"},
    {"i without re", LOG "detection: {s: {smtp.helo|i: a}, condition: s}\n", "r.yml:3:17: smtp.helo|i: 'i' is for regular expressions, write it after re\n"},
    {"re after another", LOG "detection: {s: {smtp.helo|wide|re: a}, condition: s}\n", "r.yml:3:17: smtp.helo|wide|re: 're' takes the value as written, write it first\n"},
    {"cased after re", LOG "detection: {s: {smtp.helo|re|cased: a}, condition: s}\n", "r.yml:3:17: smtp.helo|re|cased: 'cased' cannot follow re\n"},
    {"a bad regular expression", LOG "detection: {s: {smtp.helo|re: 'a(b'}, condition: s}\n", "r.yml:3:31: smtp.helo|re: bad regular expression: missing closing parenthesis, at character 4\n"},
    {"settings in a regular expression", LOG "detection: {s: {smtp.helo|re: '(*LIMIT_MATCH=999999999)a'}, condition: s}\n", "r.yml:3:31: smtp.helo|re: bad regular expression: a pattern may not begin with (*\n"},
    {"a single byte in one", LOG "detection: {s: {smtp.helo|re: 'a\\Cb'}, condition: s}\n", "r.yml:3:31: smtp.helo|re: bad regular expression: using \\C is disabled by the application, at character 4\n"},
    {"host bits", LOG "detection: {s: {src_ip|cidr: 10.0.0.1/8}, condition: s}\n", "r.yml:3:30: src_ip|cidr: '10.0.0.1/8' is no network, write 192.0.2.0/24 with all bits behind the length 0\n"},
    {"a network without length", LOG "detection: {s: {src_ip|cidr: 10.0.0.1}, condition: s}\n", "r.yml:3:30: src_ip|cidr: '10.0.0.1' is no network, write 192.0.2.0/24 with all bits behind the length 0\n"},
    {"gt of a text", LOG "detection: {s: {dest_port|gt: '5'}, condition: s}\n", "r.yml:3:31: dest_port|gt: takes a number, without quotes\n"},
    {"two ways to compare", LOG "detection: {s: {dest_port|gt|lt: 5}, condition: s}\n", "r.yml:3:17: dest_port|gt|lt: 'lt' cannot be beside another way to compare\n"},
    {"gt with contains", LOG "detection: {s: {dest_port|gt|contains: 5}, condition: s}\n", "r.yml:3:17: dest_port|gt|contains: 'contains' cannot follow that modifier\n"},
    {"an hour", LOG "detection: {s: {timestamp|hour: 24}, condition: s}\n", "r.yml:3:33: timestamp|hour: must be from 0 to 23\n"},
    {"base64 of a wildcard", LOG "detection: {s: {smtp.helo|base64: 'a*'}, condition: s}\n", "r.yml:3:35: smtp.helo|base64: a wildcard cannot be encoded, escape it as \\* or \\?\n"},
    {"expand without a value", LOG "detection: {s: {smtp.helo|expand: '%users%'}, condition: s}\n", "r.yml:3:35: smtp.helo|expand: no value is defined for %users%, define it\n"},
    {"a fieldref to nothing", LOG "detection: {s: {smtp.helo|fieldref: smtp.bannr}, condition: s}\n", "r.yml:3:37: smtp.bannr: there is no such field, did you mean 'smtp.banner'?\n"},
    {"too many dashes", LOG "detection: {s: {smtp.helo|windash: '-a -b -c -d -e -f'}, condition: s}\n", "r.yml:3:36: smtp.helo|windash: the value has too many variants, at most 3125\n"},
    {"null in a list", LOG "detection: {s: {smtp.helo: [a, null]}, condition: s}\n", "r.yml:3:32: smtp.helo: null may not stand in a list, use a selection of its own\n"},
    {"null with contains", LOG "detection: {s: {smtp.helo|contains: null}, condition: s}\n", "r.yml:3:37: smtp.helo|contains: takes a text, not null\n"},
    {"a null keyword", LOG "detection: {s: null, condition: s}\n", "r.yml:3:16: null needs a field\n"},
    {"not a number", LOG "detection: {s: {dest_port: .nan}, condition: s}\n", "r.yml:3:28: dest_port: NaN and infinity are no values, quote it if it is a word\n"},
    {"infinity", LOG "detection: {s: {dest_port: -.inf}, condition: s}\n", "r.yml:3:28: dest_port: NaN and infinity are no values, quote it if it is a word\n"},
    {"a map as a value", LOG "detection: {s: {dest_port: {a: b}}, condition: s}\n", "r.yml:3:28: dest_port: takes a value or a list of values\n"},
    {"no condition", LOG "detection: {s: {smtp.helo: a}}\n", "r.yml:3:12: condition: is missing, name the selections that must match\n"},
    {"a condition of a map", LOG "detection: {s: {smtp.helo: a}, condition: {a: b}}\n", "r.yml:3:43: condition: must be a text\n"},
    {"an unknown name", LOG "detection: {s: {smtp.helo: a}, condition: s and t}\n", "r.yml:3:43: condition: there is no selection 't'\n"},
    {"upper case", LOG "detection: {s: {smtp.helo: a}, condition: s OR s}\n", "r.yml:3:43: condition: 'and' or 'or' is missing before 'OR'\n"},
    {"upper case first", LOG "detection: {s: {smtp.helo: a}, condition: NOT s}\n", "r.yml:3:43: condition: 'NOT' must be in lower case, and stand between two\n"},
    {"old aggregation", LOG "detection: {s: {smtp.helo: a}, condition: s | count() > 5}\n", "r.yml:3:43: condition: '|' and what follows is old Sigma, write a correlation instead\n"},
    {"an empty condition", LOG "detection: {s: {smtp.helo: a}, condition: ''}\n", "r.yml:3:43: condition: the condition ends too early, a selection is missing\n"},
    {"an empty operand", LOG "detection: {s: {smtp.helo: a}, condition: s and}\n", "r.yml:3:43: condition: the condition ends too early, a selection is missing\n"},
    {"an operator too many", LOG "detection: {s: {smtp.helo: a}, condition: s and or s}\n", "r.yml:3:43: condition: a selection is missing before 'or'\n"},
    {"text behind it", LOG "detection: {s: {smtp.helo: a}, condition: s s}\n", "r.yml:3:43: condition: 'and' or 'or' is missing before 's'\n"},
    {"2 of", LOG "detection: {s: {smtp.helo: a}, condition: 2 of s*}\n", "r.yml:3:43: condition: '2 of' is not known, write 1 of, any of or all of\n"},
    {"1 of nothing", LOG "detection: {s: {smtp.helo: a}, condition: 1 of}\n", "r.yml:3:43: condition: '1 of' lacks its pattern, write them or a name\n"},
    {"a pattern without names", LOG "detection: {s: {smtp.helo: a}, condition: 1 of x*}\n", "r.yml:3:43: condition: nothing is called 'x*', name a selection\n"},
    {"a bracket not closed", LOG "detection: {s: {smtp.helo: a}, condition: (s}\n", "r.yml:3:43: condition: a '(' is not closed\n"},
    {"a bracket not opened", LOG "detection: {s: {smtp.helo: a}, condition: s)}\n", "r.yml:3:43: condition: a ')' without its '('\n"},
    {"a strange sign", LOG "detection: {s: {smtp.helo: a}, condition: '$'}\n", "r.yml:3:43: condition: '$' does not belong into a condition\n"},
    {"escapes in a message", LOG "detection: {s: {\"a\\e[31m\": a}, condition: s}\n", "r.yml:3:17: a\\x1b[31m: there is no such field, see events(7)\n"},
    /* correlations */
    {"no type", CORR("rules: [base], group-by: [src_ip], timespan: 5m, condition: {gte: 2}"), "r.yml:7:14: type: is missing, such as event_count\n"},
    {"an unknown type", CORR("type: count, rules: [base], timespan: 5m, condition: {gte: 2}"), "r.yml:7:21: type: 'count' is not known, write event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or value_median\n"},
    {"no rules", CORR("type: event_count, timespan: 5m, condition: {gte: 2}"), "r.yml:7:14: rules: is missing, list ids or names\n"},
    {"rules of a map", CORR("type: event_count, rules: {a: b}, timespan: 5m, condition: {gte: 2}"), "r.yml:7:41: rules: must be a list of 1 to 32 names\n"},
    {"rules of maps", CORR("type: event_count, rules: [{a: b}], timespan: 5m, condition: {gte: 2}"), "r.yml:7:42: rules: must be names or ids\n"},
    {"a reference to nothing", CORR("type: event_count, rules: [other], timespan: 5m, condition: {gte: 2}"), "r.yml:7:42: rules: no rule has the id or name 'other'; load it too, or repair the name\n"},
    {"group-by of a map", CORR("type: event_count, rules: [base], group-by: {a: b}, timespan: 5m, condition: {gte: 2}"), "r.yml:7:59: group-by: must be a list of 1 to 8 names\n"},
    {"group-by of no field", CORR("type: event_count, rules: [base], group-by: [src_up], timespan: 5m, condition: {gte: 2}"), "r.yml:7:42: src_up: no such field for 'base', see events(7), or add an alias\n"},
    {"no timespan", COUNT("condition: {gte: 2}"), "r.yml:7:14: timespan: is missing, such as 5m\n"},
    {"timespan 10", COUNT("timespan: 10, condition: {gte: 2}"), "r.yml:7:79: timespan: '10' is none, write a number and s, m, h, d, w, M or y, such as 5m\n"},
    {"timespan 1x", COUNT("timespan: 1x, condition: {gte: 2}"), "r.yml:7:79: timespan: '1x' is none, write a number and s, m, h, d, w, M or y, such as 5m\n"},
    {"timespan h", COUNT("timespan: h, condition: {gte: 2}"), "r.yml:7:79: timespan: 'h' is none, write a number and s, m, h, d, w, M or y, such as 5m\n"},
    {"timespan 0s", COUNT("timespan: 0s, condition: {gte: 2}"), "r.yml:7:79: timespan: '0s' is none, write a number and s, m, h, d, w, M or y, such as 5m\n"},
    {"timespan of ages", COUNT("timespan: 11y, condition: {gte: 2}"), "r.yml:7:79: timespan: '11y' is none, write a number and s, m, h, d, w, M or y, such as 5m\n"},
    {"no condition of a correlation", COUNT("timespan: 5m"), "r.yml:7:14: condition: is missing, such as gte: 10 below it\n"},
    {"a condition without operators", COUNT("timespan: 5m, condition: {field: src_ip}"), "r.yml:7:94: condition: has no operator, such as gte: 10\n"},
    {"an unknown operator", COUNT("timespan: 5m, condition: {ge: 2}"), "r.yml:7:95: ge: is no operator, write gt, gte, lt, lte, eq or neq\n"},
    {"three operators", COUNT("timespan: 5m, condition: {gt: 2, lt: 3, neq: 4}"), "r.yml:7:109: condition: has more than two operators\n"},
    {"a threshold of text", COUNT("timespan: 5m, condition: {gte: many}"), "r.yml:7:100: gte: must be a number\n"},
    {"a condition of a word", COUNT("timespan: 5m, condition: base"), "r.yml:7:94: condition: must be an operator and a number, such as gte: 10\n"},
    {"value_count without field", CORR("type: value_count, rules: [base], timespan: 5m, condition: {gte: 2}"), "r.yml:7:74: field: is missing, name what is counted\n"},
    {"value_sum of two", CORR("type: value_sum, rules: [base], timespan: 5m, condition: {gte: 2, field: [src_port, dest_port]}"), "r.yml:7:88: field: only value_count takes several\n"},
    {"percentile without which", CORR("type: value_percentile, rules: [base], timespan: 5m, condition: {gte: 2, field: src_port}"), "r.yml:7:79: percentile: is missing, such as percentile: 95\n"},
    {"an alias of a word", COUNT("timespan: 5m, condition: {gte: 2}, aliases: {a: b}"), "r.yml:7:117: a: an alias must be rule names, each with a field\n"},
    {"aliases of a word", COUNT("timespan: 5m, condition: {gte: 2}, aliases: a"), "r.yml:7:113: aliases: must be keys and values\n"},
    {"an alias for a stranger", COUNT("timespan: 5m, condition: {gte: 2}, aliases: {a: {other: src_ip}}"), "r.yml:7:125: a: 'other' is not in rules, write a name that is\n"},
    {"generate", COUNT("timespan: 5m, condition: {gte: 2}, generate: 5"), "r.yml:7:114: generate: must be true or false\n"},
    {"an expression without a rule", CORR("type: temporal, rules: [base, good], timespan: 5m, condition: base"), "r.yml:7:77: condition: does not name 'good' of rules\n"},
    {"an expression with a stranger", CORR("type: temporal, rules: [base], timespan: 5m, condition: base and x"), "r.yml:7:71: condition: there is no selection 'x'\n"},
    {"an expression with of", CORR("type: temporal, rules: [base], timespan: 5m, condition: 1 of them}\n#"), "r.yml:7:71: condition: '1 of' is not for correlations, name the rules\n"},
    {"a circle of one", "title: c\nname: me\ncorrelation: {type: event_count, rules: [me], timespan: 5m, condition: {gte: 2}}\n", "r.yml:1:1: rules: this correlation is part of a circle, or looks at one; let one of them name other rules\n"},
    {"a chain to a field that is not grouped by", BASE "title: c\nname: inner\ncorrelation: {type: event_count, rules: base, group-by: [src_ip], timespan: 5m, condition: {gte: 2}}\n---\ntitle: d\ncorrelation: {type: event_count, rules: inner, group-by: [dest_ip], timespan: 5m, condition: {gte: 2}}\n", "r.yml:11:41: dest_ip: the correlation 'inner' has no such field in its group-by\n"},
    /* filters */
    {"a filter without rules", "title: f\nlogsource: {product: span25}\nfilter: {s: {smtp.helo: a}, condition: not s}\n", "r.yml:3:9: rules: is missing, list ids or names, or write any\n"},
    {"a filter of nothing", "title: f\nlogsource: {product: span25}\nfilter: {rules: [x], s: {smtp.helo: a}, condition: not s}\n", "r.yml:3:18: rules: no rule has the id or name 'x'; load it too, or repair the name\n"},
    {"a filter with two conditions", "title: f\nlogsource: {product: span25}\nfilter: {rules: any, s: {smtp.helo: a}, condition: [s, s]}\n", "r.yml:3:52: condition: a filter has one condition\n"},
    /* ids */
    {"an id twice", LOG "id: 11111111-1111-4111-8111-111111111112\ndetection: {s: {smtp.helo: a}, condition: s}\n---\n" LOG "id: 11111111-1111-4111-8111-111111111112\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:8:1: id: '11111111-1111-4111-8111-111111111112' is there twice, first in r.yml:1; give this rule another\n"},
    {"a name twice", BASE "title: b\nname: base\nlogsource: {product: span25, service: smtp}\ndetection: {s: {smtp.helo: a}, condition: s}\n", "r.yml:7:1: name: 'base' is there twice, first in r.yml:1; give this rule another\n"},
};
/* clang-format on */

/* Each with a good rule before and behind, which are loaded all the same. */
static void
test_faults(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct kit k;

        kit_open(&k);
        kit_load(&k, "good.yml", SPAN_LIT(GOOD));
        assert_int_equal(k.loaded, ERR_OK);
        kit_load(&k, "r.yml", span_str(faults[i].yaml));
        kit_load(&k, "two.yml",
                 SPAN_LIT("title: two\nname: good\nlogsource: {product: "
                          "span25}\ndetection: {s: {smtp.helo: x}, condition: "
                          "s}\n"));
        assert_int_equal(k.loaded, ERR_OK);
        kit_run(&k, NULL);
        if (!span_eq(buf_view(&k.messages), span_str(faults[i].want)))
            print_message("%s: %s", faults[i].why, kit_messages(&k)), bad++;
        else
            assert_int_equal(sigma_set_loaded(k.set).refused, 1);
        assert_int_equal(sigma_set_find(k.set, SPAN_LIT("good")) <
                             sigma_set_count(k.set),
                         1);
        kit_close(&k);
    }
    assert_int_equal(bad, 0);
}

static const struct {
    const char *why, *yaml;
    struct sigma_loaded want;
} files[] = {
    {"nothing",                                "",                              {0, 0, 0, 0, 0, 0}},
    {"comments",                               "# none\n---\n# none\n---\n",    {0, 0, 0, 0, 0, 0}},
    {"null",                                   "~\n",                           {0, 0, 0, 0, 0, 0}},
    {"one",                                    GOOD,                            {1, 0, 0, 0, 0, 0}},
    {"CR LF",
     "title: t\r\nlogsource: {service: smtp}\r\ndetection: {s: "
     "{smtp.helo: a}, condition: s}\r\n",                                       {1, 0, 0, 0, 0, 0}},
    {"byte order mark",
     "\xef\xbb\xbftitle: t\nlogsource: {service: smtp}\ndetection: {s: "
     "{smtp.helo: a}, condition: s}\n",                                         {1, 0, 0, 0, 0, 0}},
    {"a fault among documents",
     GOOD "---\ntitle: [\n---\n" LOG "detection: {s: {smtp.helo: a}, "
          "condition: s}\n",                                                    {2, 0, 0, 0, 1, 0}},
    {"another product",
     "title: t\nlogsource: {product: windows, category: "
     "x}\ndetection: {s: {Image|endswith: a}, condition: "
     "s}\n",                                                                    {1, 0, 0, 1, 0, 0}},
    {"no product, and fields of another",
     "title: t\nlogsource: {service: smtp}\ndetection: {s: {Image: a}, "
     "condition: s}\n",                                                         {1, 0, 0, 1, 0, 0}},
    {"own keys",
     "x_mine: {a: [b]}\n" LOG "detection: {s: {smtp.helo: a}, condition: s}\n",
     {1, 0, 0, 0, 0, 0}                                                                           },
    {"no service: all of them",
     "title: t\nlogsource: {product: span25}\n"
     "detection: {s: {smtp.helo: a}, condition: "
     "s}\n",                                                                    {1, 0, 0, 0, 0, 0}},
    {"a service whose events are yet to come",
     "title: t\nlogsource: {product: span25, service: host}\ndetection: {s: "
     "{src_ip: 192.0.2.1}, condition: s}\n",                                    {1, 0, 0, 0, 0, 0}},
};

static void
test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct kit k;
        struct sigma_loaded got;

        kit_open(&k);
        kit_load(&k, "r.yml", span_str(files[i].yaml));
        kit_run(&k, NULL);
        got = sigma_set_loaded(k.set);
        if (memcmp(&got, &files[i].want, sizeof(got)) != 0)
            fail_msg("%s: %u %u %u %u %u: %s", files[i].why, got.rules,
                     got.correlations, got.filters, got.foreign, got.refused,
                     kit_messages(&k));
        kit_close(&k);
    }
}

static void
test_info(void **state)
{
    struct kit k;
    const struct sigma_info *i;

    (void)state;
    kit_open(&k);
    kit_load(&k, "a.yml",
             SPAN_LIT("# one\n---\ntitle: T\nid: "
                      "11111111-1111-4111-8111-111111111111\nname: n\n"
                      "status: test\nlevel: high\ndescription: D\ntags: "
                      "[attack.t1048, tlp.clear]\nlogsource: {product: "
                      "span25}\ndetection: {s: {smtp.helo: a}, condition: "
                      "s}\n"));
    kit_run(&k, NULL);
    assert_int_equal(sigma_set_count(k.set), 1);
    i = sigma_set_info(k.set, sigma_set_find(k.set, SPAN_LIT("n")));
    assert_int_equal(i->level, SIGMA_HIGH);
    assert_true(span_eq(i->title, SPAN_LIT("T")));
    assert_true(span_eq(i->status, SPAN_LIT("test")));
    assert_true(span_eq(i->description, SPAN_LIT("D")));
    assert_int_equal(i->n_tags, 2);
    assert_true(span_eq(i->tags[1], SPAN_LIT("tlp.clear")));
    assert_int_equal(i->line, 3);
    assert_true(i->alerts);
    kit_close(&k);
}

#define ID1 "11111111-1111-4111-8111-111111111111"

/* What was loaded first stays; what is disabled serves, and is quiet. */
static void
test_replaced(void **state)
{
    static const char first[] =
        LOG "id: " ID1 "\ndetection: {s: {smtp.helo: mine}, condition: s}\n";
    static const char second[] =
        LOG "id: " ID1 "\nlevel: high\ndetection: {s: {smtp.helo: theirs}, "
            "condition: s}\n---\n" BASE
            "title: c\nname: c\ncorrelation: {type: event_count, rules: "
            "[base], timespan: 1m, condition: {gte: 1}}\n";
    const struct sigma_info *i;
    struct kit k;
    size_t n;

    (void)state;
    kit_open(&k);
    assert_int_equal(sigma_set_disable(k.set, SPAN_LIT("c")), ERR_OK);
    kit_load(&k, "mine.yml", span_str(first));
    sigma_set_keep_first(k.set);
    assert_int_equal(sigma_set_pack(k.set, SPAN_LIT("policy")), ERR_OK);
    kit_load(&k, "theirs.yml", span_str(second));
    assert_int_equal(k.loaded, ERR_OK);
    kit_load(&k, "copy.yml", span_str(first));
    assert_int_equal(k.loaded, ERR_OK);
    kit_run(&k, NULL);
    assert_string_equal(kit_messages(&k), "theirs.yml:3:1: id: '" ID1
                                          "' is replaced by mine.yml:1\n");
    assert_int_equal(sigma_set_loaded(k.set).replaced, 2);
    assert_int_equal(sigma_set_loaded(k.set).refused, 0);
    assert_int_equal(sigma_set_count(k.set), 3);
    i = sigma_set_info(k.set, 0);
    assert_int_equal(i->level, SIGMA_LEVEL_NONE);
    kit_text("", i->pack);
    i = sigma_set_info(k.set, 2);
    kit_text("policy", i->pack);
    assert_true(i->disabled);
    assert_false(i->alerts);
    (void)sigma_eval(
        k.run, kit_record(&k, "smtp", 0, "\"smtp\":{\"helo\":\"a\"}"), &n);
    (void)sigma_correlate(k.run, 0, &n);
    assert_int_equal(n, 1);
    kit_close(&k);
}

/* What layout and comments are does not change the hash, anything else does. */
static uint64_t
hash_of(const char *yaml)
{
    struct kit k;
    uint64_t h;

    kit_open(&k);
    kit_load(&k, "a.yml", span_str(yaml));
    kit_run(&k, NULL);
    assert_int_equal(sigma_set_count(k.set), 1);
    h = sigma_set_info(k.set, 0)->hash;
    kit_close(&k);
    return h;
}

static void
test_hash(void **state)
{
    uint64_t h = hash_of(LOG "detection: {s: {smtp.helo: a}, condition: s}\n");

    (void)state;
    assert_true(h == hash_of("# x\n" LOG "detection:\n  s:\n    smtp.helo: a\n"
                             "  condition: s # y\n"));
    assert_true(h !=
                hash_of(LOG "detection: {s: {smtp.helo: b}, condition: s}\n"));
    assert_true(h != hash_of(LOG "detection: {s: {smtp.helo: [a]}, condition: "
                                 "s}\n"));
    assert_true(h != hash_of(LOG "detection: {s: {smtp.helo: 'a'}, condition: "
                                 "s}\n"));
}

/* Limits at n - 1, n and n + 1. */
static bool
loads(const char *head, const char *piece, size_t times, const char *tail)
{
    struct kit k;
    struct buf b;
    bool good;

    kit_open(&k);
    buf_init(&b, 1U << 25);
    buf_str(&b, LOG);
    buf_str(&b, head);
    for (size_t i = 0; i < times; i++)
        buf_str(&b, piece);
    buf_str(&b, tail);
    kit_load(&k, "r.yml", buf_view(&b));
    kit_run(&k, NULL);
    good = k.loaded == ERR_OK;
    buf_free(&b);
    kit_close(&k);
    return good;
}

static void
test_limits(void **state)
{
    const char *value = "detection: {condition: s, s: {smtp.helo: '";
    const char *nest = "detection: {s: {smtp.helo: a}, condition: '";
    const char *parens = "detection: {condition: s, s: {smtp.helo|re: '";

    (void)state;
    assert_true(loads(value, "x", SIGMA_TEXT_MAX - 1, "'}}\n"));
    assert_true(loads(value, "x", SIGMA_TEXT_MAX, "'}}\n"));
    assert_false(loads(value, "x", SIGMA_TEXT_MAX + 1, "'}}\n"));
    assert_true(loads(nest, "not ", 63, "s'}\n"));
    assert_true(loads(nest, "not ", 64, "s'}\n"));
    assert_false(loads(nest, "not ", 65, "s'}\n"));
    assert_false(loads(nest, "(", 65, "s'}\n"));
    assert_true(loads(nest, "s or ", 2047, "s'}\n"));
    assert_false(loads(nest, "s or ", 2048, "s'}\n"));
    assert_true(loads(parens, "x", 4096, "'}}\n"));
    assert_false(loads(parens, "x", 4097, "'}}\n"));
    assert_false(loads(parens, "(", 65, "x'}}\n"));
    assert_false(loads(parens, "(a{1,1000}){1,1000}", 20, "x'}}\n"));
    assert_false(loads("detection: {condition: s, s: {smtp.helo: [", "a,",
                       70000, "a]}}\n"));
    assert_true(loads("tags: [", "a.b,", 60000,
                      "a.b]\ndetection: {s: {smtp.helo: a}, condition: s}\n"));
    assert_true(loads("# ", "#", 1U << 20,
                      "\ndetection: {s: {smtp.helo: a}, condition: s}\n"));
}

static void
test_many(void **state)
{
    struct kit k;
    struct buf b;
    clock_t before;
    struct sigma_loaded got;

    (void)state;
    kit_open(&k);
    buf_init(&b, 1U << 25);
    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&b,
                   "---\ntitle: rule %u\nid: 00000000-0000-4000-8000-%012u\n"
                   "logsource: {product: span25, service: smtp}\ndetection:\n"
                   "  selection:\n    smtp.helo|contains: ['h%u', 'x%u']\n"
                   "    email.subject|endswith: %u\n  filter:\n"
                   "    src_ip|cidr: 10.0.0.0/8\n"
                   "  condition: selection and not %s\nlevel: low\n",
                   i, i, i, i, i, i % 100 == 7 ? "filtr" : "filter");
    before = clock();
    kit_load(&k, "many.yml", buf_view(&b));
    kit_run(&k, NULL);
    got = sigma_set_loaded(k.set);
    print_message("5000 rules, %zu bytes: %.0f ms\n", b.n,
                  (double)(clock() - before) * 1000 / CLOCKS_PER_SEC);
    assert_int_equal(got.rules, 4950);
    assert_int_equal(got.refused, 50);
    buf_free(&b);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults), cmocka_unit_test(test_files),
        cmocka_unit_test(test_info),   cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_hash),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

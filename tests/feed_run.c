/* feed_run - lists and the policy as scripts, for tests that load them
 *
 * Usage: feed_run feed FORMAT SPEC      the list
 *        feed_run compare nft|ipset SPEC < TEXT
 *        feed_run border SCRIPT SPEC    the policy
 *        feed_run verify SPEC < TEXT
 * SPEC is a file of words, a line each:
 *     block PREFIX SECONDS | never PREFIX | total N
 *     permit PREFIX send|receive|both | exempt PREFIX | home PREFIX
 *     site CODE PHASE PREFIX | rest PHASE | other PHASE | trial SECONDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/feed/border.h"
#include "rules/feed/readback.h"
#include "rules/feed/render.h"

#define MANY 200000
#define NOW  (UINT64_C(1795410000) * NS_PER_S)
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct spec {
    struct feed_entry *entries;
    struct feed_never *never;
    struct permit *permits;
    struct permits_range *exempt;
    struct prefix *home, *prefixes;
    struct border_site *sites;
    size_t n_entries, n_never, n_permits, n_exempt, n_home, n_sites;
    struct feed_limits limits;
    enum border_phase rest, other;
    uint64_t trial;
};

static _Noreturn void
fail(const char *why)
{
    fprintf(stderr, "feed_run: %s\n", why);
    exit(2);
}

static struct prefix
prefix_of(const char *text)
{
    struct prefix p;

    if (!prefix_parse(span_str(text), &p))
        fail(text);
    return p;
}

static enum border_phase
phase_of(const char *text)
{
    for (unsigned p = BORDER_OFF; p <= BORDER_DENY; p++) {
        if (strcmp(border_phase_word((enum border_phase)p), text) == 0)
            return (enum border_phase)p;
    }
    fail(text);
}

static void
add_site(struct spec *s, char **word)
{
    const size_t i = s->n_sites++;

    s->prefixes[i] = prefix_of(word[3]);
    s->sites[i] = (struct border_site){.code = span_str(strdup(word[1])),
                                       .phase = phase_of(word[2]),
                                       .prefixes = &s->prefixes[i],
                                       .n = 1};
}

static void
add_permit(struct spec *s, char **word)
{
    const struct prefix p = prefix_of(word[1]);
    const struct permits_range r = permits_range_of(&p);

    s->permits[s->n_permits++] =
        (struct permit){.first = r.first,
                        .last = r.last,
                        .prefix = p,
                        .port = 25,
                        .use = strcmp(word[2], "send") == 0      ? FORM_SEND
                               : strcmp(word[2], "receive") == 0 ? FORM_RECEIVE
                                                                 : FORM_BOTH};
}

static void
add_block(struct spec *s, char **word)
{
    s->entries[s->n_entries++] = (struct feed_entry){
        .prefix = prefix_of(word[1]),
        .since = NOW - NS_PER_S,
        .until = NOW + strtoull(word[2], NULL, 10) * NS_PER_S,
        .reason = SPAN_LIT("\"; flush ruleset"),
        .rule = SPAN_LIT("s1 \" } ; flush ruleset\n\\"),
        .evidence = SPAN_LIT(HASH)};
}

static void
take(struct spec *s, char **word, size_t n)
{
    struct prefix p;

    if (strcmp(word[0], "block") == 0 && n == 3) {
        add_block(s, word);
    } else if (strcmp(word[0], "never") == 0 && n == 2) {
        p = prefix_of(word[1]);
        s->never[s->n_never++] =
            (struct feed_never){permits_range_of(&p), FEED_WHY_REGISTERED};
    } else if (strcmp(word[0], "total") == 0 && n == 2) {
        s->limits.total = strtoull(word[1], NULL, 10);
    } else if (strcmp(word[0], "permit") == 0 && n == 3) {
        add_permit(s, word);
    } else if (strcmp(word[0], "exempt") == 0 && n == 2) {
        p = prefix_of(word[1]);
        s->exempt[s->n_exempt++] = permits_range_of(&p);
    } else if (strcmp(word[0], "home") == 0 && n == 2) {
        s->home[s->n_home++] = prefix_of(word[1]);
    } else if (strcmp(word[0], "site") == 0 && n == 4) {
        add_site(s, word);
    } else if (strcmp(word[0], "rest") == 0 && n == 2) {
        s->rest = phase_of(word[1]);
    } else if (strcmp(word[0], "other") == 0 && n == 2) {
        s->other = phase_of(word[1]);
    } else if (strcmp(word[0], "trial") == 0 && n == 2) {
        s->trial = strtoull(word[1], NULL, 10);
    } else {
        fail(word[0]);
    }
}

static void
read_spec(const char *name, struct spec *s)
{
    char line[256];
    FILE *f = fopen(name, "r");

    if (f == NULL)
        fail(name);
    s->limits = feed_limits_default;
    s->limits.widest_v4 = 24;
    s->limits.hour = s->limits.total = 131072;
    s->entries = calloc(MANY, sizeof(*s->entries));
    s->never = calloc(MANY, sizeof(*s->never));
    s->permits = calloc(MANY, sizeof(*s->permits));
    s->exempt = calloc(MANY, sizeof(*s->exempt));
    s->home = calloc(MANY, sizeof(*s->home));
    s->prefixes = calloc(MANY, sizeof(*s->prefixes));
    s->sites = calloc(MANY, sizeof(*s->sites));
    for (size_t lines = 0; fgets(line, sizeof(line), f) != NULL; lines++) {
        char *word[5] = {NULL}, *rest = line;
        size_t n = 0;

        for (char *w; n < 5 && (w = strsep(&rest, " \n")) != NULL;) {
            if (*w != '\0')
                word[n++] = w;
        }
        if (lines >= MANY)
            fail("too many lines");
        if (n > 0)
            take(s, word, n);
    }
    (void)fclose(f);
}

static struct span
read_input(void)
{
    static char text[1 << 26];

    return span_of(text, fread(text, 1, sizeof(text), stdin));
}

static void
make_feed(const struct spec *s, struct feed *f)
{
    const struct feed_in in = {.entries = s->entries,
                               .n = s->n_entries,
                               .never = s->never,
                               .n_never = s->n_never,
                               .never_known = true,
                               .quality_permille = 1000,
                               .allow_empty = true,
                               .limits = &s->limits,
                               .now = NOW};
    const enum feed_verdict v = feed_make(&in, f);

    if (v != FEED_DONE)
        fail(feed_verdict_doc(v));
}

static void
put_feed(const struct feed *f, const char *word, struct buf *out)
{
    const struct render_options o = {.now = NOW};

    for (unsigned i = 0; i < RENDER_FORMAT_COUNT; i++) {
        if (strcmp(render_format_word((enum render_format)i), word) != 0)
            continue;
        if (render(f, (enum render_format)i, &o, out) != ERR_OK)
            fail("not rendered");
        return;
    }
    fail(word);
}

static void
run_feed(const char *verb, const char *word, const struct spec *s,
         struct buf *out)
{
    struct readback r;
    struct feed f;
    enum err e;

    make_feed(s, &f);
    if (strcmp(verb, "feed") == 0) {
        put_feed(&f, word, out);
    } else {
        e = readback(&f,
                     &(struct readback_in){.kind = strcmp(word, "nft") == 0
                                                       ? READBACK_NFT
                                                       : READBACK_IPSET,
                                           .text = read_input(),
                                           .now = NOW},
                     &r, out);
        if (e == ERR_OK)
            buf_printf(out,
                       "want %zu found %zu missing %zu extra %zu endless %zu "
                       "%s\n",
                       r.want, r.found, r.missing, r.extra, r.endless,
                       readback_good(&r) ? "good" : "bad");
    }
    feed_fini(&f);
}

static void
put_script(const struct border *b, const char *word, struct buf *out)
{
    for (unsigned i = 0; i < BORDER_SCRIPT_COUNT; i++) {
        if (strcmp(border_script_word((enum border_script)i), word) == 0) {
            border_write(b, (enum border_script)i, out);
            return;
        }
    }
    fail(word);
}

static void
run_border(const char *verb, const char *word, const struct spec *s,
           struct buf *out)
{
    const struct permits permits = {.v = s->permits, .n = s->n_permits};
    const struct border_in in = {.sites = s->sites,
                                 .n_sites = s->n_sites,
                                 .home = s->home,
                                 .n_home = s->n_home,
                                 .rest = s->rest,
                                 .other = s->other,
                                 .permits = &permits,
                                 .exempt = s->exempt,
                                 .n_exempt = s->n_exempt,
                                 .trial_s = s->trial,
                                 .now = NOW};
    struct border *b;
    struct border_found r;
    const enum border_verdict v = border_new(&in, &b);

    if (v != BORDER_DONE)
        fail(border_verdict_doc(v));
    if (strcmp(verb, "border") == 0)
        put_script(b, word, out);
    else if (border_verify(b, read_input(), &r, out) == ERR_OK)
        buf_printf(out, "permits %zu missing %zu extra %zu\n", r.permits,
                   r.missing, r.extra);
    border_free(b);
}

int
main(int argc, char **argv)
{
    static struct spec s; /* what is not freed ends with the process */
    struct buf out;
    bool bad;

    if (argc < 3)
        fail("feed|compare|border|verify WORD SPEC");
    buf_init(&out, (size_t)1 << 28);
    read_spec(argv[argc - 1], &s);
    if (strcmp(argv[1], "feed") == 0 || strcmp(argv[1], "compare") == 0)
        run_feed(argv[1], argv[2], &s, &out);
    else
        run_border(argv[1], argv[2], &s, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    bad = out.cut || out.failed;
    buf_free(&out);
    return bad;
}

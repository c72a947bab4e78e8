/* blocks export: the lists for firewalls, and their way back */
#include "sensor/app/desk_border.h"
#include "sensor/app/desk_feeds.h"

#include <errno.h>
#include <string.h>

#include "rules/feed/readback.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define LIST_BYTES   (1U << 30)
#define VERIFY_BYTES ((size_t)256 << 20)
#define SLACK_S      5U /* what ends meanwhile may be there or not */

static enum cli_exit
say_errno(struct desk *d, const char *what, const char *path, int number)
{
    buf_printf(d->messages, "span25: cannot %s ", what);
    text_term(d->messages, span_str(path));
    buf_printf(d->messages, ": %s\n", strerror(number));
    return CLI_EXIT_FAILED;
}

static enum cli_exit
read_kind(struct desk *d, struct feed_kind *k)
{
    struct buf words;

    if (feed_kind_read(span_str(d->config->feed_format), k))
        return CLI_EXIT_DONE;
    buf_init(&words, 1024);
    feed_kind_words(&words);
    buf_str(d->messages, "span25: --format: '");
    text_term(d->messages, span_str(d->config->feed_format));
    buf_str(d->messages, "' is none of ");
    buf_span(d->messages, buf_view(&words));
    buf_putc(d->messages, '\n');
    buf_free(&words);
    return CLI_EXIT_USAGE;
}

/* ---- the set ---- */

/* Where a live sensor makes the lists, its set is the one there is. */
static enum cli_exit
take_served(struct desk_feeds *f)
{
    const enum err e = feed_store_last(&f->store, NULL, &f->set);

    f->served = true;
    f->verdict = FEED_DONE;
    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    return desk_say(f->desk, CLI_EXIT_REFUSED,
                    e == ERR_NOENT
                        ? "no list: the running sensor has made none yet; its "
                          "log says why"
                        : "no list: the running sensor's last set cannot be "
                          "read");
}

static enum cli_exit
make(struct desk_feeds *f)
{
    enum cli_exit code = desk_feeds_read(f);
    struct buf notes;

    if (code != CLI_EXIT_DONE)
        return code;
    desk_feeds_make(f);
    buf_init(&notes, LIST_BYTES);
    desk_feeds_notes(f, &notes);
    buf_span(f->desk->messages, buf_view(&notes));
    buf_free(&notes);
    if (f->verdict != FEED_DONE)
        return desk_feeds_refuse(f);
    if (!f->preview && feed_store_keep(&f->store, NULL, &f->set) != ERR_OK)
        return desk_say(f->desk, CLI_EXIT_STORE,
                        "no list: the set cannot be kept in feeds/ of the "
                        "state");
    return CLI_EXIT_DONE;
}

static enum cli_exit
say_store(struct desk_feeds *f, const struct buf *why)
{
    buf_str(f->desk->messages, "span25: ");
    buf_span(f->desk->messages, buf_view(why));
    buf_putc(f->desk->messages, '\n');
    return CLI_EXIT_STORE;
}

static enum cli_exit
take_set(struct desk_feeds *f)
{
    enum cli_exit code;
    struct buf why;
    enum err e;

    if (f->preview)
        return make(f);
    buf_init(&why, 8192);
    e = feed_store_open(f->desk->config->state, &f->store, &why);
    code = e == ERR_BUSY ? take_served(f)
           : e == ERR_OK ? make(f)
                         : say_store(f, &why);
    buf_free(&why);
    return code;
}

/* ---- the text ---- */

/* Lists that can say nothing beside addresses cannot say that they are none. */
static enum cli_exit
check_preview(struct desk_feeds *f, const struct feed_kind *k)
{
    const bool mute = k->format == RENDER_LIST && k->vendor != RENDER_COMMENTED;

    if (!f->preview || (!mute && k->format != RENDER_CROWDSEC))
        return CLI_EXIT_DONE;
    return desk_say(f->desk, CLI_EXIT_USAGE,
                    "--preview: this format cannot say that it is one: take "
                    "text or json");
}

/* JSON says so itself. */
static void
mark(const struct feed_kind *k, struct buf *out)
{
    if (k->format != RENDER_JSON)
        buf_str(out, "# PREVIEW: this is no list; nobody is to load it\n");
}

static enum cli_exit
render_set(struct desk_feeds *f, const struct feed_kind *k, struct buf *out)
{
    struct desk *d = f->desk;
    const struct render_options o = {.vendor = k->vendor,
                                     .preview = f->preview,
                                     .now = d->now > f->set.made ? d->now
                                                                 : f->set.made};
    enum err e;

    if (f->preview)
        mark(k, out);
    e = render(&f->set, k->format, &o, out);
    if (e == ERR_OK && f->set.n == 0 && k->format != RENDER_NFT_RULES &&
        !d->config->allow_empty && !f->preview)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "no list: the last one has no element; --allow-empty "
                        "prints it");
    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    return desk_say(d, CLI_EXIT_REFUSED,
                    e == ERR_TRUNCATED
                        ? "no list: the last one is over, and no new one was "
                          "made"
                    : e == ERR_LIMIT
                        ? "no list: it is more than this consumer takes"
                        : err_text(e));
}

static void
tell_set(struct desk_feeds *f)
{
    struct buf head;

    buf_init(&head, 512);
    render_head(&head, &f->set);
    buf_str(f->desk->messages, f->preview ? "preview, no list: " : "");
    buf_span(f->desk->messages, buf_view(&head));
    buf_str(f->desk->messages, f->served ? "; the running sensor's\n" : "\n");
    buf_free(&head);
}

/* A preview takes the place of nothing. */
static enum cli_exit
save(struct desk_feeds *f, const struct buf *text)
{
    struct desk *d = f->desk;
    const char *path = d->config->saved;
    int number;

    if (path == NULL || strcmp(path, "-") == 0) {
        buf_span(d->out, buf_view(text));
        return CLI_EXIT_DONE;
    }
    number = f->preview ? whole_file_new(path, buf_view(text))
                        : whole_file_save(path, buf_view(text));
    if (number == 0)
        return CLI_EXIT_DONE;
    if (f->preview && number == EEXIST)
        return desk_say_value(d, CLI_EXIT_REFUSED, "", span_str(path),
                              " is there: a preview takes the place of no "
                              "file");
    return say_errno(d, "write", path, number);
}

static enum cli_exit
print(struct desk_feeds *f, const struct feed_kind *k)
{
    enum cli_exit code;
    struct buf text;

    buf_init(&text, LIST_BYTES);
    code = render_set(f, k, &text);
    if (code == CLI_EXIT_DONE)
        code = save(f, &text);
    if (code == CLI_EXIT_DONE && k->format != RENDER_NFT_RULES)
        tell_set(f);
    buf_free(&text);
    return code;
}

/* ---- the way back ---- */

static enum cli_exit
put_comparison(struct desk *d, const struct readback *r)
{
    buf_printf(d->out,
               "wanted %zu, found %zu, missing %zu, extra %zu, without an end "
               "%zu: %s\n",
               r->want, r->found, r->missing, r->extra, r->endless,
               readback_good(r) ? "all of it is there, and nothing else"
                                : "it differs");
    return readback_good(r) ? CLI_EXIT_DONE : CLI_EXIT_PARTIAL;
}

static enum cli_exit
compare(struct desk_feeds *f, const struct feed_kind *k, struct span text)
{
    const struct readback_in in = {
        .kind = k->format == RENDER_NFT ? READBACK_NFT : READBACK_IPSET,
        .text = text,
        .now = f->desk->now,
        .slack_s = SLACK_S};
    struct readback r;
    struct buf why;
    enum err e;

    buf_init(&why, 1 << 16);
    e = readback(&f->last, &in, &r, &why);
    buf_span(f->desk->messages, buf_view(&why));
    buf_free(&why);
    if (e != ERR_OK)
        return desk_say_value(f->desk, CLI_EXIT_USAGE, "",
                              span_str(f->desk->config->verify),
                              ": not what nft -j list table inet span25_feed, "
                              "or ipset save, prints");
    return put_comparison(f->desk, &r);
}

static enum cli_exit
verify(struct desk_feeds *f, const struct feed_kind *k)
{
    struct desk *d = f->desk;
    const char *path = d->config->verify;
    enum cli_exit code;
    struct buf text;
    int number;

    if (k->format != RENDER_NFT && k->format != RENDER_IPSET)
        return desk_say(d, CLI_EXIT_USAGE,
                        "--verify needs --format nft or ipset");
    if (feed_store_look(d->config->state, &f->store) != ERR_OK ||
        feed_store_last(&f->store, NULL, &f->last) != ERR_OK)
        return desk_say(d, CLI_EXIT_STORE, "there is no last list");
    number = whole_file_load(path, VERIFY_BYTES, &text);
    code = number == 0 ? compare(f, k, buf_view(&text))
                       : say_errno(d, "read", path, number);
    buf_free(&text);
    return code;
}

enum cli_exit
desk_blocks_export(struct desk *d)
{
    struct desk_feeds f;
    struct feed_kind k;
    enum cli_exit code;

    if (d->config->export_policy)
        return desk_border_export(d);
    code = read_kind(d, &k);
    desk_feeds_init(&f, d);
    if (code == CLI_EXIT_DONE && !f.preview && k.format != RENDER_NFT_RULES &&
        !desk_feeds_live(&f))
        code = desk_say(d, CLI_EXIT_REFUSED,
                        "no list: this is no live sensor's state, and "
                        "captures read by hand block nobody; --preview shows "
                        "what would be listed");
    if (code == CLI_EXIT_DONE)
        code = check_preview(&f, &k);
    if (code == CLI_EXIT_DONE && !f.preview && d->config->at != NULL)
        code = desk_say(d, CLI_EXIT_USAGE,
                        "--at needs --preview: a list is of now");
    if (code == CLI_EXIT_DONE && d->config->verify != NULL) {
        code = verify(&f, &k);
    } else if (code == CLI_EXIT_DONE && k.format == RENDER_NFT_RULES) {
        code = print(&f, &k); /* the same for every set */
    } else if (code == CLI_EXIT_DONE) {
        code = take_set(&f);
        if (code == CLI_EXIT_DONE)
            code = print(&f, &k);
    }
    desk_feeds_fini(&f);
    return code;
}

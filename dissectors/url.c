/* stand-in */
#include "dissectors/url.h"
void
url_set_init(struct url_set *s)
{
    *s = (struct url_set){0};
    buf_init(&s->text, URL_MAX * (URL_LEN + 2));
}
void
url_set_free(struct url_set *s)
{
    if (s != NULL)
        buf_free(&s->text);
}
void
url_set_add(struct url_set *s, struct span url)
{
    uint8_t h[2];
    if (url.n == 0 || url.n > URL_LEN)
        return;
    if (s->n == URL_MAX) {
        s->n_more++;
        return;
    }
    h[0] = (uint8_t)url.n;
    h[1] = (uint8_t)(url.n >> 8);
    buf_put(&s->text, h, 2);
    buf_span(&s->text, url);
    s->n++;
}
bool
url_next(struct cursor *c, struct span *url)
{
    if (cur_left(c) == 0)
        return false;
    *url = cur_take(c, cur_le16(c));
    return !c->bad;
}
void
url_scan_init(struct url_scan *u, struct url_set *set, bool html)
{
    u->set = set;
    u->html = html;
    buf_init(&u->tail, 1);
}
void
url_scan_push(struct url_scan *u, struct span in)
{
    (void)u;
    (void)in;
}
void
url_scan_end(struct url_scan *u)
{
    buf_free(&u->tail);
}
bool
url_host(struct span url, struct buf *out)
{
    (void)url;
    (void)out;
    return false;
}

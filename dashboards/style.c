#include "dashboards/style.h"

#include <openssl/evp.h>

#include "sensor/base/text.h"

#define SHEET_MAX ((size_t)1 << 20)

static void
add(struct buf *b, const char *const *parts)
{
    for (size_t i = 0; parts != NULL && parts[i] != NULL; i++)
        buf_str(b, parts[i]);
}

void
style_put(struct buf *out, const char *const *sheet, const char *const *more,
          const char *rest)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf text;

    buf_init(&text, SHEET_MAX);
    add(&text, sheet);
    add(&text, more);
    if (EVP_Digest(text.p, text.n, sum, &n, EVP_sha256(), NULL) != 1)
        text.failed = true;
    buf_str(out, "<meta http-equiv=\"Content-Security-Policy\" content=\""
                 "default-src 'none'; style-src 'sha256-");
    text_base64(out, span_of(sum, n));
    buf_putc(out, '\'');
    buf_str(out, rest);
    buf_str(out, "\">\n<style>");
    buf_span(out, buf_view(&text));
    buf_str(out, "</style>\n");
    out->failed |= text.failed || text.cut;
    buf_free(&text);
}

#include "sensor/capture/capture_filter.h"

#include <stdio.h>

#include "sensor/base/text.h"

enum { FILTER_SNAPLEN = 262144 };

/* LINKTYPE_ and DLT_ differ only in these (pcap-common.c of libpcap). */
static const struct {
    uint16_t link;
    int dlt;
} dlts[] = {
    {100, DLT_ATM_RFC1483},
    {101, DLT_RAW        },
    {102, DLT_SLIP_BSDOS },
    {103, DLT_PPP_BSDOS  },
    {104, DLT_C_HDLC     },
    {106, DLT_ATM_CLIP   },
    {246, DLT_PFSYNC     },
};

/* The text must fit one of these to be taken at all. */
static const uint16_t usual[] = {1, 101, 113, 276, 105, 127};

static int
dlt_of(uint16_t link)
{
    for (size_t i = 0; i < ARRAY_LEN(dlts); i++) {
        if (dlts[i].link == link)
            return dlts[i].dlt;
    }
    return link;
}

static bool
compile(const char *text, uint16_t link, struct bpf_program *out,
        char why[PCAP_ERRBUF_SIZE])
{
    pcap_t *p = pcap_open_dead(dlt_of(link), FILTER_SNAPLEN);
    bool ok;

    *out = (struct bpf_program){0};
    if (p == NULL) {
        (void)snprintf(why, PCAP_ERRBUF_SIZE, "%s", err_text(ERR_NOMEM));
        return false;
    }
    ok = pcap_compile(p, out, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!ok) {
        (void)snprintf(why, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(p));
        *out = (struct bpf_program){0};
    }
    pcap_close(p);
    return ok;
}

enum err
capture_filter_init(struct capture_filter *f, const char *text,
                    struct buf *message)
{
    char why[PCAP_ERRBUF_SIZE];
    char first[PCAP_ERRBUF_SIZE];
    struct bpf_program p;

    *f = (struct capture_filter){0};
    if (text == NULL)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (compile(text, usual[i], &p, i == 0 ? first : why)) {
            pcap_freecode(&p);
            f->text = strdup(text);
            return f->text != NULL ? ERR_OK : ERR_NOMEM;
        }
    }
    buf_str(message, "filter \"");
    text_term(message, span_str(text));
    buf_str(message, "\": ");
    text_term(message, span_str(first));
    buf_str(message, "; see pcap-filter(7)");
    return ERR_USAGE;
}

void
capture_filter_fini(struct capture_filter *f)
{
    for (size_t i = 0; i < f->n; i++)
        pcap_freecode(&f->programs[i].code);
    free(f->text);
    *f = (struct capture_filter){0};
}

const struct bpf_program *
capture_filter_for(struct capture_filter *f, uint16_t link)
{
    struct capture_filter_program *p;
    char why[PCAP_ERRBUF_SIZE];

    REQUIRE(f->text != NULL);
    for (size_t i = 0; i < f->n; i++) {
        if (f->programs[i].link == link)
            return f->programs[i].code.bf_len > 0 ? &f->programs[i].code : NULL;
    }
    if (f->n == CAPTURE_FILTER_LINKS_MAX)
        return NULL;
    p = &f->programs[f->n++];
    p->link = link;
    return compile(f->text, link, &p->code, why) ? &p->code : NULL;
}

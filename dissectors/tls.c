#include "dissectors/tls.h"

#include "dissectors/ja4.h"
#include "dissectors/tls_cert.h"

#define TYPE_CHANGE_CIPHER_SPEC 20U
#define TYPE_HANDSHAKE          22U
#define TYPE_APPLICATION_DATA   23U
#define TYPE_HEARTBEAT          24U /* RFC 6520 */
/* RFC 5246 6.2.3: 2^14 + 2048, the most that any version allows */
#define RECORD_BODY_MAX 18432U

#define HELLO_CLIENT           1U
#define HELLO_SERVER           2U
#define CERTIFICATE            11U
#define VERSION_SSL3           0x0300U
#define VERSION_TLS12          0x0303U
#define EXT_SERVER_NAME        0U  /* RFC 6066 3 */
#define EXT_SUPPORTED_VERSIONS 43U /* RFC 8446 4.2.1 */

struct tls_hello {
    struct vec bytes[2]; /* by enum dir */
};

struct tls_answers {
    bool client; /* its hello was read */
    char ja4[JA4_LEN + 1];
    struct vec certificate; /* entries of the tls event, coded */
    uint16_t offered[TLS_VERSIONS_MAX];
    uint8_t n_offered;
    uint8_t n_sni;
    uint8_t sni[TLS_SNI_MAX];
};

_Static_assert(sizeof(struct tls) <= 128, "part of every session");

/* RFC 8701: values that clients send to keep servers honest */
static bool
is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* A vector with a length of 1 or 2 bytes (RFC 8446 3.4); what is missing of it
 * at the end of a cut hello is left out. */
static struct span
vector(struct cursor *c, unsigned length_bytes)
{
    size_t n = length_bytes == 1 ? cur_u8(c) : cur_be16(c);

    return cur_take(c, n < cur_left(c) ? n : cur_left(c));
}

/* ---- hellos ---- */

static void
read_server_names(struct span body, struct tls_answers *a)
{
    struct cursor outer = cur_open(body);
    struct cursor c = cur_open(vector(&outer, 2));

    while (cur_left(&c) > 0 && a->n_sni == 0) {
        uint8_t type = cur_u8(&c);
        struct span name = span_head(vector(&c, 2), TLS_SNI_MAX);

        if (type == 0 && name.n > 0) {
            memcpy(a->sni, name.p, name.n);
            a->n_sni = (uint8_t)name.n;
        }
    }
}

static void
read_offered(struct span body, struct tls_answers *a)
{
    struct cursor outer = cur_open(body);
    struct cursor c = cur_open(vector(&outer, 1));

    a->n_offered = 0;
    while (cur_left(&c) >= 2 && a->n_offered < TLS_VERSIONS_MAX) {
        uint16_t v = cur_be16(&c);

        if (!is_grease(v))
            a->offered[a->n_offered++] = v;
    }
}

/* Body of a ClientHello, RFC 8446 4.1.2. */
static void
read_client_hello(struct cursor c, struct tls_answers *a)
{
    uint16_t version = cur_be16(&c);
    struct cursor ext;

    cur_skip(&c, 32);
    (void)vector(&c, 1); /* session id */
    (void)vector(&c, 2); /* cipher suites */
    (void)vector(&c, 1); /* compression methods */
    if (version != 0)
        a->offered[a->n_offered++] = version;
    ext = cur_open(vector(&c, 2));
    while (cur_left(&ext) >= 4) {
        uint16_t type = cur_be16(&ext);
        struct span body = vector(&ext, 2);

        if (type == EXT_SERVER_NAME)
            read_server_names(body, a);
        else if (type == EXT_SUPPORTED_VERSIONS && body.n > 2)
            read_offered(body, a);
    }
}

/* Body of a ServerHello, RFC 8446 4.1.3. */
static void
read_server_hello(struct cursor c, struct tls *t)
{
    uint16_t version = cur_be16(&c);
    uint16_t cipher;
    struct cursor ext;

    cur_skip(&c, 32);
    (void)vector(&c, 1); /* session id */
    cipher = cur_be16(&c);
    cur_skip(&c, 1); /* compression method */
    if (c.bad)
        return;
    ext = cur_open(vector(&c, 2));
    while (cur_left(&ext) >= 4) {
        uint16_t type = cur_be16(&ext);
        struct span body = vector(&ext, 2);
        struct cursor v = cur_open(body);

        if (type == EXT_SUPPORTED_VERSIONS && body.n == 2)
            version = cur_be16(&v);
    }
    t->version = version;
    t->cipher = cipher;
}

/* Or NULL where memory is full. */
static struct tls_answers *
answers(struct tls *t)
{
    if (t->answers == NULL)
        t->answers = mem_new(t->mem, sizeof(*t->answers));
    return t->answers;
}

static void
read_client(struct tls *t, struct span body, bool whole)
{
    struct tls_answers *a = answers(t);

    if (a == NULL || a->client)
        return;
    a->client = true;
    read_client_hello(cur_open(body), a);
    if (whole && !ja4_client(body, a->ja4))
        a->ja4[0] = '\0';
}

static void
read_certificate(struct tls *t, struct span body)
{
    struct tls_answers *a = answers(t);
    struct buf coded;

    buf_init(&coded, 4096);
    if (a != NULL && a->certificate.n == 0 && tls_cert_read(body, &coded))
        (void)vec_put(&a->certificate, t->mem, coded.p, coded.n);
    buf_free(&coded);
}

/* Certificates are read of versions that show them. */
static bool
shows_certificate(const struct tls *t)
{
    return t->version >= VERSION_SSL3 && t->version <= VERSION_TLS12;
}

/* True when the message behind this one is wanted too. */
static bool
read_message(struct tls *t, enum dir d, struct span message, bool whole)
{
    const uint8_t type = span_at(message, 0);
    const struct span body = span_tail(message, 4);

    if (d == DIR_C2S && type == HELLO_CLIENT)
        read_client(t, body, whole);
    if (d == DIR_S2C && type == CERTIFICATE)
        read_certificate(t, body);
    if (d != DIR_S2C || type != HELLO_SERVER)
        return false;
    read_server_hello(cur_open(body), t);
    return shows_certificate(t);
}

/* Gives back the buffers when neither direction waits for a hello. */
static void
hello_end(struct tls *t, enum dir d)
{
    struct vec *other;

    t->half[d].hello_done = true;
    if (t->hello == NULL)
        return;
    other = &t->hello->bytes[dir_other(d)];
    vec_free(&t->hello->bytes[d], t->mem);
    if (!t->half[dir_other(d)].hello_done && other->n > 0)
        return;
    vec_free(other, t->mem);
    mem_free(t->mem, t->hello, sizeof(*t->hello));
    t->hello = NULL;
}

/* Length of the handshake message at the head of s, which has 4 bytes. */
static size_t
message_length(struct span s)
{
    struct cursor c = cur_open(s);

    cur_skip(&c, 1);
    return 4 + (size_t)cur_be24(&c);
}

/* Reads all messages that are there; the one that reaches TLS_HELLO_MAX is read
 * as far as that. True when more is wanted. */
static bool
read_messages(struct tls *t, enum dir d, struct span s)
{
    size_t room = TLS_HELLO_MAX;

    while (room >= 4 && s.n >= 4) {
        const size_t n = message_length(s);
        const size_t have = n < room ? n : room;

        if (s.n < have)
            return true;
        if (!read_message(t, d, span_head(s, have), have == n))
            return false;
        s = span_tail(s, have);
        room -= have;
    }
    return room >= 4;
}

/* False when there is no memory. */
static bool
hello_store(struct tls *t, enum dir d, struct span s)
{
    struct vec *v;

    if (t->hello == NULL)
        t->hello = mem_new(t->mem, sizeof(*t->hello));
    if (t->hello == NULL)
        return false;
    v = &t->hello->bytes[d];
    s = span_head(s, TLS_HELLO_MAX - v->n);
    return vec_put(v, t->mem, s.p, s.n);
}

/* Bytes of handshake records before all that is wanted is there. What is kept
 * is walked from its beginning each time: that is two messages. */
static void
hello_data(struct tls *t, enum dir d, struct span s)
{
    bool kept = t->hello != NULL && t->hello->bytes[d].n > 0;

    if (kept && !hello_store(t, d, s)) {
        hello_end(t, d);
        return;
    }
    if (kept)
        s = vec_view(&t->hello->bytes[d]);
    if (!read_messages(t, d, s) || (!kept && !hello_store(t, d, s)))
        hello_end(t, d);
}

/* ---- records ---- */

static void
lose(struct tls *t, enum dir d)
{
    t->half[d].lost = true;
    tls_estimate_lose(&t->estimate);
    if (!t->half[d].hello_done)
        hello_end(t, d);
}

static bool
is_record_type(uint8_t type)
{
    return type >= TYPE_CHANGE_CIPHER_SPEC && type <= TYPE_HEARTBEAT;
}

/* SSL 2.0 framing, used by old clients for their first message only (RFC 5246
 * E.2): 2 bytes of length with the top bit set, then type 1, then version. */
static bool
is_sslv2_hello(struct span s)
{
    return (span_at(s, 0) & 0x80) != 0 && (s.n < 3 || span_at(s, 2) == 1) &&
           (s.n < 4 || span_at(s, 3) <= 3) && (s.n < 5 || span_at(s, 4) <= 4);
}

static bool
is_record_head(struct span s)
{
    unsigned length = (unsigned)span_at(s, 3) << 8 | span_at(s, 4);

    return is_record_type(span_at(s, 0)) && (s.n < 2 || span_at(s, 1) == 3) &&
           (s.n < 3 || span_at(s, 2) <= 4) &&
           (s.n < 5 || (length > 0 && length <= RECORD_BODY_MAX) ||
            (length == 0 && span_at(s, 0) == TYPE_APPLICATION_DATA));
}

/* Past its hello and the change of cipher nothing can be read; a session taken
 * up again has no certificate (RFC 5246 7.3). */
static bool
is_past_reading(const struct tls *t, enum dir d)
{
    const uint8_t type = t->half[d].head[0];

    return type == TYPE_APPLICATION_DATA ||
           (type == TYPE_CHANGE_CIPHER_SPEC && d == DIR_S2C && t->version != 0);
}

/* The five bytes of a record header are there. */
static void
begin_record(struct tls *t, enum dir d)
{
    struct tls_half *h = &t->half[d];
    struct cursor c = cur_open(span_of(h->head, sizeof(h->head)));

    if (is_record_head(c.in)) {
        cur_skip(&c, 3);
        h->left = cur_be16(&c);
    } else if (h->records == 0 && d == DIR_C2S && is_sslv2_hello(c.in)) {
        h->left = cur_be16(&c) & 0x7fff;
        if (h->left < 3) {
            lose(t, d);
            return;
        }
        h->left = (uint16_t)(h->left - 3); /* three of its bytes were read */
        hello_end(t, d);
    } else {
        lose(t, d);
        return;
    }
    h->records++;
    tls_estimate_record(&t->estimate, d, h->head[0], h->left, t->version,
                        t->cipher);
    if (!h->hello_done && is_past_reading(t, d))
        hello_end(t, d);
    if (h->left == 0)
        h->n_head = 0;
}

static void
count_body(struct tls_half *h, uint64_t n)
{
    if (h->head[0] == TYPE_APPLICATION_DATA)
        h->app_bytes += n;
    else if (h->head[0] == TYPE_HANDSHAKE)
        h->handshake_bytes += (uint32_t)n;
    h->left = (uint16_t)(h->left - n);
    if (h->left == 0)
        h->n_head = 0;
}

/* Takes what belongs to the current record; gives the number of bytes. */
static size_t
record_data(struct tls *t, enum dir d, struct span s)
{
    struct tls_half *h = &t->half[d];
    size_t n;

    if (h->n_head < sizeof(h->head)) {
        n = sizeof(h->head) - h->n_head;
        n = n < s.n ? n : s.n;
        memcpy(h->head + h->n_head, s.p, n);
        h->n_head = (h->n_head + n) & 7U;
        if (h->n_head == sizeof(h->head))
            begin_record(t, d);
        return n;
    }
    n = h->left < s.n ? h->left : s.n;
    if (h->head[0] == TYPE_HANDSHAKE && !h->hello_done)
        hello_data(t, d, span_head(s, n));
    count_body(h, n);
    return n;
}

void
tls_init(struct tls *t, struct mem *mem, bool after_starttls)
{
    *t = (struct tls){.mem = mem, .after_starttls = after_starttls};
}

void
tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    if (t->hello != NULL) {
        vec_free(&t->hello->bytes[DIR_C2S], t->mem);
        vec_free(&t->hello->bytes[DIR_S2C], t->mem);
    }
    mem_free(t->mem, t->hello, sizeof(*t->hello));
    if (t->answers != NULL)
        vec_free(&t->answers->certificate, t->mem);
    mem_free(t->mem, t->answers, sizeof(*t->answers));
    t->hello = NULL;
    t->answers = NULL;
}

void
tls_data(struct tls *t, enum dir d, struct span data)
{
    while (data.n > 0 && !t->half[d].lost)
        data = span_tail(data, record_data(t, d, data));
    t->half[d].lost_bytes += data.n;
}

void
tls_gap(struct tls *t, enum dir d, uint64_t lost)
{
    struct tls_half *h = &t->half[d];

    h->lost_bytes += lost;
    if (h->lost || lost == 0)
        return;
    if (h->n_head < sizeof(h->head) || lost > h->left) {
        lose(t, d);
        return;
    }
    if (h->head[0] == TYPE_HANDSHAKE && !h->hello_done)
        hello_end(t, d);
    count_body(h, lost);
}

bool
tls_looks_like(struct span s)
{
    return s.n > 0 && (is_record_head(s) || (s.n >= 5 && is_sslv2_hello(s)));
}

struct span
tls_sni(const struct tls *t)
{
    return t->answers != NULL ? span_of(t->answers->sni, t->answers->n_sni)
                              : SPAN_NONE;
}

void
tls_version_name(uint16_t version, struct buf *out)
{
    static const struct {
        uint16_t version;
        const char *name;
    } names[] = {
        {0x0304, "TLS 1.3"},
        {0x0303, "TLS 1.2"},
        {0x0302, "TLS 1.1"},
        {0x0301, "TLSv1"  },
        {0x0300, "SSLv3"  },
        {0x0002, "SSLv2"  },
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].version == version) {
            buf_str(out, names[i].name);
            return;
        }
    }
    if (version >> 8 == 0x7f && (version & 0xff) >= 16)
        buf_printf(out, "TLS 1.3 draft-%u", version & 0xffU);
    else
        buf_printf(out, "0x%04x", version);
}

void
tls_expect_auth(struct tls *t)
{
    tls_estimate_init(&t->estimate, true);
}

bool
tls_messages(const struct tls *t, struct tls_estimate_result *out)
{
    return t->version != 0 && tls_estimate_result(&t->estimate, out);
}

static void
emit_version(struct record_out *out, enum field f, uint16_t version)
{
    struct buf name;

    buf_init(&name, 64);
    tls_version_name(version, &name);
    record_str(out, f, buf_view(&name));
    buf_free(&name);
}

void
tls_emit(const struct tls *t, struct record_out *out)
{
    if (t->version != 0)
        emit_version(out, FIELD_TLS_VERSION, t->version);
    if (tls_sni(t).n > 0)
        record_str(out, FIELD_TLS_SNI, tls_sni(t));
    if (t->after_starttls)
        record_text(out, FIELD_TLS_FROM_PROTO, "smtp");
    if (t->version != 0)
        record_u64(out, FIELD_TLS_CIPHER, t->cipher);
    for (unsigned i = 0; t->answers != NULL && i < t->answers->n_offered; i++)
        emit_version(out, FIELD_TLS_OFFERED, t->answers->offered[i]);
    record_u64(out, FIELD_TLS_RECORDS_TOSERVER, t->half[DIR_C2S].records);
    record_u64(out, FIELD_TLS_RECORDS_TOCLIENT, t->half[DIR_S2C].records);
    if (t->answers != NULL && t->answers->ja4[0] != '\0')
        record_text(out, FIELD_TLS_JA4, t->answers->ja4);
    if (t->answers != NULL)
        record_entries(out, vec_view(&t->answers->certificate));
}

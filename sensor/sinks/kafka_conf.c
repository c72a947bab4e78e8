#include "sensor/sinks/kafka_conf.h"

#include "sensor/base/text.h"

#include <string.h>

#define WHY_MAX 400U

enum err
kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value,
          struct buf *message)
{
    char text[WHY_MAX];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) ==
        RD_KAFKA_CONF_OK)
        return ERR_OK;
    buf_str(message, "kafka: ");
    text_term(message, span_str(text));
    return ERR_CONFIG;
}

/* Options that are librdkafka's own under another name; empty: not set. */
static const struct {
    const char *name, *option;
} passed[] = {
    {"ssl.ca.location",          "ca-file"  },
    {"ssl.certificate.location", "cert-file"},
    {"ssl.key.location",         "key-file" },
    {"sasl.mechanisms",          "sasl"     },
    {"sasl.username",            "user"     },
};

static const struct {
    const char *name, *option;
} secrets[] = {
    {"ssl.key.password", "key-password-file"},
    {"sasl.password",    "password-file"    },
};

static enum err
set_passed(rd_kafka_conf_t *conf, const struct sink_option *options,
           const struct sink_settings *s, struct buf *message)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(passed); i++) {
        const char *v = sink_text(options, s, passed[i].option);

        if (v[0] != '\0')
            e = kafka_set(conf, passed[i].name, v, message);
    }
    return e;
}

static enum err
set_secrets(rd_kafka_conf_t *conf, const struct sink_option *options,
            const struct sink_settings *s, struct buf *message)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(secrets); i++) {
        struct buf b;

        buf_init(&b, SINK_SECRET_MAX);
        e = sink_secret(options, s, secrets[i].option, &b, message);
        if (e == ERR_OK && b.n > 0) {
            buf_putc(&b, '\0');
            e = b.failed
                    ? ERR_NOMEM
                    : kafka_set(conf, secrets[i].name, (char *)b.p, message);
        }
        if (b.p != NULL)
            explicit_bzero(b.p, b.cap);
        buf_free(&b);
    }
    return e;
}

static enum err
set_protocol(rd_kafka_conf_t *conf, const struct sink_option *options,
             const struct sink_settings *s, struct buf *message)
{
    static const char *const names[2][2] = {
        {"plaintext",      "ssl"     },
        {"sasl_plaintext", "sasl_ssl"},
    };
    const char *tls = sink_text(options, s, "tls");
    bool is_on = strcmp(tls, "yes") == 0;
    bool has_login = sink_text(options, s, "sasl")[0] != '\0';

    if (!is_on && strcmp(tls, "no") != 0) {
        buf_str(message, "kafka: tls: is yes or no");
        return ERR_CONFIG;
    }
    return kafka_set(conf, "security.protocol", names[has_login][is_on],
                     message);
}

enum err
kafka_conf_peer(rd_kafka_conf_t *conf, const struct sink_option *options,
                const struct sink_settings *s, struct buf *message)
{
    enum err e = kafka_set(conf, "bootstrap.servers", s->target, message);

    if (e == ERR_OK)
        e = set_passed(conf, options, s, message);
    if (e == ERR_OK)
        e = set_secrets(conf, options, s, message);
    if (e == ERR_OK)
        e = set_protocol(conf, options, s, message);
    return e;
}

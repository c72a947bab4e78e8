#ifndef SPAN25_DASHBOARDS_HTTP_SEND_H
#define SPAN25_DASHBOARDS_HTTP_SEND_H
/* http_send - an answer as it goes over the wire, with the fields that every
 * answer has */
#include <microhttpd.h>

#include "dashboards/http/http_ask.h"
#include "dashboards/http/http_stream.h"

/* Queues k->a, whose body it takes, and sets k->held and k->state. MHD_NO: no
 * memory, the connection is to be closed. */
enum MHD_Result http_send_answer(struct http_ask *k, struct http_streams *s);

#endif

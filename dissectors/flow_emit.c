#include "dissectors/flow_emit.h"

#include "sensor/event/packet.h"

static const char *const tunnels[] = {
#define TUNNEL_NAME(id, name) [TUNNEL_##id] = (name),
    TUNNEL_MAP(TUNNEL_NAME)
#undef TUNNEL_NAME
};

void
flow_emit(const struct flow *f, const char *proto, struct record_out *r)
{
    for (unsigned i = 0; i < f->n_vlan; i++)
        record_u64(r, FIELD_VLAN, f->vlan[i]);
    for (unsigned i = 0; i < FLOW_TUNNELS && f->tunnel[i] != 0; i++)
        record_text(r, FIELD_TUNNEL, tunnels[f->tunnel[i]]);
    record_addr(r, FIELD_SRC_IP, &f->client);
    record_u64(r, FIELD_SRC_PORT, f->client_port);
    record_addr(r, FIELD_DEST_IP, &f->server);
    record_u64(r, FIELD_DEST_PORT, f->server_port);
    record_text(r, FIELD_PROTO, proto);
}

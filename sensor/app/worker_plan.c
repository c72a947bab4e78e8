#include "sensor/app/worker_plan.h"

struct worker_plan
worker_plan_of(const struct config *c)
{
    return (struct worker_plan){
        .filter = c->filter,
        .ports = c->ports.v,
        .n_ports = c->ports.n,
        .dns = c->dns,
        .memory_max = c->memory,
        .content_max = c->mime ? c->content : 0,
        .keep_all = c->yara != NULL || c->clamd != NULL,
        .all_hashes = c->hashes == HASHES_ALL,
        .flows_max = (uint32_t)c->flows,
        .body_digest = c->body_digest,
        .name_others = c->name_others,
        .ask_ndpi = c->ask_ndpi,
        .n_workers = (unsigned)c->workers,
    };
}

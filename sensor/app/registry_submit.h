#ifndef SPAN25_APP_REGISTRY_SUBMIT_H
#define SPAN25_APP_REGISTRY_SUBMIT_H
/* registry_submit - what taking in forms needs, one or many */
#include "sensor/app/registry.h"

/* End of the protection of a form received now; 0: none. */
ns_t registry_submit_protect(const struct registry_call *c);

/* A form_fault_fn that tells the fault; ctx is the call. */
void registry_submit_fault(void *ctx, const struct form_fault *fault);

#endif

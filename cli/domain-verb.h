/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The verbs of "domain", which work on one lease. They are done by libiommud's functions of the same names;
 * who may call them, iommud decides.
 */

#include <json-c/json.h>

#include "cli.h"

DEFINE_CLEANUP_FUNC(iommud_dma_state, iommud_dma_state_free);

typedef struct DomainCall {
        const Options *options;
        iommud_client *client;
        uint64_t lease;
        char **arguments;               /* those behind the lease, as many as the table has */
        const char *what;               /* "attach a device in lease 7" */
} DomainCall;

/* Domains and IOASes */
Status domain_alloc_ioas(const DomainCall *call);
Status domain_alloc(const DomainCall *call);
Status domain_alloc_viommu(const DomainCall *call);
Status domain_alloc_vdevice(const DomainCall *call);
Status domain_attach(const DomainCall *call);
Status domain_detach(const DomainCall *call);
Status domain_destroy(const DomainCall *call);
Status domain_hw_info(const DomainCall *call);
Status domain_revoke(const DomainCall *call);

/* Queues, as long as they are wanted */
Status domain_faults(const DomainCall *call);
Status domain_events(const DomainCall *call);

/* What is mapped */
Status domain_map(const DomainCall *call);
Status domain_unmap(const DomainCall *call);
Status domain_ranges(const DomainCall *call);
Status domain_dirty(const DomainCall *call);
Status domain_bitmap(const DomainCall *call);

typedef struct DomainVerb DomainVerb;

/* NULL: there is no such verb. */
const DomainVerb *find_domain_verb(const char *name);

/* @arguments are those behind the verb. */
Status run_domain_verb(const DomainVerb *verb, const Options *options, char **arguments);

/* A line for each. */
void print_domain_verbs(void);

/* Complains that the call has failed with @r. */
Status domain_failed(const DomainCall *call, int r);

/* The handle of @what that @text is, or STATUS_USAGE. */
Status domain_handle(const char *what, const char *text, uint64_t *ret);

/* An address, or a number of bytes; STATUS_USAGE: it is none. */
Status domain_address(const char *text, uint64_t *ret);

/* The one device that @selector is. The caller frees it. */
Status domain_device(const DomainCall *call, const char *selector, char **ret);

/* Prints what was done, as JSON or, if there is any, as text; both are freed. */
Status domain_answer(const DomainCall *call, json_object *object, char *text);

/* Makes the domain that arguments and options ask for; with a queue of page faults unless that is NULL. */
Status domain_make(const DomainCall *call, uint64_t *ret_domain, uint32_t *ret_id, int *ret_fault_queue);

/* What was made, by the key that JSON has for it. */
json_object *json_of_made(const char *key, uint64_t handle, uint32_t id);

/* The number of an object in the iommufd, which only clients of mode "attached" have. */
void json_put_iommufd_id(json_object *object, uint32_t id);

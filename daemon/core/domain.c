/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/fd.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/virtual.h"

int domain_new(uint64_t handle, uint32_t id, const DomainOptions *options, const char *iommu, Ioas *ioas,
               Domain *parent, Domain **ret) {
        Domain *domain;

        domain = calloc(1, sizeof(*domain));
        if (!domain)
                return -ENOMEM;

        *domain = (Domain) {
                .handle = handle,
                .id = id,
                .options = *options,
                .ioas = ioas,
                .parent = parent,
                .fault_fd = -EBADF,
        };
        snprintf(domain->iommu, sizeof(domain->iommu), "%s", iommu);
        ioas->n_users++;
        if (parent)
                parent->n_users++;

        *ret = domain;
        return 0;
}

void domain_set_viommu(Domain *domain, Virtual *viommu) {
        assert(!domain->parent && !domain->viommu);

        domain->viommu = viommu;
        viommu->n_users++;
}

Domain *domain_free(Domain *domain) {
        if (!domain)
                return NULL;

        assert(domain->n_users == 0);

        domain->ioas->n_users--;
        if (domain->parent)
                domain->parent->n_users--;
        if (domain->viommu)
                domain->viommu->n_users--;

        close_fd(domain->fault_fd);
        free(domain);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/domain.h"
#include "core/virtual.h"

int virtual_new(const Virtual *from, Virtual **ret) {
        Virtual *virtual;

        assert(!from->domain != !from->viommu && from->n_users == 0);

        virtual = malloc(sizeof(*virtual));
        if (!virtual)
                return -ENOMEM;

        *virtual = *from;
        if (virtual->domain)
                virtual->domain->n_users++;
        else
                virtual->viommu->n_users++;

        *ret = virtual;
        return 0;
}

Virtual *virtual_free(Virtual *virtual) {
        if (!virtual)
                return NULL;

        assert(virtual->n_users == 0);

        if (virtual->domain)
                virtual->domain->n_users--;
        else
                virtual->viommu->n_users--;
        free(virtual);
        return NULL;
}

Ioas *virtual_ioas(const Virtual *virtual) {
        const Virtual *viommu = virtual->viommu ?: virtual;

        return viommu->domain->ioas;
}

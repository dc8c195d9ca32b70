/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/lease.h"

int check_domain_features(const DomainOptions *options, unsigned features, Refusal *reterr) {
        unsigned missing = domain_options_features(options) & ~features;

        for (int i = 0; i < _DOMAIN_FEATURE_MAX; i++)
                if (missing & 1U << i)
                        return refuse(reterr, OUTCOME_DENIED,
                                "The rule of the policy that grants it gives no %s: an administrator can "
                                "add "
                                "that to its features",
                                domain_feature_to_string(i));

        return 0;
}

static bool lacks(const HwInfo *info, IommuFeature feature) {
        return info->lacks & 1U << feature;
}

int check_hw_features(
        const char *device, const HwInfo *info, const DomainOptions *options, Refusal *reterr) {
        const char *driver;

        if (!info || !info->asked)
                return 0;

        driver = iommu_driver_to_string(info->driver);
        if (info->emulated && (options->kind != DOMAIN_PAGING || options->dirty_tracking || options->pasid ||
                               options->fault_queue))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s has no IOMMU of its own: the kernel maps for it, and there are no domains "
                              "with features. Ask for a domain without any",
                              device);

        if (options->dirty_tracking && !info->dirty_tracking)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "The IOMMU of %s (%s) can't tell which pages are dirty: ask for a domain "
                              "without dirty_tracking",
                              device, driver);

        if (options->pasid && info->pasid_log2 == 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s has no PASIDs, or its IOMMU (%s) has them not enabled: ask for a domain "
                              "without pasid",
                              device, driver);

        if (options->kind == DOMAIN_NEST_PARENT && lacks(info, IOMMU_FEATURE_NESTING))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "The IOMMU of %s (%s) or its driver can't nest domains: ask for one of kind "
                              "paging",
                              device, driver);

        if (options->fault_queue && lacks(info, IOMMU_FEATURE_PAGE_FAULTS))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s can't report page faults, or its IOMMU (%s) can't: ask for a domain "
                              "without fault_queue",
                              device, driver);

        return 0;
}

int refuse_domain(Refusal *reterr, const char *device, const HwInfo *info, const KernelFailure *failure) {
        switch (-failure->error) {

        case EOPNOTSUPP:
        case ENOTTY:
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "The IOMMU of %s (%s) or its driver can't make such a domain: %s. Ask for one with "
                        "fewer features",
                        device, iommu_driver_to_string(info->driver), failure->call);

        case EADDRINUSE:
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                        "A window of iova_windows has addresses that %s can't use: see ReservedRegions of "
                        "its "
                        "group and IovaRanges",
                        device);

        default:
                return refuse_kernel(reterr, failure);
        }
}

int check_nest_parent(const Domain *parent, const LeaseDevice *device, Refusal *reterr) {
        if (parent->options.kind != DOMAIN_NEST_PARENT)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Nothing can be nested on domain %" PRIu64 ": it is not of kind nest-parent",
                              parent->handle);
        if (strcmp(parent->iommu, device->dma.iommu) != 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Domain %" PRIu64 " is of the IOMMU %s, and %s is behind %s", parent->handle,
                              parent->iommu, device->name, device->dma.iommu);

        return 0;
}

int refuse_virtual(Refusal *reterr, const char *device, const HwInfo *info, const VirtualSpec *spec,
                   const KernelFailure *failure) {
        switch (-failure->error) {

        case EOPNOTSUPP:
        case ENOTTY:
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "The driver of the IOMMU of %s (%s) has no %s of type 0x%x, or not with this "
                              "data: %s",
                              device, iommu_driver_to_string(info->driver),
                              virtual_kind_to_string(spec->kind), spec->type, failure->call);

        case EEXIST:
                return refuse(reterr, OUTCOME_IN_USE,
                              "%s, its number, or the type is in use by something that iommud has not made: "
                              "%s",
                              device, failure->call);

        default:
                return refuse_kernel(reterr, failure);
        }
}

int refuse_attach(Refusal *reterr, const char *device, const KernelFailure *failure) {
        switch (-failure->error) {

        case EOPNOTSUPP:
                return refuse(reterr, OUTCOME_NOT_SUPPORTED, "%s can't be attached like this: %s", device,
                              failure->call);

        case ENODEV:
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "%s can't be attached to a domain with a fault queue: it can't report page faults",
                        device);

        case EADDRINUSE:
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                        "%s can't be attached: addresses that it can't use are mapped, or promised by "
                        "iova_windows; see ReservedRegions of its group",
                        device);

        default:
                return refuse_kernel(reterr, failure);
        }
}

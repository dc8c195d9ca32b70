/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/dma-refusal.h"

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

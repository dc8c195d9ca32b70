// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual IOMMUs, on which nested domains are allocated, and whose queues get the events.
 */
#include "mock.h"

struct mock_viommu {
	struct iommufd_viommu core;
	struct mock_domain *parent;
};

static struct iommu_domain *mock_viommu_alloc_domain(struct iommufd_viommu *core, u32 flags,
						     const struct iommu_user_data *data)
{
	struct mock_viommu *viommu = container_of(core, struct mock_viommu, core);
	struct mock_domain *domain;

	domain = mock_window_alloc(viommu->parent->iommu, viommu->parent, flags, data);
	if (IS_ERR(domain))
		return ERR_CAST(domain);

	domain->viommu = core;
	return &domain->core;
}

static int mock_viommu_invalidate(struct iommufd_viommu *core, struct iommu_user_data_array *array)
{
	return mock_invalidate(NULL, array);
}

static const struct iommufd_viommu_ops mock_viommu_ops = {
	.alloc_domain_nested = mock_viommu_alloc_domain,
	.cache_invalidate = mock_viommu_invalidate,
};

size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type)
{
	if ((u32)type != MOCK_VIOMMU_TYPE || !(to_mock(dev)->features & MOCK_FEATURE_NEST))
		return 0;
	return VIOMMU_STRUCT_SIZE(struct mock_viommu, core);
}

int mock_viommu_init(struct iommufd_viommu *core, struct iommu_domain *parent,
		     const struct iommu_user_data *data)
{
	struct mock_viommu *viommu = container_of(core, struct mock_viommu, core);

	if (data) {
		struct mock_viommu_data asked;
		int ret;

		ret = iommu_copy_struct_from_user(&asked, data, MOCK_VIOMMU_TYPE, answer);
		if (ret)
			return ret;

		asked.answer = ~asked.question;
		ret = iommu_copy_struct_to_user(data, &asked, MOCK_VIOMMU_TYPE, answer);
		if (ret)
			return ret;
	}

	viommu->parent = to_mock_domain(parent);
	core->ops = &mock_viommu_ops;
	return 0;
}

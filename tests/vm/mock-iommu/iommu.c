// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMUs: two of them, so that devices can be behind different ones, and one for what the
 * firmware has left behind.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "mock.h"

#define MOCK_MSI_FIRST		0xfee00000
#define MOCK_MSI_SIZE		0x100000
#define MOCK_FIRMWARE_FIRST	0x7b000000
#define MOCK_FIRMWARE_SIZE	0x10000

DECLARE_RWSEM(mock_attach_lock);

static struct mock_iommu mock_iommus[MOCK_N_IOMMUS];

struct mock_iommu *mock_iommu_get(unsigned int instance)
{
	return &mock_iommus[instance];
}

static const struct iommu_domain_ops mock_blocked_ops = {
	.attach_dev = mock_attach,
	.set_dev_pasid = mock_attach_pasid,
};

static struct iommu_domain mock_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &mock_blocked_ops,
};

/* With this the device could do what the firmware has told it to. It never does. */
static struct iommu_domain mock_identity = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &mock_blocked_ops,
};

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_DIRTY_TRACKING:
		return to_mock(dev)->features & MOCK_FEATURE_DIRTY;
	default:
		return false;
	}
}

static void *mock_get_hw_info(struct device *dev, u32 *length, enum iommu_hw_info_type *type)
{
	struct mock_device *mock = to_mock(dev);
	struct mock_hw_info *info;

	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT && (u32)*type != MOCK_HW_INFO_TYPE)
		return ERR_PTR(-EOPNOTSUPP);

	info = kzalloc_obj(*info);
	if (!info)
		return ERR_PTR(-ENOMEM);

	info->instance = mock->iommu->instance;
	info->features = mock->features;
	*length = sizeof(*info);
	*type = MOCK_HW_INFO_TYPE;
	return info;
}

static struct iommu_device *mock_probe_device(struct device *dev)
{
	return dev->bus == &mock_bus ? &to_mock(dev)->iommu->core : ERR_PTR(-ENODEV);
}

static void mock_release_device(struct device *dev)
{
	struct mock_device *mock = to_mock(dev);

	if (mock->has_iopf_queue)
		iopf_queue_remove_device(mock->iommu->iopf_queue, dev);
	mock->has_iopf_queue = false;
}

static struct iommu_group *mock_device_group(struct device *dev)
{
	struct mock_device *sibling = to_mock(dev)->sibling;
	struct iommu_group *group = NULL;

	if (sibling)
		group = iommu_group_get(&sibling->dev);
	return group ? group : generic_device_group(dev);
}

static void mock_get_resv_regions(struct device *dev, struct list_head *list)
{
	unsigned int firmware = to_mock(dev)->firmware_region;
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(MOCK_MSI_FIRST, MOCK_MSI_SIZE, 0, IOMMU_RESV_MSI,
					 GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);

	if (firmware == MOCK_FIRMWARE_NONE)
		return;
	region = iommu_alloc_resv_region(MOCK_FIRMWARE_FIRST, MOCK_FIRMWARE_SIZE,
					 IOMMU_READ | IOMMU_WRITE,
					 firmware == MOCK_FIRMWARE_DIRECT ?
					 IOMMU_RESV_DIRECT : IOMMU_RESV_DIRECT_RELAXABLE,
					 GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

#define MOCK_IOMMU_OPS						\
	.owner = THIS_MODULE,					\
	.blocked_domain = &mock_blocked,			\
	.release_domain = &mock_blocked,			\
	.capable = mock_capable,				\
	.hw_info = mock_get_hw_info,				\
	.domain_alloc_paging_flags = mock_paging_alloc,		\
	.domain_alloc_nested = mock_nested_alloc,		\
	.probe_device = mock_probe_device,			\
	.release_device = mock_release_device,			\
	.device_group = mock_device_group,			\
	.get_resv_regions = mock_get_resv_regions,		\
	.page_response = mock_page_response,			\
	.get_viommu_size = mock_viommu_size,			\
	.viommu_init = mock_viommu_init

static const struct iommu_ops mock_iommu_ops = {
	MOCK_IOMMU_OPS,
	.default_domain = &mock_blocked,
};

/* The kernel blocks nothing that has a region of the firmware's */
static const struct iommu_ops mock_firmware_ops = {
	MOCK_IOMMU_OPS,
	.default_domain = &mock_identity,
	.identity_domain = &mock_identity,
};

static int mock_iommu_init(struct mock_iommu *iommu, unsigned int instance, struct device *parent)
{
	const struct iommu_ops *ops;
	int ret;

	iommu->instance = instance;
	iommu->core.max_pasids = 1U << MOCK_PASID_BITS;

	iommu->iopf_queue = iopf_queue_alloc("iommud-mock");
	if (!iommu->iopf_queue)
		return -ENOMEM;

	ret = iommu_device_sysfs_add(&iommu->core, parent, NULL, "mock-iommu%u", instance);
	if (ret)
		goto err_queue;

	ops = instance == MOCK_FIRMWARE_IOMMU ? &mock_firmware_ops : &mock_iommu_ops;
	ret = iommu_device_register_bus(&iommu->core, ops, &mock_bus, &iommu->notifier);
	if (ret)
		goto err_sysfs;

	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&iommu->core);
err_queue:
	iopf_queue_free(iommu->iopf_queue);
	return ret;
}

static void mock_iommu_exit(struct mock_iommu *iommu)
{
	iommu_device_unregister_bus(&iommu->core, &mock_bus, &iommu->notifier);
	iommu_device_sysfs_remove(&iommu->core);
	iopf_queue_free(iommu->iopf_queue);
}

int mock_iommus_init(struct device *parent)
{
	int ret;

	for (unsigned int i = 0; i < MOCK_N_IOMMUS; i++) {
		ret = mock_iommu_init(&mock_iommus[i], i, parent);
		if (ret) {
			while (i--)
				mock_iommu_exit(&mock_iommus[i]);
			return ret;
		}
	}
	return 0;
}

void mock_iommus_exit(void)
{
	for (unsigned int i = 0; i < MOCK_N_IOMMUS; i++)
		mock_iommu_exit(&mock_iommus[i]);
}

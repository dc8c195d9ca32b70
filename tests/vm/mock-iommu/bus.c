// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus, the devices on it and the driver that they have on a host: it does no DMA, but says
 * that it does, so that nobody else can own it.
 */
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "mock.h"

static unsigned int firmware_region;
module_param(firmware_region, uint, 0644);
MODULE_PARM_DESC(firmware_region, "of the last device: 1: direct, 2: relaxable; 0: it is not there");

/* As in ../README.md. Those with the same letter share a group. */
static const struct {
	u64 features;
	unsigned int iommu;
	char group;
} mock_kinds[MOCK_N_DEVICES] = {
	{ MOCK_FEATURES_ALL, 0, 'a' },
	{ MOCK_FEATURES_ALL, 0, 'b' },
	{ MOCK_FEATURES_ALL, 0, 'c' },
	{ MOCK_FEATURES_ALL, 0, 'c' },
	{ 0, 0, 'd' },
	{ MOCK_FEATURES_ALL, 1, 'e' },
	{ 0, MOCK_FIRMWARE_IOMMU, 'f' },
};

static struct device *mock_root;
static struct irq_domain *mock_msi;
static struct mock_device *mock_devices[MOCK_N_DEVICES];
static DEFINE_MUTEX(mock_devices_lock);

/* It stands for the kernel as the owner of DMA, whichever devices it has */
static int mock_native_probe(struct device *dev)
{
	int ret;

	/* nobody else can own it, and the core says no to whoever wants to */
	if (to_mock(dev)->firmware_region == MOCK_FIRMWARE_DIRECT)
		return 0;

	ret = iommu_device_claim_dma_owner(dev, &mock_root);
	/* what a driver on a real bus is told when userspace owns the group */
	return ret == -EPERM ? -EBUSY : ret;
}

static int mock_native_remove(struct device *dev)
{
	if (to_mock(dev)->firmware_region != MOCK_FIRMWARE_DIRECT)
		iommu_device_release_dma_owner(dev);
	return 0;
}

static struct device_driver mock_native_driver = {
	.name = "mock-native",
	.bus = &mock_bus,
	.owner = THIS_MODULE,
	.probe = mock_native_probe,
	.remove = mock_native_remove,
};

static int mock_match(struct device *dev, const struct device_driver *driver)
{
	int ret = device_match_driver_override(dev, driver);

	return ret >= 0 ? ret : driver == &mock_native_driver;
}

static void mock_device_release(struct device *dev)
{
	struct mock_device *mock = to_mock(dev);

	if (mock->sibling)
		put_device(&mock->sibling->dev);
	xa_destroy(&mock->domains);
	mock_engine_done(&mock->engine);
	kfree(mock);
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct mock_device *mock = to_mock(dev);

	if (!device_remove_file_self(dev, attr))
		return count;

	mutex_lock(&mock_devices_lock);
	mock_devices[mock->index] = NULL;
	mutex_unlock(&mock_devices_lock);

	device_unregister(dev);
	return count;
}
static DEVICE_ATTR_WO(remove);

static struct attribute *mock_attrs[] = {
	&dev_attr_remove.attr,
	NULL
};
ATTRIBUTE_GROUPS(mock);

static struct mock_device *mock_device_new(unsigned int index)
{
	struct mock_device *mock;
	int ret;

	mock = kzalloc_obj(*mock);
	if (!mock)
		return ERR_PTR(-ENOMEM);

	ret = mock_engine_init(&mock->engine);
	if (ret) {
		kfree(mock);
		return ERR_PTR(ret);
	}

	device_initialize(&mock->dev);
	xa_init(&mock->domains);
	mock->index = index;
	mock->features = mock_kinds[index].features;
	if (mock_kinds[index].iommu == MOCK_FIRMWARE_IOMMU)
		mock->firmware_region = READ_ONCE(firmware_region);
	mock->iommu = mock_iommu_get(mock_kinds[index].iommu);
	mock->dev.parent = mock_root;
	mock->dev.bus = &mock_bus;
	mock->dev.groups = mock_groups;
	mock->dev.release = mock_device_release;
	return mock;
}

/* One that has a group already, for this one to join */
static struct mock_device *mock_find_sibling(unsigned int index)
{
	for (unsigned int i = 0; i < MOCK_N_DEVICES; i++)
		if (mock_devices[i] && mock_kinds[i].group == mock_kinds[index].group)
			return mock_devices[i];
	return NULL;
}

static int mock_device_add(unsigned int index)
{
	struct property_entry properties[] = {
		PROPERTY_ENTRY_U32("pasid-num-bits", MOCK_PASID_BITS),
		{ }
	};
	struct mock_device *mock;
	int ret;

	mock = mock_device_new(index);
	if (IS_ERR(mock))
		return PTR_ERR(mock);

	mock->sibling = mock_find_sibling(index);
	if (mock->sibling)
		get_device(&mock->sibling->dev);
	dev_set_msi_domain(&mock->dev, mock_msi);

	ret = dev_set_name(&mock->dev, "mock%u", index);
	if (!ret && (mock->features & MOCK_FEATURE_PASID))
		ret = device_create_managed_software_node(&mock->dev, properties, NULL);
	if (!ret)
		ret = iommu_mock_device_add(&mock->dev, &mock->iommu->core);
	if (ret) {
		put_device(&mock->dev);
		return ret;
	}

	mock_devices[index] = mock;
	return 0;
}

static bool mock_is_wanted(unsigned int index)
{
	return mock_kinds[index].iommu != MOCK_FIRMWARE_IOMMU || READ_ONCE(firmware_region);
}

/* Those that are not there, and are to be */
static int mock_devices_add(void)
{
	int ret = 0;

	mutex_lock(&mock_devices_lock);
	for (unsigned int i = 0; i < MOCK_N_DEVICES && !ret; i++)
		if (!mock_devices[i] && mock_is_wanted(i))
			ret = mock_device_add(i);
	mutex_unlock(&mock_devices_lock);
	return ret;
}

static ssize_t rescan_store(const struct bus_type *bus, const char *buf, size_t count)
{
	int ret = mock_devices_add();

	return ret ? ret : count;
}
static BUS_ATTR_WO(rescan);

static struct attribute *mock_bus_attrs[] = {
	&bus_attr_rescan.attr,
	NULL
};
ATTRIBUTE_GROUPS(mock_bus);

const struct bus_type mock_bus = {
	.name = "iommud-mock",
	.bus_groups = mock_bus_groups,
	.match = mock_match,
	.driver_override = true,
};

/* Its devices raise no interrupts that anything would have to be protected from */
static struct irq_domain *mock_msi_create(void)
{
	static const struct irq_domain_ops ops = { };
	struct irq_domain_info info = {
		.domain_flags = IRQ_DOMAIN_FLAG_ISOLATED_MSI,
		.hwirq_max = ~0UL,
		.ops = &ops,
	};
	struct irq_domain *domain;

	info.fwnode = irq_domain_alloc_named_fwnode("iommud-mock");
	if (!info.fwnode)
		return ERR_PTR(-ENOMEM);

	domain = irq_domain_instantiate(&info);
	if (IS_ERR(domain))
		irq_domain_free_fwnode(info.fwnode);
	return domain;
}

static void mock_msi_destroy(void)
{
	struct fwnode_handle *fwnode = mock_msi->fwnode;

	irq_domain_remove(mock_msi);
	irq_domain_free_fwnode(fwnode);
}

static void mock_devices_remove(void)
{
	for (unsigned int i = 0; i < MOCK_N_DEVICES; i++)
		if (mock_devices[i])
			device_unregister(&mock_devices[i]->dev);
}

/* Where and behind what they sit, and who drives them */
static int __init mock_world_init(void)
{
	int ret;

	mock_root = root_device_register("iommud-mock");
	if (IS_ERR(mock_root))
		return PTR_ERR(mock_root);

	mock_msi = mock_msi_create();
	if (IS_ERR(mock_msi)) {
		ret = PTR_ERR(mock_msi);
		goto err_root;
	}

	ret = bus_register(&mock_bus);
	if (ret)
		goto err_msi;

	ret = mock_iommus_init(mock_root);
	if (ret)
		goto err_bus;

	ret = driver_register(&mock_native_driver);
	if (ret)
		goto err_iommus;

	ret = driver_register(&mock_vfio_driver);
	if (ret)
		goto err_native;

	return 0;

err_native:
	driver_unregister(&mock_native_driver);
err_iommus:
	mock_iommus_exit();
err_bus:
	bus_unregister(&mock_bus);
err_msi:
	mock_msi_destroy();
err_root:
	root_device_unregister(mock_root);
	return ret;
}

static void mock_world_exit(void)
{
	mock_devices_remove();
	driver_unregister(&mock_vfio_driver);
	driver_unregister(&mock_native_driver);
	mock_iommus_exit();
	bus_unregister(&mock_bus);
	mock_msi_destroy();
	root_device_unregister(mock_root);
}

static int __init mock_init(void)
{
	int ret;

	ret = mock_world_init();
	if (ret)
		return ret;

	ret = mock_devices_add();
	if (ret)
		mock_world_exit();
	return ret;
}
module_init(mock_init);

/* Each device holds the module: it goes when they have been removed */
static void __exit mock_exit(void)
{
	mock_world_exit();
}
module_exit(mock_exit);

MODULE_DESCRIPTION("Mock IOMMU and devices for the tests of iommud");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("IOMMUFD");

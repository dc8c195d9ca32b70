// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: what they translate, and which device has which.
 */
#include <linux/highmem.h>
#include <linux/iova_bitmap.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mock.h"

#define MOCK_DIRTY		XA_MARK_0
#define MOCK_ADDRESS_BITS	48

static unsigned int fail_attach;
module_param(fail_attach, uint, 0644);
MODULE_PARM_DESC(fail_attach, "the attach to a domain that fails with ENOMEM, counted from now; 0: none");

static bool attach_gap;
module_param(attach_gap, bool, 0644);
MODULE_PARM_DESC(attach_gap, "a replace blocks the device in between, and leaves it so if it fails");

/*
 * Held for reading while a piece of DMA is under way. Who takes away a page or a domain, and then
 * has had it for writing, knows that nothing uses that any more: as a flush of the IOTLB.
 */
static DEFINE_RWLOCK(mock_dma_lock);

static void mock_dma_flush(void)
{
	write_lock(&mock_dma_lock);
	write_unlock(&mock_dma_lock);
}

static struct mock_domain *mock_domain_new(struct mock_iommu *iommu)
{
	static atomic64_t last_number;
	struct mock_domain *domain;

	domain = kzalloc_obj(*domain, GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(-ENOMEM);

	/* iommufd may have it longer than there are devices, which hold the module too */
	__module_get(THIS_MODULE);
	xa_init(&domain->pages);
	domain->iommu = iommu;
	domain->number = atomic64_inc_return(&last_number);
	return domain;
}

static void mock_domain_free(struct iommu_domain *core)
{
	struct mock_domain *domain = to_mock_domain(core);

	xa_destroy(&domain->pages);
	kfree(domain);
	module_put(THIS_MODULE);
}

/* ---- page tables */

static void *mock_page_entry(phys_addr_t address, int prot)
{
	return xa_mk_value(PHYS_PFN(address) << 2 | (prot & (IOMMU_READ | IOMMU_WRITE)));
}

static phys_addr_t mock_page_address(void *entry)
{
	return PFN_PHYS(xa_to_value(entry) >> 2);
}

static bool mock_page_allows(void *entry, bool write)
{
	return xa_to_value(entry) & (write ? IOMMU_WRITE : IOMMU_READ);
}

static int mock_map_pages(struct iommu_domain *core, unsigned long iova, phys_addr_t address,
			  size_t page_size, size_t count, int prot, gfp_t gfp, size_t *mapped)
{
	struct mock_domain *domain = to_mock_domain(core);

	for (; count > 0; count--) {
		int ret = xa_insert(&domain->pages, iova >> PAGE_SHIFT,
				    mock_page_entry(address, prot), gfp);

		if (ret)
			return ret;
		iova += page_size;
		address += page_size;
		*mapped += page_size;
	}
	return 0;
}

static size_t mock_unmap_pages(struct iommu_domain *core, unsigned long iova, size_t page_size,
			       size_t count, struct iommu_iotlb_gather *gather)
{
	struct mock_domain *domain = to_mock_domain(core);
	size_t unmapped = 0;

	for (; count > 0; count--, unmapped += page_size)
		if (!xa_erase(&domain->pages, (iova + unmapped) >> PAGE_SHIFT))
			break;

	iommu_iotlb_gather_add_range(gather, iova, unmapped);
	return unmapped;
}

static void mock_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	mock_dma_flush();
}

static void mock_flush_iotlb_all(struct iommu_domain *domain)
{
	mock_dma_flush();
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *core, dma_addr_t iova)
{
	void *entry = xa_load(&to_mock_domain(core)->pages, iova >> PAGE_SHIFT);

	return entry ? mock_page_address(entry) + offset_in_page(iova) : 0;
}

static int mock_set_dirty_tracking(struct iommu_domain *core, bool enable)
{
	WRITE_ONCE(to_mock_domain(core)->tracking, enable);
	return 0;
}

static int mock_read_and_clear_dirty(struct iommu_domain *core, unsigned long iova, size_t size,
				     unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	struct mock_domain *domain = to_mock_domain(core);
	unsigned long index, last = (iova + size - 1) >> PAGE_SHIFT;
	void *entry;

	xa_for_each_range(&domain->pages, index, entry, iova >> PAGE_SHIFT, last) {
		if (!xa_get_mark(&domain->pages, index, MOCK_DIRTY))
			continue;
		/* first: what is written from here on is dirty again */
		if (!(flags & IOMMU_DIRTY_NO_CLEAR))
			xa_clear_mark(&domain->pages, index, MOCK_DIRTY);
		iommu_dirty_bitmap_record(dirty, index << PAGE_SHIFT, PAGE_SIZE);
	}
	return 0;
}

static const struct iommu_dirty_ops mock_dirty_ops = {
	.set_dirty_tracking = mock_set_dirty_tracking,
	.read_and_clear_dirty = mock_read_and_clear_dirty,
};

static const struct iommu_domain_ops mock_paging_ops = {
	.attach_dev = mock_attach,
	.set_dev_pasid = mock_attach_pasid,
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iotlb_sync = mock_iotlb_sync,
	.flush_iotlb_all = mock_flush_iotlb_all,
	.iova_to_phys = mock_iova_to_phys,
	.free = mock_domain_free,
};

static u64 mock_features_of(u32 flags)
{
	u64 features = 0;

	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		features |= MOCK_FEATURE_DIRTY;
	if (flags & IOMMU_HWPT_ALLOC_NEST_PARENT)
		features |= MOCK_FEATURE_NEST;
	if (flags & IOMMU_HWPT_ALLOC_PASID)
		features |= MOCK_FEATURE_PASID;
	return features;
}

struct iommu_domain *mock_paging_alloc(struct device *dev, u32 flags,
				       const struct iommu_user_data *data)
{
	const u32 known = IOMMU_HWPT_ALLOC_DIRTY_TRACKING | IOMMU_HWPT_ALLOC_NEST_PARENT |
			  IOMMU_HWPT_ALLOC_PASID;
	struct mock_device *mock = to_mock(dev);
	struct mock_domain *domain;

	if ((flags & ~known) || (mock_features_of(flags) & ~mock->features) || data)
		return ERR_PTR(-EOPNOTSUPP);

	domain = mock_domain_new(mock->iommu);
	if (IS_ERR(domain))
		return ERR_CAST(domain);

	domain->core.type = IOMMU_DOMAIN_UNMANAGED;
	domain->core.ops = &mock_paging_ops;
	domain->core.pgsize_bitmap = PAGE_SIZE;
	domain->core.geometry.aperture_end = (1ULL << MOCK_ADDRESS_BITS) - 1;
	domain->core.geometry.force_aperture = true;
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		domain->core.dirty_ops = &mock_dirty_ops;
	return &domain->core;
}

/* ---- nested domains */

int mock_invalidate(struct mock_domain *domain, struct iommu_user_data_array *array)
{
	struct mock_invalidate entry;
	u32 done = 0;
	int ret = 0;

	if (array->type != MOCK_INVALIDATE_DATA) {
		array->entry_num = 0;
		return -EINVAL;
	}

	for (; done < array->entry_num; done++) {
		ret = iommu_copy_struct_from_user_array(&entry, array, MOCK_INVALIDATE_DATA, done,
							last);
		if (ret)
			break;
		if (entry.first > entry.last) {
			ret = -EINVAL;
			break;
		}
		if (domain)
			atomic64_inc(&domain->invalidations);
	}

	mock_dma_flush();
	array->entry_num = done;
	return ret;
}

static int mock_cache_invalidate_user(struct iommu_domain *core,
				      struct iommu_user_data_array *array)
{
	return mock_invalidate(to_mock_domain(core), array);
}

static const struct iommu_domain_ops mock_nested_ops = {
	.attach_dev = mock_attach,
	.set_dev_pasid = mock_attach_pasid,
	.cache_invalidate_user = mock_cache_invalidate_user,
	.free = mock_domain_free,
};

struct mock_domain *mock_window_alloc(struct mock_iommu *iommu, struct mock_domain *parent,
				      u32 flags, const struct iommu_user_data *data)
{
	struct mock_domain *domain;
	struct mock_window window;
	int ret;

	if ((flags & ~IOMMU_HWPT_ALLOC_PASID) || data->type != MOCK_HWPT_DATA_WINDOW)
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->iommu != iommu)
		return ERR_PTR(-EINVAL);

	ret = iommu_copy_struct_from_user(&window, data, MOCK_HWPT_DATA_WINDOW, base);
	if (ret)
		return ERR_PTR(ret);
	if (window.first > window.last || !PAGE_ALIGNED(window.first ^ window.base))
		return ERR_PTR(-EINVAL);

	domain = mock_domain_new(iommu);
	if (IS_ERR(domain))
		return domain;

	domain->core.type = IOMMU_DOMAIN_NESTED;
	domain->core.ops = &mock_nested_ops;
	domain->parent = parent;
	domain->window = window;
	return domain;
}

struct iommu_domain *mock_nested_alloc(struct device *dev, struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *data)
{
	struct mock_device *mock = to_mock(dev);
	struct mock_domain *domain;

	if (!(mock->features & MOCK_FEATURE_NEST))
		return ERR_PTR(-EOPNOTSUPP);

	domain = mock_window_alloc(mock->iommu, to_mock_domain(parent), flags, data);
	return IS_ERR(domain) ? ERR_CAST(domain) : &domain->core;
}

/* ---- which device has which */

static int mock_check_domain(struct mock_device *mock, struct mock_domain *domain)
{
	unsigned long id;

	if (domain->iommu != mock->iommu)
		return -EINVAL;
	if (domain->core.dirty_ops && !(mock->features & MOCK_FEATURE_DIRTY))
		return -EINVAL;
	if (domain->core.iopf_handler && !(mock->features & MOCK_FEATURE_FAULT))
		return -ENODEV;
	/* its events name the device as the guest does */
	if (domain->viommu)
		return iommufd_viommu_get_vdev_id(domain->viommu, &mock->dev, &id);
	return 0;
}

static bool mock_attach_fails(void)
{
	unsigned int n = READ_ONCE(fail_attach);

	if (n)
		WRITE_ONCE(fail_attach, n - 1);
	return n == 1;
}

/* Once there, it stays */
static int mock_enable_page_requests(struct mock_device *mock)
{
	int ret;

	if (mock->has_iopf_queue)
		return 0;

	ret = iopf_queue_add_device(mock->iommu->iopf_queue, &mock->dev);
	mock->has_iopf_queue = !ret;
	return ret;
}

/* The core holds the lock of the group */
static int mock_set_domain(struct mock_device *mock, u32 pasid, struct mock_domain *domain)
{
	int ret;

	ret = mock_check_domain(mock, domain);
	if (!ret && domain->core.iopf_handler)
		ret = mock_enable_page_requests(mock);
	if (ret)
		return ret;

	if (READ_ONCE(attach_gap)) {
		xa_erase(&mock->domains, pasid);
		mock_dma_flush();
	}
	if (mock_attach_fails())
		return -ENOMEM;

	ret = xa_err(xa_store(&mock->domains, pasid, domain, GFP_KERNEL));
	mock_dma_flush();
	return ret;
}

int mock_attach_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		      struct iommu_domain *old)
{
	struct mock_device *mock = to_mock(dev);

	if (domain->type & __IOMMU_DOMAIN_PAGING || domain->type == IOMMU_DOMAIN_NESTED)
		return mock_set_domain(mock, pasid, to_mock_domain(domain));

	xa_erase(&mock->domains, pasid);
	mock_dma_flush();
	return 0;
}

int mock_attach(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old)
{
	return mock_attach_pasid(domain, dev, IOMMU_NO_PASID, old);
}

u64 mock_domain_number(struct mock_device *mock, u32 pasid, u64 *invalidations)
{
	struct mock_domain *domain;
	u64 number = 0;

	*invalidations = 0;
	read_lock(&mock_dma_lock);
	domain = xa_load(&mock->domains, pasid);
	if (domain) {
		number = domain->number;
		*invalidations = atomic64_read(&domain->invalidations);
	}
	read_unlock(&mock_dma_lock);
	return number;
}

/* ---- DMA */

/* The page table that has the page, and the page's index there */
static struct mock_domain *mock_descend(struct mock_domain *domain, u64 iova, unsigned long *index)
{
	if (domain->parent) {
		if (iova < domain->window.first || iova > domain->window.last)
			return NULL;
		iova = iova - domain->window.first + domain->window.base;
		domain = domain->parent;
	}
	*index = iova >> PAGE_SHIFT;
	return domain;
}

static int mock_translate(struct mock_domain *domain, u64 iova, bool write, phys_addr_t *ret)
{
	struct mock_domain *table;
	unsigned long index;
	void *entry;

	table = mock_descend(domain, iova, &index);
	entry = table ? xa_load(&table->pages, index) : NULL;
	if (!entry || !mock_page_allows(entry, write) ||
	    !pfn_valid(PHYS_PFN(mock_page_address(entry))))
		return domain->core.iopf_handler ? -EAGAIN : -EFAULT;

	if (write && READ_ONCE(table->tracking))
		xa_set_mark(&table->pages, index, MOCK_DIRTY);
	*ret = mock_page_address(entry) + offset_in_page(iova);
	return 0;
}

static void mock_copy(phys_addr_t address, void *data, size_t length, bool write)
{
	char *page = kmap_local_page(pfn_to_page(PHYS_PFN(address)));

	if (write)
		memcpy(page + offset_in_page(address), data, length);
	else
		memcpy(data, page + offset_in_page(address), length);
	kunmap_local(page);
}

int mock_dma(struct mock_device *mock, u32 pasid, u64 iova, void *data, size_t length, bool write,
	     u64 *number)
{
	struct mock_domain *domain;
	phys_addr_t address;
	int ret = -EACCES;

	read_lock(&mock_dma_lock);
	domain = xa_load(&mock->domains, pasid);
	if (domain) {
		*number = domain->number;
		ret = mock_translate(domain, iova, write, &address);
	}
	if (!ret)
		mock_copy(address, data, length, write);
	read_unlock(&mock_dma_lock);
	return ret;
}

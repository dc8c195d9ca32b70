/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock IOMMU, and devices that do DMA through it, with VFIO on top. VFIO itself and iommufd are
 * the kernel's own, and real.
 */
#ifndef IOMMUD_MOCK_H
#define IOMMUD_MOCK_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "registers.h"

#define MOCK_N_IOMMUS		3
#define MOCK_FIRMWARE_IOMMU	2
#define MOCK_N_DEVICES		7
#define MOCK_PASID_BITS		10
#define MOCK_N_TALLIES		64

struct eventfd_ctx;

struct mock_iommu {
	struct iommu_device core;
	struct notifier_block notifier;
	struct iopf_queue *iopf_queue;
	unsigned int instance;
};

/* Paging domains and nested ones: these have a parent, those have pages */
struct mock_domain {
	struct iommu_domain core;
	struct mock_iommu *iommu;
	u64 number;			/* never used again */
	struct xarray pages;		/* by IOVA >> PAGE_SHIFT; marked if dirty */
	bool tracking;
	struct mock_domain *parent;
	struct mock_window window;
	struct iommufd_viommu *viommu;	/* that it was allocated on, if it was */
	atomic64_t invalidations;
};

/* How many pieces of DMA a domain has served */
struct mock_tally {
	u64 number;
	u64 served;
};

/* What a command works on, as the registers were when it was given */
struct mock_transfer {
	u64 command;
	u64 iova;
	u64 length;
	u64 pasid;
	u64 pattern;
};

struct mock_engine {
	struct mutex lock;		/* the registers, the buffer and the trigger */
	struct mock_transfer registers;
	u64 status;
	u64 failed_iova;
	u64 select;
	u64 resets;
	u8 *buffer;
	struct eventfd_ctx *trigger;

	struct work_struct work;
	struct mock_transfer transfer;	/* of the command that is at work */
	bool stop;

	/* only the work changes these */
	u64 pieces;
	u64 served;
	u64 blocked;
	u64 unmapped;
	u64 page_requests;
	struct mock_tally tallies[MOCK_N_TALLIES];

	/* the page request that the engine waits for */
	spinlock_t answer_lock;
	wait_queue_head_t answer_wait;
	u32 request;
	bool answered;
	u32 answer;
};

/* What the firmware does DMA to by this device, on a machine whose tables say so */
enum mock_firmware_region {
	MOCK_FIRMWARE_NONE,
	MOCK_FIRMWARE_DIRECT,		/* at all times */
	MOCK_FIRMWARE_RELAXABLE,	/* until the host has a driver for it */
};

struct mock_device {
	struct device dev;
	unsigned int index;
	u64 features;
	unsigned int firmware_region;	/* enum mock_firmware_region */
	struct mock_iommu *iommu;
	struct mock_device *sibling;	/* whose group it has joined; with a reference */
	struct xarray domains;		/* by PASID; what is not there is blocked */
	bool has_iopf_queue;
	struct mock_engine engine;
};

static inline struct mock_device *to_mock(struct device *dev)
{
	return container_of(dev, struct mock_device, dev);
}

static inline struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, core);
}

/* bus.c */
extern const struct bus_type mock_bus;
int mock_bus_init(void);
void mock_bus_exit(void);

/* iommu.c */
int mock_iommus_init(struct device *parent);
void mock_iommus_exit(void);
struct mock_iommu *mock_iommu_get(unsigned int instance);

/*
 * Held for writing by whoever changes which domain a device has, until the core is through with
 * the old one; for reading by whoever reports something about the domain that a device has.
 */
extern struct rw_semaphore mock_attach_lock;

/* domain.c */
struct iommu_domain *mock_paging_alloc(struct device *dev, u32 flags,
				       const struct iommu_user_data *data);
struct iommu_domain *mock_nested_alloc(struct device *dev, struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *data);
struct mock_domain *mock_window_alloc(struct mock_iommu *iommu, struct mock_domain *parent,
				      u32 flags, const struct iommu_user_data *data);
int mock_invalidate(struct mock_domain *domain, struct iommu_user_data_array *array);
int mock_attach(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old);
int mock_attach_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		      struct iommu_domain *old);
u64 mock_domain_number(struct mock_device *mock, u32 pasid, u64 *invalidations);

/*
 * One piece of DMA, not crossing a page; @number is of the domain that has decided. Returns 0,
 * -EACCES (blocked), -EFAULT (not allowed), or -EAGAIN: ask for the page.
 */
int mock_dma(struct mock_device *mock, u32 pasid, u64 iova, void *data, size_t length, bool write,
	     u64 *number);

/* The exports of the core that are only for mocks, and so in no public header */
int iommu_device_register_bus(struct iommu_device *iommu, const struct iommu_ops *ops,
			      const struct bus_type *bus, struct notifier_block *nb);
void iommu_device_unregister_bus(struct iommu_device *iommu, const struct bus_type *bus,
				 struct notifier_block *nb);
int iommu_mock_device_add(struct device *dev, struct iommu_device *iommu);

/* fault.c */
int mock_request_page(struct mock_device *mock, u32 pasid, u64 iova, bool write);
void mock_page_response(struct device *dev, struct iopf_fault *event,
			struct iommu_page_response *response);
void mock_report_event(struct mock_device *mock, u32 pasid, u64 iova);

/* viommu.c */
size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type);
int mock_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent,
		     const struct iommu_user_data *data);

/* engine.c */
int mock_engine_init(struct mock_engine *engine);
void mock_engine_done(struct mock_engine *engine);
void mock_engine_stop(struct mock_engine *engine);
void mock_engine_reset(struct mock_engine *engine);
int mock_engine_read(struct mock_device *mock, u64 offset, u64 *value);
int mock_engine_write(struct mock_device *mock, u64 offset, u64 value);

/* vfio.c */
extern struct device_driver mock_vfio_driver;

#endif

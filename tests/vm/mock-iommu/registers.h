/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IOMMUD_MOCK_REGISTERS_H
#define IOMMUD_MOCK_REGISTERS_H

/*
 * What the module and its clients share: the registers of a mock device, and the data of the mock
 * IOMMU that passes through iommufd unread. Explained in ../README.md.
 */

#include <linux/types.h>

/* Regions of the VFIO device, and its one interrupt: the engine has come to the end of a command */
#define MOCK_REGION_REGISTERS		0
#define MOCK_REGION_BUFFER		1
#define MOCK_N_REGIONS			2
#define MOCK_IRQ_DONE			0
#define MOCK_N_IRQS			1

#define MOCK_REGISTERS_SIZE		0x1000
#define MOCK_BUFFER_SIZE		0x10000

/* Registers are of 8 bytes and are read and written as such */
#define MOCK_REG_ID			0x00
#define MOCK_REG_FEATURES		0x08
#define MOCK_REG_IOVA			0x10
#define MOCK_REG_LENGTH			0x18
#define MOCK_REG_PASID			0x20	/* 0: without */
#define MOCK_REG_PATTERN		0x28
#define MOCK_REG_COMMAND		0x30	/* starts the engine */
#define MOCK_REG_STATUS			0x38
#define MOCK_REG_FAILED_IOVA		0x40	/* where the last command that failed did */
#define MOCK_REG_DOMAIN			0x48	/* the number of that of PASID; 0: none */
#define MOCK_REG_INVALIDATIONS		0x50	/* of that domain, if it is a nested one */

/* Pieces of DMA, none of which crosses a page: all, and what became of them */
#define MOCK_REG_PIECES			0x58
#define MOCK_REG_SERVED			0x60
#define MOCK_REG_BLOCKED		0x68	/* there was no domain */
#define MOCK_REG_UNMAPPED		0x70	/* the domain did not allow it */
#define MOCK_REG_PAGE_REQUESTS		0x78	/* and how often one asked for its page */

/* Of the pieces served, those by the domain whose number is in SELECT */
#define MOCK_REG_SELECT			0x80
#define MOCK_REG_SELECTED		0x88

/* Not cleared by a reset */
#define MOCK_REG_RESETS			0x90

#define MOCK_ID				0x6b636f6d2d756d6dULL	/* "mmu-mock" */

#define MOCK_FEATURE_PASID		0x01ULL
#define MOCK_FEATURE_DIRTY		0x02ULL
#define MOCK_FEATURE_NEST		0x04ULL
#define MOCK_FEATURE_FAULT		0x08ULL
#define MOCK_FEATURE_RESET		0x10ULL
#define MOCK_FEATURES_ALL		0x1fULL

#define MOCK_COMMAND_READ		1	/* memory to buffer */
#define MOCK_COMMAND_WRITE		2	/* buffer to memory */
#define MOCK_COMMAND_FILL		3	/* PATTERN to memory */
#define MOCK_COMMAND_STREAM		4	/* 1, 2, 3 and so on to memory, round and round */
#define MOCK_COMMAND_STOP		5

#define MOCK_STATUS_DONE		0
#define MOCK_STATUS_BUSY		1
#define MOCK_STATUS_BLOCKED		2
#define MOCK_STATUS_UNMAPPED		3
#define MOCK_STATUS_STOPPED		4

/* The types of data that the mock IOMMU understands */
#define MOCK_HW_INFO_TYPE		0x1d4d0c01
#define MOCK_HWPT_DATA_WINDOW		0x1d4d0c02
#define MOCK_INVALIDATE_DATA		0x1d4d0c03
#define MOCK_VIOMMU_TYPE		0x1d4d0c04
#define MOCK_VEVENTQ_TYPE		0x1d4d0c05

/* What IOMMU_GET_HW_INFO says */
struct mock_hw_info {
	__u32 instance;
	__u32 reserved;
	__u64 features;
};

/* A nested domain: @first to @last are what the parent has at @base and after; there is no more */
struct mock_window {
	__u64 first;
	__u64 last;
	__u64 base;
};

/* A virtual IOMMU, which needs none: the answer is the question with all bits the other way */
struct mock_viommu_data {
	__u64 question;
	__u64 answer;
};

/* IOMMU_HWPT_INVALIDATE, which has nothing to do and counts */
struct mock_invalidate {
	__u64 first;
	__u64 last;
};

/* What comes out of a virtual event queue: DMA that a nested domain did not allow */
struct mock_event {
	__u64 virt_id;
	__u64 iova;
};

#endif

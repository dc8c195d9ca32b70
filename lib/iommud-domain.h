/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The part of iommud.h that is about address spaces and domains. It is included there, and not by itself;
 * what is said there holds here.
 */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In a lease of mode "attached" or "confined" iommud makes address spaces (IOAS) and domains. They are named
 * by handles, which are never used again in a lease; @lease is its number. Only its user, and root, may call
 * these functions. Each waits until it is done, up to 25 seconds.
 *
 * Refusals of all of them: IOMMUD_E_NO_SUCH_LEASE, IOMMUD_E_DENIED, IOMMUD_E_NOT_SUPPORTED (the mode is
 * "vmm", or the hardware can't do it), IOMMUD_E_DRAINING (the lease has ended), IOMMUD_E_REVOKED,
 * IOMMUD_E_NO_SUCH_OBJECT, IOMMUD_E_INVALID_OPTION, IOMMUD_E_QUOTA, IOMMUD_E_KERNEL_FAILED.
 */

/*
 * What a domain or an address space is to be. An empty set of options, which the caller frees, asks for
 * nothing special.
 */
int iommud_domain_options_new(iommud_domain_options **ret_options);
void iommud_domain_options_free(iommud_domain_options *options);

/* Of a domain: "paging", the default, "nest-parent" or "nested". */
int iommud_domain_options_set_kind(iommud_domain_options *options, const char *kind);
/* Of a domain: it can tell which pages devices have written to. */
int iommud_domain_options_set_dirty_tracking(iommud_domain_options *options, bool on);
/* Of a domain: it can be attached to PASIDs, and to a device that has PASIDs attached. */
int iommud_domain_options_set_pasid(iommud_domain_options *options, bool on);
/* Of a domain: page faults are read from a descriptor, and answered there. */
int iommud_domain_options_set_fault_queue(iommud_domain_options *options, bool on);
/* Of a nested domain: what the IOMMU driver wants, as in linux/iommufd.h. -E2BIG: more than 128 bytes. */
int iommud_domain_options_set_data(
                iommud_domain_options *options, uint32_t type, const void *data, size_t size);
/* Of an address space: false: pages are never combined to bigger ones. */
int iommud_domain_options_set_huge_pages(iommud_domain_options *options, bool on);
/*
 * Of an address space: addresses from @first to @last, which is included and beyond it, can always be
 * mapped, and nothing outside of such windows. -ENOSPC: there are 8 already.
 */
int iommud_domain_options_add_window(iommud_domain_options *options, uint64_t first, uint64_t last);

/*
 * Makes an address space. *ret_id, which may be NULL, is its number in the iommufd in mode "attached", else
 * 0. @options may be NULL.
 */
int iommud_alloc_ioas(
                iommud_client *client, uint64_t lease, const iommud_domain_options *options,
                uint64_t *ret_ioas, uint32_t *ret_id);

/*
 * Makes a domain, for @device and others behind the same IOMMU, of the address space @parent; a nested one
 * on the domain or the virtual IOMMU @parent. *ret_fault_queue is for the caller to close; -EBADF when none
 * was asked for, and only then may @ret_fault_queue be NULL. @options and @ret_id as above.
 */
int iommud_alloc_domain(
                iommud_client *client, uint64_t lease, const char *device, uint64_t parent,
                const iommud_domain_options *options, uint64_t *ret_domain, uint32_t *ret_id,
                int *ret_fault_queue);

/* Instead of a certain PASID: one that is free. */
#define IOMMUD_PASID_ANY UINT32_MAX

/*
 * Attaches @device, with all others of its group, to the domain @target (a device that has no IOMMU of its
 * own to an address space). What is attached already is moved there. With @pasid that is not NULL it is this
 * PASID of it alone; *pasid is the one that was used.
 * Also refused with IOMMUD_E_IN_USE: another device of the group uses the PASID.
 */
int iommud_attach(
                iommud_client *client, uint64_t lease, const char *device, uint64_t target,
                uint32_t *pasid);

/* The opposite: DMA is blocked. No failure when nothing was attached. */
int iommud_detach(iommud_client *client, uint64_t lease, const char *device, const uint32_t *pasid);

/*
 * Makes a virtual IOMMU for @device and others behind the same IOMMU, on the domain @parent, which is of
 * kind "nest-parent". @type and the @size bytes of @data are what the IOMMU driver wants, as in
 * linux/iommufd.h; afterwards @data is what the driver has answered. @data may be NULL when @size is 0;
 * -E2BIG: more than 128 bytes. @ret_id as above. IOMMUD_E_NOT_SUPPORTED: the driver has no such thing.
 */
int iommud_alloc_viommu(
                iommud_client *client, uint64_t lease, const char *device, uint64_t parent, uint32_t type,
                void *data, size_t size, uint64_t *ret_viommu, uint32_t *ret_id);

/*
 * Puts @device on a virtual IOMMU, by the number that it has there: of a virtual stream, or a virtual
 * requester. IOMMUD_E_IN_USE: the device is on one already, or the number is taken.
 */
int iommud_alloc_vdevice(
                iommud_client *client, uint64_t lease, const char *device, uint64_t viommu, uint64_t number,
                uint64_t *ret_vdevice, uint32_t *ret_id);

/*
 * Makes a queue of events of a virtual IOMMU, of @type as in linux/iommufd.h, that holds @depth of them (0:
 * 64). They are read from *ret_fd, which the caller closes before the queue can be destroyed. In mode
 * "attached" only. IOMMUD_E_IN_USE: there is one of this type.
 */
int iommud_alloc_veventq(
                iommud_client *client, uint64_t lease, uint64_t viommu, uint32_t type, uint32_t depth,
                uint64_t *ret_queue, uint32_t *ret_id, int *ret_fd);

/*
 * Destroys a domain, an address space, or a virtual IOMMU, a device or a queue of one. IOMMUD_E_IN_USE:
 * something is attached, or made of it, or its descriptor is open.
 */
int iommud_destroy(iommud_client *client, uint64_t lease, uint64_t handle);

/* What devices may do with what is mapped; and that it is to be at *iova, not where there is room. */
enum iommud_map_flags {
        IOMMUD_MAP_READ = 1 << 0,
        IOMMUD_MAP_WRITE = 1 << 1,
        IOMMUD_MAP_FIXED = 1 << 2,
};

/*
 * Maps @length bytes of @memory from @offset on, in mode "confined". @memory is a memfd that is sealed with
 * F_SEAL_SHRINK, and can be closed afterwards. *iova is where it is.
 * Also refused with IOMMUD_E_IN_USE: something is mapped there.
 */
int iommud_map_file(
                iommud_client *client, uint64_t lease, uint64_t ioas, int memory, uint64_t offset,
                uint64_t length, unsigned flags, uint64_t *iova);

/*
 * Unmaps everything in a range, which must not cut what was mapped at once; 0 and UINT64_MAX are all of it.
 * When it returns, no device reaches the memory. *ret_unmapped, in bytes, may be NULL.
 */
int iommud_unmap(
                iommud_client *client, uint64_t lease, uint64_t ioas, uint64_t iova, uint64_t length,
                uint64_t *ret_unmapped);

typedef struct iommud_iova_range {
        uint64_t first, last;           /* the last one is in it */
} iommud_iova_range;

/*
 * What can be mapped now: *ret_n ranges, for the caller to free() as one, and what addresses, offsets and
 * lengths are multiples of, which may be NULL.
 */
int iommud_get_iova_ranges(
                iommud_client *client, uint64_t lease, uint64_t ioas, iommud_iova_range **ret_ranges,
                size_t *ret_n, uint64_t *ret_alignment);

/* Of a domain made with dirty tracking. Switching it on forgets what was dirty before. */
int iommud_set_dirty_tracking(iommud_client *client, uint64_t lease, uint64_t domain, bool on);

/*
 * Which pages of a mapped range were written to: *ret_bitmap is a memfd, for the caller to close, with one
 * bit for each @page_size bytes, the lowest of the first byte first. @clear: they are clean afterwards.
 */
int iommud_get_dirty_bitmap(
                iommud_client *client, uint64_t lease, uint64_t domain, uint64_t iova, uint64_t length,
                uint64_t page_size, bool clear, int *ret_bitmap);

/*
 * Takes back, for good, all memory of a lease of mode "confined": unmaps, detaches and destroys everything,
 * and resets the devices. The lease itself goes on. *ret_not_reset, which may be NULL, are the devices that
 * can't be reset, or whose reset failed, for iommud_strings_free(): they reach no memory either, but go on
 * with what they do.
 */
int iommud_revoke(iommud_client *client, uint64_t lease, char ***ret_not_reset);

/*
 * What iommud has made in a lease, and what is attached to what. In mode "attached" the client has the
 * iommufd: what it has mapped there, or made or attached by itself, is not known here.
 */
typedef struct iommud_dma_state iommud_dma_state;
typedef struct iommud_ioas iommud_ioas;
typedef struct iommud_domain iommud_domain;
typedef struct iommud_attachment iommud_attachment;
typedef struct iommud_virtual iommud_virtual;

/* As it is when it is asked for. The caller frees it, and everything that was got out of it. */
int iommud_get_dma_state(iommud_client *client, uint64_t lease, iommud_dma_state **ret_state);
void iommud_dma_state_free(iommud_dma_state *state);

/*
 * The one at @index: address spaces, domains, and virtual IOMMUs with what they have, by their handles;
 * devices with the companions last. NULL after the last one.
 */
const iommud_ioas *iommud_dma_state_ioas(const iommud_dma_state *state, size_t index);
const iommud_domain *iommud_dma_state_domain(const iommud_dma_state *state, size_t index);
const iommud_attachment *iommud_dma_state_attachment(const iommud_dma_state *state, size_t index);
const iommud_virtual *iommud_dma_state_virtual(const iommud_dma_state *state, size_t index);

/*
 * Of an address space:
 *      handle      as in all other functions
 *      pinned      bytes that are mapped, in mode "confined"
 *      huge_pages  pages may be combined to bigger ones
 *      mapping     address and length in bytes of what is mapped at @index, in mode "confined"
 *      window      first and last address of a range that can be mapped; there is none: all can be
 * The last two return -ENOENT after the last one.
 */
uint64_t iommud_ioas_handle(const iommud_ioas *ioas);
uint64_t iommud_ioas_pinned(const iommud_ioas *ioas);
bool iommud_ioas_huge_pages(const iommud_ioas *ioas);
int iommud_ioas_mapping(
                const iommud_ioas *ioas, size_t index, uint64_t *ret_iova, uint64_t *ret_length);
int iommud_ioas_window(
                const iommud_ioas *ioas, size_t index, uint64_t *ret_first, uint64_t *ret_last);

/*
 * Of a domain:
 *      handle          as in all other functions
 *      kind            "paging", "nest-parent" or "nested"
 *      ioas            that is at the bottom of it
 *      parent          of a nested one, the domain or virtual IOMMU that it is nested on; else 0
 *      iommu           the instance whose devices can be attached: "dmar0", "ivhd0", ...
 *      dirty_tracking  it can tell which pages were written to; tracking: that is switched on
 *      pasid           it can be attached to PASIDs
 *      fault_queue     it has one
 */
uint64_t iommud_domain_handle(const iommud_domain *domain);
const char *iommud_domain_kind(const iommud_domain *domain);
uint64_t iommud_domain_ioas(const iommud_domain *domain);
uint64_t iommud_domain_parent(const iommud_domain *domain);
const char *iommud_domain_iommu(const iommud_domain *domain);
bool iommud_domain_dirty_tracking(const iommud_domain *domain);
bool iommud_domain_tracking(const iommud_domain *domain);
bool iommud_domain_pasid(const iommud_domain *domain);
bool iommud_domain_fault_queue(const iommud_domain *domain);

/*
 * Of a virtual IOMMU, a device or a queue of one:
 *      handle  as in all other functions
 *      kind    "viommu", "vdevice" or "veventq"
 *      parent  the domain of a virtual IOMMU; the virtual IOMMU of the others
 *      iommu   the instance behind it
 *      device  that it was made for; "" for a queue
 *      type    of a virtual IOMMU or a queue, as in linux/iommufd.h
 *      number  of a device, on its virtual IOMMU
 */
uint64_t iommud_virtual_handle(const iommud_virtual *object);
const char *iommud_virtual_kind(const iommud_virtual *object);
uint64_t iommud_virtual_parent(const iommud_virtual *object);
const char *iommud_virtual_iommu(const iommud_virtual *object);
const char *iommud_virtual_device(const iommud_virtual *object);
uint32_t iommud_virtual_type(const iommud_virtual *object);
uint64_t iommud_virtual_number(const iommud_virtual *object);

/*
 * Of a device of the lease:
 *      device  its name
 *      target  the domain, or the address space, that it is attached to; 0: nothing, its DMA is blocked
 *      id      its number in the iommufd, by which page faults name it
 *      pasid   the PASID at @index that is attached, and its domain; -ENOENT after the last one
 */
const char *iommud_attachment_device(const iommud_attachment *attachment);
uint32_t iommud_attachment_id(const iommud_attachment *attachment);
uint64_t iommud_attachment_target(const iommud_attachment *attachment);
int iommud_attachment_pasid(
                const iommud_attachment *attachment, size_t index, uint32_t *ret_pasid,
                uint64_t *ret_domain);

#ifdef __cplusplus
}
#endif

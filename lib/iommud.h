/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libiommud: ask iommud for devices, get their file descriptors.
 *
 *         iommud_client *client;
 *         iommud_request *request;
 *         iommud_lease *lease;
 *         int r;
 *
 *         r = iommud_connect(NULL, &client);
 *         ...
 *         r = iommud_request_new(&request);
 *         r = iommud_request_add_device(request, "0000:01:00.0");
 *         ...
 *         r = iommud_acquire(client, request, &lease);
 *         if (r < 0)
 *                 fprintf(stderr, "cannot ask iommud: %s\n", iommud_error_text(client));
 *         else if (r > 0)
 *                 fprintf(stderr, "%s: %s\n", iommud_error_name(r), iommud_error_text(client));
 *         else
 *                 start_vm(iommud_lease_fd(lease, "iommufd"), iommud_lease_device_fd(lease, 0));
 *
 * Results. A function that can fail returns an int:
 *      0     done;
 *      < 0   a negative errno: something broke on the way, iommud has not answered, or not in its language;
 *      > 0   only from functions that ask iommud: its refusal, one of enum iommud_error_code.
 * Results are stored through parameters named ret_, on success only. They may not be NULL.
 *
 * What functions that ask iommud return below 0, beside what is said at each of them:
 *      -EINVAL        an argument is NULL, or is not a thing of its kind
 *      -ENOMEM        no memory
 *      -EHOSTUNREACH  iommud is not running, and could not be started
 *      -EACCES        the message bus does not let this process talk to iommud
 *      -ECONNRESET, -ENOTCONN, -EPIPE  the connection to the bus is lost: connect again
 *      -ETIMEDOUT     no answer in time, or iommud ended before it could answer: ask again, which starts it
 *                     if need be. A lease whose answer was lost has nobody that holds it, and ends
 *      -EBADMSG       the answer does not follow iommud's interface
 * Other errnos may come from the transport. iommud_error_text() has the words for each of them.
 *
 * Strings. A function that returns a const string returns one that its object owns, and "" rather than NULL
 * when there is none; lists of strings end with NULL. Names of devices are checked to be printable ASCII
 * without space or slash; in all other text control characters have been replaced by "?", so that it can be
 * shown on a terminal. All of them live as long as the object that they were taken from. A NULL object has
 * "", 0, false or an empty list.
 *
 * Every _free() function accepts NULL and returns nothing.
 *
 * Threads: objects may be used by any thread, but each by one thread at a time. There is no global state,
 * nothing is logged, and no signal is blocked, handled or raised. All file descriptors are close-on-exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why iommud refused. What is wrong in this very case and what to do is in iommud_error_text(). */
enum iommud_error_code {
        IOMMUD_E_OTHER = 1,              /* for a reason that this version of the library does not know */
        IOMMUD_E_INVALID_SELECTOR = 2,   /* not a way to name devices */
        IOMMUD_E_INVALID_OPTION = 3,     /* an option or its value is not known */
        IOMMUD_E_INVALID_POLICY = 4,     /* the policy files cannot be read; the policy in force stays */
        IOMMUD_E_NO_SUCH_DEVICE = 5,     /* nothing that this selector names is in an IOMMU group */
        IOMMUD_E_NO_SUCH_LEASE = 6,      /* there is no such lease, or not any more */
        IOMMUD_E_DENIED = 7,             /* the policy does not allow it to this user */
        IOMMUD_E_HOST_IN_USE = 8,        /* the host itself uses it: a mounted disk, a network */
        IOMMUD_E_NOT_VIABLE = 9,         /* a device of the group cannot be taken from its driver */
        IOMMUD_E_TAKEN = 10,             /* somebody else has the group */
        IOMMUD_E_DRAINING = 11,          /* its last lease has ended, it is not back yet */
        IOMMUD_E_QUOTA = 12,             /* the user has as much as one user may have */
        IOMMUD_E_NOT_SUPPORTED = 13,     /* this kernel or this iommud cannot do it */
        IOMMUD_E_KERNEL_FAILED = 14,     /* the kernel refused or failed; everything was put back */
        IOMMUD_E_STUCK = 15,             /* only from iommud_wait(): a device could not be given back */
        IOMMUD_E_QUARANTINED = 16,       /* it was not reset after its last tenant */
        IOMMUD_E_AUTHORIZATION_REQUIRED = 17, /* denied, unless a user authenticates (polkit) */
        IOMMUD_E_NO_SUCH_OBJECT = 18,    /* the lease has no such IOAS, domain or mapping, or not any more */
        IOMMUD_E_IN_USE = 19,            /* something of the lease needs it, or is there already */
        IOMMUD_E_REVOKED = 20,           /* the memory of the lease was taken back for good */
};

/* The name of a code as on the bus, without its prefix: "Denied". "" for what is none of them. */
const char *iommud_error_name(int code);

/* ---- The connection ----------------------------------------------------------------------------------- */

typedef struct iommud_client iommud_client;

/*
 * Connects to the message bus that iommud is on. iommud itself is started, if need be, by the first call.
 * @address: of the bus in the syntax of D-Bus; NULL for the system bus.
 * Returns 0 or a negative errno: -ENOENT or -ECONNREFUSED when there is no bus. The connection is private to
 * the handle, which the caller owns and frees; leases do not depend on it.
 */
int iommud_connect(const char *address, iommud_client **ret_client);
void iommud_client_free(iommud_client *client);

/*
 * Whether iommud may have the user asked for a password (polkit) before it answers; not, when never set, and
 * IOMMUD_E_AUTHORIZATION_REQUIRED is the answer then. Who is there to type takes longer than a call that
 * only iommud answers: see iommud_request_set_timeout().
 */
int iommud_set_interactive(iommud_client *client, bool interactive);

/* What was wrong in the last call with this client, as a sentence; valid until the next call. */
const char *iommud_error_text(const iommud_client *client);

/* The version of the daemon. The caller frees the string. */
int iommud_get_version(iommud_client *client, char **ret_version);

/*
 * What this iommud on this kernel can do: "iommufd", "mode:vmm" and so on for each mode, "holder".
 * The caller frees the list with iommud_strings_free().
 */
int iommud_get_features(iommud_client *client, char ***ret_features);
void iommud_strings_free(char **strings);

/* Has iommud read its policy again. Only root may (IOMMUD_E_DENIED). */
int iommud_reload(iommud_client *client);

/*
 * What is in quarantine, also what is unplugged: the names of the devices and, in the same order, why they
 * are, in two lists which the caller frees with iommud_strings_free(). The name "all" stands for every
 * device that root has not cleared since iommud has lost its record of them.
 */
int iommud_list_quarantine(iommud_client *client, char ***ret_devices, char ***ret_reasons);

/*
 * Takes the devices that @selector names, see iommud_find(), out of quarantine; "all": whatever is in it.
 * Only root may (IOMMUD_E_DENIED). IOMMUD_E_NO_SUCH_DEVICE: none of them is in quarantine.
 */
int iommud_clear_quarantine(iommud_client *client, const char *selector);

/*
 * What iommud tells whoever has acquired a lease with this client, and nobody else, as long as the client is
 * there. A client that goes away misses it, and its lease goes on. An iommud that was started anew asks a
 * second time for what it has asked for.
 *
 * For programs with an event loop: give it the descriptor of iommud_get_fd(), to be polled for what
 * iommud_get_events() says now, until the time of iommud_get_timeout(), and have it call iommud_dispatch()
 * at each of these; all three are to be asked anew every time before the loop sleeps. Other calls with this
 * client work as ever; what comes meanwhile is kept for iommud_dispatch(), and the timeout is 0 then.
 */
enum iommud_event_kind {
        IOMMUD_EVENT_RELEASE_REQUESTED = 1, /* close the devices and end the lease, please; also when one is
                                             * being unplugged, for which the kernel waits */
        IOMMUD_EVENT_DEVICE_GONE = 2,       /* a device was unplugged; after the last one the lease ends */
        IOMMUD_EVENT_GROUP_GREW = 3,        /* a device that is not ours has appeared in one of our groups */
};

typedef struct iommud_event iommud_event;

/* @event and its strings are there until the function returns, which must not free the client. */
typedef void (*iommud_event_func)(const iommud_event *event, void *userdata);

/*
 * Has @func called from iommud_dispatch(), and from iommud_wait(), for each event from now on; NULL: no
 * more. To be called before iommud_acquire(), or what comes right after that is missed.
 */
int iommud_set_event_func(iommud_client *client, iommud_event_func func, void *userdata);

/*
 * What is known of an event:
 *      kind      what has happened; kinds that this version of the library does not know are not told
 *      lease     the number of the lease
 *      device    the name of the device, for DEVICE_GONE and GROUP_GREW
 *      reason    why, for RELEASE_REQUESTED, in words for people
 *      deadline  by when, for RELEASE_REQUESTED: CLOCK_MONOTONIC in microseconds, 0 for no deadline. Nothing
 *                is taken away then by itself, unless it is the policy's end of the lease
 */
enum iommud_event_kind iommud_event_kind(const iommud_event *event);
uint64_t iommud_event_lease(const iommud_event *event);
const char *iommud_event_device(const iommud_event *event);
const char *iommud_event_reason(const iommud_event *event);
uint64_t iommud_event_deadline(const iommud_event *event);

/* @userdata as it was given. It must not free the client. */
typedef void (*iommud_watch_func)(uint64_t lease, void *userdata);

/*
 * Has @func called from iommud_dispatch(), and from iommud_wait(), whenever there may be news of lease @id,
 * whoever has acquired it: of its state, of why it is in that, of its end; also when iommud itself goes or
 * comes back. What they are is to be asked for afterwards: iommud_list_leases(). One lease at a time; with a
 * @func of NULL none.
 */
int iommud_watch_lease(iommud_client *client, uint64_t id, iommud_watch_func func, void *userdata);

/*
 * The descriptor to be polled, which stays the client's; the poll(2) events to be polled for; and when
 * iommud_dispatch() is to be called at the latest: CLOCK_MONOTONIC in microseconds, 0 at once, UINT64_MAX
 * never. Each is a negative errno when the connection is lost.
 */
int iommud_get_fd(iommud_client *client);
int iommud_get_events(iommud_client *client);
int iommud_get_timeout(iommud_client *client, uint64_t *ret_usec);

/* Handles all that has come, without waiting. A negative errno: the connection is lost. */
int iommud_dispatch(iommud_client *client);

/* ---- Devices ------------------------------------------------------------------------------------------ */

typedef struct iommud_device iommud_device;

/* All devices in IOMMU groups, ordered by name, in a list that ends with NULL. The caller frees it. */
int iommud_list_devices(iommud_client *client, iommud_device ***ret_devices);
void iommud_devices_free(iommud_device **devices);

/*
 * The names of the devices that @selector names: a PCI address, VENDOR:DEVICE, group:N, pf=ADDRESS,vf=N,
 * serial=TEXT, tag:TAG, or a name that the administrator or the kernel gave it. The caller frees the list
 * with iommud_strings_free().
 */
int iommud_find(iommud_client *client, const char *selector, char ***ret_names);

/*
 * What is known of a device:
 *      name               for PCI its address
 *      stable_name, tags  that the administrator has given it; "" when it has no name
 *      subsystem          "pci", "platform", ...
 *      vendor, device_id, subsystem_vendor, subsystem_device
 *                         the PCI ids; 0 for what is not PCI
 *      class              the 24-bit PCI class code: base class, subclass, programming interface
 *      serial             the serial number
 *      driver             that the device is bound to now
 *      driver_override    the only driver that may be bound to it
 *      original_driver    that it is given back to when its lease ends
 *      cdev               its node below /dev/vfio/devices, while it has one
 *      iommu              that translates for it: "dmar0", "ivhd0", ...
 *      physical_function  the PCI address of the physical function that this virtual function belongs to
 *      reset_methods      what the kernel can reset it with, the preferred first: "flr", "pm", "bus", ...
 *      quarantine         why it is not handed to everybody: it was not reset after its last tenant
 *      numa_node          -1 when there is none, and for a NULL device
 *      group, lease       their numbers; lease is 0 when the device is in none
 */
const char *iommud_device_name(const iommud_device *device);
const char *iommud_device_stable_name(const iommud_device *device);
const char *const *iommud_device_tags(const iommud_device *device);
const char *iommud_device_subsystem(const iommud_device *device);
uint16_t iommud_device_vendor(const iommud_device *device);
uint16_t iommud_device_device_id(const iommud_device *device);
uint16_t iommud_device_subsystem_vendor(const iommud_device *device);
uint16_t iommud_device_subsystem_device(const iommud_device *device);
uint32_t iommud_device_class(const iommud_device *device);
const char *iommud_device_serial(const iommud_device *device);
const char *iommud_device_driver(const iommud_device *device);
const char *iommud_device_driver_override(const iommud_device *device);
const char *iommud_device_original_driver(const iommud_device *device);
const char *iommud_device_cdev(const iommud_device *device);
const char *iommud_device_iommu(const iommud_device *device);
const char *iommud_device_physical_function(const iommud_device *device);
const char *iommud_device_quarantine(const iommud_device *device);
const char *const *iommud_device_reset_methods(const iommud_device *device);
int32_t iommud_device_numa_node(const iommud_device *device);
uint32_t iommud_device_group(const iommud_device *device);
uint64_t iommud_device_lease(const iommud_device *device);

/*
 * What the IOMMU and its driver can do for a device, as far as it is known: the kernel tells it of a device
 * that somebody has bound, and iommud remembers what it said when that was iommud. Never NULL for a device;
 * it is the device's, and lives as long.
 */
typedef struct iommud_hw_info iommud_hw_info;
const iommud_hw_info *iommud_device_hw_info(const iommud_device *device);

/*
 * The same of a device of a lease in mode "attached" or "confined", for its user and root, and with all that
 * the kernel has said. The caller frees it. Refusals: as for the functions of iommud-domain.h, and
 * IOMMUD_E_NO_SUCH_DEVICE: the lease has no such device.
 */
int iommud_get_hw_info(
                iommud_client *client, uint64_t lease, const char *device, iommud_hw_info **ret_info);
void iommud_hw_info_free(iommud_hw_info *info);

/*
 * What is known, "" or 0 for what is not:
 *      iommu      the instance; "" when it was taken from a device
 *      driver     "intel-vtd", "arm-smmuv3", "tegra241-cmdqv", "amd"
 *      page_size  of the smallest page, in bytes
 *      page_sizes the sum of the sizes of all pages that a domain of kind "paging" is known to have: bit 21
 *                 is that of 2 MiB. What is mapped in such pieces, in both memory and addresses, is mapped
 *                 quicker and takes less of the IOMMU
 */
const char *iommud_hw_info_iommu(const iommud_hw_info *info);
const char *iommud_hw_info_driver(const iommud_hw_info *info);
uint64_t iommud_hw_info_page_size(const iommud_hw_info *info);
uint64_t iommud_hw_info_page_sizes(const iommud_hw_info *info);

/*
 * Whether it has a feature: "dirty_tracking", "nesting", "page_faults", "viommu" (virtual IOMMUs),
 * "pasid_execute", "pasid_privileged" (what DMA with a PASID may ask for), "hitless" (a domain may be
 * replaced without a moment in which DMA is blocked), or "emulated" (there is no IOMMU: the kernel maps for
 * it).
 * Returns 0, or -ENODATA when that is not known: that is not the same as false.
 */
int iommud_hw_info_has(const iommud_hw_info *info, const char *feature, bool *ret);

/* How many PASIDs can be used, from 1 on; 0 for none. Returns 0, or -ENODATA when it is not known. */
int iommud_hw_info_pasids(const iommud_hw_info *info, uint32_t *ret_n);

/* First and last address that a domain translates. Returns 0, or -ENODATA when it is not known. */
int iommud_hw_info_aperture(const iommud_hw_info *info, uint64_t *ret_first, uint64_t *ret_last);

/*
 * What is the IOMMU driver's own: the type of the data and the data, as in linux/iommufd.h. NULL when there
 * is none; @ret_type and @ret_size may be NULL.
 */
const void *iommud_hw_info_data(const iommud_hw_info *info, uint32_t *ret_type, size_t *ret_size);

/* ---- IOMMU groups ------------------------------------------------------------------------------------- */

typedef struct iommud_group iommud_group;

#define IOMMUD_CLAIM_PERSISTENT (1U << 0)
#define IOMMUD_CLAIM_ACCEPT (1U << 1)

/* All groups, ordered by number, in a list that ends with NULL. The caller frees it. */
int iommud_list_groups(iommud_client *client, iommud_group ***ret_groups);
void iommud_groups_free(iommud_group **groups);

/*
 * What is known of a group:
 *      id         the kernel's number; not stable over a reboot
 *      type       of its default domain: "DMA", "DMA-FQ", "identity", ...
 *      dma_owner  "kernel" (a driver that does DMA through the kernel is bound), "none", "parked" (iommud
 *                 itself has it), "leased", "foreign" (a program that iommud does not know had it when it
 *                 last looked)
 *      viable     no device of the group is bound to a driver that owns DMA for the kernel
 *      devices    the names of all its devices, bridges too
 *      lease      the number of the lease that it is in, 0 for none
 *      claim_state       "none", "parking", "parked", "lending", "lent", "releasing", "failed"
 *      claim_persistent  it is claimed again when the host starts
 *      claim_reason      what is wrong with the claim, "" for nothing
 */
uint32_t iommud_group_id(const iommud_group *group);
const char *iommud_group_type(const iommud_group *group);
const char *iommud_group_dma_owner(const iommud_group *group);
bool iommud_group_viable(const iommud_group *group);
const char *const *iommud_group_devices(const iommud_group *group);
uint64_t iommud_group_lease(const iommud_group *group);
const char *iommud_group_claim_state(const iommud_group *group);
bool iommud_group_claim_persistent(const iommud_group *group);
const char *iommud_group_claim_reason(const iommud_group *group);

/* The device that makes the group not viable, and its driver. Returns -ENOENT after the last one. */
int iommud_group_blocker(
                const iommud_group *group, size_t index, const char **ret_device, const char **ret_driver);

/*
 * First and last I/O virtual address of a region that cannot be mapped, and its kind: "direct",
 * "direct-relaxable", "reserved", "msi". One that is "direct-relaxable" can be mapped by a client: it is for
 * the firmware only as long as the host has the device. Returns -ENOENT after the last one.
 */
int iommud_group_reserved_region(
                const iommud_group *group, size_t index,
                uint64_t *ret_first, uint64_t *ret_last, const char **ret_kind);

/*
 * Claims the group, so that iommud itself has it until it is handed to a client, or tries again what failed
 * before. Waits until it is parked. @flags:
 *      IOMMUD_CLAIM_PERSISTENT  it is claimed again when the host starts; without it, that stays as it is
 *      IOMMUD_CLAIM_ACCEPT      the devices that it has now are approved, whatever it had when it was last
 *                               claimed; without it, IOMMUD_E_NOT_VIABLE names those that are new
 * Only root may (IOMMUD_E_DENIED).
 */
int iommud_group_claim(iommud_client *client, uint32_t group, unsigned flags);

/*
 * Ends the claim, for the next start of the host too, and waits until the devices are back with their
 * drivers. Only root may. IOMMUD_E_NO_SUCH_DEVICE: it is not claimed; IOMMUD_E_TAKEN: a client has it.
 */
int iommud_group_release(iommud_client *client, uint32_t group);

/* ---- Requests: what is to be planned or acquired ------------------------------------------------------ */

typedef struct iommud_request iommud_request;
typedef struct iommud_domain_options iommud_domain_options;

/* An empty request, which the caller frees. It may be used for any number of calls. */
int iommud_request_new(iommud_request **ret_request);
void iommud_request_free(iommud_request *request);

/* Adds the device or devices that @selector names, see iommud_find(). */
int iommud_request_add_device(iommud_request *request, const char *selector);

/*
 * What is handed over:
 *      "vmm"       the default: device fds that were never bound, and a fresh iommufd
 *      "attached"  device fds that are bound to the iommufd and attached to a domain, and the iommufd
 *      "confined"  the same without the iommufd: memory is mapped with iommud_map_file(), and can be taken
 *                  back
 */
int iommud_request_set_mode(iommud_request *request, const char *mode);

/*
 * What the first domain of the modes "attached" and "confined" and its address space are to be; see
 * iommud-domain.h. The request keeps a copy. NULL: a plain one.
 */
int iommud_request_set_domain(iommud_request *request, const iommud_domain_options *options);

/* Whom the kernel charges for memory that the client pins: "process", the default, or "user". */
int iommud_request_set_accounting(iommud_request *request, const char *accounting);

/*
 * The lease ends when the process of @pidfd does, and there is no lifeline. For managers that start the
 * client but cannot hand a file descriptor to it. The request keeps a copy of @pidfd.
 * Returns -EBADF when @pidfd is not open.
 */
int iommud_request_set_holder(iommud_request *request, int pidfd);

/*
 * How long iommud_acquire() waits, in microseconds; 5 minutes, when never set: taking a device from its
 * driver may take many seconds, and a user may be asked for a password. A lease that comes too late ends at
 * once.
 */
int iommud_request_set_timeout(iommud_request *request, uint64_t usec);

/*
 * The memory in bytes that the client will map for the devices, such as that of a guest; 0: not said. A plan
 * has a fact then that says whether the client may pin so much. Where the policy lets it (memlock),
 * iommud_acquire() raises the limit of locked memory (RLIMIT_MEMLOCK) of the holder's process, if there is
 * one, else of the caller's, to what that takes. It stays raised, and what is executed inherits it.
 */
int iommud_request_set_ram(iommud_request *request, uint64_t bytes);

/*
 * For a plan only:
 *      explain  the plan has a step "fact" for each thing that speaks for or against it, and what blocks a
 *               device that the policy denies is told as far as everybody may know it
 *      as       the plan is made as if this user had asked, who is in @n_gids groups; only root may
 *               (IOMMUD_E_DENIED)
 */
int iommud_request_set_explain(iommud_request *request, bool explain);
int iommud_request_set_as(iommud_request *request, uid_t uid, const gid_t *gids, size_t n_gids);

/* ---- Plans: the dry run ------------------------------------------------------------------------------- */

typedef struct iommud_plan iommud_plan;
typedef struct iommud_step iommud_step;

/* What iommud_acquire() would do now, and everything that stands in its way. Changes nothing. */
int iommud_plan_new(iommud_client *client, const iommud_request *request, iommud_plan **ret_plan);
void iommud_plan_free(iommud_plan *plan);

/* Whether it would be let through now; and the steps in order, a list of the plan that ends with NULL. */
bool iommud_plan_possible(const iommud_plan *plan);
const iommud_step *const *iommud_plan_steps(const iommud_plan *plan);

/*
 * What is known of a step:
 *      action  "rebind" (give it to another driver), "open", "keep" (it stays as it is), "blocked", "fact"
 *      device  what it is done to
 *      driver  that the device has now
 *      target  for "rebind": the driver that it would be given
 *      reason  for "blocked": the refusal, as iommud_error_name() has it
 *      text    for "blocked": what is wrong and what to do about it; for "fact": what is so
 *      topic   for "fact": what it is about: "policy", "lease", "host", "driver", "isolation", "interrupts",
 *              "reserved", "reset", "kernel", "memory", "quota"
 *      grade   for "fact": "good", "note", "bad", "unknown"
 */
const char *iommud_step_action(const iommud_step *step);
const char *iommud_step_device(const iommud_step *step);
const char *iommud_step_driver(const iommud_step *step);
const char *iommud_step_target(const iommud_step *step);
const char *iommud_step_reason(const iommud_step *step);
const char *iommud_step_text(const iommud_step *step);
const char *iommud_step_topic(const iommud_step *step);
const char *iommud_step_grade(const iommud_step *step);

/*
 * What a step says to programs besides, by the keys that the documentation of Plan on the bus has: of a
 * fact, and with the reason HostInUse. The value at @index as text ("true" and "false" of what is one of
 * them); and the number of a key, 0 or 1 of what is true or false. Return -ENOENT when there is none.
 */
int iommud_step_value(
                const iommud_step *step, size_t index, const char **ret_key, const char **ret_text);
int iommud_step_number(const iommud_step *step, const char *key, uint64_t *ret_number);

/* ---- The policy --------------------------------------------------------------------------------------- */

typedef struct iommud_who iommud_who;
typedef struct iommud_policy_step iommud_policy_step;

/* Who is asked about: nobody in particular, which is the caller. */
int iommud_who_new(iommud_who **ret_who);
void iommud_who_free(iommud_who *who);

/* A user and all of his groups; they are copied. Only root may ask about others. */
int iommud_who_set_user(iommud_who *who, uid_t uid, const gid_t *gids, size_t n_gids);

/*
 * More of whom is asked about: "unit", "slice", "cgroup", "label" (in full, with AppArmor's mode: "vmm
 * (enforce)"), "userns" ("own" or "other"); and "mode", of what is asked for. What is not set is not known,
 * as it may be of a real caller; but with one of unit, slice and cgroup the others are "". Returns -EINVAL
 * for another key.
 */
int iommud_who_set(iommud_who *who, const char *key, const char *value);

/*
 * How the policy comes to its answer for the devices that @selector names, as if they were asked for
 * together. *ret_steps is a list that ends with NULL, of the caller: for each device the rules in the order
 * in which they are tried, and what decides as the last.
 */
int iommud_explain_policy(iommud_client *client, const char *selector, const iommud_who *who,
                          iommud_policy_step ***ret_steps);
void iommud_policy_steps_free(iommud_policy_step **steps);

/*
 * What is known of a step:
 *      device   what is asked for
 *      rule     where the rule stands; "" in the last step when no rule decides
 *      verdict  "deny", "ask", "allow": the rule's own; in the last step that of the policy
 *      match    whether the rule is about this: "no", "unknown", "yes"
 *      key      the key of the rule that this hung on; "" for "yes"
 *      decides  it is the last step of its device
 *      text     a sentence without its subject, which is the rule
 */
const char *iommud_policy_step_device(const iommud_policy_step *step);
const char *iommud_policy_step_rule(const iommud_policy_step *step);
const char *iommud_policy_step_verdict(const iommud_policy_step *step);
const char *iommud_policy_step_match(const iommud_policy_step *step);
const char *iommud_policy_step_key(const iommud_policy_step *step);
bool iommud_policy_step_decides(const iommud_policy_step *step);
const char *iommud_policy_step_text(const iommud_policy_step *step);

/* ---- Leases that this process holds ------------------------------------------------------------------- */

typedef struct iommud_lease iommud_lease;

/*
 * Takes the devices of @request, whole groups or nothing. When this fails, everything is as it was before.
 * The lease belongs to the caller and lives as long as a copy of its lifeline is open in any process (or,
 * with iommud_request_set_holder(), as long as that process).
 */
int iommud_acquire(iommud_client *client, const iommud_request *request, iommud_lease **ret_lease);

/* Closes all fds that have not been taken. Unless the lifeline lives on elsewhere, this ends the lease. */
void iommud_lease_free(iommud_lease *lease);

/*
 * What is known of a lease:
 *      id                its number
 *      path              of its D-Bus object
 *      mode, accounting  what was handed over, and whom the kernel charges
 *      devices           the names of the devices, in the order of the request
 *      companions        devices of the same groups that were not asked for and are withheld from the host
 *      groups            the numbers of the groups, *ret_n of them
 */
uint64_t iommud_lease_id(const iommud_lease *lease);
const char *iommud_lease_path(const iommud_lease *lease);
const char *iommud_lease_mode(const iommud_lease *lease);
const char *iommud_lease_accounting(const iommud_lease *lease);
const char *const *iommud_lease_devices(const iommud_lease *lease);
const char *const *iommud_lease_companions(const iommud_lease *lease);
const uint32_t *iommud_lease_groups(const iommud_lease *lease, size_t *ret_n);

/*
 * In the modes "attached" and "confined" also handles for the functions of iommud-domain.h: of the address
 * space, and of the domain that the device at @index of iommud_lease_devices() is attached to, which is 0
 * for a device that has no IOMMU of its own.
 * In mode "attached" also their numbers, and that of the device, in the iommufd; else 0.
 */
uint64_t iommud_lease_ioas(const iommud_lease *lease);
uint64_t iommud_lease_domain(const iommud_lease *lease, size_t index);
uint32_t iommud_lease_ioas_id(const iommud_lease *lease);
uint32_t iommud_lease_domain_id(const iommud_lease *lease, size_t index);
uint32_t iommud_lease_device_id(const iommud_lease *lease, size_t index);

/*
 * The roles of its fds: "iommufd", a "device:NAME" for each device in the order of the request, the rest,
 * "lifeline".
 */
const char *const *iommud_lease_roles(const iommud_lease *lease);

/*
 * The fd of a role. It stays the lease's: duplicate it, or let a child inherit it. Device fds must be closed
 * before the lease ends: iommud waits for that, it cannot revoke them.
 * Returns -ENOENT when there is no such role, -EBADF when its fd has been taken.
 */
int iommud_lease_fd(const iommud_lease *lease, const char *role);

/* The fd of the device at @index of iommud_lease_devices(), as iommud_lease_fd(). */
int iommud_lease_device_fd(const iommud_lease *lease, size_t index);

/* As iommud_lease_fd(), but the fd is the caller's from now on, who closes it. */
int iommud_lease_take_fd(iommud_lease *lease, const char *role);

/* ---- Leases of everybody ------------------------------------------------------------------------------ */

typedef struct iommud_lease_info iommud_lease_info;

/* All leases, ordered by number, in a list that ends with NULL. The caller frees it. */
int iommud_list_leases(iommud_client *client, iommud_lease_info ***ret_leases);
void iommud_lease_infos_free(iommud_lease_info **leases);

/*
 * What is known of somebody's lease; mode, devices, companions and groups as above:
 *      id            its number
 *      uid           the user that acquired it; (uid_t) -1 for a NULL lease
 *      pid           the process that did; a hint, the number may have been reused since
 *      state         "preparing", "active", "draining" (waits until nobody has the devices open),
 *                    "restoring" (devices go back to their drivers), "stuck" (one could not be given back)
 *      state_reason  what it waits for, or what failed
 *      since         when it was asked for, CLOCK_REALTIME in microseconds
 *      until         when the policy ends it, in the same unit; 0: whenever its holder wants
 */
uint64_t iommud_lease_info_id(const iommud_lease_info *info);
uid_t iommud_lease_info_uid(const iommud_lease_info *info);
pid_t iommud_lease_info_pid(const iommud_lease_info *info);
const char *iommud_lease_info_mode(const iommud_lease_info *info);
const char *iommud_lease_info_state(const iommud_lease_info *info);
const char *iommud_lease_info_state_reason(const iommud_lease_info *info);
const char *const *iommud_lease_info_devices(const iommud_lease_info *info);
const char *const *iommud_lease_info_companions(const iommud_lease_info *info);
const uint32_t *iommud_lease_info_groups(const iommud_lease_info *info, size_t *ret_n);
uint64_t iommud_lease_info_since(const iommud_lease_info *info);
uint64_t iommud_lease_info_until(const iommud_lease_info *info);

/*
 * The process at @index of those that were last seen to have a device of a draining lease open, in the ids
 * of the host: its number, command, unit of the service manager and control group; the latter two may be
 * "". Returns -ENOENT when there is none at this index.
 */
int iommud_lease_info_holder(
                const iommud_lease_info *info, size_t index,
                pid_t *ret_pid, const char **ret_command, const char **ret_unit, const char **ret_cgroup);

/*
 * Ends a lease of the same user, or as root any. Returns when iommud has been told, not when the devices are
 * back.
 * Refusals: IOMMUD_E_NO_SUCH_LEASE, IOMMUD_E_DENIED.
 */
int iommud_release(iommud_client *client, uint64_t id);

/*
 * Asks the holder of a lease of the same user, or as root of any, to end it
 * (IOMMUD_EVENT_RELEASE_REQUESTED). @reason: for people; NULL: the daemon's own words. @deadline_usec: by
 * when, CLOCK_MONOTONIC in microseconds; 0: whenever it suits. Nothing happens by itself then.
 * Refusals: IOMMUD_E_NO_SUCH_LEASE, IOMMUD_E_DENIED; IOMMUD_E_DRAINING: it has ended already;
 * IOMMUD_E_NOT_SUPPORTED: who acquired it has left the bus, so that nobody can be asked.
 */
int iommud_ask_for_release(iommud_client *client, uint64_t id, const char *reason, uint64_t deadline_usec);

/*
 * Ends a lease, and then whoever is found to have a device of it open: with its unit, as the service manager
 * stops it, or the process alone when it is in none of its own; see Release in org.iommud1.Lease. Returns
 * when iommud has been told. Only root may (IOMMUD_E_DENIED).
 */
int iommud_kill_holders(iommud_client *client, uint64_t id);

/*
 * Waits until a lease is gone: its devices are closed, reset and back at their drivers. Does not end it.
 * @usec: how long at most; 0 looks once, UINT64_MAX waits for ever.
 * Returns 0 when it is gone (or never was), -ETIMEDOUT when it still is there, IOMMUD_E_STUCK when it will
 * not go away by itself. In both cases iommud_error_text() says what it waits for or what failed.
 */
int iommud_wait(iommud_client *client, uint64_t id, uint64_t usec);

#ifdef __cplusplus
}
#endif

/* Address spaces and domains */
#include "iommud-domain.h"

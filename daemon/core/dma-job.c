/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/mman.h>

#include "core/dma-job.h"
#include "core/kernel.h"

/*
 * How often a device is detached before it is given up: whoever has a copy of it can attach it again in
 * between, and most of the time comes too late.
 */
#define TEAR_DOWN_TIMES 64

/* What is common to the steps of a job. */
typedef struct Run {
        const DmaJob *job;
        const DmaOps *ops;
        void *userdata;
        int context;
        const int *devices;
        unsigned n_devices;
        KernelFailure *reterr;
} Run;

const char *dma_job_name(const DmaJob *job) {
        static const char *const names[] = {
                [DMA_JOB_SWITCH] = "attaching",
                [DMA_JOB_ALLOC_DOMAIN] = "making a domain",
                [DMA_JOB_ALLOC_VIRTUAL] = "making a virtual IOMMU",
                [DMA_JOB_MAP] = "mapping",
                [DMA_JOB_UNMAP] = "unmapping",
                [DMA_JOB_DESTROY] = "destroying",
                [DMA_JOB_SET_DIRTY_TRACKING] = "switching dirty tracking",
                [DMA_JOB_READ_DIRTY] = "reading what is dirty",
                [DMA_JOB_TEAR_DOWN] = "cutting off",
        };

        return names[job->kind];
}

bool dma_job_is_whole(const DmaJob *job) {
        return job->kind != DMA_JOB_ALLOC_DOMAIN && job->kind != DMA_JOB_TEAR_DOWN;
}

void dma_job_done(DmaJob *job) {
        for (unsigned i = 0; i < job->cut.n_devices; i++)
                free(job->cut.devices[i].pasids);
        free(job->cut.ioases);
        free(job->cut.others);
        job->cut = (DmaTearDown) {};
}

/* ---- a switch from one domain to another */

/* A detach has no reason to fail, and nothing that could be done about it: what is said of it is @failure.
 */
static int run_detach_all(const Run *run, KernelFailure *failure) {
        int r = 0;

        for (unsigned i = 0; i < run->n_devices; i++) {
                int q;

                q = run->ops->detach(run->userdata, run->devices[i], run->job->change.pasid, failure);
                if (q < 0)
                        r = q;
        }

        return r;
}

static int run_attach_all(const Run *run, uint32_t target, KernelFailure *failure) {
        for (unsigned i = 0; i < run->n_devices; i++) {
                int r;

                r = run->ops->attach(
                        run->userdata, run->devices[i], run->job->change.pasid, target, failure);
                if (r < 0)
                        return r;
        }

        return 0;
}

static bool iova_ranges_equal(const IovaRanges *a, const IovaRanges *b) {
        return a->n_items == b->n_items &&
               memcmp(a->items, b->items, a->n_items * sizeof(a->items[0])) == 0;
}

static bool run_ranges_are(const Run *run, const IovaRanges *before) {
        IovaRanges now;

        return run->ops->read_iova_ranges(run->userdata, run->context, run->job->change.previous_ioas, &now,
                                          /* reterr= */ NULL) >= 0 &&
               iova_ranges_equal(before, &now);
}

/*
 * A replace has failed, and the kernel's belief of what is attached can be wrong: it takes an attach to what
 * was there before for nothing to be done, while the device stays blocked. Nor does it reserve the device's
 * addresses any more when both were of one IOAS. Only a detach puts both right. Where that does not help, or
 * can't be known to, the devices stay without a domain. @before is NULL where nobody has looked before.
 */
static int run_return(const Run *run, const IovaRanges *before) {
        const DmaSwitch *change = &run->job->change;

        if (run_detach_all(run, /* failure= */ NULL) < 0)
                (void) run_detach_all(run, /* failure= */ NULL);

        if (change->previous == 0 || !change->can_return)
                return SWITCH_DETACHED;

        if (run_attach_all(run, change->previous, /* failure= */ NULL) < 0 ||
            (before && change->previous_ioas != 0 && !run_ranges_are(run, before))) {
                (void) run_detach_all(run, /* failure= */ NULL);
                return SWITCH_DETACHED;
        }

        return SWITCH_RETURNED;
}

static int run_switch(const Run *run) {
        const DmaSwitch *change = &run->job->change;
        IovaRanges before = {};
        int r;

        if (change->anew)
                return run_return(run, /* before= */ NULL);

        if (change->previous != 0 && change->previous_ioas != 0) {
                r = run->ops->read_iova_ranges(
                        run->userdata, run->context, change->previous_ioas, &before, run->reterr);
                if (r < 0)
                        return SWITCH_NOT_BEGUN;
        }

        if (change->target == 0)
                r = run_detach_all(run, run->reterr);
        else
                r = run_attach_all(run, change->target, run->reterr);

        return r < 0 ? run_return(run, &before) : _SWITCH_DONE;
}

/* ---- taking everything back */

/*
 * PASID 0 is the device itself to the hardware, but not to the kernel's book-keeping: what was attached
 * under that name only goes under it. With @all also those that nobody has told us of.
 */
static int run_cut_device(const Run *run, unsigned i, bool all, KernelFailure *failure) {
        const DmaCut *cut = &run->job->cut.devices[i];
        int r, q;

        r = run->ops->detach(run->userdata, run->devices[i], PASID_NONE, failure);
        q = run->ops->detach(run->userdata, run->devices[i], 0, failure);
        if (q < 0)
                r = q;

        for (size_t j = 0; j < cut->n_pasids; j++) {
                q = run->ops->detach(run->userdata, run->devices[i], cut->pasids[j], failure);
                if (q < 0)
                        r = q;
        }

        if (all && cut->pasid_log2 > 0)
                for (uint32_t pasid = 1; pasid < UINT32_C(1) << cut->pasid_log2; pasid++) {
                        q = run->ops->detach(run->userdata, run->devices[i], pasid, failure);
                        if (q < 0)
                                r = q;
                }

        return r;
}

/* Returns how many of them are left. What has gone already is as good as destroyed. */
static size_t run_destroy_all(const Run *run, const uint32_t *ids, size_t n, KernelFailure *failure) {
        size_t left = 0;

        for (size_t i = 0; i < n; i++) {
                int r;

                r = run->ops->destroy(run->userdata, run->context, ids[i], failure);
                if (r < 0 && r != -ENOENT)
                        left++;
        }

        return left;
}

/*
 * What a daemon or a child has made that was lost before it could say so. Bound devices don't go like this,
 * nor does what something is made of, as long as that is there.
 */
static void run_destroy_strays(const Run *run) {
        bool again = true;

        while (again) {
                again = false;
                for (uint32_t id = run->job->cut.last_id; id > 0; id--)
                        again |= run->ops->destroy(run->userdata, run->context, id, /* reterr= */ NULL) >= 0;
        }
}

static int run_cut_once(const Run *run, bool all) {
        const DmaTearDown *cut = &run->job->cut;
        size_t n_domains = cut->n_others - cut->n_queues, left;
        int r = 0;

        for (unsigned i = 0; i < cut->n_devices; i++) {
                int q;

                q = run_cut_device(run, i, all, run->reterr);
                if (q < 0)
                        r = q;
        }
        if (r < 0)
                return r;

        left = run_destroy_all(run, cut->others, n_domains, run->reterr);
        left += run_destroy_all(run, cut->ioases, cut->n_ioases, run->reterr);
        /* one that the client has open goes when that is closed; no device can be attached to it */
        (void) run_destroy_all(run, cut->others + n_domains, cut->n_queues, /* failure= */ NULL);
        run_destroy_strays(run);
        return left > 0 ? TEAR_DOWN_LEFT : _TEAR_DOWN_DONE;
}

/*
 * Memory first: once nothing is mapped, no device reaches any, to whatever it is attached, and who has no
 * context can't map anything again.
 */
static int run_tear_down(const Run *run, DmaResult *ret) {
        const DmaTearDown *cut = &run->job->cut;
        int r = 0;

        assert(run->n_devices == cut->n_devices);

        for (size_t i = 0; i < cut->n_ioases; i++) {
                int q;

                q = run->ops->unmap(run->userdata, run->context, cut->ioases[i], 0, UINT64_MAX, run->reterr);
                if (q < 0 && q != -ENOENT)
                        r = q;
        }
        if (r < 0)
                return r;

        for (unsigned i = 0; i < TEAR_DOWN_TIMES; i++) {
                r = run_cut_once(run, /* all= */ i == 1 || i == TEAR_DOWN_TIMES / 2);
                if (r <= 0)
                        break;
        }
        if (r < 0)
                return r;

        for (unsigned i = 0; cut->reset && i < cut->n_devices; i++) {
                int q;

                q = run->ops->reset(run->userdata, cut->devices[i].subsystem, cut->devices[i].name,
                                    run->devices[i], run->reterr);
                ret->reset[i] = q < 0 ? PROVE_RESET_FAILED : (uint8_t) q;
        }

        return r;
}

/* ---- single verbs */

static int run_read_dirty(const Run *run, int memory) {
        const DirtyRange *dirty = &run->job->dirty;
        size_t size = dirty_range_size(dirty);
        void *bitmap;
        int r;

        bitmap = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (bitmap == MAP_FAILED)
                return kernel_failure(run->reterr, -errno, "mmap of %zu bytes for a bitmap", size);

        r = run->ops->read_dirty(run->userdata, run->context, run->job->id, dirty, bitmap, run->reterr);
        (void) munmap(bitmap, size);
        return r;
}

static int run_map(const Run *run, int memory, uint64_t *ret_iova) {
        FileMapping map = run->job->map;

        map.fd = memory;
        return run->ops->map_file(run->userdata, run->context, run->job->id, &map, ret_iova, run->reterr);
}

static int run_alloc_virtual(const Run *run, DmaResult *ret) {
        const VirtualSpec *spec = &run->job->virtual;

        return spec->kind == VIRTUAL_IOMMU
                       ? run->ops->alloc_viommu(
                                 run->userdata, run->context, spec, &ret->id, ret->data, run->reterr)
                       : run->ops->alloc_vdevice(run->userdata, run->context, spec, &ret->id, run->reterr);
}

int dma_job_run(const DmaJob *job, const Kernel *kernel, const int *fds, unsigned n_fds, DmaResult *ret,
                KernelFailure *reterr) {
        Run run = {
                .job = job,
                .ops = kernel->dma,
                .userdata = kernel->userdata,
                .context = fds[DMA_JOB_CONTEXT],
                .devices = fds + DMA_JOB_DEVICES,
                .n_devices = n_fds - DMA_JOB_DEVICES,
                .reterr = reterr,
        };

        assert(n_fds > DMA_JOB_CONTEXT);

        switch (job->kind) {

        case DMA_JOB_SWITCH:
                return run_switch(&run);

        case DMA_JOB_ALLOC_DOMAIN:
                return run.ops->alloc_domain(run.userdata, run.context, &job->spec, &ret->id, reterr);

        case DMA_JOB_ALLOC_VIRTUAL:
                return run_alloc_virtual(&run, ret);

        case DMA_JOB_MAP:
                assert(n_fds > DMA_JOB_MEMORY);
                return run_map(&run, fds[DMA_JOB_MEMORY], &ret->iova);

        case DMA_JOB_UNMAP:
                return run.ops->unmap(
                        run.userdata, run.context, job->id, job->iova, job->length, reterr);

        case DMA_JOB_DESTROY:
                return run.ops->destroy(run.userdata, run.context, job->id, reterr);

        case DMA_JOB_SET_DIRTY_TRACKING:
                return run.ops->set_dirty_tracking(run.userdata, run.context, job->id, job->on, reterr);

        case DMA_JOB_READ_DIRTY:
                assert(n_fds > DMA_JOB_MEMORY);
                return run_read_dirty(&run, fds[DMA_JOB_MEMORY]);

        case DMA_JOB_TEAR_DOWN:
                return run_tear_down(&run, ret);
        }

        assert(false);
        return -EINVAL;
}

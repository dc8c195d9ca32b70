/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verb of "domain" that shows page faults, and answers them. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "base/fd.h"
#include "queue.h"
#include "to-json.h"

/* At once. The kernel gives whole groups of faults, and each of them is answered once. */
#define FAULTS_MAX 512

#define LINE_LENGTH_MAX 256

typedef struct Faults {
        Queue queue;
        bool ask;                       /* the answers are read from standard input */
        iommud_dma_state *state;        /* what the devices are called */

        /* the groups that were read and have no answer, by their cookies, in the order in which they came */
        uint32_t pending[FAULTS_MAX];
        size_t first_pending, n_pending;

        char input[LINE_LENGTH_MAX];    /* that is not used yet */
        size_t n_input;
        bool input_ended;
} Faults;

/* ---- to show them */

static const char *device_name(const Faults *faults, uint32_t id) {
        const iommud_attachment *attachment;

        for (size_t i = 0; (attachment = iommud_dma_state_attachment(faults->state, i)); i++)
                if (iommud_attachment_id(attachment) == id)
                        return iommud_attachment_device(attachment);

        return "";
}

static const struct {
        uint32_t bit;
        const char *name;
} permissions[] = {
        { IOMMU_PGFAULT_PERM_READ,  "read"       },
        { IOMMU_PGFAULT_PERM_WRITE, "write"      },
        { IOMMU_PGFAULT_PERM_EXEC,  "execute"    },
        { IOMMU_PGFAULT_PERM_PRIV,  "privileged" },
};

static char *permissions_text(uint32_t perm) {
        char *text = print_string("%s", "");

        for (size_t i = 0; i < ELEMENTSOF(permissions); i++)
                if (perm & permissions[i].bit) {
                        _cleanup_free_ char *before = text;

                        text = print_string("%s%s%s", before, *before ? "," : "", permissions[i].name);
                }

        return text;
}

static json_object *json_of_permissions(uint32_t perm) {
        json_object *array = need(json_object_new_array());

        for (size_t i = 0; i < ELEMENTSOF(permissions); i++)
                if (perm & permissions[i].bit)
                        json_array_put(array, need(json_object_new_string(permissions[i].name)));

        return array;
}

static char *fault_text(const struct iommu_hwpt_pgfault *fault, const char *device) {
        _cleanup_free_ char *perm = permissions_text(fault->perm), *pasid = NULL, *length = NULL;

        pasid = fault->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID
                        ? print_string(" pasid %" PRIu32, (uint32_t) fault->pasid)
                        : print_string("%s", "");
        length = fault->length > 0 ? print_string(" length %" PRIu32, (uint32_t) fault->length)
                                   : print_string("%s", "");
        return print_string("%s%s 0x%" PRIx64 " %s group %" PRIu32 "%s%s", *device ? device : "?", pasid,
                            (uint64_t) fault->addr, *perm ? perm : "-", (uint32_t) fault->grpid, length,
                            fault->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE ? "" : " more");
}

static Status print_fault(const Faults *faults, const struct iommu_hwpt_pgfault *fault) {
        const char *device = device_name(faults, fault->dev_id);
        json_object *o = need(json_object_new_object());

        json_put_string(o, "device", device);
        json_put(o, "pasid", fault->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID
                                     ? need(json_object_new_uint64(fault->pasid))
                                     : /* null */ NULL);
        json_put_number(o, "address", fault->addr);
        json_put(o, "permissions", json_of_permissions(fault->perm));
        json_put_number(o, "group", fault->grpid);
        json_put_number(o, "length", fault->length);
        json_put(o, "last", json_object_new_boolean(fault->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE));
        return queue_print(&faults->queue, o, fault_text(fault, device));
}

/* ---- to answer them */

static Status answer(const Faults *faults, uint32_t cookie, bool success) {
        const struct iommu_hwpt_page_response response = {
                .cookie = cookie,
                .code = success ? IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID,
        };

        /* EINVAL: the kernel has answered it meanwhile, as the device was moved, or is no more */
        if (write(faults->queue.fd, &response, sizeof(response)) < 0 && errno != EINVAL) {
                complain("cannot answer a page fault: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        return STATUS_OK;
}

static Status answer_first(Faults *faults, bool success) {
        faults->n_pending--;
        return answer(faults, faults->pending[faults->first_pending++], success);
}

/* What has come is shown, and answered where nobody is asked. */
static Status take_faults(Faults *faults, bool ask) {
        struct iommu_hwpt_pgfault buffer[FAULTS_MAX];
        Status status = STATUS_OK;
        size_t n_faults;
        ssize_t n;

        n = read(faults->queue.fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EAGAIN)
                n = 0;
        if (n < 0) {
                complain("cannot read the queue: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        n_faults = (size_t) n / sizeof(*buffer);
        faults->first_pending = faults->n_pending = 0;
        for (size_t i = 0; i < n_faults && status == STATUS_OK; i++) {
                status = print_fault(faults, &buffer[i]);
                /* the last one of a group has the same cookie as all others */
                if (i + 1 < n_faults && buffer[i + 1].cookie == buffer[i].cookie)
                        continue;
                faults->pending[faults->n_pending++] = buffer[i].cookie;
        }
        while (!ask && faults->n_pending > 0) {
                Status answered = answer_first(faults, /* success= */ false);

                if (status == STATUS_OK)
                        status = answered;
        }

        return status;
}

/* ---- whoever is asked */

/* False: there is no whole line. It is taken from the input, and ends with '\0'. */
static bool take_line(Faults *faults, char ret[static LINE_LENGTH_MAX]) {
        const char *end = memchr(faults->input, '\n', faults->n_input);
        size_t n = end ? (size_t) (end - faults->input) : faults->n_input;

        /* one that is too long is none that we know */
        if (!end && faults->n_input < sizeof(faults->input))
                return false;

        memcpy(ret, faults->input, n);
        ret[n < LINE_LENGTH_MAX ? n : LINE_LENGTH_MAX - 1] = '\0';
        n += end ? 1 : 0;
        faults->n_input -= n;
        memmove(faults->input, faults->input + n, faults->n_input);
        return true;
}

static Status use_input(Faults *faults) {
        char line[LINE_LENGTH_MAX];

        while (faults->n_pending > 0 && take_line(faults, line)) {
                bool success = strcmp(line, "success") == 0;
                Status status;

                if (!success && strcmp(line, "invalid") != 0) {
                        complain("the answer to a page fault is 'success' or 'invalid'");
                        continue;
                }
                status = answer_first(faults, success);
                if (status != STATUS_OK)
                        return status;
        }

        return STATUS_OK;
}

static Status read_input(Faults *faults) {
        ssize_t n;

        n = read(STDIN_FILENO, faults->input + faults->n_input, sizeof(faults->input) - faults->n_input);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
                complain("cannot read standard input: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        if (n > 0)
                faults->n_input += (size_t) n;
        faults->input_ended = n == 0;
        return use_input(faults);
}

/* ---- from beginning to end */

/* It has ended, and every answer in it was given. */
static bool input_is_used(const Faults *faults) {
        return faults->input_ended && !memchr(faults->input, '\n', faults->n_input);
}

static Status serve_faults(Faults *faults) {
        Status status = STATUS_OK;

        while (status == STATUS_OK && !input_is_used(faults)) {
                bool input = faults->ask && !faults->input_ended && faults->n_input < sizeof(faults->input);

                switch (queue_wait(&faults->queue, /* fill= */ faults->n_pending == 0, input)) {

                case QUEUE_FILLED:
                        status = take_faults(faults, faults->ask);
                        if (status == STATUS_OK)
                                status = use_input(faults);
                        break;
                case QUEUE_INPUT:
                        status = read_input(faults);
                        break;
                case QUEUE_OVER:
                        return STATUS_OK;
                case QUEUE_BROKEN:
                        return STATUS_BROKEN;
                }
        }

        return status;
}

/*
 * What has no answer would have none for as long as the device stays where it is: the kernel gives it when
 * the device is moved, or the domain goes.
 */
static Status end_faults(Faults *faults) {
        Status status = STATUS_OK;
        int r;

        while (faults->n_pending > 0 && status == STATUS_OK)
                status = answer_first(faults, /* success= */ false);
        if (status == STATUS_OK)
                status = take_faults(faults, /* ask= */ false);

        r = queue_destroy(&faults->queue);
        if (r == IOMMUD_E_IN_USE)
                fprintf(stderr,
                        "iommuctl: domain %" PRIu64 " is in use, and nobody answers its page faults any "
                        "more: attach its devices to another one\n",
                        faults->queue.handle);
        else if (r != 0 && status == STATUS_OK)
                status = domain_failed(faults->queue.call, r);

        return status;
}

static Status make_domain(Faults *faults) {
        const DomainCall *call = faults->queue.call;
        Queue *queue = &faults->queue;
        Status status;
        uint32_t id;
        int r;

        r = iommud_get_dma_state(call->client, call->lease, &faults->state);
        if (r != 0)
                return domain_failed(call, r);

        status = domain_make(call, &queue->handle, &id, &queue->fd);
        if (status != STATUS_OK)
                return status;

        return queue_print(queue, json_of_made("domain", queue->handle, id),
                           print_string("%" PRIu64, queue->handle));
}

Status domain_faults(const DomainCall *call) {
        const char *how = call->options->answer ?: "invalid";
        Faults faults = { .ask = strcmp(how, "ask") == 0 };
        Status status, ended;

        if (!faults.ask && strcmp(how, "invalid") != 0) {
                complain("--answer is invalid or ask, which '%s' is not", how);
                return STATUS_USAGE;
        }

        status = queue_init(&faults.queue, call);
        if (status == STATUS_OK)
                status = make_domain(&faults);
        if (status == STATUS_OK)
                status = serve_faults(&faults);

        if (faults.queue.handle != 0) {
                ended = end_faults(&faults);
                if (status == STATUS_OK)
                        status = ended;
        }
        iommud_dma_state_free(faults.state);
        queue_done(&faults.queue);
        return status;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the library tells of a lease's DMA. */

#include <string.h>
#include <unistd.h>

#include "harness.h"

#define _cleanup_client_ _cleanup_(iommud_client_freep)

DEFINE_CLEANUP_FUNC(iommud_dma_state, iommud_dma_state_free);
DEFINE_CLEANUP_FUNC(iommud_hw_info, iommud_hw_info_free);

static void test_ioases(const iommud_dma_state *state) {
        const iommud_ioas *ioas = iommud_dma_state_ioas(state, 0);
        uint64_t a = 7, b = 7;

        assert(iommud_ioas_handle(ioas) == 1);
        assert(iommud_ioas_pinned(ioas) == 0x201000);
        assert(iommud_ioas_huge_pages(ioas));
        assert(iommud_ioas_mapping(ioas, 1, &a, &b) == 0 && a == 0x400000 && b == 0x1000);
        assert(iommud_ioas_mapping(ioas, 2, &a, &b) == -ENOENT && a == 0x400000);
        assert(iommud_ioas_window(ioas, 0, &a, &b) == 0 && a == 0x100000 && b == 0xffffff);
        assert(iommud_ioas_window(ioas, 0, NULL, &b) == -EINVAL);

        ioas = iommud_dma_state_ioas(state, 1);
        assert(iommud_ioas_handle(ioas) == 3 && !iommud_ioas_huge_pages(ioas));
        assert(iommud_ioas_mapping(ioas, 0, &a, &b) == -ENOENT);
        assert(iommud_ioas_window(ioas, 0, &a, &b) == -ENOENT);
        assert(!iommud_dma_state_ioas(state, 2));
}

static void test_domains(const iommud_dma_state *state) {
        const iommud_domain *domain = iommud_dma_state_domain(state, 0);

        assert(iommud_domain_handle(domain) == 2);
        assert(strcmp(iommud_domain_kind(domain), "nest-parent") == 0);
        assert(iommud_domain_ioas(domain) == 1 && iommud_domain_parent(domain) == 0);
        assert(strcmp(iommud_domain_iommu(domain), "dmar0") == 0);
        assert(iommud_domain_dirty_tracking(domain) && iommud_domain_tracking(domain));
        assert(iommud_domain_pasid(domain) && !iommud_domain_fault_queue(domain));

        domain = iommud_dma_state_domain(state, 1);
        assert(iommud_domain_parent(domain) == 4 && iommud_domain_fault_queue(domain));
        assert(!iommud_domain_tracking(domain) && !iommud_domain_pasid(domain));
        assert(!iommud_dma_state_domain(state, 2));
}

static void test_attachments(const iommud_dma_state *state) {
        const iommud_attachment *attachment = iommud_dma_state_attachment(state, 0);
        uint64_t domain;
        uint32_t pasid;

        assert(strcmp(iommud_attachment_device(attachment), "0000:02:00.0") == 0);
        assert(iommud_attachment_target(attachment) == 2 && iommud_attachment_id(attachment) == 21);
        assert(iommud_attachment_pasid(attachment, 0, &pasid, &domain) == 0 && pasid == 5 && domain == 7);
        assert(iommud_attachment_pasid(attachment, 1, &pasid, &domain) == -ENOENT);
        assert(iommud_attachment_pasid(attachment, 0, NULL, &domain) == -EINVAL);

        attachment = iommud_dma_state_attachment(state, 1);
        assert(iommud_attachment_target(attachment) == 0);
        assert(!iommud_dma_state_attachment(state, 2));
}

static void test_virtuals(const iommud_dma_state *state) {
        const iommud_virtual *object = iommud_dma_state_virtual(state, 0);

        assert(iommud_virtual_handle(object) == 4 && iommud_virtual_parent(object) == 2);
        assert(strcmp(iommud_virtual_kind(object), "viommu") == 0);
        assert(strcmp(iommud_virtual_iommu(object), "dmar0") == 0);
        assert(iommud_virtual_type(object) == 7);

        object = iommud_dma_state_virtual(state, 1);
        assert(strcmp(iommud_virtual_device(object), "0000:02:00.0") == 0);
        assert(iommud_virtual_number(object) == 0x300);
        assert(!iommud_dma_state_virtual(state, 2) && !iommud_dma_state_virtual(NULL, 0));
        assert(strcmp(iommud_virtual_kind(NULL), "") == 0);
}

static void test_alloc_virtual(void) {
        _cleanup_client_ iommud_client *client = client_of("ok"), *wrong = client_of("short");
        uint8_t data[129] = { 6, 2, 3, 4 };
        uint64_t handle;
        uint32_t id;
        int fd = -EBADF;

        assert(iommud_alloc_viommu(client, 7, "0000:02:00.0", 2, 7, data, 4, &handle, &id) == 0);
        assert(handle == 4 && id == 11 && data[0] == 7 && data[3] == 4);
        assert(iommud_alloc_viommu(client, 7, "a", 2, 7, NULL, 4, &handle, &id) == -EINVAL);
        assert(iommud_alloc_viommu(client, 7, "a", 2, 7, data, 129, &handle, &id) == -E2BIG);
        assert(iommud_alloc_viommu(wrong, 7, "0000:02:00.0", 2, 7, data, 4, &handle, &id) == -EBADMSG);
        assert(data[0] == 7);

        assert(iommud_alloc_vdevice(client, 7, "0000:02:00.0", 4, 0x300, &handle, &id) == 0);
        assert(handle == 5 && id == 12);
        assert(iommud_alloc_vdevice(client, 9, "0000:02:00.0", 4, 1, &handle, NULL) == IOMMUD_E_DENIED);

        assert(iommud_alloc_veventq(client, 7, 4, 7, 0, &handle, NULL, &fd) == 0);
        assert(handle == 6 && fd >= 0);
        close(fd);
        assert(iommud_alloc_veventq(wrong, 7, 4, 7, 8, &handle, &id, &fd) == -EBADMSG);
        assert(iommud_alloc_veventq(client, 7, 4, 7, 8, &handle, &id, NULL) == -EINVAL);
}

static void test_revoke(void) {
        _cleanup_client_ iommud_client *client = client_of("ok"), *stubborn = client_of("stubborn"),
                                       *wrong = client_of("short");
        char **names = NULL;

        assert(iommud_revoke(client, 7, &names) == 0 && !names[0]);
        iommud_strings_free(names);
        assert(iommud_revoke(stubborn, 7, &names) == 0);
        assert(strcmp(names[0], "0000:02:00.0") == 0 && strcmp(names[1], "0000:02:00.1") == 0 && !names[2]);
        iommud_strings_free(names);
        assert(iommud_revoke(stubborn, 7, NULL) == 0);
        assert(iommud_revoke(wrong, 7, &names) == -EBADMSG);
        assert(iommud_revoke(client, 9, &names) == IOMMUD_E_DENIED);
        assert(iommud_revoke(client, 0, &names) == -EINVAL);
}

static void test_fault_queue(void) {
        _cleanup_client_ iommud_client *client = client_of("faults"), *none = client_of("faults-none");
        iommud_domain_options *options = NULL;
        uint64_t domain;
        int fd = -EBADF;

        assert(iommud_domain_options_new(&options) == 0);
        assert(iommud_domain_options_set_fault_queue(options, true) == 0);
        assert(iommud_alloc_domain(client, 7, "a", 1, options, &domain, NULL, NULL) == -EINVAL);
        assert(iommud_alloc_domain(none, 7, "a", 1, options, &domain, NULL, &fd) == -EBADMSG);
        assert(fd == -EBADF);
        assert(iommud_alloc_domain(client, 7, "a", 1, options, &domain, NULL, &fd) == 0);
        assert(domain == 7 && fd >= 0);
        close(fd);
        iommud_domain_options_free(options);
}

static void test_state(void) {
        _cleanup_(iommud_dma_state_freep) iommud_dma_state *state = NULL, *none = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok"), *wrong = client_of("wrong-signature");

        assert(iommud_get_dma_state(client, 7, &state) == 0);
        test_ioases(state);
        test_domains(state);
        test_attachments(state);
        test_virtuals(state);

        assert(iommud_get_dma_state(client, 9, &none) == IOMMUD_E_DENIED && !none);
        assert(iommud_get_dma_state(client, 0, &none) == -EINVAL && !none);
        assert(iommud_get_dma_state(client, 7, NULL) == -EINVAL);
        assert(iommud_get_dma_state(wrong, 7, &none) == -EBADMSG && !none);
}

static void test_hw_info(void) {
        _cleanup_(iommud_hw_info_freep) iommud_hw_info *info = NULL, *none = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        const uint8_t *data;
        uint32_t type;
        size_t size;
        bool there;

        assert(iommud_get_hw_info(client, 7, "0000:02:00.0", &info) == 0);
        assert(strcmp(iommud_hw_info_iommu(info), "dmar0") == 0);
        assert(iommud_hw_info_has(info, "nesting", &there) == 0 && there);
        data = iommud_hw_info_data(info, &type, &size);
        assert(type == 1 && size == 3 && data[2] == 9);

        assert(iommud_get_hw_info(client, 7, "0000:66:00.0", &none) == IOMMUD_E_NO_SUCH_DEVICE && !none);
        assert(iommud_get_hw_info(client, 9, "0000:02:00.0", &none) == IOMMUD_E_DENIED && !none);
        assert(iommud_get_hw_info(client, 7, NULL, &none) == -EINVAL);
}

static void test_nothing(void) {
        uint64_t a, b;
        uint32_t n;

        assert(!iommud_dma_state_ioas(NULL, 0) && !iommud_dma_state_domain(NULL, 0));
        assert(!iommud_dma_state_attachment(NULL, 0));
        assert(iommud_ioas_mapping(NULL, 0, &a, &b) == -ENOENT);
        assert(iommud_attachment_pasid(NULL, 0, &n, &a) == -ENOENT);
        assert(strcmp(iommud_domain_kind(NULL), "") == 0 && iommud_domain_handle(NULL) == 0);
        iommud_dma_state_free(NULL);
        iommud_hw_info_free(NULL);
}

int main(void) {
        unsigned before = count_fds();

        test_state();
        test_revoke();
        test_fault_queue();
        test_hw_info();
        test_alloc_virtual();
        test_nothing();
        assert(count_fds() == before);
        return EXIT_SUCCESS;
}

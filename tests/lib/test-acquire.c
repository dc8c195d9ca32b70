/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "harness.h"

#define _cleanup_client_ _cleanup_(iommud_client_freep)
#define _cleanup_request_ _cleanup_(iommud_request_freep)
#define _cleanup_lease_ _cleanup_(iommud_lease_freep)

static void assert_stands_for(int fd, const char *text) {
        char buffer[64] = {};

        assert(fd >= 3);
        assert(fcntl(fd, F_GETFD) == FD_CLOEXEC);
        assert(pread(fd, buffer, sizeof(buffer) - 1, 0) == (ssize_t) strlen(text));
        assert(strcmp(buffer, text) == 0);
}

static void assert_list(const char *const *list, const char *const *expected) {
        for (; *expected; list++, expected++)
                assert(*list && strcmp(*list, *expected) == 0);
        assert(!*list);
}

#define ASSERT_LIST(list, ...) assert_list(list, (const char *const[]) { __VA_ARGS__, NULL })

static void test_acquire(const char *scenario) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of(scenario);
        _cleanup_lease_ iommud_lease *lease = NULL;
        const uint32_t *groups;
        size_t n;

        assert(iommud_request_set_mode(request, "vmm") == 0);
        assert(iommud_request_set_mode(request, "vmm") == 0);
        assert(iommud_request_set_accounting(request, "process") == 0);
        assert(iommud_request_set_ram(request, UINT64_C(64) << 20) == 0);
        assert(iommud_acquire(client, request, &lease) == 0);

        assert(iommud_lease_id(lease) == 7);
        assert(strcmp(iommud_lease_path(lease), "/org/iommud1/lease/7") == 0);
        assert(strcmp(iommud_lease_mode(lease), "vmm") == 0);
        assert(strcmp(iommud_lease_accounting(lease), "process") == 0);
        ASSERT_LIST(iommud_lease_devices(lease), "0000:02:00.0", "0000:02:00.1");
        ASSERT_LIST(iommud_lease_companions(lease), "0000:02:00.2");
        groups = iommud_lease_groups(lease, &n);
        assert(n == 1 && groups[0] == 13);

        ASSERT_LIST(iommud_lease_roles(lease),
                    "iommufd", "device:0000:02:00.0", "device:0000:02:00.1", "lifeline");
        assert_stands_for(iommud_lease_fd(lease, "iommufd"), "iommufd");
        assert_stands_for(iommud_lease_fd(lease, "device:0000:02:00.1"), "0000:02:00.1");
        assert_stands_for(iommud_lease_device_fd(lease, 0), "0000:02:00.0");
        assert_stands_for(iommud_lease_device_fd(lease, 1), "0000:02:00.1");
        assert(iommud_lease_device_fd(lease, 2) == -ENOENT);
        assert(iommud_lease_fd(lease, "device:0000:02:00.2") == -ENOENT);
}

static void test_take(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("ok");
        _cleanup_lease_ iommud_lease *lease = NULL;
        _cleanup_close_ int device = -EBADF;

        assert(iommud_acquire(client, request, &lease) == 0);
        device = iommud_lease_take_fd(lease, "device:0000:02:00.0");
        assert(iommud_lease_fd(lease, "device:0000:02:00.0") == -EBADF);
        assert(iommud_lease_device_fd(lease, 0) == -EBADF);
        assert(iommud_lease_take_fd(lease, "device:0000:02:00.0") == -EBADF);
        assert(iommud_lease_take_fd(lease, "nothing") == -ENOENT);
        iommud_lease_free(TAKE_PTR(lease));
        assert_stands_for(device, "0000:02:00.0");
}

static void test_lifeline(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("ok");
        _cleanup_close_ int lifeline = -EBADF;
        iommud_lease *lease;

        /* With its lifeline elsewhere, a lease outlives its handle; without, it ends */
        assert(iommud_acquire(client, request, &lease) == 0);
        lifeline = iommud_lease_take_fd(lease, "lifeline");
        iommud_lease_free(lease);
        assert(iommud_wait(client, 7, 0) == -ETIMEDOUT);

        lifeline = close_fd(lifeline);
        assert(iommud_wait(client, 7, UINT64_MAX) == 0);
}

static void test_holder(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("ok");
        _cleanup_lease_ iommud_lease *lease = NULL;
        _cleanup_close_ int pidfd = -EBADF;

        /* The library only passes it on, and valgrind knows no pidfd_open(2) */
        pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert(pidfd >= 0);
        assert(iommud_request_set_holder(request, pidfd) == 0);
        assert(iommud_request_set_holder(request, pidfd) == 0);
        pidfd = close_fd(pidfd);

        assert(iommud_acquire(client, request, &lease) == 0);
        assert(iommud_lease_fd(lease, "lifeline") == -ENOENT);
        assert_stands_for(iommud_lease_fd(lease, "iommufd"), "iommufd");
}

static void test_other_mode(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("other-mode");
        _cleanup_lease_ iommud_lease *lease = NULL;

        assert(iommud_acquire(client, request, &lease) == 0);
        ASSERT_LIST(iommud_lease_roles(lease),
                    "device:0000:02:00.0", "device:0000:02:00.1", "container", "group:13", "lifeline");
        assert_stands_for(iommud_lease_fd(lease, "container"), "container");
}

static void test_malformed(void) {
        static const char *const scenarios[] = {
                "wrong-lifeline", "missing-iommufd", "missing-device", "foreign-device", "repeated-role",
                "bad-role", "wrong-detail", "missing-detail", "no-details", "no-devices", "other-lease",
        };

        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++) {
                _cleanup_request_ iommud_request *request = request_for("group:13");
                _cleanup_client_ iommud_client *client = client_of(scenarios[i]);
                iommud_lease *lease = NULL;
                unsigned before;

                assert(iommud_reload(client) == 0);             /* connected from here on */
                before = count_fds();
                assert(iommud_acquire(client, request, &lease) == -EBADMSG);
                assert(!lease);
                assert(count_fds() == before);
        }
}

static void test_silence(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("silent");
        iommud_lease *lease = NULL;

        assert(iommud_request_set_timeout(request, 1) == 0);
        assert(iommud_acquire(client, request, &lease) == -ETIMEDOUT);
        assert(!lease);
}

static void test_refusal(void) {
        _cleanup_request_ iommud_request *request = request_for("group:13");
        _cleanup_client_ iommud_client *client = client_of("refuse:HostInUse");
        iommud_lease *lease = NULL;

        assert(iommud_acquire(client, request, &lease) == IOMMUD_E_HOST_IN_USE);
        assert(!lease);
}

static void test_arguments(void) {
        _cleanup_request_ iommud_request *request = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        iommud_lease *lease = NULL;

        assert(iommud_request_new(NULL) == -EINVAL);
        assert(iommud_request_new(&request) == 0);
        assert(iommud_request_add_device(request, "") == -EINVAL);
        assert(iommud_request_add_device(request, NULL) == -EINVAL);
        assert(iommud_request_add_device(NULL, "x") == -EINVAL);
        assert(iommud_request_set_mode(request, NULL) == -EINVAL);
        assert(iommud_request_set_accounting(NULL, "user") == -EINVAL);
        assert(iommud_request_set_holder(request, -1) == -EBADF);
        assert(iommud_request_set_timeout(request, 0) == -EINVAL);
        assert(iommud_acquire(client, request, &lease) == -EINVAL);
        assert(iommud_acquire(client, NULL, &lease) == -EINVAL);
        assert(iommud_acquire(NULL, request, &lease) == -EINVAL);
        assert(iommud_acquire(client, request, NULL) == -EINVAL);
        assert(iommud_lease_fd(NULL, "iommufd") == -EINVAL);
        assert(iommud_lease_device_fd(NULL, 0) == -EINVAL);
        assert(iommud_lease_take_fd(NULL, "iommufd") == -EINVAL);
        assert(!iommud_lease_roles(NULL)[0]);
        iommud_lease_free(NULL);
        iommud_request_free(NULL);
}

static void test_release(void) {
        _cleanup_client_ iommud_client *client = client_of("ok"), *lost = client_of("disconnect");

        assert(iommud_wait(client, 7, 0) == -ETIMEDOUT);
        assert(strcmp(iommud_error_text(client), "lease 7 is active") == 0);
        assert(iommud_release(client, 7) == 0);
        assert(iommud_wait(client, 7, UINT64_MAX) == 0);
        assert(iommud_wait(client, 7, 0) == 0);

        assert(iommud_wait(client, 9, UINT64_MAX) == IOMMUD_E_STUCK);
        assert(strcmp(iommud_error_text(client), "lease 9 is stuck: the reset failed") == 0);
        assert(iommud_release(client, 9) == IOMMUD_E_NO_SUCH_LEASE);
        assert(strcmp(iommud_error_text(client), "there is no lease 9") == 0);

        assert(iommud_wait(lost, 7, UINT64_MAX) == -ECONNRESET);
        assert(iommud_release(client, 0) == -EINVAL);
        assert(iommud_wait(client, 0, 0) == -EINVAL);
        assert(iommud_wait(NULL, 7, 0) == -EINVAL);
}

int main(void) {
        unsigned before = count_fds();

        test_acquire("ok");
        test_acquire("unknown-detail");
        test_take();
        test_lifeline();
        test_holder();
        test_other_mode();
        test_malformed();
        test_silence();
        test_refusal();
        test_arguments();
        test_release();
        assert(count_fds() == before);
        return EXIT_SUCCESS;
}

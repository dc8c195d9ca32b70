/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <stdio.h>

#include "harness.h"

iommud_client *client_of(const char *scenario) {
        _cleanup_free_ char *address = NULL;
        const char *fake = getenv("FAKE_IOMMUD");
        iommud_client *client;
        int r;

        assert(fake);
        r = asprintf(&address, "unixexec:path=%s,argv1=%s", fake, scenario);
        assert(r > 0);
        r = iommud_connect(address, &client);
        assert(r == 0);
        return client;
}

iommud_request *request_for(const char *selector) {
        iommud_request *request;

        assert(iommud_request_new(&request) == 0);
        assert(iommud_request_add_device(request, selector) == 0);
        return request;
}

unsigned count_fds(void) {
        unsigned n = 0;
        DIR *dir;

        dir = opendir("/proc/self/fd");
        assert(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

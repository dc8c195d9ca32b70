/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "error.h"
#include "names.h"
#include "public.h"

/* By code. The two that iommud does not send have a name for people only. */
static const char *const error_table[] = {
        [IOMMUD_E_OTHER]            = IOMMUD_ERROR_PREFIX "Other",
        [IOMMUD_E_INVALID_SELECTOR] = IOMMUD_ERROR_INVALID_SELECTOR,
        [IOMMUD_E_INVALID_OPTION]   = IOMMUD_ERROR_INVALID_OPTION,
        [IOMMUD_E_INVALID_POLICY]   = IOMMUD_ERROR_INVALID_POLICY,
        [IOMMUD_E_NO_SUCH_DEVICE]   = IOMMUD_ERROR_NO_SUCH_DEVICE,
        [IOMMUD_E_NO_SUCH_LEASE]    = IOMMUD_ERROR_PREFIX "NoSuchLease",
        [IOMMUD_E_DENIED]           = IOMMUD_ERROR_DENIED,
        [IOMMUD_E_HOST_IN_USE]      = IOMMUD_ERROR_HOST_IN_USE,
        [IOMMUD_E_NOT_VIABLE]       = IOMMUD_ERROR_NOT_VIABLE,
        [IOMMUD_E_TAKEN]            = IOMMUD_ERROR_TAKEN,
        [IOMMUD_E_DRAINING]         = IOMMUD_ERROR_DRAINING,
        [IOMMUD_E_QUOTA]            = IOMMUD_ERROR_QUOTA,
        [IOMMUD_E_NOT_SUPPORTED]    = IOMMUD_ERROR_NOT_SUPPORTED,
        [IOMMUD_E_KERNEL_FAILED]    = IOMMUD_ERROR_KERNEL_FAILED,
        [IOMMUD_E_STUCK]            = IOMMUD_ERROR_PREFIX "Stuck",
        [IOMMUD_E_QUARANTINED]      = IOMMUD_ERROR_QUARANTINED,
        [IOMMUD_E_AUTHORIZATION_REQUIRED] = IOMMUD_ERROR_AUTHORIZATION_REQUIRED,
        [IOMMUD_E_NO_SUCH_OBJECT]   = IOMMUD_ERROR_NO_SUCH_OBJECT,
        [IOMMUD_E_IN_USE]           = IOMMUD_ERROR_IN_USE,
        [IOMMUD_E_REVOKED]          = IOMMUD_ERROR_REVOKED,
};

/* All that can be wrong with the start of a service */
#define BUS_ERROR_SPAWN_PREFIX "org.freedesktop.DBus.Error.Spawn."

/* Of the bus itself; sd-bus would make errnos of them that mean other things to us. */
static const struct {
        const char *name;
        int result;
} bus_error_table[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN,             -EHOSTUNREACH },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER,           -EHOSTUNREACH },
        { SD_BUS_ERROR_NO_SERVER,                   -EHOSTUNREACH },
        { SD_BUS_ERROR_NO_REPLY,                    -ETIMEDOUT },
        { SD_BUS_ERROR_TIMEOUT,                     -ETIMEDOUT },
        { SD_BUS_ERROR_DISCONNECTED,                -ECONNRESET },
        { SD_BUS_ERROR_ACCESS_DENIED,               -EACCES },
        { "org.freedesktop.DBus.Error.TimedOut",    -ETIMEDOUT },
        { "org.freedesktop.systemd1.NoSuchUnit",    -EHOSTUNREACH },
        { "org.freedesktop.systemd1.UnitMasked",    -EHOSTUNREACH },
};

_public_ const char *iommud_error_name(int code) {
        if (code <= 0 || (size_t) code >= ELEMENTSOF(error_table))
                return "";

        return error_table[code] + strlen(IOMMUD_ERROR_PREFIX);
}

int error_from_reply(const sd_bus_error *error, int r) {
        assert(r < 0);

        if (!error->name)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(error_table); i++)
                if (error_table[i] && strcmp(error->name, error_table[i]) == 0)
                        return (int) i;
        if (strncmp(error->name, IOMMUD_ERROR_PREFIX, strlen(IOMMUD_ERROR_PREFIX)) == 0)
                return IOMMUD_E_OTHER;

        for (size_t i = 0; i < ELEMENTSOF(bus_error_table); i++)
                if (strcmp(error->name, bus_error_table[i].name) == 0)
                        return bus_error_table[i].result;
        if (strncmp(error->name, BUS_ERROR_SPAWN_PREFIX, strlen(BUS_ERROR_SPAWN_PREFIX)) == 0)
                return -EHOSTUNREACH;

        return r;
}

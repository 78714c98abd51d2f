/* The devices beside the CPU that `walras` offers, built in or not. */
#ifndef WAL_EXPERIMENTS_DEVICES_H
#define WAL_EXPERIMENTS_DEVICES_H

#include "engine/device.h"

extern const wal_device_offer *const wal_devices[]; /* NULL-terminated */

#endif

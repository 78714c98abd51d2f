#include "models/common/device.h"

#include <stddef.h>

const wal_device wal_device_cpu = {.name = "cpu"};
static const wal_device *now = &wal_device_cpu;

const wal_device *wal_device_now(void) { return now; }

void wal_device_use(const wal_device *device) { now = device ? device : &wal_device_cpu; }

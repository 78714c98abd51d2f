#include "engine/device.h"

#include <stdio.h>
#include <string.h>

const wal_device_choice wal_device_choice_cpu = {&wal_device_cpu, "cpu", false};

bool wal_device_is_cpu(const wal_device *device) { return strcmp(device->name, wal_device_cpu.name) == 0; }

wal_status wal_device_ask(const wal_device_offer *offer, char *text, size_t size) {
  if (!offer->device) return wal_fail(WAL_E_UNSUPPORTED, "built without %s", offer->title);
  return offer->probe(text, size);
}

static wal_status take(const wal_device_offer *offer, wal_device_choice *out) {
  char about[WAL_DEVICE_LINE / 2];
  const wal_status status = wal_device_ask(offer, about, sizeof about);
  if (status) return status;
  out->device = offer->device;
  snprintf(out->line, sizeof out->line, "%s: %s", offer->name, about);
  return WAL_OK;
}

static void take_any(const wal_device_offer *const *offers, wal_device_choice *out) {
  for (; *offers; offers++) {
    if (take(*offers, out) == WAL_OK) return;
    snprintf(out->line, sizeof out->line, "cpu (%s)", wal_error());
  }
}

static wal_status not_usable(const wal_device_offer *offer) {
  const char *how = offer->device ? "" : " (docs/gpu.md says how to build with it)";
  char reason[1024];
  snprintf(reason, sizeof reason, "%s", wal_error());
  return wal_fail(WAL_E_UNSUPPORTED, "--device %s: %s%s; --device cpu works", offer->name, reason, how);
}

static wal_status take_named(const char *wanted, const wal_device_offer *const *offers,
                             wal_device_choice *out) {
  char names[128] = "cpu";
  for (; *offers; offers++) {
    if (strcmp(wanted, (*offers)->name) == 0)
      return take(*offers, out) == WAL_OK ? WAL_OK : not_usable(*offers);
    const size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, ", %s", (*offers)->name);
  }
  return wal_fail(WAL_E_INPUT, "--device %.40s: expected %s or auto", wanted, names);
}

wal_status wal_device_choose(const char *wanted, const wal_device_offer *const *offers,
                             wal_device_choice *out) {
  *out = wal_device_choice_cpu;
  if (strcmp(wanted, "auto") == 0) {
    take_any(offers, out);
    return WAL_OK;
  }
  out->asked = true;
  return strcmp(wanted, "cpu") == 0 ? WAL_OK : take_named(wanted, offers, out);
}

void wal_device_built(const wal_device_offer *const *offers, char *out, size_t size) {
  size_t used = 0;
  for (out[0] = '\0'; *offers && used < size; offers++)
    used += (size_t)snprintf(out + used, size - used, "%sbuilt %s %s", used ? ", " : "",
                             (*offers)->device ? "with" : "without", (*offers)->title);
}

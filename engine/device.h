/* Which processor a command works on: --device, and what banners and result files say of it. */
#ifndef WAL_ENGINE_DEVICE_H
#define WAL_ENGINE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "models/common/device.h"
#include "models/common/status.h"

/* A device beside the CPU. main() hands it to the engine whether the program was built with it or not. */
typedef struct {
  const char *name;         /* "cuda" */
  const char *title;        /* "CUDA": what the program is built with or without */
  const wal_device *device; /* NULL: built without it */
  /* WAL_OK and a line about it into text[size]; WAL_E_UNSUPPORTED and the reason in wal_error(). Leaves this
     process as it was: points run in forks of it. */
  wal_status (*probe)(char *text, size_t size);
} wal_device_offer;

/* Can it be used here? WAL_OK and a line about it into text[size]; WAL_E_UNSUPPORTED: no, and why. */
wal_status wal_device_ask(const wal_device_offer *offer, char *text, size_t size);

enum { WAL_DEVICE_LINE = 320 };

/* The device of a command. */
typedef struct {
  const wal_device *device; /* never NULL */
  char
      line[WAL_DEVICE_LINE]; /* "cpu (built without CUDA)", "cuda: NVIDIA H100 80GB HBM3, driver 13.0, ..." */
  bool asked;                /* by name, not by auto */
} wal_device_choice;

extern const wal_device_choice wal_device_choice_cpu;

/* What --device WANTED means: "cpu", the name of an offer, or "auto", the first offer that can be used, else
   the CPU. offers: NULL-terminated. WAL_E_INPUT: no such device. WAL_E_UNSUPPORTED: it is not usable; the
   message says why and that --device cpu works. Chooses nothing for this process: that is wal_device_use. */
wal_status wal_device_choose(const char *wanted, const wal_device_offer *const *offers,
                             wal_device_choice *out);

bool wal_device_is_cpu(const wal_device *device);

/* One line for --version: "built without CUDA", "built with CUDA"; "" when nothing is offered. */
void wal_device_built(const wal_device_offer *const *offers, char *out, size_t size);

#endif

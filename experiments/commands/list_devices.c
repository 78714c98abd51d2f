/* walras list devices: which parts of the models each device computes itself. */
#include <stddef.h>
#include <string.h>

#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"

/* A seam of models/common/device.h. */
static const struct {
  const char *name, *what;
  size_t row; /* its pointer in wal_device */
} seams[] = {
    {"mlp", "networks: training steps, inference", offsetof(wal_device, mlp)},
    {"dual", "demand and its derivatives at prices: newton, newton_sample, pr", offsetof(wal_device, dual)},
    {"measure", "NG, VoA, VoP and the welfares of a solution", offsetof(wal_device, measure)},
    {"descent", "gradient steps of every buyer: eg, eg_m, eg_scaled", offsetof(wal_device, descent)},
    {"fc", "MarketFCNet's minibatches and losses: fc, fc_share, tower", offsetof(wal_device, fc)},
    {"pf", "proportional fairness in batches, with its adjoint", offsetof(wal_device, pf)},
    {"search", "the search for misreports", offsetof(wal_device, search)},
};
enum { SEAMS = sizeof seams / sizeof *seams };

bool wal_device_has(const wal_device *device, const char *seam) {
  for (int s = 0; s < SEAMS; s++)
    if (strcmp(seams[s].name, seam) == 0)
      return *(const void *const *)((const char *)device + seams[s].row) != NULL;
  return false;
}

static void print_states(FILE *out) {
  fprintf(out, "%-8s %s\n%-8s always there\n", "device", "state", "cpu");
  for (const wal_device_offer *const *o = wal_cli_program()->devices; *o; o++) {
    char about[WAL_DEVICE_LINE];
    const bool usable = wal_device_ask(*o, about, sizeof about) == WAL_OK;
    fprintf(out, "%-8s %s\n", (*o)->name, usable ? about : wal_error());
  }
}

static void print(FILE *out) {
  const wal_device_offer *const *offers = wal_cli_program()->devices;
  print_states(out);
  fprintf(out, "\n%-8s  %-64s cpu", "seam", "what it computes");
  for (int o = 0; offers[o]; o++)
    if (offers[o]->device) fprintf(out, "  %s", offers[o]->name);
  fprintf(out, "\n");
  for (int s = 0; s < SEAMS; s++) {
    fprintf(out, "%-8s  %-64s yes", seams[s].name, seams[s].what);
    for (int o = 0; offers[o]; o++)
      if (offers[o]->device)
        fprintf(out, "  %s", wal_device_has(offers[o]->device, seams[s].name) ? "yes" : "on cpu");
    fprintf(out, "\n");
  }
}

const wal_topic wal_topic_devices = {"devices", "the CPU and GPUs: what can be used here, what each computes",
                                     print};
